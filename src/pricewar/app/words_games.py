"""The words of the games: key → (English, 简体中文, 日本語); keys begin with `games.`."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[str, str, str]]] = {}
