"""Bargaining between sellers and buyers: Nash, Nash-in-Nash, and what stands behind them.

One pair. The Nash solution with the seller's weight τ gives each its disagreement payoff and divides the
gain, τ to the seller. Alternating offers with discount factors δ give the proposer (1 − δ_B)/(1 − δ_A δ_B)
of it, and in the limit of quick offers τ = ln δ_B/(ln δ_A + ln δ_B).

Many pairs. A is the set of signed agreements ij, U_i(A) and D_j(A) the payoffs of seller i and buyer j before
transfers, t_ij what j pays i. Each t_ij is the Nash solution of its pair, given all the others:

    (1 − τ_ij) ΔU_ij = τ_ij ΔD_ij,

ΔU and ΔD being the gains over breakdown, transfers included. What breakdown means is the modeller's:
- fixed (Nash-in-Nash): the other agreements and their transfers stay as they are, so that
  t_ij = τ [D_j(A) − D_j(A∖ij)] − (1 − τ) [U_i(A) − U_i(A∖ij)];
- renegotiated: the others bargain again without ij, so that t(A) solves a linear system given t on every
  smaller set. With equal weights each pair then gains the same from its link: the Myerson value. Weights
  that differ along a cycle of links may contradict one another; the residual then tells;
- replacement (for exclusive contracts): as fixed, but j may turn to another seller k at the least that k
  would take, so that t_ij is at most D_j(A) − max_k [D_j(A∖ij∪kj) + U_k(A∖ij∪kj) − U_k(A∖ij)].

Prices instead of lump sums. When the pair agrees on a unit price, the Nash product is not linear in it, and
each price depends on the others through quantities: `linear_prices`. In Horn and Wolinsky's duopoly (Cournot
with demand a − q1 − q2, input cost c, equal weights) separate suppliers charge (a + 6c)/7 and a common one
(a + 3c)/4.

References: Nash (1950), Econometrica 18(2), 155–162; Rubinstein (1982), Econometrica 50(1), 97–109; Horn,
Wolinsky (1988), Bilateral monopolies and incentives for merger, RAND Journal of Economics 19(3), 408–419;
Stole, Zwiebel (1996), Review of Economic Studies 63(3), 375–410; Myerson (1977), Graphs and cooperation in
games, Mathematics of Operations Research 2(3), 225–229; Ho, Lee (2019), Equilibrium provider networks,
American Economic Review 109(2), 473–522 (replacement); Collard-Wexler, Gowrisankaran, Lee (2019),
“Nash-in-Nash” bargaining: a microfoundation for applied work, Journal of Political Economy 127(1), 163–195.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games.solution import Game, Parameter, Result, Solution, Table

Link = tuple[int, int]  # (seller, buyer)


def nash(
    surplus: float, disagreement: tuple[float, float] = (0.0, 0.0), weight: float = 0.5
) -> tuple[float, float]:
    """Payoffs of seller and buyer: each its disagreement, and the gain divided by the seller's weight.

    Raises:
        SolverError: the weight lies outside [0, 1], or agreement yields less than disagreement.
    """
    if not 0 <= weight <= 1:
        raise SolverError(f"weight {weight} lies outside [0, 1]", where="nash")
    gain = surplus - sum(disagreement)
    if gain < 0:
        raise SolverError(f"agreement loses {-gain:g}: there is nothing to share", where="nash")
    return disagreement[0] + weight * gain, disagreement[1] + (1 - weight) * gain


def alternating_offers(surplus: float, discount: tuple[float, float], rounds: int | None = None) -> float:
    """The seller's part when it makes the first offer and discounts are (seller's, buyer's).

    rounds: offers before the surplus is lost, by backward induction; None for without end, in closed form.
    """
    a, b = discount
    if not (0 <= a <= 1 and 0 <= b <= 1 and a * b < 1):
        raise SolverError(
            f"discount factors {discount} must lie in [0, 1], not both 1", where="alternating_offers"
        )
    if rounds is None:
        return surplus * (1 - b) / (1 - a * b)
    part = 0.0  # the seller's part when nobody may offer any more; the last offer takes all
    for left in range(1, rounds + 1):
        seller_offers = (rounds - left) % 2 == 0
        if left == 1:
            part = surplus if seller_offers else 0.0
        elif seller_offers:
            part = surplus - b * (surplus - part)
        else:
            part = a * part
    return part


@dataclass(frozen=True, eq=False)
class Bargain:
    """Sellers and buyers who may agree in pairs.

    Args:
        sellers, buyers: how many.
        payoff: from the frozenset of signed links to (sellers,) and (buyers,) payoffs before transfers.
        weight: the sellers' bargaining weights, a number or (sellers, buyers), in [0, 1].
        links: pairs that can agree at all; all when left out.
        exclusive: True when a buyer may sign with one seller only.

    Raises:
        SolverError: a weight is out of range, or more than 16 links (65,536 sets) are asked for.
    """

    sellers: int
    buyers: int
    payoff: Callable[[frozenset[Link]], tuple[np.ndarray, np.ndarray]]
    weight: float | np.ndarray = 0.5
    links: tuple[Link, ...] | None = None
    exclusive: bool = False

    def __post_init__(self) -> None:
        if self.links is None:
            every = tuple(itertools.product(range(self.sellers), range(self.buyers)))
            object.__setattr__(self, "links", every)
        tau = np.broadcast_to(np.asarray(self.weight, dtype=float), (self.sellers, self.buyers))
        object.__setattr__(self, "weight", tau)
        if (tau < 0).any() or (tau > 1).any():
            raise SolverError("bargaining weights lie in [0, 1]", where="Bargain")

    def gains(self, signed: frozenset[Link], link: Link) -> tuple[float, float]:
        """What the link adds to its seller and to its buyer, before transfers, the others staying signed."""
        i, j = link
        (u1, d1), (u0, d0) = self.payoff(signed), self.payoff(signed - {link})
        return float(u1[i] - u0[i]), float(d1[j] - d0[j])

    def allowed(self, signed: Iterable[Link]) -> bool:
        """Whether exclusivity permits the set."""
        buyers = [j for _, j in signed]
        return not self.exclusive or len(buyers) == len(set(buyers))

    def networks(self) -> list[frozenset[Link]]:
        """Every permitted set of agreements, smallest first.

        Raises SolverError when there are more than 16 possible links.
        """
        assert self.links is not None
        if len(self.links) > 16:
            raise SolverError(
                f"{len(self.links)} links make {2 ** len(self.links):,} sets of agreements, more than 65,536",
                where="Bargain",
                remedy="name the possible links (links=), 16 at most",
            )
        every = itertools.chain.from_iterable(
            itertools.combinations(self.links, n) for n in range(len(self.links) + 1)
        )
        return [frozenset(s) for s in every if self.allowed(s)]


def _payments(game: Bargain, t: dict[Link, float]) -> tuple[np.ndarray, np.ndarray]:
    received, paid = np.zeros(game.sellers), np.zeros(game.buyers)
    for (i, j), amount in t.items():
        received[i] += amount
        paid[j] += amount
    return received, paid


def _fixed(game: Bargain, signed: frozenset[Link]) -> dict[Link, float]:
    tau = np.asarray(game.weight)
    t = {}
    for link in sorted(signed):
        u, d = game.gains(signed, link)
        t[link] = float(tau[link] * d - (1 - tau[link]) * u)
    return t


def _replacement(game: Bargain, signed: frozenset[Link]) -> dict[Link, float]:
    t = _fixed(game, signed)
    assert game.links is not None
    for i, j in sorted(signed):
        without = signed - {(i, j)}
        here, idle = float(game.payoff(signed)[1][j]), game.payoff(without)[0]
        for k in range(game.sellers):
            if (k, j) in game.links and (k, j) not in signed:
                u, d = game.payoff(without | {(k, j)})
                t[i, j] = min(t[i, j], here - float(d[j] + u[k] - idle[k]))
    return t


def _renegotiated(game: Bargain, signed: frozenset[Link], alternating: bool) -> dict[Link, float]:
    """t on `signed`, from the smallest subsets up; by a linear solve, or by best replies in turn."""
    tau, known = np.asarray(game.weight), {frozenset(): {}}
    final: dict[frozenset[Link], tuple[np.ndarray, np.ndarray]] = {}

    def settle(A: frozenset[Link], t: dict[Link, float]) -> None:
        known[A] = t
        (u, d), (received, paid) = game.payoff(A), _payments(game, t)
        final[A] = (u + received, d - paid)

    settle(frozenset(), {})
    for size in range(1, len(signed) + 1):
        for chosen in itertools.combinations(sorted(signed), size):
            A = frozenset(chosen)
            u, d = game.payoff(A)
            # (1−τ)[u_i + Σ_k t_ik − U_i(A∖ij)] = τ [d_j − Σ_k t_kj − D_j(A∖ij)]
            M, right = np.zeros((size, size)), np.zeros(size)
            for row, link in enumerate(chosen):
                i, j = link
                before_u, before_d = final[A - {link}]
                right[row] = tau[link] * (d[j] - before_d[j]) - (1 - tau[link]) * (u[i] - before_u[i])
                for col, (k, m) in enumerate(chosen):
                    M[row, col] = (1 - tau[link]) * (k == i) + tau[link] * (m == j)
            if alternating:
                x = np.zeros(size)
                for _ in range(100_000):
                    before = x.copy()
                    for row in range(size):
                        x[row] += (right[row] - M[row] @ x) / M[row, row]
                    if np.abs(x - before).max() < 1e-15 * max(1.0, float(np.abs(x).max())):
                        break
            else:
                # around a cycle of links money can circulate: payoffs are fixed, transfers are not; of those
                # the smallest are taken
                x = np.linalg.lstsq(M, right, rcond=None)[0]
            settle(A, dict(zip(chosen, map(float, x), strict=True)))
    return known[signed]


def nash_in_nash(
    game: Bargain,
    signed: Iterable[Link] | None = None,
    *,
    breakdown: str = "fixed",
    method: str = "direct",
) -> Solution:
    """Transfers and payoffs when the agreements in `signed` (all links when left out) are made.

    Args:
        breakdown: "fixed" (Nash-in-Nash), "renegotiated" or "replacement".
        method: "direct" (closed form, linear solve) or "alternating" (each pair's solution in turn).

    The solution's value is (sellers + buyers,) payoffs; policy "transfer" is (sellers, buyers), NaN where
    nothing is signed. Exploitability is what some pair would share by dropping its agreement.

    Raises:
        ConfigurationError: unknown breakdown or method. SolverError: the set is not permitted, or too large.
    """
    clock = time.perf_counter()
    assert game.links is not None
    chosen = frozenset(game.links if signed is None else signed)
    if breakdown not in ("fixed", "renegotiated", "replacement") or method not in ("direct", "alternating"):
        raise ConfigurationError(
            f"breakdown “{breakdown}”, method “{method}”",
            where="nash_in_nash",
            remedy="breakdown is fixed, renegotiated or replacement, method direct or alternating",
        )
    if not game.allowed(chosen) or not chosen <= set(game.links):
        raise SolverError("this set of agreements is not permitted", where="nash_in_nash")
    if breakdown == "renegotiated" and len(chosen) > 16:
        raise SolverError(
            f"{len(chosen)} agreements are too many to renegotiate: 16 at most", where="nash_in_nash"
        )
    if breakdown == "fixed":
        t = _fixed(game, chosen) if method == "direct" else _nash_products(game, chosen)
    elif breakdown == "replacement":
        t = _replacement(game, chosen)
    else:
        t = _renegotiated(game, chosen, method == "alternating")
    u, d = game.payoff(chosen)
    received, paid = _payments(game, t)
    value = np.concatenate([u + received, d - paid])
    tau = np.asarray(game.weight)
    transfer, residual, loss = np.full((game.sellers, game.buyers), np.nan), 0.0, 0.0
    for link in chosen:
        i, j = link
        transfer[link] = t[link]
        if breakdown != "renegotiated":
            gain_u, gain_d = game.gains(chosen, link)
            gain_u, gain_d = gain_u + t[link], gain_d - t[link]
        else:
            smaller = chosen - {link}
            u0, d0 = game.payoff(smaller)
            r0, p0 = _payments(game, _renegotiated(game, smaller, False))
            gain_u = float(value[i] - (u0 + r0)[i])
            gain_d = float(value[game.sellers + j] - (d0 - p0)[j])
        gap = (1 - tau[link]) * gain_u - tau[link] * gain_d
        if breakdown == "replacement":  # the seller gets its weight, or what replacement leaves it
            gap = max(gap, 0.0)
        residual = max(residual, abs(gap))
        loss = max(loss, -(gain_u + gain_d))
    return Solution(
        game="bargaining",
        parameters={"sellers": game.sellers, "buyers": game.buyers, "breakdown": breakdown},
        value=value,
        policy={"transfer": transfer},
        axes=("party",),
        ticks={
            "party": [f"seller {i + 1}" for i in range(game.sellers)]
            + [f"buyer {j + 1}" for j in range(game.buyers)]
        },
        residual=float(residual),
        exploitability=max(0.0, float(loss)),
        result=Result.SOLVED if residual <= 1e-6 * max(1.0, float(np.abs(value).max())) else Result.SINGULAR,
        method=method,
        start="all links" if signed is None else "named links",
        counts={"agreements": len(chosen)},
        seconds=time.perf_counter() - clock,
        extra={"signed": sorted(chosen), "breakdown": breakdown},
    )


def _nash_products(game: Bargain, signed: frozenset[Link]) -> dict[Link, float]:
    """Each transfer by maximising its pair's Nash product over a bracket: the definition itself."""
    from scipy.optimize import minimize_scalar

    tau, t = np.asarray(game.weight), {}
    for link in sorted(signed):
        u, d = game.gains(signed, link)
        if u + d <= 0:
            t[link] = float(tau[link] * d - (1 - tau[link]) * u)
            continue

        def loss(x: float, u: float = u, d: float = d, w: float = float(tau[link])) -> float:
            up, down = max(u + x, 1e-300), max(d - x, 1e-300)
            return -(w * np.log(up) + (1 - w) * np.log(down))

        found = cast(Any, minimize_scalar(loss, bounds=(-u, d), method="bounded", options={"xatol": 1e-12}))
        t[link] = float(found.x)
    return t


def stable_networks(game: Bargain) -> list[Solution]:
    """Permitted sets of agreements from which no pair wishes to depart.

    Transfers are Nash-in-Nash, under exclusivity with the threat of replacement. No signed pair loses by its
    agreement; and no unsigned pair would gain by signing, the other transfers unchanged, a buyer bound by
    exclusivity leaving its seller (and that transfer) for the new one.
    """
    stable = []
    for A in game.networks():
        one = nash_in_nash(game, A, breakdown="replacement" if game.exclusive else "fixed")
        if (one.exploitability or 0.0) > 1e-12:
            continue
        t = {link: float(one.policy["transfer"][link]) for link in A}
        u, d = game.payoff(A)
        tempted = False
        assert game.links is not None
        for link in set(game.links) - A:
            i, j = link
            dropped = {m for m in A if game.exclusive and m[1] == j}
            u1, d1 = game.payoff((A - dropped) | {link})
            saved = sum(t[m] for m in dropped)
            own = sum(t[m] for m in dropped if m[0] == i)
            tempted |= float(u1[i] - u[i] - own + d1[j] - d[j] + saved) > 1e-12
        if not tempted:
            stable.append(one)
    return stable


def linear_prices(
    seller: Callable[[Sequence[float], int], tuple[float, float]],
    buyer: Callable[[Sequence[float], int], tuple[float, float]],
    bounds: Sequence[tuple[float, float]],
    weight: Sequence[float] | float = 0.5,
    *,
    tolerance: float = 1e-11,
    limit: int = 500,
    method: str = "newton",
) -> Solution:
    """Unit prices w (n,) of n pairs, each the Nash solution of its pair given the others' prices.

    Args:
        seller, buyer: from prices and the number of a pair to (payoff in agreement, payoff if it breaks
            down), of that pair's seller and buyer.
        bounds: (low, high) of each price, within which both gains are positive somewhere.
        weight: the sellers' weights.
        method: "alternating" (each pair's Nash product maximised in turn) or "newton" (a few such rounds,
            then Newton's method on the first-order conditions, derivatives by central differences).

    Raises:
        SolverError: some pair has nothing to gain at any price within its bounds.
    """
    from scipy.optimize import minimize_scalar

    clock, n = time.perf_counter(), len(bounds)
    tau = np.broadcast_to(np.asarray(weight, dtype=float), (n,))
    if method not in ("newton", "alternating"):
        raise ConfigurationError(f"no method is called “{method}”", remedy="newton or alternating")

    def log_product(w: np.ndarray, k: int) -> float:
        (u1, u0), (d1, d0) = seller(w.tolist(), k), buyer(w.tolist(), k)
        if u1 <= u0 or d1 <= d0:
            return -np.inf
        return float(tau[k] * np.log(u1 - u0) + (1 - tau[k]) * np.log(d1 - d0))

    def reply(w: np.ndarray, k: int) -> float:
        grid = np.linspace(*bounds[k], 41)
        at = [log_product(_with(w, k, x), k) for x in grid]
        best = int(np.argmax(at))
        if at[best] == -np.inf:
            raise SolverError(
                f"pair {k + 1} has nothing to gain at any price in {bounds[k]}", where="linear_prices"
            )
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
        found = cast(
            Any,
            minimize_scalar(
                lambda x: min(-log_product(_with(w, k, x), k), 1e300),
                bounds=(low, high),
                method="bounded",
                options={"xatol": 1e-13},
            ),
        )
        return float(found.x)

    def slope(w: np.ndarray) -> np.ndarray:
        out = np.empty(n)
        for k in range(n):
            h = 1e-4 * (bounds[k][1] - bounds[k][0])
            f = [log_product(_with(w, k, w[k] + m * h), k) for m in (-2, -1, 1, 2)]
            out[k] = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h)
        return out

    w, rounds, steps, change = np.array([(lo + hi) / 2 for lo, hi in bounds]), 0, 0, np.inf
    while change > (1e-3 if method == "newton" else tolerance) and rounds < limit:
        before = w.copy()
        for k in range(n):
            w[k] = reply(w, k)
        change, rounds = float(np.abs(w - before).max()), rounds + 1
    if method == "newton":
        for _ in range(30):
            g, J, h = slope(w), np.empty((n, n)), 1e-4 * np.array([hi - lo for lo, hi in bounds])
            for k in range(n):
                J[:, k] = (slope(_with(w, k, w[k] + h[k])) - slope(_with(w, k, w[k] - h[k]))) / (2 * h[k])
            step = np.linalg.solve(J, -g)
            w, steps, change = w + step, steps + 1, float(np.abs(step).max())
            if change < tolerance:
                break
    # near its peak a function of size f tells x apart only to √ε: alternating replies stop there
    enough = max(tolerance, 1e-9 if method == "newton" else 1e-6)
    payoff = np.array([[seller(w.tolist(), k)[0], buyer(w.tolist(), k)[0]] for k in range(n)])
    gain = max(
        float(np.expm1(max(0.0, log_product(_with(w, k, reply(w, k)), k) - log_product(w, k))))
        for k in range(n)
    )
    return Solution(
        game="linear-prices",
        parameters={"pairs": n},
        value=payoff,
        policy={"price": w},
        axes=("pair", "side"),
        ticks={"side": ("seller", "buyer")},
        residual=change,
        exploitability=gain,
        result=Result.SOLVED if change <= enough else Result.OUT_OF_ITERATIONS,
        method=method,
        start="middle of the bounds",
        counts={"rounds": rounds, "newton": steps},
        seconds=time.perf_counter() - clock,
    )


