"""The team: what its work grows into, what it must have, and what leaving a vendor costs it.

A team is a YAML document; a mistake is reported at file, line and key. What the document does not say is
taken from the defaults here. Every default has its unit and its reason, and `Team.assumptions` lists which of
them stand, so that none works unseen.

The cost of a switch after τ months of use, from offer o to another vendor's:

    κ(τ) = day rate × [min(1 + deepening · τ, deepest) × (adapter + prompts + evaluation + data migration)
           + approval] + what the vendor's ecosystem took back

Within one vendor only prompts and evaluation are due. Depth multiplies work because what is built on a
vendor's interface grows with use. Without a first vendor, joining costs κ(0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pricewar.definitions import Document, load, parse
from pricewar.errors import DefinitionError
from pricewar.offers import schema
from pricewar.offers.schema import Currency, Record
from pricewar.units import exact

PARTS = ("adapter", "prompts", "evaluation", "approval", "data_migration")
DEEPENS = ("adapter", "prompts", "evaluation", "data_migration")
WITHIN = ("prompts", "evaluation")
DAY_USD = Fraction(800)
MOST = 10**12

COSTS_2026 = "https://aibizhub.io/articles/vendor-lock-in-math-cost-of-switching-llms/ (read 2026-11-22)"
MIGRATION = (
    "https://claude-skills-guide-3lc.pages.dev/claude-cost-migration-switching-providers-analysis/ "
    "(read 2026-11-22)"
)
GATEWAY = "https://tianpan.co/blog/2026-04-17-llm-vendor-lock-in-hidden-switching-costs (read 2026-11-22)"


def _share(value: Any) -> Any:
    if isinstance(value, str):
        number = exact(value)
        if not 0 <= number <= 1:
            raise ValueError("is a share: between 0 and 1")
        return number
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        try:
            number = exact(value)
        except ValueError:
            number = Fraction(1, 2)  # as wrong as any
        if number.denominator != 1:
            raise ValueError("is not a whole number")
        return int(number)
    return value


def _confidence(value: Any) -> Any:
    number = _share(value)
    if isinstance(number, Fraction) and not Fraction(1, 2) < number < 1:
        raise ValueError("is over 0.5 and under 1, such as 0.95")
    return number


def _bar(value: Any) -> Any:
    return None if value == "none" else _share(value)


def _signed(value: Any) -> Any:
    return exact(value) if isinstance(value, str) else value


def _within_reason(value: Fraction) -> Fraction:
    if value > MOST:
        raise ValueError("is over 10¹²: no team has that much")
    return value


Quantity = Annotated[schema.Quantity, AfterValidator(_within_reason)]
Share = Annotated[Fraction, BeforeValidator(_share)]
Whole = Annotated[int, BeforeValidator(_whole)]
Bar = Annotated[Fraction | None, BeforeValidator(_bar)]
Signed = Annotated[Fraction, BeforeValidator(_signed)]


def _default(value: Any, unit: str, why: str) -> Any:
    """A default with its unit and reason."""
    return Field(default=value, json_schema_extra={"unit": unit, "why": why})


class Growth(Record):
    """How the number of requests changes; their sizes and hours stay as logged."""

    monthly: Signed = _default(Fraction(0), "share a month", "nobody but the team knows its plans")
    uncertainty: Quantity = _default(
        Fraction(1, 100), "share a month, standard deviation", "assumed: ± 1 point a month is ± 43% over 36"
    )

    @model_validator(mode="after")
    def _possible(self) -> Growth:
        if not Fraction(-1, 2) < self.monthly <= 1:
            raise ValueError("`monthly` is a share between −0.5 and 1, such as 0.03 for 3% a month")
        if self.uncertainty > Fraction(1, 2):
            raise ValueError("`uncertainty` is a share a month, at most 0.5")
        return self


class Present(Record):
    """The offer the team is integrated with, and for how long."""

    offer: str
    months: Annotated[Whole, Field(ge=0)] = _default(0, "months of use", "counted as just begun")


class MustHave(Record):
    """What an offer must have to be considered at all."""

    regions: list[str] | None = _default(None, "regions", "no region is required")
    no_training: bool = _default(False, "yes or no", "not required unless said")
    commercial: bool = _default(
        True, "yes or no", "work for others; terms that allow only trials are refused"
    )
    context: Annotated[Whole, Field(gt=0)] | None = _default(
        None, "tokens of input", "what was logged decides"
    )
    served: Share = _default(
        Fraction(0), "share of requests", "what an offer refuses is costed, not forbidden"
    )
    success: Share = _default(Fraction(0), "share of calls", "no evidence of errors is demanded")
    unpublished: Literal["accept", "refuse"] = _default(
        "accept", "what an unpublished fact counts as", "most vendors publish neither region nor data use"
    )


class Quality(Record):
    """How good a candidate must be, by the team's own evaluations or, failing those, published figures.
    `none` lifts a bar."""

    margin: Bar = _default(Fraction(1, 20), "points of pass rate", "assumed: within 5 of the present")
    pass_rate: Bar = _default(None, "share of prompts", "no level is required")
    confidence: Annotated[Fraction, BeforeValidator(_confidence)] = _default(
        Fraction(19, 20), "confidence of the limit held against the bar", "as is usual"
    )
    undecided: Literal["accept", "refuse"] = _default(
        "accept", "what an undecided candidate counts as", "published figures rarely decide; it is marked"
    )


class Switching(Record):
    """Work of one switch by part, in engineer days, and how it deepens with use."""

    adapter: Quantity = _default(Fraction(2), "engineer days", f"1 to 3 days of API work: {COSTS_2026}")
    prompts: Quantity = _default(
        Fraction(3), "engineer days", f"500 to 2,000 USD for a small team, the larger end: {MIGRATION}"
    )
    evaluation: Quantity = _default(
        Fraction(2), "engineer days", f"300 to 1,000 USD to test, and a cut-over: {MIGRATION}"
    )
    approval: Quantity = _default(Fraction(1), "engineer days", "assumed: one review of contract and data")
    data_migration: Quantity = _default(
        Fraction(0), "engineer days", "chat and completion calls leave no data with the vendor"
    )
    deepening: Quantity = _default(
        Fraction(1, 20), "share of the work a month of use", "assumed: what is built on a vendor grows"
    )
    deepest: Quantity = _default(
        Fraction(3), "times the work of the first day", "assumed; sources range from 2,000 to 200,000 USD"
    )

    def days(self, months: int, saves: Saves | None = None) -> tuple[float, float]:
        """Engineer days of a switch to another vendor after so many months of use, and of one within the
        vendor; `saves`: what portability takes off."""
        due = {
            part: float(getattr(self, part)) * (1 - (float(getattr(saves, part)) if saves else 0.0))
            for part in PARTS
        }
        depth = min(1 + float(self.deepening) * months, float(self.deepest))
        work, near = (sum(due[part] for part in parts) * depth for parts in (DEEPENS, WITHIN))
        return work + due["approval"], near

    @model_validator(mode="after")
    def _grows(self) -> Switching:
        if self.deepest < 1:
            raise ValueError("`deepest` is at least 1: depth never makes leaving cheaper")
        return self


class Ecosystem(Record):
    """What a vendor's own surroundings give and take: uncertain on joining, certain on leaving."""

    gain: tuple[Quantity, Quantity]
    loss: Quantity

    @model_validator(mode="after")
    def _ordered(self) -> Ecosystem:
        if self.gain[0] > self.gain[1]:
            raise ValueError("`gain` is [least, most] a month")
        return self


