"""Units of a market's definition: what `USD/GPU-hour` is in `CNY/GPU-month`.

A unit is a product of names with scales before and divisors behind: `CNY/mn tokens`, `tn tokens/day`,
`%/year`. Scales, the calendar and exchange rates bring one unit to another of the same names and powers; a
unit and its inverse are one (`tokens/GPU-second` for `GPU-month/mn tokens`, `month` for `1/month`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

HOURS = 730.5
"""Hours in a month: 8,766 of a year over twelve."""
_SCALES = {
    "thousand": 1e3, "mn": 1e6, "bn": 1e9, "tn": 1e12, "%": 1e-2,
}  # fmt: skip
_NAMES: dict[str, tuple[str, float]] = {
    "year": ("month", 12.0), "quarter": ("month", 3.0), "week": ("month", 168 / HOURS),
    "day": ("month", 24 / HOURS),
    "hour": ("month", 1 / HOURS), "minute": ("month", 1 / HOURS / 60), "second": ("month", 1 / HOURS / 3600),
    "share": ("", 1.0), "ratio": ("", 1.0), "number": ("", 1.0), "switch": ("", 1.0), "elasticity": ("", 1.0),
    "log ratio": ("", 1.0), "1": ("", 1.0),
}  # fmt: skip


def conversion(given: str, target: str, rates: Mapping[str, float]) -> Callable[[float], float] | None:
    """What turns a number in `given` into one in `target`, or None when they measure different things.

    Args:
        rates: units of the target's currency for one unit of each currency, the target's own included (1).

    Raises:
        LookupError: a currency without a rate; its argument is the currency.
    """
    a, names = _read(given, rates)
    b, wanted = _read(target, rates)
    if names == wanted:
        return lambda x: x * (a / b)
    if names == {name: -power for name, power in wanted.items()}:
        return lambda x: 1.0 / (a * b) / x if x != 0.0 else math.inf
    return None


def _read(text: str, rates: Mapping[str, float]) -> tuple[float, dict[str, int]]:
    """A unit as a factor and the powers of its names."""
    factor, powers = 1.0, {}
    for place, part in enumerate(text.split("/")):
        sign = 1 if place == 0 else -1
        for word in _words(part):
            if word in _SCALES:
                factor *= _SCALES[word] ** sign
                continue
            if re.fullmatch("[A-Z]{3}", word) and word != "GPU":
                if word not in rates:
                    raise LookupError(word)
                name, size = "money", rates[word]
            else:
                name, size = _NAMES.get(word, (word, 1.0))
            factor *= size**sign
            if name:
                powers[name] = powers.get(name, 0) + sign
    return factor, {name: power for name, power in powers.items() if power}


def _words(part: str) -> list[str]:
    """Names in a part of a unit, in the singular: `mn tokens` and `GPU-hours` are two each."""
    part = part.strip()
    if part in ("log10 FLOP", "log ratio"):
        return [part]
    words = []
    for word in re.split(r"[\s-]+", part.replace("%", " % ")):
        if word:
            single = word[:-1] if len(word) > 3 and word.endswith("s") else word
            words.append(single)
    return words
