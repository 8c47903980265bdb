"""Three classes of teams for the back-test, and their work month by month.

A team has two streams of work, light and flagship, each decided on its own: what it asks of a model, and what
a model must be able to do. The bar is a published figure on Epoch's capability index (`evidence_published`):
light work asks for GPT-3.5 Turbo's, flagship work for the first GPT-4o's. It stands still while models get
better and cheaper, as the work does. Requests, their sizes and their hours are those of the sample month
(`usage.sample`), or of a log that is given; volume, growth and what leaving costs are the class's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal

from pricewar.advice import team as teams
from pricewar.advice.team import Present, Team
from pricewar.advice.workload import MONTH_DAYS
from pricewar.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from pricewar.usage.log import Log

Tier = Literal["light", "flagship"]
TIERS: Final[tuple[Tier, ...]] = ("light", "flagship")
BARS: Final[dict[Tier, float]] = {"light": 117.0, "flagship": 128.5}
"""Least published index: GPT-3.5 Turbo stands at 117.1, GPT-4o of May 2024 at 128.7."""
LIGHT_MODELS: Final = ("gpt-5-mini",)
MONTHLY: Final[dict[Tier, int]] = {"light": 70_000, "flagship": 50_000}
"""Requests of the sample month."""
SAMPLED: Final = 0.06
"""Share of the sample month that stands for all of it; rows count as many requests as they stand for."""


@dataclass(frozen=True)
class Class:
    """A class of team.

    Attributes:
        times: light and flagship requests as multiples of the sample month's (`MONTHLY`).
        growth: share a month. yaml: the rest of the team, as it would write it.
    """

    name: str
    words: str
    times: dict[Tier, float]
    growth: float
    yaml: str

    def team(self, months: int) -> Team:
        """The team with `months` to go, starting anew."""
        head = f"team: {self.name}\nhorizon: {months}\nseveral_vendors: false\nquality: {{margin: none}}\n"
        growth = f"growth: {{monthly: {self.growth}, uncertainty: 0.01}}\n"
        return teams.of(head + growth + self.yaml, self.name)


CLASSES: Final = (
    Class(
        "indie",
        "one developer: mostly light work, little of it; leaving costs two days at 250 USD",
        {"light": 0.5, "flagship": 0.1},
        0.03,
        "engineer_day: 250\nrefused: 0.002\n"
        "switching: {adapter: 0.5, prompts: 1, evaluation: 0.5, approval: 0, deepening: 0.03, deepest: 2}\n"
        "portability: {setup: 1, upkeep: 0.1}\n",
    ),
    Class(
        "start-up",
        "growing 8% a month; leaving costs eight days at 800 USD, deepening with use",
        {"light": 10.0, "flagship": 5.0},
        0.08,
        "engineer_day: 800\nrefused: 0.01\n",
    ),
    Class(
        "enterprise",
        "much work, mostly flagship; leaving costs 55 days at 1,000 USD, approvals among them",
        {"light": 100.0, "flagship": 200.0},
        0.02,
        "engineer_day: 1000\nrefused: 0.05\n"
        "switching: {adapter: 10, prompts: 15, evaluation: 15, approval: 10, data_migration: 5}\n"
        "portability: {setup: 30, upkeep: 2}\n",
    ),
)


@dataclass(frozen=True)
class Stream:
    """One tier's work of a team: `base` rows that each stand for `each` requests at load `most`."""

    team: Class
    tier: Tier
    base: pl.DataFrame = field(repr=False, compare=False)
    each: int
    most: float
    model: Log = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        return f"{self.team.name}, {self.tier}"

    @property
    def bar(self) -> float:
        return BARS[self.tier]

    def log(self, load: float) -> Log:
        """The month's log when there is `load` times the work of the first: rows are added evenly."""
        import polars as pl

        # A golden-ratio sequence spreads the rows that stay over the whole month, whatever the load.
        kept = (pl.int_range(pl.len()) * 0.6180339887498949 % 1.0) < min(load / self.most, 1.0) + 1e-12
        frame = self.base.filter(kept)
        span = (frame["time"][0], frame["time"][-1])
        return replace(
            self.model,
            rows_in=len(frame),
            rows=len(frame),
            exclusions=(),
            span=span,
            _held=frame,
            _again=None,
        )


def streams(classes: Sequence[Class] = CLASSES, months: int = 12, log: Log | None = None) -> list[Stream]:
    """The work of each class over `months`.

    Args:
        log: a team's own month, whose light models are told by `futures.records.tier_of`; the sample's when
            None. Volumes are those of the classes either way.

    Raises:
        DataError: the log has no work of either tier.
    """
    import polars as pl

    from pricewar.futures.records import tier_of
    from pricewar.units import METERS

    source = _sample() if log is None else log
    frame = source.frame()
    models = frame["model"].unique().to_list()
    light = [m for m in models if (m in LIGHT_MODELS if log is None else tier_of(m) == "light")]
    parts = {"light": frame.filter(pl.col("model").is_in(light)),
             "flagship": frame.filter(~pl.col("model").is_in(light))}  # fmt: skip
    # A log of one tier stands for both: the shapes are all that is taken from it.
    parts = {tier: part if len(part) else frame for tier, part in parts.items()}
    if not len(frame):
        raise DataError("the log holds no request", remedy="give a log of some days of work")
    found = []
    for kind in classes:
        most = (1 + kind.growth) ** (months - 1)
        for tier in TIERS:
            part = parts[tier]
            wanted = kind.times[tier] * MONTHLY[tier] * most
            times = wanted / _monthly(part)
            each = max(round(times), 1)
            step = pl.int_range(pl.len()) * 0.7548776662466927 % 1.0
            part = part.filter(step < max(times / each, 1.5 / len(part)))
            part = part.with_columns(
                *(pl.col(meter) * each for meter in METERS),
                model=pl.lit("work"),
                vendor=pl.lit(None, pl.String),
                tier=pl.lit("standard"),
                reported_cost=pl.lit(None, frame.schema["reported_cost"]),
                reported_currency=pl.lit(None, pl.String),
            )
            found.append(Stream(kind, tier, part, each, most, source))
    return found


def _monthly(part: pl.DataFrame) -> float:
    """Requests a month at the pace of these rows; a row that counts none is one."""
    days = (part["time"][-1] - part["time"][0]).total_seconds() / 86_400
    return float(part["requests"].clip(lower_bound=1).sum()) * MONTH_DAYS / max(days, 1.0)


@lru_cache(maxsize=1)
def _sample() -> Log:
    from pricewar.usage.read import read
    from pricewar.usage.sample import write_sample

    with TemporaryDirectory() as folder:
        log = read(write_sample(Path(folder) / "sample.csv", scale=SAMPLED))
        return replace(log, _held=log.frame())


def onward(team: Team, months: int, present: str, used: int, portable: bool) -> Team:
    """The team with `months` to go, `used` months into `present`; once portable, a switch saves what that
    saves and being portable costs nothing more to begin."""
    update: dict = {"horizon": months, "present": Present(offer=present, months=used)}
    if portable:
        saves, due = team.portability.saves, team.switching
        parts = {p: getattr(due, p) * (1 - getattr(saves, p)) for p in teams.PARTS}
        none = saves.model_copy(update=dict.fromkeys(teams.PARTS, 0 * parts["adapter"]))
        update["switching"] = due.model_copy(update=parts)
        update["portability"] = team.portability.model_copy(update={"saves": none})
    return team.model_copy(update=update)
