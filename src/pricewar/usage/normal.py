"""From raw columns to the canonical table: times, whole numbers, exclusive buckets, and causes of exclusion.

A `Plan` names, for each thing the table needs, the raw columns that may hold it. `normal` applies it to one
chunk. Work is done on whole columns, and a check that cannot fail (the least value is not negative) is not
made row by row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from pricewar.usage.table import ABSURD, METERS, SCHEMA

TARGETS = (
    *SCHEMA.names(),
    "input_total",
    "output_total",
    "cache_write",
    "batch",
    "id",
)
"""What a raw column can be: a column of the table, or
input_total   input with cached tokens inside; the cached ones are taken out
output_total  output with reasoning inside; it is taken out
cache_write   written to the cache, lifetime not told
batch         true for batch requests
id            what makes a record unique"""

FEW = 10_000
ID, ROW = "__id", "__row"

NO_TIME = "no time"
BAD_TIME = "a time that cannot be read"
FAR_TIME = "a time before 2000 or after 2100"
GAP_TIME = "a local time that never was (clocks went forward)"
BAD_END = "an end before the start"
NO_MODEL = "no model named"
NO_TOKENS = "no token counts"
FRACTION = "a count that is no whole number"
EITHER = "a count whose point or comma may part thousands: export plain numbers"
NEGATIVE = "a negative count"
ABSURDITY = "an absurd count (over 10^15 in one row)"
CACHE_OVER = "more cached tokens than the input they are part of"
REASON_OVER = "more reasoning than the output it is part of"
DUPLICATE = "a duplicate id (the first record is kept)"

AMBIGUOUS = "ambiguous"
ASSUMED_ZONE = "zone"
HALF = "half"
SHORT_WRITES = "writes"


@dataclass(slots=True)
class Plan:
    """How one file's columns become the table's.

    Attributes:
        columns: target → raw columns, the first that has a value counts.
        constants: target → fixed value.
        refusals: causes of exclusion, each with an expression over raw columns that is true where it applies.
        zone: IANA zone of times that name none.
        single: every row is one request (a missing request count means 1, not 0).
    """

    columns: dict[str, tuple[str, ...]]
    constants: dict[str, str] = field(default_factory=dict)
    refusals: list[tuple[str, pl.Expr]] = field(default_factory=list)
    zone: str = "UTC"
    single: bool = True

    def names(self, target: str) -> bool:
        return target in self.columns or target in self.constants


class Causes:
    """Why each row of a chunk is left out; the first cause found stands."""

    def __init__(self, rows: int) -> None:
        self.code = np.zeros(rows, np.uint8)
        self.names: list[str] = []

    def mark(self, mask: pl.Series | np.ndarray, cause: str) -> None:
        where = mask.fill_null(False).to_numpy() if isinstance(mask, pl.Series) else mask
        if where.any():
            if cause not in self.names:
                self.names.append(cause)
            where = where & (self.code == 0)
            self.code[where] = self.names.index(cause) + 1

    def found(self) -> dict[str, np.ndarray]:
        """Cause → positions."""
        found = {name: np.flatnonzero(self.code == i + 1) for i, name in enumerate(self.names)}
        return {name: at for name, at in found.items() if len(at)}


def normal(raw: pl.DataFrame, plan: Plan) -> tuple[pl.DataFrame, Causes, dict[str, int]]:
    """Canonical rows of one chunk (with `ID` when the plan has one), causes of exclusion, and tallies."""
    rows = raw.height
    causes, tally = Causes(rows), {}
    for cause, expression in plan.refusals:
        causes.mark(raw.select(expression.alias("x"))["x"], cause)

    out: dict[str, pl.Series] = {}
    time = _first(raw, plan, "time")
    out["time"] = _instants(time, plan.zone, causes, tally)
    if plan.names("time_end"):
        quiet = Causes(rows)
        out["time_end"] = _instants(_first(raw, plan, "time_end"), plan.zone, quiet, {})
        causes.mark(out["time_end"] < out["time"], BAD_END)
    model = _text(raw, plan, "model")
    out["model"] = model
    if model.null_count():
        causes.mark(model.is_null(), NO_MODEL)

    counts: dict[str, pl.Series | None] = {}
    for target in (*METERS, "input_total", "output_total", "cache_write"):
        counts[target] = _whole(_first(raw, plan, target), causes) if plan.names(target) else None
    _settle(counts, causes, tally)
    for meter in METERS:
        known = counts[meter]
        default = 1 if meter == "requests" and plan.single else 0
        out[meter] = _constant(default, pl.Int64(), rows) if known is None else known.fill_null(default)

    out["tier"] = _tier(raw, plan)
    for name in ("vendor", "project", "reported_currency"):
        if plan.names(name):
            out[name] = _text(raw, plan, name)
    if plan.names("reported_cost"):
        out["reported_cost"] = _money(_first(raw, plan, "reported_cost"))
    columns = [
        out[name].alias(name) if name in out else pl.Series(name, [None], kind).new_from_index(0, rows)
        for name, kind in SCHEMA.items()
    ]
    if plan.names("id"):
        columns.append(_text(raw, plan, "id").alias(ID))
    frame = pl.DataFrame(columns)
    if causes.names:
        frame = frame.filter(pl.Series(causes.code == 0))
    return frame, causes, tally


def _constant(value: Any, kind: Any, rows: int) -> pl.Series:
    return pl.Series([value], dtype=kind).new_from_index(0, rows)


def _first(raw: pl.DataFrame, plan: Plan, target: str) -> pl.Series:
    """The first of the target's raw columns that has a value, row by row."""
    if target in plan.constants:
        return _constant(plan.constants[target], pl.String(), raw.height)
    series = [raw[name] for name in plan.columns[target]]
    if len(series) == 1:
        return series[0]
    if any(s.dtype != series[0].dtype for s in series):
        series = [_as_text(s) for s in series]
    series = [s.set(s == "", None) if s.dtype == pl.String else s for s in series]
    return pl.DataFrame([s.alias(str(i)) for i, s in enumerate(series)]).select(x=pl.coalesce(pl.all()))["x"]