def _with(w: np.ndarray, k: int, x: float) -> np.ndarray:
    out = w.copy()
    out[k] = x
    return out


def horn_wolinsky(
    a: float = 10.0, c: float = 1.0, weight: float = 0.5, common: bool = False, **kw: Any
) -> Solution:
    """Two Cournot firms buy an input each, from separate suppliers or from a common one (n = 2 pairs).

    When a pair breaks down, its buyer leaves the market and the other buyer sells as a monopolist.
    """

    def quantity(w: Sequence[float], k: int) -> float:
        return max((a - 2 * w[k] + w[1 - k]) / 3, 0.0)

    def seller(w: Sequence[float], k: int) -> tuple[float, float]:
        own = (w[k] - c) * quantity(w, k)
        if not common:
            return own, 0.0
        other = (w[1 - k] - c) * quantity(w, 1 - k)
        return own + other, (w[1 - k] - c) * max(a - w[1 - k], 0.0) / 2

    def buyer(w: Sequence[float], k: int) -> tuple[float, float]:
        return quantity(w, k) ** 2, 0.0

    return linear_prices(seller, buyer, [(c, a)] * 2, weight, **kw)


def variety(
    sellers: int = 2, buyers: int = 2, value: float = 1.0, curvature: float = 0.5, **kw: Any
) -> Bargain:
    """A buyer that signs with n sellers makes value · n^curvature; sellers substitute when curvature < 1."""

    def payoff(signed: frozenset[Link]) -> tuple[np.ndarray, np.ndarray]:
        count = np.zeros(buyers)
        for _, j in signed:
            count[j] += 1
        return np.zeros(sellers), value * count**curvature

    return Bargain(sellers, buyers, payoff, **kw)


