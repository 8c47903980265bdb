"""Which of hundreds of offers the decision is about.

A plan over twenty offers takes seconds, over six hundred minutes, and most offers are worse than another of
the same vendor and kind in every respect that counts here. So the log is billed on all that stand, and the
cheapest of each vendor are taken, in three groups with equal room: gifts (free, granted, introductory), paid
light models, paid flagships. What the log was made with is always taken, and what was measured before what
was not.

Where evidence leaves a model undecided its best guess must meet the team's bar: an offer whose model nobody
has tested or published figures of is not proposed to a team that did not name it. Free offers are what the
question is about: of a vendor's the likeliest to be good enough is taken though its best guess be under the
bar, and whoever shows it says that it is in doubt. A grant is a paid offer once it is used up, and is held to
the bar like one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from pricewar.advice.candidates import Excluded, present_model, screen
from pricewar.advice.evidence import published
from pricewar.advice.workload import models_of
from pricewar.billing.desk import Comparison, Entry, compare
from pricewar.errors import DataError
from pricewar.futures.records import tier_of

if TYPE_CHECKING:
    from datetime import date

    from pricewar.advice.evidence import Evidence
    from pricewar.advice.evidence_verdict import Verdict
    from pricewar.advice.team import Team
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.usage.log import Log

GIFTS = ("free", "grant", "introductory")
UNKNOWN = "nothing is known of its quality; name it with --offers to have it considered"
GUESS = "its best guess is under the bar"
DEARER = "dearer for this work than one taken of its vendor and kind, or than all of its kind"


@dataclass
class Shortlist:
    """Offers to decide between, and the rest by cause.

    Attributes:
        offers: cheapest first within their group.
        considered: how many were looked at.
        excluded: those that may not stand: must-haves, quality, nothing served, no price.
        dearer: how many stand but are not needed.
        present_model: what candidates are held against.
        models: those the log asks for.
        total: cost of a logged month's work by offer id, refused work included, where known.
    """

    offers: list[Offer]
    considered: int
    excluded: list[Excluded]
    dearer: list[str]
    present_model: str | None
    total: dict[str, Fraction]
    models: list[str]

    @property
    def causes(self) -> dict[str, int]:
        """How many were set aside for each kind of reason, most first."""
        kinds = Counter(e.why.split(":")[0] for e in self.excluded)
        return dict([*kinds.most_common(), *([(DEARER, len(self.dearer))] if self.dearer else [])])


def shortlist(
    log: Log,
    catalogue: Catalogue,
    offers: Iterable[Offer],
    team: Team,
    evidence: Evidence | None,
    start: date,
    *,
    most: int = 20,
    named: Iterable[str] = (),
) -> Shortlist:
    """The offers worth a plan.

    Args:
        evidence: the team's own results; published figures are joined to them.
        most: how many to take, beside those named.
        named: ids that are taken if they stand, whatever they cost and whatever is known of their quality.

    Raises:
        DataError: none stands.
    """
    chosen = list({o.id: o for o in offers}.values())
    wanted = set(named)
    models = models_of(log)
    now = present_model(team, catalogue, models)
    figures = published(
        sorted({o.latest.models[0].name for o in chosen} | ({now} if now else set())), as_of=start
    )
    known = figures if evidence is None else evidence.joined(figures)
    standing = screen(chosen, team, known, now)
    excluded = list(standing.excluded)
    likely: list[Offer] = []
    short: dict[str, float | None] = {}
    for offer in standing.offers:
        verdict = standing.verdicts.get(offer.id)
        short[offer.id] = _short(verdict, team)
        if offer.id in wanted or short[offer.id] == 0:
            likely.append(offer)
        elif short[offer.id] is None:
            excluded.append(Excluded(offer.id, UNKNOWN, "unknown"))
        elif offer.latest.kind == "free":
            likely.append(offer)
        else:
            assert verdict is not None
            excluded.append(Excluded(offer.id, f"{GUESS}: {' '.join(verdict.because)}", "guess"))
    frozen = datetime(start.year, start.month, start.day, tzinfo=UTC)
    billed = compare(log, catalogue, likely, currency=team.currency, frozen=frozen)
    excluded += [Excluded(id, f"cannot be billed: {why.text}", "unbilled") for id, why in billed.not_billed]
    useful: list[Entry] = []
    for entry in billed.entries:
        if entry.total.mid is None:
            excluded.append(
                Excluded(entry.offer.id, "cannot be billed: what it refuses has no known price", "unbilled")
            )
        elif not entry.served.mid:
            excluded.append(Excluded(entry.offer.id, "serves none of this work", "serves_none"))
        elif entry.served.mid < team.must_have.served:
            share = f"{float(entry.served.mid):.0%}"
            excluded.append(
                Excluded(entry.offer.id, f"serves too little: {share} of the requests", "serves_share")
            )
        else:
            useful.append(entry)
    if not useful:
        raise DataError(
            "no offer can serve this work: " + "; ".join(f"{e.offer}: {e.why}" for e in excluded[:3]),
            remedy="name more offers with --offers, or ask less of them in the team's file",
        )
    taken = _taken(useful, billed, catalogue, team, start, known, most, wanted, short)
    ids = {o.id for o in taken}
    return Shortlist(
        taken,
        len(chosen),
        excluded,
        [e.offer.id for e in useful if e.offer.id not in ids],
        now,
        {e.offer.id: e.total.mid for e in useful if e.total.mid is not None},
        [name for name, _ in models],
    )


def _short(verdict: Verdict | None, team: Team) -> float | None:
    """By how much the best guess of a model that evidence leaves undecided misses the bar; None: no guess."""
    if verdict is None or verdict.answer != "undecided":
        return 0.0
    q, most = team.quality, 0.0
    for found, least in (
        (verdict.difference, None if q.margin is None else -float(q.margin)),
        (verdict.pass_rate, None if q.pass_rate is None else float(q.pass_rate)),
    ):
        if found is None or least is None:
            continue
        if found.estimate is None:
            return None
        most = max(most, least - found.estimate)
    return most


def _taken(
    useful: Sequence[Entry],
    billed: Comparison,
    catalogue: Catalogue,
    team: Team,
    start: date,
    evidence: Evidence,
    most: int,
    named: set[str],
    short: Mapping[str, float | None],
) -> list[Offer]:
    rate, _ = catalogue.exchange("USD", team.currency, start)
    groups: dict[str, list[Entry]] = {"gift": [], "light": [], "flagship": []}
    for entry in useful:
        groups[_group(entry, billed, float(rate))].append(entry)
    logged = {m.offer.id for m in billed.models if m.offer is not None}
    first = {e.offer.id: e.offer for e in useful if e.offer.id in named | logged}
    groups["gift"].sort(key=lambda e: short[e.offer.id] or 0.0)
    for entries in groups.values():
        room = max(most // 3, 1)
        # Of a vendor the cheapest alone, and of the cheapest those first that the team has measured.
        seen: set[str] = set()
        ranked: list[Entry] = []
        for entry in entries:
            measured = evidence.of(entry.offer.latest.models[0].name) is not None
            if entry.offer.latest.vendor not in seen or measured:
                seen.add(entry.offer.latest.vendor)
                ranked.append(entry)
        ranked.sort(
            key=lambda e: (evidence.of(e.offer.latest.models[0].name) is None, e.total.mid or Fraction(0))
        )
        first |= {e.offer.id: e.offer for e in ranked[:room]}
    return list(first.values())


def _group(entry: Entry, billed: Comparison, dollar: float) -> str:
    record = entry.tariff.record
    if record.kind in GIFTS:
        return "gift"
    if record.light is not None:
        return "light" if record.light else "flagship"
    headline = billed.per_million(entry.headline)
    price = float(headline) / dollar if headline is not None else None
    return tier_of(record.models[0].name, price)
