"""What changed in the catalogue between two days: in what was known, or in what was in force.

*Known*: what somebody who read everything public on the later day could know that nobody could on the
earlier: terms that came into force, and those announced, with what they change. *In force*: what applied on
the one day and on the other, all that is known today being known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pricewar.offers.catalogue import FACTS, Catalogue, Offer, load_facts
from pricewar.offers.explain import (
    _charges,
    _eligibility,
    allowance_words,
    limit_words,
    rate_words,
    window_words,
)
from pricewar.offers.schema import Allowance, End, Limit, OfferRecord, Rate, Source
from pricewar.units import METERS, UNKNOWN, decimal, money

Kind = Literal["new", "changed", "ended", "announced", "replaced"]
What = Literal["price", "allowance", "limit", "status", "charge", "eligibility", "models"]


@dataclass(frozen=True)
class Part:
    """One term that differs: in words before and after (None: there was, or is, no such term), and the change
    of a number as a share where both are numbers and the first is not 0."""

    what: What
    name: str
    before: str | None
    after: str | None
    share: Fraction | None = None

    def words(self) -> str:
        """`input: $0.75 → $1.50 (+100%)`."""
        if self.before is None:
            text = f"new: {self.after}"
        elif self.after is None:
            text = f"gone: {self.before}"
        else:
            text = f"{self.before} → {self.after}"
        text = f"{self.name}: {text}" if self.name else text
        return text + (f" ({float(self.share):+.0%})" if self.share is not None else "")


@dataclass(frozen=True)
class Change:
    """What changed of one offer.

    Attributes:
        change: new; changed; ended; announced (known, not yet in force); replaced (by another record of it).
        on: the day on which it came, or comes, into force; None where nobody published it.
        known_on: the first day on which it was public.
    """

    offer: str
    vendor: str
    kind: str
    change: Kind
    on: date | None
    known_on: date | None
    parts: tuple[Part, ...]
    sources: tuple[Source, ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        data = asdict(self)
        data["on"] = self.on.isoformat() if self.on else None
        data["known_on"] = self.known_on.isoformat() if self.known_on else None
        data["parts"] = [
            {**asdict(p), "share": None if p.share is None else f"{decimal(p.share, 6):f}"}
            for p in self.parts
        ]
        data["sources"] = [
            {"url": s.url, "read_on": s.read_on.isoformat(), "says": s.says} for s in self.sources
        ]
        return data


def noon(day: date) -> datetime:
    """The moment that stands for a day."""
    return datetime.combine(day, time(12), UTC)


def in_force(catalogue: Catalogue, start: date, end: date) -> list[Change]:
    """Terms in force at noon UTC of `end` against those of `start`, by offer."""
    found: list[Change] = []
    ends = ends_of(catalogue)
    for offer in catalogue.offers.values():
        found += _between(offer, offer, start, end, ends.get(offer.id, ()))
    return found


def known(before: Catalogue, after: Catalogue) -> list[Change]:
    """What was known on `after`'s day and not on `before`'s, by offer."""
    found: list[Change] = []
    ends = ends_of(after)
    for id, offer in after.offers.items():
        old = before.offers.get(id)
        found += _between(old, offer, before.as_of, after.as_of, ends.get(id, ()))
        found += _announced(old, offer, after.as_of, ends.get(id, ()))
    for id, offer in before.offers.items():
        if id not in after.offers:
            by = [o.id for o in after.offers.values() if any(id in v.replaces for v in o.versions)]
            words = f"by the record {', '.join(by)}" if by else "by another record"
            record = offer.on(noon(before.as_of)) or offer.latest
            part = Part("status", "", "listed", f"replaced {words}")
            found.append(_change(record, "replaced", None, None, (part,)))
    return found


def ends_of(catalogue: Catalogue, folder: Path = FACTS) -> dict[str, list[End]]:
    """Ends known by the catalogue's day, by offer."""
    found: dict[str, list[End]] = {}
    for end in _all_ends(folder):
        if end.known_on <= catalogue.as_of:
            found.setdefault(end.id, []).append(end)
    return found


@lru_cache(maxsize=4)
def _all_ends(folder: Path) -> tuple[End, ...]:
    return tuple(end for _, file in load_facts(folder) for end in file.ends)


