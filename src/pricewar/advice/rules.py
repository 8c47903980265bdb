"""Every strategy there is, fitted on one half of the futures, or why it cannot be had."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pricewar.advice import kernel
from pricewar.advice.candidates import Excluded
from pricewar.advice.case import Case, Part
from pricewar.advice.strategies import Floats, Path, Policy, World, money

PAYBACKS = (0.0, 1.0, 2.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0)
DWELLS = (1, 2, 3)
UNTILS = (1, 2, 3, 6, 9, 12, 18, 24, kernel.FOREVER)
STARTS = 6
MODES, PAIRED, ACCOUNT = 16, 12, 256
TITLES = {
    "stay": "stay with one offer, the present or the best",
    "today": "stay with what is cheapest today",
    "paid": "pay from the start: the best paid offer, kept",
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


@dataclass
class Strategy:
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
        self, case: Case, part: Part, without: frozenset[str] = frozenset(), path: Path | None = None
    ) -> Floats:
        world = case.world(part, portable=self.portable, without=without)
        if self.pair is not None:
            return world.pair(*self.pair, 0.0 if "switching" in without else case.second)
        assert self.path is not None
        return world.account(self.path(world) if path is None else path)


def stay(case: Case, train: World, o: int, key: str = "stay") -> Strategy:
    total = train.total(train.rule(kernel.STAY, o))
    return Strategy(
        key, TITLES[key], (case.names[o],), {"begin": case.names[o]}, total, lambda w: w.rule(kernel.STAY, o)
    )


def strategies(case: Case, train: World) -> Iterable[Strategy | Excluded]:
    """Every strategy, fitted on `train`, or why it cannot be had."""
    entries = [case.work.entries[n] for n in case.names]
    stays = [stay(case, train, o) for o in range(len(case.names))]
    yield stays[case.costs.present] if case.costs.present >= 0 else min(stays, key=lambda s: s.fitted)
    yield replace(stays[case.cheapest], key="today", title=TITLES["today"])
    paid = [o for o in range(len(case.names)) if case.surfaces.lasting[o]]
    if paid:
        best = min((stays[o] for o in paid), key=lambda s: s.fitted)
        yield replace(best, key="paid", title=TITLES["paid"])
    else:
        yield Excluded("paid", "no paid offer stands", "no_paid")
    free = [o for o, e in enumerate(entries) if e.tariff.record.kind in ("free", "grant", "introductory")]
    yield (
        _leave_free(case, train, free)
        if free
        else Excluded("free", "no free, granted or introductory offer stands", "no_free")
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
        yield Excluded("flagship", "no paid flagship stands", "no_flagship")
    trigger = _trigger(case, train, [s.fitted for s in stays])
    yield trigger
    yield _several(case, train, [s.fitted for s in stays])
    rules = [*stays, trigger]
    modes = _modes(case, train, [s.fitted for s in stays])
    yield _optimal(case, train, "optimal", modes, rules)
    yield _optimal(case, case.world(case.fit, portable=True), "portable", modes, rules)


def _modes(case: Case, train: World, stays: Sequence[float]) -> list[int]:
    """Offers that the optimal plan considers: the cheapest to keep, and those a clairvoyant uses most; all of
    them where moving is free, since nothing need then be forecast."""
    n = len(stays)
    if n <= MODES or not (case.costs.leave.any() or case.costs.within.any()):
        return list(range(n))
    use = np.bincount(train.draws(0, min(ACCOUNT, train.shape[0])).clairvoyant().ravel(), minlength=n)
    chosen = [
        *sorted(range(n), key=lambda o: stays[o])[: MODES // 2],
        *np.argsort(-use)[: MODES // 2].tolist(),
    ]
    return [*chosen, case.cheapest, *([case.costs.present] if case.costs.present >= 0 else [])]


def _optimal(case: Case, world: World, key: str, modes: Sequence[int], rules: Sequence[Strategy]) -> Strategy:
    """The optimal policy; or a plain rule, where futures that neither had seen say that it does better."""
    policy = Policy.fit(world, modes)
    follow: Callable[[World], Path] = policy.path
    if policy.tested is not None:
        rest = world.draws(world.shape[0] // 2, world.shape[0])
        paths = [s.path for s in rules if s.path is not None]
        costs = [money(rest.account(path(rest))) for path in paths]
        best = int(np.argmin([cost.mean() for cost in costs]))
        more = policy.tested - costs[best]  # the policy knew half as many futures here: beyond doubt only
        if more.mean() > more.std() / len(more) ** 0.5:
            follow = paths[best]
    path = follow(world)
    begin = case.names[int(np.bincount(path[:, 0]).argmax())]
    return Strategy(
        key, TITLES[key], (begin,), {"begin": begin}, world.total(path), follow, portable=key == "portable"
    )


def _leave_free(case: Case, train: World, free: Sequence[int]) -> Strategy:
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
    return Strategy(
        "free", TITLES["free"], (case.names[o],), settings, total,
        lambda w: w.rule(kernel.UNTIL, o, until=until),
    )  # fmt: skip


def _trigger(case: Case, train: World, stays: Sequence[float]) -> Strategy:
    starts = sorted(range(len(stays)), key=lambda o: stays[o])[:STARTS]
    more = [case.cheapest, *([case.costs.present] if case.costs.present >= 0 else [])]
    tried = []
    for o in dict.fromkeys([*starts, *more]):
        for payback in PAYBACKS:  # none: never move
            for dwell in DWELLS if payback else DWELLS[:1]:
                for paid_only in (False, True) if payback else (True,):
                    rule = {"payback": payback, "dwell": dwell, "paid_only": paid_only}
                    tried.append((train.total(train.rule(kernel.TRIGGER, o, **rule)), o, rule))
    total, o, rule = min(tried, key=lambda found: found[0])
    settings = {"begin": case.names[o], **rule}
    return Strategy(
        "trigger", TITLES["trigger"], (case.names[o],), settings, total,
        lambda w: w.rule(kernel.TRIGGER, o, **rule),
    )  # fmt: skip


def _several(case: Case, train: World, stays: Sequence[float]) -> Strategy | Excluded:
    if not case.team.several_vendors:
        return Excluded("several", "the team works with one vendor at a time", "one_vendor_only")
    chosen = range(len(stays))
    if len(chosen) > 2 * PAIRED:  # the cheapest to keep, and those that charge least for what they serve
        use = np.where(train.open.mean(axis=(0, 1)) > 0, train.pay.mean(axis=(0, 1)), np.inf)
        near = sorted(chosen, key=lambda o: stays[o])[:PAIRED]
        chosen = sorted({*near, *np.argsort(use)[:PAIRED].tolist()})
    pairs = [(a, b) for a, b in itertools.combinations(chosen, 2) if case.vendor[a] != case.vendor[b]]
    if not pairs:
        return Excluded("several", "all offers that stand are one vendor's", "one_vendor_left")
    total, (a, b) = min((float(money(train.pair(a, b, case.second)).mean()), (a, b)) for a, b in pairs)
    both = (case.names[a], case.names[b])
    return Strategy("several", TITLES["several"], both, {"begin": " + ".join(both)}, total, pair=(a, b))


def benchmarks(case: Case, fresh: World) -> list[tuple[Strategy, Floats]]:
    """What nobody can, or need, follow, and what it would cost."""
    cheapest, known = fresh.cheapest(), fresh.clairvoyant()
    free = case.world(case.judge, without=frozenset({"switching"}))
    found = {
        "cheapest": fresh.account(cheapest),
        "frictionless": free.account(free.cheapest()),
        "clairvoyant": fresh.account(known),
    }
    return [(Strategy(k, TITLES[k], (), {}, float("nan")), account) for k, account in found.items()]
