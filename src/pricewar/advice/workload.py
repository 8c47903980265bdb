"""The team's real work: how much of it there is in a month, and its rows, as many as are needed.

A log that is long is cut to whole days at even steps, or merged by a window of time (`Held.batch`), for the
surfaces that are billed from it again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.advice import kernel
from pricewar.billing.batch import Assumptions, Batch
from pricewar.billing.desk import DEFAULT_ASSUMPTIONS, Comparison, Corner, Entry, compare
from pricewar.billing.tariff import Tariff, boundaries
from pricewar.errors import DataError
from pricewar.notes import Note
from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.units import METERS

if TYPE_CHECKING:
    from pricewar.usage.log import Log

MONTH_DAYS = 365.25 / 12
SHORT_DAYS = 7
SHORT_SPREAD = 0.5
"""Assumed spread of daily volume where a log is too short to show its week: weekends may halve it."""
ROWS = 150_000
HELD_ROWS = 2_000_000
BLOCK = 4
"""Of a log with more rows, every so many blocks of days are held."""
DAY = 86_400_000_000


@dataclass
class Workload:
    """A log as months of work.

    Attributes:
        comparison: the log on every offer, exactly, on the terms in force on `start`.
        days: how many days it covers; edge days count by how full they are.
        factor: logged work × factor = a month of 30.4 days.
        requests, tokens: of a month.
        logged: cost of a month as logged, in `currency`; None where some model has no known price.
        spread: standard error of a month's volume, as a share, from how days differ.
        short: whether it is too short to show a week.
        notes: what a reader must know.
    """

    comparison: Comparison
    entries: dict[str, Entry]
    currency: str
    start: date
    days: float
    factor: float
    requests: float
    tokens: float
    logged: float | None
    spread: float
    short: bool
    notes: list[str] = field(default_factory=list)
    kept_rows: int = 0
    _log: Log | None = field(default=None, repr=False)
    _held: Held | None = field(default=None, repr=False)
    assumed: dict[str, Assumptions] = field(default_factory=dict, repr=False)

    def held(self) -> Held:
        """The rows as arrays, read once."""
        if self._held is None:
            assert self._log is not None
            self._held = Held(self._log, self.comparison)
        return self._held


def offers_logged(log: Log, catalogue: Catalogue) -> list[str]:
    """Ids of the offers on which the log's models are listed: they serve what another offer refuses."""
    pairs = {pair for frame in log.batches() for pair in frame.select("vendor", "model").unique().rows()}
    found = (catalogue.listed(*pair) for pair in sorted(pairs, key=str))
    return list(dict.fromkeys(offer.id for offer in found if offer is not None))


def models_of(log: Log) -> list[tuple[str, int]]:
    """Models asked for, with their requests."""
    import polars as pl

    counts: dict[str, int] = {}
    for frame in log.batches():
        grouped = frame.group_by("model").agg(pl.col("requests").fill_null(1).clip(lower_bound=1).sum())
        for model, requests in grouped.rows():
            counts[model] = counts.get(model, 0) + int(requests)
    return sorted(counts.items())


def part_of(log: Log, only: Sequence[str]) -> Log:
    """The requests of a log for some models (`model` or `vendor/model`, with * and ?).

    Raises:
        DataError: there are none.
    """
    from pricewar.usage.table import models_like

    rows, first, last = 0, None, None
    for frame in log.batches():
        part = models_like(frame, only)
        if len(part):
            rows += len(part)
            first, last = first or part["time"][0], part["time"][-1]
    if first is None or last is None:
        raise DataError(
            f"the log asks for no model like {', '.join(only)}",
            remedy="`pricewar bill` lists what it asks for",
        )
    models = ", ".join(only)
    text = f"only requests for {models}: {rows:,} of {log.rows:,} rows"
    note = Note(text, "only", models=models, rows=rows, all=log.rows)
    return replace(
        log, rows=rows, span=(first, last), notes=(*log.notes, note), ordered=True, in_memory=False,
        _held=None, _again=lambda: (models_like(frame, only) for frame in log.batches()),
    )  # fmt: skip


