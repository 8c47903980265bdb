"""The page of advice in Chromium: every language and theme, wide and narrow; nothing overflows."""

import pytest
from made_up_advice import advice

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


def test_each_chart_has_its_table(visit):
    opened = visit("advice.html")
    for summary in opened.locator("details > summary").all():
        summary.click()
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