def _as_text(series: pl.Series, odd: str | None = None) -> pl.Series:
    """The series as text; values that have no text form (lists, times of day) become `odd`."""
    kind = series.dtype
    if kind in (pl.String, pl.Null):
        return series.cast(pl.String)
    if isinstance(kind, pl.Struct):
        return series.struct.json_encode()
    if not (kind.is_nested() or kind in (pl.Duration, pl.Time)):
        try:
            return series.cast(pl.String, strict=False)
        except pl.exceptions.PolarsError:
            pass  # binary that is no UTF-8
    return _constant(odd, pl.String(), len(series)).set(series.is_null(), None)


def _text(raw: pl.DataFrame, plan: Plan, target: str) -> pl.Series:
    """Text without blanks at its ends; blank is null."""
    if target in plan.constants:
        return _constant(plan.constants[target], pl.String(), raw.height)
    series = _as_text(_first(raw, plan, target))
    if len(series) and series[:FEW].n_unique() <= FEW // 10:
        # Names repeat: clean the few distinct ones.
        names = series.unique()
        clean = _stripped(names)
        if clean.equals(names):
            return series
    return _stripped(series)


def _stripped(series: pl.Series) -> pl.Series:
    series = series.str.strip_chars()
    blank = (series == "") | series.is_in(["null", "None", "NaN"])
    return series.set(blank, None) if blank.any() else series


def _whole(series: pl.Series, causes: Causes) -> pl.Series:
    """Counts as Int64; what is no count of 0 to `ABSURD` is marked."""
    kind = series.dtype
    if kind == pl.Null:
        return series.cast(pl.Int64)
    if kind.is_integer():
        least, most = series.min(), series.max()
        if least is not None and int(least) < 0:  # type: ignore[arg-type]
            causes.mark(series < 0, NEGATIVE)
        if most is not None and int(most) > ABSURD:  # type: ignore[arg-type]
            causes.mark(series > ABSURD, ABSURDITY)
        return series.cast(pl.Int64, strict=False)
    if kind.is_float() or kind.is_decimal():
        number = series.cast(pl.Float64, strict=False).fill_nan(None)
        text = None
    else:
        text = _stripped(_as_text(series, "?"))
        whole = text.cast(pl.Int64, strict=False)
        if whole.null_count() == text.null_count():
            return _whole(whole, causes)
        number = text.cast(pl.Float64, strict=False).fill_nan(None)
        parted = text.str.contains(r"^\d{1,3}(?:[.,]\d{3})+$").fill_null(False)
        if parted.any() and not text.str.contains(r"^\d{4,}\.\d{3}$").any():  # else three decimals throughout
            causes.mark(parted, EITHER)
    causes.mark(number > ABSURD, ABSURDITY)
    causes.mark(number < 0, NEGATIVE)
    odd = number != number.floor()
    if text is not None:
        odd = odd | (number.is_null() & text.is_not_null())
    causes.mark(odd, FRACTION)
    sound = (number >= 0) & (number <= ABSURD)
    return number.set(~sound.fill_null(False), None).cast(pl.Int64, strict=False)


