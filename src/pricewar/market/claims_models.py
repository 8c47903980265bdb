"""Claims 4, 5, 6, 15 and 16: scale, jumps of quality, data, entry and scope. See `claims`."""

from __future__ import annotations

import numpy as np

from pricewar.market.claims import (
    BASE,
    Check,
    Claim,
    Finding,
    Futures,
    Share,
    Variant,
    median,
    number,
    paired,
    quiet,
    safe,
    vertical,
)
from pricewar.market.model import Array

# ------------------------------------------------------------------ 4: scale economies


NO_FLEET = Variant("no least fleet", (("fleet_minimum", "=", 0.0),))
NO_LEARNING = Variant("no learning", (("learning", "=", 0.0),))
NO_SCALE = Variant("no least fleet, no learning", (("fleet_minimum", "=", 0.0), ("learning", "=", 0.0)))


def _scale(f: Futures) -> Finding:
    slope = f(BASE, "work_slope")
    falls = Share.of(slope < 0, np.isfinite(slope))
    effects = tuple(
        f.effect(v, "elasticity of GPUs per unit of work", lambda x: f(x, "work_slope"), expected=+1)
        for v in (NO_FLEET, NO_LEARNING, NO_SCALE)
    )
    rest = median(f(NO_SCALE, "work_slope"))

    def unit(v: Variant) -> Array:
        sellers = f.sellers()
        return safe(f(v, "served")[:, sellers].sum(1), f(v, "work")[:, sellers].sum(1))

    costs = tuple(
        f.effect(v, "cost of a GPU-month of work, money", unit, expected=s)
        for v, s in ((NO_FLEET, -1), (NO_LEARNING, +1))
    )
    return Finding(
        4,
        "Unit cost falls with scale",
        "The cost of serving a unit falls with the scale of a vendor.",
        (
            Check.often(
                "across vendors and months the elasticity of GPUs per unit of work to work is negative "
                "in at least 95% of the futures",
                falls,
                0.95,
            ),
            Check("its median is at most −0.05", number(median(slope)), median(slope) <= -0.05),
            Check.clear("it shrinks clearly without the least fleet and learning", effects[2].gap, +1),
            Check(
                "and by at least half",
                f"{number(median(slope))} to {number(rest)}",
                abs(rest) <= 0.5 * abs(median(slope)),
            ),
        ),
        (*effects, *costs),
        (),
        (
            "Each vendor's own efficiency and the trade's progress are taken out; what is left is "
            "fleets, learning and load.",
        ),
        "the two mechanisms apart and together; what remains is capacity that lags falling or rising demand.",
    )


# ------------------------------------------------------------------ 5: jumps of quality


SMOOTH_CURVE = Variant("no jump at the threshold (scale_jump 0)", (("scale_jump", "=", 0.0),))
SMOOTH_RUNS = Variant(
    "small frequent runs", (("run_step", "=", 0.1), ("run_gap", "=", 0.25), ("run_months", "=", 0.25))
)
SMOOTH = Variant("no jump, small frequent runs", (*SMOOTH_CURVE.bends, *SMOOTH_RUNS.bends))


def _jumps(f: Futures) -> Finding:
    def excess(v: Variant) -> Array:
        return quiet(np.nanmean, f(v, "crossing_gain"), 1) - quiet(np.nanmean, f(v, "other_gain"), 1)

    def most(v: Variant) -> Array:
        return quiet(np.nanmax, f(v, "month_gain"), 1)

    def lumps(v: Variant) -> Array:
        return quiet(np.nanmean, f(v, "top_tenth"), 1)

    crossed = np.isfinite(f(BASE, "crossing_gain")).any(1)
    ratio = quiet(np.nanmean, f(BASE, "crossing_gain"), 1) / quiet(np.nanmean, f(BASE, "other_gain"), 1)
    larger = Share.of(ratio >= 1.5, np.isfinite(ratio))
    concentrated = Share.of(lumps(BASE) >= 0.5, np.isfinite(lumps(BASE)))
    curve = f.effect(
        SMOOTH_CURVE, "gain on passing the threshold above that of other runs", excess, expected=-1
    )
    runs = f.effect(SMOOTH_RUNS, "largest gain in a month", most, expected=-1)
    both = f.effect(SMOOTH, "largest gain in a month", most, expected=-1)
    part = safe(excess(BASE), f(BASE, "jump"))
    return Finding(
        5,
        "Quality jumps at a compute threshold",
        "Quality does not creep up: it jumps when a run passes a threshold of compute.",
        (
            Check.often(
                "passing the threshold brings at least 1.5 times the gain of other runs, in at least 80% "
                "of the futures where somebody passes",
                larger,
                0.8,
            ),
            Check(
                "at least half of a vendor's rise comes in a tenth of the months, in at least 80%",
                f"{concentrated}; median {number(median(lumps(BASE)))}",
                concentrated.value >= 0.8,
            ),
            Check.clear("without the jump the excess is clearly smaller", curve.gap, -1),
            Check(
                "with small frequent runs and no jump the largest gain in a month is at most half",
                f"{number(both.base)} to {number(both.changed)}",
                both.changed <= 0.5 * both.base,
            ),
        ),
        (
            curve,
            runs,
            both,
            f.effect(SMOOTH_RUNS, "part of the rise in a tenth of the months", lumps, expected=-1),
        ),
        (),
        (
            f"Somebody passes the threshold in {Share.of(crossed)}. Of the jump put in, "
            f"{number(100 * median(part))}% (median) shows in the month of passing.",
        ),
        "runs of three months with a step of up to half a tenfold, that can fail; cumulative compute "
        "smoothed the jump away.",
    )


