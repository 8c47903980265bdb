"""The parts of a reconciliation, their steps, and how the exact numbers of an invoice are read.

Amounts on an invoice are rounded decimals; what price or factor lies behind them is the simplest decimal that
rounds to them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import ceil, floor
from typing import Final

from pricewar.billing.reconcile_match import Matching, Node
from pricewar.units import decimal
from pricewar.usage.invoice import Line

CAUSES: Final = {
    "zone": "time zone of the day",
    "batch": "batch tier",
    "flex": "flex tier",
    "priority": "priority tier",
    "tier": "another tier",
    "cache": "cached tokens",
    "missing_log": "usage missing from the log",
    "missing_invoice": "usage missing from the invoice",
    "unlisted": "unlisted model or meter",
    "currency": "exchange rate",
    "list_price": "list price differs from the catalogue",
    "rounding": "rounding",
    "allowance": "allowances, free tokens and packages",
    "limits": "requests the offer would have refused",
    "discount": "discounts",
    "credit": "credits",
    "tax": "tax",
    "fee": "fees",
    "commitment": "commitments and prepayments",
    "adjustment": "adjustments",
}
"""Every cause, in the order in which it is shown, and what it is called."""


@dataclass
class Row:
    """A part of the invoice beside the log, and its steps.

    Attributes:
        start, end: the period on the invoice's clock, naive; None where it is about no period.
        logged, billed: tokens, searches or requests in the log and on the invoice; None where not told.
        ours, charged: our amount and the invoice's, in its currency.
        causes: cause → signed amount; with `unexplained` they add up to charged − ours.
        why: cause → what the evidence is.
        items, places: what the invoice calls the lines, and where they stand.
    """

    vendor: str | None
    model: str
    meter: str | None
    tier: str | None
    start: datetime | None
    end: datetime | None
    logged: Fraction | None
    billed: Fraction | None
    ours: Fraction
    charged: Fraction
    causes: dict[str, Fraction] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def gap(self) -> Fraction:
        return self.charged - self.ours

    @property
    def unexplained(self) -> Fraction:
        return self.gap - sum(self.causes.values(), Fraction(0))

    def step(self, cause: str, amount: Fraction, why: str | None = None) -> None:
        """Add a step; `why` is kept when it changes anything."""
        if amount:
            self.causes[cause] = self.causes.get(cause, Fraction(0)) + amount
            if why is not None:
                self.why[cause] = why


@dataclass
class State:
    """A node under way.

    Attributes:
        value: our amount after the steps so far.
        price: of one token, in the invoice's currency; None where unknown.
        need: tokens the invoice has beyond the log, not yet accounted for; None where it counts none.
        factor: what all prices of the invoice were multiplied with.
    """

    node: Node
    row: Row
    value: Fraction
    price: Fraction | None
    need: Fraction | None
    unlisted: bool
    factor: Fraction = Fraction(1)
    settled: bool = False

    @property
    def amount(self) -> Fraction:
        """What the invoice says before discounts, of what it prices."""
        return sum((listed(line) for line in self.node.lines if not is_free(line)), Fraction(0))

    @property
    def given(self) -> Fraction:
        """Tokens that an allowance paid for, of unstated worth."""
        return sum((line.quantity or Fraction(0) for line in self.node.lines if is_free(line)), Fraction(0))

    @property
    def quantity(self) -> Fraction:
        """Tokens that are priced: the invoice's, else the log's."""
        billed = self.node.billed
        return (Fraction(self.node.logged) if billed is None else billed) - self.given

    @property
    def priced(self) -> Fraction:
        """Our value of what the invoice prices."""
        return self.value - self.given * (self.price or 0) * self.factor

    def own(self) -> Fraction:
        """The price at our rates after the factor."""
        return (self.price or Fraction(0)) * self.factor


def is_free(line: Line) -> bool:
    """Whether an allowance paid for the line and its worth is not told."""
    return line.kind == "allowance" and line.list_amount is None


def listed(line: Line) -> Fraction:
    return line.amount if line.list_amount is None else line.list_amount


def places(amounts: Iterable[Fraction]) -> Fraction:
    """The unit in which amounts are written: the largest 10⁻ᵈ of which all are multiples, d at most 12."""
    unit = Fraction(1)
    for amount in amounts:
        while amount % unit and unit > Fraction(1, 10**12):
            unit /= 10
    return unit


def quantity_step(matching: Matching) -> Fraction:
    """The step to which the invoice rounds quantities, 1 where it does not: a power of ten that all are
    multiples of, where the log's are not."""
    told = [q for n in matching.nodes for line in n.lines if (q := line.quantity)]
    if len(told) < 3:
        return Fraction(1)
    step = Fraction(1)
    while step < 10**9 and all(q % (step * 10) == 0 for q in told):
        step *= 10
    logged = [q for n in matching.nodes if n.lines and (q := sum(n.declared[m] for m in n.meters))]
    odd = sum(1 for q in logged if q % max(step / 10, 1))
    return step if step > 1 and 2 * odd >= max(len(logged), 1) else Fraction(1)


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The decimal with the fewest digits between two bounds, the one nearest the middle; `low` if none has
    at most 15 decimals."""
    middle = (low + high) / 2
    for digits in range(-9, 16):
        scale = Fraction(10) ** digits
        first, last = ceil(low * scale), floor(high * scale)
        if first <= last:
            return Fraction(min(max(round(middle * scale), first), last)) / scale
    return low


def significant(number: Fraction) -> int:
    """Significant digits of a decimal; many where it does not end."""
    shown = decimal(number)
    return len(shown.normalize().as_tuple().digits)


def most(spans: Sequence[tuple[Fraction, Fraction, State]]) -> tuple[Fraction, Fraction, Fraction]:
    """Where the spans that hold the most money meet: from, to, and how much."""
    events = [(low, 1, s.priced) for low, _, s in spans] + [(high, 0, -s.priced) for _, high, s in spans]
    events.sort(key=lambda event: event[:2])  # an end before a beginning at the same point
    weight, best = Fraction(0), (Fraction(1), Fraction(1), Fraction(0))
    for (at, _, change), (following, *_) in zip(events, [*events[1:], events[-1]], strict=True):
        weight += change
        if weight > best[2]:
            best = (at, following, weight)
    return best
