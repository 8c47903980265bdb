"""Claims 10, 11, 12, 17 and 20: data holders, portability, stages, the regulator. See `claims`."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from pricewar.market.claims import (
    ALERT,
    BASE,
    PORTABLE,
    RULES,
    SOLVED,
    Check,
    Claim,
    Effect,
    Finding,
    Futures,
    Share,
    Variant,
    cover,
    median,
    number,
    paired,
    safe,
    vertical,
    written,
)
from pricewar.market.claims_runs import VERTICALS
from pricewar.market.claims_war import BARE, SHORT
from pricewar.market.model import Array
from pricewar.market.stages import STAGES

# ------------------------------------------------------------------ 10 and 17: data holders


ALONE = Variant("as it is", family="verticals")
LICENCES = vertical("licences for a share in training", ("contract", "=", 1.0))
SHY = vertical("licences, the holder's weight 0.2", ("contract", "=", 1.0), ("holder_weight", "=", 0.2))
BOLD = vertical("licences, the holder's weight 0.8", ("contract", "=", 1.0), ("holder_weight", "=", 0.8))
NO_GAP = vertical("no gap in the verticals", *((f"{s}.vertical_gap", "=", 0.0) for s in VERTICALS))
REVENUE = vertical("licences for a share in revenue", ("contract", "=", 2.0))
RESULTS = vertical("licences, results shared", ("contract", "=", 3.0), ("shared_results", "=", 1.0))
EXCLUSIVE = vertical("exclusive licences", ("contract", "=", 4.0))
CONTRACTS = (LICENCES, REVENUE, RESULTS, EXCLUSIVE)


def _holders(f: Futures) -> Finding:
    rows = f.types_of(*VERTICALS, family="verticals")
    gain, whole = f.welfare(LICENCES, ALONE, rows), f.welfare(NO_GAP, ALONE, rows)
    closed = safe(gain, whole)
    income = f(LICENCES, "holder").sum(1)
    some = Share.of(income > 0)
    gap, compared = f(LICENCES, "bargain_gap"), f(LICENCES, "bargain_pairs")
    worst = float(np.nanmax(gap)) if np.isfinite(gap).any() else math.nan
    more = paired(gain, np.zeros(len(gain)))

    def holder(v: Variant) -> Array:
        return f(v, "holder").sum(1)

    weight = f.effect(
        BOLD,
        "holders' income over all months",
        holder,
        base=SHY,
        expected=+1,
        change="the holder's weight 0.8 instead of 0.2",
    )
    vendors = f.effect(
        LICENCES, "vendors' operating profit over all months", lambda v: f(v, "operating").sum(1), base=ALONE
    )
    return Finding(
        10,
        "Domain data close the gap, and the holder is paid",
        "Domain data close the vertical gap of a general model, and the holder of the data gets its "
        "share by bargaining.",
        (
            Check.clear("licences give the verticals' teams a clear gain", more, +1),
            Check(
                "of at least 80% of what no gap at all would give (median)",
                f"{number(100 * median(closed))}%",
                median(closed) >= 0.8,
            ),
            Check(
                "holders are paid in at least 90% of the futures",
                f"{some}; median {number(median(income))}",
                some.value >= 0.9,
            ),
            Check.clear("they get clearly more with a larger bargaining weight", weight.gap, +1),
            Check(
                "first fees equal Nash-in-Nash solved apart, by the game on payoffs reckoned here, "
                "within one in a million",
                f"largest relative difference {number(worst)} over {number(float(compared.sum()))} fees",
                worst <= 1e-6,
            ),
        ),
        (weight, vendors),
        (),
        (
            f"Of 14 pairs that could sign, {number(median(f(LICENCES, 'pairs')))} do (median). A "
            "vertical's gap is 0.6 of quality.",
        ),
        "Nash-in-Nash with fixed breakdown, twelve months apart.",
    )


def _contracts(f: Futures) -> Finding:
    rows_of = f.types_of(*VERTICALS, family="verticals")
    bills = f(ALONE, "type_bills")[:, rows_of].sum(1)
    rows = []
    for v in (ALONE, *CONTRACTS):
        rows.append(
            (
                v.name,
                number(median(f(v, "pairs"))),
                number(median(f(v, "holder").sum(1))),
                number(median(f(v, "operating").sum(1) - f(ALONE, "operating").sum(1))),
                f"{100 * median(safe(f.welfare(v, ALONE, rows_of), bills)):.0f}%",
            )
        )

    def holder(v: Variant) -> Array:
        return f(v, "holder").sum(1)

    def teams(v: Variant) -> Array:
        return f.welfare(v, ALONE, rows_of)

    def vendors(v: Variant) -> Array:
        return f(v, "operating").sum(1)

    effects = (
        f.effect(EXCLUSIVE, "pairs that ever sign", lambda v: f(v, "pairs"), base=LICENCES, expected=-1),
        f.effect(EXCLUSIVE, "gain of the verticals' teams", teams, base=LICENCES, expected=-1),
        f.effect(EXCLUSIVE, "holders' income", holder, base=LICENCES),
        f.effect(REVENUE, "holders' income", holder, base=LICENCES),
        f.effect(REVENUE, "vendors' operating profit", vendors, base=LICENCES),
        f.effect(RESULTS, "holders' income", holder, base=LICENCES, expected=-1),
        f.effect(RESULTS, "pairs that ever sign", lambda v: f(v, "pairs"), base=LICENCES),
    )
    wide, narrow = median(f(LICENCES, "pairs")), median(f(EXCLUSIVE, "pairs"))
    differ = sum(e.gap.sign != 0 for e in (effects[2], effects[3], effects[5]))
    return Finding(
        17,
        "Contracts between model and data holders",
        "A share in training, a share in revenue, shared results, exclusive or not: the contracts differ "
        "in who gains and in how widely they can be repeated.",
        (
            Check(
                "open licences are repeated at least twice as widely as exclusive ones (pairs that sign, "
                "median)",
                f"{number(wide)} against {number(narrow)}",
                wide >= 2 * max(narrow, 1),
            ),
            Check.clear(
                "the verticals' teams gain clearly less under exclusive licences", effects[1].gap, -1
            ),
            Check(
                "each of the three others gives holders clearly another income than the share in training",
                f"{differ} of 3",
                differ == 3,
            ),
            Check(
                "a share in revenue gives vendors clearly another profit than a lump sum",
                written(effects[4].gap),
                effects[4].gap.sign != 0,
            ),
        ),
        effects,
        (
            (
                (
                    "contract",
                    "pairs that sign",
                    "holders' income",
                    "vendors' operating profit, change",
                    "gain of the verticals' teams over bills",
                ),
                tuple(rows),
            ),
        ),
        ("Medians over futures; changes against no licences.",),
        "shared results are worth 1% of the vertical's spending to the holder, an assumption.",
    )


# ------------------------------------------------------------------ 11 and 20: rules, conduct solved again


HELD = Variant("portability 0.8, conduct held", PORTABLE, solved="none")
AGAIN = Variant("portability 0.8, conduct solved again", PORTABLE, solved="portability")
WAKE = Variant("alert teams", ALERT, solved="alert")
WAKE_HELD = Variant("alert teams, portability 0.8, conduct held", (*ALERT, *PORTABLE), solved="alert")
WAKE_AGAIN = Variant(
    "alert teams, portability 0.8, conduct solved again", (*ALERT, *PORTABLE), solved="alert, portability"
)
EARLY, LATE = 3.0, 24.0


def _burn(f: Futures, v: Variant) -> Array:
    """[N] subsidies over serving cost in the war's first year."""
    out = np.full(len(f(v, "opening")), np.nan)
    subsidy, serving = f(v, "subsidy"), f(v, "serving")
    for n, a in enumerate(f(v, "opening")):
        if np.isfinite(a) and a < 24:
            at = slice(int(a), int(a) + 12)
            out[n] = subsidy[n, at].sum() / max(serving[n, at].sum(), 1e-200)
    return out


