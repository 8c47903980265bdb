"""What a run amounts to: shares, concentration, margins, subsidies, who opened and who followed, who won.

`Outcomes` derives everything from the series of a `Run` (`model.simulate`) and changes nothing. Axes: member
N, month M, vendor J, type T, segment S. Money in the market's currency, tokens in millions, time in months,
days where said. NaN is unknown or never; a market that nobody serves has no shares, which is no zero.

- **Inside** vendors are all but the competitive fringe (conduct "fringe"). Shares are of the whole market;
  concentration is Σ shares² among the inside, the fringe's share beside it (`fringe`).
- **Price over cost** is the list price over long-run unit cost, weighted by tokens; **paid over cost** counts
  free tokens at zero. **Revenue over cost** is revenue over rental and energy paid.
- **Surplus** compares with month 1 (in a comparison with that of the first run, so that both have one
  measure): for each type, team-months × budget/β × (mean utility − that of month 1), the compensating
  variation of a logit (Small and Rosen 1981, Econometrica 49(1)); less switching costs.
- **ROI** of teams: (revenue − what vendors took of it − bills − switching) / (bills + switching), cumulated.
- A vendor **follows** with its first deep cut after the opening: a list price `cut_is_war` below peace.
- **Stages** are those of `stages`, from the prices, costs, allowances and volumes of each member.

`spread` sums members up (median, 50% and 80% bands); `compare` pairs two runs of the same seeds, so that what
both share cancels (common random numbers: Law and Kelton, Simulation Modeling and Analysis, ch. 11), with a
bootstrap interval over members (Efron and Tibshirani 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.market.model import Array, Market, Run
from pricewar.market.observables import Series
from pricewar.market.stages import HARVEST, STAGES, WAR
from pricewar.market.stages_many import codes

TIERS = ("light", "flagship")
DAYS = 365.25 / 12
"""Days in a month."""
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Of a `Spread`: the ends of its 80% band, of its 50% band, and the median between."""
FEWEST = 5
"""Futures below which a comparison gives no interval."""


@dataclass(frozen=True)
class Measure:
    """One outcome of a future: its name in sentences, unit, meaning, and how two runs are compared.

    `change`: "relative" for what is positive, "difference" for what may be zero or negative, "points" for
    shares and chances.
    """

    noun: str
    unit: str
    meaning: str
    change: str = "relative"


MEASURES: dict[str, Measure] = {
    "hhi": Measure("concentration", "HHI", "of tokens among the vendors inside, at the end", "relative"),
    "leader": Measure(
        "the leader's share", "share", "of tokens among the vendors inside, at the end", "points"
    ),
    "fringe": Measure("the share of open weights", "share", "of tokens, at the end", "points"),
    "exits": Measure("the number of vendors that leave", "vendors", "by the end", "difference"),
    "light_low": Measure("the lowest light price over cost", "ratio", "paid, free use included"),
    "light_end": Measure("light price over cost at the end", "ratio", "paid, free use included"),
    "flagship_low": Measure("the lowest flagship price over cost", "ratio", "list, weighted by tokens"),
    "flagship_end": Measure("flagship price over cost at the end", "ratio", "list, weighted by tokens"),
    "cover_low": Measure(
        "the lowest revenue over cost", "ratio", "revenue over rental and energy, worst quarter"
    ),
    "cover_end": Measure(
        "revenue over cost at the end", "ratio", "revenue over rental and energy, last quarter"
    ),
    "free": Measure("the free share of light use", "share", "of tokens, largest of any month", "points"),
    "subsidy": Measure("the subsidy burned", "money", "below cost, cumulated"),
    "subsidy_share": Measure("subsidy over revenue", "share", "cumulated", "points"),
    "vendors_profit": Measure(
        "the vendors' profit", "money", "cumulated, training paid by parents included", "difference"
    ),
    "suppliers_profit": Measure("the compute suppliers' profit", "money", "cumulated", "difference"),
    "suppliers_lead": Measure(
        "the chance that suppliers profit before vendors",
        "chance",
        "cumulated profit above zero for good",
        "points",
    ),
    "bills": Measure("what teams pay", "money", "cumulated"),
    "tokens": Measure("use", "mn tokens", "teams' tokens of both tiers, last month"),
    "surplus": Measure(
        "the teams' surplus", "money", "over month 1's, switching paid, cumulated", "difference"
    ),
    "roi": Measure(
        "the teams' return", "ratio", "what a team keeps of a unit spent, cumulated", "difference"
    ),
    "switching": Measure("what switching costs teams", "money", "cumulated"),
    "consumers": Measure("consumers", "users", "of the vendors' own apps, at the end"),
    "opening": Measure("the day on which the war opens", "day", "from the start", "difference"),
    "followers": Measure("the number of followers", "vendors", "deep cuts after the opening", "difference"),
    "lag": Measure("the followers' median lag", "days", "from the opening to a deep cut"),
    "war_months": Measure("the length of the war", "months", "by the stage rule", "difference"),
    "harvest": Measure("the chance of a harvest", "chance", "by the stage rule, before the end", "points"),
    "harvest_month": Measure("the month of the harvest", "month", "where it begins", "difference"),
    "regulator": Measure(
        "the share of months under a regulator", "share", "that steps in by itself", "points"
    ),
}


