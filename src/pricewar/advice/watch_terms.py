"""What vendors have changed, or say that they will: prices, limits, ends and retirements of watched offers.

A change is billed, not read: the work passes through the terms before and after, so that a price rise is told
from new terms that cost this team nothing. As of a past day only what was known by then counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from pricewar.advice.watch_plan import SavedPlan
from pricewar.advice.watch_result import Finding, Severity, amount_words, newest, sources_of
from pricewar.billing.desk import Entry, Interval, compare
from pricewar.units import UNKNOWN

if TYPE_CHECKING:
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.offers.schema import End, OfferRecord
    from pricewar.usage.log import Log

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Cost:
    """A month of the work on one offer's terms at a moment, refused work included, in the watch's currency.

    `why` says why there is none; `own` what it refuses costs nothing of.
    """

    total: Interval
    served: Interval
    entry: Entry | None
    why: str | None = None


NOTHING = Interval(None, None, None)


@dataclass
class Bench:
    """Where watched work is billed: once for each offer, moment and chain.

    Attributes:
        month: how much of the logged work a month is.
    """

    catalogue: Catalogue
    currency: str
    month: Fraction
    _kept: dict[tuple[str, int, datetime, tuple[str, ...]], Cost] = field(default_factory=dict)
    _logs: list[Log] = field(default_factory=list)  # held, so that no other log can have its identity

    def cost(self, offer: Offer, log: Log, moment: datetime, chain: tuple[str, ...] = ()) -> Cost:
        """What the work in `log` costs on `offer`; `chain` takes what it refuses, then what was logged."""
        key = (offer.id, id(log), moment, chain)
        if key not in self._kept:
            self._logs.append(log)
            done = compare(
                log, self.catalogue, [offer], currency=self.currency, frozen=moment, overflow_to=chain
            )
            if done.entries:
                (entry,) = done.entries
                total = Interval(*(None if x is None else x * self.month for x in _three(entry.total)))
                why = None if total.mid is not None else "what it refuses has no known price"
                self._kept[key] = Cost(total, entry.served, entry, why)
            else:
                self._kept[key] = Cost(NOTHING, NOTHING, None, done.not_billed[0][1].text)
        return self._kept[key]


def _three(i: Interval) -> tuple[Fraction | None, ...]:
    return i.low, i.mid, i.high


def difference(after: Interval, before: Interval) -> Interval | None:
    """What is more afterwards, end by end: both rest on the same assumptions."""
    if after.mid is None or before.mid is None:
        return None
    ends = [
        a - b if a is not None and b is not None else None
        for a, b in zip(_three(after), _three(before), strict=True)
    ]
    known = [e for e in ends if e is not None]
    whole = len(known) == len(ends)
    return Interval(min(known) if whole else None, ends[1], max(known) if whole else None)


@dataclass(frozen=True)
class Watching:
    """The days that count, and the plan.

    Attributes:
        now: the beginning of the day of the watch, UTC; changes in force in (since, until] are told.
    """

    now: datetime
    since: datetime
    until: datetime
    plan: SavedPlan | None

    def when(self, moment: datetime) -> Severity:
        return "now" if moment <= self.now else "soon"


def midnight(day: date) -> datetime:
    """The beginning of a day, UTC."""
    return datetime.combine(day, time(), UTC)


def terms(
    offer: Offer, role: str, log: Log, bench: Bench, w: Watching, ends: dict[str, list[End]]
) -> Iterator[Finding]:
    """What changes, ends or is announced of one offer; of the offer the plan would go to, as notes."""
    day = bench.catalogue.as_of
    stops: set[date] = set()
    for version in offer.versions:
        starts = version.in_force.from_
        if isinstance(starts, datetime) and w.since < starts <= w.until:
            before = offer.on(starts - INSTANT)
            if before is not None:
                stops.add(starts.date())
                yield _as(role, _changed(offer, before, version, starts, log, bench, w))
        end = version.in_force.end
        if end is not None and w.since < end <= w.until and offer.on(end) is None:
            stops.add(end.date())
            yield _as(role, _ends("ends", offer, version, end, log, bench, w, ends.get(offer.id, [])))
    current = offer.on(w.now)
    if current is None:
        last = max((v.in_force.end for v in offer.versions if v.in_force.end), default=None)
        if last is not None and last <= w.since:
            yield _as(role, _ends("gone", offer, offer.latest, last, log, bench, w, ends.get(offer.id, [])))
        elif last is None and not offer.after(w.now):
            what = "its terms are not on record for this day"
            yield _as(role, Finding("gone", "now", offer.id, what, _leave(w, offer.id, "ended"),
                                    sources=sources_of(offer.latest)))  # fmt: skip
        return
    retired = current.lifecycle.retired_on
    if isinstance(retired, datetime) and w.since < retired <= w.until and retired.date() not in stops:
        known = retired.date() <= day or current.recorded <= day  # nobody recorded when it was announced
        stops.add(retired.date())
        if known:
            yield _as(role, _ends("retires", offer, current, retired, log, bench, w, ends.get(offer.id, [])))
    if current.in_force.perhaps_over:
        what = "its terms are said to have ended, on a day that nobody has published"
        yield _as(role, Finding("over", "now", offer.id, what, _leave(w, offer.id, "ended"),
                                sources=sources_of(current)))  # fmt: skip
    for change in current.lifecycle.announced:
        on = change.effective
        told = isinstance(change.announced_on, date) and change.announced_on > day
        if told or not isinstance(on, datetime) or not w.since < on <= w.until:
            continue
        if any(abs((on.date() - stop).days) <= 1 for stop in stops):
            continue  # the same change, with its figures
        args = {"announced_on": str(change.announced_on)}
        yield _as(role, Finding("announced", w.when(on), offer.id, f"announced in words: {change.what}",
                                "read the announcement; its figures are not on record, so it was not billed",
                                on.date(), None, sources_of(current), args))  # fmt: skip


def _as(role: str, found: Finding) -> Finding:
    if role == "rest":  # how much of the work comes here is not known, so that no amount is told
        ending = found.key in ("ends", "retires", "gone", "over")
        return replace(
            found,
            severity=found.severity if ending else "note",
            what=f"(takes what the plan's offers refuse) {found.what.split(' (+')[0].split(' (−')[0]}",
            do="name another that takes what is refused: advise again, with a new gateway"
            if ending
            else found.do,
            amount=None,
        )
    if role != "next" or not found.due:
        return found
    what = f"(where the plan would go next) {found.what}"
    return Finding(found.key, "note", found.offer, what, "advise again: the plan's way out has changed",
                   found.by, found.amount, found.sources, found.args)  # fmt: skip


def _changed(
    offer: Offer,
    before: OfferRecord,
    after: OfferRecord,
    starts: datetime,
    log: Log,
    bench: Bench,
    w: Watching,
) -> Finding:
    then, later = bench.cost(offer, log, starts - INSTANT), bench.cost(offer, log, starts)
    more = difference(later.total, then.total)
    a, b = then.served.mid, later.served.mid
    args = {
        "served_before": a,
        "served_after": b,
        "served_after_most": later.served.high,
        "announced_on": str(after.known_on),
        "kind_before": before.kind,
        "kind_after": after.kind,
    }
    intro = before.kind == "introductory" and after.kind != "introductory"
    past = starts <= w.now
    head = ("its introductory price ended" if past else "its introductory price ends") if intro else ""
    words = amount_words(more, bench.currency)
    on = f"{starts:%Y-%m-%d}"
    key, severity = "terms", w.when(starts)
    refused = f"it {'serves' if past else 'will serve'} {_share(b)} of the requests"
    if (most := later.served.high) is not None and b is not None and most > b:
        refused += f" for certain, {_share(most)} if no unpublished limit binds"
    refused += f", before {_share(a)}"
    if a is not None and b is not None and b < a:
        key = "tighter"
        what = f"{head or 'its limits or allowances shrink'} on {on}: {refused}"
    elif more is None or more.mid is None:
        why = later.why or then.why
        what = f"{head or 'new terms'} on {on}, which cannot be billed: {why}"
    elif more.mid > 0:
        key, what = "rise", f"{head or 'its price rises'} on {on}"
    elif more.mid < 0:
        key, severity, what = "fall", "note", f"{head or 'it becomes cheaper'} on {on}"
    else:
        severity, what = "note", f"{head or 'new terms'} on {on}, which change nothing for this work"
    do = "nothing; the plan may be worth making again" if severity == "note" else _prepare(w, offer.id)
    if intro and severity != "note":
        do = _leave(w, offer.id, "ended", stay_word="expect the higher bill")
    what += f" ({words}, refused work included)" if more is not None and more.mid else ""
    return Finding(key, severity, offer.id, what, do, starts.date(), more, sources_of(after), args)


def _ends(
    key: str,
    offer: Offer,
    record: OfferRecord,
    end: datetime,
    log: Log,
    bench: Bench,
    w: Watching,
    ends: list[End],
) -> Finding:
    """An offer or its model ceases: the work then costs what it costs as logged, where that is another's."""
    past = end <= w.now
    said = [e for e in ends if e.on == end]
    now = bench.cost(offer, log, end - INSTANT)
    more = None
    if now.entry is not None and now.total.mid is not None:
        rest = as_logged(bench, log, end)
        if rest is not None:
            more = difference(Interval(rest, rest, rest), now.total)
    on = f"{end:%Y-%m-%d}" + ("" if (end.hour, end.minute) == (0, 0) else f" {end:%H:%M} UTC")
    told = next((e.announced for e in said if isinstance(e.announced, datetime)), None)
    verb = {
        "ends": ("it ended", "it ends"),
        "retires": ("its model was retired", "its model is retired"),
        "gone": ("it is not in force since", ""),
    }[key][0 if past else 1]
    what = f"{verb} {'' if key == 'gone' else 'on '}{on}"
    what += f" (announced {told:%Y-%m-%d})" if told is not None else ""
    if more is not None and more.mid:
        what += f"; the work then costs {amount_words(more, bench.currency)} as logged"
    elif record.kind == "list":
        more = None
    state = "retired" if key == "retires" else "ended"
    return Finding(
        key,
        w.when(end),
        offer.id,
        what,
        _leave(w, offer.id, state),
        end.date(),
        more,
        sources_of(None if said else record, said),
        {"announced_on": f"{told:%Y-%m-%d}" if told is not None else UNKNOWN, "kind": record.kind},
    )


