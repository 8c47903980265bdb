"""What the games of learning by doing share: the curve, the rules, and for two firms the ways to solve.

Unit cost at know-how e in {0..M}: c(e) = κ ρ^{log2 min(e, m)}. The rules are a price floor and know-how that
spills over; both are off by default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pricewar.games import duopoly, outcomes
from pricewar.games.continuation import Correspondence
from pricewar.games.solution import Game, Parameter, Solution, Table
from pricewar.games.solvers import Progress


def curve(rho: float, levels: int = 30, most: int = 400) -> tuple[Parameter, ...]:
    """The parameters of the learning curve; `rho`, `levels`: their defaults, `most`: levels allowed."""
    return (
        Parameter("levels", levels, 2, most, "M, levels of know-how"),
        Parameter("bottom", 15, 1, most, "m, level at which the learning curve is flat"),
        Parameter("kappa", 10.0, 0.0, 1e6, "κ, unit cost of the first unit, money"),
        Parameter("rho", rho, 0.01, 1.0, "ρ, factor on the unit cost when know-how doubles"),
    )


def forgetting(delta: float) -> Parameter:
    """The rate of forgetting; `delta`: its default."""
    return Parameter("delta", delta, 0.0, 1.0, "δ, rate of forgetting per level")


SIGMA = Parameter("sigma", 1.0, 1e-3, 1e3, "σ, product differentiation (logit scale), money")
BETA = Parameter("beta", 1 / 1.05, 0.0, 0.9999, "β per period")
RULES = (
    Parameter("sharing", 0.0, 0.0, 1.0, "probability that a rival's sale teaches the firm too (a rule)"),
    Parameter("floor", -1.0, -1.0, 10.0, "lowest price allowed, in own unit costs; negative: none (a rule)"),
)


def cost(q: Mapping[str, Any]) -> np.ndarray:
    """c(e) for e in 0..M, money."""
    know_how = np.arange(int(q["levels"]) + 1)
    return q["kappa"] * q["rho"] ** np.log2(np.clip(know_how, 1, q["bottom"]))


def forget(q: Mapping[str, Any]) -> np.ndarray:
    """Probability of losing a level, 1 − (1−δ)^e, for e in 0..M."""
    return 1 - (1 - q["delta"]) ** np.arange(int(q["levels"]) + 1)


def floor(q: Mapping[str, Any], costs: np.ndarray) -> np.ndarray | None:
    """The lowest price by level, where there is one."""
    return q["floor"] * costs if q["floor"] >= 0 else None


class Ways(NamedTuple):
    """What a game of two firms can be asked."""

    solve: Callable[..., Solution]
    search: Callable[..., list[Solution]]
    rules: Callable[..., Table]
    trace: Callable[..., Correspondence]


def ways(
    game: Callable[[], Game], build: Callable[..., duopoly.Duopoly], parameter: str, low: float, high: float
) -> Ways:
    """The ways to solve a game that `build` makes of its parameters; traced in `parameter` by default."""

    def solve(
        method: str = "default",
        start: str | Solution = "static",
        seed: int | None = None,
        *,
        certify: bool = True,
        stability: bool = False,
        progress: Progress | None = None,
        limit: int | None = None,
        **parameters: Any,
    ) -> Solution:
        """One equilibrium; the options are those of `duopoly.solve`."""
        me = game()
        q = me.checked(parameters)
        return duopoly.solve(me.name, q, build(**q), method, start, seed, certify, stability, progress, limit)

    def search(
        budget: int = 60,
        seed: int = 0,
        *,
        certify: bool = True,
        stability: bool = True,
        progress: Progress | None = None,
        **parameters: Any,
    ) -> list[Solution]:
        """Every equilibrium found from `budget` starts with that seed, the lowest price in (1, 1) first."""
        me = game()
        q = me.checked(parameters)
        return duopoly.search(me.name, q, build(**q), budget, seed, certify, stability, progress)

    def rules(solution: Solution, names: Iterable[str] = ()) -> Table:
        """The same market under a price floor or shared know-how: see `outcomes.rules`."""
        return outcomes.rules(solution, solve, names)

    def trace(
        parameter: str = parameter, low: float = low, high: float = high, **options: Any
    ) -> Correspondence:
        """Equilibria as one parameter moves over [low, high]: see `outcomes.correspondence`."""
        return outcomes.correspondence(build, parameter, low, high, **options)

    return Ways(solve, search, rules, trace)
