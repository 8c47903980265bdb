"""The twenty claims about price wars, tested on many futures of a market: each emerges, in part, or not.

A claim has checks. Each has a criterion with a threshold, written here before any figure was seen, and a
figure reckoned from the futures; the verdict is the checks' alone: it *emerges* when all hold, *partly* when
at least half do, else it *does not*. An ablation sets a mechanism's parameter to zero, or moves a lever, in
the same futures; its effect is the mean of the differences future by future, with Student's 95% interval over
futures (paired by common random numbers), and is clear when that leaves out zero. A share of futures comes
with Wilson's interval (Wilson 1927, JASA 22, 209–212).

The claims themselves: `claims_war` (1, 2, 3, 7, 8), `claims_models` (4, 5, 6, 15, 16), `claims_teams` (9,
13, 14, 18, 19), `claims_rules` (10, 11, 12, 17, 20). The futures: `claims_runs`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pricewar.errors import ConfigurationError
from pricewar.market.model import Array, Market

EMERGES, PARTLY, NOT = "emerges", "partly", "does not"


@dataclass(frozen=True)
class Variant:
    """A market bent for an ablation.

    Attributes:
        name: as tables call it. family: of `claims_runs.FAMILIES`.
        bends: as `claims_runs.Bent`. free: whether the opening is chosen anew.
        affinity, ecosystem: factors on `Market.chi` and `Market.eco`.
        solved: name of the setting (`SETTINGS`) under which conduct was solved for; empty: the market's own.
    """

    name: str
    bends: tuple[tuple[str, str, float], ...] = ()
    family: str = "plain"
    free: bool = False
    affinity: float = 1.0
    ecosystem: float = 1.0
    solved: str = ""

    def plain(self) -> dict[str, Any]:
        """As plain data, what the worker of a study is given; conduct solved for comes beside it."""
        return {
            "bends": [list(b) for b in self.bends],
            "free": self.free,
            "affinity": self.affinity,
            "ecosystem": self.ecosystem,
        }


BASE = Variant("as it is")


PORTABLE = (("portability", "=", 0.8),)
RULES: dict[str, tuple[tuple[str, str, float], ...]] = {
    "portability": PORTABLE,
    "price floor": (("price_floor", "=", 1.0),),
    "data sharing": (("data_sharing", "=", 1.0),),
    "no self-preferencing": (("no_self_preferencing", "=", 1.0),),
    "embedded cap": (("embedded_cap", "=", 1.0),),
}
"""Rules of a regulator."""
ALERT = (
    ("types.review_low", "×", 5.0),
    ("types.review_high", "×", 5.0),
    ("types.switching_cost", "×", 2.0),
)
"""Teams that often look round, and that switching costs alone hold back."""
SETTINGS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "none": (),
    "no switching costs": (("types.switching_cost", "=", 0.0),),
    "twice the switching costs": (("types.switching_cost", "×", 2.0),),
    "alert": ALERT,
    "alert, portability": (*ALERT, *PORTABLE),
    **RULES,
}
"""Under what conduct is solved for, by name; `Variant.solved` is one of these."""
SOLVED = Variant("conduct solved for", solved="none")


def vertical(name: str, *bends: tuple[str, str, float]) -> Variant:
    """A variant of the market with verticals."""
    return Variant(name, bends, family="verticals")


@dataclass(frozen=True)
class Gap:
    """Mean paired difference and its interval; `n` futures in which both are known."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def sign(self) -> int:
        """+1 or −1 when the interval leaves out zero, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def paired(changed: Any, base: Any, level: float = 0.95) -> Gap:
    """Changed less base, future by future; values that are not finite are left out with their partner."""
    from scipy.stats import t as student

    a, b = np.asarray(changed, float), np.asarray(base, float)
    both = np.isfinite(a) & np.isfinite(b)
    d = a[both] - b[both]
    n = len(d)
    if n < 2:
        return Gap(float(d.mean()) if n else math.nan, math.nan, math.nan, n)
    half = float(student.ppf((1 + level) / 2, n - 1)) * float(d.std(ddof=1)) / math.sqrt(n)
    mean = float(d.mean())
    return Gap(mean, mean - half, mean + half, n)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95% interval of a share."""
    if n == 0:
        return 0.0, 1.0
    z, p = 1.959963984540054, hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


