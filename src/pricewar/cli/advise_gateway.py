"""`pricewar advise --gateway DIR`: the plan as a LiteLLM proxy configuration with a calendar of switches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    format_: str | None = None,
    maps: Sequence[str] = (),
    zone: str | None = None,
    **_: Any,
) -> HandOff:
    """Hand the advice `data` on `log` to a proxy, in `folder`."""
    from pricewar.advice.gateway_made import make
    from pricewar.cli.bill import read_log
    from pricewar.offers.catalogue import load_catalogue

    usage = read_log(log, format_, maps, zone, progress)
    return make(folder, data, usage, load_catalogue(as_of), say=progress.say)
