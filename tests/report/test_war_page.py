"""The page of a war as text: self-contained, inert, translated; its story is the run's."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode

import pytest

from pricewar.cli.options import Progress
from pricewar.cli.war import played
from pricewar.errors import ConfigurationError, DataError
from pricewar.report import HERE, LANGUAGES, war
from pricewar.report.war_words import WORDS, catalogue, plainly


@pytest.fixture(scope="module")
def data() -> dict:
    return played(3, Progress(quiet=True), "pricewar war --seeds 3")


@pytest.fixture(scope="module")
def page(data: dict) -> str:
    return war.html(data)


def block(page: str, identity: str) -> dict:
    (text,) = re.findall(rf'<script type="application/json" id="{identity}">(.*?)</script>', page, re.S)
    return json.loads(text)


def test_nothing_is_fetched_and_the_policy_names_what_runs(page: str):
    assert not re.findall(r"<(?:link|img|iframe|object|embed|base|form)\b", page)
    assert not re.findall(r"\s(?:src|style|on\w+)=\"", re.sub(r"<script.*?</script>", "", page, flags=re.S))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src &#39;none&#39;; ")
    runs = re.findall(r"<script>(.*?)</script>", page, re.S) + re.findall(r"<style>(.*?)</style>", page, re.S)
    assert len(runs) == 4
    for text in runs:
        assert b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy


def test_the_data_travel_unharmed(page: str, data: dict):
    assert block(page, "data") == data
    assert len(page.encode()) < 1_500_000


def test_every_word_in_every_language():
    for key, texts in WORDS.items():
        assert len(texts) == len(LANGUAGES), key
        assert all(texts), key
        places = [sorted(set(re.findall(r"\{(\w+(?::(?!\w*\s*\w*\|)\w+)?)\}", text))) for text in texts]
        assert all(p == places[0] for p in places), (key, places)
    assert {frozenset(words) for words in catalogue().values()} == {frozenset(catalogue()["en"])}


def test_every_word_used_is_there(data: dict):
    scripts = "\n".join((HERE / name).read_text("utf-8") for name in war.MODULES)
    template = (HERE / "page" / "war.html.j2").read_text("utf-8")
    used = set(re.findall(r"speech\.(?:word|text)\(\s*\"([a-z_.]+)\"", scripts))
    for pattern in (r"data-word=\"([a-z_.]+)\"", r"w\(\"([a-z_.]+)\"\)", r"card\(\"\w+\", \"([a-z_.]+)\""):
        used |= set(re.findall(pattern, template))
    used |= {f"line.{line['key']}" for line in data["lines"]}
    used |= {row["key"] for part in ("story", "missed") for row in data[part]}
    used |= {f"stage.{name}" for name in ("launch", "promotion", "war", "consolidation", "harvest", "out")}
    assert len(used) > 50
    assert used <= set(catalogue()["en"]), used - set(catalogue()["en"])


def test_no_two_scripts_share_a_name():
    names: list[str] = []
    for name in war.MODULES:
        text = (HERE / name).read_text("utf-8")
        names += re.findall(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", text, re.M)
    assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})


def test_sentences_take_their_figures_from_the_run():
    args = {"vendor": "X", "chance": 0.125}
    assert plainly("say.opener", args) == "X, which opened it in history, does so in 13%."  # halves up
    assert plainly("say.opener", {"vendor": "X", "chance": None}) is None
    assert plainly("say.cost", {"cover": 0.5, "subsidy": 2.5e9, "share": 0.2}, "CNY") == (
        "At its worst a quarter's revenue covers 50% of what serving costs; CNY 2.5 bn is burned below cost, "
        "20% of all revenue."
    )


def test_hostile_names_stay_text(data: dict):
    evil = "</script><script>alert(1)</script>\u202e"
    text = war.html({**data, "title": evil, "command": evil})
    assert "<script>alert" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_opens_in_the_language_asked_for(data: dict, language: str):
    text = war.html(data, language=language)
    assert f'data-language="{language}"' in text
    assert f"<title>{WORDS['title'][LANGUAGES.index(language)]} · pricewar</title>" in text


def test_what_cannot_be_written(data: dict):
    with pytest.raises(ConfigurationError, match="choose one of en, zh, ja"):
        war.html(data, language="tlh")
    with pytest.raises(DataError):
        war.html({**data, "x": float("nan")})
