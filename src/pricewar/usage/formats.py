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
from pricewar.usage.normal import plain
from pricewar.usage.sources import as_text

Record = dict[str, str | None]
Columns = Mapping[str, tuple[str, ...]]


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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _buckets(document: dict[str, Any], start: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """Buckets and their results, from a bucket or a page of them; (bucket, None) where unreadable."""
    if start in document:
        results = document.get("results", document.get("result"))
        if not isinstance(results, list):
            yield document, None
            return
        for result in results:
            yield document, result if isinstance(result, dict) else None
    elif isinstance(document.get("data"), list):
        for element in document["data"]:
            if isinstance(element, dict) and element is not document:
                yield from _buckets(element, start)
            else:
                yield {}, None
    else:
        yield document, None


# --- OpenAI ---------------------------------------------------------------------------------------------

OPENAI_COLUMNS: Columns = {
    "time": ("start_time", "start_time_iso"),
    "time_end": ("end_time", "end_time_iso"),
    "model": ("model",),
    "input_total": ("input_tokens",),
    "cache_read": ("input_cached_tokens",),
    "cache_write": ("input_cache_write_tokens",),
    "output": ("output_tokens",),
    "requests": ("num_model_requests",),
    "batch": ("batch",),
    "tier": ("service_tier",),
    "project": ("project_id", "api_key_id", "user_id"),
}
OPENAI_NOTES = ("OpenAI's usage report counts reasoning inside output and does not tell it apart.",)
NOT_GROUPED = "Ask the report again with group_by=model: rows without a model cannot be billed."


def _openai(document: dict[str, Any]) -> Iterator[Record | None]:
    names = [name for names in OPENAI_COLUMNS.values() for name in names]
    for bucket, result in _buckets(document, "start_time"):
        if result is None:
            yield None
        else:
            yield {name: as_text(result.get(name, bucket.get(name))) for name in names}


# --- Anthropic ------------------------------------------------------------------------------------------


def _anthropic(document: dict[str, Any]) -> Iterator[Record | None]:
    for bucket, result in _buckets(document, "starting_at"):
        if result is None:
            yield None
            continue
        created = _dict(result.get("cache_creation"))
        record = {name: result.get(name) for names in ANTHROPIC_COLUMNS.values() for name in names}
        record["starting_at"], record["ending_at"] = bucket.get("starting_at"), bucket.get("ending_at")
        for life in ("5m", "1h"):
            name = f"ephemeral_{life}_input_tokens"
            record[name] = created.get(name, result.get(f"cache_creation_{life}_input_tokens"))
        record["web_search_requests"] = _dict(result.get("server_tool_use")).get("web_search_requests")
        if result.get("speed") == "fast" and result.get("service_tier") in (None, "standard"):
            record["service_tier"] = "fast"
        yield {name: as_text(value) for name, value in record.items()}


ANTHROPIC_COLUMNS: Columns = {
    "time": ("starting_at",),
    "time_end": ("ending_at",),
    "model": ("model",),
    "input": ("uncached_input_tokens",),
    "cache_read": ("cache_read_input_tokens",),
    "cache_write_5m": ("ephemeral_5m_input_tokens",),
    "cache_write_1h": ("ephemeral_1h_input_tokens",),
    "output": ("output_tokens",),
    "search": ("web_search_requests",),
    "tier": ("service_tier",),
    "project": ("workspace_id", "api_key_id"),
}


# --- LiteLLM --------------------------------------------------------------------------------------------

_USAGE = ("usage_object", "additional_usage_values")
LITELLM_PATHS: Mapping[str, tuple[str, ...]] = {
    "__cache_read": ("prompt_tokens_details.cached_tokens", "cache_read_input_tokens"),
    "__cache_write": ("cache_creation_input_tokens", "prompt_tokens_details.cache_creation_tokens"),
    "__write_5m": ("prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",),
    "__write_1h": ("prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",),
    "__reasoning": ("completion_tokens_details.reasoning_tokens",),
    "__search": ("server_tool_use.web_search_requests", "prompt_tokens_details.web_search_requests"),
    "__tier": ("service_tier",),
}


def _litellm(raw: pl.DataFrame) -> pl.DataFrame:
    """Usage details out of the metadata, which is JSON text in an export and a struct in Parquet."""
    names = [*LITELLM_PATHS, "__status"]
    raw = raw.with_columns(__model=_deployed(raw.columns), __batch=_batch(raw.columns))
    if "metadata" not in raw.columns:
        return raw.with_columns(pl.lit(None, pl.String).alias(name) for name in names)
    metadata = raw["metadata"]
    if isinstance(metadata.dtype, pl.Struct):
        metadata = metadata.struct.json_encode()
    metadata = metadata.cast(pl.String, strict=False)
    metadata = metadata.set(metadata == "{}", None)
    found = [
        _walked(metadata, [f"{part}.{tail}" for part in _USAGE for tail in tails]).alias(name)
        for name, tails in LITELLM_PATHS.items()
    ]
    return raw.with_columns(*found, _walked(metadata, ["status"]).alias("__status"))


def _walked(text: pl.Series, paths: list[str]) -> pl.Series:
    """What stands at the first of the paths that a row has."""
    out = pl.Series([None], dtype=pl.String).new_from_index(0, len(text))
    for path in paths:
        # Looking for the words of a path is far cheaper than walking one that is not there.
        if not all(text.str.contains(f'"{word}"', literal=True).any() for word in path.split(".")):
            continue
        value = text.str.json_path_match("$." + path)
        value = value.set(value == "null", None)
        out = value if out.null_count() == len(out) else out.zip_with(out.is_not_null(), value)
    return out


def _deployed(columns: Iterable[str]) -> pl.Expr:
    """The model without the provider that LiteLLM may write before it, `anthropic/claude-…`."""
    models = [pl.col(name).cast(pl.String) for name in ("model", "model_group") if name in columns]
    if not models:
        return pl.lit(None, pl.String)
    model = pl.coalesce(pl.when(m != "").then(m) for m in models)
    if "custom_llm_provider" not in columns:
        return model
    before = pl.col("custom_llm_provider").cast(pl.String) + "/"
    return pl.when(model.str.starts_with(before)).then(model.str.strip_prefix(before)).otherwise(model)


def _batch(columns: Iterable[str]) -> pl.Expr:
    if "call_type" not in columns:
        return pl.lit(None, pl.String)
    return pl.when(pl.col("call_type").cast(pl.String).str.contains("batch", literal=True)).then(
        pl.lit("true")
    )


def _says(column: str, *words: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase().is_in(words)


# --- OpenTelemetry --------------------------------------------------------------------------------------

OTEL_COLUMNS: Columns = {
    "time": (
        "startTimeUnixNano",
        "start_time_unix_nano",
        "start_time",
        "startTime",
        "timestamp",
        "@timestamp",
    ),
    "vendor": ("gen_ai.provider.name", "gen_ai.system"),
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "input_total": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "cache_read": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
    "cache_write": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
    ),
    "output_total": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "reasoning": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
    "tier": ("openai.response.service_tier", "gen_ai.openai.response.service_tier"),
    "project": ("service.name",),
    "id": ("__id",),
}
AGENT_SPANS = ("invoke_agent", "create_agent", "execute_tool", "invoke_workflow")


def _plain_attributes(attributes: Any) -> dict[str, Any]:
    """Attributes as a mapping, from a mapping or from OTLP's list of keys and typed values."""
    if isinstance(attributes, dict):
        return attributes
    found = {}
    for pair in _list(attributes):
        pair = _dict(pair)
        value = pair.get("value")
        if isinstance(pair.get("key"), str):
            found[pair["key"]] = next(iter(value.values()), None) if isinstance(value, dict) else value
    return found


def _otel(document: dict[str, Any]) -> Iterator[Record | None]:
    groups = document.get("resourceSpans", document.get("resource_spans"))
    if groups is None:
        yield _span(document, {})
        return
    if not isinstance(groups, list):
        yield None
        return
    for group in groups:
        group = _dict(group)
        shared = _plain_attributes(_dict(group.get("resource")).get("attributes"))
        scopes = group.get("scopeSpans", group.get("scope_spans", group.get("instrumentationLibrarySpans")))
        for scope in _list(scopes):
            for span in _list(_dict(scope).get("spans")):
                yield _span(span, shared) if isinstance(span, dict) else None


def _span(span: dict[str, Any], shared: dict[str, Any]) -> Record:
    given = {**shared, **span, **_plain_attributes(span.get("attributes"))}
    if isinstance(span.get("resource"), dict):
        given = {**_plain_attributes(span["resource"].get("attributes")), **given}
    record = {name: as_text(given.get(name)) for names in OTEL_COLUMNS.values() for name in names}
    context = _dict(span.get("context"))
    trace = span.get("traceId") or span.get("trace_id") or context.get("trace_id")
    own = span.get("spanId") or span.get("span_id") or context.get("span_id")
    record["__id"] = f"{trace}/{own}" if own else None
    record["__operation"] = as_text(given.get("gen_ai.operation.name"))
    record["__call"] = "true" if any(key.startswith("gen_ai.usage.") for key in given) else "false"
    return record


# --- the table of formats -------------------------------------------------------------------------------

CACHE_HIT = "answered from the proxy's own cache: the vendor charged nothing"
FAILED = "a failed request"
AGENT = "an agent or tool span: its model calls stand in spans of their own"
NO_CALL = "a span that is no model call"
CANCELLED_NOTE = "Cancelled generations are kept: OpenRouter bills what had been generated."

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
            flatten=_openai,
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
            flatten=_anthropic,
        ),
        Format(
            "litellm",
            "LiteLLM SpendLogs (CSV, JSON, JSON lines, Parquet)",
            (
                "https://docs.litellm.ai/docs/proxy/spend_logs",
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
            prepare=_litellm,
            refusals=(
                (CACHE_HIT, "cache_hit", _says("cache_hit", "true", "t", "1")),
                (FAILED, "status", _says("status", "failure", "failed", "error")),
                (FAILED, "__status", _says("__status", "failure", "failed", "error")),
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
                (AGENT, "__operation", _says("__operation", *AGENT_SPANS)),
                (NO_CALL, "__call", _says("__call", "false")),
            ),
            flatten=_otel,
        ),
        Format(
            "openrouter",
            "OpenRouter activity export (CSV)",
            (
                "https://openrouter.ai/docs/cookbook/administration/activity-export",
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
            prepare=lambda raw: raw.with_columns(__model=_slug(raw.columns)),
        ),
    )
}


