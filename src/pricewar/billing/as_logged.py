"""Each request at the list price of its own model: the baseline, and where refused work goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from math import lcm
from typing import Literal

import numpy as np

from pricewar.billing.batch import Ints, View, signatures
from pricewar.billing.tariff import Atom, Tariff, edges_of, tariff, thresholds_of
from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.units import METERS

Corner = Literal["low", "mid", "high"]
CORNERS: tuple[Corner, ...] = ("low", "mid", "high")


@dataclass(frozen=True)
class _Rates:
    """Prices of a logged model by meter, as whole multiples of `unit` in the comparison's currency."""

    model: int
    whole: tuple[int, ...]
    unit: Fraction


class AsLogged:
    """Each request at the list price of the model it was logged with."""

    def __init__(self, catalogue: Catalogue, frozen: datetime | None, currency: str, day: date) -> None:
        self.catalogue, self.frozen, self.currency, self.day = catalogue, frozen, currency, day
        self.offers: dict[int, Offer | None] = {}
        self.tariffs: dict[int, Tariff | None] = {}
        self.names: dict[int, str] = {}
        self.edges: set[int] = set()
        self._rates: dict[tuple[int, frozenset[Atom]], _Rates | None] = {}

    def learn(self, models: Sequence[tuple[str | None, str]]) -> set[int]:
        """Look up models not seen before; returns sizes of input at which their prices jump."""
        for i in range(len(self.offers), len(models)):
            vendor, model = models[i]
            offer = self.catalogue.listed(vendor, model)
            found = None
            if offer is not None:
                found = tariff(offer, model=model, frozen=self.frozen)
                if found is None:  # listed now, but not in force at the frozen instant
                    offer = None
            if offer is not None:
                self.names[i] = offer.latest.models[0].name
            self.offers[i], self.tariffs[i] = offer, found
        found = [t for t in self.tariffs.values() if t is not None]
        self.edges = edges_of(found)
        return thresholds_of(found)

    def groups(self, view: View) -> tuple[Ints, Ints | None, list[_Rates | None]]:
        """Rows of one price, as groups.

        Returns:
            cells: [cells] the group of each cell.
            rows: [N] the group of each row, or None when cells suffice.
            rates: for each group its model and prices; None where no price is known.
        """
        rates: list[_Rates | None] = [None]
        groups = np.zeros(len(view.cell_sums), dtype=np.int64)
        by_row: list[tuple[int, Ints]] = []
        for i, (_, model) in enumerate(view.batch.models):
            found = self.tariffs[i]
            mine = np.flatnonzero(view.cell_model == i)
            if found is None or not len(mine):
                continue
            serves = found.offer.serves(model) or found.offer.serves(self.names[i]) or found.model
            position = found.offer.positions.get(serves.name, 0)
            served = np.full(len(view.batch.models), position, dtype=np.int64)
            kinds, rows, by_cell = signatures(view, found.atoms, served, None)
            if rows is None:
                groups[mine] = len(rates) + by_cell[mine]
            else:
                by_row.append((i, len(rates) + rows))
            rates += [self._resolve(i, found, atoms) for atoms, _ in kinds]
        if not by_row:
            return groups, None, rates
        code = groups[view.cell]
        for i, rows in by_row:
            at = view.batch.model == i
            code[at] = rows[at]
        return groups, code, rates

    def _resolve(self, i: int, found: Tariff, atoms: frozenset[Atom]) -> _Rates | None:
        if (i, atoms) not in self._rates:
            prices = found.resolve(atoms)
            to, _ = self.catalogue.exchange(found.offer.latest.currency, self.currency, self.day)
            scale = lcm(*(price.amount.denominator for price in prices.values()))
            whole = tuple(int(prices[m].amount * scale) if m in prices else 0 for m in METERS)
            self._rates[i, atoms] = _Rates(i, whole, to / scale) if prices else None
        return self._rates[i, atoms]

    @staticmethod
    def cost(sums: Ints, rates: Sequence[_Rates | None]) -> tuple[dict[int, Fraction], int]:
        """Amount by model in the comparison's currency, and how many requests have no known price."""
        amounts: dict[int, Fraction] = {}
        unknown = 0
        for row, known in zip(sums.tolist(), rates, strict=True):
            if not any(row):
                continue
            if known is None:
                unknown += max(int(row[7]), 1)
                continue
            due = sum(q * rate for q, rate in zip(row, known.whole, strict=True))
            amounts[known.model] = amounts.get(known.model, Fraction(0)) + due * known.unit
        return amounts, unknown
