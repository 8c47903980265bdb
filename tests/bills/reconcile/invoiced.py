"""Logs and invoices made up from plain rows, for the reconciliation tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pricewar.billing.reconcile import Reconciliation, reconcile
from pricewar.offers.catalogue import load_catalogue
from pricewar.usage.invoice import Invoice, Line
from pricewar.usage.log import Log
from pricewar.usage.table import METERS, SCHEMA

GATHERED = date(2026, 11, 22)


@dataclass
class Use:
    """A request (or bucket) of the log."""

    time: datetime
    model: str
    vendor: str | None = "openai"
    tier: str = "standard"
    end: datetime | None = None
    tokens: dict[str, int] = field(default_factory=dict)


def log_of(uses: Iterable[Use], bucket_seconds: int | None = None) -> Log:
    rows = sorted(uses, key=lambda use: use.time)
    columns: dict[str, Any] = {
        "time": [u.time for u in rows],
        "time_end": [u.end for u in rows],
        "vendor": [u.vendor for u in rows],
        "model": [u.model for u in rows],
        **{m: [u.tokens.get(m, 1 if m == "requests" else 0) for u in rows] for m in METERS},
        "tier": [u.tier for u in rows],
        "reported_cost": [None] * len(rows),
        "reported_currency": [None] * len(rows),
        "project": [None] * len(rows),
    }
    frame = pl.DataFrame(columns, schema=SCHEMA)
    span = (rows[0].time, rows[-1].time) if rows else None
    return Log(
        "made", ("log.csv",), len(rows), len(rows), bucket_seconds=bucket_seconds, span=span, _held=frame
    )


def line(
    day: date | None, amount: str | Fraction | int, *, model: str | None = None, meter: str | None = None,
    quantity: Any = None, kind: Any = "usage", zone: str | None = None, days: int = 1,
    vendor: str | None = "openai", tier: str | None = None, listed: Any = None, currency: str = "USD",
    item: str = "", hour: int = 0,
) -> Line:  # fmt: skip
    """A line of an invoice for a day (of `zone`)."""
    start = end = None
    if day is not None:
        start = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone) if zone else UTC)
        end = (start + timedelta(days=days)).astimezone(UTC)
        start = start.astimezone(UTC)
    as_fraction = lambda x: None if x is None else Fraction(x)  # noqa: E731
    return Line(
        start, end, zone, vendor, model, meter, tier, as_fraction(quantity), kind, as_fraction(listed),
        Fraction(amount), currency, None, item or f"{model} {meter}", "invoice.csv:2",
    )  # fmt: skip


def invoice_of(lines: Iterable[Line], verified: bool = True) -> Invoice:
    kept = tuple(lines)
    return Invoice("made", ("invoice.csv",), kept, len(kept), (), (), verified, "https://example.org")


def explained(uses: Iterable[Use], lines: Iterable[Line], **options: Any) -> Reconciliation:
    """Reconcile, and hold the law: ours + causes + unexplained = charged, in every row and in all."""
    bucket = options.pop("bucket_seconds", None)
    found = reconcile(
        log_of(uses, bucket), invoice_of(lines), load_catalogue(options.pop("as_of", GATHERED)), **options
    )
    lawful(found)
    return found


def lawful(found: Reconciliation) -> None:
    for row in found.rows:
        assert row.ours + sum(row.causes.values()) + row.unexplained == row.charged
    assert found.ours + sum(found.causes.values()) + found.unexplained == found.charged
    assert found.gap == found.charged - found.ours
    assert sum(row.ours for row in found.rows) == found.ours
    assert sum(row.charged for row in found.rows) == found.charged
