"""A market that is an exact game of `games`, and what each says of the other.

**Reduction.** A team's utility from the flagship is −β ln(1 + P/h), its use N/(1 + P/h), its budget B = N h.
Let h → ∞ with β = h/σ and B = h: use is one unit and utility Q − P/σ, the level-linear logit of Besanko,
Doraszelski, Kryukov and Satterthwaite (Econometrica 2010) and of Besanko, Doraszelski and Kryukov (AER 2014).
One fresh buyer a month, no base, two vendors whose unit cost c(e) = κ e^(log₂ρ) falls with units sold, an
outside good of price p₀ (weight exp(−p₀/σ)): those papers' stage game. A finite `LIMIT` h leaves an error of
order P/h. The market knows no negative price: all money is lifted by `LIFT`, which a logit does not see.

**Shadow values.** With no base the market's first-order condition is P = c + σ/(1 − D) − X, X what one more
sale is worth beyond its margin, and the market takes X as income per team: income (1 + 2 months/H) = X,
`months` a team's expected stay and H the holding horizon. The game's first-order condition is that one with

    X = [U₁ − U₀] + Υ [U₀ − U₂],   Υ = D₂/(D₀ + D₂):   advantage building and advantage denying,

so that the market, given the game's U at a state, must ask the game's price there (`solve`), sell with the
game's probabilities and teach what the game teaches (`law`, `play`). Measured: prices of all six published
equilibria at every state to 2.4e-7, choices to 6e-8. Forgetting and the draws of scrap value and set-up cost
are the game's own: the market has cash instead.

Bundled as a definition, `markets/textbook.yaml`: `market()` with the default game and parameters.

**Conduct.** The market's vendors do not solve the game; conduct "invest" values a unit of learning at what
it saves on present sales for a year or so, and never denies a rival its learning. `conduct` measures how far
that is from the exact equilibrium. Without forgetting and with invest = 1/2, prices are off by .26 (root mean
square; prices fall from 8 to 4) and a vendor's best reply would add 8% to its value; static conduct is off by
1.11 and leaves 50%. With forgetting at .026 and invest = 3/4: off by .31, .37 and .87 in the three,
best reply +7, +9 and +17%: one rule cannot tell three equilibria apart.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from pricewar.errors import ConfigurationError
from pricewar.games import outcomes
from pricewar.games.solution import Solution, Table
from pricewar.market import fields
from pricewar.market import step as pure
from pricewar.market.model import Array, Market

LIMIT = 1e8
"""Reference price plus lift, money: large against every price."""
LIFT = 100.0
"""Added to all money, so that prices below zero become prices below this."""
GAMES = {"learning-bdks2010": "learning_bdks2010", "learning-bdk2014": "learning_bdk2014"}
VENDORS = ("one", "two")


def market(game: str = "learning-bdks2010", **parameters: Any) -> Market:
    """The market that reduces to this game; parameters are the game's own.

    Raises:
        ConfigurationError: another game, a parameter it has not, or a rule (floor, sharing) or gap in costs
            that the reduction leaves out.
    """
    from pricewar.market import kernel as k

    q = _checked(game, parameters)
    h, sigma, start = LIMIT - LIFT, q["sigma"], LIFT + q["kappa"]
    g = np.array([fields.MARKET[name].off or 0.0 for name in k.MARKET_FIELDS])
    t = np.array([[fields.TYPE[name].off or 0.0 for name in k.TYPE_FIELDS]])
    v = np.array([[fields.VENDOR[name].off or 0.0 for name in k.VENDOR_FIELDS]] * 2)
    for name, value in {
        "reference_share": h / start, "learning": -np.log2(q["rho"]), "experience_scale": 1.0,
        "experience_top": q["bottom"],
        "gpu_light": 1.0, "gpu_flagship": 1.0, "energy_light": LIFT, "energy_flagship": LIFT,
        # a fleet that is no constraint: what is used beyond it is rented at the same price
        "fleet_minimum": 1e-12, "target_load": 1.0, "rental": q["kappa"],
        "outside": -q["outside"] / sigma if "outside" in q else -60.0, "hold": 1.0,
        "discount": -np.log(q["beta"]), "review": 100.0, "threshold_width": 1.0, "data_half": 1.0,
    }.items():  # fmt: skip
        g[k.MARKET_FIELDS.index(name)] = value
    for name, value in {
        # one newcomer a month: 1 − 1/e of the pool arrives
        "potential": 1.0 / (1.0 - np.exp(-1.0)), "innovation": 1.0, "budget": LIMIT,
        "price_taste": LIMIT / sigma, "quality_taste": LIMIT / sigma * np.log1p(LIFT / h),
    }.items():  # fmt: skip
        t[0, k.TYPE_FIELDS.index(name)] = value
    for name, value in {
        "efficiency": 1.0, "cash": 1e9, "api_share": 1.0, "experience": 1.0, "share": 0.5,
        "price_light": start, "price_flagship": start, "conduct": k.EXTERNAL,
        "agility": 1.0, "quality": 1.0,
    }.items():  # fmt: skip
        v[:, k.VENDOR_FIELDS.index(name)] = value
    return Market("textbook", "XXX", date(2000, 1, 1), 60, 1, VENDORS, ("buyers",), ("buyers",), (),
                  g, v, t, np.zeros((1, 2)), np.zeros((1, 2)))  # fmt: skip


def _checked(game: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    if game not in GAMES:
        raise ConfigurationError(
            f"“{game}” is no game that the market reduces to", remedy=f"one of {', '.join(GAMES)}"
        )
    q = _module(game).GAME.checked(parameters)
    for name, off in (("cost_gap", 0.0), ("sharing", 0.0), ("floor", -1.0)):
        if q.get(name, off) != off:
            raise ConfigurationError(
                f"{name} is {q[name]:g}", where=f"textbook, {game}", remedy=f"leave it at {off:g}"
            )
    return q


def _module(game: str) -> Any:
    return importlib.import_module(f"pricewar.games.{GAMES[game]}")


class _Board:
    """The market's arrays at one state of know-how, and its first-order condition there."""

    def __init__(self, market: Market) -> None:
        from pricewar.market import kernel as k

        self.k = k
        state = pure.begin(market)
        self.g, self.v, self.t = market.g.copy(), market.v.copy(), market.t.copy()
        self.chi, self.eco = market.chi.copy(), market.eco.copy()
        self.s, self.w = state.vendor_state.copy(), state.world_state.copy()
        self.lic, self.lev, self.out = np.zeros((1, 2)), k.levers(self.g, self.w), np.zeros(8)
        # a buyer buys once: nothing is to be earned on it later
        self.t[0, k.CHURN] = 1e15
        self.weight = 1.0 + 2.0 / (self.g[k.HOLD] * (self.g[k.DISCOUNT] + self.t[0, k.CHURN]))

    def at(self, e: tuple[int, int]) -> None:
        """Go to that know-how; 0 is a vendor that does not serve."""
        k, s = self.k, self.s
        for f in (0, 1):
            s[f, k.STATUS] = k.ACTIVE if e[f] else k.WAITING
            s[f, k.EXPERIENCE] = max(e[f], 1)
            s[f, k.COST_L], s[f, k.COST_F] = k.unit_costs(self.g, self.v, s, self.w, f)
            s[f, k.QUALITY] = self.v[f, k.V_QUALITY]
        self.cells = k._room(self.v, self.t, self.chi, self.eco)
        self.cells[k.K_ENTRANTS, 0] = 1.0
        k._budgets(self.t, np.ones(1), self.cells)
        k._stand(self.g, s, self.lic, self.lev, self.t, self.cells)

    def post(self, f: int, price: float) -> None:
        """Vendor f asks this (money without the lift)."""
        k, s = self.k, self.s
        s[f, k.PRICE_F] = s[f, k.EMBEDDED_F] = price + LIFT
        k._choose_by(self.v, s, self.w, f, self.cells)

    def reply(self, f: int, shadow: float = 0.0, invest: float = 0.0) -> float:
        """Vendor f's price by the market's first-order condition, the rival's as posted."""
        k = self.k
        self.v[f, k.V_INCOME] = shadow / self.weight
        k._beside(self.g, self.s, f, self.cells)
        k._solve(self.g, self.v, self.s, self.w, self.lev, f, invest, 1e-7, 200, self.out, self.cells)
        return float(self.out[1]) - LIFT


