"""Laws of a reconciliation: whatever log and invoice say, causes and the unexplained add up to the gap, no
part of either is counted twice or dropped, and an invoice that says what we say has no gap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from invoiced import Use, explained, invoice_of, lawful, line, log_of

from pricewar.billing.reconcile import reconcile
from pricewar.billing.reconcile_parts import CAUSES, places, simplest
from pricewar.offers.catalogue import load_catalogue
from pricewar.units import METERS
from pricewar.usage.invoice import KINDS, Line

START = datetime(2026, 11, 1, tzinfo=UTC)
MODELS = [
    ("openai", "gpt-5-mini"), ("openai", "gpt-5-mini-2025-08-07"), ("anthropic", "claude-sonnet-5"),
    ("alibaba", "qwen-plus"), ("deepseek", "deepseek-v4-pro"), ("acme", "unheard-of"), (None, "gpt-5-mini"),
]  # fmt: skip
TIERS = ["standard", "batch", "flex", "priority"]


@st.composite
def uses(draw: st.DrawFn) -> Use:
    vendor, model = draw(st.sampled_from(MODELS))
    meters = draw(st.lists(st.sampled_from(METERS[:7]), min_size=1, max_size=3, unique=True))
    return Use(
        START + timedelta(minutes=draw(st.integers(-3000, 40_000))),
        model, vendor, draw(st.sampled_from(TIERS)),
        tokens={m: draw(st.integers(0, 10**6)) for m in meters},
    )  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> Line:
    vendor, model = draw(st.sampled_from([*MODELS, ("openai", None), (None, None)]))
    listed = draw(st.none() | st.decimals(0, 10, places=3))
    return line(
        draw(st.none() | st.integers(1, 28).map(lambda d: date(2026, 11, d))),
        Fraction(draw(st.decimals(-5, 10, places=4))),
        model=model, vendor=vendor,
        meter=draw(st.none() | st.sampled_from(METERS)),
        quantity=draw(st.none() | st.integers(0, 10**6)),
        kind=draw(st.sampled_from(KINDS)),
        zone=draw(st.sampled_from([None, "Asia/Shanghai", "America/Los_Angeles"])),
        days=draw(st.sampled_from([1, 1, 1, 7, 30])),
        tier=draw(st.none() | st.sampled_from(TIERS)),
        listed=None if listed is None else Fraction(listed),
        currency=draw(st.sampled_from(["USD", "USD", "CNY"])),
        item=draw(st.sampled_from(["", "gpt-5-mini, input", "Code interpreter"])),
    )  # fmt: skip


@settings(max_examples=120)
@given(st.lists(uses(), max_size=25), st.lists(lines(), min_size=1, max_size=25))
def test_causes_and_the_unexplained_add_up_to_the_gap(found_uses: list, found_lines: list) -> None:
    found = explained(found_uses, found_lines, first=date(2026, 11, 1), last=date(2026, 11, 28))
    assert set(found.causes) <= set(CAUSES)
    # every line once: its place is in exactly one row for each line kept
    assert sum(len(row.places) for row in found.rows) == len(found_lines)
    assert found.unexplained_absolute >= abs(found.unexplained)


@settings(max_examples=60)
@given(st.lists(uses(), min_size=1, max_size=25))
def test_an_invoice_made_of_our_own_rows_has_no_gap(found_uses: list) -> None:
    whole = {"first": date(2026, 10, 28), "last": date(2026, 11, 30)}
    catalogue = load_catalogue(date(2026, 11, 22))
    log = log_of(found_uses)
    ours = reconcile(log, invoice_of([line(date(2026, 11, 1), 0, kind="fee")]), catalogue, **whole)
    assert ours.causes.keys() <= {"missing_invoice"}
    assert ours.gap == -ours.ours
    mirror = [
        line(row.start.date(), row.ours, model=row.model, vendor=row.vendor, meter=row.meter, tier=row.tier,
             quantity=row.logged)
        for row in ours.rows if row.start is not None and row.ours
    ]  # fmt: skip
    if not mirror:
        return
    again = reconcile(log, invoice_of(mirror), catalogue, **whole)
    lawful(again)
    assert again.gap == 0
    assert again.causes == {}
    assert again.unexplained_absolute == 0


def test_a_model_that_is_not_billed_at_all_is_missing_however_round_its_tokens_are() -> None:
    """A million tokens is what a grant gives, but an invoice without the model says nothing of a grant."""
    whole = {"first": date(2026, 10, 28), "last": date(2026, 11, 30)}
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    log = log_of([Use(moment, "gpt-5-mini", "openai", "standard", None, {"input": 1_000_000})])
    found = reconcile(
        log, invoice_of([line(date(2026, 11, 1), 0, kind="fee")]), load_catalogue(date(2026, 11, 22)), **whole
    )
    assert found.causes.keys() == {"missing_invoice"}


@given(st.fractions(0, 100), st.fractions(0, 1))
def test_the_simplest_decimal_lies_between_its_bounds(low: Fraction, width: Fraction) -> None:
    found = simplest(low, low + width)
    assert low <= found <= low + width


@given(st.lists(st.decimals(-1000, 1000, places=6), min_size=1, max_size=8))
def test_the_unit_of_amounts_divides_them_all(amounts: list) -> None:
    exact = [Fraction(a) for a in amounts]
    unit = places(exact)
    assert all(a % unit == 0 for a in exact)
    assert unit == 1 or any(a % (unit * 10) for a in exact)
