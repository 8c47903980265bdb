"""The team's real work, small enough to be billed thousands of times: what a month costs, as a surface.

Offers whose price needs no memory are linear in the load: their exact bill of the whole log is the surface.
Where limits or allowances remember, and the log is long, it is either merged, by the shortest window that
matters (a second, a minute, a quarter of an hour) and by what the offer tells apart, or cut to whole days at
even steps: whichever comes nearer to the exact bill. It then passes through the very code that bills, at a
grid of terms.

The load s multiplies the requests of every moment; allowance a and limit l multiply the amounts of the terms.
Billing is homogeneous: s times the work under terms (a, l) costs s times the logged work under (a/s, l/s).
Two numbers suffice, A = a/s and L = l/s; cost and refusals are interpolated linearly between grid points,
since a window admits min(L · limit, demand), which summed over windows is concave and piecewise linear.
Below 1 the requests are multiplied instead of the terms divided, so that no request is cut in two. One-off
gifts and packs last longer than a log: they are measured without an end, and counted month by month.

Each `Response` holds its difference to the exact bill of the full log, and that of the interpolation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.advice import kernel
from pricewar.billing.batch import Assumptions, Batch, View
from pricewar.billing.desk import DEFAULT_ASSUMPTIONS, Comparison, Corner, Entry, compare
from pricewar.billing.run import ENDLESS, Run, served_by
from pricewar.billing.tariff import Above, Period, Tariff, Weekly, length
from pricewar.errors import DataError
from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.offers.schema import Allowance, Limit
from pricewar.units import METERS, UNKNOWN

if TYPE_CHECKING:
    from pricewar.usage.log import Log

MONTH_DAYS = 365.25 / 12
SHORT_DAYS = 7
SHORT_SPREAD = 0.5
"""Assumed spread of daily volume where a log is too short to show its week: weekends may halve it."""
ROWS = 150_000
HELD_ROWS = 2_000_000
DAY = 86_400_000_000
LONGER = ("week", "month")
APART = ("fixed", "minimum", "commitment", "platform_fee")
STEPS = (
    (1, 8), (1, 6), (1, 4), (1, 3), (1, 2), (1, 1), (2, 1), (3, 1), (4, 1), (6, 1), (8, 1), (12, 1), (16, 1),
    (24, 1), (32, 1), (48, 1), (64, 1), (96, 1), (128, 1), (192, 1), (256, 1),
)  # fmt: skip
"""Requests × p against terms × q. One of them is 1: multiplying both would soften what is indivisible."""
FEW = {(1, 4), (1, 2), (1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (32, 1), (64, 1), (128, 1), (256, 1)}


@dataclass(frozen=True)
class Response:
    """What one offer answers to a month of work at present prices, in the team's currency.

    Attributes:
        limits, allowances: grids of L and A, ascending; one point where the offer has none.
        pay, refused: [2, A, L] money for each unit of load, and share refused; without and with its gift.
        money: whether its allowances are money, which a price rise shrinks.
        gift: share of the one-off gift used in a month at load 1, months until it expires, fee on joining.
        gift_money: whether the gift is money.
        flat: minimum a month, fixed a month, platform fee share, least spend committed a month, packs used
            in a month at load 1, fewest packs a month, price of a pack.
        committed: months of a commitment, and what each costs if left early.
        served: share of requests served today.
        paid: whether it has rates above zero, so that it can go on when gifts or promotions end.
        rows: rows of the merged log that were billed; 0 where the exact bill was enough.
        merged, between: error of the compression against the full log and of the interpolation: (cost as a
            share of the bill, share of requests refused).
    """

    offer: str
    limits: tuple[float, ...]
    allowances: tuple[float, ...]
    pay: np.ndarray
    refused: np.ndarray
    money: bool = False
    gift: tuple[float, float, float] | None = None
    gift_money: bool = False
    flat: tuple[float, ...] = (0.0,) * 7
    committed: tuple[int, float] = (0, 0.0)
    served: float = 1.0
    paid: bool = True
    rows: int = 0
    merged: tuple[float, float] = (0.0, 0.0)
    between: tuple[float, float] = (0.0, 0.0)


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
    _held: _Held | None = field(default=None, repr=False)
    _assumed: dict[str, Assumptions] = field(default_factory=dict, repr=False)

    def response(self, offer: str, loads: tuple[float, float], terms: Terms) -> Response:
        """The surface of one offer, for loads and terms within ranges.

        Args:
            loads: least and most load, as multiples of the logged month.
            terms: ranges of the factors on limits and allowances.
        """
        return _Surface(self, self.entries[offer], loads, terms).response

    def held(self) -> _Held:
        """The rows as arrays, read once."""
        if self._held is None:
            assert self._log is not None
            self._held = _Held(self._log, self.comparison)
        return self._held


@dataclass(frozen=True)
class Terms:
    """Ranges (least above zero, most) of the factors on limits and allowances."""

    limit: tuple[float, float] = (1.0, 1.0)
    allowance: tuple[float, float] = (1.0, 1.0)
    price: tuple[float, float] = (1.0, 1.0)


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
    notes = []
    spread = _spread(volumes)
    short = days < SHORT_DAYS
    if short:
        notes.append(
            f"the log covers {days:.1f} days: too short to show a week. A month is taken to be {factor:.1f} "
            f"times what was logged, give or take {spread:.0%}"
        )
    if "requests" in log.unknown:
        notes.append("the log does not count requests: limits on them, and cost per refused request, fail")
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
    if len(volumes) < 2 and elapsed < 0.5:
        raise DataError(
            f"the log spans {elapsed * 24:.1f} hours, which say nothing of a month",
            remedy="give a day at least, better four weeks",
        )
    if len(volumes) < 4:
        return max(elapsed, 1.0)
    whole = (log.span[1].date() - log.span[0].date()).days + 1
    usual = float(np.median(volumes[1:-1])) or 1.0
    return whole - 2 + min(1.0, volumes[0] / usual) + min(1.0, volumes[-1] / usual)


def _spread(volumes: Sequence[int]) -> float:
    """Standard error of the mean daily volume, as a share; the cycle of the week is not error."""
    inner = np.asarray(volumes[1:-1] if len(volumes) > 3 else volumes, dtype=float)
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


class _Held:
    """The log's rows, or whole days of it at even steps where it is too long, and merged forms of them."""

    def __init__(self, log: Log, comparison: Comparison) -> None:
        import polars as pl

        self.models: dict[tuple[str | None, str], int] = {}
        self.tiers: dict[str, int] = {"standard": 0}
        self.step = 1
        while log.rows / self.step > HELD_ROWS:
            self.step += 1 if (self.step + 1) % 7 else 2
        first = comparison.days[0][0] if comparison.days else date(1970, 1, 1)
        parts = []
        for frame in log.batches():
            if "requests" in log.unknown:
                frame = frame.with_columns(
                    requests=pl.sum_horizontal(METERS[:6]).clip(lower_bound=1).cast(pl.Int64)
                )
            if self.step > 1:
                frame = frame.filter((pl.col("time").dt.date() - first).dt.total_days() % self.step == 0)
            if len(frame):
                parts.append(Batch.of(frame, self.models, self.tiers))
        self.bucket = log.bucket_seconds
        self.counted = "requests" not in log.unknown
        self.first_day = (first - date(1970, 1, 1)).days
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
        self, found: Tariff, served: np.ndarray, same: frozenset[int], bucket: int
    ) -> tuple[Batch, float]:
        """Rows merged by `bucket` microseconds (0: as they are) where the tariff tells no difference.

        Returns the rows, and the share of days that they are.
        """
        pairs = list(self.models)
        kinds = np.array([int(served[i]) * 2 + (i in same) for i in range(len(pairs))])
        _, classes = np.unique(kinds, return_inverse=True)
        marks = sorted({m.longest_input for m in found.offer.models if m.longest_input})
        key = (bucket, tuple(classes.tolist()), tuple(marks))
        if key not in self._merged:
            self._merged[key] = self._make(classes, marks, bucket)
        batch, share = self._merged[key]
        return batch, share / self.step

    def _make(self, classes: np.ndarray, marks: Sequence[int], bucket: int) -> tuple[Batch, float]:
        pairs, tiers = list(self.models), list(self.tiers)
        times, quantities = self.times, self.quantities
        model, tier = self.model, self.tier
        if bucket:
            each = quantities[:, :4].sum(axis=1) // np.maximum(quantities[:, 7], 1)
            size = np.searchsorted(np.asarray(marks, dtype=np.int64), each, side="left")
            code = (classes[model] * len(tiers) + tier) * (len(marks) + 1) + size
            codes = (int(classes.max()) + 1) * len(tiers) * (len(marks) + 1)
            q = quantities
            if (q[:, 7] < 1).any():
                q = q.copy()
                q[:, 7] = np.maximum(q[:, 7], 1)
            out_t, out_q, out_c = np.empty_like(times), np.empty_like(q), np.empty_like(code)
            n = kernel.merge(times, q, code, bucket, codes, out_t, out_q, out_c)
            times, quantities = out_t[:n].copy(), out_q[:n].copy()
            rest = out_c[:n] // (len(marks) + 1)
            chosen = np.array([int(np.flatnonzero(classes == c)[0]) for c in range(int(classes.max()) + 1)])
            model, tier = chosen[rest // len(tiers)], rest % len(tiers)
        share = 1.0
        if len(times) > ROWS:
            every = -(-len(times) // ROWS)
            every += every % 7 == 0
            kept = (times // DAY - self.first_day) // self.step % every == 0
            if kept.any() and not kept.all():
                share = float(quantities[kept, 7].sum() / quantities[:, 7].sum())
                times, quantities, model, tier = times[kept], quantities[kept], model[kept], tier[kept]
        return Batch(times, quantities, model, pairs, tier, tiers), share


# --- surfaces ---------------------------------------------------------------------------------------------


class _Surface:
    """One offer billed at a grid of terms."""

    def __init__(self, work: Workload, entry: Entry, loads: tuple[float, float], terms: Terms) -> None:
        self.work, self.entry, self.tariff = work, entry, entry.tariff
        self.rate = float(entry.exchange[0])
        run = Run(self.tariff, unknown="shut")
        self.lasting = [p for p in run.allowances if p.term.reset == "none"]
        self.gifts = [p for p in self.lasting if not _pack(p.term)]
        self.packs = [p for p in self.lasting if _pack(p.term)]
        self.recurring = [p for p in run.allowances if p.term.reset != "none"]
        self.limited = any(p.term.per != "request" for p in run.limits)
        if not run.stateful and not run.shut:
            self.response = self._exact()
        elif entry.served.mid == 0:
            self.response = self._nothing()
        else:
            self.response = self._grid(loads, terms)

    # -- parts of the bill that do not follow the load

    def _flat(self) -> dict[str, Any]:
        charges, rate = self.tariff.charges, self.rate
        owed = charges.commitment
        fixed = sum((float(f.amount) for f in charges.fixed if f.per == "month"), 0.0) * rate
        spend, committed = 0.0, (0, 0.0)
        if owed is not None:
            hours = MONTH_DAYS * 24 if owed.per == "hour" else 1.0
            monthly = float(owed.amount * owed.units) * hours * rate
            months = length(owed.term)
            term = months[1] or max(round(months[0] / DAY / MONTH_DAYS), 1)
            committed = (term, monthly)
            if owed.buys == "capacity":
                fixed += monthly
            else:
                spend = monthly
        minimum = charges.minimum
        fee = float(charges.platform_fee.percent) / 100 if charges.platform_fee is not None else 0.0
        return {
            "flat": (float(minimum.amount) * rate if minimum else 0.0, fixed, fee, spend, 0.0, 0.0, 0.0),
            "committed": committed,
            "paid": any(price > 0 for rule in self.tariff.rules for _, price in rule.prices)
            or owed is not None,
        }

    def _variable(self, run: Run) -> float:
        """What the run charges for use alone, in the team's currency."""
        lines = [x for x in run.bill().lines if x.rule.key not in APART]
        return float(sum((x.amount for x in lines), Fraction(0))) * self.rate

    def _exact(self) -> Response:
        bill = self.entry.bill
        use = float(sum((x.amount for x in bill.lines if x.rule.key not in APART), Fraction(0))) * self.rate
        share = 1 - bill.served / bill.requests
        return Response(
            self.entry.offer.id,
            (1.0,),
            (1.0,),
            np.full((2, 1, 1), use * self.work.factor),
            np.full((2, 1, 1), share),
            served=1 - share,
            **self._flat(),
        )

    def _nothing(self) -> Response:
        return Response(
            self.entry.offer.id,
            (1.0,),
            (1.0,),
            np.zeros((2, 1, 1)),
            np.ones((2, 1, 1)),
            served=0.0,
            **self._flat(),
        )

    # -- the grid

    def _grid(self, loads: tuple[float, float], terms: Terms) -> Response:
        held = self.work.held()
        served, same = served_by(self.tariff, list(held.models), held.names)
        assumed = self.work._assumed[self.entry.offer.id]
        self.cliffs = any(isinstance(a, Above) for a in self.tariff.atoms)
        self.served, self.same, self.assumed, self.held = served, same, assumed, held
        self._compress(self._bucket())
        both = self.limited and bool(self.recurring)
        top = loads[1] * (terms.price[1] if self._in_money() else 1.0)
        low = loads[0] * (terms.price[0] if self._in_money() else 1.0)
        l_steps = _steps(loads, terms.limit, both) if self.limited else [(1, 1)]
        a_steps = _steps((low, top), terms.allowance, both) if self.recurring else [(1, 1)]
        limits = [q / p for p, q in l_steps]
        allowances = [0.0, *(q / p for p, q in a_steps)] if self.recurring else [1.0]
        shape = (2, len(allowances), len(limits))
        pay, refused = np.zeros(shape), np.zeros(shape)
        rejects = any(p.term.used_up == "reject" for p in self.gifts)
        for j, (p, q) in enumerate(l_steps):
            for i, a in enumerate(allowances):
                step = (p, q) if self.limited or not self.recurring or i == 0 else a_steps[i - 1]
                at = (step[0], Fraction(step[1]), self._amount(a, step))
                if rejects:
                    refused[0, i, j] = 1.0
                else:
                    pay[0, i, j], refused[0, i, j] = self._bill(*at, "none")[:2]
                if self.gifts:
                    pay[1, i, j], refused[1, i, j] = self._bill(*at, "endless")[:2]
        if not self.gifts:
            pay[1], refused[1] = pay[0], refused[0]
        flat = self._flat()
        gift = self._gift() if self.gifts else None
        if self.packs:
            flat["flat"] = (*flat["flat"][:4], *self._pack())
        found = Response(
            self.entry.offer.id,
            tuple(limits),
            tuple(allowances),
            pay,
            refused,
            money=self._in_money(),
            gift=gift,
            gift_money=any(p.term.unit in ("money", "credits") for p in self.gifts),
            rows=self.rows,
            **flat,
        )
        return replace(
            found,
            merged=self.merged,
            between=self._between(found, l_steps if self.limited else a_steps),
            served=float(self.entry.served.mid or 0),
        )

    def _compress(self, bucket: int) -> None:
        """Rows to bill again and again: all of them, merged ones, or whole days, whichever is nearer."""
        ways = [0, bucket] if bucket and len(self.held.times) > ROWS else [0]
        kept: tuple[Any, ...] = ()
        for way in ways:
            batch, self.share = self.held.batch(self.tariff, self.served, self.same, way)
            self.batches: dict[int, Batch] = {1: batch}
            self.views: dict[int, View] = {}
            self.to_month = self.work.factor / self.share
            self.merged = self._off()
            if not kept or sum(self.merged) < sum(kept[-1]):
                kept = (batch, self.share, self.batches, self.views, self.to_month, self.merged)
        batch, self.share, self.batches, self.views, self.to_month, self.merged = kept
        self.rows = len(batch)

    def _off(self) -> tuple[float, float]:
        """Error against the exact bill of the full log: share of its cost (or of that as logged), and of
        requests refused."""
        money, share, _ = self._bill(1, Fraction(1), 1.0, "as it is")
        exact = self._variable_of(self.entry) * self.work.factor
        scale = exact or self.work.logged or 1.0
        return abs(money - exact) / scale, abs(share - 1 + float(self.entry.served.mid or 0))

    def _in_money(self) -> bool:
        return bool(self.recurring) and all(p.term.unit in ("money", "credits") for p in self.recurring)

    def _amount(self, a: float, step: tuple[int, int]) -> float:
        """Factor on allowances so that, with requests × p, an allowance for each unit of load is `a`."""
        return a * step[0] if self.recurring else 1.0

    def _variable_of(self, entry: Entry) -> float:
        lines = [x for x in entry.bill.lines if x.rule.key not in APART]
        return float(sum((x.amount for x in lines), Fraction(0))) * self.rate

    def _bucket(self) -> int:
        """The shortest window that matters, in microseconds; 0 where rows may not be merged."""
        terms = [p.term for p in (*self.tariff.limits, *self.tariff.allowances)]
        if any(isinstance(a, Above) for a in self.tariff.atoms):
            return 0
        if any(isinstance(t, Limit) and t.exceeded == "queue" for t in terms):
            return 0
        per = {t.per if isinstance(t, Limit) else t.reset for t in terms}
        if "second" in per:
            return 10**6
        if per & {"minute", "rolling", "request"} or any(isinstance(a, Weekly) for a in self.tariff.atoms):
            return 60 * 10**6
        return 900 * 10**6

    def _bill(self, p: int, q: Fraction, a: float, gifts: str) -> tuple[float, float, Run]:
        """(money for each unit of load a month, share refused, the run) with requests × p, limits × q."""
        if self.cliffs:  # a row's size decides its price, so that the terms shrink instead
            q, a, p = q / p, a / p, 1
        changed = self._changed(q, a, gifts)
        run = Run(
            changed, unknown="shut", bucket_seconds=self.held.bucket, requests_counted=self.held.counted
        )
        run.add(self._view(p), self.served, self.same)
        money = self._variable(run) * self.to_month / p
        bill = run.bill()
        return money, 1 - bill.served / bill.requests if bill.requests else 0.0, run

    def _view(self, p: int) -> View:
        if p not in self.views:
            base = self.batches[1]
            if p not in self.batches:
                self.batches[p] = Batch(
                    base.times, base.quantities * p, base.model, base.models, base.tier, base.tiers
                )
            marks = sorted({a.tokens for a in self.tariff.atoms if isinstance(a, Above)})
            self.views[p] = View(self.batches[p], self.assumed, self.same, marks)
        return self.views[p]

    def _changed(self, q: Fraction, a: float, gifts: str) -> Tariff:
        """The tariff with other amounts; windows longer than a day shrink with the share of days billed."""
        limits: list[Period[Limit]] = []
        for held in self.tariff.limits:
            term = held.term
            if isinstance(term.amount, Fraction) and term.per != "request":
                amount = term.amount * q * self._days_share(term.per)
                held = replace(held, term=term.model_copy(update={"amount": amount}))
            limits.append(held)
        allowances: list[Period[Allowance]] = []
        for held in self.tariff.allowances:
            term = held.term
            if term.reset == "none" and gifts != "as it is":
                if gifts == "none" and not _pack(term):
                    continue
                endless = {"amount": ENDLESS, "expires_after": None, "price": Fraction(0), "buy": "once"}
                if UNKNOWN in (term.amount, term.credit, term.expires_after):
                    continue
                if term.unit == "credits":
                    endless |= {"unit": "money", "credit": None}
                held = replace(held, term=term.model_copy(update=endless))
            elif isinstance(term.amount, Fraction):
                factor = Fraction(a).limit_denominator(10**6) if term.reset != "none" else Fraction(1)
                amount = term.amount * factor * self._days_share(term.reset)
                held = replace(held, term=term.model_copy(update={"amount": amount}))
            allowances.append(held)
        return replace(self.tariff, limits=tuple(limits), allowances=tuple(allowances))

    def _days_share(self, per: str) -> Fraction:
        return (
            Fraction(self.share).limit_denominator(10**6) if per in LONGER or per == "none" else Fraction(1)
        )

    def _endless(self) -> Run:
        return self._bill(1, Fraction(1), 1.0, "endless")[2]

    def _used(self, run: Run, period: Period[Allowance]) -> float:
        """What a month at load 1 takes of an allowance without an end, in multiples of its amount."""
        lasting = [i for i, p in enumerate(run.allowances) if p.term.reset == "none"]
        at = lasting[self.lasting.index(period)]
        term = period.term
        if term.unit in ("money", "credits"):
            taken = run.credit[at] / run.scale if run.scale else 0.0
        else:
            rows = [row for (which, _), row in run.covered.items() if which == at]
            taken = float(sum(row[7] if term.unit == "requests" else sum(row[:7]) for row in rows))
        memory = run._memory
        slots = int((memory.bought[at] > 0).sum()) if memory is not None else 1
        amount = term.amount
        assert isinstance(amount, Fraction)
        worth = float(amount * term.credit) if isinstance(term.credit, Fraction) else float(amount)
        return taken * self.to_month / (worth * max(slots, 1))

    def _gift(self) -> tuple[float, float, float]:
        run = self._endless()
        used = [self._used(run, p) for p in self.gifts]
        ends = [_months(p.term) for p in self.gifts]
        fee = sum(float(p.term.price) for p in self.gifts) * self.rate
        return max(used), max(ends), fee

    def _pack(self) -> tuple[float, float, float]:
        run = self._endless()
        p = self.packs[0]
        ends = _months(p.term)
        fewest = 1 / ends if ends < 1e9 and self._used(run, p) > 0 else 0.0
        return self._used(run, p), fewest, float(p.term.price) * self.rate

    def _between(self, found: Response, steps: Sequence[tuple[int, int]]) -> tuple[float, float]:
        """Worst error of the interpolation between grid points: of cost, as a share of the dearest, and share
        refused. Checked at up to three whole multiples that the grid leaves out."""
        cost, lost = 0.0, 0.0
        if any(p.term.used_up == "reject" for p in self.gifts):
            return cost, lost
        gaps = [(a, b) for a, b in pairwise(steps) if abs(a[0] - b[0]) > 1 or abs(a[1] - b[1]) > 1]
        for (p0, q0), (p1, q1) in gaps[:: max(len(gaps) // 3, 1)][:3]:
            p, q = (p0 + p1) // 2, (q0 + q1) // 2
            money, share, _ = self._bill(p, Fraction(q), float(q if not self.limited else p), "none")
            at = q / p
            found_at = []
            for table in (found.pay[0], found.refused[0]):
                if self.limited:
                    column = [float(np.interp(at, found.limits, row)) for row in table]
                    found_at.append(float(np.interp(1.0, found.allowances, column)))
                else:
                    found_at.append(float(np.interp(at, found.allowances, table[:, 0])))
            most = max(float(found.pay[0].max()), 1e-12)
            cost, lost = max(cost, abs(found_at[0] - money) / most), max(lost, abs(found_at[1] - share))
        return cost, lost


def _pack(term: Allowance) -> bool:
    return term.price > 0 and term.buy == "as_needed"


def _months(term: Allowance) -> float:
    """Months until an allowance expires; very many where it does not."""
    ends = term.expires_after
    if ends is None or isinstance(ends, str):
        return 1e9
    micro, months = length(ends)
    return float(months) if months else micro / DAY / MONTH_DAYS


def _steps(loads: tuple[float, float], factors: tuple[float, float], few: bool) -> list[tuple[int, int]]:
    """(p, q) whose terms for each unit of load, q/p, cover what futures ask, ascending in q/p."""
    low, high = factors[0] / max(loads[1], 1e-9), factors[1] / max(loads[0], 1e-9)
    steps = sorted((s for s in STEPS if not few or s in FEW), key=lambda s: s[1] / s[0])
    ratios = [q / p for p, q in steps]
    first = max((i for i, r in enumerate(ratios) if r <= low * (1 + 1e-9)), default=0)
    last = min((i for i, r in enumerate(ratios) if r >= high * (1 - 1e-9)), default=len(steps) - 1)
    return steps[first : last + 1]


def responses(
    work: Workload, offers: Sequence[str], loads: tuple[float, float], terms: Mapping[str, Terms]
) -> dict[str, Response]:
    """Surfaces of many offers; the compiled passes hold no lock, so they run side by side."""
    if any(work.entries[o].tariff.stateful for o in offers):
        work.held()
    with ThreadPoolExecutor(min(len(offers), os.cpu_count() or 1) or 1) as threads:
        found = threads.map(lambda o: work.response(o, loads, terms.get(o, Terms())), offers)
        return dict(zip(offers, found, strict=True))
