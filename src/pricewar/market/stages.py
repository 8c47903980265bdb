"""The five stages of a subsidy war, told apart from observable series by a written rule.

Launch, promotion, subsidy war, consolidation, harvest. The rule sees what an outsider could see each month:
prices per vendor and tier, unit costs (or a proxy, or a disclosed margin), allowances, volumes or shares, who
is in the market. It never sees what a vendor intends, so it dates history and simulation alike.

Per vendor, tier and month: subsidy rate s = 1 − price/cost, the share of the cost of serving that the buyer
does not pay (a price of 0 makes s = 1 whatever the cost is; s < 0 is a margin); r = 1 − s = price/cost.

1. A vendor **sells below cost** once s ≥ `below` in some tier, until s < `stop` in every tier. Where no
   cost is known, while the price is at most 1 − `deep` of its highest in the last `look_back` months: a price
   halved within a year outruns a usual fall of costs. A verdict by price alone is marked *not sure*.
2. A **war** is on when at least `vendors` of them sell below cost, one of them at least by cost and not by
   price alone, and these are at least `breadth` of those about whom something is known. One vendor below
   cost, or halved prices with no cost known, are a promotion.
3. A **promotion** is on from the first month in which a vendor has an allowance, sells below cost alone, or
   has r (or, with no cost known, its price) at least `cut` below its highest in the last `look_back` months.
   Before it is **launch**. A promotion ends in a war or not at all.
4. After a war: **harvest** when at least `breadth` of those who sold below cost in it, and are still there,
   have recovered, else **consolidation**. A vendor has recovered when it no longer sells below cost and, in
   at least half of its tiers, r is `rise` above its low since the war began and at least 1 + `margin` (with
   no cost known: the price is `rise` above its low); or its allowance is at most half of the largest it had.
   Once in harvest, half of `rise` and of `margin` will do.
5. A stage begins with the first of `hold` consecutive months on which its condition holds. A war can reopen;
   the order is then violated, and said. A figure missing for up to `bridge` months stands as last seen; after
   that it is unknown, which is neither zero nor evidence.

A vendor's own stages (its ribbon) follow from the same conditions: war while it and a rival sell below cost,
harvest when it has recovered since the market's war began, consolidation between the two, even where it is
the last to sell below cost.

`hold` and hysteresis are those of business-cycle dating, where a phase must last before it is called one (Bry
and Boschan 1971; Harding and Pagan 2002). Cost means average variable cost, the standard of Areeda and Turner
(1975). The remark on concentration uses the US Merger Guidelines of 2023: HHI above 1,800, a rise above 100.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricewar.errors import ConfigurationError
from pricewar.market.observables import (
    TOLERANCE,
    Series,
    carried,
    present,
    rolling_max,
    series_of,
    subsidy_rate,
)

__all__ = ["STAGES", "Rule", "Series", "Spell", "Stages", "series_of", "stages"]

STAGES = ("launch", "promotion", "war", "consolidation", "harvest")
LAUNCH, PROMOTION, WAR, CONSOLIDATION, HARVEST = range(5)
UNKNOWN, OUT = -1, -2
"""Codes beside the five stages: nothing known; the vendor is not in the market."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Rule:
    """The thresholds. Their reasons stand with each."""

    below: float = 0.10  # costs are rarely known to better than 10%
    stop: float = 0.05  # half of it, so that a war does not flicker at the threshold
    deep: float = 0.50  # costs of computing have halved in two to three years, not in one
    cut: float = 0.10  # a smaller cut is within the usual dispersion of discounts
    rise: float = 0.10  # the same, upwards
    margin: float = 0.10  # a price at cost recoups nothing; below 10% it is within the error of cost
    vendors: int = 2  # it takes two
    breadth: float = 0.5  # and half of those who are seen
    hold: int = 2  # months: one could be a festival
    bridge: int = 3  # months: companies report by quarter
    look_back: int = 12  # months: list prices were revised about once a year

    def __post_init__(self) -> None:
        shares = ("below", "stop", "deep", "cut", "rise", "margin", "breadth")
        bad = [name for name in shares if not 0 < getattr(self, name) <= 1]
        bad += [n for n in ("vendors", "hold", "look_back") if getattr(self, n) < 1]
        if self.bridge < 0:
            bad.append("bridge")
        if bad:
            raise ConfigurationError(
                f"a threshold of the stage rule is out of range: {', '.join(bad)}",
                remedy="shares lie in (0, 1], months and vendors are at least 1",
            )
        if self.stop > self.below:
            raise ConfigurationError(
                "the stage rule would end a war before it began it: stop > below", remedy="lower `stop`"
            )


