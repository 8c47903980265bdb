"""What an ensemble of a market did from one of its months on, relative to how it stood then.

Axes: member N, point K, vendor J, tier 2 (light, flagship). Point 0 is the first day; point i the middle of
the i-th month after it, as `contract.Futures` wants. A run keeps the state at the end of each month and the
day of each change of terms, so that a change counts for its month if it came in the first half; where changes
were more than are kept, in the month after. What follows costs (the fringe) is the geometric mean of both
ends.

    path      P[k] / P[0], the list price of the tier; once the vendor has left, of its heir
    industry  exp Σ w log(P[k] / P[0]) over the vendors inside, w their tokens of the tier in the last month
    frontier  least price at the capability of the median vendor of the first day, over the same on that day

The heir of a vendor taken over is who took it over; of one that failed, the cheapest of those at least as
good, else the best left. A list price under `FREE_BELOW` of the tier's long-run cost counts as free: no rise
can be told relative to it, so such a vendor's paid path is the industry's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricewar.errors import ConfigurationError
from pricewar.market import kernel as k
from pricewar.market.model import EVENT_ROWS, Run

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FREE_BELOW: Final = 0.05
"""Share of long-run cost below which a list price counts as free."""


@dataclass(frozen=True, eq=False)
class Paths:
    """A run between two of its months.

    Attributes:
        run, month0, months: the market's month that is month 0, and how many follow.
        price, cost [N, K, J, 2]; allowance, quality [N, K, J]; active [N, K, J]; K = months + 1. After a
            vendor has left, its last figures.
        absorbed [N, K, J]: it has been taken over.
    """

    run: Run
    month0: int
    months: int
    price: Floats
    cost: Floats
    allowance: Floats
    quality: Floats
    active: Flags
    absorbed: Flags

    @cached_property
    def g(self) -> Floats:
        """[N, ·] the members' parameters of the market."""
        return self.run.market.members(self.run.seeds)[0]

    @cached_property
    def fringe(self) -> Flags:
        """[J] the competitive fringe."""
        return np.asarray(self.run.market.v[:, k.V_CONDUCT] == k.FRINGE)

    @cached_property
    def usable(self) -> Flags:
        """[N, J, 2] whether a paid list price stood on the first day."""
        return self.active[:, 0, :, None] & (self.price[:, 0] > FREE_BELOW * self.cost[:, 0])

    @cached_property
    def effective(self) -> Floats:
        """[N, K, J, 2] list price, or the heir's."""
        now = np.where(self.active[..., None], self.price, np.nan)
        into = np.clip(self.g[:, k.MERGE_INTO].astype(int), 0, self.price.shape[2] - 1)
        taker = np.take_along_axis(self.price, into[:, None, None, None], axis=2)[:, :, 0]
        serves = np.take_along_axis(self.active, into[:, None, None], axis=2)[:, :, 0]
        best = np.where(self.active, self.quality, -np.inf).argmax(2)
        of_best = np.take_along_axis(self.price, best[:, :, None, None], axis=2)[:, :, 0]
        some: Flags = np.any(self.active, axis=2)
        out = np.empty_like(self.price)
        for j in range(self.price.shape[2]):
            alike = self.active & (self.quality >= self.quality[:, :, j : j + 1] - 1e-9)
            cheapest = np.where(alike[..., None], self.price, np.inf).min(2)
            heir = np.where(np.isfinite(cheapest), cheapest, of_best)
            heir = np.where((self.absorbed[:, :, j] & serves)[..., None], taker, heir)
            heir = np.where(some[..., None], heir, self.price[:, :, j])
            out[:, :, j] = np.where(np.isnan(now[:, :, j]), heir, now[:, :, j])
        return out

    @cached_property
    def industry(self) -> Floats:
        """[N, K, 2] mean path of the vendors inside."""
        inside = self.usable & ~self.fringe[:, None]
        at = max(self.month0 - 1, 0)
        v = self.run.vendor
        tokens = np.stack([v["tokens_light"][:, at], v["tokens_flagship"][:, at]], axis=2)
        weight = np.where(inside, tokens, 0.0)
        weight = np.where(weight.sum(1, keepdims=True) > 0, weight, inside)
        total = weight.sum(1, keepdims=True)
        weight = np.divide(weight, total, out=np.zeros(weight.shape), where=total > 0)
        paid = np.maximum(self.effective, FREE_BELOW * self.cost)
        ratio = paid / np.where(inside, self.price[:, 0], 1.0)[:, None]
        log = np.log(np.maximum(ratio, 1e-300))
        return np.exp(np.where(inside[:, None], weight[:, None] * log, 0.0).sum(2))

    @cached_property
    def path(self) -> Floats:
        """[N, K, J, 2] of what is paid at each vendor, relative to the first day."""
        ratio = self.effective / np.where(self.usable, self.price[:, 0], 1.0)[:, None]
        return np.where(self.usable[:, None], ratio, self.industry[:, :, None])

    @cached_property
    def rose(self) -> Flags:
        """[N, K, J, 2] whether the list price has risen from one point to the next so far."""
        up = np.zeros(self.price.shape, np.bool_)
        up[:, 1:] = self.price[:, 1:] > self.price[:, :-1] * (1 + 1e-9)
        up &= self.active[..., None] & ~self.fringe[:, None]
        return np.logical_or.accumulate(up, axis=1)

    @cached_property
    def replaced(self) -> Flags:
        """[N, K, J, 2] whether a dearer model has come in the place of the tier's: list prices rise with a
        new generation where the market says so (`rise_needs_successor`)."""
        return self.rose & self.usable[:, None] & (self.g[:, k.RISE_NEEDS_SUCCESSOR] > 0)[:, None, None, None]

    @cached_property
    def gives(self) -> Flags:
        """[N, J, 2] whether the vendor gave something free on the first day: an allowance, or the tier."""
        return self._free[:, 0]

    @cached_property
    def _free(self) -> Flags:
        listed = self.price <= FREE_BELOW * self.cost
        return (listed | (self.allowance > 0)[..., None]) & self.active[..., None]

    @cached_property
    def ended(self) -> Flags:
        """[N, K, J, 2] whether free terms have ended: when the vendor gives nothing free any more; where it
        gave nothing to begin with, at its first rise."""
        over = np.logical_or.accumulate(~self._free, axis=1)
        return np.where(self.gives[:, None], over, self.rose)

    @cached_property
    def amount(self) -> Floats:
        """[N, K, J, 2] factor on what is given free; 1 where the tier itself was free, or nothing was."""
        first = self.allowance[:, :1]
        ratio = self.allowance / np.where(first > 0, first, 1.0)
        ratio = np.where((first > 0) & (self.allowance > 0), ratio, 1.0)
        listed = self.price[:, :1] <= FREE_BELOW * self.cost[:, :1]
        return np.where(listed, 1.0, ratio[..., None])

    @cached_property
    def frontier(self) -> Floats:
        """[N, K, 2]; 1 while nobody serves."""
        gap = self.g[:, k.LIGHT_GAP][:, None, None]
        able = np.stack([self.quality - gap, self.quality], axis=3)
        able = np.where(self.active[..., None], able, -np.inf)
        paid = np.maximum(self.price, FREE_BELOW * self.cost)
        N, K = self.active.shape[:2]
        out = np.ones((N, K, 2))
        for tier in range(2):
            now = np.where(self.active[:, 0], able[:, 0, :, tier], np.nan)
            some: Flags = np.any(self.active[:, 0], axis=1)
            level = np.full(N, np.inf)
            level[some] = np.nanmedian(now[some], axis=1)
            best = np.where(able >= level[:, None, None, None] - 1e-9, paid, np.inf).min((2, 3))
            best = _carried(best, np.isfinite(best))
            out[:, :, tier] = np.where(some[:, None], best / np.where(some, best[:, 0], 1.0)[:, None], 1.0)
        return out

    @cached_property
    def cropped(self) -> float:
        """Share of the members with more events than are kept."""
        return float(np.mean([len(e) >= EVENT_ROWS for e in self.run.events]))


