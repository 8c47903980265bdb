"""The levers of the war room: which parameters of a market are moved, from where to where, and why they stand
where they stand.

A lever is made from the market's definition and from `market.fields`: value, unit, range, source, reason
and bounds are theirs. Written here are only which parameters come first, what bundles several of them, and
how far a slider goes where the bounds say nothing useful. Names are those of `Market.with_`, so that a lever
is an option of the command line too: `pricewar simulate china-2024 --set types.switching_cost:x=.5`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.market import fields
from pricewar.market.definition import Definition, Entry
from pricewar.market.model import FACTOR, Market

MOST = 40
"""Levers moved at once at most."""


@dataclass(frozen=True)
class Lever:
    """One slider.

    Attributes:
        key: its name in messages and links. sets: names for `Market.with_`, all given its value.
        group: "rules", "teams", "money", "costs", "conduct", "open", "quality", "other", or a vendor's or a
            segment's name. main: whether it is shown at once.
        what: key of its words ("lever." and the parameter; "lever.war_chest"); meaning: in English.
        unit, low, high, step, scale ("linear", "log", "switch"), value: of the slider; value is the
            definition's own. A factor's unit is "times" and its value 1.
        of: the numbers of the definition behind it (at most eight, `more` of them left out).
        off: whether the mechanism is absent from the definition.
    """

    key: str
    sets: tuple[str, ...]
    group: str
    main: bool
    what: str
    meaning: str
    reference: str
    unit: str
    low: float
    high: float
    step: float
    scale: str
    value: float
    of: tuple[Mapping[str, Any], ...]
    more: int
    off: bool
    source: str | None
    url: str | None
    read_on: str | None
    dated: str | None
    confidence: str
    assumed: bool
    because: str | None
    range: tuple[float, float] | None

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


# Shown at once, in this order: key → (group, ends of the slider or None for those of the definition).
MAIN: dict[str, tuple[str, tuple[float, float] | None]] = {
    "portability": ("rules", None),
    "price_floor": ("rules", (0.0, 1.5)),
    "data_sharing": ("rules", None),
    "no_self_preferencing": ("rules", None),
    "embedded_cap": ("rules", None),
    "lever_from": ("rules", (0.0, 36.0)),
    "regulator_auto": ("rules", None),
    "types.switching_cost:x": ("teams", (0.0, 3.0)),
    "war_chest:x": ("money", (0.1, 10.0)),
    "allowance_notch": ("conduct", None),
    "vendors.allowance": ("conduct", (0.0, 50.0)),
    "vendors.grant": ("conduct", (0.0, 20.0)),
    "peace": ("conduct", None),
    "rental:x": ("costs", (0.25, 4.0)),
    "progress": ("costs", None),
    "fringe_lag": ("open", (0.0, 2.0)),
    "fringe_markup": ("open", (0.0, 1.0)),
}
BUNDLES = {"war_chest:x": ("vendors.cash:x", "vendors.reserve:x")}
OF_A_VENDOR = ("war_chest:x", "efficiency:x", "quality", "brand", "income_per_team")
OF_A_SEGMENT = ("switching_cost:x", "budget:x", "potential:x", "review_high:x")
SWITCHES = {"allowance_notch": 1.4}
"""Parameters that are off at their `off` value and on at the definition's, or at this where it has none."""
GROUPS = {
    "rules": ("portability", "regulator_hhi"),
    "costs": ("reference_share", "supplier_cost"),
    "quality": ("scale_compute", "afford"),
    "teams": ("depth_one", "outside"),
    "conduct": ("hold", "opening_month"),
}
"""Groups of the rest, from one row of `fields.MARKET` to another."""

