"""Readers of what evaluation programs write: promptfoo (JSON, JSON lines, CSV) and lm-evaluation-harness.

What each format's words mean is settled here once. promptfoo: `response.cached` says that promptfoo itself
kept the answer, so its latency is no latency; `failureReason` 2 is a failed call, 1 an answer that fell
short; an `error` text alone may be either; a grade marked `graderError` is none. lm-evaluation-harness logs
no tokens and no times, and names the model only in the results file beside the samples, or in the folder's
name.

Learned from documentation and published types, read 2026-11-22: promptfoo.dev/docs/configuration/outputs and
promptfoo's src/types/index.ts, src/util/eval/evalTableUtils.ts; lm-evaluation-harness' docs/interface.md and
lm_eval/loggers/evaluation_tracker.py.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from pricewar.advice.evidence_files import (
    COUNTS,
    Choices,
    Lines,
    Place,
    Places,
    Reading,
    Rows,
    Total,
    Trial,
    absurd,
    digest,
    judged,
    whole,
)
from pricewar.errors import DataError

METRICS = ("exact_match", "acc", "acc_norm", "pass@1", "prompt_level_strict_acc")
"""Of lm-evaluation-harness, in the order in which one is taken when none is named."""

MODES = {"chat", "completion", "messages", "responses", "text", "inference"}
"""What stands between vendor and model in promptfoo's provider ids."""

# --- promptfoo ------------------------------------------------------------------------------------------


def provider_model(provider: Any) -> str:
    """What a promptfoo provider calls: `openai:chat:gpt-5-mini` → `gpt-5-mini`; of a script, its label."""
    if isinstance(provider, dict):
        id, label = str(provider.get("id") or ""), str(provider.get("label") or "")
        scripted = re.match(r"(file|https?|python|exec|javascript|webhook|websocket|golang)\b", id)
        if label and (scripted or not id):
            return label
        provider = id
    parts = str(provider or "").split(":")
    if len(parts) == 1 or parts[0] in ("file", "http", "https", "python", "exec", "webhook"):
        return str(provider or "")
    parts = parts[1:]
    while len(parts) > 1 and parts[0] in MODES:
        parts = parts[1:]
    return ":".join(parts)


def promptfoo(records: Rows, name: str) -> Reading:
    reading = Reading(name, "promptfoo")
    kept = 0
    for row, place in records:
        reading.rows_in += 1
        if not isinstance(row, dict) or not isinstance(row.get("success"), bool):
            reading.drop("no “success” that is true or false", place)
            continue
        if not row["success"] and _ungraded(row.get("gradingResult")):
            reading.drop("the grader failed, not the model", place)
            continue
        model = provider_model(row.get("provider"))
        if not model:
            reading.drop("no provider", place)
            continue
        response = row.get("response") if isinstance(row.get("response"), dict) else {}
        assert isinstance(response, dict)
        reason = row.get("failureReason")
        error = reason == 2 or (
            reason is None and (bool(response.get("error")) or (not response and bool(row.get("error"))))
        )
        own = response.get("cached") is True
        kept += own
        usage = response.get("tokenUsage") or row.get("tokenUsage") or {}
        counts = _promptfoo_tokens(usage if isinstance(usage, dict) else {}, own)
        latency = row.get("latencyMs")
        timed = (
            isinstance(latency, (int, float))
            and math.isfinite(latency)
            and latency > 0
            and not own
            and not error
        )
        if (cause := absurd(counts)) is not None:
            reading.drop(cause, place)
            continue
        reading.trials.append(
            Trial(
                model,
                _promptfoo_prompt(row),
                None if error else row["success"],
                error,
                *([None] * 3 if error else [counts[c] for c in COUNTS]),
                latency=float(latency) / 1000 if timed else None,  # type: ignore[arg-type]
            )
        )
    if kept:
        reading.notes.append(
            f"{name}: {kept} answers came from promptfoo's own cache; their latency does not count, nor do "
            "tokens it does not repeat. Run the evaluation with --no-cache to measure them."
        )
    return reading


def _ungraded(grading: Any) -> bool:
    """Whether promptfoo marked a grade as its grader's own failure."""
    if not isinstance(grading, dict):
        return False
    meta = grading.get("metadata")
    parts = grading.get("componentResults")
    marked = isinstance(meta, dict) and bool(meta.get("graderError"))
    return marked or (isinstance(parts, list) and any(_ungraded(part) for part in parts))


