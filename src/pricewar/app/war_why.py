"""Why the war changed: levers undone one at a time, and an event log.

**why** {as of "war", outcome: name of `outcomes.MEASURES`} → parts, each whole by itself:

    outcome, unit, kind ("relative", "points" or "difference"), futures, of
    events   [{what, vendor (null: the market), share, month, low, high, base_share, base_month, later}]:
             `market.why.Event`, by median month (from 1); what: opens, follows, free, stops_free, below_cost,
             stops_below_cost, harvest, enters, leaves, regulator; in the first part and in all later ones
    levers   how many there are to undo; undone: of how many this part tells
    total    {key, change, low, high}, the whole change with its 95% interval
    parts    [{key, value, base, change, low, high}]: what the outcome would lose were this lever put back,
             the others staying; null figures until it has been run
    rest     {change, low, high}: total less the parts, the levers' work on one another; null until the last

Progress is reported as `war.progress.undoing`, levers done of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pricewar.app.war import both, ensembles, known, solved
from pricewar.app.war_runs import RUNS, StoppedError, asked
from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.market.outcomes import MEASURES, Outcomes
from pricewar.market.why import Why, log
from pricewar.market.why import why as taken_apart

if TYPE_CHECKING:
    from pricewar.app.session import Job


def why(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """The event log, then what each lever contributes."""
    ask = asked(message)
    name = message.get("outcome", "hhi")
    if not isinstance(name, str) or name not in MEASURES:
        raise ConfigurationError(
            "there is no such outcome", where="outcome", remedy=did_you_mean(str(name)[:80], MEASURES)
        )
    try:
        base, mine, _ = ensembles(ask)
        for done in both(base, mine, ask.futures, job):
            job.progress("war.progress.running", done, ask.futures)
        b = base.outcomes(ask.futures)
        o = b if mine is base else mine.outcomes(ask.futures, base)
        moved = sorted({*ask.levers, *ask.baseline})
        moved = [k for k in moved if ask.levers.get(k) != ask.baseline.get(k)]
        events = [known(asdict(event)) for event in log(b, o)]
        about = {
            "outcome": name, "kind": MEASURES[name].change,
            "unit": MEASURES[name].unit.replace("money", o.market.currency),
            "of": ask.futures, "futures": ask.futures, "events": events, "levers": len(moved),
        }  # fmt: skip
        ends = {
            key: {"key": key, "value": ask.levers.get(key, ask.world.levers[key].value),
                  "base": ask.baseline.get(key, ask.world.levers[key].value)}
            for key in moved
        }  # fmt: skip
        undone: dict[str, Outcomes] = {}
        yield about | _told(taken_apart(b, o, {}, name), ends, whole=not moved)
        for key in moved:
            job.progress("war.progress.undoing", len(undone), len(moved))
            without = {k: v for k, v in ask.levers.items() if k != key}
            if key in ask.baseline:
                without[key] = ask.baseline[key]
            other = RUNS.get(ask.world, dict(sorted(without.items())), ask.seed, ask.months, solved(ask)[0])
            for _ in other.upto(ask.futures, job):
                pass
            undone[key] = b if other is base else other.outcomes(ask.futures, base)
            yield about | _told(taken_apart(b, o, undone, name), ends, whole=len(undone) == len(moved))
    except StoppedError:
        return


def _told(found: Why, ends: Mapping[str, Mapping[str, Any]], *, whole: bool) -> dict[str, Any]:
    parts = {part.key: asdict(part) for part in found.parts}
    nothing = {"change": None, "low": None, "high": None}
    return {
        "undone": len(parts),
        "total": known(asdict(found.total)),
        "parts": [dict(end) | known(parts.get(key, nothing)) for key, end in ends.items()],
        "rest": known(asdict(found.rest)) if whole else None,
        "known": found.known,
    }
