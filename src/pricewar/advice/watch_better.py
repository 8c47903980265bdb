"""A better offer: good enough by evidence, cheaper for this work, and worth the move.

The bar is the plan's and advice's own (`candidates.screen`, `evidence`). Beside a plan only what is new since
its day is told: the plan has weighed the rest. What evidence leaves undecided is counted and named, and never
proposed. Gifts, packs, capacity and introductory prices are for `pricewar advise` to weigh: what they save
does not last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from pricewar.advice.candidates import present_model, screen
from pricewar.advice.evidence import published
from pricewar.advice.team import DAY_USD, Team
from pricewar.advice.watch_result import Finding, amount_words, sources_of
from pricewar.advice.watch_terms import Bench, Watching
from pricewar.advice.workload import models_of
from pricewar.billing.desk import Entry, Interval, compare
from pricewar.units import money

if TYPE_CHECKING:
    from pricewar.advice.evidence import Evidence
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.usage.log import Log

LASTING = ("list", "free")


@dataclass(frozen=True)
class Search:
    """Where to look for a better offer, and for whom.

    Attributes:
        offers: candidates.
        evidence: the team's own; published figures are joined.
    """

    team: Team
    offers: Sequence[Offer]
    evidence: Evidence | None = None


def better(
    log: Log, bench: Bench, w: Watching, search: Search, current: Interval | None, mine: Sequence[Offer]
) -> Iterator[Finding]:
    """The acceptable offers that are worth a move, best first, three at most; and what was not judged."""
    if current is None or current.mid is None:
        yield Finding("not_judged", "note", "", "what the work costs now is not known, so no offer is held "
                      "against it", "name the offer in use with --offers")  # fmt: skip
        return
    catalogue, team = bench.catalogue, search.team
    ids = {o.id for o in mine}
    new = [o for o in search.offers if o.id not in ids and _news(o, w)]
    lasting = [o for o in new if (r := o.on(w.now)) is not None and r.kind in LASTING]
    now_model = _model_in_use(team, catalogue, log, mine if w.plan is not None else ())
    names = sorted({o.latest.models[0].name for o in lasting} | ({now_model} if now_model else set()))
    figures = published(names, as_of=w.now.date())
    known = figures if search.evidence is None else search.evidence.joined(figures)
    standing = screen(lasting, team, known, now_model)
    bars = team.quality.margin is not None or team.quality.pass_rate is not None
    good = [o for o in standing.offers if not bars or _answer(standing, o) == "acceptable"]
    doubt = [o for o in standing.offers if o not in good]
    done = compare(log, catalogue, [*good, *doubt], currency=bench.currency, frozen=w.now)
    entries = {e.offer.id: e for e in done.entries}
    worth: list[Finding] = []
    for o in good:
        entry = entries.get(o.id)
        found = _worth(entry, current, bench, w, search, mine) if entry is not None else None
        worth += [found] if found is not None else []
    worth.sort(key=lambda f: (f.severity == "note", -f.args["net_a_month"], f.offer))
    yield from worth[:3]
    if doubt or len(new) > len(lasting):
        yield _not_judged(doubt, entries, current, bench, len(new) - len(lasting), w)


def _news(offer: Offer, w: Watching) -> bool:
    """Whether the plan cannot have weighed these terms: other ones were in force on its day, or none."""
    if w.plan is None:
        return True
    if offer.id not in w.plan.known:
        return True
    from pricewar.advice.watch_terms import midnight

    return offer.on(midnight(w.plan.start)) is not offer.on(w.now)


def _model_in_use(team: Team, catalogue: Catalogue, log: Log, mine: Sequence[Offer]) -> str | None:
    """What quality is held against: the present offer's model, the plan's, or the one most asked for."""
    if team.present is None and mine:
        return mine[0].latest.models[0].name
    return present_model(team, catalogue, models_of(log))


def _answer(standing: object, offer: Offer) -> str | None:
    verdict = standing.verdicts.get(offer.id)  # type: ignore[attr-defined]
    return verdict.answer if verdict is not None else None


def leaving(team: Team, bench: Bench, there: Offer, here: Offer | None, months: int, w: Watching) -> Fraction:
    """What a move costs after so many months of use, in the watch's currency."""
    rate, _ = bench.catalogue.exchange("USD", bench.currency, w.now.date())
    day = team.engineer_day if team.engineer_day is not None else DAY_USD * rate
    vendor = here.latest.vendor if here is not None else ""
    away, near = (float(day) * days for days in team.switching.days(months))
    lost = team.ecosystem.get(vendor)
    cost = Fraction(
        near if vendor == there.latest.vendor else away + (float(lost.loss) if lost is not None else 0.0)
    )
    owed = here.on(w.now) if here is not None else None
    owed = owed.charges.commitment if owed is not None else None
    if owed is not None and here is not None and (owed.term.months or 0) > months:
        to, _ = bench.catalogue.exchange(here.latest.currency, bench.currency, w.now.date())
        hours = Fraction(487, 16) * 24 if owed.per == "hour" else 1
        cost += owed.amount * owed.units * hours * to * ((owed.term.months or 0) - months)
    return cost


