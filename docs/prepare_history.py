"""Distil the recorded history of prices and free terms into our own records.

    python docs/prepare_history.py             # reads ../shared/data, writes src/pricewar/futures/facts/*.csv
    python docs/prepare_history.py --tables    # measures, and writes the tables of docs/futures.md

Not part of the product: it documents how the records came about and lets them be made again where the raw
tables are present. What it decides, and why, is said in src/pricewar/futures/facts/README.md; a price or a
day that it corrects stands below with the reason.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[1]
RAW = ROOT.parent / "shared" / "data"
OUT = ROOT / "src" / "pricewar" / "futures" / "facts"
READ_ON = date(2026, 11, 22)
PANEL_END, ROUTED_END, FREE_END = date(2025, 11, 1), date(2025, 11, 28), date(2025, 11, 30)

OWN = {  # a vendor's own list, by the panel's name of it
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "cohere_chat": "cohere",
    "xai": "x-ai",
    "perplexity": "perplexity",
    "ai21": "ai21",
    "moonshot": "moonshotai",
}
HOSTED = {  # others' models on a host's own list
    "groq": "groq",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "cerebras": "cerebras",
    "sambanova": "sambanova",
    "lambda_ai": "lambda",
    "hyperbolic": "hyperbolic",
    "nscale": "nscale",
    "databricks": "databricks",
    "bedrock": "aws",
    "friendliai": "friendliai",
    "ovhcloud": "ovhcloud",
    "anyscale": "anyscale",
}
# deepinfra is left out: the table was refreshed in three sweeps (2024-03, 2025-09, 2025-10), so that its days
# say when somebody looked. azure and vertex repeat other vendors' lists; vercel and openrouter rows are
# routed.

NOT_TEXT = re.compile(
    r"realtime|audio|tts|image|vision|live|embed|rerank|guard|whisper|search|deep-research|transcri|moderation"
    r"|speech|video|ocr|replicate|codex-mini|gemma|learnlm|-vl|thinking-preview"
)
FLOATING = {  # names that are moved from model to model while the table follows late or not at all
    ("mistral", "mistral-small"),
    ("mistral", "mistral-medium"),
    ("mistral", "mistral-tiny"),
    ("openai", "gpt-3.5-turbo"),
    ("moonshotai", "moonshot-v1-auto"),
}
WRONG = {  # known faults of the table, by reason
    ("anthropic", "claude-instant-1"): "a tenfold slip in 2023-12",
    ("anthropic", "claude-instant-1.2"): "a tenfold slip in 2023-12",
    ("openai", "o1-mini-2024-09-12"): "the cut of o1-mini was not entered",
    ("google", "gemini-1.5-pro"): "entered late and at half; own dates below",
    ("google", "gemini-1.5-pro-001"): "the cut of 2024-10 was not entered",
    ("google", "gemini-1.5-pro-002"): "the cut of 2024-10 was not entered",
    ("google", "gemini-1.5-pro-exp-0801"): "the cut of 2024-10 was not entered",
    ("google", "gemini-1.5-flash-8b"): "zero stands for the free tier",
    ("google", "gemini-1.5-flash"): "the cut was entered a month late; own dates below",
    ("openai", "gpt-4o"): "the cut was entered six weeks late; own dates below",
    ("openai", "gpt-4o-mini"): "own dates below",
    ("openai", "gpt-4o-mini-2024-07-18"): "as gpt-4o-mini",
    ("google", "gemini-2.5-flash"): "entered six weeks late; own dates below",
    ("google", "gemini-2.5-flash-preview-05-20"): "the rise was entered six weeks late; own dates below",
    ("anthropic", "claude-haiku-4-5"): "own dates below",
    ("anthropic", "claude-haiku-4-5-20251001"): "as claude-haiku-4-5",
    ("openai", "o3"): "the cut was entered seven weeks late; own dates below",
    ("openai", "o3-2025-04-16"): "as o3",
    ("anthropic", "claude-3-5-haiku-20241022"): "the cut was entered three months late; own dates below",
    ("deepseek", "deepseek-chat"): "entered late; own dates below",
    ("deepseek", "deepseek-reasoner"): "entered late; own dates below",
    ("deepseek", "deepseek-r1"): "another name of deepseek-reasoner",
    ("deepseek", "deepseek-v3"): "another name of deepseek-chat",
    ("cohere", "command-light"): "a price of 2023 that stood until 2024-10",
    ("cohere", "command-r7b-12-2024"): "input and output are exchanged",
    ("anthropic", "claude-4-opus-20250514"): "another name of claude-opus-4",
    ("anthropic", "claude-4-sonnet-20250514"): "another name of claude-sonnet-4",
    ("groq", "llama-3.1-8b-instant"): "first entered at the price of the 70b model",
    ("groq", "llama-3.1-405b-reasoning"): "entered at the price of the 70b model",
    ("sambanova", "meta-llama-3.2-1b-instruct"): "a tenfold slip, corrected in 2025-06",
    ("sambanova", "meta-llama-3.2-3b-instruct"): "a tenfold slip, corrected in 2025-06",
    ("databricks", "databricks-claude-3-7-sonnet"): "a tenfold slip, corrected in 2025-06",
    ("databricks", "databricks-mpt-7b-instruct"): "output at 0",
    ("aws", "anthropic.claude-instant-v1"): "entered in 2025-01, long after the cut",
}
SERIES = [  # dated from the vendors' pages and the dated events, in place of what the table has
    ("google", "gemini-1.5-pro", [("2024-07-25", 3.5, 10.5), ("2024-10-08", 1.25, 5.0)]),
    ("google", "gemini-1.5-flash", [("2024-07-25", 0.35, 1.05), ("2024-09-08", 0.075, 0.3)]),
    ("google", "gemini-2.5-flash", [("2025-06-17", 0.3, 2.5)]),
    ("google", "gemini-2.5-flash-preview-05-20", [("2025-05-20", 0.15, 0.6), ("2025-06-17", 0.3, 2.5)]),
    ("openai", "gpt-4o", [("2024-05-13", 5.0, 15.0), ("2024-10-03", 2.5, 10.0)]),
    ("openai", "gpt-4o-mini", [("2024-07-18", 0.15, 0.6)]),
    ("anthropic", "claude-haiku-4-5", [("2025-10-15", 1.0, 5.0)]),
    ("anthropic", "claude-opus-4-5", [("2025-11-24", 5.0, 25.0)]),
    ("openai", "o3", [("2025-05-02", 10.0, 40.0), ("2025-06-11", 2.0, 8.0)]),
    ("anthropic", "claude-3-5-haiku-20241022", [("2024-11-04", 1.0, 5.0), ("2024-12-03", 0.8, 4.0)]),
    (
        "deepseek",
        "deepseek-chat",
        [
            ("2024-05-22", 0.14, 0.28),
            ("2025-02-09", 0.27, 1.10),
            ("2025-09-06", 0.56, 1.68),
            ("2025-09-29", 0.28, 0.42),
        ],
    ),
    (
        "deepseek",
        "deepseek-reasoner",
        [("2025-01-20", 0.55, 2.19), ("2025-09-06", 0.56, 1.68), ("2025-09-29", 0.28, 0.42)],
    ),
]
CLOSED_BEFORE = {"deepseek-coder": date(2025, 2, 1)}


def blended(price_in: float, price_out: float) -> float:
    return (3 * price_in + price_out) / 4


def same(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Below half a per cent a change is rounding."""
    x, y = blended(*a), blended(*b)
    return x == y or (x > 0 and y > 0 and abs(math.log(x / y)) < 0.005)


