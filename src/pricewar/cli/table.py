"""The comparison in the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pricewar.billing.document import inert
from pricewar.cli.options import console, safe
from pricewar.units import SYMBOLS, count

KIND_STYLE = {
    "free": "green", "grant": "green", "pack": "cyan", "introductory": "yellow", "provisioned": "magenta",
}  # fmt: skip


WIDE = 112  # columns that the table with its notes needs
FINE_PRINT = ("free", "grant", "pack", "introductory", "provisioned")


def show(data: Mapping[str, Any], *, top: int = 16, everything: bool = False, lines: bool = False) -> None:
    """Print the log, what it costs as logged, and the offers ranked; then what the reader must know."""
    screen = console()
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen = console(width=140)
    symbol = str(SYMBOLS.get(data["currency"], data["currency"] + " "))
    _head(screen, data, symbol)
    shown: list[Mapping[str, Any]] = []
    for title, kinds, most in (
        ("Free tiers, grants, packs, introductory prices", FINE_PRINT, top),
        ("List prices", ("list",), max(top // 2, 1)),
    ):
        of_kind = [o for o in data["offers"] if o["kind"] in kinds]
        chosen = of_kind if everything else _cheapest(of_kind)[:most]
        if not chosen:
            continue
        which = "" if everything or len(of_kind) == len(chosen) else ": the cheapest of each vendor and kind"
        screen.print(f"[bold]{title}[/], {len(chosen)} of {len(of_kind)}{which}")
        if screen.width >= WIDE:
            screen.print(_table(chosen, symbol))
        else:
            _stacked(screen, chosen, symbol)
        screen.print()
        shown += chosen
    if lines:
        for o in shown:
            _itemised(screen, o)
    _foot(screen, data)


def _table(chosen: Sequence[Mapping[str, Any]], symbol: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=False)
    table.add_column("rank", justify="right", style="dim")
    table.add_column("offer", overflow="fold", ratio=4)
    table.add_column(f"headline\n{symbol}/M", justify="right")
    table.add_column(f"effective\n{symbol}/M", justify="right", style="bold")
    table.add_column("low–high", justify="right", style="dim")
    table.add_column(f"all work\n{symbol}", justify="right", style="bold")
    table.add_column("free", justify="right")
    table.add_column("served", justify="right")
    table.add_column("what bit, and what to know", overflow="fold", ratio=6)
    for o in chosen:
        kind = "" if o["kind"] == "list" else f" {o['kind']}"
        table.add_row(
            str(o["rank"]),
            Text.assemble(safe(o["id"]), (kind, KIND_STYLE.get(o["kind"], ""))),
            _price(o["headline_per_mtok"]),
            _price(o["per_mtok"]["mid"]),
            _between(o),
            _amount(o["total"]["mid"]),
            _share(o["free_share"]),
            _share(o["served_share"]["mid"]),
            _notes(o),
        )
    return table


def _head(console: Console, data: Mapping[str, Any], symbol: str) -> None:
    log, base = data["log"], data["baseline"]
    span = f"{(log['first'] or '')[:10]} to {(log['last'] or '')[:10]}" if log["first"] else "no rows"
    console.print()
    requests = "requests not counted" if log["requests"] is None else f"{log['requests']:,} requests"
    console.print(safe(f"{', '.join(log['source'])}: {requests}, "
                        f"{count(log['tokens'])} tokens, {span} ({log['format']})"))  # fmt: skip
    for use, priced in zip(log["models"][:6], base["models"][:6], strict=True):
        tokens = use["tokens"]
        cost = (
            f"{symbol}{_amount(priced['total'])} at {priced['offer']}"
            if priced["total"]
            else "no list price known"
        )
        everything = sum(v for k, v in tokens.items() if k != "search")
        console.print(safe(f"  {use['vendor'] or '?'}/{use['model']}: {_requests(use)}"
                            f"{count(everything)} tokens → {cost}"))  # fmt: skip
    if len(log["models"]) > 6:
        console.print(f"  and {len(log['models']) - 6} more models")
    if base["total"] is not None:
        total, each = _amount(base["total"]), _price(base["per_mtok"])
        text = f"As logged, at list price: {symbol}{total} ({symbol}{each} per million tokens)"
        console.print(Text(text, style="bold"))
    for e in log["exclusions"]:
        places = f" ({', '.join(e['examples'][:2])})" if e["examples"] else ""
        console.print(safe(f"  left out: {e['count']:,} × {e['cause']}{places}", style="yellow"))
    for note in log["notes"]:
        console.print(safe(f"  note: {note}", style="dim"))
    console.print()


def _cheapest(offers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The cheapest offer of each vendor and kind."""
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    for o in offers:
        first.setdefault((o["vendor"], o["kind"]), o)
    return list(first.values())


