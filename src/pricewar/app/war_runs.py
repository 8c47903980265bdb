"""Futures of the war room, kept while they are looked at.

An `Ensemble` is one market with its levers moved, run future by future as far as anybody has asked: the first
futures are the same ones each time and those of the baseline (common random numbers), so an answer from 16 of
them is refined, not replaced, by one from 200. What is kept is bounded; the least lately used goes first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pricewar.app.levers import Lever, applied, checked, levers
from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.market import definition
from pricewar.market.claims_runs import bent
from pricewar.market.model import Array, Market, Run, simulate
from pricewar.market.outcomes import Outcomes
from pricewar.study.pool import cores

if TYPE_CHECKING:
    from pricewar.app.session import Job

FIRST = 16
"""Futures of the first answer."""
BLOCK, PAUSE = 8, 0.06
"""Least futures for each core, and seconds, between two looks at whether the answer is still wanted."""
MOST_FUTURES, MOST_MONTHS = 1000, 120
KEPT = 192 * 2**20
"""Bytes of futures kept."""
HELD = "held"
log = logging.getLogger("pricewar.app")


class StoppedError(Exception):
    """The answer is no longer wanted."""


@dataclass(frozen=True, eq=False)
class World:
    """A market that the page may ask for: its definition, its arrays, its levers by key."""

    key: str
    definition: definition.Definition
    market: Market
    levers: Mapping[str, Lever]


@dataclass(frozen=True)
class Asked:
    """A message about a war, checked."""

    world: World
    levers: dict[str, float]
    baseline: dict[str, float]
    futures: int
    seed: int
    months: int
    conduct: str
    base_id: str


class Worlds:
    """The markets: the bundled ones, and a file given on the command line."""

    def __init__(self) -> None:
        self._given: dict[str, Path] = {}
        self._made: dict[str, World] = {}
        self._lock = threading.Lock()

    def give(self, path: Path) -> str:
        """Let the page ask for a definition of one's own; its key.

        Raises:
            ConfigurationError, DefinitionError: as `definition.load` and `definition.market`.
        """
        text = definition.load(path)
        key = text.name if text.name not in definition.bundled() else f"{text.name} ({path.name})"
        self._given[key] = path
        self._made.pop(key, None)
        self.world(key)
        return key

    def names(self) -> tuple[str, ...]:
        """Keys, those given first."""
        return (*self._given, *(n for n in definition.bundled() if n != "textbook" and n not in self._given))

    def world(self, key: Any) -> World:
        """A market by key; one given as a file is read again when the file has changed.

        Raises:
            ConfigurationError: the page has no such market.
        """
        if not isinstance(key, str) or key not in self.names():
            raise ConfigurationError(
                f"there is no such market: “{str(key)[:80]}”", where="market",
                remedy=did_you_mean(str(key)[:80], self.names()) or f"known: {', '.join(self.names())}",
            )  # fmt: skip
        with self._lock:
            if key not in self._made:
                text = definition.load(self._given.get(key, key))
                made = definition.market(text)
                known = {lever.key: lever for lever in levers(text, made)}
                self._made[key] = World(key, text, made, known)
            return self._made[key]


WORLDS = Worlds()


def asked(message: Mapping[str, Any]) -> Asked:
    """What a message asks for.

    Raises:
        ConfigurationError: something in it is not what it may be.
    """
    world = WORLDS.world(message.get("market"))
    conduct = message.get("conduct", HELD)
    if not isinstance(conduct, str) or len(conduct) > 200:
        raise ConfigurationError("not a name", where="conduct", remedy=f"{HELD}, or a key that `solve` gave")
    base_id = message.get("base_id")
    return Asked(
        world=world,
        levers=checked(message.get("levers"), world.levers, "levers"),
        baseline=checked(message.get("baseline"), world.levers, "baseline"),
        futures=_whole(message, "futures", 200, 1, MOST_FUTURES),
        seed=_whole(message, "seed", 0, 0, 2**31),
        months=_whole(message, "months", world.market.months, 1, MOST_MONTHS),
        conduct=conduct,
        base_id=base_id if isinstance(base_id, str) else "",
    )


def _whole(message: Mapping[str, Any], key: str, default: int, low: int, high: int) -> int:
    value = message.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigurationError(
            "not a whole number within bounds", where=key, remedy=f"give {low} to {high}"
        )
    return value


_WARM = threading.Event()
_WARMING = threading.Lock()


def warm() -> None:
    """Have the compiled pass loaded, or compiled in a first run, in a thread of its own."""
    if not _WARM.is_set() and _WARMING.acquire(blocking=False):
        threading.Thread(target=_load, name="compile", daemon=True).start()


def _load() -> None:
    try:
        simulate(replace(WORLDS.world(WORLDS.names()[0]).market, months=1, per_month=1), range(1))
    except Exception:
        log.exception("the market could not be compiled")  # the first answer fails in the same way
    finally:
        _WARM.set()
        _WARMING.release()


def wait_warm(job: Job) -> None:
    """Wait for `warm`, saying so.

    Raises:
        StoppedError: the answer is no longer wanted.
    """
    warm()
    while not _WARM.wait(0.05):
        job.progress("war.progress.compiling")
        if job.cancelled:
            raise StoppedError


class _Joined(Mapping[str, Array]):
    """Series of several runs, joined when they are asked for."""

    def __init__(self, parts: list[Mapping[str, Array]]) -> None:
        self._parts, self._known = parts, {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            self._known[name] = np.concatenate([part[name] for part in self._parts])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts[0])

    def __len__(self) -> int:
        return len(self._parts[0])


class Ensemble:
    """The futures of one market; asked from several threads, run by one at a time."""

    def __init__(self, market: Market, seed: int, key: str) -> None:
        self.market, self.seed, self.key = market, seed, key
        self._runs: list[Run] = []
        self._each = 0.0  # seconds that a future of the last block took
        self._made: OrderedDict[tuple[int, Ensemble | None], Outcomes] = OrderedDict()
        self._lock, self._keeping = threading.Lock(), threading.Lock()

    @property
    def done(self) -> int:
        """Futures run so far."""
        return sum(len(run.seeds) for run in self._runs)

    @cached_property
    def bytes_each(self) -> int:
        """Bytes of a future, series derived from it included."""
        m = self.market
        J, T = len(m.vendors), len(m.types)
        return 8 * m.months * (2 * 36 * J + 16 * T + T * J + 16) + 16_000

    def upto(self, futures: int, job: Job, ends: tuple[int, ...] = ()) -> Iterator[int]:
        """Run on to so many futures; yields how many there are after each block.

        Raises:
            StoppedError: the answer is no longer wanted.
        """
        wait_warm(job)
        stops = sorted({FIRST, futures, *ends})
        while self.done < futures:
            with self._lock:
                if job.cancelled:
                    raise StoppedError
                done = self.done
                if done < futures:
                    least = BLOCK * cores()
                    block = max(least, round(PAUSE / self._each / least) * least) if self._each else least
                    # The last block is no crumb: cores share what is left.
                    left = next(s for s in stops if s > done) - done
                    size = left if left < 1.5 * block else block
                    seeds = range(self.seed + done, self.seed + done + size)
                    begun = time.perf_counter()
                    self._runs.append(
                        simulate(self.market, seeds, chunk=max(1, min(8, size // cores() // 2)))
                    )
                    self._each = (time.perf_counter() - begun) / size
            yield self.done

    def outcomes(self, futures: int, reference: Ensemble | None = None) -> Outcomes:
        """Outcomes of the first futures, surplus measured from where those of `reference` begin."""
        beside = reference if reference is not None and reference is not self else None
        key = (futures, beside)
        with self._keeping:
            found = self._made.get(key)
        if found is None:
            against = beside.outcomes(futures) if beside is not None else None
            found = Outcomes(self._joined(futures), against)
            with self._keeping:
                found = self._made.setdefault(key, found)
                while len(self._made) > 2:
                    self._made.popitem(last=False)
        return found

    def openings(self, futures: int) -> dict[int, tuple[int, float]]:
        """Who opens the war and in which month, by seed; −1: nobody."""
        o = self.outcomes(futures)
        months = np.where(o.opener >= 0, o.opening_month, 0.0)
        return dict(zip(o.run.seeds, zip(o.opener.tolist(), months.tolist(), strict=True), strict=True))

    def _joined(self, futures: int) -> Run:
        runs, left = [], futures
        for run in list(self._runs):
            if left <= 0:
                break
            n = min(left, len(run.seeds))
            runs.append(run if n == len(run.seeds) else _first(run, n))
            left -= n
        if left > 0:
            raise RuntimeError("futures were asked for that were not run")
        return Run(
            market=self.market,
            seeds=tuple(s for run in runs for s in run.seeds),
            vendor=_Joined([run.vendor for run in runs]),
            type=_Joined([run.type for run in runs]),
            world=_Joined([run.world for run in runs]),
            teams=np.concatenate([run.teams for run in runs]),
            events=tuple(e for run in runs for e in run.events),
        )


def _first(run: Run, n: int) -> Run:
    return replace(
        run,
        seeds=run.seeds[:n],
        vendor={name: a[:n] for name, a in run.vendor.items()},
        type={name: a[:n] for name, a in run.type.items()},
        world={name: a[:n] for name, a in run.world.items()},
        teams=run.teams[:n],
        events=run.events[:n],
    )


class _Kept:
    """Ensembles lately used, within `KEPT` bytes."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Ensemble] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, world: World, moved: Mapping[str, float], seed: int, months: int,
            choices: tuple[tuple[str, float], ...] = (), opened: tuple[Ensemble, int] | None = None,
            ) -> Ensemble:  # fmt: skip
        """The ensemble of a market with levers moved, and conduct as solved where `choices` say it.

        Args:
            opened: an ensemble and how many of its futures: in each of them the war is opened by whom and
                when it is there, instead of being decided anew.

        Raises:
            ConfigurationError: the levers together make no market.
        """
        key = name_of(world, moved, seed, months, choices)
        if opened is not None:
            key = f"{key}-{opened[0].key}-{opened[1]}"
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        market = applied(world.market, world.levers, moved)
        if choices:
            market = market.with_(dict(choices))
        market = replace(market, months=months)
        if opened is not None:
            market = bent(market, openings=opened[0].openings(opened[1]))
        made = Ensemble(market, seed, key)
        with self._lock:
            self._known.setdefault(key, made)
            self._shrink()
            return self._known[key]

    def _shrink(self) -> None:
        """Let the least lately used go; the newest two, an answer and its baseline, stay."""
        sizes = [e.done * e.bytes_each for e in self._known.values()]
        while len(self._known) > 2 and (sum(sizes) > KEPT or len(self._known) > 64):
            self._known.popitem(last=False)
            sizes.pop(0)

    @property
    def size(self) -> int:
        """Bytes kept."""
        with self._lock:
            return sum(e.done * e.bytes_each for e in self._known.values())


def name_of(world: World, moved: Mapping[str, float], seed: int, months: int,
            choices: tuple[tuple[str, float], ...] = ()) -> str:  # fmt: skip
    """A short name of these futures, the same in every process."""
    text = json.dumps([world.key, sorted(moved.items()), seed, months, sorted(choices)])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


RUNS = _Kept()
