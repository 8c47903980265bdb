"""`pricewar games`, `solve`, `replicate`: what they print, their exit codes, and what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pricewar.cli import cli
from pricewar.errors import PricewarError
from pricewar.games.solution import Interrupted, catalogue


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), standalone_mode=False)


def test_the_list_names_every_game():
    reply = run("games")
    assert reply.return_value == 0
    for name in catalogue():
        assert name in reply.output


@pytest.mark.parametrize("name", catalogue())
def test_every_game_tells_its_parameters_and_is_solved(name):
    told = run("games", name)
    assert told.return_value == 0
    for parameter in catalogue()[name].parameters:
        assert parameter.name in told.output
    small = {"learning-many": ("--set", "levels=4"), "network-cabral2011": ("--set", "consumers=10")}
    solved = run("solve", name, *small.get(name, ()))
    assert solved.return_value == 0, solved.output
    assert "exploitability" in solved.output
    assert all(len(line) <= 112 for line in solved.output.splitlines())


def test_listing_the_games_needs_no_compiler():
    code = (
        "import sys; from click.testing import CliRunner; import pricewar.cli; "
        "CliRunner().invoke(pricewar.cli.cli, ['games']); "
        "print(','.join(sorted({'numba', 'scipy', 'polars', 'xarray'} & set(sys.modules))))"
    )
    reply = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert reply.stdout.strip() == ""


def test_all_equilibria_are_compared():
    reply = run("solve", "learning-bdk2014", "--all", "--budget", "40", "--seed", "0", "-q")
    assert reply.return_value == 0
    assert "3 equilibria found" in reply.output
    assert "-34.7759" in reply.output
    assert "5.0544" in reply.output


def test_a_branch_is_traced_through_its_folds():
    words = ("--set", "levels=8", "--set", "bottom=4", "--trace", "delta=0:0.1", "--budget", "5", "-q")
    reply = run("solve", "learning-bdks2010", *words)
    assert reply.return_value == 0, reply.output
    assert "folds in delta" in reply.output
    assert "price in (1, 1) as delta moves" in reply.output


def test_other_rules_are_solved_again():
    reply = run("solve", "learning-bdk2014", "--set", "levels=6", "--rules", "-q")
    assert reply.return_value == 0
    for rule in ("no price below cost", "all know-how shared"):
        assert rule in reply.output
    assert "25% portable" in run("solve", "switching-costs", "--rules", "-q").output


def test_json_is_the_solution():
    reply = run("solve", "learning-bdk2014", "--set", "levels=4", "--json", "-", "-q")
    (found,) = json.loads(reply.output, parse_constant=pytest.fail)
    assert found["result"] == "solved"
    assert found["parameters"]["levels"] == 4
    price = catalogue()["learning-bdk2014"].solve(levels=4).policy["price"]
    ours = np.array(found["policy"]["price"], dtype=float)
    np.testing.assert_allclose(ours, price, atol=1e-9)


def test_replicate_prints_published_ours_and_difference():
    reply = run("replicate", "T3", "t6")
    assert reply.return_value == 0
    assert "46707" in reply.output
    assert "6 of 6 figures agree" in reply.output


def test_replicate_fails_when_a_figure_differs(monkeypatch):
    from pricewar.games import replicate

    wrong = replicate.Target("T0", "a model", "a figure", 2.0, 0.1, "published", lambda: 3.0)
    monkeypatch.setattr(replicate, "targets", lambda: (wrong,))
    reply = run("replicate")
    assert reply.return_value == 1
    assert "✗" in reply.output


def test_no_equilibrium_is_exit_code_one_with_a_remedy():
    reply = run("solve", "learning-bdk2014", "--method", "jacobi", "-q")
    assert reply.return_value == 1
    assert "remedy" in reply.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("games", "learning-bdk2041"), "did you mean “learning-bdk2014”"),
        (("solve", "nothing"), "known:"),
        (("solve", "static-logit", "--set", "firms"), "not PARAMETER=VALUE"),
        (("solve", "static-logit", "--set", "firm=2"), "did you mean “firms”"),
        (("solve", "static-logit", "--set", "firms=2.5"), "not whole"),
        (("solve", "static-logit", "--set", "firms=many"), "not a number"),
        (("solve", "static-logit", "--set", "firms=0"), "give 1 to 200"),
        (("solve", "static-logit", "--all"), "does not offer it"),
        (("solve", "static-logit", "--rules"), "does not offer it"),
        (("solve", "static-logit", "--method", "magic"), "magic"),
        (("solve", "lq-judd1990", "--method", "newton"), "leave it out"),
        (("solve", "learning-bdk2014", "--budget", "3"), "--all"),
        (("solve", "learning-bdk2014", "--trace", "rho"), "PARAMETER=LOW:HIGH"),
        (("solve", "learning-bdk2014", "--trace", "rho=1:0.8"), "not below"),
        (("solve", "learning-bdk2014", "--trace", "rho=0.8:1", "--all"), "leave the others out"),
        (("solve", "learning-many", "--set", "firms=6", "--set", "levels=60"), "GB"),
        (("replicate", "T99"), "no target is called"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_bad_input_is_one_clear_message(words, says):
    reply = run(*words)
    assert isinstance(reply.exception, PricewarError)
    assert reply.exception.exit_code == 2
    assert says in str(reply.exception)


def test_what_was_found_before_an_interruption_is_kept():
    def impatient(method: str, starts: int, found: float) -> None:
        if method == "search" and starts >= 2:
            raise KeyboardInterrupt

    game = catalogue()["learning-bdks2010"]
    with pytest.raises(Interrupted) as stop:
        game.search(levels=6, progress=impatient)
    assert stop.value.partial
    assert all(s.result for s in stop.value.partial)


def test_an_interrupted_search_shows_its_part(monkeypatch):
    from pricewar.games import solvers

    plain = solvers._search

    def stopped(*given: object) -> None:
        plain(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(solvers, "_search", stopped)
    reply = run("solve", "learning-bdks2010", "--set", "levels=6", "--all", "--budget", "4")
    assert reply.return_value == 130
    assert "partial results kept" in reply.output
