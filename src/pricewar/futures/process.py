"""The process by which offers change: rates, sizes, and the futures drawn from them.

An offer's price is a marked point process in months t:

- *Changes* (cuts and rises) arrive at rate λ_i, pooled model → vendor → class (`survival.Rates`), class =
  channel × tier, times a factor once the price has stood for 2 and for 6 months. A change adds s − φ y to the
  log price: s is a recorded size of the class, y the log price above its own time average, φ ≥ 0 how much of
  a deviation is undone.
- *Retirement* is first announced, at a rate that depends on age, on a newer model in the line and on being a
  preview, then takes effect after a recorded notice. What the user pays from then on is the price of the
  newest model of the line at the vendor; *successors*, dearer or cheaper, come into the line at a rate and
  with sizes of their own, and fall back towards its level.
- *Free terms* end, for one model or for all of a vendor's, and their limits are tightened or loosened, at
  rates pooled by vendor.
- *Announced changes* enter on the day announced, except that each is kept, moved or cancelled with the
  frequency with which announcements were (Dirichlet posterior, Jeffreys prior).
- *The frontier*, the best price so far at constant capability, is the running minimum of a random walk with
  drift in log price, flattening towards the lowest price on record; the drift is pooled over Epoch AI's
  series by random effects. Its shocks e are common to a draw: all rates of price changes are multiplied by
  g = exp(−σ (e + z)/√2 − σ²/2), mean 1, with e the month's and z the draw's lasting one.

Every parameter is drawn anew per future. How they are estimated: `history`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from pricewar.errors import ConfigurationError
from pricewar.futures.records import (
    MONTH,
    PREVIEW,
    Records,
    Tier,
    changes,
    deviation,
    line_of,
    months,
    pool_of,
    spelled,
    tier_of,
    vendor_of,
)
from pricewar.futures.survival import Rates, Sizes, stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pricewar.futures.contract import Futures
    from pricewar.offers.catalogue import Catalogue

TIERS: Final[tuple[Tier, ...]] = ("light", "flagship")
AGES: Final = (9.0, 18.0)
"""Months of age at which the rate of retirement may change."""
QUIET: Final = (2.0, 6.0)
"""Months since a price was set at which its rate of change may differ."""
STEPS: Final = 120
"""The longest path. Numbers are drawn for all of it, so that a longer horizon begins like a shorter one."""


class Subject(NamedTuple):
    """An offer as the process sees it on the first day.

    `deviation`: log price above its time average. `retires`: months until an announced retirement. `heir`:
        log price
    of the newest model of its line relative to its own, None when it is that itself. `announced`: months
    until a price announced takes effect, and its log relative to now. `quiet`: months since its price was
    set.
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
        """The class whose rates it shares: a route to what only its author serves is the author's own
        list."""
        return pool_of(self.channel, self.vendor, self.model), self.tier