def _worth(
    entry: Entry, current: Interval, bench: Bench, w: Watching, search: Search, mine: Sequence[Offer]
) -> Finding | None:
    if entry.total.mid is None or current.mid is None or not entry.served.mid:
        return None
    if entry.served.mid < search.team.must_have.served:
        return None
    month = bench.month
    low, high = (x * month if x is not None else None for x in (entry.total.low, entry.total.high))
    saves = current.mid - entry.total.mid * month
    if saves <= 0:
        return None
    used = search.team.present.months if search.team.present is not None else 0
    used += w.plan.months(w.now.date()) if w.plan is not None else 0
    rest = search.team.horizon - (w.plan.months(w.now.date()) if w.plan is not None else 0)
    move = leaving(search.team, bench, entry.offer, mine[0] if mine else None, used, w)
    net = saves - move / max(rest, 1)
    least = current.low - high if current.low is not None and high is not None else None
    surely = least is not None and least - move / max(rest, 1) > 0
    if net <= 0 or rest <= 0:
        return None
    payback = move / saves
    most = low - current.high if current.high is not None and low is not None else None
    gain = Interval(most, -saves, -least if least is not None else None)
    what = (
        f"cheaper and good enough by evidence: {amount_words(gain, bench.currency)}; moving costs "
        f"{money(move, bench.currency)}, paid back in {float(payback):.1f} months; net of it "
        f"{money(net, bench.currency)} a month over the {rest} months left"
    )
    if entry.served.mid < 1:
        what += f"; it serves {float(entry.served.mid):.0%} itself, the rest as logged"
    args = {
        "saves_a_month": saves,
        "move": move,
        "net_a_month": net,
        "payback_months": payback,
        "months": rest,
        "served": entry.served.mid,
    }
    if not surely:
        what += "; at the dear end of what is assumed of its tokens it does not pay"
    do = f"advise again with it among the candidates (`--offers {entry.offer.id}`), then move"
    return Finding("better", "now" if surely else "note", entry.offer.id, what, do, None, gain,
                   sources_of(entry.offer.on(w.now)), args)  # fmt: skip


def _not_judged(
    doubt: Sequence[Offer], entries: dict[str, Entry], current: Interval, bench: Bench, once: int, w: Watching
) -> Finding:
    """What evidence does not decide, with the most that it would save by price alone."""
    priced = [
        (e.total.mid * bench.month, o.id)
        for o in doubt
        if (e := entries.get(o.id)) and e.total.mid is not None and e.served.mid
    ]
    cheaper = sorted((total, id) for total, id in priced if current.mid is not None and total < current.mid)
    new = " that are new since the plan" if w.plan is not None else ""
    what = f"{len(doubt)} offers{new} were not proposed: no evidence decides whether they are good enough"
    args = {"undecided": len(doubt), "cheaper": len(cheaper), "not_lasting": once}
    if cheaper and current.mid is not None:
        total, id = cheaper[0]
        saved = money(current.mid - total, bench.currency)
        what += f"; {len(cheaper)} would be cheaper, the cheapest {id} by {saved} a month"
        args |= {"cheapest": id, "saves_a_month": current.mid - total}
    what += f"; {once} gifts, packs and introductory prices were not weighed" if once else ""
    return Finding("not_judged", "note", "", what, "measure them: `pricewar advise --evals`", args=args)


__all__ = ["Search", "better", "leaving"]
