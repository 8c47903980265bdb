"""Why an outcome changed: changes undone one at a time, and what happened when, beside what happened before.

Undoing is from the end: what the outcome would be had this one change not been made, all others in force.
The parts need not sum to the whole, since changes work on one another; what is left over is `rest`, the
interaction. All runs share their seeds, so every difference is taken future by future, and the bootstrap
draws futures, the same ones for all parts (Efron and Tibshirani 1993).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pricewar.market.model import Array
from pricewar.market.outcomes import DAYS, FEWEST, MEASURES, Outcomes, spread
from pricewar.market.stages import HARVEST


@dataclass(frozen=True)
class Part:
    """What one change does to an outcome, the others in force.

    `change` of the mean, over the baseline's mean for a "relative" measure and in its unit otherwise, with
    its 95% interval; NaN where too few futures know it.
    """

    key: str
    change: float
    low: float
    high: float


@dataclass(frozen=True)
class Why:
    """The whole change of an outcome, its parts, and the rest: total less the parts."""

    name: str
    total: Part
    parts: tuple[Part, ...]
    rest: Part
    known: int


def why(
    base: Outcomes, mine: Outcomes, undone: Mapping[str, Outcomes], name: str, *, resamples: int = 1000
) -> Why:
    """What each change contributes to the change of one of `MEASURES` from `base` to `mine`.

    Args:
        undone: of each change, the outcomes of `mine` without it. Futures in which all know the outcome
            count.
    """
    runs = [base.value(name), mine.value(name), *(o.value(name) for o in undone.values())]
    table = np.stack(runs)
    table = table[:, np.isfinite(table).all(0)]
    n = table.shape[1]
    keys = ("total", *undone, "rest")
    if n < FEWEST:
        nothing = [Part(key, np.nan, np.nan, np.nan) for key in keys]
        return Why(name, nothing[0], tuple(nothing[1:-1]), nothing[-1], n)
    rng = np.random.Generator(np.random.Philox(key=[0, 7]))
    weights = rng.multinomial(n, np.full(n, 1.0 / n), size=resamples) / n  # how often each future is drawn
    exact = _parts(table.mean(1)[:, None], name)[:, 0]
    boot = _parts(table @ weights.T, name)
    low, high = np.quantile(boot, (0.025, 0.975), axis=1)
    made = [Part(*row) for row in zip(keys, exact.tolist(), low.tolist(), high.tolist(), strict=True)]
    return Why(name, made[0], tuple(made[1:-1]), made[-1], n)


def _parts(means: Array, name: str) -> Array:
    """Total, parts, rest [2 + changes, B] from means [2 + changes, B] of base, mine and each undone."""
    base, mine, undone = means[0], means[1], means[2:]
    total, parts = mine - base, mine - undone
    made = np.concatenate([total[None], parts, (total - parts.sum(0))[None]])
    if MEASURES[name].change != "relative":
        return made
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, made / base, np.nan)


# ---------------------------------------------------------------- what happened when


@dataclass(frozen=True)
class Event:
    """Something that happens in some futures: what, to whom (None: the market), how often and when.

    `share` of the futures; `month` its median where it happens, with the 80% range; `base_share`,
    `base_month` the baseline's; `later` the median of months by which it comes later, where both know it.
    """

    what: str
    vendor: str | None
    share: float
    month: float
    low: float
    high: float
    base_share: float
    base_month: float
    later: float


def log(base: Outcomes, mine: Outcomes, *, least: float = 0.1) -> list[Event]:
    """What happens in at least that share of the futures of either run, by its median month."""
    before, now = dates(base), dates(mine)
    found = []
    for key in dict.fromkeys([*now, *before]):
        here, there = now.get(key), before.get(key)
        none = np.full(mine.N, np.nan)
        a, b = here if here is not None else none, there if there is not None else none
        share, was = float(np.isfinite(a).mean()), float(np.isfinite(b).mean())
        if max(share, was) < least:
            continue
        s, t = spread(a), spread(b)
        paired = a - b if len(a) == len(b) else np.full(1, np.nan)
        found.append(
            Event(
                what=key[0],
                vendor=key[1],
                share=share,
                month=float(s.median),
                low=float(s.low),
                high=float(s.high),
                base_share=was,
                base_month=float(t.median),
                later=float(spread(paired).median),
            )
        )

    def place(e: Event) -> tuple[float, str, str]:
        return (e.base_month if np.isnan(e.month) else e.month, e.what, e.vendor or "")

    return sorted(found, key=place)


def dates(o: Outcomes) -> dict[tuple[str, str | None], Array]:
    """(what, vendor) → [N] month from the start in which it first happens, NaN where it never does."""
    found: dict[tuple[str, str | None], Array] = {}
    v, names = o.run.vendor, o.market.vendors
    below, again = _below(o)
    allowed = (v["allowance"] > 0) | ((v["price_light"] <= 0) & o.active)
    largest = np.maximum.accumulate(v["allowance"], axis=1)
    withdrawn = (largest > 0) & (v["allowance"] <= largest / 2) & o.active
    late = ~o.active[:, 0]
    steps = _kinds(o, (o._k.STEP_IN,))
    for j, name in enumerate(names):
        if not o.inside[j]:
            continue
        found["opens", name] = np.where(o.opener == j, o.opening / DAYS, np.nan)
        found["follows", name] = (o.lag[:, j] + o.opening) / DAYS
        found["free", name] = _first(allowed[:, :, j])
        found["stops_free", name] = _first(withdrawn[:, :, j])
        found["below_cost", name] = below[:, j]
        found["stops_below_cost", name] = again[:, j]
        found["harvest", name] = _first(o.vendor_stage[:, :, j] == HARVEST)
        found["leaves", name] = o.exit_month[:, j]
        if late[:, j].any():
            found["enters", name] = np.where(late[:, j], _first(o.active[:, :, j]), np.nan)
    found["harvest", None] = _first(o.stage == HARVEST)
    found["regulator", None] = steps
    return found


def _first(here: Array) -> Array:
    """[N] month, from 1, in which a condition [N, M] first holds."""
    return np.where(here.any(1), here.argmax(1) + 1.0, np.nan)


def _below(o: Outcomes) -> tuple[Array, Array]:
    """[N, J] month in which a vendor first sells below cost, and that after which it no longer does."""
    below = o.selling_below_cost
    first = np.stack([_first(below[:, :, j]) for j in range(below.shape[2])], axis=1)
    last = below.shape[1] - below[:, ::-1].argmax(1)  # months counted from 1: the last one below cost
    ends = below.any(1) & (last < below.shape[1])
    still = np.take_along_axis(o.active, np.minimum(last, below.shape[1] - 1)[:, None], axis=1)[:, 0]
    return first, np.where(ends & still, last + 1.0, np.nan)


def _kinds(o: Outcomes, kinds: Iterable[int]) -> Array:
    """[N] month of the first event of these kinds."""
    found = np.full(o.N, np.nan)
    for n, events in enumerate(o.run.events):
        rows = np.flatnonzero(np.isin(events[:, 1], list(kinds)))
        if rows.size:
            found[n] = events[rows[0], 0]
    return found
