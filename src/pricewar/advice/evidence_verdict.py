"""A candidate held against a team's bar, and the answer in words.

The test is one-sided, by confidence limit (non-inferiority as in ICH E9, 1998, 3.3.2): acceptable when the
lower limit at the bar's confidence reaches it, not acceptable when the upper limit does not, else undecided.
An undecided answer says how many more prompts would decide it should the estimate stay: limits narrow with
the square root of the prompts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from pricewar.advice.evidence_intervals import Interval
from pricewar.errors import ConfigurationError
from pricewar.notes import Note

Basis = Literal["measured", "measured apart", "same model", "published", "none"]
"""On the same prompts; on different ones; nothing to measure; published figures; nothing known."""

ENOUGH = 100_000
"""Prompts past which no sample is advised: the difference is as good as the bar itself."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a candidate must reach; where both are given, both.

    Attributes:
        pass_rate: least share of prompts passed.
        margin: most that the pass rate may lie under the present model's, as a share (0.05: 5 points).
        confidence: of the one-sided limit that is held against the bar.
    """

    pass_rate: float | None = None
    margin: float | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.pass_rate is None and self.margin is None:
            raise ConfigurationError(
                "a bar names a pass rate or a margin", remedy="margin: 0.05, for instance"
            )
        for name, value in (("pass_rate", self.pass_rate), ("margin", self.margin)):
            if value is not None and not 0 <= value <= 1:
                raise ConfigurationError(
                    f"{value:g} is no share", where=name, remedy="give 0 to 1; 5% is 0.05"
                )
        if not 0.5 < self.confidence < 1:
            raise ConfigurationError(
                f"{self.confidence:g} is no confidence",
                where="confidence",
                remedy="give over 0.5 and under 1",
            )

    @property
    def level(self) -> float:
        """Of the two-sided interval whose ends are the one-sided limits."""
        return 2 * self.confidence - 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside the present model.

    Attributes:
        pairs: prompts both were given.
        difference: candidate's pass rate less the present model's.
        table: prompts passed by both, by the candidate only, by the present model only, by neither; None when
            prompts were tried several times or nothing is paired.
        p_exact, p_mid: McNemar's two-sided p that the two pass equally, given `table`.
    """

    model: str
    present: str
    basis: Basis
    pairs: int
    difference: Interval
    table: tuple[int, int, int, int] | None = None
    p_exact: float | None = None
    p_mid: float | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "basis": self.basis, "pairs": self.pairs, "difference": self.difference.document(),
            "both_only_candidate_only_present_neither": self.table and list(self.table),
            "mcnemar_p_exact": self.p_exact, "mcnemar_p_mid": self.p_mid,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ratios:
    """What the candidate uses for one of the present model's, on the same prompts.

    Attributes:
        pairs: prompts on which both counted tokens.
        measured: tokens in and out were counted for both.
        input, output: Σ candidate's tokens / Σ present model's. Where nobody counted they are 1, with the
            spread between models as interval.
        latency: of mean latencies; None when not measured for both.
        cache_hits, present_cache_hits: cached share of input tokens, None when not told.
    """

    model: str
    present: str
    pairs: int
    measured: bool
    input: Interval
    output: Interval
    latency: Interval | None = None
    cache_hits: Interval | None = None
    present_cache_hits: Interval | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "pairs": self.pairs, "measured": self.measured,
            **{
                name: at.document() if (at := getattr(self, name)) is not None else None
                for name in ("input", "output", "latency", "cache_hits", "present_cache_hits")
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate meets the bar.

    Attributes:
        answer: acceptable, not acceptable, or undecided.
        because: why, in sentences.
        basis: what the answer rests on; of two parts of a bar the weaker.
        pass_rate, difference: intervals whose ends are the one-sided limits held against the bar.
        more: how many more prompts would decide it if the estimate stays; None when decided or out of reach.
    """

    model: str
    answer: Literal["acceptable", "not acceptable", "undecided"]
    because: tuple[str, ...]
    basis: Basis
    pass_rate: Interval | None
    difference: Interval | None
    more: int | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "answer": self.answer, "because": list(self.because), "basis": self.basis,
            "more_prompts": self.more,
            "pass_rate": self.pass_rate and self.pass_rate.document(),
            "difference": self.difference and self.difference.document(),
        }  # fmt: skip


def verdict(
    model: str,
    bar: Bar,
    rate: tuple[Interval, Basis] | None,
    against: Comparison | None,
) -> Verdict:
    """The answer from a pass rate and a comparison, both with intervals at the bar's `level`."""
    parts: list[tuple[str, str, Basis, int | None]] = []
    if bar.pass_rate is not None:
        parts.append(_absolute(model, bar, rate))
    if bar.margin is not None and against is not None:
        parts.append(_relative(bar, against))
    answers = [answer for answer, *_ in parts]
    # One part failed is enough to refuse; all must hold to accept.
    for answer in ("not acceptable", "undecided", "acceptable"):
        if answer in answers:
            break
    bases: list[Basis] = [part[2] for part in parts]
    basis: Basis = max(bases, key=_WEAKER.index)
    more = [n for a, _, _, n in parts if a == "undecided"]
    return Verdict(
        model,
        answer,
        tuple(said for _, said, _, _ in parts),
        basis,
        rate[0] if rate else None,
        against.difference if against else None,
        max(n for n in more if n is not None) if answer == "undecided" and None not in more else None,
    )


_WEAKER: tuple[Basis, ...] = ("same model", "measured", "measured apart", "published", "none")


def _absolute(
    model: str, bar: Bar, rate: tuple[Interval, Basis] | None
) -> tuple[str, str, Basis, int | None]:
    assert bar.pass_rate is not None
    least = f"at least {_percent(bar.pass_rate)} must pass"
    if rate is None:
        said = f"Nothing measured and nothing published tells {model}'s pass rate; {least}: not known."
        note = Note(said, "rate_unknown", model=model, least=_percent(bar.pass_rate))
        return "undecided", note, "none", None
    at, basis = rate
    answer = _side(at, bar.pass_rate, basis)
    more = _more(at, bar.pass_rate) if answer == "undecided" and basis == "measured" else None
    shown = f"{_percent(at.estimate)} pass ({_percent(at.low)} to {_percent(at.high)})"
    if basis == "published":
        said = (
            f"Going by published figures, about {shown}; {least}: {_told(answer)}. Test it on your own work."
        )
    else:
        said = f"{shown}; {least}: {_told(answer)}.{_advice(answer, more)}"
    key = "rate_published" if basis == "published" else "rate_measured"
    low, high = _percent(at.low), _percent(at.high)
    facts = {"rate": _percent(at.estimate), "low": low, "high": high, "least": _percent(bar.pass_rate)}
    ending = {} if basis == "published" else {"more": _said(answer, more)}
    held = {"key": f"verdict.{_told(answer).split()[0]}"}
    return answer, Note(said[0].upper() + said[1:], key, **facts, answer=held, **ending), basis, more


def _relative(bar: Bar, against: Comparison) -> tuple[str, str, Basis, int | None]:
    assert bar.margin is not None
    at, other = against.difference, against.present
    most = f"it may be {_points(bar.margin)} under {other} at most"
    if against.basis == "same model":
        note = Note(f"It is the model in use, {other}: nothing changes.", "gap_same", other=other)
        return "acceptable", note, "same model", None
    if against.basis == "none":
        said = f"Neither measured beside {other} nor published for both; {most}: not known."
        note = Note(said, "gap_unknown", other=other, margin=f"{100 * bar.margin:.3g}")
        return "undecided", note, "none", None
    answer = _side(at, -bar.margin, against.basis)
    where = {
        "measured": f"on the same {against.pairs} prompts as {other}",
        "measured apart": f"beside {other}, on other prompts or from sums alone",
        "published": f"beside {other}, going by published figures",
    }[against.basis]
    shown = f"{_signed(at.estimate)} ({_signed(at.low, bare=True)} to {_signed(at.high, bare=True)})"
    more = _more(at, -bar.margin) if answer == "undecided" and against.basis == "measured" else None
    said = f"Pass rate {shown} {where}; {most}: {_told(answer)}."
    if against.basis == "published":
        said += " Test it on your own work."
    else:
        said += _advice(answer, more, "pairs" if against.basis == "measured" else "apart")
    key = {"measured": "gap_measured", "measured apart": "gap_apart", "published": "gap_published"}
    facts = {"other": other, "margin": f"{100 * bar.margin:.3g}", "pairs": against.pairs}
    facts |= {n: _signed(v, bare=True) for n, v in (("gap", at.estimate), ("low", at.low), ("high", at.high))}
    facts["answer"] = {"key": f"verdict.{_told(answer).split()[0]}"}
    facts["more"] = _said(answer, more, "pairs" if against.basis == "measured" else "apart")
    return answer, Note(said, key[against.basis], **facts), against.basis, more


def _side(at: Interval, bar: float, basis: Basis) -> str:
    # The last digits of a limit are arithmetic, not evidence: 0.9 − 0.95 is not quite −0.05.
    if at.low >= bar - 1e-12:
        # Published figures can refuse a model, never accept it: they were not measured on the team's work.
        return "undecided" if basis == "published" else "acceptable"
    return "not acceptable" if at.high < bar - 1e-12 else "undecided"


def _more(at: Interval, bar: float) -> int | None:
    """Further prompts with which the limit would reach the bar, the estimate staying."""
    if at.estimate is None or at.n < 1:
        return None
    gap = at.estimate - bar
    half = at.estimate - at.low if gap > 0 else at.high - at.estimate
    if abs(gap) * math.sqrt(ENOUGH) <= half * math.sqrt(at.n):
        return None
    return max(1, math.ceil(at.n * (half / gap) ** 2 - at.n))


def _told(answer: str) -> str:
    return {"acceptable": "met", "not acceptable": "missed", "undecided": "not decided"}[answer]


def _advice(answer: str, more: int | None, kind: str = "pairs") -> str:
    if answer != "undecided":
        return ""
    if kind == "apart":
        return " Give both models the same prompts to tell."
    if more is None:
        return " It is too close to the bar for any sample to tell."
    return f" About {more:,} more prompts would tell, if it stays so."


def _said(answer: str, more: int | None, kind: str = "pairs") -> dict[str, object] | str:
    """`_advice` as a sentence's key; nothing where it says nothing."""
    if answer != "undecided":
        return ""
    if kind == "apart":
        return {"key": "verdict.same_prompts"}
    return {"key": "verdict.close"} if more is None else {"key": "verdict.more", "args": {"more": more}}


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.3g}%"


def _points(value: float) -> str:
    return f"{100 * value:.3g} points"


def _signed(value: float | None, bare: bool = False) -> str:
    if value is None:
        return "unknown"
    shown = f"{100 * value:+.1f}".replace("-", "−")
    return shown if bare else f"{shown} points"
