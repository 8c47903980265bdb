"""`pricewar war`: the war of May 2024 played many times from facts older than itself, beside the record."""

from __future__ import annotations

import json
import math
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.options import Progress, outputs, report_language
from pricewar.files import write_text

if TYPE_CHECKING:
    from rich.console import Console

MARKET = "china-2024"
PATH_MONTHS = (0, 1, 2, 3, 6, 9, 12, 18, 24, 30, 36)
SIGNS = {"launch": "·", "promotion": "░", "war": "█", "consolidation": "▒", "harvest": "$", "out": "×"}


@click.command(context_settings={"max_content_width": 100})
@click.option("--seeds", type=click.IntRange(2, 100_000), default=200, show_default=True, help="Futures.")
@click.option("--lang", type=click.Choice(["en", "zh", "ja"]), default="en", help="Language of the page.")
@click.option("--html", "html_to", type=click.Path(path_type=Path), help="Write the story as a page.")
@click.option("--json", "json_to", type=click.Path(path_type=Path, allow_dash=True),
              help="Write JSON (- for stdout, without tables).")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def war(seeds: int, lang: str, html_to: Path | None, json_to: Path | None, quiet: bool) -> int:
    """Play the war of May 2024 again: who opens, who follows and how late, prices, cash, shares, harvest.

    The model (market china-2024) knows only what was public before the war, and structural facts. Each line
    stands beside what happened, and where the model misses history it says so.
    """
    outputs({"--json": json_to, "--html": html_to})
    report_language(lang, html_to)
    data = played(seeds, Progress(quiet), shlex.join(["pricewar", *sys.argv[1:]]))
    if json_to is not None:
        body = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        if str(json_to) == "-":
            click.echo(body, nl=False)
        else:
            write_text(json_to, body)
    if html_to is not None:
        from pricewar.report import war as page

        page.write(html_to, data, language=lang)
    if str(json_to) != "-":
        show(data)
    for path in (json_to, html_to):
        if path is not None and str(path) != "-" and not quiet:
            click.echo(f"written: {path}", err=True)
    return 0


def played(seeds: int, progress: Progress, command: str) -> dict[str, Any]:
    """The war in that many futures, beside the record, as plain data with its story."""
    from pricewar import __version__
    from pricewar.cli.market import outcomes
    from pricewar.cli.market_tables import RANGES, plain
    from pricewar.market import definition
    from pricewar.market.beside import beside
    from pricewar.market.recorded import RECORDS, names_of, output_share
    from pricewar.market.records import read

    begun = time.perf_counter()
    text = definition.load(MARKET)
    record = read(RECORDS[MARKET])
    o = outcomes(definition.market(text), seeds, progress, "playing the war")
    share, names = output_share(text), names_of(text)
    progress.say("dating the stages of every future …")
    data = beside(o, record, names, share)
    sources = {s.url: str(s.read_on) for f in record.facts for s in f.sources}
    data |= {
        "pricewar": __version__,
        "made": datetime.now(UTC).date().isoformat(),
        "command": command,
        "title": text.text.title,
        "output_share": share,
        "ranges": RANGES,
        "seconds": round(time.perf_counter() - begun, 1),
        "sources": [{"url": url, "read_on": on} for url, on in sources.items()],
    }
    data = plain(data)
    data["story"] = [{"key": key, "args": plain(args)} for key, args in story(data)]
    data["missed"] = [{"key": key, "args": plain(args)} for key, args in misses(data)]
    return data


# ---------------------------------------------------------------- the story, chosen from the figures


def _median(values: Sequence[float | None]) -> float | None:
    known = sorted(v for v in values if v is not None)
    if not known:
        return None
    middle = len(known) // 2
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def fall(data: Mapping[str, Any], tier: str, whose: str) -> float | None:
    """The median vendor's fall of the list price within three months, the model's or history's."""
    rows = [r for r in data["depth"] if r["tier"] == tier]
    if whose == "history":
        return _median([r["history_3"] for r in rows])
    return _median([r["model_3"]["median"] for r in rows])


