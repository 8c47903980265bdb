"""Answers of the war room.

**markets** {market?} → one part {markets, levers, presets, market}: every market of the page, and levers and
presets of the one named (the first when none is).

    markets   [{key, title, currency, start, months, vendors: [{key, name, fringe}], segments: [key], record}]
    levers    [`levers.Lever`]: {key, group, main, what, meaning, unit, low, high, step, scale, value, of, …}
    presets   [{key, kind: "war" | "policy", market, levers: {key: value}}]; market null: any market

**war** {market, levers: {key: value}, baseline, futures, seed, conduct, months?, base_id?}
→ parts, each whole by itself, from more and more futures (the first after 16, the last with all). In a
market that begins in peace the first parts hold who opens the war and when, future by future, as in the
baseline; the last part has it decided anew, and `openings` says which:

    of, futures        futures asked, futures in this part
    market, currency, start (ISO day of month 0), months [1 … M] (ends of months), seed
    vendors            [{key, name, fringe}]; every list by vendor below is keyed by `key`
    conduct            "held", or the key of the solve whose conduct this is; one that is asked for and no
                       longer known (server restarted) is "held"
    openings           "decided", or "held" as in the baseline: the key figure "opening" then has no change
    whole              true in the last part only
    solved_for         {levers, baseline} of that solve, null while it is "held"
    moved              {key: value} levers that differ from the definition; base_moved: the baseline's
    series             {name: {vendor: Band}}, Band = {median, low, high, low50, high50: [M]}; None: unknown
        light_price, flagship_price   list prices, money/mn tokens; None where it does not serve
        share          of tokens, whole market, 0…1
        cash           cash and reserve, money
        runway         months at the month's loss; None without a loss
        allowance      free light tokens, millions a team and month
        profit         money in the month
    leaves             {vendor: [M]} chance to have left by then
    market_series      {name: Band}
        hhi            0…1, tokens, vendors inside
        light_over_cost (paid, free use included), flagship_over_cost, revenue_over_cost
        supplier_profit, vendors_profit, subsidy    cumulated, money
        free_share     free part of light tokens, 0…1
        bills          what teams pay in the month, money
        roi            cumulated return of all teams
    roi                {segment: Band} developers' cumulated return
    winners            {segment: {vendor: chance to lead it at the end, by budget}}
    kpis               [{key, unit, value, low, high, base, change, change_low, change_high, kind, clear,
                       better}]: medians with 80% bands of `outcomes.MEASURES`, of a chance the mean
                       alone; change of the mean, paired by future, with its 95% interval: "relative"
                       (−0.27 is −27%), "points" (0…1) or
                       "difference" (in `unit`); clear: the interval excludes no change; better: 1, −1 or 0
                       where it is nobody's to say; null changes where levers and baseline are the same
    stages             {market: [M] of {stage, chance}, vendors: {vendor: [M] of the same}}, likeliest stage
                       of each month: launch, promotion, war, consolidation, harvest, out, or None
    history            `recorded.history`, in the last part and where there is a record of this very war
    base_id            name of the baseline's figures; base: {series, leaves, market_series, roi, winners,
                       stages} of the baseline, left out (null) when the message named this `base_id`, or an
                       earlier part of the same answer had it
    seconds            since the question

Members of both runs meet the same draws. Figures come rounded to five digits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.app.levers import POLICIES
from pricewar.app.war_runs import FIRST, HELD, RUNS, WORLDS, Asked, Ensemble, StoppedError, World, asked
from pricewar.market.definition import bundled
from pricewar.market.model import Array, Market
from pricewar.market.outcomes import MEASURES, Outcomes, Spread, compare, spread
from pricewar.market.recorded import RECORDS, history
from pricewar.market.records import War, read
from pricewar.market.stages import STAGES

if TYPE_CHECKING:
    from pricewar.app.session import Job

KPIS = (
    "hhi", "leader", "light_end", "flagship_end", "bills", "surplus", "roi", "subsidy", "vendors_profit",
    "suppliers_profit", "exits", "fringe", "free", "opening", "harvest",
)  # fmt: skip
BETTER = {"hhi": -1, "leader": -1, "bills": -1, "surplus": 1, "roi": 1, "exits": -1, "light_end": -1,
          "flagship_end": -1}  # fmt: skip
"""Which way is better, for teams and for competition; what is left out is nobody's to say."""
RESAMPLES = 400
"""Of a 95% interval: enough for two digits, and answered while a lever is dragged."""
DECIDED = "decided"
EVERY = 0.5
"""Seconds between parts."""


