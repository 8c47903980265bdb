"""A bill as a usage log: its token lines as rows of the canonical table, one meter each."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import polars as pl

from pricewar.errors import LogError
from pricewar.units import METERS
from pricewar.usage.invoice import Invoice, Line
from pricewar.usage.log import Exclusions, Log
from pricewar.usage.normal import ABSURDITY, FRACTION, NEGATIVE, NO_MODEL, NO_TIME
from pricewar.usage.table import ABSURD, SCHEMA

NO_METER = "a line that names no meter"
NO_COUNT = "a line without a count of tokens"
MONEY_ONLY = "a credit, tax, fee, commitment or adjustment: money without usage"


def log(invoice: Invoice, where: str) -> Log:
    """The usage that a bill tells.

    Raises:
        LogError: it tells money and no tokens at all.
    """
    if invoice.lines and not any(_counts(line) for line in invoice.lines):
        raise LogError(
            f"this is a cost report ({invoice.format}): it tells money and no tokens",
            where=where,
            remedy="give the usage report of the same days instead, "
            "or set it against a log with: pricewar reconcile LOG INVOICE",
        )
    excluded = Exclusions(invoice.exclusions)
    rows: list[tuple] = []
    for line in invoice.lines:
        cause = _cause(line)
        if cause is None:
            rows.append(_row(line))
        else:
            excluded.add(cause, lambda line=line: [line.place])
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    time = table["time"]
    ordered = bool(time.is_sorted())
    if not ordered:
        table = table.sort("time", maintain_order=True)
    widths = [(line.end - line.start).total_seconds() for line in invoice.lines if line.start and line.end]
    met = {line.meter for line in invoice.lines}
    span: tuple[datetime, datetime] | None = None
    if table.height:
        span = table["time"][0], table["time"][-1]
    return Log(
        format=invoice.format,
        source=invoice.source,
        rows_in=invoice.rows_in,
        rows=table.height,
        exclusions=excluded.all(),
        notes=(*invoice.notes, *_notes(invoice)),
        unknown=tuple(m for m in METERS if m not in met and m not in ("input", "output")),
        bucket_seconds=int(max(widths, default=0)),
        span=span,
        ordered=ordered,
        _held=table,
    )


def _counts(line: Line) -> bool:
    return line.quantity is not None and line.meter in METERS and line.kind in ("usage", "allowance")


def _cause(line: Line) -> str | None:
    """Why a line is no row of usage, None when it is one."""
    if line.kind not in ("usage", "allowance"):
        return MONEY_ONLY
    if line.quantity is None:
        return NO_COUNT
    if line.meter not in METERS:
        return NO_METER
    if line.model is None or not line.model.strip():
        return NO_MODEL
    if line.start is None:
        return NO_TIME
    if line.quantity < 0:
        return NEGATIVE
    if line.quantity > ABSURD:
        return ABSURDITY
    return FRACTION if line.quantity.denominator != 1 else None


def _row(line: Line) -> tuple:
    assert line.quantity is not None
    counts: dict[str, int] = dict.fromkeys(METERS, 0)
    counts[line.meter or ""] = int(line.quantity)
    tier = line.tier or "standard"
    cost = _money(line.amount)
    return (
        line.start,
        line.end,
        line.vendor,
        line.model,
        *(counts[meter] for meter in METERS),
        tier,
        cost,
        line.currency,
        line.project,
    )


def _money(amount: Fraction) -> Decimal | None:
    """To the twelve decimals of the table; None past its size."""
    scaled = round(amount * 10**12)
    return Decimal(scaled).scaleb(-12) if abs(scaled) < 10**37 else None


def _notes(invoice: Invoice) -> tuple[str, ...]:
    said = [
        "A bill's lines are sums of one meter each: limits over shorter times, sizes of requests and their "
        "number cannot be known from it."
    ]
    untold = sum(line.tier is None for line in invoice.lines if _counts(line))
    if untold:
        said.append(f"{untold:,} lines tell no service tier; they were taken as standard.")
    return tuple(said)
