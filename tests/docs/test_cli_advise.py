"""`pricewar advise` as a team meets it: the file to fill in, the how-tos, errors with their remedies."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pricewar.cli import cli
from pricewar.errors import ConfigurationError, DataError, DefinitionError, PricewarError

ROOT = Path(__file__).parents[2]
OFFERS = ("openai/gpt-5-mini", "google/gemma-3-27b-free", "deepseek/deepseek-v3.2", "vercel/ai-gateway-free")


def log(path: Path, days: int, model: str = "gpt-5-mini") -> Path:
    rows = [
        f"2026-11-{d:02d}T{h:02d}:15:00Z,{model},{20_000 + 500 * h},{1_000 + 10 * d}"
        for d in range(1, days + 1)
        for h in range(8, 20)
    ]
    path.write_text("time,model,input,output\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def advise(*words: object) -> Any:
    """On a day of its own: what is sold on another is another."""
    given = [str(word) for word in words]
    day = [] if "--as-of" in given else ["--as-of", "2026-11-22"]
    return CliRunner().invoke(cli, ["advise", *given, *day, "--quiet"], standalone_mode=False)


def fails(kind: type[PricewarError], code: int, *said: str, words: list[object]) -> None:
    reply = advise(*words)
    assert isinstance(reply.exception, kind), reply.exception
    assert reply.exception.exit_code == code
    assert reply.exception.remedy
    for text in said:
        assert text in str(reply.exception)


def test_the_file_to_fill_in_is_a_team() -> None:
    from pricewar.advice import team as teams

    reply = CliRunner().invoke(cli, ["advise", "--team-template"], standalone_mode=False)
    assert reply.exit_code == 0
    lines = reply.output.splitlines()
    settings = [line[2:] for line in lines[lines.index("") + 1 :]]
    found = teams.of("\n".join(settings))
    assert found.engineer_day == 800
    standing = {a.key: a.value for a in teams.Team().assumptions()}
    for a in found.assumptions():
        line = next(s for s in settings if s.strip().startswith(a.key.split(".")[-1] + ":"))
        assert "#" in line
        assert "example" in line or a.key == "engineer_day" or a.value == standing[a.key], a.key
    assert teams.of(reply.output) == teams.Team()  # as it is, everything is a comment


def test_a_wrong_profile_is_named_at_file_line_and_key(tmp_path: Path) -> None:
    team = tmp_path / "team.yaml"
    team.write_text("team: ours\nswitching:\n  adaptor: 3\n", encoding="utf-8")
    usage = log(tmp_path / "usage.csv", 10)
    fails(DefinitionError, 2, "team.yaml:3: switching.adaptor", "“adapter”", words=[usage, "--team", team])
    team.write_text("present: {offer: openai/gpt-5-minni}\n", encoding="utf-8")
    fails(DefinitionError, 2, "team.yaml:1: present.offer", "“openai/gpt-5-mini”",
          words=[usage, "--team", team])  # fmt: skip
    team.write_text("horizon: 24\necosystem:\n  gogle: {gain: [0, 1], loss: 3000}\n", encoding="utf-8")
    fails(DefinitionError, 2, "team.yaml:3: ecosystem.gogle", "“google”", words=[usage, "--team", team])
    team.write_text("team: ours\ncurrency: XXX\n", encoding="utf-8")
    fails(DefinitionError, 2, "team.yaml:2: currency", "“XXX”", words=[usage, "--team", team])


def test_what_cannot_be_advised_on_is_said_with_a_remedy(tmp_path: Path) -> None:
    usage = log(tmp_path / "usage.csv", 10)
    fails(ConfigurationError, 2, "--until", "2039-01-01", words=[usage, "--until", "2039-01-01"])
    fails(ConfigurationError, 2, "--as-of", "2020-01-01", words=[usage, "--as-of", "2020-01-01"])
    fails(ConfigurationError, 2, "no-such-offer", words=[usage, "-o", "no-such-offer"])
    fails(ConfigurationError, 2, "--evals", words=[usage, "--model", "a=gpt-5-mini"])
    short = tmp_path / "short.csv"
    short.write_text("time,model,input,output\n2026-11-01T10:00:00Z,gpt-5-mini,1000,10\n"
                     "2026-11-01T10:30:00Z,gpt-5-mini,1000,10\n", encoding="utf-8")  # fmt: skip
    fails(DataError, 3, "1.0 hours", words=[short, "-o", OFFERS[0], "--draws", 4])
    large = log(tmp_path / "large.csv", 10)
    large.write_text(large.read_text().replace(",20", ",2000"), encoding="utf-8")
    fails(DataError, 3, "no offer can serve this work", words=[large, "-o", "baidu/ernie-lite-8k-free-later"])


def test_outputs_go_over_no_input_and_not_over_each_other(tmp_path: Path) -> None:
    usage, team, evals = log(tmp_path / "usage.csv", 10), tmp_path / "team.yaml", tmp_path / "evals"
    team.write_text("team: ours\n", encoding="utf-8")
    evals.mkdir()
    (tmp_path / "sub").mkdir()
    (evals / "e.csv").write_text("model,prompt,pass\n", encoding="utf-8")
    words = [usage, "--team", team, "--evals", evals]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    fails(ConfigurationError, 2, "the log itself", words=[*words, "--json", usage])
    fails(ConfigurationError, 2, "the team's file", words=[*words, "--html", tmp_path / "sub/../team.yaml"])
    fails(ConfigurationError, 2, "what is read of", words=[*words, "--json", evals / "e.csv"])
    fails(ConfigurationError, 2, "the same as --json",
          words=[*words, "--json", tmp_path / "a", "--html", tmp_path / "a"])  # fmt: skip
    fails(ConfigurationError, 2, "stdout", words=[*words, "--json", "-", "--html", "-"])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_evaluations_of_models_nobody_sells(tmp_path: Path) -> None:
    usage, evals = log(tmp_path / "usage.csv", 10), tmp_path / "evals.csv"
    rows = [f"gpt5 minni,p{i},{i % 3 != 0}" for i in range(30)]
    evals.write_text("model,prompt,pass\n" + "\n".join(rows) + "\n", encoding="utf-8")
    fails(ConfigurationError, 2, "gpt5 minni", "--model", words=[usage, "--evals", evals])


def test_advice_as_json_text_and_page(tmp_path: Path) -> None:
    usage, evals, team = log(tmp_path / "usage.csv", 10), tmp_path / "evals.csv", tmp_path / "team.yaml"
    rows = [
        f"{model},p{i},{i % 10 != 0},900,100" for i in range(200) for model in ("gpt-5-mini", "deepseek-v3.2")
    ]
    rows += [f"someone's own,p{i},true,900,100" for i in range(5)]
    evals.write_text(
        "model,prompt,pass,input_tokens,output_tokens\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    team.write_text("team: ours\nhorizon: 18\nrevenue: 500\n", encoding="utf-8")
    offers = [word for offer in OFFERS for word in ("-o", offer)]
    reply = advise(usage, "--team", team, "--evals", evals, *offers, "--draws", 40,
                   "--json", tmp_path / "a.json", "--html", tmp_path / "a.html")  # fmt: skip
    assert reply.exception is None, reply.exception
    data = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    known = {c["offer"]: c for c in data["candidates"]}
    left_out = {e["offer"] for e in data["left_out"]} | set(data["dearer_left_out"])
    assert set(OFFERS) == set(known) | left_out  # nobody leaves in silence
    assert known["deepseek/deepseek-v3.2"]["verdict"] == "acceptable"  # as many prompts passed as before
    assert "someone's own" in "".join(data["evidence"]["unknown"])
    best = next(o for o in data["outcomes"] if o["key"] == data["recommended"])
    first = reply.output.split("\n\n")[1]
    assert f"{best['cost']['mean']:,.0f}" in first
    assert data["plan"]["begin"] in first
    assert "someone's own" in reply.output
    assert re.search(r"breaks even in month \d+|never breaks even", reply.output)  # revenue was named
    for said in ("The plan", "What it costs to leave", "Lock-in", "second vendor", "Set aside", "horizon 18"):
        assert said in reply.output
    assert "</html>" in (tmp_path / "a.html").read_text(encoding="utf-8")
    chances = {r["offer"]: r for r in data["reliance"]}
    assert set(chances) == {o for o in known if known[o]["kind"] != "list"}
    for r in chances.values():
        assert 0 <= r["as_now"]["share"] <= r["stands"]["share"] <= 1


def test_the_how_tos_are_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word; figures within a twentieth: fits differ in their last digits between machines."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    sys.modules.pop("howto", None)
    from howto import advised, page

    written = (ROOT / "docs" / "howto.md").read_text(encoding="utf-8")
    ours, theirs = (re.split(r"(\d[\d,]*(?:\.\d+)?)", t) for t in (page(advised()), written))
    assert [w.split() for w in ours[::2]] == [w.split() for w in theirs[::2]], "run `python docs/howto.py`"
    for mine, other in zip(ours[1::2], theirs[1::2], strict=True):
        a, b = (float(n.replace(",", "")) for n in (mine, other))
        assert abs(a - b) <= 0.05 * max(abs(a), abs(b)) + 1, (mine, other)