@dataclass(frozen=True)
class Share:
    """In how many futures something holds, of those in which it is known."""

    hits: int
    n: int

    @classmethod
    def of(cls, yes: Any, known: Any = True) -> Share:
        """Count of `yes` [N] where `known`."""
        yes = np.asarray(yes, bool)
        known = np.broadcast_to(np.asarray(known, bool), yes.shape)
        return cls(int((yes & known).sum()), int(known.sum()))

    @property
    def value(self) -> float:
        """NaN when there is none in which it is known."""
        return self.hits / self.n if self.n else math.nan

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.n)
        return f"{self.hits} of {self.n} ({low:.0%} to {high:.0%})"


@dataclass(frozen=True)
class Check:
    """One criterion and what came of it."""

    criterion: str
    figure: str
    holds: bool

    @classmethod
    def clear(cls, criterion: str, gap: Gap, sign: int) -> Check:
        """That a difference is clear and of that sign."""
        return cls(criterion, written(gap), clearly(gap, sign))

    @classmethod
    def often(cls, criterion: str, share: Share, least: float) -> Check:
        """That it holds in at least that share of the futures."""
        return cls(criterion, str(share), share.value >= least)


@dataclass(frozen=True)
class Effect:
    """An ablation in a table: what is changed, what is looked at, what is typical without and with it (the
    median; the mean of counts), the paired difference.

    expected: the sign that the claim gives the difference; 0 where it says nothing.
    """

    change: str
    outcome: str
    base: float
    changed: float
    gap: Gap
    expected: int = 0


@dataclass(frozen=True)
class Finding:
    """What became of a claim.

    Attributes:
        checks: the criteria. effects: the ablations. tables: further figures, (head, rows).
        tried: what was tried, shown when it does not wholly emerge.
    """

    number: int
    title: str
    claim: str
    checks: tuple[Check, ...]
    effects: tuple[Effect, ...] = ()
    tables: tuple[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], ...] = ()
    notes: tuple[str, ...] = ()
    tried: str = ""

    @property
    def verdict(self) -> str:
        """By the checks alone."""
        held = sum(c.holds for c in self.checks)
        if self.checks and held == len(self.checks):
            return EMERGES
        return PARTLY if 2 * held >= len(self.checks) and held else NOT


class Futures:
    """Measures by variant, as claims ask for them.

    Args:
        market: the plain market. families: its family members by name.
        kept: family → variant → measure → [N, …].
        solved: rule → (choices [J, 3], exploitability) of conduct solved.
        history: vendor → day of its first cut in the war's record; empty where there is no record.
    """

    def __init__(
        self,
        market: Market,
        families: Mapping[str, Market],
        kept: Mapping[str, Mapping[str, Mapping[str, Array]]],
        solved: Mapping[str, tuple[Any, float]] | None = None,
        history: Mapping[str, float] | None = None,
    ) -> None:
        self.market, self.families, self.kept = market, dict(families), kept
        self.solved, self.history = dict(solved or {}), dict(history or {})

    def __call__(self, variant: Variant, measure: str) -> Array:
        return np.asarray(self.kept[variant.family][variant.name][measure], float)

    def vendor(self, name: str, family: str = "plain") -> int:
        """Row of a vendor.

        Raises:
            ConfigurationError: the market has no such vendor, and the claim no meaning.
        """
        names = self.families[family].vendors
        if name not in names:
            raise ConfigurationError(f"the claims need a vendor “{name}”", where=self.market.name)
        return names.index(name)

    def sellers(self, family: str = "plain") -> list[int]:
        """Rows of the vendors that are not the open-weights fringe."""
        from pricewar.market import kernel as k

        return [j for j, c in enumerate(self.families[family].v[:, k.V_CONDUCT]) if c != k.FRINGE]

    def effect(
        self,
        changed: Variant,
        outcome: str,
        value: Callable[[Variant], Array],
        base: Variant = BASE,
        expected: int = 0,
        change: str = "",
    ) -> Effect:
        """The ablation `changed` beside `base`, in `value(variant)` [N]."""
        a, b = value(changed), value(base)
        return Effect(change or changed.name, outcome, typical(b), typical(a), paired(a, b), expected)

    def welfare(self, variant: Variant, base: Variant, types: Sequence[int] | None = None) -> Array:
        """[N] what the base's teams gain, in money: utility over price taste, less switching."""
        rows = slice(None) if types is None else list(types)
        months = self(base, "type_months")[:, rows]
        gain = months * (
            safe(self(variant, "type_surplus")[:, rows], self(variant, "type_months")[:, rows])
            - safe(self(base, "type_surplus")[:, rows], months)
        )
        gain = gain - (self(variant, "type_switching") - self(base, "type_switching"))[:, rows]
        return gain.sum(1)

    def types_of(self, *segments: str, family: str = "plain") -> list[int]:
        """Rows of the types of these segments."""
        from pricewar.market import kernel as k

        market = self.families[family]
        at = [market.segments.index(s) for s in segments]
        return [i for i in range(len(market.types)) if int(market.t[i, k.SEGMENT]) in at]


