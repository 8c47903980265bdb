"""Claims 9, 13, 14, 18 and 19: winners, what teams earn, grants, entrances, the channel. See `claims`."""

from __future__ import annotations

from collections.abc import Callable

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
    distinct,
    median,
    number,
    paired,
    quiet,
    safe,
    winners,
    written,
)
from pricewar.market.model import Array

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
            Check.clear(
                "with teams alike and no ties of a segment to a vendor there are clearly fewer winners",
                effects[2].gap,
                -1,
            ),
        ),
        effects,
        ((("segment", "most often", "second", "third"), tuple(rows)),),
        (),
        "affinities and ecosystems of up to half a unit of utility; without surveys their sizes are guesses.",
    )


# ------------------------------------------------------------------ 13: teams that chose on price alone


TIMES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


def _tied(x: float, more: str = "", *bends: tuple[str, str, float]) -> Variant:
    """Switching costs times `x`, and what more."""
    cost = ("types.switching_cost", "×", x)
    return Variant(f"{x:g} times the switching costs{more}", (cost, *bends), family="choosers")


CHOOSERS = tuple(_tied(x) if x != 1 else Variant("as it is", family="choosers") for x in TIMES)
TAKEN = tuple(_tied(x, ", vendors enter products", ("absorb", "=", 0.3)) for x in (1.0, 4.0))
KEEN = tuple(
    _tied(x, ", products live by the model's quality", ("revenue_quality", "=", 1.5)) for x in (1.0, 4.0)
)


def _roi(f: Futures, v: Variant, rows: list[int]) -> Array:
    """[N, types] (revenue − taken − bills − switching) over bills and switching."""
    spent = (f(v, "type_bills") + f(v, "type_switching"))[:, rows]
    return safe((f(v, "type_revenue") - f(v, "type_taken"))[:, rows] - spent, spent)


def _choosers(f: Futures) -> Finding:
    types = f.families["choosers"].types
    kind = {w: [i for i, n in enumerate(types) if n.endswith(f", {w}")] for w in ("alike", "price only")}
    names = [types[i].removesuffix(", alike") for i in kind["alike"]]
    rows = []
    where: dict[str, list[str]] = {"price only": [], "both": []}
    cases = [(x, v, "") for x, v in zip(TIMES, CHOOSERS, strict=True)]
    cases += [
        (x, v, ", 30% of embedded teams' revenue taken") for x, v in zip((1.0, 4.0), TAKEN, strict=True)
    ]
    cases += [(x, v, ", products live by quality") for x, v in zip((1.0, 4.0), KEEN, strict=True)]
    for x, v, more in cases:
        price, alike = _roi(f, v, kind["price only"]), _roi(f, v, kind["alike"])
        lose, lose_too = (price < 0).mean(0), (alike < 0).mean(0)
        for n, name in enumerate(names):
            if lose[n] > 0.5:
                where["both" if lose_too[n] > 0.5 else "price only"].append(f"×{x:g} {name}{more}")
        gap = paired(quiet(np.nanmean, price, 1), quiet(np.nanmean, alike, 1))
        worst = int(np.argmin([median(price[:, n]) for n in range(len(names))]))
        rows.append(
            (
                f"×{x:g}{more}",
                f"{number(median(price[:, worst]))} ({names[worst]})",
                f"{100 * float((price < 0).mean()):.0f}%",
                f"{100 * float((alike < 0).mean()):.0f}%",
                written(gap),
            )
        )
    base_price, base_alike = (_roi(f, CHOOSERS[2], kind[w]) for w in ("price only", "alike"))
    gap = paired(quiet(np.nanmean, base_price, 1), quiet(np.nanmean, base_alike, 1))
    spare = median(base_price) + 1.0
    return Finding(
        13,
        "ROI of teams that chose on price alone",
        "The developer's return turns negative for teams that chose on price alone, for some ranges of "
        "switching "
        "cost.",
        (
            Check(
                "for some multiple of the switching costs, 0 to 8, some type that looks at price alone "
                "loses in "
                "most futures",
                "; ".join(where["price only"] + where["both"]) or "nowhere",
                bool(where["price only"] or where["both"]),
            ),
            Check(
                "while its fellows that also look at quality do not",
                "; ".join(where["price only"]) or "nowhere",
                bool(where["price only"]),
            ),
            Check.clear(
                "at the market's own switching costs choosing on price alone returns clearly less", gap, -1
            ),
        ),
        (),
        (
            (
                (
                    "switching costs",
                    "lowest median return, price only",
                    "below 0, price only",
                    "below 0, alike",
                    "price only less alike, mean return",
                ),
                tuple(rows),
            ),
        ),
        (
            "Return: (revenue − what vendors took − bills − switching costs) over bills and switching "
            "costs, over "
            "all months; “below 0”: of futures and types. With price alone the return would turn "
            "negative if a team "
            f"spent {number(spare - 1)} times its bills and switching on other things, engineering above "
            "all, which "
            "the model leaves out.",
        ),
        "switching costs from none to eight times; vendors that enter products; products whose revenue "
        "answers "
        "quality five times as strongly.",
    )


