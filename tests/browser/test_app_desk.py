"""The desk in Chromium, on the real server: logs dropped, filters, languages, outlook, files taken away."""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from served import BILLED, LOOKED, TERMS, copied, held, link, served, unfolded, visited

from pricewar.usage.formats import FORMATS
from pricewar.usage.read import read

sys.path.insert(0, str(Path(__file__).parent.parent / "readers"))
from fuzz import written
from fuzz_shapes import SHAPES

pytestmark = pytest.mark.browser

LOGS = [s for s in SHAPES if not FORMATS[s.format].bill]
MONTH = b"time,model,input,output\n" + b"".join(
    b"2026-10-%02dT%02d:15:00Z,gpt-5-mini,20000,1000\n" % (day, hour)
    for day in range(1, 29)
    for hour in range(8, 20)
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served() as running:
        log = tmp_path_factory.mktemp("logs") / "month.csv"
        log.write_bytes(MONTH)
        running.month = running.uploads.given(log).handle
        yield running


@pytest.fixture
def desk(browser, server):
    """Opens the desk on the month's log; complains about any complaint of the page."""
    with visited(browser, server, idle=False) as visit:

        def open_(choice=None, more=f"&date={TERMS}", waits=BILLED, log=True, **options):
            said = {**({"log": server.month} if log else {}), **(choice or {})}
            page = visit(f"#tab=desk{more}&desk={quote(json.dumps(said))}", **options)
            page.wait_for_selector(waits, state="attached")
            return page

        yield open_


def drop(page, name: str, body: bytes) -> None:
    """As a hand does: a file let go over the page."""
    data = page.evaluate_handle(
        """([name, bytes]) => { const held = new DataTransfer();
        held.items.add(new File([new Uint8Array(bytes)], name)); return held; }""",
        [name, [*body]],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#desk-drop", event, {"dataTransfer": data})


def saved(page, act) -> tuple[str, bytes]:
    """The name and content of what an action downloads."""
    with page.expect_download() as waiting:
        act()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def state(page) -> dict:
    return json.loads(link(page).get("desk", "{}"))


@pytest.mark.parametrize("shape", LOGS, ids=lambda s: s.name)
def test_a_log_of_every_format_is_dropped(desk, tmp_path, shape) -> None:
    for seed in range(50):
        body = written(shape, random.Random(seed), 40)
        (tmp_path / "log").write_bytes(body)
        direct = read(tmp_path / "log")
        if direct.rows:
            break
    page = desk()
    name = f"用量 <b>{shape.format}.{shape.kind}"  # text, never markup
    drop(page, name, body)
    page.wait_for_function(
        "name => document.querySelector('.log-name strong')?.textContent === name", arg=name
    )
    page.wait_for_selector(".desk:not(.stale)[data-billed=yes]", state="attached")
    said = page.inner_text(".log-name")
    assert f"{direct.rows} record" in said
    assert shape.format in said
    page.wait_for_function(
        "rows => document.querySelector('#desk-excluded').textContent.includes(rows)", arg=f"{direct.rows} "
    )
    excluded = page.inner_text("#desk-excluded")
    for cause in {e.cause for e in direct.exclusions}:
        assert cause in excluded


def test_a_bad_log_is_told_in_its_place_and_a_good_one_after_it_is_billed(desk) -> None:
    page = desk()
    drop(page, "strange.csv", b"a,b\n1,2\n")
    page.wait_for_selector(".fault:not([hidden])")
    told = page.inner_text(".fault")
    assert "strange.csv" in told
    assert len(page.locator(".fault p").all()) >= 2  # what and where, and what to do
    drop(page, "month.csv", MONTH)
    page.wait_for_selector(BILLED, state="attached")
    expect(page.locator(".fault").first).to_be_hidden()
    assert "336" in page.inner_text(".log-name")


def test_where_no_log_is_given_the_sample_is_billed(desk) -> None:
    page = desk(log=False, choice={"log": "sample"}, more="")  # as of today
    assert "sample" in page.inner_text(".log-name")
    assert "118,592" in page.inner_text(".log-name")
    assert "never leaves this machine" in page.inner_text("#desk-drop")
    assert "pricewar sample usage.csv" in page.inner_text("#desk-command")


def test_filters_choose_and_the_link_keeps_them(desk) -> None:
    page = desk()
    everything = page.inner_text("#matches")
    page.select_option("#desk-by-vendor", "openai")
    page.wait_for_function("all => document.querySelector('#matches').textContent !== all", arg=everything)
    openers = page.locator("#offer-table .opener")
    assert all(text.startswith("openai") for text in openers.all_inner_texts())
    page.fill("#desk-search", "mini")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#offer-table .opener')]"
        ".every((o) => o.textContent.includes('mini'))"
    )
    kept = state(page)
    assert (kept["vendor"], kept["search"]) == ("openai", "mini")
    count = openers.count()
    again = desk(choice=kept, log=False)
    assert again.locator("#offer-table .opener").count() == count
    page.locator("#desk-by-vendor").focus()
    page.keyboard.press("Control+z")  # the search, typed at one go
    page.wait_for_function("() => document.querySelector('#desk-search').value === ''")
    page.keyboard.press("Control+z")
    page.wait_for_function("all => document.querySelector('#matches').textContent === all", arg=everything)


def test_every_number_opens_its_bill_with_source_date_and_confidence(desk) -> None:
    page = desk()
    page.locator(".desk .kpi .as-link").first.click()
    bill = page.locator(".detail:not([hidden])")
    bill.wait_for()
    assert bill.locator(".cited a[href^=http]").count() >= 1
    assert "read " in bill.locator(".cited").inner_text()
    assert "Confidence" in bill.inner_text()
    row = page.locator("tr.offer").nth(3)
    row.locator(".c-total .figure").click()
    assert row.locator(".opener").get_attribute("aria-expanded") == "true"


def test_a_chart_s_point_opens_its_bill(desk) -> None:
    page = desk()
    page.locator("#desk-gap svg").first.scroll_into_view_if_needed()
    box = page.locator("#desk-gap svg").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 82)
    page.wait_for_function("() => document.querySelector('#desk-gap svg').value?.row?.offer")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_selector(".detail:not([hidden])")


