"""One step of the market as a pure function: state and actions in, state and outcome out.

    state' , outcome = step(market, state, actions, draws)

Nothing given is changed. The compiled pass that `model.simulate` runs is the one that runs here, so that
`begin` followed by a `step` for every row of `market.luck` is `simulate`, bit for bit; what this adds is that
a vendor's terms may come from outside at every step (conduct "external"), and that every state on the way
can be kept, looked at, changed and gone on from. Uncertain parameters stay at the market's own values;
`member` fixes them as a seed of `simulate` would.

Money in the market's currency, tokens in millions, time in months; flows are of the step, stocks at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.market.model import Array, Market, check

DEPTHS = ("trial", "integrated", "embedded")


class Terms(NamedTuple):
    """What a vendor asks: list prices, money per million tokens, and free millions of tokens a month.

    None leaves a term as it is.
    """

    light: float | None = None
    flagship: float | None = None
    allowance: float | None = None


@dataclass(frozen=True, eq=False)
class State:
    """The market between two steps; its arrays are read-only.

    Attributes:
        vendors, types: names of the rows.
        vendor_state [J, ·], world_state [·]: columns are `kernel.STATE_FIELDS` and `kernel.WORLD_FIELDS`.
        teams [T, 3, J]: teams by type, depth (`DEPTHS`) and vendor. pool [T]: teams that use nobody yet.
        budgets [T]: growth of a team's budget since the start, a factor.
        licences [V, J]: 1 where a licence is in force. fees [V, J]: its fee, or the share of revenue.
    """

    vendors: tuple[str, ...]
    types: tuple[str, ...]
    vendor_state: Array
    world_state: Array
    teams: Array
    pool: Array
    budgets: Array
    licences: Array
    fees: Array

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            array = np.array(getattr(self, name), dtype=float)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def vendor(self, name: str) -> Array:
        """[J] one column of `kernel.STATE_FIELDS`, for example "cash".

        Raises:
            ConfigurationError: no such column, with the nearest name.
        """
        from pricewar.market import kernel as k

        return self.vendor_state[:, _place(k.STATE_FIELDS, name)]

    def world(self, name: str) -> float:
        """One entry of `kernel.WORLD_FIELDS`, for example "time" (months) or "rental".

        Raises:
            ConfigurationError: no such entry, with the nearest name.
        """
        from pricewar.market import kernel as k

        return float(self.world_state[_place(k.WORLD_FIELDS, name)])

    @property
    def time(self) -> float:
        """Months since the start."""
        return self.world("time")

    @property
    def active(self) -> tuple[str, ...]:
        """Vendors that serve now."""
        from pricewar.market import kernel as k

        return tuple(
            n for n, s in zip(self.vendors, self.vendor("status"), strict=True) if int(s) == k.ACTIVE
        )

    @property
    def verdict(self) -> str:
        """How the market stands: "open", "one vendor left", or "no vendor left": teams then use nobody."""
        return {0: "no vendor left", 1: "one vendor left"}.get(len(self.active), "open")

    def with_(self, changes: Mapping[str, Array | float] | None = None, **arrays: Array) -> State:
        """A copy with columns of the vendors replaced by name, and whole arrays by keyword."""
        from pricewar.market import kernel as k

        table = np.array(arrays.pop("vendor_state", self.vendor_state))
        for name, value in (changes or {}).items():
            table[:, _place(k.STATE_FIELDS, name)] = value
        return replace(self, vendor_state=table, **arrays)


_ARRAYS = ("vendor_state", "world_state", "teams", "pool", "budgets", "licences", "fees")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What happened in a step.

    Attributes:
        vendor: series of `kernel.VENDOR_SERIES`, name → [J]. type: of `kernel.TYPE_SERIES`, name → [T].
        world: of `kernel.WORLD_SERIES`, name → number. Flows are of the step, stocks at its end.
        teams [T, J]: at its end. events: rows (month, kind, vendor, value, tier), in order.
    """

    vendor: Mapping[str, Array]
    type: Mapping[str, Array]
    world: Mapping[str, float]
    teams: Array
    events: Array


def member(market: Market, seed: int) -> Market:
    """The market with its uncertain parameters as that seed of `simulate` draws them."""
    g, v, t = market.members([seed])
    return replace(market, g=g[0], v=v[0], t=t[0], uncertain=())


def begin(market: Market, luck: Array | None = None) -> State:
    """The state at month 0.

    Args:
        luck: [J, 3] uniform numbers; the third says how far each vendor is from its next training run, as
            `Market.luck`'s first step does in `simulate`. Without them all are half way.

    Raises:
        ConfigurationError: a parameter outside what the model can take.
    """
    from pricewar.market import kernel as k

    check(market)
    T, J, V = len(market.types), len(market.vendors), max(len(market.verticals), 1)
    s, w = np.zeros((J, len(k.STATE_FIELDS))), np.zeros(len(k.WORLD_FIELDS))
    m, pool, bg = np.zeros((T, k.L, J)), np.zeros(T), np.ones(T)
    luck = np.full((J, 3), 0.5) if luck is None else _own(luck)
    k.begin(_own(market.g), _own(market.v), _own(market.t), s, w, m, pool, bg, luck)
    none = np.zeros((V, J))
    return State(market.vendors, market.types, s, w, m, pool, bg, none, none)


