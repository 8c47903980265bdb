"""The desk's work: logs read once, bills and advice kept by what they depend on.

Reading and billing run in the job's thread and stop between steps. Advice takes much longer and would slow
every other answer: it runs in a process of its own that a cancellation ends.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricewar.app import child
from pricewar.app.desk_choice import SAMPLE, TEAM_FILE, Choice, command
from pricewar.app.war_runs import StoppedError
from pricewar.errors import ConfigurationError, DefinitionError, PricewarError, did_you_mean

if TYPE_CHECKING:
    from pricewar.app.session import Job
    from pricewar.usage.log import Log

KEPT_LOGS, KEPT_ANSWERS = 2, 8
STEPS = {
    "reading": "reading", "opening the catalogue": "catalogue", "choosing what to compare": "choosing",
    "drawing": "drawing", "billing the log": "billing", "surfaces of cost": "surfaces",
    "fitting strategies": "fitting", "judging them": "judging", "why it costs": "why",
}  # fmt: skip
"""What the advice says it does → the key of its words, by how it begins."""


@dataclass(frozen=True)
class Held:
    """A log: what it is called, where it lies, and what tells its content from another's."""

    name: str
    path: Path
    stamp: tuple[Any, ...]


class _Kept:
    """The answers last used, by what they depend on. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Any, value: Any) -> None:
        with self._lock:
            self._held[key] = value
            while len(self._held) > self.most:
                self._held.popitem(last=False)


LOGS, BILLS, ADVICE = _Kept(KEPT_LOGS), _Kept(KEPT_ANSWERS), _Kept(2 * KEPT_ANSWERS)
_SAMPLE: list[Path] = []
_SAMPLE_LOCK = threading.Lock()


def held(asked: Choice, job: Job) -> Held:
    """The log that is asked of: an upload, or the sample where none is named.

    Raises:
        DataError: the upload is no longer held. ConfigurationError: the file is gone.
    """
    if not asked.log:
        path = _sample(job)
        return Held(SAMPLE, path, ("sample",))
    upload = job.log(asked.log)
    try:
        state = upload.path.stat()
    except OSError:
        raise ConfigurationError("the log is no longer there", where=upload.name,
                                 remedy="put it back, or drop the file here") from None  # fmt: skip
    return Held(upload.name, upload.path, (upload.handle, state.st_size, state.st_mtime_ns))


def _sample(job: Job) -> Path:
    """The sample log, made when first asked for and removed at the end."""
    from pricewar.usage.sample import write_sample

    with _SAMPLE_LOCK:
        if not _SAMPLE or not _SAMPLE[0].is_file():
            job.progress("desk.progress.sample")
            folder = Path(tempfile.mkdtemp(prefix="pricewar-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            write_sample(folder / SAMPLE)
            _SAMPLE[:] = [folder / SAMPLE]
        return _SAMPLE[0]


def _stops(job: Job) -> None:
    if job.cancelled:
        raise StoppedError


def usage_of(asked: Choice, log: Held, job: Job) -> Log:
    """The log read: kept, for each way of reading it.

    Raises:
        LogError, ConfigurationError: as of `usage.read`, with the name that the reader knows it by.
    """
    key = (log.stamp, asked.format, asked.zone, asked.maps)
    found = LOGS.get(key)
    if found is None:

        def share(_: float, part: float) -> None:
            _stops(job)
            job.progress("desk.progress.reading", min(int(part * 100), 99), 100)

        job.progress("desk.progress.reading")
        found = _read(log, asked, share)
        LOGS.put(key, found)
    return found


def _read(log: Held, asked: Choice, progress: Callable[[float, float], None]) -> Log:
    from dataclasses import replace

    from pricewar.usage.read import mapped, read_usable

    def named(text: str) -> str:
        """A message's path, or the handle an upload is kept by, as the name the reader knows."""
        return text.replace(str(log.path), log.name).replace(log.path.name, log.name)

    try:
        found = read_usable(log.path, format=asked.format or None, mapping=mapped(asked.maps),
                            zone=asked.zone or None, progress=progress)  # fmt: skip
    except PricewarError as error:
        where = named(error.where) if error.where else log.name
        raise type(error)(named(error.what), where=where, remedy=error.remedy) from None
    found.source = tuple(named(Path(s).name) for s in found.source)
    found.notes = tuple(named(note) for note in found.notes)
    found.exclusions = tuple(
        replace(e, cause=named(e.cause), examples=tuple(map(named, e.examples))) for e in found.exclusions
    )
    return found


