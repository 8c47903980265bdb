"""`pricewar watch` and `offers diff` as a team meets them; the loop page is what the commands say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pricewar.cli import cli
from pricewar.errors import ConfigurationError, DataError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "usage.csv"
    rows = [
        f"2026-11-{d:02d}T{h:02d}:15:00Z,gemini-3.8-flash,20000,1000" for d in range(1, 22) for h in range(24)
    ]
    path.write_text("time,model,input,output\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def watch(*words: object) -> Any:
    return CliRunner().invoke(
        cli, ["watch", *map(str, words), "--as-of", "2026-11-22", "--no-search"], standalone_mode=False
    )


def test_exit_code_and_lines_for_cron(log: Path) -> None:
    quiet = watch(log, "--quiet")
    assert (quiet.return_value, quiet.output) == (0, "")
    reply = watch(log, "--within", "6w", "--quiet")
    assert reply.return_value == 1
    (line,) = reply.output.splitlines()
    # 24 requests a day of 20,000 and 1,000 tokens: 24 × (0.02 × 0.75 + 0.001 × 3.75) = 0.45 a day, then twice
    # that: 0.45 × 30.4375 = 13.696875 a month more
    assert line.startswith(
        "SOON by 2027-01-01 rise google/flash-3.8: its introductory price ends on 2027-01-01"
    )
    assert "+$13.70 a month" in line
    assert "https://ai.google.dev" in line
    assert "read 2026-11-22" in line


def test_json_for_programs(log: Path) -> None:
    out = log.parent / "watch.json"
    reply = watch(log, "--within", "42", "--json", out, "--quiet")
    assert reply.return_value == 1
    data = json.loads(out.read_text(encoding="utf-8"))
    assert (data["format"], data["due"], data["currency"]) == (1, 1, "USD")
    (due,) = [f for f in data["findings"] if f["severity"] != "note"]
    assert due["amount_a_month"]["mid"] == "13.696875"
    assert str(log.parent) not in out.read_text(encoding="utf-8")
    shown = watch(log, "--within", "42", "--json", "-", "--quiet")
    assert json.loads(shown.output)["findings"] == data["findings"]


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["--plan", "empty.json"], DataError, "not JSON"),
        (["--plan", "other.json"], DataError, "`plan` is missing"),
        (["--offers", "google/flash-3.9"], ConfigurationError, "did you mean"),
        (["--json", "usage.csv"], ConfigurationError, "this is the log itself"),
        (["--only", "gpt-9"], DataError, "no model like"),
    ],
)
def test_bad_input_is_one_clear_error(
    log: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], kind: type[Exception], said: str
) -> None:
    monkeypatch.chdir(log.parent)
    before = log.read_bytes()
    Path("empty.json").write_text("")
    Path("other.json").write_text("{}")
    reply = watch("usage.csv", "--quiet", *words)
    assert isinstance(reply.exception, kind)
    assert said in str(reply.exception)
    assert log.read_bytes() == before


def test_a_wrong_number_of_days_is_refused(log: Path) -> None:
    for text in ("30m", "0", "-3d", "x"):
        assert "such as 30d" in str(watch(log, "--within", text).exception)


def test_a_share_is_a_share(log: Path) -> None:
    """5 for 5% would never be reached: the watch would stay silent for good."""
    for text in ("5", "5.1", "101%", "-1%", "x"):
        assert "no share such as 5% or 0.05" in str(watch(log, "--refused-above", text).exception)
    for text in ("5%", "0.05", "1", "0"):
        assert watch(log, "--refused-above", text, "--quiet").exception is None


def test_nothing_is_written_among_what_is_read(log: Path) -> None:
    """Tomorrow it would be read as part of the log."""
    folder = log.parent / "logs"
    folder.mkdir()
    log.rename(folder / "usage.csv")
    (folder / "watch.json").write_text("{}")
    reply = watch(folder, "--json", folder / "watch.json")
    assert isinstance(reply.exception, ConfigurationError)
    assert "among what is read" in str(reply.exception)


def test_what_is_left_out_of_the_log_is_said(log: Path) -> None:
    log.write_text(log.read_text() + "yesterday,gemini-3.8-flash,1,1\n2026-11-21T23:30:00Z,,1,1\n")
    reply = watch(log)
    assert "  left out: 1 × a time that cannot be read\n" in reply.output
    assert "  left out: 1 × no model named\n" in reply.output


def test_a_reader_who_leaves_early_does_not_change_the_exit_code(log: Path) -> None:
    words = ["watch", str(log), "--as-of", "2026-11-22", "--no-search", "--within"]
    for within, code in (("6w", 1), ("1w", 0)):
        read, write = os.pipe()
        os.close(read)  # gone before the first line
        try:
            reply = subprocess.run(
                [sys.executable, "-c", "from pricewar.cli import main; main()", *words, within],
                stdout=write, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
            )  # fmt: skip
        finally:
            os.close(write)
        assert reply.returncode == code
        assert "Traceback" not in reply.stderr
        assert "error" not in reply.stderr


def test_without_any_output_the_exit_code_still_holds(log: Path) -> None:
    """Some run jobs with stdout closed; a traceback there would be exit code 1: something is due."""
    program = f"{sys.executable} -c 'from pricewar.cli import main; main()'"
    words = f"watch {log} --as-of 2026-11-22 --no-search --within"
    for within, code in (("6w", 1), ("1w", 0)):
        shell = f"{program} {words} {within} >&-"
        reply = subprocess.run(shell, shell=True, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        assert (reply.returncode, "Traceback" in reply.stderr) == (code, False)


def diff(*words: str) -> Any:
    return CliRunner().invoke(cli, ["offers", "diff", *words], standalone_mode=False)


def changes(*words: str) -> dict[str, Any]:
    reply = diff(*words, "--json")
    assert reply.exception is None, reply.exception
    return {c["offer"]: c for c in json.loads(reply.output)["changes"]}


def test_diff_of_what_was_known() -> None:
    found = changes("2025-11-20", "2025-12-20", "--vendor", "google")
    cut = found["google/gemini-2.5-flash-free"]
    assert (cut["change"], cut["on"]) == ("changed", "2025-12-06")
    # 250 → 20 requests a day: 20 / 250 − 1 = −0.92
    (day,) = [p for p in cut["parts"] if "a day" in (p["before"] or "")]
    assert (day["what"], day["share"]) == ("limit", "-0.92")
    told = changes("2026-06-25", "2026-07-05", "github")["github/models-low"]
    assert (told["change"], told["on"], told["known_on"]) == ("announced", "2026-07-30", "2026-07-01")
    assert "retired" in told["sources"][0]["says"]


def test_diff_of_what_was_in_force() -> None:
    night = changes("2025-08-01", "2025-09-06", "deepseek/v3", "--in-force")["deepseek/v3"]
    parts = {p["name"]: p for p in night["parts"] if p["what"] == "price"}
    # 0.27 → 0.56: 0.56 / 0.27 − 1 = 1.07407…; the night's own price is gone
    assert parts["input"]["before"] == "$0.270"
    assert parts["input"]["share"].startswith("1.0740")
    assert parts["input (16:30-00:30 UTC)"]["after"] is None
    ended = changes("2026-07-01", "2026-08-01", "github", "--in-force")
    assert {c["change"] for c in ended.values()} == {"ended"}
    ahead = changes("2026-12-31", "2027-01-01", "google/flash-3.8", "--in-force")
    assert {p["share"] for p in ahead["google/flash-3.8"]["parts"] if p["what"] == "price"} == {"1"}


def test_diff_filters_and_errors() -> None:
    assert changes("2026-11-01", "2026-11-01") == {}
    every = changes("2025-06-01", "2026-06-01")
    some = changes("2025-06-01", "2026-06-01", "--kind", "free")
    assert set(some) == {o for o, c in every.items() if c["kind"] == "free"}
    assert set(changes("2025-06-01", "2026-06-01", "--vendor", "groq")) == {
        o for o, c in every.items() if c["vendor"] == "groq"
    }
    reply = diff("2026-06-01", "2025-06-01")
    assert "comes after" in str(reply.exception)
    assert "future" in str(diff("2026-06-01", "2030-06-01").exception)
    assert "no vendor" in str(diff("2026-06-01", "2026-06-02", "--vendor", "grok").exception)


def test_diff_of_two_days_is_the_sum_of_its_steps() -> None:
    """What changed in force from a to c changed from a to b or from b to c."""
    from datetime import date

    from pricewar.offers import diff as differ
    from pricewar.offers.catalogue import load_catalogue

    catalogue = load_catalogue(date(2026, 11, 22))
    days = [date(2024, 6, 1), date(2025, 9, 1), date(2026, 1, 1), date(2026, 8, 18), date(2027, 1, 1)]
    for a, b, c in zip(days, days[1:], days[2:], strict=False):
        whole = {x.offer for x in differ.in_force(catalogue, a, c)}
        steps = {x.offer for x in (*differ.in_force(catalogue, a, b), *differ.in_force(catalogue, b, c))}
        assert whole <= steps


def test_the_loop_page_is_what_the_commands_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word; figures within a twentieth: fits differ in their last digits between machines."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    sys.modules.pop("loop", None)
    from loop import page

    written = (ROOT / "docs" / "loop.md").read_text(encoding="utf-8")
    ours, theirs = (re.split(r"(\d[\d,]*(?:\.\d+)?)", t) for t in (page(tmp_path), written))
    assert [w.split() for w in ours[::2]] == [w.split() for w in theirs[::2]], "run `python docs/loop.py`"
    for mine, other in zip(ours[1::2], theirs[1::2], strict=True):
        a, b = (float(n.replace(",", "")) for n in (mine, other))
        assert abs(a - b) <= 0.05 * max(abs(a), abs(b)) + 1, (mine, other)
