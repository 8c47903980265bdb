"""Static price competition with logit demand: Bertrand-Nash, any coalition, and the joint monopoly.

Product j of J has quality a_j, cost c_j and price p_j; taste shocks have scale μ and the outside good has
quality a_0 (none when it is None):

    s_j = exp((a_j − p_j)/μ) / [exp(a_0/μ) + Σ_k exp((a_k − p_k)/μ)].

H_jk is the weight that the owner of j gives to the profit of k: 1 within a firm, 0 across firms, between the
two for a stake held. With margins m = p − c the first-order condition of p_j, divided by its share, reads

    H_jj m_j = μ + Σ_k H_jk s_k m_k                                                                      (ζ)

a fixed point that does not vanish as the share does. Under plain ownership every product of firm f bears the
same margin m_f = μ/(1 − S_f), S_f being the firm's share; and S_f depends on rivals only through the
denominator D of the shares. So D solves one monotone equation: the aggregative method, which cannot fail and
serves as start and as cross-check of Newton's method on (ζ).

References: Morrow, Skerlos (2011), Fixed-point approaches to computing Bertrand-Nash equilibrium prices under
mixed-logit demand, Operations Research 59(2), 328–345, section 3 (ζ); Nocke, Schutz (2018), Multiproduct-firm
oligopoly: an aggregative games approach, Econometrica 86(2), 523–557 (the aggregate); Calvano, Calzolari,
Denicolò, Pastorello (2020), American Economic Review 110(10), 3267–3297, section II (the preset's figures).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games.solution import Game, Parameter, Result, Solution, Table


@dataclass(frozen=True, eq=False)
class LogitMarket:
    """Products on one market; money is in the unit of cost, quality in money.

    Args:
        quality: (J,) a_j. cost: (J,) c_j.
        scale: μ > 0; the price coefficient of the literature is 1/μ.
        outside: a_0, or None when every buyer must buy inside.
        size: number of buyers, by which profits and surplus are multiplied.

    Raises:
        SolverError: shapes disagree, a number is not finite, or μ ≤ 0.
    """

    quality: np.ndarray
    cost: np.ndarray
    scale: float = 1.0
    outside: float | None = 0.0
    size: float = 1.0

    def __post_init__(self) -> None:
        quality = np.atleast_1d(np.asarray(self.quality, dtype=float))
        cost = np.broadcast_to(np.asarray(self.cost, dtype=float), quality.shape).copy()
        object.__setattr__(self, "quality", quality)
        object.__setattr__(self, "cost", cost)
        if quality.ndim != 1 or not (np.isfinite(quality).all() and np.isfinite(cost).all()):
            raise SolverError("quality and cost must be finite and of shape (J,)", where="LogitMarket")
        if not self.scale > 0:
            raise SolverError(f"scale μ = {self.scale} must be positive", where="LogitMarket")

    def shares(self, price: np.ndarray) -> np.ndarray:
        """(J,) market shares at prices (J,)."""
        v = (self.quality - price) / self.scale
        everyone = v if self.outside is None else np.append(v, self.outside / self.scale)
        return np.exp(v - _log_sum(everyone))

    def consumer_surplus(self, price: np.ndarray) -> float:
        """μ log of the shares' denominator, times the number of buyers (money, up to a constant)."""
        v = (self.quality - price) / self.scale
        everyone = v if self.outside is None else np.append(v, self.outside / self.scale)
        return float(self.size * self.scale * _log_sum(everyone))


def ownership(firms: Iterable[Any]) -> np.ndarray:
    """(J, J) matrix H with 1 where two products have the same firm; `firms` names each product's."""
    names = np.asarray(list(firms))
    return (names[:, None] == names[None, :]).astype(float)


def first_order(market: LogitMarket, price: np.ndarray, H: np.ndarray) -> np.ndarray:
    """(J,) residual of (ζ) in money: H_jj m_j − μ − Σ_k H_jk s_k m_k."""
    m, s = price - market.cost, market.shares(price)
    return np.diag(H) * m - market.scale - H @ (s * m)


def _log_sum(x: Any) -> float:
    """log Σ exp x without overflow; −∞ terms (an absent outside good) are welcome."""
    x = np.asarray(x, dtype=float)
    top = float(x.max())
    return top + float(np.log(np.exp(x - top).sum()))


def _odds(weight: np.ndarray, log_D: float) -> np.ndarray:
    """(F,) odds y = S/(1 − S) of firms whose products' exp((a − c)/μ) sum to exp(weight), given D.

    The margin is μ(1 + y), so log y − log(1 + y) = weight − log D − (1 + y). In z = log y the equation is
    concave and decreasing: Newton's method started at the right of the root descends to it without fail.
    """
    gap = weight - log_D
    z = np.where(gap < 1, gap - 1, np.log(np.maximum(gap, 1)))
    for _ in range(60):
        y = np.exp(z)
        step = (gap - 1 - y - z + np.log1p(y)) / (1 + y - y / (1 + y))
        z = z + step
        if np.abs(step).max() < 1e-15 * max(1.0, float(np.abs(z).max())):
            break
    return np.exp(z)


