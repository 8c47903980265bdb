"""What a month of the work costs on an offer, as a surface over load and terms.

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
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from pricewar.advice.workload import DAY, MONTH_DAYS, Workload
from pricewar.billing.batch import Batch, View
from pricewar.billing.desk import Entry
from pricewar.billing.run import ENDLESS, Run, served_by
from pricewar.billing.tariff import Above, Period, Tariff, Weekly, length
from pricewar.offers.schema import Allowance, Limit
from pricewar.units import UNKNOWN

LONGER = ("week", "month")
APART = ("fixed", "minimum", "commitment", "platform_fee")
STEPS = (
    (1, 8), (1, 6), (1, 4), (1, 3), (1, 2), (1, 1), (2, 1), (3, 1), (4, 1), (6, 1), (8, 1), (12, 1), (16, 1),
    (24, 1), (32, 1), (48, 1), (64, 1), (96, 1), (128, 1), (192, 1), (256, 1),
)  # fmt: skip
"""Requests × p against terms × q. One of them is 1: multiplying both would soften what is indivisible."""
FEW = {(1, 4), (1, 2), (1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (32, 1), (64, 1), (128, 1), (256, 1)}
FACTORS = (1 / 16, 1 / 12, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 3 / 4, 1.0, 1.5, 2.0, 4.0, 8.0)
LUMPY = 1000
"""A limit of fewer requests than this, counted in tokens, is not divisible."""


@dataclass(frozen=True)
class Response:
    """What one offer answers to a month of work at present prices, in the team's currency.

    Attributes:
        limits, allowances: grids of L and A, ascending; one point where the offer has none.
        pay, refused: [2, A, L] money for each unit of load, and share refused; without and with its gift.
        lumpy: whether requests are large beside its limits, so that halving a limit is not doubling the
            load; then `allowances` are factors on limits, and `limits` one over the load.
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
    lumpy: bool = False
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


@dataclass(frozen=True)
class Terms:
    """Ranges (least above zero, most) of the factors on limits and allowances."""

    limit: tuple[float, float] = (1.0, 1.0)
    allowance: tuple[float, float] = (1.0, 1.0)
    price: tuple[float, float] = (1.0, 1.0)


