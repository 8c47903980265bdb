"""Besanko, Doraszelski and Kryukov (AER 2014): targets T1 and T1b, to their digits."""

import numpy as np
import pytest

from pricewar.games import continuation, learning_bdk2014, outcomes, solvers

PRICES = (-34.77592203, 3.27431966, 5.05435690)


@pytest.fixture(scope="module")
def equilibria():
    return learning_bdk2014.search(budget=40, seed=0)


def test_three_equilibria_are_found_by_search_with_none_stored(equilibria):
    prices = [float(s.policy["price"][0, 1, 1]) for s in equilibria]
    assert prices == pytest.approx(PRICES, abs=5e-9)
    for solution in equilibria:
        assert solution.result
        assert solution.residual <= 1e-11
        assert solution.exploitability <= 1e-9
        assert solution.contraction is not None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_the_search_does_not_hang_on_its_seed(seed):
    found = learning_bdk2014.search(budget=40, seed=seed)
    assert [float(s.policy["price"][0, 1, 1]) for s in found] == pytest.approx(PRICES, abs=5e-9)


def test_the_aggressive_equilibrium_at_period_1000(equilibria):
    road = outcomes.path(equilibria[0], periods=1001)
    assert road.hhi[1000] == pytest.approx(0.9574, abs=5e-5)
    assert road.price[1000] == pytest.approx(8.2619, abs=5e-5)
    assert road.consumers[1000] == pytest.approx(1.9891, abs=5e-5)
    assert road.surplus[1000] == pytest.approx(6.0854, abs=5e-5)
    assert road.discounted["consumers"] == pytest.approx(104.175, abs=5e-4)
    assert road.discounted["surplus"] == pytest.approx(110.331, abs=5e-4)
    # as printed in the paper
    assert [round(float(v), 2) for v in (road.hhi[1000], road.price[1000])] == [0.96, 8.26]


def test_motives_add_up_to_the_price(equilibria):
    for solution in equilibria:
        why = outcomes.motives(solution)
        parts = learning_bdk2014.incentives(solution)
        assert why.slack < 1e-10
        inside = np.isfinite(why.building)
        assert np.allclose(parts["building"].sum(axis=0)[inside], why.building[inside], atol=1e-9)
        theta = (parts["weight"] * parts["denying"].sum(axis=0))[1:, 1:]
        assert np.allclose(theta, why.denying[1:, 1:], atol=1e-9)


def test_the_aggressive_price_is_a_sacrifice_and_the_sacrifice_buys_exit(equilibria):
    aggressive, accommodative = equilibria[0], equilibria[2]
    tests = learning_bdk2014.sacrifice(aggressive)
    assert all(tests[name][1, 1] > 1 for name in ("short_run", "vacuum", "rival_exit"))
    assert learning_bdk2014.sacrifice(accommodative)["rival_exit"][1, 1] < 0.5


def test_the_progress_ratio_leads_from_the_aggressive_to_the_middle_one_through_a_fold(equilibria):
    start = equilibria[0].extra["y"]
    branch = continuation.trace(
        lambda rho: learning_bdk2014.build(rho=rho), start, 0.75, 0.74, 0.85, parameter="rho", limit=120
    )
    assert [f for f in branch.folds if f > 0.79] == pytest.approx([0.8021], abs=2e-4)
    game = learning_bdk2014.build()
    met = sorted(float(game.unfold(y)["price"][0, 1, 1]) for y in branch.at(0.75, lambda _: game))
    assert met == pytest.approx(PRICES[:2], abs=5e-9)


def test_a_floor_on_price_raises_the_first_price_and_keeps_two_firms(equilibria):
    table = learning_bdk2014.rules(equilibria[0], names=("as it is", "no price below cost"))
    free, floored = table.rows
    assert free[1] == floored[1] == "solved"
    assert floored[2] >= 10.0 - 1e-9 > free[2]
    assert floored[3] < free[3]


@pytest.mark.slow
def test_the_correspondence_in_the_progress_ratio_has_two_branches():
    drawn = learning_bdk2014.correspondence("rho", 0.74, 0.85, at=(0.75,), budget=40)
    assert len(drawn.branches) == 2
    folds = [f for b in drawn.branches for f in b.folds]
    assert folds == pytest.approx([0.8021], abs=2e-4)
    assert drawn.picture().series.keys() == {"1.x", "1.y", "2.x", "2.y"}
    assert len(drawn.table().rows) == 2


def test_block_elimination_agrees_with_sparse_lu():
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    game = learning_bdk2014.build(levels=12)
    y = game.start("static")
    for _ in range(10):
        y = game.relax(y, 0.7)
    F, step = game.direction(y, shift=0.3)
    exact = splu((1.3 * eye_array(game.size) - game.jacobian(y)).tocsc()).solve(F)
    assert np.allclose(step[:, 0], exact, rtol=1e-10, atol=1e-10)


def test_methods_agree_where_they_converge():
    game = learning_bdk2014.build(levels=10, rho=0.95)
    answers = [
        solvers.run(game, game.start(), method)
        for method in ("default", "anderson", "newton", "ptc", "jacobi")
    ]
    answers.append(solvers.gauss_seidel(game, game.start(), damping=0.7))
    for done in answers:
        assert done.result, done.method
        assert np.allclose(done.y, answers[0].y, atol=1e-8)
