"""Property tests draw the same examples whatever has run before them in the same process."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def drawn() -> list[tuple[int, str, float]]:
    found: list[tuple[int, str, float]] = []

    @settings(derandomize=True, database=None)
    @given(st.integers(), st.text(max_size=5), st.floats(0, 1))
    def note(whole: int, text: str, part: float) -> None:
        found.append((whole, text, part))

    note()
    return found


def test_a_module_loaded_later_changes_no_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn()
    assert len(before) > 50
    (tmp_path / "made_up_numbers.py").write_text(f"N = {[*range(1000, 9000, 10)]}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("made_up_numbers")
    assert drawn() == before
