"""What a first visitor is told: what is shown and in which unit, what is waited for, whose it is."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from served import BILLED, SOLVED, after, answered, framed, link, opened, served, settled, unfolded, visited

from pricewar.app import games_seats
from pricewar.app.server import config_of
from pricewar.app.uploads import Uploads

pytestmark = pytest.mark.browser

FEW = "#tab=war&market=china-2024&futures=16&seed=0"
MOVED = FEW + "&levers=types.switching_cost:x~0.5"
WORLD = FEW.replace("china-2024", "global-2025")
TALL = 4200  # what is out of sight is not drawn
GAME = "#tab=games&games="
LOG = b"time,model,input,output\n2026-10-01T08:15:00Z,gpt-5-mini,20000,1000\n"


@pytest.fixture(scope="module", autouse=True)
def seats():
    yield
    games_seats.close()


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running


@pytest.fixture
def open_(browser, server):
    with visited(browser, server) as visit:
        yield visit


@pytest.fixture
def game(open_):
    def of(**choice: Any) -> Any:
        page = open_(GAME + quote(json.dumps({"game": "learning-bdk2014", **choice})), idle=False)
        settled(page, SOLVED)
        return page

    return of


# ---------------------------------------------------------------- what is shown


def test_the_first_line_says_what_is_simulated_then_what_was_moved(open_) -> None:
    page = open_(FEW)
    line = page.locator(".moved-line")
    expect(line).to_contain_text(
        "China, the war of May 2024, simulated: 8 vendors, 36 months from May 6, 2024"
    )
    expect(line).to_contain_text("Move a lever or choose a preset")
    after(page, lambda: page.locator(".chip").first.click())
    expect(line).to_have_text("China, the war of May 2024. Moved: Portability 0% → 80%")
    after(page, lambda: page.get_by_role("button", name="Make this the baseline").click())
    expect(line).to_have_text("China, the war of May 2024. Levers and baseline alike: Portability 80%")


@pytest.mark.parametrize(("language", "words"), [
    ("en", ("middle 80%", "cost of serving", "month")),
    ("zh", ("中间 80%", "服务成本", "月")),
    ("ja", ("中央80%", "提供原価", "月")),
])  # fmt: skip
def test_figures_and_axes_say_what_they_mean(open_, language: str, words: tuple[str, str, str]) -> None:
    page = open_(f"{FEW}&language={language}")
    note, meaning, axis = words
    expect(page.locator(".kpis-foot > p")).to_contain_text(note)
    unfolded(page, ".means")
    assert page.locator(".means dd").count() == page.locator(".kpi").count() == 8
    expect(page.locator(".means")).to_contain_text(meaning)
    for card in ("light_price", "hhi"):
        expect(page.locator(f"#{card} svg .x text").first).to_have_text(axis)


def test_the_record_is_named_where_it_is_drawn_and_nowhere_else(open_) -> None:
    china, world = open_(FEW, height=TALL), open_(WORLD, height=TALL)
    expect(china.locator(".key")).to_contain_text("what happened")
    for card in ("light_price", "flagship_price", "share", "stages"):
        expect(china.locator(f"section[data-key={card}] > .quiet")).to_contain_text("what happened")
    assert "what happened" not in world.locator(".war .body").inner_text()
    expect(china.locator(".key")).not_to_contain_text("baseline")
    after(china, lambda: china.locator(".chip").first.click())
    expect(china.locator(".key")).to_contain_text("baseline")
    expect(china.locator("section[data-key=stages] > .quiet")).to_contain_text(
        "the baseline, then what happened"
    )


def test_the_record_is_drawn_within_the_axes(open_) -> None:
    page = open_(FEW)
    page.wait_for_selector("#light_price .past rect", state="attached")
    starts = page.locator("#light_price .past rect").evaluate_all(
        "list => list.map(r => +r.getAttribute('x'))"
    )
    axis = float(page.locator("#light_price .grid line").first.get_attribute("x1") or "nan")
    assert min(starts) >= axis


def test_a_clear_change_is_never_written_as_zero(open_) -> None:
    page = open_(MOVED.replace("futures=16", "futures=200"))
    told = page.locator(".kpi .delta:not(.quiet)").all_inner_texts()
    assert any("×" in text for text in told), told  # the teams' return: it changes by less than a twentieth
    for text in told:
        assert float(re.sub(r"[^\d.]", "", text)) > 0, text
    page.locator("#why-outcome").select_option("roi")
    parts = page.locator("table.why td.n:nth-child(2)")
    expect(parts.first).to_contain_text("×")
    for text in parts.all_inner_texts():
        assert float(re.sub(r"[^\d.]", "", text)) > 0, text


def test_who_starts_with_a_log_meets_its_bill(browser, tmp_path: Path, monkeypatch) -> None:
    log = tmp_path / "mine.csv"
    log.write_bytes(LOG)

    def given(uploads: Uploads, market: str | None) -> dict[str, Any]:
        uploads.given(log)
        return config_of(uploads, market)

    monkeypatch.setattr("served.config_of", given)
    with served() as server, visited(browser, server) as open_:
        page = open_(idle=False)
        page.wait_for_selector(BILLED, state="attached")
        expect(page.locator("#tab-desk")).to_be_visible()
        expect(page.locator(".log-name")).to_contain_text("mine.csv · 1 record")
        assert link(page)["tab"] == "desk"
        expect(open_(FEW).locator("#tab-war")).to_be_visible()


# ---------------------------------------------------------------- what is waited for


def test_the_first_answer_of_a_market_is_waited_for_in_words(browser, server) -> None:
    free = Event()

    def late(real: Any, message: Any, job: Any) -> Iterator[Any]:
        while not free.is_set() and not job.wait(0.02):
            pass
        yield from real(message, job)

    with answered("war", late), visited(browser, server) as open_:
        try:
            page = open_(FEW, idle=False)
            expect(page.locator(".says")).to_have_text("Running the futures")
            expect(page.locator(".war progress")).to_be_visible()
            expect(page.locator(".war .body .card").first).not_to_be_visible()
        finally:
            free.set()
        settled(page)
        expect(page.locator(".says")).to_contain_text("Conduct held")
        expect(page.locator(".war progress")).to_be_hidden()
        expect(page.locator(".war .body .card").first).to_be_visible()


@pytest.fixture
def port():
    """A port that nobody else is given while no server listens there."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def test_a_tab_first_opened_while_the_server_is_away_comes_when_it_is_back(browser, port: int) -> None:
    complaints: list[str] = []
    with served(port) as server:
        page = opened(browser, server, FEW, complaints=complaints)
    expect(page.locator("#connection")).to_be_visible()
    page.locator("#to-games").click()
    expect(page.locator("#notices")).to_contain_text("“Games” could not be loaded.")
    with served(port):
        settled(page, SOLVED)
        expect(page.locator("#notices")).to_be_empty()
        expect(page.locator("#game")).to_be_visible()
        page.context.close()


