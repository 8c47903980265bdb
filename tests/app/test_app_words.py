"""The app's words: every language says the same, and everything the page can name has a name."""

import re
from pathlib import Path

import pytest

from pricewar import app, report
from pricewar.app.levers import POLICIES
from pricewar.app.war import KPIS
from pricewar.app.war_runs import WORLDS
from pricewar.app.words import LANGUAGES, catalogue, word
from pricewar.app.words_levers import WORDS as LEVERS
from pricewar.app.words_war import WORDS as WAR

PAGE = Path(app.__file__).parent / "page"
CHARTS = Path(report.__file__).parent / "charts"
PLACE = re.compile(r"\{(\w+)(?::([^}]*))?\}")
OURS = (
    "main.js",
    "parts.js",
    "state.js",
    "wire.js",
    "war.js",
    "war_levers.js",
    "war_panels.js",
    "war_why.js",
)


def places(text: str) -> set[tuple[str, str]]:
    """The places of a sentence; a choice by number ({n:one|other}) is a language's own affair."""
    return {(name, how) for name, how in PLACE.findall(text) if "|" not in how}


def test_every_word_stands_in_every_language_with_the_same_places():
    english = catalogue()["en"]
    for language in LANGUAGES:
        assert set(catalogue()[language]) == set(english)
        for key, text in catalogue()[language].items():
            assert text.strip() or english[key] == "", (language, key)
            assert places(text) == places(english[key]), (language, key)


def test_chinese_and_japanese_are_not_left_in_english():
    written = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")

    def sentence(text: str) -> bool:
        return len(re.findall(r"[A-Za-z]{4,}", re.sub(r"\{[^}]*\}", "", text))) >= 2

    plain = {key for key, (en, *other) in WAR.items() if sentence(en) and not all(map(written.search, other))}
    assert plain <= {"war.unit.GPU-month/FLOP"}


def test_every_word_the_page_asks_for_is_there():
    scripts = "\n".join((PAGE / name).read_text("utf-8") for name in OURS)
    template = (PAGE / "index.html.j2").read_text("utf-8")
    asked = set(re.findall(r"(?:word|text|sentence)\(\s*\"([a-z_. ]+)\"", scripts))
    asked |= set(re.findall(r"w\(\"([a-z_.]+)\"\)", template))
    asked |= set(re.findall(r"data-(?:word|title)=\"([a-z_.]+)\"", template))
    assert len(asked) > 50
    assert asked <= set(catalogue()["en"]), asked - set(catalogue()["en"])


def test_no_word_of_the_war_room_is_left_over():
    scripts = "\n".join((PAGE / name).read_text("utf-8") for name in OURS)
    python = "\n".join(path.read_text("utf-8") for path in PAGE.parent.glob("war*.py"))
    begun = tuple(re.findall(r"`(war\.[a-z_.]+\.)\$\{", scripts))
    left = [
        k
        for k in WAR
        if k.startswith("war.") and k not in scripts and k not in python and not k.startswith(begun)
    ]
    begun_later = ("war.falls", "war.rises")  # `war.${way}`
    assert set(left) <= set(begun_later), left


@pytest.mark.parametrize("name", WORLDS.names())
def test_everything_of_a_market_has_a_name(name: str):
    world, known = WORLDS.world(name), catalogue()["en"]
    groups = {*world.market.vendors, *world.market.segments}
    for lever in world.levers.values():
        assert lever.what in LEVERS, lever.key
        assert lever.group in groups or f"war.group.{lever.group}" in known, lever.group
        assert f"war.unit.{lever.unit.replace(world.market.currency, 'money')}" in known, lever.unit
        assert f"war.confidence.{lever.confidence}" in known
    assert {f"war.segment.{s}" for s in world.market.segments} <= set(known)
    assert f"war.market.{name}" in known


def test_presets_and_figures_have_names():
    known = catalogue()["zh"]
    assert {f"war.preset.{key}" for key in POLICIES} <= set(known)
    assert {f"war.kpi.{key}" for key in KPIS} <= set(known)


def test_no_script_of_the_page_makes_markup_of_text():
    for path in (*PAGE.glob("*.js"), *CHARTS.glob("*.js")):
        text = path.read_text("utf-8")
        for what in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", "new Function", "document.write"):
            assert what not in text, (path.name, what)
    template = (PAGE / "index.html.j2").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))|\son\w+=|\sstyle=", template)


def test_a_word_in_one_language():
    assert word("war.levers", "zh") == "调节项"
