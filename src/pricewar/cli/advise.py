"""`pricewar advise`: what the cheap or free offer really costs a team, and what to do."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pricewar.advice.advised import DRAWS
from pricewar.cli.options import STDOUT, Day, Progress, outputs, report_language
from pricewar.errors import ConfigurationError
from pricewar.files import write_text

PARTS = (
    *("do", "strategies", "plan", "leaving", "vendors", "free", "versus", "causes", "offers", "left-out"),
    "assumptions",
)


def _template(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from pricewar.advice.team_template import template

        click.echo(template(), nl=False)
        ctx.exit()


@click.command(context_settings={"max_content_width": 100})
@click.argument("log", type=click.Path(exists=True, path_type=Path))
@click.option("--team", "team_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The team: growth, horizon, must-haves, costs of switching, … (YAML). Default: stated "
                   "assumptions.")  # fmt: skip
@click.option("--team-template", is_flag=True, is_eager=True, expose_value=False, callback=_template,
              help="Print a team's file with every setting, unit, default and reason.")  # fmt: skip
@click.option("--evals", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="Results of your own evaluations: promptfoo, lm-evaluation-harness, CSV or JSON lines; "
                   "repeat for more. Published figures stand in for what they do not measure.")  # fmt: skip
@click.option("--model", "aliases", multiple=True, metavar="NAME=MODEL",
              help="The model that the evaluations call NAME; repeat for more.")  # fmt: skip
@click.option("--pass-at", type=float, help="Score from which an answer passes, where there are only scores.")
@click.option("--offers", "-o", multiple=True, metavar="PATTERN",
              help="Offers to choose between: id (with * and ?), vendor or kind; repeat for more. "
                   "Default: the most promising of all.")  # fmt: skip
@click.option("--only", multiple=True, metavar="MODEL",
              help="Advise on requests for this model only, as one application of several (MODEL or "
                   "VENDOR/MODEL, with * and ?).")  # fmt: skip
@click.option("--most", type=click.IntRange(3, 60), default=20, show_default=True,
              help="How many offers to plan with; ids given in full come on top.")  # fmt: skip
@click.option("--as-of", type=Day(future=False),
              help="Advise on this date, using only what was public by then. Default: today.")  # fmt: skip
@click.option("--market", metavar="NAME",
              help="Take futures from a market of the engine, such as china-2024.")  # fmt: skip
@click.option("--draws", type=click.IntRange(2, 20_000), default=DRAWS, show_default=True,
              help="Futures: half fit the strategies, half judge them.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the futures.")
@click.option("--until", type=Day(),
              help="Until when free offers are to be relied on. Default: a year from the start.")  # fmt: skip
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS),
              help="Show this part only; repeat for more.")  # fmt: skip
@click.option("--format", "format_", help="Format of the log. Default: told by its content.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=SOURCE",
              help="Canonical column = column of the log, or ==value; repeat for more.")  # fmt: skip
@click.option("--zone", help="IANA zone of times that name none. Default: UTC.")
@click.option(
    "--json", "json_to", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON (- for stdout)."
)
@click.option("--html", "html_to", type=click.Path(path_type=Path), help="Write the report.")
@click.option("--gateway", "gateway_to", metavar="DIR", type=click.Path(path_type=Path),
              help="Write the plan as LiteLLM proxy configurations with a calendar of switches.")  # fmt: skip
@click.option("--lang", type=click.Choice(["en", "zh", "ja"]), default="en", help="Language of the report.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def advise(log: Path, **options: Any) -> int:
    """Advise on LOG: what to do, what it costs in the end, and when to look again.

    LOG is read as by `pricewar bill`. Strategies (stay, take the free offer and leave, pay from the start,
    two vendors, move by a trigger, portable from the start, the optimal plan) meet the same futures of prices
    and terms, with the team's own costs of switching.

    \b
    pricewar advise usage.csv
    pricewar advise --team-template > team.yaml
    pricewar advise usage.csv --team team.yaml --evals promptfoo.json --html advice.html
    pricewar advise usage.csv --part free --until 2027-06-01
    """
    words = [log.name if word == str(log) else word for word in sys.argv[1:]]
    return run(log, command=shlex.join(["pricewar", *words]), **options)


def run(
    log: Path,
    *,
    command: str,
    json_to: Path | None = None,
    html_to: Path | None = None,
    gateway_to: Path | None = None,
    lang: str = "en",
    parts: Sequence[str] = (),
    quiet: bool = False,
    **options: Any,
) -> int:
    """Advise, show and write; returns the exit code."""
    inputs = [("the log itself", log), ("the team's file", options.get("team_file"))]
    inputs += [("one of the evaluations", path) for path in options.get("evals", ())]
    outputs({"--json": json_to, "--html": html_to}, inputs)
    report_language(lang, html_to)
    if gateway_to is not None:
        from pricewar.advice.gateway_write import usable

        usable(gateway_to, (json_to, html_to))
    progress = Progress(quiet)
    data = advised(log, command=command, progress=progress, **options)
    if json_to is not None:
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        if json_to == STDOUT:
            click.echo(text, nl=False)
        else:
            write_text(json_to, text)
            progress.say(f"written: {json_to}")
    if html_to is not None:
        from pricewar.report import advice as page

        page.write(html_to, data, language=lang)
        progress.say(f"report: {html_to}")
    if gateway_to is not None:
        from pricewar.cli import advise_gateway

        advise_gateway.write(gateway_to, log, data, progress, **options)
        progress.say(f"gateway: {gateway_to}")
    if json_to != STDOUT:
        from pricewar.cli.advise_table import show

        show(data, parts)
    return 0


def advised(
    log: Path,
    *,
    command: str,
    progress: Progress,
    team_file: Path | None = None,
    format_: str | None = None,
    maps: Sequence[str] = (),
    zone: str | None = None,
    **asked: Any,
) -> dict[str, Any]:
    """The advice as plain data, with what a face needs beside it: sentences, free offers, what was left."""
    begun = time.perf_counter()
    from pricewar.advice import team as teams
    from pricewar.advice.advised import Asked, advise, prepared
    from pricewar.cli.bill import read_log
    from pricewar.report.advice_story import completed

    team = teams.read(team_file) if team_file is not None else teams.Team()
    question = Asked(team, team_file=team_file, **asked)
    if not log.is_file() and not log.is_dir():
        raise ConfigurationError("is neither a file nor a folder", where=str(log), remedy="give a file")
    usage = read_log(log, format_, maps, zone, progress)
    ready = prepared(usage, question, say=progress.say)
    data = advise(ready, source=log.name, command=command, say=progress.say)
    return {**completed(data), "seconds": round(time.perf_counter() - begun, 1)}
