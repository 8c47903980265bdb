"""One tariff's bill: token sums from the passes, multiplied once by exact rates, with every charge a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any, Literal

import numpy as np

from pricewar.billing import kernel
from pricewar.billing.batch import LARGEST, Batch, Ints, View, signatures
from pricewar.billing.tariff import (
    BEGINNING,
    END,
    Atom,
    Between,
    Period,
    Price,
    ServedBy,
    Tariff,
    boundaries,
    length,
    microseconds,
)
from pricewar.errors import DataError
from pricewar.offers.schema import Allowance, Limit
from pricewar.units import METERS, TOKEN_METERS, UNKNOWN, count, decimal

CLOCK_LENGTH = {"second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6}
NEVER_BARRED = np.int64(-1)
ENDLESS = Fraction(LARGEST // 4)  # stands in for an allowance of unknown size when it is taken to be ample


@dataclass(frozen=True)
class Term:
    """A fact about a bill: a key with arguments, so that faces can say it in any language, and English."""

    key: str
    args: Mapping[str, Any]
    text: str


@dataclass(frozen=True)
class Line:
    """quantity × price = amount (after rounding), by a rule of a version of the offer."""

    meter: str
    quantity: Fraction
    unit: str
    price: Fraction | None
    per: int
    amount: Fraction
    rule: Term
    version: int
    month: str | None = None


@dataclass
class Bill:
    """What one offer charges for one log, in the offer's currency.

    Attributes:
        lines: every charge; they add up to `total` exactly.
        requests, served: requests in the log, and those the offer served.
        free_tokens, paid_tokens: tokens covered without payment, and paid (by rate, money or pack).
        refused: cause → (requests, tokens).
        bit: terms of the fine print that made a difference.
        unpriced: meter → quantity the offer names no price for.
        queued, longest_wait: requests that had to wait, and the longest wait in microseconds.
    """

    tariff: Tariff
    lines: list[Line] = field(default_factory=list)
    total: Fraction = Fraction(0)
    requests: int = 0
    served: int = 0
    free_tokens: int = 0
    paid_tokens: int = 0
    refused: list[tuple[Term, int, int]] = field(default_factory=list)
    bit: list[Term] = field(default_factory=list)
    unpriced: dict[str, int] = field(default_factory=dict)
    queued: int = 0
    longest_wait: int = 0


def served_by(
    tariff: Tariff, models: Sequence[tuple[str | None, str]], names: Mapping[int, str]
) -> tuple[Ints, frozenset[int]]:
    """Which of the offer's models serves each logged model, and which are the very model logged.

    `names` gives, for logged models found in the catalogue, the name of the listed model, so that a dated
    alias is recognised.
    """
    own = tariff.offer.positions
    default = own.get(tariff.model.name, 0)
    served = np.full(max(len(models), 1), default, dtype=np.int64)
    same: set[int] = set()
    for i, (_, model) in enumerate(models):
        found = tariff.offer.serves(model) or (tariff.offer.serves(names[i]) if i in names else None)
        if found is not None:
            served[i] = own.get(found.name, default)
            same.add(i)
    return served, frozenset(same)


class Run:
    """A tariff's pass through the log, batch by batch.

    Args:
        unknown: what an unpublished limit or allowance is taken to be. `open`: it never binds, or covers
            everything; `shut`: it refuses, or covers nothing. The truth lies between the two bills.
        bucket_seconds: length of the log's buckets when it is aggregated. A limit over a shorter window
            cannot be checked; only what is certainly above it is refused: more in a bucket than its windows
            together allow.
        requests_counted: whether the log counts requests; if not, what counts them cannot be checked.
    """

    def __init__(
        self,
        tariff: Tariff,
        *,
        unknown: Literal["open", "shut"] = "shut",
        bucket_seconds: int | None = None,
        requests_counted: bool = True,
    ) -> None:
        self.tariff, self.unknown, self.requests_counted = tariff, unknown, requests_counted
        self.months = _billing_zone(tariff)
        bucket = (bucket_seconds or 0) * 10**6

        def uncounted(p: Period[Limit]) -> bool:
            return not requests_counted and ("requests" in p.term.meters or p.term.per == "request")

        def too_short(p: Period[Limit]) -> bool:
            return CLOCK_LENGTH.get(p.term.per, 2**62) < bucket

        self.uncounted = [p for p in tariff.limits if uncounted(p)]
        self.unchecked = [p for p in tariff.limits if too_short(p) and not uncounted(p)]
        known = [p for p in tariff.limits if p.term.amount != UNKNOWN and not uncounted(p)]
        self.limits = [_over_bucket(p, bucket) if too_short(p) else p for p in known]
        self.allowances = [p for p in tariff.allowances if self._amount(p) is not None]
        self.shut: list[tuple[int, int]] = []  # when nothing can be counted on
        if unknown == "shut":
            unsaid = [p for p in tariff.limits if p.term.amount == UNKNOWN] + self.uncounted
            self.shut = [*tariff.unknown, *((p.start, p.end) for p in unsaid)]
        self.paid: dict[tuple[frozenset[Atom], int], list[int]] = {}
        self.covered: dict[tuple[int, frozenset[Atom]], list[int]] = {}
        self.prices: dict[frozenset[Atom], dict[str, Price]] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.requests = self.tokens = 0
        self.scale = self._scale()
        n_causes = len(self.limits) + len(self.allowances) + 5
        self.refused_by = [[0, 0] for _ in range(n_causes)]
        self.bit = [0] * (len(self.limits) + len(self.allowances))
        self.credit = [0] * len(self.allowances)
        self.extra = 0
        self.state = np.array([BEGINNING, 0, 0], dtype=np.int64)
        self._memory: _Memory | None = None

    # -- what unpublished values are taken to be

    def _amount(self, period: Period[Allowance]) -> Fraction | None:
        a = period.term
        if UNKNOWN in (a.amount, a.credit, a.expires_after) and self.unknown == "shut":
            return None
        if a.unit == "requests" and not self.requests_counted:
            return ENDLESS if self.unknown == "open" else None
        if a.amount == UNKNOWN or a.credit == UNKNOWN:
            return ENDLESS
        assert isinstance(a.amount, Fraction)
        return a.amount * a.credit if a.unit == "credits" and isinstance(a.credit, Fraction) else a.amount

    @property
    def nothing_known(self) -> bool:
        """Whether every request met limits that are not published."""
        return bool(self.shut) and self.refused_by[-2][0] == self.requests

    @property
    def capacity(self) -> bool:
        """Whether capacity is bought, which covers what has no price of its own."""
        owed = self.tariff.charges.commitment
        return owed is not None and owed.buys == "capacity"

    def _payable(self, prices: Mapping[str, Price]) -> bool:
        """Whether a request of this kind can be bought at all."""
        return self.capacity or "input" in prices or "output" in prices or "requests" in prices

    @property
    def stateful(self) -> bool:
        per_request = any(r.per == "request" for r in self.tariff.charges.rounding)
        return bool(self.limits or self.allowances or per_request)

    def _increment(self) -> Fraction:
        rules = self.tariff.charges.rounding
        return next((r.increment for r in rules if r.per == "request" and r.unit == "money"), Fraction(0))

    def _scale(self) -> int:
        """Money is counted in the kernel only where a term is about money, in whole 1/scale."""
        money = [p for p in self.allowances if p.term.unit in ("money", "credits")]
        increment = self._increment()
        if not money and not increment:
            return 0
        scale = 1
        for rule in self.tariff.rules:
            scale = lcm(scale, *(price.denominator for _, price in rule.prices))
        for rule in self.tariff.rules:
            scale *= rule.times.denominator if rule.times is not None else 1
        amounts = [amount for p in money if (amount := self._amount(p)) is not None]
        return lcm(scale, increment.denominator, *(a.denominator for a in amounts))

    # -- passes

    def add(self, view: View, served: Ints, same: frozenset[int] | None = None) -> Ints | None:
        """Bill a batch. Returns [N] requests refused in each row, or None when none was.

        `same` names the logged models that are the offer's own, which therefore took their input; requests
        for others are refused where the input is longer than the serving model takes. None: not checked.
        """
        batch = view.batch
        if not len(batch):
            return None
        if self.first is None:
            self.first = int(batch.times[0])
        self.last = int(batch.times[-1])
        sums = view.cell_sums
        self.requests += int(sums[:, 7].sum())
        self.tokens += int(sums[:, :6].sum())
        kinds, rows, cells = signatures(view, self.tariff.atoms, served, self.months)
        for atoms, _ in kinds:
            if atoms not in self.prices:
                self.prices[atoms] = self.tariff.resolve(atoms)
        barred = self._barred(batch, served, same)
        sold = all(
            self._payable(self.prices[atoms]) for atoms, _ in kinds
        )  # else refused, not free of charge
        if not self.stateful and barred is None and sold:
            out = np.zeros((len(kinds), len(METERS)), dtype=np.int64)
            if rows is None:
                np.add.at(out, cells, sums)
            else:
                kernel.sum_by_code(rows, view.quantities, out)
            self._keep(self.paid, kinds, out)
            return None
        if barred is not None and barred[0] >= 0 and (barred == barred[0]).all():  # nothing is served
            self.refused_by[barred[0]][0] += int(sums[:, 7].sum())
            self.refused_by[barred[0]][1] += int(sums[:, :6].sum())
            return np.maximum(batch.quantities[:, 7], 1)
        quantities = self._rounded(view.quantities)
        code = rows if rows is not None else cells[view.cell]
        if quantities is not view.quantities:
            sums = quantities.sum(axis=0, keepdims=True)
        return self._run(batch, quantities, sums, code, kinds, served, barred)

    def _rounded(self, quantities: Ints) -> Ints:
        for rule in self.tariff.charges.rounding:
            if rule.per == "request" and rule.unit == "tokens":
                step = int(rule.increment)
                rounded = quantities.copy()
                rounded[:, :6] = -(-quantities[:, :6] // step) * step
                return rounded
        return quantities

    def _barred(self, batch: Batch, served: Ints, same: frozenset[int] | None) -> Ints | None:
        """[N] −1, or the cause for which the offer is not to be had; None when nothing is barred."""
        base = len(self.limits) + len(self.allowances)
        barred: Ints | None = None
        if self.tariff.available != ((BEGINNING, END),):
            open_ = np.zeros(len(batch), dtype=bool)
            for start, end in self.tariff.available:
                if start <= batch.times[0] and batch.times[-1] < end:
                    open_[:] = True
                else:
                    open_ |= (batch.times >= start) & (batch.times < end)
            if not open_.all():
                barred = np.where(open_, -1, base + 1)
        if self.tariff.record.eligibility.deferrable:
            waits = np.array([tier in ("batch", "flex") for tier in batch.tiers], dtype=bool)[batch.tier]
            if not waits.all():
                barred = np.where(waits, -1 if barred is None else barred, base + 2)
        if same is not None:
            takes = [m.longest_input or LARGEST for m in self.tariff.offer.models]
            if takes and batch.longest > min(takes):
                most = np.array(takes, dtype=np.int64)[served]
                most[[i for i in same if i < len(most)]] = LARGEST
                too_long = batch.input_each > most[batch.model]
                if too_long.any():
                    barred = np.where(too_long, base + 4, -1 if barred is None else barred)
        for start, end in self.shut:
            shut = (batch.times >= start) & (batch.times < end)
            if shut.any():
                barred = np.where(shut, base + 3, -1 if barred is None else barred)
        return barred

    def _run(
        self, batch: Batch, quantities: Ints, sums: Ints, code: Ints,
        kinds: list[tuple[frozenset[Atom], int]], served: Ints, barred: Ints | None,
    ) -> Ints | None:  # fmt: skip
        if self._memory is None:
            self._memory = _Memory(self, len(self.tariff.offer.models))
        memory = self._memory
        memory.prepare(batch)
        rate, payable = self._rates(kinds)
        exact64 = memory.fits(quantities, sums, rate)
        kind = np.int64 if exact64 else object
        quantities = quantities if exact64 else quantities.astype(object)
        paid = np.zeros((len(kinds), len(METERS)), dtype=kind)
        covered = np.zeros((max(len(self.allowances), 1), len(kinds), len(METERS)), dtype=kind)
        credit = np.zeros(max(len(self.allowances), 1), dtype=kind)
        extra = np.zeros(1, dtype=kind)
        refused = np.zeros(len(batch), dtype=np.int64)
        refused_by = np.zeros((len(self.refused_by), 2), dtype=kind)
        bit = np.zeros(len(self.bit) + 1, dtype=np.int64)
        go = kernel.run if exact64 else kernel.uncompiled_run()
        try:
            arguments: list[Any] = [
                batch.times, quantities, code, np.ascontiguousarray(served[batch.model]),
                barred if barred is not None else np.full(len(batch), NEVER_BARRED),
                memory.bounds, *memory.limit_state(kind), memory.allowance_table(kind),
                memory.allowance_meters, memory.allowance_slots, memory.allowance_for(kinds),
                *memory.allowance_state(kind), np.array(rate, dtype=kind).reshape(len(kinds), len(METERS)),
                payable, int(self._increment() * self.scale), paid, covered, credit, extra,
                refused, refused_by, bit, self.state,
            ]  # fmt: skip
            go(*arguments)
        finally:
            memory.settle(kind)
        self._keep(self.paid, kinds, paid)
        for a in range(len(self.allowances)):
            self._keep(self.covered, [((a, atoms)) for atoms, _ in kinds], covered[a])
            self.credit[a] += int(credit[a])
        self.extra += int(extra[0])
        for c, (requests, tokens) in enumerate(refused_by.tolist()):
            self.refused_by[c][0] += int(requests)
            self.refused_by[c][1] += int(tokens)
        for j in range(len(self.bit)):
            self.bit[j] += int(bit[j])
        return refused if refused.any() else None

    def _rates(self, kinds: list[tuple[frozenset[Atom], int]]) -> tuple[list[list[int]], Ints]:
        table: list[list[int]] = []
        payable = np.zeros(len(kinds), dtype=np.bool_)
        for g, (atoms, _) in enumerate(kinds):
            prices = self.prices[atoms]
            payable[g] = self._payable(prices)
            table.append([int(prices[m].amount * self.scale) if m in prices else 0 for m in METERS])
        return table, payable

    @staticmethod
    def _keep(store: dict[Any, list[int]], keys: Sequence[Any], sums: Ints) -> None:
        for key, row in zip(keys, sums.tolist(), strict=True):
            kept = store.setdefault(key, [0] * len(METERS))
            for m, quantity in enumerate(row):
                kept[m] += int(quantity)

    # -- the bill

    def bill(self) -> Bill:
        """The bill so far."""
        return _Assembly(self).bill


def _over_bucket(period: Period[Limit], bucket: int) -> Period[Limit]:
    """A limit as the most that all its windows in a longer one allow."""
    per, length_ = next(
        ((n, x) for n, x in (*CLOCK_LENGTH.items(), ("day", kernel.DAY)) if x >= bucket), ("month", 0)
    )
    length_ = length_ or 31 * kernel.DAY
    assert isinstance(period.term.amount, Fraction)
    most = period.term.amount * (length_ // CLOCK_LENGTH[period.term.per])
    term = period.term.model_copy(update={"amount": most, "per": per, "exceeded": "reject"})
    return Period(term, period.start, period.end, period.version)


def _billing_zone(tariff: Tariff) -> str | None:
    """The zone whose calendar months part the bill, when some charge is by the month."""
    charges = tariff.charges
    if charges.minimum is not None and charges.minimum.per == "month":
        return charges.minimum.zone
    for version in tariff.versions:
        for rule in version.charges.rounding:
            if rule.per == "line":
                return rule.zone
    if charges.commitment is not None and charges.commitment.buys == "spend":
        return charges.commitment.zone
    return None


class _Memory:
    """Limits and allowances as arrays, and what has been used of them."""

    def __init__(self, run: Run, models: int) -> None:
        self.run, self.models = run, models
        names = run.tariff.offer.positions
        limits, allowances = run.limits, run.allowances
        self.limit_meters = np.zeros((len(limits), len(METERS)), dtype=np.bool_)
        self.limit_slots = np.full((len(limits), models), -1, dtype=np.int64)
        for j, p in enumerate(limits):
            for meter in p.term.meters:
                self.limit_meters[j, METERS.index(meter)] = meter not in p.term.excludes
            self._slots(self.limit_slots[j], p.term, names)
        self.allowance_meters = np.zeros((len(allowances), len(METERS)), dtype=np.bool_)
        self.allowance_slots = np.full((len(allowances), models), -1, dtype=np.int64)
        for a, p in enumerate(allowances):
            for meter in p.term.meters:
                self.allowance_meters[a, METERS.index(meter)] = True
            self._slots(self.allowance_slots[a], p.term, names)
        shape_l, shape_a = (len(limits), models), (len(allowances), models)
        self.used = np.zeros(shape_l, dtype=object)
        self.limit_window = np.full(shape_l, BEGINNING, dtype=np.int64)
        self.left = np.zeros(shape_a, dtype=object)
        self.window = np.full(shape_a, BEGINNING, dtype=np.int64)
        self.started = np.zeros(shape_a, dtype=np.int64)
        self.bought = np.zeros(shape_a, dtype=np.int64)
        self.roll_limit = any(p.term.per == "rolling" for p in limits)
        self.roll_allow = any(p.term.reset == "rolling" for p in allowances)
        self.past: list[list[list[tuple[int, int]]]] = [[[] for _ in range(models)] for _ in limits]
        self.past_a: list[list[list[tuple[int, int]]]] = [[[] for _ in range(models)] for _ in allowances]
        self.bounds = np.zeros(1, dtype=np.int64)
        self.amounts_l = [int(p.term.amount) for p in limits if isinstance(p.term.amount, Fraction)]
        self.amounts_a = [self._counted(p) for p in allowances]

    def _counted(self, period: Period[Allowance]) -> int:
        amount = self.run._amount(period)
        assert amount is not None
        if amount == ENDLESS:
            return int(ENDLESS)
        return int(amount * self.run.scale) if period.term.unit in ("money", "credits") else int(amount)

    def _slots(self, row: Ints, term: Limit | Allowance, names: dict[str, int]) -> None:
        which = range(self.models) if term.models is None else sorted({names[name] for name in term.models})
        for s in which:
            row[s] = s if term.scope == "model" else 0

    def prepare(self, batch: Batch) -> None:
        """Boundaries of calendar windows around the batch, and room for rolling windows."""
        first, last = int(batch.times[0]), int(batch.times[-1])
        bounds: list[int] = []
        where: dict[tuple[str, str], tuple[int, int]] = {}

        def place(per: str, zone: str) -> tuple[int, int]:
            if (per, zone) not in where:
                found = boundaries(per, zone, first, last)
                where[per, zone] = (len(bounds), len(found))
                bounds.extend(found)
            return where[per, zone]

        self.limits: list[list[int]] = []
        for p, amount in zip(self.run.limits, self.amounts_l, strict=True):
            kind, size, at, many = self._window(p.term.per, p.term.zone, p.term.window, place)
            queue = kernel.QUEUE if p.term.exceeded == "queue" else kernel.REJECT
            self.limits.append([amount, kind, size, at, many, p.start, p.end, queue])
        self.allowances: list[list[int]] = []
        for p, amount in zip(self.run.allowances, self.amounts_a, strict=True):
            t = p.term
            kind, size, at, many = self._window(t.reset, t.zone, t.window, place)
            unit = {"tokens": kernel.TOKENS, "requests": kernel.REQUESTS}.get(t.unit, kernel.MONEY)
            edge = {"split": kernel.SPLIT, "whole": kernel.WHOLE, "fits": kernel.FITS}[t.edge]
            begins = BEGINNING if isinstance(t.starts, str) else microseconds(t.starts)
            ends = (
                (0, 0)
                if t.expires_after is None or isinstance(t.expires_after, str)
                else length(t.expires_after)
            )
            self.allowances.append(
                [amount, unit, kind, size, at, many, p.start, p.end, edge, int(t.used_up == "reject"), begins,
                 *ends, int(t.buy == "as_needed")]
            )  # fmt: skip
        self.bounds = np.array(bounds or [0], dtype=np.int64)
        rows = len(batch)
        self.rolls = [
            self._roll(self.past, rows, self.roll_limit),
            self._roll(self.past_a, rows, self.roll_allow),
        ]

    def _window(self, per: str, zone: str, window: Any, place: Any) -> tuple[int, int, int, int]:
        if per == "none":
            return kernel.ALWAYS_OPEN, 0, 0, 0
        if per == "request":
            return kernel.EACH, 0, 0, 0
        if per == "rolling":
            size, months = length(window)
            if months:
                raise DataError("a rolling window is given in minutes, hours or days, not months")
            return kernel.ROLLING, size, 0, 0
        if per in CLOCK_LENGTH:
            return kernel.CLOCK, CLOCK_LENGTH[per], 0, 0
        return kernel.CALENDAR, 0, *place(per, zone)

    def _roll(self, past: list[list[list[tuple[int, int]]]], rows: int, needed: bool) -> tuple[Ints, ...]:
        """Events of rolling windows that still count, with room for this batch's."""
        carried = max((len(events) for slots in past for events in slots), default=0)
        room = carried + rows if needed else 1
        n = len(past)
        time = np.zeros((n, self.models, room), dtype=np.int64)
        amount = np.zeros((n, self.models, room), dtype=np.int64)
        head = np.zeros((n, self.models), dtype=np.int64)
        tail = np.zeros((n, self.models), dtype=np.int64)
        for j, slots in enumerate(past):
            for s, events in enumerate(slots):
                tail[j, s] = len(events)
                if events:
                    time[j, s, : len(events)] = [t for t, _ in events]
                    amount[j, s, : len(events)] = [a for _, a in events]
        return time, amount, head, tail

    def fits(self, quantities: Ints, sums: Ints, rate: list[list[int]]) -> bool:
        """Whether no sum of the pass can leave 64 bits."""
        tokens = sums.sum(axis=0, dtype=np.float64)  # only a bound is wanted
        dearest = [max(column) for column in zip(*rate, strict=True)] or [0] * len(METERS)
        money = 1.01 * sum(q * r for q, r in zip(tokens.tolist(), dearest, strict=True))
        increment = self.run._increment() * self.run.scale * len(quantities)
        return max([money, 1.01 * float(tokens.sum()), increment, *self.amounts_l, *self.amounts_a]) < LARGEST

    def limit_state(self, kind: Any) -> tuple[Ints, ...]:
        self.used = self.used.astype(kind)
        table = np.array(self.limits, dtype=kind).reshape(len(self.limits), 8)
        return (table, self.limit_meters, self.limit_slots, self.used, self.limit_window, *self.rolls[0])

    def allowance_table(self, kind: Any) -> Ints:
        return np.array(self.allowances, dtype=kind).reshape(len(self.allowances), 14)

    def allowance_for(self, kinds: list[tuple[frozenset[Atom], int]]) -> Ints:
        """[K, G] whether the allowance counts for a kind of request: service tiers may be left out."""
        from pricewar.billing.tariff import TierIn

        table = np.ones((len(self.run.allowances), len(kinds)), dtype=np.bool_)
        for a, p in enumerate(self.run.allowances):
            if p.term.tier is not None:
                atom = TierIn(frozenset(p.term.tier))
                table[a] = [atom in atoms for atoms, _ in kinds]
        return table

    def allowance_state(self, kind: Any) -> tuple[Ints, ...]:
        self.left = self.left.astype(kind)
        return self.left, self.window, self.started, self.bought, *self.rolls[1]

    def settle(self, kind: Any) -> None:
        """Keep the events of rolling windows that may still count."""
        for past, (time, amount, head, tail) in zip((self.past, self.past_a), self.rolls, strict=True):
            for j, slots in enumerate(past):
                for s in range(len(slots)):
                    at = slice(int(head[j, s]), int(tail[j, s]))
                    slots[s] = list(zip(time[j, s, at].tolist(), amount[j, s, at].tolist(), strict=True))
        del self.rolls, kind


