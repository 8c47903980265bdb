"""One socket: messages checked, one job for each topic, the latest wins.

Client to server, JSON text of at most `MESSAGE` bytes:

    {"id": 7, "topic": "war", …}     ask; supersedes what this socket still asks of that topic
    {"id": 7, "cancel": true}        stop

Server to client:

    {"id": 7, "part": 0, "done": false, "data": {…}}      parts in order, from 0
    {"id": 7, "part": 3, "done": true}                    the end; it carries no data
    {"id": 7, "progress": {"text": "…", "done": 3, "of": 10}}
    {"id": 7, "error": {"what": "…", "where": "…" or null, "remedy": "…" or null}}      the end
    {"id": 7, "superseded": true} or {"id": 7, "cancelled": true}                        the end

What is no JSON object with an id, or not text, ends the socket with a reason; a topic nobody answers is an
error of that id. Handlers run in threads. What waits to be sent is bounded: a handler whose client does not
read waits for it, and so does the reading of further messages; other sockets do not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.websockets import WebSocketDisconnect, WebSocketState

from pricewar.app.topics import TOPICS, load
from pricewar.errors import PricewarError, did_you_mean

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from pricewar.app.uploads import Upload, Uploads

MESSAGE = 64 * 1024
"""Bytes of a message at most."""
WAITING = 64
"""Answers that may wait to be sent."""
PROGRESS = 0.1
"""Seconds between two reports of progress."""
PATIENCE = 60.0
"""Seconds that one answer may take to be sent before the socket is given up."""
OVER = 1.0
"""Seconds between two looks at whether the loop ended before it came to what was handed to it."""
T = TypeVar("T")
_ESCAPED = re.compile(r"\\[bfru]")
log = logging.getLogger("pricewar.app")


class Job:
    """What a handler knows of the question it answers."""

    def __init__(self, number: int, session: Session | None = None, uploads: Uploads | None = None) -> None:
        self.id = number
        self._session, self._uploads = session, uploads
        self._over = threading.Event()
        self._said = 0.0
        self.answered = False  # its end waits to be sent, or is sent: nothing can end it again

    @property
    def cancelled(self) -> bool:
        """A newer message of the topic came, the client left, or cancel was pressed: stop soon."""
        return self._over.is_set()

    def cancel(self) -> None:
        """Ask the handler to stop."""
        self._over.set()

    def wait(self, seconds: float) -> bool:
        """Sleep that a cancellation ends; whether it was cancelled."""
        return self._over.wait(seconds)

    def progress(self, text: str, done: int = 0, of: int = 0) -> None:
        """Say what is under way; too frequent calls are left out, the last of them (done = of) never."""
        now = time.monotonic()
        if self._session is None or (now - self._said < PROGRESS and done != of):
            return
        self._said = now
        self._session.progress(self, {"text": text, "done": done, "of": of})

    def log(self, handle: object) -> Upload:
        """The log behind a handle.

        Raises:
            DataError: there is none.
        """
        from pricewar.app.uploads import Uploads

        return (self._uploads or Uploads()).find(handle)


class _Lane:
    """A topic's running job, and the one that comes next."""

    def __init__(self) -> None:
        self.running: Job | None = None
        self.next: tuple[Job, Mapping[str, Any]] | None = None