# ------------------------------------------------------------------ 14: grants


GRANTS = (
    Variant("Zhipu grants 25 mn tokens a month on trial", (("zhipu.grant", "=", 25.0),)),
    Variant("Zhipu grants 250 mn tokens a month on trial", (("zhipu.grant", "=", 250.0),)),
    Variant("Alibaba grants 250 mn tokens a month on trial", (("alibaba.grant", "=", 250.0),)),
    Variant("Zhipu grants 2,500 mn tokens a month on trial", (("zhipu.grant", "=", 2500.0),)),
)


def _grants(f: Futures) -> Finding:
    who = ("zhipu", "zhipu", "alibaba", "zhipu")
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
        "Grants cost the vendor less than their face value and bring in idea-rich teams, their ideas and "
        "their ties.",
        (
            Check(
                "Zhipu's grant of 250 mn tokens costs less than its face value at list prices, in at "
                "least 80% of the futures",
                f"{cheap}; median face over cost {number(median(ratio))}",
                cheap.value >= 0.8,
            ),
            Check.clear("it clearly brings idea-rich teams that stay to the end", effects[2].gap, +1),
            Check.clear("and data", effects[3].gap, +1),
            Check.clear("idea-rich teams clearly gain", teams, +1),
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
        "monthly grants on trial of 25 (a sign-up grant of May 2024), 250 and 2,500 mn tokens, by a "
        "small and a "
        "large vendor; a grant at a list price of zero has no face value.",
    )


def _ideas(f: Futures) -> Array:
    from pricewar.market import kernel as k

    return f.market.t[:, k.IDEAS]


# ------------------------------------------------------------------ 18: seats, entrances


NO_APPS = Variant("no apps of their own (consumers 0)", (("consumers", "=", 0.0),))
RICH_CHAT = Variant("chat teaches ten times as much", (("consumer_data", "×", 10.0),))
RICH_NO_APPS = Variant("chat teaches ten times as much, no apps", (*RICH_CHAT.bends, *NO_APPS.bends))
NEW_MODE = Variant("a new modality in month 18", (("modality_month", "=", 18.0), ("modality_size", "=", 0.8)))


