"""What `pricewar advise --gateway DIR` writes: whole, exact, and never over somebody else's files."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from made_up_gateway import advice, handed, stream

from pricewar.advice import gateway_write
from pricewar.advice.gateway_calendar import as_ics, calendar
from pricewar.advice.gateway_made import models_by_use
from pricewar.advice.gateway_predict import predict
from pricewar.cli import cli
from pricewar.errors import ConfigurationError

BEGIN = "acme/free + drift/daily"


def write(folder: Path, begin: str = BEGIN, **more: Any) -> Path:
    found, data = handed(begin, **more), advice(begin)
    gateway_write.write(folder, found, calendar(found, data, {}), {}, data)
    return folder


def configured(folder: Path, name: str = "2027-02-01") -> dict[str, Any]:
    return yaml.safe_load((folder / f"config-{name}.yaml").read_text(encoding="utf-8"))


# --- the log ------------------------------------------------------------------------------------------------


def test_models_asked_for_equally_come_in_one_order() -> None:
    rows = [("x", "b", 2), (None, "c", 2), ("x", "a", None), ("x", "a", 1), ("x", "z", 3)]
    for order in (rows, rows[::-1]):
        frames = [
            pl.DataFrame([row], ["vendor", "model", "requests"], orient="row").cast(
                {"vendor": pl.String, "requests": pl.Int64}
            )
            for row in order
        ]
        usage = cast(Any, SimpleNamespace(batches=lambda frames=frames: frames))
        assert models_by_use(usage) == [("x", "z"), (None, "c"), ("x", "a"), ("x", "b")]


# --- configurations -----------------------------------------------------------------------------------------


def test_the_plan_in_order_with_explicit_prices(tmp_path: Path) -> None:
    found = configured(write(tmp_path / "out", siblings={"acme/free": "acme/paid"}))
    acme, drift, rest = found["model_list"]
    order = [
        (d["model_name"], d["litellm_params"]["order"], d["model_info"]["id"]) for d in found["model_list"]
    ]
    assert order == [("plan", 1, "acme/free"), ("plan", 2, "drift/daily"), ("rest", 1, "borealis/list")]
    assert acme["litellm_params"]["rpm"] == 4
    assert acme["litellm_params"]["input_cost_per_token"] == 0
    assert "rpm" not in drift["litellm_params"]
    assert (drift["litellm_params"]["cooldown_time"], rest["litellm_params"]["cooldown_time"]) == (300, 0)
    params = rest["litellm_params"]
    prices = [
        params[k] for k in ("input_cost_per_token", "cache_read_input_token_cost", "output_cost_per_token")
    ]
    assert prices == [0.75e-6, 0.075e-6, 3.75e-6]
    assert all(isinstance(p, float) for p in prices)
    router = found["router_settings"]
    assert router["model_group_alias"] == {"borealis-2": "plan"}
    assert router["fallbacks"] == [{"plan": ["rest"]}, {"borealis-2": ["rest"]}]


def test_no_number_is_written_as_text_and_no_key_is_written(tmp_path: Path) -> None:
    folder = write(tmp_path / "out")
    for file in folder.glob("config-*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\d[eE][-+]?\d", text)  # YAML 1.1 takes 1e-06 for a word
        for entry in yaml.safe_load(text)["model_list"]:
            assert entry["litellm_params"]["api_key"].startswith("os.environ/")
            for name, value in entry["litellm_params"].items():
                assert isinstance(value, int | float) or "cost" not in name
    names = [
        line.split("=")[0] for line in (folder / "env.template").read_text().splitlines() if line[0] != "#"
    ]
    assert {"LITELLM_MASTER_KEY", "ACME_API_KEY", "ACME_API_BASE", "BOREALIS_API_KEY"} <= set(names)
    assert "never" not in names


def test_money_given_is_a_budget(tmp_path: Path) -> None:
    found = configured(write(tmp_path / "out", "cumulus/grant"))
    params = found["model_list"][0]["litellm_params"]
    assert (params["max_budget"], params["budget_duration"]) == (0.004, "30d")


def test_a_period_begins_where_terms_change() -> None:
    found = handed(BEGIN, siblings={"acme/free": "acme/paid"})
    assert [(p.name, [d.offer for d in p.deployments]) for p in found.periods] == [
        ("2027-02-01", ["acme/free", "drift/daily", "borealis/list"]),
        ("2027-03-01T0800", ["acme/free", "drift/daily", "borealis/list"]),
        ("2027-04-01T0800", ["acme/paid", "drift/daily", "borealis/list"]),
    ]
    assert found.periods[1].because == ("borealis/list: new terms begin",)
    assert found.periods[1].deployments[2].prices.plain["input"] == Fraction(3, 2) / 10**6
    assert [p.name for p in found.spare] == ["without-acme-free", "without-drift-daily"]


def test_a_gift_that_expires_is_followed_by_what_the_plan_names() -> None:
    found = handed("glacier/tokens")
    # 90 days from 1 February are over on 2 May
    last = found.periods[-1]
    assert (last.name, [d.offer for d in last.deployments]) == ("2027-05-02", ["acme/paid", "borealis/list"])
    assert "void" in last.because[0]


def test_the_month_to_leave_is_the_recommended_strategys_alone() -> None:
    free = handed("drift/daily", recommended="free", month=2)
    assert [(p.name, p.deployments[0].offer) for p in free.periods][-1] == ("2027-04-01", "acme/paid")
    other = handed("drift/daily", recommended="optimal", month=2)
    assert other.periods[-1].deployments[0].offer == "drift/daily"


def test_a_team_that_loses_what_is_refused_gets_no_rest() -> None:
    found = handed("drift/daily", given=("refused",))
    assert [d.group for d in found.periods[0].deployments] == ["plan"]


def test_an_offer_that_cannot_be_expressed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from pricewar.advice import gateway_vendors

    monkeypatch.setitem(gateway_vendors.NOT_EXPRESSED, "acme", "not an interface one can call")
    found = handed(BEGIN)
    assert found.left_out == (("acme/free", "acme: not an interface one can call"),)
    assert found.periods[0].deployments[0].offer == "drift/daily"
    with pytest.raises(ConfigurationError, match="not an interface"):
        handed("acme/free", to="borealis/list")


def test_an_unchecked_vendor_is_said() -> None:
    notes = handed("drift/daily").periods[0].deployments[0].notes
    assert notes == ("nobody has checked that drift speaks OpenAI's wire format",)


# --- calendar -----------------------------------------------------------------------------------------------


def test_a_daily_quota_is_expected_when_the_log_reaches_it(tmp_path: Path) -> None:
    found = handed("drift/daily")
    # three days, a request every two hours from 08:10: the seventh of a day, at 20:10, is refused
    asked = [
        (datetime(2027, 1, d, 8 + 2 * k, 10, tzinfo=UTC), 100, 0, 10) for d in (4, 5, 6) for k in range(8)
    ]
    predicted = predict(found, found.periods[0], [stream(asked)], frozen=found.periods[0].start)
    assert [(s.served, s.refused) for s in predicted.shares] == [(18, 6), (6, 0)]
    entries = calendar(found, advice("drift/daily"), {found.periods[0].name: predicted})
    (quota,) = [e for e in entries if e.kind == "expect"]
    assert (quota.when, quota.every) == (datetime(2027, 2, 1, 20, 10, tzinfo=UTC), "day")
    assert "on 3 of 3 days, typically at 20:10 UTC" in quota.text
    assert "what is over goes to borealis/list" in quota.text


def test_a_gift_is_expected_to_last_as_long_as_the_log_says() -> None:
    found = handed("glacier/tokens")
    asked = [(datetime(2027, 1, 4, tzinfo=UTC) + timedelta(hours=h), 900, 0, 100) for h in range(25)]
    predicted = predict(found, found.periods[0], [stream(asked)], frozen=found.periods[0].start)
    entries = calendar(found, advice("glacier/tokens"), {found.periods[0].name: predicted})
    (gift,) = [e for e in entries if e.kind == "expect"]
    assert gift.when == datetime(2027, 2, 5, tzinfo=UTC)  # 25,000 tokens in a day: 100,000 last four


def test_entries_name_commands_that_exist(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", siblings={"acme/free": "acme/paid"})
    told = json.loads((folder / "calendar.json").read_text(encoding="utf-8"))
    commands = [e["command"] for e in told["entries"] if (e["command"] or "").startswith("./switch.sh ")]
    assert len(commands) == 5
    for command in commands:
        assert (folder / f"config-{command.split()[1]}.yaml").is_file()
    assert sorted(told["files"]) == sorted(p.name for p in folder.iterdir())
    dated = [e["when"] for e in told["entries"] if e["when"]]
    assert dated == sorted(dated)


def test_the_calendar_file_keeps_to_its_format() -> None:
    found = handed("drift/daily")
    text = as_ics(calendar(found, advice("drift/daily"), {}), "2026-11-22")
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in text.replace("\r\n", "")
    whole = text.replace("\r\n ", "")
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == 3
    uids = re.findall(r"UID:(.*)\r", whole)
    assert len(set(uids)) == 3
    assert "DTSTART:20270301T080030Z" in whole
    assert "Command: ./switch.sh 2027-03-01T0800" in whole


# --- the folder ---------------------------------------------------------------------------------------------


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="not empty") as error:
        write(tmp_path / "theirs")
    assert error.value.exit_code == 2
    assert [p.name for p in (tmp_path / "theirs").iterdir()] == ["notes.txt"]
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        write(tmp_path / "file")
    with pytest.raises(ConfigurationError, match="does not exist"):
        write(tmp_path / "no" / "where")


def test_an_empty_folder_and_an_own_one_are_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    folder = write(tmp_path / "out", siblings={"acme/free": "acme/paid"})
    (folder / "config.yaml").write_text("in use")
    (folder / ".env").write_text("KEY=secret")
    write(folder, "drift/daily")
    names = {p.name for p in folder.iterdir()}
    assert {"config.yaml", ".env"} <= names
    assert (folder / ".env").read_text() == "KEY=secret"
    assert "config-without-acme-free.yaml" not in names  # of the plan before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_nothing_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "out")
    before = {p.name: p.read_text() for p in folder.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        write(folder, "drift/daily")
    monkeypatch.undo()
    assert {p.name: p.read_text() for p in folder.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def run(folder: Path, *words: str, reload: str = "true") -> subprocess.CompletedProcess[str]:
    """The script as it runs on the day `NOW`."""
    clock = folder.parent / "bin" / "date"
    clock.parent.mkdir(exist_ok=True)
    clock.write_text(f"#!/bin/sh\n[ $1 = -u ] && echo {NOW:%Y-%m-%dT%H%M}\n")
    clock.chmod(0o755)
    environment = {"PATH": f"{clock.parent}:/usr/bin:/bin", "GATEWAY_RELOAD": reload}
    return subprocess.run(
        ["./switch.sh", *words],
        cwd=folder, env=environment, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_switch_puts_a_configuration_in_place_and_reloads(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", siblings={"acme/free": "acme/paid"})
    reply = run(folder, "2027-03-01T0800", reload="echo reloaded >> log.txt")
    assert (reply.returncode, reply.stdout) == (0, "config.yaml is now config-2027-03-01T0800.yaml\n")
    assert (folder / "config.yaml").read_text() == (folder / "config-2027-03-01T0800.yaml").read_text()
    assert (folder / "log.txt").read_text() == "reloaded\n"
    failed = run(folder, "without-acme-free", reload="exit 7")
    assert failed.returncode == 1
    assert (folder / "config.yaml").read_text() == (folder / "config-2027-03-01T0800.yaml").read_text()
    unknown = run(folder, "2030-01-01")
    assert unknown.returncode == 2
    assert "config-2027-02-01.yaml" in unknown.stderr


def test_switch_without_a_name_takes_what_is_due(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", siblings={"acme/free": "acme/paid"})
    assert run(folder).returncode == 2  # made for days to come
    yesterday = NOW - timedelta(days=1)
    for days, text in ((3, "first"), (0, "due"), (-9, "not yet")):
        stamp = yesterday - timedelta(days=days)
        (folder / f"config-{stamp:%Y-%m-%d}.yaml").write_text(text)
    (folder / f"config-{yesterday - timedelta(days=2):%Y-%m-%dT%H%M}.yaml").write_text("between")
    assert run(folder, reload="echo x >> log.txt").returncode == 0
    assert (folder / "config.yaml").read_text() == "due"
    assert run(folder, reload="echo x >> log.txt").stdout == ""  # it is in place already
    assert (folder / "log.txt").read_text() == "x\n"


def dated(folder: Path, days: int, text: str) -> str:
    stamp = f"{NOW + timedelta(days=days):%Y-%m-%d}"
    (folder / f"config-{stamp}.yaml").write_text(text)
    return stamp


def test_what_is_put_in_place_by_hand_is_not_undone_by_cron(tmp_path: Path) -> None:
    """The offer is gone before its day: the hourly run must not bring it back, nor hide what is due."""
    folder = write(tmp_path / "out", siblings={"acme/free": "acme/paid"})
    dated(folder, -3, "begun")
    assert run(folder).returncode == 0
    assert run(folder, "without-acme-free").returncode == 0
    spare = (folder / "config-without-acme-free.yaml").read_text()
    quiet = run(folder)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert (folder / "config.yaml").read_text() == spare
    due = dated(folder, -1, "the next")
    told = run(folder)
    assert told.returncode == 2
    assert (
        f"config-{due}.yaml is due, but config-without-acme-free.yaml was put in place by hand" in told.stderr
    )
    assert (folder / "config.yaml").read_text() == spare
    assert run(folder, due).returncode == 0
    assert run(folder).returncode == 0
    assert (folder / "config.yaml").read_text() == "the next"


def test_what_was_changed_by_hand_stays_until_another_is_due(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", siblings={"acme/free": "acme/paid"})
    stamp = dated(folder, -3, "begun")
    assert run(folder).returncode == 0
    (folder / "config.yaml").write_text("begun, with a model of our own")
    assert run(folder).stdout == ""
    assert (folder / "config.yaml").read_text() == "begun, with a model of our own"
    dated(folder, -3, "advised anew on the same day")
    assert run(folder).stdout == f"config.yaml is now config-{stamp}.yaml\n"
    assert (folder / "config.yaml").read_text() == "advised anew on the same day"
    failed = dated(folder, -2, "the next")
    assert run(folder, reload="exit 7").returncode == 1
    assert run(folder).stdout == f"config.yaml is now config-{failed}.yaml\n"  # tried again


def test_names_from_a_log_cannot_leave_their_place(tmp_path: Path) -> None:
    names = ("a`b``c", "two\nlines", "\x1b[31mred", "os.environ/OPENAI_API_KEY", "it's # no: comment")
    data = advice(BEGIN)
    found = replace(handed(BEGIN), models=names)
    gateway_write.write(folder := tmp_path / "out", found, calendar(found, data, {}), {}, data)
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert "``` a`b``c ```, `two\ufffdlines`, `\ufffd[31mred`, `os.environ/OPENAI_API_KEY`" in page
    assert all(c.isprintable() or c == "\n" for c in page)
    for config in folder.glob("config-*.yaml"):
        settings = yaml.safe_load(config.read_text(encoding="utf-8"))["router_settings"]
        assert {*settings["model_group_alias"]} == {*names}


def test_no_other_output_may_lie_in_the_new_folder(tmp_path: Path) -> None:
    """It would be written first, and the folder then refused, after minutes of work."""
    (tmp_path / "new").mkdir()
    with pytest.raises(ConfigurationError, match="in the new folder"):
        gateway_write.usable(tmp_path / "new", (None, tmp_path / "new" / "plan.json"))
    own = write(tmp_path / "own")
    gateway_write.usable(own, (own / "plan.json", tmp_path / "plan.html"))


# --- the command --------------------------------------------------------------------------------------------


def test_advise_writes_the_folder(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [
        f"2026-11-{d:02d}T{h:02d}:15:00Z,gpt-5-mini,20000,1000" for d in range(1, 10) for h in range(8, 20)
    ]
    log.write_text("time,model,input,output\n" + "\n".join(rows) + "\n")
    words = ["advise", str(log), "--draws", "4", "--quiet", "--as-of", "2026-11-22",
             "--gateway", str(tmp_path / "out")]  # fmt: skip
    words += [
        w
        for o in ("openai/gpt-5-mini", "groq/gpt-oss-120b-free", "deepseek/deepseek-v3.2")
        for w in ("-o", o)
    ]
    reply = CliRunner().invoke(cli, words, standalone_mode=False)
    assert reply.exception is None, reply.output
    told = json.loads((tmp_path / "out" / "calendar.json").read_text(encoding="utf-8"))
    for period in told["periods"]:
        found = yaml.safe_load((tmp_path / "out" / period["file"]).read_text(encoding="utf-8"))
        assert [d["model_info"]["id"] for d in found["model_list"]] == period["order"]
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "The last 6 days of your log (84 requests)" in page  # seven days of twelve


def test_a_foreign_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    words = ["advise", str(tmp_path / "mine.txt"), "--gateway", str(tmp_path)]
    reply = CliRunner().invoke(cli, words, standalone_mode=False)
    assert isinstance(reply.exception, ConfigurationError)
    assert "not empty" in str(reply.exception)
