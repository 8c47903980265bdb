"""The decision: 36 months × 1,000 futures × 20 offers for a log of a million requests.

Futures are made up (prices jump, free terms end, limits tighten, models are retired), so that the figures do
not depend on what the history holds. Two thousand are drawn: a thousand to fit the strategies, a thousand
fresh ones to judge them. The process is new: compiled code is in Numba's cache, nothing else is warm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from bench import log as logs

START = date(2026, 11, 22)
MONTHS = 36
ERRORS = ("merged_cost", "merged_refused", "between_cost", "between_refused")
OFFERS = (
    "google/gemma-3-27b-free", "cerebras/gpt-oss-120b-free", "groq/qwen3.8-27b-free",
    "openrouter/free-after-10-usd", "mistral/codestral-free", "cloudflare/workers-ai-paid",
    "openai/data-sharing-tier-3-5", "alibaba/new-user", "scaleway/generative-apis", "zhipu/new-user",
    "openai/gpt-5-mini", "openai/gpt-5-nano", "openai/gpt-4.1-mini", "anthropic/claude-opus-4-5",
    "anthropic/claude-sonnet-4-6", "google/gemini-2.5-flash-lite", "google/gemini-2.5-flash",
    "deepseek/v4-flash", "mistral/codestral", "cohere/command-r",
)  # fmt: skip
TEAM = """
team: bench
horizon: 36
growth: {monthly: 0.03, uncertainty: 0.01}
refused: 0.002
revenue: 5
"""
Row = tuple[str, str, str, str]


def rows(quick: bool) -> Iterator[Row]:
    """Seconds, memory and errors of one decision."""
    size, draws = (100_000, 200) if quick else (1_000_000, 2000)
    _apart(logs.made(100_000), 40)  # compiles
    found = _apart(logs.made(size), draws)
    title = f"{size:,} requests × {MONTHS} months × {draws:,} futures"
    what = f"{found['offers']} offers, {found['stateful']} of them with limits or allowances; "
    what += f"load average before it began: {found['busy']:.1f} on {os.cpu_count()} cores"
    yield title, f"{found['seconds']:.1f} s", "< 30", what
    yield "of which CPU", f"{found['cpu']:.1f} s", "", "user and system, all threads"
    for name, seconds in found["steps"]:
        yield f"  {name}", f"{seconds:.1f} s", "", "wall"
    yield "peak memory", f"{found['peak']:.2f} GB", "< 2", "high-water mark, reading the log included"
    merged = f"{found['merged_cost']:.2%}; {found['merged_refused']:.2%}"
    words = "cost; share refused: worst of the offers, against the exact bill of the full log"
    yield "error of the compressed workload", merged, "", f"{words}; at most {found['merged']:,} rows"
    between = f"{found['between_cost']:.2%}; {found['between_refused']:.2%}"
    yield "error of the interpolation", between, "", "the same, at loads that the grid leaves out"
    words = (
        "limits halved and the load doubled, billed on the full log: worst share refused against the surface"
    )
    yield "error under stress", f"{found['stress_refused']:.2%}", "", words
    words = "a bound: what nobody can know beforehand is most of it"
    yield "optimal plan's cost over the clairvoyant's", f"{found['regret']:.1%}", "", words


def _apart(path: Path, draws: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.advice", str(path), str(draws)],
        check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    return json.loads(done.stdout)


def futures(names: list[str], draws: int, seed: int = 20261122) -> Any:
    """Made-up futures of `names`."""
    import numpy as np

    from pricewar.futures import certain

    rng = np.random.default_rng(seed)
    shape = (draws, MONTHS, len(names))

    def happens(chance: float) -> Any:
        event = rng.random(shape) < chance
        event[:, 0] = False
        return event

    jumps = np.where(happens(0.04), rng.normal(-0.1, 0.4, shape), 0).cumsum(axis=1)
    tighter = np.where(happens(0.03), -0.4, 0).cumsum(axis=1)
    ended, retired = happens(0.04).cumsum(axis=1) > 0, happens(0.02).cumsum(axis=1) > 0
    siblings = tuple("openai/gpt-5-mini" if n.endswith(("free", "new-user")) else None for n in names)
    turns = ended & np.array([s is not None for s in siblings])
    status = np.where(retired, 2, np.where(turns, 1, 0)).astype(np.uint8)
    successor = np.where(retired, np.exp(rng.normal(0, 0.4, (draws, 1, len(names)))), 1.0)
    frontier = np.exp(rng.normal(-0.03, 0.05, (draws, MONTHS, 2)).cumsum(axis=1))
    return replace(
        certain(names, START, MONTHS, draws),
        price=np.exp(jumps), status=status, limit=np.exp(tighter), allowance=np.exp(tighter),
        successor=successor, sibling=siblings, frontier=frontier, source="made up", seed=seed,
    )  # fmt: skip


def measure(path: Path, draws: int) -> dict[str, Any]:
    """One decision in this process."""
    from bench.desk import _peak
    from pricewar.advice import team as teams
    from pricewar.advice.decide import decide
    from pricewar.offers.catalogue import load_catalogue
    from pricewar.usage.read import read

    catalogue = load_catalogue(START)
    names = [name for name in OFFERS if name in catalogue.offers]
    what = futures(names, draws)
    marks: list[tuple[str, float]] = []
    busy = os.getloadavg()[0]
    began, spent = time.perf_counter(), time.process_time()
    log = read(path)
    marks.append(("reading", time.perf_counter()))
    advice = decide(
        log, catalogue, names, teams.of(TEAM), what,
        progress=lambda step: marks.append((step, time.perf_counter())),
    )  # fmt: skip
    done = time.perf_counter()
    times = [began, *(t for _, t in marks[1:]), done]
    steps = [(name, b - a) for (name, _), a, b in zip(marks, times, times[1:], strict=False)]
    stood = [c.compression for c in advice.candidates]
    return {
        "busy": busy,
        "seconds": done - began,
        "cpu": time.process_time() - spent,
        "steps": steps,
        "peak": _peak() / 1e9,
        "offers": len(advice.candidates),
        "stateful": sum(c["rows"] > 0 for c in stood),
        "merged": max(int(c["rows"]) for c in stood),
        **{k: max(c[k] for c in stood) for k in ERRORS},
        "stress_refused": stress(
            log, catalogue, [c.offer for c in advice.candidates if c.compression["rows"]]
        ),
        "regret": advice.outcome("optimal").cost.mean / advice.outcome("clairvoyant").cost.mean - 1,
        "out": [e.offer for e in advice.excluded],
    }  # fmt: skip


def stress(log: Any, catalogue: Any, names: list[str]) -> float:
    """Worst difference in the share refused at a quarter of the room, surface against the full log."""
    from fractions import Fraction

    import numpy as np

    from pricewar.advice.surfaces import Terms, surface
    from pricewar.advice.workload import workload
    from pricewar.billing.batch import Batch, View
    from pricewar.billing.run import Run, served_by
    from pricewar.billing.tariff import Above

    work = workload(log, catalogue, [catalogue.offer(n) for n in names], START)
    worst = 0.0
    for name in names:
        found = surface(work, name, (1.0, 4.0), Terms(limit=(0.5, 1.0)))
        if len(found.limits) < 2:
            continue
        terms = work.entries[name].tariff
        halved = tuple(
            replace(p, term=p.term.model_copy(update={"amount": p.term.amount / 2}))
            if isinstance(p.term.amount, Fraction) and p.term.per != "request" else p
            for p in terms.limits
        )  # fmt: skip
        lasting = tuple(p for p in terms.allowances if p.term.reset != "none" or p.term.price > 0)
        run = Run(replace(terms, limits=halved, allowances=lasting), unknown="shut")
        models: dict[Any, int] = {}
        tiers = {"standard": 0}
        for frame in log.batches():
            batch = Batch.of(frame, models, tiers)
            batch = Batch(
                batch.times, batch.quantities * 2, batch.model, batch.models, batch.tier, batch.tiers
            )
            served, same = served_by(terms, batch.models, work.held().names)
            marks = [a.tokens for a in terms.atoms if isinstance(a, Above)]
            run.add(View(batch, work.assumed[name], same, marks), served, same)
        bill = run.bill()
        if found.lumpy:
            column = [float(np.interp(0.5, found.limits, row)) for row in found.refused[0]]
            guess = np.interp(0.5, found.allowances, column)
        else:
            guess = np.interp(0.25, found.limits, found.refused[0, -1])
        worst = max(worst, abs(1 - bill.served / bill.requests - float(guess)))
    return worst


if __name__ == "__main__":
    json.dump(measure(Path(sys.argv[1]), int(sys.argv[2])), sys.stdout)
