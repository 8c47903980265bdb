"""How firm a date of the stage rule is, and how far it lies from what somebody else said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pricewar.market.observables import Series
from pricewar.market.stages import STAGES, Rule, Stages, stages

if TYPE_CHECKING:
    from pricewar.market.records import Said


def gap(said: Said, dated: Stages) -> int | None:
    """Months by which the rule's nearest beginning of the stage lies outside what was said: negative where it
    is too early, None where the rule never begins the stage."""
    dates = [np.datetime64(d, "M") for d in dated.begins(said.stage)]
    first, last = np.datetime64(said.began, "M"), np.datetime64(said.or_by or said.began, "M")
    early = [min(int((d - first).astype(int)), 0) for d in dates]
    late = [max(int((d - last).astype(int)), 0) for d in dates]
    gaps = [a + b for a, b in zip(early, late, strict=True)]
    return min(gaps, key=abs, default=None)


@dataclass(frozen=True)
class Firmness:
    """How far the month in which a stage begins moves when thresholds and doubtful figures move.

    `found` of `runs` still date such a beginning within `window` months; `earliest` and `latest` are theirs.
    """

    stage: str
    begins: str
    earliest: str
    latest: str
    found: int
    runs: int


def firmness(
    readings: Sequence[Series], rule: Rule | None = None, *, window: int = 6
) -> tuple[Stages, list[Firmness]]:
    """Date the first of `readings` by `rule`, and every reading again by rules with a threshold moved.

    `below` (with `stop`), `cut`, `rise` and `margin` are halved and doubled, `deep` is .4 and .6, `hold` 1
    and 3, `breadth` one third and two thirds. `readings` are the same series with doubtful figures set
    otherwise (see `series_of`).
    """
    rule = rule or Rule()
    base = stages(readings[0], rule)
    rules = [
        rule,
        replace(rule, hold=1),
        replace(rule, hold=3),
        replace(rule, deep=0.4),
        replace(rule, deep=0.6),
    ]
    rules += [replace(rule, breadth=x) for x in (1 / 3, 2 / 3)]
    for factor in (0.5, 2.0):
        rules.append(replace(rule, below=min(1.0, rule.below * factor), stop=min(1.0, rule.stop * factor)))
        rules += [
            replace(rule, **{n: min(1.0, getattr(rule, n) * factor)}) for n in ("cut", "rise", "margin")
        ]
    runs = [stages(reading, r) for reading in readings for r in rules]
    result = []
    for spell in base.spells:
        if spell.stage not in STAGES:
            continue
        at = np.datetime64(spell.begins, "M")
        near = []
        for run in runs:
            dates = [np.datetime64(d, "M") for d in run.begins(spell.stage)]
            gaps = [abs(int((d - at).astype(int))) for d in dates]
            if gaps and min(gaps) <= window:
                near.append(dates[int(np.argmin(gaps))])
        result.append(
            Firmness(
                spell.stage,
                spell.begins,
                str(min(near, default=at)),
                str(max(near, default=at)),
                len(near),
                len(runs),
            )
        )
    return base, result
