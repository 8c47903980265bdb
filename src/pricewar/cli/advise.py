"""`pricewar advise`: what the cheap or free offer really costs a team, and what to do."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.options import STDOUT, Day, Progress, outputs, report_language
from pricewar.errors import ConfigurationError, DefinitionError, did_you_mean
from pricewar.files import write_text

if TYPE_CHECKING:
    from pricewar.advice.evidence import Evidence
    from pricewar.advice.shortlist import Shortlist
    from pricewar.advice.team import Team
    from pricewar.futures import Futures
    from pricewar.offers.catalogue import Catalogue
    from pricewar.usage.log import Log

DRAWS = 600
PARTS = (
    *("do", "strategies", "plan", "leaving", "vendors", "free", "versus", "causes", "offers", "left-out"),
    "assumptions",
)
UNTIL_DAYS = 365


def _template(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from pricewar.cli.advise_team import template

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
    evals: Sequence[Path] = (),
    aliases: Sequence[str] = (),
    pass_at: float | None = None,
    offers: Sequence[str] = (),
    only: Sequence[str] = (),
    most: int = 20,
    as_of: date | None = None,
    market: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    until: date | None = None,
    format_: str | None = None,
    maps: Sequence[str] = (),
    zone: str | None = None,
) -> dict[str, Any]:
    """The advice as plain data, with what a face needs beside it: sentences, free offers, what was left."""
    begun = time.perf_counter()
    from pricewar.advice import team as teams
    from pricewar.cli.bill import read_log

    team = teams.read(team_file) if team_file is not None else teams.Team()
    start = as_of or datetime.now(UTC).date()
    until = until or start + timedelta(days=min(UNTIL_DAYS, int(team.horizon * 365.25 / 12) - 1))
    _check_until(until, start, team)
    if not log.is_file() and not log.is_dir():
        raise ConfigurationError("is neither a file nor a folder", where=str(log), remedy="give a file")
    usage = read_log(log, format_, maps, zone, progress)
    progress.say("opening the catalogue …")
    from pricewar.advice.decide import decide
    from pricewar.advice.reliance import reliance
    from pricewar.advice.shortlist import GIFTS
    from pricewar.advice.workload import offers_logged, part_of
    from pricewar.offers.catalogue import load_catalogue

    if only:
        usage = part_of(usage, only)
    catalogue = load_catalogue(as_of)
    if team_file is not None:
        _check_team(team, team_file, catalogue)
    evidence = _evidence(evals, aliases, pass_at, catalogue)
    for line in _strangers(evidence):
        progress.say(line)
    progress.say("choosing what to compare …")
    short = _shortlist(usage, catalogue, team, evidence, start, offers, most)
    names = [o.id for o in short.offers]
    if team.present is not None and team.present.offer not in names:
        names.append(catalogue.offer(team.present.offer).id)
    progress.say(f"drawing {draws:,} futures of {len(names)} offers …")
    drawn = list(dict.fromkeys([*names, *offers_logged(usage, catalogue)]))
    futures = _futures(market, catalogue, drawn, start, team.horizon, draws, seed)
    advice = decide(
        usage, catalogue, names, team, futures, evidence, progress=lambda text: progress.say(f"{text} …")
    )
    from pricewar import __version__
    from pricewar.report import advice_story as told

    standing = [c.offer for c in advice.candidates]
    kinds = {c.offer: c.kind for c in advice.candidates if c.kind in GIFTS}
    relied = sorted(reliance(futures, kinds, until), key=lambda r: kinds[r.offer] == "grant")  # given once
    data = advice.document()
    data |= {
        "pricewar": __version__,
        "made": datetime.now(UTC).date().isoformat(),
        "command": command,
        "log": {"source": log.name, "format": usage.format, "rows": usage.rows,
                "exclusions": [{"count": e.count, "cause": e.cause} for e in usage.exclusions]},
        "draws": draws,
        "only": list(only),
        "models": short.models,
        "market": market,
        "present": team.present.offer if team.present and team.present.offer in standing else None,
        "until": until.isoformat(),
        "considered": short.considered,
        "present_model": short.present_model,
        "left_out": [asdict(e) for e in {e.offer: e for e in (*short.excluded, *advice.excluded)}.values()],
        "dearer_left_out": short.dearer,
        "evidence": _told(evidence),
        "reliance": [_reliance(r) for r in relied],
    }  # fmt: skip
    data["versus"] = told.versus(data)
    data["seconds"] = round(time.perf_counter() - begun, 1)
    data["story"] = told.story(data)
    data["tale"] = told.tale(data)
    return json.loads(json.dumps(data, default=str))


def _check_until(until: date, start: date, team: Team) -> None:
    last = start + timedelta(days=int(team.horizon * 365.25 / 12) - 1)
    if not start < until <= last:
        raise ConfigurationError(
            f"{until} is not within the {team.horizon} months from {start}",
            where="--until",
            remedy=f"give a day after {start} and not after {last}, or a longer `horizon` in the team's file",
        )


def _check_team(team: Team, file: Path, catalogue: Catalogue) -> None:
    """See that the catalogue knows what the team names: its present offer, its currency, vendors."""
    from pricewar.advice.team import where

    vendors = {o.latest.vendor for o in catalogue.offers.values()}
    currencies = {code for rate in catalogue.currency_rates for code in (rate.base, rate.to)} | {"USD"}
    asked: list[tuple[str, str, Iterable[str], tuple[str, ...], str]] = [
        ("vendor", v, vendors, ("ecosystem", v), "`pricewar offers` lists vendors") for v in team.ecosystem
    ]
    asked.append(
        ("exchange rate for", team.currency, currencies, ("currency",), ", ".join(sorted(currencies)))
    )
    if team.present is not None:
        asked.append(
            (
                "offer",
                team.present.offer,
                catalogue.offers,
                ("present", "offer"),
                "`pricewar offers` lists ids",
            )
        )
    for what, name, known, key, otherwise in asked:
        if name not in known:
            raise DefinitionError(
                f"no {what} “{name}” is known as of {catalogue.as_of}",
                where=where(file, *key),
                remedy=did_you_mean(name, known) or otherwise,
            )


def _evidence(
    evals: Sequence[Path], aliases: Sequence[str], pass_at: float | None, catalogue: Catalogue
) -> Evidence | None:
    """The team's own results, or None.

    Raises:
        ConfigurationError: every model of the results is unknown, or an option names something not there.
    """
    if not evals:
        if aliases or pass_at is not None:
            where = "--model" if aliases else "--pass-at"
            raise ConfigurationError("there are no evaluations", where=where, remedy="name them with --evals")
        return None
    from pricewar.advice.evidence import read

    models: dict[str, str] = {}
    for item in aliases:
        name, equals, model = item.partition("=")
        if not equals or not name or not model:
            raise ConfigurationError(f"“{item}” is not NAME=MODEL", where="--model",
                                     remedy="such as --model ours=gpt-5-mini")  # fmt: skip
        models[name] = model
    found = read(list(evals), catalogue=catalogue, models=models, pass_at=pass_at)
    strange = {u.name for u in found.unknown if u.what == "offer"}
    if strange and strange >= {name for m in found.measured for name in m.called}:
        lines = "; ".join(_strangers(found))
        raise ConfigurationError(
            f"no offer is known for any model of the evaluations: {lines}",
            where="--evals",
            remedy="say which models they are with --model NAME=MODEL",
        )
    return found


def _strangers(evidence: Evidence | None) -> list[str]:
    """Evaluations of models that no offer serves, in words."""
    if evidence is None:
        return []
    return [
        f"evaluations: no offer is known for “{u.name}” ({u.rows} rows)" + (f": {u.near}" if u.near else "")
        for u in evidence.unknown
        if u.what == "offer"
    ]


def _shortlist(
    usage: Log,
    catalogue: Catalogue,
    team: Team,
    evidence: Evidence | None,
    start: date,
    offers: Sequence[str],
    most: int,
) -> Shortlist:
    from pricewar.advice.shortlist import shortlist
    from pricewar.cli.bill import comparable

    if offers:
        chosen = catalogue.select(offers)
        # Whoever names vendors or kinds wants them considered; what is too many is left to the cost.
        named = (
            [o.id for o in chosen] if len(chosen) <= most else [p for p in offers if p in catalogue.offers]
        )
    else:
        chosen, named = comparable(catalogue), []
    if not chosen:
        raise ConfigurationError(
            f"no offer is on record as of {catalogue.as_of}", where="--as-of", remedy="name a later day"
        )
    if team.present is not None:
        chosen = [*chosen, catalogue.offers[team.present.offer]]
        named = [*named, team.present.offer]
    return shortlist(usage, catalogue, chosen, team, evidence, start, most=most, named=named)


def _futures(
    market: str | None,
    catalogue: Catalogue,
    names: Sequence[str],
    start: date,
    months: int,
    draws: int,
    seed: int,
) -> Futures:
    from pricewar.futures.from_market import HISTORY, futures_for

    return futures_for(market or HISTORY, catalogue, list(names), start, months, draws, seed)


def _reliance(row: Any) -> dict[str, Any]:
    return {**asdict(row), "end": row.end.isoformat() if row.end else None}


def _told(evidence: Evidence | None) -> Mapping[str, Any] | None:
    """What was read of the team's evaluations, for a face."""
    if evidence is None:
        return None
    return {
        "sources": list(evidence.sources),
        "rows": evidence.rows_in,
        "used": evidence.rows_used,
        "models": [m.model for m in evidence.measured],
        "exclusions": [{"count": e.count, "cause": e.cause} for e in evidence.exclusions],
        "unknown": _strangers(evidence),
        "notes": list(evidence.notes),
    }