def spells(points: list[tuple[date, float, float]], last: date) -> list[tuple[date, date, float, float]]:
    """(first day recorded, last day recorded, in, out) of each price."""
    found: list[tuple[date, date, float, float]] = []
    previous = None
    for when, price_in, price_out in points:
        if found and same(found[-1][2:], (price_in, price_out)):
            found[-1] = (found[-1][0], when, *found[-1][2:])
        else:
            found.append((when, when, price_in, price_out))
        previous = when
    if found and previous is not None:
        found[-1] = (found[-1][0], max(last, found[-1][1]), *found[-1][2:])
    return found


def undated(name: str) -> str:
    short = re.sub(r"(-\d{4}-\d{2}-\d{2}|-\d{8}|@\d+|-\d{4}|-00\d|-preview|-beta)$", "", name)
    return short if short == name else undated(short)


def listed() -> list[tuple]:
    """Spells of list prices from the panel of price tables."""
    panel = pl.read_parquet(RAW / "price_panel_to_2025-11.parquet").filter(
        pl.col("mode").is_in(["chat", "responses"])
        & pl.col("in_mtok").is_not_null()
        & pl.col("out_mtok").is_not_null()
    )
    rows: list[tuple] = []
    for provider, vendor in {**OWN, **HOSTED}.items():
        channel = "own" if provider in OWN else "hosted"
        series: dict[str, list[tuple[date, float, float]]] = defaultdict(list)
        for name, day, price_in, price_out in (
            panel.filter(pl.col("provider") == provider)
            .sort("date")
            .select("model", "date", "in_mtok", "out_mtok")
            .iter_rows()
        ):
            short = name.removeprefix(provider + "/").removeprefix("accounts/fireworks/models/").lower()
            if provider == "bedrock" and (
                "/" in short or re.match(r"(us|eu|ap|apac|jp|au|global|amazon)\.", short)
            ):
                continue
            if "latest" in short or short.startswith("ft:") or NOT_TEXT.search(short) or "-exp" in short:
                continue
            if vendor == "perplexity" and "sonar" not in short:
                continue
            if vendor == "ai21" and short.startswith("j2"):
                continue
            if (vendor, short) in WRONG or (vendor, short) in FLOATING:
                continue
            if short in CLOSED_BEFORE and date.fromisoformat(day) >= CLOSED_BEFORE[short]:
                continue
            if price_in > 0 and price_out > 0:
                series[short].append((date.fromisoformat(day), round(price_in, 6), round(price_out, 6)))
        kept: dict[str, list[list[tuple]]] = defaultdict(list)
        for name, points in sorted(series.items(), key=lambda s: (s[1][0][0], len(s[0]))):
            found = spells(points, points[-1][0])
            # A snapshot that has cost what its undated name cost, throughout, is not a second offer.
            priced = [(s[2], s[3]) for s in found]
            if any(priced == k or (len(priced) == 1 and priced[0] == k[-1]) for k in kept[undated(name)]):
                continue
            kept[undated(name)].append(priced)
            rows += [(channel, vendor, name, *spell) for spell in found]
    for vendor, name, points in SERIES:
        dated = [(date.fromisoformat(day), i, o) for day, i, o in points]
        end = max(PANEL_END, dated[-1][0])
        rows += [("own", vendor, name, *s) for s in _until_next(dated, end)]
    return rows


