"""The futures behind the claims: markets bent by one mechanism at a time, and what is kept of each future.

A variant bends parameters *after* they are drawn, so that a future and its bent copy share every other draw
and all luck: common random numbers (Law 2015, Simulation Modeling and Analysis, §11.2). Unless a variant says
otherwise the war is opened by whom and when the unbent future was: a mechanism's effect is then not mixed
with that of another date.

What is kept of a future: `claims_measures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.market.claims_measures import measure
from pricewar.market.model import Array, Market, simulate
from pricewar.market.stages import STAGES

MONTHS = 48
"""Four years: a war of one or two, and what comes after it."""
FAMILIES = ("plain", "choosers", "verticals", "newcomer")


@dataclass(frozen=True, eq=False)
class Bent(Market):
    """A market whose members are bent after their draw.

    Attributes:
        bends: (address as `Market.with_` takes it, "=" or "×", value), in order.
        openings: by seed, (vendor, month) of the war's opening; vendor −1: it never begins. Empty: a choice.
    """

    bends: tuple[tuple[str, str, float], ...] = ()
    openings: Mapping[int, tuple[int, float]] = field(default_factory=dict)

    def members(self, seeds: Sequence[int]) -> tuple[Array, Array, Array]:
        """As of a plain market, then bent."""
        from pricewar.market import kernel as k

        g, v, t = super().members(seeds)
        for key, how, value in self.bends:
            for where in self.addresses(key):
                array, index = self.at(*where)
                drawn = g if array is self.g else v if array is self.v else t
                at = (slice(None), *index)
                drawn[at] = value if how == "=" else drawn[at] * value
        if self.openings:
            g[:, k.OPENING_FIXED] = 1.0
            g[:, k.OPENER] = [self.openings[s][0] for s in seeds]
            g[:, k.OPENING_MONTH] = [self.openings[s][1] for s in seeds]
        return g, v, t


def bent(
    market: Market,
    bends: Sequence[tuple[str, str, float]] = (),
    openings: Mapping[int, tuple[int, float]] | None = None,
    choices: Sequence[Sequence[float]] | None = None,
    **fields: Any,
) -> Bent:
    """`market` bent; choices [J, 3] are conduct as `conduct.solve` finds it; other fields by keyword."""
    own = {name: getattr(market, name) for name in Market.__dataclass_fields__}
    made = Bent(**(own | fields), bends=tuple((k, h, float(x)) for k, h, x in bends), openings=openings or {})
    for key, how, _ in made.bends:
        made.addresses(key)
        for where in made.addresses(key):
            made.at(*where)
        if how not in ("=", "×"):
            raise ConfigurationError(f"a bend is “=” or “×”, not “{how}”", where=key)
    if choices is None:
        return made
    names = ("invest", "invest_growth", "invest_time")
    solved = [
        (f"{vendor}.{name}", "=", float(x))
        for vendor, row in zip(made.vendors, choices, strict=True)
        for name, x in zip(names, row, strict=True)
    ]
    return replace(made, bends=(*solved, *made.bends))


def family(market: Market, name: str) -> Market:
    """A market of `FAMILIES` made from the plain one.

    - choosers: two small types beside each type but government: one alike, one that looks at price
      alone.
    - verticals: enterprises and government are two verticals with a gap that a licence closes, and a
      specialist of the first vertical waits outside.
    - newcomer: one more vendor waits outside.

    Raises:
        ConfigurationError: no such family, or the market lacks a segment that it needs.
    """
    from pricewar.market import kernel as k

    if name == "plain":
        return market
    if name == "choosers":
        at = [
            i
            for i, n in enumerate(market.types)
            if market.segments[int(market.t[i, k.SEGMENT])] != "government"
        ]
        few = market.t[at].copy()
        few[:, [k.TEAMS, k.POTENTIAL]] *= 0.001  # too few to move the market
        cheap = few.copy()
        cheap[:, k.QUALITY_TASTE] = 0.0
        cheap[:, k.PRICE_TASTE] *= 2.0
        return replace(
            market,
            types=(
                *market.types,
                *(f"{market.types[i]}, alike" for i in at),
                *(f"{market.types[i]}, price only" for i in at),
            ),
            t=np.concatenate([market.t, few, cheap]),
            chi=np.concatenate([market.chi, market.chi[at], market.chi[at]]),
            eco=np.concatenate([market.eco, market.eco[at], market.eco[at]]),
            uncertain=tuple(u for u in market.uncertain) + _copied(market, at),
        )
    if name == "verticals":
        if missing := set(VERTICALS) - set(market.segments):
            raise ConfigurationError(
                f"the claims need a segment “{min(missing)}”",
                where=market.name,
                remedy="leave out claims 10, 16 and 17",
            )
        t = market.t.copy()
        for vertical, segment in enumerate(VERTICALS):
            rows = t[:, k.SEGMENT] == market.segments.index(segment)
            t[rows, k.VERTICAL], t[rows, k.VERTICAL_GAP] = vertical, GAP
        return _with_vendor(replace(market, t=t, verticals=VERTICALS), "specialist")
    if name == "newcomer":
        return _with_vendor(market, "newcomer")
    raise ConfigurationError(
        f"no family of markets “{name}”", remedy=did_you_mean(name, FAMILIES) or ", ".join(FAMILIES)
    )


VERTICALS = ("enterprise", "government")
GAP = 0.6
"""Quality that a model without the vertical's data lacks there: four tenfolds of compute would be 4."""
OUTSIDE_FOR_GOOD = 1e6