def _portability(f: Futures) -> Finding:
    measures = (
        ("subsidy over serving cost, first year of war", partial(_burn, f)),
        ("revenue over serving cost, last half-year", partial(cover, f)),
    )
    effects = [
        f.effect(v, outcome, value, base=base, expected=-1)
        for v, base in ((HELD, SOLVED), (AGAIN, SOLVED), (WAKE_HELD, WAKE), (WAKE_AGAIN, WAKE))
        for outcome, value in measures
    ]
    surplus = Effect(
        AGAIN.name,
        "teams' gain",
        0.0,
        median(f.welfare(AGAIN, SOLVED)),
        paired(f.welfare(AGAIN, SOLVED), np.zeros(len(f(SOLVED, "opening")))),
    )
    names = f.market.vendors
    rows = []
    for rule in ("none", "portability"):
        choices = f.solved[rule][0]
        for j in f.sellers():
            rows.append((rule, names[j], *(number(x) for x in choices[j])))
    gaps = ", ".join(f"{rule} {number(f.solved[rule][1])}" for rule in ("none", "portability"))
    return Finding(
        11,
        "Portability damps subsidy and harvest",
        "Portability damps both the subsidy and the harvest, once vendors have adapted to it.",
        (
            Check.clear(
                "with conduct solved again, subsidies in the first year of war are clearly lower",
                effects[2].gap,
                -1,
            ),
            Check.clear(
                "and the harvest (revenue over serving cost in the last half-year) is clearly lower",
                effects[3].gap,
                -1,
            ),
            Check(
                "conduct is near an equilibrium in both (no deviation in the class gains more than 5% of "
                "all profits)",
                gaps,
                all(f.solved[r][1] <= 0.05 for r in ("none", "portability")),
            ),
        ),
        (*effects, surplus),
        ((("conduct solved for", "vendor", "counts the future", "with growth", "with time"), tuple(rows)),),
        (
            "Rows with conduct held show what vendors who do not adapt would give. Alert teams look "
            "round five times "
            "as often and have twice the switching costs, so that these, and not inertia of attention, "
            "hold them.",
        ),
        "best replies in turn from the market's own conduct, over a few futures; see "
        "`pricewar.market.conduct`.",
    )


