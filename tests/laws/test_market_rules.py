"""Rules of a regulator, and utilities far from the usual, on the bundled markets."""

from dataclasses import replace

import numpy as np
import pytest

from pricewar.market import definition
from pricewar.market import kernel as k
from pricewar.market.individuals import Supply
from pricewar.market.model import Market, simulate
from pricewar.market.outcomes import DAYS, Outcomes

Changes = dict[str | tuple[str, ...], float]


@pytest.fixture(scope="module")
def world() -> Market:
    return replace(definition.market("global-2025"), months=12)


def scripted(market: Market, *rows: tuple[float, float, float]) -> Market:
    """Nobody reviews; the first vendor's light and flagship prices change in those months."""
    script = np.array([(month, 0.0, light, flagship, -1.0) for month, light, flagship in rows])
    still: Changes = {
        "vendors.conduct": float(k.SCRIPTED),
        "openai.price_light": 1.0,
        "openai.price_flagship": 10.0,
    }
    return replace(market.with_(still), script=script)


def test_a_regulator_that_sees_no_harm_does_not_act(world: Market) -> None:
    """However short it watches: a threshold that is never passed is never passed for long enough."""
    alert: Changes = {
        "regulator_auto": 1.0,
        "portability": 0.8,
        "regulator_months": 0.0,
        "regulator_delay": 0.0,
    }
    never = simulate(world.with_(alert | {"regulator_hhi": 1.0}), range(2))
    assert never.world["regulator"].max() == 0.0
    soon = simulate(world.with_(alert | {"regulator_hhi": 0.0, "regulator_margin": -1.0}), range(2))
    assert (soon.world["regulator"] > 0.0).all()


@pytest.mark.parametrize("per_month", [1, 4])
@pytest.mark.parametrize("cap", [0.25, 1.0])
def test_embedded_teams_keep_their_part_of_a_rise_for_good(world: Market, cap: float, per_month: int) -> None:
    """Not less from step to step, and under prices by a script too; a cut they have in full."""
    market = replace(scripted(world, (3.0, 2.0, 20.0), (8.0, 0.5, 5.0)), per_month=per_month)
    paid = simulate(market.with_({"embedded_cap": cap})).vendor["embedded_light"][0, :, 0]
    assert paid[:3] == pytest.approx(1.0)
    assert paid[3:8] == pytest.approx(2.0 - cap)
    assert paid[8:] == pytest.approx(0.5)


def test_a_slight_cap_moves_prices_slightly(world: Market) -> None:
    """Embedded teams that answer the list price all but fully are not left out of its reckoning."""
    without, slight = (
        simulate(world.with_({"embedded_cap": cap}), range(2)).vendor["price_flagship"][:, :3]
        for cap in (0.0, 1e-9)
    )
    assert slight == pytest.approx(without, rel=1e-3)


def test_a_subsidy_is_reckoned_at_what_embedded_teams_pay(world: Market) -> None:
    market = scripted(world, (3.0, 1e4, 1e5)).with_(
        {"openai.price_light": 1e-9, "openai.price_flagship": 1e-9}
    )
    plain, capped = (
        simulate(market.with_({"embedded_cap": cap})).vendor["subsidy"][0, :, 0] for cap in (0.0, 1.0)
    )
    assert plain[:3] == pytest.approx(capped[:3])
    assert (plain[:3] > 0.0).all()
    assert (plain[4:] == 0.0).all()
    assert (capped[4:] > 0.0).all()


def test_a_floor_binds_who_chooses_prices_and_leaves_scripted_terms(world: Market) -> None:
    """In the mean field and in the individual buyers' step; costs that rise lift prices with them."""
    market = world.with_({"price_floor": 1.0, "progress": -0.1, "openai.conduct": float(k.SCRIPTED),
                          "openai.price_light": 1e-3, "openai.price_flagship": 1e-2})  # fmt: skip
    v = simulate(market).vendor
    assert v["price_light"][0, :, 0] == pytest.approx(1e-3)
    sells = market.v[:, k.V_CONDUCT] == k.INVEST
    for tier in ("light", "flagship"):
        assert (v[f"price_{tier}"][:, :, sells] >= v[f"cost_{tier}"][:, :, sells] * (1.0 - 1e-12)).all()
    g, v0, t = (a[0] for a in market.members([0]))
    luck = market.luck([0])[0]
    supply = Supply(market, g, v0, t, luck[0])
    supply.s[:, k.PRICE_F] = 1e-2
    supply.terms(luck[0])
    assert (supply.s[sells, k.PRICE_F] >= supply.s[sells, k.COST_F] * (1.0 - 1e-12)).all()
    assert supply.s[0, k.PRICE_F] == 1e-2


def test_quality_counts_however_large_its_utility(world: Market) -> None:
    """Twice the taste for quality: newcomers tell qualities apart twice as sharply, in logarithms."""
    market = replace(scripted(world, (0.0, 1.0, 10.0)), months=1).with_({
        "scale_data": 0.0, "light_gap": 0.0, "load_penalty": 0.0, "certainty": 0.0,
        "types.review_low": 0.0, "types.review_high": 0.0, "types.price_taste": 1e-9,
        "vendors.compute": 26.0, "vendors.quality": 0.0, "openai.quality": 0.5, "vendors.brand": 0.0,
        "consumer_rate": 10.0, "vendors.consumers": 1.0,
    })  # fmt: skip
    market = replace(market, chi=np.zeros_like(market.chi), uncertain=())
    for taste in (1.0, 2.0, 5.0):
        keen = market.with_({"types.quality_taste": taste, "consumer_taste": taste})
        v = simulate(keen).vendor
        assert v["joined"][0, 0, 0] / v["joined"][0, 0, 1] == pytest.approx(np.exp(0.5 * taste), rel=1e-6)
        assert v["consumers"][0, 0, 0] / v["consumers"][0, 0, 1] == pytest.approx(
            np.exp(0.5 * taste), rel=1e-3
        )


@pytest.mark.parametrize("per_month", [1, 4])
def test_an_answer_takes_its_time_whatever_the_step(per_month: int) -> None:
    """At 3 a month half have reviewed after ln 2/3 of one: seven days, from the cut that wakes them."""
    market = replace(definition.market("china-2024"), months=4, per_month=per_month)
    opened: Changes = {"opening_fixed": 1.0, "opener": 3.0, "opening_month": 0.6, "review": 0.0, "react": 3.0}
    lag = Outcomes(simulate(market.with_(opened), range(40))).lag
    known = lag[np.isfinite(lag)]
    assert len(known) > 200
    assert known.min() > 0.0
    assert np.median(known) == pytest.approx(np.log(2.0) / 3.0 * DAYS, rel=0.2)
