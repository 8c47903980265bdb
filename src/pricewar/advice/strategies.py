"""Strategies over common futures: plain rules, and the optimal policy.

A world is a set of futures with what each offer would cost in each month. A path is the offer used in each
draw and month; `World.account` says what a path costs, switches included. Rules are fitted on some futures
and judged on fresh ones.

The optimal policy is least-squares Monte Carlo for optimal switching (Longstaff and Schwartz 2001, Review of
Financial Studies 14:113; Carmona and Ludkovski 2008, Applied Mathematical Finance 15:405). With J_m(o, τ) the
cost from month m on of a team that has used offer o for τ months, κ the cost of a switch and β a month's
discount,

    J_m(o, τ) = min over o′ of  c_m(o′) + κ(o, τ, o′) 1[o′ ≠ o] + β E_m J_{m+1}(o′, τ′)

Only differences between offers decide, so the regression forecasts J(o′, τ′) less one offer's on the same
draw: what all offers share cancels, and without switching costs the differences are exactly zero. Realised,
not forecast, costs are carried backwards. Months of use stand in the state unrounded, since gifts run out and
switching costs deepen by them; a gift counts only for a team that joined in month 0, as nobody promises it
later. Given the realised costs as their own forecast, the same recursion is the clairvoyant's.

The module passes 500 lines because world and policy share one layout of arrays, which only stands here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricewar.advice import kernel
from pricewar.advice.surfaces import Response
from pricewar.advice.team import Team
from pricewar.futures import Futures

Floats = NDArray[np.float64]
Path = NDArray[np.int64]
RIDGES = (1e-3, 1e-1, 1.0)
MARGINS = (0.0, 0.25, 0.5, 1.0, 2.0, 1e6)
"""Tried on futures a forecast has not seen: shrinkage of the regression, and what a move must promise beyond
its cost (the last: never move). A noisy forecast moves too often."""
FEW = 4
SPILL = 0.001
"""Requests refused, as a share, that can be asked again; more need another vendor."""
COLUMNS = ("use", "refused", "switching", "ecosystem", "unserved", "switches")


@dataclass(frozen=True)
class Costs:
    """What moving costs a team, and how it counts: money in its currency.

    Attributes:
        join: [O] first integration. leave, within: [O, T] a switch to another vendor, and within one, after T
            months of use (the last entry stands for longer). gain: [2, O] least and most a month.
        worth: [O] money for each refused request. requests: a month at load 1. present, used: the offer in
            use (−1: none) and months of it. upkeep: a month, whatever is used; setup: once.
        beside: [O] money for a month in which the offer refuses more than `SPILL`: a vendor beside it must be
            kept. extra: [O] its integration, for a team that begins anew. beta: a month's discount factor.
    """

    join: Floats
    leave: Floats
    within: Floats
    gain: Floats
    worth: Floats
    requests: float
    present: int
    used: int
    beta: float
    beside: Floats
    extra: Floats | float = 0.0
    setup: float = 0.0
    upkeep: float = 0.0

    @property
    def begin(self) -> Floats:
        """[O] what beginning with an offer costs a team that has none."""
        return self.join + self.extra

    def free(self) -> Costs:
        """The same team if leaving cost nothing (integrating first still does)."""
        return replace(self, leave=np.zeros_like(self.leave), within=np.zeros_like(self.within))


def costs_of(
    team: Team,
    vendors: Sequence[str],
    found: Sequence[Response],
    *,
    day: float,
    worth: Floats,
    requests: float,
    present: int,
    portable: bool = False,
    served_by: frozenset[str] = frozenset(),
) -> Costs:
    """The team's costs for offers of `vendors`; `day`: money for an engineer's day; `served_by`: vendors that
    serve what an offer refuses, none where a refusal is only lost."""
    s, months = team.switching, team.horizon
    growth = float(s.deepening)
    deep = int(np.ceil((float(s.deepest) - 1) / growth)) if growth > 0 else 0
    gifts = [min(r.gift[1], months) + 1 for r in found if r.gift is not None]
    used = max(team.present.months, 1) if team.present is not None and present >= 0 else 0
    tops = int(min(max([deep, 1, *gifts, *(r.committed[0] for r in found)]), months + used + 1))
    p = team.portability
    work, near = np.array([s.days(m, p.saves if portable else None) for m in range(tops + 1)]).T
    rest = np.array([r.committed[0] for r in found])[:, None] - np.arange(tops + 1)
    owed = np.maximum(rest, 0) * np.array([r.committed[1] for r in found])[:, None]
    eco = [team.ecosystem.get(v) for v in vendors]
    loss = np.array([float(e.loss) if e is not None else 0.0 for e in eco])
    gain = np.array([[float(e.gain[i]) if e is not None else 0.0 for e in eco] for i in (0, 1)])
    return Costs(
        join=np.full(len(vendors), day * float(work[0])),
        leave=np.ascontiguousarray(day * work[None, :] + loss[:, None] + owed),
        within=np.ascontiguousarray(day * near[None, :] + owed),
        gain=gain,
        worth=worth,
        requests=requests,
        present=present,
        used=used,
        beta=float((1 + team.discount) ** -1) ** (1 / 12),
        beside=np.array([day * float(team.second_vendor) if served_by - {v} else 0.0 for v in vendors]),
        setup=day * float(p.setup) if portable else 0.0,
        upkeep=day * float(p.upkeep) if portable else 0.0,
    )


@dataclass(frozen=True)
class Surfaces:
    """Responses as arrays, and which of them bills each offer under each status."""

    own: NDArray[np.int64]
    after: NDArray[np.int64]
    late: NDArray[np.int64]
    gift: Floats
    lasting: NDArray[np.bool_]
    tables: tuple[Any, ...]

    @classmethod
    def of(
        cls,
        offers: Sequence[str],
        siblings: Sequence[str | None],
        found: Mapping[str, Response],
        lasting: Sequence[bool],
    ) -> Surfaces:
        """`found` holds a response for each offer, and for each sibling that can be billed; `lasting` tells
        offers of paid, open-ended terms from free, granted and introductory ones."""
        names = list(found)
        rows = [found[name] for name in names]
        most_a, most_l = max(len(r.allowances) for r in rows), max(len(r.limits) for r in rows)
        sizes = np.array(
            [
                (
                    len(r.allowances),
                    len(r.limits),
                    r.money,
                    0 if r.gift is None else 1 + r.gift_money,
                    r.lumpy,
                )
                for r in rows
            ],
            dtype=np.int64,
        )
        grid_a, grid_l = np.ones((len(rows), most_a)), np.ones((len(rows), most_l))
        pay, refused = (np.zeros((len(rows), 2, most_a, most_l)) for _ in range(2))
        for i, r in enumerate(rows):
            a, n = len(r.allowances), len(r.limits)
            grid_a[i, :a], grid_l[i, :n] = r.allowances, r.limits
            pay[i, :, :a, :n], refused[i, :, :a, :n] = r.pay, r.refused
        flat = np.array([r.flat for r in rows])
        gift = np.array([r.gift or (0.0, 0.0, 0.0) for r in rows])
        own = np.array([names.index(o) for o in offers], dtype=np.int64)
        after, late = own.copy(), own.copy()
        for i, (offer, sibling) in enumerate(zip(offers, siblings, strict=True)):
            other = names.index(sibling) if sibling is not None and sibling in found else -1
            alone = int(own[i]) if found[offer].paid else -1
            after[i] = other if other >= 0 else alone
            late[i] = alone if alone >= 0 else other
        return cls(
            own,
            after,
            late,
            gift,
            np.array(lasting, dtype=np.bool_),
            (sizes, grid_a, grid_l, pay, refused, flat),
        )


class World:
    """Futures, and what each offer costs in each month of each.

    Attributes:
        pay, share: [D, M, O] money and share refused; gift_pay, gift_share: of a team that joined in month 0.
        load: [D, M]. noise: [D, O] factor on money, for a model whose token counts nobody measured.
        elsewhere: [D, M] factor on what refused requests cost.
        known, gift: [D, M, O] cost as the team knows it when it decides, and what a gift takes off.
    """

    def __init__(
        self,
        futures: Futures,
        surfaces: Surfaces,
        vendor: NDArray[np.int64],
        load: Floats,
        noise: Floats,
        luck: Floats,
        costs: Costs,
        mean_noise: Floats,
        elsewhere: Floats,
    ) -> None:
        self.futures, self.surfaces, self.vendor = futures, surfaces, vendor
        self.load, self.noise, self.luck, self.costs, self.mean_noise = load, noise, luck, costs, mean_noise
        shape = futures.price.shape
        outs = [np.empty(shape) for _ in range(4)]
        kernel.months(
            load, futures.price, futures.status, futures.allowance, futures.limit, futures.successor,
            surfaces.own, surfaces.after, surfaces.late, surfaces.gift, *surfaces.tables, *outs,
        )  # fmt: skip
        self.pay, self.share, self.gift_pay, self.gift_share = outs
        self.status = futures.status
        self.gains = costs.gain[0] + (costs.gain[1] - costs.gain[0]) * luck
        self.elsewhere = elsewhere
        mean_gain = costs.gain.mean(axis=0)
        self.known = self.pay * mean_noise + self._refused(self.share) - mean_gain
        gifted = self.gift_pay * mean_noise + self._refused(self.gift_share) - mean_gain
        self.gift = self.known - gifted
        self.open = self.share < 1 - 1e-12
        self.discount = costs.beta ** np.arange(shape[1])
        self._seen: dict[int, Floats] = {}

    def _refused(self, share: Floats, month: int | None = None) -> Floats:
        """What refused work costs: [D, M, O], or [D, O] of a month."""
        asked = self.load * self.costs.requests * self.elsewhere
        asked = asked[:, :, None] if month is None else asked[:, month, None]
        return share * asked * self.costs.worth + np.where(share > SPILL, self.costs.beside, 0.0)

    def draws(self, first: int, last: int) -> World:
        """Some of the draws."""
        other, part = object.__new__(World), slice(first, last)
        other.__dict__.update(self.__dict__)
        other.futures = self.futures.between(first, last)
        for name in ("load", "noise", "luck", "pay", "share", "gift_pay", "gift_share", "status", "gains",
                     "known", "gift", "open", "elsewhere"):  # fmt: skip
            setattr(other, name, getattr(self, name)[part])
        other._seen = {}
        return other

    def among(self, offers: NDArray[np.int64]) -> World:
        """Some of the offers, for a policy that considers no others (rules and pairs need them all)."""
        if len(offers) == self.shape[2]:
            return self
        other = object.__new__(World)
        other.__dict__.update(self.__dict__)
        for name in ("pay", "share", "gift_pay", "gift_share", "status", "known", "gift", "open"):
            setattr(other, name, np.ascontiguousarray(getattr(self, name)[:, :, offers]))
        for name in ("noise", "luck", "gains"):
            setattr(other, name, np.ascontiguousarray(getattr(self, name)[:, offers]))
        c = self.costs
        at = np.flatnonzero(offers == c.present)
        other.costs = replace(
            c, join=c.join[offers], leave=c.leave[offers], within=c.within[offers], gain=c.gain[:, offers],
            present=int(at[0]) if len(at) else -1, beside=c.beside[offers], worth=c.worth[offers],
            extra=(c.extra + 0 * c.join)[offers],
        )  # fmt: skip
        other.vendor, other._seen = self.vendor[offers], {}
        return other

    def features(self, month: int) -> Floats:
        """`_features`, made once."""
        if month not in self._seen:
            self._seen[month] = _features(self, month)
        return self._seen[month]

    @property
    def shape(self) -> tuple[int, int, int]:
        return (*self.load.shape, len(self.vendor))  # type: ignore[return-value]

    def with_costs(self, costs: Costs) -> World:
        """The same futures for another set of switching costs."""
        other = object.__new__(World)
        other.__dict__.update(self.__dict__)
        other.costs = costs
        return other

    def account(self, path: Path) -> Floats:
        """[D, M, 6] what a path costs, by `COLUMNS`; the first four are discounted money."""
        c, out = self.costs, np.zeros((*path.shape, 6))
        kernel.account(
            path, self.pay, self.share, self.gift_pay, self.gift_share, self.status, self.vendor, c.leave,
            c.within, c.begin, self.gains, c.present, c.used, self.noise, c.worth, self.elsewhere, c.beside,
            SPILL, c.requests, self.load, self.discount, out,
        )  # fmt: skip
        out[:, :, 2] += c.upkeep * self.discount
        out[:, 0, 2] += c.setup
        return out

    def pair(self, a: int, b: int, upkeep: float) -> Floats:
        """[D, M, 6] what two vendors side by side cost, each taking what the other refuses."""
        c, f = self.costs, self.futures
        out = np.zeros((*self.load.shape, 6))
        joins, used = 0.0, [0, 0]
        for i, o in enumerate((a, b)):
            if o == c.present:
                used[i] = c.used
            else:
                joins += c.join[o]
        arguments: list[Any] = [
            a, b, self.load, f.price, f.status, f.allowance, f.limit, f.successor, self.surfaces.own,
            self.surfaces.after, self.surfaces.late, *self.surfaces.tables, self.pay, self.share, c.within,
            self.gains, self.noise, c.worth, self.elsewhere, c.requests, upkeep, joins, self.discount, *used,
            out,
        ]  # fmt: skip
        kernel.pair(*arguments)
        return out

    def rule(
        self,
        kind: int,
        start: int,
        *,
        payback: float = 0.0,
        dwell: int = 1,
        until: int = kernel.FOREVER,
        paid_only: bool = False,
    ) -> Path:
        """The path of a plain rule (`kernel.follow`)."""
        c, out = self.costs, np.empty(self.load.shape, dtype=np.int64)
        arguments: list[Any] = [
            kind, start, payback, dwell, until, paid_only, self.known, self.gift, self.open, self.status,
            self.surfaces.lasting, self.vendor, c.leave, c.within, c.present, c.used, out,
        ]  # fmt: skip
        kernel.follow(*arguments)
        return out

    def total(self, path: Path) -> float:
        """Mean discounted cost of a path."""
        return float(money(self.account(path)).mean())

    def cheapest(self) -> Path:
        """The cheapest offer of each month, whatever moving costs."""
        start = self.costs.present if self.costs.present >= 0 else int(self.known[:, 0].mean(axis=0).argmin())
        return self.rule(kernel.CHEAPEST, start)

    def clairvoyant(self) -> Path:
        """The best path of each draw, for one who knows all of it beforehand: a bound, no advice."""
        return _perfect(self)

    def moves(self, month: int) -> NDArray[np.bool_]:
        """[D, O] whether an offer's vendor forces a move to its successor this month."""
        if month == 0:  # who joins now joins the successor; who is there already must follow
            there = np.arange(len(self.vendor)) == self.costs.present
            return (self.status[:, 0] == 2) & there
        return (self.status[:, month] == 2) & (self.status[:, month - 1] != 2)

    def paid(self, month: int) -> tuple[Floats, Floats]:
        """[D, O] twice: a month as realised, and what a gift takes off it."""
        share, gift_share = self.share[:, month], self.gift_share[:, month]
        real = self.pay[:, month] * self.noise + self._refused(share, month) - self.gains
        gifted = self.gift_pay[:, month] * self.noise + self._refused(gift_share, month) - self.gains
        return real, real - gifted


