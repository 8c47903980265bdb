"""One small file per format, made up from its public documentation, with the exact rows it must become."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pricewar.usage.formats import CACHE_HIT, FAILED, FORMATS
from pricewar.usage.read import formats, read
from pricewar.usage.table import SCHEMA

BLANK: dict[str, Any] = {
    "time_end": None, "vendor": None, "input": 0, "cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0,
    "output": 0, "reasoning": 0, "search": 0, "requests": 1, "tier": "standard", "reported_cost": None,
    "reported_currency": None, "project": None,
}  # fmt: skip


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def rows(*expected: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**BLANK, **row} for row in expected], schema=SCHEMA)


def given(folder: Path, content: str | bytes, name: str = "log") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def same(frame: pl.DataFrame, *expected: dict[str, Any]) -> None:
    assert frame.schema == SCHEMA
    assert frame.to_dicts() == rows(*expected).to_dicts()


# https://platform.openai.com/docs/api-reference/usage/completions
OPENAI_PAGE = {
    "object": "page",
    "data": [
        {
            "object": "bucket",
            "start_time": 1790812800,
            "end_time": 1790899200,
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 1000,
                    "input_cached_tokens": 300,
                    "output_tokens": 50,
                    "num_model_requests": 7,
                    "model": "gpt-5-mini",
                    "batch": False,
                    "service_tier": "default",
                    "project_id": "proj_a",
                },
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 200,
                    "input_cached_tokens": 0,
                    "input_cache_write_tokens": 60,
                    "output_tokens": 20,
                    "num_model_requests": 2,
                    "model": "gpt-5-mini",
                    "batch": True,
                    "service_tier": None,
                },
                {"input_tokens": 5, "output_tokens": 5, "num_model_requests": 1, "model": None},
            ],
        },
        {"object": "bucket", "start_time": 1790899200, "end_time": 1790985600, "results": []},
    ],
    "has_more": False,
    "next_page": None,
}


def openai_rows() -> tuple[dict[str, Any], ...]:
    day = {"time": at(2026, 10, 1), "time_end": at(2026, 10, 2), "vendor": "openai", "model": "gpt-5-mini"}
    return (
        {**day, "input": 700, "cache_read": 300, "output": 50, "requests": 7, "project": "proj_a"},
        {**day, "input": 140, "cache_write_5m": 60, "output": 20, "requests": 2, "tier": "batch"},
    )


@pytest.mark.parametrize("indent", [None, 2])
def test_openai_api(tmp_path: Path, indent: int | None) -> None:
    log = read(given(tmp_path, json.dumps(OPENAI_PAGE, indent=indent)))
    assert log.format == "openai-api"
    same(log.frame(), *openai_rows())
    assert log.rows_in == 3
    assert [(e.cause, e.count) for e in log.exclusions] == [("no model named", 1)]
    assert log.bucket_seconds == 86400
    assert any("group_by=model" in note for note in log.notes)
    assert {"reasoning", "cache_write_1h", "search"} == set(log.unknown)


def test_openai_api_pages(tmp_path: Path) -> None:
    """Several pages as an array, as one page per line, and as bare buckets per line, are the same log."""
    page = json.loads(json.dumps(OPENAI_PAGE))
    page["data"][0]["results"].pop()
    forms = [
        json.dumps([page, {**page, "data": []}]),
        json.dumps(page) + "\n" + json.dumps({**page, "data": []}) + "\n",
        "\n".join(json.dumps(bucket) for bucket in page["data"]),
    ]
    for content in forms:
        log = read(given(tmp_path, content))
        assert log.format == "openai-api"
        assert not log.exclusions
        same(log.frame(), *openai_rows())


def test_openai_csv(tmp_path: Path) -> None:
    log = read(
        given(
            tmp_path,
            "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,"
            "model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens\n"
            "1790812800,1790899200,2026-10-01T00:00:00+00:00,2026-10-02T00:00:00+00:00,proj_a,7,,,gpt-5-mini,"
            "False,default,1000,50,300\n"
            "1790812800,1790899200,2026-10-01T00:00:00+00:00,2026-10-02T00:00:00+00:00,,2,,key_b,gpt-5-mini,"
            "False,flex,200,20,0\n",
        )
    )
    assert log.format == "openai-csv"
    first, second = openai_rows()
    second = {**second, "input": 200, "cache_write_5m": 0, "tier": "flex", "project": "key_b"}
    same(log.frame(), first, second)


# https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages
def test_anthropic_api(tmp_path: Path) -> None:
    page = {
        "data": [
            {
                "starting_at": "2026-10-01T00:00:00Z",
                "ending_at": "2026-10-01T01:00:00Z",
                "results": [
                    {
                        "api_key_id": None,
                        "workspace_id": "wrkspc_a",
                        "model": "claude-sonnet-5",
                        "service_tier": "priority",
                        "context_window": "0-200k",
                        "uncached_input_tokens": 1500,
                        "cache_read_input_tokens": 200,
                        "cache_creation": {
                            "ephemeral_5m_input_tokens": 500,
                            "ephemeral_1h_input_tokens": 1000,
                        },
                        "output_tokens": 500,
                        "server_tool_use": {"web_search_requests": 10},
                    }
                ],
            }
        ],
        "has_more": False,
        "next_page": None,
    }
    log = read(given(tmp_path, json.dumps(page)))
    assert log.format == "anthropic-api"
    same(
        log.frame(),
        {
            "time": at(2026, 10, 1), "time_end": at(2026, 10, 1, 1), "vendor": "anthropic",
            "model": "claude-sonnet-5", "input": 1500, "cache_read": 200, "cache_write_5m": 500,
            "cache_write_1h": 1000, "output": 500, "search": 10, "requests": 0, "tier": "priority",
            "project": "wrkspc_a",
        },
    )  # fmt: skip
    assert log.bucket_seconds == 3600
    assert "requests" in log.unknown


# https://github.com/BerriAI/litellm/blob/main/schema.prisma (LiteLLM_SpendLogs)
def litellm_records() -> list[dict[str, Any]]:
    common = {
        "call_type": "acompletion", "startTime": "2026-10-01T08:00:00.250Z",
        "endTime": "2026-10-01T08:00:02Z",
        "custom_llm_provider": "openai", "cache_hit": "False", "team_id": "team-a", "model_group": "chat",
    }  # fmt: skip
    usage = {
        "prompt_tokens_details": {"cached_tokens": 256},
        "completion_tokens_details": {"reasoning_tokens": 64},
    }
    claude = {
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 50,
        "prompt_tokens_details": {"cache_creation_token_details": {"ephemeral_1h_input_tokens": 30}},
        "server_tool_use": {"web_search_requests": 2},
    }
    return [
        {**common, "request_id": "a", "spend": "0.00012", "prompt_tokens": "1000", "completion_tokens": "100",
         "model": "gpt-5-mini", "metadata": {"usage_object": usage}, "status": "success"},
        {**common, "request_id": "b", "spend": 1.2e-05, "prompt_tokens": 400, "completion_tokens": 10,
         "model": "anthropic/claude-sonnet-5", "custom_llm_provider": "anthropic",
         "metadata": {"additional_usage_values": claude}, "status": None},
        {**common, "request_id": "c", "spend": 0, "prompt_tokens": 9, "completion_tokens": 9,
         "model": "gpt-5-mini", "cache_hit": "True", "metadata": {}, "status": "success"},
        {**common, "request_id": "d", "spend": 0, "prompt_tokens": 0, "completion_tokens": 0,
         "model": "gpt-5-mini", "metadata": {"status": "failure"}, "status": None},
        {**common, "request_id": "e", "spend": 0, "prompt_tokens": 0, "completion_tokens": 0,
         "model": "gpt-5-mini", "metadata": {}, "status": "failure"},
        {**common, "request_id": "a", "spend": 0, "prompt_tokens": 1, "completion_tokens": 1,
         "model": "gpt-5-mini", "metadata": {}, "status": "success"},
    ]  # fmt: skip


def as_csv(records: list[dict[str, Any]]) -> bytes:
    texts = [
        {k: json.dumps(v) if isinstance(v, dict) else "" if v is None else str(v) for k, v in r.items()}
        for r in records
    ]
    return pl.DataFrame(texts).write_csv().encode()


def write_litellm(folder: Path, kind: str) -> Path:
    records = litellm_records()
    if kind == "csv":
        return given(folder, as_csv(records))
    if kind == "json":
        return given(folder, json.dumps(records, indent=1))
    if kind == "json-data":
        return given(folder, json.dumps({"data": records, "total": 6}))
    if kind == "jsonl":
        return given(folder, "\n".join(json.dumps(r) for r in records))
    if kind == "csv.gz":
        return given(folder, gzip.compress(as_csv(records)))
    texts = [{**r, "metadata": json.dumps(r["metadata"])} for r in records]
    path = folder / "log"
    frame = pl.DataFrame(texts, strict=False, infer_schema_length=None).with_columns(
        pl.col("startTime", "endTime").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z")
    )
    frame.write_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "json", "json-data", "jsonl", "parquet"])
def test_litellm(tmp_path: Path, kind: str) -> None:
    log = read(write_litellm(tmp_path, kind))
    assert log.format == "litellm"
    common = {"time": at(2026, 10, 1, 8, 0, 0, 250_000), "project": "team-a", "reported_currency": "USD"}
    same(
        log.frame(),
        {**common, "vendor": "openai", "model": "gpt-5-mini", "input": 744, "cache_read": 256, "output": 36,
         "reasoning": 64, "reported_cost": Decimal("0.00012")},
        {**common, "vendor": "anthropic", "model": "claude-sonnet-5", "input": 250, "cache_read": 100,
         "cache_write_5m": 20, "cache_write_1h": 30, "output": 10, "search": 2,
         "reported_cost": Decimal("0.000012")},
    )  # fmt: skip
    causes = {e.cause: e.count for e in log.exclusions}
    assert causes == {CACHE_HIT: 1, FAILED: 2, "a duplicate id (the first record is kept)": 1}
    assert log.rows_in == 6


# https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/ and the GenAI attribute registry
def otlp_span(name: str, attributes: dict[str, Any], span_id: str, start: int) -> dict[str, Any]:
    def typed(value: Any) -> dict[str, Any]:
        return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}

    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": span_id,
        "name": name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": [{"key": key, "value": typed(value)} for key, value in attributes.items()],
    }


NEW = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-5",
    "gen_ai.response.model": "claude-sonnet-5-20260801",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.cache_read.input_tokens": 300,
    "gen_ai.usage.cache_creation.input_tokens": 200,
    "gen_ai.usage.output_tokens": 90,
    "gen_ai.usage.reasoning.output_tokens": 40,
}
OLD = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-5-mini",
    "gen_ai.usage.prompt_tokens": 12,
    "gen_ai.usage.completion_tokens": 3,
}
OTEL_ROWS = (
    {
        "time": at(2026, 10, 1), "vendor": "anthropic", "model": "claude-sonnet-5-20260801", "input": 500,
        "cache_read": 300, "cache_write_5m": 200, "output": 50, "reasoning": 40, "project": "desk",
    },
    {
        "time": at(2026, 10, 1, 0, 0, 1), "vendor": "openai", "model": "gpt-5-mini", "input": 12, "output": 3,
        "project": "desk",
    },
)  # fmt: skip


def test_otel_file_exporter(tmp_path: Path) -> None:
    start = 1790812800 * 10**9
    spans = [
        otlp_span("chat", NEW, "a1", start),
        otlp_span("GET /", {"http.request.method": "GET"}, "a2", start),
        otlp_span("invoke_agent", {**NEW, "gen_ai.operation.name": "invoke_agent"}, "a3", start),
        otlp_span("chat", OLD, "a4", start + 10**9),
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "desk"}}]}
    lines = [
        {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": part}]}]}
        for part in (spans[:2], spans[2:])
    ]
    for content in (
        "\n".join(json.dumps(line) for line in lines) + "\n",
        json.dumps(lines[0]),
        json.dumps(lines),
    ):
        log = read(given(tmp_path, content))
        assert log.format == "otel"
        same(log.frame(), *(OTEL_ROWS if len(content) > 2000 else OTEL_ROWS[:1]))
        assert log.rows_in == log.rows + log.excluded == (4 if len(content) > 2000 else 2)


def test_otel_flat_lines(tmp_path: Path) -> None:
    lines = [
        {"name": "chat", "start_time": "2026-10-01T00:00:00Z", "context": {"trace_id": "t", "span_id": "1"},
         "attributes": NEW, "resource": {"attributes": {"service.name": "desk"}}},
        {"name": "chat", "timestamp": "2026-10-01T00:00:01Z", "service.name": "desk", **OLD},
    ]  # fmt: skip
    log = read(given(tmp_path, "\n".join(json.dumps(line) for line in lines)))
    assert log.format == "otel"
    same(log.frame(), *OTEL_ROWS)


# https://openrouter.ai/docs/guides/features/activity
def test_openrouter(tmp_path: Path) -> None:
    log = read(
        given(
            tmp_path,
            "generation_id,created_at,cost_total,cost_cache,tokens_prompt,tokens_completion,tokens_reasoning,"
            "tokens_cached,model_permaslug,provider_name,variant,api_key_name\n"
            "gen-1,2026-10-01 10:00:00.000,0.0123,0,100,50,20,30,openai/gpt-5-mini,OpenAI,standard,desk\n"
            "gen-2,2026-10-01 10:00:01.000,0,0,10,5,0,0,qwen/qwen3-235b,Chutes,free,desk\n",
        )
    )
    assert log.format == "openrouter"
    common = {"vendor": "openrouter", "reported_currency": "USD", "project": "desk"}
    same(
        log.frame(),
        {**common, "time": at(2026, 10, 1, 10), "model": "openai/gpt-5-mini", "input": 70, "cache_read": 30,
         "output": 30, "reasoning": 20, "reported_cost": Decimal("0.0123")},
        {**common, "time": at(2026, 10, 1, 10, 0, 1), "model": "qwen/qwen3-235b:free", "input": 10,
         "output": 5, "reported_cost": Decimal(0)},
    )  # fmt: skip


# https://github.com/Azure/AzurePublicDataset/blob/master/AzureLLMInferenceDataset2023.md
def test_plain(tmp_path: Path) -> None:
    content = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
    fixed = {"model": "=gpt-5-mini", "vendor": "=openai"}
    log = read(given(tmp_path, content), mapping=fixed)
    assert log.format == "plain"
    row = {"vendor": "openai", "model": "gpt-5-mini", "input": 4808, "output": 10}
    same(log.frame(), {**row, "time": at(2023, 11, 16, 18, 17, 3, 979_960)})
    assert any("UTC" in note for note in log.notes)
    there = read(tmp_path / "log", mapping=fixed, zone="America/Los_Angeles")
    same(there.frame(), {**row, "time": at(2023, 11, 17, 2, 17, 3, 979_960)})


def test_plain_mapping(tmp_path: Path) -> None:
    """A mapping to `input` says that cached tokens are counted apart from it."""
    content = "when,who,prompt_tokens,hits,out\n1790812800000,m,100,30,5\n"
    names = {"time": "when", "model": "who", "cache_read": "hits", "output": "out"}
    inside = read(given(tmp_path, content), mapping=names).frame()
    apart = read(tmp_path / "log", mapping={**names, "input": "prompt_tokens"}).frame()
    assert inside["time"][0] == at(2026, 10, 1)
    assert inside["input"].to_list() == [70]
    assert apart["input"].to_list() == [100]


def test_every_format_is_documented() -> None:
    assert set(formats()) == set(FORMATS)
    for entry in FORMATS.values():
        assert entry.docs
        assert all(url.startswith("https://") for url in entry.docs)
