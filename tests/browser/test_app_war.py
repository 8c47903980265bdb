"""The war room in Chromium, on the real server and market: every lever, preset and way of moving them."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect
from served import after, answered, framed, held, link, served, settled, visited

from pricewar.app import games_seats

pytestmark = pytest.mark.browser

FEW = "#tab=war&market=china-2024&futures=24&seed=0"
TALL = 4200  # what is out of sight is not drawn


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running
    games_seats.close()


@pytest.fixture
def room(browser, server):
    """Opens the war room; complains about any complaint of the page, its security policy's included."""
    with visited(browser, server) as open_:
        yield lambda fragment=FEW, **options: open_(fragment, **options)


def slider(page, key: str):
    return page.locator(f"[id='lever-{re.sub(r'[^A-Za-z0-9_-]', '_', key)}']")


def move(page, key: str, value: float) -> None:
    """As a hand does: through the exact number beside the slider, or the switch itself."""
    handle = slider(page, key)
    if handle.get_attribute("role") == "switch":
        after(page, lambda: handle.set_checked(bool(value)))
        return
    number = handle.locator("xpath=ancestor::div[contains(@class,'lever')][1]").locator("input.exact")
    percent = "%" in (number.locator("xpath=..").inner_text())
    number.fill(f"{value * (100 if percent else 1):g}")
    after(page, lambda: number.press("Enter"))


def levers_of(page) -> dict[str, float]:
    """What the link holds."""
    found = link(page).get("levers", "")
    return {k: float(v) for k, v in (pair.split("~") for pair in found.split(",") if pair)}


def drawn(page, card: str) -> str:
    """What stands on a card's picture."""
    return page.evaluate("key => document.querySelector(`#${CSS.escape(key)} svg`).innerHTML", card)


def numbers(page, card: str) -> list[list[str]]:
    """The table behind a card."""
    details = page.locator(f"#{card}-data")
    if not details.evaluate("d => d.open"):
        details.locator("summary").click()
        details.locator("tbody tr").first.wait_for(state="attached")
    return details.evaluate(
        "d => [...d.querySelectorAll('tbody tr')].map(r => [...r.children].map(c => c.innerText))"
    )


def kpis(page) -> dict[str, str]:
    return page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.kpi')]"
        ".map(k => [k.dataset.key, k.querySelector('.value').textContent]))"
    )


# ---------------------------------------------------------------- levers

# A lever, where it goes, what makes it bite where it does nothing alone, and the cards that must answer.
MOVES = [
    ("portability", 0.8, {}, ("share", "light_price")),
    ("price_floor", 1.0, {}, ("light_price", "flagship_price")),
    ("data_sharing", 0.8, {}, ("share",)),
    ("no_self_preferencing", 1.0, {}, ("share",)),
    ("embedded_cap", 1.0, {}, ("flagship_price",)),
    ("lever_from", 24.0, {"portability": 0.8}, ("share",)),
    ("regulator_auto", 1.0, {"portability": 0.8, "regulator_hhi": 0.12}, ("share",)),
    ("types.switching_cost:x", 2.0, {}, ("share", "roi")),
    ("war_chest:x", 5.0, {}, ("cash",)),
    ("allowance_notch", 0.0, {}, ("free_share",)),
    ("vendors.allowance", 30.0, {}, ("allowance", "free_share")),
    ("vendors.grant", 10.0, {}, ("share",)),
    ("peace", 0.0, {}, ("light_price", "stages")),
    ("rental:x", 2.0, {}, ("supplier_profit", "light_price")),
    ("progress", 0.12, {}, ("light_price", "flagship_price")),
    ("fringe_lag", 0.1, {}, ("share", "winners")),
    ("fringe_markup", 1.0, {}, ("light_price",)),
]


