"""Linear-quadratic dynamic games: feedback Nash equilibrium of N players; two games of the literature.

State x (n), control u_i (k_i) of player i, law of motion x' = A x + Σ_j B_j u_j. Player i minimises

    Σ_t β^t [ x'R_i x + u_i'Q_i u_i + Σ_{j≠i} u_j'S_ij u_j + 2 x'W_i u_i + 2 Σ_{j≠i} u_j'M_ij u_i ].

With cost-to-go x'P_i x and u_i = −F_i x the first-order conditions are linear in all F at once,

    (Q_i + βB_i'P_iB_i) F_i + Σ_{j≠i} (M_ij' + βB_i'P_iB_j) F_j = W_i' + βB_i'P_iA,

and P_i solves the Riccati equation of the closed loop; both are iterated together. Q_i + βB_i'P_iB_i must be
positive definite, or the first-order condition marks no minimum.

References: Başar, Olsder (1999), Dynamic Noncooperative Game Theory, 2nd ed., SIAM, section 6.2; Judd (1990),
Cournot vs. Bertrand: a dynamic resolution, mimeo, Stanford (prices and inventories; the figures are those of
QuantEcon.py's test suite, test_lqnash.py); Sargent, Stachurski, Quantitative Economics, "Markov Perfect
Equilibrium" (duopoly with costs of adjustment; F1 printed there).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from pricewar.errors import SolverError
from pricewar.games.solution import Game, Parameter, Result, Solution, Table


@dataclass(frozen=True, eq=False)
class LQGame:
    """Matrices of an N-player linear-quadratic game, as costs.

    Args:
        A: (n, n). B: N of (n, k_i). R: N of (n, n) symmetric. Q: N of (k_i, k_i) symmetric.
        W: N of (n, k_i), zero when left out.
        S: {(i, j): (k_j, k_j)}, the cost to i of j's control; absent entries are zero.
        M: {(i, j): (k_j, k_i)}, the cost to i of both controls together; absent entries are zero.
        discount: β in (0, 1]. With β = 1 and a constant in the state the cost-to-go grows without bound,
            yet the policies converge.

    Raises:
        SolverError: shapes disagree or β is out of range.
    """

    A: np.ndarray
    B: Sequence[np.ndarray]
    R: Sequence[np.ndarray]
    Q: Sequence[np.ndarray]
    W: Sequence[np.ndarray] | None = None
    S: Mapping[tuple[int, int], np.ndarray] = field(default_factory=dict)
    M: Mapping[tuple[int, int], np.ndarray] = field(default_factory=dict)
    discount: float = 1.0

    def __post_init__(self) -> None:
        n, N = len(self.A), len(self.B)
        W = [np.zeros((n, b.shape[1])) for b in self.B] if self.W is None else list(self.W)
        object.__setattr__(self, "W", W)
        fits = self.A.shape == (n, n) and len(self.R) == len(self.Q) == len(W) == N
        for b, r, q, w in zip(self.B, self.R, self.Q, W, strict=False):
            k = b.shape[1]
            fits = fits and (b.shape, r.shape, q.shape, w.shape) == ((n, k), (n, n), (k, k), (n, k))
        if not fits:
            raise SolverError("the matrices of the players do not have matching shapes", where="LQGame")
        if not 0 < self.discount <= 1:
            raise SolverError(f"discount {self.discount} lies outside (0, 1]", where="LQGame")

    def policies(self, P: Sequence[np.ndarray]) -> list[np.ndarray]:
        """F of every player from the first-order conditions, given the costs-to-go P."""
        N, b = len(self.B), self.discount
        rows, right = [], []
        assert self.W is not None
        for i in range(N):
            gain = b * self.B[i].T @ P[i]
            row = []
            for j in range(N):
                block = gain @ self.B[j]
                if i == j:
                    block = block + self.Q[i]
                elif (i, j) in self.M:
                    block = block + self.M[i, j].T
                row.append(block)
            rows.append(row)
            right.append(self.W[i].T + gain @ self.A)
        F = np.linalg.solve(np.block(rows), np.vstack(right))
        return np.split(F, np.cumsum([q.shape[1] for q in self.B])[:-1])

    def closed_loop(self, F: Sequence[np.ndarray]) -> np.ndarray:
        """(n, n) law of motion A − Σ B_j F_j."""
        return self.A - sum((b @ f for b, f in zip(self.B, F, strict=True)), np.zeros_like(self.A))

    def stage(self, i: int, F: Sequence[np.ndarray]) -> np.ndarray:
        """(n, n) matrix of player i's cost in one period under the policies F."""
        assert self.W is not None
        cost = self.R[i] + F[i].T @ self.Q[i] @ F[i]
        cross = self.W[i] @ F[i]
        cost = cost - cross - cross.T
        for (a, j), s in self.S.items():
            if a == i:
                cost = cost + F[j].T @ s @ F[j]
        for (a, j), m in self.M.items():
            if a == i:
                cross = F[j].T @ m @ F[i]
                cost = cost + cross + cross.T
        return cost


