"""Comparing offers: what serving all the work costs, and what is not known about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from engine import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import TOKENS, Row

from pricewar.billing.batch import Assumptions
from pricewar.billing.desk import Comparison, Entry, compare
from pricewar.errors import ConfigurationError
from pricewar.offers.catalogue import Catalogue, load_catalogue
from pricewar.usage.log import Log

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEAD = """
    vendor: {vendor}
    currency: {currency}
    sources: [{{url: "https://example.org", read_on: 2026-01-01}}]
    confidence: high
    recorded: 2026-01-01
"""
OFFERS = {  # id: (kind, model, currency, the rest)
    "test/paid": ("list", "m-one", "USD", "in_force: {from: 2020-01-01}\n    rates: [{input: 1, output: 4}]"),
    "test/free": (
        "free",
        "m-one",
        "USD",
        "in_force: {from: 2020-01-01}\n    rates: [{input: 0, output: 0}]\n"
        "    limits: [{meters: requests, amount: 2, per: day}]",
    ),
    "test/never": (
        "free",
        "m-one",
        "USD",
        "in_force: {from: 2020-01-01}\n    rates: [{input: 0, output: 0}]\n"
        "    limits: [{meters: requests, amount: 0, per: day}]",
    ),
    "test/unsaid": (
        "free",
        "m-one",
        "USD",
        "in_force: {from: 2020-01-01}\n    rates: [{input: 0, output: 0}]\n    limits: unknown",
    ),
    "test/chained": (
        "free",
        "m-one",
        "USD",
        "in_force: {from: 2020-01-01}\n    rates: [{input: 0, output: 0}]\n"
        "    limits: [{meters: requests, amount: 1, per: day}]\n    overflow_to: test/dear",
    ),
    "test/dear": (
        "list",
        "m-one",
        "USD",
        "in_force: {from: 2020-01-01}\n    rates: [{input: 10, output: 40}]",
    ),
    "test/yuan": ("list", "m-one", "CNY", "in_force: {from: 2020-01-01}\n    rates: [{input: 7, output: 7}]"),
    "test/later": (
        "list",
        "m-one",
        "USD",
        "in_force: {from: 2026-05-01}\n    rates: [{input: 1, output: 4}]",
    ),
    "else/where": (
        "list",
        "z-two",
        "USD",
        "in_force: {from: 2020-01-01}\n    rates: [{input: 2, output: 8}]",
    ),
}
RATES = """
currency_rates:
  - {base: USD, to: CNY, rate: 7, on: 2026-01-01, confidence: high,
     sources: [{url: "https://example.org", read_on: 2026-01-01}]}
"""
CHANGED = """
  - id: test/paid
    plan: dearer
    kind: list
    models: [m-one]
    in_force: {from: 2026-04-01}
    rates: [{input: 3, output: 12}]
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    text = "offers:\n"
    for id, (kind, model, currency, rest) in OFFERS.items():
        head = HEAD.format(vendor=id.split("/")[0], currency=currency).strip("\n")
        text += (
            f"  - id: {id}\n{head}\n    plan: {kind}\n    kind: {kind}\n    models: [{model}]\n    {rest}\n"
        )
    text += CHANGED + HEAD.format(vendor="test", currency="USD").strip("\n") + "\n" + RATES
    folder: Path = tmp_path_factory.mktemp("facts")
    (folder / "made_up.yaml").write_text(text, encoding="utf-8")
    return load_catalogue(date(2026, 11, 22), folder)


def log_of(rows: Sequence[Row], table: pl.DataFrame | None = None) -> Log:
    table = frame(rows) if table is None else table
    span = (rows[0].time, rows[-1].time) if rows else None
    return Log("made up", ("here",), len(rows), len(rows), span=span, _held=table)


def some(count: int, model: str = "m-one", **quantities: int) -> list[Row]:
    given = quantities or {"input": 1000, "output": 500}
    return [Row(START + timedelta(minutes=i), model, given) for i in range(count)]


def entries(
    catalogue: Catalogue, rows: Sequence[Row], *ids: str, **how: Any
) -> tuple[Comparison, dict[str, Entry]]:
    offers = [catalogue.offers[id] for id in ids or OFFERS]
    found = compare(log_of(rows), catalogue, offers, **how)
    return found, {entry.offer.id: entry for entry in found.entries}