def _solve_variety(*, method: str = "default", **p: Any) -> Solution:
    given = GAMES[0].checked(p)
    game = variety(
        int(given["sellers"]),
        int(given["buyers"]),
        given["value"],
        given["curvature"],
        weight=given["weight"],
        exclusive=bool(given["exclusive"]),
    )
    signed = None
    if given["exclusive"]:  # each buyer with one seller, in turn
        signed = [(j % game.sellers, j) for j in range(game.buyers)]
    breakdown = "renegotiated" if given["renegotiated"] else "replacement" if given["exclusive"] else "fixed"
    method = "direct" if method == "default" else method
    return nash_in_nash(game, signed, breakdown=breakdown, method=method).with_(
        game="nash-in-nash", parameters=given
    )


def _solve_horn(*, method: str = "default", **p: Any) -> Solution:
    given = GAMES[1].checked(p)
    if given["c"] >= given["a"]:
        raise ConfigurationError(
            "the input must cost less than the highest price a", where="horn-wolinsky1988"
        )
    method = "newton" if method == "default" else method
    return horn_wolinsky(given["a"], given["c"], given["weight"], bool(given["common"]), method=method).with_(
        game="horn-wolinsky1988", parameters=given
    )


def show(solution: Solution) -> list[Table | Any]:
    """Who pays whom, and what each party is left with."""
    if "price" in solution.policy:
        rows = tuple(
            (k + 1, float(w), *map(float, solution.value[k])) for k, w in enumerate(solution.policy["price"])
        )
        return [Table("input prices", ("pair", "price", "seller's profit", "buyer's profit"), rows)]
    transfer = solution.policy["transfer"]
    rows = tuple((i + 1, j + 1, float(transfer[i, j])) for i, j in solution.extra["signed"])
    parties = tuple(zip(solution.ticks["party"], map(float, solution.value), strict=True))
    return [
        Table("transfers", ("seller", "buyer", "pays"), rows),
        Table("payoffs", ("party", "payoff"), parties),
    ]


