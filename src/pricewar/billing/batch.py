"""A piece of the log as arrays, and the questions tariffs ask of it, each answered once.

Rows are time-ordered. A `View` is the same rows as another model would count them: tokens scaled by stated
assumptions. Sums over *cells* (segment of time, model, service tier, size of the input) serve every tariff
whose price does not depend on the hour: segments end where some tariff's price or month changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.billing import cells
from pricewar.billing.tariff import Above, Atom, Between, ServedBy, TierIn, Weekly
from pricewar.errors import DataError
from pricewar.units import METERS

if TYPE_CHECKING:
    import polars as pl

Ints = Any  # numpy arrays of whole numbers: int64, or Python integers where 64 bits could overflow
LARGEST = 2**62
DENSE = 100_000
"""Cells of which a table is kept whether they occur or not: 6.4 MB."""
LARGEST_TABLE = 4_000_000
WEAVE = 8192


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
        self.cuts: frozenset[int] = frozenset()
        self.starts: Ints = np.array([0, len(times)], dtype=np.int64)
        self._local: dict[str, tuple[Ints, Ints]] = {}
        self._months: dict[str, Ints] = {}
        self._masks: dict[Atom, Ints] = {}

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def largest(self) -> int:
        """The most tokens of one kind in one row."""
        return int(self.quantities[:, :6].max(initial=0))

    def cut(self, instants: Iterable[int]) -> None:
        """Part the rows into segments at these instants (microseconds)."""
        self.cuts = frozenset(instants)
        inside = np.array(sorted(self.cuts), dtype=np.int64)
        first = np.unique(np.searchsorted(self.times, inside, side="left"))
        first = first[(first > 0) & (first < len(self))]
        self.starts = np.array([0, *first.tolist(), len(self)], dtype=np.int64)

    def is_cut(self, atom: Between) -> bool:
        """Whether the atom holds for all rows of a segment or for none."""
        first, last = int(self.times[0]), int(self.times[-1])
        return all(edge <= first or edge > last or edge in self.cuts for edge in (atom.start, atom.end))

    @classmethod
    def of(
        cls, frame: pl.DataFrame, models: dict[tuple[str | None, str], int], tiers: dict[str, int]
    ) -> Batch:
        """Rows of the canonical table; `models` and `tiers` grow as new ones appear.

        Raises:
            DataError: the rows are not in time order, or their tokens together pass 4.6·10¹⁸.
        """
        if not frame["time"].is_sorted():
            raise DataError(
                "rows are not in time order", remedy="read the log with pricewar.usage, which sorts it"
            )
        times = frame["time"].dt.epoch("us").to_numpy()
        quantities = np.zeros((len(times), len(METERS)), dtype=np.int64)
        columns: list[tuple[int, Ints]] = []
        bound = 0.0
        for m, meter in enumerate(METERS):
            column = frame[meter].fill_null(0)
            if meter == "requests":  # where requests were not counted, at least one
                column = column.clip(lower_bound=1) if column.min() != column.max() else column
            most = int(column.max() or 0) if len(times) else 0  # type: ignore[arg-type]
            if most:
                columns.append((m, column.to_numpy()))
                bound += float(most) * len(times)
            elif meter == "requests":
                quantities[:, m] = 1
        if bound > LARGEST and sum(float(np.sum(c, dtype=np.float64)) for _, c in columns) > LARGEST:
            raise DataError("the tokens of one batch pass 4.6·10¹⁸", remedy="check the log's token columns")
        for start in range(0, len(times), WEAVE):  # by blocks that fit a core's cache
            block = slice(start, start + WEAVE)
            for m, column in columns:
                quantities[block, m] = column[block]
        model, pairs = _pairs(frame["vendor"], frame["model"])
        for pair in pairs:
            models.setdefault(pair, len(models))
        model = np.array([models[pair] for pair in pairs], dtype=np.int64)[model]
        tier, found = _pairs(frame["tier"], frame["tier"])
        names = ["standard" if name is None else name for name, _ in found]
        for name in names:
            tiers.setdefault(name, len(tiers))
        tier = np.array([tiers[name] for name in names], dtype=np.int64)[tier]
        batch = cls(times, quantities, model, list(models), tier, list(tiers))
        batch.largest = max((int(column.max()) for m, column in columns if m < 6), default=0)
        return batch

    @cached_property
    def input_each(self) -> Ints:
        """[N] tokens of input in each request (the average one of a bucket)."""
        out = np.empty(len(self), dtype=np.int64)
        cells.inputs(self.quantities, out)
        return out

    @cached_property
    def longest(self) -> int:
        """The longest input of a request."""
        return int(self.input_each.max(initial=0))

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
            self._months[zone] = _months(self.times, zone)
        return self._months[zone]

    def month_of_segments(self, zone: str) -> Ints | None:
        """[segments] the month on the clocks of `zone`, or None when some segment holds two."""
        first = _months(self.times[self.starts[:-1]], zone)
        last = _months(self.times[self.starts[1:] - 1], zone)
        return first if (first == last).all() else None

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
    """A batch as counted by a model for which the rows of `same` models are exact and the rest assumed.

    Attributes:
        cell_sums: [cells, 8] quantities, which suffice for most tariffs.
        cell_segment, cell_model, cell_tier, cell_bucket: [cells] what the rows of a cell have in common.
    """

    def __init__(
        self, batch: Batch, assumed: Assumptions, same: frozenset[int], thresholds: Sequence[int]
    ) -> None:
        self.batch, self.thresholds = batch, np.asarray(sorted(thresholds), dtype=np.int64)
        self.neutral = assumed.neutral
        table = np.full(max(len(batch.models), 1), assumed.neutral, dtype=np.bool_)
        table[[i for i in same if i < len(table)]] = True
        both = assumed.tokens * assumed.verbosity
        factors = [assumed.tokens] * 4 + [both] * 2
        if not self.neutral:
            self._check_range(max(factors))
        self._scaling = (
            table,
            np.array([f.numerator for f in factors], dtype=np.int64),
            np.array([f.denominator for f in factors], dtype=np.int64),
            not assumed.keep_cache,
        )
        width = len(self.thresholds) + 1
        size = (len(batch.starts) - 1) * len(batch.models) * len(batch.tiers) * width
        none = np.zeros(0, dtype=np.int64)
        if size <= DENSE:
            dense = np.zeros((size, len(METERS)), dtype=np.int64)
            self._pass(none, dense)
            kinds = np.flatnonzero(dense.any(axis=1))
            self.cell_sums = dense[kinds]
            self._rank = np.zeros(size, dtype=np.int64)
            self._rank[kinds] = np.arange(len(kinds))
        else:
            codes = np.empty(len(batch), dtype=np.int64)
            self._pass(codes, np.zeros((0, len(METERS)), dtype=np.int64))
            kinds, self.cell = np.unique(codes, return_inverse=True)
        rest, self.cell_bucket = np.divmod(kinds, width)
        rest, self.cell_tier = np.divmod(rest, len(batch.tiers))
        self.cell_segment, self.cell_model = np.divmod(rest, len(batch.models))
        if size > DENSE:
            self.cell_sums = np.zeros((len(kinds), len(METERS)), dtype=np.int64)
            np.add.at(self.cell_sums, self.cell, self.quantities)

    def _pass(self, codes: Ints, sums: Ints) -> None:
        b = self.batch
        cells.sums(
            b.quantities, b.model, b.tier, b.starts, self.thresholds, len(b.models), len(b.tiers),
            *self._scaling, codes, sums,
        )  # fmt: skip

    @cached_property
    def cell(self) -> Ints:
        """[N] the cell of each row."""
        codes = np.empty(len(self.batch), dtype=np.int64)
        self._pass(codes, np.zeros((0, len(METERS)), dtype=np.int64))
        return self._rank[codes]

    @cached_property
    def quantities(self) -> Ints:
        """[N, 8] quantities as this model counts them."""
        if self.neutral or self._scaling[0][self.cell_model].all():
            return self.batch.quantities
        out = np.empty_like(self.batch.quantities)
        cells.scaled(self.batch.quantities, self.batch.model, *self._scaling, out)
        return out

    def _check_range(self, factor: Fraction) -> None:
        if 4 * self.batch.largest * 2 * factor.numerator >= LARGEST:
            raise DataError(
                "a request has too many tokens to be scaled to another model",
                remedy="exclude it, or compare only offers of the logged model",
            )

    def cell_mask(self, atom: Atom, served: Ints) -> Ints:
        """[cells] whether an atom that does not ask the hour holds; `served` maps models to the offer's."""
        if isinstance(atom, TierIn):
            table = np.array([tier in atom.tiers for tier in self.batch.tiers], dtype=bool)
            return table[self.cell_tier]
        if isinstance(atom, Above):
            return self.cell_bucket > int(np.searchsorted(self.thresholds, atom.tokens))
        if isinstance(atom, ServedBy):
            return np.isin(served[self.cell_model], list(atom.models))
        if isinstance(atom, Between):
            first = self.batch.times[self.batch.starts[:-1]]
            return ((first >= atom.start) & (first < atom.end))[self.cell_segment]
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
            if isinstance(atom, Weekly) or (isinstance(atom, Between) and not batch.is_cut(atom)):
                by_row.append(atom)
            else:
                by_cell.append(atom)
    cell_code = np.zeros(len(view.cell_sums), dtype=np.int64)
    for bit, atom in enumerate(by_cell):
        cell_code |= view.cell_mask(atom, served).astype(np.int64) << bit
    width = len(by_cell) + len(by_row)
    base, month = 0, None
    by_month = True
    if months is not None and len(batch):
        month = batch.month_of_segments(months)
        base = int(month[0]) if month is not None else int(batch.months(months)[0])
        by_month = month is not None
        if month is not None:
            cell_code |= (month - base)[view.cell_segment] << width
    if not by_row and by_month:
        codes, by_cells = np.unique(cell_code, return_inverse=True)
        rows = None
    else:
        code = cell_code[view.cell]
        for bit, atom in enumerate(by_row):
            code |= batch.mask(atom).astype(np.int64) << (len(by_cell) + bit)
        if not by_month and months is not None:
            code |= (batch.months(months) - base) << width
        codes, rows = _dense(code)
        by_cells = cell_code
    kinds: list[tuple[frozenset[Atom], int]] = []
    ordered: list[Atom] = [*by_cell, *by_row]
    for code in codes.tolist():
        held = {atom for bit, atom in enumerate(ordered) if code >> bit & 1}
        kinds.append((frozenset(held | always), base + (code >> len(ordered)) if months is not None else 0))
    return kinds, rows, by_cells.astype(np.int64)