class Surface:
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
        assumed = self.work.assumed[self.entry.offer.id]
        self.cliffs = any(isinstance(a, Above) for a in self.tariff.atoms)
        self.served, self.same, self.assumed, self.held = served, same, assumed, held
        self._compress(self._bucket())
        both = self.limited and bool(self.recurring)
        top = loads[1] * (terms.price[1] if self._in_money() else 1.0)
        low = loads[0] * (terms.price[0] if self._in_money() else 1.0)
        lumpy = self._lumpy() and terms.limit != (1.0, 1.0)
        bounds = (1.0, 1.0) if lumpy else terms.limit
        l_steps = _steps(loads, bounds, None) if self.limited else [(1, 1)]
        a_steps = _steps((low, top), terms.allowance, FEW if both else None) if self.recurring else [(1, 1)]
        limits = [q / p for p, q in l_steps]
        allowances = [0.0, *(q / p for p, q in a_steps)] if self.recurring else [1.0]
        if lumpy:
            allowances = _within(FACTORS, *terms.limit)
        shape = (2, len(allowances), len(limits))
        pay, refused = np.zeros(shape), np.zeros(shape)
        rejects = any(p.term.used_up == "reject" for p in self.gifts)
        for j, (p, q) in enumerate(l_steps):
            for i, a in enumerate(allowances):
                step = (p, q) if self.limited or not self.recurring or i == 0 else a_steps[i - 1]
                q_l = Fraction(step[1]) * (Fraction(a).limit_denominator(100) if lumpy else 1)
                at = (step[0], q_l, self._amount(a, step))
                if rejects:
                    refused[0, i, j] = 1.0
                else:
                    pay[0, i, j], refused[0, i, j] = self._bill(*at, "none")[:2]
                if self.gifts:
                    pay[1, i, j], refused[1, i, j] = self._bill(*at, "endless")[:2]
        if not self.gifts:
            pay[1], refused[1] = pay[0], refused[0]
        if self.limited and refused[:, :, 0].min() > 0.5:  # no room at all serves nothing
            limits = [0.0, *limits]
            pay = np.concatenate([np.zeros((*pay.shape[:2], 1)), pay], axis=2)
            refused = np.concatenate([np.ones((*refused.shape[:2], 1)), refused], axis=2)
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
            lumpy=lumpy,
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
        lasting = not self.limited and not self.recurring  # without its gifts it is billed by sums alone
        # A merged row is so many average requests, which does for all but limits that hold few of them.
        ways = [0, bucket] if bucket and len(self.held.times) > self.held.most and not self._lumpy() else [0]
        if lasting:
            ways = [0]
        kept: tuple[Any, ...] = ()
        for way in ways:
            batch, self.share = self.held.batch(self.tariff, self.served, self.same, way, whole=lasting)
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

    def _lumpy(self) -> bool:
        """Whether a limit counted in tokens holds few requests."""
        if not self.limited or self.recurring or self.cliffs or not self.held.quantities[:, 7].sum():
            return False
        each = float(self.held.quantities[:, :6].sum() / self.held.quantities[:, 7].sum())
        return any(
            isinstance(p.term.amount, Fraction)
            and "requests" not in p.term.meters
            and p.term.per != "request"
            and float(p.term.amount) < LUMPY * each
            for p in self.tariff.limits
        )

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
        if found.lumpy:  # the other axis: a factor between two of the grid
            low, high = list(pairwise(found.allowances))[len(found.allowances) // 2 - 1]
            q = Fraction((low + high) / 2).limit_denominator(100)
            money, share, _ = self._bill(1, q, 1.0, "none")
            at = found.limits.index(1.0) if 1.0 in found.limits else -1
            guess = [
                float(np.interp(float(q), found.allowances, t[0, :, at])) for t in (found.pay, found.refused)
            ]
            if at >= 0:
                cost = max(cost, abs(guess[0] - money) / max(float(found.pay[0].max()), 1e-12))
                lost = max(lost, abs(guess[1] - share))
        return cost, lost


def surface(work: Workload, offer: str, loads: tuple[float, float], terms: Terms) -> Response:
    """The surface of one offer.

    Args:
        loads: least and most load, as multiples of the logged month.
        terms: ranges of the factors on limits, allowances and prices.
    """
    return Surface(work, work.entries[offer], loads, terms).response


def _pack(term: Allowance) -> bool:
    return term.price > 0 and term.buy == "as_needed"


def _months(term: Allowance) -> float:
    """Months until an allowance expires; very many where it does not."""
    ends = term.expires_after
    if ends is None or isinstance(ends, str):
        return 1e9
    micro, months = length(ends)
    return float(months) if months else micro / DAY / MONTH_DAYS


def _within(grid: Sequence[float], low: float, high: float) -> list[float]:
    """Points of a grid that cover a range."""
    first = max((i for i, x in enumerate(grid) if x <= low * (1 + 1e-9)), default=0)
    last = min((i for i, x in enumerate(grid) if x >= high * (1 - 1e-9)), default=len(grid) - 1)
    return list(grid[first : last + 1])


def _steps(
    loads: tuple[float, float], factors: tuple[float, float], few: set[tuple[int, int]] | None
) -> list[tuple[int, int]]:
    """(p, q) whose terms for each unit of load, q/p, cover what futures ask, ascending in q/p."""
    low, high = factors[0] / max(loads[1], 1e-9), factors[1] / max(loads[0], 1e-9)
    steps = {q / p: (p, q) for p, q in STEPS if few is None or (p, q) in few}
    return [steps[ratio] for ratio in _within(sorted(steps), low, high)]


def responses(
    work: Workload, offers: Sequence[str], loads: tuple[float, float], terms: Mapping[str, Terms]
) -> dict[str, Response]:
    """Surfaces of many offers; the compiled passes hold no lock, so they run side by side."""
    if any(work.entries[o].tariff.stateful for o in offers):
        work.held()
    with ThreadPoolExecutor(min(len(offers), os.cpu_count() or 1) or 1) as threads:
        found = threads.map(lambda o: surface(work, o, loads, terms.get(o, Terms())), offers)
        return dict(zip(offers, found, strict=True))
