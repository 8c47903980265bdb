"""axe-core on every page but the report (test_report_page): nothing serious, light, dark and on a phone."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from served import BILLED, IDLE, LOOKED, SOLVED, TERMS, served, settled, unfolded, visited

from pricewar.app import games_seats

pytestmark = pytest.mark.browser

LOOKS = [("light", 1360), ("dark", 1360), ("light", 380)]
THERE = "() => document.querySelector({}) !== null"
TABS = {
    "war": ("#tab=war&market=china-2024&futures=16&levers=portability~0.8", IDLE),
    "desk": (f"#tab=desk&date={TERMS}", THERE.format(json.dumps(BILLED))),
    "outlook": (
        f"#tab=desk&date={TERMS}&desk={quote(json.dumps({'view': 'outlook', 'draws': '20'}))}",
        THERE.format(json.dumps(LOOKED)),
    ),
    "games": (f"#tab=games&games={quote(json.dumps({'figures': True}))}", SOLVED),
}


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running
    games_seats.close()


@pytest.fixture(scope="module")
def written(folder):
    """The pages of a war and of advice."""
    from made_up_advice import advice

    from pricewar.cli.options import Progress
    from pricewar.cli.war import played
    from pricewar.report import advice as advised
    from pricewar.report import war

    advised.write(folder / "advice.html", advice())
    war.write(folder / "war.html", played(8, Progress(quiet=True), "pricewar war --seeds 8"))
    return folder


def grave(page) -> list[str]:
    """Serious and critical findings with everything unfolded, and where they are."""
    from axe_playwright_python.sync_playwright import Axe

    unfolded(page, "details:not(.save)")
    # Of a long table behind a picture a few rows speak for the others; axe takes minutes over all of them.
    page.evaluate(
        "() => { for (const row of document.querySelectorAll("
        "'details > .inside tbody tr:nth-child(n+7)')) row.remove(); }"
    )
    # A picture that fades in has not yet its colours.
    page.evaluate("() => Promise.allSettled(document.getAnimations().map((each) => each.finished))")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response
    assert len(found["passes"]) > 15  # it looked
    return [
        f"{v['id']}: {n['target']} {n['html'][:160]} {n['failureSummary'][:240]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"][:4]
    ]


@pytest.mark.parametrize(("scheme", "width"), LOOKS, ids=[f"{s}-{w}" for s, w in LOOKS])
@pytest.mark.parametrize("tab", list(TABS))
def test_the_tabs_of_the_app(browser, server, tab: str, scheme: str, width: int):
    fragment, whole = TABS[tab]
    with visited(browser, server, width=width, color_scheme=scheme, idle=False) as visit_:
        page = visit_(fragment)
        settled(page, whole)
        if width < 760:
            page.locator(".sheet-toggle:visible").evaluate_all(
                "nodes => nodes.forEach((node) => node.click())"
            )
        found = grave(page)
        assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_other_languages(browser, server, language: str):
    for tab in ("war", "desk", "games"):
        fragment, whole = TABS[tab]
        with visited(browser, server, idle=False) as visit_:
            page = visit_(f"{fragment}&language={language}")
            settled(page, whole)
            found = grave(page)
            assert not found, "\n".join(found)


@pytest.mark.parametrize(("scheme", "width"), LOOKS, ids=[f"{s}-{w}" for s, w in LOOKS])
@pytest.mark.parametrize("name", ["war.html", "advice.html"])
def test_the_written_pages(written, visit, name: str, scheme: str, width: int):
    page = visit(name, width=width, color_scheme=scheme)
    found = grave(page)
    assert not found, "\n".join(found)
