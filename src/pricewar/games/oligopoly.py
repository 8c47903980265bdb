"""The n-firm engine: own levels that sales raise and time lowers, prices eliminated, Newton by GMRES.

State (e1..en) in {1..M}ⁿ; each period one buyer takes one firm (or an outside good); levels move as in
`duopoly`. The unknowns are values V. Like firms share them: a firm's value depends on its own level and the
rivals' levels in any order, M·C(M+n−2, n−1) unknowns instead of n Mⁿ (1,800 for 10,125 at n = 3, M = 15), and
the pricing game is solved once for each multiset of levels (680 for 3,375).

For three firms or more a factorisation of I − T' fills in, so Newton's step is matrix-free: a product with
T' costs about what a pass of T does, (n+1)·2ⁿ·n multiplications for each stage.
"""

from __future__ import annotations

import math

import numpy as np

from pricewar.errors import SolverError

Array = np.ndarray

MEMORY_LIMIT = 2e9


class Oligopoly:
    """An n-firm game of the family above, ready for `solvers`.

    Args:
        cost: unit cost by level 1..M, shape (n, M), money. step: (n, 3, M, 3), who sold (nobody, itself,
            a rival), level, move −1, 0, +1.
        beta, sigma, outside: as in `duopoly.Duopoly`.
        symmetric: default: when the firms are alike.

    Raises:
        SolverError: too large; the message says how large.
    """

    def __init__(
        self,
        cost: Array,
        step: Array,
        beta: float,
        sigma: float = 1.0,
        outside: float | None = None,
        symmetric: bool | None = None,
    ) -> None:
        self.cost = np.ascontiguousarray(cost, float)
        self.step = np.ascontiguousarray(step, float)
        self.n, self.M = self.cost.shape
        alike = all(np.array_equal(a[0], a[f]) for a in (self.cost, self.step) for f in range(self.n))
        if symmetric and not alike:
            raise SolverError("the firms differ", remedy="leave symmetric to its default")
        self.symmetric = alike if symmetric is None else symmetric
        self.beta, self.sigma, self.outside = beta, sigma, outside
        self.num = np.array([beta, sigma, 0.0 if outside is None else 1.0, outside or 0.0])
        n, M = self.n, self.M
        self.ways = int(np.max((self.step > 0).sum(axis=3))) ** n
        stages = math.comb(M + n - 1, n) if self.symmetric else M**n
        size = M * math.comb(M + n - 2, n - 1) if self.symmetric else n * M**n
        need = 8.0 * (stages * (n + 1) * (2 * self.ways + 2 * n) + n * M**n + 80 * size)
        if need > MEMORY_LIMIT:
            raise SolverError(
                f"{n} firms with {M} levels: {M**n:.3g} states need {need / 1e9:.1f} GB, "
                f"more than {MEMORY_LIMIT / 1e9:g} GB",
                remedy="fewer levels or firms",
            )
        from pricewar.games import oligopoly_kernels as k

        self.index = np.empty((n, M**n), np.int64)
        self.stages = np.empty((stages, n), np.int64)
        self.size, _ = k.unknowns(M, n, self.symmetric, self.index, self.stages)
        self.succ = np.empty((stages, n + 1, self.ways), np.int32)
        self.prob = np.empty((stages, n + 1, self.ways))
        k.structure(self.stages, self.step, M, self.ways, self.succ, self.prob)
        self.u = np.empty((stages, n))
        for f in range(n):
            self.u[:, f] = (self.num[3] - self.cost[f, self.stages[:, f]]) / sigma - 1.5
        self.ratio, self.inverse = np.zeros((stages, n, n + 1)), np.zeros((stages, n, n))
        self.products = 0

    def start(self, kind: str = "static", rng: np.random.Generator | None = None) -> Array:
        """A starting point: see `solvers.begin`."""
        from pricewar.games import solvers

        return solvers.begin(self, kind, rng)

    def image(self, y: Array) -> Array:
        """T(y): one Jacobi pass; NaN where the pricing stage has no solution."""
        from pricewar.games import oligopoly_kernels as k

        out = np.empty(self.size)
        ok = k.sweep(
            y, out, False, 1.0, self.stages, self.succ, self.prob, self.index, self.cost, self.num, self.u,
            self.ratio, self.inverse,
        )  # fmt: skip
        return out if ok else np.full(self.size, np.nan)

    def relax(self, y: Array, damping: float = 1.0) -> Array:
        """One Gauss-Seidel pass from the top levels down; returns a new vector."""
        from pricewar.games import oligopoly_kernels as k

        y = y.copy()
        ok = k.sweep(
            y, y, True, damping, self.stages, self.succ, self.prob, self.index, self.cost, self.num, self.u,
            self.ratio, self.inverse,
        )  # fmt: skip
        return y if ok else np.full(self.size, np.nan)

    def _gmres(self, which: int, b: Array, shift: float, tolerance: float, share: Array) -> Array:
        from pricewar.games import oligopoly_kernels as k

        x = np.zeros(self.size)
        count = k.gmres(
            which, b, x, shift, tolerance, 600, self.stages, self.succ, self.prob, self.index, self.num,
            self.ratio, self.inverse, share, self.M,
        )  # fmt: skip
        self.products += abs(count)
        return x

    def direction(self, y: Array, shift: float = 0.0, columns: Array | None = None) -> tuple[Array, Array]:
        """F = T(y) − y and ((1 + shift) I − T')⁻¹ of it and of further columns, by GMRES.

        The first column is solved as precisely as the residual deserves, which keeps Newton superlinear.
        """
        F = self.image(y) - y
        if not np.all(np.isfinite(F)):
            raise np.linalg.LinAlgError("the pricing stage has no solution here")
        size = float(np.max(np.abs(F)))
        share = np.empty((1, 1, 1))
        tolerance = min(3e-2, max(0.03 * size, 3e-13 / max(size, 1e-12)))
        found = [self._gmres(0, F, shift, min(tolerance, 3e-2), share)]
        if columns is not None:
            found += [self._gmres(0, np.ascontiguousarray(c), shift, 1e-8, share) for c in columns.T]
        return F, np.column_stack(found)

    def guard(self, y: Array, move: Array) -> Array:
        """y + move: nothing needs care here."""
        return y + move

    def unfold(self, y: Array) -> dict[str, Array]:
        """value and price, axes (firm, e1..en); share (seller, e1..en), seller 0 the outside good."""
        self.image(y)
        n, M = self.n, self.M
        shape = (M,) * n
        value = y[self.index].reshape(n, *shape)
        # a firm's log weight is stored like its value: by the unknown it shares
        log = np.empty(self.size)
        home = self.stages @ (M ** np.arange(n - 1, -1, -1))
        for f in range(n):
            log[self.index[f, home]] = self.u[:, f]
        u = log[self.index]
        top = np.maximum(u.max(axis=0), 0.0)
        weights = np.vstack([self.num[2] * np.exp(-top), np.exp(u - top)])
        share = (weights / weights.sum(axis=0)).reshape(n + 1, *shape)
        return {"value": value, "price": (self.num[3] - self.sigma * u).reshape(n, *shape), "share": share}

    def exploitability(self, y: Array, limit: int = 30) -> float:
        """The most any firm can gain at any state by its exact best reply: policy iteration, GMRES within."""
        from pricewar.games import oligopoly_kernels as k

        self.image(y)
        fix = self.u.copy()
        share, answer, out = np.zeros((len(self.stages), self.n, self.n + 1)), fix.copy(), np.empty(self.size)
        x, own, before, move = y.copy(), y, np.inf, y
        for turn in range(limit):
            for _ in range(3 if turn == 0 else 1):  # evaluate the policy itself to the last digit
                k.reply_sweep(
                    x, out, turn == 0, fix, self.stages, self.succ, self.prob, self.index, self.cost,
                    self.num, fix, share, answer,
                )  # fmt: skip
                move = self._gmres(1, out - x, 0.0, 1e-10, share)
                x = x + move
            if turn == 0:
                own = x.copy()
                continue
            size = float(np.max(np.abs(move)))
            if size <= 1e-13 * (1 + float(np.max(np.abs(x)))) or size >= before:
                break
            before = size
        return float(np.max(x - own))
