"""A catalogue, advice and streams that do not exist, for the tests of the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pricewar.advice.gateway import HandOff, hand_off
from pricewar.billing.batch import Batch
from pricewar.billing.tariff import microseconds
from pricewar.offers.catalogue import Catalogue, load_catalogue
from pricewar.units import METERS

FACTS = Path(__file__).parent / "facts"
START = date(2027, 2, 1)


def catalogue() -> Catalogue:
    return load_catalogue(date(2026, 11, 22), FACTS)


def advice(
    begin: str,
    *,
    recommended: str = "today",
    siblings: dict[str, str] | None = None,
    to: str = "acme/paid",
    month: int | None = None,
    start: date = START,
    standing: Sequence[str] = ("acme/paid",),
    given: Sequence[str] = (),
) -> dict[str, Any]:
    """The parts of an advice document that the hand-off reads."""
    kinds = {o.id: o.latest.kind for o in catalogue().offers.values() if o.own}
    offers = dict.fromkeys([*begin.split(" + "), *standing])
    return {
        "pricewar": "0", "made": "2026-11-22", "command": "pricewar advise log.csv",
        "start": start.isoformat(), "months": 12, "currency": "USD", "recommended": recommended,
        "candidates": [
            {"offer": o, "kind": kinds[o], "served": 1.0, "sibling": (siblings or {}).get(o),
             "staying": {"mean": float(i)}}
            for i, o in enumerate(offers)
        ],
        "outcomes": [{"key": recommended, "settings": {"begin": begin, "leave_in_month": month}}],
        "assumptions": [{"key": key, "given": True} for key in given],
        "plan": {
            "begin": begin,
            "triggers": [{"key": "gone", "args": {}, "when": "it serves nothing any more", "then": "move"}],
            "rises": [{"months": 0, "leaving": 100.0, "share": 0.5, "monthly": 10.0, "to": to}],
            "look_again": [{"day": "2027-06-01", "why": "by then its terms have ended in 50% of futures"}],
        },
    }  # fmt: skip


def handed(begin: str, logged: str | None = "borealis-2", **more: Any) -> HandOff:
    models = [("borealis" if logged == "borealis-2" else None, logged)] if logged is not None else []
    return hand_off(advice(begin, **more), catalogue(), models)


def stream(requests: Sequence[tuple[datetime, int, int, int]], model: str = "borealis-2") -> Batch:
    """Requests as (time, input, cached input, output)."""
    quantities = np.zeros((len(requests), len(METERS)), dtype=np.int64)
    for row, (_, plain, cached, output) in enumerate(requests):
        quantities[row, METERS.index("input")] = plain
        quantities[row, METERS.index("cache_read")] = cached
        quantities[row, METERS.index("output")] = output
        quantities[row, METERS.index("requests")] = 1
    times = np.array([microseconds(t) for t, *_ in requests], dtype=np.int64)
    none = np.zeros(len(requests), dtype=np.int64)
    return Batch(times, quantities, none, [(None, model)], none, ["standard"])
