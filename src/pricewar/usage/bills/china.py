"""Bills of Alibaba Cloud, Volcengine and Baidu AI Cloud, by their interfaces and their exports.

What is charged is the amount payable (应付金额): after discounts, before vouchers, which are a way to pay.
Units are Chinese (千tokens, 百万tokens, 次). A line that a resource package paid for in full is an allowance.
Days are those of Shanghai.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

from pricewar.usage.bills import words
from pricewar.usage.bills.record import (
    CHINA,
    NOT_LLM,
    OTHER_UNIT,
    Bill,
    LeftOutError,
    Row,
    charged,
    counted,
    currency,
    line,
    number,
    period,
    unit,
)
from pricewar.usage.invoice import Kind, Line

LLM = re.compile(
    r"大模型|百炼|灵积|豆包|方舟|千帆|文心|model studio|modelark|dashscope|qianfan|wenxin|doubao"
    r"|\bsfm|\bark(?:_|\b)",
    re.IGNORECASE,
)
REFUND = re.compile(r"refund|退款", re.IGNORECASE)
ADJUSTED = re.compile(r"adjust|transfer|调账|调整", re.IGNORECASE)
AHEAD = re.compile(
    r"subscription|consume-(?:new|renew|formalize|modify)|prepay|订阅|预付|包年包月|新购|续费|转正|更配|资源包购买",
    re.IGNORECASE,
)
_SLUG = re.compile(r"[A-Za-z0-9][\w.\-]*")


def _kind(told: str, amount: Fraction, covered: bool) -> Kind:
    """What a line is for, by the words of its category and the sign of its amount."""
    if ADJUSTED.search(told):
        return "adjustment"
    if REFUND.search(told) or amount < 0:
        return "credit"
    if AHEAD.search(told):
        return "commitment"
    return "allowance" if covered else "usage"


def _measured(row: Row, about: str, kind: Kind) -> tuple[Fraction | None, str | None, str | None]:
    """Quantity, meter and tier of a line, or the line is left out as no LLM usage."""
    quantity, what = counted(row)
    known = unit(row["unit"]) if "unit" in row else None
    serves = bool(LLM.search(about))
    usage = kind in ("usage", "allowance")
    if what != "token" and about and not serves:
        raise LeftOutError(NOT_LLM)
    if usage and "unit" in row and known is None:
        raise LeftOutError(OTHER_UNIT)
    if usage and not serves and known is None:
        raise LeftOutError(NOT_LLM)
    if what in ("request", "search"):
        return quantity, "requests" if what == "request" else "search", None
    for name in ("code", "meter", "item"):
        if name in row:
            meter, tier = words.meter(row[name])
            if meter or tier:
                return quantity, meter, tier
    return quantity, None, None


def _covered(row: Row) -> bool:
    """Whether a package or grant paid for the whole quantity."""
    try:
        taken, used = number(row.get("deducted", "")), number(row.get("quantity", ""))
    except ValueError:
        return False
    return taken is not None and used is not None and taken >= used > 0


ABOUT = ("product", "product_name", "product_detail", "commodity")


def _line(
    row: Row,
    place: str,
    zone: str,
    *,
    vendor: str,
    model: str | None,
    category: tuple[str, ...],
    item: tuple[str, ...],
    side: str | None = None,
    clock: str | None = None,
) -> Line:
    """A line, as the bills of all three make it.

    Args:
        category: the fields whose words tell what it is for.
        item: what may name it, the first that is there does.
        side: words that tell meter and tier before any field does.
        clock: the zone of its times where it is not the one in which days are cut.
    """
    times = period(row, clock or zone)
    amount = charged(row)
    kind = _kind(" ".join(row.get(name, "") for name in category), amount, _covered(row))
    about = " ".join(row[name] for name in ABOUT if name in row)
    quantity, meter, tier = _measured(row, about, kind)
    if side:
        meter, tier = words.meter(side)
    return line(
        row,
        place,
        zone,
        times=times,
        amount=amount,
        implied="CNY",
        vendor=vendor,
        model=model,
        meter=meter,
        tier=tier,
        quantity=quantity,
        kind=kind,
        item=next((row[name] for name in item if name in row), ""),
    )


Keys = tuple[str, ...]


def _held(document: dict[str, Any], paths: tuple[Keys, ...]) -> list[Any] | None:
    """What the first of the paths that leads to a list leads to."""
    for path in paths:
        value: Any = document
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, list):
            return value
    return None


def _records(paths: tuple[Keys, ...]) -> Callable[[dict[str, Any]], Iterator[dict[str, Any] | None]]:
    """The records of a page, or of a document that is one itself."""

    def records(document: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
        held = _held(document, paths)
        if held is None:
            yield document
            return
        shared = {
            name: document.get(name) for name in ("billMonth", "beginTime", "endTime") if name in document
        }
        for element in held:
            yield {**shared, **element} if isinstance(element, dict) else None

    return records


def _nested(paths: tuple[Keys, ...], sign: str, *signs: str) -> Callable[[dict[str, Any]], bool]:
    """Whether the first record has the field `sign` and one of `signs`."""

    def nested(document: dict[str, Any]) -> bool:
        held = _held(document, paths)
        first = held[0] if held else document
        return isinstance(first, dict) and sign in first and any(name in first for name in signs)

    return nested


# --- Alibaba ----------------------------------------------------------------------------------------------

ALIBABA_FIELDS = {
    "start": ("账单开始时间", "UsageStartTime"),
    "end": ("账单结束时间", "UsageEndTime"),
    "day": ("BillingDate", "SplitBillingDate", "账单日期", "消费日期", "日期"),
    "month": ("BillingCycle", "SplitBillingCycle", "账期", "账单月份"),
    "product": ("ProductCode", "产品Code", "产品编码"),
    "product_name": ("ProductName", "产品", "产品名称"),
    "product_detail": ("ProductDetail", "产品明细", "商品名称", "CommodityName"),
    "commodity": ("CommodityCode", "商品Code", "产品明细Code"),
    "instance": ("InstanceID", "实例ID", "资产ID"),
    "item": ("BillingItem", "计费项", "计费项名称"),
    "code": ("BillingItemCode", "计费项Code", "计费项编码"),
    "quantity": ("Usage", "用量"),
    "unit": ("UsageUnit", "用量单位"),
    "deducted": ("DeductedByResourcePackage", "资源包抵扣"),
    "list_amount": ("PretaxGrossAmount", "原价", "目录总价", "官网目录价", "原始金额"),
    "amount": ("PretaxAmount", "应付金额"),
    "currency": ("Currency", "币种", "定价币种"),
    "category": ("Item", "账单类型", "消费类型", "SubscriptionType"),
    "project": ("CostUnit", "财务单元", "NickName", "实例昵称"),
}
_SIDE = re.compile(r"(?:in|out)put|cache|thinking", re.IGNORECASE)


def parse_alibaba(row: Row, place: str, zone: str) -> Line:
    model, side = _instance(row.get("instance", ""))
    return _line(
        row,
        place,
        zone,
        vendor="alibaba" if currency(row, "CNY") == "CNY" else "alibaba-intl",
        model=model,
        category=("category",),
        item=("item", "instance", "product_name"),
        side=side,
    )


def _instance(text: str) -> tuple[str | None, str | None]:
    """Model and direction of an instance id: `4766633;ws-…;qwen3.7-max;input_token;;0`."""
    parts = [part.strip() for part in text.split(";")]
    for before, part in pairwise(parts):
        if _SIDE.search(part) and before:
            return before, part
    return None, None


ALIBABA_PATHS = (("Data", "Items", "Item"), ("Data", "Items"), ("Items", "Item"), ("Items",))


# --- Volcengine -------------------------------------------------------------------------------------------

VOLCENGINE_FIELDS = {
    "start": ("ExpenseBeginTime", "消费开始时间", "计费开始时间"),
    "end": ("ExpenseEndTime", "消费结束时间", "计费结束时间"),
    "day": ("ExpenseDate", "BillingDate", "日期", "账单日期", "消费日期"),
    "month": ("BillPeriod", "账期"),
    "product": ("Product", "产品编码", "产品Code"),
    "product_name": ("ProductZh", "产品", "产品名称"),
    "model": ("ExpandField", "扩展字段"),
    "configuration": ("ConfigName", "配置名称", "配置"),
    "item": ("Element", "计费项", "计费项名称"),
    "code": ("ChargeItemCode", "计费项编码"),
    "meter": ("Factor", "影响因子", "影响因素"),
    "quantity": ("Count", "Usage", "用量"),
    "unit": ("Unit", "单位", "用量单位"),
    "deducted": ("DeductionCount", "抵扣用量"),
    "list_amount": ("OriginalBillAmount", "原价", "原始金额"),
    "amount": ("PayableAmount", "应付金额", "PreTaxPayableAmount", "PretaxAmount"),
    "currency": ("Currency", "币种"),
    "category": ("BillCategory", "BillCategoryParent", "账单类型"),
    "mode": ("BillingMode", "计费模式"),
    "project": ("Project", "项目", "SplitItemName", "分拆项名称", "InstanceName", "实例名称"),
}


def parse_volcengine(row: Row, place: str, zone: str) -> Line:
    return _line(
        row,
        place,
        zone,
        vendor="volcengine",
        model=_volcengine_model(row),
        category=("category", "mode"),
        item=("item", "configuration", "product_name", "product"),
    )


def _volcengine_model(row: Row) -> str | None:
    """The extended field where it is a name, else the configuration, else what the item begins with."""
    for name in ("model", "configuration"):
        if name in row and _SLUG.fullmatch(row[name]):
            return row[name]
    return words.model(row["item"]) if "item" in row else None


VOLCENGINE_PATHS = (("Result", "List"), ("items",), ("List",))


# --- Baidu ------------------------------------------------------------------------------------------------

BAIDU_FIELDS = {
    "start": ("startTime", "beginTime", "开始时间", "账单开始时间"),
    "end": ("endTime", "结束时间", "账单结束时间"),
    "month": ("billMonth", "month", "账期", "账单月份"),
    "product": ("serviceType", "产品类型"),
    "product_name": ("serviceTypeName", "产品名称", "产品"),
    "instance": ("instanceId", "shortId", "资源ID", "实例ID"),
    "configuration": ("configurationCH", "产品配置", "配置"),
    "code": ("chargeItem", "计费项英文名"),
    "item": ("chargeItemDesc", "计费项", "计费项中文名"),
    "quantity": ("amount", "用量"),
    "unit": ("amountUnit", "用量单位"),
    "deducted": ("抵扣用量",),
    "list_amount": ("catalogPrice", "原价", "originPrice", "账单金额"),
    "amount": ("financePrice", "应付金额"),
    "currency": ("currency", "币种"),
    "category": ("productType", "计费类型", "付费方式"),
    "order": ("orderType", "orderTypeDesc", "订单类型"),
    "project": ("tag", "标签", "accountId"),
}


def parse_baidu(row: Row, place: str, zone: str) -> Line:
    named = None
    for name in ("item", "code", "configuration", "instance"):
        if name in row and words.meter(row[name])[0] and (named := words.model(row[name])):
            break
    return _line(
        row,
        place,
        zone,
        vendor="baidu",
        model=named,
        category=("category", "order"),
        item=("item", "code", "product_name", "product"),
        clock="UTC" if zone == CHINA else None,  # its times are documented as UTC
    )


BAIDU_PATHS = (
    ("bills",),
    ("result",),
    ("billList",),
    ("chargeItemBills",),
    ("data", "bills"),
    ("result", "bills"),
)


PAYABLE = (
    "Amounts are what is payable (应付金额), before vouchers; a bill that names no currency was taken as CNY."
)

CHINESE = (
    Bill(
        "alibaba-bill",
        "Alibaba Cloud bill (DescribeInstanceBill JSON, export CSV)",
        (
            "https://www.alibabacloud.com/help/en/model-studio/bill-query-and-cost-management",
            "https://help.aliyun.com/zh/user-center/developer-reference/api-bssopenapi-2017-12-14-describeinstancebill",
        ),
        ALIBABA_FIELDS,
        parse_alibaba,
        (
            frozenset({"PretaxAmount", "BillingItem"}),
            frozenset({"PretaxAmount", "InstanceID", "ProductCode"}),
            frozenset({"应付金额", "实例ID", "计费项", "用量单位"}),
        ),
        _records(ALIBABA_PATHS),
        _nested(ALIBABA_PATHS, "PretaxAmount", "ProductCode", "BillingItem"),
        zone=CHINA,
        verified=True,
        notes=(PAYABLE,),
    ),
    Bill(
        "volcengine-bill",
        "Volcengine bill (ListBillDetail, ListSplitBillDetail JSON, export CSV)",
        (
            "https://www.volcengine.com/docs/6269/1165275",
            "https://github.com/volcengine/ark-cli",
        ),
        VOLCENGINE_FIELDS,
        parse_volcengine,
        (
            frozenset({"BillPeriod", "Product", "PayableAmount"}),
            frozenset({"BillPeriod", "Product", "OriginalBillAmount"}),
            frozenset({"应付金额", "账期", "计费项", "配置名称"}),
        ),
        _records(VOLCENGINE_PATHS),
        _nested(VOLCENGINE_PATHS, "BillPeriod", "PayableAmount", "Product"),
        zone=CHINA,
        verified=True,
        notes=(PAYABLE,),
    ),
    Bill(
        "baidu-bill",
        "Baidu AI Cloud bill (GetResourceMonthBill, GetResourceChargeItemBillList JSON, export CSV)",
        (
            "https://cloud.baidu.com/doc/Finance/s/cjxedqyml",
            "https://cloud.baidu.com/doc/Finance/s/qlfuqsf02",
            "https://cloud.baidu.com/doc/Finance/s/Bjxg02xim",
        ),
        BAIDU_FIELDS,
        parse_baidu,
        (
            frozenset({"financePrice", "chargeItem"}),
            frozenset({"financePrice", "serviceType"}),
            frozenset({"应付金额", "计费项", "资源ID", "用量单位"}),
        ),
        _records(BAIDU_PATHS),
        _nested(BAIDU_PATHS, "financePrice", "serviceType", "chargeItem"),
        zone=CHINA,
        notes=(PAYABLE,),
    ),
)
