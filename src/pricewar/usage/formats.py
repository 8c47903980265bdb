"""The formats teams really have: which field means what, and how cached and reasoning tokens are settled.

Where the documentation says that cached tokens are counted inside the input, the format maps that field to
`input_total` and the reader takes them out; otherwise to `input`. The same holds for reasoning and output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pricewar.errors import LogError
from pricewar.usage.bills import BILLS
from pricewar.usage.bills.reading import matches
from pricewar.usage.normal import plain
from pricewar.usage.platforms import (
    HELICONE_EXTRA,
    LANGFUSE_USAGE,
    NO_OBSERVATION,
    ODD_USAGE,
    OTHER_COUNTS,
    helicone,
    langfuse,
)
from pricewar.usage.shapes import (
    AGENT_SPANS,
    ANTHROPIC_COLUMNS,
    OPENAI_COLUMNS,
    OTEL_COLUMNS,
    Columns,
    Record,
    anthropic,
    as_dict,
    as_list,
    attributes_of,
    litellm,
    openai,
    otel,
    says,
    slug,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of usage record.

    Attributes:
        name: what `format=` takes.
        title: what it is, for people.
        docs: public documentation the field meanings were taken from.
        columns: target → source fields, first with a value counts.
        signs: sets of fields, each of which gives the format away.
        constants: target → fixed value.
        notes: what cannot be known from this source.
        single: every row is one request.
        prepare: adds computed columns to a raw chunk; `extra` names the raw columns it reads, `needs` those
            of which a computed column must have one.
        refusals: cause of exclusion, the raw column it is seen in, and the expression that sees it.
        flatten: for nested JSON, the flat records of one document; None where rows are flat already.
        zone: zone of times that name none, where the documentation says so.
        verified: a real, public example was read with it.
        bill: it is a vendor's bill (`pricewar.usage.bills`), whose lines are turned into rows.
    """

    name: str
    title: str
    docs: tuple[str, ...]
    columns: Columns
    signs: tuple[frozenset[str], ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    single: bool = True
    extra: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prepare: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    refusals: tuple[tuple[str, str, pl.Expr], ...] = ()
    flatten: Callable[[dict[str, Any]], Iterator[Record | None]] | None = None
    zone: str | None = None
    verified: bool = True
    bill: bool = False


# --- the table of formats -------------------------------------------------------------------------------

OPENAI_NOTES = ("OpenAI's usage report counts reasoning inside output and does not tell it apart.",)
NOT_GROUPED = "Ask the report again with group_by=model: rows without a model cannot be billed."
CACHE_HIT = "answered from the proxy's own cache: the vendor charged nothing"
FAILED = "a failed request"
AGENT = "an agent or tool span: its model calls stand in spans of their own"
NO_CALL = "a span that is no model call"
CANCELLED_NOTE = "Cancelled generations are kept with the tokens that the export gives them."

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format(
            "openai-api",
            "OpenAI usage API, completions (JSON)",
            ("https://platform.openai.com/docs/api-reference/usage/completions",),
            OPENAI_COLUMNS,
            constants={"vendor": "openai"},
            notes=OPENAI_NOTES,
            single=False,
            flatten=openai,
        ),
        Format(
            "openai-csv",
            "OpenAI usage export (CSV)",
            ("https://platform.openai.com/docs/api-reference/usage/completions",),
            OPENAI_COLUMNS,
            signs=(frozenset({"start_time", "num_model_requests", "input_tokens"}),),
            constants={"vendor": "openai"},
            notes=OPENAI_NOTES,
            single=False,
        ),
        Format(
            "anthropic-api",
            "Anthropic usage report, messages (JSON)",
            (
                "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages",
                "https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report",
            ),
            ANTHROPIC_COLUMNS,
            constants={"vendor": "anthropic"},
            notes=(
                "Anthropic's usage report counts no requests: limits and prices per request stay unchecked.",
                "Anthropic counts thinking inside output and does not tell it apart.",
            ),
            single=False,
            flatten=anthropic,
        ),
        Format(
            "litellm",
            "LiteLLM SpendLogs (CSV, JSON, JSON lines, Parquet)",
            (
                "https://docs.litellm.ai/docs/proxy/cost_tracking",
                "https://github.com/BerriAI/litellm/blob/main/schema.prisma",
            ),
            {
                "time": ("startTime",),
                "vendor": ("custom_llm_provider",),
                "model": ("__model",),
                "input_total": ("prompt_tokens",),
                "cache_read": ("__cache_read",),
                "cache_write": ("__cache_write",),
                "cache_write_5m": ("__write_5m",),
                "cache_write_1h": ("__write_1h",),
                "output_total": ("completion_tokens",),
                "reasoning": ("__reasoning",),
                "search": ("__search",),
                "tier": ("__tier",),
                "batch": ("__batch",),
                "reported_cost": ("spend",),
                "project": ("team_id", "end_user", "user", "api_key"),
                "id": ("request_id",),
            },
            signs=(
                frozenset({"startTime", "prompt_tokens", "completion_tokens", "request_id"}),
                frozenset({"startTime", "prompt_tokens", "completion_tokens", "call_type"}),
                frozenset({"startTime", "prompt_tokens", "completion_tokens", "custom_llm_provider"}),
            ),
            constants={"reported_currency": "USD"},
            extra=("metadata", "model", "model_group", "custom_llm_provider", "call_type"),
            needs={"__model": ("model", "model_group")},
            prepare=litellm,
            refusals=(
                (CACHE_HIT, "cache_hit", says("cache_hit", "true", "t", "1")),
                (FAILED, "status", says("status", "failure", "failed", "error")),
                (FAILED, "__status", says("__status", "failure", "failed", "error")),
            ),
        ),
        Format(
            "otel",
            "OpenTelemetry GenAI spans (OTLP JSON, or one span per line)",
            (
                "https://github.com/open-telemetry/semantic-conventions-genai",
                "https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/",
                "https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/",
            ),
            OTEL_COLUMNS,
            refusals=(
                (AGENT, "__operation", says("__operation", *AGENT_SPANS)),
                (NO_CALL, "__call", says("__call", "false")),
            ),
            flatten=otel,
        ),
        Format(
            "openrouter",
            "OpenRouter activity export (CSV)",
            (
                "https://openrouter.ai/docs/guides/features/activity",
                "https://openrouter.ai/docs/use-cases/usage-accounting",
            ),
            {
                "time": ("created_at",),
                "model": ("__model",),
                "input_total": ("tokens_prompt",),
                "cache_read": ("tokens_cached",),
                "output_total": ("tokens_completion",),
                "reasoning": ("tokens_reasoning",),
                "reported_cost": ("cost_total",),
                "project": ("api_key_name", "app_name"),
                "id": ("generation_id",),
            },
            signs=(frozenset({"generation_id", "tokens_prompt", "tokens_completion"}),),
            constants={"vendor": "openrouter", "reported_currency": "USD"},
            notes=(
                "OpenRouter's export does not tell cache writes, nor how many web searches were made.",
                CANCELLED_NOTE,
            ),
            extra=("model_permaslug", "variant"),
            needs={"__model": ("model_permaslug",)},
            prepare=lambda raw: raw.with_columns(__model=slug(raw.columns)),
        ),
        Format(
            "langfuse",
            "Langfuse observations export (JSON, JSON lines, CSV, Parquet)",
            (
                "https://langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields",
                "https://langfuse.com/docs/observability/features/token-and-cost-tracking",
            ),
            {
                "time": ("start_time",),
                "model": ("provided_model_name", "model"),
                "input": ("__input",),
                "cache_read": ("__cache_read",),
                "cache_write": ("__cache_write",),
                "cache_write_1h": ("__write_1h",),
                "output": ("__output",),
                "reasoning": ("__reasoning",),
                "search": ("__search",),
                "reported_cost": ("total_cost", "calculated_total_cost"),
                "project": ("project_id", "environment"),
                "id": ("id",),
            },
            signs=(
                frozenset({"usage_details", "start_time", "trace_id"}),
                frozenset({"usage_details", "provided_model_name"}),
                frozenset({"usage", "start_time", "trace_id", "model"}),
                frozenset({"input_usage", "output_usage", "start_time"}),
            ),
            constants={"reported_currency": "USD"},
            notes=(
                "Langfuse's usage types exclude one another, so cached tokens stand beside the input; where "
                "a record's own total shows that they stand inside it, they were taken out.",
                "Langfuse does not tell the vendor, nor the service tier.",
            ),
            extra=LANGFUSE_USAGE,
            prepare=langfuse,
            refusals=(
                (NO_OBSERVATION, "__call", says("__call", "false")),
                (OTHER_COUNTS, "__unit", says("__unit", "false")),
                (ODD_USAGE, "__odd", says("__odd", "true")),
            ),
            zone="UTC",
            verified=False,
        ),
        Format(
            "helicone",
            "Helicone requests export (CSV, JSON, JSON lines)",
            (
                "https://docs.helicone.ai/tools/export",
                "https://docs.helicone.ai/rest/request/post-v1requestquery-clickhouse",
                "https://github.com/Helicone/helicone",
            ),
            {
                "time": ("request_created_at",),
                "vendor": ("__vendor",),
                "model": ("model", "response_model", "request_model", "model_override"),
                "input": ("prompt_tokens",),
                "cache_read": ("prompt_cache_read_tokens",),
                "cache_write": ("prompt_cache_write_tokens",),
                "output_total": ("__output",),
                "reasoning": ("reasoning_tokens",),
                "reported_cost": ("cost_usd", "cost"),
                "project": ("request_user_id", "user_id"),
                "id": ("request_id", "response_id"),
            },
            signs=(frozenset({"request_created_at", "prompt_tokens", "completion_tokens"}),),
            constants={"reported_currency": "USD"},
            notes=(
                "Helicone stores prompt tokens without those read from a cache or written to one; its CSV "
                "export leaves the cached ones out, so take JSON lines where prompts are cached.",
            ),
            extra=HELICONE_EXTRA,
            needs={"__vendor": ("provider",), "__output": ("completion_tokens",)},
            prepare=helicone,
            refusals=(
                (CACHE_HIT, "__cached", says("__cached", "true")),
                (FAILED, "__failed", says("__failed", "true")),
            ),
            zone="UTC",
            verified=False,
        ),
    )
}


