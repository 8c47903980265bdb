"""The desk's answers: logs of every format, mistakes told with a remedy, and what can be taken away again."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import random
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import HANG, Running, heard

from pricewar.app import desk, desk_runs
from pricewar.app.desk_choice import choice, command
from pricewar.app.words_desk import OWN
from pricewar.errors import PricewarError
from pricewar.report.words import LANGUAGES
from pricewar.usage.formats import FORMATS
from pricewar.usage.read import read

sys.path.insert(0, str(Path(__file__).parent.parent / "readers"))
from fuzz import written
from fuzz_shapes import SHAPES

LOGS = [s for s in SHAPES if not FORMATS[s.format].bill]
TERMS = "2026-11-22"  # the day whose offers are billed: a test may run past midnight
FEW = ["openai/gpt-5-mini", "groq/gpt-oss-120b-free", "deepseek/deepseek-v3.2"]
MONTH = b"time,model,input,output\n" + b"".join(
    b"2026-10-%02dT%02d:15:00Z,gpt-5-mini,20000,1000\n" % (day, hour)
    for day in range(1, 29)
    for hour in range(8, 20)
)


def dropped(running: Running, name: str, body: bytes) -> str:
    """A log handed in as the page does; its handle."""
    status, _, answer = running.ask(f"/log?name={quote(name, safe='')}", method="POST", body=body)
    assert status == 200, answer
    return json.loads(answer)["log"]


def asked(running: Running, topic: str, **message: Any) -> list[dict[str, Any]]:
    """The answers' data, or the error as the only one."""
    with running.connect() as socket:
        socket.send(json.dumps({"id": 1, "topic": topic, "date": TERMS, **message}))
        said = heard(socket, 1)
    if "error" in said[-1]:
        return [said[-1]["error"]]
    return [each["data"] for each in said if "data" in each]


def taken(running: Running, kind: str, message: Mapping[str, Any], **more: str) -> tuple[int, bytes]:
    query = urlencode({"choice": json.dumps({"date": TERMS, **message}), **more})
    status, _, body = running.ask(f"/export/{kind}?{query}")
    return status, body


# ---------------------------------------------------------------- logs


def test_every_format_of_logs_is_dropped_here() -> None:
    """What the next test goes through leaves out no reader."""
    assert {s.format for s in LOGS} == {key for key, f in FORMATS.items() if not f.bill}


@pytest.mark.parametrize("shape", LOGS, ids=lambda s: s.name)
def test_a_log_of_every_format_is_read_and_billed(running: Running, tmp_path: Path, shape: Any) -> None:
    for seed in range(50):  # a column of Parquet may be cast to what no row survives
        body = written(shape, random.Random(seed), 60)
        (tmp_path / "log").write_bytes(body)
        direct = read(tmp_path / "log")
        if direct.rows:
            break
    handle = dropped(running, f"用量 {shape.format}.{shape.kind}", body)
    (data,) = asked(running, "bill", log=handle, offers=FEW)
    log = data["bill"]["log"]
    assert (log["format"], log["rows"], log["rows_in"]) == (shape.format, direct.rows, direct.rows_in)
    assert [(e["cause"], e["count"]) for e in log["exclusions"]] == [
        (e.cause, e.count) for e in direct.exclusions
    ]
    assert log["source"] == [f"用量 {shape.format}.{shape.kind}"]
    assert {o["id"] for o in data["bill"]["offers"]} | {o["id"] for o in data["bill"]["not_billed"]} == {*FEW}
    assert handle not in json.dumps(data)  # what an upload is kept under is shown to nobody


