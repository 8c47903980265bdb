"""Files as chunks of raw rows: bytes, encodings, compression, and the place of every row.

CSV and JSON lines are cut at record boundaries and parsed by polars a chunk at a time. A chunk that does not
hold exactly the fields it should is parsed again row by row, so that each damaged row becomes an exclusion
with its line and the rest is kept; the fast way never guesses and the slow way never runs on a sound file.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import polars as pl

from pricewar.errors import LogError
from pricewar.usage.content import Source, reraise, undecodable

BLOCK = 24 * 2**20
PARQUET_ROWS = 2**20
OPEN_QUOTE_LINES = 1000
"""A quoted field that spans more lines than this is taken for a quote that was never closed."""

BAD_BYTES = "bytes that are not the file's encoding"
BAD_FIELDS = "wrong number of fields"
BAD_QUOTE = "a quote that is never closed"
BAD_JSON = "not a complete JSON object"


@dataclass(slots=True)
class Chunk:
    """Raw rows of one file.

    Attributes:
        frame: the rows; text columns for CSV and JSON, the file's own types for Parquet.
        bad: line and cause of every record that could not be parsed at all.
        places: where rows stand, given their positions in `frame`.
        read: bytes of the file consumed so far.
    """

    frame: pl.DataFrame
    bad: list[tuple[str, str]]
    places: Callable[[Sequence[int]], list[str]]
    read: int


def blocks(source: Source) -> Iterator[tuple[bytes, int]]:
    """The file's text as UTF-8 bytes, and how many bytes of the file are consumed."""
    decoder = None
    if source.encoding not in ("utf-8", "utf-8-sig"):
        decoder = codecs.getincrementaldecoder(source.encoding)()
    done = 0
    try:
        with source.path.open("rb") as raw, gzip.open(raw) if source.packed else raw as stream:
            first = True
            while True:
                block = stream.read(BLOCK)
                if first and source.encoding == "utf-8-sig":
                    block = block.removeprefix(codecs.BOM_UTF8)
                first = False
                if decoder is not None:
                    try:
                        text = decoder.decode(block, final=not block)
                    except UnicodeDecodeError as error:
                        raise LogError(
                            f"byte {done + error.start} is not {source.encoding}",
                            where=source.name,
                            remedy="save the file as UTF-8",
                        ) from None
                    done += len(block)
                    if text or block:
                        yield (
                            text.encode("utf-8", "surrogatepass"),
                            raw.tell() if not raw.closed else source.size,
                        )
                elif block:
                    yield block, raw.tell()
                if not block:
                    return
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise LogError(
            "the gzip file ends early or is damaged", where=source.name, remedy="export it again"
        ) from None
    except OSError as error:
        raise LogError(f"cannot be read: {error.strerror or error}", where=source.name) from None


def _cut(data: bytes) -> int:
    """How many bytes of `data` are whole records: up to the last line end outside quotes."""
    end = data.rfind(b"\n")
    before = data.count(b'"', 0, end + 1)
    for _ in range(OPEN_QUOTE_LINES):
        if end < 0 or before % 2 == 0:
            return end + 1
        last, end = end, data.rfind(b"\n", 0, end)
        before -= data.count(b'"', end + 1, last)
    return 0


def csv_chunks(source: Source, columns: Sequence[str]) -> Iterator[Chunk]:
    """The named columns of a CSV file, as text."""
    place = [source.fields.index(name) for name in columns]
    rest, line, header = b"", 1, True
    last = 0
    for block, read in blocks(source):
        last = read
        data = rest + block
        if header:
            lead = len(data) - len(data.lstrip(b"\r\n"))
            end = data.find(b"\n", lead)
            if end < 0:
                rest = data
                continue
            line += data.count(b"\n", 0, end + 1)
            data, header = data[end + 1 :], False
        cut = _cut(data)
        if cut == 0 and len(data) > 8 * BLOCK:
            cut = data.rfind(b"\n") + 1  # a quote left open: the slow way finds which
        part, rest = data[:cut], data[cut:]
        if part:
            yield _csv_chunk(source, part, line, place, columns, read)
            line += part.count(b"\n")
    if header:
        return
    if rest.strip(b"\r\n"):
        yield _csv_chunk(source, rest, line, place, columns, last)


