"""Long exact work in a process of its own, so that it can be stopped at once and never slows an answer.

`run(work, arguments, job)` calls `work(*arguments, progress)` in a spawned process and yields what it
reports; the process ends when the job is cancelled, when its work is done and when the server ends.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from pricewar.app.war_runs import StoppedError
from pricewar.errors import PricewarError

if TYPE_CHECKING:
    from pricewar.app.session import Job

AT_ONCE = threading.BoundedSemaphore(2)
"""Processes at once: more would only share the same cores."""
log = logging.getLogger("pricewar.app")


class BrokenError(Exception):
    """The process ended without an answer."""


def run(work: Callable[..., Any], arguments: tuple[Any, ...], job: Job) -> Iterator[tuple[str, Any]]:
    """("progress", what it reported) any number of times, then ("done", what it returned).

    Args:
        work: a function of a module, called with the arguments and a function that takes a report; both are
            pickled.

    Raises:
        PricewarError: raised by the work. StoppedError: the job was cancelled. BrokenError: it crashed.
    """
    while not AT_ONCE.acquire(timeout=0.1):
        if job.cancelled:
            raise StoppedError
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_begin, args=(theirs, work, arguments), daemon=True)
    try:
        process.start()
        theirs.close()
        yield from _listen(mine, job)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        mine.close()
        AT_ONCE.release()


def _listen(mine: Connection, job: Job) -> Iterator[tuple[str, Any]]:
    while True:
        if job.cancelled:
            raise StoppedError
        try:
            if not mine.poll(0.05):
                continue
            kind, what = mine.recv()
        except (EOFError, OSError):
            raise BrokenError("the process ended without an answer") from None
        if kind == "error":
            raise what
        if kind == "broken":
            log.error("work in a process of its own failed: %s", what)
            raise BrokenError(what)
        yield kind, what
        if kind == "done":
            return


def _begin(theirs: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """First thing in the process: leave Ctrl-C to the server, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(theirs,), daemon=True).start()
    lock = threading.Lock()

    def say(kind: str, what: Any) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            theirs.send((kind, what))

    try:
        made = work(*arguments, lambda what: say("progress", what))
    except PricewarError as error:
        say("error", error)
    except Exception as error:
        say("broken", f"{type(error).__name__}: {error}")
    else:
        say("done", made)


def _end_with(theirs: Connection) -> None:
    """The server never sends anything: what can be read is its end."""
    with contextlib.suppress(EOFError, OSError):
        theirs.poll(None)
    os._exit(1)
