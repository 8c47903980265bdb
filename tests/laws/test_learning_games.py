"""Laws of the learning games: symmetry, statics, conservation, numbering, exploitability, agreement."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games import (
    continuation,
    duopoly,
    dynamic,
    learning_bdk2014,
    learning_bdks2010,
    learning_many,
    outcomes,
    solution,
    solvers,
)

quick = settings(max_examples=12, deadline=None)

forgetting = st.fixed_dictionaries({
    "rho": st.floats(0.7, 1.0),
    "delta": st.floats(0.0, 0.2),
    "beta": st.sampled_from([0.8, 1 / 1.05, 0.99]),
    "sigma": st.floats(0.5, 2.0),
    "levels": st.integers(4, 12),
})  # fmt: skip

entry_and_exit = st.fixed_dictionaries({
    "rho": st.floats(0.7, 1.0),
    "sigma": st.floats(0.7, 2.0),
    "scrap": st.floats(0.5, 3.0),
    "setup": st.floats(3.0, 6.0),
    "levels": st.integers(3, 12),
})  # fmt: skip


def unlike(game: duopoly.Duopoly, cost, symmetric=None) -> duopoly.Duopoly:
    laws = game.laws if game.exits else None
    return duopoly.Duopoly(
        cost, game.step, game.beta, game.sigma, game.outside, laws, game.floor, symmetric=symmetric
    )


@quick
@given(forgetting, st.floats(0, 0.3))
def test_exploitability_vanishes_where_the_residual_does(parameters, gap):
    found = learning_bdks2010.solve(cost_gap=gap, **parameters)
    assert found.result, found.summary()
    assert found.residual <= 1e-11
    assert found.exploitability <= 1e-9


@quick
@given(entry_and_exit)
def test_exploitability_with_entry_and_exit(parameters):
    found = learning_bdk2014.solve(**parameters)
    assert found.result, found.summary()
    assert found.exploitability <= 1e-9
    assert outcomes.motives(found).slack < 1e-9


@quick
@given(forgetting)
def test_a_symmetric_game_solved_on_all_states_keeps_symmetry(parameters):
    half = learning_bdks2010.build(**parameters)
    full = unlike(half, half.cost, symmetric=False)
    y = solvers.jacobi(full, full.start(), limit=40).y
    V = full.unfold(y)["value"]
    W = half.unfold(solvers.jacobi(half, half.start(), limit=40).y)["value"]
    assert np.allclose(V[0, 1:, 1:], V[1, 1:, 1:].T, rtol=1e-12, atol=1e-10)
    assert np.allclose(V[0, 1:, 1:], W[0, 1:, 1:], rtol=1e-12, atol=1e-10)


@quick
@given(forgetting, st.floats(0.01, 0.3))
def test_values_do_not_depend_on_the_numbering_of_firms(parameters, gap):
    game = learning_bdks2010.build(cost_gap=gap, **parameters)
    swapped = unlike(game, game.cost[::-1])
    done = solvers.default(game, game.start())
    V = game.unfold(done.y)
    turned = swapped.fold(np.swapaxes(V["ahead"][::-1], 1, 2))
    assert done.result
    # the same equilibrium, the firms renamed, is an equilibrium of the renamed game
    assert np.max(np.abs(swapped.image(turned) - turned)) <= 1e-10
    assert np.allclose(swapped.unfold(turned)["price"][0], V["price"][1].T, atol=1e-9, equal_nan=True)


@quick
@given(st.floats(0, 0.3), st.sampled_from([0.5, 0.9, 0.99]), st.floats(0.5, 2), st.integers(2, 8))
def test_without_a_learning_curve_the_price_is_the_static_one(delta, beta, sigma, levels):
    found = learning_bdks2010.solve(rho=1.0, delta=delta, beta=beta, sigma=sigma, levels=levels)
    # two like firms, no outside good: markup σ/(1 − ½)
    assert np.allclose(found.policy["price"][:, 1:, 1:], 10.0 + 2 * sigma, atol=1e-9)


@quick
@given(st.floats(0.5, 0.9), st.floats(0.7, 2.0), st.integers(3, 8))
def test_without_a_future_the_price_is_the_static_one(rho, sigma, levels):
    found = learning_bdk2014.solve(beta=0.0, rho=rho, sigma=sigma, levels=levels)
    why = outcomes.motives(found)
    assert np.allclose(why.building[1:, :], 0, atol=1e-12)
    assert np.allclose((why.price - why.cost - why.markup)[1:, :], 0, atol=1e-9)


@quick
@given(entry_and_exit, st.integers(1, 40))
def test_probability_is_conserved(parameters, periods):
    found = learning_bdk2014.solve(certify=False, **parameters)
    mu = outcomes.distribution(found, periods)
    assert mu.sum() == pytest.approx(1.0, abs=1e-12)
    assert mu.min() >= 0
    assert np.allclose(found.policy["share"].sum(axis=0)[1:, 1:], 1.0, atol=1e-14)
    assert np.allclose(found.extra["engine"].step.sum(axis=-1), 1.0)


def test_the_limit_distribution_is_invariant():
    found = learning_bdks2010.solve(certify=False, levels=8)
    limit, periods = outcomes.limit_distribution(found)
    assert periods < 50_000
    assert np.allclose(outcomes.distribution(found, periods + 50), limit, atol=1e-9)


@quick
@given(st.floats(0.75, 1), st.floats(0, 0.1), st.integers(3, 7))
def test_two_firms_agree_whichever_engine_solves_them(rho, delta, levels):
    a = learning_many.build(firms=2, rho=rho, delta=delta, levels=levels)
    b = learning_bdks2010.build(rho=rho, delta=delta, levels=levels)
    y = solvers.default(b, b.start())
    value = b.unfold(y.y)["value"][0, 1:, 1:]
    x = np.empty(a.size)
    x[a.index[0]] = value.ravel()
    assert np.max(np.abs(a.image(x) - x)) < 1e-10
    assert np.allclose(a.unfold(x)["price"][0], b.unfold(y.y)["price"][0, 1:, 1:], atol=1e-9)


def test_three_firms_and_their_numbering():
    found = learning_many.solve(levels=6, delta=0.03, cost_gap=0.0)
    assert found.result
    assert found.exploitability <= 1e-9
    V = found.value
    for order in ((0, 2, 1), (1, 0, 2), (2, 1, 0)):
        assert np.allclose(
            V[list(order)], np.transpose(V, (0, *(o + 1 for o in np.argsort(order)))), atol=1e-9
        )
    game = learning_many.build(levels=6, delta=0.03)
    full = type(game)(game.cost, game.step, game.beta, game.sigma, symmetric=False)
    y = np.empty(full.size)
    y[full.index] = V.reshape(3, -1)
    assert np.max(np.abs(full.image(y) - y)) < 1e-10


def restate(game: duopoly.Duopoly) -> tuple[dynamic.PriceGame, list[tuple[int, int]]]:
    """The compiled game stated again as a game of one's own."""
    levels = range(game.lo, game.L)
    states = [(i, j) for i in levels for j in levels]
    at = {s: k for k, s in enumerate(states)}
    e = np.array(states).T
    active = e > 0
    moves = []
    for mine, theirs in ((0, 0), (1, 2), (2, 1)):
        P = np.zeros((len(states), len(states)))
        for (a, b), s in at.items():
            for d in range(3):
                for f in range(3):
                    p = game.step[0, mine, a, d] * game.step[1, theirs, b, f]
                    if p:
                        P[s, at[a + d - 1, b + f - 1]] += p
        moves.append(P)
    more = {}
    if game.exits:
        after = [
            [at[(max(i, 1) if m & 1 else 0, max(j, 1) if m & 2 else 0)] for i, j in states] for m in range(4)
        ]
        more = {"operate": after, "laws": game.laws[:, :2], "setup": game.laws[:, 2:], "entrant": ~active}
    outside = None if game.outside is None else -game.outside
    demand = dynamic.logit(np.zeros(e.shape), game.sigma, outside, active)
    cost = np.stack([game.cost[0][e[0]], game.cost[1][e[1]]])
    return dynamic.PriceGame(demand, cost, moves, game.beta, active=active, **more), states


