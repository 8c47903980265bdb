"""The plan of a saved `pricewar advise LOG --json plan.json`, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from pricewar.advice.result import Look, Rise, Trigger
from pricewar.errors import DataError

REMEDY = "`pricewar advise LOG --json plan.json` writes a plan"


@dataclass(frozen=True)
class Planned:
    """A candidate of the plan, on the plan's day: money a month for itself and for what it refuses."""

    offer: str
    today: Fraction
    refused: Fraction
    served: Fraction
    verdict: str | None


@dataclass(frozen=True)
class SavedPlan:
    """What was advised.

    Attributes:
        offers: the offer to begin with, or the two side by side.
        known: ids that were looked at then, taken or not.
        told: whether a team's file was given; evaluated: whether its own evaluations were.
    """

    source: str
    start: date
    currency: str
    horizon: int
    strategy: str
    offers: tuple[str, ...]
    triggers: tuple[Trigger, ...]
    looks: tuple[Look, ...]
    rises: tuple[Rise, ...]
    candidates: dict[str, Planned]
    known: frozenset[str]
    only: tuple[str, ...]
    told: bool
    evaluated: bool

    def months(self, day: date) -> int:
        """Whole months from the plan's day to `day`."""
        whole = (day.year - self.start.year) * 12 + day.month - self.start.month
        return max(whole - (day.day < self.start.day), 0)

    def rise(self, day: date) -> Rise | None:
        """The rise from which leaving pays, for so many months of use: the last one listed by then."""
        months = self.months(day)
        return max((r for r in self.rises if r.months <= months), key=lambda r: r.months, default=None)


class _Reader:
    """Values of the document, each looked up with its key for the message."""

    def __init__(self, source: str) -> None:
        self.source = source

    def wrong(self, key: str, what: str) -> DataError:
        return DataError(f"`{key}` {what}", where=self.source, remedy=REMEDY)

    def get(self, data: Any, key: str, kind: type | tuple[type, ...], at: str = "") -> Any:
        name = f"{at}{key}"
        if not isinstance(data, dict) or key not in data:
            raise self.wrong(name, "is missing")
        value = data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(name, f"is {json.dumps(value, default=str)[:40]}, which it cannot be")
        return value

    def day(self, data: Any, key: str, at: str = "") -> date:
        text = self.get(data, key, str, at)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.wrong(f"{at}{key}", f"is “{text[:40]}”, not a date") from None


def read_plan(path: Path) -> SavedPlan:
    """The plan in a JSON file that `pricewar advise` wrote.

    Raises:
        DataError: the file is no such document; the first key that is wrong is named.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"is not JSON: {error}", where=str(path), remedy=REMEDY) from None
    r = _Reader(str(path))
    plan = r.get(data, "plan", dict)
    candidates: dict[str, Planned] = {}
    for i, c in enumerate(r.get(data, "candidates", list)):
        at = f"candidates[{i}]."
        numbers = {
            k: _exact(r, r.get(c, k, (int, float), at), at + k) for k in ("today", "refused", "served")
        }
        offer = r.get(c, "offer", str, at)
        verdict = c.get("verdict")
        candidates[offer] = Planned(offer, verdict=verdict if isinstance(verdict, str) else None, **numbers)
    known = {
        name
        for key in ("left_out", "excluded", "dearer_left_out")
        for e in (data.get(key) or [])
        if isinstance(name := e.get("offer") if isinstance(e, dict) else e, str)
    }
    only = data.get("only") or []
    told = [a for a in (data.get("assumptions") or []) if isinstance(a, dict) and a.get("given")]
    return SavedPlan(
        source=path.name,
        start=r.day(data, "start"),
        currency=r.get(data, "currency", str),
        horizon=r.get(data, "months", int),
        strategy=r.get(data, "recommended", str),
        offers=tuple(r.get(plan, "begin", str, "plan.").split(" + ")),
        triggers=tuple(_trigger(r, t, i) for i, t in enumerate(r.get(plan, "triggers", list, "plan."))),
        looks=tuple(_look(r, x, i) for i, x in enumerate(r.get(plan, "look_again", list, "plan."))),
        rises=tuple(_rise(r, x, i) for i, x in enumerate(r.get(plan, "rises", list, "plan."))),
        candidates=candidates,
        known=frozenset({*known, *candidates}),
        only=tuple(str(o) for o in only) if isinstance(only, list) else (),
        told=bool(told),
        evaluated=data.get("evidence") is not None,
    )


def _exact(r: _Reader, value: float, key: str) -> Fraction:
    try:
        return Fraction(value)
    except (ValueError, OverflowError):
        raise r.wrong(key, "is not a number") from None


def _trigger(r: _Reader, data: Any, i: int) -> Trigger:
    at = f"plan.triggers[{i}]."
    when, then, key = (r.get(data, k, str, at) for k in ("when", "then", "key"))
    threshold = data.get("threshold")
    if threshold is not None and not isinstance(threshold, int | float):
        raise r.wrong(f"{at}threshold", "is not a number")
    return Trigger(when, then, threshold, key, r.get(data, "args", dict, at))


def _look(r: _Reader, data: Any, i: int) -> Look:
    at = f"plan.look_again[{i}]."
    month = r.get(data, "month", int, at)
    left = float(r.get(data, "left", (int, float), at))
    return Look(month, r.day(data, "day", at), left, r.get(data, "why", str, at), str(data.get("key", "")))


def _rise(r: _Reader, data: Any, i: int) -> Rise:
    at = f"plan.rises[{i}]."
    share = data.get("share")
    if share is not None and not isinstance(share, int | float):
        raise r.wrong(f"{at}share", "is not a number")
    leaving, monthly = (float(r.get(data, k, (int, float), at)) for k in ("leaving", "monthly"))
    return Rise(r.get(data, "months", int, at), leaving, share, monthly, r.get(data, "to", str, at))
