"""Estimates from recorded history: what happened to offers like these, up to a cut-off date.

Nothing recorded after `as_of` is used: `Records.known` cuts the records, and the estimates see nothing else.
    The
process whose parameters these are is stated in `process`; how the rates are pooled in `survival`; how well it
forecasts in `scoring`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pricewar.errors import ConfigurationError
from pricewar.futures.process import AGES, QUIET, TIERS, Drift, Hazards
from pricewar.futures.records import (
    PREVIEW,
    ROUNDING,
    FrontierPoint,
    Records,
    Tier,
    after_months,
    changes,
    deviation,
    line_of,
    load_records,
    months,
    pool_of,
    spelled,
    tier_of,
    undated,
    vendor_of,
)
from pricewar.futures.survival import Lifetimes, Rates, Record, Sizes, kaplan_meier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHANNELS: Final = ("own", "hosted", "routed")
SEEN_LATE: Final = timedelta(days=14)
"""A free offer not listed for so long has ended."""
MIRRORED: Final = 6
"""Pseudo-records of the other sign among a class's sizes."""
FREQUENT: Final = 15
"""Changes from which on the undoing of deviations is estimated for a class."""


def estimate(as_of: date, records: Records | None = None) -> Hazards:
    """Hazards from what was on record at the end of `as_of`.

    Args:
        as_of: the cut-off.
        records: ours when None.

    Raises:
        ConfigurationError: hardly anything was on record then.
    """
    known = (records or load_records()).known(as_of)
    if sum(1 for s in known.spells if s.channel == "own") < 10:
        raise ConfigurationError(
            f"hardly any price was on record as of {as_of}",
            where="as_of",
            remedy="choose a day after 2023-12-31: the records begin in 2023-11",
        )
    import numpy as np

    change: dict[tuple[str, Tier], Rates] = {}
    sizes: dict[tuple[str, Tier], Sizes] = {}
    undone: dict[tuple[str, Tier], float] = {}
    at_risk, steps, calm = _exposures(known)
    overall = [s for sizes_ in steps.values() for s in sizes_]
    for channel in CHANNELS:
        of_channel = [s for tier in TIERS for s in steps[channel, tier]]
        all_at_risk = [r for tier in TIERS for r in at_risk[channel, tier]]
        rate = (sum(r.events for r in all_at_risk) + 0.5) / (sum(r.exposure for r in all_at_risk) + 25.0)
        for tier in TIERS:
            key = (channel, tier)
            change[key] = Rates.fit(at_risk[key], prior=(1.0, 1.0 / rate))
            # Few sizes borrow from the other tier, then from the other channels.
            mine = steps[key]
            if len(mine) < 20:
                mine = mine + of_channel
            if len(mine) < 10:
                mine = mine + [s for s in overall if abs(s) > 0.05]
            sizes[key] = Sizes(np.asarray(mirrored(mine or [-0.5, 0.3])))
            undone[key] = _undone(known, key) if len(steps[key]) >= FREQUENT else 0.0
    announced, leaving, notice = _retirements(known)
    succession, succeeded, returns = _successions(known)
    ended, programme, tightened, amounts = _free(known)
    outcomes, delays = _outcomes(known)
    ratios = [math.log(s.amounts["ratio"]) for s in known.free if "ratio" in s.amounts]
    return Hazards(
        as_of=as_of,
        known=known,
        change=change,
        sizes=sizes,
        undone=undone,
        calm=calm,
        announced=announced,
        leaving=leaving,
        notice=notice,
        succession=succession,
        succeeded=succeeded,
        returns=returns,
        ended=ended,
        programme=programme,
        tightened=tightened,
        amounts=amounts,
        dearer=Sizes(np.asarray(ratios or [math.log(2)])),
        outcomes=outcomes,
        delays=delays,
        drift={tier: _drift(known, tier) for tier in TIERS},
        turbulence=_turbulence(known),
    )


def mirrored(sizes: Sequence[float]) -> list[float]:
    """The sizes, and `MIRRORED` of them, evenly chosen, with the other sign: a class that has only been cut
    so far is not taken to be cut for ever."""
    ordered = sorted(sizes)
    count = min(MIRRORED, len(ordered))
    return [*sizes, *(-ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count))]


