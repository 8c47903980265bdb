"""The buyer's desk: reading and billing, against peers, against the scan of the file, and at size.

Each measurement runs in a process of its own, so that none finds what another left behind. CPU seconds are
user and system time of all threads.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import log as logs
from bench import peers

ONE = "openai/gpt-5-mini"
LIMITED = "groq/qwen3.8-27b-free"
BIN = Path(sys.executable).parent
Row = tuple[str, str, str, str]


def rows(quick: bool) -> Iterator[Row]:
    """The desk's figures, one after another."""
    path = logs.made(1_000_000)
    size = path.stat().st_size / 10**6
    yield "the log", "1,000,000 rows", "", f"75 days, 30 models, seeded; {size:.1f} MB of Parquet"
    genai = None
    sample = _sample(path, 5_000 if quick else 20_000)
    for peer in peers.PEERS:
        found = peers.measure(peer, sample)
        if "why" in found:
            yield f"{peer}", f"not measured: {found['why']}", "", ""
            continue
        rate = found["priced"] / found["seconds"]
        genai = rate if peer == "genai-prices" else genai
        missing = 1 - found["priced"] / found["rows"]
        words = f"{found['version']}, best of 3 on {found['rows']:,} rows"
        yield f"{peer}, rows per CPU second", f"{rate:,.0f}", "", words + f"; {missing:.1%} without a price"
    yield from _one(path, genai, 5 if quick else 15)
    yield from _many(path, 1 if quick else 3)
    yield from _stream(5_000_000 if quick else 100_000_000)
    yield from _start(path)


def _one(path: Path, genai: float | None, times: int) -> Iterator[Row]:
    found = _apart("one", path, times)
    scan = found["scan"]
    yield (
        "scan of the file, ms",
        _spread([s * 1e3 for s in scan], "{:.0f}"),
        "",
        "polars reads the six needed columns and sums the counts: the floor of anything that looks at them",
    )
    counted = {
        "logged": "each row at the list price of its own model: what the peers do",
        "one": f"that, and {ONE} as low, middle and high (three counts of every row)",
    }
    for name, words in counted.items():
        title = "as logged" if name == "logged" else "one stateless offer"
        spent = found[name]
        rates = [1e6 / s for s in spent]
        yield f"{title}, rows per CPU second", _spread(rates, "{:,.0f}"), "", words
        if genai is not None:
            yield f"{title} ÷ genai-prices", _spread([r / genai for r in rates], "{:.0f} ×"), "≥ 200 ×", ""
        ratios = [a / b for a, b in zip(spent, scan, strict=True)]
        yield f"{title} ÷ scan", _spread(ratios, "{:.1f} ×"), "≤ 6 ×", "read and billed; pairs taken in turn"
    floor = (
        "the counts are woven into 64 B a row, read once for each way of counting; sums are kept by cell, so "
        "price and money are touched once a cell, not once a row"
    )
    yield "of which: one count of every row, ns a row", f"{found['cells']:.1f}", "", floor


def _many(path: Path, times: int) -> Iterator[Row]:
    found = _apart("many", path, times)
    share = f"{found['stateful']} of {found['offers']} offers with limits or allowances"
    share += f" (catalogue: {found['all_stateful']} of {found['all']})"
    yield "1 M rows × 200 offers, s", _spread(found["seconds"], "{:.1f}"), "< 15", "wall; " + share
    yield "the same, CPU s", _spread(found["cpu"], "{:.1f}"), "", ""
    what = (
        f"{LIMITED}: per row 4 limits × (8 meters, 1 window, 1 comparison) and as much again where it is "
        "served: about 100 operations, 100 B read"
    )
    yield "stateful pass, ns a row", f"{found['pass']:.0f}", "", what
    began = time.monotonic()
    command = [str(BIN / "pricewar"), "bill", str(path), "--quiet"]
    for offer in found["ids"]:
        command += ["--offers", offer]
    subprocess.run(command, check=True, capture_output=True)
    yield "the same by `pricewar bill`, s", f"{time.monotonic() - began:.1f}", "", "wall, from the shell"


