"""A made-up log to measure on: 75 days in time order, 30 models, lengths as published traces have them.

Seeded, and written piece by piece, so that a file of a hundred million rows is made in the memory of one
piece. The columns are those a team's own Parquet would have; the reader maps them without being told.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

DATA: Final = Path(__file__).parent / "data"
START: Final = datetime(2026, 9, 1, tzinfo=UTC)
DAYS: Final = 75
NEEDED: Final = ("time", "vendor", "model", "input_tokens", "cached_tokens", "output_tokens")
MODELS: Final = (
    ("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("openai", "gpt-4.1"), ("openai", "gpt-4.1-mini"),
    ("openai", "gpt-4.1-nano"), ("openai", "gpt-5"), ("openai", "gpt-5-mini"), ("openai", "gpt-5-nano"),
    ("openai", "gpt-5.1"), ("openai", "gpt-5.2"), ("openai", "gpt-5.4"), ("openai", "gpt-5.4-mini"),
    ("openai", "o1"), ("anthropic", "claude-3-haiku"), ("anthropic", "claude-3-5-sonnet"),
    ("anthropic", "claude-opus-4-1"), ("anthropic", "claude-opus-4-5"), ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-sonnet-4-6"), ("google", "gemini-2.5-flash"), ("google", "gemini-2.5-flash-lite"),
    ("google", "gemini-2.5-pro"), ("google", "gemini-3-flash-preview"), ("groq", "llama-3.3-70b-versatile"),
    ("groq", "llama-3.1-8b-instant"), ("x-ai", "grok-3"), ("x-ai", "grok-3-mini"),
    ("mistral", "codestral"), ("mistral", "mistral-large"), ("cohere", "command-r"),
)  # fmt: skip
PIECE: Final = 1_000_000
ROW_GROUP: Final = 250_000


def piece(number: int, rows: int, start: int, end: int) -> pl.DataFrame:
    """Rows between two instants (microseconds); `number` seeds them."""
    rng = np.random.Generator(np.random.PCG64(20260901 + number))
    time = np.sort(rng.integers(start, end, rows))
    # Published traces: log-normal prompts with a median near 1,000 tokens, exponential answers with a
    # median near 130, and a few models that carry most requests.
    prompt = np.exp(rng.normal(np.log(1020), 0.9, rows)).astype(np.int64) + 1
    answer = rng.exponential(186, rows).astype(np.int64) + 1
    cached = np.where((prompt >= 1024) & (rng.random(rows) < 0.5), prompt * 6 // 10 // 128 * 128, 0)
    weight = 1 / np.arange(1, len(MODELS) + 1)
    which = np.searchsorted(np.cumsum(weight / weight.sum())[:-1], rng.random(rows))
    vendors, models = (pl.Series([pair[k] for pair in MODELS]) for k in (0, 1))
    return pl.DataFrame(
        {
            "time": pl.Series(time).cast(pl.Datetime("us", "UTC")),
            "vendor": vendors.gather(which),
            "model": models.gather(which),
            "input_tokens": prompt,
            "cached_tokens": cached,
            "output_tokens": answer,
        }
    )


def made(rows: int) -> Path:
    """The log of so many rows, made once."""
    path = DATA / f"log-{rows}.parquet"
    if path.exists():
        return path
    DATA.mkdir(exist_ok=True)
    waiting = path.with_suffix(".part")
    first = int(START.timestamp()) * 10**6
    span = DAYS * 86_400 * 10**6
    pieces = -(-rows // PIECE)
    edges = [first + span * i // pieces for i in range(pieces + 1)]
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        parts = [Path(folder) / f"{i:05}.parquet" for i in range(pieces)]
        for i, part in enumerate(parts):
            frame = piece(i, min(PIECE, rows - i * PIECE), edges[i], edges[i + 1])
            frame.write_parquet(part, row_group_size=ROW_GROUP)
        if pieces == 1:
            parts[0].replace(waiting)
        else:
            pl.scan_parquet(parts).sink_parquet(waiting, row_group_size=ROW_GROUP)
    waiting.replace(path)
    return path