PLAIN = Format(
    "plain",
    "any CSV, JSON lines or Parquet with one row per request or bucket (column mapping)",
    ("https://github.com/Azure/AzurePublicDataset/blob/master/AzureLLMInferenceDataset2023.md",),
    {
        "time": (
            "time", "timestamp", "start_time", "started_at", "starting_at", "created_at",
            "request_created_at", "created", "request_time", "datetime", "date", "ts",
        ),
        "time_end": ("time_end", "bucket_end"),
        "vendor": ("vendor", "provider", "provider_name", "custom_llm_provider"),
        "model": ("model", "model_name", "model_id", "provided_model_name", "model_slug"),
        "input": ("input", "uncached_input_tokens"),
        "input_total": (
            "input_total", "prompt_tokens", "input_tokens", "context_tokens", "tokens_prompt", "tokens_in",
        ),
        "cache_read": (
            "cache_read", "cached_tokens", "cached_input_tokens", "input_cached_tokens",
            "cache_read_input_tokens", "cache_read_tokens", "tokens_cached",
            "prompt_cache_read_tokens",
        ),
        "cache_write": (
            "cache_write", "cache_creation_input_tokens", "cache_write_tokens",
            "prompt_cache_write_tokens", "prompt_tokens_cache_write",
        ),
        "cache_write_5m": ("cache_write_5m", "ephemeral_5m_input_tokens"),
        "cache_write_1h": ("cache_write_1h", "ephemeral_1h_input_tokens"),
        "output": ("output",),
        "output_total": (
            "output_total", "completion_tokens", "output_tokens", "generated_tokens", "tokens_completion",
            "tokens_out",
        ),
        "reasoning": ("reasoning", "reasoning_tokens", "tokens_reasoning"),
        "search": ("search", "web_search_requests"),
        "requests": ("requests", "num_model_requests", "num_requests"),
        "tier": ("tier", "service_tier"),
        "batch": ("batch",),
        "reported_cost": ("reported_cost", "cost", "total_cost", "cost_usd", "spend"),
        "reported_currency": ("reported_currency", "currency"),
        "project": ("project", "project_id", "team_id", "team", "api_key_name", "api_key_id"),
        "id": ("id", "request_id", "generation_id"),
    },
)  # fmt: skip
FORMATS[PLAIN.name] = PLAIN
FORMATS.update(
    (b.name, Format(b.name, b.title, b.docs, {}, verified=b.verified, single=False, bill=True))
    for b in BILLS.values()
)