def test_every_main_lever_is_tried_here(room):
    page = room()
    shown = page.evaluate(
        "() => [...document.querySelectorAll('.groups > .group .lever input[id]')].map(i => i.id)"
    )
    assert shown == [f"lever-{re.sub(r'[^A-Za-z0-9_-]', '_', key)}" for key, *_ in MOVES]


@pytest.mark.parametrize(("key", "value", "together", "cards"), MOVES, ids=[m[0] for m in MOVES])
def test_a_lever_changes_what_it_should(room, key: str, value: float, together: dict, cards: tuple):
    held = ",".join(f"{k}~{v}" for k, v in together.items())
    page = room(FEW + (f"&levers={held}" if held else ""), height=TALL)
    was = {card: drawn(page, card) for card in cards}
    figures = kpis(page)
    move(page, key, value)
    assert key in levers_of(page)
    for card in cards:
        assert drawn(page, card) != was[card], card
    assert kpis(page) != figures or key in ("war_chest:x",)
    after(page, lambda: page.locator("#undo").click())
    for card in cards:
        assert drawn(page, card) == was[card], card


def test_a_war_chest_five_times_as_full_holds_five_times_the_cash(room):
    page = room(height=TALL)
    first = {row[0]: row[4] for row in numbers(page, "cash") if row[1] == "1"}
    move(page, "war_chest:x", 5.0)
    then = {row[0]: row[4] for row in numbers(page, "cash") if row[1] == "1"}

    def amount(text: str) -> float:
        size = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1], 1)
        return float(re.sub(r"[^0-9.\-]", "", text)) * size

    rich = [v for v in first if amount(first[v]) > 1e9]
    assert len(rich) >= 3
    for vendor in rich:  # a month's profit apart
        assert amount(then[vendor]) == pytest.approx(5 * amount(first[vendor]), rel=0.1)


def test_without_allowances_nobody_has_one(room):
    page = room(height=TALL)
    move(page, "allowance_notch", 0)
    assert {row[4] for row in numbers(page, "allowance")} <= {"0", "–"}


def test_open_weights_cost_more_with_a_higher_markup(room):
    page = room(height=TALL)

    def listed() -> list[float]:
        return [float(row[4]) for row in numbers(page, "flagship_price") if row[0] == "Open weights"]

    was = listed()
    move(page, "fringe_markup", 0.95)  # 1.95 over 1.3 of cost, as its own cost moves with what is used of it
    now = listed()
    assert len(now) == len(was) == 36
    assert all(dearer > cheaper for dearer, cheaper in zip(now, was, strict=True))


def test_levers_of_one_vendor_stand_in_its_own_group(room):
    page = room()
    page.locator(".groups > .more > summary").click()
    page.locator(".more .group > summary", has_text="Baidu").click()
    handle = slider(page, "baidu.quality")
    handle.wait_for()
    was = drawn(page, "share")
    move(page, "baidu.quality", 1.5)
    assert levers_of(page) == {"baidu.quality": 1.5}
    assert drawn(page, "share") != was


def test_where_a_value_comes_from_stands_below_its_slider(room):
    page = room()
    about = (
        slider(page, "rental:x").locator("xpath=ancestor::div[contains(@class,'lever')][1]").locator(".about")
    )
    assert "confidence" in about.locator("summary").inner_text()
    about.locator("summary").click()
    about.locator("dl").wait_for()
    text = about.inner_text()
    assert "rental of a GPU in month 0" in text
    assert "--set rental:x=1" in text
    assert about.locator("a[href^='https://']").count() == 1


