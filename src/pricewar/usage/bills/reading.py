"""From a bill's files to an `Invoice`: each record becomes a line or a cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pricewar.errors import ConfigurationError, LogError, did_you_mean
from pricewar.units import decimal
from pricewar.usage import sources
from pricewar.usage.bills import BILLS, Bill
from pricewar.usage.bills.record import LeftOutError, Row, currency, money
from pricewar.usage.content import Source, files_of, inspect
from pricewar.usage.invoice import Invoice, Line, Progress
from pricewar.usage.log import Exclusion
from pricewar.usage.normal import plain

EXAMPLES = 3
UNVERIFIED = (
    "Unverified: no real {title} was public to check this reader against; it follows the documentation."
)


def read(path: Path, name: str | None, zone: str | None, progress: Progress | None) -> Invoice:
    """See `pricewar.usage.invoice.read_invoice`."""
    if name is not None and name not in BILLS:
        raise ConfigurationError(
            f"unknown invoice format “{name}”",
            remedy=did_you_mean(name, BILLS) or "one of: " + ", ".join(BILLS),
        )
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ConfigurationError(
                f"unknown time zone “{zone}”",
                remedy="give an IANA zone such as Europe/Paris or Asia/Shanghai",
            ) from None
    files = [inspect(file) for file in files_of(path)]
    found = {name} if name else {told(source).name for source in files}
    if len(found) > 1:
        raise LogError(
            "the files have different formats: " + ", ".join(sorted(found)),
            remedy="read them one by one, or say which format they all have (--format)",
        )
    return _Reading(files, BILLS[found.pop()], zone, progress).invoice()


def told(source: Source) -> Bill:
    """The kind of bill a file gives away.

    Raises:
        LogError: none, or more than one.
    """
    from pricewar.usage.formats import PLAIN, matching

    records = source.records
    if source.kind == "json":
        records = [document for document, *_ in list(sources.documents(source))[:5]]
    fields = {*source.fields, *(key for record in records if isinstance(record, dict) for key in record)}
    bills = matches(fields, records)
    if len(bills) == 1:
        return bills[0]
    if bills:
        names = ", ".join(bill.name for bill in bills)
        raise LogError(f"this may be any of: {names}", where=source.name, remedy="say which with --format")
    logs = [form for form in matching(fields, records) if form is not PLAIN and form.name not in BILLS]
    if logs:
        raise LogError(
            f"this is a usage log ({logs[0].title}), not an invoice",
            where=source.name,
            remedy="give the vendor's bill or cost report; docs/usage.md lists those that are read",
        )
    shown = ", ".join(sorted(str(field) for field in fields)[:12])
    raise LogError(
        f"no invoice format is known by these fields: {shown or 'none'}",
        where=source.name,
        remedy="if it is one of " + ", ".join(BILLS) + ", say so with --format",
    )


def matches(fields: set[Any], records: list[Any]) -> list[Bill]:
    """The kinds of bill whose signs are there."""
    names = {plain(field) for field in fields if isinstance(field, str)}
    found = [b for b in BILLS.values() if any({plain(name) for name in sign} <= names for sign in b.signs)]
    if not found:
        found = [b for b in BILLS.values() if any(isinstance(r, dict) and b.nested(r) for r in records)]
    return found


class _Reading:
    """One call of `read`."""

    def __init__(self, files: list[Source], bill: Bill, zone: str | None, progress: Progress | None) -> None:
        self.files, self.bill, self.progress = files, bill, progress
        self.zone = zone or bill.zone
        self.lines: list[Line] = []
        self.excluded: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.left: dict[str, Counter[str]] = {}
        self.binary = False
        self.rows_in = 0

    def invoice(self) -> Invoice:
        done, total = 0, sum(source.size for source in self.files)
        parse, zone = self.bill.parse, self.zone
        for source in self.files:
            for row, place, cause, read in self._rows(source):
                self.rows_in += 1
                try:
                    if cause is not None:
                        raise LeftOutError(cause)
                    self.lines.append(parse(row, place, zone))
                except LeftOutError as left:
                    self._exclude(left.cause, place, row)
                if self.progress and self.rows_in % 20_000 == 0:
                    self.progress(self.rows_in, min(1.0, (done + read) / total))
            done += source.size
        if self.progress:
            self.progress(self.rows_in, 1.0)
        return Invoice(
            format=self.bill.name,
            source=tuple(str(source.path) for source in self.files),
            lines=tuple(self.lines),
            rows_in=self.rows_in,
            exclusions=tuple(
                Exclusion(cause, count, tuple(self.examples[cause]))
                for cause, count in self.excluded.most_common()
            ),
            notes=tuple(self._notes()),
            verified=self.bill.verified,
            documentation=self.bill.docs[0],
        )

    def _exclude(self, cause: str, place: str, row: Row) -> None:
        self.excluded[cause] += 1
        shown = self.examples.setdefault(cause, [])
        if len(shown) < EXAMPLES:
            shown.append(place)
        try:
            amount = money(row, "amount")
            if amount:
                self.left.setdefault(cause, Counter())[currency(row, "unknown currency")] += amount  # type: ignore[assignment]
        except LeftOutError:
            pass

    def _notes(self) -> Iterator[str]:
        for source in self.files:
            yield from source.notes
        yield from self.bill.notes
        for cause, sums in self.left.items():
            shown = ", ".join(
                f"{decimal(Fraction(amount), 12):,f} {code}" for code, amount in sorted(sums.items())
            )
            yield f"Left out with amounts of {shown}: {cause}."
        if self.binary:
            yield "Amounts are binary floating-point numbers there; each was taken as its shortest decimal."
        if not self.bill.verified:
            yield UNVERIFIED.format(title=self.bill.title)

    # --- records --------------------------------------------------------------------------------------

    def _rows(self, source: Source) -> Iterator[tuple[Row, str, str | None, int]]:
        """Texts by target, place, cause when there is no record, and bytes read."""
        if source.kind in ("json", "jsonl"):
            yield from self._documents(source)
            return
        known = {plain(name): name for name in source.fields}
        there = {
            target: [known[plain(name)] for name in names if plain(name) in known]
            for target, names in self.bill.fields.items()
        }
        columns = list(dict.fromkeys(name for names in there.values() for name in names))
        if not columns or not there.get("amount"):
            wanted = ", ".join(self.bill.fields["amount"])
            raise LogError(
                f"no field for the amount ({wanted}), which {self.bill.title} must have",
                where=source.name,
                remedy="give another --format, or the export with all its columns",
            )
        at = {target: [columns.index(name) for name in names] for target, names in there.items() if names}
        chunks = sources.csv_chunks if source.kind == "csv" else sources.parquet_chunks
        for chunk in chunks(source, columns):
            for place, cause in chunk.bad:
                yield {}, place, cause, chunk.read
            if any(kind.is_float() for kind in chunk.frame.dtypes):
                self.binary = True
            places = chunk.places(range(chunk.frame.height))
            for values, place in zip(chunk.frame.iter_rows(), places, strict=True):
                row: Row = {}
                for target, positions in at.items():
                    for k in positions:
                        if (text := _text(values[k])) is not None:
                            row[target] = text
                            break
                yield row, place, None, chunk.read

    def _documents(self, source: Source) -> Iterator[tuple[Row, str, str | None, int]]:
        wanted = {target: [plain(name) for name in names] for target, names in self.bill.fields.items()}
        known: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}  # records of a file share their keys
        for document, place, cause, read in sources.documents(source, exact=True):
            if cause is not None:
                yield {}, place, cause, read
                continue
            for k, record in enumerate(self.bill.flatten(document)):
                where = place if k == 0 else f"{place}, record {k + 1}"
                if record is None:
                    yield {}, where, f"not the shape of a record of {self.bill.title}", read
                    continue
                keys = tuple(record)
                if keys not in known:
                    named = {plain(key): key for key in keys}
                    there = [
                        (t, [named[name] for name in names if name in named]) for t, names in wanted.items()
                    ]
                    known[keys] = [(target, names) for target, names in there if names]
                row: Row = {}
                for target, names in known[keys]:
                    for name in names:
                        if (text := _text(record[name])) is not None:
                            row[target] = text
                            break
                yield row, where, None, read


def _text(value: Any) -> str | None:
    """A value as text without blanks at its ends; None when it says nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value.isascii():
            value = sources.as_text(value) or ""
    elif hasattr(value, "isoformat"):
        return value.isoformat()
    else:
        value = repr(value) if isinstance(value, float) else sources.as_text(value) or ""
    value = value.strip()
    return value if value and value not in ("null", "None", "NaN", "nan") else None