def _promptfoo_tokens(usage: dict[str, Any], own: bool) -> dict[str, int | None]:
    """The answer's own tokens. `cached` beside `prompt` is the vendor's cache unless promptfoo answered.

    Vendors count cached tokens inside the prompt or beside it, and promptfoo passes on either: they stand
    beside it when the total has room for them, or when there are more of them than prompt.
    """
    given = {key: whole(usage.get(key)) for key in ("prompt", "completion", "cached", "total")}
    prompt, completion = given["prompt"], given["completion"]
    if not prompt and not completion:
        return dict.fromkeys(COUNTS)
    details = usage.get("completionDetails")
    cached = whole(details.get("cacheReadInputTokens")) if isinstance(details, dict) else None
    if cached is None and not own:
        cached = given["cached"]
    if cached and prompt is not None:
        room = (given["total"] or 0) >= prompt + (completion or 0) + cached
        if room or cached > prompt:
            prompt += cached
    return {"input": prompt, "output": completion, "cached": cached}


def _promptfoo_prompt(row: dict[str, Any]) -> str:
    test = row.get("testCase") if isinstance(row.get("testCase"), dict) else {}
    prompt = row.get("prompt") if isinstance(row.get("prompt"), dict) else {}
    assert isinstance(test, dict)
    assert isinstance(prompt, dict)
    said = [
        row.get("vars") or test.get("vars"),
        prompt.get("label") or prompt.get("raw"),
        test.get("description") or row.get("description"),
        test.get("assert"),
    ]
    if not said[0] and not said[1]:
        said.append(row.get("testIdx"))
    return digest(said)


MARK = re.compile(r"\s*\[(PASS|FAIL|ERROR)\]")


def looks_promptfoo(fields: list[str], rows: list[tuple[int, list[str]]], outputs: list[int]) -> bool:
    at = outputs[0]
    if at + 1 < len(fields) and fields[at + 1] == "Status":
        return True
    return any(len(row) > at and MARK.match(row[at]) for _, row in rows[:20])


def promptfoo_csv(
    fields: list[str], rows: list[tuple[int, list[str]]], outputs: list[int], name: str
) -> Reading:
    """A row per test, a group of columns per provider: each such cell is a row of the account."""
    if not outputs:
        raise DataError(
            "no column is headed “[provider] prompt”",
            where=f"{name}:1",
            remedy="export it with promptfoo again",
        )
    reading = Reading(name, "promptfoo")
    reading.notes.append(f"{name}: promptfoo's CSV tells no tokens and no latency; its JSON output does.")
    variables = fields[: outputs[0]]
    where = Lines(name)
    for line, row in rows:
        for at in outputs:
            reading.rows_in += 1
            if len(row) != len(fields):
                reading.drop("another number of fields than the header", where.at(line))
                continue
            apart = at + 1 < len(fields) and fields[at + 1] == "Status"
            mark = MARK.match(row[at])
            status = row[at + 1].strip() if apart else mark.group(1) if mark else ""
            if status not in ("PASS", "FAIL", "ERROR"):
                cause = (
                    "no PASS, FAIL or ERROR" if status or row[at].strip() else "not tried with this provider"
                )
                reading.drop(cause, where.at(line))
                continue
            head = re.match(r"\[([^\]]+)\]\s*(.*)", fields[at], re.S)
            assert head is not None
            prompt = digest([dict(zip(variables, row, strict=False)), head.group(2)])
            error = status == "ERROR"
            passed = None if error else status == "PASS"
            reading.trials.append(Trial(provider_model(head.group(1)), prompt, passed, error))
    return reading


# --- lm-evaluation-harness ------------------------------------------------------------------------------


def lm_eval_samples(records: Rows, path: Path, choices: Choices) -> Reading:
    """`samples_TASK_DATE.jsonl`: one line per document and filter."""
    reading = Reading(path.name, "lm-eval")
    reading.notes.append(f"{path.name}: lm-evaluation-harness logs no tokens and no latency.")
    found = re.match(r"samples_(.+?)_\d{4}-\d\d-\d\dT.*", path.name)
    task = found.group(1) if found else path.name.split(".")[0].removeprefix("samples_")
    model = _lm_eval_model_beside(path)
    metric, _, wanted = (choices.metric or "").partition(",")
    chosen = wanted or None
    others: set[str] = set()
    scored: list[tuple[str, float, Place]] = []
    for row, place in records:
        reading.rows_in += 1
        if not isinstance(row, dict) or "doc_id" not in row:
            reading.drop("no JSON object with a “doc_id”", place)
            continue
        filter = str(row.get("filter", "none"))
        chosen = chosen or filter
        if filter != chosen:
            others.add(filter)
            reading.drop(f"the same answers under another filter than “{chosen}”", place)
            continue
        metric = metric or _lm_eval_metric(row, place)
        value = row.get(metric)
        if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
            reading.drop(f"“{metric}” is missing or no number", place)
            continue
        prompt = digest([task, row["doc_id"], row.get("doc_hash")])
        scored.append((prompt, float(value), place))
    if others:
        reading.notes.append(
            f"{path.name}: the filter “{chosen}” counts; there is also {', '.join(sorted(others))} "
            f"(--metric {metric},{min(others)})."
        )
    for prompt, passed in judged(scored, choices.pass_at, metric):
        reading.trials.append(Trial(model, prompt, passed))
    if reading.trials:
        reading.tasks.add((model, task))
    return reading


