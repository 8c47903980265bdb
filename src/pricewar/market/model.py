"""A market as arrays, and what comes out of running it.

`Market` holds the parameters as the compiled pass reads them, and the names of their rows and columns; a
definition (`pricewar.market.definition`) makes one, a lever changes it through `with_`. `simulate` runs an
ensemble: one member per seed, its uncertain parameters and its luck drawn from the seed alone, so that two
policies meet the same draws (common random numbers). Results are labelled by names, not by positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    import xarray

Array = np.ndarray
EVENT_ROWS = 400
"""Events kept of a member; more are counted and not kept."""


@dataclass(frozen=True)
class Uncertain:
    """One uncertain parameter: `where` is ("market", name), ("vendor", vendor, name) or ("type", type, name).

    It is uniform on [low, high], in the logarithm when `log`; `group` makes entries share one draw.
    """

    where: tuple[str, ...]
    low: float
    high: float
    log: bool = False
    group: str = ""


@dataclass(frozen=True, eq=False)
class Market:
    """Parameters of one market.

    Attributes:
        name, currency, start: what it is called, its money, and the day of month 0.
        months, per_month: horizon, and steps in a month.
        vendors, types, segments, verticals: names of the rows and of their groups.
        g [G], v [J, NV], t [T, NT]: parameters; columns are `kernel.MARKET_FIELDS` and so on.
        chi [T, J]: what makes a vendor suit a type (compliance, tools). eco [T, J]: its home ecosystem's benefit.
        script [n, 5]: dated terms (month, vendor, light, flagship, allowance; −1 leaves it) of scripted vendors.
        uncertain: parameters that differ between the members of an ensemble.
    """

    name: str
    currency: str
    start: date
    months: int
    per_month: int
    vendors: tuple[str, ...]
    types: tuple[str, ...]
    segments: tuple[str, ...]
    verticals: tuple[str, ...]
    g: Array
    v: Array
    t: Array
    chi: Array
    eco: Array
    script: Array = field(default_factory=lambda: np.zeros((0, 5)))
    uncertain: tuple[Uncertain, ...] = ()

    def at(self, *where: str) -> tuple[Array, tuple[int, ...]]:
        """The array and index behind a parameter's address, as in `Uncertain.where`.

        Raises:
            ConfigurationError: no such parameter, with the nearest name.
        """
        from pricewar.market import kernel

        if where[0] == "market":
            return self.g, (_index(kernel.MARKET_FIELDS, where[1], "parameter of the market"),)
        if where[0] == "vendor":
            j = _index(self.vendors, where[1], f"vendor of {self.name}")
            return self.v, (j, _index(kernel.VENDOR_FIELDS, where[2], "parameter of a vendor"))
        if where[0] == "type":
            i = _index(self.types, where[1], f"type of team of {self.name}")
            return self.t, (i, _index(kernel.TYPE_FIELDS, where[2], "parameter of a type of team"))
        raise ConfigurationError(
            f"“{where[0]}” is no kind of parameter", remedy="market, vendor or type comes first"
        )

    def get(self, *where: str) -> float:
        """A parameter's value."""
        array, index = self.at(*where)
        return float(array[index])

    def with_(self, changes: Mapping[str | tuple[str, ...], float], **fields: Any) -> Market:
        """This market with parameters changed.

        Keys: "name" of the market, "vendor.name", "type.name" or a segment's "segment.name" (all its types),
        "vendors.name" and "types.name" (all of them), or an address as a tuple. Other fields by keyword.
        An uncertain parameter that is changed is no longer uncertain.
        """
        new = replace(self, g=self.g.copy(), v=self.v.copy(), t=self.t.copy(), **fields)
        fixed: set[tuple[str, ...]] = set()
        for key, value in changes.items():
            for where in self._addresses(key):
                array, index = new.at(*where)
                array[index] = float(value)
                fixed.add(where)
        return replace(new, uncertain=tuple(u for u in new.uncertain if u.where not in fixed))

    def _addresses(self, key: str | tuple[str, ...]) -> list[tuple[str, ...]]:
        if isinstance(key, tuple):
            return [key]
        owner, _, name = key.rpartition(".")
        if not owner:
            return [("market", name)]
        if owner == "vendors":
            return [("vendor", each, name) for each in self.vendors]
        if owner == "types":
            return [("type", each, name) for each in self.types]
        if owner in self.vendors:
            return [("vendor", owner, name)]
        if owner in self.types:
            return [("type", owner, name)]
        if owner in self.segments:
            from pricewar.market import kernel

            at = self.segments.index(owner)
            rows = np.flatnonzero(self.t[:, kernel.SEGMENT] == at)
            return [("type", self.types[i], name) for i in rows]
        known = ["vendors", "types", *self.vendors, *self.types, *self.segments]
        raise ConfigurationError(
            f"“{owner}” is no vendor, segment or type of {self.name}",
            where=key,
            remedy=did_you_mean(owner, known) or f"known: {', '.join(known)}",
        )

    def members(self, seeds: Sequence[int]) -> tuple[Array, Array, Array]:
        """g, v, t of every member: [N, G], [N, J, NV], [N, T, NT], uncertain entries drawn from its seed."""
        N = len(seeds)
        g, v, t = (np.repeat(a[None], N, axis=0) for a in (self.g, self.v, self.t))
        if not self.uncertain:
            return g, v, t
        groups = sorted({u.group or "/".join(u.where) for u in self.uncertain})
        place = {name: n for n, name in enumerate(groups)}
        for n, seed in enumerate(seeds):
            u = np.random.Generator(np.random.Philox(key=[seed, 1])).random(len(groups))
            for each in self.uncertain:
                q = u[place[each.group or "/".join(each.where)]]
                if each.log:
                    value = each.low * (each.high / each.low) ** q
                else:
                    value = each.low + (each.high - each.low) * q
                array, index = self.at(*each.where)
                (g if array is self.g else v if array is self.v else t)[n][index] = value
        return g, v, t

    def luck(self, seeds: Sequence[int]) -> Array:
        """Uniform draws [N, steps, J, 3] of reviews and training runs; of a member's seed alone."""
        steps, J = self.months * self.per_month, len(self.vendors)
        return np.stack(
            [np.random.Generator(np.random.Philox(key=[s, 2])).random((steps, J, 3)) for s in seeds]
        )


