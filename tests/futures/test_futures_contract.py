"""The contract of futures: shapes, refusals, and the futures in which nothing changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from pricewar.errors import ConfigurationError
from pricewar.futures import Futures, certain

NAMES = ("a/free", "b/list")


def test_certain_futures_are_constant() -> None:
    futures = certain(NAMES, date(2026, 1, 1), 36, draws=3)
    assert futures.price.shape == (3, 36, 2)
    assert futures.frontier.shape == (3, 36, 2)
    for name in ("price", "allowance", "limit", "successor", "frontier"):
        assert (getattr(futures, name) == 1).all()
    assert (futures.status == 0).all()
    assert futures.cut_off is None
    assert futures.sibling == (None, None)


def test_draws_can_be_parted_into_some_to_learn_on_and_fresh_ones() -> None:
    futures = certain(NAMES, date(2026, 1, 1), 4, draws=10)
    part = futures.between(3, 7)
    assert part.draws == 4
    assert part.price.shape == (4, 4, 2)
    assert part.offers == futures.offers


def test_an_unknown_offer_is_named_with_the_nearest() -> None:
    futures = certain(NAMES, date(2026, 1, 1), 1)
    assert futures.position("b/list") == 1
    with pytest.raises(ConfigurationError, match="did you mean “a/free”"):
        futures.position("a/fre")


def _changed(**what: object) -> Futures:
    return replace(certain(NAMES, date(2026, 1, 1), 3, draws=2), **what)


@pytest.mark.parametrize(
    "what",
    [
        {"price": np.ones((2, 3))},
        {"price": np.full((2, 3, 2), -1.0)},
        {"price": np.full((2, 3, 2), np.nan)},
        {"status": np.zeros((2, 3, 2))},
        {"status": np.full((2, 3, 2), 3, np.uint8)},
        {"status": np.array([[[1, 0], [0, 0], [0, 0]]] * 2, np.uint8)},
        {"sibling": (None,)},
        {"offers": ("a", "a")},
        {"frontier": np.ones((2, 3, 3))},
    ],
    ids=lambda what: next(iter(what)),
)
def test_what_breaks_the_contract_is_refused(what: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        _changed(**what)


def test_months_begin_on_the_day_of_the_start() -> None:
    known = certain(["a"], date(2026, 11, 22), 12)
    assert [known.day(m) for m in (0, 1, 7, 12)] == [
        date(2026, 11, 22), date(2026, 12, 22), date(2027, 6, 22), date(2027, 11, 22),
    ]  # fmt: skip
    late = certain(["a"], date(2026, 10, 31), 12)
    assert [late.day(m) for m in (1, 4, 5)] == [date(2026, 11, 30), date(2027, 2, 28), date(2027, 3, 31)]
