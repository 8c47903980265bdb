"""T3: Iskhakov, Rust, Schjerning (2016), the numbers of Markov perfect equilibria."""

import numpy as np
import pytest

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games import rls
from pricewar.games.leapfrogging_irs2016 import Leapfrogging, search, solve


@pytest.mark.parametrize(("levels", "count"), [(3, 127), (4, 46_707)])
def test_number_of_equilibria(levels, count):
    found = rls.search(Leapfrogging(levels=levels).directional())
    assert found.complete
    assert found.count == count


def test_every_one_of_the_127_is_an_equilibrium():
    found = search(levels=3)
    assert len(found) == 127
    assert max(s.exploitability for s in found) < 1e-11
    assert max(s.residual for s in found) < 1e-11
    assert len({s.start for s in found}) == 127


def test_chosen_equilibrium_is_found_again():
    model = Leapfrogging(levels=3)
    listed = rls.search(model.directional(), payoffs_at=model.directional().states - 1)
    again = [s.value[:, 0, 0, 0] for s in search(levels=3)]
    assert np.array(again) == pytest.approx(listed.payoffs)
    last = search(levels=3)[-1]
    assert solve(levels=3, start=last.start).value[:, 0, 0, 0] == pytest.approx(last.value[:, 0, 0, 0])


def test_mirror_image_of_an_equilibrium_is_one():
    game = Leapfrogging(levels=3).directional()
    listed = rls.search(game, payoffs_at=game.states - 1).payoffs
    assert sorted(map(tuple, listed.round(9))) == sorted(map(tuple, listed[:, ::-1].round(9)))


def test_stochastic_progress_is_solved_exactly():
    s = solve(levels=3, advance=0.4)
    assert s.result
    assert s.exploitability < 1e-11


def test_limit_stops_the_search():
    found = rls.search(Leapfrogging(levels=4).directional(), limit=1000)
    assert not found.complete
    assert found.count >= 1000


def test_errors():
    with pytest.raises(SolverError, match="advance"):
        Leapfrogging(advance=0)
    with pytest.raises(ConfigurationError, match="digits"):
        solve(start="12")
    with pytest.raises(SolverError, match="was asked for"):
        rls.follow(Leapfrogging(levels=2).directional(), np.full(5, 7))
    game = Leapfrogging(levels=2).directional()
    with pytest.raises(SolverError, match="solved after it"):
        rls.DirectionalGame(game.reward, game.successor[::-1].copy(), game.probability[::-1].copy(), 0.9)
