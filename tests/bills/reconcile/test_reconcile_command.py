"""`pricewar reconcile` as a user meets it: real files in, table, JSON, CSV, exit codes, one clear error."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest

HEAD = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,"
    "organization_id,organization_name\n"
)


def pricewar(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pricewar.cli import main; main()", *words],
        cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=600,
        env={**os.environ, "COLUMNS": "120", **env},
    )  # fmt: skip


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """1 M tokens in and 100,000 out each day for ten days; the last two days were billed as batches, and a
    line of 0.07 for storage stands beside them."""
    rows = ["time,vendor,model,input,output"]
    costs = []
    for d in range(1, 11):
        rows.append(f"2026-11-{d:02d}T12:00:00Z,openai,gpt-5-mini,1000000,100000")
        start = int(datetime(2026, 11, d, tzinfo=UTC).timestamp())
        share = Fraction(1, 2) if d > 8 else 1
        for item, amount in (("input", Fraction("0.25") * share), ("output", Fraction("0.2") * share)):
            costs.append(f'{start},{start + 86400},,,{float(amount)},usd,"gpt-5-mini, {item}",p,o,Org\n')
    (tmp_path / "usage.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "costs.csv").write_text(HEAD + "".join(costs))
    return tmp_path


def test_table_json_and_csv_agree(month: Path) -> None:
    words = ["reconcile", "usage.csv", "costs.csv", "-q", "--as-of", "2026-11-22"]
    shown = pricewar(*words, cwd=month)
    assert shown.returncode == 0, shown.stderr
    # ours 10 × 0.45 = 4.50; two days at half: −0.45
    flat = " ".join(shown.stdout.split())
    assert "our bill, at list price $4.50" in flat
    assert "batch tier −$0.45" in flat
    assert "the invoice $4.05" in flat
    assert "charged at the price of batch" in flat
    assert "→ let the log record which requests were batches" in flat
    assert "unexplained $0.00" in flat
    assert "\x1b[" not in shown.stdout
    reply = pricewar(*words, "--json", "-", "--csv", "parts.csv", cwd=month)
    data = json.loads(reply.stdout)
    assert (data["ours"], data["charged"], data["gap"]) == ("4.5", "4.05", "-0.45")
    assert [(c["key"], c["amount"]) for c in data["causes"]] == [("batch", "-0.45")]
    assert data["unexplained"]["absolute"] == "0"
    assert data["log"]["source"] == ["usage.csv"]
    assert data["invoice"]["format"] == "openai-costs"
    parts = list(csv.DictReader(io.StringIO((month / "parts.csv").read_text())))
    assert len(parts) == 20
    assert sum(Fraction(p["cause_batch"]) for p in parts) == Fraction("-0.45")
    assert sum(Fraction(p["charged"]) for p in parts) == Fraction("4.05")
    assert parts[0]["places"].startswith("costs.csv:")


def test_every_part_is_shown_when_asked(month: Path) -> None:
    shown = pricewar("reconcile", "usage.csv", "costs.csv", "-q", "--lines", cwd=month).stdout
    assert "2026-11-10" in shown
    assert "batch −$0.13" in " ".join(shown.split())


def test_a_threshold_passed_is_exit_code_1(month: Path) -> None:
    words = ["reconcile", "usage.csv", "costs.csv", "-q", "--threshold"]
    assert pricewar(*words, "2%", cwd=month).returncode == 0
    assert pricewar(*words, "2%", "--of", "gap", cwd=month).returncode == 1
    assert pricewar(*words, "0.45", "--of", "gap", cwd=month).returncode == 0  # reached, not passed
    with (month / "costs.csv").open("a") as file:
        start = int(datetime(2026, 11, 3, tzinfo=UTC).timestamp())
        file.write(f'{start},{start + 86400},,,0.31313131,usd,"gpt-5-mini, input",p,o,Org\n')
    breached = pricewar(*words, "2%", cwd=month)
    assert breached.returncode == 1
    assert "threshold: what is unexplained passes 2%" in breached.stderr
    assert "+$0.31" in breached.stdout


def test_a_reader_who_leaves_early_does_not_hide_a_breach(month: Path) -> None:
    words = ["reconcile", "usage.csv", "costs.csv", "-q", "--of", "gap", "--threshold"]
    for threshold, code in (("2%", 1), ("50%", 0)):
        read, write = os.pipe()
        os.close(read)  # gone before the first line, as with `| head`
        try:
            reply = subprocess.run(
                [sys.executable, "-c", "from pricewar.cli import main; main()", *words, threshold],
                cwd=month, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
            )  # fmt: skip
        finally:
            os.close(write)
        assert reply.returncode == code
        assert "Traceback" not in reply.stderr


def test_the_gap_says_what_it_is_a_share_of(month: Path) -> None:
    """−0.45 of an invoice of 4.05; signs as everywhere else."""
    shown = pricewar("reconcile", "usage.csv", "costs.csv", "-q", cwd=month).stdout
    assert "The gap is −$0.45 (−11.1% of the invoice); unexplained $0.00 (0.00%)" in shown


def test_part_of_the_time(month: Path) -> None:
    words = ["reconcile", "usage.csv", "costs.csv", "-q", "--json", "-", "--until", "2026-11-08"]
    data = json.loads(pricewar(*words, cwd=month).stdout)
    assert data["period"] == {"first": "2026-11-01", "last": "2026-11-08"}
    assert data["causes"] == []
    assert data["gap"] == "0"
    assert any("4 lines of the invoice" in note for note in data["notes"])
    assert any("outside the period" in note for note in data["notes"])


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["usage.csv", "usage.csv"], 3, "--invoice-format"),
        (["usage.csv", "costs.csv", "--json", "usage.csv"], 2, "this is the log itself"),
        (["usage.csv", "costs.csv", "--csv", "costs.csv"], 2, "this is the invoice itself"),
        (["usage.csv", "costs.csv", "--offer", "openai/gpt-5-minni"], 2, "did you mean"),
        (["usage.csv", "costs.csv", "--threshold", "lots"], 2, "neither an amount"),
        (["usage.csv", "costs.csv", "--from", "2026-12-01", "--until", "2026-11-01"], 2, "after"),
        (["usage.csv", "costs.csv", "--from", "2025-01-01", "--until", "2025-01-31"], 3, "no line"),
        (["usage.csv", "nothing.csv"], 2, "nothing.csv"),
        (["costs.csv", "usage.csv"], 3, ""),
    ],
)
def test_one_clear_error(month: Path, words: list[str], code: int, says: str) -> None:
    reply = pricewar("reconcile", *words, "-q", cwd=month)
    assert reply.returncode == code, reply.stderr
    assert says in reply.stderr
    assert "Traceback" not in reply.stderr
    assert (month / "costs.csv").read_text().startswith("start_time")


def test_days_of_the_log_that_cannot_be_cut_again(tmp_path: Path) -> None:
    """Whole days of UTC against days of Shanghai: no clock is guessed, and the reader is told."""
    from invoiced import Use, explained, line

    days = [date(2026, 11, d) for d in range(1, 8)]
    uses = [
        Use(
            datetime(d.year, d.month, d.day, tzinfo=UTC), "qwen-plus", "alibaba",
            end=datetime(d.year, d.month, d.day + 1, tzinfo=UTC), tokens={"input": 1000 * d.day},
        )
        for d in days
    ]  # fmt: skip
    lines = [
        line(d, Fraction(8 * d.day, 10**4), model="qwen-plus", meter="input", quantity=1000 * d.day,
             vendor="alibaba", zone="Asia/Shanghai", currency="CNY")
        for d in days
    ]  # fmt: skip
    found = explained(uses, lines, bucket_seconds=86_400)
    assert found.clock.name == "Asia/Shanghai"
    assert found.causes == {}
    assert any("cannot be cut again" in note for note in found.notes)