def _csv_chunk(
    source: Source, data: bytes, line: int, place: list[int], columns: Sequence[str], read: int
) -> Chunk:
    data = data.rstrip(b"\r\n") + b"\n"
    count = _regular(data, source.separator, len(source.fields))
    frame = None
    if count is not None and len(place):
        names = ",".join(f"c{i}" for i in range(len(source.fields)))
        top = names.replace(",", source.separator).encode() + b"\n"
        try:
            frame = pl.read_csv(
                top + data,
                separator=source.separator,
                columns=[f"c{i}" for i in place],
                infer_schema=False,
            )
            frame = frame.select(pl.col(f"c{i}").alias(name) for i, name in zip(place, columns, strict=True))
        except BaseException as error:
            reraise(error)
            frame = None
    if frame is not None and frame.height == count:
        if count == data.count(b"\n"):
            return Chunk(frame, [], lambda rows: [f"{source.name}:{line + i}" for i in rows], read)

        def places(rows: Sequence[int]) -> list[str]:
            starts = [at for at, _ in _records(data, line)]
            return [f"{source.name}:{starts[i]}" for i in rows]

        return Chunk(frame, [], places, read)
    return _csv_slowly(source, data, line, place, columns, read)


def _regular(data: bytes, separator: str, fields: int) -> int | None:
    """Records in `data`, or None when some record has another number of fields than the header."""
    mark = separator.encode()
    if b'"' not in data:
        records = data.count(b"\n")
        fits = data.count(mark) == records * (fields - 1) and b"\n\n" not in data and b"\n\r\n" not in data
        return records if fits and not data.startswith((b"\n", b"\r\n")) else None
    a = np.frombuffer(data, np.uint8)
    outside = ~np.bitwise_xor.accumulate(a == 34)
    if not outside[-1]:
        return None
    records = int(np.count_nonzero((a == 10) & outside))
    return records if np.count_nonzero((a == mark[0]) & outside) == records * (fields - 1) else None


def _records(data: bytes, line: int) -> Iterator[tuple[int, bytes | None]]:
    """Line and bytes of each record; None for a line whose quote is never closed. Blank lines are none."""
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        quotes, end = lines[at].count(b'"'), at + 1
        while quotes % 2 and end < len(lines) and end - at < OPEN_QUOTE_LINES:
            quotes += lines[end].count(b'"')
            end += 1
        if quotes % 2:
            yield line + at, None
            at += 1
        else:
            yield line + at, b"\n".join(lines[at:end])
            at = end


def _csv_slowly(
    source: Source, data: bytes, line: int, place: list[int], columns: Sequence[str], read: int
) -> Chunk:
    rows: list[list[str]] = []
    starts: list[int] = []
    bad: list[tuple[str, str]] = []
    limit = csv.field_size_limit(sys.maxsize)
    try:
        for at, record in _records(data, line):
            cause = None
            cells: list[str] = []
            if record is None:
                cause = BAD_QUOTE
            elif undecodable(record, "utf-8"):
                cause = BAD_BYTES
            else:
                try:
                    cells = next(
                        csv.reader(io.StringIO(record.decode(), newline=""), delimiter=source.separator)
                    )
                except (csv.Error, StopIteration):
                    cause = BAD_FIELDS
                else:
                    cause = BAD_FIELDS if len(cells) != len(source.fields) else None
            if cause:
                bad.append((f"{source.name}:{at}", cause))
            else:
                rows.append([cells[i] for i in place])
                starts.append(at)
    finally:
        csv.field_size_limit(limit)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return Chunk(frame, bad, lambda at: [f"{source.name}:{starts[i]}" for i in at], read)


def jsonl_chunks(source: Source, columns: Sequence[str]) -> Iterator[Chunk]:
    """The named keys of each JSON line, as text; nested values stay JSON."""
    for data, line, read in _lines(source):
        yield _jsonl_chunk(source, data, line, columns, read)


def _lines(source: Source) -> Iterator[tuple[bytes, int, int]]:
    rest, line, read = b"", 1, 0
    for block, read in blocks(source):
        data = rest + block
        cut = data.rfind(b"\n") + 1
        part, rest = data[:cut], data[cut:]
        if part:
            yield part, line, read
            line += part.count(b"\n")
    if rest.strip():
        yield rest + b"\n", line, read


def _jsonl_chunk(source: Source, data: bytes, line: int, columns: Sequence[str], read: int) -> Chunk:
    records = data.count(b"\n")
    blank = b"\n\n" in data or b"\n\r\n" in data or data[:1].isspace()
    if not blank and columns:
        try:
            frame = pl.read_ndjson(data, schema=dict.fromkeys(columns, pl.String))
            if frame.height == records:
                return Chunk(frame, [], lambda rows: [f"{source.name}:{line + i}" for i in rows], read)
        except BaseException as error:
            reraise(error)
    rows: list[list[str | None]] = []
    starts: list[int] = []
    bad: list[tuple[str, str]] = []
    for i, text in enumerate(data.split(b"\n")):
        if not text.strip():
            continue
        record, cause = parse_line(text)
        if cause:
            bad.append((f"{source.name}:{line + i}", cause))
        else:
            rows.append([as_text(record.get(name)) for name in columns])
            starts.append(line + i)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return Chunk(frame, bad, lambda at: [f"{source.name}:{starts[i]}" for i in at], read)