@dataclass(frozen=True)
class Spread:
    """A quantity over the members: median, 50% band (low50, high50), 80% band (low, high), share known."""

    median: Array
    low: Array
    high: Array
    low50: Array
    high50: Array
    known: Array


def spread(values: Array, axis: int = 0) -> Spread:
    """Summary over members; NaN members are left out and told by `known`."""
    ordered = np.sort(np.moveaxis(np.asarray(values, dtype=float), axis, 0), axis=0)  # NaN comes last
    if not len(ordered):
        ordered = np.full((1, *ordered.shape[1:]), np.nan)
    known = (~np.isnan(ordered)).sum(0)
    q = _quantiles(ordered, known)
    return Spread(q[2], q[0], q[4], q[1], q[3], np.isfinite(ordered).mean(0))


def _quantiles(ordered: Array, known: Array) -> Array:
    """numpy's linear quantiles at `LEVELS` of the first `known` values along the first axis; NaN of none.

    As `numpy.nanquantile`, which takes a hundred times as long where something is missing.
    """
    last = np.maximum(known - 1, 0)
    at = np.array(LEVELS).reshape(-1, *(1,) * last.ndim) * last
    below = np.floor(at).astype(int)
    a = np.take_along_axis(ordered, below, axis=0)
    b = np.take_along_axis(ordered, np.minimum(below + 1, last), axis=0)
    part = at - below
    with np.errstate(invalid="ignore"):  # infinite on both sides is unknown
        step = b - a
        return np.where(part < 0.5, a + step * part, b - step * (1.0 - part))


def _ratio(a: Array, b: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0, a / np.where(b > 0, b, 1.0), np.nan)


