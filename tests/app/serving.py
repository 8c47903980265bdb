"""A running server of the page, and clients that speak to it as a browser or as a stranger would."""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from websockets.sync.client import ClientConnection, connect

from pricewar.app import topics
from pricewar.app.server import Page, Server, bound
from pricewar.app.uploads import Uploads

TOKEN = "t" * 43
HANG = 600.0
"""Seconds after which a test that waits has failed: on a busy machine a first compilation takes minutes."""


class Running:
    """A server in a thread of its own."""

    def __init__(self, port: int = 0, token: str = TOKEN, limit: int = 2**20) -> None:
        self.uploads = Uploads(limit)
        self.server = Server(Page(), token, bound(port, tries=1 if port else 50), self.uploads)
        self.port, self.token = self.server.port, token
        self.server._server.config.ws_ping_interval = None  # no test is ended by an answer that comes late
        ready = threading.Event()
        self._thread = threading.Thread(target=self.server.run, kwargs={"ready": ready.set})
        self._thread.start()
        assert ready.wait(HANG)

    @property
    def cookie(self) -> str:
        return f"pricewar-{self.port}={self.token}"

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(HANG)
        assert not self._thread.is_alive()

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", body: Any = None,
        known: bool = True,
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        """Status, headers and body of a request; `known` sends the cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        try:
            given = {"Host": f"127.0.0.1:{self.port}", **({"Cookie": self.cookie} if known else {})}
            connection.request(method, path, body=body, headers=given | dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def connect(self, headers: Mapping[str, str] | None = None, **options: Any) -> ClientConnection:
        """A socket as the page opens it."""
        given = {"Cookie": self.cookie} | dict(headers or {})
        patient = {"open_timeout": HANG, "ping_interval": None} | options
        return connect(
            f"ws://127.0.0.1:{self.port}/ws", additional_headers=given, compression=None, max_size=None,
            proxy=None, **patient,
        )  # fmt: skip


def alive(pid: int) -> bool:
    """Whether a process is there; one that has ended and waits for its parent to notice is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):  # no /proc, or gone meanwhile
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return not Path("/proc/self").exists()


def until(done: Callable[[], object]) -> None:
    """Wait for something that comes by itself."""
    end = time.monotonic() + HANG
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def heard(socket: ClientConnection, number: int) -> list[dict[str, Any]]:
    """What is said about one question, up to its end."""
    said = []
    while True:
        answer = json.loads(socket.recv(HANG))
        if answer["id"] == number:
            said.append(answer)
            if answer.get("done") or {"error", "superseded", "cancelled"} & set(answer):
                return said


@contextmanager
def topic(
    name: str, handler: topics.Handler | topics.Export, table: dict[str, str] = topics.TOPICS
) -> Iterator[None]:
    """A topic, or an entry of another table of them, that only the test knows."""
    module = ModuleType(f"made_up_{name}")
    module.handler = handler  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    table[name] = f"{module.__name__}:handler"
    topics.load.cache_clear()
    try:
        yield
    finally:
        del table[name], sys.modules[module.__name__]
        topics.load.cache_clear()


def export(name: str, handler: topics.Export) -> AbstractContextManager[None]:
    """A file that only the test knows."""
    return topic(name, handler, topics.EXPORTS)
