"""Who may stand: must-haves, evidence of quality, and what can be billed at all. Nobody leaves in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

from pricewar.advice.team import Team
from pricewar.billing.batch import Assumptions
from pricewar.billing.desk import DEFAULT_ASSUMPTIONS, Corner
from pricewar.offers.catalogue import Catalogue, Offer

if TYPE_CHECKING:
    from pricewar.advice.evidence import Evidence
    from pricewar.advice.evidence_verdict import Verdict


@dataclass(frozen=True)
class Excluded:
    """An offer that is not ranked, or a strategy that cannot be had, and why, in words and as a key.

    Keys: quality, undecided, unknown, guess, region, training, commercial, context, fails, unpublished,
    unbilled, serves_none, serves_share, ends; of strategies no_paid, no_free, no_flagship, one_vendor_only,
    one_vendor_left.
    """

    offer: str
    why: str
    key: str = ""


@dataclass
class Standing:
    """What screening found: offers that stand, those that do not, and what to know of the former.

    Attributes:
        assumed: for offers with evidence, how their models count the work.
        verdicts: by offer, the evidence's answer.
        doubts: by offer, what nobody has published.
        unpublished: by offer, the must-haves that nobody has published: regions, training, context, success.
    """

    offers: list[Offer]
    excluded: list[Excluded]
    assumed: dict[str, dict[Corner, Assumptions]]
    verdicts: dict[str, Verdict]
    doubts: dict[str, list[str]]
    unpublished: dict[str, list[str]] = field(default_factory=dict)


def screen(
    offers: Sequence[Offer], team: Team, evidence: Evidence | None, present_model: str | None
) -> Standing:
    """Hold `offers` against the team's must-haves and quality bar."""
    found = Standing([], [], {}, {}, {})
    verdicts = _verdicts(offers, team, evidence, present_model)
    for offer in offers:
        doubts: list[str] = []
        unpublished: list[str] = []
        key, why = _must_haves(offer, team, doubts, unpublished) or ("", None)
        model = offer.latest.models[0].name
        verdict = verdicts.get(model)
        if why is None and verdict is not None:
            found.verdicts[offer.id] = verdict
            if verdict.answer == "not acceptable":
                key, why = "quality", "not good enough: " + " ".join(verdict.because)
            elif verdict.answer == "undecided":
                if team.quality.undecided == "refuse":
                    key, why = "undecided", "quality undecided: " + " ".join(verdict.because)
                else:
                    doubts.append("quality undecided: " + " ".join(verdict.because))
        if why is None and team.must_have.success > 0:
            key, why = _success(model, team, evidence, doubts, unpublished) or ("", None)
        if why is None:
            found.offers.append(offer)
            found.doubts[offer.id], found.unpublished[offer.id] = doubts, unpublished
            ratios = _assumptions(model, present_model, evidence)
            if ratios is not None:
                found.assumed[offer.id] = ratios
        else:
            found.excluded.append(Excluded(offer.id, why, key))
    return found


def _must_haves(
    offer: Offer, team: Team, doubts: list[str], unpublished: list[str]
) -> tuple[str, str] | None:
    """Why the offer cannot be considered (key, words), or None; what is unpublished is added to `doubts` in
    words and to `unpublished` as a key."""
    must, given = team.must_have, offer.latest.eligibility
    strict = must.unpublished == "refuse"

    def unsaid(key: str, what: str) -> tuple[str, str] | None:
        if strict:
            return "unpublished", f"{what} is not published, and the team refuses what is not"
        doubts.append(f"{what} is not published")
        unpublished.append(key)
        return None

    if must.regions is not None:
        if isinstance(given.regions, list):
            if not set(must.regions) & set(given.regions):
                return "region", f"offered in {', '.join(given.regions)}, not in {', '.join(must.regions)}"
        elif why := unsaid("regions", "where it is offered"):
            return why
    if must.no_training:
        if given.data_use == "train":
            return "training", "the vendor trains on what is sent"
        if given.data_use == "unknown" and (
            why := unsaid("training", "whether the vendor trains on what is sent")
        ):
            return why
    if must.commercial and given.commercial is False:
        return "commercial", "its terms allow trying it out, not commercial use"
    if must.context is not None:
        longest = max((m.longest_input or 0 for m in offer.latest.models), default=0)
        if longest and longest < must.context:
            return "context", f"takes {longest:,} tokens of input, {must.context:,} are needed"
        if not longest and (why := unsaid("context", "how long an input it takes")):
            return why
    return None


def _verdicts(
    offers: Sequence[Offer], team: Team, evidence: Evidence | None, present: str | None
) -> Mapping[str, Verdict]:
    from pricewar.advice.evidence_verdict import Bar

    q = team.quality
    margin = float(q.margin) if q.margin is not None and present is not None else None
    rate = float(q.pass_rate) if q.pass_rate is not None else None
    if evidence is None or (margin is None and rate is None):
        return {}
    bar = Bar(pass_rate=rate, margin=margin, confidence=float(q.confidence))
    return evidence.acceptable(bar, present, [o.latest.models[0].name for o in offers])


def _success(
    model: str, team: Team, evidence: Evidence | None, doubts: list[str], unpublished: list[str]
) -> tuple[str, str] | None:
    measured = evidence.of(model) if evidence is not None else None
    if measured is None:
        if team.must_have.unpublished == "refuse":
            return "unpublished", "nobody measured how many of its calls fail"
        doubts.append("how many of its calls fail is not measured")
        unpublished.append("success")
        return None
    failed = measured.error_rate().estimate
    if failed is not None and 1 - failed < float(team.must_have.success):
        return (
            "fails",
            f"{failed:.1%} of its calls failed; {1 - float(team.must_have.success):.1%} are allowed",
        )
    return None


def _assumptions(
    model: str, present: str | None, evidence: Evidence | None
) -> dict[Corner, Assumptions] | None:
    """How the model counts the same work, where a paired sample measured it."""
    if evidence is None or present is None:
        return None
    ratios = evidence.ratios(model, present)
    if not ratios.measured:
        return None
    ends: dict[Corner, tuple[float | None, float | None]] = {
        "low": (ratios.input.low, ratios.output.low),
        "mid": (ratios.input.estimate, ratios.output.estimate),
        "high": (ratios.input.high, ratios.output.high),
    }
    found: dict[Corner, Assumptions] = {}
    for corner, (tokens, answer) in ends.items():
        if not tokens or not answer or not isfinite(tokens) or not isfinite(answer):
            found[corner] = DEFAULT_ASSUMPTIONS[corner]
            continue
        keep = corner != "high" or ratios.cache_hits is not None
        found[corner] = Assumptions(_exact(tokens), _exact(answer / tokens), keep_cache=keep)
    return found


def _exact(ratio: float) -> Fraction:
    return Fraction(ratio).limit_denominator(1000)


def present_model(team: Team, catalogue: Catalogue, models: Sequence[tuple[str, int]]) -> str | None:
    """The model in use: of the present offer, else the one most asked for in the log."""
    if team.present is not None:
        return catalogue.offer(team.present.offer).latest.models[0].name
    return max(models, key=lambda m: m[1])[0] if models else None