def _until_next(points: list[tuple[date, float, float]], end: date) -> list[tuple[date, date, float, float]]:
    found = []
    for (day, i, o), following in zip(points, [*points[1:], None], strict=True):
        found.append((day, following[0] - timedelta(1) if following else end, i, o))
    return found


def routed() -> list[tuple]:
    """Spells of the prices OpenRouter listed, which are those of its cheapest route, by the model's
    author."""
    from pricewar.offers.catalogue import load_catalogue

    # There is no record of delisting. genai-prices, which began to list OpenRouter in 2025, says which models
    # still
    # stood there; the others, gone at an unknown day, are left out.
    alive = {
        o.id.split("/", 1)[1].lower()
        for o in load_catalogue(READ_ON).offers.values()
        if o.latest.vendor == "openrouter" and "/" in o.id
    }
    table = pl.read_csv(RAW / "openrouter_price_points_to_2025-11.csv").sort("slug", "date")
    rows: list[tuple] = []
    for (slug,), points in table.group_by("slug", maintain_order=True):
        author, name = str(slug).split("/", 1)
        if (
            str(slug).lower() not in alive
            or author == "openrouter"
            or ":" in name
            or (NOT_TEXT.search(name) and "gemma" not in name and "-vl" not in name)
        ):
            continue
        raw = [
            (date.fromisoformat(d), i, o)
            for d, i, o in points.select("date", "in_usd_per_mtok", "out_usd_per_mtok").iter_rows()
        ]
        if author == "google" and "gemma" not in name:  # entered per character until 2024-10-02
            raw = [p for p in raw if p[0] >= date(2024, 10, 2)]
        if author == "cohere":  # a discount of the route's
            continue
        daily: dict[date, tuple[date, float, float]] = {p[0]: p for p in raw}  # the day's last
        pts = [p for p in daily.values() if p[1] > 0 and p[2] > 0]
        if not pts:
            continue
        # A price put right within three days of the first listing was never the price.
        while len(pts) > 1 and (pts[1][0] - pts[0][0]).days <= 3:
            pts = [(pts[0][0], *pts[1][1:]), *pts[2:]]
        merged = [pts[0]]
        for p in pts[1:]:
            if not same(merged[-1][1:], p[1:]):
                merged.append(p)
        rows += [("routed", author, name, *s) for s in _until_next(merged, ROUTED_END)]
    return rows


