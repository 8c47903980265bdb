"""T6: Maskin and Tirole (1988 II), the two equilibria of section 3 on the grid i/6."""

import numpy as np
import pytest

from pricewar.games.maskin_tirole1988 import (
    EDGEWORTH,
    KINKED,
    alpha,
    beta,
    find_equilibria,
    grid,
    solve,
    solve_support,
)


@pytest.mark.parametrize("discount", [0.7, 0.8, 0.9, 0.95, 0.99])
def test_kinked_demand(discount):
    s = solve_support(grid(6, discount), KINKED)
    assert s.result
    assert s.policy["answer"][1, 1] == pytest.approx(beta(discount), abs=1e-12)
    assert s.exploitability < 1e-11
    assert s.policy["long_run"][3] == pytest.approx(1.0)  # the monopoly price, 1/2


@pytest.mark.parametrize("discount", [0.7, 0.8, 0.9, 0.95, 0.99])
def test_edgeworth_cycle(discount):
    s = solve_support(grid(6, discount), EDGEWORTH)
    assert s.result
    assert s.policy["answer"][0, 0] == pytest.approx(alpha(discount), abs=1e-12)
    assert s.exploitability < 1e-11
    assert (s.policy["long_run"][:5] > 0).all()  # every price of the cycle is visited


def test_published_values_at_95():
    assert beta(0.95) == pytest.approx(0.462226, abs=1e-6)
    assert alpha(0.95) == pytest.approx(0.255583, abs=1e-6)


def test_search_finds_the_kinked_equilibrium_unaided():
    found = find_equilibria(grid(6, 0.95), starts=1000, seed=0)
    assert len(found) >= 5
    assert max(s.exploitability for s in found) < 1e-11
    assert any(abs(s.policy["answer"][1, 1] - beta(0.95)) < 1e-10 for s in found)


def test_other_grids():
    found = find_equilibria(grid(8, 0.95), starts=600, seed=1)
    assert found
    for s in found:
        assert s.exploitability < 1e-11
        assert s.value.min() > 0  # profits stay away from the Bertrand level


def test_impatience_leaves_no_kink_and_says_so():
    s = solve(discount=0.4)
    assert not s.result
    assert s.result.remedy


def test_values_agree_with_a_long_sum():
    """The recursion for V and W against brute iteration of the same answers."""
    model = grid(6, 0.9)
    R = solve_support(model, EDGEWORTH).policy["answer"]
    V, W, pi = np.zeros(7), np.zeros(7), model.profit()
    for _ in range(600):
        V, W = (R * (pi.T + 0.9 * W[None, :])).sum(1), (R * (pi + 0.9 * V[None, :])).sum(1)
    exact = model.values(R)
    assert pytest.approx(exact[0], abs=1e-12) == V
    assert pytest.approx(exact[1], abs=1e-12) == W
