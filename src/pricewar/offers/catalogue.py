"""The catalogue: our own dated records above the list prices of genai-prices.

Two dates matter and are kept apart. *As of* a date: what was public then (announced, in force, or recorded
by then), so that advice can be judged without hindsight. *In force* on a date: what applied on it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path

from pricewar.definitions import load
from pricewar.errors import ConfigurationError, DefinitionError, FactError, did_you_mean
from pricewar.offers.schema import (
    Correction,
    CurrencyRate,
    End,
    FactFile,
    InForce,
    ModelName,
    OfferRecord,
    PriceList,
    Rate,
    Window,
)

FACTS = Path(__file__).parent / "facts"


@lru_cache(maxsize=65_536)
def canonical(model: str) -> str:
    """A model without vendor, tag or casing: `meta-llama/Llama-3.3-70B:free` → `llama-3.3-70b`."""
    name = model.strip().lower().rsplit("/", 1)[-1].split(":", 1)[0].split("@", 1)[0]
    return name.replace("_", "-").replace(" ", "-")


@dataclass(frozen=True)
class Offer:
    """An offer through time: its versions in the order in which they apply, none overlapping."""

    id: str
    versions: tuple[OfferRecord, ...]
    own: bool

    @property
    def latest(self) -> OfferRecord:
        return self.versions[-1]

    @cached_property
    def models(self) -> tuple[ModelName, ...]:
        """Every model any version has, as its latest version names it."""
        found: dict[str, ModelName] = {}
        for version in reversed(self.versions):
            for model in version.models:
                found.setdefault(model.name, model)
        return tuple(found.values())

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where in `models` a model stands, by every name and alias any version gives it."""
        at = {model.name: i for i, model in enumerate(self.models)}
        for version in reversed(self.versions):
            for model in version.models:
                for alias in model.aliases:
                    at.setdefault(alias, at[model.name])
        return at

    def on(self, moment: datetime) -> OfferRecord | None:
        """The version in force at `moment`, or None."""
        for version in self.versions:
            starts, until = version.in_force.from_, version.in_force.end
            if (not isinstance(starts, datetime) or starts <= moment) and (until is None or moment < until):
                return version
        return None

    def after(self, moment: datetime) -> list[OfferRecord]:
        """Versions that will apply later than `moment`."""
        return [
            v for v in self.versions if isinstance(v.in_force.from_, datetime) and v.in_force.from_ > moment
        ]

    def serves(self, model: str) -> ModelName | None:
        """The offer's model that is `model`: by name, alias, or openly published weights."""
        wanted = canonical(model)
        for ours in self.models:
            if wanted in {canonical(name) for name in (ours.name, *ours.aliases, ours.weights or ours.name)}:
                return ours
        return None


