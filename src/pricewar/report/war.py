"""The page of a war: what `pricewar war` found, as one HTML file made like the report's.

The data travel inside the file; `charts/war.js` draws them and `page/war.js` writes them out, each chart with
its table behind. It computes no economics.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pricewar.files import write_text
from pricewar.report import inert, page
from pricewar.report.war_words import catalogue, plainly, word

MODULES = ("charts/shared.js", "charts/war.js", "page/say.js", "page/frame.js", "page/war.js")


def html(war: Mapping[str, Any], *, language: str = "en") -> str:
    """The war as one self-contained page.

    Args:
        war: what `cli.war` found: JSON-able, None where unknown.
        language: the language the page opens in; the reader can change it.

    Raises:
        ConfigurationError: no such language.
        DataError: the data hold something JSON cannot.
    """
    data = inert(war)
    currency = data.get("currency", "")
    return page(
        "war.html.j2",
        data,
        language=language,
        styles=("style.css", "war.css"),
        modules=MODULES,
        word=word,
        words=catalogue(),
        fill=lambda: {
            "version": data.get("pricewar", ""),
            "story": [
                text for row in data.get("story", []) if (text := plainly(row["key"], row["args"], currency))
            ],
            "lines": data.get("lines", []),
        },
    )


def write(path: str | os.PathLike[str], war: Mapping[str, Any], *, language: str = "en") -> Path:
    """Writes the page to `path` at once: a reader finds the old file or the new one, never half of it.

    Raises:
        ConfigurationError: the folder is missing or cannot be written.
    """
    return write_text(path, html(war, language=language))
