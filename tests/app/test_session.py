"""One socket under hostile and hasty clients: refused, superseded, bounded, never in another's way."""

from __future__ import annotations

import gc
import json
import math
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import HANG, Running, heard, topic, until
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pricewar.app import session
from pricewar.app.server import SOCKETS
from pricewar.app.session import Job, parsed, written
from pricewar.errors import DataError


def echo(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    yield {"said": message.get("say")}


def works(running: Running) -> None:
    """The server answers as if nothing had happened."""
    with topic("works", echo), running.connect() as page:
        page.send(json.dumps({"id": 5, "topic": "works", "say": "hello"}))
        assert heard(page, 5) == [
            {"id": 5, "part": 0, "done": False, "data": {"said": "hello"}},
            {"id": 5, "part": 1, "done": True},
        ]


TOO_LARGE = {1009, None}
"""Codes that end a message too large: what is not read to its end may be cut off before the code arrives."""


def closed(running: Running, message: str | bytes | list[str]) -> int | None:
    """The code with which a message, or the fragments of one, ends the socket; None when none arrived."""
    with running.connect() as page:
        with suppress(ConnectionClosed):
            page.send(message)
        with pytest.raises(ConnectionClosed) as ended:
            page.recv(HANG)
        return ended.value.rcvd.code if ended.value.rcvd else None


@pytest.mark.parametrize("size", [session.MESSAGE + 1, 2_000_000])
def test_a_huge_message_ends_the_socket_and_no_more(running: Running, size: int) -> None:
    assert closed(running, json.dumps({"id": 1, "topic": "echo", "say": "x" * size})) in TOO_LARGE
    works(running)


def test_a_message_of_many_small_pieces_is_as_large_as_their_sum(running: Running) -> None:
    assert closed(running, ["x" * 1000] * 100) in TOO_LARGE
    works(running)


def frame(kind: int, payload: bytes, announced: int) -> bytes:
    """A client's frame as it goes over the wire, with a mask of zeros (RFC 6455, 5.2)."""
    return bytes((kind, 0xFF)) + announced.to_bytes(8, "big") + bytes(4) + payload


@pytest.mark.parametrize("frames", [
    [frame(0x81, b"", session.MESSAGE + 1)],
    [frame(0x81, b"", 2**62)],
    [frame(0x01, b"x" * session.MESSAGE, session.MESSAGE), frame(0x80, b"", 1)],
], ids=["one more", "huge", "in pieces"])  # fmt: skip
def test_what_is_announced_too_large_is_refused_before_it_comes(
    running: Running, frames: list[bytes]
) -> None:
    with running.connect() as page:
        for each in frames:
            page.socket.sendall(each)
        with pytest.raises(ConnectionClosed) as ended:
            page.recv(HANG)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1009
    works(running)


def test_a_message_just_small_enough_is_read(running: Running) -> None:
    with topic("echo", echo), running.connect() as page:
        frame = json.dumps({"id": 1, "topic": "echo", "say": ""})
        text = "x" * (session.MESSAGE - len(frame))
        page.send(json.dumps({"id": 1, "topic": "echo", "say": text}))
        assert heard(page, 1)[0]["data"] == {"said": text}


@pytest.mark.parametrize("garbage", [b"", b"\x00\xff" * 500, b'{"id": 1, "topic": "markets"}', bytes(60_000)])
def test_binary_is_refused(running: Running, garbage: bytes) -> None:
    assert closed(running, garbage) == 1003
    works(running)


NO_MESSAGES = [
    "", "x", "nul", "null", "true", "1", '"id"', "[]", '[{"id": 1}]', "{", '{"id": 1', "{}",
    '{"topic": "markets"}',
    '{"id": "1", "topic": "markets"}', '{"id": true, "topic": "markets"}', '{"id": 1.0, "topic": "markets"}',
    '{"id": -1, "topic": "markets"}', '{"id": 9007199254740992, "topic": "markets"}', '{"id": null}',
    '{"id": 1, "topic": "war", "seed": 1e400}', '{"id": NaN}',
    '{"id": 1, "topic": "war", "seed": NaN}', '{"id": 1, "topic": "war", "seed": -Infinity}',
    "[" * 60_000, '{"a":' * 10_000, '{"id": 1, "x": ' + "[" * 30_000 + "]" * 30_000 + "}",
    '{"id": ' + "9" * 60_000 + "}",
    "\ufeff{}", "{'id': 1}", '{"id": 1}{"id": 2}', "\x00",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_MESSAGES, ids=range(len(NO_MESSAGES)))
def test_what_is_no_message_ends_the_socket(running: Running, text: str) -> None:
    assert parsed(text) is None
    assert closed(running, text) == 1007


def test_after_all_of_that_it_still_works(running: Running) -> None:
    works(running)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "a", "b"]), inner),
        max_leaves=20,
    )
)
def test_a_message_is_an_object_with_an_id_or_none(value: Any) -> None:
    found = parsed(json.dumps(value))
    good = isinstance(value, dict) and type(value.get("id")) is int and 0 <= value["id"] < 2**53
    assert (found is not None) == (
        good and "NaN" not in json.dumps(value) and "Infinity" not in json.dumps(value)
    )