class Outcomes:
    """Derived series and outcomes of a run; each is made when first asked for."""

    def __init__(self, run: Run, reference: Outcomes | None = None) -> None:
        """Outcomes of `run`; surplus is measured from month 1 of `reference`, a run of the same seeds."""
        from pricewar.market import kernel as k

        self.run, self.market, self._k = run, run.market, k
        self._reference = reference if reference is not None else self
        self._values: dict[str, Array] = {}
        self.N, self.M = len(run.seeds), run.market.months
        self.inside = run.market.v[:, k.V_CONDUCT] != k.FRINGE
        self.active = run.vendor["status"] == k.ACTIVE

    @cached_property
    def members(self) -> tuple[Array, Array, Array]:
        """Parameters of every member, as `Market.members`."""
        return self.market.members(self.run.seeds)

    # ------------------------------------------------------------------ series by month

    @cached_property
    def tokens(self) -> Array:
        """[N, M, J], millions, both tiers."""
        return self.run.vendor["tokens_light"] + self.run.vendor["tokens_flagship"]

    def share(self, of: str = "tokens") -> Array:
        """[N, M, J] of the whole market, by "tokens", "teams" or "revenue".

        Raises:
            ConfigurationError: no such quantity.
        """
        if of not in ("tokens", "teams", "revenue"):
            raise ConfigurationError(f"no shares of “{of}”", remedy="tokens, teams or revenue")
        size = self.tokens if of == "tokens" else self.run.vendor[of]
        return _ratio(size, size.sum(2, keepdims=True))

    def hhi(self, of: str = "tokens") -> Array:
        """[N, M] Σ shares² among the vendors inside, 0 to 1; NaN where none sells."""
        size = self.share(of)[:, :, self.inside]
        return (_ratio(size, size.sum(2, keepdims=True)) ** 2).sum(2)

    @cached_property
    def fringe(self) -> Array:
        """[N, M] the fringe's share of tokens."""
        return self.share()[:, :, ~self.inside].sum(2)

    def price_over_cost(self, tier: str, *, paid: bool = False) -> Array:
        """[N, M] of the vendors inside, weighted by tokens; `paid` counts free light tokens at zero."""
        v, inside = self.run.vendor, self.inside
        use = v[f"tokens_{tier}"][:, :, inside]
        bought = use - v["free_tokens"][:, :, inside] if paid and tier == "light" else use
        price, cost = v[f"price_{tier}"][:, :, inside], v[f"cost_{tier}"][:, :, inside]
        return _ratio((price * bought).sum(2), (cost * use).sum(2))

    def vendor_price_over_cost(self, tier: str) -> Array:
        """[N, M, J] list price over long-run cost; NaN where the vendor does not serve."""
        v = self.run.vendor
        return np.where(self.active, _ratio(v[f"price_{tier}"], v[f"cost_{tier}"]), np.nan)

    def price(self, tier: str) -> Array:
        """[N, M, J] list price, NaN where the vendor does not serve."""
        return np.where(self.active, self.run.vendor[f"price_{tier}"], np.nan)

    def _inside(self, name: str) -> Array:
        return self.run.vendor[name][:, :, self.inside].sum(2)

    @cached_property
    def revenue_over_cost(self) -> Array:
        """[N, M] revenue over rental and energy paid, vendors inside."""
        return _ratio(self._inside("revenue"), self._inside("rental_paid") + self._inside("energy_paid"))

    @cached_property
    def subsidy(self) -> Array:
        """[N, M] money burned below cost in the month, vendors inside."""
        return self._inside("subsidy")

    @cached_property
    def free_share(self) -> Array:
        """[N, M] free part of the light tokens: covered by an allowance, or listed at zero."""
        v = self.run.vendor
        free = np.where(v["price_light"] > 0, v["free_tokens"], v["tokens_light"])[:, :, self.inside]
        return _ratio(free.sum(2), self._inside("tokens_light"))

    @cached_property
    def vendors_profit(self) -> Array:
        """[N, M] profit of the vendors inside, less what their parents pay for training."""
        return self._inside("profit") - self._inside("parent_paid")

    @cached_property
    def runway(self) -> Array:
        """[N, M, J] months that cash and reserve last at the month's loss; NaN without a loss."""
        v = self.run.vendor
        return np.where(self.active, _ratio(v["cash"] + v["reserve"], -v["profit"]), np.nan)

    @cached_property
    def segment(self) -> Array:
        """[T] segment of each type."""
        return self.market.t[:, self._k.SEGMENT].astype(int)

    def by_segment(self, values: Array) -> Array:
        """[N, M, T] summed to [N, M, S]."""
        S = len(self.market.segments)
        return np.stack([values[:, :, self.segment == s].sum(2) for s in range(S)], axis=2)

    @cached_property
    def surplus(self) -> Array:
        """[N, M, T] money a month over the terms of the reference's month 1, switching costs taken off."""
        weight, level = self._level
        first = np.nan_to_num(self._reference._level[1][:, :1])
        gain = np.where(np.isfinite(level), (level - first) * weight, 0.0)
        return gain - self.run.type["switching"]

    @cached_property
    def _level(self) -> tuple[Array, Array]:
        """Team-months weighted by budget, and mean utility in money by that weight, [N, M, T] each."""
        k, run = self._k, self.run
        g, _, t = self.members
        ends = run.type["teams"]
        begins = np.concatenate([t[:, None, :, k.TEAMS], ends[:, :-1]], axis=1)
        teams = (begins + ends) / 2
        months = np.arange(self.M)
        rate = (1.0 - g[:, None, None, k.EXPANSION_CONTESTABLE]) * t[:, None, :, k.GROWTH]
        weight = teams * np.exp(rate * months[None, :, None])  # team-months × budget, up to a constant
        return weight, _ratio(run.type["surplus"], weight)

    # ------------------------------------------------------------------ by vendor

    def _first(self, status: int) -> Array:
        """[N, J] month at whose end a vendor first has that status, NaN never."""
        here = self.run.vendor["status"] == status
        return np.where(here.any(1), here.argmax(1) + 1.0, np.nan)

    @cached_property
    def exit_month(self) -> Array:
        """[N, J] month in which a vendor left for want of cash, NaN where it did not."""
        return self._first(self._k.GONE)

    @cached_property
    def all_dead(self) -> Array:
        """[N] nobody inside serves at the end."""
        return ~self.active[:, -1][:, self.inside].any(1)

    @cached_property
    def opener(self) -> Array:
        """[N] vendor that opened the war, −1 where peace held or was never."""
        return np.array([self._opening(e)[0] for e in self.run.events], dtype=int)

    @cached_property
    def opening_month(self) -> Array:
        """[N] months from the start to the opening of the war, NaN where there was none."""
        return np.array([self._opening(e)[1] for e in self.run.events])

    @cached_property
    def opening(self) -> Array:
        """[N] day on which the war opened, NaN where it did not."""
        return self.opening_month * DAYS

    def _opening(self, events: Array) -> tuple[int, float]:
        rows = events[events[:, 1] == self._k.OPENED]
        return (int(rows[0, 2]), float(rows[0, 0])) if len(rows) else (-1, np.nan)

    @cached_property
    def deep_cut(self) -> Array:
        """[N, J] day of the first list price `cut_is_war` below peace, NaN where there is none."""
        k = self._k
        g, v, _ = self.members
        peace = v[:, :, [k.V_PRICE_LIGHT, k.V_PRICE_FLAGSHIP]]
        deep = 1.0 - g[:, k.CUT_IS_WAR]
        found = np.full((self.N, len(self.market.vendors)), np.nan)
        for n, events in enumerate(self.run.events):
            level = np.ones_like(peace[n])
            for time, kind, j, ratio, tier in events:
                if kind not in (k.CUT, k.RAISED):
                    continue
                j, tier = int(j), int(tier)
                level[j, tier] *= ratio
                if level[j, tier] < deep[n] and np.isnan(found[n, j]):
                    found[n, j] = time
            # Members with more events than are kept: the month has to do.
            if len(events) >= _kept():
                for j in np.flatnonzero(np.isnan(found[n]) & self.inside):
                    both = np.stack(
                        [self.run.vendor[f"price_{t}"][n, :, j] for t in ("light", "flagship")], 1
                    )
                    low = (both < deep[n] * peace[n, j]).any(1)
                    found[n, j] = low.argmax() + 1.0 if low.any() else np.nan
        return found * DAYS

    @cached_property
    def lag(self) -> Array:
        """[N, J] days from the opening to a follower's deep cut; NaN for the opener and who never follows."""
        lag = self.deep_cut - self.opening[:, None]
        mine = np.arange(len(self.market.vendors)) == self.opener[:, None]
        return np.where(mine | ~(lag >= 0) | ~self.inside, np.nan, lag)

    @cached_property
    def order(self) -> Array:
        """[N, J] place among those who cut: 1 the opener, 2 the first follower; NaN who does not.

        Who cuts at one moment shares a place: by their row, history's order would be given to them.
        """
        mine = np.arange(len(self.market.vendors)) == self.opener[:, None]
        at = np.where(mine, -1.0, self.lag)
        before = (at[:, None, :] < at[:, :, None]).sum(2)
        return np.where(np.isnan(at), np.nan, before + 1.0)

    def depth(self, tier: str, months: int) -> Array:
        """[N, J] lowest list price of the months after the opening over the price in peace; NaN unopened."""
        k = self._k
        v = self.members[1]
        peace = v[:, :, k.V_PRICE_LIGHT if tier == "light" else k.V_PRICE_FLAGSHIP]
        ends = np.arange(1, self.M + 1)
        start = self.opening / DAYS
        within = (ends > start[:, None]) & (ends <= start[:, None] + months + 1e-9)
        return _ratio(_least(np.where(within[:, :, None], self.price(tier), np.nan)), peace)

    # ------------------------------------------------------------------ teams

    @cached_property
    def segment_share(self) -> Array:
        """[N, M, S, J] of teams weighted by their budgets."""
        weight = self.market.t[:, self._k.BUDGET]
        size = self.run.teams * weight[None, None, :, None]
        S = len(self.market.segments)
        size = np.stack([size[:, :, self.segment == s].sum(2) for s in range(S)], axis=2)
        return _ratio(size, size.sum(3, keepdims=True))

    @cached_property
    def winners(self) -> list[tuple[int, float, Array]]:
        """Of each segment: the vendor that most often leads at the end, how often, chances [J]; −1 nobody."""
        last = self.segment_share[:, -1]
        told = np.isfinite(last).all(2)
        lead = np.where(told, np.nan_to_num(last).argmax(2), -1)
        result = []
        for s in range(last.shape[1]):
            chance = np.array([(lead[:, s] == j).mean() for j in range(last.shape[2])])
            result.append((int(chance.argmax()) if chance.any() else -1, float(chance.max()), chance))
        return result

    @cached_property
    def roi(self) -> Array:
        """[N, M, T] cumulated; NaN while teams have paid nothing."""
        return self._return(lambda a: a)

    @cached_property
    def segment_roi(self) -> Array:
        """[N, M, S] cumulated, of the teams of a segment together."""
        return self._return(self.by_segment)

    @cached_property
    def roi_of_all(self) -> Array:
        """[N, M] cumulated, of all teams together."""
        return self._return(lambda a: a.sum(2))

    def _return(self, group: Callable[[Array], Array]) -> Array:
        y = {
            name: np.cumsum(group(self.run.type[name]), axis=1)
            for name in ("revenue", "taken", "bills", "switching")
        }
        spent = y["bills"] + y["switching"]
        return _ratio(y["revenue"] - y["taken"] - spent, spent)

    # ------------------------------------------------------------------ stages

    def observed(self, n: int) -> Series:
        """What an outsider sees of member n each month; free light tokens count in the light price."""
        return self._observed(slice(n, n + 1))

    def _observed(self, members: slice) -> Series:
        """`observed` for several members, each vendor's members one after the other."""
        v, at = self.run.vendor, np.flatnonzero(self.inside)

        def flat(a: Array) -> Array:
            """[N, M, J] as [M, J × N]."""
            return a.transpose(1, 2, 0).reshape(self.M, -1)

        def of(name: str) -> Array:
            return flat(v[name][members][:, :, at])

        here = flat(self.active[members][:, :, at])
        light = of("price_light") * (1.0 - np.nan_to_num(_ratio(of("free_tokens"), of("tokens_light"))))
        price = np.stack([light, of("price_flagship")], axis=2)
        cost = np.stack([of("cost_light"), of("cost_flagship")], axis=2)
        price, cost = (np.where(here[:, :, None], a, np.nan) for a in (np.maximum(price, 0.0), cost))
        return Series(
            np.datetime64(self.market.start, "M") + np.arange(self.M),
            tuple(self.market.vendors[j] for j in at for _ in range(here.shape[1] // len(at))),
            TIERS,
            price=price,
            cost=cost,
            active=here.astype(float),
            allowance=np.where(here, of("allowance"), np.nan),
            volume=np.where(here, flat(self.tokens[members][:, :, at]), np.nan),
        )

    @cached_property
    def _stages(self) -> tuple[Array, Array, Array]:
        return codes(self._observed(slice(None)), self.N)

    @property
    def stage(self) -> Array:
        """[N, M] stage of the market as a code of `stages.STAGES`, negative where unknown."""
        return self._stages[0]

    @cached_property
    def vendor_stage(self) -> Array:
        """[N, M, J] as `stage`, −2 out of the market; the fringe is unknown."""
        found = np.full((self.N, self.M, len(self.market.vendors)), -1, dtype=np.int8)
        found[:, :, self.inside] = self._stages[1]
        return found

    @cached_property
    def selling_below_cost(self) -> Array:
        """[N, M, J] whether a vendor sells below cost as the stage rule has it; never the fringe."""
        found = np.zeros((self.N, self.M, len(self.market.vendors)), dtype=bool)
        found[:, :, self.inside] = self._stages[2]
        return found

    def begins(self, stage: str) -> Array:
        """[N] month in which a stage of the market first begins (0 is the first), NaN where it never does."""
        here = self.stage == STAGES.index(stage)
        return np.where(here.any(1), here.argmax(1).astype(float), np.nan)

    # ------------------------------------------------------------------ one number a future

    @cached_property
    def values(self) -> dict[str, Array]:
        """[N] for every name of `MEASURES`."""
        return {name: self.value(name) for name in MEASURES}

    def value(self, name: str) -> Array:
        """[N] one of `MEASURES`; those of stages cost most of the time of all.

        Raises:
            ConfigurationError: no such measure.
        """
        if name not in MEASURES:
            raise ConfigurationError(f"no measure “{name}”", remedy=did_you_mean(name, MEASURES))
        if name not in self._values:
            self._values[name] = self._value(name)
        return self._values[name]

    def _value(self, name: str) -> Array:
        run, last = self.run, slice(max(self.M - 3, 0), None)
        match name:
            case "hhi":
                return self.hhi()[:, -1]
            case "leader":
                size = self.tokens[:, -1][:, self.inside]
                return _most(_ratio(size, size.sum(1, keepdims=True)), 1)
            case "fringe":
                return self.fringe[:, -1]
            case "exits":
                return np.isfinite(self.exit_month[:, self.inside]).sum(1).astype(float)
            case "light_low" | "flagship_low":
                return _least(self._margin(name.removesuffix("_low")))
            case "light_end" | "flagship_end":
                return _mean(self._margin(name.removesuffix("_end"))[:, last])
            case "cover_low":
                return _least(_quarterly(self.revenue_over_cost))
            case "cover_end":
                return _quarterly(self.revenue_over_cost)[:, -1]
            case "free":
                return _most(self.free_share, 1)
            case "subsidy":
                return self.subsidy.sum(1)
            case "subsidy_share":
                return _ratio(self.subsidy.sum(1), self._inside("revenue").sum(1))
            case "vendors_profit":
                return self.vendors_profit.sum(1)
            case "suppliers_profit":
                return run.world["supplier_profit"].sum(1)
            case "suppliers_lead":
                both = run.world["supplier_profit"], self.vendors_profit
                supplier, vendor = (_for_good(np.cumsum(x, 1)) for x in both)
                return (supplier < vendor).astype(float)
            case "bills" | "switching":
                return run.type[name].sum((1, 2))
            case "tokens":
                return self.tokens[:, -1].sum(1)
            case "surplus":
                return self.surplus.sum((1, 2))
            case "roi":
                kept = {n: run.type[n].sum((1, 2)) for n in ("revenue", "taken", "bills", "switching")}
                spent = kept["bills"] + kept["switching"]
                return _ratio(kept["revenue"] - kept["taken"] - spent, spent)
            case "consumers":
                return run.vendor["consumers"][:, -1].sum(1)
            case "opening":
                return self.opening
            case "followers":
                return np.where(self.opener >= 0, np.isfinite(self.lag).sum(1), np.nan)
            case "lag":
                return spread(self.lag, 1).median
            case "war_months":
                return (self.stage == WAR).sum(1).astype(float)
            case "harvest":
                return (self.stage == HARVEST).any(1).astype(float)
            case "harvest_month":
                return self.begins("harvest") + 1
            case _:  # regulator
                watched = self.members[0][:, self._k.REGULATOR_AUTO] > 0
                return np.where(watched, (run.world["regulator"] > 0).mean(1), np.nan)

    def _margin(self, tier: str) -> Array:
        return self.price_over_cost(tier, paid=tier == "light")

    def summary(self) -> dict[str, Spread]:
        """`values` summed up over the members."""
        return {name: spread(a) for name, a in self.values.items()}


def _kept() -> int:
    from pricewar.market.model import EVENT_ROWS

    return EVENT_ROWS


def _quarterly(series: Array) -> Array:
    """Means of three months each, the last one whole."""
    M = series.shape[1] // 3 * 3
    if not M:
        return series
    return np.stack([_mean(part) for part in np.split(series[:, -M:], M // 3, axis=1)], axis=1)


def _mean(values: Array) -> Array:
    """As `numpy.nanmean`, whose warning of nothing known could only be silenced in all threads at once."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(1) / known.sum(1)


def _least(values: Array) -> Array:
    return np.fmin.reduce(values, axis=1)


def _most(values: Array, axis: int) -> Array:
    return np.fmax.reduce(values, axis=axis)


def _for_good(values: Array) -> Array:
    """[N] month from which they stay above zero, infinite where they do not."""
    no = values[:, ::-1] <= 0
    return np.where(no[:, 0], np.inf, np.where(no.any(1), values.shape[1] - no.argmax(1), 0.0))


@dataclass(frozen=True)
class Effect:
    """How one outcome differs between two runs.

    `change` with its 95% interval `low`, `high`: of the mean, relative or as a difference (`Measure.change`);
    NaN where it is known in too few futures. `share`: of the futures, those that moved its way.
    """

    name: str
    change: float
    low: float
    high: float
    share: float
    known: int

    @property
    def measure(self) -> Measure:
        """What it is a change of."""
        return MEASURES[self.name]

    @property
    def clear(self) -> bool:
        """The interval excludes no change, and the change is not minute."""
        least = {"relative": 0.01, "points": 0.005, "difference": 0.0}[self.measure.change]
        return bool(self.low * self.high > 0 and abs(self.change) > least)


def compare(
    base: Outcomes, other: Outcomes, *, resamples: int = 2000, names: Iterable[str] = MEASURES
) -> list[Effect]:
    """Effects of going from `base` to `other` on every measure (or `names`), paired where seeds are the same.

    Only futures in which both are known count; fewer than `FEWEST` of them give no interval. Amounts of two
    currencies are not compared: the change of money is then NaN.
    """
    one_money = base.market.currency == other.market.currency
    paired = base.run.seeds == other.run.seeds and base.market.name == other.market.name
    rng = np.random.Generator(np.random.Philox(key=[0, 7]))
    found = []
    for name in names:
        measure = MEASURES[name]
        a, b = base.value(name), other.value(name)
        if paired:
            both = np.isfinite(a) & np.isfinite(b)
            a, b = a[both], b[both]
        else:
            a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        n = min(len(a), len(b))
        if measure.unit == "money" and not one_money:
            found.append(Effect(name, np.nan, np.nan, np.nan, np.nan, n))
            continue
        if n < FEWEST:
            change = float(_change(measure, a.mean(), b.mean())) if n else np.nan
            found.append(Effect(name, change, np.nan, np.nan, np.nan, n))
            continue
        at = rng.integers(0, len(a), (resamples, len(a)))
        bt = at if paired else rng.integers(0, len(b), (resamples, len(b)))
        boot = _change(measure, a[at].mean(1), b[bt].mean(1))
        low, high = np.quantile(boot, (0.025, 0.975))
        change = float(_change(measure, a.mean(), b.mean()))
        moved = float((np.sign(b - a) == np.sign(change)).mean()) if paired else np.nan
        found.append(Effect(name, change, float(low), float(high), moved, n))
    return found


def _change(measure: Measure, a: Array, b: Array) -> Array:
    if measure.change == "relative":
        return _ratio(b, a) - 1.0
    return np.asarray(b - a)


def kendall(order: Array, history: Array | Sequence[float]) -> Array:
    """[N] Kendall's τ of each member's order [N, J] with history's; ties and absences count for neither."""
    told = np.asarray(history, dtype=float)
    up = np.sign(told[:, None] - told[None, :])
    mine = np.sign(order[:, :, None] - order[:, None, :])
    both = np.triu(np.ones(up.shape, dtype=bool), 1) & np.isfinite(up) & (up != 0)
    known = np.isfinite(mine) & both
    agree = np.where(known, mine * np.nan_to_num(up), 0.0).sum((1, 2))
    return _ratio(agree, known.sum((1, 2)).astype(float))


def named(market: Market, chances: Array) -> Mapping[str, float]:
    """Chances by vendor, the likeliest first, zeros left out."""
    order = np.argsort(-chances, kind="stable")
    return {market.vendors[j]: float(chances[j]) for j in order if chances[j] > 0}
