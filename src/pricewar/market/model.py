"""A market as arrays, and what comes out of running it.

`Market` holds the parameters as the compiled pass reads them, and the names of their rows and columns; a
definition (`pricewar.market.definition`) makes one, a lever changes it through `with_`. `simulate` runs an
ensemble: one member per seed, its uncertain parameters and its luck drawn from the seed alone, so that two
policies meet the same draws (common random numbers). Results are labelled by names, not by positions.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
FACTOR = ":x"
"""What the name of a change ends in that multiplies."""


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
        chi [T, J]: what makes a vendor suit a type (compliance, tools).
        eco [T, J]: what its home ecosystem brings a type.
        script [n, 5]: dated terms of scripted vendors (month, vendor, light, flagship, allowance; −1: as is).
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
        An uncertain parameter that is changed is no longer uncertain. A name that ends in ":x" is a factor:
        "vendors.cash:x" at 2 doubles every vendor's cash, and its range, which stays uncertain.
        """
        new = replace(self, g=self.g.copy(), v=self.v.copy(), t=self.t.copy(), **fields)
        fixed: set[tuple[str, ...]] = set()
        times: dict[tuple[str, ...], float] = {}
        for key, value in changes.items():
            factor = isinstance(key, str) and key.endswith(FACTOR)
            for where in self.addresses(key.removesuffix(FACTOR) if isinstance(key, str) else key):
                array, index = new.at(*where)
                if factor:
                    array[index] *= float(value)
                    times[where] = times.get(where, 1.0) * float(value)
                else:
                    array[index] = float(value)
                    fixed.add(where)
        uncertain = (_scaled(u, times.get(u.where, 1.0)) for u in new.uncertain if u.where not in fixed)
        return replace(new, uncertain=tuple(u for u in uncertain if u is not None))

    def addresses(self, key: str | tuple[str, ...]) -> list[tuple[str, ...]]:
        """The parameters that a key of `with_` names, without the ending of a factor.

        Raises:
            ConfigurationError: no such vendor, segment or type.
        """
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
        keys = np.array(
            [zlib.crc32((each.group or "/".join(each.where)).encode()) for each in self.uncertain], np.uint64
        )
        drawn = _uniform(np.array([seed % 2**64 for seed in seeds], np.uint64)[:, None], keys)
        for each, q in zip(self.uncertain, drawn.T, strict=True):
            if each.log:
                ratio = each.high / each.low  # one by one: vectors round the power otherwise
                value = np.array([each.low * ratio**x for x in q.tolist()])
            else:
                value = each.low + (each.high - each.low) * q
            array, index = self.at(*each.where)
            (g if array is self.g else v if array is self.v else t)[(slice(None), *index)] = value
        return g, v, t

    def luck(self, seeds: Sequence[int]) -> Array:
        """Uniform draws [N, steps, J, 3] of reviews and training runs; of a member's seed alone."""
        steps, J = self.months * self.per_month, len(self.vendors)
        return np.stack(
            [
                np.random.Generator(np.random.Philox(key=np.array([s % 2**64, 2], np.uint64))).random(
                    (steps, J, 3)
                )
                for s in seeds
            ]
        )


def _scaled(each: Uncertain, factor: float) -> Uncertain | None:
    """The uncertain parameter times a factor, within bounds; None where nothing is left of its range."""
    from pricewar.market import fields

    if factor == 1.0:
        return each
    field_ = fields.TABLES[each.where[0]][each.where[-1]]
    low, high = (
        min(max(end, field_.low), field_.high) for end in sorted((each.low * factor, each.high * factor))
    )
    return replace(each, low=low, high=high) if low < high else None