def _exposures(
    known: Records,
) -> tuple[
    dict[tuple[str, Tier], list[Record]], dict[tuple[str, Tier], list[float]], dict[str, NDArray[np.float64]]
]:
    """Changes of price and the time at risk, by class; and by channel the log factors on their rate from 2
    and from 6 months of quiet (Poisson regression, ridge), by which the time at risk is weighted."""
    import numpy as np

    rows: dict[str, list[tuple[tuple[str, Tier], str, str, float, float, list[bool]]]] = defaultdict(list)
    steps: dict[tuple[str, Tier], list[float]] = defaultdict(list)
    for (channel, vendor, model), spells in known.histories.items():
        if pool_of(channel, vendor, model) != channel:
            continue  # the author's own list says it already
        key = (channel, tier_of(model, spells[0].price))
        end = known.retirement(channel, vendor, model)
        last = min(spells[-1].last, end.on) if end is not None else spells[-1].last
        events = [c for c in changes(spells) if c.day <= last]
        steps[key] += [c.size for c in events]
        since = spells[0].first
        for stop, over in [*((c.day, 1.0) for c in events), (last, 0.0)]:
            edges = [since, *(e for q in QUIET if since < (e := after_months(since, q)) < stop), stop]
            for a, b in pairwise(edges):
                quiet = months(since, a)
                rows[channel].append(
                    (
                        key,
                        vendor_of(vendor),
                        spelled(model),
                        over if b == stop else 0.0,
                        months(a, b),
                        [quiet >= q - 0.02 for q in QUIET],
                    )
                )
            since = stop
    at_risk: dict[tuple[str, Tier], list[Record]] = defaultdict(list)
    calm: dict[str, NDArray[np.float64]] = {}
    for channel in CHANNELS:
        mine = rows[channel]
        if not mine:
            calm[channel] = np.zeros(2)
            continue
        x = np.asarray([r[5] for r in mine], float)
        n, t = np.asarray([r[3] for r in mine]), np.asarray([r[4] for r in mine])
        calm[channel] = _poisson_ridge(x, n, t, 0.7)
        weighted = t * np.exp(x @ calm[channel])
        for (key, vendor, model, over, _, _), exposure in zip(mine, weighted, strict=True):
            at_risk[key].append(Record(vendor, model, over, float(exposure)))
    return at_risk, steps, calm


def _undone(known: Records, key: tuple[str, Tier]) -> float:
    """Least squares of a change on the deviation before it, within 0 … 1."""
    import numpy as np

    before, after = [], []
    for (channel, vendor, model), spells in known.histories.items():
        if (channel, tier_of(model, spells[0].price)) != key or pool_of(channel, vendor, model) != channel:
            continue
        for i in range(1, len(spells)):
            size = math.log(spells[i].price / spells[i - 1].price)
            if abs(size) >= ROUNDING:
                before.append(deviation(spells[:i], spells[i].first))
                after.append(size)
    x, y = np.asarray(before), np.asarray(after)
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / (((x - x.mean()) ** 2).sum() + 1.0))
    return min(1.0, max(0.0, -slope))


