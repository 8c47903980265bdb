"""Laws of every reader: nothing lost, round trips, and no damage that ends in anything but a `LogError`."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_formats import NEW, OLD, OPENAI_PAGE, as_csv, litellm_records, otlp_span

from pricewar.errors import LogError
from pricewar.usage.log import Log
from pricewar.usage.normal import Plan, normal
from pricewar.usage.read import read
from pricewar.usage.table import METERS, SCHEMA

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
START = datetime(2026, 10, 1, tzinfo=UTC)

TOKENS = st.integers(0, 10**15)
ROW = st.fixed_dictionaries(
    {
        "time": st.integers(0, 10**12).map(lambda k: START + timedelta(microseconds=k)),
        "vendor": st.sampled_from([None, "openai", "anthropic"]),
        "model": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(
            lambda name: name.strip() not in ("", "null", "None", "NaN") and name == name.strip()
        ),
        **dict.fromkeys(METERS, TOKENS),
        "tier": st.sampled_from(["standard", "batch", "flex", "priority"]),
        "reported_cost": st.none() | st.integers(0, 10**20).map(lambda n: Decimal(n).scaleb(-12)),
        "project": st.none() | st.sampled_from(["a", 'b, "c"', "d\ne"]),
    }
)


def reread(frame: pl.DataFrame, kind: str) -> Log:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        if kind == "parquet":
            frame.write_parquet(path)
        else:
            text = frame.with_columns(
                pl.col("time", "time_end").dt.to_string("iso"), pl.col(pl.Decimal).cast(pl.String)
            )
            (text.write_csv if kind == "csv" else text.write_ndjson)(path)
        return read(path)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@SLOW
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_the_table_reads_back_as_itself(kind: str, rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame([{**dict.fromkeys(SCHEMA), **row} for row in rows], schema=SCHEMA)
    log = reread(frame.select(pl.exclude("requests"), "requests"), kind)
    assert not log.exclusions
    assert log.frame().equals(frame.sort("time", maintain_order=True))


CELL = st.one_of(
    st.integers(-5, 20).map(str),
    st.sampled_from(
        ["", " ", "1e3", "nan", "x", "2026-10-01", "2026-10-01T00:00:00Z", "1790812800", "1.5", "10" * 12]
    ),
    st.text(
        st.characters(codec="utf-8", exclude_characters='"', exclude_categories=["Cc", "Cs"]), max_size=4
    ),
)


@SLOW
@given(cells=st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL, CELL), max_size=12))
def test_nothing_is_lost(cells: list[tuple[str, ...]]) -> None:
    names = ["timestamp", "model", "prompt_tokens", "cached_tokens", "completion_tokens", "id"]
    # An odd first cell keeps an empty row from reading as a blank line, which is no record.
    frame = pl.DataFrame(
        [("_", *row) for row in cells],
        schema=["_", *names],
        orient="row",
        schema_overrides=dict.fromkeys(["_", *names], pl.String),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        frame.write_csv(path)
        log = read(path)
    out = log.frame()
    assert log.rows_in == len(cells) == out.height + log.excluded
    assert out.schema == SCHEMA
    for meter in METERS:
        assert not out[meter].null_count()
        assert out[meter].is_between(0, 10**15).all()
    assert out["time"].is_sorted()
    assert not out["model"].null_count()


@SLOW
@given(
    total=TOKENS,
    shares=st.lists(st.integers(0, 10**14), min_size=3, max_size=3),
    reasoning=st.integers(0, 10**14),
)
def test_settling_keeps_the_total(total: int, shares: list[int], reasoning: int) -> None:
    """Buckets that exclude one another add up to the input and the output that the source told."""
    names = ("cache_read", "cache_write_5m", "cache_write_1h")
    raw = pl.DataFrame(
        {
            "t": [START],
            "m": ["m"],
            "i": [total],
            "o": [total],
            "r": [reasoning],
            **dict(zip(names, ([s] for s in shares), strict=True)),
        }
    )
    columns = {
        "time": ("t",),
        "model": ("m",),
        "input_total": ("i",),
        "output_total": ("o",),
        "reasoning": ("r",),
    }
    frame, causes, _ = normal(raw, Plan({**columns, **{name: (name,) for name in names}}))
    fits = sum(shares) <= total and reasoning <= total
    assert frame.height == fits
    assert bool(causes.found()) != fits
    if fits:
        assert frame.select(pl.sum_horizontal("input", *names)).item() == total
        assert frame.select(pl.sum_horizontal("output", "reasoning")).item() == total


def seeds() -> dict[str, bytes]:
    plain = (
        "timestamp,model,prompt_tokens,completion_tokens,note\n"
        + '2026-10-01 00:00:00,m,1,2,"a, ""b"""\n' * 4
    )
    span = {"resourceSpans": [{"scopeSpans": [{"spans": [otlp_span("chat", NEW, "1", 10**18)]}]}]}
    anthropic = {
        "data": [
            {
                "starting_at": "2026-10-01T00:00:00Z",
                "ending_at": "2026-10-02T00:00:00Z",
                "results": [
                    {"uncached_input_tokens": 1, "output_tokens": 2, "model": "m", "cache_creation": {}}
                ],
            }
        ]
    }
    frame = pl.DataFrame({"timestamp": [START] * 9, "model": "m", "prompt_tokens": 1, "completion_tokens": 1})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p"
        frame.write_parquet(path)
        parquet = path.read_bytes()
    return {
        "plain": plain.encode(),
        "utf16": plain.encode("utf-16"),
        "gzip": gzip.compress(plain.encode()),
        "parquet": parquet,
        "openai": json.dumps(OPENAI_PAGE, indent=1).encode(),
        "anthropic": json.dumps(anthropic).encode(),
        "litellm-csv": as_csv(litellm_records()),
        "litellm-json": json.dumps(litellm_records()).encode(),
        "litellm-jsonl": "\n".join(json.dumps(r) for r in litellm_records()).encode(),
        "otel": (json.dumps(span) + "\n" + json.dumps({"attributes": OLD, "timestamp": 1790812800})).encode(),
        "openrouter": b"generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_reasoning,"
        b"tokens_cached,model_permaslug\ng,2026-10-01 10:00:00,0.1,100,50,20,30,openai/x\n",
    }


SEEDS = seeds()
PIECES = [
    b"",
    b"\r",
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"\n",
    b",",
    b"-1",
    b"null",
    b"{}",
    b"[]",
    b"[[",
    b"1e999",
    b"\\ud800",
    b"9" * 40,
]


def mutated(data: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + dice.choice(PIECES) + data[at + dice.randrange(4) :]
        elif kind == 2:
            data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        else:
            end = dice.randrange(len(data) + 1)
            data = data[: min(at, end)] + data[max(at, end) :]
    return data


@pytest.mark.parametrize("name", SEEDS)
def test_damage_ends_in_a_log_or_a_log_error(name: str, tmp_path: Path) -> None:
    dice = random.Random(name)
    path = tmp_path / "log"
    for _ in range(60):
        path.write_bytes(mutated(SEEDS[name], dice))
        try:
            log = read(path)
        except LogError:
            continue
        out = log.frame()
        assert log.rows_in == out.height + log.excluded
        assert out.schema == SCHEMA
