"""A comparison as plain data: what the terminal, JSON, CSV and the report all show.

Amounts are decimal text, exact when they terminate within 28 digits and rounded half to even otherwise;
None is an unknown amount. Texts for people are `{key, args, text}`: English, and what another language
needs to say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricewar import __version__
from pricewar.billing.bill import Bill, Line, Term
from pricewar.billing.desk import CORNERS, Comparison, Entry, Interval
from pricewar.units import METERS, decimal

if TYPE_CHECKING:
    from pricewar.usage.log import Log


def document(comparison: Comparison, log: Log, *, command: str = "pricewar bill") -> dict[str, Any]:
    """The comparison and the log it is about, ready for JSON."""
    c = comparison
    baseline = c.per_million(c.baseline)
    return {
        "pricewar": __version__,
        "made": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "command": command,
        "as_of": str(c.catalogue.as_of),
        "terms": f"{c.frozen:%Y-%m-%d}" if c.frozen else "replay",
        "currency": c.currency,
        "log": _log(c, log),
        "assumptions": {
            "tokens": [str(decimal(c.assumed[k].tokens)) for k in CORNERS],
            "verbosity": [str(decimal(c.assumed[k].verbosity)) for k in CORNERS],
            "cache": ["1" if c.assumed[k].keep_cache else "0" for k in CORNERS],
            "text": _assumptions(c),
        },
        "baseline": {
            "id": "as-logged",
            "total": _text(c.baseline),
            "per_mtok": _text(baseline),
            "complete": c.baseline is not None,
            "models": [
                {
                    "vendor": use.vendor,
                    "model": use.model,
                    "offer": use.offer.id if use.offer else None,
                    "total": _text(use.total),
                }
                for use in c.models
            ],
            "missing": [use.model for use in c.models if use.total is None],
        },
        "offers": [_entry(c, entry, rank) for rank, entry in enumerate(c.entries, 1)],
        "not_billed": [{"id": id, "why": term(why)} for id, why in c.not_billed],
    }


def term(t: Term) -> dict[str, Any]:
    """A text for people."""
    return {"key": t.key, "args": dict(t.args), "text": t.text}


def _text(amount: Fraction | None) -> str | None:
    return None if amount is None else f"{decimal(amount):f}"


def _interval(interval: Interval, of: Any = None) -> dict[str, str | None]:
    parts: Mapping[str, Fraction | None] = {k: getattr(interval, k) for k in CORNERS}
    return {k: _text(of(v) if of is not None else v) for k, v in parts.items()}


def _log(c: Comparison, log: Log) -> dict[str, Any]:
    return {
        "source": [Path(name).name for name in log.source],  # a report is passed on: no folders
        "format": log.format,
        "rows_in": log.rows_in,
        "rows": log.rows,
        "requests": c.requests if c.requests_counted else None,
        "tokens": c.tokens,
        "bucket_seconds": log.bucket_seconds,
        "first": log.span[0].isoformat() if log.span else None,
        "last": log.span[1].isoformat() if log.span else None,
        "days": [
            {"day": str(day), "requests": r if c.requests_counted else None, "tokens": t}
            for day, r, t in c.days
        ],
        "models": [
            {
                "vendor": use.vendor,
                "model": use.model,
                "requests": use.requests if c.requests_counted else None,
                "tokens": dict(zip(METERS[:7], use.quantities[:7], strict=True)),
            }
            for use in c.models
        ],
        "exclusions": [
            {"cause": e.cause, "count": e.count, "examples": list(e.examples)} for e in log.exclusions
        ],
        "notes": [
            *log.notes,
            *([f"{c.left_out:,} rows are for models not asked for (--only)."] if c.left_out else []),
        ],
    }


def _assumptions(c: Comparison) -> list[str]:
    low, high = c.assumed["low"], c.assumed["high"]
    said = [
        "The bill is exact for requests of the model that the offer serves.",
        f"Another model is taken to need {decimal(low.tokens)} to {decimal(high.tokens)} times the tokens "
        f"for the same text, to answer {decimal(low.verbosity)} to {decimal(high.verbosity)} times as long"
        f"{'' if high.keep_cache else ', and at worst to reuse no prompt cache'}. These are assumptions, not "
        "measurements; set them with --tokens, --verbosity and --cache.",
        "A refused request is unserved, never saved money: it goes on to " + " → ".join(c.overflow_to) + ".",
        "Offers are ranked by cost alone; whether another model does the work as well is for you to test.",
        "Limits and quotas are taken to be those of one account used by this log alone; a quota of tokens "
        "covers input before output.",
        "An offer whose start nobody published is taken to have been in force.",
    ]
    rates = {(r.base, r.to, r.on): r for e in c.entries if (r := e.exchange[1]) is not None}
    for _, rate in sorted(rates.items()):
        said.append(f"1 {rate.base} is {decimal(rate.rate):f} {rate.to}, the rate of {rate.on}.")
    if c.frozen:
        said.append(f"Every request is billed on the terms in force on {c.frozen:%Y-%m-%d}.")
    return said


def _entry(c: Comparison, e: Entry, rank: int) -> dict[str, Any]:
    record = e.tariff.record
    rate, exchange = e.exchange
    tokens = max(c.tokens, 1)
    version = record.in_force
    return {
        "rank": rank,
        "id": e.offer.id,
        "vendor": record.vendor,
        "plan": record.plan,
        "model": e.tariff.model.name,
        "kind": record.kind,
        "light": record.light,
        "confidence": record.confidence,
        "exact": e.exact,
        "headline_per_mtok": _text(c.per_million(e.headline)),
        "per_mtok": _interval(e.total, c.per_million),
        "total": _interval(e.total),
        "own": _interval(e.own),
        "overflow": _interval(e.overflow),
        "overflow_to": " → ".join(e.chain),
        "native_currency": record.currency,
        "fx": None
        if exchange is None
        else {"rate": _text(rate), "on": str(exchange.on), "source": exchange.sources[0].url},
        "served_share": _interval(e.served),
        "free_share": _text(Fraction(e.bill.free_tokens, tokens)),
        "paid_share": _text(Fraction(e.bill.paid_tokens, tokens)),
        "refused": [
            {**term(cause), "requests": requests if c.requests_counted else None, "tokens": count}
            for cause, requests, count in e.bill.refused
        ],
        "queued": e.bill.queued,
        "longest_wait_seconds": e.bill.longest_wait // 10**6,
        "bit": [term(t) for t in e.bill.bit],
        "warnings": [term(t) for t in e.warnings],
        "sources": [
            {"url": s.url, "read_on": str(s.read_on), "says": s.says}
            for v in e.tariff.versions
            for s in v.sources
        ],
        "in_force": {
            "from": f"{version.from_:%Y-%m-%d}" if isinstance(version.from_, datetime) else version.from_,
            "until": f"{version.end:%Y-%m-%d}" if version.end else version.until,
        },
        "announced": [term(t) for t in e.announced],
        "lines": [_line(e.bill, line) for line in e.bill.lines],
    }


def _line(bill: Bill, line: Line) -> dict[str, Any]:
    first = 0
    for version in bill.tariff.versions[: line.version]:
        first += len(version.sources)
    return {
        "meter": line.meter,
        "quantity": _text(line.quantity),
        "unit": line.unit,
        "price": _text(line.price),
        "per": line.per,
        "amount": _text(line.amount),
        "month": line.month,
        "rule": term(line.rule),
        "source": first,
        "sources": list(range(first, first + len(bill.tariff.versions[line.version].sources))),
        "allowance": line.rule.text if line.rule.key == "allowance" else None,
    }


CSV_COLUMNS = (
    *("rank", "id", "vendor", "plan", "model", "kind", "exact"),
    *("headline_per_mtok", "per_mtok_low", "per_mtok_mid", "per_mtok_high"),
    *("total_low", "total_mid", "total_high", "own_mid", "overflow_mid", "currency"),
    *("served_share", "free_share", "refused_requests", "terms_that_bit", "warnings", "source", "read_on"),
)


def csv(shown: dict[str, Any]) -> str:
    """The comparison as CSV, one offer a line; a cell that a spreadsheet would run is quoted with '."""
    import csv as writer
    import io

    out = io.StringIO()
    table = writer.writer(out, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    for o in shown["offers"]:
        row: list[Any] = [o[k] for k in ("rank", "id", "vendor", "plan", "model", "kind", "exact")]
        row += [
            o["headline_per_mtok"],
            *(o["per_mtok"][k] for k in CORNERS),
            *(o["total"][k] for k in CORNERS),
        ]
        row += [o["own"]["mid"], o["overflow"]["mid"], shown["currency"], o["served_share"]["mid"]]
        row += [o["free_share"], sum(r["requests"] for r in o["refused"] if r["requests"] is not None)]
        row += ["; ".join(t["text"] for t in o["bit"]), "; ".join(t["text"] for t in o["warnings"])]
        source = o["sources"][0] if o["sources"] else {"url": "", "read_on": ""}
        table.writerow([inert(cell) for cell in [*row, source["url"], source["read_on"]]])
    return out.getvalue()


def inert(cell: Any) -> Any:
    """Text that no spreadsheet takes for a formula and no terminal for a command."""
    if not isinstance(cell, str):
        return cell
    text = "".join(letter if letter.isprintable() else " " for letter in cell)
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
