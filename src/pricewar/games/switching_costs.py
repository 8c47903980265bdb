"""Dynamic duopoly with switching costs and a locked-in base: one price for all, or prices by history.

N customers; n_s of them have history s: attached to firm 1, to firm 2, or to nobody (0). Each period one
customer, any with probability 1/N, is in the market, so that history s has weight w_s = n_s/N. With the
outside good as choice 0 (absent when outside is None), choice k gives

    u_k = a_k − p_k − S·(1 − portability)·[s ≠ 0 and s ≠ k] + σ ε_k,   u_0 = a_0 + σ ε_0,     ε logit.

Who buys from k is then attached to k; who buys outside keeps its history; after its choice the customer is
replaced by one without history with probability ν. Customers look no further than the period. A firm knows n;
it sets one price for all, or one price for each history. Write X_j for firm k's payoff when choice j is made
(its margin if j = k, plus β times its expected value at the next state), X̄ = Σ_j q_j X_j. For a group of
histories that face the same price, the first-order condition divided by the firm's own share is

    σ = Σ_s ω_s (X_k − X̄)_s,   ω_s = w_s q_ks / Σ_s w_s q_ks,        V_k = Σ_s w_s X̄_s.

Newton's method runs on values and prices together; its derivatives are exact (complex step by state, then the
chain rule through the transitions). A price that meets the condition may still be the lesser of two peaks
(harvest the base, or invest): exploitability is found over all prices.

When firms price by history and there is no outside good, all is in closed form. An attached customer stays
with probability q, q = 1/(1 + exp(−(S − d)/σ)) with d = σ/(1−q) − σ/q; being attached rather than the
rival's is worth W = (σ/N) [q/(1−q) − (1−q)/q] / [1 − β(1 − 1/N)]; and the price is c − β(1−ν)W plus σ/(1−q)
to one's own, σ/q to the rival's, 2σ to the new. So S = 0 is static competition, and a small S lowers the
average price (W is of first order in S, the markups of second).

References: Cabral (2016), Dynamic pricing in customer markets with switching costs, Review of Economic
Dynamics 20, 43–62 (harvesting against investing); Dubé, Hitsch, Rossi (2009), Do switching costs make markets
less competitive?, Journal of Marketing Research 46(4), 435–445 (one price, logit, small costs lower prices);
Klemperer (1987), Quarterly Journal of Economics 102(2), 375–394.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games.solution import Game, Parameter, Picture, Result, Solution, Table


@dataclass(frozen=True)
class Switching:
    """Primitives; money in units of cost.

    Args:
        customers: N ≥ 1.
        switching_cost: S ≥ 0. portability: share of S that a rule abolishes, in [0, 1].
        by_history: True when each history has its own price, False for one price for all.
        quality, cost: a_k and c_k of the two firms.
        scale: σ > 0. outside: a_0, or None for no outside good.
        turnover: ν in [0, 1], probability that the customer is replaced after its choice.
        discount: β in [0, 1), per period.

    Raises:
        SolverError: a number is out of range, or the state space has more than 5,000 states.
    """

    customers: int = 5
    switching_cost: float = 1.0
    portability: float = 0.0
    by_history: bool = False
    quality: tuple[float, float] = (0.0, 0.0)
    cost: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    outside: float | None = None
    turnover: float = 0.1
    discount: float = 0.9

    def __post_init__(self) -> None:
        for name, ok in (
            ("customers", self.customers >= 1),
            ("switching_cost", self.switching_cost >= 0),
            ("portability", 0 <= self.portability <= 1),
            ("scale", self.scale > 0),
            ("turnover", 0 <= self.turnover <= 1),
            ("discount", 0 <= self.discount < 1),
        ):
            if not ok:
                raise SolverError(f"{name} = {getattr(self, name)} is out of range", where="Switching")
        if self.states > 5000:
            raise SolverError(
                f"{self.customers} customers make {self.states:,} states, more than 5,000",
                where="Switching",
                remedy="give at most 98 customers: let one stand for several",
            )

    @property
    def states(self) -> int:
        """Number of (n1, n2) with n1 + n2 ≤ N."""
        return (self.customers + 1) * (self.customers + 2) // 2

    def base(self) -> np.ndarray:
        """(S, 3) customers without history, attached to firm 1, attached to firm 2."""
        N = self.customers
        return np.array([(N - a - b, a, b) for a in range(N + 1) for b in range(N + 1 - a)])

    def groups(self) -> list[list[int]]:
        """Histories that face the same price."""
        return [[0], [1], [2]] if self.by_history else [[0, 1, 2]]


class _Duopoly:
    """The arrays of one model: weights, transitions, and the stage game of every state at once."""

    def __init__(self, model: Switching) -> None:
        from scipy import sparse

        self.model, base = model, model.base()
        S, N, nu = model.states, model.customers, model.turnover
        self.weight = (base / N).T  # (history, state)
        index = {tuple(row): m for m, row in enumerate(base.tolist())}
        self.next = np.empty((3, 3), dtype=object)
        for s in range(3):
            for j in range(3):
                rows, cols, vals = [], [], []
                for m, n in enumerate(base.tolist()):
                    if n[s] == 0:  # this history is absent: its weight is zero
                        continue
                    for after, chance in ((j or s, 1 - nu), (0, nu)):
                        to = list(n)
                        to[s] -= 1
                        to[after] += 1
                        rows.append(m)
                        cols.append(index[tuple(to)])
                        vals.append(chance)
                self.next[s, j] = sparse.csr_matrix((vals, (rows, cols)), shape=(S, S))
        s, k = np.meshgrid(np.arange(3), np.arange(1, 3), indexing="ij")
        penalty = model.switching_cost * (1 - model.portability)
        quality = np.array(model.quality)[None, :] - penalty * ((s != 0) & (s != k))
        self.quality = quality.T  # (firm, history)
        self.cost = np.array(model.cost)
        self.groups = model.groups()
        self.group_of = np.array([next(g for g, h in enumerate(self.groups) if s in h) for s in range(3)])
        # a group whose histories are all absent has no price that matters; its condition is kept alive by
        # weights as if it were there
        self.group_weight = [
            np.where(self.weight[h].sum(0) > 0, self.weight[h], 1.0 / len(h)) for h in self.groups
        ]

    def continuation(self, V: np.ndarray) -> np.ndarray:
        """(firm, history, choice, S): β E V after choice j by a customer of history s."""
        beta = self.model.discount
        return np.array(
            [[[beta * (self.next[s, j] @ V[k]) for j in range(3)] for s in range(3)] for k in range(2)]
        )

    def choices(self, p: np.ndarray) -> np.ndarray:
        """(history, choice, S) probabilities at prices (firm, group, S); complex prices are welcome."""
        sigma, out = self.model.scale, self.model.outside
        u = (self.quality[:, :, None] - p[:, self.group_of, :]) / sigma  # (firm, history, S)
        none = np.full_like(u[:1], -np.inf if out is None else out / sigma)
        top = np.maximum(u.real.max(0), none[0].real)
        e = np.exp(u - top)
        zero = np.zeros_like(e[:1]) if out is None else np.exp(none - top)
        e = np.concatenate([zero, e])
        return (e / e.sum(0)).transpose(1, 0, 2)

    def stage(self, p: np.ndarray, C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (firm, S) and first-order conditions (firm, group, S) at prices and continuations."""
        q = self.choices(p)
        X = C.astype(np.result_type(p, C))
        for k in range(2):
            X[k, :, k + 1] += p[k, self.group_of] - self.cost[k]
        mean = (q[None] * X).sum(2)  # (firm, history, S)
        value = (self.weight[None] * mean).sum(1)
        condition = np.empty(p.shape, dtype=X.dtype)
        for g, h in enumerate(self.groups):
            for k in range(2):
                own = self.group_weight[g] * q[h, k + 1]
                condition[k, g] = (own * (X[k, h, k + 1] - mean[k, h])).sum(0) / own.sum(0) - self.model.scale
        return value, condition

    def residual(self, V: np.ndarray, p: np.ndarray) -> np.ndarray:
        value, condition = self.stage(p, self.continuation(V))
        return np.concatenate([(value - V).ravel(), condition.ravel()])

    def newton_step(self, V: np.ndarray, p: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Newton's correction of V and p."""
        from scipy import sparse
        from scipy.sparse.linalg import splu

        G, S, tiny = len(self.groups), self.model.states, 1e-100
        C, beta = self.continuation(V), self.model.discount
        columns: list[Any] = []
        blocks = 2 + 2 * G
        by_value = [[sparse.csr_matrix((S, S)) for _ in range(2)] for _ in range(blocks)]
        for k in range(2):
            for s in range(3):
                for j in range(3):
                    if j == 0 and self.model.outside is None:
                        continue
                    moved = C.astype(complex)
                    moved[k, s, j] += 1j * tiny
                    value, condition = self.stage(p, moved)
                    local = np.imag(np.concatenate([value, condition.reshape(-1, S)])) / tiny
                    for b in range(blocks):
                        if np.any(local[b]):
                            by_value[b][k] = by_value[b][k] + sparse.diags(beta * local[b]) @ self.next[s, j]
        for k in range(2):
            by_value[k][k] = by_value[k][k] - sparse.identity(S)
        columns = [[by_value[b][k] for b in range(blocks)] for k in range(2)]
        for k in range(2):
            for g in range(G):
                moved = p.astype(complex)
                moved[k, g] += 1j * tiny
                value, condition = self.stage(moved, C)
                local = np.imag(np.concatenate([value, condition.reshape(-1, S)])) / tiny
                columns.append([sparse.diags(local[b]) for b in range(blocks)])
        J = sparse.bmat([[columns[c][b] for c in range(blocks)] for b in range(blocks)], format="csc")
        step = splu(J).solve(-r)
        return step[: 2 * S].reshape(2, S), step[2 * S :].reshape(p.shape)

    def relax(
        self, V: np.ndarray, p: np.ndarray, sweeps: int, inner: int = 8
    ) -> tuple[np.ndarray, np.ndarray]:
        """Value iteration: the stage games by damped ζ steps, then the values, `sweeps` times."""
        for _ in range(sweeps):
            C = self.continuation(V)
            for _ in range(inner):
                q = self.choices(p)
                condition = self.stage(p, C)[1]
                share = np.array(
                    [[q[h, k + 1].mean(0) for h in self.groups] for k in range(2)]
                )  # condition rises with own price about as fast as 1 − share, and falls through the share
                p = p - 0.7 * np.clip(condition, -2 * self.model.scale, 2 * self.model.scale) * (
                    1 - share
                ).clip(0.2)
            V = self.stage(p, C)[0]
        return V, p

    def best_gain(self, V: np.ndarray, p: np.ndarray) -> float:
        """Most that a firm gains at any state by its best prices against the other's, over all prices."""
        from scipy import sparse
        from scipy.sparse.linalg import spsolve

        sigma, S, worst = self.model.scale, self.model.states, 0.0
        for k in range(2):
            W = V.copy()
            for _ in range(50):
                C = self.continuation(W)
                reply = p.copy()
                for g, h in enumerate(self.groups):
                    span = max(float(np.ptp(p)), sigma) + 6 * sigma
                    grid = np.linspace(float(p.min()) - span, float(p.max()) + span, 241)
                    best, at = self._payoff(k, g, h, grid[:, None] + np.zeros(S), p, C), None
                    at = best.argmax(0)
                    low, high = grid[np.maximum(at - 1, 0)], grid[np.minimum(at + 1, len(grid) - 1)]
                    for _ in range(45):  # golden section around the best of the grid
                        a, b = (
                            high - 0.6180339887498949 * (high - low),
                            low + 0.6180339887498949 * (high - low),
                        )
                        right = (
                            self._payoff(k, g, h, b[None], p, C)[0] > self._payoff(k, g, h, a[None], p, C)[0]
                        )
                        low, high = np.where(right, a, low), np.where(right, high, b)
                    found = (low + high) / 2
                    gain = (
                        self._payoff(k, g, h, found[None], p, C)[0]
                        - self._payoff(k, g, h, p[k, g][None], p, C)[0]
                    )
                    reply[k, g] = np.where(gain > 1e-14, found, p[k, g])
                q = self.choices(reply)
                T, flow = self._law(q), np.zeros(S)
                for s in range(3):
                    flow += self.weight[s] * q[s, k + 1] * (reply[k, self.group_of[s]] - self.cost[k])
                new = spsolve(sparse.identity(S, format="csc") - self.model.discount * T.tocsc(), flow)
                change, W[k] = float(np.abs(new - W[k]).max()), new
                if change < 1e-12:
                    break
            worst = max(worst, float((W[k] - V[k]).max()))
        return worst

    def _payoff(
        self, k: int, g: int, h: list[int], mine: np.ndarray, p: np.ndarray, C: np.ndarray
    ) -> np.ndarray:
        """(m, S) expected payoff of firm k from group g at its prices `mine` (m, S), the rival's as in p."""
        sigma, out = self.model.scale, self.model.outside
        total = np.zeros(mine.shape)
        for row, s in enumerate(h):
            own = (self.quality[k, s] - mine) / sigma
            rival = np.exp((self.quality[1 - k, s] - p[1 - k, g]) / sigma - own)
            none = np.zeros_like(own) if out is None else np.exp(out / sigma - own)
            down = 1 + rival + none
            gain = mine - self.cost[k] + C[k, s, k + 1] + rival * C[k, s, 2 - k] + none * C[k, s, 0]
            total += self.group_weight[g][row] * gain / down
        return total

    def _law(self, q: np.ndarray) -> Any:
        from scipy import sparse

        T = sparse.csr_matrix((self.model.states, self.model.states))
        for s in range(3):
            for j in range(3):
                T = T + sparse.diags(self.weight[s] * q[s, j]) @ self.next[s, j]
        return T

    def distribution(self, p: np.ndarray) -> np.ndarray:
        """(S,) long-run probabilities of the states; one class recurs, since every choice is possible."""
        from scipy import sparse
        from scipy.sparse.linalg import spsolve

        S = self.model.states
        A = sparse.lil_matrix(sparse.identity(S) - self._law(self.choices(p)).T)
        A[S - 1] = 1.0  # one equation is redundant: probabilities add up instead
        return np.asarray(spsolve(A.tocsc(), np.eye(S)[S - 1])).clip(0.0)


def solve_switching(
    model: Switching,
    *,
    method: str = "default",
    start: Solution | None = None,
    tolerance: float = 1e-12,
    limit: int = 60,
    progress: Any = None,
) -> Solution:
    """Markov perfect equilibrium in pure strategies.

    method: "default" (value iteration, then Newton, then the switching cost grown from zero if need be) or
    "iteration" (value iteration alone, for cross-checks). Policies are price (firm, group, S), join (history,
    choice, S), a price being NaN where nobody could pay it; `extra` has base (S, 3), limit (S,) and the mean
    price. A point that meets the first-order conditions and is exploitable is no equilibrium: it is returned
    as STALLED.
    """
    clock, game = time.perf_counter(), _Duopoly(model)
    G, S = len(game.groups), model.states
    if start is not None:
        V = start.value.copy()
        p = np.nan_to_num(start.policy["price"], nan=float(np.nanmean(start.policy["price"])))
    else:
        V = np.zeros((2, S))
        p = np.zeros((2, G, S)) + game.cost[:, None, None] + 2 * model.scale
    counts = {"sweeps": 0, "newton": 0}
    if method not in ("default", "iteration"):
        raise ConfigurationError(f"no method is called “{method}”", remedy="default or iteration")
    size = max(1.0, float(np.abs(game.cost).max()), model.scale)
    if method == "iteration":
        error = np.inf
        while error > tolerance * size and counts["sweeps"] < 200 * limit:
            V, p = game.relax(V, p, 10)
            counts["sweeps"] += 10
            error = float(np.abs(game.residual(V, p)).max())
    else:
        if start is None:
            V, p = game.relax(V, p, 10)
            counts["sweeps"] = 10
        first = (V, p)
        V, p, error = _newton(game, V, p, tolerance * size, limit, counts, progress)
        if error > 1e-9 * size:
            V, p = first
            for share in (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0):
                part = _Duopoly(replace(model, switching_cost=share * model.switching_cost))
                V, p, error = _newton(part, V, p, tolerance * size, limit, counts, progress)
    gain = game.best_gain(V, p) if error < 1e-6 * size else None
    q = game.choices(p)
    if error > 1e-10 * size:
        result = Result.OUT_OF_ITERATIONS if np.isfinite(error) else Result.DIVERGED
    else:
        result = Result.SOLVED if gain is not None and gain < 1e-8 * size else Result.STALLED
    limit_distribution = game.distribution(p)
    shown = p.copy()
    for g, h in enumerate(game.groups):
        shown[:, g, game.weight[h].sum(0) == 0] = np.nan
    sold = np.array([[game.weight[s] * q[s, k + 1] for s in range(3)] for k in range(2)])
    mean = float((sold * p[:, game.group_of] * limit_distribution).sum() / (sold * limit_distribution).sum())
    return Solution(
        game="switching-costs",
        parameters={name: getattr(model, name) for name in model.__dataclass_fields__},
        value=V,
        policy={"price": shown, "join": q},
        axes=("firm", "state"),
        ticks={"firm": (1, 2), "state": [f"{b}/{c}" for _, b, c in model.base()]},
        residual=error,
        exploitability=gain,
        result=result,
        method="value iteration" if method == "iteration" else "value iteration, then Newton",
        start="static prices" if start is None else "given",
        counts=counts,
        seconds=time.perf_counter() - clock,
        extra={"model": model, "base": model.base(), "limit": limit_distribution, "mean_price": mean},
    )


def _newton(
    game: _Duopoly,
    V: np.ndarray,
    p: np.ndarray,
    enough: float,
    limit: int,
    counts: dict[str, int],
    progress: Any,
) -> tuple[np.ndarray, np.ndarray, float]:
    r = game.residual(V, p)
    error = float(np.abs(r).max())
    for _ in range(limit):
        if not error > enough:
            break
        try:
            dV, dp = game.newton_step(V, p, r)
        except RuntimeError:  # singular
            break
        length = min(1.0, 3 * game.model.scale / max(float(np.abs(dp).max()), 1e-300))
        while length > 1e-4:
            trial = game.residual(V + length * dV, p + length * dp)
            new = float(np.abs(trial).max())
            if new < (1 - 0.1 * length) * error:
                break
            length /= 2
        else:
            break
        V, p, r, error = V + length * dV, p + length * dp, trial, new
        counts["newton"] += 1
        if progress is not None:
            progress("Newton", counts["newton"], error)
    return V, p, error


@dataclass(frozen=True)
class ClosedForm:
    """Prices and worths when firms price by history and there is no outside good (symmetric firms)."""

    stays: float
    own: float
    rival: float
    new: float
    attachment: float

    @property
    def mean(self) -> float:
        """Average price paid by a customer with a history."""
        return self.stays * self.own + (1 - self.stays) * self.rival


def closed_form(model: Switching) -> ClosedForm:
    """The formulas at the top of this file. Raises SolverError where they do not apply."""
    if not model.by_history or model.outside is not None or len({*model.quality}) + len({*model.cost}) != 2:
        raise SolverError("needs prices by history, equal firms and no outside good", where="closed_form")
    sigma, S = model.scale, model.switching_cost * (1 - model.portability)
    low, high = 0.5, 1.0 - 1e-16
    for _ in range(200):
        q = (low + high) / 2
        d = sigma / (1 - q) - sigma / q
        low, high = (q, high) if sigma * np.log(q / (1 - q)) < S - d else (low, q)
    q, N = (low + high) / 2, model.customers
    W = sigma / N * (q / (1 - q) - (1 - q) / q) / (1 - model.discount * (1 - 1 / N))
    floor = model.cost[0] - model.discount * (1 - model.turnover) * W
    return ClosedForm(q, floor + sigma / (1 - q), floor + sigma / q, floor + 2 * sigma, W)


def solve(
    *, method: str = "default", start: Solution | None = None, progress: Any = None, **p: Any
) -> Solution:
    """The catalogue's duopoly; `has_outside` = 0 leaves the outside good out; `start` another solution."""
    given = GAME.checked(p)
    kept = {
        k: v
        for k, v in given.items()
        if k not in ("cost", "cost_gap", "has_outside", "outside", "by_history")
    }
    model = Switching(
        **kept,  # type: ignore[arg-type]
        by_history=bool(given["by_history"]),
        cost=(given["cost"], given["cost"] + given["cost_gap"]),
        outside=given["outside"] if given["has_outside"] else None,
    )
    return solve_switching(model, method=method, start=start, progress=progress).with_(parameters=given)


def _surface(title: str, base: np.ndarray, price: np.ndarray) -> Picture:
    count = np.arange(base.sum(axis=1).max() + 1)
    z = np.full((len(count), len(count)), np.nan)
    z[base[:, 1], base[:, 2]] = price
    return Picture("surface", title, ("attached to 1", "attached to 2", "price"), count, count, z=z)


def show(solution: Solution) -> list[Table | Picture]:
    """Prices where the base is all one firm's, shared, or nobody's; and the long run."""
    base, price, limit = solution.extra["base"], solution.policy["price"], solution.extra["limit"]
    N = base[0].sum()
    wanted = [(N, 0, 0), (0, N, 0), (0, N - N // 2, N // 2), (0, 0, N)]
    names = ("new", "firm 1's", "firm 2's") if price.shape[1] == 3 else ("all",)
    rows = []
    for m, n in enumerate(base.tolist()):
        if tuple(n) in wanted:
            for g, name in enumerate(names):
                rows.append((f"{n[1]} / {n[2]}", name, float(price[0, g, m]), float(price[1, g, m])))
    share = limit @ base / N
    return [
        Table(
            "prices",
            ("attached to 1 / to 2", "customers", "price 1", "price 2"),
            tuple(rows),
            f"mean price in the long run {solution.extra['mean_price']:.6g}; attached to 1 {share[1]:.1%}, "
            f"to 2 {share[2]:.1%}",
        ),
        *(
            _surface(f"price of firm 1 to {who}", base, price[0, g])
            for g, who in enumerate(("new", "its own", "firm 2's") if len(names) == 3 else ("all",))
            if np.ptp(price[0, g][np.isfinite(price[0, g])])
            > 1e-6  # by history prices may not vary: no picture
        ),
    ]


def rules(solution: Solution) -> Table:
    """The same market with the switching cost in part or wholly abolished, each solved again."""
    rows = []
    for share in dict.fromkeys((solution.parameters["portability"], 0.25, 0.5, 0.75, 1.0)):
        under = solve(**{**solution.parameters, "portability": share})
        rows.append((f"{share:.0%} portable", under.result.value, float(under.extra["mean_price"])))
    return Table("the same market under portability", ("rule", "result", "mean price"), tuple(rows))


GAME = Game(
    name="switching-costs",
    summary="a duopoly whose customers pay to switch: one price for all, or by history",
    reference="Cabral (2016), Review of Economic Dynamics 20; Dubé, Hitsch, Rossi (2009), JMR 46(4)",
    parameters=(
        Parameter("customers", 5, 1, 98, "number of customers N"),
        Parameter("switching_cost", 1.0, 0.0, 1e3, "cost S of buying from another firm than last time"),
        Parameter("portability", 0.0, 0.0, 1.0, "share of the switching cost that a rule abolishes"),
        Parameter("by_history", 0, 0, 1, "1: own, rival's and new customers each have a price"),
        Parameter("cost", 0.0, -1e3, 1e3, "unit cost of firm 1"),
        Parameter("cost_gap", 0.0, -1e3, 1e3, "unit cost of firm 2 less firm 1's"),
        Parameter("scale", 1.0, 1e-3, 1e3, "scale σ of taste shocks"),
        Parameter("has_outside", 0, 0, 1, "1: customers may buy nothing"),
        Parameter("outside", 0.0, -1e3, 1e3, "value of buying nothing"),
        Parameter("turnover", 0.1, 0.0, 1.0, "probability ν that a customer is replaced after its choice"),
        Parameter("discount", 0.9, 0.0, 0.999, "discount factor β"),
    ),
    solve=solve,
    show=show,
    rules=rules,
)
