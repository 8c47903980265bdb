"""Who is let in: the token, Host, Origin, and what a browser is told to allow."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import stat
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import HANG, TOKEN, Running, heard
from websockets.exceptions import InvalidStatus

from pricewar.app import access
from pricewar.app.server import bound
from pricewar.report import CHART_STYLE

PATHS = (
    "/",
    "/page/main.js",
    "/charts/war.js",
    "/vendor/d3/d3.min.js",
    "/export/x",
    "/nothing",
    "/favicon.ico",
)


def raw(port: int, text: bytes, *, ends: bool = False) -> bytes:
    """What a server says to bytes as they are: no client tidies them."""
    with socket.create_connection(("127.0.0.1", port), timeout=HANG) as made:
        made.sendall(text)
        if ends:
            made.shutdown(socket.SHUT_WR)
        found = b""
        while more := made.recv(65536):
            found += more
    return found


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=" + "x" * 43, f"?token={TOKEN}&token={TOKEN}", "?" + "a&" * 99]
)
def test_without_the_token_nothing_is_shown(running: Running, path: str, query: str) -> None:
    status, _, body = running.ask(path + query, known=False)
    assert status == 403
    assert body == b"open the link that `pricewar app` printed in the terminal\n"


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "pricewar=" + TOKEN,
        "pricewar-1=" + TOKEN,
        "pricewar-{port}=",
        "pricewar-{port}=x",
        "pricewar-{port}=" + TOKEN[:-1],
        "pricewar-{port}=" + TOKEN + "t",
        ';;="',
    ],
)
def test_another_cookie_does_not_let_in(running: Running, cookie: str) -> None:
    headers = {"Cookie": cookie.format(port=running.port)}
    assert running.ask("/", headers, known=False)[0] == 403
    with pytest.raises(InvalidStatus) as refused, running.connect(headers):
        pass
    assert refused.value.response.status_code == 403


def test_a_log_is_not_taken_from_a_stranger(running: Running) -> None:
    assert running.ask("/log?name=x", method="POST", body=b"{}", known=False)[0] == 403
    assert running.uploads.all() == []


def test_the_link_sets_the_cookie_and_leaves_the_token_behind(running: Running) -> None:
    status, headers, body = running.ask(f"/?token={TOKEN}", known=False)
    assert (status, headers["location"], body) == (303, "/", b"")
    name, *terms = headers["set-cookie"].split("; ")
    assert name == running.cookie
    assert sorted(terms) == ["HttpOnly", "Path=/", "SameSite=Strict"]
    assert running.ask("/", {"Cookie": name}, known=False)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:1",
        "127.0.0.1:{port}.evil.example",
        "[::1]:{port}",
        "0.0.0.0:{port}",
        "127.1:{port}",
        "",
    ],
)
def test_another_host_is_refused_even_with_the_cookie(running: Running, host: str) -> None:
    """DNS rebinding: a page points its own name at this machine."""
    given = {"Host": host.format(port=running.port)}
    for path in (*PATHS, f"/?token={TOKEN}"):
        status, headers, body = running.ask(path, given)
        assert status == 421
        assert "set-cookie" not in headers
        assert body == b"this server answers to its own address only\n"
    assert running.ask("/log?name=x", given, method="POST", body=b"{}")[0] == 421


@pytest.mark.parametrize("hosts", [b"", b"Host: 127.0.0.1:%d\r\nHost: evil.example\r\n"])
def test_no_host_or_two_are_refused(running: Running, hosts: bytes) -> None:
    hosts = hosts % running.port if b"%" in hosts else hosts
    answer = raw(
        running.port,
        b"GET / HTTP/1.1\r\n"
        + hosts
        + b"Connection: close\r\nCookie: "
        + running.cookie.encode()
        + b"\r\n\r\n",
    )
    assert re.match(rb"HTTP/1.1 (400|421) ", answer)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "http://localhost:1",
        "file://",
        "",
    ],
)
def test_requests_of_other_pages_are_refused(running: Running, origin: str) -> None:
    given = {"Origin": origin.format(port=running.port)}
    assert running.ask("/", given)[0] == 403
    assert running.ask("/log?name=x", given, method="POST", body=b"{}")[0] == 403
    with pytest.raises(InvalidStatus) as refused, running.connect(given):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_of_another_page_is_believed(running: Running, site: str) -> None:
    """Another local server is of the same site: cookies are sent along, this header tells it apart."""
    for mode in ("no-cors", "cors", "websocket"):
        given = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert running.ask("/page/main.js", given)[0] == 403
    assert running.ask("/", {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})[0] == 200


def test_its_own_page_is_let_in_by_either_name(running: Running) -> None:
    for host in (f"127.0.0.1:{running.port}", f"localhost:{running.port}"):
        given = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        assert running.ask("/page/main.js", given)[0] == 200
    with running.connect({"Origin": f"http://127.0.0.1:{running.port}"}) as socket_:
        socket_.send('{"id": 1, "topic": "nothing"}')
        assert heard(socket_, 1)


PLOT = base64.b64encode(hashlib.sha256(CHART_STYLE.encode()).digest()).decode()
EXPECTED = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", f"'sha256-{PLOT}'"],
    "img-src": ["'self'", "data:", "blob:"],
    "connect-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
}


@pytest.mark.parametrize("path", [*PATHS, f"/?token={TOKEN}"])
@pytest.mark.parametrize("known", [True, False])
def test_every_answer_carries_the_policy(running: Running, path: str, known: bool) -> None:
    _, headers, _ = running.ask(path, known=known)
    rules = {}
    for rule in headers["content-security-policy"].split("; "):
        name, *rest = rule.split()
        rules[name] = rest
    assert rules == EXPECTED
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


class Page(HTMLParser):
    """What in a page would run, or would be styled, from within."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        self._in = ""
        if tag == "style" or (
            tag == "script" and "src" not in given and given.get("type") != "application/json"
        ):
            self.inline.append(tag)
        for name in ("src", "href", "action"):
            address = given.get(name) or ""
            if not (address.startswith(("/", "#", "data:,")) or address == "") or address.startswith("//"):
                self.outside.append(address)


