"""FOCUS 1.2, the FinOps form that clouds export: which rows are LLM usage, of which model, at which meter.

A row is LLM usage when its unit counts tokens, when its meter speaks of tokens, or when its service or
publisher serves LLMs and it is not counted in images, characters, minutes or bytes. Everything else (compute,
storage) is left out with that cause. A credit, tax, purchase or adjustment stays unless it names a service
that serves no LLMs. The model is what `x_Model` or `SkuPriceDetails` calls so, else the resource of type
Model, else an edition sold through the cloud, else what the name of the meter begins with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pricewar.usage.bills import words
from pricewar.usage.bills.record import (
    NOT_LLM,
    OTHER_UNIT,
    Bill,
    LeftOutError,
    Row,
    charged,
    counted,
    line,
    period,
    unit,
)
from pricewar.usage.invoice import Kind, Line

FIELDS = {
    "start": ("ChargePeriodStart",),
    "end": ("ChargePeriodEnd",),
    "month": ("BillingPeriodStart",),
    "quantity": ("ConsumedQuantity",),
    "unit": ("ConsumedUnit",),
    "priced_quantity": ("PricingQuantity",),
    "priced_unit": ("PricingUnit",),
    "amount": ("BilledCost",),
    "list_amount": ("ListCost",),
    "currency": ("BillingCurrency",),
    "category": ("ChargeCategory",),
    "class": ("ChargeClass",),
    "pricing": ("PricingCategory",),
    "commitment": ("CommitmentDiscountId", "CommitmentDiscountName"),
    "commitment_status": ("CommitmentDiscountStatus",),
    "frequency": ("ChargeFrequency",),
    "description": ("ChargeDescription",),
    "meter": ("SkuMeter", "x_SkuMeterName", "x_UsageType", "lineItem/UsageType"),
    "sku": ("SkuId", "SkuPriceId"),
    "details": ("SkuPriceDetails",),
    "model": ("x_Model", "x_ModelName"),
    "service": ("ServiceName",),
    "provider": ("ServiceProviderName", "ProviderName", "HostProviderName"),
    "publisher": ("PublisherName", "InvoiceIssuerName"),
    "resource": ("ResourceId",),
    "resource_type": ("ResourceType",),
    "project": ("SubAccountName", "SubAccountId", "x_Project"),
}

SERVES_LLM = re.compile(
    r"open\s?ai|anthropic|claude|bedrock|foundry models|gemini|vertex ai|generative|mistral|cohere|deepseek"
    r"|groq|cerebras|together|fireworks|openrouter|perplexity|\bxai\b|grok|llama|qwen|model studio|modelark"
    r"|大模型|百炼|千帆|方舟",
    re.IGNORECASE,
)
OTHER_UNITS = re.compile(r"gi?b\b|tb\b|byte|image|character|minute|second|page|video|audio", re.IGNORECASE)
VENDORS = (
    ("microsoft", "azure"),
    ("azure", "azure"),
    ("amazon", "aws"),
    ("aws", "aws"),
    ("google", "google"),
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("mistral", "mistral"),
    ("alibaba", "alibaba"),
    ("databricks", "databricks"),
)
_EDITION = re.compile(r"(?P<model>.+?)\s*\(Amazon Bedrock Edition\)", re.IGNORECASE)
_CLAUDE = re.compile(r"claude-?(?P<version>\d+(?:\.\d+)?)-?(?P<size>sonnet|haiku|opus)")
_MAKER = re.compile(r"^(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|qwen|openai|google)[./]")


def parse(row: Row, place: str, zone: str) -> Line:
    quantity, what = counted(row)
    if quantity is None:
        quantity, what = counted(row, "priced_quantity", "priced_unit")
    said = row.get("meter") or row.get("sku") or ""
    service = " ".join(row.get(name, "") for name in ("service", "provider", "publisher"))
    kind = _kind(row)
    serves = bool(SERVES_LLM.search(service))
    if kind in ("usage", "allowance"):
        tokens = what == "token" or unit(row.get("unit", "")) is not None or "token" in said.lower()
        if not (tokens or serves):
            raise LeftOutError(NOT_LLM)
        if not tokens and OTHER_UNITS.search(row.get("unit") or row.get("priced_unit", "")):
            raise LeftOutError(OTHER_UNIT)
    elif "service" in row and not serves and "token" not in said.lower():
        raise LeftOutError(NOT_LLM)
    times = period(row, zone)
    meter, tier = words.meter(said)
    if meter is None and "description" in row:
        meter, named = words.meter(row["description"])
        tier = tier or named
    if meter is None and what in ("request", "search"):
        meter = "requests" if what == "request" else "search"
    return line(
        row,
        place,
        zone,
        times=times,
        amount=charged(row),
        vendor=_vendor(row),
        model=_model(row),
        meter=meter,
        tier=tier,
        quantity=quantity,
        kind=kind,
        item=row.get("description") or said or row.get("service", ""),
    )


def _kind(row: Row) -> Kind:
    category = row.get("category", "usage").strip().lower()
    if row.get("class", "").strip().lower() == "correction" or category == "adjustment":
        return "adjustment"
    if category in ("credit", "tax"):
        return category  # type: ignore[return-value]
    if category == "purchase":
        held = "commitment" in row or row.get("pricing", "").lower() in ("committed", "commitment")
        return "commitment" if held else "fee"
    return "commitment" if row.get("commitment_status", "").lower() == "unused" else "usage"


def _vendor(row: Row) -> str | None:
    for name in ("provider", "publisher"):
        told = row.get(name, "").lower()
        for word, vendor in VENDORS:
            if word in told:
                return vendor
        if told:
            return told
    return None


def _model(row: Row) -> str | None:
    if "model" in row:
        return row["model"]
    if told := _told(row.get("details", "")):
        return told
    if row.get("resource_type", "").lower() == "model" and "resource" in row:
        return _MAKER.sub("", row["resource"])
    if found := _EDITION.fullmatch(row.get("service", "").strip()):
        return _tidy(found["model"].lower().replace(" ", "-"))
    for name in ("meter", "sku"):
        if name in row and words.meter(row[name])[0] is not None:
            text = row[name].split("/")
            named = words.model(text[1] if name == "sku" and len(text) > 2 else row[name])
            if named:
                return _tidy(named)
    return None


@lru_cache(maxsize=1024)
def _told(details: str) -> str | None:
    """The model that `SkuPriceDetails`, a JSON object, names."""
    if not details.lstrip().startswith("{"):
        return None
    try:
        known = json.loads(details)
    except (ValueError, RecursionError):
        return None
    names = {key.lower().replace("_", "").removeprefix("x"): value for key, value in known.items()}
    for key in ("model", "modelname", "modelid"):
        if isinstance(names.get(key), str) and names[key].strip():
            return names[key].strip()
    return None


def _tidy(model: str) -> str:
    """`claude4.5sonnet` and `anthropic.claude-…` as Anthropic writes them."""
    return _CLAUDE.sub(lambda m: f"claude-{m['size']}-{m['version']}", _MAKER.sub("", model))


def rows(document: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
    """Rows of a FOCUS document: one, or a list under any name."""
    held = next((v for v in document.values() if isinstance(v, list) and v and isinstance(v[0], dict)), None)
    if held is None or "BilledCost" in document:
        yield document
        return
    for element in held:
        yield element if isinstance(element, dict) else None


def nested(document: dict[str, Any]) -> bool:
    for record in [document, *next((v[:1] for v in document.values() if isinstance(v, list)), [])]:
        if (
            isinstance(record, dict)
            and {"BilledCost", "ChargePeriodStart", "ChargeCategory"} <= record.keys()
        ):
            return True
    return False


FOCUS = Bill(
    "focus",
    "FOCUS 1.2 cost and usage (CSV, JSON, Parquet)",
    ("https://focus.finops.org/focus-specification/v1-2/",),
    FIELDS,
    parse,
    (frozenset({"BilledCost", "ChargePeriodStart", "ChargeCategory"}),),
    rows,
    nested,
    notes=("Amounts are BilledCost; credits and taxes stand on rows of their own; days are cut in UTC.",),
)
