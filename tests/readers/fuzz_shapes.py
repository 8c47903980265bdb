"""What the fuzz writes: for every reader its files, sound values of each field, and values nobody expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

NASTY = (
    "",
    " ",
    "0",
    "-1",
    "-0.0",
    "1.5",
    "1e3",
    "1e999",
    "nan",
    "inf",
    "null",
    "NULL",
    "None",
    "-",
    "x",
    "１２３",
    "true",
    "9" * 25,
    "1" + "0" * 15,
    "1,234",
    "1,23",
    "1,234.50",
    "(5)",
    "¥3",
    "3元",
    "−7",
    "'5'",
    "2026-10-01",
    "10/01/2026",
    "2026-13-45",
    "1790812800",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+14:00",
    "2026-10-01T00:00:00Z",
    "a;b;c",
    '"',
    '""',
    "a,b",
    "two\nlines",
    "tab\there",
    "{}",
    "[]",
    "{",
    '{"a": 1}',
    "千tokens",
    "百万tokens",
    "退款",
    "💥",
    "=cmd|' /C'!A0",
    "\u202e",
    "é" * 50,
    "refund",
    "Tax",
    "Credit",
)
NASTY_JSON = (
    *(json.dumps(text) for text in NASTY),
    *(
        "null",
        "true",
        "[]",
        "{}",
        "0",
        "-3",
        "1.5",
        "1e30",
        "1e999",
        "NaN",
        "12345678901234567890123",
        "[1, 2]",
    ),
    *('{"a": [1]}', '"\\ud800"', '[["deep"]]', "0.1", "1E-30"),
)
DAMAGE = (
    b"",
    b"\r",
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"\n",
    b",",
    b"null",
    b"{}",
    b"[[",
    b"1e999",
    b"\\ud800",
    b"9" * 40,
)


@dataclass(frozen=True)
class Shape:
    """One reader's file: its format, how it is written, and sound values of each field."""

    format: str
    kind: str
    fields: dict[str, tuple[str, ...]]
    wrap: Callable[[list[str]], str] | None = None
    id: str | None = None
    encodings: tuple[str, ...] = ("utf-8",)
    raw: frozenset[str] = field(default_factory=frozenset)
    """Fields whose values are JSON already."""

    @property
    def name(self) -> str:
        return f"{self.format} ({self.kind})"


def _pages(outer: str, key: str) -> Callable[[list[str]], str]:
    """Records as a page of buckets, thirty to a bucket."""

    def wrap(records: list[str]) -> str:
        buckets = [
            f'{{{key}, "results": [{", ".join(records[i : i + 30])}]}}' for i in range(0, len(records), 30)
        ]
        return outer.replace("…", ", ".join(buckets))

    return wrap


def _list(before: str, after: str) -> Callable[[list[str]], str]:
    return lambda records: before + ",\n".join(records) + after


COUNT = ("0", "1", "17", "1200", "350000")
MONEY = ("0", "0.01", "1.5", "0.000123", "120.55")
MODELS = ("gpt-5-mini", "claude-sonnet-4-5", "deepseek-chat", "no-such-model")
ISO = ("2026-10-01T00:00:00Z", "2026-10-03T12:30:00Z", "2026-10-02 01:02:03.5Z")
DAYS = ("2026-10-01", "2026-10-02", "2026-10-31")
EPOCH = ("1790812800", "1790899200", "1791000000")

