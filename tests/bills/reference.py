"""Billing written plainly: one request after another, dictionaries, exact fractions, no arrays.

It follows what the terms are documented to mean (pricewar.offers.schema and the head of
pricewar.billing.kernel) and shares no code with the compiled pass, so that each checks the other. Slow.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from pricewar.offers.catalogue import Offer
from pricewar.offers.schema import Allowance, Limit, OfferRecord, Rate

TOKENS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
METERS = (*TOKENS, "search", "requests")
STANDS_IN = {
    "cache_read": ["input"],
    "cache_write_5m": ["input"],
    "cache_write_1h": ["cache_write_5m", "input"],
    "reasoning": ["output"],
}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Row:
    """One row of a log: a request, or a bucket of many."""

    time: datetime
    model: str
    quantities: dict[str, int]
    tier: str = "standard"

    def of(self, meter: str) -> int:
        quantity = self.quantities.get(meter, 0)
        return max(quantity, 1) if meter == "requests" else quantity

    @property
    def tokens(self) -> int:
        return sum(self.of(meter) for meter in TOKENS)


@dataclass
class Result:
    total: Fraction = Fraction(0)
    requests: int = 0
    served: int = 0
    refused: list[int] = field(default_factory=list)
    refused_tokens: int = 0
    free_tokens: int = 0
    paid_tokens: int = 0
    unpriced: dict[str, int] = field(default_factory=dict)
    queued: int = 0
    longest_wait: timedelta = timedelta(0)


@dataclass
class Counter:
    """What has been used of a limit, or is left of an allowance, in one scope."""

    window: Any = None
    used: int = 0
    events: list[tuple[datetime, int]] = field(default_factory=list)
    begun: datetime | None = None
    packs: int = 0
    left: Fraction = Fraction(0)


@dataclass(frozen=True)
class Amount:
    price: Fraction
    rate: int
    lender: str


def bill(offer: Offer, rows: list[Row], *, open_unknowns: bool = False) -> Result:
    """Bill `rows`, in order of time, on each request's own day's terms."""
    return _Biller(offer, open_unknowns).bill(rows)


def window_key(moment: datetime, per: str, zone: str) -> Any:
    """What tells one window from the next."""
    local = moment.astimezone(ZoneInfo(zone))
    match per:
        case "second":
            return moment.replace(microsecond=0)
        case "minute":
            return moment.replace(second=0, microsecond=0)
        case "hour":
            return moment.replace(minute=0, second=0, microsecond=0)
        case "day":
            return local.date()
        case "week":
            return local.date() - timedelta(days=local.weekday())
        case "month":
            return local.year, local.month
    raise ValueError(per)


def next_window(moment: datetime, per: str, zone: str) -> datetime:
    """The first instant after `moment` that lies in another window."""
    key = window_key(moment, per, zone)
    step = {
        "second": timedelta(seconds=1),
        "minute": timedelta(minutes=1),
        "hour": timedelta(hours=1),
        "day": timedelta(days=2),
        "week": timedelta(days=8),
        "month": timedelta(days=32),
    }[per]
    before, after = moment, moment + step
    while after - before > timedelta(microseconds=1):
        middle = before + (after - before) // 2
        if window_key(middle, per, zone) == key:
            before = middle
        else:
            after = middle
    return after


def months_after(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def span_of(duration: Any) -> timedelta:
    return timedelta(days=duration.days or 0, hours=duration.hours or 0, minutes=duration.minutes or 0)


def up(amount: Fraction, step: Fraction) -> Fraction:
    whole, rest = divmod(amount, step)
    return (whole + (1 if rest else 0)) * step


def nearest(amount: Fraction, step: Fraction, direction: str) -> Fraction:
    return up(amount, step) if direction == "up" else round(amount / step) * step


class _Biller:
    def __init__(self, offer: Offer, open_unknowns: bool) -> None:
        self.offer, self.open = offer, open_unknowns
        self.charges = offer.versions[-1].charges
        self.counters: dict[Any, Counter] = defaultdict(Counter)
        self.clock: datetime | None = None
        self.lines: dict[Any, int] = defaultdict(int)
        self.result = Result()
        self.credit = Fraction(0)
        self.gifts: dict[Any, Fraction] = defaultdict(Fraction)  # money that cost nothing, by allowance
        self.by_rate = 0  # tokens paid at a rate
        self.extra = Fraction(0)
        self.default = offer.versions[-1].models[0].name

    # -- which terms

    def version(self, moment: datetime) -> OfferRecord | None:
        for v in self.offer.versions:
            begins = v.in_force.from_
            if (not isinstance(begins, datetime) or begins <= moment) and (
                v.in_force.until is None or moment < v.in_force.until
            ):
                return v
        return None

    def terms(self, kind: str, moment: datetime) -> list[tuple[Any, Any]]:
        """(identity, term) of those that hold: one repeated by the next version keeps its identity."""
        version = self.version(moment)
        if version is None:
            return []
        found = []
        for term in getattr(version, kind) if not isinstance(getattr(version, kind), str) else []:
            if (term.from_ is None or term.from_ <= moment) and (term.until is None or moment < term.until):
                at = first = self.offer.versions.index(version)
                while (
                    at > 0
                    and term in getattr(self.offer.versions[at - 1], kind)
                    and self.offer.versions[at - 1].in_force.until == self.offer.versions[at].in_force.from_
                    and (term.from_ is None or term.from_ < self.offer.versions[at].in_force.from_)
                    and (term.until is None or term.until > self.offer.versions[at].in_force.from_)
                ):
                    at -= 1
                    first = at
                found.append(((kind, first, getattr(self.offer.versions[first], kind).index(term)), term))
        return found

    def counter(self, identity: Any, term: Limit | Allowance, model: str) -> Counter | None:
        """The counter that a request for `model` meets; None when the term is not about it."""
        if term.models is not None and not any(self.offer.serves(name).name == model for name in term.models):
            return None
        return self.counters[identity, model if term.scope == "model" else "*"]

    def prices(self, row: Row, model: str) -> dict[str, Amount]:
        version = self.version(row.time)
        assert version is not None
        named: dict[str, tuple[Fraction, int]] = {}
        times = Fraction(1)
        for i, rate in enumerate(version.rates):
            if not self.holds(rate, row, model):
                continue
            if rate.times is not None:
                times *= rate.times
            for meter in METERS:
                price = getattr(rate, meter)
                if price is not None:
                    many = rate.per or (1_000_000 if meter in TOKENS else 1_000)
                    named[meter] = (price / many, i)
        found = {}
        at = self.offer.versions.index(version)
        for meter in METERS:
            for lender in (meter, *STANDS_IN.get(meter, [])):
                if lender in named:
                    price, i = named[lender]
                    price = price * times if meter in TOKENS else price
                    found[meter] = Amount(price, at * 1000 + i, lender)
                    break
        return found

    def holds(self, rate: Rate, row: Row, model: str) -> bool:
        when = rate.when
        size = sum(row.of(m) for m in ("input", "cache_read", "cache_write_5m", "cache_write_1h"))
        if when.input_above is not None and size <= when.input_above * row.of("requests"):  # the average one
            return False
        if when.tier is not None and row.tier not in when.tier:
            return False
        if when.models is not None and not any(self.offer.serves(n).name == model for n in when.models):
            return False
        if (when.from_ is not None and row.time < when.from_) or (
            when.until is not None and row.time >= when.until
        ):
            return False
        if when.weekdays is None and when.hours is None:
            return True
        local = row.time.astimezone(ZoneInfo(when.zone))
        minute = local.hour * 60 + local.minute
        days = when.weekdays or DAYS
        if when.hours is None:
            return DAYS[local.weekday()] in days
        start, end = (int(t[:2]) * 60 + int(t[3:]) for t in when.hours.split("-"))
        today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        if end > start:
            return today in days and start <= minute < end
        return (today in days and minute >= start) or (yesterday in days and minute < end)

    def unpublished(self, moment: datetime) -> bool:
        """Whether something about the limits then is not published."""
        version = self.version(moment)
        if version is None or isinstance(version.limits, str):
            return version is not None
        return any(limit.amount == "unknown" for _, limit in self.terms("limits", moment))

    # -- one request

    def serve(self, row: Row) -> int:
        """Serve what can be; returns how many of the row's requests are refused."""
        n = row.of("requests")
        version = self.version(row.time)
        if version is None or (self.unpublished(row.time) and not self.open):
            return n
        if self.offer.versions[-1].eligibility.deferrable and row.tier not in ("batch", "flex"):
            return n
        served = self.offer.serves(row.model)
        model = served.name if served is not None else self.default
        amounts = {m: row.of(m) for m in METERS}
        for rule in self.charges.rounding:
            if rule.per == "request" and rule.unit == "tokens":
                amounts.update({m: int(up(Fraction(amounts[m]), rule.increment)) for m in TOKENS})
        moment = row.time if self.clock is None else max(row.time, self.clock)
        moment, k = self.admitted(amounts, n, model, moment)
        prices = self.prices(row, model)
        while k > 0:
            trial = self.covered(amounts, n, k, model, moment, prices, row.tier)
            if trial is not None:
                break
            k -= 1
        if k == 0:
            return n
        if moment > row.time:
            self.result.queued += 1
            self.result.longest_wait = max(self.result.longest_wait, moment - row.time)
        self.clock = moment
        self.count(amounts, n, k, model, moment)
        assert trial is not None
        self.keep(trial, row, prices)
        return n - k

    def admitted(self, amounts: dict[str, int], n: int, model: str, moment: datetime) -> tuple[datetime, int]:
        """When, and how many, the limits let through."""
        while True:
            k = n
            wait = None
            for identity, limit in self.terms("limits", moment):
                counter = self.counter(identity, limit, model)
                if counter is None or limit.amount == "unknown":
                    continue
                asked = sum(amounts[m] for m in limit.meters if m not in limit.excludes)
                if asked == 0:
                    continue
                if limit.per == "request":
                    if Fraction(asked, n) > limit.amount:
                        return moment, 0
                    continue
                if limit.per == "rolling":
                    live = [e for e in counter.events if e[0] > moment - span_of(limit.window)]
                    used = sum(a for _, a in live)
                else:
                    live = []
                    key = window_key(moment, limit.per, limit.zone)
                    used = counter.used if counter.window == key else 0
                room = int(limit.amount) - used
                if asked <= room:
                    continue
                if n > 1:
                    k = min(k, room * n // asked)
                elif limit.exceeded == "queue" and asked <= limit.amount:
                    if limit.per == "rolling":
                        wait = live[0][0] + span_of(limit.window)
                    else:
                        wait = next_window(moment, limit.per, limit.zone)
                    break
                else:
                    return moment, 0
            if wait is None:
                return moment, k
            moment = wait

    def count(self, amounts: dict[str, int], n: int, k: int, model: str, moment: datetime) -> None:
        for identity, limit in self.terms("limits", moment):
            counter = self.counter(identity, limit, model)
            if counter is None or limit.per == "request" or limit.amount == "unknown":
                continue
            asked = sum(amounts[m] for m in limit.meters if m not in limit.excludes) * k // n
            if limit.per == "rolling":
                counter.events.append((moment, asked))
                continue
            key = window_key(moment, limit.per, limit.zone)
            if counter.window != key:
                counter.window, counter.used = key, 0
            counter.used += asked

    def covered(
        self, amounts: dict[str, int], n: int, k: int, model: str, moment: datetime,
        prices: dict[str, Amount], tier: str,
    ) -> dict[str, Any] | None:  # fmt: skip
        """What allowances cover of k of the n requests, or None when too little of it is covered."""
        rest = {m: amounts[m] * k // n for m in METERS}
        no_tokens = sum(amounts[m] for m in TOKENS) == 0
        given = Fraction(0)
        kept: list[tuple[Counter, dict[str, Any]]] = []
        used: list[tuple[Any, Allowance, dict[str, int]]] = []
        lacking: list[Allowance] = []
        gifts: list[tuple[Any, Fraction]] = []

        def due() -> Fraction:
            return sum((rest[m] * prices[m].price for m in METERS if m in prices), Fraction(0)) - given

        terms = self.terms("allowances", moment)
        terms.sort(key=lambda t: (t[1].unit in ("money", "credits"), t[1].order))
        for identity, a in terms:
            amount = self.size(a)
            if amount is None or (a.tier is not None and tier not in a.tier):
                continue
            counter = self.counter(identity, a, model)
            if counter is None or (isinstance(a.starts, datetime) and moment < a.starts):
                continue
            if a.unit == "tokens":
                need = Fraction(sum(rest[m] for m in a.meters if m != "requests"))
            elif a.unit == "requests":
                left_open = any(rest[m] for m in METERS[:7]) or (no_tokens and rest["requests"])
                need = Fraction(k if left_open else 0)
            else:
                need = due()
            if need <= 0:
                continue
            state = {
                "begun": counter.begun,
                "packs": counter.packs,
                "window": counter.window,
                "events": list(counter.events),
            }
            left = counter.left
            if counter.packs == 0:
                state["begun"] = a.starts if isinstance(a.starts, datetime) else moment
                state["packs"] = 1
                left = amount
            if self.expired(a, state["begun"], moment):
                if a.buy != "as_needed":
                    if a.used_up == "reject":
                        lacking.append(a)
                    continue
                state["begun"], left = moment, amount
                state["packs"] += 1
            if a.reset == "rolling":
                gone = [e for e in state["events"] if e[0] <= moment - span_of(a.window)]
                left += sum(e[1] for e in gone)
                state["events"] = state["events"][len(gone) :]
            elif a.reset != "none":
                key = window_key(moment, a.reset, a.zone)
                if key != state["window"]:
                    state["window"], left = key, amount
            if a.buy == "as_needed":
                while need > left:
                    left += amount
                    state["packs"] += 1
                    state["begun"] = moment
            take = min(need, left)
            if take < need and a.edge != "split":
                fully = int(left * k / need)  # of k average requests
                if a.edge == "whole" and fully * need < left * k:
                    fully += 1
                take = need if fully >= k else self.portion(a, need, fully, k)
            if take < need and a.used_up == "reject":
                lacking.append(a)
            if take <= 0:
                continue
            state["events"].append((moment, min(take, left)))
            state["left"] = max(left - take, Fraction(0))
            kept.append((counter, state))
            mine = dict.fromkeys(METERS, 0)
            if a.unit == "tokens":
                open_take = int(take)
                for m in METERS[:7]:
                    if m in a.meters:
                        mine[m] = min(rest[m], open_take)
                        open_take -= mine[m]
            elif a.unit == "requests":
                for m in METERS:
                    mine[m] = rest[m] if take >= k else rest[m] * int(take) // k
            else:
                given += take
                if a.price == 0:
                    gifts.append((identity, take))
            for m in METERS:
                rest[m] -= mine[m]
            used.append((identity, a, mine))
        anything = any(rest[m] for m in METERS[:7])
        if not (given > 0 and due() == 0):
            owed = self.charges.commitment
            covered = owed is not None and owed.buys == "capacity"
            if anything and not covered and not ({"input", "output", "requests"} & set(prices)):
                return None
            for a in lacking:
                if a.unit == "tokens" and any(rest[m] for m in a.meters if m != "requests"):
                    return None
                if a.unit == "requests" and (anything or (no_tokens and rest["requests"])):
                    return None
                if a.unit in ("money", "credits") and due() > 0:
                    return None
        return {"rest": rest, "given": given, "kept": kept, "used": used, "gifts": gifts}

    def portion(self, a: Allowance, need: Fraction, fully: int, k: int) -> Fraction:
        """What `fully` of k requests need: tokens are whole; money is whole in the smallest unit."""
        unit = self.money_unit() if a.unit in ("money", "credits") else Fraction(1)
        return need / unit * fully // k * unit

    def money_unit(self) -> Fraction:
        """Money is counted in the largest unit in which every price is whole."""
        from math import lcm

        scale = 1
        for v in self.offer.versions:
            for r in v.rates:
                for m in METERS:
                    if getattr(r, m) is not None:
                        scale = lcm(scale, r.unit_price(m).denominator)
        for v in self.offer.versions:
            for r in v.rates:
                scale *= r.times.denominator if r.times is not None else 1
            for a in v.allowances:
                if a.unit in ("money", "credits") and (size := self.size(a)) is not None:
                    scale = lcm(scale, size.denominator)
        for rule in self.charges.rounding:
            if rule.per == "request" and rule.unit == "money":
                scale = lcm(scale, rule.increment.denominator)
        return Fraction(1, scale)

    def size(self, a: Allowance) -> Fraction | None:
        """How much it gives; None when that is unknown and nothing is to be counted on."""
        if "unknown" in (a.amount, a.credit, a.expires_after) and not self.open:
            return None
        if a.amount == "unknown" or a.credit == "unknown":
            return Fraction(2**60)
        return a.amount * a.credit if a.unit == "credits" else Fraction(a.amount)

    def expired(self, a: Allowance, begun: datetime, moment: datetime) -> bool:
        if a.expires_after is None or isinstance(a.expires_after, str):
            return False
        if a.expires_after.months is not None:
            return moment >= months_after(begun, a.expires_after.months)
        return moment >= begun + span_of(a.expires_after)

    def keep(self, trial: dict[str, Any], row: Row, prices: dict[str, Amount]) -> None:
        for counter, state in trial["kept"]:
            for name, value in state.items():
                setattr(counter, name, value)
        for _, a, mine in trial["used"]:
            covered = sum(mine[m] for m in TOKENS)
            if a.price == 0:
                self.result.free_tokens += covered
            else:
                self.result.paid_tokens += covered
        self.credit += trial["given"]
        for identity, worth in trial["gifts"]:
            self.gifts[identity] += worth
        due = Fraction(0)
        for m in METERS:
            quantity = trial["rest"][m]
            if quantity == 0:
                continue
            if m not in prices:
                if m in TOKENS:
                    self.result.paid_tokens += quantity
                    self.by_rate += quantity
                if m != "requests" and not (
                    self.charges.commitment is not None and self.charges.commitment.buys == "capacity"
                ):
                    self.result.unpriced[m] = self.result.unpriced.get(m, 0) + quantity
                continue
            amount = prices[m]
            if m in TOKENS:
                if amount.price:
                    self.result.paid_tokens += quantity
                    self.by_rate += quantity
                else:
                    self.result.free_tokens += quantity
            due += quantity * amount.price
            month = self.month(row.time)
            self.lines[month, m, amount.price, amount.rate, amount.lender] += quantity
        for rule in self.charges.rounding:
            if rule.per == "request" and rule.unit == "money":
                self.extra += up(due, rule.increment) - due

    def month(self, moment: datetime) -> tuple[int, int] | None:
        charges = self.charges
        zone = None
        if charges.minimum is not None and charges.minimum.per == "month":
            zone = charges.minimum.zone
        elif any(r.per == "line" for r in charges.rounding):
            zone = next(r.zone for r in charges.rounding if r.per == "line")
        elif charges.commitment is not None and charges.commitment.buys == "spend":
            zone = charges.commitment.zone
        if zone is None:
            return None
        local = moment.astimezone(ZoneInfo(zone))
        return local.year, local.month

    # -- the whole

    def bill(self, rows: list[Row]) -> Result:
        result = self.result
        for row in rows:
            result.requests += row.of("requests")
            before = result.free_tokens + result.paid_tokens
            refused = self.serve(row)
            result.refused.append(refused)
            result.refused_tokens += row.tokens - (result.free_tokens + result.paid_tokens - before)
        result.served = result.requests - sum(result.refused)
        per_month: dict[Any, Fraction] = defaultdict(Fraction)
        for (month, _, price, rate, _), quantity in self.lines.items():
            billed = Fraction(quantity)
            due = billed * price
            for rule in self.offer.versions[rate // 1000].charges.rounding:
                if rule.per == "line" and rule.unit == "tokens":
                    due = up(billed, rule.increment) * price
                elif rule.per == "line":
                    due = nearest(due, rule.increment, rule.direction)
            per_month[month] += due
        gross = sum(per_month.values(), Fraction(0))
        for worth in self.gifts.values():  # free money frees tokens in proportion
            freed = int(self.by_rate * worth / gross)
            result.free_tokens += freed
            result.paid_tokens -= freed
        total = gross - self.credit + self.extra
        for version_terms in self.all_allowances():
            identity, a = version_terms
            packs = sum(c.packs for key, c in self.counters.items() if key[0] == identity)
            total += packs * a.price
        if rows and (self.open or not all(self.unpublished(row.time) for row in rows)):
            total = self.charged(total, per_month, rows[0].time, rows[-1].time)
        result.total = total
        return result

    def all_allowances(self) -> list[tuple[Any, Allowance]]:
        return [
            (("allowances", v, i), a)
            for v, version in enumerate(self.offer.versions)
            for i, a in enumerate(version.allowances)
        ]

    def charged(
        self, total: Fraction, per_month: dict[Any, Fraction], first: datetime, last: datetime
    ) -> Fraction:
        charges = self.charges
        for fixed in charges.fixed:
            total += fixed.amount * (len(months_in(first, last, fixed.zone)) if fixed.per == "month" else 1)
        if (owed := charges.commitment) is not None:
            price = owed.amount * owed.units
            if owed.per == "hour":
                hours = window_key(last, "hour", "UTC") - window_key(first, "hour", "UTC")
                periods = hours // timedelta(hours=1) + 1
            else:
                periods = len(months_in(first, last, owed.zone))
            if owed.buys == "capacity":
                total += price * periods
            elif owed.unused == "carry":
                total += max(price * periods - total, Fraction(0))
            else:
                for month in months_in(first, last, owed.zone):
                    total += max(price - per_month.get(month, Fraction(0)), Fraction(0))
        if (least := charges.minimum) is not None:
            if least.per == "bill":
                total = max(total, least.amount)
            else:
                for month in months_in(first, last, least.zone):
                    total += max(least.amount - per_month.get(month, Fraction(0)), Fraction(0))
        if charges.platform_fee is not None and total > 0:
            total += max(total * charges.platform_fee.percent / 100, charges.platform_fee.minimum)
        for rule in charges.rounding:
            if rule.per == "bill":
                total = nearest(total, rule.increment, rule.direction)
        return total


def months_in(first: datetime, last: datetime, zone: str) -> list[tuple[int, int]]:
    """Calendar months from the first request's to the last one's."""
    start: date = first.astimezone(ZoneInfo(zone)).date()
    end: date = last.astimezone(ZoneInfo(zone)).date()
    found = [(start.year, start.month)]
    while found[-1] < (end.year, end.month):
        year, month = found[-1]
        found.append((year + month // 12, month % 12 + 1))
    return found


def instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
