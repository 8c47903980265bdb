"""`pricewar watch`: what is due, on the day, for cron."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.bill import put
from pricewar.cli.options import STDOUT, Day, Progress, outputs, printable, told
from pricewar.errors import ConfigurationError
from pricewar.units import exact

if TYPE_CHECKING:
    from pricewar.advice.watch_result import Finding, Watched


class Days(click.ParamType):
    """A number of days, as 30d, 4w or 30."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d{1,4})([dw]?)", value.strip())
        days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
        if not 1 <= days <= 3660:
            self.fail(f"“{value}” is not a number of days such as 30d or 4w", param, ctx)
        return days


class Share(click.ParamType):
    """A share, as 5% or 0.05."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        if isinstance(value, Fraction):
            return value
        text = value.strip()
        try:
            share = exact(text.removesuffix("%").strip()) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = Fraction(-1)
        if not 0 <= share <= 1:
            self.fail(f"“{value}” is no share such as 5% or 0.05", param, ctx)
        return share


@click.command(context_settings={"max_content_width": 100})
@click.argument("log", type=click.Path(exists=True, path_type=Path))
@click.option("--plan", "plan_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A plan that `pricewar advise LOG --json FILE` saved: its offers, triggers and days. "
                   "Default: the list prices that the log is billed on now.")  # fmt: skip
@click.option("--offers", "-o", multiple=True, metavar="ID",
              help="Watch this offer instead, such as a free tier or grant in use; repeat for those that "
                   "take, in order, what it refuses.")  # fmt: skip
@click.option("--only", multiple=True, metavar="MODEL",
              help="Watch requests for this model only (MODEL or VENDOR/MODEL, with * and ?). Default: the "
                   "plan's.")  # fmt: skip
@click.option("--as-of", type=Day(future=False),
              help="Watch on this date, using only what was public by then. Default: today.")  # fmt: skip
@click.option("--within", type=Days(), default="30d", show_default=True, help="How far ahead to look.")
@click.option("--since", type=Day(future=False),
              help="Tell changes in force after this date. Default: the plan's; without one a week "
                   "before.")  # fmt: skip
@click.option("--recent", type=Days(), default="7d", show_default=True,
              help="Whole days of the log that the present rate is taken from.")  # fmt: skip
@click.option("--began", type=Day(future=False),
              help="When you began with the offer; grants and packs count from it. Default: the log's first "
                   "request.")  # fmt: skip
@click.option("--refused-above", type=Share(), default="5%", show_default=True,
              help="Share of requests refused, beyond what the plan (or the log before) has, that is "
                   "due.")  # fmt: skip
@click.option("--read-within", type=Days(), default="90d", show_default=True,
              help="A source not read for longer is due.")  # fmt: skip
@click.option("--team", "team_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The team, as for `advise`: costs of switching, must-haves. Default: stated "
                   "assumptions.")  # fmt: skip
@click.option("--evals", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="Results of your own evaluations, as for `advise`; repeat for more.")  # fmt: skip
@click.option("--model", "aliases", multiple=True, metavar="NAME=MODEL",
              help="The model that the evaluations call NAME; repeat for more.")  # fmt: skip
@click.option("--pass-at", type=float, help="Score from which an answer passes, where there are only scores.")
@click.option("--no-search", is_flag=True, help="Look for no better offer: faster.")
@click.option("--format", "format_", help="Format of the log. Default: told by its content.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=SOURCE",
              help="Canonical column = column of the log, or ==value; repeat for more.")  # fmt: skip
@click.option("--zone", help="IANA zone of times that name none. Default: UTC.")
@click.option(
    "--json", "json_to", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON (- for stdout)."
)
@click.option("--quiet", "-q", is_flag=True,
              help="For cron: one line for each finding that is due, nothing where none is.")  # fmt: skip
def watch(log: Path, **options: Any) -> int:
    """Tell what is due: announced rises, ended terms, triggers, allowances running out, better offers.

    Exit codes: 0 nothing is due, 1 something is, 2 usage or configuration, 3 bad data.

    \b
    pricewar advise usage.csv --json plan.json
    pricewar watch usage.csv --plan plan.json
    pricewar watch usage.csv --offers google/gemini-2.5-flash-free --within 2w
    pricewar watch usage.csv --plan plan.json --quiet             # for cron: silent unless something is due
    """
    words = [log.name if word == str(log) else word for word in sys.argv[1:]]
    return run(log, command=shlex.join(["pricewar", *words]), **options)


def run(log: Path, *, command: str, json_to: Path | None = None, quiet: bool = False, **options: Any) -> int:
    """Watch, show and write; returns the exit code."""
    read = [("the log itself", log), ("the plan", options.get("plan_file"))]
    read += [("the team's file", options.get("team_file"))]
    read += [("one of the evaluations", path) for path in options.get("evals", ())]
    outputs({"--json": json_to}, read)
    progress = Progress(quiet)
    data, watched = watched_by(log, command=command, progress=progress, **options)
    with told():
        if json_to is not None:
            put(json_to, json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n", progress)
        if json_to != STDOUT:
            for line in lines(watched) if quiet else shown(watched, data):
                click.echo(line)
    return 1 if watched.due else 0


def watched_by(
    log: Path,
    *,
    command: str,
    progress: Progress,
    plan_file: Path | None = None,
    offers: Sequence[str] = (),
    only: Sequence[str] = (),
    as_of: date | None = None,
    within: int = 30,
    since: date | None = None,
    recent: int = 7,
    began: date | None = None,
    refused_above: Fraction = Fraction(1, 20),
    read_within: int = 90,
    team_file: Path | None = None,
    evals: Sequence[Path] = (),
    aliases: Sequence[str] = (),
    pass_at: float | None = None,
    no_search: bool = False,
    format_: str | None = None,
    maps: Sequence[str] = (),
    zone: str | None = None,
) -> tuple[dict[str, Any], Watched]:
    """What is due, as JSON with how it came about, and as it was found."""
    if not log.is_file() and not log.is_dir():
        raise ConfigurationError("is neither a file nor a folder", where=str(log), remedy="give a file")
    from pricewar.advice import team as teams
    from pricewar.advice.watch_plan import read_plan

    plan = read_plan(plan_file) if plan_file is not None else None
    if plan is not None and plan.told and team_file is None:
        raise ConfigurationError(
            "the plan was made for a team's file",
            where="--team",
            remedy="give the file, so that moves cost what the plan took them to cost",
        )
    team = teams.read(team_file) if team_file is not None else teams.Team()
    from pricewar.advice.advised import evidence_of
    from pricewar.advice.watch import Settings
    from pricewar.advice.watch import watch as look
    from pricewar.advice.watch_better import Search
    from pricewar.billing.choice import comparable
    from pricewar.cli.bill import read_log
    from pricewar.offers.catalogue import load_catalogue

    usage = read_log(log, format_, maps, zone, progress)
    progress.say("opening the catalogue …")
    catalogue = load_catalogue(as_of)
    evidence = evidence_of(evals, aliases, pass_at, catalogue)
    settings = Settings(
        within=within,
        since=since,
        recent=recent,
        above=refused_above,
        read_within=read_within,
        began=datetime.combine(began, time(), UTC) if began is not None else None,
        search=None if no_search else Search(team, comparable(catalogue), evidence),
    )
    found = look(
        usage,
        catalogue,
        plan=plan,
        offers=[catalogue.offer(o).id for o in offers],
        only=only,
        currency=plan.currency if plan is not None else team.currency,
        settings=settings,
        progress=lambda text: progress.say(f"{text} …"),
    )
    from pricewar import __version__

    data = {
        "pricewar": __version__,
        "command": command,
        "log": {"source": log.name, "format": usage.format, "rows": usage.rows,
                "exclusions": [{"count": e.count, "cause": e.cause} for e in usage.exclusions]},
        "plan": None if plan is None else {"source": plan.source, "of": plan.start.isoformat(),
                                           "strategy": plan.strategy, "offers": list(plan.offers)},
        **found.document(),
    }  # fmt: skip
    return data, found


def lines(watched: Watched) -> list[str]:
    """One line for each finding that is due."""
    return [_line(f, watched) for f in watched.due]


def _line(f: Finding, watched: Watched) -> str:
    words = [f.severity.upper(), f"by {f.by}" if f.by else "", f.key, f.offer]
    head = " ".join(word for word in words if word)
    source = f" [{f.sources[0].url}, read {f.sources[0].read_on}]" if f.sources else ""
    amount = _amount(f, watched)
    return printable(f"{head}: {f.what}{amount} → {f.do}{source}")


def _amount(f: Finding, watched: Watched) -> str:
    from pricewar.advice.watch_result import amount_words

    words = amount_words(f.amount, watched.currency)
    return f" ({words})" if words and words not in f.what else ""


def shown(watched: Watched, data: dict[str, Any]) -> list[str]:
    """The findings for a reader: what is due first, then notes."""
    import textwrap

    plan = data["plan"]
    against = f"against the plan of {plan['of']} ({plan['source']})" if plan else "no plan: the offers in use"
    names = ", ".join(i.offer + (f" ({i.role})" if i.role in ("next", "rest") else "") for i in watched.items)
    log = f"{data['log']['source']}: {float(watched.days):.1f} days of work"
    head = f"{log}, watched on {watched.as_of} until {watched.until}; {against}"
    out = [
        line
        for text in (head, f"watched: {names}")
        for line in textwrap.wrap(printable(text), 100, subsequent_indent="  ", break_on_hyphens=False)
    ]
    out += [printable(f"  left out: {e['count']:,} × {e['cause']}") for e in data["log"]["exclusions"]]
    out.append("")
    for f in watched.findings:
        mark = {"now": "NOW ", "soon": "SOON", "note": "note"}[f.severity]
        by = f"{f.by} " if f.by else ""
        text = f"{mark} {by}{f.offer + ' ' if f.offer else ''}{f.key}: {f.what}{_amount(f, watched)}"
        out += textwrap.wrap(printable(text), 100, subsequent_indent="     ", break_on_hyphens=False)
        out += textwrap.wrap(printable(f"→ {f.do}"), 100, initial_indent="     ", subsequent_indent="       ",
                             break_on_hyphens=False)  # fmt: skip
        if f.sources:
            out.append(printable(f"     {f.sources[0].url} (read {f.sources[0].read_on})"))
    due = len(watched.due)
    out += ["", f"{due} due, {len(watched.findings) - due} to note" if due else "nothing is due"]
    return out
