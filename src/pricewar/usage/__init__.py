"""Usage: what a team's own records say was asked of which model, when, and in how many tokens.

Every source has its own shape; `pricewar.usage.read.read` brings each into one canonical table
(`pricewar.usage.table`) and returns a `pricewar.usage.log.Log`, which says what was left out and what cannot
be known. Nothing is dropped in silence: rows read = rows kept + rows excluded, each exclusion with its cause,
its count and the first places where it happened. `pricewar.usage.sample` makes up a month to try things on.

The package itself imports nothing until asked, since polars would cost the command line its quick start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pricewar.usage.log import Exclusion, Log
    from pricewar.usage.table import METERS, SCHEMA

__all__ = ["METERS", "SCHEMA", "Exclusion", "Log"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "log" if name in ("Exclusion", "Log") else "table"
    return getattr(import_module(f"{__name__}.{home}"), name)
