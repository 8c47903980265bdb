"""Writes docs/howto.md: questions teams ask, each a command with its real output. `python docs/howto.py`.

One run of the advice on the sample log answers them all; a test holds the page against it.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

HERE = Path(__file__).parent
START, UNTIL, DRAWS = date(2026, 11, 22), date(2027, 6, 1), 120
OPTIONS = f"--only gpt-5-mini --as-of {START} --until {UNTIL} --draws {DRAWS}"

HEAD = f"""\
# How to

Made by `python docs/howto.py` from the commands themselves, on the sample log:

```sh
pricewar sample usage.csv
```

Your own log takes its place. The commands below advise on the sample's light application (`--only`; without
it one offer is sought for all of the log) on {START} in {DRAWS} futures, so that the page can be made again
to the figure; leave out `--as-of` for today and `--draws` for more futures. What your team does not say is
assumed, with reasons (`--part assumptions`): say it in a file.

```sh
pricewar advise --team-template > team.yaml
pricewar advise usage.csv --team team.yaml --html advice.html
```
"""
QUESTIONS = (
    ("What should we do?", ("do",),
     "The recommendation with its money and interval comes first, then what stands out."),
    ("Which free tier can I rely on until June?", ("free",),
     "How often each free offer still stands on that day, in futures drawn from what happened to offers\n"
     "like it, and how often with limits no lower than today's. A model marked “?” is in doubt: test it."),
    ("What does it cost me to leave?", ("leaving",),
     "The work of a move grows with use, and so does the rise of the monthly cost from which leaving pays.\n"
     "Lock-in is what the best plan pays because moving is not free."),
    ("Is the free model dearest in the end?", ("versus",),
     "A free light model, if one stands, kept for 36 months against paying from the start."),
    ("What is a second vendor worth?", ("vendors",),
     "Two offers side by side, each taking what the other refuses, against the best single one; and\n"
     "building portably, against not."),
    ("When do I look again?", ("plan",), "What to watch, and the months by which it has become likely."),
    ("Why does it cost that?", ("causes",),
     "Shapley values: the mean effect of each part over all orders of taking parts away."),
)  # fmt: skip
TAIL = """\
## Is the cheaper model good enough?

Only candidates that may be good enough are ranked. Published figures stand in and rarely decide; your own
results do. Run the same prompts on the model in use and on the candidates, and name the results (promptfoo,
lm-evaluation-harness, CSV; [formats](evidence.md)):

```sh
pricewar advise usage.csv --evals promptfoo.json --evals results/ --part offers
```

A model that is not good enough is left out by name and reason; one that the sample cannot decide says how
many more prompts would. A name that no offer has is told with the nearest one: `--model ours=gpt-5-mini` says
which model it is.

## And if the market goes another way?

Futures come from recorded history. `--market` takes them from the engine instead, month for month:

```sh
pricewar advise usage.csv --market china-2024
```
"""


def advised() -> Mapping[str, Any]:
    """The advice that the page shows."""
    from pricewar.cli.advise import advised as advise
    from pricewar.cli.options import Progress
    from pricewar.usage.sample import write_sample

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "usage.csv"
        write_sample(log)
        return advise(
            log,
            command="",
            progress=Progress(True),
            only=["gpt-5-mini"],
            as_of=START,
            until=UNTIL,
            draws=DRAWS,
        )


def page(data: Mapping[str, Any]) -> str:
    """The page for that advice."""
    text = [HEAD]
    for title, parts, words in QUESTIONS:
        chosen = " ".join(f"--part {part}" for part in parts)
        text += [f"## {title}\n", f"{words}\n", f"```sh\npricewar advise usage.csv {OPTIONS} {chosen}\n```\n"]
        text += [f"```text\n{shown(data, parts)}\n```\n"]
    return "\n".join([*text, TAIL])


def shown(data: Mapping[str, Any], parts: tuple[str, ...]) -> str:
    """What the command prints, without its first lines on the log, which are the same each time."""
    from pricewar.cli.advise_table import show

    out = io.StringIO()
    with redirect_stdout(out), patch.dict("os.environ", {"COLUMNS": "100"}):
        show(data, parts)
    _, _, body = out.getvalue().partition("\n\n")
    return "\n".join(line.rstrip() for line in body.strip("\n").split("\n"))


if __name__ == "__main__":
    (HERE / "howto.md").write_text(page(advised()), encoding="utf-8")