def _settle(counts: dict[str, pl.Series | None], causes: Causes, tally: dict[str, int]) -> None:
    """Make the buckets exclude one another."""
    write = counts.pop("cache_write")
    if write is not None:
        split = [
            s.fill_null(0) for s in (counts["cache_write_5m"], counts["cache_write_1h"]) if s is not None
        ]
        write = write.fill_null(0)
        if split:
            # A source that tells the whole and its parts: only what the parts leave has no lifetime told.
            told = split[0] + split[1] if len(split) == 2 else split[0]
            rest = write - told
            write = rest.set(rest < 0, 0)
        unsplit = int((write > 0).sum())
        if unsplit:
            tally[SHORT_WRITES] = unsplit
        own = counts["cache_write_5m"]
        counts["cache_write_5m"] = write if own is None else own.fill_null(0) + write
    sides = []
    for side, parts, cause in (
        ("input", ("cache_read", "cache_write_5m", "cache_write_1h"), CACHE_OVER),
        ("output", ("reasoning",), REASON_OVER),
    ):
        total = counts.pop(f"{side}_total")
        if total is not None:
            inside = total
            for part in parts:
                known = counts[part]
                if known is not None:
                    inside = inside - known.fill_null(0)
            if inside is not total:
                causes.mark(inside < 0, cause)
            own = counts[side]
            counts[side] = inside if own is None else own.zip_with(own.is_not_null(), inside)
        sides.append(counts[side])
    left, right = sides
    if left is None or right is None or not (left.null_count() or right.null_count()):
        return
    no_input, no_output = left.is_null(), right.is_null()
    causes.mark(no_input & no_output, NO_TOKENS)
    half = int(((no_input ^ no_output) & pl.Series(causes.code == 0)).sum())
    if half:
        tally[HALF] = half


def _tier(raw: pl.DataFrame, plan: Plan) -> pl.Series:
    rows = raw.height
    tier = _constant("standard", pl.String(), rows)
    if plan.names("tier"):
        named = _text(raw, plan, "tier").str.to_lowercase()
        plain = named.is_null() | named.is_in(["default", "auto", "on_demand", "standard"])
        tier = tier.zip_with(plain, named)
    if plan.names("batch"):
        batch = _as_text(_first(raw, plan, "batch")).str.strip_chars().str.to_lowercase()
        tier = tier.set(batch.is_in(["true", "1", "yes"]).fill_null(False), "batch")
    return tier


def _money(series: pl.Series) -> pl.Series:
    kind = SCHEMA["reported_cost"]
    if series.dtype.is_numeric():
        if series.dtype.is_float():
            series = series.set(~series.is_finite().fill_null(False) | (series.abs() > 1e20), None)
        return series.cast(kind, strict=False)
    text = _stripped(_as_text(series))
    exact = text.cast(kind, strict=False)
    if exact.null_count() == text.null_count():
        return exact
    rounded = text.cast(pl.Float64, strict=False)
    rounded = rounded.set(~rounded.is_finite().fill_null(False) | (rounded.abs() > 1e20), None)
    return exact.zip_with(exact.is_not_null(), rounded.cast(kind, strict=False))


ZONED = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
)
LOCAL = (
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
)
DATES = ("%Y-%m-%d", "%Y/%m/%d")
UTC = pl.Datetime("us", "UTC")
SUFFIX = re.compile(r"(?<=\d)(?<!\d{4}-\d\d)\s?(?:Z|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)$")
EARLIEST, LATEST = 946_684_800_000_000, 4_102_444_800_000_000


def _instants(series: pl.Series, zone: str, causes: Causes, tally: dict[str, int]) -> pl.Series:
    """Times as UTC. Numbers are seconds, milli-, micro- or nanoseconds since 1970, told by their size."""
    kind = series.dtype
    if isinstance(kind, pl.Datetime):
        out = _placed(series.cast(pl.Datetime("us", kind.time_zone)), zone, causes, tally)
        missing = series.is_null()
    elif kind == pl.Date:
        out, missing = _placed(series.cast(pl.Datetime("us")), zone, causes, tally), series.is_null()
    elif kind.is_numeric():
        out, missing = _epoch(series), series.is_null()
    else:
        text = _stripped(_as_text(series, "?"))
        missing = text.is_null()
        if text.str.ends_with("UTC").any():
            text = text.str.replace(r" ?UTC$", "Z")
        out = _parsed(text, zone, causes, tally)
    if missing.any():
        causes.mark(missing, NO_TIME)
    if out.null_count():
        causes.mark(out.is_null(), BAD_TIME)
    number = out.to_physical()
    least, most = number.min(), number.max()
    if least is not None and (int(least) < EARLIEST or int(most) > LATEST):  # type: ignore[arg-type]
        causes.mark((number < EARLIEST) | (number > LATEST), FAR_TIME)
    return out