def aggregate(market: LogitMarket, firms: Iterable[Any]) -> np.ndarray:
    """(J,) Bertrand-Nash prices under plain ownership, by the aggregative method alone.

    Raises:
        SolverError: a single firm faces no outside good, so that its price has no bound.
    """
    from scipy.optimize import brentq

    labels, firm = np.unique(np.asarray(list(firms)), return_inverse=True)
    base = (market.quality - market.cost) / market.scale
    weight = np.array([_log_sum(base[firm == f]) for f in range(len(labels))])
    none = -np.inf if market.outside is None else market.outside / market.scale
    if market.outside is None and len(labels) == 1:
        raise SolverError(
            "one firm owns everything and there is no outside good: no price is high enough",
            where="static_logit",
            remedy="give the market an outside good",
        )

    def excess(log_D: float) -> float:
        return _log_sum([*(weight - 1 - _odds(weight, log_D)), none]) - log_D

    high = _log_sum([*weight, none])  # D at zero margins
    low = high - 2.0
    while excess(low) < 0:
        low -= 2.0 * (high - low)
    log_D = cast(float, brentq(excess, low, high, xtol=1e-14))
    return market.cost + market.scale * (1 + _odds(weight, log_D))[firm]


def monopoly(market: LogitMarket) -> np.ndarray:
    """(J,) prices that maximise the sum of all profits, in closed form: m = μ [1 + W(E e^−1/e^(a_0/μ))].

    Raises:
        SolverError: there is no outside good.
    """
    if market.outside is None:
        return aggregate(market, [0] * len(market.cost))
    from scipy.special import lambertw

    log_E = _log_sum((market.quality - market.cost) / market.scale) - market.outside / market.scale - 1
    # W(e^z) solved in logs where e^z would overflow
    w = float(lambertw(np.exp(log_E)).real) if log_E < 500 else _log_lambert(log_E)
    return market.cost + market.scale * (1 + w)


def _log_lambert(z: float) -> float:
    w = z - np.log(z)
    for _ in range(50):
        w -= (w + np.log(w) - z) / (1 + 1 / w)
    return float(w)


def bertrand(
    market: LogitMarket,
    owner: Sequence[Any] | np.ndarray | None = None,
    *,
    method: str = "default",
    start: np.ndarray | None = None,
    tolerance: float = 1e-13,
    limit: int = 1000,
) -> Solution:
    """Bertrand-Nash prices.

    Args:
        owner: (J,) firm of each product, or the (J, J) matrix H; each product its own firm when left out.
        method: "default" (aggregate under plain ownership, then Newton), "newton", "zeta" (the fixed point
            alone) or "aggregate".
        start: (J,) prices; cost + μ when left out.

    Raises:
        SolverError: no equilibrium can exist. ConfigurationError: an unknown method or an owner of the wrong
            shape.
    """
    clock, J = time.perf_counter(), len(market.cost)
    given = np.arange(J) if owner is None else np.asarray(owner)
    plain = given.ndim == 1
    H = ownership(given) if plain else given.astype(float)
    if H.shape != (J, J) or (np.diag(H) <= 0).any():
        raise ConfigurationError(
            f"owner must name {J} firms or be a ({J}, {J}) matrix with a positive diagonal",
            where="static_logit",
        )
    if method not in ("default", "newton", "zeta", "aggregate"):
        raise ConfigurationError(f"no method is called “{method}”", where="static_logit")
    price = market.cost + market.scale if start is None else np.asarray(start, dtype=float).copy()
    counts = {"zeta": 0, "newton": 0}
    if plain and method in ("default", "aggregate"):
        price = aggregate(market, given.tolist())
    elif market.outside is None and len(market.cost) > 0 and (H > 0).all():
        raise SolverError("everything is owned together and there is no outside good", where="static_logit")
    scale = max(1.0, float(np.abs(price).max()))
    error = float(np.abs(first_order(market, price, H)).max())
    while (
        method in ("zeta", "newton", "default") and error > tolerance * scale and sum(counts.values()) < limit
    ):
        s, m = market.shares(price), price - market.cost
        if method == "zeta" or (counts["newton"] == 0 and counts["zeta"] < 5):
            price = market.cost + (market.scale + H @ (s * m)) / np.diag(H)
            counts["zeta"] += 1
        else:
            J_s = (np.outer(s, s) - np.diag(s)) / market.scale  # ∂s_k/∂p_j
            jacobian = np.diag(np.diag(H)) - H * s - (H * m) @ J_s
            step = np.linalg.solve(jacobian, -first_order(market, price, H))
            price = price + step * min(1.0, 5 * market.scale / max(float(np.abs(step).max()), 1e-300))
            counts["newton"] += 1
        new = float(np.abs(first_order(market, price, H)).max())
        if counts["newton"] > 3 and new >= error and new < 1e-12 * scale:
            error = new
            break  # rounding reached
        error = new
    solved = error <= max(tolerance, 1e-12) * scale
    m, s = price - market.cost, market.shares(price)
    profit = market.size * (H @ (m * s))
    return Solution(
        game="static-logit",
        parameters={"scale": market.scale, "outside": market.outside, "size": market.size},
        value=profit,
        policy={"price": price, "share": s, "margin": m},
        axes=("product",),
        residual=error,
        exploitability=_best_deviation(market, price, given if plain else None, profit),
        result=Result.SOLVED if solved else Result.OUT_OF_ITERATIONS,
        method=method,
        start="cost + scale" if start is None else "given",
        counts=counts,
        seconds=time.perf_counter() - clock,
        extra={"consumer_surplus": market.consumer_surplus(price), "market": market},
    )


