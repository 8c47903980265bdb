"""The canonical table: one row per request, or per bucket where a source gives only sums.

| column | type | meaning |
|---|---|---|
| time | UTC, µs | start of the request or of the bucket |
| time_end | UTC, µs, null | end of the bucket; null for a single request |
| vendor | text, null | who served it, as the record says; null when it does not say |
| model | text | model as the record names it |
| input | tokens | neither read from a cache nor written to one |
| cache_read | tokens | read from the vendor's cache |
| cache_write_5m, cache_write_1h | tokens | written to the cache, by lifetime |
| output | tokens | without reasoning |
| reasoning | tokens | reasoning that is billed as output |
| search | searches | web searches made for the model |
| requests | requests | 1 for a single request |
| tier | text | standard, batch, flex, priority, … |
| reported_cost | decimal, null | what the record says it cost |
| reported_currency | text, null | and in which currency |
| project | text, null | project, team or key, whichever the record has |

The token buckets exclude one another, so a bill is a sum over them and no token is charged twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

import polars as pl

from pricewar.units import METERS

__all__ = ["ABSURD", "METERS", "SCHEMA", "empty", "models_like"]

SCHEMA: Final = pl.Schema(
    {
        "time": pl.Datetime("us", "UTC"),
        "time_end": pl.Datetime("us", "UTC"),
        "vendor": pl.String(),
        "model": pl.String(),
        **{meter: pl.Int64() for meter in METERS},
        "tier": pl.String(),
        "reported_cost": pl.Decimal(38, 12),
        "reported_currency": pl.String(),
        "project": pl.String(),
    }
)

ABSURD: Final = 10**15
"""More than this in one row is a fault of the record: the largest vendors serve about as much in a day."""


def empty() -> pl.DataFrame:
    """The canonical table without rows."""
    return pl.DataFrame(schema=SCHEMA)


def models_like(frame: pl.DataFrame, patterns: Sequence[str]) -> pl.DataFrame:
    """The rows whose model, or vendor/model, matches one of the patterns (with * and ?)."""
    pairs = frame.select("vendor", "model").unique(maintain_order=True)
    kept = [
        any(fnmatchcase(name, p) for p in patterns for name in (model, f"{vendor}/{model}"))
        for vendor, model in pairs.rows()
    ]
    return frame.join(
        pairs.filter(pl.Series(kept, dtype=pl.Boolean)),
        on=["vendor", "model"], how="semi", nulls_equal=True, maintain_order="left",
    )  # fmt: skip
