"""What is due: the catalogue of a day against the plan, or against what the log is billed on.

    found = watch(log, load_catalogue(day), plan=read_plan(Path("plan.json")))
    [f.what for f in found.due]

Nothing is simulated: with a saved plan its triggers and days are taken from it, and the log is billed only on
what is watched, on terms that change, and on offers that could be better. With nothing new there is nothing
due. What was not judged is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from pricewar.advice.watch_better import Search, better
from pricewar.advice.watch_plan import SavedPlan
from pricewar.advice.watch_result import Finding, Item, Watched, amount_words, newest, sources_of
from pricewar.advice.watch_terms import Bench, Watching, difference, midnight, stale, terms
from pricewar.advice.watch_use import MONTH, refused, running_out
from pricewar.advice.workload import part_of, workload
from pricewar.billing.desk import Interval
from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.offers.diff import ends_of

if TYPE_CHECKING:
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.usage.log import Log

WITHIN, RECENT, READ_WITHIN, NEWS = 30, 7, 90, 7
ABOVE = Fraction(1, 20)
LOG_OLD = 7


@dataclass(frozen=True)
class Settings:
    """What counts as due.

    Attributes:
        within: days ahead that are looked at.
        since: changes from after this day are told; None: from the plan's day, or a week back without a plan.
        recent: whole days that the present rate is taken from.
        above: share of requests refused beyond what is expected, from which it is due.
        read_within: days after which a source counts as old.
        began: when gifts and packs began; None: with the log's first request.
        search: how to look for a better offer; None: not at all.
    """

    within: int = WITHIN
    since: date | None = None
    recent: int = RECENT
    above: Fraction = ABOVE
    read_within: int = READ_WITHIN
    began: datetime | None = None
    search: Search | None = None


@dataclass
class _Place:
    """An offer that is watched with the part of the log that it serves."""

    offer: Offer
    role: str
    log: Log
    chain: tuple[str, ...] = ()


@dataclass
class _Found:
    items: list[_Place] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def watch(
    log: Log,
    catalogue: Catalogue,
    *,
    plan: SavedPlan | None = None,
    offers: Sequence[str] = (),
    only: Sequence[str] = (),
    currency: str | None = None,
    settings: Settings | None = None,
    progress: Callable[[str], None] | None = None,
) -> Watched:
    """All that is due on the catalogue's day.

    Args:
        plan: what was advised; its offers are watched, its triggers and days held against the day.
        offers: ids to watch instead; the later ones take, in order, what the first refuses.
        only: watch requests for these models alone; the plan's own when it has some.
        currency: of amounts; the plan's, else USD.

    Raises:
        ConfigurationError: an offer is unknown; the day lies before the plan's.
        DataError: the log spans less than half a day, or holds nothing of `only`.
    """
    say = progress or (lambda _: None)
    s = settings or Settings()
    day = catalogue.as_of
    if plan is not None and day < plan.start:
        raise ConfigurationError(
            f"{day} lies before the plan, which is of {plan.start}",
            where="--as-of",
            remedy="give a later day",
        )
    only = only or (plan.only if plan is not None else ())
    work_log = part_of(log, only) if only else log
    money = currency or (plan.currency if plan is not None else "USD")
    since = s.since or (plan.start if plan is not None else day - timedelta(days=NEWS))
    w = Watching(midnight(day), midnight(since), midnight(day) + timedelta(days=s.within), plan)
    say("billing the log")
    work = workload(work_log, catalogue, [], day, currency=money)
    days = Fraction(work.days)
    bench = Bench(catalogue, money, MONTH / days)
    found = _places(work_log, catalogue, plan, offers, work.comparison.models)
    ends = ends_of(catalogue)
    for place in found.items:
        say(f"watching {place.offer.id}")
        found.findings += terms(place.offer, place.role, place.log, bench, w, ends)
        old = stale(place.offer, w, s.read_within)
        if old is not None:
            found.findings.append(old)
        if place.role not in ("next", "rest") and place.offer.on(w.now) is not None:
            found.findings += running_out(place.offer, place.log, bench, w, recent=s.recent, began=s.began)
            if not place.chain:
                found.findings += refused(place.offer, place.log, bench, w, recent=s.recent, above=s.above)
    if plan is not None:
        found.findings += _triggers(plan, found.items, bench, w)
    found.findings += _log_age(work_log, w)
    if work.short:
        what = f"the log covers {float(days):.1f} days, too few to show a week: amounts a month are rough"
        found.findings.append(Finding("log_short", "note", "", what, "give a longer log"))
    if plan is not None and plan.evaluated and (s.search is None or s.search.evidence is None):
        what = (
            "the plan was made with your own evaluations, which were not given: quality is not judged by them"
        )
        found.findings.append(Finding("not_judged", "note", "", what, "name them with --evals"))
    if s.search is not None:
        say("looking for a better offer")
        current = _current(found.items, bench, w, work.comparison.baseline)
        found.findings += better(
            work_log,
            bench,
            w,
            s.search,
            current,
            [i.offer for i in found.items if i.role not in ("next", "rest")],
        )
    watched = Watched(
        day,
        since,
        w.until.date(),
        money,
        days,
        [
            Item(p.offer.id, p.role, newest((p.offer.on(w.now) or p.offer.latest).sources)[0].read_on)
            for p in found.items
        ],
        list(_once(found.findings)),
    )
    watched.sort()
    return watched


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each once: two applications may be billed on the same offer."""
    seen: set[tuple[str, str, date | None, str]] = set()
    for f in findings:
        if (f.key, f.offer, f.by, f.what) not in seen:
            seen.add((f.key, f.offer, f.by, f.what))
            yield f


