"""What can be relied on: how likely each gift still stands on a day, and is as generous as today.

A share of futures with its interval (Wilson), from the same futures as the decision. It is about the offer,
whatever anybody does with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from pricewar.advice.result import Share
from pricewar.errors import ConfigurationError
from pricewar.futures import AS_TODAY, Futures

AS_GENEROUS = 0.999


@dataclass(frozen=True)
class Reliance:
    """One offer.

    Attributes:
        stands: the chance that its terms have not ended by the day.
        as_now: the chance that they have not, and that no limit or allowance has been cut.
        gone: the chance that they have ended by the last month of the futures.
        end: the first day of the month by which half of the futures have seen it end; None if fewer do.
        then: the paid offer that bills it afterwards; None where nobody is known to sell its model.
    """

    offer: str
    stands: Share
    as_now: Share
    gone: float
    end: date | None
    then: str | None


def month_of(futures: Futures, until: date) -> int:
    """The month of `futures` that `until` lies in.

    Raises:
        ConfigurationError: the day lies outside them.
    """
    month = next((m for m in range(futures.months) if until < futures.day(m + 1)), futures.months)
    if until <= futures.start or month == futures.months:
        last = futures.day(futures.months) - timedelta(days=1)
        raise ConfigurationError(
            f"{until} is not within the futures",
            where="--until",
            remedy=f"give a day after {futures.start} and not after {last}, or a longer horizon",
        )
    return month


def reliance(futures: Futures, offers: Iterable[str], until: date) -> list[Reliance]:
    """How far each of `offers` can be relied on until a day, the most reliable first.

    Raises:
        ConfigurationError: the day lies outside the futures, or an offer is not among them.
    """
    month = month_of(futures, until)
    found = []
    for offer in offers:
        o = futures.position(offer)
        stands = futures.status[:, month, o] == AS_TODAY
        # The least of all months: a limit cut and raised again was no limit to rely on.
        least = np.minimum(futures.limit[:, : month + 1, o], futures.allowance[:, : month + 1, o])
        generous = least.min(axis=1) >= AS_GENEROUS
        gone = (futures.status[:, :, o] != AS_TODAY).mean(axis=0)
        at = np.flatnonzero(gone >= 0.5)
        end = futures.day(int(at[0])) if len(at) else None
        chances = Share.of(stands), Share.of(stands & generous), float(gone[-1])
        found.append(Reliance(offer, *chances, end, futures.sibling[o]))
    return sorted(found, key=lambda r: (-r.as_now.share, -r.stands.share, r.offer))