def markets(message: Mapping[str, Any], _: Job) -> Iterator[dict[str, Any]]:
    """The markets of the page, and the levers and presets of one of them."""
    names = WORLDS.names()
    world = WORLDS.world(message.get("market") or names[0])
    yield {
        "market": world.key,
        "markets": [_market(WORLDS.world(name)) for name in names],
        "levers": [lever.document() for lever in world.levers.values()],
        "presets": presets(world),
    }


def _market(world: World) -> dict[str, Any]:
    m, text = world.market, world.definition.text
    return {
        "key": world.key,
        "title": text.title,
        "currency": m.currency,
        "start": m.start.isoformat(),
        "months": m.months,
        "vendors": vendors(world),
        "segments": list(m.segments),
        "record": record(world) is not None,
    }


@cache
def _read(name: str) -> War:
    return read(name)


def record(world: World) -> War | None:
    """The record of this very war, where there is one: of a bundled market only."""
    name = RECORDS.get(world.key)
    return _read(name) if name and world.key in bundled() else None


def past(world: World, market: Market) -> dict[str, Any] | None:
    """`recorded.history` as JSON takes it."""
    war = record(world)
    return None if war is None else history(world.definition, market, war)


def vendors(world: World) -> list[dict[str, Any]]:
    """The vendors of a market with their names."""
    from pricewar.market import kernel as k

    m, each = world.market, world.definition.text.vendors.each
    return [
        {"key": v, "name": each[v].name or v, "fringe": bool(m.v[j, k.V_CONDUCT] == k.FRINGE)}
        for j, v in enumerate(m.vendors)
    ]


def presets(world: World) -> list[dict[str, Any]]:
    """The wars by name, and the policies that this market's levers can put in force."""
    wars = [{"key": name, "kind": "war", "market": name, "levers": {}} for name in WORLDS.names()]
    found = []
    for key, moved in POLICIES.items():
        here = {name: value for name, value in moved.items() if name in world.levers}
        if here and all(world.levers[n].low <= v <= world.levers[n].high for n, v in here.items()):
            found.append({"key": key, "kind": "policy", "market": None, "levers": here})
    return [*wars, *found]


def answer(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """The war with the levers moved, beside its baseline, from more and more futures."""
    begun = time.monotonic()
    ask = asked(message)
    base, mine, conduct = ensembles(ask)
    first = min(FIRST, ask.futures)
    known_bases = {ask.base_id}

    def part(run: Ensemble, futures: int, openings: str) -> dict[str, Any]:
        made = document(ask, base, run, futures, conduct, openings, known_bases)
        known_bases.add(made["base_id"])
        return made | {"seconds": round(time.monotonic() - begun, 3)}

    try:
        quick = with_openings_held(ask, base, mine)
        if quick is not None:
            for futures in dict.fromkeys((first, ask.futures)):
                for _ in quick.upto(futures, job):
                    pass
                yield part(quick, futures, HELD)
            for done in mine.upto(ask.futures, job):
                job.progress("war.progress.running", done, ask.futures)
        else:
            last = -math.inf
            for done in both(base, mine, ask.futures, job):
                if first <= done < ask.futures and time.monotonic() - last > EVERY:
                    yield part(mine, done, DECIDED)
                    last = time.monotonic()
        if not job.cancelled:
            yield part(mine, ask.futures, DECIDED)
    except StoppedError:
        return


def with_openings_held(ask: Asked, base: Ensemble, mine: Ensemble) -> Ensemble | None:
    """The answer with the war opened by whom and when it is in the baseline, where that is quicker.

    Deciding an opening means playing the war ahead, again and again, for as long as the peace lasts: most of
    the time of a market that begins in peace.
    """
    peace = mine.market.get("market", "peace") > 0 and mine.market.get("market", "opening_fixed") == 0
    if not peace or mine is base or mine.done >= ask.futures or base.done < ask.futures:
        return None
    return RUNS.get(ask.world, ask.levers, ask.seed, ask.months, solved(ask)[0], (base, ask.futures))


def ensembles(ask: Asked) -> tuple[Ensemble, Ensemble, str]:
    """Baseline and answer, and the conduct they follow."""
    choices, base_choices, conduct = solved(ask)
    base = RUNS.get(ask.world, ask.baseline, ask.seed, ask.months, base_choices)
    mine = RUNS.get(ask.world, ask.levers, ask.seed, ask.months, choices)
    return base, mine, conduct


def solved(ask: Asked) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...], str]:
    """The conduct asked for, of the answer and of its baseline, and what it is called.

    Conduct solved for other levers is held as it is; with the levers as the baseline has them the answer is
    the baseline.
    """
    from pricewar.app.war_solve import pair

    found = None if ask.conduct == HELD else pair(ask.conduct, ask.world.key)
    if found is None:
        return (), (), HELD
    mine = found.base if ask.levers == ask.baseline == found.baseline else found.mine
    return mine.choices, found.base.choices, ask.conduct


