"""When to switch and what to watch: what a proxy cannot know, as a dated calendar.

Entries with a date and a command are switches; those without are conditions, each with what to do then. What
is expected (a daily quota runs out at about 14:10) comes from following the configuration through the team's
own log (`gateway_predict`), on the terms of the day on which the period begins.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import median_low
from typing import Any, Literal

from pricewar.advice.gateway import PLAN, HandOff, Period
from pricewar.advice.gateway_predict import Prediction, Share
from pricewar.billing.tariff import tariff
from pricewar.offers.schema import zone_of
from pricewar.units import UNKNOWN, count

Kind = Literal["switch", "expect", "watch", "look"]
LONG = ("day", "week", "month")


@dataclass(frozen=True)
class Entry:
    """One line of the calendar.

    Attributes:
        kind: switch (do it on the day), expect (will happen by itself), look (advise again), watch (if).
        when: the instant; None: a condition without a date. every: it comes back, `day` or nothing.
        title, text: what, and what to do or why. command: what to type in the folder.
    """

    kind: Kind
    when: datetime | None
    title: str
    text: str
    command: str | None = None
    every: str | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind, "when": self.when.isoformat() if self.when else None, "every": self.every,
            "title": self.title, "text": self.text, "command": self.command,
        }  # fmt: skip


def calendar(
    hand_off: HandOff, data: Mapping[str, Any], predictions: Mapping[str, Prediction]
) -> list[Entry]:
    """Every entry, dated ones first.

    Args:
        data: the advice document.
        predictions: by period's name, what its configuration does with the team's log.
    """
    found = [*_switches(hand_off.periods)]
    for period in hand_off.periods:
        if period.name in predictions:
            found += _expected(hand_off, period, predictions[period.name])
    found += _looks(data)
    dated = sorted((e for e in found if e.when is not None), key=lambda e: (e.when, e.kind != "switch"))
    return [*dated, *(e for e in found if e.when is None), *_watched(hand_off, data)]


def _switches(periods: Sequence[Period]) -> Iterable[Entry]:
    for before, period in zip((None, *periods), periods, strict=False):
        order = " → ".join(d.offer for d in period.deployments)
        text = f"{'; '.join(period.because) or 'terms change'}. From then on: {order}."
        title = "begin" if before is None else f"switch to {period.file}"
        yield Entry("switch", period.start, title, text, f"./switch.sh {period.name}")


def _expected(hand_off: HandOff, period: Period, found: Prediction) -> Iterable[Entry]:
    """When quotas run out, by the log; and gifts given once."""
    plan = [s for s in found.shares if s.deployment.group == PLAN]
    for at, share in enumerate(found.shares):
        following = found.shares[at + 1].deployment.offer if at + 1 < len(found.shares) else None
        then = f"what is over goes to {following}" if following else "what is over is refused to the client"
        yield from _ran_out(hand_off, period, found, share, then)
        if share in plan:
            yield from _gifts(hand_off, period, found, share, then)


def _ran_out(
    hand_off: HandOff, period: Period, found: Prediction, share: Share, then: str
) -> Iterable[Entry]:
    """A limit of a day, week or month: at what time of how many days the log reaches it."""
    record = hand_off.catalogue.offer(share.deployment.offer).on(period.start)
    if record is None or found.span is None:
        return
    zones = [x.zone for x in (record.limits if not isinstance(record.limits, str) else []) if x.per in LONG]
    zones += [a.zone for a in record.allowances if a.reset in LONG]
    hits = [t for t, kind in share.refusals if kind in LONG]
    if not zones or not hits:
        return
    zone = zone_of(zones[0])
    first: dict[Any, datetime] = {}
    for t in hits:
        local = t.astimezone(zone)
        first.setdefault(local.date(), local)
    days = max((found.span[1].astimezone(zone).date() - found.span[0].astimezone(zone).date()).days + 1, 1)
    typical = median_low([t.hour * 60 + t.minute for t in first.values()])
    clock = f"{typical // 60:02d}:{typical % 60:02d}"
    start = period.start.astimezone(zone)
    at = start.replace(hour=typical // 60, minute=typical % 60).astimezone(UTC)
    if at < period.start:
        at += timedelta(days=1)
    yield Entry(
        "expect", at, f"{share.deployment.offer} has used up what its terms give",
        f"By the log on {len(first)} of {days} days, typically at {clock} {zones[0]}. Nothing to do: the "
        f"vendor answers 429, the proxy leaves it alone for {share.deployment.cooldown} s at a time, {then}.",
        every="day" if len(first) * 2 > days else None,
    )  # fmt: skip


def _gifts(hand_off: HandOff, period: Period, found: Prediction, share: Share, then: str) -> Iterable[Entry]:
    """A gift without renewal: for how many days it lasts at the log's rate."""
    d = share.deployment
    terms = tariff(hand_off.catalogue.offer(d.offer), frozen=period.start)
    if terms is None or not found.days:
        return
    for p in terms.allowances:
        a = p.term
        if a.reset != "none" or a.price or not isinstance(a.amount, Fraction):
            continue
        used: Fraction | float
        if a.unit == "requests":
            used, whole = share.served, a.amount
        elif a.unit == "tokens":
            used, whole = share.tokens(a.meters), a.amount
        else:
            worth = a.credit if a.unit == "credits" else Fraction(1)
            if not isinstance(worth, Fraction):
                continue
            used, whole = share.spend, a.amount * worth * d.usd
        if not used:
            continue
        days = float(whole) / (float(used) / found.days)
        after = "then it is charged" if a.used_up == "paid" and d.budget is None else f"then {then}"
        unit = "USD" if a.unit in ("money", "credits") else a.unit
        amount = f"{float(whole):g}" if unit == "USD" else count(whole)
        yield Entry(
            "expect", period.start + timedelta(days=days),
            f"{d.offer}: its {amount} {unit} are used up",
            f"At the log's rate after {days:.0f} days; {after}."
            + (" The proxy forgets what was spent when it restarts." if d.budget is not None else ""),
        )  # fmt: skip


