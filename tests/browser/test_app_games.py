"""The games in Chromium, on the real server: solve, move, switch, follow branches, three languages, keys."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from served import PATIENCE, SOLVED, after, copied, framed, held, link, served, visited

from pricewar.app import games_seats

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running
    games_seats.close()


@pytest.fixture
def games(browser, server):
    """Opens the games with a part of the state; complains about any complaint of the page."""
    with visited(browser, server, idle=False) as visit:

        def open_(chosen: dict | None = None, *, rest: str = "", wait: bool = True, **options):
            page = visit(
                f"#tab=games{rest}" + (f"&games={quote(json.dumps(chosen))}" if chosen else ""), **options
            )
            if wait:
                page.wait_for_function(SOLVED)
            return page

        yield open_


def rows(page, where: str) -> list[list[str]]:
    page.locator(f"{where} tbody tr").first.wait_for(state="attached")  # a table is filled once it is opened
    return page.evaluate(
        "where => [...document.querySelectorAll(`${where} tbody tr`)]"
        ".map(r => [...r.children].map(c => c.innerText.trim()))",
        where,
    )


def state(page) -> dict:
    """What the link holds of the games."""
    return json.loads(link(page).get("games", "{}"))


def drawn(page, card: str) -> str:
    return page.evaluate("id => document.getElementById(id).querySelector('svg').innerHTML", card)


def settled(page, act) -> None:
    after(page, act, SOLVED)


def test_it_solves_the_first_game_and_says_how_good_the_solution_is(games):
    page = games()
    ((number, price, *_, gain, residual, how),) = rows(page, ".equilibria")
    assert (number, round(float(price), 2)) == ("1", -34.78)
    assert float(gain) < 1e-9
    assert float(residual) < 1e-9
    assert "static start" in how
    assert "others may exist" in page.locator(".equilibria").inner_text()
    for card in ("game-surface", "game-slice", "game-hhi", "game-price"):
        assert page.locator(f"#{card} svg").is_visible()
        assert page.locator(f"#{card} svg").get_attribute("aria-label")
    assert "-34.7759" in page.locator(".readout").inner_text()


def test_a_parameter_is_moved_and_the_picture_follows_and_undo_brings_it_back(games):
    page = games()
    before = drawn(page, "game-slice")
    number = (
        page.locator("#parameter-rho")
        .locator("xpath=ancestor::div[contains(@class,'lever')][1]")
        .locator("input.exact")
    )
    number.fill("0.8")
    settled(page, lambda: number.press("Enter"))
    assert drawn(page, "game-slice") != before
    assert state(page)["set"] == {"rho": 0.8}
    settled(page, lambda: page.locator("#undo").click())
    assert drawn(page, "game-slice") == before
    # by keys on the slider itself
    page.locator("#parameter-rho").focus()
    settled(page, lambda: page.keyboard.press("ArrowLeft"))
    assert state(page)["set"]["rho"] < 0.75


def test_three_equilibria_are_found_and_switched_by_keys(games):
    page = games({"all": True, "budget": 40})
    found = rows(page, ".equilibria")
    assert [round(float(row[1]), 2) for row in found] == [-34.78, 3.27, 5.05]
    assert page.locator("#equilibria-title").inner_text() == "3 equilibria found"
    before = drawn(page, "game-surface")
    page.locator(".equilibria input:checked").focus()
    settled(page, lambda: page.keyboard.press("ArrowDown"))
    assert drawn(page, "game-surface") != before
    assert "3.27432" in page.locator(".readout").inner_text()
    assert page.evaluate("() => document.activeElement.value") == "2"  # the focus is not lost
    assert state(page)["k"] == 2
    assert len(re.findall("data-key", drawn(page, "game-hhi"))) == 3  # all of them, to compare


def test_a_state_is_pointed_at_and_chosen_by_keys(games):
    page = games({"at": [3, 3]})
    svg = page.locator("#game-surface svg")
    svg.focus()
    page.keyboard.press("ArrowRight")
    settled(page, lambda: page.keyboard.press("ArrowUp"))
    assert "at e1 = 4, e2 = 4" in page.locator(".readout").inner_text()
    assert "Slice at e2 = 4" in page.locator("#game-slice-title").inner_text()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3)
    framed(page)
    assert "at e1 = 4, e2 = 4" not in page.locator(".readout").inner_text()
    assert state(page)["at"] == [4, 4]  # pointing alone chooses nothing


def test_every_surface_is_drawn_with_its_table(games):
    page = games({"game": "learning-bdks2010", "moves": True})
    options = page.locator("#surface-shown option").evaluate_all("all => all.map(o => o.value)")
    assert {"price", "value", "share", "building", "denying", "chance-10", "chance-999"} <= set(options)
    seen = set()
    page.locator("#game-surface-data summary").click()
    for option in options:
        settled(page, lambda option=option: page.locator("#surface-shown").select_option(option))
        seen.add(drawn(page, "game-surface"))
        assert len(rows(page, "#game-surface-data")) == 30
    assert len(seen) == len(options)
    assert page.locator("#game-surface .arrows path").count() > 100


def test_branches_are_followed_through_folds_and_a_click_sets_the_parameter(games):
    page = games({"game": "learning-bdks2010"})
    page.locator("#trace-low").fill("0.02")
    page.locator("#trace-high").fill("0.03")
    settled(page, lambda: page.get_by_role("button", name="Follow the branches").click())
    assert "folds" in page.locator("#game-trace-title + p").inner_text()
    assert page.locator("#game-trace .marks path").count() >= 3  # folds, and the equilibrium known
    page.locator("#game-trace-data summary").click()
    assert len(rows(page, "#game-trace-data")) > 20
    svg = page.locator("#game-trace svg")
    at = {"x": svg.bounding_box()["width"] * 0.8, "y": 60}
    settled(page, lambda: svg.click(position=at))
    kept = state(page)
    assert 0.02 <= kept["set"]["delta"] <= 0.03
    assert kept["trace"] == {"parameter": "delta", "low": 0.02, "high": 0.03, "set": {}}
    page.reload()
    page.wait_for_function(SOLVED)
    assert page.locator("#game-trace .curves path").count() >= 1  # the link brings the branches back


def test_published_figures_stand_beside_ours(games):
    page = games({"game": "leapfrogging-irs2016", "all": True})
    assert page.locator("#equilibria-title").inner_text() == "127 equilibria found"
    settled(page, lambda: page.locator(".figures button").click())
    first, second = rows(page, ".figures")
    assert first[2:5] == ["127", "127", "0"]
    assert second[2:5] == ["46,707", "46,707", "0"]
    assert first[0].startswith("✓")
    assert page.locator("#figures-title").inner_text() == "All 2 published figures agree"


def test_the_same_market_under_other_rules(games):
    page = games({"game": "switching-costs"})
    settled(page, lambda: page.locator(".rules button").click())
    assert len(rows(page, ".rules")) == 5


def test_what_is_out_of_range_is_said_where_it_stands(games):
    page = games({"set": {"rho": 1.5}})
    said = page.locator(".games .notice.bad").inner_text()
    assert "1.5 is out of range" in said
    assert "parameter rho" in said
    assert "0.01 to 1" in said
    assert page.locator("#parameter-rho").locator("xpath=ancestor::div[contains(@class,'lever')][1]").locator(
        "input.exact").get_attribute("aria-invalid") == "true"  # fmt: skip
    settled(page, lambda: page.get_by_role("button", name="Back to the defaults").click())
    assert page.locator(".games .notice.bad").is_hidden()


def test_a_long_solve_is_cancelled_and_leaves_nothing_running(games):
    with held("game"):
        page = games({"set": {"levels": 300}}, wait=False)
        expect(page.locator(".games .says")).to_have_text(re.compile("^(solving|drawing up)"))  # at work
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".games progress")).to_be_hidden()
    end = time.monotonic() + PATIENCE / 1000
    while not all(seat.free for seat in games_seats._SEATS) and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert all(seat.free for seat in games_seats._SEATS)


@pytest.mark.parametrize(
    ("language", "title", "missing"),
    [("zh", "找到 3 个均衡", "equilibri"), ("ja", "3個の均衡を発見", "equilibri")],
)
def test_it_speaks(games, language, title, missing):
    page = games({"all": True, "budget": 40}, rest=f"&language={language}")
    assert page.locator("#equilibria-title").inner_text() == title
    text = page.evaluate(
        "() => { const copy = document.getElementById('tab-games').cloneNode(true);"
        " for (const n of copy.querySelectorAll('[lang=en], code, [translate=no]')) n.remove();"
        " return copy.textContent; }"
    )
    assert missing not in text
    assert not re.search(r"games\.\w+", text)  # no key without a word
    settled(page, lambda: page.locator("#language").select_option("en"))
    assert page.locator("#equilibria-title").inner_text() == "3 equilibria found"


@pytest.mark.parametrize("game", ["lq-judd1990", "maskin-tirole1988", "network-cabral2011", "learning-many"])
def test_other_games(games, game):
    page = games({"game": game})
    assert page.locator("#game").input_value() == game
    assert page.locator(".tables table").count() >= 1
    assert "solved" in page.locator(".games .says").inner_text()


def test_a_game_is_chosen_and_an_unknown_one_is_refused(games):
    page = games({"game": "nothing"})
    assert "nothing" in page.locator("#notices").inner_text()
    settled(page, lambda: page.locator("#game").select_option("horn-wolinsky1988"))
    assert state(page)["game"] == "horn-wolinsky1988"
    assert len(rows(page, ".tables")) == 2


def test_the_copied_texts_are_those_of_the_server(games):
    page = games({"game": "static-logit", "set": {"firms": 3}})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as command").click()
    assert copied(page, "pricewar solve") == "pricewar solve static-logit --set firms=3"
    page.get_by_role("button", name="Copy as Python").click()
    assert "game.solve(firms=3)" in copied(page, "from pricewar")


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_on_a_phone(games, language):
    page = games({"moves": True}, rest=f"&language={language}", width=380, height=800)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 380
    sheet = page.locator(".games .sheet-toggle")
    sheet.click()
    assert page.locator("#parameter-rho").is_visible()
    assert page.evaluate(
        "() => [...document.querySelectorAll('#tab-games svg.surface, #tab-games svg.curves')]"
        ".filter(s => s.checkVisibility()).every(s => s.getBoundingClientRect().right <= innerWidth)"
    )
