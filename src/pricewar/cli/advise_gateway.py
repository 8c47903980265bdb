"""`pricewar advise --gateway DIR`: the plan as a LiteLLM proxy configuration with a calendar of switches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

FOLLOWED_DAYS = 7
"""A week shows when quotas run out; a limit that bites every minute is slow to follow for months."""

if TYPE_CHECKING:
    from pricewar.advice.gateway import HandOff
    from pricewar.cli.options import Progress


def write(
    folder: Path,
    log: Path,
    data: Mapping[str, Any],
    progress: Progress,
    *,
    as_of: date | None = None,
    only: Sequence[str] = (),
    format_: str | None = None,
    maps: Sequence[str] = (),
    zone: str | None = None,
    **_: Any,
) -> HandOff:
    """Hand the advice `data` on `log` to a proxy, in `folder`."""
    import polars as pl

    from pricewar.advice import gateway_write
    from pricewar.advice.gateway import hand_off
    from pricewar.advice.gateway_calendar import calendar
    from pricewar.advice.gateway_predict import batches_of, predict
    from pricewar.advice.workload import part_of
    from pricewar.cli.bill import read_log
    from pricewar.offers.catalogue import load_catalogue

    usage = read_log(log, format_, maps, zone, progress)
    if only:
        usage = part_of(usage, only)
    counts: Counter[tuple[str | None, str]] = Counter()
    for frame in usage.batches():
        sums = frame.group_by("vendor", "model").agg(pl.col("requests").fill_null(1).sum())
        for vendor, model, n in sums.iter_rows():
            counts[vendor, model] += n
    found = hand_off(data, load_catalogue(as_of), [pair for pair, _ in counts.most_common()])
    predictions = {}
    for period in found.periods:
        progress.say(f"following {period.file} through the log …")
        predictions[period.name] = predict(
            found,
            period,
            batches_of(usage, FOLLOWED_DAYS),
            frozen=period.start,
            progress=lambda text: progress.say(f"{text} …"),
        )
    entries = calendar(found, data, predictions)
    gateway_write.write(folder, found, entries, predictions, data)
    return found
