"""Nested records made flat: what each source's documents hold, and where its token counts stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from pricewar.usage.sources import as_text

Record = dict[str, str | None]
Columns = Mapping[str, tuple[str, ...]]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def buckets(document: dict[str, Any], start: str) -> Iterator[tuple[dict[str, Any], Any]]:
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
                yield from buckets(element, start)
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


def openai(document: dict[str, Any]) -> Iterator[Record | None]:
    names = [name for names in OPENAI_COLUMNS.values() for name in names]
    for bucket, result in buckets(document, "start_time"):
        if result is None:
            yield None
        else:
            yield {name: as_text(result.get(name, bucket.get(name))) for name in names}


# --- Anthropic ------------------------------------------------------------------------------------------


def anthropic(document: dict[str, Any]) -> Iterator[Record | None]:
    for bucket, result in buckets(document, "starting_at"):
        if result is None:
            yield None
            continue
        created = as_dict(result.get("cache_creation"))
        record = {name: result.get(name) for names in ANTHROPIC_COLUMNS.values() for name in names}
        record["starting_at"], record["ending_at"] = bucket.get("starting_at"), bucket.get("ending_at")
        for life in ("5m", "1h"):
            name = f"ephemeral_{life}_input_tokens"
            record[name] = created.get(name, result.get(f"cache_creation_{life}_input_tokens"))
        record["web_search_requests"] = as_dict(result.get("server_tool_use")).get("web_search_requests")
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


def litellm(raw: pl.DataFrame) -> pl.DataFrame:
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


def says(column: str, *words: str) -> pl.Expr:
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


def attributes_of(attributes: Any) -> dict[str, Any]:
    """Attributes as a mapping, from a mapping or from OTLP's list of keys and typed values."""
    if isinstance(attributes, dict):
        return attributes
    found = {}
    for pair in as_list(attributes):
        pair = as_dict(pair)
        value = pair.get("value")
        if isinstance(pair.get("key"), str):
            found[pair["key"]] = next(iter(value.values()), None) if isinstance(value, dict) else value
    return found


def otel(document: dict[str, Any]) -> Iterator[Record | None]:
    groups = document.get("resourceSpans", document.get("resource_spans"))
    if groups is None:
        yield _span(document, {})
        return
    if not isinstance(groups, list):
        yield None
        return
    for group in groups:
        group = as_dict(group)
        shared = attributes_of(as_dict(group.get("resource")).get("attributes"))
        scopes = group.get("scopeSpans", group.get("scope_spans", group.get("instrumentationLibrarySpans")))
        for scope in as_list(scopes):
            for span in as_list(as_dict(scope).get("spans")):
                yield _span(span, shared) if isinstance(span, dict) else None


def _span(span: dict[str, Any], shared: dict[str, Any]) -> Record:
    given = {**shared, **span, **attributes_of(span.get("attributes"))}
    if isinstance(span.get("resource"), dict):
        given = {**attributes_of(span["resource"].get("attributes")), **given}
    record = {name: as_text(given.get(name)) for names in OTEL_COLUMNS.values() for name in names}
    context = as_dict(span.get("context"))
    trace = span.get("traceId") or span.get("trace_id") or context.get("trace_id")
    own = span.get("spanId") or span.get("span_id") or context.get("span_id")
    record["__id"] = f"{trace}/{own}" if own else None
    record["__operation"] = as_text(given.get("gen_ai.operation.name"))
    record["__call"] = "true" if any(key.startswith("gen_ai.usage.") for key in given) else "false"
    return record


# --- OpenRouter -------------------------------------------------------------------------------------------


def slug(columns: Iterable[str]) -> pl.Expr:
    """A model with its variant (`:free`), which decides the price."""
    model = pl.col("model_permaslug").cast(pl.String)
    if "variant" not in columns:
        return model
    variant = pl.col("variant").cast(pl.String).str.strip_chars()
    plain_one = (
        variant.is_null() | variant.is_in(["", "standard"]) | model.str.ends_with(pl.lit(":") + variant)
    )
    return pl.when(plain_one).then(model).otherwise(pl.concat_str([model, variant], separator=":"))
