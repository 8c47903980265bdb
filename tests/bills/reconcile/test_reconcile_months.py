"""Invented months whose truth is known: causes injected with amounts worked out by hand come out exactly.

Prices of a million tokens in November 2026: gpt-5-mini 0.25 in, 0.025 cached, 2.00 out; batch 0.125, 0.0125,
1.00; priority 0.45, 0.045, 3.60. Sonnet 5: 2 in, 0.20 cached, 2.50 written, 10 out. qwen-plus in CNY: 0.8 in,
2 out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from invoiced import Use, explained, line

F = Fraction
DAYS = [date(2026, 11, d) for d in range(1, 21)]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def mini(day: date, input: int, output: int, **more: object) -> Use:
    tokens = {"input": input, "output": output, "cache_read": more.pop("cache_read", 0)}
    return Use(noon(day), "gpt-5-mini", tokens=tokens, **more)  # type: ignore[arg-type]


def mini_lines(day: date, input: int, output: int, cached: int = 0, tier: str | None = None) -> list:
    factor = F(1, 2) if tier == "batch" else 1
    found = [
        line(day, F(input, 4 * 10**6) * factor, model="gpt-5-mini", meter="input", quantity=input, tier=tier),
        line(
            day, F(2 * output, 10**6) * factor, model="gpt-5-mini", meter="output", quantity=output, tier=tier
        ),
    ]
    if cached:
        amount = F(cached, 40 * 10**6) * factor
        found.append(line(day, amount, model="gpt-5-mini", meter="cache_read", quantity=cached, tier=tier))
    return found


def test_a_month_without_a_gap() -> None:
    uses = [mini(d, 1_000_003, 50_001) for d in DAYS]
    lines = [x for d in DAYS for x in mini_lines(d, 1_000_003, 50_001)]
    found = explained(uses, lines)
    # 20 × (1.000003 × 0.25 + 0.050001 × 2.00) = 20 × (0.25000075 + 0.100002) = 7.000055
    assert found.ours == found.charged == F("7.000055")
    assert found.causes == {}
    assert found.unexplained == 0


def test_batch_that_the_log_does_not_know() -> None:
    """All of it was batch; the log, written by a proxy, says standard throughout."""
    uses = [mini(d, 2_000_000, 100_000) for d in DAYS]
    lines = [x for d in DAYS for x in mini_lines(d, 2_000_000, 100_000, tier="batch")]
    found = explained(uses, lines)
    # ours 20 × (2 × 0.25 + 0.1 × 2) = 14; charged half
    assert found.ours == 14
    assert found.causes == {"batch": F(-7)}
    assert found.unexplained == 0


def test_part_of_it_batch() -> None:
    uses = [mini(d, 2_000_000, 100_000) for d in DAYS]
    lines = [x for d in DAYS for x in mini_lines(d, 1_500_000, 60_000)]
    lines += [x for d in DAYS for x in mini_lines(d, 500_000, 40_000, tier="batch")]
    found = explained(uses, lines)
    # 20 × (0.5 × 0.125 + 0.04 × 1.00) = 20 × 0.1025 = 2.05 less
    assert found.causes == {"batch": F("-2.05")}
    assert found.unexplained == 0


def test_batch_told_by_the_price_alone() -> None:
    """A cost report with neither quantities nor tiers: half of everything is the batch price."""
    uses = [mini(d, 2_000_000 + 1000 * i, 100_000) for i, d in enumerate(DAYS)]
    lines = []
    for i, d in enumerate(DAYS):
        lines.append(line(d, F(2_000_000 + 1000 * i, 8 * 10**6), model="gpt-5-mini", meter="input"))
        lines.append(line(d, F("0.1"), model="gpt-5-mini", meter="output"))
    found = explained(uses, lines)
    # 20 × 0.35 + 0.125 × 0.001 × 190 = 7 + 0.02375
    assert found.causes == {"batch": -F("7.02375")}
    assert found.unexplained == 0


def test_cached_tokens_that_the_log_does_not_know() -> None:
    uses = [mini(d, 1_000_000, 10_000) for d in DAYS]
    lines = [x for d in DAYS for x in mini_lines(d, 400_000, 10_000, cached=600_000)]
    found = explained(uses, lines)
    # 20 × 0.6 × (0.025 − 0.25) = −2.70
    assert found.causes == {"cache": F("-2.7")}
    assert found.unexplained == 0


def test_cached_tokens_that_the_invoice_does_not_grant() -> None:
    uses = [mini(d, 400_000, 10_000, cache_read=600_000) for d in DAYS]
    for quantities in (True, False):
        lines = []
        for d in DAYS:
            q = (1_000_000, 10_000) if quantities else (None, None)
            lines.append(line(d, F("0.25"), model="gpt-5-mini", meter="input", quantity=q[0]))
            lines.append(line(d, F("0.02"), model="gpt-5-mini", meter="output", quantity=q[1]))
        found = explained(uses, lines)
        assert found.causes == {"cache": F("2.7")}
        assert found.unexplained == 0


def test_batch_and_cache_at_once() -> None:
    """The log: 1 M input, standard. The invoice: 0.4 M batch input, 0.6 M read from cache by batch."""
    uses = [mini(d, 1_000_000, 0) for d in DAYS]
    lines = [x for d in DAYS for x in mini_lines(d, 400_000, 0, cached=600_000, tier="batch")]
    found = explained(uses, lines)
    # tier first: 1 × (0.125 − 0.25) = −0.125 a day; then cache: 0.6 × (0.0125 − 0.125) = −0.0675 a day
    assert found.causes == {"batch": F("-2.5"), "cache": F("-1.35")}
    assert found.unexplained == 0


def test_days_of_another_time_zone() -> None:
    """The invoice's days are Shanghai's, its file says nothing, so that they read as UTC's."""
    start = datetime(2026, 10, 31, tzinfo=UTC)
    hours = [start + timedelta(hours=h) for h in range(24 * 22)]
    tokens = {h: 10_000 + 137 * i for i, h in enumerate(hours)}
    uses = [Use(h, "gpt-5-mini", tokens={"input": n}) for h, n in tokens.items()]
    lines = []
    for d in DAYS:
        begins = datetime(d.year, d.month, d.day, tzinfo=UTC) - timedelta(hours=8)
        n = sum(tokens[begins + timedelta(hours=k)] for k in range(24))
        lines.append(line(d, F(n, 4 * 10**6), model="gpt-5-mini", meter="input", quantity=n))
    found = explained(uses, lines, first=DAYS[0], last=DAYS[-1])
    # in: hours 16–23 of 31 October (indices 16–23); out: hours 16–23 of 20 November (496–503)
    # 8 × 480 × 137 = 526,080 tokens fewer × 0.25 / M
    assert found.causes == {"zone": -F(526_080, 4 * 10**6)}
    assert found.unexplained == 0
    assert found.clock.name == "UTC+08:00"
    assert (found.clock.agree, found.clock.agreed, found.clock.of) == (0, 20, 20)


