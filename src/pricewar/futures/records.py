"""What was recorded of prices and terms, and when: our own dated records under `facts/`.

A record says what somebody wrote down on a day. `Records.known` cuts them at a day, so that an estimate as of
that day cannot know more: spells that begin later are gone, spells that go on are followed to that day and no
    further
(right-censored), and an end, an outcome or a retirement stands only if it was public. How the records were
made: `facts/README.md`.

Classes. A price is pooled with those of its channel and tier:

- channel: `own` (a vendor's list of its own models), `hosted` (a host's list of others' models), `routed`
  (the cheapest route of a marketplace);
- tier: light or flagship, by the size the name states, else by price;
- line: the successive models that a vendor sells in one place of its range (Sonnet, Flash, mini). The newest
  of a line is the successor of those that are retired.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, NamedTuple

from pricewar.errors import DataError

FACTS = Path(__file__).parent / "facts"
MONTH: Final = 365.25 / 12
"""Days of a month."""
MIX: Final = (0.75, 0.25)
"""Shares of input and output tokens in the one price that stands for an offer: three in to one out, as in
Epoch AI's records and Artificial Analysis' blended price."""
ROUNDING: Final = 0.005
"""A change of log price below this is rounding, not a change."""

PREVIEW: Final = re.compile(r"preview|beta|-exp")
"""Names of models that are not meant to stay."""

Tier = Literal["light", "flagship"]
Outcome = Literal["kept", "moved", "cancelled", "pending"]

OWN: Final = frozenset(
    (
        *("openai", "anthropic", "google", "deepseek", "deepseek-cn", "mistral", "cohere", "x-ai", "xai"),
        *("perplexity", "ai21", "moonshotai", "moonshot", "alibaba", "alibaba-intl", "baidu", "tencent"),
        *("zhipu", "zhipuai", "zai", "volcengine", "iflytek", "minimax", "minimax-cn", "stepfun", "baichuan"),
        *("arcee", "meta", "sensenova"),
    )
)
"""Vendors that sell their own models; every other vendor's list is `hosted`, save the marketplace's."""
_SAME: Final = {
    "xai": "x-ai",
    "moonshot": "moonshotai",
    "mistralai": "mistral",
    "z-ai": "zhipu",
    "zai": "zhipu",
    "zhipuai": "zhipu",
    "deepseek-cn": "deepseek",
    "minimax-cn": "minimax",
    "alibaba-intl": "alibaba",
}


class Spell(NamedTuple):
    """A price as recorded from `first` to `last`, in USD for a million tokens in and out."""

    channel: str
    vendor: str
    model: str
    first: date
    last: date
    input: float
    output: float

    @property
    def price(self) -> float:
        """The one price that stands for both, at `MIX`."""
        return MIX[0] * self.input + MIX[1] * self.output


class Retirement(NamedTuple):
    """A model stops being served on `on`, which was public from `announced`."""

    vendor: str
    model: str
    on: date
    announced: date
    source: str


class FreeSpell(NamedTuple):
    """Free terms of one model (`*`: of the account) as listed from `first` to `last`. `amounts` are limits by
    meter and period, or the dollars of a grant; `censored`: the spell ends because the list changed its
    names."""

    kind: str
    vendor: str
    model: str
    first: date
    last: date
    censored: bool
    amounts: Mapping[str, float]


class Announcement(NamedTuple):
    """A change announced for `due`, and what became of it by `decided`. `input` and `output`: the price
    announced for `models`."""

    vendor: str
    what: str
    announced: date
    due: date
    outcome: Outcome
    decided: date
    days_late: int
    models: tuple[str, ...] = ()
    input: float | None = None
    output: float | None = None

    @property
    def price(self) -> float | None:
        """The one price that stands for both, at `MIX`."""
        if self.input is None or self.output is None:
            return None
        return MIX[0] * self.input + MIX[1] * self.output


class FrontierPoint(NamedTuple):
    """A model that on `released` was the cheapest to reach `level` on `bench`, USD for a million tokens."""

    bench: str
    level: str
    released: date
    price: float


def vendor_of(name: str) -> str:
    """One name for a vendor that goes by several."""
    return _SAME.get(name.lower(), name.lower())


def channel_of(vendor: str) -> str:
    """How `vendor` sells: own, hosted or routed."""
    if vendor == "openrouter":
        return "routed"
    return "own" if vendor.lower() in OWN else "hosted"


@lru_cache(maxsize=16_384)
def spelled(model: str) -> str:
    """A model's name without host, casing and dots: `OpenAI/GPT-4.1` → `gpt-4-1`."""
    return model.lower().rsplit("/", 1)[-1].split(":", 1)[0].replace(".", "-").replace("_", "-")


