"""Laws of the exact games: symmetry, numbering, static limits, no profitable deviation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.games import rls
from pricewar.games.bargaining import nash_in_nash, variety
from pricewar.games.leapfrogging_irs2016 import Leapfrogging
from pricewar.games.maskin_tirole1988 import EDGEWORTH, KINKED, grid, solve_support
from pricewar.games.network_cabral2011 import power, price_fall, solve_networks
from pricewar.games.solution import catalogue
from pricewar.games.static_logit import LogitMarket, bertrand, joint_monopoly
from pricewar.games.switching_costs import Switching, solve_switching

FEW = settings(max_examples=25, deadline=None)
HANDFUL = settings(max_examples=15, deadline=None)
number = st.floats(-2.0, 3.0)


@st.composite
def markets(draw):
    J = draw(st.integers(1, 8))
    quality = draw(st.lists(number, min_size=J, max_size=J))
    cost = draw(st.lists(st.floats(0.0, 3.0), min_size=J, max_size=J))
    firms = draw(st.lists(st.integers(0, 3), min_size=J, max_size=J))
    market = LogitMarket(np.array(quality), np.array(cost), draw(st.floats(0.1, 3.0)), draw(number))
    return market, np.array(firms)


@FEW
@given(markets(), st.randoms())
def test_bertrand_is_an_equilibrium_whatever_the_order(drawn, random):
    market, firms = drawn
    s = bertrand(market, firms)
    assert s.result
    assert s.residual <= 1e-11
    assert s.exploitability <= 1e-9
    order = list(range(len(firms)))
    random.shuffle(order)
    turned = LogitMarket(market.quality[order], market.cost[order], market.scale, market.outside)
    assert bertrand(turned, firms[order]).policy["price"] == pytest.approx(
        s.policy["price"][order], abs=1e-10
    )


@FEW
@given(markets())
def test_newton_and_aggregate_agree_and_shares_add_up(drawn):
    market, firms = drawn
    a, b = bertrand(market, firms, method="aggregate"), bertrand(market, firms, method="newton")
    assert b.result
    assert a.policy["price"] == pytest.approx(b.policy["price"], abs=1e-9)
    assert 0 < a.policy["share"].sum() < 1


@FEW
@given(markets())
def test_a_cartel_earns_at_least_what_its_members_did(drawn):
    market, firms = drawn
    apart, together = bertrand(market, firms), joint_monopoly(market)
    s, m = (apart.policy[k] for k in ("share", "margin"))
    assert together.value[0] >= float((s * m).sum()) - 1e-12
    assert (together.policy["margin"] >= m - 1e-10).all()


@HANDFUL
@given(
    st.booleans(),
    st.floats(0.0, 0.95),
    st.floats(-1.0, 1.0),
    st.one_of(st.none(), st.floats(-3.0, 1.0)),
    st.floats(0.0, 1.0),
)
def test_portability_makes_switching_costs_vanish(by_history, discount, gap, outside, turnover):
    model = Switching(
        3, 4.0, 1.0, by_history, cost=(0.0, gap), outside=outside, discount=discount, turnover=turnover
    )
    s = solve_switching(model)
    static = bertrand(LogitMarket(np.zeros(2), np.array(model.cost), 1.0, outside)).policy["price"]
    assert s.result
    assert np.nanmax(np.abs(s.policy["price"] - static[:, None, None])) < 1e-9
    assert s.extra["limit"].sum() == pytest.approx(1.0)
    assert s.policy["join"].sum(axis=1) == pytest.approx(1.0)


@HANDFUL
@given(st.floats(0.0, 1.0), st.floats(0.5, 0.95), st.floats(-2.0, 2.0))
def test_no_future_is_static_when_the_base_is_empty(switching_cost, scale, quality):
    """With β = 0 and nobody attached, today's price is the static one."""
    model = Switching(2, switching_cost, quality=(quality, 0.0), scale=scale, outside=0.0, discount=0.0)
    s = solve_switching(model)
    static = bertrand(LogitMarket(np.array(model.quality), np.zeros(2), scale, 0.0)).policy["price"]
    at = s.extra["base"].tolist().index([2, 0, 0])
    assert s.policy["price"][:, 0, at] == pytest.approx(static, abs=1e-9)


@HANDFUL
@given(st.integers(3, 30), st.floats(0.0, 1.5), st.floats(0.0, 0.9), st.floats(-1.0, 1.0))
def test_usage_lowers_prices_by_its_worth(consumers, network, discount, usage):
    a, b = (solve_networks(power(consumers, network, 1.0, t, discount)) for t in (0.0, usage))
    assert a.result
    assert b.result
    assert a.exploitability <= 1e-9
    fall = a.policy["price"] - b.policy["price"]
    assert np.abs(fall - price_fall(usage, consumers, discount)).max() < 1e-11
    assert a.policy["join"][0] + a.policy["join"][0][::-1] == pytest.approx(1.0)
    assert a.extra["limit"].sum() == pytest.approx(1.0)


@HANDFUL
@given(st.floats(0.65, 0.995))
def test_both_cycles_survive_patience(discount):
    for support in (KINKED, EDGEWORTH):
        s = solve_support(grid(6, discount), support)
        assert s.result
        assert s.policy["answer"].sum(axis=1) == pytest.approx(1.0)


@HANDFUL
@given(st.floats(1.0, 20.0), st.floats(0.1, 0.97), st.floats(0.1, 1.0), st.integers(0, 10_000))
def test_any_leaf_is_an_equilibrium(investment, discount, advance, seed):
    game = Leapfrogging(levels=3, investment=investment, discount=discount, advance=advance).directional()
    rng, choice = np.random.default_rng(seed), np.zeros(game.states, dtype=np.int64)
    for state in range(game.states):
        choice[state] = rng.integers(0, rls.follow(game, choice)[2][state])
    V, P, _ = rls.follow(game, choice)
    residual, gain = rls.verify(game, V, P)
    assert residual < 1e-9
    assert gain < 1e-9


@FEW
@given(st.integers(1, 3), st.integers(1, 3), st.floats(0.0, 1.0), st.floats(0.2, 1.0))
def test_transfers_only_move_money(sellers, buyers, weight, curvature):
    game = variety(sellers, buyers, curvature=curvature, weight=weight)
    for breakdown in ("fixed", "renegotiated"):
        s = nash_in_nash(game, breakdown=breakdown)
        assert s.value.sum() == pytest.approx(buyers * sellers**curvature)
        assert np.ptp(s.value[:sellers]) < 1e-9
        assert np.ptp(s.value[sellers:]) < 1e-9


def test_the_catalogue_names_every_game_once_with_a_reference():
    games = catalogue()
    assert len(games) >= 10
    for name, game in games.items():
        assert name == game.name
        assert (
            any(char.isdigit() for char in game.reference)
            or "QuantEcon" in game.reference
            or "Quantitative" in game.reference
        )
        assert game.summary
        assert [p.name for p in game.parameters] == list(game.checked({}))
