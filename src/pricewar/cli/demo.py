"""`pricewar demo` and `pricewar sample`: the product on a log that nobody has to bring."""

from __future__ import annotations

from pathlib import Path

import click

from pricewar.errors import ConfigurationError
from pricewar.files import writable

LIGHT = "gpt-5-mini"  # of the sample log's models the one whose work a free model may do


@click.command()
@click.option(
    "--html", "html_to", type=click.Path(path_type=Path), default=Path("report.html"), show_default=True
)
@click.option("--log", type=click.Path(path_type=Path), default=Path("demo/usage.csv"), show_default=True,
              help="Where the sample log is written.")  # fmt: skip
@click.option("--lang", type=click.Choice(["en", "zh", "ja"]), default="en", help="Language of the report.")
@click.option("--draws", type=click.IntRange(0), default=200, show_default=True,
              help="Futures of the advice after it; 0 leaves it out.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(0), default=40, show_default=True,
              help="Futures of the price war after it; 0 leaves it out.")  # fmt: skip
def demo(html_to: Path, log: Path, lang: str, draws: int, seeds: int) -> int:
    """Bill a realistic month of requests on real offers, and play the price war of May 2024 again.

    Between them: what a free model costs that month's team in three years.

    The bill is a table here and a report beside it; so is the advice, in fewer futures than `pricewar advise`
    takes. The war is its short form: `pricewar war` tells it whole.
    """
    click.echo("pricewar: making a month of a small team's requests from published statistics …", err=True)
    from pricewar.cli.bill import run
    from pricewar.cli.options import outputs
    from pricewar.usage.sample import write_sample

    log.parent.mkdir(parents=True, exist_ok=True)
    advice = html_to.with_name("advice.html") if draws else None
    outputs({"--html": html_to, "--log": log, "the advice": advice})
    write_sample(log)
    command = f"pricewar bill {log.name} --html {html_to.name}"
    code = run(log, command=command, html_to=html_to, lang=lang)
    click.echo(f"\nOpen {html_to} in a browser. Your own log: pricewar bill YOUR_LOG --html report.html")
    if advice is not None:
        _advice(log, max(draws, 2), advice, lang)
    if seeds:
        _war(seeds)
    return code


def _advice(log: Path, draws: int, html_to: Path, lang: str) -> None:
    """The same team's light application on a free model for three years, against paying from the start."""
    from pricewar.cli.advise import advised
    from pricewar.cli.advise_table import tell
    from pricewar.cli.options import Progress
    from pricewar.report import advice as page

    click.echo(f"\nWhat a free model costs in the end: requests for {LIGHT}, 36 months in {draws} futures.\n")
    command = f"pricewar advise {log.name} --only {LIGHT} --draws {draws}"
    data = advised(log, command=command, progress=Progress(), draws=draws, only=(LIGHT,))
    page.write(html_to, data, language=lang)
    tell(data)
    click.echo(f"\nThe whole of it: {html_to}. In more futures, for your own team: pricewar advise YOUR_LOG")


def _war(seeds: int) -> None:
    """How such prices came about: the war, in as many futures as a demonstration has time for."""
    from pricewar.cli.options import Progress
    from pricewar.cli.war import played, show

    click.echo(f"\nHow such prices come about: a price war, played in {seeds} futures.\n")
    show(played(max(seeds, 2), Progress(), f"pricewar war --seeds {seeds}"), brief=True)
    click.echo("\nMore futures, every line beside history, a page: pricewar war --html war.html")
    click.echo("Another rule, future by future: pricewar simulate china-2024 --against portability=.8")


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("usage.csv"))
@click.option("--seed", type=int, default=2024, show_default=True)
@click.option("--scale", type=click.FloatRange(0.001, 100), default=1.0, show_default=True,
              help="Requests as a multiple of 120,000.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def sample(path: Path, seed: int, scale: float, force: bool) -> int:
    """Write a realistic usage log (LiteLLM SpendLogs, CSV) to PATH: one month, three applications."""
    from pricewar.usage.sample import write_sample

    writable(path)
    if not scale > 0:  # not a number
        raise ConfigurationError("is not a number", where="--scale")
    if path.exists() and not force:
        raise ConfigurationError("is there already", where=str(path), remedy="name another, or give --force")
    write_sample(path, seed, scale=scale)
    click.echo(f"written: {path}")
    return 0
