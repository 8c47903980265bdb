"""`pricewar simulate`: a market under uncertainty, alone or beside the same market under another rule."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.options import Progress, outputs
from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.files import write_text

if TYPE_CHECKING:
    from pricewar.market.conduct import Equilibrium
    from pricewar.market.model import Market, Run
    from pricewar.market.outcomes import Outcomes

CHUNK = 2  # futures between two looks at Ctrl-C
TEXTBOOK = "textbook"


@click.command(context_settings={"max_content_width": 100})
@click.argument("market", required=False)
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A parameter; repeat for more.")
@click.option("--against", multiple=True, metavar="NAME=VALUE|MARKET",
              help="Compare with this change (repeat for more), or with another market.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Futures.")
@click.option("--months", type=click.IntRange(1, 1200), help="Horizon.  [default: the market's own]")
@click.option(
    "--conduct",
    type=click.Choice(["as-defined", "solved"]),
    default="as-defined",
    show_default=True,
    help="Solve the vendors' conduct first, under each rule (minutes).",
)
@click.option("--levers", is_flag=True, help="List the parameters, their units and bounds, and stop.")
@click.option("--json", "json_to", type=click.Path(path_type=Path, allow_dash=True),
              help="Write the outcomes as JSON (- for stdout, without tables).")  # fmt: skip
@click.option(
    "--dataset",
    type=click.Path(path_type=Path),
    help="Write every series as NetCDF (xarray), of the market as it is.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def simulate(
    market: str | None,
    sets: tuple[str, ...],
    against: tuple[str, ...],
    seeds: int,
    months: int | None,
    conduct: str,
    levers: bool,
    json_to: Path | None,
    dataset: Path | None,
    quiet: bool,
) -> int:
    """Simulate MARKET, a bundled one or a YAML file: prices, shares, margins, who leaves, who wins.

    Every future draws the market's uncertain parameters and its luck from its own seed; --against meets the
    same draws, so that only the change differs. NAME is a parameter of the market, or VENDOR.name,
    SEGMENT.name, vendors.name, types.name; NAME:x=2 doubles it, its range too. `textbook` is the market that
    reduces to an exact game.

    \b
    pricewar simulate china-2024
    pricewar simulate china-2024 --against portability=.8
    pricewar simulate global-2025 --set deepseek.cash=1e9 --against price_floor=1
    """
    progress = Progress(quiet)
    if market is None:
        from pricewar.market.definition import bundled

        if not levers:
            known = ", ".join((*bundled(), TEXTBOOK))
            raise ConfigurationError("no MARKET is named", remedy=f"{known}, or a YAML file")
        from pricewar.cli.market_tables import levers as list_levers

        list_levers(None)
        return 0
    read = [("a market that is read", Path(name)) for name in (market, *against) if Path(name).is_file()]
    outputs({"--json": json_to, "--dataset": dataset}, read)
    if market == TEXTBOOK:
        for option, given in (("--against", against), ("--months", months), ("--dataset", dataset),
                              ("--levers", levers)):  # fmt: skip
            if given:
                raise ConfigurationError("textbook does not take it", where=option, remedy="leave it out")
        return _textbook(sets, json_to, progress)
    from pricewar.cli.market_tables import document, show
    from pricewar.cli.market_tables import levers as show_levers
    from pricewar.market import definition

    text = definition.load(market)
    made = definition.market(text)
    if months is not None:
        made = replace(made, months=months)
    if levers:
        show_levers(made)
        return 0
    here = _checked(made.with_(settings(made, sets, "--set")))
    there, change = None, ""
    if against:
        there, change = _other(here, against, sets, months)
        _checked(there)
    begun = time.perf_counter()
    worlds, how = [here] if there is None else [here, there], []
    if conduct == "solved":
        solved = [_solved(w, progress) for w in worlds]
        worlds, how = [s.market for s in solved], [_quality(s) for s in solved]
    runs: list[Outcomes] = []
    for n, world in enumerate(worlds):
        what = f"simulating {n + 1} of 2" if there is not None else "simulating"
        runs.append(outcomes(world, seeds, progress, what, runs[0] if runs else None))
    seconds = time.perf_counter() - begun
    if dataset is not None:
        _netcdf(runs[0].run, dataset)
        progress.say(f"written: {dataset}")
    if json_to is not None:
        data = document(runs, text.text.title, list(sets), list(against), how, seconds)
        body = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        if str(json_to) == "-":
            click.echo(body, nl=False)
            return 0
        write_text(json_to, body)
        progress.say(f"written: {json_to}")
    show(runs, text.text.title, ", ".join(sets), change, seconds, how)
    return 0


def futures(market: Market, seeds: Iterable[int], progress: Progress, what: str = "simulating") -> Run:
    """The market's futures, the first compilation announced and Ctrl-C heard within a few of them."""
    from pricewar.market import model

    share = progress.share(what)
    waiting = threading.Timer(3.0, lambda: progress.say("compiling the market (first run only) …"))
    waiting.daemon = True
    waiting.start()
    try:
        model.check(market)
        _ready(market)
    finally:
        waiting.cancel()
    try:
        return model.simulate(market, seeds, progress=share, chunk=CHUNK)
    finally:
        progress.done()


