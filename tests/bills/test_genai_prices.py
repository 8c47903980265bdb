"""Bills equal genai-prices' own decimal arithmetic, request by request, on every model both price.

The requests are random but lie where prices turn: around start dates and hours, sizes of context, tiers.
Ids that the catalogue corrects are left out: there genai-prices is known to be wrong.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from genai_prices import data
from genai_prices.types import ModelInfo, StartDateConstraint, TieredPrices, TimeOfDateConstraint, Usage

from pricewar.billing.batch import Assumptions, Batch, View
from pricewar.billing.run import Run
from pricewar.billing.tariff import Above, microseconds, tariff
from pricewar.offers import listed
from pricewar.offers.catalogue import Offer, load_catalogue
from pricewar.offers.schema import OfferRecord

TIERS = ["standard", "batch", "flex", "priority"]
CONTEXTS: dict[str, dict[str, str] | None] = {
    "standard": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
LEAST = 20_000
Request = tuple[datetime, list[int], int]


def entries_of(model: ModelInfo) -> list[Any]:
    found = list(model.prices) if isinstance(model.prices, list) else []
    return [*found, *(model.price_variants or [])]


def turns(model: ModelInfo) -> tuple[list[datetime], list[int]]:
    """Instants and input sizes around which the model's price changes."""
    moments, sizes = [], []
    for entry in entries_of(model):
        if isinstance(entry.constraint, StartDateConstraint):
            moments.append(datetime.combine(entry.constraint.start_date, datetime.min.time(), UTC))
        if isinstance(entry.constraint, TimeOfDateConstraint):
            for clock in (entry.constraint.start_time, entry.constraint.end_time):
                moments.append(datetime.combine(date(2026, 5, 6), clock.replace(tzinfo=UTC)))
    plain = [] if isinstance(model.prices, list) else [model.prices]
    for prices in [*plain, *(entry.prices for entry in entries_of(model))]:
        for value in vars(prices).values():
            if isinstance(value, TieredPrices):
                sizes += [tier.start for tier in value.tiers]
    return moments, sizes


def requests(model: ModelInfo, count: int, rng: random.Random) -> list[Request]:
    moments, sizes = turns(model)
    found: list[Request] = []
    for _ in range(count):
        if moments and rng.random() < 0.7:
            moment = rng.choice(moments) + timedelta(
                microseconds=rng.choice([-1, 0, 1, rng.randrange(-(10**11), 10**11)])
            )
        else:
            moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(1100 * 86_400))
        total = rng.choice([0, rng.randrange(3000), rng.randrange(2_000_000)])
        if sizes and rng.random() < 0.6:
            total = rng.choice(sizes) + rng.choice([-1, 0, 1, rng.randrange(5000)])
        parts = sorted(rng.randrange(total + 1) for _ in range(3)) if rng.random() < 0.6 else [total] * 3
        quantities = [
            parts[0],
            parts[1] - parts[0],
            parts[2] - parts[1],
            total - parts[2],
            rng.choice([0, rng.randrange(20_000)]),
            rng.choice([0, 0, rng.randrange(20_000)]),
            rng.choice([0, 0, rng.randrange(9)]),
            1,
        ]
        found.append((moment, quantities, rng.randrange(4) if rng.random() < 0.4 else 0))
    return found


def theirs(model: ModelInfo, provider: Any, request: Request) -> Decimal:
    moment, (fresh, read, five, hour, output, reasoning, search, _), tier = request
    usage = Usage(
        input_tokens=fresh + read + five + hour,
        cache_read_tokens=read,
        cache_write_tokens=five + hour,
        cache_write_1h_tokens=hour,
        output_tokens=output + reasoning,
        output_reasoning_tokens=reasoning,
        web_searches=search,
    )
    return model.calc_price(
        usage, provider, genai_request_timestamp=moment, price_context=CONTEXTS[TIERS[tier]]
    ).total_price


def ours(offer: Offer, these: list[Request]) -> list[Fraction]:
    """Each request billed alone."""
    found = tariff(offer)
    assert found is not None
    sizes = [atom.tokens for atom in found.atoms if isinstance(atom, Above)]
    bills = []
    for moment, quantities, tier in these:
        batch = Batch(
            np.array([microseconds(moment)]),
            np.array([quantities]),
            np.zeros(1, dtype=np.int64),
            [(None, "m")],
            np.array([tier]),
            TIERS,
        )
        run = Run(found, unknown="open")
        run.add(View(batch, Assumptions(), frozenset(), sizes), np.zeros(1, dtype=np.int64))
        bills.append(run.bill().total)
    return bills


def test_every_model_both_price() -> None:
    offers: dict[str, list[OfferRecord]] = {}
    for record in listed.offers():
        offers.setdefault(record.id, []).append(record)
    corrected = {c.listed for c in load_catalogue().corrections}
    rng = random.Random(20261122)
    compared, wrong = 0, []
    models = [(p, m) for p in data.providers for m in p.models if f"{p.id}/{m.id}" in offers]
    assert len(models) > 2000
    for provider, model in models:
        id = f"{provider.id}/{model.id}"
        if id in corrected:
            continue
        turning = any(turns(model)) or model.price_variants
        these = requests(model, 30 if turning else 8, rng)
        for request, bill in zip(these, ours(Offer(id, tuple(offers[id]), own=False), these), strict=True):
            compared += 1
            if bill != Fraction(theirs(model, provider, request)):
                wrong.append((id, request, bill))
    assert not wrong, f"{len(wrong)} of {compared}: {wrong[:3]}"
    assert compared >= LEAST


def test_one_bill_is_the_sum_of_its_requests() -> None:
    """The same requests of one model in one pass."""
    offers: dict[str, list[OfferRecord]] = {}
    for record in listed.offers():
        offers.setdefault(record.id, []).append(record)
    rng = random.Random(7)
    providers = {p.id: p for p in data.providers}
    for id in ("anthropic/claude-sonnet-4-5", "openai/gpt-5", "google/gemini-2.5-pro", "openai/o3"):
        provider = providers[id.split("/")[0]]
        model = next(m for m in provider.models if m.id == id.split("/")[1])
        these = sorted(requests(model, 400, rng), key=lambda r: r[0])
        found = tariff(Offer(id, tuple(offers[id]), own=False))
        assert found is not None
        batch = Batch(
            np.array([microseconds(moment) for moment, _, _ in these]),
            np.array([quantities for _, quantities, _ in these]),
            np.zeros(len(these), dtype=np.int64),
            [(None, "m")],
            np.array([tier for _, _, tier in these]),
            TIERS,
        )
        sizes = [atom.tokens for atom in found.atoms if isinstance(atom, Above)]
        run = Run(found)
        run.add(View(batch, Assumptions(), frozenset(), sizes), np.zeros(1, dtype=np.int64))
        assert run.bill().total == sum(Fraction(theirs(model, provider, r)) for r in these)