FREE = {  # section of the list → vendor
    "Google AI Studio": "google",
    "Groq": "groq",
    "OpenRouter": "openrouter",
    "[OpenRouter](https://openrouter.ai)": "openrouter",
    "Cerebras": "cerebras",
    "Cohere": "cohere",
    "SambaNova Cloud": "sambanova",
    "GitHub Models": "github",
    "Chutes": "chutes",
    "Cloudflare Workers AI": "cloudflare",
    "OVH AI Endpoints": "ovhcloud",
    "Scaleway Generative APIs": "scaleway",
    "Lambda Labs": "lambda",
    "Hyperbolic": "hyperbolic",
    "Together": "together",
    "Google Cloud Vertex AI": "google-vertex",
    "glhf.chat": "glhf",
}
FREE_NOT_TEXT = re.compile(
    r"whisper|embed|rerank|guard|image|stable|flux|diffusion|tts|speech|nano banana|bge|llava|vision adapter|"
    r"various|any model|uform|resnet|detr|m2m|phone number|access to|bart|sqlcoder|distilbert|"
    r"melo|dreamshaper|sdxl|jina",
    re.I,
)
UNITS = {
    "minute": "minute",
    "min": "minute",
    "day": "day",
    "month": "month",
    "hour": "hour",
    "second": "second",
}


def limits_of(text: str) -> dict[str, float]:
    """`20 req/min; 1 million tokens/day` → {"requests_minute": 20, "tokens_day": 1e6}; the first of a kind
    counts."""
    found: dict[str, float] = {}
    for amount, million, what, per in re.findall(
        r"([\d.]+) ?(million )?(req|request|requests|tokens|neurons)/(minute|min|day|month|hour|second)\b",
        text or "",
    ):
        kind = "tokens" if what == "tokens" else "neurons" if what == "neurons" else "requests"
        value = float(amount.rstrip(".")) * (1e6 if million else 1)
        found.setdefault(f"{kind}_{UNITS[per]}", value)
    return found


def same_model(name: str) -> str:
    text = re.sub(
        r"\((deprecated|free|text only|preview)\)|instruct|\bit\b|preview|\bgroq\b",
        "",
        name.lower().split("/")[-1],
    )
    return re.sub(r"[^a-z0-9.]", "", text)