def test_the_language_changes_without_losing_anything(desk) -> None:
    page = desk(choice={"vendor": "openai", "sort": "total"})
    page.locator("#offer-table .opener").nth(1).click()
    name = page.locator("#offer-table .opener").nth(1).inner_text()
    before = state(page)
    titles = set()
    for language in ("zh", "ja", "en"):
        page.select_option("#language", language)
        page.wait_for_function("lang => document.documentElement.lang.startsWith(lang)", arg=language)
        page.wait_for_function("() => document.documentElement.dataset.drawn === 'yes'")
        titles.add(page.inner_text("#desk-gap-title"))
        assert state(page) == before
        opener = page.locator("#offer-table .opener").nth(1)
        assert opener.inner_text() == name
        assert opener.get_attribute("aria-expanded") == "true"
    assert len(titles) == 3


def test_pictures_and_tables_are_saved(desk) -> None:
    page = desk()
    for key in ("desk-gap", "desk-served", "desk-days", "desk-models"):
        card = page.locator(f"section.card:has(#{key})")
        for kind, magic in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", None)):
            card.locator(".save summary").click()
            name, body = saved(
                page, lambda card=card, kind=kind: card.locator(".menu button", has_text=kind).click()
            )
            assert name == f"pricewar-{key}.{kind.lower()}"
            if magic:
                assert body.startswith(magic)
                assert len(body) > 2000
            else:
                rows = [*csv.reader(io.StringIO(body.decode()))]
                assert len(rows) > 1
                assert len({len(row) for row in rows}) == 1


def test_bills_report_command_and_python_are_taken(desk) -> None:
    page = desk(permissions=["clipboard-read", "clipboard-write"])
    name, body = saved(page, lambda: page.click(".takes button >> nth=0"))
    assert name == "bills.csv"
    rows = [*csv.DictReader(io.StringIO(body.decode()))]
    assert f"{len(rows)} of {len(rows)} offers" in page.inner_text("#matches")
    name, body = saved(page, lambda: page.click(".takes button >> nth=1"))
    assert name == "report.html"
    assert b"month.csv" in body
    for nth, begins in ((2, "pricewar bill month.csv"), (3, "from datetime import date")):
        page.click(f".takes button >> nth={nth}")
        copied(page, begins)


