"""One tariff's bill: token sums from the passes, multiplied once by exact rates, every charge a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pricewar.billing import kernel
from pricewar.billing.tariff import (
    Between,
    Price,
    ServedBy,
    Tariff,
)
from pricewar.offers.schema import Allowance, Limit
from pricewar.units import METERS, TOKEN_METERS, UNKNOWN, count, decimal

if TYPE_CHECKING:
    from pricewar.billing.run import Run


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


def assemble(run: Run) -> Bill:
    """A run's sums as a bill."""
    return _Assembly(run).bill


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
        hour = kernel.DAY // 24
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
