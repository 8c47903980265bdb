"""Processes for the games: warm between questions, so that a fast game answers at once, killed when need be.

A `Seat` is a process that runs functions of `games_work`, one question after the other. When an answer is no
longer wanted it is asked to stop, which solvers do between two steps, and killed when it does not within
`GRACE`. `child.run` starts a process for each piece of work: right where that takes seconds, too slow here.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from pricewar.app.child import BrokenError
from pricewar.app.war_runs import StoppedError
from pricewar.errors import PricewarError

if TYPE_CHECKING:
    from pricewar.app.session import Job

SEATS = 3
"""Processes at once; the next question waits."""
GRACE = 1.0
"""Seconds in which a process may stop by itself."""
_LOCK = threading.Lock()
log = logging.getLogger("pricewar.app")


def ask(what: str, arguments: tuple[Any, ...], job: Job) -> Iterator[tuple[str, Any]]:
    """("row", …) any number of times, then ("done", what `games_work` returned); progress goes to the job.

    Raises:
        PricewarError: of the work. StoppedError: the job was cancelled. BrokenError: the process crashed.
    """
    seat = _seat(job)
    try:
        yield from seat.ask(what, arguments, job)
    finally:
        _leave(seat)


class Seat:
    """A process that answers one question after the other."""

    def __init__(self) -> None:
        self.process: Any = None
        self._pipe: Connection | None = None
        self.free = True

    def ask(self, what: str, arguments: tuple[Any, ...], job: Job) -> Iterator[tuple[str, Any]]:
        """As `ask`; the process is started where none is alive."""
        if self.process is None or not self.process.is_alive():
            self._start()
        assert self._pipe is not None
        job.progress("games.progress.starting")
        finished = False
        try:
            self._pipe.send((what, arguments))
            while True:
                if job.cancelled:
                    raise StoppedError
                if not self._pipe.poll(0.02):
                    continue
                kind, said = self._pipe.recv()
                if kind == "progress":
                    job.progress(*said)
                    continue
                finished = kind != "row"
                if kind == "error":
                    raise said
                if kind == "broken":
                    log.error("a game failed in its process: %s", said)
                    raise BrokenError(said)
                yield kind, said
                if finished:
                    return
        except (EOFError, OSError):
            self.kill()
            finished = True
            raise BrokenError("the process ended without an answer") from None
        finally:
            if not finished:
                self._stop()

    def _start(self) -> None:
        self.kill()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True, name="pricewar games")
        self.process.start()
        theirs.close()

    def _stop(self) -> None:
        """Ask it to stop; kill it when it does not in time, so that nothing unwanted goes on."""
        pipe, end = self._pipe, time.monotonic() + GRACE
        with contextlib.suppress(EOFError, OSError):
            if pipe is not None:
                pipe.send("stop")
                while time.monotonic() < end:
                    if pipe.poll(0.02) and pipe.recv()[0] in ("done", "stopped", "error", "broken"):
                        return
        self.kill()

    def kill(self) -> None:
        """End the process; nothing where there is none."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


_SEATS = [Seat() for _ in range(SEATS)]


def _seat(job: Job) -> Seat:
    """A free seat, a warm one first."""
    while True:
        with _LOCK:
            for seat in sorted(_SEATS, key=lambda s: s.process is None):
                if seat.free:
                    seat.free = False
                    return seat
        if job.wait(0.05):
            raise StoppedError


def _leave(seat: Seat) -> None:
    """Give a seat back; of the free ones only one stays warm."""
    with _LOCK:
        if not any(s.free and s.process is not None for s in _SEATS):
            seat.free = True
            return
    seat.kill()
    with _LOCK:
        seat.free = True


def close() -> None:
    """End every process; the next question starts one anew."""
    for seat in _SEATS:
        seat.kill()


class _Unwanted(KeyboardInterrupt):
    """Raised within a solver: stop, what was found is not asked for."""


def _serve(pipe: Connection) -> None:
    """The process: questions until the server ends. Ctrl-C is the server's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox: list[Any] = []
    come = threading.Event()
    stop = threading.Event()

    def listen() -> None:
        while True:
            try:
                said = pipe.recv()
            except (EOFError, OSError):
                os._exit(0)  # the server is gone
            if said == "stop":
                stop.set()
            else:
                stop.clear()  # here, in the order of what is said: a stop that follows is never lost
                inbox.append(said)
                come.set()

    lock = threading.Lock()

    def say(kind: str, what: Any) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            pipe.send((kind, what))

    threading.Thread(target=listen, daemon=True).start()
    from pricewar.app import games_work

    last = 0.0

    def report(text: str, done: int = 0, of: int = 0) -> None:
        nonlocal last
        if stop.is_set():
            raise _Unwanted
        now = time.monotonic()
        if now - last > 0.1:
            last = now
            say("progress", (text, done, of))

    def row(what: Any) -> None:
        if stop.is_set():
            raise _Unwanted
        say("row", what)

    while True:
        come.wait()
        come.clear()
        what, arguments = inbox.pop()
        work: Callable[..., Any] = getattr(games_work, what)
        try:
            made = work(*arguments, row if what == "figures" else report)
        except PricewarError as error:
            say("error", error)
        except KeyboardInterrupt:
            say("stopped", None)
        except Exception as error:
            say("broken", f"{type(error).__name__}: {error}")
        else:
            say("done", made)
