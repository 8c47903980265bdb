"""A file of a team's own evaluation results → trials or totals: told by content, or a plain table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
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
    Trial,
    absurd,
    count,
    json_of,
    judged,
    seconds,
    text_of,
    word,
)
from pricewar.advice.evidence_harness import (
    lm_eval_results,
    lm_eval_samples,
    looks_promptfoo,
    promptfoo,
    promptfoo_csv,
)
from pricewar.errors import ConfigurationError, DataError, did_you_mean
from pricewar.usage.normal import plain

FORMATS = ("promptfoo", "lm-eval", "plain")
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".gz")
COLUMNS: dict[str, tuple[str, ...]] = {
    "model": ("model", "model_name", "model_id", "provider"),
    "prompt": ("prompt_id", "prompt", "case_id", "case", "test_id", "test", "item_id", "item",
        "question_id", "id"),
    "pass": ("pass", "passed", "success", "correct", "is_correct", "ok"),
    "score": ("score", "accuracy", "acc", "exact_match"),
    "input": ("input_tokens", "tokens_in", "prompt_tokens", "input_total"),
    "output": ("output_tokens", "tokens_out", "completion_tokens", "output_total"),
    "cached": ("cached_tokens", "cached_input_tokens", "cache_read_tokens", "cache_read", "cached"),
    "latency_ms": ("latency_ms", "duration_ms", "response_time_ms"),
    "latency_s": ("latency_s", "latency_seconds", "duration_s", "duration_seconds"),
    "error": ("error", "error_message", "failed"),
}  # fmt: skip
"""What a plain file may say → the column names it is found under, whatever their case and underscores."""

YES = {"true", "t", "yes", "y", "1", "1.0", "pass", "passed", "correct", "ok", "success"}
NO = {"false", "f", "no", "n", "0", "0.0", "fail", "failed", "incorrect", "wrong"}
NO_ERROR = {"", "none", "null", "false", "0", "no", "nan"}


def files(path: Path) -> list[Path]:
    """The file, or those of a folder and its subfolders that could be evaluation results.

    Raises:
        DataError: there is none.
    """
    if not path.exists():
        raise DataError("there is no such file", where=str(path), remedy="give the evaluation's output file")
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
    if not found:
        raise DataError("the folder holds no JSON, JSON lines or CSV file", where=str(path))
    return found


def read_all(paths: Sequence[Path], choices: Choices) -> tuple[list[Reading], list[str]]:
    """Every file once. In a folder, a file that is none of an evaluation is passed over and said.

    Returns:
        what each file gave, and a sentence for each file passed over.

    Raises:
        DataError: as `read_file`, for a file that is named; or nothing is left of a folder.
    """
    readings: list[Reading] = []
    strangers: list[str] = []
    seen: set[Path] = set()
    for path in paths:
        for file in files(path):
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            try:
                readings.append(read_file(file, choices))
            except DataError as error:
                if not path.is_dir():
                    raise
                strangers.append(f"{file.relative_to(path)} is passed over: {error.what}.")
    if not readings:
        raise DataError(
            "no file of the folder holds evaluation results",
            where=str(paths[0]),
            remedy=strangers[0] if strangers else None,
        )
    return readings, strangers


def read_file(path: Path, choices: Choices) -> Reading:
    """One file of evaluation results.

    Raises:
        DataError: it cannot be read, or not as what it is; file, line and key are named.
        ConfigurationError: `choices` name a format or column that does not exist.
    """
    if choices.format is not None and choices.format not in FORMATS:
        raise ConfigurationError(
            f"unknown format “{choices.format}”",
            remedy=did_you_mean(choices.format, FORMATS) or "one of: " + ", ".join(FORMATS),
        )
    name = path.name
    if path.suffix.lower() in (".yaml", ".yml", ".html", ".xml", ".xlsx"):
        raise DataError(
            f"{path.suffix[1:].upper()} is not read here", where=name, remedy="export JSON, JSON lines or CSV"
        )
    text = text_of(path)
    start = text.lstrip()[:1]
    if not start:
        raise DataError("the file has no content", where=name, remedy="run the evaluation again")
    if start not in "{[":
        return _csv(text, name, choices)
    document, lines = json_of(text, name)
    if lines is not None:
        where = Lines(name)
        records: Rows = [(r, where.at(n)) for n, r in lines]
    else:
        places = Places(text, name)
        found = _records(document, name)
        if found is None:
            return lm_eval_results(document, name, choices, places)
        at, rows = found
        records = [(row, places.at(*at, i)) for i, row in enumerate(rows)]
    kind = choices.format or _kind(records)
    if kind == "promptfoo":
        return promptfoo(records, name)
    if kind == "lm-eval":
        return lm_eval_samples(records, path, choices)
    return _plain_rows(records, name, choices, _keys(records))


def _records(document: Any, name: str) -> tuple[tuple[str, ...], list[Any]] | None:
    """Key and list of a document's records; None when it is a results file of lm-evaluation-harness."""
    if isinstance(document, list):
        return (), document
    if not isinstance(document, dict):
        raise DataError("this JSON holds no evaluation results", where=name)
    inner = document.get("results")
    if isinstance(inner, dict) and isinstance(inner.get("results"), list):
        return ("results", "results"), inner["results"]
    if isinstance(inner, list):
        return ("results",), inner
    if isinstance(inner, dict) and inner and all(isinstance(task, dict) for task in inner.values()):
        return None
    if any(plain(key) in map(plain, COLUMNS["model"]) for key in document):
        return (), [document]
    raise DataError(
        "no “results” as promptfoo or lm-evaluation-harness write them",
        where=f"{name}:1",
        remedy="give promptfoo's --output, lm-eval's results_*.json or samples_*.jsonl, or a plain table",
    )