class Saves(Record):
    """The share of each part that portability saves at a switch."""

    adapter: Share = _default(Fraction(9, 10), "share saved", "a gateway speaks each vendor's protocol")
    prompts: Share = _default(
        Fraction(3, 10), "share saved", f"a layer alone saves about a fifth in all: {GATEWAY}"
    )
    evaluation: Share = _default(
        Fraction(6, 10), "share saved", "assumed: tests that run on any model stand ready"
    )
    approval: Share = _default(Fraction(0), "share saved", "contracts are not portable")
    data_migration: Share = _default(Fraction(5, 10), "share saved", "assumed")


class Portability(Record):
    """Building so that a switch is cheap: the price now, and what it saves then."""

    setup: Quantity = _default(
        Fraction(4), "engineer days", "assumed: a gateway, and prompts and tests in one place"
    )
    upkeep: Quantity = _default(Fraction(1, 4), "engineer days a month", "assumed")
    saves: Saves = Saves()


class Team(Record):
    """One team. Money is in `currency`; see the defaults for units and reasons."""

    team: str = _default("the team", "name", "")
    currency: Currency = _default("USD", "currency of every amount here", "prices are mostly quoted in it")
    horizon: Annotated[Whole, Field(ge=1, le=120)] = _default(
        36, "months", "three years, as budgets are made"
    )
    discount: Quantity = _default(
        Fraction(1, 10), "share a year", "assumed: near the cost of capital of software firms"
    )
    growth: Growth = Growth()
    present: Present | None = _default(None, "offer in use", "the team starts anew")
    several_vendors: bool = _default(True, "yes or no", "nothing is known to stand in the way")
    must_have: MustHave = MustHave()
    quality: Quality = Quality()
    engineer_day: Quantity | None = _default(
        None, "money a day", f"800 USD: 8 h at 75 to 150 USD, the lower half: {MIGRATION}"
    )
    switching: Switching = Switching()
    ecosystem: dict[str, Ecosystem] = _default({}, "by vendor", "no benefit is counted that nobody named")
    portability: Portability = Portability()
    second_vendor: Quantity = _default(
        Fraction(1, 2), "engineer days a month", "assumed: upkeep of a second integration"
    )
    revenue: Quantity | None = _default(
        None, "money per 1,000 requests served", "unknown: no return is shown"
    )
    refused: Quantity | None = _default(
        None, "money per refused request", "refused work is served elsewhere at the price as logged"
    )

    def assumptions(self) -> list[Assumption]:
        """Every setting, in order: its value, unit and reason, and whether the team said it."""
        return _assumptions(self, "")


