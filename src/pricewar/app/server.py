"""The page's server: files, the socket, logs that come in and files that go out.

    GET  /                     the page (page/index.html.j2)
    GET  /page/NAME            our scripts and styles: app/page, then report/page
    GET  /charts/NAME          charts shared with the report
    GET  /vendor/PATH          libraries as published; asked with ?v=… they are kept by the browser
    GET  /export/KIND?…        a file to take away (`topics.EXPORTS`)
    POST /log?name=…           a log as the body → {"log": handle, "name": …, "size": …}
    WS   /ws                   questions and answers (`session`)

Only files found at the start are served, looked up by name: no path of a request ever reaches the disk. Who
may ask is `access`. What the template gets is in `Page`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from pricewar import __version__
from pricewar.app.access import App, Guard
from pricewar.app.session import MESSAGE, Job, Session, written
from pricewar.app.topics import EXPORTS, load
from pricewar.app.uploads import TooLargeError, Uploads
from pricewar.errors import ConfigurationError, PricewarError
from pricewar.report import LANGUAGES, LOCALES, VENDORED, inert

APP, REPORT = Path(__file__).parent, Path(__file__).parent.parent / "report"
SOCKETS = 32
"""Sockets open at once."""
MEDIA = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8", ".png": "image/png", ".md": "text/plain; charset=utf-8",
}  # fmt: skip
log = logging.getLogger("pricewar.app")


@dataclass(frozen=True)
class Page:
    """What the page is opened with, and what its template gets.

    `index.html.j2` gets: `version`, `language`, `locale`, `languages`, `w(key)` (a word in that language),
    `words_json` (every word, as `app.words.catalogue()`), `config_json` and `vendor(path)`, the address of a
    library. The two documents of JSON stand in script elements of type application/json.
    """

    language: str = "en"
    config: Mapping[str, Any] = field(default_factory=dict)


def application(page: Page, token: str, port: int, uploads: Uploads) -> App:
    """The whole server as an ASGI application."""
    served = {f"/vendor/{name}": REPORT / "vendor" / name for name in VENDORED}
    for prefix, folder in (
        ("/page", REPORT / "page"),
        ("/page", APP / "page"),
        ("/charts", REPORT / "charts"),
    ):
        for file in sorted(folder.iterdir()):
            if file.suffix in (".js", ".css", ".svg"):
                served[f"{prefix}/{file.name}"] = file
    versions = {
        name: hashlib.sha256(served[f"/vendor/{name}"].read_bytes()).hexdigest()[:12] for name in VENDORED
    }
    open_sockets = 0

    async def index(_: Request) -> Response:
        text = await asyncio.to_thread(_index, page, versions)
        return Response(text, media_type="text/html", headers={"cache-control": "no-store"})

    async def static(request: Request) -> Response:
        file = served.get(request.url.path)
        if file is None:
            return PlainTextResponse("no such file\n", 404)
        body = await asyncio.to_thread(file.read_bytes)
        tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        version = request.query_params.get("v")
        name = request.url.path.removeprefix("/vendor/")
        lasting = version is not None and version == versions.get(name)
        keep = "private, max-age=31536000, immutable" if lasting else "no-cache"
        headers = {"etag": tag, "cache-control": keep}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=MEDIA[file.suffix], headers=headers)

    async def export(request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in EXPORTS:
            return PlainTextResponse("no such file\n", 404)
        query = dict(request.query_params)
        job = Job(0, uploads=uploads)
        try:
            made = await _in_thread(lambda: load(EXPORTS[kind])(query, job), job)
        except PricewarError as error:
            return _error(error, 400)
        except Exception:
            log.exception("the export “%s” failed", kind)
            return JSONResponse({"error": {"what": "internal error", "where": kind, "remedy": None}}, 500)
        ascii_name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in made.name)
        named = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(made.name, safe='')}"
        return Response(
            made.body,
            media_type=made.media,
            headers={"content-disposition": named, "cache-control": "no-store"},
        )

    async def take(request: Request) -> Response:
        announced = request.headers.get("content-length", "")
        try:
            if announced.isdigit() and int(announced) > uploads.limit:
                raise uploads.too_large()
            upload = await uploads.take(request.query_params.get("name", ""), request.stream())
        except TooLargeError as error:
            return _error(error, 413)
        except PricewarError as error:
            return _error(error, 400)
        except ClientDisconnect:
            return Response(status_code=400)
        except OSError as error:
            log.warning("an upload could not be kept: %s", error)
            return _error(ConfigurationError("the log could not be kept on this machine",
                                             remedy="make room in the temporary folder"), 507)  # fmt: skip
        return JSONResponse(inert({"log": upload.handle, "name": upload.name, "size": upload.size}))

    async def talk(socket: WebSocket) -> None:
        nonlocal open_sockets
        if open_sockets >= SOCKETS:
            await socket.close(1013, "too many pages are open")
            return
        open_sockets += 1
        try:
            await Session(socket, uploads).run()
        finally:
            open_sockets -= 1

    routes = [
        Route("/", index),
        Route("/export/{kind}", export),
        Route("/log", take, methods=["POST"]),
        Route("/page/{name}", static),
        Route("/charts/{name}", static),
        Route("/vendor/{name:path}", static),
        Route("/favicon.ico", lambda _: Response(status_code=204)),
        WebSocketRoute("/ws", talk),
    ]
    made = Starlette(routes=routes)
    made.router.redirect_slashes = False
    return Guard(made, token, port)


def _index(page: Page, versions: Mapping[str, str]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from pricewar.app import words

    def data(value: Any) -> str:
        """JSON that cannot end the script element it stands in."""
        text = written(value)
        return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")

    environment = Environment(
        loader=FileSystemLoader(APP / "page"), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
    config = {"version": __version__, "languages": list(LANGUAGES), **page.config}
    return environment.get_template("index.html.j2").render(
        version=__version__,
        language=page.language,
        locale=LOCALES[page.language],
        languages=LANGUAGES,
        w=lambda key: words.word(key, page.language),
        words_json=data(words.catalogue()),
        config_json=data(config),
        vendor=lambda name: f"/vendor/{name}?v={versions[name]}",
    )


async def _in_thread(work: Callable[[], Any], job: Job) -> Any:
    """Run in a thread of its own; when the client leaves, the job is told."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(method: str, value: Any) -> None:
        if not done.done():
            getattr(done, method)(value)

    def run() -> None:
        try:
            outcome = ("set_result", work())
        except BaseException as error:
            outcome = ("set_exception", error)
        try:
            loop.call_soon_threadsafe(settle, *outcome)
        except RuntimeError:  # the loop is over
            return

    threading.Thread(target=run, name="export", daemon=True).start()
    try:
        return await done
    finally:
        job.cancel()


