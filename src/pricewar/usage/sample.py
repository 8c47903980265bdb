"""A team's log of October 2026, made up from published statistics of real traces.

Three applications behind one LiteLLM proxy: a support chatbot on a light model, a coding assistant on a
flagship, and a nightly job that summarises the day's documents and could as well wait for a batch. The result
has the columns of a SpendLogs export, so that what reads it is what reads a team's own.

Everything is drawn from PCG64's raw stream and computed in integers, so a seed gives the same bytes on every
machine and with every version of NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

SHARES: Final = (0, 1000, 2500, 5000, 7500, 9000, 9900, 10000)
"""Probabilities, in ten-thousandths, at which the length tables below give a number of tokens."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A table of tokens at `SHARES` (or what `what` says), with where it comes from."""

    what: str
    values: tuple[int, ...]
    source: str
    read_on: str = "2026-11-22"


AZURE = "https://github.com/Azure/AzurePublicDataset/blob/master/AzureLLMInferenceDataset2023.md"
SPLITWISE = "https://arxiv.org/abs/2311.18677, section III"
SERVEGEN = "https://arxiv.org/abs/2505.09999 and https://github.com/alibaba/ServeGen"
PUBMED = "https://huggingface.co/datasets/ccdv/pubmed-summarization"

CODE_INPUT: Final = Figure(
    "context tokens of the Azure code trace, quantiles of its 8,819 requests (the paper's median: 1,500)",
    (3, 147, 578, 1469, 2745, 5186, 7436, 7437),
    f"{AZURE}; {SPLITWISE}",
)
CODE_OUTPUT: Final = Figure(
    "generated tokens of the same trace (the paper's median: 13)",
    (6, 7, 9, 13, 24, 55, 252, 1899),
    f"{AZURE}; {SPLITWISE}",
)
CHAT_INPUT: Final = Figure(
    "Splitwise's median of 1,020 prompt tokens in conversation; log-normal as ServeGen finds, its sigma of "
    "0.8 being assumed",
    (86, 366, 595, 1020, 1750, 2844, 6559, 19986),
    f"{SPLITWISE}; {SERVEGEN}",
)
CHAT_OUTPUT: Final = Figure(
    "Splitwise's median of 129 generated tokens in conversation; exponential as ServeGen finds",
    (1, 20, 54, 129, 258, 429, 857, 1714),
    f"{SPLITWISE}; {SERVEGEN}",
)
DOCUMENT_INPUT: Final = Figure(
    "articles of 3,043 words on average; the median is assumed to be 4/3 tokens for each, log-normal with "
    "sigma 0.5 around it",
    (865, 2138, 2896, 4057, 5684, 7700, 12983, 26048),
    PUBMED,
)
DOCUMENT_OUTPUT: Final = Figure(
    "abstracts of 215 words on average; the median is assumed to be 4/3 tokens for each, log-normal with "
    "sigma 0.5 around it",
    (61, 151, 205, 287, 402, 545, 918, 1843),
    PUBMED,
)
GAP_SHARES: Final = (
    0, 200, 500, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 8500, 9000, 9500, 9800, 9900, 9950,
    9990, 10000,
)  # fmt: skip
GAPS: Final = Figure(
    "time between requests in ten-thousandths of its mean, at GAP_SHARES: a Gamma law whose coefficient of "
    "variation is 1.21, ServeGen's median over the clients of its smallest model (quartiles 1.06 and 2.47)",
    (
        0, 41, 159, 443, 814, 1262, 2389, 3853, 5734, 8189, 11526, 16450, 20054, 25247, 34340, 46643, 56092,
        65631, 88022, 120439,
    ),
    SERVEGEN,
)  # fmt: skip
CACHE_FROM: Final = Figure(
    "prompts of at least 1,024 tokens are cached, OpenAI's in steps of 128 (models before GPT-5.6)",
    (1024, 128),
    "https://raw.githubusercontent.com/openai/openai-cookbook/main/examples/Prompt_Caching_201.ipynb",
)
RATES: Final = {
    "gpt-5-mini": Figure(
        "nano-dollars a token for input, cache read, cache write, output; list price of October 2026",
        (250, 25, 250, 2000),
        "https://pypi.org/project/genai-prices/0.2.3/",
    ),
    "claude-sonnet-5": Figure(
        "nano-dollars a token for input, cache read, cache write, output; list price of October 2026",
        (2000, 200, 2500, 10000),
        "https://pypi.org/project/genai-prices/0.2.3/",
    ),
}