# ------------------------------------------------------------------ 6: users, data, quality, users


DATA = tuple(
    Variant(
        f"data effect {x:g}{', all shared' if s else ''}", (("scale_data", "=", x), ("data_sharing", "=", s))
    )
    for s in (0.0, 1.0)
    for x in (0.0, 0.25, 0.5, 1.0)
)


def _data(f: Futures) -> Finding:
    def end(v: Variant) -> Array:
        return f(v, "hhi")[:, -6:].mean(1)

    none, strong, shared = DATA[0], DATA[3], DATA[7]
    rise = paired(end(strong), end(none))
    kept = paired(end(shared), end(none))
    middle = paired(end(DATA[2]), end(none))
    open_ = paired(end(shared), end(strong))
    effects = tuple(
        f.effect(
            v,
            "concentration of teams (HHI), last half-year",
            end,
            base=none,
            expected=+1 if n in (2, 3) else 0,
        )
        for n, v in enumerate(DATA)
        if n
    )
    best = f.effect(
        strong,
        "spread of quality between vendors at the end",
        lambda v: quiet(np.nanstd, f(v, "quality_end"), 1),
        base=none,
        expected=+1,
    )
    return Finding(
        6,
        "Users, data, quality, users",
        "Use leaves data, data make quality, quality brings users: concentration rises with the data "
        "effect, and sharing data undoes it.",
        (
            Check.clear(
                "concentration at the end is clearly higher with a strong data effect than with none",
                rise,
                +1,
            ),
            Check(
                "by at least 10%",
                f"{number(median(end(none)))} to {number(median(end(strong)))}",
                median(end(strong)) >= 1.1 * median(end(none)),
            ),
            Check(
                "it rises with the effect's strength: none, half, strong",
                f"{number(float(end(none).mean()))}, {number(float(end(DATA[2]).mean()))}, "
                f"{number(float(end(strong).mean()))}",
                middle.mean > 0 and rise.mean > middle.mean,
            ),
            Check.clear("sharing all data clearly lowers it", open_, -1),
            Check(
                "and takes away at least half of the rise",
                f"{number(rise.mean)} to {number(kept.mean)}",
                kept.mean <= 0.5 * rise.mean,
            ),
        ),
        (*effects, best),
        (),
        (),
        "data effects up to four times the market's central one, with data that go stale by 4% a month.",
    )


# ------------------------------------------------------------------ 15: entry


FUNDS, DATA_AT_START, TALENTS = (1e8, 1e9, 1e10), (0.0, 2e7), (0.1, 0.6)


def _entrant(funds: float, data: float, talent: float, *more: tuple[str, str, float]) -> Variant:
    words = f"enters with {number(funds)}, data {number(data)}, talent {talent:g}"
    return Variant(
        words + (", nobody trains" if more else ""),
        (
            ("newcomer.enters", "=", 6.0),
            ("newcomer.cash", "=", funds),
            ("newcomer.reserve", "=", 0.0),
            ("newcomer.data", "=", data),
            ("newcomer.talent", "=", talent),
            *more,
        ),
        family="newcomer",
    )


ENTRANTS = {(a, b, c): _entrant(a, b, c) for a in FUNDS for b in DATA_AT_START for c in TALENTS}
LUCKY = Variant("no run fails", (("run_failure", "=", 0.0),))