def _between(
    old: Offer | None, offer: Offer, start: date, end: date, ends: Sequence[End]
) -> Iterator[Change]:
    before = old.on(noon(start)) if old is not None else None
    after = offer.on(noon(end))
    if before is None and after is not None:
        yield _change(after, "new", _starts(after), after.known_on, tuple(_terms(after)))
    elif before is not None and after is None:
        last = max((v for v in offer.versions if v.in_force.end), key=_end, default=before)
        over = last.in_force.end
        text = f"ended on {over:%Y-%m-%d}" if over is not None else "ended"
        part = Part("status", "", "in force", text)
        yield _over(last, "ended", over, (part,), ends)
    elif before is not None and after is not None:
        parts = tuple(differences(before, after))
        if parts:
            yield _change(after, "changed", _starts(after), after.known_on, parts)
    elif old is None and noon(end) > _end(offer.latest):
        record = offer.latest
        if record.in_force.end is not None and noon(start) < record.in_force.end:  # it came and went
            part = Part("status", "", None, f"in force until {record.in_force.end:%Y-%m-%d}")
            yield _over(record, "ended", record.in_force.end, (part, *_terms(record)), ends)


def _announced(old: Offer | None, offer: Offer, day: date, ends: Sequence[End]) -> Iterator[Change]:
    """Versions and ends that lie ahead on `day` and were not known before."""
    told = {_starts(v) for v in old.versions} if old is not None else set()
    for version in offer.after(noon(day)):
        if _starts(version) not in told:
            before = offer.on(noon(day))
            parts = tuple(differences(before, version)) if before is not None else tuple(_terms(version))
            yield _change(version, "announced", _starts(version), version.known_on, parts)
    last = offer.latest
    over = last.in_force.end
    if over is not None and over > noon(day) and (old is None or old.latest.in_force.end != over):
        part = Part("status", "", "in force", f"ends on {over:%Y-%m-%d}")
        yield _over(last, "announced", over, (part,), ends)


def _end(record: OfferRecord) -> datetime:
    return record.in_force.end or datetime.max.replace(tzinfo=UTC)


def _starts(record: OfferRecord) -> date | None:
    starts = record.in_force.from_
    return starts.date() if isinstance(starts, datetime) else None


def _change(
    record: OfferRecord, change: Kind, on: date | None, known_on: date | None, parts: tuple[Part, ...]
) -> Change:
    sources = tuple(sorted(record.sources, key=lambda s: s.read_on, reverse=True))
    return Change(record.id, record.vendor, record.kind, change, on, known_on, parts, sources)


def _over(
    record: OfferRecord, change: Kind, over: datetime | None, parts: tuple[Part, ...], ends: Sequence[End]
) -> Change:
    """An end, with the sources that tell it."""
    said = [e for e in ends if e.on == over]
    day = over.date() if over is not None else None
    found = _change(record, change, day, said[0].known_on if said else None, parts)
    more = [s for e in said for s in e.sources]
    return replace(found, sources=tuple(sorted(more, key=lambda s: s.read_on, reverse=True)) or found.sources)


# --- two versions of terms ----------------------------------------------------------------------------------


def differences(before: OfferRecord, after: OfferRecord) -> Iterator[Part]:
    """Every term in which two versions differ; none where they say the same."""
    if before.kind != after.kind or before.plan != after.plan:
        yield Part("status", "", f"{before.kind}: {before.plan}", f"{after.kind}: {after.plan}")
    if before.currency != after.currency:
        yield Part("price", "currency", before.currency, after.currency)
    old, new = ({m.name for m in r.models} for r in (before, after))
    if old != new:
        yield Part("models", "models", ", ".join(sorted(old)), ", ".join(sorted(new)))
    yield from _prices(before, after)
    yield from _paired("allowance", before.allowances, after.allowances, before, after)
    if isinstance(before.limits, str) or isinstance(after.limits, str):
        if before.limits != after.limits:
            yield Part("limit", "limits", _limits(before), _limits(after))
    else:
        yield from _paired("limit", before.limits, after.limits, before, after)
    for what, words in (("charge", _charges), ("eligibility", _eligibility)):
        yield from _lines(what, list(words(before)), list(words(after)))  # type: ignore[arg-type]
    old_end, new_end = before.lifecycle.retired_on, after.lifecycle.retired_on
    if old_end != new_end:
        yield Part("status", "model retired", _day(old_end), _day(new_end))
    if before.in_force.perhaps_over != after.in_force.perhaps_over:
        over = ("in force", "ended on an unknown day")
        yield Part("status", "", over[before.in_force.perhaps_over], over[after.in_force.perhaps_over])


