"""Logs that the page was given: kept in a private folder until the server ends, known by a handle.

A log never leaves the machine. The name a browser sends is shown and never used as a path.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pricewar.errors import DataError

SIZE = 2**30
"""Bytes of one upload at most."""
KEPT = 8
"""Uploads kept; the oldest gives way."""


@dataclass(frozen=True)
class Upload:
    """A log: its handle, its name for show, where it lies, its bytes."""

    handle: str
    name: str
    path: Path
    size: int
    own: bool = True


class TooLargeError(DataError):
    """An upload past the limit."""


class Uploads:
    """The logs of one server. Safe to use from several threads."""

    def __init__(self, limit: int = SIZE) -> None:
        self.limit = limit
        self._folder: Path | None = None
        self._known: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def given(self, path: Path) -> Upload:
        """A file named on the command line: read where it lies, never copied, never removed."""
        upload = Upload(secrets.token_urlsafe(12), path.name, path, path.stat().st_size, own=False)
        with self._lock:
            self._known[upload.handle] = upload
        return upload

    def find(self, handle: object) -> Upload:
        """The upload behind a handle.

        Raises:
            DataError: there is none: the server was restarted, or newer uploads have taken its place.
        """
        with self._lock:
            found = self._known.get(handle) if isinstance(handle, str) else None
        if found is None:
            raise DataError("this log is no longer held here", where="log", remedy="drop the file again")
        return found

    def all(self) -> list[Upload]:
        """Every upload held, oldest first."""
        with self._lock:
            return list(self._known.values())

    async def take(self, name: str, chunks: AsyncIterator[bytes]) -> Upload:
        """Write an upload as it arrives; one that is too large, empty or broken off leaves nothing behind.

        Raises:
            TooLargeError: past the limit. DataError: there is nothing in it.
        """
        handle = secrets.token_urlsafe(12)
        path = self._room() / handle
        size = 0
        try:
            with path.open("xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self.limit:
                        raise self.too_large()
                    file.write(chunk)
            if not size:
                raise DataError("the file is empty", where=shown(name), remedy="give a log with requests")
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        upload = Upload(handle, shown(name), path, size)
        with self._lock:
            self._known[handle] = upload
            old = [u for u in self._known.values() if u.own][:-KEPT]
            for each in old:
                del self._known[each.handle]
        for each in old:
            with contextlib.suppress(OSError):
                each.path.unlink()
        return upload

    def too_large(self) -> TooLargeError:
        """What is said of an upload past the limit."""
        return TooLargeError(
            f"the file is larger than {self.limit / 2**20:,.0f} MiB",
            where="log",
            remedy="give it on the command line (pricewar app LOG), where no limit holds",
        )

    def close(self) -> None:
        """Remove what was uploaded."""
        with self._lock:
            self._known.clear()
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _room(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="pricewar-"))  # for its owner only
            return self._folder


def shown(name: str) -> str:
    """A name as text: its last part, at most 120 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    return last[:120] or "log"
