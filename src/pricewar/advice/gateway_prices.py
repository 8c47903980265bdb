"""An offer's prices in the words of LiteLLM: always explicit, always in USD, and what its words cannot say.

The proxy knows a price a token by kind, prices above an input length, and one set of prices for certain hours
of the week (`off_peak_pricing`, which may as well be dearer ones). It knows no allowance, fee, minimum or
rounding: these are named, and the bill keeps them (`pricewar bill`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from pricewar.billing.tariff import Above, Atom, Price, ServedBy, Tariff, Weekly
from pricewar.offers.schema import WEEKDAYS, zone_of

KEYS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
}
"""Meter → LiteLLM's parameter."""
IN_WINDOWS = ("input", "output", "cache_read", "cache_write_5m", "reasoning")
ABOVE = ("input", "output", "cache_read", "cache_write_5m")
DAY_MINUTES = 1440


@dataclass(frozen=True)
class Hours:
    """A stretch of the week in which other prices hold: minutes of the UTC day, the end excluded (it may be
    before the start); `weekdays` from Monday = 0 on the calendar of `zone`."""

    start: int
    end: int
    weekdays: tuple[int, ...]
    zone: str

    @property
    def text(self) -> str:
        """As LiteLLM writes it."""
        return "-".join(f"{m // 60:02d}:{m % 60:02d}" for m in (self.start, self.end))


@dataclass(frozen=True)
class Priced:
    """Prices of one offer at one time, in USD for one token.

    Attributes:
        plain: by meter; every meter of `KEYS` is there, 0 where nothing is charged.
        above: (tokens of input, prices) for requests with more, least first.
        hours: when `within` holds instead; empty: never.
        unsaid: what the proxy's spend leaves out, in words.
    """

    plain: Mapping[str, Fraction]
    above: tuple[tuple[int, Mapping[str, Fraction]], ...] = ()
    hours: tuple[Hours, ...] = ()
    within: Mapping[str, Fraction] | None = None
    unsaid: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, Fraction]:
        """For `litellm_params`."""
        return {KEYS[meter]: price for meter, price in self.plain.items()}

    @property
    def info(self) -> dict[str, object]:
        """For `model_info`: prices that `litellm_params` does not take."""
        found: dict[str, object] = {}
        for tokens, prices in self.above:
            for meter in ABOVE:
                found[f"{KEYS[meter]}_above_{tokens // 1000}k_tokens"] = prices[meter]
        if self.within is not None:
            windows = []
            for h in self.hours:
                rule: dict[str, object] = {"hours_utc": [h.text]}
                if len(h.weekdays) < 7:
                    rule["weekdays"] = [WEEKDAYS[d] for d in h.weekdays]
                windows.append(rule)
            off: dict[str, object] = {"windows": windows, "weekday_timezone": self.hours[0].zone}
            off.update({KEYS[meter]: self.within[meter] for meter in IN_WINDOWS})
            found["off_peak_pricing"] = off
        return found


def priced(tariff: Tariff, usd: Fraction, moment: datetime) -> Priced:
    """The prices of `tariff` (frozen at `moment`), `usd` for one unit of its currency."""
    own = tariff.offer.positions[tariff.model.name]
    always = frozenset(a for a in tariff.atoms if isinstance(a, ServedBy) and own in a.models)
    unsaid = _charges(tariff)

    def at(atoms: Iterable[Atom]) -> dict[str, Fraction]:
        found: dict[str, Price] = tariff.resolve(always | frozenset(atoms))
        return {m: found[m].amount * usd if m in found else Fraction(0) for m in KEYS}

    plain = at(())
    known = tariff.resolve(always)
    for meter, what in (("requests", "a price for each request"), ("search", "a price for web searches")):
        if meter in known and known[meter].amount:
            unsaid.append(what)
    if any(plain.values()) and any(not p.term.price for p in tariff.allowances):
        unsaid.append("that an allowance covers some of it: spend shows that at the list price")
    sizes = sorted({a.tokens for a in tariff.atoms if isinstance(a, Above)})
    above = []
    for size in sizes:
        prices = at(Above(s) for s in sizes if s <= size)
        if size % 1000:
            unsaid.append(f"prices above {size:,} tokens of input: the proxy counts them in thousands")
        elif prices != (above[-1][1] if above else plain):
            above.append((size, prices))
    weekly = [a for a in tariff.atoms if isinstance(a, Weekly)]
    sets = {w: at((w,)) for w in weekly}
    sets = {w: prices for w, prices in sets.items() if prices != plain}
    hours: list[Hours] = []
    if sets:
        clocks = [_hours(w, moment) for w in sets]
        if len({tuple(p.values()) for p in sets.values()}) > 1:
            unsaid.append("more than one set of prices by the hour")
        elif above:
            unsaid.append("prices by the hour beside prices by length of input")
        elif any(c is None for c in clocks) or len({w.zone for w in sets}) > 1:
            unsaid.append("hours that daylight saving moves, or that cross midnight on some weekdays only")
        else:
            hours = [c for c in clocks if c is not None]
    within = next(iter(sets.values())) if hours else None
    return Priced(plain, tuple(above), tuple(hours), within, tuple(unsaid))


def _hours(weekly: Weekly, moment: datetime) -> Hours | None:
    """The same hours in UTC; None where UTC cannot say them all year."""
    zone = zone_of(weekly.zone)
    offsets = {(moment + timedelta(days=d)).astimezone(zone).utcoffset() for d in range(0, 366, 30)}
    crosses = weekly.end > DAY_MINUTES and len(weekly.weekdays) < 7
    if len(offsets) > 1 or crosses:
        return None
    (offset,) = offsets
    shift = int(offset.total_seconds()) // 60 if offset is not None else 0
    start, end = ((m - shift) % DAY_MINUTES for m in (weekly.start, weekly.end))
    return Hours(start, end, weekly.weekdays, weekly.zone)


def _charges(tariff: Tariff) -> list[str]:
    """What the offer charges beside tokens."""
    c, found = tariff.charges, []
    if c.platform_fee is not None:
        found.append(f"a platform fee of {float(c.platform_fee.percent):g}%")
    if c.minimum is not None:
        found.append(f"a minimum per {c.minimum.per}")
    if c.fixed:
        found.append("a fixed charge")
    if c.rounding:
        found.append("rounding")
    if c.commitment is not None:
        found.append(f"a commitment by the {c.commitment.per}, owed whether used or not")
    if tariff.record.tax == "excluded":
        found.append("tax")
    if any(p.term.price for p in tariff.allowances):
        found.append("prepaid packs: spend shows what they cover at the list price")
    return found
