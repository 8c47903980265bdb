"""Stages of many members at once are those of each member alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.market.observables import Series
from pricewar.market.outcomes import spread
from pricewar.market.stages import Rule, stages
from pricewar.market.stages_many import codes


def made_up(rng: np.random.Generator, months: int, vendors: int, tiers: int, gaps: float) -> Series:
    """A market whose prices wander, are cut and rise again; vendors come and go, figures are missing."""
    cost = np.exp(rng.normal(0.0, 0.1, (months, vendors, tiers)).cumsum(0) * 0.2)
    markup = np.exp(rng.normal(0.0, 0.35, (months, vendors, tiers)).cumsum(0) + 0.2)
    price = cost * np.where(rng.random((months, vendors, tiers)) < 0.05, 0.0, markup)
    active = np.ones((months, vendors))
    for j in range(vendors):
        if months > 1 and rng.random() < 0.4:
            active[rng.integers(1, months) :, j] = 0.0
        if rng.random() < 0.3:
            active[: rng.integers(0, months), j] = 0.0
    allowance = np.where(rng.random((months, vendors)) < 0.5, 0.0, rng.random((months, vendors)))

    def holes(a: np.ndarray) -> np.ndarray:
        return np.where(rng.random(a.shape) < gaps, np.nan, a)

    here = active[:, :, None] > 0
    return Series(
        np.datetime64("2024-05", "M") + np.arange(months),
        tuple(f"v{j}" for j in range(vendors)),
        tuple(f"k{k}" for k in range(tiers)),
        price=np.where(here, holes(price), np.nan),
        cost=holes(cost),
        active=holes(active),
        allowance=holes(allowance),
        volume=np.where(active > 0, 1.0, np.nan),
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    months=st.integers(1, 30),
    vendors=st.integers(1, 5),
    tiers=st.integers(1, 2),
    gaps=st.sampled_from([0.0, 0.1, 0.4]),
    hold=st.integers(1, 3),
)
def test_many_at_once_are_each_alone(
    seed: int, months: int, vendors: int, tiers: int, gaps: float, hold: int
) -> None:
    rng = np.random.default_rng(seed)
    rule = Rule(hold=hold)
    members = [made_up(rng, months, vendors, tiers, gaps) for _ in range(6)]
    names = tuple(v for v in members[0].vendors for _ in members)
    cubes = {}
    for name in ("price", "cost", "active", "allowance", "volume"):
        each = np.stack([getattr(m, name) for m in members], axis=2)  # a vendor's members side by side
        cubes[name] = each.reshape(months, vendors * len(members), *each.shape[3:])
    joined = Series(members[0].months, names, members[0].tiers, **cubes)
    market, vendor, selling = codes(joined, len(members), rule)
    for n, member in enumerate(members):
        alone = stages(member, rule)
        assert market[n].tolist() == alone.market.tolist()
        assert vendor[n].tolist() == alone.vendor.tolist()
        assert selling[n].tolist() == alone.below.tolist()


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), shape=st.tuples(st.integers(1, 12), st.integers(1, 4), st.integers(1, 3)),
       gaps=st.sampled_from([0.0, 0.3, 1.0]), axis=st.integers(0, 2))  # fmt: skip
def test_a_spread_has_numpys_quantiles(seed: int, shape: tuple[int, ...], gaps: float, axis: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(shape) < gaps, np.nan, rng.normal(size=shape))
    found = spread(values, axis)
    expected = np.nanquantile(values, (0.1, 0.25, 0.5, 0.75, 0.9), axis=axis)
    for mine, numpys in zip(
        (found.low, found.low50, found.median, found.high50, found.high), expected, strict=True
    ):
        np.testing.assert_array_equal(mine, numpys)
    np.testing.assert_array_equal(found.known, np.isfinite(values).mean(axis))
