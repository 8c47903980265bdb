"""Which of a market's vendors each offer of the catalogue follows, and in which class.

A market has vendors with two tiers; the catalogue has offers. `places` states the map, one `Place` an offer:

1. what the caller's own map says of the offer;
2. the market's vendor that sells it (`vendors` of the map: ByteDance sells as volcengine);
3. for models that only their author prices, the author, wherever they are called (`models`);
4. else it is not in the market: what a host or a marketplace sells follows the market's competitive fringe
   (open weights, priced at cost), and what another laboratory sells follows the mean of the vendors.

The class is the record's own (`light`), else by name and price (`records.tier_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pricewar.definitions import load
from pricewar.errors import ConfigurationError, FactError, did_you_mean
from pricewar.futures.offered import blended_price
from pricewar.futures.records import Tier, channel_of, spelled, tier_of

if TYPE_CHECKING:
    from pricewar.market.model import Market
    from pricewar.offers.catalogue import Catalogue, Offer

FRINGE: Final = "open weights"
INDUSTRY: Final = "industry"
AS_IT_IS: Final = "as today"
ELSEWHERE: Final = (FRINGE, INDUSTRY, AS_IT_IS)
_BUNDLED: Final = Path(__file__).parent / "market_map.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """What one offer, or all whose id fits a pattern, follow; what is left out is found as for the others."""

    follows: str | None = None
    class_: Tier | None = Field(None, alias="class")


_SILENT: Final = Rule.model_validate({})


class Map(_Part):
    """A map: see `market_map.yaml`. Keys of `vendors` and `models` are vendors of a market."""

    vendors: dict[str, list[str]] = {}
    models: dict[str, list[str]] = {}
    offers: dict[str, Rule] = {}


class Place(NamedTuple):
    """Where an offer stands in a market.

    `follows`: a vendor of the market, or one of `ELSEWHERE`. `why`, in words. `inside`: whether the market's
    vendor itself sells the offer or prices its model; else it is unmapped, and `follows` stands in.
    """

    offer: str
    follows: str
    tier: Tier
    why: str
    inside: bool


@lru_cache(maxsize=1)
def bundled() -> Map:
    """The map of the package."""
    return load_map(_BUNDLED)


def load_map(path: Path) -> Map:
    """A map from its file.

    Raises:
        DefinitionError: a mistake, at file, line and key.
    """
    documents = load(path, name=path.name)
    if len(documents) != 1:
        raise ConfigurationError("a map is one document", where=str(path), remedy="keep one map to a file")
    return documents[0].validate(Map)


def map_of(given: Map | Path | Mapping[str, object] | None) -> Map:
    """The caller's map as a `Map`: read, or made of plain data; an empty one for None.

    Raises:
        DefinitionError: a file with a mistake. ConfigurationError: plain data that is no map.
    """
    if given is None:
        return Map()
    if isinstance(given, Map):
        return given
    if isinstance(given, Path):
        return load_map(given)
    from pydantic import ValidationError

    try:
        return Map.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigurationError(
            f"{first['msg']} at {'.'.join(map(str, first['loc']))}",
            where="map of the market",
            remedy="keys are vendors, models and offers; see docs/futures.md",
        ) from None


def places(
    market: Market,
    catalogue: Catalogue,
    offers: Iterable[str],
    own: Map | Path | Mapping[str, object] | None = None,
) -> tuple[Place, ...]:
    """Where each offer stands in `market`; `own` comes before the bundled map.

    Raises:
        ConfigurationError: an unknown offer, or a rule that names no vendor of the market.
        DefinitionError: a mistake in a map's file.
    """
    rules = map_of(own)
    for pattern, rule in rules.offers.items():
        if rule.follows is not None and rule.follows not in (*market.vendors, *ELSEWHERE):
            known = (*market.vendors, *ELSEWHERE)
            raise ConfigurationError(
                f"“{rule.follows}” is no vendor of {market.name}",
                where=f"map of the market, offers.{pattern}",
                remedy=did_you_mean(rule.follows, known) or f"known: {', '.join(known)}",
            )
    fringe = any(_is_fringe(market, j) for j in range(len(market.vendors)))
    found = []
    for id in offers:
        offer = catalogue.offer(id)
        rule = next((r for pattern, r in rules.offers.items() if fnmatchcase(id, pattern)), _SILENT)
        follows, why, inside = rule.follows, "as the caller's map says", rule.follows in market.vendors
        if follows is None:
            follows, why, inside = _follows(market, offer, (rules, bundled()), fringe)
        if follows == FRINGE and not fringe:
            follows, why = INDUSTRY, f"{why}; the market has no open weights"
        tier = rule.class_ or class_of(catalogue, offer)
        found.append(Place(id, follows, tier, why, inside))
    return tuple(found)


def class_of(catalogue: Catalogue, offer: Offer) -> Tier:
    """Light or flagship, as recorded, else by name and blended price in USD."""
    record = offer.latest
    if record.light is not None:
        return "light" if record.light else "flagship"
    price = blended_price(record)
    try:
        price *= float(catalogue.exchange(record.currency, "USD", catalogue.as_of)[0])
    except FactError:
        price = 0.0
    return tier_of(record.models[0].name, price or None)


def _follows(market: Market, offer: Offer, maps: tuple[Map, ...], fringe: bool) -> tuple[str, str, bool]:
    """(what it follows, why, whether inside) by the maps' vendors and models, the first map first."""
    record = offer.latest
    for each in maps:
        for vendor, names in each.vendors.items():
            if record.vendor in names and vendor in market.vendors:
                return vendor, "its vendor", True
    model = spelled(record.models[0].name)
    for each in maps:
        for author, patterns in each.models.items():
            if not any(fnmatchcase(model, pattern) for pattern in patterns):
                continue
            if author in market.vendors:
                return author, "its model's author", True
            if author == FRINGE and fringe:
                return FRINGE, "its model's weights are open", False
            return INDUSTRY, "its model's author is not in the market", False
    if channel_of(record.vendor) == "own":
        return INDUSTRY, "its vendor is not in the market", False
    return FRINGE, "a host or marketplace", False


def _is_fringe(market: Market, vendor: int) -> bool:
    from pricewar.market import kernel

    return int(market.v[vendor, kernel.V_CONDUCT]) == kernel.FRINGE
