"""Our bill of a log against an invoice: the gap, its causes, and what stays unexplained.

`reconcile_usage` holds the log's side, `reconcile_match` puts every line of the invoice beside its part of
the log, `reconcile_causes` takes each gap apart into steps (`reconcile_parts`), `reconcile_document` is the
answer as plain data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from pricewar.billing.reconcile_causes import Attribution
from pricewar.billing.reconcile_match import Clock, Matching, declared_zone, local
from pricewar.billing.reconcile_parts import CAUSES, Row, places, quantity_step
from pricewar.billing.reconcile_usage import Usage, tokens_outside
from pricewar.billing.tariff import UNKNOWN
from pricewar.errors import ConfigurationError, DataError, FactError
from pricewar.units import METERS, count, money

if TYPE_CHECKING:
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.usage.invoice import Invoice, Line
    from pricewar.usage.log import Log

PRICED_KINDS = ("usage", "allowance")


@dataclass
class Reconciliation:
    """A log and an invoice, in the invoice's currency.

    Attributes:
        offer: id of the offer our bill is on; None: as logged, at list prices.
        first, last: days of the period, on the invoice's clock, both included.
        ours, charged: the two totals.
        causes: cause → signed amount, in the order of attribution; those that are nil left out.
        rows: every part, ours beside the invoice's.
        notes: what was assumed and left out, in sentences.
        implied: exchange rates and factors the invoice implies, in words.
    """

    catalogue: Catalogue
    log: Log
    invoice: Invoice
    offer: str | None
    frozen: datetime | None
    currency: str
    first: date
    last: date
    clock: Clock
    ours: Fraction
    charged: Fraction
    causes: dict[str, Fraction]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    implied: list[str] = field(default_factory=list)

    @property
    def gap(self) -> Fraction:
        """What the invoice asks beyond our bill; negative when it asks less."""
        return self.charged - self.ours

    @property
    def unexplained(self) -> Fraction:
        """What no cause explains, overs and unders set off; causes and this add up to the gap."""
        return sum((row.unexplained for row in self.rows), Fraction(0))

    @property
    def unexplained_absolute(self) -> Fraction:
        """The same without setting overs off against unders: what a threshold is held to."""
        return sum((abs(row.unexplained) for row in self.rows), Fraction(0))

    def breaches(self, threshold: Fraction, *, percent: bool, of_gap: bool = False) -> bool:
        """Whether the unexplained (or, `of_gap`, the gap) passes an amount, or a percentage of the invoice
        (of our bill, where the invoice asks nothing)."""
        size = abs(self.gap) if of_gap else self.unexplained_absolute
        base = abs(self.charged) or abs(self.ours)
        return size > (threshold * base / 100 if percent else threshold)


def reconcile(
    log: Log,
    invoice: Invoice,
    catalogue: Catalogue,
    *,
    offer: Offer | None = None,
    frozen: datetime | None = None,
    first: date | None = None,
    last: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reconciliation:
    """Explain the gap between our bill of `log` and `invoice`.

    Args:
        offer: bill on this offer, its allowances and charges included; None: each request at the list price
            of its own model, in force on its day.
        frozen: bill on the terms in force at this instant.
        first, last: days (the invoice's clock) to compare, both included; None: the calendar months in which
            the invoice's lines lie.
        progress: called with rows read and rows in all.

    Raises:
        DataError: the invoice holds no line that can be used, or none in the period.
        FactError: no exchange rate is known for a currency of the log or of a line.
        ConfigurationError: `offer` was never in force.
    """
    if not invoice.lines:
        causes = "; ".join(
            f"{e.count:,} × {e.cause} ({', '.join(e.examples[:2])})" for e in invoice.exclusions
        )
        raise DataError(
            f"no usable line: {causes or 'it holds none'}",
            where=", ".join(invoice.source),
            remedy="docs/usage.md tells how each bill is read",
        )
    zone = declared_zone(invoice.lines)
    first, last = _period(invoice.lines, log, zone, first, last)
    currency = Counter(line.currency for line in invoice.lines).most_common(1)[0][0]
    on = min(last, catalogue.as_of)
    _exchangeable(invoice.lines, catalogue, on)
    usage = Usage(catalogue, currency, first, last, on=on, offer=offer, frozen=frozen, zone=zone)
    lines, notes = _in_period(invoice.lines, usage, first, last)
    lines = _in_currency(lines, usage, notes)
    if offer is not None and frozen is not None and offer.on(frozen) is None:
        raise ConfigurationError(f"“{offer.id}” was not in force on {frozen:%Y-%m-%d}", where="--offer")
    usage.begin(bucket_seconds=log.bucket_seconds, unknown=log.unknown)
    done = 0
    for frame in log.batches(500_000):
        usage.add(frame)
        done += len(frame)
        if progress is not None:
            progress(done, max(log.rows, 1))
    priced = [line for line in lines if _is_priced(line)]
    matching = Matching(usage, priced)
    matching.fill(zone, declared=True)
    step = quantity_step(matching)
    clock = matching.clock(zone, step)
    matching.fill(clock.cut, declared=False)
    unit = places(a for line in lines for a in (line.amount, line.list_amount) if a is not None)
    found = Attribution(matching, usage, clock, unit, step)
    rows = [*found.rows, *_others(lines), *_terms(usage, matching)]
    notes += _notes(invoice, usage, clock, zone)
    notes += _beyond(lines, log, rows, clock, first, last, currency)
    total = sum((row.ours for row in rows), Fraction(0))
    sums = {cause: sum((r.causes.get(cause, Fraction(0)) for r in rows), Fraction(0)) for cause in CAUSES}
    return Reconciliation(
        catalogue, log, invoice, offer.id if offer is not None else None, frozen, currency, first, last,
        clock, total, sum((line.amount for line in lines), Fraction(0)),
        {cause: amount for cause, amount in sums.items() if any(cause in r.causes for r in rows)},
        rows, notes, found.implied,
    )  # fmt: skip


def _exchangeable(lines: Sequence[Line], catalogue: Catalogue, on: date) -> None:
    """See that every currency of the invoice has a rate.

    Raises:
        FactError: naming the first line whose currency has none.
    """
    for code, line in {line.currency: line for line in reversed(lines)}.items():
        try:
            catalogue.exchange(code, "USD", on)
        except FactError:
            raise FactError(
                f"no exchange rate is known for “{code}”",
                where=line.place,
                remedy="correct the currency there, or add a `currency_rates` record to the facts",
            ) from None


def _is_priced(line: Line) -> bool:
    """Whether a line is about tokens: a use, or what an allowance covered. An allowance that only takes money
    off stands by itself."""
    if line.kind == "allowance":
        return bool(line.quantity) or (line.list_amount is not None and line.list_amount > 0)
    return line.kind == "usage"


def _period(
    lines: Sequence[Line], log: Log, zone: str, first: date | None, last: date | None
) -> tuple[date, date]:
    """The days to compare: those asked for, else the calendar months of the invoice's lines."""
    if first is not None and last is not None:
        return _in_order(first, last)
    dated = [line for line in lines if line.start is not None and line.kind in PRICED_KINDS]
    dated = dated or [line for line in lines if line.start is not None]
    if dated:
        starts = [local(s, line.zone).date() for line in dated if (s := line.start)]
        ends = [
            max((local(e, line.zone) - timedelta(microseconds=1)).date(), local(s, line.zone).date())
            for line in dated
            if (s := line.start) and (e := line.end or line.start)
        ]
        begins, stops = min(starts), max(ends)
    elif log.span is not None:
        begins, stops = local(log.span[0], zone).date(), local(log.span[1], zone).date()
    else:
        raise DataError("neither log nor invoice says when it was", where=", ".join(log.source))
    month = (stops.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return _in_order(first or begins.replace(day=1), last or month)


def _in_order(first: date, last: date) -> tuple[date, date]:
    if first > last:
        raise ConfigurationError(
            f"{first} is after {last}", where="--from", remedy="give the earlier day with --from"
        )
    return first, last


def _in_period(lines: Sequence[Line], usage: Usage, first: date, last: date) -> tuple[list[Line], list[str]]:
    """Lines of the period (those without a date too), and a word on the others."""
    ends = datetime(last.year, last.month, last.day) + timedelta(days=1)
    kept: list[Line] = []
    left: list[Line] = []
    for line in lines:
        start = line.start and local(line.start, line.zone)
        (kept if start is None or usage.start <= start < ends else left).append(line)
    if not kept:
        raise DataError(
            f"no line of the invoice lies between {first} and {last}", remedy="give other days, or none"
        )
    notes = []
    if left:
        amount = sum((line.amount for line in left if line.currency == usage.currency), Fraction(0))
        notes.append(
            f"{len(left):,} lines of the invoice ({money(amount, usage.currency)}) lie outside {first} to "
            f"{last} and are left out."
        )
    return kept, notes


def _in_currency(lines: Sequence[Line], usage: Usage, notes: list[str]) -> list[Line]:
    """Lines of other currencies in the invoice's main one, at our rate."""
    out: list[Line] = []
    rates: dict[str, Fraction] = {}
    for line in lines:
        if line.currency == usage.currency:
            out.append(line)
            continue
        if line.currency not in rates:
            rates[line.currency] = usage.catalogue.exchange(line.currency, usage.currency, usage.on)[0]
        rate = rates[line.currency]
        listed = None if line.list_amount is None else line.list_amount * rate
        out.append(replace(line, amount=line.amount * rate, list_amount=listed))
    for code, rate in sorted(rates.items()):
        notes.append(f"Lines in {code} are taken at our rate: 1 {code} = {float(rate):.6g} {usage.currency}.")
    return out


def _others(lines: Sequence[Line]) -> list[Row]:
    """Credits, tax, fees and the like: each is its own cause."""
    rows: list[Row] = []
    for line in lines:
        if _is_priced(line):
            continue
        start = local(line.start, line.zone) if line.start else None
        end = local(line.end, line.zone) if line.end else None
        row = Row(
            line.vendor, line.model or "", line.meter, line.tier, start, end, None, line.quantity,
            Fraction(0), line.amount, items=(line.item,), places=(line.place,),
        )  # fmt: skip
        row.step(line.kind, line.amount, line.item)
        rows.append(row)
    return rows


def _terms(usage: Usage, matching: Matching) -> list[Row]:
    """What the given offer charges or gives beside its prices; the invoice has its own word for each."""
    found = usage.bill()
    if found is None:
        return []
    bill, run, rate = found
    gross = sum((node.before for node in matching.nodes), Fraction(0))
    paid = (
        sum((line.amount for line in bill.lines if line.meter in METERS and line.amount), Fraction(0)) * rate
    )
    covered = Fraction(0)
    for (_, atoms), quantities in run.covered.items():
        prices = run.prices[atoms]
        covered += sum(
            (q * prices[m].amount for m, q in zip(METERS, quantities, strict=True) if q and m in prices),
            Fraction(0),
        )
    covered *= rate
    parts: list[tuple[str, str, Fraction]] = []
    if covered:
        parts.append(("allowance", "tokens the offer gives", -covered))
    if gross - covered - paid:
        parts.append(("limits", "requests the offer refuses", paid + covered - gross))
    kinds = {
        "allowance": "allowance", "pack_bought": "commitment", "commitment": "commitment",
        "rounding": "rounding", "fixed": "fee", "minimum": "fee", "platform_fee": "fee",
    }  # fmt: skip
    for line in bill.lines:
        if line.meter not in METERS and line.amount:
            parts.append((kinds.get(line.rule.key, "fee"), line.rule.text, line.amount * rate))
    rows: list[Row] = []
    for cause, what, amount in parts:
        row = Row(
            None, "", None, None, None, None, None, None, amount, Fraction(0), items=(f"our offer: {what}",)
        )
        row.step(cause, -amount, f"in our bill: {what}")
        rows.append(row)
    return rows


def _notes(invoice: Invoice, usage: Usage, clock: Clock, zone: str) -> list[str]:
    notes: list[str] = []
    tokens, cost = tokens_outside(usage.series, usage.labels(clock.cut), usage.period())
    if tokens:
        notes.append(
            f"{count(tokens)} tokens of the log ({money(cost, usage.currency)} at our prices) lie outside "
            "the period and are left out; --from and --until set it."
        )
    unpriced: dict[str, int] = {}
    for series in usage.series:
        missing = sum(int(series.cube[:, m].sum()) for m in range(6) if series.each[m] is None)
        if missing:
            name = "/".join(part for part in series.key if part)
            unpriced[name] = unpriced.get(name, 0) + missing
    for name, tokens in sorted(unpriced.items()):
        notes.append(
            f"The catalogue has no price for {count(tokens)} tokens of {name}: ours counts them as 0."
        )
    if usage.bucket > 12 * 3600 and zone != "UTC":
        notes.append(
            f"The log has whole days, which cannot be cut again: where they are not days of {zone}, usage "
            "near midnight shows as missing on one day and as too much on the next."
        )
    if invoice.lines and all(line.quantity is None for line in invoice.lines if line.kind in PRICED_KINDS):
        notes.append("The invoice tells no quantities: prices are judged by the log's.")
    given = usage.bill()
    if given is not None:
        others = [m for _, m in usage.models if given[1].tariff.offer.serves(m) is None]
        if others:
            notes.append(
                f"{given[1].tariff.offer.id} does not have {', '.join(sorted(set(others))[:4])}: billed as "
                f"{given[1].tariff.model.name}."
            )
        notes.append("Allowances of the offer are taken to be whole when the period begins.")
        if any(UNKNOWN in (p.term.amount, p.term.expires_after) for p in given[1].tariff.allowances):
            notes.append("Of the offer's allowances what is not published is counted on for nothing.")
    return notes


def _beyond(
    lines: Sequence[Line], log: Log, rows: Sequence[Row], clock: Clock, first: date, last: date, currency: str
) -> Iterator[str]:
    """What is missing only because one side has no such days: a month half covered is no lost usage."""
    zone = clock.zone or clock.declared
    instant = timedelta(microseconds=1)
    dated = [
        (line.start, max((line.end or line.start) - instant, line.start))
        for line in lines
        if line.start and _is_priced(line)
    ]
    for cause, whose, spans in (
        ("missing_invoice", "The invoice's lines are", dated),
        ("missing_log", "The log is", [log.span] if log.span else []),
    ):
        if not spans:
            continue
        begins = max(local(min(start for start, _ in spans), zone).date(), first)
        ends = min(local(max(end for _, end in spans), zone).date(), last)
        outside = [
            abs(row.causes[cause])
            for row in rows
            if cause in row.causes and row.start and row.end
            and (row.end.date() <= begins or row.start.date() > ends)
        ]  # fmt: skip
        if outside and begins <= ends:
            amount = money(sum(outside, Fraction(0)), currency)
            yield (
                f"{whose} of {begins} to {ends}: {amount} of what is missing from it lies outside these "
                f"days, which --from {begins} --until {ends} compares alone."
            )


__all__ = ["Reconciliation", "reconcile"]
