"""Futures of the catalogue's offers: the process of `process` started from today's real terms.

How an offer of the catalogue becomes a subject of the process, and what each kind of terms may become:

- *list* prices change and are retired; a version with a later start is an announced price, an end without a
  following version an announced retirement. Packs and provisioned capacity are taken to change like list
  prices.
- *free* offers, and grants that are renewed, end (status 1, billed by the paid sibling) and have their
  amounts changed; with the model's retirement they are retired. Where the vendor sells no paid sibling the
  end is a retirement: what follows is a move to another vendor. An offer of several models ends with the
  vendor's programme, an offer of one also when the model leaves it.
- *grants given once* stay what they are: they end by their own terms, which the bill knows.
- *introductory* prices end as announced; one without a stated end ends at the rate at which such prices did,
  and the paid sibling follows, else a price dearer by a recorded ratio.

Prices are blended at `records.MIX`. A vendor without records is drawn from its class.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pricewar.errors import FactError
from pricewar.futures.process import STEPS, Hazards, Subject
from pricewar.futures.records import (
    MIX,
    after_months,
    channel_of,
    line_of,
    months,
    spelled,
    tier_of,
    undated,
    vendor_of,
)
from pricewar.notes import Note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pricewar.futures.contract import Column, Futures
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.offers.schema import OfferRecord

UNKNOWN_AGE = 9.0
"""Months of age of a model whose first day nobody recorded."""


class _InLine(NamedTuple):
    version: tuple[int, ...]
    id: str
    price: float


def blended_price(record: OfferRecord) -> float:
    """The price of a million tokens under the record's base rates, in its currency; 0 without paid rates."""
    price = {"input": 0.0, "output": 0.0}
    for rate in record.rates:
        when = rate.when
        if when.input_above or when.tier or when.hours or when.weekdays or when.from_ or when.until:
            continue
        for meter in price:
            unit = rate.unit_price(meter)
            if unit is not None:
                price[meter] = float(unit) * 1e6
    return MIX[0] * price["input"] + MIX[1] * price["output"]


def version_of(model: str) -> tuple[int, ...]:
    """The numbers in a model's name that say how new it is: `claude-haiku-4-5` → (4, 5). Sizes and days are
    none."""
    return tuple(int(n) for n in re.findall(r"(?<![\d.])(\d{1,2})(?![\db])", undated(model)))[:3]


