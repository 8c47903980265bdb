"""An offer as rules over kinds of requests.

A request's price depends on a few yes-or-no questions (is it longer than 200,000 tokens, is it batch, is
it peak time in Shanghai, is it before the price rose): the *atoms*. Requests that answer all of them alike
are charged alike, so a bill needs only the token sums of each combination, and money is multiplied once,
as exact rationals, however long the log is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Generic, TypeVar

from pricewar.offers.catalogue import Offer
from pricewar.offers.listed import FALLBACK
from pricewar.offers.schema import (
    WEEKDAYS,
    Allowance,
    Charges,
    Duration,
    Limit,
    ModelName,
    OfferRecord,
    Window,
)
from pricewar.units import METERS, TOKEN_METERS, UNKNOWN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Term = TypeVar("Term", Limit, Allowance)
BEGINNING, END = -(2**62), 2**62  # microseconds: before and after every log


def microseconds(moment: datetime) -> int:
    """`moment` as microseconds since 1970 UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class TierIn:
    tiers: frozenset[str]


@dataclass(frozen=True)
class Above:
    tokens: int


@dataclass(frozen=True)
class Between:
    start: int
    end: int


@dataclass(frozen=True)
class Weekly:
    zone: str
    weekdays: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class ServedBy:
    models: frozenset[int]


Atom = TierIn | Above | Between | Weekly | ServedBy


@dataclass(frozen=True)
class Rule:
    """One rate of the offer: prices for one token, search or request, where all atoms hold."""

    prices: tuple[tuple[str, Fraction], ...]
    times: Fraction | None
    atoms: tuple[Atom, ...]
    window: Window
    version: int


@dataclass(frozen=True)
class Price:
    """What a meter costs for one kind of request, and the rule it comes from."""

    amount: Fraction
    rule: Rule
    times: tuple[Rule, ...]
    borrowed: str | None
    """The meter whose price stands in, when this one has none of its own."""


@dataclass(frozen=True)
class Period(Generic[Term]):
    """A limit or allowance with the instants between which it holds."""

    term: Term
    start: int
    end: int
    version: int


@dataclass(frozen=True)
class Tariff:
    """An offer ready to bill, for the requests of one log.

    Attributes:
        model: which of the offer's models serves requests for models it does not have.
        versions: the offer's versions that count, in order.
        available: instants between which the offer exists; empty ranges mean never.
        limits, allowances: with the instants between which they hold.
        unknown: instants between which limits, or whether the terms still held, are not published.
    """

    offer: Offer
    model: ModelName
    versions: tuple[OfferRecord, ...]
    available: tuple[tuple[int, int], ...]
    rules: tuple[Rule, ...]
    limits: tuple[Period[Limit], ...]
    allowances: tuple[Period[Allowance], ...]
    unknown: tuple[tuple[int, int], ...]
    frozen: datetime | None

    @property
    def record(self) -> OfferRecord:
        return self.versions[-1]

    @property
    def charges(self) -> Charges:
        return self.record.charges

    @property
    def atoms(self) -> tuple[Atom, ...]:
        asked = [atom for rule in self.rules for atom in rule.atoms]
        asked += [TierIn(frozenset(p.term.tier)) for p in self.allowances if p.term.tier is not None]
        return tuple(dict.fromkeys(asked))

    @property
    def unknown_limits(self) -> bool:
        """Whether at some time the offer's limits are not published."""
        return any(isinstance(v.limits, str) for v in self.versions)

    @property
    def unknowns(self) -> list[str]:
        """What is not published, in words: each makes the bill a range."""
        found = ["limits"] if self.unknown_limits else []
        if any(v.in_force.perhaps_over for v in self.versions):
            found.append("the day on which the terms ended")
        for period in self.limits:
            if period.term.amount == UNKNOWN:
                found.append(f"limit of {'/'.join(period.term.meters[:2])} per {period.term.per}")
        for period in self.allowances:
            a = period.term
            parts = (("size", a.amount), ("worth of a credit", a.credit), ("expiry", a.expires_after))
            found += [f"{what} of the allowance of {a.unit}" for what, value in parts if value == UNKNOWN]
        return found

    @property
    def stateful(self) -> bool:
        """Whether what a request costs depends on the requests before it."""
        by_request = any(r.per == "request" for r in self.charges.rounding)
        return bool(self.limits or self.allowances or self.unknown or by_request)

    def resolve(self, true: frozenset[Atom]) -> dict[str, Price]:
        """The price of each meter for requests of which exactly the atoms `true` hold."""
        chosen: dict[str, tuple[Fraction, Rule]] = {}
        factors: list[Rule] = []
        for rule in self.rules:
            if all(atom in true for atom in rule.atoms):
                if rule.times is not None:
                    factors.append(rule)
                for meter, price in rule.prices:
                    chosen[meter] = (price, rule)
        times = Fraction(1)
        for rule in factors:
            times *= rule.times or 1
        prices: dict[str, Price] = {}
        for meter in METERS:
            lender = next((m for m in (meter, *FALLBACK.get(meter, ())) if m in chosen), None)
            if lender is None:
                continue
            amount, rule = chosen[lender]
            scaled = meter in TOKEN_METERS
            prices[meter] = Price(
                amount * times if scaled else amount,
                rule,
                tuple(factors) if scaled else (),
                None if lender == meter else lender,
            )
        return prices