def _ready(market: Market) -> None:
    """Load the compiled pass here and not in a pool, where Ctrl-C would wait for the compiler."""
    import numpy as np

    from pricewar.market import kernel as k

    g, v, t = market.members(())
    J, T, steps = len(market.vendors), len(market.types), market.months * market.per_month
    k.many(
        g, v, t, market.chi, market.eco, market.script, np.zeros((0, steps, J, 3)), market.months,
        market.per_month, max(len(market.verticals), 1),
        np.zeros((0, market.months, J, len(k.VENDOR_SERIES))),
        np.zeros((0, market.months, T, len(k.TYPE_SERIES))), np.zeros((0, market.months, T, J)),
        np.zeros((0, market.months, len(k.WORLD_SERIES))), np.zeros((0, 1, 5)), np.zeros(0, np.int64),
    )  # fmt: skip


def outcomes(
    market: Market, seeds: int, progress: Progress, what: str, beside: Outcomes | None = None
) -> Outcomes:
    """Outcomes of that many futures, measured from where those `beside` begin if it is the same market."""
    from pricewar.market.outcomes import Outcomes

    same = beside is not None and (beside.market.name, beside.market.types) == (market.name, market.types)
    return Outcomes(futures(market, range(seeds), progress, what), beside if same else None)


def settings(market: Market, items: Sequence[str], option: str) -> dict[str | tuple[str, ...], float]:
    """NAME=VALUE pairs as `Market.with_` takes them; conduct and vendors may be named.

    Raises:
        ConfigurationError: no pair, no number, or (from `Market.with_`, on use) no such parameter.
    """
    from pricewar.market import fields

    found: dict[str | tuple[str, ...], float] = {}
    for item in items:
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not key:
            raise ConfigurationError(
                f"“{item}” is not NAME=VALUE", where=option, remedy="such as portability=.8; see --levers"
            )
        if key.endswith(".conduct") and value in fields.CONDUCTS:
            value = str(fields.CONDUCTS.index(value))
        elif key in ("merge_into", "merge_from", "opener") and value in market.vendors:
            value = str(market.vendors.index(value))
        try:
            number = float(value.replace("_", ""))
        except ValueError:
            known = market.vendors if key in ("merge_into", "merge_from", "opener") else ()
            known = fields.CONDUCTS if key.endswith(".conduct") else known
            raise ConfigurationError(
                f"“{value}” is {'none of ' + ', '.join(known) if known else 'not a number'}",
                where=f"{option} {key}",
                remedy=did_you_mean(value, known) or (None if known else "such as portability=.8"),
            ) from None
        if not math.isfinite(number):
            raise ConfigurationError(f"“{value}” is not finite", where=f"{option} {key}")
        if key in found:
            raise ConfigurationError(f"“{key}” is given twice", where=option, remedy="give it once")
        found[key] = number
    return found