EACH = Fraction(1000 * 1 + 500 * 4, 10**6)  # one request of `some` at test/paid's price


def test_refused_is_never_saved_money(catalogue: Catalogue) -> None:
    found, by_id = entries(catalogue, some(10))
    assert found.baseline == 10 * EACH
    free, never = by_id["test/free"], by_id["test/never"]
    assert (free.own.mid, free.overflow.mid, free.total.mid) == (0, 8 * EACH, 8 * EACH)
    assert (free.served.mid, free.bill.served, free.exact) == (Fraction(1, 5), 2, True)
    assert (never.own.mid, never.total.mid, never.served.mid) == (0, 10 * EACH, 0)
    assert by_id["test/paid"].total.mid == 10 * EACH
    totals = [entry.total.mid for entry in found.entries if entry.total.mid is not None]
    assert totals == sorted(totals)
    order = [entry.offer.id for entry in found.entries]
    assert order.index("test/free") < order.index("test/paid") < order.index("test/dear")


def test_overflow_goes_down_the_chain(catalogue: Catalogue) -> None:
    _, by_id = entries(catalogue, some(10), "test/chained", "test/free")
    chained = by_id["test/chained"]
    assert chained.total.mid == 9 * 10 * EACH
    assert chained.moved == {"test/dear": 9}
    _, by_id = entries(catalogue, some(10), "test/chained", overflow_to=["test/free", "test/dear"])
    chained = by_id["test/chained"]
    assert chained.total.mid == 7 * 10 * EACH
    assert chained.moved == {"test/free": 2, "test/dear": 7}
    _, by_id = entries(catalogue, some(10), "test/never", overflow_to=["test/free"])
    assert by_id["test/never"].total.mid == 8 * EACH  # what the chain leaves is served as logged


def test_what_is_left_unserved_has_an_unknown_cost_or_a_stated_one(catalogue: Catalogue) -> None:
    found, by_id = entries(catalogue, some(10), "test/free", "test/paid", overflow_to=["none"])
    assert by_id["test/free"].total.mid is None
    assert [e.offer.id for e in found.entries] == ["test/paid", "test/free"]
    _, by_id = entries(catalogue, some(10), "test/free", refusal_cost=Fraction(1, 2))
    assert by_id["test/free"].total.mid == 4


def test_an_overflow_that_does_not_exist_is_a_mistake(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match="test/dear"):
        entries(catalogue, some(1), "test/free", overflow_to=["test/deer"])


def test_unknown_limits_make_a_range_and_a_warning(catalogue: Catalogue) -> None:
    _, by_id = entries(catalogue, some(10), "test/unsaid")
    unsaid = by_id["test/unsaid"]
    assert (unsaid.total.low, unsaid.total.mid, unsaid.total.high) == (0, 10 * EACH, 10 * EACH)
    assert not unsaid.exact
    assert "unknown_limits" in [warning.key for warning in unsaid.warnings]


def test_exact_for_the_model_logged_and_an_interval_for_another(catalogue: Catalogue) -> None:
    _, by_id = entries(catalogue, some(10), "test/dear", "else/where")
    dear, other = by_id["test/dear"], by_id["else/where"]
    assert dear.exact
    assert dear.total.low == dear.total.mid == dear.total.high == 100 * EACH
    assert not other.exact
    assert other.total.mid == 20 * EACH
    assert other.total.low is not None
    assert other.total.high is not None
    assert other.total.low < other.total.mid < other.total.high
    assert "other_model" in [warning.key for warning in other.warnings]


def test_money_is_exchanged_exactly(catalogue: Catalogue) -> None:
    _, by_id = entries(catalogue, some(3), "test/yuan")
    assert by_id["test/yuan"].total.mid == 3 * Fraction(1500, 10**6)
    _, by_id = entries(catalogue, some(3), "test/yuan", "test/free", currency="CNY")
    assert by_id["test/yuan"].total.mid == 3 * 7 * Fraction(1500, 10**6)
    assert by_id["test/free"].total.mid == 7 * EACH


