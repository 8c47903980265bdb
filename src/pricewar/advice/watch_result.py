"""What watching finds: findings with day, amount, source and remedy, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from pricewar.billing.desk import Interval
from pricewar.offers.schema import End, OfferRecord, Source
from pricewar.units import money, rounded

Severity = Literal["now", "soon", "note"]
SEVERITIES: tuple[Severity, ...] = ("now", "soon", "note")
FORMAT = 1
"""Of the JSON document; it rises when a key changes its meaning or goes away."""


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        key: rise, fall, tighter, terms, ends, retires, over, gone, announced, trigger, look_again, allowance,
            expires, limit, refused, better, not_judged, stale, unlisted, log_old, log_short, unpublished.
        severity: now: it is so already; soon: it comes within the window; note: it needs no action. The first
            two are due.
        offer: the offer it is about; empty where it is about none.
        what, do: one sentence each: what is so, and what to do about it.
        by: the day on which it begins, or by which to act.
        amount: money a month in the watch's currency, more than now where positive, with its range; None
            where it is not about money or cannot be known.
        sources: where the fact was read.
        args: the figures of `what`, without words.
    """

    key: str
    severity: Severity
    offer: str
    what: str
    do: str
    by: date | None = None
    amount: Interval | None = None
    sources: tuple[Source, ...] = ()
    args: dict[str, Any] = field(default_factory=dict)

    @property
    def due(self) -> bool:
        return self.severity != "note"

    @property
    def read_on(self) -> date | None:
        """The day on which the newest of its sources was read."""
        return max((s.read_on for s in self.sources), default=None)


@dataclass(frozen=True)
class Item:
    """An offer that is watched, and why: `plan` (the plan's), `named` (asked for), `logged` (the list price
    of what was logged), `next` (where the plan would go), `rest` (takes what the plan's refuse)."""

    offer: str
    role: str
    read_on: date | None


@dataclass
class Watched:
    """All that was found on a day.

    Attributes:
        since, until: changes in force from after `since` up to `until` are told.
        days: how many days of work the log holds; amounts are for a month of 30.4375 days of it.
        findings: due ones first, each by day.
    """

    as_of: date
    since: date
    until: date
    currency: str
    days: Fraction
    items: list[Item]
    findings: list[Finding]

    @property
    def due(self) -> list[Finding]:
        return [f for f in self.findings if f.due]

    def sort(self) -> None:
        """By severity, day, amount and offer: the same findings always stand in the same order."""
        self.findings.sort(
            key=lambda f: (
                SEVERITIES.index(f.severity),
                f.by or date.max,
                -((f.amount.mid or 0) if f.amount else 0),
                f.offer,
                f.key,
                f.what,
            )
        )

    def document(self) -> dict[str, Any]:
        """As JSON: money as decimal text to six places, days as text."""
        return {
            "format": FORMAT,
            "as_of": self.as_of.isoformat(),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "currency": self.currency,
            "days_logged": float(self.days),
            "due": len(self.due),
            "watched": [
                {"offer": i.offer, "role": i.role, "read_on": i.read_on.isoformat() if i.read_on else None}
                for i in self.items
            ],
            "findings": [
                {
                    "key": f.key,
                    "severity": f.severity,
                    "offer": f.offer,
                    "what": f.what,
                    "do": f.do,
                    "by": f.by.isoformat() if f.by else None,
                    "amount_a_month": _amount(f.amount),
                    "sources": [
                        {
                            "url": s.url,
                            "read_on": s.read_on.isoformat(),
                            **({"says": s.says} if s.says else {}),
                        }
                        for s in f.sources
                    ],
                    "args": _plain(f.args),
                }
                for f in self.findings
            ],
        }


def _amount(amount: Interval | None) -> dict[str, str | None] | None:
    if amount is None:
        return None
    return {
        name: f"{rounded(value, 6):f}" if value is not None else None
        for name, value in (("low", amount.low), ("mid", amount.mid), ("high", amount.high))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Fraction):
        return f"{rounded(value, 6).normalize():f}"
    return value.isoformat() if isinstance(value, date) else value


def amount_words(amount: Interval | None, currency: str) -> str:
    """`+$12.30 a month ($10.00 to $15.00)`, or nothing."""
    if amount is None or amount.mid is None:
        return ""

    def signed(value: Fraction) -> str:
        return ("+" if value > 0 else "") + money(value, currency)

    text = f"{signed(amount.mid)} a month"
    if amount.low is None or amount.high is None:
        return text
    low, high = signed(amount.low), signed(amount.high)
    return text if low == high else f"{text} ({low} to {high})"


def newest(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Sources, the one read last first; of equals in their own order."""
    return tuple(sorted(sources, key=lambda s: s.read_on, reverse=True))


def sources_of(record: OfferRecord | None, ends: Iterable[End] = ()) -> tuple[Source, ...]:
    """The sources of a version and of what ended it."""
    return newest([*(s for e in ends for s in e.sources), *(record.sources if record is not None else ())])
