"""A study on disk: what it is, its members, and one file per finished task.

::

    study.json          what the study is; a run that differs is refused
    members.json        seed and drawn values of every member
    tasks/POLICY/000000-000063.npz   outcomes of members 0 to 63, [member, *axes]

A task is some consecutive members under one policy. Its file is written beside its place and moved there, so
it is whole or absent; one that cannot be read (a disk gone full, power lost) is removed and computed again.
More members (where the draws allow it) and further policies extend a store; anything else is another study.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricewar.errors import ConfigurationError, DataError
from pricewar.files import write_text
from pricewar.study.design import Layout

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Arrays = dict[str, npt.NDArray[Any]]

_FIXED = {
    "worker": "another worker",
    "version": "the worker's code has changed",
    "constants": "other constants",
    "uncertainties": "other uncertainties",
    "method": "another way of drawing",
    "seed": "another seed",
    "layout": "another layout of outcomes",
}
FORMAT = 1


class Store:
    """A folder that holds one study.

    Args:
        folder: made if absent.
        study: plain data: the fields of `_FIXED`, `members`, `policies`.
        members: `{"seed": [n], "draws": {name: [n]}}`, plain.

    Raises:
        ConfigurationError: the folder holds another study or something else, or cannot be written.
    """

    def __init__(
        self, folder: str | os.PathLike[str], study: dict[str, Any], members: dict[str, Any]
    ) -> None:
        self.folder, self.study, self.members = Path(folder).absolute(), study, members
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"cannot be made: {error.strerror}",
                where=str(folder),
                remedy="name a folder that can be written",
            ) from None
        self.identity = _digest(_text([self.study[field] for field in _FIXED]))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against a second run, and settle that it is this study's.

        Raises:
            ConfigurationError: another run holds it; or as the class says.
        """
        lock = self.folder / ".lock"
        try:
            file = lock.open("a+", encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(self.folder)) from None
        with file:
            if not _lock(file.fileno()):
                raise ConfigurationError(
                    "another run is working in this folder",
                    where=str(self.folder),
                    remedy="wait for it, or name another folder",
                )
            self._settle()
            for left in self.folder.rglob(".*.part"):
                left.unlink(missing_ok=True)
            yield

    def _settle(self) -> None:
        old, old_members = _manifest(self.folder)
        if old is None:
            if any(not p.name.startswith((".", "members.json")) for p in self.folder.iterdir()):
                raise ConfigurationError(
                    "the folder is not empty and holds no study",
                    where=str(self.folder),
                    remedy="name an empty or a new folder",
                )
            policies, members = self.study["policies"], self.members
        else:
            self._refuse_another(old, old_members)
            policies = old["policies"] | self.study["policies"]
            members = old_members if old["members"] > self.study["members"] else self.members
        study = {**self.study, "policies": policies, "members": len(members["seed"])}
        if study != old:
            # Members first: a store is what study.json says, and must not promise more than there is.
            write_text(self.folder / "members.json", json.dumps(members))
            write_text(self.folder / "study.json", json.dumps(study, indent=1, ensure_ascii=False) + "\n")
        self.study, self.members = study, members

    def _refuse_another(self, old: dict[str, Any], old_members: dict[str, Any]) -> None:
        new = self.study
        changed = [
            f"{what} ({_short(old.get(f))} there, {_short(new[f])} now)"
            for f, what in _FIXED.items()
            if _text(old.get(f)) != _text(new[f])
        ]
        for name in set(old["policies"]) & set(new["policies"]):
            if _text(old["policies"][name]) != _text(new["policies"][name]):
                changed.append(f"policy “{name}” pulls other levers")
        if new["method"] == "latin" and old["members"] != new["members"]:
            changed.append(
                f"{old['members']} members there, {new['members']} now, and “latin” draws all anew"
            )
        if not changed and not _same_head(old_members, self.members):
            changed.append("the library that draws the members now draws others")
        if changed:
            raise ConfigurationError(
                "the folder holds another study: " + "; ".join(changed),
                where=str(self.folder),
                remedy="name another folder, or remove this one if it is no longer wanted",
            )

    def path(self, policy: str, start: int, stop: int) -> Path:
        """The file of members `start` to `stop` − 1 under a policy."""
        slug = re.sub(r"[^a-z0-9]+", "-", policy.lower()).strip("-")[:40]
        return self.folder / "tasks" / f"{slug}-{_digest(policy)[:8]}" / f"{start:06d}-{stop - 1:06d}.npz"

    def key(self, policy: str, start: int, stop: int) -> str:
        """What a task's file must say of itself: a hash of all that it depends on."""
        draws = {name: values[start:stop] for name, values in self.members["draws"].items()}
        seeds = self.members["seed"][start:stop]
        return _digest(_text([self.identity, policy, self.study["policies"][policy], seeds, draws]))

    def read(self, into: Mapping[str, Arrays], have: Mapping[str, npt.NDArray[np.bool_]]) -> list[Path]:
        """Fill outcomes from every file that adds to them; return the files that are not whole.

        Args:
            into: policy → outcome → [member, *axes], written in place.
            have: policy → [member], what `into` holds already; updated.

        Raises:
            DataError: a file belongs to another study.
        """
        broken = []
        for policy, outcomes in into.items():
            for path in sorted(self.path(policy, 0, 1).parent.glob("*.npz")):
                start, stop = _range(path)
                if not start < stop <= len(self.members["seed"]):
                    raise _alien(path)
                end = min(stop, len(have[policy]))
                if have[policy][start:end].all():
                    continue
                found = read_task(path)
                if found is None:
                    broken.append(path)
                    continue
                key, arrays = found
                if key != self.key(policy, start, stop) or len(arrays) != len(outcomes):
                    raise _alien(path)
                for array, values in zip(outcomes.values(), arrays, strict=True):
                    array[start:end] = values[: end - start]
                have[policy][start:end] = True
        return broken


