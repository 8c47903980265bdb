"""The catalogue as it could have been read on a past day.

`load_catalogue(as_of)` knows on that day what our own facts say; the list prices of genai-prices bear the day
on which they were read and are not in it. Here the recorded history stands in for them: each price from the
day on which it was recorded, a retirement or a price once it was announced. So advice can be asked for on a
past day, and the catalogue of a later day says what then happened.

Recorded prices are of input and output tokens only: cached input is billed as input.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import TYPE_CHECKING

from pricewar.futures.records import Records, load_records, vendor_of

if TYPE_CHECKING:
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.offers.schema import OfferRecord

SOURCES = {
    "own": "https://github.com/BerriAI/litellm",
    "hosted": "https://github.com/BerriAI/litellm",
    "routed": "https://github.com/jvrck/openrouterlist",
}
READ_ON = date(2026, 11, 22)


def offer_id(channel: str, vendor: str, model: str) -> str:
    """The id of a recorded offer in a past catalogue."""
    parts = ("openrouter", vendor, model) if channel == "routed" else (vendor, model)
    return "/".join(re.sub(r"[^A-Za-z0-9._:+-]", "-", part) for part in parts)


def catalogue_on(as_of: date, records: Records | None = None) -> Catalogue:
    """Every offer known on `as_of`: our own facts, and list prices as recorded by then.

    A model that our own facts price at the same vendor is left to them.
    """
    from pricewar.offers.catalogue import Catalogue, load_catalogue

    base = load_catalogue(as_of)
    # The base's list prices of genai-prices were read later than any day that is asked for here.
    offers = {id: offer for id, offer in base.offers.items() if offer.own}
    priced = {
        (vendor_of(v.vendor), name.lower())
        for offer in offers.values()
        for v in offer.versions
        if v.kind in ("list", "introductory")
        for model in v.models
        for name in (model.name, *model.aliases)
    }
    for id, offer in recorded_offers(as_of, records).items():
        if (vendor_of(offer.latest.vendor), offer.latest.models[0].name.lower()) not in priced:
            offers.setdefault(id, offer)
    return Catalogue(as_of, offers, (), base.currency_rates)


def recorded_offers(as_of: date, records: Records | None = None) -> dict[str, Offer]:
    """The list prices on record on `as_of`, as offers by id."""
    known = (records or load_records()).known(as_of)
    found = (_offer(known, *key) for key in known.histories)
    return {offer.id: offer for offer in found if offer.versions}


def _offer(known: Records, channel: str, vendor: str, model: str) -> Offer:
    from pricewar.offers.catalogue import Offer

    id = offer_id(channel, vendor, model)
    end = known.retirement(channel, vendor, model)
    spells = known.histories[channel, vendor, model]
    steps: list[tuple[date, float, float, date]] = [(s.first, s.input, s.output, s.first) for s in spells]
    for announced in known.announcements:
        if (
            announced.input is not None
            and announced.output is not None
            and announced.vendor == vendor
            and model in announced.models
            and announced.due > spells[-1].first
            and announced.outcome == "pending"
        ):
            steps.append((announced.due, announced.input, announced.output, announced.announced))
    versions: list[OfferRecord] = []
    for (first, price_in, price_out, public), following in zip(steps, [*steps[1:], None], strict=True):
        until = following[0] if following else end.on if end is not None else None
        if until is not None and until <= first:
            continue
        versions.append(_version(id, channel, vendor, model, first, until, price_in, price_out, public))
    return Offer(id, tuple(versions), own=True)


def _version(
    id: str,
    channel: str,
    vendor: str,
    model: str,
    first: date,
    until: date | None,
    price_in: float,
    price_out: float,
    public: date,
) -> OfferRecord:
    from pricewar.offers.schema import InForce, ModelName, OfferRecord, Rate, Source

    rate = Rate.model_construct(
        input=Fraction(str(price_in)), output=Fraction(str(price_out)), when=Rate.model_fields["when"].default
    )
    return OfferRecord.model_construct(
        id=id,
        vendor="openrouter" if channel == "routed" else vendor,
        plan="list price, as recorded",
        kind="list",
        models=[ModelName(name=f"{vendor}/{model}" if channel == "routed" else model)],
        currency="USD",
        tax="excluded",
        sources=[Source(url=SOURCES[channel], read_on=READ_ON)],
        confidence="medium",
        in_force=InForce.model_construct(from_=_midnight(first), until=_midnight(until) if until else None),
        announced=_midnight(public),
        recorded=public,
        rates=[rate],
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