def _copied(market: Market, at: Sequence[int]) -> tuple[Any, ...]:
    """Uncertainty of the copied types: the same draw as the type that they copy."""
    made = []
    for u in market.uncertain:
        if u.where[0] != "type" or market.types.index(u.where[1]) not in at:
            continue
        group = u.group or "/".join(u.where)
        for kind in ("alike", "price only"):
            scale = 1.0
            if u.where[2] in ("teams", "potential"):
                scale = 0.001
            elif kind == "price only" and u.where[2] == "quality_taste":
                continue
            elif kind == "price only" and u.where[2] == "price_taste":
                scale = 2.0
            where = ("type", f"{u.where[1]}, {kind}", u.where[2])
            made.append(replace(u, where=where, low=u.low * scale, high=u.high * scale, group=group))
    return tuple(made)


def _with_vendor(market: Market, name: str) -> Market:
    """One more vendor, alike in nothing special, that stays outside unless a bend lets it in."""
    from pricewar.market import kernel as k

    sellers = [j for j in range(len(market.vendors)) if market.v[j, k.V_CONDUCT] != k.FRINGE]
    row = np.median(market.v[sellers], axis=0)
    for column, value in (
        (k.V_ENTERS, OUTSIDE_FOR_GOOD),
        (k.V_SHARE, 0.0),
        (k.V_CONSUMERS, 0.0),
        (k.V_EXPERIENCE, market.v[sellers, k.V_EXPERIENCE].min()),
        (k.V_CONDUCT, k.INVEST),
    ):
        row[column] = value
    none = np.zeros((len(market.types), 1))
    return replace(
        market,
        vendors=(*market.vendors, name),
        v=np.concatenate([market.v, row[None]]),
        chi=np.concatenate([market.chi, none], axis=1),
        eco=np.concatenate([market.eco, none], axis=1),
    )


def coords(market: Market) -> dict[str, list[Any]]:
    """Labels of the axes of `MEASURES` in this market."""
    return {
        "month": list(range(1, market.months + 1)),
        "vendor": list(market.vendors),
        "type": list(market.types),
        "stage": list(STAGES),
    }


def future(market: Market, seed: int) -> dict[str, Array]:
    """What `MEASURES` names, of one future."""
    return measure(simulate(market, (seed,)))
