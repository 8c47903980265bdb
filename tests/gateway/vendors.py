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

    `above`: other prices for requests with more tokens of input. `given`: so much of what it charges is not
    owed. `day`: requests served before it answers 429 until `new_day()`; `gone`: the status with which a
    retired model answers.
    """

    prices: tuple[Fraction, Fraction, Fraction] = (Fraction(0), Fraction(0), Fraction(0))
    above: tuple[int, tuple[Fraction, Fraction, Fraction]] | None = None
    given: Fraction = Fraction(0)
    day: int | None = None
    gone: int | None = None


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
        return max(sum((c.charged for c in self.calls), Fraction(0)) - self.terms.given, Fraction(0))

    def answer(self, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Status and answer for a request; the tokens it is to take stand in its last message."""
        asked = json.loads(body["messages"][-1]["content"])
        terms = self.terms
        with self._lock:
            status = 200
            if terms.gone is not None:
                status = terms.gone
            elif terms.day is not None and self._today >= terms.day:
                status = 429
            charged = Fraction(0)
            if status == 200:
                self._today += 1
                parts = (asked["input"], asked["cached"], asked["output"])
                long = terms.above is not None and parts[0] + parts[1] > terms.above[0]
                prices = terms.above[1] if long and terms.above is not None else terms.prices
                charged = sum((n * p for n, p in zip(parts, prices, strict=True)), Fraction(0))
            self.calls.append(Call(asked["number"], status, charged, body["model"], key, time.time()))
        if status != 200:
            words = "the model has been retired" if status in (404, 410) else "quota used up"
            return status, {"error": {"message": words, "type": "invalid", "code": status}}
        usage = {
            "prompt_tokens": asked["input"] + asked["cached"],
            "completion_tokens": asked["output"],
            "total_tokens": asked["input"] + asked["cached"] + asked["output"],
            "prompt_tokens_details": {"cached_tokens": asked["cached"]},
        }
        message = {"role": "assistant", "content": "ok"}
        return 200, {
            "id": f"{self.name}-{asked['number']}", "object": "chat.completion", "created": int(time.time()),
            "model": body["model"], "service_tier": "default", "usage": usage,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }  # fmt: skip


def _handler(answer: Callable[[dict[str, Any], str], tuple[int, dict[str, Any]]]) -> type:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, document = answer(body, key)
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    return Handler