@lru_cache(maxsize=16_384)
def undated(model: str) -> str:
    """A model's name without its snapshot either: `claude-3-5-haiku-20241022` → `claude-3-5-haiku`."""
    name = spelled(model)
    return re.sub(r"(-\d{4}-\d{2}-\d{2}|-\d{8}|@\d+|-\d{4}|-00\d)$", "", name)


_LIGHT = re.compile(
    r"(?<!ge)mini(?!max)|nano|flash|lite\b|-light|haiku|instant|small|tiny|ministral|nemo\b|7b\b|8b\b|9b\b|1[0-4]b\b|"
    r"(?<!\d)[1-4]b\b|2[0-9]b\b|3[0-5]b\b|gpt-3\.?5|turbo-s|-air\b|speed|fast\b|r7b|mamba|8x7b|phi-|gemma|speed"
)
_LARGE = re.compile(
    r"(?<!\d)(4\d|5\d|6\d|7\d|8\d|9\d|\d{3})b\b|opus|ultra|large|pro\b|max\b|8x22b|"
    r"deepseek-(chat|reasoner|coder|v\d|r1)(?!.*(distill|lite))|kimi-k2|qwen-plus|ernie-4"
)


def tier_of(model: str, price: float | None = None) -> Tier:
    """Light or flagship: by the name, else below 1 USD for a million tokens is light (flagship if
    unpriced)."""
    name = model.lower()
    if _LARGE.search(name) and not re.search(r"flash|mini|haiku", name):
        return "flagship"
    if _LIGHT.search(name):
        return "light"
    return "light" if price is not None and 0 < price < 1 else "flagship"


_LINES: tuple[tuple[str, str], ...] = (
    (r"claude.*(instant|haiku)", "claude-haiku"),
    (r"opus", "claude-opus"),
    (r"claude", "claude-sonnet"),
    (r"gemini.*(flash-lite|flash-8b|8b)", "gemini-flash-lite"),
    (r"(gemini.*flash|gemini-pro$|gemini-1[.-]0|google/flash|^flash)", "gemini-flash"),
    (r"gemini", "gemini-pro"),
    (r"gpt-4-5", "gpt"),
    (r"^o\d.*pro|gpt-.*pro", "gpt-pro"),
    (r"^o\d.*mini", "gpt-reasoning-mini"),
    (r"^o\d", "gpt-reasoning"),
    (r"gpt-.*nano", "gpt-nano"),
    (r"gpt-.*mini|gpt-3-?5|gpt-35", "gpt-mini"),
    (r"gpt-oss-(\d+)", "gpt-oss"),
    (r"gpt-|chatgpt", "gpt"),
    (r"grok-3-fast", "grok-3-fast"),
    (r"grok.*mini|grok-4.*fast", "grok-mini"),
    (r"grok-code", "grok-code"),
    (r"grok", "grok"),
    (r"sonar.*(huge|pro|large)", "sonar-pro"),
    (r"sonar.*reasoning", "sonar-reasoning"),
    (r"sonar", "sonar"),
    (r"command-(r-plus|a)", "command-plus"),
    (r"command", "command"),
    (r"mistral-large|mixtral-8x22b|pixtral-large", "mistral-large"),
    (r"mistral-medium", "mistral-medium"),
    (r"codestral|devstral", "codestral"),
    (r"mistral-7b|ministral|tiny|nemo", "ministral"),
    (r"mistral-small|mixtral|mistral-saba|pixtral", "mistral-small"),
    (r"distill", "deepseek-distill"),
    (r"deepseek.*(r1|reason)", "deepseek-reasoner"),
    (r"deepseek", "deepseek-chat"),
    (r"jamba.*mini", "jamba-mini"),
    (r"jamba", "jamba-large"),
    (r"moonshot|kimi", "kimi"),
)


@lru_cache(maxsize=16_384)
def line_of(model: str) -> str:
    """The place in its vendor's range that a model fills; open weights are in line by family and size."""
    name = undated(model)
    for pattern, line in _LINES:
        if re.search(pattern, name):
            return line
    family = re.match(r"[a-z]+", name.rsplit(".", 1)[-1])
    size = re.search(r"(\d+)b\b", name)
    sized = f"-{_size(int(size.group(1)))}" if size else f"-{tier_of(model)}"
    return (family.group(0) if family else name) + sized