def as_logged(bench: Bench, log: Log, moment: datetime) -> Fraction | None:
    """A month of the work at the list prices of the models logged, then."""
    done = compare(log, bench.catalogue, [], currency=bench.currency, frozen=moment)
    return done.baseline * bench.month if done.baseline is not None else None


def _leave(w: Watching, offer: str, state: str, stay_word: str = "stay and pay") -> str:
    """What the plan says to do in such a case, else what anybody would."""
    if w.plan is not None and offer in w.plan.offers:
        for trigger in w.plan.triggers:
            if trigger.key == "turns" and trigger.args.get("state") == state:
                to = w.plan.rise(w.now.date())
                leave = not trigger.args.get("stay", True)
                return f"the plan says: {trigger.then}" + (
                    f"; for {to.to}" if leave and to is not None else ""
                )
    if stay_word != "stay and pay":
        return f"{stay_word}, or advise again"
    return "move before then: `pricewar advise` says where to"


def _prepare(w: Watching, offer: str) -> str:
    if w.plan is not None and offer in w.plan.offers:
        return "see whether the plan's trigger is reached; advise again if it is not the plan's any more"
    return "expect it in the bill; `pricewar advise` says whether leaving pays"


def _share(share: Fraction | None) -> str:
    return "an unknown share" if share is None else f"{float(share):.0%}"


def stale(offer: Offer, w: Watching, within: int) -> Finding | None:
    """The offer's terms have not been read for longer than `within` days."""
    record = offer.on(w.now) or offer.latest
    sources = newest(record.sources)
    read = sources[0].read_on
    age = (w.now.date() - read).days
    if age <= within:
        return None
    do = (
        "`pricewar offers --refresh` for list prices; a newer pricewar, or a record of your own, for the rest"
    )
    what = f"its terms were last read on {read}, {age} days ago: what changed since is not known here"
    return Finding("stale", "now", offer.id, what, do, None, None, sources[:1], {"days": age})


__all__ = ["Bench", "Cost", "Watching", "as_logged", "difference", "midnight", "stale", "terms"]
