"""A game stated on one's own against games solved by other means: static logit, and switching costs."""

import numpy as np
import pytest

from pricewar.games.dynamic import PriceGame
from pricewar.games.static_logit import LogitMarket, bertrand
from pricewar.games.switching_costs import Switching, solve_switching


def test_three_firms_without_dynamics_are_static_logit():
    market = LogitMarket(np.array([1.0, 1.5, 0.5]), np.array([0.2, 0.4, 0.1]), 0.7, 0.0)

    def demand(p):
        w = np.exp((market.quality[:, None] - p) / market.scale)
        w = np.concatenate([np.ones_like(w[:1]), w])
        return w / w.sum(axis=0)

    rng = np.random.default_rng(0)
    laws = [rng.dirichlet(np.ones(4), size=4)] * 4  # the state moves, whoever sells
    s = PriceGame(demand, np.tile(market.cost[:, None], 4), laws, 0.9).solve()
    assert s.result
    assert s.policy["price"] == pytest.approx(np.tile(bertrand(market).policy["price"][:, None], 4), abs=1e-9)


@pytest.mark.parametrize("turnover", [0.0, 0.2])
def test_one_customer_with_switching_costs(turnover):
    """The catalogue's game with one customer, stated anew: states are new, firm 1's and firm 2's."""
    model = Switching(1, 1.5, cost=(0.0, 0.3), outside=-1.0, turnover=turnover, discount=0.9)
    penalty = 1.5 * np.array([[0, 0, 1], [0, 1, 0]])  # (firm, history)

    def demand(p):
        w = np.exp(-p - penalty)
        w = np.concatenate([np.full_like(w[:1], np.exp(-1.0)), w])
        return w / w.sum(axis=0)

    replaced = np.array([1.0, 0.0, 0.0])
    to = [np.eye(3), np.tile([0.0, 1.0, 0.0], (3, 1)), np.tile([0.0, 0.0, 1.0], (3, 1))]
    moves = [(1 - turnover) * t + turnover * replaced for t in to]
    cost = np.repeat(np.array(model.cost)[:, None], 3, axis=1)
    stated = PriceGame(demand, cost, moves, 0.9).solve()
    ours = solve_switching(model)
    order = [ours.extra["base"].tolist().index(n) for n in ([1, 0, 0], [0, 1, 0], [0, 0, 1])]
    assert stated.result
    assert stated.value == pytest.approx(ours.value[:, order], abs=1e-9)
    assert stated.policy["price"] == pytest.approx(ours.policy["price"][:, 0, order], abs=1e-9)
