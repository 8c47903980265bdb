"""Definitions: YAML with line numbers.

Scalars are read as text (a YAML float would corrupt a price), so the model that validates them decides what
they mean; a mistake is reported at file, line and key, with the nearest known key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pricewar.errors import DefinitionError, did_you_mean
from pricewar.units import exact

Model = TypeVar("Model")
Key = tuple[str | int, ...]
MOST, DEEPEST = 300_000, 60
"""Values in a document, and their depth: aliases that repeat one another would fill the memory."""


class Document:
    """One YAML document: plain data whose scalars are text, and the line of every key.

    Attributes:
        data: mappings, lists, text and None.
        source: what to call the file in messages.
    """

    def __init__(self, data: Any, lines: Mapping[Key, int], source: str) -> None:
        self.data, self.lines, self.source = data, lines, source

    def where(self, key: Key) -> str:
        """`file:line: key` of the nearest enclosing node that exists in the text."""
        at = key
        while at and at not in self.lines:
            at = at[:-1]
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
        return f"{self.source}:{self.lines.get(at, 1)}" + (f": {path}" if path else "")

    def at(self, *key: str | int) -> Document:
        """The part of the document under `key`, keeping its lines."""
        data = self.data
        for part in key:
            data = data[part]
        lines = {k[len(key) :]: n for k, n in self.lines.items() if k[: len(key)] == key}
        return Document(data, lines, self.source)

    def validate(self, model: type[Model]) -> Model:
        """The document as a pydantic model.

        Raises:
            DefinitionError: naming file, line and key of the first mistake, and how many more there are.
        """
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(model).validate_python(self.data)
        except ValidationError as error:
            raise self._explained(error, model) from None

    def _explained(self, error: Any, model: Any) -> DefinitionError:
        problems = error.errors(include_url=False)
        # A union reports every member's complaint; the deepest one is the reader's mistake.
        first = max(problems, key=lambda p: (len(self._existing(p["loc"])), p["type"] == "extra_forbidden"))
        key = self._existing(first["loc"])
        remedy = None
        if first["type"] == "extra_forbidden":
            key = tuple(first["loc"])
            what = f"unknown key “{key[-1]}”"
            remedy = did_you_mean(str(key[-1]), _field_names(model)) or "remove it"
        elif first["type"] == "missing":
            what = f"“{first['loc'][-1]}” is missing"
            remedy = "add it; a value nobody has published is written `unknown`"
        elif first["type"] == "literal_error":
            what = f"“{first['input']}” is not one of {first['ctx']['expected']}"
            expected = [word.strip("' ") for word in first["ctx"]["expected"].replace(" or ", ",").split(",")]
            remedy = did_you_mean(str(first["input"]), expected)
        else:
            what, remedy = _said(first, model)
        others = len({p["loc"] for p in problems}) - 1
        if others > 0:
            what += f" (and {others} more)"
        return DefinitionError(what, where=self.where(key), remedy=remedy)

    def _existing(self, loc: tuple[Any, ...]) -> Key:
        """`loc` without the names of models and union members that pydantic puts between keys."""
        key: Key = ()
        for part in loc:
            if (*key, part) in self.lines:
                key = (*key, part)
        return key


PLAIN = {
    "int_parsing": ("is not a whole number", "write one such as 12"),
    "int_type": ("is not a whole number", "write one such as 12"),
    "bool_parsing": ("is neither yes nor no", "write true or false"),
    "list_type": ("is not a list", "write [first, second]"),
    "tuple_type": ("is not a list", "write [first, second]"),
    "dict_type": ("is not keys and values", "write {key: value}, or the keys indented below"),
    "model_type": ("is not keys and values", "write {key: value}, or the keys indented below"),
    "string_type": ("is not a name", "write one word or text in quotes"),
}
"""What pydantic's complaints mean to whoever wrote the YAML, and what to write."""


