"""Takes the pictures of the README in Chromium, from the real report, war and page: `make docs`.

`python docs/pictures.py NAME …` takes those alone whose names begin so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from playwright.sync_api import sync_playwright

from pricewar.cli.bill import run
from pricewar.cli.options import Progress
from pricewar.cli.war import played
from pricewar.report import war
from pricewar.usage.sample import write_sample

HERE = Path(__file__).parent
Scheme: TypeAlias = Literal["light", "dark"]
SHOTS: tuple[tuple[str, str, str, Scheme, int, int], ...] = (
    ("report", "report", "en", "light", 1280, 900),
    ("report", "report_zh_dark", "zh", "dark", 1280, 900),
    ("war", "war", "en", "light", 1280, 1400),
)

WAR = ".war .body[data-whole=yes]"
# Name, the page's state, what is there when all of it is drawn, viewport.
APP = (
    ("app", "#market=china-2024&levers=portability~0.8", WAR, 1360, 1000),
    ("app_desk", "#tab=desk", ".desk[data-billed=yes] #offer-table .opener", 1360, 900),
    ("app_games", "#tab=games", ".games .body[data-whole=yes]", 1360, 900),
    ("app_phone_zh", "#market=china-2024&levers=portability~0.8&language=zh", WAR, 390, 844),
)


@contextmanager
def served() -> Iterator[str]:
    """The page's own server on a free port; its link."""
    with tempfile.TemporaryDirectory() as state, subprocess.Popen(
        [Path(sys.executable).parent / "pricewar", "app", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "XDG_STATE_HOME": state},
    ) as server:  # fmt: skip
        assert server.stdout is not None
        try:
            yield re.findall(r"http://\S+", server.stdout.readline())[0]
        finally:
            server.terminate()


def of_the_page(browser: Any, wanted: tuple[str, ...]) -> None:
    with served() as link:
        for name, state, whole, width, height in APP:
            if not name.startswith(wanted):
                continue
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="light", locale="en-US"
            )
            page.goto(link + state)
            page.wait_for_selector(whole, state="attached", timeout=180_000)
            page.wait_for_timeout(800)
            page.screenshot(path=HERE / "img" / f"{name}.png")
            page.close()


def main() -> int:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("Chromium is missing. On Debian: apt-get install chromium fonts-noto-cjk", file=sys.stderr)
        return 2
    (HERE / "img").mkdir(exist_ok=True)
    wanted = tuple(sys.argv[1:]) or ("",)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        pages = made(Path(folder), {which for which, name, *_ in SHOTS if name.startswith(wanted)})
        for which, name, language, scheme, width, height in SHOTS:
            if not name.startswith(wanted):
                continue
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(pages[which].as_uri())
            page.locator("select").first.select_option(language)
            page.wait_for_timeout(800)
            page.screenshot(path=HERE / "img" / f"{name}.png")
            page.close()
        if any(name.startswith(wanted) for name, *_ in APP):
            of_the_page(browser, wanted)
        browser.close()
    return 0


def made(folder: Path, which: set[str]) -> dict[str, Path]:
    """The report and the page of the war, as far as they are wanted."""
    pages = {name: folder / f"{name}.html" for name in which}
    if "report" in pages:
        log = folder / "usage.csv"
        write_sample(log)
        run(log, command="pricewar demo", html_to=pages["report"], quiet=True)
    if "war" in pages:
        war.write(pages["war"], played(200, Progress(quiet=True), "pricewar war --html war.html"))
    return pages


if __name__ == "__main__":
    sys.exit(main())