TIMED = tuple(
    (
        rule,
        Variant(f"{rule}, early", (*bends, ("lever_from", "=", EARLY)), solved="none"),
        Variant(f"{rule}, early, conduct solved again", (*bends, ("lever_from", "=", EARLY)), solved=rule),
        Variant(f"{rule}, late", (*bends, ("lever_from", "=", LATE)), solved="none"),
        Variant(f"{rule}, by the regulator itself", (*bends, ("regulator_auto", "=", 1.0)), solved="none"),
    )
    for rule, bends in RULES.items()
)
MERGER = Variant(
    "Alibaba takes over Baidu in month 12",
    (("merge_into", "=", 3.0), ("merge_from", "=", 4.0), ("merge_month", "=", 12.0)),
    solved="none",
)


def _regulator(f: Futures) -> Finding:
    bills = f(SOLVED, "type_bills").sum(1)

    def gain(v: Variant) -> Array:
        return safe(f.welfare(v, SOLVED), bills)

    looks = (
        ("teams' gain over bills", gain),
        ("concentration at the end", lambda v: f(v, "hhi")[:, -6:].mean(1)),
        ("subsidy over cost, first year", lambda v: _burn(f, v)),
        ("revenue over cost, last half-year", lambda v: cover(f, v)),
    )
    rows, active, timing, resolved = [], 0, 0, 0
    for _, early, again, late, auto in TIMED:
        for v in (early, again, late, auto):
            gaps = [paired(look(v), look(SOLVED), 0.99) for _, look in looks]
            rows.append((v.name, *(f"{written(g)}{'' if g.sign else ' ·'}" for g in gaps)))
            if v is early:
                active += any(g.sign for g in gaps)
            if v is again:
                resolved += any(g.sign for g in gaps)
        timing += paired(gain(early), gain(late), 0.99).sign != 0
    gaps = [paired(look(MERGER), look(SOLVED), 0.99) for _, look in looks]
    rows.append((MERGER.name, *(f"{written(g)}{'' if g.sign else ' ·'}" for g in gaps)))
    auto = TIMED[0][4]
    acts = f(auto, "regulator") > 0
    stepped = Share.of(acts.any(1))
    month = np.where(acts.any(1), acts.argmax(1) + 1.0, np.nan)
    share = Share.of(month >= 12, acts.any(1))
    return Finding(
        20,
        "The regulator, early, late or not at all",
        "A regulator cannot stand aside and cannot easily act: stepping in early, late, or not at all "
        "makes a difference under each rule.",
        (
            Check(
                "early, at least 4 of the 5 rules change clearly (99%) the teams' gain, concentration, "
                "subsidy or harvest",
                f"{active} of 5",
                active >= 4,
            ),
            Check("with conduct solved again at least 4 of 5 still do", f"{resolved} of 5", resolved >= 4),
            Check(
                "early differs clearly (99%) from late in the teams' gain, for at least 3 of the 5",
                f"{timing} of 5",
                timing >= 3,
            ),
            Check(
                "a regulator left to itself steps in in some futures and not in all, and in month 12 or "
                "later in at least half of them",
                f"{stepped}; from month 12 on in {share}; median month {number(median(month))}",
                0 < stepped.hits < stepped.n and share.value >= 0.5,
            ),
        ),
        (),
        ((("rule", *(name for name, _ in looks)), tuple(rows)),),
        (
            "Paired differences from no rule, with 99% intervals; · marks what is not clear. Early is "
            "month 3, late month 24; late, and by itself, with conduct held.",
        ),
        "five rules, three times, a merger; the thresholds of the regulator are those of the definition.",
    )


