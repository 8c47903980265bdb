"""One case of advice: the log as work, offers that stand and their surfaces, futures in two halves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pricewar.advice.candidates import Excluded, Standing, present_model, screen
from pricewar.advice.evidence import published
from pricewar.advice.strategies import SPILL, Costs, Floats, Surfaces, World, costs_of
from pricewar.advice.surfaces import Response, Terms, responses
from pricewar.advice.team import DAY_USD, Team
from pricewar.advice.workload import Workload, models_of, workload
from pricewar.errors import ConfigurationError, DataError
from pricewar.futures import RETIRED, Futures
from pricewar.futures.records import tier_of
from pricewar.notes import Note

if TYPE_CHECKING:
    from pricewar.advice.evidence import Evidence
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.usage.log import Log


@dataclass
class Part:
    """Some of the futures, with what is random about the team in them."""

    futures: Futures
    load: Floats
    flat: Floats
    noise: Floats
    luck: Floats
    elsewhere: Floats

    @property
    def draws(self) -> int:
        return self.futures.draws

    def first(self, draws: int) -> Part:
        at = slice(0, draws)
        return Part(
            self.futures.between(0, draws),
            self.load[at],
            self.flat[at],
            self.noise[at],
            self.luck[at],
            self.elsewhere[at],
        )


@dataclass
class Case:
    """One team, its candidates and their surfaces, and the futures in two halves."""

    team: Team
    work: Workload
    names: list[str]
    found: dict[str, Response]
    standing: Standing
    excluded: list[Excluded]
    surfaces: Surfaces
    siblings: tuple[str | None, ...]
    vendor: NDArray[np.int64]
    costs: Costs
    portable: Costs
    second: float
    fit: Part
    judge: Part
    light: list[bool]
    mean_noise: Floats
    today: Floats
    refused: Floats
    notes: list[str]

    @classmethod
    def of(
        cls,
        log: Log,
        catalogue: Catalogue,
        offers: Iterable[Offer | str],
        team: Team,
        futures: Futures,
        evidence: Evidence | None,
        say: Callable[[str], None],
    ) -> Case:
        chosen = [catalogue.offer(o) if isinstance(o, str) else o for o in offers]
        if team.present is not None:
            chosen.append(catalogue.offer(team.present.offer))
        chosen = list({o.id: o for o in chosen}.values())
        _check(chosen, team, futures, log)
        notes = list(futures.notes)
        say("billing the log")
        models = models_of(log)
        now = present_model(team, catalogue, models)
        wanted = {o.latest.models[0].name for o in chosen} | ({now} if now else set())
        figures = published(sorted(wanted), as_of=futures.start)
        evidence = figures if evidence is None else evidence.joined(figures)
        standing = screen(chosen, team, evidence, now)
        siblings = {o.id: futures.sibling[futures.position(o.id)] for o in standing.offers}
        others = [
            catalogue.offers[s] for s in dict.fromkeys(siblings.values()) if s and s in catalogue.offers
        ]
        assumed = dict(standing.assumed)
        for offer, sibling in siblings.items():
            if sibling and offer in assumed:
                assumed.setdefault(sibling, assumed[offer])
        work = workload(
            log,
            catalogue,
            [*standing.offers, *others],
            futures.start,
            currency=team.currency,
            assumed=assumed,
        )
        notes += work.notes
        excluded = list(standing.excluded)
        unbilled = {id: why.text for id, why in work.comparison.not_billed}
        names: list[str] = []
        now_used = team.present.offer if team.present is not None else None
        for offer in standing.offers:
            entry = work.entries.get(offer.id)
            if entry is None:
                why = f"cannot be billed: {unbilled.get(offer.id, 'no price')}"
                excluded.append(Excluded(offer.id, why, "unbilled"))
            elif entry.served.mid == 0:
                why = "; ".join(dict.fromkeys(t.text for t, _, _ in entry.bill.refused))
                excluded.append(Excluded(offer.id, f"serves none of this work: {why}", "serves_none"))
            elif float(entry.served.mid or 0) < float(team.must_have.served):
                share = f"{float(entry.served.mid or 0):.0%}"
                why = f"serves {share} of the requests, the team needs more"
                excluded.append(Excluded(offer.id, why, "serves_share"))
            else:
                names.append(offer.id)
        lasting_on = [n for n in names if n == now_used or not _gone(futures, n)]
        if lasting_on:  # where all go, one of them must still do
            why = "ends within the first month: whoever joins it joins its successor"
            excluded += [Excluded(n, why, "ends") for n in names if n not in lasting_on]
            names = lasting_on
        if not names:
            raise DataError(
                "no offer can serve this work: " + "; ".join(f"{e.offer}: {e.why}" for e in excluded[:5]),
                remedy="name more offers, or ask less of them",
            )
        elsewhere, served_by = _elsewhere(team, work, futures, notes)
        futures = _cut(futures, names, team.horizon)
        load, flat = _loads(team, work, futures)
        say("surfaces of cost")
        billed = [s for s in dict.fromkeys([*names, *(siblings[n] for n in names)]) if s in work.entries]
        lost = {s for n in names if (s := siblings[n]) and s not in work.entries}
        words = "which bills what follows a free offer, cannot be billed"
        notes += [Note(f"{s}, {words}", "follows_unbilled", offer=s) for s in sorted(lost)]
        found = responses(work, billed, _range(load), _terms(futures, names, siblings))
        lasting = [work.entries[n].tariff.record.kind in ("list", "pack", "provisioned") for n in names]
        surfaces = Surfaces.of(names, [siblings[n] for n in names], found, lasting)
        vendors = [catalogue.offers[n].latest.vendor for n in names]
        rate, _ = catalogue.exchange("USD", team.currency, futures.start)
        day = float(team.engineer_day if team.engineer_day is not None else DAY_USD * rate)
        worth = _worth(team, work, found, names)
        present = names.index(team.present.offer) if team.present and team.present.offer in names else -1
        if team.present is not None and present < 0:
            text = f"{team.present.offer}, in use now, does not stand: the team is taken to start anew"
            notes.append(Note(text, "anew", offer=team.present.offer))
        given: dict[str, Any] = {
            "day": day, "worth": worth, "requests": work.requests, "present": present, "served_by": served_by,
        }  # fmt: skip
        rows = [found[n] for n in names]
        costs = costs_of(team, vendors, rows, **given)
        noise, luck = _noise(futures, work, names), _luck(futures, sorted(set(vendors)), vendors)
        half = futures.draws // 2 if futures.draws > 1 else 0
        cuts = [(0, half), (half, futures.draws)] if half else [(0, 1), (0, 1)]
        parts = [
            Part(futures.between(a, b), load[a:b], flat[a:b], noise[a:b], luck[a:b], elsewhere[a:b])
            for a, b in cuts
        ]
        case = cls(
            team=team,
            work=work,
            names=names,
            found=found,
            standing=standing,
            excluded=excluded,
            surfaces=surfaces,
            siblings=tuple(siblings[n] for n in names),
            vendor=np.unique(vendors, return_inverse=True)[1].astype(np.int64),
            costs=costs,
            portable=costs_of(team, vendors, rows, portable=True, **given),
            second=day * float(team.second_vendor),
            fit=parts[0],
            judge=parts[1],
            light=[_light(work, n, float(rate)) for n in names],
            mean_noise=parts[0].noise.mean(axis=0),
            today=np.zeros(0),
            refused=np.zeros(0),
            notes=notes,
        )
        now_world = case.world(_today(parts[0], futures))
        case.today = now_world.gift_pay[0, 0]
        case.refused = now_world.gift_share[0, 0]
        if present < 0:  # who begins anew begins with both: the offer, and what serves what it refuses
            both = (case.refused > SPILL) & (costs.beside > 0)
            case.costs = replace(costs, extra=np.where(both, costs.join, 0.0))
            case.portable = replace(case.portable, extra=np.where(both, case.portable.join, 0.0))
        if half and half < 30:
            text = f"{futures.draws} futures are few: half fit the strategies, half judge them"
            notes.append(Note(text, "few", draws=futures.draws))
        return case

    @property
    def cheapest(self) -> int:
        """The offer with the least bill today, refused work included."""
        return int((self.today + self.refusing).argmin())

    @property
    def refusing(self) -> Floats:
        """[O] what work refused today is billed elsewhere, a month."""
        return self.refused * self.costs.requests * self.costs.worth

    def world(self, part: Part, *, portable: bool = False, without: frozenset[str] = frozenset()) -> World:
        """Futures with what they cost; `without`: causes that are taken away."""
        f, costs = part.futures, self.portable if portable else self.costs
        ones = np.ones_like(f.price)
        if "prices" in without:
            f = replace(f, price=ones, successor=ones)
        if "terms" in without:
            f = replace(f, status=np.zeros_like(f.status), allowance=ones, limit=ones)
        if "refusals" in without:
            costs = replace(costs, worth=np.zeros_like(costs.worth), beside=np.zeros_like(costs.beside))
        if "switching" in without:
            costs = replace(
                costs.free(),
                join=np.zeros_like(costs.join),
                extra=0.0,
                gain=np.zeros_like(costs.gain),
                beside=np.zeros_like(costs.beside),
                setup=0.0,
                upkeep=0.0,
            )
        load = part.flat if "growth" in without else part.load
        elsewhere = np.ones_like(part.elsewhere) if "prices" in without else part.elsewhere
        return World(
            f, self.surfaces, self.vendor, load, part.noise, part.luck, costs, self.mean_noise, elsewhere
        )


def _check(offers: Sequence[Offer], team: Team, futures: Futures, log: Log) -> None:
    for key in ("refused", "revenue"):
        if "requests" in log.unknown and getattr(team, key) is not None:
            raise ConfigurationError(
                "is money for requests, which this log does not count", where=key, remedy="leave it out"
            )
    if not offers:
        raise ConfigurationError("no offer to choose from", remedy="name offers, vendors or kinds")
    missing = [o.id for o in offers if o.id not in futures.offers]
    if missing:
        raise ConfigurationError(
            f"the futures hold nothing of {', '.join(missing[:5])}", remedy="make futures of all candidates"
        )
    if futures.months < team.horizon:
        raise ConfigurationError(
            f"the futures last {futures.months} months, the team's horizon is {team.horizon}",
            where="horizon",
            remedy=f"make futures of {team.horizon} months, or shorten the horizon",
        )


def _cut(futures: Futures, names: Sequence[str], months: int) -> Futures:
    """Futures of some offers, for some months."""
    at = [futures.position(n) for n in names]
    parts = {
        name: np.ascontiguousarray(getattr(futures, name)[:, :months][:, :, at])
        for name in ("price", "status", "allowance", "limit", "successor")
    }
    return replace(
        futures,
        offers=tuple(names),
        months=months,
        sibling=tuple(futures.sibling[i] for i in at),
        frontier=np.ascontiguousarray(futures.frontier[:, :months]),
        **parts,
    )


def _today(part: Part, futures: Futures) -> Part:
    """One draw of one month in which everything is as today."""
    one = np.ones((1, 1, len(futures.offers)))
    now = replace(
        part.futures.between(0, 1),
        months=1,
        price=one,
        status=np.zeros(one.shape, np.uint8),
        allowance=one,
        limit=one,
        successor=one,
        frontier=np.ones((1, 1, 2)),
    )
    plain = np.ones((1, 1))
    return Part(now, plain, plain, np.ones((1, one.shape[2])), np.full((1, one.shape[2]), 0.5), plain)


def _draw(futures: Futures, tag: int, shape: int, normal: bool) -> Floats:
    """[D, shape] numbers that are the same however many draws there are; a lone draw gets the middle."""
    if futures.draws == 1:
        return np.full((1, shape), 0.0 if normal else 0.5)
    rng = np.random.Generator(np.random.Philox(key=np.array([futures.seed, tag], dtype=np.uint64)))
    size = (futures.draws, shape)
    return rng.standard_normal(size) if normal else rng.random(size)


def _loads(team: Team, work: Workload, futures: Futures) -> tuple[Floats, Floats]:
    """([D, M] load as multiples of the logged month, the same without growth)."""
    z = _draw(futures, 1, 2, normal=True)
    monthly = np.clip(float(team.growth.monthly) + float(team.growth.uncertainty) * z[:, 0], -0.5, 1.0)
    level = np.exp(work.spread * z[:, 1] - work.spread**2 / 2) if futures.draws > 1 else np.ones(1)
    flat = np.repeat(level[:, None], futures.months, axis=1)
    return flat * (1 + monthly)[:, None] ** np.arange(futures.months), flat


def _noise(futures: Futures, work: Workload, names: Sequence[str]) -> Floats:
    """[D, O] factor on money where another model would serve: triangular in the logarithm, as assumed."""
    u = _draw(futures, 2, len(names), normal=False)
    out = np.ones_like(u)
    for i, name in enumerate(names):
        own = work.entries[name].own
        if work.entries[name].exact or not own.mid or own.low is None or own.high is None:
            continue
        low = float(np.log(max(float(own.low / own.mid), 0.1)))
        high = float(np.log(max(float(own.high / own.mid), 1.0)))
        if high - low < 1e-12 or futures.draws == 1:
            continue
        turn = -low / (high - low)
        left = low + np.sqrt(u[:, i] * (high - low) * -low)
        right = high - np.sqrt((1 - u[:, i]) * (high - low) * high)
        out[:, i] = np.exp(np.where(u[:, i] < turn, left, right))
    return out


def _luck(futures: Futures, unique: Sequence[str], vendors: Sequence[str]) -> Floats:
    """[D, O] where between least and most a vendor's ecosystem benefits the team."""
    u = _draw(futures, 3, len(unique), normal=False)
    return np.ascontiguousarray(u[:, [unique.index(v) for v in vendors]])


