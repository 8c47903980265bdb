"""How `src/pricewar/advice/facts/capability.yaml` was written; the product never runs this.

Reads Epoch's capability index, its benchmark scores and the arena's history from a folder given on the
command line (they are not part of this repository), and writes our own records: one figure per model that the
catalogue knows, and the mapping from a gap in the index to a difference in pass rate, calibrated with one
benchmark left out at a time.

    python docs/prepare_capability.py FOLDER > src/pricewar/advice/facts/capability.yaml
"""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from scipy import optimize, stats

from pricewar.offers.catalogue import canonical, load_catalogue

READ = "2026-11-22"
DEGREES = 4
"""Of the t distribution: 2 to 100 were tried; 4 has the highest likelihood."""

FLOATING = {
    "deepseek-chat", "deepseek-reasoner", "qwen-max", "qwen-plus", "qwen-plus-2025-07-28", "grok-beta",
    "mistral-large", "mistral-medium", "claude-v1", "deepseek-coder-33b-instruct",
}  # fmt: skip
"""Names that have meant several models, or whose figure is of another release or of the untuned model."""

BY_HAND = {
    "GPT-4 (Jun 2023)": ["gpt-4", "gpt-4-32k"],
    "GPT-4 Turbo (Apr 2024)": ["gpt-4-turbo"],
    "GPT-4o (Nov 2024)": ["gpt-4o"],
    "GPT-4o (May 2024)": ["gpt-4o-2024-05-13"],
    "Claude 3.5 Sonnet (October 2024)": ["claude-3.5-sonnet", "claude-3-5-sonnet"],
    "Claude 2": ["claude-2"],
    "Gemini 2.5 Flash (Jun 2025)": ["gemini-2.5-flash"],
    "Gemini 2.5 Flash (Apr 2025)": ["gemini-2.5-flash-preview"],
    "Gemini 1.5 Flash (Sep 2024)": ["gemini-1.5-flash", "gemini-flash-1.5"],
    "Gemini 1.5 Pro": ["gemini-1.5-pro", "gemini-pro-1.5"],
    "Gemini 1.0 Pro": ["gemini-pro"],
    "DeepSeek-V3": ["deepseek-v3", "deepseek-v3-0324", "deepseek-chat-v3-0324"],
    "DeepSeek-V3.1": ["deepseek-chat-v3.1"],
    "DeepSeek-V3.2": ["deepseek-v3.2-think", "deepseek-v3p2"],
    "Mistral Medium 3": ["mistral-medium-3"],
    "Kimi K2": [
        "kimi-k2", "kimi-k2-0711-preview", "kimi-k2-0905-preview",
        "kimi-k2-instruct", "kimi-k2-instruct-0905",
    ],
    "Claude 3.5 Sonnet": ["regional.anthropic.claude-3-5-sonnet-20240620-v1"],
    "Qwen3-Max": ["qwen3-max"],
    "Qwen3-235B-A22B-Thinking (Jul 2025)": ["qwen3-235b-a22b-thinking-2507"],
    "Qwen3-Coder-480B-A35B": ["qwen3-coder"],
    "Grok-3 mini": ["grok-3-mini-fast"],
    "Grok 3": ["grok-3-fast"],
    "mistral-small-2506": ["mistral-small-3.2-24b-instruct", "mistral-small-3.2-24b-instruct-2506"],
    "mistral-medium-2508": ["mistral-medium-3.1", "mistral-medium-3-1"],
    "mistral-large-3": ["mistral-large-2512"],
    "gpt-oss-20b": ["gpt-oss-20b", "openai.gpt-oss-20b-1"],
    "amazon-nova-pro-v1.0": ["nova-pro-v1", "amazon.nova-pro-v1"],
    "amazon-nova-lite-v1.0": ["nova-lite-v1", "amazon.nova-lite-v1"],
    "amazon-nova-micro-v1.0": ["nova-micro-v1", "amazon.nova-micro-v1"],
    "nova-2-lite": ["nova-2-lite-v1"],
    "gemini-2.0-flash-lite-preview-02-05": ["gemini-2.0-flash-lite", "gemini-2.0-flash-lite-001"],
    "gemini-2.5-flash-lite-preview-06-17-thinking": [
        "gemini-2.5-flash-lite", "gemini-2.5-flash-lite-preview-06-17",
    ],
    "gemini-2.5-flash-lite-preview-09-2025-no-thinking": ["gemini-2.5-flash-lite-preview-09-2025"],
    "gemini-1.5-flash-8b-001": ["gemini-flash-1.5-8b"],
    "command-a-03-2025": ["command-a", "command-a-03-2025"],
}  # fmt: skip

