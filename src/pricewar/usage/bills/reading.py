"""From a bill's files to an `Invoice`: each record becomes a line or a cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from pricewar.errors import LogError
from pricewar.units import decimal
from pricewar.usage import sources
from pricewar.usage.bills import BILLS, Bill
from pricewar.usage.bills.record import (
    DECIMAL_COMMA,
    LeftOutError,
    Row,
    currency,
    money,
    one_comma,
)
from pricewar.usage.content import Source, inspected, known_choices
from pricewar.usage.invoice import Invoice, Line, Progress
from pricewar.usage.log import Exclusions
from pricewar.usage.normal import plain

UNVERIFIED = (
    "Unverified: no real {title} was public to check this reader against; it follows the documentation."
)

EITHER = "an amount whose comma may part thousands or decimals: export it with decimal points"


def read(path: Path, name: str | None, zone: str | None, progress: Progress | None) -> Invoice:
    """See `pricewar.usage.invoice.read_invoice`."""
    known_choices("invoice format", name, BILLS, zone)
    files = inspected(path)
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
        self.excluded = Exclusions()
        self.left: dict[str, Counter[str]] = {}
        self.binary = self.commas = False
        self.pages = sources.Pages()
        self.doubtful: list[tuple[int, bool]] = []
        self.seen: set[int] = set()
        self.again: list[Line] = []
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
                    line = parse(row, place, zone)
                    self._doubt(source, row, line)
                    self.lines.append(line)
                except LeftOutError as left:
                    self._exclude(left.cause, place, row)
                if self.progress and self.rows_in % 20_000 == 0:
                    self.progress(self.rows_in, min(1.0, (done + read) / total))
            done += source.size
        self._leave_doubtful()
        if self.progress:
            self.progress(self.rows_in, 1.0)
        return Invoice(
            format=self.bill.name,
            source=tuple(str(source.path) for source in self.files),
            lines=tuple(self.lines),
            rows_in=self.rows_in,
            exclusions=self.excluded.all(),
            notes=tuple(self._notes()),
            verified=self.bill.verified,
            documentation=self.bill.docs[0],
        )

    def _exclude(self, cause: str, place: str, row: Row) -> None:
        self.excluded.add(cause, lambda: [place])
        self.commas = self.commas or cause == DECIMAL_COMMA
        try:
            amount = money(row, "amount")
            if amount:
                self.left.setdefault(cause, Counter())[currency(row, "unknown currency")] += amount  # type: ignore[assignment]
        except LeftOutError:
            pass

    def _doubt(self, source: Source, row: Row, line: Line) -> None:
        """Remember what may be read wrongly: a comma in an amount, a record that was there before."""
        amounts = (row.get("amount", ""), row.get("list_amount", ""))
        if any(one_comma(text) for text in amounts):
            self.doubtful.append((len(self.lines), source.separator == ";"))
        if line.amount:
            record = hash(tuple(row.items()))
            if record in self.seen:
                self.again.append(line)
            self.seen.add(record)

    def _leave_doubtful(self) -> None:
        """Leave out amounts such as 12,345 where commas stand before decimals, as nobody can tell."""
        left = {i for i, semicolons in self.doubtful if semicolons or self.commas}
        for i in sorted(left):
            self.excluded.add(EITHER, lambda place=self.lines[i].place: [place])
        self.lines = [line for i, line in enumerate(self.lines) if i not in left]

    def _notes(self) -> Iterator[str]:
        for source in self.files:
            yield from source.notes
        yield from self.pages.notes()
        if self.again:
            sums: Counter[str] = Counter()
            for line in self.again:
                sums[line.currency] += line.amount  # type: ignore[assignment]
            places = ", ".join(line.place for line in self.again[:2])
            yield (
                f"{len(self.again):,} lines stand there once more, the same in every field that is read "
                f"({places}), with amounts of {_amounts(sums)}: is a file or page in it twice?"
            )
        yield from self.bill.notes
        for cause, sums in self.left.items():
            yield f"Left out with amounts of {_amounts(sums)}: {cause}."
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
        there = self._there(known)
        columns = list(dict.fromkeys(name for names in there.values() for name in names))
        if "amount" not in there:
            wanted = ", ".join(self.bill.fields["amount"])
            raise LogError(
                f"no field for the amount ({wanted}), which {self.bill.title} must have",
                where=source.name,
                remedy="give another --format, or the export with all its columns",
            )
        at = {target: [columns.index(name) for name in names] for target, names in there.items()}
        chunks = sources.csv_chunks if source.kind == "csv" else sources.parquet_chunks
        for chunk in chunks(source, columns):
            for place, cause in chunk.bad:
                yield {}, place, cause, chunk.read
            if any(kind.is_float() for kind in chunk.frame.dtypes):
                self.binary = True
            places = chunk.places(range(chunk.frame.height))
            for values, place in zip(chunk.frame.iter_rows(), places, strict=True):
                yield _row(values, at), place, None, chunk.read

    def _there(self, known: dict[str, str]) -> dict[str, list[str]]:
        """Target → the fields that may hold it, of those a record has (plain name → its own)."""
        named = {
            target: [known[plain(name)] for name in names if plain(name) in known]
            for target, names in self.bill.fields.items()
        }
        return {target: names for target, names in named.items() if names}

    def _documents(self, source: Source) -> Iterator[tuple[Row, str, str | None, int]]:
        known: dict[tuple[str, ...], dict[str, list[str]]] = {}  # records of a file share their keys
        for document, place, cause, read in sources.documents(source, exact=True):
            self.pages.see(document)
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
                    known[keys] = self._there({plain(key): key for key in keys})
                yield _row(record, known[keys]), where, None, read


def _amounts(sums: Mapping[str, Any]) -> str:
    return ", ".join(f"{decimal(Fraction(amount), 12):,f} {code}" for code, amount in sorted(sums.items()))


def _row(values: Any, there: Mapping[str, list[Any]]) -> Row:
    """The texts of a record by target: of the places where one may stand, the first that says something."""
    row: Row = {}
    for target, places in there.items():
        for place in places:
            if (text := _text(values[place])) is not None:
                row[target] = text
                break
    return row


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