def _light(work: Workload, name: str, dollar: float) -> bool:
    """Whether an offer's model is a light one: as recorded, else by its name and its price for this work."""
    entry = work.entries[name]
    if entry.tariff.record.light is not None:
        return entry.tariff.record.light
    headline = work.comparison.per_million(entry.headline)
    price = float(headline) / dollar if headline is not None else None
    return tier_of(entry.tariff.record.models[0].name, price) == "light"


def _range(load: Floats) -> tuple[float, float]:
    return float(load.min()), float(load.max())


def _terms(futures: Futures, names: Sequence[str], siblings: dict[str, str | None]) -> dict[str, Terms]:
    """Ranges of factors that each offer's surface must cover; a sibling shares those of what it follows."""

    def span(*arrays: Floats) -> tuple[float, float]:
        low = min(float(a[a > 0].min(initial=1.0)) for a in arrays)
        return low, max(1.0, *(float(a.max(initial=1.0)) for a in arrays))

    found: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        for which in (name, siblings[name]):
            if which is not None:
                found.setdefault(which, []).append(i)
    f = futures
    return {
        which: Terms(
            limit=span(f.limit[:, :, at]),
            allowance=span(f.allowance[:, :, at]),
            price=span(f.price[:, :, at], f.successor[:, :, at]),
        )
        for which, at in found.items()
    }