RELEASED = {"Kimi K2": date(2025, 7, 11)}
"""Where the file's date is plainly wrong (it has Kimi K2 in 2024)."""

EPOCH = "epoch_capabilities_index.csv"
BENCHMARKS = ("epoch_other_models_data.csv", "epoch_lowest_price_models_data.csv")
BY_CLASS = "epoch_price_by_param_class_frontier.csv"


def key(name: str) -> str:
    """What is left of a name without vendor, date, effort and the words all chat models share."""
    name = canonical(name)
    name = re.sub(r"-(high|medium|low|minimal|none|xhigh|thinking|webapp)$", "", name)
    name = re.sub(r"-\(?\d+k( thinking\))?$", "", name)
    name = re.sub(r"^(global|regional)\.", "", name)
    name = re.sub(r"^(anthropic|meta|amazon|google|mistral|qwen|openai|deepseek|nvidia|zai)\.", "", name)
    name = re.sub(r"^(meta|databricks|databricks-meta)-(?=llama|gpt|gemma|qwen|glm)", "", name)
    name = re.sub(r"-(20\d{6}|20\d\d-\d\d-\d\d)", "", name)
    name = re.sub(r"-v\d+(\.0)?$", "", name)
    name = re.sub(
        r"-(fp8|bf16|awq|hf|instruct|it|versatile|instant|17b|16e|128e|reasoning|beta)(?=-|$)", "", name
    )
    name = re.sub(r"-(fast|turbo)$", "", name) if name.startswith(("llama", "qwen")) else name
    return re.sub(r"[^a-z0-9]", "", name)


def known() -> dict[str, list[str]]:
    """Catalogue names of models, by their keys."""
    found: dict[str, set[str]] = {}
    for offer in load_catalogue(date.fromisoformat(READ)).offers.values():
        for model in offer.models:
            for name in (model.name, *model.aliases, model.weights or model.name):
                if canonical(name) not in FLOATING and not name.endswith("latest"):
                    found.setdefault(key(name), set()).add(canonical(name))
    return {k: sorted(v) for k, v in found.items()}


def figures(folder: Path) -> tuple[list[dict], dict[str, float]]:
    """One record per model, and the line from arena scores to the index."""
    catalogue = known()
    every = {name for names in catalogue.values() for name in names}
    epoch = pl.read_csv(folder / EPOCH, infer_schema_length=2000).filter(pl.col("ECI Score").is_not_null())
    arena = pl.read_parquet(folder / "arena_elo_history.parquet")
    first = dict(arena.group_by("model").agg(pl.col("date").min()).iter_rows())
    latest = arena.filter((pl.col("src") == "arena-catalog") & (pl.col("date") == pl.col("date").max()))
    scores = {model: elo for _, model, elo, _ in latest.sort("elo", descending=True).iter_rows()}
    taken: dict[str, str] = {name: model for model, names in BY_HAND.items() for name in names}
    records: dict[str, dict] = {}
    for row in epoch.sort("Release date", descending=True, nulls_last=True).iter_rows(named=True):
        model = row["Model name"]
        record = records.setdefault(
            model,
            {"model": model, "names": set(), "index": row["ECI Score"], "released": set(), "keys": set()},
        )
        if row["Release date"]:
            record["released"].add(row["Release date"])
        record["keys"] |= {key(row["Model version"]), key(model)}
    pairs = []
    used: set[str] = set()
    for name, elo in scores.items():
        for record in records.values():
            if key(name) in record["keys"] and record["model"] not in used:
                used.add(record["model"])
                pairs.append((elo, record["index"]))
    x, y = np.array(pairs).T
    line = stats.linregress(x, y)
    spread = float(np.std(y - line.intercept - line.slope * x, ddof=2))
    for record in records.values():
        record["by"] = "epoch"
    matched = {k for record in records.values() for k in record["keys"]}
    for name, elo in scores.items():
        if key(name) in matched:
            continue
        matched.add(key(name))
        records[name] = {
            "model": name, "names": set(), "index": line.intercept + line.slope * elo, "sd": spread,
            "released": {first[name]}, "keys": {key(name)}, "by": "arena", "arena": elo,
        }  # fmt: skip
    for record in records.values():
        names = {n for k in record["keys"] for n in catalogue.get(k, [])}
        record["names"] = {n for n in names if taken.get(n, record["model"]) == record["model"]}
        record["names"] |= {n for n in BY_HAND.get(record["model"], []) if n in every}
        # An offer's name that several models' keys lead to belongs to the first: the latest released.
        for name in record["names"]:
            taken.setdefault(name, record["model"])
    kept = [r for r in records.values() if r["names"] and r["released"]]
    return sorted(kept, key=lambda r: -r["index"]), {
        "intercept": float(line.intercept), "slope": float(line.slope), "sd": spread, "models": len(pairs),
    }  # fmt: skip


