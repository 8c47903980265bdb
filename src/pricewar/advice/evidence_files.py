"""What readers of evaluation results share: trials and totals, the account of the rows, text and places."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pricewar.errors import DataError
from pricewar.usage.content import inspect
from pricewar.usage.log import Exclusion, Exclusions

MARKED = 20_000_000
"""Longest JSON text, in characters, that is read a second time to tell the line of a bad record."""

COUNTS = ("input", "output", "cached")

Place = Callable[[], str]
"""Asked only when a row is left out: finding a line in a JSON document costs a second reading."""

Rows = list[tuple[Any, Place]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One model's answer to one prompt.

    Attributes:
        model: as the file names it.
        prompt: what makes it the same prompt for another model.
        passed: None when the call failed.
        error: the call failed.
        input: input tokens, cached ones inside; None when not told. `output`, `cached` likewise.
        latency: seconds, None when not told or not the vendor's.
    """

    model: str
    prompt: str
    passed: bool | None
    error: bool = False
    input: int | None = None
    output: int | None = None
    cached: int | None = None
    latency: float | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """A share of passes of which only the sum is known.

    Attributes:
        passes: of `n`; whole only as far as the file's own rounding allows.
    """

    model: str
    task: str
    passes: float
    n: int


@dataclass(slots=True)
class Reading:
    """What one file gave, and the account of its rows; `tasks`: model and task of lm-eval samples."""

    source: str
    format: str
    trials: list[Trial] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    rows_in: int = 0
    tasks: set[tuple[str, str]] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    _excluded: Exclusions = field(default_factory=Exclusions)

    def drop(self, cause: str, place: Place, count: int = 1) -> None:
        """Leave a row out for `cause`; `place` is asked only for the first few."""
        self._excluded.add(cause, lambda: [place()], count)

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """By cause, the most frequent first."""
        return self._excluded.all()


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader is told: see `pricewar.advice.evidence.read`."""

    format: Literal["promptfoo", "lm-eval", "plain"] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    pass_at: float | None = None
    metric: str | None = None


# --- text and places ------------------------------------------------------------------------------------


def text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=path.name) from None
    except EOFError:
        raise DataError("the gzip file ends early", where=path.name, remedy="export it again") from None
    if raw[:4] == b"PAR1":
        raise DataError("Parquet is not read here", where=path.name, remedy="give CSV or JSON lines")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode(inspect(path).encoding, errors="replace")


def json_of(text: str, name: str) -> tuple[Any, list[tuple[int, Any]] | None]:
    """The document, or its lines with their numbers when each line is a value of its own."""
    try:
        return json.loads(text), None
    except (ValueError, RecursionError) as error:
        cause = error
    lines: list[tuple[int, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                lines.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                lines.append((number, None))
    if len(lines) < 2 or not isinstance(lines[0][1], dict):
        at = f":{cause.lineno}" if isinstance(cause, json.JSONDecodeError) else ""
        what = cause.msg.lower() if isinstance(cause, json.JSONDecodeError) else "it is nested too deeply"
        raise DataError(
            f"this is no JSON: {what}", where=f"{name}{at}", remedy="the file may be cut off; export it again"
        ) from None
    return None, lines


class Lines:
    def __init__(self, name: str) -> None:
        self.name = name

    def at(self, number: int) -> Place:
        return lambda: f"{self.name}:{number}"


class Places:
    """Where in a JSON document a record stands: its line is found only when somebody asks."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.marked: tuple[Any, dict[int, int]] | None = None

    def at(self, *key: str | int) -> Place:
        return lambda: self._said(key)

    def _said(self, key: tuple[str | int, ...]) -> str:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
        if len(self.text) > MARKED:
            return f"{self.name}: {path}"
        if self.marked is None:
            self.marked = _marked(self.text)
        node, starts = self.marked
        line = 1
        for part in key:
            node = node[part]
            line = starts.get(id(node), line)
        return f"{self.name}:{line}: {path}"


def _marked(text: str) -> tuple[Any, dict[int, int]]:
    """The document again, and the line on which each of its objects begins, by identity."""
    from json import decoder, scanner

    starts: dict[int, int] = {}
    breaks = [m.start() for m in re.finditer("\n", text)]

    def parse_object(s_and_end: tuple[str, int], *args: Any) -> tuple[Any, int]:
        found, end = decoder.JSONObject(s_and_end, *args)  # type: ignore[attr-defined]
        starts[id(found)] = bisect_left(breaks, s_and_end[1] - 1) + 1
        return found, end

    marking: Any = json.JSONDecoder()
    marking.parse_object = parse_object
    marking.scan_once = scanner.py_make_scanner(marking)  # type: ignore[attr-defined]
    return marking.decode(text), starts


def judged(
    scored: list[tuple[Any, float, Place]], pass_at: float | None, metric: str
) -> Iterator[tuple[Any, bool]]:
    """Scores as pass or fail: 0 and 1 speak for themselves, anything between needs a bar."""
    for key, score, place in scored:
        if pass_at is None and score not in (0.0, 1.0):
            raise DataError(
                f"“{metric}” is {score:g}, neither 0 nor 1",
                where=place(),
                remedy="say from which score an answer passes (--pass-at 0.8)",
            )
        yield key, score >= (1.0 if pass_at is None else pass_at)


def digest(said: Any) -> str:
    return hashlib.sha1(
        json.dumps(said, sort_keys=True, default=str).encode(), usedforsecurity=False
    ).hexdigest()[:16]


def word(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value).strip()


def whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value)


def count(value: Any) -> tuple[int | None, bool]:
    """A count and whether what stands there is none."""
    said = word(value)
    if not said:
        return None, False
    try:
        number = float(said.replace("_", ""))
    except ValueError:
        return None, True
    exact = math.isfinite(number) and number == int(number)
    return (int(number), False) if exact else (None, True)


def seconds(given: Mapping[str, Any]) -> tuple[float | None, bool]:
    for target, unit in (("latency_s", 1.0), ("latency_ms", 1e-3)):
        said = word(given.get(target))
        if said:
            try:
                number = float(said) * unit
            except ValueError:
                return None, True
            return (number, False) if math.isfinite(number) and number >= 0 else (None, True)
    return None, False


def absurd(counts: Mapping[str, int | None]) -> str | None:
    """Why a row's counts cannot be."""
    if any(value is not None and value < 0 for value in counts.values()):
        return "a negative count of tokens"
    if any(value is not None and value > 10**9 for value in counts.values()):
        return "over a billion tokens in one answer"
    given, cached = counts.get("input"), counts.get("cached")
    if given is not None and cached is not None and cached > given:
        return "more cached tokens than input"
    return None
