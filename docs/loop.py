"""Writes docs/loop.md: log → bill → advice → gateway → watch, each command with its real output.

`python docs/loop.py`; a test holds the page against it. Everything runs in a folder of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
DAY = "2026-11-22"
ONLY = f"--only gpt-5-mini --as-of {DAY}"
STEPS = (
    ("The log", "Any usage record you have ([formats](usage.md)); here the sample, October 2026.",
     ("pricewar sample usage.csv", "head -n 3 usage.csv")),
    ("The bill", "What the work costs as logged, and on offers with their fine print.",
     (f"pricewar bill usage.csv {ONLY.replace('--as-of', '--in-force')} --top 4 --quiet",)),
    ("The advice", "What to do over 36 months, in 60 futures of the market; the plan is saved, and handed to "
     "the proxy\nthat you run ([the gateway](gateway.md)).",
     (f"pricewar advise usage.csv {ONLY} --draws 60 --json plan.json --gateway gateway --part do --quiet",
      "ls gateway", "head -n 28 gateway/README.md")),
    ("The watch", "Each morning: the catalogue against the plan. The exit code is 1 when something is due.",
     (f"pricewar watch usage.csv --plan plan.json --as-of {DAY} --within 60d",)),
    ("Before there is a plan", "The same against what the log is billed on now.",
     (f"pricewar watch usage.csv {ONLY} --no-search",
      f"pricewar watch usage.csv {ONLY} --no-search --quiet")),
    ("What changed meanwhile", "The catalogue of one day against another's.",
     ("pricewar offers diff 2025-11-20 2025-12-20 --vendor google",)),
)  # fmt: skip
HEAD = """\
# The loop: log → bill → advice → gateway → watch

Made by `python docs/loop.py`, which ran these commands, one after another, in an empty folder. Your own log
takes the place of the sample; leave out `--as-of` for today, `--only` for all of the log, `--draws` for more
futures.
"""
TAIL = """\
## Each morning

```text
0 7 * * 1-5  cd /srv/llm && pricewar watch usage.csv --plan plan.json --quiet
```

Cron mails what is printed: with `--quiet` one line for each thing due, nothing otherwise. What is due, and
what the findings mean: [watch](watch.md). When it says so, advise again; the new plan takes the old one's
place.
"""


def page(folder: Path) -> str:
    """The page, from commands run in `folder`."""
    text = [HEAD]
    for title, words, commands in STEPS:
        text += [f"## {title}\n", f"{words}\n"]
        for command in commands:
            shown, code = said(command, folder)
            fence = "````" if "```" in shown else "```"
            text += [f"```sh\n{command}\n```\n", f"{fence}text\n{shown}\n{fence}\n"]
            if code:
                text.append(f"Exit code {code}.\n")
    return "\n".join([*text, TAIL])


def said(command: str, folder: Path) -> tuple[str, int]:
    """What a command prints, and its exit code."""
    words = shlex.split(command)
    if words[0] == "pricewar":
        words = [sys.executable, "-c", "from pricewar.cli import main; main()", *words[1:]]
    reply = subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "100", "LC_ALL": "C.UTF-8"},
    )
    if reply.returncode not in (0, 1):
        raise SystemExit(f"{command}\n{reply.stderr}")
    lines = [line.rstrip() for line in reply.stdout.strip("\n").split("\n")]
    return re.sub(r"(?<=.{110}).+", "…", "\n".join(lines)), reply.returncode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        (HERE / "loop.md").write_text(page(Path(made)), encoding="utf-8")
