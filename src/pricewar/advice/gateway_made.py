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
    import polars as pl

    from pricewar.advice import gateway_write
    from pricewar.advice.gateway import hand_off
    from pricewar.advice.gateway_calendar import calendar
    from pricewar.advice.gateway_predict import batches_of, predict
    from pricewar.advice.workload import part_of

    if data["only"]:
        usage = part_of(usage, data["only"])
    counts: Counter[tuple[str | None, str]] = Counter()
    for frame in usage.batches():
        sums = frame.group_by("vendor", "model").agg(pl.col("requests").fill_null(1).sum())
        for vendor, model, n in sums.iter_rows():
            counts[vendor, model] += n
    found = hand_off(data, catalogue, [pair for pair, _ in counts.most_common()])
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