def _size(billions: int) -> str:
    return (
        "small" if billions <= 14 else "medium" if billions <= 40 else "large" if billions <= 100 else "huge"
    )


@dataclass(frozen=True)
class Records:
    """Everything recorded, up to `until`: the last day that anything here speaks of."""

    spells: tuple[Spell, ...]
    retirements: tuple[Retirement, ...]
    free: tuple[FreeSpell, ...]
    announcements: tuple[Announcement, ...]
    frontier: tuple[FrontierPoint, ...]
    until: date

    def known(self, as_of: date) -> Records:
        """What of this was on record at the end of `as_of`."""
        return Records(
            spells=tuple(s._replace(last=min(s.last, as_of)) for s in self.spells if s.first <= as_of),
            retirements=tuple(r for r in self.retirements if r.announced <= as_of),
            free=tuple(
                s._replace(last=min(s.last, as_of), censored=s.censored and s.last < as_of)
                for s in self.free
                if s.first <= as_of
            ),
            announcements=tuple(
                a if a.decided <= as_of else a._replace(outcome="pending", decided=as_of, days_late=0)
                for a in self.announcements
                if a.announced <= as_of
            ),
            frontier=tuple(p for p in self.frontier if p.released <= as_of),
            until=min(self.until, as_of),
        )

    @cached_property
    def histories(self) -> dict[tuple[str, str, str], tuple[Spell, ...]]:
        """The spells of each offer (channel, vendor, model), in order of time."""
        found: dict[tuple[str, str, str], list[Spell]] = defaultdict(list)
        for spell in self.spells:
            found[spell.channel, spell.vendor, spell.model].append(spell)
        return {key: tuple(sorted(spells, key=lambda s: s.first)) for key, spells in found.items()}

    @cached_property
    def retired(self) -> dict[tuple[str, str], Retirement]:
        """The retirements known of each vendor's models, by name."""
        return {(vendor_of(r.vendor), spelled(r.model)): r for r in self.retirements}

    def retirement(self, channel: str, vendor: str, model: str) -> Retirement | None:
        """When this offer's model is retired, if that is known. Routes outlive a host, so routed models of
        vendors that do not sell their weights follow their author, all other routes nobody."""
        if channel == "routed" and not closed_weights(vendor, model):
            return None
        names = (spelled(model), undated(model))  # a retirement of the undated name ends every snapshot
        return next((r for n in names if (r := self.retired.get((vendor_of(vendor), n)))), None)

    @cached_property
    def _ranges(self) -> dict[tuple[str, str, str], list[tuple[date, str]]]:
        """The models of each (channel, vendor, line) with the day each was first recorded."""
        found: dict[tuple[str, str, str], list[tuple[date, str]]] = defaultdict(list)
        for (channel, vendor, model), spells in self.histories.items():
            found[channel, vendor, line_of(model)].append((spells[0].first, model))
        return {key: sorted(models) for key, models in found.items()}

    def announced_prices(self, vendor: str, model: str, day: date) -> list[tuple[date, float]]:
        """Prices announced for the model that were public and still to come on `day`: (due, price)."""
        return [
            (a.due, a.price)
            for a in self.announcements
            if a.price is not None and a.vendor == vendor and model in a.models and a.announced <= day < a.due
        ]

    def price_on(self, channel: str, vendor: str, model: str, day: date) -> float | None:
        """The price on record for an offer on `day`, whether or not the model is still served."""
        now = [s for s in self.histories.get((channel, vendor, model), ()) if s.first <= day]
        return now[-1].price if now else None

    def successor(self, channel: str, vendor: str, model: str, day: date) -> str | None:
        """The newest model of the same line that is sold on `day` and not known to be retired by then, a
        preview only if there is nothing else. None when the line holds no other."""
        preview = None
        for first, name in reversed(self._ranges.get((channel, vendor, line_of(model)), [])):
            end = self.retirement(channel, vendor, name)
            if first > day or name == model or (end is not None and end.on <= day):
                continue
            if not PREVIEW.search(name):
                return name
            preview = preview or name
        return preview

    def paid_on(self, channel: str, vendor: str, model: str, day: date) -> float | None:
        """What a user of the offer pays on `day`: its price, or its successor's once it is retired."""
        end = self.retirement(channel, vendor, model)
        if end is not None and end.on <= day:
            heir = self.successor(channel, vendor, model, day)
            if heir is not None:
                return self.price_on(channel, vendor, heir, day)
        return self.price_on(channel, vendor, model, day)


