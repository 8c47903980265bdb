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

from typing import Any

import numpy as np

from pricewar.games import duopoly, learning, outcomes
from pricewar.games.solution import Game, Parameter

PARAMETERS = (
    *learning.curve(rho=0.85),
    learning.forgetting(0.026),
    learning.SIGMA,
    learning.BETA,
    Parameter("cost_gap", 0.0, 0.0, 1.0, "firm 2's extra unit cost, as a share"),
    *learning.RULES,
)


def build(**parameters: Any) -> duopoly.Duopoly:
    """The game with these parameters, ready for `solvers`."""
    q = GAME.checked(parameters)
    cost, forget = learning.cost(q), learning.forget(q)
    costs = np.stack([cost, cost * (1 + q["cost_gap"])])
    step = np.stack([duopoly.moves(forget, np.ones(len(forget)), q["sharing"])] * 2)
    return duopoly.Duopoly(costs, step, q["beta"], q["sigma"], floor=learning.floor(q, costs))


solve, search, rules, correspondence = learning.ways(lambda: GAME, build, "delta", 0.0, 0.15)


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
