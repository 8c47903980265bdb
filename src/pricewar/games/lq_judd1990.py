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

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

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

    def quadratic(self) -> tuple[np.ndarray, np.ndarray, list[slice]]:
        """Costs of a period as forms in (x, u_1, …, u_N), (N, n + K, n + K); (A B); where each u_i lies."""
        n, sizes = len(self.A), [b.shape[1] for b in self.B]
        ends = n + np.cumsum([0, *sizes])
        at = [slice(int(lo), int(hi)) for lo, hi in itertools.pairwise(ends)]
        C = np.zeros((len(self.B), int(ends[-1]), int(ends[-1])))
        assert self.W is not None
        for i, own in enumerate(at):
            C[i, :n, :n], C[i, own, own], C[i, :n, own] = self.R[i], self.Q[i], self.W[i]
            C[i, own, :n] = self.W[i].T
        for (i, j), s in self.S.items():
            C[i, at[j], at[j]] += s
        for (i, j), m in self.M.items():
            C[i, at[j], at[i]] += m
            C[i, at[i], at[j]] += m.T
        return C, np.hstack([self.A, *self.B]), at


def lq_nash(
    game: LQGame,
    *,
    tolerance: float = 1e-14,
    limit: int = 100_000,
    certify: bool = True,
    progress: Any = None,
) -> Solution:
    """Feedback Nash equilibrium by iterating the coupled Riccati equations from the cost of one period.

    The solution's value is −P, axes (player, state, state): the payoff from x is x' value x. Policies are
    F1, F2, … each (k_i, n), with u_i = −F_i x; `extra` has the lists F and P and the closed loop. `certify`
    computes exploitability (β < 1 only: undiscounted totals are infinite).

    Raises:
        SolverError: a second-order condition fails, so that no minimum exists at the fixed point.
    """
    clock, b, n = time.perf_counter(), game.discount, len(game.A)
    C, law, at = game.quadratic()
    N, K = len(C), C.shape[1] - n
    owner = np.concatenate([np.full(u.stop - u.start, i) for i, u in enumerate(at)])
    rows = np.arange(n, n + K)
    P = (
        np.zeros((N, n, n))
        if all(np.linalg.matrix_rank(q) == len(q) for q in game.Q)
        else C[:, :n, :n].copy()
    )
    G, F = np.vstack([np.eye(n), np.zeros((K, n))]), np.zeros((K, n))
    change, count = np.inf, 0
    while count < limit:
        H = C + b * (law.T @ P @ law)  # of this period and all later ones, in (x, u)
        first_order = H[owner, rows]  # each control's row of its owner's form
        F_new = np.linalg.solve(first_order[:, n:], first_order[:, :n])
        change = float(np.abs(F_new - F).max()) / max(1.0, float(np.abs(F_new).max()))
        F, G[n:], count = F_new, -F_new, count + 1
        # without a future the controls may well be idle, so that the first passes look alike
        if count > 2 and (change <= tolerance or not np.isfinite(change)):
            break
        P = G.T @ H @ G
        P = (P + P.transpose(0, 2, 1)) / 2
        if progress is not None:
            progress("Riccati", count, change)
    solved = change <= max(tolerance, 1e-13)
    split = [F[u.start - n : u.stop - n] for u in at]
    if solved:
        for i, u in enumerate(at):
            bend = np.linalg.eigvalsh((C[i] + b * law.T @ P[i] @ law)[u, u])[0]
            if bend <= 0:
                raise SolverError(
                    f"player {i + 1}'s second-order condition fails (smallest curvature {bend:.3g})",
                    where="lq_nash",
                    remedy="give costs, not payoffs: change the sign of R, Q, S, W and M",
                )
    failure = Result.OUT_OF_ITERATIONS if np.isfinite(change) else Result.DIVERGED
    return Solution(
        game="lq",
        parameters={"discount": b, "players": N, "states": n},
        value=-P,
        policy={f"F{i + 1}": f for i, f in enumerate(split)},
        axes=("player", "state", "state_too"),
        residual=change,
        exploitability=_exploitability(game, F) if solved and certify and b < 1 else None,
        result=Result.SOLVED if solved else failure,
        method="coupled Riccati iteration",
        start="no future",
        counts={"iterations": count},
        seconds=time.perf_counter() - clock,
        extra={"F": split, "P": list(P), "closed_loop": law @ G},
    )


def _exploitability(game: LQGame, F: np.ndarray) -> float:
    """Largest saving by a player's own problem against the others' F (K, n), per unit of squared state."""
    from scipy.linalg import solve_discrete_lyapunov

    C, law, at = game.quadratic()
    n, b, worst = len(game.A), game.discount, 0.0

    def cost(i: int, policy: np.ndarray) -> np.ndarray:
        G = np.vstack([np.eye(n), -policy])
        return solve_discrete_lyapunov((np.sqrt(b) * law @ G).T, G.T @ C[i] @ G)

    for i, u in enumerate(at):
        reply = F.copy()
        own = P = cost(i, F)
        mine = slice(u.start - n, u.stop - n)
        for _ in range(1000):  # policy iteration of one player
            rest = reply.copy()
            rest[mine] = 0.0
            G = np.vstack([np.eye(n), -rest])
            H = C[i] + b * law.T @ P @ law
            new = np.linalg.solve(H[u, u], (H @ G)[u])
            step, reply[mine] = float(np.abs(new - reply[mine]).max()), new
            P = cost(i, reply)
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


def _solve_judd(*, progress: Any = None) -> Solution:
    return lq_nash(judd(), progress=progress).with_(game="lq-judd1990")


def _solve_adjustment(*, progress: Any = None, **p: Any) -> Solution:
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
