"""The page on advice says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from pricewar.advice import team
from pricewar.advice.rules import TITLES

PAGE = (Path(__file__).parents[2] / "docs" / "advice.md").read_text(encoding="utf-8")


def test_the_profile_shown_is_the_default() -> None:
    shown = re.search(r"```yaml\n(.*?)```", PAGE, re.S)
    assert shown
    assert team.of(shown[1]) == team.Team()
    plain = team.of(re.sub(r"(?m)^( *)# (\w+:)", r"\1\2", shown[1]))
    keys = {a.key for a in plain.assumptions() if a.given}
    assert keys == {a.key for a in team.Team().assumptions()}


def test_every_strategy_is_named() -> None:
    for key in TITLES:
        assert f"`{key}`" in PAGE


def test_the_example_names_what_there_is() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.S)
    assert code
    imports = "\n".join(line for line in code[1].splitlines() if line.startswith(("from", "import")))
    exec(compile(imports, "docs/advice.md", "exec"), {})
    compile(code[1], "docs/advice.md", "exec")


def test_notation_names_fields_that_there_are() -> None:
    from pricewar.advice import result
    from pricewar.advice.team import Switching
    from pricewar.futures.contract import Futures
    from pricewar.study.results import Results

    homes = {cls.__name__: cls for cls in (Futures, Results, Switching)} | vars(result)
    text = (Path(__file__).parents[2] / "NOTATION.md").read_text(encoding="utf-8")
    part = text.partition("## Futures and advice\n")[2].partition("\n## ")[0]
    named = re.findall(r"`([A-Z]\w+)\.(\w+)`", part)
    assert len(named) > 20
    for home, name in named:
        fields = {*getattr(homes[home], "__annotations__", ()), *getattr(homes[home], "model_fields", ())}
        assert name in fields, f"{home}.{name}"
