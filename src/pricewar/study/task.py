"""One task of a study, in whatever process: a worker, some members under one policy, their outcomes.

A worker is an importable function of plain data::

    {"policy": name, "member": i, "seed": whole number, "parameters": {name: value}}

Parameters are the study's constants, over them the member's draws, over them the policy's levers. What it
returns must depend on that alone; then no result depends on how many processes ran, in what order, or how
often the run was interrupted.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pricewar
from pricewar.errors import ConfigurationError, PricewarError, did_you_mean
from pricewar.study.design import Layout
from pricewar.study.store import write_task

if TYPE_CHECKING:
    import numpy.typing as npt

    Arrays = dict[str, npt.NDArray[Any]]

Worker = Callable[[dict[str, Any]], Mapping[str, Any]]
Function = TypeVar("Function", bound=Callable[..., Any])


def declares(layout: Layout | Callable[[Mapping[str, Any]], Layout]) -> Callable[[Function], Function]:
    """Say what a worker returns: a `Layout`, or a function of the study's constants that gives one."""

    def mark(worker: Function) -> Function:
        worker.__dict__["layout"] = layout
        return worker

    return mark


@dataclass(frozen=True)
class Batch:
    worker: Worker
    name: str
    layout: Layout
    policy: str
    start: int
    constants: dict[str, Any]
    draws: dict[str, list[Any]]
    levers: dict[str, Any]
    seeds: list[int]
    path: Path | None
    key: str

    def task(self, at: int) -> dict[str, Any]:
        drawn = {name: values[at] for name, values in self.draws.items()}
        return {
            "policy": self.policy,
            "member": self.start + at,
            "seed": self.seeds[at],
            "parameters": {**self.constants, **drawn, **self.levers},
        }


@dataclass(frozen=True)
class Failure:
    """What went wrong, in plain words: an exception need not survive the way between processes."""

    what: str
    where: str
    remedy: str
    trace: str
    exit_code: int

    def error(self) -> PricewarError:
        """The same as an error, the worker's own trace among its notes."""
        error = PricewarError(self.what, where=self.where, remedy=self.remedy)
        error.exit_code = self.exit_code
        error.add_note(self.trace)
        return error


@dataclass(frozen=True)
class Done:
    policy: str
    start: int
    stop: int
    seconds: float
    outcomes: list[npt.NDArray[Any]] | None = None
    failure: Failure | None = None


def run_batch(batch: Batch) -> Done:
    import numpy as np

    began, count = time.perf_counter(), len(batch.seeds)
    stop = batch.start + count
    shared = json.dumps([batch.constants, batch.levers])
    outcomes = {
        name: np.empty((count, *batch.layout.shape(name)), outcome.dtype)
        for name, outcome in batch.layout.outcomes.items()
    }
    arrays = list(outcomes.values())
    at = 0
    try:
        for at in range(count):
            given = checked(batch.worker(batch.task(at)), batch.layout, batch.name)
            for name, array in outcomes.items():
                array[at] = given[name]
        if json.dumps([batch.constants, batch.levers]) != shared:
            raise ConfigurationError(
                "a parameter that the next task shares has been altered",
                where=batch.name,
                remedy="let the worker copy nested values before it changes them",
            )
    except Exception as error:
        return Done(batch.policy, batch.start, stop, 0.0, failure=_failed(error, batch, batch.start + at))
    if batch.path is not None:
        try:
            write_task(batch.path, batch.key, arrays)
        except ConfigurationError as error:
            text = Failure(error.what, error.where or "", error.remedy or "", "", error.exit_code)
            return Done(batch.policy, batch.start, stop, 0.0, failure=text)
    seconds = time.perf_counter() - began
    return Done(batch.policy, batch.start, stop, seconds, None if batch.path is not None else arrays)


def _failed(error: Exception, batch: Batch, member: int) -> Failure:
    known = isinstance(error, PricewarError)
    kept = "; what is finished is kept in the store" if batch.path is not None else ""
    return Failure(
        f"the worker failed: {error.what if known else f'{type(error).__name__}: {error}'}",
        where=f"policy “{batch.policy}”, member {member}",
        remedy=f"see it alone: study.once({batch.policy!r}, {member}){kept}",
        trace=traceback.format_exc(),
        exit_code=error.exit_code if known else 2,
    )