@dataclass(frozen=True)
class Catalogue:
    """Every offer known as of a date."""

    as_of: date
    offers: dict[str, Offer]
    corrections: tuple[Correction, ...] = ()
    currency_rates: tuple[CurrencyRate, ...] = ()
    _listed: dict[tuple[str, str], str | None] = field(default_factory=dict, compare=False)

    def offer(self, id: str) -> Offer:
        """The offer called `id`.

        Raises:
            ConfigurationError: there is none; the nearest id is named.
        """
        if id not in self.offers:
            raise ConfigurationError(
                f"no offer “{id}” as of {self.as_of}",
                remedy=did_you_mean(id, self.offers) or "`pricewar offers` lists them",
            )
        return self.offers[id]

    def select(self, patterns: Iterable[str]) -> list[Offer]:
        """Offers whose id, vendor or kind matches one of `patterns` (with * and ?), in catalogue order.

        Raises:
            ConfigurationError: a pattern matches nothing.
        """
        chosen: dict[str, Offer] = {}
        for pattern in patterns:
            found = [
                offer
                for offer in self.offers.values()
                if fnmatch.fnmatchcase(offer.id, pattern)
                or pattern in (offer.latest.vendor, offer.latest.kind)
            ]
            if not found:
                raise ConfigurationError(
                    f"no offer matches “{pattern}” as of {self.as_of}",
                    remedy=did_you_mean(
                        pattern, [*self.offers, *{o.latest.vendor for o in self.offers.values()}]
                    )
                    or "`pricewar offers` lists ids, vendors and kinds",
                )
            chosen.update((offer.id, offer) for offer in found)
        return list(chosen.values())

    def listed(self, vendor: str | None, model: str) -> Offer | None:
        """The pay-as-you-go offer a request for `model` at `vendor` is charged on, or None if nobody knows.

        Own records stand above listed ones that they replace; names are matched as genai-prices matches
        them, then by our own records' names and aliases.
        """
        key = (vendor or "", model)
        if key not in self._listed:
            self._listed[key] = self._find_listed(vendor, model)
        found = self._listed[key]
        return self.offers[found] if found else None

    def _find_listed(self, vendor: str | None, model: str) -> str | None:
        from pricewar.offers.listed import providers

        wanted = canonical(model)
        if model.lower().endswith(":free"):  # another tariff than the paid model's: nothing else will do
            free = [o for o in self.offers.values() if o.latest.kind == "free" and o.latest.vendor == vendor]
            return free[0].id if free else None
        own = [
            offer
            for offer in self.offers.values()
            if offer.own and offer.latest.kind in ("list", "introductory") and offer.serves(model)
        ]
        for offer in own:
            if vendor and offer.latest.vendor == vendor.lower():
                return offer.id
        from genai_prices.data_snapshot import DataSnapshot

        snapshot = DataSnapshot(providers=providers()[0], from_auto_update=False)
        for provider_id in (vendor, None) if vendor else (None,):
            for name in (model, wanted):
                try:
                    provider, info = snapshot.find_provider_model(name, None, provider_id, None)
                except (LookupError, ValueError):
                    continue
                id = f"{provider.id}/{info.id}"
                replaced = next(
                    (c.by for c in self.corrections if c.listed == id and c.by in self.offers), None
                )
                if replaced or id in self.offers:
                    return replaced or id
        return own[0].id if own else None

    def exchange(self, base: str, to: str, on: date) -> tuple[Fraction, CurrencyRate | None]:
        """Units of `to` for one of `base`: directly, or through one third currency.

        Of several days the latest on or before `on` counts, else the earliest after it.

        Raises:
            FactError: no records join the two currencies.
        """
        if base == to:
            return Fraction(1), None
        if (direct := self._recorded(base, to, on)) is not None:
            return direct
        for middle in ("USD", "EUR", "CNY"):
            first, second = self._recorded(base, middle, on), self._recorded(middle, to, on)
            if first is not None and second is not None:
                return first[0] * second[0], first[1]
        raise FactError(
            f"no exchange rate joins {base} and {to} as of {self.as_of}",
            remedy="add a `currency_rates` record to the facts, or choose another --currency",
        )

    def _recorded(self, base: str, to: str, on: date) -> tuple[Fraction, CurrencyRate] | None:
        near = [r for r in self.currency_rates if {r.base, r.to} == {base, to}]
        if not near:
            return None
        record = min(near, key=lambda r: (r.on > on, abs(r.on - on)))
        return (record.rate if record.base == base else 1 / record.rate), record


def load_facts(folder: Path = FACTS) -> list[tuple[str, FactFile]]:
    """Every fact file, validated.

    Raises:
        DefinitionError: at file, line and key.
    """
    found: list[tuple[str, FactFile]] = []
    for path in sorted(folder.glob("*.yaml")):
        found += [(path.name, document.validate(FactFile)) for document in load(path, name=path.name)]
    return found


