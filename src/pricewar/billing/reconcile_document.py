"""A reconciliation as plain data: what the terminal, JSON and CSV show.

Amounts are decimal text in the invoice's currency, exact when they end within 28 digits.
"""

from __future__ import annotations

import csv as writer
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from pricewar import __version__
from pricewar.billing.document import inert
from pricewar.billing.reconcile import Reconciliation
from pricewar.billing.reconcile_parts import CAUSES, Row
from pricewar.units import decimal

REMEDIES: Final[Mapping[str, str]] = {
    "zone": "give the invoice's zone with --zone, so that its days are cut as the vendor cuts them",
    "batch": "let the log record which requests were batches (a `tier` column), so that both sides say so",
    "flex": "let the log record the service tier that the answer names, not the one asked for",
    "priority": "let the log record the service tier that the answer names, not the one asked for",
    "tier": "let the log record the service tier or residency that the answer names",
    "cache": "let the log record cached tokens apart from input (docs/usage.md names the fields)",
    "missing_log": "look for keys, projects or services that do not pass through what writes the log",
    "missing_invoice": "ask whether these days are billed later, to another account, or were free",
    "unlisted": "add the model's price as a fact (CONTRIBUTING.md), or bill on an --offer of your own",
    "currency": "compare the implied rate with the one your contract names",
    "list_price": "check the vendor's price page and your contract; if the price changed, add a record",
    "rounding": "nothing to do: amounts or quantities are written in whole steps",
    "allowance": "nothing to do while it lasts; `pricewar advise` tells what follows when it ends",
    "limits": "the invoice charges what the offer's limits would have refused: is it the offer you have?",
    "discount": "check that the discount is the one agreed",
    "credit": "mind when the credit ends",
    "tax": "leave it out of comparisons of offers, unless you cannot reclaim it",
    "fee": "count it in when you compare offers: `pricewar bill` knows published fees",
    "commitment": "compare what was committed with what was used",
    "adjustment": "ask the vendor what was corrected",
}

METHOD: Final = (
    "Causes are taken in a fixed order and each changes one thing: first quantities, at our prices (time "
    "zone of the day, tier, cache, usage missing on either side), then prices, at the invoice's quantities "
    "(exchange rate or another factor, tier told by the price, list price, rounding), then what is taken off "
    "or added. They add up to the gap exactly; what no evidence explains stays unexplained."
)


