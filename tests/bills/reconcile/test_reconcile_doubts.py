"""Invoices that invite a wrong cause: a charge that names nothing, searches without a model, a last day in
part, a month half covered, a currency nobody knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from invoiced import GATHERED, Use, explained, invoice_of, line, log_of

from pricewar.billing.reconcile import reconcile
from pricewar.errors import DataError, FactError
from pricewar.offers.catalogue import load_catalogue
from pricewar.usage.invoice import Invoice, Line
from pricewar.usage.log import Exclusion

F = Fraction
DAYS = [date(2026, 10, 1) + timedelta(days=d) for d in range(20)]


def use(day: date, hour: int = 12, **tokens: int) -> Use:
    return Use(datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC), "gpt-5-mini", tokens=tokens)


def input_line(day: date, tokens: int = 1_000_000) -> Line:
    """gpt-5-mini: $0.25 a million of input."""
    return line(day, F(tokens, 4 * 10**6), model="gpt-5-mini", meter="input", quantity=tokens)


def test_a_charge_that_names_nothing_stays_unexplained() -> None:
    """No model, meter nor quantity: no usage is known to be missing, and a threshold must see it."""
    uses = [use(d, input=1_000_000) for d in DAYS]
    lines = [*(input_line(d) for d in DAYS), line(DAYS[3], 1000, item="Mystery charge")]
    found = explained(uses, lines)
    assert found.causes == {}
    assert found.unexplained == 1000
    assert found.breaches(F(2), percent=True)


def test_a_line_for_a_model_that_the_log_lacks_is_missing_usage() -> None:
    uses = [use(d, input=1_000_000) for d in DAYS]
    lines = [*(input_line(d) for d in DAYS), line(DAYS[3], 2, model="gpt-4.1-mini", meter="input")]
    assert explained(uses, lines).causes == {"missing_log": 2}


def test_searches_without_a_model_are_those_of_the_log() -> None:
    """Anthropic's cost report names no model for web searches: 10 a day at $10 a thousand, 20 days: $2."""
    tokens = {"input": 100_000, "search": 10}  # claude-sonnet-4-5: $3 a million; 20 × 0.3 = 6
    uses = [
        Use(datetime(2026, 10, d.day, 12, tzinfo=UTC), "claude-sonnet-4-5", "anthropic", tokens=tokens)
        for d in DAYS
    ]
    lines = []
    for d in DAYS:
        lines.append(line(d, F("0.3"), model="claude-sonnet-4-5", vendor="anthropic", meter="input"))
        lines.append(line(d, F("0.1"), vendor="anthropic", meter="search", item="web search"))
    found = explained(uses, lines)
    assert found.ours == found.charged == 8
    assert found.causes == {}
    assert found.unexplained_absolute == 0


def test_a_last_day_that_the_invoice_has_in_part_is_no_other_clock() -> None:
    """A job that runs every hour alike: on any clock the days agree, but for those at the edges."""
    uses = [use(d, hour, input=10_000) for d in DAYS for hour in range(24)]
    lines = [input_line(d, 240_000) for d in DAYS[:-1]] + [input_line(DAYS[-1], 20_000)]
    found = explained(uses, lines)
    assert found.clock.name == "UTC"
    assert found.causes == {"missing_invoice": -F("0.055")}  # 220,000 at $0.25 a million


def test_a_month_that_one_side_covers_in_part_is_said() -> None:
    uses = [use(d, input=1_000_000) for d in DAYS]
    found = explained(uses, [input_line(d) for d in DAYS[:5]])
    assert found.causes == {"missing_invoice": -F("3.75")}
    (note,) = [n for n in found.notes if "--from 2026-10-01 --until 2026-10-05" in n]
    assert note.startswith("The invoice's lines are of 2026-10-01 to 2026-10-05: $3.75 of what is missing")
    found = explained(uses[:5], [input_line(d) for d in DAYS])
    (note,) = [n for n in found.notes if "--from 2026-10-01 --until 2026-10-05" in n]
    assert note.startswith("The log is of 2026-10-01 to 2026-10-05: $3.75 of what is missing")
    whole = explained(uses, [input_line(d) for d in (*DAYS[:5], *DAYS[6:])])
    assert whole.causes == {"missing_invoice": -F("0.25")}  # a day in the midst is no edge
    assert not [n for n in whole.notes if "--from" in n]


def test_a_currency_without_a_rate_is_told_by_its_line() -> None:
    lines = [input_line(DAYS[0]), line(DAYS[1], 1, currency="XYZ", model="gpt-5-mini", meter="input")]
    with pytest.raises(FactError) as error:
        explained([use(DAYS[0], input=1)], lines)
    assert error.value.where == "invoice.csv:2"
    assert "XYZ" in error.value.what


def test_an_invoice_without_a_usable_line_says_why() -> None:
    left = (Exclusion("no amount", 7, ("bill.csv:2", "bill.csv:3")),)
    invoice = Invoice("made", ("bill.csv",), (), 7, left, (), True, "https://example.org")
    with pytest.raises(DataError, match=r"7 × no amount \(bill.csv:2, bill.csv:3\)"):
        reconcile(log_of([use(DAYS[0], input=1)]), invoice, load_catalogue(GATHERED))


def test_what_is_unverified_is_said_once() -> None:
    """The reader's own note says it; a second in other words would be noise."""
    invoice = invoice_of([input_line(DAYS[0])], verified=False)
    found = reconcile(log_of([use(DAYS[0], input=1_000_000)]), invoice, load_catalogue(GATHERED))
    assert not [n for n in found.notes if "unverified" in n]
