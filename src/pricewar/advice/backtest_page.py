"""The back-test as a page (Markdown), every figure from its results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pricewar.advice.backtest import GONE, STRATEGIES, Backtest, Regret
from pricewar.advice.backtest_teams import BARS, CLASSES, MONTHLY

if TYPE_CHECKING:
    from pricewar.futures.scoring import Scores

PLAIN = ("once", "cheapest", "paid", "flagship", "chasing", "patient")
SKILL = 0.25
"""The aim: CRPS this much under the best baseline's."""

SAME = 0.005  # of cost: what rounds to 0% is not clearly different


def _money(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:,.2f}"


def percent(x: float) -> str:
    """As a percentage, or as a multiple where that reads better."""
    if x >= 5:
        return f"× {1 + x:,.1f}"
    return "0%" if abs(x) < 0.005 else f"{100 * x:+.0f}%".replace("-", "−")


def _span(low: float, high: float) -> str:
    return f"{percent(low)} … {percent(high)}"


def table(found: Backtest, team: str) -> list[str]:
    """Regret of one class, a line for each strategy."""
    rows = [r for r in found.regrets if r.team == team]
    money = team != "all"
    head = "| strategy |" + (" USD | moves |" if money else "") + " over the clairvoyant (90%) | "
    lines = [
        head + "ours against it (90%) | ours no dearer |",
        "|---|" + ("---|---|" if money else "") + "---|---|---|",
    ]
    for r in rows:
        cells = [STRATEGIES[r.strategy]]
        if money:
            cells += [_money(r.cost), f"{r.moves:.1f}"]
        cells.append("0" if r.strategy == "clairvoyant" else f"{percent(r.over)} ({_span(r.low, r.high)})")
        if r.strategy == "ours":
            cells += ["", ""]
        else:
            cells.append(f"{percent(r.against)} ({_span(r.against_low, r.against_high)})")
            cells.append(f"{r.won} of {r.windows}")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def sentences(found: Backtest) -> list[str]:
    """What the figures say, in words that follow from them."""

    def of(team: str, strategy: str) -> Regret:
        return next(r for r in found.regrets if (r.team, r.strategy) == (team, strategy))

    lines = []
    for team in (*found.classes, "all"):
        who = "Over all classes" if team == "all" else f"For the {team}"
        mine = of(team, "ours")
        better, worse, even = [], [], []
        for key in PLAIN:
            r = of(team, key)
            side = better if r.against_high < -SAME else worse if r.against_low > SAME else even
            side.append(f"“{STRATEGIES[key]}” ({percent(r.against)})")
        words = [f"{who} our advice cost {percent(mine.over).lstrip('+')} over the clairvoyant's plan "
                 f"({_span(mine.low, mine.high)})"]  # fmt: skip
        for found_in, verb in ((better, "clearly cheaper than"), (worse, "clearly dearer than"),
                               (even, "not clearly different from")):  # fmt: skip
            if found_in:
                words.append(f"{verb} {', '.join(found_in)}")
        lines.append("; ".join(words) + ".")
    return lines


def page(found: Backtest, scores: Scores | None, command: str, took: str = "") -> str:
    """The whole document; `took`: how long it took, in words."""
    starts = sorted({t.start for t in found.trials})
    lines = [
        "# The back-test",
        "",
        f"Made by `{command}`{took}. What our advice would have cost real months, {found.first:%Y-%m} to "
        f"{found.last:%Y-%m}, against plain strategies and hindsight.",
        "",
        "## What it comes to",
        "",
        *(f"- {line}" for line in sentences(found)),
        "",
        *_caveats(found),
        "",
        "## How it is done",
        "",
        *_method(found, starts),
        "",
        "## Regret by class of team",
        "",
        "USD: mean cost of a window, discounted to its start. *Over the clairvoyant*: the cost of all "
        "windows together over that of the clairvoyant's plans. *Ours against it*: the cost of our advice "
        "over the strategy's (negative: ours was cheaper). *Ours no dearer*: in how many windows.",
    ]
    for team in (*found.classes, "all"):
        about = next((c.words for c in CLASSES if c.name == team), "classes weighing alike")
        lines += [
            "",
            f"### {team.capitalize()}",
            "",
            f"{about[0].upper()}{about[1:]}.",
            "",
            *table(found, team),
        ]
    lines += ["", "## What was asked, and what it led to", "", *_asked(found)]
    lines += ["", "## Window by window", "", *_years(found)]
    if scores is not None:
        lines += ["", "## The forecasts behind it", "", *_forecasts(scores)]
    return "\n".join(lines) + "\n"


