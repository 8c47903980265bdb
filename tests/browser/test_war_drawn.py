"""The page of a war in Chromium: drawn without a word on the console, at every width, in every language."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

CHARTS = ("opened", "followed", "light", "flagship", "stages", "margins", "shares", "free", "cash")
WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module", autouse=True)
def _written(folder) -> None:
    from pricewar.cli.options import Progress
    from pricewar.cli.war import played
    from pricewar.report import war

    war.write(folder / "war.html", played(8, Progress(quiet=True), "pricewar war --seeds 8"))


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1280), ("ja", "dark", 1280), ("zh", "dark", 390), ("en", "light", 390)],
)
def test_drawn_at_every_width(visit, language: str, scheme: str, width: int):
    page = visit("war.html", f"#language={language}", width=width, color_scheme=scheme)
    assert not page.evaluate(WIDE)
    for chart in CHARTS:
        assert page.locator(f"#{chart} svg[role=img]").count() > 0, chart
        page.locator(f"#{chart}-data summary").click()
        page.locator(f"#{chart}-data tbody tr").nth(2).wait_for(state="attached")  # written when opened
    assert page.locator("#story li").count() >= 5
    assert not page.evaluate(WIDE)


def test_printed(visit):
    assert len(visit("war.html").pdf(format="A4")) > 50_000