def _gone(futures: Futures, offer: str) -> bool:
    """Whether an offer is retired within the first month in most futures."""
    return bool((futures.status[:, 0, futures.position(offer)] == RETIRED).mean() > 0.5)


def _elsewhere(
    team: Team, work: Workload, futures: Futures, notes: list[str]
) -> tuple[Floats, frozenset[str]]:
    """What becomes of the price at which refused work is served as logged: [D, M] factor, and by whom.

    Each model's price follows its own offer's future, and its successor's once it is retired, by its share of
    the bill as logged. Where the team says what a refused request costs, that is all it costs.
    """
    factor = np.zeros((futures.draws, team.horizon))
    if team.refused is not None:
        return factor + 1, frozenset()
    used = [(use.offer, float(use.total)) for use in work.comparison.models if use.offer and use.total]
    whole = sum(total for _, total in used)
    if not whole:
        return factor + 1, frozenset()
    unknown = []
    for offer, total in used:
        if offer.id in futures.offers:
            o, months = futures.position(offer.id), slice(0, team.horizon)
            gone = futures.status[:, months, o] == RETIRED
            path = np.where(gone, futures.successor[:, months, o], futures.price[:, months, o])
            factor += total / whole * path
        else:
            factor += total / whole
            unknown.append(offer.id)
    if unknown:
        offers = ", ".join(unknown[:3])
        text = f"the price of refused work is held where it is: no futures of {offers}"
        notes.append(Note(text, "held", offers=offers))
    return factor, frozenset(offer.latest.vendor for offer, _ in used)


def _worth(team: Team, work: Workload, found: dict[str, Response], names: Sequence[str]) -> Floats:
    """[O] what a request costs that an offer refuses: as the team says, with the revenue lost then; else what
    the offer refuses today costs as logged (long requests cost more than the average), or the average."""
    if team.refused is not None:
        lost = float(team.revenue or 0) / 1000
        return np.full(len(names), float(team.refused) + lost)
    if work.logged is None:
        if all(float(r.refused.max()) == 0 for r in found.values()):
            return np.zeros(len(names))
        unpriced = [use.model for use in work.comparison.models if use.total is None]
        raise ConfigurationError(
            f"what a refused request costs is unknown: no price is known for {', '.join(unpriced[:3])}",
            where="refused",
            remedy="say in the team what a refused request costs, as `refused: 0.01`",
        )
    usual = work.logged / work.requests
    each = []
    for name in names:
        entry = work.entries[name]
        refused = (1 - float(entry.served.mid or 0)) * work.requests
        cost = entry.overflow.mid
        each.append(float(cost) * float(work.factor) / refused if cost and refused > 0 else usual)
    return np.array(each)
