"""What vendors do in equilibrium: how far each counts the future, as best replies to the others.

The conduct `invest` has three numbers a vendor: the part of a team's budget that it expects to keep as margin
later on, which is what it will pay for a team now (price as investment; Besanko, Doraszelski, Kryukov 2014),
and how that part moves with the growth of the market and with time. Without the last two a vendor could not
say subsidy first, harvest later. A profile of these numbers is an equilibrium of the class when none gains by
others, all rivals given. Payoffs are discounted profits over the horizon and the last half-year's operating
margin for `TAIL` months more, averaged over members with common random numbers.

Payoffs have steps (an exit, a successor, a notch), so best replies are searched on grids that narrow, and an
equilibrium is a set: every profile met whose best deviation gains less than a tolerance of the vendors'
payoffs taken absolutely. A search in the same class is a lower bound on what a deviator gains, so the profile
is also tried against a richer class: all three numbers drawn at once, and prices by a rule without any
first-order condition. Under another rule of the regulator solve again: with conduct held the effect of
portability on subsidies has the wrong sign.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pricewar.errors import ConfigurationError
from pricewar.market.model import Market, Run, simulate

Array = np.ndarray
TAIL = 24.0
"""Months for which the last half-year's operating margin is counted after the horizon."""
CHOICES = ("invest", "invest_growth", "invest_time")
GRIDS = ((0.0, 0.12, 0.24, 0.36, 0.5, 0.7, 1.0), (-0.5, 0.0, 0.5, 1.0, 1.5), (-2.0, -1.0, 0.0, 1.0))
"""Values among which a best reply is first sought, one number after the other."""
WIDTHS = (0.06, 0.25, 0.5)
"""How far around the best of them it is sought then; halved once."""


@dataclass(frozen=True)
class Profile:
    """What each vendor chooses, and how good it is against the others.

    Attributes:
        choices [J, 3]: `CHOICES` by vendor. payoff, gain [J]: gain is what its best deviation found adds.
        exploitability: the largest gain over the sum of the payoffs' absolute values.
    """

    choices: tuple[tuple[float, ...], ...]
    payoff: tuple[float, ...]
    gain: tuple[float, ...]
    exploitability: float


@dataclass(frozen=True)
class Equilibrium:
    """Conduct solved.

    Attributes:
        market: the market with the solved weights in it. profile: the profile of least exploitability.
        near: every profile met whose exploitability is below `tolerance`, the best first; never just a point.
        richer: the largest gain found in the richer class, normalised as exploitability is; by whom, and how.
        solved: whether exploitability is below the tolerance. remedy: what to do when not.
        evaluations, seconds, seeds: how it was obtained.
    """

    market: Market
    profile: Profile
    near: tuple[Profile, ...]
    richer: float
    richer_by: str
    tolerance: float
    solved: bool
    remedy: str
    evaluations: int
    seconds: float
    seeds: tuple[int, ...]


def payoffs(run: Run) -> Array:
    """[N, J]: profits discounted to month 0, and `TAIL` months of the last half-year's operating margin."""
    from pricewar.market import kernel as k

    rate = run.market.g[k.DISCOUNT]
    months = run.market.months
    fade = np.exp(-rate * (np.arange(months) + 0.5))
    total = (run.vendor["profit"] * fade[:, None]).sum(axis=1)
    last = min(6, months)
    margin = sum(run.vendor[n][:, -last:] for n in ("revenue", "income")) - sum(
        run.vendor[n][:, -last:] for n in ("rental_paid", "energy_paid", "licences_paid")
    )
    alive = run.vendor["status"][:, -1] == k.ACTIVE
    tail = (1.0 - np.exp(-rate * TAIL)) / rate * np.exp(-rate * months)
    return total + np.where(alive, np.asarray(margin).mean(axis=1), 0.0) * tail


