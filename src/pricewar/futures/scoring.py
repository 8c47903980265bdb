"""Forecasts from history held against what came to pass.

Rolling origin: at each origin the hazards are estimated on what was on record then; the forecast is what the
    user of
an offer pays h months later, as a log ratio to what it pays now, the successor's price once the model is
retired.

    CRPS(F, y) = E|X − y| − ½ E|X − X′|         (Gneiting, Raftery 2007, J. Am. Stat. Assoc. 102; in log
    price) log score  = −log P(band of y), over 13 bands of change with "unchanged" a band of its own

Opponents, refitted at each origin on the same records, class by class:

- no change: Laplace around 0, its scale fitted by CRPS on past changes over h months (a point when that is
  best);
- constant decline: the same around the class's mean past decline;
- climatology: the past changes of the class over h months themselves. Where h months have not been on record
  yet, sums of independent shorter ones stand in.

Coverage of central intervals is counted twice: by the interval as it is (a forecast with an atom at
"unchanged" covers more than it says), and by the randomised probability integral transform, which is right
for atoms too (Czado, Gneiting, Held 2009, Biometrics 65). Events (free terms end, their limits are cut, a
model is retired) are scored by Brier's score and by log score against no change, a constant rate and
climatology, all kept away from 0 and 1.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from pricewar.futures.history import SEEN_LATE, amount_changes, estimate, free_lives
from pricewar.futures.process import TIERS, Hazards
from pricewar.futures.records import Records, after_months, load_records, tier_of, vendor_of
from pricewar.futures.survival import stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ORIGINS: Final = (
    date(2024, 6, 30),
    date(2024, 9, 30),
    date(2024, 12, 31),
    date(2025, 3, 31),
    date(2025, 6, 30),
    date(2025, 9, 30),
)
HORIZONS: Final = (1, 3, 6, 12)
LEVELS: Final = (0.5, 0.8, 0.9)
BANDS: Final = (-1.5, -1.0, -0.6, -0.3, -0.1, -0.005, 0.005, 0.1, 0.3, 0.6, 1.0, 1.5)
FLOOR: Final = 0.01
"""Probability spread evenly over the bands of every forecast, so that no log score is infinite."""
BASELINES: Final = ("no change", "constant decline", "climatology")
STALE: Final = timedelta(days=45)
"""An offer not on record for so long before the day is not scored on it."""
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Row:
    """One line of the table: forecasts of one class and horizon.

    `crps`, `log`: of ours; `baselines`: name → (CRPS, log score). `skill`: 1 − CRPS / best baseline's, with
        its 90%
    interval over vendors drawn anew. `coverage`, `transform`: shares inside the central 50, 80, 90%
    intervals, as they are and by the randomised transform.
    """

    group: str
    horizon: int
    forecasts: int
    changed: float
    crps: float
    log: float
    baselines: dict[str, tuple[float, float]]
    best: str
    skill: float
    interval: tuple[float, float]
    coverage: tuple[float, ...]
    transform: tuple[float, ...]


@dataclass(frozen=True)
class Event:
    """Forecasts of an event within h months: Brier and log score, ours and the baselines' by name."""

    group: str
    horizon: int
    forecasts: int
    happened: float
    expected: float
    brier: float
    log: float
    baselines: dict[str, tuple[float, float]]
    best: str
    skill: float


