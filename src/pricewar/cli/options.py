"""Kinds of option the commands share, and progress on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import click

from pricewar.units import exact


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


def console(**options: Any) -> Any:
    """A rich console whose broken pipe is an exception like any other, not an exit of its own."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(highlight=False, **options)


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
