"""Claims 1, 2, 3, 7 and 8: the war, who pays for it, its harvest. See `claims`."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from pricewar.market.claims import (
    BASE,
    SOLVED,
    Check,
    Claim,
    Finding,
    Futures,
    Share,
    Variant,
    cover,
    median,
    number,
    paired,
    quiet,
    safe,
    wilson,
    windows,
)
from pricewar.market.model import Array
from pricewar.market.outcomes import DAYS


def _anew(name: str, *bends: tuple[str, str, float]) -> Variant:
    return Variant(name, bends, free=True)


# ------------------------------------------------------------------ 1: who opens, who follows


NEWCOMER = "deepseek"
LARGEST = "baidu"
OPENERS = (
    _anew("DeepSeek serves no better than others", ("deepseek.efficiency", "=", 1.0)),
    _anew("DeepSeek has a fifth of the market", ("deepseek.share", "=", 0.25)),
    _anew(
        "DeepSeek has a twentieth of its funds", ("deepseek.cash", "×", 0.05), ("deepseek.reserve", "×", 0.05)
    ),
)
ALOOF = Variant("Baidu never follows", (("baidu.agility", "=", 0.0),))


def _tau(order: Array, days: Array) -> float:
    """Kendall's τ-b of two rows; NaN without variation."""
    from scipy.stats import kendalltau

    found: Any = kendalltau(order, days)
    return float(found.statistic)


def _opener(f: Futures) -> Finding:
    market = f.market
    who = f(BASE, "opener").astype(int)
    sellers = f.sellers()
    n, chance = len(who), 1.0 / len(sellers)
    j = f.vendor(NEWCOMER)
    hits = int((who == j).sum())
    low, _ = wilson(hits, n)
    often = [int((who == q).sum()) for q in sellers]
    start, follow = f(BASE, "opening"), f(BASE, "follow")
    lag = (follow - start[:, None]) * DAYS
    others = np.array([[q != who[m] for q in range(lag.shape[1])] for m in range(n)])
    inside = np.isin(np.arange(lag.shape[1]), sellers)
    fights = who >= 0
    counted = others & inside[None] & fights[:, None]
    lags = lag[counted]
    in_time = Share.of(lags <= 60)
    middle = float(np.median(np.where(np.isfinite(lags), lags, np.inf))) if len(lags) else math.inf
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
        Check.often("at least 80% within 60 days", in_time, 0.8),
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
                f"Of the followers alone, where {NEWCOMER} opened: mean τ with history "
                f"{number(float(np.nanmean(only)))} "
                "(0 is chance)."
            )

    def opens(v: Variant) -> Array:
        return (f(v, "opener") == j).astype(float)

    def keeps(v: Variant) -> Array:
        return f(v, "share_year")[:, f.vendor(LARGEST)]

    effects = [f.effect(v, f"{NEWCOMER} opens", opens, expected=-1) for v in OPENERS]
    effects.append(
        f.effect(ALOOF, f"{LARGEST}'s share of teams a year after the opening", keeps, expected=-1)
    )
    checks.append(
        Check.clear(
            "not following loses the base: the largest vendor, never following, holds clearly fewer "
            "teams after a year",
            effects[-1].gap,
            -1,
        )
    )
    return Finding(
        1,
        "A late mover opens, the others follow",
        "A late mover with a small share and deep pockets opens the war; the others follow within days "
        "to weeks, "
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
    sellers = f.sellers()
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
    free = trough(BASE, "giving")
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
        Check.often("some vendor gives light use free, in at least 80%", some, 0.8),
        Check.often("and some vendor does so by an allowance, in at least half", allowed, 0.5),
        Check.often(
            "half of the vendors cut the flagship by half or more within six months, in at least 80%",
            deep,
            0.8,
        ),
        Check.often("no flagship is ever free, in at least 80%", paid, 0.8),
        Check.often("light goes lower against cost than flagship, in at least 80%", deeper, 0.8),
    )
    effects = (
        *tuple(
            f.effect(
                v,
                f"lowest {tier} price paid over cost in a year",
                lambda x, m=measure: trough(x, m),
                expected=+1,
            )
            for v in (SHORT, BARE, UNTAUGHT)
            for tier, measure in (("light", "light_ratio"), ("flagship", "flagship_ratio"))
        ),
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
            f"At most {number(median(most))} vendors (median) give light use free in the first year of a "
            f"war; fewest {number(median(free))}.",
        ),
        "allowances that move by notches of their marginal value; with a price of zero they have no meaning.",
    )


# ------------------------------------------------------------------ 3: staying power


POOR = Variant(
    "a twentieth of everybody's funds", (("vendors.cash", "×", 0.05), ("vendors.reserve", "×", 0.05))
)
IDLE = Variant("nobody trains (run_step 0)", (("run_step", "=", 0.0),))
FREELY = (("rise_needs_successor", "=", 0.0),)
POOR_FREE = Variant("a twentieth of the funds, prices may rise without a successor", (*POOR.bends, *FREELY))
POOR_IDLE = Variant("and nobody trains", (*POOR.bends, *FREELY, *IDLE.bends))
WHOLE = Variant("the API bears all training (api_share 1)", (("vendors.api_share", "=", 1.0),))
POOR_WHOLE = Variant("a twentieth of the funds, the API bears all training", (*POOR.bends, *WHOLE.bends))