def parse_line(text: bytes, *, exact: bool = False) -> tuple[dict[str, Any], str | None]:
    """One JSON line, or the cause why it is none; with `exact`, fractions are Decimals."""
    try:
        record = json.loads(text.decode("utf-8"), parse_float=_decimal if exact else None)
    except UnicodeDecodeError:
        return {}, BAD_BYTES
    except (ValueError, RecursionError):
        return {}, BAD_JSON
    return (record, None) if isinstance(record, dict) else ({}, BAD_JSON)


def _decimal(text: str) -> Decimal | str:
    """A JSON number with a fraction, digit by digit; its text where no decimal is that large."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def as_text(value: Any) -> str | None:
    """A JSON value as the text a CSV would hold; nested values stay JSON."""
    if value is None or isinstance(value, str):
        # A lone surrogate is legal in JSON's escapes and in no encoding.
        return value if value is None or value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)


def parquet_chunks(source: Source, columns: Sequence[str]) -> Iterator[Chunk]:
    """The named columns of a Parquet file in their own types."""
    rows = PARQUET_ROWS
    try:
        lazy = pl.scan_parquet(source.path).select(columns)
        height = pl.scan_parquet(source.path).select(pl.len()).collect().item()
        for start in range(0, height, rows):
            frame = lazy.slice(start, rows).collect()

            def places(at: Sequence[int], start: int = start) -> list[str]:
                return [f"{source.name}:row {start + i + 1}" for i in at]

            yield Chunk(frame, [], places, int(source.size * min(1.0, (start + rows) / height)))
    except GeneratorExit:
        raise
    except BaseException as error:
        reraise(error)
        raise LogError(
            "the Parquet file is damaged and cannot be read",
            where=source.name,
            remedy="copy or export it again",
        ) from None


class Pages:
    """Whether the last page of an API's answer is among those read: each but it says that more follow."""

    def __init__(self) -> None:
        self._more = self._last = False

    def see(self, document: Any) -> None:
        more = document.get("has_more") if isinstance(document, dict) else None
        self._more = self._more or more is True
        self._last = self._last or more is False

    def notes(self) -> Iterator[str]:
        if self._more and not self._last:
            yield (
                "The last page is missing: what was read says that more follows (has_more). Ask for the "
                "rest, by a higher limit= or page by page, and give all pages as one folder."
            )


def documents(source: Source, *, exact: bool = False) -> Iterator[tuple[Any, str, str | None, int]]:
    """Every JSON value of a file: value, place, cause when it cannot be parsed, bytes consumed.

    With `exact`, numbers with a fraction are Decimals, digit by digit as written.
    """
    if source.kind == "jsonl":
        for data, line, read in _lines(source):
            for i, text in enumerate(data.split(b"\n")):
                if text.strip():
                    record, cause = parse_line(text, exact=exact)
                    yield record, f"{source.name}:{line + i}", cause, read
        return
    data = b"".join(block for block, _ in blocks(source))
    try:
        document = json.loads(data.decode("utf-8"), parse_float=_decimal if exact else None)
    except UnicodeDecodeError as error:
        raise LogError(
            f"byte {error.start} is not UTF-8", where=source.name, remedy="save the file as UTF-8"
        ) from None
    except RecursionError:
        raise LogError("the JSON is nested too deeply", where=source.name) from None
    except json.JSONDecodeError as error:
        early = error.pos >= len(error.doc.rstrip()) - 1
        raise LogError(
            "the JSON ends early: the file is truncated" if early else f"this is no JSON: {error.msg}",
            where=f"{source.name}:{error.lineno}",
            remedy="export it again" if early else "for one object per line, no commas between lines",
        ) from None
    except ValueError as error:
        raise LogError(f"this is no JSON: {error}", where=source.name) from None
    elements = document if isinstance(document, list) else [document]
    for i, element in enumerate(elements):
        place = f"{source.name}:record {i + 1}" if isinstance(document, list) else source.name
        cause = None if isinstance(element, dict) else BAD_JSON
        yield element, place, cause, source.size
