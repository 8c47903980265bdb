"""What the page is told in words: units of a game's parameters, markets that do not exist."""

from __future__ import annotations

import pytest

from pricewar.app.games import unit
from pricewar.app.session import Job
from pricewar.app.war import markets
from pricewar.errors import ConfigurationError
from pricewar.games.solution import find


@pytest.mark.parametrize(
    ("name", "said"), [("kappa", "money"), ("rho", ""), ("beta", "period"), ("levels", "")]
)
def test_a_factor_on_a_cost_is_no_money(name: str, said: str) -> None:
    parameters = {p.name: p for p in find("learning-bdk2014").parameters}
    assert unit(parameters[name]) == said


def test_a_market_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError) as told:
        list(markets({"market": "nowhere"}, Job(1)))
    assert "nowhere" in told.value.what