class _Assembly:
    """A run's sums as a bill."""

    def __init__(self, run: Run) -> None:
        self.run, self.tariff = run, run.tariff
        self.bill = Bill(run.tariff, requests=run.requests)
        self._usage_lines()
        self._allowance_lines()
        self._charges()
        self._outcome()
        self.bill.total = sum((line.amount for line in self.bill.lines), Fraction(0))

    def _line(self, rule: Term, amount: Fraction, *, meter: str = "charge", quantity: Fraction | int = 1,
              unit: str = "", price: Fraction | None = None, per: int = 1, version: int | None = None,
              month: str | None = None) -> None:  # fmt: skip
        at = len(self.tariff.versions) - 1 if version is None else version
        self.bill.lines.append(Line(meter, Fraction(quantity), unit, price, per, amount, rule, at, month))

    def _usage_lines(self) -> None:
        """Paid use: equal meter, price, rule and month make one line."""
        grouped: dict[tuple[str, Fraction, int, int, str | None], tuple[Price, int]] = {}
        monthly = self.run.months is not None
        for (atoms, month), quantities in self.run.paid.items():
            prices = self.run.prices[atoms]
            for m, meter in enumerate(METERS):
                quantity = quantities[m]
                if quantity == 0:
                    continue
                price = prices.get(meter)
                if meter in TOKEN_METERS and (price is None or price.amount):
                    self.bill.paid_tokens += quantity
                elif meter in TOKEN_METERS:
                    self.bill.free_tokens += quantity
                if price is None:
                    if meter != "requests" and not self.run.capacity:
                        self.bill.unpriced[meter] = self.bill.unpriced.get(meter, 0) + quantity
                    continue
                key = (
                    meter,
                    price.amount,
                    self.tariff.rules.index(price.rule),
                    month if monthly else 0,
                    price.borrowed,
                )
                before = grouped.get(key, (price, 0))[1]
                grouped[key] = (price, before + quantity)
        for (meter, amount, _, month, _), (price, quantity) in sorted(
            grouped.items(), key=lambda item: (item[0][3], METERS.index(item[0][0]), item[0][2])
        ):
            billed = Fraction(quantity)
            steps = [r for r in self.tariff.versions[price.rule.version].charges.rounding if r.per == "line"]
            for step in steps:
                if step.unit == "tokens" and billed % step.increment:
                    billed = _to_increment(billed, step.increment, "up")
                    args = {"increment": str(decimal(step.increment))}
                    self._bit("rounding", args, "quantities are rounded up")
            due = billed * amount
            for step in steps:
                if step.unit == "money" and due % step.increment:
                    due = _to_increment(due, step.increment, step.direction)
                    args = {"increment": str(decimal(step.increment))}
                    self._bit("rounding", args, "amounts are rounded")
            per = 10**6 if meter in TOKEN_METERS else 10**3
            unit = "tokens" if meter in TOKEN_METERS else meter
            name = f"{month // 12}-{month % 12 + 1:02d}" if monthly else None
            self._line(_rule(price), due, meter=meter, quantity=billed, unit=unit, price=amount * per,
                       per=per, version=price.rule.version, month=name)  # fmt: skip

    def _allowance_lines(self) -> None:
        run = self.run
        gross = sum((line.amount for line in self.bill.lines), Fraction(0))
        by_rate, credited = self.bill.paid_tokens, 0
        for a, period in enumerate(run.allowances):
            term = period.term
            text = allowance_words(term)
            rule = Term("allowance", {"allowance": text}, text)
            tokens = 0
            per_meter = [0] * len(METERS)
            for (which, _), quantities in run.covered.items():
                if which == a:
                    per_meter = [x + y for x, y in zip(per_meter, quantities, strict=True)]
            for m, meter in enumerate(METERS):
                if per_meter[m] and meter in TOKEN_METERS:
                    tokens += per_meter[m]
                    self._line(rule, Fraction(0), meter=meter, quantity=per_meter[m], unit="tokens",
                               price=Fraction(0), per=10**6, version=period.version)  # fmt: skip
            if term.price == 0:
                self.bill.free_tokens += tokens
            else:
                self.bill.paid_tokens += tokens
            if run.credit[a]:
                worth = Fraction(run.credit[a], run.scale)
                if term.price == 0 and gross:
                    given = int(by_rate * worth / gross)  # money is not given by the token: in proportion
                    self.bill.free_tokens += given
                    credited += given
                self._line(rule, -worth, meter="credit", version=period.version)
            memory = run._memory
            bought = int(memory.bought[a].sum()) if memory is not None else 0
            if bought and term.price:
                self._line(
                    Term("pack_bought", {"count": bought, "amount": text}, f"{bought} × {text}"),
                    bought * term.price, meter="pack", quantity=bought, unit="packs", price=term.price,
                    version=period.version,
                )  # fmt: skip
                packs = "1 pack" if bought == 1 else f"{bought} packs"
                self._bit("pack_bought", {"count": bought, "amount": text}, f"{packs} bought")
                if memory is not None and term.reset == "none":
                    left = sum(int(x) for x, b in zip(memory.left[a], memory.bought[a], strict=True) if b)
                    if left > 0:
                        self._bit(
                            "unused_forfeited", {"amount": count(left)}, f"{count(left)} bought and unused"
                        )
        self.bill.paid_tokens -= credited
        if run.extra:
            amount = Fraction(run.extra, run.scale)
            self._line(Term("rounding", {}, "each request rounded up"), amount, meter="rounding")
            self._bit("rounding", {"increment": str(decimal(run._increment()))}, "each request is rounded up")

    def _months(self, zone: str) -> int:
        from datetime import timedelta

        from pricewar.billing.tariff import EPOCH
        from pricewar.offers.schema import zone_of

        if self.run.first is None or self.run.last is None:
            return 0
        first, last = (
            (EPOCH + timedelta(microseconds=t)).astimezone(zone_of(zone))
            for t in (self.run.first, self.run.last)
        )
        return (last.year - first.year) * 12 + last.month - first.month + 1

    def _charges(self) -> None:
        charges, bill, run = self.tariff.charges, self.bill, self.run
        if run.first is None or run.last is None or run.nothing_known:
            return
        for fixed in charges.fixed:
            periods = self._months(fixed.zone) if fixed.per == "month" else 1
            rule = Term("fixed", {"per": fixed.per}, f"fixed charge per {fixed.per}")
            self._line(rule, fixed.amount * periods, quantity=periods, unit=fixed.per, price=fixed.amount)
        if charges.commitment is not None:
            self._commitment()
        if charges.minimum is not None:
            least = charges.minimum
            by_month: dict[str | None, Fraction] = {}
            for line in bill.lines:
                key = line.month if least.per == "month" else None
                by_month[key] = by_month.get(key, Fraction(0)) + line.amount
            by_month = by_month or {None: Fraction(0)}
            if least.per == "month":
                known = sum(1 for key in by_month if key is not None)
                missing = self._months(least.zone) - known
                short = [
                    least.amount - a for key, a in by_month.items() if key is not None and a < least.amount
                ]
                short += [least.amount] * missing
            else:
                short = [least.amount - a for a in by_month.values() if a < least.amount]
            if short:
                amount = sum(short, Fraction(0))
                args = {"amount": str(decimal(least.amount)), "per": least.per}
                self._line(Term("minimum", args, f"up to the minimum per {least.per}"), amount)
                self._bit("minimum", args, f"a minimum of {args['amount']} per {least.per}")
        subtotal = sum((line.amount for line in bill.lines), Fraction(0))
        if charges.platform_fee is not None and subtotal > 0:
            fee = max(subtotal * charges.platform_fee.percent / 100, charges.platform_fee.minimum)
            percent = str(decimal(charges.platform_fee.percent))
            self._line(Term("platform_fee", {"percent": percent}, f"platform fee of {percent}%"), fee)
            self._bit("platform_fee", {"percent": percent}, f"a platform fee of {percent}%")
            subtotal += fee
        for rule in charges.rounding:
            if rule.per == "bill" and rule.unit == "money":
                due = _to_increment(subtotal, rule.increment, rule.direction)
                if due != subtotal:
                    self._line(Term("rounding", {}, "the bill rounded"), due - subtotal, meter="rounding")
                    subtotal = due
        if charges.prepayment is not None and 0 < subtotal < charges.prepayment:
            amount = str(decimal(charges.prepayment))
            self._bit("prepayment", {"amount": amount}, f"{amount} must be put down at least")

    def _commitment(self) -> None:
        owed, run = self.tariff.charges.commitment, self.run
        assert owed is not None
        assert run.first is not None
        assert run.last is not None
        hour = CLOCK_LENGTH["hour"]
        if owed.per == "hour":
            periods = run.last // hour - run.first // hour + 1
        else:
            periods = self._months(owed.zone)
        price = owed.amount * owed.units
        committed = price * periods
        args = {"amount": str(decimal(price)), "per": owed.per, "unused": owed.unused}
        rule = Term("commitment", args, f"committed for each {owed.per}, used or not")
        if owed.buys == "capacity":
            self._line(rule, committed, quantity=periods, unit=owed.per, price=price)
            self._bit("commitment", args, f"{args['amount']} owed for each {owed.per}, used or not")
            return
        spent: dict[str | None, Fraction] = {}
        for line in self.bill.lines:
            spent[line.month] = spent.get(line.month, Fraction(0)) + line.amount
        if owed.unused == "carry":
            short = max(committed - sum(spent.values(), Fraction(0)), Fraction(0))
        else:
            used = [a for key, a in spent.items() if key is not None]
            short = sum((max(price - a, Fraction(0)) for a in used), Fraction(0)) + price * (
                periods - len(used)
            )
        if short > 0:
            self._line(rule, short, quantity=1, price=short)
            self._bit("commitment", args, f"{args['amount']} owed for each {owed.per}, used or not")

    def _bit(self, key: str, args: Mapping[str, Any], text: str) -> None:
        if all(term.key != key or term.args != args for term in self.bill.bit):
            self.bill.bit.append(Term(key, args, text))

    def _outcome(self) -> None:
        run, bill = self.run, self.bill
        terms = self._causes()
        for term, (requests, tokens) in zip(terms, run.refused_by, strict=True):
            if requests:
                bill.refused.append((term, requests, tokens))
        bill.served = bill.requests - sum(requests for _, requests, _ in bill.refused)
        for term, times in zip(terms, run.bit, strict=False):
            if times:
                self._bit(term.key, term.args, term.text)
        for term in terms[len(run.bit) :]:
            if any(term is t for t, _, _ in bill.refused):
                self._bit(term.key, term.args, term.text)
        self._rates_that_bit()
        bill.queued, bill.longest_wait = int(run.state[1]), int(run.state[2])

    def _rates_that_bit(self) -> None:
        """Cliffs and peak hours: the share of paid tokens charged at a dearer price than the plain one."""
        cliff: dict[int, int] = {}
        peak = 0
        for (atoms, _), quantities in self.run.paid.items():
            tokens = sum(quantities[:6])
            price = self.run.prices[atoms].get("output") or self.run.prices[atoms].get("input")
            if not tokens or price is None:
                continue
            window = price.rule.window
            if window.input_above is not None:
                cliff[window.input_above] = cliff.get(window.input_above, 0) + tokens
            elif window.hours is not None or window.weekdays is not None:
                plain = self.tariff.resolve(frozenset(a for a in atoms if isinstance(a, Between | ServedBy)))
                usual = plain.get("output") or plain.get("input")
                if usual is not None and price.amount > usual.amount:
                    peak += tokens
        paid = max(self.run.tokens, 1)  # shares are of all the work
        for above, tokens in sorted(cliff.items()):
            share = str(round(tokens / paid, 4))
            self._bit(
                "cliff",
                {"above": above, "share": share},
                f"{float(share):.0%} of tokens above {above:,} input",
            )
        if peak:
            share = str(round(peak / paid, 4))
            self._bit("peak_hours", {"share": share}, f"{float(share):.0%} of tokens at peak price")

    def _causes(self) -> list[Term]:
        terms = [limit_words(p.term) for p in self.run.limits]
        for p in self.run.allowances:
            amount = p.term.amount if isinstance(p.term.amount, Fraction) else None
            unit = self.tariff.record.currency if p.term.unit == "money" else p.term.unit
            shown = (
                UNKNOWN
                if amount is None
                else f"{decimal(amount):f}"
                if p.term.unit == "money"
                else count(amount)
            )
            text = f"allowance of {shown} {unit} used up"
            terms.append(Term("allowance_used_up", {"amount": shown, "unit": unit}, text))
        return [
            *terms,
            Term("no_paid_rate", {}, "nothing is for sale beyond the free use"),
            Term("not_in_force", {}, "the offer was not in force"),
            Term("not_deferrable", {}, "only work that can wait is taken"),
            Term("unknown_limits", {}, "what is not published or not logged cannot be counted on"),
            Term("request_too_large", {}, "longer than the model's context"),
        ]


