"""When an allowance runs out: exact where the rate is constant, on the term's clock, with its doubt."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watch_world import catalogue, daily, log, version

from pricewar.advice import watch_pace as pace
from pricewar.billing.run import served_by
from pricewar.billing.tariff import microseconds, tariff
from pricewar.usage.log import Log

ZONES = ("UTC", "America/Los_Angeles", "Asia/Shanghai", "Asia/Kolkata", "Pacific/Auckland")
DAY = timedelta(days=1)
PAID = "rates: [{input: 1, output: 4}]\n    "


def projected(
    work: Log, terms: str, day: date, *, until: date, recent: int = 7
) -> list[tuple[pace.Counter, pace.Demand, pace.Projection]]:
    offer = catalogue(day, [version(terms)]).offer("ant/one")
    found = tariff(offer, frozen=datetime(day.year, day.month, day.day, tzinfo=UTC))
    assert found is not None
    served, _ = served_by(found, [("test", "m-one")], {})
    made, unsaid = pace.counters(found, served, work)
    assert not unsaid
    end = microseconds(datetime(until.year, until.month, until.day, tzinfo=UTC))
    out = []
    for counter in made:
        d = pace.demand(work, found, counter, {}, recent)
        assert d is not None
        out.append((counter, d, pace.project(counter, d, end)))
    return out


@given(
    each=st.integers(2, 12),
    days=st.integers(3, 12),
    left=st.integers(1, 150),
    zone=st.sampled_from(ZONES),
    unit=st.sampled_from(["requests", "tokens", "money"]),
)
@settings(max_examples=60, deadline=None)
def test_a_constant_rate_empties_a_gift_on_the_day_arithmetic_says(
    each: int, days: int, left: int, zone: str, unit: str
) -> None:
    first = date(2026, 6, 1)  # no change of clocks in June
    work = daily(first, days, each, zone=zone)
    # a request is 1,000 tokens in and 500 out: 1,500 tokens, and 0.001 + 0.002 = 0.003 USD
    one = {"requests": Fraction(1), "tokens": Fraction(1500), "money": Fraction(3, 1000)}[unit]
    amount = one * (each * days + left)
    text = f"{float(amount):.3f}" if unit == "money" else str(int(amount))
    meters = ", meters: requests" if unit == "requests" else ""
    terms = f"{PAID}allowances: [{{unit: {unit}, amount: {text}, zone: {zone}{meters}}}]"
    ((_, d, p),) = projected(work, terms, first + days * DAY, until=first + 365 * DAY)
    after = first + days * DAY
    end = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert d.rate == each * one
    assert pace.moment(d.end) == end
    assert p.status == "will"
    assert p.at == microseconds(end) + int(Fraction(left, each) * 86_400_000_000)
    # the days never differed, so that the interval is a point; it is a float's
    assert p.earliest is not None
    assert p.latest is not None
    assert abs(p.earliest - p.at) < 10**6 > abs(p.latest - p.at)


@given(
    each=st.integers(2, 20),
    month_days=st.integers(1, 28),
    amount=st.integers(5, 700),
    zone=st.sampled_from(ZONES),
)
@settings(max_examples=60, deadline=None)
def test_a_month_begins_on_the_clock_of_the_term(each: int, month_days: int, amount: int, zone: str) -> None:
    before = 10  # whole local days of June; then `month_days` of July
    first = date(2026, 6, 21)
    work = daily(first, before + month_days, each, zone=zone)
    terms = f"{PAID}allowances: [{{unit: requests, meters: requests, amount: {amount}, reset: month, "
    terms += f"zone: {zone}}}]"
    until = date(2026, 9, 1)
    ((_, _, p),) = projected(work, terms, date(2026, 8, 1), until=until)
    tz = ZoneInfo(zone)

    def local(day: date) -> int:
        return microseconds(datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC))

    end, used = date(2026, 7, 1) + month_days * DAY, each * month_days
    # by hand: what July leaves at the end of the log, then August from its first day
    if used >= amount:
        assert (p.status, p.used) == ("out", used)
    elif Fraction(amount - used, each) < (date(2026, 8, 1) - end).days:
        assert p.at == local(end) + int(Fraction(amount - used, each) * 86_400_000_000)
    elif Fraction(amount, each) < 31 and amount < 31 * each:
        assert p.at == local(date(2026, 8, 1)) + int(Fraction(amount, each) * 86_400_000_000)
    else:
        assert p.status == "no"


@pytest.mark.parametrize(("zone", "over"), [("UTC", 0), ("America/Los_Angeles", 3)])
def test_a_day_is_the_terms_own(zone: str, over: int) -> None:
    # every other evening 2 requests before and 4 after midnight UTC, which is one afternoon in California:
    # UTC counts 2 and 4 by turns, within 5 a day; Los Angeles 6 and 0
    from reference import Row

    rows = []
    for k in range(8):
        evening = datetime(2026, 6, 1, 22, tzinfo=UTC) + 2 * k * DAY
        rows += [Row(evening + timedelta(hours=h), "m-one", {"input": 1000}) for h in range(6)]
    terms = f"{PAID}limits: [{{meters: requests, amount: 5, per: day, zone: {zone}}}]"
    day = date(2026, 6, 18)
    ((counter, d, _),) = projected(log(rows), terms, day, until=day, recent=6)
    now = microseconds(datetime(2026, 6, 18, tzinfo=UTC))
    p = pace.project(counter, d, now + pace.DAY, now=now)
    assert max(q for _, _, q in d.days) == (4 if zone == "UTC" else 6)
    assert d.rate == 3
    assert (p.status, p.over) == ("may", over)  # 3 a day fit into 5, days of 4 or 6 leave a doubt


@given(daily_use=st.lists(st.integers(1, 40), min_size=8, max_size=21), left=st.integers(50, 400))
@settings(max_examples=40, deadline=None)
def test_the_interval_holds_the_projection_and_shrinks_to_it_with_the_noise(
    daily_use: list[int], left: int
) -> None:
    first = date(2026, 6, 1)
    work = daily(first, len(daily_use), lambda d: daily_use[d])
    amount = sum(daily_use) + left
    terms = f"{PAID}allowances: [{{unit: requests, meters: requests, amount: {amount}}}]"
    ((_, d, p),) = projected(work, terms, first + len(daily_use) * DAY, until=date(2046, 1, 1))
    assert d.noise is not None
    assert p.at is not None
    assert p.earliest is not None
    assert p.earliest <= p.at + 10**6
    assert p.latest is None or p.at - 10**6 <= p.latest
    if len(set(daily_use[-7:])) > 1 and d.noise > 0:
        assert p.earliest < p.at


def test_the_interval_is_that_of_a_sum_of_days() -> None:
    # seven days of 8 and 12 by turns: mean 68/7, the sample deviation of [8,12,8,12,8,12,8] is 2.1381;
    # t(6 degrees, 97.5%) = 2.4469. x days take x·m ± 2.4469·2.1381·√(x + x²/7).
    work = daily(date(2026, 6, 1), 7, lambda d: 12 if d % 2 else 8)
    terms = f"{PAID}allowances: [{{unit: requests, meters: requests, amount: {68 + 100}}}]"
    ((_, d, p),) = projected(work, terms, date(2026, 6, 8), until=date(2027, 1, 1))
    assert d.rate == Fraction(68, 7)
    assert d.noise == pytest.approx(2.1380899)
    assert p.at is not None
    assert p.earliest is not None
    assert p.latest is not None
    for at, sign in ((p.earliest, 1), (p.latest, -1)):
        x = (at - d.end) / 86_400_000_000
        assert x * 68 / 7 + sign * 2.4469118 * 2.1380899 * (x + x * x / 7) ** 0.5 == pytest.approx(
            100, abs=1e-3
        )


def test_how_often_the_interval_holds() -> None:
    """Of 400 logs of random days, the instant at which a gift really runs out lies in the 95% interval as
    often as that says, within what 400 trials show."""
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(400):
        use = rng.poisson(60, 7 + 60)
        days = [(d * pace.DAY, (d + 1) * pace.DAY, Fraction(int(n))) for d, n in enumerate(use[:7])]
        d = pace._paced(days, 0, 7 * pace.DAY, 7)
        counter = pace.Counter(
            None, "", frozenset(), Fraction(int(use[:7].sum()) + 1200), "requests", "none", "UTC"
        )  # type: ignore[arg-type]
        p = pace.project(counter, d, 365 * pace.DAY)
        so_far = np.cumsum(use[7:])
        k = int(np.searchsorted(so_far, 1200))
        into = (1200 - (so_far[k - 1] if k else 0)) / use[7 + k]
        real = (7 + k + into) * pace.DAY
        held += int((p.earliest or 0) <= real <= (p.latest or 2**62))
    assert 0.92 <= held / 400 <= 0.98  # ± 2 standard errors of 95% would be 0.928 to 0.972


def test_a_last_day_that_is_cut_is_no_day() -> None:
    whole = daily(date(2026, 6, 1), 8, 24)
    cut = log([r for r in _rows(whole) if r.time < datetime(2026, 6, 8, 6, tzinfo=UTC)])
    terms = f"{PAID}allowances: [{{unit: requests, meters: requests, amount: 1000}}]"
    ((_, d, p),) = projected(cut, terms, date(2026, 6, 9), until=date(2027, 1, 1))
    # 7 whole days of 24; the eighth, cut at six in the morning, counts as used but not in the rate
    assert (d.rate, d.n) == (24, 7)
    assert p.used == 7 * 24 + sum(r.time.day == 8 for r in _rows(cut))


def test_days_without_requests_count_in_the_rate() -> None:
    work = daily(date(2026, 6, 1), 7, lambda d: 14 if d % 2 == 0 else 0)
    terms = f"{PAID}allowances: [{{unit: requests, meters: requests, amount: 1000}}]"
    ((_, d, _),) = projected(work, terms, date(2026, 6, 8), until=date(2027, 1, 1))
    assert d.rate == Fraction(4 * 14, 7)


@pytest.mark.parametrize(("amount", "status"), [(69, "out"), (70, "out"), (71, "will"), (400, "no")])
def test_a_window_that_moves(amount: int, status: str) -> None:
    # 10 a day for 7 days, then 10 a day: a window of 30 days holds 70 now and 300 in the end
    work = daily(date(2026, 6, 1), 7, 10)
    terms = f"{PAID}limits: [{{meters: requests, amount: {amount}, per: rolling, window: {{days: 30}}}}]"
    ((_, _, p),) = projected(work, terms, date(2026, 6, 8), until=date(2026, 12, 1))
    assert p.status == status


def test_what_minutes_refuse_uses_nothing_up() -> None:
    # 10 requests within a minute each day, of which the minute lets 4 pass: 4 a day are used
    from reference import Row

    rows = [
        Row(datetime(2026, 6, d, 0, 0, s, tzinfo=UTC), "m-one", {"input": 1000})
        for d in range(1, 8)
        for s in range(10)
    ]
    rows.append(Row(datetime(2026, 6, 7, 23, 30, tzinfo=UTC), "m-one", {"input": 1000}))
    terms = (
        "rates: [{input: 0, output: 0}]\n    limits: [{meters: requests, amount: 4, per: minute}, "
        "{meters: requests, amount: 50, per: day}]"
    )
    ((_, d, p),) = projected(log(rows), terms, date(2026, 6, 8), until=date(2026, 6, 9))
    assert [q for _, _, q in d.days] == [4] * 6 + [5]
    assert p.status == "no"


def test_a_gift_is_void_after_months_or_days() -> None:
    offer = catalogue(
        date(2026, 6, 8),
        [version(PAID + "allowances: [{unit: tokens, amount: 1, expires_after: {months: 1}}]")],
    ).offer("ant/one")
    found = tariff(offer)
    assert found is not None
    (counter,), _ = pace.counters(found, np.array([0]), daily(date(2026, 6, 1), 2, 2))
    began = microseconds(datetime(2026, 1, 31, 12, tzinfo=UTC))
    ends = pace.expiry(counter, began)
    assert ends is not None
    assert pace.moment(ends) == datetime(2026, 2, 28, 12, tzinfo=UTC)


def _rows(work: Log) -> list:
    from reference import Row

    return [
        Row(t, "m-one", {"input": i, "output": o})
        for t, i, o in work.frame().select("time", "input", "output").rows()
    ]
