"""The market: futures, ensembles, levers, equilibria, growth, first start and memory, beside the floor.

Times are medians of repetitions, with the least and the most; compiled code warm unless it says otherwise.
CPU time holds when other work is on the cores, wall time does not. The floor is what a step cannot
avoid for each cell (type, depth, vendor): an exponential for the choice, one for the leaving and a logarithm
for the surplus, by NumPy's vector code in the cache, timed in turn with the market.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pricewar.market import conduct, definition, textbook
from pricewar.market.model import Market, Run, simulate

Row = tuple[str, str, str, str]
MARKETS = ("global-2025", "china-2024")
MONTHS = 60
DEPTHS = 3


def timed(*runs: Callable[[], Any], times: int, clock: Callable[[], float]) -> list[list[float]]:
    """Seconds of each run, repeated in turn, so that a noisy minute falls on all."""
    spent: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run()
    for _ in range(times):
        for n, run in enumerate(runs):
            began = clock()
            run()
            spent[n].append(clock() - began)
    return spent


def ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def span(seconds: Sequence[float]) -> str:
    return f"{ms(statistics.median(seconds))} ({ms(min(seconds))} – {ms(max(seconds))})"


def long(name: str) -> Market:
    return replace(definition.market(name), months=MONTHS)


def floor(m: Market) -> Callable[[], None]:
    """Two exponentials and a logarithm for every cell and step of one future, in the cache."""
    x = np.full((len(m.types), DEPTHS, len(m.vendors)), 0.5)
    out = np.empty_like(x)

    def run() -> None:
        for _ in range(m.months * m.per_month):
            np.exp(x, out=out)
            np.exp(x, out=out)
            np.log(x, out=out)

    return run


def rows(quick: bool) -> Iterator[Row]:
    """Everything; `quick` leaves out the cold compile and the equilibrium, and repeats less."""
    yield from futures(3 if quick else 7, 16 if quick else 64)
    yield from lever(50 if quick else 200, 3 if quick else 5)
    yield from growth(2 if quick else 4)
    yield from exact(3)
    yield from fresh(3 if quick else 5)
    yield from memory(50 if quick else 200)
    if not quick:
        yield from equilibrium()
        yield from cold()


def futures(times: int, members: int) -> Iterator[Row]:
    """CPU time of a future alone and of one among many, with and without the question who opens."""
    for name in MARKETS:
        market = long(name)
        size = f"{len(market.vendors)} vendors, {len(market.types)} types, {market.per_month} steps a month"
        for peace in (0.0, 1.0):
            if peace and not market.get("market", "peace"):
                continue
            m = market.with_({"peace": peace})
            n = max(4, members // 8) if peace else members
            one, many, least = timed(
                lambda m=m: simulate(m, [0]),
                lambda m=m, n=n: simulate(m, range(n), chunk=-(-n // 2)),
                floor(m),
                times=times,
                clock=time.process_time,
            )
            what = f"{name}, 60 months" + (", with the opening" if peace else "")
            yield what, span(one), "", f"one future, CPU; {size}"
            each = [s / n for s in many]
            ratio = statistics.median(each) / statistics.median(least)
            yield "  one of many", span(each), "", f"CPU per member of {n}; {ratio:.1f} × the floor"
        yield "  floor", span(least), "", "two exponentials and a logarithm a cell and step"


def outcomes(r: Run) -> dict[str, np.ndarray]:
    """[N] a few outcomes by which step lengths are compared."""
    v = r.vendor
    share = v["teams"][:, -1] / v["teams"][:, -1].sum(axis=1, keepdims=True)
    served = v["rental_paid"].sum(axis=(1, 2)) + v["energy_paid"].sum(axis=(1, 2))
    return {
        "concentration": (share**2).sum(axis=1),
        "revenue": v["revenue"].sum(axis=(1, 2)),
        "revenue over serving cost": v["revenue"].sum(axis=(1, 2)) / served,
        "teams": v["teams"][:, -1].sum(axis=1),
        "subsidy": v["subsidy"].sum(axis=(1, 2)),
    }


def lever(members: int, times: int) -> Iterator[Row]:
    """One lever changed with conduct held, in a warm process: all futures run again, three step lengths."""
    market = definition.market("global-2025").with_({"peace": 0.0})
    fine: dict[str, np.ndarray] = {}
    finest = market.per_month
    for per_month in (finest, 2, 1):
        m = replace(market, per_month=per_month)
        changed = m.with_({"portability": 0.8})
        used = time.process_time()
        spent = timed(
            lambda changed=changed: simulate(changed, range(members)), times=times, clock=time.perf_counter
        )[0]
        used = ms((time.process_time() - used) / (times + 1))
        held, moved = outcomes(simulate(m, range(members))), outcomes(simulate(changed, range(members)))
        levels = {key: float(np.median(value)) for key, value in held.items()}
        effects = {key: float(np.median(moved[key] / held[key] - 1.0)) for key in held}
        if per_month == finest:
            fine = {"level": levels, "effect": effects}  # type: ignore[dict-item]
            words = "; ".join(f"{key} {100 * e:+.1f}%" for key, e in effects.items())
            yield (
                f"one lever, {members} futures × {m.months} months",
                span(spent),
                "80 ms",
                f"wall, {os.cpu_count()} cores; CPU {used}; portability 0 → .8, conduct held: {words}",
            )
            continue
        level = "; ".join(f"{k} {100 * (v / fine['level'][k] - 1):+.1f}%" for k, v in levels.items())
        effect = max(abs(e - fine["effect"][k]) for k, e in effects.items())
        words = f"CPU {used}; medians against {finest} steps: {level}; the lever's effects move by up to "
        words += f"{100 * effect:.1f} points"
        yield f"  {per_month} step{'s' if per_month > 1 else ''} a month", span(spent), "80 ms", words


def wider(market: Market, vendors: int, types: int) -> Market:
    """The market with its vendors and types repeated or cut to so many."""
    j, i = np.arange(vendors) % len(market.vendors), np.arange(types) % len(market.types)
    return replace(
        market,
        vendors=tuple(f"v{n}" for n in range(vendors)),
        types=tuple(f"t{n}" for n in range(types)),
        v=market.v[j],
        t=market.t[i],
        chi=market.chi[np.ix_(i, j)],
        eco=market.eco[np.ix_(i, j)],
        uncertain=(),
    )


def growth(times: int) -> Iterator[Row]:
    """How CPU time grows: exponents by least squares on logarithms."""
    market = long("global-2025").with_({"peace": 0.0})
    types, vendors = len(market.types), len(market.vendors)
    cases: dict[str, tuple[Sequence[int], Callable[[int], Market]]] = {
        "vendors": ((4, 8, 16, 32), lambda n: wider(market, n, types)),
        "types of team": ((4, 8, 16, 32), lambda n: wider(market, vendors, n)),
        "months": ((24, 48, 96, 192), lambda n: replace(market, months=n, uncertain=())),
        "steps a month": ((1, 2, 4, 8), lambda n: replace(market, per_month=n, uncertain=())),
    }
    for name, (sizes, make) in cases.items():
        made = [make(n) for n in sizes]
        spent = timed(
            *(lambda m=m: simulate(m, range(4)) for m in made), times=times, clock=time.process_time
        )
        best = [min(s) / 4 for s in spent]
        power = np.polyfit(np.log(sizes), np.log(best), 1)[0]
        figures = " / ".join(f"{1e3 * b:.3g}" for b in best) + " ms"
        words = f"{' / '.join(map(str, sizes))}; time grows with their power {power:.2f}"
        yield f"growth with {name}", figures, "", words


def exact(times: int) -> Iterator[Row]:
    """The market that is an exact game: all equilibria found, and the market's answer at every state."""
    spent = timed(textbook.solve, times=times, clock=time.perf_counter)[0]
    found = textbook.solve()
    words = f"{len(found)} equilibria, largest gap of prices {max(each.gap for each in found):.0e}"
    yield "textbook, solved and compared", span(spent), "2 s", f"wall; {words}"


