"""The report: one HTML file that answers, shows why, and needs neither network nor server.

`html(comparison)` presents what billing found; it computes no economics. The comparison travels inside the
file as JSON, and the scripts under `charts/` and `page/` write it out. Nothing from the data is ever markup:
Python takes control characters out, JSON stands in a data block, and the scripts make text nodes only. A
content security policy lets run exactly the scripts and styles put in here and forbids every request.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pricewar.errors import ConfigurationError, DataError, did_you_mean
from pricewar.files import write_text
from pricewar.report.words import LANGUAGES, catalogue, word

__all__ = ["LANGUAGES", "html", "write"]

HERE = Path(__file__).parent
VENDORED = ("d3/d3.min.js", "plot/plot.umd.min.js")
MODULES = (
    "charts/shared.js",
    "charts/gap.js",
    "charts/served.js",
    "charts/load.js",
    "page/say.js",
    "page/frame.js",
    "page/bill.js",
    "page/bills_view.js",
    "page/main.js",
)
LOCALES = {"en": "en", "zh": "zh-CN", "ja": "ja-JP"}
CHART_CLASS = "pw-plot"  # PLOT_CLASS of charts/shared.js
CHART_STYLE = """:where(.plot) {
  --plot-background: white;
  display: block;
  height: auto;
  height: intrinsic;
  max-width: 100%;
}
:where(.plot text),
:where(.plot tspan) {
  white-space: pre;
}""".replace(".plot", f".{CHART_CLASS}")
"""The style element Plot puts into every picture; the policy names its hash."""

_IMPORT = re.compile(r"^import \{[^}]*\} from \"[^\"]+\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function|class|const)", re.MULTILINE)


def html(comparison: Mapping[str, Any], *, language: str = "en") -> str:
    """The comparison as one self-contained page.

    Args:
        comparison: what billing found: JSON-able, amounts as decimal text, None where unknown.
        language: the language the page opens in; the reader can change it.

    Raises:
        ConfigurationError: no such language.
        DataError: the comparison holds something JSON cannot.
    """
    data = inert(comparison)
    return page(
        "report.html.j2",
        data,
        language=language,
        styles=("style.css",),
        modules=MODULES,
        word=word,
        words=catalogue(),
        fill=lambda: {
            "data": {"pricewar": data.get("pricewar", ""), "currency": data.get("currency", "")},
            "ranking": [
                {"rank": None, "total": None, "id": "", **offer} for offer in data.get("offers", [])[:100]
            ],
        },
    )


def page(
    template: str,
    content: Any,
    *,
    language: str,
    styles: Sequence[str],
    modules: tuple[str, ...],
    word: Callable[[str, str], str],
    words: Mapping[str, Any],
    fill: Callable[[], Mapping[str, Any]],
) -> str:
    """One self-contained page: what the report, the page of a war and that of advice have in common.

    Args:
        content: the data that travel inside, made `inert`.
        styles, modules: files under `page/` and scripts, in order.
        word, words: a word in the page's language, and all of them for the scripts.
        fill: what else the template names; asked once the data are known to be JSON.

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

    data_json = _json(content)
    style = "".join((HERE / "page" / name).read_text("utf-8") for name in styles)
    scripts = _scripts(modules)
    environment = Environment(
        loader=FileSystemLoader(HERE / "page"), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
    return environment.get_template(template).render(
        language=language,
        locale=LOCALES[language],
        w=lambda key: word(key, language),
        style=style,
        scripts=scripts,
        policy=_policy(style, scripts),
        words_json=_json(words),
        data_json=data_json,
        **fill(),
    )


def write(path: str | os.PathLike[str], comparison: Mapping[str, Any], *, language: str = "en") -> Path:
    """Writes the page to `path` at once: a reader finds the old file or the new one, never half of it.

    Raises:
        ConfigurationError: the folder is missing or cannot be written.
    """
    return write_text(path, html(comparison, language=language))


_BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff" + "".join(map(chr, sorted(_BIDI))) + "]"
)


def inert(value: Any) -> Any:
    """The data with control characters, escape codes and overrides of direction made visible."""
    if isinstance(value, str):
        return _UNSEEN.sub(_visible, value)
    if isinstance(value, Mapping):
        return {inert(str(key)): inert(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [inert(item) for item in value]
    return value


def _json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the comparison cannot be written as JSON: {error}",
            where="comparison",
            remedy="give amounts as decimal text and None where a value is unknown",
        ) from error
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _scripts(names: tuple[str, ...] = MODULES) -> tuple[str, ...]:
    """The scripts in the order they run: the vendored ones as published, then ours (`names`) as one.

    Modules cannot import one another inside a single file, so their import and export words fall away and
    they share one scope; a test holds that their names do not meet.
    """
    vendored = tuple((HERE / "vendor" / name).read_text("utf-8") for name in VENDORED)
    modules = ((HERE / name).read_text("utf-8") for name in names)
    ours = "\n".join(_EXPORT.sub("", _IMPORT.sub("", module)) for module in modules)
    return (*vendored, f'"use strict";\n(() => {{\n{ours}\n}})();\n')


def _policy(style: str, scripts: tuple[str, ...]) -> str:
    def hashed(text: str) -> str:
        return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(hashed, scripts))}",
            f"style-src {hashed(style)} {hashed(CHART_STYLE)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
