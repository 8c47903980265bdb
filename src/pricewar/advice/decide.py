"""The decision: one team's log, the real offers and many futures, to what it costs and what to do.

    advice = decide(read("usage.csv"), catalogue, catalogue.select(["openai", "free"]), team, futures)
    advice.outcome(advice.recommended).cost          # mean, its error, spread, worst twentieth
    advice.plan.begin, advice.plan.triggers, advice.lock_in.amount

Half of the futures fit the strategies (which offer to begin with, thresholds, the optimal policy), the other
half judges them; a lone future does both. All strategies meet the same futures, so differences are paired.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pricewar.advice import kernel
from pricewar.advice.candidates import Excluded, Standing, present_model, screen
from pricewar.advice.result import (
    Account,
    Advice,
    Candidate,
    Cause,
    Estimate,
    Look,
    Outcome,
    Plan,
    Rise,
    Share,
    Trigger,
    Worth,
)
from pricewar.advice.strategies import Costs, Floats, Path, Policy, Surfaces, World, costs_of, money
from pricewar.advice.team import DAY_USD, Team
from pricewar.advice.workload import Response, Terms, Workload, responses, workload
from pricewar.errors import ConfigurationError, DataError
from pricewar.futures import Futures
from pricewar.futures.records import tier_of

if TYPE_CHECKING:
    from pricewar.advice.evidence import Evidence
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.usage.log import Log

THRESHOLDS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 1.5, 2.5, 4.0)
DWELLS = (1, 2, 3)
UNTILS = (1, 2, 3, 6, 9, 12, 18, 24, kernel.FOREVER)
STARTS = 6
PLAINER = 0.01
PLAIN = ("stay", "flagship", "free", "trigger", "several", "optimal", "portable")
ACCOUNTED = 256
CAUSES = {
    "growth": "the work grows",
    "prices": "prices change",
    "terms": "free terms end, limits and allowances change, models are retired",
    "refusals": "what is refused must be served elsewhere or is lost",
    "switching": "integrating, moving and keeping up",
}
TITLES = {
    "stay": "stay with one offer",
    "free": "take the free offer and leave before it turns",
    "flagship": "one flagship throughout",
    "several": "two vendors side by side, each taking what the other refuses",
    "trigger": "move when a trigger is pulled",
    "optimal": "the optimal plan",
    "portable": "portable from the start, then the optimal plan",
    "cheapest": "always the cheapest of the month, paying every move",
    "frictionless": "always the cheapest if moving cost nothing",
    "clairvoyant": "knowing all of the future",
}


def decide(
    log: Log,
    catalogue: Catalogue,
    offers: Iterable[Offer | str],
    team: Team,
    futures: Futures,
    evidence: Evidence | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> Advice:
    """Advise one team.

    Args:
        offers: candidates, each with a place in `futures`; the team's present offer is added.
        futures: what offers may become; its first month is the first month of the advice.
        evidence: of candidates' quality; None: published figures stand in.
        progress: told what is being done.

    Raises:
        ConfigurationError: futures too short or without some candidate; the cost of refused work is unknown.
        DataError: a log that cannot be extrapolated; no offer that can serve the work.
    """
    say = progress or (lambda _: None)
    case = _Case.of(log, catalogue, offers, team, futures, evidence, say)
    say("fitting strategies")
    train, fresh = case.world(case.fit), case.world(case.judge)
    kept: list[_Strategy] = []
    skipped: list[Excluded] = []
    for found in _strategies(case, train):
        (kept if isinstance(found, _Strategy) else skipped).append(found)  # type: ignore[arg-type]
    say("judging them on fresh futures")
    best = min(s.fitted for s in kept)
    room = PLAINER * abs(best) + 1e-12
    recommended = next(s for key in PLAIN for s in kept if s.key == key and s.fitted <= best + room)
    accounts = {s.key: s.account(case, case.judge) for s in kept}
    costs = {key: money(found) for key, found in accounts.items()}
    outcomes = [_outcome(case, s, accounts[s.key]) for s in kept]
    benchmarks = _benchmarks(case, fresh)
    outcomes += [_outcome(case, s, found, benchmark=True) for s, found in benchmarks]
    costs |= {s.key: money(found) for s, found in benchmarks}
    mine = costs[recommended.key]
    outcomes = [replace(o, against=Estimate.of(costs[o.key] - mine)) for o in outcomes]
    staying = np.stack(
        [money(fresh.account(fresh.rule(kernel.STAY, o))) for o in range(len(case.names))], axis=1
    )
    cheap = case.cheapest
    single = staying[:, min(range(len(case.names)), key=lambda o: _stay(case, train, o).fitted)]
    freely = Policy.fit(train.with_costs(case.costs.free()))
    loose = fresh.with_costs(case.costs.free())
    free_cost = money(loose.account(freely.path(loose)))
    say("why it costs what it costs")
    explained = [_account(case, _stay(case, train, cheap))]
    if recommended.key != "stay" or recommended.settings["begin"] != case.names[cheap]:
        explained.append(_account(case, recommended))
    return Advice(
        team=team.team,
        currency=team.currency,
        start=futures.start,
        months=team.horizon,
        source=futures.source,
        cut_off=futures.cut_off,
        seed=futures.seed,
        fitted=case.fit.draws,
        judged=case.judge.draws,
        workload=_workload(case),
        assumptions=team.assumptions(),
        candidates=[_candidate(case, i, staying[:, i]) for i in range(len(case.names))],
        excluded=case.excluded,
        outcomes=outcomes,
        skipped=skipped,
        recommended=recommended.key,
        plan=_plan(case, train, fresh, recommended, kept),
        cheapest_today=case.names[cheap],
        dearest=Share.of(staying[:, cheap] >= staying.max(axis=1) * (1 - 1e-12)),
        dearer=Share.of(staying[:, cheap] > mine * (1 + 1e-12) + 1e-9),
        lock_in=Worth(
            Estimate.of(costs["optimal"] - free_cost),
            "what the optimal plan costs more because leaving is not free",
        ),
        portability=Worth(
            Estimate.of(costs["optimal"] - costs["portable"]),
            "what building portably from the start saves, its own cost paid",
        ),
        second_vendor=(
            Worth(
                Estimate.of(single - costs["several"]),
                "what a second vendor saves against the best single offer kept, its upkeep paid",
            )
            if "several" in costs
            else None
        ),
        regret=Estimate.of(mine - costs["clairvoyant"]),
        accounts=explained,
        notes=case.notes,
    )


# --- the case ---------------------------------------------------------------------------------------------


@dataclass
class _Part:
    """Some of the futures, with what is random about the team in them."""

    futures: Futures
    load: Floats
    flat: Floats
    noise: Floats
    luck: Floats

    @property
    def draws(self) -> int:
        return self.futures.draws

    def first(self, draws: int) -> _Part:
        at = slice(0, draws)
        return _Part(
            self.futures.between(0, draws), self.load[at], self.flat[at], self.noise[at], self.luck[at]
        )


@dataclass
class _Case:
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
    fit: _Part
    judge: _Part
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
    ) -> _Case:
        chosen = [catalogue.offer(o) if isinstance(o, str) else o for o in offers]
        if team.present is not None:
            chosen.append(catalogue.offer(team.present.offer))
        chosen = list({o.id: o for o in chosen}.values())
        _check(chosen, team, futures)
        notes = list(futures.notes)
        say("billing the log")
        models = _models(log)
        now = present_model(team, catalogue, models)
        if evidence is None:
            from pricewar.advice.evidence import published

            wanted = {o.latest.models[0].name for o in chosen} | ({now} if now else set())
            evidence = published(sorted(wanted), as_of=futures.start)
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
        for offer in standing.offers:
            entry = work.entries.get(offer.id)
            if entry is None:
                excluded.append(Excluded(offer.id, f"cannot be billed: {unbilled.get(offer.id, 'no price')}"))
            elif entry.served.mid == 0:
                why = "; ".join(dict.fromkeys(t.text for t, _, _ in entry.bill.refused))
                excluded.append(Excluded(offer.id, f"serves none of this work: {why}"))
            elif float(entry.served.mid or 0) < float(team.must_have.served):
                share = f"{float(entry.served.mid or 0):.0%}"
                excluded.append(Excluded(offer.id, f"serves {share} of the requests, the team needs more"))
            else:
                names.append(offer.id)
        if not names:
            raise DataError(
                "no offer can serve this work: " + "; ".join(f"{e.offer}: {e.why}" for e in excluded[:5]),
                remedy="name more offers, or ask less of them",
            )
        futures = _cut(futures, names, team.horizon)
        load, flat = _loads(team, work, futures)
        say("surfaces of cost")
        billed = [s for s in dict.fromkeys([*names, *(siblings[n] for n in names)]) if s in work.entries]
        lost = {s for n in names if (s := siblings[n]) and s not in work.entries}
        notes += [f"{s}, which bills what follows a free offer, cannot be billed" for s in sorted(lost)]
        found = responses(work, billed, _range(load), _terms(futures, names, siblings))
        surfaces = Surfaces.of(names, [siblings[n] for n in names], found)
        vendors = [catalogue.offers[n].latest.vendor for n in names]
        rate, _ = catalogue.exchange("USD", team.currency, futures.start)
        day = float(team.engineer_day if team.engineer_day is not None else DAY_USD * rate)
        worth = _worth(team, work, found)
        present = names.index(team.present.offer) if team.present and team.present.offer in names else -1
        if team.present is not None and present < 0:
            notes.append(f"{team.present.offer}, in use now, does not stand: the team is taken to start anew")
        given: dict[str, Any] = {"day": day, "worth": worth, "requests": work.requests, "present": present}
        rows = [found[n] for n in names]
        costs = costs_of(team, vendors, rows, **given)
        noise, luck = _noise(futures, work, names), _luck(futures, sorted(set(vendors)), vendors)
        half = futures.draws // 2 if futures.draws > 1 else 0
        cuts = [(0, half), (half, futures.draws)] if half else [(0, 1), (0, 1)]
        parts = [_Part(futures.between(a, b), load[a:b], flat[a:b], noise[a:b], luck[a:b]) for a, b in cuts]
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
        if half and half < 30:
            notes.append(f"{futures.draws} futures are few: half fit the strategies, half judge them")
        return case

    @property
    def cheapest(self) -> int:
        """The offer with the least cost today, refused work included."""
        return int((self.today + self.refused * self.costs.requests * self.costs.worth).argmin())

    def world(self, part: _Part, *, portable: bool = False, without: frozenset[str] = frozenset()) -> World:
        """Futures with what they cost; `without`: causes that are taken away."""
        f, costs = part.futures, self.portable if portable else self.costs
        ones = np.ones_like(f.price)
        if "prices" in without:
            f = replace(f, price=ones, successor=ones)
        if "terms" in without:
            f = replace(f, status=np.zeros_like(f.status), allowance=ones, limit=ones)
        if "refusals" in without:
            costs = replace(costs, worth=0.0)
        if "switching" in without:
            costs = replace(
                costs.free(),
                join=np.zeros_like(costs.join),
                gain=np.zeros_like(costs.gain),
                setup=0.0,
                upkeep=0.0,
            )
        load = part.flat if "growth" in without else part.load
        return World(f, self.surfaces, self.vendor, load, part.noise, part.luck, costs, self.mean_noise)


def _check(offers: Sequence[Offer], team: Team, futures: Futures) -> None:
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


def _models(log: Log) -> list[tuple[str, int]]:
    """Models asked for, with their requests."""
    import polars as pl

    counts: dict[str, int] = {}
    for frame in log.batches():
        grouped = frame.group_by("model").agg(pl.col("requests").fill_null(1).clip(lower_bound=1).sum())
        for model, requests in grouped.rows():
            counts[model] = counts.get(model, 0) + int(requests)
    return sorted(counts.items())


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


def _today(part: _Part, futures: Futures) -> _Part:
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
    return _Part(now, plain, plain, np.ones((1, one.shape[2])), np.full((1, one.shape[2]), 0.5))


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


def _worth(team: Team, work: Workload, found: dict[str, Response]) -> float:
    """What a refused request costs."""
    if team.refused is not None:
        return float(team.refused)
    if work.logged is not None:
        return work.logged / work.requests
    if all(float(r.refused.max()) == 0 for r in found.values()):
        return 0.0
    unpriced = [use.model for use in work.comparison.models if use.total is None]
    raise ConfigurationError(
        f"what a refused request costs is unknown: no price is known for {', '.join(unpriced[:3])}",
        where="refused",
        remedy="say in the team what a refused request costs, as `refused: 0.01`",
    )


# --- strategies -------------------------------------------------------------------------------------------


@dataclass
class _Strategy:
    """A strategy, fitted: `path` gives the offers used in a world, None for two vendors side by side."""

    key: str
    title: str
    offers: tuple[str, ...]
    settings: dict[str, Any]
    fitted: float
    path: Callable[[World], Path] | None = None
    pair: tuple[int, int] | None = None
    portable: bool = False

    def account(
        self, case: _Case, part: _Part, without: frozenset[str] = frozenset(), path: Path | None = None
    ) -> Floats:
        world = case.world(part, portable=self.portable, without=without)
        if self.pair is not None:
            return world.pair(*self.pair, 0.0 if "switching" in without else case.second)
        assert self.path is not None
        return world.account(self.path(world) if path is None else path)


def _stay(case: _Case, train: World, o: int, key: str = "stay") -> _Strategy:
    total = train.total(train.rule(kernel.STAY, o))
    return _Strategy(
        key, TITLES[key], (case.names[o],), {"begin": case.names[o]}, total, lambda w: w.rule(kernel.STAY, o)
    )


def _strategies(case: _Case, train: World) -> Iterable[_Strategy | Excluded]:
    """Every strategy, fitted on `train`, or why it cannot be had."""
    entries = [case.work.entries[n] for n in case.names]
    stays = [_stay(case, train, o) for o in range(len(case.names))]
    yield stays[case.costs.present] if case.costs.present >= 0 else min(stays, key=lambda s: s.fitted)
    free = [o for o, e in enumerate(entries) if e.tariff.record.kind in ("free", "grant", "introductory")]
    yield (
        _leave_free(case, train, free)
        if free
        else Excluded("free", "no free, granted or introductory offer stands")
    )
    flagships = [
        o
        for o, e in enumerate(entries)
        if not case.light[o] and e.tariff.record.kind in ("list", "provisioned", "pack")
    ]
    if flagships:
        best = min(flagships, key=lambda o: stays[o].fitted)
        yield replace(stays[best], key="flagship", title=TITLES["flagship"])
    else:
        yield Excluded("flagship", "no paid flagship stands")
    yield _trigger(case, train, [s.fitted for s in stays])
    yield _several(case, train)
    for key, portable in (("optimal", False), ("portable", True)):
        world = case.world(case.fit, portable=True) if portable else train
        policy = Policy.fit(world)
        path = policy.path(world)
        begin = case.names[int(np.bincount(path[:, 0]).argmax())]
        yield _Strategy(
            key, TITLES[key], (begin,), {"begin": begin}, world.total(path), policy.path, portable=portable
        )


def _leave_free(case: _Case, train: World, free: Sequence[int]) -> _Strategy:
    tried = [
        (train.total(train.rule(kernel.UNTIL, o, until=until)), o, -until)
        for o in free
        for until in UNTILS
        if until < case.team.horizon or until == kernel.FOREVER
    ]
    total, o, until = min(tried)
    until = -until  # of equals the latest
    leave = None if until == kernel.FOREVER else until
    settings = {"begin": case.names[o], "leave_in_month": leave}
    return _Strategy(
        "free", TITLES["free"], (case.names[o],), settings, total,
        lambda w: w.rule(kernel.UNTIL, o, until=until),
    )  # fmt: skip


def _trigger(case: _Case, train: World, stays: Sequence[float]) -> _Strategy:
    starts = sorted(range(len(stays)), key=lambda o: stays[o])[:STARTS]
    starts = list(
        dict.fromkeys([*starts, case.cheapest, *([case.costs.present] * (case.costs.present >= 0))])
    )
    tried = [
        (train.total(train.rule(kernel.TRIGGER, o, threshold, dwell)), o, threshold, dwell)
        for o in starts
        for threshold in THRESHOLDS
        for dwell in DWELLS
    ]
    total, o, threshold, dwell = min(tried)
    settings = {"begin": case.names[o], "rise": threshold, "months": dwell}
    return _Strategy(
        "trigger", TITLES["trigger"], (case.names[o],), settings, total,
        lambda w: w.rule(kernel.TRIGGER, o, threshold, dwell),
    )  # fmt: skip


def _several(case: _Case, train: World) -> _Strategy | Excluded:
    if not case.team.several_vendors:
        return Excluded("several", "the team works with one vendor at a time")
    pairs = [
        (a, b)
        for a, b in itertools.combinations(range(len(case.names)), 2)
        if case.vendor[a] != case.vendor[b]
    ]
    if not pairs:
        return Excluded("several", "all offers that stand are one vendor's")
    total, (a, b) = min((float(money(train.pair(a, b, case.second)).mean()), (a, b)) for a, b in pairs)
    both = (case.names[a], case.names[b])
    return _Strategy("several", TITLES["several"], both, {"begin": " + ".join(both)}, total, pair=(a, b))


def _benchmarks(case: _Case, fresh: World) -> list[tuple[_Strategy, Floats]]:
    cheapest, known = fresh.cheapest(), fresh.clairvoyant()
    free = case.world(case.judge, without=frozenset({"switching"}))
    found = {
        "cheapest": fresh.account(cheapest),
        "frictionless": free.account(free.cheapest()),
        "clairvoyant": fresh.account(known),
    }
    return [(_Strategy(k, TITLES[k], (), {}, float("nan")), account) for k, account in found.items()]


# --- results ----------------------------------------------------------------------------------------------


def _outcome(case: _Case, strategy: _Strategy, account: Floats, *, benchmark: bool = False) -> Outcome:
    cost = money(account)
    asked = case.judge.load * case.costs.requests
    lost = account[:, :, 4]
    monthly = account[:, :, :4].sum(axis=2).cumsum(axis=1)
    roi, month, never = None, None, None
    if case.team.revenue is not None:
        served = asked - lost if case.team.refused is not None else asked
        discount = case.costs.beta ** np.arange(served.shape[1])
        revenue = (served * float(case.team.revenue) / 1000 * discount).cumsum(axis=1)
        if (cost > 0).all():
            roi = Estimate.of(revenue[:, -1] / cost - 1, worst="low")
        paid = revenue >= monthly
        comes = paid.any(axis=1)
        never = Share.of(~comes)
        month = int(np.median(paid.argmax(axis=1)[comes])) + 1 if comes.any() else None
    quantiles = np.quantile(monthly, (0.05, 0.5, 0.95), axis=0)
    return Outcome(
        key=strategy.key,
        title=strategy.title,
        offers=strategy.offers,
        settings=strategy.settings,
        cost=Estimate.of(cost),
        parts={
            name: float(account[:, :, i].sum(axis=1).mean())
            for i, name in enumerate(("use", "refused", "switching", "ecosystem"))
        },
        unserved=float(lost.sum() / asked.sum()),
        unserved_requests=float(lost.sum(axis=1).mean()),
        switches=float(account[:, :, 5].sum(axis=1).mean()),
        roi=roi,
        break_even=month,
        never=never,
        by_month={
            **{k: quantiles[i].tolist() for i, k in enumerate(("p5", "p50", "p95"))},
            "mean": monthly.mean(axis=0).tolist(),
        },
        benchmark=benchmark,
    )


def _candidate(case: _Case, i: int, staying: Floats) -> Candidate:
    name = case.names[i]
    entry, found = case.work.entries[name], case.found[name]
    record = entry.tariff.record
    verdict = case.standing.verdicts.get(name)
    headline = entry.headline
    return Candidate(
        offer=name,
        vendor=record.vendor,
        model=record.models[0].name,
        kind=record.kind,
        light=case.light[i],
        today=float(case.today[i]),
        refused=float(case.refused[i]) * case.costs.requests * case.costs.worth,
        headline=float(headline) * case.work.factor if headline is not None else None,
        served=float(1 - case.refused[i]),
        exact=entry.exact,
        staying=Estimate.of(staying),
        sibling=case.siblings[i],
        verdict=verdict.answer if verdict is not None else None,
        because=tuple(verdict.because) if verdict is not None else (),
        doubts=tuple(case.standing.doubts.get(name, ())),
        warnings=tuple(t.text for t in entry.warnings),
        announced=tuple(t.text for t in entry.announced),
        compression={
            "rows": found.rows,
            "merged_cost": found.merged[0],
            "merged_refused": found.merged[1],
            "between_cost": found.between[0],
            "between_refused": found.between[1],
        },
    )


def _workload(case: _Case) -> dict[str, Any]:
    work = case.work
    stateful = [case.found[n] for n in case.names if case.found[n].rows]
    return {
        "rows": work.kept_rows,
        "days": work.days,
        "short": work.short,
        "spread": work.spread,
        "requests_a_month": work.requests,
        "tokens_a_month": work.tokens,
        "as_logged_a_month": work.logged,
        "refused_request": case.costs.worth,
        "compressed_rows": max((r.rows for r in stateful), default=0),
        "error_cost": max((max(r.merged[0], r.between[0]) for r in stateful), default=0.0),
        "error_refused": max((max(r.merged[1], r.between[1]) for r in stateful), default=0.0),
        "growth": {k: float(v) for k, v in zip(("p5", "p50", "p95"),
                   np.quantile(case.judge.load[:, -1], (0.05, 0.5, 0.95)), strict=True)},
    }  # fmt: skip


def _plan(case: _Case, train: World, fresh: World, chosen: _Strategy, kept: Sequence[_Strategy]) -> Plan:
    names, months = case.names, case.team.horizon
    if chosen.pair is not None:
        both = [names[i] for i in chosen.pair]
        occupancy = {n: [1.0] * months for n in both}
        first, left, agreed = chosen.pair[0], np.zeros(months), 1.0
    else:
        assert chosen.path is not None
        world = case.world(case.judge, portable=True) if chosen.portable else fresh
        path = chosen.path(world)
        counts = np.stack([(path == o).mean(axis=0) for o in range(len(names))])
        occupancy = {n: counts[o].tolist() for o, n in enumerate(names) if counts[o].any()}
        first = int(counts[:, 0].argmax())
        agreed = float(counts[first, 0])
        left = ((path != first).cumsum(axis=1) > 0).mean(axis=0)
    rises = _rises(case, train, first)
    looks = _looks(case, fresh, first, left)
    begin = " + ".join(names[i] for i in chosen.pair) if chosen.pair else names[first]
    return Plan(begin, agreed, tuple(_triggers(case, fresh, chosen, first, kept)), looks, rises, occupancy)


def _rises(case: _Case, train: World, o: int) -> tuple[Rise, ...]:
    """The lasting rise from which leaving pays, after some months of use: what staying costs from then on
    against the cheapest move and what follows it, on average over the futures used to fit."""
    mean = train.known.mean(axis=0)
    months, offers = mean.shape
    c = case.costs
    found = []
    for m in (0, 3, 6, 12, 18, 24, 36, 48):
        if m >= months or offers < 2:
            break
        factor = c.beta ** np.arange(months - m)
        worth = (mean[m:] * factor[:, None]).sum(axis=0)
        t = min(m + (c.used if o == c.present else 0), c.leave.shape[1] - 1)
        move = np.where(case.vendor == case.vendor[o], c.within[o, t], c.leave[o, t])
        other = np.where(np.arange(offers) == o, np.inf, worth + move)
        to = int(other.argmin())
        monthly = max(float(other[to] - worth[o]), 0.0) / float(factor.sum())
        usual = float(worth[o]) / float(factor.sum())
        share = monthly / usual if usual > 1e-9 * max(monthly, 1e-12) and usual > 0 else None
        found.append(Rise(m, float(move[to]), share, monthly, case.names[to]))
    return tuple(found)


def _looks(case: _Case, fresh: World, o: int, left: Floats) -> tuple[Look, ...]:
    """Months in which the plan's first offer is likely to be left, its terms to have ended, or to change."""
    start = fresh.futures.start

    def day(m: int) -> date:
        at = start.month - 1 + m
        return date(start.year + at // 12, at % 12 + 1, 1)

    found: dict[int, Look] = {}
    status = fresh.status[:, :, o]
    for gone, words in (
        ((status >= 1).mean(axis=0), "its terms have ended"),
        ((status == 2).mean(axis=0), "it is retired"),
        (left, "the plan has left it"),
    ):
        for level in (0.1, 0.5):
            at = np.flatnonzero(gone >= level)
            if len(at) and at[0] > 0:
                m = int(at[0])
                found[m] = Look(m, day(m), float(left[m]), f"by then {words} in {gone[m]:.0%} of futures")
    for version in case.work.entries[case.names[o]].offer.versions:
        on = version.in_force.from_
        if not isinstance(on, str) and on.date() > start:
            m = (on.year - start.year) * 12 + on.month - start.month
            if 0 <= m < len(left):
                found[m] = Look(m, on.date(), float(left[m]), f"announced terms begin on {on:%Y-%m-%d}")
    if not found:
        m = min(12, len(left) - 1)
        found[m] = Look(m, day(m), float(left[m]), "nothing is likely to change before; look once a year")
    return tuple(found[m] for m in sorted(found))


def _triggers(
    case: _Case, fresh: World, chosen: _Strategy, o: int, kept: Sequence[_Strategy]
) -> Iterable[Trigger]:
    """Conditions to watch, each with what the plan did when it came."""
    rule = next(s for s in kept if s.key == "trigger").settings
    months = "" if rule["months"] == 1 else f" for {rule['months']} months"
    yield Trigger(
        f"it costs {rule['rise']:.0%} more than the cheapest alternative{months}", "move to that alternative",
        rule["rise"],
    )  # fmt: skip
    if chosen.pair is None and chosen.path is not None:
        world = case.world(case.judge, portable=True) if chosen.portable else fresh
        path = chosen.path(world)
        for state, words in ((1, "its free or introductory terms end"), (2, "it is retired")):
            here = (world.status[:, :, o] == state) & (path == o)
            turned = np.zeros_like(here)
            turned[:, 1:] = (world.status[:, 1:, o] == state) & (world.status[:, :-1, o] < state)
            turned[:, 1:] &= path[:, :-1] == o
            if turned.any():
                stays = float(here[turned].mean())
                then = "stay and pay" if stays > 0.5 else "leave at once"
                yield Trigger(words, f"{then} (so in {max(stays, 1 - stays):.0%} of the futures)")
    for s in kept:
        if (
            s.key == "free"
            and s.settings["leave_in_month"] is not None
            and s.settings["begin"] == case.names[o]
        ):
            m = s.settings["leave_in_month"]
            yield Trigger(f"month {m} of the free offer", "leave even if it is still free", float(m))


def _account(case: _Case, strategy: _Strategy) -> Account:
    """Shapley values of the causes: the offers used stay as they were, one cause after another is added."""
    part = case.judge.first(min(ACCOUNTED, case.judge.draws))
    path = None
    if strategy.path is not None:
        path = strategy.path(case.world(part, portable=strategy.portable))
    keys = tuple(CAUSES)
    value: dict[frozenset[str], float] = {}
    for n in range(len(keys) + 1):
        for there in itertools.combinations(keys, n):
            without = frozenset(keys) - frozenset(there)
            value[frozenset(there)] = float(money(strategy.account(case, part, without, path)).mean())
    causes = []
    for key in keys:
        amount = 0.0
        for n in range(len(keys)):
            weight = factorial(n) * factorial(len(keys) - n - 1) / factorial(len(keys))
            for there in itertools.combinations([k for k in keys if k != key], n):
                amount += weight * (value[frozenset({*there, key})] - value[frozenset(there)])
        causes.append(Cause(key, CAUSES[key], amount))
    causes.sort(key=lambda c: -abs(c.amount))
    return Account(strategy.title, value[frozenset()], value[frozenset(keys)], tuple(causes))
