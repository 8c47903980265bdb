"""Our side of a reconciliation: the log in quarter hours, each kind of request with its exact price.

The invoice cuts days by a clock we may not know, so tokens are kept in quarter hours (every zone in use today
is a whole number of them from UTC) and are put into days only when a clock has been chosen. Prices are those
of the moment of the request: peak hours, long inputs and service tiers are priced before anything is summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.billing.as_logged import AsLogged
from pricewar.billing.batch import Assumptions, Batch, Ints, View, signatures
from pricewar.billing.run import Run, served_by
from pricewar.billing.tariff import (
    EPOCH,
    Between,
    Price,
    ServedBy,
    Tariff,
    TierIn,
    edges_of,
    microseconds,
    tariff,
    thresholds_of,
)
from pricewar.offers.catalogue import Catalogue, Offer, canonical
from pricewar.units import METERS

if TYPE_CHECKING:
    import polars as pl

    from pricewar.billing.bill import Bill

QUARTER = 15 * 60 * 10**6
"""Microseconds in a quarter of an hour."""
DAY_SLOTS = 96
MARGIN = 2 * DAY_SLOTS
"""Quarter hours kept on either side of the period: a clock differs from UTC by 14 hours at most."""

Key = tuple[str | None, str]
"""A vendor and a model as both sides call them."""


@dataclass
class Series:
    """Requests of one model, tier and price.

    Attributes:
        prices: meter → price of one unit in the offer's own currency; a meter that has none is left out.
        rate: units of the invoice's currency for one of the offer's, by our records.
        cube: [slots, 8] quantities by quarter hour (UTC) and meter.
    """

    key: Key
    tier: str
    offer: Offer | None
    prices: dict[str, Price]
    rate: Fraction
    cube: Ints

    @cached_property
    def each(self) -> list[Fraction | None]:
        """[8] price of one unit of each meter in the invoice's currency; None where none is known."""
        return [self.prices[m].amount * self.rate if m in self.prices else None for m in METERS]


