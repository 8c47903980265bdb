"""What every game returns, and how a game presents itself.

A solver never fails silently: it returns a `Solution` whose `result` says what happened and what to do.
A game is a `Game`: a name, a sentence, a reference, parameters with ranges, and the functions that solve it.
This module is cheap to import: nothing here needs a compiler, and xarray is imported on use.

| noun | what it is |
|---|---|
| `Solution` | value, policy, residual, exploitability, stability, how it was selected, counts, seconds |
| `Result` | what happened, with its remedy |
| `Game`, `Parameter` | a game as `pricewar games` lists it and `pricewar solve` runs it |
| `Table`, `Picture` | plain data that a command line or a page can show |
"""

from __future__ import annotations

import enum
import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import pricewar
from pricewar.errors import ConfigurationError, SolverError, did_you_mean

if TYPE_CHECKING:
    import xarray

    Progress = Callable[[str, int, float], None]
    """Called as progress(method, iteration, residual)."""


class Result(enum.Enum):
    """What a solver did; `remedy` says what to do when it is not SOLVED."""

    SOLVED = "solved"
    OUT_OF_ITERATIONS = "out of iterations"
    STALLED = "stalled"
    DIVERGED = "diverged"
    SINGULAR = "singular"
    CYCLES = "cycles"

    @property
    def remedy(self) -> str:
        """One sentence; empty when solved."""
        return _REMEDY[self]

    def __bool__(self) -> bool:
        return self is Result.SOLVED


_REMEDY = {
    Result.SOLVED: "",
    Result.OUT_OF_ITERATIONS: "raise the limit on iterations, or use method='default'",
    Result.STALLED: "start elsewhere (start= or seed=), or use method='default'",
    Result.DIVERGED: "use damping, another start, or method='default'",
    Result.SINGULAR: "the parameter may be at a fold: move it slightly, or trace the branch by continuation",
    Result.CYCLES: "use damping below 1, or method='default'",
}


class NoEquilibriumError(SolverError):
    """No equilibrium was found within the budget. `partial` holds the best attempt."""

    def __init__(self, solution: Solution) -> None:
        super().__init__(
            f"{solution.result.value} after {solution.counts}: residual {solution.residual:.3g}",
            where=solution.game,
            remedy=solution.result.remedy,
        )
        self.partial = solution


class Interrupted(KeyboardInterrupt):
    """Stopped by the user. `partial` holds what had been found by then."""

    def __init__(self, partial: Any) -> None:
        super().__init__("interrupted")
        self.partial = partial


@dataclass(frozen=True, eq=False)
class Solution:
    """One equilibrium, or an honest account of why there is none.

    Attributes:
        game: name of the game in the catalogue.
        parameters: every parameter it was solved with.
        value: expected discounted payoff, axes (firm, *state).
        policy: name → array, axes (firm, *state) unless the game's own documentation says otherwise.
        axes: names of value's axes, e.g. ("firm", "e1", "e2"); `ticks` gives the labels along each.
        residual: largest absolute error of the equilibrium equations, in units of value.
        exploitability: the most any firm could gain, in units of value and at any state, by its exact best
            reply against the others' policies; None when it was not computed.
        stable: whether best-reply iteration returns after a small perturbation; None when not computed.
        contraction: the factor by which best-reply iteration multiplies a small perturbation.
        result: what the solver did.
        method, start, seed: how this equilibrium was selected among several.
        counts: iterations, evaluations and the like.
        seconds: wall time. version: of pricewar.
        extra: what a particular game adds (multipliers, frontiers, branches).
    """

    game: str
    parameters: Mapping[str, Any]
    value: np.ndarray
    policy: Mapping[str, np.ndarray]
    residual: float
    result: Result
    method: str
    axes: tuple[str, ...] = ("firm",)
    ticks: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    start: str = ""
    seed: int | None = None
    exploitability: float | None = None
    stable: bool | None = None
    contraction: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    version: str = pricewar.__version__
    extra: Mapping[str, Any] = field(default_factory=dict)

    def with_(self, **changes: Any) -> Solution:
        """A copy with some attributes replaced."""
        return replace(self, **changes)

    def or_raise(self) -> Solution:
        """Itself when solved; otherwise raises `NoEquilibriumError`, which carries it as `partial`."""
        if not self.result:
            raise NoEquilibriumError(self)
        return self

    @property
    def selection(self) -> str:
        """How it was selected, in words."""
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.method} from {self.start or 'its default start'}{seed}"

    def summary(self) -> Table:
        """What a reader wants first: result, residual, exploitability, stability, selection, cost."""
        rows: list[tuple[Any, ...]] = [("result", self.result.value)]
        if self.result.remedy:
            rows.append(("remedy", self.result.remedy))
        rows.append(("residual", f"{self.residual:.2e}"))
        rows.append(("exploitability", _or_unknown(self.exploitability, ".2e")))
        stable = {None: "not computed", True: "yes", False: "no"}[self.stable]
        rows.append(("stable under best reply", stable))
        rows.append(("selected by", self.selection))
        rows.extend((name, count) for name, count in self.counts.items())
        rows.append(("seconds", f"{self.seconds:.3f}"))
        return Table(f"{self.game}", ("", ""), tuple(rows))

    def to_xarray(self) -> xarray.Dataset:
        """The solution as an xarray Dataset (extra `labelled`): value and policies, all else as attributes.

        Raises:
            ConfigurationError: xarray is not installed.
        """
        try:
            import xarray
        except ImportError:
            raise ConfigurationError(
                "xarray is not installed", remedy="pip install 'pricewar[labelled]'"
            ) from None
        coords = {name: list(ticks) for name, ticks in self.ticks.items() if name in self.axes}
        data: dict[str, Any] = {"value": (self.axes, self.value)}
        for name, array in self.policy.items():
            array = np.asarray(array)
            same = array.shape == self.value.shape
            data[name] = (self.axes if same else tuple(f"{name}_{k}" for k in range(array.ndim)), array)
        attributes: dict[str, Any] = {
            "game": self.game,
            "result": self.result.value,
            "residual": self.residual,
            "exploitability": math.nan if self.exploitability is None else self.exploitability,
            "stable": {None: "not computed", True: "yes", False: "no"}[self.stable],
            "selection": self.selection,
            "seconds": self.seconds,
            "version": self.version,
        }
        attributes |= {f"parameter_{name}": value for name, value in self.parameters.items()}
        return xarray.Dataset(data, coords=coords, attrs=attributes)