def _error(error: PricewarError, status: int) -> Response:
    return JSONResponse(
        inert({"error": {"what": error.what, "where": error.where, "remedy": error.remedy}}), status
    )


# ---------------------------------------------------------------- the server itself


def bound(port: int, tries: int = 50) -> socket.socket:
    """A socket listening on 127.0.0.1 at `port`, or at the next free one; 0 is any.

    Raises:
        ConfigurationError: none of them is free.
    """
    for each in range(port, min(port + tries, 65_536)) if port else (0,):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait
        try:
            made.bind(("127.0.0.1", each))
            made.listen(64)
        except OSError:
            made.close()
            continue
        made.setblocking(False)
        return made
    raise ConfigurationError(
        f"no port from {port} on is free", where="--port", remedy="give another, or 0 for any free one"
    )


class Server:
    """A running server around a bound socket; `run` until `stop` or a signal."""

    def __init__(
        self, page: Page, token: str, listening: socket.socket, uploads: Uploads | None = None
    ) -> None:
        import uvicorn

        self.port: int = listening.getsockname()[1]
        self.token = token
        self.uploads = uploads or Uploads()
        self._listening = listening
        config = uvicorn.Config(
            application(page, token, self.port, self.uploads),
            http="h11", ws="websockets-sansio", loop="asyncio", lifespan="off",
            log_level="warning", access_log=False, server_header=False, proxy_headers=False,
            ws_max_size=MESSAGE, ws_per_message_deflate=False, ws_ping_interval=20.0, ws_ping_timeout=20.0,
            limit_concurrency=256, timeout_graceful_shutdown=2, h11_max_incomplete_event_size=64 * 1024,
        )  # fmt: skip
        self._server = uvicorn.Server(config)

    @property
    def link(self) -> str:
        """The address that lets a browser in."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def started(self) -> bool:
        """Whether it answers."""
        return self._server.started

    def run(self, *, ready: Callable[[], None] | None = None) -> None:
        """Serve until `stop`, Ctrl-C or SIGTERM; the uploads are removed at the end."""

        async def serve() -> None:
            task = asyncio.ensure_future(self._server.serve(sockets=[self._listening]))
            while not self._server.started and not task.done():
                await asyncio.sleep(0.01)
            if not task.done():
                load("pricewar.app.war_runs:warm")()
                if ready:
                    ready()
            await task

        logging.getLogger("uvicorn.error").addFilter(_fault)
        try:
            asyncio.run(serve())
        finally:
            self._listening.close()
            self.uploads.close()

    def stop(self) -> None:
        """Ask it to end, from any thread."""
        self._server.should_exit = True


def _fault(record: logging.LogRecord) -> bool:
    """Whether a record is told: what was still under way at the end, and was ended with it, is no fault."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def config_of(uploads: Uploads, market: str | None) -> dict[str, Any]:
    """What the page is told of what it was started with: the log and the market."""
    held = uploads.all()
    return {
        "market": market,
        "log": {"log": held[0].handle, "name": held[0].name, "size": held[0].size} if held else None,
        "upload_limit": uploads.limit,
    }
