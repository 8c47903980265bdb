"""What a reader returns: the canonical rows, and an honest account of how they were obtained."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from pricewar.errors import LogError
from pricewar.usage.table import SCHEMA, empty

RUN_ROWS = 1_500_000
"""Rows sorted at once when a log is not in order of time: about 300 MB."""

BLOCK_ROWS = 2**17
"""Rows of each sorted file held while merging, and, over all files, `HELD_ROWS`."""
HELD_ROWS = 2_000_000

EXAMPLES = 3
"""Places shown of each cause of exclusion."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows left out for one cause.

    Attributes:
        cause: why, in words.
        count: how many rows.
        examples: where the first of them stand, as `file:line`.
    """

    cause: str
    count: int
    examples: tuple[str, ...] = ()


class Exclusions:
    """The account of what is left out, as it grows; `count` by cause."""

    def __init__(self, begun: Iterable[Exclusion] = ()) -> None:
        self.count: Counter[str] = Counter()
        self._first: dict[str, list[str]] = {}
        for e in begun:
            self.add(e.cause, lambda e=e: e.examples, e.count)

    def add(self, cause: str, places: Callable[[], Sequence[str]], count: int = 1) -> None:
        """Leave `count` rows out for `cause`; `places` is asked only while there are too few examples."""
        self.count[cause] += count
        shown = self._first.setdefault(cause, [])
        if len(shown) < EXAMPLES:
            shown.extend(places()[: EXAMPLES - len(shown)])

    def all(self) -> tuple[Exclusion, ...]:
        """By cause, the most frequent first."""
        return tuple(Exclusion(c, n, tuple(self._first[c])) for c, n in self.count.most_common() if n)


@dataclass(slots=True)
class Log:
    """A usage log in canonical form.

    Attributes:
        format: name of the reader that was used.
        source: file or files read.
        rows_in: records found; equals `rows` plus all exclusions.
        rows: records kept.
        exclusions: records left out, by cause.
        notes: what was assumed and what cannot be known, in sentences.
        unknown: meters that the source does not record; they stand as 0 in the table.
        bucket_seconds: width of the widest bucket, None when every row is one request.
        span: first start and last start, None when no row was kept.
        ordered: whether the source itself stands in order of time.
        in_memory: whether the rows are held, or read again from the source on each pass.
    """

    format: str
    source: tuple[str, ...]
    rows_in: int = 0
    rows: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    bucket_seconds: int | None = None
    span: tuple[datetime, datetime] | None = None
    ordered: bool = True
    in_memory: bool = True
    _held: pl.DataFrame | None = field(default=None, repr=False)
    _again: Callable[[], Iterator[pl.DataFrame]] | None = field(default=None, repr=False)
    _row_bytes: float = field(default=100.0, repr=False)

    @property
    def excluded(self) -> int:
        """Records left out, all causes together."""
        return sum(exclusion.count for exclusion in self.exclusions)

    @property
    def disk_bytes(self) -> int:
        """Temporary disk that `batches` will need: 0 unless a log too large for memory must be sorted."""
        return 0 if self.in_memory or self.ordered else int(self.rows * self._row_bytes * 1.2) + 2**20

    def frame(self) -> pl.DataFrame:
        """All rows in order of time, in memory (about 200 bytes a row)."""
        if self._held is not None:
            return self._held
        parts = list(self.batches())
        return pl.concat(parts) if parts else empty()

    def batches(self, rows: int = 1_000_000) -> Iterator[pl.DataFrame]:
        """Canonical frames of at most `rows` rows, in order of time throughout, in bounded memory.

        Rows of equal time keep the order of the source. A log that is neither in memory nor in order is
        sorted through temporary files (`disk_bytes`), which are removed when the iteration ends or is left.

        Raises:
            LogError: the temporary directory has too little room, or the source can no longer be read.
        """
        if rows < 1:
            raise ValueError("rows must be at least 1")
        if self._held is not None:
            frames: Iterator[pl.DataFrame] = iter([self._held])
        elif self._again is None:
            frames = iter([])
        elif self.ordered:
            frames = (frame.select(SCHEMA.names()) for frame in self._again())
        else:
            frames = self._merged()
        yield from _rechunked(frames, rows)

    def _merged(self) -> Iterator[pl.DataFrame]:
        assert self._again is not None
        home = Path(tempfile.gettempdir())
        free = shutil.disk_usage(home).free
        if free < self.disk_bytes:
            raise LogError(
                f"sorting {self.rows:,} rows needs about {self.disk_bytes / 1e9:.2f} GB of temporary disk "
                f"and {home} has {free / 1e9:.2f} GB free",
                where=self.source[0],
                remedy="sort the log by time before giving it, or set TMPDIR to a directory with more room",
            )
        with tempfile.TemporaryDirectory(prefix="pricewar-", ignore_cleanup_errors=True) as folder:
            runs: list[Path] = []
            waiting: list[pl.DataFrame] = []
            count = 0

            def spill() -> None:
                path = Path(folder) / f"{len(runs)}.parquet"
                run = pl.concat(waiting).sort("time", maintain_order=True)
                run.write_parquet(path, compression="lz4", row_group_size=2**16)
                runs.append(path)
                waiting.clear()

            for frame in self._again():
                # Slices keep a run's size near RUN_ROWS whatever the size of the source's own chunks.
                waiting.append(frame.select(SCHEMA.names()))
                count += frame.height
                if count >= RUN_ROWS:
                    spill()
                    count = 0
            if waiting:
                spill()
            yield from _merge(runs, min(BLOCK_ROWS, max(2**12, HELD_ROWS // max(1, len(runs)))))


def row_bytes(frame: pl.DataFrame) -> float:
    """Bytes a row takes in a temporary file, by the first rows of a frame."""
    sink = io.BytesIO()
    part = frame[:50_000].select(SCHEMA.names())
    part.write_parquet(sink, compression="lz4", row_group_size=2**16)
    return sink.tell() / max(1, part.height)


def _merge(runs: list[Path], block: int) -> Iterator[pl.DataFrame]:
    """The sorted files as one sorted stream, holding about `block` rows of each at a time."""
    readers = [_blocks(run, block) for run in runs]
    held: list[pl.DataFrame | None] = [next(reader, None) for reader in readers]
    while any(frame is not None for frame in held):
        # Whatever is not later than the earliest of the last times can have no predecessor still on disk.
        bound = min(frame["time"][-1] for frame in held if frame is not None)
        ready: list[pl.DataFrame] = []
        for i, frame in enumerate(held):
            if frame is None:
                continue
            # A run whose own block ends at the bound may hold more rows of that very time in its next block,
            # and those must come before equal times of later runs to keep the order of the source.
            while frame is not None and frame["time"][-1] <= bound:
                ready.append(frame)
                frame = next(readers[i], None)
            if frame is not None:
                cut = frame["time"].search_sorted(bound, side="right")
                if cut:
                    ready.append(frame[:cut])
                    frame = frame[cut:]
            held[i] = frame
        yield pl.concat(ready).sort("time", maintain_order=True)


def _blocks(path: Path, block: int) -> Iterator[pl.DataFrame]:
    lazy = pl.scan_parquet(path)
    height = lazy.select(pl.len()).collect().item()
    for start in range(0, height, block):
        yield lazy.slice(start, block).collect()


def _rechunked(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The same rows in frames of exactly `rows`, the last one shorter."""
    waiting: list[pl.DataFrame] = []
    count = 0
    for frame in frames:
        waiting.append(frame)
        count += frame.height
        while count >= rows:
            whole = pl.concat(waiting)
            yield whole[:rows]
            rest = whole[rows:]
            waiting, count = ([rest] if rest.height else []), rest.height
    if count:
        yield pl.concat(waiting)