BAD = {
    "binary.csv": bytes(range(256)) * 8,
    "archive.zip": b"PK\x03\x04" + b"\0" * 60,
    "nothing-known.csv": b"a,b,c\n1,2,3\n",
    "twice.csv": b"time,model,model\n",
    "only-a-header.csv": b"time,model,input,output\n",
    "no-time.jsonl": b'{"model": "gpt-5-mini", "input": 1, "output": 2}\n',
    "all-wrong.csv": b"time,model,input,output\nnever,gpt-5-mini,1,2\n",
    "broken.json": b'{"object": "page", "data": [',
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_log_is_an_error_with_place_and_remedy(running: Running, name: str) -> None:
    handle = dropped(running, name, BAD[name])
    (error,) = asked(running, "bill", log=handle)
    assert set(error) == {"what", "where", "remedy"}
    assert name in error["where"]
    assert error["remedy"]
    assert handle not in json.dumps(error)
    assert "/" not in error["where"]


def test_columns_can_be_told_and_a_format_chosen(running: Running) -> None:
    body = b"when,prompt,answer\n2026-10-01T00:00:00Z,100,10\n2026-10-02T00:00:00Z,1,1\n"
    handle = dropped(running, "own.csv", body)
    (error,) = asked(running, "bill", log=handle, offers=FEW)
    assert error["remedy"]
    maps = ["time=when", "model==gpt-5-mini", "input=prompt", "output=answer"]
    (data,) = asked(running, "bill", log=handle, offers=FEW, maps=maps)
    assert data["bill"]["log"]["rows"] == 2
    assert shlex.join(["--map", "model==gpt-5-mini"]) in data["command"]
    (error,) = asked(running, "bill", log=handle, offers=FEW, maps=["prompt"])
    assert "prompt" in error["what"]
    (error,) = asked(running, "bill", log=handle, offers=FEW, maps=maps, format="litelm")
    assert "litellm" in error["remedy"]


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"log": "no-such-handle"}, "log"),
        ({"date": "2031-01-01"}, "date"),
        ({"date": "yesterday"}, "date"),
        ({"in_force": "2026-13-01"}, "in_force"),
        ({"only": "gpt"}, "only"),
        ({"maps": [1]}, "maps"),
        ({"draws": 1}, "draws"),
        ({"draws": True}, "draws"),
        ({"growth": "much"}, "growth"),
        ({"team": "x" * 60_000}, "team"),
    ],
)
def test_a_mistake_names_its_field(running: Running, message: dict[str, Any], where: str) -> None:
    (error,) = asked(running, "bill", **message)
    assert error["where"] == where


def test_what_only_the_catalogue_knows_is_told(running: Running) -> None:
    handle = dropped(running, "month.csv", MONTH)
    (error,) = asked(running, "bill", log=handle, currency="XXX")
    assert error["where"] == "currency"
    (error,) = asked(running, "bill", log=handle, offers=["openai/gpt-5-mimi"])
    assert "openai/gpt-5-mini" in error["remedy"]
    (error,) = asked(running, "bill", log=handle, offers=FEW, only=["gpt-4"])
    assert error["where"] == "only"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    *("log", "format", "zone", "maps", "only", "offers", "date", "in_force", "currency", "team", "growth"),
    *("engineer_day", "present", "months", "draws", "seed"),
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_any_message_is_a_question_or_an_error_that_names_a_field(message: dict[str, Any]) -> None:
    try:
        found = choice(message)
        for outlook in (False, True):
            shlex.split(command(found, "log.csv", outlook=outlook), comments=False)
        found.read_team()
    except PricewarError as error:
        told = error.where
    else:
        told = "nothing to tell"
    assert told


def test_every_word_of_the_desk_is_there_and_used() -> None:
    page = Path(desk_runs.__file__).parent / "page"
    scripts = "".join(
        (page / name).read_text("utf-8") for name in ("desk.js", "desk_bills.js", "desk_outlook.js")
    )
    steps = {f"desk.progress.{key}" for key in desk_runs.STEPS.values()}
    asked_for = {*re.findall(r'"(desk\.[a-z_.]+)"', scripts)} | steps
    assert asked_for <= {*OWN}
    begun = tuple(re.findall(r"`(desk\.[a-z_.]+\.)\$", scripts))  # the rest of the key comes later
    made = "".join(Path(m.__file__).read_text("utf-8") for m in (desk_runs, desk))
    assert [
        key for key in OWN if key not in asked_for and not key.startswith(begun) and key not in made
    ] == []
    for texts in OWN.values():
        places = [re.findall(r"\{(\w+)", text) for text in texts]
        assert {*places[0]} == {*places[1]} == {*places[2]}


