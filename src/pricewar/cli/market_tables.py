"""What a market's futures amount to, as JSON and as tables in the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from pricewar.market.model import Market
    from pricewar.market.outcomes import Effect, Outcomes, Spread

SHOWN = (
    "hhi", "leader", "fringe", "exits", "light_low", "light_end", "flagship_low", "flagship_end", "cover_low",
    "cover_end", "free", "subsidy", "subsidy_share", "vendors_profit", "suppliers_profit", "suppliers_lead",
    "bills", "tokens", "surplus", "switching", "roi", "consumers", "opening", "followers", "lag",
    "war_months", "harvest", "harvest_month", "regulator",
)  # fmt: skip


# ---------------------------------------------------------------- as JSON

RANGES = {"low to high": "80% of futures", "low50 to high50": "50% of futures"}
"""What the ends of a spread are, beside them."""


def plain(value: Any) -> Any:
    """Plain data for JSON; what is unknown is None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def document(
    runs: Sequence[Outcomes],
    title: str,
    sets: list[str],
    against: list[str],
    how: Sequence[str],
    seconds: float,
) -> dict[str, Any]:
    """What `--json` writes."""
    from pricewar import __version__
    from pricewar.market.outcomes import MEASURES, compare

    def one(o: Outcomes) -> dict[str, Any]:
        summary = o.summary()
        return {
            "market": o.market.name,
            "currency": o.market.currency,
            "months": o.market.months,
            "outcomes": {
                name: {"unit": m.unit, "meaning": f"{m.noun}: {m.meaning}", **asdict(summary[name])}
                for name, m in MEASURES.items()
            },
            "vendors": _vendors(o),
            "segments": _segments(o),
            "nobody_left": float(o.all_dead.mean()),
            "idle": idle(o),
        }

    data: dict[str, Any] = {
        "pricewar": __version__, "title": title, "set": sets, "against": against,
        "conduct": list(how) or "as-defined",
        "futures": len(runs[0].run.seeds), "seconds": round(seconds, 2), "ranges": RANGES, "units": {
            "price_light": "list price per million tokens", "price_flagship": "list price per million tokens",
            "over_cost_light": "list price over long-run cost",
            "over_cost_flagship": "list price over long-run cost",
            "allowance": "million free light tokens of a team and month", "cash": "money, reserve included",
            "share": "of tokens", "roi": "what teams keep of a unit spent",
        }, **one(runs[0]),
    }  # fmt: skip
    if len(runs) > 1:
        data["other"] = one(runs[1])
        data["ranges"] = RANGES | {"effects": "low to high: 95% interval of the change of the mean"}
        data["effects"] = [
            {**asdict(e), "kind": e.measure.change, "clear": e.clear, "sentence": sentence(e)}
            for e in compare(*runs)
        ]
    return plain(data)


def idle(o: Outcomes) -> list[str]:
    """Levers that are set and have nothing in this market to act on, or act past what it can tell apart."""
    from pricewar.market import kernel as k

    g, t, said = o.market.g, o.market.t, []
    if g[k.CONTRACT] > 0 and (t[:, k.VERTICAL] < 0).all():
        said.append("No type of team has a vertical here, so contracts change nothing.")
    rules = [k.PORTABILITY, k.PRICE_FLOOR, k.DATA_SHARING, k.NO_SELF_PREFERENCING, k.EMBEDDED_CAP]
    if g[k.REGULATOR_AUTO] > 0 and not (g[rules] > 0).any():
        names = ", ".join(k.MARKET_FIELDS[n] for n in rules)
        said.append(f"The regulator steps in with the rules that are set, and none is: {names}.")
    # A logarithm of price over reference stays below some 20.
    keen = t[:, k.QUALITY_TASTE] * o.run.vendor["quality"].max() - 20.0 * t[:, k.PRICE_TASTE]
    if (keen > k.HIGH).any():
        said.append(
            f"Utility passes {k.HIGH:g}, where vendors no longer differ by it: lower types.quality_taste."
        )
    return said


