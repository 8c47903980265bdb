"""T7 and T8: Calvano et al. (2020), section II, and PyBLP's own solution of drawn markets."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import root

from pricewar.errors import SolverError
from pricewar.games.static_logit import (
    LogitMarket,
    bertrand,
    coalition,
    first_order,
    joint_monopoly,
    monopoly,
    ownership,
    solve,
)

CALVANO = LogitMarket(np.array([2.0, 2.0]), np.array([1.0, 1.0]), 0.25, 0.0)
DRAWN = json.loads((Path(__file__).parent / "data/pyblp_markets.json").read_text())


def test_calvano_bertrand_and_monopoly():
    assert bertrand(CALVANO).policy["price"] == pytest.approx([1.4729266600] * 2, abs=1e-10)
    # the monopoly to forty digits by bisection on (p − c)(1 − S) = μ: 1.924980919017761836…
    for price in (
        joint_monopoly(CALVANO).policy["price"],
        monopoly(CALVANO),
        solve(collusion=1).policy["price"],
    ):
        assert price == pytest.approx([1.9249809190177618] * 2, abs=1e-14)
        assert price == pytest.approx([1.925] * 2, abs=5e-4)  # as published
    assert solve().policy["price"] == pytest.approx([1.4729266600] * 2, abs=1e-10)


@pytest.mark.parametrize("drawn", DRAWN["markets"], ids=lambda m: f"{len(m['price'])} products")
@pytest.mark.parametrize("method", ["default", "newton", "zeta", "aggregate"])
def test_pyblp(drawn, method):
    alpha = -drawn["price_coefficient"]
    market = LogitMarket(
        np.array(drawn["mean_utility_without_price"]) / alpha, np.array(drawn["cost"]), 1 / alpha, 0.0
    )
    ours = bertrand(market, drawn["firm"], method=method)
    assert ours.result
    assert ours.policy["price"] == pytest.approx(drawn["price"], abs=1e-10)
    assert ours.policy["share"] == pytest.approx(drawn["share"], abs=1e-10)
    assert ours.exploitability <= 1e-9


def test_scipy_root_on_the_first_order_conditions_of_profit():
    """The conditions written out from profits, not from ζ, and solved by SciPy."""
    market = LogitMarket(np.array([1.0, 2.0, 1.5, 0.3]), np.array([0.5, 1.0, 0.7, 0.2]), 0.6, 0.4)
    firms = [0, 0, 1, 2]

    def conditions(p):
        s, m = market.shares(p), p - market.cost
        d = (np.outer(s, s) - np.diag(s)) / market.scale
        return s + (ownership(firms) * d) @ m

    found = root(conditions, market.cost + 1.0, tol=1e-14)
    assert found.success
    assert bertrand(market, firms).policy["price"] == pytest.approx(found.x, abs=1e-9)


def test_partial_ownership_raises_prices_towards_monopoly():
    half = bertrand(CALVANO, np.array([[1.0, 0.5], [0.5, 1.0]]))
    assert half.result
    assert half.residual < 1e-12
    assert 1.473 < half.policy["price"][0] < 1.925
    assert half.exploitability is None
    assert np.abs(first_order(CALVANO, half.policy["price"], np.array([[1, 0.5], [0.5, 1]]))).max() < 1e-12


def test_coalition_of_two_of_three():
    three = LogitMarket(np.full(3, 2.0), np.full(3, 1.0), 0.25, 0.0)
    together, apart = coalition(three, "abc", "ab").policy["price"], bertrand(three).policy["price"]
    assert together[0] == pytest.approx(together[1])
    assert together[0] > together[2] > apart[0]


def test_one_owner_without_outside_good_is_refused():
    with pytest.raises(SolverError, match="outside good"):
        joint_monopoly(LogitMarket(np.ones(2), np.ones(2), 1.0, None))
