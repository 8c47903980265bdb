"""Bills by the product's own path, from the plain rows of the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import polars as pl
from reference import METERS, Row

from pricewar.billing.batch import Assumptions, Batch, View
from pricewar.billing.bill import Bill
from pricewar.billing.run import Run, served_by
from pricewar.billing.tariff import Above, Tariff, tariff
from pricewar.offers.catalogue import Offer
from pricewar.offers.schema import OfferRecord
from pricewar.usage.table import SCHEMA

COMMON: dict[str, Any] = {
    "id": "test/offer",
    "vendor": "test",
    "plan": "made up",
    "kind": "list",
    "models": ["a"],
    "currency": "USD",
    "sources": [{"url": "https://example.org", "read_on": "2026-01-01"}],
    "confidence": "high",
    "in_force": {"from": "2020-01-01"},
    "recorded": "2026-01-01",
}


def offer_of(*versions: dict[str, Any]) -> Offer:
    """An offer from the terms in which its versions differ from a plain one."""
    records = [OfferRecord.model_validate({**COMMON, **version}) for version in versions]
    return Offer(records[0].id, tuple(records), own=True)


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as the canonical table."""
    columns: dict[str, Any] = {
        "time": [r.time.astimezone(UTC) for r in rows],
        "time_end": [None] * len(rows),
        "vendor": ["test"] * len(rows),
        "model": [r.model for r in rows],
        **{m: [r.quantities.get(m, 1 if m == "requests" else 0) for r in rows] for m in METERS},
        "tier": [r.tier for r in rows],
        "reported_cost": [None] * len(rows),
        "reported_currency": [None] * len(rows),
        "project": [None] * len(rows),
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def run(
    offer: Offer, rows: Sequence[Row], cuts: Iterable[int] = (), *, open_unknowns: bool = False,
    frozen: datetime | None = None,
) -> tuple[Bill, list[int]]:  # fmt: skip
    """The bill, and how many requests of each row are refused; the log is passed in pieces cut at `cuts`."""
    span = (rows[0].time, rows[-1].time) if rows else None
    found = tariff(offer, frozen=frozen, span=span)
    assert found is not None
    pass_ = Run(found, unknown="open" if open_unknowns else "shut")
    refused: list[int] = []
    marks = [0, *sorted(cuts), len(rows)]
    models: dict[tuple[str | None, str], int] = {}
    tiers = {"standard": 0}
    for start, end in pairwise(marks):
        if start < end:
            refused += add(pass_, found, rows[start:end], models, tiers)
    return pass_.bill(), refused


def add(
    pass_: Run, found: Tariff, rows: Sequence[Row], models: dict[tuple[str | None, str], int],
    tiers: dict[str, int],
) -> list[int]:  # fmt: skip
    """Pass some rows; returns how many requests of each are refused."""
    batch = Batch.of(frame(rows), models, tiers)
    thresholds = [atom.tokens for atom in found.atoms if isinstance(atom, Above)]
    served, _ = served_by(found, batch.models, {})
    left = pass_.add(View(batch, Assumptions(), frozenset(), thresholds), served)
    return [0] * len(rows) if left is None else [int(x) for x in left]