def test_number_reset_and_baseline(room):
    page = room()
    move(page, "portability", 0.5)
    row = slider(page, "portability").locator("xpath=ancestor::div[contains(@class,'lever')][1]")
    assert slider(page, "portability").input_value() == "0.5"
    assert page.locator("h2 .effect").count() > 0
    after(page, lambda: page.get_by_role("button", name="Make this the baseline").click())
    assert page.locator("h2 .effect").count() == 0  # nothing differs from itself
    assert not row.evaluate("r => r.classList.contains('moved')")
    move(page, "portability", 0.9)
    after(page, lambda: row.locator(".back").click())
    assert slider(page, "portability").input_value() == "0.5"
    move(page, "price_floor", 1.0)
    after(page, lambda: page.get_by_role("button", name="Back to the baseline", exact=True).first.click())
    assert levers_of(page) == {"portability": 0.5}
    row.locator(".exact").fill("250")  # past its end
    after(page, lambda: row.locator(".exact").press("Enter"))
    assert slider(page, "portability").input_value() == "1"


def test_a_card_that_had_nothing_to_show_comes_back(room):
    def no_losses(real, message, job):
        for part in real(message, job):
            if message["levers"]:
                for band in part["series"]["runway"].values():
                    band["median"] = [None] * len(band["median"])
            yield part

    with answered("war", no_losses):
        page = room(FEW + "&levers=portability~0.5", height=TALL)
        card = page.locator(".card[data-key=runway]")
        expect(card).to_be_hidden()
        framed(page)  # that it is out of sight is noticed
        framed(page)
        move(page, "portability", 0.0)
        expect(card).to_be_visible()


# ---------------------------------------------------------------- conduct, why


def test_conduct_is_solved_again_on_release_with_progress_and_can_be_cancelled(room):
    page = room()
    says, progress = page.locator(".war .says"), page.locator(".war .status progress")
    expect(says).to_have_text(re.compile("^Conduct held"))
    expect(progress).to_be_hidden()
    with held("solve"):
        page.locator("#resolve").check()
        expect(progress).to_be_visible()
        expect(says).to_contain_text("Re-solving conduct")
        expect(page.locator(".kpi .value").first).to_be_visible()  # what was shown stays while it is solved
        page.get_by_role("button", name="Cancel").click()
        expect(progress).to_be_hidden()
        expect(says).to_have_text(re.compile("^Conduct held"))
        move(page, "portability", 0.3)  # the next move is released: solved again
        expect(progress).to_be_visible()
        after(page, lambda: page.locator("#resolve").uncheck())
        expect(progress).to_be_hidden()


def test_why_it_changed_and_what_happens(room):
    page = room(FEW + "&levers=portability~0.8,war_chest:x~4", height=TALL)
    table = page.locator("table.why tbody")
    page.wait_for_function(
        "() => { const rows = [...document.querySelectorAll('table.why tbody tr')];"
        " return rows.length === 4 && rows.every((row) => row.cells[1].innerText !== '…'); }"
    )

    def part(text: str) -> float:
        return float(text.replace("−", "-").replace("+", "").replace("±", "").rstrip("%"))

    told = table.evaluate("b => [...b.rows].map(r => [...r.cells].map(c => c.innerText))")
    rows = {row[0]: part(row[1]) for row in told}
    names = list(rows)
    assert names[0].startswith("Portability")
    assert names[1].startswith("War chest")
    *parts, total = rows.values()
    assert sum(parts) == pytest.approx(
        total, abs=0.2
    )  # the rest makes up for what the levers do to one another
    said = page.locator("#log tbody tr")
    assert said.count() > 8
    assert "opens the war" in page.locator("#log").inner_text()
    after(page, lambda: page.get_by_role("button", name="Back to the baseline", exact=True).first.click())
    page.get_by_text("Nothing differs from the baseline").wait_for()


# ---------------------------------------------------------------- presets, steps, the link


def test_presets(room):
    page = room()
    chips = page.locator(".chip")
    assert chips.count() >= 8
    seen = set()
    for place in range(chips.count()):
        chip = chips.nth(place)
        after(page, chip.click)
        assert chip.get_attribute("aria-pressed") == "true", chip.inner_text()
        assert page.locator(".chip[aria-pressed=true]").count() == 1
        seen.add(json.dumps(levers_of(page), sort_keys=True))
    assert len(seen) == chips.count()
    after(page, chips.nth(0).click)
    after(page, chips.nth(0).click)  # pressed again: let go
    assert levers_of(page) == {}


