"""What the commands share: kinds of option, text that is safe to print, and progress on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.errors import ConfigurationError
from pricewar.files import writable
from pricewar.units import exact

if TYPE_CHECKING:
    from rich.text import Text


class Day(click.ParamType):
    """A date such as 2026-10-31, or `today`."""

    name = "date"

    def __init__(self, *, future: bool = True) -> None:
        self.future = future

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        today = datetime.now(UTC).date()
        if value == "today":
            return today
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}” is not a date such as 2026-10-31", param, ctx)
        if day > today and not self.future:
            self.fail(f"{day} is in the future: nobody knows what will be known then", param, ctx)
        return day


class Amount(click.ParamType):
    """A decimal number, kept exactly."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        if isinstance(value, Fraction):
            return value
        try:
            number = exact(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if number < 0:
            self.fail("must not be negative", param, ctx)
        return number


class Triple(click.ParamType):
    """Three factors, low,middle,high."""

    name = "low,mid,high"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Fraction, ...]:
        if isinstance(value, tuple):
            return value
        try:
            parts = tuple(exact(part.strip()) for part in value.split(","))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if len(parts) != 3 or not 0 < parts[0] <= parts[1] <= parts[2] <= 100:
            self.fail("give three rising factors between 0 and 100, such as 0.9,1,1.15", param, ctx)
        return parts


STDOUT = Path("-")


def outputs(
    given: Mapping[str, Path | None],
    inputs: Iterable[tuple[str, Path | None]] = (),
    *,
    stdout: Iterable[str] = ("--json", "--csv"),
) -> None:
    """See before the work that every output can be written, over no input and not over another output.

    Args:
        given: files to write by option; None where it was not given, `-` for stdout.
        inputs: what is read, each with what to call it; a folder stands for every file directly in it.
        stdout: options that may write to stdout.

    Raises:
        ConfigurationError: naming the option.
    """
    read = [(what, path) for what, path in inputs if path is not None and path.exists()]
    taken: dict[Path, str] = {}
    for option, path in given.items():
        if path is None:
            continue
        if path == STDOUT and option not in stdout:
            raise ConfigurationError("is not written to stdout", where=option, remedy="name a file")
        target = path if path == STDOUT else path.resolve()
        if target != STDOUT:
            writable(path)
        if target in taken:
            raise ConfigurationError(f"the same as {taken[target]}", where=option, remedy="name another file")
        taken[target] = option
        for what, source in read if path.is_file() else ():
            if path.samefile(source):
                raise ConfigurationError(f"this is {what}", where=option, remedy="name another file")
            if source.is_dir() and target.parent == source.resolve():
                raise ConfigurationError(
                    f"this is among what is read of {source}", where=option, remedy="name another folder"
                )


def report_language(lang: str, html_to: Path | None) -> None:
    """See that a language is asked for only where there is a report to be written in it.

    Raises:
        ConfigurationError: no report is written.
    """
    if lang != "en" and html_to is None:
        raise ConfigurationError("is the language of the report, and none is written", where="--lang",
                                 remedy="name a file with --html, or leave it out")  # fmt: skip


def printable(text: str, *, lines: bool = False) -> str:
    """Text may come from a log or a file: nothing in it may command the terminal, or (without `lines`) break
    the line."""
    return "".join(
        c if c.isprintable() or (lines and c == "\n") else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def safe(text: str, style: str = "") -> Text:
    """`printable`, styled."""
    from rich.text import Text

    return Text(printable(text), style=style)


def console(**options: Any) -> Any:
    """A rich console whose broken pipe is an exception like any other, not an exit of its own."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(highlight=False, **options)


def discard() -> None:
    """What is still to be written goes nowhere, so that the end of the process does not try it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What is said within: a reader who leaves early (`| head`) does not change the exit code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        discard()


class Progress:
    """A line on stderr that says what is under way; on a terminal it is rewritten in place."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet, self.live = quiet, sys.stderr.isatty()
        self._last, self._open = 0.0, False

    def say(self, text: str) -> None:
        """A new step."""
        if self.quiet:
            return
        if self._open:
            click.echo("", err=True)
            self._open = False
        click.echo(text, err=True)

    def share(self, what: str) -> Callable[[float, float], None]:
        """A callback for steps done of steps in all."""

        def update(done: float, whole: float) -> None:
            now = time.monotonic()
            if self.quiet or now - self._last < (0.1 if self.live else 5.0):
                return
            self._last = now
            text = f"  {what}: {min(done / whole, 1):.0%}" if whole else f"  {what}…"
            if self.live:
                click.echo(f"\r{text}\x1b[K", err=True, nl=False)
                self._open = True
            else:
                click.echo(text, err=True)

        return update

    def done(self) -> None:
        """Take away the line that is rewritten."""
        if self._open:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._open = False
