"""Learning by doing and forgetting among three firms or more: the n-firm case of BDKS.

The model is that of `learning_bdks2010` (Besanko, Doraszelski, Kryukov and Satterthwaite, Econometrica
2010) with n firms: state (e1..en) in {1..M}ⁿ, one buyer a period, e_k' = clip(e_k + q_k − f_k, 1, M). With
W_nk = β E[V_n | k sells] the first-order condition of firm n is

    p_n = c_n + σ/(1 − D_n) − W_nn + Σ_{k≠n} D_k W_nk / (1 − D_n).

With two firms it is the game of the paper, solved by other kernels; a test holds the two to agreement.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from pricewar.games import duopoly, learning, oligopoly, solvers
from pricewar.games.solution import Game, Parameter, Picture, Solution, Table

PARAMETERS = (
    Parameter("firms", 3, 2, 6, "number of firms"),
    *learning.curve(rho=0.85, levels=15, most=60),
    learning.forgetting(0.03),
    learning.SIGMA,
    learning.BETA,
    Parameter("cost_gap", 0.0, 0.0, 1.0, "each firm's extra unit cost over the one before it, as a share"),
)


def build(**parameters: Any) -> oligopoly.Oligopoly:
    """The game with these parameters, ready for `solvers`."""
    q = GAME.checked(parameters)
    # The curve and `moves` count levels from 0, which has no place here.
    n, cost, forget = int(q["firms"]), learning.cost(q)[1:], learning.forget(q)
    step = duopoly.moves(forget, np.ones(len(forget)))[:, 1:]
    costs = np.stack([cost * (1 + q["cost_gap"]) ** f for f in range(n)])
    return oligopoly.Oligopoly(costs, np.stack([step] * n), q["beta"], q["sigma"])


def solve(
    method: str = "default",
    start: str | Solution = "static",
    seed: int | None = None,
    certify: bool = True,
    progress: solvers.Progress | None = None,
    **parameters: Any,
) -> Solution:
    """One equilibrium, with its exploitability unless `certify` is false."""
    began = time.perf_counter()
    q = GAME.checked(parameters)
    game = build(**q)
    if isinstance(start, Solution):
        y, words = np.array(start.extra["y"]), "a given solution"
    else:
        y, words = game.start(start, np.random.default_rng(seed or 0)), f"the {start} start"
    done = solvers.run(game, y, method, progress=progress)
    play = game.unfold(done.y)
    names = tuple(f"e{f + 1}" for f in range(game.n))
    ticks = {name: list(range(1, game.M + 1)) for name in names}
    return Solution(
        game=GAME.name,
        parameters=q,
        value=play["value"],
        policy={"price": play["price"], "share": play["share"]},
        axes=("firm", *names),
        ticks={"firm": list(range(1, game.n + 1)), **ticks},
        residual=done.residual,
        result=done.result,
        method=done.method,
        start=words,
        seed=seed,
        exploitability=game.exploitability(done.y) if certify and np.isfinite(done.residual) else None,
        counts={**done.counts, "products": game.products},
        seconds=time.perf_counter() - began,
        extra={"engine": game, "y": done.y},
    )


def show(solution: Solution) -> list[Table | Picture]:
    """Firm 1's price, share and value at some states, and its price against one rival's know-how."""
    n, M = solution.parameters["firms"], solution.parameters["levels"]
    price, share = solution.policy["price"][0], solution.policy["share"][1]  # share 0 is nobody's
    middle = max(M // 2, 1)
    states = [(1,) * n, (2, *(1,) * (n - 1)), (1, 2, *(1,) * (n - 2)), (middle,) * n]
    states += [(M, *(1,) * (n - 1)), (1, *(M,) * (n - 1)), (M,) * n]
    rows = []
    for state in dict.fromkeys(states):
        at = tuple(e - 1 for e in state)
        rows.append((str(state), *(round(float(a[at]), 4) for a in (price, share, solution.value[0]))))
    levels = np.arange(1, M + 1)
    others = (0,) * (n - 2)
    title = "price of firm 1" + (", the other rivals at level 1" if n > 2 else "")
    return [
        Table("firm 1", ("state", "price", "share", "value"), tuple(rows)),
        Picture(
            "surface", title, ("e1", "e2", "price"), levels, levels, z=price[(slice(None),) * 2 + others]
        ),
    ]


GAME = Game(
    name="learning-many",
    summary="learning by doing and forgetting among three firms or more",
    reference="Besanko, Doraszelski, Kryukov and Satterthwaite, Econometrica 2010, n firms",
    parameters=PARAMETERS,
    solve=solve,
    show=show,
)
