"""Readers of invoices: from a vendor's records to the lines of `pricewar.usage.invoice`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pricewar.errors import ConfigurationError

if TYPE_CHECKING:
    from pricewar.usage.invoice import Invoice, Progress


@dataclass(frozen=True, slots=True)
class Bill:
    """One kind of invoice."""

    name: str
    title: str


BILLS: dict[str, Bill] = {}


def read(path: Path, name: str | None, zone: str | None, progress: Progress | None) -> Invoice:
    """See `pricewar.usage.invoice.read_invoice`."""
    raise ConfigurationError(f"no reader for {path.name} yet ({name}, {zone}, {progress})")