# Policies and shocks that any market can meet: levers by key.
POLICIES: dict[str, dict[str, float]] = {
    "portability": {"portability": 0.8},
    "price_floor": {"price_floor": 1.0},
    "data_sharing": {"data_sharing": 0.5},
    "no_self_preferencing": {"no_self_preferencing": 1.0},
    "cap_on_raises": {"embedded_cap": 1.0},
    "watchful_regulator": {"regulator_auto": 1.0, "price_floor": 1.0, "portability": 0.8},
    "deep_pockets": {"war_chest:x": 5.0},
    "shallow_pockets": {"war_chest:x": 0.2},
    "free_tier_flood": {"vendors.allowance": 20.0},
    "no_free_tiers": {"allowance_notch": 1.0},
    "open_weights": {"fringe_lag": 0.0, "fringe_markup": 0.0},
    "cheap_compute": {"rental:x": 0.5},
    "sticky_teams": {"types.switching_cost:x": 2.0},
}


def levers(definition: Definition, market: Market) -> tuple[Lever, ...]:
    """Every lever of a market, the main ones first."""
    return tuple(_Maker(definition, market).all())


def applied(market: Market, known: Mapping[str, Lever], moved: Mapping[str, float]) -> Market:
    """The market with levers moved. A lever at the definition's own value changes nothing.

    Raises:
        ConfigurationError: no such lever, or a value it cannot have.
    """
    changes: dict[str | tuple[str, ...], float] = {}
    for key, value in moved.items():
        lever = known[key]
        if value != lever.value:
            changes.update(dict.fromkeys(lever.sets, value))
    return market.with_(changes) if changes else market