def write_task(path: Path, key: str, arrays: list[npt.NDArray[Any]]) -> None:
    """Write a finished task, whole or not at all.

    Raises:
        ConfigurationError: it cannot be written.
    """
    import numpy as np

    text = np.frombuffer(key.encode(), np.uint8)
    buffer = io.BytesIO()
    parts: Any = {f"outcome{k}": array for k, array in enumerate(arrays)}
    np.savez(buffer, key=text, **parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            part.write_bytes(buffer.getbuffer())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            remedy="make room or name another folder; what is finished is kept",
        ) from None


def read_task(path: Path) -> tuple[str, list[npt.NDArray[Any]]] | None:
    """Key and outcomes of a task's file, or None if it is not whole.

    Raises:
        DataError: it cannot be read at all.
    """
    import numpy as np

    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = [file[f"outcome{k}"] for k in range(len(file.files) - 1)]
            return bytes(file["key"]).decode(), arrays
    except Exception:  # damaged bytes can make a reader of archives fail in any way
        return None


def opened(folder: str | os.PathLike[str]) -> tuple[Store, Layout]:
    """The store in `folder` as it stands, without the code that filled it.

    Raises:
        ConfigurationError: there is no study.
    """
    study, members = _manifest(Path(folder))
    if study is None:
        raise ConfigurationError(
            "there is no study here", where=str(folder), remedy="name the folder of a run"
        )
    return Store(folder, study, members), Layout.from_plain(study["layout"])


def _manifest(folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    try:
        study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
        members = json.loads((folder / "members.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"what the study is cannot be read: {error}", where=str(folder), remedy="name another folder"
        ) from None
    if not isinstance(study, dict) or study.get("format") != FORMAT:
        raise ConfigurationError(
            "study.json is no study's, or that of another version of pricewar",
            where=str(folder),
            remedy="name another folder",
        )
    count = study["members"]
    head = {"seed": members["seed"][:count], "draws": {n: v[:count] for n, v in members["draws"].items()}}
    return study, head


def _same_head(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    n = min(len(one["seed"]), len(other["seed"]))
    return one["seed"][:n] == other["seed"][:n] and all(
        values[:n] == other["draws"][name][:n] for name, values in one["draws"].items()
    )


def _range(path: Path) -> tuple[int, int]:
    parts = re.fullmatch(r"(\d+)-(\d+)", path.stem)
    return (int(parts[1]), int(parts[2]) + 1) if parts else (0, 0)


def _alien(path: Path) -> DataError:
    return DataError(
        "the file belongs to another study",
        where=str(path),
        remedy="take it out of the folder; its members will be computed again",
    )


def _text(value: Any) -> str:
    """Of plain data; unlike `==` it tells 1 from 1.0 and from True, as a worker may."""
    return json.dumps(value, sort_keys=True)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # no such lock: two runs would do the same work twice, and write the same files
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