def fresh(times: int) -> Iterator[Row]:
    """A new process with compiled code in its cache, to its first result."""
    code = (
        "from pricewar.market import definition\n"
        "from pricewar.market.model import simulate\n"
        "simulate(definition.market('global-2025'), [0])\n"
    )
    command = [Path(sys.executable).parent / "pricewar", "simulate", "global-2025", "--seeds", "4"]
    for what, words in (("in Python", [sys.executable, "-c", code]), ("`pricewar simulate`", command)):
        began = time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, timeout=280)
        if done.returncode:
            yield f"fresh process, {what}", "not measured", "2 s", done.stderr.strip()[-120:]
            continue
        spent, before = [], _children()
        for _ in range(times):
            began = time.perf_counter()
            subprocess.run(words, check=True, capture_output=True)
            spent.append(time.perf_counter() - began)
        cpu = (_children() - before) / times
        yield f"fresh process, {what}", span(spent), "2 s", f"wall, start to end, warm cache; CPU {cpu:.2f} s"


def _children() -> float:
    """CPU seconds of the processes started so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory(members: int) -> Iterator[Row]:
    """Peak memory of a process that runs an ensemble, and what its results weigh."""
    code = (
        "import resource\n"
        "from dataclasses import replace\n"
        "from pricewar.market import definition\n"
        "from pricewar.market.model import simulate\n"
        "m = replace(definition.market('global-2025').with_({'peace': 0.0}), months=60)\n"
        "simulate(m, [0])\n"
        "a = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"r = simulate(m, range({members}))\n"
        "b = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(a / 1e3, (b - a) / 1e3)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    least, more = map(float, done.stdout.split())
    words = f"peak with one future, and what {members} futures × 60 months add, every series kept"
    yield "memory", f"{least:.0f} MB + {more:.0f} MB", "", words


def equilibrium(limit: float = 270.0) -> Iterator[Row]:
    """Conduct of all who choose, solved; cancelled when it takes too long."""
    market = definition.market("china-2024")
    what = f"equilibrium, {len(conduct.vendors_that_choose(market))} vendors"
    simulate(market, [0])
    began, used = time.perf_counter(), time.process_time()
    last = ["nothing yet"]

    def progress(stage: str, least: float) -> None:
        last[0] = f"{stage}, exploitability {least:.3f} so far"

    try:
        found = conduct.solve(market, progress=progress, cancel=lambda: time.perf_counter() - began > limit)
    except KeyboardInterrupt:
        spent = time.process_time() - used
        yield what, f"cancelled at {limit:.0f} s", "60 s", f"wall; CPU {spent:.0f} s; {last[0]}"
        return
    spent = time.process_time() - used
    words = (
        f"wall; CPU {spent:.0f} s; {found.evaluations} profiles × {len(found.seeds)} futures; exploitability "
        f"{found.profile.exploitability:.3f}, richer deviations {found.richer:.3f}; "
        f"{len(found.near)} profiles below {found.tolerance}"
    )
    yield what, f"{found.seconds:.0f} s", "60 s", words


def cold() -> Iterator[Row]:
    """Everything compiled in a process with an empty cache; wall and CPU, start included."""
    code = (
        "from pricewar.market import definition\n"
        "from pricewar.market.model import simulate\n"
        "simulate(definition.market('global-2025'), [0])\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        before, began = _children(), time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env=os.environ | {"NUMBA_CACHE_DIR": folder},
            timeout=290,
        )
        wall = time.perf_counter() - began
    spent = _children() - before
    yield (
        "cold compile and first future",
        f"{spent:.0f} s CPU, {wall:.0f} s wall",
        "20 s",
        "empty cache, once",
    )