def workload(
    log: Log,
    catalogue: Catalogue,
    offers: Iterable[Offer],
    start: date,
    *,
    currency: str = "USD",
    assumed: Mapping[str, dict[Corner, Assumptions]] | None = None,
) -> Workload:
    """Bill `log` exactly on `offers`, on the terms in force on `start`, and say what a month of it is.

    Args:
        assumed: for offers with evidence of their own, how their models count the same work.

    Raises:
        DataError: the log is empty or spans less than a day.
    """
    if log.span is None or not log.rows:
        raise DataError("the log holds no request", remedy="give a log of the work to be advised on")
    frozen = datetime(start.year, start.month, start.day, tzinfo=UTC)
    chosen = list({offer.id: offer for offer in offers}.values())
    plain = [o for o in chosen if o.id not in (assumed or {})]
    comparison = compare(log, catalogue, plain, currency=currency, frozen=frozen)
    entries = {entry.offer.id: entry for entry in comparison.entries}
    for offer in chosen:
        if assumed and offer.id in assumed:
            more = compare(
                log, catalogue, [offer], currency=currency, frozen=frozen, assumed=assumed[offer.id]
            )
            entries.update((entry.offer.id, entry) for entry in more.entries)
            comparison.not_billed.extend(more.not_billed)
    volumes = [requests for _, requests, _ in comparison.days]
    days = _days(volumes, log)
    factor = MONTH_DAYS / days
    notes = [note for note in log.notes if note.startswith("only requests for")]
    spread = _spread(volumes)
    short = days < SHORT_DAYS
    if short:
        notes.append(
            Note(
                f"the log covers {days:.1f} days: too short to show a week. A month is taken to be "
                f"{factor:.1f} times what was logged, give or take {spread:.0%}",
                "short",
                days=days,
                factor=factor,
                spread=spread,
            )
        )
    if "requests" in log.unknown:
        notes.append(
            Note(
                "the log does not count requests: tokens stand in for them, and what is limited in requests "
                "cannot be counted on",
                "uncounted",
            )
        )
    mids = {id: (assumed or {}).get(id, DEFAULT_ASSUMPTIONS)["mid"] for id in entries}
    return Workload(
        comparison,
        entries,
        currency,
        start,
        days,
        factor,
        comparison.requests * factor,
        comparison.tokens * factor,
        float(comparison.baseline) * factor if comparison.baseline is not None else None,
        spread,
        short,
        notes,
        log.rows,
        log,
        None,
        mids,
    )


def _days(volumes: Sequence[int], log: Log) -> float:
    """Days covered: a first or last day counts by its volume against a usual one, at most as 1.

    Raises:
        DataError: less than a day.
    """
    assert log.span is not None
    elapsed = (log.span[1] - log.span[0]) / timedelta(days=1) * log.rows / max(log.rows - 1, 1)
    elapsed += (log.bucket_seconds or 0) / 86_400
    if elapsed < 0.5:
        raise DataError(
            f"the log spans {elapsed * 24:.1f} hours, which say nothing of a month",
            remedy="give a day at least, better four weeks",
        )
    if len(volumes) < 4:
        return max(_cycles(elapsed, log), 1.0)
    whole = (log.span[1].date() - log.span[0].date()).days + 1
    usual = float(np.median(volumes[1:-1])) or 1.0
    return whole - 2 + min(1.0, volumes[0] / usual) + min(1.0, volumes[-1] / usual)


def _cycles(elapsed: float, log: Log) -> float:
    """Days of a very short log: the night after its last request counts if it would end where the first day
    began."""
    longest, last = timedelta(0), None
    for frame in log.batches():
        times = frame["time"]
        gap = times.diff().max()
        if isinstance(gap, timedelta):
            longest = max(longest, gap)
        if last is not None:
            longest = max(longest, times[0] - last)
        last = times[-1]
    with_night = elapsed + longest / timedelta(days=1)
    return round(with_night) if abs(with_night - round(with_night)) < 0.1 else elapsed


def _spread(volumes: Sequence[int]) -> float:
    """Standard error of the mean daily volume, as a share; the cycle of the week is not error."""
    inner = np.asarray(volumes[1:-1] if len(volumes) > SHORT_DAYS + 1 else volumes, dtype=float)
    n = len(inner)
    if n >= 2 * SHORT_DAYS:  # days of one weekday against each other
        means = np.array([inner[k::7].mean() for k in range(7)])
        rest = inner - means[np.arange(n) % 7]
        sd = float(np.sqrt((rest**2).sum() / (n - 7)))
    elif n >= SHORT_DAYS:
        sd = float(inner.std(ddof=1))
    else:
        sd = max(float(inner.std(ddof=1)) if n > 1 else 0.0, SHORT_SPREAD * float(inner.mean()))
    return sd / float(inner.mean()) / max(n, 1) ** 0.5 if inner.mean() else 0.0


# --- the log as arrays, merged ----------------------------------------------------------------------------