def test_the_outlook_from_first_answer_to_gateway(desk) -> None:
    page = desk(choice={"view": "outlook", "draws": "80"}, waits=LOOKED)
    assert page.locator(".story li").count() >= 3
    assert page.locator("#desk-strategies svg").count() >= 1
    assert page.locator(".plan-words .looks li").count() >= 1
    for key in ("strategies", "plan", "causes"):
        card = page.locator(f"section.card:has(#desk-{key})")
        card.locator(".save summary").click()
        name, body = saved(page, lambda card=card: card.locator(".menu button", has_text="PNG").click())
        assert name == f"pricewar-desk-{key}.png"
        assert body.startswith(b"\x89PNG")
    name, body = saved(page, lambda: page.click(".takes button >> nth=0"))
    assert name == "advice.html"
    name, body = saved(page, lambda: page.click(".takes button >> nth=1"))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert "gateway/calendar.json" in archive.namelist()
    page.locator(".outlook-body .as-link").first.click()  # an offer's name opens its bill
    page.wait_for_selector(".desk-bills .detail:not([hidden])")


def test_the_team_s_fields_and_text_are_heard(desk) -> None:
    page = desk(choice={"view": "outlook", "draws": "20"}, waits=LOOKED)
    page.fill("#desk-growth", "5")
    page.keyboard.press("Tab")
    page.wait_for_function(
        "() => document.querySelector('#desk-advise')?.textContent.includes('monthly: 0.05')"
    )
    page.click(".yaml summary")
    page.fill("#desk-team", "horizon: 12\ngrowth: {monthly: 7}\n")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "() => document.querySelector('#desk-team-fault').textContent.includes('team.yaml:2')"
    )
    assert page.get_attribute("#desk-team", "aria-invalid") == "true"
    chosen = page.evaluate(
        "() => { const t = document.querySelector('#desk-team');"
        " return t.value.slice(t.selectionStart, t.selectionEnd); }"
    )
    assert chosen == "growth: {monthly: 7}"
    assert page.is_disabled("#desk-growth")
    page.fill("#desk-team", "horizon: 12\n")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => document.querySelector('#desk-team-fault').textContent === ''")
    page.wait_for_function(
        "() => document.querySelector('#desk-advise')?.textContent.includes('horizon: 12')"
    )
    page.click(".yaml button >> nth=2")
    page.wait_for_function("() => !document.querySelector('#desk-growth').disabled")


def test_an_outlook_can_be_stopped_and_begun_again(desk) -> None:
    with held("outlook"):
        page = desk(
            choice={"view": "outlook", "draws": "2000", "growth": "1"}, waits=".desk-outlook .status progress"
        )
        page.click(".desk-outlook .status button")
        page.wait_for_selector(".desk-outlook[data-whole=yes]", state="attached")
        assert page.locator(".desk-outlook .status progress").count() == 0
        assert page.is_enabled(".team button.main")
    page.select_option("#desk-draws", "200")
    page.wait_for_selector(LOOKED, state="attached")


def test_a_log_no_longer_held_is_said_and_the_sample_offered(desk) -> None:
    page = desk(choice={"log": "gone-since"}, waits=".fault:not([hidden])")
    assert "no longer held" in page.inner_text(".fault")
    assert page.locator(".fault button").count() == 1


def test_the_desk_by_keyboard_alone(desk) -> None:
    page = desk()
    page.locator("#to-desk").focus()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "() => { const a = document.activeElement; return "
            " [a.id || a.textContent.trim().slice(0, 24), getComputedStyle(a).outlineStyle]; }"
        )
        reached.add(at[0])
        assert at[1] != "none", at
        if at[0] == "show-all":
            break
    assert {
        "desk-day",
        "desk-only",
        "desk-by-kind",
        "desk-search",
        "Bill today",
        "Outlook",
        "Choose a log …",
    } <= reached
    page.locator("#offer-table .opener").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail:not([hidden])")


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
@pytest.mark.parametrize("view", ["bills", "outlook"])
def test_a_phone_scrolls_down_only(desk, shots, language, view) -> None:
    waits = BILLED if view == "bills" else LOOKED
    page = desk(
        choice={"view": view, "draws": "20"}, more=f"&date={TERMS}&language={language}", waits=waits,
        width=380, height=820,
    )  # fmt: skip
    unfolded(page, "#tab-desk details")
    wide = page.evaluate("""() => [...document.querySelectorAll("#tab-desk *")]
        .filter((n) => n.getBoundingClientRect().right > 381 && !n.closest(".scroll, .inside, pre, svg"))
        .map((n) => `${n.tagName}.${n.className}#${n.id}`)""")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 380, wide
    page.screenshot(path=shots / f"desk-{view}-phone-{language}.png", full_page=True)
