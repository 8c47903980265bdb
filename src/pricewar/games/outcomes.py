"""What an equilibrium of the two-firm engine implies: motives of prices, the industry over time, welfare.

Price decomposition (Besanko, Doraszelski and Kryukov, AER 2014, the first-order condition of a price). With
U_k the firm's continuation value when nobody (0), it (1) or its rival (2) sells and Υ = D_2/(D_0 + D_2),

    p = c + σ/(1 − D_1) − [U_1 − U_0] − Υ [U_0 − U_2]:   static price, advantage building, advantage denying.

The distribution μ_t over states follows the sales, the learning and the exits that the equilibrium implies.
Consumer surplus is σ ln Σ_k exp(−p_k/σ) + p_0 over inside and outside goods; total surplus adds margins and
scrap received and subtracts set-up costs paid. Period 0 has weight one in discounted sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from pricewar.games.solution import Picture, Solution, Table

if TYPE_CHECKING:
    from pricewar.games.continuation import Correspondence
    from pricewar.games.solvers import Progress

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Motives:
    """Price and what it is made of, for firm 1, axes (e1, e2), money; NaN where it is not active.

    price = cost + markup − building − denying, exactly. `slack` is the largest absolute difference.
    """

    price: Array
    cost: Array
    markup: Array
    building: Array
    denying: Array

    @property
    def slack(self) -> float:
        return float(np.nanmax(np.abs(self.price - self.cost - self.markup + self.building + self.denying)))


def _expected(game: Any, G: Array) -> Array:
    """E G(e1', e2') of the know-how after nobody, firm 1, or firm 2 sells: axes (who, e1, e2)."""
    out = np.zeros((3, game.L, game.L))
    for who, (mine, theirs) in enumerate(((0, 0), (1, 2), (2, 1))):
        for d in range(3):
            for e in range(3):
                weight = game.step[0, mine, :, d][:, None] * game.step[1, theirs, :, e][None, :]
                out[who] += weight * np.roll(G, (1 - d, 1 - e), (0, 1))
    return out


def motives(solution: Solution) -> Motives:
    """The decomposition of firm 1's price at every state."""
    game = solution.extra["engine"]
    none, own, lost = _expected(game, np.nan_to_num(game.unfold(solution.extra["y"])["after"][0]))
    D0, _, D2 = solution.policy["share"]
    active = np.isfinite(solution.policy["price"][0])
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = D2 / (D0 + D2)
        parts = (
            solution.policy["price"][0],
            np.broadcast_to(game.cost[0][:, None], active.shape),
            game.sigma / (D0 + D2),
            own - none,
            weight * (none - lost),
        )
    return Motives(*(np.where(active, part, np.nan) for part in parts))


@dataclass(frozen=True, eq=False)
class Path:
    """The industry over time: expected values by period, arrays (periods,), money per period.

    hhi and price are conditional on some firm being active; price is averaged by inside shares.
    surplus = consumers + profit + scrap − setup. discounted: sums of consumers and surplus over all time, as
    far as the periods reach, with `rest` the weight β^T of what is left out.
    """

    hhi: Array
    price: Array
    consumers: Array
    profit: Array
    scrap: Array
    setup: Array
    active: Array
    surplus: Array
    discounted: dict[str, float]
    rest: float
    last: Array


def flows(solution: Solution) -> dict[str, Array]:
    """Figures of a period by state (e1, e2) at the pricing phase; scrap and setup after the sale."""
    from pricewar.games import duopoly_kernels as k

    game = solution.extra["engine"]
    play = game.unfold(solution.extra["y"])
    D, p, sigma = play["share"], np.nan_to_num(play["price"]), game.sigma
    inside = D[1] + D[2]
    with np.errstate(invalid="ignore", divide="ignore"):
        hhi = np.where(inside > 0, (D[1] ** 2 + D[2] ** 2) / inside**2, 0.0)
        price = np.where(inside > 0, (D[1] * p[0] + D[2] * p[1]) / inside, 0.0)
    live = np.isfinite(play["price"])
    weights = np.where(live, np.exp((game.num[3] - p) / sigma), 0.0).sum(axis=0) + game.num[2]
    consumers = sigma * np.log(
        np.where(weights > 0, weights, 1.0)
    )  # p0 cancels: it is both weight and constant
    profit = D[1] * (p[0] - game.cost[0][:, None]) + D[2] * (p[1] - game.cost[1][None, :])
    scrap, setup = np.zeros_like(hhi), np.zeros_like(hhi)
    if game.exits:
        for n in range(2):
            x = play["ahead"][n] if n == 0 else play["ahead"][n].T
            law = game.laws[n]
            F = 1.0 - k.leave(x, law)
            best = np.array([[k.triangular(v, law[0], law[1])[2] for v in row] for row in x])
            best[0] = [k.triangular(v, law[2], law[3])[2] for v in x[0]]
            got = best - x * F
            paid = np.zeros_like(x)
            paid[0] = x[0] * F[0] - best[0] + law[2]
            got[0] = 0.0
            scrap += got if n == 0 else got.T
            setup += paid if n == 0 else paid.T
    return {
        "hhi": hhi,
        "price": price,
        "consumers": consumers,
        "profit": profit,
        "scrap": scrap,
        "setup": setup,
    }


