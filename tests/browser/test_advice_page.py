"""The page of advice in Chromium: every language and theme, wide and narrow; nothing overflows."""

import pytest
from made_up_advice import advice
from served import unfolded

from pricewar.report import advice as page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def _written(folder):
    page.write(folder / "advice.html", advice())
    page.write(folder / "paid.html", advice(free=False))


@pytest.mark.parametrize("width", [1360, 390])
@pytest.mark.parametrize("language", ["en", "zh", "ja"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_opens_and_fits(visit, shots, width, language, theme):
    opened = visit("advice.html", f"#language={language}&theme={theme}", width=width)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.locator(".chart svg").count() == 6
    for chart in opened.locator(".chart svg").all():
        box = chart.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
    opened.screenshot(path=shots / f"advice_{language}_{theme}_{width}.png", full_page=True)


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_no_label_is_cut_on_a_phone(visit, language):
    opened = visit("advice.html", f"#language={language}", width=380)
    causes = opened.locator("#causes svg text").all_text_contents()
    assert causes
    assert not any("…" in text for text in causes)
    assert any("94%" in text for text in opened.locator("#free svg text").all_text_contents())


def test_what_a_chinese_page_says_is_chinese(visit):
    opened = visit("advice.html", "#language=zh")
    assert "截至" in opened.locator("#meta").inner_text()
    notes = opened.locator("#made li").all_text_contents()
    assert notes[0].startswith("37 个未来偏少")
    assert notes[1] == "a market ends"  # a note without a key stays as it came
    assert "仅限新账户" in opened.locator("#story").inner_text()
    assert "没有可用的付费旗舰" in opened.locator("#skipped").inner_text()
    assert "-$" not in opened.locator("main").inner_text()


def test_each_chart_has_its_table(visit):
    opened = visit("advice.html")
    unfolded(opened)
    for inside in opened.locator("details .inside").all():
        assert inside.locator("td").count() > 0


def test_another_language_is_a_choice_away_and_in_the_link(visit):
    opened = visit("advice.html")
    opened.select_option("#language", "ja")
    assert opened.evaluate("document.documentElement.lang") == "ja-JP"
    assert "language=ja" in opened.evaluate("location.hash")


def test_without_a_free_offer(visit):
    opened = visit("paid.html")
    assert opened.locator("#versus svg").count() == 0
    assert opened.locator("#strategies svg").count() == 1