class Usage:
    """The log in quarter hours around a period.

    Attributes:
        start: the naive midnight at which the period begins on whichever clock is chosen; slot `MARGIN`.
        slots: quarter hours kept, margins included; the first and last hold all that lies beyond.
        series: one for each kind of request.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        currency: str,
        first: date,
        last: date,
        *,
        on: date | None = None,
        offer: Offer | None = None,
        frozen: datetime | None = None,
        zone: str = "UTC",
    ) -> None:
        """`first`, `last`: the period's days, both included; `on`: the day of our exchange rates."""
        self.catalogue, self.currency, self.on = catalogue, currency, on or last
        self.start = datetime(first.year, first.month, first.day)
        self.slots = (last - first).days * DAY_SLOTS + DAY_SLOTS + 2 * MARGIN
        self.base = microseconds(self.start.replace(tzinfo=EPOCH.tzinfo)) // QUARTER - MARGIN
        self.series: list[Series] = []
        self.bucket = 0
        self._zone = zone
        self._frozen = frozen
        self._as_logged = AsLogged(catalogue, frozen, currency, self.on)
        self._offer = offer
        self._tariff: Tariff | None = None
        self._run: Run | None = None
        self._models: dict[Key, int] = {}  # as logged
        self._tiers: dict[str, int] = {"standard": 0}
        self._found: dict[tuple[Any, ...], Series] = {}
        self._listed: dict[tuple[Key, str, int], tuple[Tariff, dict[str, Price]] | None] = {}
        self.requests_counted = True

    # -- the log

    def begin(self, *, bucket_seconds: int | None, unknown: Sequence[str]) -> None:
        """What the log says of itself, before its rows."""
        self.bucket, self.requests_counted = bucket_seconds or 0, "requests" not in unknown
        if self._offer is not None:
            self._tariff = tariff(self._offer, frozen=self._frozen)
            if self._tariff is not None:
                self._run = Run(
                    self._tariff, bucket_seconds=bucket_seconds, requests_counted=self.requests_counted
                )

    def add(self, frame: pl.DataFrame) -> None:
        """Rows of the canonical table, in order of time."""
        import polars as pl

        if not self.requests_counted:  # as the desk does it: divisible by the token
            total = pl.sum_horizontal(METERS[:6]).clip(lower_bound=1).cast(pl.Int64)
            frame = frame.with_columns(requests=total)
        batch = Batch.of(frame, self._models, self._tiers)
        if not len(batch):
            return
        # A bucket belongs to the day in which its middle lies.
        middle = pl.when(pl.col("time_end").is_null()).then(pl.col("time").dt.epoch("us"))
        middle = middle.otherwise((pl.col("time").dt.epoch("us") + pl.col("time_end").dt.epoch("us")) // 2)
        at = frame.select(m=middle)["m"].to_numpy() // QUARTER - self.base
        slot = np.clip(at, 0, self.slots - 1).astype(np.int64)
        thresholds = self._as_logged.learn(batch.models)
        tariffs = [self._tariff] if self._tariff is not None else []
        thresholds |= thresholds_of(tariffs)
        batch.cut(self._as_logged.edges | edges_of(tariffs))
        view = View(batch, Assumptions(), frozenset(), sorted(thresholds))
        for i, pair in enumerate(batch.models):
            rows = np.flatnonzero(batch.model == i)
            if len(rows):
                self._place(view, i, pair, rows, slot)
        if self._run is not None:
            self._add_to_run(batch, slot)

    def _place(self, view: View, i: int, pair: Key, rows: Ints, slot: Ints) -> None:
        batch = view.batch
        found = self._tariff or self._as_logged.tariffs[i]
        kinds: list[tuple[frozenset[Any], int]] = [(frozenset(), 0)]
        kind = np.zeros(len(rows), dtype=np.int64)
        if found is not None:
            kinds, by_row, by_cell = signatures(view, found.atoms, self._served(found, i, batch), None)
            kind = by_row[rows] if by_row is not None else by_cell[view.cell[rows]]
        code = kind * len(batch.tiers) + batch.tier[rows]
        for one in np.unique(code).tolist():
            atoms = kinds[one // len(batch.tiers)][0]
            series = self._series(i, pair, str(batch.tiers[one % len(batch.tiers)]), found, atoms)
            mine = rows[code == one]
            quantities = batch.quantities[mine]
            if not self.requests_counted:
                quantities = quantities.copy()
                quantities[:, 7] = 0
            np.add.at(series.cube, slot[mine], quantities)

    def _served(self, found: Tariff, i: int, batch: Batch) -> Ints:
        if self._tariff is not None:
            return served_by(found, batch.models, self._as_logged.names)[0]
        name = batch.models[i][1]
        own = self._as_logged.names
        serves = found.offer.serves(name) or found.offer.serves(own[i]) or found.model
        position = found.offer.positions.get(serves.name, 0)
        return np.full(len(batch.models), position, dtype=np.int64)

    def _series(self, i: int, pair: Key, tier: str, found: Tariff | None, atoms: frozenset[Any]) -> Series:
        at = (i, tier, atoms)
        if at not in self._found:
            prices = found.resolve(atoms) if found is not None else {}
            rate = self.rate(found.offer) if found is not None else Fraction(1)
            cube = np.zeros((self.slots, len(METERS)), dtype=np.int64)
            offer = found.offer if found is not None else None
            self._found[at] = Series(self.key(*pair), tier, offer, prices, rate, cube)
            self.series.append(self._found[at])
        return self._found[at]

    def _add_to_run(self, batch: Batch, slot: Ints) -> None:
        """The offer's own pass, over the rows of the period alone."""
        assert self._run is not None
        assert self._tariff is not None
        labels = self.labels(self._zone)[slot]
        inside = np.flatnonzero((labels >= MARGIN) & (labels < self.slots - MARGIN))
        if not len(inside):
            return
        part = batch.select(inside, batch.quantities[inside])
        part.cut(edges_of([self._tariff]))
        view = View(part, Assumptions(), frozenset(), sorted(thresholds_of([self._tariff])))
        served, same = served_by(self._tariff, part.models, self._as_logged.names)
        self._run.add(view, served, same)

    @property
    def models(self) -> list[Key]:
        """Vendors and models as the log names them."""
        return list(self._models)

    def bill(self) -> tuple[Bill, Run, Fraction] | None:
        """The given offer's bill of the period, its run and the rate into the invoice's currency."""
        if self._run is None or self._run.first is None or self._tariff is None:
            return None
        return self._run.bill(), self._run, self.rate(self._tariff.offer)

    # -- names, prices, clocks

    def key(self, vendor: str | None, model: str) -> Key:
        """What both sides call a model: as the catalogue lists it, else the plain name."""
        offer = self.catalogue.listed(vendor, model)
        if offer is None:
            return vendor, canonical(model)
        named = offer.serves(model) or offer.latest.models[0]
        return vendor or offer.latest.vendor, canonical(named.name)

    def rate(self, offer: Offer) -> Fraction:
        """Units of the invoice's currency for one of the offer's.

        Raises:
            FactError: no exchange rate is known.
        """
        return self.catalogue.exchange(offer.latest.currency, self.currency, self.on)[0]

    def listed(self, key: Key, tier: str, slot: int) -> tuple[Tariff, dict[str, Price]] | None:
        """The plain price (short input, no peak hour) of a model in a tier at a quarter hour."""
        day = slot // DAY_SLOTS
        at = (key, tier, day)
        if at not in self._listed:
            self._listed[at] = self._plain(key, tier, slot)
        return self._listed[at]

    def _plain(self, key: Key, tier: str, slot: int) -> tuple[Tariff, dict[str, Price]] | None:
        found = self._tariff
        if found is None:
            offer = self.catalogue.listed(*key)
            found = tariff(offer, model=key[1], frozen=self._frozen) if offer is not None else None
        if found is None:
            return None
        moment = (self.base + slot) * QUARTER
        serves = found.offer.serves(key[1]) or found.model
        position = found.offer.positions.get(serves.name, 0)
        atoms = frozenset(
            a
            for a in found.atoms
            if (isinstance(a, Between) and a.start <= moment < a.end)
            or (isinstance(a, TierIn) and tier in a.tiers)
            or (isinstance(a, ServedBy) and position in a.models)
        )
        prices = found.resolve(atoms)
        return (found, prices) if prices else None

    def tiers_of(self, key: Key, slot: int) -> list[str]:
        """The service tiers for which the catalogue has a price of its own."""
        found = self.listed(key, "standard", slot)
        if found is None:
            return []
        return sorted({t for a in found[0].atoms if isinstance(a, TierIn) for t in a.tiers})

    def labels(self, zone: str | int) -> Ints:
        """[slots] what the clock of `zone` (or so many quarter hours ahead of UTC) shows, as a slot.

        What lies beyond the margins is put before the first slot.
        """
        slot = np.arange(self.slots, dtype=np.int64)
        if isinstance(zone, int):
            out = slot + zone
        else:
            import polars as pl

            moments = pl.Series((slot + self.base) * QUARTER).cast(pl.Datetime("us", "UTC"))
            local = moments.dt.convert_time_zone(zone).dt.replace_time_zone(None)
            out = local.dt.epoch("us").to_numpy() // QUARTER - self.base
        out = np.where((out < 0) | (out >= self.slots), 0, out)
        out[[0, -1]] = 0
        return out

    def slot_of(self, label: datetime) -> int:
        """The slot of what a clock shows (a naive time)."""
        return (microseconds(label.replace(tzinfo=EPOCH.tzinfo))) // QUARTER - self.base

    def label_of(self, slot: int) -> datetime:
        """What a clock shows at a slot."""
        return self.start + timedelta(minutes=15 * (slot - MARGIN))

    def period(self) -> range:
        """The slots of the period."""
        return range(MARGIN, self.slots - MARGIN)


def tokens_outside(series: Iterable[Series], labels: Ints, period: range) -> tuple[int, Fraction]:
    """Tokens that lie outside the period on a clock, and what they cost in the invoice's currency."""
    outside = (labels < period.start) | (labels >= period.stop)
    tokens, cost = 0, Fraction(0)
    for one in series:
        sums = one.cube[outside].sum(axis=0).tolist()
        tokens += sum(sums[:6])
        cost += sum((q * p for q, p in zip(sums, one.each, strict=True) if p is not None), Fraction(0))
    return tokens, cost
