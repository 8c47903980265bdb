"""The child's side of the games: solve, search, trace and compare, told as plain data.

Every function here runs in a process of its own (`games.Seat`). `report(text, done, of)` says how far it is
and raises KeyboardInterrupt when the answer is no longer wanted. Numbers are rounded to `DIGITS` significant
digits for the page, None where there is none; nothing is computed here that `pricewar.games` does not.
"""

from __future__ import annotations

import inspect
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.games.solution import Picture, Solution, Table, find

if TYPE_CHECKING:
    from pricewar.games.solution import Game

Report = Callable[[str, int, int], None]
Given = Mapping[str, Any]

DIGITS = 8
PERIODS = 1000
"""Periods of the industry's path, the first among them."""
MOMENTS = (10, 100, 999)
"""Periods whose distribution over states is told."""
LISTED = 200
"""Equilibria told one by one at most."""
WHOLE = 20_000
"""Values of all equilibria up to which each is told in full; beyond, only the one asked for."""
LARGE = 61
"""Levels up to which every surface is told; beyond, the price alone."""
STABLE = 60
"""Levels up to which stability is worked out, as on the command line."""

_FOUND: OrderedDict[str, list[Solution]] = OrderedDict()


def accepted(call: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options that a game's function takes."""
    known = inspect.signature(call).parameters
    return {key: value for key, value in options.items() if key in known and value is not None}


def solve(name: str, parameters: Given, options: Given, report: Report) -> dict[str, Any]:
    """One equilibrium, or with options["all"] every one that is found.

    Options: all, budget, seed, stability, k (which one to tell in full, from 1).
    """
    game = find(name)
    found = _solutions(game, parameters, options, report)
    full = sum(s.value.size for s in found) <= WHOLE or len(found) == 1
    k = min(max(int(options.get("k") or 1), 1), max(len(found), 1))
    report("games.progress.telling", 0, 0)
    wanted = range(len(found)) if full else [k - 1] if found else []
    return {
        "count": len(found),
        "equilibria": [_light(game, s) for s in found[:LISTED]],
        "details": {str(place + 1): _detail(game, found[place]) for place in wanted},
    }


def rules(name: str, parameters: Given, options: Given, report: Report) -> dict[str, Any]:
    """The same market under other rules, from the equilibrium options["k"]."""
    game = find(name)
    assert game.rules is not None
    found = _solutions(game, parameters, options, report)
    k = min(max(int(options.get("k") or 1), 1), len(found))
    report("games.progress.rules", 0, 0)
    return {"k": k, "table": _table(game.rules(found[k - 1]))}


def trace(name: str, parameters: Given, options: Given, report: Report) -> dict[str, Any]:
    """Branches of equilibria as options["parameter"] goes from options["low"] to options["high"]."""
    game = find(name)
    assert game.trace is not None
    key, points = options["parameter"], 0

    def progress(method: str, *_: Any) -> None:
        nonlocal points
        points += method.startswith("continuation")
        report("games.progress.tracing", points, 0)

    others = {other: value for other, value in parameters.items() if other != key}
    report("games.progress.tracing", 0, 0)
    found = game.trace(
        key, options["low"], options["high"], progress=progress, **others,
        **{o: options[o] for o in ("budget", "seed") if options.get(o) is not None},
    )  # fmt: skip
    return {
        "parameter": key,
        "low": options["low"],
        "high": options["high"],
        "figure": found.figure,
        "branches": [
            {
                "values": plain(b.values),
                "figures": plain(figures),
                "folds": plain(np.array(b.folds)),
                "ends": list(b.ends),
                "residual": plain(np.max(b.residuals)),
                "seconds": round(b.seconds, 3),
            }
            for b, figures in zip(found.branches, found.figures, strict=True)
        ],
    }


def figures(ids: tuple[str, ...], report: Callable[[Any], None]) -> int:
    """Published figures beside ours; each row is reported, their number returned."""
    from pricewar.games.replicate import replicate

    count = 0
    for row in replicate(ids):
        count += 1
        report({
            "id": row.id, "source": row.model, "what": row.what, "digits": row.digits, "note": row.note,
            "published": plain(row.published, 17), "ours": plain(row.ours, 17),
            "difference": plain(row.difference, 3),
            "tolerance": row.tolerance, "agrees": row.agrees, "seconds": round(row.seconds, 3),
        })  # fmt: skip
    return count


def _solutions(game: Game, parameters: Given, options: Given, report: Report) -> list[Solution]:
    everything = bool(options.get("all"))
    stability = bool(options.get("stability")) and parameters.get("levels", 0) <= STABLE
    budget = options.get("budget")
    name = repr((game.name, sorted(parameters.items()), everything, budget, options.get("seed"), stability))
    if name in _FOUND:
        _FOUND.move_to_end(name)
        return _FOUND[name]
    call = game.search if everything and game.search else game.solve
    text = "games.progress.searching" if everything else "games.progress.solving"
    of = int(budget or default(call, "budget") or 0) if everything else 0

    def progress(_: str, done: int, __: float) -> None:
        report(text, min(done, of) if of else done, of)

    report(text, 0, of)
    options = {"budget": budget, "seed": options.get("seed"), "stability": stability, "progress": progress}
    found = call(**parameters, **accepted(call, options))
    _FOUND[name] = found if isinstance(found, list) else [found]
    while len(_FOUND) > 6:
        _FOUND.popitem(last=False)
    return _FOUND[name]


def default(call: Callable[..., Any], option: str) -> Any:
    """What an option of a game's function is when it is left out; None where there is none."""
    given = inspect.signature(call).parameters.get(option)
    return None if given is None or given.default is inspect.Parameter.empty else given.default


# ---------------------------------------------------------------- told as plain data


def plain(array: Any, digits: int = DIGITS) -> Any:
    """Numbers or nested lists of them, rounded; None where there is no number."""
    if isinstance(array, np.ndarray) and array.ndim:
        return [plain(row, digits) for row in array]
    number = float(array)
    return float(f"{number:.{digits}g}") + 0.0 if math.isfinite(number) else None  # + 0.0: never −0


def _light(game: Game, s: Solution) -> dict[str, Any]:
    figures = game.headline(s) if game.headline is not None and s.result else {}
    return {
        "figures": {name: plain(value) for name, value in figures.items()},
        "result": s.result.value,
        "solved": bool(s.result),
        "remedy": s.result.remedy,
        "residual": plain(s.residual, 3),
        "exploitability": None if s.exploitability is None else plain(s.exploitability, 3),
        "stable": s.stable,
        "selection": s.selection,
        "counts": {name: int(count) for name, count in s.counts.items()},
        "seconds": round(s.seconds, 4),
    }


def _detail(game: Game, s: Solution) -> dict[str, Any]:
    """Tables and pictures of one equilibrium; of a game of the two-firm engine also its surfaces and path."""
    if not s.result:
        return {"tables": [], "pictures": [], "surfaces": [], "path": None, "moves": None}
    shown = game.show(s) if game.show is not None else []
    two = "leaves" in s.policy and "engine" in s.extra
    pictures = [part for part in shown if isinstance(part, Picture)]
    surfaces = _surfaces(s) if two else [_surface(p) for p in pictures if p.kind == "surface"]
    arrows = next((p for p in pictures if p.kind == "arrows"), None)
    return {
        "tables": [_table(part) for part in shown if isinstance(part, Table)],
        "pictures": [_picture(p) for p in pictures if p.kind not in ("surface", "arrows")],
        "surfaces": surfaces,
        "moves": None if arrows is None or arrows.u is None or arrows.v is None else {
            "u": plain(arrows.u, 4), "v": plain(arrows.v, 4)},
        "path": _path(s) if two else None,
    }  # fmt: skip


def _surfaces(s: Solution) -> list[dict[str, Any]]:
    """What the two-firm engine gives by state (e1, e2)."""
    from pricewar.games.outcomes import distribution, motives

    levels = list(s.ticks["e1"])
    why = motives(s)
    price, share, leaves = (s.policy[key] for key in ("price", "share", "leaves"))
    live = np.isfinite(price[0])
    kept: list[tuple[str, Any, int | None]] = [("price", price[0], None)]
    if not np.allclose(price[0], price[1].T, rtol=0, atol=1e-6, equal_nan=True):  # firms unlike each other
        kept.append(("price_2", price[1], None))
    if len(levels) <= LARGE:
        kept += [
            ("share", np.where(live, share[1], np.nan), None),
            ("value", s.value[0], None),
            ("building", why.building, None),
            ("denying", why.denying, None),
        ]
        if np.nanmax(leaves) > 0:
            kept.append(("leaves", leaves[0], None))
        kept += [("chance", distribution(s, period), period) for period in MOMENTS]
    first = 0 if np.isfinite(price[0]).any(axis=1)[0] or np.nanmax(leaves) > 0 else 1
    return [
        {
            "key": key,
            "period": period,
            "title": None,
            "axes": ["e1", "e2"],
            "x": levels[first:],
            "y": levels[first:],
            "z": plain(np.asarray(array)[first:, first:]),
            "chance": key in ("share", "leaves", "chance"),
        }
        for key, array, period in kept
    ]


def _surface(p: Picture) -> dict[str, Any]:
    z = np.asarray(p.z)
    return {
        "key": "shown", "period": None, "title": p.title, "axes": list(p.axes[:2]),
        "x": plain(p.x), "y": plain(p.y),
        "z": plain(z), "chance": False,
    }  # fmt: skip


def _path(s: Solution) -> dict[str, Any]:
    """The industry over time from (1, 1), at periods spread over `PERIODS` by ratio."""
    from pricewar.games.outcomes import path

    road = path(s, PERIODS)
    at = np.unique(np.round(np.geomspace(1, PERIODS, 90)).astype(int)) - 1
    return {
        "periods": [int(t) for t in at],
        **{k: plain(getattr(road, k)[at]) for k in ("hhi", "price", "consumers", "surplus", "active")},
        "discounted": {k: plain(v) for k, v in road.discounted.items()},
        "outside": bool(s.extra["engine"].exits),
    }


def _picture(p: Picture) -> dict[str, Any]:
    lines = {name: p.y if name == p.axes[1] else values for name, values in p.series.items()}
    return {
        "kind": p.kind, "title": p.title, "axes": list(p.axes), "note": p.note,
        "x": plain(p.x), "y": plain(p.y),
        "series": {name: plain(values) for name, values in (lines or {p.axes[1]: p.y}).items()},
    }  # fmt: skip


def _table(t: Table) -> dict[str, Any]:
    def cell(value: Any) -> Any:
        if isinstance(value, str) or value is None:
            return value
        if isinstance(value, bool | np.bool_):
            return bool(value)
        return int(value) if isinstance(value, int | np.integer) else plain(value)

    return {
        "title": t.title, "columns": list(t.columns), "note": t.note,
        "rows": [[cell(value) for value in row] for row in t.rows],
    }  # fmt: skip