def paths(run: Run, month0: int, months: int) -> Paths:
    """What `run` did in the `months` months from `month0` on.

    Raises:
        ConfigurationError: the run does not reach so far, or the month is negative.
    """
    if month0 < 0 or month0 + months > run.market.months:
        raise ConfigurationError(
            f"months {month0} to {month0 + months} of a run of {run.market.months}",
            where=run.market.name,
            remedy="run the market for longer, or begin earlier",
        )
    _, v, _ = run.market.members(run.seeds)
    series = run.vendor

    def ends(name: str, first: Floats | None = None) -> Floats:
        """[N, months + 1, J] at the ends of months from the first day on."""
        a = series[name]
        if month0:
            return a[:, month0 - 1 : month0 + months]
        return np.concatenate([(a[:, 0] if first is None else first)[:, None], a[:, :months]], axis=1)

    there = ends("status", np.where(v[:, :, k.V_ENTERS] <= 0, float(k.ACTIVE), float(k.WAITING)))
    happened = _Changes.of(run, month0, months)
    price = np.stack(
        [ends("price_light", v[:, :, k.V_PRICE_LIGHT]), ends("price_flagship", v[:, :, k.V_PRICE_FLAGSHIP])],
        axis=3,
    )
    fringe = run.market.v[:, k.V_CONDUCT] == k.FRINGE
    cost = np.stack([ends("cost_light"), ends("cost_flagship")], axis=3)
    here = there == k.ACTIVE
    cost, quality = _carried(cost, here), _carried(ends("quality"), here)
    status = happened.status(there)
    active = status == k.ACTIVE
    return Paths(
        run=run,
        month0=month0,
        months=months,
        price=_carried(happened.prices(_carried(price, here), fringe), active),
        cost=_middles(cost),
        allowance=happened.allowances(ends("allowance", v[:, :, k.V_ALLOWANCE])),
        quality=_middles(quality),
        active=active,
        absorbed=status == k.ABSORBED,
    )