def _lm_eval_metric(row: dict[str, Any], place: Place) -> str:
    listed = row.get("metrics")
    named = [m for m in listed if isinstance(m, str)] if isinstance(listed, list) else []
    for metric in (*named[:1], *METRICS, *named):
        if isinstance(row.get(metric), (bool, int, float)):
            return metric
    raise DataError(
        "no metric with one number per sample",
        where=place(),
        remedy="say which with --metric; keys: " + ", ".join(sorted(row)),
    )


def _lm_eval_model_beside(path: Path) -> str:
    """From the newest results file in the same folder, else the folder's name (the model's, with __)."""
    for results in sorted(path.parent.glob("results_*.json"), reverse=True):
        try:
            document = json.loads(results.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(document, dict) and (model := _lm_eval_model(document)):
            return model
    return path.resolve().parent.name.replace("__", "/")


def _lm_eval_model(document: dict[str, Any]) -> str:
    if document.get("model_name"):
        return str(document["model_name"])
    config = document.get("config") if isinstance(document.get("config"), dict) else {}
    assert isinstance(config, dict)
    args = config.get("model_args")
    if isinstance(args, str):
        args = dict(part.split("=", 1) for part in args.split(",") if "=" in part)
    if isinstance(args, dict):
        for key in ("peft", "delta", "pretrained", "model", "path", "engine"):
            if args.get(key):
                return str(args[key])
    return str(config.get("model") or "")


def lm_eval_results(document: dict[str, Any], name: str, choices: Choices, places: Places) -> Reading:
    """`results_DATE.json`: one value per task, metric and filter; a row of the account is one such value."""
    reading = Reading(name, "lm-eval")
    reading.notes.append(
        f"{name}: sums only; nothing can be paired. Log samples (--log_samples) to pair prompts."
    )
    model = _lm_eval_model(document)
    if not model:
        raise DataError("the model is not named", where=f"{name}:1", remedy="give the samples files instead")
    groups = document.get("group_subtasks")
    parents = {g for g, tasks in groups.items() if tasks} if isinstance(groups, dict) else set()
    wanted, _, filter = (choices.metric or "").partition(",")
    for task, values in document["results"].items():
        place = places.at("results", task)
        metrics = [
            key for key, value in values.items()
            if "_stderr" not in key and isinstance(value, (int, float)) and not isinstance(value, bool)
            and key.split(",")[0] not in ("alias", "name", "sample_len", "samples", "n-shot")
        ]  # fmt: skip
        reading.rows_in += len(metrics)
        if task in parents:
            for _ in metrics:
                reading.drop("a group of tasks that are counted themselves", place)
            continue
        fits = [
            m for m in metrics
            if (not wanted or m.split(",")[0] == wanted) and (not filter or m.endswith(f",{filter}"))
        ]  # fmt: skip
        known = [m for best in METRICS for m in fits if m.split(",")[0] == best]
        chosen = (known or fits or [None])[0]
        for metric in metrics:
            if metric != chosen:
                reading.drop("another metric or filter of the same answers", place)
        if chosen is None:
            continue
        value, n = float(values[chosen]), _lm_eval_size(document, task, values, chosen)
        if not 0 <= value <= 1:
            reading.drop("a metric that is no share from 0 to 1", place)
        elif n is None:
            reading.drop("the number of samples is not told", place)
        else:
            reading.totals.append(Total(model, task, value * n, n))
            if len(metrics) > 1:
                reading.notes.append(f"{name}: of {task} counts “{chosen}”; choose with --metric.")
    return reading


def _lm_eval_size(document: dict[str, Any], task: str, values: dict[str, Any], metric: str) -> int | None:
    sizes = document.get("n-samples")
    size = sizes.get(task) if isinstance(sizes, dict) else None
    n = whole(size.get("effective", size.get("original"))) if isinstance(size, dict) else None
    if n:
        return n
    head, _, filter = metric.partition(",")
    error = values.get(f"{head}_stderr,{filter}" if filter else f"{head}_stderr")
    p = float(values[metric])
    if isinstance(error, float) and error > 0 and 0 < p < 1:
        return round(p * (1 - p) / error**2) + 1  # the standard error is that of a mean, with n − 1
    return None