def _entry(f: Futures) -> Finding:
    j = f.vendor("newcomer", "newcomer")

    def lives(v: Variant) -> Array:
        return (~np.isfinite(f(v, "leaves")[:, j]) & (f(v, "share_end")[:, j] >= 0.02)).astype(float)

    def mean(**fixed: float) -> Array:
        at = [
            v
            for (a, b, c), v in ENTRANTS.items()
            if all({"funds": a, "data": b, "talent": c}[n] == x for n, x in fixed.items())
        ]
        return np.mean([lives(v) for v in at], axis=0)

    funds = paired(mean(funds=FUNDS[-1]), mean(funds=FUNDS[0]))
    data = paired(mean(data=DATA_AT_START[1]), mean(data=DATA_AT_START[0]))
    talent = paired(mean(talent=TALENTS[1]), mean(talent=TALENTS[0]))
    rows = tuple(
        (
            number(a),
            number(b),
            f"{c:g}",
            f"{lives(v).mean():.0%}",
            f"{np.isfinite(f(v, 'leaves')[:, j]).mean():.0%}",
            f"{100 * median(f(v, 'share_end')[:, j]):.1f}%",
            number(median(f(v, "failed")[:, j])),
        )
        for (a, b, c), v in ENTRANTS.items()
    )
    waste = f(BASE, "waste")
    failed = f(BASE, "failed").sum(1)
    behind = Share.of(waste >= 0.2, np.isfinite(waste))
    luck = f.effect(
        LUCKY, "part of training on runs that fail or do not lead", lambda v: f(v, "waste"), expected=-1
    )
    best = max(ENTRANTS, key=lambda key: float(lives(ENTRANTS[key]).mean()))
    worst = min(ENTRANTS, key=lambda key: float(lives(ENTRANTS[key]).mean()))
    spread = (float(lives(ENTRANTS[worst]).mean()), float(lives(ENTRANTS[best]).mean()))
    return Finding(
        15,
        "Entry, failed runs, the arms race's waste",
        "Capital, data and talent decide whether a newcomer survives; runs fail; much of the arms race's "
        "spending is wasted.",
        (
            Check.clear(
                "more capital lets a newcomer of month 6 survive (in the market at the end, with 2% of "
                "the teams) clearly more often",
                funds,
                +1,
            ),
            Check.clear("so do more data", data, +1),
            Check.clear("so does more talent", talent, +1),
            Check(
                "survival differs by at least 20 points between the worst and the best equipped",
                f"{spread[0]:.0%} to {spread[1]:.0%}",
                spread[1] - spread[0] >= 0.2,
            ),
            Check(
                "at least a fifth of training goes into runs that fail or do not lead, in at least 80% "
                "of the futures",
                f"{behind}; median {100 * median(waste):.0f}%",
                behind.value >= 0.8,
            ),
        ),
        (luck,),
        (
            (
                (
                    "funds",
                    "data, mn tokens",
                    "talent",
                    "survives",
                    "has left",
                    "share of teams, median",
                    "failed runs, median",
                ),
                rows,
            ),
        ),
        (f"Without newcomers {number(median(failed))} runs fail in a future (median).",),
        "a grid of three funds, two stocks of data, two levels of talent; compute and efficiency at the "
        "incumbents' medians.",
    )


# ------------------------------------------------------------------ 16: scope


TOGETHER = (("merge_into", "=", 3.0), ("merge_from", "=", 5.0), ("merge_month", "=", 1.0))
JOINT = Variant("two vendors' products from one fleet", TOGETHER)
WIDE_FLEET = Variant("four times the least fleet", (("fleet_minimum", "×", 4.0),))
WIDE_JOINT = Variant("one fleet, four times the least", (*TOGETHER, ("fleet_minimum", "×", 4.0)))
NO_FLEET_APART = Variant("no least fleet", (("fleet_minimum", "=", 0.0),))
NO_FLEET_JOINT = Variant("one fleet, no least", (*TOGETHER, ("fleet_minimum", "=", 0.0)))
GAPS = (0.0, 0.3, 0.6, 1.2, 2.4)
SPECIALISTS = tuple(
    vertical(
        f"a specialist, gap {x:g}",
        ("enterprise.vertical_gap", "=", x),
        ("specialist.enters", "=", 1.0),
        ("specialist.specialist", "=", 1.0),
    )
    for x in GAPS
)
LICENSED = vertical(
    "a specialist, gap 1.2, licences",
    ("enterprise.vertical_gap", "=", 1.2),
    ("specialist.enters", "=", 1.0),
    ("specialist.specialist", "=", 1.0),
    ("contract", "=", 1.0),
)


def _one_fleet(f: Futures, pair: list[int]) -> Array:
    """[N] part of a pair's serving cost that one least fleet instead of two saves, their work unchanged."""
    from pricewar.market import kernel as k

    rental, served = f(BASE, "rental"), f(BASE, "served")[:, pair].sum(1)
    g = f.market.members(range(len(rental)))[0]
    fade = np.exp(-g[:, [k.PROGRESS]] * (np.arange(rental.shape[1]) + 0.5))
    least = (rental * fade).sum(1) * g[:, k.FLEET_MINIMUM] / g[:, k.TARGET_LOAD]
    return safe(least, served)


