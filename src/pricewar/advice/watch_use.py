"""What the log says of an offer's allowances and limits: what runs out, what expires, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from pricewar.advice import watch_pace as pace
from pricewar.advice.watch_pace import Counter, Demand, Projection
from pricewar.advice.watch_result import Finding, Severity, sources_of
from pricewar.advice.watch_terms import Bench, Watching, as_logged, difference
from pricewar.billing.desk import Interval
from pricewar.billing.run import served_by
from pricewar.billing.tariff import microseconds, tariff
from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.offers.schema import Allowance
from pricewar.units import count, money

if TYPE_CHECKING:
    from pricewar.usage.log import Log

MONTH = Fraction(487, 16)
"""Days of a month: 365.25 / 12."""


def between(log: Log, start: datetime | None, end: datetime | None) -> Log | None:
    """The rows from `start` on and before `end`; None when there are none."""

    def part() -> Iterator[pl.DataFrame]:
        for frame in log.batches():
            kept = frame
            if start is not None:
                kept = kept.filter(pl.col("time") >= start)
            if end is not None:
                kept = kept.filter(pl.col("time") < end)
            if len(kept):
                yield kept

    rows, first, last = 0, None, None
    for frame in part():
        rows += len(frame)
        first, last = first or frame["time"][0], frame["time"][-1]
    if first is None or last is None:
        return None
    return replace(log, rows=rows, span=(first, last), ordered=True, in_memory=False, _held=None, _again=part)


def _names(catalogue: Catalogue, log: Log) -> tuple[list[tuple[str | None, str]], dict[int, str]]:
    """Models logged in order of appearance, and how the list calls those that it has."""
    models: dict[tuple[str | None, str], int] = {}
    for frame in log.batches():
        for pair in frame.select("vendor", "model").unique(maintain_order=True).rows():
            models.setdefault(pair, len(models))
    names: dict[int, str] = {}
    for pair, i in models.items():
        listed = catalogue.listed(*pair)
        if listed is not None:
            names[i] = listed.latest.models[0].name
    return list(models), names


def running_out(
    offer: Offer, log: Log, bench: Bench, w: Watching, *, recent: int, began: datetime | None
) -> Iterator[Finding]:
    """Allowances and limits of an offer at the present rate, each on its own clock."""
    found = tariff(offer, frozen=w.now)
    if found is None or not (found.allowances or found.limits):
        return
    models, names = _names(bench.catalogue, log)
    served, _ = served_by(found, models, names)
    made, unsaid = pace.counters(found, served[: len(models)], log)
    sources = sources_of(found.record)
    for what in unsaid:
        yield Finding("unpublished", "note", offer.id, what, "count on nothing of it", sources=sources)
    begin = microseconds(began) if began is not None else None
    for counter in made:
        d = pace.demand(log, found, counter, names, recent)
        if d is None:
            continue
        p = pace.project(counter, d, microseconds(w.until), begin, microseconds(w.now))
        expected = w.plan is not None and offer.id in w.plan.candidates
        if expected and not counter.allowance and w.plan is not None:
            expected = w.plan.candidates[offer.id].served < 1
        else:
            expected = False
        yield from _told(offer, counter, d, p, log, bench, w, began is None, expected)
        if counter.per == "none":
            yield from _expires(offer, counter, d, p, w, begin, found.record.currency)


def _told(
    offer: Offer,
    counter: Counter,
    d: Demand,
    p: Projection,
    log: Log,
    bench: Bench,
    w: Watching,
    assumed: bool,
    expected: bool,
) -> Iterator[Finding]:
    if p.status == "no":
        return
    currency = offer.latest.currency
    zone = ZoneInfo(counter.zone)
    at = _instant(p.at, zone)
    soonest, latest = _instant(p.earliest, zone), _instant(p.latest, zone)
    name = _name(counter, currency)
    used, rate = _quantity(p.used, counter.unit, currency), _quantity(d.rate, counter.unit, currency)
    pace_words = f"{rate} a day over the last {d.n} whole days ({counter.zone})"
    period = {"none": "since it began", "rolling": "in the window"}.get(counter.per, f"this {counter.per}")
    severity: Severity
    if p.status == "out":
        severity = "now"
        what = f"{name} is used up: {used} {period}; {pace_words}"
    elif p.status == "will":
        severity = "now" if p.at is not None and p.at <= microseconds(w.now) else "soon"
        what = f"{name} runs out on {at} at the present rate{_range(soonest, latest, p)}: {pace_words}"
        if counter.per == "day":
            what = f"{name} does not last the day: {pace_words}; used up on {p.over} of them"
        elif p.used:
            what += f", {used} used {period}"
    else:
        severity = "note"
        what = f"{name} may run out, at the earliest on {soonest}: {pace_words}"
    if counter.per == "none" and assumed and p.status != "may":
        what += "; counted from the log's first request"
    if expected and severity != "note":
        severity, what = "note", f"{what}; the plan expects it to refuse work"
    args = {
        "unit": counter.unit,
        "per": counter.per,
        "zone": counter.zone,
        "model": counter.model,
        "amount": counter.amount,
        "used": p.used,
        "rate_a_day": d.rate,
        "days": d.n,
        "days_over": p.over,
        "status": p.status,
        "runs_out": at,
        "earliest": soonest,
        "latest": latest,
        "period_start": _instant(p.start, zone),
        "period_end": _instant(p.end, zone),
        "log_known_until": _instant(d.end, zone),
    }
    by = pace.moment(p.at if p.at is not None else p.earliest or d.end).astimezone(zone).date()
    amount = _afterwards(offer, counter, log, bench, w) if severity != "note" else None
    key = "allowance" if counter.allowance else "limit"
    yield Finding(key, severity, offer.id, what, _do(counter), by, amount,
                  sources_of(offer.on(w.now)), args)  # fmt: skip


def _do(counter: Counter) -> str:
    t = counter.term
    if isinstance(t, Allowance):
        if t.price and t.buy == "as_needed":
            return "the next pack is bought then: see whether a larger one, or none, is cheaper"
        if t.used_up == "reject":
            return "have another offer take what is refused, or leave before then"
        return "from then on it is paid: cap the spending, or leave before then"
    return "spread the work, or have another offer take what is refused"


def _afterwards(offer: Offer, counter: Counter, log: Log, bench: Bench, w: Watching) -> Interval | None:
    """What a month costs more once the allowance is gone: the same work without it; of a limit, nothing here
    (`refused` tells it)."""
    if not isinstance(counter.term, Allowance) or counter.per != "none":
        return None
    bare = Offer(
        offer.id + "/without",
        tuple(
            v.model_copy(update={"allowances": [a for a in v.allowances if a != counter.term]})
            for v in offer.versions
        ),
        offer.own,
    )
    now, then = bench.cost(offer, log, w.now), bench.cost(bare, log, w.now)
    if then.entry is None:  # it sells nothing else: the work goes back to where it was logged
        rest = as_logged(bench, log, w.now)
        return None if rest is None else difference(Interval(rest, rest, rest), now.total)
    return difference(then.total, now.total)


def _expires(
    offer: Offer, counter: Counter, d: Demand, p: Projection, w: Watching, began: int | None, currency: str
) -> Iterator[Finding]:
    start = d.first if began is None else began
    end = pace.expiry(counter, start)
    if end is None or p.status in ("out", "will") or not microseconds(w.since) < end <= microseconds(w.until):
        return
    rest = max(counter.amount - p.used - d.rate * max(end - d.end, 0) / pace.DAY, Fraction(0))
    day = pace.moment(end).astimezone(ZoneInfo(counter.zone)).date()
    past = end <= microseconds(w.now)
    counted = "counted from the log's first request: at the latest" if began is None else "from its beginning"
    what = f"{_name(counter, currency)} {'is void since' if past else 'is void on'} {day} ({counted})"
    what += f"; about {_quantity(rest, counter.unit, currency)} of it will be unused" if rest else ""
    do = "from then on it is paid, or refused: leave before then, or use it up"
    yield Finding("expires", "now" if past else "soon", offer.id, what, do, day, None,
                  sources_of(offer.on(w.now)), {"unused": rest, "unit": counter.unit})  # fmt: skip


def _name(counter: Counter, currency: str) -> str:
    amount = _quantity(counter.amount, counter.unit, currency)
    per = {"none": "", "rolling": " in any window"}.get(counter.per, f" a {counter.per}")
    kind = "the allowance" if counter.allowance else "the limit"
    return f"{kind} of {amount}{per}" + (f" for {counter.model}" if counter.model else "")


def _quantity(value: Fraction, unit: str, currency: str) -> str:
    return money(value, currency) if unit == "money" else f"{count(value)} {unit}"


def _instant(us: int | None, zone: ZoneInfo) -> str | None:
    return None if us is None else f"{pace.moment(us).astimezone(zone):%Y-%m-%d %H:%M}"


def _range(soonest: str | None, latest: str | None, p: Projection) -> str:
    if soonest == latest:
        return "" if soonest else " (too few days for an interval)"
    after = latest or ("not before it is renewed" if p.end is not None else "not within the window")
    return f" (95%: {soonest} to {after})" if latest else f" (95%: {soonest}, or {after})"


def refused(
    offer: Offer, log: Log, bench: Bench, w: Watching, *, recent: int, above: Fraction
) -> Iterator[Finding]:
    """More refused of late than the plan expects, or, without a plan, than before in the log."""
    assert log.span is not None
    found = tariff(offer, frozen=w.now)
    if found is None or not (found.limits or found.allowances or found.unknown):
        return
    edge = log.span[1] - recent * timedelta(days=1) + timedelta(microseconds=1)
    late, early = between(log, edge, None), between(log, None, edge)
    if late is None:
        return
    now = bench.cost(offer, late, w.now)
    if now.entry is None or now.served.mid is None:
        return
    share = 1 - now.served.mid
    planned = w.plan.candidates.get(offer.id) if w.plan is not None else None
    if planned is not None:
        expected, as_ = 1 - planned.served, "the plan expects"
    else:
        before = bench.cost(offer, early, w.now) if early is not None else None
        before_mid = before.served.mid if before is not None else None
        expected, as_ = (Fraction(0), "") if before_mid is None else (1 - before_mid, "before, it was")
    if share <= expected + above:
        return
    causes = "; ".join(dict.fromkeys(t.text for t, _, _ in now.entry.bill.refused))
    held = f" ({as_} {float(expected):.0%})" if as_ else ""
    what = f"in the last {recent} days {float(share):.0%} of the requests would be refused{held}: {causes}"
    days = min(Fraction(recent), Fraction(max((late.span[1] - late.span[0]) / timedelta(days=1), 1)))  # type: ignore[index]
    over = now.entry.overflow
    amount = None
    if over.mid is not None:
        scale = MONTH / days
        amount = Interval(*(None if x is None else x * scale for x in (over.low, over.mid, over.high)))
    do = "move part of the work, or advise again"
    args = {"share": share, "expected": expected, "days": recent}
    yield Finding("refused", "now", offer.id, what, do, None, amount, sources_of(offer.on(w.now)), args)


__all__ = ["MONTH", "between", "refused", "running_out"]
