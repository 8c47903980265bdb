"""The desk: one log billed on many offers, compared by what it costs to serve all of the work.

A refused request is unserved, never saved money. It goes to the next offer of the overflow chain, and what
the chain leaves goes back to where the log shows it was served, at list price ("as logged"), so that every
offer is ranked by the cost of the same work. An offer's bill is exact for requests of the model it serves;
for others it is an interval between stated assumptions. What nobody has published widens the interval; the
middle then counts on nothing that is unpublished.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from pricewar.billing import cells, kernel, remarks
from pricewar.billing.as_logged import AsLogged
from pricewar.billing.batch import Assumptions, Batch, Ints, View
from pricewar.billing.bill import Bill, Term
from pricewar.billing.run import Run, served_by
from pricewar.billing.tariff import (
    Between,
    ServedBy,
    Tariff,
    boundaries,
    edges_of,
    tariff,
    thresholds_of,
)
from pricewar.errors import ConfigurationError, DataError
from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.offers.schema import CurrencyRate
from pricewar.units import METERS

if TYPE_CHECKING:
    import polars as pl

    from pricewar.usage.log import Log

Corner = Literal["low", "mid", "high"]
CORNERS: tuple[Corner, ...] = ("low", "mid", "high")
AS_LOGGED = "as-logged"
HELD_BATCH, READ_BATCH = 1_000_000, 500_000
NOWHERE = "none"

DEFAULT_ASSUMPTIONS: dict[Corner, Assumptions] = {
    "low": Assumptions(Fraction("0.9"), Fraction("0.7")),
    "mid": Assumptions(),
    "high": Assumptions(Fraction("1.15"), Fraction("1.4"), keep_cache=False),
}
"""Assumed, not measured, for a model other than the one logged: tokenisers of current models differ by about
a tenth on English prose, more on code and Chinese; answers of one model to the same prompts run from 0.7 to
1.4 times another's; a prompt cache may not carry over at all. Every one can be set."""


@dataclass(frozen=True)
class Interval:
    """A figure between two assumptions, and the one that can be counted on. None: unknown."""

    low: Fraction | None
    mid: Fraction | None
    high: Fraction | None


@dataclass
class Entry:
    """One offer's answer. Amounts are in the comparison's currency, except in `bill`.

    Attributes:
        exact: every request was for the model that the offer serves, and nothing is unpublished.
        own: what the offer itself charges.
        overflow: what it costs to serve elsewhere what it refused; None where no price is known.
        total: both together: the cost of serving all the work.
        headline: what the advertised price alone would come to.
        served: share of the requests that the offer itself serves.
        chain: where refused requests go, in order.
        bill: the offer's own bill (counted on), in its own currency.
    """

    offer: Offer
    tariff: Tariff
    exact: bool
    own: Interval
    overflow: Interval
    total: Interval
    headline: Fraction | None
    served: Interval
    bill: Bill
    exchange: tuple[Fraction, CurrencyRate | None]
    warnings: list[Term]
    announced: list[Term]
    chain: tuple[str, ...]
    moved: dict[str, int] = field(default_factory=dict)


@dataclass
class ModelUse:
    """What the log shows of one model: requests, tokens by meter, and its price as logged."""

    vendor: str | None
    model: str
    requests: int
    quantities: list[int]
    offer: Offer | None
    total: Fraction | None


@dataclass
class Comparison:
    """One log on many offers.

    Attributes:
        entries: ranked by `total.mid`, offers whose total is unknown last.
        baseline: cost as logged at list price; None when some model has none that is known.
        requests_counted: whether the log counts requests; if not, `requests` counts tokens.
        left_out: rows that were for models not asked for.
    """

    catalogue: Catalogue
    currency: str
    frozen: datetime | None
    assumed: dict[Corner, Assumptions]
    overflow_to: tuple[str, ...]
    entries: list[Entry]
    models: list[ModelUse]
    days: list[tuple[date, int, int]]
    requests: int
    tokens: int
    baseline: Fraction | None
    not_billed: list[tuple[str, Term]]
    requests_counted: bool = True
    left_out: int = 0

    def per_million(self, amount: Fraction | None) -> Fraction | None:
        """An amount per million tokens of the log; None where either is unknown."""
        return amount / self.tokens * 10**6 if amount is not None and self.tokens else None