_PATHS: WeakKeyDictionary[Solution, dict[tuple[int, tuple[int, int]], Path]] = WeakKeyDictionary()


def path(solution: Solution, periods: int = 1000, start: tuple[int, int] = (1, 1)) -> Path:
    """Carry the industry forward from a state, and sum what happens on the way.

    Remembered as long as the solution lives: headline, tables and pictures all ask for it.
    """
    known = _PATHS.setdefault(solution, {})
    if (periods, start) not in known:
        known[periods, start] = _carried(solution, periods, start)
    return known[periods, start]


def _carried(solution: Solution, periods: int, start: tuple[int, int]) -> Path:
    from pricewar.games import duopoly_kernels as k

    game = solution.extra["engine"]
    share, leaves = solution.policy["share"], np.nan_to_num(solution.policy["leaves"])
    flow = flows(solution)
    mu, post = np.zeros((game.L, game.L)), np.empty((game.L, game.L))
    mu[start] = 1.0
    rows = np.empty((periods, 7))
    last = mu
    for t in range(periods):
        active = 1.0 - mu[0, 0]
        rows[t, 0] = active
        rows[t, 1] = np.vdot(mu, flow["hhi"]) / active
        rows[t, 2] = np.vdot(mu, flow["price"]) / active
        rows[t, 3] = np.vdot(mu, flow["consumers"])
        rows[t, 4] = np.vdot(mu, flow["profit"])
        after = k.carry(mu, post, share, leaves, game.step, int(game.exits))
        rows[t, 5], rows[t, 6] = np.vdot(post, flow["scrap"]), np.vdot(post, flow["setup"])
        last, mu = mu, after
    active, hhi, price, consumers, profit, scrap, setup = rows.T
    surplus = consumers + profit + scrap - setup
    discount = game.beta ** np.arange(periods)
    sums = {"consumers": float(discount @ consumers), "surplus": float(discount @ surplus)}
    rest = float(game.beta**periods)
    return Path(hhi, price, consumers, profit, scrap, setup, active, surplus, sums, rest, last)


def distribution(solution: Solution, period: int, start: tuple[int, int] = (1, 1)) -> Array:
    """μ at the pricing phase of that period (0 is the first), axes (e1, e2)."""
    return path(solution, period + 1, start).last


def limit_distribution(
    solution: Solution, start: tuple[int, int] = (1, 1), tolerance: float = 1e-12, periods: int = 50_000
) -> tuple[Array, int]:
    """The distribution that μ settles to from `start`, and the periods it took (`periods`: it has not)."""
    from pricewar.games import duopoly_kernels as k

    game = solution.extra["engine"]
    share, leaves = solution.policy["share"], np.nan_to_num(solution.policy["leaves"])
    mu, post = np.zeros((game.L, game.L)), np.empty((game.L, game.L))
    mu[start] = 1.0
    for t in range(1, periods + 1):
        new = k.carry(mu, post, share, leaves, game.step, int(game.exits))
        if float(np.abs(new - mu).sum()) <= tolerance:
            return new, t
        mu = new
    return mu, periods


def drift(solution: Solution) -> tuple[Array, Array]:
    """Expected change of (e1, e2) in one period, arrays (e1, e2): the vector field over states."""
    game = solution.extra["engine"]
    share, leaves = np.nan_to_num(solution.policy["share"]), np.nan_to_num(solution.policy["leaves"])
    levels = np.arange(game.L)
    live = levels >= game.lo
    active = live[:, None] & live[None, :]
    at = np.maximum(levels, 1) if game.exits else levels  # a firm that enters or stays is at 1 at least
    nexts = (at[:, None] * (1 - leaves[0]), at[None, :] * (1 - leaves[1]))
    here = (levels[:, None], levels[None, :])
    moves = [
        np.where(active, (share * _expected(game, G)).sum(axis=0) - e, 0.0)
        for G, e in zip(nexts, here, strict=True)
    ]
    return moves[0], moves[1]


