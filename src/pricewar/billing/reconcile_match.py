"""Which part of the log each line of the invoice is about, and on which clock the invoice cuts its days.

Every quarter hour, tier and meter of every model in the period belongs to exactly one *node*: the most
specific lines that name it (the shortest period, then meter and tier told), or a node without lines. So
nothing is compared twice and nothing is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from pricewar.billing.batch import Ints
from pricewar.billing.reconcile_usage import DAY_SLOTS, Key, Usage
from pricewar.offers.schema import zone_of
from pricewar.units import METERS
from pricewar.usage.invoice import Line

NAMED_ZONES = (
    *("America/Los_Angeles", "America/New_York", "America/Chicago", "Europe/London", "Europe/Berlin"),
    *("Australia/Sydney", "America/Sao_Paulo"),
)
"""Clocks that change with the season; every other is a fixed number of quarter hours from UTC."""


@dataclass
class Node:
    """Part of the log, and the lines about it.

    Attributes:
        key: vendor and model; model "" where the lines name none.
        start, end: the period in slots of the invoice's clock.
        meter, tier: None where the lines do not tell.
        lines: of kind usage or allowance; empty where the invoice says nothing of this part.
        declared, quantity: [8] tokens in the log by meter, days cut as the invoice says and as found.
        before, amount: what they cost at our prices, in the invoice's currency, on either clock.
        unpriced: tokens without a price.
        offers: ids of the offers whose prices were used.
    """

    key: Key
    start: int
    end: int
    meter: str | None
    tier: str | None
    lines: list[Line] = field(default_factory=list)
    declared: list[int] = field(default_factory=lambda: [0] * len(METERS))
    quantity: list[int] = field(default_factory=lambda: [0] * len(METERS))
    before: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)
    unpriced: int = 0
    offers: dict[str, None] = field(default_factory=dict)

    @property
    def meters(self) -> list[int]:
        """Which meters count: the one told, else tokens. Output holds reasoning, if not told apart."""
        if self.meter == "output":
            return [METERS.index("output"), METERS.index("reasoning")]
        return [METERS.index(self.meter)] if self.meter else list(range(6))

    @property
    def logged(self) -> int:
        """What the log counts, in the node's meter or in tokens."""
        return sum(self.quantity[m] for m in self.meters)

    @property
    def billed(self) -> Fraction | None:
        """What the invoice counts; 0 without lines, None when a line does not tell."""
        told = [line.quantity for line in self.lines]
        return None if None in told else sum((q for q in told if q is not None), Fraction(0))

    @property
    def charged(self) -> Fraction:
        return sum((line.amount for line in self.lines), Fraction(0))


@dataclass(frozen=True)
class Clock:
    """On which clock the invoice cuts its days, and how that was found.

    Attributes:
        declared: the zone the invoice names, or that its format implies.
        ahead: quarter hours ahead of UTC of the clock that reconciles the days best; None: as declared.
        zone: its IANA name, where it changes with the season.
        agree, agreed: parts of the invoice (a model's day) whose tokens agree with the log, as declared and
            on the clock found, of `of`.
        apart, left: tokens (or money, where the invoice has no quantities) that disagree, likewise.
        equally: other clocks that do as well.
    """

    declared: str
    ahead: int | None = None
    zone: str | None = None
    agree: int = 0
    agreed: int = 0
    of: int = 0
    apart: float = 0.0
    left: float = 0.0
    unit: str = "tokens"
    equally: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The clock used, in words."""
        if self.zone is not None:
            return self.zone
        return self.declared if self.ahead is None else offset_name(self.ahead)

    @property
    def cut(self) -> str | int:
        """The clock used, as `Usage.labels` takes it."""
        return self.zone or (self.declared if self.ahead is None else self.ahead)


def offset_name(quarters: int) -> str:
    """UTC+08:00 for 32 quarter hours."""
    hours, rest = divmod(abs(quarters), 4)
    return f"UTC{'−' if quarters < 0 else '+'}{hours:02d}:{15 * rest:02d}"


def local(moment: datetime, zone: str | None) -> datetime:
    """What a clock shows, without its zone."""
    return moment.astimezone(zone_of(zone) if zone else UTC).replace(tzinfo=None)


def declared_zone(lines: Sequence[Line]) -> str:
    """The zone most lines name; UTC where none does."""
    named = Counter(line.zone or "UTC" for line in lines if line.start is not None)
    return named.most_common(1)[0][0] if named else "UTC"


def interval(line: Line, usage: Usage) -> tuple[int, int]:
    """The line's period in slots of its own clock; all of the period where it does not tell."""
    whole = usage.period()
    if line.start is None:
        return whole.start, whole.stop
    begins = local(line.start, line.zone)
    start = usage.slot_of(begins)
    if line.end is None or line.end <= line.start:  # a bare date is a day, a bare month is told by its end
        return max(start, whole.start), min(start - start % DAY_SLOTS + DAY_SLOTS, whole.stop)
    ends = local(line.end, line.zone) + timedelta(minutes=15) - timedelta(microseconds=1)
    return max(start, whole.start), max(min(usage.slot_of(ends), whole.stop), start + 1)


