"""What an outsider sees of a market each month, and how a record of history becomes it.

Unknown is NaN: neither zero nor evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pricewar.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from pricewar.market.records import War

Array = NDArray[Any]
TOLERANCE = 1e-9
"""Relative; a change of currency, which rounds, must not move a price across a threshold it lies on."""

_CUBES, _SHEETS = ("price", "cost", "subsidy"), ("active", "allowance", "volume", "share")


@dataclass(frozen=True)
class Series:
    """Monthly observables of J vendors with K tiers over M months; NaN is unknown.

    Attributes:
        months: datetime64[M], [M], consecutive.
        price, cost: [M, J, K], money per unit, one currency; free units count in `price` where known.
        subsidy: [M, J, K], share of cost; overrides what price and cost say.
        active: [M, J], 1 in the market, 0 not; where unknown, a vendor is there from its first figure on.
        allowance: [M, J], free units per customer and month.
        volume: [M, J], units a month. share: [M, J], 0 to 1, used where volume is unknown.

    Arrays left out are unknown; [M], [M, J] broadcast over what they lack.

    Raises:
        DataError: lengths disagree, months have a hole, a price is negative, a figure is infinite.
    """

    months: Array
    vendors: tuple[str, ...]
    tiers: tuple[str, ...] = ("all",)
    price: Any = None
    cost: Any = None
    subsidy: Any = None
    active: Any = None
    allowance: Any = None
    volume: Any = None
    share: Any = None

    def __post_init__(self) -> None:
        months = np.asarray(self.months, dtype="datetime64[M]")
        if months.ndim != 1 or len(months) == 0 or (np.diff(months.astype(int)) != 1).any():
            raise DataError(
                "months of a series are not consecutive", remedy="give every month, NaN where unknown"
            )
        object.__setattr__(self, "months", months)
        M, J, K = len(months), len(self.vendors), len(self.tiers)
        for name in (*_CUBES, *_SHEETS):
            shape = (M, J, K) if name in _CUBES else (M, J)
            given = getattr(self, name)
            array = np.full(shape, np.nan) if given is None else np.asarray(given, dtype=float)
            array = array.reshape(array.shape + (1,) * (len(shape) - array.ndim))
            try:
                array = np.array(np.broadcast_to(array, shape))
            except ValueError:
                raise DataError(
                    f"{name} has shape {array.shape} where {shape} (months, vendors, tiers) is wanted"
                ) from None
            if np.isinf(array).any():
                raise DataError(f"{name} holds an infinite figure", remedy="write NaN for unknown")
            if name != "subsidy" and (array < 0).any():
                raise DataError(f"{name} holds a negative figure")
            object.__setattr__(self, name, array)
        if (np.nan_to_num(self.subsidy, nan=0.0) > 1 + TOLERANCE).any():
            raise DataError("a subsidy is a share of cost: it cannot exceed 1")

    def only(self, vendors: Iterable[str] | None = None, tiers: Iterable[str] | None = None) -> Series:
        """The same months for some vendors and tiers, in the order named.

        Raises:
            ConfigurationError: a name that is not in the series.
        """
        vendors = self.vendors if vendors is None else tuple(vendors)
        tiers = self.tiers if tiers is None else tuple(tiers)
        for wanted, there in ((vendors, self.vendors), (tiers, self.tiers)):
            if unknown := [name for name in wanted if name not in there]:
                raise ConfigurationError(
                    f"no “{unknown[0]}” in the series", remedy=f"it has {', '.join(there)}"
                )
        j = [self.vendors.index(v) for v in vendors]
        k = [self.tiers.index(x) for x in tiers]
        cubes = {name: getattr(self, name)[:, j][:, :, k] for name in _CUBES}
        sheets = {name: getattr(self, name)[:, j] for name in _SHEETS}
        # Whoever was seen in a tier left out is in the market all the same.
        sheets["active"] = np.where(np.isnan(sheets["active"]), present(self, 0)[:, j], sheets["active"])
        return Series(self.months, vendors, tiers, **cubes, **sheets)


def series_of(war: War, reading: str = "middle") -> Series:
    """The monthly series of a record. A month is judged by how it ends: the last figure in force on its days.

    Args:
        war: validated record (`pricewar.market.records`).
        reading: "middle" of every range; "deep" takes the ends that make subsidies largest, "shallow" the
            others.

    Raises:
        ConfigurationError: no such reading.
    """
    if reading not in ("middle", "deep", "shallow"):
        raise ConfigurationError(f"no reading “{reading}”", remedy="middle, deep or shallow")
    months = np.arange(np.datetime64(war.begins, "M"), np.datetime64(war.ends, "M") + 1)
    M, J, K = len(months), len(war.vendors), len(war.tiers)
    at = {
        what: np.full((M, J, K), np.nan) for what in ("price", "reference", "off", "bonus", "cost", "subsidy")
    }
    at |= {what: np.full((M, J, K), np.nan) for what in _SHEETS}
    # Levels in the order of their days, so that a later one takes over; readings of one month after them.
    for fact in sorted(
        (f for f in war.facts if not f.shown_only), key=lambda f: (f.from_ is None, str(f.from_))
    ):
        if fact.what not in at:
            continue
        deeper = fact.low if fact.what in ("price", "reference", "allowance") else fact.high
        other = fact.high if fact.what in ("price", "reference", "allowance") else fact.low
        value = {"middle": (fact.low + fact.high) / 2, "deep": deeper, "shallow": other}[reading]
        j = slice(None) if fact.vendor is None else war.vendors.index(fact.vendor)
        k = slice(None) if fact.tier is None else war.tiers.index(fact.tier)
        if fact.on is not None:
            span = months == np.datetime64(fact.on, "M")
        else:
            ends = (months + 1).astype("datetime64[D]")  # the first day after each month
            span = ends > np.datetime64(str(fact.from_), "D")
            if fact.until:
                span &= ends <= np.datetime64(str(fact.until), "D")
        at[fact.what][span, j, k] = value
    price = np.where(np.isnan(at["price"]), at["reference"] - at["off"], at["price"])
    cost = np.where(np.isnan(at["cost"]), at["reference"] + np.nan_to_num(at["bonus"]), at["cost"])
    return Series(
        months,
        tuple(war.vendors),
        tuple(war.tiers),
        price=np.maximum(price, 0.0),
        cost=cost,
        subsidy=at["subsidy"],
        **{what: at[what][:, :, 0] for what in _SHEETS},
    )


def subsidy_rate(series: Series) -> Array:
    """[M, J, K]: as given; else 1 − price/cost; else 1 where the price is 0; else unknown."""
    price, cost, given = series.price, series.cost, series.subsidy
    with np.errstate(divide="ignore", invalid="ignore"):
        told = 1 - price / np.where(cost > 0, cost, np.nan)
    told = np.where(price == 0, 1.0, told)
    return np.where(np.isnan(given), told, given)


def carried(array: Array, months: int) -> Array:
    """The last known figure in place of up to `months` missing ones."""
    here = np.arange(len(array)).reshape(-1, *(1,) * (array.ndim - 1))
    last = np.maximum.accumulate(np.where(np.isnan(array), -1, here), axis=0)
    filled = np.take_along_axis(array, np.maximum(last, 0), axis=0)
    return np.where(here - last <= months, filled, array)


def present(series: Series, months: int) -> Array:
    """[M, J] bool: in the market as told and for `months` of silence after, or from its first figure on."""
    figure = ~(
        np.isnan(series.price).all(2) & np.isnan(subsidy_rate(series)).all(2) & np.isnan(series.volume)
    )
    told = carried(series.active, months)
    return np.where(np.isnan(told), np.logical_or.accumulate(figure, axis=0), told > 0)


def rolling_max(array: Array, months: int) -> Array:
    """The highest known figure of each month and the `months` before it."""
    before = np.full((months, *array.shape[1:]), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, array]), months + 1, axis=0)
    return np.fmax.reduce(windows, axis=-1)