def headline(solution: Solution) -> dict[str, float]:
    """A few figures that tell equilibria apart, among them HHI and price at period 1000 from (1, 1)."""
    road = path(solution, 1000)
    return {
        "price (1,1)": float(solution.policy["price"][0, 1, 1]),
        "HHI 1000": float(road.hhi[-1]),
        "price 1000": float(road.price[-1]),
        "disc. CS": road.discounted["consumers"],
        "disc. TS": road.discounted["surplus"],
    }


def correspondence(
    build: Callable[..., Any],
    parameter: str,
    low: float,
    high: float,
    *,
    at: Sequence[float] = (),
    budget: int = 30,
    seed: int = 0,
    progress: Progress | None = None,
    **parameters: Any,
) -> Correspondence:
    """Every branch of equilibria met as one parameter moves over [low, high], drawn by the price in (1, 1).

    Searches (`budget` starts each, with that seed) at the values `at`, by default three, and follows what it
    meets through every fold. A branch that no search met is missing.
    """
    from pricewar.games import continuation

    def game(value: float) -> Any:
        return build(**{**parameters, parameter: value})

    def figure(game: Any, y: Array) -> float:
        return float(game.unfold(y)["price"][0, 1, 1])

    words = {"parameter": parameter, "name": "price in (1, 1)", "at": at, "budget": budget, "seed": seed}
    return continuation.correspondence(game, low, high, figure, progress=progress, **words)


def rules(solution: Solution, solve: Callable[..., Solution], names: Iterable[str] = ()) -> Table:
    """The same market under other rules, each solved again from this equilibrium: `headline` of each.

    Rules: "as it is", "no negative price" (floor 0), "no price below cost" (floor 1), "half the know-how
    shared", "all know-how shared". Each row says whether the rule's equilibrium was reached.
    """
    known = {
        "as it is": {},
        "no negative price": {"floor": 0.0},
        "no price below cost": {"floor": 1.0},
        "half the know-how shared": {"sharing": 0.5},
        "all know-how shared": {"sharing": 1.0},
    }
    rows, columns = [], ()
    for name in names or known:
        under = solve(start=solution, certify=False, **{**solution.parameters, **known[name]})
        figures = headline(under)
        columns = ("rule", "result", *figures)
        rows.append((name, under.result.value, *(round(v, 4) for v in figures.values())))
    note = f"each solved from the equilibrium selected by {solution.selection}"
    return Table("the same market under other rules", columns, tuple(rows), note)


def show(solution: Solution) -> list[Table | Picture]:
    """Tables and pictures of one equilibrium: prices, motives, time path, surface, vector field."""
    game = solution.extra["engine"]
    M = game.L - 1
    corners = ((1, 1), (2, 1), (1, 2), (game.L // 2, game.L // 2), (M, 1), (1, M), (M, M))
    why = motives(solution)
    prices = tuple(
        (
            f"{e}",
            *(round(float(a[e]), 4) for a in (why.price, why.cost, why.markup, why.building, why.denying)),
        )
        for e in dict.fromkeys(corners)
    )
    road = path(solution, 1000)
    times = tuple(
        (t, *(round(float(a[t]), 4) for a in (road.hhi, road.price, road.consumers, road.surplus)))
        for t in (0, 1, 3, 10, 30, 100, 300, 999)
    )
    sums = ", ".join(f"{k} {v:.4f}" for k, v in road.discounted.items())
    levels = np.arange(game.L)
    u, v = drift(solution)
    surface = Picture(
        "surface", "price of firm 1", ("e1", "e2", "price"), levels, levels, z=solution.policy["price"][0]
    )
    arrows = Picture("arrows", "expected move in one period", ("e1", "e2"), levels, levels, u=u, v=v)
    columns = ("state", "price", "unit cost", "static markup", "advantage building", "advantage denying")
    return [
        Table("price of firm 1 = cost + markup − building − denying", columns, prices),
        Table(
            "over time from (1, 1)",
            ("period", "HHI", "price", "consumers", "surplus"),
            times,
            f"discounted: {sums}"
            + ("" if game.exits else "; with no outside good only differences of surplus mean something"),
        ),
        surface,
        arrows,
    ]
