"""Advice in the terminal: what to do first, then what it rests on, part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from pricewar.cli.options import safe
from pricewar.report.advice_story import account, looks, source, trigger, unpublished, why
from pricewar.report.advice_words import figure, money, plainly, word

if TYPE_CHECKING:
    from rich.console import Console

MANY = ("dearer", "unknown", "guess", "quality", "undecided", "unbilled", "serves_none")
"""Reasons whose offers are counted, not named."""
NARROW = 80  # columns; below, a table of sentences is a list
OTHERS = 10  # offers set aside for a reason of their own, shown by name


Row = tuple[str, list[str], str, str]
"""Name, cells, style, and what stands below the name."""


def tell(data: Mapping[str, Any]) -> None:
    """The free model against paying from the start, and what to do instead."""
    from pricewar.cli.pictures import console

    out = console()
    _versus(out, data, False)
    out.print(safe(_told(data, data["story"][0]), "bold"))


def show(data: Mapping[str, Any], parts: Sequence[str] = ()) -> None:
    """Print `parts` of the advice, or all of them in brief; the head always."""
    from pricewar.cli.pictures import console

    out = console()
    _head(out, data)
    for part in parts or SHOWN:
        out.print()
        SHOWN[part](out, data, not parts)


def _head(out: Console, data: Mapping[str, Any]) -> None:
    work, log = data["workload"], data["log"]
    logged = work["as_logged_a_month"]
    cost = f", {_money(data, logged)} as logged" if logged is not None else ""
    # The count may be of tokens: then the log does not hold requests, and a note says so.
    part = f", {' and '.join(data['only'])} alone" if data["only"] else ""
    out.print(safe(f"{log['source']}{part}: {log['rows']:,} records in {work['days']:.0f} days, a month "
                    f"{figure(work['requests_a_month'], 'short')} requests{cost}", "bold"))  # fmt: skip
    draws = f"{data['fitted']} futures to fit, {data['judged']} to judge"
    months = f"{data['months']} month{'' if data['months'] == 1 else 's'} from {data['start']}"
    out.print(safe(f"{months}; {draws} ({_told(data, source(data))})", "dim"))
    whole = " of the whole log" if data["only"] else ""
    for e in log["exclusions"]:
        out.print(safe(f"  left out{whole}: {e['count']:,} × {e['cause']}", "yellow"))
    evidence = data["evidence"]
    if evidence is not None:
        used = f"{evidence['used']:,} of {evidence['rows']:,} rows used"
        models = f"{', '.join(evidence['sources'])}: {used}, of {', '.join(evidence['models'])}"
        out.print(safe(f"Evaluations: {models}"))
        for e in evidence["exclusions"]:
            out.print(safe(f"  left out: {e['count']:,} × {e['cause']}", "yellow"))
        for line in evidence["unknown"]:
            out.print(safe(f"  {line}", "yellow"))


def _do(out: Console, data: Mapping[str, Any], _: bool) -> None:
    for place, row in enumerate(data["story"]):
        out.print(safe(_told(data, row), "bold" if not place else ""))


def _strategies(out: Console, data: Mapping[str, Any], _: bool) -> None:
    heads = ["cost", "between", "tail", "refused", "moves", "against"]
    rows: list[Row] = []
    for o in sorted(data["outcomes"], key=lambda o: (o["benchmark"], o["cost"]["mean"])):
        best = o["key"] == data["recommended"]
        cost = o["cost"]
        cells = [
            f"{_bare(cost['mean'])} ± {_bare(cost['mean'] - cost['low'])}",
            f"{_bare(cost['p5'])}–{_bare(cost['p95'])}",
            _bare(cost["tail"]),
            _share(o["unserved"]),
            f"{o['switches']:.1f}",
            "" if best else ("+" if o["against"]["mean"] > 0 else "") + _bare(o["against"]["mean"]),
        ]
        name = ("→ " if best else "  ") + word(f"strategy.{o['key']}")
        style = "bold" if best else "dim" if o["benchmark"] else ""
        below = [" + ".join(o["offers"]), *_returns(o)]
        rows.append((name, cells, style, "    " + "; ".join(b for b in below if b) if any(below) else ""))
    _grid(out, word("strategies.title"), heads, rows, ("moves", "tail", "refused", "between"))
    note = (
        f"{data['currency']}, discounted; mean ± 95% of it from the number of futures; nine futures in ten; "
    )
    note += "mean of the worst twentieth; the last three are bounds that nobody can follow"
    out.print(safe(note, "dim"))
    for row in data["skipped"]:
        why_not = word(f"skipped.{row['key']}") if row["key"] else row["why"]
        out.print(safe(f"  {word('strategy.' + row['offer'])}: {why_not}", "dim"))


def _returns(o: Mapping[str, Any]) -> list[str]:
    """Return and break-even, where the team names its revenue."""
    if o["never"] is None:
        return []
    found = [] if o["roi"] is None else [f"{word('col.roi')} {o['roi']['mean']:+.0%}".replace("-", "−")]
    never = o["never"]["share"]
    if o["break_even"] is None:
        return [*found, "never breaks even"]
    more = f" ({_told({}, 'never.share', share=never)})" if never else ""
    return [*found, f"{word('col.break_even')} in month {o['break_even']}{more}"]


def _plan(out: Console, data: Mapping[str, Any], _: bool) -> None:
    plan = data["plan"]
    table = _table(["when", "then"], left=2, prefix="plan")
    for row in plan["triggers"]:
        table.add_row(*(safe(_told(data, s)) for s in trigger(row)))
    out.print(Text(word("plan.title"), style="bold"))
    out.print(safe(_told(data, "plan.begin", offer=plan["begin"], agreed=plan["agreed"])))
    out.print(table)
    for look in looks(data):
        when = f"{look['day']} (month {look['month'] + 1})"
        out.print(safe(f"  look again {when}: {_told(data, why(look))}"))


def _leaving(out: Console, data: Mapping[str, Any], _: bool) -> None:
    table = _table(["month", "leaving", "rise", "to"], left=0)
    table.columns[-1].justify = "left"
    rows: list[Row] = []
    for r in data["plan"]["rises"]:
        after = (
            word("leaving.at_once") if not r["months"] else _told(data, "leaving.months", months=r["months"])
        )
        key = "leaving.rise_free" if r["share"] is None else "leaving.rise"
        rise = _told(data, key, monthly=r["monthly"], share=r["share"])
        table.add_row(after, _money(data, r["leaving"]), rise, safe(r["to"]))
        below = f"    {rise}, {word('col.to')} {r['to']}"
        rows.append((after, [_money(data, r["leaving"])], "", below))
    title = _told(data, "leaving.title", offer=data["plan"]["begin"].split(" + ")[0])
    if out.width < NARROW and rows:
        _grid(out, title, ["leaving"], rows)
    else:
        out.print(safe(title, "bold"))
        out.print(table)
    lock = data["lock_in"]
    out.print(safe(_worth(data, word("worth.lock_in"), lock["amount"], lock["words"])))
    regret = "the recommended strategy's cost over that of a plan that knows the future"
    out.print(safe(_worth(data, word("worth.regret"), data["regret"], regret)))


def _vendors(out: Console, data: Mapping[str, Any], _: bool) -> None:
    found = [key for key in ("second_vendor", "portability") if data[key] is not None]
    for key in found:
        out.print(safe(_worth(data, word(f"worth.{key}"), data[key]["amount"], data[key]["words"])))
    for key in ("several", "portable"):
        o = next((o for o in data["outcomes"] if o["key"] == key), None)
        if o is None:
            continue
        parts = ", ".join(
            f"{name} {_money(data, o['parts'][name])}" for name in ("use", "refused", "switching")
        )
        begin = " + ".join(o["offers"])
        out.print(safe(f"{word('strategy.' + key)}: {begin}, {_money(data, o['cost']['mean'])}: {parts}"))
    if not found:
        out.print("neither a second vendor nor portability was considered")


def _worth(data: Mapping[str, Any], name: str, amount: Mapping[str, float], words: str) -> str:
    between = f"95% of the mean {_money(data, amount['low'])} to {_money(data, amount['high'])}"
    spread = f"nine futures in ten {_money(data, amount['p5'])} to {_money(data, amount['p95'])}"
    return f"{name} {_money(data, amount['mean'])} ({between}; {spread}): {words}"


def _free(out: Console, data: Mapping[str, Any], _: bool) -> None:
    title = _told(data, "free.title", until=data["until"])
    if not data["reliance"]:
        out.print(Text(title, style="bold"))
        out.print(word("free.none"))
        return
    known = {c["offer"]: c for c in data["candidates"]}
    rows: list[Row] = []
    for r in data["reliance"]:
        c = known[r["offer"]]
        cells = [_share(c["served"]), _chance(r["stands"]), _chance(r["as_now"]), r["end"] or "–",
                 _money(data, c["staying"]["mean"]), _share(c["dearest"]["share"])]  # fmt: skip
        rows.append((_named(c), cells, "", f"    {word('col.then')} {r['then']}" if r["then"] else ""))
    _grid(out, title, ["served", "stands", "as_now", "half", "kept", "dearest"], rows,
          ("dearest", "as_now", "half", "served"))  # fmt: skip
    note = "share of futures (95%): stands at all; stands with limits and allowances no lower than today's; "
    note += "a grant is given once, and what stands then is its paid price. "
    note += f"Kept: cost of {data['months']} months; dearest: of all offers considered"
    out.print(Text(note, style="dim"))


def _causes(out: Console, data: Mapping[str, Any], _: bool) -> None:
    mine = account(data)
    table = _table(["cause", "amount"], left=1)
    table.add_row(word("causes.base"), _money(data, mine["base"]))
    for cause in mine["causes"]:
        table.add_row(word(f"cause.{cause['key']}"), _signed(data, cause["amount"]))
    table.add_row(word("causes.total"), _money(data, mine["total"]), style="bold")
    _titled(out, "causes.title", table)
    note = _told(data, "causes.note", futures=mine["futures"], judged=data["judged"])
    out.print(Text(f"{word('strategy.' + mine['key'])}; {note}", style="dim"))


def _offers(out: Console, data: Mapping[str, Any], brief: bool) -> None:
    rows: list[Row] = []
    for c in sorted(data["candidates"], key=lambda c: c["staying"]["mean"]):
        kept = c["staying"]
        cells = [_money(data, c["today"] + c["refused"]), _share(c["served"]), _bare(kept["mean"]),
                 f"{_bare(kept['p5'])}–{_bare(kept['p95'])}", _share(c["dearest"]["share"])]  # fmt: skip
        below = [_told(data, "offers.ends", day=c["ends"])] if c["ends"] else []
        if c["unpublished"]:
            below.append(_told(data, "offers.unpublished", what=unpublished(c)))
        rows.append((_named(c), cells, "", "    " + "; ".join(below) if below else ""))
    _grid(out, word("offers.title"), ["today", "served", "kept", "between", "dearest"], rows,
          ("dearest", "between", "served"))  # fmt: skip
    out.print(Text(_told(data, "offers.note", months=data["months"]), style="dim"))
    because = {c["model"]: c["because"][0] for c in data["candidates"] if c["verdict"] and c["because"]}
    for model, text in because.items() if not brief else ():
        out.print(safe(f"  {model}: {text}", "dim"))


def _versus(out: Console, data: Mapping[str, Any], brief: bool) -> None:
    """The free model against paying from the start: a picture and a few sentences."""
    pair = data["versus"]
    if pair is None:
        out.print(Text(word("versus.title"), style="bold"))
        out.print(word("versus.none"))
        return
    known = {c["offer"]: c for c in data["candidates"]}
    more = known[pair["free"]]["staying"]["mean"] - known[pair["paid"]]["staying"]["mean"]
    title = _told(data, "versus.more" if more > 0 else "versus.less", amount=abs(more))
    if brief:
        out.print(Text(title, style="bold"))
    else:
        _picture(out, data, title, {pair[side]: known[pair[side]]["by_month"]["p50"] for side in SIDES})
    for row in data["tale"]:
        out.print(safe(_told(data, row)))


SIDES = {"free": "kept", "paid": "paid"}


def _picture(out: Console, data: Mapping[str, Any], title: str, costs: Mapping[str, Sequence[float]]) -> None:
    import numpy as np

    from pricewar.cli.pictures import draw
    from pricewar.games.solution import Picture

    x = np.arange(data["months"]) + 1.0
    lines = {
        f"{offer}, {how}": np.array(cost) / 1000
        for how, (offer, cost) in zip(SIDES.values(), costs.items(), strict=True)
    }
    note = f"cost so far in thousand {data['currency']}; median of {data['judged']} futures"
    picture = Picture("curve", title, ("months from the start",), x, x, series=lines, note=note)
    out.print(draw(picture, min(out.width, 90)))


def causes_of(data: Mapping[str, Any]) -> list[tuple[str, int]]:
    """How many offers were set aside for each kind of reason, most first; kinds as keys of the words."""
    kinds = Counter(f"out.{e['key'] or 'other'}" for e in data["left_out"])
    if data["dearer_left_out"]:
        kinds["out.dearer"] = len(data["dearer_left_out"])
    return kinds.most_common()


def _left_out(out: Console, data: Mapping[str, Any], _: bool) -> None:
    out.print(Text(word("out.title"), style="bold"))
    taken = len(data["candidates"])
    out.print(_told(data, "out.summary", taken=taken, considered=data["considered"]))
    for key, count in causes_of(data):
        out.print(safe(f"{count:>6}  {word(key)}"))
        if key.removeprefix("out.") not in MANY:
            others = [e for e in data["left_out"] if f"out.{e['key'] or 'other'}" == key]
            for e in others[:OTHERS]:
                out.print(safe(f"          {e['offer']}: {e['why']}", "dim"))
            if len(others) > OTHERS:
                out.print(Text(f"          and {len(others) - OTHERS} more", style="dim"))
    out.print(Text("each by name and reason: --json", style="dim"))


def _assumptions(out: Console, data: Mapping[str, Any], brief: bool) -> None:
    if brief:
        out.print(Text(word("assumptions.title"), style="bold"))
        for given, words in ((True, word("assumptions.given")), (False, "assumed")):
            some = [
                f"{a['key']} {a['value']}"
                for a in data["assumptions"]
                if a["given"] == given and a["value"] not in ("not said", "none")
            ]
            if some:
                out.print(safe(f"{words}: {', '.join(some)}", "" if given else "dim"))
        out.print(Text("units and reasons: --part assumptions", style="dim"))
    else:
        table = _table(["key", "value", "unit", "why"], left=4)
        for a in data["assumptions"]:
            table.add_row(
                safe(a["key"]), safe(a["value"]), safe(a["unit"]),
                word("assumptions.given") if a["given"] else safe(a["why"]),
                style="" if a["given"] else "dim",
            )  # fmt: skip
        _titled(out, "assumptions.title", table)
    work = data["workload"]
    if data["present_model"]:
        out.print(safe(f"Candidates are held against {data['present_model']}, the model in use."))
    out.print(_told(data, "made.error", cost=work["error_cost"], refused=work["error_refused"]))
    if not data["market"]:
        out.print(safe(word("made.record")))
    for note in data["notes"]:
        out.print(safe(f"  note: {note if isinstance(note, str) else note['text']}", "dim"))
    out.print(
        Text("To say what is so of your team: pricewar advise --team-template > team.yaml", style="dim")
    )


SHOWN = {
    "do": _do,
    "strategies": _strategies,
    "plan": _plan,
    "leaving": _leaving,
    "vendors": _vendors,
    "free": _free,
    "versus": _versus,
    "causes": _causes,
    "offers": _offers,
    "left-out": _left_out,
    "assumptions": _assumptions,
}


def _table(heads: Sequence[str], left: int, prefix: str = "col") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, head in enumerate(heads):
        right = place >= left
        table.add_column(word(f"{prefix}.{head}"), justify="right" if right else "left", overflow="fold",
                         no_wrap=right and head not in ("to", "then", "quality"))  # fmt: skip
    return table


def _grid(
    out: Console, title: str, heads: Sequence[str], rows: Sequence[Row], spare: Sequence[str] = ()
) -> None:
    """Names with figures beside them; a name too long for its column stands on a line of its own. In a
    narrow terminal the `spare` columns go, the first first, and are named."""
    kept = list(heads)

    def wide(head: str) -> int:
        at = heads.index(head)
        return max(len(word(f"col.{head}")), *(len(cells[at]) for _, cells, _, _ in rows)) + 2

    gone: list[str] = []
    for head in spare:
        if sum(map(wide, kept)) + 1 <= out.width:
            break
        kept.remove(head)
        gone.append(word(f"col.{head}"))
    names, widths = [word(f"col.{head}") for head in kept], [wide(head) for head in kept]
    rows = [(name, [cells[heads.index(h)] for h in kept], *rest) for name, cells, *rest in rows]  # type: ignore[misc]
    least = 16 if sum(widths) + 16 <= out.width else 1
    room = min(max(len(name) for name, *_ in rows), max(out.width - sum(widths), least))
    out.print(Text(title, style="bold"))
    line = "".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
    out.print(Text(" " * room + line, style="dim"))
    for name, cells, style, below in rows:
        line = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        if len(name) > room:
            out.print(safe(name, style))
            name = ""
        out.print(safe(f"{name:<{room}}{line}", style))
        if below:
            out.print(safe(below, "dim"))
    if gone:
        out.print(Text(f"left out for want of width: {', '.join(gone)}", style="dim"))


def _titled(out: Console, key: str, table: Table) -> None:
    out.print(Text(word(key), style="bold"))
    out.print(table)


def _told(data: Mapping[str, Any], row: Mapping[str, Any] | str, **args: Any) -> str:
    """A sentence of the data, or the one under a key; text that came as such stays."""
    currency = data.get("currency", "USD")
    if isinstance(row, str):
        return plainly(row, args, currency) if args else row
    return plainly(row["key"], row["args"], currency)


def _named(c: Mapping[str, Any]) -> str:
    """An offer with its kind; its model's quality may be in doubt."""
    kind = "" if c["kind"] == "list" else f" {c['kind']}"
    doubt = " ?" if c["verdict"] == "undecided" else ""
    return f"{c['offer']}{kind}{doubt}"


def _money(data: Mapping[str, Any], value: float) -> str:
    return money(value, data["currency"])


def _signed(data: Mapping[str, Any], value: float) -> str:
    return ("+" if value > 0 else "") + money(value, data["currency"])


def _bare(value: float) -> str:
    """An amount whose currency stands in the note."""
    return f"{value:,.0f}".replace("-", "−")


def _share(value: float) -> str:
    if 0 < value < 0.001 or 0.999 < value < 1:
        return "<0.1%" if value < 0.5 else ">99.9%"
    return figure(value, "pct")


def _chance(share: Mapping[str, float]) -> str:
    return f"{share['share']:.0%} ({share['low'] * 100:.0f}–{share['high'] * 100:.0f})"