@dataclass(frozen=True)
class Claim:
    """A claim's test: which variants it needs, and what they show."""

    number: int
    title: str
    variants: tuple[Variant, ...]
    test: Callable[[Futures], Finding] = field(repr=False)


def median(values: Any) -> float:
    """Of the finite values; NaN without any."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else math.nan


def typical(values: Any) -> float:
    """The median; of counts and of yes or no the mean, which says more."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    counts = len(values) and bool((values == np.round(values)).all()) and float(np.abs(values).max()) <= 20
    return float(values.mean()) if counts else median(values)


def safe(a: Any, b: Any) -> Array:
    """a / b, NaN where b is not positive."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0, a / np.where(b > 0, b, 1.0), np.nan)


def quiet(function: Callable[..., Any], values: Array, axis: int) -> Array:
    """A NaN-reduction whose empty slices are NaN without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(values, axis=axis)


def windows(f: Futures, variant: Variant, measure: str) -> tuple[Array, Array]:
    """[N] means of a monthly measure in the war's months 2 to 7, and in the last six months.

    NaN for a war that began less than two years before the end.
    """
    series, began = f(variant, measure), f(variant, "opening")
    early, late = (np.full(len(series), np.nan) for _ in range(2))
    for n, start in enumerate(began):
        if not np.isfinite(start) or start > series.shape[1] - 24:
            continue
        first = math.ceil(start) + 1
        early[n] = (
            np.nanmean(series[n, first : first + 6])
            if np.isfinite(series[n, first : first + 6]).any()
            else np.nan
        )
        late[n] = np.nanmean(series[n, -6:]) if np.isfinite(series[n, -6:]).any() else np.nan
    return early, late


def cover(f: Futures, variant: Variant, late: bool = True) -> Array:
    """[N] revenue over serving cost in the window `late` or early."""
    return safe(windows(f, variant, "revenue")[late], windows(f, variant, "serving")[late])


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


def number(x: float, digits: int = 3) -> str:
    """Short and plain: three figures, thousands apart, a true minus."""
    if not math.isfinite(x):
        return "–"
    if x == 0:
        return "0"
    for size, word in ((1e12, " tn"), (1e9, " bn"), (1e6, " mn")):
        if abs(x) >= size:
            return f"{x / size:.{digits}g}{word}".replace("-", "−")
    if abs(x) >= 1000:
        return f"{x:,.0f}".replace("-", "−")
    return f"{x:.{digits}g}".replace("-", "−")


def written(gap: Gap) -> str:
    """Mean with its interval."""
    return f"{number(gap.mean)} ({number(gap.low)} to {number(gap.high)})"