def _to_increment(amount: Fraction, step: Fraction, direction: str) -> Fraction:
    steps = amount / step
    return (-(-steps // 1) if direction == "up" else round(steps)) * step


def limit_words(limit: Limit) -> Term:
    """A limit in words."""
    amount = count(limit.amount) if isinstance(limit.amount, Fraction) else UNKNOWN
    meters = set(limit.meters)
    if meters >= {"input", "output"}:
        meter = "tokens"
    elif meters > {"input"} and meters <= set(METERS[:4]):
        meter = "input tokens"
    else:
        meter = "/".join(limit.meters)
    per = limit.per
    if limit.per == "rolling" and limit.window is not None:
        window = limit.window.model_dump(exclude_none=True)
        per = "rolling " + " ".join(f"{n} {unit}" for unit, n in window.items())
    return Term(
        "limit_hit", {"meter": meter, "amount": amount, "per": per}, f"limit of {amount} {meter} per {per}"
    )


def allowance_words(allowance: Allowance) -> str:
    """An allowance in words."""
    amount = count(allowance.amount) if isinstance(allowance.amount, Fraction) else UNKNOWN
    often = "" if allowance.reset == "none" else f" per {allowance.reset}"
    what = "prepaid" if allowance.price else "free"
    return f"{amount} {allowance.unit} {what}{often}"


def _rule(price: Price) -> Term:
    """Why a price applies, in words."""
    window = price.rule.window
    parts: list[str] = []
    key, args = "list_price", {}
    if price.borrowed is not None:
        key, args = "cache_fallback", {"meter": price.borrowed}
        parts.append(f"charged as {price.borrowed}: no price of its own")
    if window.input_above is not None:
        key, args = "above", {"n": window.input_above}
        parts.append(f"input above {window.input_above:,} tokens")
    if window.tier is not None:
        key, args = "tier", {"tier": window.tier[0]}
        parts.append(f"{'/'.join(window.tier)} tier")
    if window.hours is not None or window.weekdays is not None:
        days = ", ".join(window.weekdays) if window.weekdays else "every day"
        key, args = "window", {"hours": window.hours or "00:00-24:00", "zone": window.zone, "weekdays": days}
        parts.append(f"{window.hours or 'all day'} {window.zone}, {days}")
    for rule in price.times:
        if rule.times is not None:
            parts.append(
                f"× {decimal(rule.times)}" + (f" ({rule.window.tier[0]})" if rule.window.tier else "")
            )
    if len(parts) > 1:
        key, args = "rule", {}
    return Term(key, args, "; ".join(parts) or "list price")
