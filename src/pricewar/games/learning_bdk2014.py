"""Learning by doing with entry and exit: why a firm prices below cost, and when that is predation.

D. Besanko, U. Doraszelski and Y. Kryukov, "The economics of predation: what drives pricing when there is
learning-by-doing?", American Economic Review 104(3), 2014, 868-897.

Two firms with know-how e1, e2 in {0..M}, 0 a potential entrant. Unit cost c(e) = κ ρ^{log2 min(e, m)}. One
buyer a period takes firm k with probability D_k = exp(−p_k/σ)/Σ, the outside good having price p0; the
seller's know-how rises by one. Then, with private draws of scrap value X and set-up cost S (symmetric
triangular),

    x(i, j) = β[(1 − φ(j, i)) V(max(i,1), max(j,1)) + φ(j, i) V(max(i,1), 0)],    the value of operating on
    φ(i, j) = 1 − F_X(x) for i ≥ 1, 1 − F_S(x) for i = 0,      U(i, j) = E max(X, x) for i ≥ 1
    V(e) = max_p (p − c) D_1 + D_0 U(e) + D_1 U(e1+1, e2) + D_2 U(e1, e2+1)

Baseline: three equilibria, one aggressive (price −34.78 in (1,1)), one accommodative (5.05), one between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pricewar.games import duopoly, learning, outcomes
from pricewar.games.solution import Game, Parameter, Picture, Solution, Table

Array = np.ndarray

PARAMETERS = (
    *learning.curve(rho=0.75),
    learning.SIGMA,
    Parameter("outside", 10.0, -1e3, 1e3, "p0, price of the outside good, money"),
    learning.BETA,
    Parameter("scrap", 1.5, -1e3, 1e3, "X̄, mean scrap value, money"),
    Parameter("scrap_half", 1.5, 1e-3, 1e3, "ΔX, half its range, money"),
    Parameter("setup", 4.5, -1e3, 1e3, "S̄, mean set-up cost, money"),
    Parameter("setup_half", 1.5, 1e-3, 1e3, "ΔS, half its range, money"),
    *learning.RULES,
)


def build(**parameters: Any) -> duopoly.Duopoly:
    """The game with these parameters, ready for `solvers`."""
    q = GAME.checked(parameters)
    M = int(q["levels"])
    cost = learning.cost(q)
    step = duopoly.moves(np.zeros(M + 1), np.ones(M + 1), q["sharing"])
    laws = np.array([q["scrap"], q["scrap_half"], q["setup"], q["setup_half"]])
    return duopoly.Duopoly(
        cost, np.stack([step, step]), q["beta"], q["sigma"], q["outside"], np.stack([laws, laws]),
        learning.floor(q, cost),
    )  # fmt: skip


solve, search, rules, correspondence = learning.ways(lambda: GAME, build, "rho", 0.7, 1.0)


def incentives(solution: Solution) -> dict[str, Array]:
    """Advantage building Γ and denying Θ taken apart, axes (motive, e1, e2), firm 1, money.

    Between a better state a and a worse one b, with s = 1 − φ_1, f = φ_2, V the value against the rival and M
    the value without it, U = s x + E[X; exit] splits exactly into five:

        baseline    s_b β (V_a − V_b)                          a better position, all else equal
        exit        s_b β (f_a − f_b)(M_a − V_a)               the rival leaves sooner
        survival    (s_a − s_b) x_a                            the firm itself stays longer
        scrap       E[X; exit]_a − E[X; exit]_b
        structure   s_b β f_b [(M_a − V_a) − (M_b − V_b)]      a monopoly is worth more

    building: a = (e1+1, e2), b = e. denying: a = e, b = (e1, e2+1). `weight` is Υ = D_2/(D_0 + D_2).
    """
    game = solution.extra["engine"]
    play = game.unfold(solution.extra["y"])
    V, leaves, after, ahead = (np.nan_to_num(play[k]) for k in ("value", "leaves", "after", "ahead"))
    s, f, x = 1 - leaves[0], leaves[1], ahead[0]
    at = np.maximum(np.arange(game.L), 1)
    both = V[0][np.ix_(at, at)]
    alone = np.broadcast_to(V[0][at, 0][:, None], both.shape)
    gap, scrap = alone - both, after[0] - s * x

    def split(a: Callable[[Array], Array], b: Callable[[Array], Array]) -> Array:
        keep = b(s) * game.beta
        return np.stack([
            keep * (a(both) - b(both)),
            keep * (a(f) - b(f)) * a(gap),
            (a(s) - b(s)) * a(x),
            a(scrap) - b(scrap),
            keep * b(f) * (a(gap) - b(gap)),
        ])  # fmt: skip

    up = np.minimum(np.arange(game.L) + 1, game.L - 1)
    D0, _, D2 = solution.policy["share"]
    idle = np.where(np.arange(game.L) == 0, 0, up)  # a potential entrant does not learn
    building = split(lambda z: z[up], lambda z: z)
    denying = split(lambda z: z, lambda z: z[:, idle])
    building[:, 0], denying[:, 0] = np.nan, np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"building": building, "denying": denying, "weight": D2 / (D0 + D2)}


def sacrifice(solution: Solution) -> dict[str, Array]:
    """Predatory incentives under three definitions of sacrifice, axes (e1, e2), money.

    The definitions are the paper's; which of the five terms each one takes is our reading of them.

    A price is predatory at a state, under a definition, when the figure is positive there.

        short_run    all dynamic incentives: marginal revenue below cost
        vacuum       all but the baseline advantage building, which a firm would have in a dynamic vacuum
        rival_exit   the incentives that work through the rival's exit in the current period
    """
    parts = incentives(solution)
    gamma, theta = parts["building"], np.nan_to_num(parts["weight"]) * parts["denying"]
    return {
        "short_run": gamma.sum(axis=0) + theta.sum(axis=0),
        "vacuum": gamma[1:].sum(axis=0) + theta.sum(axis=0),
        "rival_exit": gamma[1] + theta[1],
    }


def show(solution: Solution) -> list[Table | Picture]:
    """What `outcomes.show` shows, and which prices sacrifice profit under three definitions."""
    tests, price = sacrifice(solution), solution.policy["price"][0]
    M = solution.extra["engine"].L - 1
    rows = tuple(
        (str(e), round(float(price[e]), 4), *(round(float(t[e]), 4) for t in tests.values()))
        for e in dict.fromkeys(((1, 1), (1, 2), (2, 1), (M // 2, 1), (M // 2, M // 2), (M, 1)))
    )
    shares = ", ".join(
        f"{name.replace('_', ' ')} at {(np.nan_to_num(t)[1:] > 0).mean():.0%}" for name, t in tests.items()
    )
    columns = ("state", "price", "short run", "beyond a vacuum", "rival's exit")
    note = f"positive: the price is a sacrifice by that test; of states with firm 1 active: {shares}"
    first, *rest = outcomes.show(solution)
    return [first, Table("sacrifice of firm 1, three definitions", columns, rows, note), *rest]


GAME = Game(
    name="learning-bdk2014",
    summary="learning by doing with entry and exit: aggressive and accommodative price wars",
    reference="Besanko, Doraszelski and Kryukov, American Economic Review 2014",
    parameters=PARAMETERS,
    solve=solve,
    search=search,
    show=show,
    headline=outcomes.headline,
    trace=correspondence,
    rules=rules,
)
