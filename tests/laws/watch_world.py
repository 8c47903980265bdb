"""A made-up vendor whose terms change on days of our choosing, and logs whose rate is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine import frame
from reference import Row

from pricewar.definitions import parse
from pricewar.offers.catalogue import Catalogue, _joined
from pricewar.offers.schema import FactFile, OfferRecord
from pricewar.usage.log import Log

HEAD = """\
  - id: {id}
    vendor: ant
    plan: {plan}
    kind: {kind}
    models: [m-one]
    currency: USD
    confidence: high
    sources: [{{url: "https://example.org/{id}", read_on: {read}}}]
    recorded: {recorded}
    in_force: {{from: {start}{until}}}
    {announced}
    {terms}
"""


def version(
    terms: str,
    start: date | str = "2026-01-01",
    *,
    id: str = "ant/one",
    kind: str = "list",
    announced: date | None = None,
    until: date | None = None,
    recorded: date | None = None,
    read: date = date(2026, 6, 1),
) -> str:
    """One version of an offer, as YAML."""
    return HEAD.format(
        id=id,
        plan=kind,
        kind=kind,
        read=read,
        recorded=recorded or date(2026, 1, 1),
        start=start,
        until=f", until: {until}" if until else "",
        announced=f"announced: {announced}" if announced else "",
        terms=terms,
    )


def catalogue(day: date, versions: Iterable[str], more: str = "") -> Catalogue:
    """The market as of `day`, without the lists of genai-prices."""
    (document,) = parse("offers:\n" + "".join(versions) + more, "made up")
    file = document.validate(FactFile)
    records: dict[str, list[OfferRecord]] = {}
    for record in file.offers:
        if record.known_on <= day:
            records.setdefault(record.id, []).append(record)
    ends = {id: [e for e in file.ends if e.id == id] for id in records}
    joined = {id: _joined(id, found, ends[id], day) for id, found in records.items()}
    return Catalogue(day, {id: offer for id, offer in joined.items() if offer is not None})


def log(rows: list[Row], note: str = "made up") -> Log:
    """These rows as a log held in memory."""
    rows = sorted(rows, key=lambda r: r.time)
    return Log(note, ("here",), len(rows), len(rows), span=(rows[0].time, rows[-1].time), _held=frame(rows))


def daily(
    first: date,
    days: int,
    each: int | Callable[[int], int],
    *,
    zone: str = "UTC",
    tokens: tuple[int, int] = (1000, 500),
    model: str = "m-one",
) -> Log:
    """`each` requests on each local day, evenly from its first minute to its last."""
    tz = ZoneInfo(zone)
    rows: list[Row] = []
    for d in range(days):
        day = first + timedelta(days=d)
        start = datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
        after = day + timedelta(days=1)
        end = datetime(after.year, after.month, after.day, tzinfo=tz).astimezone(UTC)
        n = each if isinstance(each, int) else each(d)
        for i in range(n):
            at = start + timedelta(minutes=1) + (end - start - timedelta(minutes=2)) * i / max(n - 1, 1)
            rows.append(Row(at, model, {"input": tokens[0], "output": tokens[1]}))
    return log(rows)
