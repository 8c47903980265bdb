"""What a proxy configuration will do with a stream of requests: who serves each, what the proxy says it
spends, what the vendors charge.

The router is followed as it was measured (`tests/gateway` holds both side by side). For each request, the
first deployment by group and order is asked that takes an input of that length, is not cooling down, and is
within its rpm and budget. Whether it then serves is what the desk's own stateful billing says of its terms. A
refusal sets it aside for its `cooldown` and the next is asked.

Since what a later deployment sees depends on earlier ones only through what these leave over, the stream is
passed down deployment by deployment, each in time order. Stretches without a refusal are billed at once; at a
refusal the pass is taken back to it.

A log of sums (buckets) shows no single requests: there only the desk's limits part the work, and the proxy's
rpm, budgets and cooldowns are left out.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from pricewar.advice.gateway import PLAN, Deployment, HandOff, Period
from pricewar.advice.gateway_prices import KEYS, Priced
from pricewar.billing.batch import Assumptions, Batch, Ints, View
from pricewar.billing.run import Run, served_by
from pricewar.billing.tariff import EPOCH, tariff, thresholds_of
from pricewar.errors import ConfigurationError
from pricewar.units import METERS

MINUTE = 60_000_000
FIRST_STEP, LAST_STEP = 64, 1 << 16
COLUMNS = [METERS.index(meter) for meter in KEYS]
UNCOOLED = frozenset({400, 403, 405, 410, 413, 422})
"""Statuses after which LiteLLM asks the same deployment again at once."""


@dataclass
class Share:
    """What one deployment does.

    Attributes:
        served: requests. refused: requests it was asked for, once or twice, and refused.
        spend: what the proxy says it cost, in USD. bill: what its terms charge, in USD.
        refusals: (when, what kind of limit: minute, day, none, …, or gone).
    """

    deployment: Deployment
    served: int = 0
    refused: int = 0
    spend: Fraction = Fraction(0)
    bill: Fraction = Fraction(0)
    refusals: list[tuple[datetime, str]] = field(default_factory=list)
    quantities: list[int] = field(default_factory=lambda: [0] * len(METERS))

    def tokens(self, meters: Iterable[str]) -> int:
        """What it served, by meter."""
        return sum(self.quantities[METERS.index(m)] for m in meters)


@dataclass
class Prediction:
    """What a period's configuration does with a stream.

    Attributes:
        requests, lost: in all, and those that nobody served.
        shares: by deployment, in the order in which they are asked.
        route: [N] which of `shares` serves each request, −1: none. Empty for logs of sums, as is
        cost: [N] what the proxy says it cost, USD.
        span: first and last request.
    """

    period: Period
    requests: int
    lost: int
    shares: list[Share]
    route: Ints
    cost: Ints
    span: tuple[datetime, datetime] | None

    @property
    def spend(self) -> Fraction:
        """What the proxy says it all cost, USD."""
        return sum((s.spend for s in self.shares), Fraction(0))

    @property
    def bill(self) -> Fraction:
        """What the vendors charge for it, USD."""
        return sum((s.bill for s in self.shares), Fraction(0))

    @property
    def days(self) -> float:
        """How many days the stream covers."""
        return (self.span[1] - self.span[0]) / timedelta(days=1) if self.span else 0.0


def predict(
    hand_off: HandOff,
    period: Period,
    batches: Iterable[Batch],
    *,
    frozen: datetime | None = None,
    gone: int = 404,
    progress: Callable[[str], None] | None = None,
) -> Prediction:
    """What the configuration of `period` does with a stream.

    Args:
        batches: the stream, in time order.
        frozen: bill every request on the terms in force at this instant (a log of the past on terms to come);
            None: each on its own day's terms, whether or not the configuration has heard of them.
        gone: the status with which a vendor answers for an offer that is no longer in force.

    Raises:
        ConfigurationError: an offer of the period was not in force at `frozen`.
    """
    levels = [_Level(hand_off, d, frozen, gone) for d in _in_order(period)]
    requests, lost, first, last, offset = 0, 0, None, None, 0
    routes: list[Ints] = []
    costs: list[Ints] = []
    for number, batch in enumerate(batches):
        if not len(batch):
            continue
        if progress is not None and number:
            progress(f"following the configuration: {offset:,} requests")
        offset += len(batch)
        first = first if first is not None else int(batch.times[0])
        last = int(batch.times[-1])
        counts = np.maximum(batch.quantities[:, 7], 1)
        requests += int(counts.sum())
        if (counts > 1).any():
            lost += _sums(levels, batch)
            continue
        route = np.full(len(batch), -1, dtype=np.int64)
        cost = np.zeros(len(batch))
        rows = np.arange(len(batch))
        for i, level in enumerate(levels):
            taken, left = level.take(batch, rows)
            route[taken] = i
            cost[taken] = level.cost(batch, taken)
            rows = left
        lost += len(rows)
        routes.append(route)
        costs.append(cost)
    return Prediction(
        period, requests, lost, [level.share() for level in levels],
        np.concatenate(routes) if routes else np.zeros(0, dtype=np.int64),
        np.concatenate(costs) if costs else np.zeros(0),
        (_instant(first), _instant(last)) if first is not None and last is not None else None,
    )  # fmt: skip


def batches_of(log: Any, days: int | None = None) -> Iterable[Batch]:
    """A usage log, or its last `days`, as batches."""
    import polars as pl

    models: dict[tuple[str | None, str], int] = {}
    tiers: dict[str, int] = {}
    for frame in log.batches():
        if days is not None and log.span is not None:
            frame = frame.filter(pl.col("time") > log.span[1] - timedelta(days=days))
        if len(frame):
            yield Batch.of(frame, models, tiers)


def _in_order(period: Period) -> list[Deployment]:
    return sorted(period.deployments, key=lambda d: (d.group != PLAN, d.order))


def _instant(t: int) -> datetime:
    return EPOCH + timedelta(microseconds=t)


class _Level:
    """A deployment at work: its terms, and what the router remembers of it."""

    def __init__(self, hand_off: HandOff, deployment: Deployment, frozen: datetime | None, gone: int) -> None:
        found = tariff(hand_off.catalogue.offer(deployment.offer), frozen=frozen)
        if found is None:
            raise ConfigurationError(f"{deployment.offer} was not in force on {frozen:%Y-%m-%d}")
        self.deployment, self.tariff, self.gone = deployment, found, gone
        self.run = Run(found, unknown="shut")
        self.marks = sorted(thresholds_of([found]))
        self.until = -(2**62)
        self.minute, self.asked = -1, 0
        self.spent = 0.0
        self.window: int | None = None
        self.served = self.refused = 0
        self.refusals: list[tuple[datetime, str]] = []
        self.sums: dict[int, list[int]] = {}

    # -- the router

    def take(self, batch: Batch, rows: Ints) -> tuple[Ints, Ints]:
        """(rows it serves, rows it leaves), each in time order."""
        taken: list[Ints] = []
        left: list[Ints] = []
        longest = self.deployment.longest
        if longest is not None and batch.longest > longest:
            fits = batch.input_each[rows] <= longest
            left.append(rows[~fits])
            rows = rows[fits]
        times = batch.times[rows]
        at, step = 0, FIRST_STEP
        while at < len(rows):
            if times[at] < self.until:
                stop = int(np.searchsorted(times, self.until, side="left"))
                left.append(rows[at:stop])
                at = stop
                continue
            chunk = rows[at : min(at + step, self._window_end(times, at))]
            admitted = self._admitted(batch, chunk)
            part = chunk[admitted]
            served, stop = self._serve(batch, part)
            self._remember(batch, served)
            taken.append(served)
            if stop < len(part):  # it refused that one, and cools down
                place = int(np.flatnonzero(admitted)[stop]) + 1
                chunk, step = chunk[:place], FIRST_STEP
            else:
                step = min(step * 4, LAST_STEP)
            left.append(chunk[~np.isin(chunk, served)])
            at += len(chunk)
        served = np.concatenate(taken) if taken else rows[:0]
        self._count(batch, served)
        return served, np.sort(np.concatenate(left)) if left else rows[:0]

    def _admitted(self, batch: Batch, chunk: Ints) -> Ints:
        """[chunk] whether rpm and budget let a request through, if all before it are served."""
        times, d = batch.times[chunk], self.deployment
        admitted = np.ones(len(chunk), dtype=bool)
        if d.rpm is not None:
            minutes = times // MINUTE
            start = np.searchsorted(minutes, minutes, side="left")
            rank = np.arange(len(chunk)) - start + np.where(minutes == self.minute, self.asked, 0)
            admitted &= rank < d.rpm
        if d.budget is not None:
            cost = np.where(admitted, self.cost(batch, chunk), 0.0)
            before = self.spent + np.cumsum(cost) - cost
            admitted &= before < float(d.budget[0]) * (1 - 1e-12)  # reached is reached, whatever floats say
        return admitted

    def _window_end(self, times: Ints, at: int) -> int:
        """Where, from `at` on, the budget begins anew; the budget is renewed if that is now."""
        if self.deployment.budget is None:
            return len(times)
        size = int(self.deployment.budget[1].removesuffix("d")) * 86_400_000_000
        if self.window is None:
            self.window = int(times[at])
        while times[at] >= self.window + size:
            self.window, self.spent = self.window + size, 0.0
        return int(np.searchsorted(times, self.window + size, side="left"))

    def _serve(self, batch: Batch, part: Ints) -> tuple[Ints, int]:
        """(rows of `part` it serves, how many were dealt with before it refused one and cools down)."""
        if not len(part):
            return part, 0
        if not self.deployment.cooldown:  # every refusal is one request's own affair
            refused = self._add(self.run, batch, part)
            if refused is not None:
                self._note(batch, part[refused > 0])
                return part[refused == 0], len(part)
            return part, len(part)
        trial = _copied(self.run)
        refused = self._add(trial, batch, part)
        if refused is None:
            self.run = trial
            return part, len(part)
        first = int(np.flatnonzero(refused)[0])
        if first:
            self._add(self.run, batch, part[:first])
        before = [r for r, _ in self.run.refused_by]
        self._add(self.run, batch, part[first : first + 1])
        status = self._note(batch, part[first : first + 1], before)
        if status not in UNCOOLED:
            self.until = int(batch.times[part[first]]) + self.deployment.cooldown * 1_000_000
        return part[:first], first

    def _add(self, run: Run, batch: Batch, rows: Ints) -> Ints | None:
        piece = batch.select(rows, np.ascontiguousarray(batch.quantities[rows]))
        served, _ = served_by(run.tariff, batch.models, {})
        return run.add(View(piece, Assumptions(), frozenset(), self.marks), served)

    def _note(self, batch: Batch, rows: Ints, before: list[int] | None = None) -> int:
        """Keep when and why it refused; returns the status that the vendor answers with."""
        self.refused += len(rows)
        status, kind = 429, "unknown"
        if before is not None:
            causes = [
                i for i, (b, (a, _)) in enumerate(zip(before, self.run.refused_by, strict=True)) if a > b
            ]
            limits, allowances = self.run.limits, self.run.allowances
            for i in causes:
                if i < len(limits):
                    kind = limits[i].term.per
                elif i < len(limits) + len(allowances):
                    kind = allowances[i - len(limits)].term.reset
                elif i == len(limits) + len(allowances) + 1:
                    kind, status = "gone", self.gone
        self.refusals += [(_instant(int(t)), kind) for t in batch.times[rows].tolist()]
        return status

    def _remember(self, batch: Batch, rows: Ints) -> None:
        if not len(rows):
            return
        minute = int(batch.times[rows[-1]]) // MINUTE
        count = int((batch.times[rows] // MINUTE == minute).sum())
        self.asked = self.asked + count if minute == self.minute else count
        self.minute = minute
        if self.deployment.budget is not None:
            self.spent += float(self.cost(batch, rows).sum())

    # -- money

    def cost(self, batch: Batch, rows: Ints) -> Ints:
        """[rows] what the proxy says each costs, USD."""
        quantities = batch.quantities[rows][:, COLUMNS].astype(float)
        out = np.zeros(len(rows))
        codes = self._codes(batch, rows)
        for code in np.unique(codes).tolist():
            table = np.array([float(p) for p in self._table(code).values()])
            out[codes == code] = quantities[codes == code] @ table
        return out

    def _codes(self, batch: Batch, rows: Ints) -> Ints:
        """[rows] which prices hold: 0 plain, k the k-th above an input length, −1 within the hours."""
        p: Priced = self.deployment.prices
        codes = np.zeros(len(rows), dtype=np.int64)
        if p.above:
            tokens = batch.quantities[rows, :4].sum(axis=1)
            codes = np.searchsorted(np.array([size for size, _ in p.above]), tokens, side="left")
        for h in p.hours:
            minute = batch.times[rows] // MINUTE % 1440
            on = np.isin(batch.local(h.zone)[0][rows], h.weekdays)
            inside = (minute >= h.start) & (minute < h.end) if h.start < h.end else \
                (minute >= h.start) | (minute < h.end)  # fmt: skip
            codes[on & inside] = -1
        return codes

    def _table(self, code: int) -> Mapping[str, Fraction]:
        p = self.deployment.prices
        found = p.within if code < 0 else p.above[code - 1][1] if code else p.plain
        assert found is not None
        return found

    def _count(self, batch: Batch, rows: Ints) -> None:
        self.served += len(rows)
        codes = self._codes(batch, rows)
        for code in np.unique(codes).tolist():
            sums = batch.quantities[rows[codes == code]].sum(axis=0)
            self._add_sums(code, sums)

    def _add_sums(self, code: int, sums: Ints) -> None:
        kept = self.sums.setdefault(code, [0] * len(METERS))
        for m, q in enumerate(sums.tolist()):
            kept[m] += int(q)

    def share(self) -> Share:
        spend = Fraction(0)
        for code, sums in self.sums.items():
            for meter, price in self._table(code).items():
                spend += sums[METERS.index(meter)] * price
        bill = self.run.bill().total * self.deployment.usd if self.run.requests else Fraction(0)
        whole = [sum(column) for column in zip(*self.sums.values(), strict=True)] or [0] * len(METERS)
        return Share(self.deployment, self.served, self.refused, spend, bill, self.refusals, whole)


def _copied(run: Run) -> Run:
    """The same run, to be tried: terms and prices are shared, what has been used is not."""
    shared: list[Any] = [run.tariff, run.prices, *run.limits, *run.allowances, *run.uncounted, *run.unchecked]
    return copy.deepcopy(run, {id(part): part for part in shared})


def _sums(levels: list[_Level], batch: Batch) -> int:
    """A batch of sums: the desk's limits alone part the work; returns the requests nobody serves."""
    for level in levels:
        rows = np.arange(len(batch))
        refused = level._add(level.run, batch, rows)
        whole = np.maximum(batch.quantities[:, 7], 1)
        lost = refused if refused is not None else np.zeros(len(batch), dtype=np.int64)
        kept = batch.quantities * (whole - lost)[:, None] // whole[:, None]
        codes = level._codes(batch, rows)
        for code in np.unique(codes).tolist():
            level._add_sums(code, kept[codes == code].sum(axis=0))
        level.served += int((whole - lost).sum())
        level.refused += int(lost.sum())
        if not lost.any():
            return 0
        some = np.flatnonzero(lost)
        batch = batch.select(some, np.ascontiguousarray((batch.quantities - kept)[some]))
    return int(np.maximum(batch.quantities[:, 7], 1).sum())
