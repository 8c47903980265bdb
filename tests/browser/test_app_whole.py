"""The page as a whole in Chromium: two at once, a server that restarts, links elsewhere, hostile names."""

from __future__ import annotations

import json
from importlib import resources
from urllib.parse import quote

import pytest
from served import TOKEN, after, opened, served, settled

from pricewar.app import games_seats
from pricewar.app.war_runs import WORLDS

pytestmark = pytest.mark.browser

FEW = "#tab=war&market=china-2024&futures=16&seed=0"
BILLED = ".desk[data-billed=yes]:not(.stale) #offer-table .opener"
TALL = 4200  # what is out of sight is not drawn
LEVER = "#lever-portability"
SHOWN = """() => ({
  kpis: [...document.querySelectorAll(".kpi")].map((k) => k.innerText),
  lines: [...document.querySelectorAll(".war svg path[data-key]")].map((p) => p.getAttribute("d")),
  hash: Object.fromEntries([["tab", "war"], ...new URLSearchParams(location.hash.slice(1))]),
})"""


@pytest.fixture(scope="module", autouse=True)
def seats():
    yield
    games_seats.close()


@pytest.fixture
def page_of(browser):
    """Opens pages of a server, each in a context of its own; complains about any complaint."""
    complaints: list[str] = []
    pages = []

    def open_(server, fragment: str = FEW, **options):
        options = {"height": TALL, **options}
        page = opened(browser, server, fragment, complaints=complaints, **options)
        pages.append(page)
        return page

    yield open_
    for page in pages:
        page.context.close()
    # A test's server ends before its pages: that their sockets find none is no complaint.
    assert [c for c in complaints if "ERR_CONNECTION_REFUSED" not in c] == []


def move(page, value: float) -> None:
    def set_() -> None:
        page.locator(LEVER).evaluate(
            "(slider, value) => { slider.value = value; for (const kind of ['input', 'change'])"
            " slider.dispatchEvent(new Event(kind, {bubbles: true})); }",
            value,
        )

    after(page, set_)


def shown(page) -> dict:
    page.wait_for_timeout(350)  # the link follows the state after a moment
    return page.evaluate(SHOWN)


# ---------------------------------------------------------------- two pages, one server


def test_two_pages_at_once_do_not_disturb_one_another(page_of):
    with served() as server:
        one, two = page_of(server), page_of(server, FEW + "&levers=price_floor~1")
        beside = shown(two)
        for step in range(1, 6):  # both ask while the other is being answered
            for page, value in ((one, step / 10), (two, 1 - step / 10)):
                page.locator(LEVER).evaluate(
                    "(slider, value) => { slider.value = value;"
                    " slider.dispatchEvent(new Event('input', {bubbles: true})); }",
                    value,
                )
        settled(one)
        settled(two)
        first, second = shown(one), shown(two)
        assert (first["hash"]["levers"], second["hash"]["levers"]) == (
            "portability~0.5",
            "price_floor~1,portability~0.5",
        )
        assert first["lines"] != second["lines"]
        move(two, 0)
        assert shown(two) == beside
        assert shown(one) == first  # and what one shows is what it would show alone
        assert shown(page_of(server, one.evaluate("location.hash"))) == first
        one.close()
        move(two, 0.4)  # one that leaves takes nothing along
        assert shown(two)["lines"] != beside["lines"]


# ---------------------------------------------------------------- a server that restarts


def test_a_restarted_server_takes_the_open_page_back(browser):
    complaints: list[str] = []
    with served() as server:
        port = server.port
        page = opened(browser, server, FEW + "&levers=portability~0.6", complaints=complaints, height=TALL)
        before = shown(page)
        assert complaints == []
    page.locator("#connection:not([hidden])").wait_for()
    assert page.locator("#connection").inner_text().strip()
    move_to = "slider => { slider.value = 0.9; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    page.locator(LEVER).evaluate(move_to)  # moved while nobody answers
    with served(port) as server:
        assert (server.port, server.token) == (port, TOKEN)
        page.locator("#connection").wait_for(state="hidden")
        settled(page)
        moved = shown(page)
        assert moved["hash"]["levers"] == "portability~0.9"
        assert moved["lines"] != before["lines"]
        after(page, lambda: page.locator("#undo").click())
        assert shown(page) == before
        page.reload()
        page.wait_for_selector("html[data-ready=yes]", state="attached")
        settled(page)
        assert shown(page) == before
    # What the browser itself says of sockets that find no server is all there is.
    assert [c for c in complaints if "WebSocket connection to" not in c] == []
    page.context.close()


# ---------------------------------------------------------------- the link


def test_a_copied_link_opens_the_same_state_elsewhere(page_of):
    with served() as server:
        page = page_of(server, FEW + "&levers=portability~0.3&language=zh&theme=dark")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        move(page, 0.7)
        page.locator("#copy-link").click()
        page.locator("#said:not(:empty)").wait_for()
        link = page.evaluate("() => navigator.clipboard.readText()")
        assert TOKEN not in link  # a link may be sent to others; the key stays
        assert link.startswith(f"http://127.0.0.1:{server.port}/#")
        other = page_of(server, "#" + link.split("#", 1)[1])
        assert shown(other) == shown(page)
        assert other.evaluate("document.documentElement.lang") == "zh-CN"
        assert other.evaluate("document.documentElement.dataset.theme") == "dark"
        # In the same browser, the link alone is enough: the cookie is there.
        third = page.context.new_page()
        third.goto(link)
        third.wait_for_selector("html[data-ready=yes]", state="attached")
        settled(third)
        assert shown(third) == shown(page)


