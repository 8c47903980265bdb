"""Individual buyers: the market with every team an agent, as the check of the mean field.

The vendors' side is the mean field's own, function by function, fed with the counted teams. What lies between
the posting of terms and the serving of use is drawn and not averaged: a team at vendor j and depth l leaves
with 1 − exp(−(lo q + more q²) dt), goes to k in proportion to x_k or to the outside; teams adopt out of the
pool, found new work that chooses freely, integrate deeper, close. Given the counts, the mean of a step is the
mean field's step exactly. So means over seeds differ from the mean field by what curvature makes of the
spread, which vanishes like 1/N, and the spread is that of a density-dependent Markov chain.

References: Kurtz (1970), Solutions of ordinary differential equations as limits of pure jump Markov
processes, J. Appl. Prob. 7, doi 10.2307/3212147; van Kampen (2007), Stochastic Processes in Physics and
Chemistry, ch. X. Names and axes as in `pricewar.market.kernel`; docs/market.md has the economics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from pricewar.errors import ConfigurationError
from pricewar.market.model import EVENT_ROWS, Array, Market, Run, check

PARALLEL = 1 << 18
"""Agents of a type from which a step is worth more than one core."""
Out = tuple[Array, Array, Array]
"""Where a month's flows are added: ov [J, ·], ot [T, ·], ow [·], as in the kernel."""


@dataclass
class Chances:
    """What the teams meet in a step. x, bonus [T, 3, J]; the rest as `individuals_kernel.chances`."""

    x: Array
    bonus: Array
    outside: float
    others: Array
    leave: Array
    adopt: Array
    birth: Array
    event: Array
    die: Array
    up0: float
    up1: float