def _retirements(known: Records) -> tuple[dict[str, Rates], NDArray[np.float64], Sizes]:
    """Rates of announcement: a Poisson regression on age, a newer model in the line and preview (ridge,
    standard deviation 0.7), then partial pooling of what is left by vendor."""
    import numpy as np

    newer: dict[tuple[str, str, str], list[date]] = defaultdict(list)
    for (channel, vendor, model), spells in known.histories.items():
        if not PREVIEW.search(model):
            newer[channel, vendor, line_of(model)].append(spells[0].first)
    x, events, exposure, owner = [], [], [], []
    lives: list[tuple[str, str, str]] = []
    for key, spells in known.histories.items():
        channel, vendor, model = key
        end = known.retirement(*key)
        first, stop = spells[0].first, end.announced if end is not None else spells[-1].last
        if channel == "routed" or stop <= first:
            continue
        later = [day for day in newer[channel, vendor, line_of(model)] if day > first]
        cuts = {after_months(first, a) for a in AGES} | {min(later, default=stop)}
        edges = [first, *sorted(c for c in cuts if first < c < stop), stop]
        for a, b in pairwise(edges):
            age = months(first, a) + 1e-9
            x.append(
                [
                    age >= AGES[0] - 0.02,
                    age >= AGES[1] - 0.02,
                    bool(later) and a >= min(later),
                    PREVIEW.search(model) is not None,
                ]
            )
            events.append(float(end is not None and b == stop))
            exposure.append(months(a, b))
            owner.append(len(lives))
        lives.append(key)
    features, n, t = np.asarray(x, float), np.asarray(events), np.asarray(exposure)
    beta = _poisson_ridge(features, n, t, 0.7)
    weighted = t * np.exp(features @ beta)
    at_risk: dict[str, list[Record]] = {"own": [], "hosted": []}
    spent, ended = np.bincount(owner, weighted), np.bincount(owner, n)
    for (channel, vendor, model), length, over in zip(lives, spent, ended, strict=True):
        at_risk[channel].append(Record(vendor_of(vendor), spelled(model), float(over), float(length)))
    notices = [months(r.announced, r.on) for r in known.retirements if r.on >= r.announced]
    fits = {channel: Rates.fit(records, prior=(1.0, 40.0)) for channel, records in at_risk.items()}
    return fits, beta, Sizes(np.asarray(notices or [0.0, 3.0, 6.0]), 0.0)


def _poisson_ridge(
    x: NDArray[np.float64], n: NDArray[np.float64], t: NDArray[np.float64], spread: float
) -> NDArray[np.float64]:
    """Log factors β of n ~ Poisson(t exp(α + xβ)) with β ~ N(0, spread²), by Newton's method."""
    import numpy as np

    design = np.column_stack([np.ones(len(x)), x])
    penalty = np.diag([1e-6, *[1 / spread**2] * x.shape[1]])
    b = np.zeros(design.shape[1])
    b[0] = math.log((n.sum() + 0.5) / (t.sum() + 1.0))
    for _ in range(60):
        mean = t * np.exp(design @ b)
        step = np.linalg.solve(
            design.T @ (design * mean[:, None]) + penalty, design.T @ (n - mean) - penalty @ b
        )
        b = b + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return b[1:]


def _successions(known: Records) -> tuple[Rates, dict[Tier, Sizes], float]:
    """New models in vendors' own lines: how often, at which price relative to the one before, and how much of
    the line's deviation from its mean each undoes. Models first recorded on one day stand beside, not after,
    each other."""
    import numpy as np

    lines: dict[tuple[str, str], list[tuple[date, str]]] = defaultdict(list)
    for (channel, vendor, model), spells in known.histories.items():
        if channel == "own" and not PREVIEW.search(model):
            lines[vendor, line_of(model)].append((spells[0].first, model))
    records: list[Record] = []
    above: list[float] = []
    moves: list[tuple[Tier, float]] = []
    for (vendor, _), models in lines.items():
        models.sort()
        count, prices = 0, []
        for (before, older), (day, newer) in pairwise(models):
            old = known.price_on("own", vendor, older, day)
            new = known.price_on("own", vendor, newer, day)
            if day == before or old is None or new is None or undated(older) == undated(newer):
                continue
            count += 1
            prices.append(math.log(old))
            above.append(prices[-1] - float(np.mean(prices)))
            moves.append((tier_of(older, old), math.log(new / old)))
        records.append(Record(vendor_of(vendor), models[0][1], count, months(models[0][0], known.until)))
    x, y = np.asarray(above), np.asarray([size for _, size in moves])
    returns = 0.0
    if x.size > 2:
        returns = min(1.0, max(0.0, -float((x * (y - y.mean())).sum() / ((x**2).sum() + 1.0))))
    everything = [size + returns * a for (_, size), a in zip(moves, above, strict=True)]
    found: dict[Tier, Sizes] = {}
    for tier in TIERS:
        mine = [size for size, (of, _) in zip(everything, moves, strict=True) if of == tier]
        found[tier] = Sizes(np.asarray((mine if len(mine) >= 10 else mine + everything) or [0.0]))
    return Rates.fit(records), found, returns