def test_the_page_has_nothing_inline_and_asks_nobody_else(running: Running) -> None:
    page = Page()
    body = running.ask("/")[2].decode()
    page.feed(body)
    assert page.inline == []
    assert page.outside == []
    assert TOKEN not in body


SECRETS = (b"root:", b"import ", b"def ", b"[project]")


@pytest.mark.parametrize(
    "path",
    [
        b"/page/../server.py",
        b"/page/..%2fserver.py",
        b"/page/%2e%2e/server.py",
        b"/page/..%5cserver.py",
        b"/page/....//server.py",
        b"/page//etc/passwd",
        b"/page/%2fetc%2fpasswd",
        b"/vendor/../../../../../../etc/passwd",
        b"/vendor/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        b"/vendor//etc/passwd",
        b"/vendor/d3/../../__init__.py",
        b"/charts/..%2f..%2f__init__.py",
        b"/charts/shared.js%00.py",
        b"/page/main.js/",
        b"/page/index.html.j2",
        b"/export/..%2f..%2fserver.py",
        b"/export/%2e%2e",
        b"/../pyproject.toml",
        b"//etc/passwd",
        b"/vendor/README.md",
        b"/page/main.js%0d%0aSet-Cookie:x=1",
    ],
)
def test_no_path_leads_out(running: Running, path: bytes) -> None:
    answer = raw(
        running.port,
        b"GET "
        + path
        + b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\nCookie: " % running.port
        + running.cookie.encode()
        + b"\r\n\r\n",
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1.1 (400|404) ", head)
    assert b"set-cookie" not in head.lower()
    assert not any(secret in body for secret in SECRETS)


@settings(max_examples=60, deadline=None)
@given(
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=60),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60),
)
def test_any_path_is_answered_and_shows_no_file_of_ours(running: Running, path: str, query: str) -> None:
    answer = raw(
        running.port,
        f"GET /{path}?{query} HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nConnection: close\r\n"
        f"Cookie: {running.cookie}\r\n\r\n".encode(),
    )
    status = int(answer[9:12])
    assert status in (200, 204, 303, 400, 404)
    assert status != 200 or not path


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"/" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000,
        b"PUT",
        b"\r\n" * 5000,
    ],
)
def test_garbage_is_refused_and_the_server_stays(running: Running, garbage: bytes) -> None:
    try:
        answer = raw(running.port, garbage, ends=True)
    except OSError:  # closed on us
        answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert running.ask("/page/main.js")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_what_is_meant_is_answered(running: Running, method: str) -> None:
    for path in ("/", "/page/main.js", "/export/x"):
        assert running.ask(path, method=method)[0] in (404, 405)