@dataclass(frozen=True)
class Spell:
    """One stage from `begins` until before `ends` (exclusive). `sure` is false where a verdict on which it
    rests went by price alone, or could turn with a vendor about whom nothing is known."""

    stage: str
    begins: str
    ends: str
    why: str
    sure: bool


@dataclass(frozen=True)
class Stages:
    """What the rule says.

    Attributes:
        market: int8 [M], code of `STAGES`, or `UNKNOWN`. vendor: int8 [M, J], also `OUT`.
        below: bool [M, J], sells below cost. hhi: [M], 0 to 1, NaN where a share is unknown.
        spells: the market's; ribbons: each vendor's. notes: what a reader must know, in words.
    """

    months: Array
    vendors: tuple[str, ...]
    market: Array
    vendor: Array
    below: Array
    hhi: Array
    spells: tuple[Spell, ...]
    ribbons: tuple[tuple[Spell, ...], ...]
    notes: tuple[str, ...]
    rule: Rule

    def begins(self, stage: str, vendor: str | None = None) -> list[str]:
        """Every month (ISO) in which `stage` begins, for the market or one vendor."""
        spells = self.spells if vendor is None else self.ribbons[self.vendors.index(vendor)]
        return [spell.begins for spell in spells if spell.stage == stage]

    def document(self) -> dict[str, Any]:
        """Plain data for JSON: no arrays."""
        return {
            "months": [str(m) for m in self.months],
            "market": [_name(c) for c in self.market],
            "spells": [asdict(s) for s in self.spells],
            "vendors": {
                v: [asdict(s) for s in ribbon] for v, ribbon in zip(self.vendors, self.ribbons, strict=True)
            },
            "hhi": [None if math.isnan(x) else round(float(x), 4) for x in self.hhi],
            "notes": list(self.notes),
            "rule": asdict(self.rule),
        }


def stages(series: Series, rule: Rule | None = None) -> Stages:
    """Date the stages of `series` by `rule`, the default rule if left out. The module says it in words."""
    rule = rule or Rule()
    seen = Seen(series, rule)
    M, J = len(series.months), len(series.vendors)
    market, anchor, pending = _walk(M, seen.market_candidate, rule.hold)
    ribbon = np.empty((M, J), dtype=np.int8)
    for j in range(J):
        ribbon[:, j], _, _ = _walk(M, seen.vendor_candidate(j, anchor), rule.hold)
    spells = tuple(_spells(series.months, market, lambda t, c: seen.market_reason(t, c, anchor[t])))
    ribbons = tuple(
        tuple(_spells(series.months, ribbon[:, j], lambda t, c, j=j: seen.vendor_reason(t, j, c)))
        for j in range(J)
    )
    hhi = seen.hhi()
    return Stages(
        series.months,
        series.vendors,
        market,
        ribbon,
        seen.below == 1,
        hhi,
        spells,
        ribbons,
        tuple(_notes(series, spells, market, hhi, pending, seen)),
        rule,
    )