def test_another_market(room):
    page = room()
    after(page, lambda: page.locator("#market").select_option("global-2025"))
    page.locator(".vendors button", has_text="Anthropic").wait_for()
    settled(page)
    assert "$" in kpis(page)["bills"]
    after(page, lambda: page.locator("#undo").click())
    page.locator(".vendors button", has_text="DeepSeek").wait_for()
    page.locator(".vendors button", has_text="Baidu").wait_for()


def test_undo_and_redo_by_button_and_key(room):
    page = room()
    assert page.locator("#undo").is_disabled()
    move(page, "portability", 0.4)
    move(page, "price_floor", 1.2)
    after(page, lambda: page.locator("#undo").click())
    assert levers_of(page) == {"portability": 0.4}
    after(page, lambda: page.keyboard.press("Control+z"))
    assert levers_of(page) == {}
    after(page, lambda: page.keyboard.press("Control+y"))
    after(page, lambda: page.keyboard.press("Control+Shift+z"))
    assert levers_of(page) == {"portability": 0.4, "price_floor": 1.2}
    assert page.locator("#redo").is_disabled()


def test_a_drag_is_one_step(room):
    page = room()
    box = slider(page, "portability").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    for share in range(1, 40):
        page.mouse.move(box["x"] + 8 + share / 50 * (box["width"] - 16), middle)
        if share == 20:
            page.wait_for_timeout(1_000)  # a hand that hesitates, longer than moves apart may be
    after(page, page.mouse.up)
    assert 0.6 < levers_of(page)["portability"] < 0.95
    after(page, lambda: page.locator("#undo").click())
    assert levers_of(page) == {}
    assert page.locator("#undo").is_disabled()


def test_two_hundred_rapid_moves_end_at_the_last(room):
    page = room()
    page.evaluate(
        """async () => {
          const slider = document.getElementById('lever-portability');
          for (let move = 0; move < 200; move += 1) {
            slider.value = ((move * 37) % 100) / 100;
            slider.dispatchEvent(new Event('input', {bubbles: true}));
            if (move % 7 === 0) await new Promise((done) => setTimeout(done, 4));
          }
          slider.value = 0.66;
          slider.dispatchEvent(new Event('input', {bubbles: true}));
          slider.dispatchEvent(new Event('change', {bubbles: true}));
        }"""
    )
    settled(page)
    assert levers_of(page) == {"portability": 0.66}
    fresh = room(FEW + "&levers=portability~0.66")
    assert kpis(page) == kpis(fresh)
    assert drawn(page, "light_price") == drawn(fresh, "light_price")


def test_the_link_holds_the_whole_state(room):
    page = room()
    move(page, "portability", 0.4)
    after(page, lambda: page.get_by_role("button", name="Make this the baseline").click())
    move(page, "war_chest:x", 3.0)
    after(page, lambda: page.locator(".vendors button", has_text="Baidu").click())
    after(page, lambda: page.locator("#language").select_option("zh"))
    after(page, lambda: page.locator("#theme").select_option("dark"))
    page.mouse.move(5, 5)  # off the vendors
    page.wait_for_function("() => location.hash.includes('theme=dark')")  # the hand rests
    framed(page)
    fragment = page.evaluate("location.hash")
    again = room(fragment)
    assert again.evaluate("document.documentElement.lang") == "zh-CN"
    assert again.evaluate("document.documentElement.dataset.theme") == "dark"
    assert kpis(again) == kpis(page)
    assert again.locator(".vendors button[aria-pressed=true]").inner_text() == "Baidu"
    assert drawn(again, "share") == drawn(page, "share")
    assert slider(again, "portability").input_value() == "0.4"
    assert again.evaluate("location.hash") == fragment