def _kind(records: Rows) -> str:
    first = next((r for r, _ in records if isinstance(r, dict)), {})
    if "doc_id" in first and ({"resps", "filtered_resps", "arguments", "doc"} & first.keys()):
        return "lm-eval"
    if "success" in first and ({"promptIdx", "vars", "testCase", "gradingResult"} & first.keys()):
        return "promptfoo"
    return "plain"


def _keys(records: Rows) -> list[str]:
    return list(dict.fromkeys(key for record, _ in records if isinstance(record, dict) for key in record))


def _csv(text: str, name: str, choices: Choices) -> Reading:
    head = text.split("\n", 1)[0]
    separator = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        fields = [f.strip() for f in next(reader)]
        rows: list[tuple[int, list[str]]] = []
        last = reader.line_num
        for row in reader:
            if row:
                rows.append((last + 1, row))
            last = reader.line_num
    except csv.Error as error:
        raise DataError(f"this is no CSV: {error}", where=f"{name}:{reader.line_num}") from None
    outputs = [i for i, f in enumerate(fields) if re.match(r"\[[^\]]+\]", f)]
    wanted = choices.format
    if wanted == "promptfoo" or (wanted is None and outputs and looks_promptfoo(fields, rows, outputs)):
        return promptfoo_csv(fields, rows, outputs, name)
    twice = sorted({f for f in fields if f and fields.count(f) > 1})
    if twice:
        raise DataError(f"column “{twice[0]}” stands twice", where=f"{name}:1", remedy="rename one of them")
    where = Lines(name)
    records: Rows = []
    for line, row in rows:
        complete = len(row) == len(fields)
        records.append((dict(zip(fields, row, strict=True)) if complete else None, where.at(line)))
    return _plain_rows(records, name, choices, fields)


# --- plain tables ---------------------------------------------------------------------------------------