def free_terms() -> list[tuple]:
    """Spells of free terms: per model, and under `*` for the whole account."""
    table = pl.read_csv(RAW / "free_tier_limits_to_2025-11.csv").filter(pl.col("group") == "Free Providers")
    seen: dict[tuple[str, str], list[tuple[date, date, dict[str, float]]]] = defaultdict(list)
    for provider, _, model, first, last, limits in table.sort("from").iter_rows():
        base = re.sub(r" \((Free|Le|La).*\)$", "", provider)
        vendor = FREE.get(base)
        if vendor is None or not model or FREE_NOT_TEXT.search(model):
            continue
        a, b = date.fromisoformat(first), date.fromisoformat(last)
        if "*" in model:
            model = "*"
        elif vendor in ("openrouter", "cohere", "cloudflare", "sambanova", "github"):
            limits = ""  # they are the account's, under `*`
        seen[vendor, model if model == "*" else same_model(model)].append((a, b, limits_of(limits)))
    rows = []
    for (vendor, model), entries in seen.items():
        merged: list[list] = []
        for a, b, limits in sorted(entries, key=lambda e: e[0]):
            if (
                merged
                and (a - merged[-1][1]).days <= 30
                and (not limits or limits == merged[-1][2] or not merged[-1][2])
            ):
                merged[-1][1] = max(b, merged[-1][1])
                merged[-1][2] = merged[-1][2] or limits
            elif (b - a).days < 3 and merged and (a - merged[-1][1]).days <= 30:
                continue  # a slip of the list
            else:
                merged.append([a, b, limits])
        tidy: list[list] = []
        for entry in merged:
            if tidy and entry[2] == tidy[-1][2] and (entry[0] - tidy[-1][1]).days <= 30:
                tidy[-1][1] = entry[1]
            else:
                tidy.append(entry)
        if sum((b - a).days + 1 for a, b, _ in tidy) > 3:  # else a slip, or a name put right the next day
            rows += [("free", vendor, model, *entry) for entry in tidy]
    # The account's limits of two tiers, from the same list while it still printed them beside every model.
    for vendor, spans in {
        "openrouter": [
            ("2024-07-08", "2025-04-07", {"requests_minute": 20, "requests_day": 200}),
            ("2025-04-08", "2025-11-30", {"requests_minute": 20, "requests_day": 50}),
        ],
        "cohere": [("2024-09-16", "2025-11-30", {"requests_minute": 20, "requests_month": 1000})],
        "cloudflare": [("2024-07-08", "2025-11-30", {"neurons_day": 10000})],
        "baidu": [("2024-05-21", "2025-11-30", {})],
        "iflytek": [("2024-05-22", "2025-11-30", {})],
        "tencent": [("2024-05-22", "2025-11-30", {})],
        "zhipu": [("2024-08-27", "2025-11-30", {})],
        "mistral": [
            ("2024-09-17", "2025-11-30", {"requests_second": 1, "tokens_minute": 500000, "tokens_month": 1e9})
        ],
        "nvidia": [("2025-04-16", "2025-11-30", {"requests_minute": 40})],
    }.items():
        rows = [r for r in rows if (r[1], r[2]) != (vendor, "*")]
        rows += [("free", vendor, "*", date.fromisoformat(a), date.fromisoformat(b), n) for a, b, n in spans]
    grants = {  # amount in dollars, or in tokens where the unit says so
        "modal": [("2024-07-08", "2025-04-18", 30), ("2025-04-20", "2025-11-30", 5)],
        "novita": [
            ("2025-04-15", "2025-04-20", 20.5),
            ("2025-04-22", "2025-08-01", 10.5),
            ("2025-08-05", "2025-11-30", 0.5),
        ],
        "centml": [("2025-05-03", "2025-06-26", 1)],
        "kluster": [("2025-05-03", "2025-07-16", 5)],
        "unify": [("2025-04-15", "2025-06-27", 5)],
        "together": [("2025-04-15", "2025-10-16", 1)],
        "ncompass": [("2025-05-03", "2025-10-16", 1)],
        **{
            v: [("2025-04-15", "2025-11-30", n)]
            for v, n in (
                ("ai21", 10),
                ("baseten", 30),
                ("fireworks", 1),
                ("hyperbolic", 1),
                ("nebius", 1),
                ("nlpcloud", 15),
                ("sambanova", 5),
                ("scaleway", 1),
                ("upstage", 10),
            )
        },
        "huggingface": [("2025-04-16", "2025-11-30", 0.1)],
        "vercel": [("2025-06-27", "2025-11-30", 5)],
        "alibaba": [("2025-05-03", "2025-11-30", 1)],
    }
    for vendor, spans in grants.items():
        rows += [
            ("grant", vendor, "*", date.fromisoformat(a), date.fromisoformat(b), {"amount": n})
            for a, b, n in spans
        ]
    # Prices for an introduction, zero ones among them; `ratio`: what followed, where both were above zero.
    introductory = [
        ("deepseek", "deepseek-chat", "2024-12-26", "2025-02-08", 2.73),
        ("google", "gemini-pro", "2023-12-14", "2024-07-24", None),
        ("google", "gemini-1.5-pro", "2024-03-26", "2024-07-24", None),
        ("google", "gemini-1.5-flash", "2024-06-15", "2024-07-24", None),
        ("google", "gemini-2.0-flash-exp", "2025-01-02", "2025-05-01", None),
        ("google", "gemini-2.0-pro-exp-02-05", "2025-02-05", "2025-05-01", None),
        ("google", "gemini-2.5-pro-exp-03-25", "2025-03-25", "2025-05-14", None),
        ("google", "gemini-2.5-flash-preview", "2025-04-17", "2025-06-16", 3.24),
        ("azure", "phi-4-mini-instruct", "2025-04-01", "2025-05-01", None),
        ("azure", "phi-4-multimodal-instruct", "2025-04-01", "2025-05-01", None),
        ("openrouter", "liquid/lfm-40b", "2024-10-02", "2024-10-22", None),
        ("openrouter", "openrouter/quasar-alpha", "2025-04-03", "2025-04-10", None),
        ("openrouter", "openrouter/optimus-alpha", "2025-04-10", "2025-04-14", None),
        ("openrouter", "nvidia/nemotron-nano-9b-v2", "2025-09-09", "2025-09-10", None),
        ("openrouter", "meituan/longcat-flash-chat", "2025-09-30", "2025-10-01", None),
        ("openrouter", "x-ai/grok-4.1-fast", "2025-11-19", "2025-11-30", None),
    ]
    rows += [
        ("introductory", v, m, date.fromisoformat(a), date.fromisoformat(b), {"ratio": n} if n else {})
        for v, m, a, b, n in introductory
    ]
    return rows


