"""Logs larger than memory: the same rows as in memory, in order, with temporary files removed."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pricewar.errors import LogError
from pricewar.usage import log as logs
from pricewar.usage import read as reading
from pricewar.usage import sources
from pricewar.usage.read import read


def table(rows: int, *, ordered: bool, seed: int = 3) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    offset = rng.integers(0, rows // 3, rows)
    if ordered:
        offset = np.sort(offset)
    start = datetime(2026, 10, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "timestamp": [start + timedelta(seconds=int(k)) for k in offset],
            "model": rng.choice(["a", "b", ""], rows, p=[0.6, 0.39, 0.01]),
            "prompt_tokens": rng.integers(-5, 4000, rows),
            "completion_tokens": np.arange(rows),
            "id": rng.integers(0, rows * 20, rows).astype(str),
        }
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Limits small enough that a few thousand rows are a log larger than memory."""
    monkeypatch.setattr(reading, "HELD_ROWS", 500)
    monkeypatch.setattr(logs, "RUN_ROWS", 700)
    monkeypatch.setattr(logs, "BLOCK_ROWS", 97)
    monkeypatch.setattr(sources, "BLOCK", 20_000)
    monkeypatch.setattr(sources, "PARQUET_ROWS", 450)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("ordered", [True, False])
def test_streamed_equals_held(
    tmp_path: Path, small: Path, kind: str, ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = table(5000, ordered=ordered)
    path = tmp_path / f"log.{kind}"
    if kind == "parquet":
        frame.write_parquet(path)
    else:
        text = frame.with_columns(pl.col("timestamp").dt.to_string("iso"))
        (text.write_csv if kind == "csv" else text.write_ndjson)(path)
    streamed = read(path)
    assert not streamed.in_memory
    assert streamed.ordered == ordered
    assert (streamed.disk_bytes > 0) == (not ordered)
    assert any("disk" in note for note in streamed.notes) == (not ordered)
    for rows in (1, 640, 10**6)[0 if ordered else 1 :]:
        batches = list(streamed.batches(rows)) if rows > 1 else list(streamed.batches(1200))
        assert max(batch.height for batch in batches) <= max(rows, 1200)
        assert not list(small.iterdir())
    whole = streamed.frame()
    assert whole["time"].is_sorted()
    monkeypatch.setattr(reading, "HELD_ROWS", 10**6)
    held = read(path)
    assert held.in_memory
    assert held.frame().equals(whole)
    assert held.rows == streamed.rows == whole.height
    assert held.rows_in == streamed.rows_in == 5000 == held.rows + held.excluded
    assert {(e.cause, e.count) for e in held.exclusions} == {(e.cause, e.count) for e in streamed.exclusions}
    assert {e.cause for e in held.exclusions} == {
        "no model named",
        "a negative count",
        "a duplicate id (the first record is kept)",
    }


def test_leaving_early_removes_the_files(tmp_path: Path, small: Path) -> None:
    path = tmp_path / "log.parquet"
    table(5000, ordered=False).write_parquet(path)
    batches = read(path).batches(100)
    next(batches)
    assert list(small.iterdir())
    batches.close()  # type: ignore[attr-defined]
    assert not list(small.iterdir())


def test_too_little_disk(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.parquet"
    table(5000, ordered=False).write_parquet(path)
    log = read(path)
    usage = logs.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(logs.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(LogError, match=r"needs about .* GB of temporary disk .* free"):
        next(log.batches())
    assert not list(small.iterdir())


def test_progress(tmp_path: Path, small: Path) -> None:
    path = tmp_path / "log.csv"
    table(5000, ordered=True).with_columns(pl.col("timestamp").dt.to_string("iso")).write_csv(path)
    seen: list[tuple[int, float]] = []
    read(path, progress=lambda rows, share: seen.append((rows, share)))
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[-1] == (5000, 1.0)
