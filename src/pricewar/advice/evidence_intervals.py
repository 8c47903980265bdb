"""Intervals for small samples: rates, paired differences of rates, ratios of sums, quantiles.

A share of n trials: the score interval (Wilson, J. Am. Stat. Assoc. 22, 1927, 209). The difference of two
shares seen on the same prompts: the two score intervals joined by square-and-add with the correlation of the
pairs (Newcombe, Stat. Med. 17, 1998, 2635, method 10); on different prompts, without correlation (Newcombe,
Stat. Med. 17, 1998, 873, method 10). Whether the difference is chance: McNemar's test, exact and mid-p
(Fagerland, Lydersen, Laake, Stat. Med. 33, 2014, 2850).

A ratio of sums Σy/Σx over the same prompts: Fieller's set {ρ : mean(y − ρx) is not significantly different
from 0} (J. R. Stat. Soc. B 16, 1954, 175), honest when Σx is uncertain too, and it says when it is unbounded.
A quantile: order statistics, free of any distribution (Conover, Practical Nonparametric Statistics, 3.2).

Where a prompt was tried several times, prompts and not trials are independent: the rate's variance is that of
the prompts' means, and the score interval is taken at the number of trials that variance is worth (Korn and
Graubard, Surv. Methodol. 24, 1998, 193).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its two-sided interval.

    Attributes:
        estimate: the value observed, in the unit of the quantity; None when only bounds are known.
        low, high: ends of the interval; infinite where the data set no bound.
        level: probability with which such intervals cover the truth.
        n: independent observations behind it (prompts, or pairs of prompts).
        method: how it was made.
    """

    estimate: float | None
    low: float
    high: float
    level: float
    n: float
    method: str

    def document(self) -> dict[str, float | str | None]:
        """As JSON: an end without bound is None."""
        return {
            "estimate": self.estimate,
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "level": self.level,
            "n": self.n,
            "method": self.method,
        }


def wilson(passes: float, n: float, level: float = LEVEL) -> Interval:
    """A share: `passes` of `n` (which need not be whole). n = 0: nothing is known, 0 to 1."""
    if n <= 0:
        return Interval(None, 0.0, 1.0, level, 0, "no observations")
    z = _normal(level)
    p = passes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if p <= 0 else max(0.0, middle - half)
    high = 1.0 if p >= 1 else min(1.0, middle + half)
    return Interval(p, low, high, level, n, "score (Wilson 1927)")


def share(groups: Sequence[Sequence[bool]], level: float = LEVEL) -> Interval:
    """The share of trials that pass, where the trials of one group (a prompt) are not independent.

    Args:
        groups: one sequence of outcomes per prompt, none empty.
    """
    if not groups:
        return wilson(0, 0, level)
    sizes = np.array([len(group) for group in groups], float)
    passes = np.array([sum(group) for group in groups], float)
    if sizes.max() == 1:
        return wilson(float(passes.sum()), len(groups), level)
    rate = float(passes.sum() / sizes.sum())
    worth = _worth(passes, sizes)
    found = wilson(rate * worth, worth, level)
    method = "score at the effective number of trials (Korn and Graubard 1998)"
    return Interval(rate, found.low, found.high, level, found.n, method)


def _worth(passes: np.ndarray, sizes: np.ndarray) -> float:
    """Independent trials that clustered ones are worth: never more than the trials, prompts when in doubt."""
    prompts, trials = len(sizes), float(sizes.sum())
    rate = passes.sum() / trials
    if prompts < 2 or not 0 < rate < 1:
        return float(prompts)
    residual = passes - rate * sizes
    variance = prompts / (prompts - 1) * float(residual @ residual) / trials**2
    return float(min(trials, max(1.0, rate * (1 - rate) / variance))) if variance > 0 else float(prompts)


def difference_paired(
    candidate: Sequence[Sequence[bool]], present: Sequence[Sequence[bool]], level: float = LEVEL
) -> Interval:
    """Candidate's pass rate less the present model's, on the same prompts in the same order.

    Each prompt's outcomes weigh as one, however often it was tried.
    """
    if not candidate:
        return Interval(None, -1.0, 1.0, level, 0, "no observations")
    y = np.array([np.mean(group) for group in candidate], float)
    x = np.array([np.mean(group) for group in present], float)
    single = all(len(g) == 1 for g in (*candidate, *present))
    one, two = _prompt_mean(candidate, y, level), _prompt_mean(present, x, level)
    return _square_and_add(one, two, _correlation(y, x, single), len(y), "paired (Newcombe 1998, method 10)")


def _prompt_mean(groups: Sequence[Sequence[bool]], means: np.ndarray, level: float) -> Interval:
    """The mean over prompts of their pass shares: a share when each was tried once."""
    if all(len(group) == 1 for group in groups):
        return wilson(float(means.sum()), len(means), level)
    rate, n = float(means.mean()), len(means)
    variance = float(means.var(ddof=1)) / n if n > 1 else 0.0
    worth = rate * (1 - rate) / variance if variance > 0 and 0 < rate < 1 else n
    worth = min(worth, float(sum(map(len, groups))))
    found = wilson(rate * worth, worth, level)
    return Interval(rate, min(found.low, rate), max(found.high, rate), level, n, found.method)