def _vendors(o: Outcomes) -> list[dict[str, Any]]:
    import numpy as np

    from pricewar.market.outcomes import TIERS, spread
    from pricewar.market.stages import STAGES

    last = slice(max(o.M - 3, 0), None)

    def end(values: Any) -> Spread:
        known = np.isfinite(values[:, last])
        count = known.sum(1)
        total = np.where(known, values[:, last], 0.0).sum(1)
        return spread(np.where(count > 0, total / np.maximum(count, 1), np.nan))

    share, cash = end(o.share()), end(o.run.vendor["cash"] + o.run.vendor["reserve"])
    price, over = ({t: end(f(t)) for t in TIERS} for f in (o.price, o.vendor_price_over_cost))
    free = end(o.run.vendor["allowance"])
    rows = []
    for j, name in enumerate(o.market.vendors):
        stage = [float((o.vendor_stage[:, -1, j] == c).mean()) for c in range(len(STAGES))]
        rows.append({
            "vendor": name, "inside": bool(o.inside[j]), "share": _at(share, j),
            **{f"price_{t}": _at(price[t], j) for t in TIERS},
            **{f"over_cost_{t}": _at(over[t], j) for t in TIERS},
            "allowance": _at(free, j), "cash": _at(cash, j),
            "leaves": float(np.isfinite(o.exit_month[:, j]).mean()),
            "opens": float((o.opener == j).mean()),
            "stage": STAGES[int(np.argmax(stage))] if any(stage) else None,
            "stage_chance": max(stage),
        })  # fmt: skip
    return rows


def _at(s: Spread, j: int) -> dict[str, float]:
    return {"median": float(s.median[j]), "low": float(s.low[j]), "high": float(s.high[j])}


def _segments(o: Outcomes) -> list[dict[str, Any]]:
    from pricewar.market.outcomes import named, spread

    surplus = spread(o.by_segment(o.surplus).sum(1))
    rows = []
    for s, name in enumerate(o.market.segments):
        winner, chance, chances = o.winners[s]
        returns = spread(o.roi[:, -1][:, o.segment == s])
        rows.append({
            "segment": name,
            "winner": o.market.vendors[winner] if winner >= 0 else None,
            "chance": chance, "chances": named(o.market, chances),
            "surplus": _at(surplus, s),
            "roi": {t: _at(returns, i) for i, t in enumerate(
                [t for t, at in zip(o.market.types, o.segment, strict=True) if at == s])},
        })  # fmt: skip
    return rows


# ---------------------------------------------------------------- in the terminal


