"""Laws of distributions, draws and layouts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.errors import ConfigurationError
from pricewar.study.design import (
    METHODS,
    Choice,
    Distribution,
    Layout,
    LogUniform,
    Outcome,
    Triangular,
    Uniform,
    draw,
    seeds,
)

U = st.floats(0, 1, exclude_max=True)
BOUND = st.floats(-1e6, 1e6)


@st.composite
def bounds(draw_: st.DrawFn, above: float = -1e6) -> tuple[float, float]:
    low = draw_(st.floats(above, 1e6))
    return low, low + draw_(st.floats(1e-3, 1e6))


@given(bounds(), U)
def test_uniform_inverts_its_distribution(ends: tuple[float, float], u: float) -> None:
    low, high = ends
    x = Uniform(low, high).at(np.array([u]))[0]
    assert low <= x <= high
    assert (x - low) / (high - low) == pytest.approx(u, abs=1e-6)


@given(bounds(1e-3), U)
def test_log_uniform_inverts_its_distribution(ends: tuple[float, float], u: float) -> None:
    low, high = ends
    x = LogUniform(low, high).at(np.array([u]))[0]
    assert low <= x <= high
    assert math.log(x / low) / math.log(high / low) == pytest.approx(u, abs=1e-4)


@given(bounds(), st.floats(0, 1), U)
def test_triangular_inverts_its_distribution(ends: tuple[float, float], share: float, u: float) -> None:
    low, high = ends
    mode = min(high, low + share * (high - low))
    x = Triangular(low, mode, high).at(np.array([u]))[0]
    assert low <= x <= high
    if x < mode:
        cumulated = (x - low) ** 2 / ((high - low) * (mode - low))
    elif high > mode:
        cumulated = 1 - (high - x) ** 2 / ((high - low) * (high - mode))
    else:
        cumulated = 1.0
    assert cumulated == pytest.approx(u, abs=1e-5)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=6), st.integers(0, 2**32))
def test_choice_follows_its_weights_and_never_takes_one_of_weight_zero(
    weights: list[float], seed: int
) -> None:
    values = tuple(range(len(weights)))
    if sum(weights) <= 0:
        with pytest.raises(ConfigurationError, match="weights"):
            Choice(values, tuple(weights))
        return
    u = np.append(np.random.default_rng(seed).random(50), [0.0, math.nextafter(1, 0)])
    taken = Choice(values, tuple(weights)).at(u)
    assert all(weights[v] > 0 for v in taken.tolist())
    shares = np.array(weights) / sum(weights)
    grid = Choice(values, tuple(weights)).at((np.arange(20_000) + 0.5) / 20_000)
    assert np.bincount(grid, minlength=len(values)) / 20_000 == pytest.approx(shares, abs=2e-4)


FOUR: dict[str, Distribution] = {
    "a": Uniform(-1, 2),
    "b": LogUniform(1, 100),
    "c": Triangular(0, 1, 4),
    "d": Choice(("x", "y", "z"), (1, 2, 1)),
}


@pytest.mark.parametrize("method", ["sobol", "random"])
@settings(max_examples=30)
@given(few=st.integers(1, 40), more=st.integers(1, 300), seed=st.integers(0, 2**40))
def test_a_member_is_the_same_however_many_there_are(method: str, few: int, more: int, seed: int) -> None:
    one, other = draw(FOUR, few, seed, method), draw(FOUR, few + more, seed, method)
    for name, values in one.items():
        assert (values == other[name][:few]).all()
    assert (seeds(few, seed) == seeds(few + more, seed)[:few]).all()


@given(n=st.integers(1, 200), seed=st.integers(0, 2**40))
def test_a_latin_hypercube_has_one_member_in_each_stratum(n: int, seed: int) -> None:
    drawn = draw({"a": Uniform(0, 1), "b": Uniform(0, 1)}, n, seed, "latin")
    for values in drawn.values():
        assert sorted(np.floor(values * n).astype(int).tolist()) == list(range(n))


@pytest.mark.parametrize("method", METHODS)
def test_draws_depend_on_the_seed_alone(method: str) -> None:
    one, again, other = (draw(FOUR, 64, seed, method) for seed in (1, 1, 2))
    assert all((one[name] == again[name]).all() for name in FOUR)
    assert not any((one[name] == other[name]).all() for name in FOUR)
    assert draw({}, 10, 0, method) == {}


@pytest.mark.parametrize("method", METHODS)
def test_draws_have_the_moments_of_their_distribution(method: str) -> None:
    drawn = draw(FOUR, 4096, 5, method)
    assert drawn["a"].mean() == pytest.approx(0.5, abs=0.06)
    assert np.log(drawn["b"]).mean() == pytest.approx(math.log(100) / 2, abs=0.1)
    assert drawn["c"].mean() == pytest.approx(5 / 3, abs=0.06)
    assert (drawn["d"] == "y").mean() == pytest.approx(0.5, abs=0.04)


def test_even_designs_are_more_exact_than_independent_draws() -> None:
    error = {
        method: np.std([draw(FOUR, 256, seed, method)["c"].mean() for seed in range(20)])
        for method in METHODS
    }
    assert error["sobol"] < error["random"] / 5
    assert error["latin"] < error["random"] / 5


def test_seeds_of_members_differ_and_are_whole_numbers_of_63_bits() -> None:
    found = seeds(1000, 0)
    assert len(set(found.tolist())) == 1000
    assert found.min() >= 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uniform(1, 1),
        lambda: Uniform(2, 1),
        lambda: Uniform(0, math.inf),
        lambda: Uniform(math.nan, 1),
        lambda: Uniform("0", 1),  # type: ignore[arg-type]
        lambda: LogUniform(0, 1),
        lambda: LogUniform(-1, 1),
        lambda: Triangular(0, 2, 1),
        lambda: Choice(()),
        lambda: Choice((1, "a")),
        lambda: Choice((1, 1)),
        lambda: Choice((1, 2), (1,)),
        lambda: Choice((1, 2), (-1, 2)),
        lambda: Choice((1, math.nan)),
        lambda: Choice(([1], [2])),
        lambda: Layout({}),
        lambda: Layout({"a": Outcome(("month",))}),
        lambda: Layout({"month": Outcome()}, {"month": [1]}),
        lambda: Layout({"a": Outcome(("m", "m"))}, {"m": [1]}),
        lambda: Layout({"a": Outcome(dtype="object")}),
        lambda: Layout({"a": Outcome()}, {"m": [1, 1]}),
        lambda: Layout({"a": Outcome()}, {"m": []}),
        lambda: Layout({"a": Outcome()}, {"policy": [1]}),
        lambda: Layout({"member": Outcome()}),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises(ConfigurationError):
        make()


def test_a_layout_survives_being_written() -> None:
    layout = Layout(
        {"p": Outcome(("month", "vendor"), "CNY", "price", "float32"), "n": Outcome()},
        {"vendor": ["a", "b"], "month": np.arange(3)},
        {"month": "months"},
    )
    again = Layout.from_plain(layout.plain())
    assert again == layout
    assert list(again.outcomes) == ["p", "n"]
    assert again.shape("p") == (3, 2)
    assert again.scalars == ("n",)