def test_a_clock_that_changes_with_the_season() -> None:
    """Days of Los Angeles, which goes from UTC−7 to UTC−8 on 1 November 2026."""
    from zoneinfo import ZoneInfo

    start = datetime(2026, 10, 19, tzinfo=UTC)
    hours = [start + timedelta(hours=h) for h in range(24 * 30)]
    tokens = {h: 10_000 + 731 * (i * i % 97) for i, h in enumerate(hours)}
    uses = [Use(h, "gpt-5-mini", tokens={"input": n}) for h, n in tokens.items()]
    by_day: dict[date, int] = {}
    for h, n in tokens.items():
        by_day[h.astimezone(ZoneInfo("America/Los_Angeles")).date()] = (
            by_day.get(h.astimezone(ZoneInfo("America/Los_Angeles")).date(), 0) + n
        )
    days = [date(2026, 10, 20) + timedelta(days=i) for i in range(28)]
    lines = [
        line(d, F(by_day[d], 4 * 10**6), model="gpt-5-mini", meter="input", quantity=by_day[d]) for d in days
    ]
    found = explained(uses, lines, first=days[0], last=days[-1])
    assert found.clock.name == "America/Los_Angeles"
    assert set(found.causes) == {"zone"}
    assert found.unexplained == 0


def test_a_package_of_tokens_in_yuan() -> None:
    """qwen-plus in China: a resource package pays the first days; quantities are thousands, rounded up."""
    request = {"input": 100_012, "output": 20_045}  # ten a day: 1,000,120 and 200,450 tokens
    uses = [Use(noon(d), "qwen-plus", "alibaba", tokens=request) for d in DAYS for _ in range(10)]
    lines = []
    for i, d in enumerate(DAYS):
        for meter, q, price in (("input", 1_001_000, F("0.8")), ("output", 201_000, F(2))):
            value = q * price / 10**6
            lines.append(
                line(d, 0 if i < 5 else value, model="qwen-plus", meter=meter, quantity=q, listed=value,
                     vendor="alibaba", zone="Asia/Shanghai", currency="CNY",
                     kind="allowance" if i < 5 else "usage")
            )  # fmt: skip
    found = explained(uses, lines)
    # ours 20 × (1.00012 × 0.8 + 0.20045 × 2) = 20 × (0.800096 + 0.4009) = 24.01992
    assert found.ours == F("24.01992")
    # quantities: 880 × 0.8 + 550 × 2 a million = 0.000704 + 0.0011 = 0.001804 a day × 20 = 0.03608
    # package: 5 × (0.8008 + 0.402) = 6.014
    assert found.causes == {"rounding": F("0.03608"), "allowance": F("-6.014")}
    assert found.unexplained == 0
    assert found.currency == "CNY"