@dataclass(frozen=True)
class Market:
    """The catalogue on the first day of the futures."""

    hazards: Hazards
    catalogue: Catalogue
    start: date

    @cached_property
    def moment(self) -> datetime:
        return datetime.combine(self.start, time(), UTC)

    def present(self, offer: Offer) -> OfferRecord | None:
        """The terms on the first day, or the first that come; None when the offer has ended."""
        now = offer.on(self.moment)
        if now is None:
            later = offer.after(self.moment)
            now = later[0] if later else None
        return now

    def usd(self, record: OfferRecord) -> float:
        """Blended price in USD; 1 unit = 1 USD where no rate is on record."""
        try:
            rate, _ = self.catalogue.exchange(record.currency, "USD", self.start)
        except FactError:
            return blended_price(record)
        return blended_price(record) * float(rate)

    def names(self, record: OfferRecord) -> tuple[str, str, str]:
        """Channel, vendor and model by which the records know the offer."""
        channel = channel_of(record.vendor)
        model = record.models[0].name
        if channel == "routed":
            author, _, rest = model.rpartition("/")
            return channel, author or self._authors.get(spelled(model), spelled(model).split("-")[0]), rest
        return channel, vendor_of(record.vendor), model

    @cached_property
    def _authors(self) -> dict[str, str]:
        """Who made a routed model, by its name."""
        histories = self.hazards.known.histories
        return {spelled(model): author for channel, author, model in histories if channel == "routed"}

    @cached_property
    def _lines(self) -> dict[tuple[str, str, str], list[_InLine]]:
        """List offers on sale by (channel, vendor, line), newest last."""
        found: dict[tuple[str, str, str], list[_InLine]] = defaultdict(list)
        for offer in self.catalogue.offers.values():
            record = offer.on(self.moment)
            if record is None or record.kind not in ("list", "introductory"):
                continue
            if record.in_force.end is not None and not offer.after(self.moment):
                continue  # it is about to go
            channel, vendor, model = self.names(record)
            price = self.usd(record)
            if price > 0:
                found[channel, vendor, line_of(model)].append(_InLine(version_of(model), offer.id, price))
        return {key: sorted(entries) for key, entries in found.items()}

    def sibling(self, offer: Offer, record: OfferRecord) -> Offer | None:
        """The vendor's own paid list offer of the same model. Who must go to another vendor for it moves, and
        pays for that: no one else's offer bills in its place."""
        found = self.catalogue.listed(record.vendor, record.models[0].name.removesuffix(":free"))
        if found is None or found.id == offer.id or found.latest.vendor != record.vendor:
            return None
        now = self.present(found)
        return found if now is not None and blended_price(now) > 0 else None

    def subject(self, offer: Offer, record: OfferRecord) -> Subject:
        """The paid side of the offer."""
        channel, vendor, model = self.names(record)
        price = self.usd(record)
        known = self.hazards.known
        recorded = next(
            (
                spells
                for (c, v, m), spells in known.histories.items()
                if (c, vendor_of(v), spelled(m)) == (channel, vendor_of(vendor), spelled(model))
            ),
            None,
        )
        if recorded:
            tier = tier_of(model, recorded[0].price)  # the class its own record is in
        elif record.light is not None:
            tier = "light" if record.light else "flagship"
        else:
            tier = tier_of(model, price or None)
        begins = [v.in_force.from_.date() for v in offer.versions if isinstance(v.in_force.from_, datetime)]
        if recorded:
            begins.append(recorded[0].first)
        since = record.in_force.from_
        line = self._lines.get((channel, vendor, line_of(model)), [])
        newer = [x for x in line if x.version > version_of(model) and x.id != offer.id]
        following = offer.after(self.moment)
        announced, before = [], blended_price(record)
        for version in following:
            price_then = blended_price(version)
            if before > 0 and price_then > 0 and price_then != before:
                assert isinstance(version.in_force.from_, datetime)
                due = months(self.start, version.in_force.from_.date())
                announced.append((due, math.log(price_then / before)))
            before = price_then
        end = (following[-1] if following else record).in_force.end
        retired = record.lifecycle.retired_on
        if isinstance(retired, datetime) and retired > self.moment:
            end = retired
        return Subject(
            channel,
            vendor,
            model,
            tier,
            months(min(begins), self.start) if begins else UNKNOWN_AGE,
            retires=months(self.start, end.date()) if end is not None and end > self.moment else None,
            heir=math.log(newer[-1].price / price) if newer and price > 0 else None,
            announced=tuple(announced),
            quiet=months(since.date(), self.start) if isinstance(since, datetime) else UNKNOWN_AGE,
        )


def futures_of(
    hazards: Hazards,
    catalogue: Catalogue,
    offers: tuple[str, ...],
    start: date,
    span: int,
    draws: int,
    seed: int,
) -> Futures:
    """See `Hazards.futures`, which checks the arguments."""
    import numpy as np

    from pricewar.futures.contract import Futures

    market = Market(hazards, catalogue, start)
    times = np.arange(span, dtype=np.float64) + 0.5
    assert span <= STEPS
    notes: list[str] = []
    if after_months(hazards.known.until, 3) < start:
        until = hazards.known.until
        notes.append(
            Note(
                f"records end on {until}: their rates are taken to hold from {start} on",
                "records_end",
                day=until.isoformat(),
                start=start.isoformat(),
            )
        )
    if catalogue.as_of > start:
        notes.append(
            Note(
                f"the catalogue is of {catalogue.as_of}: it knows of the days since {start}, and so do these",
                "catalogue_later",
                day=catalogue.as_of.isoformat(),
                start=start.isoformat(),
            )
        )
    columns = [_column(market, catalogue.offer(id), times, draws, seed, notes) for id in offers]
    kept, moved, cancelled = hazards.outcomes
    notes.append(
        Note(
            f"announced changes: {kept} kept, {moved} moved, {cancelled} cancelled on record",
            "announced",
            kept=int(kept),
            moved=int(moved),
            cancelled=int(cancelled),
        )
    )
    return Futures.of(
        columns,
        offers=offers,
        start=start,
        months=span,
        draws=draws,
        frontier=hazards.frontier(times, draws, seed),
        source=f"history as of {hazards.as_of}",
        cut_off=hazards.as_of,
        seed=seed,
        notes=tuple(notes),
    )


