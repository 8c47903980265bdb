"""Writes docs/cli.md from the commands themselves, so that it cannot drift: `python docs/generate.py`.

A test compares the file with what this makes; `make docs` writes it.
"""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from pricewar.cli import COMMANDS, cli

HERE = Path(__file__).parent


def cli_page() -> str:
    """The help of every command, as one page."""
    parts = ["# The command line", "", "Made by `make docs` from the commands themselves.", ""]
    for words in ([], *([name] for name in COMMANDS)):
        reply = CliRunner().invoke(cli, [*words, "--help"], prog_name="pricewar", terminal_width=100)
        parts += [f"## {' '.join(['pricewar', *words])}", "", "```text", reply.output.rstrip(), "```", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    (HERE / "cli.md").write_text(cli_page(), encoding="utf-8")