def without_rename_waves(rows: list[tuple]) -> list[tuple]:
    """Where most of a vendor's models vanish and others appear within a fortnight, names were changed: the
    spells are then followed to that day and no further, which `censored` says."""
    final: list[tuple] = []
    by_vendor: dict[str, list[tuple]] = defaultdict(list)
    for row in rows:
        by_vendor[row[1]].append(row)
    for vendor, mine in by_vendor.items():
        last_of: dict[str, date] = {}
        first_of: dict[str, date] = {}
        for kind, _, model, a, b, _ in mine:
            if kind != "free":
                continue
            last_of[model] = max(b, last_of.get(model, b))
            first_of[model] = min(a, first_of.get(model, a))
        waves = []
        for day in sorted(set(last_of.values())):
            gone = [m for m, b in last_of.items() if day <= b < day + timedelta(7)]
            live = [m for m in last_of if first_of[m] <= day <= last_of[m]]
            new = [m for m, a in first_of.items() if day < a <= day + timedelta(21)]
            if (
                day < FREE_END - timedelta(14)
                and len(gone) >= 4
                and len(gone) >= 0.6 * len(live)
                and len(new) >= 0.5 * len(gone)
            ):
                waves.append(day)
        if waves:
            print(f"  {vendor}: renamed about {', '.join(map(str, waves))}", file=sys.stderr)
        for kind, _, model, a, b, n in mine:
            wave = (
                any(w <= b < w + timedelta(7) for w in waves) and b == last_of.get(model) and kind == "free"
            )
            final.append((kind, vendor, model, a, min(b, FREE_END), n, "censored" if wave else ""))
    return final


def retirements() -> list[tuple]:
    """Ends of models, with the day the end was public, from the catalogue's own records and the panel."""
    from pricewar.definitions import load
    from pricewar.offers.catalogue import FACTS
    from pricewar.offers.schema import FactFile

    names = {"xai": "x-ai"}
    renamed = {
        "gpt-3.5-0301": "gpt-3.5-turbo-0301",
        "mistral-7b": "open-mistral-7b",
        "mixtral-8x7b": "open-mixtral-8x7b",
        "mixtral-8x22b-instruct": "open-mixtral-8x22b",
    }
    rows = []
    for document in load(FACTS / "retired.yaml"):
        for end in document.validate(FactFile).ends:
            vendor, _, model = end.id.partition("/")
            model = renamed.get(model, model.removesuffix("-latest"))
            on = end.on.date()
            if (
                vendor == "deepseek"
                or "free" in model
                or NOT_TEXT.search(model)
                or (vendor == "google" and "claude" in model)
            ):
                continue
            if on <= date(2025, 11, 30) or end.known_on <= date(2025, 11, 30):
                rows.append((names.get(vendor, vendor), model, on, min(end.known_on, on), end.sources[0].url))
    rows += [
        ("perplexity", model, date(2025, 2, 22), date(2025, 1, 21), "https://docs.perplexity.ai/changelog")
        for model in (
            "llama-3.1-sonar-huge-128k-online",
            "llama-3.1-sonar-large-128k-chat",
            "llama-3.1-sonar-large-128k-online",
            "llama-3.1-sonar-small-128k-chat",
            "llama-3.1-sonar-small-128k-online",
        )
    ]
    return rows