class Supply:
    """The vendors' side of one market: the kernel's step, with the teams moved by somebody else.

    State as in the kernel: s [J, ·], w [·], bg [T] budgets' growth, lic and fee [V, J]; m [T, 3, J] and
    pool [T] are the teams, at first those that `begin` puts there. A step is `terms`, `serve`, `close`; after
    the first and the second the caller says where the teams are. draws [J, 3]: the first step's luck.
    """

    def __init__(self, market: Market, g: Array, v: Array, t: Array, draws: Array) -> None:
        from pricewar.market import individuals_kernel, kernel

        self.k, self.kernel = kernel, individuals_kernel
        k = kernel
        self.market, self.g, self.v, self.t = market, g, v, t
        T, J, V = len(market.types), len(market.vendors), max(len(market.verticals), 1)
        self.s, self.w = np.zeros((J, len(k.STATE_FIELDS))), np.zeros(len(k.WORLD_FIELDS))
        self.m, self.pool, self.bg = np.zeros((T, k.L, J)), np.zeros(T), np.ones(T)
        self.lic, self.fee = np.zeros((V, J)), np.zeros((V, J))
        self.dt = 1.0 / market.per_month
        self.steps = 0
        k.begin(g, v, t, self.s, self.w, self.m, self.pool, self.bg, draws)
        self.events, self.count = np.zeros((EVENT_ROWS, 5)), np.zeros(1, np.int64)
        self.still = not ((v[:, k.V_CONDUCT] != k.FRINGE) & (v[:, k.V_CONDUCT] != k.EXTERNAL)).any()
        self.flows = np.column_stack((
            t[:, k.REVIEW_LOW], t[:, k.REVIEW_HIGH] - t[:, k.REVIEW_LOW], t[:, k.CHURN],
            g[k.EXPANSION_CONTESTABLE] * t[:, k.GROWTH], t[:, k.INNOVATION], t[:, k.IMITATION],
        ))  # fmt: skip
        self.grow = np.exp((1.0 - g[k.EXPANSION_CONTESTABLE]) * t[:, k.GROWTH] * self.dt)
        self.die = 1.0 - np.exp(-t[:, k.CHURN] * self.dt)
        self.up0, self.up1 = (float(1.0 - np.exp(-g[f] * self.dt)) for f in (k.DEPTH_ONE, k.DEPTH_TWO))
        depth = np.array((g[k.SWITCH_TRIAL], g[k.SWITCH_INTEGRATED], 1.0))
        self.leaving = (t[:, k.SWITCHING_COST] * t[:, k.BUDGET] / t[:, k.PRICE_TASTE])[:, None] * depth
        self.lever, self.shaken = np.zeros(5), 0.0
        self.cells = k._room(v, t, market.chi, market.eco)
        self.filled = (np.zeros((T, J)), np.zeros((T, k.L * J)), np.zeros(T), np.zeros(T),
                       np.zeros((T, k.L * J + 1)))  # fmt: skip

    def merging(self) -> tuple[int, int] | None:
        """(into, from) when two vendors merge in the step that begins now."""
        k, g, now = self.k, self.g, self.steps * self.dt
        if not (g[k.MERGE_MONTH] > 0.0 and now <= g[k.MERGE_MONTH] < now + self.dt):
            return None
        a, b = int(g[k.MERGE_INTO]), int(g[k.MERGE_FROM])
        stands = [
            self.s[j, k.STATUS] == k.ACTIVE
            or (self.s[j, k.STATUS] == k.WAITING and self.v[j, k.V_ENTERS] <= now + 1e-9)
            for j in (a, b)
        ]
        return (a, b) if a != b and all(stands) else None

    def terms(self, draws: Array) -> Chances:
        """Vendors post their terms for this step; what the teams, standing as they do, then meet.

        draws [J, 3]: the step's luck. Teams of vendors that merge now must already stand where they go.
        """
        k, g, v, t, s, w = self.k, self.g, self.v, self.t, self.s, self.w
        T, _, J = self.m.shape
        chi, eco, script = self.market.chi, self.market.eco, self.market.script
        w[k.TIME] = self.steps * self.dt
        who, when = -1, 0.0
        if g[k.PEACE] > 0.0 and w[k.WAR] <= 0.0 and not self.still:
            who, when = k.opening(g, v, t, chi, eco, script, s, w, self.m, self.pool, self.bg, self.lic,
                                  self.fee, draws, self.dt)  # fmt: skip
        lev, c = k.levers(g, w), self.cells
        self.lever = lev
        self.shaken = shaken = k._happen(g, v, s, w, self.m, self.dt, self.events, self.count)
        k._produce(g, v, s, w, lev, self.dt)
        k._bind(v, s, lev)
        k._enter(t, self.m, self.pool, self.bg, c)
        k._arrive(g, J, c)
        k._stand(g, s, self.lic, lev, t, c)
        if g[k.CONTRACT] == 2.0:
            k._share(t, self.fee, c)
        for j in range(J):
            k._choose_by(v, s, w, j, c)
        if not self.still:
            k._reviews(g, v, script, s, w, lev, draws, self.dt, who, when, self.events, self.count, c)
        x, bonus = (k._spell(c, kind, T, J) for kind in (k.R_X, k.R_BONUS))
        self.x, active, outside = x, s[:, k.STATUS] == k.ACTIVE, float(np.exp(g[k.OUTSIDE]))
        flows = self.flows
        if shaken > 0.0:
            flows = flows.copy()
            flows[:, 0] += shaken * flows[:, 1]
            flows[:, 1] *= 1.0 - shaken
        self.kernel.chances(flows, x, bonus, active, self.m, self.pool, outside, self.dt, self.up0,
                            self.up1, *self.filled)  # fmt: skip
        return Chances(x, bonus, outside, *self.filled, self.die, self.up0, self.up1)

    def serve(self, m: Array, pool: Array, draws: Array, out: Out) -> Array:
        """Use of the teams as they have moved, bills, costs, training. Vendors gone with teams left [J] bool.

        Those teams stand in m still: the caller sends them on, and gives what comes of it to `close`.
        """
        k, g, s, w = self.k, self.g, self.s, self.w
        self.m, self.pool = m, pool
        self.bg *= self.grow
        k._enter(self.t, m, pool, self.bg, self.cells)
        k._consume(g, self.v, s, w, self.shaken, self.dt)
        ov, ot, ow = out
        self.whole, self.taken, self.using = k._serve_all(
            g, self.v, self.t, s, w, self.lic, self.fee, self.lever, draws, self.dt, ov, ow, self.events,
            self.count, self.cells,
        )  # fmt: skip
        k._book(self.cells, ot)
        gone = s[:, k.STATUS] == k.GONE
        if gone.any():
            gone &= m.sum(axis=(0, 1)) > 0.0
            joined = out[0][:, k.O_JOINED].copy()
            k._exit(g, self.t, s, m.copy(), pool.copy(), self.bg, self.x, self.lever, *out[:2])
            out[0][:, k.O_JOINED] = joined  # its expected arrivals; the drawn ones are the caller's to add
        return gone

    def close(self, m: Array, pool: Array, out: Out) -> None:
        """Compute suppliers, data holders and the regulator end the step."""
        k, g, t, s, w = self.k, self.g, self.t, self.s, self.w
        self.m, self.pool = m, pool
        k._supply(g, w, self.whole, self.taken, self.dt, out[2])
        if g[k.CONTRACT] > 0.0 and w[k.TIME] - w[k.LAST_CONTRACT] >= g[k.CONTRACT_INTERVAL]:
            w[k.LAST_CONTRACT] = w[k.TIME]
            k._bargain(g, self.v, t, s, w, m, self.x, self.bg, self.lic, self.fee, self.events, self.count)
        k._watch(g, t, s, w, m, self.bg, self.using, self.dt, self.events, self.count)
        self.steps += 1
        w[k.TIME] = self.steps * self.dt