def _looks(data: Mapping[str, Any]) -> Iterable[Entry]:
    for look in data["plan"]["look_again"]:
        day = datetime.fromisoformat(look["day"]).replace(tzinfo=UTC)
        yield Entry("look", day, "advise again", look["why"], "pricewar advise …")


def _watched(hand_off: HandOff, data: Mapping[str, Any]) -> Iterable[Entry]:
    for spare in hand_off.spare:
        order = " → ".join(d.offer for d in spare.deployments)
        yield Entry("watch", None, spare.when or "", f"Then: {order}.", f"./switch.sh {spare.name}")
    for row in data["plan"]["triggers"]:
        if row["key"] == "month" and data["recommended"] != "free":
            continue  # another strategy's
        if hand_off.spare and row["key"] in ("gone", "turns"):
            continue  # said above, with a command
        yield Entry("watch", None, row["when"], f"Then {row['then']}: advise again first.")
    for rise in data["plan"]["rises"][:1]:
        share = f" ({rise['share']:+.0%})" if rise["share"] is not None else ""
        yield Entry(
            "watch", None,
            f"the bill of {data['plan']['begin']} rises for good by {rise['monthly']:,.2f} {data['currency']}"
            f" a month{share}",
            f"Then leaving pays at once, to {rise['to']}: advise again.",
        )  # fmt: skip
    for period in hand_off.periods[:1]:
        for d in period.deployments:
            record = hand_off.catalogue.offer(d.offer).on(period.start)
            if record is not None and (record.limits == UNKNOWN):
                yield Entry("watch", None, f"{d.offer} refuses more than its share",
                            "Its limits are not published; its answers 429 are the only sign.")  # fmt: skip


def as_ics(entries: Iterable[Entry], made: str) -> str:
    """The dated entries as iCalendar (RFC 5545), times in UTC; `made`: YYYY-MM-DD."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//pricewar//advise --gateway//EN",
             "X-WR-CALNAME:pricewar: gateway"]  # fmt: skip
    seen: Counter[str] = Counter()
    for e in entries:
        if e.when is None:
            continue
        name = hashlib.sha256(f"{e.kind}{e.when}{e.title}".encode()).hexdigest()[:24]
        seen[name] += 1
        text = e.text + (f"\nCommand: {e.command}" if e.command else "")
        lines += [
            "BEGIN:VEVENT", f"UID:{name}-{seen[name]}@pricewar", f"DTSTAMP:{made.replace('-', '')}T000000Z",
            f"DTSTART:{e.when.astimezone(UTC):%Y%m%dT%H%M%SZ}", "DURATION:PT15M",
            *(["RRULE:FREQ=DAILY"] if e.every == "day" else []),
            f"SUMMARY:{_escaped(e.title)}", f"DESCRIPTION:{_escaped(text)}", f"CATEGORIES:{e.kind.upper()}",
            "END:VEVENT",
        ]  # fmt: skip
    return "".join(_folded(line) + "\r\n" for line in [*lines, "END:VCALENDAR"])


def _escaped(text: str) -> str:
    for mark in "\\;,":
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """At most 75 octets a line, no letter cut in two."""
    out, size = "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > 75:
            out, size = out + "\r\n ", 1
        out, size = out + letter, size + width
    return out
