"""Definitions of markets: YAML a strategist edits by hand, made into the arrays that the model runs.

What may stand in one is in `pricewar.market.schema`; parameters with their units and bounds in
`pricewar.market.fields`; both as a page in docs/market_parameters.md.

Numbers are brought to the parameter's own unit by `pricewar.market.quantities` and the definition's
`exchange`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricewar import definitions
from pricewar.definitions import Document, Key
from pricewar.errors import ConfigurationError, DefinitionError, did_you_mean
from pricewar.market import fields, quantities
from pricewar.market.schema import Assumption, Basis, Text, from_basis, last_day

if TYPE_CHECKING:
    from pricewar.market.model import Market


@dataclass(frozen=True)
class Entry:
    """One number, in its parameter's unit.

    Attributes:
        where: its address, as in `model.Uncertain.where`; ("affinity" or "ecosystem", type, vendor);
            ("script", place, column); ("month_0", what); ("exchange", currency); ("output_share",).
        value, low, high: central value and range (equal when there is none).
        written: the number and unit as the definition has them. key: its place in the text.
        because: an assumption's reason, or a fact's note. source: the source's name in the definition.
        dated: the day of which it is. structural: it holds beyond its day.
    """

    where: tuple[str, ...]
    value: float
    low: float
    high: float
    unit: str
    written: str
    key: Key
    log: bool = False
    group: str = ""
    assumed: bool = False
    because: str | None = None
    source: str | None = None
    dated: str | None = None
    structural: bool = False
    confidence: str = "low"


@dataclass(frozen=True, eq=False)
class Definition:
    """A definition read: its text, its document (for places in messages) and every number in it."""

    text: Text
    document: Document
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The market's name."""
        return self.text.market


def bundled() -> tuple[str, ...]:
    """Names of the markets that come with the package."""
    folder = resources.files("pricewar.market.markets")
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def load(market: str | Path) -> Definition:
    """A bundled market by name, or a definition by its file.

    Raises:
        ConfigurationError: neither a bundled market nor a file.
        DefinitionError: a mistake, at file, line and key.
    """
    if str(market) in bundled():
        file = resources.files("pricewar.market.markets") / f"{market}.yaml"
        documents = definitions.parse(file.read_text(encoding="utf-8"), f"{market}.yaml")
    else:
        path = Path(market)
        if not path.is_file():
            raise ConfigurationError(
                f"“{market}” is no bundled market and no file",
                remedy=did_you_mean(str(market), bundled()) or f"bundled: {', '.join(bundled())}",
            )
        documents = definitions.load(path)
    if len(documents) != 1:
        raise DefinitionError(
            "a market is one document", where=documents[1].where(()) if documents else str(market),
            remedy="keep one market to a file",
        )  # fmt: skip
    return read(documents[0])


def read(document: Document) -> Definition:
    """A validated definition from a document.

    Raises:
        DefinitionError: an unknown name, a missing unit, a range without its value, a value out of bounds, a
            fact of the market's own future; at file, line and key.
    """
    text = document.validate(Text)
    reader = _Reader(text, document)
    return Definition(text, document, tuple(reader.entries()))


