"""A made-up market, log and futures for the advice: figures small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from engine import frame
from reference import Row

from pricewar.advice import team as teams
from pricewar.advice.decide import decide
from pricewar.advice.result import Advice
from pricewar.advice.team import Team
from pricewar.futures import Futures, certain
from pricewar.offers.catalogue import Catalogue, load_catalogue
from pricewar.usage.log import Log

START = date(2026, 11, 1)
DAYS, DAILY = 28, 50
REQUESTS = DAYS * DAILY * (365.25 / 12) / DAYS  # 1,521.875 a month
A_MONTH = REQUESTS * (1000 * 1 + 500 * 4) / 1e6  # 4.565625 USD at ant/one's prices

OFFERS = {  # id: (kind, light, currency, terms)
    "ant/one": ("list", True, "USD", "rates: [{input: 1, output: 4}]"),
    "bee/one": ("list", True, "USD", "rates: [{input: 0.8, output: 3.2}]"),
    "cat/one": ("list", False, "USD", "rates: [{input: 2, output: 8}]"),
    "cow/one": ("list", True, "CNY", "rates: [{input: 7, output: 28}]"),
    "ant/pro": ("list", False, "USD", "rates: [{input: 3, output: 12}]"),
    "dog/free": ("free", True, "USD", "rates: [{input: 0, output: 0}]\n"
                 "    limits: [{meters: requests, amount: 40, per: day}]"),
    "eel/free": ("free", True, "USD", "rates: [{input: 0, output: 0}]\n    limits: unknown"),
    "fox/free": ("free", True, "USD", "rates: [{input: 0, output: 0}]\n"
                 "    limits: [{meters: tokens, amount: 30000, per: day}]"),
    "gnu/gift": ("grant", True, "USD", "rates: [{input: 1, output: 4}]\n    allowances: [{unit: tokens, "
                 "amount: 5000000, expires_after: {months: 6}}]"),
    "hen/daily": ("list", True, "USD", "rates: [{input: 1, output: 4}]\n    allowances: [{unit: tokens, "
                  "amount: 30000, reset: day}]"),
    "ibis/min": ("list", True, "USD", "rates: [{input: 1, output: 4}]\n"
                 "    charges: {minimum: {amount: 6}, fixed: [{amount: 2}]}"),
    "jay/term": ("provisioned", True, "USD", "rates: [{input: 0, output: 0}]\n    charges: {commitment: "
                 "{amount: 5, per: month, term: {months: 12}, buys: capacity}}"),
    "kea/minute": ("free", True, "USD", "rates: [{input: 0, output: 0}]\n"
                   "    limits: [{meters: tokens, amount: 4000, per: minute}]"),
    "lark/train": ("list", True, "USD", "rates: [{input: 1, output: 4}]\n    eligibility: {data_use: train, "
                   "regions: [CN]}"),
    "rat/trial": ("free", True, "USD", "rates: [{input: 0, output: 0}]\n    limits: [{meters: requests, "
                  "amount: 40, per: day}]\n    eligibility: {commercial: false}"),
    "yak/two": ("list", True, "USD", "rates: [{input: 0.5, output: 2}]"),
    "zho/three": ("list", True, "USD", "rates: [{input: 0.5, output: 2}]"),
}  # fmt: skip
MODELS = {"yak/two": "m-two", "zho/three": "m-three"}  # all others sell m-one
RATES = """
currency_rates:
  - {base: USD, to: CNY, rate: 7, on: 2026-01-01, confidence: high,
     sources: [{url: "https://example.org", read_on: 2026-01-01}]}
