"""T9: Cabral (2011), the analytic effect of usage income on prices."""

import numpy as np
import pytest
from scipy.stats import binom

from pricewar.errors import SolverError
from pricewar.games.network_cabral2011 import Networks, power, price_fall, solve_networks


@pytest.mark.parametrize("taste", ["logistic", "normal"])
@pytest.mark.parametrize(
    ("consumers", "network", "discount"), [(10, 1.0, 0.9), (50, 1.0, 0.9), (30, 3.0, 0.8)]
)
def test_usage_lowers_every_price_by_its_worth(taste, consumers, network, discount):
    without = solve_networks(power(consumers, network, 1.0, 0.0, discount, taste=taste))
    with_it = solve_networks(power(consumers, network, 1.0, 0.3, discount, taste=taste))
    assert without.result
    assert with_it.result
    fall = without.policy["price"] - with_it.policy["price"]
    assert np.abs(fall - price_fall(0.3, consumers, discount)).max() < 1e-12
    assert np.abs(without.policy["join"] - with_it.policy["join"]).max() < 1e-12


def test_no_network_effect_is_a_static_market_and_an_urn():
    s = solve_networks(power(30, 0.0))
    assert s.policy["price"] == pytest.approx(np.full((2, 30), 2.0))  # 2ψ: logistic markup at one half
    assert s.extra["limit"] == pytest.approx(binom.pmf(np.arange(30), 29, 0.5))


def test_another_method_agrees():
    model = power(20, 1.0, 2.0)
    newton, slow = solve_networks(model), solve_networks(model, method="iteration")
    assert slow.result
    assert newton.value == pytest.approx(slow.value, abs=1e-8)
    assert newton.policy["price"] == pytest.approx(slow.policy["price"], abs=1e-9)


def test_derivatives():
    model = power(12, 2.0, 0.5, 0.1, 0.9, 0.7)
    z = np.random.default_rng(0).normal(size=12)
    z -= z[::-1]
    h, eye = 1e-6, np.eye(12)
    numeric = np.array([(model.residual(z + h * e) - model.residual(z - h * e)) / (2 * h) for e in eye]).T
    assert model.jacobian(z) == pytest.approx(numeric, abs=1e-7)


def test_limit_distribution_is_invariant():
    s = solve_networks(power(15, 1.0))
    q, n, eta = s.policy["join"][0], np.arange(15), 15
    up, down = q * (14 - n) / eta, (1 - q) * n / eta
    x = s.extra["limit"]
    after = x * (1 - up - down)
    after[1:] += (x * up)[:-1]
    after[:-1] += (x * down)[1:]
    assert after == pytest.approx(x, abs=1e-15)


def test_exploitability_and_errors():
    s = solve_networks(power(40, 2.0))
    assert s.residual < 1e-11
    assert s.exploitability < 1e-9
    with pytest.raises(SolverError, match="usage"):
        Networks(np.ones(5), np.ones(5))
    hard = solve_networks(power(10, 2.0, discount=0.99))
    assert not hard.result  # too strong a network effect: it says so
    assert hard.result.remedy
