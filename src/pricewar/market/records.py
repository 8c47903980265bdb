"""Records of an earlier war: dated public facts, and what historians said of it.

A record is YAML (`wars/NAME.yaml`), read elsewhere and validated here. A **fact** is a figure that the stage
rule may see; an **event** is what happened, told beside it; `said` is how somebody else dated a stage, from
sources that no fact of the same record uses (checked), so that rule and historian can be compared.

What a fact's `what` means, per vendor and tier, in the record's currency and unit unless said otherwise:

- `price`: what a buyer pays for one unit. `price_out` is shown and not used.
- `reference`: what one unit costs to serve before any bonus, for want of a vendor's own cost.
- `off`: money off the reference price. `bonus`: money paid to whoever serves, above the reference.
- `cost`: unit cost. `subsidy`: 1 − price / cost, a share of cost; negative is a margin over cost.
- `allowance`: free use per customer and month. `volume`: units a month. `share`: share of volume, 0 to 1.
- `active`: 1 while the vendor is in the market, 0 before and after.

A fact holds `on` one month (a reading), or from a day `until` another, or until a later fact of the same kind
takes over. A range is `[low, high]`; nobody's figure is never 0: it is left out, and the rule sees *unknown*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import as_file, files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.units import floating

What = Literal[
    "price",
    "price_out",
    "reference",
    "off",
    "bonus",
    "cost",
    "subsidy",
    "allowance",
    "volume",
    "share",
    "active",
]
Stage = Literal["launch", "promotion", "war", "consolidation", "harvest"]
Confidence = Literal["high", "medium", "low"]


def _number(value: Any) -> Any:
    return floating(value) if isinstance(value, str) else value


def _month(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
        raise ValueError("not a month such as 2014-02")
    return value


Number = Annotated[float, BeforeValidator(_number)]
Month = Annotated[str, BeforeValidator(_month)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Record):
    """Where a figure was read, and when; `says` gives its own figure where sources disagree."""

    url: str
    read_on: date
    says: str | None = None


class _Sourced(_Record):
    sources: list[Source] = []
    confidence: Confidence
    assumed: bool = False
    note: str | None = None

    @model_validator(mode="after")
    def _owned_up(self) -> _Sourced:
        if not self.sources and not (self.assumed and self.note):
            raise ValueError("no source: give one, or say `assumed: true` and why in `note`")
        if self.assumed and self.confidence != "low":
            raise ValueError("an assumption has `confidence: low`")
        return self


class Fact(_Sourced):
    """One figure. Either `value` or `range`; either `on` or `from`."""

    what: What
    vendor: str | None = None
    tier: str | None = None
    model: str | None = None
    value: Number | None = None
    range: tuple[Number, Number] | None = None
    on: Month | None = None
    from_: date | None = Field(None, alias="from")
    until: date | None = None
    shown_only: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Fact:
        if (self.value is None) == (self.range is None):
            raise ValueError("give either `value` or `range`")
        if (self.on is None) == (self.from_ is None):
            raise ValueError("give either `on` (a month) or `from` (a day)")
        if self.until and (self.from_ is None or self.until <= self.from_):
            raise ValueError("`until` is not after `from`")
        if self.range and self.range[0] > self.range[1]:
            raise ValueError("`range` is [low, high]")
        if self.what == "subsidy" and self.high > 1:
            raise ValueError("a subsidy is a share of cost: at most 1")
        if self.what not in ("subsidy",) and self.low < 0:
            raise ValueError("must not be negative")
        return self

    @property
    def low(self) -> float:
        """The lower end of what is known."""
        return self.range[0] if self.range else float(self.value or 0.0)

    @property
    def high(self) -> float:
        """The upper end of what is known."""
        return self.range[1] if self.range else float(self.value or 0.0)


class Event(_Sourced):
    """Something that happened, in words; `value` and `unit` where it has a figure."""

    on: str = Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    kind: Literal[
        "entry",
        "exit",
        "merger",
        "cut",
        "free",
        "rise",
        "grant",
        "limit",
        "volume",
        "share",
        "margin",
        "spending",
        "order",
        "policy",
        "claim",
    ]
    vendors: list[str] = []
    said: str
    value: str | None = None
    unit: str | None = None


class Said(_Record):
    """When a stage began, as somebody else dates it: a month, or the first and the last that would do."""

    stage: Stage
    began: Month
    or_by: Month | None = None
    words: str
    sources: list[Source] = Field(min_length=1)


class War(_Record):
    """One earlier war."""

    name: str
    title: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    unit: str
    begins: Month
    ends: Month
    vendors: list[str] = Field(min_length=1)
    tiers: list[str] = Field(min_length=1)
    notes: list[str] = []
    facts: list[Fact]
    events: list[Event] = []
    said: list[Said] = []

    @model_validator(mode="after")
    def _consistent(self) -> War:
        if self.ends <= self.begins:
            raise ValueError("`ends` is not after `begins`")
        for i, fact in enumerate(self.facts):
            if fact.vendor is not None and fact.vendor not in self.vendors:
                raise ValueError(f"fact {i + 1} names “{fact.vendor}”, which is not among `vendors`")
            if fact.tier is not None and fact.tier not in self.tiers:
                raise ValueError(f"fact {i + 1} names “{fact.tier}”, which is not among `tiers`")
        used = {s.url for fact in self.facts if not fact.shown_only for s in fact.sources}
        for said in self.said:
            shared = used & {s.url for s in said.sources}
            if shared:
                raise ValueError(f"`said` and a fact rest on the same source: {sorted(shared)[0]}")
        return self


def tidy(war: War) -> list[dict[str, Any]]:
    """The record's prices, one row per price and day on which it began, oldest first, for a chart.

    Keys: date (ISO), until (ISO or None), vendor, tier, model, meter ("input" or "output"), price, low, high,
    currency, unit, confidence, assumed, source (first address or None), note.
    """
    return sorted(_points(war), key=lambda row: (row["date"], row["vendor"], row["tier"], row["meter"]))


def _points(war: War) -> Iterator[dict[str, Any]]:
    for fact in war.facts:
        if fact.what not in ("price", "price_out"):
            continue
        yield {
            "date": f"{fact.on}-01" if fact.on else str(fact.from_),
            "until": str(fact.until) if fact.until else None,
            "vendor": fact.vendor or "all",
            "tier": fact.tier or "all",
            "model": fact.model,
            "meter": "output" if fact.what == "price_out" else "input",
            "price": (fact.low + fact.high) / 2,
            "low": fact.low,
            "high": fact.high,
            "currency": war.currency,
            "unit": war.unit,
            "confidence": fact.confidence,
            "assumed": fact.assumed,
            "source": fact.sources[0].url if fact.sources else None,
            "note": fact.note,
        }


_ROOM = "pricewar.market.wars"


def names() -> list[str]:
    """The records that come with the package, in alphabetical order."""
    return sorted(p.name.removesuffix(".yaml") for p in files(_ROOM).iterdir() if p.name.endswith(".yaml"))


def read(name: str) -> War:
    """One of the records that come with the package, validated.

    Raises:
        ConfigurationError: there is no such record.
        DefinitionError: the file contradicts the schema; names file, line and key.
    """
    from pricewar.definitions import load

    if name not in names():
        raise ConfigurationError(
            f"no record of an earlier war “{name}”", remedy=did_you_mean(name, names()) or ", ".join(names())
        )
    with as_file(files(_ROOM) / f"{name}.yaml") as path:
        return load(path, name=f"wars/{name}.yaml")[0].validate(War)
