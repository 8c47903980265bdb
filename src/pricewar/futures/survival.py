"""Rates and lifetimes from censored records, with what is not known about them drawn per future.

Lifetimes: Kaplan and Meier's product limit, S(t) = Π_{tᵢ ≤ t} (1 − dᵢ/nᵢ), through `scipy.stats.ecdf` with
`CensoredData`.

Rates: events of a group v (a vendor) in exposure T_v are Poisson(λ_v T_v) and λ_v ~ Gamma(shape a, mean m),
    so that
N_v is negative binomial; (a, m) are kept as a posterior on a grid. A member i of the group (a model) has
λ_i = λ_v u_i with u_i ~ Gamma(k, mean 1), k on a grid as well. A group or member with few records is
therefore drawn towards its class (partial pooling), one with many goes its own way. Each draw takes (a, m, k)
from their posterior, then λ_v | N_v ~ Gamma(a + N_v, rate a/m + T_v) and λ_i | N_i ~ Gamma(k + N_i, rate
k/λ_v + T_i), where v's records leave out i's own, which would else count twice.

References: Kaplan, Meier (1958), J. Am. Stat. Assoc. 53; Gelman et al., Bayesian Data Analysis, 3rd ed., ch.
    2
and 5; Nelson (2003), Recurrent Events Data Analysis for Product Repairs.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pricewar.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def stream(seed: int, *name: object) -> np.random.Generator:
    """A generator of its own for `name`: arrays filled draw by draw begin alike however many are drawn, and
    one offer's numbers do not depend on which others are asked for."""
    import numpy as np

    digest = hashlib.blake2b("|".join(map(str, (seed, *name))).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


class Lifetimes(NamedTuple):
    """A survival curve: S(`times`) with its pointwise interval, all [K], and what it rests on."""

    times: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    observed: int
    censored: int

    def at(self, time: float) -> float:
        """S(`time`); 1 before the first end."""
        import numpy as np

        i = int(np.searchsorted(self.times, time, side="right")) - 1
        return float(self.survival[i]) if i >= 0 else 1.0


def kaplan_meier(durations: Iterable[float], ended: Iterable[bool], confidence: float = 0.9) -> Lifetimes:
    """The product-limit curve of `durations` of which those not `ended` are right-censored.

    Args:
        durations: lengths, in any unit, [N].
        ended: whether each end was seen, [N].
        confidence: of the pointwise interval (log-log, Kalbfleisch and Prentice).

    Raises:
        ConfigurationError: no durations, or unequal numbers of the two.
    """
    import warnings

    import numpy as np
    from scipy.stats import CensoredData, ecdf

    lengths, seen = np.asarray(list(durations), float), np.asarray(list(ended), bool)
    if lengths.size == 0 or lengths.size != seen.size:
        raise ConfigurationError(
            f"{lengths.size} durations and {seen.size} ends are no sample", where="kaplan_meier"
        )
    curve = ecdf(CensoredData(uncensored=lengths[seen], right=lengths[~seen])).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the interval is undefined where everything or nothing survives
        band = curve.confidence_interval(confidence, method="log-log")
    survival = curve.probabilities
    low = np.where(
        np.isnan(band.low.probabilities), np.where(survival >= 1, 1.0, 0.0), band.low.probabilities
    )
    high = np.where(np.isnan(band.high.probabilities), 1.0, band.high.probabilities)
    return Lifetimes(curve.quantiles, survival, low, high, int(seen.sum()), int((~seen).sum()))


class Record(NamedTuple):
    """Events of one member of a group, and the time over which they could have been seen, in months."""

    group: Hashable
    member: Hashable
    events: float
    exposure: float


@dataclass(frozen=True)
class Rates:
    """Monthly rates of an event in one class, by group and member. Made by `fit`.

    Attributes:
        events: all events of the class.
        exposure: all months of the class.
        shapes: grid of a, [A]; means: grid of m, [M]; weights: their posterior, [A, M].
        spreads: grid of k, [K]; spread_weights: its posterior, [K].
    """

    events: float
    exposure: float
    groups: Mapping[Hashable, tuple[float, float]]
    members: Mapping[tuple[Hashable, Hashable], tuple[float, float]]
    shapes: NDArray[np.float64]
    means: NDArray[np.float64]
    weights: NDArray[np.float64]
    spreads: NDArray[np.float64]
    spread_weights: NDArray[np.float64]

    @staticmethod
    def fit(records: Iterable[Record], *, prior: tuple[float, float] = (0.5, 25.0)) -> Rates:
        """The posterior of the class given `records`; `prior` counts as so many events in so many months.

        log a and log k have a standard normal prior: groups and members differ by a factor of two or three
        unless the records say otherwise.
        """
        import numpy as np
        from scipy.special import gammaln

        groups: dict[Hashable, list[float]] = defaultdict(lambda: [0.0, 0.0])
        members: dict[tuple[Hashable, Hashable], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for r in records:
            for part in (groups[r.group], members[r.group, r.member]):
                part[0] += r.events
                part[1] += r.exposure
        n = np.array([g[0] for g in groups.values()])
        t = np.array([g[1] for g in groups.values()])
        total, time = float(n.sum()) + prior[0], float(t.sum()) + prior[1]
        shapes = np.exp(np.linspace(-2.5, 3.5, 25))
        means = total / time * np.exp(np.linspace(-2.0, 2.0, 41))
        a, m = shapes[:, None, None], means[None, :, None]
        log_weight = (
            gammaln(a + n) - gammaln(a) + a * np.log(a / (a + m * t)) + n * np.log(m / (a + m * t))
        ).sum(-1)
        log_weight += -0.5 * np.log(shapes[:, None]) ** 2
        log_weight += prior[0] * np.log(means) - prior[1] * means
        weights = _normal(log_weight)
        usual = float((shapes[:, None] * weights).sum())
        spreads = np.exp(np.linspace(-2.5, 3.5, 25))
        log_spread = -0.5 * np.log(spreads) ** 2
        for (group, _), (events, exposure) in members.items():
            centre = (usual + groups[group][0]) / (usual * time / total + groups[group][1])
            log_spread += (
                gammaln(spreads + events)
                - gammaln(spreads)
                + spreads * np.log(spreads / (spreads + centre * exposure))
                + events * np.log(centre / (spreads + centre * exposure))
            )
        return Rates(
            float(n.sum()),
            float(t.sum()),
            {g: (v[0], v[1]) for g, v in groups.items()},
            {g: (v[0], v[1]) for g, v in members.items()},
            shapes,
            means,
            weights,
            spreads,
            _normal(log_spread),
        )

    def draw(
        self, seed: int, name: str, draws: int, group: Hashable = None, member: Hashable = None
    ) -> NDArray[np.float64]:
        """Monthly rates of a member, [D]; of the group if it has none on record, of the class if that has
        none.

        All members drawn under one `name` share the class's and the group's draw.
        """
        import numpy as np

        u = stream(seed, name, "class").random((draws, 2))
        cell = np.searchsorted(np.cumsum(self.weights.ravel()), u[:, 0] * (1 - 1e-12))
        a = self.shapes[cell // self.means.size]
        m = self.means[cell % self.means.size]
        k = self.spreads[np.searchsorted(np.cumsum(self.spread_weights), u[:, 1] * (1 - 1e-12))]
        events, exposure = self.groups.get(group, (0.0, 0.0))
        own, seen = self.members.get((group, member), (0.0, 0.0))
        rate = stream(seed, name, "group", group).standard_gamma(a + (events - own)) / (
            a / m + (exposure - seen)
        )
        rate = np.maximum(rate, 1e-12)
        return stream(seed, name, "member", group, member).standard_gamma(k + own) / (k / rate + seen)

    def interval(self, confidence: float = 0.9, group: Hashable = None) -> tuple[float, float, float]:
        """Median and interval of the monthly rate of a group (of a group not seen, when None)."""
        import numpy as np

        u = np.random.Generator(np.random.Philox(key=7)).random(4000)
        cell = np.searchsorted(np.cumsum(self.weights.ravel()), u * (1 - 1e-12))
        a, m = self.shapes[cell // self.means.size], self.means[cell % self.means.size]
        events, exposure = self.groups.get(group, (0.0, 0.0))
        rate = np.random.Generator(np.random.Philox(key=8)).standard_gamma(a + events) / (a / m + exposure)
        if group is None:
            rate = m
        low, middle, high = np.quantile(rate, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
        return float(middle), float(low), float(high)


def _normal(log_weight: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()


@dataclass(frozen=True)
class Sizes:
    """Sizes of an event as they were recorded, [E]. A draw resamples the records once (bootstrap), so that
    what few records leave open is open in the futures, and smooths them by a kernel of relative width
    `smooth`."""

    values: NDArray[np.float64]
    smooth: float = 0.15

    def draw(self, seed: int, name: str, draws: int) -> NDArray[np.float64]:
        """One resampled set of sizes for each draw, [D, E]."""
        import numpy as np

        count = max(self.values.size, 1)
        if self.values.size == 0:
            return np.zeros((draws, 1))
        rng = stream(seed, name, "sizes")
        picked = self.values[(rng.random((draws, count)) * count).astype(int)]
        noise = stream(seed, name, "kernel").standard_normal((draws, count))
        return picked * np.exp(self.smooth * noise)