@dataclass(frozen=True, eq=False)
class Comparison:
    """One equilibrium of the game, and the market beside it. Axes (e1, e2): the vendors' know-how.

    Attributes:
        game: the exact equilibrium. market: the market it is compared with.
        building, denying: vendor one's shadow values of a sale, money; taken from the game.
        price: what the market's first-order condition makes vendor one ask, the rival at the game's price;
            money, without the lift, NaN where it does not serve.
    """

    game: Solution
    market: Market
    building: Array
    denying: Array
    price: Array

    @property
    def gap(self) -> float:
        """Largest difference of the market's price from the game's, over the price (or σ if that is more)."""
        exact = self.game.policy["price"][0]
        scale = np.maximum(np.abs(exact), self.game.parameters["sigma"])
        return float(np.nanmax(np.abs(self.price - exact) / scale))

    @cached_property
    def law(self) -> tuple[Array, Array]:
        """What the market's step does at each state when each vendor asks the market's price there.

        Returns:
            share (who sells: nobody, one, two; e1, e2): the chance that a month's newcomer goes there;
            taught (who sells, vendor, e1, e2): units of experience that serving that one buyer adds.
        """
        return _law(self)

    @property
    def hhi(self) -> Array:
        """Σ shares² among buyers who buy, by state; NaN where nobody serves."""
        share = self.law[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            return (share[1] ** 2 + share[2] ** 2) / (share[1] + share[2]) ** 2

    def mean_price(self) -> Array:
        """The price paid by a buyer who buys, by state, money; NaN where nobody serves."""
        share = self.law[0]
        mine, theirs = np.nan_to_num(self.price), np.nan_to_num(self.price.T)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (share[1] * mine + share[2] * theirs) / (share[1] + share[2])

    def distribution(self, period: int, start: tuple[int, int] = (1, 1)) -> Array:
        """Over states at that period (0 is the first), by the market's choices, the game's other chances."""
        from pricewar.games import duopoly_kernels

        engine = self.game.extra["engine"]
        leaves = np.nan_to_num(self.game.policy["leaves"])
        mu, post = np.zeros((engine.L, engine.L)), np.empty((engine.L, engine.L))
        mu[start] = 1.0
        for _ in range(period):
            mu = duopoly_kernels.carry(mu, post, self.law[0], leaves, engine.step, int(engine.exits))
        return mu

    def table(self) -> Table:
        """What the market says beside what the game says, at a few states."""
        exact, M = self.game.policy["price"][0], self.game.extra["engine"].L - 1
        states = dict.fromkeys(((1, 1), (2, 1), (1, 2), (M // 2, M // 2), (M, 1), (1, M), (M, M)))
        rows = tuple(
            (str(e), *(round(float(a[e]), 6) for a in (exact, self.price, self.building, self.denying)))
            for e in states
        )
        return Table(
            "price of vendor one",
            ("state", "the game", "the market", "advantage building", "advantage denying"),
            rows,
            f"largest relative difference over all states {self.gap:.1e}",
        )


def solve(
    game: str = "learning-bdks2010", *, budget: int = 12, seed: int = 0, **parameters: Any
) -> tuple[Comparison, ...]:
    """Every equilibrium found from `budget` starts, each with the market beside it, lowest price first.

    Raises:
        ConfigurationError: as `market`.
    """
    q = _checked(game, parameters)
    here = market(game, **q)
    found = _module(game).search(budget=budget, seed=seed, stability=False, **q)
    return tuple(_beside(each, here) for each in found)


def _beside(solution: Solution, here: Market) -> Comparison:
    engine, motives = solution.extra["engine"], outcomes.motives(solution)
    shadow, exact = motives.building + motives.denying, solution.policy["price"][1]
    board = _Board(here)
    price = np.full((engine.L, engine.L), np.nan)
    for e1 in range(1, engine.L):
        for e2 in range(engine.lo, engine.L):
            board.at((e1, e2))
            board.post(0, float(board.s[0, board.k.COST_F]) - LIFT + engine.sigma)
            board.post(1, float(exact[e1, e2]) if e2 else 0.0)
            price[e1, e2] = board.reply(0, float(shadow[e1, e2]))
    return Comparison(solution, here, motives.building, motives.denying, price)


def _law(one: Comparison) -> tuple[Array, Array]:
    from pricewar.market import kernel as k

    engine = one.game.extra["engine"]
    L, lo, here = engine.L, engine.lo, one.market
    share, taught = np.zeros((3, L, L)), np.zeros((3, 2, L, L))
    share[0, 0, 0] = 1.0 if lo == 0 else 0.0
    blank, idle = pure.begin(here), np.zeros(1)
    alone = here.with_({"two.enters": 1e6})  # else a vendor that waits would enter by itself
    for e1 in range(1, L):
        for e2 in range(lo, L):
            level = np.array([e1, max(e2, 1)])
            status = [k.ACTIVE, k.ACTIVE if e2 else k.WAITING]
            asks = (one.price[e1, e2], one.price[e2, e1] if e2 else 0.0)
            terms = {n: pure.Terms(flagship=p + LIFT) for n, p in zip(VENDORS, asks, strict=True)}
            state = blank.with_({"experience": level, "status": np.array(status)})
            at = here if e2 else alone
            joined = pure.step(at, state, terms)[1].vendor["joined"]
            share[:, e1, e2] = 1.0 - joined.sum(), *joined
            for who in (1, 2):
                if who == 2 and not e2:
                    continue
                teams = np.zeros((1, k.L, 2))
                teams[0, 0, who - 1] = 1.0
                served = pure.step(at, state.with_(teams=teams, pool=idle), terms)[0]
                taught[who, :, e1, e2] = served.vendor("experience") - level
    if lo == 0:
        share[:, 0, 1:] = share[[0, 2, 1]][:, 1:, 0]
        taught[:, :, 0, 1:] = taught[[0, 2, 1]][:, ::-1, 1:, 0]
    return share, taught


def play(one: Comparison, periods: int, buyers: int, seed: int = 0, start: tuple[int, int] = (1, 1)) -> Array:
    """Single buyers, one a period, in that many markets: states [buyers, periods + 1, 2].

    A buyer is drawn by the market's own chances, served by the market's step, and teaches what that adds;
    forgetting, exit and entry are drawn from the game's.
    """
    engine = one.game.extra["engine"]
    share, taught = one.law
    learned = np.rint(taught).astype(int)
    top, leaves = engine.L - 1, np.nan_to_num(one.game.policy["leaves"])
    forget = 1.0 - engine.step[0, 1, :, 2]
    forget[0], forget[top] = 0.0, engine.step[0, 0, top, 0]
    luck = np.random.Generator(np.random.Philox(key=[seed, 3]))
    path = np.empty((buyers, periods + 1, 2), int)
    path[:, 0] = e = np.tile(start, (buyers, 1))
    for n in range(periods):
        u = luck.random((buyers, 5))
        here = share[:, e[:, 0], e[:, 1]]
        who = (u[:, 0] > here[0]).astype(int) + (u[:, 0] > here[0] + here[1])
        gained = learned[who, :, e[:, 0], e[:, 1]]
        gone = u[:, 1:3] < forget[e]
        after = np.where(e > 0, np.clip(e + gained - gone, 1, top), 0)
        if engine.exits:
            away = u[:, 3:5] < np.stack([leaves[f, after[:, 0], after[:, 1]] for f in (0, 1)], axis=1)
            after = np.where(away, 0, np.maximum(after, 1))
        path[:, n + 1] = e = after
    return path


@dataclass(frozen=True, eq=False)
class Conduct:
    """Conduct "invest" of both vendors on the exact game's states. Axes (e1, e2), vendor one, money.

    Attributes:
        invest: the parameter. price: Nash in prices at every state. value: discounted profit of that policy.
        gain: what the exact best reply would add to it.
        difference: root mean square of price less the game's, weighted by how often the game visits a state
            in its first hundred periods.
    """

    invest: float
    price: Array
    value: Array
    gain: Array
    difference: float

    @property
    def exploitability(self) -> float:
        """The largest gain at a state, over the value of the policy where both begin."""
        return float(np.nanmax(self.gain) / abs(self.value[1, 1]))


def conduct(one: Comparison, invest: float) -> Conduct:
    """How near the market's parametric conduct comes to this equilibrium (games without exit).

    Each vendor's fleet, by which the conduct judges what learning saves, is the one that serves its share in
    the exact equilibrium at that state; a fleet that followed the conduct's own share would feed on itself.

    Raises:
        ConfigurationError: the game has entry and exit.
    """
    engine = one.game.extra["engine"]
    if engine.exits:
        raise ConfigurationError("this game has entry and exit", where="textbook", remedy="learning-bdks2010")
    L, board = engine.L, _Board(one.market)
    k, share = board.k, one.game.policy["share"]
    price = np.full((L, L), np.nan)
    for e1 in range(1, L):
        for e2 in range(1, e1 + 1):
            board.at((e1, e2))
            cost = board.s[:, k.COST_F] - LIFT
            board.s[:, k.CAPACITY] = share[1:, e1, e2] * cost / board.w[k.RENTAL_NOW]
            asks = cost + 1.5 * engine.sigma
            for f in (0, 1):
                board.post(f, float(asks[f]))
            for _ in range(200):
                before = asks.copy()
                for f in (0, 1):
                    asks[f] = board.reply(f, invest=invest)
                    board.post(f, float(asks[f]))
                if np.abs(asks - before).max() < 1e-7 * engine.sigma:
                    break
            price[e1, e2], price[e2, e1] = asks
    value = _worth(engine, price)
    log = np.nan_to_num(-price / engine.sigma)
    rival = {"u": np.ascontiguousarray(log.T), "leaves": np.zeros((L, L))}
    best = engine.best_reply(0, one.game.extra["y"], rival)[1]["value"]
    gain = np.where(np.isfinite(value), best - value, np.nan)
    visits = np.sum([outcomes.distribution(one.game, n) for n in range(0, 100, 5)], axis=0)
    off = np.nan_to_num(price - one.game.policy["price"][0])
    return Conduct(invest, price, value, gain, float(np.sqrt((visits * off**2).sum() / visits.sum())))


def _worth(engine: Any, price: Array) -> Array:
    """[e1, e2] discounted profit of vendor one when both ask `price` (own level first)."""
    L = engine.L
    share_one = 1.0 / (1.0 + np.exp((price - price.T) / engine.sigma))
    n = L - 1
    A, flow = np.eye(n * n), np.empty(n * n)
    for e1 in range(1, L):
        for e2 in range(1, L):
            row = (e1 - 1) * n + e2 - 1
            D = share_one[e1, e2]
            flow[row] = D * (price[e1, e2] - engine.cost[0][e1])
            for chance, mine, theirs in ((D, 1, 2), (1.0 - D, 2, 1)):
                for a in range(3):
                    for b in range(3):
                        p = chance * engine.step[0, mine, e1, a] * engine.step[1, theirs, e2, b]
                        if p > 0.0:
                            A[row, (e1 + a - 2) * n + e2 + b - 2] -= engine.beta * p
    out = np.full((L, L), np.nan)
    out[1:, 1:] = np.linalg.solve(A, flow).reshape(n, n)
    return out
