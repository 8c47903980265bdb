"""Langfuse and Helicone: what their exports say a call used, worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pricewar.usage.log import Log
from pricewar.usage.platforms import ODD_USAGE
from pricewar.usage.read import read

COUNTS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "search")


def given(folder: Path, content: str | list | dict, name: str = "log") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def account(log: Log) -> dict[str, int]:
    assert log.rows_in == log.rows + log.excluded
    return {e.cause: e.count for e in log.exclusions}


def counts(log: Log) -> list[tuple[int, ...]]:
    return log.frame().select(COUNTS).rows()


def observation(i: int, usage: Any, **changed: Any) -> dict[str, Any]:
    """A row of the storage export, by the names of its field reference."""
    return {
        "id": f"o{i}",
        "trace_id": "t",
        "project_id": "p",
        "type": "GENERATION",
        "start_time": "2026-09-01 13:46:19.963000",
        "provided_model_name": "gpt-4o-mini",
        "input": '{"prompt": 5}',
        "output": "7",
        "usage_details": usage,
        "cost_details": {"total": 0.002},
        "total_cost": 0.002,
        **changed,
    }


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input": 412, "output": 87, "total": 499}, (412, 0, 0, 0, 87, 0, 0)),
        # parts beside the input, as documented: 10 + 30 + 1 = 41
        ({"input": 10, "output": 1, "input_cached_tokens": 30, "total": 41}, (10, 30, 0, 0, 1, 0, 0)),
        ({"input": 10, "output": 1, "input_cached_tokens": 30}, (10, 30, 0, 0, 1, 0, 0)),
        (
            {"input": 5, "cache_read_input_tokens": 7, "input_cache_creation_1h": 3, "output": 2},
            (5, 7, 0, 3, 2, 0, 0),
        ),
        # as published: 420 + 110 = 530 is its own total, so the cached 120 and the reasoning 30 stand inside
        (
            {
                "input": 420, "output": 110, "total": 530, "input_tokens.cache_read": 100,
                "input_tokens.cache_write": 20, "output_tokens.reasoning": 30,
            },
            (300, 100, 20, 0, 80, 30, 0),
        ),
        ({"input": 9, "output": 5, "total": 14, "output_reasoning_tokens": 4}, (9, 0, 0, 0, 1, 4, 0)),
        ({"input_audio_tokens": 4, "input_text_tokens": 6, "output": 3, "total": 13}, (10, 0, 0, 0, 3, 0, 0)),
        ({"input_cached_tokens": 4, "output": 3}, (0, 4, 0, 0, 3, 0, 0)),
        ({"input": "8", "output": 2.0, "web_search_requests": 1}, (8, 0, 0, 0, 2, 0, 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "parquet"])
def test_langfuse_usage(tmp_path: Path, usage: dict, expected: tuple[int, ...], kind: str) -> None:
    rows = [observation(i, usage) for i in range(2)]
    path = tmp_path / "log"
    if kind == "json":
        given(tmp_path, rows)
    elif kind == "jsonl":
        given(tmp_path, "\n".join(json.dumps(row) for row in rows))
    else:
        pairs = [{"key": k, "value": int(v)} for k, v in usage.items()]
        flat = pl.DataFrame(
            [
                {
                    **row,
                    "usage_details": pairs if kind == "parquet" else json.dumps(usage),
                    "cost_details": "{}",
                }
                for row in rows
            ]
        )
        (flat.write_csv if kind == "csv" else flat.write_parquet)(path)
    log = read(path)
    assert log.format == "langfuse"
    assert not account(log)
    assert counts(log) == [expected] * 2
    assert any("as its documentation says" in note for note in log.notes)
    frame = log.frame()
    assert frame["time"].dt.hour().to_list() == [13, 13]
    assert frame["reported_cost"].cast(pl.String).to_list()[0].startswith("0.002")


def test_langfuse_rows_that_are_no_calls(tmp_path: Path) -> None:
    rows = [
        observation(0, {"input": 1, "output": 1}),
        observation(1, {}, type="SPAN", provided_model_name=""),
        observation(2, {"input": 2, "output": 2}, type="AGENT"),
        observation(3, {}),
        observation(4, {"input": 2, "output": 2, "frames": 9}),
        observation(5, {"input": -2, "output": 2}),
        observation(6, {"input": "many", "output": 2}),
        observation(0, {"input": 1, "output": 1}),
        observation(7, {"total": 12}),
    ]
    log = read(given(tmp_path, "\n".join(json.dumps(row) for row in rows)))
    assert account(log) == {
        "an observation that is no model call": 1,
        "no token counts": 2,
        ODD_USAGE: 1,
        "a negative count": 1,
        "a count that is no whole number": 1,
        "a duplicate id (the first record is kept)": 1,
    }
    assert counts(log) == [(1, 0, 0, 0, 1, 0, 0), (2, 0, 0, 0, 2, 0, 0)]


def test_langfuse_ui_export(tmp_path: Path) -> None:
    """The example of its documentation; `unit` may be characters."""
    row = {
        "id": "obs_01J9",
        "traceId": "trace_01J9",
        "type": "GENERATION",
        "model": "gpt-4o-mini",
        "startTime": "2025-04-12T10:23:14.512Z",
        "endTime": "2025-04-12T10:23:16.108Z",
        "input": [{"role": "user", "content": "…"}],
        "output": {"role": "assistant"},
        "usage": {"input": 412, "output": 87, "total": 499, "unit": "TOKENS"},
        "totalCost": 0.000183,
    }
    other = {**row, "id": "b", "usage": {"input": 412, "output": 87, "unit": "CHARACTERS"}}
    log = read(given(tmp_path, [row, other]))
    assert log.format == "langfuse"
    assert account(log) == {"usage counted in something else than tokens": 1}
    assert counts(log) == [(412, 0, 0, 0, 87, 0, 0)]
    flat = {**{k: v for k, v in row.items() if k not in ("usage", "input", "output")}, "usage": None}
    log = read(given(tmp_path, [{**flat, "inputUsage": 5, "outputUsage": 6, "totalUsage": 11}]))
    assert counts(log) == [(5, 0, 0, 0, 6, 0, 0)]


# The columns that Helicone's own export tool writes.
HELICONE_CSV = (
    "response_id,response_created_at,response_status,request_created_at,request_body,request_properties,"
    "request_user_id,model,prompt_tokens,completion_tokens,latency,cost\n"
    '"r1","2026-09-01T00:00:02","200","2026-09-01T00:00:00Z","{""a"": 1}","{}","ann","gpt-4o","100","20","9",'
    '"0.01"\n'
    '"r2","2026-09-01T00:00:02Z","429","2026-09-01T00:00:00Z","","{}","ann","gpt-4o","","","9","0"\n'
)


def test_helicone_csv(tmp_path: Path) -> None:
    log = read(given(tmp_path, HELICONE_CSV))
    assert log.format == "helicone"
    assert account(log) == {"a failed request": 1}
    assert counts(log) == [(100, 0, 0, 0, 20, 0, 0)]
    assert log.frame()["project"].to_list() == ["ann"]
    assert any("cached ones out" in note for note in log.notes)


def test_helicone_json_lines(tmp_path: Path) -> None:
    row = {
        "request_id": "a",
        "request_created_at": "2026-09-01 00:00:00.5",
        "response_status": 200,
        "provider": "ANTHROPIC",
        "model": "claude-sonnet-4-5",
        "prompt_tokens": 100,
        "prompt_cache_read_tokens": 900,
        "prompt_cache_write_tokens": 50,
        "completion_tokens": 20,
        "reasoning_tokens": 5,
        "cost": 0.01,
        "cache_reference_id": "00000000-0000-0000-0000-000000000000",
    }
    rows = [
        row,
        {**row, "request_id": "b", "reasoning_tokens": 30, "provider": "CUSTOM"},
        {**row, "request_id": "c", "cache_reference_id": "1f0e"},
        {**row, "request_id": "d", "response_status": -3},
    ]
    log = read(given(tmp_path, "\n".join(json.dumps(r) for r in rows)))
    assert account(log) == {
        "answered from the proxy's own cache: the vendor charged nothing": 1,
        "a failed request": 1,
    }
    # Cached tokens stand beside the prompt's; 5 of 20 are reasoning; 30 cannot be inside 20.
    assert counts(log) == [(100, 900, 50, 0, 15, 5, 0), (100, 900, 50, 0, 20, 30, 0)]
    assert log.frame()["vendor"].to_list() == ["anthropic", None]
