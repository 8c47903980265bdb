"""What a vendor says was charged: invoices, bills and cost reports, line by line.

`read_invoice` brings every source into the same lines. Money is exact, as the text of the record has it; what
a record does not tell is None, never 0. As with usage logs nothing is dropped in silence: records read =
lines kept + records excluded, each exclusion with its cause, its count and the first places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

from pricewar.usage.log import Exclusion

Kind = Literal["usage", "allowance", "credit", "tax", "fee", "commitment", "adjustment"]

KINDS: Final[tuple[Kind, ...]] = (
    "usage",
    "allowance",
    "credit",
    "tax",
    "fee",
    "commitment",
    "adjustment",
)
"""What a line is for.

usage       something consumed, at a price (which may be 0)
allowance   something consumed that a package, grant or free quota paid for
credit      a voucher, refund or other amount in the customer's favour
tax         tax of any kind
fee         a platform, support or subscription fee; a one-time purchase
commitment  bought or reserved ahead: packages, provisioned capacity
adjustment  a correction or rounding of earlier lines"""

Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice.

    Attributes:
        start, end: what period was charged, UTC; None when the record does not tell.
        zone: IANA zone in which the source cuts its days; None when nobody says.
        vendor: who served it, by our name for it where the format implies it.
        model: as the record names it; None when it names none.
        meter: one of `pricewar.units.METERS`; None when the record does not tell.
        tier: standard, batch, flex, priority, …; None when the record does not tell.
        quantity: tokens, searches or requests, whatever the record counts in; None when it has none.
        kind: see `KINDS`.
        list_amount: before discounts, packages and vouchers; None when the record does not tell.
        amount: what is charged, in `currency`; negative in the customer's favour.
        currency: ISO code as the record tells it.
        project: project, workspace, account or key, whichever the record has.
        item: what the invoice calls the line.
        place: where it stands, `file:line`.
    """

    start: datetime | None
    end: datetime | None
    zone: str | None
    vendor: str | None
    model: str | None
    meter: str | None
    tier: str | None
    quantity: Fraction | None
    kind: Kind
    list_amount: Fraction | None
    amount: Fraction
    currency: str
    project: str | None
    item: str
    place: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice, and an honest account of how it was read.

    Attributes:
        format: name of the reader that was used.
        source: file or files read.
        lines: what was kept, in the order of the source.
        rows_in: records found; equals the lines plus all exclusions.
        exclusions: records left out, by cause.
        notes: what was assumed and what cannot be known, in sentences.
        verified: the reader was checked against a real, public example of this format.
        documentation: where the meaning of the fields was taken from.
    """

    format: str
    source: tuple[str, ...]
    lines: tuple[Line, ...]
    rows_in: int
    exclusions: tuple[Exclusion, ...]
    notes: tuple[str, ...]
    verified: bool
    documentation: str

    @property
    def excluded(self) -> int:
        """Records left out, all causes together."""
        return sum(exclusion.count for exclusion in self.exclusions)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First start and last end (or start) that the lines tell, None when none does."""
        starts = [line.start for line in self.lines if line.start is not None]
        ends = [line.end or line.start for line in self.lines if (line.end or line.start) is not None]
        return (min(starts), max(end for end in ends if end is not None)) if starts else None


def invoice_formats() -> dict[str, str]:
    """Every format `read_invoice` knows: name → what it is."""
    from pricewar.usage.bills import BILLS

    return {name: entry.title for name, entry in BILLS.items()}


def read_invoice(
    path: str | Path,
    *,
    format: str | None = None,
    zone: str | None = None,
    progress: Progress | None = None,
) -> Invoice:
    """An invoice, bill or cost report as lines.

    Args:
        path: a file, or a directory whose files all have the same format.
        format: one of `invoice_formats()`; None to tell by content.
        zone: IANA zone in which times that name none are read and days are cut; None means the format's own
            (UTC, or Asia/Shanghai for Chinese vendors), and a note says so.
        progress: called with records read and the share of the bytes done.

    Raises:
        LogError: the content cannot be used as the format it was taken for, or is no invoice.
        ConfigurationError: unknown format or zone.
    """
    from pricewar.usage.bills.reading import read

    return read(Path(path), format, zone, progress)
