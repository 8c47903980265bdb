"""Takes the pictures of the README from the real report and the real war, in Chromium: `make docs`."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from pricewar.cli.bill import run
from pricewar.cli.options import Progress
from pricewar.cli.war import played
from pricewar.report import war
from pricewar.usage.sample import write_sample

HERE = Path(__file__).parent
SHOTS = (
    ("report", "report", "en", "light", 1280, 900),
    ("report", "report_zh_dark", "zh", "dark", 1280, 900),
    ("war", "war", "en", "light", 1280, 1400),
)


def main() -> int:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("Chromium is missing. On Debian: apt-get install chromium fonts-noto-cjk", file=sys.stderr)
        return 2
    (HERE / "img").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tools:
        log, report = Path(folder) / "usage.csv", Path(folder) / "report.html"
        write_sample(log)
        run(log, command="pricewar demo", html_to=report, quiet=True)
        told = Path(folder) / "war.html"
        war.write(told, played(200, Progress(quiet=True), "pricewar war --html war.html"))
        browser = tools.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        for which, name, language, scheme, width, height in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto((told if which == "war" else report).as_uri())
            page.locator("select").first.select_option(language)
            page.wait_for_timeout(800)
            page.screenshot(path=HERE / "img" / f"{name}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