class _Plan:
    """One offer under way: a run for each corner, its overflow, and what was refused."""

    def __init__(self, offer: Offer, found: Tariff, chain: Sequence[Tariff], log: Log) -> None:
        bucket, counted = log.bucket_seconds, "requests" not in log.unknown
        self.offer, self.tariff = offer, found
        self.exact = True
        self.runs: dict[Corner, Run] = {}
        for corner in CORNERS:
            self.runs[corner] = Run(
                found,
                unknown="open" if corner == "low" else "shut",
                bucket_seconds=bucket,
                requests_counted=counted,
            )
        self.uncertain = bool(found.unknowns or self.runs["mid"].uncounted)
        self.chains = {
            c: [Run(t, unknown="shut", bucket_seconds=bucket, requests_counted=counted) for t in chain]
            for c in CORNERS
        }
        self.rest: dict[Corner, Fraction] = dict.fromkeys(CORNERS, Fraction(0))
        self.unpriced: dict[Corner, int] = dict.fromkeys(CORNERS, 0)
        self.unserved: dict[Corner, int] = dict.fromkeys(CORNERS, 0)
        self._serves: dict[int, tuple[Ints, frozenset[int]]] = {}

    def serves(
        self, models: Sequence[tuple[str | None, str]], names: dict[int, str]
    ) -> tuple[Ints, frozenset[int]]:
        """`served_by`, which changes only when a batch brings new models."""
        if len(models) not in self._serves:
            self._serves = {len(models): served_by(self.tariff, models, names)}
        return self._serves[len(models)]


class _Piece:
    """A batch of the log under way: its views, and what the log says its rows cost."""

    def __init__(
        self, batch: Batch, as_logged: AsLogged, assumed: dict[Corner, Assumptions], marks: list[int],
        nowhere: bool,
    ) -> None:  # fmt: skip
        self.batch, self.as_logged, self.assumed = batch, as_logged, assumed
        self.marks, self.nowhere = marks, nowhere
        self.base = View(batch, Assumptions(), frozenset(), marks)
        self.present = frozenset(self.base.cell_model.tolist())
        self.views: dict[tuple[Assumptions, frozenset[int]], View] = {}
        self._groups, self._code, self.rates = as_logged.groups(self.base)
        self.sums = np.zeros((len(self.rates), len(METERS)), dtype=np.int64)
        if self._code is None:
            np.add.at(self.sums, self._groups, self.base.cell_sums)
        else:
            kernel.sum_by_code(self._code, batch.quantities, self.sums)
        self.requests = int(self.base.cell_sums[:, 7].sum())

    def view(self, corner: Corner, same: frozenset[int]) -> View:
        """The rows as an offer counts them that has the models `same`."""
        if self.assumed[corner].neutral or self.present <= same:
            return self.base
        key = (self.assumed[corner], same & self.present)
        if key not in self.views:
            self.views[key] = View(self.batch, self.assumed[corner], same, self.marks)
        return self.views[key]

    def bill(self, plan: _Plan) -> None:
        """Add the rows to an offer's runs; what it and its chain refuse is served as logged."""
        served, same = plan.serves(self.batch.models, self.as_logged.names)
        plan.exact &= self.present <= same
        for corner in CORNERS:
            refused = plan.runs[corner].add(self.view(corner, same), served, same)
            if refused is None:
                continue
            refused = _overflow(
                plan, corner, self.batch, refused, self.assumed[corner], self.marks, self.as_logged
            )
            if refused is None:
                continue
            if self.nowhere:
                plan.unserved[corner] += int(refused.sum())
                continue
            amounts, unknown = self.as_logged.cost(self._of(refused), self.rates)
            plan.rest[corner] += sum(amounts.values(), Fraction(0))
            plan.unpriced[corner] += unknown

    def _of(self, refused: Ints) -> Ints:
        """[groups] what the refused requests took; refused[N]."""
        if int(refused.sum()) == self.requests:
            return self.sums
        if self._code is None:
            self._code = self._groups[self.base.cell]
        out = np.zeros_like(self.sums)
        kernel.sum_part_by_code(self._code, self.batch.quantities, refused, out)
        return out