def market(definition: Definition | str | Path) -> Market:
    """The arrays of a definition, its ranges as uncertain parameters.

    Raises:
        DefinitionError: as `read`. ConfigurationError: as `load` and `model.check`.
    """
    import numpy as np

    from pricewar.market import kernel as k
    from pricewar.market import model

    if not isinstance(definition, Definition):
        definition = load(definition)
    text = definition.text
    types = _type_names(text)
    vendors = tuple(text.vendors.each)
    g = np.array([_off(fields.MARKET, n) for n in k.MARKET_FIELDS])
    v = np.tile([_off(fields.VENDOR, n) for n in k.VENDOR_FIELDS], (len(vendors), 1))
    t = np.tile([_off(fields.TYPE, n) for n in k.TYPE_FIELDS], (len(types), 1))
    chi, eco = np.zeros((len(types), len(vendors))), np.zeros((len(types), len(vendors)))
    uncertain = []
    for e in definition.entries:
        if e.where[0] == "market":
            g[k.MARKET_FIELDS.index(e.where[1])] = e.value
        elif e.where[0] == "vendor":
            v[vendors.index(e.where[1]), k.VENDOR_FIELDS.index(e.where[2])] = e.value
        elif e.where[0] == "type":
            t[list(types).index(e.where[1]), k.TYPE_FIELDS.index(e.where[2])] = e.value
        elif e.where[0] in ("affinity", "ecosystem"):
            array = chi if e.where[0] == "affinity" else eco
            array[list(types).index(e.where[1]), vendors.index(e.where[2])] = e.value
        if e.low < e.high and e.where[0] in ("market", "vendor", "type"):
            uncertain.append(model.Uncertain(e.where, e.low, e.high, e.log, e.group))
    segments = tuple(text.types.segments)
    for i, (segment, row) in enumerate(types.values()):
        t[i, k.SEGMENT] = segments.index(segment)
        vertical = _said("vertical", row, text.types.segments[segment].get("all"), text.types.all)
        t[i, k.VERTICAL] = text.verticals.index(vertical) if vertical else -1
    for j, name in enumerate(vendors):
        levels = text.vendors.each[name], text.vendors.all
        v[j, k.V_CONDUCT] = k.CONDUCTS.index(_said("conduct", *levels) or "invest")
        specialist = _said("specialist", *levels)
        v[j, k.V_SPECIALIST] = 1 + text.verticals.index(specialist) if specialist else 0
    made = model.Market(
        name=text.market,
        currency=text.currency,
        start=text.start,
        months=text.months,
        per_month=text.steps_per_month,
        vendors=vendors,
        types=tuple(types),
        segments=segments,
        verticals=tuple(text.verticals),
        g=g,
        v=v,
        t=t,
        chi=chi,
        eco=eco,
        script=_script(definition, vendors),
        uncertain=tuple(uncertain),
    )
    model.check(made)
    return made


def _script(definition: Definition, vendors: tuple[str, ...]) -> Any:
    import numpy as np

    rows = np.full((len(definition.text.script), 5), -1.0)
    for n, each in enumerate(definition.text.script):
        days = (each.on - definition.text.start).days
        rows[n, 0], rows[n, 1] = days * 24 / quantities.HOURS, vendors.index(each.vendor)
    columns = {"light": 2, "flagship": 3, "allowance": 4}
    for e in definition.entries:
        if e.where[0] == "script":
            rows[int(e.where[1]), columns[e.where[2]]] = e.value
    return rows[np.argsort(rows[:, 0], kind="stable")]


def _said(name: str, *levels: Any) -> str | None:
    """What the first of the levels says of that name, or None."""
    return next((value for row in levels if row is not None and (value := getattr(row, name))), None)


def _off(table: Mapping[str, fields.Field], name: str) -> float:
    off = table[name].off
    return 0.0 if off is None else off


def _type_names(text: Text) -> dict[str, tuple[str, Any]]:
    """Every type's name (`segment-size`, or the segment's when it has one size), its segment and its row."""
    names = {}
    for segment, sizes in text.types.segments.items():
        own = [size for size in sizes if size != "all"]
        for size in own:
            names[segment if len(own) == 1 else f"{segment}-{size}"] = (segment, sizes[size])
    return names


