"""Observability platforms: how Langfuse and Helicone write down what a call used."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

NO_OBSERVATION = "an observation that is no model call"
OTHER_COUNTS = "usage counted in something else than tokens"
ODD_USAGE = "a usage type that is neither input nor output"

# --- Langfuse ---------------------------------------------------------------------------------------------

_DETAILS = ("usage_details", "usageDetails")
_PLAIN = {
    "input": ("input", "promptTokens", "prompt_tokens"),
    "output": ("output", "completionTokens", "completion_tokens"),
}
_FLAT = {
    "input": ("input_usage", "inputUsage", "promptTokens", "prompt_tokens"),
    "output": ("output_usage", "outputUsage", "completionTokens", "completion_tokens"),
}
LANGFUSE_USAGE = (
    *_DETAILS,
    "usage",
    *(name for names in _FLAT.values() for name in names),
    "type",
    "unit",
)
_COLUMNS = (
    "__input", "__cache_read", "__cache_write", "__write_1h", "__output", "__reasoning", "__search",
    "__call", "__unit", "__odd",
)  # fmt: skip
_CALLS = ("GENERATION", "EMBEDDING")


def langfuse(raw: pl.DataFrame) -> pl.DataFrame:
    """Exclusive counts out of each observation's usage, which is JSON text or a map."""
    there = {name: raw[name].to_list() for name in LANGFUSE_USAGE if name in raw.columns}
    out: list[tuple[str | None, ...]] = []
    for i in range(raw.height):
        given = {name: values[i] for name, values in there.items() if values[i] is not None}
        usage = next((u for name in _DETAILS if (u := _mapping(given.get(name)))), None)
        unit = given.get("unit")
        if usage is None:
            plain = _mapping(given.get("usage")) or {}
            unit = plain.get("unit", unit)
            usage = {
                side: value
                for side in _PLAIN
                for value in [_first(plain, _PLAIN[side]), _first(given, _FLAT[side])]
                if value is not None
            }
        counts, odd = _counts(usage)
        kind = str(given.get("type") or "GENERATION").upper()
        called = kind in _CALLS or any(value not in (None, "0") for value in counts)
        tokens = str(unit or "TOKENS").upper() == "TOKENS"
        out.append((*counts, str(called).lower(), str(tokens).lower(), str(odd).lower()))
    made = pl.DataFrame(out, schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")
    return raw.with_columns(made.get_columns())


def _first(given: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((given[name] for name in names if given.get(name) not in (None, "")), None)


def _mapping(value: Any) -> dict[str, Any] | None:
    """A JSON text, a struct, or a Parquet map as a mapping; None when it holds nothing."""
    if isinstance(value, str):
        if not value.lstrip().startswith("{"):
            return None
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, list):
        value = {
            p["key"]: p.get("value") for p in value if isinstance(p, dict) and isinstance(p.get("key"), str)
        }
    if not isinstance(value, dict):
        return None
    return {key: v for key, v in value.items() if v is not None} or None


def _counts(usage: dict[str, Any]) -> tuple[tuple[str | None, ...], bool]:
    """The seven counts as texts, and whether a usage type is left that is none of them.

    A count that is no whole number of zero or more stands as it is, for the reader to leave the row out.
    """
    sums: dict[str, int] = {}
    bad: dict[str, str] = {}
    total, odd = None, False
    for key, value in usage.items():
        name = key.lower()
        number = _whole(value)
        if name.startswith("total"):
            total = number
            continue
        slot = _slot(name)
        if slot is None:
            odd = odd or (number != 0 and name != "unit")
        elif number is None or number < 0:
            bad[slot] = str(value)
        else:
            sums[slot] = sums.get(slot, 0) + number
    cached = sum(sums.get(slot, 0) for slot in ("read", "write", "1h"))
    reasoning = sums.get("reasoning", 0)
    over = sum(sums.values()) - sums.get("search", 0) - (total or 0)
    if total is not None and over > 0:
        # The record's own total tells whether parts stand inside the input or the output.
        if over in (cached, cached + reasoning) and sums.get("input", 0) >= cached:
            sums["input"] = sums.get("input", 0) - cached
            over -= cached
        if over and over == reasoning and sums.get("output", 0) >= reasoning:
            sums["output"] -= reasoning
    if cached and "input" not in sums and "input" not in bad:
        sums["input"] = 0
    slots = ("input", "read", "write", "1h", "output", "reasoning", "search")
    texts = (bad.get(s, None if s not in sums else str(sums[s])) for s in slots)
    return tuple(texts), odd


def _slot(name: str) -> str | None:
    if "cach" in name:
        written = "creat" in name or "writ" in name
        return ("1h" if "1h" in name else "write") if written else "read"
    if "reasoning" in name or "thinking" in name or "thought" in name:
        return "reasoning"
    if "search" in name:
        return "search"
    if "input" in name or "prompt" in name:
        return "input"
    return "output" if "output" in name or "completion" in name else None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number == number and abs(number) < 1e18 and number.is_integer() else None


# --- Helicone ---------------------------------------------------------------------------------------------

HELICONE_EXTRA = (
    "provider", "completion_tokens", "reasoning_tokens", "response_status", "status", "cached",
    "cache_reference_id",
)  # fmt: skip
_NO_REFERENCE = "00000000-0000-0000-0000-000000000000"


def helicone(raw: pl.DataFrame) -> pl.DataFrame:
    """The vendor in lower case, output with reasoning inside it, and which calls the vendor did not bill."""

    def text(name: str) -> pl.Expr:
        if name not in raw.columns or raw[name].dtype.is_nested():
            return pl.lit(None, pl.String)
        return pl.col(name).cast(pl.String).str.strip_chars()

    output = text("completion_tokens")
    whole, thought = (text(n).cast(pl.Int64, strict=False) for n in ("completion_tokens", "reasoning_tokens"))
    code = pl.coalesce(text("response_status"), text("status")).cast(pl.Int64, strict=False)
    vendor = text("provider").str.to_lowercase()
    reference = text("cache_reference_id")
    return raw.with_columns(
        __vendor=pl.when(~vendor.is_in(["custom", ""])).then(vendor),
        # Some vendors count reasoning beside the completion: then it cannot be inside it.
        __output=pl.when(thought > whole).then((whole + thought).cast(pl.String)).otherwise(output),
        __failed=pl.when((code >= 400) | (code < 0)).then(pl.lit("true")),
        __cached=pl.when(
            text("cached").str.to_lowercase().is_in(["true", "1"])
            | (reference.is_not_null() & ~reference.is_in(["", _NO_REFERENCE]))
        ).then(pl.lit("true")),
    )