def clearly(gap: Gap, sign: int) -> bool:
    """Whether a gap is clear and of that sign."""
    return gap.sign == sign


def claims() -> tuple[Claim, ...]:
    """All twenty, in their order."""
    from pricewar.market.claims_models import MADE
    from pricewar.market.claims_rules import RULED
    from pricewar.market.claims_teams import SERVED
    from pricewar.market.claims_war import FOUGHT

    return tuple(sorted((*FOUGHT, *MADE, *SERVED, *RULED), key=lambda c: c.number))


def chosen(numbers: Iterable[int] | None) -> tuple[Claim, ...]:
    """The claims of these numbers; all when left out.

    Raises:
        ConfigurationError: there is no claim of that number.
    """
    every = claims()
    if numbers is None:
        return every
    wanted = list(numbers)
    if wrong := [n for n in wanted if n not in {c.number for c in every}]:
        raise ConfigurationError(f"there is no claim {wrong[0]}", remedy=f"1 to {len(every)}")
    return tuple(c for c in every if c.number in wanted)


def needed(selected: Iterable[Claim]) -> dict[str, dict[str, Variant]]:
    """Family → variants by name that the claims need, the unbent one first.

    Raises:
        ConfigurationError: two different variants have one name.
    """
    made: dict[str, dict[str, Variant]] = {}
    for claim in selected:
        for variant in claim.variants:
            there = made.setdefault(variant.family, {BASE.name: Variant(BASE.name, family=variant.family)})
            if there.setdefault(variant.name, variant) != variant:
                raise ConfigurationError(
                    f"two variants are called “{variant.name}”", where=f"claim {claim.number}"
                )
    return made


def page(findings: Sequence[Finding], head: Sequence[str]) -> str:
    """The document, as Markdown; `head`: what was run, in lines."""
    lines = ["# The claims, one by one", "", *head, ""]
    lines += ["| | claim | verdict | criteria met |", "|---|---|---|---|"]
    for one in findings:
        held = sum(c.holds for c in one.checks)
        link = f"[{one.title}](#{anchor(one)})"
        lines.append(f"| {one.number} | {link} | **{one.verdict}** | {held} of {len(one.checks)} |")
    counts = {v: sum(f.verdict == v for f in findings) for v in (EMERGES, PARTLY, NOT)}
    lines += ["", f"{counts[EMERGES]} emerge, {counts[PARTLY]} in part, {counts[NOT]} do not.", ""]
    for one in findings:
        lines += section(one)
    return "\n".join(lines).rstrip() + "\n"


def anchor(one: Finding) -> str:
    """The link that a Markdown reader makes of the finding's heading."""
    text = heading(one).lower()
    return "".join(c for c in text.replace(" ", "-") if c.isalnum() or c in "-_")


def heading(one: Finding) -> str:
    """Number and title."""
    return f"{one.number} {one.title}"


def section(one: Finding) -> list[str]:
    """One claim, as Markdown."""
    lines = [f"## {heading(one)}", "", one.claim, "", f"Verdict: **{one.verdict}**.", ""]
    lines += ["| counts as emerging when | figure | met |", "|---|---|---|"]
    lines += [f"| {c.criterion} | {c.figure} | {'yes' if c.holds else 'no'} |" for c in one.checks]
    lines.append("")
    if one.effects:
        lines += [
            "| change | outcome | without it | with it | paired difference (95%) | as the claim has it |"
        ]
        lines += ["|---|---|---|---|---|---|"]
        for e in one.effects:
            if e.expected == 0:
                said = ""
            elif e.gap.sign == 0:
                said = "not clear"
            else:
                said = "yes" if e.gap.sign == e.expected else "no"
            cells = (e.change, e.outcome, number(e.base), number(e.changed), written(e.gap), said)
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    for top, rows in one.tables:
        lines += [f"| {' | '.join(top)} |", "|" + "---|" * len(top)]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines.append("")
    for note in one.notes:
        lines += [note, ""]
    if one.tried and one.verdict != EMERGES:
        lines += [f"Tried: {one.tried}", ""]
    return lines