# ---------------------------------------------------------------- whose it is


def test_what_is_wrong_with_a_desk_is_said_without_stray_words(open_) -> None:
    for choice, said in (({"zone": "Mars"}, "unknown time zone"), ({"log": "gone"}, "no longer held")):
        page = open_("#tab=desk&desk=" + quote(json.dumps(choice)), idle=False)
        fault = page.locator("#tab-desk > .fault")
        expect(fault).to_contain_text(said)
        assert "null" not in fault.inner_text()


def test_no_bill_stands_below_the_name_of_another_log(open_, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(LOG)
    bad.write_text("a,b\n1,2\n")
    page = open_("#tab=desk", idle=False)
    page.wait_for_selector(BILLED, state="attached")
    page.set_input_files("#desk-file", good)
    expect(page.locator(".log-name")).to_contain_text("good.csv · 1 record")
    page.set_input_files("#desk-file", bad)
    expect(page.locator("#tab-desk > .fault")).to_be_visible()
    expect(page.locator(".log-name")).to_have_text("bad.csv")
    expect(page.locator(".desk-bills")).to_be_hidden()
    expect(page.locator(".takes")).to_be_hidden()
    page.locator("#undo").click()
    expect(page.locator(".log-name")).to_contain_text("good.csv · 1 record")
    expect(page.locator(".desk-bills")).to_be_visible()


def test_figures_of_other_parameters_than_those_set_are_pale(game) -> None:
    page = game()
    expect(page.locator(".games .body")).not_to_have_class(re.compile("stale"))
    page.locator(".games .exact").first.fill("9999")
    page.keyboard.press("Enter")
    expect(page.locator(".games .notice.bad")).to_contain_text("9999 is out of range")
    expect(page.locator(".games .body")).to_have_class(re.compile("stale"))


# ---------------------------------------------------------------- values by keys


def test_values_of_a_chart_are_reached_by_keys(open_) -> None:
    page = open_(FEW)
    svg = page.locator("#light_price svg")
    said = svg.locator(".cursor text")
    svg.focus()
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("month 1:")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("month 2:")
    names = svg.locator(".ends text").all_text_contents()
    places = svg.locator(".ends text").evaluate_all("list => list.map(t => +t.getAttribute('y'))")
    order = [name for _, name in sorted(zip(places, names, strict=True))]
    (shown,) = (name for name in order if f"month 2: {name} " in (said.text_content() or ""))
    assert f"month 2: {shown}" in (svg.get_attribute("aria-label") or "")
    at = order.index(shown)
    key, beside = ("ArrowUp", order[at - 1]) if at == len(order) - 1 else ("ArrowDown", order[at + 1])
    page.keyboard.press(key)
    expect(said).to_contain_text(f"month 2: {beside}")
    page.keyboard.press("Enter")
    expect(page.locator(".vendors [aria-pressed=true]")).to_have_text(beside)
    page.keyboard.press("End")
    expect(said).to_contain_text("month 36:")
    page.locator("#market").focus()
    expect(said).to_have_count(0)
    assert "month" not in (svg.get_attribute("aria-label") or "")


def test_values_of_a_curve_are_reached_by_keys(game) -> None:
    page = game()
    svg = page.locator("#game-slice svg")
    svg.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(svg.locator(".cursor text")).to_contain_text("e1 = 3")
    assert "e1 = 3" in (svg.get_attribute("aria-label") or "")
    page.keyboard.press("Escape")
    expect(svg.locator(".cursor text")).to_have_count(0)


# ---------------------------------------------------------------- what is taken away


def test_a_saved_picture_says_its_unit_its_legend_and_what_was_moved(open_) -> None:
    page = open_(MOVED, height=TALL)

    def saved(card: str) -> str:
        page.locator(f"section[data-key={card}] .save summary").click()
        with page.expect_download() as waiting:
            page.locator(f"section[data-key={card}] .menu button", has_text="SVG").click()
        return Path(waiting.value.path()).read_text()

    price, stages = saved("light_price"), saved("stages")
    assert "CNY per million tokens" in price
    for picture in (price, stages):
        assert "16 of 16 futures · seed 0" in picture
        assert "Switching cost 1 × → 0.5 ×" in picture
    for stage in ("launch", "consolidation", "not in the market"):
        assert f">{stage}</text>" in stages


def test_the_menu_of_files_goes_when_one_turns_elsewhere(open_) -> None:
    page = open_(FEW)
    summary, menu = (
        page.locator(f"section[data-key=light_price] .save {part}") for part in ("summary", ".menu")
    )
    summary.click()
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    page.locator(".moved-line").click()
    expect(menu).to_be_hidden()


# ---------------------------------------------------------------- nothing cut off


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
@pytest.mark.parametrize("width", [320, 390])
def test_the_head_of_the_page_cuts_no_word_on_a_phone(open_, language: str, width: int) -> None:
    page = open_(f"{FEW}&language={language}", width=width, height=700)
    framed(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    cut = page.evaluate("""() => [...document.querySelectorAll(".settings select")].filter((select) => {
      const look = getComputedStyle(select), pen = document.createElement("canvas").getContext("2d");
      pen.font = `${look.fontWeight} ${look.fontSize} ${look.fontFamily}`;
      const arrow = 16;
      return pen.measureText(select.selectedOptions[0].text).width + arrow > select.clientWidth - 4;
    }).map((select) => select.selectedOptions[0].text)""")
    assert width == 320 or cut == []


def test_a_game_is_named_in_full_and_its_scale_fits(game) -> None:
    page = game()
    expect(page.locator(".games .levers")).to_contain_text("Learning by doing, entry and exit: price wars")
    expect(page.locator("#tab-games table").first).to_contain_text("HHI in period 1000")
    inside = page.locator("#game-surface svg").evaluate("""(svg) => {
      const right = (node) => node.getBoundingClientRect().right;
      return [...svg.querySelectorAll(".ramp text")].every((text) => right(text) <= right(svg));
    }""")
    assert inside
