"""Takes the pictures of the README from the real report, in Chromium: `make docs`."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from pricewar.cli.bill import run
from pricewar.usage.sample import write_sample

HERE = Path(__file__).parent
SHOTS = (("report", "en", "light", 1280, 900), ("report_zh_dark", "zh", "dark", 1280, 900))


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
        browser = tools.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        for name, language, scheme, width, height in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(report.as_uri())
            page.locator("select").first.select_option(language)
            page.wait_for_timeout(800)
            page.screenshot(path=HERE / "img" / f"{name}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