def closed_weights(author: str, model: str) -> bool:
    """Whether only the author serves the model, so that a route to it is the author's own price."""
    name = model.lower()
    return author in (
        "openai",
        "anthropic",
        "google",
        "x-ai",
        "cohere",
        "perplexity",
        "ai21",
        "amazon",
    ) and not ("gpt-oss" in name or "gemma" in name)


def pool_of(channel: str, vendor: str, model: str) -> str:
    """The channel whose rates an offer shares: a route to what only its author serves is the author's own
    list."""
    return "own" if channel == "routed" and closed_weights(vendor, model) else channel


def deviation(spells: Sequence[Spell], day: date) -> float:
    """Log price on `day` above its average over the time on record."""
    total = weight = 0.0
    for spell, following in zip(spells, [*spells[1:], None], strict=True):
        days = max(1, ((following.first if following else day) - spell.first).days)
        total, weight = total + days * math.log(spell.price), weight + days
    return math.log(spells[-1].price) - total / weight


class Change(NamedTuple):
    """A change of log price, net of what was undone within a month."""

    day: date
    size: float


def changes(spells: Sequence[Spell]) -> list[Change]:
    """Changes of an offer's price; those within a month of one another are one, and one that is undone
    none."""
    found: list[Change] = []
    for before, after in pairwise(spells):
        size = math.log(after.price / before.price)
        if found and (after.first - found[-1].day).days < MONTH:
            found[-1] = Change(found[-1].day, found[-1].size + size)
        else:
            found.append(Change(after.first, size))
    return [c for c in found if abs(c.size) >= ROUNDING]


def months(first: date, last: date) -> float:
    """Length of a stretch of days in months, never negative."""
    return max(0.0, (last - first).days / MONTH)


def after_months(day: date, count: float) -> date:
    """The day `count` months later."""
    return day + timedelta(days=round(count * MONTH))


@lru_cache(maxsize=2)
def load_records(folder: Path = FACTS) -> Records:
    """The records of the package.

    Raises:
        DataError: a record cannot be read, at file and line.
    """
    spells = tuple(
        Spell(
            r["channel"],
            r["vendor"],
            r["model"],
            _day(r["first"]),
            _day(r["last"]),
            float(r["input"]),
            float(r["output"]),
        )
        for r in _rows(folder / "prices.csv", "channel vendor model first last input output")
    )
    retirements = tuple(
        Retirement(r["vendor"], r["model"], _day(r["on"]), _day(r["announced"]), r["source"])
        for r in _rows(folder / "retirements.csv", "vendor model on announced source")
    )
    free = tuple(
        FreeSpell(
            r.pop("kind"),
            r.pop("vendor"),
            r.pop("model"),
            _day(r.pop("first")),
            _day(r.pop("last")),
            r.pop("followed") == "censored",
            {name: float(amount) for name, amount in r.items() if amount},
        )
        for r in _rows(folder / "free_terms.csv", "kind vendor model first last followed")
    )
    frontier = tuple(
        FrontierPoint(r["bench"], r["level"], _day(r["released"]), float(r["price"]))
        for r in _rows(folder / "frontier.csv", "bench level released price")
    )
    until = max(s.last for s in (*spells, *free))
    return Records(spells, retirements, free, _announcements(folder), frontier, until)


def _announcements(folder: Path) -> tuple[Announcement, ...]:
    from pydantic import BaseModel, ConfigDict

    from pricewar.definitions import load

    class Row(BaseModel):
        model_config = ConfigDict(extra="forbid")
        vendor: str
        what: str
        announced: date
        due: date
        outcome: Outcome
        decided: date
        happened: date | None = None
        source: str
        read_on: date
        model: str | None = None
        input: float | None = None
        output: float | None = None

    class File(BaseModel):
        model_config = ConfigDict(extra="forbid")
        announcements: list[Row]

    path = folder / "announcements.yaml"
    found: list[Announcement] = []
    for document in load(path, name=path.name):
        for row in document.validate(File).announcements:
            late = (row.happened - row.due).days if row.happened else 0
            found.append(
                Announcement(
                    row.vendor,
                    row.what,
                    row.announced,
                    row.due,
                    row.outcome,
                    row.decided,
                    late,
                    tuple(row.model.split(", ")) if row.model else (),
                    row.input,
                    row.output,
                )
            )
    return tuple(found)


def _rows(path: Path, wanted: str) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=path.name) from None
    missing = set(wanted.split()) - set(rows[0] if rows else ())
    if missing:
        raise DataError(f"columns are missing: {', '.join(sorted(missing))}", where=path.name)
    return rows


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise DataError(f"“{text}” is not a day such as 2025-11-01", where="futures/facts") from None