GAMES = (
    Game(
        name="nash-in-nash",
        summary="sellers and buyers agree in pairs on what is paid",
        reference="Collard-Wexler, Gowrisankaran, Lee (2019), Journal of Political Economy 127(1)",
        parameters=(
            Parameter("sellers", 2, 1, 8, "number of sellers"),
            Parameter("buyers", 2, 1, 8, "number of buyers"),
            Parameter("value", 1.0, 0.0, 1e9, "what one seller is worth to a buyer"),
            Parameter("curvature", 0.5, 0.0, 3.0, "n sellers are worth value · n^curvature"),
            Parameter("weight", 0.5, 0.0, 1.0, "bargaining weight of the sellers"),
            Parameter("exclusive", 0, 0, 1, "1: a buyer signs with one seller only, and may replace it"),
            Parameter(
                "renegotiated", 0, 0, 1, "1: after a breakdown the others bargain again (16 links at most)"
            ),
        ),
        solve=_solve_variety,
        show=show,
    ),
    Game(
        name="horn-wolinsky1988",
        summary="two rivals bargain over the price of an input, with one supplier or two",
        reference="Horn, Wolinsky (1988), RAND Journal of Economics 19(3)",
        parameters=(
            Parameter("a", 10.0, 1e-6, 1e9, "price at which demand vanishes"),
            Parameter("c", 1.0, 0.0, 1e9, "the suppliers' unit cost"),
            Parameter("weight", 0.5, 0.01, 0.99, "bargaining weight of the suppliers"),
            Parameter("common", 0, 0, 1, "1: one supplier serves both"),
        ),
        solve=_solve_horn,
        show=show,
    ),
)