def _other(
    here: Market, against: Sequence[str], sets: Sequence[str], months: int | None
) -> tuple[Market, str]:
    """What to compare with, and its name."""
    from pricewar.market import definition

    markets = [item for item in against if "=" not in item]
    if not markets:
        return here.with_(settings(here, against, "--against")), ", ".join(against)
    if len(against) > 1:
        raise ConfigurationError(
            "takes one other market, or changes of this one, not both", where="--against", remedy="run twice"
        )
    name = markets[0]
    if name not in definition.bundled() and not Path(name).is_file():
        near = did_you_mean(name, definition.bundled()) or f"bundled: {', '.join(definition.bundled())}"
        raise ConfigurationError(
            f"“{name}” is neither NAME=VALUE nor a market", where="--against", remedy=near
        )
    there = definition.market(name)
    there = replace(there, months=months or here.months)
    called = name if there.name == here.name else there.name
    return there.with_(settings(there, sets, "--set")), called


def _checked(market: Market) -> Market:
    """Refused before the work and not after."""
    from pricewar.market import model

    model.check(market)
    return market


def _solved(market: Market, progress: Progress) -> Equilibrium:
    from pricewar.market import conduct

    last = [time.monotonic()]

    def under_way(what: str, best: float) -> None:
        if time.monotonic() - last[0] > 5.0:
            last[0] = time.monotonic()
            progress.say(f"  {what}; exploitability so far {best:.3f}")

    progress.say("solving the vendors' conduct …")
    return conduct.solve(market, progress=under_way)


def _quality(found: Equilibrium) -> str:
    """How good a solution is, in words."""
    word = "solved" if found.solved else f"not solved to {found.tolerance:g} ({found.remedy})"
    near = len(found.near)
    return (
        f"{word}; exploitability {found.profile.exploitability:.3f}, in a richer class {found.richer:.3f}; "
        f"{near} profile{'' if near == 1 else 's'} below the tolerance; {found.seconds:.0f} s"
    )


def _netcdf(run: Run, path: Path) -> None:
    import os
    import tempfile

    data = run.dataset()
    folder = path.resolve().parent
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        data.to_netcdf(name, engine="scipy")
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


# ---------------------------------------------------------------- the textbook


def _textbook(sets: Sequence[str], json_to: Path | None, progress: Progress) -> int:
    """The market that reduces to an exact game, beside that game's equilibria."""
    from pricewar.cli.games import parameters
    from pricewar.cli.market_tables import plain
    from pricewar.cli.pictures import console, grid
    from pricewar.market import textbook

    given: dict[str, Any] = dict(parameters(sets))
    game = given.pop("game", "learning-bdks2010")
    progress.say(f"solving {game} exactly, and the market that reduces to it …")
    begun = time.perf_counter()
    found = textbook.solve(game, **given)
    seconds = time.perf_counter() - begun
    if json_to is not None:
        data = plain([{"game": game, "gap": c.gap, "price": c.price, "exact": c.game.policy["price"][0],
                       "hhi": c.hhi, "mean_price": c.mean_price()} for c in found])  # fmt: skip
        body = json.dumps(data, indent=1, allow_nan=False) + "\n"
        if str(json_to) == "-":
            click.echo(body, nl=False)
            return 0
        write_text(json_to, body)
    out = console()
    out.print(f"textbook: a market whose teams, costs and learning are those of {game}; {seconds:.1f} s")
    for n, one in enumerate(found, 1):
        out.print(f"\nequilibrium {n} of {len(found)}")
        out.print(grid(replace(one.table())))
    if found:
        worst = max(c.gap for c in found)
        out.print(
            f"\nThe market asks the exact game's prices at every state of {len(found)} "
            f"equilibri{'um' if len(found) == 1 else 'a'}, to {worst:.1e} of the price."
        )
        return 0
    out.print("No equilibrium was found: that is no proof that there is none.")
    return 1