# Assumed: how busy each hour (UTC) of a working day is, for a team in Europe with customers also in America.
OFFICE = (0, 0, 0, 0, 0, 2, 10, 45, 90, 100, 95, 80, 60, 85, 95, 90, 75, 45, 20, 10, 6, 4, 2, 0)
CUSTOMERS = (18, 12, 9, 8, 9, 14, 28, 50, 72, 85, 90, 86, 84, 92, 98, 100, 96, 88, 80, 72, 62, 50, 38, 26)
NIGHT = (0, 100, 100, 30, *[0] * 20)


@dataclass(frozen=True, slots=True)
class Application:
    """One of the team's applications; shares are in ten-thousandths and assumed unless a figure says so."""

    name: str
    vendor: str
    model: str
    requests: int
    hours: tuple[int, ...]
    weekend: int
    input: Figure
    output: Figure
    cached: int = 0
    written: int = 0
    reasoned: int = 0
    failed: int = 0
    repeated: int = 0


APPLICATIONS: Final = (
    Application(
        "support-chatbot", "openai", "gpt-5-mini", 62_000, CUSTOMERS, 4500, CHAT_INPUT, CHAT_OUTPUT,
        cached=6000, reasoned=2000, failed=60, repeated=120,
    ),
    Application(
        "coding-assistant", "anthropic", "claude-sonnet-5", 50_000, OFFICE, 800, CODE_INPUT, CODE_OUTPUT,
        cached=7000, written=2000, failed=40,
    ),
    Application(
        "nightly-summaries", "openai", "gpt-5-mini", 8_000, NIGHT, 10_000, DOCUMENT_INPUT, DOCUMENT_OUTPUT,
        failed=30,
    ),
)  # fmt: skip

START: Final = datetime(2026, 10, 1, tzinfo=UTC)
DAYS: Final = 31
HOUR: Final = 3_600_000  # milliseconds
UNIT: Final = 10_000