"""


@lru_cache
def catalogue(scale: str = "") -> Catalogue:
    """The market; `scale` multiplies every price of tokens (as `e3`)."""
    text = "offers:\n"
    for id, (kind, light, currency, terms) in OFFERS.items():
        for name in ("input", "output", "amount"):
            if scale and "rates" in terms and name != "amount":
                terms = "".join(_scaled(part, name, scale) for part in _parts(terms, name))
        text += (
            f"  - id: {id}\n    vendor: {id.split('/')[0]}\n    plan: {kind}\n    kind: {kind}\n"
            f"    models: [{MODELS.get(id, 'm-one')}]\n    light: {light}\n    currency: {currency}\n"
            "    confidence: high\n"
            '    sources: [{url: "https://example.org", read_on: 2026-01-01}]\n    recorded: 2026-01-01\n'
            f"    in_force: {{from: 2020-01-01}}\n    {terms}\n"
        )
    with TemporaryDirectory() as folder:
        (Path(folder) / "made_up.yaml").write_text(text + RATES, encoding="utf-8")
        return load_catalogue(START, Path(folder))


def _parts(terms: str, name: str) -> list[str]:
    pieces = terms.split(f"{name}: ")
    return [pieces[0], *(f"{name}: {piece}" for piece in pieces[1:])]


def _scaled(part: str, name: str, scale: str) -> str:
    if not part.startswith(f"{name}: "):
        return part
    number = part[len(name) + 2 :].split(",")[0].split("}")[0]
    return part.replace(number, f"{number}{scale}", 1)


def log(days: int = DAYS, daily: int = DAILY, *, busy: Sequence[int] = (), model: str = "m-one") -> Log:
    """So many requests a day, a minute apart from 09:00 on, each of 1,000 and 500 tokens."""
    begin = datetime(2026, 10, 1, 9, tzinfo=UTC)
    rows = [
        Row(begin + timedelta(days=d, minutes=i), model, {"input": 1000, "output": 500})
        for d in range(days)
        for i in range(busy[d % len(busy)] if busy else daily)
    ]
    return Log("made up", ("here",), len(rows), len(rows), span=(rows[0].time, rows[-1].time),
               _held=frame(rows))  # fmt: skip


def futures(names: Sequence[str], months: int, draws: int, seed: int = 0, siblings: Any = None) -> Futures:
    """Prices that jump, free terms that end, limits that tighten, models that are retired."""
    rng = np.random.default_rng(seed)
    shape = (draws, months, len(names))

    def happens(chance: float) -> Any:
        event = rng.random(shape) < chance
        event[:, 0] = False
        return event

    jumps = np.where(happens(0.06), rng.normal(0.1, 0.5, shape), 0).cumsum(axis=1)
    tighter = np.where(happens(0.05), -0.5, 0).cumsum(axis=1)
    ended, retired = happens(0.06).cumsum(axis=1) > 0, happens(0.02).cumsum(axis=1) > 0
    siblings = siblings or tuple(
        "ant/one" if n.endswith("free") and "ant/one" in names else None for n in names
    )
    status = np.where(retired, 2, np.where(ended & np.array([s is not None for s in siblings]), 1, 0))
    successor = np.where(retired, np.exp(rng.normal(0, 0.4, (draws, 1, len(names)))), 1.0)
    return replace(
        certain(names, START, months, draws),
        price=np.exp(jumps), status=status.astype(np.uint8), limit=np.exp(tighter),
        allowance=np.exp(tighter), successor=successor, sibling=tuple(siblings), source="made up", seed=seed,
    )  # fmt: skip


BASE = "growth: {uncertainty: 0}\nengineer_day: 10\nquality: {margin: none}\n"


def team(extra: str = "", months: int = 12, base: str = BASE) -> Team:
    """A team whose day costs 10 USD, without growth, discount or doubt unless `extra` says so."""
    rest = "\n".join(line for line in base.splitlines() if line.split(":")[0] not in extra)
    discount = "" if "discount" in extra else "discount: 0\n"
    return teams.of(f"horizon: {months}\n{discount}{rest}\n{extra}")


def advise(names: Sequence[str], given: Team, what: Futures | None = None, **how: Any) -> Advice:
    """Advice on the made-up log; nothing changes unless `what` says so."""
    found = what or certain(names, START, given.horizon)
    work, market = how.pop("log", None) or log(), how.pop("catalogue", None) or catalogue()
    return decide(work, market, list(names), given, found, **how)