def _day(moment: datetime | str | None) -> str | None:
    return f"{moment:%Y-%m-%d}" if isinstance(moment, datetime) else moment


def _limits(record: OfferRecord) -> str:
    if isinstance(record.limits, str):
        return UNKNOWN
    return "; ".join(limit_words(x) for x in record.limits) or "none"


def _rated(rates: Sequence[Rate]) -> dict[tuple[str, str], tuple[Fraction, int | None]]:
    """Price by meter and condition; of equal conditions the later rate counts, as in a bill."""
    found: dict[tuple[str, str], tuple[Fraction, int | None]] = {}
    for rate in rates:
        where = window_words(rate.when)
        for meter in METERS:
            if (price := getattr(rate, meter)) is not None:
                found[meter, where] = (price, rate.per)
        if rate.times is not None:
            found["times", where] = (rate.times, None)
    return found


def _prices(before: OfferRecord, after: OfferRecord) -> Iterator[Part]:
    old, new = _rated(before.rates), _rated(after.rates)
    same = before.currency == after.currency

    def words(value: tuple[Fraction, int | None] | None, meter: str, record: OfferRecord) -> str | None:
        if value is None:
            return None
        if meter == "times":
            return f"× {decimal(value[0], 6):f}"
        per = f" per {value[1]:,}" if value[1] else ""
        return money(value[0], record.currency) + per

    for key in dict.fromkeys([*old, *new]):
        a, b = old.get(key), new.get(key)
        if a == b and same:
            continue
        meter, where = key
        name = meter + (f" ({where})" if where else "")
        share = None
        if a is not None and b is not None and same and a[1] == b[1] and a[0]:
            share = b[0] / a[0] - 1
        yield Part("price", name, words(a, meter, before), words(b, meter, after), share)


def _paired(
    what: What,
    old: Sequence[Allowance] | Sequence[Limit],
    new: Sequence[Allowance] | Sequence[Limit],
    before: OfferRecord,
    after: OfferRecord,
) -> Iterator[Part]:
    """Limits or allowances of the same thing are set side by side: 250 requests a day against 20."""

    def words(term: Allowance | Limit, record: OfferRecord) -> str:
        return limit_words(term) if isinstance(term, Limit) else allowance_words(term, record.currency)

    def by_key(terms: Iterable[Allowance | Limit]) -> dict[tuple[object, ...], Allowance | Limit]:
        found: dict[tuple[object, ...], Allowance | Limit] = {}
        for t in terms:
            kind = (t.per, tuple(t.meters)) if isinstance(t, Limit) else (t.reset, t.unit, t.price != 0)
            key: tuple[object, ...] = (*kind, tuple(t.models or ()))
            while key in found:
                key = (*key, "next")
            found[key] = t
        return found

    a, b = by_key(old), by_key(new)
    for key in dict.fromkeys([*a, *b]):
        x, y = a.get(key), b.get(key)
        if x == y:
            continue
        share = None
        if (
            x is not None
            and y is not None
            and isinstance(x.amount, Fraction)
            and isinstance(y.amount, Fraction)
        ):
            share = y.amount / x.amount - 1 if x.amount and y.amount != x.amount else None
        was = words(x, before) if x is not None else None
        now = words(y, after) if y is not None else None
        if was != now or share is not None:
            yield Part(what, "", was, now, share)


def _lines(what: What, old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    for line in old:
        if line not in new:
            yield Part(what, "", line, None)
    for line in new:
        if line not in old:
            yield Part(what, "", None, line)


def _terms(record: OfferRecord) -> Iterator[Part]:
    """All terms of a version that is new."""
    for rate in record.rates:
        yield Part("price", "", None, rate_words(rate, record.currency))
    for allowance in record.allowances:
        yield Part("allowance", "", None, allowance_words(allowance, record.currency))
    if isinstance(record.limits, str):
        yield Part("limit", "limits", None, UNKNOWN)
    for limit in record.limits if not isinstance(record.limits, str) else []:
        yield Part("limit", "", None, limit_words(limit))


__all__ = ["Change", "Part", "differences", "ends_of", "in_force", "known", "noon"]