class _Dice:
    """Uniform integers from the raw stream of PCG64."""

    def __init__(self, seed: int) -> None:
        self.bits = np.random.PCG64(seed)

    def below(self, bound: int, size: int) -> np.ndarray:
        """`size` integers of 0 to `bound` − 1, for bounds far below 2³²."""
        raw = np.asarray(self.bits.random_raw(size), np.uint64) >> np.uint64(32)
        return ((raw * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)

    def along(self, shares: tuple[int, ...], values: tuple[int, ...], size: int) -> np.ndarray:
        """Draws from the law whose quantiles are `values` at `shares`, straight lines between."""
        at = np.array(shares, np.int64) * 1000
        to = np.array(values, np.int64)
        draw = self.below(int(at[-1]), size)
        k = np.searchsorted(at, draw, side="right") - 1
        width = at[k + 1] - at[k]
        return to[k] + ((to[k + 1] - to[k]) * (draw - at[k]) + width // 2) // width


def sample(seed: int = 2024, *, scale: float = 1.0) -> pl.DataFrame:
    """The team's October as a SpendLogs export, in order of time; about 120,000 rows at scale 1."""
    dice = _Dice(seed)
    parts = [_application(app, max(1, round(app.requests * scale)), dice) for app in APPLICATIONS]
    log = pl.concat(parts).sort("startTime", maintain_order=True)
    return log.with_columns(
        pl.format("chatcmpl-{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(7)).alias("request_id"),
        *(
            pl.from_epoch(name, time_unit="ms").dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ").alias(name)
            for name in ("startTime", "endTime")
        ),
    ).select(COLUMNS)


COLUMNS: Final = (
    "request_id", "call_type", "api_key", "spend", "total_tokens", "prompt_tokens", "completion_tokens",
    "startTime", "endTime", "model", "model_group", "custom_llm_provider", "cache_hit", "team_id", "metadata",
    "status",
)  # fmt: skip


def write_sample(path: str | Path, seed: int = 2024, *, scale: float = 1.0) -> Path:
    """Write `sample` as CSV and return where it stands."""
    path = Path(path)
    sample(seed, scale=scale).write_csv(path)
    return path


def _application(app: Application, n: int, dice: _Dice) -> pl.DataFrame:
    start = _arrivals(app, n, dice)
    prompt = dice.along(SHARES, app.input.values, n)
    output = dice.along(SHARES, app.output.values, n)
    least, step = CACHE_FROM.values
    # Between half and nine tenths of a prompt is the prefix it shares with earlier ones.
    prefix = prompt * (5000 + dice.below(4000, n)) // UNIT // step * step
    luck = dice.below(UNIT, n)
    long = prefix >= least
    read = np.where(long & (luck < app.cached), prefix, 0)
    write = np.where(long & (luck >= app.cached) & (luck < app.cached + app.written), prefix, 0)
    reasoning = np.where(dice.below(UNIT, n) < app.reasoned, 64 * (1 + dice.below(8, n)), 0)
    output = output + reasoning
    fate = dice.below(UNIT, n)
    failed = fate < app.failed
    repeated = (fate >= app.failed) & (fate < app.failed + app.repeated)
    for tokens in (prompt, output, read, write, reasoning):
        tokens[failed] = 0
    base, cache_read, cache_write, out = RATES[app.model].values
    nano = (prompt - read - write) * base + read * cache_read + write * cache_write + output * out
    nano[repeated] = 0
    # Assumed: 300 ms until the first token, then about 80 tokens a second.
    end = start + 300 + output * 12
    frame = pl.DataFrame(
        {
            "startTime": start,
            "endTime": end,
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "read": read,
            "write": write,
            "reasoning": reasoning,
            "nano": nano,
            "failed": failed,
            "repeated": repeated,
        }
    )
    nothing = (pl.col("read") == 0) & (pl.col("write") == 0) & (pl.col("reasoning") == 0)
    details = pl.concat_str(
        pl.lit('{"usage_object":{"prompt_tokens_details":{"cached_tokens":'),
        "read",
        pl.lit('},"cache_creation_input_tokens":'),
        "write",
        pl.lit(',"completion_tokens_details":{"reasoning_tokens":'),
        "reasoning",
        pl.lit("}}}"),
    )
    return frame.select(
        "startTime",
        "endTime",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        pl.format(
            "{}.{}",
            pl.col("nano") // 10**9,
            (pl.col("nano") % 10**9).cast(pl.String).str.zfill(9),
        ).alias("spend"),
        pl.lit("acompletion").alias("call_type"),
        pl.lit(f"sk-{app.name}").alias("api_key"),
        pl.lit(app.model).alias("model"),
        pl.lit(app.name).alias("model_group"),
        pl.lit(app.vendor).alias("custom_llm_provider"),
        pl.when("repeated").then(pl.lit("True")).otherwise(pl.lit("False")).alias("cache_hit"),
        pl.lit(app.name).alias("team_id"),
        pl.when(nothing).then(pl.lit("{}")).otherwise(details).alias("metadata"),
        pl.when("failed").then(pl.lit("failure")).otherwise(pl.lit("success")).alias("status"),
    )


def _arrivals(app: Application, n: int, dice: _Dice) -> np.ndarray:
    """Starts in milliseconds: bursts by the law of gaps, stretched over the hours by how busy they are."""
    first = START.weekday()
    busy = np.array(
        [
            hour * (app.weekend if (first + day) % 7 >= 5 else UNIT) // 100
            for day in range(DAYS)
            for hour in app.hours
        ],
        np.int64,
    )
    passed = np.concatenate(([0], np.cumsum(busy)))
    gaps = dice.along(GAP_SHARES, GAPS.values, n + 1)
    clock = np.cumsum(gaps)
    # Python's integers: the product passes 64 bits for a large scale.
    whole, total = int(passed[-1]), int(clock[-1])
    fits = total * whole < 2**62
    at = clock[:n] * np.int64(whole) // total if fits else _scaled(clock[:n], whole, total)
    hour = np.searchsorted(passed, at, side="right") - 1
    within = (at - passed[hour]) * HOUR // busy[hour] + dice.below(1000, n) * HOUR // busy[hour] // 1000
    return int(START.timestamp()) * 1000 + hour * HOUR + within


def _scaled(values: np.ndarray, by: int, over: int) -> np.ndarray:
    return np.array([int(v) * by // over for v in values], np.int64)
