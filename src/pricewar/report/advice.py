"""The page of advice: what `pricewar advise` found, as one HTML file made like the report's.

The data travel inside the file; `charts/advice.js` draws them and `page/advice.js` writes them out, each
chart with its table behind. It computes no economics.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.files import write_text
from pricewar.report import HERE, LANGUAGES, LOCALES, _inert, _json, _policy, _scripts
from pricewar.report.advice_story import trigger, why
from pricewar.report.advice_words import catalogue, money, plainly, word

MODULES = ("charts/shared.js", "charts/advice.js", "page/say.js", "page/advice.js")


def html(advice: Mapping[str, Any], *, language: str = "en") -> str:
    """Advice as one self-contained page.

    Args:
        advice: what `cli.advise` found: JSON-able, None where unknown.
        language: the language the page opens in; the reader can change it.

    Raises:
        ConfigurationError: no such language.
        DataError: the data hold something JSON cannot.
    """
    if language not in LANGUAGES:
        raise ConfigurationError(
            f"the page is not written in “{language}”",
            where="language",
            remedy=did_you_mean(language, LANGUAGES) or f"choose one of {', '.join(LANGUAGES)}",
        )
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    data = _inert(advice)
    data["triggers"] = [trigger(row) for row in data["plan"]["triggers"]]
    data["looks"] = [{**row, "said": why(row)} for row in data["plan"]["look_again"]]
    data_json = _json(data)
    style = "".join((HERE / "page" / name).read_text("utf-8") for name in ("style.css", "advice.css"))
    scripts = _scripts(MODULES)
    environment = Environment(
        loader=FileSystemLoader(HERE / "page"), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
    currency = data["currency"]
    return environment.get_template("advice.html.j2").render(
        language=language,
        locale=LOCALES[language],
        w=lambda key: word(key, language),
        version=data["pricewar"],
        story=[plainly(row["key"], row["args"], currency) for row in data["story"]],
        rows=[(word(f"strategy.{o['key']}"), money(o["cost"]["mean"], currency)) for o in data["outcomes"]],
        style=style,
        scripts=scripts,
        policy=_policy(style, scripts),
        words_json=_json(catalogue()),
        data_json=data_json,
    )


def write(path: str | os.PathLike[str], advice: Mapping[str, Any], *, language: str = "en") -> Path:
    """Writes the page to `path` at once: a reader finds the old file or the new one, never half of it.

    Raises:
        ConfigurationError: the folder is missing or cannot be written.
    """
    return write_text(path, html(advice, language=language))
