"""Solvers for equilibria stated as a fixed point y = T(y), and a search for further equilibria.

| method | step | for |
|---|---|---|
| jacobi | y ← (1 − d) y + d T(y) | the reference: slow, and blind to unstable equilibria |
| gauss-seidel | the same, each unknown used as soon as known | games whose states mostly move one way |
| anderson | T at the best combination of the last iterates (Walker and Ni 2011) | near an equilibrium |
| newton | (I − T'(y)) d = T(y) − y: block elimination, sparse LU or GMRES, as the game has it | precision |
| ptc | (I/τ + I − T') d = T − y, τ growing as the residual falls (Kelley and Keyes 1998) | the rescue |
| default | Newton from a few passes; from many; then ptc; then Anderson | anything |

Different methods select different equilibria from identical inputs: every result says how it was obtained.
References: H. Walker and P. Ni, SIAM J. Numer. Anal. 49(4), 2011; C. T. Kelley and D. Keyes, the same
35(2), 1998.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np

from pricewar.errors import ConfigurationError, SolverError, did_you_mean
from pricewar.games.solution import Interrupted, Result

Array = np.ndarray
Progress = Callable[[str, int, float], None]


class FixedPoint(Protocol):
    """What a game offers to the solvers. Vectors are 1-d float arrays of length `size`; beta discounts."""

    size: int
    beta: float

    def start(self, kind: str = ..., rng: np.random.Generator | None = ...) -> Array: ...

    def image(self, y: Array) -> Array:
        """T(y)."""
        ...

    def relax(self, y: Array, damping: float = ...) -> Array:
        """One Gauss-Seidel pass."""
        ...

    def direction(self, y: Array, shift: float = ..., columns: Array | None = ...) -> tuple[Array, Array]:
        """T(y) − y, and ((1 + shift) I − T'(y))⁻¹ applied to it and to `columns`; LinAlgError if singular."""
        ...

    def guard(self, y: Array, move: Array) -> Array:
        """y + move, altered where the game knows that a full Newton step is unwise."""
        ...


@dataclass(frozen=True, eq=False)
class Iterate:
    """Where a solver stopped: the point, its residual max|T(y) − y|, what happened and what it cost."""

    y: Array
    residual: float
    result: Result
    method: str
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def begin(
    game: FixedPoint, kind: str, rng: np.random.Generator | None = None, more: Sequence[str] = ()
) -> Array:
    """A starting point: "static" (prices of a game that ends today), "zero", or "random".

    Raises:
        SolverError: another word, or "random" without a generator. `more`: words the game knows besides.
    """
    zero = np.zeros(game.size)
    if kind == "zero":
        return zero
    if kind == "static":
        return game.image(zero)
    if kind == "random" and rng is not None:
        base = game.image(zero) / (1 - game.beta)
        return base * rng.uniform(0.0, 2.0) + 0.1 * rng.normal(size=game.size) * np.abs(base).mean()
    words = ", ".join(("static", "zero", *more))
    raise SolverError(f"no start is called “{kind}”", remedy=f"{words}, or random with a seed")


def _size(F: Array) -> float:
    return float(np.max(np.abs(F)))


def sweep(
    game: FixedPoint,
    y: Array,
    *,
    at_once: bool,
    tolerance: float = 1e-11,
    limit: int = 5000,
    damping: float = 1.0,
    progress: Progress | None = None,
) -> Iterate:
    """Value iteration: all states `at_once` (Jacobi), or each used as soon as it is known (Gauss-Seidel).

    damping 1 is undamped. The final residual is that of T itself.
    """
    method = "jacobi" if at_once else "gauss-seidel"
    began, best, since = time.perf_counter(), np.inf, 0
    result, residual, k = Result.OUT_OF_ITERATIONS, np.inf, 0
    for k in range(1, limit + 1):
        if at_once:
            move = game.image(y) - y
            new, residual = y + damping * move, _size(move)
        else:
            new = game.relax(y, damping)
            residual = _size(new - y) / damping
        if progress:
            progress(method, k, residual)
        if not np.isfinite(residual):
            result = Result.DIVERGED
            break
        if residual <= tolerance:
            result = Result.SOLVED
            break
        y = new
        if residual < 0.99 * best:
            best, since = residual, 0
        else:
            since += 1
            if since >= 300:
                result = Result.CYCLES
                break
    if not at_once:
        residual = _size(game.image(y) - y)
    return Iterate(y, residual, result, method, {"passes": k}, time.perf_counter() - began)


jacobi = partial(sweep, at_once=True)
gauss_seidel = partial(sweep, at_once=False)


def anderson(
    game: FixedPoint,
    y: Array,
    *,
    tolerance: float = 1e-11,
    limit: int = 1000,
    memory: int = 8,
    progress: Progress | None = None,
) -> Iterate:
    """Anderson acceleration of T. Forgets its history when the residual explodes; keeps the best point."""
    began = time.perf_counter()
    n = y.size
    dF, dG = np.empty((memory, n)), np.empty((memory, n))
    gram = np.zeros((memory, memory))
    held, k, restarts = 0, 0, 0
    F = game.image(y) - y
    residual = _size(F)
    best_y, best = y, residual
    result = Result.OUT_OF_ITERATIONS
    while True:
        if not np.isfinite(residual):
            if restarts >= 3:
                result = Result.DIVERGED
                break
            y, held, restarts = best_y, 0, restarts + 1
            F = game.image(y) - y
            residual = _size(F)
        if progress:
            progress("anderson", k, residual)
        if residual < best:
            best_y, best = y, residual
        if residual <= tolerance:
            result = Result.SOLVED
            break
        if k >= limit:
            break
        if residual > 1e4 * best:
            held = 0
        rows = min(held, memory)
        if rows:
            # normal equations, regularised: memory is small and the combination need not be exact
            A, b = gram[:rows, :rows], dF[:rows] @ F
            ridge = 1e-14 * np.trace(A) * np.eye(rows)
            weights = np.linalg.solve(A + ridge, b)
            new = y + F - weights @ dG[:rows]
        else:
            new = y + F
        fresh = game.image(new) - new
        slot = held % memory
        dF[slot], dG[slot] = fresh - F, (new - y) + (fresh - F)
        rows = min(held + 1, memory)
        gram[slot, :rows] = dF[:rows] @ dF[slot]
        gram[:rows, slot] = gram[slot, :rows]
        held += 1
        k += 1
        y, F = new, fresh
        residual = _size(F)
    return Iterate(best_y, best, result, "anderson", {"passes": k + 1}, time.perf_counter() - began)


def newton(
    game: FixedPoint,
    y: Array,
    *,
    tolerance: float = 1e-11,
    limit: int = 40,
    progress: Progress | None = None,
) -> Iterate:
    """Newton's method with full steps, cut only where the game is undefined.

    The residual may rise on the way: far from a solution a full step often pays where a descent would stall.
    """
    began = time.perf_counter()
    result, residual, k, evaluations = Result.OUT_OF_ITERATIONS, np.inf, 0, 0
    previous, move = y, np.zeros_like(y)
    best_y, best = y, np.inf
    for k in range(limit + 1):
        for _ in range(8):
            evaluations += 1
            try:
                F, D = game.direction(y)
                break
            except np.linalg.LinAlgError:
                move = 0.5 * move
                y = previous + move
        else:
            result = Result.SINGULAR
            break
        residual = _size(F)
        if progress:
            progress("newton", k, residual)
        if not np.isfinite(residual):
            result = Result.DIVERGED
            break
        if residual < best:
            best_y, best = y, residual
        if residual <= tolerance:
            result = Result.SOLVED
            break
        if residual > 1e12:
            result = Result.DIVERGED
            break
        previous, move = y, D[:, 0]
        y = game.guard(y, move)
    counts = {"newton steps": k, "evaluations": evaluations}
    return Iterate(best_y, best, result, "newton", counts, time.perf_counter() - began)


def ptc(
    game: FixedPoint,
    y: Array,
    *,
    tolerance: float = 1e-11,
    limit: int = 400,
    tau: float = 1.0,
    progress: Progress | None = None,
) -> Iterate:
    """Pseudo-transient continuation: implicit Euler on dy/dτ = T(y) − y with steps that grow to Newton's."""
    began = time.perf_counter()
    result, residual, k = Result.OUT_OF_ITERATIONS, np.inf, 0
    before, refused = np.inf, 0
    best_y, best = y, np.inf
    for k in range(limit + 1):
        try:
            F, D = game.direction(y, 1.0 / tau)
        except np.linalg.LinAlgError:
            tau, y, refused = 0.1 * tau, best_y, refused + 1
            if refused > 10:
                result = Result.SINGULAR
                break
            continue
        residual = _size(F)
        if progress:
            progress("ptc", k, residual)
        if residual < best:
            best_y, best = y, residual
        if residual <= tolerance:
            result = Result.SOLVED
            break
        if np.isfinite(before):
            tau = float(np.clip(tau * np.clip(before / residual, 0.3, 4.0), 1e-3, 1e12))
        before = residual
        y = y + D[:, 0]
    return Iterate(best_y, best, result, "ptc", {"ptc steps": k}, time.perf_counter() - began)


def default(
    game: FixedPoint,
    y: Array,
    *,
    tolerance: float = 1e-11,
    progress: Progress | None = None,
) -> Iterate:
    """Newton from a few damped passes; else from many; else pseudo-transient continuation; else Anderson.

    Cheap attempts come first. Over the 84 cold starts of learning and forgetting the first alone solves about
    half of the cases, with the second all but a handful, with the third all.
    """
    began = time.perf_counter()
    counts: dict[str, int] = {}
    names: list[str] = []

    def attempt(method: Callable[..., Iterate], y: Array, **options: float) -> Iterate:
        done = method(game, y, progress=progress, **{"tolerance": tolerance, **options})
        for name, count in done.counts.items():
            counts[name] = counts.get(name, 0) + count
        names.append(done.method)
        return done

    def finish(done: Iterate) -> Iterate:
        result = done.result if done.result else Result.STALLED
        seconds = time.perf_counter() - began
        return Iterate(done.y, done.residual, result, " → ".join(names), counts, seconds)

    best: Iterate | None = None
    for damping, passes, steps, close in ((0.7, 8, 12, tolerance), (1.0, 300, 20, 1e-3)):
        swept = attempt(gauss_seidel, y, limit=passes, damping=damping, tolerance=close)
        done = attempt(newton, swept.y, limit=steps)
        if done.result:
            return finish(done)
        if np.all(np.isfinite(swept.y)):
            best = done if best is None or done.residual < best.residual else best
            y = swept.y
    static = game.start("static")
    for method, point, options in (
        (ptc, y, {"tau": 10.0, "limit": 150}),
        (ptc, static, {"tau": 3.0, "limit": 200}),
        (ptc, static, {"tau": 0.1, "limit": 300}),
        (anderson, static, {}),
    ):
        done = attempt(method, point, **options)
        if done.result:
            return finish(done)
        best = done if best is None or done.residual < best.residual else best
    assert best is not None
    return finish(best)


METHODS: dict[str, Callable[..., Iterate]] = {
    "default": default,
    "jacobi": jacobi,
    "gauss-seidel": gauss_seidel,
    "anderson": anderson,
    "newton": newton,
    "ptc": ptc,
}


def run(game: FixedPoint, y: Array, method: str = "default", **options: object) -> Iterate:
    """Run the method of that name.

    Raises:
        ConfigurationError: no such method.
    """
    if method not in METHODS:
        raise ConfigurationError(
            f"no method is called “{method}”",
            remedy=did_you_mean(method, METHODS) or f"known: {', '.join(METHODS)}",
        )
    return METHODS[method](game, y, **options)


@dataclass(frozen=True, eq=False)
class Found:
    """One equilibrium found by `search`: where it stopped, and the start that led to it."""

    iterate: Iterate
    start: str


def search(
    game: FixedPoint,
    *,
    budget: int = 60,
    seed: int = 0,
    tolerance: float = 1e-11,
    apart: float = 1e-6,
    progress: Progress | None = None,
) -> tuple[list[Found], dict[str, int]]:
    """Equilibria reached by Newton's method from many starts; nothing is known beforehand.

    Starts: the default solver, 300 Gauss-Seidel passes; then, in turn, passes stopped early (Newton from an
    unconverged sweep often lands on an equilibrium that no iteration converges to); and mixtures of two
    solutions found so far, among them the points of the border between their basins.

    Args:
        budget: number of starts. seed: of all random choices. apart: two solutions are the same when they
            differ by no more than this at every state.

    Returns:
        what was found, in the order found, and counts: starts, newton steps, failed.

    Raises:
        Interrupted: by the user; `partial` holds what was found so far, and the number of starts.
    """
    found: list[Found] = []
    counts = {"starts": 0, "newton steps": 0, "failed": 0}
    try:
        _search(game, budget, np.random.default_rng(seed), tolerance, apart, progress, found, counts)
    except KeyboardInterrupt:
        raise Interrupted((found, counts["starts"])) from None
    return found, counts


def _search(
    game: FixedPoint,
    budget: int,
    rng: np.random.Generator,
    tolerance: float,
    apart: float,
    progress: Progress | None,
    found: list[Found],
    counts: dict[str, int],
) -> None:
    """Fills `found` and `counts`, so that what was found survives an interruption."""

    def keep(done: Iterate, start: str) -> None:
        counts["starts"] += 1
        counts["newton steps"] += done.counts.get("newton steps", 0)
        if not done.result:
            counts["failed"] += 1
        elif all(_size(done.y - other.iterate.y) > apart for other in found):
            found.append(Found(done, start))
        if progress:
            progress("search", counts["starts"], float(len(found)))

    keep(default(game, game.start("static"), tolerance=tolerance), "static start, default method")
    for damping in (1.0, 0.5):
        swept = gauss_seidel(game, game.start("static"), limit=300, damping=damping, tolerance=1e-3)
        if np.all(np.isfinite(swept.y)):
            start = (
                f"{swept.counts['passes']} Gauss-Seidel passes (damping {damping:g}) from the static start"
            )
            keep(newton(game, swept.y, tolerance=tolerance, limit=25), start)
    done_pairs: set[tuple[int, int]] = set()
    while counts["starts"] < budget:
        turn = counts["starts"] % 4
        fresh = [(i, j) for j in range(len(found)) for i in range(j) if (i, j) not in done_pairs]
        if fresh:
            i, j = fresh[0]
            done_pairs.add((i, j))
            for y, passes in _edge(game, found[i].iterate.y, found[j].iterate.y):
                start = (
                    f"{passes} passes along the border between the basins of solutions {i + 1} and {j + 1}"
                )
                keep(newton(game, y, tolerance=tolerance, limit=25), start)
            continue
        if turn == 2 and len(found) >= 2:
            i, j = rng.choice(len(found), 2, replace=False)
            weight, passes = float(rng.uniform(-1.5, 2.5)), int(rng.integers(0, 8))
            y = (1 - weight) * found[i].iterate.y + weight * found[j].iterate.y
            for _ in range(passes):
                y = game.relax(y, 0.7)
            start = f"mixture {weight:.3f} of solutions {i + 1} and {j + 1}, {passes} passes"
            keep(newton(game, y, tolerance=tolerance, limit=25), start)
            continue
        damping = (1.0, 0.7, 0.5)[rng.integers(3)]
        passes = int(np.exp(rng.uniform(np.log(2), np.log(150))))
        kind = "random" if turn == 1 else "static"
        y = game.start(kind, rng)
        for _ in range(passes):
            y = game.relax(y, damping)
            if not np.all(np.isfinite(y)):
                break
        if not np.all(np.isfinite(y)):
            counts["starts"] += 1
            counts["failed"] += 1
            continue
        start = f"{passes} Gauss-Seidel passes (damping {damping:g}) from the {kind} start"
        keep(newton(game, y, tolerance=tolerance, limit=25), start)


def _edge(game: FixedPoint, a: Array, b: Array) -> list[tuple[Array, int]]:
    """Points along the border between the basins of two solutions, with the passes that led to each.

    Damped passes from a mixture lead to one solution or the other; the weight between is bisected. From the
    border they lead first towards a saddle, which is an equilibrium that iteration leaves again.
    """

    def walk(weight: float, passes: int) -> list[Array]:
        points = [(1 - weight) * a + weight * b]
        for _ in range(passes):
            points.append(game.relax(points[-1], 0.7))
        return points

    low, high = 0.0, 1.0
    for _ in range(24):
        weight = 0.5 * (low + high)
        end = walk(weight, 60)[-1]
        if np.all(np.isfinite(end)) and np.linalg.norm(end - a) < np.linalg.norm(end - b):
            low = weight
        else:
            high = weight
    points = walk(0.5 * (low + high), 60)
    picks = (0, 6, 12, 18, 25, 32, 40, 50, 60)
    return [(points[k], k) for k in picks if np.all(np.isfinite(points[k]))]