def _slug(columns: Iterable[str]) -> pl.Expr:
    """A model with its variant (`:free`), which decides the price."""
    model = pl.col("model_permaslug").cast(pl.String)
    if "variant" not in columns:
        return model
    variant = pl.col("variant").cast(pl.String).str.strip_chars()
    plain_one = (
        variant.is_null() | variant.is_in(["", "standard"]) | model.str.ends_with(pl.lit(":") + variant)
    )
    return pl.when(plain_one).then(model).otherwise(pl.concat_str([model, variant], separator=":"))


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
        ),
        "cache_write": (
            "cache_write", "cache_creation_input_tokens", "cache_write_tokens", "prompt_tokens_cache_write",
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


def detect(fields: Iterable[str], records: list[Any], where: str) -> Format:
    """The format that columns or first objects give away; plain when none does.

    Raises:
        LogError: it is a cost report, which tells money and no tokens.
    """
    names = {plain(name) for name in fields}
    for record in records:
        if isinstance(record, dict) and (found := _detect_nested(record, where)) is not None:
            return found
    for candidate in FORMATS.values():
        if any({plain(name) for name in sign} <= names for sign in candidate.signs):
            return candidate
    if "amountvalue" in names and "inputtokens" not in names:
        _refuse_costs(where)
    return PLAIN


def _detect_nested(record: dict[str, Any], where: str) -> Format | None:
    if "resourceSpans" in record or "resource_spans" in record:
        return FORMATS["otel"]
    keys = [*record, *_plain_attributes(record.get("attributes"))]
    if any(isinstance(key, str) and key.startswith("gen_ai.") for key in keys):
        return FORMATS["otel"]
    bucket = record
    for _ in range(3):
        if isinstance(bucket.get("data"), list) and bucket["data"]:
            bucket = _dict(bucket["data"][0])
    results = [_dict(r) for r in _list(bucket.get("results", bucket.get("result")))]
    if any("amount" in r for r in results) and not any("output_tokens" in r for r in results):
        _refuse_costs(where)
    if "starting_at" in bucket and ("results" in bucket or "ending_at" in bucket):
        return FORMATS["anthropic-api"]
    if "start_time" in bucket and ("results" in bucket or "result" in bucket):
        return FORMATS["openai-api"]
    if record.get("object") in ("page", "bucket"):
        return FORMATS["openai-api"]
    if record.get("data") == [] and "has_more" in record:
        return FORMATS["anthropic-api"]
    return None


def _refuse_costs(where: str) -> None:
    raise LogError(
        "this is a cost report: it tells money and no tokens",
        where=where,
        remedy="give the usage report of the same days instead",
    )
