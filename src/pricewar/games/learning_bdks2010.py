"""Learning by doing and organizational forgetting: prices with trenches, and several equilibria.

D. Besanko, U. Doraszelski, Y. Kryukov and M. Satterthwaite, "Learning-by-doing, organizational forgetting,
and industry dynamics", Econometrica 78(2), 2010, 453-508.

Two firms with know-how e1, e2 in {1..M}; no exit, no outside good. Unit cost c(e) = κ ρ^{log2 min(e, m)}. One
buyer a period; the seller's know-how rises by one, and each firm forgets one level with probability
1 − (1−δ)^e, e its know-how before the sale, independently: e' = clip(e + q − f, 1, M). With
W_k = β E[V | k sells],

    V(e) = max_p (p − c) D_1 + D_1 W_1 + D_2 W_2,      p = c + σ/(1 − D_1) − W_1 + W_2.

`cost_gap` makes firm 2's costs higher by that share: the firms are then unlike and all states are solved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pricewar.games import continuation, duopoly, outcomes
from pricewar.games.solution import Game, Parameter, Solution, Table
from pricewar.games.solvers import Progress

Array = np.ndarray

PARAMETERS = (
    Parameter("levels", 30, 2, 400, "M, levels of know-how"),
    Parameter("bottom", 15, 1, 400, "m, level at which the learning curve is flat"),
    Parameter("kappa", 10.0, 0.0, 1e6, "κ, unit cost of the first unit, money"),
    Parameter("rho", 0.85, 0.01, 1.0, "ρ, factor on the unit cost when know-how doubles"),
    Parameter("delta", 0.026, 0.0, 1.0, "δ, rate of forgetting per level"),
    Parameter("sigma", 1.0, 1e-3, 1e3, "σ, product differentiation (logit scale), money"),
    Parameter("beta", 1 / 1.05, 0.0, 0.9999, "β per period"),
    Parameter("cost_gap", 0.0, 0.0, 1.0, "firm 2's extra unit cost, as a share"),
    Parameter("sharing", 0.0, 0.0, 1.0, "probability that a rival's sale teaches the firm too (a rule)"),
    Parameter("floor", -1.0, -1.0, 10.0, "lowest price allowed, in own unit costs; negative: none (a rule)"),
)


def build(**parameters: Any) -> duopoly.Duopoly:
    """The game with these parameters, ready for `solvers`."""
    q = GAME.checked(parameters)
    know_how = np.arange(int(q["levels"]) + 1)
    cost = q["kappa"] * q["rho"] ** np.log2(np.clip(know_how, 1, q["bottom"]))
    costs = np.stack([cost, cost * (1 + q["cost_gap"])])
    forget = 1 - (1 - q["delta"]) ** know_how
    step = duopoly.moves(forget, np.ones(len(know_how)), q["sharing"])
    floor = q["floor"] * costs if q["floor"] >= 0 else None
    return duopoly.Duopoly(costs, np.stack([step, step]), q["beta"], q["sigma"], floor=floor)


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
    q = GAME.checked(parameters)
    return duopoly.solve(GAME.name, q, build(**q), method, start, seed, certify, stability, progress, limit)


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
    q = GAME.checked(parameters)
    return duopoly.search(GAME.name, q, build(**q), budget, seed, certify, stability, progress)


def rules(solution: Solution, names: Iterable[str] = ()) -> Table:
    """The same market under a price floor or shared know-how: see `outcomes.rules`."""
    return outcomes.rules(solution, solve, names)


def correspondence(
    parameter: str = "delta", low: float = 0.0, high: float = 0.15, **options: Any
) -> continuation.Correspondence:
    """Equilibria as one parameter moves over [low, high]: see `outcomes.correspondence`."""
    return outcomes.correspondence(build, parameter, low, high, **options)


GAME = Game(
    name="learning-bdks2010",
    summary="learning by doing and forgetting: trenches, and several equilibria",
    reference="Besanko, Doraszelski, Kryukov and Satterthwaite, Econometrica 2010",
    parameters=PARAMETERS,
    solve=solve,
    search=search,
    show=outcomes.show,
    headline=outcomes.headline,
    trace=correspondence,
    rules=rules,
)
