"""State a finite dynamic price game of one's own: any states, demand, costs, payoffs and number of firms.

Each period the N firms set prices in state s; one of the outcomes o = 0, 1, … happens with probability
q_o(p, s), firm k then sells y_ko units, and the next state is drawn from T_o(s, ·). Firm k's payoff is its
margin on what it sells plus a flow f_k(s) that does not depend on prices. With

    X_ko = y_ko (p_k − c_k) + β Σ_s' T_o(s, s') V_k(s'),     D_k = Σ_o y_ko q_o,     ' = ∂/∂p_k

a Markov perfect equilibrium in pure prices satisfies

    V_k = f_k + Σ_o q_o X_ko,        0 = F_k = −(D_k + Σ_o q_o' X_ko)/D_k'.

F is in money and does not fade with the share, as the undivided condition does. Demand is a function of
prices (complex ones too: its derivatives are taken by complex step); Newton's method solves V and p together.
Whether a root is an equilibrium is settled by each firm's exact best reply over all prices of a range.

`switching_costs` shows the same method written out for one paper; `duopoly` is the compiled engine for
learning by doing with entry and exit, much faster. This file is for stating something new.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu, spsolve

from pricewar.errors import SolverError
from pricewar.games.solution import Result, Solution

Demand = Callable[[np.ndarray], np.ndarray]
_TINY = 1e-100


@dataclass(frozen=True, eq=False)
class PriceGame:
    """Everything that defines the game. N firms, S states, O outcomes.

    Args:
        demand: prices (N, S) → probabilities (O, S), smooth, for complex prices too (use np.exp and the
            like; no abs, no comparisons).
        sales: (N, O) units that each firm sells under each outcome.
        transition: O matrices (S, S), dense or sparse, rows summing to one: the next state by outcome.
        cost: (N, S) unit costs, money.
        discount: β in [0, 1).
        flow: (N, S) payoff of a period that does not depend on prices, money; zero when left out.
        prices: lowest and highest price that a firm could set, money; best replies are sought within.
        states: (S, …) labels. name: of the game.

    Raises:
        SolverError: shapes disagree, a transition is not one, β is out of range, or the step would not fit in
            memory (it says how large).
    """

    demand: Demand
    sales: np.ndarray
    transition: Sequence[Any]
    cost: np.ndarray
    discount: float
    prices: tuple[float, float]
    flow: np.ndarray | None = None
    states: Sequence[Any] = ()
    name: str = "price game"

    def __post_init__(self) -> None:
        N, S = self.cost.shape
        if N * S > 100_000:
            raise SolverError(
                f"{N} firms in {S:,} states are {2 * N * S:,} unknowns, more than 200,000",
                where=self.name,
                remedy="fewer levels; or the compiled engines of learning by doing",
            )
        object.__setattr__(self, "transition", [sparse.csr_matrix(t) for t in self.transition])
        flow = np.zeros((N, S)) if self.flow is None else np.asarray(self.flow, dtype=float)
        object.__setattr__(self, "flow", flow)
        outcomes = len(self.transition)
        if self.sales.shape != (N, outcomes) or flow.shape != (N, S):
            raise SolverError(
                f"sales must be ({N}, {outcomes}) and flow ({N}, {S})",
                where=self.name,
                remedy="see PriceGame",
            )
        for o, T in enumerate(self.transition):
            if T.shape != (S, S) or np.abs(np.asarray(T.sum(axis=1)) - 1).max() > 1e-12 or T.data.min() < 0:
                raise SolverError(f"transition {o} is not a ({S}, {S}) law of motion", where=self.name)
        if not 0 <= self.discount < 1:
            raise SolverError(f"discount {self.discount} lies outside [0, 1)", where=self.name)
        total = self.demand(np.full((N, S), float(np.mean(self.prices))))
        if total.shape != (outcomes, S) or np.abs(total.sum(axis=0) - 1).max() > 1e-9:
            raise SolverError(
                f"demand must return ({outcomes}, {S}) probabilities that sum to one", where=self.name
            )

    def slopes(self, p: np.ndarray) -> np.ndarray:
        """(N, O, S) derivative of the outcomes' probabilities in each firm's price."""
        out = np.empty((len(p), *self.demand(p).shape))
        for k in range(len(p)):
            moved = p.astype(complex)
            moved[k] += 1j * _TINY
            out[k] = np.imag(self.demand(moved)) / _TINY
        return out

    def payoffs(self, V: np.ndarray, p: np.ndarray) -> np.ndarray:
        """X (N, O, S)."""
        ahead = np.array([[self.discount * (T @ v) for T in self.transition] for v in V])
        return self.sales[:, :, None] * (p - self.cost)[:, None, :] + ahead

    def conditions(self, p: np.ndarray, X: np.ndarray) -> np.ndarray:
        """F (N, S)."""
        q, slope = self.demand(p), self.slopes(p)
        sold = self.sales @ q
        falls = np.einsum("ko,kos->ks", self.sales, slope)
        return -(sold + (slope * X).sum(axis=1)) / falls

    def residual(self, V: np.ndarray, p: np.ndarray) -> np.ndarray:
        """(2N, S): F above, the gap of the values below; all in money."""
        X = self.payoffs(V, p)
        return np.concatenate([self.conditions(p, X), self.flow + (self.demand(p)[None] * X).sum(axis=1) - V])

    def newton_step(self, V: np.ndarray, p: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Corrections of p and V. Exact but for ∂F/∂p, where central differences suffice to converge."""
        N, S = p.shape
        X, q, slope = self.payoffs(V, p), self.demand(p), self.slopes(p)
        falls, sold = np.einsum("ko,kos->ks", self.sales, slope), self.sales @ q
        rows: list[list[Any]] = [[None] * (2 * N) for _ in range(2 * N)]
        h = 1e-6 * max(1.0, float(np.abs(p).max()))
        for j in range(N):
            up, down = p.copy(), p.copy()
            up[j] += h
            down[j] -= h
            X_up, X_down = X.copy(), X.copy()
            X_up[j] += self.sales[j][:, None] * h
            X_down[j] -= self.sales[j][:, None] * h
            bend = (self.conditions(up, X_up) - self.conditions(down, X_down)) / (2 * h)
            for k in range(N):
                rows[k][j] = sparse.diags(bend[k])
                rows[N + k][j] = sparse.diags((slope[j] * X[k]).sum(axis=0) + (sold[k] if j == k else 0.0))
        for k in range(N):
            by_condition, by_value = sparse.csr_matrix((S, S)), -sparse.identity(S, format="csr")
            for o, T in enumerate(self.transition):
                by_condition = by_condition + sparse.diags(-self.discount * slope[k, o] / falls[k]) @ T
                by_value = by_value + sparse.diags(self.discount * q[o]) @ T
            rows[k][N + k], rows[N + k][N + k] = by_condition, by_value
        step = splu(sparse.bmat(rows, format="csc")).solve(-r.ravel())
        return step[: N * S].reshape(N, S), step[N * S :].reshape(N, S)

    def best_reply(self, k: int, p: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Firm k's best prices (S,) against p and what they are worth (S,), by policy iteration."""
        S = p.shape[1]
        low, high = self.prices
        grid = np.linspace(low, high, 201)
        worth, reply = V[k].copy(), p.copy()
        assert self.flow is not None

        def payoff(price: np.ndarray, ahead: np.ndarray) -> np.ndarray:
            trial = p.copy()
            trial[k] = price
            X = self.sales[k][:, None] * (price - self.cost[k]) + ahead
            return (self.demand(trial) * X).sum(axis=0)

        for _ in range(60):
            ahead = self.discount * np.array([T @ worth for T in self.transition])
            at = np.array([payoff(np.full(S, x), ahead) for x in grid]).argmax(axis=0)
            a, b = grid[np.maximum(at - 1, 0)], grid[np.minimum(at + 1, 200)]
            for _ in range(45):  # golden section about the best of the grid
                x, y = b - 0.6180339887498949 * (b - a), a + 0.6180339887498949 * (b - a)
                right = payoff(y, ahead) > payoff(x, ahead)
                a, b = np.where(right, x, a), np.where(right, b, y)
            found = (a + b) / 2
            better = payoff(found, ahead) > payoff(reply[k], ahead) + 1e-14
            reply[k] = np.where(better, found, reply[k])
            q, T = self.demand(reply), sparse.csr_matrix((S, S))
            for o, law in enumerate(self.transition):
                T = T + sparse.diags(q[o]) @ law
            take = self.flow[k] + (self.sales[k] @ q) * (reply[k] - self.cost[k])
            left: Any = sparse.identity(S, format="csc") - self.discount * T.tocsc()
            new = np.asarray(spsolve(left, take)).reshape(S)
            change, worth = float(np.abs(new - worth).max()), new
            if change <= 1e-12 * max(1.0, float(np.abs(worth).max())):
                break
        return reply[k], worth

    def law(self, p: np.ndarray) -> Any:
        """(S, S) sparse law of motion when firms set p."""
        q = self.demand(p)
        return sum(
            (sparse.diags(q[o]) @ T for o, T in enumerate(self.transition)),
            sparse.csr_matrix((q.shape[1],) * 2),
        )


def _newton(
    game: PriceGame,
    V: np.ndarray,
    p: np.ndarray,
    tolerance: float,
    limit: int,
    counts: dict[str, int],
    progress: Any,
) -> tuple[np.ndarray, np.ndarray, float]:
    """V, p and the residual; steps are shortened until it falls."""
    r, reach = game.residual(V, p), (game.prices[1] - game.prices[0]) / 5
    error = float(np.abs(r).max())
    for _ in range(limit):
        if not tolerance * max(1.0, float(np.abs(V).max())) < error < np.inf:
            break
        try:
            dp, dV = game.newton_step(V, p, r)
        except RuntimeError:  # singular
            break
        length = min(1.0, reach / max(float(np.abs(dp).max()), 1e-300))
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


def solve_price_game(
    game: PriceGame,
    *,
    start: Solution | np.ndarray | None = None,
    sweeps: int = 50,
    tolerance: float = 1e-12,
    limit: int = 60,
    progress: Any = None,
) -> Solution:
    """A Markov perfect equilibrium in pure prices: some value iteration, then Newton's method.

    Args:
        start: another solution, or prices (N, S); when left out cost plus a twentieth of the price range.
        sweeps: passes of value iteration before Newton, more when that fails; other numbers may lead to other
            equilibria.

    The result is STALLED when the first-order conditions hold and yet a firm would gain by another price.
    """
    clock, (low, high) = time.perf_counter(), game.prices
    assert game.flow is not None
    most = (high - low) / 20  # a pass moves no price further than this
    if isinstance(start, Solution):
        V, p = start.value.copy(), start.policy["price"].copy()
    else:
        p = game.cost + most if start is None else np.asarray(start, dtype=float).copy()
        V = np.zeros_like(p)
    counts = {"passes": 0, "newton": 0}
    error, size = np.inf, 1.0
    rounds = (0,) if isinstance(start, Solution) else (sweeps, 4 * sweeps, 20 * sweeps)
    for passes in rounds:  # Newton goes astray from afar: when it fails, go on iterating from where it began
        for _ in range(passes):
            for _ in range(6):
                move = 0.5 * game.conditions(p, game.payoffs(V, p))
                p = np.clip(p + np.clip(move, -most, most), low, high)
            V = game.flow + (game.demand(p)[None] * game.payoffs(V, p)).sum(axis=1)
            counts["passes"] += 1
        new_V, new_p, error = _newton(game, V, p, tolerance, limit, counts, progress)
        size = max(1.0, float(np.abs(new_V).max()))
        if error <= 1e-10 * size:
            V, p = new_V, new_p
            break
    else:
        error = float(np.abs(game.residual(V, p)).max())
    gain = None
    if error <= 1e-8 * size:
        gain = max(float((game.best_reply(k, p, V)[1] - V[k]).max()) for k in range(len(p)))
    if error > 1e-10 * size:
        result = Result.STALLED if np.isfinite(error) else Result.DIVERGED
    else:
        result = Result.SOLVED if gain is not None and gain <= 1e-8 * size else Result.STALLED
    return Solution(
        game=game.name,
        parameters={"discount": game.discount, "firms": len(p), "states": p.shape[1]},
        value=V,
        policy={"price": p, "outcome": game.demand(p)},
        axes=("firm", "state"),
        ticks={"state": [str(s) for s in game.states] or list(range(p.shape[1]))},
        residual=error,
        exploitability=gain,
        result=result,
        method=f"{counts['passes']} passes of value iteration, then Newton",
        start="another solution"
        if isinstance(start, Solution)
        else "cost plus"
        if start is None
        else "prices",
        counts=counts,
        seconds=time.perf_counter() - clock,
        extra={"engine": game},
    )
