"""A piece of the log as arrays, and the questions tariffs ask of it, each answered once.

Rows are time-ordered. A `View` is the same rows as another model would count them: tokens scaled by stated
assumptions. Sums over *cells* (model, service tier, size of the input) serve every tariff whose price does
not depend on the hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.billing import kernel
from pricewar.billing.tariff import Above, Atom, Between, ServedBy, TierIn, Weekly
from pricewar.errors import DataError
from pricewar.units import METERS

if TYPE_CHECKING:
    import polars as pl

Ints = Any  # numpy arrays of whole numbers: int64, or Python integers where 64 bits could overflow
LARGEST = 2**62


@dataclass(frozen=True)
class Assumptions:
    """How another model would count the same work. The bill for the model that was logged is exact.

    Attributes:
        tokens: its tokens for the same text, as a multiple of the logged count.
        verbosity: length of its answers, on top of `tokens`.
        keep_cache: whether what was read from cache would be again; if not, it is charged as input.
    """

    tokens: Fraction = Fraction(1)
    verbosity: Fraction = Fraction(1)
    keep_cache: bool = True

    @property
    def neutral(self) -> bool:
        return self.tokens == 1 and self.verbosity == 1 and self.keep_cache


class Batch:
    """Time-ordered rows of the log.

    Attributes:
        times: [N] microseconds since 1970 UTC.
        quantities: [N, 8] in the order of METERS.
        model: [N] index into `models`, pairs of (vendor, model).
        tier: [N] index into `tiers`.
    """

    def __init__(
        self,
        times: Ints,
        quantities: Ints,
        model: Ints,
        models: Sequence[tuple[str | None, str]],
        tier: Ints,
        tiers: Sequence[str],
    ) -> None:
        self.times, self.quantities = times, quantities
        self.model, self.models, self.tier, self.tiers = model, models, tier, tiers
        self._local: dict[str, tuple[Ints, Ints]] = {}
        self._months: dict[str, Ints] = {}
        self._masks: dict[Atom, Ints] = {}

    def __len__(self) -> int:
        return len(self.times)

    @classmethod
    def of(
        cls, frame: pl.DataFrame, models: dict[tuple[str | None, str], int], tiers: dict[str, int]
    ) -> Batch:
        """Rows of the canonical table; `models` and `tiers` grow as new ones appear.

        Raises:
            DataError: the rows are not in time order, or their tokens together pass 4.6·10¹⁸.
        """
        import polars as pl

        times = frame["time"].dt.epoch("us").to_numpy()
        if len(times) and (np.diff(times) < 0).any():
            raise DataError(
                "rows are not in time order", remedy="read the log with pricewar.usage, which sorts it"
            )
        quantities = np.ascontiguousarray(
            frame.select(pl.col(*METERS).fill_null(0)).to_numpy(), dtype=np.int64
        )
        if len(times) and float(quantities.astype(np.float64).sum()) > LARGEST:
            raise DataError("the tokens of one batch pass 4.6·10¹⁸", remedy="check the log's token columns")
        np.maximum(
            quantities[:, -1], 1, out=quantities[:, -1]
        )  # where requests were not counted, at least one
        kinds = frame.select("vendor", "model").unique(maintain_order=True)
        for vendor, model in kinds.rows():
            models.setdefault((vendor, model), len(models))
        for tier in frame["tier"].unique().to_list():
            tiers.setdefault("standard" if tier is None else tier, len(tiers))
        lookup = pl.DataFrame(
            {
                "vendor": [v for v, _ in models],
                "model": [m for _, m in models],
                "_code": np.arange(len(models), dtype=np.int64),
            },
            schema={"vendor": pl.String, "model": pl.String, "_code": pl.Int64},
        )
        model = (
            frame.select("vendor", "model")
            .join(lookup, on=["vendor", "model"], how="left", nulls_equal=True, maintain_order="left")[
                "_code"
            ]
            .to_numpy()
        )
        tier = (
            frame["tier"]
            .fill_null("standard")
            .replace_strict(list(tiers), list(tiers.values()), return_dtype=pl.Int64)
            .to_numpy()
        )
        return cls(times, quantities, model, list(models), tier, list(tiers))

    def select(self, rows: Ints, quantities: Ints) -> Batch:
        """Some of the rows, with other quantities."""
        return Batch(self.times[rows], quantities, self.model[rows], self.models, self.tier[rows], self.tiers)

    def local(self, zone: str) -> tuple[Ints, Ints]:
        """([N] weekday from Monday = 0, [N] minute of the day) on the clocks of `zone`."""
        if zone not in self._local:
            import polars as pl

            local = pl.Series(self.times).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
            minutes = local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute()
            self._local[zone] = (local.dt.weekday().cast(pl.Int64).to_numpy() - 1, minutes.to_numpy())
        return self._local[zone]

    def months(self, zone: str) -> Ints:
        """[N] calendar months since year 0 on the clocks of `zone`."""
        if zone not in self._months:
            import polars as pl

            local = pl.Series(self.times).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
            self._months[zone] = (local.dt.year().cast(pl.Int64) * 12 + local.dt.month() - 1).to_numpy()
        return self._months[zone]

    def constant(self, atom: Atom) -> bool | None:
        """The atom's answer when it is the same for all rows and known without looking, else None."""
        if isinstance(atom, Between) and len(self):
            first, last = int(self.times[0]), int(self.times[-1])
            if atom.start <= first and last < atom.end:
                return True
            if last < atom.start or first >= atom.end:
                return False
        return None

    def mask(self, atom: Between | Weekly) -> Ints:
        """[N] whether the atom holds, for atoms of time."""
        if atom not in self._masks:
            if isinstance(atom, Between):
                found = (self.times >= atom.start) & (self.times < atom.end)
            else:
                weekday, minute = self.local(atom.zone)
                on_day = np.zeros(7, dtype=bool)
                on_day[list(atom.weekdays)] = True
                found = on_day[weekday] & (minute >= atom.start) & (minute < atom.end)
                if atom.end > 1440:  # past midnight it still belongs to the day on which it began
                    found |= on_day[(weekday - 1) % 7] & (minute < atom.end - 1440)
            self._masks[atom] = found
        return self._masks[atom]


