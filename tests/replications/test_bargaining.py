"""Bargaining: Rubinstein's limit, Horn and Wolinsky's prices, the Myerson value, two methods each."""

import itertools
import math

import numpy as np
import pytest

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games.bargaining import (
    GAMES,
    Bargain,
    alternating_offers,
    horn_wolinsky,
    nash,
    nash_in_nash,
    stable_networks,
    variety,
)


def test_nash_splits_the_gain():
    assert nash(10, (1, 2)) == (4.5, 5.5)
    assert nash(10, (1, 2), 0) == (1, 9)
    assert nash(10, (1, 2), 1) == (8, 2)
    with pytest.raises(SolverError, match="nothing to share"):
        nash(1, (1, 2))


@pytest.mark.parametrize("rate", [(1.0, 1.0), (1.0, 2.0), (3.0, 1.0)])
def test_alternating_offers_converge_to_nash(rate):
    """As the time between offers goes to zero the seller's part goes to r_B/(r_A + r_B), at first order."""
    limit = rate[1] / sum(rate)
    gaps = []
    for step in (1e-2, 1e-3, 1e-4):
        discount = (math.exp(-rate[0] * step), math.exp(-rate[1] * step))
        gaps.append(abs(alternating_offers(1.0, discount) - limit))
    assert gaps[2] < 2e-4
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.1)


def test_backward_induction_reaches_the_closed_form():
    discount = (0.95, 0.9)
    assert alternating_offers(1.0, discount, 401) == pytest.approx(
        alternating_offers(1.0, discount), abs=1e-12
    )


@pytest.mark.parametrize(("common", "price"), [(False, 16 / 7), (True, 13 / 4)])
def test_horn_wolinsky(common, price):
    s = horn_wolinsky(10, 1, common=common)
    assert s.result
    assert s.policy["price"] == pytest.approx([price] * 2, abs=1e-9)
    slow = horn_wolinsky(10, 1, common=common, method="alternating")
    assert slow.policy["price"] == pytest.approx([price] * 2, abs=1e-6)


@pytest.mark.parametrize("breakdown", ["fixed", "renegotiated"])
def test_two_methods_agree(breakdown):
    game = variety(3, 2, weight=0.4)
    direct = nash_in_nash(game, breakdown=breakdown)
    other = nash_in_nash(game, breakdown=breakdown, method="alternating")
    assert direct.result
    assert direct.value == pytest.approx(other.value, abs=1e-7)
    assert direct.residual < 1e-12


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_extreme_weights(weight):
    game = variety(2, 2, weight=weight)
    s = nash_in_nash(game)
    gain = 2**0.5 - 1  # what the second seller adds to a buyer
    assert s.value[:2] == pytest.approx([2 * gain * weight] * 2)
    assert s.value[2:] == pytest.approx([2**0.5 - 2 * gain * weight] * 2)


def test_renegotiation_with_equal_weights_is_the_myerson_value():
    """Marginal contributions averaged over all orders in which the parties may arrive."""
    sellers, buyers, rng = 2, 2, np.random.default_rng(3)
    worth = {}

    def value(signed, members):
        """Surplus that the links among `members` make."""
        inside = frozenset((i, j) for i, j in signed if i in members and sellers + j in members)
        return worth.setdefault(inside, 0.0 if not inside else rng.uniform(1, 2) * len(inside))

    def payoff(signed):
        """All surplus first falls to buyers, by what each buyer's own links make."""
        d = np.zeros(buyers)
        for j in range(buyers):
            own = frozenset(link for link in signed if link[1] == j)
            d[j] = value(own, range(sellers + buyers))
        return np.zeros(sellers), d

    s = nash_in_nash(Bargain(sellers, buyers, payoff), breakdown="renegotiated")
    everyone, signed = range(sellers + buyers), frozenset(itertools.product(range(2), range(2)))

    def total(members):
        inside = frozenset((i, j) for i, j in signed if i in members and sellers + j in members)
        return float(payoff(inside)[1].sum())

    shapley = np.zeros(4)
    for order in itertools.permutations(everyone):
        for k, party in enumerate(order):
            shapley[party] += total(set(order[: k + 1])) - total(set(order[:k]))
    assert s.value == pytest.approx(shapley / math.factorial(4), abs=1e-10)


def test_exclusive_contracts_and_replacement():
    game = variety(2, 2, exclusive=True)
    with pytest.raises(SolverError, match="not permitted"):
        nash_in_nash(game)
    replaced = nash_in_nash(game, [(0, 0), (1, 1)], breakdown="replacement")
    assert replaced.value == pytest.approx([0, 0, 1, 1])  # equal sellers: the threat leaves them nothing
    assert nash_in_nash(game, [(0, 0), (1, 1)]).value == pytest.approx([0.5] * 4)
    assert all(len(s.extra["signed"]) == 2 for s in stable_networks(game))
    assert [len(s.extra["signed"]) for s in stable_networks(variety(2, 2))] == [4]


def test_unwanted_agreement_shows_as_exploitable():
    harm = Bargain(1, 1, lambda A: (np.array([-1.0 if A else 0.0]), np.array([0.25 if A else 0.0])))
    assert nash_in_nash(harm).exploitability == pytest.approx(0.75)


def test_errors_and_catalogue():
    with pytest.raises(ConfigurationError, match="breakdown"):
        nash_in_nash(variety(), breakdown="other")
    with pytest.raises(SolverError, match="65,536"):
        variety(5, 5).networks()
    for game in GAMES:
        assert game.solve().result
        assert game.show