def money(account: Floats) -> Floats:
    """[D] discounted cost of each draw."""
    return account[:, :, :4].sum(axis=(1, 2))


# --- the optimal policy -----------------------------------------------------------------------------------


@dataclass
class _Step:
    """A month's forecast: per offer standardised features → differences in cost from next month on."""

    centre: Floats  # [O, K]
    scale: Floats  # [O, K]
    coefficient: Floats  # [O, K, T]
    mean: Floats  # [O, T]
    most: float

    def expect(self, features: Floats) -> Floats:
        """[D, O, T] from features [O, D, K]."""
        z = (features - self.centre[:, None]) / self.scale[:, None]
        found = z @ self.coefficient + self.mean[:, None]
        return np.ascontiguousarray(np.clip(found, -self.most, self.most).transpose(1, 0, 2))

    def at(self, features: Floats, state: NDArray[np.int64]) -> Floats:
        """[D, O] the same, for one number of months of use in each draw."""
        z = (features - self.centre[:, None]) / self.scale[:, None]
        if (state == state[0]).all():
            found = (z @ self.coefficient[:, :, state[0], None])[:, :, 0] + self.mean[:, state[0], None]
        else:
            found = (z * self.coefficient[:, :, state].transpose(0, 2, 1)).sum(axis=2) + self.mean[:, state]
        return np.clip(found, -self.most, self.most).T


