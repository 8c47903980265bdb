"""Work for a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pricewar.errors import ConfigurationError


def adds(a: int, b: int, report: Callable[[Any], None]) -> int:
    for n in range(3):
        report(n)
    return a + b


def waits(path: str, report: Callable[[Any], None]) -> None:
    """Says who it is and goes on for ever, inside code that hears nothing."""
    Path(path).write_text(str(os.getpid()))
    report("begun")
    while True:
        time.sleep(0.01)


def mistaken(report: Callable[[Any], None]) -> None:
    raise ConfigurationError("no such thing", where="here", remedy="another")


def broken(report: Callable[[Any], None]) -> None:
    raise RuntimeError("a secret")


def dies(report: Callable[[Any], None]) -> None:
    os._exit(3)
