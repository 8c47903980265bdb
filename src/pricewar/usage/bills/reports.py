"""Cost reports of OpenAI and Anthropic: money by day and line item, with or without quantities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from pricewar.usage.bills import words
from pricewar.usage.bills.record import (
    EMPTY,
    Bill,
    LeftOutError,
    Row,
    charged,
    counted,
    line,
    period,
)
from pricewar.usage.invoice import Line
from pricewar.usage.shapes import as_dict, as_list, buckets

# --- OpenAI -----------------------------------------------------------------------------------------------

OPENAI_FIELDS = {
    "start": ("start_time", "start_time_iso"),
    "end": ("end_time", "end_time_iso"),
    "amount": ("amount_value", "amount"),
    "currency": ("amount_currency", "currency"),
    "quantity": ("quantity",),
    "unit": ("quantity_unit",),
    "item": ("line_item",),
    "project": ("project_id", "project_name", "api_key_id"),
}
_MEDIA = re.compile(r"\s+(?:text|image|audio|video)$")


@lru_cache(maxsize=4096)
def _item(item: str) -> tuple[str | None, str | None, str | None]:
    """Model, meter and tier of a line item: `priority | gpt-5.6-sol, cached input, long context`."""
    tier, bar, rest = item.rpartition(" | ")
    named, comma, told = rest.partition(",")
    if not comma:
        return None, words.meter(rest)[0], tier.strip().lower() or None
    meter, also = words.meter(told)
    if _MEDIA.search(named) and not named.endswith(" text"):
        meter = None  # tokens of images and sound have prices of their own
    return _MEDIA.sub("", named.strip()), meter, (tier.strip().lower() if bar else also)


def parse_openai(row: Row, place: str, zone: str) -> Line:
    if "amount" not in row and "item" not in row:
        raise LeftOutError(EMPTY)
    times = period(row, zone)
    item = row.get("item", "")
    model, meter, tier = _item(item)
    if "unit" not in row and meter not in (None, "search", "requests"):
        row = {**row, "unit": "tokens"}  # the API tells a number only, which for a token meter is of tokens
    quantity, _ = counted(row)
    amount = charged(row)
    return line(
        row,
        place,
        zone,
        times=times,
        amount=amount,
        vendor="openai",
        model=model,
        meter=meter,
        tier=tier,
        quantity=quantity,
        kind="credit" if amount < 0 else "usage",
        item=item or "not grouped by line item",
    )


def _openai(bucket: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    amount = result.get("amount")
    told = as_dict(amount)
    return {
        **{name: result.get(name, bucket.get(name)) for names in OPENAI_FIELDS.values() for name in names},
        "amount": None if isinstance(amount, (dict, list)) else amount,
        "amount_value": told.get("value", result.get("amount_value")),
        "amount_currency": told.get("currency", result.get("amount_currency")),
    }


# --- Anthropic --------------------------------------------------------------------------------------------

ANTHROPIC_FIELDS = {
    "start": ("starting_at",),
    "end": ("ending_at",),
    "amount": ("amount",),
    "list_amount": ("list_amount",),
    "currency": ("currency",),
    "model": ("model",),
    "item": ("description",),
    "type": ("cost_type",),
    "token_type": ("token_type",),
    "tier": ("service_tier",),
    "speed": ("speed",),
    "project": ("workspace_id",),
}


def parse_anthropic(row: Row, place: str, zone: str) -> Line:
    times = period(row, zone)
    type_, token = row.get("type"), row.get("token_type")
    item = row.get("item") or " ".join(text for text in (row.get("model"), type_, token) if text)
    meter = words.meter(token)[0] if token else "search" if type_ == "web_search" else None
    cents = charged(row)
    tier = row.get("tier")
    if row.get("speed") == "fast" and tier in (None, "standard"):
        tier = "fast"
    return line(
        row,
        place,
        zone,
        times=times,
        amount=cents,
        per=100,
        implied="USD",
        vendor="anthropic",
        model=row.get("model"),
        meter=meter,
        tier=tier,
        quantity=None,
        kind="credit" if cents < 0 else "usage",
        item=item or "not grouped by description",
    )


def _anthropic(bucket: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "starting_at": bucket.get("starting_at"), "ending_at": bucket.get("ending_at")}


# --- both: pages of buckets of results --------------------------------------------------------------------


def _records(
    alone: str, start: str, record: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
) -> Callable[[dict[str, Any]], Iterator[dict[str, Any] | None]]:
    """The records of a document: itself where it has the field `alone`, else each result of its buckets."""

    def records(document: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
        if alone in document and "results" not in document:
            yield document
            return
        for bucket, result in buckets(document, start):
            yield None if result is None else record(bucket, result)

    return records


def _nested(start: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a document holds buckets of amounts that begin at `start`."""

    def nested(document: dict[str, Any]) -> bool:
        bucket = document
        for _ in range(3):
            held = as_list(bucket.get("data"))
            if start in bucket or not held:
                break
            bucket = next((as_dict(b) for b in held if as_dict(b).get("results")), as_dict(held[0]))
        results = as_list(bucket.get("results", bucket.get("result")))
        return start in bucket and any("amount" in as_dict(r) for r in results)

    return nested


REPORTS = (
    Bill(
        "openai-costs",
        "OpenAI costs (API JSON, dashboard CSV)",
        ("https://platform.openai.com/docs/api-reference/usage/costs",),
        OPENAI_FIELDS,
        parse_openai,
        (
            frozenset({"amount_value", "line_item", "start_time"}),
            frozenset({"amount_value", "amount_currency"}),
        ),
        _records("line_item", "start_time", _openai),
        _nested("start_time"),
        verified=True,
        notes=(
            "OpenAI tells the tier of a line item only where it has a price of its own (“priority | …”).",
        ),
    ),
    Bill(
        "anthropic-costs",
        "Anthropic cost report (API JSON, amounts in cents)",
        (
            "https://platform.claude.com/docs/en/api/admin/cost_report/retrieve",
            "https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report",
        ),
        ANTHROPIC_FIELDS,
        parse_anthropic,
        (frozenset({"cost_type", "token_type", "amount"}),),
        _records("cost_type", "starting_at", _anthropic),
        _nested("starting_at"),
        notes=("Anthropic's cost report tells money and no quantities; amounts are cents.",),
    ),
)
