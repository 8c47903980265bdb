"""The contract between whatever tells futures of offers and whoever decides by them.

A future is a path of relative terms. With D draws, M months and O offers, factor f[d, m, o] multiplies
today's term of offer o in month m of draw d, so that f ≡ 1 is "nothing changes" and the decision never needs
to know how a future was made. Month m runs from `start` + m months to `start` + (m + 1) months; an entry is
what holds in the middle of its month, so a change counts for the month if it takes effect in its first half.

A draw is one common future: its offers share the shock of the market's frontier. Comparing two plans draw by
draw therefore compares them under the same events (common random numbers).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pricewar.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AS_TODAY: Final = 0
"""The offer stands under today's kind of terms."""
ENDED: Final = 1
"""Its free, introductory or granted terms have ended; its paid sibling's rates × `price` bill it."""
RETIRED: Final = 2
"""It can no longer be called."""


@dataclass
class Column:
    """One offer's part of the arrays, [D, M]; `amount` is the factor on allowances and limits alike."""

    price: NDArray[np.float64]
    status: NDArray[np.uint8]
    amount: NDArray[np.float64]
    successor: NDArray[np.float64]
    sibling: str | None = None

    @classmethod
    def as_today(cls, draws: int, months: int) -> Column:
        """Nothing changes."""
        import numpy as np

        ones = np.ones((draws, months))
        return cls(ones, np.zeros(ones.shape, np.uint8), ones, ones)


@dataclass(frozen=True)
class Futures:
    """What offers may become.

    Attributes:
        offers: ids of the offers, O of them.
        start: the first day of month 0.
        months: how many months, M.
        draws: how many futures, D.
        price: float64 [D, M, O], factor on the offer's present paid rates; announced changes stand in it.
            Under status 1 it multiplies the present rates of `sibling`; of an offer without paid rates it is
            1 before.
        status: uint8 [D, M, O], `AS_TODAY`, `ENDED` or `RETIRED`; it never falls along a path.
        allowance: float64 [D, M, O], factor on the amounts of allowances.
        limit: float64 [D, M, O], factor on the amounts of limits.
        successor: float64 [D, M, O], from retirement on the price of the vendor's successor relative to the
            offer's present paid rates (of `sibling` where it has none); 1 before.
        sibling: for each offer the same vendor's paid offer that bills status 1, None where there is none.
        frontier: float64 [D, M, 2], best price on the market at constant capability relative to now, for
            light and flagship models.
        source: "history as of 2025-11-01", "market china-2024", "certain".
        cut_off: the last day of what the estimate may know; None for no estimate.
        seed: of the draws. Draw d is the same however many are drawn.
        notes: what a reader must know: offers taken as unchanging, assumptions, weak samples.

    Raises:
        ConfigurationError: shapes or values break the contract.
    """

    offers: tuple[str, ...]
    start: date
    months: int
    draws: int
    price: NDArray[np.float64]
    status: NDArray[np.uint8]
    allowance: NDArray[np.float64]
    limit: NDArray[np.float64]
    successor: NDArray[np.float64]
    sibling: tuple[str | None, ...]
    frontier: NDArray[np.float64]
    source: str
    cut_off: date | None = None
    seed: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        import numpy as np

        full = (self.draws, self.months, len(self.offers))
        for name in ("price", "status", "allowance", "limit", "successor", "frontier"):
            array = getattr(self, name)
            wanted = (self.draws, self.months, 2) if name == "frontier" else full
            kind = np.uint8 if name == "status" else np.float64
            if array.shape != wanted or array.dtype != kind:
                raise ConfigurationError(
                    f"{name} has shape {array.shape} and type {array.dtype}",
                    where="Futures",
                    remedy=f"give {np.dtype(kind).name} {wanted}: draws, months, offers",
                )
            if name != "status" and not (np.isfinite(array).all() and (array >= 0).all()):
                raise ConfigurationError(
                    f"{name} is negative or not finite somewhere",
                    where="Futures",
                    remedy="correct the source",
                )
        if self.status.size and (
            self.status.max() > RETIRED or (np.diff(self.status.astype(int), axis=1) < 0).any()
        ):
            raise ConfigurationError(
                "status is no path from 0 upwards to 2", where="Futures", remedy="correct the source"
            )
        if len(self.sibling) != len(self.offers) or len(set(self.offers)) != len(self.offers):
            raise ConfigurationError(
                "offers are named twice, or siblings are not as many as offers", where="Futures"
            )

    @classmethod
    def of(cls, columns: Sequence[Column], **rest: Any) -> Futures:
        """The columns beside one another; `rest`: what they do not tell."""
        import numpy as np

        def stack(name: str) -> NDArray[Any]:
            return np.stack([getattr(c, name) for c in columns], axis=2)

        return cls(
            price=stack("price"),
            status=stack("status"),
            allowance=stack("amount"),
            limit=stack("amount"),
            successor=stack("successor"),
            sibling=tuple(c.sibling for c in columns),
            **rest,
        )

    def day(self, month: int) -> date:
        """The first day of a month, 0 being the first: the same day of the calendar, or the month's last."""
        at = self.start.month - 1 + month
        year, month = self.start.year + at // 12, at % 12 + 1
        return date(year, month, min(self.start.day, monthrange(year, month)[1]))

    def position(self, offer: str) -> int:
        """Where `offer` stands on the last axis.

        Raises:
            ConfigurationError: it is not among the offers; the nearest id is named.
        """
        try:
            return self.offers.index(offer)
        except ValueError:
            raise ConfigurationError(
                f"these futures hold no offer “{offer}”", remedy=did_you_mean(offer, self.offers)
            ) from None

    def between(self, first: int, last: int) -> Futures:
        """Draws first … last − 1, as to estimate a policy on some futures and to judge it on fresh ones."""
        part = slice(first, last)
        return replace(
            self,
            draws=len(range(self.draws)[part]),
            price=self.price[part],
            status=self.status[part],
            allowance=self.allowance[part],
            limit=self.limit[part],
            successor=self.successor[part],
            frontier=self.frontier[part],
        )


def certain(offers: Iterable[str], start: date, months: int, draws: int = 1) -> Futures:
    """Futures in which nothing changes: every factor 1, every status as today."""
    import numpy as np

    names = tuple(offers)
    ones = np.ones((draws, months, len(names)))
    return Futures(
        offers=names,
        start=start,
        months=months,
        draws=draws,
        price=ones,
        status=np.zeros(ones.shape, np.uint8),
        allowance=ones,
        limit=ones,
        successor=ones,
        sibling=(None,) * len(names),
        frontier=np.ones((draws, months, 2)),
        source="certain",
    )