def _index(names: Sequence[str], name: str, what: str) -> int:
    try:
        return list(names).index(name)
    except ValueError:
        raise ConfigurationError(
            f"“{name}” is no {what}", remedy=did_you_mean(name, names) or f"known: {', '.join(names)}"
        ) from None


@dataclass(frozen=True, eq=False)
class Run:
    """What an ensemble did. Axes: member N, month M, vendor J, type T.

    Attributes:
        vendor: series by vendor, name → [N, M, J]; flows are of the month, stocks at its end.
        type: series by type, name → [N, M, T]. world: series of the market, name → [N, M].
        teams: [N, M, T, J]. events: per member, rows (month, kind, vendor, value, tier), in order.
    """

    market: Market
    seeds: tuple[int, ...]
    vendor: Mapping[str, Array]
    type: Mapping[str, Array]
    world: Mapping[str, Array]
    teams: Array
    events: tuple[Array, ...]

    def dataset(self) -> xarray.Dataset:
        """The series, labelled (needs the extra `labelled`)."""
        try:
            import xarray
        except ModuleNotFoundError:
            raise ConfigurationError(
                "labelled results need xarray", remedy="pip install 'pricewar[labelled]'"
            ) from None
        months = np.arange(1, self.market.months + 1)
        data: dict[str, Any] = {}
        for name, a in self.vendor.items():
            data[f"vendor_{name}"] = (("member", "month", "vendor"), a)
        for name, a in self.type.items():
            data[f"type_{name}"] = (("member", "month", "type"), a)
        for name, a in self.world.items():
            data[name] = (("member", "month"), a)
        data["teams"] = (("member", "month", "type", "vendor"), self.teams)
        coords = {
            "member": list(self.seeds),
            "month": months,
            "vendor": list(self.market.vendors),
            "type": list(self.market.types),
        }
        return xarray.Dataset(data, coords, {"market": self.market.name, "currency": self.market.currency})


def simulate(
    market: Market,
    seeds: Iterable[int] = range(1),
    *,
    progress: Callable[[float, float], None] | None = None,
    chunk: int = 64,
) -> Run:
    """Run one member per seed, on all cores.

    Raises:
        ConfigurationError: a parameter outside what the model can take (see `check`).
    """
    from pricewar.market import kernel as k

    seeds = tuple(seeds)
    check(market)
    N, M, T, J = len(seeds), market.months, len(market.types), len(market.vendors)
    ov = np.zeros((N, M, J, len(k.VENDOR_SERIES)))
    ot = np.zeros((N, M, T, len(k.TYPE_SERIES)))
    om = np.zeros((N, M, T, J))
    ow = np.zeros((N, M, len(k.WORLD_SERIES)))
    events, counts = np.zeros((N, EVENT_ROWS, 5)), np.zeros(N, np.int64)
    for a in range(0, N, chunk):
        part = seeds[a : a + chunk]
        b = a + len(part)
        g, v, t = market.members(part)
        chi, eco = (np.repeat(x[None], len(part), axis=0) for x in (market.chi, market.eco))
        k.many(g, v, t, chi, eco, market.script, market.luck(part), M, market.per_month,
               max(len(market.verticals), 1), ov[a:b], ot[a:b], om[a:b], ow[a:b], events[a:b], counts[a:b])  # fmt: skip
        if progress:
            progress(b, N)
    return Run(
        market=market,
        seeds=seeds,
        vendor={name: ov[..., n] for n, name in enumerate(k.VENDOR_SERIES)},
        type={name: ot[..., n] for n, name in enumerate(k.TYPE_SERIES)},
        world={name: ow[..., n] for n, name in enumerate(k.WORLD_SERIES)},
        teams=om,
        events=tuple(events[n, : min(counts[n], EVENT_ROWS)] for n in range(N)),
    )