class View:
    """A batch as counted by a model for which the rows of `same` models are exact and the rest assumed."""

    def __init__(
        self, batch: Batch, assumed: Assumptions, same: frozenset[int], thresholds: Sequence[int]
    ) -> None:
        self.batch, self.thresholds = batch, np.asarray(sorted(thresholds), dtype=np.int64)
        exact = assumed.neutral or set(np.unique(batch.model).tolist()) <= same
        if exact:
            self.quantities = batch.quantities
        else:
            table = np.zeros(max(len(batch.models), 1), dtype=np.bool_)
            table[[i for i in same if i < len(table)]] = True
            both = assumed.tokens * assumed.verbosity
            factors = [assumed.tokens] * 4 + [both] * 2
            self._check_range(max(factors))
            self.quantities = np.empty_like(batch.quantities)
            kernel.scaled(
                batch.quantities,
                table[batch.model],
                np.array([f.numerator for f in factors], dtype=np.int64),
                np.array([f.denominator for f in factors], dtype=np.int64),
                not assumed.keep_cache,
                self.quantities,
            )
        self.total_input = self.quantities[:, :4].sum(axis=1)
        bucket = (
            np.searchsorted(self.thresholds, self.total_input, side="left") if len(self.thresholds) else 0
        )
        width = len(self.thresholds) + 1
        code = (batch.model * len(batch.tiers) + batch.tier) * width + bucket
        size = len(batch.models) * len(batch.tiers) * width
        if size <= 1_000_000:
            present = np.zeros(size, dtype=np.bool_)
            present[code] = True
            kinds = np.flatnonzero(present)
            rank = np.cumsum(present) - 1
            self.cell = rank[code]
        else:
            kinds, self.cell = np.unique(code, return_inverse=True)
        self.cell = np.ascontiguousarray(self.cell, dtype=np.int64)
        rest, self.cell_bucket = np.divmod(kinds, width)
        self.cell_model, self.cell_tier = np.divmod(rest, len(batch.tiers))
        self.cell_sums = np.zeros((len(kinds), len(METERS)), dtype=np.int64)
        kernel.sum_by_code(self.cell, self.quantities, self.cell_sums)

    def _check_range(self, factor: Fraction) -> None:
        largest = int(self.batch.quantities[:, :6].max(initial=0))
        if largest * 2 * factor.numerator >= LARGEST:
            raise DataError(
                "a request has too many tokens to be scaled to another model",
                remedy="exclude it, or compare only offers of the logged model",
            )

    def cell_mask(self, atom: Atom, served: Ints) -> Ints:
        """[cells] whether an atom that is not about time holds; `served` maps models to the offer's."""
        if isinstance(atom, TierIn):
            table = np.array([tier in atom.tiers for tier in self.batch.tiers], dtype=bool)
            return table[self.cell_tier]
        if isinstance(atom, Above):
            return self.cell_bucket > int(np.searchsorted(self.thresholds, atom.tokens))
        if isinstance(atom, ServedBy):
            return np.isin(served[self.cell_model], list(atom.models))
        raise TypeError(atom)