@pytest.mark.parametrize(
    "asked", [None, 1, ["war"], {"war": 1}, "", "wars", "__init__", "../war", "pricewar.cli:main", "x" * 9999]
)
def test_an_unknown_topic_is_an_error_of_its_question(running: Running, asked: Any) -> None:
    with topic("echo", echo), running.connect() as page:
        page.send(json.dumps({"id": 1, "topic": asked}))
        page.send(json.dumps({"id": 2, "topic": "echo"}))
        assert heard(page, 1)[0]["error"]["what"] == "nobody answers this topic"
    with topic("echo", echo), running.connect() as page:
        page.send(json.dumps({"id": 2, "topic": "echo", "say": 1}))
        assert heard(page, 2)[-1]["done"]


def test_a_users_mistake_is_told_and_ours_is_not(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    def fails(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        yield {"first": 1}
        if message.get("ours"):
            raise RuntimeError("a secret of the inside")
        raise DataError("the log is bad", where="line 3", remedy="mend it")

    with topic("fails", fails), running.connect() as page:
        page.send('{"id": 1, "topic": "fails"}')
        said = heard(page, 1)
        assert said[0]["data"] == {"first": 1}
        assert said[1] == {
            "id": 1,
            "error": {"what": "the log is bad", "where": "line 3", "remedy": "mend it"},
        }
        page.send('{"id": 2, "topic": "fails", "ours": true}')
        said = heard(page, 2)
        assert said[1]["error"]["what"] == "internal error"
        assert "secret" not in json.dumps(said)
    assert "a secret of the inside" in caplog.text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", object()])
def test_what_json_cannot_say_is_an_internal_error(running: Running, value: Any) -> None:
    def odd(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        yield {"value": value}

    with topic("odd", odd), running.connect() as page:
        page.send('{"id": 1, "topic": "odd"}')
        assert heard(page, 1)[0]["error"]["what"] == "internal error"


HOSTILE = "<script>alert(1)</script>\x1b[2J\u202egpj.exe\x00\ud800\u2028\x9b31m"


def test_names_that_command_or_turn_are_made_visible(running: Running) -> None:
    def says(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        job.progress(HOSTILE, 1, 1)
        yield {"vendors": [{"key": HOSTILE, "name": HOSTILE}], HOSTILE: "plain"}
        raise DataError(HOSTILE, where=HOSTILE, remedy=HOSTILE)

    with topic("says", says), running.connect() as page:
        page.send('{"id": 1, "topic": "says"}')
        texts = []
        while not texts or '"error"' not in texts[-1]:
            texts.append(page.recv(HANG))
    assert len(texts) == 3
    for text in texts:
        assert not any(c < " " or c in "\u202e\u2028\x9b\x7f" or "\ud800" <= c <= "\udfff" for c in text)
        assert "\\u" not in text
        # What is markup stays text: the page makes text nodes of it (tests/browser).
        assert "<script>alert(1)</script>" in text


@given(st.text())
def test_text_without_commands_comes_through_unchanged(text: str) -> None:
    back = json.loads(written({"text": text}))["text"]
    if text.isprintable():
        assert back == text
    assert not any(c < " " and c not in "\t\n" for c in back)


def test_the_latest_question_of_a_topic_counts(running: Running) -> None:
    begun, seen = threading.Event(), []

    def slow(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        seen.append(message["id"])
        begun.set()
        # Each but the last works until it is superseded, however late the next question arrives.
        while message["id"] != 4 and not job.wait(0.01):
            pass
        yield {"of": message["id"]}

    with topic("slow", slow), running.connect() as page:
        page.send('{"id": 1, "topic": "slow"}')
        assert begun.wait(HANG)
        for number in (2, 3, 4):
            page.send(json.dumps({"id": number, "topic": "slow"}))
        said = [json.loads(page.recv(HANG)) for _ in range(5)]
    assert said == [
        {"id": 1, "superseded": True}, {"id": 2, "superseded": True}, {"id": 3, "superseded": True},
        {"id": 4, "part": 0, "done": False, "data": {"of": 4}}, {"id": 4, "part": 1, "done": True},
    ]  # fmt: skip
    assert seen[0] == 1
    assert seen[-1] == 4


def test_an_answer_already_given_is_not_superseded_too(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread of a question may still be on its way out when the next one comes: one end for each."""
    kept, hold = session.Session._finished, threading.Event()

    def late(self: session.Session, topic: str, lane: Any) -> None:
        if hold.is_set():
            kept(self, topic, lane)
        else:
            self._loop.call_later(0.01, late, self, topic, lane)

    monkeypatch.setattr(session.Session, "_finished", late)
    with topic("echo", echo), running.connect() as page:
        page.send('{"id": 1, "topic": "echo", "say": 1}')
        assert heard(page, 1)[-1]["done"]
        page.send('{"id": 2, "topic": "echo", "say": 2}')
        page.send('{"id": 3, "topic": "nobody"}')  # answered at once: what came before it has been taken
        assert json.loads(page.recv(HANG))["id"] == 3
        hold.set()
        assert [answer["id"] for answer in heard(page, 2)] == [2, 2]


def test_a_question_can_be_cancelled_and_another_topic_goes_on(running: Running) -> None:
    stopped = threading.Event()

    def waits(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        yield {"begun": True}
        while not job.wait(0.01):
            pass
        stopped.set()

    with topic("waits", waits), topic("echo", echo), running.connect() as page:
        page.send('{"id": 1, "topic": "waits"}')
        assert json.loads(page.recv(HANG))["data"] == {"begun": True}
        page.send('{"id": 2, "topic": "echo", "say": "meanwhile"}')
        assert heard(page, 2)[0]["data"] == {"said": "meanwhile"}
        page.send('{"id": 1, "cancel": true}')
        assert heard(page, 1) == [{"id": 1, "cancelled": True}]
        assert stopped.wait(HANG)
        page.send('{"id": 3, "cancel": true}')  # nobody knows it: nothing is said
        page.send('{"id": 4, "topic": "echo"}')
        assert heard(page, 4)


def test_when_the_client_leaves_its_work_stops(running: Running) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def waits(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        begun.set()
        while not job.wait(0.01):
            pass
        stopped.set()
        yield {}

    with topic("waits", waits):
        with running.connect() as page:
            page.send('{"id": 1, "topic": "waits"}')
            assert begun.wait(HANG)
        assert stopped.wait(HANG)


def test_ten_thousand_messages_end_at_the_last(running: Running) -> None:
    ran: list[int] = []

    def counts(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        ran.append(message["id"])
        yield {"of": message["id"]}

    many = 10_000
    ended: dict[int, int] = {}

    def read() -> None:
        while many not in ended:
            answer = json.loads(page.recv(HANG))
            if {"superseded", "done"} & {key for key, value in answer.items() if value is True}:
                ended[answer["id"]] = ended.get(answer["id"], 0) + 1

    with topic("counts", counts), running.connect() as page:
        reader = threading.Thread(target=read)
        reader.start()
        for number in range(1, many + 1):
            page.send(json.dumps({"id": number, "topic": "counts"}))
        reader.join(HANG)
        assert not reader.is_alive()
    assert ran[-1] == many
    assert sorted(ended) == list(range(1, many + 1))  # each is ended, one way or the other,
    assert set(ended.values()) == {1}  # and once


def test_who_asks_and_never_reads_is_not_heard_further(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what is to be sent nor what was asked piles up."""
    most, told, kept = [0], [0], session.Session._say

    def watched(self: session.Session, *args: Any) -> None:
        kept(self, *args)
        most[0] = max(most[0], len(self._out))
        told[0] += 1

    many = 3_000  # answers as long as the name: more than a system's buffers hold
    with topic("x" * 100_000, echo), running.connect(max_queue=1) as page:
        with monkeypatch.context() as patch:
            patch.setattr(session.Session, "_say", watched)
            for number in range(many):
                page.send(json.dumps({"id": number, "topic": "nobody"}))
            until(lambda: most[0] >= session.WAITING)
            works(running)
        page.close_timeout = 1
    assert most[0] <= session.WAITING + 4
    assert told[0] < many


def test_a_client_that_does_not_read_delays_nobody(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page asks for a flood and reads nothing; another is answered, and the flood waits at its source."""
    made, most, kept = [0], [0], session.Session._queue

    async def watched(self: session.Session, *args: Any) -> bool:
        queued = await kept(self, *args)
        most[0] = max(most[0], len(self._out))
        return queued

    def flood(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        text = "x" * 100_000
        for _ in range(5_000):
            made[0] += 1
            yield {"text": text}

    monkeypatch.setattr(session.Session, "_queue", watched)
    with topic("flood", flood), topic("echo", echo):
        with running.connect(max_queue=1, close_timeout=1) as slow:
            slow.send('{"id": 1, "topic": "flood"}')
            until(lambda: most[0] == session.WAITING)  # what the system's buffers hold has gone before
            with running.connect() as fast:
                for number in range(200):
                    fast.send(json.dumps({"id": number, "topic": "echo", "say": number}))
                    assert heard(fast, number)[0]["data"] == {"said": number}
            assert most[0] == session.WAITING
            assert made[0] < 5_000
        works(running)


def test_superseded_parts_are_not_sent(running: Running) -> None:
    """What waits for a client that reads late is only what still counts."""
    full = threading.Event()

    def flood(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        if message["id"] == 2:
            yield {"last": True}
            return
        for n in range(2_000):
            if n == 60:
                full.set()
            yield {"text": "x" * 100_000}

    with topic("flood", flood), running.connect(max_queue=1) as page:
        page.send('{"id": 1, "topic": "flood"}')
        assert full.wait(HANG)
        page.send('{"id": 2, "topic": "flood"}')
        said = []
        while not said or not said[-1].get("done"):
            said.append(json.loads(page.recv(HANG)))
    parts = [answer for answer in said if answer["id"] == 1 and "data" in answer]
    assert len(parts) < 2_000 - session.WAITING
    assert next(answer for answer in said if answer["id"] == 2)["data"] == {"last": True}
    assert said.index({"id": 1, "superseded": True}) == len(parts)  # nothing of it afterwards


def test_two_pages_do_not_supersede_one_another(running: Running) -> None:
    together = threading.Barrier(2, timeout=HANG)

    def meets(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        together.wait()  # both run at once
        yield {"cancelled": job.cancelled, "page": message["page"]}

    with topic("meets", meets), running.connect() as one, running.connect() as other:
        one.send('{"id": 1, "topic": "meets", "page": "one"}')
        other.send('{"id": 1, "topic": "meets", "page": "other"}')
        assert heard(one, 1)[0]["data"] == {"cancelled": False, "page": "one"}
        assert heard(other, 1)[0]["data"] == {"cancelled": False, "page": "other"}


def test_progress_is_told_and_its_end_never_left_out(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PROGRESS", math.inf)  # all calls are too frequent

    def steps(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        for n in range(1, 1001):
            job.progress("step", n, 1000)
        yield {}

    with topic("steps", steps), running.connect() as page:
        page.send('{"id": 1, "topic": "steps"}')
        said = [a["progress"] for a in heard(page, 1) if "progress" in a]
    assert said == [{"text": "step", "done": 1000, "of": 1000}]


def test_there_are_only_so_many_sockets(servers: Callable[..., Running]) -> None:
    mine = servers()
    with ExitStack() as open_:
        for _ in range(SOCKETS - 1):
            open_.enter_context(mine.connect())
        with mine.connect(), pytest.raises(InvalidStatus), mine.connect():
            pass

        def room() -> bool:
            with suppress(InvalidStatus):
                open_.enter_context(mine.connect())
                return True
            return False

        until(room)  # the last of them has left
    works(mine)


def test_hasty_pages_that_come_and_go_leave_nothing(servers: Callable[..., Running]) -> None:
    mine = servers()
    with topic("hasty", echo):
        for number in range(100):
            with mine.connect() as page:
                page.send(
                    json.dumps(
                        {"id": number, "topic": "hasty", "say": "x" * random.Random(number).randrange(9000)}
                    )
                )
        until(lambda: not any(thread.name == "answer-hasty" for thread in threading.enumerate()))
    works(mine)


def test_what_is_answered_after_the_end_is_answered_to_nobody(servers: Callable[..., Running]) -> None:
    """Neither does the thread wait for ever, nor is anything said of it (a warning would fail this test)."""
    mine, begun, ended, said = servers(), threading.Event(), threading.Event(), []

    def late(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        begun.set()
        assert ended.wait(HANG)
        assert job._session is not None
        said.append(job._session._deliver(job, {"id": 1}))
        job._session._soon = lambda *_: True  # handed over in the very moment in which the loop ends
        said.append(job._session._deliver(job, {"id": 1}))
        yield {}

    with topic("late", late), mine.connect() as page:
        page.send('{"id": 1, "topic": "late"}')
        assert begun.wait(HANG)
        mine.stop()
        ended.set()
        until(lambda: not any(thread.name == "answer-late" for thread in threading.enumerate()))
    gc.collect()
    assert said == [False, False]


def test_a_handler_that_fails_after_the_end_says_nothing(
    servers: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    """What it reaches for may be gone by then, such as an upload."""
    mine, begun, ended = servers(), threading.Event(), threading.Event()

    def fails(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
        begun.set()
        assert ended.wait(HANG)
        raise FileNotFoundError
        yield {}

    with topic("fails", fails), mine.connect() as page:
        page.send('{"id": 1, "topic": "fails"}')
        assert begun.wait(HANG)
        mine.stop()
        ended.set()
        until(lambda: not any(thread.name == "answer-fails" for thread in threading.enumerate()))
    assert "failed" not in caplog.text
