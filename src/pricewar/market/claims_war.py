"""Claims 1 to 9: the war itself, its costs, its training, its harvest, its winners. See `claims`."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np

from pricewar.market.claims import (
    BASE,
    Check,
    Claim,
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
    wilson,
    windows,
    written,
)
from pricewar.market.model import Array
from pricewar.market.outcomes import DAYS

FREE = Variant("opening chosen anew", free=True)


def _free(name: str, *bends: tuple[str, str, float]) -> Variant:
    return Variant(name, bends, free=True)


def _sellers(f: Futures, family: str = "plain") -> list[int]:
    from pricewar.market import kernel as k

    return [j for j, c in enumerate(f.families[family].v[:, k.V_CONDUCT]) if c != k.FRINGE]


# ------------------------------------------------------------------ 1: who opens, who follows

NEWCOMER = "deepseek"
LARGEST = "baidu"
OPENERS = (
    _free("DeepSeek serves no better than others", ("deepseek.efficiency", "=", 1.0)),
    _free("DeepSeek has a fifth of the market", ("deepseek.share", "=", 0.25)),
    _free(
        "DeepSeek has a twentieth of its funds", ("deepseek.cash", "×", 0.05), ("deepseek.reserve", "×", 0.05)
    ),
)
ALOOF = Variant("Baidu never follows", (("baidu.agility", "=", 0.0),))


def _tau(order: Array, days: Array) -> float:
    """Kendall's τ-b of two rows; NaN without variation."""
    from scipy.stats import kendalltau

    found = kendalltau(order, days)
    return float(found.statistic)


def _opener(f: Futures) -> Finding:
    market = f.market
    who = f(BASE, "opener").astype(int)
    sellers = _sellers(f)
    n, chance = len(who), 1.0 / len(sellers)
    j = f.vendor(NEWCOMER)
    hits = int((who == j).sum())
    low, _ = wilson(hits, n)
    often = [int((who == q).sum()) for q in sellers]
    start, follow = f(BASE, "opening"), f(BASE, "follow")
    lag = (follow - start[:, None]) * DAYS
    lag[np.arange(n) == -1] = np.nan
    others = np.array([[q != who[m] for q in range(lag.shape[1])] for m in range(n)])
    inside = np.isin(np.arange(lag.shape[1]), sellers)
    fights = who >= 0
    counted = others & inside[None] & fights[:, None]
    lags = lag[counted]
    in_time = Share.of(lags <= 60)
    middle = median(np.where(np.isfinite(lags), lags, 1e9))
    rows = tuple(
        (
            market.vendors[q],
            Share.of(who == q).__str__(),
            number(median(lag[fights & (who != q), q])),
            f"{np.mean(np.isfinite(lag[fights & (who != q), q])):.0%}"
            if (fights & (who != q)).any()
            else "–",
            number(f.history[market.vendors[q]]) if market.vendors[q] in f.history else "–",
        )
        for q in sellers
    )
    checks = [
        Check(
            f"{NEWCOMER}, which opened it, does so more often than chance (lower end of its interval above "
            f"{chance:.0%})",
            str(Share(hits, n)),
            low > chance,
        ),
        Check(
            "and more often than any other vendor",
            f"{hits} against {max(x for x, q in zip(often, sellers, strict=True) if q != j)}",
            hits > max(x for x, q in zip(often, sellers, strict=True) if q != j),
        ),
        Check("half of the followers follow within 31 days", f"median {number(middle)} days", middle <= 31),
        Check("at least 80% within 60 days", str(in_time), in_time.value >= 0.8),
    ]
    notes = []
    if f.history:
        known = [q for q in sellers if market.vendors[q] in f.history]
        past = np.array([f.history[market.vendors[q]] for q in known])
        taus = []
        for m in np.flatnonzero(fights):
            row = np.where(np.isfinite(follow[m, known]), follow[m, known], 1e9)
            row = np.where(np.array(known) == who[m], -1.0, row)
            taus.append(_tau(row, past))
        taus = np.array([x for x in taus if math.isfinite(x)])
        by_chance = np.array(
            [_tau(np.array(p, float), past) for p in itertools.permutations(range(len(known)))]
        )
        rng = np.random.Generator(np.random.Philox(key=[11, 1]))
        drawn = rng.choice(by_chance, (4000, max(len(taus), 1))).mean(1)
        mean = float(taus.mean()) if len(taus) else math.nan
        p = float((drawn >= mean).mean()) if len(taus) else 1.0
        checks.append(
            Check(
                "the order resembles history's more than random orders do (mean Kendall's τ, p below 5%)",
                f"τ {number(mean)}, p {p:.3f}",
                p < 0.05 and mean > 0,
            )
        )
        hit = [m for m in np.flatnonzero(fights) if who[m] == j]
        if hit:
            rest = [q for q in known if q != j]
            after = np.array([f.history[market.vendors[q]] for q in rest])
            only = [_tau(np.where(np.isfinite(follow[m, rest]), follow[m, rest], 1e9), after) for m in hit]
            notes.append(
                f"Of the followers alone, where {NEWCOMER} opened: mean τ with history {number(float(np.nanmean(only)))} "
                "(0 is chance)."
            )

    def opens(v: Variant) -> Array:
        return (f(v, "opener") == j).astype(float)

    def keeps(v: Variant) -> Array:
        return f(v, "share_12")[:, f.vendor(LARGEST)]

    effects = [f.effect(v, f"{NEWCOMER} opens", opens, expected=-1) for v in OPENERS]
    effects.append(f.effect(ALOOF, f"{LARGEST}'s share of teams in month 12", keeps, expected=-1))
    checks.append(
        Check(
            "not following loses the base: the largest vendor, never following, holds clearly fewer teams after a year",
            written(effects[-1].gap),
            clearly(effects[-1].gap, -1),
        )
    )
    return Finding(
        1,
        "A late mover opens, the others follow",
        "A late mover with a small share and deep pockets opens the war; the others follow within days to weeks, "
        "because not following loses the base.",
        tuple(checks),
        tuple(effects),
        ((("vendor", "opens", "follows after, median days", "follows at all", "history, days"), rows),),
        (*notes, f"War begins in {Share.of(fights)} of the futures within {market.months} months."),
        "opening as a choice by rollouts of cutting against holding; peace prices from lists; no parameter "
        "belongs to one vendor's opening. Efficiency, share and funds above say what moves it.",
    )