def solved_for(ask: Asked, conduct: str) -> dict[str, Any] | None:
    """The levers for which the conduct shown was solved."""
    from pricewar.app.war_solve import pair

    found = pair(conduct, ask.world.key)
    return {"levers": found.levers, "baseline": found.baseline} if found else None


def both(base: Ensemble, mine: Ensemble, futures: int, job: Job) -> Iterator[int]:
    """Run answer and baseline abreast; yields the futures that both have, after each block."""
    while True:
        next(mine.upto(futures, job), None)
        next(base.upto(min(mine.done, futures), job), None)
        have = min(base.done, mine.done, futures)
        yield have
        if have == futures:
            return


def document(
    ask: Asked,
    base: Ensemble,
    mine: Ensemble,
    futures: int,
    conduct: str,
    openings: str,
    known_bases: set[str],
) -> dict[str, Any]:
    """One part: what so many futures say."""
    whole = futures == ask.futures and openings == DECIDED
    b = base.outcomes(futures)
    o = b if mine is base else mine.outcomes(futures, base)
    base_id = f"{base.key}-{futures}"
    return known(
        {
            "of": ask.futures,
            "futures": futures,
            "market": ask.world.key,
            "currency": mine.market.currency,
            "start": mine.market.start.isoformat(),
            "months": list(range(1, mine.market.months + 1)),
            "seed": ask.seed,
            "vendors": vendors(ask.world),
            "conduct": conduct,
            "solved_for": solved_for(ask, conduct),
            "moved": ask.levers,
            "base_moved": ask.baseline,
            **figures(o),
            "openings": openings,
            "kpis": kpis(b, o, () if openings == DECIDED else ("opening",)),
            "history": past(ask.world, mine.market) if whole else None,
            "base_id": base_id,
            "base": None if base_id in known_bases else figures(b),
            "whole": whole,
        }
    )


def figures(o: Outcomes) -> dict[str, Any]:
    """Everything that is drawn of a run."""
    v, active = o.run.vendor, o.active
    names = o.market.vendors

    def each(values: Array) -> dict[str, Any]:
        s = spread(values)
        return {name: band(s, (slice(None), j)) for j, name in enumerate(names)}

    def of(values: Array) -> Array:
        return np.where(active, values, np.nan)

    cumulated = {
        "supplier_profit": o.run.world["supplier_profit"],
        "vendors_profit": o.vendors_profit,
        "subsidy": o.subsidy,
    }
    return {
        "series": {
            "light_price": each(o.price("light")),
            "flagship_price": each(o.price("flagship")),
            "share": each(o.share()),
            "cash": each(of(v["cash"] + v["reserve"])),
            "runway": each(o.runway),
            "allowance": each(of(v["allowance"])),
            "profit": each(of(v["profit"])),
        },
        "leaves": {
            name: (o.exit_month[:, j, None] <= np.arange(1, o.M + 1)).mean(0)
            for j, name in enumerate(names)
        },
        "market_series": {
            "hhi": band(spread(o.hhi())),
            "light_over_cost": band(spread(o.price_over_cost("light", paid=True))),
            "flagship_over_cost": band(spread(o.price_over_cost("flagship"))),
            "revenue_over_cost": band(spread(o.revenue_over_cost)),
            "free_share": band(spread(o.free_share)),
            "bills": band(spread(o.run.type["bills"].sum(2))),
            "roi": band(spread(o.roi_of_all)),
            **{name: band(spread(np.cumsum(a, 1))) for name, a in cumulated.items()},
        },
        "roi": {
            s: band(spread(o.segment_roi[:, :, n])) for n, s in enumerate(o.market.segments)
        },
        "winners": {
            s: {names[j]: float(c) for j, c in enumerate(chances) if c > 0}
            for s, (_, _, chances) in zip(o.market.segments, o.winners, strict=True)
        },
        "stages": ribbons(o),
    }  # fmt: skip


