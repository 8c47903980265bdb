"""The decision: one team's log, the real offers and many futures, to what it costs and what to do.

    advice = decide(read("usage.csv"), catalogue, catalogue.select(["openai", "free"]), team, futures)
    advice.outcome(advice.recommended).cost          # mean, its error, spread, worst twentieth
    advice.plan.begin, advice.plan.triggers, advice.lock_in.amount

Half of the futures fit the strategies (which offer to begin with, thresholds, the optimal policy), the other
half judges them; a lone future does both. All strategies meet the same futures, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pricewar.advice import kernel
from pricewar.advice.candidates import Excluded
from pricewar.advice.case import Case
from pricewar.advice.findings import candidate, explained, outcome, plan, work_facts
from pricewar.advice.result import Advice, Estimate, Worth
from pricewar.advice.rules import Strategy, benchmarks, stay, strategies
from pricewar.advice.strategies import Floats, Policy, money
from pricewar.advice.team import Team
from pricewar.advice.workload import part_of
from pricewar.futures import Futures
from pricewar.notes import Note

if TYPE_CHECKING:
    from pricewar.advice.evidence import Evidence
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.usage.log import Log

PLAINER = 0.01
DOUBT = 3.0  # standard errors: one of nine may look better by luck
PLAIN = ("stay", "today", "paid", "flagship", "free", "trigger", "several", "optimal", "portable")


def decide(
    log: Log,
    catalogue: Catalogue,
    offers: Iterable[Offer | str],
    team: Team,
    futures: Futures,
    evidence: Evidence | None = None,
    *,
    only: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Advice:
    """Advise one team.

    Args:
        offers: candidates, each with a place in `futures`; the team's present offer is added.
        futures: what offers may become; its first month is the first month of the advice.
        evidence: of candidates' quality; published figures stand in for what it does not measure.
        only: advise on requests for these models alone (`model` or `vendor/model`, with * and ?): one
            application of several, say. All of the work goes to whatever is chosen.
        progress: told what is being done.

    Raises:
        ConfigurationError: futures too short or without some candidate; the cost of refused work is unknown.
        DataError: a log that cannot be extrapolated; no offer that can serve the work; nothing of `only`.
    """
    say = progress or (lambda _: None)
    log = part_of(log, only) if only else log
    case = Case.of(log, catalogue, offers, team, futures, evidence, say)
    say("fitting strategies")
    train, fresh = case.world(case.fit), case.world(case.judge)
    kept: list[Strategy] = []
    skipped: list[Excluded] = []
    for found in strategies(case, train):
        (kept if isinstance(found, Strategy) else skipped).append(found)  # type: ignore[arg-type]
    say("judging them on fresh futures")
    best = min(s.fitted for s in kept)
    room = PLAINER * abs(best) + 1e-12
    recommended = next(s for key in PLAIN for s in kept if s.key == key and s.fitted <= best + room)
    accounts = {s.key: s.account(case, case.judge) for s in kept}
    costs = {key: money(found) for key, found in accounts.items()}
    kept = [_begun(case, s) if s.key in ("optimal", "portable") else s for s in kept]
    recommended = _upheld(case, next(s for s in kept if s.key == recommended.key), kept, costs)
    outcomes = [outcome(case, s, accounts[s.key]) for s in kept]
    bounds = benchmarks(case, fresh)
    outcomes += [outcome(case, s, found, benchmark=True) for s, found in bounds]
    costs |= {s.key: money(found) for s, found in bounds}
    mine = costs[recommended.key]
    outcomes = [replace(o, against=Estimate.of(costs[o.key] - mine)) for o in outcomes]
    staying = [fresh.account(fresh.rule(kernel.STAY, o)) for o in range(len(case.names))]
    most = np.max([money(account) for account in staying], axis=0)
    cheap = case.cheapest
    candidates = [candidate(case, i, kept_on, most, mine) for i, kept_on in enumerate(staying)]
    single = money(staying[min(range(len(case.names)), key=lambda o: stay(case, train, o).fitted)])
    freely = Policy.fit(train.with_costs(case.costs.free()))
    loose = fresh.with_costs(case.costs.free())
    free_cost = money(loose.account(freely.path(loose)))
    say("why it costs what it costs")
    reasons = [explained(case, next(s for s in kept if s.key == "today"))]
    if recommended.offers != (case.names[cheap],) or recommended.key not in ("stay", "today"):
        reasons.append(explained(case, recommended))
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
        workload=work_facts(case),
        assumptions=team.assumptions(),
        candidates=candidates,
        excluded=case.excluded,
        outcomes=outcomes,
        skipped=skipped,
        recommended=recommended.key,
        plan=plan(case, train, fresh, recommended, kept),
        cheapest_today=case.names[cheap],
        dearest=candidates[cheap].dearest,
        dearer=candidates[cheap].dearer,
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
        accounts=reasons,
        notes=case.notes,
    )


def _begun(case: Case, s: Strategy) -> Strategy:
    """A policy with the offer it begins with in most of the futures that judge it."""
    assert s.path is not None
    first = s.path(case.world(case.judge, portable=s.portable))[:, 0]
    begin = case.names[int(np.bincount(first).argmax())]
    return replace(s, offers=(begin,), settings={"begin": begin})


def _upheld(case: Case, best: Strategy, kept: Sequence[Strategy], costs: dict[str, Floats]) -> Strategy:
    """What fitted best, unless fresh futures refute it: another is cheaper there beyond doubt, by more than
    counts as nothing. A policy fitted to few futures may have learned their accidents."""
    mine = costs[best.key]
    room = PLAINER * abs(float(mine.mean()))
    saved = {s.key: mine - costs[s.key] for s in kept if s is not best}
    doubtless = (
        [
            key
            for key, less in saved.items()
            if less.mean() > max(room, DOUBT * float(less.std(ddof=1)) / len(less) ** 0.5)
        ]
        if len(mine) > 1
        else []
    )
    if not doubtless:
        return best
    key = max(doubtless, key=lambda k: float(saved[k].mean()))
    found = next(s for s in kept if s.key == key)
    case.notes.append(
        Note(
            f"on fresh futures “{best.title}”, which had fitted best, was dearer than “{found.title}”",
            "refuted",
            best={"key": f"strategy.{best.key}"},
            found={"key": f"strategy.{found.key}"},
        )
    )
    return found