def _scope(f: Futures) -> Finding:
    pair = [f.vendor("alibaba"), f.vendor("tencent")]

    def unit(v: Variant) -> Array:
        return safe(f(v, "served")[:, pair].sum(1), f(v, "work")[:, pair].sum(1))

    joint = f.effect(JOINT, "cost of a GPU-month of the two's work, money", unit, expected=-1)
    wide = f.effect(
        WIDE_JOINT,
        "cost of a GPU-month of the two's work, money",
        unit,
        base=WIDE_FLEET,
        expected=-1,
        change="one fleet, at four times the least fleet",
    )
    none = f.effect(
        NO_FLEET_JOINT,
        "cost of a GPU-month of the two's work, money",
        unit,
        base=NO_FLEET_APART,
        change="one fleet, with no least fleet",
    )
    mechanism = paired(unit(JOINT) - unit(BASE), unit(NO_FLEET_JOINT) - unit(NO_FLEET_APART))
    saved = _one_fleet(f, pair)
    rows_of = f.types_of("enterprise", family="verticals")
    j = f.vendor("specialist", "verticals")

    def share(v: Variant) -> Array:
        teams = f(v, "teams_end")[:, rows_of].sum(1)
        return safe(teams[:, j], teams.sum(1))

    def wins(v: Variant) -> Array:
        return f(v, "teams_end")[:, rows_of].sum(1).argmax(1) == j

    rows = tuple(
        (
            v.name,
            f"{100 * median(share(v)):.1f}%",
            f"{wins(v).mean():.0%}",
            f"{np.isfinite(f(v, 'leaves')[:, j]).mean():.0%}",
        )
        for v in (*SPECIALISTS, LICENSED)
    )
    rise = f.effect(
        SPECIALISTS[3], "the specialist's share of its vertical", share, base=SPECIALISTS[0], expected=+1
    )
    licence = f.effect(
        LICENSED,
        "the specialist's share of its vertical",
        share,
        base=SPECIALISTS[3],
        expected=-1,
        change="licences for general models, gap 1.2",
    )
    general = [x for x, v in zip(GAPS, SPECIALISTS, strict=True) if wins(v).mean() < 0.5]
    special = [x for x, v in zip(GAPS, SPECIALISTS, strict=True) if wins(v).mean() >= 0.5]
    return Finding(
        16,
        "Scope",
        "Two products from one fleet cost less than apart; a general model wins where a vertical's gap "
        "is small, a specialist where it is large.",
        (
            Check.clear(
                "serving Alibaba's and Tencent's teams from one fleet clearly lowers the cost of a unit "
                "of work",
                joint.gap,
                -1,
            ),
            Check.clear("clearly more than where no least fleet is shared", mechanism, -1),
            Check.clear(
                "a specialist's share of its vertical rises clearly with the gap (1.2 against 0)",
                rise.gap,
                +1,
            ),
            Check(
                "general models win the vertical at small gaps and the specialist at large ones",
                f"general at {', '.join(f'{x:g}' for x in general) or 'none'}; specialist at "
                f"{', '.join(f'{x:g}' for x in special) or 'none'}",
                bool(general) and bool(special) and max(general) < min(special),
            ),
        ),
        (joint, wide, none, rise, licence),
        (
            (
                (
                    "enterprises as a vertical",
                    "specialist's share, median",
                    "is the largest there",
                    "has left",
                ),
                rows,
            ),
        ),
        (
            f"At unchanged work one least fleet instead of two would save {number(100 * median(saved))}% "
            "of the two's "
            "serving cost (median). In a merger prices, work and idle machines change too.",
        ),
        "the least fleet as the joint cost (`joint_cost` is not built); a specialist with the "
        "incumbents' median funds, compute and data, and no ties to segments.",
    )


MADE: tuple[Claim, ...] = (
    Claim(4, "scale", (BASE, NO_FLEET, NO_LEARNING, NO_SCALE), _scale),
    Claim(5, "jumps", (BASE, SMOOTH_CURVE, SMOOTH_RUNS, SMOOTH), _jumps),
    Claim(6, "data", (BASE, *DATA), _data),
    Claim(15, "entry", (BASE, *ENTRANTS.values(), LUCKY), _entry),
    Claim(
        16,
        "scope",
        (BASE, JOINT, WIDE_FLEET, WIDE_JOINT, NO_FLEET_APART, NO_FLEET_JOINT, *SPECIALISTS, LICENSED),
        _scope,
    ),
)
