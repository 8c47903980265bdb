"""The prediction against a router of a few lines that looks at one request after the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_up_gateway import handed, stream

from pricewar.advice.gateway import Deployment
from pricewar.advice.gateway_predict import Prediction, predict

DAWN = datetime(2027, 2, 1, 23, 50, tzinfo=UTC)
PRICES = {  # input, cached, output in millionths of a dollar, before and after the rise
    "acme/free": (0, 0, 0), "drift/daily": (0, 0, 0), "cumulus/grant": (2, Fraction(1, 2), 8),
    "borealis/list": (Fraction(3, 4), Fraction(3, 40), Fraction(15, 4)),
}  # fmt: skip


def plainly(order: list[Deployment], asked: list[tuple[datetime, int, int, int]]) -> dict[str, Any]:
    """Who serves each request, and the refusals, by the rules as they are told, one request at a time."""
    until = dict.fromkeys((d.offer for d in order), DAWN - timedelta(days=1))
    minutes: dict[Any, int] = {}
    days: dict[Any, int] = {}
    spent, money = Fraction(0), Fraction(4, 1000)
    route, refused = [], dict.fromkeys((d.offer for d in order), 0)
    for t, plain, cached, output in asked:
        took = None
        for d in order:
            minute, day = (d.offer, t.replace(second=0, microsecond=0)), (d.offer, t.date())
            tokens = (plain, cached, output)
            cost = sum((n * p for n, p in zip(tokens, PRICES[d.offer], strict=True)), Fraction(0)) / 10**6
            if t < until[d.offer] or (d.rpm is not None and minutes.get(minute, 0) >= d.rpm):
                continue
            if d.offer == "cumulus/grant" and spent >= money:  # the proxy's budget
                continue
            full = days.get(day, 0) >= 6 if d.offer == "drift/daily" else False
            if full:
                refused[d.offer] += 1
                until[d.offer] = t + timedelta(seconds=d.cooldown)
                continue
            minutes[minute] = minutes.get(minute, 0) + 1
            days[day] = days.get(day, 0) + 1
            spent += cost if d.offer == "cumulus/grant" else 0
            took = d.offer
            break
        route.append(took)
    return {"route": route, "refused": refused}


def routed(found: Prediction) -> list[str | None]:
    names = [s.deployment.offer for s in found.shares]
    return [names[i] if i >= 0 else None for i in found.route.tolist()]


REQUESTS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 400), st.integers(0, 100), st.integers(1, 90)),
    min_size=1,
    max_size=150,
)


@settings(max_examples=60)
@given(REQUESTS)
@example([(0, 10, 0, 10)] * 120)
@example([(150, 390, 0, 90)] * 30)
def test_it_does_what_a_plain_router_does(gaps: list[tuple[int, int, int, int]]) -> None:
    found = handed("acme/free + cumulus/grant + drift/daily")
    t, asked = DAWN, []
    for seconds, plain, cached, output in gaps:
        t += timedelta(seconds=seconds)
        asked.append((t, plain, cached, output))
    predicted = predict(found, found.periods[0], [stream(asked)])
    told = plainly([s.deployment for s in predicted.shares], asked)
    assert routed(predicted) == told["route"]
    assert {s.deployment.offer: s.refused for s in predicted.shares} == told["refused"]
    assert predicted.lost == 0
    assert sum(s.served for s in predicted.shares) == predicted.requests == len(asked)
    assert float(predicted.spend) == pytest.approx(float(predicted.cost.sum()), abs=1e-12)


@settings(max_examples=20)
@given(REQUESTS, st.lists(st.integers(1, 149), max_size=3))
def test_a_stream_in_pieces_is_the_same_stream(
    gaps: list[tuple[int, int, int, int]], cuts: list[int]
) -> None:
    found = handed("acme/free + cumulus/grant + drift/daily")
    t, asked = DAWN, []
    for seconds, plain, cached, output in gaps:
        t += timedelta(seconds=seconds)
        asked.append((t, plain, cached, output))
    whole = predict(found, found.periods[0], [stream(asked)])
    edges = sorted({0, len(asked), *(c for c in cuts if c < len(asked))})
    pieces = [stream(asked[a:b]) for a, b in pairwise(edges)]
    parted = predict(found, found.periods[0], pieces)
    assert routed(parted) == routed(whole)
    assert (parted.spend, parted.bill) == (whole.spend, whole.bill)


def test_a_price_that_rises_shows_in_the_bill_and_not_in_the_spend() -> None:
    found = handed("borealis/list", logged=None, standing=())
    rise = datetime(2027, 3, 1, 8, 0, 30, tzinfo=UTC)
    asked = [(rise + timedelta(seconds=s), 1000, 0, 100) for s in (-1, 0, 1)]
    old = predict(found, found.periods[0], [stream(asked)])
    # 1000 · 0.75 + 100 · 3.75 = 1,125 millionths before the rise, 2,250 after
    assert old.spend == Fraction(3 * 1125, 10**6)
    assert old.bill == Fraction(1125 + 2 * 2250, 10**6)
    new = predict(found, found.periods[1], [stream(asked[1:])])
    assert new.spend == new.bill == Fraction(2 * 2250, 10**6)


def test_nobody_behind_and_nobody_left() -> None:
    """A lone offer never cools down; what it refuses is lost, and the next day it serves again."""
    found = handed("drift/daily", logged=None, standing=())
    (only,) = found.periods[0].deployments
    assert only.cooldown == 0
    asked = [(DAWN + timedelta(minutes=m), 10, 0, 1) for m in range(20)]  # midnight after ten
    predicted = predict(found, found.periods[0], [stream(asked)])
    assert routed(predicted) == ["drift/daily"] * 6 + [None] * 4 + ["drift/daily"] * 6 + [None] * 4
    assert (predicted.lost, predicted.shares[0].refused) == (8, 8)


def test_hours_are_told_as_the_proxy_tells_them() -> None:
    found = handed("fathom/hours", logged=None, standing=())
    (d,) = found.periods[0].deployments
    assert d.entry()["model_info"]["off_peak_pricing"]["windows"] == [
        {"hours_utc": ["01:00-04:00"], "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
    ]
    week = [datetime(2027, 2, 5, h, m, tzinfo=UTC) for h, m in ((0, 59), (1, 0), (3, 59), (4, 0))]  # a Friday
    week += [datetime(2027, 2, 6, 2, 0, tzinfo=UTC)]  # Saturday
    predicted = predict(found, found.periods[0], [stream([(t, 10**6, 0, 0) for t in week])])
    assert predicted.cost.tolist() == pytest.approx([1, 2, 2, 1, 1])
    assert predicted.spend == predicted.bill == 7


def test_a_log_of_sums_goes_by_the_desk() -> None:
    import numpy as np

    found = handed("drift/daily")
    batch = stream([(DAWN, 1000, 0, 100), (DAWN + timedelta(minutes=15), 500, 0, 50)])
    batch.quantities[:, 7] = np.array([10, 5])
    predicted = predict(found, found.periods[0], [batch])
    assert [(s.served, s.refused) for s in predicted.shares] == [(11, 4), (4, 0)]
    # 4 of the first 10 requests: 400 · 0.75 + 40 · 3.75 = 450 millionths
    assert predicted.spend == predicted.bill == Fraction(450, 10**6)
    assert predicted.lost == 0
