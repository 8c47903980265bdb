"""A real trace, billed: the arithmetic of its sums is the bill."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from pricewar.billing.desk import compare
from pricewar.offers.catalogue import load_catalogue
from pricewar.usage.read import read

TRACES = Path(__file__).parents[3] / "shared" / "data" / "traces"


def test_the_azure_code_trace_of_2023() -> None:
    """8,819 requests of an hour (Azure public dataset, CC-BY-4.0), as if made on today's terms."""
    path = TRACES / "AzureLLMInferenceTrace_2023_code.csv"
    if not path.exists():
        pytest.skip("the Azure trace is not beside this checkout (../shared/data/traces)")
    log = read(path, mapping={"model": "=gpt-5-mini", "vendor": "=openai"})
    catalogue = load_catalogue(date(2026, 11, 22))
    found = compare(
        log,
        catalogue,
        [catalogue.offer("openai/gpt-5-mini"), catalogue.offer("groq/gpt-oss-120b-free")],
        frozen=datetime(2026, 11, 22, tzinfo=UTC),
    )
    frame = log.frame()
    context, generated = int(frame["input"].sum()), int(frame["output"].sum())
    assert (context, generated) == (18_059_974, 245_896)
    # 18,059,974 × 0.25 / 1M = 4.5149935 ; 245,896 × 2.00 / 1M = 0.491792 ; sum 5.0067855 USD
    assert found.baseline == Fraction("5.0067855")
    by_id = {entry.offer.id: entry for entry in found.entries}
    assert by_id["openai/gpt-5-mini"].total.mid == found.baseline
    free = by_id["groq/gpt-oss-120b-free"]
    # 8,000 tokens a minute in an hour that has 18 M: nearly all of it goes back to where it came from
    assert free.served.mid is not None
    assert 0 < free.served.mid < Fraction(1, 10)
    assert free.total.mid is not None
    assert Fraction("4.9") < free.total.mid < found.baseline