def _places(
    log: Log, catalogue: Catalogue, plan: SavedPlan | None, offers: Sequence[str], models: Sequence
) -> _Found:
    """What to watch, and what cannot be."""
    found = _Found()
    chosen = offers or (plan.offers if plan is not None else ())
    if chosen:
        role = "named" if offers else "plan"
        for i, id in enumerate(chosen):
            if id not in catalogue.offers and not offers:
                what = f"the plan's offer {id} is not in the catalogue of {catalogue.as_of}"
                found.findings.append(Finding("gone", "now", id, what, "advise again"))
                continue
            chain = tuple(chosen[1:]) if i == 0 else ()
            found.items.append(_Place(catalogue.offer(id), role, log, chain))
        for rise in plan.rises if plan is not None and not offers else ():
            if rise.to not in {p.offer.id for p in found.items} and rise.to in catalogue.offers:
                found.items.append(_Place(catalogue.offers[rise.to], "next", log))
        for use in models if plan is not None and not offers else ():
            if use.offer is not None and use.offer.id not in {p.offer.id for p in found.items}:
                found.items.append(_Place(use.offer, "rest", log))
        return found
    by_offer: dict[str, list[str]] = {}
    for use in models:
        if use.offer is None:
            near = did_you_mean(use.model, catalogue.offers)
            what = f"no list price is known for {use.model} ({use.requests:,} requests): it is not watched"
            do = "name the offer it is billed on with --offers" + (f" ({near})" if near else "")
            found.findings.append(Finding("unlisted", "note", "", what, do, args={"model": use.model}))
        else:
            by_offer.setdefault(use.offer.id, []).append(use.model)
    for id, names in by_offer.items():
        part = log if len(names) == len(models) else part_of(log, [_literal(n) for n in names])
        found.items.append(_Place(catalogue.offers[id], "logged", part))
    return found


def _literal(name: str) -> str:
    """A pattern that matches this name alone."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _current(
    places: Sequence[_Place], bench: Bench, w: Watching, baseline: Fraction | None
) -> Interval | None:
    """A month of the work where it is now: on the plan's offers, those named, or as logged."""
    mine = [p for p in places if p.role in ("plan", "named")]
    if mine:
        return bench.cost(mine[0].offer, mine[0].log, w.now, mine[0].chain).total
    if baseline is None or any(p.role == "logged" and p.offer.on(w.now) is None for p in places):
        return None
    logged = baseline * bench.month
    return Interval(logged, logged, logged)