def free_lives(known: Records, kind: str = "free") -> list[tuple[str, str, date, date, bool]]:
    """(vendor, model, first listed, last listed, whether it ended) of free offers."""
    found: dict[tuple[str, str], tuple[date, date, bool]] = {}
    for s in known.free:
        if s.kind != kind:
            continue
        first, last, censored = found.get((s.vendor, s.model), (s.first, s.last, False))
        found[s.vendor, s.model] = (min(first, s.first), max(last, s.last), censored or s.censored)
    return [
        (vendor, model, first, last, not censored and known.until - last > SEEN_LATE)
        for (vendor, model), (first, last, censored) in found.items()
    ]


def amount_changes(known: Records, kind: str = "free") -> list[tuple[str, str, date, float]]:
    """(vendor, model, day, log ratio) of changes of limits or grants: the tightest of what both spells
    state."""
    found = []
    spells = sorted((s for s in known.free if s.kind == kind), key=lambda s: (s.vendor, s.model, s.first))
    for before, after in pairwise(spells):
        if before[:3] != after[:3]:
            continue
        ratios = [
            math.log(after.amounts[meter] / amount)
            for meter, amount in before.amounts.items()
            if meter != "ratio"
            and amount > 0
            and after.amounts.get(meter, 0) > 0
            and after.amounts[meter] != amount
        ]
        if ratios:
            found.append(
                (before.vendor, before.model, after.first, min(ratios, key=lambda r: (r > 0, -abs(r))))
            )
    return found


def _free(
    known: Records,
) -> tuple[dict[str, Rates], dict[str, Rates], dict[str, Rates], dict[str, Sizes]]:
    import numpy as np

    ended, programme, tightened, amounts = {}, {}, {}, {}
    everything: list[float] = []
    for kind in ("free", "grant", "introductory"):
        lives = free_lives(known, kind)
        whole: dict[str, tuple[date, date]] = {}
        for vendor, _, first, last, _ in lives:
            a, b = whole.get(vendor, (first, last))
            whole[vendor] = (min(a, first), max(b, last))
        over = {vendor for vendor, (_, b) in whole.items() if known.until - b > SEEN_LATE}
        if kind == "introductory":
            over = set()  # each such price is a programme of its own
        one_of_a_kind = {vendor: all(m == "*" for v, m, *_ in lives if v == vendor) for vendor in whole}
        programme[kind] = Rates.fit(
            [Record(vendor_of(v), v, float(v in over), months(a, b)) for v, (a, b) in whole.items()],
            prior=(1.0, 24.0),
        )
        # What goes with the whole programme is not a model's own end.
        ended[kind] = Rates.fit(
            [
                Record(
                    vendor_of(v),
                    m,
                    float(gone and not (v in over and whole[v][1] - b <= SEEN_LATE)),
                    months(a, b),
                )
                for v, m, a, b, gone in lives
                if m != "*" or one_of_a_kind[v]
            ],
            prior=(1.0, 24.0),
        )
        if kind == "introductory":
            continue
        moved = amount_changes(known, kind)
        count: dict[tuple[str, str], int] = defaultdict(int)
        for vendor, model, _, _ in moved:
            count[vendor, model] += 1
        tightened[kind] = Rates.fit(
            [Record(vendor_of(v), m, count[v, m], months(a, b)) for v, m, a, b, _ in lives], prior=(0.5, 24.0)
        )
        sizes = [size for *_, size in moved]
        everything += sizes
        amounts[kind] = Sizes(np.asarray((sizes if len(sizes) >= 10 else sizes + everything) or [-0.7]))
    return ended, programme, tightened, amounts


def _outcomes(known: Records) -> tuple[tuple[int, int, int], Sizes]:
    """Announcements kept, moved and cancelled: our records, and retirements that came on the day announced.
    One announcement that covers many models counts once."""
    import numpy as np

    count = {"kept": 0, "moved": 0, "cancelled": 0, "pending": 0}
    for a in known.announcements:
        count[a.outcome] += 1
    moved = {(vendor_of(a.vendor), a.announced) for a in known.announcements if a.outcome == "moved"}
    kept = {
        (vendor_of(r.vendor), r.announced, r.on)
        for r in known.retirements
        if r.on <= known.until and r.on - r.announced > timedelta(7)
    }
    count["kept"] += sum((vendor, announced) not in moved for vendor, announced, _ in kept)
    delays = [float(a.days_late) for a in known.announcements if a.outcome == "moved"]
    return (count["kept"], count["moved"], count["cancelled"]), Sizes(np.asarray(delays or [60.0]))