def vendors_that_choose(market: Market) -> list[int]:
    """Rows of vendors whose conduct is `invest`."""
    from pricewar.market import kernel as k

    return [j for j in range(len(market.vendors)) if market.v[j, k.V_CONDUCT] == k.INVEST]


class _Game:
    """Payoffs of profiles, each evaluated once."""

    def __init__(self, market: Market, seeds: Sequence[int], cancel: Callable[[], bool] | None) -> None:
        # The war is on: who opens it is decided inside a run, by rollouts of the conduct found here.
        # Two steps a month at most: a third of the time, and payoffs differ by little (bench/README.md).
        self.market = replace(market.with_({"peace": 0.0}), per_month=min(market.per_month, 2))
        self.seeds, self.cancel = tuple(seeds), cancel
        self.who = vendors_that_choose(market)
        self.known: dict[tuple[float, ...], Array] = {}
        self.evaluations = 0

    def with_(self, x: Array) -> Market:
        """The market with the choices [n, 3] of those who choose."""
        names = self.market.vendors
        return self.market.with_(
            {
                ("vendor", names[j], name): float(x[n, c])
                for n, j in enumerate(self.who)
                for c, name in enumerate(CHOICES)
            }
        )

    def __call__(self, x: Array) -> Array:
        key = tuple(float(value) for value in np.round(x, 4).ravel())
        if key not in self.known:
            self.known[key] = self.of(self.with_(x))
        return self.known[key]

    def of(self, market: Market) -> Array:
        if self.cancel and self.cancel():
            raise KeyboardInterrupt
        self.evaluations += 1
        return payoffs(simulate(market, self.seeds, chunk=max(1, len(self.seeds) // 2))).mean(axis=0)

    def reply(self, x: Array, n: int, numbers: Sequence[int]) -> tuple[Array, float]:
        """Best choices of the n-th chooser against the others, number after number, and what they gain."""
        j = self.who[n]
        here = float(self(x)[j])
        best, value = x[n].copy(), here
        for c in numbers:
            width = WIDTHS[c]
            for trial in range(3):
                centre = best[c]
                points = GRIDS[c] if trial == 0 else (centre - width, centre + width)
                width = width if trial == 0 else width / 2
                for point in points:
                    if c == 0 and point < 0.0:
                        continue
                    y = x.copy()
                    y[n], y[n, c] = best, round(float(point), 4)
                    got = float(self(y)[j])
                    if got > value:
                        best, value = y[n].copy(), got
        return best, value - here


def solve(
    market: Market,
    seeds: Iterable[int] = range(6),
    *,
    starts: Sequence[float | None] = (None, 0.5),
    sweeps: int = 5,
    tolerance: float = 0.02,
    richer: int = 10,
    progress: Callable[[str, float], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Equilibrium:
    """Best replies in turn, from several starts, until nobody moves or exploitability is below tolerance.

    Args:
        seeds: members over which payoffs are averaged; the same for every profile.
        starts: weights every vendor begins with; None for the market's own choices.
        sweeps: rounds of best replies from each start; at least 3, the first two move the weight alone.
        richer: deviations of the richer class tried for each vendor; 0 leaves that check out.
        progress: called with what is under way and the least exploitability so far (NaN before
            a profile was judged).
        cancel: asked before each evaluation; when true the search stops with KeyboardInterrupt.

    Raises:
        ConfigurationError: no vendor's conduct is `invest`.
    """
    from pricewar.market import kernel as k

    began = time.perf_counter()
    game = _Game(market, tuple(seeds), cancel)
    if not game.who:
        raise ConfigurationError(
            f"no vendor of {market.name} has the conduct “invest”",
            remedy="set conduct: invest for the vendors that are to be solved",
        )
    found: list[Profile] = []
    own = market.v[np.ix_(game.who, [k.VENDOR_FIELDS.index(name) for name in CHOICES])]

    def judge(x: Array, gains: Sequence[float]) -> Profile:
        pay = game(x)
        scale = float(np.abs(pay[game.who]).sum()) or 1.0
        full = np.zeros(len(market.vendors))
        full[game.who] = np.maximum(gains, 0.0)
        chosen = np.zeros((len(market.vendors), len(CHOICES)))
        chosen[game.who] = x
        return Profile(
            tuple(tuple(map(float, row)) for row in chosen),
            tuple(map(float, pay)),
            tuple(map(float, full)),
            float(full.max()) / scale,
        )

    for number, start in enumerate(starts):
        x = own.copy()
        if start is not None:
            x[:] = (start, 0.0, 0.0)
        for sweep in range(sweeps):
            # Each replies to what the others have just chosen: the weight first, then how it moves.
            numbers = (0,) if sweep < 2 else (0, 1, 2)
            y = x.copy()
            for n in range(len(x)):
                y[n] = game.reply(y, n, numbers)[0]
            moved, x = not np.array_equal(x, y), y
            if sweep >= 2:
                # All reply to the same profile: that judges it.
                found.append(judge(x, [game.reply(x, n, numbers)[1] for n in range(len(x))]))
            if progress:
                least = min((p.exploitability for p in found), default=np.nan)
                progress(f"start {number + 1} of {len(starts)}, sweep {sweep + 1}", least)
            if sweep >= 2 and (not moved or found[-1].exploitability < tolerance / 4):
                break
    ranked = sorted(found, key=lambda p: p.exploitability)
    best = ranked[0]
    near = tuple(p for p in ranked if p.exploitability < tolerance)
    chosen = np.array([best.choices[j] for j in game.who])
    solved = replace(game.with_(chosen), g=market.g.copy(), per_month=market.per_month)
    gain, by = 0.0, ""
    if richer:
        gain, by = _richer(game, best, richer, progress)
    good = best.exploitability < tolerance
    return Equilibrium(
        market=solved,
        profile=best,
        near=near,
        richer=gain,
        richer_by=by,
        tolerance=tolerance,
        solved=good,
        remedy="" if good else "raise sweeps, add starts, or average over more seeds",
        evaluations=game.evaluations,
        seconds=time.perf_counter() - began,
        seeds=game.seeds,
    )


def _richer(
    game: _Game, profile: Profile, tries: int, progress: Callable[[str, float], None] | None
) -> tuple[float, str]:
    """The most a vendor gains by a conduct outside the class, and who does what."""
    from pricewar.market import kernel as k

    rng = np.random.Generator(np.random.Philox(key=[7, 3]))
    market = game.with_(np.array([profile.choices[j] for j in game.who]))
    scale = sum(abs(profile.payoff[j]) for j in game.who) or 1.0
    best, by = 0.0, "nobody"
    for j in game.who:
        name = market.vendors[j]
        own = profile.choices[j]
        for n in range(tries):
            if n % 2 == 0:
                change: Mapping[str | tuple[str, ...], float] = {
                    f"{name}.invest": max(own[0], 0.1) * float(np.exp(rng.normal(0.0, 0.4))),
                    f"{name}.invest_growth": own[1] + float(rng.normal(0.0, 0.6)),
                    f"{name}.invest_time": own[2] + float(rng.normal(0.0, 1.0)),
                }
                what = "all three numbers at once"
            else:
                change = {
                    f"{name}.conduct": float(k.RULE),
                    f"{name}.rule_light": float(rng.uniform(-2.0, 0.8)),
                    f"{name}.rule_flagship": float(rng.uniform(-1.0, 1.2)),
                    f"{name}.rule_growth": float(rng.uniform(-1.0, 0.2)),
                    f"{name}.rule_time": float(rng.uniform(0.0, 1.5)),
                }
                what = "prices by a rule of growth and time"
            gain = (float(game.of(market.with_(change))[j]) - profile.payoff[j]) / scale
            if gain > best:
                best, by = gain, f"{name}: {what}"
        if progress:
            progress(f"richer deviations, {name}", best)
    return best, by
