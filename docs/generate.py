"""Writes pages from the program itself, so that they cannot drift: `python docs/generate.py`.

docs/cli.md comes from the commands, docs/market_parameters.md from the model's fields and the bundled
markets. Tests compare the files with what this makes; `make docs` writes them.
"""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from pricewar.cli import COMMANDS, cli
from pricewar.market import definition, fields

HERE = Path(__file__).parent


def cli_page() -> str:
    """The help of every command, as one page."""
    parts = ["# The command line", "", "Made by `make docs` from the commands themselves.", ""]
    for words in ([], *([name] for name in COMMANDS), ["offers", "diff"]):
        reply = CliRunner().invoke(cli, [*words, "--help"], prog_name="pricewar", terminal_width=100)
        parts += [f"## {' '.join(['pricewar', *words])}", "", "```text", reply.output.rstrip(), "```", ""]
    return "\n".join(parts)


HOW = """\
Made by `make docs` from `pricewar.market.fields` and the definitions under `src/pricewar/market/markets/`.

A definition is one YAML file. Every number in it is a **fact**, `{value: 5, unit: CNY/mn tokens, source:
one-api}`, with the source's address, the day it was read and the day of which it is; or an **assumption**,
`{assume: 4, range: [2, 8], unit: ratio, because: "…"}`, whose range becomes an uncertain parameter of every
ensemble (uniform, or uniform in the logarithm with `log: true`; numbers of one `group` move together; so do
the numbers that one line gives to many rows). So does a fact's, where its sources disagree. Ranges of
exchange rates, `output_share`, affinities, ecosystems and dated terms are told and not drawn. A price may
be given as `input` and `output`; `output_share` blends them. A fact of the market's first day or later is
refused unless it is `structural`: a cost, a measured throughput, how buyers behave. Under `types` and
`vendors` a bare number takes its column's `basis` (unit, and source or reason with `times: 1.5` or `plus:
0.1` as its range), `all` holds for every row, and what a row says itself comes first. `month_0` says what
was seen of the whole market; nothing is set by it, and a test compares it with the model.

Units are products with scales before and divisors behind (`tn tokens/day`, `USD/GPU-hour`), brought to the
parameter's own by the calendar (a month is 730.5 hours), the scales and `exchange`; a unit's inverse will
do as well. To change a market, copy its file and give its path instead of its name. A mistake is reported
at file, line and key.
"""


def market_parameters_page() -> str:
    """Every parameter of the market model, and every number of the bundled markets with its source."""
    parts = ["# Parameters of the market", "", HOW]
    for title, kind in (
        ("Of the market", "market"),
        ("Of a type of team", "type"),
        ("Of a vendor", "vendor"),
    ):
        parts += [f"## {title}", "", "| parameter | unit | meaning | from | to | if not given | reference |"]
        parts += ["|---|---|---|---|---|---|---|"]
        for name, f in fields.TABLES[kind].items():
            off = (
                "must be" if f.off is None else f"{f.off:g}" if f.given else f"{f.off:g} (not by definitions)"
            )
            row = (f"`{name}`", f.unit, f.meaning, f"{f.low:g}", f"{f.high:g}", off, f.reference)
            parts.append(f"| {' | '.join(row)} |")
        parts.append("")
    for market in definition.bundled():
        parts += _market_numbers(definition.load(market))
    return "\n".join(parts).rstrip() + "\n"


def _market_numbers(made: definition.Definition) -> list[str]:
    text = made.text
    assumed = sum(e.assumed for e in made.entries)
    places = len({e.key for e in made.entries})
    parts = [f"## {text.market}: {text.title}", "", *(f"- {note}" for note in text.notes)]
    parts += ["", f"{len(made.entries)} numbers from {places} lines, {assumed} of them assumed.", ""]
    parts += ["| source | of | read on | what it says |", "|---|---|---|---|"]
    for name, source in text.sources.items():
        of = (source.dated or "") + (", structural" if source.structural else "")
        parts.append(f"| [{name}]({source.url}) | {of} | {source.read_on} | {source.note or ''} |")
    parts += ["", "| number | value | range | unit | source or reason |", "|---|---|---|---|---|"]
    for e in made.entries:
        span = f"{e.low:.4g} – {e.high:.4g}" + (" log" if e.log else "") if e.low < e.high else ""
        said = f" (as {e.written})" if e.written.partition(" ")[2] != e.unit else ""
        why = f"[{e.source}] " if e.source else ""
        why += "assumed: " if e.assumed else ""
        where = " ".join(part for part in e.where if part != "market")
        parts.append(f"| {where} | {e.value:.4g}{said} | {span} | {e.unit} | {why}{e.because or ''} |")
    parts.append("")
    return parts


if __name__ == "__main__":
    (HERE / "market_parameters.md").write_text(market_parameters_page(), encoding="utf-8")
    (HERE / "cli.md").write_text(cli_page(), encoding="utf-8")