def story(data: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Sentences of the war, as keys of `report.war_words` with their figures."""
    told: list[tuple[str, dict[str, Any]]] = []
    opened, followed, summary = data["opened"], data["followed"], data["summary"]
    if not opened["ever"]:
        told.append(("say.peace", {"futures": data["futures"]}))
    else:
        first = opened["by_vendor"][0]
        told.append(("say.opened", {
            "ever": opened["ever"], "futures": data["futures"], "day": _whole(opened["day"]["median"]),
            "vendor": first["vendor"], "chance": first["chance"], "even": opened["chance"],
        }))  # fmt: skip
        mine = next((r for r in opened["by_vendor"] if r["history"]), None)
        if mine and mine is not first:
            told.append(("say.opener", {"vendor": mine["vendor"], "chance": mine["chance"]}))
        if followed["lag"]:
            told.append(("say.followed", {
                "lag": _whole(followed["lag"]["median"]), "low": _whole(followed["lag"]["low"]),
                "high": _whole(followed["lag"]["high"]),
                "last": _whole(followed["last"]["median"]), "history": _whole(followed["history_lag"]),
                "history_last": _whole(followed["history_last"]),
            }))  # fmt: skip
        tau = followed["tau"]
        if tau["mean"] is not None:
            better = tau["mean"] > 2 * tau["error"]
            told.append(("say.order_better" if better else "say.order", {"tau": round(tau["mean"], 2)}))
        told.append(("say.depth", {
            f"{tier}{suffix}": fall(data, tier, whose)
            for tier in ("light", "flagship") for suffix, whose in (("", "model"), ("_history", "history"))
        }))  # fmt: skip
    free = [r for r in data["allowances"] if r["ever"] > 0.5]
    told.append(("say.free", {
        "n": len(free), "all": len(data["allowances"]), "free": summary["free"]["median"],
    }))  # fmt: skip
    told.append(("say.cost", {
        "cover": summary["cover_low"]["median"], "subsidy": summary["subsidy"]["median"],
        "share": summary["subsidy_share"]["median"],
    }))  # fmt: skip
    leaves = max(data["cash"], key=lambda r: r["leaves"])
    if (summary["exits"]["median"] or 0) >= 1:
        told.append(("say.leave", {
            "n": round(summary["exits"]["median"]), "vendor": leaves["vendor"], "chance": leaves["leaves"],
        }))  # fmt: skip
    else:
        told.append(("say.stay", {}))
    if data["nobody_left"]:
        told.append(("say.nobody", {"chance": data["nobody_left"]}))
    ends = [r for r in data["shares"] if r["end"]["median"] is not None]
    if ends:
        row = max(ends, key=lambda r: r["end"]["median"])
        end = row["end"]
        told.append(("say.leader", {
            "vendor": row["vendor"], "share": end["median"], "low": end["low"], "high": end["high"],
        }))  # fmt: skip
    harvest = data["stages"]["begins"]["harvest"]
    if harvest["chance"]:
        told.append(("say.harvest", {
            "chance": harvest["chance"], "month": round(harvest["median"] + 1),
            "low": round(harvest["low"] + 1), "high": round(harvest["high"] + 1),
        }))  # fmt: skip
    else:
        told.append(("say.no_harvest", {"months": data["horizon"]}))
    if harvest["history"] is None:
        told.append(("say.harvest_history", {"months": harvest["history_until"] + 1}))
    return told


def misses(data: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """One sentence for every line of history that the model misses."""
    found: list[tuple[str, dict[str, Any]]] = []
    for line in data["misses"]:
        if line["key"] == "opener":
            found.append(("miss.opener", dict(line)))
        elif line["low"] is None:
            found.append(("miss.chance" if line["history"] < 0.5 else "miss.chance_not", dict(line)))
        else:
            found.append(("miss.range", dict(line)))
    return found


# ---------------------------------------------------------------- in the terminal


def _writer(unit: str) -> Callable[[float | None], str]:
    def write(value: float | None) -> str:
        if value is None:
            return "–"
        if unit in ("share", "chance"):
            return f"{value + 1e-9:.0%}"  # halves up, as on the page
        if unit == "times":
            return f"{value:,.0f}×" if value >= 10 else f"{value:.1f}×"
        return f"{value:.0f}"

    return write


def _price(value: float | None) -> str:
    if value is None:
        return "–"
    if value >= 99.5:
        return f"{value:.0f}"
    return "0" if value < 0.0005 else f"{value:.3g}" if value >= 0.01 else f"{value:.1g}"


def label(line: Mapping[str, Any]) -> str:
    """What a line is of, in English."""
    from pricewar.report.war_words import plainly

    return plainly(f"line.{line['key']}", line) or line["key"]


def told(data: Mapping[str, Any], part: str = "story") -> list[str]:
    """The story, or the misses, in English sentences."""
    from pricewar.report.war_words import plainly

    names = tuple(v["name"] for v in data["vendors"])
    sentences = []
    for row in data[part]:
        args = row["args"]
        if row["key"].startswith("miss.") and row["key"] != "miss.opener":
            write = _writer(args["unit"])
            args = {**args, "line": label(args), **{k: write(args[k]) for k in ("history", "low", "high")}}
        text = plainly(row["key"], args, data["currency"])
        if text:
            sentences.append(text if text.startswith(names) else text[0].upper() + text[1:])
    return sentences


def show(data: Mapping[str, Any], *, brief: bool = False) -> None:
    """Print the war: story, who opened and followed, prices, shares, stages, history beside, misses."""
    from rich.text import Text

    from pricewar.cli.pictures import console

    out = console()
    head = f": {data['futures']} futures from facts before {data['start']}, {data['seconds']} s"
    out.print(Text.assemble((data["title"], "bold"), head))
    out.print()
    out.print(" ".join(told(data)))
    out.print()
    _started(out, data)
    for tier in ("light", "flagship"):
        out.print()
        _paths(out, data, tier)
    if not brief:
        out.print()
        _standing(out, data)
    out.print()
    _ribbons(out, data)
    out.print()
    if not brief:
        _lines(out, data)
        out.print()
    missed = told(data, "missed")
    hits = sum(line["hit"] for line in data["lines"])
    out.print(f"{hits} of {len(data['lines'])} figures of the record lie inside the model's 80% range.")
    if missed:
        out.print(Text("Where the model misses history", style="bold"))
        for text in missed[: 5 if brief else None]:
            out.print(f"  {text}")
        if brief and len(missed) > 5:
            out.print(f"  and {len(missed) - 5} more: `pricewar war`")


def _started(out: Console, data: Mapping[str, Any]) -> None:
    from pricewar.cli.market_tables import fitted
    from pricewar.cli.pictures import grid
    from pricewar.games.solution import Table

    opened = {r["vendor"]: r for r in data["opened"]["by_vendor"]}
    days, pct = _writer("days"), _writer("chance")
    rows = []
    for row in data["followed"]["by_vendor"]:
        mine = opened[row["vendor"]]
        bar = "█" * round(20 * mine["chance"])
        past = "opens" if mine["history"] else days(row["history"])
        rows.append((
            row["vendor"], pct(mine["chance"]), bar, pct(row["chance"]), days(row["median"]),
            f"{days(row['low'])} – {days(row['high'])}" if row["median"] is not None else "", past,
        ))  # fmt: skip
    note = f"chance alone opens in {data['opened']['chance']:.0%}; lag in days from the opening to a deep cut"
    columns = ("", "opens", " ", "follows", "lag", "80%", "history")
    table = Table("who opens, who follows and how late", columns, tuple(rows), note)
    out.print(grid(fitted(table, out.width, (" ", "80%"))))


def _paths(out: Console, data: Mapping[str, Any], tier: str) -> None:
    """A chart of the model's paths, and a table of model and history at a few months."""
    import numpy as np

    from pricewar.cli.market_tables import fitted
    from pricewar.cli.pictures import draw, grid
    from pricewar.games.solution import Picture, Table

    rows = [r for r in data["prices"] if r["tier"] == tier]
    months = [m for m in PATH_MONTHS if m <= data["months"]]
    last_known = _days(data) / (365.25 / 12)
    lines: dict[str, Any] = {}
    for whose in ("model", "history"):
        values = [
            [_log(_path(r, m, whose)) for r in rows if not (whose == "history" and m > last_known)]
            for m in range(data["months"] + 1)
        ]
        middle = np.array([m if (m := _median(v)) is not None else np.nan for v in values])
        if np.isfinite(middle).any():
            lines[f"{whose}, median vendor"] = middle
    if lines:
        x = np.arange(data["months"] + 1.0)
        title = f"{tier} models: list price of the median vendor, {data['currency']} per million tokens"
        picture = Picture(
            "curve", title, ("months from the opening",), x, x, series=lines,
            note="logarithmic; 0.001 stands for all below it; history: of the vendors whose price is known",
        )  # fmt: skip
        out.print(draw(picture, min(out.width, 90), powers=True))
    cells = []
    for r in rows:
        for whose in ("model", "history"):
            if whose == "history" and not r["history"]:
                continue
            cells.append((r["vendor"] if whose == "model" else "", whose, *(
                "" if whose == "history" and m > last_known else _price(_path(r, m, whose)) for m in months
            )))  # fmt: skip
    note = (
        "medians; list price so many months after the opening, input and output blended where both are known"
    )
    table = Table("", ("", "", *(str(m) for m in months)), tuple(cells), note)
    out.print(grid(fitted(table, out.width, ("30", "18", "9", "2", "24", "1")), left=2))


def _days(data: Mapping[str, Any]) -> float:
    """Days that the record covers."""
    return (data["stages"]["begins"]["harvest"]["history_until"] + 1) * 365.25 / 12


def _path(row: Mapping[str, Any], month: int, whose: str) -> float | None:
    """A line's price after so many months: the model's median, or history's step."""
    if whose == "model":
        return row["peace"]["median"] if month == 0 else row["median"][month - 1]
    held = [s for s in row["history"] if s["day"] <= month * 365.25 / 12]
    if not held or held[-1]["low"] is None:
        return None
    return (held[-1]["low"] + held[-1]["high"]) / 2


def _log(value: float | None) -> float | None:
    return None if value is None else math.log10(max(value, 1e-3))


def _standing(out: Console, data: Mapping[str, Any]) -> None:
    from pricewar.cli.market_tables import fitted, short
    from pricewar.cli.pictures import grid
    from pricewar.games.solution import Table

    at = [m for m in (6, 12, 18, 24, 36) if m <= data["months"]] or [data["months"]]
    edges = sorted({at[0], at[-1]})
    rows = []
    for share, cash, free in zip(data["shares"], data["cash"], data["allowances"], strict=True):
        pct = _writer("share")
        rows.append((
            share["vendor"], *(pct(share["median"][m - 1]) for m in at),
            *(short(v) if (v := cash["median"][m - 1]) is not None else "–" for m in edges),
            pct(cash["leaves"]), pct(free["ever"]), pct(free["withdrawn"]),
        ))  # fmt: skip
    columns = ("", *(f"share {m}" for m in at), *(f"cash {m}" for m in edges), "leaves", "free", "ends")
    note = "medians so many months after the opening: share of tokens, cash and reserve; how often it\n"
    note += "leaves, gives light use away (allowance or price of zero), and of allowances, how often more\n"
    note += "than half is withdrawn by the end"
    spare = (*(f"share {m}" for m in at[1:-1]), f"cash {edges[0]}", "ends")
    out.print(grid(fitted(Table("shares, cash, free use", columns, tuple(rows), note), out.width, spare)))


def _ribbons(out: Console, data: Mapping[str, Any]) -> None:
    from rich.text import Text

    stages = data["stages"]
    out.print(
        Text(
            "stages by the written rule: likeliest of each month from the opening; the record below",
            style="bold",
        )
    )
    rows = [("market", stages["market"], stages["history"])]
    rows += [(r["vendor"], r["model"], r["history"]) for r in stages["vendors"]]
    for name, model, history in rows:
        out.print(Text(f"  {name:<10} " + "".join(SIGNS[c["stage"]] for c in model)))
        if any(history):
            out.print(Text(" " * 13 + "".join(SIGNS[c] if c else " " for c in history), style="dim"))
    out.print(Text("  " + "  ".join(f"{sign} {name}" for name, sign in SIGNS.items()), style="dim"))


def _lines(out: Console, data: Mapping[str, Any]) -> None:
    from pricewar.cli.pictures import grid
    from pricewar.games.solution import Table

    rows = []
    for line in data["lines"]:
        write = _writer(line["unit"])
        if line["unit"] == "chance":
            history, between = ("yes" if line["history"] > 0.5 else "no"), "in " + write(line["median"])
        else:
            history, between = write(line["history"]), f"{write(line['low'])} – {write(line['high'])}"
        middle = write(line["median"]) if line["unit"] != "chance" else ""
        rows.append((label(line), history, middle, between, "✓" if line["hit"] else "✗"))
    columns = ("", "history", "model", "80% of futures", "")
    out.print(grid(Table("history beside the model", columns, tuple(rows)), left=1))
