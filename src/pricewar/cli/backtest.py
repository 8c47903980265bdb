"""`pricewar backtest`: what our advice would have cost real months."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pricewar.cli.options import Progress, outputs

if TYPE_CHECKING:
    from pricewar.advice.backtest import Backtest


class _Month(click.ParamType):
    name = "month"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(f"{value}-01" if len(value) == 7 else value).replace(day=1)
        except ValueError:
            self.fail(f"“{value}” is no month such as 2024-06", param, ctx)


@click.command(name="backtest")
@click.option(
    "--from", "first", type=_Month(), default="2024-06", show_default=True, help="First month of the history."
)
@click.option("--to", "last", type=_Month(), default="2025-11", show_default=True, help="Last month.")
@click.option(
    "--months",
    default=12,
    show_default=True,
    type=click.IntRange(2, 60),
    help="Months of each team's window.",
)
@click.option(
    "--every", default=1, show_default=True, type=click.IntRange(1), help="Months between starting months."
)
@click.option("--class", "classes", multiple=True, help="Class of team; all when left out. May be repeated.")
@click.option(
    "--log",
    type=click.Path(exists=True, path_type=Path),
    help="A usage log for requests, sizes and hours, in place of the sample month.",
)
@click.option(
    "--draws", default=100, show_default=True, type=click.IntRange(2), help="Futures of each advice."
)
@click.option(
    "--seeds",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="How often every window is gone through, with fresh futures.",
)
@click.option("--no-forecasts", is_flag=True, help="Leave out the table of forecast scores.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all as JSON."
)
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the document here (Markdown)."
)
@click.option("--quiet", is_flag=True, help="No progress.")
def backtest(
    first: date,
    last: date,
    months: int,
    every: int,
    classes: tuple[str, ...],
    log: Path | None,
    draws: int,
    seeds: int,
    no_forecasts: bool,
    json_file: Path | None,
    write: Path | None,
    quiet: bool,
) -> None:
    """Judge the advice by the past: real prices and terms, each month's advice from what was recorded then.

    Regret is what a strategy cost more than the plan of one who knew all that was to come and paid for every
    move. Some minutes; nothing is written before the end.
    """
    from pricewar.advice.backtest import run
    from pricewar.advice.backtest_page import page
    from pricewar.advice.backtest_teams import CLASSES
    from pricewar.errors import ConfigurationError, did_you_mean
    from pricewar.files import write_text
    from pricewar.futures.scoring import table as forecasts
    from pricewar.usage.read import read

    known = {c.name: c for c in CLASSES}
    for name in classes:
        if name not in known:
            remedy = did_you_mean(name, known) or "one of: " + ", ".join(known)
            raise ConfigurationError(f"no class of team “{name}”", where="--class", remedy=remedy)
    outputs({"--json": json_file, "--write": write}, [("the log itself", log)], stdout=())
    progress = Progress(quiet)
    began, worked = time.monotonic(), time.process_time()
    found = run(
        first,
        last,
        months=months,
        every=every,
        classes=[known[c] for c in dict.fromkeys(classes)] or CLASSES,
        log=read(log) if log else None,
        draws=draws,
        seeds=seeds,
        progress=progress.say,
    )
    scores = None
    if not no_forecasts and (write or json_file):
        progress.say("scoring forecasts")
        scores = forecasts(progress=progress.say)
    seconds, worked = time.monotonic() - began, time.process_time() - worked
    show(found, seconds)
    if json_file:
        both = found.document() | {"forecasts": scores.document() if scores else None}
        write_text(json_file, json.dumps(both, indent=1))
        progress.say(f"written: {json_file}")
    if write:
        parts = [f"--from {first:%Y-%m} --to {last:%Y-%m}"]
        parts += [f"--months {months}"] if months != 12 else []
        parts += [f"--every {every}"] if every != 1 else []
        parts += [f"--class {c}" for c in classes]
        parts += [f"--log {log.name}"] if log else []
        parts += [f"--draws {draws}"] if draws != 100 else []
        parts += [f"--seeds {seeds}"] if seeds != 2 else []
        command = f"pricewar backtest {' '.join(parts)} --write {write}"
        took = f" in {seconds / 60:.1f} minutes, {worked:.0f} s of a processor"
        write_text(write, page(found, scores, command, took))
        progress.say(f"written: {write}")


def show(found: Backtest, seconds: float) -> None:
    """Regret by class in the terminal."""
    from pricewar.advice.backtest import STRATEGIES
    from pricewar.advice.backtest_page import percent, sentences

    starts = len({t.start for t in found.trials})
    asked = sum(len(t.asked) for t in found.trials)
    click.echo(
        f"{found.first:%Y-%m} to {found.last:%Y-%m}: {starts} windows of {found.months} months, "
        f"{len(found.classes)} classes, {asked} times advised; {seconds:.0f} s\n"
    )
    width = max(len(words) for words in STRATEGIES.values())
    for team in (*found.classes, "all") if len(found.classes) > 1 else found.classes:
        click.echo(f"{team:<{width}}  {'USD':>12}  {'moves':>5}  over the clairvoyant (90%)")
        for r in found.regrets:
            if r.team == team:
                money = f"{r.cost:>12,.0f}" if team != "all" else " " * 12
                over = "" if r.strategy == "clairvoyant" else (
                    f"{percent(r.over):>7} ({percent(r.low)} … {percent(r.high)})"
                )  # fmt: skip
                click.echo(f"{STRATEGIES[r.strategy]:<{width}}  {money}  {r.moves:>5.1f}  {over}".rstrip())
        click.echo()
    for line in sentences(found):
        click.echo(line)
