"""What a record says of a market's own war, counted in the market's days and months.

`Recorded` reads a record (`records.War`) from the market's first day on: list prices blended as the
definition blends them, who moved when, stages by the same rule. `beside` lays it next to a run, `history` is
the record alone, for whoever draws it over the model's paths.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pricewar.market.observables import series_of
from pricewar.market.outcomes import DAYS, TIERS
from pricewar.market.records import War
from pricewar.market.stages import STAGES, Stages, stages

if TYPE_CHECKING:
    from pricewar.market.definition import Definition
    from pricewar.market.model import Market

RECORDS = {"china-2024": "china-llm-2024"}
"""The record of each bundled market's own war, where there is one."""


class Recorded:
    """A record beside a market.

    Args:
        names: the record's name of each of the market's vendors, for those it knows.
        output_share: weight of the output price in a blended price.
    """

    def __init__(self, market: Market, war: War, names: Mapping[str, str], output_share: float) -> None:
        self.war, self.names, self.w = war, names, output_share
        self.vendors, self.start = market.vendors, market.start

    def day(self, text: str) -> int:
        """Days from the market's start."""
        return (date.fromisoformat(text) - self.start).days

    def followed(self) -> dict[str, int]:
        """Days after the start on which history's vendors moved, the opener's among them."""
        found: dict[str, int] = {}
        for event in self.war.events:
            if event.kind == "order" and len(event.on) == 10:
                for vendor in event.vendors:
                    found.setdefault(vendor, self.day(event.on))
        return found

    def listed(self, vendor: str, tier: str, on: date) -> tuple[float, float] | None:
        """History's list price (low, high) on a day, blended where both sides are known."""
        sides: dict[str, tuple[float, float]] = {}
        for what in ("price", "price_out"):
            held = [
                f
                for f in self.war.facts
                if f.what == what and f.vendor == vendor and f.tier == tier and not f.shown_only
                and f.from_ is not None and f.from_ <= on and (f.until is None or on < f.until)
            ]  # fmt: skip
            if held:
                last = max(held, key=lambda f: f.from_ or on)
                sides[what] = (last.low, last.high)
        if "price" not in sides:
            return None
        low, high = sides["price"]
        if "price_out" in sides:
            out = sides["price_out"]
            low, high = (1 - self.w) * low + self.w * out[0], (1 - self.w) * high + self.w * out[1]
        return low, high

    def input_price(self, vendor: str, tier: str, on: date) -> float:
        """The middle of history's input price on a day, NaN where nobody recorded it."""
        share, self.w = self.w, 0.0
        found = self.listed(vendor, tier, on)
        self.w = share
        return (found[0] + found[1]) / 2 if found else math.nan

    def days_of(self, vendor: str, tier: str) -> list[date]:
        """Days on which history's used prices of a line change."""
        edges = set()
        for f in self.war.facts:
            if (
                f.vendor == vendor
                and f.tier == tier
                and f.what in ("price", "price_out")
                and not f.shown_only
            ):
                edges |= {d for d in (f.from_, f.until) if d}
        return sorted(edges)

    def path(self, vendor: str | None, tier: str) -> list[dict[str, Any]]:
        """History's list price as steps: day, low, high; a gap where nobody recorded it."""
        if vendor is None or vendor not in self.war.vendors:
            return []
        steps: list[dict[str, Any]] = []
        start = self.start
        for day in sorted({start, *(d for d in self.days_of(vendor, tier) if d > start)}):
            found = self.listed(vendor, tier, day)
            low, high = found if found else (math.nan, math.nan)
            if steps and (steps[-1]["low"], steps[-1]["high"]) == (low, high):
                continue
            steps.append({"day": (day - start).days, "low": low, "high": high})
        return steps if any(math.isfinite(s["low"]) for s in steps) else []

    def fell(self, vendor: str, tier: str, months: int) -> float:
        """History's lowest price of the months after the opening over the price before it, input alone."""
        start = self.start
        end = date.fromordinal(start.toordinal() + round(months * DAYS))
        before = [
            self.input_price(vendor, tier, date.fromordinal(start.toordinal() - 1)),
            *(self.input_price(vendor, tier, d) for d in self.days_of(vendor, tier) if d < start),
        ]
        known = [p for p in before if math.isfinite(p)]
        within = [d for d in {start, *self.days_of(vendor, tier)} if start <= d <= end]
        after = [p for d in within if math.isfinite(p := self.input_price(vendor, tier, d))]
        return min(after) / known[0] if known and after and known[0] > 0 else math.nan

    def month(self, text: str) -> int:
        """Index of a calendar month, 0 the one in which the market starts."""
        start = self.start
        return (int(text[:4]) - start.year) * 12 + int(text[5:7]) - start.month

    def end(self) -> date:
        """The first day after the record."""
        year, month = int(self.war.ends[:4]), int(self.war.ends[5:7])
        return date(year + month // 12, month % 12 + 1, 1)

    @cached_property
    def dated(self) -> Stages:
        """The record's stages by the rule."""
        return stages(series_of(self.war))

    def stage_names(self, vendor: str | None, months: int) -> list[str | None]:
        """The record's stage of each month from the market's first, of one vendor or of the market."""
        told = self.dated
        codes = told.market if vendor is None else None
        if vendor is not None and vendor in told.vendors:
            codes = told.vendor[:, told.vendors.index(vendor)]
        row: list[str | None] = [None] * months
        offset = self.month(str(told.months[0]))
        for t, code in enumerate([] if codes is None else codes.tolist()):
            if 0 <= t + offset < months:
                row[t + offset] = STAGES[code] if code >= 0 else ("out" if code == -2 else None)
        return row


def names_of(definition: Definition) -> dict[str, str]:
    """The names by which a record knows a definition's vendors."""
    return {vendor: row.name for vendor, row in definition.text.vendors.each.items() if row.name}


def output_share(definition: Definition) -> float:
    """The weight with which a definition blends output prices; 0 where it does not."""
    return next((e.value for e in definition.entries if e.where == ("output_share",)), 0.0)


def history(definition: Definition, market: Market, war: War) -> dict[str, Any]:
    """The record alone, as plain data by the market's vendors; unknown is NaN, what nobody recorded is empty.

    Returns:
        name, title, ends (ISO month), opener (vendor or None); moved {vendor: days from the start}; prices
        {tier: {vendor: [{day, low, high}]}}, steps of the blended list price; shares {vendor: [{month,
        share}]}; stages {market, vendors: {vendor: [stage or None by month]}}; events [{on, kind, said}].
    """
    names = names_of(definition)
    r = Recorded(market, war, names, output_share(definition))
    key = {name: vendor for vendor, name in names.items() if vendor in market.vendors}
    moved = {key[name]: day for name, day in r.followed().items() if name in key}
    shares: dict[str, list[dict[str, float]]] = {}
    for fact in war.facts:
        if fact.what == "share" and fact.on and fact.vendor in key:
            at = r.month(fact.on)
            if 0 <= at < market.months:
                shares.setdefault(key[fact.vendor], []).append(
                    {"month": at, "share": (fact.low + fact.high) / 2}
                )
    prices = {
        tier: {v: steps for v in market.vendors if (steps := r.path(names.get(v), tier))} for tier in TIERS
    }
    return {
        "name": war.name,
        "title": war.title,
        "ends": war.ends,
        "opener": min(moved, key=lambda v: moved[v], default=None),
        "moved": moved,
        "prices": prices,
        "shares": shares,
        "stages": {
            "market": r.stage_names(None, market.months),
            "vendors": {
                v: row
                for v in market.vendors
                if v in names and any(row := r.stage_names(names[v], market.months))
            },
        },
        "events": [{"on": e.on, "kind": e.kind, "said": e.said} for e in war.events],
    }
