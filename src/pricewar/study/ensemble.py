"""Run a worker for every policy and member, here or over processes, with or without a store.

Draws and seed of member i are the same under every policy, so a difference between policies is free of the
noise that they share. What a worker is given and must return: `task`.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pricewar.errors import ConfigurationError, DataError, PricewarError, did_you_mean
from pricewar.study.design import METHODS, Distribution, Layout, draw, seeds
from pricewar.study.pool import Here, Processes, cores
from pricewar.study.store import FORMAT, Store, opened
from pricewar.study.task import (
    Batch,
    Done,
    Worker,
    checked,
    code_of,
    find,
    name_of,
    plain,
    run_batch,
    see_importable,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from pricewar.study.results import Results

    Arrays = dict[str, npt.NDArray[Any]]

Progress = Callable[[int, int], None]

SECONDS = 1.0  # a task: long beside the cost of a file and a message, short beside what a reader waits for
_BYTES = 1 << 26  # outcomes of one task, at most


class Study:
    """A worker, what varies, and under which policies.

    Args:
        worker: a function marked with `declares`, or its name, "package.module:function".
        policies: name → levers (parameter → value); the first is the one others are compared with.
        uncertainties: name → distribution. Sobol' dimensions go by this order.
        members: how many draws; each has its own seed too.
        seed: of all that is drawn, 0 or more.
        constants: parameters that are the same everywhere.
        method: "sobol", "random" or "latin"; see `design`.
        version: what to call the worker's code in the store. Left out, it is the version and a hash of every
            file of pricewar and of the worker's own package or module, so that any edit makes another study.

    Raises:
        ConfigurationError: the worker cannot be found or says not what it returns; a name stands twice; a
            value is not plain data.
    """

    def __init__(
        self,
        worker: Worker | str,
        policies: Mapping[str, Mapping[str, Any]],
        uncertainties: Mapping[str, Distribution] | None = None,
        members: int = 128,
        seed: int = 0,
        constants: Mapping[str, Any] | None = None,
        *,
        method: str = "sobol",
        version: str | None = None,
    ) -> None:
        self.worker = find(worker) if isinstance(worker, str) else worker
        self.name = name_of(self.worker)
        self.policies = {name: plain(levers, f"policy “{name}”") for name, levers in policies.items()}
        self.uncertainties = dict(uncertainties or {})
        self.constants: dict[str, Any] = plain(constants or {}, "constants")
        self.members, self.seed, self.method = members, seed, method
        layout = getattr(self.worker, "layout", None)
        if callable(layout):
            layout = layout(self.constants)
        if not isinstance(layout, Layout):
            raise ConfigurationError(
                "the worker does not say what it returns",
                where=self.name,
                remedy="mark it with @declares(Layout(…))",
            )
        self.layout = layout
        self._check()
        self._version = version

    # On use: a process that only imports the module in which a study stands must not draw its members.

    @cached_property
    def version(self) -> str:
        """What the worker's code is called in the store."""
        return self._version or code_of(self.worker)

    @cached_property
    def draws(self) -> dict[str, list[Any]]:
        """Uncertainty → the value of each member."""
        drawn = draw(self.uncertainties, self.members, self.seed, self.method)
        return {name: values.tolist() for name, values in drawn.items()}

    @cached_property
    def seeds(self) -> list[int]:
        """The seed of each member."""
        return seeds(self.members, self.seed).tolist()

    def _check(self) -> None:
        if not self.policies:
            raise ConfigurationError(
                "there is no policy", where="policies", remedy='give at least {"as it is": {}}'
            )
        for what, value, least in (("members", self.members, 1), ("seed", self.seed, 0)):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ConfigurationError(
                    f"must be a whole number, {least} or more, not {value!r}", where=what
                )
        if self.method not in METHODS:
            raise ConfigurationError(
                f"“{self.method}” is none of {', '.join(METHODS)}",
                where="method",
                remedy=did_you_mean(str(self.method), METHODS),
            )
        taken = {"policy": "an axis", "member": "an axis", "seed": "each member's seed"}
        taken |= dict.fromkeys(self.layout.coords, "an axis") | dict.fromkeys(
            self.layout.outcomes, "an outcome"
        )
        taken |= dict.fromkeys(self.constants, "a constant")
        for name, distribution in self.uncertainties.items():
            if name in taken:
                raise ConfigurationError(
                    f"the name already stands for {taken[name]}",
                    where=f"uncertainty “{name}”",
                    remedy="rename one",
                )
            if not isinstance(distribution, Distribution):
                raise ConfigurationError(
                    f"{distribution!r} is no distribution",
                    where=f"uncertainty “{name}”",
                    remedy="use Uniform, LogUniform, Triangular or Choice of pricewar.study.design",
                )

    def task(self, policy: str, member: int) -> dict[str, Any]:
        """What the worker is given for one member under one policy.

        Raises:
            ConfigurationError: there is no such policy or member.
        """
        if policy not in self.policies or not 0 <= member < self.members:
            raise ConfigurationError(
                f"there is no policy “{policy}” with a member {member}",
                remedy=did_you_mean(policy, self.policies),
            )
        return self._batch(policy, member, member + 1, None).task(0)

    def once(self, policy: str, member: int) -> Arrays:
        """Outcomes of one member under one policy, computed here; errors come as the worker raised them."""
        return checked(self.worker(self.task(policy, member)), self.layout, self.name)

    def run(
        self,
        store: str | os.PathLike[str] | None = None,
        workers: int | Executor | None = None,
        progress: Progress | None = None,
        *,
        batch: int | None = None,
    ) -> Results:
        """Run all that is not in the store yet.

        Args:
            store: folder for finished tasks; a run with the same folder goes on where the last one ended.
            workers: processes, by default one per core; 0 runs here; or any `concurrent.futures` executor,
                such as `pool.Processes` kept warm between runs.
            progress: called with runs of the worker done, those found in the store included, and runs in all;
                what it raises ends the run like Ctrl-C, and the store stays valid.
            batch: members per task; by default as many as take about a second.

        Raises:
            ConfigurationError: the store is another study's, or cannot be written.
            DataError: a file of the store belongs to another study, or has gone since it was written.
            PricewarError: the worker failed, naming policy and member; or a process died.
        """
        if batch is not None and (not isinstance(batch, int) or batch < 1):
            raise ConfigurationError(f"must be a whole number, 1 or more, not {batch!r}", where="batch")
        room = _Room(self.layout, self.policies, self.members)
        with ExitStack() as stack:
            kept = None
            if store is not None:
                kept = Store(store, self.plain(), {"seed": self.seeds, "draws": self.draws})
                stack.enter_context(kept.held())
                for path in kept.read(room.into, room.have):
                    path.unlink(missing_ok=True)
            if progress is not None:
                progress(room.size - room.missing, room.size)
            if room.missing:
                executor = stack.enter_context(self._executor(workers, room.missing))
                self._spread(executor, kept, room, progress, batch)
            if kept is not None and room.missing:
                kept.read(room.into, room.have)
                if room.missing:
                    raise DataError(
                        f"{room.missing} runs have gone from the store since they were written",
                        where=str(store),
                        remedy="see that nothing else clears the folder, and run again",
                    )
        return room.results(self.plain(), {"seed": self.seeds, "draws": self.draws})

    def _executor(self, workers: int | Executor | None, left: int) -> Any:
        if workers is None:
            workers = cores()
        if isinstance(workers, int):
            if workers < 0:
                raise ConfigurationError(f"must be 0 or more, not {workers}", where="workers")
            if workers:
                see_importable(self.worker, self.name)
            return Processes(min(workers, left)) if workers else Here()
        return _Lent(workers)

    def _spread(
        self,
        executor: Executor,
        kept: Store | None,
        room: _Room,
        progress: Progress | None,
        batch: int | None,
    ) -> None:
        """Keep every process busy with batches of about `SECONDS`, and take in what they finish."""
        width = getattr(executor, "count", None) or cores()
        waiting = deque(_gaps(room.have))
        left = room.missing
        done = room.size - left
        most = max(1, _BYTES // max(1, sum(a[:1].nbytes for a in next(iter(room.into.values())).values())))
        running: set[Future[Done]] = set()
        pace: deque[float] = deque(maxlen=5)  # seconds per member; the median forgets the first compilation
        size = batch or 1
        try:
            while waiting or running:
                while waiting and len(running) < (1 if width == 1 else 2 * width):
                    policy, start, stop = waiting.popleft()
                    if batch is None and pace:
                        wanted = int(SECONDS / max(statistics.median(pace), 1e-9))
                        # Growth by fours keeps one odd measurement harmless; the last tasks are shared out,
                        # but not ground to dust.
                        share = max(math.ceil(left / width), wanted // 8)
                        size = max(1, min(wanted, 4 * size, most, share))
                    end = min(stop, start + size)
                    if end < stop:
                        waiting.appendleft((policy, end, stop))
                    left -= end - start
                    running.add(executor.submit(run_batch, self._batch(policy, start, end, kept)))
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    result = future.result()
                    if result.failure is not None:
                        raise result.failure.error()
                    if result.outcomes is not None:
                        for array, values in zip(
                            room.into[result.policy].values(), result.outcomes, strict=True
                        ):
                            array[result.start : result.stop] = values
                        room.have[result.policy][result.start : result.stop] = True
                    count = result.stop - result.start
                    pace.append(result.seconds / count)
                    done += count
                    if progress is not None:
                        progress(done, room.size)
        except BrokenProcessPool as error:
            raise PricewarError(
                "a process ended before its task did",
                where=self.name,
                remedy="if memory ran out, use fewer workers; if this is a script, start it under "
                '`if __name__ == "__main__":`; with a store, running again goes on from here',
            ) from error
        finally:
            # A process pool has nothing left to cancel: it holds as many in its queue as are ever handed to
            # it, and one cancelled while its processes are ended makes it fall over (InvalidStateError).
            if not isinstance(executor, ProcessPoolExecutor):
                for future in running:
                    future.cancel()

    def _batch(self, policy: str, start: int, stop: int, kept: Store | None) -> Batch:
        draws = {name: values[start:stop] for name, values in self.draws.items()}
        return Batch(
            worker=self.worker,
            name=self.name,
            layout=self.layout,
            policy=policy,
            start=start,
            constants=self.constants,
            draws=draws,
            levers=self.policies[policy],
            seeds=self.seeds[start:stop],
            path=None if kept is None else kept.path(policy, start, stop),
            key="" if kept is None else kept.key(policy, start, stop),
        )

    def plain(self) -> dict[str, Any]:
        """What the study is, as plain data: what its store says of itself."""
        told = {
            "format": FORMAT,
            "worker": self.name,
            "version": self.version,
            "seed": self.seed,
            "method": self.method,
            "members": self.members,
            "constants": self.constants,
            "policies": self.policies,
            "uncertainties": [[name, _told(d)] for name, d in self.uncertainties.items()],
            "layout": self.layout.plain(),
        }
        return json.loads(json.dumps(told))  # a copy, and as a store gives it back


def load(store: str | os.PathLike[str]) -> Results:
    """The results in a store, without the worker.

    Raises:
        ConfigurationError: there is no study, or it is not finished.
        DataError: a file of it belongs to another study.
    """

    kept, layout = opened(store)
    room = _Room(layout, list(kept.study["policies"]), kept.study["members"])
    kept.read(room.into, room.have)
    if room.missing:
        raise ConfigurationError(
            f"{room.missing} of {room.size} runs are missing",
            where=str(store),
            remedy="run the study again: it goes on",
        )
    return room.results(kept.study, kept.members)


class _Room:
    """Room for every outcome, and which of it is filled.

    Attributes:
        outcomes: outcome → [policy, member, *axes].
        into: policy → outcome → [member, *axes], the same memory.
        have: policy → [member].
    """

    def __init__(self, layout: Layout, policies: Iterable[str], members: int) -> None:
        import numpy as np

        names = list(policies)
        self.layout, self.size = layout, members * len(names)
        self.outcomes = {
            name: np.zeros((len(names), members, *layout.shape(name)), outcome.dtype)
            for name, outcome in layout.outcomes.items()
        }
        self.into: dict[str, Arrays] = {
            policy: {name: whole[at] for name, whole in self.outcomes.items()}
            for at, policy in enumerate(names)
        }
        self.have = {policy: np.zeros(members, bool) for policy in names}

    @property
    def missing(self) -> int:
        """Runs not filled yet."""
        return self.size - sum(int(mask.sum()) for mask in self.have.values())

    def results(self, study: dict[str, Any], members: Mapping[str, Any]) -> Results:
        import numpy as np

        from pricewar.study.results import Results

        assert not self.missing
        return Results(
            study=study,
            layout=self.layout,
            seeds=np.array(members["seed"], np.int64),
            draws={name: np.asarray(values) for name, values in members["draws"].items()},
            outcomes=self.outcomes,
        )


def _gaps(have: Mapping[str, npt.NDArray[Any]]) -> list[tuple[str, int, int]]:
    """(policy, start, stop) of every stretch of members that is missing."""
    import numpy as np

    gaps = []
    for policy, mask in have.items():
        edges = np.flatnonzero(np.diff(np.concatenate(([True], mask, [True])).astype(np.int8)))
        gaps += [(policy, int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return gaps


class _Lent:
    """An executor that its owner ends, not the study."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def __enter__(self) -> Executor:
        return self.executor

    def __exit__(self, *_: object) -> None:
        return None


def _told(distribution: Distribution) -> dict[str, Any]:
    return {"is": type(distribution).__name__} | plain(vars(distribution), "uncertainties")
