"""The stages of many members at once: `stages.stages` for an ensemble, codes alone.

The rule and its conditions are those of `stages`, which says them in words; here its walk goes through the
months for all members together, a hundred times as fast. A test holds the one against the other, member by
member.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pricewar.market.observables import TOLERANCE, Series
from pricewar.market.stages import (
    CONSOLIDATION,
    HARVEST,
    LAUNCH,
    OUT,
    PROMOTION,
    UNKNOWN,
    WAR,
    Array,
    Rule,
    Seen,
)

NOTHING = -1
"""Of a war: nothing is known of anybody."""


def codes(series: Series, members: int, rule: Rule | None = None) -> tuple[Array, Array, Array]:
    """Codes of the market [N, M], of its vendors [N, M, J], and whether these sell below cost [N, M, J].

    Args:
        series: every vendor of every member as a vendor of one market: J × N of them, a vendor's members
            one after the other.
    """
    rule = rule or Rule()
    many = _Many(Seen(series, rule), members)
    market, anchor = _walk((members,), many.M, many.market_candidate, rule.hold)
    many.anchored(anchor)
    vendor, _ = _walk((many.J, members), many.M, many.vendor_candidate, rule.hold)
    return market.T, vendor.transpose(2, 0, 1), many.selling.transpose(2, 0, 1)


class _Many:
    """The conditions of the rule for N members; months first, members last: [M, J, N] and [M, K, J, N]."""

    def __init__(self, seen: Seen, members: int) -> None:
        self.rule = seen.rule
        self.M, _, K = seen.price.shape
        self.N, self.J = members, seen.J // members
        shape = (self.M, self.J, members)
        self.below, self.alone, self.active, self.promoting, self.allowance = (
            np.asarray(a).reshape(shape)
            for a in (seen.below, seen.alone, seen.active, seen.promoting, seen.allowance)
        )
        self.ratio, self.price = (
            np.ascontiguousarray(np.moveaxis(a, 2, 1)).reshape(self.M, K, self.J, members)
            for a in (seen.ratio, seen.price)
        )
        self.selling = self.below == 1
        yes, no = self.selling.sum(1), np.asarray(self.below == 0).sum(1)
        self.firm = (self.selling & ~self.alone).any(1)
        self.enough = np.asarray(yes >= self.rule.vendors)
        on = self.enough & (yes >= self.rule.breadth * (yes + no) - TOLERANCE) & self.firm
        self.war = np.where(yes + no == 0, NOTHING, on.astype(int))
        self.somebody = np.asarray(self.active.any(1))
        self.tempting = np.asarray((self.promoting & self.active).any(1))
        self._since = np.full(members, -1)
        self._low: list[Array] = []
        self._fought = np.zeros((self.J, members), dtype=bool)

    def market_candidate(self, t: int, state: Array, start: Array) -> Array:
        self._follow(t, start)
        peace = np.where(
            self.tempting[t] | (state == PROMOTION), PROMOTION, np.where(self.somebody[t], LAUNCH, UNKNOWN)
        )
        fought = (start >= 0) & (self.war[t] == 0)
        after = self._after(t, state == HARVEST) if fought.any() else UNKNOWN
        return np.where(
            self.war[t] == 1, WAR, np.where(start < 0, peace, np.where(fought, after, UNKNOWN))
        )  # fmt: skip

    def _after(self, t: int, loose: Array) -> Array:
        """Harvest or consolidation, by those who sold below cost since the war began."""
        up, told = self._recovered(t, self._low, loose)
        fighting = (self._fought & self.active[t]).any(0)
        counts = self._fought | ~fighting
        yes, known = (up & counts).sum(0), (told & counts).sum(0)
        return np.where((yes > 0) & (yes >= self.rule.breadth * known - TOLERANCE), HARVEST, CONSOLIDATION)

    def _follow(self, t: int, start: Array) -> None:
        """Keep, for each member, the lows since its war began and who sold below cost since then."""
        if not self._low:
            self._low = self._edge(t)
        else:
            self._low = self._further(self._low, t)
        self._fought = self._fought | self.selling[t]
        for since in np.unique(start[(start != self._since) & (start >= 0)]).tolist():
            new = (start == since) & (self._since != since)
            low, fought = self._edge(since), self.selling[since]
            for month in range(since + 1, t + 1):
                low, fought = self._further(low, month), fought | self.selling[month]
            for kept, again in zip(self._low, low, strict=True):
                kept[..., new] = again[..., new]
            self._fought[:, new] = fought[:, new]
        self._since = start.copy()

    def _edge(self, t: int) -> list[Array]:
        return [self.ratio[t].copy(), self.price[t].copy(), self.allowance[t].copy()]

    def _further(self, low: list[Array], t: int) -> list[Array]:
        r, p, once = low
        return [
            np.fmin(r, self.ratio[t]), np.fmin(p, self.price[t]), np.fmax(once, self.allowance[t])
        ]  # fmt: skip

    def _recovered(self, t: int, low: list[Array], loose: Array | bool) -> tuple[Array, Array]:
        """[J, N] each: whether a vendor has recovered at t, and whether anything is known of it."""
        low_r, low_p, once = low
        share = np.where(loose, 0.5, 1.0)
        rise, margin = (1 + share * x for x in (self.rule.rise, self.rule.margin))
        r, p, free = self.ratio[t], self.price[t], self.allowance[t]
        by_cost = (r >= rise * low_r * (1 - TOLERANCE)) & (r >= margin * (1 - TOLERANCE))
        by_price = (p >= rise * low_p * (1 - TOLERANCE)) & (p > 0)
        told_r, told_p = ~np.isnan(r), ~np.isnan(p)
        up = np.where(told_r, by_cost, told_p & by_price)
        known = told_r | told_p
        dearer = up.sum(0) * 2 >= np.maximum(known.sum(0), 1)
        withdrawn = (once > 0) & (free <= once / 2 * (1 + TOLERANCE))
        told = (known.any(0) | ~np.isnan(free)) & self.active[t]
        return told & (dearer | withdrawn) & ~self.selling[t], told

    def anchored(self, anchor: Array) -> None:
        """Judge every vendor since the month in which its market's last war began, [M, N]."""
        self.anchor = anchor
        low: list[Array] = []
        self.verdicts = []
        for t in range(self.M):
            edge = self._edge(t)
            if not low:
                low = edge
            else:
                begins = anchor[t] == t
                low = self._further(low, t)
                for kept, again in zip(low, edge, strict=True):
                    kept[..., begins] = again[..., begins]
            self.verdicts.append((self._recovered(t, low, False)[0], self._recovered(t, low, True)[0]))

    def vendor_candidate(self, t: int, state: Array, start: Array) -> Array:
        firm = self.enough[t] & self.firm[t]
        dear = np.where(firm, WAR, np.where(start >= 0, CONSOLIDATION, PROMOTION))
        tight, loose = self.verdicts[t]
        verdict = np.where(state == HARVEST, loose, tight)
        tempting = self.promoting[t] | (state == PROMOTION) | (state == HARVEST)
        plain = np.where(tempting, PROMOTION, LAUNCH)
        quiet = np.where(np.isnan(self.below[t]), UNKNOWN, CONSOLIDATION)
        past = np.where(verdict, HARVEST, np.where(start >= 0, quiet, plain))
        other = np.where(self.anchor[t] >= 0, past, plain)
        return np.where(self.active[t], np.where(self.selling[t], dear, other), OUT)


