"""The command line as a new user meets it: answers, exit codes, one clear error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "time,model,input,output\n"


def pricewar(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pricewar.cli import main; main()", *words],
        cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=600,
        env={**os.environ, "COLUMNS": "160", **env},
    )  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "usage.csv"
    rows = [f"2026-11-0{d}T12:00:00Z,gpt-5-mini,1000000,100000" for d in range(1, 5)]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def test_a_bill_is_exact_and_says_how_it_came_about(log: Path) -> None:
    reply = pricewar("bill", "usage.csv", "--offers", "openai/gpt-5-mini", "--json", "-", cwd=log.parent)
    assert reply.returncode == 0, reply.stderr
    data = json.loads(reply.stdout)
    (offer,) = data["offers"]
    # 4 × (1,000,000 × 0.25 + 100,000 × 2.00) / 1,000,000 = 4 × 0.45 = 1.80 USD
    assert offer["total"]["mid"] == data["baseline"]["total"] == "1.8"
    assert offer["exact"] is True
    assert [(line["meter"], line["quantity"], line["amount"]) for line in offer["lines"]] == [
        ("input", "4000000", "1"),
        ("output", "400000", "0.8"),
    ]
    assert offer["sources"][0]["url"].startswith("https://")
    assert data["command"].startswith("pricewar bill usage.csv")


def test_what_is_longer_than_a_context_is_refused_and_served_as_logged(log: Path) -> None:
    reply = pricewar(
        "bill", "usage.csv", "--offers", "baidu/ernie-lite-8k-free-later", "--json", "-", cwd=log.parent
    )
    (offer,) = json.loads(reply.stdout)["offers"]
    # every input has 1,000,000 tokens; ERNIE-Lite-8K takes 8,192: all go back to gpt-5-mini at 1.80 USD
    assert offer["refused"][0]["key"] == "request_too_large"
    assert offer["served_share"]["mid"] == "0"
    assert offer["total"]["mid"] == "1.8"


def test_a_free_variant_was_free(tmp_path: Path) -> None:
    (tmp_path / "activity.csv").write_text(
        "generation_id,created_at,cost_total,cost_cache,tokens_prompt,tokens_completion,tokens_reasoning,"
        "tokens_cached,model_permaslug,provider_name,variant\n"
        "g1,2026-10-05T10:00:00Z,0,0,1000,200,0,0,openai/gpt-oss-20b,X,free\n"
    )
    reply = pricewar("bill", "activity.csv", "-o", "openai/gpt-oss-20b", "--json", "-", cwd=tmp_path)
    assert json.loads(reply.stdout)["baseline"]["total"] == "0"


def test_an_overflow_of_another_model_makes_an_interval(log: Path) -> None:
    log.write_text(HEAD + "2026-11-01T12:00:00Z,gpt-oss-20b,100000,1000\n")
    words = ["bill", "usage.csv", "-q", "-o", "groq/gpt-oss-20b-free", "--overflow-to", "openai/gpt-5-mini"]
    shown = pricewar(*words, cwd=log.parent).stdout
    # larger than a minute's 8,000 tokens: all of it is passed on, to a model that is not the one logged
    assert "exact" not in next(line for line in shown.splitlines() if "groq/gpt-oss-20b-free" in line)


def test_part_of_a_log(log: Path) -> None:
    with log.open("a") as rows:
        rows.write("2026-11-05T12:00:00Z,gpt-5-nano,1000000,0\n")
    words = ["bill", "usage.csv", "--offers", "openai/gpt-5-mini", "--only", "gpt-5-mini", "--json", "-"]
    data = json.loads(pricewar(*words, cwd=log.parent).stdout)
    assert data["baseline"]["total"] == "1.8"
    assert "1 rows are for models not asked for (--only)." in data["log"]["notes"]
    assert pricewar(*words[:5], "gpt-9", cwd=log.parent).returncode == 2


def test_buckets_that_count_no_requests(tmp_path: Path) -> None:
    bucket = {
        "starting_at": "2026-11-01T00:00:00Z",
        "ending_at": "2026-11-02T00:00:00Z",
        "results": [{"uncached_input_tokens": 1_000_000, "output_tokens": 0, "model": "claude-sonnet-5"}],
    }
    (tmp_path / "usage.json").write_text(json.dumps({"data": [bucket], "has_more": False, "next_page": None}))
    words = ["bill", "usage.json", "--offers", "groq/gpt-oss-120b-free", "--json", "-"]
    words += ["--tokens", "1,1,1", "--verbosity", "1,1,1", "--cache", "kept"]
    reply = pricewar(*words, cwd=tmp_path)
    assert reply.returncode == 0, reply.stderr
    data = json.loads(reply.stdout)
    (offer,) = data["offers"]
    assert data["log"]["requests"] is None
    # at best 200,000 tokens are free and 800,000 go back to Sonnet 5 at 2 a million: 1.60; at worst all do
    assert (offer["total"]["low"], offer["total"]["high"]) == ("1.6", "2")
    assert "requests_not_counted" in [w["key"] for w in offer["warnings"]]


def test_table_report_and_csv(log: Path) -> None:
    words = ["bill", "usage.csv", "--offers", "groq", "--offers", "openai/gpt-5-mini", "--lines"]
    reply = pricewar(*words, "--html", "r.html", "--csv", "r.csv", cwd=log.parent)
    assert reply.returncode == 0, reply.stderr
    assert "As logged, at list price: $1.80" in reply.stdout
    assert "openai/gpt-5-mini" in reply.stdout
    html = (log.parent / "r.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert str(log.parent) not in html
    assert (log.parent / "r.csv").read_text().startswith("rank,id,")


def test_a_threshold_breached_is_exit_code_1(log: Path) -> None:
    words = ["bill", "usage.csv", "--offers", "openai/gpt-5-mini", "-q", "--fail-above"]
    assert pricewar(*words, "1.79", cwd=log.parent).returncode == 1
    assert pricewar(*words, "1.80", cwd=log.parent).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bil", "usage.csv"], 2, "did you mean “bill”"),
        (["bill", "absent.csv"], 2, "absent.csv"),
        (["bill", "usage.csv", "--offers", "openai/gpt-5-mimi"], 2, "did you mean"),
        (["bill", "usage.csv", "--overflow-to", "nobody/nothing"], 2, "nobody/nothing"),
        (["bill", "usage.csv", "--as-of", "2026-02-30"], 2, "not a date"),
        (["bill", "usage.csv", "--tokens", "1,0.5,2"], 2, "rising"),
        (["bill", "usage.csv", "--currency", "XXX"], 2, "exchange rate"),
        (["bill", "usage.csv", "--json", "usage.csv"], 2, "the log itself"),
        (["bill", "usage.csv", "--json", "-", "--csv", "-"], 2, "the same as --json"),
        (["bill", "usage.csv", "--json", "a", "--csv", "a"], 2, "the same as --json"),
        (["bill", "usage.csv", "--lang", "zh"], 2, "name a file with --html"),
        (["war", "--lang", "ja"], 2, "name a file with --html"),
        (["advise", "usage.csv", "--lang", "zh"], 2, "name a file with --html"),
        (["bill", "usage.csv", "--html", "-"], 2, "not written to stdout"),
        (["demo", "--html", "advice.html"], 2, "the same as --html"),
        (["war", "--html", "a", "--json", "a"], 2, "the same as --json"),
        (["backtest", "--log", "usage.csv", "--write", "usage.csv"], 2, "the log itself"),
        (["simulate", "usage.csv", "--json", "usage.csv"], 2, "a market that is read"),
        (["bill", "usage.csv", "--html", "nowhere/r.html"], 2, "the folder does not exist"),
        (["bill", "usage.csv", "--html", ""], 2, "is a folder"),
        (["bill", "usage.csv", "--overflow-to", "none", "--overflow-to", "groq"], 2, "put it last"),
        (["bill", "usage.csv", "--as-of", "2099-01-01"], 2, "in the future"),
        (["bill", "header.csv"], 3, "no usable record"),
        (["bill", "pipe"], 2, "neither a file nor a folder"),
        (["sample", "nowhere/s.csv"], 2, "the folder does not exist"),
        (["sample", "usage.csv"], 2, "is there already"),
        (["sample", "x.csv", "--scale", "nan"], 2, "scale"),
        (["offers", "--vendor", "grok"], 2, "did you mean “groq”"),
        (["offers", "--facts", "facts"], 2, "goes with --validate"),
        (["bill", "usage.csv", "--map", "input"], 2, "COLUMN=SOURCE"),
        (["bill", "empty.csv"], 3, "empty"),
        (["bill", "noise.csv"], 3, "noise.csv"),
        (["offers", "grok/llama"], 2, "no offer matches"),
        (["offers", "--validate", "--facts", "facts"], 2, "facts.yaml:2"),
    ],
)
def test_bad_input_is_one_clear_error(log: Path, words: list[str], code: int, said: str) -> None:
    (log.parent / "empty.csv").write_bytes(b"")
    (log.parent / "header.csv").write_text(HEAD)
    os.mkfifo(log.parent / "pipe")
    before = log.read_bytes()
    (log.parent / "noise.csv").write_bytes(bytes(range(256)) * 20)
    (log.parent / "facts").mkdir()
    (log.parent / "facts" / "facts.yaml").write_text("offers:\n- idd: a/b\n")
    reply = pricewar(*words, cwd=log.parent)
    assert reply.returncode == code, reply.stderr
    assert said in reply.stderr
    assert "Traceback" not in reply.stderr
    assert not list(log.parent.rglob("*.part"))
    assert log.read_bytes() == before


def test_outputs_keep_what_they_are_written_to(log: Path) -> None:
    words = ["bill", "usage.csv", "--offers", "openai/gpt-5-mini", "-q", "--json"]
    (log.parent / "kept.json.part").write_text("mine")
    (log.parent / "target.json").write_text("old")
    (log.parent / "link.json").symlink_to("target.json")
    assert pricewar(*words, "link.json", cwd=log.parent).returncode == 0
    assert (log.parent / "link.json").is_symlink()
    assert json.loads((log.parent / "target.json").read_text())["offers"]
    assert pricewar(*words, "kept.json", cwd=log.parent).returncode == 0
    assert (log.parent / "kept.json.part").read_text() == "mine"
    os.mkfifo(log.parent / "pipe")
    with subprocess.Popen(["cat", "pipe"], cwd=log.parent, stdout=subprocess.PIPE) as reader:
        assert pricewar(*words, "pipe", cwd=log.parent).returncode == 0
        assert json.loads(reader.communicate(timeout=600)[0])["offers"]


COMMAND = f"{sys.executable} -c 'from pricewar.cli import main; main()'"


def shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", script], cwd=cwd, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize(
    "words", ["bill usage.csv -q -o groq", "offers groq", "bill usage.csv -q -o groq --json -"]
)
def test_a_reader_that_leaves_is_no_error(log: Path, words: str) -> None:
    reply = shell(f"{COMMAND} {words} | head -1; exit ${{PIPESTATUS[0]}}", log.parent)
    assert reply.returncode == 0, reply.stderr
    assert "Traceback" not in reply.stderr


def test_a_full_disk_is_one_clear_error(log: Path) -> None:
    reply = shell(f"{COMMAND} offers groq > /dev/full", log.parent)
    assert reply.returncode == 2
    assert "Traceback" not in reply.stderr


def test_a_terminal_without_our_letters(log: Path) -> None:
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    reply = pricewar("bill", "usage.csv", "-o", "groq", cwd=log.parent, **plain)
    assert reply.returncode == 0, reply.stderr


def test_text_of_a_log_commands_neither_terminal_nor_spreadsheet(tmp_path: Path) -> None:
    evil = "=cmd()\x1b]0;owned\x07<script>alert(1)</script>"
    (tmp_path / "usage.csv").write_text(HEAD + f'2026-11-01T00:00:00Z,"{evil}",10,10\n')
    reply = pricewar("bill", "usage.csv", "--offers", "openai/gpt-5-mini", "--html", "r.html", cwd=tmp_path)
    assert reply.returncode == 0, reply.stderr
    assert "\x1b]" not in reply.stdout
    assert "<script>alert" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_csv_cells_are_inert() -> None:
    from pricewar.billing.document import inert

    for cell in ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"):
        assert inert(cell)[0] not in "=+-@\t\r"
    assert inert("-1.5") == "-1.5"
    assert inert("plain") == "plain"


@pytest.mark.parametrize(
    "words", [["groq"], ["--kind", "pack"], ["--model", "llama-3.3-70b", "--in-force", "2026-01-01"]]
)
def test_offers_are_listed(tmp_path: Path, words: list[str]) -> None:
    reply = pricewar("offers", *words, cwd=tmp_path)
    assert reply.returncode == 0, reply.stderr
    assert "offers as of" in reply.stdout


def test_an_offer_is_explained_with_its_sources(tmp_path: Path) -> None:
    reply = pricewar("offers", "google/gemini-2.5-flash-free", cwd=tmp_path)
    assert reply.returncode == 0, reply.stderr
    for words in ("limits", "America/Los_Angeles", "unknown", "sources", "https://", "history"):
        assert words in reply.stdout


def test_the_catalogue_is_valid(tmp_path: Path) -> None:
    reply = pricewar("offers", "--validate", cwd=tmp_path)
    assert reply.returncode == 0, reply.stderr
    assert "valid" in reply.stdout