def bill_of(asked: Choice, log: Held, job: Job) -> dict[str, Any]:
    """The log on the offers, as `billing.document` gives it.

    Raises:
        StoppedError: no longer wanted. PricewarError: the user's mistake.
    """
    key = (log.stamp, *asked.bill_key)
    found = BILLS.get(key)
    if found is not None:
        return found
    usage = usage_of(asked, log, job)
    from pricewar.billing.choice import comparable
    from pricewar.billing.desk import compare
    from pricewar.billing.document import document
    from pricewar.offers.catalogue import load_catalogue

    _stops(job)
    job.progress("desk.progress.catalogue")
    catalogue = load_catalogue(asked.day)
    known = {code for rate in catalogue.currency_rates for code in (rate.base, rate.to)} | {"USD"}
    if asked.currency not in known:
        raise ConfigurationError(
            f"no exchange rate is known for “{asked.currency}”",
            where="currency",
            remedy=did_you_mean(asked.currency, known) or ", ".join(sorted(known)),
        )
    offers = catalogue.select(asked.offers) if asked.offers else comparable(catalogue)

    def billed(done: int, whole: int) -> None:
        _stops(job)
        job.progress("desk.progress.billing", min(int(done / whole * 100), 99), 100)

    _stops(job)
    frozen = datetime.combine(datetime.fromisoformat(asked.in_force), time(), UTC) if asked.in_force else None
    comparison = compare(usage, catalogue, offers, currency=asked.currency, frozen=frozen, only=asked.only,
                         progress=billed)  # fmt: skip
    if asked.only and not comparison.models:
        raise ConfigurationError(f"no request is for {', '.join(asked.only)}", where="only",
                                 remedy="choose among the models of the log")  # fmt: skip
    found = document(comparison, usage, command=command(asked, log.name))
    BILLS.put(key, found)
    return found


def advice(asked: Choice, log: Held, draws: Sequence[int], job: Job) -> Iterator[tuple[int, dict[str, Any]]]:
    """Advice from few futures, then from more: (how many, the advice with its sentences), in rising order.

    Raises:
        StoppedError: no longer wanted. PricewarError: the user's mistake.
    """
    key = (log.stamp, *asked.outlook_key)
    wanted = sorted(n for n in {*draws} if n <= asked.draws)
    done = ADVICE.get((key, wanted[-1]))
    if done is not None:
        yield wanted[-1], done
        return
    steps, whole = 0, 3 + 6 * len(wanted)
    plain = asdict(asked)
    for kind, what in child.run(_advise, (log.path, log.name, plain, wanted), job):
        if kind != "progress":
            continue
        if isinstance(what, str):
            steps += 1
            name = next((v for k, v in STEPS.items() if what.startswith(k)), "")
            job.progress(f"desk.progress.{name}" if name else what, steps, whole)
            continue
        n, found = what
        ADVICE.put((key, n), found)
        yield n, found


def _advise(
    path: Path, name: str, plain: dict[str, Any], draws: list[int], say: Callable[[Any], None]
) -> None:
    """In a process of its own: says each step as text, and each advice as (futures, advice)."""
    from dataclasses import replace

    from pricewar.advice.advised import Asked, advise, prepared
    from pricewar.report.advice_story import completed

    asked = Choice(**plain)
    say("reading")
    usage = _read(Held(name, path, ()), asked, lambda _, __: None)
    with tempfile.TemporaryDirectory(prefix="pricewar-") as folder:
        file = Path(folder) / TEAM_FILE  # mistakes that only a catalogue shows are told at its line
        file.write_text(asked.team, encoding="utf-8")
        question = Asked(asked.read_team(), team_file=file, offers=asked.offers, only=asked.only,
                         as_of=asked.day, draws=asked.draws, seed=asked.seed)  # fmt: skip
        try:
            ready = prepared(usage, question, say=say)
        except DefinitionError as error:
            where = (error.where or "").replace(str(file), TEAM_FILE)
            raise DefinitionError(error.what, where=where, remedy=error.remedy) from None
        for n in draws:
            typed = command(replace(asked, draws=n), name, outlook=True)
            found = advise(ready, source=name, command=typed, draws=n, say=say)
            say((n, completed(found)))