def difference_apart(candidate: Interval, present: Interval) -> Interval:
    """Candidate's share less the present model's, on different prompts; the intervals as `share` gives."""
    n = min(candidate.n, present.n)
    return _square_and_add(candidate, present, 0.0, n, "unpaired (Newcombe 1998, method 10)")


def _square_and_add(one: Interval, two: Interval, r: float, n: float, method: str) -> Interval:
    if one.estimate is None or two.estimate is None:
        return Interval(None, -1.0, 1.0, one.level, 0, "no observations")
    p, q = one.estimate, two.estimate
    down, up = p - one.low, one.high - p
    other_down, other_up = q - two.low, two.high - q
    below = math.sqrt(max(0.0, down**2 - 2 * r * down * other_up + other_up**2))
    above = math.sqrt(max(0.0, up**2 - 2 * r * up * other_down + other_down**2))
    return Interval(p - q, max(-1.0, p - q - below), min(1.0, p - q + above), one.level, n, method)


def _correlation(y: np.ndarray, x: np.ndarray, single: bool) -> float:
    """Of paired outcomes; for a fourfold table Newcombe's φ, a positive numerator lowered by n/2."""
    if single:
        a, b = float((y * x).sum()), float((y * (1 - x)).sum())
        c, d = float(((1 - y) * x).sum()), float(((1 - y) * (1 - x)).sum())
        below = (a + b) * (c + d) * (a + c) * (b + d)
        if below == 0:
            return 0.0
        above = a * d - b * c
        return (max(0.0, above - (a + b + c + d) / 2) if above > 0 else above) / math.sqrt(below)
    if len(y) < 3 or y.std() == 0 or x.std() == 0:
        return 0.0
    return float(np.clip(np.corrcoef(y, x)[0, 1], -1, 1))


def mcnemar(only_candidate: int, only_present: int) -> tuple[float, float]:
    """Two-sided p of equal pass rates given the prompts that only one of the two passes: exact, and mid-p."""
    from scipy import stats

    n, k = only_candidate + only_present, min(only_candidate, only_present)
    if n == 0:
        return 1.0, 1.0
    exact = min(1.0, 2 * float(stats.binom.cdf(k, n, 0.5)))
    half = float(stats.binom.pmf(k, n, 0.5))
    return exact, 2 * float(stats.binom.cdf(k, n, 0.5)) - half if 2 * k != n else 1 - half


def ratio(
    over: Sequence[float], under: Sequence[float], level: float = LEVEL, *, most: float = math.inf
) -> Interval:
    """Σ over / Σ under, both not negative, one value of each per prompt; `most` bounds what is possible.

    With one prompt, or when Σ under is not distinguishable from nothing, the interval has no bound.
    """
    from scipy import stats

    y, x = np.asarray(over, float), np.asarray(under, float)
    n = len(x)
    if n == 0 or x.sum() == 0:
        return Interval(None, 0.0, most, level, n, "no observations")
    estimate = float(y.sum() / x.sum())
    method = "ratio of sums (Fieller 1954)"
    if n == 1:
        return Interval(estimate, 0.0, most, level, n, method)
    t2 = float(stats.t.ppf(0.5 + level / 2, n - 1)) ** 2
    cov = np.cov(y, x, ddof=1) / n
    a = x.mean() ** 2 - t2 * cov[1, 1]
    b = y.mean() * x.mean() - t2 * cov[0, 1]
    c = y.mean() ** 2 - t2 * cov[0, 0]
    if a <= 0:
        # The set is everything, or everything but a gap: no bound above, and below what the gap leaves.
        return Interval(estimate, 0.0, most, level, n, method + ": unbounded")
    root = math.sqrt(max(0.0, b * b - a * c))
    low, high = float((b - root) / a), float((b + root) / a)
    return Interval(estimate, max(0.0, low), min(most, high), level, n, method)


def quantile(values: Sequence[float], at: float, level: float = LEVEL) -> Interval:
    """The `at`-quantile of what `values` are drawn from; an end too far out for the sample has no bound."""
    from scipy import stats

    x = np.sort(np.asarray(values, float))
    n = len(x)
    if n == 0:
        return Interval(None, 0.0, math.inf, level, 0, "no observations")
    tail = (1 - level) / 2
    below = int(stats.binom.ppf(tail, n, at))
    # The largest r with P(X ≤ r − 1) ≤ tail, X the number of values under the quantile.
    while below > 0 and stats.binom.cdf(below - 1, n, at) > tail:
        below -= 1
    above = int(stats.binom.ppf(1 - tail, n, at)) + 1
    low = float(x[below - 1]) if below >= 1 else 0.0
    high = float(x[above - 1]) if above <= n else math.inf
    return Interval(float(np.quantile(x, at)), low, high, level, n, "order statistics")


def _normal(level: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + level / 2)
