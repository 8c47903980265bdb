"""T4 and T5: linear-quadratic duopolies with the figures of QuantEcon's tests and lectures."""

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from pricewar.errors import SolverError
from pricewar.games.lq_judd1990 import LQGame, adjustment, judd, lq_nash, steady_state


def test_judd():
    s = lq_nash(judd())
    assert s.result
    published = [
        [0.243666582208565, 0.027236062661951, -6.827882928738190],
        [0.392370733875639, 0.139696450885998, -37.734107291009138],
    ]
    assert s.policy["F1"] == pytest.approx(np.array(published), abs=1e-12)
    assert steady_state(s, 2)[:2] == pytest.approx([1.246871007582702] * 2, abs=1e-12)


def test_quantecon_duopoly():
    s = lq_nash(adjustment())
    assert s.policy["F1"] == pytest.approx(np.array([[-0.6684661455, 0.2951248177, 0.0758466631]]), abs=1e-7)
    assert s.exploitability < 1e-9


@pytest.mark.parametrize("firms", [1, 2, 3, 5])
def test_vanishing_adjustment_cost_is_cournot(firms):
    s = lq_nash(adjustment(firms, gamma=1e-7))
    assert steady_state(s, 0)[1:] == pytest.approx([10 / (2 * (firms + 1))] * firms, rel=1e-5)


def test_one_player_is_scipy_riccati():
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(4, 4)) / 3, rng.normal(size=(4, 2))
    R, Q, W = np.eye(4), np.eye(2), 0.1 * rng.normal(size=(4, 2))
    s = lq_nash(LQGame(A, [B], [R], [Q], [W], discount=0.9))
    P = solve_discrete_are(np.sqrt(0.9) * A, np.sqrt(0.9) * B, R, Q, s=W)
    assert -s.value[0] == pytest.approx(P, abs=1e-11)


def test_payoffs_instead_of_costs_are_refused():
    game = judd()
    with pytest.raises(SolverError, match="second-order"):
        lq_nash(
            LQGame(
                game.A,
                game.B,
                [-r for r in game.R],
                [-q for q in game.Q],
                [-w for w in game.W],
                M={k: -m for k, m in game.M.items()},
            )
        )