# ------------------------------------------------------------------ 12: stages


def _dated(f: Futures) -> Finding:
    began = f(BASE, "opening")
    war = np.isfinite(began) & (began < 20)
    stage = f(BASE, "stage_begins")
    names = list(STAGES)
    at = {n: stage[:, names.index(n)] for n in names}
    fought = Share.of(np.isfinite(at["war"]), war)
    with np.errstate(invalid="ignore"):
        after = np.fmin(at["consolidation"], at["harvest"]) > at["war"]
        reaped = at["harvest"] > at["war"]
        five = np.isfinite(stage).all(1)
        ordered = np.array([np.all(np.diff(row[np.isfinite(row)]) >= 0) for row in stage])
    over = Share.of(after, war & np.isfinite(at["war"]))
    reap = Share.of(reaped, war & np.isfinite(at["war"]))
    order = Share.of(ordered, war)
    all_five = Share.of(five, war)
    rows = []
    for n in names:
        months = at[n][war] + 1
        known = months[np.isfinite(months)]
        band = np.quantile(known, (0.1, 0.5, 0.9)) if len(known) else (math.nan,) * 3
        rows.append(
            (
                n,
                str(Share.of(np.isfinite(at[n]), war)),
                number(float(band[1])),
                f"{number(float(band[0]))} to {number(float(band[2]))}",
            )
        )

    def fights(v: Variant) -> Array:
        return np.isfinite(f(v, "stage_begins")[:, names.index("war")]).astype(float)

    def reaps(v: Variant) -> Array:
        s = f(v, "stage_begins")
        with np.errstate(invalid="ignore"):
            return (s[:, names.index("harvest")] > s[:, names.index("war")]).astype(float)

    effects = (
        f.effect(SHORT, "a war is dated", fights, expected=-1),
        f.effect(BARE, "a harvest follows a war", reaps, expected=-1),
    )
    return Finding(
        12,
        "The five stages can be told apart",
        "Launch, promotion, subsidy war, consolidation and harvest can be told apart from observable "
        "series by a written rule, with the month each begins.",
        (
            Check.often(
                "the rule dates a war in at least 90% of the futures in which one is opened by month 20",
                fought,
                0.9,
            ),
            Check.often("what follows a dated war is dated after it, in at least 80%", over, 0.8),
            Check.often("a harvest is dated after it in at least half", reap, 0.5),
            Check.often("stages first begin in their order, in at least 80%", order, 0.8),
            Check.often("all five are seen in at least half", all_five, 0.5),
        ),
        effects,
        ((("stage", "seen in", "first begins, median month", "80% range"), tuple(rows)),),
        (
            "The same rule on dated public facts of ride hailing, food delivery and cloud computing: "
            "[stages](stages.md). Wars opened in month 0 leave no month for a launch.",
        ),
        "thresholds as set for history, not for the model; light prices count free tokens.",
    )


RULED: tuple[Claim, ...] = (
    Claim(10, "data holders", (ALONE, LICENCES, SHY, BOLD, NO_GAP), _holders),
    Claim(11, "portability", (BASE, SOLVED, HELD, AGAIN, WAKE, WAKE_HELD, WAKE_AGAIN), _portability),
    Claim(12, "stages", (BASE, SHORT, BARE), _dated),
    Claim(17, "contracts", (ALONE, *CONTRACTS), _contracts),
    Claim(20, "regulator", (SOLVED, *(v for _, *each in TIMED for v in each), MERGER), _regulator),
)
