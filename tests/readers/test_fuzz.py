"""A small, fixed part of the fuzz (`python -m tests.readers.fuzz` runs as much of it as one likes)."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from fuzz import SHAPES, check_bill, run, written
from fuzz_shapes import Shape

from pricewar.errors import LogError
from pricewar.usage.formats import FORMATS
from pricewar.usage.read import read


def test_every_reader_takes_rows_that_nobody_would_write() -> None:
    tally = run(rows=len(SHAPES) * 3 * 200, seed=5, batch_rows=200)
    assert set(tally.rows) == {shape.name for shape in SHAPES}
    assert sum(tally.rows.values()) >= len(SHAPES) * 3 * 200 * 0.8
    assert tally.damaged
    assert len(tally.causes) > 15


def test_every_format_is_fuzzed() -> None:
    assert {shape.format for shape in SHAPES} == set(FORMATS)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_bill_accounts_for_every_record(
    tmp_path: Path, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows in = rows billed + rows excluded, as the bill itself says, and no token kept is unbilled."""
    monkeypatch.setattr("fuzz.CASTS", (pl.String,))
    path = tmp_path / "log"
    path.write_bytes(written(shape, random.Random(3), 200))
    if shape.format == "anthropic-costs":
        with pytest.raises(LogError, match="pricewar reconcile"):
            read(path)
        return
    log = read(path)
    assert log.rows_in == 200
    assert log.rows > 0
    check_bill(log)


def test_a_log_of_very_many_models_and_tiers_is_billed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells too many to be held densely, which the fuzz's odd tiers and models make."""
    shape = next(shape for shape in SHAPES if shape.name == "plain (jsonl)")
    path = tmp_path / "log"
    path.write_bytes(written(shape, random.Random(3), 300))
    log = read(path)
    check_bill(log)
    monkeypatch.setattr("pricewar.billing.batch.DENSE", 0)
    check_bill(log)