class Seen:
    """The conditions of the rule, month by month. Verdicts are 1 yes, 0 no, NaN unknown."""

    def __init__(self, series: Series, rule: Rule) -> None:
        self.series, self.rule = series, rule
        self.M, self.J, self.K = series.price.shape
        price = carried(series.price, rule.bridge)
        s = carried(subsidy_rate(series), rule.bridge)
        self.price, self.ratio = price, 1 - s
        self.allowance = carried(series.allowance, rule.bridge)
        self.active = present(series, rule.bridge)
        self._recovered: dict[tuple[int, bool], Array] = {}
        self._below(s)
        self._cut()

    def _below(self, s: Array) -> None:
        """`below` [M, J], and whether it went by price alone."""
        rule, M = self.rule, self.M
        tier = np.full(s.shape, np.nan)
        peak = rolling_max(self.price, rule.look_back)
        state = np.zeros(s.shape[1:], dtype=bool)
        for t in range(M):
            by_cost = np.where(state, s[t] >= rule.stop - TOLERANCE, s[t] >= rule.below - TOLERANCE)
            by_price = self.price[t] <= (1 - rule.deep) * peak[t] * (1 + TOLERANCE)
            told = ~np.isnan(s[t])
            priced = ~np.isnan(self.price[t])
            verdict = np.where(told, by_cost, np.where(priced, by_price, np.nan))
            state = np.where(np.isnan(verdict), state, verdict == 1)
            tier[t] = verdict
        alone = np.isnan(s) & ~np.isnan(tier)
        yes = (tier == 1).any(2)
        self.below = np.where(np.isnan(tier).all(2), np.nan, yes).astype(float)
        self.below[~self.active] = np.nan
        # Sure is what some tier's cost says; a yes by cost outweighs a doubt elsewhere.
        by_cost_yes = ((tier == 1) & ~alone).any(2)
        self.alone = np.where(yes, ~by_cost_yes, (alone | np.isnan(tier)).any(2))

    def _cut(self) -> None:
        peak_r, peak_p = (rolling_max(x, self.rule.look_back) for x in (self.ratio, self.price))
        by = np.where(
            np.isnan(self.ratio),
            self.price <= (1 - self.rule.cut) * peak_p * (1 + TOLERANCE),
            self.ratio <= (1 - self.rule.cut) * peak_r * (1 + TOLERANCE),
        ).astype(bool)
        self.cut = (by & (peak_p > 0)) | (by & ~np.isnan(self.ratio) & (peak_r > 0))
        self.promoting = self.cut.any(2) | (self.allowance > 0) | (self.below == 1)

    def recovered(self, start: int, t: int, loose: bool) -> Array:
        """[J]: 1 where a vendor has recovered at t since `start`, NaN where nothing is known."""
        key = (start, loose)
        if key not in self._recovered:
            self._recovered[key] = self._recoveries(start, loose)
        return self._recovered[key][t - start]

    def _recoveries(self, start: int, loose: bool) -> Array:
        """[M − start, J]: `recovered` of every month from `start`."""
        share = 0.5 if loose else 1.0
        rise, margin = 1 + share * self.rule.rise, 1 + share * self.rule.margin
        r, p, free = self.ratio[start:], self.price[start:], self.allowance[start:]
        low_r, low_p, once = (
            f.accumulate(x, axis=0) for f, x in ((np.fmin, r), (np.fmin, p), (np.fmax, free))
        )
        by_cost = (r >= rise * low_r * (1 - TOLERANCE)) & (r >= margin * (1 - TOLERANCE))
        by_price = (p >= rise * low_p * (1 - TOLERANCE)) & (p > 0)
        tier = np.where(~np.isnan(r), by_cost, np.where(~np.isnan(p), by_price, np.nan))
        known = ~np.isnan(tier)
        dearer = (tier == 1).sum(2) * 2 >= np.maximum(known.sum(2), 1)
        withdrawn = (once > 0) & (free <= once / 2 * (1 + TOLERANCE))
        verdict = (dearer | withdrawn) & (self.below[start:] != 1)
        told = known.any(2) | ~np.isnan(free)
        return np.where(told & self.active[start:], verdict, np.nan)

    def fought(self, start: int, t: int, loose: bool) -> Array:
        """`recovered` for those who sold below cost since `start`; for all where none of them is left."""
        verdict = self.recovered(start, t, loose)
        fighters = (self.below[start : t + 1] == 1).any(0)
        return np.where(fighters, verdict, np.nan) if (fighters & self.active[t]).any() else verdict

    def vote(self, t: int) -> tuple[int, int, int]:
        """How many vendors in the market sell below cost, do not, are unknown."""
        here = self.active[t]
        yes, no = int((self.below[t] == 1).sum()), int((self.below[t] == 0).sum())
        return yes, no, int(here.sum()) - yes - no

    def war(self, t: int) -> bool | None:
        """Whether condition 2 holds; None where nothing is known of anybody."""
        yes, no, _ = self.vote(t)
        if yes + no == 0:
            return None
        return bool(
            yes >= self.rule.vendors
            and yes >= self.rule.breadth * (yes + no) - TOLERANCE
            and ((self.below[t] == 1) & ~self.alone[t]).any()
        )

    def market_candidate(self, t: int, state: int, start: int) -> int:
        war = self.war(t)
        if war:
            return WAR
        if start < 0:
            if self.promoting[t][self.active[t]].any() or state == PROMOTION:
                return PROMOTION
            return LAUNCH if self.active[t].any() else UNKNOWN
        if war is None:
            return UNKNOWN
        verdict = self.fought(start, t, state == HARVEST)
        yes, told = int((verdict == 1).sum()), int((~np.isnan(verdict)).sum())
        return HARVEST if yes and yes >= self.rule.breadth * told - TOLERANCE else CONSOLIDATION

    def vendor_candidate(self, j: int, anchor: Array) -> Callable[[int, int, int], int]:
        def candidate(t: int, state: int, start: int) -> int:
            if not self.active[t, j]:
                return OUT
            below = self.below[t, j]
            if below == 1:
                firm = (self.below[t] == 1) & ~self.alone[t]
                if (self.below[t] == 1).sum() >= self.rule.vendors and firm.any():
                    return WAR
                return CONSOLIDATION if start >= 0 else PROMOTION
            began = int(anchor[t])
            if began >= 0:
                verdict = self.recovered(began, t, state == HARVEST)[j]
                if verdict == 1:
                    return HARVEST
                if start >= 0:
                    return UNKNOWN if math.isnan(below) else CONSOLIDATION
            if self.promoting[t, j] or state in (PROMOTION, HARVEST):
                return PROMOTION
            return LAUNCH

        return candidate

    def market_reason(self, t: int, code: int, start: int) -> tuple[str, bool]:
        rule, names = self.rule, self.series.vendors
        yes, no, unknown = self.vote(t)
        here = self.active[t]
        doubt = bool((self.alone[t] & here & ~np.isnan(self.below[t])).any())
        tail = f"; {unknown} unknown" if unknown else ""
        if code == WAR:
            who = ", ".join(n for n, b in zip(names, self.below[t], strict=True) if b == 1)
            firm = int(((self.below[t] == 1) & ~self.alone[t]).sum())
            sure = firm >= rule.vendors and firm >= rule.breadth * (yes + no + unknown) - TOLERANCE
            how = "" if sure else f", {yes - firm} of them by price alone" if yes > firm else ""
            why = f"{yes} of {yes + no} vendors seen sell at least {rule.below:.0%} below cost"
            why += f"{how} ({who}){tail}"
            return why, sure
        if code in (CONSOLIDATION, HARVEST):
            verdict = self.fought(start, t, loose=False)
            up, told = int((verdict == 1).sum()), int((~np.isnan(verdict)).sum())
            why = f"{yes} of {yes + no} still sell below cost; {up} of {told} who did have recovered"
            who = ", ".join(n for n, v in zip(names, verdict, strict=True) if v == 1)
            return why + (f" ({who})" if who else "") + tail, not doubt and not unknown
        if code == PROMOTION:
            who = ", ".join(n for n, p, a in zip(names, self.promoting[t], here, strict=True) if p and a)
            return (
                f"a cut of at least {rule.cut:.0%}, an allowance, or one vendor below cost ({who}){tail}",
                not doubt,
            )
        if code == LAUNCH:
            return (
                f"{int(here.sum())} in the market; no cut, no allowance, nobody below cost as far as known",
                not unknown and not doubt,
            )
        return "nothing is known", False

    def vendor_reason(self, t: int, j: int, code: int) -> tuple[str, bool]:
        sure = not (self.alone[t, j] and not math.isnan(self.below[t, j]))
        r = self.ratio[t, j]
        if code == OUT:
            return "not in the market", True
        if code == UNKNOWN:
            return "nothing is known", False
        told = [
            f"{k} price/cost {x:.2f}" for k, x in zip(self.series.tiers, r, strict=True) if not math.isnan(x)
        ]
        told += [
            f"{k} price {p:g}"
            for k, p, x in zip(self.series.tiers, self.price[t, j], r, strict=True)
            if math.isnan(x) and not math.isnan(p)
        ]
        return ", ".join(told) or "in the market", sure

    def hhi(self) -> Array:
        """[M]: sum of squared shares among vendors in the market, where every share is known."""
        size = np.where(np.isnan(self.series.volume), self.series.share, self.series.volume)
        size = np.where(self.active, carried(size, self.rule.bridge), 0.0)
        total = size.sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = ((size / total[:, None]) ** 2).sum(1)
        return np.where(total > 0, squares, np.nan)


