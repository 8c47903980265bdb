"""Leapfrogging: two Bertrand rivals decide when to buy the cost-reducing state of the art.

State (c1, c2, c): the unit costs of both firms and that of the newest machine, c ≤ min(c1, c2), each on
linspace(5, 0, n). The cheaper firm takes the market at its rival's cost, r1 = max(c2 − c1, 0). Both decide at
once whether to pay K(c) = k0/(1 + k1 c) for a machine with which they produce at cost c from the next period.
The state of the art moves one step down with probability π each period until it reaches 0.

    v_I = r − K(c) + β [P2 H(c, c, c)  + (1 − P2) H(c, c2, c)]      invest, P2 = the rival's probability
    v_N = r        + β [P2 H(c1, c, c) + (1 − P2) H(c1, c2, c)]     do not
    H(a, b, c) = π V(a, b, c⁺) + (1 − π) V(a, b, c),  π = 0 on the last layer

Costs only fall, so the game is directional: layers from the last machine to the first, and within a layer
(c, c), then one firm behind, then both. `rls` finds all equilibria.

Reference: Iskhakov, Rust, Schjerning (2016), Review of Economic Studies 83(2), 658–703, section 4. Their
number with simultaneous moves: 127 for three cost levels, 46,707 for four.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games.solution import Game, Parameter, Result, Solution, Table

if TYPE_CHECKING:
    from pricewar.games.rls import DirectionalGame


@dataclass(frozen=True)
class Leapfrogging:
    """Primitives of the investment game (money per period per unit of market).

    Args:
        levels: number n of cost levels, 2 or more.
        highest_cost: cost of the oldest machine; the newest costs 0.
        discount: β in [0, 1).
        investment: k0 > 0, the price of the cost-free machine.
        investment_slope: k1 ≥ 0, how much cheaper an older machine is.
        advance: π in (0, 1], probability that the state of the art advances.
    """

    levels: int = 3
    highest_cost: float = 5.0
    discount: float = float(np.exp(-0.05))
    investment: float = 8.3
    investment_slope: float = 1.0
    advance: float = 1.0

    def __post_init__(self) -> None:
        for name, value, ok in (
            ("levels", self.levels, self.levels >= 2),
            ("discount", self.discount, 0 <= self.discount < 1),
            ("advance", self.advance, 0 < self.advance <= 1),
            ("investment", self.investment, self.investment > 0),
            ("investment_slope", self.investment_slope, self.investment_slope >= 0),
        ):
            if not ok:
                raise SolverError(f"{name} = {value} is out of range", where="Leapfrogging")

    def costs(self) -> np.ndarray:
        """(n,) unit costs, the oldest machine first."""
        return np.linspace(self.highest_cost, 0.0, self.levels)

    def directional(self) -> DirectionalGame:
        """The game with its states in order of solution; labels are (S, 3) levels of c1, c2, c."""
        from pricewar.games.rls import DirectionalGame  # brings the compiler: imported on use

        n, cost = self.levels, self.costs()
        states = sorted(
            ((i, j, k) for k in range(n) for i in range(k + 1) for j in range(k + 1)),
            key=lambda s: (-s[2], (s[0] < s[2]) + (s[1] < s[2]), s[0], s[1]),
        )
        index = {s: m for m, s in enumerate(states)}
        S = len(states)
        reward = np.zeros((2, S, 2, 2))
        successor = np.zeros((S, 2, 2, 2), dtype=np.int64)
        probability = np.zeros((S, 2, 2, 2))
        for m, (i, j, k) in enumerate(states):
            last = k == n - 1
            price = self.investment / (1 + self.investment_slope * cost[k])
            for a in range(2):
                for b in range(2):
                    reward[0, m, a, b] = max(cost[j] - cost[i], 0.0) - price * a
                    reward[1, m, a, b] = max(cost[i] - cost[j], 0.0) - price * b
                    after = (k if a else i, k if b else j)
                    successor[m, a, b] = index[*after, k], index[*after, k if last else k + 1]
                    probability[m, a, b] = (1.0, 0.0) if last else (1 - self.advance, self.advance)
        return DirectionalGame(reward, successor, probability, self.discount, np.array(states))

    def number_of_equilibria(self) -> int:
        """Leaves of the equilibrium selection tree, counted one by one."""
        from pricewar.games import rls

        return rls.search(self.directional()).count


def _solution(model: Leapfrogging, game: DirectionalGame, leaf: Any, seconds: float, given: Any) -> Solution:
    from pricewar.games import rls

    choice, V, P = leaf
    assert game.labels is not None
    n = model.levels
    value, invest = np.full((2, n, n, n), np.nan), np.full((2, n, n, n), np.nan)
    where = tuple(game.labels.T)
    value[(slice(None), *where)], invest[(slice(None), *where)] = V, P
    costs = model.costs().tolist()
    residual, gain = rls.verify(game, V, P)
    return Solution(
        game="leapfrogging-irs2016",
        parameters=given,
        value=value,
        policy={"invest": invest},
        axes=("firm", "c1", "c2", "frontier"),
        ticks={"firm": (1, 2), "c1": costs, "c2": costs, "frontier": costs},
        residual=residual,
        exploitability=gain,
        result=Result.SOLVED,
        method="recursive lexicographical search",
        start="".join(map(str, choice)),
        counts={"states": game.states},
        seconds=seconds,
        extra={"choice": choice, "model": model},
    )


def solve(*, start: str = "", **p: Any) -> Solution:
    """One equilibrium: `start` is the string of choices, a digit for each state in order of solution.

    The value at states that cannot occur (a machine newer than the state of the art) is NaN.

    Raises:
        ConfigurationError: `start` is no such string. SolverError: a parameter is out of range.
    """
    from pricewar.games import rls

    clock = time.perf_counter()
    given = GAME.checked(p)
    model = Leapfrogging(**given)
    game = model.directional()
    if start and (not start.isdigit() or len(start) != game.states):
        raise ConfigurationError(
            f"start “{start}” must be {game.states} digits, one for each state", where="leapfrogging-irs2016"
        )
    choice = np.array([int(d) for d in start], dtype=np.int64) if start else np.zeros(game.states, np.int64)
    V, P, _ = rls.follow(game, choice)
    return _solution(model, game, (choice, V, P), time.perf_counter() - clock, given)


def search(*, budget: int = 1000, **p: Any) -> list[Solution]:
    """Every equilibrium in lexicographical order, at most `budget` of them (0: all)."""
    from pricewar.games import rls

    given = GAME.checked(p)
    model = Leapfrogging(**given)
    game = model.directional()
    clock, found = time.perf_counter(), []
    for leaf in rls.equilibria(game, limit=budget):
        found.append(_solution(model, game, leaf, time.perf_counter() - clock, given))
    return found


def show(solution: Solution) -> list[Table | Any]:
    """Who invests where, what it is worth, and how many equilibria there are."""
    model: Leapfrogging = solution.extra["model"]
    costs, invest, rows = model.costs(), solution.policy["invest"], []
    for k in range(model.levels):
        for i in range(k + 1):
            for j in range(k + 1):
                V, P = solution.value[:, i, j, k], invest[:, i, j, k]
                rows.append((costs[k], costs[i], costs[j], P[0], P[1], V[0], V[1]))
    columns = ("state of the art", "cost 1", "cost 2", "invest 1", "invest 2", "value 1", "value 2")
    note = f"one of {model.number_of_equilibria()} Markov perfect equilibria"
    return [Table("investment by state", columns, tuple(rows), note)]


def headline(solution: Solution) -> dict[str, float]:
    """Values where both firms have the oldest machine, and how surely firm 1 buys the first new one."""
    V, invest = solution.value, solution.policy["invest"]
    return {
        "value 1": float(V[0, 0, 0, 0]),
        "value 2": float(V[1, 0, 0, 0]),
        "first to invest 1": float(invest[0, 0, 0, 1]),
        "first to invest 2": float(invest[1, 0, 0, 1]),
    }


GAME = Game(
    name="leapfrogging-irs2016",
    summary="two Bertrand rivals decide when to buy the newest cost-reducing machine",
    reference="Iskhakov, Rust, Schjerning (2016), Review of Economic Studies 83(2)",
    parameters=(
        Parameter("levels", 3, 2, 4, "number of cost levels"),
        Parameter("highest_cost", 5.0, 0.01, 1e6, "unit cost with the oldest machine"),
        Parameter("discount", float(np.exp(-0.05)), 0.0, 0.9999, "discount factor β"),
        Parameter("investment", 8.3, 1e-9, 1e9, "price k0 of the machine that produces at no cost"),
        Parameter("investment_slope", 1.0, 0.0, 1e6, "k1: older machines cost k0/(1 + k1 c)"),
        Parameter("advance", 1.0, 0.001, 1.0, "probability that the state of the art advances in a period"),
    ),
    solve=solve,
    search=search,
    show=show,
    headline=headline,
)
