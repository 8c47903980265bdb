"""A running server of the page, and clients that speak to it as a browser or as a stranger would."""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from websockets.sync.client import ClientConnection, connect

from pricewar.app import topics
from pricewar.app.server import Page, Server, bound
from pricewar.app.uploads import Uploads

TOKEN = "t" * 43


class Running:
    """A server in a thread of its own."""

    def __init__(self, port: int = 0, token: str = TOKEN, limit: int = 2**20) -> None:
        self.uploads = Uploads(limit)
        self.server = Server(Page(), token, bound(port, tries=1 if port else 50), self.uploads)
        self.port, self.token = self.server.port, token
        ready = threading.Event()
        self._thread = threading.Thread(target=self.server.run, kwargs={"ready": ready.set})
        self._thread.start()
        assert ready.wait(30)

    @property
    def cookie(self) -> str:
        return f"pricewar-{self.port}={self.token}"

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", body: Any = None,
        known: bool = True,
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        """Status, headers and body of a request; `known` sends the cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
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
        return connect(
            f"ws://127.0.0.1:{self.port}/ws", additional_headers=given, compression=None, max_size=None,
            proxy=None, **options,
        )  # fmt: skip


def heard(socket: ClientConnection, number: int, timeout: float = 60.0) -> list[dict[str, Any]]:
    """What is said about one question, up to its end."""
    said = []
    while True:
        answer = json.loads(socket.recv(timeout))
        if answer["id"] == number:
            said.append(answer)
            if answer.get("done") or {"error", "superseded", "cancelled"} & set(answer):
                return said


@contextmanager
def topic(name: str, handler: topics.Handler) -> Iterator[None]:
    """A topic that only the test knows."""
    module = ModuleType(f"made_up_{name}")
    module.handler = handler  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    topics.TOPICS[name] = f"{module.__name__}:handler"
    topics.load.cache_clear()
    try:
        yield
    finally:
        del topics.TOPICS[name], sys.modules[module.__name__]
        topics.load.cache_clear()