PLAIN = {
    "timestamp": ISO,
    "model": MODELS,
    "vendor": ("openai", ""),
    "prompt_tokens": ("400", "1000"),
    "cached_tokens": ("0", "100"),
    "completion_tokens": COUNT,
    "reasoning": ("0", "1"),
    "cost": MONEY,
    "tier": ("standard", "batch"),
    "id": (),
}
OPENAI = {
    "input_tokens": ("900", "1000"),
    "input_cached_tokens": ("0", "300"),
    "output_tokens": COUNT,
    "num_model_requests": COUNT,
    "model": MODELS,
    "batch": ("true", "false"),
    "service_tier": ("default", "flex"),
    "project_id": ("p1", "p2"),
}
ANTHROPIC = {
    "uncached_input_tokens": COUNT,
    "cache_read_input_tokens": COUNT,
    "output_tokens": COUNT,
    "model": MODELS,
    "cache_creation": ('{"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 6}', "{}"),
    "server_tool_use": ('{"web_search_requests": 2}', "{}"),
    "service_tier": ("standard", "batch"),
}
LITELLM = {
    "request_id": (),
    "call_type": ("acompletion", "abatch"),
    "spend": MONEY,
    "prompt_tokens": ("900", "1000"),
    "completion_tokens": COUNT,
    "startTime": ISO,
    "model": MODELS,
    "custom_llm_provider": ("openai", "anthropic"),
    "cache_hit": ("False", "True"),
    "team_id": ("t",),
    "status": ("success", "failure"),
    "metadata": ('{"usage_object": {"prompt_tokens_details": {"cached_tokens": 7}}}', "{}"),
}
OTEL = {
    "span_id": (),
    "start_time": ISO,
    "gen_ai.provider.name": ("openai",),
    "gen_ai.request.model": MODELS,
    "gen_ai.usage.input_tokens": ("900", "1000"),
    "gen_ai.usage.cache_read.input_tokens": ("0", "10"),
    "gen_ai.usage.output_tokens": COUNT,
    "gen_ai.operation.name": ("chat", "invoke_agent"),
}
OPENROUTER = {
    "generation_id": (),
    "created_at": ISO,
    "cost_total": MONEY,
    "tokens_prompt": ("900", "1000"),
    "tokens_completion": ("20", "30"),
    "tokens_reasoning": ("0", "5"),
    "tokens_cached": ("0", "10"),
    "model_permaslug": ("openai/gpt-5-mini",),
    "variant": ("standard", "free"),
}
LANGFUSE = {
    "id": (),
    "trace_id": ("t",),
    "type": ("GENERATION", "SPAN", "EMBEDDING"),
    "start_time": ISO,
    "provided_model_name": MODELS,
    "total_cost": MONEY,
    "project_id": ("p",),
    "usage_details": (
        '{"input": 100, "output": 5, "total": 105}',
        '{"input": 7, "input_cached_tokens": 3, "output": 2}',
        '{"input": -1}',
        '{"frames": 3}',
        '{"input": "x", "output": 1.5, "cache_creation_1h": 4}',
        "{}",
    ),
}
HELICONE = {
    "request_id": (),
    "request_created_at": ISO,
    "response_status": ("200", "429", "-3"),
    "provider": ("OPENAI",),
    "model": MODELS,
    "prompt_tokens": COUNT,
    "prompt_cache_read_tokens": COUNT,
    "completion_tokens": COUNT,
    "reasoning_tokens": ("0", "9"),
    "cost": MONEY,
    "cached": ("false", "true"),
}
FOCUS = {
    "BilledCost": MONEY,
    "ListCost": MONEY,
    "BillingCurrency": ("USD", "EUR"),
    "ChargeClass": ("", "Correction"),
    "ChargeCategory": ("Usage", "Usage", "Tax", "Credit", "Purchase"),
    "ChargePeriodStart": ISO[:1],
    "ChargePeriodEnd": ("2026-10-02T00:00:00Z",),
    "ConsumedQuantity": MONEY,
    "PricingQuantity": MONEY,
    "ConsumedUnit": ("1M Tokens", "1K tokens", "Tokens", "Hours", "GB"),
    "PricingUnit": ("1K", "Units"),
    "ServiceName": ("Azure OpenAI Service", "Amazon Bedrock", "Amazon EC2"),
    "PublisherName": ("Microsoft", "AWS"),
    "SkuMeter": ("gpt-4o-0806-Inp-glbl Tokens", "USE1-Claude4.5Sonnet-output-tokens", "BoxUsage:m5.large"),
    "SkuPriceDetails": ("", '{"Model": "gpt-4o"}'),
    "SubAccountName": ("a", "b"),
    "ChargeDescription": ("d",),
}
OPENAI_COSTS = {
    "amount_value": MONEY,
    "amount_currency": ("usd",),
    "quantity": COUNT,
    "quantity_unit": ("tokens", ""),
    "line_item": ("gpt-5-mini, input", "priority | gpt-5.6-sol, cached input", "web search tool calls"),
    "project_id": ("p",),
}
ANTHROPIC_COSTS = {
    "amount": MONEY,
    "currency": ("USD",),
    "cost_type": ("tokens", "web_search"),
    "model": MODELS,
    "token_type": ("uncached_input_tokens", "output_tokens"),
    "service_tier": ("standard", "batch"),
    "description": ("d",),
    "workspace_id": ("w",),
}
ALIBABA = {
    "ProductCode": ("sfm", "oss"),
    "ProductName": ("大模型服务平台百炼", "对象存储"),
    "BillingDate": DAYS,
    "InstanceID": ("1;ws-1;qwen-max;input_token;;0", "text_token;llm-x;qwen-plus;output_token;app"),
    "BillingItem": ("大模型文本消耗量",),
    "BillingItemCode": ("token_number",),
    "Usage": MONEY,
    "UsageUnit": ("千tokens", "GB", "次"),
    "DeductedByResourcePackage": ("NULL", "0"),
    "PretaxAmount": MONEY,
    "PretaxGrossAmount": MONEY,
    "Currency": ("CNY", "USD"),
    "Item": ("PayAsYouGoBill", "Refund"),
}
ALIBABA_ZH = {
    "账期": ("202610",),
    "产品Code": ("sfm", "oss"),
    "产品": ("大模型服务平台百炼", "对象存储"),
    "计费项": ("大模型文本消耗量",),
    "账单开始时间": ("2026-10-01 00:00:00",),
    "账单类型": ("后付费账单", "退款"),
    "用量": MONEY,
    "用量单位": ("千tokens", "GB"),
    "实例ID": ("1;ws-1;qwen-max;input_token;;0",),
    "资源包抵扣": ("0",),
    "原价": MONEY,
    "应付金额": MONEY,
    "财务单元": ("研发",),
}
VOLCENGINE = {
    "BillPeriod": ("2026-10",),
    "ExpenseDate": DAYS,
    "Product": ("ark_bd", "volume"),
    "Count": MONEY,
    "ProductZh": ("字节跳动大模型服务（豆包大模型）", "弹性块存储"),
    "ConfigName": ("Doubao-Seed-Character",),
    "Element": ("Doubao-pro-32k推理（输入）", "推理（输出）"),
    "ExpandField": ("doubao-seed-character", ""),
    "Unit": ("千tokens", "百万tokens", "张"),
    "DeductionCount": ("0",),
    "OriginalBillAmount": MONEY,
    "PayableAmount": MONEY,
    "Currency": ("CNY",),
    "BillCategory": ("消费-使用", "退款-退订", "消费-新购"),
}
BAIDU = {
    "serviceType": ("WENXINWORKSHOP", "BCC"),
    "serviceTypeName": ("千帆大模型平台", "云服务器"),
    "amount": MONEY,
    "productType": ("postpay", "prepay"),
    "startTime": ISO[:1],
    "endTime": ("2026-10-02T00:00:00Z",),
    "chargeItem": ("ernie-4.0-8k-input-tokens",),
    "chargeItemDesc": ("ERNIE-4.0-8K输入",),
    "amountUnit": ("千tokens", "次", "GB"),
    "catalogPrice": MONEY,
    "financePrice": MONEY,
    "orderType": ("", "REFUND"),
}