def test_terms_of_the_day_or_of_a_frozen_one(catalogue: Catalogue) -> None:
    rows = [Row(START, "m-one", {"input": 10**6}), Row(START + timedelta(days=60), "m-one", {"input": 10**6})]
    found, by_id = entries(catalogue, rows, "test/paid", "test/later")
    assert by_id["test/paid"].total.mid == found.baseline == 1 + 3
    assert by_id["test/later"].bill.served == 1
    _, by_id = entries(catalogue, rows, "test/paid", frozen=START)
    assert by_id["test/paid"].total.mid == 2
    found, by_id = entries(catalogue, rows, "test/paid", "test/later", frozen=START)
    assert [(id, why.key) for id, why in found.not_billed] == [("test/later", "not_in_force")]
    _, by_id = entries(catalogue, rows, "test/paid", frozen=START + timedelta(days=90))
    assert by_id["test/paid"].total.mid == 6


def test_a_model_nobody_prices_leaves_totals_unknown(catalogue: Catalogue) -> None:
    rows = sorted([*some(2), *some(2, "no-such-model-anywhere")], key=lambda row: row.time)
    found, by_id = entries(catalogue, rows, "test/never", "test/paid")
    assert found.baseline is None
    assert by_id["test/never"].total.mid is None
    assert by_id["test/paid"].total.mid == 4 * EACH
    assert [use.total for use in found.models if use.model != "m-one"] == [None]


def test_empty_and_single(catalogue: Catalogue) -> None:
    found, by_id = entries(catalogue, [])
    assert (found.requests, found.tokens, found.baseline) == (0, 0, 0)
    assert {entry.total.mid for entry in by_id.values()} == {0}
    found, by_id = entries(catalogue, some(1))
    assert (found.requests, found.tokens, found.baseline) == (1, 1500, EACH)
    assert by_id["test/free"].total.mid == 0


def test_days_and_models_add_up(catalogue: Catalogue) -> None:
    rows = [
        Row(
            START + timedelta(hours=7 * i),
            "m-one" if i % 3 else "z-two",
            {"input": 10 + i, "requests": 1 + i % 4},
        )
        for i in range(40)
    ]
    found, _ = entries(catalogue, rows, "test/paid", batch_rows=7)
    assert (
        sum(requests for _, requests, _ in found.days)
        == found.requests
        == sum(r.of("requests") for r in rows)
    )
    assert sum(tokens for _, _, tokens in found.days) == found.tokens == sum(r.tokens for r in rows)
    assert sum(use.requests for use in found.models) == found.requests
    assert [day for day, _, _ in found.days] == sorted({row.time.date() for row in rows})


rows_of_any = st.lists(
    st.builds(
        lambda gap, model, quantities, requests: (gap, model, quantities, requests),
        st.integers(0, 100_000),
        st.sampled_from(["m-one", "z-two"]),
        st.fixed_dictionaries({m: st.integers(0, 5000) for m in TOKENS}),
        st.integers(1, 4),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(parts=rows_of_any, cut=st.integers(1, 6))
def test_an_offer_that_refuses_everything_costs_the_baseline(
    catalogue: Catalogue, parts: list[Any], cut: int
) -> None:
    moment, rows = START, []
    for gap, model, quantities, requests in parts:
        moment += timedelta(seconds=gap)
        rows.append(Row(moment, model, {**quantities, "requests": requests}))
    found, by_id = entries(catalogue, rows, "test/never", "test/free", batch_rows=cut)
    assert by_id["test/never"].total.mid == found.baseline
    assert by_id["test/never"].own.mid == 0
    again, _ = entries(catalogue, rows, "test/never", "test/free")
    assert [e.total for e in again.entries] == [e.total for e in found.entries]


@settings(max_examples=15, deadline=None)
@given(parts=rows_of_any, tokens=st.integers(100, 200), verbosity=st.integers(100, 300))
def test_more_is_assumed_more_is_charged(
    catalogue: Catalogue, parts: list[Any], tokens: int, verbosity: int
) -> None:
    moment, rows = START, []
    for gap, _, quantities, _ in parts:
        moment += timedelta(seconds=gap)
        rows.append(Row(moment, "m-one", quantities))
    plain = Assumptions()
    more = Assumptions(Fraction(tokens, 100), Fraction(verbosity, 100))
    _, by_id = entries(catalogue, rows, "else/where", assumed={"low": plain, "mid": plain, "high": more})
    total = by_id["else/where"].total
    assert total.low is not None
    assert total.mid is not None
    assert total.high is not None
    assert total.low <= total.mid <= total.high