@dataclass(frozen=True, eq=False)
class _Changes:
    """Changes within the months looked at, one row each: member, month (from month0), vendor, kind, value,
    tier, and whether it came in the month's first half."""

    member: NDArray[np.int64]
    month: NDArray[np.int64]
    vendor: NDArray[np.int64]
    kind: NDArray[np.int64]
    value: Floats
    tier: NDArray[np.int64]
    early: Flags
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, run: Run, month0: int, months: int) -> _Changes:
        rows = np.concatenate([np.zeros((0, 5)), *run.events])
        member = np.repeat(np.arange(len(run.seeds)), [len(e) for e in run.events])
        time, kind = rows[:, 0], rows[:, 1].astype(int)
        # A vendor fails at the end of a step, all else happens from its beginning on.
        month = np.where(kind == k.EXIT, np.ceil(time - 1e-9) - 1, np.floor(time + 1e-9)).astype(int)
        keep = (month >= month0) & (month < month0 + months) & (rows[:, 2] >= 0)
        early = time <= month + 0.5 + 1e-9
        return cls(
            member[keep], month[keep] - month0, rows[keep, 2].astype(int), kind[keep], rows[keep, 3],
            rows[keep, 4].astype(int), early[keep], (len(run.seeds), months, len(run.market.vendors)),
        )  # fmt: skip

    def _at(self, *kinds: int) -> Flags:
        return np.isin(self.kind, kinds)

    def prices(self, ends: Floats, fringe: Flags) -> Floats:
        """[N, K, J, 2] at the points, from those at the months' ends."""
        begin, end = ends[:, :-1], ends[:, 1:]
        early, late, ratio = np.zeros(begin.shape), np.zeros(begin.shape), np.ones(begin.shape)
        moved = self._at(k.CUT, k.RAISED)
        for mask, count in ((moved & self.early, early), (moved & ~self.early, late)):
            np.add.at(count, self._where(mask), 1.0)
        mask = moved & self.early
        np.multiply.at(ratio, self._where(mask), self.value[mask])
        known = np.where(begin > 0, begin * ratio, end)  # what rose from nothing has no ratio
        middle = np.where(early == 0, begin, np.where(late == 0, end, known))
        middle[:, :, fringe] = np.sqrt(begin[:, :, fringe] * end[:, :, fringe])
        return np.concatenate([ends[:, :1], middle], axis=1)

    def _where(self, mask: Flags) -> tuple[NDArray[np.int64], ...]:
        return self.member[mask], self.month[mask], self.vendor[mask], self.tier[mask]

    def allowances(self, ends: Floats) -> Floats:
        """[N, K, J], the last one set in a month's first half, else as the month began."""
        middle = ends[:, :-1].copy()
        mask = self._at(k.FREE, k.UNFREE) & self.early
        middle[self.member[mask], self.month[mask], self.vendor[mask]] = self.value[mask]
        return np.concatenate([ends[:, :1], middle], axis=1)

    def status(self, ends: Floats) -> Floats:
        """[N, K, J]: as the month ended where the vendor came or went in its first half, else as it began."""
        changed = np.zeros(self.shape, np.bool_)
        mask = self._at(k.EXIT, k.MERGED, k.ENTRY) & self.early
        changed[self.member[mask], self.month[mask], self.vendor[mask]] = True
        middle = np.where(changed, ends[:, 1:], ends[:, :-1])
        return np.concatenate([ends[:, :1], middle], axis=1)


def _middles(ends: Floats) -> Floats:
    return np.concatenate([ends[:, :1], (ends[:, :-1] + ends[:, 1:]) / 2], axis=1)


def _carried(values: Floats, known: Flags) -> Floats:
    """Along axis 1, the last known value in place of unknown ones; before the first known, as given."""
    K = values.shape[1]
    place = np.arange(K).reshape(1, K, *(1,) * (known.ndim - 2))
    last = np.maximum.accumulate(np.where(known, place, -1), axis=1)
    at = np.where(last >= 0, last, place)
    return np.take_along_axis(values, at.reshape(at.shape + (1,) * (values.ndim - at.ndim)), axis=1)