# Scores under names that differ from those of the index.
SCORED = {
    "Claude 2": "Claude 2", "Claude 2.1": "Claude 2.1", "Claude-3-Haiku": "Claude 3 Haiku",
    "Claude-3-Opus": "Claude 3 Opus", "Claude-3-Sonnet": "Claude 3 Sonnet",
    "Claude-3.5-Haiku": "Claude 3.5 Haiku",
    "Claude-3.5-Sonnet-2024-06": "Claude 3.5 Sonnet",
    "Claude-3.5-Sonnet-2024-10": "Claude 3.5 Sonnet (October 2024)", "DeepSeek-V3": "DeepSeek-V3",
    "GPT-3.5 Turbo": "GPT-3.5 Turbo", "GPT-3.5-Turbo-2023-06": "GPT-3.5 Turbo",
    "GPT-3.5-Turbo-2023-11": "GPT-3.5 Turbo", "GPT-3.5-Turbo-2024-01": "GPT-3.5 Turbo",
    "GPT-4 Turbo": "GPT-4 Turbo (Apr 2024)", "GPT-4-0314": "GPT-4 (Mar 2023)",
    "GPT-4-0613": "GPT-4 (Jun 2023)",
    "GPT-4o-2024-05": "GPT-4o (May 2024)", "GPT-4o-2024-08": "GPT-4o (Aug 2024)",
    "GPT-4o-2024-11": "GPT-4o (Nov 2024)", "GPT-4o-mini": "GPT-4o mini", "Gemini 1.0 Pro": "Gemini 1.0 Pro",
    "Gemini 2.0 Flash": "Gemini 2.0 Flash", "Gemini-1.5-Flash-2024-05": "Gemini 1.5 Flash (May 2024)",
    "Gemini-1.5-Flash-2024-09": "Gemini 1.5 Flash (Sep 2024)", "Gemini-1.5-Pro-2024-05": "Gemini 1.5 Pro",
    "Gemini-1.5-Pro-2024-09": "Gemini 1.5 Pro", "Gemma-2-27B": "Gemma 2 27B", "Gemma-2-9B": "Gemma 2 9B",
    "Llama 2-13B": "Llama 2-13B", "Llama-2-Chat-13B": "Llama 2-13B", "Llama 2-70B Chat": "Llama 2-70B",
    "Llama 2-7B": "Llama 2-7B", "Llama-3-Instruct-70B": "Llama 3-70B", "Llama-3-Instruct-8B": "Llama 3-8B",
    "Llama-3.1-Instruct-405B": "Llama 3.1-405B", "Llama-3.1-Instruct-70B": "Llama 3.1-70B",
    "Llama-3.1-Instruct-8B": "Llama 3.1-8B", "Mistral 7B": "Mistral 7B", "Mistral-8x22": "Mixtral 8x22B",
    "Mistral-Large-2-2024-07": "Mistral Large 2", "Mistral-Large-2-2024-11": "Mistral Large 2",
    "Mistral-Large-2024-02": "Mistral Large", "Mistral-NeMo": "Mistral NeMo", "Phi 4": "Phi-4",
}  # fmt: skip
SCORED_BY_CLASS = {
    "Mixtral 8x7B": "Mixtral 8x7B", "Llama 3 70B": "Llama 3-70B", "Phi-3 Medium 14B": "phi-3-medium 14B",
    "Gemma 2 27B": "Gemma 2 27B", "Llama 3.1 70B": "Llama 3.1-70B", "Llama 3.2 90B (Vision)": "Llama 3.2 90B",
    "Qwen2.5 Coder 32B": "Qwen2.5-Coder (32B)", "Phi-4": "Phi-4", "Llama 3.3 70B": "Llama 3.3 70B",
    "Mixtral 8x22B": "Mixtral 8x22B", "Llama 3.1 405B": "Llama 3.1-405B",
    "Mistral Large 2 (Jul '24)": "Mistral Large 2", "Mistral Large 2 (Nov '24)": "Mistral Large 2",
    "DeepSeek V3 (Dec '24)": "DeepSeek-V3", "DeepSeek V3 (Mar' 25)": "DeepSeek-V3",
    "DeepSeek R1": "DeepSeek-R1",
    "Llama 4 Maverick": "Llama 4 Maverick", "Qwen3 235B A22B (Reasoning)": "Qwen3-235B-A22B",
    "DeepSeek R1 0528 (May '25)": "DeepSeek-R1 (May 2025)", "DeepSeek V3.1 (Reasoning)": "DeepSeek-V3.1",
    "Llama 2 Chat 7B": "Llama 2-7B", "Mistral 7B": "Mistral 7B", "Llama 3 8B": "Llama 3-8B",
    "Gemma 3 27B": "Gemma 3 27B", "Llama 4 Scout": "Llama 4 Scout",
}  # fmt: skip