def document(
    found: Reconciliation, *, command: str = "pricewar reconcile", threshold: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The reconciliation, ready for JSON."""
    r = found
    base = r.charged or r.ours
    clock = r.clock
    return {
        "pricewar": __version__,
        "made": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "command": command,
        "as_of": str(r.catalogue.as_of),
        "terms": f"{r.frozen:%Y-%m-%d}" if r.frozen else "replay",
        "offer": r.offer or "as-logged",
        "currency": r.currency,
        "period": {"first": str(r.first), "last": str(r.last)},
        "log": {
            "source": [Path(name).name for name in r.log.source],
            "format": r.log.format,
            "rows_in": r.log.rows_in,
            "rows": r.log.rows,
            "exclusions": _exclusions(r.log.exclusions),
            "notes": list(r.log.notes),
        },
        "invoice": {
            "source": [Path(name).name for name in r.invoice.source],
            "format": r.invoice.format,
            "verified": r.invoice.verified,
            "documentation": r.invoice.documentation,
            "rows_in": r.invoice.rows_in,
            "lines": len(r.invoice.lines),
            "exclusions": _exclusions(r.invoice.exclusions),
            "notes": list(r.invoice.notes),
        },
        "ours": _text(r.ours),
        "charged": _text(r.charged),
        "gap": _text(r.gap),
        "gap_share": _text(r.gap / abs(base)) if base else None,
        "causes": [_cause(r, key, amount) for key, amount in r.causes.items()],
        "unexplained": {
            "net": _text(r.unexplained),
            "absolute": _text(r.unexplained_absolute),
            "share": _text(r.unexplained_absolute / abs(base)) if base else None,
            "findings": _findings(r.rows, None),
        },
        "clock": {
            "declared": clock.declared,
            "used": clock.name,
            "days_that_agree": [clock.agree, clock.agreed],
            "of": clock.of,
            "apart": [clock.apart, clock.left],
            "unit": clock.unit,
            "equally": list(clock.equally),
        },
        "implied": list(r.implied),
        "notes": list(r.notes),
        "method": METHOD,
        "threshold": dict(threshold) if threshold else None,
        "lines": [_line(row) for row in r.rows],
    }


def _text(amount: Fraction | None) -> str | None:
    return None if amount is None else f"{decimal(amount):f}"


def _exclusions(exclusions: Any) -> list[dict[str, Any]]:
    return [{"cause": e.cause, "count": e.count, "examples": list(e.examples)} for e in exclusions]


def _cause(r: Reconciliation, key: str, amount: Fraction) -> dict[str, Any]:
    return {
        "key": key,
        "title": CAUSES[key],
        "amount": _text(amount),
        "evidence": clock_words(r) if key == "zone" else None,
        "remedy": REMEDIES[key],
        "findings": _findings(r.rows, key),
    }


def clock_words(r: Reconciliation) -> str:
    """How the clock was found."""
    c = r.clock
    apart, left = (f"{x:,.0f}" if c.unit == "tokens" else f"{x:,.2f}" for x in (c.apart, c.left))
    unit = "tokens" if c.unit == "tokens" else r.currency
    words = (
        f"{c.agreed} of {c.of} model-days agree when days begin at midnight {c.name}, {c.agree} of {c.of} at "
        f"midnight {c.declared}, as the invoice has it; {left} {unit} disagree instead of {apart}"
    )
    return words + (f"; {', '.join(c.equally)} would do as well" if c.equally else "")


def _findings(rows: list[Row], cause: str | None) -> list[dict[str, Any]]:
    """Where a cause (or, None, what is unexplained) lies: by model, meter, tier and evidence."""
    grouped: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        amount = row.unexplained if cause is None else row.causes.get(cause)
        if amount:
            why = None if cause is None else row.why.get(cause)
            grouped.setdefault((row.vendor, row.model, row.meter, row.tier, why), []).append(row)
    found: list[tuple[Fraction, dict[str, Any]]] = []
    for (vendor, model, meter, tier, why), part in grouped.items():
        sums = [row.unexplained if cause is None else row.causes[cause] for row in part]
        starts = [row.start for row in part if row.start]
        ends = [row.end for row in part if row.end]
        size = sum((abs(a) for a in sums), Fraction(0))
        apart = [row.billed - row.logged for row in part if row.billed is not None and row.logged is not None]
        item = {
            "vendor": vendor,
            "model": model or None,
            "meter": meter,
            "tier": tier,
            "amount": _text(sum(sums, Fraction(0))),
            "lines": len(part),
            "first": str(min(starts).date()) if starts else None,
            "last": str((max(ends) - timedelta(microseconds=1)).date()) if ends else None,
            "quantity_apart": _text(sum(apart, Fraction(0))) if apart else None,
            "why": why,
            "items": list(dict.fromkeys(i for row in part for i in row.items))[:3],
            "places": [p for row in part for p in row.places][:3],
        }
        found.append((size, item))
    return [item for _, item in sorted(found, key=lambda pair: -pair[0])]


def _line(row: Row) -> dict[str, Any]:
    return {
        "vendor": row.vendor,
        "model": row.model or None,
        "meter": row.meter,
        "tier": row.tier,
        "start": row.start.isoformat(sep=" ", timespec="minutes") if row.start else None,
        "end": row.end.isoformat(sep=" ", timespec="minutes") if row.end else None,
        "logged": _text(row.logged),
        "billed": _text(row.billed),
        "ours": _text(row.ours),
        "charged": _text(row.charged),
        "gap": _text(row.gap),
        "causes": {key: _text(row.causes[key]) for key in CAUSES if row.causes.get(key)},
        "why": dict(row.why),
        "unexplained": _text(row.unexplained),
        "items": list(row.items),
        "places": list(row.places),
    }


CSV_COLUMNS: Final = (
    *("vendor", "model", "meter", "tier", "start", "end", "logged", "billed", "ours", "charged", "gap"),
    *(f"cause_{key}" for key in CAUSES),
    *("unexplained", "currency", "items", "places"),
)


def csv(shown: Mapping[str, Any]) -> str:
    """The parts as CSV, one a line; a cell that a spreadsheet would run is quoted with '."""
    out = io.StringIO()
    table = writer.writer(out, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    for line in shown["lines"]:
        row = [line[key] for key in CSV_COLUMNS[:11]]
        row += [line["causes"].get(key, "0") for key in CAUSES]
        row += [line["unexplained"], shown["currency"], "; ".join(line["items"]), "; ".join(line["places"])]
        table.writerow([inert(cell) for cell in row])
    return out.getvalue()


__all__ = ["CSV_COLUMNS", "METHOD", "REMEDIES", "clock_words", "csv", "document"]