def test_libraries_are_kept_by_their_version_and_ours_are_asked_for(running: Running) -> None:
    page = running.ask("/")[2].decode()
    address = re.search(r'src="(/vendor/d3/d3\.min\.js\?v=\w+)"', page)
    assert address
    assert "immutable" in running.ask(address[1])[1]["cache-control"]
    for path in ("/vendor/d3/d3.min.js", "/vendor/d3/d3.min.js?v=other", "/page/main.js"):
        assert running.ask(path)[1]["cache-control"] == "no-cache"
    tag = running.ask("/page/main.js")[1]["etag"]
    assert running.ask("/page/main.js", {"If-None-Match": tag})[0] == 304


# ---------------------------------------------------------------- the token


def test_the_token_is_for_its_owner_and_is_remembered() -> None:
    made, kept = access.token()
    path = access.token_file()
    assert kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(made + "=")) == 32
    assert access.token() == (made, True)
    other, _ = access.token(new=True)
    assert other != made
    assert access.token() == (other, True)


@pytest.mark.parametrize("text", ["", "short", "x" * 44, "é" * 43, "x" * 42 + "\n" + "y", "../" * 14 + "x"])
def test_what_is_no_token_is_replaced(text: str) -> None:
    path = access.token_file()
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    made, kept = access.token()
    assert kept
    assert made != text.strip()
    assert path.read_text().strip() == made


def test_a_token_others_could_read_is_replaced() -> None:
    made, _ = access.token()
    access.token_file().chmod(0o644)
    again, kept = access.token()
    assert kept
    assert again != made
    assert stat.S_IMODE(access.token_file().stat().st_mode) == 0o600


def test_a_link_in_the_tokens_place_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("a" * 43)
    elsewhere.chmod(0o600)
    path = access.token_file()
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere)
    made, kept = access.token()
    assert kept
    assert made != "a" * 43
    assert elsewhere.read_text() == "a" * 43
    assert not path.is_symlink()


def test_a_token_that_cannot_be_kept_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    made, kept = access.token()
    assert len(made) == 43
    assert not kept


def test_a_restarted_server_takes_an_open_page_back(servers: Callable[..., Running]) -> None:
    with bound(20_000) as free:  # below the ports that systems give out: no other process takes it meanwhile
        port = free.getsockname()[1]
    first = servers(port=port)
    cookie = first.cookie
    with first.connect() as page:
        first.stop()
        with pytest.raises(Exception, match="1012"):
            page.recv(HANG)
    again = servers(port=port)
    with again.connect({"Cookie": cookie}) as page:
        page.send('{"id": 1, "topic": "nothing"}')
        assert heard(page, 1)[0]["error"]
    again.stop()
    other = servers(port=port, token="u" * 43)
    assert other.ask("/", {"Cookie": cookie}, known=False)[0] == 403
