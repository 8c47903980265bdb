"""`pricewar app`: prints its link, finds a port, ends on Ctrl-C, says what is wrong."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving import HANG

RUN = [sys.executable, "-c", "from pricewar.cli import main; main()", "app", "--no-browser"]


BUSY = """
import threading, time
from pricewar.cli import main
threading.Thread(target=time.sleep, args=(10**6,)).start()
main()
"""


def ended(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *options], capture_output=True, text=True, timeout=HANG, check=False)


@contextmanager
def started(
    *options: str, run: Sequence[str] = RUN, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command running, and the link it printed."""
    process = subprocess.Popen(
        [*run, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], HANG)[0], "it printed nothing"
        found = re.fullmatch(
            r"pricewar is at (http://127\.0\.0\.1:\d+/\?token=[\w-]{43})\n", process.stdout.readline()
        )
        assert found
        yield process, found[1]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=HANG)


def stop(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
    process.send_signal(how)
    _, said = process.communicate(timeout=HANG)
    return process.returncode, said


def asks(link: str) -> int:
    address, _, token = link.removeprefix("http://").partition("/?token=")
    connection = http.client.HTTPConnection(address, timeout=HANG)
    try:
        connection.request("GET", "/", headers={"Cookie": f"pricewar-{address.split(':')[1]}={token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_prints_its_link_answers_and_ends_on_ctrl_c() -> None:
    with started("--port", "0") as (process, link):
        assert asks(link) == 200
        code, said = stop(process)
    assert code == 0
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "ended"


def test_ctrl_c_waits_for_no_thread() -> None:
    """A first compilation takes up to minutes, in threads that Python would wait for."""
    busy = [sys.executable, "-c", BUSY, *RUN[3:]]
    with started("--port", "0", run=busy) as (process, _):
        assert stop(process) == (0, "Ctrl-C ends it\nended\n")


def test_ctrl_c_ends_it_with_an_open_page_and_an_open_answer() -> None:
    from websockets.sync.client import connect

    with started("--port", "0") as (process, link):
        address, _, token = link.removeprefix("http://").partition("/?token=")
        cookie = {"Cookie": f"pricewar-{address.split(':')[1]}={token}"}
        with connect(f"ws://{address}/ws", additional_headers=cookie, proxy=None, open_timeout=HANG,
                     ping_interval=None) as page:  # fmt: skip
            page.send('{"id": 1, "topic": "war", "market": "global-2025", "futures": 1000}')
            page.recv(HANG)
            code, said = stop(process)
    assert code == 0
    assert "Traceback" not in said


def test_a_busy_port_gives_way_to_the_next_and_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with started("--port", str(port)) as (process, link):
            there = int(link.split(":")[2].split("/")[0])
            assert port < there < port + 50
            assert asks(link) == 200
            code, said = stop(process)
    assert code == 0
    assert f"port {port} is taken; this is port {there}" in said


def test_it_is_the_same_link_until_a_new_one_is_asked_for() -> None:
    tokens = []
    for option in ((), (), ("--new-token",), ()):
        with started("--port", "0", *option) as (process, link):
            tokens.append(link.partition("token=")[2])
            stop(process)
    assert tokens[0] == tokens[1] != tokens[2] == tokens[3]


def test_a_log_named_is_given_to_the_page_and_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "<script>usage.jsonl"
    log.write_text('{"a": 1}\n')
    with started("--port", "0", str(log)) as (process, link):
        assert asks(link) == 200
        code, _ = stop(process)
    assert code == 0
    assert log.read_text() == '{"a": 1}\n'


def test_uploads_are_gone_after_ctrl_c(tmp_path: Path) -> None:
    with started("--port", "0", TMPDIR=str(tmp_path)) as (process, link):
        address, _, token = link.removeprefix("http://").partition("/?token=")
        connection = http.client.HTTPConnection(address, timeout=HANG)
        cookie = {"Cookie": f"pricewar-{address.split(':')[1]}={token}"}
        connection.request("POST", "/log?name=x", body=b"x", headers=cookie)
        assert connection.getresponse().status == 200
        connection.close()
        assert list(tmp_path.glob("pricewar-*/*"))
        stop(process)
    assert not list(tmp_path.glob("pricewar-*"))


@pytest.mark.parametrize(("options", "words"), [
    (("nothing.jsonl",), "there is no such file"),
    ((tempfile.gettempdir(),), "is a folder, not a file"),
    (("--market", "nowhere"), "there is no such market"),
    (("--port", "70000"), "--port"),
    (("--lang", "fr"), "--lang"),
])  # fmt: skip
def test_what_is_wrong_is_said(options: tuple[str, ...], words: str) -> None:
    found = ended(*options)
    assert found.returncode == 2
    assert found.stdout == ""
    assert words in found.stderr
    assert "Traceback" not in found.stderr


def test_a_market_of_ones_own_that_is_wrong_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("market: mine\ntitle: x\ncurrency: USD\nstart: 2025-01-01\nmonths: nine\n")
    found = ended("--market", str(file))
    assert found.returncode == 2
    assert "mine.yaml:5" in found.stderr
