"""One record of a bill: which field holds what, and how its texts become times, money and quantities.

A reader of bills is a `Bill`: a table of fields and a function that makes a line of one record, or raises
`LeftOutError` with the cause why there is none. Numbers are exact, as the text has them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from pricewar.usage.invoice import Kind, Line
from pricewar.usage.normal import BAD_END, BAD_TIME, FAR_TIME, GAP_TIME

Row = dict[str, str]
"""The texts of one record by target; blank ones are left out."""

NOT_LLM = "not LLM usage: neither its unit, its meter nor its product says so"
OTHER_UNIT = "counted in neither tokens, calls nor searches"
NO_AMOUNT = "no amount"
BAD_AMOUNT = "an amount that cannot be read"
DECIMAL_COMMA = "an amount with a decimal comma: export it with decimal points"
BAD_QUANTITY = "a quantity that cannot be read"
NO_CURRENCY = "no currency"
EMPTY = "a period without charges"

CHINA: Final = "Asia/Shanghai"


class LeftOutError(Exception):
    """A record is left out, for this cause."""

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(cause)


@dataclass(frozen=True, slots=True)
class Bill:
    """One kind of invoice.

    Attributes:
        name: what `format=` takes.
        title: what it is, for people.
        docs: public documentation the field meanings were taken from.
        fields: target → names of the source, the first with a value counts; without case, blanks and `_`.
        parse: makes the line of one record, given its place and the zone of times that name none.
        signs: sets of fields, each of which gives a flat file away.
        flatten: the flat records of one JSON document, None for what is none.
        nested: whether a JSON document is of this kind.
        zone: zone in which the vendor cuts its days, and of times that name none.
        verified: a real, public example was read with it.
        notes: what was assumed and what cannot be known.
    """

    name: str
    title: str
    docs: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    parse: Callable[[Row, str, str], Line]
    signs: tuple[frozenset[str], ...]
    flatten: Callable[[dict[str, Any]], Iterator[dict[str, Any] | None]]
    nested: Callable[[dict[str, Any]], bool]
    zone: str = "UTC"
    verified: bool = False
    notes: tuple[str, ...] = field(default=())


def line(
    row: Row,
    place: str,
    zone: str,
    *,
    times: tuple[datetime | None, datetime | None],
    amount: Fraction,
    vendor: str | None,
    model: str | None,
    meter: str | None,
    tier: str | None,
    quantity: Fraction | None,
    kind: Kind,
    item: str,
    implied: str | None = None,
    per: int = 1,
) -> Line:
    """The line of a record: what its reader made of it, and what every record tells in the same way.

    Args:
        implied: the currency of a record that names none.
        per: how many of what the amounts count make one of the currency.

    Raises:
        LeftOutError: the amount before discounts cannot be read, or the currency is not known.
    """
    before = money(row, "list_amount")
    return Line(
        start=times[0],
        end=times[1],
        zone=zone,
        vendor=vendor,
        model=model,
        meter=meter,
        tier=tier,
        quantity=quantity,
        kind=kind,
        list_amount=None if before is None else before / per,
        amount=amount / per,
        currency=currency(row, implied),
        project=row.get("project"),
        item=item,
        place=place,
    )


# --- numbers ----------------------------------------------------------------------------------------------

NOTHING = frozenset({"", "-", "--", "—", "/", "null", "none", "nan", "n/a", "na"})
_MONEY_WORDS = re.compile(r"人民币|美元|元|¥|\$|€|£|\b(?:cny|rmb|usd|eur)\b", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")  # 0,125 has a decimal comma
_ONE_COMMA = re.compile(r"\D*\d{1,3},\d{3}\D*")
_DECIMAL_COMMA = re.compile(r"\D*\d+(?:\.\d{3})*,\d+\D*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.IGNORECASE)


@lru_cache(maxsize=8192)
def number(text: str) -> Fraction | None:
    """The exact number a text means; None when it says that there is none.

    Full-width digits, thousands separators, signs of money, minus signs of every kind and brackets for
    negative amounts are read.

    Raises:
        ValueError: it is no number, or one of more than 60 digits.
    """
    plain = unicodedata.normalize("NFKC", text).strip().strip("'\"`").strip()
    if plain.lower() in NOTHING:
        return None
    plain = plain.translate(_MINUS)
    plain = _MONEY_WORDS.sub("", plain).replace(" ", "")
    negative = plain.startswith("(") and plain.endswith(")")
    if negative:
        plain = plain[1:-1]
    if "," in plain:
        if not _GROUPED.fullmatch(plain):
            raise ValueError(text)
        plain = plain.replace(",", "")
    if len(plain) > 60 or not plain.isascii() or not _NUMBER.fullmatch(plain):
        raise ValueError(text)
    try:
        value = Decimal(plain)
    except InvalidOperation:  # pragma: no cover - the pattern lets no such text through
        raise ValueError(text) from None
    if value and abs(value.adjusted()) > 40:
        raise ValueError(text)
    return -Fraction(value) if negative else Fraction(value)


def one_comma(text: str) -> bool:
    """Whether a comma in it may part thousands as well as decimals: 12,345."""
    return "," in text and _ONE_COMMA.fullmatch(text) is not None


def decimal_comma(text: str) -> bool:
    """Whether a text that is no number would be one with a decimal comma: 1.234,5."""
    return "," in text and _DECIMAL_COMMA.fullmatch(text) is not None


_MINUS = str.maketrans({"−": "-", "–": "-", "—": "-", "﹣": "-"})


def money(row: Row, target: str) -> Fraction | None:
    """An amount, None when the record has none.

    Raises:
        LeftOutError: it cannot be read.
    """
    try:
        return number(row[target]) if target in row else None
    except ValueError:
        raise LeftOutError(DECIMAL_COMMA if decimal_comma(row[target]) else BAD_AMOUNT) from None


def charged(row: Row, target: str = "amount") -> Fraction:
    """The amount a line must have.

    Raises:
        LeftOutError: there is none, or it cannot be read.
    """
    amount = money(row, target)
    if amount is None:
        raise LeftOutError(NO_AMOUNT)
    return amount


CURRENCIES: Final = {
    "人民币": "CNY",
    "RMB": "CNY",
    "¥": "CNY",
    "元": "CNY",
    "美元": "USD",
    "$": "USD",
    "US$": "USD",
}


def currency(row: Row, otherwise: str | None = None) -> str:
    """The currency as an ISO code.

    Raises:
        LeftOutError: none is told, and the source implies none.
    """
    told = unicodedata.normalize("NFKC", row.get("currency", "")).strip().upper()
    told = CURRENCIES.get(told, told)
    if not told and otherwise:
        return otherwise
    if not told:
        raise LeftOutError(NO_CURRENCY)
    return told


# --- quantities -------------------------------------------------------------------------------------------

_SCALES: Final = {
    "": 1, "1": 1, "k": 10**3, "千": 10**3, "thousand": 10**3, "万": 10**4, "十万": 10**5, "百万": 10**6,
    "m": 10**6, "million": 10**6, "亿": 10**8, "b": 10**9, "billion": 10**9, "十亿": 10**9,
}  # fmt: skip
_UNIT = re.compile(
    r"(?P<count>\d*)(?P<scale>[^\d]*?)(?P<what>tokens?|次|requests?|calls?|queries|query|searches)"
)


@lru_cache(maxsize=1024)
def unit(text: str) -> tuple[str, int] | None:
    """What a unit counts, `token`, `request` or `search`, and how many of it: `千tokens` → (token, 1000).

    None for what is no unit of LLM usage (GB, hours, images), and for a scale nobody stated.
    """
    plain = unicodedata.normalize("NFKC", text).lower().replace(",", "").replace(" ", "")
    plain = plain.replace("per", "").replace("/", "").replace("of", "")
    found = _UNIT.fullmatch(plain)
    if not found or found["scale"] not in _SCALES:
        return None
    what = found["what"]
    kind = "token" if what.startswith("token") else "search" if what.startswith("search") else "request"
    return kind, int(found["count"] or 1) * _SCALES[found["scale"]]


def counted(row: Row, amount: str = "quantity", units: str = "unit") -> tuple[Fraction | None, str | None]:
    """Quantity in single tokens, requests or searches, and which of them; (None, None) where not told.

    Raises:
        LeftOutError: it cannot be read.
    """
    measure = unit(row[units]) if units in row else None
    if measure is None or amount not in row:
        return None, None
    try:
        value = number(row[amount])
    except ValueError:
        raise LeftOutError(BAD_QUANTITY) from None
    return (None if value is None else value * measure[1]), measure[0]


# --- times ------------------------------------------------------------------------------------------------

_MONTH = re.compile(r"(\d{4})[-/年]?(\d{1,2})月?")
_DAY = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?")
_PACKED_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?")
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=8192)
def span(text: str, zone: str) -> tuple[datetime, datetime | None]:
    """The period a text names, UTC: a day, a month, or an instant (whose end is None).

    Raises:
        LeftOutError: it cannot be read, or lies before 2000 or after 2100.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if found := _DAY.fullmatch(plain) or _PACKED_DAY.fullmatch(plain):
        year, month, day = (int(part) for part in found.groups())
        start = _local(year, month, day, zone)
        following = start.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        return start, _local(following.year, following.month, following.day, zone)
    if (found := _MONTH.fullmatch(plain)) and 1 <= int(found[2]) <= 12:
        year, month = int(found[1]), int(found[2])
        return _local(year, month, 1, zone), _local(year + month // 12, month % 12 + 1, 1, zone)
    if _EPOCH.fullmatch(plain):
        return _known(datetime.fromtimestamp(float(plain), UTC)), None
    try:
        told = datetime.fromisoformat(plain.removesuffix(" UTC").replace("/", "-"))
    except ValueError:
        raise LeftOutError(BAD_TIME) from None
    if plain.endswith(" UTC"):
        told = told.replace(tzinfo=UTC)
    if told.tzinfo is None:
        place = ZoneInfo(zone)
        there = told.replace(tzinfo=place)
        if there.astimezone(UTC).astimezone(place).replace(tzinfo=None) != told:
            raise LeftOutError(GAP_TIME)
        told = there
    try:
        return _known(told.astimezone(UTC)), None
    except OverflowError:
        raise LeftOutError(FAR_TIME) from None


def _local(year: int, month: int, day: int, zone: str) -> datetime:
    """The first instant of a local day."""
    try:
        return _known(datetime(year, month, day, tzinfo=ZoneInfo(zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        raise LeftOutError(BAD_TIME) from None


def _known(time: datetime) -> datetime:
    if not FIRST <= time <= LAST:
        raise LeftOutError(FAR_TIME)
    return time


def period(row: Row, zone: str) -> tuple[datetime | None, datetime | None]:
    """Start and end of a record: `start` and `end`, else `day`, else `month`; None where not told.

    Raises:
        LeftOutError: a time that cannot be read, or an end before the start.
    """
    if "start" not in row:
        named = row.get("day") or row.get("month")
        return span(named, zone) if named else (None, None)
    start, close = span(row["start"], zone)
    end = span(row["end"], zone)[0] if "end" in row else close
    if end is not None and end < start:
        raise LeftOutError(BAD_END)
    return start, end
