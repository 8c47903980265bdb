"""`python -m bench [SECTION …] [--quick]`: one readable table per section.

A section is a module of this package with `rows(quick) -> rows`; its table is printed line by line, as the
figures come. A row is (what, measured, aim, words): words say what was counted or how it was measured.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = tuple[str, str, str, str]
WIDTHS = (46, 34, 12)
WORDS = 70


def sections() -> list[str]:
    """Modules here that have rows to show."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    return [name for name in names if hasattr(import_module(f"bench.{name}"), "rows")]


def show(rows: Iterable[Row]) -> None:
    """Print rows as they come."""
    heads = zip(("what", "measured", "aim", "how"), (*WIDTHS, 0), strict=True)
    print("  ".join(head.ljust(width) for head, width in heads))
    print("  ".join("─" * width for width in (*WIDTHS, WORDS)))
    for row in rows:
        cells = [
            textwrap.wrap(text, width) or [""] for text, width in zip(row, (*WIDTHS, WORDS), strict=True)
        ]
        for i in range(max(map(len, cells))):
            line = [cell[i] if i < len(cell) else "" for cell in cells]
            print("  ".join(t.ljust(w) for t, w in zip(line, (*WIDTHS, 0), strict=True)).rstrip())
        sys.stdout.flush()


def main() -> None:
    """Run the sections asked for, or all."""
    known = sections()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("section", nargs="*", help=f"one or more of: {', '.join(known)}; default all")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and smaller logs")
    given = parser.parse_args()
    for name in given.section:
        if name not in known:
            parser.error(f"no section “{name}”; there are: {', '.join(known)}")
    for name in given.section or known:
        module = import_module(f"bench.{name}")
        print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}")
        began = time.monotonic()
        show(module.rows(given.quick))
        print(f"{name} took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
