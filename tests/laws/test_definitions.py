"""What YAML scalars mean."""

from __future__ import annotations

import pytest

from pricewar.definitions import parse
from pricewar.errors import DefinitionError


def test_only_a_plain_null_is_nothing() -> None:
    """Text stays text, digits and all; a quoted null is a word."""
    (document,) = parse("a: ~\nb: null\nc:\nd: '~'\ne: \"null\"\nf: 1.50\ng: no\n", "made.yaml")
    assert document.data == {"a": None, "b": None, "c": None, "d": "~", "e": "null", "f": "1.50", "g": "no"}


def test_aliases_that_repeat_one_another_are_refused() -> None:
    """Nine lines that mean ten to the ninth values, and one that means itself."""
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text in (bomb, "a: &a [1, *a]\n"):
        with pytest.raises(DefinitionError, match=r"made.yaml:\d+"):
            parse(text, "made.yaml")