def test_euros_and_value_added_tax() -> None:
    """A reseller bills in euros at its own rate, 0.9125, adds 19% tax and a fee."""
    uses = [mini(d, 4_000_000, 300_000) for d in DAYS]
    lines = []
    for d in DAYS:
        lines.append(line(d, "0.9125", model="gpt-5-mini", meter="input", quantity=4_000_000, currency="EUR"))
        lines.append(line(d, "0.5475", model="gpt-5-mini", meter="output", quantity=300_000, currency="EUR"))
    net = 20 * F("1.46")  # 29.20
    lines.append(line(DAYS[-1], net * F("0.19"), kind="tax", currency="EUR", item="VAT 19%"))
    lines.append(line(DAYS[-1], "5", kind="fee", currency="EUR", item="support"))
    lines.append(line(DAYS[-1], "-2.5", kind="credit", currency="EUR", item="voucher"))
    found = explained(uses, lines)
    # ours 20 × 1.60 USD = 32 at our rate of 2026-07-17, 1 EUR = 1.1435 USD
    assert found.ours == 32 / F("1.1435")
    assert found.causes == {
        "currency": 32 * (F("0.9125") - 1 / F("1.1435")),
        "tax": F("5.548"),
        "fee": F(5),
        "credit": F("-2.5"),
    }
    assert found.unexplained == 0
    assert any("1 USD = 0.9125 EUR" in words for words in found.implied)


def test_free_tokens_that_the_invoice_leaves_out() -> None:
    """2.5 M tokens a day of small models are free for sharing data; the invoice has what is beyond. On the
    1st less than that was used, and nothing is charged."""
    uses, lines = [], []
    for d in DAYS:
        used = 900_000 if d.day == 1 else 3_000_000 + 1003 * d.day
        uses.append(mini(d, used, 0))
        if d.day > 1:
            lines += mini_lines(d, used - 2_500_000, 0)[:1]
    found = explained(uses, lines)
    # 19 × 2.5 × 0.25 + 0.9 × 0.25 = 11.875 + 0.225
    assert found.causes == {"allowance": F("-12.1")}
    assert found.unexplained == 0
    (why,) = {row.why["allowance"] for row in found.rows if "allowance" in row.why}
    assert why == "2.5 M tokens a day are not on the invoice, as openai/data-sharing-tier-1-2 gives"


