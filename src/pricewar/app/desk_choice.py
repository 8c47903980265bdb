"""What the desk is asked: a log, how to read it, which day's offers, and the team; and the same as a command.

log        handle of an upload; "" or absent: the bundled sample
format, zone, maps   how to read it ("" or []: told by its content, UTC, as its columns are called)
only       models whose requests count; []: all
offers     patterns of offers; []: own records and the main vendors' current chat models
date       use only what was public by then (YYYY-MM-DD); "": today
in_force   bill everything on the terms of this day; "": each request on its own day's terms
currency   of totals
team       the team as YAML; or, where "", a few fields: growth (share a month), engineer_day (money),
           present (offer in use) and months (of use), each null where nothing is said
draws, seed   futures of the outlook
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pricewar.errors import ConfigurationError

if TYPE_CHECKING:
    from pricewar.advice.team import Team

SAMPLE = "usage.csv"
"""What the bundled sample is called."""
DRAWS, MOST_DRAWS = 600, 5000
LONGEST = 48 * 1024
"""Characters of one text."""


@dataclass(frozen=True)
class Choice:
    """A question to the desk, checked; see the module. `team` holds the fields too, as YAML."""

    log: str = ""
    format: str = ""
    zone: str = ""
    maps: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    date: str = ""
    in_force: str = ""
    currency: str = "USD"
    team: str = ""
    draws: int = DRAWS
    seed: int = 0

    @property
    def day(self) -> date:
        """The day whose knowledge is used."""
        return date.fromisoformat(self.date) if self.date else datetime.now(UTC).date()

    @property
    def bill_key(self) -> tuple[Any, ...]:
        """All that a bill depends on, but the log itself."""
        asked = (self.format, self.zone, self.maps, self.only, self.offers)
        return (*asked, self.day, self.in_force, self.currency)

    @property
    def outlook_key(self) -> tuple[Any, ...]:
        """All that an outlook depends on, but the log itself and the number of futures."""
        return (*self.bill_key, self.team, self.seed)

    def read_team(self) -> Team:
        """The team.

        Raises:
            DefinitionError: at line and key.
        """
        from pricewar.advice import team

        return team.of(self.team, TEAM_FILE) if self.team.strip() else team.Team()


TEAM_FILE = "team.yaml"


def choice(message: Mapping[str, Any]) -> Choice:
    """The question of a message.

    Raises:
        ConfigurationError: naming the field.
    """
    currency = _text(message, "currency").strip().upper() or "USD"
    return Choice(
        log=_text(message, "log"),
        format=_text(message, "format"),
        zone=_text(message, "zone").strip(),
        maps=_texts(message, "maps"),
        only=_texts(message, "only"),
        offers=_texts(message, "offers"),
        date=_day(message, "date", future=False),
        in_force=_day(message, "in_force", future=True),
        currency=currency,
        team=_team(message),
        draws=_whole(message, "draws", DRAWS, 2, MOST_DRAWS),
        seed=_whole(message, "seed", 0, 0, 2**31),
    )


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ConfigurationError("must be text, and not a long one", where=key)
    return value


def _texts(message: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = message.get(key) or []
    if not isinstance(value, list) or not all(isinstance(v, str) and len(v) <= 500 for v in value):
        raise ConfigurationError("must be a list of texts", where=key)
    return tuple(v.strip() for v in value if v.strip())


def _day(message: Mapping[str, Any], key: str, *, future: bool) -> str:
    text = _text(message, key)
    if not text:
        return ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"“{text}” is not a date such as 2026-10-31", where=key) from None
    if not future and day > datetime.now(UTC).date():
        raise ConfigurationError(f"{day} is in the future: nobody knows what will be known then", where=key)
    return day.isoformat()


def _whole(message: Mapping[str, Any], key: str, default: int, low: int, high: int) -> int:
    value = message.get(key)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigurationError("is not a whole number in range", where=key, remedy=f"{low} to {high}")
    return value


def _number(message: Mapping[str, Any], key: str) -> float | None:
    value = message.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e12:
        raise ConfigurationError("is not a number", where=key)
    return value


def _team(message: Mapping[str, Any]) -> str:
    """The team's YAML: as written, else from the few fields."""
    written = _text(message, "team")
    if written.strip():
        return written
    growth, day = _number(message, "growth"), _number(message, "engineer_day")
    present, months = _text(message, "present").strip(), _whole(message, "months", 0, 0, 600)
    lines = []
    currency = _text(message, "currency").strip().upper()
    if currency not in ("", "USD"):
        lines.append(f"currency: {currency}")
    if growth:
        lines.append(f"growth: {{monthly: {growth:g}}}")
    if day is not None:
        lines.append(f"engineer_day: {day:g}")
    if present:
        import json

        lines.append(f"present: {{offer: {json.dumps(present)}, months: {months}}}")
    return "".join(f"{line}\n" for line in lines)


