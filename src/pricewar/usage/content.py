"""What a file is, judged by its content: kind, encoding, compression, columns, first objects."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import polars as pl

from pricewar.errors import ConfigurationError, LogError, did_you_mean

HEAD = 2**20
"""Bytes looked at to tell what a file is."""
PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zX": "compressed with xz",
}


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


def known_choices(what: str, name: str | None, formats: Iterable[str], zone: str | None) -> None:
    """What the caller says of a file, a format (`what` calls it so) and a zone, is known.

    Raises:
        ConfigurationError: it is not.
    """
    if name is not None and name not in (known := list(formats)):
        raise ConfigurationError(
            f"unknown {what} “{name}”",
            remedy=did_you_mean(name, known) or "one of: " + ", ".join(known),
        )
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ConfigurationError(
                f"unknown time zone “{zone}”",
                remedy="give an IANA zone such as Europe/Paris or Asia/Shanghai",
            ) from None


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
        for mark, what in PACKED.items():
            if start.startswith(mark):
                raise LogError(f"this is {what}", where=name, remedy="unpack it and give the file inside")
        if start == b"PAR1":
            return _inspect_parquet(path, name, size, end)
        packed = start[:2] == b"\x1f\x8b"
        head = bytearray()
        with _opened(path, packed) as stream:
            while len(head) < HEAD and (piece := stream.read(HEAD - len(head))):
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
    text = _decoded_head(bytes(head), encoding, len(head) < HEAD)
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


SUFFIXES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".log"}


def inspected(path: Path) -> list[Source]:
    """The file, or those of a directory that may hold records; what else is there is noted with the first.

    Raises:
        LogError: there is none, or one cannot be read.
    """
    if not path.exists():
        raise LogError("there is no such file", where=str(path))
    if not path.is_dir():
        return [inspect(path)]
    found: list[Path] = []
    others: list[str] = []
    try:
        held = sorted(path.iterdir())
    except OSError as error:
        raise LogError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    for item in held:
        if item.is_file() and item.suffix.lower() in SUFFIXES and not item.name.startswith("."):
            found.append(item)
        elif item.suffix.lower() in SUFFIXES or not item.name.startswith("."):
            others.append(f"{item.name}, a folder" if item.is_dir() else item.name)
    shown = "; ".join(others[:5]) + (f"; and {len(others) - 5:,} more" if len(others) > 5 else "")
    if not found:
        remedy = f"name one of them: {shown}" if others else None
        raise LogError("the directory holds no CSV, JSON or Parquet file", where=str(path), remedy=remedy)
    read = [inspect(item) for item in found]
    if others:
        ends = ", ".join(sorted(SUFFIXES))
        read[0].notes.append(f"Not read in {path.name or path}: {shown}. Files are read that end in {ends}.")
    return read


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
        reraise(error)
        raise LogError("the Parquet file is damaged: its footer cannot be read", where=name) from None
    return Source(path, name, "parquet", list(schema), size)


def reraise(error: BaseException) -> None:
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
    if len(head) >= HEAD:
        lines.pop()  # possibly cut within a character
    broken = [line for line in lines if undecodable(line, "utf-8")]
    if not broken:
        return "utf-8", []
    foreign = [line for line in lines if not line.isascii()]
    # GB18030 can read almost any bytes, so it is believed only when hardly a line speaks for UTF-8 (a single
    # 千 does by chance) and what comes out is what Chinese text is made of.
    if len(broken) >= 0.9 * len(foreign) and not any(undecodable(line, "gb18030") for line in foreign):
        letters = [c for c in b"".join(foreign).decode("gb18030") if ord(c) > 127]
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


def undecodable(line: bytes, encoding: str) -> bool:
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
    if first.startswith("{") and len(first) > 1 and source.records:
        source.kind = "json" if alone and _nested(source.records[0]) else "jsonl"
    if source.kind == "json":
        source.records = []
        return
    source.fields = list(dict.fromkeys(key for record in source.records for key in record))


def _nested(record: dict[str, Any]) -> bool:
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in record.values())


def _header(text: str, name: str) -> tuple[str, list[str]]:
    first = text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    separator = max(",;\t|", key=first.count)
    try:
        fields = next(csv.reader([first], delimiter=separator), [])
    except csv.Error:
        raise LogError(
            "the first line holds a bare carriage return",
            where=f"{name}:1",
            remedy="end lines with \\n or \\r\\n",
        ) from None
    fields = [f.strip() for f in fields]
    twice = sorted({f for f in fields if f and fields.count(f) > 1})
    if twice:
        raise LogError(f"column “{twice[0]}” stands twice", where=f"{name}:1", remedy="rename one of them")
    return separator, fields