def _said(problem: Any, model: Any) -> tuple[str, str | None]:
    """A value's mistake in plain words, and what to write instead."""
    given = problem.get("input")
    shown = f"“{given}”" if isinstance(given, str) else "a list" if isinstance(given, list) else "this"
    if given is None:
        return "nothing is written", "write a value, or leave the key out"
    if problem["type"] in PLAIN:
        what, remedy = PLAIN[problem["type"]]
        keys = _keys(model, problem.get("ctx", {}).get("class_name"))
        return f"{shown} {what}", f"its keys are {', '.join(keys)}" if keys else remedy
    if problem["type"] in ("too_long", "too_short"):
        return f"{problem['ctx']['actual_length']} values are not as many as it takes", PLAIN["tuple_type"][1]
    what = problem["msg"].removeprefix("Value error, ").replace("Input should be ", "must be ")
    if problem["type"] == "string_pattern_mismatch" and problem["ctx"]["pattern"] == "^[A-Z]{3}$":
        return f"{shown} is not a currency's code", "write three capitals such as USD"
    if isinstance(given, str):
        what += "" if given in what else f": {shown}"
        if given.endswith("%") and (share := _percent(given)):
            return what, f"a share is a plain number: write {share}"
        if "whole number" in what:
            return what, PLAIN["int_type"][1]
        if "decimal number" in what:
            return what, "write a plain number such as 1200 or 0.05"
        if "between 0 and 1" in what:
            return what, "such as 0.05 for 5%"
    return what, None


def _percent(text: str) -> str | None:
    """“10%” as the number it means."""
    try:
        return f"{float(exact(text[:-1].strip()) / 100):g}"
    except ValueError:
        return None


def _keys(model: Any, name: str | None) -> list[str]:
    """The keys of the model called `name` within `model`."""
    return next((list(kind.model_fields) for kind in _models(model) if kind.__name__ == name), [])


def _models(model: Any) -> list[Any]:
    """Every model that may stand somewhere in `model`, itself first."""
    found: list[Any] = []
    waiting = [model]
    while waiting:
        kind = waiting.pop()
        waiting.extend(get_args(kind))
        if isinstance(kind, type) and kind not in found and hasattr(kind, "model_fields"):
            found.append(kind)
            waiting.extend(field.annotation for field in kind.model_fields.values())  # type: ignore[attr-defined]
    return found


def _field_names(model: Any) -> set[str]:
    """Every key that may stand somewhere in `model`."""
    return {field.alias or name for kind in _models(model) for name, field in kind.model_fields.items()}


def parse(text: str, source: str) -> list[Document]:
    """Every YAML document in `text`.

    Raises:
        DefinitionError: the text is no YAML, a key stands twice, or a key is not plain text.
    """
    import yaml

    loader_type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=loader_type) if node is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or "this is not YAML"
        raise DefinitionError(problem, where=where, remedy="check indentation, colons and quotes") from None
    documents = []
    for node in nodes:
        lines: dict[Key, int] = {}
        documents.append(Document(_plain(node, (), lines, source), lines, source))
    return documents


def load(path: Path, *, name: str | None = None) -> list[Document]:
    """Every YAML document of a file; `name` is what messages call it.

    Raises:
        DefinitionError: the file cannot be read or is no YAML in UTF-8.
    """
    source = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DefinitionError(f"cannot be read: {error.strerror}", where=source) from None
    except UnicodeDecodeError as error:
        raise DefinitionError(
            f"byte {error.start} is not UTF-8", where=source, remedy="save it as UTF-8"
        ) from None
    return parse(text, source)


def _plain(node: Any, key: Key, lines: dict[Key, int], source: str) -> Any:
    import yaml

    if len(lines) >= MOST or len(key) > DEEPEST:
        raise DefinitionError(
            f"more than {MOST:,} values, or nested more than {DEEPEST} deep",
            where=f"{source}:{node.start_mark.line + 1}",
            remedy="write fewer, and mind aliases (*name) that repeat one another",
        )
    lines[key] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        # The C loader gives plain scalars the style "", the other one None.
        return None if not node.style and node.value in ("", "null", "~") else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*key, i), lines, source) for i, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for name_node, child in node.value:
        where = f"{source}:{name_node.start_mark.line + 1}"
        if not isinstance(name_node, yaml.ScalarNode):
            raise DefinitionError("a key must be plain text", where=where)
        name = name_node.value
        if name in result:
            raise DefinitionError(f"“{name}” stands twice", where=where, remedy="keep one of them")
        result[name] = _plain(child, (*key, name), lines, source)
        lines[(*key, name)] = name_node.start_mark.line + 1
    return result
