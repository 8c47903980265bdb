"""Substitution evidence: quality before price.

What a team's own evaluation says of a candidate beside the model it uses now: pass rate, what the same
prompts use in tokens, cache hits, latency and failed calls, each with an interval (`evidence_intervals`); and
whether that meets the team's bar (`evidence_verdict`). Where a team has measured nothing, published figures
can stand in (`evidence_published`), and every answer says so.

    own = read(["promptfoo.json"])                      # or a folder, CSV, lm-eval's output, several files
    own.acceptable(Bar(margin=0.05), "gpt-5", ["gpt-5-mini", "gemini-2.5-flash"])
    own.ratios("gpt-5-mini", "gpt-5")                   # tokens per token of the present model
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pricewar.advice import evidence_intervals as intervals
from pricewar.advice.evidence_files import Choices, Reading, Total, Trial
from pricewar.advice.evidence_formats import read_all
from pricewar.advice.evidence_intervals import LEVEL, Interval
from pricewar.advice.evidence_published import (
    Figure,
    Guess,
    facts,
    figure_of,
    present_rates,
    unmeasured_tokens,
)
from pricewar.advice.evidence_verdict import Bar, Basis, Comparison, Ratios, Verdict, verdict
from pricewar.errors import ConfigurationError, DataError, did_you_mean
from pricewar.offers.catalogue import Catalogue, canonical, load_catalogue
from pricewar.usage.log import Exclusion, Exclusions


@dataclass(frozen=True, slots=True)
class Unknown:
    """A model of the evaluation, or one asked for, that nothing here knows.

    Attributes:
        name: as given.
        rows: how many rows speak of it.
        what: what is not known: its offer, or its figure.
        near: a remedy.
    """

    name: str
    rows: int
    what: Literal["offer", "figure"]
    near: str | None


@dataclass(frozen=True)
class Measured:
    """One model's own results.

    Attributes:
        model: canonical name.
        called: as the files name it.
        names: canonical names under which offers have it.
        prompts: prompt → its trials.
        totals: shares of which only the sum is known.
        errors: whether a failed call counts as not passed, or is left out of the pass rate.
    """

    model: str
    called: tuple[str, ...]
    names: frozenset[str]
    prompts: Mapping[str, tuple[Trial, ...]] = field(repr=False)
    totals: tuple[Total, ...] = ()
    errors: Literal["fail", "exclude"] = "fail"

    @property
    def trials(self) -> list[Trial]:
        """Every trial."""
        return [trial for trials in self.prompts.values() for trial in trials]

    @cached_property
    def outcomes(self) -> dict[str, list[bool]]:
        """Prompt → passed or not, once per trial that counts."""
        found = {
            prompt: [bool(t.passed) for t in trials if not (t.error and self.errors == "exclude")]
            for prompt, trials in self.prompts.items()
        }
        return {prompt: each for prompt, each in found.items() if each}

    def pass_rate(self, level: float = LEVEL) -> Interval:
        """Share of answers that pass; prompts tried several times are no more independent than they are."""
        found = intervals.share(list(self.outcomes.values()), level)
        if not self.totals:
            return found
        passes, n = sum(t.passes for t in self.totals), sum(t.n for t in self.totals)
        return intervals.wilson(passes + (found.estimate or 0.0) * found.n, n + found.n, level)

    def error_rate(self, level: float = LEVEL) -> Interval:
        """Share of calls that failed."""
        return intervals.share([[t.error for t in trials] for trials in self.prompts.values()], level)

    def latency(self, at: float, level: float = LEVEL) -> Interval | None:
        """The `at`-quantile of latency in seconds over prompts, None when not told."""
        times = list(self.mean("latency").values())
        return intervals.quantile(times, at, level) if times else None

    def cache_hits(self, level: float = LEVEL) -> Interval | None:
        """Cached share of the input tokens, None when not told."""
        cached, given = self.mean("cached"), self.mean("input")
        both = [prompt for prompt in cached if prompt in given]
        if not both:
            return None
        return intervals.ratio([cached[p] for p in both], [given[p] for p in both], level, most=1.0)

    def mean(self, what: str) -> dict[str, float]:
        """Prompt → mean over its trials of `input`, `output`, `cached` or `latency`, where told."""
        found: dict[str, float] = {}
        for prompt, trials in self.prompts.items():
            told = [value for t in trials if (value := getattr(t, what)) is not None]
            if told:
                found[prompt] = sum(told) / len(told)
        return found

    def document(self, level: float = LEVEL) -> dict[str, Any]:
        """As JSON."""
        shown = {
            "pass_rate": self.pass_rate(level), "error_rate": self.error_rate(level),
            "latency_p50_s": self.latency(0.5, level), "latency_p95_s": self.latency(0.95, level),
            "cache_hits": self.cache_hits(level),
        }  # fmt: skip
        return {
            "called": list(self.called), "prompts": len(self.prompts), "trials": len(self.trials),
            "sums": [{"task": t.task, "n": t.n, "passes": t.passes} for t in self.totals],
            **{name: at and at.document() for name, at in shown.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What is known of candidates' quality, and how it was obtained.

    Attributes:
        measured: the team's own results by model, in the order in which the files name them.
        published: whether published figures stand in for what is not measured.
        as_of: only figures of models out by then; None for all.
        sources: files read.
        rows_in: rows found; equals `rows_used` plus all exclusions.
        exclusions, notes: what was left out and what was assumed.
        unknown: models that no offer, or no figure, is known for.
    """

    measured: tuple[Measured, ...] = ()
    published: bool = False
    as_of: date | None = None
    sources: tuple[str, ...] = ()
    rows_in: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def rows_used(self) -> int:
        """Rows that became a trial or a total."""
        return sum(len(m.trials) + len(m.totals) for m in self.measured)

    def joined(self, other: Evidence) -> Evidence:
        """Both; of a model measured in both this one's results stand, and `other`'s are left out by cause."""
        mine = {m.model for m in self.measured}
        again = [m for m in other.measured if m.model in mine]
        exclusions = [*self.exclusions, *other.exclusions]
        if again:
            rows = sum(len(m.trials) + len(m.totals) for m in again)
            exclusions.append(Exclusion("the model is measured in the evidence joined to", rows))
        return replace(
            self,
            measured=(*self.measured, *(m for m in other.measured if m.model not in mine)),
            published=self.published or other.published,
            as_of=self.as_of if self.published else other.as_of,
            sources=(*self.sources, *other.sources),
            rows_in=self.rows_in + other.rows_in,
            exclusions=tuple(exclusions),
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
            unknown=(*self.unknown, *other.unknown),
        )

    def of(self, model: str) -> Measured | None:
        """The results of `model`, by any name an offer has for it."""
        wanted = canonical(model)
        exact = next((m for m in self.measured if m.model == wanted), None)
        return exact or next((m for m in self.measured if wanted in m.names), None)

    def figure(self, model: str) -> Figure | None:
        """The published figure of `model`, None when there is none or they do not stand in."""
        own = self.of(model)
        return figure_of((model, *(sorted(own.names) if own else ())), self.as_of) if self.published else None

    def compare(self, model: str, present: str, level: float = LEVEL) -> Comparison:
        """The candidate's pass rate less the present model's, on the same prompts wherever there are such."""
        nothing = Interval(None, -1.0, 1.0, level, 0, "nothing known")
        one, two = self.of(model), self.of(present)
        if canonical(model) == canonical(present) or (one is not None and one is two):
            return Comparison(
                model, present, "same model", 0, Interval(0.0, 0.0, 0.0, level, 0, "the same model")
            )
        if one is not None and two is not None:
            both = [prompt for prompt in one.outcomes if prompt in two.outcomes]
            if both:
                ours, theirs = [one.outcomes[p] for p in both], [two.outcomes[p] for p in both]
                found = intervals.difference_paired(ours, theirs, level)
                table = _table(ours, theirs)
                p = intervals.mcnemar(table[1], table[2]) if table else (None, None)
                return Comparison(model, present, "measured", len(both), found, table, *p)
            tasks = {t.task for t in one.totals} & {t.task for t in two.totals}
            if tasks:
                a, b = (_pooled(m.totals, tasks, level) for m in (one, two))
            else:
                a, b = one.pass_rate(level), two.pass_rate(level)
            if a.n and b.n:
                return Comparison(model, present, "measured apart", 0, intervals.difference_apart(a, b))
        ours, theirs = self.figure(model), self.figure(present)
        if ours is not None and theirs is not None:
            guess = Guess(ours, theirs, _rates(two))
            return Comparison(model, present, "published", 0, guess.difference(level))
        return Comparison(model, present, "none", 0, nothing)

    def ratios(self, model: str, present: str, level: float = LEVEL) -> Ratios:
        """Tokens in and out, latency and cache hits of `model` for one of `present`, on the same prompts."""
        one, two = self.of(model), self.of(present)
        if canonical(model) == canonical(present) or (one is not None and one is two):
            same = Interval(1.0, 1.0, 1.0, level, 0, "the same model")
            hits = one.cache_hits(level) if one else None
            return Ratios(model, present, 0, one is not None, same, same, same, hits, hits)
        sides: dict[str, Interval | None] = {}
        pairs = 0
        for what in ("input", "output", "latency"):
            ours, theirs = (m.mean(what) if m else {} for m in (one, two))
            both = [prompt for prompt in ours if prompt in theirs]
            found = (
                intervals.ratio([ours[p] for p in both], [theirs[p] for p in both], level) if both else None
            )
            sides[what] = found if found is not None and found.estimate is not None else None
            pairs = max(pairs, len(both)) if what != "latency" else pairs
        return Ratios(
            model, present, pairs, sides["input"] is not None and sides["output"] is not None,
            sides["input"] or unmeasured_tokens("input", level),
            sides["output"] or unmeasured_tokens("output", level),
            sides["latency"],
            one.cache_hits(level) if one else None,
            two.cache_hits(level) if two else None,
        )  # fmt: skip

    def acceptable(
        self, bar: Bar, present: str | None = None, models: Iterable[str] | None = None
    ) -> dict[str, Verdict]:
        """Whether each candidate meets the bar.

        Args:
            present: the model used now; needed for a margin.
            models: candidates; None for every measured one.

        Raises:
            ConfigurationError: a margin without a present model.
        """
        if bar.margin is not None and present is None:
            raise ConfigurationError("a margin is against the present model", remedy="name the present model")
        wanted = [m.model for m in self.measured] if models is None else list(dict.fromkeys(models))
        return {model: self._verdict(bar, present, model) for model in wanted}

    def _verdict(self, bar: Bar, present: str | None, model: str) -> Verdict:
        own = self.of(model)
        against = self.compare(model, present, bar.level) if present and bar.margin is not None else None
        rate: tuple[Interval, Basis] | None = None
        if own is not None and (found := own.pass_rate(bar.level)).n:
            rate = found, "measured"
        elif present and (figure := self.figure(model)) and (theirs := self.figure(present)):
            rate = Guess(figure, theirs, _rates(self.of(present))).pass_rate(bar.level), "published"
        answer = verdict(model, bar, rate, against)
        failed = sum(trial.error for trial in own.trials) if own else 0
        if failed and own is not None:
            how = "count as not passed" if own.errors == "fail" else "are left out of the pass rate"
            said = f"{failed} of {len(own.trials)} calls failed and {how}."
            answer = replace(answer, because=(*answer.because, said))
        return answer

    def document(
        self, present: str | None = None, bar: Bar | None = None, models: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """As JSON: the account, every measured model; beside `present` comparisons, ratios and verdicts."""
        wanted = [m.model for m in self.measured] if models is None else list(dict.fromkeys(models))
        found: dict[str, Any] = {
            "sources": list(self.sources), "rows_in": self.rows_in, "rows_used": self.rows_used,
            "excluded": [
                {"cause": e.cause, "rows": e.count, "first": list(e.examples)} for e in self.exclusions
            ],
            "notes": list(self.notes),
            "unknown": [
                {"name": u.name, "rows": u.rows, "no": u.what, "remedy": u.near} for u in self.unknown
            ],
            "models": {m.model: m.document() for m in self.measured},
        }  # fmt: skip
        if self.published:
            figures = {name: figure for name in wanted if (figure := self.figure(name)) is not None}
            found["published"] = {
                "figures": {name: figure.model_dump(mode="json") for name, figure in figures.items()},
                "sources": {name: origin.model_dump(mode="json") for name, origin in facts().sources.items()},
                "mapping": facts().mapping.model_dump(mode="json"),
            }
        if present is not None:
            found["present"] = present
            found["compared"] = {name: self.compare(name, present).document() for name in wanted}
            found["ratios"] = {name: self.ratios(name, present).document() for name in wanted}
        if bar is not None:
            found["bar"] = {"pass_rate": bar.pass_rate, "margin": bar.margin, "confidence": bar.confidence}
            verdicts = self.acceptable(bar, present, wanted)
            found["verdicts"] = {name: at.document() for name, at in verdicts.items()}
        return found


def read(
    paths: str | Path | Sequence[str | Path],
    *,
    catalogue: Catalogue | None = None,
    models: Mapping[str, str] | None = None,
    format: Literal["promptfoo", "lm-eval", "plain"] | None = None,
    columns: Mapping[str, str] | None = None,
    pass_at: float | None = None,
    metric: str | None = None,
    errors: Literal["fail", "exclude"] = "fail",
) -> Evidence:
    """A team's own evaluation results.

    Args:
        paths: files or folders; each file's format is told by its content.
        catalogue: whose offers' names are known; None for today's.
        models: name in the files → the model it is, where the files call it something of their own.
        format: what every file is, where content does not tell.
        columns: of plain files: model, prompt, pass, score, input, output, cached, latency_ms, latency_s or
            error → the column; `model: =NAME` for one model throughout.
        pass_at: score from which an answer passes, where a file has scores and no verdicts.
        metric: of lm-evaluation-harness: `exact_match`, or with its filter `exact_match,flexible-extract`.
        errors: whether a failed call counts as not passed (the work is not done), or is left out.

    Raises:
        DataError: a file cannot be read, or holds nothing that can be used.
        ConfigurationError: an option names something that is not there.
    """
    if errors not in ("fail", "exclude"):
        raise ConfigurationError(f"“{errors}” is no way to count failed calls", remedy="fail or exclude")
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not given:
        raise ConfigurationError("no file of evaluation results is named", remedy="name a file or a folder")
    choices = Choices(format, columns or {}, pass_at, metric)
    readings, strangers = read_all([Path(path) for path in given], choices)
    _sums_once(readings)
    known = catalogue if catalogue is not None else load_catalogue()
    measured, unknown = _by_model(readings, known, models or {}, errors)
    found = Evidence(
        measured=measured,
        sources=tuple(reading.source for reading in readings),
        rows_in=sum(reading.rows_in for reading in readings),
        exclusions=Exclusions(e for reading in readings for e in reading.exclusions).all(),
        notes=(*strangers, *dict.fromkeys(note for reading in readings for note in reading.notes)),
        unknown=unknown,
    )
    if not measured:
        causes = "; ".join(f"{e.count} rows: {e.cause}" for e in found.exclusions) or "no rows"
        first = next((e.examples[0] for e in found.exclusions if e.examples), ", ".join(found.sources))
        raise DataError(
            f"no result can be used: {causes}", where=first, remedy="see docs/evidence.md for formats"
        )
    return found


def published(models: Iterable[str], *, as_of: date | None = None) -> Evidence:
    """Published figures of `models`; those without one stand in `unknown`.

    `as_of` leaves out models that came out later. The figures themselves are one dated snapshot.
    """
    missing = [name for name in dict.fromkeys(models) if figure_of((name,), as_of) is None]
    every = [name for figure in facts().figures for name in figure.names]
    unknown = tuple(Unknown(name, 0, "figure", did_you_mean(canonical(name), every)) for name in missing)
    origins = facts().sources
    note = "; ".join(f"{origins[s].title}, state of {origins[s].as_of}" for s in ("epoch", "arena"))
    return Evidence(published=True, as_of=as_of, notes=(f"Published figures: {note}.",), unknown=unknown)


def _sums_once(readings: Sequence[Reading]) -> None:
    """A sum whose samples are given too is left out of its reading."""
    sampled = {pair for reading in readings for pair in reading.tasks}
    for reading in readings:
        for total in reading.totals:
            if (total.model, total.task) in sampled:
                where = f"{reading.source}: results.{total.task}"
                reading.drop("the samples of the same task are given", lambda where=where: where)
        reading.totals = [t for t in reading.totals if (t.model, t.task) not in sampled]


def _by_model(
    readings: Sequence[Reading],
    catalogue: Catalogue,
    models: Mapping[str, str],
    errors: Literal["fail", "exclude"],
) -> tuple[tuple[Measured, ...], tuple[Unknown, ...]]:
    rows: list[Trial | Total] = [row for reading in readings for row in (*reading.trials, *reading.totals)]
    called = Counter(row.model for row in rows)
    for name in models:
        if name not in called:
            raise ConfigurationError(
                f"no row is of a model “{name}”",
                remedy=did_you_mean(name, called) or "models: " + ", ".join(called),
            )
    offered: dict[str, set[str]] = {}
    for offer in catalogue.offers.values():
        for model in offer.models:
            names = {canonical(n) for n in (model.name, *model.aliases, model.weights or model.name)}
            for name in names:
                offered.setdefault(name, set()).update(names)
    keys: dict[str, str] = {}
    also: dict[str, set[str]] = {}
    unknown: list[Unknown] = []
    for name, count in called.items():
        meant = models.get(name, name)
        key = keys[name] = canonical(meant)
        also.setdefault(key, {key}).update(offered.get(key, ()))
        if key not in offered:
            offer = catalogue.listed(None, meant)
            if offer is not None:
                also[key].update(canonical(m.name) for m in offer.models)
            else:
                near = did_you_mean(key, offered)
                remedy = (
                    f"{near} Say so: --model {name}=NAME" if near else f"say what it is: --model {name}=NAME"
                )
                unknown.append(Unknown(name, count, "offer", remedy))
    prompts: dict[str, dict[str, list[Trial]]] = {}
    totals: dict[str, list[Total]] = {}
    for row in rows:
        key = keys[row.model]
        if isinstance(row, Trial):
            prompts.setdefault(key, {}).setdefault(row.prompt, []).append(row)
        else:
            totals.setdefault(key, []).append(row)
    measured = tuple(
        Measured(
            key,
            tuple(name for name in called if keys[name] == key),
            frozenset(also[key]),
            {prompt: tuple(trials) for prompt, trials in prompts.get(key, {}).items()},
            tuple(totals.get(key, ())),
            errors,
        )
        for key in dict.fromkeys(keys.values())
    )
    return measured, tuple(unknown)


def _table(ours: list[list[bool]], theirs: list[list[bool]]) -> tuple[int, int, int, int] | None:
    if any(len(each) != 1 for each in (*ours, *theirs)):
        return None
    cells = Counter((a[0], b[0]) for a, b in zip(ours, theirs, strict=True))
    return cells[True, True], cells[True, False], cells[False, True], cells[False, False]


def _pooled(totals: Sequence[Total], tasks: set[str], level: float) -> Interval:
    chosen = [t for t in totals if t.task in tasks]
    return intervals.wilson(sum(t.passes for t in chosen), sum(t.n for t in chosen), level)


def _rates(present: Measured | None) -> tuple[float, ...]:
    found = present.pass_rate() if present is not None else None
    if found is None or found.estimate is None:
        return present_rates(None, 0)
    return present_rates(found.estimate * found.n, found.n)


__all__ = [
    "Bar", "Comparison", "Evidence", "Interval", "Measured", "Ratios", "Unknown", "Verdict",
    "published", "read",
]  # fmt: skip
