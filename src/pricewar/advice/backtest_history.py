"""The market month by month as it was, and what each stream of work would have cost on every offer.

Month i is known as of its first day: the catalogue of what was on record then, and hazards estimated from it.
Advice given in month i sees `Month` i and nothing later. What a month in fact cost is billed on that month's
own catalogue, through the workload and the surfaces that advice itself uses.

Offers that are considered: list, introductory and free terms whose model has a published capability figure no
lower than the stream's bar. Grants, packs and provisioned capacity are left out: what they cost depends on
when one joined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from pricewar.advice import kernel
from pricewar.advice.backtest_plans import move_cost
from pricewar.advice.backtest_teams import Stream
from pricewar.advice.evidence_published import figure_of
from pricewar.advice.strategies import Costs, Floats, Surfaces, costs_of
from pricewar.advice.surfaces import Response, responses
from pricewar.advice.team import DAY_USD
from pricewar.advice.workload import workload
from pricewar.errors import ConfigurationError
from pricewar.futures.records import Records, load_records, vendor_of

if TYPE_CHECKING:
    from pricewar.futures.offered import Market
    from pricewar.futures.process import Hazards
    from pricewar.offers.catalogue import Catalogue
    from pricewar.offers.schema import OfferRecord

KINDS: Final = ("list", "introductory", "free")
CLOSED: Final = {"anyscale": date(2024, 8, 1)}
"""Vendors that stopped serving while lists went on naming them. Anyscale's shared endpoints ended on this
day: https://docs.anyscale.com/endpoints/text-generation/deprecations (read 2026-11-22). That it was announced
earlier is not on record here, so advice before does not know it."""


def month_after(day: date, months: int) -> date:
    """The first day of the month `months` later."""
    at = day.year * 12 + day.month - 1 + months
    return date(at // 12, at % 12 + 1, 1)


@dataclass
class Month:
    """What could be known of the market on the first day of a month."""

    day: date
    catalogue: Catalogue
    hazards: Hazards

    @classmethod
    def of(cls, day: date, records: Records) -> Month:
        from pricewar.futures.history import estimate
        from pricewar.futures.past import catalogue_on

        return cls(day, catalogue_on(day, records), estimate(day, records))

    @cached_property
    def market(self) -> Market:
        from pricewar.futures.offered import Market

        return Market(self.hazards, self.catalogue, self.day)

    @cached_property
    def live(self) -> dict[str, OfferRecord]:
        """Terms in force, of the kinds considered."""
        moment = datetime.combine(self.day, time(), UTC)
        found = {}
        for id, offer in self.catalogue.offers.items():
            record = offer.on(moment)
            if record is None or record.kind not in KINDS:
                continue
            closed = CLOSED.get(record.vendor)
            if closed is None or self.day < closed:
                found[id] = record
        return found

    @cached_property
    def index(self) -> dict[str, float]:
        """Published capability of the offers in force, of those that have one."""
        found = {}
        for id, record in self.live.items():
            model = record.models[0]
            figure = figure_of([model.name, *model.aliases], self.day)
            if figure is not None:
                found[id] = figure.index
        return found

    def acceptable(self, bar: float) -> list[str]:
        """Offers in force whose model reaches the bar."""
        return sorted(id for id, index in self.index.items() if index >= bar)

    def heir(self, offer: str) -> str | None:
        """Who bills the user of an offer of this month once it has gone, as this month knows it: the paid
        sibling of a free one."""
        record = self.live[offer]
        found = self.market.sibling(self.catalogue.offers[offer], record)
        return found.id if found is not None else None

    @cached_property
    def _known_as(self) -> dict[tuple[str, str, str], str]:
        return {self.market.names(record): id for id, record in self.live.items() if record.kind == "list"}

    def successor(self, record: OfferRecord) -> str | None:
        """The offer in force that follows a retired one in its vendor's range."""
        channel, vendor, model = self.market.names(record)
        for (c, v, m), id in self._known_as.items():
            if c == channel and vendor_of(v) == vendor_of(vendor):
                heir = self.hazards.known.successor(c, v, model, self.day)
                if heir is None:
                    return None
                if m == heir:
                    return id
        return None


