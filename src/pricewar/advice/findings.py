"""What strategies lead to: outcomes, the plan with its triggers, and why it costs what it costs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from math import factorial
from typing import Any

import numpy as np

from pricewar.advice.case import Case
from pricewar.advice.result import (
    Account,
    Candidate,
    Cause,
    Estimate,
    Look,
    Outcome,
    Plan,
    Rise,
    Share,
    Trigger,
)
from pricewar.advice.rules import Strategy
from pricewar.advice.strategies import Floats, World, money
from pricewar.futures.records import months as between
from pricewar.notes import Note

ACCOUNTED = 256
CAUSES = {
    "growth": "the work grows",
    "prices": "prices change",
    "terms": "free terms end, limits and allowances change, models are retired",
    "refusals": "what is refused must be served elsewhere or is lost",
    "switching": "integrating, moving and keeping up",
}


def outcome(case: Case, strategy: Strategy, account: Floats, *, benchmark: bool = False) -> Outcome:
    cost = money(account)
    asked = case.judge.load * case.costs.requests
    lost = account[:, :, 4]
    monthly = so_far(account)
    roi, month, never = None, None, None
    if case.team.revenue is not None:
        served = asked  # what is refused is served elsewhere, or its revenue is among the costs
        discount = case.costs.beta ** np.arange(served.shape[1])
        revenue = (served * float(case.team.revenue) / 1000 * discount).cumsum(axis=1)
        if (cost > 0).all():
            roi = Estimate.of(revenue[:, -1] / cost - 1, worst="low")
        paid = revenue >= monthly
        comes = paid.any(axis=1)
        never = Share.of(~comes)
        month = int(np.median(paid.argmax(axis=1)[comes])) + 1 if comes.any() else None
    return Outcome(
        key=strategy.key,
        title=strategy.title,
        offers=strategy.offers,
        settings=strategy.settings,
        cost=Estimate.of(cost),
        parts=parts(account),
        unserved=float(lost.sum() / asked.sum()),
        unserved_requests=float(lost.sum(axis=1).mean()),
        switches=float(account[:, :, 5].sum(axis=1).mean()),
        roi=roi,
        break_even=month,
        never=never,
        by_month=by_month(monthly),
        benchmark=benchmark,
    )


def so_far(account: Floats) -> Floats:
    """[D, M] cost up to the end of each month."""
    return account[:, :, :4].sum(axis=2).cumsum(axis=1)


def by_month(cost: Floats) -> dict[str, list[float]]:
    """How [D, M] costs so far are spread, month by month."""
    quantiles = np.quantile(cost, (0.05, 0.5, 0.95), axis=0)
    found = {k: quantiles[i].tolist() for i, k in enumerate(("p5", "p50", "p95"))}
    return {**found, "mean": cost.mean(axis=0).tolist()}


def parts(account: Floats) -> dict[str, float]:
    """Mean discounted cost by what it is for."""
    names = ("use", "refused", "switching", "ecosystem")
    return {name: float(account[:, :, i].sum(axis=1).mean()) for i, name in enumerate(names)}


def candidate(case: Case, i: int, staying: Floats, most: Floats, recommended: Floats) -> Candidate:
    """An offer that stands: staying[D, M, 6] its account if kept, most[D] the cost of the dearest kept,
    recommended[D] that of the recommended strategy."""
    kept = money(staying)
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
        refused=float(case.refusing[i]),
        headline=float(headline) * case.work.factor if headline is not None else None,
        served=float(1 - case.refused[i]),
        exact=entry.exact,
        staying=Estimate.of(kept),
        parts=parts(staying),
        by_month=by_month(so_far(staying)),
        dearest=Share.of(kept >= most * (1 - 1e-12)),
        dearer=Share.of(kept > recommended * (1 + 1e-12) + 1e-9),
        sibling=case.siblings[i],
        verdict=verdict.answer if verdict is not None else None,
        because=tuple(verdict.because) if verdict is not None else (),
        reasons=tuple(b.said() if isinstance(b, Note) else b for b in verdict.because) if verdict else (),
        doubts=tuple(case.standing.doubts.get(name, ())),
        warnings=tuple(t.text for t in entry.warnings),
        announced=tuple(t.text for t in entry.announced),
        unpublished=tuple(case.standing.unpublished.get(name, ())),
        terms=tuple(
            {"key": t.key, "args": dict(t.args), "text": t.text} for t in (*entry.warnings, *entry.announced)
        ),
        ends=next((t.args["on"] for t in entry.warnings if t.key in ("ends_soon", "retired")), None),
        compression={
            "rows": found.rows,
            "merged_cost": found.merged[0],
            "merged_refused": found.merged[1],
            "between_cost": found.between[0],
            "between_refused": found.between[1],
        },
    )


def work_facts(case: Case) -> dict[str, Any]:
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
        "refused_request": float(case.costs.worth.mean()),
        "compressed_rows": max((r.rows for r in stateful), default=0),
        "error_cost": max((max(r.merged[0], r.between[0]) for r in stateful), default=0.0),
        "error_refused": max((max(r.merged[1], r.between[1]) for r in stateful), default=0.0),
        "growth": {k: float(v) for k, v in zip(("p5", "p50", "p95"),
                   np.quantile(case.judge.load[:, -1], (0.05, 0.5, 0.95)), strict=True)},
    }  # fmt: skip


def plan(case: Case, train: World, fresh: World, chosen: Strategy, kept: Sequence[Strategy]) -> Plan:
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


def _rises(case: Case, train: World, o: int) -> tuple[Rise, ...]:
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
        same = case.vendor == case.vendor[o]
        if same.all():
            break  # nobody to leave for
        other = np.where(same, np.inf, worth + c.leave[o, t])
        to = int(other.argmin())
        monthly = max(float(other[to] - worth[o]), 0.0) / float(factor.sum())
        usual = float(worth[o]) / float(factor.sum())
        share = monthly / usual if usual > 1e-9 * max(monthly, 1e-12) and usual > 0 else None
        found.append(Rise(m, float(c.leave[o, t]), share, monthly, case.names[to]))
    return tuple(found)


def _looks(case: Case, fresh: World, o: int, left: Floats) -> tuple[Look, ...]:
    """Months in which the plan's first offer is likely to be left, its terms to have ended, or to change."""
    start = fresh.futures.start
    found: dict[int, Look] = {}
    status = fresh.status[:, :, o]
    for key, gone, words in (
        ("ended", (status >= 1).mean(axis=0), "its terms have ended"),
        ("retired", (status == 2).mean(axis=0), "it is retired"),
        ("left", left, "the plan has left it"),
    ):
        for level in (0.1, 0.5):
            at = np.flatnonzero(gone >= level)
            if len(at) and at[0] > 0:
                m = int(at[0])
                why = f"by then {words} in {gone[m]:.0%} of futures"
                found[m] = Look(m, fresh.futures.day(m), float(left[m]), why, key, {"share": float(gone[m])})
    for version in case.work.entries[case.names[o]].offer.versions:
        on = version.in_force.from_
        if not isinstance(on, str) and on.date() > start:
            m = int(between(start, on.date()))
            if 0 <= m < len(left):
                why = f"announced terms begin on {on:%Y-%m-%d}"
                found[m] = Look(m, on.date(), float(left[m]), why, "announced", {"day": on.date()})
    if not found:
        m = min(12, len(left) - 1)
        why = "nothing is likely to change before; look once a year"
        found[m] = Look(m, fresh.futures.day(m), float(left[m]), why, "yearly")
    return tuple(found[m] for m in sorted(found))