# ---------------------------------------------------------------- names that try to be more than text

IMAGE = '<img src=x onerror="window.caught=1">'
SCRIPT = "</script><script>window.caught=2</script>"
LINK = "javascript:window.caught=3"
INERT = """() => ({
  caught: window.caught ?? null,
  images: document.querySelectorAll("img").length,
  scripts: [...document.scripts].map((s) => s.src || s.type),
  handlers: document.querySelectorAll("[onerror], [onload], [onclick]").length,
  links: [...document.querySelectorAll("[href], [src], [action]")].map((n) => n.getAttribute("href") ?? "")
    .filter((a) => /^\\s*javascript:/i.test(a)),
})"""


@pytest.fixture
def hostile_market(tmp_path):
    """A market of whose vendors two, and title and a lever's reason, would be script."""
    text = resources.files("pricewar.market.markets").joinpath("global-2025.yaml").read_text("utf-8")
    for was, now in (
        ("market: global-2025", "market: hostile"),
        ("title: The world after the first cuts, 2025", f"title: '{IMAGE}'"),
        ("{name: OpenAI,", f"{{name: '{IMAGE}',"),
        ("{name: Anthropic,", f"{{name: '{SCRIPT}',"),
    ):
        assert was in text
        text = text.replace(was, now, 1)
    path = tmp_path / "hostile.yaml"
    path.write_text(text, "utf-8")
    key = WORLDS.give(path)
    yield key
    WORLDS._given.pop(key)
    WORLDS._made.pop(key)


@pytest.fixture
def hostile_log(tmp_path):
    """A log whose every text, its name included, would be script."""
    rows = ["time,model,input,output,application"]
    for day in range(1, 29):
        for place, name in enumerate((IMAGE, SCRIPT, LINK, "openai/gpt-5-mini")):
            quoted = name.replace('"', '""')
            rows.append(f'2026-10-{day:02d}T{8 + place:02d}:00:00Z,"{quoted}",20000,1000,"{quoted}"')
    path = tmp_path / "<img src=x onerror=window.caught=4>.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def opened_all(page) -> None:
    page.evaluate("() => { for (const d of document.querySelectorAll('details')) d.open = true; }")
    page.wait_for_timeout(300)


def test_script_in_names_is_inert_on_all_three_tabs(page_of, hostile_market, hostile_log):
    with served(market=hostile_market) as server:
        handle = server.uploads.given(hostile_log).handle
        page = page_of(server, f"#tab=war&market={hostile_market}&futures=16", height=4200)
        before = page.evaluate(INERT)
        assert before["caught"] is None
        assert (before["images"], before["handlers"], before["links"]) == (0, 0, [])
        opened_all(page)
        move(page, 0.8)
        text = page.locator("body").inner_text()
        assert IMAGE in text  # shown, as text
        assert SCRIPT in text
        after(page, lambda: page.locator(".vendors button", has_text="<img").first.click())
        assert page.locator("#market").inner_text().count("<img") == 1
        assert page.evaluate(INERT) == before
        for language in ("zh", "ja"):
            after(page, lambda language=language: page.locator("#language").select_option(language))
        assert page.evaluate(INERT) == before

        desk = page_of(server, f"#tab=desk&desk={quote(json.dumps({'log': handle}))}", idle=False)
        desk.wait_for_selector(BILLED, state="attached")
        opened_all(desk)
        assert hostile_log.name in desk.locator(".log-name").inner_text()
        assert "window.caught=1" in desk.locator("body").inner_text()
        only = desk.locator("#desk-only option").all_inner_texts()
        assert any("<img" in text for text in only)
        assert {**desk.evaluate(INERT), "scripts": before["scripts"]} == before
        assert desk.evaluate(INERT)["scripts"] == before["scripts"]

        games = {
            "game": IMAGE,
            "set": {SCRIPT: 1},
            "show": IMAGE,
            "trace": {"parameter": IMAGE, "low": 0, "high": 1},
        }
        page = page_of(server, f"#tab=games&games={quote(json.dumps(games))}", idle=False)
        page.wait_for_selector(".games .body[data-whole=yes]", state="attached")
        assert IMAGE in page.locator("#notices").inner_text()
        opened_all(page)
        assert page.evaluate(INERT) == before


@pytest.mark.parametrize("topic", ["war", "desk", "games"])
def test_a_hostile_link_is_inert(page_of, topic: str):
    with served() as server:
        page = page_of(server, f"#tab={topic}&market={quote(IMAGE)}&levers={quote(IMAGE)}~1", idle=False)
        page.wait_for_timeout(500)
        assert page.evaluate(INERT)["caught"] is None
        assert page.evaluate(INERT)["images"] == 0
