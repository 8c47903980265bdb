"""Published figures and ours, side by side: published, ours, difference, seconds.

Each `Target` names one figure of the literature (or an analytic law), how closely ours must agree, and the
function that computes ours; nothing is computed before it is asked for, and figures of one solution share it.
A target that fails, or whose solver does, is a row like any other, with what went wrong in `note`.

`digits` says where the figure comes from: "published" to the digits printed in the source, "analytic" where
a formula gives it, "prototype" for further digits or counts that independent programs agreed on before.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pricewar.errors import ConfigurationError, PricewarError, did_you_mean
from pricewar.games.solution import Solution


@dataclass(frozen=True)
class Target:
    """One figure. `ours` computes it; `long` keeps it out of the fast tier."""

    id: str
    model: str
    what: str
    published: float
    tolerance: float
    digits: str
    ours: Callable[[], float]
    long: bool = False


@dataclass(frozen=True)
class Row:
    """What was compared. `ours` and `difference` are NaN when the solver failed; `note` then says why."""

    id: str
    model: str
    what: str
    published: float
    ours: float
    difference: float
    tolerance: float
    digits: str
    agrees: bool
    seconds: float
    note: str = ""


# --- solutions that several figures share ----------------------------------------------------------------


@lru_cache(maxsize=1)
def _bdk() -> list[Solution]:
    from pricewar.games.learning_bdk2014 import search

    found = search(budget=40, seed=0, stability=False)
    return sorted((s.or_raise() for s in found), key=lambda s: float(s.policy["price"][0, 1, 1]))


def _bdk_price(rank: int, count: int = 3) -> float:
    found = _bdk()
    if len(found) != count:
        raise PricewarError(f"the search found {len(found)} equilibria, not {count}")
    return float(found[rank].policy["price"][0, 1, 1])


@lru_cache(maxsize=1)
def _bdk_path() -> Any:
    from pricewar.games.outcomes import path

    return path(_bdk()[0], 1001)  # period 0 is the first


@lru_cache(maxsize=1)
def _bdks() -> list[Solution]:
    from pricewar.games.learning_bdks2010 import search

    found = search(rho=0.85, delta=0.026, budget=40, seed=0, stability=False)
    return sorted((s.or_raise() for s in found), key=lambda s: -float(s.policy["price"][0, 1, 1]))


def _bdks_price(published: float) -> float:
    """The price in (1, 1) of the equilibrium found that is nearest; the search decides what is there."""
    prices = [float(s.policy["price"][0, 1, 1]) for s in _bdks()]
    return min(prices, key=lambda p: abs(p - published))


def _trench() -> float:
    from pricewar.games.learning_bdks2010 import solve

    price = solve(rho=0.85, delta=0.08, certify=False, stability=False).or_raise().policy["price"][0]
    level = np.arange(price.shape[1])  # between the foot of the curve and the trench along the diagonal
    return float(np.nanargmin(np.where((level > 3) & (level < 20), price[26], np.nan)))


def _cold_starts(levels: int) -> float:
    """How many of 84 games are solved cold: forgetting × progress ratio × discount × cost gap."""
    from pricewar.games.learning_bdks2010 import solve

    cases = itertools.product(
        (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2), (0.75, 0.85, 0.95), (1 / 1.05, 0.99), (0.0, 0.1)
    )
    solved = (
        solve(levels=levels, delta=d, rho=r, beta=b, cost_gap=g, certify=False, stability=False).result
        for d, r, b, g in cases
    )
    return float(sum(map(bool, solved)))


@lru_cache(maxsize=1)
def _judd() -> Solution:
    from pricewar.games.lq_judd1990 import judd, lq_nash

    return lq_nash(judd()).or_raise()


def _judd_f(row: int, column: int) -> float:
    return float(_judd().policy["F1"][row, column])


def _judd_state() -> float:
    from pricewar.games.lq_judd1990 import steady_state

    return float(steady_state(_judd(), 2)[0])


@lru_cache(maxsize=1)
def _adjustment() -> np.ndarray:
    from pricewar.games.lq_judd1990 import adjustment, lq_nash

    return lq_nash(adjustment()).or_raise().policy["F1"][0]


def _leaves(levels: int) -> float:
    from pricewar.games.leapfrogging_irs2016 import Leapfrogging

    return float(Leapfrogging(levels=levels).number_of_equilibria())


def _alternating(which: str, discount: float) -> float:
    from pricewar.games import maskin_tirole1988 as mt

    support, at = (mt.KINKED, (1, 1)) if which == "kinked" else (mt.EDGEWORTH, (0, 0))
    solved = mt.solve_support(mt.grid(6, discount), support, which).or_raise()
    return float(solved.policy["answer"][at])


def _beta(discount: float) -> float:
    return (5 + discount) / (5 * discount + 9 * discount**2)


def _alpha(d: float) -> float:
    return (3 * d**2 - 1) * (1 + d**2 + d**4) / (8 + 7 * d**2 + 2 * d**4 + 3 * d**6)


def _calvano(collusion: int) -> float:
    from pricewar.games.static_logit import solve

    return float(solve(collusion=collusion).or_raise().policy["price"][0])


# PyBLP 1.3.0's prices of a drawn market of three firms and six products (bench/pyblp_markets.py, where
# four more are; the tests hold them all). Utility is quality less price_coefficient times price.
_PYBLP: dict[str, Any] = {
    "price_coefficient": 2.2692920292902024,
    "firm": (0, 0, 1, 2, 2, 2),
    "quality": (
        1.3637814595948696,
        1.8942499060829523,
        1.4428310761602394,
        0.10861709686304521,
        0.4916870837190679,
        -0.3744913438354087,
    ),
    "cost": (
        2.241805670169642,
        1.4261071454390826,
        0.9087494925556434,
        0.5655365891991986,
        2.212774174026615,
        0.5828858787660343,
    ),
    "price": (
        2.714683385811758,
        1.8989848610811988,
        1.4097860707386154,
        1.062660978646681,
        2.7098985634740975,
        1.0800102682135166,
    ),
}


def _pyblp(product: int) -> float:
    from pricewar.games.static_logit import LogitMarket, bertrand

    scale = 1 / _PYBLP["price_coefficient"]
    market = LogitMarket(np.array(_PYBLP["quality"]) * scale, np.array(_PYBLP["cost"]), scale, 0.0)
    return float(bertrand(market, _PYBLP["firm"]).or_raise().policy["price"][product])


@lru_cache(maxsize=4)
def _networks(taste: str) -> tuple[Solution, Solution]:
    from pricewar.games.network_cabral2011 import power, solve_networks

    without, with_usage = (solve_networks(power(50, 1.0, 1.0, t, 0.9, taste=taste)) for t in (0.0, 0.3))
    return without.or_raise(), with_usage.or_raise()


def _fall(taste: str) -> float:
    without, with_usage = _networks(taste)
    fall = without.policy["price"] - with_usage.policy["price"]
    return float(fall.flat[np.abs(fall - 0.3 / (1 - 0.9 * 49 / 50)).argmax()])


def _entry(taste: str) -> float:
    without, with_usage = _networks(taste)
    return float(np.abs(without.policy["join"] - with_usage.policy["join"]).max())


def _horn(common: bool) -> float:
    from pricewar.games.bargaining import horn_wolinsky

    return float(horn_wolinsky(10.0, 1.0, common=common).or_raise().policy["price"][0])


def _by_history() -> float:
    """Largest gap between our prices and the closed form, symmetric duopoly, five customers."""
    from pricewar.games.switching_costs import Switching, closed_form, solve_switching

    model = Switching(by_history=True)
    form = closed_form(model)
    ours = solve_switching(model).or_raise().policy["price"][0]
    return float(np.nanmax(np.abs(ours - np.array([form.new, form.own, form.rival])[:, None])))


def targets() -> tuple[Target, ...]:
    """Every target, in the order of the table of the literature."""
    bdk, bdks = "Besanko, Doraszelski, Kryukov (2014)", "Besanko, Doraszelski, Kryukov, Satterthwaite (2010)"
    irs, mt = "Iskhakov, Rust, Schjerning (2016)", "Maskin, Tirole (1988 II)"
    judd, qe, cabral = "Judd (1990), QuantEcon's tests", "QuantEcon's duopoly", "Cabral (2011)"
    calvano = "Calvano et al. (2020)"
    out = [
        Target("T1", bdk, "price in (1,1), aggressive", -34.78, 0.005, "published", lambda: _bdk_price(0)),
        Target("T1", bdk, "price in (1,1), accommodative", 5.05, 0.005, "published", lambda: _bdk_price(2)),
        Target("T1", bdk, "number of equilibria", 3, 0, "published", lambda: float(len(_bdk()))),
        Target("T1", bdk, "aggressive, all digits", -34.77592203, 1e-8, "prototype", lambda: _bdk_price(0)),
        Target("T1", bdk, "intermediate, all digits", 3.27431966, 1e-8, "prototype", lambda: _bdk_price(1)),
        Target("T1", bdk, "accommodative, all digits", 5.05435690, 1e-8, "prototype", lambda: _bdk_price(2)),
        Target("T1b", bdk, "HHI, period 1000", 0.96, 0.005, "published", lambda: _bdk_path().hhi[-1]),
        Target("T1b", bdk, "price, period 1000", 8.26, 0.005, "published", lambda: _bdk_path().price[-1]),
        Target(
            "T1b",
            bdk,
            "consumer surplus, period 1000",
            1.99,
            0.005,
            "published",
            lambda: _bdk_path().consumers[-1],
        ),
        Target(
            "T1b",
            bdk,
            "total surplus, period 1000",
            6.09,
            0.005,
            "published",
            lambda: _bdk_path().surplus[-1],
        ),
        Target(
            "T1b",
            bdk,
            "discounted consumer surplus",
            104.18,
            0.005,
            "published",
            lambda: _bdk_path().discounted["consumers"],
        ),
        Target(
            "T1b",
            bdk,
            "discounted total surplus",
            110.33,
            0.005,
            "published",
            lambda: _bdk_path().discounted["surplus"],
        ),
        Target("T2", bdks, "sideways trench at e1 = 26: e2, (ρ,δ) = (.85,.08)", 8, 1, "published", _trench),
    ]
    out.append(
        Target("T2", bdks, "number of equilibria, (.85,.026)", 3, 0, "prototype", lambda: float(len(_bdks())))
    )
    for figure in (5.946757, 4.423665, 2.322476):
        what = f"price in (1,1) ≈ {figure:.3f}, (ρ,δ) = (.85,.026)"
        out.append(Target("T2", bdks, what, figure, 1e-6, "prototype", lambda f=figure: _bdks_price(f)))
    out += [
        Target("T3", irs, "number of equilibria, 3 cost levels", 127, 0, "published", lambda: _leaves(3)),
        Target("T3", irs, "number of equilibria, 4 cost levels", 46_707, 0, "published", lambda: _leaves(4)),
    ]
    printed = (
        (0.243666582208565, 0.027236062661951, -6.827882928738190),
        (0.392370733875639, 0.139696450885998, -37.734107291009138),
    )
    for i, row in enumerate(printed):
        for j, figure in enumerate(row):
            out.append(
                Target(
                    "T4",
                    judd,
                    f"f1[{i + 1},{j + 1}]",
                    figure,
                    1e-12,
                    "published",
                    lambda i=i, j=j: _judd_f(i, j),
                )
            )
    out.append(Target("T4", judd, "steady inventory", 1.246871007582702, 1e-12, "published", _judd_state))
    for j, figure in enumerate((-0.6684661455, 0.2951248177, 0.0758466631)):
        out.append(
            Target("T5", qe, f"F1[{j + 1}]", figure, 1e-7, "published", lambda j=j: float(_adjustment()[j]))
        )
    for d in (0.95, 0.8):
        out += [
            Target(
                "T6",
                mt,
                f"kinked demand, β({d})",
                _beta(d),
                1e-12,
                "analytic",
                lambda d=d: _alternating("kinked", d),
            ),
            Target(
                "T6",
                mt,
                f"Edgeworth cycle, α({d})",
                _alpha(d),
                1e-12,
                "analytic",
                lambda d=d: _alternating("edgeworth", d),
            ),
        ]
    out += [
        Target("T7", calvano, "Bertrand-Nash price", 1.473, 5e-4, "published", lambda: _calvano(0)),
        Target("T7", calvano, "joint monopoly price", 1.925, 5e-4, "published", lambda: _calvano(1)),
        Target(
            "T7", calvano, "Bertrand-Nash, all digits", 1.4729266600, 1e-10, "prototype", lambda: _calvano(0)
        ),
        Target(
            "T7", calvano, "monopoly, all digits", 1.9249809190177618, 1e-12, "analytic", lambda: _calvano(1)
        ),
    ]
    for j, figure in enumerate(_PYBLP["price"]):
        what = f"price of product {j + 1} of {len(_PYBLP['price'])}"
        out.append(Target("T8", "PyBLP 1.3.0", what, figure, 1e-10, "published", lambda j=j: _pyblp(j)))
    law = 0.3 / (1 - 0.9 * 49 / 50)
    for taste in ("logistic", "normal"):
        out += [
            Target(
                "T9", cabral, f"fall of prices, {taste}", law, 1e-12, "analytic", lambda t=taste: _fall(t)
            ),
            Target(
                "T9", cabral, f"change of entry, {taste}", 0.0, 1e-12, "analytic", lambda t=taste: _entry(t)
            ),
        ]
    grid = "games solved cold at 30×30, of 84"
    out.append(Target("G84", bdks, grid, 84, 0, "prototype", lambda: _cold_starts(30), long=True))
    horn = "Horn, Wolinsky (1988)"
    out += [
        Target("X1", horn, "input price, two suppliers", 16 / 7, 1e-9, "analytic", lambda: _horn(False)),
        Target("X1", horn, "input price, one supplier", 13 / 4, 1e-9, "analytic", lambda: _horn(True)),
        Target(
            "X2", "switching costs, by history", "gap to the closed form", 0.0, 1e-10, "analytic", _by_history
        ),
    ]
    return tuple(out)


def replicate(
    ids: Iterable[str] | None = None, *, long: bool = False, progress: Callable[[Row], None] | None = None
) -> Iterator[Row]:
    """Compute targets one by one and yield a row for each.

    Args:
        ids: only these ("T1", "T6", …); all when left out. Naming an id includes its long targets.
        long: include those outside the fast tier.
        progress: called with each row.

    Raises:
        ConfigurationError: an id is unknown.
    """
    every = targets()
    known = {t.id for t in every}
    wanted = None if ids is None else {i.upper() if i.upper() in known else i for i in ids}
    for name in wanted or ():
        if name not in known:
            raise ConfigurationError(
                f"no target is called “{name}”",
                remedy=did_you_mean(name, known) or f"known: {', '.join(sorted(known))}",
            )
    return _rows([t for t in every if (t.id in wanted if wanted else long or not t.long)], progress)


def _rows(chosen: list[Target], progress: Callable[[Row], None] | None) -> Iterator[Row]:
    for target in chosen:
        clock, ours, note = time.perf_counter(), float("nan"), ""
        try:
            ours = float(target.ours())
        except PricewarError as error:
            note = str(error)
        difference = ours - target.published
        agrees = bool(abs(difference) <= target.tolerance)
        row = Row(
            target.id,
            target.model,
            target.what,
            target.published,
            ours,
            difference,
            target.tolerance,
            target.digits,
            agrees,
            time.perf_counter() - clock,
            note,
        )
        if progress is not None:
            progress(row)
        yield row
