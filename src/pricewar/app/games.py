"""The games: exact equilibria, branches and published figures, solved in processes that can be killed.

**games** {} → one part: {games: [{name, summary, reference, parameters, search, trace, rules, budget,
    figures}]}; parameters: [{name, meaning, default, low, high, integer, switch, unit, from, to}], from and
    to where a slider begins and ends; budget: starts of a search; figures: how many are published.

**game** {game, set: {parameter: value}, all?, budget?, seed?, k?} → parts, each whole by itself:

    game, parameters, all, whole     as asked; whole: nothing more comes
    count, equilibria                [{figures, result, solved, remedy, residual, exploitability, stable,
                                     selection, counts, seconds}] in order
    details    {k from "1": {tables, pictures, surfaces, moves, path}}, of each or, where that were much, of k
    command, python                  what gives the same elsewhere

    First comes one equilibrium without its stability, then with it; then, with all, those a search finds.

**game_trace** {game, set, parameter, low, high, budget?, seed?} → one part: {parameter, low, high, figure,
    branches: [{values, figures, folds, ends, residual, seconds}], command, python}

**game_rules** {game, set, all?, budget?, seed?, k?} → one part: {k, table}

**game_figures** {game} → parts {rows, of}: published figures beside ours, one more each time.

Progress is a word key of `words_games`. Tables are {title, columns, rows, note} in English. Solving happens
in another process (`games_seats`, `games_work`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pricewar.app.games_seats import ask
from pricewar.app.war_runs import StoppedError
from pricewar.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from pricewar.app.session import Job
    from pricewar.games.solution import Game, Parameter

CALM = 0.3
"""Seconds without a newer question after which stability is worked out too."""
KEPT = 32
"""Answers kept."""
BUDGET = 5000
"""Starts of a search at most."""

FIGURES: dict[str, tuple[str, ...]] = {
    "learning-bdk2014": ("T1", "T1b"),
    "learning-bdks2010": ("T2",),
    "leapfrogging-irs2016": ("T3",),
    "lq-judd1990": ("T4",),
    "lq-adjustment": ("T5",),
    "maskin-tirole1988": ("T6",),
    "static-logit": ("T7", "T8"),
    "network-cabral2011": ("T9",),
    "horn-wolinsky1988": ("X1",),
    "switching-costs": ("X2",),
}
"""Which published figures belong to a game: ids of `games.replicate`."""


# ---------------------------------------------------------------- handlers


def catalogue(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:  # noqa: ARG001
    """Every game, its parameters, and what it offers."""
    from pricewar.app.games_work import default
    from pricewar.games.replicate import targets
    from pricewar.games.solution import catalogue as known

    every = targets()
    yield {
        "games": [
            {
                "name": game.name,
                "summary": game.summary,
                "reference": game.reference,
                "parameters": [parameter(p) for p in game.parameters],
                "search": game.search is not None,
                "trace": game.trace is not None,
                "rules": game.rules is not None,
                "budget": None if game.search is None else default(game.search, "budget"),
                "seed": game.search is not None and default(game.search, "seed") is not None,
                "figures": sum(t.id in FIGURES.get(game.name, ()) and not t.long for t in every),
            }
            for game in known().values()
        ]
    }


def answer(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """One equilibrium at once, then its stability, then all that a search finds."""
    game, given = _asked(message)
    everything = _flag(message, "all")
    if everything and game.search is None:
        raise ConfigurationError(f"{game.name} offers no search", where="all", remedy="leave it out")
    search = _search(message)
    about = {"game": game.name, "parameters": given, "all": everything} | texts(
        game, given, everything, search
    )
    arguments = (game.name, given)
    k = {"k": _whole(message, "k", 1, 1_000_000, 1)}
    try:
        named = ("all", game.name, sorted(given.items()), sorted(search.items()))
        if everything and (found := kept(repr((*named, k)))):
            yield about | {"whole": True} | found
            return
        first = repr(("one", game.name, sorted(given.items())))
        told = kept(first) or _done("solve", (*arguments, {"stability": False}), job)
        keep(first, told)
        from pricewar.app.games_work import STABLE, default

        settled = told["equilibria"][0]["stable"] is not None or not told["equilibria"][0]["solved"]
        settled |= default(game.solve, "stability") is None or given.get("levels", 0) > STABLE
        yield about | {"whole": settled and not everything} | told
        if settled and not everything:
            return
        if job.wait(CALM):
            return
        if everything:
            told = _done("solve", (*arguments, {"all": True, "stability": True, **search, **k}), job)
            keep(repr((*named, k)), told)
        else:
            told = _done("solve", (*arguments, {"stability": True}), job)
            keep(first, told)
        yield about | {"whole": True} | told
    except StoppedError:
        return


def trace(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """Branches of equilibria as one parameter moves."""
    game, given = _asked(message)
    if game.trace is None:
        raise ConfigurationError(f"{game.name} offers no trace", where="game", remedy="see `pricewar games`")
    known = {p.name: p for p in game.parameters if not p.integer}
    key = message.get("parameter")
    if not isinstance(key, str) or key not in known:
        remedy = did_you_mean(str(key)[:80], known) or f"one of {', '.join(known)}"
        raise ConfigurationError("no such parameter can be followed", where="parameter", remedy=remedy)
    low, high = (known[key].checked(message.get(end), game.name) for end in ("low", "high"))
    if not low < high:
        raise ConfigurationError(f"{low:g} is not below {high:g}", where="low, high", remedy="move an end")
    search = _search(message)
    options = {"parameter": key, "low": low, "high": high, **search}
    name = repr(("trace", game.name, sorted(given.items()), sorted(options.items())))
    try:
        told = kept(name) or _done("trace", (game.name, given, options), job)
    except StoppedError:
        return
    keep(name, told)
    yield told | texts_of_trace(game, given, key, low, high, search)


def rules(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """The same market under other rules."""
    game, given = _asked(message)
    if game.rules is None:
        raise ConfigurationError(f"{game.name} offers no other rules", where="game", remedy="leave it out")
    everything = _flag(message, "all") and game.search is not None
    options = {
        "all": everything,
        "k": _whole(message, "k", 1, 1_000_000, 1),
        "stability": True,
        **_search(message),
    }
    try:
        yield _done("rules", (game.name, given, options), job)
    except StoppedError:
        return


def figures(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """Published figures beside ours, one after the other."""
    from pricewar.games.replicate import targets

    game = _game(message)
    ids = FIGURES.get(game.name, ())
    rows: list[Any] = []
    of = sum(t.id in ids and not t.long for t in targets())
    if not of:
        yield {"rows": [], "of": 0}
        return
    try:
        job.progress("games.progress.figures", 0, of)
        for kind, what in ask("figures", (ids,), job):
            if kind == "row":
                rows.append(what)
                job.progress("games.progress.figures", len(rows), of)
                yield {"rows": list(rows), "of": of}
    except StoppedError:
        return


# ---------------------------------------------------------------- what is asked


def _game(message: Mapping[str, Any]) -> Game:
    from pricewar.games.solution import find

    name = message.get("game")
    if not isinstance(name, str):
        raise ConfigurationError("a game is wanted", where="game", remedy="see `pricewar games`")
    return find(name[:80])


def _asked(message: Mapping[str, Any]) -> tuple[Game, dict[str, Any]]:
    game = _game(message)
    given = message.get("set", {})
    if not isinstance(given, Mapping):
        raise ConfigurationError("parameters are an object of numbers", where="set")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(
                "a number is wanted", where=f"{game.name}, parameter {name[:80]}", remedy="such as 0.5"
            )
    return game, game.checked({name[:80]: value for name, value in given.items()})


def _flag(message: Mapping[str, Any], key: str) -> bool:
    value = message.get(key, False)
    if not isinstance(value, bool):
        raise ConfigurationError("true or false is wanted", where=key)
    return value


def _whole(
    message: Mapping[str, Any], key: str, low: int, high: int, otherwise: int | None = None
) -> int | None:
    value = message.get(key, otherwise)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigurationError("a whole number is wanted", where=key, remedy=f"give {low} to {high}")
    return value


def _search(message: Mapping[str, Any]) -> dict[str, int]:
    wanted = {"budget": _whole(message, "budget", 1, BUDGET), "seed": _whole(message, "seed", 0, 2**31)}
    return {key: value for key, value in wanted.items() if value is not None}


# ---------------------------------------------------------------- told


def parameter(p: Parameter) -> dict[str, Any]:
    """A parameter as native inputs take it; where its bounds are far off, a slider spans what is near."""
    low, high = p.low, p.high
    if high - low > 99 * max(abs(p.default), 1.0) or (p.integer and high - low > 100):
        near = max(abs(p.default), 1.0) * (4 if p.integer else 3)
        low, high = max(low, min(p.default - near, 0) if p.low < 0 else p.low), min(high, p.default + near)
    return {
        "name": p.name,
        "meaning": p.meaning,
        "default": p.default,
        "low": p.low,
        "high": p.high,
        "from": low,
        "to": high,
        "integer": p.integer,
        "switch": p.integer and (p.low, p.high) == (0, 1),
        "unit": unit(p),
    }


def unit(p: Parameter) -> str:
    """The unit that a parameter's meaning names: money, chance, share, period, or none."""
    for word, name in (
        ("money", "money"), ("probability", "chance"), ("per period", "period"),
        ("rate", "rate"), ("share", "share"), ("cost", "money"),
    ):  # fmt: skip
        if word in p.meaning:
            return "" if p.integer or (word == "cost" and "factor on" in p.meaning) else name
    return ""