TIMES = {"start_time": EPOCH[:1], "end_time": EPOCH[1:]}
BUCKET = '"object": "bucket", "start_time": 1790812800, "end_time": 1790899200'
UTC_BUCKET = '"starting_at": "2026-10-01T00:00:00Z", "ending_at": "2026-10-02T00:00:00Z"'
PAGE = '{"object": "page", "data": [{' + BUCKET + ', "results": []}, …], "has_more": false}'
UTC_PAGE = '{"data": [{' + UTC_BUCKET + ', "results": []}, …], "has_more": false}'
ANY = ("utf-8", "utf-8-sig", "utf-16", "gzip")
CHINESE = ("utf-8", "gb18030")
COSTS_JSON = {
    "amount": tuple(f'{{"value": {value}, "currency": "usd"}}' for value in MONEY),
    "line_item": OPENAI_COSTS["line_item"],
    "quantity": COUNT,
}

SHAPES = (
    Shape("plain", "csv", PLAIN, id="id", encodings=ANY),
    Shape("plain", "jsonl", PLAIN, id="id"),
    Shape("plain", "parquet", PLAIN, id="id"),
    Shape("openai-api", "json", OPENAI, _pages(PAGE, BUCKET)),
    Shape("openai-csv", "csv", {**TIMES, **OPENAI}),
    Shape(
        "anthropic-api",
        "json",
        ANTHROPIC,
        _pages(UTC_PAGE, UTC_BUCKET),
        raw=frozenset({"cache_creation", "server_tool_use"}),
    ),
    Shape("litellm", "csv", LITELLM, id="request_id"),
    Shape("litellm", "jsonl", LITELLM, id="request_id"),
    Shape("litellm", "parquet", LITELLM, id="request_id"),
    Shape("otel", "jsonl", OTEL, id="span_id"),
    Shape("openrouter", "csv", OPENROUTER, id="generation_id"),
    Shape("langfuse", "csv", LANGFUSE, id="id"),
    Shape("langfuse", "jsonl", LANGFUSE, id="id", raw=frozenset({"usage_details"})),
    Shape("langfuse", "json", LANGFUSE, _list("[", "]"), id="id", raw=frozenset({"usage_details"})),
    Shape("langfuse", "parquet", LANGFUSE, id="id"),
    Shape("helicone", "csv", HELICONE, id="request_id"),
    Shape("helicone", "jsonl", HELICONE, id="request_id"),
    Shape("focus", "csv", FOCUS, encodings=ANY),
    Shape("focus", "jsonl", FOCUS),
    Shape("focus", "parquet", FOCUS),
    Shape("openai-costs", "csv", {**TIMES, **OPENAI_COSTS}),
    Shape("openai-costs", "json", COSTS_JSON, _pages(PAGE, BUCKET), raw=frozenset({"amount"})),
    Shape("anthropic-costs", "json", ANTHROPIC_COSTS, _pages(UTC_PAGE, UTC_BUCKET)),
    Shape("alibaba-bill", "csv", ALIBABA_ZH, encodings=CHINESE),
    Shape("alibaba-bill", "json", ALIBABA, _list('{"Data": {"Items": [', "]}}")),
    Shape("volcengine-bill", "csv", VOLCENGINE, encodings=CHINESE),
    Shape("volcengine-bill", "json", VOLCENGINE, _list('{"Result": {"List": [', "]}}")),
    Shape("baidu-bill", "csv", BAIDU, encodings=CHINESE),
    Shape("baidu-bill", "json", BAIDU, _list('{"billMonth": "2026-10", "bills": [', "]}")),
)