def test_a_grant_that_the_invoice_leaves_out() -> None:
    """Alibaba gives 1 M tokens of each model: the first 1,000,000 of input never show."""
    uses = [Use(noon(d), "qwen-plus", "alibaba", tokens={"input": 90_000}) for d in DAYS]
    left, lines = 1_000_000, []
    for d in DAYS:
        billed = 90_000 - min(left, 90_000)
        left -= min(left, 90_000)
        if billed:
            lines.append(line(d, F(billed * 8, 10**7), model="qwen-plus", meter="input", quantity=billed,
                              vendor="alibaba", currency="CNY"))  # fmt: skip
    found = explained(uses, lines)
    assert found.causes == {"allowance": F("-0.8")}
    assert found.unexplained == 0


def test_an_unlisted_model_and_missing_days() -> None:
    uses = [mini(d, 1_000_000, 0) for d in DAYS if d.day not in (7, 8)]  # the proxy was down for two days
    uses += [Use(noon(d), "house-model-7b", "acme", tokens={"input": 500_000}) for d in DAYS]
    uses += [Use(noon(d), "claude-sonnet-5", "anthropic", tokens={"input": 100_000}) for d in DAYS[:3]]
    lines = [x for d in DAYS for x in mini_lines(d, 1_000_000, 0)[:1]]
    lines += [
        line(d, "0.05", model="house-model-7b", meter="input", quantity=500_000, vendor="acme") for d in DAYS
    ]
    found = explained(uses, lines)
    assert found.causes == {
        "missing_log": F("0.5"),  # 2 days × 0.25
        "missing_invoice": F("-0.6"),  # 3 days × 0.1 M × 2
        "unlisted": F(1),  # 20 × 0.05
    }
    assert found.unexplained == 0
    assert found.ours == 18 * F("0.25") + F("0.6")
    assert any("acme/house-model-7b" in note for note in found.notes)


def test_another_list_price_names_both() -> None:
    """From the 11th the vendor charges 0.30 for input; the catalogue still says 0.25."""
    uses = [mini(d, 1_234_567, 100_000) for d in DAYS]
    lines = []
    for d in DAYS:
        price = F("0.3") if d.day > 10 else F("0.25")
        lines.append(
            line(d, 1_234_567 * price / 10**6, model="gpt-5-mini", meter="input", quantity=1_234_567)
        )
        lines.append(line(d, "0.2", model="gpt-5-mini", meter="output", quantity=100_000))
    found = explained(uses, lines)
    assert found.causes == {"list_price": 10 * F("1.234567") * F("0.05")}
    assert found.unexplained == 0
    (why,) = {row.why["list_price"] for row in found.rows if "list_price" in row.why}
    assert why.startswith("0.3 USD per million on the invoice, 0.25 in the catalogue (openai/gpt-5-mini")
    assert "read on 2026-" in why


def test_lines_rounded_to_cents() -> None:
    uses = [mini(d, 1_234_567, 100_321) for d in DAYS]
    lines = []
    for d in DAYS:
        # 1.234567 × 0.25 = 0.30864175 → 0.31; 0.100321 × 2 = 0.200642 → 0.20
        lines.append(line(d, "0.31", model="gpt-5-mini", meter="input", quantity=1_234_567))
        lines.append(line(d, "0.20", model="gpt-5-mini", meter="output", quantity=100_321))
    found = explained(uses, lines)
    assert found.causes == {"rounding": 20 * (F("0.51") - F("0.30864175") - F("0.200642"))}
    assert found.unexplained == 0


def test_a_discount_on_every_line_and_one_on_the_line() -> None:
    uses = [mini(d, 1_000_000, 100_000) for d in DAYS]
    hidden = []
    shown = []
    for d in DAYS:
        for meter, q, value in (("input", 1_000_000, F("0.25")), ("output", 100_000, F("0.2"))):
            hidden.append(line(d, value * F("0.85"), model="gpt-5-mini", meter=meter, quantity=q))
            shown.append(
                line(d, value * F("0.85"), model="gpt-5-mini", meter=meter, quantity=q, listed=value)
            )
    for lines in (hidden, shown):
        found = explained(uses, lines)
        # 20 × 0.45 × 15% = 1.35
        assert found.causes == {"discount": F("-1.35")}
        assert found.unexplained == 0
    assert "every price is 15% below the catalogue's" in explained(uses, hidden).implied