class Session:
    """One socket, from its first message to its end."""

    def __init__(self, socket: WebSocket, uploads: Uploads) -> None:
        self._socket, self._uploads = socket, uploads
        self._lanes: dict[str, _Lane] = {}
        self._out: deque[tuple[Job | None, str, bool]] = deque()  # whose, text, whether progress
        self._change = asyncio.Condition()
        self._loop = asyncio.get_running_loop()
        self._closed = False

    async def run(self) -> None:
        """Serve the socket until its client leaves."""
        await self._socket.accept()
        sender = asyncio.create_task(self._send())
        reader = asyncio.create_task(self._receive())
        try:
            await asyncio.wait((sender, reader), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._closed = True
            for lane in self._lanes.values():
                lane.next = None
                if lane.running:
                    lane.running.cancel()
            async with self._change:
                self._change.notify_all()
            for task in (sender, reader):
                task.cancel()
            await asyncio.gather(sender, reader, return_exceptions=True)

    # ------------------------------------------------------------------ what comes in

    async def _receive(self) -> None:
        while True:
            try:
                event = await self._socket.receive()
            except WebSocketDisconnect:
                return None
            if event["type"] == "websocket.disconnect":
                return None
            text = event.get("text")
            if text is None:
                return await self._refuse(1003, "text only")
            message = parsed(text)
            if message is None:
                return await self._refuse(1007, "a JSON object with a whole number as its id is expected")
            async with self._change:
                # A client that asks and never reads is not heard further.
                await self._change.wait_for(lambda: len(self._out) < WAITING or self._closed)
            if message.get("cancel") is True:
                self._cancel(message["id"])
            else:
                self._ask(message)

    def _ask(self, message: Mapping[str, Any]) -> None:
        number, topic = message["id"], message.get("topic")
        if not isinstance(topic, str) or topic not in TOPICS:
            known = did_you_mean(topic, TOPICS) if isinstance(topic, str) else None
            return self._say(None, {"id": number, "error": {
                "what": "nobody answers this topic", "where": "topic",
                "remedy": known or f"known: {', '.join(TOPICS)}"}})  # fmt: skip
        lane = self._lanes.setdefault(topic, _Lane())
        if lane.next is not None:
            self._end(lane.next[0], "superseded")
        if lane.running is not None:
            self._end(lane.running, "superseded")
        lane.next = (Job(number, self, self._uploads), message)
        self._begin(topic, lane)
        return None

    def _cancel(self, number: int) -> None:
        for lane in self._lanes.values():
            if lane.next is not None and lane.next[0].id == number:
                self._end(lane.next[0], "cancelled")
                lane.next = None
            if lane.running is not None and lane.running.id == number:
                self._end(lane.running, "cancelled")

    def _end(self, job: Job, how: str) -> None:
        """Stop a job and drop what it has not yet sent; said once."""
        if job.cancelled or job.answered:
            return
        job.cancel()
        self._out = deque(entry for entry in self._out if entry[0] is not job)
        self._say(None, {"id": job.id, how: True})

    async def _refuse(self, code: int, reason: str) -> None:
        if self._socket.application_state == WebSocketState.CONNECTED:
            await self._socket.close(code, reason)

    # ------------------------------------------------------------------ work

    def _begin(self, topic: str, lane: _Lane) -> None:
        if lane.running is not None or lane.next is None or self._closed:
            return
        (lane.running, message), lane.next = lane.next, None
        # A thread of its own and not a pool's: the end of the program does not wait for it.
        threading.Thread(
            target=self._work, args=(topic, lane, lane.running, message), name=f"answer-{topic}", daemon=True
        ).start()

    def _work(self, topic: str, lane: _Lane, job: Job, message: Mapping[str, Any]) -> None:
        last: dict[str, Any] = {"id": job.id}
        try:
            part = 0
            parts = load(TOPICS[topic])(message, job)
            for data in parts:
                if job.cancelled or not self._deliver(
                    job, {"id": job.id, "part": part, "done": False, "data": data}
                ):
                    break
                part += 1
            last |= {"part": part, "done": True}
        except PricewarError as error:
            last["error"] = {"what": error.what, "where": error.where, "remedy": error.remedy}
        except KeyboardInterrupt:  # how long solves say that they were cancelled
            job.cancel()
        except Exception:
            if not self._closed:  # at the end much is gone that a handler still reaches for
                log.exception("a handler of “%s” failed", topic)
            last["error"] = {"what": "internal error", "where": topic, "remedy": "the terminal says more"}
        if not job.cancelled:
            self._deliver(job, last, end=True)
        self._soon(self._finished, topic, lane)

    def _finished(self, topic: str, lane: _Lane) -> None:
        lane.running = None
        self._begin(topic, lane)

    # ------------------------------------------------------------------ what goes out

    def _deliver(self, job: Job, answer: Mapping[str, Any], *, end: bool = False) -> bool:
        """From a handler's thread: queue an answer, waiting for room; False when nobody wants it any more."""
        text = written(answer)
        queued: Future[bool] = Future()

        def begin() -> None:
            def settle(task: asyncio.Task[bool]) -> None:
                failed = task.cancelled() or task.exception() is not None
                queued.set_result(not failed and task.result())

            self._task(self._queue(job, text, end)).add_done_callback(settle)

        if self._soon(begin):
            while not self._loop.is_closed():
                with contextlib.suppress(TimeoutError):
                    return queued.result(OVER)
        job.cancel()
        return False

    async def _queue(self, job: Job, text: str, end: bool) -> bool:
        async with self._change:
            await self._change.wait_for(lambda: len(self._out) < WAITING or self._closed or job.cancelled)
            if self._closed or job.cancelled:
                return False
            self._out.append((job, text, False))
            job.answered = end
            self._change.notify_all()
        return True

    def progress(self, job: Job, what: Mapping[str, Any]) -> None:
        """From a handler's thread: say how far it is; the newest report replaces one not yet sent."""
        if not self._soon(self._replace, job, written({"id": job.id, "progress": what})):
            job.cancel()

    def _soon(self, what: Callable[..., object], *arguments: Any) -> bool:
        """From a handler's thread: have the loop call this; False when the loop is over."""
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            return False
        return True

    def _replace(self, job: Job, text: str) -> None:
        if job.cancelled or self._closed:
            return
        if self._out and self._out[-1][0] is job and self._out[-1][2]:
            self._out[-1] = (job, text, True)
        elif len(self._out) < WAITING:
            self._out.append((job, text, True))
            self._wake()

    def _say(self, job: Job | None, answer: Mapping[str, Any]) -> None:
        self._out.append((job, written(answer), False))
        self._wake()

    def _wake(self) -> None:
        async def wake() -> None:
            async with self._change:
                self._change.notify_all()

        self._task(wake())

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = self._loop.create_task(work)
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)
        return task

    async def _send(self) -> None:
        while True:
            async with self._change:
                await self._change.wait_for(lambda: self._out or self._closed)
                if self._closed:
                    return
                _, text, _ = self._out.popleft()
                self._change.notify_all()
            try:
                await asyncio.wait_for(self._socket.send_text(text), PATIENCE)
            except (TimeoutError, WebSocketDisconnect, RuntimeError):
                return


_TASKS: set[asyncio.Task[Any]] = set()
"""Tasks under way: the loop itself holds them only weakly."""


def parsed(text: str) -> dict[str, Any] | None:
    """A message, or None where it is none: not JSON, too deep, no object, no id."""

    def refuse(name: str) -> float:
        raise ValueError(name)

    def finite(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else refuse(text)

    try:
        message = json.loads(text, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    number = message.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**53:
        return None
    return message


def written(answer: Mapping[str, Any]) -> str:
    """An answer as JSON; what commands a terminal or turns the writing direction is made visible."""
    from pricewar.report import inert

    text = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # JSON writes control characters as escapes; a backslash that was in the text only costs a second look.
    if _ESCAPED.search(text):
        text = json.dumps(inert(answer), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return inert(text)