def _staying(f: Futures) -> Finding:
    sellers = f.sellers()

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
            POOR_WHOLE,
            "vendors that leave",
            lambda v: left(v).sum(1),
            base=POOR,
            expected=+1,
            change="the API bears all training, at a twentieth of the funds",
        ),
        f.effect(
            POOR_IDLE,
            "vendors that leave",
            lambda v: left(v).sum(1),
            base=POOR_FREE,
            expected=-1,
            change="nobody trains, at a twentieth of the funds, rises need no successor",
        ),
        f.effect(IDLE, "vendors' profit over all months", lambda v: f(v, "profit").sum(1), expected=+1),
    )
    rows = tuple(
        (
            f.market.vendors[j],
            *(f"{left(v)[:, n].mean():.0%}" for v in (BASE, POOR, POOR_FREE, POOR_IDLE, WHOLE)),
            number(median(f(BASE, "purse")[:, j])),
        )
        for n, j in enumerate(sellers)
    )
    return Finding(
        3,
        "Staying power is compute and cash",
        "Staying power is compute and cash; weak vendors leave.",
        (
            Check.often("some vendor leaves in at least half of the futures", any_exit, 0.5),
            Check.clear(
                "the third with the least funds leaves clearly more often than the third with the most",
                gap,
                +1,
            ),
            Check.clear("the same when all have a twentieth of their funds", gap_poor, +1),
            Check.clear("less money, more exits", effects[0].gap, +1),
            Check.clear("without training fewer leave", effects[3].gap, -1),
        ),
        effects,
        (
            (
                (
                    "vendor",
                    "leaves",
                    "with a twentieth of the funds",
                    "and rises need no successor",
                    "and nobody trains",
                    "API bears all training",
                    "funds, median",
                ),
                rows,
            ),
        ),
        (),
        "a run is begun only when a quarter of the funds can pay it, so training itself seldom kills; "
        "the API "
        "bears 10 to 25% of it; horizons beyond four years were not run.",
    )


# ------------------------------------------------------------------ 7: the harvest


BARE_AGAIN = Variant("no switching costs, conduct solved again", BARE.bends, solved="no switching costs")
FLUID = Variant(
    "no switching costs, teams reconsider every week",
    (("types.switching_cost", "=", 0.0), ("types.review_low", "=", 4.0), ("types.review_high", "=", 4.0)),
)
TWICE = Variant("twice the switching costs", (("types.switching_cost", "×", 2.0),))
TWICE_AGAIN = Variant(
    "twice the switching costs, conduct solved again", TWICE.bends, solved="twice the switching costs"
)


def _harvest(f: Futures) -> Finding:
    def covers(v: Variant) -> Array:
        return cover(f, v)

    def climbs(v: Variant) -> Array:
        return safe(cover(f, v), cover(f, v, False))

    early, late = cover(f, BASE, False), cover(f, BASE)
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
    none = f.effect(BARE, "revenue over serving cost, last half-year", covers, expected=-1)
    twice = f.effect(TWICE, "revenue over serving cost, last half-year", covers, expected=+1)
    seen = sum(s.value >= 0.5 for _, s in channels)
    return Finding(
        7,
        "The harvest",
        "After the shake-out comes the harvest: allowances withdrawn, light prices towards cost, list "
        "prices that stop following costs, dearer successors.",
        (
            Check(
                "revenue over serving cost rises by a quarter from the war's months 2 to 7 to the last "
                "half-year, in at least 80% of the wars",
                f"{rises}; median {number(median(early))} to {number(median(late))}",
                rises.value >= 0.8,
            ),
            Check.often("and ends at 1.1 or more in at least 80%", pays, 0.8),
            Check.clear("without switching costs it is clearly lower", none.gap, -1),
            Check.clear("with twice the switching costs clearly higher", twice.gap, +1),
            Check("three of the four channels show in half of the wars or more", f"{seen} of 4", seen >= 3),
        ),
        (
            none,
            twice,
            *(
                f.effect(v, "revenue over serving cost, last half-year", covers, base=SOLVED, expected=e)
                for v, e in ((BARE_AGAIN, -1), (TWICE_AGAIN, +1))
            ),
            *(
                f.effect(v, "its rise from the war to the last half-year, factor", climbs, expected=e)
                for v, e in ((BARE, -1), (TWICE, +1), (FLUID, -1), (SHORT, -1))
            ),
        ),
        ((("channel", "shows in"), tuple((name, str(s)) for name, s in channels)),),
        (
            "Inertia has two parts: the cost of switching, and how seldom teams look round. “Reconsider "
            "every "
            "week” takes away both.",
        ),
        "0, 1 and 2 times the switching costs, with conduct held and solved again; teams that look round "
        "every "
        "week.",
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
            Check.often(
                "suppliers' profit since the opening is positive for good within three months, in at "
                "least 90% of the wars",
                soon,
                0.9,
            ),
            Check.often("before the vendors' together, in at least 90%", first, 0.9),
            Check.often("by at least six months, in at least 80%", later, 0.8),
            Check.clear("rentals that answer demand add to it clearly", effects[0].gap, -1),
        ),
        effects,
        ((("over all months, median", "money"), ends),),
        (
            "The vendors' API business has not earned back its losses since the opening by the end in "
            f"{never}.",
        ),
        "the vendors' profit is that of the API, which bears a part of training.",
    )


FOUGHT: tuple[Claim, ...] = (
    Claim(1, "opener", (BASE, *OPENERS, ALOOF), _opener),
    Claim(2, "tiers", (BASE, SHORT, BARE, UNTAUGHT, PLAIN_LIGHT), _tiers),
    Claim(3, "staying power", (BASE, POOR, IDLE, POOR_FREE, POOR_IDLE, WHOLE, POOR_WHOLE), _staying),
    Claim(7, "harvest", (BASE, SHORT, BARE, TWICE, FLUID, SOLVED, BARE_AGAIN, TWICE_AGAIN), _harvest),
    Claim(8, "suppliers", (BASE, STEADY, IDLE, BARE), _suppliers),
)
