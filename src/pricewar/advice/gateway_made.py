"""The hand-off of one advice, made whole: deployments, what each would do with the log, the calendar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

FOLLOWED_DAYS = 7
"""A week shows when quotas run out; a limit that bites every minute is slow to follow for months."""

if TYPE_CHECKING:
    from pricewar.advice.gateway import HandOff
    from pricewar.offers.catalogue import Catalogue
    from pricewar.usage.log import Log


def make(
    folder: Path, data: Mapping[str, Any], usage: Log, catalogue: Catalogue, *, say: Callable[[str], None]
) -> HandOff:
    """Hand the advice `data` on `usage` to a proxy, in `folder`; `say` is told what is under way."""
    from pricewar.advice import gateway_write
    from pricewar.advice.gateway import hand_off
    from pricewar.advice.gateway_calendar import calendar
    from pricewar.advice.gateway_predict import batches_of, predict
    from pricewar.advice.workload import part_of

    if data["only"]:
        usage = part_of(usage, data["only"])
    found = hand_off(data, catalogue, models_by_use(usage))
    predictions = {}
    for period in found.periods:
        say(f"following {period.file} through the log …")
        predictions[period.name] = predict(
            found,
            period,
            batches_of(usage, FOLLOWED_DAYS),
            frozen=period.start,
            progress=lambda text: say(f"{text} …"),
        )
    entries = calendar(found, data, predictions)
    gateway_write.write(folder, found, entries, predictions, data)
    return found


def models_by_use(usage: Log) -> list[tuple[str | None, str]]:
    """(vendor, model) of a log, the most asked for first; of the same number by name."""
    import polars as pl

    counts: Counter[tuple[str | None, str]] = Counter()
    for frame in usage.batches():
        sums = frame.group_by("vendor", "model").agg(pl.col("requests").fill_null(1).sum())
        for vendor, model, n in sums.iter_rows():
            counts[vendor, model] += n
    return sorted(counts, key=lambda pair: (-counts[pair], pair[0] or "", pair[1]))
