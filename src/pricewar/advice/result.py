"""What advice says: plain data, every figure with its interval, and the same as JSON.

Money is discounted to the first month and in the team's currency, unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, is_dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from pricewar.advice.candidates import Excluded
from pricewar.advice.team import Assumption
from pricewar.notes import Note

TAIL = 0.05


@dataclass(frozen=True)
class Estimate:
    """A figure over futures: its mean with the 95% interval of that mean (Monte Carlo error alone), how it is
    spread, and `tail`: the mean of the worst 5% (conditional value at risk)."""

    mean: float
    low: float
    high: float
    p5: float
    p50: float
    p95: float
    tail: float

    @classmethod
    def of(cls, values: Any, *, worst: str = "high") -> Estimate:
        """Of one value a future."""
        v = np.sort(np.asarray(values, dtype=float))
        n = len(v)
        half = 1.96 * float(v.std(ddof=1)) / n**0.5 if n > 1 else 0.0
        count = max(int(np.ceil(TAIL * n)), 1)
        tail = float((v[-count:] if worst == "high" else v[:count]).mean())
        p5, p50, p95 = (float(x) for x in np.quantile(v, (0.05, 0.5, 0.95)))
        mean = float(v.mean())
        return cls(mean, mean - half, mean + half, p5, p50, p95, tail)


@dataclass(frozen=True)
class Share:
    """A chance, with its 95% interval (Wilson 1927) from `n` futures."""

    share: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, happened: Any) -> Share:
        """Of one yes or no a future."""
        yes = np.asarray(happened, dtype=bool)
        n, p, z = len(yes), float(yes.mean()), 1.96
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
        return cls(p, max(middle - half, 0.0), min(middle + half, 1.0), n)


@dataclass(frozen=True)
class Outcome:
    """What a strategy leads to, on futures it was not fitted to.

    Attributes:
        key: stay, today, paid, flagship, free, trigger, several, optimal, portable (`rules.TITLES`);
            cheapest, frictionless and clairvoyant are benchmarks that cannot be followed, or need not be.
        settings: what was fitted: offer to begin with, threshold, months.
        parts: mean of use, refused work, switching and ecosystem (a gain is negative).
        unserved: share of requests refused; `unserved_requests` how many over the horizon.
        roi: (revenue − cost) / cost; None where the team names no revenue.
        break_even: month (from 1) by whose end revenue has paid all costs so far; the median over futures
            where it comes. never: the chance that it does not come within the horizon.
        by_month: cost so far at the end of each month: p5, p50, p95 and mean.
        against: cost less the recommended strategy's, paired future by future.
    """

    key: str
    title: str
    offers: tuple[str, ...]
    settings: dict[str, Any]
    cost: Estimate
    parts: dict[str, float]
    unserved: float
    unserved_requests: float
    switches: float
    roi: Estimate | None
    break_even: int | None
    never: Share | None
    by_month: dict[str, list[float]]
    benchmark: bool = False
    against: Estimate | None = None


@dataclass(frozen=True)
class Candidate:
    """An offer that stands.

    Attributes:
        today: money for the logged month on today's terms (not discounted): own charges, and refused work.
        headline: what its advertised price alone would come to for that month.
        light: whether its model is a light one: as recorded, else by name and price.
        served: share of requests it serves today.
        exact: whether the bill is exact for its model, not an interval between assumptions.
        staying: cost of staying with it throughout, joining included; parts, by_month: as of an `Outcome`.
        dearest, dearer: the chance that staying with it costs most of all candidates in the end, and more
            than the recommended strategy.
        compression: error of the compressed workload and of interpolation (`Response.merged`, `.between`).
        verdict, because: the evidence's answer, in words; reasons: the same as keys (`Note.said`).
        unpublished: must-haves that count as met though nobody has published them (`Standing.unpublished`).
        terms: warnings and announced as keys with arguments and text (`billing.bill.Term`).
        ends: the day on which it is known to end or its model to be retired, as text.
    """

    offer: str
    vendor: str
    model: str
    kind: str
    light: bool
    today: float
    refused: float
    headline: float | None
    served: float
    exact: bool
    staying: Estimate
    parts: dict[str, float]
    by_month: dict[str, list[float]]
    dearest: Share
    dearer: Share
    sibling: str | None
    verdict: str | None
    because: tuple[str, ...]
    reasons: tuple[Any, ...]
    doubts: tuple[str, ...]
    warnings: tuple[str, ...]
    announced: tuple[str, ...]
    ends: str | None
    unpublished: tuple[str, ...]
    terms: tuple[dict[str, Any], ...]
    compression: dict[str, float]


@dataclass(frozen=True)
class Rise:
    """After `months` of use: what leaving the vendor costs, and the lasting rise from which it pays.

    `share`: rise of the monthly cost as a share, None where it is zero; `monthly`: in money a month. `to`:
    the offer one would leave for.
    """

    months: int
    leaving: float
    share: float | None
    monthly: float
    to: str


@dataclass(frozen=True)
class Look:
    """A month to look again: the plan has then left its first offer with chance `left`.

    `key` and `args` say `why` without words: ended, retired, left (share), announced (day), yearly.
    """

    month: int
    day: date
    left: float
    why: str
    key: str = ""
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trigger:
    """A condition and what to do then, with the figure it turns on.

    `key` and `args` say both without words: payback (months, dwell, paid_only), gone, turns (state: ended or
    retired; stay, share of the futures in which the plan did so), month (month).
    """

    when: str
    then: str
    threshold: float | None = None
    key: str = ""
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        begin: the offer to begin with, and in which share of futures the plan says so.
        occupancy: by offer, for each month the share of futures in which the plan uses it.
    """

    begin: str
    agreed: float
    triggers: tuple[Trigger, ...]
    look_again: tuple[Look, ...]
    rises: tuple[Rise, ...]
    occupancy: dict[str, list[float]]


