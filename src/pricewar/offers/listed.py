"""The list prices of genai-prices, said in our schema.

genai-prices keeps, for each provider and model, a list of conditional prices of which the last active one
holds as a whole, and variants (batch, priority, …) that override single prices. Here a model becomes one
offer `provider/model` whose versions are parted at the start dates, so that within a version "the latest
matching rate wins, meter by meter" gives the same price. Audio, image, page and character prices have no
meter in a usage log of tokens and are left out, with a note.

Source: the package `genai-prices` (MIT), https://github.com/pydantic/genai-prices.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from fractions import Fraction
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricewar.errors import DataError
from pricewar.offers.schema import (
    Charges,
    Eligibility,
    InForce,
    Lifecycle,
    ModelName,
    OfferRecord,
    Rate,
    Source,
    Window,
)
from pricewar.units import UNKNOWN

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

METER_OF = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
    "web_searches_kcount": "search",
    "requests_kcount": "requests",
}
FALLBACK = {
    "cache_write_1h": ("cache_write_5m", "input"),
    "cache_write_5m": ("input",),
    "cache_read": ("input",),
    "reasoning": ("output",),
}
"""A meter without a price of its own is charged at the first of these that has one."""

TIER_OF = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
}
READ_ON = {"0.2.3": date(2026, 11, 22)}
"""When a release of genai-prices was read; a later release counts as read on the day of its file."""


def refreshed_file() -> Path:
    """Where `pricewar offers --refresh` keeps the newest list."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "pricewar" / "genai-prices.json"


def providers() -> tuple[list[Provider], date]:
    """The providers, and the day their prices were read."""
    path = refreshed_file()
    if path.exists():
        return _from_json(path.read_bytes(), str(path)), datetime.fromtimestamp(
            path.stat().st_mtime, UTC
        ).date()
    from genai_prices import __version__, data

    read_on = READ_ON.get(__version__)
    if read_on is None and data.__file__:
        read_on = datetime.fromtimestamp(Path(data.__file__).stat().st_mtime, UTC).date()
    return data.providers, read_on or date.today()


def refresh(url: str | None = None) -> int:
    """Fetch the newest list and keep it; the only place that uses the network, on explicit command.

    Returns:
        How many models it prices.

    Raises:
        DataError: the list could not be fetched, or is not one. The list kept before stays.
    """
    import urllib.error
    import urllib.request

    from genai_prices.update_prices import DEFAULT_UPDATE_URL

    address = url or DEFAULT_UPDATE_URL
    try:
        with urllib.request.urlopen(address, timeout=30) as reply:
            raw = reply.read()
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise DataError(
            f"the list could not be fetched: {error}", where=address, remedy="try again later"
        ) from None
    found = _from_json(raw, address)
    path = refreshed_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".new")
    waiting.write_bytes(raw)
    waiting.replace(path)
    return sum(len(provider.models) for provider in found)


def _from_json(raw: bytes, where: str) -> list[Provider]:
    import json

    from genai_prices.types import _providers_from_raw  # pyright: ignore[reportPrivateUsage]

    try:
        found = _providers_from_raw(json.loads(raw))
        if not found or not any(provider.models for provider in found):
            raise ValueError("it holds no models")
    except Exception as error:
        raise DataError(
            f"this is not a list of genai-prices: {str(error).splitlines()[0]}",
            where=where,
            remedy="remove the file, or run `pricewar offers --refresh` again",
        ) from None
    return found


def offers() -> Iterator[OfferRecord]:
    """Every model that is billed by tokens or requests, as offers."""
    found, read_on = providers()
    for provider in found:
        for model in provider.models:
            yield from _versions(provider, model, read_on)


@lru_cache(maxsize=1)
def _release() -> str:
    """The installed package's version; its metadata are slow to read, so once is enough."""
    return version("genai-prices")