def _column(
    market: Market, offer: Offer, times: NDArray[np.float64], draws: int, seed: int, notes: list[str]
) -> Column:
    import numpy as np

    from pricewar.futures.contract import ENDED, RETIRED, Column

    column = Column.as_today(draws, times.size)
    record = market.present(offer)
    if record is None:
        text = f"{offer.id}: it had ended before {market.start}"
        notes.append(Note(text, "had_ended", offer=offer.id, start=market.start.isoformat()))
        column.status = np.full(column.price.shape, RETIRED, np.uint8)
        return column
    hazards = market.hazards
    renewed = any(a.reset != "none" for a in record.allowances) or not record.allowances
    ending = record.kind == "free" or (record.kind == "grant" and renewed)
    if record.kind == "introductory":
        ending = not offer.after(market.moment)
    priced = blended_price(record) > 0
    sibling = market.sibling(offer, record) if ending or not priced else None
    if record.kind == "introductory" and ending and sibling is None:
        paid = offer  # it goes on, dearer
    else:
        paid = offer if priced and not ending else sibling
    if paid is None:
        path = after = np.zeros(column.price.shape)
        retirement = np.full(draws, np.inf)
    else:
        paid_record = market.present(paid)
        assert paid_record is not None
        subject = market.subject(paid, paid_record)
        if vendor_of(subject.vendor) not in hazards.change[subject.pool].groups:
            stand_in = " ".join(subject.pool)
            text = f"{offer.id}: {subject.vendor} is not on record; its class ({stand_in}) stands in"
            notes.append(Note(text, "stand_in", offer=offer.id, vendor=subject.vendor, kind=stand_in))
        path, retirement, after = hazards.paths(subject, times, draws, seed)
    gone = times >= retirement[:, None]
    column.price = np.exp(path)
    column.successor = np.where(gone, np.exp(after), 1.0)
    column.status = np.where(gone, RETIRED, 0).astype(np.uint8)
    if not ending:
        return column
    kind = record.kind if record.kind in hazards.ended else "free"
    end = record.in_force.end
    if end is not None and end > market.moment:
        ends = hazards.happens_at(f"{offer.id}/end", months(market.start, end.date()), draws, seed)
    else:
        ends = hazards.free_end(kind, record.vendor, offer.id, draws, seed, len(record.models) == 1)
    over = times >= ends[:, None]
    if paid is offer:
        text = f"{offer.id}: what follows its introductory price is not announced"
        notes.append(Note(text, "introductory", offer=offer.id))
        dearer = hazards.after_introduction(offer.id, draws, seed)
        column.price = column.price * np.where(over, np.exp(dearer)[:, None], 1.0)
        return column
    column.sibling = paid.id if paid else None
    if paid is None:
        text = f"{offer.id}: the vendor is not known to sell its model, so its end counts as a retirement"
        notes.append(Note(text, "not_sold", offer=offer.id))
    column.status = np.where(gone, RETIRED, np.where(over, ENDED if paid else RETIRED, 0)).astype(np.uint8)
    if record.kind != "introductory":
        column.amount = np.exp(hazards.free_amount(kind, record.vendor, times, draws, seed))
    if not priced or record.kind == "introductory":
        column.price = np.where(column.status == 0, 1.0, column.price)
    return column
