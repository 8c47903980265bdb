"""Files written whole or not at all: a reader finds the old file or the new one, never half of it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from pricewar.errors import ConfigurationError


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write `text` as UTF-8 to `path`, by way of a temporary file beside it.

    A link keeps its place and its target is written; a pipe or device is written to, never replaced.

    Raises:
        ConfigurationError: the folder is missing, `path` is a folder, or it cannot be written.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("w", encoding="utf-8", newline="\n") as pipe:
                pipe.write(text)
            return target
        target = target.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(_permissions(target))
        Path(name).replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    return target


def writable(path: str | os.PathLike[str]) -> None:
    """See, before long work, that `path` can be written.

    Raises:
        ConfigurationError: it is a folder, or its folder is missing or closed to us.
    """
    target = Path(path)
    if not str(path).strip() or target.is_dir():
        raise ConfigurationError("is a folder, not a file", where=str(path), remedy="name a file")
    folder = target.resolve().parent
    if not folder.is_dir():
        raise ConfigurationError("the folder does not exist", where=str(folder), remedy="make it first")
    if not os.access(folder, os.W_OK):
        raise ConfigurationError("the folder cannot be written to", where=str(folder))


def _unwritable(path: str | os.PathLike[str], error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"cannot be written: {error.strerror}",
        where=str(path),
        remedy="name a file, not a folder, in a folder that exists and may be written to",
    )


def _permissions(target: Path) -> int:
    """Those the file has, or an ordinary new file gets; a temporary file is for its owner only."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
