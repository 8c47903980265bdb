"""Files to take away: named safely, saved and never shown, mistakes told in words."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException

import pytest
from serving import HANG, Running, export

from pricewar.app import topics
from pricewar.app.session import Job
from pricewar.app.topics import File
from pricewar.errors import DataError


def test_what_is_named_in_the_tables_is_there() -> None:
    for place in (*topics.TOPICS.values(), *topics.EXPORTS.values()):
        assert callable(topics.load(place))


def test_a_file_is_saved_under_its_name(running: Running) -> None:
    def made(query: Mapping[str, str], job: Job) -> File:
        return File("Rechnung für 7月.csv", "text/csv; charset=utf-8", f"a,{query['x']}\n".encode())

    with export("made.csv", made):
        status, headers, body = running.ask("/export/made.csv?x=%3Cb%3E")
    assert (status, body) == (200, b"a,<b>\n")
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["content-disposition"] == (
        "attachment; filename=\"Rechnung_f_r_7_.csv\"; filename*=UTF-8''Rechnung%20f%C3%BCr%207%E6%9C%88.csv"
    )


@pytest.mark.parametrize(
    "name", ['a"; filename="b.exe', "a\r\nSet-Cookie: x=1", "../../.bashrc", "a\x00b", "", "\u202egpj.exe"]
)
def test_a_name_cannot_say_more_than_a_name(running: Running, name: str) -> None:
    def made(query: Mapping[str, str], job: Job) -> File:
        return File(name, "text/html", b"<script>1</script>")

    with export("made.csv", made):
        status, headers, _ = running.ask("/export/made.csv")
    assert status == 200
    assert "set-cookie" not in headers
    said = headers["content-disposition"]
    assert said.startswith('attachment; filename="')
    assert said.count('"') == 2
    assert not any(c in said.partition("filename*")[2] for c in '"/\\\r\n\x00\u202e ')
    assert "/" not in said.partition('"')[2].partition('"')[0]


def test_mistakes_are_told_and_the_inside_is_not(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    def fails(query: Mapping[str, str], job: Job) -> File:
        if "ours" in query:
            raise RuntimeError("a secret of the inside")
        raise DataError("no log\x1b[31m", where="log", remedy="drop it")

    with export("made.csv", fails):
        status, _, body = running.ask("/export/made.csv")
        assert status == 400
        assert json.loads(body) == {"error": {"what": "no log␛[31m", "where": "log", "remedy": "drop it"}}
        status, _, body = running.ask("/export/made.csv?ours=1")
        assert status == 500
        assert b"secret" not in body
    assert "a secret of the inside" in caplog.text
    assert running.ask("/export/made.csv")[0] == 404


def test_what_is_under_way_at_the_end_is_no_fault(
    servers: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    mine, begun, ended = servers(), threading.Event(), threading.Event()

    def waits(query: Mapping[str, str], job: Job) -> File:
        begun.set()
        assert ended.wait(HANG)
        return File("x", "text/plain", b"")

    def ask() -> None:
        with suppress(OSError, HTTPException):
            mine.ask("/export/made.csv")

    told = logging.getLogger("uvicorn.error")
    told.addHandler(caplog.handler)
    try:
        with export("made.csv", waits):
            asking = threading.Thread(target=ask)
            asking.start()
            assert begun.wait(HANG)
            mine.stop()
            ended.set()
            asking.join(HANG)
    finally:
        told.removeHandler(caplog.handler)
    assert "Cancel 1 running task" in caplog.text
    assert "Traceback" not in caplog.text
