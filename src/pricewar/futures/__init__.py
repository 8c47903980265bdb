"""Futures of offers: what prices and terms may become, month by month, in many draws.

One contract (`contract.Futures`) for two sources: the recorded history of prices and terms (`history`), and
the market engine. `scoring` holds forecasts from history against what came to pass.
"""

from __future__ import annotations

from pricewar.futures.contract import AS_TODAY, ENDED, RETIRED, Futures, certain

__all__ = ["AS_TODAY", "ENDED", "RETIRED", "Futures", "certain"]
