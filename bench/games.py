"""The exact games: cold and warm solves, branches, searches, growth, the machine's floor, and peers.

Times are wall-clock, the best of a few runs, compiled code warm. "floor" rows give this machine's speed at
the arithmetic that a Newton step cannot avoid, so that a slow machine is not taken for slow code.
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg

from bench import peers_games
from pricewar.games import continuation, duopoly, learning_bdk2014, learning_bdks2010, learning_many, solvers

Row = tuple[str, str, str, str]

# forgetting × progress ratio × discount factor × cost gap, the same as in tests/replications/test_bdks2010.py
GRID = tuple(
    itertools.product(
        (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2), (0.75, 0.85, 0.95), (1 / 1.05, 0.99), (0.0, 0.1)
    )
)


def best(run: Callable[[], Any], times: int = 5) -> tuple[float, Any]:
    """Least wall time of some runs after one to warm up, seconds, and the last result."""
    answer = run()
    least = np.inf
    for _ in range(times):
        began = time.perf_counter()
        answer = run()
        least = min(least, time.perf_counter() - began)
    return least, answer


def ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 10 else f"{seconds:.3g} s"


def rows(quick: bool) -> Iterator[Row]:
    """Everything; `quick` leaves out the grid and the peer that takes minutes."""
    yield from cold_and_warm()
    yield from branch()
    yield from several()
    yield from fresh(3 if quick else 7)
    yield from growth()
    yield from floor()
    if not quick:
        yield from grid(30)
    yield from peers(["pyblp", "quantecon"] if quick else None)


def cold_and_warm() -> Iterator[Row]:
    """Cold starts; the same game again after its progress ratio moved by .001; exact exploitability."""
    cases = (
        ("BDKS 30×30 (.85, .026)", learning_bdks2010, {}, "< 28 ms", "< 7 ms"),
        ("BDKS 30×30 trenchy (.85, .08)", learning_bdks2010, {"delta": 0.08}, "", "< 7 ms"),
        ("BDKS 30×30, firms unlike", learning_bdks2010, {"cost_gap": 0.1}, "", ""),
        ("BDK 30×30, entry and exit", learning_bdk2014, {}, "< 28 ms", "< 7 ms"),
        ("BDKS 120×120 (.85, .026)", learning_bdks2010, {"levels": 120}, "< 900 ms", ""),
        ("BDK 120×120, entry and exit", learning_bdk2014, {"levels": 120}, "< 900 ms", ""),
        ("three firms 15³", learning_many, {}, "< 55 ms", ""),
    )
    for name, paper, parameters, aim, aim_again in cases:

        def cold(paper: Any = paper, parameters: dict[str, Any] = parameters) -> Any:
            return paper.solve(certify=False, **parameters)

        seconds, found = best(cold, 3)
        words = f"residual {found.residual:.0e}" if found.result else f"NOT solved: {found.result.value}"
        yield f"{name}, cold", ms(seconds), aim, f"{words}; {found.selection}"
        engine, y = found.extra["engine"], found.extra["y"]
        moved = found.parameters | {"rho": found.parameters["rho"] + 0.001}

        def again(paper: Any = paper, y: Any = y, moved: dict[str, Any] = moved) -> Any:
            return solvers.newton(paper.build(**moved), y)

        seconds, done = best(again, 3)
        yield "  again after a change", ms(seconds), aim_again, "ρ + .001" if done.result else "NOT solved"
        seconds, gain = best(lambda engine=engine, y=y: engine.exploitability(y), 1)
        yield "  exact exploitability", ms(seconds), "", f"{gain:.0e}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    yield "largest memory of all the above", f"{peak:.0f} MB", "< 1000 MB", "the whole process"


def branch() -> Iterator[Row]:
    """The BDKS correspondence in the forgetting rate, (0, .2), through its folds."""

    def build(delta: float) -> Any:
        return learning_bdks2010.build(delta=delta)

    start = learning_bdks2010.solve(delta=0.0, certify=False).extra["y"]
    seconds, walk = best(lambda: continuation.trace(build, start, 0.0, 0.0, 0.2), 1)
    words = f"{len(walk.values)} points, {len(walk.folds)} folds, δ from 0 to .2"
    yield "continuation point at 30×30", ms(seconds / len(walk.values)), "< 12 ms", words


def several() -> Iterator[Row]:
    """Search for all equilibria with the stated budget and seed."""
    for name, paper in (("BDK", learning_bdk2014), ("BDKS (.85, .026)", learning_bdks2010)):
        began = time.perf_counter()
        found = paper.search(budget=40, seed=0, stability=False)
        seconds = time.perf_counter() - began
        yield f"search, {name}", f"{len(found)} equilibria, {ms(seconds)}", "3", "40 starts, seed 0"


def fresh(times: int) -> Iterator[Row]:
    """A new process, compiled code in its cache, to the last line of the answer."""
    command = [Path(sys.executable).parent / "pricewar", "solve", "learning-bdk2014", "-q"]
    seconds, _ = best(lambda: subprocess.run(command, check=True, capture_output=True), times)
    yield "`pricewar solve learning-bdk2014`", ms(seconds), "1000 ms", "process start to end, warm cache"


def growth() -> Iterator[Row]:
    """How the cost of one pass and of one Newton step grows with states and firms."""
    for levels in (15, 30, 60, 120):
        game = learning_bdks2010.build(levels=levels)
        y = game.start("nested")
        sweep, _ = best(lambda game=game, y=y: game.image(y), 3)
        newton, _ = best(lambda game=game, y=y: game.direction(y), 2)
        yield f"growth: two firms {levels}²", f"{ms(sweep)}, {ms(newton)}", "", "one pass, one Newton step"
    for firms, levels in ((2, 15), (3, 15), (4, 10), (5, 7)):
        game = learning_many.build(firms=firms, levels=levels)
        y = game.start()
        sweep, _ = best(lambda game=game, y=y: game.image(y), 3)
        newton, _ = best(lambda game=game, y=y: game.direction(y), 1)
        words = f"{game.size:,} unknowns; one pass, one Newton step (GMRES)"
        yield f"growth: {firms} firms, {levels} levels", f"{ms(sweep)}, {ms(newton)}", "", words


def floor() -> Iterator[Row]:
    """The arithmetic of one symmetric Newton step at 30×30 and 120×120, done by plain dense solves."""
    for M in (30, 120):
        rng = np.random.default_rng(0)
        blocks = [(np.eye(2 * n) * 4 + rng.normal(size=(2 * n, 2 * n)), rng.normal(size=(2 * n, 2 * n)))
                  for n in range(1, M + 1)]  # fmt: skip
        with duopoly.one_blas_thread():
            seconds, _ = best(lambda blocks=blocks: [scipy.linalg.solve(A, B) for A, B in blocks], 2)
        flop = sum((2 / 3 + 2) * (2 * n) ** 3 for n in range(1, M + 1))
        yield f"floor: dense blocks of {M}²", ms(seconds), "", f"{flop / 1e6:.0f} Mflop, one BLAS thread"


def grid(levels: int, limit: float = 600.0) -> Iterator[Row]:
    """The 84 cold starts: how many are solved, and their times. Stops after `limit` seconds and says so."""
    began, times, failed = time.perf_counter(), [], 0
    for delta, rho, beta, gap in GRID:
        if time.perf_counter() - began > limit:
            break
        found = learning_bdks2010.solve(
            levels=levels, delta=delta, rho=rho, beta=beta, cost_gap=gap, certify=False
        )
        times.append(found.seconds)
        failed += not found.result
    solved = f"{len(times) - failed} of {len(times)} solved"
    words = f"median {ms(float(np.median(times)))}, slowest {ms(max(times))}"
    yield f"cold starts {levels}×{levels}", solved, f"{len(GRID)} of {len(GRID)}", words


def peers(names: list[str] | None) -> Iterator[Row]:
    """Each peer in its own environment, on the games it can hold."""
    for r in peers_games.measured(names):
        what = f"{r['peer']}: {r['game']}"
        if not np.isfinite(r["peer_s"]):
            yield what, f"ours {ms(r['ours_s'])}; not measured", "", r["note"]
            continue
        figures = f"{ms(r['ours_s'])} against {ms(r['peer_s'])}"
        yield what, figures, "faster", f"{r['times_faster']:.1f} ×; {r['gap_is']} {r['gap']:.0e}"
