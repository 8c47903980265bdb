"""Bills worked out in vendors' own documentation, against our bill of the usage they state. All read on
2026-11-22, in public copies of the pages named.

Two of them cannot be reproduced, because their own figures do not fit together: the gap stands here as a
number.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from invoiced import Use, explained, line

from pricewar.billing.reconcile import Reconciliation

F = Fraction
DAY = date(2026, 11, 2)
EARLIER = date(2025, 6, 2)  # when models since retired were sold
PRICING = "https://platform.claude.com/docs/en/about-claude/pricing"
LEGAL = "https://platform.claude.com/docs/en/about-claude/use-case-guides/legal-summarization"
MODERATION = "https://platform.claude.com/docs/en/about-claude/use-case-guides/content-moderation"
BEDROCK = "https://aws.amazon.com/bedrock/pricing/"


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def compared(
    model: str, use: dict[str, int], bill: list[tuple[str, int | None, str]], *, times: int = 1,
    fee: str = "0", day: date = DAY, vendor: str = "anthropic",
) -> Reconciliation:  # fmt: skip
    """`times` requests that use so much, and lines (meter, quantity, amount); `fee`: what is for no token."""
    uses = [Use(noon(day), model, vendor, tokens=use) for _ in range(times)]
    lines = [
        line(day, F(amount), model=model, vendor=vendor, meter=meter, quantity=quantity)
        for meter, quantity, amount in bill
    ]
    if F(fee):
        lines.append(line(day, F(fee), kind="fee", vendor=vendor, item="session runtime"))
    return explained(uses, lines)


def test_a_session_of_an_hour() -> None:
    """PRICING, “Worked example”: Opus 5, 50,000 input, 15,000 output, one hour at $0.08: $0.705."""
    found = compared(
        "claude-opus-5",
        {"input": 50_000, "output": 15_000},
        [("input", 50_000, "0.25"), ("output", 15_000, "0.375")],
        fee="0.08",
    )
    assert found.charged == F("0.705")
    assert found.ours == F("0.625")
    assert found.causes == {"fee": F("0.08")}
    assert found.unexplained_absolute == 0


@pytest.mark.parametrize("recorded", [True, False])
def test_the_same_session_with_a_cache(recorded: bool) -> None:
    """PRICING, “Worked example”: 40,000 of the tokens read from cache: $0.525. A log that knows of the cache
    agrees; for one that does not the cache is the cause: 40,000 × (0.5 − 5) / 1,000,000 = −0.18."""
    use = {"input": 10_000, "cache_read": 40_000, "output": 15_000}
    if not recorded:
        use = {"input": 50_000, "output": 15_000}
    bill: list[tuple[str, int | None, str]] = [
        ("input", 10_000, "0.05"),
        ("cache_read", 40_000, "0.02"),
        ("output", 15_000, "0.375"),
    ]
    found = compared("claude-opus-5", use, bill, fee="0.08")
    assert found.charged == F("0.525")
    assert found.causes == {"fee": F("0.08")} | ({} if recorded else {"cache": F("-0.18")})
    assert found.unexplained_absolute == 0


@pytest.mark.parametrize(
    ("model", "input", "output", "total", "rounding"),
    [
        ("claude-sonnet-4-5", "258", "5.25", "263.25", "0"),
        # the page writes 1,000 × 350 × 1.25 / 1,000,000 = 0.4375 as $0.44, and the total as $21.96, two cents
        # above the sum of its lines
        ("claude-3-haiku-20240307", "21.50", "0.44", "21.94", "0.0025"),
    ],
)
def test_a_thousand_agreements_summarised(
    model: str, input: str, output: str, total: str, rounding: str
) -> None:
    """LEGAL, “estimated cost”: 1,000 agreements, 86 M tokens of input, 350 of output each."""
    use = {"input": 86_000, "output": 350}
    bill: list[tuple[str, int | None, str]] = [
        ("input", 86_000_000, input),
        ("output", 350_000, output),
    ]
    found = compared(model, use, bill, times=1000, day=EARLIER if "haiku" in model else DAY)
    assert found.charged == F(total)
    assert found.causes == ({"rounding": F(rounding)} if F(rounding) else {})
    assert found.unexplained_absolute == 0


@pytest.mark.parametrize(
    ("model", "input", "output", "total"),
    [("claude-3-haiku-20240307", "715", "1875", "2590"), ("claude-sonnet-4-5", "8580", "22500", "31080")],
)
def test_a_billion_posts_moderated(model: str, input: str, output: str, total: str) -> None:
    """MODERATION, “estimated cost”: 2,860 M tokens of input, 1,500 M of output."""
    use = {"input": 2_860_000_000, "output": 1_500_000_000, "requests": 1_000_000_000}
    bill: list[tuple[str, int | None, str]] = [
        ("input", 2_860_000_000, input),
        ("output", 1_500_000_000, output),
    ]
    found = compared(model, use, bill, day=EARLIER if "haiku" in model else DAY)
    assert found.ours == found.charged == F(total)
    assert found.causes == {}


def test_the_same_posts_as_the_page_counts_them() -> None:
    """The page states 28.6 bn tokens of input and charges 2,860 M, a tenth. With the tokens as stated
    28.6 bn − 2.86 bn = 25.74 bn are missing from the bill: 25,740 × 0.25 = $6,435."""
    found = compared(
        "claude-3-haiku-20240307",
        {"input": 28_600_000_000, "output": 1_500_000_000, "requests": 1_000_000_000},
        [("input", 2_860_000_000, "715"), ("output", 1_500_000_000, "1875")],
        day=EARLIER,
    )
    assert found.causes == {"missing_invoice": F(-6435)}
    assert found.unexplained_absolute == 0


@pytest.mark.parametrize(
    ("model", "total", "least"),
    [("claude-sonnet-4-5", "22.20", "111"), ("claude-opus-4-6", "37.00", "185")],
)
def test_ten_thousand_tickets_cannot_be_reproduced(model: str, total: str, least: str) -> None:
    """PRICING, “Customer support agent example”: 10,000 tickets of 3,700 tokens at $3/$15 (an edition of
    2025), later at $5/$25. Were all tokens input, the cheapest reading, they would come to 37 × 3 = $111 and
    37 × 5 = $185; the page says $22.20 and $37.00. No reading of its prices gives that: it stays unexplained,
    whole."""
    uses = [Use(noon(DAY), model, "anthropic", tokens={"input": 3_700}) for _ in range(10_000)]
    found = explained(uses, [line(DAY, F(total), model=model, vendor="anthropic")])
    assert found.ours == F(least)
    assert found.causes == {}
    assert found.unexplained == F(total) - F(least)
    assert found.breaches(F(2), percent=True)


def test_a_summary_at_the_first_prices_of_bedrock() -> None:
    """BEDROCK, pricing example (an edition of 2023, as quoted in READMEs of AWS samples): Claude 2.1, 11 K
    tokens in at $0.01102, 4 K out at $0.03268 a thousand, in all $0.25. The catalogue has later prices, 8 and
    24 a million: 11,000 × 3.02 + 4,000 × 8.68 = 67,940 millionths; the page rounds 0.25194 to 0.25."""
    uses = [Use(noon(EARLIER), "claude-2.1", "anthropic", tokens={"input": 11_000, "output": 4_000})]
    lines = [
        line(EARLIER, "0.12122", model="claude-2.1", vendor="anthropic", meter="input", quantity=11_000),
        line(EARLIER, "0.13072", model="claude-2.1", vendor="anthropic", meter="output", quantity=4_000),
        line(EARLIER, "-0.00194", kind="adjustment", vendor="anthropic", item="rounded to cents"),
    ]
    found = explained(uses, lines)
    assert found.charged == F("0.25")
    assert found.causes == {"list_price": F("0.06794"), "adjustment": F("-0.00194")}
    assert found.unexplained_absolute == 0