def _triggers(plan: SavedPlan, places: Sequence[_Place], bench: Bench, w: Watching) -> Iterator[Finding]:
    """Conditions of the plan that have come, and days on which it asked to be looked at."""
    for look in plan.looks:
        if look.day <= w.until.date() and look.day > plan.start:
            severity = "now" if look.day <= w.now.date() else "soon"
            yield Finding("look_again", severity, plan.offers[0], f"the plan asked to look again: {look.why}",
                          "advise again and save the new plan", look.day,
                          args={"key": look.key, "plan_of": plan.start})  # fmt: skip
    first = next((p for p in places if p.role == "plan"), None)
    if first is None:
        return
    yield from _leave(plan, first, bench, w)
    for trigger in plan.triggers:
        if trigger.key == "month" and plan.months(w.until.date()) >= int(trigger.args.get("month", 10**6)):
            on = _add_months(plan.start, int(trigger.args["month"]))
            yield Finding("trigger", w.when(midnight(on)), first.offer.id, f"reached: {trigger.when}",
                          trigger.then, on, args={"trigger": trigger.key})  # fmt: skip
        if trigger.key == "gone":
            now = bench.cost(first.offer, first.log, w.now)
            planned = plan.candidates.get(first.offer.id)
            if now.served.high == 0 and planned is not None and planned.served > 0:
                yield Finding("trigger", "now", first.offer.id, f"reached: {trigger.when}", trigger.then,
                              sources=sources_of(first.offer.on(w.now)),
                              args={"trigger": trigger.key})  # fmt: skip


def _leave(plan: SavedPlan, first: _Place, bench: Bench, w: Watching) -> Iterator[Finding]:
    """The rise from which leaving pays: today's work on the terms of the plan's day, against now and what is
    announced. Growth of the work is no rise."""
    offer = first.offer
    start = midnight(plan.start)
    if offer.on(start) is None:
        return
    base = bench.cost(offer, first.log, start).total
    moments = [
        w.now,
        *(v.in_force.from_ for v in offer.after(w.now) if isinstance(v.in_force.from_, datetime)),
    ]
    for moment in moments:
        if moment > w.until or offer.on(moment) is None:
            return
        rise = plan.rise(moment.date())
        more = difference(bench.cost(offer, first.log, moment).total, base)
        if rise is None or more is None or more.mid is None or rise.monthly <= 0:
            continue
        threshold = Fraction(rise.monthly)
        if more.mid < threshold:
            continue
        bound = Interval(threshold, threshold, threshold)
        words = amount_words(bound, bench.currency).removeprefix("+")
        what = (
            f"dearer than on the plan's day by {amount_words(more, bench.currency)}; "
            f"from {words} leaving pays, after {rise.months} months of use"
        )
        yield Finding("trigger", w.when(moment), offer.id, what, f"leave for {rise.to}",
                      moment.date() if moment > w.now else None, more, sources_of(offer.on(moment)),
                      {"trigger": "rise", "threshold_a_month": threshold, "months": rise.months,
                       "to": rise.to})  # fmt: skip
        return


def _add_months(day: date, months: int) -> date:
    at = day.month - 1 + months
    return date(day.year + at // 12, at % 12 + 1, min(day.day, 28))


def _log_age(log: Log, w: Watching) -> Iterator[Finding]:
    assert log.span is not None
    age = (w.now - log.span[1]).days
    if age > LOG_OLD:
        what = f"the log ends on {log.span[1]:%Y-%m-%d}, {age} days ago: its rate is taken to have held since"
        yield Finding("log_old", "note", "", what, "watch with a newer log", args={"days": age})


__all__ = ["Settings", "watch"]
