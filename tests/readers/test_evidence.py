"""Evidence: intervals against published figures, verdicts, published capability and how it was calibrated."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pricewar.advice import evidence_intervals as intervals
from pricewar.advice.evidence import Bar, Evidence, published, read
from pricewar.advice.evidence_published import (
    UNTOLD,
    Facts,
    Figure,
    Guess,
    facts,
    figure_of,
    present_rates,
    unmeasured_tokens,
)
from pricewar.definitions import parse
from pricewar.errors import ConfigurationError
from pricewar.offers.catalogue import canonical, load_catalogue

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


def table(both: int, only_candidate: int, only_present: int, neither: int, level: float = 0.95):
    pairs = [(1, 1)] * both + [(1, 0)] * only_candidate + [(0, 1)] * only_present + [(0, 0)] * neither
    return intervals.difference_paired([[bool(a)] for a, _ in pairs], [[bool(b)] for _, b in pairs], level)


# --- intervals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_is_newcombes_table(passes: int, n: int, low: float, high: float) -> None:
    """Newcombe, Stat. Med. 17, 1998, 857, table I, method 3; statsmodels' proportion_confint(…, "wilson")."""
    found = intervals.wilson(passes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("cells", "low", "high", "digits"),
    [
        (
            (20, 12, 2, 16),
            0.0562,
            0.3292,
            4,
        ),  # Newcombe 1998, method 10, as the R package ratesci checks itself
        ((1, 1, 7, 12), -0.507, -0.026, 3),  # Fagerland, Lydersen, Laake 2014, airway hyper-responsiveness
        ((8, 3, 1, 2), -0.1574, 0.4136, 4),  # Tang et al. 2010, in ratesci's tests
        ((7, 25, 2, 68), 0.133, 0.318, 3),  # Chang et al. 2024, in ratesci's tests
    ],
)
def test_a_paired_difference_is_the_published_one(
    cells: tuple[int, int, int, int], low: float, high: float, digits: int
) -> None:
    found = table(*cells)
    assert (round(found.low, digits), round(found.high, digits)) == (low, high)
    assert found.estimate == pytest.approx((cells[1] - cells[2]) / sum(cells))