# ---------------------------------------------------------------- the same elsewhere


def _shell(folder: Path, text: str) -> str:
    """Run what was copied, in the log's folder, as in a terminal."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", text], cwd=folder, env={**os.environ, "PATH": path},
                          capture_output=True, text=True, timeout=HANG, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_and_the_python_bill_the_same(running: Running, tmp_path: Path) -> None:
    name = "my month.csv"
    (tmp_path / name).write_bytes(MONTH)
    handle = dropped(running, name, MONTH)
    (data,) = asked(running, "bill", log=handle, offers=FEW, currency="EUR", in_force="2026-11-01",
                    only=["gpt-5-mini"])  # fmt: skip
    _shell(tmp_path, f"{data['command']} --quiet --json out.json")
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    for key in ("offers", "baseline", "assumptions", "as_of", "terms", "currency"):
        assert found[key] == data["bill"][key]
    (tmp_path / "again.py").write_text(data["python"], encoding="utf-8")
    said = _shell(tmp_path, f"{shlex.quote(sys.executable)} again.py").splitlines()
    assert [line.split()[0] for line in said] == [o["id"] for o in data["bill"]["offers"][:10]]


def test_the_command_and_the_python_advise_the_same(running: Running, tmp_path: Path) -> None:
    (tmp_path / "month.csv").write_bytes(MONTH)
    handle = dropped(running, "month.csv", MONTH)
    message = {"log": handle, "offers": FEW, "growth": 0.02, "engineer_day": 500, "draws": 8, "seed": 3,
               "present": "openai/gpt-5-mini", "months": 6}  # fmt: skip
    (data,) = asked(running, "outlook", **message)
    assert (data["draws"], data["of"]) == (8, 8)
    told = {a["key"]: a["value"] for a in data["outlook"]["assumptions"] if a["given"]}
    assert told["growth.monthly"] == "0.02"
    assert told["engineer_day"] == "500"
    _shell(tmp_path, f"{data['command']} --quiet --json out.json")
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    for key in ("recommended", "outcomes", "plan", "candidates", "lock_in", "assumptions"):
        assert found[key] == data["outlook"][key]
    (tmp_path / "again.py").write_text(data["python"], encoding="utf-8")
    last = _shell(tmp_path, f"{shlex.quote(sys.executable)} again.py").splitlines()[-1]
    assert last == f"{found['recommended']} {found['plan']['begin']}"


def test_the_sample_is_made_by_the_command_too() -> None:
    first, second = command(choice({}), "usage.csv").splitlines()
    assert first == "pricewar sample usage.csv"
    assert shlex.split(second)[:3] == ["pricewar", "bill", "usage.csv"]


# ---------------------------------------------------------------- the outlook


def test_few_futures_answer_first(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pricewar.app.desk.SMALL", 6)
    handle = dropped(running, "month.csv", MONTH)
    parts = asked(running, "outlook", log=handle, offers=FEW, draws=12)
    assert [(p["draws"], p["of"]) for p in parts] == [(6, 12), (12, 12)]
    assert [p["outlook"]["draws"] for p in parts] == [6, 12]
    assert [f"--draws {n} " in p["command"] for n, p in zip((6, 12), parts, strict=True)] == [True, True]
    (again,) = asked(running, "outlook", log=handle, offers=FEW, draws=12)  # kept
    assert again["outlook"] == parts[1]["outlook"]


@pytest.mark.parametrize(
    ("said", "where", "remedy"),
    [
        ({"team": "horizon: 24\ngrowth: {monthly: 5}\n"}, "team.yaml:2", "growth"),
        ({"team": "horizon: 24\nhorizn: 3\n"}, "team.yaml:2", "horizon"),
        ({"team": "a: [\n"}, "team.yaml", ""),
        ({"team": "horizon: 24\npresent: {offer: openai/gpt-5-mimi}\n"}, "team.yaml:2", "openai/gpt-5-mini"),
        ({"present": "openai/gpt-5-mimi"}, "team.yaml:1", "openai/gpt-5-mini"),
    ],
)
def test_a_mistake_of_the_team_stands_at_its_line(
    running: Running, said: dict[str, Any], where: str, remedy: str
) -> None:
    handle = dropped(running, "month.csv", MONTH)
    (error,) = asked(running, "outlook", log=handle, offers=FEW, draws=4, **said)
    assert error["where"].startswith(where)
    assert remedy in json.dumps(error)


def test_the_template_is_a_team(running: Running) -> None:
    (data,) = asked(running, "desk")
    assert {f["key"] for f in data["formats"]} == {s.format for s in LOGS}
    assert choice({"team": data["template"]}).read_team() == choice({}).read_team()


def test_an_outlook_is_stopped_at_once(running: Running) -> None:
    handle, before = dropped(running, "month.csv", MONTH), {*multiprocessing.active_children()}
    with running.connect() as socket:
        socket.send(json.dumps({"id": 1, "topic": "outlook", "log": handle, "draws": 5000}))
        while "progress" not in json.loads(socket.recv(HANG)):
            pass
        socket.send('{"id": 1, "cancel": true}')
        assert heard(socket, 1)[-1].get("cancelled")
        socket.send(json.dumps({"id": 2, "topic": "outlook", "log": handle, "offers": FEW, "draws": 4}))
        assert heard(socket, 2)[-1].get("done")
    assert {*multiprocessing.active_children()} <= before


# ---------------------------------------------------------------- what is kept, and taken away


def test_what_was_shown_is_not_billed_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = dropped(running, "month.csv", MONTH)
    (first,) = asked(running, "bill", log=handle, offers=FEW)

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr("pricewar.billing.desk.compare", never)
    assert asked(running, "bill", log=handle, offers=FEW) == [first]
    assert asked(running, "bill", log=handle, offers=FEW[:1])[0]["what"] == "internal error"


def test_no_more_is_kept_than_meant() -> None:
    kept = desk_runs._Kept(2)
    for number in range(5):
        kept.put(number, str(number))
        assert kept.get(number) == str(number)
    assert [kept.get(n) for n in range(5)] == [None, None, None, "3", "4"]


def test_bills_are_taken_as_csv_and_json(running: Running) -> None:
    message = {"log": dropped(running, "month.csv", MONTH), "offers": FEW}
    (data,) = asked(running, "bill", **message)
    status, body = taken(running, "bills.csv", message)
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert status == 200
    assert [(r["id"], r["total_mid"]) for r in rows] == [
        (o["id"], o["total"]["mid"]) for o in data["bill"]["offers"]
    ]
    status, body = taken(running, "bills.json", message)
    assert json.loads(body) == data["bill"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_reports_are_taken_in_the_page_s_language(running: Running, language: str) -> None:
    message = {"log": dropped(running, "month.csv", MONTH), "offers": FEW, "draws": 4}
    for kind in ("report.html", "advice.html"):
        status, body = taken(running, kind, message, lang=language)
        assert status == 200
        assert f'data-language="{language}"'.encode() in body
        assert b"month.csv" in body
    assert taken(running, "report.html", message, lang="xx")[0] == 400


def test_the_gateway_is_taken_as_an_archive(running: Running) -> None:
    message = {"log": dropped(running, "month.csv", MONTH), "offers": FEW, "draws": 4}
    status, body = taken(running, "gateway.zip", message)
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = archive.namelist()
        told = json.loads(archive.read("gateway/calendar.json"))
    assert {f"gateway/{name}" for name in told["files"]} == {*names}
    assert all(f"gateway/{p['file']}" in names for p in told["periods"])
    (data,) = asked(running, "outlook", **message)
    assert told["recommended"] == data["outlook"]["recommended"]


@pytest.mark.parametrize("text", ["", "[", "[]", "1", '{"draws": 0}', '{"log": "gone"}'])
def test_an_export_of_a_bad_question_is_an_error(running: Running, text: str) -> None:
    status, _, body = running.ask(f"/export/advice.json?{urlencode({'choice': text})}")
    assert status == 400
    assert json.loads(body)["error"]["where"]
