"""Pseudo-arclength continuation: a branch of equilibria followed through its folds as a parameter moves.

H. B. Keller, "Numerical solution of bifurcation and nonlinear eigenvalue problems", 1977; for dynamic games
R. Borkovsky, U. Doraszelski and Y. Kryukov, Operations Research 58(4), 2010. With F(y, λ) = T_λ(y) − y = 0
and the unit tangent t = (t_y, t_λ), predict z + h t, then correct by Newton on F = 0 and
t·(z − z_predicted) = 0. One block elimination gives both columns of a correction, (I − T')⁻¹F and
(I − T')⁻¹∂T/∂λ, with ∂T/∂λ by central differences.

A fold is where t_λ changes sign. A branch ends at the edge of the range, when it closes on itself, or when
steps become too small; it says which. Steps are refused when the tangent turns more than `turn`, so that near
a fold the corrector does not jump to a neighbouring branch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pricewar.games import solvers
from pricewar.games.solution import Interrupted, Picture, Table
from pricewar.games.solvers import FixedPoint, Progress

Array = np.ndarray
Build = Callable[[float], FixedPoint]


@dataclass(frozen=True, eq=False)
class Branch:
    """Points of one branch in order: values of the parameter (k,), unknowns (k, size), residuals (k,).

    folds: values of the parameter at which it turns back. ends: why it stopped, at its first and last point:
    "range", "loop", "steps" or "step too small".
    """

    parameter: str
    values: Array
    points: Array
    residuals: Array
    folds: tuple[float, ...]
    ends: tuple[str, str]
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def at(self, value: float, build: Build, tolerance: float = 1e-11) -> list[Array]:
        """Every point of the branch at that value: its crossings, corrected by Newton's method."""
        found: list[Array] = []
        game = build(value)
        for a in range(len(self.values) - 1):
            low, high = sorted(self.values[a : a + 2])
            if not low <= value <= high:
                continue
            span = self.values[a + 1] - self.values[a]
            weight = 0.5 if span == 0 else (value - self.values[a]) / span
            y = (1 - weight) * self.points[a] + weight * self.points[a + 1]
            done = solvers.newton(game, y, tolerance=tolerance, limit=12)
            if done.result and all(np.max(np.abs(done.y - other)) > 1e-7 for other in found):
                found.append(done.y)
        return found


def trace(
    build: Build,
    y: Array,
    value: float,
    low: float,
    high: float,
    *,
    parameter: str = "parameter",
    step: float = 0.01,
    largest: float = 0.04,
    smallest: float = 1e-6,
    turn: float = 0.25,
    limit: int = 2000,
    both: bool = True,
    tolerance: float = 1e-11,
    progress: Progress | None = None,
) -> Branch:
    """Follow the branch through the equilibrium y at `value`, within [low, high].

    Args:
        build: parameter → game. y: an equilibrium at `value`.
        step, largest, smallest: arclength of a step, in a metric where [low, high] has length one and the
            start's unknowns have root mean square one. turn: largest angle between tangents, radians.
        limit: points in each direction. both: follow it both ways from the start.
    """
    began = time.perf_counter()
    walk = _Walk(build, y, value, low, high, tolerance)
    forward, end = walk.follow(1.0, step, largest, smallest, turn, limit, parameter, progress)
    backward: list[tuple[float, Array, float]] = []
    start_end = "start"
    if both and end != "loop":
        backward, start_end = walk.follow(-1.0, step, largest, smallest, turn, limit, parameter, progress)
    elif end == "loop":
        start_end = "loop"
    chain = [*reversed(backward), (value, y, walk.first_residual), *forward]
    counts = {"points": len(chain), "corrections": walk.corrections, "refused": walk.refused}
    return Branch(
        parameter,
        np.array([c[0] for c in chain]),
        np.array([c[1] for c in chain]),
        np.array([c[2] for c in chain]),
        tuple(sorted(walk.folds)),
        (start_end, end),
        counts,
        time.perf_counter() - began,
    )