@dataclass(frozen=True)
class Assumption:
    """One setting. `given`: the team said so; otherwise the default stands, for the reason in `why`."""

    key: str
    value: str
    unit: str
    why: str
    given: bool


def _assumptions(record: Record, prefix: str) -> list[Assumption]:
    found: list[Assumption] = []
    for name, field in type(record).model_fields.items():
        value, key = getattr(record, name), f"{prefix}{name}"
        extra = field.json_schema_extra
        if isinstance(value, Record) and not isinstance(value, Present):
            found += _assumptions(value, f"{key}.")
        elif isinstance(extra, Mapping):
            given = name in record.model_fields_set
            found.append(Assumption(key, _text(value), str(extra["unit"]), str(extra["why"]), given))
    return found


def _text(value: Any) -> str:
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    if isinstance(value, Record):
        return ", ".join(f"{k} {_text(getattr(value, k))}" for k in type(value).model_fields)
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_text(v)}" for k, v in value.items()) or "none"
    if isinstance(value, tuple | list):
        return " to ".join(_text(v) for v in value)
    return "not said" if value is None else str(value)


def read(path: Path) -> Team:
    """The team of a YAML file.

    Raises:
        DefinitionError: naming file, line and key of the first mistake.
    """
    return _one(load(path), str(path))


def where(path: Path, *key: str | int) -> str:
    """`file:line: key` of a setting in a team's file, for messages that only a catalogue can cause."""
    documents = load(path)
    return documents[0].where(key) if documents else str(path)


def of(text: str, source: str = "team") -> Team:
    """The team of a YAML text; `source` is what messages call it.

    Raises:
        DefinitionError: naming line and key of the first mistake.
    """
    return _one(parse(text, source), source)


def _one(documents: list[Document], source: str) -> Team:
    if not documents:
        return Team()
    if len(documents) > 1:
        raise DefinitionError(
            f"{len(documents)} documents, and a team is one", where=source, remedy="one file for each team"
        )
    if not isinstance(documents[0].data, dict):
        raise DefinitionError("a team is keys and values", where=source, remedy="see docs/advice.md")
    return documents[0].validate(Team)