class _Reader:
    """Turns every number of a definition into an `Entry`, and says where one is wrong."""

    def __init__(self, text: Text, document: Document) -> None:
        self.text, self.document = text, document
        self.rates: dict[str, float] = {text.currency: 1.0}

    def wrong(self, what: str, key: Key, remedy: str | None = None) -> DefinitionError:
        return DefinitionError(what, where=self.document.where(key), remedy=remedy)

    def entries(self) -> Iterator[Entry]:
        text = self.text
        if not text.vendors.each:
            raise self.wrong("there is no vendor", ("vendors", "each"), "name at least one")
        self.names()
        for money, rate in text.exchange.items():
            entry = self.number(
                rate, ("exchange", money), ("exchange", money), f"{text.currency}/{money}", None,
                fields.Field("", 1e-9, 1e9, None, ""), raw=True,
            )  # fmt: skip
            self.rates[money] = entry.value
            yield entry
        self.blend = None
        if text.output_share is not None:
            entry = self.number(
                text.output_share, ("output_share",), ("output_share",), "share", None,
                fields.Field("share", 0, 1, None, ""),
            )  # fmt: skip
            self.blend = entry.value
            yield entry
        for name, unit in (("tokens", "mn tokens/month"), ("revenue", "money/month")):
            value = getattr(text.month_0, name)
            if value is not None:
                field = fields.Field(unit, 0, fields.BIG, None, "")
                yield self.number(value, ("month_0", name), ("month_0", name), unit, None, field)
        for name, field in fields.MARKET.items():
            if not field.given:
                continue
            value = getattr(text.mechanisms, name)
            if value is None:
                self.required(field, name, ("mechanisms",))
                continue
            yield self.number(value, ("market", name), ("mechanisms", name), field.unit, None, field)
        yield from self.types()
        yield from self.vendors()
        yield from self.fits()
        yield from self.script()

    def names(self) -> None:
        """Names that a parameter's address, a table and a file can tell apart."""
        text = self.text
        segments = text.types.segments
        types = [*segments, *_type_names(text)]
        sizes = [(size, ("types", "segments", s, size)) for s, row in segments.items() for size in row]
        named = [
            (text.market, ("market",)),
            *((name, ("types", "segments", name)) for name in segments),
            *sizes,
            *((name, ("vendors", "each", name)) for name in text.vendors.each),
        ]
        for name, key in named:
            if not name.strip() or not name.isprintable() or "=" in name:
                raise self.wrong(
                    "a name is empty" if not name.strip() else f"“{name}” cannot be a name", key,
                    "write visible letters on one line, without “=”",
                )  # fmt: skip
        for name in text.vendors.each:
            if name in ("vendors", "types", *types):
                what = "all of them" if name in ("vendors", "types") else "a segment or type of team"
                raise self.wrong(
                    f"“{name}” already names {what}", ("vendors", "each", name), "name the vendor otherwise"
                )
        for name in segments:
            if name in ("vendors", "types", "all"):
                raise self.wrong(
                    f"“{name}” already names all of them", ("types", "segments", name), "rename the segment"
                )

    def required(self, field: fields.Field, name: str, key: Key) -> None:
        if field.off is None:
            raise self.wrong(
                f"“{name}” is missing: {field.meaning}", key, f"give it, in {self.own(field.unit)}"
            )

    def types(self) -> Iterator[Entry]:
        table = self.text.types
        found = _type_names(self.text)
        if not found:
            raise self.wrong(
                "there is no type of team", ("types", "segments"), "name a segment and its sizes"
            )
        if len(found) < sum(len([s for s in sizes if s != "all"]) for sizes in table.segments.values()):
            raise self.wrong("two types of team have one name", ("types", "segments"), "rename a size")
        for segment, sizes in table.segments.items():
            own = [size for size in sizes if size != "all"]
            if not own:
                raise self.wrong("a segment has sizes beside `all`", ("types", "segments", segment))
            for size in own:
                type_ = segment if len(own) == 1 else f"{segment}-{size}"
                levels: list[tuple[Any, Key, str]] = [(sizes[size], ("types", "segments", segment, size), "")]
                if "all" in sizes:
                    levels.append((sizes["all"], ("types", "segments", segment, "all"), f"{segment}."))
                levels.append((table.all, ("types", "all"), "types."))
                for row, key, _ in levels:
                    if row.vertical:
                        self.known(row.vertical, self.text.verticals, "vertical", (*key, "vertical"))
                yield from self.row("type", type_, levels, fields.TYPE, table.basis)

    def vendors(self) -> Iterator[Entry]:
        table = self.text.vendors
        for vendor, row in table.each.items():
            key = ("vendors", "each", vendor)
            levels = [(row, key, ""), (table.all, ("vendors", "all"), "vendors.")]
            for each, at, _ in levels:
                if each.specialist:
                    self.known(each.specialist, self.text.verticals, "vertical", (*at, "specialist"))
            yield from self.row("vendor", vendor, levels, fields.VENDOR, table.basis)

    def row(
        self, kind: str, name: str, levels: list[tuple[Any, Key, str]], table: Mapping[str, fields.Field],
        bases: Any,
    ) -> Iterator[Entry]:  # fmt: skip
        for parameter, field in table.items():
            if not field.given:
                continue
            for row, key, shared in levels:
                value = getattr(row, parameter)
                if value is not None:
                    # One number said for many rows is one uncertainty, not many.
                    yield self.number(
                        value, (kind, name, parameter), (*key, parameter), field.unit,
                        getattr(bases, parameter), field, group=f"{shared}{parameter}" if shared else "",
                    )  # fmt: skip
                    break
            else:
                self.required(field, parameter, levels[0][1])

    def fits(self) -> Iterator[Entry]:
        types = _type_names(self.text)
        for kind, table in (("affinity", self.text.affinities), ("ecosystem", self.text.ecosystems)):
            if table is None:
                continue
            field = fields.Field("utility", -60, 60, 0, "")
            top = "affinities" if kind == "affinity" else "ecosystems"
            known = ["all", *self.text.types.segments, *types]
            for row, vendors in table.each.items():
                self.known(row, known, "type or segment", (top, "each", row))
                for vendor in vendors:
                    self.known(vendor, self.text.vendors.each, "vendor", (top, "each", row, vendor))
            for name, (segment, _) in types.items():
                for vendor in self.text.vendors.each:
                    for row in dict.fromkeys((name, segment, "all")):
                        if vendor in table.each.get(row, {}):
                            key = (top, "each", row, vendor)
                            number = table.each[row][vendor]
                            yield self.number(
                                number, (kind, name, vendor), key, "utility", table.basis, field,
                                group=f"{top}.{row}.{vendor}",
                            )  # fmt: skip
                            break

    def script(self) -> Iterator[Entry]:
        for n, each in enumerate(self.text.script):
            self.known(each.vendor, self.text.vendors.each, "vendor", ("script", n, "vendor"))
            if each.on < self.text.start:
                raise self.wrong(
                    f"{each.on} is before the market starts", ("script", n, "on"),
                    f"it starts {self.text.start}; what held before stands under `vendors`",
                )  # fmt: skip
            if each.light is None and each.flagship is None and each.allowance is None:
                raise self.wrong("the day has no terms", ("script", n), "give light, flagship or allowance")
            if _said("conduct", self.text.vendors.each[each.vendor], self.text.vendors.all) == "fringe":
                raise self.wrong(
                    f"“{each.vendor}” is a fringe, whose prices follow its costs", ("script", n, "vendor"),
                    "name another vendor, or give this one the conduct scripted",
                )  # fmt: skip
            for column, like in (
                ("light", "price_light"),
                ("flagship", "price_flagship"),
                ("allowance", "allowance"),
            ):
                value = getattr(each, column)
                if value is not None:
                    field = fields.VENDOR[like]
                    yield self.number(
                        value, ("script", str(n), column), ("script", n, column), field.unit, None, field,
                        replay=True,
                    )  # fmt: skip

    def known(self, name: str, names: Any, what: str, key: Key) -> None:
        if name not in names:
            known = ", ".join(names) or "none"
            raise self.wrong(f"“{name}” is no {what}", key, did_you_mean(name, names) or f"known: {known}")

    def number(
        self, number: Any, where: tuple[str, ...], key: Key, unit: str, basis: Basis | None,
        field: fields.Field, *, group: str = "", raw: bool = False, replay: bool = False,
    ) -> Entry:  # fmt: skip
        """One number in the parameter's unit. `raw`: units are compared, not converted (exchange rates)."""
        target = self.own(unit)
        given_number = number
        if isinstance(number, int | float):
            if basis is None:
                raise self.wrong(
                    f"a bare number has neither unit nor source: “{number:g}”", key,
                    "write {value, unit, source, dated} or {assume, range, unit, because}"
                    + (", or give its column a basis" if where[0] in ("type", "vendor") else ""),
                )  # fmt: skip
            number = from_basis(float(number), basis)
        given = number.unit or (basis.unit if basis else None)
        if given is None:
            raise self.wrong("the unit is missing", key, f"give `unit`; the parameter's own is {target}")
        if raw:
            if given != target:
                raise self.wrong(f"the unit is {given}", (*key, "unit"), f"give {target}")
            change = float
        else:
            change = self.conversion(given, target, key)
        assumed = isinstance(number, Assumption)
        if assumed:
            centre = number.assume
        elif number.value is not None:
            centre = number.value
        else:
            if self.blend is None:
                raise self.wrong("two sides of a price, and no `output_share` to blend them", key)
            centre = number.input + self.blend * (number.output - number.input)
        low, high = number.range or (centre, centre)
        if not low <= centre <= high:
            raise self.wrong(
                f"the range [{low:g}, {high:g}] does not contain {centre:g}",
                (*key, "range") if isinstance(number.range, tuple) else key,
                "give [low, high] around the value",
            )
        if number.log and low <= 0:
            raise self.wrong(f"a range in logarithms starts above zero, not at {low:g}", (*key, "range"))
        value = change(centre)
        ends = sorted((change(low), change(high)))
        if basis is not None and basis.plus is not None and number is not given_number:
            # A column's margin stops where the parameter does.
            ends = [max(ends[0], min(field.low, value)), min(ends[1], max(field.high, value))]
        for each in (value, *ends):
            if not math.isfinite(each) or not field.low <= each <= field.high:
                own = f" ({each:g} {target})" if each != centre else ""
                raise self.wrong(
                    f"{centre:g} {given}{own} is out of bounds" if each == value else
                    f"the range reaches {each:g} {target}, out of bounds",
                    key, f"{field.low:g} to {field.high:g} {target}",
                )  # fmt: skip
        dated = None
        structural = False
        if number.source is not None:
            self.known(number.source, self.text.sources, "source", (*key, "source"))
            source = self.text.sources[number.source]
            dated, structural = source.dated, source.structural
            if not assumed:
                dated, structural = number.dated or dated, number.structural or structural
            if not structural and not replay:
                if dated is None:
                    raise self.wrong("the fact has no date", key, "give `dated`, or `structural: true`")
                if last_day(dated) >= self.text.start:
                    raise self.wrong(
                        f"a fact dated {dated} is of this market's own future (it starts {self.text.start})",
                        key, "use an earlier one, assume a range, or mark a lasting fact `structural: true`",
                    )  # fmt: skip
        return Entry(
            where=where, value=value, low=ends[0], high=ends[1], unit=target,
            written=f"{centre:g} {given}", key=key, log=number.log, group=number.group or group,
            assumed=assumed, because=number.because if assumed else number.note,
            source=number.source, dated=dated, structural=structural,
            confidence=number.confidence,
        )  # fmt: skip

    def own(self, unit: str) -> str:
        return unit.replace("money", self.text.currency)

    def conversion(self, given: str, target: str, key: Key) -> Callable[[float], float]:
        try:
            change = quantities.conversion(given, target, self.rates)
        except LookupError as error:
            raise self.wrong(
                f"no exchange rate for {error.args[0]}",
                (*key, "unit"),
                f"add it under `exchange`, in {self.text.currency}",
            ) from None
        if change is None:
            raise self.wrong(f"“{given}” is no unit of {target}", (*key, "unit"), f"give it in {target}")
        return change