def _stacked(console: Console, chosen: Sequence[Mapping[str, Any]], symbol: str) -> None:
    """The same where there is no room for a column of notes: they stand under the offer."""
    room = max(console.width - 46, 16)
    head = f"{'rank':>4}  {'offer':<{room}} {'headline':>8} {'effective':>9} {'all work':>9} {'served':>6}"
    console.print(head, style="dim")
    console.print(f"{'':6}{'':<{room}} {symbol + '/M':>8} {symbol + '/M':>9} {symbol:>9}", style="dim")
    for o in chosen:
        kind = "" if o["kind"] == "list" else f" {o['kind']}"
        name = f"{o['id']}{kind}"
        if len(name) > room:
            console.print(safe(f"{o['rank']:>4}  {name}"))
            name, rank = "", ""
        else:
            rank = str(o["rank"])
        served = _share(o["served_share"]["mid"])
        console.print(
            safe(
                f"{rank:>4}  {name:<{room}} {_price(o['headline_per_mtok']):>8} "
                f"{_price(o['per_mtok']['mid']):>9} {_amount(o['total']['mid']):>9} {served:>6}"
            )
        )
        notes = _notes(o)
        if notes.plain:
            console.print(Padding(notes, (0, 0, 0, 6)))


def _notes(o: Mapping[str, Any]) -> Text:
    parts: list[tuple[str, str]] = []
    refused = sum(r["requests"] or 0 for r in o["refused"])
    if refused:
        where = {"as-logged": "served as logged", "none": "unserved"}.get(o["overflow_to"])
        many = f"{count(refused)} request{'s are' if refused != 1 else ' is'}"
        parts.append((f"{many} {where or 'passed on to ' + o['overflow_to']}", ""))
    parts += [(t["text"], "") for t in o["bit"]]
    parts += [(t["text"], "yellow") for t in o["warnings"] if t["key"] not in ("other_model",)]
    parts += [(t["text"], "red") for t in o["announced"]]
    text = Text()
    for i, (words, style) in enumerate(parts):
        text.append("; " if i else "")
        text.append(inert(words), style=style)
    return text


def _itemised(console: Console, o: Mapping[str, Any]) -> None:
    console.print()
    console.print(safe(f"{o['rank']}. {o['id']} ({o['model']}), in {o['native_currency']}", style="bold"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("meter", "quantity", "price", "amount", "rule", "source"):
        right = name in ("quantity", "price", "amount")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for line in o["lines"]:
        price = f"{line['price']} / {line['per']:,}" if line["price"] is not None else ""
        cited = [o["sources"][i] for i in line["sources"]]
        month = f"{line['month']} " if line["month"] else ""
        table.add_row(
            safe(month + line["meter"]),
            f"{Decimal(line['quantity']):,f}",
            price,
            line["amount"],
            safe(line["rule"]["text"]),
            safe("; ".join(f"{x['url']} ({x['read_on']})" for x in cited), style="dim"),
        )
    console.print(table)


def _foot(console: Console, data: Mapping[str, Any]) -> None:
    billed = f"{len(data['offers'])} offers billed; --all shows every one, --lines the arithmetic."
    if data["not_billed"]:
        billed += f" {len(data['not_billed'])} were not in force then, or name no price (see --json)."
    console.print(billed)
    for sentence in data["assumptions"]["text"]:
        console.print(Text(sentence, style="dim"))
    made = f"Catalogue as of {data['as_of']}; pricewar {data['pricewar']}."
    console.print(Text(f"{made} An offer's terms and sources: pricewar offers ID", style="dim"))


def _between(o: Mapping[str, Any]) -> str:
    """The interval, or that there is none."""
    low, high = o["per_mtok"]["low"], o["per_mtok"]["high"]
    return "exact" if o["exact"] and low == high else f"{_price(low)}–{_price(high)}"


def _requests(use: Mapping[str, Any]) -> str:
    return "" if use["requests"] is None else f"{use['requests']:,} requests, "


def _price(text: str | None) -> str:
    if text is None:
        return "unknown"
    number = Decimal(text)
    if number == 0:
        return "0"
    if number >= 1:
        return f"{number:,.2f}"
    return f"{number:.3f}" if number >= Decimal("0.1") else f"{number:.4f}"


def _amount(text: str | None) -> str:
    if text is None:
        return "unknown"
    amount = Decimal(text)
    places = 2 if amount >= 1 or amount == 0 else 4  # a small log's bill is told in hundredths of a cent
    return f"{amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def _share(text: str | None) -> str:
    if text is None:
        return "?"
    share = Decimal(text)
    if share in (0, 1):
        return "–" if share == 0 else "100%"
    return (
        f"{min(max(share, Decimal('0.001')), Decimal('0.999')):.1%}"
        if share > Decimal("0.99")
        else f"{share:.0%}"
    )