class _Walk:
    """The state of one continuation: metric, counters and the folds met so far."""

    def __init__(
        self, build: Build, y: Array, value: float, low: float, high: float, tolerance: float
    ) -> None:
        self.build, self.low, self.high, self.tolerance = build, low, high, tolerance
        self.y0, self.value0 = y, value
        self.unit = max(float(np.sqrt(np.mean(y**2))), 1e-12) * np.sqrt(y.size)  # length one in y
        self.span = high - low
        self.corrections = self.refused = 0
        self.folds: list[float] = []
        self.slope = np.zeros_like(y)
        F, _ = self._solve(y, value)
        self.first_residual = float(np.max(np.abs(F)))

    def _solve(self, y: Array, value: float, renew: bool = True) -> tuple[Array, Array]:
        """F and the columns (I − T')⁻¹F, (I − T')⁻¹∂T/∂λ; without `renew` the last ∂T/∂λ is kept."""
        if renew:
            h = 1e-6 * self.span
            up, down = min(value + h, self.high), max(value - h, self.low)
            self.slope = (self.build(up).image(y) - self.build(down).image(y)) / (up - down)
        self.corrections += 1
        return self.build(value).direction(y, 0.0, self.slope[:, None])

    def _tangent(self, column: Array, like: tuple[Array, float] | None, sign: float) -> tuple[Array, float]:
        """Unit tangent in the metric, oriented like the last one (or with dλ of that sign)."""
        ty, tv = column / self.unit, 1.0 / self.span
        norm = float(np.sqrt(ty @ ty + tv * tv))
        ty, tv = ty / norm, tv / norm
        forward = sign if like is None else np.sign(ty @ like[0] + tv * like[1])
        return forward * ty, float(forward * tv)

    def _correct(
        self, y: Array, value: float, t: tuple[Array, float]
    ) -> tuple[Array, float, Array, float, int]:
        """Newton on F = 0 within the plane through (y, value) normal to t."""
        base_y, base_value = y, value
        for k in range(8):
            F, D = self._solve(y, value, renew=k < 2)
            residual = float(np.max(np.abs(F)))
            if residual <= self.tolerance:
                return y, value, D[:, 1], residual, k
            if not np.isfinite(residual) or residual > 1e6:
                break
            off = t[0] @ ((y - base_y) / self.unit) + t[1] * (value - base_value) / self.span
            change = -(off + t[0] @ D[:, 0] / self.unit) / (t[0] @ D[:, 1] / self.unit + t[1] / self.span)
            new = value + change
            if not self.low - 0.1 * self.span <= new <= self.high + 0.1 * self.span:
                break
            y, value = (
                y + D[:, 0] + change * D[:, 1],
                float(np.clip(new, self.low, self.high)),
            )
        raise np.linalg.LinAlgError("the corrector does not converge")

    def follow(
        self,
        sign: float,
        step: float,
        largest: float,
        smallest: float,
        turn: float,
        limit: int,
        name: str,
        progress: Progress | None,
    ) -> tuple[list[tuple[float, Array, float]], str]:
        y, value = self.y0, self.value0
        _, D = self._solve(y, value)
        t = self._tangent(D[:, 1], None, sign)
        chain: list[tuple[float, Array, float]] = []
        travelled = 0.0
        while len(chain) < limit:
            reach = value + step * t[1] * self.span
            if not self.low <= reach <= self.high:
                edge = self.low if reach < self.low else self.high
                last = solvers.newton(self.build(edge), y, tolerance=self.tolerance, limit=10)
                close = np.max(np.abs(last.y - y)) <= 50 * step * self.unit / np.sqrt(y.size) + 1e-6
                if last.result and close:
                    chain.append((edge, last.y, last.residual))
                    return chain, "range"
                step *= 0.5
                if step < smallest:
                    return chain, "range"
                continue
            try:
                new_y, new_value, column, residual, k = self._correct(y + step * self.unit * t[0], reach, t)
                new_t = self._tangent(column, t, 1.0)
                angle = float(np.arccos(np.clip(new_t[0] @ t[0] + new_t[1] * t[1], -1.0, 1.0)))
            except np.linalg.LinAlgError:
                angle, k = np.inf, 8
                new_y, new_value, residual, new_t = y, value, np.inf, t
            if angle > turn:
                self.refused += 1
                step *= 0.4
                if step < smallest:
                    return chain, "step too small"
                continue
            if new_t[1] * t[1] < 0:
                self.folds.append(self._fold(y, value, t, new_value, new_t, step))
            if self._closes(y, value, new_y, new_value, travelled):
                chain.append((self.value0, self.y0, self.first_residual))
                return chain, "loop"
            travelled += step
            y, value, t = new_y, new_value, new_t
            chain.append((value, y, residual))
            if progress:
                progress(f"continuation in {name}", len(chain), value)
            grow = 1.6 if k <= 3 and angle < 0.3 * turn else 1.2 if k <= 4 and angle < 0.6 * turn else 0.7
            step = min(step * grow, largest)
        return chain, "steps"

    def _fold(
        self,
        y: Array,
        value: float,
        t: tuple[Array, float],
        value2: float,
        t2: tuple[Array, float],
        step: float,
    ) -> float:
        """Where t_λ vanishes between two points: secant on the arclength, each time corrected."""
        s, a, b, fa, fb = 0.0, 0.0, step, t[1], t2[1]
        best = value if abs(fa) < abs(fb) else value2
        least = min(abs(fa), abs(fb))
        for _ in range(6):
            s = a + (b - a) * float(np.clip(fa / (fa - fb), 0.05, 0.95))
            try:
                _, v, column, _, _ = self._correct(y + s * self.unit * t[0], value + s * t[1] * self.span, t)
            except np.linalg.LinAlgError:
                break
            f = self._tangent(column, t, 1.0)[1]
            if abs(f) < least:
                best, least = v, abs(f)
            if f * fa > 0:
                a, fa = s, f
            else:
                b, fb = s, f
            if least < 1e-5:
                break
        return float(best)

    def _closes(self, y: Array, value: float, new_y: Array, new_value: float, travelled: float) -> bool:
        """Whether the segment just walked passes through the start."""
        gap = new_value - value
        if travelled == 0 or gap == 0 or not min(value, new_value) <= self.value0 <= max(value, new_value):
            return False
        weight = (self.value0 - value) / gap
        y = (1 - weight) * y + weight * new_y
        if np.linalg.norm(y - self.y0) > 0.2 * self.unit:
            return False
        done = solvers.newton(self.build(self.value0), y, tolerance=self.tolerance, limit=8)
        return bool(done.result) and float(np.max(np.abs(done.y - self.y0))) < 1e-6


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Every branch found over a range of one parameter, and a figure of each point to draw."""

    parameter: str
    low: float
    high: float
    branches: tuple[Branch, ...]
    figure: str
    figures: tuple[Array, ...]

    def table(self) -> Table:
        """One row for each branch: points, folds, how it ends."""
        rows = tuple(
            (k + 1, len(b.values), ", ".join(f"{f:.6f}" for f in b.folds) or "none", " / ".join(b.ends),
             round(1e3 * b.seconds / max(len(b.values), 1), 2))
            for k, b in enumerate(self.branches)
        )  # fmt: skip
        columns = ("branch", "points", f"folds in {self.parameter}", "ends", "ms a point")
        return Table(f"equilibria as {self.parameter} moves", columns, rows)

    def picture(self) -> Picture:
        """The figure along each branch: series "k.x" and "k.y"."""
        series: dict[str, Array] = {}
        for k, (branch, figure) in enumerate(zip(self.branches, self.figures, strict=True)):
            series[f"{k + 1}.x"], series[f"{k + 1}.y"] = branch.values, figure
        longest = max(range(len(self.branches)), key=lambda k: len(self.branches[k].values))
        b = self.branches[longest]
        title = f"{self.figure} as {self.parameter} moves"
        return Picture(
            "curve", title, (self.parameter, self.figure), b.values, self.figures[longest], series=series
        )


def correspondence(
    build: Build,
    low: float,
    high: float,
    figure: Callable[[FixedPoint, Array], float],
    *,
    parameter: str = "parameter",
    name: str = "figure",
    at: Sequence[float] = (),
    budget: int = 30,
    seed: int = 0,
    largest: float = 0.04,
    limit: int = 2000,
    progress: Progress | None = None,
) -> Correspondence:
    """Search at several values of the parameter, and follow every branch met, each one once.

    Args:
        figure: (game, unknowns) → the number to draw, e.g. the price in (1, 1).
        at: values at which to search (default: low, middle, high). budget, seed: of each search.

    What it finds is a lower bound: a branch that no search met is not drawn.

    Raises:
        Interrupted: by the user; `partial` is the correspondence with the branches finished by then.
    """
    branches: list[Branch] = []

    def drawn() -> Correspondence:
        figures = tuple(
            np.array([figure(build(float(v)), y) for v, y in zip(b.values, b.points, strict=True)])
            for b in branches
        )
        return Correspondence(parameter, low, high, tuple(branches), name, figures)

    try:
        for value in at or (low, 0.5 * (low + high), high):
            known = [y for b in branches for y in b.at(value, build)]
            found, _ = solvers.search(build(value), budget=budget, seed=seed, progress=progress)
            for one in found:
                y = one.iterate.y
                if any(float(np.max(np.abs(y - other))) < 1e-6 for other in known):
                    continue
                words = {"parameter": parameter, "largest": largest, "limit": limit, "progress": progress}
                branches.append(trace(build, y, value, low, high, **words))
                known += branches[-1].at(value, build)
        return drawn()
    except KeyboardInterrupt:
        raise Interrupted(drawn()) from None
