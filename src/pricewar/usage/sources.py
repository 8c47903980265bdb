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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from pricewar.errors import LogError

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


@dataclass(slots=True)
class Source:
    """One file whose kind is known.

    Attributes:
        kind: csv, jsonl, json or parquet.
        fields: columns of the header, or keys of the first objects.
        records: the first objects of a JSON file, for detection.
        notes: what was assumed about the bytes.
    """

    path: Path
    name: str
    kind: str
    fields: list[str]
    size: int
    packed: bool = False
    encoding: str = "utf-8"
    separator: str = ","
    records: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def inspect(path: Path) -> Source:
    """What a file is, judged by its content.

    Raises:
        LogError: it cannot be read, is empty, or is no text, JSON or Parquet.
    """
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(4)
            stream.seek(max(0, size - 4))
            end = stream.read(4)
        if size == 0:
            raise LogError("the file has no content", where=name, remedy="export the log again")
        if start[:4] == b"PK\x03\x04":
            raise LogError("this is a zip archive", where=name, remedy="unpack it and give the file inside")
        if start == b"PAR1":
            return _inspect_parquet(path, name, size, end)
        packed = start[:2] == b"\x1f\x8b"
        head = bytearray()
        with _opened(path, packed) as stream:
            while len(head) < 2**20 and (piece := stream.read(2**20 - len(head))):
                head += piece
    except OSError as error:
        raise LogError(f"cannot be read: {error.strerror or error}", where=name) from None
    except (EOFError, zlib.error):
        raise LogError(
            "the gzip file ends early or is damaged", where=name, remedy="export it again"
        ) from None
    if not head:
        raise LogError("the file has no content", where=name, remedy="export the log again")
    if head[:4] == b"PAR1":
        raise LogError(
            "a Parquet file inside gzip", where=name, remedy="unpack it first; Parquet is compressed"
        )
    encoding, notes = _encoding(bytes(head), name)
    text = _decoded_head(bytes(head), encoding, len(head) < 2**20)
    _refuse_binary(text, name)
    source = Source(path, name, "csv", [], size, packed, encoding, notes=notes)
    first = text.lstrip()
    if not first:
        raise LogError("the file holds only blank space", where=name, remedy="export the log again")
    if first[0] in "{[":
        _inspect_json(source, first)
        return source
    source.separator, source.fields = _header(text, name)
    return source


def _opened(path: Path, packed: bool) -> BinaryIO:
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _inspect_parquet(path: Path, name: str, size: int, end: bytes) -> Source:
    if end != b"PAR1":
        raise LogError(
            "the Parquet file is truncated: its footer is missing",
            where=name,
            remedy="copy or export it again",
        )
    try:
        schema = pl.read_parquet_schema(path)
    except BaseException as error:
        _reraise(error)
        raise LogError("the Parquet file is damaged: its footer cannot be read", where=name) from None
    return Source(path, name, "parquet", list(schema), size)


def _reraise(error: BaseException) -> None:
    """Let through what is no complaint about data: polars' panics descend from BaseException."""
    panic = type(error).__name__ == "PanicException"
    if not (panic or isinstance(error, Exception)) or isinstance(error, MemoryError):
        raise error


