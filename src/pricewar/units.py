"""Exact quantities: numbers as exact rationals, money with its currency, and how they are written.

A price enters as decimal text and is kept as a `fractions.Fraction`; nothing here passes through a binary
float, so a bill never differs from the arithmetic done by hand.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, Literal

UNKNOWN: Final = "unknown"
"""A value nobody has published. It is neither zero nor infinite."""

Unknown = Literal["unknown"]

METERS: Final = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "search",
    "requests",
)
"""What is counted, as exclusive buckets: a token stands in one of the first six. `search` counts web
searches made for the model, `requests` the calls."""

TOKEN_METERS: Final = METERS[:6]


LONGEST: Final = 1000
"""Decimal places or digits of an amount at most: a larger exponent would fill the memory."""


def exact(text: str | int | Decimal | Fraction) -> Fraction:
    """The rational a decimal text means. Underscores may part thousands.

    Raises:
        ValueError: the text is no finite decimal number, or has an exponent beyond reason.
    """
    if isinstance(text, (int, Decimal, Fraction)):
        return Fraction(text)
    try:
        number = Decimal(text.replace("_", ""))
    except InvalidOperation:
        raise ValueError(f"“{text}” is not a decimal number") from None
    if not number.is_finite():
        raise ValueError(f"“{text}” is not a finite number")
    if abs(number.adjusted()) > LONGEST:
        raise ValueError(f"“{text}” has more digits than any amount")
    return Fraction(number)


def floating(text: str | int | Decimal | Fraction) -> float:
    """`exact`, as a float.

    Raises:
        ValueError: as `exact`, or the number is larger than any float.
    """
    try:
        return float(exact(text))
    except OverflowError:
        raise ValueError(f"“{text}” is larger than any number that can be meant") from None


def rounded(amount: Fraction, places: int) -> Decimal:
    """`amount` to `places` decimals, half to even, as an exact decimal."""
    scaled = round(amount * 10**places)  # Fraction rounds half to even
    return Decimal(scaled).scaleb(-places)


def decimal(amount: Fraction, digits: int = 28) -> Decimal:
    """`amount` as a decimal: exact when it terminates within `digits` significant digits, else rounded."""
    rest, twos, fives = amount.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest == 1:
        places = max(twos, fives)
        return Decimal(amount.numerator * 10**places // amount.denominator).scaleb(-places)
    quotient = Decimal(amount.numerator) / Decimal(amount.denominator)
    return quotient.quantize(Decimal(1).scaleb(quotient.adjusted() - digits + 1), rounding=ROUND_HALF_EVEN)


SYMBOLS: Final = {"USD": "$", "CNY": "¥", "EUR": "€", "JPY": "JP¥", "GBP": "£"}


def money(amount: Fraction, currency: str, places: int | None = None) -> str:
    """`amount` as people write it: two decimals, or enough for three significant digits when below 1."""
    if places is None:
        places = 2
        size = abs(amount)
        if 0 < size < 1:
            while places < 9 and size * 10**places < 100:
                places += 1
    symbol = SYMBOLS.get(currency, currency + " ")
    sign = "−" if amount < 0 else ""
    return f"{sign}{symbol}{rounded(abs(amount), places):,}"


def count(quantity: int | Fraction) -> str:
    """A number of tokens or requests in three significant digits: 1.23 M, 45.6 k, 789."""
    for step, mark in ((10**12, " T"), (10**9, " bn"), (10**6, " M"), (10**3, " k")):
        if abs(quantity) >= step:
            return f"{float(Fraction(quantity) / step):.3g}{mark}"
    return f"{int(quantity)}"