def _walk(M: int, candidate: Callable[[int, int, int], int], hold: int) -> tuple[Array, Array, bool]:
    """Codes [M]; the month in which the last war up to each month began [M], -1 for none; whether a change
    was pending at the end. A change is taken back to the first of the `hold` months that confirmed it."""
    code = np.full(M, UNKNOWN, dtype=np.int8)
    anchor = np.full(M, -1, dtype=int)
    state, start, wanted, since = UNKNOWN, -1, UNKNOWN, 0
    for t in range(M):
        c = candidate(t, state, start)
        if c in (UNKNOWN, OUT) or state in (UNKNOWN, OUT):
            # To leave the market, or to be seen for the first time, needs no confirmation.
            if c == WAR:
                start = t
            code[t], wanted = c, UNKNOWN
            if c != UNKNOWN:
                state = c
        elif c == state:
            code[t], wanted = c, UNKNOWN
        else:
            if state == WAR and {c, wanted} <= {CONSOLIDATION, HARVEST}:
                wanted = min(c, wanted)  # the war is over either way; a harvest must hold for itself
            elif c != wanted:
                wanted, since = c, t
            code[t] = state
            if t - since + 1 >= hold:
                state, wanted = wanted, UNKNOWN
                code[since : t + 1] = state
                if state == WAR:
                    start = since
                    anchor[since:t] = since
        anchor[t] = start
    return code, anchor, wanted != UNKNOWN


