"""Timing of the exact games: each function returns rows (what, figure, unit, aim), best of a few runs.

`python -m bench` prints them. Times are wall-clock, compiled code warm; "floor" rows give the machine's own
speed at the arithmetic that a Newton step cannot avoid, so that a slow machine is not taken for slow code.
"""

from __future__ import annotations

import itertools
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from pricewar.games import continuation, duopoly, learning_bdk2014, learning_bdks2010, learning_many, solvers

Row = tuple[str, float, str, str]

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


def cold_and_warm() -> list[Row]:
    """Cold starts, and the same game solved again after its progress ratio moved by .001."""
    rows: list[Row] = []
    cases = (
        ("BDKS 30×30 (.85, .026)", learning_bdks2010, {}, 28.0, 7.0),
        ("BDKS 30×30 trenchy (.85, .08)", learning_bdks2010, {"delta": 0.08}, None, 7.0),
        ("BDKS 30×30, firms unlike", learning_bdks2010, {"cost_gap": 0.1}, None, None),
        ("BDK 30×30, entry and exit", learning_bdk2014, {}, 28.0, 7.0),
        ("BDKS 120×120 (.85, .026)", learning_bdks2010, {"levels": 120}, 900.0, None),
        ("BDK 120×120, entry and exit", learning_bdk2014, {"levels": 120}, 900.0, None),
        ("three firms 15³", learning_many, {}, 55.0, None),
    )
    for name, paper, parameters, aim, aim_again in cases:

        def cold(paper: Any = paper, parameters: dict[str, Any] = parameters) -> Any:
            return paper.solve(certify=False, **parameters)

        seconds, found = best(cold, 3)
        assert found.result, name
        rows.append((f"{name}, cold", 1e3 * seconds, "ms", "" if aim is None else f"< {aim:g}"))
        engine, y = found.extra["engine"], found.extra["y"]
        moved = found.parameters | {"rho": found.parameters["rho"] + 0.001}

        def again(paper: Any = paper, y: Any = y, moved: dict[str, Any] = moved) -> Any:
            return solvers.newton(paper.build(**moved), y)

        seconds, done = best(again, 3)
        aim_text = "" if aim_again is None else f"< {aim_again:g}"
        rows.append(
            (f"{name}, again after a change", 1e3 * seconds, "ms", aim_text if done.result else "not solved")
        )
        seconds, gain = best(lambda engine=engine, y=y: engine.exploitability(y), 1)
        rows.append((f"{name}, exact exploitability ({gain:.0e})", 1e3 * seconds, "ms", ""))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    rows.append(("largest memory of all the above", peak, "MB", "< 1000"))
    return rows


def branch() -> list[Row]:
    """The BDKS correspondence in the forgetting rate, (0, .2), through its folds."""

    def build(delta: float) -> Any:
        return learning_bdks2010.build(delta=delta)

    start = learning_bdks2010.solve(delta=0.0, certify=False).extra["y"]
    seconds, walk = best(lambda: continuation.trace(build, start, 0.0, 0.0, 0.2), 1)
    rows = [("continuation point at 30×30", 1e3 * seconds / len(walk.values), "ms", "< 12")]
    rows.append(("  points of the branch", len(walk.values), "", ""))
    rows.append(("  folds met", len(walk.folds), "", "6"))
    return rows


def several() -> list[Row]:
    """Search for all equilibria with the stated budget and seed."""
    began = time.perf_counter()
    found = learning_bdk2014.search(budget=40, seed=0, stability=False)
    rows = [("BDK equilibria found, 40 starts, seed 0", len(found), "", "3")]
    rows.append(("  seconds", time.perf_counter() - began, "s", ""))
    return rows


def growth() -> list[Row]:
    """How the cost of one pass and of one Newton step grows with states and firms."""
    rows: list[Row] = []
    for levels in (15, 30, 60, 120):
        game = learning_bdks2010.build(levels=levels)
        y = game.start("nested")
        sweep, _ = best(lambda game=game, y=y: game.image(y), 3)
        newton, _ = best(lambda game=game, y=y: game.direction(y), 2)
        rows.append((f"two firms {levels}², one pass", 1e3 * sweep, "ms", ""))
        rows.append((f"two firms {levels}², one Newton step", 1e3 * newton, "ms", ""))
    for firms, levels in ((2, 15), (3, 15), (4, 10), (5, 7)):
        game = learning_many.build(firms=firms, levels=levels)
        y = game.start()
        sweep, _ = best(lambda game=game, y=y: game.image(y), 3)
        rows.append(
            (f"{firms} firms {levels}^{firms} ({game.size} unknowns), one pass", 1e3 * sweep, "ms", "")
        )
    return rows


def floor() -> list[Row]:
    """The arithmetic of one symmetric Newton step at 30×30 and 120×120, done by plain dense solves."""
    rows: list[Row] = []
    for M in (30, 120):
        rng = np.random.default_rng(0)
        blocks = [(np.eye(2 * n) * 4 + rng.normal(size=(2 * n, 2 * n)), rng.normal(size=(2 * n, 2 * n)))
                  for n in range(1, M + 1)]  # fmt: skip
        with duopoly.one_blas_thread():
            seconds, _ = best(lambda blocks=blocks: [scipy.linalg.solve(A, B) for A, B in blocks], 2)
        flop = sum((2 / 3 + 2) * (2 * n) ** 3 for n in range(1, M + 1))
        rows.append((f"floor: {flop / 1e6:.0f} Mflop of dense blocks ({M}²)", 1e3 * seconds, "ms", ""))
    return rows


def grid(levels: int = 30, limit: float = 600.0) -> list[Row]:
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
    name = f"cold starts {levels}×{levels}"
    return [
        (f"{name}: solved, of {len(times)} tried", len(times) - failed, "", str(len(GRID))),
        (f"{name}: median", 1e3 * float(np.median(times)), "ms", ""),
        (f"{name}: slowest", 1e3 * max(times), "ms", ""),
    ]


def rows(long: bool = False) -> list[Row]:
    """Everything; with `long` also the grid at 60×60."""
    out = [*cold_and_warm(), *branch(), *several(), *growth(), *floor(), *grid(30)]
    return [*out, *grid(60)] if long else out


if __name__ == "__main__":
    for what, figure, unit, aim in rows():
        print(f"{what:60} {figure:10.3f} {unit:3} {aim}")
