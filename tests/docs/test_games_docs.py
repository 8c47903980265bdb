"""The games' documentation: its code runs, its tables name what exists."""

import importlib
import inspect
import re
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import pytest

from pricewar.games.solution import catalogue

DOCS = Path(__file__).parents[2] / "docs"
GAMES = (DOCS / "games.md").read_text()
NOTATION = (DOCS / "notation_games.md").read_text().partition("## Common")[2]  # after the explanation
BLOCKS = re.findall(r"```python\n(.*?)```", GAMES, re.DOTALL)
NAMES = sorted(set(re.findall(r"`([a-z_0-9]+\.[A-Za-z_.0-9]+)`(?: `(\w+)`)?", NOTATION)))
POLICIES = sorted(set(re.findall(r"`([a-z0-9-]+): (\w+)`", NOTATION)))


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_code_runs(block, capsys):
    exec(compile(block, "docs/games.md", "exec"), {})
    assert capsys.readouterr().out


@pytest.mark.parametrize(("name", "argument"), NAMES)
def test_names_exist(name, argument):
    module, owner, *attribute = name.split(".")
    thing = getattr(importlib.import_module(f"pricewar.games.{module}"), owner)
    for part in attribute:
        known = {f.name for f in fields(thing)} if is_dataclass(thing) else set()
        assert part in known or hasattr(thing, part), name
    if argument:
        assert argument in inspect.signature(thing).parameters


@cache
def policy_of(name):
    return catalogue()[name].solve().policy


@pytest.mark.parametrize(("game", "key"), POLICIES)
def test_policies_exist(game, key):
    assert key in policy_of(game)


def test_every_game_is_in_the_table_and_in_the_notation():
    table = set(re.findall(r"^\| `([a-z0-9-]+)` \|", GAMES, re.MULTILINE))
    assert table == set(catalogue())
    without = {"learning-bdks2010", "lq-adjustment"}  # their symbols are another game's
    assert {g for g, _ in POLICIES} | without == set(catalogue())