def _epoch(series: pl.Series) -> pl.Series:
    if series.dtype.is_float() or series.dtype.is_decimal():
        number = series.cast(pl.Float64, strict=False)
        number = number.set(~number.is_finite().fill_null(False) | (number.abs() > 9e18), None)
        whole = pl.col("x").cast(pl.Int64, strict=False)
        fine = (pl.col("x") * 1e6).round().cast(pl.Int64, strict=False)
    else:
        number = series.cast(pl.Int64, strict=False)
        whole = pl.col("x")
        fine = pl.col("x") * 1_000_000
    size = pl.col("x").abs()
    # Whole seconds pass 1e11 in the year 5138, milliseconds 1e14, microseconds 1e17.
    micro = (
        pl.when(size < 1e11)
        .then(fine)
        .when(size < 1e14)
        .then(whole * 1000)
        .when(size < 1e17)
        .then(whole)
        .otherwise(whole // 1000)
    )
    return pl.DataFrame([number.alias("x")]).select(t=micro.cast(UTC))["t"]


def _parsed(text: pl.Series, zone: str, causes: Causes, tally: dict[str, int]) -> pl.Series:
    out = pl.Series([None], dtype=UTC).new_from_index(0, len(text))
    known = text.drop_nulls()
    if not len(known):
        return out
    if (shared := SUFFIX.search(str(known[0]))) and bool(known.str.ends_with(shared[0]).all()):
        # One zone throughout: without it the text parses ten times as fast.
        bare = text.str.strip_suffix(shared[0])
        ahead = 0
        if shared["hours"]:
            ahead = int(shared["hours"]) * 3600 + int(shared["minutes"] or 0) * 60
            ahead = -ahead if shared["sign"] == "-" else ahead
        for form in LOCAL:
            found = bare.str.to_datetime(form, strict=False, time_unit="us")
            if found.null_count() == text.null_count():
                return found.dt.replace_time_zone("UTC").dt.offset_by(f"{-ahead}s")
    left = text
    zoned = any(mark in str(known[0])[10:] for mark in "Zz+-")
    order = [*ZONED, *LOCAL, *DATES] if zoned else [*LOCAL, *ZONED, *DATES]
    if str(known[0])[:1].isdigit() and str(known[0]).replace(".", "", 1).isdigit():
        order.insert(0, "")
    else:
        order.append("")
    for form in order:
        if form == "":
            number = left.cast(pl.Int64, strict=False)
            found = _epoch(number)
            if number.null_count() > left.null_count():
                other = _epoch(left.cast(pl.Float64, strict=False))
                found = found.zip_with(found.is_not_null(), other)
        elif form in ZONED:
            found = left.str.to_datetime(form, strict=False, time_unit="us").cast(UTC)
        elif form in LOCAL:
            found = _placed(left.str.to_datetime(form, strict=False, time_unit="us"), zone, causes, tally)
        else:
            found = _placed(left.str.to_date(form, strict=False).cast(pl.Datetime("us")), zone, causes, tally)
        if found.null_count() == len(found):
            continue
        out = found if out.null_count() == len(out) else out.zip_with(out.is_not_null(), found)
        left = left.set(out.is_not_null() & left.is_not_null(), None)
        if left.null_count() == len(left):
            break
    return out


def _placed(local: pl.Series, zone: str, causes: Causes, tally: dict[str, int]) -> pl.Series:
    """Times that name no zone, in the given one; of two readings when clocks go back, the earlier."""
    if isinstance(local.dtype, pl.Datetime) and local.dtype.time_zone is not None:
        return local.dt.convert_time_zone("UTC")
    named = len(local) - local.null_count()
    if not named:
        return local.dt.replace_time_zone("UTC")
    tally[ASSUMED_ZONE] = tally.get(ASSUMED_ZONE, 0) + named
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    early = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    late = local.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    twice = int((early != late).sum())
    if twice:
        tally[AMBIGUOUS] = tally.get(AMBIGUOUS, 0) + twice
    if early.null_count() > local.null_count():
        causes.mark(early.is_null() & local.is_not_null(), GAP_TIME)
    return early.dt.convert_time_zone("UTC")


def resolved(fields: Mapping[str, str], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The wanted raw columns that exist; `fields` maps a name's plain form to the name in the file."""
    found = {}
    for target, names in wanted.items():
        there = tuple(dict.fromkeys(fields[plain(name)] for name in names if plain(name) in fields))
        if there:
            found[target] = there
    return found


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A column's name without case, blanks and underscores, so that ContextTokens equals context_tokens."""
    return "".join(c for c in name.lower() if c not in " _-\ufeff")