def _encoding(head: bytes, name: str) -> tuple[str, list[str]]:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig", []
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", [f"{name} is UTF-16 and was read as such."]
    sample = head[:4096]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if len(sample) > 8 and zeros.count(0) > 0.8 * len(zeros) and sample.count(0) < 0.6 * len(sample):
            return encoding, [f"{name} has no mark of its encoding and was read as UTF-16."]
    lines = head.split(b"\n")
    if len(head) >= 2**20:
        lines.pop()  # possibly cut within a character
    broken = [line for line in lines if _not(line, "utf-8")]
    if not broken:
        return "utf-8", []
    foreign = [line for line in lines if not line.isascii()]
    # GB18030 can read almost any bytes, so it is believed only when no line speaks for UTF-8 and what comes
    # out is what Chinese text is made of.
    if len(broken) == len(foreign) and not any(_not(line, "gb18030") for line in broken):
        letters = [c for c in b"".join(broken).decode("gb18030") if ord(c) > 127]
        usual = sum("\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or c > "\uff00" for c in letters)
        if usual >= 0.9 * len(letters):
            return "gb18030", [f"{name} is not UTF-8 and was read as GB18030."]
    if lines[0] in broken:
        at = _first_bad(head)
        raise LogError(
            f"the first line is neither UTF-8, UTF-16 nor GB18030 (byte {at})",
            where=f"{name}:1",
            remedy="save the file as UTF-8",
        )
    return "utf-8", []


def _not(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return True
    return False


def _first_bad(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return len(data)


def _decoded_head(head: bytes, encoding: str, whole: bool) -> str:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return decoder.decode(head, final=whole)


def _refuse_binary(text: str, name: str) -> None:
    sample = text[:65536]
    control = sum(ord(c) < 32 and c not in "\t\r\n\f" for c in sample)
    if "\x00" in sample[:4096] or control > max(8, 0.02 * len(sample)):
        raise LogError(
            "this is binary data, not a usage log", where=name, remedy="give CSV, JSON, JSON lines or Parquet"
        )


def _inspect_json(source: Source, text: str) -> None:
    """JSON lines when the first line is a whole value and another follows; else one document."""
    complete = text.split("\n")
    for line in complete:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            source.records.append(record)
    first = complete[0].strip().rstrip(",")
    alone = sum(bool(line.strip()) for line in complete) <= 1
    source.kind = "json"
    if first.startswith("{") and len(first) > 1 and (source.records or alone):
        one = alone and len(text) < 2**19
        source.kind = "json" if one and source.records and _nested(source.records[0]) else "jsonl"
    if source.kind == "json":
        source.records = []
        return
    source.fields = list(dict.fromkeys(key for record in source.records for key in record))


def _nested(record: dict[str, Any]) -> bool:
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in record.values())


def _header(text: str, name: str) -> tuple[str, list[str]]:
    first = text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    separator = max(",;\t|", key=first.count)
    fields = next(csv.reader([first], delimiter=separator), [])
    fields = [f.strip() for f in fields]
    twice = sorted({f for f in fields if f and fields.count(f) > 1})
    if twice:
        raise LogError(f"column “{twice[0]}” stands twice", where=f"{name}:1", remedy="rename one of them")
    return separator, fields


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
            _reraise(error)
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
            elif _not(record, "utf-8"):
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
            _reraise(error)
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


def parse_line(text: bytes) -> tuple[dict[str, Any], str | None]:
    """One JSON line, or the cause why it is none."""
    try:
        record = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        return {}, BAD_BYTES
    except (ValueError, RecursionError):
        return {}, BAD_JSON
    return (record, None) if isinstance(record, dict) else ({}, BAD_JSON)


def as_text(value: Any) -> str | None:
    """A JSON value as the text a CSV would hold; nested values stay JSON."""
    if value is None or isinstance(value, str):
        # A lone surrogate is legal in JSON's escapes and in no encoding.
        return value if value is None else value.encode("utf-8", "replace").decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)


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
        _reraise(error)
        raise LogError(
            "the Parquet file is damaged and cannot be read",
            where=source.name,
            remedy="copy or export it again",
        ) from None


def documents(source: Source) -> Iterator[tuple[Any, str, str | None, int]]:
    """Every JSON value of a file: value, place, cause when it cannot be parsed, bytes consumed."""
    if source.kind == "jsonl":
        for data, line, read in _lines(source):
            for i, text in enumerate(data.split(b"\n")):
                if text.strip():
                    record, cause = parse_line(text)
                    yield record, f"{source.name}:{line + i}", cause, read
        return
    data = b"".join(block for block, _ in blocks(source))
    try:
        document = json.loads(data.decode("utf-8"))
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
