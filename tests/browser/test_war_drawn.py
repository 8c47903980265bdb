"""The page of a war in Chromium: drawn without a word on the console, at every width, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

CHARTS = ("opened", "followed", "light", "flagship", "stages", "margins", "shares", "free", "cash")


@pytest.fixture(scope="module")
def war_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pricewar.cli.options import Progress
    from pricewar.cli.war import played
    from pricewar.report import war

    path = tmp_path_factory.mktemp("war") / "war.html"
    war.write(path, played(8, Progress(quiet=True), "pricewar war --seeds 8"))
    return path


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1280), ("ja", "dark", 1280), ("zh", "dark", 390), ("en", "light", 390)],
)
def test_drawn_at_every_width(browser, war_page: Path, language: str, scheme: str, width: int):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    page.goto(war_page.as_uri() + f"#language={language}")
    page.wait_for_selector("html[data-ready]")
    assert said == []
    wide = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    for chart in CHARTS:
        assert page.locator(f"#{chart} svg[role=img]").count() > 0, chart
        page.locator(f"#{chart}-data summary").click()
        page.locator(f"#{chart}-data tbody tr").nth(2).wait_for(state="attached")  # drawn one after the other
        assert page.locator(f"#{chart}-data tbody tr").count() > 2, chart
    assert page.locator("#story li").count() >= 5
    assert not page.evaluate(wide)
    page.close()


def test_printed(browser, war_page: Path):
    page = browser.new_page()
    page.goto(war_page.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert len(page.pdf(format="A4")) > 50_000
    page.close()
