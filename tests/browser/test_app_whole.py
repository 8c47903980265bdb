"""The page as a whole in Chromium: two at once, a server that restarts, links elsewhere, hostile names."""

from __future__ import annotations

import json
import socket
from importlib import resources
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from served import (
    BILLED,
    IDLE,
    SOLVED,
    TOKEN,
    after,
    copied,
    link,
    opened,
    served,
    settled,
    unfolded,
    visited,
)

from pricewar.app import games_seats
from pricewar.app.war_runs import WORLDS

pytestmark = pytest.mark.browser

FEW = "#tab=war&market=china-2024&futures=16&seed=0"
TALL = 4200  # what is out of sight is not drawn
LEVER = "#lever-portability"
SHOWN = """() => ({
  kpis: [...document.querySelectorAll(".kpi")].map((k) => k.innerText),
  lines: [...document.querySelectorAll(".war svg path[data-key]")].map((p) => p.getAttribute("d")),
})"""


@pytest.fixture(scope="module", autouse=True)
def seats():
    yield
    games_seats.close()


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running


@pytest.fixture
def page_of(browser, server):
    """Opens pages, each in a context of its own; complains about any complaint."""
    with visited(browser, server, height=TALL) as open_:
        yield lambda fragment=FEW, **options: open_(fragment, **options)


def move(page, value: float) -> None:
    def set_() -> None:
        page.locator(LEVER).evaluate(
            "(slider, value) => { slider.value = value; for (const kind of ['input', 'change'])"
            " slider.dispatchEvent(new Event(kind, {bubbles: true})); }",
            value,
        )

    after(page, set_)


def shown(page) -> dict:
    return {"hash": {"tab": "war", **link(page)}, **page.evaluate(SHOWN)}


# ---------------------------------------------------------------- two pages, one server


def test_two_pages_at_once_do_not_disturb_one_another(page_of):
    one, two = page_of(), page_of(FEW + "&levers=price_floor~1")
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
    assert shown(page_of(one.evaluate("location.hash"))) == first
    one.close()
    move(two, 0.4)  # one that leaves takes nothing along
    assert shown(two)["lines"] != beside["lines"]


# ---------------------------------------------------------------- a server that restarts


@pytest.fixture
def port():
    """A port that nobody else is given while no server listens there."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def test_a_restarted_server_takes_the_open_page_back(browser, port: int):
    complaints: list[str] = []
    with served(port) as server:
        assert server.port == port
        page = opened(browser, server, FEW + "&levers=portability~0.6", complaints=complaints, height=TALL)
        before = shown(page)
        assert complaints == []
    expect(page.locator("#connection")).to_contain_text("The server does not answer")
    move_to = "slider => { slider.value = 0.9; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    page.locator(LEVER).evaluate(move_to)  # moved while nobody answers
    with served(port) as server:
        assert (server.port, server.token) == (port, TOKEN)
        expect(page.locator("#connection")).to_be_hidden()
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


def test_a_copied_link_opens_the_same_state_elsewhere(page_of, server):
    page = page_of(FEW + "&levers=portability~0.3&language=zh&theme=dark")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    move(page, 0.7)
    page.locator("#copy-link").click()
    address = copied(page, f"http://127.0.0.1:{server.port}/#")
    assert TOKEN not in address  # a link may be sent to others; the key stays
    other = page_of("#" + address.split("#", 1)[1])
    assert shown(other) == shown(page)
    assert other.evaluate("document.documentElement.lang") == "zh-CN"
    assert other.evaluate("document.documentElement.dataset.theme") == "dark"
    # In the same browser, the link alone is enough: the cookie is there.
    third = page.context.new_page()
    third.goto(address)
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


def test_script_in_names_is_inert_on_all_three_tabs(browser, hostile_market, hostile_log):
    with served(market=hostile_market) as server, visited(browser, server, height=TALL) as page_of:
        handle = server.uploads.given(hostile_log).handle
        page = page_of(f"#tab=war&market={hostile_market}&futures=16")
        before = page.evaluate(INERT)
        assert before["caught"] is None
        assert (before["images"], before["handlers"], before["links"]) == (0, 0, [])
        unfolded(page)
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

        desk = page_of(f"#tab=desk&desk={quote(json.dumps({'log': handle}))}", idle=False)
        desk.wait_for_selector(BILLED, state="attached")
        unfolded(desk)
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
        page = page_of(f"#tab=games&games={quote(json.dumps(games))}", idle=False)
        settled(page, SOLVED)
        assert IMAGE in page.locator("#notices").inner_text()
        unfolded(page)
        assert page.evaluate(INERT) == before


@pytest.mark.parametrize("topic", ["war", "desk", "games"])
def test_a_hostile_link_is_inert(page_of, topic: str):
    page = page_of(f"#tab={topic}&market={quote(IMAGE)}&levers={quote(IMAGE)}~1", idle=False)
    if topic == "desk":
        page.wait_for_selector(BILLED, state="attached")
    else:
        settled(page, {"war": IDLE, "games": SOLVED}[topic])
    assert page.evaluate(INERT)["caught"] is None
    assert page.evaluate(INERT)["images"] == 0
