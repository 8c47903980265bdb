"""`pricewar bill`: a usage log on real offers."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.options import STDOUT, Amount, Day, Progress, Triple, outputs, report_language, told
from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.files import write_text

if TYPE_CHECKING:
    from pricewar.usage.log import Log


@click.command(context_settings={"max_content_width": 100})
@click.argument("log", type=click.Path(exists=True, path_type=Path))
@click.option("--offers", "-o", multiple=True, metavar="PATTERN",
              help="Offers to bill: id (with * and ?), vendor or kind; repeat for more. Default: every own "
                   "record and the main vendors' current chat models.")  # fmt: skip
@click.option("--only", multiple=True, metavar="MODEL",
              help="Bill only requests for this model (MODEL or VENDOR/MODEL, with * and ?).")  # fmt: skip
@click.option(
    "--as-of", type=Day(future=False), help="Use only what was public on this date. Default: today."
)
@click.option("--in-force", type=Day(),
              help="Bill the whole log on the terms in force on this date. Default: each request on its own "
                   "day's terms.")  # fmt: skip
@click.option("--overflow-to", multiple=True, metavar="ID",
              help="Offer that takes what another refuses; repeat for a chain. What is left is served as "
                   "logged; `none` leaves it unserved.")  # fmt: skip
@click.option(
    "--refusal-cost", type=Amount(), help="What an unserved request costs you (leaves it unserved)."
)
@click.option("--currency", default="USD", show_default=True, help="Currency of totals.")
@click.option("--format", "format_", help="Format of the log. Default: told by its content.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=SOURCE",
              help="Canonical column = column of the log, or ==value; repeat for more.")  # fmt: skip
@click.option("--zone", help="IANA zone of times that name none. Default: UTC.")
@click.option("--tokens", type=Triple(), default="0.9,1,1.15", show_default=True,
              help="Another model's tokens for the same text.")  # fmt: skip
@click.option("--verbosity", type=Triple(), default="0.7,1,1.4", show_default=True,
              help="Length of another model's answers.")  # fmt: skip
@click.option("--cache", type=click.Choice(["kept", "doubtful", "lost"]), default="doubtful",
              show_default=True, help="Whether another vendor's cache would hit as often.")  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=16, show_default=True,
              help="Lines of the first table; the list prices get half as many.")  # fmt: skip
@click.option(
    "--all", "everything", is_flag=True, help="Every offer in the table, not the best of each vendor."
)
@click.option("--lines", is_flag=True, help="Itemise the bill of each offer shown.")
@click.option(
    "--json", "json_to", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON (- for stdout)."
)
@click.option(
    "--csv", "csv_to", type=click.Path(path_type=Path, allow_dash=True), help="Write CSV (- for stdout)."
)
@click.option("--html", "html_to", type=click.Path(path_type=Path), help="Write the report.")
@click.option("--lang", type=click.Choice(["en", "zh", "ja"]), default="en", help="Language of the report.")
@click.option("--fail-above", type=Amount(), help="Exit with 1 when the cost as logged passes this amount.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def bill(log: Path, **options: Any) -> int:
    """Bill LOG on real offers, fine print included, and rank them by the cost of serving all the work.

    LOG is a file or folder: OpenAI or Anthropic usage, LiteLLM SpendLogs, Langfuse or Helicone exports,
    OpenTelemetry GenAI spans, OpenRouter activity, a bill that counts tokens, or CSV, JSONL or Parquet of
    your own. It stays on this machine.

    \b
    pricewar bill usage.csv
    pricewar bill usage.csv --offers free --overflow-to openai/gpt-5-mini
    pricewar bill trace.csv --map model==gpt-5-mini --in-force 2026-11-01 --html report.html
    """
    return run(log, command=command_line(log), **options)


def run(
    log: Path,
    *,
    command: str,
    offers: Sequence[str] = (),
    only: Sequence[str] = (),
    as_of: date | None = None,
    in_force: date | None = None,
    overflow_to: Sequence[str] = (),
    refusal_cost: Fraction | None = None,
    currency: str = "USD",
    format_: str | None = None,
    maps: Sequence[str] = (),
    zone: str | None = None,
    tokens: tuple[Fraction, ...] = (Fraction("0.9"), Fraction(1), Fraction("1.15")),
    verbosity: tuple[Fraction, ...] = (Fraction("0.7"), Fraction(1), Fraction("1.4")),
    cache: str = "doubtful",
    top: int = 16,
    everything: bool = False,
    lines: bool = False,
    json_to: Path | None = None,
    csv_to: Path | None = None,
    html_to: Path | None = None,
    lang: str = "en",
    fail_above: Fraction | None = None,
    quiet: bool = False,
) -> int:
    """Bill, show and write; returns the exit code."""
    check(log, {"--json": json_to, "--csv": csv_to, "--html": html_to}, overflow_to, refusal_cost)
    report_language(lang, html_to)
    progress = Progress(quiet)
    usage = read_log(log, format_, maps, zone, progress)
    progress.say(f"{usage.rows:,} records ({usage.format}); opening the catalogue …")
    from pricewar.billing import document as shown
    from pricewar.billing.batch import Assumptions
    from pricewar.billing.choice import comparable
    from pricewar.billing.desk import Corner, compare
    from pricewar.offers.catalogue import load_catalogue

    catalogue = load_catalogue(as_of)
    known = {code for rate in catalogue.currency_rates for code in (rate.base, rate.to)} | {"USD"}
    if currency.upper() not in known:
        raise ConfigurationError(
            f"no exchange rate is known for “{currency}”",
            where="--currency",
            remedy=did_you_mean(currency.upper(), known) or ", ".join(sorted(known)),
        )
    chosen = catalogue.select(offers) if offers else comparable(catalogue)
    progress.say(f"billing {usage.rows:,} records on {len(chosen)} offers …")
    corners: tuple[Corner, ...] = ("low", "mid", "high")
    kept = {"kept": (True, True, True), "doubtful": (True, True, False), "lost": (False, False, False)}[cache]
    comparison = compare(
        usage,
        catalogue,
        chosen,
        currency=currency.upper(),
        frozen=datetime.combine(in_force, time(), UTC) if in_force else None,
        assumed={c: Assumptions(tokens[i], verbosity[i], keep_cache=kept[i]) for i, c in enumerate(corners)},
        overflow_to=overflow_to,
        refusal_cost=refusal_cost,
        only=only,
        progress=progress.share("billed"),
    )
    progress.done()
    if only and not comparison.models:
        raise ConfigurationError(f"no request is for {', '.join(only)}", where="--only",
                                 remedy="the table without --only names the models of the log")  # fmt: skip
    data = shown.document(comparison, usage, command=command)
    if html_to is not None:
        from pricewar.report import write

        write(html_to, data, language=lang)
        progress.say(f"report: {html_to}")
    with told():
        put_asked(data, json_to, csv_to, shown.csv, progress)
        if STDOUT not in (json_to, csv_to):
            from pricewar.cli.table import show

            show(data, top=top, everything=everything, lines=lines)
    if fail_above is not None:
        if comparison.baseline is None:
            missing = ", ".join(data["baseline"]["missing"][:3])
            raise ConfigurationError(
                f"the cost as logged is not known: no list price for {missing}",
                where="--fail-above",
            )
        if comparison.baseline > fail_above:
            click.echo(f"threshold: the cost as logged passes {float(fail_above):,.2f}", err=True)
            return 1
    return 0


def read_log(
    log: Path, format_: str | None, maps: Sequence[str], zone: str | None, progress: Progress
) -> Log:
    """The usage in `log`, told on the way.

    Raises:
        LogError: not a record of it can be used.
    """
    from pricewar.usage.read import mapped, read_usable

    progress.say(f"reading {log} …")
    usage = read_usable(log, format=format_, mapping=mapped(maps), zone=zone, progress=progress.share("read"))
    progress.done()
    return usage


def command_line(log: Path) -> str:
    """The command as typed, with the log by its name alone: a report is passed on."""
    words = [log.name if word == str(log) else word for word in sys.argv[1:]]
    return shlex.join(["pricewar", *words])


def check(
    log: Path, given: Mapping[str, Path | None], overflow_to: Sequence[str], refusal_cost: Fraction | None
) -> None:
    """See before the work that options do not contradict one another and outputs can be written.

    Raises:
        ConfigurationError: naming the option.
    """
    if not log.is_file() and not log.is_dir():
        raise ConfigurationError("is neither a file nor a folder", where=str(log), remedy="give a file")
    outputs(given, [("the log itself", log)])
    if "none" in overflow_to[:-1]:
        raise ConfigurationError("nothing can come after `none`", where="--overflow-to", remedy="put it last")
    if refusal_cost is not None and overflow_to and overflow_to[-1] == "as-logged":
        raise ConfigurationError(
            "what is served as logged is not refused", where="--refusal-cost", remedy="leave out as-logged"
        )


def put_asked(
    data: dict[str, Any],
    json_to: Path | None,
    csv_to: Path | None,
    csv: Callable[[dict[str, Any]], str],
    progress: Progress,
) -> None:
    """Write the answer as JSON and as CSV, as far as asked for."""
    if json_to is not None:
        put(json_to, json.dumps(data, ensure_ascii=False, indent=1) + "\n", progress)
    if csv_to is not None:
        put(csv_to, csv(data), progress)


def put(path: Path, text: str, progress: Progress) -> None:
    """Write to the file, or to stdout for `-`."""
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    write_text(path, text)
    progress.say(f"written: {path}")
