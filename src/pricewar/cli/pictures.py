"""Pictures in the terminal: a surface as shades, a vector field as arrows, curves as points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console, Group
from rich.table import Table as Grid
from rich.text import Text

if TYPE_CHECKING:
    from pricewar.games.solution import Picture, Table

HEIGHT = 20
ARROWS_ACROSS = 16  # more are a hatching
SHADES = " ░▒▓█"
COLOURS = ("rgb(49,104,189)", "rgb(90,140,190)", "rgb(150,150,150)", "rgb(205,130,80)", "rgb(214,96,44)")
ARROWS = "→↗↑↖←↙↓↘"
MARKS = "●○▲△■□◆◇"
EDGE = 7  # columns left of a grid, for its labels


def console() -> Console:
    """Where to print: a pipe has no width of its own and gets one that holds every table."""
    out = Console(highlight=False)
    if out.is_dumb_terminal:  # rich takes 80 columns for it, whatever it has
        return Console(highlight=False, width=get_terminal_size().columns)
    return out if out.is_terminal else Console(highlight=False, width=max(out.width, 100))


def draw(picture: Picture, width: int = 80, *, powers: bool = False) -> Text:
    """The picture as text, with its title, axes and scale; `powers`: a curve of exponents of ten."""
    kinds = {"surface": _surface, "arrows": _arrows, "curve": partial(_curve, powers=powers), "bars": _bars}
    text = Text.assemble((picture.title + "\n", "bold"), kinds[picture.kind](picture, min(width, 110)))
    if picture.note:
        text.append(f"\n{picture.note}", style="dim")
    return text


def grid(table: Table, left: int = 1, last: int = 0) -> Group:
    """A table of a solution; its first `left` and its `last` columns are words, its note stands below."""
    out = Grid(box=None, pad_edge=False, header_style="dim", show_header=any(table.columns))
    for at, name in enumerate(table.columns):
        out.add_column(
            name, justify="left" if at < left or at >= len(table.columns) - last else "right", overflow="fold"
        )
    for row in table.rows:
        out.add_row(*(Text(_cell(cell)) for cell in row))
    title = [Text(table.title, style="bold")] if table.title else []
    return Group(*title, out, *([Text(table.note, style="dim")] if table.note else []))


def _cell(cell: object) -> str:
    return f"{cell + 0.0:.6g}" if isinstance(cell, float) else str(cell)  # + 0.0: no negative nought


def _sampled(indices: np.ndarray, room: int) -> np.ndarray:
    """At most `room` of them, both ends among them."""
    return indices[np.unique(np.linspace(0, len(indices) - 1, min(len(indices), room)).round().astype(int))]


def _cells(shown: np.ndarray, width: int, most: int = 99) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns to draw: without those that show nothing, at most as many as there is room for."""
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    return _sampled(rows, min(HEIGHT + 12, most)), _sampled(columns, min((width - EDGE) // 2, most))


def _surface(picture: Picture, width: int) -> Text:
    z = np.asarray(picture.z, dtype=float)
    finite = np.isfinite(z)
    rows, columns = _cells(finite, width)
    # classes of equal size: a few extreme states would otherwise take all but one of the shades
    cuts = np.unique(np.quantile(z[finite], (0.2, 0.4, 0.6, 0.8)).round(10))
    text = Text()
    for i in rows[::-1]:
        text.append(f"{picture.x[i]:>6g} ", style="dim")
        for j in columns:
            if finite[i, j]:
                at = int(np.searchsorted(cuts, z[i, j], side="right"))
                text.append((SHADES[at] if at else "·") * 2, style=COLOURS[at])
            else:
                text.append("  ")
        text.append("\n")
    text.append(_axis(picture, columns))
    text.append(f"\n{'':{EDGE}}{picture.axes[-1]} {float(z[finite].min()):.4g} ", style="dim")
    for at, edge in enumerate((*cuts.tolist(), float(z[finite].max()))):
        text.append((SHADES[at] if at else "·") * 2, style=COLOURS[at])
        text.append(f" {edge:.4g} ", style="dim")
    return text


def _arrows(picture: Picture, width: int) -> Text:
    u, v = np.asarray(picture.u, dtype=float), np.asarray(picture.v, dtype=float)
    size = np.hypot(u, v)
    still = 0.05 * float(np.nanmax(size))
    rows, columns = _cells(size > 0, width, ARROWS_ACROSS)
    text = Text()
    for i in rows[::-1]:
        text.append(f"{picture.x[i]:>6g} ", style="dim")
        for j in columns:
            if not size[i, j] > still:
                text.append("·   ", style="dim")
                continue
            # u moves along x (upwards here), v along y (to the right).
            turn = float(np.arctan2(u[i, j], v[i, j]))
            text.append(ARROWS[round(turn / (np.pi / 4)) % 8] + "   ")
        text.append("\n")
    text.append(_axis(picture, columns, 4))
    text.append(f"; · moves less than {still:.2g} a period", style="dim")
    return text


def _axis(picture: Picture, columns: np.ndarray, width: int = 2) -> Text:
    """Labels under the columns, and the names of both axes."""
    line = [" "] * (EDGE + width * len(columns) + 8)
    for at in _sampled(np.arange(len(columns)), 6):
        label = f"{picture.y[columns[at]]:g}"
        line[EDGE + width * at : EDGE + width * at + len(label)] = label
    names = f"{'':{EDGE}}up {picture.axes[0]}, right {picture.axes[1]}"
    return Text("".join(line).rstrip() + "\n" + names, style="dim")


def _lines(picture: Picture) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, x and y of each line: series "name.x" and "name.y", or "name" over the picture's own x."""
    for name in dict.fromkeys(key.rsplit(".", 1)[0] for key in picture.series):
        if f"{name}.x" in picture.series:
            x, y = picture.series[f"{name}.x"], picture.series[f"{name}.y"]
        else:
            x, y = picture.x, picture.series[name]
        yield name, np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not picture.series:
        yield "", np.asarray(picture.x, dtype=float), np.asarray(picture.y, dtype=float)


def _curve(picture: Picture, width: int, powers: bool) -> Text:
    curves = list(_lines(picture))
    xs, ys = (np.concatenate([curve[k] for curve in curves]) for k in (1, 2))
    ys = ys[np.isfinite(ys)]
    left, right, low, high = (float(f) for f in (xs.min(), xs.max(), ys.min(), ys.max()))
    across, down = max(right - left, 1e-300), max(high - low, 1e-300)
    columns = width - 12
    field = [[" "] * columns for _ in range(HEIGHT)]
    for k, (_, x, y) in enumerate(curves):
        at, up = (x - left) / across * (columns - 1), (y - low) / down * (HEIGHT - 1)
        for a in range(len(x)):
            b = min(a + 1, len(x) - 1)  # a line to the next point, so that steep parts are no gaps
            if not np.isfinite(up[a] + up[b]):
                continue
            steps = int(max(abs(at[b] - at[a]), abs(up[b] - up[a]))) + 1
            for share in np.linspace(0, 1, steps + 1):
                column = round(float(at[a] + share * (at[b] - at[a])))
                row = round(float(up[a] + share * (up[b] - up[a])))
                field[HEIGHT - 1 - row][column] = MARKS[k % len(MARKS)]
    text = Text()
    for at, row in enumerate(field):
        labelled = at % 5 == 0 or at == HEIGHT - 1
        value = high - (high - low) * at / (HEIGHT - 1)
        label = f"{10.0**value if powers else value:>9.{2 if powers else 4}g} " if labelled else " " * 10
        text.append(label, style="dim")
        text.append("".join(row).rstrip() + "\n")
    text.append(f"{'':10}{left:<12.4g}{picture.axes[0]:^{columns - 24}}{right:>12.4g}", style="dim")
    if len(curves) > 1:
        keys = "   ".join(f"{MARKS[k % len(MARKS)]} {name}" for k, (name, _, _) in enumerate(curves))
        text.append(f"\n{'':10}{keys}", style="dim")
    return text


def _bars(picture: Picture, width: int) -> Text:
    y = np.asarray(picture.y, dtype=float)
    top = float(np.nanmax(np.abs(y))) or 1.0
    text = Text()
    for label, value in zip(picture.x, y, strict=True):
        text.append(f"{label!s:>12} ", style="dim")
        text.append("█" * round(float(abs(value)) / top * (width - 30)) + f" {value:.4g}\n")
    text.append(f"{picture.axes[0]:>12}  {picture.axes[1]}", style="dim")
    return text