def scores(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Benchmark → (index of the model, score in 0..1), one row per model and version.

    Two series of one benchmark from two sources count as two tasks. Left out: arena scores (no pass rate),
    HLE (guessing level), values of 0 and two that are plainly in another unit.
    """
    epoch = pl.read_csv(folder / EPOCH, infer_schema_length=2000).filter(pl.col("ECI Score").is_not_null())
    index = dict(epoch.select("Model name", "ECI Score").iter_rows())
    held: dict[str, dict[str, tuple[float, list[float]]]] = {}
    for file in BENCHMARKS:
        for row in pl.read_csv(folder / file, infer_schema_length=2000).iter_rows(named=True):
            model = SCORED.get(row["Model Name"])
            if row["bench"] != "LMSys Chatbot Arena ELO" and model in index:
                cell = held.setdefault(row["bench"], {}).setdefault(row["Model Name"], (index[model], []))
                cell[1].append(row["benchmark_score"] / 100)
    table = pl.read_csv(folder / BY_CLASS, infer_schema_length=2000)
    for row in table.iter_rows(named=True):
        model = SCORED_BY_CLASS.get(row["Model"])
        for column in table.columns:
            value = row[column] if column.startswith("bench_") and column != "bench_HLE" else None
            if model in index and value is not None and value > 1:
                cell = held.setdefault(column, {}).setdefault(row["Model"], (index[model], []))
                cell[1].append(value / 100)
    return {b: [(x, float(np.mean(v))) for x, v in rows.values()] for b, rows in held.items()}


def mapping(tasks: dict[str, list[tuple[float, float]]]) -> dict:
    """logit q − logit p = slope·gap + t·√(slope_sd²·gap² + residual²), each task weighing alike."""

    def pairs(rows: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y = np.array(rows).T
        logit = np.log(np.clip(y, 0.01, 0.99) / (1 - np.clip(y, 0.01, 0.99)))
        i, j = np.nonzero(x[:, None] != x[None, :])
        return x[j] - x[i], logit[j] - logit[i], y[i]

    data = {task: pairs(rows) for task, rows in tasks.items()}

    # A pair and its mirror have the same likelihood: one of each is enough to fit.
    half = {name: tuple(part[gap > 0] for part in (gap, z)) for name, (gap, z, _) in data.items()}

    def fit(names: list[str]) -> tuple[float, float, float]:
        def loss(at: np.ndarray) -> float:
            total = 0.0
            for name in names:
                gap, z = half[name]
                scale = np.sqrt(np.exp(2 * at[1]) * gap**2 + np.exp(2 * at[2]))
                total -= np.mean(stats.t.logpdf((z - at[0] * gap) / scale, DEGREES) - np.log(scale))
            return total

        best = optimize.minimize(loss, (0.1, -3.5, -0.7), method="BFGS", options={"gtol": 1e-6}).x
        return float(best[0]), float(np.exp(best[1])), float(np.exp(best[2]))

    levels = (0.5, 0.8, 0.9, 0.95)
    found: dict[str, dict[float, list[float]]] = {
        "all": {k: [] for k in levels},
        "near": {k: [] for k in levels},
    }
    for task in data:
        slope, spread, residual = fit([other for other in data if other != task])
        gap, z, p = data[task]
        size = np.abs(z - slope * gap) / np.sqrt(spread**2 * gap**2 + residual**2)
        near = (np.abs(gap) <= 10) & (p >= 0.5)
        for level in levels:
            inside = size <= stats.t.ppf(0.5 + level / 2, DEGREES)
            found["all"][level].append(float(inside.mean()))
            if near.sum() > 20:
                found["near"][level].append(float(inside[near].mean()))
    slope, spread, residual = fit(list(data))
    coverage = {
        kind: {level: (float(np.mean(v)), float(min(v))) for level, v in rows.items()}
        for kind, rows in found.items()
    }
    return {
        "slope": slope, "slope_sd": spread, "residual": residual, "tasks": len(data),
        "scores": sum(map(len, tasks.values())), "coverage": coverage,
    }  # fmt: skip


def tokens(folder: Path) -> dict[str, dict[float, float]]:
    """How far apart two models' tokens are on one task: side → share of pairs → factor."""
    runs = pl.read_csv(folder / "epoch_ai_eval_data.csv")
    found: dict[str, dict[float, list[float]]] = {}
    for (_,), task in runs.group_by("Task"):
        for side in ("input", "output"):
            each = task.group_by("Model").agg(
                (pl.col(f"{side}_tokens") / pl.col("total_samples")).mean().alias("n")
            )
            log = np.log(each["n"].to_numpy())
            apart = np.abs(log[:, None] - log)[np.triu_indices(len(log), 1)]
            for level in (0.5, 0.8, 0.9, 0.95, 0.99):
                found.setdefault(side, {}).setdefault(level, []).append(float(np.quantile(apart, level)))
    return {side: {k: float(np.exp(np.mean(v))) for k, v in rows.items()} for side, rows in found.items()}


def main(folder: Path) -> None:
    records, line = figures(folder)
    fitted = mapping(scores(folder))
    print("# Published capability of models the catalogue knows, and what a gap in it says of a pass rate.")
    print(
        "# Our own records; how they were made: docs/prepare_capability.py. What they mean: docs/evidence.md."
    )
    print("sources:")
    print("  epoch:")
    print("    title: Epoch Capabilities Index, Epoch AI (CC BY 4.0)")
    print("    url: https://epoch.ai/benchmarks/eci")
    print(f"    read: {READ}\n    as_of: 2025-12-17")
    print("  arena:")
    print("    title: LMArena text leaderboard, score put on the index by a line over models that have both")
    print("    url: https://lmarena.ai/leaderboard/text")
    print(f"    read: {READ}\n    as_of: 2025-12-11")
    print("  benchmarks:")
    print("    title: benchmark scores of priced models, Epoch AI (CC BY 4.0)")
    print("    url: https://epoch.ai/data-insights/llm-inference-price-trends")
    print(f"    read: {READ}\n    as_of: 2025-08-21")
    print("  tokens:")
    print("    title: tokens used in Epoch AI's own evaluations, 75 models on 3 tasks (CC BY 4.0)")
    print("    url: https://epoch.ai/benchmarks")
    print(f"    read: {READ}\n    as_of: 2025-02-27")
    print("arena_line:  # index = intercept + slope · arena score, residual sd")
    print(f"  intercept: {line['intercept']:.3f}\n  slope: {line['slope']:.5f}")
    print(f"  sd: {line['sd']:.2f}\n  models: {line['models']}")
    print("mapping:  # logit q − logit p = slope · gap + t(degrees) · √(slope_sd² · gap² + residual²)")
    print(f"  slope: {fitted['slope']:.4f}\n  slope_sd: {fitted['slope_sd']:.4f}")
    print(f"  residual: {fitted['residual']:.4f}\n  degrees: {DEGREES}")
    print(f"  tasks: {fitted['tasks']}\n  scores: {fitted['scores']}")
    print("  coverage:  # of a task left out, nominal → mean over tasks, worst task")
    for kind, rows in fitted["coverage"].items():
        said = "gap ≤ 10, present model passes half or more" if kind == "near" else "every pair"
        print(f"    {kind}:  # {said}")
        for level, (mean, worst) in rows.items():
            print(f'      "{level}": [{mean:.2f}, {worst:.2f}]')
    print("tokens:  # two models on one task: share of pairs whose tokens differ by at most this factor")
    for side, rows in tokens(folder).items():
        print(f"  {side}: " + "{" + ", ".join(f'"{k}": {v:.2f}' for k, v in rows.items()) + "}")
    print("figures:")
    for record in records:
        released = RELEASED.get(record["model"]) or min(record["released"])
        print(f"  - model: {record['model']}")
        print(f"    names: [{', '.join(sorted(record['names']))}]")
        print(f"    index: {record['index']:.1f}")
        if record["by"] == "arena":
            print(f"    sd: {record['sd']:.1f}\n    arena: {record['arena']:.0f}")
        print(f"    released: {released}\n    source: {record['by']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
