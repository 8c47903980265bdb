"""Lifetimes and rates: by hand, and recovered from made-up data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.errors import ConfigurationError
from pricewar.futures.survival import Rates, Record, Sizes, kaplan_meier, stream


def test_kaplan_meier_by_hand() -> None:
    # Months      2    3+   5    5    7+   11
    # at risk     6         4         -    1
    # S           5/6       5/6·2/4        5/12·0
    curve = kaplan_meier([2, 3, 5, 5, 7, 11], [True, False, True, True, False, True])
    assert curve.at(1.9) == 1
    assert curve.at(2) == pytest.approx(5 / 6, abs=1e-12)
    assert curve.at(4.9) == pytest.approx(5 / 6, abs=1e-12)
    assert curve.at(5) == pytest.approx(5 / 12, abs=1e-12)
    assert curve.at(10.9) == pytest.approx(5 / 12, abs=1e-12)
    assert curve.at(11) == pytest.approx(0, abs=1e-12)
    assert (curve.observed, curve.censored) == (4, 2)


def test_kaplan_meier_without_censoring_is_the_share_that_is_left() -> None:
    lengths = np.arange(1, 11)
    curve = kaplan_meier(lengths, [True] * 10)
    for month in lengths:
        assert curve.at(month) == pytest.approx(1 - month / 10)
    assert (curve.low <= curve.survival + 1e-12).all()
    assert (curve.high >= curve.survival - 1e-12).all()


def test_no_sample_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        kaplan_meier([], [])
    with pytest.raises(ConfigurationError):
        kaplan_meier([1.0], [True, False])


def _made_up(rates: dict[str, float], models: int, span: float, seed: int) -> list[Record]:
    rng = np.random.default_rng(seed)
    return [
        Record(vendor, f"{vendor}-{i}", float(rng.poisson(rate * span)), span)
        for vendor, rate in rates.items()
        for i in range(models)
    ]


def test_rates_of_made_up_vendors_are_recovered_within_their_intervals() -> None:
    """90% intervals of 40 vendors with known rates: all but a few hold the truth."""
    rng = np.random.default_rng(5)
    truth = {f"v{i}": float(rng.gamma(3, 0.05 / 3)) for i in range(40)}
    rates = Rates.fit(_made_up(truth, 6, 18.0, 11))
    inside = sum(low <= truth[v] <= high for v in truth for _, low, high in [rates.interval(0.9, v)])
    assert inside >= 32  # 40 × 0.9 = 36; P(fewer than 32) is below 2% where the intervals are right
    middle, low, high = rates.interval(0.9)
    assert low < 0.05 < high
    assert middle == pytest.approx(0.05, rel=0.35)


def test_few_records_are_drawn_to_the_class_and_many_are_not() -> None:
    records = [*_made_up({f"v{i}": 0.05 for i in range(20)}, 5, 20.0, 1)]
    records += [Record("new", "new-1", 1.0, 2.0), Record("busy", "busy-1", 100.0, 200.0)]
    rates = Rates.fit(records)
    new, busy = rates.interval(0.9, "new")[0], rates.interval(0.9, "busy")[0]
    assert 0.03 < new < 0.25  # 0.5 a month on its own record
    assert busy == pytest.approx(0.5, rel=0.2)
    assert rates.interval(0.9, "never seen") != rates.interval(0.9, "busy")


def test_a_member_that_changes_more_than_its_group_is_drawn_higher() -> None:
    records = [*_made_up({"v": 0.05}, 30, 20.0, 3), Record("v", "restless", 12.0, 20.0)]
    rates = Rates.fit(records)
    restless = rates.draw(0, "x", 2000, "v", "restless").mean()
    usual = rates.draw(0, "x", 2000, "v", "another").mean()
    assert restless > 3 * usual


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_draws_begin_alike_however_many_are_drawn(few: int, seed: int) -> None:
    rates = Rates.fit([Record("v", "m", 2.0, 10.0), Record("w", "n", 0.0, 30.0)])
    many = rates.draw(seed, "x", 60, "v", "m")
    np.testing.assert_array_equal(rates.draw(seed, "x", few, "v", "m"), many[:few])
    sizes = Sizes(np.array([-1.0, -0.5, 0.7]))
    np.testing.assert_array_equal(sizes.draw(seed, "x", few), sizes.draw(seed, "x", 60)[:few])


def test_streams_are_named() -> None:
    assert stream(0, "a").random() == stream(0, "a").random()
    assert stream(0, "a").random() != stream(0, "b").random()
    assert stream(0, "a").random() != stream(1, "a").random()


def test_sizes_resample_the_records() -> None:
    sizes = Sizes(np.array([-1.0, 0.5]), smooth=0.0).draw(3, "x", 500)
    assert set(np.unique(sizes)) == {-1.0, 0.5}
    assert len({tuple(row) for row in sizes}) > 1
    assert (Sizes(np.array([])).draw(0, "x", 4) == 0).all()
