"""A finite dynamic price game of one's own: states, transitions, demand, costs, payoffs, entry and exit.

n firms, S states. In a period firms set prices p at state s; one of n + 1 outcomes occurs, k = 0 nobody
sells, k = 1..n that firm sells, with probabilities D_k(p, s) given by `demand`; the state moves by the matrix
P_k; then, if the game has it, firms privately draw a scrap value or set-up cost (symmetric triangular) and
decide whether to operate; `operate` says which state follows when the firms of a set operate.

With U_nk = (P_k U_n)(s) and A_nk = (p_n − c_n) 1{k = n} + U_nk,

    V_n = flow_n + Σ_k D_k A_nk,      first-order condition of n:   1{D} + Σ_k (∂D_k/∂p_n) A_nk / D_n = 0,
    x_n(s) = β Σ_sets Pr(rivals' set) V_n(next state),     U_n = E max(X_n, x_n), or x_n = β V_n without exit.

The unknowns are x (firm, state), an equilibrium is x = T(x), and everything in `solvers` and `continuation`
applies. Demand is a NumPy function, vectorised over states; its first derivatives are taken by complex steps,
exact to rounding, so it must be analytic (exp, log, powers; no abs or comparisons of prices). This engine is
general and some fifty times slower than the compiled ones, which must agree with it; tests hold them to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pricewar.errors import SolverError
from pricewar.games import solvers
from pricewar.games.solution import Solution

Array = np.ndarray
Demand = Callable[[Array], Array]
"""Prices (n, S), possibly complex → probabilities (n + 1, S), nobody first."""

MEMORY_LIMIT = 2e9


class PriceGame:
    """A game stated by arrays and one function.

    Args:
        demand: prices (n, S) → probabilities of each outcome (n + 1, S); zero for a firm not active.
        cost: unit cost (n, S), money.
        moves: n + 1 row-stochastic matrices (S, S), dense or scipy.sparse: where the state goes when k sells.
        beta: discount factor in (0, 1).
        flow: payoff besides sales (n, S), money a period. active: who sets a price (n, S); default all.
        operate: (2ⁿ, S) index of the state that follows when the firms in the set operate; bit n of the set
            is firm n. laws: (n, 2) mean and half-width of scrap value; setup: the same of set-up cost.
            entrant: (n, S) whether the firm would enter there (else it would exit). All four or none.
        scale: of prices, money; limits a step. guess: starting prices (n, S); default cost + 2 scale.

    Raises:
        SolverError: shapes that do not fit, rows that do not sum to one, or too large.
    """

    def __init__(
        self,
        demand: Demand,
        cost: Array,
        moves: Sequence[Any],
        beta: float,
        *,
        flow: Array | None = None,
        active: Array | None = None,
        operate: Array | None = None,
        laws: Array | None = None,
        setup: Array | None = None,
        entrant: Array | None = None,
        scale: float = 1.0,
        guess: Array | None = None,
    ) -> None:
        from scipy import sparse

        self.demand, self.cost, self.beta, self.scale = demand, np.asarray(cost, float), beta, scale
        self.n, self.S = n, S = self.cost.shape
        if len(moves) != n + 1:
            raise SolverError(
                f"{len(moves)} matrices of moves for {n} firms", remedy=f"give {n + 1}, nobody first"
            )
        if not 0 <= beta < 1:
            raise SolverError(f"discount factor {beta:g} is out of range", remedy="give 0 to below 1")
        self.moves = [sparse.csr_array(m) for m in moves]
        for k, m in enumerate(self.moves):
            if m.shape != (S, S):
                raise SolverError(f"moves[{k}] is {m.shape}", remedy=f"give ({S}, {S})")
            off = float(np.max(np.abs(m.sum(axis=1) - 1.0)))
            if off > 1e-9:
                raise SolverError(
                    f"a row of moves[{k}] misses one by {off:.2g}", remedy="rows are probabilities"
                )
        need = 8.0 * (n * n * sum(m.nnz for m in self.moves) * 4 + 60 * n * n * S)
        if need > MEMORY_LIMIT:
            raise SolverError(f"{S} states need {need / 1e9:.1f} GB", remedy="fewer states or sparser moves")
        self.flow = np.zeros((n, S)) if flow is None else np.asarray(flow, float)
        self.active = np.ones((n, S), bool) if active is None else np.asarray(active, bool)
        given = [a is not None for a in (operate, laws, setup, entrant)]
        if any(given) and not all(given):
            raise SolverError(
                "entry and exit are half stated", remedy="give operate, laws, setup and entrant"
            )
        self.exits = all(given)
        self.operate = np.zeros((1, S), int) if operate is None else np.asarray(operate, int)
        self.entrant = np.zeros((n, S), bool) if entrant is None else np.asarray(entrant, bool)
        scrap = np.ones((n, 2)) if laws is None else np.asarray(laws, float)
        enter = np.ones((n, 2)) if setup is None else np.asarray(setup, float)
        self.mean = np.where(self.entrant, enter[:, :1], scrap[:, :1])
        self.half = np.where(self.entrant, enter[:, 1:], scrap[:, 1:])
        self.size = n * S
        first = self.cost + 2 * scale if guess is None else np.asarray(guess, float)
        self.prices = np.where(self.active, first, 0.0)

    # --- demand and the pricing stage ---

    def _slopes(self, p: Array) -> tuple[Array, Array]:
        """D (n+1, S) and ∂D_k/∂p_j, axes (j, k, state), by complex steps."""
        h = 1e-30
        slopes = []
        for j in range(self.n):
            bent = p.astype(complex)
            bent[j] += 1j * h
            slopes.append(np.imag(self.demand(bent)) / h)
        return self.demand(p), np.stack(slopes)

    def _conditions(self, p: Array, U: Array) -> tuple[Array, Array, Array]:
        """First-order conditions (n, S), and D, ∂D there. U is (firm, outcome, state)."""
        D, dD = self._slopes(p)
        A = U.copy()
        for f in range(self.n):
            A[f, f + 1] += p[f] - self.cost[f]
        own = np.where(self.active, D[1:], 1.0)
        F = (D[1:] + np.einsum("jks,jks->js", dD, A)) / own
        return np.where(self.active, F, 0.0), D, dD

    def _price(self, U: Array) -> tuple[Array, Array]:
        """Prices that solve all first-order conditions at every state, and their inverse Jacobian (S, n, n).

        Raises:
            numpy.linalg.LinAlgError: Newton does not converge at some state.
        """
        n, S = self.n, self.S
        for start in (self.prices, np.where(self.active, self.cost + 2 * self.scale, 0.0)):
            p, last = start.copy(), np.inf
            for _ in range(80):
                F, _, _ = self._conditions(p, U)
                J = np.zeros((S, n, n))
                h = 1e-5 * self.scale
                for j in range(n):
                    bend = np.zeros_like(p)
                    bend[j] = h
                    J[:, :, j] = (
                        (self._conditions(p + bend, U)[0] - self._conditions(p - bend, U)[0]) / (2 * h)
                    ).T
                for f in range(n):
                    J[:, f, f] = np.where(self.active[f], J[:, f, f], 1.0)
                inverse = np.linalg.inv(J)
                step = np.einsum("sij,js->is", inverse, F)
                big = float(np.max(np.abs(step)))
                if not np.isfinite(big):
                    break
                p = p - np.clip(step, -2 * self.scale, 2 * self.scale)
                if big < 1e-12 * (1 + np.max(np.abs(p))) or (big < 1e-9 * self.scale and big >= 0.5 * last):
                    self.prices = p
                    return p, inverse
                last = big
        raise np.linalg.LinAlgError("the pricing stage does not converge")

    # --- the fixed point ---

    def _law(self, x: Array) -> tuple[Array, Array, Array]:
        """F, f and E max(X, x) of the triangular laws at x (n, S)."""
        t = np.clip((x - self.mean) / self.half, -1.0, 1.0)
        left = t < 0
        F = np.where(left, 0.5 * (1 + t) ** 2, 1 - 0.5 * (1 - t) ** 2)
        f = np.where(np.abs(t) < 1, (1 - np.abs(t)) / self.half, 0.0)
        best = np.where(left, self.mean + self.half * (1 + t) ** 3 / 6, x + self.half * (1 - t) ** 3 / 6)
        return F, f, best

    def _after(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """U and dU/dx, Pr(operate) and its slope, all (n, S)."""
        if not self.exits:
            return x, np.ones_like(x), np.ones_like(x), np.zeros_like(x)
        F, f, best = self._law(x)
        return np.where(self.entrant, 0.0, best), np.where(self.entrant, 0.0, F), F, f

    def _values(self, x: Array) -> dict[str, Array]:
        U, slope, stay, dens = self._after(x)
        W = np.stack([[m @ U[f] for m in self.moves] for f in range(self.n)])
        p, inverse = self._price(W)
        D, dD = self._slopes(p)
        A = W.copy()
        for f in range(self.n):
            A[f, f + 1] += p[f] - self.cost[f]
        V = self.flow + np.einsum("ks,nks->ns", D, A)
        names = ("U", "slope", "stay", "dens", "p", "inverse", "D", "dD", "A", "V")
        return dict(zip(names, (U, slope, stay, dens, p, inverse, D, dD, A, V), strict=True))

    def _ahead(self, V: Array, stay: Array) -> Array:
        """x = T's last step: discounted expected value of operating, (n, S)."""
        if not self.exits:
            return self.beta * V
        out = np.zeros_like(V)
        for f in range(self.n):
            for group in range(2**self.n):
                if group >> f & 1:
                    out[f] += self._chance(group, f, stay) * V[f, self.operate[group]]
        return self.beta * out

    def _chance(self, group: int, f: int, stay: Array, leave_out: int | None = None) -> Array:
        """Probability that of the firms other than f (and `leave_out`) just those in the group operate."""
        chance = np.ones(self.S)
        for r in range(self.n):
            if r not in (f, leave_out):
                chance = chance * (stay[r] if group >> r & 1 else 1 - stay[r])
        return chance

    def image(self, y: Array) -> Array:
        """T(y); NaN where the pricing stage does not converge."""
        try:
            at = self._values(y.reshape(self.n, self.S))
        except np.linalg.LinAlgError:
            return np.full(self.size, np.nan)
        return self._ahead(at["V"], at["stay"]).ravel()

    def relax(self, y: Array, damping: float = 1.0) -> Array:
        """One damped pass (Jacobi: states are not ordered here)."""
        return (1 - damping) * y + damping * self.image(y)

    def start(self, kind: str = "static", rng: np.random.Generator | None = None) -> Array:
        """A starting point: see `solvers.begin`."""
        return solvers.begin(self, kind, rng)

    def jacobian(self, y: Array) -> tuple[Array, Any]:
        """T(y) and T'(y), scipy.sparse, prices differentiated implicitly."""
        from scipy import sparse

        n, S = self.n, self.S
        at = self._values(y.reshape(n, S))
        D, dD, A, inverse = at["D"], at["dD"], at["A"], at["inverse"]
        own = np.where(self.active, D[1:], 1.0)
        cross = np.einsum("jks,nks->njs", dD, A)  # ∂V_n/∂p_j
        for f in range(n):
            cross[f, f] += D[f + 1]
        blocks = [[None] * n for _ in range(n)]
        for f in range(n):
            for m in range(n):
                total = None
                through = -np.einsum("js,sj->s", cross[f], inverse[:, :, m])
                for k, move in enumerate(self.moves):
                    weight = through * np.where(self.active[m], dD[m, k] / own[m], 0.0)
                    if f == m:
                        weight = weight + D[k]
                    part = sparse.diags_array(weight) @ move
                    total = part if total is None else total + part
                blocks[f][m] = total @ sparse.diags_array(at["slope"][m])
        dV = sparse.csr_array(sparse.block_array(blocks))
        if not self.exits:
            return self._ahead(at["V"], at["stay"]).ravel(), self.beta * dV
        stay, dens, V = at["stay"], at["dens"], at["V"]
        rows = []
        states = np.arange(S)
        for f in range(n):
            row = [sparse.csr_array((S, S)) for _ in range(n)]
            direct = sparse.csr_array((S, n * S))
            for group in range(2**n):
                if not group >> f & 1:
                    continue
                chance = self._chance(group, f, stay)
                pick = sparse.csr_array((chance, (states, f * S + self.operate[group])), shape=(S, n * S))
                direct = direct + pick @ dV
                for r in range(n):
                    if r != f:
                        sign = 1.0 if group >> r & 1 else -1.0
                        part = sign * dens[r] * self._chance(group, f, stay, r) * V[f, self.operate[group]]
                        row[r] = row[r] + sparse.diags_array(part)
            rows.append(direct + sparse.hstack(row))
        return self._ahead(V, stay).ravel(), self.beta * sparse.csr_array(sparse.vstack(rows))

    def direction(self, y: Array, shift: float = 0.0, columns: Array | None = None) -> tuple[Array, Array]:
        """F and ((1 + shift) I − T')⁻¹ of it and of columns: sparse LU, from three firms on GMRES."""
        from scipy import sparse
        from scipy.sparse.linalg import gmres, splu

        out, J = self.jacobian(y)
        F = out - y
        A = ((1 + shift) * sparse.eye_array(self.size) - J).tocsc()
        rhs = F[:, None] if columns is None else np.column_stack([F, columns])
        if self.n <= 2:
            try:
                return F, splu(A).solve(rhs)
            except RuntimeError as error:
                raise np.linalg.LinAlgError(str(error)) from None
        found = [gmres(A, b, rtol=1e-10, restart=60, maxiter=20)[0] for b in rhs.T]
        return F, np.column_stack(found)

    def guard(self, y: Array, move: Array) -> Array:
        """y + move, stopping in the middle of an exit or entry law that would be jumped over."""
        new = y + move
        if self.exits:
            low, high = (self.mean - self.half).ravel(), (self.mean + self.half).ravel()
            over = ((y < low) & (new > high)) | ((y > high) & (new < low))
            new[over] = self.mean.ravel()[over]
        return new

    def unfold(self, y: Array) -> dict[str, Array]:
        """value, price, leaves, ahead (n, S); share (n + 1, S). NaN prices where a firm is not active."""
        at = self._values(y.reshape(self.n, self.S))
        price = np.where(self.active, at["p"], np.nan)
        out = {"value": at["V"], "price": price, "leaves": 1 - at["stay"]}
        return {**out, "ahead": y.reshape(self.n, self.S), "share": at["D"]}

    def exploitability(self, y: Array, limit: int = 40, grid: int = 161) -> float:
        """The most a firm can gain anywhere by its best reply, found by policy iteration.

        Prices are searched on a grid of ±20 scales about the equilibrium's and then polished, so that a root
        of the first-order condition which is not a maximum is found out.
        """
        at = self._values(y.reshape(self.n, self.S))
        return max(self._gain(f, y.reshape(self.n, self.S), at, limit, grid) for f in range(self.n))

    def _gain(self, f: int, x0: Array, at: dict[str, Array], limit: int, grid: int) -> float:
        from scipy import sparse
        from scipy.sparse.linalg import splu

        eye = sparse.eye_array(self.S)
        stay, p, states = at["stay"], at["p"].copy(), np.arange(self.S)
        x, threshold, baseline = x0[f].copy(), x0[f], None
        p_rivals = at["p"]
        V = at["V"][f]
        for turn in range(limit):
            full = x0.copy()
            full[f] = threshold
            F, _, best = self._law(full)
            slope = np.where(self.entrant[f], 0.0, F[f]) if self.exits else np.ones(self.S)
            base = (
                np.where(self.entrant[f], 0.0, best[f] - F[f] * threshold) if self.exits else np.zeros(self.S)
            )
            D = self.demand(p)
            K = sum(sparse.diags_array(D[k]) @ m for k, m in enumerate(self.moves))
            pay = self.flow[f] + D[f + 1] * np.where(self.active[f], p[f] - self.cost[f], 0.0)
            Q = eye if not self.exits else sparse.csr_array((self.S, self.S))
            if self.exits:
                for group in range(2**self.n):
                    if group >> f & 1:
                        chance = self._chance(group, f, stay)
                        Q = Q + sparse.csr_array(
                            (chance, (states, self.operate[group])), shape=(self.S, self.S)
                        )
            A = eye - self.beta * Q @ K @ sparse.diags_array(slope)
            new = splu(A.tocsc()).solve(self.beta * (Q @ (pay + K @ base)))
            V = pay + K @ (base + slope * new)
            if baseline is None:
                baseline = V
            moved = float(np.max(np.abs(new - x)))
            x = threshold = new
            if turn > 0 and moved < 1e-12 * (1 + np.max(np.abs(x))):
                break
            after = np.where(
                self.entrant[f], 0.0, self._law(np.where(np.arange(self.n)[:, None] == f, x, x0))[2][f]
            )
            W = np.stack([m @ (after if self.exits else x) for m in self.moves])
            p = self._maximise(f, p_rivals, W, grid)
        return float(np.max(V - baseline))

    def _maximise(self, f: int, p: Array, W: Array, grid: int) -> Array:
        def value(own: Array) -> Array:
            q = p.copy()
            q[f] = own
            D = self.demand(q)
            return D[f + 1] * (own - self.cost[f]) + np.einsum("ks,ks->s", D, W)

        offers = p[f] + np.linspace(-20, 20, grid)[:, None] * self.scale
        best = offers[np.argmax([value(o) for o in offers], axis=0), np.arange(self.S)]
        width = 40 * self.scale / (grid - 1)
        low, high = best - width, best + width
        ratio = (np.sqrt(5) - 1) / 2
        for _ in range(45):
            a, b = high - ratio * (high - low), low + ratio * (high - low)
            left = value(a) > value(b)
            low, high = np.where(left, low, a), np.where(left, b, high)
        best = 0.5 * (low + high)
        best = np.where(value(best) >= value(p[f]), best, p[f])
        q = p.copy()
        q[f] = np.where(self.active[f], best, p[f])
        return q

    def solve(
        self,
        method: str = "default",
        start: str = "static",
        *,
        name: str = "a game of one's own",
        parameters: Mapping[str, Any] | None = None,
        seed: int | None = None,
        certify: bool = True,
        **options: Any,
    ) -> Solution:
        """Solve it and say how; the same nouns as every game of the catalogue."""
        began = time.perf_counter()
        done = solvers.run(self, self.start(start, np.random.default_rng(seed or 0)), method, **options)
        play = self.unfold(done.y)
        return Solution(
            game=name,
            parameters=dict(parameters or {}),
            value=play["value"],
            policy={k: play[k] for k in ("price", "leaves", "share")},
            axes=("firm", "state"),
            ticks={"firm": list(range(1, self.n + 1)), "state": list(range(self.S))},
            residual=done.residual,
            result=done.result,
            method=done.method,
            start=f"the {start} start",
            seed=seed,
            exploitability=self.exploitability(done.y) if certify and done.result else None,
            counts=done.counts,
            seconds=time.perf_counter() - began,
            extra={"engine": self, "y": done.y},
        )


def logit(
    quality: Array, sigma: float = 1.0, outside: float | None = None, active: Array | None = None
) -> Demand:
    """Logit demand: D_k ∝ exp((quality_k − p_k)/σ), quality (n, S); `outside`: the outside good's."""
    quality = np.asarray(quality, float)

    def demand(p: Array) -> Array:
        u = (quality - p) / sigma
        u0 = np.full(quality.shape[1], -np.inf if outside is None else outside / sigma)
        top = np.maximum(u.real.max(axis=0, initial=-np.inf, where=_where(active, u)), u0)
        z = np.exp(u - top)
        if active is not None:
            z = np.where(active, z, 0.0)
        z0 = np.exp(u0 - top)
        return np.vstack([z0[None], z]) / (z0 + z.sum(axis=0))

    return demand


def _where(active: Array | None, u: Array) -> Array:
    return np.ones(u.shape, bool) if active is None else active
