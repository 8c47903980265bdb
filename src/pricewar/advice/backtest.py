"""The back-test: what our advice would have cost real months, against plain strategies and hindsight.

A team of each class (`backtest_teams`) begins anew in a past month and has a year to go. Month by month the
advice knows what was on record on the first of that month, and no more; what it leads to is billed on the
terms that then held. Regret is what a strategy costs more than the clairvoyant's plan, which pays for its
moves as everybody does.

Our advice is `decide`. It is asked at the start, and again when it said to look again, when the fitted
trigger is pulled, when the terms in use have ended, gone or become dearer, or when some offer would now save,
over the months that are left, more than the move costs. Whatever it then recommends is done.

Intervals: windows that begin a month apart share most of their months, so runs of consecutive starting months
are drawn anew together (circular blocks, Politis and Romano 1992), the same for all classes; for all teams
together classes are drawn anew as well. With few starts such intervals are too narrow rather than too wide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pricewar.advice import backtest_plans as plans
from pricewar.advice.backtest_history import Bills, History, Lane, Month, Window, bills
from pricewar.advice.backtest_plans import Spent
from pricewar.advice.backtest_teams import CLASSES, Class, Stream, onward, streams
from pricewar.errors import ConfigurationError

if TYPE_CHECKING:
    from pricewar.advice.result import Advice
    from pricewar.futures.records import Records
    from pricewar.usage.log import Log

STRATEGIES: Final = {
    "ours": "our advice, asked again when it says so",
    "once": "our advice, asked once and kept",
    "cheapest": "what was cheapest at the start, kept",
    "paid": "what was cheapest of paid offers at the start, kept",
    "flagship": "the best flagship at the start, kept",
    "chasing": "always the cheapest, paying every move",
    "patient": "moving when it would pay over the months left",
    "clairvoyant": "knowing all that was to come",
    "frictionless": "always the cheapest, if moving were free",
}
GONE: Final = "it is gone"
RANKED: Final = 8
PER_VENDOR: Final = 3
FREE: Final = 3
EQUAL: Final = 1.0
"""Points of the capability index within which models count as equals."""
DEARER: Final = 0.01
"""A rise of the price in use below this is no reason to ask again."""
RESAMPLES: Final = 2000
BLOCK: Final = 3


@dataclass(frozen=True)
class Asked:
    """One question to the advice: in which month of the window, why, what it recommended and led to."""

    month: int
    why: str
    recommended: str
    begin: str
    expected: float


@dataclass(frozen=True)
class Trial:
    """One stream of one team over one window: what each strategy cost, and when ours asked what."""

    team: str
    tier: str
    start: date
    spent: dict[str, Spent]
    paths: dict[str, list[str]]
    asked: list[Asked]
    offers: int
    seed: int = 0


def shortlist(month: Month, of: Bills, load: float, worth: float, keep: Sequence[str] = ()) -> list[str]:
    """Offers to ask about in a month: by its own bills the cheapest, few of each vendor, the free ones that
    serve most, the most capable flagship; and those in `keep`."""
    pay, share = of.at(load)
    cost = pay + share * load * of.requests * worth
    order = [of.names[i] for i in np.argsort(cost, kind="stable")]
    served = dict(zip(of.names, 1 - share, strict=True))
    free = sorted((n for n in order if month.live[n].kind == "free"), key=lambda n: -served[n])[:FREE]
    count: dict[str, int] = {}
    chosen: list[str] = []
    for name in (n for n in order if month.live[n].kind != "free"):
        vendor = month.live[name].vendor
        if len(chosen) < RANKED and count.get(vendor, 0) < PER_VENDOR:
            chosen.append(name)
            count[vendor] = count.get(vendor, 0) + 1
    best = best_flagship(month, of, load)
    kept = [n for n in keep if n in of.names]
    return list(dict.fromkeys([*chosen, *free, *([best] if best else []), *kept]))


def best_flagship(month: Month, of: Bills, load: float) -> str | None:
    """The most capable model on a list; of those within `EQUAL`, the cheapest."""
    pay, _ = of.at(load)
    price = dict(zip(of.names, pay.tolist(), strict=True))
    listed = [n for n in of.names if month.live[n].kind == "list"]
    most = max((month.index[n] for n in listed), default=0.0)
    return min((n for n in listed if month.index[n] >= most - EQUAL), key=lambda n: price[n], default=None)


def ask(
    month: Month,
    stream: Stream,
    left: int,
    load: float,
    *,
    of: Bills | None = None,
    present: tuple[str, int, bool] | None = None,
    draws: int = 100,
    seed: int = 0,
) -> Advice:
    """Our advice in a month, from what was on record then.

    Args:
        left: months to go. load: work in multiples of the stream's first month. present: offer in use, months
            of it, and whether the team is portable. draws: futures.

    Raises:
        DataError: no offer in force reaches the bar.
    """
    from pricewar.advice.decide import decide

    of = of or bills(month, stream)
    team = stream.team.team(left)
    keep = [present[0]] if present else []
    names = shortlist(month, of, load, float(team.refused or 0), keep)
    if present is not None and present[0] in names:
        team = onward(team, left, *present)
    futures = month.hazards.futures(month.catalogue, names, month.day, left, draws, seed)
    return decide(stream.log(load), month.catalogue, names, team, futures)


def ours(window: Window, draws: int, seed: int) -> tuple[list[int], int | None, list[Asked]]:
    """The offers that following our advice used, from when it was portable, and what was asked."""
    lane = window.lane
    path: list[int] = []
    asked: list[Asked] = []
    since: int | None = None
    now, tenure, advice, watch = -1, 0, None, _Watch(window)
    for k in range(window.months):
        why = "the start" if advice is None else watch.why(k, now, tenure, since is not None, advice)
        if why is not None:
            month, used = lane.history.month(window.start + k), None
            # Who has nothing left to stay with chooses anew.
            if now >= 0 and window.open(k, now):
                used = lane.heir(now) if window.ended[k, now] else lane.names[now]
            advice = ask(
                month,
                lane.stream,
                window.months - k,
                (1 + lane.stream.team.growth) ** k,
                of=lane.bills[window.start + k],
                present=(used, tenure, since is not None) if used is not None else None,
                draws=draws,
                seed=seed,
            )
            watch.asked(k)
            begin, expected = advice.plan.begin, advice.outcome(advice.recommended).cost.mean
            asked.append(Asked(k, why, advice.recommended, begin, expected))
            if begin != used:
                now, tenure = lane.at[begin], 0
            if advice.recommended == "portable" and since is None:
                since = k
        path.append(now)
        tenure += 1
    return path, since, asked


class _Watch:
    """What a team that was advised keeps an eye on: a reason to ask again, or none."""

    def __init__(self, window: Window) -> None:
        self.window, self.last, self.above = window, 0, 0

    def asked(self, k: int) -> None:
        self.last, self.above = k, 0

    def why(self, k: int, now: int, tenure: int, portable: bool, advice: Advice) -> str | None:
        w = self.window
        if not w.open(k, now):
            return GONE
        if w.ended[k, now] and not w.ended[k - 1, now]:
            return "its free terms ended"
        costs = w.portable if portable else w.costs
        move = w.moves(now, tenure, costs)
        saving, left = w.cost[k, now] - w.cost[k], w.months - k
        rule = next((o.settings for o in advice.outcomes if o.key == "trigger"), {})
        payback = float(rule.get("payback", 0.0))
        pulled = payback > 0 and bool((saving * min(payback, left) > move).any())
        self.above = self.above + 1 if pulled else 0
        if k - self.last in {look.month for look in advice.plan.look_again}:
            return "a month to look again"
        if pulled and self.above >= int(rule.get("dwell", 1)):
            return "the trigger was pulled"
        if w.cost[k, now] > w.cost[k - 1, now] * (1 + w.lane.stream.team.growth) * (1 + DEARER):
            return "it became dearer"
        if bool((saving * left > move).any()):
            return "another would save more than the move costs"
        return None


def kept(window: Window, first: int) -> list[int]:
    """One offer, left only when it is no longer to be had."""
    path = [first]
    for k in range(1, window.months):
        path.append(path[-1] if window.open(k, path[-1]) else window.forced(k, path[-1]))
    return path


def chasing(window: Window) -> list[int]:
    """Always the cheapest of the month; of equals the one in use."""
    path: list[int] = []
    for k in range(window.months):
        best = int(window.cost[k].argmin())
        if path and window.cost[k, path[-1]] <= window.cost[k, best]:
            best = path[-1]
        path.append(best)
    return path


def patient(window: Window) -> list[int]:
    """Begin with the cheapest; move to where most would be saved over the months left if prices stayed, when
    that is more than the move costs."""
    path, tenure = [int(window.cost[0].argmin())], 1
    for k in range(1, window.months):
        now = path[-1]
        if not window.open(k, now):
            to = window.forced(k, now)
        else:
            move = window.moves(now, tenure, window.costs)
            gain = (window.cost[k, now] - window.cost[k]) * (window.months - k) - move
            to = int(gain.argmax()) if gain.max() > 0 else now
        tenure = tenure + 1 if to == now else 1
        path.append(to)
    return path


def trial(window: Window, draws: int = 100, seed: int = 0) -> Trial:
    """Every strategy over one window."""
    lane, start = window.lane, window.start
    month = lane.history.month(start)
    first = window.cost[0]
    paid = np.array([lane.paid(o) for o in range(len(lane.names))])
    best = best_flagship(month, lane.bills[start], 1.0)
    path, since, asked = ours(window, draws, seed)
    routes: dict[str, tuple[list[int], int | None]] = {
        "ours": (path, since),
        "once": (kept(window, path[0]), 0 if since == 0 else None),
        "cheapest": (kept(window, int(first.argmin())), None),
        "paid": (kept(window, int(np.where(paid, first, np.inf).argmin())), None),
        "flagship": (kept(window, lane.at[best] if best else int(first.argmin())), None),
        "chasing": (chasing(window), None),
        "patient": (patient(window), None),
    }
    _, known, ready = plans.clairvoyant(window.cost, lane.vendor, window.costs, window.portable)
    routes["clairvoyant"] = (known, ready)
    spent = {
        key: plans.account(route, window.cost, lane.vendor, window.costs, window.portable, since)
        for key, (route, since) in routes.items()
    }
    spent["frictionless"] = Spent(plans.frictionless(window.cost, window.costs.beta), 0.0, 0)
    return Trial(
        lane.stream.team.name,
        lane.stream.tier,
        lane.history.days[start],
        spent,
        {key: [lane.names[o] for o in route] for key, (route, _) in routes.items()},
        asked,
        int(np.isfinite(window.cost[0]).sum()),
        seed,
    )


# --- what it comes to -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Regret:
    """What a strategy cost a class of teams.

    Attributes:
        cost: mean discounted cost of a window. over: what it cost more than the clairvoyant's plan, as a
            share of that plan's cost; low, high: 90% interval. against: our advice's cost less this
            strategy's, as a share of the latter's, with its interval (negative: ours was cheaper).
        moves: in a window. won: windows in which ours cost no more than this, of `windows`.
    """

    team: str
    strategy: str
    cost: float
    over: float
    low: float
    high: float
    against: float
    against_low: float
    against_high: float
    moves: float
    won: int
    windows: int


@dataclass(frozen=True)
class Backtest:
    """Every trial, and regret by class of team."""

    first: date
    last: date
    months: int
    draws: int
    seeds: int
    source: str
    trials: list[Trial]
    regrets: list[Regret]
    classes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        found = asdict(self)
        found["first"], found["last"] = self.first.isoformat(), self.last.isoformat()
        for t in found["trials"]:
            t["start"] = t["start"].isoformat()
        return found


def run(
    first: date = date(2024, 6, 1),
    last: date = date(2025, 11, 1),
    *,
    months: int = 12,
    every: int = 1,
    classes: Sequence[Class] = CLASSES,
    log: Log | None = None,
    draws: int = 100,
    seeds: int = 2,
    records: Records | None = None,
    progress: Callable[[str], None] | None = None,
) -> Backtest:
    """Back-test from `first` to `last`.

    Args:
        first, last: first days of months. months: a window's. every: months between starts.
        log: whose requests, sizes and hours to take; the sample's when None.
        draws: futures of each advice. seeds: how often every window is gone through, with fresh futures.

    Raises:
        ConfigurationError: the span is shorter than a window, or records do not reach it.
    """
    say = progress or (lambda _: None)
    history = History(first, last, records, progress)
    starts = range(0, len(history.days) - months + 1, every)
    if not starts:
        raise ConfigurationError(
            f"{len(history.days)} months hold no window of {months}",
            where="--months",
            remedy=f"choose at most {len(history.days)}, or a longer span",
        )
    trials: list[Trial] = []
    for stream in streams(classes, months, log):
        lane = Lane(history, stream, progress)
        for start in starts:
            say(f"{stream.name}: the year from {history.days[start]:%Y-%m}")
            window = lane.window(start, months)
            trials += [trial(window, draws, seed) for seed in range(seeds)]
    names = tuple(c.name for c in classes)
    source = "the sample month" if log is None else ", ".join(log.source)
    return Backtest(first, last, months, draws, seeds, source, trials, regrets(trials, names), names)


def regrets(trials: Sequence[Trial], classes: Sequence[str], seed: int = 0) -> list[Regret]:
    """Regret by class, both streams together and mean of the seeds, and over classes with equal weight."""
    starts = sorted({t.start for t in trials})

    def sums(what: str, key: str) -> np.ndarray:
        """[C, S] over the streams of each class and start."""
        found = np.zeros((len(classes), len(starts)))
        for t in trials:
            found[classes.index(t.team), starts.index(t.start)] += getattr(t.spent[key], what)
        return found / len({t.seed for t in trials})

    cost = {key: sums("total", key) for key in STRATEGIES}
    moves = {key: sums("moves", key) for key in STRATEGIES}
    picks = _blocks(len(starts), seed)
    drawn = np.random.default_rng([seed, 1]).integers(0, len(classes), (RESAMPLES, len(classes)))
    groups = [(np.array([i]), name) for i, name in enumerate(classes)]
    found = []
    for every, name in [*groups, (np.arange(len(classes)), "all")]:
        who = drawn if name == "all" else np.repeat(every[None, :], RESAMPLES, axis=0)
        for key in STRATEGIES:
            over, over_range = _ratio(cost[key], cost["clairvoyant"], every, who, picks)
            against, against_range = _ratio(cost["ours"], cost[key], every, who, picks)
            won = cost["ours"][every] <= cost[key][every] * (1 + 1e-9)
            mean = float(cost[key][every].mean())
            counts = (float(moves[key][every].mean()), int(won.sum()), int(won.size))
            found.append(Regret(name, key, mean, over, *over_range, against, *against_range, *counts))
    return found


def _blocks(starts: int, seed: int) -> np.ndarray:
    """[R, S] starting months drawn anew in runs, the last followed by the first."""
    rng = np.random.default_rng([seed, 0])
    block = min(BLOCK, max(starts // 2, 1))
    at = rng.integers(0, starts, (RESAMPLES, -(-starts // block)))
    return ((at[:, :, None] + np.arange(block)) % starts).reshape(RESAMPLES, -1)[:, :starts]


def _ratio(
    top: np.ndarray, bottom: np.ndarray, every: np.ndarray, who: np.ndarray, picks: np.ndarray
) -> tuple[float, tuple[float, float]]:
    """Mean over classes of Σ top / Σ bottom − 1, and its 90% interval."""
    value = float((top[every].sum(axis=1) / bottom[every].sum(axis=1)).mean() - 1)
    a = top[who[:, :, None], picks[:, None, :]].sum(axis=2)
    b = bottom[who[:, :, None], picks[:, None, :]].sum(axis=2)
    low, high = np.quantile((a / b).mean(axis=1) - 1, (0.05, 0.95))
    return value, (float(low), float(high))