def test_following_a_link_in_an_open_page_can_be_undone(room):
    page = room()
    # The page writes its own link in between: not over the one that is followed.
    page.evaluate(
        "fragment => { location.hash = fragment; dispatchEvent(new Event('pagehide')); }",
        FEW + "&levers=portability~0.3",
    )
    expect(slider(page, "portability")).to_have_value("0.3")
    settled(page)
    assert levers_of(page) == {"portability": 0.3}
    after(page, lambda: page.locator("#undo").click())
    assert slider(page, "portability").input_value() == "0"


DAMAGED = (
    "#levers=portability~", "#levers=portability~x", "#tab=nowhere", "#futures=1e9", "#seed=-1", "#desk=%7B",
    "#__proto__=1", "#levers=portability~0.5&colour=red", "#market=" + "x" * 30_000,
)  # fmt: skip


@pytest.mark.parametrize("fragment", DAMAGED, ids=[d[:20] for d in DAMAGED])
def test_a_damaged_link_is_refused_with_a_sentence(room, fragment: str):
    page = room(fragment)
    assert "link is damaged" in page.locator("#notices").inner_text()
    assert slider(page, "portability").input_value() == "0"


def test_what_a_link_names_and_the_market_lacks_is_said(room):
    page = room(FEW + "&levers=nonsense~1,portability~7,price_floor~1")
    said = page.locator("#notices").inner_text()
    assert "nonsense" in said
    assert "portability" in said
    assert levers_of(page) == {"price_floor": 1.0}


# ---------------------------------------------------------------- languages, themes, keys, paper, phones


def test_language_and_theme_change_nothing_else(room):
    page = room(FEW + "&levers=portability~0.4", height=TALL)
    figures = page.locator(".chart svg path[data-key]").evaluate_all(
        "nodes => nodes.map(n => n.getAttribute('d'))"
    )
    for language in ("zh", "ja", "en"):
        after(page, lambda language=language: page.locator("#language").select_option(language))
        text = page.locator("body").inner_text()
        assert not re.findall(r"\b(?:war|lever|tab)\.[a-z_]+", text)
        assert slider(page, "portability").input_value() == "0.4"
        assert levers_of(page) == {"portability": 0.4}
        if language != "en":
            plain = page.locator(".levers").inner_text()
            assert "Portability" not in plain
    for theme in ("dark", "light", "auto"):
        after(page, lambda theme=theme: page.locator("#theme").select_option(theme))
    assert (
        page.locator(".chart svg path[data-key]").evaluate_all("nodes => nodes.map(n => n.getAttribute('d'))")
        == figures
    )


def test_by_keyboard_alone(room):
    page = room()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "lever-portability":
            break
    else:
        pytest.fail("Tab never reached the first lever")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    after(page, lambda: [page.keyboard.press("ArrowRight") for _ in range(5)])
    assert levers_of(page) == {"portability": 0.05}
    after(page, lambda: page.keyboard.press("End"))
    assert levers_of(page) == {"portability": 1.0}
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.key") == "zhipu":
            break
    else:
        pytest.fail("Tab never reached the vendors")
    after(page, lambda: page.keyboard.press("Enter"))
    assert page.locator(".vendors button[aria-pressed=true]").inner_text() == "Zhipu"
    page.locator("#to-war").focus()
    after(page, lambda: page.keyboard.press("ArrowLeft"))
    assert page.evaluate("document.activeElement.id") == "to-games"
    after(page, lambda: page.keyboard.press("Home"))
    assert page.locator("#to-war").get_attribute("aria-selected") == "true"