def _stream(count: int) -> Iterator[Row]:
    logs.DATA.mkdir(exist_ok=True)
    free = shutil.disk_usage(logs.DATA).free
    room = int(free // 40)  # twice the file while it is put together, and as much again to spare
    note = ""
    if room < count:
        count, note = room // 10**6 * 10**6, f"; only {free / 1e9:.0f} GB of disk are free"
    title = f"{count / 1e6:.0f} M rows streamed"
    if count < 10**6:
        yield title, "not measured: too little disk", "", ""
        return
    made = subprocess.run([sys.executable, "-m", "bench.desk", "make", str(count)], check=True,
                          capture_output=True, text=True, cwd=Path(__file__).parent.parent)  # fmt: skip
    path = Path(made.stdout.strip())
    try:
        found = _apart("stream", path)
    finally:
        path.unlink()
    words = f"{ONE} and {LIMITED}; process high-water mark{note}"
    yield f"{title}: peak memory, GB", f"{found['peak']:.2f}", "< 2", words
    each = count / found["seconds"]
    words = "wall; read twice: once for the account, once to bill"
    yield f"{title}: s", f"{found['seconds']:.0f} ({each:,.0f} rows/s)", "", words


def _start(path: Path) -> Iterator[Row]:
    def best(command: list[str]) -> float:
        spent = []
        for _ in range(5):
            began = time.monotonic()
            subprocess.run(command, check=True, capture_output=True)
            spent.append(time.monotonic() - began)
        return min(spent)

    yield "`pricewar --help`, s", f"{best([str(BIN / 'pricewar'), '--help']):.2f}", "< 0.3", "wall, best of 5"
    yield (
        "python -c pass, s",
        f"{best([sys.executable, '-c', 'pass']):.2f}",
        "",
        "the same of Python alone",
    )
    yield "import pricewar, s", f"{best([sys.executable, '-c', 'import pricewar']):.2f}", "", "best of 5"
    began = time.monotonic()
    with subprocess.Popen(
        [str(BIN / "pricewar"), "bill", str(path)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as child:
        assert child.stderr is not None
        child.stderr.read(1)
        first = time.monotonic() - began
        child.terminate()
    yield "first line of progress, s", f"{first:.2f}", "< 2", "`pricewar bill`, wall"


def _sample(path: Path, count: int) -> Path:
    import polars as pl

    frame = pl.read_parquet(path).gather_every(1_000_000 // count)
    out = logs.DATA / "sample.json"
    out.write_text(json.dumps([[t.isoformat(), *rest] for t, *rest in frame.iter_rows()]))
    return out


def _spread(values: list[float], form: str) -> str:
    if len(values) == 1:
        return form.format(values[0])
    shown = [form.format(v) for v in (min(values), statistics.median(values), max(values))]
    return f"{shown[1]}  ({shown[0]} – {shown[2]})"


# --- in a process of their own --------------------------------------------------------------------------


def _apart(name: str, path: Path, *rest: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.desk", name, str(path), *map(str, rest)],
        check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    return json.loads(done.stdout)


def one(path: Path, times: int) -> dict[str, Any]:
    """CPU seconds of the scan, the bill as logged and the bill on one offer, in turn."""
    import numpy as np
    import polars as pl

    from pricewar.billing.batch import Assumptions, Batch, View
    from pricewar.billing.desk import compare
    from pricewar.offers.catalogue import load_catalogue
    from pricewar.usage.read import read

    catalogue = load_catalogue(None)
    offer = catalogue.offer(ONE)

    def scan() -> None:
        frame = pl.read_parquet(path, columns=list(logs.NEEDED))
        frame.select(pl.col("input_tokens", "cached_tokens", "output_tokens").sum())

    steps = {
        "scan": scan,
        "logged": lambda: compare(read(path), catalogue, []),
        "one": lambda: compare(read(path), catalogue, [offer]),
    }
    found: dict[str, Any] = {name: [] for name in steps}
    for i in range(times + 1):
        for name, step in steps.items():
            began = time.process_time()
            step()
            if i:  # the first round compiles and fills caches
                found[name].append(time.process_time() - began)
    frame = read(path).frame()
    batch = Batch.of(frame, {}, {"standard": 0})
    spent = []
    for _ in range(5):
        began = time.process_time()
        View(batch, Assumptions(), frozenset(), [200_000])
        spent.append(time.process_time() - began)
    found["cells"] = float(np.min(spent)) / len(frame) * 1e9
    return found


def mix(catalogue: Any, count: int) -> tuple[list[Any], dict[str, int]]:
    """Offers at even steps through what `bill` compares, with the catalogue's share of stateful ones."""
    from pricewar.billing.choice import comparable
    from pricewar.billing.tariff import tariff

    offers = comparable(catalogue)
    stateful = [o for o in offers if (t := tariff(o)) is not None and t.stateful]
    ids = {o.id for o in stateful}
    plain = [o for o in offers if o.id not in ids]
    part = round(count * len(stateful) / len(offers))

    def steps(these: list[Any], n: int) -> list[Any]:
        return [these[i * len(these) // n] for i in range(n)]

    counted = {"offers": count, "stateful": part, "all": len(offers), "all_stateful": len(stateful)}
    return steps(stateful, part) + steps(plain, count - part), counted


def many(path: Path, times: int) -> dict[str, Any]:
    """Wall and CPU seconds of reading and billing on 200 offers; the compiled pass alone, by the row."""
    from pricewar.billing import kernel
    from pricewar.billing.desk import compare
    from pricewar.offers.catalogue import load_catalogue
    from pricewar.usage.read import read

    catalogue = load_catalogue(None)
    offers, found = mix(catalogue, 200)
    compare(read(path), catalogue, offers[:1])
    seconds, cpu = [], []
    for _ in range(times):
        began, spent = time.perf_counter(), time.process_time()
        compare(read(path), catalogue, offers)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    compiled, passes = kernel.run, []

    def timed(*arguments: Any) -> None:
        began = time.thread_time()
        compiled(*arguments)
        passes.append((time.thread_time() - began) / len(arguments[0]))

    kernel.run = timed
    for _ in range(2):
        compare(read(path), catalogue, [catalogue.offer(LIMITED)])
    ids = [o.id for o in offers]
    return {**found, "seconds": seconds, "cpu": cpu, "ids": ids, "pass": min(passes) * 1e9}


def stream(path: Path) -> dict[str, Any]:
    """Seconds and peak memory of one stateless and one stateful offer on a log larger than memory."""
    from pricewar.billing.desk import compare
    from pricewar.offers.catalogue import load_catalogue
    from pricewar.usage.read import read

    catalogue = load_catalogue(None)
    began = time.perf_counter()
    compare(read(path), catalogue, [catalogue.offer(ONE), catalogue.offer(LIMITED)])
    return {"seconds": time.perf_counter() - began, "peak": _peak() / 1e9}


def _peak() -> int:
    """The most memory this process ever held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    if name == "make":
        print(logs.made(int(rest[0])))
    else:
        done = {"one": one, "many": many, "stream": stream}[name](Path(rest[0]), *map(int, rest[1:]))
        json.dump(done, sys.stdout)