def checked(given: Any, layout: Layout, where: str) -> Arrays:
    """What a worker returned, as its layout says.

    Raises:
        ConfigurationError: an outcome is missing, unknown, or of another shape or kind.
    """
    import numpy as np

    if not isinstance(given, Mapping) or set(given) != set(layout.outcomes):
        names = set(given) if isinstance(given, Mapping) else set()
        missing, extra = sorted(set(layout.outcomes) - names), sorted(names - set(layout.outcomes))
        raise ConfigurationError(
            f"the worker returned {'no' if missing else 'also'} {', '.join(map(str, missing or extra))}",
            where=where,
            remedy="return a dict of exactly the outcomes that its layout declares",
        )
    out = {}
    for name, outcome in layout.outcomes.items():
        array = np.asarray(given[name])
        shape = layout.shape(name)
        if array.shape != shape:
            raise ConfigurationError(
                f"“{name}” has shape {array.shape}, its layout says {shape}", where=where
            )
        if array.dtype != outcome.dtype:
            # Whole numbers without a kind of their own (Python's) fit where their value does.
            fits = np.can_cast(array.dtype, outcome.dtype, "same_kind") and (
                array.dtype.kind not in "iu" or outcome.dtype[0] == "f" or _within(array, outcome.dtype)
            )
            if not fits:
                raise ConfigurationError(
                    f"“{name}” is {array.dtype} and does not fit {outcome.dtype}", where=where
                )
            array = array.astype(outcome.dtype)
        out[name] = array
    return out


def _within(array: npt.NDArray[Any], dtype: str) -> bool:
    import numpy as np

    range_ = np.iinfo(dtype)
    return array.size == 0 or (int(array.min()) >= range_.min and int(array.max()) <= range_.max)


# --- what a worker is called, and what its code is -------------------------------------------------------


def find(name: str) -> Worker:
    module, _, function = name.partition(":") if ":" in name else name.rpartition(".")
    try:
        found = importlib.import_module(module)
    except (ImportError, ValueError) as error:
        raise ConfigurationError(
            f"the worker's module cannot be imported: {error}",
            where=name,
            remedy="write package.module:function",
        ) from None
    worker = getattr(found, function, None)
    if not callable(worker):
        raise ConfigurationError(
            f"there is no function “{function}”", where=name, remedy=did_you_mean(function, vars(found))
        )
    return cast("Worker", worker)


def name_of(worker: Any) -> str:
    kind = worker if hasattr(worker, "__qualname__") else type(worker)
    return f"{worker.__module__}:{kind.__qualname__}"


def see_importable(worker: Any, name: str) -> None:
    """See that another process will find the worker under its name."""
    if getattr(sys.modules.get(worker.__module__), getattr(worker, "__qualname__", ""), None) is not worker:
        raise ConfigurationError(
            "another process cannot import the worker",
            where=name,
            remedy="define it at the top of a module, or run with workers=0",
        )


def code_of(worker: Any) -> str:
    """Version and hash of pricewar's code and of the worker's own package or module."""
    own = f"pricewar {pricewar.__version__} {_hashed(Path(pricewar.__file__).parent)}"
    top = worker.__module__.partition(".")[0]
    if top == "pricewar":
        return own
    package = sys.modules.get(top)
    file = getattr(package, "__file__", None) or getattr(sys.modules.get(worker.__module__), "__file__", None)
    if not file:
        raise ConfigurationError(
            "the worker's code has no file to tell its version by",
            where=name_of(worker),
            remedy="pass version= with a name of your own for the worker's code",
        )
    path = Path(file)
    path = path.parent if path.name == "__init__.py" else path
    return f"{top} {getattr(package, '__version__', '')} {_hashed(path)}, {own}".replace("  ", " ")


@lru_cache(maxsize=16)
def _hashed(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=6)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        inside = file.relative_to(path).as_posix()
        if "__pycache__" not in inside and file.is_file():
            digest.update(inside.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def plain(value: Any, where: str) -> Any:
    """Mappings, lists, texts, numbers, truth values and None, as JSON would give them back.

    Raises:
        ConfigurationError: anything else stands in it.
    """
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ConfigurationError("a key is not text", where=where)
        return {key: plain(item, f"{where}: {key}") for key, item in value.items()}
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item, where) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ConfigurationError(
        f"{value!r} is not plain data",
        where=where,
        remedy="use finite numbers, texts, truth values, None, lists and mappings of them",
    )