def tariff(
    offer: Offer,
    *,
    model: str | None = None,
    frozen: datetime | None = None,
    span: tuple[datetime, datetime] | None = None,
) -> Tariff | None:
    """`offer` ready to bill; None when `frozen` is given and nothing was in force then.

    Args:
        offer: the offer.
        model: the offer's model that serves what it does not have; its first when None.
        frozen: bill every request on the terms in force at this instant; else each on its own day's terms.
        span: first and last request, when known: versions that never meet one are left out, unless all are.
    """
    if frozen is not None:
        version = offer.on(frozen)
        if version is None:
            return None
        versions: tuple[OfferRecord, ...] = (version,)
        available: list[tuple[int, int]] = [(BEGINNING, END)]
    else:
        versions = offer.versions
        if span is not None:
            met = tuple(v for v in versions if _meets(v.in_force.from_, v.in_force.end, span))
            versions = met or versions
        available = [_span(v.in_force.from_, v.in_force.end) for v in versions]
    serving = next(
        (m for v in reversed(versions) for m in v.models if m.name == model), versions[-1].models[0]
    )
    names = offer.positions
    rules: list[Rule] = []
    limits: list[Period[Limit]] = []
    allowances: list[Period[Allowance]] = []
    for i, version in enumerate(versions):
        during = available[i]
        in_time = () if during == (BEGINNING, END) else (Between(*during),)
        for rate in version.rates:
            atoms = _atoms(rate.when, names, frozen)
            if atoms is None:
                continue
            prices = tuple((m, p) for m in METERS if (p := rate.unit_price(m)) is not None)
            rules.append(Rule(prices, rate.times, (*in_time, *atoms), rate.when, i))
        parts = [] if isinstance(version.limits, str) else version.limits
        _continue(limits, [Period(p, *held, i) for p in parts if (held := _held(p, during, frozen))])
        _continue(
            allowances,
            [Period(a, *held, i) for a in version.allowances if (held := _held(a, during, frozen))],
        )
    # Money pays for what is left, so it comes after what is given in kind.
    allowances.sort(key=lambda p: (p.term.unit in ("money", "credits"), p.term.order))
    return Tariff(
        offer,
        serving,
        versions,
        tuple(available),
        tuple(rules),
        tuple(limits),
        tuple(allowances),
        tuple(
            held
            for v, held in zip(versions, available, strict=True)
            if isinstance(v.limits, str) or v.in_force.perhaps_over
        ),
        frozen,
    )


def _meets(start: datetime | str | None, end: datetime | None, span: tuple[datetime, datetime]) -> bool:
    return (not isinstance(start, datetime) or start <= span[1]) and (end is None or span[0] < end)


