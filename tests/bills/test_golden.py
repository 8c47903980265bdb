"""Bills worked out by hand, from the catalogue's own facts. Every YAML document beside this is one case.

offer, model    what is billed; model: what requests ask for when they do not say (else the offer's first)
as_of           what was known then (else on the day the facts were gathered); in_force: terms frozen then
requests        time, quantities by meter, tier; `times` repeats a request `every` so many seconds
expect          total, or low and high where something is unpublished; served, refused, free_tokens,
                prepaid_tokens, forfeited (tokens), prepaid (money to put down); unknown_limits: some limit is
                not published, and served and refused are by those that are
"""

from __future__ import annotations

import fnmatch
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from engine import run
from reference import METERS, Row

from pricewar.offers.catalogue import load_catalogue
from pricewar.units import count

GATHERED = date(2026, 11, 22)
FOLDER = Path(__file__).parent / "golden"
FAMILIES = {  # every row of the list of offers that the schema must be able to say
    "DeepSeek V3 and R1, night prices": ["deepseek/v3", "deepseek/r1"],
    "DeepSeek V4-Pro": ["deepseek/v4-pro"],
    "DeepSeek V4-Flash": ["deepseek/v4-flash"],
    "Gemini 2.5 Flash free": ["google/gemini-2.5-flash-free"],
    "Gemini 3.x Flash introductory": ["google/flash-3.6", "google/flash-3.7", "google/flash-3.8"],
    "Groq free": ["groq/llama-3.3-70b-free"],
    "OpenRouter free": ["openrouter/free", "openrouter/free-after-10-usd"],
    "Mistral free": ["mistral/free"],
    "Cerebras free": ["cerebras/*-free"],
    "GitHub Models": ["github/models-low"],
    "OpenAI data sharing": ["openai/data-sharing-tier-1-2", "openai/data-sharing-tier-3-5"],
    "Alibaba grant": ["alibaba/new-user", "alibaba/new-user-stop", "alibaba-intl/new-user"],
    "Baidu Speed and Lite": ["baidu/ernie-speed-8k-free*", "baidu/ernie-lite-8k-free*"],
    "Baidu packs": ["baidu/ernie-4.0-pack-*"],
    "Doubao-pro-32k": ["volcengine/doubao-pro-32k*"],
    "Hunyuan-lite": ["tencent/hunyuan-lite"],
    "Spark Lite": ["iflytek/spark-lite"],
    "GLM Flash": ["zhipu/flash-free", "zai/flash-free"],
    "Anthropic": ["anthropic/*"],
    "Scaleway": ["scaleway/generative-apis"],
    "Together": ["together/*"],
    "Kimi": ["moonshotai/*"],
    "OpenRouter fee": ["openrouter/*"],
    "Azure provisioned": ["azure/*-ptu-*"],
}


def cases() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for case in document if isinstance(document, list) else [document]:
                if case is not None:
                    found.append(pytest.param(case, id=f"{path.stem}: {case['name']}"))
    return found


CASES = cases()


def moment(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def rows_of(case: dict[str, Any], first: str) -> list[Row]:
    rows = []
    for request in case["requests"]:
        every = float(str(request.get("every", "0s")).removesuffix("s"))
        unknown = set(request) - {"time", "times", "every", "model", "tier", *METERS}
        assert not unknown, unknown
        for i in range(request.get("times", 1)):
            rows.append(
                Row(
                    moment(request["time"]) + timedelta(seconds=every * i),
                    request.get("model", case.get("model", first)),
                    {m: request[m] for m in METERS if m in request},
                    request.get("tier", "standard"),
                )
            )
    return sorted(rows, key=lambda row: row.time)


@pytest.mark.parametrize("case", CASES)
def test_bill_worked_out_by_hand(case: dict[str, Any]) -> None:
    catalogue = load_catalogue(moment(case["as_of"]).date() if "as_of" in case else GATHERED)
    offer = catalogue.offer(case["offer"])
    rows = rows_of(case, offer.latest.models[0].name)
    frozen = moment(case["in_force"]) if "in_force" in case else None
    sure, refused = run(offer, rows, frozen=frozen)
    hoped, hoped_refused = run(offer, rows, frozen=frozen, open_unknowns=True)
    expect = dict(case["expect"])
    unsaid = bool(sure.tariff.unknown) or any(w.startswith("limit") for w in sure.tariff.unknowns)
    if unsaid:
        assert "unknown_limits" in expect
        if "served" in expect:  # what the published limits let through
            sure, refused = hoped, hoped_refused
    found: dict[str, Any] = {
        "total": sure.total,
        "low": min(hoped.total, sure.total),
        "high": max(hoped.total, sure.total),
        "served": sure.served,
        "refused": sum(refused),
        "free_tokens": sure.free_tokens,
        "prepaid_tokens": sum(line.quantity for line in sure.lines if "prepaid" in line.rule.text
                              and line.unit == "tokens"),
        "prepaid": offer.latest.charges.prepayment or offer.latest.eligibility.spent_before,
        "forfeited": next((t.args["amount"] for t in sure.bit if t.key == "unused_forfeited"), "0"),
        "unknown_limits": unsaid,
    }  # fmt: skip
    if "forfeited" in expect:
        expect["forfeited"] = count(expect["forfeited"])
    for key in ("total", "low", "high", "prepaid"):
        if key in expect:
            expect[key] = Fraction(str(expect[key]))
    assert {key: found[key] for key in expect} == expect
    assert "total" in expect or {"low", "high"} <= set(expect)


def test_enough_cases_and_every_family() -> None:
    assert len(CASES) >= 40
    billed = {case.values[0]["offer"] for case in CASES}
    missing = {
        family: pattern
        for family, patterns in FAMILIES.items()
        for pattern in patterns
        if not any(fnmatch.fnmatchcase(id, pattern) for id in billed)
    }
    assert not missing