def detect(fields: Iterable[str], records: list[Any], where: str) -> Format:
    """The format that columns or first objects give away; plain when none does.

    Raises:
        LogError: more than one format would fit.
    """
    found = matching(set(fields), records)
    if len(found) > 1:
        names = ", ".join(form.name for form in found)
        raise LogError(f"this may be any of: {names}", where=where, remedy="say which with --format")
    return found[0] if found else PLAIN


def matching(fields: set[str], records: list[Any]) -> list[Format]:
    """Every format, of usage or of bills, that columns or first objects give away."""
    names = {plain(name) for name in fields}
    for record in records:
        if isinstance(record, dict) and (found := _detect_nested(record)) is not None:
            return [found]
    flat = [f for f in FORMATS.values() if any({plain(n) for n in sign} <= names for sign in f.signs)]
    return flat + [FORMATS[bill.name] for bill in matches(fields, records)]


def _detect_nested(record: dict[str, Any]) -> Format | None:
    if "resourceSpans" in record or "resource_spans" in record:
        return FORMATS["otel"]
    keys = [*record, *attributes_of(record.get("attributes"))]
    if any(isinstance(key, str) and key.startswith("gen_ai.") for key in keys):
        return FORMATS["otel"]
    bucket = record
    for _ in range(3):
        if held := as_list(bucket.get("data")):
            # The first bucket may be a day without any results, which would tell nothing.
            bucket = next((as_dict(b) for b in held if as_dict(b).get("results")), as_dict(held[0]))
    results = [as_dict(r) for r in as_list(bucket.get("results", bucket.get("result")))]
    if any("amount" in r for r in results) and not any("output_tokens" in r for r in results):
        return FORMATS["anthropic-costs" if "starting_at" in bucket else "openai-costs"]
    if "starting_at" in bucket and ("results" in bucket or "ending_at" in bucket):
        return FORMATS["anthropic-api"]
    if "start_time" in bucket and ("results" in bucket or "result" in bucket):
        return FORMATS["openai-api"]
    if record.get("object") in ("page", "bucket"):
        return FORMATS["openai-api"]
    if record.get("data") == [] and "has_more" in record:
        return FORMATS["anthropic-api"]
    return None
