"""Processes for a study: a `concurrent.futures` executor whose workers end with the run.

Anything with `submit` and futures may stand in its place (Dask's `Client.get_executor()`); `Here` runs in
this process. Workers are spawned, use one thread each for BLAS, OpenMP, Numba and Polars, so that n workers
take n cores and a sum is never split differently, and end at once when the run is interrupted or killed: each
watches a pipe whose other end only the run holds.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


class Processes(ProcessPoolExecutor):
    """`count` spawned processes, warm until `stop` or the end of a `with` block."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.count = count
        self._watched, self._held = context.Pipe(duplex=False)
        super().__init__(count, mp_context=context, initializer=_begin, initargs=(self._watched,))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        # A submission may spawn a process, and libraries read these once, when they are loaded.
        with _environment(dict.fromkeys(_ONE_THREAD, "1")), _interrupts_held():
            return super().submit(fn, *args, **kwargs)

    def stop(self) -> None:
        """End every process now; what they were doing is lost."""
        running = list((self._processes or {}).values())
        self._held.close()
        for process in running:  # the pipe does not reach one that is inside compiled code
            process.kill()
        self.shutdown(wait=True)
        self._watched.close()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        if kind is not None:
            self.stop()
            return None
        done = super().__exit__(kind, error, trace)
        self._held.close()
        self._watched.close()
        return done


class Here(Executor):
    """Runs each call in this process, at once. An interruption passes through."""

    count = 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(watched: Connection) -> None:
    """First thing in a worker: leave Ctrl-C to the run, and end when the run does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        watched.poll(None)
    os._exit(1)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits: here for a moment, in a process spawned meanwhile for good, from its first moment on."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
