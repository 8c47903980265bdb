"""What a tariff can say.

A fact file is YAML: documents whose `offers:`, `price_lists:`, `ends:`, `corrections:` and
`currency_rates:` hold records. Records are appended, never overwritten: a new price is a new record with
the same `id` and a later `in_force.from`; an offer that ends gets a record under `ends`.

Conventions
-----------
- Dates: `2026-08-17` is midnight UTC; `2025-09-05T16:00Z` and `2024-05-15T00:00+08:00` are instants.
- `unknown` is a value: nobody has published it. It is neither zero nor infinite.
- Prices are decimal text in the offer's currency; `per` says for how many (tokens: a million unless said
  otherwise; searches and requests: a thousand).
- Where several rates match a request, the latest in the list wins, meter by meter; `times` multiplies the
  prices of tokens. A request is priced by when it was sent, even if a limit made it wait.
- A term that a new version repeats unchanged goes on counting; one that it changes begins anew.
- `zone` is for days, weeks and months; seconds, minutes and hours are those of UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from pricewar.units import METERS, TOKEN_METERS, UNKNOWN, Unknown, exact

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _instant(value: Any) -> Any:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str) and value != UNKNOWN:
        text = value.strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                "not a date such as 2026-08-17 or an instant such as 2025-09-05T16:00Z"
            ) from None
        if moment.tzinfo is None:
            if len(text) > 10:
                raise ValueError("an instant needs its offset, such as 16:00Z or 00:00+08:00")
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    return value


def _quantity(value: Any) -> Any:
    if isinstance(value, str) and value != UNKNOWN:
        number = exact(value)
        if number < 0:
            raise ValueError("must not be negative")
        return number
    return value


def _zone(value: Any) -> Any:
    if isinstance(value, str) and value not in available_timezones():
        raise ValueError("not an IANA time zone such as UTC, Asia/Shanghai or America/Los_Angeles")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Quantity = Annotated[
    Fraction, BeforeValidator(_quantity), PlainSerializer(lambda q: str(q), when_used="json")
]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Zone = Annotated[str, BeforeValidator(_zone)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Meter = Literal[
    "input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "search", "requests"
]
Confidence = Literal["high", "medium", "low"]


class Record(BaseModel):
    """Strict and frozen: an unknown key is a mistake, and a fact is not changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Source(Record):
    """Where a number was read, and when. `says` holds the figure where sources disagree."""

    url: str
    read_on: date
    says: str | None = None


class InForce(Record):
    """From when the terms apply. `until` is left out while nobody has said that they end, and `unknown` when
    they are known to have ended on a day that is not."""

    from_: Instant | Unknown = Field(alias="from")
    until: Instant | Unknown | None = None

    @property
    def end(self) -> datetime | None:
        """The day of the end, where one is known."""
        return self.until if isinstance(self.until, datetime) else None

    @property
    def perhaps_over(self) -> bool:
        """Whether the terms have ended on an unknown day, so that on no day they can be counted on."""
        return self.until == UNKNOWN

    @model_validator(mode="after")
    def _ordered(self) -> InForce:
        if isinstance(self.from_, datetime) and self.end is not None and self.end <= self.from_:
            raise ValueError("`until` is not after `from`")
        return self


class ModelName(Record):
    """A model as the vendor calls it. `weights` names openly published weights, so that the same model at
    another vendor is known to be the same; `context` is the most tokens of input it takes, where known."""

    name: str
    aliases: list[str] = []
    weights: str | None = None
    context: int | None = None

    @property
    def longest_input(self) -> int | None:
        """`context`, or what the name itself says: ERNIE-Lite-8K takes 8 × 1024 tokens."""
        if self.context is not None:
            return self.context
        said = re.search(r"(?:^|-)(\d{1,4})k(?:-|$)", self.name.lower())
        return int(said.group(1)) * 1024 if said else None