def _versions(provider: Provider, model: ModelInfo, read_on: date) -> Iterator[OfferRecord]:
    from genai_prices.types import ConditionalPrice, StartDateConstraint

    prices = model.prices
    entries = prices if isinstance(prices, list) else [ConditionalPrice(prices=prices)]
    if not entries or not any(key in METER_OF for key in _given(entries[0].prices)):
        return
    starts = sorted(
        {e.constraint.start_date for e in entries if isinstance(e.constraint, StartDateConstraint)}
    )
    url = (provider.pricing_urls or ["https://github.com/pydantic/genai-prices"])[0]
    skipped: set[str] = set()
    listing = f"as listed by genai-prices {_release()}"
    variants = _variant_rates(model, skipped)
    for begins, ends in zip([None, *starts], [*starts, None], strict=True):
        rates, zero = _rates_in(entries, begins, skipped)
        note = f"not billed here: {', '.join(sorted(skipped))}" if skipped else None
        free = zero and not variants
        yield OfferRecord.model_construct(
            id=f"{provider.id}/{model.id}",
            vendor=provider.id,
            plan="list price",
            kind="free" if free else "list",
            models=[
                ModelName.model_construct(
                    name=model.id, aliases=[], weights=None, context=model.context_window or None
                )
            ],
            light=None,
            currency="USD",
            tax="excluded",
            sources=[Source.model_construct(url=url, read_on=read_on, says=listing)],
            confidence="medium",
            in_force=InForce.model_construct(
                from_=_midnight(begins) if begins else UNKNOWN, until=_midnight(ends) if ends else None
            ),
            announced=_midnight(read_on) if begins and begins > read_on else UNKNOWN,
            notice_days=UNKNOWN,
            recorded=read_on,
            replaces=[],
            overflow_to=None,
            eligibility=Eligibility(),
            rates=rates + variants,
            allowances=[],
            limits=UNKNOWN if free else [],
            charges=Charges(),
            lifecycle=Lifecycle(),
            note="; ".join(
                filter(None, ["no longer recommended by the vendor" if model.deprecated else None, note])
            )
            or None,
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _given(prices: ModelPrice) -> dict[str, Any]:
    return {
        key: value for key, value in vars(prices).items() if value is not None and not key.startswith("_")
    }


def _rates_in(entries: list[Any], begins: date | None, skipped: set[str]) -> tuple[list[Rate], bool]:
    """The rates that hold from `begins` until the next start date, and whether all are zero."""
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

    rates: list[Rate] = []
    for entry in entries:
        constraint = entry.constraint
        if isinstance(constraint, TimeOfDateConstraint):
            hours = f"{constraint.start_time:%H:%M}-{constraint.end_time:%H:%M}"
            rates += _entry_rates(entry.prices, {"hours": hours}, skipped, whole=True)
        elif constraint is None or (
            isinstance(constraint, StartDateConstraint)
            and begins is not None
            and constraint.start_date <= begins
        ):
            rates = _entry_rates(entry.prices, {}, skipped)  # the last active price holds as a whole
    if not any(r.when.hours is None for r in rates):
        rates = _entry_rates(entries[0].prices, {}, skipped) + rates
    return rates, all(not getattr(rate, meter) for rate in rates for meter in METER_OF.values())


def _entry_rates(
    prices: ModelPrice, window: dict[str, Any], skipped: set[str], *, whole: bool = False
) -> list[Rate]:
    """One rate for the base prices and one for each context size at which they jump.

    `whole`: every meter is set, falling back as genai-prices would, so that no earlier rate shows through.
    """
    from genai_prices.types import TieredPrices

    base: dict[str, Fraction] = {}
    above: dict[int, dict[str, Fraction]] = {}
    for key, value in _given(prices).items():
        meter = METER_OF.get(key)
        if meter is None:
            skipped.add(key.replace("_", " "))
        elif isinstance(value, TieredPrices):
            base[meter] = Fraction(value.base)
            for tier in value.tiers:
                above.setdefault(tier.start, {})[meter] = Fraction(tier.price)
        else:
            base[meter] = Fraction(value)
    if whole:
        for meter, others in FALLBACK.items():
            for other in others:
                if meter not in base and other in base:
                    base[meter] = base[other]
                    for jump in above.values():
                        if other in jump:
                            jump.setdefault(meter, jump[other])
    rates = [_rate(base, window)] if base else []
    return rates + [_rate(above[start], {**window, "input_above": start}) for start in sorted(above)]


def _variant_rates(model: ModelInfo, skipped: set[str]) -> list[Rate]:
    """Batch and service tiers. The first variant that matches wins there, the last here: hence reversed."""
    from genai_prices.types import StartDateConstraint

    rates: list[Rate] = []
    for variant in reversed(model.price_variants or []):
        condition = next(iter(variant.when.items()))
        if len(variant.when) == 1 and condition == ("service_tier", "default"):
            continue  # what a request without a tier pays
        tier = TIER_OF.get(condition) if len(variant.when) == 1 else None
        if tier is None:
            skipped.add("prices for " + " ".join(f"{key} {value}" for key, value in variant.when.items()))
            continue
        window: dict[str, Any] = {"tier": [tier]}
        if isinstance(variant.constraint, StartDateConstraint):
            window["from_"] = _midnight(variant.constraint.start_date)
        rates += _entry_rates(variant.prices, window, skipped)
    return rates


_WINDOW = Window()


def _rate(prices: dict[str, Fraction], window: dict[str, Any]) -> Rate:
    when = _WINDOW.model_copy(update=window) if window else _WINDOW
    return _EMPTY_RATE.model_copy(update={**prices, "when": when})


_EMPTY_RATE = Rate.model_construct()
