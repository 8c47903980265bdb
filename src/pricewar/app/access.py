"""Who may speak to the page's server: the token, and the guard before every request.

The server listens on the loopback address alone. That keeps other machines out, not other pages in the same
browser: a page may send requests to 127.0.0.1, or point its own name there (DNS rebinding). So a request
must name this server as its Host and, where it says so, as its Origin, and carry a cookie that only the link
printed in the terminal sets. The token in that link is remembered for the user, so that a restarted server
takes an open page back.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from pricewar.report import CHART_STYLE

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
LENGTH = 43  # characters of 32 bytes in URL-safe base64
_PLOT = b64encode(hashlib.sha256(CHART_STYLE.encode()).digest()).decode()
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'sha256-{_PLOT}'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content security policy: nothing inline but the style that Plot puts into its pictures, by its hash."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def token_file() -> Path:
    """Where the token is remembered."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return folder / "pricewar" / "token"


def token(*, new: bool = False) -> tuple[str, bool]:
    """The user's token, made where there is none; and whether it is remembered for the next time.

    One that others could have read, or that is none, is replaced.
    """
    path = token_file()
    if not new:
        known = _remembered(path)
        if known:
            return known, True
    made = secrets.token_urlsafe(32)
    temporary = path.with_name(f".token.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(made + "\n")
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        return made, False
    return made, True


def _remembered(path: Path) -> str | None:
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, encoding="ascii") as file:
            info = os.fstat(file.fileno())
            if hasattr(os, "getuid") and (info.st_uid != os.getuid() or info.st_mode & 0o077):
                return None
            text = file.read(200).strip()
    except (OSError, ValueError):
        return None
    plain = text.replace("-", "").replace("_", "")
    return text if len(text) == LENGTH and plain.isascii() and plain.isalnum() else None


class Guard:
    """Lets through what comes from this page, with the headers every answer carries."""

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app, self._token = app, token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.origins = {f"http://{host}" for host in self.hosts}
        self.cookie = f"pricewar-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = _Headers(scope)
        refusal, entering = self.judge(scope, headers)
        if refusal:
            return await _refuse(scope, receive, send, *refusal)
        if entering:
            return await self._enter(send)

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _headers(message.get("headers", []))
            await send(message)

        return await self.app(scope, receive, with_headers)

    def judge(self, scope: Scope, headers: _Headers) -> tuple[tuple[int, str] | None, bool]:
        """What to refuse a request with, if anything; and whether it enters with the token in its query."""
        hosts = headers.all("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return (421, "this server answers to its own address only"), False
        origins = headers.all("origin")
        if any(origin.lower() not in self.origins for origin in origins):
            return (403, "requests of other pages are refused"), False
        if any(site not in ("same-origin", "none") for site in headers.all("sec-fetch-site")) and not (
            scope["type"] == "http" and "navigate" in headers.all("sec-fetch-mode")
        ):
            return (403, "requests of other pages are refused"), False
        if self._known(headers):
            return None, False
        given = _given(scope.get("query_string", b""))
        if given is not None and self._same(given):
            entering = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/"
            return None, entering
        return (403, "open the link that `pricewar app` printed in the terminal"), False

    def _known(self, headers: _Headers) -> bool:
        for line in headers.all("cookie"):
            try:
                held = SimpleCookie(line).get(self.cookie)
            except CookieError:
                continue
            if held is not None and self._same(held.value):
                return True
        return False

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    async def _enter(self, send: Send) -> None:
        """Set the cookie and send the browser to the page without the token; the fragment goes along."""
        cookie = f"{self.cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        lines = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0"),
                 (b"cache-control", b"no-store")]  # fmt: skip
        await send({"type": "http.response.start", "status": 303, "headers": _headers(lines)})
        await send({"type": "http.response.body", "body": b""})


def _given(query: bytes) -> str | None:
    """The token in a query, where it stands once."""
    try:
        found = parse_qs(query.decode("latin-1"), max_num_fields=64).get("token", [])
    except ValueError:
        return None
    return found[0] if len(found) == 1 else None


class _Headers:
    """A request's headers; one that comes twice is seen twice."""

    def __init__(self, scope: Scope) -> None:
        self._rows = [(name.lower(), value.decode("latin-1")) for name, value in scope.get("headers", [])]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._rows if key == name.encode()]


def _headers(given: Any) -> list[tuple[bytes, bytes]]:
    names = {name.lower() for name, _ in given}
    more = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in names]
    return [*given, *more]


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        return await send({"type": "websocket.close", "code": 1008, "reason": why})
    body = f"{why}\n".encode()
    lines = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()),
             (b"cache-control", b"no-store"), (b"connection", b"close")]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": _headers(lines)})
    return await send({"type": "http.response.body", "body": body})
