"""Claims 10 to 20: data holders, portability, stages, teams, entry, scope, seats, the regulator. See `claims`."""

from __future__ import annotations

import math

import numpy as np

from pricewar.market.claims import (
    BASE,
    Check,
    Claim,
    Effect,
    Finding,
    Futures,
    Share,
    Variant,
    clearly,
    median,
    number,
    paired,
    quiet,
    safe,
    windows,
    written,
)
from pricewar.market.claims_runs import VERTICALS
from pricewar.market.claims_war import BARE, SHORT, _sellers, winners
from pricewar.market.model import Array
from pricewar.market.stages import STAGES

# ------------------------------------------------------------------ 10 and 17: data holders


def _vertical(name: str, *bends: tuple[str, str, float]) -> Variant:
    return Variant(name, bends, family="verticals")


ALONE = Variant("as it is", family="verticals")
LICENCES = _vertical("licences for a share in training", ("contract", "=", 1.0))
SHY = _vertical("licences, the holder's weight 0.2", ("contract", "=", 1.0), ("holder_weight", "=", 0.2))
BOLD = _vertical("licences, the holder's weight 0.8", ("contract", "=", 1.0), ("holder_weight", "=", 0.8))
NO_GAP = _vertical("no gap in the verticals", *((f"{s}.vertical_gap", "=", 0.0) for s in VERTICALS))
REVENUE = _vertical("licences for a share in revenue", ("contract", "=", 2.0))
RESULTS = _vertical("licences, results shared", ("contract", "=", 3.0), ("shared_results", "=", 1.0))
EXCLUSIVE = _vertical("exclusive licences", ("contract", "=", 4.0))
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
        "Domain data close the vertical gap of a general model, and the holder of the data gets its share by bargaining.",
        (
            Check("licences give the verticals' teams a clear gain", written(more), clearly(more, +1)),
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
            Check(
                "they get clearly more with a larger bargaining weight",
                written(weight.gap),
                clearly(weight.gap, +1),
            ),
            Check(
                "first fees equal Nash-in-Nash solved apart, by the game on payoffs reckoned here, within one in a million",
                f"largest relative difference {number(worst)} over {number(float(compared.sum()))} fees",
                worst <= 1e-6,
            ),
        ),
        (weight, vendors),
        (),
        (
            f"Of 14 pairs that could sign, {number(median(f(LICENCES, 'pairs')))} do (median). A vertical's gap is 0.6 of quality.",
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
        "A share in training, a share in revenue, shared results, exclusive or not: the contracts differ in who gains and in how widely they can be repeated.",
        (
            Check(
                "open licences are repeated at least twice as widely as exclusive ones (pairs that sign, median)",
                f"{number(wide)} against {number(narrow)}",
                wide >= 2 * max(narrow, 1),
            ),
            Check(
                "the verticals' teams gain clearly less under exclusive licences",
                written(effects[1].gap),
                clearly(effects[1].gap, -1),
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

PORTABLE = (("portability", "=", 0.8),)
RULES: dict[str, tuple[tuple[str, str, float], ...]] = {
    "none": (),
    "portability": PORTABLE,
    "price floor": (("price_floor", "=", 1.0),),
    "data sharing": (("data_sharing", "=", 1.0),),
    "no self-preferencing": (("no_self_preferencing", "=", 1.0),),
    "embedded cap": (("embedded_cap", "=", 1.0),),
}
SOLVED = Variant("conduct solved for", solved="none")
HELD = Variant("portability 0.8, conduct held", PORTABLE, solved="none")
AGAIN = Variant("portability 0.8, conduct solved again", PORTABLE, solved="portability")
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


def _cover(f: Futures, v: Variant) -> Array:
    return safe(windows(f, v, "revenue")[1], windows(f, v, "serving")[1])


def _portability(f: Futures) -> Finding:
    effects = []
    for v in (HELD, AGAIN):
        effects.append(
            f.effect(
                v,
                "subsidy over serving cost, first year of war",
                lambda x: _burn(f, x),
                base=SOLVED,
                expected=-1,
            )
        )
        effects.append(
            f.effect(
                v,
                "revenue over serving cost, last half-year",
                lambda x: _cover(f, x),
                base=SOLVED,
                expected=-1,
            )
        )
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
        choices, worst = f.solved[rule]
        for j in _sellers(f):
            rows.append((rule, names[j], *(number(x) for x in choices[j])))
    gaps = ", ".join(f"{rule} {number(f.solved[rule][1])}" for rule in ("none", "portability"))
    return Finding(
        11,
        "Portability damps subsidy and harvest",
        "Portability damps both the subsidy and the harvest, once vendors have adapted to it.",
        (
            Check(
                "with conduct solved again, subsidies in the first year of war are clearly lower",
                written(effects[2].gap),
                clearly(effects[2].gap, -1),
            ),
            Check(
                "and the harvest (revenue over serving cost in the last half-year) is clearly lower",
                written(effects[3].gap),
                clearly(effects[3].gap, -1),
            ),
            Check(
                "conduct is near an equilibrium in both (no deviation in the class gains more than 5% of all profits)",
                gaps,
                all(f.solved[r][1] <= 0.05 for r in ("none", "portability")),
            ),
        ),
        (*effects, surplus),
        ((("conduct solved for", "vendor", "counts the future", "with growth", "with time"), tuple(rows)),),
        ("With conduct held the first two rows of the ablations show what the prototype saw.",),
        "best replies in turn from the market's own conduct, over a few futures; see `pricewar.market.conduct`.",
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
    if bends
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
        ("revenue over cost, last half-year", lambda v: _cover(f, v)),
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
        "A regulator cannot stand aside and cannot easily act: stepping in early, late, or not at all makes a difference under each rule.",
        (
            Check(
                "early, at least 4 of the 5 rules change clearly (99%) the teams' gain, concentration, subsidy or harvest",
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
                "a regulator left to itself steps in in some futures and not in all, and in month 12 or later in at least half of them",
                f"{stepped}; from month 12 on in {share}; median month {number(median(month))}",
                0 < stepped.hits < stepped.n and share.value >= 0.5,
            ),
        ),
        (),
        ((("rule", *(name for name, _ in looks)), tuple(rows)),),
        (
            "Paired differences from no rule, with 99% intervals; · marks what is not clear. Early is month 3, late month 24; late, and by itself, with conduct held.",
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
        "Launch, promotion, subsidy war, consolidation and harvest can be told apart from observable series by a written rule, with the month each begins.",
        (
            Check(
                "the rule dates a war in at least 90% of the futures in which one is opened by month 20",
                str(fought),
                fought.value >= 0.9,
            ),
            Check(
                "what follows a dated war is dated after it, in at least 80%", str(over), over.value >= 0.8
            ),
            Check("a harvest is dated after it in at least half", str(reap), reap.value >= 0.5),
            Check("stages first begin in their order, in at least 80%", str(order), order.value >= 0.8),
            Check("all five are seen in at least half", str(all_five), all_five.value >= 0.5),
        ),
        effects,
        ((("stage", "seen in", "first begins, median month", "80% range"), tuple(rows)),),
        (
            "The same rule on dated public facts of ride hailing, food delivery and cloud computing: [stages](stages.md). Wars opened in month 0 leave no month for a launch.",
        ),
        "thresholds as set for history, not for the model; light prices count free tokens.",
    )


# ------------------------------------------------------------------ 13: teams that chose on price alone

TIMES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
CHOOSERS = tuple(
    Variant(
        "as it is" if x == 1 else f"{x:g} times the switching costs",
        () if x == 1 else (("types.switching_cost", "×", x),),
        family="choosers",
    )
    for x in TIMES
)
TAKEN = tuple(
    Variant(
        f"{x:g} times the switching costs, vendors enter products",
        (("types.switching_cost", "×", x), ("absorb", "=", 0.3)),
        family="choosers",
    )
    for x in (1.0, 4.0)
)


def _roi(f: Futures, v: Variant, rows: list[int]) -> Array:
    spent = (f(v, "type_bills") + f(v, "type_switching"))[:, rows]
    return safe((f(v, "type_revenue") - f(v, "type_taken"))[:, rows] - spent, spent)


def _choosers(f: Futures) -> Finding:
    types = f.families["choosers"].types
    kind = {w: [i for i, n in enumerate(types) if n.endswith(f", {w}")] for w in ("alike", "price only")}
    names = [types[i].removesuffix(", alike") for i in kind["alike"]]
    rows, negative, held = [], [], []
    for x, v in (*zip(TIMES, CHOOSERS, strict=True), *zip((1.0, 4.0), TAKEN, strict=True)):
        price, alike = _roi(f, v, kind["price only"]), _roi(f, v, kind["alike"])
        share = (price < 0).mean(0)
        shown = f"×{x:g}" + (", 30% of embedded teams' revenue taken" if v in TAKEN else "")
        for n, name in enumerate(names):
            rows.append(
                (
                    shown,
                    name,
                    number(median(price[:, n])),
                    f"{share[n]:.0%}",
                    number(median(alike[:, n])),
                    f"{(alike[:, n] < 0).mean():.0%}",
                )
            )
        if v in CHOOSERS:
            negative.append((x, [names[n] for n in range(len(names)) if share[n] > 0.5]))
            held.append(
                (
                    x,
                    [
                        names[n]
                        for n in range(len(names))
                        if share[n] > 0.5 and (alike[:, n] < 0).mean() <= 0.5
                    ],
                )
            )
    base_price, base_alike = _roi(f, CHOOSERS[2], kind["price only"]), _roi(f, CHOOSERS[2], kind["alike"])
    gap = paired(quiet(np.nanmean, base_price, 1), quiet(np.nanmean, base_alike, 1))
    where = [x for x, who in negative if who]
    alone = [x for x, who in held if who]
    wide = f"from ×{min(where):g} to ×{max(where):g}" if where else "nowhere"
    return Finding(
        13,
        "ROI of teams that chose on price alone",
        "The developer's return turns negative for teams that chose on price alone, for some ranges of switching cost.",
        (
            Check(
                "for some multiple of the switching costs, 0 to 8, some type's return is negative in most futures",
                f"{wide}; " + "; ".join(f"×{x:g}: {', '.join(who)}" for x, who in negative if who),
                bool(where),
            ),
            Check(
                "while its fellows that also look at quality do not lose there",
                ", ".join(f"×{x:g}" for x in alone) or "nowhere",
                bool(alone),
            ),
            Check(
                "at the market's own switching costs choosing on price alone returns clearly less",
                written(gap),
                clearly(gap, -1),
            ),
        ),
        (),
        (
            (
                (
                    "switching costs",
                    "type",
                    "return, price only",
                    "below 0 in",
                    "return, alike",
                    "below 0 in",
                ),
                tuple(rows),
            ),
        ),
        (
            "Return: (revenue − what vendors took − bills − switching costs) over bills and switching costs, over all months; medians over futures.",
        ),
        "switching costs from none to eight times; vendors that enter products; what a team spends on engineering beside is not in the model, so revenue is large against bills that fall.",
    )


# ------------------------------------------------------------------ 14: grants

GRANTS = (
    Variant("Zhipu grants 25 mn tokens a month on trial", (("zhipu.grant", "=", 25.0),)),
    Variant("Zhipu grants 250 mn tokens a month on trial", (("zhipu.grant", "=", 250.0),)),
    Variant("Alibaba grants 250 mn tokens a month on trial", (("alibaba.grant", "=", 250.0),)),
)


def _grants(f: Futures) -> Finding:
    who = ("zhipu", "zhipu", "alibaba")
    rows, effects = [], []
    eager = [i for i, x in enumerate(_ideas(f)) if x > 0]
    for v, name in zip(GRANTS, who, strict=True):
        j = f.vendor(name)
        face, cost = f(v, "grants_face")[:, j], f(v, "grants_cost")[:, j]
        gain = f.welfare(v, BASE, eager)
        profit = paired(f(v, "earned")[:, j], f(BASE, "earned")[:, j])
        rows.append(
            (
                v.name,
                number(median(face)),
                number(median(cost)),
                number(median(safe(face, cost))),
                written(profit),
                written(paired(gain, np.zeros(len(gain)))),
            )
        )
        effects.append(
            f.effect(
                v,
                f"{name}'s idea-rich teams at the end",
                lambda x, j=j: f(x, "eager_teams")[:, j],
                expected=+1,
            )
        )
        effects.append(
            f.effect(
                v,
                f"{name}'s stock of data at the end, mn tokens",
                lambda x, j=j: f(x, "data_end")[:, j],
                expected=+1,
            )
        )
    j = f.vendor("zhipu")
    ratio = safe(f(GRANTS[1], "grants_face")[:, j], f(GRANTS[1], "grants_cost")[:, j])
    cheap = Share.of(ratio > 1, np.isfinite(ratio))
    gain = f.welfare(GRANTS[1], BASE, eager)
    teams = paired(gain, np.zeros(len(gain)))
    return Finding(
        14,
        "Grants",
        "Grants cost the vendor less than their face value and bring in idea-rich teams, their ideas and their ties.",
        (
            Check(
                "Zhipu's grant of 250 mn tokens costs less than its face value at list prices, in at least 80% of the futures",
                f"{cheap}; median face over cost {number(median(ratio))}",
                cheap.value >= 0.8,
            ),
            Check(
                "it clearly brings idea-rich teams that stay to the end",
                written(effects[2].gap),
                clearly(effects[2].gap, +1),
            ),
            Check("and data", written(effects[3].gap), clearly(effects[3].gap, +1)),
            Check("idea-rich teams clearly gain", written(teams), clearly(teams, +1)),
        ),
        tuple(effects),
        (
            (
                (
                    "grant",
                    "face value, median",
                    "cost, median",
                    "face over cost",
                    "vendor's profit, change",
                    "idea-rich teams' gain",
                ),
                tuple(rows),
            ),
        ),
        (),
        "monthly grants on trial of 25 (a sign-up grant of May 2024) and 250 mn tokens, by a small and a large vendor; a grant at a list price of zero has no face value.",
    )


def _ideas(f: Futures) -> Array:
    from pricewar.market import kernel as k

    return f.market.t[:, k.IDEAS]


# ------------------------------------------------------------------ 15: entry

FUNDS, DATA_AT_START, TALENTS = (1e8, 1e9, 1e10), (0.0, 2e6), (0.1, 0.6)


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
        "Capital, data and talent decide whether a newcomer survives; runs fail; much of the arms race's spending is wasted.",
        (
            Check(
                "more capital lets a newcomer of month 6 survive (in the market at the end, with 2% of the teams) clearly more often",
                written(funds),
                clearly(funds, +1),
            ),
            Check("so do more data", written(data), clearly(data, +1)),
            Check("so does more talent", written(talent), clearly(talent, +1)),
            Check(
                "survival differs by at least 20 points between the worst and the best equipped",
                f"{spread[0]:.0%} to {spread[1]:.0%}",
                spread[1] - spread[0] >= 0.2,
            ),
            Check(
                "at least a fifth of training goes into runs that fail or do not lead, in at least 80% of the futures",
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
        "a grid of three funds, two stocks of data, two levels of talent; compute and efficiency at the incumbents' medians.",
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
    _vertical(
        f"a specialist, gap {x:g}",
        ("enterprise.vertical_gap", "=", x),
        ("specialist.enters", "=", 1.0),
        ("specialist.specialist", "=", 1.0),
    )
    for x in GAPS
)
LICENSED = _vertical(
    "a specialist, gap 1.2, licences",
    ("enterprise.vertical_gap", "=", 1.2),
    ("specialist.enters", "=", 1.0),
    ("specialist.specialist", "=", 1.0),
    ("contract", "=", 1.0),
)


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
        "Two products from one fleet cost less than apart; a general model wins where a vertical's gap is small, a specialist where it is large.",
        (
            Check(
                "serving Alibaba's and Tencent's teams from one fleet clearly lowers the cost of a unit of work",
                written(joint.gap),
                clearly(joint.gap, -1),
            ),
            Check(
                "clearly more than where no least fleet is shared", written(mechanism), clearly(mechanism, -1)
            ),
            Check(
                "a specialist's share of its vertical rises clearly with the gap (1.2 against 0)",
                written(rise.gap),
                clearly(rise.gap, +1),
            ),
            Check(
                "general models win the vertical at small gaps and the specialist at large ones",
                f"general at {', '.join(f'{x:g}' for x in general) or 'none'}; specialist at {', '.join(f'{x:g}' for x in special) or 'none'}",
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
        (),
        "the least fleet as the joint cost (`joint_cost` is not built); a specialist with the incumbents' median funds, compute and data, and no ties to segments.",
    )


# ------------------------------------------------------------------ 18: seats, entrances

NO_APPS = Variant("no apps of their own (consumers 0)", (("consumers", "=", 0.0),))
NEW_MODE = Variant("a new modality in month 18", (("modality_month", "=", 18.0), ("modality_size", "=", 0.8)))


def _seats(f: Futures) -> Finding:
    from pricewar.market import kernel as k

    owners = [j for j in _sellers(f) if f.market.v[j, k.V_CONSUMERS] >= 0.1]
    names = ", ".join(f.market.vendors[j] for j in owners)

    def of(measure: str) -> object:
        return lambda v: f(v, measure)[:, owners].sum(1)

    data = f.effect(NO_APPS, f"data of {names} at the end, mn tokens", of("data_end"), expected=-1)  # type: ignore[arg-type]
    share = f.effect(NO_APPS, f"share of teams of {names} at the end", of("share_end"), expected=-1)  # type: ignore[arg-type]
    quality = f.effect(
        NO_APPS,
        f"mean quality of {names} at the end",
        lambda v: quiet(np.nanmean, f(v, "quality_end")[:, owners], 1),
        expected=-1,
    )
    profit = f.effect(NO_APPS, f"profit of {names} over all months", of("earned"))  # type: ignore[arg-type]

    def changes(v: Variant) -> Array:
        lead = f(v, "lead")[:, 18:]
        return (np.diff(lead, axis=1) != 0).sum(1).astype(float)

    def winner(v: Variant) -> Array:
        return (winners(f, v) != winners(f, BASE)).any(1).astype(float)

    race = f.effect(NEW_MODE, "changes of the leader in quality after month 18", changes, expected=+1)
    hhi = f.effect(
        NEW_MODE, "concentration of teams, last half-year", lambda v: f(v, "hhi")[:, -6:].mean(1), expected=-1
    )
    won = winners(f, BASE)
    rows = []
    users = f(BASE, "consumers_end").argmax(1)
    for name, who in (
        ("C: consumers", users),
        *((f"{'G' if s == 'government' else 'B'}: {s}", won[:, n]) for n, s in enumerate(f.market.segments)),
    ):
        counts = np.bincount(who, minlength=len(f.market.vendors))
        order = counts.argsort()[::-1][:3]
        rows.append((name, *(f"{f.market.vendors[q]} {counts[q] / len(who):.0%}" for q in order)))
    same = Share.of(users == won[:, 0])
    moved = Share.of(winner(NEW_MODE) > 0)
    return Finding(
        18,
        "Seats: consumers, business, government",
        "A free app is an entrance: its users make the owner's model better and win it teams; a new modality reopens the race.",
        (
            Check(
                "without their apps the owners end with clearly fewer data",
                written(data.gap),
                clearly(data.gap, -1),
            ),
            Check("with clearly lower quality", written(quality.gap), clearly(quality.gap, -1)),
            Check("and with clearly fewer teams", written(share.gap), clearly(share.gap, -1)),
            Check(
                "a new modality makes the leader in quality change clearly more often",
                written(race.gap),
                clearly(race.gap, +1),
            ),
            Check(
                "and another vendor wins a segment in at least a fifth of the futures",
                str(moved),
                moved.value >= 0.2,
            ),
        ),
        (data, quality, share, profit, race, hhi),
        ((("seat", "most often", "second", "third"), tuple(rows)),),
        (f"The app with most users belongs to the winner among independent developers in {same}.",),
        "consumers are not charged, their chat teaches 10 to 60% of what teams' use does; a modality makes 80% of data stale for all.",
    )


# ------------------------------------------------------------------ 19: the channel

CHANNEL = Variant("no home ecosystems", ecosystem=0.0)
SURE = Variant("the benefit of joining is certain", (("certainty", "=", 1.0),))
GONE = (("alibaba.cash", "=", 0.0), ("alibaba.reserve", "=", 0.0))
LOST = Variant("Alibaba is ruined", GONE)
LOST_PLAIN = Variant("Alibaba is ruined, no home ecosystems", GONE, ecosystem=0.0)


def _channel(f: Futures) -> Finding:
    market = f.market
    home = [j for j in _sellers(f) if market.eco[:, j].any()]
    rows_of = [i for i in range(len(market.types)) if market.eco[i].any()]

    def share(v: Variant) -> Array:
        teams = f(v, "teams_end")[:, rows_of].sum(1)
        return safe(teams[:, home].sum(1), teams.sum(1))

    on = paired(share(BASE), share(CHANNEL))
    bills = f(CHANNEL, "type_bills")[:, rows_of].sum(1)
    joined = safe(f.welfare(BASE, CHANNEL, rows_of), bills)
    gain = paired(joined, np.zeros(len(joined)))
    sure = f.effect(SURE, "home vendors' share of start-ups and enterprises", share, expected=+1)
    lost = safe(f.welfare(LOST, BASE, rows_of), f(BASE, "type_bills")[:, rows_of].sum(1))
    lost_plain = safe(f.welfare(LOST_PLAIN, CHANNEL, rows_of), bills)
    worse = paired(lost, lost_plain)
    gone = Share.of(np.isfinite(f(LOST, "leaves")[:, f.vendor("alibaba")]))

    rows = []
    for j in _sellers(f):
        a, b = (f(v, "teams_end")[:, rows_of].sum(1) for v in (BASE, CHANNEL))
        gap = paired(100 * safe(a[:, j], a.sum(1)), 100 * safe(b[:, j], b.sum(1)))
        money = paired(f(BASE, "operating")[:, j], f(CHANNEL, "operating")[:, j])
        rows.append((market.vendors[j], "yes" if j in home else "no", written(gap), written(money)))
    return Finding(
        19,
        "The channel: joining and leaving",
        "Joining a vendor with a home ecosystem brings an uncertain benefit, leaving it a certain loss; there are winners and losers.",
        (
            Check(
                "home ecosystems give their vendors a clearly larger share of start-ups and enterprises",
                written(on),
                clearly(on, +1),
            ),
            Check("teams there clearly gain (over bills)", written(gain), clearly(gain, +1)),
            Check(
                "a benefit that were certain would draw clearly more",
                written(sure.gap),
                clearly(sure.gap, +1),
            ),
            Check(
                "when Alibaba is ruined teams lose clearly more with ecosystems than without (over bills)",
                f"{written(worse)}; it leaves in {gone}",
                clearly(worse, -1),
            ),
        ),
        (sure, f.effect(CHANNEL, "home vendors' share of start-ups and enterprises", share, expected=-1)),
        (
            (
                (
                    "vendor",
                    "has a home ecosystem",
                    "share of start-ups and enterprises by the channel, points",
                    "operating profit by the channel",
                ),
                tuple(rows),
            ),
        ),
        (),
        "benefits of 0.2 to 0.4 of utility, half of which a newcomer counts on.",
    )


RULED: tuple[Claim, ...] = (
    Claim(10, "data holders", (ALONE, LICENCES, SHY, BOLD, NO_GAP), _holders),
    Claim(11, "portability", (BASE, SOLVED, HELD, AGAIN), _portability),
    Claim(12, "stages", (BASE, SHORT, BARE), _dated),
    Claim(13, "return", (*CHOOSERS, *TAKEN), _choosers),
    Claim(14, "grants", (BASE, *GRANTS), _grants),
    Claim(15, "entry", (BASE, *ENTRANTS.values(), LUCKY), _entry),
    Claim(
        16,
        "scope",
        (BASE, JOINT, WIDE_FLEET, WIDE_JOINT, NO_FLEET_APART, NO_FLEET_JOINT, *SPECIALISTS, LICENSED),
        _scope,
    ),
    Claim(17, "contracts", (ALONE, *CONTRACTS), _contracts),
    Claim(18, "seats", (BASE, NO_APPS, NEW_MODE), _seats),
    Claim(19, "channel", (BASE, CHANNEL, SURE, LOST, LOST_PLAIN), _channel),
    Claim(20, "regulator", (SOLVED, *(v for _, *each in TIMED for v in each), MERGER), _regulator),
)