def _caveats(found: Backtest) -> Iterable[str]:
    if found.seeds > 1:
        parts = []
        for team in found.classes:
            by_seed = []
            for seed in range(found.seeds):
                mine = [t for t in found.trials if (t.team, t.seed) == (team, seed)]
                ours, known = (sum(t.spent[k].total for t in mine) for k in ("ours", "clairvoyant"))
                by_seed.append(percent(ours / known - 1))
            parts.append(f"{team} {' and '.join(by_seed)}")
        yield (
            "Our advice itself rests on futures drawn at random: over the clairvoyant's plan, seed by "
            f"seed, {'; '.join(parts)}."
        )
        yield ""
    starts = sorted({t.start for t in found.trials})
    floor = {t.start: 0.0 for t in found.trials}
    for t in found.trials:
        floor[t.start] += t.spent["frictionless"].total
    fell = 1 - floor[starts[-1]] / floor[starts[0]]
    yield (
        f"{len(starts)} starting months, whose windows share most of their months: intervals resample runs "
        "of months and are still likely to be too narrow. It was one market history; the cost of always "
        f"having the cheapest for nothing {'fell' if fell > 0 else 'rose'} {abs(fell):.0%} from the first "
        f"window to the last, so it says little of how the advice does when prices "
        f"{'rise' if fell > 0 else 'fall'}."
    )


def _method(found: Backtest, starts: Sequence[date]) -> Iterable[str]:
    bars = ", ".join(f"{tier} {bar:g}" for tier, bar in BARS.items())
    yield (
        f"- A team begins anew in each of {len(starts)} months ({starts[0]:%Y-%m} to {starts[-1]:%Y-%m}) and "
        f"has {found.months} months to go. It has two streams of work, light and flagship, decided one by "
        f"one. Requests, sizes and hours come from {found.source}; volume, growth and leaving costs are "
        "its class's:"
    )
    yield ""
    yield "  | class | light requests a month | flagship requests a month | light share | growth a month |"
    yield "  |---|---|---|---|---|"
    for c in CLASSES:
        if c.name in found.classes:
            light, flagship = c.times["light"] * MONTHLY["light"], c.times["flagship"] * MONTHLY["flagship"]
            share = light / (light + flagship)
            yield f"  | {c.name} | {light:,.0f} | {flagship:,.0f} | {share:.0%} | {c.growth:.0%} |"
    yield ""
    yield (
        f"- An offer is considered if its model's published capability reaches the stream's bar ({bars} on "
        "Epoch's index) and its terms are list, introductory or free. Grants, packs and provisioned capacity "
        "are left out, and so is using two vendors side by side. A model counts only from its release on; "
        "its figure may have been published later."
    )
    yield (
        "- Each month's advice sees the catalogue, prices and terms recorded by its first day, hazards "
        f"estimated from them, and {found.draws} futures; every window is gone through {found.seeds} times, "
        "with fresh futures, and figures are means. It chooses among the eight cheapest paid offers "
        "(three of a vendor at most), three free ones, the best flagship and the offer in use. What happens "
        "is billed on the recorded terms of each month, by the surfaces that the advice itself uses, for "
        "every offer that reaches the bar. Free terms that end are billed by the paid sibling; "
        "from an offer that is gone one must move."
    )
    yield (
        "- Our advice is asked again when it said so, when its trigger is pulled, when the terms in use end, "
        "go or become dearer, and when another offer would save, over the months left, more than the move "
        "costs. *Moving when it would pay* is that last rule alone, obeyed without advice. Asked by a team "
        "whose offer is gone, our advice takes the team to begin anew, and so does not know that the same "
        "vendor's successor is nearer than others."
    )
    yield (
        "- The clairvoyant's plan is exact, by dynamic programming over offers, months of use and "
        "portability, with all prices known and moves paid. The best flagship is the cheapest within a point "
        "of the highest capability figure; for light work it is far more than is asked for."
    )
    yield (
        "- Recorded lists may go on naming what is no longer sold; Anyscale's shared endpoints are taken to "
        "have ended on 2024-08-01, as it said, without the advice knowing beforehand. Prices of cached input "
        "are recorded for few offers; elsewhere it is billed as input, for every strategy alike."
    )


