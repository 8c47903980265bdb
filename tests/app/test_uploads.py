"""Logs that come in: bounded, private, named as text only, gone at the end."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from serving import HANG, Running, until

from pricewar.app import uploads as room
from pricewar.app.uploads import KEPT, Uploads, shown
from pricewar.errors import DataError


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files of this test, to be counted."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def sent(running: Running, body: object, name: str = "usage.jsonl", **headers: str) -> tuple[int, dict]:
    status, _, text = running.ask(f"/log?name={name}", headers, method="POST", body=body)
    return status, json.loads(text)


def test_a_log_is_kept_for_its_owner_and_gone_at_the_end(
    servers: Callable[..., Running], own_folder: Path
) -> None:
    mine = servers()
    status, said = sent(mine, b'{"a": 1}\n')
    assert (status, said["name"], said["size"]) == (200, "usage.jsonl", 9)
    upload = mine.uploads.find(said["log"])
    assert upload.path.read_bytes() == b'{"a": 1}\n'
    assert files(own_folder) == [upload.path]
    assert stat.S_IMODE(upload.path.parent.stat().st_mode) == 0o700
    mine.stop()
    assert list(own_folder.iterdir()) == []


def test_an_upload_past_the_limit_leaves_nothing(servers: Callable[..., Running], own_folder: Path) -> None:
    mine = servers(limit=100_000)
    assert sent(mine, b"x" * 100_000)[0] == 200
    before = files(own_folder)
    status, said = sent(mine, b"x" * 100_001)  # announced
    assert status == 413
    assert "command line" in said["error"]["remedy"]
    status, said = sent(mine, iter([b"x" * 10_000] * 11))  # in pieces, of no announced length
    assert status == 413
    assert files(own_folder) == before
    assert len(mine.uploads.all()) == 1
    assert mine.ask("/page/main.js")[0] == 200


@pytest.mark.parametrize("length", ["99999999999999999999", "-1", "x", "1e3"])
def test_a_length_that_is_none_is_refused(
    servers: Callable[..., Running], own_folder: Path, length: str
) -> None:
    mine = servers()
    with socket.create_connection(("127.0.0.1", mine.port), timeout=HANG) as made:
        made.sendall(
            f"POST /log?name=x HTTP/1.1\r\nHost: 127.0.0.1:{mine.port}\r\nCookie: {mine.cookie}\r\n"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\nxxx".encode()
        )
        assert made.recv(100).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert files(own_folder) == []


def test_an_upload_that_breaks_off_leaves_nothing(servers: Callable[..., Running], own_folder: Path) -> None:
    mine = servers()
    with socket.create_connection(("127.0.0.1", mine.port), timeout=HANG) as made:
        made.sendall(
            f"POST /log?name=x HTTP/1.1\r\nHost: 127.0.0.1:{mine.port}\r\nCookie: {mine.cookie}\r\n"
            f"Content-Length: 1000\r\n\r\n{'x' * 500}".encode()
        )
        until(lambda: files(own_folder))
    mine.stop()
    assert files(own_folder) == []
    assert mine.uploads.all() == []


def test_nothing_is_no_log(running: Running) -> None:
    status, said = sent(running, b"")
    assert status == 400
    assert said["error"]["what"] == "the file is empty"


NAMES = {
    "usage.jsonl": "usage.jsonl", "../../etc/passwd": "passwd", "C:\\logs\\usage.csv": "usage.csv", "": "log",
    "/": "log", "..": "..", "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "a\x00b": "a\x00b", "x" * 5000: "x" * 120,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_and_never_a_path(name: str, tmp_path: Path) -> None:
    assert shown(name) == NAMES[name]

    async def once() -> AsyncIterator[bytes]:
        yield b"x"

    mine = Uploads()
    upload = asyncio.run(mine.take(name, once()))
    assert upload.path.name == upload.handle
    assert upload.path.parent.parent == tmp_path / "temporary"
    mine.close()


def test_a_hostile_name_comes_back_made_visible(running: Running) -> None:
    status, said = sent(running, b"x", "%1b%5b2J%e2%80%aegpj.exe%00%3Cscript%3E")
    assert status == 200
    assert said["name"] == "␛[2J⟨U+202E⟩gpj.exe␀<script>"


def test_only_the_newest_are_kept(own_folder: Path) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"x"

    mine = Uploads()
    given = mine.given(Path(__file__))
    made = [asyncio.run(mine.take(f"{n}", once())) for n in range(KEPT + 3)]
    assert len(files(own_folder)) == KEPT
    assert mine.find(given.handle) == given  # what the command line named stays
    assert mine.find(made[-1].handle) == made[-1]
    with pytest.raises(DataError, match="no longer held"):
        mine.find(made[0].handle)
    mine.close()
    assert Path(__file__).exists()


@pytest.mark.parametrize("handle", [None, 1, "", "x", "../x", ["x"], {}])
def test_another_handle_is_nobodys(handle: object) -> None:
    with pytest.raises(DataError, match="drop the file again"):
        Uploads().find(handle)


def test_a_full_disk_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Uploads) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.Uploads, "_room", full)
    status, said = sent(running, b"x")
    assert status == 507
    assert "make room" in said["error"]["remedy"]
