"""Evaluation results as their programs write them: every row a trial, a sum, or an exclusion with its cause.

The fixtures are invented; their shape is that of promptfoo (promptfoo.dev/docs/configuration/outputs, types
EvaluateSummaryV2, EvaluateSummaryV3, EvaluateResult and buildCsvHeaders of its repository) and of
lm-evaluation-harness (docs/interface.md, EvaluationTracker.save_results_aggregated and save_results_samples),
read 2026-11-22.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.advice.evidence import Evidence, read
from pricewar.advice.evidence_harness import provider_model
from pricewar.errors import ConfigurationError, DataError, PricewarError


def put(folder: Path, content: Any, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
    return path


def account(evidence: Evidence) -> dict[str, int]:
    assert evidence.rows_in == evidence.rows_used + sum(e.count for e in evidence.exclusions)
    return {e.cause: e.count for e in evidence.exclusions}


# --- promptfoo ------------------------------------------------------------------------------------------


def result(test: int, provider: str, passed: bool, **more: Any) -> dict[str, Any]:
    """One EvaluateResult."""
    return {
        "id": f"{provider}-{test}",
        "promptIdx": 0,
        "testIdx": test,
        "promptId": "0f3a",
        "provider": {"id": provider, "label": ""},
        "prompt": {"raw": f"Classify: case {test}", "label": "Classify: {{text}}"},
        "vars": {"text": f"case {test}"},
        "testCase": {"vars": {"text": f"case {test}"}, "assert": [{"type": "equals", "value": "spam"}]},
        "success": passed,
        "score": float(passed),
        "failureReason": 0 if passed else 1,
        "error": None if passed else "Expected output to equal spam",
        "latencyMs": 800 + test,
        "response": {
            "output": "spam",
            "cached": False,
            "tokenUsage": {"prompt": 100 + test, "completion": 10, "total": 110 + test},
        },
        "namedScores": {},
        "gradingResult": {"pass": passed, "score": float(passed), "reason": ""},
        **more,
    }


def rows(n: int = 4) -> list[dict[str, Any]]:
    return [
        *(result(i, "openai:chat:gpt-5", i != 0) for i in range(n)),
        *(result(i, "openai:gpt-5-mini", i > 1) for i in range(n)),
    ]


def file_v3(results: list[dict[str, Any]]) -> dict[str, Any]:
    stats = {"successes": 0, "failures": 0, "errors": 0, "tokenUsage": {}}
    summary = {"version": 3, "timestamp": "2026-10-01", "prompts": [], "results": results, "stats": stats}
    return {"evalId": "eval-x", "results": summary, "config": {}, "shareableUrl": None, "metadata": {}}


@pytest.mark.parametrize("shape", ["v3", "v2", "list", "jsonl", "gzip"])
def test_promptfoo_in_every_shape_says_the_same(tmp_path: Path, shape: str) -> None:
    whole = file_v3(rows())
    if shape == "v2":
        whole["results"] = {"version": 2, "results": rows(), "table": {"head": {}, "body": []}, "stats": {}}
    elif shape == "list":
        whole = {"results": rows()}
    if shape == "jsonl":
        path = put(tmp_path, "".join(json.dumps(row) + "\n" for row in rows()), "out.jsonl")
    elif shape == "gzip":
        path = tmp_path / "out.json.gz"
        path.write_bytes(gzip.compress(json.dumps(whole).encode()))
    else:
        path = put(tmp_path, whole, "out.json")
    found = read(path)
    assert account(found) == {}
    assert [m.model for m in found.measured] == ["gpt-5", "gpt-5-mini"]
    assert found.measured[0].called == ("gpt-5",)
    assert found.unknown == ()
    beside = found.compare("gpt-5-mini", "gpt-5")
    assert (beside.basis, beside.pairs, beside.table) == ("measured", 4, (2, 0, 1, 1))
    ratios = found.ratios("gpt-5-mini", "gpt-5")
    assert ratios.measured
    assert ratios.input.estimate == 1.0
    assert found.measured[0].latency(0.5).estimate == pytest.approx(0.8015)


def test_a_failed_call_is_not_a_wrong_answer(tmp_path: Path) -> None:
    """`failureReason` 2 is an error; an error text alone is what an assertion said."""
    failed = result(9, "openai:gpt-5", False, failureReason=2, error="429 Too Many Requests", response=None)
    path = put(tmp_path, file_v3([*rows(), failed]), "out.json")
    strict, lenient = read(path), read(path, errors="exclude")
    assert strict.of("gpt-5").error_rate().estimate == pytest.approx(1 / 5)
    assert strict.of("gpt-5").pass_rate().estimate == pytest.approx(3 / 5)
    assert lenient.of("gpt-5").pass_rate().estimate == pytest.approx(3 / 4)
    assert strict.of("gpt-5-mini").error_rate().estimate == 0.0


def test_a_grader_that_failed_is_no_answer_that_failed(tmp_path: Path) -> None:
    component = {"pass": False, "score": 0, "reason": "503", "metadata": {"graderError": True}}
    grading = {"pass": False, "score": 0, "reason": "503", "componentResults": [component]}
    bad = result(9, "openai:gpt-5", False, gradingResult=grading)
    found = read(put(tmp_path, file_v3([*rows(), bad]), "out.json"))
    assert account(found) == {"the grader failed, not the model": 1}
    assert found.of("gpt-5").pass_rate().estimate == pytest.approx(3 / 4)


def test_answers_promptfoo_kept_have_no_latency_and_no_tokens_it_does_not_repeat(tmp_path: Path) -> None:
    kept = {"output": "spam", "cached": True, "tokenUsage": {"cached": 110, "total": 110}}
    path = put(tmp_path, file_v3([result(0, "openai:gpt-5", True, latencyMs=1, response=kept)]), "out.json")
    found = read(path)
    assert found.measured[0].latency(0.5) is None
    assert found.measured[0].mean("input") == {}
    assert "--no-cache" in found.notes[0]


def test_the_vendors_cache_is_read(tmp_path: Path) -> None:
    usage = {"prompt": 200, "completion": 5, "total": 205, "completionDetails": {"cacheReadInputTokens": 50}}
    response = {"output": "", "cached": False, "tokenUsage": usage}
    path = put(
        tmp_path, file_v3([result(i, "openai:gpt-5", True, response=response) for i in (0, 1)]), "o.json"
    )
    assert read(path).measured[0].cache_hits().estimate == 0.25


@pytest.mark.parametrize(
    ("usage", "read_as"),
    [
        ({"prompt": 200, "completion": 5, "cached": 50, "total": 205}, (200, 5, 50)),
        ({"prompt": 200, "completion": 5, "cached": 50, "total": 255}, (250, 5, 50)),
        ({"prompt": 3, "completion": 5, "cached": 50, "total": 8}, (53, 5, 50)),
        ({"total": 205}, (None, None, None)),
    ],
)
def test_cached_tokens_inside_the_prompt_or_beside_it(tmp_path: Path, usage: dict, read_as: tuple) -> None:
    response = {"output": "", "cached": False, "tokenUsage": usage}
    path = put(tmp_path, file_v3([result(0, "openai:gpt-5", True, response=response)]), "o.json")
    (trial,) = read(path).measured[0].trials
    assert (trial.input, trial.output, trial.cached) == read_as


def test_a_folder_passes_over_what_is_no_evaluation_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, file_v3(rows()), "runs/out.json")
    put(tmp_path, {"name": "settings"}, "runs/deep/package.json")
    found = read([tmp_path / "runs", tmp_path / "runs" / "out.json"])
    assert found.sources == ("out.json",)
    assert found.rows_in == 8
    assert found.notes[0].startswith("deep/package.json is passed over: ")
    with pytest.raises(DataError, match="no file of the folder"):
        read(tmp_path / "runs" / "deep")
    with pytest.raises(DataError, match="YAML is not read"):
        read(put(tmp_path, "a: 1\n", "out.yaml"))


def test_repeats_of_a_prompt_are_one_prompt(tmp_path: Path) -> None:
    found = read(put(tmp_path, file_v3([*rows(), *rows()]), "out.json"))
    assert len(found.of("gpt-5").prompts) == 4
    assert len(found.of("gpt-5").trials) == 8
    assert found.compare("gpt-5-mini", "gpt-5").table is None


def test_a_bad_result_is_told_with_its_line_and_key(tmp_path: Path) -> None:
    bad = [*rows(2), {"provider": {"id": "openai:gpt-5"}, "success": "yes"}]
    text = json.dumps(file_v3(bad), indent=2)
    found = read(put(tmp_path, text, "out.json"))
    assert account(found) == {"no “success” that is true or false": 1}
    line = 1 + text[: text.index('"success": "yes"')].count("\n")
    where = found.exclusions[0].examples[0]
    assert where.endswith(": results.results[4]")
    assert int(where.split(":")[1]) == line - 4


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai:gpt-5-mini", "gpt-5-mini"),
        ("openai:chat:gpt-5-mini", "gpt-5-mini"),
        ("anthropic:messages:claude-haiku-4-5", "claude-haiku-4-5"),
        ("openrouter:deepseek/deepseek-r1:free", "deepseek/deepseek-r1:free"),
        ("bedrock:us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"),
        ({"id": "file://call.py", "label": "gpt-5"}, "gpt-5"),
        ({"id": "file://call.py", "label": ""}, "file://call.py"),
        ("gpt-5", "gpt-5"),
    ],
)
def test_the_model_of_a_provider(provider: Any, model: str) -> None:
    assert provider_model(provider) == model


HEADS = ["[openai:gpt-5] Classify: {{text}}", "[openai:gpt-5-mini] Classify: {{text}}"]
APART = ["Status", "Score", "Named Scores", "Grader Reason", "Comment"]


def table(lines: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


def test_promptfoo_csv_with_a_status_column(tmp_path: Path) -> None:
    head = ["text", HEADS[0], *APART, HEADS[1], *APART]
    body = [
        ["a", "spam\nindeed", "PASS", "1.00", "", "", "", "no", "FAIL", "0.00", "", "", ""],
        ["b", "spam", "PASS", "1.00", "", "", "", "", "ERROR", "0.00", "", "", ""],
        ["c", "ham", "FAIL", "0.00", "", "", "", "", "", "", "", "", ""],
        ["d", "ham"],
    ]
    found = read(put(tmp_path, table([head, *body]), "out.csv"))
    assert account(found) == {
        "another number of fields than the header": 2,
        "not tried with this provider": 1,
    }
    assert found.exclusions[0].examples == ("out.csv:6", "out.csv:6")
    assert found.of("gpt-5").pass_rate().estimate == pytest.approx(2 / 3)
    assert found.of("gpt-5-mini").error_rate().estimate == 0.5
    assert found.compare("gpt-5-mini", "gpt-5").pairs == 2
    assert "no tokens" in found.notes[0]
    assert not found.ratios("gpt-5-mini", "gpt-5").measured


def test_promptfoo_csv_with_marks_in_the_cells(tmp_path: Path) -> None:
    body = [["a", "[PASS] (1.00)\n\nspam", "[FAIL] (0.00)\n\nham\n\nFail Reason: no"]]
    found = read(put(tmp_path, table([["text", *HEADS], *body]), "out.csv"))
    assert account(found) == {}
    assert found.compare("gpt-5-mini", "gpt-5").table == (0, 0, 1, 0)


# --- lm-evaluation-harness ------------------------------------------------------------------------------


def sample(doc: int, value: float, filter: str = "none", **more: Any) -> dict[str, Any]:
    return {
        "doc_id": doc, "doc": {"question": str(doc)}, "target": "4",
        "arguments": {"gen_args_0": {"arg_0": "Q"}}, "resps": [["4"]], "filtered_resps": ["4"],
        "filter": filter, "metrics": ["exact_match"], "doc_hash": f"d{doc}", "prompt_hash": "p",
        "target_hash": "t", "exact_match": value, **more,
    }  # fmt: skip


def results(model: str, **tasks: dict[str, Any]) -> dict[str, Any]:
    return {
        "results": tasks, "group_subtasks": {"suite": list(tasks)}, "versions": {}, "n-shot": {},
        "n-samples": {task: {"original": 1319, "effective": 50} for task in tasks},
        "config": {"model": "local-chat-completions", "model_args": f"model={model},num_concurrent=4"},
        "git_hash": "0", "date": 1.7e9, "model_source": "local-chat-completions", "model_name": model,
        "model_name_sanitized": model.replace("/", "__"), "total_evaluation_time_seconds": "9.5",
    }  # fmt: skip


STAMP = "2026-10-01T10-00-00.000001"


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_samples_pair_across_models_and_take_their_model_from_the_results(tmp_path: Path) -> None:
    for model, wrong in (("openai/gpt-5", {0}), ("gpt-5-mini", {0, 1, 2})):
        folder = f"runs/{model.replace('/', '__')}"
        put(
            tmp_path,
            results(model, gsm8k={"alias": "gsm8k", "exact_match,none": 0.9}),
            f"{folder}/results_{STAMP}.json",
        )
        text = lines([sample(i, float(i not in wrong)) for i in range(10)])
        put(tmp_path, text, f"{folder}/samples_gsm8k_{STAMP}.jsonl")
    found = read(tmp_path / "runs")
    assert account(found) == {"the samples of the same task are given": 2}
    assert {m.model for m in found.measured} == {"gpt-5", "gpt-5-mini"}
    assert found.compare("gpt-5-mini", "gpt-5").table == (7, 0, 2, 1)


def test_samples_alone_take_their_model_from_the_folder(tmp_path: Path) -> None:
    path = put(
        tmp_path, lines([sample(0, 1.0), sample(1, 0.0)]), f"openai__gpt-5/samples_gsm8k_{STAMP}.jsonl"
    )
    assert read(path).measured[0].model == "gpt-5"


def test_one_filter_counts_and_the_other_is_said(tmp_path: Path) -> None:
    both = [
        sample(i, float(f == "flexible-extract"), f)
        for i in range(3)
        for f in ("strict-match", "flexible-extract")
    ]
    path = put(tmp_path, lines(both), f"gpt-5/samples_gsm8k_{STAMP}.jsonl")
    first, second = read(path), read(path, metric="exact_match,flexible-extract")
    assert account(first) == {"the same answers under another filter than “strict-match”": 3}
    assert "--metric exact_match,flexible-extract" in " ".join(first.notes)
    assert first.measured[0].pass_rate().estimate == 0.0
    assert second.measured[0].pass_rate().estimate == 1.0


def test_a_broken_line_of_samples_is_left_out_with_its_place(tmp_path: Path) -> None:
    text = lines([sample(0, 1.0)]) + '{"doc_id": 1, "exact_\n' + lines([sample(2, 1.0)])
    found = read(put(tmp_path, text, f"gpt-5/samples_gsm8k_{STAMP}.jsonl"))
    assert account(found) == {"no JSON object with a “doc_id”": 1}
    assert found.exclusions[0].examples == (f"samples_gsm8k_{STAMP}.jsonl:2",)


def test_a_metric_between_0_and_1_needs_a_bar(tmp_path: Path) -> None:
    path = put(tmp_path, lines([sample(0, 0.4), sample(1, 0.9)]), f"gpt-5/samples_sum_{STAMP}.jsonl")
    with pytest.raises(DataError, match=r"jsonl:1: “exact_match” is 0\.4.*\n.*--pass-at"):
        read(path)
    assert read(path, pass_at=0.8).measured[0].pass_rate().estimate == 0.5


def test_results_alone_are_sums(tmp_path: Path) -> None:
    tasks = {
        "suite": {"acc,none": 0.8},
        "arc": {"alias": "arc", "acc,none": 0.8, "acc_stderr,none": 0.05, "acc_norm,none": 0.7},
        "bleu": {"bleu,none": 41.0},
    }
    a = put(tmp_path, results("gpt-5", **tasks), f"results_{STAMP}.json")
    less = {**tasks, "arc": {"acc,none": 0.6}}
    b = put(tmp_path, results("gpt-5-mini", **less), "results_2026-10-02.json")
    found = read([a, b])
    assert account(found) == {
        "a group of tasks that are counted themselves": 2,
        "another metric or filter of the same answers": 1,
        "a metric that is no share from 0 to 1": 2,
    }
    beside = found.compare("gpt-5-mini", "gpt-5")
    assert (beside.basis, beside.table) == ("measured apart", None)
    assert beside.difference.estimate == pytest.approx(-0.2)
    assert found.of("gpt-5").pass_rate().n == 50


def test_the_sample_size_follows_from_the_standard_error_when_it_is_not_told(tmp_path: Path) -> None:
    document = results("gpt-5", arc={"acc,none": 0.8, "acc_stderr,none": (0.16 / 99) ** 0.5})
    del document["n-samples"]
    assert read(put(tmp_path, document, "results_x.json")).measured[0].totals[0].n == 100


# --- plain ----------------------------------------------------------------------------------------------

HEADER = "model,prompt_id,passed,input_tokens,output_tokens,cached_tokens,latency_ms,error\n"
ROW = "gpt-5,p{},1,100,10,20,900,\n"


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (",p9,1,100,10,20,900,", "no model"),
        ("gpt-5,,1,100,10,20,900,", "no prompt id"),
        ("gpt-5,p9,perhaps,100,10,20,900,", "“passed” says neither pass nor fail"),
        ("gpt-5,p9,,100,10,20,900,", "neither pass nor score"),
        ("gpt-5,p9,1,many,10,20,900,", "“input_tokens” is no whole number of tokens"),
        ("gpt-5,p9,1,100,1.5,20,900,", "“output_tokens” is no whole number of tokens"),
        ("gpt-5,p9,1,-100,10,,900,", "a negative count of tokens"),
        ("gpt-5,p9,1,100,10,101,900,", "more cached tokens than input"),
        ("gpt-5,p9,1,100,10,20,soon,", "a latency that is no number"),
        ("gpt-5,p9,1,100,10,20,-1,", "a latency that is no number"),
        ("gpt-5,p9,1,100", "another number of fields than the header, or broken JSON"),
    ],
)
def test_one_bad_row_of_a_plain_table(tmp_path: Path, row: str, cause: str) -> None:
    found = read(put(tmp_path, HEADER + ROW.format(1) + row + "\n" + ROW.format(2), "e.csv"))
    assert account(found) == {cause: 1}
    assert found.exclusions[0].examples == ("e.csv:3",)


def test_plain_columns_under_their_usual_names_or_named(tmp_path: Path) -> None:
    text = "Model Name;Case ID;Correct;Tokens In;Tokens Out;latency_s\ngpt-5;a;yes;10;2;1.5\n"
    found = read(put(tmp_path, text, "e.csv")).measured[0]
    assert found.trials[0].latency == 1.5
    assert (found.trials[0].input, found.trials[0].output) == (10, 2)
    path = put(tmp_path, '{"q": "a", "grade": 0.7}\n{"q": "b", "grade": 0.9}\n', "e.jsonl")
    named = read(path, columns={"model": "=gpt-5", "prompt": "q", "score": "grade"}, pass_at=0.8)
    assert named.measured[0].pass_rate().estimate == 0.5
    assert set(named.measured[0].prompts) == {"a", "b"}


def test_latency_without_a_unit_and_rows_without_a_prompt_are_said(tmp_path: Path) -> None:
    found = read(put(tmp_path, "model,passed,latency\ngpt-5,1,3\ngpt-5,0,4\n", "e.csv"))
    assert "no unit" in " ".join(found.notes)
    assert "nothing can be paired" in " ".join(found.notes)
    assert len(found.measured[0].prompts) == 2


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "e.csv", "no content"),
        ("a,b\n1,2\n", "e.csv", "no column for model and pass"),
        ("model,passed,passed\n", "e.csv", "stands twice"),
        ('{"results": {"version": 3, "results": [', "e.json", "e.json:1: this is no JSON"),
        ('{"totals": 3}', "e.json", "no “results” as promptfoo"),
        ("model,passed\n,1\n", "e.csv", "no result can be used: 1 rows: no model"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(put(tmp_path, text, name))
    assert caught.value.exit_code == 3
    assert caught.value.remedy


def test_options_that_name_nothing(tmp_path: Path) -> None:
    path = put(tmp_path, HEADER + ROW.format(1), "e.csv")
    with pytest.raises(DataError, match="there is no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(ConfigurationError, match="no row is of a model"):
        read(path, models={"gpt5": "gpt-5"})
    with pytest.raises(ConfigurationError, match="nothing a column can be"):
        read(path, columns={"promt": "prompt_id"})
    with pytest.raises(DataError, match="there is no column"):
        read(path, columns={"prompt": "case"})
    with pytest.raises(ConfigurationError, match="unknown format"):
        read(path, format="promtfoo")  # type: ignore[arg-type]


def test_a_model_no_offer_has_is_said_and_kept(tmp_path: Path) -> None:
    path = put(tmp_path, HEADER + ROW.format(1) + ROW.format(1).replace("gpt-5", "gpt-5-minni"), "e.csv")
    found = read(path)
    (unknown,) = found.unknown
    assert (unknown.name, unknown.rows, unknown.what) == ("gpt-5-minni", 1, "offer")
    assert "gpt-5-mini" in unknown.near
    assert found.of("gpt-5-minni") is not None
    named = read(path, models={"gpt-5-minni": "gpt-5-mini"})
    assert named.unknown == ()
    assert named.of("gpt-5-mini").called == ("gpt-5-minni",)


def test_the_same_model_under_another_vendors_name(tmp_path: Path) -> None:
    row = ROW.format(1).replace("gpt-5,", "meta-llama/Llama-3.3-70B-Instruct,")
    found = read(put(tmp_path, HEADER + row, "e.csv"))
    assert found.of("groq/llama-3.3-70b-instruct") is not None
    assert found.unknown == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gpt-5", "gpt-5-mini", "", "x y"]),
            st.sampled_from(["a", "b", ""]),
            st.sampled_from(["1", "0", "true", "", "?"]),
            st.sampled_from(["", "10", "-1", "ten", "1e3"]),
            st.sampled_from(["", "timeout"]),
        ),
        max_size=12,
    )
)
def test_no_row_of_a_plain_table_is_lost(tmp_path_factory: pytest.TempPathFactory, body: list[tuple]) -> None:
    path = tmp_path_factory.mktemp("e") / "e.csv"
    text = table([["model", "prompt", "pass", "input_tokens", "error"], *map(list, body)])
    path.write_text(text + "gpt-5,z,1,5,\n", encoding="utf-8")
    found = read(path)
    assert found.rows_in == len(body) + 1
    account(found)


# --- hostile files --------------------------------------------------------------------------------------

JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**12), st.floats(allow_nan=True), st.text(max_size=5),
    st.builds(list), st.builds(dict), st.builds(lambda: [[]]), st.builds(lambda: {"id": {}}),
    st.builds(lambda: [None]),  # made anew each time: a later draw may damage what an earlier one put in
)  # fmt: skip


def nodes(document: Any, at: tuple = ()) -> list[tuple]:
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    found: list[tuple] = []
    for key, value in inner:
        found.append((*at, key))
        if isinstance(value, (dict, list)):
            found += nodes(value, (*at, key))
    return found


FILES = {
    "out.json": file_v3(rows(2)),
    f"results_{STAMP}.json": results(
        "gpt-5", a={"acc,none": 0.5, "acc_stderr,none": 0.1}, b={"acc,none": 0.2}
    ),
    "samples_a.json": [sample(0, 1.0), sample(1, 0.0)],
    "plain.json": [
        {"model": "gpt-5", "prompt": "a", "pass": True, "input_tokens": 3, "latency_s": 1.0, "error": ""}
    ],
}


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_document_is_an_error_or_an_account_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    document = json.loads(json.dumps(FILES[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        places = nodes(document)
        if not places:
            break
        *path, last = data.draw(st.sampled_from(places))
        inner = document
        for key in path:
            inner = inner[key]
        inner[last] = data.draw(JUNK)
    folder = tmp_path_factory.mktemp("gpt-5")
    try:
        found = read(put(folder, document, name))
    except PricewarError:
        return
    account(found)
    json.dumps(found.document("gpt-5"), allow_nan=False)


def test_joined_evidence_counts_every_row(tmp_path: Path) -> None:
    one = read(put(tmp_path, HEADER + ROW.format(1), "a.csv"))
    two = read(put(tmp_path, HEADER + ROW.format(1) + ROW.format(2).replace("gpt-5", "gpt-5-mini"), "b.csv"))
    both = one.joined(two)
    assert account(both) == {"the model is measured in the evidence joined to": 1}
    assert [m.model for m in both.measured] == ["gpt-5", "gpt-5-mini"]
