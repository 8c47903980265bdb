"""A real LiteLLM proxy on loopback, from the environment that `make test-gateway` makes."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LITELLM = ROOT / ".venv-gateway" / "bin" / "litellm"
HANG = 600.0
"""Seconds after which a test that waits has failed."""


def _free_port() -> int:
    """Below the ports that systems give out: no other process takes it until the proxy listens."""
    for port in range(21_000, 32_000):
        with contextlib.suppress(OSError), socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@dataclass(frozen=True)
class Reply:
    """What the proxy answered: which deployment served, and what it says that cost (as text)."""

    status: int
    deployment: str | None
    cost: str | None
    body: str


class Proxy:
    """`with Proxy(folder, environment) as proxy: proxy.ask("llm", {…})`; reads `folder/config.yaml`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, dict(environment)
        self.port = _free_port()
        self.log = folder / "proxy.log"
        self.key = f"sk-{secrets.token_hex(32)}"

    def __enter__(self) -> Proxy:
        clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.endswith("_KEY")}
        environment = {
            **clean, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1", "DO_NOT_TRACK": "1",
            "PYTHONUNBUFFERED": "1",
            "LITELLM_MASTER_KEY": self.key, **self.environment,
        }  # fmt: skip
        self._log = self.log.open("w")
        command = [str(LITELLM), "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(self.port),
                   "--telemetry", "False"]  # fmt: skip
        self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=self._log,
                                         stderr=subprocess.STDOUT)  # fmt: skip
        deadline = time.monotonic() + HANG
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/liveliness", timeout=5):
                    return self
            except (urllib.error.URLError, OSError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise AssertionError(
                        f"the proxy did not come up: {self.log.read_text()[-4000:]}"
                    ) from None
                time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def warm(self) -> None:
        """Let it load what it loads with the first request: one for a model that it does not have."""
        assert self.ask("no-such-model", {}).status in (400, 404)

    def ask(self, model: str, request: Mapping[str, int]) -> Reply:
        """Send one request; its numbers tell the vendors which it is and how many tokens it takes."""
        body = {"model": model, "messages": [{"role": "user", "content": json.dumps(request)}]}
        call = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"},
        )
        try:
            with urllib.request.urlopen(call, timeout=HANG) as answer:
                head = answer.headers
                return Reply(answer.status, head["x-litellm-model-id"], head["x-litellm-response-cost"],
                             answer.read().decode())  # fmt: skip
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers["x-litellm-model-id"], None, error.read().decode())
