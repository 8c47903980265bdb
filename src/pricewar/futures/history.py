"""Futures of offers from recorded history: what happened to offers like these, estimated up to a cut-off date.

An offer's price is a marked point process in months t:

- *Changes* (cuts and rises) arrive at rate λ_i, pooled model → vendor → class (`survival.Rates`), class = channel ×
  tier. A change adds s − φ y to the log price: s is a recorded size of the class, y the log price above its own
  time average, φ ≥ 0 how much of a deviation is undone (regression; 0 where there are few changes).
- *Retirement* is first announced, at a rate that depends on age (piecewise exponential), then takes effect after a
  recorded notice. What the user pays from then on is the price of the newest model of the same line at the vendor;
  *successors*, dearer or cheaper, arrive in the line at a rate and with sizes of their own.
- *Free terms* end, and their limits are tightened or loosened, at rates pooled by vendor.
- *Announced changes* enter on the day announced, except that each is kept, moved or cancelled with the frequency
  with which announcements were (Dirichlet posterior, Jeffreys prior).
- *The frontier*, the best price at constant capability, is a random walk with drift in log price, the drift pooled
  over Epoch AI's series by DerSimonian and Laird's random effects, flattening towards the lowest price on record.
  Its monthly shock is common to a draw: rates of price changes are multiplied by g = exp(−σ e − σ²/2), e the shock.

Every parameter is drawn anew per future. Nothing recorded after `as_of` is used (`Records.known`).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from pricewar.errors import ConfigurationError
from pricewar.futures.records import (
    MONTH,
    ROUNDING,
    Records,
    Tier,
    after_months,
    changes,
    closed_weights,
    line_of,
    load_records,
    months,
    spelled,
    tier_of,
    undated,
    vendor_of,
)
from pricewar.futures.survival import Lifetimes, Rates, Record, Sizes, kaplan_meier, stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pricewar.futures.contract import Futures
    from pricewar.offers.catalogue import Catalogue

PREVIEW: Final = re.compile(r"preview|beta|-exp")
CHANNELS: Final = ("own", "hosted", "routed")
TIERS: Final[tuple[Tier, ...]] = ("light", "flagship")
AGES: Final = (9.0, 18.0)
"""Months of age at which the rate of retirement may change."""
QUIET: Final = (2.0, 6.0)
"""Months since a price was set at which its rate of change may differ."""
SEEN_LATE: Final = timedelta(days=14)
"""A free offer not listed for so long has ended."""
MIRRORED: Final = 6
"""Pseudo-records of the other sign among a class's sizes."""
FREQUENT: Final = 15
"""Changes from which on the undoing of deviations is estimated for a class."""


class Subject(NamedTuple):
    """An offer as the process sees it on the first day.

    `deviation`: log price above its time average. `retires`: months until an announced retirement. `heir`: log price
    of the newest model of its line relative to its own, None when it is that itself. `announced`: months until a price
    announced takes effect, and its log relative to now. `quiet`: months since its price was set.
    """

    channel: str
    vendor: str
    model: str
    tier: Tier
    age: float
    deviation: float = 0.0
    retires: float | None = None
    heir: float | None = None
    announced: tuple[tuple[float, float], ...] = ()
    quiet: float = 6.0

    @property
    def name(self) -> str:
        return f"{self.channel}/{self.vendor}/{self.model}"

    @property
    def pool(self) -> tuple[str, Tier]:
        """The class whose rates it shares: a route to what only its author serves is the author's own list."""
        return _pool(self.channel, self.vendor, self.model), self.tier


