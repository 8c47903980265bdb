"""The error tree. Every error says what happened, where, and what to do.

    PricewarError
    ├── ConfigurationError      exit 2   the command, an option or a definition is wrong
    │   └── DefinitionError              a YAML definition: file, line, key
    ├── DataError               exit 3   the data given cannot be used
    │   ├── LogError                     a usage log
    │   └── FactError                    a fact of the catalogue contradicts another
    └── SolverError             exit 2   a model that cannot be solved as stated

Exit codes of the command line: 0 ok, 1 a threshold was breached, 2 usage or configuration, 3 bad data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import partial
from typing import Any


class PricewarError(Exception):
    """Base of every error raised on purpose.

    Args:
        what: what happened, one sentence.
        where: file, line, key, option: whatever lets the reader find it.
        remedy: what to do about it, one sentence.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(what, where, remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        # Arguments by name: an error raised in a process of its own arrives as it was.
        return partial(type(self), where=self.where, remedy=self.remedy), (self.what,)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  → {self.remedy}" if self.remedy else text


class ConfigurationError(PricewarError):
    """The command, an option or a definition is wrong. Correct it and run again."""


class DefinitionError(ConfigurationError):
    """A YAML definition does not say what it must. The message names file, line and key."""


class DataError(PricewarError):
    """The data given cannot be used."""

    exit_code = 3


class LogError(DataError):
    """A usage log cannot be read as the format it was taken for."""


class FactError(DataError):
    """Facts of the catalogue contradict one another."""


class SolverError(PricewarError):
    """A model that cannot be solved as stated: parameters out of range, or too large for memory."""


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A remedy naming the nearest of `known`, or None when nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean “{near[0]}”?" if near else None
