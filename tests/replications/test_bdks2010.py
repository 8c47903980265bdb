"""Besanko, Doraszelski, Kryukov and Satterthwaite (Econometrica 2010): T2, and the grid of cold starts."""

import itertools

import numpy as np
import pytest

from pricewar.games import continuation, learning_bdks2010, solvers

PRICES = (2.322476, 4.423665, 5.946757)  # p(1,1) at (.85, .026)

# Forgetting × progress ratio × discount factor × cost gap: 7 × 3 × 2 × 2 = 84 cold starts. The forgetting
# rates straddle the trenches (.02 to .08), the gap makes half of the games asymmetric.
GRID = tuple(
    itertools.product(
        (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2), (0.75, 0.85, 0.95), (1 / 1.05, 0.99), (0.0, 0.1)
    )
)


def game_of(case, levels=30):
    delta, rho, beta, gap = case
    return learning_bdks2010.build(delta=delta, rho=rho, beta=beta, cost_gap=gap, levels=levels)


def price(game, y):
    return float(game.unfold(y)["price"][0, 1, 1])


def test_the_correspondence_in_the_forgetting_rate_passes_through_all_three_equilibria():
    def build(delta):
        return learning_bdks2010.build(delta=delta)

    start = learning_bdks2010.solve(delta=0.0, certify=False)
    branch = continuation.trace(build, start.extra["y"], 0.0, 0.0, 0.2, parameter="delta", largest=0.08)
    assert branch.ends == ("range", "range")
    assert np.max(branch.residuals) <= 1e-11
    met = sorted(price(build(0.026), y) for y in branch.at(0.026, build))
    assert met == pytest.approx(PRICES, abs=5e-7)
    assert len(branch.folds) == 6
    # it folds where the three begin and cease to coexist
    assert min(branch.folds) < 0.026 < max(branch.folds)


def test_search_finds_the_three_and_says_how():
    found = learning_bdks2010.search(budget=40, seed=0, stability=False)
    assert [float(s.policy["price"][0, 1, 1]) for s in found] == pytest.approx(PRICES, abs=5e-7)
    assert all(s.exploitability <= 1e-9 and s.start for s in found)


def test_the_extra_trenchy_equilibrium_has_a_trench_off_the_diagonal():
    solution = learning_bdks2010.solve(delta=0.08, certify=False)
    p = solution.policy["price"][0, 1:, 1:]
    assert solution.result
    # along (26, ·) the price falls into a trench at e2 = 8 and climbs out of it (published near (26, 8))
    row = p[25]
    assert 3 + int(np.argmin(row[2:16])) == 8
    assert row[7] < row[3] - 0.5
    assert row[7] < row[11] - 1.0


@pytest.mark.parametrize("case", GRID[::6])
def test_cold_starts(case):
    game = game_of(case)
    done = solvers.default(game, game.start())
    assert done.result
    assert game.exploitability(done.y) <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("case", GRID)
def test_cold_starts_all_at_30(case):
    game = game_of(case)
    done = solvers.default(game, game.start())
    assert done.result, (done.method, done.residual)
    assert game.exploitability(done.y) <= 1e-9


@pytest.mark.slow
def test_cold_starts_at_60_reported():
    solved = []
    for delta, rho, beta, gap in GRID:
        found = learning_bdks2010.solve(
            levels=60, delta=delta, rho=rho, beta=beta, cost_gap=gap, certify=False
        )
        solved.append(bool(found.result))
    print(f"60×60: {sum(solved)} of {len(solved)} cold starts solved")
    assert all(solved)
