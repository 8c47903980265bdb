"""`pricewar games`, `pricewar solve`, `pricewar replicate`: the exact games."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.options import Progress
from pricewar.errors import ConfigurationError
from pricewar.files import writable, write_text

if TYPE_CHECKING:
    from rich.console import Console

    from pricewar.games.solution import Game, Solution

SHOWN_IN_FULL, LISTED = 4, 20  # of the equilibria that --all finds


@click.command(context_settings={"max_content_width": 100})
@click.argument("name", required=False)
def games(name: str | None) -> int:
    """List the exact games; with NAME, one game's parameters, their ranges and its reference."""
    from rich.padding import Padding
    from rich.text import Text

    from pricewar.cli.pictures import console, grid
    from pricewar.games.solution import Table, catalogue, find

    out = console()
    if name is None:
        for game in catalogue().values():
            options = " ".join(
                word
                for word, has in (("--all", game.search), ("--trace", game.trace), ("--rules", game.rules))
                if has
            )
            out.print(Text.assemble((game.name, "bold"), f"  {options}"))
            out.print(Padding(Text(game.summary), (0, 0, 0, 4)))
            out.print(Padding(Text(game.reference, style="dim"), (0, 0, 0, 4)))
        out.print("\n`pricewar games NAME` tells a game's parameters, `pricewar solve NAME` solves it.")
        return 0
    game = find(name)
    out.print(Text.assemble((game.name, "bold"), f": {game.summary}"))
    out.print(Text(game.reference, style="dim"))
    if game.parameters:
        rows = tuple(
            (p.name, p.meaning, f"{p.default:g}", f"{p.low:g}", f"{p.high:g}") for p in game.parameters
        )
        out.print(grid(Table("", ("parameter", "meaning", "default", "from", "to"), rows), left=2))
    else:
        out.print("It has no parameters.")
    return 0


@click.command(context_settings={"max_content_width": 100})
@click.argument("name")
@click.option("--set", "sets", multiple=True, metavar="PARAMETER=VALUE", help="A parameter; repeat for more.")
@click.option("--all", "everything", is_flag=True, help="Search for every equilibrium, within the budget.")
@click.option("--trace", metavar="PARAMETER=LOW:HIGH",
              help="Follow the equilibria as a parameter moves, through their folds.")  # fmt: skip
@click.option("--rules", is_flag=True, help="Solve the same market again under other rules.")
@click.option("--budget", type=click.IntRange(1), help="Starts of a search.")
@click.option("--seed", type=click.IntRange(0), help="Of a search.  [default: 0]")
@click.option("--method", help="Solver; default: the robust chain.")
@click.option("--json", "json_to", type=click.Path(path_type=Path, allow_dash=True),
              help="Write the solutions as JSON (- for stdout, without tables).")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def solve(
    name: str,
    sets: tuple[str, ...],
    everything: bool,
    trace: str | None,
    rules: bool,
    budget: int | None,
    seed: int | None,
    method: str | None,
    json_to: Path | None,
    quiet: bool,
) -> int:
    """Solve the game NAME: tables, pictures, and how the equilibrium was selected among several.

    Exit codes: 0 solved, 1 no equilibrium found, 2 usage, 130 interrupted (what was found is shown).

    \b
    pricewar solve learning-bdk2014 --all
    pricewar solve learning-bdks2010 --set rho=0.85 --set delta=0.026 --all
    pricewar solve learning-bdks2010 --set rho=0.85 --trace delta=0:0.1
    """
    from pricewar.games.solution import Interrupted, find

    game = find(name)
    for option, wanted, offered in (
        ("--all", everything, game.search),
        ("--trace", trace is not None, game.trace),
        ("--rules", rules, game.rules),
    ):
        if wanted and offered is None:
            raise ConfigurationError(f"{name} does not offer it", where=option, remedy="see `pricewar games`")
    if trace is not None and (everything or rules or method or json_to):
        raise ConfigurationError(
            "it goes with --set, --budget and --seed only", where="--trace", remedy="leave the others out"
        )
    if json_to is not None and str(json_to) != "-":
        writable(json_to)
    given = game.checked(parameters(sets))
    progress = Progress(quiet)
    if trace is not None:
        return _trace(game, given, trace, {"budget": budget, "seed": seed}, progress)
    shown = progress.share(f"{'searching' if everything else 'solving'} {name}")
    call: Callable[..., Any] = game.search if everything and game.search else game.solve
    options = {
        "progress": (lambda _, done, __: shown(done, (budget or 60) if everything else 0)),
        "stability": given.get("levels", 0) <= 60,  # beyond, it takes longer than all else
    }
    chosen = {"--method": ("method", method), "--budget": ("budget", budget), "--seed": ("seed", seed)}
    for option, (key, value) in chosen.items():
        if value is None:
            continue
        if not _accepts(call, key):
            remedy = (
                "leave it out" if everything or key == "method" else "it goes with --all, or leave it out"
            )
            raise ConfigurationError(f"{name} does not take it here", where=option, remedy=remedy)
        options[key] = value
    stopped = False
    try:
        found = call(**given, **{key: value for key, value in options.items() if _accepts(call, key)})
    except Interrupted as stop:
        found, stopped = stop.partial, True
    finally:
        progress.done()
    found = found if isinstance(found, list) else [found]
    if json_to is not None:
        text = json.dumps([_plain(s) for s in found], indent=1, default=str) + "\n"
        if str(json_to) == "-":
            click.echo(text, nl=False)
        else:
            write_text(json_to, text)
    if str(json_to) != "-":
        _show(game, given, found)
        if rules and found and game.rules:
            from pricewar.cli.pictures import console, grid

            progress.say("solving again under other rules …")
            console().print(grid(game.rules(found[0])))
    if stopped:
        click.echo(f"interrupted; partial results kept: {_count(len(found))} found so far", err=True)
        return 130
    return 0 if found and all(s.result for s in found) else 1