def _asked(found: Backtest) -> Iterable[str]:
    questions = [a for t in found.trials for a in t.asked]
    windows = len({(t.team, t.start, t.seed) for t in found.trials})
    yield (
        f"{len(questions)} questions in {len(found.trials)} streams of {windows} windows, "
        f"{len(questions) / max(len(found.trials), 1):.1f} a stream."
    )
    yield ""
    lost, by_gone, gone = 0.0, 0.0, 0
    for t in found.trials:
        mine = [u.spent["clairvoyant"].total for u in found.trials if u.team == t.team]
        more = (t.spent["ours"].total - t.spent["clairvoyant"].total) / sum(mine)
        lost += more
        if any(a.why == GONE for a in t.asked):
            gone, by_gone = gone + 1, by_gone + more
    if lost > 0:
        yield (
            f"In {gone} streams the offer in use was withdrawn within the window; {by_gone / lost:.0%} of "
            "what our advice cost over the clairvoyant's plans (classes weighing alike) arose there."
        )
        yield ""
    yield "| asked because | times | then moved |"
    yield "|---|---|---|"
    times: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    for t in found.trials:
        path = t.paths["ours"]
        for a in t.asked:
            times[a.why] += 1
            moved[a.why] += a.month > 0 and path[a.month] != path[a.month - 1]
    for why, n in times.most_common():
        yield f"| {why} | {n} | {moved[why] if why != 'the start' else ''} |"
    yield ""
    yield "| recommended | times |"
    yield "|---|---|"
    for key, n in Counter(a.recommended for a in questions).most_common():
        yield f"| {key} | {n} |"


def _years(found: Backtest) -> Iterable[str]:
    keys = ("ours", "cheapest", "patient", "clairvoyant", "frictionless")
    yield "USD, discounted, both streams of a team apart; what our advice used, in order."
    yield ""
    yield "| team | stream | from | seed | " + " | ".join(keys) + " | our offers |"
    yield "|---|---|---|---|" + "---|" * (len(keys) + 1)
    for t in found.trials:
        path = t.paths["ours"]
        used = [p for i, p in enumerate(path) if i == 0 or p != path[i - 1]]
        costs = " | ".join(_money(t.spent[k].total) for k in keys)
        yield f"| {t.team} | {t.tier} | {t.start:%Y-%m} | {t.seed} | {costs} | {' → '.join(used)} |"


def _forecasts(scores: Scores) -> Iterable[str]:
    yield (
        "From quarterly origins, each scored on what came to pass: CRPS and log score of the log price that "
        "a user pays, against baselines fitted on the same records (no change, decline, climatology). "
        "Columns are explained in [futures.md](futures.md)."
    )
    yield ""
    yield from scores.markdown().rstrip().split("\n")
    short = [r for r in scores.rows if r.skill < SKILL]
    good = [r for r in scores.rows if r.skill >= SKILL]
    yield ""
    missed = ", ".join(f"{r.group} at {r.horizon} months ({percent(r.skill)})" for r in short)
    yield (
        f"CRPS is at least {SKILL:.0%} under the best baseline in {len(good)} of {len(scores.rows)} rows. "
        f"It falls short for: {missed}. Why is said in [futures.md](futures.md)."
    )