@pytest.mark.parametrize(
    "game", [learning_bdk2014.build(levels=4, rho=0.9), learning_bdks2010.build(levels=5, cost_gap=0.1)]
)
def test_the_general_engine_agrees_with_the_compiled_one(game):
    own, states = restate(game)
    found = own.solve()
    exact = game.unfold(solvers.default(game, game.start()).y)["price"]
    assert found.result
    assert found.exploitability <= 1e-9
    for k, s in enumerate(states):
        assert np.allclose(found.policy["price"][:, k], exact[:, *s], atol=1e-9, equal_nan=True)


def test_the_worked_example_runs():
    example = Path(__file__).parents[2] / "examples" / "integration_depth.py"
    found = runpy.run_path(str(example))["solution"]
    assert found.result
    assert found.exploitability <= 1e-9


def test_a_branch_that_closes_on_itself_says_loop():
    class Circle:
        """y = T(y) with y² + λ² = 1 written as a fixed point; Newton and continuation see the circle."""

        size = 1

        def __init__(self, value):
            self.value = value

        def start(self, _kind="static", _rng=None):
            return np.array([1.0])

        def image(self, y):
            return y + 0.1 * (y**2 + self.value**2 - 1)

        def relax(self, y, _damping=1.0):
            return self.image(y)

        def direction(self, y, shift=0.0, columns=None):
            F = self.image(y) - y
            rhs = F[:, None] if columns is None else np.column_stack([F, columns])
            return F, rhs / (shift - 0.2 * y[0])

        def guard(self, y, move):
            return y + move

    branch = continuation.trace(Circle, np.array([0.6]), 0.8, -2.0, 2.0, step=0.02, largest=0.05)
    assert "loop" in branch.ends
    assert sorted(set(np.round(branch.folds, 4))) == [-1.0, 1.0]


