"""Usage: what a team's own records say was asked of which model, when, and in how many tokens.

Every source has its own shape; `read` brings each into one canonical table (`pricewar.usage.table`) and says
what it left out and what it could not know. Nothing is dropped in silence: rows read = rows kept + rows
excluded, each exclusion with its cause, its count and the first places where it happened.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pricewar.usage.log import Exclusion, Log
    from pricewar.usage.read import formats, read
    from pricewar.usage.sample import sample, write_sample
    from pricewar.usage.table import METERS, SCHEMA, empty

# Imported on use: polars alone would cost the command line its quick start.
_HOME = {
    "Exclusion": "log",
    "Log": "log",
    "METERS": "table",
    "SCHEMA": "table",
    "empty": "table",
    "formats": "read",
    "read": "read",
    "sample": "sample",
    "write_sample": "sample",
}

__all__ = ["METERS", "SCHEMA", "Exclusion", "Log", "empty", "formats", "read", "sample", "write_sample"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOME[name]}")
    # The module `sample` and its function share a name; the import has just bound the module here.
    globals()[name] = value = getattr(home, name)
    return value