def _spells(months: Array, code: Array, reason: Callable[[int, int], tuple[str, bool]]) -> Iterable[Spell]:
    edges = np.flatnonzero(np.diff(code)) + 1
    bounds = [0, *edges.tolist(), len(code)]
    for a, b in pairwise(bounds):
        why, sure = reason(a, int(code[a]))
        yield Spell(_name(code[a]), str(months[a]), str(months[b - 1] + 1), why, sure)


def _notes(
    series: Series, spells: Sequence[Spell], market: Array, hhi: Array, pending: bool, seen: Seen
) -> Iterable[str]:
    wars = [s for s in spells if s.stage == "war"]
    order = [STAGES.index(s.stage) for s in spells if s.stage in STAGES]
    if len(wars) > 1:
        yield f"the war reopened: it begins in {', '.join(s.begins for s in wars)}"
    elif any(b < a for a, b in pairwise(order)):
        yield "the stages do not stand in their usual order"
    if not wars:
        yield "no subsidy war in these months"
    elif market[-1] == WAR:
        yield "the war is not over at the end of the record"
    if pending:
        yield "the last month points to another stage, which one month cannot confirm"
    for j, name in enumerate(series.vendors):
        gone = np.flatnonzero(np.diff(seen.active[:, j].astype(int)))
        for t in gone:
            yield f"{name} {'enters' if seen.active[t + 1, j] else 'leaves'} in {series.months[t + 1]}"
    known = np.flatnonzero(~np.isnan(hhi))
    if len(known) > 1 and hhi[known[-1]] >= 0.18 and hhi[known[-1]] - hhi[known[0]] > 0.01:
        yield f"concentration (HHI, 0 to 1) rose from {hhi[known[0]]:.2f} to {hhi[known[-1]]:.2f}"
    doubtful = [s for s in spells if not s.sure and s.stage in STAGES]
    if doubtful:
        yield "not sure: " + ", ".join(f"{s.stage} from {s.begins}" for s in doubtful)


def _name(code: Any) -> str:
    return {UNKNOWN: "unknown", OUT: "out"}.get(int(code)) or STAGES[int(code)]