def test_tax_inside_the_prices() -> None:
    uses = [mini(d, 1_000_000, 100_000) for d in DAYS]
    lines = []
    for d in DAYS:
        lines.append(line(d, F("0.265"), model="gpt-5-mini", meter="input", quantity=1_000_000))
        lines.append(line(d, F("0.212"), model="gpt-5-mini", meter="output", quantity=100_000))
    found = explained(uses, lines)
    assert found.causes == {"tax": 20 * F("0.027")}  # 6% of 0.45
    assert found.unexplained == 0


def test_priority_and_flex() -> None:
    """The log asks for priority; on half the days the vendor fell back to standard and charged that."""
    uses = [mini(d, 1_000_000, 0, tier="priority") for d in DAYS]
    lines = []
    for d in DAYS:
        tier, price = ("priority", "0.45") if d.day % 2 else ("standard", "0.25")
        lines.append(line(d, price, model="gpt-5-mini", meter="input", quantity=1_000_000, tier=tier))
    found = explained(uses, lines)
    assert found.causes == {"priority": F("-2")}  # 10 × (0.25 − 0.45)
    assert found.unexplained == 0


def test_what_nobody_can_explain_stays_a_number() -> None:
    uses = [mini(d, 1_000_000, 0) for d in DAYS]
    lines = [x for d in DAYS for x in mini_lines(d, 1_000_000, 0)[:1]]
    lines[3] = line(DAYS[3], "0.3217171", model="gpt-5-mini", meter="input", quantity=1_000_000)
    lines[4] = line(DAYS[4], "0.2011113", model="gpt-5-mini", meter="input", quantity=1_000_000)
    found = explained(uses, lines)
    assert found.causes == {}
    assert found.unexplained == F("0.0717171") - F("0.0488887")
    assert found.unexplained_absolute == F("0.0717171") + F("0.0488887")
    # 20 × 0.25 + 0.0228284 = 5.0228284: 2.4% of it is unexplained when nothing is set off
    assert found.breaches(F(2), percent=True)
    assert not found.breaches(F(3), percent=True)
    assert found.breaches(F("0.12"), percent=False)
    assert not found.breaches(F("0.13"), percent=False)
    assert not found.breaches(F("0.03"), percent=False, of_gap=True)


def test_everything_at_once() -> None:
    """Six causes in one month, each in a part of its own, all recovered."""
    uses, lines = [], []
    for d in DAYS:
        uses.append(mini(d, 1_000_003, 100_007))
        lines += mini_lines(d, 500_003, 100_007) + mini_lines(d, 500_000, 0, tier="batch")[:1]
        uses.append(Use(noon(d), "claude-sonnet-5", "anthropic", tokens={"input": 300_001, "output": 10_003}))
        sonnet = {"model": "claude-sonnet-5", "vendor": "anthropic"}
        lines.append(line(d, F("0.200002"), meter="input", quantity=100_001, **sonnet))
        lines.append(line(d, F("0.04"), meter="cache_read", quantity=200_000, **sonnet))
        lines.append(line(d, F("0.10003"), meter="output", quantity=10_003, **sonnet))
    lines = [x for x in lines if not (x.model == "gpt-5-mini" and x.meter == "output" and x.start == _on(5))]
    lines.append(line(DAYS[-1], "-1", kind="credit", item="promotion"))
    lines.append(line(DAYS[-1], "3.21", kind="tax", item="GST"))
    found = explained(uses, lines)
    assert found.causes == {
        "batch": -20 * F("0.0625"),  # 0.5 M × (0.125 − 0.25)
        "cache": -20 * F("0.36"),  # 0.2 M × (0.2 − 2)
        "missing_invoice": -F("0.200014"),  # the output of the 5th
        "credit": F(-1),
        "tax": F("3.21"),
    }
    assert found.unexplained == 0


def _on(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC)