def _walk(
    shape: tuple[int, ...], M: int, candidate: Callable[[int, Array, Array], Array], hold: int
) -> tuple[Array, Array]:
    """`stages._walk` for many at once: codes [M, *shape] and the month in which the last war began."""
    code = np.full((M, *shape), UNKNOWN, dtype=np.int8)
    anchor = np.full((M, *shape), -1)
    state, wanted = (np.full(shape, UNKNOWN) for _ in range(2))
    start, since = (np.full(shape, -1) for _ in range(2))
    for t in range(M):
        c = candidate(t, state, start)
        at_once = (c < 0) | (state < 0)  # unknown or out, now or before
        same = ~at_once & (c == state)
        other = ~at_once & ~same
        start = np.where(at_once & (c == WAR), t, start)
        code[t] = np.where(other, state, c)
        over = other & (state == WAR) & _peaceful(c) & _peaceful(wanted)
        turned = other & ~over & (c != wanted)
        since = np.where(turned, t, since)
        wanted = np.where(over, np.minimum(c, wanted), np.where(other, c, UNKNOWN))
        state = np.where(at_once & (c != UNKNOWN), c, state)
        changes = other & (t - since + 1 >= hold)
        state = np.where(changes, wanted, state)
        wanted = np.where(changes, UNKNOWN, wanted)
        for first in np.unique(since[changes]).tolist():
            here = changes & (since == first)
            code[first : t + 1, here] = state[here]
            wars = here & (state == WAR)
            start = np.where(wars, first, start)
            anchor[first:t, wars] = first
        anchor[t] = start
    return code, anchor


def _peaceful(c: Array) -> Array:
    return (c == CONSOLIDATION) | (c == HARVEST)
