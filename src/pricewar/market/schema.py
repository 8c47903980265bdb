"""What a definition of a market may say: the schema of its YAML.

Every number is one of two things. A **fact** is what somebody measured or published:

    {value: 5, unit: CNY/mn tokens, source: one-api, dated: 2024-04, confidence: high}

`input` and `output` instead of `value` are a price's two sides, blended by the definition's `output_share`;
`structural: true` says that a fact of a later date is no news of the war (a cost, an elasticity). Any other
fact must be older than the market's first day, so that no market knows its own future. An **assumption**:

    {assume: 4, range: [2, 8], unit: ratio, because: "…", log: true, group: costs}

says why, and its range becomes an uncertain parameter of the ensemble (`model.Uncertain`); members of a
`group` move together. In a table a bare number takes its column's `basis`: a unit with a source or a reason
said once, and for assumptions `times: 2` (from half to twice) or `plus: 0.1` (to either side, within bounds).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    create_model,
    model_validator,
)

from pricewar.market import fields
from pricewar.units import floating


def _number(value: Any) -> Any:
    return floating(value) if isinstance(value, str) else value


Decimal_ = Annotated[float, BeforeValidator(_number)]


def _in_calendar(text: str) -> str:
    try:
        last_day(text)
    except ValueError:
        raise ValueError("is no day, month or year of the calendar") from None
    return text


def last_day(text: str) -> date:
    """The last day of a year, month or day.

    Raises:
        ValueError: the calendar has no such day.
    """
    year, *rest = (int(part) for part in text.split("-"))
    if len(rest) == 2:
        return date(year, *rest)
    month = rest[0] if rest else 12
    return date(year, month, monthrange(year, month)[1])


Day = Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"), AfterValidator(_in_calendar)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """Where facts were read, and when; `dated`: what they are of, unless a fact says otherwise."""

    url: str
    read_on: date
    dated: Day | None = None
    structural: bool = False
    note: str | None = None


class Fact(_Part):
    """A published figure; `range` where its sources disagree. `source` is a key of `sources`."""

    value: Decimal_ | None = None
    input: Decimal_ | None = None
    output: Decimal_ | None = None
    unit: str | None = None
    source: str
    dated: Day | None = None
    structural: bool = False
    confidence: Literal["high", "medium", "low"] = "high"
    range: tuple[Decimal_, Decimal_] | None = None
    log: bool = False
    group: str = ""
    note: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Fact:
        if (self.value is None) == (self.input is None or self.output is None):
            raise ValueError("give either `value`, or `input` and `output`")
        return self


class Assumption(_Part):
    """A figure nobody has published, its range, and why; `source` is what the belief rests on."""

    assume: Decimal_
    range: tuple[Decimal_, Decimal_]
    unit: str | None = None
    because: str = Field(min_length=3)
    source: str | None = None
    log: bool = False
    group: str = ""
    confidence: Literal["low"] = "low"


class Basis(_Part):
    """What a table's column says once: unit, and source or reason with how far the numbers may be off."""

    unit: str
    because: str | None = None
    times: Decimal_ | None = Field(None, ge=1)
    plus: Decimal_ | None = Field(None, ge=0)
    source: str | None = None
    dated: Day | None = None
    structural: bool = False
    confidence: Literal["high", "medium", "low"] | None = None
    group: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Basis:
        if self.because is None and self.source is None:
            raise ValueError("give `source` (facts) or `because` (assumptions)")
        if self.because is not None and (self.times is None) == (self.plus is None):
            raise ValueError("an assumption has a range: give either `times` or `plus`")
        return self


def _kind(value: Any) -> str:
    if not isinstance(value, dict):
        return "bare"
    return "assumption" if "assume" in value or "because" in value else "fact"


Number = Annotated[
    Annotated[Decimal_, Tag("bare")]
    | Annotated[Fact, Tag("fact")]
    | Annotated[Assumption, Tag("assumption")],
    Discriminator(_kind),
]


_Given: TypeAlias = Number | None  # type: ignore[operator]


def _numbers(title: str, table: Mapping[str, fields.Field], /, **more: Any) -> Any:
    given: dict[str, Any] = {n: (_Given, None) for n, f in table.items() if f.given}
    return create_model(title, __base__=_Part, **given, **more)


def _bases(name: str, table: Mapping[str, fields.Field]) -> Any:
    given: dict[str, Any] = {n: (Basis | None, None) for n, f in table.items() if f.given}
    return create_model(name, __base__=_Part, **given)


_Mechanisms = _numbers("Mechanisms", fields.MARKET)
_Type = _numbers("Type", fields.TYPE, vertical=(str | None, None), note=(str | None, None))
_Vendor = _numbers(
    "Vendor",
    fields.VENDOR,
    name=(str | None, None),
    conduct=(Literal["scripted", "static", "invest", "rule", "fringe", "external"] | None, None),
    specialist=(str | None, None),
    note=(str | None, None),
)
_TypeBasis = _bases("TypeBasis", fields.TYPE)
_VendorBasis = _bases("VendorBasis", fields.VENDOR)


class _Types(_Part):
    basis: _TypeBasis = _TypeBasis()  # type: ignore[valid-type]
    all: _Type = _Type()  # type: ignore[valid-type]
    segments: dict[str, dict[str, _Type]]  # type: ignore[valid-type]


class _Vendors(_Part):
    basis: _VendorBasis = _VendorBasis()  # type: ignore[valid-type]
    all: _Vendor = _Vendor()  # type: ignore[valid-type]
    each: dict[str, _Vendor]  # type: ignore[valid-type]


class _Fit(_Part):
    """Utility of vendors to types: rows are types, segments or `all`; the narrowest that speaks holds."""

    basis: Basis
    each: dict[str, dict[str, Number]]


class _Dated(_Part):
    """New terms of a scripted vendor, on a day."""

    on: date
    vendor: str
    light: Number | None = None
    flagship: Number | None = None
    allowance: Number | None = None


class _MonthZero(_Part):
    """What was seen of the whole market at its start: no parameter, but what the parameters should give."""

    tokens: Number | None = None
    revenue: Number | None = None


class Text(_Part):
    """A definition as written."""

    market: str
    title: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    start: date
    months: int = Field(ge=1, le=1200)
    steps_per_month: int = Field(ge=1, le=64)
    notes: list[str] = []
    sources: dict[str, Source] = {}
    exchange: dict[str, Number] = {}
    output_share: Number | None = None
    month_0: _MonthZero = _MonthZero()
    mechanisms: _Mechanisms = _Mechanisms()  # type: ignore[valid-type]
    verticals: list[str] = []
    types: _Types
    vendors: _Vendors
    affinities: _Fit | None = None
    ecosystems: _Fit | None = None
    script: list[_Dated] = []


def from_basis(value: float, basis: Basis) -> Fact | Assumption:
    """What a bare number in a column says."""
    if basis.because is None:
        return Fact(
            value=value, unit=basis.unit, source=basis.source or "", dated=basis.dated,
            structural=basis.structural, confidence=basis.confidence or "high",
        )  # fmt: skip
    if basis.times is not None:
        ends = sorted((value / basis.times, value * basis.times))
        log = value > 0
    else:
        ends = [value - (basis.plus or 0.0), value + (basis.plus or 0.0)]
        log = False
    return Assumption(
        assume=value, range=(ends[0], ends[1]), unit=basis.unit, because=basis.because, source=basis.source,
        log=log, group=basis.group,
    )  # fmt: skip