# ---------------------------------------------------------------- the same, elsewhere


def command(asked: Choice, name: str, *, outlook: bool = False) -> str:
    """What does the same in a terminal, from the folder of the log."""
    first = [] if asked.log else [shlex.join(["pricewar", "sample", name])]
    given: list[str] = []
    for option, values in (
        ("--format", [asked.format]), ("--zone", [asked.zone]), ("--map", asked.maps),
        ("--only", asked.only), ("--offers", asked.offers), ("--as-of", [asked.day.isoformat()]),
    ):  # fmt: skip
        for value in values:
            given += [option, value] if value else []
    log = f"./{name}" if name.startswith("-") else name
    if not outlook:
        given += ["--in-force", asked.in_force] if asked.in_force else []
        given += ["--currency", asked.currency] if asked.currency != "USD" else []
        return "\n".join([*first, shlex.join(["pricewar", "bill", log, *given])])
    if asked.team.strip():
        text = asked.team if asked.team.endswith("\n") else f"{asked.team}\n"
        first.append(f"cat > {TEAM_FILE} <<'END_OF_TEAM'\n{text}END_OF_TEAM")
        given += ["--team", TEAM_FILE]
    given += ["--draws", str(asked.draws), "--seed", str(asked.seed)]
    return "\n".join([*first, shlex.join(["pricewar", "advise", log, *given])])


def python(asked: Choice, name: str, *, outlook: bool = False) -> str:
    """What does the same in Python."""
    from pricewar.usage.read import mapped

    how = [f"{key}={value!r}" for key, value in (("format", asked.format), ("mapping", mapped(asked.maps)),
                                                  ("zone", asked.zone)) if value]  # fmt: skip
    day = asked.day
    sample = [] if asked.log else ["from pricewar.usage.sample import write_sample"]
    write = [] if asked.log else [f"write_sample(Path({name!r}))"]
    path = ["from pathlib import Path"] if write else []
    if outlook:
        team = f"of({asked.team!r})" if asked.team.strip() else "Team()"
        more = [f"offers={list(asked.offers)!r}"] if asked.offers else []
        more += [f"only={list(asked.only)!r}"] if asked.only else []
        more += [f"as_of=date({day.year}, {day.month}, {day.day})"]
        more += [f"draws={asked.draws}", f"seed={asked.seed}"]
        lines = [
            "from datetime import date",
            *path,
            "",
            "from pricewar.advice.advised import Asked, advise, prepared",
            f"from pricewar.advice.team import {'of' if asked.team.strip() else 'Team'}",
            "from pricewar.usage.read import read",
            *sample,
            "",
            *write,
            f"log = read({', '.join([repr(name), *how])})",
            f"asked = Asked({', '.join([team, *more])})",
            f"advice = advise(prepared(log, asked, say=print), source={name!r}, command='', say=print)",
            "print(advice['recommended'], advice['plan']['begin'])",
        ]
        return "\n".join(lines) + "\n"
    chosen = f"catalogue.select({list(asked.offers)!r})" if asked.offers else "comparable(catalogue)"
    more = [f"currency={asked.currency!r}"]
    more += [f"only={list(asked.only)!r}"] if asked.only else []
    if asked.in_force:
        then = date.fromisoformat(asked.in_force)
        more.append(f"frozen=datetime({then.year}, {then.month}, {then.day}, tzinfo=UTC)")
    lines = [
        f"from datetime import {'UTC, date, datetime' if asked.in_force else 'date'}",
        *path,
        "",
        *([] if asked.offers else ["from pricewar.billing.choice import comparable"]),
        "from pricewar.billing.desk import compare",
        "from pricewar.offers.catalogue import load_catalogue",
        "from pricewar.usage.read import read",
        *sample,
        "",
        *write,
        f"log = read({', '.join([repr(name), *how])})",
        f"catalogue = load_catalogue(date({day.year}, {day.month}, {day.day}))",
        f"comparison = compare(log, catalogue, {chosen}, {', '.join(more)})",
        "for entry in comparison.entries[:10]:",
        "    print(entry.offer.id, entry.total.mid)",
    ]
    return "\n".join(lines) + "\n"