class Matching:
    """Nodes, and who owns which cell.

    Attributes:
        nodes: those with lines first.
        owner: key → [slots, tiers, 8] the node of each cell, −1 outside the period.
        tiers: key → the tiers the log has for it.
    """

    def __init__(self, usage: Usage, lines: Sequence[Line]) -> None:
        self.usage = usage
        self.nodes: list[Node] = []
        self.owner: dict[Key, Ints] = {}
        self.tiers: dict[Key, list[str]] = {}
        for series in usage.series:
            tiers = self.tiers.setdefault(series.key, [])
            if series.tier not in tiers:
                tiers.append(series.tier)
        for key, tiers in self.tiers.items():
            self.owner[key] = np.full((usage.slots, len(tiers), len(METERS)), -1, dtype=np.int64)
        self._lines(lines)
        self._rest()

    def _lines(self, lines: Sequence[Line]) -> None:
        found: dict[tuple[Any, ...], Node] = {}
        told = {self.key(line)[0] for line in lines if line.model}
        for line in lines:
            key = self.key(line)
            if not line.model and key[0] in told and line.meter != "search":
                key = (key[0], line.item or "")  # beside lines that name models: a charge of its own
            at = (key, *interval(line, self.usage), line.meter, line.tier)
            if at not in found:
                found[at] = Node(*at)
            found[at].lines.append(line)
        self.nodes = list(found.values())
        order = sorted(
            range(len(self.nodes)),
            key=lambda i: (
                not self.nodes[i].key[1],
                self.nodes[i].end - self.nodes[i].start,
                self.nodes[i].meter is None,
                self.nodes[i].meter == "output",
                self.nodes[i].tier is None,
            ),
        )
        for i in order:
            node = self.nodes[i]
            keys = [node.key]
            if not node.key[1]:  # no model told: whatever of the vendor no other line is about
                keys = [k for k in self.owner if node.key[0] in (None, k[0])]
            for key in keys:
                if key in self.owner:
                    self._take(i, node, key)

    def _take(self, i: int, node: Node, key: Key) -> None:
        owner = self.owner[key]
        tiers = [t for t, name in enumerate(self.tiers[key]) if node.tier in (None, name)]
        block = np.ix_(range(node.start, node.end), tiers, node.meters)
        part = owner[block]
        owner[block] = np.where(part < 0, i, part)

    def _rest(self) -> None:
        """Nodes for what no line is about: by the period of other lines for the model, else by day."""
        whole = self.usage.period()
        spans: dict[Key, list[tuple[int, int]]] = {}
        for node in self.nodes:
            spans.setdefault(node.key, []).append((node.start, node.end))
        for key, owner in self.owner.items():
            days = [(s, s + DAY_SLOTS) for s in range(whole.start, whole.stop, DAY_SLOTS)]
            own = sorted(set(spans.get(key, [])), key=lambda span: span[1] - span[0])
            for t, tier in enumerate(self.tiers[key]):
                for m, meter in enumerate(METERS):
                    for start, end in [*own, *days]:
                        part = owner[start:end, t, m]
                        if (part < 0).any():
                            part[part < 0] = len(self.nodes)
                            self.nodes.append(Node(key, start, end, meter, tier))

    def key(self, line: Line) -> Key:
        """What the log calls the line's model."""
        if not line.model:
            return line.vendor, ""
        key = self.usage.key(line.vendor, line.model)
        if key in self.tiers:
            return key
        alike = [k for k in self.tiers if k[1] == key[1] and (None in (k[0], line.vendor))]
        return alike[0] if len(alike) == 1 else key

    # -- sums

    def fill(self, zone: str | int, *, declared: bool) -> None:
        """Put the log's tokens and costs into the nodes, days cut on the clock of `zone`."""
        labels = self.usage.labels(zone)
        sums: dict[int, list[int]] = {}
        for series in self.usage.series:
            for i, row in self._by_node(series.key, series.tier, series.cube, labels):
                node = self.nodes[i]
                amount = sum((q * p for q, p in zip(row, series.each, strict=True) if p and q), Fraction(0))
                unpriced = sum(row[m] for m in node.meters if series.each[m] is None)
                if declared:
                    node.before += amount
                    node.declared = [a + b for a, b in zip(node.declared, row, strict=True)]
                else:
                    node.amount += amount
                    node.unpriced += unpriced
                    sums[i] = [a + b for a, b in zip(sums.get(i, [0] * len(METERS)), row, strict=True)]
                if series.offer is not None and any(row):
                    node.offers[series.offer.id] = None
        for i, row in sums.items():
            self.nodes[i].quantity = row

    def _by_node(self, key: Key, tier: str, cube: Ints, labels: Ints) -> list[tuple[int, list[int]]]:
        """Tokens of a series by node and meter."""
        owner = self.owner[key][:, self.tiers[key].index(tier), :][labels]
        used = np.flatnonzero(cube.any(axis=1))
        out: dict[int, list[int]] = {}
        for m in range(len(METERS)):
            column, mine = cube[used, m], owner[used, m]
            for i in np.unique(mine[column > 0]).tolist():
                if i >= 0:
                    out.setdefault(i, [0] * len(METERS))[m] = int(column[mine == i].sum())
        return list(out.items())

    # -- the clock

    def clock(self, declared: str, step: Fraction) -> Clock:
        """The clock on which the days of log and invoice agree best; `step`: rounding of quantities.

        The one declared stands unless another makes at least two more (and a tenth) of the invoice's
        model-days agree, or, with five of them or more, halves what disagrees without putting usage out of
        the period. A log of day-long buckets cannot be cut again.
        """
        parts, groups, unit = self._targets()
        kept = Clock(declared, of=len(parts), unit=unit)
        bucket = self.usage.bucket
        daily = any(end - start <= DAY_SLOTS for _, start, end in parts)
        if not parts or not daily or bucket > 12 * 3600:
            return kept
        wanted = np.array([float(q) for q in parts.values()])
        lines = np.array([n for _, n in groups], dtype=float)
        tolerance = np.maximum(float(step) * lines, 0.5 if unit == "tokens" else 1e-9)
        every = max(bucket // 900, 1)
        first, last = min(start for _, start, _ in parts), max(end for _, _, end in parts)
        inner = np.array([start > first and end < last for _, start, end in parts])

        def distance(zone: str | int) -> tuple[float, int, float, float]:
            there = self._totals(parts, self.usage.labels(zone), unit)
            if unit != "tokens":  # prices may differ by a factor: shares count
                there = there * (wanted.sum() / there.sum() if there.sum() else 1.0)
                tolerance[:] = 0.005 * np.maximum(np.abs(wanted), 1e-9)
            apart = np.abs(wanted - there)
            agreed = int((apart <= tolerance).sum())
            return float(apart.sum()), agreed, float(there.sum()), float(apart[inner].sum())

        apart, agree, held, within = distance(declared)
        offsets = sorted((q for q in range(-48, 57) if q % every == 0), key=lambda q: (abs(q), q))
        tried = [(*distance(zone), zone) for zone in [*offsets, *NAMED_ZONES]]
        left, agreed, there, inside, best = min(tried, key=lambda t: (t[0], -t[1]))
        # Usage that falls out of the invoice's days altogether is no evidence of a clock: a last day that the
        # invoice has in part agrees better on any clock that puts some of it into the day after.
        fits = len(parts) >= 5 and left <= apart / 2 and agreed >= agree and there >= 0.9 * held
        if inner.any():
            fits = fits and inside <= within / 2 and within > 0
        better = agreed >= agree + max(2, len(parts) // 10) or fits
        if left >= apart * 0.999 or not better:
            return Clock(
                declared, agree=agree, agreed=agree, of=len(parts), apart=apart, left=apart, unit=unit
            )
        alike = [z for a, g, _, _, z in tried if (a, g) == (left, agreed) and z != best]
        return Clock(
            declared,
            best if isinstance(best, int) else None,
            best if isinstance(best, str) else None,
            agree, agreed, len(parts), apart, left, unit,
            tuple(offset_name(z) if isinstance(z, int) else z for z in alike[:4]),
        )  # fmt: skip

    def _targets(self) -> tuple[dict[tuple[Key, int, int], Fraction], list[tuple[Key, int]], str]:
        """What the invoice says of each model and day: tokens of all meters, or money where it has none."""
        lined = [n for n in self.nodes if n.lines and n.key in self.owner]
        unit = "tokens" if any(n.billed is not None for n in lined) else "money"
        parts: dict[tuple[Key, int, int], Fraction] = {}
        count: Counter[tuple[Key, int, int]] = Counter()
        for node in lined:
            at = (node.key, node.start, node.end)
            if unit == "tokens" and node.meter not in ("search", "requests") and node.billed is not None:
                parts[at] = parts.get(at, Fraction(0)) + node.billed
            elif unit == "money":
                parts[at] = parts.get(at, Fraction(0)) + node.charged
            count[at] += len(node.lines)
        return parts, [(at[0], count[at]) for at in parts], unit

    def _totals(self, parts: dict[tuple[Key, int, int], Fraction], labels: Ints, unit: str) -> Ints:
        """What the log has of each part on a clock."""
        sums: dict[Key, Ints] = {}
        for series in self.usage.series:
            here = sums.setdefault(series.key, np.zeros(self.usage.slots + 1))
            worth = [1.0] * 6 + [0.0] * 2
            if unit == "money":
                worth = [float(p) if p is not None else 0.0 for p in series.each]
            shown = np.zeros(self.usage.slots)
            np.add.at(shown, labels, series.cube @ np.array(worth))
            here[1:] += shown
        running = {key: np.cumsum(found) for key, found in sums.items()}
        return np.array([running[k][end] - running[k][start] for k, start, end in parts])