def _continue(held: list[Period[Term]], more: list[Period[Term]]) -> None:
    """Add a version's terms; one that stands unchanged since the version before goes on counting."""
    for period in more:
        for at, before in enumerate(held):
            if before.end == period.start and before.version < period.version and before.term == period.term:
                held[at] = Period(before.term, before.start, period.end, period.version)
                break
        else:
            held.append(period)


def _span(start: datetime | str | None, end: datetime | None) -> tuple[int, int]:
    return (
        microseconds(start) if isinstance(start, datetime) else BEGINNING,
        microseconds(end) if end is not None else END,
    )


def _held(part: Limit | Allowance, span: tuple[int, int], frozen: datetime | None) -> tuple[int, int] | None:
    """When the part holds within its version; None when it never does."""
    start, end = _span(part.from_, part.until)
    if frozen is not None:
        return (BEGINNING, END) if start <= microseconds(frozen) < end else None
    start, end = max(start, span[0]), min(end, span[1])
    return (start, end) if start < end else None


def _atoms(window: Window, names: dict[str, int], frozen: datetime | None) -> tuple[Atom, ...] | None:
    """The questions a rate asks; None when, at the frozen instant, it does not hold at all."""
    atoms: list[Atom] = []
    if window.from_ is not None or window.until is not None:
        start, end = _span(window.from_, window.until)
        if frozen is None:
            atoms.append(Between(start, end))
        elif not start <= microseconds(frozen) < end:
            return None
    if window.tier is not None:
        atoms.append(TierIn(frozenset(window.tier)))
    if window.input_above is not None:
        atoms.append(Above(window.input_above))
    if window.weekdays is not None or window.hours is not None:
        days = tuple(WEEKDAYS.index(d) for d in window.weekdays) if window.weekdays else tuple(range(7))
        start, end = window.minutes or (0, 1440)
        atoms.append(Weekly(window.zone, days, start, end))
    if window.models is not None:
        atoms.append(ServedBy(frozenset(names[name] for name in window.models)))
    return tuple(atoms)


def length(duration: Duration) -> tuple[int, int]:
    """(microseconds, months): one of them is zero."""
    if duration.months is not None:
        return 0, duration.months
    days, hours, minutes = duration.days or 0, duration.hours or 0, duration.minutes or 0
    return timedelta(days=days, hours=hours, minutes=minutes) // timedelta(microseconds=1), 0


def boundaries(per: str, zone: str, first: int, last: int) -> Sequence[int]:
    """Instants (microseconds) at which local days, weeks (from Monday) or months begin, around a span.

    The first is at or before `first`, the last after `last` by a year, so that a queue can look ahead.
    Across daylight saving a local day has 23 or 25 hours, as the calendar says.
    """
    from pricewar.offers.schema import zone_of

    day = (EPOCH + timedelta(microseconds=first)).astimezone(zone_of(zone)).date()
    if per == "week":
        day -= timedelta(days=day.weekday())
    elif per == "month":
        day = day.replace(day=1)
    return _boundaries(per, zone, day, last // 86_400_000_000 + 367)


@lru_cache(maxsize=256)  # a stream in many small pieces asks for the same days again and again
def _boundaries(per: str, zone: str, day: date, until_day: int) -> tuple[int, ...]:
    """From the start of `day` until after the start of day `until_day` since 1970 UTC."""
    from pricewar.offers.schema import zone_of

    tz = zone_of(zone)
    found: list[int] = []
    until = until_day * 86_400_000_000
    while not found or found[-1] <= until:
        local = datetime(day.year, day.month, day.day, tzinfo=tz)
        found.append(microseconds(local.astimezone(UTC)))
        if per == "day":
            day += timedelta(days=1)
        elif per == "week":
            day += timedelta(days=7)
        else:
            day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return tuple(found)


def thresholds_of(tariffs: Iterable[Tariff]) -> set[int]:
    """Sizes of input at which prices jump."""
    return {a.tokens for t in tariffs for a in t.atoms if isinstance(a, Above)}


def edges_of(tariffs: Iterable[Tariff]) -> set[int]:
    """Instants at which prices change for good."""
    return {e for t in tariffs for a in t.atoms if isinstance(a, Between) for e in (a.start, a.end)}
