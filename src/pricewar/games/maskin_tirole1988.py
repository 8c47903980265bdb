"""Alternating price setting: kinked demand curves and Edgeworth cycles.

Two firms with unit cost c sell one good; the lower price takes demand D(p), equal prices share it. A firm's
price stands for two periods and the firms take turns, so that the state is the price s at which the rival is
committed. With R(s, a) the probability of answering s by a, π(a, s) the profit in a period and δ the discount
factor, a symmetric Markov perfect equilibrium satisfies

    V(s) = max_a π(a, s) + δ W(a)                     the firm that moves,
    W(a) = Σ_b R(a, b) [π(a, b) + δ V(b)]             the firm committed at a, while the other moves,

R(s, ·) putting weight on maximisers only. Given which answers carry weight, the equations are as many as the
unknowns (weights and V) and Newton's method solves them; which answers do is found by best replies from many
random starts, one answer mixed, or named. On the grid i/6 with D = 1 − p and c = 0 the paper names two:

    kinked demand    6,5,4,3 → 3,  2 → 1,  1 → 1 with probability β, else 3,  0 → 3
    Edgeworth cycle  6,5 → 4,  4 → 3,  3 → 2,  2 → 1,  1 → 0,  0 → 0 with probability α, else 5

    β(δ) = (5 + δ)/(5δ + 9δ²),   α(δ) = (3δ² − 1)(1 + δ² + δ⁴)/(8 + 7δ² + 2δ⁴ + 3δ⁶).

Reference: Maskin, Tirole (1988), A theory of dynamic oligopoly II: price competition, kinked demand curves,
and Edgeworth cycles, Econometrica 56(3), 571–599, section 3 (the two examples).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games.solution import Game, Parameter, Picture, Result, Solution, Table

Support = Mapping[int, Sequence[int]]  # rival's price index → indices of the answers that carry weight

KINKED: Support = {6: (3,), 5: (3,), 4: (3,), 3: (3,), 2: (1,), 1: (1, 3), 0: (3,)}
EDGEWORTH: Support = {6: (4,), 5: (4,), 4: (3,), 3: (2,), 2: (1,), 1: (0,), 0: (0, 5)}


def beta(discount: float) -> float:
    """β(δ) of the kinked equilibrium on the grid i/6."""
    return (5 + discount) / (5 * discount + 9 * discount**2)


def alpha(discount: float) -> float:
    """α(δ) of the Edgeworth cycle on the grid i/6."""
    d2 = discount**2
    return (3 * d2 - 1) * (1 + d2 + d2**2) / (8 + 7 * d2 + 2 * d2**2 + 3 * d2**3)


@dataclass(frozen=True, eq=False)
class AlternatingMoves:
    """Primitives.

    Args:
        price: (n,) grid of prices, ascending.
        demand: (n,) total demand at each.
        cost: unit cost c.
        discount: δ in (0, 1), of one period, half of a price's life.

    Raises:
        SolverError: the grid is not ascending, shapes disagree, or δ is out of range.
    """

    price: np.ndarray
    demand: np.ndarray
    cost: float = 0.0
    discount: float = 0.95

    def __post_init__(self) -> None:
        if self.price.shape != self.demand.shape or (np.diff(self.price) <= 0).any():
            raise SolverError("prices must ascend and have a demand each", where="AlternatingMoves")
        if not 0 < self.discount < 1:
            raise SolverError(f"discount {self.discount} lies outside (0, 1)", where="AlternatingMoves")

    def profit(self) -> np.ndarray:
        """(n, n) profit in a period at [own price, rival's price]."""
        whole = (self.price - self.cost) * self.demand
        own, rival = np.arange(len(whole))[:, None], np.arange(len(whole))[None, :]
        return np.where(own < rival, whole[:, None], np.where(own == rival, whole[:, None] / 2, 0.0))

    def values(self, R: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """V (n,) and W (n,) when both firms answer by R, exactly."""
        pi, d, n = self.profit(), self.discount, len(self.price)
        earn = (R * pi.T).sum(1)  # of the mover at s
        stand = (R * pi).sum(1)  # of the firm committed at a
        V = np.linalg.solve(np.eye(n) - d * d * R @ R, earn + d * R @ stand)
        return V, stand + d * R @ V

    def best_reply(self, R: np.ndarray) -> np.ndarray:
        """(n,) value of the best answer at every state when the rival answers by R, by policy iteration."""
        pi, d, n = self.profit(), self.discount, len(self.price)
        stand, act = (R * pi).sum(1), np.full(n, -1)
        V = self.values(R)[0]
        for _ in range(100):
            q = pi.T + d * (stand + d * R @ V)[None, :]
            new = q.argmax(1)
            if act[0] >= 0:
                keep = q[np.arange(n), new] <= q[np.arange(n), act] + 1e-14
                new = np.where(keep, act, new)
            if (new == act).all():
                break
            act = new
            mine = np.eye(n)[act]
            V = np.linalg.solve(np.eye(n) - d * d * mine @ R, pi[act, np.arange(n)] + d * mine @ stand)
        return V

    def exploitability(self, R: np.ndarray) -> float:
        """The most that a firm gains, at any rival's price, by its exact best reply to R."""
        return float((self.best_reply(R) - self.values(R)[0]).max())

    def distribution(self, R: np.ndarray) -> np.ndarray:
        """(n,) long-run share of moves at which each price is set, averaged over the cycle."""
        n, x = len(R), np.full(len(R), 1 / len(R))
        total = np.zeros(n)
        for t in range(4000):
            x = x @ R
            if t >= 2000:
                total += x
        return total / 2000


def grid(steps: int = 6, discount: float = 0.95, cost: float = 0.0) -> AlternatingMoves:
    """Prices i/steps, i = 0…steps, and demand 1 − p."""
    price = np.arange(steps + 1) / steps
    return AlternatingMoves(price, 1 - price, cost, discount)


def from_support(
    model: AlternatingMoves, support: Support, *, tries: int = 20, seed: int = 0
) -> np.ndarray | None:
    """(n, n) answers R that make every answer in `support` worth the same, or None when there are none.

    Newton's method on the weights alone, V and W following from them exactly; started evenly, then at random.
    The indifference of the support is solved; that nothing outside it is better is for exploitability to say.
    """
    n, d, pi = len(model.price), model.discount, model.profit()
    rng = np.random.default_rng(seed)
    free = [(s, a) for s in range(n) for a in list(support[s])[1:]]
    first = np.array([next(iter(support[s])) for s in range(n)])

    def build(x: np.ndarray) -> np.ndarray:
        R = np.zeros((n, n))
        R[np.arange(n), first] = 1.0
        for (s, a), w in zip(free, x, strict=True):
            R[s, a] += w
            R[s, first[s]] -= w
        return R

    def gap(x: np.ndarray) -> np.ndarray:
        W = model.values(build(x))[1]
        return np.array([pi[a, s] - pi[first[s], s] + d * (W[a] - W[first[s]]) for s, a in free])

    if not free:
        return build(np.zeros(0))
    for attempt in range(tries):
        x = np.array([1 / len(support[s]) for s, _ in free])
        if attempt:
            x = rng.random(len(free)) / len(free)
        for _ in range(60):
            g = gap(x)
            if np.abs(g).max() < 1e-15:
                break
            J = np.empty((len(free), len(free)))
            for k in range(len(free)):
                h = 1e-7
                step = np.zeros(len(free))
                step[k] = h
                J[:, k] = (gap(x + step) - gap(x - step)) / (2 * h)
            move = np.linalg.lstsq(J, -g, rcond=None)[0]
            x = np.clip(x + move * min(1.0, 0.3 / max(float(np.abs(move).max()), 1e-300)), -0.2, 1.2)
            if np.abs(move).max() < 1e-16:
                break
        R = build(x)
        if np.abs(gap(x)).max() < 1e-11 and R.min() > -1e-12:
            return np.clip(R, 0.0, 1.0)
    return None


def _candidates(model: AlternatingMoves, starts: int, seed: int, rounds: int = 40) -> list[Support]:
    """Supports with at most one mixed answer that survive best-reply updates, all starts at once.

    Each start has random pure answers and one rival price s0 answered by a or b. A round sets the weight of a
    where a and b are worth the same (or where one of them is better, to 0 or 1), then replaces one answer, at
    random, by a better one. Starts without a better answer left are the candidates.
    """
    n, d, pi = len(model.price), model.discount, model.profit()
    rng = np.random.default_rng(seed)
    B = np.arange(starts)
    s0, a, b = rng.integers(0, n, (3, starts))
    R = np.eye(n)[rng.integers(0, n, (starts, n))]
    tiny = 1e-4 * float(pi.max())

    def values(x: np.ndarray) -> np.ndarray:
        R[B, s0] = 0.0
        R[B, s0, a] += x
        R[B, s0, b] += 1 - x
        earn, stand = (R * pi.T).sum(2), (R * pi).sum(2)
        right = earn + d * np.einsum("bij,bj->bi", R, stand)
        V = np.linalg.solve(np.eye(n) - d * d * R @ R, right[:, :, None])[:, :, 0]
        return stand + d * np.einsum("bij,bj->bi", R, V)

    def gap(x: np.ndarray) -> np.ndarray:
        W = values(x)
        return pi[a, s0] - pi[b, s0] + d * (W[B, a] - W[B, b])

    worse = np.ones(starts, dtype=bool)
    for _ in range(rounds):
        low, high, x = np.zeros(starts), np.ones(starts), np.full(starts, 0.5)
        at_low, at_high = gap(low), gap(high)
        crosses = at_low * at_high < 0
        for _ in range(16):
            x = (low + high) / 2
            g = gap(x)
            left = g * at_low > 0
            low, high = np.where(left, x, low), np.where(left, high, x)
        x = np.where(crosses, x, (at_low + at_high > 0).astype(float))
        W = values(x)
        q = pi.T[None] + d * W[:, None, :]
        short = q.max(2) - (R * q).sum(2)
        short[B, s0] = np.where(a == b, short[B, s0], 0.0)
        worse = short.max(1) > tiny
        pick = (short > tiny) * rng.random((starts, n))
        at = pick.argmax(1)
        R[B[worse], at[worse]] = np.eye(n)[q[B[worse], at[worse]].argmax(1)]
        same = worse & (a == b) & (at == s0)
        a[same] = b[same] = q[B[same], at[same]].argmax(1)
    seen = {}
    for r in R[~worse]:
        support = {s: tuple(int(k) for k in np.flatnonzero(r[s] > 1e-9)) for s in range(n)}
        seen.setdefault(tuple(support.items()), support)
    return list(seen.values())


def _solution(
    model: AlternatingMoves, R: np.ndarray | None, name: str, seed: int | None, clock: float, given: Any
) -> Solution:
    n = len(model.price)
    if R is None:
        R, gain = np.full((n, n), 1 / n), float("nan")
        residual, result = float("inf"), Result.STALLED
    else:
        gain = model.exploitability(R)
        V, W = model.values(R)
        q = model.profit().T + model.discount * W[None, :]
        residual = float(np.abs(q.max(1) - V).max())
        result = Result.SOLVED if gain < 1e-11 else Result.STALLED
    V, W = model.values(R)
    return Solution(
        game="maskin-tirole1988",
        parameters=given,
        value=np.stack([V, W]),
        policy={"answer": R, "long_run": model.distribution(R)},
        axes=("role", "price"),
        ticks={"role": ("mover", "committed"), "price": model.price.tolist()},
        residual=residual,
        exploitability=gain,
        result=result,
        method="Newton on the weights of a support",
        start=name,
        seed=seed,
        counts={"answers with weight": int((R > 0).sum())},
        seconds=time.perf_counter() - clock,
        extra={"model": model},
    )


def solve_support(model: AlternatingMoves, support: Support, name: str = "support") -> Solution:
    """The equilibrium with the given support; STALLED when it carries none at this discount factor."""
    clock = time.perf_counter()
    R = from_support(model, support)
    return _solution(model, R, name, None, clock, {"discount": model.discount, "prices": len(model.price)})


def find_equilibria(model: AlternatingMoves, *, starts: int = 1000, seed: int = 0) -> list[Solution]:
    """Distinct symmetric equilibria, mixed at one price at most, found from `starts` random answers.

    None that is exploitable is returned. A search, not an enumeration: that it finds no further equilibrium
    proves nothing.
    """
    clock, found = time.perf_counter(), []
    for support in _candidates(model, starts, seed):
        R = from_support(model, support, tries=2, seed=seed)
        if R is None:
            continue
        one = _solution(
            model,
            R,
            "quantal response",
            seed,
            clock,
            {"discount": model.discount, "prices": len(model.price)},
        )
        if one.result and all(np.abs(one.policy["answer"] - f.policy["answer"]).max() > 1e-8 for f in found):
            found.append(one)
    return found


def solve(*, method: str = "default", seed: int = 0, **p: Any) -> Solution:
    """One equilibrium, by the named method.

    "kinked" and "edgeworth" are the paper's, on the grid i/6; "search" takes the first found, on any grid;
    "default" is kinked on the paper's grid and search elsewhere.

    Raises:
        ConfigurationError: an unknown method, or one of the paper's equilibria on another grid.
    """
    given = GAME.checked(p)
    model = grid(int(given["steps"]), given["discount"], given["cost"])
    if method == "default":
        method = "kinked" if given["steps"] == 6 else "search"
    if method in ("kinked", "edgeworth"):
        if given["steps"] != 6:
            raise ConfigurationError(
                f"the paper states “{method}” on the grid i/6", remedy="steps=6, or search"
            )
        support = KINKED if method == "kinked" else EDGEWORTH
        return solve_support(model, support, method).with_(parameters=given)
    if method != "search":
        raise ConfigurationError(f"no method is called “{method}”", remedy="kinked, edgeworth or search")
    found = find_equilibria(model, seed=seed)
    if found:
        return found[0].with_(parameters=given)
    return _solution(model, None, "search", seed, time.perf_counter(), given)


def search(*, budget: int = 1000, seed: int = 0, **p: Any) -> list[Solution]:
    """Every equilibrium found from `budget` random starts."""
    given = GAME.checked(p)
    model = grid(int(given["steps"]), given["discount"], given["cost"])
    return [s.with_(parameters=given) for s in find_equilibria(model, starts=budget, seed=seed)]


def show(solution: Solution) -> list[Table | Picture]:
    """The answers to every price, and how often each price is set in the long run."""
    R, price = solution.policy["answer"], solution.extra["model"].price
    rows = tuple(
        (
            f"{price[s]:.4g}",
            ", ".join(f"{price[a]:.4g} ({R[s, a]:.4f})" for a in np.flatnonzero(R[s])),
            float(solution.value[0, s]),
        )
        for s in range(len(price))
    )
    return [
        Table("answers", ("rival's price", "answer (probability)", "value of the mover"), rows),
        Picture(
            "bars",
            "how often each price is set",
            ("price", "share"),
            np.round(price, 4),
            solution.policy["long_run"],
        ),
    ]


def headline(solution: Solution) -> dict[str, float]:
    """The mean and the highest price of the long run."""
    often, price = solution.policy["long_run"], solution.extra["model"].price
    return {"mean price": float(often @ price), "highest price": float(price[often > 1e-9].max())}


GAME = Game(
    name="maskin-tirole1988",
    summary="two firms take turns in setting a price: kinked demand, Edgeworth cycles",
    reference="Maskin, Tirole (1988), Econometrica 56(3)",
    parameters=(
        Parameter("steps", 6, 2, 40, "prices are i/steps, i = 0 … steps"),
        Parameter("discount", 0.95, 0.01, 0.9999, "discount factor δ of one period"),
        Parameter("cost", 0.0, 0.0, 0.9, "unit cost"),
    ),
    solve=solve,
    search=search,
    show=show,
    headline=headline,
)
