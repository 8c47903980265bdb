"""The worked example runs, and says what the documentation says."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import root

EXAMPLE = Path(__file__).parents[2] / "examples/new_game.py"


def test_example_runs(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out = capsys.readouterr().out
    assert "exploitability" in out
    assert len(out.splitlines()) == 6


def test_example_is_an_equilibrium_and_static_without_a_future():
    room = runpy.run_path(str(EXAMPLE))
    ahead, now = room["build"]().solve(), room["build"](0.0).solve()
    assert ahead.result
    assert ahead.residual < 1e-10
    assert ahead.exploitability < 1e-9
    first = 0  # no data on either side
    assert ahead.policy["price"][0, first] < now.policy["price"][0, first]  # price as an investment

    def conditions(p):
        """Static first-order conditions at (0, 0), from D (1 + (p − c) D'/D) with D' = −ε D (1 − D)/p."""
        w = np.exp(room["quality"][:, first]) * p ** -room["ELASTICITY"]
        D = w / (w.sum() + np.exp(room["OUTSIDE"]))
        return 1 - (p - room["cost"][:, first]) * room["ELASTICITY"] * (1 - D) / p

    by_scipy = root(conditions, 1.7 * room["cost"][:, first], tol=1e-13)
    assert by_scipy.success
    assert now.policy["price"][:, first] == pytest.approx(by_scipy.x, abs=1e-9)