def _triggers(
    case: Case, fresh: World, chosen: Strategy, o: int, kept: Sequence[Strategy]
) -> Iterable[Trigger]:
    """Conditions to watch, each with what the plan did when it came."""
    rule = next(s for s in kept if s.key == "trigger").settings
    if rule["payback"]:
        within = "a month" if rule["payback"] == 1 else f"{rule['payback']:.0f} months"
        first = f"a move would pay for itself within {within}"
        running = "" if rule["dwell"] == 1 else f", for {rule['dwell']} months running"
        then = "move to the paid offer" if rule["paid_only"] else "move to the offer"
        args = {k: rule[k] for k in ("dwell", "paid_only")} | {"months": rule["payback"]}
        yield Trigger(first + running, f"{then} that saves most", rule["payback"], "payback", args)
    else:
        yield Trigger("it serves nothing any more", "move; no saving was worth a move before", None, "gone")
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
                share = max(stays, 1 - stays)
                args = {"state": ("", "ended", "retired")[state], "stay": stays > 0.5, "share": share}
                yield Trigger(words, f"{then} (so in {share:.0%} of the futures)", None, "turns", args)
    for s in kept:
        if (
            s.key == "free"
            and s.settings["leave_in_month"] is not None
            and s.settings["begin"] == case.names[o]
        ):
            m = s.settings["leave_in_month"]
            when = f"month {m} of the free offer"
            yield Trigger(when, "leave even if it is still free", float(m), "month", {"month": m})


def explained(case: Case, strategy: Strategy) -> Account:
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
    base, total = value[frozenset()], value[frozenset(keys)]
    return Account(strategy.key, strategy.title, part.draws, base, total, tuple(causes))