def ribbons(o: Outcomes) -> dict[str, Any]:
    """The likeliest stage of each month, of the market and of every vendor inside, with its chance."""
    names = (*STAGES, "out")

    def likeliest(codes: Array) -> list[dict[str, Any] | None]:
        told = (codes != -1).sum(0)
        counts = np.stack([(codes == c).sum(0) for c in (*range(len(STAGES)), -2)])
        best = counts.argmax(0)
        return [
            {"stage": names[b], "chance": float(counts[b, t] / told[t])} if told[t] else None
            for t, b in enumerate(best.tolist())
        ]

    each = {
        v: likeliest(o.vendor_stage[:, :, j]) for j, v in enumerate(o.market.vendors) if bool(o.inside[j])
    }
    return {"market": likeliest(o.stage), "vendors": each}


def kpis(b: Outcomes, o: Outcomes, held: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Key figures, and how they differ from the baseline's; of what is held nothing is said."""
    effects = {} if o is b else {e.name: e for e in compare(b, o, resamples=RESAMPLES, names=KPIS)}
    mine, was = (spread(np.stack([x.value(key) for key in KPIS]), 1) for x in (o, b))
    rows = []
    for n, key in enumerate(KPIS):
        measure = MEASURES[key]
        effect = None if key in held else effects.get(key)
        better = 0
        if effect is not None and effect.clear:
            better = BETTER.get(key, 0) * (1 if effect.change > 0 else -1)
        value, base, low, high = mine.median[n], was.median[n], mine.low[n], mine.high[n]
        if measure.unit == "chance":  # a future has it or not: the chance is their mean, and has no band
            value, base, low, high = _mean(o.value(key)), _mean(b.value(key)), None, None
        rows.append({
            "key": key, "unit": measure.unit.replace("money", o.market.currency), "kind": measure.change,
            "value": value, "low": low, "high": high,
            "base": base, "known": mine.known[n],
            "change": effect.change if effect else None,
            "change_low": effect.low if effect else None,
            "change_high": effect.high if effect else None,
            "clear": bool(effect and effect.clear), "better": better,
        })  # fmt: skip
    return rows


def _mean(values: Array) -> float:
    told = values[np.isfinite(values)]
    return float(told.mean()) if told.size else math.nan


# ---------------------------------------------------------------- numbers as JSON takes them


def band(s: Spread, at: Any = ...) -> dict[str, Array]:
    """Median and bands; arrays until `known` writes them."""
    return {name: getattr(s, name)[at] for name in ("median", "low", "high", "low50", "high50")}


def known(value: Any) -> Any:
    """Plain data: arrays as lists, numbers rounded to five digits, None for what is not known."""
    found: list[Array] = []
    _gather(value, found)
    if not found:
        return _scattered(value, iter(()))
    flat = numbers(np.concatenate([a.ravel() for a in found]))  # all at once: each by itself takes far longer
    ends = np.cumsum([a.size for a in found]).tolist()
    return _scattered(value, (flat[end - a.size : end] for a, end in zip(found, ends, strict=True)))


def _gather(value: Any, found: list[Array]) -> None:
    if isinstance(value, Mapping):
        for each in value.values():
            _gather(each, found)
    elif isinstance(value, list | tuple):
        for each in value:
            _gather(each, found)
    elif isinstance(value, float | np.floating | np.ndarray):
        found.append(np.asarray(value, dtype=float))


def _scattered(value: Any, lists: Iterator[list[float | None]]) -> Any:
    if isinstance(value, Mapping):
        return {key: _scattered(each, lists) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scattered(each, lists) for each in value]
    if isinstance(value, np.ndarray) and value.ndim:
        return next(lists)
    if isinstance(value, float | np.floating | np.ndarray):
        return next(lists)[0]
    return value


def numbers(values: Array) -> list[float | None]:
    """Rounded to five digits; None for what is not known."""
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    digits = 4 - np.floor(np.log10(size))
    up, down = (10.0 ** np.clip(d, 0, 300) for d in (digits, -digits))  # powers that are exact
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = np.round(values * up / down) / up * down
    return [x if -1e300 < x < 1e300 else None for x in rounded.tolist()]