def _drift(known: Records, tier: Tier) -> Drift:
    """Pooled drift of the lowest price at a level. Series below a year or four points are left out: they
    begin at the fall that made them a series. The levels share models, so that the error of the pooled mean
    is taken as that of one level, not of their number."""
    import numpy as np

    series: dict[tuple[str, str], list[FrontierPoint]] = defaultdict(list)
    for point in known.frontier:
        series[point.bench, point.level].append(point)
    slopes, errors, shocks = [], [], []
    for (_, level), points in series.items():
        points.sort(key=lambda p: p.released)
        t = np.array([months(points[0].released, p.released) for p in points])
        y = np.log([p.price for p in points])
        if len(points) < 4 or t[-1] < 12:
            continue
        x = t - t.mean()
        slope = float((x * (y - y.mean())).sum() / (x**2).sum())
        residual = y - y.mean() - slope * x
        shocks += list(np.abs(np.diff(residual)) / np.sqrt(np.maximum(np.diff(t), 0.5)))
        if ("GPT-3" in level) == (tier == "light"):
            slopes.append(slope)
            errors.append(max(float((residual**2).sum()) / (len(points) - 2) / float((x**2).sum()), 1e-6))
    lately = known.until - timedelta(days=365)
    current = [
        s.price
        for s in known.spells
        if s.channel == "own" and s.first > lately and tier_of(s.model, s.price) == tier
    ]
    listed = [s.price for s in known.spells if s.channel != "routed"]
    floor = min(0.5, float(np.quantile(listed, 0.01)) / float(np.median(current))) if current else 0.02
    if not slopes:  # before there are records: tenfold a year, from one third to three times as fast
        return Drift(-math.log(10) / 12, 0.12, 0.1, floor, 0)
    b, v = np.asarray(slopes), np.asarray(errors)
    w = 1 / v
    centre = float((w * b).sum() / w.sum())
    q = float((w * (b - centre) ** 2).sum())
    share = float(w.sum() - (w**2).sum() / w.sum())
    between = max(0.0, (q - (b.size - 1)) / share) if b.size > 1 else 0.01
    w = 1 / (v + between)
    spread = math.sqrt(max(1 / float(w.sum()), float(np.median(v))) + between)
    # The median absolute increment is 0.674 standard deviations.
    return Drift(float((w * b).sum() / w.sum()), spread, float(np.median(shocks)) / 0.674, floor, b.size)


def _turbulence(known: Records) -> float:
    """σ of the common factor on rates: what the counts of changes by channel and quarter vary beyond
    Poisson's."""
    import numpy as np

    events: dict[tuple[str, int], float] = defaultdict(float)
    exposure: dict[tuple[str, int], float] = defaultdict(float)
    for (channel, _, _), spells in known.histories.items():
        first, last = spells[0].first, spells[-1].last
        for quarter in range(_quarter(first), _quarter(last) + 1):
            exposure[channel, quarter] += 1
        for c in changes(spells):
            events[channel, _quarter(c.day)] += 1
    excess = weight = 0.0
    for channel in CHANNELS:
        cells = [cell for cell in exposure if cell[0] == channel]
        n = np.array([events[cell] for cell in cells])
        e = np.array([exposure[cell] for cell in cells])
        if n.sum() > 0:
            e = e * n.sum() / e.sum()
            excess += float(((n - e) ** 2 - e).sum())
            weight += float((e**2).sum())
    return math.sqrt(math.log1p(min(max(excess / weight, 0.0), 2.0))) if weight else 0.0


def _quarter(day: date) -> int:
    return day.year * 4 + (day.month - 1) // 3


def lifetimes(known: Records, kind: str = "free", tier: Tier | None = None) -> Lifetimes:
    """How long free offers last, by Kaplan and Meier, in months."""
    lives = [
        (months(a, b), over)
        for _, model, a, b, over in free_lives(known, kind)
        if tier is None or tier_of(model) == tier
    ]
    return kaplan_meier([length for length, _ in lives], [over for _, over in lives])
