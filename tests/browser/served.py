"""The app's real server in a thread, and its page in Chromium, for the tests of its tabs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pricewar.app.server import Page, Server, bound, config_of
from pricewar.app.uploads import Uploads

TOKEN = "t" * 43
WAIT = 60_000  # ms: a cold start compiles the market
IDLE = """() => document.documentElement.dataset.drawn === "yes"
  && (document.querySelector("#tab-war").hidden
    || document.querySelector(".war .body")?.dataset.whole === "yes")"""


@contextmanager
def served(port: int = 0, market: str | None = None) -> Iterator[Server]:
    """A server on a free port of the loopback address until the block ends."""
    uploads = Uploads()
    server = Server(Page("en", config_of(uploads, market)), TOKEN, bound(port), uploads)
    thread = threading.Thread(target=server.run, name="pricewar app", daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    assert server.started
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def opened(browser: Any, server: Server, fragment: str = "", *, complaints: list[str], width: int = 1360,
           height: int = 900, idle: bool = True, **options: Any) -> Any:  # fmt: skip
    """The page with a fragment; whatever it complains about is put down in `complaints`."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", **options)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    ours = (f"http://127.0.0.1:{server.port}/", "blob:", "data:")
    page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(f"{m.type}: {m.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda d: (complaints.append(f"dialog: {d.message}"), d.dismiss()))
    page.on("request", lambda r: r.url.startswith(ours) or complaints.append(f"request: {r.url}"))
    page.goto(server.link + fragment)
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    if idle:
        settled(page)
    return page


def settled(page: Any) -> None:
    """Waits until the page has drawn its state, and the war room has its whole answer."""
    page.wait_for_function(IDLE)


def after(page: Any, act: Callable[[], Any]) -> None:
    """Does something and waits until the page has answered it."""
    act()
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => done(true)))")
    settled(page)