def _plain_rows(records: Rows, name: str, choices: Choices, fields: list[str]) -> Reading:
    reading = Reading(name, "plain")
    at = _columns(fields, name, choices)
    if "prompt" not in at:
        reading.notes.append(f"{name}: no column names the prompt, so nothing can be paired.")
    if (
        any(plain(f) in ("latency", "duration") for f in fields)
        and not {"latency_ms", "latency_s"} & at.keys()
    ):
        reading.notes.append(
            f"{name}: “latency” has no unit and is left out; call it latency_ms or latency_s."
        )
    scored: list[tuple[int, float, Place]] = []
    trials: list[Trial | None] = []
    for number, (row, place) in enumerate(records):
        reading.rows_in += 1
        if not isinstance(row, dict):
            reading.drop("another number of fields than the header, or broken JSON", place)
            continue
        given = {target: row.get(column) for target, column in at.items()}
        model = at["model"][1:] if at["model"].startswith("=") else word(given["model"])
        if not model:
            reading.drop("no model", place)
            continue
        prompt = word(given.get("prompt")) if "prompt" in at else f"row {number}"
        if not prompt:
            reading.drop("no prompt id", place)
            continue
        error = word(given.get("error")).lower() not in NO_ERROR
        counts: dict[str, int | None] = {}
        cause = None
        for meter in COUNTS:
            counts[meter], bad = count(given.get(meter))
            cause = cause or (f"“{at[meter]}” is no whole number of tokens" if bad else None)
        latency, bad = seconds(given)
        cause = cause or ("a latency that is no number" if bad else None) or absurd(counts)
        passed = None
        verdict, score = word(given.get("pass")).lower(), word(given.get("score"))
        if not error and cause is None:
            if verdict in YES or verdict in NO:
                passed = verdict in YES
            elif verdict:
                cause = f"“{at['pass']}” says neither pass nor fail"
            elif score:
                try:
                    scored.append((len(trials), float(score), place))
                except ValueError:
                    cause = f"“{at['score']}” is no number"
            else:
                cause = "neither pass nor score"
        if cause is not None:
            reading.drop(cause, place)
            continue
        used = [None] * 3 if error else [counts[c] for c in COUNTS]
        trials.append(Trial(model, prompt, passed, error, *used, latency=None if error else latency))
    for index, passed in judged(scored, choices.pass_at, at.get("score", "score")):
        trial = trials[index]
        assert trial is not None
        trials[index] = replace(trial, passed=passed)
    reading.trials = [trial for trial in trials if trial is not None]
    return reading


def _columns(fields: list[str], name: str, choices: Choices) -> dict[str, str]:
    """Target → column; what the caller names stands above what is found."""
    known = {plain(f): f for f in reversed(fields)}
    at: dict[str, str] = {}
    for target, names in COLUMNS.items():
        found = next((known[plain(n)] for n in names if plain(n) in known), None)
        if found is not None:
            at[target] = found
    for target, column in choices.columns.items():
        if target not in COLUMNS:
            raise ConfigurationError(
                f"“{target}” is nothing a column can be",
                remedy=did_you_mean(target, COLUMNS) or "one of: " + ", ".join(COLUMNS),
            )
        if not (target == "model" and column.startswith("=")):
            if plain(column) not in known:
                raise DataError(
                    f"there is no column “{column}”",
                    where=f"{name}:1",
                    remedy=did_you_mean(column, fields) or "columns: " + ", ".join(fields),
                )
            column = known[plain(column)]
        at[target] = column
    missing = [] if "model" in at else ["model"]
    missing += [] if {"pass", "score"} & at.keys() else ["pass (or score)"]
    if missing:
        near = next(
            (hint for f in fields for hint in [did_you_mean(f, ("model", "pass", "score"))] if hint), None
        )
        raise DataError(
            f"no column for {' and '.join(missing)}; found: {', '.join(fields[:20])}",
            where=f"{name}:1",
            remedy=near
            or "name it, for instance model=COLUMN, or model==gpt-5-mini for one model throughout",
        )
    return at