def lq_nash(
    game: LQGame, *, tolerance: float = 1e-14, limit: int = 100_000, progress: Any = None
) -> Solution:
    """Feedback Nash equilibrium by iterating the coupled Riccati equations from P = 0.

    The solution's value is −P, axes (player, state, state): the payoff from x is x' value x. Policies are
    F1, F2, … each (k_i, n), with u_i = −F_i x; `extra` has the lists F and P and the closed loop.

    Raises:
        SolverError: a second-order condition fails, so that no minimum exists at the fixed point.
    """
    clock, N, b = time.perf_counter(), len(game.B), game.discount
    P = [np.zeros_like(game.A) for _ in range(N)]
    F = game.policies(P) if all(np.linalg.matrix_rank(q) == len(q) for q in game.Q) else None
    if F is None:  # free controls: start from the cost of one period
        P = [np.array(r, dtype=float) for r in game.R]
        F = game.policies(P)
    change, count = 1.0, 0
    while change > tolerance and count < limit and np.isfinite(change):
        loop = game.closed_loop(F)
        P = [game.stage(i, F) + b * loop.T @ P[i] @ loop for i in range(N)]
        P = [(p + p.T) / 2 for p in P]
        new = game.policies(P)
        size = max(1.0, max(float(np.abs(f).max()) for f in new))
        change = max(float(np.abs(f - g).max()) for f, g in zip(F, new, strict=True)) / size
        F, count = new, count + 1
        if progress is not None:
            progress("Riccati", count, change)
    solved = change <= max(tolerance, 1e-13)
    if solved:
        for i in range(N):
            bend = np.linalg.eigvalsh(game.Q[i] + b * game.B[i].T @ P[i] @ game.B[i])[0]
            if bend <= 0:
                raise SolverError(
                    f"player {i + 1}'s second-order condition fails (smallest curvature {bend:.3g})",
                    where="lq_nash",
                    remedy="give costs, not payoffs: change the sign of R, Q, S, W and M",
                )
    return Solution(
        game="lq",
        parameters={"discount": b, "players": N, "states": len(game.A)},
        value=-np.array(P),
        policy={f"F{i + 1}": f for i, f in enumerate(F)},
        axes=("player", "state", "state_too"),
        residual=change,
        exploitability=_exploitability(game, F) if solved else None,
        result=Result.SOLVED
        if solved
        else (Result.OUT_OF_ITERATIONS if np.isfinite(change) else Result.DIVERGED),
        method="coupled Riccati iteration",
        start="no future",
        counts={"iterations": count},
        seconds=time.perf_counter() - clock,
        extra={"F": F, "P": P, "closed_loop": game.closed_loop(F)},
    )


def _exploitability(game: LQGame, F: Sequence[np.ndarray]) -> float | None:
    """Largest saving by a player's own Riccati problem against the others' F, per unit of squared state.

    None when β = 1: total costs are then infinite.
    """
    b = game.discount
    if b == 1:
        return None
    worst = 0.0
    root = np.sqrt(b)
    for i in range(len(game.B)):
        own = solve_discrete_lyapunov((root * game.closed_loop(F)).T, game.stage(i, F))
        reply, P = list(F), own
        for _ in range(1000):  # policy iteration of one player
            others = [f if j != i else np.zeros_like(f) for j, f in enumerate(F)]
            drift = game.closed_loop(others)
            assert game.W is not None
            cross = game.W[i].T.copy()
            for (a, j), m in game.M.items():
                if a == i:
                    cross -= m.T @ F[j]
            gain = b * game.B[i].T @ P
            new = np.linalg.solve(game.Q[i] + gain @ game.B[i], cross + gain @ drift)
            step, reply[i] = float(np.abs(new - reply[i]).max()), new
            P = solve_discrete_lyapunov((root * game.closed_loop(reply)).T, game.stage(i, reply))
            if step < 1e-13 * max(1.0, float(np.abs(new).max())):
                break
        worst = max(worst, float(np.linalg.eigvalsh((own - P + (own - P).T) / 2)[-1]))
    return worst