class Held:
    """The log's rows, or whole days of it at even steps where it is too long, and merged forms of them."""

    def __init__(self, log: Log, comparison: Comparison) -> None:
        import polars as pl

        self.models: dict[tuple[str | None, str], int] = {}
        self.tiers: dict[str, int] = {"standard": 0}
        self.step, self.most = -(-log.rows // HELD_ROWS), ROWS
        first = comparison.days[0][0] if comparison.days else date(1970, 1, 1)
        parts = []
        for frame in log.batches():
            if "requests" in log.unknown:
                frame = frame.with_columns(
                    requests=pl.sum_horizontal(METERS[:6]).clip(lower_bound=1).cast(pl.Int64)
                )
            if self.step > 1:
                block = (pl.col("time").dt.date() - first).dt.total_days() // BLOCK
                frame = frame.filter(block % self.step == 0)
            if len(frame):
                parts.append(Batch.of(frame, self.models, self.tiers))
        self.bucket = log.bucket_seconds
        self.counted = "requests" not in log.unknown
        self.total = comparison.requests if self.counted else comparison.tokens
        self.times = np.concatenate([b.times for b in parts])
        self.quantities = np.concatenate([b.quantities for b in parts])
        self.model = np.concatenate([b.model for b in parts])
        self.tier = np.concatenate([b.tier for b in parts])
        names = list(self.models)
        position = {(use.vendor, use.model): i for i, use in enumerate(comparison.models)}
        listed = {}
        for i, pair in enumerate(names):
            at = position.get(pair)
            offer = comparison.models[at].offer if at is not None else None
            if offer is not None:
                listed[i] = offer.latest.models[0].name
        self.names = listed
        self._merged: dict[Any, tuple[Batch, float]] = {}

    def batch(
        self, found: Tariff, served: np.ndarray, same: frozenset[int], bucket: int, *, whole: bool = False
    ) -> tuple[Batch, float]:
        """Rows merged by `bucket` microseconds (0: as they are) where the tariff tells no difference; whole
        days of the tariff's own clock, if there are still too many (`whole`: never).

        Returns the rows, and the share of all requests that they are.
        """
        pairs = list(self.models)
        kinds = np.array([int(served[i]) * 2 + (i in same) for i in range(len(pairs))])
        _, classes = np.unique(kinds, return_inverse=True)
        marks = sorted({m.longest_input for m in found.offer.models if m.longest_input})
        terms = [*(p.term for p in found.limits), *(p.term for p in found.allowances)]
        zone = next((t.zone for t in terms if t.zone != "UTC"), "UTC")
        key = (bucket, tuple(classes.tolist()) if bucket else (), tuple(marks), zone, whole)
        if key not in self._merged:
            self._merged[key] = self._make(classes, marks, bucket, zone, whole)
        return self._merged[key]

    def _make(
        self, classes: np.ndarray, marks: Sequence[int], bucket: int, zone: str, whole: bool
    ) -> tuple[Batch, float]:
        pairs, tiers = list(self.models), list(self.tiers)
        rows = [self.times, self.quantities, self.model, self.tier]
        if bucket:
            rows = self._merge(classes, marks, bucket)
        if (len(rows[0]) > self.most and not whole) or self.step > 1:
            kept = self._whole_days(rows[0], zone)
            if kept.any():
                rows = [column[kept] for column in rows]
        times, quantities, model, tier = rows
        share = float(np.maximum(quantities[:, 7], 1).sum() / max(self.total, 1))
        return Batch(times, quantities, model, pairs, tier, tiers), min(share, 1.0)

    def _merge(self, classes: np.ndarray, marks: Sequence[int], bucket: int) -> list[np.ndarray]:
        tiers = len(self.tiers)
        q = self.quantities
        if (q[:, 7] < 1).any():
            q = q.copy()
            q[:, 7] = np.maximum(q[:, 7], 1)
        size = np.searchsorted(
            np.asarray(marks, dtype=np.int64), q[:, :4].sum(axis=1) // q[:, 7], side="left"
        )
        width = len(marks) + 1
        code = (classes[self.model] * tiers + self.tier) * width + size
        codes = (int(classes.max()) + 1) * tiers * width
        out_t, out_q, out_c = np.empty_like(self.times), np.empty_like(q), np.empty_like(code)
        n = kernel.merge(self.times, q, code, bucket, codes, out_t, out_q, out_c)
        kind = out_c[:n] // width
        first = np.array([int(np.flatnonzero(classes == c)[0]) for c in range(int(classes.max()) + 1)])
        return [out_t[:n].copy(), out_q[:n].copy(), first[kind // tiers], kind % tiers]

    def _whole_days(self, times: np.ndarray, zone: str) -> np.ndarray:
        """[N] rows of whole days on the clocks of `zone`, as many as are billed again and again: even steps
        through the days in order of weekday, so that weeks and the whole span are covered."""
        edges = np.array(boundaries("day", zone, int(times[0]), int(times[-1])), dtype=np.int64)
        day = np.searchsorted(edges, times, side="right") - 1
        volume = np.bincount(day)
        days = np.arange(len(volume))
        inside = volume > 0
        if self.step > 1:  # blocks of UTC days were kept: their first and last local days may be cut
            inside &= volume >= 0.8 * np.median(volume[inside])
        inside[[0, -1]] &= len(volume) < 4
        order = sorted(days[inside].tolist(), key=lambda d: (d % 7, d))
        if not order:
            return np.ones(len(times), dtype=np.bool_)
        n = int(np.clip(self.most * len(order) // max(int(volume[order].sum()), 1), 1, len(order)))
        taken = [order[int((k + 0.5) * len(order) / n)] for k in range(n)]
        return np.isin(day, taken)