def texts(
    game: Game, given: Mapping[str, Any], everything: bool, search: Mapping[str, int]
) -> dict[str, str]:
    """A command line and Python that give the same."""
    defaults = {p.name: p.default for p in game.parameters}
    own = {key: value for key, value in given.items() if value != defaults[key]}
    words = ["pricewar", "solve", game.name, *(f"--set {key}={value!r}" for key, value in own.items())]
    options: dict[str, Any] = dict(own)
    if everything and game.search is not None:
        from pricewar.app.games_work import accepted

        taken = accepted(game.search, search)
        words += ["--all", *(f"--{key} {value}" for key, value in taken.items())]
        options |= taken
    call = ", ".join(f"{key}={value!r}" for key, value in options.items())
    lines = ["from pricewar.games.solution import find", "", f'game = find("{game.name}")']
    if everything:
        lines += [f"for solution in game.search({call}):", "    print(solution.summary())"]
    else:
        lines += [f"solution = game.solve({call}).or_raise()", "print(solution.summary())",
                  "for part in game.show(solution):", "    print(part)"]  # fmt: skip
    return {"command": " ".join(words), "python": "\n".join(lines) + "\n"}


def texts_of_trace(
    game: Game, given: Mapping[str, Any], key: str, low: float, high: float, search: Mapping[str, int]
) -> dict[str, str]:
    """A command line and Python that follow the same branches."""
    defaults = {p.name: p.default for p in game.parameters}
    own = {k: value for k, value in given.items() if value != defaults[k] and k != key}
    words = ["pricewar", "solve", game.name, *(f"--set {k}={value!r}" for k, value in own.items())]
    words += [f"--trace {key}={low!r}:{high!r}", *(f"--{k} {value}" for k, value in search.items())]
    call = "".join(f", {k}={value!r}" for k, value in (own | dict(search)).items())
    lines = [
        "from pricewar.games.solution import find", "", f'game = find("{game.name}")',
        f'found = game.trace("{key}", {low!r}, {high!r}{call})', "print(found.table())",
    ]  # fmt: skip
    return {"command": " ".join(words), "python": "\n".join(lines) + "\n"}


_ANSWERS: OrderedDict[str, dict[str, Any]] = OrderedDict()
_LOCK = threading.Lock()


def kept(name: str) -> dict[str, Any] | None:
    """An answer given before."""
    with _LOCK:
        found = _ANSWERS.get(name)
        if found is not None:
            _ANSWERS.move_to_end(name)
        return found


def keep(name: str, told: dict[str, Any]) -> None:
    """Keep an answer for when it is asked again."""
    with _LOCK:
        _ANSWERS[name] = told
        _ANSWERS.move_to_end(name)
        while len(_ANSWERS) > KEPT:
            _ANSWERS.popitem(last=False)


def _done(what: str, arguments: tuple[Any, ...], job: Job) -> dict[str, Any]:
    for kind, told in ask(what, arguments, job):
        if kind == "done":
            return told
    raise StoppedError
