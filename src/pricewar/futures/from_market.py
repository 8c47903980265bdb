"""Futures of the catalogue's offers from the market engine: the second source beside `history`.

    futures = from_market(market, load_catalogue(), ids, date(2026, 11, 22), months=36, draws=200)

A draw is a member of `market.model.simulate`: its parameters and luck come from its seed alone, so that draws
do not depend on how many are made, and a market under a lever meets the same numbers. `month0` says which of
the market's months begins on the first day. Each offer follows a vendor and class of the market
(`market_map`), which gives relative paths (`market_paths`); they are applied to the offer's present terms:

- *price*: the vendor's list price of the class over that of the first day, times announced changes;
- *retired*: once the vendor has left, the offer's announced end has come, or (in a market whose prices rise
  only with a new generation) a dearer model has come in its place; `successor` is what is paid from then on;
- *free terms*, and grants that are renewed, end (status 1) when the vendor gives nothing free any more, and
  their amounts move with its allowance. Where the market's vendor gives nothing free on the first day though
  the real one does, they end at its first rise in the class;
- *unmapped* offers follow open weights, the mean of the vendors, or stay as today (`Place.follows`); their
  free terms do as those of one of the vendors, drawn anew for each seller and future. Which offers these are
  is in `notes`.

Announced changes are taken as kept. `futures_for` chooses between the two sources.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pricewar.errors import ConfigurationError
from pricewar.futures.contract import ENDED, RETIRED, Column, Futures
from pricewar.futures.market_map import AS_IT_IS, FRINGE, INDUSTRY, Map, Place, places
from pricewar.futures.offered import Market as Standing
from pricewar.futures.offered import blended_price, version_of
from pricewar.futures.records import line_of
from pricewar.futures.records import months as months_between

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pricewar.futures.market_paths import Paths
    from pricewar.market.model import Market, Run
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.offers.schema import OfferRecord

HISTORY: Final = "history"
APART: Final = 2**32
"""Members of one seed of futures lie this far from those of the next."""
SHOWN: Final = 20
_TIERS: Final = ("light", "flagship")


def futures_for(
    source: str | Path,
    catalogue: Catalogue,
    offers: Iterable[str],
    start: date,
    months: int,
    draws: int = 1000,
    seed: int = 0,
    *,
    as_of: date | None = None,
    month0: int | None = None,
    changes: Mapping[str | tuple[str, ...], float] | None = None,
    own_map: Map | Path | Mapping[str, object] | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Futures:
    """Futures from recorded history (`source` is "history"), or from a market by name or definition file.

    Args:
        as_of: cut-off of the history; the first day when None.
        month0, own_map: see `from_market`. changes: parameters of the market, as `Market.with_` takes them.

    Raises:
        ConfigurationError: no such market, parameter or offer; arguments of one source given to the other.
        DefinitionError: a mistake in a file.
    """
    if source == HISTORY:
        if month0 is not None or changes or own_map is not None:
            raise ConfigurationError(
                "a month, a parameter or a map of a market is given, but futures come from history",
                where="futures",
                remedy="name a market, or leave them out",
            )
        from pricewar.futures.history import estimate

        ids = list(offers)
        return estimate(as_of or start).futures(catalogue, ids, start, months, draws, seed)
    if as_of is not None:
        raise ConfigurationError(
            "a market knows no cut-off", where="as_of", remedy="leave it out, or take history"
        )
    from pricewar.market import definition

    market = definition.market(source)
    if changes:
        market = market.with_(changes)
    return from_market(
        market, catalogue, offers, start, months, draws, seed,
        month0=month0, own_map=own_map, progress=progress,
    )  # fmt: skip


def from_market(
    source: Market | Run,
    catalogue: Catalogue,
    offers: Iterable[str],
    start: date,
    months: int,
    draws: int = 1000,
    seed: int = 0,
    *,
    month0: int | None = None,
    own_map: Map | Path | Mapping[str, object] | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Futures:
    """Futures of catalogue offers as a market would have them.

    Args:
        source: a market, run here for as long as needed; or a run of one, whose first `draws` members are
            taken as they are (then `seed` only names them).
        catalogue: as of the day the question is asked; its announced changes enter as announced.
        start: first day of month 0. months: M. draws: D.
        month0: the market's month that begins on `start`; the one in which it lies by the market's own
            calendar when None.
        own_map: what offers follow where the bundled map should not say (`market_map`).
        progress: told how many draws of how many are done.

    Raises:
        ConfigurationError: the start lies before the market's, months or draws are not positive, a run is too
            short or has too few members, an offer or a vendor in the map is unknown.
        DefinitionError: a mistake in the map's file.
    """
    from pricewar.market.model import Market, simulate

    market = source if isinstance(source, Market) else source.market
    if months < 1 or draws < 1 or seed < 0:
        raise ConfigurationError(
            f"{months} months × {draws} draws, seed {seed}",
            where="futures",
            remedy="give 1 month or more, 1 draw or more and a seed of 0 or more",
        )
    if month0 is None:
        if start < market.start:
            raise ConfigurationError(
                f"{market.name} begins on {market.start}, after {start}",
                where="futures",
                remedy="start later, or say which of its months it is (month0)",
            )
        month0 = int(months_between(market.start, start) + 1e-9)
    ids = tuple(offers)
    where = places(market, catalogue, ids, own_map)
    if isinstance(source, Market):
        whole = replace(market, months=month0 + months)
        run = simulate(whole, range(seed * APART, seed * APART + draws), progress=progress)
    elif len(source.seeds) < draws:
        raise ConfigurationError(
            f"{draws} draws of a run of {len(source.seeds)}", where="futures", remedy="run more members"
        )
    else:
        run = _first(source, draws)
    from pricewar.futures.market_paths import paths

    made = _Maker(catalogue, start, months, paths(run, month0, months), market, own_map)
    columns = [made.column(catalogue.offer(place.offer), place) for place in where]
    return Futures.of(
        columns,
        offers=ids,
        start=start,
        months=months,
        draws=draws,
        frontier=made.paths.frontier[:, 1:],
        source=f"market {market.name} from month {month0}",
        seed=seed,
        notes=made.notes(where),
    )


def _first(run: Run, draws: int) -> Run:
    """The run's first members."""
    part = slice(0, draws)
    return replace(
        run,
        seeds=run.seeds[part],
        vendor={name: a[part] for name, a in run.vendor.items()},
        type={name: a[part] for name, a in run.type.items()},
        world={name: a[part] for name, a in run.world.items()},
        teams=run.teams[part],
        events=run.events[part],
    )


