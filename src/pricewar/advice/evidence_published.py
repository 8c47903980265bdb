"""Published capability as a stand-in where a team has measured nothing: wide, dated, and said to be so.

A gap in a published index says little about one team's work. How little was measured: over every pair of
models on twelve benchmarks, with the present model passing p and the candidate q of a task,

    logit q − logit p = slope · gap + T · √(slope_sd² · gap² + residual² + slope² · (sd² + sd₀²)),

T from a t distribution, parameters by likelihood, each task weighing alike; coverage on a task left out of
the fit stands in facts/capability.yaml and docs/evidence.md. slope_sd is how differently tasks follow the
index, sd the error of an index that is itself read off an arena score. p is the team's own where measured,
else between a half and 95%. Sources: Epoch AI's capability index and benchmark data (CC BY 4.0), LMArena.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pricewar.advice.evidence_intervals import Interval
from pricewar.definitions import load
from pricewar.offers.catalogue import canonical

FACTS = Path(__file__).parent / "facts" / "capability.yaml"

UNTOLD = tuple(0.5 + 0.45 * (i + 0.5) / 40 for i in range(40))
"""Pass rates of the present model when nobody has measured it: it does at least half of the work."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Record):
    """What is published of one model.

    Attributes:
        names: as offers call it.
        index: on the scale of Epoch's capability index (GPT-5 = 150, Claude 3.5 Sonnet = 130).
        sd: error of `index` where it is read off an arena score; 0 where the index itself is published.
        released: when the model came out, or was first seen in the arena.
    """

    model: str
    names: tuple[str, ...]
    index: float
    sd: float = Field(default=0.0, ge=0)
    arena: float | None = None
    released: date
    source: Literal["epoch", "arena"]


class Origin(_Record):
    """Where figures come from, when they were read, and the day they describe."""

    title: str
    url: str
    read: date
    as_of: date


class Mapping(_Record):
    """From a gap in the index to a pass rate; `coverage`: of a task left out, level → mean, worst task."""

    slope: float
    slope_sd: float
    residual: float
    degrees: int
    tasks: int
    scores: int
    coverage: dict[Literal["all", "near"], dict[str, tuple[float, float]]]


class _Line(_Record):
    intercept: float
    slope: float
    sd: float
    models: int


class Facts(_Record):
    """facts/capability.yaml. `tokens`: side → share of pairs of models → factor their tokens differ by."""

    sources: dict[str, Origin]
    arena_line: _Line
    mapping: Mapping
    tokens: dict[Literal["input", "output"], dict[str, float]]
    figures: tuple[Figure, ...]


@lru_cache(maxsize=2)
def facts(path: Path = FACTS) -> Facts:
    """Our records of published figures.

    Raises:
        DefinitionError: the file is wrong, at file, line and key.
    """
    return load(path, name=path.name)[0].validate(Facts)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Figure]:
    return {canonical(name): figure for figure in facts().figures for name in figure.names}


def figure_of(names: Sequence[str], as_of: date | None = None) -> Figure | None:
    """The figure of the model with one of `names`, if it was out by `as_of`.

    A dated name (`gpt-5-mini-2025-08-07`) without a figure of its own has the undated one's. The value itself
    is from the snapshot named in the source, whatever `as_of`.
    """
    for name in names:
        plain = canonical(name)
        found = _by_name().get(plain) or _by_name().get(re.sub(r"-20\d\d-?\d\d-?\d\d$", "", plain))
        if found is not None and (as_of is None or found.released <= as_of):
            return found
    return None


@dataclass(frozen=True, slots=True)
class Guess:
    """What published figures say of a candidate's pass rate beside the present model's."""

    candidate: Figure
    present: Figure
    rates: tuple[float, ...]

    @property
    def gap(self) -> float:
        """Index of the candidate less that of the present model."""
        return self.candidate.index - self.present.index

    def difference(self, level: float) -> Interval:
        """Candidate's pass rate less the present model's, each in 0..1."""
        return self._interval(level, True, -1.0)

    def pass_rate(self, level: float) -> Interval:
        """The candidate's pass rate itself."""
        return self._interval(level, False, 0.0)

    def _interval(self, level: float, shift: bool, least: float) -> Interval:
        method = f"index gap {self.gap:+.1f}, calibrated on {facts().mapping.tasks} benchmarks"
        low, middle, high = (
            self._quantile(at, shift, least) for at in ((1 - level) / 2, 0.5, (1 + level) / 2)
        )
        return Interval(middle, low, high, level, 0, method)

    def _quantile(self, at: float, shift: bool, low: float) -> float:
        """Of the candidate's rate (less the present model's if `shift`), over the present model's rates.

        The chance of less than a value is increasing in it, so bisection finds the value.
        """
        from scipy.special import logit, stdtr

        fitted = facts().mapping
        error = fitted.slope**2 * (self.candidate.sd**2 + self.present.sd**2)
        scale = math.sqrt(fitted.slope_sd**2 * self.gap**2 + fitted.residual**2 + error)
        rates = np.array(self.rates)
        middles = logit(rates) + fitted.slope * self.gap
        high = 1.0
        for _ in range(40):
            middle = (low + high) / 2
            ends = np.clip(rates + middle if shift else np.full(len(rates), middle), 0.0, 1.0)
            with np.errstate(divide="ignore"):
                below = stdtr(fitted.degrees, (logit(ends) - middles) / scale).mean()
            low, high = (middle, high) if below < at else (low, middle)
        return (low + high) / 2


def present_rates(passes: float | None, n: float) -> tuple[float, ...]:
    """Pass rates of the present model to average over: `UNTOLD`, or 40 quantiles of what it measured.

    Quantiles of Beta(passes + ½, n − passes + ½), Jeffreys' posterior.
    """
    if passes is None or n <= 0:
        return UNTOLD
    from scipy.stats import beta

    levels = [(i + 0.5) / 40 for i in range(40)]
    return tuple(float(min(max(q, 1e-4), 1 - 1e-4)) for q in beta.ppf(levels, passes + 0.5, n - passes + 0.5))


def unmeasured_tokens(side: Literal["input", "output"], level: float) -> Interval:
    """Ratio of two models' tokens on the same work when nobody counted: 1, and how far models are apart.

    Between the recorded shares of pairs, the factor's logarithm is interpolated.
    """
    points = sorted((float(share), math.log(factor)) for share, factor in facts().tokens[side].items())
    points.insert(0, (0.0, 0.0))
    for (a, x), (b, y) in pairwise(points):
        if level <= b:
            factor = math.exp(x + (y - x) * (level - a) / (b - a))
            break
    else:
        factor = math.exp(points[-1][1])
    method = "not measured: taken as 1, with the spread between models on Epoch AI's evaluations"
    return Interval(1.0, 1 / factor, factor, level, 0, method)