@dataclass(frozen=True)
class Cause:
    """A part of the cost and what it adds (Shapley value: its mean effect over all orders of removal)."""

    key: str
    words: str
    amount: float


@dataclass(frozen=True)
class Account:
    """Why the strategy `key` costs what it costs: `base` if nothing changed, nothing were refused and moving
    were free, plus the causes, largest first; they add up to `total`, the mean over `futures` of the
    futures that judge."""

    key: str
    strategy: str
    futures: int
    base: float
    total: float
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Worth:
    """A difference between two strategies in money, positive where the first word's side gains."""

    amount: Estimate
    words: str


@dataclass
class Advice:
    """The decision for one team.

    Attributes:
        fitted, judged: futures used to fit strategies, and fresh ones used to judge them.
        recommended: key of the strategy with the least mean cost on the futures used to fit; of those within
            1% of it, the plainest.
        cheapest_today: the offer with the least cost today, and `dearest` the chance that staying with it is
            dearest of all in the end; `dearer`: the chance that it costs more than the recommended strategy.
        lock_in: what the team pays because leaving costs: optimal with against without leaving costs.
        portability: what building portably saves; second_vendor: what a second vendor saves against the best
            single offer kept; regret: cost of the recommended over the clairvoyant's.
        skipped: strategies that cannot be had, with the reason.
    """

    team: str
    currency: str
    start: date
    months: int
    source: str
    cut_off: date | None
    seed: int
    fitted: int
    judged: int
    workload: dict[str, Any]
    assumptions: list[Assumption]
    candidates: list[Candidate]
    excluded: list[Excluded]
    outcomes: list[Outcome]
    skipped: list[Excluded]
    recommended: str
    plan: Plan
    cheapest_today: str
    dearest: Share
    dearer: Share
    lock_in: Worth
    portability: Worth | None
    second_vendor: Worth | None
    regret: Estimate
    accounts: list[Account]
    notes: list[str] = field(default_factory=list)

    def outcome(self, key: str) -> Outcome:
        """The outcome of one strategy."""
        return next(o for o in self.outcomes if o.key == key)

    def document(self) -> dict[str, Any]:
        """As JSON; a note that has a key comes as `Note.said`."""
        notes = [note.said() if isinstance(note, Note) else note for note in self.notes]
        return _plain(asdict(replace(self, notes=[]))) | {"notes": notes}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction | np.floating):
        return float(value)
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    return value
