"""Reconciling on a given offer: its allowances and charges stand in our bill too."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from invoiced import Use, explained, line

from pricewar.offers.catalogue import Offer
from pricewar.offers.schema import OfferRecord

F = Fraction
DAYS = [date(2026, 11, d) for d in range(1, 11)]


def offer(**terms: Any) -> Offer:
    record = {
        "id": "test/contract",
        "vendor": "openai",
        "plan": "made up",
        "kind": "list",
        "models": ["gpt-5-mini"],
        "currency": "USD",
        "sources": [{"url": "https://example.org", "read_on": "2026-11-22"}],
        "confidence": "high",
        "in_force": {"from": "2026-01-01"},
        "recorded": "2026-11-22",
        "rates": [{"input": "0.2", "output": "1"}],
        **terms,
    }
    return Offer("test/contract", (OfferRecord.model_validate(record),), own=True)


def month() -> list[Use]:
    return [
        Use(datetime(2026, 11, d.day, 12, tzinfo=UTC), "gpt-5-mini", tokens={"input": 10**6, "output": 10**5})
        for d in DAYS
    ]


def bill(input: str = "0.2", output: str = "0.1") -> list:
    found = []
    for d in DAYS:
        found.append(line(d, input, model="gpt-5-mini", meter="input", quantity=10**6))
        found.append(line(d, output, model="gpt-5-mini", meter="output", quantity=10**5))
    return found


def test_prices_of_a_contract() -> None:
    found = explained(month(), bill(), offer=offer())
    assert found.offer == "test/contract"
    assert found.ours == found.charged == 3  # 10 × (0.2 + 0.1)
    assert found.causes == {}


def test_a_fee_on_both_sides_and_on_one() -> None:
    terms = offer(charges={"platform_fee": {"percent": "5"}})
    with_fee = explained(
        month(), [*bill(), line(DAYS[-1], "0.15", kind="fee", item="platform fee")], offer=terms
    )
    assert with_fee.ours == with_fee.charged == F("3.15")
    assert with_fee.gap == with_fee.unexplained == 0
    assert with_fee.causes == {"fee": 0}
    without = explained(month(), bill(), offer=terms)
    assert without.causes == {"fee": F("-0.15")}  # our offer has a fee that the invoice does not ask
    assert without.unexplained == 0


def test_an_allowance_that_the_invoice_grants_differently() -> None:
    """We expect 3 M tokens a month free: the input and output of two days, 2.2 M, and 0.8 M of the third's
    input. The invoice grants only the first two days."""
    terms = offer(allowances=[{"unit": "tokens", "amount": 3_000_000, "reset": "month"}])
    lines = bill()
    for i in range(4):
        d = DAYS[i // 2]
        meter, q, value = (("input", 10**6, "0.2"), ("output", 10**5, "0.1"))[i % 2]
        lines[i] = line(d, 0, model="gpt-5-mini", meter=meter, quantity=q, kind="allowance", listed=value)
    found = explained(month(), lines, offer=terms)
    # ours 3 − 0.3 × 2 − 0.8 × 0.2 = 2.24; charged 3 − 0.6 = 2.40
    assert found.ours == F("2.24")
    assert found.charged == F("2.4")
    assert found.causes == {"allowance": F("0.16")}
    assert found.unexplained == 0


def test_a_limit_that_would_have_refused() -> None:
    """The offer takes 5 requests a month; the invoice charges ten."""
    terms = offer(limits=[{"meters": "requests", "amount": 5, "per": "month"}])
    found = explained(month(), bill(), offer=terms)
    assert found.ours == F("1.5")
    assert found.causes == {"limits": F("1.5")}
    assert found.unexplained == 0