# ------------------------------------------------------------------ 2: light at or below cost, flagships paid

SHORT = Variant("nobody counts the future (invest 0)", (("vendors.invest", "=", 0.0),))
BARE = Variant("no switching costs", (("types.switching_cost", "=", 0.0),))
UNTAUGHT = Variant("no learning, no data effect", (("learning", "=", 0.0), ("scale_data", "=", 0.0)))
PLAIN_LIGHT = Variant("no free allowances", (("allowance_notch", "=", 1.0),))


def _tiers(f: Futures) -> Finding:
    sellers = _sellers(f)
    began = f(BASE, "opening")
    war = np.isfinite(began) & (began < 24)

    def trough(v: Variant, measure: str) -> Array:
        series, start = f(v, measure), f(v, "opening")
        out = np.full(len(series), np.nan)
        for n, a in enumerate(start):
            if np.isfinite(a) and a < 24:
                part = series[n, int(a) : int(a) + 12]
                out[n] = np.nanmin(part) if np.isfinite(part).any() else np.nan
        return out

    light, flag = trough(BASE, "light_ratio"), trough(BASE, "flagship_ratio")
    below = Share.of(light <= 1.0, war)
    free = trough(replace(BASE), "giving")
    most = np.array(
        [
            np.nanmax(row[int(a) : int(a) + 12]) if w else np.nan
            for row, a, w in zip(f(BASE, "giving"), np.nan_to_num(began), war, strict=True)
        ]
    )
    some = Share.of(most >= 1, war)
    allowed = Share.of(f(BASE, "allowed")[:, sellers].max(1) > 0, war)
    paid = Share.of(f(BASE, "least_flagship")[:, sellers].min(1) > 0, war)
    low = f(BASE, "flagship_low")[:, sellers]
    deep = Share.of(quiet(np.nanmedian, low, 1) <= 0.5, war)
    deeper = Share.of(light < flag, war)
    checks = (
        Check(
            "light models are sold at or below cost within a year, in at least 80% of the wars",
            f"{below}; median {number(median(light))} of cost",
            below.value >= 0.8,
        ),
        Check("some vendor gives light use free, in at least 80%", str(some), some.value >= 0.8),
        Check(
            "and some vendor does so by an allowance, in at least half", str(allowed), allowed.value >= 0.5
        ),
        Check(
            "half of the vendors cut the flagship by half or more within six months, in at least 80%",
            str(deep),
            deep.value >= 0.8,
        ),
        Check("no flagship is ever free, in at least 80%", str(paid), paid.value >= 0.8),
        Check(
            "light goes lower against cost than flagship, in at least 80%", str(deeper), deeper.value >= 0.8
        ),
    )
    effects = tuple(
        f.effect(
            v, f"lowest {tier} price paid over cost in a year", lambda x, m=measure: trough(x, m), expected=+1
        )
        for v in (SHORT, BARE, UNTAUGHT)
        for tier, measure in (("light", "light_ratio"), ("flagship", "flagship_ratio"))
    ) + (
        f.effect(
            PLAIN_LIGHT, "lowest light price paid over cost in a year", lambda x: trough(x, "light_ratio")
        ),
    )
    return Finding(
        2,
        "Light at cost or free, flagships paid",
        "Light models go to or below cost, free comes with an allowance; flagships are cut but stay paid.",
        checks,
        effects,
        (),
        (
            f"At most {number(median(most))} vendors (median) give light use free in the first year of a war; fewest {number(median(free))}.",
        ),
        "allowances that move by notches of their marginal value; with a price of zero they have no meaning.",
    )


