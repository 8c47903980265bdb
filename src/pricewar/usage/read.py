"""`read`: a file or a directory of usage records → `Log`.

One pass parses, checks and counts everything. Logs of up to `HELD_ROWS` rows are kept; of larger ones only
the account is, and `Log.batches` reads the rows again. Duplicate ids of a large log are found exactly in
8 bytes a row: hashes are compared first, and only rows whose hash occurs twice are compared by their ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pricewar.errors import ConfigurationError, LogError, did_you_mean
from pricewar.usage import normal, sources
from pricewar.usage.bills.reading import UNVERIFIED
from pricewar.usage.content import Source, inspected, known_choices
from pricewar.usage.formats import FORMATS, NOT_GROUPED, PLAIN, Format, detect
from pricewar.usage.log import EXAMPLES, Exclusions, Log, row_bytes
from pricewar.usage.normal import ID, TARGETS, Plan, plain, resolved
from pricewar.usage.shapes import Record
from pricewar.usage.sources import Chunk
from pricewar.usage.table import METERS, SCHEMA, empty

HELD_ROWS = 2_000_000
REQUIRED = ("time", "model", "input", "input_total", "output", "output_total")

Progress = Callable[[int, float], None]


def formats() -> dict[str, str]:
    """Every format `read` knows: name → what it is."""
    return {name: entry.title for name, entry in FORMATS.items()}


def read(
    path: str | Path,
    *,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    zone: str | None = None,
    progress: Progress | None = None,
) -> Log:
    """A usage log as the canonical table.

    Args:
        path: a file, or a directory whose files all have the same format.
        format: one of `formats()`; None to tell by content.
        mapping: canonical column → column of the file, or `=value` for a fixed value. Besides the columns of
            the table: `input_total` (cached tokens inside), `output_total` (reasoning inside), `cache_write`
            (lifetime not told), `batch`, `id`.
        zone: IANA zone of times that name none; None means UTC, and a note says so.
        progress: called with rows read and the share of the bytes done.

    Raises:
        LogError: the content cannot be used as the format it was taken for.
        ConfigurationError: unknown format, mapping or zone.
    """
    known_choices("format", format, FORMATS, zone)
    for target in mapping or {}:
        if target not in TARGETS:
            remedy = did_you_mean(target, TARGETS) or "one of: " + ", ".join(TARGETS)
            raise ConfigurationError(f"“{target}” is no column a mapping can fill", remedy=remedy)
    reading = _Reading(inspected(Path(path)), format, mapping or {}, zone, progress)
    return reading.bill(Path(path)) if reading.format.bill else reading.log()


def read_usable(path: str | Path, **options: Any) -> Log:
    """`read`, of a log that must hold something.

    Raises:
        LogError: also when not a record of it can be used.
    """
    usage = read(path, **options)
    if not usage.rows:
        causes = "; ".join(f"{e.count:,} × {e.cause} ({', '.join(e.examples[:2])})" for e in usage.exclusions)
        raise LogError(
            f"no usable record: {causes or 'it holds none'}",
            where=str(path),
            remedy="docs/usage.md tells what each format must hold",
        )
    return usage


def mapped(maps: Iterable[str]) -> dict[str, str] | None:
    """COLUMN=SOURCE, each, as the mapping that `read` takes.

    Raises:
        ConfigurationError: one of them is not of that form.
    """
    found: dict[str, str] = {}
    for item in maps:
        name, equals, source = item.partition("=")
        if not equals or not name or not source:
            raise ConfigurationError(
                f"“{item}” is not COLUMN=SOURCE", where="--map", remedy="such as --map input=prompt_tokens"
            )
        found[name] = source
    return found or None


class _Reading:
    """One call of `read`."""

    def __init__(
        self,
        files: list[Source],
        name: str | None,
        mapping: Mapping[str, str],
        zone: str | None,
        progress: Progress | None,
    ) -> None:
        self.files, self.mapping, self.zone, self.progress = files, mapping, zone, progress
        self.loaded: dict[int, list[tuple]] = {}
        self.format = FORMATS[name] if name else self._detected()
        self.plans = [] if self.format.bill else [self._plan(i, source) for i, source in enumerate(files)]
        self.excluded = Exclusions()
        self.tally: Counter[str] = Counter()
        self.pages = sources.Pages()

    def _detected(self) -> Format:
        found: list[Format] = []
        for i, source in enumerate(self.files):
            records = source.records
            if source.kind == "json":
                self.loaded[i] = list(sources.documents(source))
                records = [document for document, *_ in self.loaded[i][:50]]
                inner = [d.get("data") for d in records if isinstance(d, dict)]
                records += [element for data in inner if isinstance(data, list) for element in data[:5]]
            keys = {key for record in records if isinstance(record, dict) for key in record}
            found.append(detect({*source.fields, *keys}, records, source.name))
        if len({f.name for f in found}) > 1:
            pairs = ", ".join(f"{s.name} {f.name}" for s, f in zip(self.files, found, strict=True))
            raise LogError(
                f"the files have different formats: {pairs}",
                remedy="read them one by one, or say which format they all have (--format)",
            )
        return found[0]

    def _plan(self, i: int, source: Source) -> Plan:
        form = self.format
        fields = source.fields
        if form.flatten is not None:
            fields = [name for names in form.columns.values() for name in names] + ["__operation", "__call"]
        elif source.kind == "json":
            self.loaded.setdefault(i, list(sources.documents(source)))
            fields = list(dict.fromkeys(key for r, *_ in _rows(self.loaded[i]) for key in r or {}))
        computed = [
            name
            for names in (*form.columns.values(), ("__status",))
            for name in names
            if name.startswith("__") and (name not in form.needs or {*form.needs[name]} & {*fields})
        ]
        if source.kind == "jsonl" and form is not PLAIN:
            # A key that the first lines lack may come later; what every record must have may not.
            seen = {plain(name) for name in fields}
            later = [n for t, names in form.columns.items() if t not in REQUIRED for n in names]
            fields = [*fields, *(n for n in (*later, *form.extra) if n[:2] != "__" and plain(n) not in seen)]
            source.fields = fields
        known = {plain(name): name for name in [*fields, *computed]}
        # A flattened record has every field by its own name; other files may write names in their own case.
        columns = dict(form.columns) if form.flatten else resolved(known, form.columns)
        constants = dict(form.constants)
        for target, given in self.mapping.items():
            columns.pop(target, None)
            constants.pop(target, None)
            side = target.removesuffix("_total")
            if side in ("input", "output"):
                # Saying what the input is also says that the automatic reading of it does not hold.
                other = side if target != side else f"{side}_total"
                if other not in self.mapping:
                    columns.pop(other, None)
            if given.startswith("="):
                constants[target] = given[1:]
            elif plain(given) in known:
                columns[target] = (known[plain(given)],)
            else:
                near = did_you_mean(given, fields)
                raise LogError(
                    f"the mapping names a column “{given}” that is not there",
                    where=source.name,
                    remedy=near or "columns: " + ", ".join(fields[:30]),
                )
        refusals = [
            (cause, expression)
            for cause, column, expression in form.refusals
            if column.startswith("__") or column in fields
        ]
        plan = Plan(
            columns,
            constants,
            refusals,
            form.zone or self.zone or "UTC",
            form.single and "time_end" not in columns,
        )
        self._complete(plan, source, fields)
        return plan

    def _complete(self, plan: Plan, source: Source, fields: list[str]) -> None:
        missing = [name for name in ("time", "model") if not plan.names(name)]
        missing += [
            side for side in ("input", "output") if not plan.names(side) and not plan.names(f"{side}_total")
        ]
        if not missing:
            return
        shown = ", ".join(fields[:20]) + (", …" if len(fields) > 20 else "")
        near = [f"{name}: {hint}" for name in missing for hint in [did_you_mean(name, fields)] if hint]
        fixed = ", or --map model==gpt-5-mini for one model throughout" if "model" in missing else ""
        raise LogError(
            f"no column for {', '.join(missing)}; found: {shown or 'no columns'}"
            if self.format is PLAIN
            else f"no field for {', '.join(missing)}, which {self.format.title} must have; found: {shown}",
            where=source.name,
            remedy=" ".join([*near, f"name it in the mapping: --map {missing[0]}=COLUMN{fixed}"]),
        )

    # --- chunks -------------------------------------------------------------------------------------

    def _raw(self, i: int) -> Iterator[Chunk]:
        source, form, plan = self.files[i], self.format, self.plans[i]
        wanted = {name for names in plan.columns.values() for name in names}
        wanted |= {*form.extra, *(column for _, column, _ in form.refusals)}
        if form.flatten is not None or source.kind == "json":
            yield from self._flat(i, sorted(wanted))
            return
        there = [name for name in source.fields if name in wanted]
        readers = {
            "csv": sources.csv_chunks,
            "jsonl": sources.jsonl_chunks,
            "parquet": sources.parquet_chunks,
        }
        yield from readers[source.kind](source, there)

    def _flat(self, i: int, columns: list[str], rows: int = 50_000) -> Iterator[Chunk]:
        source, flatten = self.files[i], self.format.flatten
        values: list[list[str | None]] = []
        at: list[str] = []
        bad: list[tuple[str, str]] = []
        read = 0

        def chunk() -> Chunk:
            frame = pl.DataFrame(values, schema=dict.fromkeys(columns, pl.String), orient="row")
            places = tuple(at)
            return Chunk(frame, list(bad), lambda where: [places[k] for k in where], read)

        for document, place, cause, read in self.loaded.pop(i, None) or sources.documents(source):
            self.pages.see(document)
            records = (
                flatten(document) if flatten else (r for r, *_ in _rows([(document, place, cause, read)]))
            )
            for record in [None] if cause else records:
                if record is None:
                    bad.append((place, cause or "not the shape of a " + self.format.title + " record"))
                else:
                    values.append([_cell(record, name) for name in columns])
                    at.append(place)
            if len(values) >= rows:
                yield chunk()
                values, at, bad = [], [], []
        yield chunk()

    def _chunks(self, account: bool) -> Iterator[pl.DataFrame]:
        """Canonical rows chunk by chunk; with `account`, causes and tallies are counted on the way."""
        done, total = 0, sum(source.size for source in self.files)
        for i, source in enumerate(self.files):
            plan = self.plans[i]
            for chunk in self._raw(i):
                raw = self.format.prepare(chunk.frame) if self.format.prepare else chunk.frame
                frame, causes, tally = normal.normal(raw, plan)
                if account:
                    self.tally.update(tally)
                    self.rows_in += chunk.frame.height + len(chunk.bad)
                    for place, cause in chunk.bad:
                        self.excluded.add(cause, lambda place=place: [place])
                    for cause, where in causes.found().items():
                        first = where[:EXAMPLES].tolist()
                        self.excluded.add(cause, lambda c=chunk, f=first: c.places(f), len(where))
                    if self.progress:
                        self.progress(self.rows_in, min(1.0, (done + chunk.read) / total))
                yield frame
            done += source.size

    rows_in = 0
    twice = 0

    def bill(self, path: Path) -> Log:
        """A vendor's bill, read as an invoice, as the usage it tells."""
        from pricewar.usage.bills.as_log import log
        from pricewar.usage.bills.reading import read as read_bill

        self.loaded.clear()
        if self.mapping:
            raise ConfigurationError(
                f"{self.format.title} has fields of its own, so no mapping applies",
                where="--map",
                remedy="leave out the mapping, or read the file as --format plain",
            )
        return log(read_bill(path, self.format.name, self.zone, self.progress), self.files[0].name)

    # --- the account --------------------------------------------------------------------------------

    def log(self) -> Log:
        held: list[pl.DataFrame] | None = []
        hashes: list[np.ndarray] = []
        rows, ordered, last = 0, True, None
        first: datetime | None = None
        latest: datetime | None = None
        bucket = 0
        size = 0.0
        single = True
        for frame in self._chunks(account=True):
            if not frame.height:
                continue
            rows += frame.height
            time = frame["time"]
            low, high = time.min(), time.max()
            first = low if first is None else min(first, low)  # type: ignore[type-var]
            latest = high if latest is None else max(latest, high)  # type: ignore[type-var]
            ordered = ordered and time.is_sorted() and (last is None or last <= time[0])
            last = time[-1]
            if frame["time_end"].null_count() < frame.height:
                widest = (frame["time_end"] - time).max()
                bucket = max(bucket, int(widest.total_seconds()))  # type: ignore[union-attr]
                single = False
            if held is not None:
                held.append(frame)
                if rows > HELD_ROWS:
                    size = row_bytes(frame)
                    hashes = [_hashes(f) for f in held if ID in f.columns]
                    held = None
            elif ID in frame.columns:
                hashes.append(_hashes(frame))
        doubles: np.ndarray | None = None
        table = None
        if held is not None:
            table = self._unique(held)
            rows = table.height
            if not ordered:
                table = table.sort("time", maintain_order=True)
            table = table.select(SCHEMA.names())
        elif hashes:
            doubles = self._doubles(_repeated(hashes))
            hashes.clear()
            rows -= len(doubles)
        if rows and (self.excluded.count[normal.DUPLICATE] and table is not None):
            first, latest = table["time"][0], table["time"][-1]
        return Log(
            format=self.format.name,
            source=tuple(str(source.path) for source in self.files),
            rows_in=self.rows_in,
            rows=rows,
            exclusions=self.excluded.all(),
            notes=tuple(self._notes(bucket, single, ordered, table is not None, int(rows * size * 1.2))),
            unknown=self._unknown(),
            bucket_seconds=None if single else bucket,
            span=(first, latest) if first is not None and latest is not None and rows else None,
            ordered=ordered,
            in_memory=table is not None,
            _held=table,
            _again=None if table is not None else lambda: self._again(doubles),
            _row_bytes=size or 100.0,
        )

    def _unique(self, held: list[pl.DataFrame]) -> pl.DataFrame:
        if not held:
            return empty()
        table = pl.concat(held, rechunk=True)
        if ID not in table.columns:
            if not self.format.single:  # a bucket is told once for each of its groups
                self.twice = table.height - table.n_unique()
            return table
        ids = table[ID]
        named = ids.is_not_null()
        again = named & ~ids.is_first_distinct()
        if again.any():
            first = ids.filter(again)[:EXAMPLES]
            self.excluded.add(normal.DUPLICATE, lambda: [f"id {v}" for v in first], int(again.sum()))
            table = table.filter(~again)
        return table

    def _doubles(self, repeated: np.ndarray) -> np.ndarray:
        """Positions, among the kept rows, of every later record of an id."""
        if not len(repeated):
            return np.empty(0, np.int64)
        seen: set[str] = set()
        found: list[int] = []
        start = 0
        for frame in self._chunks(account=False):
            if ID in frame.columns and frame.height:
                suspects = np.flatnonzero(np.isin(_hashes(frame), repeated))
                ids = frame[ID].gather(suspects).to_list()
                for k, value in zip(suspects.tolist(), ids, strict=True):
                    if value is None:
                        continue
                    if value in seen:
                        found.append(start + k)
                        self.excluded.add(normal.DUPLICATE, lambda value=value: [f"id {value}"])
                    seen.add(value)
            start += frame.height
        return np.array(found, np.int64)

    def _again(self, doubles: np.ndarray | None) -> Iterator[pl.DataFrame]:
        for source in self.files:
            if not source.path.exists() or source.path.stat().st_size != source.size:
                raise LogError(
                    "the file has changed since it was read", where=source.name, remedy="read it again"
                )
        start = 0
        for frame in self._chunks(account=False):
            height = frame.height
            if doubles is not None and len(doubles):
                low, high = np.searchsorted(doubles, [start, start + height])
                if high > low:
                    keep = np.ones(height, bool)
                    keep[doubles[low:high] - start] = False
                    frame = frame.filter(pl.Series(keep))
            start += height
            if frame.height:
                yield frame.select(SCHEMA.names())

    def _unknown(self) -> tuple[str, ...]:
        def told(plan: Plan, meter: str) -> bool:
            if plan.names(meter) or (meter == "requests" and plan.single):
                return True
            if meter in ("input", "output"):
                return True
            return meter == "cache_write_5m" and plan.names("cache_write")

        return tuple(m for m in METERS if not all(told(plan, m) for plan in self.plans))

    def _notes(self, bucket: int, single: bool, ordered: bool, held: bool, disk: int) -> Iterator[str]:
        for source in self.files:
            yield from source.notes
        yield from self.pages.notes()
        if self.twice:
            same = f"{self.twice:,} rows are the same as another in every column"
            yield f"{same}: is a file or page in it twice?"
        yield from self.format.notes
        if not self.format.verified:
            yield UNVERIFIED.format(title=self.format.title)
        if not single:
            width = _width(bucket)
            yield f"Rows are sums over up to {width}: limits over shorter windows cannot be checked."
        if count := self.tally[normal.ASSUMED_ZONE]:
            what = f"taken as {self.zone}" if self.zone else "taken as UTC, since no zone was given"
            if self.format.zone:
                what = f"taken as {self.format.zone}, as its documentation says"
            yield f"{count:,} times name no zone; {what}."
        if count := self.tally[normal.AMBIGUOUS]:
            yield f"{count:,} local times occur twice (clocks went back); the earlier was taken."
        if count := self.tally[normal.HALF]:
            yield f"{count:,} rows tell only input or only output; the other was taken as 0."
        if count := self.tally[normal.SHORT_WRITES]:
            yield f"{count:,} rows do not tell how long cache writes live; they were taken as 5 minutes."
        if self.format is PLAIN and self._inside():
            inside = self._inside()
            yield f"Cached tokens were taken as part of {inside}; if they are not, map input={inside}."
        if self.excluded.count[normal.NO_MODEL] and self.format.name.startswith(("openai", "anthropic")):
            yield NOT_GROUPED
        if not held and not ordered:
            yield f"The log is not in order of time; sorting needs about {disk / 1e9:.2f} GB of disk."

    def _inside(self) -> str | None:
        for plan in self.plans:
            if any(plan.names(m) for m in ("cache_read", "cache_write", "cache_write_5m", "cache_write_1h")):
                names = plan.columns.get("input_total")
                if names and not plan.names("input"):
                    return names[0]
        return None


def _rows(loaded: list[tuple]) -> Iterator[tuple[dict | None, str, str | None]]:
    """Flat records of JSON documents: themselves, or what a `data` list holds."""
    for document, place, cause, _ in loaded:
        if not isinstance(document, dict):
            yield None, place, cause
        elif isinstance(document.get("data"), list) and len(document) <= 8:
            for element in document["data"]:
                yield (element if isinstance(element, dict) else None), place, cause
        else:
            yield document, place, cause


def _cell(record: Record | dict, name: str) -> str | None:
    return sources.as_text(record.get(name))


def _hashes(frame: pl.DataFrame) -> np.ndarray:
    return frame[ID].hash(2024).to_numpy()


def _repeated(hashes: list[np.ndarray]) -> np.ndarray:
    """Hashes that occur more than once, found a sixteenth at a time so that no second copy is made."""
    found = []
    for part in range(16):
        some = np.concatenate([h[(h >> np.uint64(60)) == part] for h in hashes])
        some.sort()
        found.append(np.unique(some[1:][some[1:] == some[:-1]]))
    return np.concatenate(found)


def _width(seconds: int) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"
