"""china-2024 against what was known before the war, and its conduct against deviations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pricewar.market import conduct, definition
from pricewar.market import kernel as k
from pricewar.market.model import Market, simulate

LISTED = {"zhipu": 100, "alibaba": 120, "baidu": 120, "tencent": 100}
"""Flagship list prices in April 2024, CNY a million tokens: GLM-4, Qwen-Max, ERNIE 4.0, hunyuan-pro."""


@pytest.fixture(scope="module")
def market() -> Market:
    return definition.market("china-2024")


def test_static_prices_meet_the_list_prices_before_the_war(market: Market) -> None:
    """Bertrand-Nash of one holding period, for the four vendors whose flagship was listed near the top.

    The level of price taste is set for this; that one level fits four vendors is the check. iFlytek (27) and
    ByteDance (11, from a reseller) listed far below it.
    """
    still = {
        "peace": 0.0,
        "run_step": 0.0,
        "rise_needs_successor": 0.0,
        "review": 4.0,
        "vendors.conduct": 1.0,
    }
    quiet = replace(market.with_({**still, "open-weights.conduct": float(k.FRINGE)}), months=4, uncertain=())
    price = simulate(quiet, [0]).vendor["price_flagship"][0, -1]
    for name, listed in LISTED.items():
        assert price[market.vendors.index(name)] == pytest.approx(listed, rel=0.35), name


def test_conduct_wants_the_war_and_then_the_harvest(market: Market) -> None:
    """Nobody's script: with the weights solved, revenue first fails to cover serving and then exceeds it."""
    run = simulate(replace(market.with_({"peace": 0.0}), per_month=2), range(12))
    served = run.vendor["rental_paid"].sum(2) + run.vendor["energy_paid"].sum(2)
    cover = np.median(run.vendor["revenue"].sum(2) / served, axis=0)
    assert cover[:9].min() < 1.0
    assert cover[-6:].mean() > 1.8 * cover[:9].min()


@pytest.mark.slow
def test_no_vendor_gains_much_by_other_conduct(market: Market) -> None:
    """The stored weights against best replies and a richer class, over members they were not solved on."""
    solved = conduct.solve(replace(market, per_month=2), range(8), starts=(None,), sweeps=3, richer=6)
    stored = np.array([market.v[j, [k.V_INVEST, k.V_INVEST_GROWTH, k.V_INVEST_TIME]] for j in range(7)])
    assert stored[:, 0].min() > 0.0
    assert solved.profile.exploitability < 0.1