def signatures(
    view: View, atoms: Sequence[Atom], served: Ints, months: str | None
) -> tuple[list[tuple[frozenset[Atom], int]], Ints | None, Ints]:
    """The kinds of request in a view: which atoms hold, and the calendar month where bills are by month.

    Returns:
        kinds: for each, the atoms that hold and the month (0 where months do not matter).
        rows: [N] the kind of each row, or None when cells suffice.
        cells: [cells] the kind of each cell; meaningless when rows are given.
    """
    batch = view.batch
    always: set[Atom] = set()
    by_cell: list[Atom] = []
    by_row: list[Between | Weekly] = []
    for atom in atoms:
        known = batch.constant(atom)
        if known is True:
            always.add(atom)
        elif known is None:
            if isinstance(atom, Between | Weekly):
                by_row.append(atom)
            else:
                by_cell.append(atom)
    cell_code = np.zeros(len(view.cell_sums), dtype=np.int64)
    for bit, atom in enumerate(by_cell):
        cell_code |= view.cell_mask(atom, served).astype(np.int64) << bit
    width = len(by_cell)
    one_month = months is None or not len(batch) or (
        batch.months(months)[0] == batch.months(months)[-1]
    )  # fmt: skip
    base = int(batch.months(months)[0]) if months is not None and len(batch) else 0
    if not by_row and one_month:
        codes, cells = np.unique(cell_code, return_inverse=True)
        rows = None
    else:
        code = cell_code[view.cell]
        for bit, atom in enumerate(by_row):
            code |= batch.mask(atom).astype(np.int64) << (width + bit)
        if not one_month and months is not None:
            code |= (batch.months(months) - base) << (width + len(by_row))
        codes, rows = _dense(code)
        cells = cell_code
    kinds: list[tuple[frozenset[Atom], int]] = []
    ordered: list[Atom] = [*by_cell, *by_row]
    for code in codes.tolist():
        held = {atom for bit, atom in enumerate(ordered) if code >> bit & 1}
        kinds.append((frozenset(held | always), base + (code >> len(ordered)) if months is not None else 0))
    return kinds, rows, cells.astype(np.int64)


def _dense(code: Ints) -> tuple[Ints, Ints]:
    """(distinct codes, the rank of each row's code)."""
    top = int(code.max(initial=0))
    if top < 1_000_000:
        present = np.zeros(top + 1, dtype=np.bool_)
        present[code] = True
        rank = np.cumsum(present, dtype=np.int64) - 1
        return np.flatnonzero(present), rank[code]
    return np.unique(code, return_inverse=True)
