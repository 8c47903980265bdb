"""A team's file to fill in: every setting of `advice.team.Team` with its unit, default and reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

HEAD = """\
# A team, for `pricewar advise LOG --team FILE`.
# Take the # from the lines you know something about; the rest stands as written here, and what is marked
# “example” is not assumed at all. Shares are numbers such as 0.05; money is in `currency`.

"""
EXAMPLES = {
    "present": "{offer: openai/gpt-5-mini, months: 6}",
    "must_have.regions": "[eu]",
    "must_have.context": "100000",
    "quality.pass_rate": "0.9",
    "ecosystem": "{google: {gain: [0, 200], loss: 1000}}",
    "revenue": "5",
    "refused": "0.002",
}
"""Of settings that have no default, by key."""
WIDTH = 34


def template() -> str:
    """The file, every setting commented out."""
    from pricewar.advice.team import DAY_USD, Team

    standing = Team().model_copy(update={"engineer_day": DAY_USD})  # what None of it means in dollars
    return HEAD + "\n".join(f"# {line}".rstrip() for line in _lines(standing, "", 0)) + "\n"


def _lines(record: Any, prefix: str, depth: int) -> Iterator[str]:
    from pricewar.offers.schema import Record

    for name, field in type(record).model_fields.items():
        value, key, indent = getattr(record, name), f"{prefix}{name}", "  " * depth
        extra = field.json_schema_extra
        if isinstance(extra, Mapping):
            example = EXAMPLES.get(key)
            said = f"{indent}{name}: {example if example is not None else _text(value)}"
            words = [str(extra["unit"]), "example" if example is not None else "", str(extra["why"])]
            yield f"{said:<{WIDTH}}  # {'; '.join(w for w in words if w)}"
        elif isinstance(value, Record):
            yield f"{indent}{name}:"
            yield from _lines(value, f"{key}.", depth + 1)


def _text(value: Any) -> str:
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