class Buyers:
    """The agents: one array of bytes a type, and how many stand in each state, counts [T, 3 J + 2]."""

    def __init__(
        self, m: Array, pool: Array, teams_per_agent: float, seed: int, names: tuple[str, ...]
    ) -> None:
        from pricewar.market import individuals_kernel

        self.kernel = individuals_kernel
        T, L, J = m.shape
        if L * J + 2 > 256:
            raise ConfigurationError(f"{J} vendors are too many for individual buyers", remedy="at most 84")
        self.J, self.weight, self.key = J, teams_per_agent, (seed & 0xFFFFFFFF, seed >> 32)
        self.counts = np.zeros((T, L * J + 2), np.int64)
        self.states: list[Array] = []
        for i in range(T):
            wanted = np.append(m[i].ravel(), pool[i]) / teams_per_agent
            agents = round(wanted.sum())
            if agents == 0 and wanted.sum() > 0.0:
                raise ConfigurationError(
                    f"one agent for {teams_per_agent:g} teams leaves {wanted.sum():.2g} for {names[i]}",
                    remedy="lower teams_per_agent",
                )
            whole = np.floor(wanted + 1e-9).astype(np.int64)
            order = np.argsort(whole - wanted, kind="stable")
            whole[order[: max(agents - int(whole.sum()), 0)]] += 1
            self.counts[i, :-1] = whole
            self.states.append(np.repeat(np.arange(L * J + 1, dtype=np.uint8), whole))
        self.sizes = [len(a) for a in self.states]
        self.children: list[Array] = [np.empty(0, np.uint8) for _ in self.states]

    def __len__(self) -> int:
        """Agents that are not closed."""
        return int(self.counts[:, :-1].sum())

    def teams(self) -> tuple[Array, Array]:
        """Teams by type, depth and vendor [T, 3, J], and in the pool [T]."""
        T, n = len(self.states), 3 * self.J
        return self.counts[:, :n].reshape(T, 3, self.J) * self.weight, self.counts[:, n] * self.weight

    def merge(self, into: int, gone: int) -> None:
        """Teams of one vendor become another's at the depth they have."""
        for depth in range(3):
            a, b = depth * self.J + into, depth * self.J + gone
            for i, states in enumerate(self.states):
                states[: self.sizes[i]][states[: self.sizes[i]] == b] = a
            self.counts[:, a] += self.counts[:, b]
            self.counts[:, b] = 0

    def _room(self, i: int) -> None:
        """Room for as many children as there are agents; closed ones are dropped when that makes it."""
        size = self.sizes[i]
        if 2 * size <= len(self.states[i]) and len(self.children[i]) >= size:
            return
        states = self.states[i][:size]
        states = states[states <= 3 * self.J]
        self.sizes[i] = size = len(states)
        room = max(3 * size, 64)
        self.states[i] = np.full(room, 3 * self.J + 1, np.uint8)
        self.states[i][:size] = states
        self.children[i] = np.empty(room, np.uint8)

    def move(self, c: Chances, step: int, threads: int = 1) -> Array:
        """One step of every agent. Flows in agents [T, 6 J + 2]: left by state (3 J), came from another
        vendor (J), returned to the pool (1), adopted (J), founded (J), closed (1)."""
        J = self.J
        n = 3 * J
        flows = np.zeros((len(self.states), 6 * J + 2), np.int64)
        limit = np.zeros(256, np.uint32)
        for i, kind in enumerate(self.states):
            size = self.sizes[i]
            if size == 0:
                continue
            grows = c.birth[i] > 0.0
            if grows:
                self._room(i)
                size, kind = self.sizes[i], self.states[i]
            limit[: n + 1] = np.minimum(c.event[i] * 2.0**32, 2.0**32 - 1.0)
            parts = threads if size >= PARALLEL else 1
            rows = np.zeros((parts, 9 * J + 3), np.int64)
            born = np.zeros(-(-size // self.kernel.CHUNK), np.int64)
            work = self.kernel.together if parts > 1 else self.kernel.alone
            work(kind, size, *self.key, step, i, c.x[i, 0], c.others[i], c.leave[i], c.event[i], c.birth[i],
                 c.die[i], c.up0, c.up1, limit, rows, self.children[i], born)  # fmt: skip
            row = rows.sum(axis=0)
            flows[i, :-1], flows[i, -1] = row[: 6 * J + 1], row[-1]
            self.counts[i] += row[6 * J + 1 :]
            if grows:
                self.sizes[i] = self.kernel.settle(kind, size, self.children[i], born)
        return flows

    def force(self, c: Chances, gone: Array, active: Array, step: int) -> Array:
        """Teams of the vendors that are gone [J] choose anew; how many joined whom [T, J]."""
        joined = np.zeros((len(self.states), self.J), np.int64)
        for i, kind in enumerate(self.states):
            self.kernel.forced(kind, self.sizes[i], *self.key, step, i, c.x[i, 0], c.outside, gone, active,
                               joined[i], self.counts[i])  # fmt: skip
        return joined


def simulate_individuals(
    market: Market,
    seeds: Iterable[int] = range(1),
    *,
    teams_per_agent: float = 1.0,
    vendor_seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Run:
    """Run one member per seed with individual buyers; the result reads as that of `simulate`.

    Args:
        market: as for `simulate`. An agent stands for `teams_per_agent` teams; members start from one count.
        vendor_seed: draw the vendors' luck and the uncertain parameters of every member from this seed, so
            that members differ by their buyers alone; default each from its own seed, as `simulate` does.
        threads: cores for the agents of large types, default all; results do not depend on it.
        progress: called with (months done, months in all).

    Raises:
        ConfigurationError: parameters that the model, or individual buyers, cannot take.
    """
    from pricewar.market import kernel as k

    seeds = tuple(seeds)
    check(market)
    if not teams_per_agent > 0.0:
        raise ConfigurationError(f"teams_per_agent is {teams_per_agent:g}", remedy="give a number above 0")
    bad = [seed for seed in seeds if not 0 <= seed < 2**64]
    if bad:
        raise ConfigurationError(f"{bad[0]} is no seed", remedy="give whole numbers from 0 to 2⁶⁴ − 1")
    if threads is None:
        import numba

        threads = numba.get_num_threads()
    N, M, T, J = len(seeds), market.months, len(market.types), len(market.vendors)
    ov, ot = np.zeros((N, M, J, len(k.VENDOR_SERIES))), np.zeros((N, M, T, len(k.TYPE_SERIES)))
    om, ow = np.zeros((N, M, T, J)), np.zeros((N, M, len(k.WORLD_SERIES)))
    events = []
    for n, seed in enumerate(seeds):
        source = [seed if vendor_seed is None else vendor_seed]
        g, v, t = (a[0] for a in market.members(source))
        founding = g[k.EXPANSION_CONTESTABLE] * t[:, k.GROWTH] / market.per_month
        for i in np.flatnonzero((founding < 0.0) | (founding > 1.0)):
            raise ConfigurationError(
                f"growth {t[i, k.GROWTH]:g} makes {founding[i]:g} new teams of one in a step",
                where=f"{market.name}, type {market.types[i]}",
                remedy="give growth of 0 or more, more steps in a month, or expansion_contestable 0",
            )
        luck = market.luck(source)[0]
        supply = Supply(market, g, v, t, luck[0])
        buyers = Buyers(supply.m, supply.pool, teams_per_agent, seed, market.types)
        supply.m, supply.pool = buyers.teams()
        for month in range(M):
            out = ov[n, month], ot[n, month], ow[n, month]
            for _ in range(market.per_month):
                _step(supply, buyers, luck[supply.steps], out, threads)
            k.stocks(g, v, supply.s, supply.w, supply.m, supply.pool, *out[:2], om[n, month], out[2])
            if progress:
                progress(n * M + month + 1, N * M)
        events.append(supply.events[: min(int(supply.count[0]), EVENT_ROWS)])
    return Run(
        market=market,
        seeds=seeds,
        vendor={name: ov[..., c] for c, name in enumerate(k.VENDOR_SERIES)},
        type={name: ot[..., c] for c, name in enumerate(k.TYPE_SERIES)},
        world={name: ow[..., c] for c, name in enumerate(k.WORLD_SERIES)},
        teams=om,
        events=tuple(events),
    )


def _step(supply: Supply, buyers: Buyers, draws: Array, out: Out, threads: int) -> None:
    """One step of vendors and agents; flows are added to out."""
    k, W = supply.k, buyers.weight
    merging = supply.merging()
    if merging:
        buyers.merge(*merging)
        supply.m, supply.pool = buyers.teams()
    step = supply.steps
    chances = supply.terms(draws)
    flows = buyers.move(chances, step, threads)
    cost = supply.leaving * (supply.bg * (1.0 - supply.lever[0]))[:, None]
    supply.kernel.book(flows, W, cost, *out[:2], k.O_LEFT, k.O_JOINED, k.Y_SWITCHING, k.Y_ENTERED, k.Y_MOVED,
                       k.Y_CLOSED)  # fmt: skip
    m, pool = buyers.teams()
    gone = supply.serve(m, pool, draws, out)
    if gone.any():
        active = supply.s[:, k.STATUS] == k.ACTIVE
        out[0][:, k.O_JOINED] += buyers.force(chances, gone, active, step).sum(axis=0) * W
        m, pool = buyers.teams()
    supply.close(m, pool, out)