class Paths(NamedTuple):
    """Of one offer: log price relative to now [D, K] while it is sold, the month of its retirement [D] (inf
    for never), log price of what stands in its place then, relative to now [D, K]."""

    price: NDArray[np.float64]
    retirement: NDArray[np.float64]
    successor: NDArray[np.float64]

    def paid(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log of what a user of the offer pays relative to now, successor included, [D, K]."""
        import numpy as np

        return np.where(times[None, :] >= self.retirement[:, None], self.successor, self.price)


class Summary(NamedTuple):
    """An event of a class: how often seen, in how many months (weighted by age where that matters), its
    monthly rate with a 90% interval, and the recorded log sizes."""

    event: str
    of: str
    seen: float
    months: float
    rate: float
    low: float
    high: float
    sizes: Sequence[float]


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
        change, sizes, undone: by class (channel, tier); `calm`, by channel, the log factors on rates of
            change once a price has stood for 2 and for 6 months, [2].
        announced: rates of a retirement's announcement by channel; `leaving` are the log factors on them from
            9 and from 18 months of age, once the line has a newer model, and for previews, [4].
        notice: months between announcement and retirement.
        succession, succeeded, returns: rates and log price ratios of new models in a line, by tier, and the
            share of the line's deviation from its level that each new model undoes.
        ended, programme, tightened: rates at which one model leaves a vendor's free terms, at which the
            vendor ends them all, and at which their amounts change, for `free`, `grant` and `introductory`
            terms;
            `amounts`: log ratios of those changes; `dearer`: of what followed introductory prices.
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
    returns: float
    ended: dict[str, Rates]
    programme: dict[str, Rates]
    tightened: dict[str, Rates]
    amounts: dict[str, Sizes]
    dearer: Sizes
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
        # An older model is no successor, unless the offer is only a preview or is about to go.
        if heir_name and (
            self.known.histories[channel, vendor, heir_name][0].first > spells[0].first
            or end is not None
            or PREVIEW.search(model)
        ):
            heir = self.known.price_on(channel, vendor, heir_name, day)
        return Subject(
            channel,
            vendor,
            model,
            tier_of(model, spells[0].price),
            age=months(spells[0].first, day),
            deviation=deviation(spells, day),
            retires=None if end is None else months(day, end.on),
            heir=None if heir is None else math.log(heir / price),
            announced=tuple(
                (months(day, due), math.log(then / price))
                for due, then in self.known.announced_prices(vendor, model, day)
            ),
            quiet=months(spells[-1].first, day),
        )

    def shock(self, seed: int, steps: NDArray[np.float64], draws: int) -> NDArray[np.float64]:
        """The frontier's standard normal shocks, common to all offers of a draw, [D, K]."""
        key = ("shock", draws, seed)
        if key not in self._cache:
            self._cache[key] = stream(seed, "frontier").standard_normal((draws, STEPS))
        return self._cache[key][:, : steps.size]

    def paths(self, subject: Subject, times: NDArray[np.float64], draws: int, seed: int) -> Paths:
        """What may become of one offer at `times` (months from now, ascending, [K])."""
        import numpy as np

        steps = np.diff(times, prepend=0.0)
        key = subject.pool
        rates, name = self.change[key], "/".join(key)
        rate = rates.draw(seed, name, draws, vendor_of(subject.vendor), spelled(subject.model))
        pace = rate[:, None] * self._pace(subject.tier, self.shock(seed, steps, draws), seed) * steps
        u = stream(seed, "change", subject.name).random((draws, STEPS, 2))[:, : times.size]
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
        if subject.retires is None and key[0] not in self.announced:
            return Paths(price, np.full(draws, np.inf), price)  # nobody retires it
        arrives, newest = self._line(subject, times, draws, seed)
        retirement = self._retirement(subject, times, arrives, draws, seed)
        return Paths(price, retirement, self._successor(subject, price, newest, draws, seed))

    def _pace(self, tier: Tier, shock: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """The common factor on rates of change, mean 1, [D, K]: half of its variance is the month's shock,
        half lasts."""
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
        """Whether a new model of the offer's line arrives in a step, and the log price of the newest relative
        to that of today's newest; both [D, K] and the same for all offers of the line."""
        import numpy as np

        table = self._drawn(self.succeeded[subject.tier], f"succeeded/{subject.tier}", draws, seed)
        rate = self.succession.draw(seed, "succession", draws, vendor_of(subject.vendor))
        steps = np.diff(times, prepend=0.0)
        line = f"{subject.channel}/{subject.vendor}/{line_of(subject.model)}"
        u = stream(seed, "succession", line).random((draws, STEPS, 2))[:, : times.size]
        size = np.take_along_axis(table, (u[:, :, 1] * table.shape[1]).astype(int), axis=1)
        arrives = u[:, :, 0] < -np.expm1(-rate[:, None] * steps)
        newest, level = np.empty(arrives.shape), np.zeros(draws)
        for k in range(times.size):
            level = np.where(arrives[:, k], (1 - self.returns) * level + size[:, k], level)
            newest[:, k] = level
        return arrives, newest

    def _retirement(
        self,
        subject: Subject,
        times: NDArray[np.float64],
        arrives: NDArray[np.bool_],
        draws: int,
        seed: int,
    ) -> NDArray[np.float64]:
        import numpy as np

        due = np.full(draws, np.inf)
        if subject.retires is not None:
            due = self.happens_at(subject.name, subject.retires, draws, seed)
        channel = subject.pool[0]
        if channel not in self.announced or np.isfinite(due).all():
            return due
        rate = self.announced[channel].draw(seed, f"announced/{channel}", draws, vendor_of(subject.vendor))
        steps = np.diff(times, prepend=0.0)
        begin = times - steps
        known = np.full(draws, subject.heir is not None)
        superseded = known[:, None] | (np.cumsum(arrives, axis=1) - arrives > 0)
        pace = self._leaving_pace(subject.age + begin, superseded, bool(PREVIEW.search(subject.model)))
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
        # What was called off can be announced again.
        return np.where(np.isfinite(due), due, when + table[row, pick])

    def _leaving_pace(
        self, age: NDArray[np.float64], superseded: NDArray[np.bool_], preview: bool
    ) -> NDArray[np.float64]:
        """Factor on the rate of a retirement's announcement, shaped as `superseded`; `age` in months, [K]."""
        import numpy as np

        b = self.leaving
        return np.exp(b[0] * (age >= AGES[0]) + b[1] * (age >= AGES[1]) + b[2] * superseded + b[3] * preview)

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

    def free_end(
        self, kind: str, vendor: str, name: str, draws: int, seed: int, one_model: bool = True
    ) -> NDArray[np.float64]:
        """Months until free or granted terms end, [D]: for the model alone, if it is `one_model`'s, or for
        all of the vendor's."""
        import numpy as np

        one = self.ended[kind].draw(seed, f"ended/{kind}", draws, vendor_of(vendor))
        alone = stream(seed, "free", name).standard_exponential(draws) / one
        if kind not in self.programme:
            return alone
        every = self.programme[kind].draw(seed, f"programme/{kind}", draws)
        all_end = stream(seed, "programme", kind, vendor).standard_exponential(draws) / every
        return np.minimum(all_end, alone) if one_model else all_end

    def free_amount(
        self, kind: str, vendor: str, times: NDArray[np.float64], draws: int, seed: int
    ) -> NDArray[np.float64]:
        """Log factor on the amounts of a vendor's free terms, which it changes together, [D, K]."""
        import numpy as np

        rate = self.tightened[kind].draw(seed, f"tightened/{kind}", draws, vendor_of(vendor))
        steps = np.diff(times, prepend=0.0)
        u = stream(seed, "amount", kind, vendor).random((draws, STEPS, 2))[:, : times.size]
        table = self._drawn(self.amounts[kind], f"amounts/{kind}", draws, seed)
        size = np.take_along_axis(table, (u[:, :, 1] * table.shape[1]).astype(int), axis=1)
        return np.cumsum(np.where(u[:, :, 0] < -np.expm1(-rate[:, None] * steps), size, 0.0), axis=1)

    def after_introduction(self, name: str, draws: int, seed: int) -> NDArray[np.float64]:
        """Log of the price that follows an introductory one without a stated end, relative to it, [D]."""
        import numpy as np

        table = self._drawn(self.dearer, "dearer", draws, seed)
        pick = (stream(seed, "dearer", name).random(draws) * table.shape[1]).astype(int)
        return table[np.arange(draws), pick]

    # -- the market --------------------------------------------------------------------------------------

    def frontier(self, times: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
        """Best price at constant capability so far, relative to now, light and flagship, [D, K, 2]."""
        import numpy as np

        steps = np.diff(times, prepend=0.0)
        shock = self.shock(seed, steps, draws)
        found = np.empty((draws, times.size, 2))
        for i, tier in enumerate(TIERS):
            d = self.drift[tier]
            slope = d.mean + d.spread * stream(seed, "drift", tier).standard_normal(draws)
            # The best price so far does not rise.
            walk = np.minimum(slope, 0.0)[:, None] * times + np.cumsum(
                d.shock * np.sqrt(steps) * shock, axis=1
            )
            best = np.minimum.accumulate(np.minimum(walk, 0.0), axis=1)
            found[:, :, i] = d.floor + (1 - d.floor) * np.exp(best)
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

        if not 1 <= months <= STEPS or draws < 1:
            raise ConfigurationError(
                f"{months} months × {draws} draws",
                where="futures",
                remedy=f"give 1 to {STEPS} months and 1 draw or more",
            )
        if start < self.as_of:
            raise ConfigurationError(
                f"futures that start on {start} would know what was recorded until {self.as_of}",
                where="futures",
                remedy="start on the cut-off or later, or estimate as of an earlier day",
            )
        return futures_of(self, catalogue, tuple(offers), start, months, draws, seed)

    def summary(self) -> tuple[Summary, ...]:
        """What was found, a row for each event and class: for tables."""

        rows: list[Summary] = []
        for key, rates in self.change.items():
            sizes = [
                c.size
                for (channel, vendor, model), spells in self.known.histories.items()
                if pool_of(channel, vendor, model) == channel == key[0]
                and tier_of(model, spells[0].price) == key[1]
                for c in changes(spells)
            ]
            for event, mine in (("cut", [s for s in sizes if s < 0]), ("rise", [s for s in sizes if s > 0])):
                share = (len(mine) + 0.5) / (len(sizes) + 1)
                middle, low, high = (share * x for x in rates.interval())
                rows.append(Summary(event, " ".join(key), len(mine), rates.exposure, middle, low, high, mine))
        for channel, rates in self.announced.items():
            found = Summary(
                "retirement announced", channel, rates.events, rates.exposure, *rates.interval(), []
            )
            rows.append(found)
        sizes = [float(x) for of_tier in self.succeeded.values() for x in of_tier.values]
        r = self.succession
        rows.append(Summary("new model in a line", "own", r.events, r.exposure, *r.interval(), sizes))
        for event, of_kinds in (
            ("one model's terms ended", self.ended),
            ("all of a vendor's terms ended", self.programme),
            ("amounts changed", self.tightened),
        ):
            for kind, r in of_kinds.items():
                sizes = list(self.amounts[kind].values) if event == "amounts changed" else []
                rows.append(Summary(event, kind, r.events, r.exposure, *r.interval(), sizes))
        return tuple(rows)