def step(
    market: Market,
    state: State,
    actions: Mapping[str, Terms] | None = None,
    draws: Array | None = None,
) -> tuple[State, Outcome]:
    """The market a step later (1/market.per_month months), and what happened on the way.

    Args:
        actions: terms of vendors whose conduct is external, by name; in force from the step's beginning, and
            free of the frictions (menu, successors) that the others' reviews meet. A vendor that does not
            serve now is left alone.
        draws: [J, 3] uniform numbers of this step, a row of `market.luck`; the middle of each when left out.

    Raises:
        ConfigurationError: an action for an unknown vendor or one whose conduct is not external, a term that
            is negative or no number, draws of another shape.
    """
    from pricewar.market import kernel as k

    T, J = len(market.types), len(market.vendors)
    g, v, t, chi, eco, script = (
        _own(a) for a in (market.g, market.v, market.t, market.chi, market.eco, market.script)
    )
    s, w, m, pool, bg, lic, fee = (np.array(getattr(state, name)) for name in _ARRAYS)
    luck = np.full((J, 3), 0.5) if draws is None else np.array(draws, dtype=float)
    if luck.shape != (J, 3):
        raise ConfigurationError(
            f"draws have shape {luck.shape}", where="step", remedy=f"give {(J, 3)}: a row of market.luck"
        )
    dt = 1.0 / market.per_month
    w[k.TIME] = round(w[k.TIME] * market.per_month) * dt  # as `run` counts it, free of summed rounding
    events, count = np.zeros((64 + (8 + len(lic)) * J + 4 * len(script), 5)), np.zeros(1, np.int64)
    for name, terms in (actions or {}).items():
        _act(market, name, terms, g, s, w, events, count)
    who, when = -1, 0.0
    if g[k.PEACE] > 0.0 and w[k.WAR] <= 0.0:
        who, when = k.opening(g, v, t, chi, eco, script, s, w, m, pool, bg, lic, fee, luck, dt)
    ov, ot = np.zeros((J, len(k.VENDOR_SERIES))), np.zeros((T, len(k.TYPE_SERIES)))
    om, ow = np.zeros((T, J)), np.zeros(len(k.WORLD_SERIES))
    k.step(g, v, t, chi, eco, script, s, w, m, pool, bg, lic, fee, luck, dt, who, when, ov, ot, ow,
           events, count)  # fmt: skip
    k.stocks(g, v, s, w, m, pool, ov, ot, om, ow)
    outcome = Outcome(
        vendor={name: ov[:, n] for n, name in enumerate(k.VENDOR_SERIES)},
        type={name: ot[:, n] for n, name in enumerate(k.TYPE_SERIES)},
        world={name: float(ow[n]) for n, name in enumerate(k.WORLD_SERIES)},
        teams=om,
        events=events[: count[0]],
    )
    return State(state.vendors, state.types, s, w, m, pool, bg, lic, fee), outcome


def _act(
    market: Market, name: str, terms: Terms, g: Array, s: Array, w: Array, events: Array, count: Array
) -> None:
    """Post outside terms on the copied state."""
    from pricewar.market import kernel as k

    if name not in market.vendors:
        known = did_you_mean(name, market.vendors) or f"known: {', '.join(market.vendors)}"
        raise ConfigurationError(f"“{name}” is no vendor of {market.name}", where="actions", remedy=known)
    j = market.vendors.index(name)
    if int(market.v[j, k.V_CONDUCT]) != k.EXTERNAL:
        raise ConfigurationError(
            f"{name} sets its own terms", where="actions", remedy=f"set {name}.conduct to external"
        )
    for term, value in zip(Terms._fields, terms, strict=True):
        if value is not None and not 0.0 <= value < np.inf:
            raise ConfigurationError(
                f"{term} is {value}", where=f"actions, {name}", remedy="give a number from 0"
            )
    if s[j, k.STATUS] != k.ACTIVE:
        return
    smooth = g.copy()
    smooth[k.MENU] = smooth[k.RISE_NEEDS_SUCCESSOR] = 0.0
    now = (s[j, k.PRICE_L], s[j, k.PRICE_F], s[j, k.ALLOWANCE])
    p0, p1, free = (float(old if new is None else new) for old, new in zip(now, terms, strict=True))
    k._post(smooth, s, w, j, p0, p1, free, events, count)
    if w[k.WAR] <= 0.0 and s[j, k.FIRST_CUT] >= 0.0:
        w[k.WAR], w[k.WAR_TIME], w[k.WAR_OPENER] = 1.0, w[k.TIME], j
        k._note(events, count, w[k.TIME], k.OPENED, j, 0.0, 0.0)


def _own(array: Array) -> Array:
    """A plain, writeable, contiguous copy: the compiled pass then meets one type only."""
    return np.array(array, dtype=float, order="C")


def _place(names: tuple[str, ...], name: str) -> int:
    if name not in names:
        raise ConfigurationError(
            f"“{name}” is not in the state", remedy=did_you_mean(name, names) or f"known: {', '.join(names)}"
        )
    return names.index(name)