class _Followed(NamedTuple):
    """What a place gives, each [D, M]: path of what is paid; whether it has left; whether a dearer model has
    replaced it; whether free terms have ended, and the factor on their amounts."""

    path: NDArray[np.float64]
    left: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    amount: NDArray[np.float64]


class _Maker:
    """Offers' columns from a run's paths, and what there is to note on the way."""

    def __init__(
        self,
        catalogue: Catalogue,
        start: date,
        months: int,
        paths: Paths,
        market: Market,
        own_map: Map | Path | Mapping[str, object] | None,
    ) -> None:
        self.catalogue, self.start, self.months = catalogue, start, months
        self.paths, self.market, self.own_map = paths, market, own_map
        # Present terms and paid siblings are read as for history; hazards are asked for nothing here.
        self.standing = Standing(None, catalogue, start)  # type: ignore[arg-type]
        self.noted: dict[str, list[str]] = defaultdict(list)

    def column(self, offer: Offer, place: Place) -> Column:
        import numpy as np

        D, M = len(self.paths.run.seeds), self.months
        column = Column.as_today(D, M)
        record = self.standing.present(offer)
        if record is None:
            self.noted[f"had ended before {self.start}"].append(offer.id)
            column.status = np.full((D, M), RETIRED, np.uint8)
            return column
        end = self._end(offer, record)
        ending = self._ends(offer, record)
        priced = blended_price(record) > 0
        sibling = self.standing.sibling(offer, record) if ending or not priced else None
        mine = self._follow(place, record.vendor)
        paid = mine
        if sibling is not None:
            (beside,) = places(self.market, self.catalogue, [sibling.id], self.own_map)
            paid = self._follow(beside, sibling.latest.vendor)
        known = self._announced(offer if sibling is None else sibling)
        path = paid.path * known if priced or sibling is not None else np.ones((D, M))
        over = self._reached(end)
        if not ending:
            gone = mine.left | (mine.replaced if priced else paid.replaced) | over
            heir = self._heir(offer, record) if end is not None and priced else 1.0
            column.price = path
            column.status = np.where(gone, RETIRED, 0).astype(np.uint8)
            column.successor = np.where(gone, path * np.where(over, heir, 1.0), 1.0)
            if record.kind == "introductory" and not offer.after(self.standing.moment):
                self.noted["what follows its introductory price is not announced; it is taken to change like "
                           "a list price"].append(offer.id)  # fmt: skip
            return column
        ended = over if record.kind == "introductory" else mine.ended | over
        if sibling is None:
            self.noted["nobody is known to sell its model, so its end counts as a retirement"].append(
                offer.id
            )
        after = ENDED if sibling is not None else RETIRED
        column.sibling = sibling.id if sibling is not None else None
        column.status = np.where(mine.left, RETIRED, np.where(ended, after, 0)).astype(np.uint8)
        column.status = np.maximum.accumulate(column.status, axis=1)
        column.price = path if priced and record.kind != "introductory" else np.where(
            column.status == 0, 1.0, path
        )  # fmt: skip
        column.successor = np.where(column.status == RETIRED, path, 1.0)
        if record.kind != "introductory":
            column.amount = np.where(column.status == 0, mine.amount, 1.0)
        return column

    # -- the market ----------------------------------------------------------------------------------------

    def _follow(self, place: Place, seller: str) -> _Followed:
        """What the offer of `seller` at `place` does."""
        import numpy as np

        p, tier = self.paths, _TIERS.index(place.tier)
        D, M = len(p.run.seeds), self.months
        never, ones = np.zeros((D, M), np.bool_), np.ones((D, M))
        if place.follows == AS_IT_IS:
            return _Followed(ones, never, never, never, ones)
        at, rows = self._stand_in(seller), np.arange(D)
        ended = p.ended[rows, :, at, tier][:, 1:] & (at >= 0)[:, None]
        amount = np.where((at >= 0)[:, None], p.amount[rows, :, at, tier][:, 1:], 1.0)
        if place.follows in self.market.vendors:
            j = self.market.vendors.index(place.follows)
            here = p.active[:, 0, j][:, None]
            return _Followed(
                p.path[:, 1:, j, tier],
                here & ~p.active[:, 1:, j],
                p.replaced[:, 1:, j, tier],
                np.where(here, p.ended[:, 1:, j, tier], ended),
                np.where(here, p.amount[:, 1:, j, tier], amount),
            )
        path = p.industry[:, 1:, tier]
        if place.follows == FRINGE:
            path = p.path[:, 1:, int(np.flatnonzero(p.fringe)[0]), tier]
        return _Followed(path, never, never, ended, amount)

    def _stand_in(self, seller: str) -> NDArray[np.int64]:
        """[D] a vendor inside that serves on the first day, of the member's seed and the seller's name; −1
        where there is none."""
        import numpy as np

        from pricewar.futures.survival import stream

        out = np.full(len(self.paths.run.seeds), -1)
        for n, seed in enumerate(self.paths.run.seeds):
            inside = np.flatnonzero(self.paths.active[n, 0] & ~self.paths.fringe)
            if inside.size:
                out[n] = inside[int(stream(seed, "stand-in", seller).random() * inside.size)]
        return out

    # -- what is announced -----------------------------------------------------------------------------------

    def _ends(self, offer: Offer, record: OfferRecord) -> bool:
        """Whether the offer's terms may end and leave its model to be paid: free ones, grants that are
        renewed, and introductory prices with a stated end and no price to follow."""
        if record.kind == "introductory":
            return not offer.after(self.standing.moment) and self._end(offer, record) is not None
        renewed = any(a.reset != "none" for a in record.allowances) or not record.allowances
        return record.kind == "free" or (record.kind == "grant" and renewed)

    def _end(self, offer: Offer, record: OfferRecord) -> float | None:
        """Months until the announced end of the offer; None when none is."""
        following = offer.after(self.standing.moment)
        end = (following[-1] if following else record).in_force.end
        retired = record.lifecycle.retired_on
        if isinstance(retired, datetime) and retired > self.standing.moment:
            end = retired
        return months_between(self.start, end.date()) if end and end > self.standing.moment else None

    def _reached(self, due: float | None) -> NDArray[np.bool_]:
        """[M] whether the middle of a month lies past `due`."""
        import numpy as np

        return np.arange(self.months) + 0.5 >= (math.inf if due is None else due)

    def _announced(self, offer: Offer) -> NDArray[np.float64]:
        """[M] factor on the present price by versions that are to come."""
        import numpy as np

        factor, record = np.ones(self.months), self.standing.present(offer)
        now = blended_price(record) if record is not None else 0.0
        for version in offer.after(self.standing.moment):
            begins = version.in_force.from_
            if now > 0 and blended_price(version) > 0 and isinstance(begins, datetime):
                due = months_between(self.start, begins.date())
                factor = np.where(self._reached(due), blended_price(version) / now, factor)
        return factor

    def _heir(self, offer: Offer, record: OfferRecord) -> float:
        """Present price of the newest other model of the vendor's line on sale, over the offer's own; 1 where
        there is none."""
        model = record.models[0].name
        line = []
        for other in self.catalogue.offers.values():
            now = other.on(self.standing.moment)
            if other.id == offer.id or now is None or now.kind != "list" or now.vendor != record.vendor:
                continue
            name = now.models[0].name
            if (
                now.in_force.end is None
                and now.currency == record.currency
                and line_of(name) == line_of(model)
            ):
                line.append((version_of(name), blended_price(now)))
        line = [entry for entry in line if entry[1] > 0]
        return max(line)[1] / blended_price(record) if line else 1.0

    # -- notes -----------------------------------------------------------------------------------------------

    def notes(self, where: Sequence[Place]) -> tuple[str, ...]:
        """What a reader must know."""
        p, market = self.paths, self.market
        last = p.month0 + p.months
        found = [f"month {p.month0} of {market.name} (of {market.months}) is taken to begin on {self.start}"]
        if last > market.months:
            found[0] += f"; months {max(market.months, p.month0)} to {last} lie past what it was made for"
        if self.catalogue.as_of > self.start:
            found.append(
                f"the catalogue is of {self.catalogue.as_of}: it knows of the days since {self.start}, "
                "and so do these"
            )
        found += unmapped(where)
        found += self._unlike(where)
        found += [f"{_listed(ids)}: {why}" for why, ids in self.noted.items()]
        if p.cropped:
            found.append(f"in {p.cropped:.0%} of draws some changes count a month late: more than are kept")
        found.append("announced changes are taken as kept")
        return tuple(found)

    def _unlike(self, where: Sequence[Place]) -> list[str]:
        """Where the market's first day does not look like the real one."""
        p, found = self.paths, []
        every: dict[tuple[int, int], list[str]] = defaultdict(list)
        free: dict[tuple[int, int], list[str]] = defaultdict(list)
        for place in where:
            offer = self.catalogue.offer(place.offer)
            record = self.standing.present(offer)
            if place.follows in self.market.vendors and record is not None:
                at = self.market.vendors.index(place.follows), _TIERS.index(place.tier)
                every[at].append(place.offer)
                if self._ends(offer, record):
                    free[at].append(place.offer)
        for groups, like, words in (
            (every, p.usable, "has no paid list price at first; the vendors' mean stands in for its path"),
            (free, p.gives, "gives nothing free at first; free terms then end at its first rise"),
        ):
            for (j, tier), ids in groups.items():
                share = 1.0 - float(like[:, j, tier].mean())
                if share:
                    name = f"{self.market.vendors[j]}'s {_TIERS[tier]} class"
                    found.append(f"in {share:.0%} of draws {name} {words}: {_listed(ids)}")
        return found


def unmapped(where: Iterable[Place]) -> list[str]:
    """A sentence for each group of offers that no vendor of the market stands for."""
    words = {
        FRINGE: "follow the market's open weights; free terms end as at one of its vendors, drawn by future",
        INDUSTRY: "follow the mean of its vendors; free terms end as at one of them, drawn by future",
        AS_IT_IS: "stay as today but for what is announced",
    }
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for place in where:
        if not place.inside:
            groups[place.why, place.follows].append(place.offer)
    return [f"not in the market ({why}), {words[to]}: {_listed(ids)}" for (why, to), ids in groups.items()]


def _listed(ids: Sequence[str]) -> str:
    """Ids in words; of many, the first and how many more (`places` has them all)."""
    shown = ", ".join(ids[:SHOWN])
    return f"{shown} and {len(ids) - SHOWN} more" if len(ids) > SHOWN else shown


__all__ = ["HISTORY", "from_market", "futures_for", "places", "unmapped"]
