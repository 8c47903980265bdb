"""Eight numbers at once: the compiled vectors against NumPy, one number at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from pricewar.market import lanes
from pricewar.market.lanes import WIDTH, choose, exp, load, log, spread, store, total


@njit(error_model="numpy")
def _work(a):
    """Each row after the third is something of the first three; returns the first row's sum."""
    for at in range(0, a.shape[1], WIDTH):
        x, y, z = load(a, 0, at), load(a, 1, at), load(a, 2, at)
        store(a, 3, at, exp(x))
        store(a, 4, at, log(y))
        store(a, 5, at, choose(x, y, z))
        value = spread(2.0)
        value += x * z
        value -= 3 * y
        value *= z
        value /= y
        store(a, 6, at, value)
        store(a, 7, at, 1.0 - x)
    sums = spread(0.0)
    for at in range(0, a.shape[1], WIDTH):
        sums += load(a, 0, at)
    return total(sums)


def ulps(found: np.ndarray, right: list[float]) -> float:
    return max(abs(f - r) / math.ulp(r) for f, r in zip(found, right, strict=True))


eights = st.lists(st.floats(-700.0, 700.0, allow_subnormal=False), min_size=2 * WIDTH, max_size=2 * WIDTH)
positive = st.lists(st.floats(1e-100, 1e100), min_size=2 * WIDTH, max_size=2 * WIDTH)


@given(x=eights, y=positive, z=eights)
@settings(max_examples=200, deadline=None)
def test_compiled_vectors_are_numpys_numbers(x, y, z):
    a = np.zeros((8, 2 * WIDTH))
    a[:3] = x, y, z
    b = a.copy()
    sum_ = _work(a)
    same = _work.py_func(b)  # not compiled
    assert ulps(a[3], [math.exp(v) for v in x]) <= 2.0
    assert ulps(a[4], [math.log(v) for v in y]) <= 2.0
    assert (a[5] == np.where(np.array(x) > 0.0, y, z)).all()
    scale = np.abs(z) * (np.abs(np.array(x) * z) + 3.0 * np.array(y) + 2.0) / y
    assert (np.abs(a[6] - b[6]) <= 1e-14 * scale + 1e-300).all()
    assert (a[7] == 1.0 - np.array(x)).all()
    assert sum_ == pytest.approx(math.fsum(x), abs=1e-12 * sum(map(abs, x)))
    assert same == pytest.approx(sum_, abs=1e-12 * sum(map(abs, x)))


def test_exponential_stops_where_doubles_do():
    a = np.ones((8, WIDTH))
    a[0] = [-1e15, -709.0, 709.0, 1e15, 0.0, math.nan, -0.0, 1.0]
    _work(a)
    with np.errstate(over="raise"):
        assert a[3, :4] == pytest.approx(np.exp([-708.0, -708.0, 708.0, 708.0]), rel=1e-15)
    assert a[3, 4] == a[3, 6] == 1.0  # what is not there changes nothing
    assert math.isnan(a[3, 5])
    assert lanes.exp(np.array([1e15])) == pytest.approx(math.exp(708.0))
