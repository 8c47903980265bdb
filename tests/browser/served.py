"""The app's real server in a thread, and its page in Chromium, for the tests of its tabs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pricewar.app.server import Page, Server, bound, config_of
from pricewar.app.session import Job
from pricewar.app.topics import TOPICS, Handler, load
from pricewar.app.uploads import Uploads
from pricewar.app.war_runs import wait_warm

TOKEN = "t" * 43
PATIENCE = 240_000  # ms: no test waits so long for what is right, on whatever machine
IDLE = """() => document.documentElement.dataset.drawn === "yes"
  && (document.querySelector("#tab-war").hidden
    || document.querySelector(".war .body")?.dataset.whole === "yes")"""
SOLVED = """() => document.querySelector(".games .body")?.dataset.whole === "yes"
  && document.querySelector(".games progress").hidden && document.documentElement.dataset.drawn === "yes\""""
BILLED = ".desk[data-billed=yes]:not(.stale) #offer-table .opener"
LOOKED = ".desk-outlook[data-whole=yes] .outlook-body:not([hidden], .stale)"
TERMS = "2026-11-22"  # the day whose offers are billed: those of another day are others


@contextmanager
def served(port: int = 0, market: str | None = None) -> Iterator[Server]:
    """A server on a free port of the loopback address until the block ends."""
    uploads = Uploads()
    server = Server(Page("en", config_of(uploads, market)), TOKEN, bound(port), uploads)
    ready = threading.Event()
    thread = threading.Thread(
        target=server.run, kwargs={"ready": ready.set}, name="pricewar app", daemon=True
    )
    thread.start()
    try:
        assert ready.wait(PATIENCE / 1000)
        wait_warm(Job(0))  # the market compiles where it was never run: no page waits for that
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE / 1000)
        assert not thread.is_alive()


@contextmanager
def visited(browser: Any, server: Server, **usual: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages of a server and closes them before it ends; complains about any complaint of theirs."""
    complaints: list[str] = []
    pages: list[Any] = []

    def open_(fragment: str = "", **options: Any) -> Any:
        pages.append(opened(browser, server, fragment, complaints=complaints, **{**usual, **options}))
        return pages[-1]

    try:
        yield open_
    finally:
        for page in pages:
            page.context.close()
    assert complaints == []


def opened(browser: Any, server: Server, fragment: str = "", *, complaints: list[str], width: int = 1360,
           height: int = 900, idle: bool = True, **options: Any) -> Any:  # fmt: skip
    """The page with a fragment; whatever it complains about is put down in `complaints`."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", **options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
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


def settled(page: Any, whole: str = IDLE) -> None:
    """Waits until the page has drawn its state, and the war room has its whole answer."""
    page.wait_for_function(whole)


def framed(page: Any) -> None:
    """Waits until what was done is drawn where nothing is asked: the page draws once a frame."""
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => done(true)))")


def after(page: Any, act: Callable[[], Any], whole: str = IDLE) -> None:
    """Does something and waits until the page has answered it."""
    act()
    framed(page)
    settled(page, whole)


def link(page: Any) -> dict[str, str]:
    """What the address holds. The page writes it when the hand rests, and at once when it is left."""
    page.evaluate("() => dispatchEvent(new Event('pagehide'))")
    return dict(page.evaluate("() => [...new URLSearchParams(location.hash.slice(1))]"))


def copied(page: Any, begins: str) -> str:
    """What was copied, once it begins so: the browser copies after the click."""
    end = time.monotonic() + PATIENCE / 1000
    while not (text := page.evaluate("() => navigator.clipboard.readText()")).startswith(begins):
        assert time.monotonic() < end, text
        page.wait_for_timeout(20)
    return text


def unfolded(page: Any, which: str = "details") -> None:
    """Opens every disclosure, and what is disclosed in turn, each written when this returns."""
    page.evaluate(
        """async (which) => {
          const closed = () => [...document.querySelectorAll(which)].filter((d) => !d.open);
          for (let now = closed(); now.length; now = closed()) {
            await Promise.all(now.map((d) => new Promise((done) => {
              d.addEventListener("toggle", done, {once: true});
              d.open = true;
            })));
          }
        }""",
        which,
    )


@contextmanager
def answered(topic: str, handler: Callable[[Handler, Any, Job], Iterator[Any]]) -> Iterator[None]:
    """A topic answered by a function that is given the real handler too."""
    real = load(TOPICS[topic])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TOPICS[topic].replace(":", "."), lambda message, job: handler(real, message, job))
            load.cache_clear()
            yield
    finally:
        load.cache_clear()


@contextmanager
def held(topic: str) -> Iterator[threading.Event]:
    """Answers of a topic have no end, however fast the machine, until cancelled or the event is set."""
    over = threading.Event()

    def endless(real: Handler, message: Any, job: Job) -> Iterator[Any]:
        yield from real(message, job)
        while not over.is_set() and not job.wait(0.02):
            pass

    with answered(topic, endless):
        try:
            yield over
        finally:
            over.set()