def check(market: Market) -> None:
    """Refuse parameters that the model cannot mean.

    Raises:
        ConfigurationError: naming the parameter and what it may be.
    """
    from pricewar.market import kernel as k

    for name, array, rows, columns in (
        ("market", market.g[None], ("",), k.MARKET_FIELDS),
        ("vendor", market.v, market.vendors, k.VENDOR_FIELDS),
        ("type", market.t, market.types, k.TYPE_FIELDS),
    ):
        bad = np.argwhere(~np.isfinite(array))
        if bad.size:
            row, column = bad[0]
            raise ConfigurationError(
                "is not a finite number", where=" ".join(x for x in (name, rows[row], columns[column]) if x)
            )
    for field_, low, high in _BOUNDS:
        value = market.g[k.MARKET_FIELDS.index(field_)]
        if not low <= value <= high:
            raise ConfigurationError(
                f"{field_} is {value:g}", where=market.name, remedy=f"give {low:g} to {high:g}"
            )
    for field_, low, high in _TYPE_BOUNDS:
        column = market.t[:, k.TYPE_FIELDS.index(field_)]
        for row in np.flatnonzero((column < low) | (column > high)):
            raise ConfigurationError(
                f"{field_} is {column[row]:g}",
                where=f"{market.name}, type {market.types[row]}",
                remedy=f"give {low:g} to {high:g}",
            )
    for field_, low, high in _VENDOR_BOUNDS:
        column = market.v[:, k.VENDOR_FIELDS.index(field_)]
        for row in np.flatnonzero((column < low) | (column > high)):
            raise ConfigurationError(
                f"{field_} is {column[row]:g}",
                where=f"{market.name}, vendor {market.vendors[row]}",
                remedy=f"give {low:g} to {high:g}",
            )


_BIG = 1e15
_BOUNDS = (
    ("reference_share", 1e-6, 1e9), ("reference_lag", 0.0, 120.0), ("progress", -0.5, 0.5), ("learning", 0.0, 1.0),
    ("gpu_light", 1e-12, _BIG), ("gpu_flagship", 1e-12, _BIG), ("target_load", 0.05, 1.0), ("rental", 1e-9, _BIG),
    ("discount", 0.001, 1.0), ("hold", 0.1, 60.0), ("portability", 0.0, 1.0), ("data_sharing", 0.0, 1.0),
    ("no_self_preferencing", 0.0, 1.0), ("embedded_cap", 0.0, 1.0), ("price_floor", 0.0, 10.0),
    ("certainty", 0.0, 1.0), ("expansion_contestable", 0.0, 1.0), ("run_failure", 0.0, 1.0),
    ("regulator_reach", 0.0, 1.0), ("modality_size", 0.0, 1.0), ("holder_weight", 0.0, 1.0), ("absorb", 0.0, 1.0),
    ("threshold_width", 1e-6, 100.0), ("data_half", 1e-9, _BIG), ("experience_scale", 1e-9, _BIG),
    ("run_months", 0.01, 120.0), ("review", 0.0, 400.0), ("react", 0.0, 400.0), ("menu", 0.0, 1.0),
    ("outside", -60.0, 60.0), ("rental_elasticity", 0.0, 5.0), ("switch_trial", 0.0, 1.0),
    ("switch_integrated", 0.0, 1.0), ("denying", 0.0, 10.0), ("contract", 0.0, 4.0), ("peace", 0.0, 1.0),
)  # fmt: skip
_TYPE_BOUNDS = (
    ("teams", 0.0, _BIG), ("potential", 0.0, _BIG), ("innovation", 0.0, 1.0), ("imitation", 0.0, 5.0),
    ("budget", 1e-9, _BIG), ("growth", -0.5, 0.5), ("light_share", 0.0, 1.0), ("light_fall", 0.0, 1.0),
    ("price_taste", 1e-6, _BIG), ("switching_cost", 0.0, 60.0), ("review_low", 0.0, 50.0),
    ("review_high", 0.0, 50.0), ("churn", 0.0, 5.0),
)  # fmt: skip
_VENDOR_BOUNDS = (
    ("efficiency", 1e-6, 1e6), ("cash", -_BIG, _BIG), ("reserve", 0.0, _BIG), ("api_share", 1e-6, 1.0),
    ("talent", 0.0, 1.0), ("share", 0.0, _BIG), ("price_light", 0.0, _BIG), ("price_flagship", 0.0, _BIG),
    ("allowance", 0.0, _BIG), ("invest", 0.0, 100.0), ("agility", 0.0, 100.0), ("conduct", 0.0, 5.0),
)  # fmt: skip
