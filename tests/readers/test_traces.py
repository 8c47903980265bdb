"""Real traces, and the month made up from their statistics."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from genai_prices import Usage, calc_price
from scipy.special import gammaincinv

from pricewar.usage.read import read
from pricewar.usage.sample import APPLICATIONS, GAP_SHARES, GAPS, RATES, sample, write_sample
from pricewar.usage.table import SCHEMA

TRACES = Path(__file__).parents[2] / ".." / "shared" / "data" / "traces"


def test_azure_code_trace() -> None:
    """https://github.com/Azure/AzurePublicDataset/blob/master/AzureLLMInferenceDataset2023.md"""
    path = TRACES / "AzureLLMInferenceTrace_2023_code.csv"
    if not path.exists():
        pytest.skip("the Azure trace is not beside this checkout (../shared/data/traces)")
    log = read(path, mapping={"model": "=gpt-4", "vendor": "=azure"})
    assert (log.rows_in, log.rows, log.exclusions) == (8819, 8819, ())
    assert log.ordered
    frame = log.frame()
    assert frame.select(pl.sum("input", "output", "requests")).row(0) == (18_059_974, 245_896, 8819)
    # The Splitwise paper gives rounded medians: 1,500 and 13.
    assert frame.select(pl.median("input", "output")).row(0) == (1469, 13)
    assert log.span == (
        datetime(2023, 11, 16, 18, 17, 3, 979_960, UTC),
        datetime(2023, 11, 16, 19, 14, 19, 928_016, UTC),
    )


@pytest.fixture(scope="module")
def month() -> pl.DataFrame:
    return sample()


def test_the_sample_is_the_same_everywhere(month: pl.DataFrame) -> None:
    digest = hashlib.sha256(month.write_csv().encode()).hexdigest()
    assert digest == "39c2e728723041084aac55558abcbfd1f139e4dbccb75e475fab64d5a5bdce93"
    assert not sample(seed=1, scale=0.01).equals(sample(seed=2, scale=0.01))


def test_the_sample_reads_back(tmp_path: Path, month: pl.DataFrame) -> None:
    log = read(write_sample(tmp_path / "october.csv"))
    assert log.format == "litellm"
    assert log.rows_in == month.height == 120_000
    assert log.rows + log.excluded == log.rows_in
    assert len(log.exclusions) == 2
    assert log.ordered
    assert log.span is not None
    assert log.span[0] >= datetime(2026, 10, 1, tzinfo=UTC)
    assert log.span[1] < datetime(2026, 11, 1, tzinfo=UTC)
    frame = log.frame()
    assert frame.schema == SCHEMA
    assert set(frame["project"]) == {app.name for app in APPLICATIONS}
    for app in APPLICATIONS:
        own = frame.filter(pl.col("project") == app.name)
        inputs = own.select(pl.sum_horizontal("input", "cache_read", "cache_write_5m"))
        assert inputs.to_series().median() == pytest.approx(app.input.values[3], rel=0.03)
        assert (own["output"]).median() == pytest.approx(app.output.values[3], rel=0.06)
    night = frame.filter(pl.col("project") == "nightly-summaries")
    assert set(night["time"].dt.hour()) <= {1, 2, 3}


def test_the_reported_cost_is_the_list_price(tmp_path: Path) -> None:
    frame = read(write_sample(tmp_path / "some.csv", scale=0.004)).frame()
    for row in frame.iter_rows(named=True):
        usage = Usage(
            input_tokens=row["input"] + row["cache_read"] + row["cache_write_5m"],
            cache_read_tokens=row["cache_read"],
            cache_write_tokens=row["cache_write_5m"] if row["vendor"] == "anthropic" else 0,
            output_tokens=row["output"] + row["reasoning"],
        )
        price = calc_price(
            usage, row["model"], provider_id=row["vendor"], genai_request_timestamp=row["time"]
        )
        assert price.total_price == row["reported_cost"]
    assert {app.model for app in APPLICATIONS} == set(RATES)


def test_the_gaps_are_the_gamma_law_they_cite() -> None:
    shape = 1 / 1.21**2
    shares = np.minimum(np.array(GAP_SHARES) / 10_000, 0.9999)
    assert np.abs(gammaincinv(shape, shares) / shape * 10_000 - np.array(GAPS.values)).max() <= 0.5
