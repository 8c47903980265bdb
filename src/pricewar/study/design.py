"""What a study varies, and what comes out of it: distributions, draws, layout.

An uncertainty is a distribution with inverse F⁻¹; member i takes the value F⁻¹(uᵢ), where u is a row of a
design on the unit cube. Member i has one row and one seed, the same under every policy: common random numbers
(Law 2015, Simulation Modeling and Analysis, §11.2).

Designs, all of them functions of the seed and the number of uncertainties:

- `sobol`: Sobol' points, scrambled (Matoušek 1998); balanced when the number of members n is a power of 2.
  Member i is the same for every n.
- `random`: independent draws, one stream per member. Member i is the same for every n.
- `latin`: Latin hypercube (McKay, Beckman, Conover 1979). Depends on n: another n draws every member anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pricewar.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

METHODS = ("sobol", "random", "latin")
DTYPES = ("float64", "float32", "int64", "int32", "int16", "int8", "bool")


@dataclass(frozen=True)
class Uniform:
    """Every value between `low` and `high` equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _ordered(self, self.low, self.high)

    def at(self, u: Array) -> Array:
        """F⁻¹ of u, [n] in [0, 1)."""
        return self.low + (self.high - self.low) * u


@dataclass(frozen=True)
class LogUniform:
    """Uniform in the logarithm: each doubling between `low` and `high` equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _ordered(self, self.low, self.high)
        if self.low <= 0:
            raise ConfigurationError(
                f"low is {self.low:g}, and has no logarithm",
                where=repr(self),
                remedy="give a low above zero, or use Uniform",
            )

    def at(self, u: Array) -> Array:
        """F⁻¹ of u, [n] in [0, 1)."""
        import numpy as np

        return np.clip(self.low * (self.high / self.low) ** u, self.low, self.high)


@dataclass(frozen=True)
class Triangular:
    """Density rising from `low` to `mode`, falling to `high`."""

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        _ordered(self, self.low, self.high)
        if not self.low <= self.mode <= self.high:
            raise ConfigurationError(
                f"mode {self.mode:g} lies outside [{self.low:g}, {self.high:g}]", where=repr(self)
            )

    def at(self, u: Array) -> Array:
        """F⁻¹ of u, [n] in [0, 1)."""
        import numpy as np

        width, left, right = self.high - self.low, self.mode - self.low, self.high - self.mode
        rising = self.low + np.sqrt(u * width * left)
        falling = self.high - np.sqrt((1 - u) * width * right)
        return np.clip(np.where(u * width < left, rising, falling), self.low, self.high)


@dataclass(frozen=True)
class Choice:
    """One of `values` (numbers, texts or truth values), equally likely or by `weights`."""

    values: tuple[Any, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise ConfigurationError("there is nothing to choose from", where=repr(self))
        kinds = {"number" if _is_number(v) else type(v).__name__ for v in self.values}
        if len(kinds) > 1 or kinds - {"number", "str", "bool"}:
            raise ConfigurationError(
                f"the values are of kind {', '.join(sorted(kinds))}",
                where=repr(self),
                remedy="give numbers, or texts, or truth values; a text may name anything larger",
            )
        if len(set(self.values)) < len(self.values):
            raise ConfigurationError("a value stands twice", where=repr(self), remedy="give it more weight")
        if kinds == {"number"} and not all(math.isfinite(v) for v in self.values):
            raise ConfigurationError("a value is not finite", where=repr(self))
        if self.weights is not None:
            object.__setattr__(self, "weights", tuple(self.weights))
            good = len(self.weights) == len(self.values) and all(
                _is_number(w) and math.isfinite(w) and w >= 0 for w in self.weights
            )
            if not good or sum(self.weights) <= 0:
                raise ConfigurationError(
                    "weights must be one per value, none negative, not all zero", where=repr(self)
                )

    def at(self, u: Array) -> npt.NDArray[Any]:
        """F⁻¹ of u, [n] in [0, 1): the values themselves."""
        import numpy as np

        weights = np.ones(len(self.values)) if self.weights is None else np.asarray(self.weights, float)
        edges = np.cumsum(weights / weights.sum())
        # A rounded last edge below 1 must not lead past the last value that has weight.
        index = np.minimum(np.searchsorted(edges, u, side="right"), int(np.flatnonzero(weights)[-1]))
        return np.asarray(self.values)[index]


Distribution = Uniform | LogUniform | Triangular | Choice


@dataclass(frozen=True)
class Outcome:
    """One thing that a worker returns.

    Attributes:
        dims: names of its axes; () for a single number.
        unit: in words, "1" where it has none.
        about: what it is, for the reader.
        dtype: how it is kept; what the worker returns must fit.
    """

    dims: tuple[str, ...] = ()
    unit: str = "1"
    about: str = ""
    dtype: str = "float64"


@dataclass(frozen=True)
class Layout:
    """Everything that a worker returns: outcomes by name, and the labels along each of their axes.

    Attributes:
        outcomes: name → `Outcome`.
        coords: axis → its labels, numbers or texts; their count is the axis's length.
        units: axis → unit of its labels, where it has one.

    Raises:
        ConfigurationError: an axis without labels, a name that stands for two things, an unknown kind.
    """

    outcomes: Mapping[str, Outcome]
    coords: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.outcomes:
            raise ConfigurationError("the layout names no outcome", where="layout")
        object.__setattr__(self, "coords", {axis: tuple(_plain(v)) for axis, v in self.coords.items()})
        for name, outcome in self.outcomes.items():
            where = f"layout: {name}"
            if name in self.coords or name in ("policy", "member", "seed"):
                raise ConfigurationError("an axis has that name already", where=where, remedy="rename it")
            for axis in outcome.dims:
                if axis not in self.coords:
                    raise ConfigurationError(
                        f"axis “{axis}” has no labels",
                        where=where,
                        remedy=did_you_mean(axis, self.coords) or f"add coords['{axis}']",
                    )
            if len(set(outcome.dims)) < len(outcome.dims):
                raise ConfigurationError("an axis stands twice", where=where)
            if outcome.dtype not in DTYPES:
                raise ConfigurationError(
                    f"dtype “{outcome.dtype}” is not one of {', '.join(DTYPES)}", where=where
                )
        for axis, labels in self.coords.items():
            if axis in ("policy", "member", "seed"):
                raise ConfigurationError("the study has an axis of that name", where=f"layout: {axis}")
            if not labels or len(set(labels)) < len(labels):
                raise ConfigurationError("labels are missing or stand twice", where=f"layout: {axis}")

    def shape(self, name: str) -> tuple[int, ...]:
        """Lengths of the axes of one outcome."""
        return tuple(len(self.coords[axis]) for axis in self.outcomes[name].dims)

    @property
    def scalars(self) -> tuple[str, ...]:
        """Names of the outcomes that are single numbers."""
        return tuple(name for name, outcome in self.outcomes.items() if not outcome.dims)

    def plain(self) -> dict[str, Any]:
        """Lists, texts and numbers, in the order given; `from_plain` undoes it."""
        return {
            "outcomes": [
                [n, {"dims": list(o.dims), "unit": o.unit, "about": o.about, "dtype": o.dtype}]
                for n, o in self.outcomes.items()
            ],
            "coords": [[axis, list(labels)] for axis, labels in self.coords.items()],
            "units": dict(self.units),
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Layout:
        """The layout that `plain` wrote."""
        outcomes = {name: Outcome(**{**o, "dims": tuple(o["dims"])}) for name, o in data["outcomes"]}
        return cls(outcomes, dict(data["coords"]), data["units"])


def draw(
    uncertainties: Mapping[str, Distribution], members: int, seed: int, method: str
) -> dict[str, npt.NDArray[Any]]:
    """Name → [members] values; see the head of this module for what depends on `members`."""
    import numpy as np

    names = list(uncertainties)
    if not names:
        return {}
    if method == "random":
        u = np.array([_stream(seed, 1, i).random(len(names)) for i in range(members)])
    else:
        from scipy.stats import qmc

        # SciPy 1.15 renamed `seed` to `rng`; every version takes the old word.
        given: Any = {"seed": _stream(seed, 1)}
        if method == "latin":
            u = qmc.LatinHypercube(len(names), **given).random(members)
        else:
            # Whole powers of two are the balanced pieces of the sequence; its head does not depend on n.
            whole = 1 << max(members - 1, 0).bit_length()
            u = qmc.Sobol(len(names), scramble=True, **given).random(whole)[:members]
    return {name: uncertainties[name].at(u[:, k]) for k, name in enumerate(names)}


def seeds(members: int, seed: int) -> npt.NDArray[np.int64]:
    """[members] whole numbers below 2⁶³, one for each member's own random numbers."""
    import numpy as np

    words = [
        np.random.SeedSequence(seed, spawn_key=(0, i)).generate_state(1, np.uint64)[0] for i in range(members)
    ]
    return (np.array(words, np.uint64) >> np.uint64(1)).astype(np.int64)


def _stream(seed: int, *key: int) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _plain(labels: Any) -> list[Any]:
    return labels.tolist() if hasattr(labels, "tolist") else list(labels)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(of: Any, low: Any, high: Any) -> None:
    if not all(_is_number(v) and math.isfinite(v) for v in vars(of).values()):
        raise ConfigurationError("a bound is not a finite number", where=repr(of))
    if not low < high:
        raise ConfigurationError(
            f"low {low:g} is not below high {high:g}",
            where=repr(of),
            remedy="a value that is known goes under constants",
        )
