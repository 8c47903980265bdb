"""A comparison such as billing makes, made up from a seed: realistic in size and shape, true in nothing."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

VENDORS = {
    "openai": ["gpt-5", "gpt-5-mini", "gpt-5-nano"],
    "anthropic": ["claude-opus-4.5", "claude-sonnet-4.5", "claude-haiku-4.5"],
    "google": ["gemini-3-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"],
    "deepseek": ["deepseek-v4-pro", "deepseek-v4-flash"],
    "groq": ["llama-3.3-70b-versatile", "gpt-oss-120b"],
    "alibaba": ["qwen3-max", "qwen-plus", "qwen-flash"],
    "zhipu": ["glm-5", "glm-4.7-flash"],
    "moonshot": ["kimi-k2.5"],
    "mistral": ["mistral-large-3", "mistral-small-4"],
    "volcengine": ["doubao-seed-2.0-pro", "doubao-seed-2.0-mini"],
    "cerebras": ["qwen-3-235b-a22b-instruct-2507"],
    "openrouter": ["deepseek/deepseek-v4-flash:free", "z-ai/glm-4.7-flash:free"],
}
PLANS = {
    "list": ["standard", "batch", "flex"],
    "free": ["free"],
    "grant": ["trial grant"],
    "pack": ["10 M pack", "100 M pack"],
    "introductory": ["launch price"],
    "provisioned": ["reserved, monthly"],
}
TOKENS = 335_000_000
REQUESTS = 119_990


def term(key: str, text: str, /, **args: Any) -> dict[str, Any]:
    return {"key": key, "args": args, "text": text}


def spread(mid: float, width: float) -> dict[str, str]:
    return {"low": f"{mid * (1 - width):.6f}", "mid": f"{mid:.6f}", "high": f"{mid * (1 + width):.6f}"}


def _offer(random_: random.Random, place: int, light_of: dict[str, bool]) -> dict[str, Any]:
    kind = random_.choices(list(PLANS), [60, 14, 10, 8, 6, 4])[0]
    vendor = random_.choice(list(VENDORS))
    model = random_.choice(VENDORS[vendor])
    plan = random_.choice(PLANS[kind])
    light = light_of.setdefault(model, "mini" in model or "flash" in model or "nano" in model)
    exact = model == "gpt-5-mini" and random_.random() < 0.9
    base = random_.lognormvariate(-1.3 if light else 0.3, 0.7)
    headline, effective, free, paid = base, base, 0.0, 1.0
    bit, refused, warnings = [], [], []
    if kind in ("free", "grant"):
        headline = 0.0 if kind == "free" else base
        free = random_.betavariate(1.2, 2.2)
        paid = 0.0 if kind == "free" else 1 - free
        effective = (1 - free) * random_.uniform(0.4, 1.4)
        if kind == "free":
            refused.append(
                term("limit_hit", "100,000 tokens a day", meter="tokens", amount="100000", per="day")
                | {"requests": int(REQUESTS * (1 - free)), "tokens": int(TOKENS * (1 - free))}
            )
            bit.append(term("limit_hit", "1,000 requests a day", meter="requests", amount="1000", per="day"))
            if random_.random() < 0.5:
                warnings.append(term("trains_on_data", "trains on your data"))
            if random_.random() < 0.35:
                warnings.append(term("unknown_limits", "its limits are not published"))
        else:
            bit.append(term("allowance_used_up", "used up", amount="1000000", unit="tokens"))
            bit.append(term("allowance_expired", "expired", on="2026-10-20"))
            warnings.append(term("new_account_only", "new accounts only"))
    elif kind == "pack":
        effective = base * random_.uniform(1.05, 1.9)
        bit += [
            term("pack_bought", "3 packs for 189", count=3, amount="26.60"),
            term("unused_forfeited", "unused and void", amount="4.18"),
        ]
    elif kind == "provisioned":
        effective = base * random_.uniform(1.5, 6)
        bit.append(term("commitment", "commitment", amount="250", per="month", unused="forfeit"))
    elif kind == "introductory":
        bit.append(term("a_key_nobody_knows", "a term in English only"))
        warnings.append(term("ends_soon", "ends soon", on="2026-12-31"))
        warnings.append(term("announced_rise", "doubles", on="2027-01-01"))
    elif random_.random() < 0.3:
        effective = base * random_.uniform(1.02, 1.6)
        bit.append(
            random_.choice(
                [
                    term("peak_hours", "31% at peak", share="0.31"),
                    term("cliff", "long inputs are dearer", above=200000, share="0.08"),
                    term("platform_fee", "5.5% fee", percent="5.5"),
                    term("rounding", "rounded up", increment="1000000"),
                    term("minimum", "minimum", amount="5"),
                ]
            )
        )
    served = free + paid
    width = 0.0 if exact else random_.uniform(0.08, 0.4)
    if not exact:
        warnings.append(term("other_model", "another model answers"))
    total = effective * TOKENS / 1e6
    unit = spread(effective, width)
    lines = []
    for meter, share in (("input", 0.55), ("cache_read", 0.2), ("output", 0.25)):
        quantity = int(TOKENS * share)
        price = headline * (3 if meter == "output" else 0.1 if meter == "cache_read" else 0.6)
        lines.append(
            {
                "meter": meter,
                "quantity": str(quantity),
                "unit": "tokens",
                "price": f"{price:.6g}",
                "per": 1_000_000,
                "amount": f"{price * quantity / 1e6:.6f}",
                "rule": random_.choice(
                    [
                        term("list_price", "list price"),
                        term("window", "at night", hours="16:30-00:30", zone="UTC", weekdays="mon, fri"),
                        term("above", "above 200,000", n=200000),
                        term("tier", "batch", tier="batch"),
                    ]
                ),
                "source": 0,
                "allowance": None,
            }
        )
    return {
        "id": f"{vendor}/{model}-{kind}-{place}",
        "vendor": vendor,
        "plan": plan,
        "model": model,
        "kind": kind,
        "light": light,
        "confidence": random_.choice(["high", "medium", "low"]),
        "exact": exact,
        "headline_per_mtok": f"{headline:.6g}",
        "per_mtok": unit,
        "total": spread(total, width),
        "own": spread(total if kind != "free" else 0.0, width),
        "overflow": spread(total if kind == "free" else 0.0, width),
        "overflow_to": "as-logged",
        "native_currency": "CNY" if vendor in ("alibaba", "zhipu", "volcengine") else "USD",
        "fx": {"rate": "0.1408", "on": "2026-11-20", "source": "central parity"}
        if vendor in ("alibaba", "zhipu", "volcengine")
        else None,
        "served_share": {"low": f"{served * 0.95:.3f}", "mid": f"{served:.3f}", "high": f"{served:.3f}"},
        "free_share": f"{free:.3f}",
        "paid_share": f"{paid:.3f}",
        "refused": refused,
        "bit": bit,
        "warnings": warnings,
        "sources": [
            {"url": f"https://{vendor}.example/pricing", "read_on": "2026-11-02", "says": None},
            {"url": f"https://docs.{vendor}.example/limits", "read_on": "2026-09-27", "says": "250 a day"},
        ],
        "in_force": {"from": random_.choice(["unknown", "2026-02-01"]), "until": None},
        "announced": [],
        "lines": lines,
    }


def comparison(offers: int = 120, days: int = 31, seed: int = 7) -> dict[str, Any]:
    """A whole comparison over that many offers."""
    random_ = random.Random(seed)
    light_of: dict[str, bool] = {}
    billed = [_offer(random_, place, light_of) for place in range(offers)]
    billed.sort(key=lambda offer: float(offer["total"]["mid"]))
    for rank, offer in enumerate(billed, 1):
        offer["rank"] = rank
    if offers > 30:
        # What nobody published: shown as unknown, ranked last.
        lost = billed[-1]
        lost |= {"headline_per_mtok": None, "free_share": None, "paid_share": None, "rank": None}
        for key in ("per_mtok", "total", "own", "overflow", "served_share"):
            lost[key] = dict.fromkeys(("low", "mid", "high"))
        lost["warnings"] = [term("unknown_value", "price unknown", what="output price")]
    start = date(2026, 10, 1)
    series = []
    for place in range(days):
        day = start + timedelta(place)
        load = (0.35 if day.weekday() > 4 else 1) * (1 + place / days) * random_.uniform(0.85, 1.15)
        series.append({"day": day.isoformat(), "requests": int(3000 * load), "tokens": int(8.4e6 * load)})
    shape = {"input": 0.55, "cache_read": 0.18, "cache_write_5m": 0.03, "output": 0.18, "reasoning": 0.06}
    models = []
    for vendor, model, share in (
        ("openai", "gpt-5-mini", 0.48),
        ("openai", "gpt-5", 0.22),
        ("anthropic", "claude-sonnet-4.5", 0.19),
        ("google", "gemini-2.5-flash", 0.08),
        ("openai", "gpt-5-nano", 0.03),
    ):
        models.append(
            {
                "vendor": vendor,
                "model": model,
                "requests": int(REQUESTS * share),
                "tokens": {meter: int(TOKENS * share * part) for meter, part in shape.items()}
                | {"cache_write_1h": 0, "search": 120 if model == "gpt-5" else 0},
            }
        )
    return {
        "pricewar": "0.1.0",
        "made": "2026-11-22T08:00:00Z",
        "command": "pricewar bill log.csv --html report.html",
        "as_of": "2026-11-22",
        "terms": "replay",
        "currency": "USD",
        "log": {
            "source": ["log.csv"],
            "format": "litellm-spendlogs",
            "rows_in": REQUESTS + 10,
            "rows": REQUESTS,
            "requests": REQUESTS,
            "bucket_seconds": None,
            "first": "2026-10-01T00:00:04Z",
            "last": f"{(start + timedelta(days - 1)).isoformat()}T23:59:10Z",
            "days": series,
            "models": models,
            "exclusions": [
                {"cause": "negative tokens", "count": 4, "examples": ["log.csv:17", "log.csv:90210"]},
                {"cause": "no model named", "count": 6, "examples": ["log.csv:4411"]},
            ],
            "notes": ["Times without a zone were taken as UTC."],
        },
        "assumptions": {
            "tokens": ["0.9", "1", "1.1"],
            "verbosity": ["0.7", "1", "1.4"],
            "cache": ["1", "1", "0"],
            "text": ["Another model counts the same text as 0.9 to 1.1 times the tokens."],
        },
        "baseline": {
            "id": "as-logged",
            "total": "412.33",
            "per_mtok": "1.23",
            "complete": True,
            "models": [
                {"vendor": m["vendor"], "model": m["model"], "offer": m["model"], "total": "82.466"}
                for m in models
            ],
            "missing": [],
        },
        "offers": billed,
        "not_billed": [
            {"id": "github-models/free", "why": term("retired", "retired on 2026-07-30", on="2026-07-30")},
            {"id": "baidu/ernie-speed", "why": term("unknown_value", "no output price", what="output price")},
        ],
    }


HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "<!--<script>",
    "\u202egnp.exe\u202c",
    "\x1b[31mred\x1b[0m\x07",
    '=HYPERLINK("https://evil.example","x")',
    "{{ 7*7 }}{% raw %}",
    "${alert(4)}`",
    "line\u2028break\ud800",
    "javascript:alert(5)",
)


def hostile() -> dict[str, Any]:
    """A comparison whose every name, term, source and note tries to be more than text."""
    data = comparison(offers=24, days=5)
    names = iter(HOSTILE * 99)
    for offer in data["offers"]:
        for key in ("id", "vendor", "plan", "model", "overflow_to", "confidence", "native_currency"):
            offer[key] = next(names)
        for item in (*offer["bit"], *offer["warnings"], *offer["refused"]):
            item["key"], item["text"] = next(names), next(names)
            item["args"] = {"meter": next(names), "amount": next(names)}
        for source in offer["sources"]:
            source["url"], source["says"], source["read_on"] = next(names), next(names), next(names)
        for line in offer["lines"]:
            line["rule"] = {"key": "tier", "args": {"tier": next(names)}, "text": next(names)}
            line["meter"], line["unit"] = next(names), next(names)
    data["offers"][0]["kind"] = HOSTILE[0]
    data["offers"][1]["kind"] = "__proto__"
    for model in data["log"]["models"]:
        model["vendor"], model["model"] = next(names), next(names)
    data["log"]["exclusions"][0]["cause"] = HOSTILE[1]
    data["log"]["exclusions"][0]["examples"] = list(HOSTILE)
    data["log"]["notes"] = data["assumptions"]["text"] = list(HOSTILE)
    data["log"]["source"], data["log"]["format"], data["command"] = list(HOSTILE), HOSTILE[0], HOSTILE[1]
    data["pricewar"], data["made"], data["as_of"], data["terms"] = HOSTILE[:4]
    data["baseline"]["models"][0] |= {"vendor": HOSTILE[0], "offer": HOSTILE[1]}
    data["baseline"]["missing"] = [{"vendor": HOSTILE[0], "model": HOSTILE[2]}]
    data["not_billed"] = [{"id": name, "why": {"key": name, "args": {}, "text": name}} for name in HOSTILE]
    return data