@dataclass(frozen=True)
class Scores:
    """The whole table. `rows`: prices; `events`: free terms and retirements."""

    origins: tuple[date, ...]
    draws: int
    seed: int
    rows: tuple[Row, ...]
    events: tuple[Event, ...]

    def document(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "origins": [day.isoformat() for day in self.origins]}

    def markdown(self) -> str:
        """Both tables, as docs/futures.md shows them."""
        lines = [
            "| offers | months | n | changed | CRPS | no change | decline | climatology | skill (90%) "
            "| log | best log | 50 / 80 / 90% | by transform |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for r in self.rows:
            lines.append(
                f"| {r.group} | {r.horizon} | {r.forecasts} | {r.changed:.0%} | {r.crps:.4f} | "
                + " | ".join(f"{r.baselines[b][0]:.4f}" for b in BASELINES)
                + f" | {r.skill:+.0%} ({r.interval[0]:+.0%} … {r.interval[1]:+.0%}) | {r.log:.3f} | "
                f"{min(b[1] for b in r.baselines.values()):.3f} | "
                + " / ".join(f"{c:.0%}" for c in r.coverage)
                + " | "
                + " / ".join(f"{c:.0%}" for c in r.transform)
                + " |"
            )
        lines += [
            "",
            "| event | months | n | happened | expected | Brier | best baseline | skill | log | best log |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for e in self.events:
            lines.append(
                f"| {e.group} | {e.horizon} | {e.forecasts} | {e.happened:.0%} | {e.expected:.0%} "
                f"| {e.brier:.4f} | {e.baselines[e.best][0]:.4f} ({e.best}) | {e.skill:+.0%} | {e.log:.3f} | "
                f"{min(b[1] for b in e.baselines.values()):.3f} |"
            )
        return "\n".join(lines) + "\n"


def crps(draws: NDArray[np.float64], outcome: float) -> float:
    """Continuous ranked probability score of an equally weighted sample, in the sample's unit."""
    import numpy as np

    x = np.sort(draws)
    n = x.size
    spread = float(((2 * np.arange(1, n + 1) - n - 1) * x).sum()) / n**2
    return float(np.abs(x - outcome).mean()) - spread


def crps_laplace(centre: float, scale: float, outcome: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same in closed form for a Laplace distribution; a scale of 0 is a point."""
    import numpy as np

    gap = np.abs(outcome - centre)
    return gap if scale == 0 else gap + scale * np.exp(-gap / scale) - 0.75 * scale


def log_score(draws: NDArray[np.float64], outcome: float) -> float:
    """−log of the probability of the outcome's band."""
    import numpy as np

    bands = len(BANDS) + 1
    counts = np.bincount(np.digitize(draws, BANDS), minlength=bands)
    share = (1 - FLOOR) * counts / draws.size + FLOOR / bands
    return -math.log(float(share[int(np.digitize(outcome, BANDS))]))


def transform(draws: NDArray[np.float64], outcome: float, u: float) -> float:
    """The randomised probability integral transform: uniform where the forecast is right."""
    import numpy as np

    if abs(outcome) < 0.005:
        outcome = 0.0
    ties = np.abs(draws - outcome) < 1e-9 if outcome else np.abs(draws) < 0.005
    return float(((draws < outcome) & ~ties).mean() + u * ties.mean())


def outcomes(records: Records, origin: date, horizon: int, upto: date | None = None) -> dict[Key, float]:
    """Log of what each offer's user pays `horizon` months after `origin` over what it paid then, where both
    are on record (by `upto`, when given)."""
    day = after_months(origin, horizon)
    found: dict[Key, float] = {}
    if upto is not None and day > upto:
        return found
    for key, spells in records.histories.items():
        end = records.retirement(*key)
        if spells[0].first > origin or (end is not None and end.on <= origin):
            continue
        if spells[-1].last < origin - STALE:
            continue
        if end is not None and end.on <= day:
            if records.successor(*key, day) is None:
                continue
        elif spells[-1].last < day - STALE:
            continue
        now, then = records.price_on(*key, origin), records.paid_on(*key, day)
        if now and then:
            found[key] = math.log(then / now)
    return found


def _past(known: Records, origin: date, horizon: int) -> dict[tuple[str, str], list[float]]:
    """Changes over `horizon` months that were complete by `origin`, by class, from monthly starts."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    start = after_months(origin, -horizon)
    while start > date(2023, 11, 1):
        for key, change in outcomes(known, start, horizon, origin).items():
            found[key[0], tier_of(key[2], known.histories[key][0].price)].append(change)
        start = after_months(start, -1)
    return found


def _sample(
    past: Callable[[int], dict], key: tuple[str, str], horizon: int, draws: int
) -> NDArray[np.float64]:
    """Climatology of a class: past changes over the horizon, or sums of shorter ones. The classes of a
    channel, then all, stand in for one without any."""
    import numpy as np

    for shorter in [h for h in (12, 6, 3, 1) if h <= horizon and horizon % h == 0]:
        table = past(shorter)
        for chosen in (
            [key],
            [(key[0], tier) for tier in TIERS],
            [(c, tier) for c in ("own", "hosted", "routed") for tier in TIERS],
        ):
            values = np.array([x for k in chosen for x in table.get(k, ())])
            if values.size >= 20:
                parts = horizon // shorter
                rng = stream(0, "climatology", *key, horizon)
                if parts == 1:
                    return np.quantile(values, (np.arange(draws) + 0.5) / draws, method="inverted_cdf")
                return values[(rng.random((draws, parts)) * values.size).astype(int)].sum(axis=1)
    return np.zeros(draws)


def _laplace(values: NDArray[np.float64], centre: float, draws: int) -> tuple[float, NDArray[np.float64]]:
    """The best scale by CRPS on past values, and the distribution as a sample."""
    import numpy as np

    scales = [0.0, *np.geomspace(0.002, 1.0, 25)]
    scale = min(scales, key=lambda s: float(crps_laplace(centre, s, values).mean()))
    p = (np.arange(draws) + 0.5) / draws
    return scale, centre - scale * np.sign(p - 0.5) * np.log1p(-2 * np.abs(p - 0.5))


def table(
    origins: Sequence[date] = ORIGINS,
    horizons: Sequence[int] = HORIZONS,
    draws: int = 1000,
    seed: int = 0,
    records: Records | None = None,
    progress: Callable[[str], None] | None = None,
) -> Scores:
    """Score forecasts from every origin over every horizon that is complete on record.

    Args:
        origins: cut-off days. horizons: months. draws: futures of each forecast. seed: of them.
        records: ours when None. progress: called with a line per origin.
    """
    import numpy as np

    full = records or load_records()
    scored: list[tuple[str, str, int, float, float, float, dict, list, list]] = []
    events: list[tuple[str, int, bool, float, dict]] = []
    times = np.arange(1.0, max(horizons) + 1)
    for origin in origins:
        hazards = estimate(origin, full)
        memory: dict[int, dict] = {}

        def past(h: int, known: Records = hazards.known, day: date = origin, memory: dict = memory) -> dict:
            if h not in memory:
                memory[h] = _past(known, day, h)
            return memory[h]

        truth = {h: outcomes(full, origin, h, full.until) for h in horizons}
        wanted = sorted({key for found in truth.values() for key in found})
        samples: dict[tuple[str, str, int], dict[str, NDArray]] = {}
        before = {h: _retired_before(hazards, origin, h) for h in horizons}
        for key in wanted:
            subject = hazards.subject(*key, origin)
            if subject is None:
                continue
            paths = hazards.paths(subject, times, draws, seed)
            paid = paths.paid(times)
            cell = (subject.channel, subject.tier)
            for h in horizons:
                if key not in truth[h]:
                    continue
                y = truth[h][key]
                x = paid[:, h - 1]
                if (*cell, h) not in samples:
                    climate = _sample(past, cell, h, draws)
                    decline = float(climate.mean())
                    samples[*cell, h] = {
                        "no change": _laplace(climate, 0.0, draws)[1],
                        "constant decline": _laplace(climate, decline, draws)[1],
                        "climatology": climate,
                    }
                against = {name: (crps(s, y), log_score(s, y)) for name, s in samples[*cell, h].items()}
                low_high = [np.quantile(x, [(1 - c) / 2, (1 + c) / 2]) for c in LEVELS]
                u = stream(seed, "transform", origin, h, *key).random()
                pit = abs(transform(x, y, float(u)) - 0.5) * 2
                scored.append(
                    (
                        f"{cell[0]} {cell[1]}",
                        vendor_of(key[1]),
                        h,
                        y,
                        crps(x, y),
                        log_score(x, y),
                        against,
                        [float(a - 1e-9 <= y <= b + 1e-9) for a, b in low_high],
                        [float(pit <= c) for c in LEVELS],
                    )
                )
                if subject.channel == "own":
                    end = full.retirement(*key)
                    gone = end is not None and end.on <= after_months(origin, h)
                    p = float((paths.retirement <= h).mean())
                    events.append(("own model retired", h, gone, p, before[h]))
        for h in horizons:
            events += _free_events(full, hazards, origin, h, draws, seed)
        if progress:
            progress(f"{origin}: {len(wanted)} offers")
    return Scores(
        tuple(origins), draws, seed, tuple(_rows(scored, horizons, seed)), tuple(_events(events, horizons))
    )


def _rows(scored: list, horizons: Sequence[int], seed: int) -> list[Row]:
    import numpy as np

    cells = [
        (group, [s for s in scored if s[0].startswith(group)])
        for group in (
            "own light",
            "own flagship",
            "own",
            "hosted",
            "routed light",
            "routed flagship",
            "routed",
            "",
        )
    ]
    rows = []
    for group, of_group in cells:
        for h in horizons:
            mine = [s for s in of_group if s[2] == h]
            if not mine:
                continue
            ours = np.array([s[4] for s in mine])
            theirs = {b: np.array([s[6][b][0] for s in mine]) for b in BASELINES}
            best = min(BASELINES, key=lambda b: theirs[b].mean())
            vendors = sorted({s[1] for s in mine})
            of = np.array([vendors.index(s[1]) for s in mine])
            a, b = np.bincount(of, ours), np.bincount(of, theirs[best])
            pick = stream(seed, "vendors", group, h).integers(0, len(vendors), (2000, len(vendors)))
            top, bottom = a[pick].sum(1), b[pick].sum(1)
            # Where hardly anything changed there is no skill to speak of.
            some = bottom > 0.1 * b.sum()
            skill = 1 - float(ours.mean() / theirs[best].mean()) if b.sum() > 0 else 0.0
            interval = (
                np.quantile(1 - top[some] / bottom[some], [0.05, 0.95]) if some.any() else (skill, skill)
            )
            rows.append(
                Row(
                    group or "all",
                    h,
                    len(mine),
                    float(np.mean([abs(s[3]) >= 0.005 for s in mine])),
                    float(ours.mean()),
                    float(np.mean([s[5] for s in mine])),
                    {
                        name: (float(theirs[name].mean()), float(np.mean([s[6][name][1] for s in mine])))
                        for name in BASELINES
                    },
                    best,
                    skill,
                    (float(interval[0]), float(interval[1])),
                    tuple(float(c) for c in np.mean([s[7] for s in mine], axis=0)),
                    tuple(float(c) for c in np.mean([s[8] for s in mine], axis=0)),
                )
            )
    return rows


def _retired_before(hazards: Hazards, origin: date, h: int) -> dict[str, float]:
    """What the baselines hold of a retirement within `h` months."""
    rates, known = hazards.announced["own"], hazards.known
    start, seen, over = after_months(origin, -h), 0, 0
    for key, spells in known.histories.items():
        end = known.retirement(*key)
        if key[0] == "own" and spells[0].first <= start and (end is None or end.on > start):
            seen += 1
            over += end is not None and end.on <= origin
    constant = -math.expm1(-(rates.events + 0.5) / (rates.exposure + 25) * h)
    return {"constant rate": constant, "climatology": (over + 0.5) / (seen + 1)}


def _free_events(
    full: Records, hazards: Hazards, origin: date, h: int, draws: int, seed: int
) -> list[tuple[str, int, bool, float, dict]]:
    """Whether free terms listed on the origin are gone h months later, and whether limits of those that go on
    have been cut."""
    import numpy as np

    day = after_months(origin, h)
    if day > full.until - SEEN_LATE:
        return []
    lives = free_lives(full)
    rates = hazards.ended["free"]
    constant = -math.expm1(-(rates.events + 1.0) / (rates.exposure + 20) * h)
    start, seen, over = after_months(origin, -h), 0, 0
    for _, _, first, last, ended in free_lives(hazards.known):
        if first <= start and last > start:
            seen += 1
            over += ended
    climatology = (over + 0.5) / (seen + 1)
    found = []
    tightened = hazards.tightened["free"]
    cuts = [(v, m, when) for v, m, when, size in amount_changes(full) if size < 0]
    share = float((hazards.amounts["free"].values < 0).mean())
    constant_cut = -math.expm1(-share * (tightened.events + 0.5) / (tightened.exposure + 24) * h)
    stated = {(s.vendor, s.model) for s in full.free if s.kind == "free" and s.amounts}
    past_cuts = {(v, m) for v, m, when, size in amount_changes(hazards.known) if size < 0 and when > start}
    past_seen = {(v, m) for v, m, a, b, _ in free_lives(hazards.known) if a <= start < b and (v, m) in stated}
    climatology_cut = (len(past_cuts & past_seen) + 0.5) / (len(past_seen) + 1)
    for vendor, model, first, last, ended in lives:
        if first > origin or last < origin or (last < day and not ended):
            continue
        if (vendor, model) in stated and last >= day:
            amounts = hazards.free_amount("free", vendor, np.arange(1.0, h + 1), draws, seed)
            found.append(
                (
                    "free limits cut",
                    h,
                    any(v == vendor and m == model and origin < when <= day for v, m, when in cuts),
                    float((amounts.min(axis=1) < -0.01).mean()),
                    {"constant rate": constant_cut, "climatology": climatology_cut},
                )
            )
        p = float((hazards.free_end("free", vendor, f"{vendor}/{model}", draws, seed) <= h).mean())
        found.append(
            ("free terms ended", h, last < day, p, {"constant rate": constant, "climatology": climatology})
        )
    return found


def _events(events: list[tuple[str, int, bool, float, dict]], horizons: Sequence[int]) -> list[Event]:
    import numpy as np

    rows = []
    for group in sorted({e[0] for e in events}):
        for h in horizons:
            mine = [e for e in events if e[:2] == (group, h)]
            if not mine:
                continue
            y = np.array([float(e[2]) for e in mine])
            named = {
                "no change": np.full(y.size, FLOOR),
                **{name: np.array([e[4][name] for e in mine]) for name in ("constant rate", "climatology")},
            }

            def score(p: NDArray[np.float64], y: NDArray[np.float64] = y) -> tuple[float, float]:
                p = np.clip(p, FLOOR, 1 - FLOOR)
                return float(((p - y) ** 2).mean()), float(-(np.log(np.where(y > 0, p, 1 - p))).mean())

            ours = np.array([e[3] for e in mine])
            brier, log = score(ours)
            theirs = {name: score(p) for name, p in named.items()}
            best = min(theirs, key=lambda b: theirs[b][0])
            rows.append(
                Event(
                    group,
                    h,
                    y.size,
                    float(y.mean()),
                    float(ours.mean()),
                    brier,
                    log,
                    theirs,
                    best,
                    1 - brier / max(theirs[best][0], 1e-9),
                )
            )
    return rows
