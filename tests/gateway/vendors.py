"""Vendors that do not exist, on loopback: each speaks the OpenAI wire format and keeps its own terms.

What they refuse and charge is counted here by plain arithmetic, apart from the product's code, so that the
prediction is held against somebody else's books.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Terms:
    """What a vendor does. Prices are of one token: input, cached input, output.

    `day`: requests served before it answers 429 until `new_day()`; `first`: of so many requests each is
    refused with 429; `gone`: the status with which a retired model answers.
    """

    prices: tuple[Fraction, Fraction, Fraction] = (Fraction(0), Fraction(0), Fraction(0))
    day: int | None = None
    busy: bool = False
    gone: int | None = None
    retry_after: int | None = None


@dataclass
class Call:
    """A request as the vendor saw it."""

    number: int
    status: int
    charged: Fraction
    model: str
    key: str
    at: float


@dataclass
class Vendor:
    """A vendor at work: `with Vendor("acme") as v: … v.url, v.calls`."""

    name: str
    terms: Terms = field(default_factory=Terms)
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> Vendor:
        self._today = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.answer))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def new_day(self) -> None:
        """The quota begins anew, and so do the books."""
        self._today = 0
        self.calls.clear()

    @property
    def served(self) -> list[int]:
        """Numbers of the requests it served, in order."""
        return [c.number for c in self.calls if c.status == 200]

    @property
    def refused(self) -> list[int]:
        """Numbers of the requests it refused, in order."""
        return [c.number for c in self.calls if c.status != 200]

    @property
    def charged(self) -> Fraction:
        """What it charges for all of it."""
        return sum((c.charged for c in self.calls), Fraction(0))

    def answer(self, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, answer and headers for a request; the tokens it is to take stand in its last message."""
        asked = json.loads(body["messages"][-1]["content"])
        terms, headers = self.terms, {}
        with self._lock:
            status = 200
            if terms.gone is not None:
                status = terms.gone
            elif terms.busy or (terms.day is not None and self._today >= terms.day):
                status = 429
                if terms.retry_after is not None:
                    headers["retry-after"] = str(terms.retry_after)
            charged = Fraction(0)
            if status == 200:
                self._today += 1
                parts = (asked["input"], asked["cached"], asked["output"])
                charged = sum((n * p for n, p in zip(parts, terms.prices, strict=True)), Fraction(0))
            self.calls.append(Call(asked["number"], status, charged, body["model"], key, time.time()))
        if status != 200:
            words = "the model has been retired" if status in (404, 410) else "quota used up"
            return status, {"error": {"message": words, "type": "invalid", "code": status}}, headers
        usage = {
            "prompt_tokens": asked["input"] + asked["cached"],
            "completion_tokens": asked["output"],
            "total_tokens": asked["input"] + asked["cached"] + asked["output"],
            "prompt_tokens_details": {"cached_tokens": asked["cached"]},
        }
        message = {"role": "assistant", "content": "ok"}
        return 200, {
            "id": f"{self.name}-{asked['number']}", "object": "chat.completion", "created": int(time.time()),
            "model": body["model"], "usage": usage,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }, headers  # fmt: skip


def _handler(answer: Callable[..., tuple[int, dict[str, Any], dict[str, str]]]) -> type:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, document, headers = answer(body, key)
            data = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    return Handler
