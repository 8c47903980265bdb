"""Chromium, offline, on reports made up in tests/report."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from served import PATIENCE

sys.path.insert(0, str(Path(__file__).parent.parent / "report"))  # made_up

SHOTS = Path(__file__).parent / "shots"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser():
    path = _chromium()
    if path is None:
        said = "no Chromium: apt-get install chromium fonts-noto-cjk, or set CHROMIUM to its path"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, headless=True, args=ARGUMENTS, timeout=PATIENCE
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The reports opened here: an ordinary one and one whose every name is hostile."""
    from made_up import comparison, hostile

    from pricewar import report

    folder = tmp_path_factory.mktemp("reports")
    report.write(folder / "report.html", comparison())
    report.write(folder / "hostile.html", hostile())
    report.write(folder / "large.html", comparison(offers=300))
    report.write(folder / "empty.html", {})
    return folder


@pytest.fixture
def visit(browser, folder):
    """Opens a report as a reader would, from disk and without a network; complains about any complaint."""
    contexts, complaints = [], []

    def open_(name="report.html", fragment="", width=1360, height=900, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, locale="en-US", **options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        address = (folder / name).as_uri()
        page.on("console", lambda m: complaints.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda d: (complaints.append(f"dialog: {d.message}"), d.dismiss()))
        page.on(
            "request",
            lambda r: r.url.split("#")[0] == address or complaints.append(f"request: {r.url}"),
        )
        page.goto(address + fragment)
        page.wait_for_selector("html[data-ready=yes]", state="attached")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def shots():
    SHOTS.mkdir(exist_ok=True)
    return SHOTS