@lru_cache(maxsize=4)
def load_catalogue(as_of: date | None = None, folder: Path = FACTS) -> Catalogue:
    """The catalogue as of a date (today when None).

    Raises:
        DefinitionError: a fact file is wrong, at file, line and key.
        FactError: facts contradict one another.
    """
    from pricewar.offers import listed

    day = as_of or datetime.now(UTC).date()
    records: dict[str, list[OfferRecord]] = {}
    ends: dict[str, list[End]] = {}
    corrections: list[Correction] = []
    rates: list[CurrencyRate] = []
    for _, file in load_facts(folder):
        for record in [*file.offers, *(row for prices in file.price_lists for row in _rows(prices))]:
            records.setdefault(record.id, []).append(record)
        for end in file.ends:
            ends.setdefault(end.id, []).append(end)
        corrections += file.corrections
        rates += file.currency_rates
    offers: dict[str, Offer] = {}
    replaced = {
        id for versions in records.values() for v in versions for id in v.replaces if v.known_on <= day
    }
    replaced |= {c.listed for c in corrections}
    for id, versions in records.items():
        offer = _joined(id, [v for v in versions if v.known_on <= day], ends.get(id, ()), day)
        if offer is not None:
            offers[id] = offer
    for correction in corrections:
        if correction.by not in records:
            raise FactError(
                f"a correction of “{correction.listed}” names “{correction.by}”, which no offer is called",
                where=str(folder),
                remedy=did_you_mean(correction.by, records),
            )
    by_id: dict[str, list[OfferRecord]] = {}
    for record in listed.offers():
        if record.id not in replaced and record.id not in records and record.recorded <= day:
            by_id.setdefault(record.id, []).append(record)
    for id, versions in by_id.items():
        closed = ends.get(id, ())
        offer = (
            _joined(id, versions, closed, day, own=False) if closed else Offer(id, tuple(versions), own=False)
        )
        if offer is not None:
            offers[id] = offer
    return Catalogue(day, offers, tuple(corrections), tuple(r for r in rates if r.on <= day) or tuple(rates))


def _joined(
    id: str, versions: Sequence[OfferRecord], ends: Sequence[End], day: date, *, own: bool = True
) -> Offer | None:
    """Versions in order, each ending where the next begins or where an `ends` record known by `day` says."""
    early = datetime.min.replace(tzinfo=UTC)

    def start(version: OfferRecord) -> datetime:
        return version.in_force.from_ if isinstance(version.in_force.from_, datetime) else early

    # Of two records of the same period the one recorded later corrects the earlier.
    latest: dict[datetime, OfferRecord] = {}
    for version in sorted(versions, key=lambda v: v.recorded):
        latest[start(version)] = version
    ordered = [latest[moment] for moment in sorted(latest)]
    if not ordered:
        return None
    joined: list[OfferRecord] = []
    for version, following in zip(ordered, [*ordered[1:], None], strict=True):
        stops = [version.in_force.end] if version.in_force.end else []
        if following is not None:
            stops.append(start(following))
        stops += [e.on for e in ends if e.known_on <= day and e.on > start(version)]
        until = min(stops) if stops else version.in_force.until
        joined.append(
            version.model_copy(
                update={"in_force": InForce.model_construct(from_=version.in_force.from_, until=until)}
            )
        )
    return Offer(id, tuple(joined), own=own)


def _rows(prices: PriceList) -> Iterable[OfferRecord]:
    """The offers a price list stands for."""
    for row in prices.rows:
        given = {
            m: getattr(row, m)
            for m in ("input", "output", "cache_read", "cache_write_5m")
            if getattr(row, m) is not None
        }
        rates = [Rate.model_validate(given)]
        for start, jump in row.above.items():
            rates.append(
                Rate.model_validate({**jump, "when": Window.model_construct(input_above=int(start))})
            )
        if row.batch is not None:
            rates.append(
                Rate.model_validate({"times": row.batch, "when": Window.model_construct(tier=["batch"])})
            )
        free = not any(given.values())
        yield OfferRecord(
            id=f"{prices.vendor}/{_slug(row.model)}/{prices.currency.lower()}",
            vendor=prices.vendor,
            plan=prices.plan,
            kind="free" if free else "list",
            models=[ModelName(name=row.model, weights=row.weights)],
            light=row.light,
            currency=prices.currency,
            tax=prices.tax,
            sources=prices.sources,
            confidence=prices.confidence,
            in_force=prices.in_force,
            announced=prices.announced,
            recorded=prices.recorded,
            eligibility=prices.eligibility,
            rates=rates,
            limits="unknown" if free and prices.limits == [] else prices.limits,
            charges=prices.charges,
            note=row.note,
        )


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "._:+-" else "-" for letter in name.strip())
    return "-".join(part for part in kept.split("-") if part).lower()


__all__ = ["Catalogue", "DefinitionError", "Offer", "canonical", "load_catalogue", "load_facts"]