def test_bands_and_baseline_belong_to_the_vendor_pointed_at_or_chosen(room):
    page = room(FEW + "&levers=portability~0.8")
    dashed = "() => document.querySelectorAll('#share .base path').length"
    assert page.evaluate(dashed) == 1
    colour = "() => document.querySelector('#share .base path').getAttribute('stroke')"
    chosen = page.evaluate(colour)
    page.locator(".vendors button", has_text="Tencent").hover()
    framed(page)
    hovered = page.evaluate(colour)
    assert hovered != chosen
    after(page, lambda: page.locator(".vendors button", has_text="Baidu").click())
    page.mouse.move(5, 5)
    framed(page)
    assert page.evaluate(colour) != hovered
    after(page, lambda: page.locator(".vendors button", has_text="Baidu").click())
    page.mouse.move(5, 5)
    framed(page)
    assert page.evaluate(dashed) == 0  # nobody chosen: medians alone
    assert page.locator("#share .bands path").count() == 0


def test_end_labels_keep_apart_and_inside(room):
    page = room(height=TALL)
    for card in ("light_price", "flagship_price", "share", "cash"):
        spots = page.evaluate(
            "key => [...document.querySelectorAll(`#${key} .ends text`)].map(t => {"
            " const b = t.getBoundingClientRect(), c = t.closest('.chart').getBoundingClientRect();"
            " return [b.top, b.bottom, b.right - c.right, c.top - b.top]; })",
            card,
        )
        assert len(spots) == 8
        spots.sort()
        assert all(right <= 0.5 and above <= 0.5 for *_, right, above in spots), card
        middles = [(top + bottom) / 2 for top, bottom, *_ in spots]
        assert all(b - a > 12 for a, b in pairwise(middles)), card


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_on_a_phone(room, language: str):
    page = room(FEW + f"&language={language}", width=380, height=780, has_touch=True)
    wide = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(wide)
    assert not slider(page, "portability").is_visible()
    page.locator(".sheet-toggle").click()
    assert slider(page, "portability").is_visible()
    sheet = page.locator(".levers").bounding_box()
    assert sheet["y"] > 780 * 0.4  # charts stay in sight above
    move(page, "portability", 0.5)
    assert page.evaluate(wide)
    assert page.locator(".sheet-toggle .count").inner_text() == "1"
    page.keyboard.press("Escape")
    assert not slider(page, "portability").is_visible()
    small = page.evaluate(
        "() => [...document.querySelectorAll('.chart svg text')].filter(t => {"
        " const s = t.ownerSVGElement;"
        " const scaled = s.getBoundingClientRect().width / s.viewBox.baseVal.width;"
        " return parseFloat(getComputedStyle(t).fontSize) * scaled < 11.5; }).length"
    )
    assert small == 0


def test_on_paper(room):
    page = room(FEW + "&levers=portability~0.8", height=TALL)
    assert len(page.pdf(format="A4")) > 30_000
    page.emulate_media(media="print")
    assert not page.locator(".levers-inside").is_visible()
    assert page.locator("#share svg").is_visible()


# ---------------------------------------------------------------- tables and files


def test_a_table_behind_every_chart_and_three_files(room, tmp_path):
    page = room(height=TALL)
    cards = page.locator(".war .card.figure:not([hidden])")
    keys = cards.evaluate_all("nodes => nodes.map(n => n.dataset.key).filter(Boolean)")
    assert len(keys) == 12
    for key in keys:
        assert len(numbers(page, key)) > 2, key
        assert page.locator(f"#{key} svg[role=img]").get_attribute("aria-label"), key
    for kind, begin in (("csv", b"Vendor,Month"), ("svg", b"<svg"), ("png", b"\x89PNG")):
        card = page.locator(".card[data-key=share]")
        card.locator(".save summary").click()
        with page.expect_download() as got:
            card.get_by_role("button", name=kind.upper(), exact=True).click()
        assert got.value.suggested_filename == f"pricewar-share.{kind}"
        path = tmp_path / f"share.{kind}"
        got.value.save_as(path)
        body = path.read_bytes()
        assert body.startswith(begin)
        assert len(body) > 2000
        if kind == "svg":
            text = body.decode()
            assert "var(--" not in text
            assert "Share of tokens" in text
