"""Conduct solved again: what the vendors do once they have taken the levers into account.

**solve** {market, levers, baseline, seed?} → progress, then one part:

    key        name of the conduct found: ask "war" and "why" with {conduct: key} from then on
    levers, baseline   for which it was found
    quality    {mine, base}: {exploitability, tolerance, solved, near, evaluations, seconds} each; the same
               where nothing was moved. exploitability: the most a vendor gains by deviating, over the
               vendors' payoffs; solved: below the tolerance; near: profiles met below it
    conduct    {vendor: {invest, invest_growth, invest_time}}; base_conduct: the baseline's

Answer and baseline are solved alike, from the definition's conduct on and over the same futures, so that
their difference is the levers' and not the search's. Found conduct is kept by the levers' values. Progress
is `war.progress.solving` or `war.progress.solving_base`, evaluations done of the most there may be.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pricewar.app.child import run
from pricewar.app.levers import applied
from pricewar.app.war_runs import Asked, StoppedError, World, asked, name_of, wait_warm

if TYPE_CHECKING:
    from pricewar.app.session import Job
    from pricewar.market.model import Market

SEEDS, SWEEPS = 6, 5
"""Futures over which payoffs are averaged, and rounds of best replies at most."""
KEPT = 64
"""Solutions kept."""


@dataclass(frozen=True)
class Solution:
    """Conduct found: changes for `Market.with_`, and how good they are."""

    choices: tuple[tuple[str, float], ...]
    quality: Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """What one solve answered: the conduct with the levers, and that of the baseline."""

    mine: Solution
    base: Solution
    levers: Mapping[str, float]
    baseline: Mapping[str, float]
    world: str


_FOUND: OrderedDict[str, Solution] = OrderedDict()
_PAIRS: OrderedDict[str, Pair] = OrderedDict()
_LOCK = threading.Lock()


def pair(key: str, world: str) -> Pair | None:
    """The conduct of an earlier solve in this market, None where it is no longer known."""
    with _LOCK:
        found = _PAIRS.get(key)
        return found if found is not None and found.world == world else None


def solve(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """Solve the conduct with the levers moved, and the baseline's, each once."""
    ask = asked(message)
    try:
        wait_warm(job)
        mine = _solution(ask.world, ask.levers, "war.progress.solving", job)
        base = _solution(ask.world, ask.baseline, "war.progress.solving_base", job)
    except StoppedError:
        return
    key = key_of(ask)
    with _LOCK:
        _keep(_PAIRS, key, Pair(mine, base, ask.levers, ask.baseline, ask.world.key))
    yield {
        "key": key,
        "levers": ask.levers,
        "baseline": ask.baseline,
        "quality": {"mine": mine.quality, "base": base.quality},
        "conduct": _by_vendor(mine),
        "base_conduct": _by_vendor(base),
    }


def key_of(ask: Asked) -> str:
    """The name of the conduct of these levers over this baseline, the same in every process."""
    names = name_of(ask.world, ask.levers, 0, 0) + name_of(ask.world, ask.baseline, 0, 0)
    return f"solved-{hashlib.sha256(names.encode()).hexdigest()[:20]}"


def _solution(world: World, moved: Mapping[str, float], progress: str, job: Job) -> Solution:
    name = name_of(world, moved, 0, 0)
    with _LOCK:
        if name in _FOUND:
            _FOUND.move_to_end(name)
            return _FOUND[name]
    market = applied(world.market, world.levers, moved)
    most = _most(market)
    job.progress(progress, 0, most)
    for kind, what in run(work, (market,), job):
        if kind == "progress":
            job.progress(progress, min(what, most - 1), most)
        else:
            choices, quality = what
            found = Solution(tuple(choices), quality)
            with _LOCK:
                _keep(_FOUND, name, found)
            return found
    raise StoppedError


def work(market: Market, report: Callable[[int], None]) -> tuple[list[tuple[str, float]], dict[str, Any]]:
    """In the process of its own: the choices found, and how good they are."""
    from pricewar.market import conduct

    asked_for = 0

    def counted() -> bool:
        """Asked before each evaluation; nothing cancels here, the process is ended from outside."""
        nonlocal asked_for
        asked_for += 1
        if asked_for % 10 == 0:
            report(asked_for)
        return False

    found = conduct.solve(market, range(SEEDS), starts=(None,), sweeps=SWEEPS, richer=0, cancel=counted)
    chosen = [
        (f"{market.vendors[j]}.{name}", float(found.profile.choices[j][c]))
        for j in conduct.vendors_that_choose(market)
        for c, name in enumerate(conduct.CHOICES)
    ]
    return chosen, {
        "exploitability": round(found.profile.exploitability, 5),
        "tolerance": found.tolerance,
        "solved": found.solved,
        "near": len(found.near),
        "evaluations": found.evaluations,
        "seconds": round(found.seconds, 2),
    }


def _most(market: Market) -> int:
    """Evaluations that the search takes at most: grids and two refinements, and twice over once it judges."""
    from pricewar.market.conduct import GRIDS, vendors_that_choose

    points = [len(grid) + 4 for grid in GRIDS]
    return len(vendors_that_choose(market)) * (2 * points[0] + (SWEEPS - 2) * 2 * sum(points)) + 1


def _keep(table: OrderedDict[str, Any], key: str, value: Any) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > KEPT:
        table.popitem(last=False)


def _by_vendor(found: Solution) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for key, value in found.choices:
        vendor, _, name = key.rpartition(".")
        rows.setdefault(vendor, {})[name] = round(value, 4)
    return rows