def frontier() -> list[tuple]:
    """Prices that were the lowest for a given score on the day: Epoch AI, CC-BY-4.0."""
    table = pl.read_csv(RAW / "epoch_lowest_price_models_data.csv", infer_schema_length=1000)
    return [
        (bench, level, model, date.fromisoformat(str(day)), round(float(price), 4))
        for bench, level, model, day, price in table.select(
            "bench", "threshold_model", "Model Name", "Release Date", "USD per 1M Tokens"
        ).iter_rows()
    ]


def write(name: str, header: str, rows: list[tuple]) -> None:
    with (OUT / name).open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header.split(","))
        out.writerows(rows)
    print(f"{name}: {len(rows)} records, {(OUT / name).stat().st_size // 1000} kB")


def tables() -> None:
    """Measure, and write the tables of docs/futures.md between their marks."""
    from math import exp
    from statistics import median

    from pricewar.futures.history import estimate, lifetimes
    from pricewar.futures.scoring import table

    hazards = estimate(FREE_END)
    rows = [
        "| event | of | seen | in months | rate a month (90%) | median size |",
        "|---|---|---|---|---|---|",
    ]
    for r in hazards.summary():
        size = f"× {exp(median(r.sizes)):.2f}" if r.sizes else ""
        rows.append(
            f"| {r.event} | {r.of} | {r.seen:.0f} | {r.months:.0f} "
            f"| {r.rate:.2%} ({r.low:.2%} … {r.high:.2%}) | {size} |"
        )
    kept = "| terms | observed ends | still going | 1 month | 3 | 6 | 12 |\n|---|---|---|---|---|---|---|\n"
    for kind in ("free", "introductory"):
        curve = lifetimes(hazards.known, kind)
        shares = " | ".join(f"{curve.at(m):.0%}" for m in (1, 3, 6, 12))
        kept += f"| {kind} | {curve.observed} | {curve.censored} | {shares} |\n"
    vendors = "| rate a month | vendor | seen | in months | own record alone | pooled (90%) |\n"
    vendors += "|---|---|---|---|---|---|\n"
    for what, rates in (
        ("price changed, own light", hazards.change["own", "light"]),
        ("price changed, own flagship", hazards.change["own", "flagship"]),
        ("free terms of one model ended", hazards.ended["free"]),
    ):
        for vendor, (seen, months) in sorted(rates.groups.items(), key=lambda g: -g[1][1])[:8]:
            middle, low, high = rates.interval(group=vendor)
            vendors += (
                f"| {what} | {vendor} | {seen:.0f} | {months:.0f} | {seen / months:.1%} "
                f"| {middle:.1%} ({low:.1%} … {high:.1%}) |\n"
            )
    page = ROOT / "docs" / "futures.md"
    text = page.read_text(encoding="utf-8")
    for mark, made in (
        ("hazards", "\n".join(rows) + "\n"),
        ("lifetimes", kept),
        ("vendors", vendors),
        ("scores", table(progress=lambda line: print(line, file=sys.stderr)).markdown()),
    ):
        head, rest = text.split(f"<!-- {mark} -->\n")
        text = f"{head}<!-- {mark} -->\n{made}<!-- /{mark} -->{rest.split(f'<!-- /{mark} -->')[1]}"
    page.write_text(text, encoding="utf-8")


def main(words: list[str]) -> int:
    if words == ["--tables"]:
        tables()
        return 0
    if not RAW.exists():
        print(f"the raw tables are not here ({RAW.name}/): nothing to do", file=sys.stderr)
        return 3
    write("prices.csv", "channel,vendor,model,first,last,input,output", sorted(listed() + routed()))
    free = sorted(without_rename_waves(free_terms()), key=lambda r: r[:4])
    kinds = sorted({key for row in free for key in row[5]})
    write(
        "free_terms.csv",
        "kind,vendor,model,first,last,followed," + ",".join(kinds),
        [(*r[:5], r[6], *(f"{r[5][k]:g}" if k in r[5] else "" for k in kinds)) for r in free],
    )
    write("retirements.csv", "vendor,model,on,announced,source", sorted(set(retirements())))
    write("frontier.csv", "bench,level,model,released,price", frontier())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