def short(value: float) -> str:
    """A large number in three digits and a word: 2.29 bn."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    for scale, word in ((1e12, " tn"), (1e9, " bn"), (1e6, " mn"), (1e3, " k")):
        if size >= scale * 0.9995:
            number = value / scale
            return f"{number:,.0f}{word}" if abs(number) >= 100 else f"{number:.3g}{word}"
    return f"{value:.3g}"


def _writer(unit: str) -> Callable[[float], str]:
    writers: dict[str, Callable[[float], str]] = {
        "HHI": lambda x: f"{x:.2f}", "ratio": lambda x: f"{x:.2f}", "share": lambda x: f"{x:.0%}",
        "chance": lambda x: f"{x:.0%}", "day": lambda x: f"{x:.0f}", "days": lambda x: f"{x:.0f}",
        "month": lambda x: f"{x:.0f}", "months": lambda x: f"{x:.0f}", "vendors": lambda x: f"{x:.0f}",
        "mn tokens": lambda x: short(x * 1e6),
    }  # fmt: skip
    write = writers.get(unit, short)
    return lambda x: write(x) if math.isfinite(x) else "–"


def span(low: float, high: float, write: Callable[[float], str]) -> str:
    """A range, its ends written alike."""
    if not math.isfinite(low + high):
        return ""
    return f"{write(low)} – {write(high)}" if write(low) != write(high) else write(low)


def sentence(effect: Effect) -> str | None:
    """ "concentration falls 27% (24–31)"; None where nothing changed clearly."""
    if not effect.clear:
        return None
    verb = "rises" if effect.change > 0 else "falls"
    ends = sorted((abs(effect.low), abs(effect.high)))
    if effect.measure.change in ("relative", "points"):
        what = "%" if effect.measure.change == "relative" else " points"
        digits = 0 if abs(effect.change) >= 0.095 else 1
        size, low, high = (f"{100 * x:.{digits}f}" for x in (abs(effect.change), *ends))
        return f"{effect.measure.noun} {verb} {size}{what} ({low}–{high})"
    write = short if effect.measure.unit == "money" else _plainly
    return f"{effect.measure.noun} {verb} by {write(abs(effect.change))} ({write(ends[0])}–{write(ends[1])})"


def _plainly(value: float) -> str:
    return f"{value:.0f}" if value >= 9.5 else f"{value:.2g}"


def show(
    runs: Sequence[Outcomes], title: str, sets: str, change: str, seconds: float, how: Sequence[str]
) -> None:
    from rich.text import Text

    from pricewar.cli.options import printable
    from pricewar.cli.pictures import console, grid

    out, base = console(), runs[0]
    n = len(base.run.seeds)
    futures_ = f"{n} future{'s' if n != 1 else ''} of {base.M} months"
    moneys = list(dict.fromkeys(o.market.currency for o in runs))
    mixed = f" ({change} in {moneys[-1]})" if len(moneys) > 1 else ""
    head = f": {printable(title, lines=True)}; {futures_}, money in {moneys[0]}{mixed}, {seconds:.1f} s"
    out.print(Text.assemble((printable(base.market.name, lines=True), "bold"), head))
    if sets:
        out.print(Text(sets, style="cyan"))
    for label, text in zip(("", f" under {change}"), how, strict=False):
        out.print(Text(f"conduct{label}: {text}"))
    if change:
        out.print(Text.assemble("against ", (change, "cyan")))
    for text in dict.fromkeys(text for o in runs for text in idle(o)):
        out.print(text)
    out.print()
    if len(runs) == 1:
        out.print(grid(_outcome_table(base), last=1))
    else:
        _against(out, base, runs[1], change)
    out.print()
    for o, label in zip(runs, ("", f" under {change}"), strict=False):
        table = _vendor_table(o, label + (f", {o.market.currency}" if mixed else ""))
        out.print(grid(fitted(table, out.width, ("80%", "/cost", "stage", "opens", "cash", "flagship"))))
        out.print()
    spare = ("return", "surplus", *(f"surplus {m}" for m in moneys), "how often")
    out.print(grid(fitted(_segment_table(runs, change), out.width, spare)))
    for o, label in zip(runs, ("", f" under {change}"), strict=False):
        dead = float(o.all_dead.mean())
        if dead:
            out.print(
                f"\nNobody inside is left at the end in {dead:.0%} of the futures{label}; "
                "shares and prices at the end are those of the others."
            )
    if n < 20:
        out.print(Text(f"\n{n} futures are few: ranges are rough (--seeds).", style="dim"))


def _outcome_table(o: Outcomes) -> Any:
    from pricewar.games.solution import Table
    from pricewar.market.outcomes import MEASURES

    rows, summary = [], o.summary()
    for name in SHOWN:
        m, s = MEASURES[name], summary[name]
        if not s.known:
            continue
        write = _writer(m.unit)
        if m.unit == "chance":
            rows.append((_label(name), f"{o.values[name].mean():.0%}", "of futures", m.meaning))
            continue
        known = "" if s.known == 1 else f"; known in {s.known:.0%}"
        rows.append((_label(name), write(float(s.median)), span(float(s.low), float(s.high), write),
                     m.meaning + known))  # fmt: skip
    return Table("", ("outcome", "median", "80% of futures", ""), tuple(rows))


def _label(name: str) -> str:
    from pricewar.market.outcomes import MEASURES

    return MEASURES[name].noun.removeprefix("the ")


def _against(out: Console, base: Outcomes, other: Outcomes, change: str) -> None:
    from pricewar.cli.pictures import grid
    from pricewar.games.solution import Table
    from pricewar.market.outcomes import FEWEST, compare

    effects = compare(base, other)
    rows = []
    for e in effects:
        write = _writer(e.measure.unit)
        a, b = (_middle(o, e.name) for o in (base, other))
        if e.name not in SHOWN or not (math.isfinite(a) or math.isfinite(b)):
            continue
        few = e.known < FEWEST and math.isfinite(e.change)
        rows.append((_label(e.name), write(a), write(b), _size(e, e.change), _interval(e, few)))
    paired = base.run.seeds == other.run.seeds and base.market.name == other.market.name
    note = "medians, chances as shares of futures; change of the mean with its 95% interval,\n"
    note += "future against future" if paired else "the two markets drawn apart"
    heads = ("as it is", _narrow(change))
    moneys = (base.market.currency, other.market.currency)
    if moneys[0] != moneys[1]:
        heads = tuple(f"{head}, {money}" for head, money in zip(heads, moneys, strict=True))
        note += "; money is each market's own and its change is not told"
    table = Table("", ("outcome", *heads, "change", "95%"), tuple(rows), note)
    out.print(grid(fitted(table, out.width, ("95%",) if out.width < 90 else ())))
    out.print()
    said = [text for e in effects if (text := sentence(e))]
    n = len(base.run.seeds)
    if n < FEWEST:
        out.print(f"{n} future{'s are' if n != 1 else ' is'} too few to tell: give --seeds 20 or more.")
    elif said:
        out.print(f"With {change}, " + "; ".join(said) + ".")
    else:
        out.print(f"With {change}, nothing changes clearly in {n} futures.")


def _narrow(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"


def _middle(o: Outcomes, name: str) -> float:
    from pricewar.market.outcomes import MEASURES

    if MEASURES[name].unit == "chance":
        return float(o.values[name].mean())
    return float(o.summary()[name].median)


def _size(e: Effect, value: float) -> str:
    if not math.isfinite(value):
        return "–"
    if e.measure.change == "difference":
        text = short(abs(value)) if e.measure.unit == "money" else _plainly(abs(value))
    else:
        text = f"{abs(value):.1%}" if abs(value) < 0.0995 else f"{abs(value):.0%}"
        if e.measure.change == "points":
            text = text.removesuffix("%") + " pt"
    return ("+" if value > 0 else "−" if value < 0 else "") + text


def _interval(e: Effect, few: bool) -> str:
    if not math.isfinite(e.low + e.high):
        return "–  too few to tell" if few else "–"
    if e.low == e.high:
        return "" if e.clear else "none"
    return f"{_size(e, e.low)} … {_size(e, e.high)}" + ("" if e.clear else "  unclear")


def _vendor_table(o: Outcomes, label: str) -> Any:
    from pricewar.games.solution import Table

    rows = []
    peace = o.opener.max(initial=-1) >= 0
    write = _writer("price")
    for row in sorted(_vendors(o), key=lambda r: (not r["inside"], -_known(r["share"]["median"]))):
        share, cash = row["share"], row["cash"]

        def mid(key: str, write: Callable[[float], str] = write, row: Mapping[str, Any] = row) -> str:
            return write(row[key]["median"]) if math.isfinite(row[key]["median"]) else "–"

        cells = [
            row["vendor"], mid("share", lambda x: f"{x:.0%}"),
            span(share["low"], share["high"], lambda x: f"{x:.0%}"),
            mid("price_light"), mid("over_cost_light", lambda x: f"{x:.2f}"),
            mid("price_flagship"), mid("over_cost_flagship", lambda x: f"{x:.2f}"),
            short(cash["median"]) if row["inside"] else "", f"{row['leaves']:.0%}",
            f"{row['stage']} {row['stage_chance']:.0%}" if row["stage"] else "",
        ]  # fmt: skip
        if peace:
            cells.insert(1, f"{row['opens']:.0%}" if row["inside"] else "")
        rows.append(tuple(cells))
    heads = ["vendor", "share", "80%", "light", "/cost", "flagship", "/cost", "cash", "leaves", "stage"]
    if peace:
        heads.insert(1, "opens")
    note = "medians of the last quarter: share of tokens, list price per million tokens and over long-run\n"
    note += "cost, cash and reserve; how often it leaves, and its likeliest stage at the end"
    return Table(f"vendors at the end{label}", tuple(heads), tuple(rows), note)


def fitted(table: Any, width: int, spare: Sequence[str]) -> Any:
    """The table without as many columns of `spare`, the least needed first, as the width asks for; said."""
    from dataclasses import replace

    heads, rows, left_out = list(table.columns), [list(row) for row in table.rows], []
    for name in spare:
        wide = [max(len(h), *(len(str(row[at])) for row in rows), 0) for at, h in enumerate(heads)]
        if sum(wide) + 2 * len(wide) - 2 <= width:
            break
        while name in heads:
            at = heads.index(name)
            for line in (heads, *rows):
                del line[at]
            left_out.append(name)
    note, named = table.note, [name for name in dict.fromkeys(left_out) if name.strip()]
    if named:
        note += ("\n" if note else "") + f"left out for want of width: {', '.join(named)}"
    return replace(table, columns=tuple(heads), rows=tuple(tuple(row) for row in rows), note=note)


def _known(value: float) -> float:
    return value if math.isfinite(value) else -1.0


def _segment_table(runs: Sequence[Outcomes], change: str) -> Any:
    from pricewar.games.solution import Table

    sides = [_segments(o) for o in runs]
    rows = []
    for k, row in enumerate(sides[0]):
        cells: list[str] = [row["segment"]]
        for side in sides:
            if k >= len(side) or side[k]["segment"] != row["segment"]:
                cells += ["", "", "", ""]
                continue
            s = side[k]
            returns = [r["median"] for r in s["roi"].values() if math.isfinite(r["median"])]
            cells += [
                s["winner"] or "nobody", f"{s['chance']:.0%}", short(s["surplus"]["median"]),
                span(min(returns), max(returns), lambda x: f"{x:.1f}") if returns else "",
            ]  # fmt: skip
        rows.append(tuple(cells))
    moneys = [o.market.currency for o in runs]
    surplus = [f"surplus {m}" if len(set(moneys)) > 1 else "surplus" for m in moneys]
    columns = ("segment", *(head for s in surplus for head in ("winner", "how often", s, "return")))
    note = "winner by teams weighted by budget at the end; surplus of teams over month 1's, cumulated;\n"
    note += "return: what teams keep of a unit spent, over types" + (
        f"; right: under {change}" if change else ""
    )
    return Table("who wins where", columns, tuple(rows), note)


def levers(market: Market | None) -> None:
    """The parameters with their values in a market, or with the one that leaves each out."""
    from pricewar.cli.pictures import console, grid
    from pricewar.games.solution import Table
    from pricewar.market import fields
    from pricewar.market import kernel as k

    out = console()

    def row(name: str, f: Any, value: str) -> tuple[str, ...]:
        unit = f.unit.replace("money", market.currency) if market else f.unit
        return name, value, unit, _bound(f.low) + " … " + _bound(f.high), f.meaning.removeprefix("lever: ")

    def off(f: Any) -> str:
        return "needed" if f.off is None else f"{f.off:.4g}"

    heads = ("name", "here" if market else "off", "unit", "bounds", "meaning")
    values: dict[str, float] = dict(zip(k.MARKET_FIELDS, market.g.tolist(), strict=True)) if market else {}
    rules = [
        n for n, f in fields.MARKET.items() if f.meaning.startswith("lever:") or n.startswith("regulator")
    ]
    rest = [n for n in fields.MARKET if n not in rules]
    for title, names in (("rules from outside", rules), ("of the market", rest)):
        lines = tuple(
            row(n, fields.MARKET[n], f"{values[n]:.4g}" if market else off(fields.MARKET[n])) for n in names
        )
        out.print(grid(Table(title, heads, lines), last=1))
        out.print()
    if market:
        vendors, types = ("vendors", *market.vendors), ("types", *market.segments, *market.types)
        arrays = (market.v, market.t)
    else:
        vendors, types, arrays = ("vendors", "VENDOR"), ("types", "SEGMENT", "TYPE"), (None, None)
    for title, table, array, names, owners in (
        ("of a vendor", fields.VENDOR, arrays[0], k.VENDOR_FIELDS, vendors),
        ("of a type of team", fields.TYPE, arrays[1], k.TYPE_FIELDS, types),
    ):
        rows = []
        for n, f in table.items():
            if array is None:
                rows.append(row(f".{n}", f, off(f)))
                continue
            column = array[:, names.index(n)]
            low, high = f"{column.min():.3g}", f"{column.max():.3g}"
            rows.append(row(f".{n}", f, low if column.min() == column.max() else f"{low} … {high}"))
        note = f"before the dot: {', '.join(owners)}"
        out.print(grid(Table(title, heads, tuple(rows), note), last=1))
        out.print()


def _bound(value: float) -> str:
    from pricewar.market.fields import BIG

    return "" if abs(value) >= BIG else f"{value:g}"
