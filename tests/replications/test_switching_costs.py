"""Closed form by history (Cabral 2016); small switching costs lower prices (Dubé, Hitsch, Rossi 2009)."""

import numpy as np
import pytest

from pricewar.errors import SolverError
from pricewar.games.static_logit import LogitMarket, bertrand
from pricewar.games.switching_costs import Switching, closed_form, solve, solve_switching


@pytest.mark.parametrize(
    "model",
    [
        Switching(by_history=True),
        Switching(by_history=True, customers=1, turnover=0.0),
        Switching(by_history=True, customers=4, switching_cost=3.0, turnover=0.3, portability=0.2, scale=0.7),
    ],
)
def test_closed_form_by_history(model):
    s, form = solve_switching(model), closed_form(model)
    assert s.result
    by_firm_1 = np.array([form.new, form.own, form.rival])[:, None]
    assert np.nanmax(np.abs(s.policy["price"][0] - by_firm_1)) < 1e-10
    n = s.extra["base"]
    if model.turnover == 0 and model.customers == 1:
        assert s.value[0][n[:, 1] == 1] - s.value[0][n[:, 2] == 1] == pytest.approx(form.attachment)


def test_values_by_history_add_up_over_customers():
    s = solve_switching(Switching(by_history=True, customers=4))
    n, V = s.extra["base"], s.value[0]
    each = np.linalg.lstsq(n.astype(float), V, rcond=None)[0]
    assert n @ each == pytest.approx(V, abs=1e-10)


@pytest.mark.parametrize("by_history", [False, True])
@pytest.mark.parametrize("change", [{"switching_cost": 0.0}, {"portability": 1.0}])
def test_no_switching_cost_is_the_static_market(by_history, change):
    model = Switching(
        **({"switching_cost": 4.0, "cost": (0.0, 0.5), "outside": -2.0} | change), by_history=by_history
    )
    s = solve_switching(model)
    static = bertrand(LogitMarket(np.zeros(2), np.array(model.cost), model.scale, model.outside)).policy[
        "price"
    ]
    assert np.nanmax(np.abs(s.policy["price"] - static[:, None, None])) < 1e-11
    assert np.ptp(s.value, axis=1).max() < 1e-10


@pytest.mark.parametrize(
    "model", [Switching(), Switching(by_history=True, customers=3), Switching(outside=-1.0, customers=3)]
)
def test_value_iteration_agrees_with_newton(model):
    newton, slow = solve_switching(model), solve_switching(model, method="iteration")
    assert newton.value == pytest.approx(slow.value, abs=1e-9)
    assert np.nanmax(np.abs(newton.policy["price"] - slow.policy["price"])) < 1e-9


def test_small_switching_costs_lower_the_average_price_and_large_ones_raise_it():
    mean = {S: solve_switching(Switching(switching_cost=S)).extra["mean_price"] for S in (0.0, 0.1, 0.5, 2.0)}
    assert mean[0.0] == pytest.approx(2.0)
    assert mean[0.5] < mean[0.1] < mean[0.0] < mean[2.0]
    assert closed_form(Switching(by_history=True, switching_cost=0.2)).mean < 2.0
    assert closed_form(Switching(by_history=True, switching_cost=20.0)).mean > 2.0


def test_solutions_are_not_exploitable_and_false_ones_are_named():
    s = solve_switching(Switching(outside=-1.0))
    assert s.residual < 1e-11
    assert s.exploitability < 1e-9
    two_peaks = solve_switching(Switching(switching_cost=3.0))
    assert not two_peaks.result  # the first-order conditions hold, yet harvesting outright pays more
    assert two_peaks.exploitability > 0.1


def test_exchanging_the_firms_exchanges_the_solution():
    a = solve_switching(Switching(cost=(0.0, 0.4), customers=3, outside=-1.0))
    b = solve_switching(Switching(cost=(0.4, 0.0), customers=3, outside=-1.0))
    order = [a.extra["base"].tolist().index([n0, n2, n1]) for n0, n1, n2 in a.extra["base"].tolist()]
    assert a.value[0] == pytest.approx(b.value[1][order], abs=1e-10)


def test_errors_and_catalogue():
    with pytest.raises(SolverError, match="5,000"):
        Switching(customers=200)
    with pytest.raises(SolverError, match="portability"):
        Switching(portability=2.0)
    with pytest.raises(SolverError, match="outside"):
        closed_form(Switching())
    assert solve(by_history=1, customers=2).result
