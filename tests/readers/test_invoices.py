"""Bills and cost reports: lines worked out by hand from records as vendors publish them.

Records marked “as published” carry the field names and values of a public page or repository (docs/usage.md
names them); the others are made up in the documented shape.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pricewar.errors import ConfigurationError, LogError
from pricewar.usage.invoice import Invoice, Line, invoice_formats, read_invoice
from pricewar.usage.read import formats, read

DAY = (datetime(2026, 9, 28, tzinfo=UTC), datetime(2026, 9, 29, tzinfo=UTC))


def given(folder: Path, content: str | bytes | list | dict, name: str = "bill") -> Path:
    path = folder / name
    if isinstance(content, (list, dict)):
        content = json.dumps(content, ensure_ascii=False)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def account(invoice: Invoice) -> dict[str, int]:
    assert invoice.rows_in == len(invoice.lines) + invoice.excluded
    return {e.cause: e.count for e in invoice.exclusions}


def told(line: Line) -> tuple[Any, ...]:
    return line.model, line.meter, line.tier, line.quantity, line.kind, line.amount, line.currency


# --- OpenAI -----------------------------------------------------------------------------------------------

# The header and the amount's digits are as published by a project that converts the dashboard's export.
OPENAI_CSV = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,"
    "line_item,user_id,api_key_id,project_id,organization_id,project_name,organization_name,user_email,api_source\n"
    "1790467200,1790553600,2026-09-27T00:00:00+00:00,2026-09-28T00:00:00+00:00,,,,,,,,,,,,,\n"
    "1790553600,1790640000,2026-09-28T00:00:00,2026-09-29T00:00:00,0.003835980000000000000000000000,usd,,,,,,,"
    "org-x,,Org,a@b.c,\n"
    '1790553600,1790640000,2026-09-28T00:00:00,2026-09-29T00:00:00,0.5,usd,1000,tokens,"gpt-5-nano, input",,'
    "key_1,proj_a,org-x,A,Org,a@b.c,\n"
)


def test_openai_dashboard_export(tmp_path: Path) -> None:
    invoice = read_invoice(given(tmp_path, OPENAI_CSV))
    assert invoice.format == "openai-costs"
    assert account(invoice) == {"a period without charges": 1}
    whole, line = invoice.lines
    # 0.00383598 = 383598 / 10^8: every digit of the text, no binary fraction.
    assert whole.amount == Fraction(383598, 10**8)
    assert whole.model is None
    assert told(line) == ("gpt-5-nano", "input", None, 1000, "usage", Fraction(1, 2), "USD")
    assert (line.start, line.end, line.zone, line.project) == (*DAY, "UTC", "proj_a")
    assert line.place == "bill:4"


def openai_page(*results: dict[str, Any]) -> dict[str, Any]:
    empty = {"object": "bucket", "start_time": 1790467200, "end_time": 1790553600, "results": []}
    full = {"object": "bucket", "start_time": 1790553600, "end_time": 1790640000, "results": list(results)}
    return {"object": "page", "data": [empty, full], "has_more": False, "next_page": None}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        # as published: line items that users of the interface report
        ("gpt-5.5-2026-04-23, input", ("gpt-5.5-2026-04-23", "input", None)),
        ("gpt-5.5-2026-04-23, cached input", ("gpt-5.5-2026-04-23", "cache_read", None)),
        ("gpt-4.1-2025-04-14, output", ("gpt-4.1-2025-04-14", "output", None)),
        ("priority | gpt-5.6-sol, output, long context", ("gpt-5.6-sol", "output", "priority")),
        ("gpt-image-2.5-flare image, output", ("gpt-image-2.5-flare", None, None)),
        ("gpt-image-2.5-sunburst text, cached input", ("gpt-image-2.5-sunburst", "cache_read", None)),
        ("dall-e 3, standard, 1024x1792, 1792x1024", ("dall-e 3", None, None)),
        ("web search tool calls", (None, "search", None)),
        ("Vector storage", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_openai_line_items(tmp_path: Path, item: str | None, expected: tuple) -> None:
    result = {
        "object": "organization.costs.result",
        "amount": {"value": 0.13080438, "currency": "usd"},
        "line_item": item,
        "project_id": None,
        "quantity": 12,
    }
    invoice = read_invoice(given(tmp_path, openai_page(result)))
    assert invoice.format == "openai-costs"
    assert not account(invoice)
    (line,) = invoice.lines
    assert (line.model, line.meter, line.tier) == expected
    assert line.amount == Fraction(13080438, 10**8)
    assert line.quantity == (12 if expected[1] not in (None, "search") else None)


# --- Anthropic --------------------------------------------------------------------------------------------


def anthropic_page(*results: dict[str, Any]) -> dict[str, Any]:
    bucket = {"starting_at": "2025-08-01T00:00:00Z", "ending_at": "2025-08-02T00:00:00Z"}
    return {"data": [{**bucket, "results": list(results)}], "has_more": True, "next_page": "page_x"}


# as published: the example of the interface's reference
ANTHROPIC_RESULT = {
    "currency": "USD",
    "amount": "123.78912",
    "workspace_id": "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ",
    "description": "Claude Sonnet 4 Usage - Input Tokens",
    "cost_type": "tokens",
    "context_window": "0-200k",
    "model": "claude-sonnet-4-20250514",
    "service_tier": "standard",
    "token_type": "uncached_input_tokens",
}


def test_anthropic_amounts_are_cents(tmp_path: Path) -> None:
    tokens = ["output_tokens", "cache_read_input_tokens", "cache_creation.ephemeral_1h_input_tokens"]
    more = [{**ANTHROPIC_RESULT, "token_type": t, "amount": 250, "service_tier": "batch"} for t in tokens]
    search = {"amount": "10", "currency": "USD", "cost_type": "web_search", "model": None, "token_type": None}
    invoice = read_invoice(given(tmp_path, anthropic_page(ANTHROPIC_RESULT, *more, search)))
    assert not account(invoice)
    first = invoice.lines[0]
    # 123.78912 cents = 1.2378912 dollars
    assert first.amount == Fraction(12378912, 10**7)
    assert told(first)[:4] == ("claude-sonnet-4-20250514", "input", "standard", None)
    assert (first.project, first.item) == ("wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ", ANTHROPIC_RESULT["description"])
    assert [line.meter for line in invoice.lines[1:]] == ["output", "cache_read", "cache_write_1h", "search"]
    assert [line.amount for line in invoice.lines[1:]] == [Fraction(5, 2)] * 3 + [Fraction(1, 10)]
    assert {line.tier for line in invoice.lines[1:4]} == {"batch"}


# --- FOCUS ------------------------------------------------------------------------------------------------


def focus(**changed: Any) -> dict[str, Any]:
    return {
        "BilledCost": "3.00",
        "ListCost": "4.00",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargePeriodStart": "2026-09-28T00:00:00Z",
        "ChargePeriodEnd": "2026-09-29T00:00:00Z",
        "ConsumedQuantity": "1",
        "ConsumedUnit": "1M Tokens",
        "ServiceName": "Azure OpenAI Service",
        "PublisherName": "Microsoft",
        "SkuMeter": "gpt-4o-mini-0718-Inp-glbl Tokens",
        "SubAccountName": "team",
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "model", "meter", "tier", "quantity"),
    [
        # as published: meters of Azure's and AWS's price lists and bills
        ({}, "gpt-4o-mini-0718", "input", None, 10**6),
        ({"SkuMeter": "gpt 4o 0806 Inp Data Zone Tokens"}, "gpt-4o-0806", "input", None, 10**6),
        ({"SkuMeter": "gpt 4o 1120 cached Inp regnl Tokens"}, "gpt-4o-1120", "cache_read", None, 10**6),
        ({"SkuMeter": "gpt 4o mini0718 BatchOutp DZone Tokens"}, "gpt-4o-mini0718", "output", "batch", 10**6),
        ({"SkuMeter": "5.4 mini cd Inp Gl 1M Tokens"}, "5.4-mini", "cache_read", None, 10**6),
        ({"SkuMeter": "5.6 sol ShortCo Cd Wr Std Gl 1M Tokens"}, "5.6-sol", "cache_write_5m", None, 10**6),
        ({"SkuMeter": "5.4 opt Gl"}, "5.4", "output", None, 10**6),
        ({"SkuMeter": "GPT 5.1 inp Rg 1M Tokens"}, "gpt-5.1", "input", None, 10**6),
        (
            {
                "SkuMeter": "USW2-Claude4.5Sonnet-cache-write-input-token-count",
                "ServiceName": "Amazon Bedrock",
                "ConsumedUnit": "1K tokens",
                "ConsumedQuantity": "433.893",
            },
            "claude-sonnet-4.5", "cache_write_5m", None, 433893,
        ),
        (
            {
                "SkuMeter": "USE1-MP:USE1_CacheWrite1hInputTokenCount_Global-Units",
                "ServiceName": "Claude Sonnet 4.6 (Amazon Bedrock Edition)",
                "ConsumedUnit": "Units",
            },
            "claude-sonnet-4.6", "cache_write_1h", None, None,  # “Units” of what is not told
        ),
        (
            {"SkuMeter": "USE1-anthropic.claude-opus-4-8-mantle-input-tokens-standard"},
            "claude-opus-4-8", "input", None, 10**6,
        ),
        # as published: a gateway's own FOCUS export
        (
            {
                "SkuMeter": "Input Tokens", "ResourceType": "Model", "ResourceId": "openai/gpt-5.4-mini",
                "SkuId": "openai/gpt-5.4-mini/input-tokens", "ServiceName": "OpenAI API",
                "ConsumedUnit": "Tokens",
            },
            "gpt-5.4-mini", "input", None, 1,
        ),
        ({"SkuPriceDetails": '{"Model": "gpt-4o", "x": 1}'}, "gpt-4o", "input", None, 10**6),
        ({"ConsumedQuantity": None, "PricingQuantity": "2", "PricingUnit": "1000 Tokens"},
         "gpt-4o-mini-0718", "input", None, 2000),
    ],
)  # fmt: skip
def test_focus_meters(
    tmp_path: Path, changed: dict, model: str, meter: str, tier: str | None, quantity: int | None
) -> None:
    invoice = read_invoice(given(tmp_path, [focus(**changed)]))
    assert invoice.format == "focus"
    assert not account(invoice)
    (line,) = invoice.lines
    assert told(line) == (model, meter, tier, quantity, "usage", 3, "USD")
    assert (line.list_amount, line.start, line.end, line.project) == (4, *DAY, "team")


def test_focus_kinds_and_what_is_no_llm_usage(tmp_path: Path) -> None:
    compute = {"ServiceName": "Amazon EC2", "PublisherName": "AWS", "SkuMeter": "BoxUsage:m5.large"}
    compute |= {"ConsumedUnit": "Hrs"}
    rows = [
        focus(),
        focus(ChargeCategory="Tax", ConsumedQuantity=None, SkuMeter=None, BilledCost="0.57"),
        focus(ChargeCategory="Credit", BilledCost="-1.5", ServiceName=None, SkuMeter=None),
        focus(ChargeCategory="Purchase", PricingCategory="Committed"),
        focus(ChargeCategory="Purchase"),
        focus(CommitmentDiscountStatus="Unused"),
        focus(ChargeClass="Correction", BilledCost="-0.25"),
        focus(**compute, BilledCost="99"),
        focus(**compute, ChargeCategory="Tax", BilledCost="19"),
        focus(ConsumedUnit="GB-Mo", SkuMeter="Storage", ServiceName="Amazon S3"),
        focus(ConsumedUnit="Images", SkuMeter="dall-e-3", SkuPriceDetails=None),
    ]
    invoice = read_invoice(given(tmp_path, rows))
    assert [line.kind for line in invoice.lines] == [
        "usage", "tax", "credit", "commitment", "fee", "commitment", "adjustment",
    ]  # fmt: skip
    assert account(invoice) == {
        "not LLM usage: neither its unit, its meter nor its product says so": 3,
        "counted in neither tokens, calls nor searches": 1,
    }
    # 99 + 19 + 3 USD of compute, tax on it and storage are told, since they are on the invoice
    assert any("121 USD" in note for note in invoice.notes)


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
def test_focus_in_every_dress(tmp_path: Path, kind: str) -> None:
    frame = pl.DataFrame([focus(), focus(BilledCost="0.1")])
    if kind == "parquet":
        frame = frame.with_columns(
            pl.col("BilledCost").cast(pl.Decimal(20, 6)),
            pl.col("ListCost").cast(pl.Float64),
            pl.col("ChargePeriodStart", "ChargePeriodEnd").str.to_datetime(time_zone="UTC"),
        )
    path = tmp_path / "bill"
    getattr(frame, f"write_{kind}")(path)
    invoice = read_invoice(path)
    assert [line.amount for line in invoice.lines] == [3, Fraction(1, 10)]
    assert invoice.lines[0].start == DAY[0]
    assert any("binary" in note for note in invoice.notes) == (kind == "parquet")


# --- Chinese vendors --------------------------------------------------------------------------------------

# as published: names and values of records in public code that reads these interfaces
ALIBABA = {
    "ProductCode": "sfm",
    "ProductName": "大模型服务平台百炼",
    "ProductDetail": "百炼大模型推理",
    "InstanceID": "4766633;ws-pzw5gks2odi3rsxq;qwen3.7-max;input_token;;0",
    "BillingItem": "大模型文本消耗量",
    "BillingItemCode": "token_number",
    "BillingDate": "2026-09-28",
    "Usage": "1",
    "UsageUnit": "千tokens",
    "PretaxAmount": 0,
    "PretaxGrossAmount": 0.012,
    "Currency": "CNY",
    "Item": "PayAsYouGoBill",
}


@pytest.mark.parametrize("inner", [True, False])
def test_alibaba(tmp_path: Path, inner: bool) -> None:
    items = [
        ALIBABA,
        {**ALIBABA, "InstanceID": "text_token;llm-xxx;qwen-max;output_token;app", "PretaxAmount": 0.0384},
        {**ALIBABA, "DeductedByResourcePackage": "1"},
        {**ALIBABA, "Item": "Refund", "PretaxAmount": -2.5},
        {**ALIBABA, "Item": "SubscriptionOrder", "PretaxAmount": 63, "Usage": None, "UsageUnit": None},
        {**ALIBABA, "ProductCode": "oss", "ProductName": "对象存储", "ProductDetail": "", "UsageUnit": "GB"},
    ]
    document = {
        "Code": "Success",
        "Data": {"BillingCycle": "2026-09", "Items": {"Item": items} if inner else items},
    }
    invoice = read_invoice(given(tmp_path, document))
    assert invoice.format == "alibaba-bill"
    assert list(account(invoice).values()) == [1]
    first = invoice.lines[0]
    assert told(first) == ("qwen3.7-max", "input", None, 1000, "usage", 0, "CNY")
    assert first.list_amount == Fraction(12, 1000)
    # The 28th of September begins in Shanghai at 16:00 UTC of the 27th.
    assert first.start == datetime(2026, 9, 27, 16, tzinfo=UTC)
    assert first.end == datetime(2026, 9, 28, 16, tzinfo=UTC)
    assert (first.zone, first.vendor) == ("Asia/Shanghai", "alibaba")
    assert told(invoice.lines[1])[:2] == ("qwen-max", "output")
    assert [line.kind for line in invoice.lines] == ["usage", "usage", "allowance", "credit", "commitment"]
    assert invoice.lines[3].amount == Fraction(-5, 2)


# as published: the header of Alibaba's exported bill
ALIBABA_HEADER = (
    "账期,财务单元,账号ID,账号,Owner账号,产品Code,产品,产品明细Code,产品明细,消费类型,消费时间,账单开始时间,账单结束时间,"
    "服务时长,订单号/账单号,账单类型,计费方式,实例ID,实例昵称,资源组,实例标签,实例配置,实例规格,公网IP,私网IP,地域,可用区,"
    "计费项,单价,单价单位,用量,用量单位,资源包抵扣,原价,优惠金额,优惠券抵扣,应付金额,现金支付,代金券抵扣,储值卡支付金额,欠费金额"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_alibaba_export_with_chinese_heads(tmp_path: Path, encoding: str) -> None:
    cells = dict.fromkeys(ALIBABA_HEADER.split(","), "")
    cells |= {
        "账期": "202609", "财务单元": "研发", "产品Code": "sfm", "产品": "大模型服务平台百炼",
        "账单开始时间": "2026-09-28 00:00:00", "账单结束时间": "2026-09-28 01:00:00",
        "账单类型": "后付费账单",
        "实例ID": "1;ws-1;qwen-plus;output_token;;0", "计费项": "大模型文本消耗量",
        "用量": '"１，２３４．５００"', "用量单位": "千tokens", "原价": '"¥1,234.50"',
        "应付金额": '"（2.00）元"',
    }  # fmt: skip
    text = ALIBABA_HEADER + "\n" + (",".join(cells.values()) + "\n") * 3
    invoice = read_invoice(given(tmp_path, text.encode(encoding)))
    assert not account(invoice)
    line = invoice.lines[0]
    # 1,234.500 thousand tokens; brackets are a negative amount, so this is a credit
    assert told(line) == ("qwen-plus", "output", None, 1_234_500, "credit", -2, "CNY")
    assert line.list_amount == Fraction(2469, 2)
    assert line.start == datetime(2026, 9, 27, 16, tzinfo=UTC)
    assert line.project == "研发"
    assert any("GB18030" in note for note in invoice.notes) == (encoding == "gb18030")


# as published: the vendor's own command line tool documents this record
VOLCENGINE_SPLIT = {
    "BillPeriod": "2026-05",
    "BillingDate": "2026-05-15",
    "Product": "ark_bd",
    "ProductZh": "字节跳动大模型服务（豆包大模型）",
    "SplitItemID": "ep-1",
    "SplitItemName": "doubao-pro-4k-prod",
    "Currency": "CNY",
    "OriginalBillAmount": "123.4500",
    "PreferentialAmount": "10.0000",
    "PayableAmount": "113.4500",
    "Count": "1234567",
    "Unit": "千tokens",
}
# as published: public code that reads ListBillDetail
VOLCENGINE_DETAIL = {
    "BillPeriod": "2026-07",
    "ExpenseDate": "2026-07-04",
    "Product": "ark_bd",
    "ProductZh": "字节跳动大模型服务（豆包大模型）",
    "ConfigName": "Doubao-Seed-Character",
    "Element": "Doubao-Seed-Character-32k以内推理（输入）",
    "ExpandField": "doubao-seed-character",
    "Price": "0.000800",
    "PriceUnit": "千tokens",
    "Count": "0.86",
    "Unit": "千tokens",
    "PayableAmount": "0.00",
    "Currency": "CNY",
    "ChargeItemCode": "Doubao-Seed-Character_32k_infer_input_cn-beijing_realtime",
    "BillCategory": "消费-使用",
}


def test_volcengine(tmp_path: Path) -> None:
    (split,) = read_invoice(given(tmp_path, {"items": [VOLCENGINE_SPLIT], "total_records": 1})).lines
    assert told(split) == (None, None, None, 1_234_567_000, "usage", Fraction(11345, 100), "CNY")
    assert (split.list_amount, split.project) == (Fraction(12345, 100), "doubao-pro-4k-prod")
    assert split.start == datetime(2026, 5, 14, 16, tzinfo=UTC)
    detail = VOLCENGINE_DETAIL
    rows = [
        detail,
        {
            **detail,
            "ExpandField": "",
            "ChargeItemCode": "",
            "Element": "DeepSeek-V3批量推理（输出）",
            "ConfigName": "",
        },
        {
            **detail,
            "ChargeItemCode": "",
            "Element": "Doubao-pro-32k推理（缓存命中）",
            "DeductionCount": "0.86",
        },
        {**detail, "BillCategory": "退款-退订", "PayableAmount": "-9.90"},
        {**detail, "BillCategory": "transfer-manual", "PayableAmount": "0.01"},
        {**detail, "BillCategory": "消费-新购", "PayableAmount": "100", "Count": "1", "Unit": "个"},
        {**detail, "Product": "Doubao-Seedream", "ProductZh": "豆包图像创作模型", "Unit": "张", "Count": "1"},
        {**detail, "Product": "volume", "ProductZh": "弹性块存储", "Unit": "GiB", "Count": "40"},
    ]
    invoice = read_invoice(given(tmp_path, {"ResponseMetadata": {}, "Result": {"List": rows, "Total": 8}}))
    assert told(invoice.lines[0]) == ("doubao-seed-character", "input", None, 860, "usage", 0, "CNY")
    assert told(invoice.lines[1])[:3] == ("deepseek-v3", "output", "batch")
    assert (invoice.lines[2].meter, invoice.lines[2].kind) == ("cache_read", "allowance")
    assert [line.kind for line in invoice.lines[3:]] == ["credit", "adjustment", "commitment"]
    assert account(invoice) == {
        "counted in neither tokens, calls nor searches": 1,
        "not LLM usage: neither its unit, its meter nor its product says so": 1,
    }


BAIDU = {
    "vendor": "百度智能云",
    "serviceType": "WENXINWORKSHOP",
    "serviceTypeName": "千帆大模型平台",
    "productType": "postpay",
    "startTime": "2026-09-28T16:00:00Z",
    "endTime": "2026-09-29T16:00:00Z",
    "chargeItem": "ernie-4.0-8k-input-tokens",
    "chargeItemDesc": "ERNIE-4.0-8K输入",
    "amount": "12.5",
    "amountUnit": "百万tokens",
    "unitPrice": "30",
    "catalogPrice": 375,
    "financePrice": 300.5,
    "couponPrice": 10,
}


def test_baidu(tmp_path: Path) -> None:
    rows = [
        BAIDU,
        {**BAIDU, "chargeItemDesc": "搜索增强", "amount": "1,200", "amountUnit": "次", "financePrice": "9.6"},
        {**BAIDU, "productType": "prepay", "orderType": "NEW", "amount": None, "financePrice": 63},
        {**BAIDU, "orderType": "REFUND", "financePrice": "-63.00"},
        {**BAIDU, "serviceType": "BCC", "serviceTypeName": "云服务器", "amountUnit": "GB"},
    ]
    document = {"billMonth": "2026-09", "bills": rows, "totalCount": 5}
    invoice = read_invoice(given(tmp_path, document))
    assert invoice.format == "baidu-bill"
    assert not invoice.verified
    assert any(note.startswith("Unverified") for note in invoice.notes)
    first = invoice.lines[0]
    assert told(first) == (
        "ernie-4.0-8k", "input", None, 12_500_000, "usage", Fraction(601, 2), "CNY",
    )  # fmt: skip
    # Times are UTC by its documentation, days those of Shanghai.
    assert (first.start, first.zone) == (datetime(2026, 9, 28, 16, tzinfo=UTC), "Asia/Shanghai")
    assert told(invoice.lines[1])[1:4] == ("requests", None, 1200)
    assert [line.kind for line in invoice.lines] == ["usage", "usage", "commitment", "credit"]
    assert list(account(invoice).values()) == [1]


# --- faults -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"BilledCost": ""}, "no amount"),
        ({"BilledCost": "three"}, "an amount that cannot be read"),
        ({"BilledCost": "1,5"}, "an amount with a decimal comma: export it with decimal points"),
        ({"BilledCost": "1e999"}, "an amount that cannot be read"),
        ({"BilledCost": "9" * 80}, "an amount that cannot be read"),
        ({"ListCost": "x"}, "an amount that cannot be read"),
        ({"BillingCurrency": ""}, "no currency"),
        ({"ConsumedQuantity": "many"}, "a quantity that cannot be read"),
        ({"ChargePeriodStart": "yesterday"}, "a time that cannot be read"),
        ({"ChargePeriodStart": "1970-01-01T00:00:00Z"}, "a time before 2000 or after 2100"),
        ({"ChargePeriodEnd": "2026-09-01T00:00:00Z"}, "an end before the start"),
    ],
)
def test_one_bad_record(tmp_path: Path, changed: dict, cause: str) -> None:
    path = tmp_path / "bill"
    pl.DataFrame([focus(), focus(**changed), focus()]).write_csv(path)
    invoice = read_invoice(path)
    assert account(invoice) == {cause: 1}
    assert invoice.exclusions[0].examples == ("bill:3",)


def test_what_is_no_invoice(tmp_path: Path) -> None:
    log = "timestamp,model,prompt_tokens,completion_tokens\n2026-10-01,m,1,1\n"
    with pytest.raises(LogError, match="no invoice format is known"):
        read_invoice(given(tmp_path, log))
    with pytest.raises(LogError, match="no field for the amount"):
        read_invoice(given(tmp_path, log), format="focus")
    router = "generation_id,created_at,tokens_prompt,tokens_completion,model_permaslug\n"
    with pytest.raises(LogError, match=r"usage log .*not an invoice"):
        read_invoice(given(tmp_path, router))
    with pytest.raises(ConfigurationError, match="did you mean “focus”"):
        read_invoice(given(tmp_path, router), format="focuss")
    with pytest.raises(ConfigurationError, match="Europe/Paris"):
        read_invoice(given(tmp_path, router), zone="Mars/Olympus")
    with pytest.raises(LogError, match="no such file"):
        read_invoice(tmp_path / "none")


def test_two_formats_that_would_fit(tmp_path: Path) -> None:
    both = {**focus(), **VOLCENGINE_DETAIL}
    with pytest.raises(LogError, match=r"may be any of: focus, volcengine-bill.*\n.*--format"):
        read_invoice(given(tmp_path, [both]))
    assert read_invoice(tmp_path / "bill", format="focus").lines[0].amount == 3
    with pytest.raises(LogError, match="--format"):
        read(tmp_path / "bill")


def test_a_directory_of_pages(tmp_path: Path) -> None:
    for day in "ab":
        given(tmp_path, {"items": [VOLCENGINE_SPLIT]}, f"{day}.json")
    assert len(read_invoice(tmp_path).lines) == 2
    given(tmp_path, [focus()], "c.json")
    with pytest.raises(LogError, match="different formats"):
        read_invoice(tmp_path)


def test_a_zone_of_ones_own(tmp_path: Path) -> None:
    (line,) = read_invoice(given(tmp_path, {"items": [VOLCENGINE_SPLIT]}), zone="UTC").lines
    assert (line.start, line.zone) == (datetime(2026, 5, 15, tzinfo=UTC), "UTC")


# --- bills as usage logs ----------------------------------------------------------------------------------


def test_a_bill_with_tokens_is_a_usage_log(tmp_path: Path) -> None:
    rows = [
        {**VOLCENGINE_DETAIL, "ExpenseDate": "2026-07-05"},
        VOLCENGINE_DETAIL,
        {**VOLCENGINE_DETAIL, "Element": "推理（输出）", "ChargeItemCode": "", "Count": "0.0005"},
        {**VOLCENGINE_DETAIL, "BillCategory": "退款-退订", "PayableAmount": "-9.90"},
        {**VOLCENGINE_DETAIL, "Product": "volume", "ProductZh": "弹性块存储", "Unit": "GiB"},
    ]
    log = read(given(tmp_path, {"Result": {"List": rows}}))
    assert log.format == "volcengine-bill"
    assert (log.rows_in, log.rows, log.bucket_seconds, log.ordered) == (5, 2, 86400, False)
    assert {e.cause: e.count for e in log.exclusions} == {
        "a count that is no whole number": 1,
        "a credit, tax, fee, commitment or adjustment: money without usage": 1,
        "not LLM usage: neither its unit, its meter nor its product says so": 1,
    }
    frame = log.frame()
    assert frame["input"].to_list() == [860, 860]
    assert frame["time"].to_list()[0] == datetime(2026, 7, 3, 16, tzinfo=UTC)
    assert frame["model"].unique().to_list() == ["doubao-seed-character"]
    assert "requests" in log.unknown
    assert any("no service tier" in note for note in log.notes)


def test_costs_without_tokens_are_refused_as_a_log(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"money and no tokens\n.*pricewar reconcile LOG INVOICE"):
        read(given(tmp_path, anthropic_page(ANTHROPIC_RESULT)))
    with pytest.raises(ConfigurationError, match="no mapping applies"):
        read(given(tmp_path, [focus()]), mapping={"model": "=m"})


def test_every_format_has_a_name_and_a_source() -> None:
    assert set(invoice_formats()) <= set(formats())
    assert len(invoice_formats()) == 6