def judd() -> LQGame:
    """Judd's duopoly: each firm sets price and output; x = (inventory 1, inventory 2, 1). β = 1."""
    keep = 0.98  # an inventory loses two per cent a period
    level, own, cross = 25.0, -1.0, 0.5  # demand q_i = level + own p_i + cross p_j
    holding = (1.0, -2.0, 1.0)  # cost of holding: 1 − 2 x + x²/2
    output = (10.0, 10.0, 3.0)  # cost of producing: 10 + 10 q + 3 q²/2
    A = np.array([[keep, 0, -keep * level], [0, keep, -keep * level], [0, 0, 1.0]])
    B = [
        keep * np.array([[1, -own], [0, -cross], [0, 0]]),
        keep * np.array([[0, -cross], [1, -own], [0, 0]]),
    ]
    R, Q, W = [], [], []
    for i in range(2):
        r = np.zeros((3, 3))
        r[i, i], r[2, 2] = holding[2] / 2, holding[0]
        r[i, 2] = r[2, i] = holding[1] / 2
        R.append(r)
        Q.append(np.array([[output[2] / 2, 0], [0, -own]]))
        W.append(np.array([[0, 0], [0, 0], [output[1] / 2, -level / 2]]))
    M = {(i, 1 - i): np.array([[0, 0], [0, -cross / 2]]) for i in range(2)}
    return LQGame(A, B, R, Q, W, M=M)


def adjustment(
    firms: int = 2, a0: float = 10.0, a1: float = 2.0, beta: float = 0.96, gamma: float = 12.0
) -> LQGame:
    """Outputs change at cost γ(q' − q)²; price a0 − a1 Σq; x = (1, q_1, …, q_N), u_i = q_i' − q_i."""
    n = firms + 1
    B, R = [], []
    for i in range(firms):
        b, r = np.zeros((n, 1)), np.zeros((n, n))
        b[i + 1] = 1
        r[0, i + 1] = r[i + 1, 0] = -a0 / 2
        r[i + 1, 1:] += a1 / 2
        r[1:, i + 1] += a1 / 2
        B.append(b)
        R.append(r)
    return LQGame(np.eye(n), B, R, [np.array([[gamma]])] * firms, discount=beta)


def steady_state(solution: Solution, constant: int) -> np.ndarray:
    """(n,) state that the closed loop leaves as it is; `constant` indexes the state that stays 1."""
    loop = solution.extra["closed_loop"]
    rest = [k for k in range(len(loop)) if k != constant]
    x = np.ones(len(loop))
    x[rest] = np.linalg.solve(np.eye(len(rest)) - loop[np.ix_(rest, rest)], loop[rest, constant])
    return x


def show(solution: Solution) -> list[Table | Any]:
    """The policy matrices and the steady state."""
    rows = tuple(
        (name, k + 1, *map(float, line)) for name, F in solution.policy.items() for k, line in enumerate(F)
    )
    n = len(solution.extra["closed_loop"])
    columns = ("policy", "control", *(f"x{k + 1}" for k in range(n)))
    constant = 2 if solution.game == "lq-judd1990" else 0
    rest = tuple((f"x{k + 1}", float(v)) for k, v in enumerate(steady_state(solution, constant)))
    return [Table("u = −F x", columns, rows), Table("steady state", ("state", "value"), rest)]


def _solve_judd(*, method: str = "", start: Any = None, seed: Any = None, progress: Any = None) -> Solution:
    del method, start, seed
    return lq_nash(judd(), progress=progress).with_(game="lq-judd1990")


def _solve_adjustment(
    *, method: str = "", start: Any = None, seed: Any = None, progress: Any = None, **p: Any
) -> Solution:
    del method, start, seed
    given = GAMES[1].checked(p)
    game = adjustment(int(given["firms"]), given["a0"], given["a1"], given["beta"], given["gamma"])
    return lq_nash(game, progress=progress).with_(game="lq-adjustment", parameters=given)


GAMES = (
    Game(
        name="lq-judd1990",
        summary="duopoly in prices and outputs with inventories, linear-quadratic",
        reference="Judd (1990), Cournot vs. Bertrand: a dynamic resolution; figures of QuantEcon's tests",
        parameters=(),
        solve=_solve_judd,
        show=show,
    ),
    Game(
        name="lq-adjustment",
        summary="oligopoly with costs of changing output, linear-quadratic",
        reference="Sargent, Stachurski, Quantitative Economics with Python, Markov Perfect Equilibrium",
        parameters=(
            Parameter("firms", 2, 1, 50, "number of firms"),
            Parameter("a0", 10.0, 1e-6, 1e9, "price at which demand vanishes"),
            Parameter("a1", 2.0, 1e-9, 1e9, "fall of the price per unit of total output"),
            Parameter("beta", 0.96, 0.0001, 0.9999, "discount factor β"),
            Parameter("gamma", 12.0, 1e-9, 1e9, "cost γ of changing output"),
        ),
        solve=_solve_adjustment,
        show=show,
    ),
)
