"""Why an invoice differs from our bill: one chain of exact steps for every part of it.

For each node (`reconcile_match`) the chain begins with our amount and ends with what was charged; every step
has one cause, so causes and the unexplained rest add up to the gap and nothing is counted twice. Quantities
are changed first, at our prices; then prices, at the invoice's quantities; then what was taken off or added:

    our bill → time zone of the day → tier (tokens moved between tiers) → cache (between input and its caches)
    → free tokens left out of the invoice → rounding of quantities → usage missing from log or invoice
    → a factor on all prices: currency, tax, discount, markup → tier (told by the price) → list price
    → rounding of amounts → discounts, packages, credits, tax, fees, commitments → unexplained → invoice
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from pricewar.billing.reconcile_match import Clock, Matching, Node
from pricewar.billing.reconcile_parts import (
    Row,
    State,
    is_free,
    listed,
    most,
    significant,
    simplest,
)
from pricewar.billing.reconcile_usage import Key, Usage
from pricewar.offers.catalogue import Offer
from pricewar.units import TOKEN_METERS, count, decimal

INPUT: Final = ("input", "cache_read", "cache_write_5m", "cache_write_1h")
NAMED_TIERS: Final = ("batch", "flex", "priority")
TIDY: Final = 4
"""Significant digits of a price that one line alone can show; a longer one must hold on several lines."""


class Attribution:
    """Every node's chain of steps.

    Attributes:
        rows: one for each node with lines or usage, in the order of the nodes.
        implied: factors found, in words.
    """

    def __init__(
        self, matching: Matching, usage: Usage, clock: Clock, unit: Fraction, step: Fraction
    ) -> None:
        """`unit`: in what amounts are written; `step`: to what quantities are rounded."""
        self.usage, self.unit, self.step, self.clock = usage, unit, step, clock
        self.implied: list[str] = []
        known = set(matching.tiers)
        self.states = [self._begin(n, known) for n in matching.nodes]
        families: dict[tuple[Key, int, int], list[State]] = {}
        for state in self.states:
            families.setdefault((state.node.key, state.node.start, state.node.end), []).append(state)
        self._rounded = self._rounds()
        for family in families.values():
            self._shifts(family)
        self._given()
        for family in families.values():
            self._missing(family)
        priced = [s for s in self.states if s.node.lines and not s.unlisted]
        self._factors(priced)
        self._tiers_by_price(priced)
        self._list_prices(priced)
        for state in self.states:
            self._end(state)
        self.rows = [s.row for s in self.states if s.node.lines or s.row.ours or s.row.causes]

    # -- the beginning

    def _begin(self, node: Node, known: set[Key]) -> State:
        billed = node.billed
        row = Row(
            node.key[0], node.key[1], node.meter, node.tier,
            self.usage.label_of(node.start), self.usage.label_of(node.end),
            Fraction(node.logged), billed if node.lines else Fraction(0), node.before, node.charged,
            items=tuple(dict.fromkeys(line.item for line in node.lines if line.item)),
            places=tuple(line.place for line in node.lines),
        )  # fmt: skip
        row.step("zone", node.amount - node.before, f"days begin at midnight {self.clock.name}")
        need = None if billed is None else billed - node.logged
        price = node.amount / node.logged if node.logged and not node.unpriced else None
        if price is None and node.meter is not None and node.key[1] and not node.unpriced:
            price = self._price(node, node.tier or "standard")
        return State(node, row, node.amount, price, need, price is None and node.key in known)

    def _price(self, node: Node, tier: str) -> Fraction | None:
        found = self.usage.listed(node.key, tier, (node.start + node.end) // 2)
        if found is None or node.meter not in found[1]:
            return None
        return found[1][node.meter].amount * self.usage.rate(found[0].offer)

    def _tolerance(self, state: State) -> Fraction:
        """Less than this apart is rounding: one unit of the last place for each line."""
        return self.unit * max(len(state.node.lines), 1)

    # -- quantities, at our prices

    def _rounds(self) -> bool:
        """Whether the invoice rounds quantities: all up, all down, or all to the nearest."""
        if self.step == 1:
            return False
        apart = [
            s.need / len(s.node.lines)
            for s in self.states
            if s.node.lines and s.need and abs(s.need) < self.step * len(s.node.lines)
        ]
        rules: tuple[Callable[[Fraction], bool], ...] = (
            lambda d: d > 0,
            lambda d: d < 0,
            lambda d: 2 * abs(d) <= self.step,
        )
        return len(apart) >= 3 and any(all(rule(d) for d in apart) for rule in rules)

    def _shifts(self, family: list[State]) -> None:
        counted = [s for s in family if s.need is not None and s.node.meter is not None]
        silent = [s for s in family if s.node.lines and s.need is None]
        for state in silent:
            self._cache_by_amount(state, family)
        self._moves(counted, lambda a, b: a.node.meter == b.node.meter)
        self._moves(counted, lambda a, b: _tier(a) == _tier(b) and _both_input(a, b))
        self._moves(counted, lambda a, b: _both_input(a, b))

    def _given(self) -> None:
        """Free tokens that the invoice leaves out: the same round number of a vendor's tokens every day, or
        as many of a model's in all as a grant of the catalogue has."""
        short = [s for s in self.states if (s.need or 0) < 0 and s.node.meter in TOKEN_METERS and s.price]
        by_day: dict[str | None, dict[tuple[int, int], list[State]]] = {}
        by_key: dict[Key, list[State]] = {}
        for state in short:
            node = state.node
            by_day.setdefault(node.key[0], {}).setdefault((node.start, node.end), []).append(state)
            by_key.setdefault(node.key, []).append(state)
        for vendor, days in by_day.items():
            totals = {
                day: sum((-(s.need or Fraction(0)) for s in found), Fraction(0))
                for day, found in days.items()
            }
            most = max(totals.values())
            full = [days[day] for day, total in totals.items() if total == most]
            logged = {sum(s.node.logged for s in found) for found in full}
            partly = all(any(s.node.billed for s in found) for found in full)
            if len(full) >= 3 and len(logged) > 1 and partly and most % 1000 == 0:
                self._free(short, vendor, most, "a day", self._granted(vendor, most, ("day",)))
        billed = {s.node.key for s in self.states if s.node.billed}  # else the whole model is missing
        for key, found in by_key.items():
            total = sum((-(s.need or Fraction(0)) for s in found), Fraction(0))
            if total and key in billed and (grant := self._granted(key[0], total, ("none", "month"))):
                self._free(found, key[0], total, "in all", grant)

    def _granted(self, vendor: str | None, amount: Fraction, resets: tuple[str, ...]) -> str | None:
        """The offer of a vendor that gives so many tokens free."""
        for offer in self.usage.catalogue.offers.values():
            for version in offer.versions if offer.latest.vendor == vendor else ():
                for a in version.allowances:
                    if a.unit == "tokens" and a.amount == amount and a.reset in resets and not a.price:
                        return offer.id
        return None

    def _free(
        self, states: Sequence[State], vendor: str | None, amount: Fraction, often: str, grant: str | None
    ) -> None:
        why = f"{count(amount)} tokens {often} are not on the invoice" + (
            f", as {grant} gives" if grant else ""
        )
        for state in states:
            if state.node.key[0] == vendor and state.need:
                self._step(state, "allowance", state.need * (state.price or 0), why)
                state.need = Fraction(0)

    def _missing(self, family: list[State]) -> None:
        for state in family:
            if not state.need:
                continue
            effect = state.need * (state.price or 0)
            small = self._rounded and abs(state.need) < self.step * max(len(state.node.lines), 1)
            cause = "rounding" if small else "missing_log" if state.need > 0 else "missing_invoice"
            why = {
                "rounding": f"quantities are multiples of {decimal(self.step):,f}",
                "missing_log": "the invoice counts more than the log holds",
                "missing_invoice": "the log holds more than the invoice counts",
            }[cause]
            if not state.node.lines:
                why = "no line of the invoice is about it"
            elif not state.node.logged:
                why = "the log holds nothing of it"
            self._step(state, cause, effect, why)
            state.need = Fraction(0)

    def _step(self, state: State, cause: str, effect: Fraction, why: str) -> None:
        state.row.step(cause, effect, why)
        state.value += effect

    def _moves(self, states: list[State], together: Callable[[State, State], bool]) -> None:
        """Tokens that the log has in one place and the invoice in another."""
        for target in states:
            for source in states:
                if (target.need or 0) <= 0:
                    break
                if source is target or (source.need or 0) >= 0 or not together(source, target):
                    continue
                if source.price is None:
                    continue
                if target.price is None:
                    target.price, target.unlisted = source.price, False
                self._move(source, target, min(target.need or Fraction(0), -(source.need or Fraction(0))))

    def _move(self, source: State, target: State, moved: Fraction) -> None:
        assert source.need is not None
        assert target.need is not None
        assert source.price is not None
        assert target.price is not None
        a, b = source.node, target.node
        old, new = _tier(source), _tier(target)
        if old != new:
            tier = new if new != "standard" else old
            cause = tier if tier in NAMED_TIERS else "tier"
            why = f"{old} in the log, {new} on the invoice"
            between = self._price(a, new) if a.meter != b.meter else target.price
            between = between if between is not None else source.price
            self._step(source, cause, -moved * source.price, why)
            self._step(target, cause, moved * between, why)
            if a.meter != b.meter:
                why = f"{a.meter} in the log, {b.meter} on the invoice"
                self._step(target, "cache", moved * (target.price - between), why)
        else:
            why = f"{a.meter} in the log, {b.meter} on the invoice"
            self._step(source, "cache", -moved * source.price, why)
            self._step(target, "cache", moved * target.price, why)
        source.need += moved
        target.need -= moved

    def _cache_by_amount(self, state: State, family: list[State]) -> None:
        """An invoice without quantities whose input is what input and cached tokens cost without a cache."""
        if state.node.meter != "input" or state.price is None:
            return
        caches = [
            s for s in family
            if not s.node.lines and s.node.meter in INPUT[1:] and s.node.logged
            and state.node.tier in (None, s.node.tier)
        ]  # fmt: skip
        cached = sum(s.node.logged for s in caches)
        if cached and abs(state.value + cached * state.price - state.amount) < self._tolerance(state):
            for source in caches:
                why = f"{source.node.meter} in the log, charged as input"
                self._step(source, "cache", -source.value, why)
                self._step(state, "cache", source.node.logged * state.price, why)
                source.need = Fraction(0)

    # -- prices, at the invoice's quantities

    def _factors(self, states: list[State]) -> None:
        """A factor that several prices share: another exchange rate, tax in the price, a discount."""
        groups: dict[str, list[State]] = {}
        for state in states:
            if state.priced > 0 and state.amount > 0:
                groups.setdefault(self._offer(state).latest.currency, []).append(state)
        for currency, group in groups.items():
            foreign = currency != self.usage.currency
            found = self._shared(group, foreign)
            if found is not None:
                for state in group:
                    self._apply(state, found, foreign)
            elif foreign:  # a rate of each day's own
                days: dict[tuple[int, int], list[State]] = {}
                for state in group:
                    days.setdefault((state.node.start, state.node.end), []).append(state)
                for day in days.values():
                    found = self._shared(day, foreign)
                    if found is not None:
                        for state in day:
                            self._apply(state, found, foreign)

    def _ratios(self, state: State) -> tuple[Fraction, Fraction]:
        width = self._tolerance(state)
        return (state.amount - width) / state.priced, (state.amount + width) / state.priced

    def _shared(self, group: list[State], foreign: bool) -> Fraction | None:
        """The factor most of the money agrees on, where it is not 1 and not one series' alone."""
        kinds = {(s.node.key, s.node.meter, s.node.tier) for s in group}
        near = Fraction(1, 20)
        spans = [(*self._ratios(s), s) for s in group]
        money = sum((s.priced for s in group), Fraction(0))
        as_is = [s for low, high, s in spans if low < 1 < high or self._tier(s) is not None]
        low, high, weight = most(spans)
        if weight <= sum((s.priced for s in as_is), Fraction(0)) or 2 * weight < money or low < 1 < high:
            return None
        inside = [s for a, b, s in spans if a <= low < b]
        factor = simplest(low, high)
        if foreign:  # a rate is a decimal of the recorded one's size
            rate = self.usage.rate(self._offer(inside[0]))
            factor = simplest(low * rate, high * rate) / rate
        shared = {(s.node.key, s.node.meter, s.node.tier) for s in inside}
        if len(shared) < 2 and not (foreign and len(kinds) == 1 and abs(factor - 1) <= near):
            return None
        return factor

    def _offer(self, state: State) -> Offer:
        found = self.usage.listed(state.node.key, "standard", state.node.start)
        offers = self.usage.catalogue.offers
        return found[0].offer if found is not None else offers[next(iter(state.node.offers))]

    def _apply(self, state: State, factor: Fraction, foreign: bool) -> None:
        cause, why = self._named(state, factor, foreign)
        self._step(state, cause, state.value * (factor - 1), why)
        state.factor = factor
        if why not in self.implied:
            self.implied.append(why)

    def _named(self, state: State, factor: Fraction, foreign: bool) -> tuple[str, str]:
        if foreign:
            base, to = self._offer(state).latest.currency, self.usage.currency
            ours, record = self.usage.catalogue.exchange(base, to, self.usage.on)
            on = f" of {record.on}" if record is not None else ""
            implied = f"the invoice implies 1 {base} = {_short(ours * factor)} {to}"
            why = f"{implied}; our record{on} is {_short(ours)}"
            if abs(factor - 1) > Fraction(1, 20):
                why += "; a tax or discount in the prices would look the same"
            return "currency", why
        percent = (factor - 1) * 100
        if percent < 0:
            return "discount", f"every price is {_short(-percent)}% below the catalogue's"
        if percent.denominator == 1 and 3 <= percent <= 27:
            return "tax", f"every price is {percent}% above the catalogue's, as with tax included"
        return "fee", f"every price is {_short(percent)}% above the catalogue's"

    def _tier(self, state: State) -> tuple[str, Fraction] | None:
        """A tier whose catalogue price is what the line says, where the line tells no tier, or wrongly."""
        if state.price is None or state.node.meter is None or not state.node.key[1]:
            return None
        if state.node.tier not in (None, "standard") or not state.price:
            return None
        for tier in self.usage.tiers_of(state.node.key, (state.node.start + state.node.end) // 2):
            price = self._price(state.node, tier)
            if price is None or price == state.price:
                continue
            off = abs(state.priced * price / state.price - state.amount)
            width = self._tolerance(state)
            if off < width and abs(state.priced - state.amount) > 10 * width:  # else rounding could do it
                return tier, price
        return None

    def _tiers_by_price(self, states: list[State]) -> None:
        for state in states:
            if self._close(state):
                continue
            found = self._tier(state)
            if found is not None:
                tier, price = found
                cause = tier if tier in NAMED_TIERS else "tier"
                effect = state.value * (price / (state.price or 1) - 1)
                self._step(state, cause, effect, f"charged at the price of {tier}")
                state.price, state.settled = price, True

    def _close(self, state: State) -> bool:
        return abs(state.amount - state.priced) < self._tolerance(state)

    def _list_prices(self, states: list[State]) -> None:
        """Other prices than ours that hold on several lines, or are too tidy to be chance."""
        series: dict[tuple[Key, str, str | None], list[State]] = {}
        for state in states:
            node = state.node
            if node.meter is None or state.settled or self._close(state) or state.quantity <= 0:
                continue
            if state.price is not None:
                series.setdefault((node.key, node.meter, node.tier), []).append(state)
        for found in series.values():
            found.sort(key=lambda s: s.node.start)
            run: list[State] = []
            low = high = Fraction(0)
            for state in found:
                least, most = self._unit_price(state)
                if run and max(low, least) <= min(high, most):
                    low, high = max(low, least), min(high, most)
                    run.append(state)
                    continue
                self._reprice(run, low, high)
                run, low, high = [state], least, most
            self._reprice(run, low, high)

    def _unit_price(self, state: State) -> tuple[Fraction, Fraction]:
        """Between which bounds the invoice's price for a million lies, in our price's own currency."""
        width = self._tolerance(state)
        scale = state.quantity * self._scale(state) / 10**6
        return (state.amount - width) / scale, (state.amount + width) / scale

    def _scale(self, state: State) -> Fraction:
        return self.usage.rate(self._offer(state)) * state.factor

    def _reprice(self, run: Sequence[State], low: Fraction, high: Fraction) -> None:
        if not run:
            return
        exact = run[0].node.billed is not None
        price = simplest(max(low, Fraction(0)), high)
        narrow = high - low <= abs(price) / 100
        enough = len(run) >= (2 if exact else 3)
        if not narrow or not (enough or (exact and significant(price) <= TIDY)):
            return
        for state in run:
            offer = self._offer(state)
            scale = self._scale(state)
            ours = state.own() / scale * 10**6
            version = offer.on(_moment(self.usage, state.node)) or offer.latest
            since = version.in_force.from_
            dated = f"since {since:%Y-%m-%d}, " if isinstance(since, datetime) else ""
            read = version.sources[0].read_on
            why = (
                f"{_short(price)} {offer.latest.currency} per million on the invoice, {_short(ours)} in the "
                f"catalogue ({offer.id}, {dated}read on {read})"
            )
            tokens = state.quantity + state.given
            effect = tokens * price * scale / 10**6 - tokens * state.own()
            self._step(state, "list_price", effect, why)
            state.price = price * scale / 10**6 / state.factor

    # -- the end

    def _end(self, state: State) -> None:
        row, node = state.row, state.node
        if not node.lines:
            return
        left = state.amount - state.priced
        if not node.logged and not state.value:
            if not _nameless(node):  # else nobody can say what it is for, nor that usage is missing
                row.step("missing_log", left, "the log holds nothing of it")
        elif abs(left) < self._tolerance(state):
            row.step("rounding", left, f"amounts are written in {decimal(self.unit):f} {self.usage.currency}")
        elif state.amount == 0 and left < 0 and not state.unlisted:
            row.step("allowance", left, "counted and charged nothing")
        elif state.unlisted:
            what = node.meter or node.key[1] or "it"
            row.step("unlisted", left, f"the catalogue has no price for {what} on {row.start:%Y-%m-%d}")
        free = state.given * state.own()
        for line in node.lines:
            taken = line.amount - listed(line)
            if line.kind == "allowance" and not is_free(line):
                row.step("allowance", taken, line.item)
            elif line.kind == "usage" and taken:
                whole = line.amount == 0 and listed(line) > 0
                row.step("allowance" if whole else "discount", taken, "taken off on the line itself")
        paid = sum((line.amount for line in node.lines if is_free(line)), Fraction(0))
        if free or paid:
            row.step("allowance", paid - free, "tokens an allowance paid for, at our price")


def _nameless(node: Node) -> bool:
    """Whether it is a charge of its own that names no model, meter nor quantity."""
    told = node.meter is not None or node.billed is not None or any(line.model for line in node.lines)
    return bool(node.key[1]) and not told


def _both_input(a: State, b: State) -> bool:
    return a.node.meter in INPUT and b.node.meter in INPUT


def _tier(state: State) -> str:
    """Beside lines that name a tier, one that names none is standard."""
    return state.node.tier or "standard"


def _moment(usage: Usage, node: Node) -> datetime:
    from datetime import UTC

    return usage.label_of((node.start + node.end) // 2).replace(tzinfo=UTC)


def _short(number: Fraction) -> str:
    """A number in at most six significant digits."""
    return f"{decimal(number, 6):f}" if number else "0"
