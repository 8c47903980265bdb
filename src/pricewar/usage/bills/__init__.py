"""Bills: what vendors say was charged. `BILLS` is the table of the formats known."""

from __future__ import annotations

from typing import Final

from pricewar.usage.bills.china import CHINESE
from pricewar.usage.bills.focus import FOCUS
from pricewar.usage.bills.record import Bill
from pricewar.usage.bills.reports import REPORTS

BILLS: Final[dict[str, Bill]] = {bill.name: bill for bill in (FOCUS, *REPORTS, *CHINESE)}
