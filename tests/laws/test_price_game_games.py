"""The general statement of a price game against the compiled engine, and its laws."""

import numpy as np
import pytest

from pricewar.errors import SolverError
from pricewar.games import learning_bdks2010
from pricewar.games.price_game import PriceGame, solve_price_game


def learning(levels=6, bottom=4, rho=0.8, delta=0.05, discount=1 / 1.05):
    """Learning by doing and forgetting, stated from scratch."""
    e = np.arange(1, levels + 1)
    curve = 10 * rho ** np.log2(np.minimum(e, bottom))

    def chain(sells):
        T = np.zeros((levels, levels))
        for k in range(levels):
            forgets = 1 - (1 - delta) ** e[k]
            for lost, chance in ((0, 1 - forgets), (1, forgets)):
                T[k, np.clip(k + sells - lost, 0, levels - 1)] += chance
        return T

    def demand(p):
        w = np.exp(-(p - p[0].real))
        return w / w.sum(axis=0)

    return PriceGame(
        demand,
        np.eye(2),
        [np.kron(chain(1), chain(0)), np.kron(chain(0), chain(1))],
        np.stack([np.repeat(curve, levels), np.tile(curve, levels)]),
        discount,
        (-20.0, 40.0),
    )


@pytest.mark.parametrize("case", [{}, {"delta": 0.0}, {"rho": 0.95, "delta": 0.1}])
def test_it_is_the_compiled_engine(case):
    case = {"levels": 6, "bottom": 4, "rho": 0.8, "delta": 0.05} | case
    s = solve_price_game(learning(**case))
    engine = learning_bdks2010.solve(**case)
    assert s.result
    assert s.exploitability < 1e-9
    n = case["levels"]
    assert s.policy["price"].reshape(2, n, n) == pytest.approx(engine.policy["price"][:, -n:, -n:], abs=1e-9)
    assert s.value.reshape(2, n, n) == pytest.approx(engine.value[:, -n:, -n:], abs=1e-9)


def test_symmetry_and_probability():
    game = learning()
    s = solve_price_game(game)
    p = s.policy["price"].reshape(2, 6, 6)
    assert p[0] == pytest.approx(p[1].T, abs=1e-10)
    assert np.asarray(game.law(s.policy["price"]).sum(axis=1)).ravel() == pytest.approx(1.0)


def test_three_firms_without_dynamics_are_static_logit():
    from pricewar.games.static_logit import LogitMarket, bertrand

    market = LogitMarket(np.array([1.0, 1.5, 0.5]), np.array([0.2, 0.4, 0.1]), 0.7, 0.0)

    def demand(p):
        w = np.exp((market.quality[:, None] - p) / market.scale)
        w = np.concatenate([np.ones_like(w[:1]), w])
        return w / w.sum(axis=0)

    sales = np.hstack([np.zeros((3, 1)), np.eye(3)])
    rng = np.random.default_rng(0)
    laws = [rng.dirichlet(np.ones(4), size=4)] * 4  # the state moves, whoever sells
    game = PriceGame(demand, sales, laws, np.tile(market.cost[:, None], 4), 0.9, (0.0, 10.0))
    s = solve_price_game(game)
    assert s.result
    assert s.policy["price"] == pytest.approx(
        np.tile(bertrand(market).policy["price"][:, None], 4), abs=1e-10
    )


def test_errors():
    with pytest.raises(SolverError, match="discount"):
        learning(discount=1.0)
    good = learning(levels=2)
    with pytest.raises(SolverError, match="law of motion"):
        PriceGame(good.demand, np.eye(2), [np.eye(4), 2 * np.eye(4)], good.cost, 0.9, (0.0, 10.0))
    with pytest.raises(SolverError, match="200,000"):
        PriceGame(good.demand, np.eye(2), [], np.zeros((2, 60_000)), 0.9, (0.0, 10.0))