@dataclass
class Policy:
    """The optimal policy, fitted: a forecast for each month, and the margin a move must promise.

    Attributes:
        offers: those it considers. Forecasts of many offers from few futures favour lucky ones.
        tested: its cost in each of the futures held out while shrinkage and margin were chosen, fitted on the
            others; None: too few.
    """

    steps: list[_Step]
    offers: NDArray[np.int64]
    margin: float = 0.0
    tested: Floats | None = None

    @classmethod
    def fit(cls, world: World, offers: Sequence[int] | None = None) -> Policy:
        """Fit on the draws of `world`: shrinkage and margin on half of them, judged by the other half."""
        chosen = np.arange(world.shape[2]) if offers is None else np.array(sorted(set(offers)))
        world = world.among(chosen)
        draws = world.shape[0]
        ridge, margin, tested = RIDGES[0], MARGINS[0], None
        moving = world.costs.leave.any() or world.costs.within.any()
        if draws >= 2 * FEW and moving:
            half, rest = world.draws(0, draws // 2), world.draws(draws // 2, draws)
            tried = []
            for r in RIDGES:
                steps = cls._fit(half, r, 0.0)
                tried += [(rest.total(_forward(rest, steps, m)), m, r) for m in MARGINS]
            _, margin, ridge = min(tried)
            steps = cls._fit(half, ridge, 0.0)
            tested = money(rest.account(_forward(rest, steps, margin)))
        return cls(cls._fit(world, ridge, margin), chosen, margin, tested)

    @classmethod
    def _fit(cls, world: World, ridge: float, margin: float) -> list[_Step]:
        draws, months, offers = world.shape
        c = world.costs
        states = c.leave.shape[1]
        value = np.zeros((draws, offers, states))
        choice = np.empty((draws, offers, states), dtype=np.int16)
        most = float(max(c.leave.max(), c.within.max())) + float(
            np.abs(world.gift).sum(axis=1).max(initial=0)
        )
        steps: list[_Step] = []
        for m in range(months - 1, -1, -1):
            features = world.features(m)
            step = _regress(features, value, most, ridge)
            steps.append(step)
            value = _improve(world, m, value, step.expect(features), choice, margin)
        return steps[::-1]

    def path(self, world: World) -> Path:
        """What the policy does in the draws of `world`."""
        return self.offers[_forward(world.among(self.offers), self.steps, self.margin)]


def _improve(
    world: World, m: int, value: Floats, expect: Floats, choice: NDArray[np.int16], margin: float = 0.0,
    perfect: bool = False,
) -> Floats:  # fmt: skip
    c = world.costs
    out = np.empty_like(value)
    paid = world.paid(m)
    known = paid if perfect else (world.known[:, m], world.gift[:, m])
    kernel.improve(
        m, world.vendor, *known, *paid, world.moves(m), c.leave, c.within, margin, value, expect, c.beta, out,
        choice,
    )  # fmt: skip
    return out


def _features(world: World, m: int) -> Floats:
    """[O, D, K] what is seen in month m and may tell how offers will differ from next month on."""
    known = world.known[:, m]
    draws, offers = known.shape
    usual = max(float(np.median(np.abs(known))), 1e-12)
    z = np.log1p(np.maximum(known, 0) / usual)
    if offers > 1:
        order = np.sort(z, axis=1)
        first = z.argmin(axis=1)
        other = np.where(np.arange(offers) == first[:, None], order[:, 1:2], order[:, :1])
    else:
        other = z
    # What leaving now would save until the end, as far as leaving costs: the shape an advantage has.
    lowest = np.partition(known, 1, axis=1)[:, :2] if offers > 1 else np.repeat(known, 2, axis=1)
    best = np.where(known.argmin(axis=1)[:, None] == np.arange(offers), lowest[:, 1:], lowest[:, :1])
    bar = float(world.costs.leave.mean())
    left = float(world.discount[: world.shape[1] - m].sum())
    saving = np.clip((known - best) * left / bar, -1, 1) if bar > 0 else np.zeros_like(known)
    status = world.status[:, m]
    frontier = np.log(np.maximum(world.futures.frontier[:, m], 1e-9))
    common = np.stack([frontier[:, 0], frontier[:, 1], np.log(np.maximum(world.load[:, m], 1e-9))], axis=1)
    own = np.stack(
        [z, other, z * z, other * other, z * other, saving, status == 1, status == 2, world.share[:, m]],
        axis=2,
    )
    both = np.concatenate([own, np.broadcast_to(common[:, None], (draws, offers, 3))], axis=2)
    return np.ascontiguousarray(both.transpose(1, 0, 2))


def _regress(features: Floats, value: Floats, most: float, ridge: float) -> _Step:
    """Ridge regression of cost differences; a feature that does not vary has no say."""
    draws = value.shape[0]
    target = (value - value[:, :1, :1]).transpose(1, 0, 2)
    centre, spread = features.mean(axis=1), features.std(axis=1)
    still = spread < 1e-9 * (1 + np.abs(centre))
    scale = np.where(still, 1.0, spread)
    z = np.where(still[:, None], 0.0, (features - centre[:, None]) / scale[:, None])
    mean = target.mean(axis=1)
    gram = z.transpose(0, 2, 1) @ z + ridge * draws * np.eye(features.shape[2])
    coefficient = np.linalg.solve(gram, z.transpose(0, 2, 1) @ (target - mean[:, None]))
    return _Step(centre, np.where(still, np.inf, scale), coefficient, mean, most)


def _forward(world: World, steps: Sequence[_Step], margin: float) -> Path:
    """The path of a policy, month by month."""
    draws, months = world.load.shape
    c = world.costs
    tops = c.leave.shape[1] - 1
    rows, first = np.arange(draws), min(1, tops)
    path = np.empty((draws, months), dtype=np.int64)
    now, tenure = np.full(draws, c.present, dtype=np.int64), np.full(draws, c.used, dtype=np.int64)
    for m, step in enumerate(steps):
        features = world.features(m)
        new = world.known[:, m] + c.beta * step.at(features, np.full(draws, first))
        if m == 0:
            new = new - world.gift[:, 0]
        if m == 0 and c.present < 0:
            path[:, 0] = (new + c.begin).argmin(axis=1)
        else:
            t = np.minimum(tenure, tops)
            stay = world.known[rows, m, now] + world.moves(m)[rows, now] * c.within[now, t]
            stay += c.beta * step.at(features, np.minimum(t + 1, tops))[rows, now]
            stay -= np.where((t == m) & (t < tops), world.gift[rows, m, now], 0.0)
            same = world.vendor[now][:, None] == world.vendor
            new += (1 + margin) * np.where(same, c.within[now, t][:, None], c.leave[now, t][:, None])
            new[rows, now] = np.inf
            best = new.argmin(axis=1)
            path[:, m] = np.where(new[rows, best] < stay, best, now)
        tenure = np.where(path[:, m] == now, tenure + 1, 1)
        now = path[:, m]
    return path


def _perfect(world: World) -> Path:
    """The path of one who knows each draw to its end."""
    draws, months, offers = world.shape
    c = world.costs
    states = c.leave.shape[1]
    value = np.zeros((draws, offers, states))
    chosen: list[NDArray[np.int16]] = []
    for m in range(months - 1, -1, -1):
        choice = np.empty((draws, offers, states), dtype=np.int16)
        value = _improve(world, m, value, value - value[:, :1, :1], choice, perfect=True)
        chosen.append(choice)
    chosen.reverse()
    rows = np.arange(draws)
    path = np.empty((draws, months), dtype=np.int64)
    now, tenure = np.full(draws, c.present, dtype=np.int64), np.full(draws, c.used, dtype=np.int64)
    for m in range(months):
        if m == 0 and c.present < 0:  # the recursion may have moved on at once
            begin = (value[:, :, 0] + c.begin).argmin(axis=1)
            path[:, 0] = chosen[0][rows, begin, 0]
        else:
            path[:, m] = chosen[m][rows, now, np.minimum(tenure, states - 1)]
        tenure = np.where(path[:, m] == now, tenure + 1, 1)
        now = path[:, m]
    return path