def compare(
    log: Log,
    catalogue: Catalogue,
    offers: Iterable[Offer],
    *,
    currency: str = "USD",
    frozen: datetime | None = None,
    assumed: dict[Corner, Assumptions] | None = None,
    overflow_to: Sequence[str] = (),
    refusal_cost: Fraction | None = None,
    only: Sequence[str] = (),
    batch_rows: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Bill `log` on each of `offers` and rank them by the cost of serving all the work.

    Args:
        frozen: bill every request on the terms in force at this instant; None: on those of its own day.
        assumed: how other models count the same work, at the low, middle and high end.
        overflow_to: offers that take, in order, what an offer refuses; what they leave is served as
            logged. `none` at the end leaves it unserved.
        refusal_cost: what an unserved request costs the team, in `currency`.
        only: bill only requests for these models (`model` or `vendor/model`, with * and ?).
        batch_rows: rows billed at once; None: fewer where the log is too large to be held.
        progress: called with rows done and rows in all.

    Raises:
        ConfigurationError: an overflow offer is unknown, or not in force.
        FactError: no exchange rate is known for a currency.
        DataError: tokens beyond what can be counted.
    """
    from pricewar.usage.table import models_like

    assumed = assumed or DEFAULT_ASSUMPTIONS
    day = (frozen or (log.span[1] if log.span else datetime.now(UTC))).date()
    as_logged = AsLogged(catalogue, frozen, currency, day)
    names = [name for name in overflow_to if name not in (AS_LOGGED, NOWHERE)]
    chain: list[Tariff] = []
    for name in names:
        found = tariff(catalogue.offer(name), frozen=frozen, span=log.span)
        if found is None:
            raise ConfigurationError(f"“{name}” was not in force on {day}", where="--overflow-to")
        chain.append(found)
    nowhere = NOWHERE in overflow_to or refusal_cost is not None
    plans: list[_Plan] = []
    not_billed: list[tuple[str, Term]] = []
    for offer in offers:
        why, found = _billable(offer, frozen, log)
        if found is None:
            not_billed.append((offer.id, why))
            continue
        own_chain = [t for t in chain if t.offer.id != offer.id]
        if not overflow_to and found.record.overflow_to in catalogue.offers:
            then = tariff(catalogue.offer(found.record.overflow_to), frozen=frozen, span=log.span)
            own_chain = [then] if then is not None else []
        plans.append(_Plan(offer, found, own_chain, log))
    tariffs = [p.tariff for p in plans]
    thresholds = thresholds_of([*tariffs, *chain])
    edges = edges_of(tariffs)
    zones = {run.months for p in plans for run in p.runs.values() if run.months is not None}
    models: dict[tuple[str | None, str], int] = {}
    tiers: dict[str, int] = {"standard": 0}
    uses: dict[int, list[int]] = {}
    as_logged_total: dict[int, Fraction] = {}
    days: dict[int, list[int]] = {}
    done = 0
    counted = "requests" not in log.unknown
    left_out = 0
    for frame in log.batches(batch_rows or (HELD_BATCH if log.in_memory else READ_BATCH)):
        if only:
            left_out += len(frame)
            frame = models_like(frame, only)
            left_out -= len(frame)
        batch = Batch.of(frame if counted else _by_token(frame), models, tiers)
        if not len(batch):
            continue
        thresholds |= as_logged.learn(batch.models)
        batch.cut(as_logged.edges | edges | _month_edges(zones, batch))
        piece = _Piece(batch, as_logged, assumed, sorted(thresholds), nowhere)
        amounts, _ = as_logged.cost(piece.sums, piece.rates)
        for i, amount in amounts.items():
            as_logged_total[i] = as_logged_total.get(i, Fraction(0)) + amount
        _describe(piece.base, uses, days)
        # The compiled passes hold no lock; each offer's sums are its own, so the order does not matter.
        with ThreadPoolExecutor(min(len(plans) // 2, os.cpu_count() or 1) or 1) as threads:
            for at, _ in enumerate(threads.map(piece.bill, plans)):
                if progress is not None:
                    progress(done * len(plans) + len(batch) * (at + 1), max(log.rows, 1) * len(plans))
        done += len(batch)
    tokens = sum(sum(q[:6]) for q in uses.values())
    found_models = [
        ModelUse(*pair, uses[i][7], uses[i], as_logged.offers.get(i), as_logged_total.get(i))
        for pair, i in models.items()
        if i in uses
    ]
    complete = all(use.total is not None for use in found_models)
    comparison = Comparison(
        catalogue,
        currency,
        frozen,
        assumed,
        (*names, NOWHERE if nowhere else AS_LOGGED),
        [],
        found_models,
        [(date.fromordinal(719163 + d), r, t) for d, (r, t) in sorted(days.items())],
        sum(use.requests for use in found_models),
        tokens,
        sum((u.total for u in found_models if u.total is not None), Fraction(0)) if complete else None,
        not_billed,
        counted,
        left_out,
    )
    for plan in plans:
        entry = _entry(plan, comparison, day, refusal_cost)
        if "output" in entry.bill.unpriced:  # an embedding model, say, cannot do this work
            not_billed.append((plan.offer.id, Term("no_output_price", {}, "names no price for output")))
        else:
            comparison.entries.append(entry)
    comparison.entries.sort(
        key=lambda e: (e.total.mid is None, e.total.mid or 0, e.total.high or 0, e.offer.id)
    )
    return comparison


def _by_token(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows without a count of requests, divisible by the token."""
    import polars as pl

    return frame.with_columns(requests=pl.sum_horizontal(METERS[:6]).clip(lower_bound=1).cast(pl.Int64))


def _month_edges(zones: Iterable[str], batch: Batch) -> set[int]:
    """Where months begin on the clocks of bills by the month."""
    span = int(batch.times[0]), int(batch.times[-1])
    return {e for zone in zones for e in boundaries("month", zone, *span) if span[0] < e <= span[1]}


def _billable(offer: Offer, frozen: datetime | None, log: Log) -> tuple[Term, Tariff | None]:
    """The tariff, or why the offer cannot be billed for this log."""
    found = tariff(offer, frozen=frozen, span=log.span)
    if found is None:
        return Term("not_in_force", {}, f"not in force on {frozen:%Y-%m-%d}"), None
    if frozen is None and log.span is not None:
        from pricewar.billing.tariff import microseconds

        first, last = microseconds(log.span[0]), microseconds(log.span[1])
        if all(end <= first or start > last for start, end in found.available):
            return Term("not_in_force", {}, "not in force while the log was made"), None
    if not found.rules and not found.allowances and found.charges.commitment is None:
        return Term("no_paid_rate", {}, "no price is known"), None
    return Term("", {}, ""), found


def _overflow(
    plan: _Plan, corner: Corner, batch: Batch, refused: Ints, assumed: Assumptions, marks: list[int],
    as_logged: AsLogged,
) -> Ints | None:  # fmt: skip
    """Pass refused requests down the chain; returns what it leaves, as [N] requests of the batch."""
    for run in plan.chains[corner]:
        rows = np.flatnonzero(refused)
        if not len(rows):
            return None
        whole = np.maximum(batch.quantities[rows, 7], 1)
        part = batch.quantities[rows].copy()
        partly = refused[rows] < whole
        for r in np.flatnonzero(partly).tolist():
            kept = int(whole[r] - refused[rows[r]])
            part[r] -= np.array([int(q) * kept // int(whole[r]) for q in part[r]], dtype=np.int64)
        piece = batch.select(rows, part)
        served, same = served_by(run.tariff, batch.models, as_logged.names)
        left = run.add(View(piece, assumed, same, marks), served, same)
        if left is None:
            return None
        refused = np.zeros(len(batch), dtype=np.int64)
        refused[rows] = left
    return refused


def _describe(view: View, uses: dict[int, list[int]], days: dict[int, list[int]]) -> None:
    """Add a batch to the log's own figures: quantities by model, requests and tokens by UTC day."""
    for model, row in zip(view.cell_model.tolist(), view.cell_sums.tolist(), strict=True):
        kept = uses.setdefault(model, [0] * len(METERS))
        for m, quantity in enumerate(row):
            kept[m] += quantity
    times = view.batch.times
    first, last = int(times[0]) // kernel.DAY, int(times[-1]) // kernel.DAY
    starts = np.searchsorted(times, np.arange(first, last + 2, dtype=np.int64) * kernel.DAY)
    sums = np.zeros((last - first + 1, len(METERS)), dtype=np.int64)
    cells.segment_sums(starts, view.batch.quantities, sums)
    for offset, row in enumerate(sums.tolist()):
        if any(row):
            kept = days.setdefault(first + offset, [0, 0])
            kept[0] += row[7]
            kept[1] += sum(row[:6])


def _entry(plan: _Plan, comparison: Comparison, day: date, refusal_cost: Fraction | None) -> Entry:
    rate, record = comparison.catalogue.exchange(plan.tariff.record.currency, comparison.currency, day)
    own: dict[Corner, Fraction] = {}
    over: dict[Corner, Fraction | None] = {}
    served: dict[Corner, Fraction] = {}
    bills: dict[Corner, Bill] = {}
    moved: dict[str, int] = {}
    for corner in CORNERS:
        bill = plan.runs[corner].bill()
        bills[corner] = bill
        own[corner] = bill.total * rate
        elsewhere: Fraction | None = Fraction(0)
        for run in plan.chains[corner]:
            if run.first is not None:
                then = run.bill()
                to, _ = comparison.catalogue.exchange(run.tariff.record.currency, comparison.currency, day)
                elsewhere += then.total * to
                if corner == "mid":
                    moved[run.tariff.offer.id] = then.served
        elsewhere += plan.rest[corner]
        if plan.unserved[corner]:
            elsewhere = elsewhere + plan.unserved[corner] * refusal_cost if refusal_cost is not None else None
        if plan.unpriced[corner]:
            elsewhere = None
        over[corner] = elsewhere
        served[corner] = Fraction(bill.served, bill.requests) if bill.requests else Fraction(0)
    total: dict[Corner, Fraction | None] = {
        c: own[c] + o if (o := over[c]) is not None else None for c in CORNERS
    }
    return Entry(
        plan.offer,
        plan.tariff,
        plan.exact and not plan.uncertain,
        Interval(*_spread(own)),
        Interval(*_spread(over)),
        Interval(*_spread(total)),
        _headline(plan, comparison, rate),
        Interval(*_spread(served)),
        bills["mid"],
        (rate, record),
        remarks.warnings(plan.tariff, plan.runs["mid"], exact=plan.exact),
        remarks.announced(plan.offer, comparison.catalogue),
        (*(run.tariff.offer.id for run in plan.chains["mid"]), comparison.overflow_to[-1]),
        moved,
    )


def _spread(figures: dict[Corner, Fraction] | dict[Corner, Fraction | None]) -> tuple[Fraction | None, ...]:
    """Least, middle, most: where allowances cut in, more tokens need not cost more."""
    known = [f for f in figures.values() if f is not None]
    if len(known) < len(figures):
        return (min(known) if known else None, figures["mid"], None)
    return min(known), figures["mid"], max(known)


def _headline(plan: _Plan, comparison: Comparison, rate: Fraction) -> Fraction | None:
    """What the advertised price comes to for the log's tokens: no allowance, limit, tier, hour or fee."""
    packs = [a.term for a in plan.tariff.allowances if a.term.price and isinstance(a.term.amount, Fraction)]
    if packs and plan.tariff.record.kind == "pack":
        best = min(p.price / p.amount for p in packs if isinstance(p.amount, Fraction))
        return best * comparison.tokens * rate
    if plan.tariff.record.kind in ("free", "grant") and plan.tariff.allowances:
        return Fraction(0)
    run = plan.runs["mid"]
    last = run.last
    default = plan.offer.positions.get(plan.tariff.model.name, 0)
    plain = frozenset(
        a
        for a in plan.tariff.atoms
        if (isinstance(a, Between) and last is not None and a.start <= last < a.end)
        or (isinstance(a, ServedBy) and default in a.models)
    )
    prices = plan.tariff.resolve(plain)
    if not prices:
        return None
    sums = [sum(use.quantities[m] for use in comparison.models) for m in range(len(METERS))]
    due = sum((q * prices[m].amount for m, q in zip(METERS, sums, strict=True) if m in prices), Fraction(0))
    return due * rate


__all__ = ["AS_LOGGED", "NOWHERE", "Comparison", "DataError", "Entry", "Interval", "compare"]