def checked(given: Any, known: Mapping[str, Lever], where: str) -> dict[str, float]:
    """Levers of a message: those moved from where the definition has them, by key, in order.

    Raises:
        ConfigurationError: no table of numbers, too many of them, an unknown lever, a value past its ends.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > MOST:
        raise ConfigurationError(f"not a table of at most {MOST} numbers", where=where)
    found = {}
    for key, value in given.items():
        if key not in known:
            raise ConfigurationError(
                f"this market has no lever “{str(key)[:80]}”",
                where=where,
                remedy=did_you_mean(str(key), known),
            )
        lever = known[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigurationError("not a number", where=f"{where}, {key}")
        if not lever.low <= value <= lever.high:
            raise ConfigurationError(
                f"{value:g} is past the ends of the lever", where=f"{where}, {key}",
                remedy=f"give {lever.low:g} to {lever.high:g}",
            )  # fmt: skip
        if value != lever.value:
            found[key] = float(value)
    return dict(sorted(found.items()))


class _Maker:
    """Makes the levers of one market."""

    def __init__(self, definition: Definition, market: Market) -> None:
        self.definition, self.market = definition, market
        self.entries: dict[tuple[str, ...], Entry] = {e.where: e for e in definition.entries}

    def all(self) -> Iterator[Lever]:
        for key, (group, ends) in MAIN.items():
            yield self.lever(key, BUNDLES.get(key, (key,)), group, ends, main=True)
        names = list(fields.MARKET)
        for name, field in fields.MARKET.items():
            if field.given and name not in MAIN and self.movable(("market", name), field):
                at = names.index(name)
                group = next(
                    (g for g, (a, b) in GROUPS.items() if names.index(a) <= at <= names.index(b)), "other"
                )
                yield self.lever(name, (name,), group, None)
        for vendor in self.market.vendors:
            for name in OF_A_VENDOR:
                sets = tuple(s.replace("vendors.", f"{vendor}.") for s in BUNDLES.get(name, (f".{name}",)))
                sets = tuple(f"{vendor}{s}" if s.startswith(".") else s for s in sets)
                ends = {"quality": (-1.0, 2.0), "brand": (-2.0, 2.0)}.get(name)
                if name == "income_per_team" and not self.market.get("vendor", vendor, name):
                    continue
                yield self.lever(f"{vendor}.{name}", sets, vendor, ends)
        for segment in self.market.segments:
            for name in OF_A_SEGMENT:
                yield self.lever(f"{segment}.{name}", (f"{segment}.{name}",), segment, None)

    def movable(self, where: tuple[str, ...], field: fields.Field) -> bool:
        """A parameter with a range of its own, or bounds that make a slider."""
        entry = self.entries.get(where)
        if entry is not None and entry.low < entry.high:
            return True
        return field.unit == "switch" or (field.high - field.low <= 1.0)

    def lever(
        self, key: str, sets: tuple[str, ...], group: str, ends: tuple[float, float] | None,
        *, main: bool = False,
    ) -> Lever:  # fmt: skip
        factor = key.endswith(FACTOR)
        addresses = [where for name in sets for where in self.market.addresses(name.removesuffix(FACTOR))]
        field = fields.TABLES[addresses[0][0]][addresses[0][-1]]
        found = [self.entries[where] for where in addresses if where in self.entries]
        first = found[0] if found else None
        source = self.definition.text.sources.get(first.source or "") if first else None
        value = 1.0 if factor else self.market.get(*addresses[0])
        spans = not factor and first is not None and first.low < first.high
        low, high, scale = self.ends(key, field, value, first, ends, factor=factor)
        parameter = addresses[0][-1]
        what = "war_chest" if "war_chest" in key else parameter
        return Lever(
            key=key, sets=sets, group=group, main=main, what=f"lever.{what}", meaning=field.meaning,
            reference=field.reference,
            unit="times" if factor else field.unit.replace("money", self.market.currency),
            low=low, high=high, step=_step(low, high) if scale == "linear" else high - low, scale=scale,
            value=value,
            of=tuple(
                {"name": " ".join(e.where[1:]), "written": e.written, "value": e.value, "low": e.low,
                 "high": e.high, "unit": e.unit} for e in found[:8]
            ),
            more=max(len(found) - 8, 0), off=not found,
            source=first.source if first else None, url=source.url if source else None,
            read_on=str(source.read_on) if source else None, dated=first.dated if first else None,
            confidence=first.confidence if first else "none", assumed=bool(first and first.assumed),
            because=first.because if first else None,
            range=(first.low, first.high) if spans and first else None,
        )  # fmt: skip

    def ends(
        self, key: str, field: fields.Field, value: float, entry: Entry | None,
        given: tuple[float, float] | None, *, factor: bool,
    ) -> tuple[float, float, str]:  # fmt: skip
        """Ends and scale of a slider: wider than the definition's range by half of it to either side."""
        if field.unit == "switch":
            return 0.0, 1.0, "switch"
        if key in SWITCHES:
            return 1.0, value if value > 1.0 else SWITCHES[key], "switch"
        if factor:
            low, high = given or (0.1, 10.0)
            return low, high, "log" if low > 0 else "linear"
        if given:
            low, high = min(given[0], value), max(given[1], value)
            return max(low, field.low), min(high, field.high), "linear"
        if entry is not None and entry.low < entry.high:
            if entry.log and entry.low > 0:
                wide = math.sqrt(entry.high / entry.low)
                low, high = _round(entry.low / wide), _round(entry.high * wide)
                return max(min(low, value), field.low), min(max(high, value), field.high), "log"
            wide = (entry.high - entry.low) / 2
            low, high = _round(entry.low - wide), _round(entry.high + wide)
            if entry.low >= 0:
                low = max(low, 0.0)
            return max(min(low, value), field.low), min(max(high, value), field.high), "linear"
        if field.high - field.low <= 2:
            return field.low, field.high, "linear"
        if value > 0:
            low, high = _round(value / 4), _round(value * 4)
            return max(low, field.low), min(high, field.high), "log"
        return max(field.low, value - 1.0), min(field.high, value + 1.0), "linear"


def _round(value: float) -> float:
    """To two digits, so that ends read well."""
    return float(f"{value:.2g}")


def _step(low: float, high: float) -> float:
    """A hundredth of the way, rounded down to 1, 2 or 5 times a power of ten."""
    raw = (high - low) / 100
    if raw <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (5, 2, 1) if m * power <= raw * (1 + 1e-9))