def _seats(f: Futures) -> Finding:
    from pricewar.market import kernel as k

    owners = [j for j in f.sellers() if f.market.v[j, k.V_CONSUMERS] >= 0.1]
    names = ", ".join(f.market.vendors[j] for j in owners)

    def of(measure: str) -> Callable[[Variant], Array]:
        return lambda v: f(v, measure)[:, owners].sum(1)

    data = f.effect(NO_APPS, f"data of {names} at the end, mn tokens", of("data_end"), expected=-1)
    share = f.effect(NO_APPS, f"share of teams of {names} at the end", of("share_end"), expected=-1)
    quality = f.effect(
        NO_APPS,
        f"mean quality of {names} at the end",
        lambda v: quiet(np.nanmean, f(v, "quality_end")[:, owners], 1),
        expected=-1,
    )
    profit = f.effect(NO_APPS, f"profit of {names} over all months", of("earned"))

    rich = (
        f.effect(
            RICH_NO_APPS,
            f"share of teams of {names} at the end",
            of("share_end"),
            base=RICH_CHAT,
            expected=-1,
            change="no apps, where chat teaches ten times as much",
        ),
        f.effect(
            RICH_NO_APPS,
            f"data of {names} at the end, mn tokens",
            of("data_end"),
            base=RICH_CHAT,
            expected=-1,
            change="no apps, where chat teaches ten times as much",
        ),
    )

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
        "A free app is an entrance: its users make the owner's model better and win it teams; a new "
        "modality reopens the race.",
        (
            Check.clear("without their apps the owners end with clearly fewer data", data.gap, -1),
            Check.clear("with clearly lower quality", quality.gap, -1),
            Check.clear("and with clearly fewer teams", share.gap, -1),
            Check.clear("a new modality makes the leader in quality change clearly more often", race.gap, +1),
            Check.often("and another vendor wins a segment in at least a fifth of the futures", moved, 0.2),
        ),
        (data, quality, share, profit, *rich, race, hhi),
        ((("seat", "most often", "second", "third"), tuple(rows)),),
        (f"The app with most users belongs to the winner among independent developers in {same}.",),
        "consumers are not charged, their chat teaches 10 to 60% (tried: ten times that) of what teams' "
        "use does; a modality "
        "makes 80% of data stale for all.",
    )


# ------------------------------------------------------------------ 19: the channel


CHANNEL = Variant("no home ecosystems", ecosystem=0.0)
SURE = Variant("the benefit of joining is certain", (("certainty", "=", 1.0),))
GONE = (("alibaba.cash", "=", 0.0), ("alibaba.reserve", "=", 0.0))
LOST = Variant("Alibaba is ruined", GONE)
LOST_PLAIN = Variant("Alibaba is ruined, no home ecosystems", GONE, ecosystem=0.0)


def _channel(f: Futures) -> Finding:
    market = f.market
    home = [j for j in f.sellers() if market.eco[:, j].any()]
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
    for j in f.sellers():
        a, b = (f(v, "teams_end")[:, rows_of].sum(1) for v in (BASE, CHANNEL))
        gap = paired(100 * safe(a[:, j], a.sum(1)), 100 * safe(b[:, j], b.sum(1)))
        money = paired(f(BASE, "operating")[:, j], f(CHANNEL, "operating")[:, j])
        rows.append((market.vendors[j], "yes" if j in home else "no", written(gap), written(money)))
    return Finding(
        19,
        "The channel: joining and leaving",
        "Joining a vendor with a home ecosystem brings an uncertain benefit, leaving it a certain loss; "
        "there are winners and losers.",
        (
            Check.clear(
                "home ecosystems give their vendors a clearly larger share of start-ups and enterprises",
                on,
                +1,
            ),
            Check.clear("teams there clearly gain (over bills)", gain, +1),
            Check.clear("a benefit that were certain would draw clearly more", sure.gap, +1),
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


SERVED: tuple[Claim, ...] = (
    Claim(9, "winners", (BASE, NO_FIT, NO_HOME, ALIKE), _winners),
    Claim(13, "return", (*CHOOSERS, *TAKEN, *KEEN), _choosers),
    Claim(14, "grants", (BASE, *GRANTS), _grants),
    Claim(18, "seats", (BASE, NO_APPS, RICH_CHAT, RICH_NO_APPS, NEW_MODE), _seats),
    Claim(19, "channel", (BASE, CHANNEL, SURE, LOST, LOST_PLAIN), _channel),
)
