"""From a team's question to advice as plain data: candidates chosen, futures drawn, the decision told.

    ready = prepared(read("usage.csv"), Asked(team))
    advise(ready, source="usage.csv", command="")        # again with more draws: `replace(question, draws=…)`

What both the command and the page show of it; sentences are `report.advice_story`'s.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricewar.errors import ConfigurationError, DefinitionError, did_you_mean

if TYPE_CHECKING:
    from pricewar.advice.evidence import Evidence
    from pricewar.advice.shortlist import Shortlist
    from pricewar.advice.team import Team
    from pricewar.futures import Futures
    from pricewar.offers.catalogue import Catalogue
    from pricewar.usage.log import Log

DRAWS = 600
UNTIL_DAYS = 365


@dataclass(frozen=True)
class Asked:
    """A team's question.

    Attributes:
        team_file: where the team was read, so that mistakes in it can be pointed at.
        evals, aliases, pass_at: the team's evaluations, what they call models, the score that passes.
        offers: patterns of offers to choose between; none: the most promising of all, `most` at most.
        only: advise on requests for these models alone.
        as_of: the day of the advice; None: today.
        market: a market of the engine that futures are taken from; None: recorded history.
        until: until when free offers are to be relied on; None: a year from the start.

    Raises:
        ConfigurationError: `until` is not within the team's horizon.
    """

    team: Team
    team_file: Path | None = None
    evals: Sequence[Path] = ()
    aliases: Sequence[str] = ()
    pass_at: float | None = None
    offers: Sequence[str] = ()
    only: Sequence[str] = ()
    most: int = 20
    as_of: date | None = None
    market: str | None = None
    draws: int = DRAWS
    seed: int = 0
    until: date | None = None

    def __post_init__(self) -> None:
        _check_until(self.last, self.start, self.team)

    @property
    def start(self) -> date:
        """The first day of the advice."""
        return self.as_of or datetime.now(UTC).date()

    @property
    def last(self) -> date:
        """The day until which free offers are to be relied on."""
        days = min(UNTIL_DAYS, int(self.team.horizon * 365.25 / 12) - 1)
        return self.until or self.start + timedelta(days=days)


@dataclass(frozen=True)
class Ready:
    """A question with the candidates chosen for it: all that does not depend on futures."""

    asked: Asked
    usage: Log
    catalogue: Catalogue
    evidence: Evidence | None
    short: Shortlist
    names: list[str]


def prepared(usage: Log, asked: Asked, *, say: Callable[[str], None]) -> Ready:
    """Open the catalogue and choose candidates; `say` is told what is under way.

    Raises:
        ConfigurationError: an offer, vendor or model is not known.
    """
    say("opening the catalogue …")
    from pricewar.advice.workload import part_of
    from pricewar.offers.catalogue import load_catalogue

    team = asked.team
    if asked.only:
        usage = part_of(usage, asked.only)
    catalogue = load_catalogue(asked.as_of)
    check_team(team, asked.team_file, catalogue)
    evidence = evidence_of(asked.evals, asked.aliases, asked.pass_at, catalogue)
    for line in _strangers(evidence):
        say(line)
    say("choosing what to compare …")
    short = _shortlist(usage, catalogue, team, evidence, asked.start, asked.offers, asked.most)
    names = [o.id for o in short.offers]
    if team.present is not None and team.present.offer not in names:
        names.append(catalogue.offer(team.present.offer).id)
    return Ready(asked, usage, catalogue, evidence, short, names)


def advise(
    ready: Ready, *, source: str, command: str, draws: int | None = None, say: Callable[[str], None]
) -> dict[str, Any]:
    """The advice as plain data, JSON-able.

    Args:
        source: what the log is called.
        command: what would do the same in a terminal.
        draws: futures, where not those asked for.
    """
    begun = time.perf_counter()
    from pricewar import __version__
    from pricewar.advice.decide import decide
    from pricewar.advice.reliance import reliance
    from pricewar.advice.shortlist import GIFTS
    from pricewar.advice.workload import offers_logged

    asked, usage, short, names = ready.asked, ready.usage, ready.short, ready.names
    team, until = asked.team, asked.last
    draws = draws or asked.draws
    say(f"drawing {draws:,} futures of {len(names)} offers …")
    drawn = list(dict.fromkeys([*names, *offers_logged(usage, ready.catalogue)]))
    futures = _futures(asked.market, ready.catalogue, drawn, asked.start, team.horizon, draws, asked.seed)
    advice = decide(
        usage, ready.catalogue, names, team, futures, ready.evidence, progress=lambda text: say(f"{text} …")
    )
    standing = [c.offer for c in advice.candidates]
    kinds = {c.offer: c.kind for c in advice.candidates if c.kind in GIFTS}
    relied = sorted(reliance(futures, kinds, until), key=lambda r: kinds[r.offer] == "grant")  # given once
    data = advice.document()
    data |= {
        "pricewar": __version__,
        "made": datetime.now(UTC).date().isoformat(),
        "command": command,
        "log": {"source": source, "format": usage.format, "rows": usage.rows,
                "exclusions": [{"count": e.count, "cause": e.cause} for e in usage.exclusions]},
        "draws": draws,
        "only": list(asked.only),
        "models": short.models,
        "market": asked.market,
        "present": team.present.offer if team.present and team.present.offer in standing else None,
        "until": until.isoformat(),
        "considered": short.considered,
        "present_model": short.present_model,
        "left_out": [asdict(e) for e in {e.offer: e for e in (*short.excluded, *advice.excluded)}.values()],
        "dearer_left_out": short.dearer,
        "evidence": _told(ready.evidence),
        "reliance": [_reliance(r) for r in relied],
        "seconds": round(time.perf_counter() - begun, 1),
    }  # fmt: skip
    return json.loads(json.dumps(data, default=str))


def _check_until(until: date, start: date, team: Team) -> None:
    last = start + timedelta(days=int(team.horizon * 365.25 / 12) - 1)
    if not start < until <= last:
        raise ConfigurationError(
            f"{until} is not within the {team.horizon} months from {start}",
            where="--until",
            remedy=f"give a day after {start} and not after {last}, or a longer `horizon` in the team's file",
        )


def check_team(team: Team, file: Path | None, catalogue: Catalogue) -> None:
    """See that the catalogue knows what the team names: its present offer, its currency, vendors.

    Raises:
        DefinitionError: it does not, at file and line where the team was read from one.
    """
    from pricewar.advice.team import where

    vendors = {o.latest.vendor for o in catalogue.offers.values()}
    currencies = {code for rate in catalogue.currency_rates for code in (rate.base, rate.to)} | {"USD"}
    asked: list[tuple[str, str, Iterable[str], tuple[str, ...], str]] = [
        ("vendor", v, vendors, ("ecosystem", v), "`pricewar offers` lists vendors") for v in team.ecosystem
    ]
    rates = ", ".join(sorted(currencies))
    asked.append(("exchange rate for", team.currency, currencies, ("currency",), rates))
    if team.present is not None:
        key, ids = ("present", "offer"), "`pricewar offers` lists ids"
        asked.append(("offer", team.present.offer, catalogue.offers, key, ids))
    for what, name, known, key, otherwise in asked:
        if name not in known:
            raise DefinitionError(
                f"no {what} “{name}” is known as of {catalogue.as_of}",
                where=where(file, *key) if file is not None else f"team: {'.'.join(key)}",
                remedy=did_you_mean(name, known) or otherwise,
            )


def evidence_of(
    evals: Sequence[Path], aliases: Sequence[str], pass_at: float | None, catalogue: Catalogue
) -> Evidence | None:
    """The team's own results, or None.

    Raises:
        ConfigurationError: every model of the results is unknown, or an option names something not there.
    """
    if not evals:
        if aliases or pass_at is not None:
            where = "--model" if aliases else "--pass-at"
            raise ConfigurationError("there are no evaluations", where=where, remedy="name them with --evals")
        return None
    from pricewar.advice.evidence import read

    models: dict[str, str] = {}
    for item in aliases:
        name, equals, model = item.partition("=")
        if not equals or not name or not model:
            raise ConfigurationError(f"“{item}” is not NAME=MODEL", where="--model",
                                     remedy="such as --model ours=gpt-5-mini")  # fmt: skip
        models[name] = model
    found = read(list(evals), catalogue=catalogue, models=models, pass_at=pass_at)
    strange = {u.name for u in found.unknown if u.what == "offer"}
    if strange and strange >= {name for m in found.measured for name in m.called}:
        lines = "; ".join(_strangers(found))
        raise ConfigurationError(
            f"no offer is known for any model of the evaluations: {lines}",
            where="--evals",
            remedy="say which models they are with --model NAME=MODEL",
        )
    return found


def _strangers(evidence: Evidence | None) -> list[str]:
    """Evaluations of models that no offer serves, in words."""
    if evidence is None:
        return []
    return [
        f"evaluations: no offer is known for “{u.name}” ({u.rows} rows)" + (f": {u.near}" if u.near else "")
        for u in evidence.unknown
        if u.what == "offer"
    ]


def _shortlist(
    usage: Log,
    catalogue: Catalogue,
    team: Team,
    evidence: Evidence | None,
    start: date,
    offers: Sequence[str],
    most: int,
) -> Shortlist:
    from pricewar.advice.shortlist import shortlist
    from pricewar.billing.choice import comparable

    if offers:
        chosen = catalogue.select(offers)
        # Whoever names vendors or kinds wants them considered; what is too many is left to the cost.
        named = (
            [o.id for o in chosen] if len(chosen) <= most else [p for p in offers if p in catalogue.offers]
        )
    else:
        chosen, named = comparable(catalogue), []
    if not chosen:
        raise ConfigurationError(
            f"no offer is on record as of {catalogue.as_of}", where="--as-of", remedy="name a later day"
        )
    if team.present is not None:
        chosen = [*chosen, catalogue.offers[team.present.offer]]
        named = [*named, team.present.offer]
    return shortlist(usage, catalogue, chosen, team, evidence, start, most=most, named=named)


def _futures(
    market: str | None,
    catalogue: Catalogue,
    names: Sequence[str],
    start: date,
    months: int,
    draws: int,
    seed: int,
) -> Futures:
    from pricewar.futures.from_market import HISTORY, futures_for

    return futures_for(market or HISTORY, catalogue, list(names), start, months, draws, seed)


def _reliance(row: Any) -> dict[str, Any]:
    return {**asdict(row), "end": row.end.isoformat() if row.end else None}


def _told(evidence: Evidence | None) -> Mapping[str, Any] | None:
    """What was read of the team's evaluations, for a face."""
    if evidence is None:
        return None
    return {
        "sources": list(evidence.sources),
        "rows": evidence.rows_in,
        "used": evidence.rows_used,
        "models": [m.model for m in evidence.measured],
        "exclusions": [{"count": e.count, "cause": e.cause} for e in evidence.exclusions],
        "unknown": _strangers(evidence),
        "notes": list(evidence.notes),
    }