def test_errors_say_what_to_do():
    with pytest.raises(ConfigurationError, match="rho"):
        learning_bdk2014.solve(rho=1.5)
    with pytest.raises(ConfigurationError, match="did you mean"):
        learning_bdk2014.solve(sigm=1.0)
    with pytest.raises(ConfigurationError, match="did you mean"):
        learning_bdk2014.solve(method="newtn")
    with pytest.raises(SolverError, match="GB"):
        learning_many.build(firms=6, levels=60)
    with pytest.raises(SolverError, match=r"400 levels need .* GB"):
        learning_bdks2010.build(levels=400, cost_gap=0.1)
    game = learning_bdk2014.build(levels=3)
    with pytest.raises(SolverError, match="outside good"):
        duopoly.Duopoly(game.cost, game.step, 0.9, laws=game.laws)


def test_failure_is_a_result_and_keeps_what_was_reached():
    found = learning_bdk2014.solve(method="jacobi", limit=5)
    assert not found.result
    assert found.result.remedy
    assert np.isfinite(found.residual)
    with pytest.raises(solution.NoEquilibriumError) as caught:
        found.or_raise()
    assert caught.value.partial is found


def test_solutions_present_themselves():
    pytest.importorskip("xarray")
    found = learning_bdks2010.solve(levels=6)
    data = found.to_xarray()
    assert data["price"].sel(firm=1, e1=1, e2=1).item() == found.policy["price"][0, 1, 1]
    assert data.attrs["result"] == "solved"
    shown = learning_bdks2010.GAME.show(found)
    assert {type(item).__name__ for item in shown} == {"Table", "Picture"}
    assert "learning-bdks2010" in solution.catalogue()


@pytest.mark.parametrize("paper", [learning_bdk2014, learning_bdks2010])
def test_the_vector_field_is_the_mean_of_what_is_carried(paper):
    from pricewar.games import outcomes

    found = paper.solve(levels=5, bottom=3, certify=False)
    u, v = outcomes.drift(found)
    levels = np.arange(6)
    for start in ((1, 1), (2, 1), (1, 4), (5, 3)):
        after = outcomes.distribution(found, 1, start)
        assert u[start] == pytest.approx(levels @ after.sum(axis=1) - start[0], abs=1e-12)
        assert v[start] == pytest.approx(levels @ after.sum(axis=0) - start[1], abs=1e-12)