# ------------------------------------------------------------------ 3: staying power

POOR = Variant(
    "a twentieth of everybody's funds", (("vendors.cash", "×", 0.05), ("vendors.reserve", "×", 0.05))
)
IDLE = Variant("nobody trains (run_step 0)", (("run_step", "=", 0.0),))
POOR_IDLE = Variant("a twentieth of the funds, nobody trains", (*POOR.bends, *IDLE.bends))
WHOLE = Variant("the API bears all training (api_share 1)", (("vendors.api_share", "=", 1.0),))


def _staying(f: Futures) -> Finding:
    sellers = _sellers(f)

    def left(v: Variant) -> Array:
        return np.isfinite(f(v, "leaves")[:, sellers]).astype(float)

    def by_purse(v: Variant) -> tuple[Array, Array]:
        gone, purse = left(v), f(v, "purse")[:, sellers]
        rank = purse.argsort(1).argsort(1)
        third = max(1, len(sellers) // 3)
        return (
            np.array([g[r < third].mean() for g, r in zip(gone, rank, strict=True)]),
            np.array([g[r >= len(sellers) - third].mean() for g, r in zip(gone, rank, strict=True)]),
        )

    weak, strong = by_purse(BASE)
    gap = paired(weak, strong)
    weak_poor, strong_poor = by_purse(POOR)
    gap_poor = paired(weak_poor, strong_poor)
    any_exit = Share.of(left(BASE).sum(1) > 0)
    effects = (
        f.effect(POOR, "vendors that leave", lambda v: left(v).sum(1), expected=+1),
        f.effect(WHOLE, "vendors that leave", lambda v: left(v).sum(1), expected=+1),
        f.effect(
            POOR_IDLE,
            "vendors that leave",
            lambda v: left(v).sum(1),
            base=POOR,
            expected=-1,
            change="nobody trains, at a twentieth of the funds",
        ),
        f.effect(IDLE, "vendors' profit over all months", lambda v: f(v, "profit").sum(1), expected=+1),
    )
    rows = tuple(
        (
            f.market.vendors[j],
            *(f"{left(v)[:, n].mean():.0%}" for v in (BASE, POOR, POOR_IDLE, WHOLE)),
            number(median(f(BASE, "purse")[:, j])),
        )
        for n, j in enumerate(sellers)
    )
    return Finding(
        3,
        "Staying power is compute and cash",
        "Staying power is compute and cash; weak vendors leave.",
        (
            Check("some vendor leaves in at least half of the futures", str(any_exit), any_exit.value >= 0.5),
            Check(
                "the third with the least funds leaves clearly more often than the third with the most",
                written(gap),
                clearly(gap, +1),
            ),
            Check(
                "the same when all have a twentieth of their funds", written(gap_poor), clearly(gap_poor, +1)
            ),
            Check("less money, more exits", written(effects[0].gap), clearly(effects[0].gap, +1)),
            Check("without training fewer leave", written(effects[2].gap), clearly(effects[2].gap, -1)),
        ),
        effects,
        (
            (
                (
                    "vendor",
                    "leaves",
                    "with a twentieth of the funds",
                    "and nobody trains",
                    "API bears all training",
                    "funds, median",
                ),
                rows,
            ),
        ),
        (),
        "a run is begun only when a quarter of the funds can pay it, so training itself seldom kills; the API "
        "bears 10 to 25% of it; horizons beyond 36 months were not run.",
    )


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
        sellers = _sellers(f)
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
            Check(
                "across vendors and months the elasticity of GPUs per unit of work to work is negative in at least 95% of the futures",
                str(falls),
                falls.value >= 0.95,
            ),
            Check("its median is at most −0.05", number(median(slope)), median(slope) <= -0.05),
            Check(
                "it shrinks clearly without the least fleet and learning",
                written(effects[2].gap),
                clearly(effects[2].gap, +1),
            ),
            Check(
                "and by at least half",
                f"{number(median(slope))} to {number(rest)}",
                abs(rest) <= 0.5 * abs(median(slope)),
            ),
        ),
        (*effects, *costs),
        (),
        (
            "Each vendor's own efficiency and the trade's progress are taken out; what is left is fleets, learning and load.",
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
            Check(
                "passing the threshold brings at least 1.5 times the gain of other runs, in at least 80% of the futures where somebody passes",
                str(larger),
                larger.value >= 0.8,
            ),
            Check(
                "at least half of a vendor's rise comes in a tenth of the months, in at least 80%",
                f"{concentrated}; median {number(median(lumps(BASE)))}",
                concentrated.value >= 0.8,
            ),
            Check(
                "without the jump the excess is clearly smaller", written(curve.gap), clearly(curve.gap, -1)
            ),
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
            f"Somebody passes the threshold in {Share.of(crossed)}. Of the jump put in, {number(100 * median(part))}% (median) shows in the month of passing.",
        ),
        "runs of three months with a step of up to half a tenfold, that can fail; cumulative compute smoothed the jump away.",
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
        "Use leaves data, data make quality, quality brings users: concentration rises with the data effect, and sharing data undoes it.",
        (
            Check(
                "concentration at the end is clearly higher with a strong data effect than with none",
                written(rise),
                clearly(rise, +1),
            ),
            Check(
                "by at least 10%",
                f"{number(median(end(none)))} to {number(median(end(strong)))}",
                median(end(strong)) >= 1.1 * median(end(none)),
            ),
            Check(
                "it rises with the effect's strength: none, half, strong",
                f"{number(float(end(none).mean()))}, {number(float(end(DATA[2]).mean()))}, {number(float(end(strong).mean()))}",
                middle.mean > 0 and rise.mean > middle.mean,
            ),
            Check("sharing all data clearly lowers it", written(open_), clearly(open_, -1)),
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


# ------------------------------------------------------------------ 7: the harvest

TWICE = Variant("twice the switching costs", (("types.switching_cost", "×", 2.0),))


def _harvest(f: Futures) -> Finding:
    def cover(v: Variant, late: bool = True) -> Array:
        a, b = windows(f, v, "revenue")[late], windows(f, v, "serving")[late]
        return safe(a, b)

    early, late = cover(BASE, False), cover(BASE)
    told = np.isfinite(early) & np.isfinite(late)
    rises = Share.of(late >= 1.25 * early, told)
    pays = Share.of(late >= 1.1, told)
    light, flag, price, free = (
        windows(f, BASE, m) for m in ("light_ratio", "flagship_ratio", "flagship_price", "free")
    )
    withdrawn = Share.of(free[1] <= 0.5 * free[0], told & (free[0] > 0.02))
    dearer = Share.of(light[1] >= 1.2 * light[0], told)
    stops = Share.of((flag[1] >= 1.2 * flag[0]) & (price[1] <= price[0]), told)
    raised = Share.of(f(BASE, "rises").sum(1) >= 1, told)
    channels = (
        ("allowances and free use withdrawn (free part of light use halved)", withdrawn),
        ("light prices towards cost (up a fifth over cost)", dearer),
        ("list prices stop following costs (up a fifth over cost, though not up)", stops),
        ("dearer successors (a list price rises with a new generation)", raised),
    )
    none = f.effect(BARE, "revenue over serving cost, last half-year", cover, expected=-1)
    twice = f.effect(TWICE, "revenue over serving cost, last half-year", cover, expected=+1)
    seen = sum(s.value >= 0.5 for _, s in channels)
    return Finding(
        7,
        "The harvest",
        "After the shake-out comes the harvest: allowances withdrawn, light prices towards cost, list prices that stop following costs, dearer successors.",
        (
            Check(
                "revenue over serving cost rises by a quarter from the war's months 2 to 7 to the last half-year, in at least 80% of the wars",
                f"{rises}; median {number(median(early))} to {number(median(late))}",
                rises.value >= 0.8,
            ),
            Check("and ends at 1.1 or more in at least 80%", str(pays), pays.value >= 0.8),
            Check("without switching costs it is clearly lower", written(none.gap), clearly(none.gap, -1)),
            Check(
                "with twice the switching costs clearly higher", written(twice.gap), clearly(twice.gap, +1)
            ),
            Check("three of the four channels show in half of the wars or more", f"{seen} of 4", seen >= 3),
        ),
        (none, twice),
        ((("channel", "shows in"), tuple((name, str(s)) for name, s in channels)),),
        (),
        "0, 1 and 2 times the switching costs with conduct held; the war is as long as its conduct makes it.",
    )


# ------------------------------------------------------------------ 8: suppliers first

STEADY = Variant("rentals do not answer demand", (("rental_elasticity", "=", 0.0),))


def _suppliers(f: Futures) -> Finding:
    began = f(BASE, "opening")
    war = np.isfinite(began) & (began < 24)

    def pays(v: Variant, measure: str, less: str = "") -> Array:
        """Months from the opening until the sum since then is positive for good; infinite if never."""
        series = f(v, measure) - (f(v, less) if less else 0.0)
        out = np.full(len(series), np.nan)
        for n, a in enumerate(f(v, "opening")):
            if np.isfinite(a) and a < 24:
                path = np.cumsum(series[n, int(a) :])
                bad = np.flatnonzero(path <= 0)
                out[n] = (
                    math.inf
                    if len(bad) and bad[-1] == len(path) - 1
                    else float(bad[-1] + 2 if len(bad) else 1)
                )
        return out

    supplier, vendor = pays(BASE, "supplier"), pays(BASE, "profit")
    soon = Share.of(supplier <= 3, war)
    first = Share.of(supplier < vendor, war)
    later = Share.of(vendor - np.where(np.isfinite(supplier), supplier, 0) >= 6, war & np.isfinite(supplier))
    never = Share.of(np.isinf(vendor), war)

    def total(v: Variant) -> Array:
        return f(v, "supplier").sum(1)

    effects = (
        f.effect(STEADY, "suppliers' profit over all months", total, expected=-1),
        f.effect(IDLE, "suppliers' profit over all months", total, expected=-1),
        f.effect(BARE, "suppliers' profit over all months", total),
    )
    ends = tuple(
        (name, number(median(f(BASE, m).sum(1))))
        for name, m in (
            ("suppliers' profit", "supplier"),
            ("vendors' profit (API)", "profit"),
            ("training, parents' part included", "training"),
        )
    )
    return Finding(
        8,
        "Compute suppliers profit first",
        "Those who rent out compute profit from the war first, long before any vendor's API does.",
        (
            Check(
                "suppliers' profit since the opening is positive for good within three months, in at least 90% of the wars",
                str(soon),
                soon.value >= 0.9,
            ),
            Check("before the vendors' together, in at least 90%", str(first), first.value >= 0.9),
            Check("by at least six months, in at least 80%", str(later), later.value >= 0.8),
            Check(
                "rentals that answer demand add to it clearly",
                written(effects[0].gap),
                clearly(effects[0].gap, -1),
            ),
        ),
        effects,
        ((("over all months, median", "money"), ends),),
        (
            f"The vendors' API business has not earned back its losses since the opening by the end in {never}.",
        ),
        "the vendors' profit is that of the API, which bears a part of training.",
    )


# ------------------------------------------------------------------ 9: different winners

NO_FIT = Variant("no affinities", affinity=0.0)
NO_HOME = Variant("no home ecosystems", ecosystem=0.0)
ALIKE = Variant(
    "no affinities, no ecosystems, teams alike",
    (
        ("types.quality_taste", "=", 1.0),
        ("types.price_taste", "=", 0.6),
        ("types.switching_cost", "=", 1.5),
        ("types.light_share", "=", 0.6),
    ),
    affinity=0.0,
    ecosystem=0.0,
)


def winners(f: Futures, v: Variant) -> Array:
    """[N, S] vendor with the most teams of each segment at the end."""
    from pricewar.market import kernel as k

    market = f.families[v.family]
    segment = market.t[:, k.SEGMENT].astype(int)
    teams = f(v, "teams_end")
    return np.stack([teams[:, segment == s].sum(1).argmax(1) for s in range(len(market.segments))], axis=1)


def distinct(f: Futures, v: Variant) -> Array:
    """[N] how many different vendors win a segment."""
    return np.array([len(set(row)) for row in winners(f, v)], float)


def _winners(f: Futures) -> Finding:
    won = winners(f, BASE)
    several = Share.of(distinct(f, BASE) >= 2)
    market = f.market
    rows, modal = [], []
    for s, name in enumerate(market.segments):
        counts = np.bincount(won[:, s], minlength=len(market.vendors))
        order = counts.argsort()[::-1][:3]
        modal.append(int(order[0]))
        rows.append((name, *(f"{market.vendors[j]} {counts[j] / len(won):.0%}" for j in order)))
    effects = tuple(
        f.effect(v, "different winners among the segments", lambda x: distinct(f, x), expected=-1)
        for v in (NO_FIT, NO_HOME, ALIKE)
    )
    return Finding(
        9,
        "Segments end with different winners",
        "Developers, start-ups, enterprises and government end with different winners.",
        (
            Check(
                "at least two vendors win a segment each, in at least 80% of the futures",
                f"{several}; mean {number(float(distinct(f, BASE).mean()))}",
                several.value >= 0.8,
            ),
            Check(
                "the most frequent winner is not the same in all segments",
                ", ".join(market.vendors[j] for j in modal),
                len(set(modal)) > 1,
            ),
            Check(
                "with teams alike and no ties of a segment to a vendor there are clearly fewer winners",
                written(effects[2].gap),
                clearly(effects[2].gap, -1),
            ),
        ),
        effects,
        ((("segment", "most often", "second", "third"), tuple(rows)),),
        (),
        "affinities and ecosystems of up to half a unit of utility; without surveys their sizes are guesses.",
    )


def _claim(number: int, title: str, variants: tuple[Variant, ...], test: object) -> Claim:
    return Claim(number, title, (BASE, *variants), test)  # type: ignore[arg-type]


FOUGHT: tuple[Claim, ...] = (
    _claim(1, "opener", (*OPENERS, ALOOF), _opener),
    _claim(2, "tiers", (SHORT, BARE, UNTAUGHT, PLAIN_LIGHT), _tiers),
    _claim(3, "staying power", (POOR, IDLE, POOR_IDLE, WHOLE), _staying),
    _claim(4, "scale", (NO_FLEET, NO_LEARNING, NO_SCALE), _scale),
    _claim(5, "jumps", (SMOOTH_CURVE, SMOOTH_RUNS, SMOOTH), _jumps),
    _claim(6, "data", DATA, _data),
    _claim(7, "harvest", (BARE, TWICE), _harvest),
    _claim(8, "suppliers", (STEADY, IDLE, BARE), _suppliers),
    _claim(9, "winners", (NO_FIT, NO_HOME, ALIKE), _winners),
)
