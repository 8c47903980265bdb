"""Notes to the reader: English text that also carries a key and arguments, so that faces can say it in any
language. Where a note is told apart, joined or searched it is the text that it is."""

from __future__ import annotations

from typing import Any


class Note(str):
    """`text`, and the same as a key with arguments (JSON-able)."""

    __slots__ = ("args", "key")
    key: str
    args: dict[str, Any]

    def __new__(cls, text: str, key: str = "", **args: Any) -> Note:
        note = super().__new__(cls, text)
        note.key, note.args = key, args
        return note

    def said(self) -> dict[str, Any]:
        """As JSON: `key`, `args` and `text`."""
        return {"key": f"note.{self.key}", "args": self.args, "text": str(self)}