class Paths(NamedTuple):
    """Of one offer: log price relative to now [D, K] while it is sold, the month of its retirement [D] (inf for
    never), log price of what stands in its place then, relative to now [D, K]."""

    price: NDArray[np.float64]
    retirement: NDArray[np.float64]
    successor: NDArray[np.float64]

    def paid(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log of what a user of the offer pays relative to now, successor included, [D, K]."""
        import numpy as np

        return np.where(times[None, :] >= self.retirement[:, None], self.successor, self.price)


@dataclass(frozen=True)
class Drift:
    """Drift of the frontier's log price a month: pooled mean and its standard deviation for one more level
    (uncertainty of the mean and spread between levels), and the standard deviation of a month's shock."""

    mean: float
    spread: float
    shock: float
    floor: float
    series: int


@dataclass(frozen=True)
class Hazards:
    """Rates and sizes of what happens to offers, as of a day. Made by `estimate`.

    Attributes:
        as_of: nothing recorded later was used.
        known: the records that were.
        change, sizes, undone: by class (channel, tier); `calm`, by channel, the log factors on rates of change once a
            price has stood for 2 and for 6 months, [2].
        announced: rates of a retirement's announcement by channel; `leaving` are the log factors on them from 9 and
            from 18 months of age, once the line has a newer model, and for previews, [4].
        notice: months between announcement and retirement.
        succession, succeeded: rates and log price ratios of new models in a line, by tier.
        ended, programme, tightened: rates at which one model leaves a vendor's free terms, at which the vendor ends them
            all, and at which their amounts change, for free terms and grants; `amounts`: log ratios of those changes.
        outcomes: announcements kept, moved, cancelled; `delays` the days by which the moved ones moved.
        drift: of the frontier, by tier; `turbulence`: σ of the common factor on rates of change.
    """

    as_of: date
    known: Records
    change: dict[tuple[str, Tier], Rates]
    sizes: dict[tuple[str, Tier], Sizes]
    undone: dict[tuple[str, Tier], float]
    calm: dict[str, NDArray[np.float64]]
    announced: dict[str, Rates]
    leaving: NDArray[np.float64]
    notice: Sizes
    succession: Rates
    succeeded: dict[Tier, Sizes]
    ended: dict[str, Rates]
    programme: dict[str, Rates]
    tightened: dict[str, Rates]
    amounts: dict[str, Sizes]
    outcomes: tuple[int, int, int]
    delays: Sizes
    drift: dict[Tier, Drift]
    turbulence: float
    _cache: dict[tuple, NDArray[np.float64]] = field(default_factory=dict, compare=False, repr=False)

    # -- one offer ---------------------------------------------------------------------------------------

    def subject(self, channel: str, vendor: str, model: str, day: date) -> Subject | None:
        """The offer as it stood on record on `day`; None when it was not on record or retired by then."""
        spells = [s for s in self.known.histories.get((channel, vendor, model), ()) if s.first <= day]
        end = self.known.retirement(channel, vendor, model)
        if not spells or (end is not None and end.on <= day):
            return None
        price = spells[-1].price
        heir_name = self.known.successor(channel, vendor, model, day)
        heir = None
        # An older model is no successor, unless the offer is only a preview of what will stand beside it.
        if heir_name and (
            self.known.histories[channel, vendor, heir_name][0].first > spells[0].first
            or PREVIEW.search(model)
        ):
            heir = self.known.price_on(channel, vendor, heir_name, day)
        return Subject(
            channel,
            vendor,
            model,
            tier_of(model, spells[0].price),
            months(spells[0].first, day),
            _deviation(spells, day),
            None if end is None else months(day, end.on),
            None if heir is None else math.log(heir / price),
            tuple(
                (months(day, due), math.log(then / price))
                for due, then in self.known.announced_prices(vendor, model, day)
            ),
            months(spells[-1].first, day),
        )

    def shock(self, seed: int, steps: NDArray[np.float64], draws: int) -> NDArray[np.float64]:
        """The frontier's standard normal shocks, common to all offers of a draw, [D, K]."""
        return stream(seed, "frontier").standard_normal((draws, 480))[:, : steps.size]

    def paths(self, subject: Subject, times: NDArray[np.float64], draws: int, seed: int) -> Paths:
        """What may become of one offer at `times` (months from now, ascending, [K])."""
        import numpy as np

        steps = np.diff(times, prepend=0.0)
        key = subject.pool
        rates, name = self.change[key], "/".join(key)
        rate = rates.draw(seed, name, draws, vendor_of(subject.vendor), spelled(subject.model))
        pace = rate[:, None] * self._pace(subject.tier, self.shock(seed, steps, draws), seed) * steps
        u = stream(seed, "change", subject.name).random((draws, 480, 2))[:, : times.size]
        table = self._drawn(self.sizes[key], name, draws, seed)
        size = np.take_along_axis(table, (u[:, :, 1] * table.shape[1]).astype(int), axis=1)
        need = -np.log1p(-u[:, :, 0])
        undone, calm = self.undone[key], self.calm[key[0]]
        price = np.empty((draws, times.size))
        level, above, quiet = (
            np.zeros(draws),
            np.full(draws, subject.deviation),
            np.full(draws, subject.quiet),
        )
        for k in range(times.size):
            factor = np.exp(calm[0] * (quiet >= QUIET[0]) + calm[1] * (quiet >= QUIET[1]))
            happens = need[:, k] < pace[:, k] * factor
            step = np.where(happens, size[:, k] - undone * above, 0.0)
            level = level + step
            above = (above + step) * np.exp(-steps[k] / max(subject.age + times[k], 6.0))
            quiet = np.where(happens, steps[k] / 2, quiet + steps[k])
            price[:, k] = level
        for i, (due, size) in enumerate(subject.announced):
            at = self.happens_at(f"{subject.name}/price/{i}", due, draws, seed)
            price = price + np.where(times >= at[:, None], size, 0.0)
        arrives, newest = self._line(subject, times, draws, seed)
        retirement = self._retirement(subject, times, arrives, draws, seed)
        return Paths(price, retirement, self._successor(subject, price, newest, draws, seed))

    def _pace(self, tier: Tier, shock: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """The common factor on rates of change, mean 1, [D, K]: half of its variance is the month's shock, half lasts."""
        import numpy as np

        lasting = stream(seed, "drift", tier).standard_normal(shock.shape[0])[:, None]
        return np.exp(-self.turbulence * (shock + lasting) / math.sqrt(2) - self.turbulence**2 / 2)

    def _drawn(self, sizes: Sizes, name: str, draws: int, seed: int) -> NDArray[np.float64]:
        key = (id(sizes), name, draws, seed)
        if key not in self._cache:
            self._cache[key] = sizes.draw(seed, name, draws)
        return self._cache[key]

    def _line(
        self, subject: Subject, times: NDArray[np.float64], draws: int, seed: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Whether a new model of the offer's line arrives in a step, and the log price of the newest relative to
        that of today's newest; both [D, K] and the same for all offers of the line."""
        import numpy as np

        table = self._drawn(self.succeeded[subject.tier], f"succeeded/{subject.tier}", draws, seed)
        rate = self.succession.draw(seed, "succession", draws, vendor_of(subject.vendor))
        steps = np.diff(times, prepend=0.0)
        line = f"{subject.channel}/{subject.vendor}/{line_of(subject.model)}"
        u = stream(seed, "succession", line).random((draws, 480, 2))[:, : times.size]
        size = np.take_along_axis(table, (u[:, :, 1] * table.shape[1]).astype(int), axis=1)
        arrives = u[:, :, 0] < -np.expm1(-rate[:, None] * steps)
        return arrives, np.cumsum(np.where(arrives, size, 0.0), axis=1)

    def _retirement(
        self,
        subject: Subject,
        times: NDArray[np.float64],
        arrives: NDArray[np.bool_],
        draws: int,
        seed: int,
    ) -> NDArray[np.float64]:
        import numpy as np

        if subject.retires is not None:
            return self.happens_at(subject.name, subject.retires, draws, seed)
        channel = subject.pool[0]
        if channel not in self.announced:
            return np.full(draws, np.inf)
        rate = self.announced[channel].draw(seed, f"announced/{channel}", draws, vendor_of(subject.vendor))
        steps = np.diff(times, prepend=0.0)
        begin = times - steps
        known = np.full(draws, subject.heir is not None)
        superseded = known[:, None] | (np.cumsum(arrives, axis=1) - arrives > 0)
        pace = _pace_of_retirement(
            self.leaving, subject.age + begin, superseded, bool(PREVIEW.search(subject.model))
        )
        total = np.cumsum(rate[:, None] * pace * steps, axis=1)
        need = stream(seed, "retire", subject.name).standard_exponential(draws)
        step = (total < need[:, None]).sum(1)
        inside = np.minimum(step, times.size - 1)
        row = np.arange(draws)
        done = total[row, inside]
        speed = (rate[:, None] * pace)[row, inside]
        when = np.where(step < times.size, times[inside] - (done - need) / speed, np.inf)
        table = self._drawn(self.notice, "notice", draws, seed)
        pick = (stream(seed, "notice", subject.name).random(draws) * table.shape[1]).astype(int)
        return when + table[row, pick]

    def _successor(
        self,
        subject: Subject,
        price: NDArray[np.float64],
        newest: NDArray[np.float64],
        draws: int,
        seed: int,
    ) -> NDArray[np.float64]:
        import numpy as np

        if subject.heir is not None:
            return subject.heir + newest
        # The offer is its line's newest: what comes next replaces it, at a ratio to its price at the time.
        table = self._drawn(self.succeeded[subject.tier], f"succeeded/{subject.tier}", draws, seed)
        first = (stream(seed, "heir", subject.name).random(draws) * table.shape[1]).astype(int)
        return price + table[np.arange(draws), first][:, None]

    def happens_at(self, what: str, due: float, draws: int, seed: int) -> NDArray[np.float64]:
        """The month in which a change announced for `due` months from now takes effect, [D]; inf: never."""
        import numpy as np

        share = stream(seed, "outcomes").standard_gamma(np.asarray(self.outcomes) + 0.5, (draws, 3))
        share = np.cumsum(share / share.sum(1, keepdims=True), axis=1)
        u = stream(seed, "announced", what).random((draws, 2))
        table = self._drawn(self.delays, "delays", draws, seed)
        delay = table[np.arange(draws), (u[:, 1] * table.shape[1]).astype(int)] / MONTH
        moved = np.maximum(due + delay, 0.0)
        return np.select([u[:, 0] < share[:, 0], u[:, 0] < share[:, 1]], [np.full(draws, due), moved], np.inf)

    # -- free terms --------------------------------------------------------------------------------------

    def free_end(self, kind: str, vendor: str, name: str, draws: int, seed: int) -> NDArray[np.float64]:
        """Months until free or granted terms end, [D]: for the model alone, or for all of the vendor's."""
        import numpy as np

        one = self.ended[kind].draw(seed, f"ended/{kind}", draws, vendor_of(vendor))
        every = self.programme[kind].draw(seed, f"programme/{kind}", draws)
        return np.minimum(
            stream(seed, "free", name).standard_exponential(draws) / one,
            stream(seed, "programme", kind, vendor).standard_exponential(draws) / every,
        )

    def free_amount(
        self, kind: str, vendor: str, times: NDArray[np.float64], draws: int, seed: int
    ) -> NDArray[np.float64]:
        """Log factor on the amounts of a vendor's free terms, which it changes together, [D, K]."""
        import numpy as np

        rate = self.tightened[kind].draw(seed, f"tightened/{kind}", draws, vendor_of(vendor))
        steps = np.diff(times, prepend=0.0)
        u = stream(seed, "amount", kind, vendor).random((draws, 480, 2))[:, : times.size]
        table = self._drawn(self.amounts[kind], f"amounts/{kind}", draws, seed)
        size = np.take_along_axis(table, (u[:, :, 1] * table.shape[1]).astype(int), axis=1)
        return np.cumsum(np.where(u[:, :, 0] < -np.expm1(-rate[:, None] * steps), size, 0.0), axis=1)

    # -- the market --------------------------------------------------------------------------------------

    def frontier(self, times: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
        """Best price at constant capability relative to now, light and flagship, [D, K, 2]."""
        import numpy as np

        steps = np.diff(times, prepend=0.0)
        shock = self.shock(seed, steps, draws)
        found = np.empty((draws, times.size, 2))
        for i, tier in enumerate(TIERS):
            d = self.drift[tier]
            slope = d.mean + d.spread * stream(seed, "drift", tier).standard_normal(draws)
            # Best prices do not rise for long: a drift above zero is taken as none.
            walk = np.minimum(slope, 0.0)[:, None] * times + np.cumsum(
                d.shock * np.sqrt(steps) * shock, axis=1
            )
            found[:, :, i] = d.floor + (1 - d.floor) * np.exp(walk)
        return found

    def futures(
        self,
        catalogue: Catalogue,
        offers: Sequence[str],
        start: date,
        months: int,
        draws: int = 1000,
        seed: int = 0,
    ) -> Futures:
        """Futures of catalogue offers from `start`, by month.

        Args:
            catalogue: as of the day the question is asked; its announced changes enter as announced.
            offers: ids, O of them.
            start: first day of month 0, not before the cut-off.
            months: M. draws: D. seed: of the draws.

        Raises:
            ConfigurationError: an offer is unknown, or months or draws are not positive.
        """
        from pricewar.futures.offered import futures_of

        if months < 1 or draws < 1 or months > 480:
            raise ConfigurationError(
                f"{months} months × {draws} draws", where="futures", remedy="1 to 480 months, 1 draw or more"
            )
        return futures_of(self, catalogue, tuple(offers), start, months, draws, seed)


# -- estimation ------------------------------------------------------------------------------------------


def estimate(as_of: date, records: Records | None = None) -> Hazards:
    """Hazards from what was on record at the end of `as_of`.

    Args:
        as_of: the cut-off.
        records: ours when None.

    Raises:
        ConfigurationError: hardly anything was on record then.
    """
    known = (records or load_records()).known(as_of)
    if sum(1 for s in known.spells if s.channel == "own") < 10:
        raise ConfigurationError(
            f"hardly any price was on record as of {as_of}",
            where="as_of",
            remedy="choose a day after 2023-12-31: the records begin in 2023-11",
        )
    import numpy as np

    change: dict[tuple[str, Tier], Rates] = {}
    sizes: dict[tuple[str, Tier], Sizes] = {}
    undone: dict[tuple[str, Tier], float] = {}
    at_risk, steps, calm = _exposures(known)
    overall = [s for sizes_ in steps.values() for s in sizes_]
    for channel in CHANNELS:
        of_channel = [s for tier in TIERS for s in steps[channel, tier]]
        records = [r for tier in TIERS for r in at_risk[channel, tier]]
        rate = (sum(r.events for r in records) + 0.5) / (sum(r.exposure for r in records) + 25.0)
        for tier in TIERS:
            key = (channel, tier)
            change[key] = Rates.fit(at_risk[key], prior=(1.0, 1.0 / rate))
            # Few sizes borrow from the other tier, then from the other channels.
            mine = steps[key]
            if len(mine) < 20:
                mine = mine + of_channel
            if len(mine) < 10:
                mine = mine + [s for s in overall if abs(s) > 0.05]
            sizes[key] = Sizes(np.asarray(mirrored(mine or [-0.5, 0.3])))
            undone[key] = _undone(known, key) if len(steps[key]) >= FREQUENT else 0.0
    announced, leaving, notice = _retirements(known)
    succession, succeeded = _successions(known)
    ended, programme, tightened, amounts = _free(known)
    outcomes, delays = _outcomes(known)
    return Hazards(
        as_of,
        known,
        change,
        sizes,
        undone,
        calm,
        announced,
        leaving,
        notice,
        succession,
        succeeded,
        ended,
        programme,
        tightened,
        amounts,
        outcomes,
        delays,
        {tier: _drift(known, tier) for tier in TIERS},
        _turbulence(known),
    )


def mirrored(sizes: Sequence[float]) -> list[float]:
    """The sizes, and `MIRRORED` of them, evenly chosen, with the other sign: a class that has only been cut so far is
    not taken to be cut for ever."""
    ordered = sorted(sizes)
    count = min(MIRRORED, len(ordered))
    return [*sizes, *(-ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count))]


def _pool(channel: str, vendor: str, model: str) -> str:
    return "own" if channel == "routed" and closed_weights(vendor, model) else channel


def _exposures(
    known: Records,
) -> tuple[
    dict[tuple[str, Tier], list[Record]], dict[tuple[str, Tier], list[float]], dict[str, NDArray[np.float64]]
]:
    """Changes of price and the time at risk, by class; and by channel the log factors on their rate from 2 and from 6
    months of quiet (Poisson regression, ridge), by which the time at risk is weighted."""
    import numpy as np

    rows: dict[str, list[tuple[tuple[str, Tier], str, str, float, float, list[bool]]]] = defaultdict(list)
    steps: dict[tuple[str, Tier], list[float]] = defaultdict(list)
    for (channel, vendor, model), spells in known.histories.items():
        if _pool(channel, vendor, model) != channel:
            continue  # the author's own list says it already
        key = (channel, tier_of(model, spells[0].price))
        end = known.retirement(channel, vendor, model)
        last = min(spells[-1].last, end.on) if end is not None else spells[-1].last
        events = [c for c in changes(spells) if c.day <= last]
        steps[key] += [c.size for c in events]
        since = spells[0].first
        for stop, over in [*((c.day, 1.0) for c in events), (last, 0.0)]:
            edges = [since, *(e for q in QUIET if since < (e := after_months(since, q)) < stop), stop]
            for a, b in pairwise(edges):
                quiet = months(since, a)
                rows[channel].append(
                    (
                        key,
                        vendor_of(vendor),
                        spelled(model),
                        over if b == stop else 0.0,
                        months(a, b),
                        [quiet >= q - 0.02 for q in QUIET],
                    )
                )
            since = stop
    at_risk: dict[tuple[str, Tier], list[Record]] = defaultdict(list)
    calm: dict[str, NDArray[np.float64]] = {}
    for channel in CHANNELS:
        mine = rows[channel]
        if not mine:
            calm[channel] = np.zeros(2)
            continue
        x = np.asarray([r[5] for r in mine], float)
        n, t = np.asarray([r[3] for r in mine]), np.asarray([r[4] for r in mine])
        calm[channel] = _poisson_ridge(x, n, t, 0.7)
        weighted = t * np.exp(x @ calm[channel])
        for (key, vendor, model, over, _, _), exposure in zip(mine, weighted, strict=True):
            at_risk[key].append(Record(vendor, model, over, float(exposure)))
    return at_risk, steps, calm


def _deviation(spells: Sequence, day: date) -> float:
    """Log price now above its average over the time on record."""
    total = weight = 0.0
    for spell, following in zip(spells, [*spells[1:], None], strict=True):
        days = max(1, ((following.first if following else day) - spell.first).days)
        total, weight = total + days * math.log(spell.price), weight + days
    return math.log(spells[-1].price) - total / weight


def _undone(known: Records, key: tuple[str, Tier]) -> float:
    """Least squares of a change on the deviation before it, within 0 … 1."""
    import numpy as np

    before, after = [], []
    for (channel, vendor, model), spells in known.histories.items():
        if (channel, tier_of(model, spells[0].price)) != key or _pool(channel, vendor, model) != channel:
            continue
        for i in range(1, len(spells)):
            size = math.log(spells[i].price / spells[i - 1].price)
            if abs(size) >= ROUNDING:
                before.append(_deviation(spells[:i], spells[i].first))
                after.append(size)
    x, y = np.asarray(before), np.asarray(after)
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / (((x - x.mean()) ** 2).sum() + 1.0))
    return min(1.0, max(0.0, -slope))


def _pace_of_retirement(
    beta: NDArray[np.float64], age: NDArray[np.float64], superseded: NDArray[np.bool_], preview: bool
) -> NDArray[np.float64]:
    """Factor on the rate of a retirement's announcement, shaped as `superseded`; `age` in months."""
    import numpy as np

    return np.exp(
        beta[0] * (age >= AGES[0]) + beta[1] * (age >= AGES[1]) + beta[2] * superseded + beta[3] * preview
    )


def _retirements(known: Records) -> tuple[dict[str, Rates], NDArray[np.float64], Sizes]:
    """Rates of announcement: a Poisson regression on age, a newer model in the line and preview (ridge, standard
    deviation 0.7), then partial pooling of what is left by vendor."""
    import numpy as np

    newer: dict[tuple[str, str, str], list[date]] = defaultdict(list)
    for (channel, vendor, model), spells in known.histories.items():
        if not PREVIEW.search(model):
            newer[channel, vendor, line_of(model)].append(spells[0].first)
    x, events, exposure, owner = [], [], [], []
    lives: list[tuple[str, str, str]] = []
    for key, spells in known.histories.items():
        channel, vendor, model = key
        end = known.retirement(*key)
        first, stop = spells[0].first, end.announced if end is not None else spells[-1].last
        if channel == "routed" or stop <= first:
            continue
        later = [day for day in newer[channel, vendor, line_of(model)] if day > first]
        cuts = {after_months(first, a) for a in AGES} | {min(later, default=stop)}
        edges = [first, *sorted(c for c in cuts if first < c < stop), stop]
        for a, b in pairwise(edges):
            age = months(first, a) + 1e-9
            x.append(
                [
                    age >= AGES[0] - 0.02,
                    age >= AGES[1] - 0.02,
                    bool(later) and a >= min(later),
                    PREVIEW.search(model) is not None,
                ]
            )
            events.append(float(end is not None and b == stop))
            exposure.append(months(a, b))
            owner.append(len(lives))
        lives.append(key)
    features, n, t = np.asarray(x, float), np.asarray(events), np.asarray(exposure)
    beta = _poisson_ridge(features, n, t, 0.7)
    weighted = t * np.exp(features @ beta)
    at_risk: dict[str, list[Record]] = {"own": [], "hosted": []}
    spent, ended = np.bincount(owner, weighted), np.bincount(owner, n)
    for (channel, vendor, model), length, over in zip(lives, spent, ended, strict=True):
        at_risk[channel].append(Record(vendor_of(vendor), spelled(model), float(over), float(length)))
    notices = [months(r.announced, r.on) for r in known.retirements if r.on >= r.announced]
    fits = {channel: Rates.fit(records, prior=(1.0, 40.0)) for channel, records in at_risk.items()}
    return fits, beta, Sizes(np.asarray(notices or [0.0, 3.0, 6.0]), 0.0)


def _poisson_ridge(
    x: NDArray[np.float64], n: NDArray[np.float64], t: NDArray[np.float64], spread: float
) -> NDArray[np.float64]:
    """Log factors β of n ~ Poisson(t exp(α + xβ)) with β ~ N(0, spread²), by Newton's method."""
    import numpy as np

    design = np.column_stack([np.ones(len(x)), x])
    penalty = np.diag([1e-6, *[1 / spread**2] * x.shape[1]])
    b = np.zeros(design.shape[1])
    b[0] = math.log((n.sum() + 0.5) / (t.sum() + 1.0))
    for _ in range(60):
        mean = t * np.exp(design @ b)
        step = np.linalg.solve(
            design.T @ (design * mean[:, None]) + penalty, design.T @ (n - mean) - penalty @ b
        )
        b = b + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return b[1:]


def _successions(known: Records) -> tuple[Rates, dict[Tier, Sizes]]:
    """New models in vendors' own lines: how often, and at which price relative to the one before."""
    import numpy as np

    lines: dict[tuple[str, str], list[tuple[date, str]]] = defaultdict(list)
    for (channel, vendor, model), spells in known.histories.items():
        if channel == "own":
            lines[vendor, line_of(model)].append((spells[0].first, model))
    records, sizes = [], {tier: [] for tier in TIERS}
    everything: list[float] = []
    for (vendor, _), models in lines.items():
        models.sort()
        events = 0
        for (_, older), (day, newer) in pairwise(models):
            if undated(older) == undated(newer):
                continue
            before = known.price_on("own", vendor, older, day)
            after = known.price_on("own", vendor, newer, day)
            if before and after:
                events += 1
                everything.append(math.log(after / before))
                sizes[tier_of(older, before)].append(everything[-1])
        records.append(Record(vendor_of(vendor), models[0][1], events, months(models[0][0], known.until)))
    return Rates.fit(records), {
        tier: Sizes(np.asarray((own if len(own) >= 10 else own + everything) or [0.0]))
        for tier, own in sizes.items()
    }


def free_lives(known: Records, kind: str = "free") -> list[tuple[str, str, date, date, bool]]:
    """(vendor, model, first listed, last listed, whether it ended) of free offers."""
    found: dict[tuple[str, str], tuple[date, date, bool]] = {}
    for s in known.free:
        if s.kind != kind:
            continue
        first, last, censored = found.get((s.vendor, s.model), (s.first, s.last, False))
        found[s.vendor, s.model] = (min(first, s.first), max(last, s.last), censored or s.censored)
    return [
        (vendor, model, first, last, not censored and known.until - last > SEEN_LATE)
        for (vendor, model), (first, last, censored) in found.items()
    ]


def amount_changes(known: Records, kind: str = "free") -> list[tuple[str, str, date, float]]:
    """(vendor, model, day, log ratio) of changes of limits or grants: the tightest of what both spells state."""
    found = []
    spells = sorted((s for s in known.free if s.kind == kind), key=lambda s: (s.vendor, s.model, s.first))
    for before, after in pairwise(spells):
        if before[:3] != after[:3]:
            continue
        ratios = [
            math.log(after.amounts[meter] / amount)
            for meter, amount in before.amounts.items()
            if amount > 0 and after.amounts.get(meter, 0) > 0 and after.amounts[meter] != amount
        ]
        if ratios:
            found.append(
                (before.vendor, before.model, after.first, min(ratios, key=lambda r: (r > 0, -abs(r))))
            )
    return found


def _free(
    known: Records,
) -> tuple[dict[str, Rates], dict[str, Rates], dict[str, Rates], dict[str, Sizes]]:
    import numpy as np

    ended, programme, tightened, amounts = {}, {}, {}, {}
    everything: list[float] = []
    for kind in ("free", "grant"):
        lives = free_lives(known, kind)
        whole: dict[str, tuple[date, date]] = {}
        for vendor, _, first, last, _ in lives:
            a, b = whole.get(vendor, (first, last))
            whole[vendor] = (min(a, first), max(b, last))
        over = {vendor for vendor, (_, b) in whole.items() if known.until - b > SEEN_LATE}
        programme[kind] = Rates.fit(
            [Record(vendor_of(v), v, float(v in over), months(a, b)) for v, (a, b) in whole.items()],
            prior=(1.0, 24.0),
        )
        # What goes with the whole programme is not a model's own end.
        ended[kind] = Rates.fit(
            [
                Record(
                    vendor_of(v),
                    m,
                    float(gone and not (v in over and whole[v][1] - b <= SEEN_LATE)),
                    months(a, b),
                )
                for v, m, a, b, gone in lives
                if m != "*"
            ],
            prior=(1.0, 24.0),
        )
        moved = amount_changes(known, kind)
        count: dict[tuple[str, str], int] = defaultdict(int)
        for vendor, model, _, _ in moved:
            count[vendor, model] += 1
        tightened[kind] = Rates.fit(
            [Record(vendor_of(v), m, count[v, m], months(a, b)) for v, m, a, b, _ in lives], prior=(0.5, 24.0)
        )
        sizes = [size for *_, size in moved]
        everything += sizes
        amounts[kind] = Sizes(np.asarray((sizes if len(sizes) >= 10 else sizes + everything) or [-0.7]))
    return ended, programme, tightened, amounts


def _outcomes(known: Records) -> tuple[tuple[int, int, int], Sizes]:
    """Announcements kept, moved and cancelled: our records, and retirements that came on the day announced. One
    announcement that covers many models counts once."""
    import numpy as np

    count = {"kept": 0, "moved": 0, "cancelled": 0, "pending": 0}
    for a in known.announcements:
        count[a.outcome] += 1
    moved = {(vendor_of(a.vendor), a.announced) for a in known.announcements if a.outcome == "moved"}
    kept = {
        (vendor_of(r.vendor), r.announced, r.on)
        for r in known.retirements
        if r.on <= known.until and r.on - r.announced > timedelta(7)
    }
    count["kept"] += sum((vendor, announced) not in moved for vendor, announced, _ in kept)
    delays = [float(a.days_late) for a in known.announcements if a.outcome == "moved"]
    return (count["kept"], count["moved"], count["cancelled"]), Sizes(np.asarray(delays or [60.0]))


def _drift(known: Records, tier: Tier) -> Drift:
    """Pooled drift of the lowest price at a level. Series below a year or four points are left out: they begin
    at the fall that made them a series."""
    import numpy as np

    series: dict[tuple[str, str], list] = defaultdict(list)
    for p in known.frontier:
        if ("GPT-3" in p.level) == (tier == "light"):
            series[p.bench, p.level].append(p)
    slopes, errors, rest = [], [], []
    for points in series.values():
        points.sort(key=lambda p: p.released)
        t = np.array([months(points[0].released, p.released) for p in points])
        y = np.log([p.price for p in points])
        if len(points) < 4 or t[-1] < 12:
            continue
        x = t - t.mean()
        slope = float((x * (y - y.mean())).sum() / (x**2).sum())
        residual = y - y.mean() - slope * x
        variance = float((residual**2).sum() / (len(points) - 2))
        slopes.append(slope)
        errors.append(max(variance / float((x**2).sum()), 1e-6))
        rest.append(math.sqrt(max(variance, 0.0) * 2 / float(np.diff(t).mean())))
    listed = [s.price for s in known.spells if s.channel != "routed"]
    lately = known.until - timedelta(days=365)
    current = [
        s.price
        for s in known.spells
        if s.channel == "own" and s.first > lately and tier_of(s.model, s.price) == tier
    ]
    floor = min(0.5, float(np.quantile(listed, 0.01)) / float(np.median(current))) if current else 0.02
    if not slopes:  # before there are records: tenfold a year, from one third to three times as fast
        return Drift(-math.log(10) / 12, 0.12, 0.1, floor, 0)
    b, v = np.asarray(slopes), np.asarray(errors)
    w = 1 / v
    centre = float((w * b).sum() / w.sum())
    q = float((w * (b - centre) ** 2).sum())
    between = max(0.0, (q - (b.size - 1)) / float(w.sum() - (w**2).sum() / w.sum())) if b.size > 1 else 0.01
    w = 1 / (v + between)
    centre, error = float((w * b).sum() / w.sum()), 1 / float(w.sum())
    # The levels share models, so that the error of the mean is that of one level, not of their number.
    spread = math.sqrt(max(error, float(np.median(v))) + between)
    return Drift(centre, spread, float(np.median(rest)), floor, b.size)


def _turbulence(known: Records) -> float:
    """σ of the common factor on rates: what the counts of changes by channel and quarter vary beyond Poisson's."""
    import numpy as np

    events: dict[tuple[str, int], float] = defaultdict(float)
    exposure: dict[tuple[str, int], float] = defaultdict(float)
    for (channel, _, _), spells in known.histories.items():
        first, last = spells[0].first, spells[-1].last
        for quarter in range(_quarter(first), _quarter(last) + 1):
            exposure[channel, quarter] += 1
        for c in changes(spells):
            events[channel, _quarter(c.day)] += 1
    excess = weight = 0.0
    for channel in CHANNELS:
        cells = [cell for cell in exposure if cell[0] == channel]
        n = np.array([events[cell] for cell in cells])
        e = np.array([exposure[cell] for cell in cells])
        if n.sum() > 0:
            e = e * n.sum() / e.sum()
            excess += float(((n - e) ** 2 - e).sum())
            weight += float((e**2).sum())
    return math.sqrt(math.log1p(min(max(excess / weight, 0.0), 2.0))) if weight else 0.0


def _quarter(day: date) -> int:
    return day.year * 4 + (day.month - 1) // 3


def lifetimes(known: Records, kind: str = "free", tier: Tier | None = None) -> Lifetimes:
    """How long free offers last, by Kaplan and Meier, in months."""
    lives = [
        (months(a, b), over)
        for _, model, a, b, over in free_lives(known, kind)
        if tier is None or tier_of(model) == tier
    ]
    return kaplan_meier([length for length, _ in lives], [over for _, over in lives])
