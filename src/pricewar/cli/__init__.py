"""The command line. It presents and does not compute; each command is imported only when it is called."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from pricewar import __version__

COMMANDS = {
    "demo": (
        "pricewar.cli.demo",
        "demo",
        "Bill a realistic sample log on real offers, then play the price war: tables, report.",
    ),
    "bill": ("pricewar.cli.bill", "bill", "Bill a usage log on real offers, fine print included."),
    "reconcile": (
        "pricewar.cli.reconcile",
        "reconcile",
        "Explain an invoice by the log: the gap, cause by cause.",
    ),
    "advise": (
        "pricewar.cli.advise",
        "advise",
        "What the cheap or free offer costs in the end, and what to do.",
    ),
    "watch": ("pricewar.cli.watch", "watch", "What is due: rises, ends, triggers, allowances running out."),
    "offers": ("pricewar.cli.offers", "offers", "List, filter and explain offers: terms, sources, changes."),
    "games": (
        "pricewar.cli.games",
        "games",
        "List the exact games of price competition, and their parameters.",
    ),
    "solve": ("pricewar.cli.games", "solve", "Solve an exact game: equilibria, tables, pictures."),
    "simulate": (
        "pricewar.cli.market",
        "simulate",
        "Simulate a market, alone or against another rule: who cuts, who leaves, who wins.",
    ),
    "app": (
        "pricewar.cli.app",
        "app",
        "The local page: move a lever and see the war, lay your log beside the offers.",
    ),
    "war": ("pricewar.cli.war", "war", "The war of May 2024 played again, beside what happened."),
    "backtest": ("pricewar.cli.backtest", "backtest", "Judge the advice by what prices and terms then did."),
    "claims": ("pricewar.cli.claims", "claims", "Test twenty claims about price wars, one by one."),
    "replicate": ("pricewar.cli.games", "replicate", "Published figures of the literature beside ours."),
    "sample": ("pricewar.cli.demo", "sample", "Write a realistic usage log to try things on."),
}


class _DesertedError(Exception):
    """The reader of our output went away: not our error, and not to be reported."""


class _Lazy(click.Group):
    """Commands whose modules are loaded on use, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        return getattr(import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        # rich and click make a broken pipe an exit of their own, with 1, which is a breached threshold here
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _DesertedError from None
        except SystemExit as error:
            if isinstance(error.__context__, BrokenPipeError):
                raise _DesertedError from None
            raise

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from pricewar.errors import did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = did_you_mean(args[0], COMMANDS) or "`pricewar --help` lists the commands"
            raise click.UsageError(f"no command “{args[0]}”: {near}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="pricewar")
def cli() -> None:
    """What a price war among LLM vendors does next, and what a cheap or free model really costs you.

    Exit codes: 0 ok, 1 a threshold was breached, 2 usage or configuration, 3 bad data.
    """


def main() -> None:
    """Run the command line; every error on purpose is one clear message and its exit code."""
    from pricewar.cli.options import discard, printable
    from pricewar.errors import PricewarError

    # Whoever started us may have closed them (`>&-`).
    sys.stdout, sys.stderr = (s or Path(os.devnull).open("w") for s in (sys.stdout, sys.stderr))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows another
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except PricewarError as error:
        click.echo(f"error: {printable(str(error), lines=True)}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing was left half-written", err=True)
        code = 130
    except (_DesertedError, BrokenPipeError):
        discard()
        code = 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        click.echo(f"error: {error.strerror or error}{printable(where, lines=True)}", err=True)
        code = 2
        with contextlib.suppress(OSError):
            sys.stdout.close()  # what could not be written must not be tried again at the end
    sys.exit(code if isinstance(code, int) else 0)
