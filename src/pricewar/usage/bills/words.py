"""Meters and models out of the names that bills give them: `gpt-4o-mini-0718-Inp-glbl Tokens`.

Clouds name a model, what is metered and how it was served in one string, abbreviated in many ways. The rule:
the string is cut into words (at blanks, hyphens, changes of case, and between letters and digits); words for
input, output, cache and tier tell the meter; the model is what stands before the first of them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

INPUT: Final = frozenset({"input", "inputs", "inp", "inpt", "prompt", "uncached", "输入"})
OUTPUT: Final = frozenset(
    {"output", "outputs", "outp", "outpt", "otpt", "opt", "out", "completion", "generated", "输出"}
)
CACHED: Final = frozenset({"cache", "cached", "caching", "cach", "cchd", "chd", "cd", "缓存"})
READ: Final = frozenset({"read", "reads", "hit", "hits", "命中", "读取"})
WRITTEN: Final = frozenset({"write", "writes", "written", "wr", "creation", "create", "创建", "写入"})
STORED: Final = frozenset({"storage", "存储"})
REASONING: Final = frozenset({"reasoning", "thought", "thoughts"})
EMBEDDING: Final = frozenset({"embedding", "embeddings", "embed"})
SEARCH: Final = frozenset({"search", "searches", "搜索", "检索"})
TIERS: Final = {
    "batch": "batch", "批量": "batch", "flex": "flex", "priority": "priority", "pp": "priority",
    "provisioned": "provisioned", "ptu": "provisioned", "reserved": "provisioned",
}  # fmt: skip
OTHER_MEDIA: Final = frozenset(
    {"image", "images", "img", "audio", "aud", "video", "speech", "图像", "图片", "音频", "视频"}
)
NOISE: Final = frozenset(
    {
        *("token", "tokens", "units", "unit", "count", "glbl", "global", "gl", "regnl", "regional", "rg"),
        *("data", "zone", "datazone", "dzone", "dzn", "dz", "standard", "std", "cross", "region", "geo"),
        *("mantle", "infer", "inference", "invoke", "text", "推理", "以内", "in"),
    }
)
_STOPS = INPUT | OUTPUT | CACHED | READ | WRITTEN | STORED | set(TIERS) | NOISE
_CHINESE = re.compile(
    "|".join(sorted((w for w in _STOPS | OTHER_MEDIA if not w.isascii()), key=len, reverse=True))
)
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]|\d+[hm]\b|\d+[hm](?=[A-Z_\-\s])|\d+")
_SIZE = re.compile(r"-?\d+[kK]以内|\b(?:Short|Long)Co\b")
_PLACE = r"(?:US|EU|AP|CA|SA|ME|AF|IL|MX|UG)[A-Z]{0,2}\d{0,2}"
_REGION = re.compile(rf"{_PLACE}-(?:MP:{_PLACE}_)?")
"""AWS writes the region before a usage type, and sold by others also after `MP:`."""


def _pieces(text: str) -> list[str]:
    found = [piece.lower() for piece in _PIECE.findall(text)]
    return found + _CHINESE.findall(text)


@lru_cache(maxsize=4096)
def meter(text: str) -> tuple[str | None, str | None]:
    """The meter and the tier a name tells, each None where it does not.

    Cache writes whose lifetime is not told are taken as five minutes. A name that says both input and output
    tells no meter, nor does one that counts images or sound, whose tokens have prices of their own.
    """
    words = set(_pieces(unicodedata.normalize("NFKC", text)))
    tier = next((TIERS[word] for word in TIERS if word in words), None)
    inside, outside = bool(words & INPUT), bool(words & OUTPUT)
    if words & OTHER_MEDIA or words & STORED:
        return None, tier
    if words & CACHED:
        if words & WRITTEN:
            return (
                "cache_write_1h" if words & {"1h", "1小时"} or "1小时" in text else "cache_write_5m"
            ), tier
        return "cache_read", tier
    if words & REASONING and not inside and not outside:
        return "reasoning", tier
    if inside != outside:
        return ("input" if inside else "output"), tier
    if words & EMBEDDING and not inside:
        return "input", tier  # an embedding has no other side
    return ("search" if words & SEARCH and not inside else None), tier


@lru_cache(maxsize=4096)
def model(text: str) -> str | None:
    """The model a metered name begins with, in lower case and with hyphens; None when it begins with none."""
    plain = _REGION.sub("", _SIZE.sub(" ", unicodedata.normalize("NFKC", text).strip()), count=1)
    words = [word for word in re.split(r"[\s\-_/,;|()]+", _CHINESE.sub(" 推理 ", plain)) if word]
    kept: list[str] = []
    for word in words:
        if _stops(word) and not (word.lower() == "text" and not kept):
            break
        kept.append(word)
    name = "-".join(kept).lower().strip("-.:")
    return name or None


def _stops(word: str) -> bool:
    """Whether a word belongs to the meter, alone or run together: `Outp`, `BatchOutp`, `1M`."""
    if word.upper() in ("1K", "1M"):
        return True
    pieces = _pieces(word)
    return any(piece in _STOPS for piece in pieces) and all(
        piece in _STOPS or piece.isdigit() or piece == "1h" for piece in pieces
    )
