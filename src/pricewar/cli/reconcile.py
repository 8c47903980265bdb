"""`pricewar reconcile`: a usage log against an invoice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from pricewar.cli.bill import check, command_line, put_asked, read_log
from pricewar.cli.options import STDOUT, Day, Progress, outputs, told
from pricewar.errors import LogError
from pricewar.units import SYMBOLS, count, exact


class Threshold(click.ParamType):
    """An amount of money, or a percentage of the invoice."""

    name = "amount|percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Fraction, bool]:
        if isinstance(value, tuple):
            return value
        text = str(value).strip()
        try:
            number = exact(text.removesuffix("%").strip())
        except ValueError:
            self.fail(f"“{value}” is neither an amount such as 5 nor a percentage such as 2%", param, ctx)
        if number < 0:
            self.fail("must not be negative", param, ctx)
        return number, text.endswith("%")


@click.command(context_settings={"max_content_width": 100})
@click.argument("log", type=click.Path(exists=True, path_type=Path))
@click.argument("invoice", type=click.Path(exists=True, path_type=Path))
@click.option("--offer", metavar="ID",
              help="Bill on this offer, allowances and fees included. Default: each request at the list "
                   "price of its own model.")  # fmt: skip
@click.option("--threshold", type=Threshold(),
              help="Exit with 1 when more than this is unexplained: money, or a percentage of the "
                   "invoice.")  # fmt: skip
@click.option("--of", "of", type=click.Choice(["unexplained", "gap"]), default="unexplained",
              show_default=True, help="What the threshold is held to.")  # fmt: skip
@click.option("--from", "first", type=Day(),
              help="First day to compare. Default: the months of the invoice.")  # fmt: skip
@click.option("--until", "last", type=Day(), help="Last day to compare.")
@click.option(
    "--as-of", type=Day(future=False), help="Use only what was public on this date. Default: today."
)
@click.option("--in-force", type=Day(),
              help="Bill the whole log on the terms in force on this date. Default: each request on its own "
                   "day's terms.")  # fmt: skip
@click.option("--format", "format_", help="Format of the log. Default: told by its content.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=SOURCE",
              help="Canonical column = column of the log, or ==value; repeat for more.")  # fmt: skip
@click.option("--invoice-format", help="Format of the invoice. Default: told by its content.")
@click.option(
    "--zone", help="IANA zone of the invoice's days, where it names none. Default: the format's own."
)
@click.option("--log-zone", help="IANA zone of times in the log that name none. Default: UTC.")
@click.option("--lines", is_flag=True, help="Every part: model, meter, tier, day.")
@click.option(
    "--json", "json_to", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON (- for stdout)."
)
@click.option(
    "--csv", "csv_to", type=click.Path(path_type=Path, allow_dash=True), help="Write CSV (- for stdout)."
)
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def reconcile(log: Path, invoice: Path, **options: Any) -> int:
    """Explain an INVOICE by the LOG: our bill, the gap, its causes, and what stays unexplained.

    INVOICE is a file or folder: FOCUS, OpenAI or Anthropic cost reports, Alibaba, Volcengine or Baidu bills.
    Both stay on this machine.

    \b
    pricewar reconcile usage.csv costs.csv
    pricewar reconcile usage.csv costs.csv --threshold 2%
    pricewar reconcile usage.csv bill.csv --offer alibaba/new-user --lines
    """
    return run(log, invoice, command=_command_of(log, invoice), **options)


def run(
    log: Path,
    invoice: Path,
    *,
    command: str,
    offer: str | None = None,
    threshold: tuple[Fraction, bool] | None = None,
    of: str = "unexplained",
    first: date | None = None,
    last: date | None = None,
    as_of: date | None = None,
    in_force: date | None = None,
    format_: str | None = None,
    maps: tuple[str, ...] = (),
    invoice_format: str | None = None,
    zone: str | None = None,
    log_zone: str | None = None,
    lines: bool = False,
    json_to: Path | None = None,
    csv_to: Path | None = None,
    quiet: bool = False,
) -> int:
    """Reconcile, show and write; returns the exit code."""
    for given in (log, invoice):
        check(given, {}, (), None)
    outputs({"--json": json_to, "--csv": csv_to}, [("the log itself", log), ("the invoice itself", invoice)])
    progress = Progress(quiet)
    from pricewar.usage.invoice import read_invoice

    progress.say(f"reading {invoice} …")
    try:
        bill = read_invoice(invoice, format=invoice_format, zone=zone, progress=progress.share("read"))
    except LogError as error:  # the same readers' words name the option of other commands
        remedy = (error.remedy or "").replace("--format", "--invoice-format") or None
        raise LogError(error.what, where=error.where, remedy=remedy) from None
    usage = read_log(log, format_, maps, log_zone, progress)
    progress.say(f"{usage.rows:,} records, {len(bill.lines):,} lines; opening the catalogue …")
    from pricewar.billing import reconcile_document as shown
    from pricewar.billing.reconcile import reconcile as compare
    from pricewar.offers.catalogue import load_catalogue

    catalogue = load_catalogue(as_of)
    found = compare(
        usage,
        bill,
        catalogue,
        offer=catalogue.offer(offer) if offer else None,
        frozen=datetime.combine(in_force, time(), UTC) if in_force else None,
        first=first,
        last=last,
        progress=progress.share("billed"),
    )
    progress.done()
    breached = None
    if threshold is not None:
        breached = found.breaches(threshold[0], percent=threshold[1], of_gap=of == "gap")
    limit = None
    if threshold is not None:
        limit = {"limit": f"{float(threshold[0]):g}{'%' if threshold[1] else ''}", "of": of,
                 "breached": breached}  # fmt: skip
    data = shown.document(found, command=command, threshold=limit)
    with told():
        put_asked(data, json_to, csv_to, shown.csv, progress)
        if STDOUT not in (json_to, csv_to):
            _show(data, lines=lines)
    if breached and limit is not None:
        what = "the gap" if of == "gap" else "what is unexplained"
        click.echo(f"threshold: {what} passes {limit['limit']}", err=True)
        return 1
    return 0


def _command_of(log: Path, invoice: Path) -> str:
    """The command as typed, with both files by their names alone."""
    return command_line(log).replace(str(invoice), invoice.name)


# --- the terminal -----------------------------------------------------------------------------------------


def _show(data: Mapping[str, Any], *, lines: bool) -> None:
    """Print both totals, the causes between them with their evidence, and what is unexplained."""
    import os

    from rich.padding import Padding
    from rich.text import Text

    from pricewar.cli.options import console, safe

    screen = console()
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen = console(width=110)
    sign = str(SYMBOLS.get(data["currency"], data["currency"] + " "))
    places = _places(data)

    def amount(text: str, plus: bool = False) -> str:
        number = Decimal(text)
        shown = places if not number else max(places, min(1 - number.adjusted(), 15))  # never −$0.00
        size = f"{abs(number).quantize(Decimal(1).scaleb(-shown), ROUND_HALF_UP):,f}"
        return ("−" if number < 0 else "+" if plus else "") + sign + size

    log, invoice = data["log"], data["invoice"]
    screen.print()
    screen.print(safe(
        f"{', '.join(log['source'])} ({log['format']}) against {', '.join(invoice['source'])} "
        f"({invoice['format']}), {data['period']['first']} to {data['period']['last']}, days of "
        f"{data['clock']['used']}"
    ))  # fmt: skip
    for side in (log, invoice):
        for e in side["exclusions"]:
            places_ = f" ({', '.join(e['examples'][:2])})" if e["examples"] else ""
            screen.print(safe(f"  left out: {e['count']:,} × {e['cause']}{places_}", style="yellow"))
    screen.print()
    terms = "at list price" if data["offer"] == "as-logged" else f"on {data['offer']}"
    name, figures = f"our bill, {terms}", []
    figures.append((name, amount(data["ours"]), "bold", None))
    for cause in data["causes"]:
        figures.append((cause["title"], amount(cause["amount"], True), "", cause))
    rest = data["unexplained"]
    style = "bold red" if Decimal(rest["absolute"]) else "bold"
    figures.append(("unexplained", amount(rest["net"], True), style, rest))
    figures.append(("the invoice", amount(data["charged"]), "bold", None))
    room = max(len(name) for name, *_ in figures) + 2
    wide = max(len(figure) for _, figure, *_ in figures)
    for name, figure, style, more in figures:
        screen.print(Text(f"{name:<{room}}{figure:>{wide}}", style=style))
        if more is None:
            continue
        said = [more["evidence"]] if more.get("evidence") else []
        said += [_finding(f, amount) for f in more["findings"][: 3 if not said else 0]]
        hidden = len(more["findings"]) - 3
        if hidden > 0 and not more.get("evidence"):
            said.append(f"and {hidden} more (--lines, --json)")
        if more.get("remedy"):
            said.append(f"→ {more['remedy']}")
        for words in said:
            screen.print(Padding(safe(words, style="dim"), (0, 0, 0, 4)))
    screen.print()
    share = Decimal(rest["share"] or 0)
    percent = f"{Decimal(data['gap_share'] or 0):+.1%}".replace("-", "−")
    whole = "the invoice" if Decimal(data["charged"]) else "our bill"
    screen.print(safe(
        f"The gap is {amount(data['gap'], True)} ({percent} of {whole}); unexplained "
        f"{amount(rest['absolute'])} ({share:.2%}), overs and unders not set off."
    ))  # fmt: skip
    for words in data["implied"]:
        screen.print(safe(f"  implied: {words}", style="dim"))
    for note in [*invoice["notes"], *log["notes"], *data["notes"]]:
        screen.print(safe(f"  note: {note}", style="dim"))
    if lines:
        _lines(screen, data, amount)
    screen.print(safe(data["method"], style="dim"))
    made = f"Catalogue as of {data['as_of']}; pricewar {data['pricewar']}."
    screen.print(safe(made, style="dim"))


def _places(data: Mapping[str, Any]) -> int:
    """Decimals to show: two, more when a small bill needs them."""
    size = max(abs(Decimal(data["ours"])), abs(Decimal(data["charged"])))
    return 2 if size >= 1 else 4 if size >= Decimal("0.01") else 6


def _name(item: Mapping[str, Any]) -> str:
    model = "/".join(part for part in (item["vendor"], item["model"]) if part)
    parts = [model or "; ".join(item["items"]), item["meter"] or "", item["tier"] or ""]
    return " ".join(part for part in parts if part)


def _finding(f: Mapping[str, Any], amount: Any) -> str:
    when = "" if f["first"] is None else f", {f['first']}"
    if f["last"] not in (None, f["first"]):
        when += f" to {f['last']}" + (f" ({f['lines']} parts)" if f["lines"] > 1 else "")
    words = f"{amount(f['amount'], True)} {_name(f)}{when}"
    apart = Decimal(f["quantity_apart"] or 0)
    if apart and f["why"] and ("log" in f["why"] or "invoice" in f["why"]):
        words += f": {'+' if apart > 0 else '−'}{count(Fraction(abs(apart)))}"
    words += f": {f['why']}" if f["why"] else ""
    return words + (f" [{', '.join(f['places'][:2])}]" if f["places"] else "")


def _lines(screen: Any, data: Mapping[str, Any], amount: Any) -> None:
    from rich.table import Table

    from pricewar.cli.options import safe

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("day", "model", "meter", "tier", "log", "invoice", "ours", "charged", "gap", "of which"):
        right = name in ("log", "invoice", "ours", "charged", "gap")
        table.add_column(name, justify="right" if right else "left", overflow="fold")

    def tokens(text: str | None) -> str:
        return "?" if text is None else f"{Decimal(text):,f}"

    for line in data["lines"]:
        causes = [f"{key} {amount(value, True)}" for key, value in line["causes"].items()]
        if Decimal(line["unexplained"]):
            causes.append(f"unexplained {amount(line['unexplained'], True)}")
        model = line["model"] or "; ".join(line["items"])
        table.add_row(
            (line["start"] or "")[:10], safe(model), line["meter"] or "", line["tier"] or "",
            tokens(line["logged"]), tokens(line["billed"]), amount(line["ours"]), amount(line["charged"]),
            amount(line["gap"], True), safe("; ".join(causes)),
        )  # fmt: skip
    screen.print(table)
    screen.print()