@click.command(context_settings={"max_content_width": 100})
@click.argument("ids", nargs=-1)
@click.option("--long", "long_", is_flag=True, help="Also the targets that take minutes.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def replicate(ids: tuple[str, ...], long_: bool, quiet: bool) -> int:
    """Print published figures beside ours: difference and time. IDS: T1, T6, …; default: all.

    “published” is what the source prints, “analytic” what a formula gives, “prototype” further digits that
    independent programs agreed on. Exit code 1 when a figure differs by more than its tolerance.
    """
    from rich.text import Text

    from pricewar.cli.pictures import console
    from pricewar.games.replicate import Row, targets
    from pricewar.games.replicate import replicate as rows

    out, progress = console(), Progress(quiet)
    whole = sum(not ids or t.id in {i.upper() for i in ids} for t in targets())
    share = progress.share("replicating")
    done: list[Row] = []
    begun, stopped, last = time.perf_counter(), False, ""
    asked = rows(ids or None, long=long_)
    share(0, whole)
    try:
        for row in asked:
            progress.done()
            if row.id != last:
                out.print(Text.assemble("\n" if last else "", (f"{row.id}  {row.model}", "bold")))
                if not last:
                    heads = f"{'published':>16} {'ours':>16} {'difference':>10}"
                    out.print(Text(f"{'':{_figure(out)}} {heads}      s", style="dim"))
                last = row.id
            done.append(row)
            _line(out, row)
            share(len(done), whole)
    except KeyboardInterrupt:
        stopped = True
    finally:
        progress.done()
    failed = sum(not row.agrees for row in done)
    seconds = time.perf_counter() - begun
    out.print(f"\n{len(done) - failed} of {len(done)} figures agree, in {seconds:.1f} s")
    if stopped:
        click.echo("interrupted; partial results kept", err=True)
        return 130
    return 1 if failed else 0


def _figure(out: Console) -> int:
    """Width of the column that names a figure."""
    return min(max(out.width - 54, 26), 52)


def _line(out: Console, row: Any) -> None:
    from rich.text import Text

    width = _figure(out)
    name = row.what if row.digits == "published" else f"{row.what} ({row.digits})"
    if len(name) > width:
        out.print(Text(name))
        name = ""
    mark = ("✓", "green") if row.agrees else ("✗", "red")
    numbers = f"{row.published:>16.11g} {row.ours:>16.11g} {row.difference:>+10.1e} "
    out.print(Text.assemble(f"{name:<{width}} {numbers}", mark, f" {row.seconds:>5.2f}"))
    if row.note:
        out.print(Text(f"    {row.note}", style="red"))


def parameters(sets: Sequence[str]) -> dict[str, str]:
    """PARAMETER=VALUE, each.

    Raises:
        ConfigurationError: one of them is not of that form.
    """
    found: dict[str, str] = {}
    for item in sets:
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigurationError(
                f"“{item}” is not PARAMETER=VALUE", where="--set", remedy="such as --set rho=0.75"
            )
        found[key.strip()] = value.strip()
    return found


def _accepts(function: Callable[..., Any], option: str) -> bool:
    return option in inspect.signature(function).parameters


def _count(number: int) -> str:
    return f"{number} equilibrium" if number == 1 else f"{number} equilibria"


def _show(game: Game, given: Mapping[str, Any], found: list[Solution]) -> None:
    from rich.text import Text

    from pricewar.cli.pictures import console, draw, grid
    from pricewar.games.solution import Picture

    out = console()
    defaults = {p.name: p.default for p in game.parameters}
    own = ", ".join(f"{k} = {v:g}" for k, v in given.items() if v != defaults[k])
    out.print(Text.assemble((game.name, "bold"), f": {game.summary}", (f"\n{own}" if own else "", "cyan")))
    out.print()
    if not found:
        out.print(
            "No equilibrium was found. That is no proof that there is none: raise --budget, move --seed."
        )
        return
    if len(found) <= SHOWN_IN_FULL:
        for k, solution in enumerate(found, 1):
            if len(found) > 1:
                out.rule(f"equilibrium {k} of {len(found)}", align="left")
            out.print(grid(replace(solution.summary(), title=""), left=2))
            pictures = 0
            for part in game.show(solution) if game.show is not None and solution.result else []:
                out.print()
                if not isinstance(part, Picture):
                    out.print(grid(part))
                elif not pictures or len(found) == 1:  # of several, one picture each
                    out.print(draw(part, out.width))
                    pictures += 1
    if len(found) > 1:
        out.print()
        out.print(grid(_compared(game, found)))


def _compared(game: Game, found: list[Solution]) -> Any:
    from pricewar.games.solution import Table

    rows, heads = [], ()
    for k, s in enumerate(found[:LISTED], 1):
        figures = game.headline(s) if game.headline is not None else {}
        heads = tuple(figures)
        stable = {None: "?", True: "yes", False: "no"}[s.stable]
        gain = "?" if s.exploitability is None else f"{s.exploitability:.0e}"
        rows.append((k, *(round(v, 4) for v in figures.values()), stable, gain, f"{s.residual:.0e}"))
    columns = ("", *heads, "stable", "gain", "residual")
    more = len(found) - LISTED
    note = "stable: under best reply; gain: the most a firm could gain by its best reply"
    note += f"\nand {more} more; --json writes them all" if more > 0 else ""
    return Table(f"{_count(len(found))} found", columns, tuple(rows), note)


def _trace(
    game: Game, given: dict[str, Any], text: str, search: Mapping[str, int | None], progress: Progress
) -> int:
    """The correspondence as one parameter moves."""
    from pricewar.cli.pictures import console, draw, grid
    from pricewar.games.solution import Interrupted

    key, equals, span = text.partition("=")
    low, colon, high = span.partition(":")
    known = {p.name: p for p in game.parameters if not p.integer}
    if not equals or not colon or key not in known:
        raise ConfigurationError(
            f"“{text}” is not PARAMETER=LOW:HIGH",
            where="--trace",
            remedy=f"one of {', '.join(known)}, such as {next(reversed(known))}=0:0.1",
        )
    ends = [known[key].checked(value, game.name) for value in (low, high)]
    if not ends[0] < ends[1]:
        raise ConfigurationError(f"{low} is not below {high}", where="--trace", remedy="give LOW:HIGH")
    shown = progress.share(f"tracing {game.name} as {key} goes from {low} to {high}")
    begun, stopped = time.perf_counter(), False
    assert game.trace is not None
    others = {k: v for k, v in given.items() if k != key}
    try:
        found = game.trace(
            key, *ends, progress=lambda *_: shown(0, 0), **others,
            **{k: v for k, v in search.items() if v is not None},
        )  # fmt: skip
    except Interrupted as stop:
        found, stopped = stop.partial, True
    finally:
        progress.done()
    out = console()
    if found.branches:
        out.print(grid(found.table()))
        out.print()
        out.print(draw(found.picture(), out.width))
    points = sum(len(b.values) for b in found.branches)
    out.print(f"{len(found.branches)} branches, {points} points, in {time.perf_counter() - begun:.1f} s; "
              "a branch that no search met is missing")  # fmt: skip
    if stopped:
        click.echo("interrupted; partial results kept: the branches finished by then", err=True)
        return 130
    return 0 if found.branches else 1


def _plain(solution: Solution) -> dict[str, Any]:
    return {
        "game": solution.game,
        "parameters": dict(solution.parameters),
        "result": solution.result.value,
        "remedy": solution.result.remedy,
        "residual": _numbers(solution.residual),
        "exploitability": None if solution.exploitability is None else _numbers(solution.exploitability),
        "stable": solution.stable,
        "selection": solution.selection,
        "counts": dict(solution.counts),
        "seconds": solution.seconds,
        "version": solution.version,
        "axes": list(solution.axes),
        "ticks": {name: list(ticks) for name, ticks in solution.ticks.items()},
        "value": _numbers(solution.value),
        "policy": {name: _numbers(array) for name, array in solution.policy.items()},
    }


def _numbers(array: Any) -> Any:
    """Nested lists; null where there is no number, which JSON cannot say otherwise."""
    import numpy as np

    plain = np.asarray(array, dtype=float)
    nested = plain.astype(object)
    nested[~np.isfinite(plain)] = None
    return nested.tolist()