def _or_unknown(value: float | None, form: str) -> str:
    return "not computed" if value is None else format(value, form)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a game: its default, its range (both ends included) and its meaning."""

    name: str
    default: float
    low: float
    high: float
    meaning: str

    @property
    def integer(self) -> bool:
        """Whether it counts something; told by the type of the default."""
        return isinstance(self.default, int)

    def checked(self, value: Any, game: str) -> float:
        """`value` as this parameter's number.

        Raises:
            ConfigurationError: not a number, not whole where it must be, or outside the range.
        """
        where = f"{game}, parameter {self.name}"
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ConfigurationError(f"“{value}” is not a number", where=where, remedy=self.meaning) from None
        if not self.low <= number <= self.high:
            raise ConfigurationError(
                f"{number:g} is out of range", where=where, remedy=f"give {self.low:g} to {self.high:g}"
            )
        if self.integer:
            if number != int(number):
                raise ConfigurationError(f"{number:g} is not whole", where=where, remedy=self.meaning)
            return int(number)
        return number


@dataclass(frozen=True)
class Game:
    """A game as it presents itself: what it is, whence it comes, its parameters, how it is solved.

    Attributes:
        name: as written on the command line, e.g. "learning-bdk2014".
        summary: one line. reference: author, journal, year.
        parameters: in the order in which they are shown.
        solve: solve(**parameters, optional method=, start=, seed=, progress=) → Solution.
        search: the same → every equilibrium found within a budget and seed; None where it makes no sense.
            When the user interrupts it, `Interrupted` carries those found by then.
        show: Solution → tables and pictures as plain data, besides `Solution.summary`.
        headline: Solution → a few figures by name, to tell equilibria apart.
        trace: trace(parameter, low, high, **parameters) → `continuation.Correspondence`.
        rules: Solution → a table of the same market under other rules, each solved again.
    """

    name: str
    summary: str
    reference: str
    parameters: tuple[Parameter, ...]
    solve: Callable[..., Solution]
    search: Callable[..., list[Solution]] | None = None
    show: Callable[[Solution], list[Table | Picture]] | None = None
    headline: Callable[[Solution], dict[str, float]] | None = None
    trace: Callable[..., Any] | None = None
    rules: Callable[[Solution], Table] | None = None

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter, the given ones checked, the others at their defaults.

        Raises:
            ConfigurationError: an unknown name (with the nearest known), or a value out of range.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                raise ConfigurationError(
                    f"has no parameter “{name}”",
                    where=self.name,
                    remedy=did_you_mean(name, known) or f"known: {', '.join(known)}",
                )
        return {name: p.checked(given.get(name, p.default), self.name) for name, p in known.items()}


@dataclass(frozen=True)
class Table:
    """Rows to show. A cell is text or a number; `note` says what the reader must know."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """Data of one picture; whoever shows it chooses how.

    `kind` is "surface" (z over x and y), "arrows" (u and v at x and y), "curve" (y over x, one line for each
    entry of `series`), or "bars".
    """

    kind: str
    title: str
    axes: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray | None = None
    u: np.ndarray | None = None
    v: np.ndarray | None = None
    series: Mapping[str, np.ndarray] = field(default_factory=dict)
    note: str = ""


# One module for each paper; each has GAME (a Game) or GAMES (several). Imported when first asked for.
_MODULES: tuple[str, ...] = (
    "learning_bdk2014",
    "learning_bdks2010",
    "learning_many",
    "network_cabral2011",
    "switching_costs",
    "leapfrogging_irs2016",
    "maskin_tirole1988",
    "lq_judd1990",
    "static_logit",
    "bargaining",
)


def catalogue() -> dict[str, Game]:
    """Every game by name, in the order of `_MODULES`."""
    games: list[Game] = []
    for module in _MODULES:
        home = importlib.import_module(f"pricewar.games.{module}")
        games.extend(home.GAMES if hasattr(home, "GAMES") else (home.GAME,))
    return {game.name: game for game in games}


def find(name: str, among: Iterable[Game] | None = None) -> Game:
    """The game called `name`.

    Raises:
        ConfigurationError: there is none; the nearest name is suggested.
    """
    known = {g.name: g for g in among} if among is not None else catalogue()
    if name not in known:
        raise ConfigurationError(
            f"no game is called “{name}”",
            remedy=did_you_mean(name, known) or f"known: {', '.join(known)}",
        )
    return known[name]