def _months(times: Ints, zone: str) -> Ints:
    """Calendar months since year 0 of instants, on the clocks of `zone`."""
    import polars as pl

    local = pl.Series(times).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    return (local.dt.year().cast(pl.Int64) * 12 + local.dt.month() - 1).to_numpy()


def _pairs(first: pl.Series, second: pl.Series) -> tuple[Ints, list[tuple[Any, Any]]]:
    """([N] the number of each row's pair of names, the pairs in the order in which they appear)."""
    left, many = _coded(first)
    right, others = _coded(second) if second is not first else (np.zeros_like(left), 1)
    if many == others == 1:
        return np.zeros(len(left), dtype=np.int64), list(zip(first[:1], second[:1], strict=True))
    out = np.empty(len(left), dtype=np.int64)
    if many * others <= LARGEST_TABLE:
        numbers = np.full((many, others), -1, dtype=np.int64)
        where = np.empty(min(len(left), many * others), dtype=np.int64)
        where = where[: cells.paired(left, right, numbers, out, where)]
    else:
        both = left.astype(np.int64) * others + right
        _, at, ranks = np.unique(both, return_index=True, return_inverse=True)
        order = np.argsort(at)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        where, out = at[order], place[ranks]
    return out, list(zip(first.gather(where).to_list(), second.gather(where).to_list(), strict=True))


def _coded(series: pl.Series) -> tuple[Ints, int]:
    """([N] a number for each distinct name or null, how many numbers there may be)."""
    import polars as pl

    nulls = series.null_count()
    if nulls == len(series) or (nulls == 0 and (series == series[0]).all()):  # one name, or none, throughout
        return np.zeros(len(series), dtype=np.uint32), 1
    number = series.cast(pl.Categorical).to_physical()
    most = number.max()
    many = 0 if most is None else int(most) + 1  # type: ignore[arg-type]
    return number.fill_null(many).to_numpy(), many + 1


def _dense(code: Ints) -> tuple[Ints, Ints]:
    """(distinct codes, the rank of each row's code)."""
    top = int(code.max(initial=0))
    if top < 1_000_000:
        present = np.zeros(top + 1, dtype=np.bool_)
        present[code] = True
        rank = np.cumsum(present, dtype=np.int64) - 1
        return np.flatnonzero(present), rank[code]
    return np.unique(code, return_inverse=True)
