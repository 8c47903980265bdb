"""Plans held against what happened: their account, the plain strategies, and the clairvoyant's exact plan.

A plan names the offer of each month and, if ever, the month from which the team is portable. With c_m(o) what
month m cost on offer o, κ the cost of a move after τ months of use, and β a month's discount, it costs

    Σ_m β^m [ c_m(o_m) + κ(o_{m−1}, τ, o_m) 1[o_m ≠ o_{m−1}] + upkeep of being portable ] + joining + set-up.

The clairvoyant knows every c. Its plan is found by backward induction over (offer, months of use, portable or
not), which is exact:

    V_m(o, τ, p) = min over o′, p′ ≥ p of  c_m(o′) + κ_p′(o, τ, o′) + set-up 1[p′ > p] + β V_{m+1}(o′, τ′, p′)

Every strategy is an argument of that minimum, so none can cost less; `frictionless` drops κ, joining and
portability altogether, so nothing can cost less than it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pricewar.advice.strategies import Costs, Floats


@dataclass(frozen=True)
class Spent:
    """What a plan cost, discounted: use and refused work, moves (joining and portability among them); `moves`
    counted, joining apart."""

    use: float
    moving: float
    moves: int

    @property
    def total(self) -> float:
        return self.use + self.moving


def move_cost(costs: Costs, vendor: np.ndarray, o: int, tenure: int, to: int) -> float:
    """What a move from `o`, used for `tenure` months, to another offer costs."""
    t = min(tenure, costs.leave.shape[1] - 1)
    return float((costs.within if vendor[o] == vendor[to] else costs.leave)[o, t])


def account(
    path: Sequence[int],
    cost: Floats,
    vendor: np.ndarray,
    costs: Costs,
    portable: Costs,
    portable_from: int | None = None,
) -> Spent:
    """What the plan cost; infinite where it uses an offer that was not to be had."""
    use = moving = 0.0
    moves, tenure, now = 0, 0, -1
    for m, o in enumerate(path):
        ready = portable_from is not None and m >= portable_from
        c = portable if ready else costs
        due = portable.setup if m == portable_from else 0.0
        due += portable.upkeep if ready else 0.0
        if o != now:
            if now < 0:
                due += float(c.join[o])
            else:
                due += move_cost(c, vendor, now, tenure, o)
                moves += 1
            now, tenure = o, 0
        use += float(cost[m, o]) * costs.beta**m
        moving += due * costs.beta**m
        tenure += 1
    return Spent(use, moving, moves)


def clairvoyant(
    cost: Floats, vendor: np.ndarray, costs: Costs, portable: Costs
) -> tuple[float, list[int], int | None]:
    """The least cost of any plan, one plan that has it, and the month from which it is portable."""
    months, offers = cost.shape
    beta, regimes = costs.beta, (costs, portable)
    same = vendor[:, None] == vendor[None, :]
    tenure = np.arange(months + 1)
    value = np.zeros((2, offers, months + 1))  # regime before the month, offer, months of use by then
    after = value  # the same of the month that follows
    choices: list[tuple[np.ndarray, np.ndarray]] = []
    for m in range(months - 1, -1, -1):
        best = np.empty((2, offers, months + 1))  # by the regime of the month itself
        to = np.empty((2, offers, months + 1), dtype=np.int64)
        for p, c in enumerate(regimes):
            upkeep = portable.upkeep if p else 0.0
            t = np.minimum(tenure, c.leave.shape[1] - 1)
            new = cost[m] + beta * value[p, :, 1]  # of an offer moved to now
            ahead = value[p][:, np.minimum(tenure + 1, months)]
            stay = cost[m][:, None] + beta * ahead
            least, where = stay, np.repeat(np.arange(offers)[:, None], months + 1, axis=1)
            for mask, kappa in ((same & ~np.eye(offers, dtype=bool), c.within), (~same, c.leave)):
                there = np.where(mask, new[None, :], np.inf)
                p_to = there.argmin(axis=1)
                moved = there[np.arange(offers), p_to][:, None] + kappa[:, t]
                better = moved < least
                least, where = np.where(better, moved, least), np.where(better, p_to[:, None], where)
            best[p], to[p] = least + upkeep, where
        after = value
        turned = best[1] + portable.setup
        turn = turned < best[0]
        choices.append((to, turn))
        value = np.stack([np.where(turn, turned, best[0]), best[1]])
    choices.reverse()
    starts = []
    for p, c in enumerate(regimes):
        begin = portable.setup + portable.upkeep if p else 0.0
        starts.append(c.join + cost[0] + beta * after[p, :, 1] + begin)
    p = int(starts[1].min() < starts[0].min())
    now = int(starts[p].argmin())
    total, path, since, t = float(starts[p].min()), [now], 0 if p else None, 1
    for m in range(1, months):
        to, turn = choices[m]
        if p == 0 and turn[now, t]:
            p, since = 1, m
        nxt = int(to[p, now, t])
        t = t + 1 if nxt == now else 1
        now = nxt
        path.append(now)
    return total, path, since


def frictionless(cost: Floats, beta: float) -> float:
    """The cheapest offer of every month, if joining and moving cost nothing."""
    return float((cost.min(axis=1) * beta ** np.arange(len(cost))).sum())