def _best_deviation(market: LogitMarket, price: np.ndarray, firms: Any, profit: np.ndarray) -> float | None:
    """The most that a firm gains by its best prices against the others' (None under partial stakes).

    To a single firm the others and the outside good are one rival, so that its best reply is a monopoly's.
    """
    if firms is None:
        return None
    worst, v = 0.0, (market.quality - price) / market.scale
    for firm in set(firms.tolist()):
        own = firms == firm
        rest = list(v[~own]) + ([] if market.outside is None else [market.outside / market.scale])
        alone = LogitMarket(
            market.quality[own],
            market.cost[own],
            market.scale,
            market.scale * _log_sum(rest),
            market.size,
        )
        reply = monopoly(alone)
        best = market.size * float(((reply - alone.cost) * alone.shares(reply)).sum())
        worst = max(worst, best - float(profit[own][0]))
    return worst


def coalition(market: LogitMarket, owner: Iterable[Any], members: Iterable[Any]) -> Solution:
    """Bertrand-Nash when the firms in `members` price as one and the others each for itself."""
    inside = set(members)
    firms = list(owner)
    unknown = inside - set(firms)
    if unknown:
        raise ConfigurationError(f"no product belongs to {sorted(map(str, unknown))}", where="coalition")
    head = next(f for f in firms if f in inside) if inside else None
    return bertrand(market, np.array([firms.index(head) if f in inside else firms.index(f) for f in firms]))


def joint_monopoly(market: LogitMarket) -> Solution:
    """All products priced as one firm's: the collusive counterpart of `bertrand`."""
    return bertrand(market, np.zeros(len(market.cost), dtype=int))


def solve(*, method: str = "default", **p: Any) -> Solution:
    """Symmetric market of the catalogue: n firms, m products each; collusion = 1 prices them as one."""
    given = GAME.checked(p)
    n, m = int(given["firms"]), int(given["products"])
    market = LogitMarket(np.full(n * m, given["quality"]), given["cost"], given["scale"], given["outside"])
    owner = np.repeat(np.arange(n), m) * (1 - int(given["collusion"]))
    return bertrand(market, owner, method=method).with_(parameters=given)


def show(solution: Solution) -> list[Table | Any]:
    """Price, share and profit of each product."""
    q = solution.policy
    rows = tuple(
        (j + 1, float(q["price"][j]), float(q["share"][j]), float(q["price"][j] * q["share"][j]))
        for j in range(len(q["price"]))
    )
    return [Table("the market", ("product", "price", "share", "revenue"), rows)]


GAME = Game(
    name="static-logit",
    summary="Bertrand-Nash prices under logit demand, and what a cartel would charge",
    reference="Morrow, Skerlos (2011), Operations Research 59(2); Calvano et al. (2020), AER 110(10)",
    parameters=(
        Parameter("firms", 2, 1, 200, "number of firms"),
        Parameter("products", 1, 1, 20, "products of each firm"),
        Parameter("quality", 2.0, -1e6, 1e6, "quality of each product, in money"),
        Parameter("cost", 1.0, -1e6, 1e6, "unit cost"),
        Parameter("scale", 0.25, 1e-6, 1e6, "scale μ of taste shocks, in money"),
        Parameter("outside", 0.0, -1e6, 1e6, "quality of the outside good, in money"),
        Parameter("collusion", 0, 0, 1, "1: the firms price as one"),
    ),
    solve=solve,
    show=show,
)
