"""Servers of the page for a test, and a state folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from serving import Running


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.stop()


@pytest.fixture
def servers() -> Iterator[Callable[..., Running]]:
    """Servers made in a test, stopped after it."""
    made: list[Running] = []

    def make(**options: Any) -> Running:
        made.append(Running(**options))
        return made[-1]

    yield make
    for each in made:
        if each._thread.is_alive():
            each.stop()


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's token."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