def _uniform(seeds: Array, keys: Array) -> Array:
    """A number in (0, 1) for each seed and key, of these alone: what else is uncertain changes none of them.

    SplitMix64's finaliser (Steele, Lea, Flood 2014, OOPSLA), applied to the seed and then to the key.
    """

    def mix(z: Array) -> Array:
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    start = mix(seeds + np.uint64(0x9E3779B97F4A7C15))
    return (
        (mix(start ^ (keys * np.uint64(0x9E3779B97F4A7C15))) >> np.uint64(11)).astype(float) + 0.5
    ) * 2.0**-53


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
    chunk: int = 16,
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
    chi, eco = market.chi, market.eco
    g, v, t = market.members(seeds)
    verticals = max(len(market.verticals), 1)

    def part(a: int) -> int:
        b = min(a + chunk, N)
        k.many(g[a:b], v[a:b], t[a:b], chi, eco, market.script, market.luck(seeds[a:b]), M, market.per_month,
               verticals, ov[a:b], ot[a:b], om[a:b], ow[a:b], events[a:b], counts[a:b])  # fmt: skip
        return b - a

    done = 0
    with ThreadPoolExecutor(min(os.cpu_count() or 1, max(1, -(-N // chunk)))) as pool:
        for n in pool.map(part, range(0, N, chunk)):
            done += n
            if progress:
                progress(done, N)
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
    """Refuse parameters that the model cannot mean (bounds: `pricewar.market.fields`).

    Raises:
        ConfigurationError: naming the parameter, its owner and what it may be.
    """
    from pricewar.market import fields
    from pricewar.market import kernel as k

    if market.months < 1 or market.per_month < 1 or not market.vendors or not market.types:
        raise ConfigurationError(
            "has no month, no step, no vendor or no type of team",
            where=market.name,
            remedy="give at least one",
        )
    if (market.v[:, k.V_CONDUCT] == k.FRINGE).all():
        raise ConfigurationError(
            "every vendor is a fringe at cost: nobody decides anything",
            where=market.name,
            remedy="give one vendor another conduct: " + ", ".join(c for c in k.CONDUCTS if c != "fringe"),
        )
    for kind, array, rows, columns in (
        ("market", market.g[None], ("",), k.MARKET_FIELDS),
        ("vendor", market.v, market.vendors, k.VENDOR_FIELDS),
        ("type", market.t, market.types, k.TYPE_FIELDS),
    ):
        table = [fields.TABLES[kind][name] for name in columns]
        low, high = np.array([f.low for f in table]), np.array([f.high for f in table])
        bad = np.argwhere(~((array >= low) & (array <= high)))  # NaN is neither
        if bad.size:
            row, column = bad[0]
            value, field_ = array[row, column], table[column]
            unit = field_.unit.replace("money", market.currency)
            raise ConfigurationError(
                f"{columns[column]} is {f'{value:g}' if np.isfinite(value) else 'no finite number'}",
                where=market.name if kind == "market" else f"{market.name}, {kind} {rows[row]}",
                remedy=f"{field_.meaning}: give {field_.low:g} to {field_.high:g} {unit}",
            )
    _check_numbers(market)
    if market.g[k.CONTRACT] % 1 != 0:
        raise ConfigurationError(
            f"contract is {market.g[k.CONTRACT]:g}",
            where=market.name,
            remedy="0 none, 1 training share, 2 revenue share, 3 shared results, 4 exclusive",
        )
    named = [k.MERGE_INTO, k.MERGE_FROM] if market.g[k.MERGE_MONTH] > 0 else []
    # Given as −1, nobody opens.
    named += [k.OPENER] if market.g[k.OPENING_FIXED] > 0 and market.g[k.OPENER] != -1 else []
    able = {float(j): n for j, n in enumerate(market.vendors) if market.v[j, k.V_CONDUCT] != k.FRINGE}
    for at in named:
        if float(market.g[at]) not in able:
            raise ConfigurationError(
                f"{k.MARKET_FIELDS[at]} is {market.g[at]:g}, which is no vendor that can do this",
                where=market.name,
                remedy="give a number: " + ", ".join(f"{j:g} {n}" for j, n in able.items()),
            )
    if market.g[k.MERGE_MONTH] > 0 and market.g[k.MERGE_INTO] == market.g[k.MERGE_FROM]:
        raise ConfigurationError(
            "merge_into and merge_from are one vendor", where=market.name, remedy="name two vendors"
        )
    for name, array in (("affinities", market.chi), ("ecosystems", market.eco)):
        if not (np.abs(array) <= 60.0).all():
            raise ConfigurationError(
                "are not all finite", where=f"{market.name}, {name}", remedy="give −60 to 60"
            )
    _check_start(market)


def _check_numbers(market: Market) -> None:
    """Columns that number rows or name a choice must name one that there is: the pass looks them up."""
    from pricewar.market import fields
    from pricewar.market import kernel as k

    verticals = max(len(market.verticals), 1)  # without a name there is still a first one
    for kind, array, rows, names, column, first, last in (
        ("vendor", market.v, market.vendors, k.VENDOR_FIELDS, k.V_CONDUCT, 0, len(k.CONDUCTS) - 1),
        ("vendor", market.v, market.vendors, k.VENDOR_FIELDS, k.V_SPECIALIST, 0, verticals),
        ("type", market.t, market.types, k.TYPE_FIELDS, k.SEGMENT, 0, len(market.segments) - 1),
        ("type", market.t, market.types, k.TYPE_FIELDS, k.VERTICAL, -1, verticals - 1),
    ):
        values = array[:, column]
        bad = np.flatnonzero((values < first) | (values > last) | (values % 1 != 0))
        if bad.size:
            meaning = fields.TABLES[kind][names[column]].meaning
            raise ConfigurationError(
                f"{names[column]} is {values[bad[0]]:g}, which names nothing",
                where=f"{market.name}, {kind} {rows[bad[0]]}",
                remedy=f"{meaning}: give a whole number, {first} to {last}",
            )


def _check_start(market: Market) -> None:
    """Somebody must serve the teams of month 0: who waits outside, or has no weight in them, does not."""
    from pricewar.market import kernel as k

    here = (market.v[:, k.V_ENTERS] <= 0.0) & (market.v[:, k.V_CONDUCT] != k.FRINGE)
    if not here.any():
        raise ConfigurationError(
            "no vendor is there in month 0 but open weights",
            where=market.name,
            remedy="let one enter in month 0: enters 0",
        )
    weight = np.where(market.v[:, k.V_ENTERS] <= 0.0, market.v[:, k.V_SHARE], 0.0)
    only = market.v[:, k.V_SPECIALIST]
    serves = (only == 0.0) | (only == market.t[:, [k.VERTICAL]] + 1.0)
    lost = np.flatnonzero((market.t[:, k.TEAMS] > 0.0) & ((weight * serves).sum(1) <= 0.0))
    if lost.size:
        raise ConfigurationError(
            "nobody has a share of its teams of month 0",
            where=f"{market.name}, type {market.types[lost[0]]}",
            remedy="give a vendor that is there and serves it a share above 0, or the type no teams",
        )