@pytest.mark.parametrize(
    ("a", "m", "b", "n", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_an_unpaired_difference_is_newcombes_table(
    a: int, m: int, b: int, n: int, low: float, high: float
) -> None:
    """Newcombe, Stat. Med. 17, 1998, 873, table II, method 10."""
    found = intervals.difference_apart(intervals.wilson(a, m), intervals.wilson(b, n))
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


def test_mcnemar_is_the_published_one() -> None:
    assert intervals.mcnemar(121, 59)[0] == pytest.approx(4.4344492637555e-06, rel=1e-9)  # statsmodels' tests
    assert intervals.mcnemar(1, 7) == pytest.approx((0.0703, 0.0391), abs=5e-5)  # Fagerland et al. 2014
    assert intervals.mcnemar(0, 0) == (1.0, 1.0)
    assert intervals.mcnemar(5, 5)[0] == 1.0


@given(st.tuples(*[st.integers(0, 40)] * 4).filter(sum))
@settings(max_examples=80, deadline=None)
def test_laws_of_a_paired_difference(cells: tuple[int, int, int, int]) -> None:
    found = table(*cells)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    turned = table(cells[0], cells[2], cells[1], cells[3])
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    wider = table(*cells, level=0.99)
    assert wider.low <= found.low
    assert wider.high >= found.high


def test_the_ends_of_a_ratio_are_where_the_t_test_just_fails() -> None:
    """Fieller's set by its own definition: mean(y − ρx) is significant at 5% outside, and not inside."""
    rng = np.random.default_rng(1)
    x = rng.lognormal(6, 0.7, 30)
    y = 1.2 * x * rng.lognormal(0, 0.3, 30)
    found = intervals.ratio(y, x)
    for end in (found.low, found.high):
        assert stats.ttest_1samp(y - end * x, 0).pvalue == pytest.approx(0.05)
    assert stats.ttest_1samp(y - found.estimate * x, 0).pvalue > 0.99


def test_a_ratio_says_when_it_has_no_bound() -> None:
    assert math.isinf(intervals.ratio([1.0], [2.0]).high)
    assert math.isinf(intervals.ratio([1.0, 2.0, 3.0], [0.0, 0.0, 9.0]).high)
    assert intervals.ratio([1.0, 2.0], [0.0, 0.0]).estimate is None
    assert intervals.ratio([5.0] * 4, [10.0] * 4).document()["high"] == 0.5


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_laws_of_a_ratio(pairs: list[tuple[int, int]]) -> None:
    y, x = zip(*pairs, strict=True)
    found = intervals.ratio(y, x)
    assert found.low <= found.estimate * (1 + 1e-9)
    assert found.high >= found.estimate * (1 - 1e-9)
    tripled = intervals.ratio([3 * v for v in y], x)
    assert tripled.low == pytest.approx(3 * found.low, abs=1e-9)


def test_a_median_has_the_ranks_of_the_binomial_table() -> None:
    """n = 10: the 2nd and the 9th value, coverage 97.9%; n = 5: no bound at 95% (Conover, table A3)."""
    found = intervals.quantile(range(1, 11), 0.5)
    assert (found.low, found.high) == (2, 9)
    assert math.isinf(intervals.quantile(range(5), 0.5).high)
    assert math.isinf(intervals.quantile(range(20), 0.95).high)


def test_coverage_is_what_it_says() -> None:
    """Simulated: paired differences at 90%, ratios at 95%, clustered shares at 95%."""
    rng = np.random.default_rng(3)
    n, rounds = 60, 400
    hits = np.zeros(3)
    for _ in range(rounds):
        z = rng.standard_normal((n, 2))
        z[:, 1] = 0.6 * z[:, 0] + 0.8 * z[:, 1]
        ours, theirs = z[:, 0] < stats.norm.ppf(0.85), z[:, 1] < stats.norm.ppf(0.9)
        d = intervals.difference_paired([[bool(v)] for v in ours], [[bool(v)] for v in theirs], 0.9)
        hits[0] += d.low <= -0.05 <= d.high
        x = rng.lognormal(6, 0.8, n)
        r = intervals.ratio(1.3 * x * rng.lognormal(-0.08, 0.4, n), x)
        hits[1] += r.low <= 1.3 <= r.high
        groups = [list(rng.random(4) < p) for p in rng.beta(4, 1, n)]
        s = intervals.share(groups)
        hits[2] += s.low <= 0.8 <= s.high
    # Three standard errors of a simulated share of 400.
    assert hits / rounds == pytest.approx([0.9, 0.95, 0.95], abs=0.045)


# --- verdicts -------------------------------------------------------------------------------------------


def results(folder: Path, cells: tuple[int, int, int, int], **more: str) -> Evidence:
    """gpt-5-mini beside gpt-5: both, only mini, only gpt-5, neither."""
    lines = ["model,prompt,pass,input_tokens,output_tokens,cached_tokens"]
    pairs = [(1, 1)] * cells[0] + [(1, 0)] * cells[1] + [(0, 1)] * cells[2] + [(0, 0)] * cells[3]
    for i, (mini, full) in enumerate(pairs):
        lines.append(f"gpt-5,{i},{full},{100 + i},{40 + i % 7},{50 + i // 2}")
        lines.append(f"gpt-5-mini,{i},{mini},{100 + i},{20 + i % 5},0")
    path = folder / "e.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read(path, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "bar", "answer"),
    [
        ((180, 8, 8, 4), Bar(margin=0.05), "acceptable"),
        ((150, 2, 40, 8), Bar(margin=0.05), "not acceptable"),
        ((36, 1, 2, 1), Bar(margin=0.05), "undecided"),
        ((190, 2, 4, 4), Bar(pass_rate=0.9), "acceptable"),
        ((100, 2, 4, 94), Bar(pass_rate=0.9), "not acceptable"),
        ((36, 1, 2, 1), Bar(pass_rate=0.9), "undecided"),
        ((190, 2, 4, 4), Bar(pass_rate=0.9, margin=0.05), "acceptable"),
        ((180, 8, 8, 4), Bar(pass_rate=0.99, margin=0.05), "not acceptable"),
    ],
)
def test_a_verdict_is_the_one_sided_test(
    tmp_path: Path, cells: tuple[int, int, int, int], bar: Bar, answer: str
) -> None:
    evidence = results(tmp_path, cells)
    found = evidence.acceptable(bar, "gpt-5", ["gpt-5-mini"])["gpt-5-mini"]
    assert found.answer == answer
    assert found.basis == "measured"
    assert len(found.because) == (bar.pass_rate is not None) + (bar.margin is not None)
    if bar.margin is not None:
        # Held against the same interval, computed from the table: its ends are the one-sided limits at 95%.
        at = table(*cells, level=0.9)
        assert (found.difference.low, found.difference.high) == pytest.approx((at.low, at.high))


def test_the_number_of_prompts_that_would_decide_does_decide(tmp_path: Path) -> None:
    cells = (72, 3, 3, 2)
    found = results(tmp_path, cells).acceptable(Bar(margin=0.05), "gpt-5", ["gpt-5-mini"])["gpt-5-mini"]
    assert found.answer == "undecided"
    assert f"{found.more:,} more prompts" in found.because[0]
    times = math.ceil(1.1 * (found.more + sum(cells)) / sum(cells))
    more = results(tmp_path, tuple(times * c for c in cells))  # type: ignore[arg-type]
    assert more.acceptable(Bar(margin=0.05), "gpt-5", ["gpt-5-mini"])["gpt-5-mini"].answer == "acceptable"


def test_a_verdict_in_words(tmp_path: Path) -> None:
    """At 90%: Wilson 37/40 is 82.7% to 97.0%, 38/40 86.2% to 98.3%; φ = (34 − 20)/√8436 = 0.152, so the lower
    end is −2.5 − √(9.83² − 2·0.152·9.83·3.30 + 3.30²) = −12.4 points."""
    evidence = results(tmp_path, (36, 1, 2, 1))
    found = evidence.acceptable(Bar(pass_rate=0.9, margin=0.05), "gpt-5", ["gpt-5-mini"])["gpt-5-mini"]
    assert found.because[0].startswith("92.5% pass (82.7% to 97%); at least 90% must pass: not decided.")
    assert found.because[1].startswith(
        "Pass rate −2.5 points (−12.4 to +6.9) on the same 40 prompts as gpt-5;"
    )
    assert "5 points under gpt-5 at most: not decided" in found.because[1]


def test_the_present_model_is_no_worse_than_itself(tmp_path: Path) -> None:
    evidence = results(tmp_path, (5, 1, 1, 1))
    for name in ("gpt-5", "openai/GPT-5"):
        found = evidence.acceptable(Bar(margin=0.0), "gpt-5", [name])[name]
        assert (found.answer, found.basis) == ("acceptable", "same model")
    assert evidence.ratios("gpt-5", "gpt-5").input.estimate == 1.0


def test_bars_that_are_none() -> None:
    for bad in ({}, {"margin": 5.0}, {"pass_rate": -0.1}, {"margin": 0.1, "confidence": 0.5}):
        with pytest.raises(ConfigurationError):
            Bar(**bad)
    with pytest.raises(ConfigurationError, match="present model"):
        Evidence().acceptable(Bar(margin=0.05))


def test_ratios_are_those_of_the_sums(tmp_path: Path) -> None:
    found = results(tmp_path, (30, 5, 4, 1)).ratios("gpt-5-mini", "gpt-5")
    assert found.pairs == 40
    assert found.measured
    assert found.input.estimate == 1.0
    assert found.input.low == pytest.approx(1.0)
    given = sum(40 + i % 7 for i in range(40))
    assert found.output.estimate == pytest.approx(sum(20 + i % 5 for i in range(40)) / given)
    assert found.output.low < found.output.estimate < found.output.high
    assert found.cache_hits.estimate == 0
    assert found.present_cache_hits.estimate == pytest.approx(
        sum(50 + i // 2 for i in range(40)) / sum(100 + i for i in range(40))
    )
    assert found.latency is None


def test_the_document_is_json_and_complete(tmp_path: Path) -> None:
    evidence = results(tmp_path, (30, 5, 4, 1)).joined(published(["deepseek-v3.2", "no-such-model"]))
    document = json.loads(
        json.dumps(
            evidence.document("gpt-5", Bar(margin=0.05), ["gpt-5-mini", "deepseek-v3.2"]), allow_nan=False
        )
    )
    assert document["rows_in"] == document["rows_used"] == 80
    assert document["compared"]["gpt-5-mini"]["both_only_candidate_only_present_neither"] == [30, 5, 4, 1]
    assert document["verdicts"]["deepseek-v3.2"]["basis"] == "published"
    assert document["published"]["sources"]["epoch"]["read"] == "2026-11-22"
    assert document["unknown"] == [{"name": "no-such-model", "rows": 0, "no": "figure", "remedy": None}]
    again = results(tmp_path, (30, 5, 4, 1)).document("gpt-5", Bar(margin=0.05))
    assert again == results(tmp_path, (30, 5, 4, 1)).document("gpt-5", Bar(margin=0.05))


# --- published figures ----------------------------------------------------------------------------------


def test_the_records_are_of_models_the_catalogue_knows() -> None:
    known = {
        canonical(name)
        for offer in load_catalogue().offers.values()
        for model in offer.models
        for name in (model.name, *model.aliases, model.weights or model.name)
    }
    figures = facts().figures
    assert len(figures) > 100
    matched = [figure for figure in figures if known & set(figure.names)]
    assert len(matched) >= 0.9 * len(figures)
    names = [name for figure in figures for name in figure.names]
    assert len(names) == len(set(names)), "a name has two figures"
    assert all(figure.sd > 0 for figure in figures if figure.source == "arena")


def test_anchors_of_the_scale() -> None:
    """Epoch fixes the index at 130 for Claude 3.5 Sonnet and 150 for GPT-5 (epoch.ai/benchmarks/eci)."""
    assert figure_of(["gpt-5"]).index == 150
    assert next(f.index for f in facts().figures if f.model == "Claude 3.5 Sonnet") == 130


def test_the_guess_is_the_t_distribution_it_says() -> None:
    """With one known rate the ends are quantiles written out: logistic(logit p + slope·gap ± t·scale) − p."""
    a, b = figure_of(["gpt-5-mini"]), figure_of(["glm-4.6"])
    guess = Guess(b, a, (0.8,))
    at = facts().mapping
    scale = math.sqrt(at.slope_sd**2 * guess.gap**2 + at.residual**2 + at.slope**2 * b.sd**2)
    for quantile, found in ((0.05, guess.difference(0.9).low), (0.95, guess.difference(0.9).high)):
        z = math.log(0.8 / 0.2) + at.slope * guess.gap + stats.t.ppf(quantile, at.degrees) * scale
        assert found == pytest.approx(1 / (1 + math.exp(-z)) - 0.8, abs=1e-9)
    assert guess.pass_rate(0.9).low == pytest.approx(0.8 + guess.difference(0.9).low, abs=1e-9)


@given(st.floats(100, 155), st.floats(100, 155), st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=30, deadline=None)
def test_laws_of_the_guess(one: float, two: float, level: float) -> None:
    def made(index: float) -> Figure:
        return Figure(model="m", names=("m",), index=index, released=date(2025, 1, 1), source="epoch")

    found = Guess(made(one), made(two), UNTOLD).difference(level)
    assert -1 <= found.low < found.estimate < found.high <= 1
    assert Guess(made(one + 1), made(two), UNTOLD).difference(level).estimate > found.estimate
    wider = Guess(made(one), made(two), UNTOLD).difference(0.95)
    assert wider.low < found.low < found.high < wider.high


def test_what_the_present_model_measured_narrows_the_guess(tmp_path: Path) -> None:
    text = "model,prompt,pass\n" + "".join(f"gpt-5,{i},{int(i > 8)}\n" for i in range(200))
    path = tmp_path / "e.csv"
    path.write_text(text, encoding="utf-8")
    stands_in = published(["gpt-5", "gpt-5-mini"])
    blind, informed = stands_in, read(path).joined(stands_in)
    wide = blind.compare("gpt-5-mini", "gpt-5").difference
    narrow = informed.compare("gpt-5-mini", "gpt-5").difference
    assert narrow.high - narrow.low < wide.high - wide.low
    assert np.mean(present_rates(191, 200)) == pytest.approx(0.953, abs=0.005)
    assert present_rates(None, 0) == UNTOLD


def test_published_figures_decide_little_and_say_so() -> None:
    evidence = published(["gpt-5", "gpt-5-mini", "gemma-2b", "mystery"])
    found = evidence.acceptable(Bar(margin=0.05), "gpt-5", ["gpt-5-mini", "gemma-2b", "mystery"])
    assert found["gpt-5-mini"].answer == "undecided"
    assert found["gemma-2b"].answer == "not acceptable"
    assert (found["mystery"].answer, found["mystery"].basis) == ("undecided", "none")
    assert "published figures" in found["gpt-5-mini"].because[0]
    assert [u.name for u in evidence.unknown] == ["mystery"]
    assert not evidence.ratios("gpt-5-mini", "gpt-5").measured


@pytest.mark.parametrize("passed", [0, 1, 50])
def test_published_figures_accept_nothing_whatever_the_present_model_passes(
    tmp_path: Path, passed: int
) -> None:
    """Where everybody or nobody passes, a gap in log-odds vanishes: that is no evidence for another model."""
    rows = "".join(f"gpt-5-mini,{i},{int(i < passed)}\n" for i in range(50))
    (tmp_path / "own.csv").write_text("model,prompt_id,pass\n" + rows)
    evidence = read(tmp_path / "own.csv").joined(published(["gpt-5-mini", "gemma-2b", "gpt-5-nano"]))
    found = evidence.acceptable(Bar(margin=0.05), "gpt-5-mini", ["gemma-2b", "gpt-5-nano"])
    assert all(v.answer != "acceptable" for v in found.values())


def test_as_of_leaves_out_models_that_came_later() -> None:
    early = published(["gpt-5", "gpt-4o"], as_of=date(2025, 1, 1))
    assert [u.name for u in early.unknown] == ["gpt-5"]
    assert early.compare("gpt-5", "gpt-4o").basis == "none"
    assert early.figure("gpt-4o") is not None


def test_a_dated_name_has_the_figure_of_the_undated() -> None:
    assert figure_of(["gpt-5-mini-2025-08-07"]) == figure_of(["openai/GPT-5-mini"])
    assert figure_of(["deepseek-chat"]) is None, "a floating name has no figure"


def test_tokens_nobody_counted() -> None:
    found = unmeasured_tokens("output", 0.8)
    assert found.estimate == 1
    assert found.high == pytest.approx(facts().tokens["output"]["0.8"])
    assert found.low == pytest.approx(1 / found.high)
    assert unmeasured_tokens("input", 0.999).high > unmeasured_tokens("input", 0.9).high


def test_coverage_on_benchmarks_left_out_is_honest() -> None:
    """As recorded with the mapping: on average within 4 points of nominal where advice is asked."""
    for level, (mean, worst) in facts().mapping.coverage["near"].items():
        assert mean == pytest.approx(float(level), abs=0.04)
        assert worst < mean


def test_the_records_are_what_the_preparation_writes() -> None:
    if not SHARED.exists():
        pytest.skip("the prepared data are not beside the repository")
    made = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "prepare_capability.py"), str(SHARED)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
        env={"PYTHONPATH": str(ROOT / "src")},
    ).stdout
    (document,) = parse(made, "made")
    again, ours = document.validate(Facts), facts()
    assert (again.mapping, again.tokens, again.sources) == (ours.mapping, ours.tokens, ours.sources)
    # Offers recorded since may add names and models, never change a figure.
    found = {f.model: f.model_dump(exclude={"names"}) for f in again.figures}
    for figure in ours.figures:
        assert found[figure.model] == figure.model_dump(exclude={"names"})