def _model(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class Window(Record):
    """When a rate applies. Every part that is given must hold.

    `hours` is `HH:MM-HH:MM` in `zone`, the end excluded; a window that crosses midnight belongs to the
    weekday on which it starts.
    """

    input_above: int | None = None
    tier: Annotated[list[str], BeforeValidator(_listed)] | None = None
    models: Annotated[list[str], BeforeValidator(_listed)] | None = None
    zone: Zone = "UTC"
    weekdays: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = None
    hours: Annotated[str, Field(pattern=r"^([01]\d|2[0-4]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")] | None = None
    from_: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None

    @property
    def minutes(self) -> tuple[int, int] | None:
        """Start and end of `hours` in minutes of the local day; the end may be past 1440."""
        if self.hours is None:
            return None
        start, end = (int(part[:2]) * 60 + int(part[3:]) for part in self.hours.split("-"))
        return start, end if end > start else end + 1440


class Rate(Record):
    """Prices of one or more meters under a condition, or `times`, which multiplies the price that holds."""

    input: Quantity | None = None
    cache_read: Quantity | None = None
    cache_write_5m: Quantity | None = None
    cache_write_1h: Quantity | None = None
    output: Quantity | None = None
    reasoning: Quantity | None = None
    search: Quantity | None = None
    requests: Quantity | None = None
    times: Quantity | None = None
    per: int | None = Field(None, gt=0)
    when: Window = Window()
    note: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Rate:
        if self.times is None and not any(getattr(self, meter) is not None for meter in METERS):
            raise ValueError("a rate names at least one meter or `times`")
        return self

    def unit_price(self, meter: str) -> Fraction | None:
        """Price of one token, search or request, exactly; None when the rate does not name the meter."""
        price = getattr(self, meter)
        if price is None:
            return None
        return price / (self.per or (1_000_000 if meter in TOKEN_METERS else 1_000))


class Duration(Record):
    """A length of time in days or calendar months."""

    days: int | None = None
    months: int | None = None
    hours: int | None = None
    minutes: int | None = None

    @model_validator(mode="after")
    def _one(self) -> Duration:
        if sum(part is not None for part in (self.days, self.months, self.hours, self.minutes)) != 1:
            raise ValueError("give exactly one of minutes, hours, days, months")
        return self


def _meters(value: Any) -> Any:
    if value in ("tokens", ["tokens"]):
        return list(TOKEN_METERS)
    return _listed(value)


class Allowance(Record):
    """What may be used before, or instead of, paying.

    unit        tokens, requests, money (used at the paid rates), or credits of `credit` money each.
    meters      which tokens count against it and are covered by it.
    scope       model: each model has its own; pool: `models` share it; account: everything shares it.
    reset       none, or the calendar period in `zone`, or rolling over `window`.
    starts      activation: at the first request it covers; or a date.
    expires_after   counted from its start; a pack bought later, from its purchase. Months are UTC's.
    price       what it costs: 0 for a gift; a pack has a price and is bought `once` or `as_needed`.
    edge        a request across the edge: split (part covered), whole (covered while anything is left),
                fits (covered only if all of it fits).
    used_up     reject the request, or go on paid (`rates`).
    order       allowances are used in ascending order, those of money after those of tokens and requests.
    """

    unit: Literal["tokens", "requests", "money", "credits"]
    amount: Quantity | Unknown
    meters: Annotated[list[Meter], BeforeValidator(_meters)] = list(TOKEN_METERS)  # type: ignore[assignment]
    credit: Quantity | Unknown | None = None
    scope: Literal["model", "pool", "account"] = "model"
    models: Annotated[list[str], BeforeValidator(_listed)] | None = None
    reset: Literal["none", "minute", "hour", "day", "week", "month", "rolling"] = "none"
    window: Duration | None = None
    zone: Zone = "UTC"
    starts: Literal["activation"] | Instant = "activation"
    expires_after: Duration | Unknown | None = None
    price: Quantity = Fraction(0)
    buy: Literal["once", "as_needed"] = "once"
    order: int = 0
    edge: Literal["split", "whole", "fits"] = "split"
    used_up: Literal["reject", "paid"] = "paid"
    tier: Annotated[list[str], BeforeValidator(_listed)] | None = None
    from_: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Allowance:
        if (self.reset == "rolling") != (self.window is not None):
            raise ValueError("`window` goes with `reset: rolling`")
        if (self.unit == "credits") != (self.credit is not None):
            raise ValueError("`credit` (the money one credit is worth, or unknown) goes with `unit: credits`")
        if self.scope == "pool" and not self.models:
            raise ValueError("a pool names the `models` that share it")
        return self


class Limit(Record):
    """A most of something in a window of time.

    meters      requests, tokens, or named buckets; `excludes` takes buckets out (cached tokens, say).
    per         a clock period in `zone`, or `rolling` over `window`.
    exceeded    reject: refused (429); queue: served in the next period; overflow: passed on.
    """

    meters: Annotated[list[Meter], BeforeValidator(_meters)]
    amount: Quantity | Unknown
    per: Literal["second", "minute", "hour", "day", "week", "month", "request", "rolling"]
    window: Duration | None = None
    zone: Zone = "UTC"
    excludes: list[Meter] = []
    scope: Literal["model", "pool", "account"] = "model"
    models: Annotated[list[str], BeforeValidator(_listed)] | None = None
    exceeded: Literal["reject", "queue", "overflow"] = "reject"
    from_: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Limit:
        if (self.per == "rolling") != (self.window is not None):
            raise ValueError("`window` goes with `per: rolling`")
        if "requests" in self.meters and len(self.meters) > 1:
            raise ValueError("a limit counts requests or tokens, not both")
        return self


class Minimum(Record):
    """The least that a period is charged."""

    amount: Quantity
    per: Literal["month", "bill"] = "month"
    zone: Zone = "UTC"


class PlatformFee(Record):
    """A percentage on top, applied to the total, with the least it can be."""

    percent: Quantity
    minimum: Quantity = Fraction(0)


class Fixed(Record):
    """A charge that does not depend on use."""

    amount: Quantity
    per: Literal["month", "once"] = "month"
    zone: Zone = "UTC"


class Rounding(Record):
    """Quantities (unit: tokens) or amounts (unit: money) rounded up to an increment: each request, each
    line of the bill (a meter at a rate, by calendar month in `zone`), or the bill as a whole."""

    increment: Quantity
    unit: Literal["tokens", "money"]
    per: Literal["request", "line", "bill"]
    direction: Literal["up", "half_even"] = "up"
    zone: Zone = "UTC"

    @model_validator(mode="after")
    def _billed(self) -> Rounding:
        if self.increment == 0:
            raise ValueError("`increment` is not above zero")
        if self.unit == "tokens" and (self.per == "bill" or self.increment.denominator != 1):
            raise ValueError("tokens are rounded by request or line, to a whole number of them")
        if self.direction == "half_even" and (self.unit == "tokens" or self.per == "request"):
            raise ValueError("`half_even` is for money by line or bill; the rest is rounded up")
        return self


class Commitment(Record):
    """Money owed whether used or not.

    buys        spend: usage draws it down at `rates`; capacity: usage within `limits` is covered.
    unused      forfeit, or carry into the next period.
    """

    amount: Quantity
    per: Literal["hour", "month"]
    units: int = 1
    term: Duration
    buys: Literal["spend", "capacity"]
    unused: Literal["forfeit", "carry"] = "forfeit"
    zone: Zone = "UTC"


class Charges(Record):
    """What is charged beside the rates. `prepayment` is the least one must put down to begin."""

    minimum: Minimum | None = None
    prepayment: Quantity | None = None
    platform_fee: PlatformFee | None = None
    fixed: list[Fixed] = []
    rounding: list[Rounding] = []
    commitment: Commitment | None = None


class Eligibility(Record):
    """Who may have the offer, and for what. Left out: nothing is known to stand in the way."""

    regions: list[str] | Unknown | None = None
    account: str | None = None
    endpoint: str | None = None
    data_use: Literal["train", "none", "unknown"] = "unknown"
    new_account: bool = False
    card: bool | Unknown = UNKNOWN
    spent_before: Quantity | None = None
    deferrable: bool = False
    commercial: bool | Unknown = UNKNOWN


class Change(Record):
    """A change the vendor has announced, in words; the numbers are a record of their own."""

    announced_on: date | Unknown
    effective: Instant | Unknown
    what: str


class Lifecycle(Record):
    """When the offer's model was or will be retired, and what was announced."""

    retired_on: Instant | Unknown | None = None
    announced: list[Change] = []


class OfferRecord(Record):
    """One version of an offer's terms."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._:+-]*(/[A-Za-z0-9._:+-]+)+$")]
    vendor: str
    plan: str
    kind: Literal["list", "free", "introductory", "grant", "pack", "provisioned"]
    models: Annotated[list[Annotated[ModelName, BeforeValidator(_model)]], Field(min_length=1)]
    light: bool | None = None
    currency: Currency
    tax: Literal["included", "excluded", "unknown"] = "unknown"
    sources: Annotated[list[Source], Field(min_length=1)]
    confidence: Confidence
    in_force: InForce
    announced: Instant | Unknown = UNKNOWN
    notice_days: int | Unknown | None = None
    recorded: date
    replaces: list[str] = []
    overflow_to: str | None = None
    eligibility: Eligibility = Eligibility()
    rates: list[Rate] = []
    allowances: list[Allowance] = []
    limits: list[Limit] | Unknown = []
    charges: Charges = Charges()
    lifecycle: Lifecycle = Lifecycle()
    note: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> OfferRecord:
        names = {name for model in self.models for name in (model.name, *model.aliases)}
        for part in (*self.rates, *self.allowances, *(self.limits if isinstance(self.limits, list) else [])):
            wanted = part.when.models if isinstance(part, Rate) else part.models
            for name in wanted or []:
                if name not in names:
                    raise ValueError(f"“{name}” is not among the offer's models")
        if not self.rates and not self.allowances and self.charges.commitment is None:
            raise ValueError("an offer has rates, allowances or a commitment")
        return self

    @property
    def known_on(self) -> date:
        """The first day on which these terms were public: announced, else in force, else recorded."""
        for moment in (self.announced, self.in_force.from_):
            if isinstance(moment, datetime):
                return moment.date()
        return self.recorded


class PriceRow(Record):
    """A line of a price list: a model and its prices for a million tokens."""

    model: str
    input: Quantity
    output: Quantity | None = None
    cache_read: Quantity | None = None
    cache_write_5m: Quantity | None = None
    batch: Quantity | None = None
    above: dict[str, dict[str, Quantity]] = {}
    light: bool | None = None
    weights: str | None = None
    note: str | None = None


class PriceList(Record):
    """Many models under the same terms: each row becomes an offer `vendor/model` of its own."""

    vendor: str
    plan: str
    currency: Currency
    tax: Literal["included", "excluded", "unknown"] = "unknown"
    sources: Annotated[list[Source], Field(min_length=1)]
    confidence: Confidence
    in_force: InForce
    announced: Instant | Unknown = UNKNOWN
    recorded: date
    limits: list[Limit] | Unknown = []
    eligibility: Eligibility = Eligibility()
    charges: Charges = Charges()
    rows: Annotated[list[PriceRow], Field(min_length=1)]


class End(Record):
    """An offer's terms cease, with the day that became known."""

    id: str
    on: Instant
    announced: Instant | Unknown = UNKNOWN
    recorded: date
    sources: Annotated[list[Source], Field(min_length=1)]
    note: str | None = None

    @property
    def known_on(self) -> date:
        return self.announced.date() if isinstance(self.announced, datetime) else self.on.date()


class Correction(Record):
    """A listed price of genai-prices that is known to be wrong, and the record that stands in its place."""

    listed: str
    by: str
    why: str
    sources: Annotated[list[Source], Field(min_length=1)]


class CurrencyRate(Record):
    """Units of `to` for one unit of `base`, on a day."""

    base: Currency
    to: Currency
    rate: Quantity
    on: date
    sources: Annotated[list[Source], Field(min_length=1)]
    confidence: Confidence


class FactFile(Record):
    """The records one document of a fact file may hold."""

    offers: list[OfferRecord] = []
    price_lists: list[PriceList] = []
    ends: list[End] = []
    corrections: list[Correction] = []
    currency_rates: list[CurrencyRate] = []


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone; `tzdata` supplies it where the system does not."""
    return ZoneInfo(name)
