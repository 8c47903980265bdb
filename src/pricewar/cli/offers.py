"""`pricewar offers`: the catalogue."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.options import Day, Progress, console
from pricewar.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from pricewar.offers.catalogue import Catalogue, Offer
    from pricewar.offers.diff import Change

KINDS = ["list", "free", "introductory", "grant", "pack", "provisioned"]


class _WithDiff(click.Command):
    """`offers diff FROM TO` is a command of its own; any other first word is a pattern."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] == "diff":
            return diff.make_context("offers diff", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)


@click.command(cls=_WithDiff, context_settings={"max_content_width": 100})
@click.argument("patterns", nargs=-1)
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only these kinds.")
@click.option("--vendor", multiple=True, help="Only these vendors.")
@click.option("--model", help="Only offers that serve this model.")
@click.option("--own", is_flag=True, help="Only our own records, not the lists of genai-prices.")
@click.option("--as-of", type=Day(future=False), help="What was public on this date. Default: today.")
@click.option("--in-force", type=Day(), help="Only what applied on this date.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option("--validate", is_flag=True, help="Check every record of the catalogue and stop.")
@click.option("--facts", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="With --validate: another folder of fact files.")  # fmt: skip
@click.option("--refresh", is_flag=True,
              help="Fetch the newest list of genai-prices (nothing else uses the network).")  # fmt: skip
def offers(
    patterns: tuple[str, ...],
    kind: tuple[str, ...],
    vendor: tuple[str, ...],
    model: str | None,
    own: bool,
    as_of: date | None,
    in_force: date | None,
    as_json: bool,
    validate: bool,
    facts: Path | None,
    refresh: bool,
) -> int:
    """List offers that match PATTERNS (ids with * and ?, vendors, kinds), or explain one in plain words.

    \b
    pricewar offers --kind free
    pricewar offers deepseek --in-force 2025-03-01
    pricewar offers groq/llama-3.3-70b/free
    pricewar offers diff 2025-11-20 2025-12-20     # what changed; see pricewar offers diff --help
    """
    if refresh:
        return _refresh()
    if facts is not None and not validate:
        raise ConfigurationError("--facts goes with --validate", where="--facts")
    from pricewar.offers.catalogue import FACTS, load_catalogue, load_facts

    if validate:
        found = load_facts(facts or FACTS)
        catalogue = load_catalogue(as_of, facts or FACTS)
        click.echo(f"{len(found)} documents valid; {len(catalogue.offers):,} offers as of {catalogue.as_of}")
        return 0
    catalogue = load_catalogue(as_of)
    _check_vendors(vendor, catalogue)
    chosen = catalogue.select(patterns) if patterns else list(catalogue.offers.values())
    if in_force is not None:
        moment = datetime.combine(in_force, time(12), UTC)
        chosen = [o for o in chosen if o.on(moment) is not None]
    chosen = [
        o
        for o in chosen
        if (not kind or o.latest.kind in kind)
        and (not vendor or o.latest.vendor in vendor)
        and (not own or o.own)
        and (model is None or o.serves(model) is not None)
    ]
    if as_json:
        click.echo(json.dumps([_plain(o, catalogue) for o in chosen], ensure_ascii=False, indent=1))
    elif len(chosen) == 1:
        _explain(chosen[0], catalogue)
    else:
        _table(chosen, catalogue, in_force)
    return 0


def _check_vendors(vendor: tuple[str, ...], catalogue: Catalogue) -> None:
    vendors = {o.latest.vendor for o in catalogue.offers.values()}
    for name in vendor:
        if name not in vendors:
            near = did_you_mean(name, vendors)
            raise ConfigurationError(f"no vendor “{name}”", where="--vendor", remedy=near)


@click.command(context_settings={"max_content_width": 100})
@click.argument("start", metavar="FROM", type=Day())
@click.argument("end", metavar="TO", type=Day())
@click.argument("patterns", nargs=-1)
@click.option("--in-force", is_flag=True,
              help="Compare what applied on the two days, not what was known; TO may lie ahead.")  # fmt: skip
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only these kinds.")
@click.option("--vendor", multiple=True, help="Only these vendors.")
@click.option("--model", help="Only offers that serve this model.")
@click.option("--own", is_flag=True, help="Only our own records, not the lists of genai-prices.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def diff(
    start: date,
    end: date,
    patterns: tuple[str, ...],
    in_force: bool,
    kind: tuple[str, ...],
    vendor: tuple[str, ...],
    model: str | None,
    own: bool,
    as_json: bool,
) -> int:
    """Tell what changed between two days: offers new and ended, prices, allowances, limits, announcements.

    Without --in-force: what was known on TO and not on FROM. PATTERNS are ids with * and ?, vendors or kinds.

    \b
    pricewar offers diff 2025-11-20 2025-12-20 --vendor google
    pricewar offers diff 2026-12-31 2027-01-01 --in-force
    """
    from pricewar.offers import diff as differ
    from pricewar.offers.catalogue import load_catalogue

    if start > end:
        raise ConfigurationError(f"{start} comes after {end}", where="FROM", remedy="give the earlier first")
    if in_force:
        latest = earliest = load_catalogue()
        changes = differ.in_force(latest, start, end)
    else:
        if end > datetime.now(UTC).date():
            raise ConfigurationError(
                f"{end} is in the future: nobody knows what will be known then",
                where="TO",
                remedy="--in-force tells what is announced for a day to come",
            )
        latest, earliest = load_catalogue(end), load_catalogue(start)
        changes = differ.known(earliest, latest)
    _check_vendors(vendor, latest)
    offered = {**earliest.offers, **latest.offers}
    chosen = {o.id for o in latest.select(patterns)} if patterns else set(offered)
    changes = [
        c
        for c in changes
        if c.offer in chosen
        and (not kind or c.kind in kind)
        and (not vendor or c.vendor in vendor)
        and (not own or offered[c.offer].own)
        and (model is None or offered[c.offer].serves(model) is not None)
    ]
    changes.sort(key=lambda c: (c.vendor, c.offer, c.on or date.min, c.change))
    if as_json:
        told = {
            "from": start.isoformat(),
            "to": end.isoformat(),
            "sense": "in force" if in_force else "known",
            "changes": [c.document() for c in changes],
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _changes(changes, start, end, in_force)
    return 0


def _changes(changes: list[Change], start: date, end: date, in_force: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from pricewar.cli.options import safe

    screen = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, ratio in (("offer", 3), ("change", None), ("in force", None), ("what", 6), ("read", None)):
        table.add_column(name, overflow="fold", ratio=ratio)
    for c in changes:
        words = Text("\n").join(safe(p.words()) for p in c.parts)
        on = f"{c.on}" if c.on else "unknown"
        table.add_row(safe(c.offer), c.change, on, words, str(c.sources[0].read_on))
    if changes:
        screen.print(table)
    sense = "in what applied" if in_force else "in what was known"
    many = "1 change" if len(changes) == 1 else f"{len(changes):,} changes"
    screen.print(f"{many} {sense}, from {start} to {end}.", style="dim")


def _refresh() -> int:
    from pricewar.offers.listed import refresh, refreshed_file

    progress = Progress()
    progress.say("fetching the newest list of genai-prices …")
    models = refresh()
    click.echo(
        f"{models:,} models; kept in {refreshed_file()}. Remove the file to go back to the packaged list."
    )
    return 0


def _explain(offer: Offer, catalogue: Catalogue) -> None:
    from rich.table import Table

    from pricewar.cli.options import safe
    from pricewar.offers.explain import explain

    screen = console()
    screen.print(safe(offer.id, style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    before = None
    for heading, sentence in explain(offer, catalogue):
        style = {"unknown": "yellow", "announced": "red"}.get(heading, "")
        table.add_row("" if heading == before else heading, safe(sentence, style=style))
        before = heading
    screen.print(table)


def _table(chosen: list[Offer], catalogue: Catalogue, in_force: date | None) -> None:
    from rich.table import Table

    from pricewar.cli.options import safe
    from pricewar.offers.explain import allowance_words, limit_words, rate_words, unknown
    from pricewar.units import UNKNOWN

    screen = console()
    moment = datetime.combine(in_force or catalogue.as_of, time(12), UTC)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, ratio in (("offer", 3), ("kind", 1), ("in force", 1), ("terms", 5), ("read", 1)):
        table.add_column(name, overflow="fold", ratio=ratio if ratio > 1 else None)
    for offer in chosen:
        record = offer.on(moment) or offer.latest
        terms = [rate_words(r, record.currency) for r in record.rates[:2]]
        terms += [allowance_words(a, record.currency) for a in record.allowances[:2]]
        terms += [limit_words(x) for x in record.limits[:2] if not isinstance(x, str)]
        hidden = [w for w in unknown(record) if w.startswith(("limits", "how many", "what a credit", "when"))]
        terms += [f"unknown: {', '.join(hidden)}"] if hidden else []
        starts, until = record.in_force.from_, record.in_force.end
        span = (f"{starts:%Y-%m-%d}" if isinstance(starts, datetime) else UNKNOWN) + (
            f"\n–{until:%Y-%m-%d}" if until else "\n–unknown" if record.in_force.perhaps_over else ""
        )
        read = max(s.read_on for s in record.sources)
        table.add_row(safe(offer.id), record.kind, span, safe("; ".join(terms)), str(read))
    screen.print(table)
    screen.print(
        f"{len(chosen):,} offers as of {catalogue.as_of}. `pricewar offers ID` explains one.", style="dim"
    )


def _plain(offer: Offer, catalogue: Catalogue) -> dict[str, object]:
    from pricewar.offers.explain import explain

    words: dict[str, list[str]] = {}
    for heading, sentence in explain(offer, catalogue):
        words.setdefault(heading, []).append(sentence)
    versions = [
        v.model_dump(mode="json", by_alias=True, exclude_defaults=True, warnings=False)
        for v in offer.versions
    ]
    return {"id": offer.id, "own": offer.own, "words": words, "versions": [_decimals(v) for v in versions]}


def _decimals(value: object) -> object:
    """Exact rationals as decimal text."""
    from fractions import Fraction

    from pricewar.units import decimal

    if isinstance(value, dict):
        return {k: _decimals(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_decimals(v) for v in value]
    if isinstance(value, Fraction):
        return f"{decimal(value):f}"
    return str(value) if isinstance(value, Decimal) else value
