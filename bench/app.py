"""The page: from the move of a lever to its picture, in Chromium on the real engine, and its first load.

A server of its own (`pricewar app`, another process) and a headless Chromium on the same machine share its
cores. A move is a press of the right arrow on the slider of portability: the browser's own input event, of a
value not seen before. Clocks are the page's: the event's time stamp, the end of the drawing
(`performance.measure("pricewar.picture")`, its nodes are then in the document), and *painted*, a task queued
from the next animation frame. `INSTRUMENT` is what is put into the page; its code is left as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = tuple[str, str, str, str]
MARKETS = ("global-2025", "china-2024")
AIM = 80  # ms, p95
WAIT = 180_000  # ms
LEVER = "lever-portability"
TAKEN = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--js-flags=--expose-gc"]  # fmt: skip

INSTRUMENT = """
window.bench = {open: new Map(), moves: [], at: new Map(), bytes: [], cached: false, whole: null, said: null};
addEventListener("input", (event) => {
  if (event.target.type !== "range") return;
  const move = {input: event.timeStamp, value: Number(event.target.value), pictures: []};
  bench.moves.push(move);
  bench.at.set(move.value.toFixed(6), move.input);
}, true);
const measure = performance.measure.bind(performance);
performance.measure = (name, how) => {
  const entry = measure(name, how);
  if (name !== "pricewar.picture") return entry;
  const picture = {drawn: performance.now(), took: entry.duration, futures: how.detail.futures,
    value: how.detail.moved?.portability ?? 0, of: bench.moves.at(-1)};
  picture.of?.pictures.push(picture);
  bench.pictures = (bench.pictures ?? 0) + 1;
  bench.firstPicture ??= picture.drawn;
  requestAnimationFrame(() => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => { picture.painted = performance.now(); };
    port2.postMessage(0);
  });
  return entry;
};
const Real = WebSocket;
window.WebSocket = class extends Real {
  send(text) {
    const asked = JSON.parse(text);
    if (bench.cached && asked.topic === "war") {
      const {port1, port2} = new MessageChannel();
      port1.onmessage = () => {
        this.onmessage({data: bench.whole.replace(/^{"id":\\d+/, `{"id":${asked.id}`)});
        this.onmessage({data: `{"id":${asked.id},"part":1,"done":true}`});
      };
      port2.postMessage(0);
      return;
    }
    if (asked.topic) bench.open.set(asked.id, asked.topic);
    super.send(text);
  }
  set onmessage(hear) {
    this.hear = hear;
    super.onmessage = (event) => {
      const [, id] = event.data.match(/^{"id":(\\d+)/);
      const topic = bench.open.get(Number(id));
      if (topic === "war" && event.data.includes('"data":')) {
        bench.bytes.push(event.data.length);
        bench.whole = event.data;
      }
      const goesOn = /^{"id":\\d+,("part":\\d+,"done":false|"progress")/.test(event.data);
      if (!goesOn) bench.open.delete(Number(id));
      hear(event);
    };
  }
  get onmessage() { return this.hear; }
};
"""
REST = """() => bench.open.size === 0 && document.documentElement.dataset.drawn === "yes"
  && document.querySelector(".war .body")?.dataset.whole === "yes"
  && (bench.moves.at(-1)?.pictures ?? []).every((picture) => picture.painted)"""
TRIPS = """async (count) => {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  await new Promise((done) => { socket.onopen = done; });
  const spent = [];
  for (let id = 1; id <= count; id += 1) {
    const begun = performance.now();
    await new Promise((done) => {
      socket.onmessage = done;
      socket.send(`{"id":${id},"topic":"nothing"}`);
    });
    spent.push(performance.now() - begun);
  }
  socket.close();
  return spent;
}"""
DRAG = """async ([moves, every]) => {
  const slider = document.getElementById("lever-portability");
  bench.moves = [];
  bench.at.clear();
  const begun = performance.now();
  for (let move = 0; move < moves; move += 1) {
    slider.value = (0.3 + 0.5 * move / moves).toFixed(2);
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await new Promise((done) => setTimeout(done, every));
  }
  slider.dispatchEvent(new Event("change", {bubbles: true}));
  return performance.now() - begun;
}"""


def rows(quick: bool) -> Iterator[Row]:
    """The page's figures, one after another."""
    path = _chromium()
    if path is None:
        yield (
            "the page",
            "not measured: no Chromium",
            "",
            "apt-get install chromium, or set CHROMIUM to its path",
        )
        return
    from playwright.sync_api import sync_playwright

    yield "load of the machine", _load(), "", "1, 5 and 15 minutes, when it began; " + _cores()
    with _served() as (link, process, started), sync_playwright() as tools:
        yield (
            "server answering, s",
            f"{started:.1f}",
            "",
            "from the shell to the link; `pricewar app --no-browser`",
        )
        browser = tools.chromium.launch(executable_path=path, headless=True, args=TAKEN)
        for market in MARKETS:
            with _page(browser, link, market) as page:
                yield from _moves(page, market, 10 if quick else 60)
        with _page(browser, link, MARKETS[0]) as page:
            yield from _drag(page)
            yield from _floors(page, 20 if quick else 60)
        yield from _first(browser, link, 2 if quick else 5)
        with _page(browser, link, MARKETS[0]) as page:
            yield from _memory(page, process, 100 if quick else 1_000)
        browser.close()
    yield "load of the machine at the end", _load(), "", "this benchmark's own work included"


def _moves(page: Any, market: str, count: int) -> Iterator[Row]:
    """Each move from rest: nothing else is asked or answered."""
    _rest(page)
    page.locator(f"#{LEVER}").focus()
    for _ in range(3):
        _press(page)
    page.evaluate("() => { bench.moves = []; bench.bytes = []; }")
    for _ in range(count):
        _press(page)
    moves = page.evaluate("() => bench.moves")
    done = [move for move in moves if move["pictures"]]
    said = f"{len(done)} moves, each from rest, {market}, 200 futures, conduct held"
    first = [move["pictures"][0] for move in done]
    counted = sorted({picture["futures"] for picture in first})
    sizes = page.evaluate("() => bench.bytes")
    whole = [next((p for p in move["pictures"] if p["futures"] == 200), None) for move in done]
    last = [move["pictures"][-1] for move in done]
    starts = [move["input"] for move in done]
    title = f"{market}: input to first picture, ms"
    yield title, _ms([p["drawn"] - at for p, at in zip(first, starts, strict=True)]), f"p95 {AIM}", (
        f"in the document; {said}; of {_numbers(counted)} futures")  # fmt: skip
    yield "the same, painted", _ms([p["painted"] - at for p, at in zip(first, starts, strict=True)]), "", (
        "waits for the next frame of 60 a second")  # fmt: skip
    yield (
        "to the first picture of all 200",
        _ms([p["painted"] - at for p, at in zip(whole, starts, strict=True) if p]),
        f"p95 {AIM}",
        "painted; in china-2024 with openings as in the baseline",
    )
    if any(a is not b for a, b in zip(whole, last, strict=True)):
        spent = [p["painted"] - at for p, at in zip(last, starts, strict=True)]
        yield "to the last picture", _ms(spent), "", "painted; openings decided anew"
    yield "drawing alone", _ms([p["took"] for move in done for p in move["pictures"]]), "", (
        "every picture of these moves; cards in sight of 1360 × 900, titles and key figures")  # fmt: skip
    yield "an answer, kB", f"{statistics.median(sizes) / 1e3:.0f}", "", (
        f"of {len(sizes) / max(len(done), 1):.1f} a move; JSON")  # fmt: skip


def _press(page: Any) -> None:
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(40)
    _rest(page)
    page.wait_for_timeout(450)  # past the time after which what takes longer is asked
    _rest(page)


def _drag(page: Any) -> Iterator[Row]:
    """A hand that does not rest: how often the picture changes, and how old the levers are that it shows."""
    _rest(page)
    page.evaluate("() => { bench.pictures = 0; }")
    took = page.evaluate(DRAG, [120, 30])
    pictures = page.evaluate("() => bench.pictures")
    _rest(page)
    ages = page.evaluate(
        "() => bench.moves.flatMap((move) => move.pictures)"
        ".map((picture) => picture.drawn - bench.at.get(picture.value.toFixed(6)))"
        ".filter((age) => Number.isFinite(age))"
    )
    yield "dragged: pictures a second", f"{pictures / took * 1e3:.1f}", "", (
        f"120 moves, one every 30 ms, {MARKETS[0]}; {took / 1e3:.1f} s")  # fmt: skip
    if ages:
        yield "dragged: age of the levers shown, ms", _ms(ages), "", (
            "from the input event of the value that a picture shows until it is in the document")  # fmt: skip


def _floors(page: Any, count: int) -> Iterator[Row]:
    _rest(page)
    spent = page.evaluate(TRIPS, 200)[10:]
    yield (
        "floor: an empty round trip, ms",
        _ms(spent),
        "",
        "page → server → page, a topic nobody answers; 190 in turn",
    )
    page.evaluate("() => { bench.cached = true; bench.moves = []; }")
    page.locator(f"#{LEVER}").focus()
    for place in range(count + 3):
        page.keyboard.press("ArrowLeft" if place % 2 else "ArrowRight")
        page.wait_for_timeout(60)
        _rest(page)
    moves = [m for m in page.evaluate("() => bench.moves") if m["pictures"]][3:]
    yield (
        "floor: input to picture, answer at hand, ms",
        _ms([m["pictures"][0]["drawn"] - m["input"] for m in moves]),
        "",
        "the last answer given back by the page's own socket: parsing and drawing, no server",
    )
    yield "the same, painted", _ms([m["pictures"][0]["painted"] - m["input"] for m in moves]), "", ""


def _first(browser: Any, link: str, times: int) -> Iterator[Row]:
    """A fresh visitor: nothing kept by the browser, the server warm."""
    ready, picture, sizes = [], [], {}
    for _ in range(times):
        context = browser.new_context(viewport={"width": 1360, "height": 900})
        page = context.new_page()
        page.add_init_script(INSTRUMENT)
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        kinds: dict[str, str] = {}
        found: dict[str, int] = defaultdict(int)

        def begun(event: Any, kinds: dict[str, str] = kinds) -> None:
            library = "/vendor/" in event["response"]["url"]
            kinds[event["requestId"]] = "libraries" if library else event["type"].lower()

        def over(event: Any, kinds: dict[str, str] = kinds, found: dict[str, int] = found) -> None:
            found[kinds.get(event["requestId"], "other")] += int(event["encodedDataLength"])

        session.on("Network.responseReceived", begun)
        session.on("Network.loadingFinished", over)
        page.goto(link + f"#market={MARKETS[0]}")
        page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=WAIT)
        page.wait_for_function("() => bench.pictures > 0", timeout=WAIT)
        page.wait_for_function(REST, timeout=WAIT)
        ready.append(page.evaluate("() => performance.getEntriesByType('navigation')[0].domComplete"))
        picture.append(page.evaluate("() => bench.firstPicture ?? 0"))
        sizes = dict(found)
        context.close()
    total = sum(sizes.values())
    yield "first load, kB", f"{total / 1e3:,.0f}", "", ", ".join(
        f"{kind} {size / 1e3:,.0f}" for kind, size in sorted(sizes.items(), key=lambda kv: -kv[1])
    ) + "; as transferred, uncompressed, without the socket's answers"  # fmt: skip
    yield "first load: document complete, ms", _ms(ready), "", f"{times} fresh visitors, scripts included"
    yield "first load: first picture, ms", _ms(picture), "", "from navigation; drawn, first answer included"


def _memory(page: Any, process: int, count: int) -> Iterator[Row]:
    """Growth of the server and of the page; every move is of values not seen before."""
    session = page.context.new_cdp_session(page)

    def held() -> tuple[float, float]:
        session.send("HeapProfiler.enable")
        session.send("HeapProfiler.collectGarbage")
        heap = page.evaluate("() => performance.memory.usedJSHeapSize")
        metrics = session.send("Runtime.getHeapUsage")
        return _resident(process), metrics.get("usedSize", heap) / 1e6

    def move(place: int) -> None:
        before = page.evaluate("() => bench.pictures")
        page.evaluate(
            """(place) => {
              const set = (id, share) => {
                const slider = document.getElementById(id);
                if (!slider) return;
                const low = Number(slider.min), high = Number(slider.max);
                slider.value = low + (high - low) * share;
                slider.dispatchEvent(new Event("input", {bubbles: true}));
              };
              bench.moves = [];
              set("lever-portability", (place * 0.37) % 1);
              set("lever-price_floor", (place * 0.61803) % 1);
              set("lever-data_sharing", (place * 0.7321) % 1);
            }""",
            place,
        )
        page.wait_for_function("(before) => bench.pictures > before", arg=before, timeout=WAIT)

    _rest(page)
    fresh = held()
    warm = max(count // 10, 10)
    for place in range(1, warm + 1):
        move(place)
    _rest(page)
    early = held()
    began = time.monotonic()
    for place in range(warm + 1, count + 1):
        move(place)
    took = time.monotonic() - began
    _rest(page)
    late = held()
    words = (
        f"MB, resident: fresh {fresh[0]:.0f}, after {warm} moves {early[0]:.0f}, after {count} {late[0]:.0f}"
    )
    yield f"server after {count:,} moves, MB", f"{late[0]:.0f} ({late[0] - early[0]:+.0f})", "", words
    words = f"MB, after garbage is collected: {fresh[1]:.1f}, {early[1]:.1f}, {late[1]:.1f}"
    yield f"page after {count:,} moves, MB", f"{late[1]:.1f} ({late[1] - early[1]:+.1f})", "", words
    yield (
        "of which a move, ms",
        f"{took / (count - warm) * 1e3:.0f}",
        "",
        "the next one at its first picture; three levers at once",
    )


# --- tools ----------------------------------------------------------------------------------------------


@contextmanager
def _served() -> Iterator[tuple[str, int, float]]:
    """A server in a process of its own: its link, its number, seconds until it said the link."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        command = [str(Path(sys.executable).parent / "pricewar"), "app", "--no-browser", "--port", "0"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "XDG_STATE_HOME": folder},
        ) as process:  # fmt: skip
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            try:
                if found is None:
                    raise RuntimeError("the server did not say its link")
                yield found[0], process.pid, time.monotonic() - began
            finally:
                process.terminate()


@contextmanager
def _page(browser: Any, link: str, market: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.add_init_script(INSTRUMENT)
    page.goto(f"{link}#market={market}&futures=200&seed=0")
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    try:
        yield page
    finally:
        context.close()


def _rest(page: Any) -> None:
    page.wait_for_function(REST, timeout=WAIT)


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


def _resident(process: int) -> float:
    """MB that a process holds; NaN where the system does not say."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return float("nan")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text())
    return int(found[1]) / 1e3 if found else float("nan")


def _ms(values: list[float]) -> str:
    if not values:
        return "nothing measured"
    ordered = sorted(values)
    middle, most = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95))
    digits = 0 if ordered[-1] >= 10 else 1
    return (
        f"p50 {middle:.{digits}f}, p95 {most:.{digits}f} ({ordered[0]:.{digits}f} – {ordered[-1]:.{digits}f})"
    )


def _numbers(values: list[int]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _load() -> str:
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return " / ".join(f"{load:.1f}" for load in os.getloadavg())


def _cores() -> str:
    return f"{os.cpu_count()} cores"