class History:
    """Months from `first` to `last`, each read when it is first asked for.

    Raises:
        ConfigurationError: the months are not in order, or records do not reach them.
    """

    def __init__(
        self,
        first: date,
        last: date,
        records: Records | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.records = records or load_records()
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        if count < 2:
            raise ConfigurationError(
                f"from {first:%Y-%m} to {last:%Y-%m} is no span of months",
                where="--from, --to",
                remedy="give two months in order, such as 2024-06 and 2025-11",
            )
        self.days = [month_after(first, i) for i in range(count)]
        if self.days[-1] > self.records.until:
            raise ConfigurationError(
                f"records end on {self.records.until}",
                where="--to",
                remedy=f"choose a month up to {self.records.until:%Y-%m}",
            )
        self._months: dict[int, Month] = {}
        self._say = progress or (lambda _: None)

    def month(self, i: int) -> Month:
        if i not in self._months:
            self._say(f"reading the market of {self.days[i]:%Y-%m}")
            self._months[i] = Month.of(self.days[i], self.records)
        return self._months[i]


@dataclass
class Bills:
    """A month's bills of one stream: what load s costs on each offer that reaches the bar."""

    names: list[str]
    found: dict[str, Response]
    requests: float
    surfaces: Surfaces = field(repr=False)

    def at(self, load: float) -> tuple[Floats, Floats]:
        """([O] money, [O] share refused) of a month at `load`."""
        shape = (1, 1, len(self.names))
        one, outs = np.ones(shape), [np.empty(shape) for _ in range(4)]
        s = self.surfaces
        kernel.months(
            np.full((1, 1), load), one, np.zeros(shape, np.uint8), one, one, one, s.own, s.after, s.late,
            s.gift, *s.tables, *outs,
        )  # fmt: skip
        return outs[0][0, 0], outs[1][0, 0]


def bills(month: Month, stream: Stream, names: Sequence[str] | None = None) -> Bills:
    """Bill a stream's first month on every acceptable offer of a month, on that month's terms."""
    chosen = [month.catalogue.offers[n] for n in (names or month.acceptable(stream.bar))]
    work = workload(stream.log(1.0), month.catalogue, chosen, month.day)
    there = list(work.entries)
    found = responses(work, there, (1.0, stream.most), {}) if there else {}
    lasting = [month.live[n].kind != "free" for n in there]
    return Bills(there, found, work.requests, Surfaces.of(there, [None] * len(there), found, lasting))


class Lane:
    """One stream through the months: realised costs for every window.

    Attributes:
        names: offers that reached the bar in some month. vendors: of each. last: month in which each was last
            in force.
    """

    def __init__(
        self, history: History, stream: Stream, progress: Callable[[str], None] | None = None
    ) -> None:
        self.history, self.stream = history, stream
        self.bills: list[Bills] = []
        say = progress or (lambda _: None)
        seen: dict[str, OfferRecord] = {}
        self.last: dict[str, int] = {}
        for i in range(len(history.days)):
            say(f"{stream.name}: billing {history.days[i]:%Y-%m}")
            month = history.month(i)
            self.bills.append(bills(month, stream))
            for name in self.bills[-1].names:
                seen[name] = month.live[name]
                self.last[name] = i
        self.record = seen
        self.names = list(seen)
        self.at = {name: o for o, name in enumerate(self.names)}
        vendors = [vendor_of(seen[n].vendor) for n in self.names]
        self.vendor = np.unique(vendors, return_inverse=True)[1].astype(np.int64)
        self.vendors = vendors
        self.requests = self.bills[0].requests

    def window(self, start: int, months: int) -> Window:
        """What each month from `start` on costs on each offer, growth included."""
        stream, offers = self.stream, len(self.names)
        cost, lost = np.full((months, offers), np.inf), np.ones((months, offers))
        team = stream.team.team(months)
        worth = float(team.refused or 0)
        ended = np.zeros((months, offers), np.bool_)
        for k in range(months):
            load = (1 + stream.team.growth) ** k
            of = self.bills[start + k]
            pay, share = of.at(load)
            at = [self.at[n] for n in of.names]
            cost[k, at] = pay + share * load * self.requests * worth
            lost[k, at] = share
            for name, o in self.at.items():
                if not self.paid(o) and start + k > self.last[name]:
                    heir = self.heir(o)
                    if heir is not None and heir in self.at and np.isfinite(cost[k, self.at[heir]]):
                        cost[k, o], lost[k, o] = cost[k, self.at[heir]], lost[k, self.at[heir]]
                        ended[k, o] = True
        responses_ = [self.bills[self.last[n]].found[n] for n in self.names]
        day = float(team.engineer_day if team.engineer_day is not None else DAY_USD)

        def costs(portable: bool) -> Costs:
            return costs_of(
                team, self.vendors, responses_, day=day, worth=np.full(offers, worth),
                requests=self.requests, present=-1, portable=portable,
            )  # fmt: skip

        return Window(self, start, cost, lost, ended, costs(False), costs(True))

    def heir(self, o: int) -> str | None:
        """The paid sibling of a free offer, as it was when the offer was last in force."""
        name = self.names[o]
        return self.history.month(self.last[name]).heir(name)

    def paid(self, o: int) -> bool:
        return self.record[self.names[o]].kind != "free"


@dataclass
class Window:
    """The months of one back-test: [M, O] realised cost (infinite where an offer is not to be had) and share
    refused; `ended`: free terms that are over and billed by the paid sibling."""

    lane: Lane
    start: int
    cost: Floats
    lost: Floats
    ended: np.ndarray
    costs: Costs
    portable: Costs

    @property
    def months(self) -> int:
        return len(self.cost)

    def open(self, k: int, o: int) -> bool:
        return bool(np.isfinite(self.cost[k, o]))

    def moves(self, o: int, tenure: int, costs: Costs) -> Floats:
        """[O] cost of a move from `o` after `tenure` months; 0 to itself."""
        offers = range(self.cost.shape[1])
        return np.array([move_cost(costs, self.lane.vendor, o, tenure, p) if p != o else 0.0 for p in offers])

    def forced(self, k: int, o: int) -> int:
        """Where a user of an offer that is gone goes in month k: its successor, else the cheapest paid."""
        lane = self.lane
        heir = lane.history.month(self.start + k).successor(lane.record[lane.names[o]])
        if heir is not None and heir in lane.at and self.open(k, lane.at[heir]):
            return lane.at[heir]
        paid = np.array([lane.paid(p) for p in range(len(lane.names))])
        there = np.where(paid, self.cost[k], np.inf)
        return int((there if np.isfinite(there).any() else self.cost[k]).argmin())
