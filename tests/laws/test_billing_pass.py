"""The compiled pass against a plain, slow reference, on random logs and tariffs; and laws of any bill."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from engine import offer_of, run
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference import METERS, TOKENS, Row, bill, next_window

from pricewar.billing.tariff import boundaries, microseconds
from pricewar.units import decimal

ZONES = (
    "UTC",
    "America/Los_Angeles",
    "Europe/London",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "America/Santiago",
)
TURNS = [  # hours before clocks change, leap days, month ends, year ends
    "2024-02-28T22:00",
    "2024-03-10T06:00",
    "2024-03-31T00:00",
    "2024-04-06T12:00",
    "2024-04-07T02:30",
    "2024-09-08T02:00",
    "2024-10-05T14:00",
    "2024-11-03T07:00",
    "2024-12-31T14:00",
    "2025-02-28T04:00",
    "2025-10-26T00:00",
    "2026-01-31T23:00",
]
CHECKED = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEWER = settings(CHECKED, max_examples=30)


def often(value: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(value), other)


@st.composite
def logs(draw: Any, *, most: int = 24, many: bool = True) -> list[Row]:
    """Rows in order of time, with ties, gaps of seconds to months, and empty requests."""
    moment = datetime.fromisoformat(draw(st.sampled_from(TURNS))).replace(tzinfo=UTC)
    rows = []
    gaps = st.one_of(
        st.sampled_from([0, 0, 1, 20, 60, 1800, 3600, 5 * 3600, 86_400, 27 * 86_400]),
        st.integers(0, 200_000),
    )
    for _ in range(draw(st.integers(0, most))):
        moment += timedelta(seconds=draw(gaps), microseconds=draw(st.sampled_from([0, 0, 0, 1, 999_999])))
        quantities = {m: draw(st.sampled_from([0, 0, 1, 3, 7, 10, 40])) for m in TOKENS}
        quantities["search"] = draw(st.sampled_from([0, 0, 0, 2]))
        quantities["requests"] = draw(st.sampled_from([1, 1, 1, 0, 2, 3, 10] if many else [1, 1, 0]))
        rows.append(
            Row(
                moment,
                draw(st.sampled_from(["a", "a", "b", "c"])),
                quantities,
                draw(st.sampled_from(["standard", "standard", "batch", "flex"])),
            )
        )
    return rows


instants = st.builds(
    lambda text, hours: (
        datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(hours=hours)
    ).isoformat(),
    st.sampled_from(TURNS),
    st.integers(-3, 60),
)
meters = st.one_of(st.just("tokens"), st.lists(st.sampled_from(TOKENS), min_size=1, max_size=3, unique=True))
amounts = st.sampled_from(["0", "1", "5", "20", "50", "120", "400"])


@st.composite
def whom(draw: Any) -> dict[str, Any]:
    scope = draw(st.sampled_from(["model", "pool", "account"]))
    if scope == "pool":
        return {"scope": scope, "models": draw(st.sampled_from([["a", "b"], ["b"], ["alias"]]))}
    return {"scope": scope, **draw(st.sampled_from([{}, {}, {"models": ["a"]}]))}


@st.composite
def spans(draw: Any) -> dict[str, Any]:
    found = {}
    if draw(st.integers(0, 5)) == 0:
        found["from"] = draw(instants)
    elif draw(st.integers(0, 5)) == 0:
        found["until"] = draw(instants)
    return found


@st.composite
def rates(draw: Any) -> dict[str, Any]:
    prices = st.sampled_from(["0", "0.5", "1", "2.4", "0.333333", "12"])
    chosen = draw(st.lists(st.sampled_from(METERS), min_size=0, max_size=4, unique=True))
    rate: dict[str, Any] = {m: draw(prices) for m in chosen}
    if not rate or draw(st.integers(0, 4)) == 0:
        rate["times"] = draw(st.sampled_from(["0.5", "0.25", "1.1", "2"]))
    when: dict[str, Any] = draw(spans())
    if draw(st.booleans()):
        when["input_above"] = draw(st.sampled_from([0, 10, 20, 60]))
    if draw(st.integers(0, 3)) == 0:
        when["tier"] = draw(st.sampled_from(["batch", ["batch", "flex"]]))
    if draw(st.integers(0, 2)) == 0:
        when["zone"] = draw(st.sampled_from(ZONES))
        if draw(st.booleans()):
            when["weekdays"] = draw(
                st.lists(
                    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
                    min_size=1,
                    unique=True,
                )
            )
        if draw(st.booleans()):
            when["hours"] = draw(
                st.sampled_from(["00:00-24:00", "16:30-00:30", "09:00-17:00", "22:00-06:00", "01:00-02:30"])
            )
    if draw(st.integers(0, 4)) == 0:
        when["models"] = draw(st.sampled_from([["a"], ["alias"], ["a", "b"]]))
    if draw(st.integers(0, 3)) == 0:
        rate["per"] = draw(st.sampled_from([1, 1000, 7]))
    return {**rate, "when": when}


@st.composite
def limits(draw: Any) -> dict[str, Any]:
    per = draw(st.sampled_from(["second", "minute", "hour", "day", "week", "month", "request", "rolling"]))
    found: dict[str, Any] = {
        "meters": draw(often(["requests"], meters)),
        "amount": draw(st.sampled_from(["0", "1", "2", "5", "20", "50", "120"])),
        "per": per,
        "zone": draw(st.sampled_from(ZONES)),
        "exceeded": draw(st.sampled_from(["reject", "queue", "overflow"])),
        **draw(whom()),
        **draw(spans()),
    }
    if per == "rolling":
        found["window"] = draw(st.sampled_from([{"minutes": 10}, {"hours": 6}, {"days": 2}]))
    if draw(st.integers(0, 2)) == 0:
        found["excludes"] = ["cache_read"]
    return found


@st.composite
def allowances(draw: Any, order: int = 0) -> dict[str, Any]:
    unit = draw(st.sampled_from(["tokens", "tokens", "requests", "money", "credits"]))
    reset = draw(
        st.sampled_from(["none", "none", "minute", "hour", "day", "day", "week", "month", "rolling"])
    )
    found: dict[str, Any] = {
        "unit": unit,
        "amount": draw(st.sampled_from(["0.00003", "0.0001", "0.5"]))
        if unit in ("money", "credits")
        else draw(amounts),
        "reset": reset,
        "zone": draw(st.sampled_from(ZONES)),
        "edge": draw(st.sampled_from(["split", "whole", "fits"])),
        "used_up": draw(st.sampled_from(["paid", "reject"])),
        "order": order,
        **draw(whom()),
        **draw(spans()),
    }
    if unit == "tokens":
        found["meters"] = draw(meters)
    if unit == "credits":
        found["credit"] = draw(st.sampled_from(["0.5", "2"]))
    if reset == "rolling":
        found["window"] = draw(st.sampled_from([{"minutes": 30}, {"hours": 5}, {"days": 30}]))
    if draw(st.integers(0, 2)) == 0:
        found["starts"] = draw(instants)
    if draw(st.booleans()):
        found["expires_after"] = draw(
            st.sampled_from([{"days": 1}, {"days": 30}, {"hours": 3}, {"months": 1}, {"months": 6}])
        )
    if draw(st.booleans()):
        found["price"] = draw(st.sampled_from(["1", "6.3"]))
        if reset == "none" and unit == "tokens" and found["amount"] != "0":
            found["buy"] = draw(st.sampled_from(["once", "as_needed"]))
    if draw(st.integers(0, 4)) == 0:
        found["tier"] = draw(st.sampled_from([["standard"], ["batch", "flex"]]))
    return found


@st.composite
def charged(draw: Any) -> dict[str, Any]:
    """Charges; those of a month share one zone, as a bill has one calendar."""
    zone = draw(st.sampled_from(ZONES))
    found: dict[str, Any] = {}
    kind = draw(st.sampled_from(["", "", "minimum", "rounding", "commitment", "fixed"]))
    if kind == "minimum":
        found["minimum"] = {
            "amount": "0.0004",
            "per": draw(st.sampled_from(["month", "bill"])),
            "zone": zone,
        }
    elif kind == "rounding":
        found["rounding"] = [
            draw(
                st.sampled_from(
                    [
                        {"increment": "0.0001", "unit": "money", "per": "request"},
                        {"increment": "10", "unit": "tokens", "per": "line", "zone": zone},
                        {"increment": "0.01", "unit": "money", "per": "line", "zone": zone},
                        {
                            "increment": "0.0002",
                            "unit": "money",
                            "per": "line",
                            "direction": "half_even",
                            "zone": zone,
                        },
                        {"increment": "0.01", "unit": "money", "per": "bill"},
                    ]
                )
            )
        ]
    elif kind == "commitment":
        found["commitment"] = {
            "amount": "0.001",
            "per": draw(st.sampled_from(["hour", "month"])),
            "units": 3,
            "term": {"months": 1},
            "buys": "capacity",
            "zone": zone,
        }
        if found["commitment"]["per"] == "month" and draw(st.booleans()):
            found["commitment"] |= {"buys": "spend", "unused": draw(st.sampled_from(["forfeit", "carry"]))}
    elif kind == "fixed":
        found["fixed"] = [{"amount": "3", "per": draw(st.sampled_from(["month", "once"])), "zone": zone}]
    if draw(st.integers(0, 3)) == 0:
        found["platform_fee"] = {
            "percent": "5.5",
            "minimum": draw(st.sampled_from(["0", "0.8"])),
        }
    return found


@st.composite
def versions(draw: Any, *, limited: bool = True, free: bool = True) -> tuple[dict[str, Any], ...]:
    def terms() -> dict[str, Any]:
        shown = draw(st.lists(rates(), min_size=1, max_size=4))
        if draw(st.integers(0, 4)):
            shown.insert(0, {"input": "1", "output": "3"})
        return {
            "rates": shown,
            "limits": draw(st.lists(limits(), max_size=3, unique_by=str)) if limited else [],
            "allowances": [draw(allowances(i)) for i in range(draw(st.integers(0, 3)) if free else 0)],
        }

    common = {"models": [{"name": "a", "aliases": ["alias"]}, "b"], "charges": draw(charged())}
    if draw(st.integers(0, 2)):
        return ({**common, **terms(), "in_force": {"from": "unknown"}},)
    change = draw(instants)
    first, second = terms(), terms()
    for kind in ("limits", "allowances"):
        if draw(st.booleans()):
            second[kind] = first[kind]
    gap = {} if draw(st.integers(0, 3)) else {"until": draw(instants)}
    return (
        {**common, **first, "in_force": {"from": "unknown", "until": change}},
        {**common, **second, "in_force": {"from": change, **(gap if gap.get("until", "") > change else {})}},
    )


def outcome(found: Any, refused: list[int]) -> dict[str, Any]:
    return {
        "total": found.total,
        "served": found.served,
        "refused": refused,
        "refused_tokens": sum(tokens for _, _, tokens in found.refused),
        "free_tokens": found.free_tokens,
        "paid_tokens": found.paid_tokens,
        "unpriced": found.unpriced,
        "queued": found.queued,
        "longest_wait": found.longest_wait,
    }


def expected(found: Any) -> dict[str, Any]:
    return {
        "total": found.total,
        "served": found.served,
        "refused": found.refused,
        "refused_tokens": found.refused_tokens,
        "free_tokens": found.free_tokens,
        "paid_tokens": found.paid_tokens,
        "unpriced": found.unpriced,
        "queued": found.queued,
        "longest_wait": found.longest_wait // timedelta(microseconds=1),
    }


@CHECKED
@given(versions(), logs(), st.data())
def test_pass_equals_reference(terms: Any, rows: list[Row], data: Any) -> None:
    offer = offer_of(*terms)
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=3))
    if any(r.get("per") == "request" for r in terms[0]["charges"].get("rounding", [])):
        assume(all(row.of("requests") == 1 for row in rows))
    assert outcome(*run(offer, rows, cuts)) == expected(bill(offer, rows))


@FEWER
@given(logs(many=False), st.lists(limits(), min_size=1, max_size=2, unique_by=str))
def test_queues_equal_reference(rows: list[Row], terms: list[dict[str, Any]]) -> None:
    """Requests that wait, behind one another and into the next window, some to be refused there."""
    for term in terms[:1]:
        term["exceeded"] = "queue"
    offer = offer_of({"models": [{"name": "a", "aliases": ["alias"]}, "b"], "limits": terms,
                      "rates": [{"input": "1", "output": "2"}],
                      "allowances": [{"unit": "tokens", "amount": "60", "used_up": "reject",
                                      "reset": "rolling", "window": {"hours": 6}}]})  # fmt: skip
    assert outcome(*run(offer, rows)) == expected(bill(offer, rows))


@FEWER
@given(versions(), logs(), st.data())
def test_nothing_is_lost_and_pieces_do_not_matter(terms: Any, rows: list[Row], data: Any) -> None:
    offer = offer_of(*terms)
    whole, refused = run(offer, rows)
    cuts = data.draw(st.lists(st.integers(0, len(rows)), min_size=1, max_size=5))
    pieces, same = run(offer, rows, cuts)
    assert outcome(whole, refused) == outcome(pieces, same)
    assert [(x.meter, x.quantity, x.amount, x.month) for x in whole.lines] == [
        (x.meter, x.quantity, x.amount, x.month) for x in pieces.lines
    ]
    assert whole.requests == sum(row.of("requests") for row in rows) == whole.served + sum(refused)
    assert sum(requests for _, requests, _ in whole.refused) == sum(refused)
    kept = whole.free_tokens + whole.paid_tokens + sum(tokens for _, _, tokens in whole.refused)
    assert kept == sum(row.tokens for row in rows)
    assert whole.total == sum((line.amount for line in whole.lines), Fraction(0))


def scaled(terms: Any, by: int) -> Any:
    """The same terms in a unit of money worth 1/by."""
    if isinstance(terms, dict):
        money = set(terms) & {*METERS, "price"}
        if terms.get("unit") == "money" and "increment" not in terms:
            money.add("amount")
        if {"credit"} & set(terms):
            money.add("credit")
        return {
            k: str(Fraction(v) * by) if k in money and isinstance(v, str) else scaled(v, by)
            for k, v in terms.items()
        }
    return [scaled(t, by) for t in terms] if isinstance(terms, list) else terms


@FEWER
@given(versions(), logs(many=False))
def test_money_has_no_unit(terms: Any, rows: list[Row]) -> None:
    """Prices in cents make a bill in cents."""
    plain = [{**version, "charges": {}} for version in terms]
    cents = [exact_text(scaled(version, 100)) for version in plain]
    one, refused = run(offer_of(*plain), rows)
    hundred, same = run(offer_of(*cents), rows)
    assert (hundred.total, same) == (100 * one.total, refused)


def exact_text(terms: Any) -> Any:
    """Fractions written as decimals."""
    if isinstance(terms, dict):
        return {k: exact_text(v) for k, v in terms.items()}
    if isinstance(terms, list):
        return [exact_text(t) for t in terms]
    if isinstance(terms, str) and "/" in terms and terms.replace("/", "").isdigit():
        return str(decimal(Fraction(terms)))
    return terms


@FEWER
@given(versions(limited=False), allowances(9), logs(many=False))
def test_a_gift_never_raises_a_bill(terms: Any, gift: Any, rows: list[Row]) -> None:
    """Without limits, refusals and prices of its own, an allowance more costs nobody anything."""
    rules = ("rounding", "commitment", "minimum")
    plain = []
    for version in terms:
        charges = {k: v for k, v in version["charges"].items() if k not in rules}
        given_ = [{**a, "used_up": "paid", "price": "0", "buy": "once"} for a in version["allowances"]]
        rates = [{"input": "1", "output": "3"}, *version["rates"]]
        plain.append({**version, "charges": charges, "allowances": given_, "rates": rates})
    gift = {**gift, "used_up": "paid", "price": "0", "buy": "once"}
    more = [{**version, "allowances": [*version["allowances"], gift]} for version in plain]
    assert run(offer_of(*more), rows)[0].total <= run(offer_of(*plain), rows)[0].total


@FEWER
@given(logs(many=False), st.randoms())
def test_ties_are_interchangeable_without_limits(rows: list[Row], rng: Any) -> None:
    offer = offer_of({"rates": [{"input": "1", "output": "3"}, {"input": "2", "when": {"input_above": 10}}]})
    shuffled = sorted(rng.sample(rows, len(rows)), key=lambda row: row.time)
    assert run(offer, rows)[0].total == run(offer, shuffled)[0].total


@pytest.mark.parametrize("limited", [False, True])
def test_exact_far_past_64_bits(limited: bool) -> None:
    """10^15 tokens a request, money with nine decimals a token, totals of 10^18 tokens and 10^27 units."""
    terms: dict[str, Any] = {"rates": [{"input": "1.234567891", "output": "9.87654321"}]}
    if limited:
        terms["allowances"] = [
            {"unit": "money", "amount": "0.000000001"},
            {"unit": "tokens", "amount": "7", "reset": "day"},
        ]
        terms["limits"] = [{"meters": "tokens", "amount": str(10**19), "per": "month"}]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        Row(start + timedelta(hours=i), "a", {"input": 10**15 - i, "output": 10**15 + i}) for i in range(400)
    ]
    many = [rows[i % 400] for i in range(12_000)]
    offer = offer_of(terms)
    if limited:
        assert outcome(*run(offer, rows, [100, 250])) == expected(bill(offer, rows))
        return
    many.sort(key=lambda row: row.time)
    found, _ = run(offer, many, range(0, 12_000, 2000))
    tokens = [sum(row.of(m) for row in many) for m in ("input", "output")]
    assert sum(tokens) > 2**64
    due = tokens[0] * Fraction("1.234567891") + tokens[1] * Fraction("9.87654321")
    assert found.total == due / 10**6


@given(
    st.sampled_from([*ZONES, "America/Havana", "Asia/Kolkata"]),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(TURNS),
    st.integers(0, 400),
)
@FEWER
def test_windows_begin_where_the_local_calendar_says(zone: str, per: str, text: str, days: int) -> None:
    first = datetime.fromisoformat(text).replace(tzinfo=UTC)
    found = boundaries(per, zone, microseconds(first), microseconds(first + timedelta(days=days)))
    assert found[0] <= microseconds(first)
    moment = first
    for edge in [b for b in found if b > microseconds(first)][:20]:
        following = next_window(moment, per, zone)
        assert microseconds(following) == edge
        moment = following


def test_a_request_refused_after_a_wait_leaves_nothing_behind() -> None:
    """The window it would have waited for is not opened, and the one it came in keeps its count."""
    offer = offer_of(
        {
            "rates": [{"input": "1"}],
            "limits": [
                {"meters": "requests", "amount": "1", "per": "minute", "exceeded": "queue"},
                {"meters": "tokens", "amount": "10", "per": "day"},
            ],
        }
    )
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    rows = [Row(start + timedelta(seconds=i), "a", {"input": n}) for i, n in enumerate([5, 9, 2])]
    found, refused = run(offer, rows)
    assert refused == [0, 1, 0]
    assert (found.queued, found.longest_wait) == (1, 58_000_000)


def test_an_aggregated_row_meets_an_edge_as_single_requests_would() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    row = [Row(start, "a", {"input": 1000, "requests": 100})]
    for edge, free in (("split", 25), ("whole", 30), ("fits", 20)):
        terms = {"rates": [{"input": "1"}], "allowances": [{"unit": "tokens", "amount": "25", "edge": edge}]}
        assert run(offer_of(terms), row)[0].free_tokens == free


def test_an_aggregated_row_meets_a_cliff_as_its_average_request_would() -> None:
    """A day's sum of many short requests is no long one: 300 of 1,000 tokens each pay the plain price."""
    start = datetime(2026, 5, 1, tzinfo=UTC)
    terms = {"rates": [{"input": "1"}, {"input": "2", "when": {"input_above": 1000}}]}
    for tokens, price in ((300_000, 1), (300_001, 2)):
        row = [Row(start, "a", {"input": tokens, "requests": 300})]
        assert run(offer_of(terms), row)[0].total == Fraction(tokens * price, 10**6)


def test_a_pack_bought_later_expires_later() -> None:
    pack = {
        "unit": "tokens",
        "amount": "10",
        "price": "3",
        "buy": "as_needed",
        "expires_after": {"months": 1},
    }
    offer = offer_of({"allowances": [pack]})
    days = (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 31, tzinfo=UTC),
        datetime(2026, 2, 20, tzinfo=UTC),
    )
    rows = [Row(day, "a", {"input": n}) for day, n in zip(days, (8, 8, 4), strict=True)]
    # the second pack is bought on 31 January and lasts until 28 February: 10 − 6 = 4 tokens for the last
    assert run(offer, rows)[0].total == 6


def test_no_rows() -> None:
    offer = offer_of({"rates": [{"input": "1"}], "charges": {"fixed": [{"amount": "3"}]}})
    found, refused = run(offer, [])
    assert (found.total, found.requests, found.served, refused) == (0, 0, 0, [])
