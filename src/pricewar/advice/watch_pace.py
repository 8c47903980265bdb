"""How fast the log uses up what an offer allows: allowances, and limits of a day or longer, on their clocks.

Use is measured by the code that bills: the work passes through the offer's tariff without the end of the term
in question, all others in force, local day by local day. The rate is the mean of the last whole local days.
What remains of the period that the log ends in, and then of each period after it, is set against that rate:

    at = start + remaining / rate

The 95% interval is that of a sum of x days to come, each as uncertain as the days were, and of the rate's own
error: x·rate ± t·s·√(x + x²/n) crosses what remains. Where days never differed, s is 0 and the day is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from pricewar.billing.batch import Assumptions, Batch, View
from pricewar.billing.run import Run, served_by
from pricewar.billing.tariff import EPOCH, Above, Period, Tariff, boundaries, length, microseconds
from pricewar.offers.schema import Allowance, Limit
from pricewar.units import METERS, UNKNOWN

if TYPE_CHECKING:
    from pricewar.usage.log import Log

DAY = 86_400_000_000
NIGHT = DAY // 12
"""A first or last day counts as whole if the log reaches within two hours of its edge …"""
FULL = Fraction(4, 5)
"""… or if it holds so much of a usual day."""
NOISE_DAYS, WEEK = 28, 7
FOREVER = 2**62
LONG = ("none", "day", "week", "month", "rolling")
Status = Literal["out", "will", "may", "no"]


@dataclass(frozen=True)
class Counter:
    """A term that can run out, for one of the offer's models or for all that share it.

    Attributes:
        positions: of the offer's models that count against it.
        amount: in `unit`: tokens, requests, or money of the offer's currency.
        window: length of a rolling window in microseconds, else 0.
        lasts: microseconds and months until a gift is void, from its beginning; None: it is not, or unknown.
    """

    term: Allowance | Limit
    model: str
    positions: frozenset[int]
    amount: Fraction
    unit: str
    per: str
    zone: str
    window: int = 0
    lasts: tuple[int, int] | None = None

    @property
    def allowance(self) -> bool:
        return isinstance(self.term, Allowance)


@dataclass(frozen=True)
class Demand:
    """Use of one counter by local day, in order: (start, end) in microseconds, and how much.

    Attributes:
        end: until when the log is known.
        rate: a day, of the last `n` whole days; noise: standard deviation of a day, None with too few.
        freedom: of that deviation.
    """

    days: list[tuple[int, int, Fraction]]
    first: int
    end: int
    rate: Fraction
    n: int
    noise: float | None
    freedom: int

    def between(self, start: int, end: int) -> Fraction:
        return sum((q for a, _, q in self.days if start <= a < end), Fraction(0))


@dataclass(frozen=True)
class Projection:
    """When a counter runs out at the present rate.

    Attributes:
        status: out: used up; will: it runs out at `at`; may: only the interval says so; no: it does not.
        at, earliest, latest: microseconds; None: not before the period ends.
        used: in the period [start, end) it is about; end None: it has none.
        over: of the last whole days, how many used more than a day's amount (periods of a day alone).
    """

    status: Status
    at: int | None
    earliest: int | None
    latest: int | None
    used: Fraction
    start: int
    end: int | None
    over: int = 0


def moment(us: int) -> datetime:
    """Microseconds since 1970 as an instant in UTC."""
    return EPOCH + timedelta(microseconds=us)


def counters(found: Tariff, served: np.ndarray, log: Log) -> tuple[list[Counter], list[str]]:
    """The terms of a tariff that last a day or longer, for the models that the log asks for, and in words
    those that cannot be followed because they are not published or not logged."""
    made: list[Counter] = []
    unsaid: list[str] = []
    asked = sorted({int(s) for s in served})
    names = found.offer.positions
    for period in (*found.allowances, *found.limits):
        t = period.term
        per = t.reset if isinstance(t, Allowance) else t.per
        window = length(t.window)[0] if t.window is not None else 0
        if per not in LONG or (per == "rolling" and window < DAY):
            continue
        of = set(asked) if t.models is None else {names[m] for m in t.models} & set(asked)
        unit = t.unit if isinstance(t, Allowance) else ("requests" if "requests" in t.meters else "tokens")
        amount = t.amount
        if isinstance(t, Allowance) and t.unit == "credits":
            unit = "money"
            amount = UNKNOWN if UNKNOWN in (t.amount, t.credit) or t.credit is None else t.amount * t.credit  # type: ignore[operator]
        what = f"the {'allowance' if isinstance(t, Allowance) else 'limit'} of {unit}"
        what += "" if per == "none" else f" a {per}"
        if not isinstance(amount, Fraction):
            unsaid.append(f"{what}: how much is not published")
            continue
        if unit == "requests" and "requests" in log.unknown:
            unsaid.append(f"{what}: the log does not count requests")
            continue
        lasts = None
        if isinstance(t, Allowance) and t.reset == "none":
            if t.expires_after == UNKNOWN:
                unsaid.append(f"{what}: when it expires is not published")
            elif t.expires_after is not None and not isinstance(t.expires_after, str):
                lasts = length(t.expires_after)
        groups = [frozenset({s}) for s in sorted(of)] if t.scope == "model" else [frozenset(of)]
        for group in groups:
            if group:
                model = found.offer.models[next(iter(group))].name if t.scope == "model" else ""
                made.append(Counter(t, model, group, amount, unit, per, t.zone, window, lasts))
    return made, unsaid


def demand(log: Log, found: Tariff, counter: Counter, names: Mapping[int, str], recent: int) -> Demand | None:
    """How much of a counter the log would use if it never ran out, all other terms in force.

    Args:
        names: of models logged, as the list names them, by position in order of appearance.
        recent: how many whole days the rate is taken from.
    """
    variant = _without_end(found, counter)
    run = Run(
        variant,
        unknown="open",  # what is asked is wanted, not what can be counted on
        bucket_seconds=log.bucket_seconds,
        requests_counted="requests" not in log.unknown,
    )
    marks = sorted({a.tokens for a in variant.atoms if isinstance(a, Above)})
    models: dict[tuple[str | None, str], int] = {}
    tiers: dict[str, int] = {"standard": 0}
    days: dict[int, list] = {}
    first, last = None, 0
    for frame in log.batches():
        batch = Batch.of(frame, models, tiers)
        if not len(batch):
            continue
        served, same = served_by(variant, batch.models, names)
        edges = np.array(boundaries("day", counter.zone, int(batch.times[0]), int(batch.times[-1])), np.int64)
        ends = frame["time_end"].max()
        first = int(batch.times[0]) if first is None else first
        last = max(last, int(batch.times[-1]), microseconds(ends) if isinstance(ends, datetime) else 0)
        mine = np.isin(served[batch.model], sorted(counter.positions))
        day = np.searchsorted(edges, batch.times, side="right") - 1
        for d in range(int(day[0]), int(day[-1]) + 1):
            kept = days.setdefault(int(edges[d]), [int(edges[d + 1]), Fraction(0)])
            rows = np.flatnonzero((day == d) & mine)
            if len(rows):
                before = _used(run, counter)
                part = Batch(batch.times[rows], batch.quantities[rows], batch.model[rows], batch.models,
                             batch.tier[rows], batch.tiers)  # fmt: skip
                run.add(View(part, Assumptions(), same, marks), served, same)
                kept[1] += _used(run, counter) - before
    if first is None:
        return None
    rows = [(start, end, quantity) for start, (end, quantity) in sorted(days.items())]
    return _paced(list(_gapless(rows, counter.zone)), first, last, recent)


def _without_end(found: Tariff, counter: Counter) -> Tariff:
    """The tariff with a term that never runs out: without the limit, or with the allowance alone, endless."""
    if isinstance(counter.term, Limit):
        return replace(found, limits=tuple(p for p in found.limits if p.term is not counter.term))
    alone = next(p for p in found.allowances if p.term is counter.term)
    plain = {"reset": "none", "window": None, "zone": "UTC", "expires_after": None, "edge": "split",
             "used_up": "paid", "scope": "account", "models": None, "price": Fraction(0)}  # fmt: skip
    unit = "money" if counter.unit == "money" else counter.unit
    one = alone.term.model_copy(update={**plain, "unit": unit, "credit": None, "amount": Fraction(1)})
    trial = replace(found, allowances=(Period(one, alone.start, alone.end, alone.version),))
    most = 2**60 // max(Run(trial).scale, 1)  # so that sums stay within 64 bits
    endless = one.model_copy(update={"amount": Fraction(most)})
    return replace(found, allowances=(Period(endless, alone.start, alone.end, alone.version),))


def _used(run: Run, counter: Counter) -> Fraction:
    """What the run has taken of the counter so far, in its unit."""
    if counter.unit == "requests":
        return Fraction(run.requests - sum(r for r, _ in run.refused_by))
    if counter.unit == "money":
        return Fraction(run.credit[0], run.scale) if run.scale else Fraction(0)
    counted = [m for m, name in enumerate(METERS[:6]) if name in counter.term.meters]
    stores: list[Mapping] = [run.covered]
    if isinstance(counter.term, Limit):
        counted = [m for m in counted if METERS[m] not in counter.term.excludes]
        stores.append(run.paid)
    return Fraction(sum(row[m] for store in stores for row in store.values() for m in counted))


def _gapless(rows: Sequence[tuple[int, int, Fraction]], zone: str) -> Iterator[tuple[int, int, Fraction]]:
    """The days with those between them on which nothing was asked."""
    if not rows:
        return
    held = {start: (start, end, q) for start, end, q in rows}
    edges = boundaries("day", zone, rows[0][0], rows[-1][0])
    for start, end in pairwise(edges):
        if start > rows[-1][0]:
            return
        yield held.get(start, (start, end, Fraction(0)))


def _paced(days: list[tuple[int, int, Fraction]], first: int, last: int, recent: int) -> Demand:
    inner = sorted(q for _, _, q in days[1:-1]) or sorted(q for _, _, q in days)
    usual = inner[len(inner) // 2]
    whole = list(days)
    end = last
    if days[-1][1] - last <= NIGHT or (len(days) > 2 and days[-1][2] >= FULL * usual > 0):
        end = max(days[-1][1], last)
    elif len(whole) > 1:
        whole.pop()
    if first - days[0][0] > NIGHT and len(whole) > 1 and (len(days) < 3 or days[0][2] < FULL * usual):
        whole.pop(0)
    chosen = [q for _, _, q in whole[-recent:]]
    rate = sum(chosen, Fraction(0)) / len(chosen)
    noise, freedom = _noise([q for _, _, q in whole], len(chosen))
    return Demand(days, first, end, rate, len(chosen), noise, freedom)


def _noise(values: Sequence[Fraction], n: int) -> tuple[float | None, int]:
    """(standard deviation of a day, its degrees of freedom): of two weeks or more the week's own cycle is no
    error, and days of one weekday are set against each other."""
    if len(values) >= 2 * WEEK:
        kept = np.array([float(v) for v in values[-NOISE_DAYS:]])
        at = np.arange(len(kept)) % WEEK
        means = np.array([kept[at == k].mean() for k in range(WEEK)])
        freedom = len(kept) - WEEK
        return sqrt(float(((kept - means[at]) ** 2).sum()) / freedom), freedom
    kept = np.array([float(v) for v in values[-n:]])
    if len(kept) < 2:
        return None, 0
    return float(kept.std(ddof=1)), len(kept) - 1


def _crossing(left: Fraction, d: Demand, sign: int) -> float | None:
    """Days until `left` is used, at the upper (+1) or lower (−1) edge; None: never, or unknown."""
    if d.noise is None or d.rate <= 0:
        return None
    rate, goal = float(d.rate), float(left)
    if d.noise == 0:
        return goal / rate
    from scipy.special import stdtrit

    t = float(stdtrit(d.freedom, 0.975)) * d.noise * sign

    def used(x: float) -> float:
        return x * rate + t * sqrt(x + x * x / d.n)

    low, high = 0.0, max(goal / rate, 1e-6)
    while used(high) < goal:  # below the rate: convex, so that it is passed once
        high *= 2
        if high > 1e6:
            return None
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if used(middle) < goal else (low, middle)
    return high


def project(
    counter: Counter, d: Demand, until: int, began: int | None = None, now: int | None = None
) -> Projection:
    """When the counter runs out at the present rate, looking no further than `until` (microseconds).

    Args:
        began: when a gift began; what it gave before the log began is taken at the present rate. None: with
            the log's first record.
        now: periods that are over by then are left out. None: when the log ends.
    """
    if counter.per == "rolling":
        return _rolling(counter, d, until)
    if counter.per == "none":
        start = d.first if began is None else began
        used = d.between(0, FOREVER) + (d.rate * (d.first - start) / DAY if start < d.first else 0)
        if start > d.first:
            used = d.between(boundaries("day", counter.zone, start, start)[0], FOREVER)
        return _within(counter.amount - used, used, d, start, expiry(counter, start), d.end, until)
    over = sum(q > counter.amount for _, _, q in d.days[-d.n :]) if counter.per == "day" else 0
    edges = boundaries(counter.per, counter.zone, d.end, max(until, d.end))
    best: Projection | None = None
    for start, end in pairwise(edges):
        if end <= (d.end if now is None else now):
            continue
        if start > until and best is not None:
            break
        used = d.between(start, end)
        found = _within(counter.amount - used, used, d, start, end, max(start, d.end), until)
        if best is None or (best.status == "no" and found.status != "no"):
            best = found
        if found.status in ("out", "will"):
            best = found
            break
    assert best is not None
    return replace(best, over=over)


def expiry(counter: Counter, began: int) -> int | None:
    """When a gift that began then is void."""
    if counter.lasts is None:
        return None
    us, months = counter.lasts
    if not months:
        return began + us
    day = moment(began)
    at = day.month - 1 + months
    year, month = day.year + at // 12, at % 12 + 1
    last = (day.replace(year=year + month // 12, month=month % 12 + 1, day=1) - timedelta(days=1)).day
    return microseconds(day.replace(year=year, month=month, day=min(day.day, last)))


def _within(
    left: Fraction, used: Fraction, d: Demand, start: int, end: int | None, at: int, until: int
) -> Projection:
    """From `at` on, with `left` for the rest of the period [start, end)."""
    if left <= 0 and d.rate > 0:
        return Projection("out", at, at, at, used, start, end)
    stop = until if end is None else min(end, until)

    def reached(days: Fraction | float | None) -> int | None:
        if days is None:
            return None
        us = at + int(days * DAY)
        return us if us < stop else None

    plain = reached(left / d.rate) if d.rate > 0 else None
    soonest, latest = (reached(_crossing(left, d, sign)) for sign in (1, -1))
    status: Status = "will" if plain is not None else "may" if soonest is not None else "no"
    return Projection(status, plain, soonest, latest, used, start, end)


def _rolling(counter: Counter, d: Demand, until: int) -> Projection:
    """Of a window that moves: days leave it as days to come enter, at the rate."""
    held = [(a, q) for a, _, q in d.days]
    before = None
    for step in range(0, max((until - d.end) // DAY, 0) + 2):
        at = d.end + step * DAY
        kept = sum((q for a, q in held if a >= at - counter.window), Fraction(0))
        kept += d.rate * Fraction(min(step * DAY, counter.window), DAY)
        if step == 0:
            before = kept
        if kept >= counter.amount and (step == 0 or kept > counter.amount):
            status: Status = "out" if step == 0 else "will"
            return Projection(status, at, None, None, before or kept, d.end - counter.window, None)
    return Projection("no", None, None, None, before or Fraction(0), d.end - counter.window, None)
