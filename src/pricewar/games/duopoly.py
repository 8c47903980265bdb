"""The two-firm engine: learning by doing, forgetting, entry and exit, compiled, with prices eliminated.

State (e1, e2), levels 0..M, 0 = a potential entrant. A period: firms set prices; one buyer takes firm 1,
firm 2 or (when there is one) the outside good, by the logit; each firm's level moves by −1, 0 or +1 with
probabilities that depend on its level and on who sold; then, when there is entry and exit, each firm
privately draws a scrap value (or set-up cost) and decides whether to operate next period, at no less than
level 1.

Unknowns y = x(e'), the discounted value of operating next period, at every state e' after a sale. All else is
eliminated: φ = 1 − F(x), U = E max(X, x), prices and V from the pricing stage (`duopoly_kernels`), so that an
equilibrium is a fixed point y = T(y). A symmetric game keeps the half e1 ≥ e2: (M+1)² unknowns, not twice as
many. T' couples a level of the larger coordinate to its neighbours only, apart from a border (values against
an absent rival), so Newton's step is a block elimination: Σ_b ⅔ n_b³ + 2 n_b² (n_{b−1} + border) operations,
that is 4 M flop at M = 30 and 1 G flop at M = 120, against 10⁵ and 2·10⁶ for one pass of T.

| symbol | code | axes |
|---|---|---|
| c(e) | cost | (firm, level) |
| Pr(level moves by −1, 0, +1) | step | (firm, who sold: nobody, itself, the rival; level; move) |
| scrap X̄, ΔX, set-up S̄, ΔS | laws | (firm, 4) |
| V, φ, p, D | value, `leaves`, `price`, `share` | (firm, e1, e2); share (who sells, e1, e2) |
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.errors import SolverError
from pricewar.games.solution import Interrupted, Solution

if TYPE_CHECKING:
    from pricewar.games.solvers import Iterate, Progress

Array = np.ndarray

MEMORY_LIMIT = 2e9  # bytes; a larger game is refused before anything is allocated


class Duopoly:
    """A two-firm game of the family above, ready for `solvers`.

    Args:
        cost: unit cost by level, shape (M+1,) or (2, M+1), money.
        step: probabilities of moving, shape (2, 3, M+1, 3); see `moves`.
        beta: discount factor per period, in (0, 1).
        sigma: logit scale, money. outside: price of the outside good, or None for none.
        laws: (2, 4) scrap and set-up laws, or None for no entry and exit.
        floor: lowest price allowed, shape (M+1,) or (2, M+1), money; None for no floor.
        symmetric: solve for symmetric equilibria on half the states; default: when the firms are alike.

    Raises:
        SolverError: entry and exit without an outside good; firms unlike but symmetric; too large.
    """

    def __init__(
        self,
        cost: Array,
        step: Array,
        beta: float,
        sigma: float = 1.0,
        outside: float | None = None,
        laws: Array | None = None,
        floor: Array | None = None,
        symmetric: bool | None = None,
    ) -> None:
        self.cost = _two(cost)
        self.L = L = self.cost.shape[1]
        self.step = np.ascontiguousarray(step, dtype=float)
        self.floor = np.full((2, L), -np.inf) if floor is None else _two(floor)
        self.exits = laws is not None
        self.laws = np.ones((2, 4)) if laws is None else np.ascontiguousarray(laws, dtype=float)
        self.beta, self.sigma, self.outside = beta, sigma, outside
        if self.exits and outside is None:
            raise SolverError(
                "a firm alone in a market without an outside good has no finite price",
                remedy="give the price of the outside good, or switch entry and exit off",
            )
        alike = all(np.array_equal(a[0], a[1]) for a in (self.cost, self.step, self.floor, self.laws))
        if symmetric and not alike:
            raise SolverError("the firms differ", remedy="leave symmetric to its default")
        self.symmetric = alike if symmetric is None else symmetric
        self.num = np.array([beta, sigma, 0.0 if outside is None else 1.0, outside or 0.0])
        self.lo = 0 if self.exits else 1
        need = self.bytes_needed()
        if need > MEMORY_LIMIT:
            raise SolverError(
                f"{L - 1} levels need {need / 1e9:.1f} GB, more than {MEMORY_LIMIT / 1e9:g} GB",
                remedy="fewer levels, or a symmetric game (half the states, a quarter of the memory)",
            )
        self._lay_out()
        self.work = np.zeros((7, 2, L, L))
        self.work[3] = np.nan
        if self.exits:
            self.middle, self.half = np.empty(self.size), np.empty(self.size)
            for n in range(2):
                entrant = np.arange(L) == 0
                entrant = np.broadcast_to(entrant[:, None] if n == 0 else entrant, (L, L))
                self.middle[self.idx[n]] = np.where(entrant, self.laws[n, 2], self.laws[n, 0])
                self.half[self.idx[n]] = np.where(entrant, self.laws[n, 3], self.laws[n, 1])

    def bytes_needed(self) -> float:
        """Bytes the largest step (Newton) will hold, counted before anything is allocated."""
        M = self.L - 1
        blocks = 4 * M**3 * (1 / 3 if self.symmetric else 1.0) * (1.0 if self._falls() else 0.0)
        border = (M if self.symmetric else 2 * M) if self.exits else 0
        unknowns = self.L**2 * (1 if self.symmetric else 2)
        return 8.0 * (blocks + unknowns * (border + 2 * 22 + 40))

    def _falls(self) -> bool:
        return bool(np.any(self.step[..., 0] > 0))

    def _lay_out(self) -> None:
        layout = _layout(self.L, self.exits, self.symmetric)
        self.idx, self.size, self.off, self.cells, self.duels = layout
        self.lower = self._falls()

    # --- what the solvers need ---------------------------------------------------------------------------

    def start(self, kind: str = "static", rng: np.random.Generator | None = None) -> Array:
        """A starting point: "nested", or one of `solvers.begin`.

        "nested" solves the game with half the levels first (from its own nested start, down to 40 levels or
        fewer) and carries its values outward: what happens high up the curve changes little below.
        """
        from pricewar.games import solvers

        return self._nested() if kind == "nested" else solvers.begin(self, kind, rng, ("nested",))

    def _nested(self) -> Array:
        from pricewar.games import solvers

        if self.L <= 41:
            return self.start("static")
        L = (self.L - 1) // 2 + 1
        step = self.step[:, :, :L].copy()
        step[:, :, -1, 1] += step[:, :, -1, 2]  # the new top level holds what would rise above it
        step[:, :, -1, 2] = 0.0
        small = Duopoly(
            self.cost[:, :L], step, self.beta, self.sigma, self.outside, self.laws if self.exits else None,
            self.floor[:, :L], self.symmetric,
        )  # fmt: skip
        done = solvers.default(small, small.start("nested"))
        ahead = small.unfold(done.y)["ahead"]
        at = np.minimum(np.arange(self.L), L - 1)
        return self.fold(ahead[:, at[:, None], at[None, :]])

    def _pass(self, y: Array, jac: bool) -> tuple[Array, Array, Array]:
        from pricewar.games import duopoly_kernels as k

        out = np.empty(self.size)
        if jac:
            G, Ga = np.empty((len(self.duels), 2, 2, 9)), np.empty((2, self.L, 3))
            vals = np.empty((self.size, k.ENTRIES))
            cols = np.empty((self.size, k.ENTRIES), np.int64)
        else:
            G, Ga = np.empty((1, 1, 1, 1)), np.empty((1, 1, 1))
            vals, cols = np.empty((1, 1)), np.empty((1, 1), np.int64)
        k.sweep(
            y, out, self.idx, self.cells, self.duels, self.lo, int(self.exits), self.symmetric, self.num,
            self.cost, self.step, self.laws, self.floor, self.work, jac, G, Ga, vals, cols,
        )  # fmt: skip
        return out, vals, cols

    def image(self, y: Array) -> Array:
        """T(y): one Jacobi pass."""
        return self._pass(y, False)[0]

    def relax(self, y: Array, damping: float = 1.0) -> Array:
        """One Gauss-Seidel pass; returns a new vector. damping 1 is undamped."""
        from pricewar.games import duopoly_kernels as k

        y = y.copy()
        k.relax(
            y, damping, self.idx, self.duels, self.lo, int(self.exits), self.symmetric, self.num, self.cost,
            self.step, self.laws, self.floor, self.work,
        )  # fmt: skip
        return y

    def direction(self, y: Array, shift: float = 0.0, columns: Array | None = None) -> tuple[Array, Array]:
        """F = T(y) − y, and ((1 + shift) I − T'(y))⁻¹ applied to F and to further columns.

        Raises:
            numpy.linalg.LinAlgError: singular.
        """
        from pricewar.games import duopoly_kernels as k

        out, vals, cols = self._pass(y, True)
        F = out - y
        rhs = F[:, None] if columns is None else np.column_stack([F, columns])
        if not np.all(np.isfinite(out)):
            raise np.linalg.LinAlgError("the pricing stage has no solution here")
        with one_blas_thread():
            return F, k.block_solve(vals, cols, shift, self.off, self.lower, np.ascontiguousarray(rhs))

    def jacobian(self, y: Array) -> Any:
        """T'(y) as a scipy.sparse CSR matrix."""
        from scipy.sparse import csr_array

        _, vals, cols = self._pass(y, True)
        rows = np.repeat(np.arange(self.size), vals.shape[1])
        keep = cols.ravel() >= 0
        entries = (vals.ravel()[keep], (rows[keep], cols.ravel()[keep]))
        return csr_array(entries, shape=(self.size, self.size))

    # --- what a solution shows ---------------------------------------------------------------------------

    def unfold(self, y: Array) -> dict[str, Array]:
        """value V, price p, leaves φ, after U, ahead x, arrays (firm, e1, e2); share (who sells, e1, e2).

        Value, price and share are at the pricing phase; leaves, after and ahead at the state after the sale.
        NaN where the firm is not active (share: zero).
        """
        self._pass(y, False)
        V, phi, U, u = (self.work[k].copy() for k in range(4))
        L = self.L
        active = np.zeros((2, L, L), bool)
        active[0, 1:, self.lo :] = True
        active[1, self.lo :, 1:] = True
        V[~active], u[~active] = np.nan, np.nan
        weights = np.zeros((3, L, L))
        weights[0] = self.num[2]
        weights[1:][active] = np.exp(u[active])
        total = weights.sum(axis=0)
        share = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        known = self.idx >= 0
        ahead = np.where(known, y[np.where(known, self.idx, 0)], np.nan)
        return {
            "value": V,
            "price": self.num[3] - self.sigma * u,
            "share": share,
            "leaves": np.where(known, phi, np.nan),
            "after": np.where(known, U, np.nan),
            "ahead": ahead,
        }

    def fold(self, ahead: Array) -> Array:
        """The unknowns from `ahead` of `unfold` (for another game of the same size, or mixtures)."""
        y = np.zeros(self.size)
        known = self.idx >= 0
        y[self.idx[known]] = ahead[known]
        return y

    def best_reply(
        self, n: int, y: Array, rival: dict[str, Array] | None = None, tolerance: float = 1e-13
    ) -> tuple[Array, dict[str, Array], int]:
        """Firm n's exact best reply to the rival's policy in `rival` (default: the one at y).

        Policy iteration on one firm's Bellman equation; each step is one block elimination.

        Returns:
            gain (L, L), own level first: value of the best reply less value of the firm's own policy at y,
            both evaluated exactly; the best reply {"ahead", "u", "value"}, own level first; iterations.
        """
        from pricewar.games import duopoly_kernels as k

        L, lo = self.L, self.lo
        self._pass(y, False)
        turn = (lambda a: a) if n == 0 else (lambda a: np.ascontiguousarray(a.T))
        known = self.idx[n] >= 0
        x = turn(np.where(known, y[np.where(known, self.idx[n], 0)], 0.0))
        ufix = turn(self.work[3][n].copy())
        ur = turn(self.work[3][1 - n].copy()) if rival is None else rival["u"]
        phir = turn(self.work[1][1 - n].copy()) if rival is None else rival["leaves"]
        idx = np.full((L, L), -1, np.int64)
        idx[1:, 1:] = np.arange((L - 1) ** 2).reshape(L - 1, L - 1)
        if self.exits:
            idx[1:, 0] = (L - 1) ** 2 + np.arange(L - 1)
        size = int(idx.max()) + 1
        off = np.append(np.arange(0, (L - 1) ** 2 + 1, L - 1), size)
        V, u, out = np.zeros((2, L, L)), np.zeros((L, L)), np.empty(size)
        vals, cols = np.empty((size, 12)), np.empty((size, 12), np.int64)
        inside = idx >= 0

        def bellman(x: Array, fixed: bool, V: Array) -> None:
            k.reply_sweep(
                x, fixed, ufix, own, ur, phir, idx, lo, int(self.exits), self.num, self.cost[n],
                self.step[n], self.step[1 - n], self.laws[n], self.floor[n], V, u, out, vals, cols,
            )  # fmt: skip

        own, count, before = x.copy(), 0, np.inf
        while count < 60:
            fixed = count == 0
            bellman(x, fixed, V[0] if fixed else V[1])
            F = np.zeros(size)
            F[idx[inside]] = out[idx[inside]] - x[inside]
            with one_blas_thread():
                move = k.block_solve(vals, cols, 0.0, off, self.lower, F[:, None])[:, 0]
            x[inside] += move[idx[inside]]
            if fixed:
                bellman(x, True, V[0])
            count += 1
            size_of_move = float(np.max(np.abs(move)))
            if count > 1 and (size_of_move <= tolerance * (1 + np.max(np.abs(x))) or size_of_move >= before):
                break
            before = size_of_move if count > 1 else np.inf
        bellman(x, False, V[1])
        gain = np.where(inside, V[1] - V[0], 0.0)
        leaves = np.zeros((L, L))
        if self.exits:
            entrant = np.maximum(np.arange(L), 1)
            x[0] = self.beta * ((1 - phir[0]) * V[1][1, entrant] + phir[0] * V[1][1, 0])
            leaves = k.leave(x, self.laws[n])
        return gain, {"ahead": x, "u": u, "value": V[1], "leaves": leaves}, count

    def exploitability(self, y: Array) -> float:
        """The most a firm can gain at any state by its exact best reply, in units of value."""
        firms = (0,) if self.symmetric else (0, 1)
        return max(float(np.max(self.best_reply(n, y)[0])) for n in firms)

    def contraction(self, y: Array, seed: int = 0, steps: int = 60, size: float = 1e-6) -> float:
        """The factor by which best-reply iteration multiplies a small perturbation of both firms' policies.

        Each step: both firms take their exact best replies to the other's perturbed policy; the deviation
        is measured and scaled back (power iteration). Below 1: the equilibrium is stable under it.
        """
        rng = np.random.default_rng(seed)
        firms = (0,) if self.symmetric else (0, 1)
        base = [_policy(self.best_reply(n, y)[1]) for n in firms]
        live = np.zeros((2, self.L, self.L))
        live[0, 1:, self.lo :] = 1.0
        deviation = [rng.normal(size=live.shape) * live for _ in firms]
        deviation = [d / np.max(np.abs(d)) for d in deviation]
        factors: list[float] = []
        for _ in range(steps):
            fresh = []
            for n in firms:
                m = 0 if self.symmetric else 1 - n
                bent = base[m] + size * deviation[m]
                # the rival's policy is stored with its own level first
                rival = {"u": np.ascontiguousarray(bent[0].T), "leaves": np.ascontiguousarray(bent[1].T)}
                answer = _policy(self.best_reply(n, y, rival)[1])
                fresh.append((answer - base[n]) / size)
            factor = max(float(np.max(np.abs(f))) for f in fresh)
            factors.append(factor)
            if factor < 1e-7:
                break
            deviation = [f / factor for f in fresh]
            if len(factors) > 8 and np.ptp(factors[-4:]) < 1e-4 * factors[-1]:
                break
        # alternating signs or complex pairs make single factors wobble: take the mean growth of the tail
        return float(np.exp(np.mean(np.log(np.maximum(factors[-6:], 1e-300)))))

    def guard(self, y: Array, move: Array) -> Array:
        """y + move, but an unknown that would jump over the whole support of its exit or entry law stops in
        its middle: the law is flat on both sides, and Newton would jump back and forth for ever."""
        new = y + move
        if self.exits:
            low, high = self.middle - self.half, self.middle + self.half
            over = ((y < low) & (new > high)) | ((y > high) & (new < low))
            new[over] = self.middle[over]
        return new


@lru_cache(maxsize=1)
def _blas_threads() -> tuple[Any, Any] | None:
    """Getter and setter of the thread count of SciPy's OpenBLAS, which compiled code calls; or None."""
    import ctypes
    from pathlib import Path

    import scipy

    for folder in ("scipy.libs", "scipy/.dylibs"):
        for library in (Path(scipy.__file__).parents[1] / folder).glob("libscipy_openblas*"):
            try:
                blas = ctypes.CDLL(str(library))
                return blas.scipy_openblas_get_num_threads, blas.scipy_openblas_set_num_threads
            except (OSError, AttributeError):
                continue
    return None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run the dense blocks on one thread: on a busy machine OpenBLAS's threads wait for one another, and a
    step at 120×120 took 2.4 s with two of them and .2 s with one."""
    threads = _blas_threads()
    if threads is None:
        yield
        return
    get, put = threads
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


@lru_cache(maxsize=16)
def _layout(L: int, exits: bool, symmetric: bool) -> tuple[Array, int, Array, Array, Array]:
    """Number the unknowns, by blocks of the (larger) level and the border last.

    Returns idx (firm, e1, e2), their number, the first unknown of each block, and the states whose unknowns
    are rows and those where both firms price, arrays (state, 2).
    """
    lo = 0 if exits else 1
    idx = np.full((2, L, L), -1, np.int64)
    off = [0]
    n = 0
    last = [(0, i, 0) for i in range(L)] if exits else []
    if not symmetric and exits:
        last += [(1, 0, i) for i in range(L)]
    border = set(last)
    for i in range(lo, L):
        for j in range(lo, i + 1 if symmetric else L):
            for f, a, b in [(0, i, j), (0, j, i)] if symmetric else [(0, i, j), (1, i, j)]:
                if (f, a, b) not in border and idx[f, a, b] < 0:
                    idx[f, a, b] = n
                    n += 1
        # level 0 leads to level 1, which reaches 2: keep 0 and 1 in one block, so that only neighbours touch
        if n > off[-1] and not (exits and i == 0):
            off.append(n)
    for f, a, b in last:
        idx[f, a, b] = n
        n += 1
    off.append(n)
    if symmetric:
        idx[1] = idx[0].T
    cells = [(i, j) for i in range(lo, L) for j in range(lo, L) if j <= i or not symmetric]
    duels = [(i, j) for i, j in cells if i > 0 and j > 0]
    return idx, n, np.array(off), np.array(cells, np.int64), np.array(duels, np.int64)


def moves(forget: Array, learn: Array, share: float = 0.0) -> Array:
    """`step` of one firm: probability of moving by −1, 0, +1, axes (who sold, level, move).

    Args:
        forget: probability of losing a level, by level 0..M. learn: probability that an own sale adds one.
        share: probability that a rival's sale adds one (know-how sharing).

    Level 0 stays; levels 1 and M hold what would fall below or rise above them.
    """
    L = len(forget)
    step = np.zeros((3, L, 3))
    for who, q in enumerate((np.zeros(L), np.asarray(learn, float), np.full(L, share))):
        up, down = q * (1 - forget), (1 - q) * forget
        step[who, :, 0], step[who, :, 2] = down, up
    step[:, :2, 0] = 0.0
    step[:, 0, 2] = 0.0
    step[:, -1, 2] = 0.0
    step[:, :, 1] = 1.0 - step[:, :, 0] - step[:, :, 2]
    return step


def _policy(answer: dict[str, Array]) -> Array:
    """(log weight, φ), own level first."""
    return np.stack([np.nan_to_num(answer["u"]), answer["leaves"]])


def _two(a: Array) -> Array:
    a = np.asarray(a, float)
    return np.ascontiguousarray(np.broadcast_to(a, (2, a.shape[-1])))


# --- from a game to solutions ----------------------------------------------------------------------------


def solution(
    name: str,
    parameters: Mapping[str, Any],
    game: Duopoly,
    done: Iterate,
    start: str,
    seed: int | None = None,
    certify: bool = True,
    stability: bool = False,
) -> Solution:
    """What a solver reached, as a `Solution`; with `certify` its exploitability, with `stability` that too.

    policy: price, leaves and share (axes "who", e1, e2). extra: "engine" the Duopoly, "y" its unknowns.
    """
    began = time.perf_counter()
    play = game.unfold(done.y)
    gain = game.exploitability(done.y) if certify and np.isfinite(done.residual) else None
    factor = game.contraction(done.y) if stability and done.result else None
    levels = list(range(game.L))
    return Solution(
        game=name,
        parameters=dict(parameters),
        value=play["value"],
        policy={k: play[k] for k in ("price", "leaves", "share")},
        axes=("firm", "e1", "e2"),
        ticks={"firm": [1, 2], "e1": levels, "e2": levels},
        residual=done.residual,
        result=done.result,
        method=done.method,
        start=start,
        seed=seed,
        exploitability=gain,
        contraction=factor,
        stable=None if factor is None else factor < 1.0,
        counts=done.counts,
        seconds=done.seconds + time.perf_counter() - began,
        extra={"engine": game, "y": done.y},
    )


def solve(
    name: str,
    parameters: Mapping[str, Any],
    game: Duopoly,
    method: str = "default",
    start: str | Solution = "static",
    seed: int | None = None,
    certify: bool = True,
    stability: bool = False,
    progress: Progress | None = None,
    limit: int | None = None,
) -> Solution:
    """Solve `game` by a method of `solvers`, from a word (`Duopoly.start`) or a neighbouring solution.

    Args:
        certify: also work out the exact exploitability. stability: also whether best replies return to it.
        limit: passes or steps of a single method; the default chain has limits of its own.
    """
    from pricewar.games import solvers

    if isinstance(start, Solution):
        y, words = np.array(start.extra["y"]), "a given solution"
        if y.size != game.size:
            raise SolverError("the starting solution is of another size", remedy="start from one as large")
    else:
        if start == "static" and method == "default" and game.L > 41:
            start = "nested"
        y, words = game.start(start, np.random.default_rng(seed or 0)), f"the {start} start"
    if isinstance(start, Solution) and method == "default":
        quick = solvers.newton(game, y, limit=12, progress=progress)
        if quick.result:
            return solution(name, parameters, game, quick, words, seed, certify, stability)
    done = solvers.run(game, y, method, progress=progress, **({} if limit is None else {"limit": limit}))
    return solution(name, parameters, game, done, words, seed, certify, stability)


def search(
    name: str,
    parameters: Mapping[str, Any],
    game: Duopoly,
    budget: int = 60,
    seed: int = 0,
    certify: bool = True,
    stability: bool = True,
    progress: Progress | None = None,
) -> list[Solution]:
    """Every equilibrium found from `budget` starts with that seed, lowest price in (1, 1) first."""
    from pricewar.games import solvers

    def finished(found: list[solvers.Found], starts: int) -> list[Solution]:
        out = []
        for one in found:
            each = solution(name, parameters, game, one.iterate, one.start, seed, certify, stability)
            out.append(each.with_(counts={**one.iterate.counts, "starts in all": starts}))
        return sorted(out, key=lambda s: float(s.policy["price"][0, 1, 1]))

    try:
        found, counts = solvers.search(game, budget=budget, seed=seed, progress=progress)
    except Interrupted as stop:
        raise Interrupted(finished(*stop.partial)) from None
    return finished(found, counts["starts"])
