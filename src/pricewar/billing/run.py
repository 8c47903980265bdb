"""The passes of one tariff through the log: batch by batch, with what limits and allowances remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, Literal

import numpy as np

from pricewar.billing import kernel
from pricewar.billing.batch import LARGEST, Batch, Ints, View, signatures
from pricewar.billing.bill import Bill, assemble
from pricewar.billing.tariff import (
    BEGINNING,
    END,
    Atom,
    Period,
    Price,
    Tariff,
    boundaries,
    length,
    microseconds,
)
from pricewar.errors import DataError
from pricewar.offers.schema import Allowance, Limit
from pricewar.units import METERS, UNKNOWN

CLOCK_LENGTH = {"second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6}
NEVER_BARRED = np.int64(-1)
ENDLESS = Fraction(LARGEST // 4)  # stands in for an allowance of unknown size when it is taken to be ample


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
            # Past an allowance that ends in refusal nothing is for sale, also when its size is not known.
            spent = [p for p in tariff.allowances if p.term.used_up == "reject" and self._amount(p) is None]
            self.shut += [(p.start, p.end) for p in spent]
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
        return assemble(self)


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
