"""The page of advice: what `pricewar advise` found, as one HTML file made like the report's.

The data travel inside the file; `charts/advice.js` draws them and `page/advice.js` writes them out, each
chart with its table behind. It computes no economics.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pricewar.files import write_text
from pricewar.report import inert, page
from pricewar.report.advice_story import looks, source, trigger, why
from pricewar.report.advice_words import catalogue, money, plainly, word

MODULES = (
    "charts/shared.js",
    "charts/advice.js",
    "page/say.js",
    "page/frame.js",
    "page/advice_view.js",
    "page/advice.js",
)


def html(advice: Mapping[str, Any], *, language: str = "en") -> str:
    """Advice as one self-contained page.

    Args:
        advice: what `cli.advise` found: JSON-able, None where unknown.
        language: the language the page opens in; the reader can change it.

    Raises:
        ConfigurationError: no such language.
        DataError: the data hold something JSON cannot.
    """
    data = shown(inert(advice))
    currency = data["currency"]
    return page(
        "advice.html.j2",
        data,
        language=language,
        styles=("style.css", "advice.css"),
        modules=MODULES,
        word=word,
        words=catalogue(),
        fill=lambda: {
            "version": data["pricewar"],
            "story": [plainly(row["key"], row["args"], currency) for row in data["story"]],
            "rows": [
                (word(f"strategy.{o['key']}"), money(o["cost"]["mean"], currency)) for o in data["outcomes"]
            ],
        },
    )


def shown(advice: Mapping[str, Any]) -> dict[str, Any]:
    """Advice with its triggers and reasons to look again as sentences, as the scripts take it."""
    return {
        **advice,
        "triggers": [trigger(row) for row in advice["plan"]["triggers"]],
        "looks": [{**row, "said": why(row)} for row in looks(advice)],
        "source": source(advice),
    }


def write(path: str | os.PathLike[str], advice: Mapping[str, Any], *, language: str = "en") -> Path:
    """Writes the page to `path` at once: a reader finds the old file or the new one, never half of it.

    Raises:
        ConfigurationError: the folder is missing or cannot be written.
    """
    return write_text(path, html(advice, language=language))
