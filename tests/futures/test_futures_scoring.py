"""Scores by hand and in closed form; the table on made-up data where the forecast is known to be right."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta

import numpy as np
import pytest

from pricewar.futures.history import estimate
from pricewar.futures.records import Records, Spell, load_records
from pricewar.futures.scoring import (
    BASELINES,
    FLOOR,
    crps,
    crps_laplace,
    log_score,
    outcomes,
    table,
    transform,
)


def test_crps_by_hand() -> None:
    assert crps(np.array([0.3]), 0.3) == 0
    assert crps(np.array([0.3]), -0.2) == pytest.approx(0.5)
    # E|X − y| = (1 + 1)/2 = 1, E|X − X'| = 2 · 2/4 = 1: 1 − ½
    assert crps(np.array([-1.0, 1.0]), 0.0) == pytest.approx(0.5)
    # 9 of 10 at 0, one at −1, and 0 came: 0.1 − ½ · 2 · 0.09
    assert crps(np.array([0.0] * 9 + [-1.0]), 0.0) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("centre", "scale", "outcome"), [(0.0, 0.5, 0.8), (-0.3, 0.2, -0.3), (0.1, 1.0, -2.0)]
)
def test_crps_of_a_sample_is_that_of_its_distribution(centre: float, scale: float, outcome: float) -> None:
    p = (np.arange(20000) + 0.5) / 20000
    sample = centre - scale * np.sign(p - 0.5) * np.log1p(-2 * np.abs(p - 0.5))
    closed = float(crps_laplace(centre, scale, np.array([outcome]))[0])
    assert crps(sample, outcome) == pytest.approx(closed, rel=2e-3)
    assert float(crps_laplace(centre, 0.0, np.array([outcome]))[0]) == abs(outcome - centre)


def test_crps_and_log_score_are_least_for_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(4000) < 0.2, -0.7, 0.0)
    shares = {
        q: np.array([-0.7] * round(1000 * q) + [0.0] * round(1000 * (1 - q))) for q in (0.0, 0.1, 0.2, 0.35)
    }
    for score in (crps, log_score):
        means = {q: np.mean([score(x, y) for y in truth[:1500]]) for q, x in shares.items()}
        assert min(means, key=lambda q: means[q]) == 0.2


def test_log_score_is_finite_for_what_was_held_impossible() -> None:
    assert log_score(np.zeros(100), -2.0) == pytest.approx(-math.log(FLOOR / 13))
    assert log_score(np.zeros(100), 0.001) == pytest.approx(-math.log(1 - FLOOR + FLOOR / 13))


def test_the_randomised_transform_is_uniform_under_the_forecast() -> None:
    rng = np.random.default_rng(1)
    sample = np.where(rng.random(1000) < 0.3, rng.normal(-0.5, 0.3, 1000), 0.0)
    seen = [transform(sample, float(rng.choice(sample)), rng.random()) for _ in range(3000)]
    assert np.mean(seen) == pytest.approx(0.5, abs=0.02)
    assert np.quantile(seen, [0.1, 0.9]) == pytest.approx([0.1, 0.9], abs=0.03)


def test_outcomes_are_what_the_user_pays() -> None:
    records = load_records()
    found = outcomes(records, date(2025, 6, 30), 3, records.until)
    assert found["own", "anthropic", "claude-2"] == pytest.approx(math.log(0.5))  # 8/24 → Sonnet's 3/15
    assert found["own", "deepseek", "deepseek-chat"] == pytest.approx(
        math.log((0.75 * 0.28 + 0.25 * 0.42) / (0.75 * 0.27 + 0.25 * 1.10))
    )
    assert not outcomes(records, date(2025, 6, 30), 12, records.until)  # not complete yet


def _made_up(rate: float, seed: int) -> Records:
    rng = np.random.default_rng(seed)
    begin, until = date(2023, 11, 1), date(2025, 11, 20)
    spells = []
    for v in range(30):
        for m in range(4):
            day, price, name = begin, 4.0, f"model{m}-large"
            while True:
                following = day + timedelta(days=1 + int(rng.exponential(30.4 / rate)))
                spells.append(Spell("own", f"v{v}", name, day, min(following, until), price, price))
                if following >= until:
                    break
                day, price = following, price * math.exp(rng.choice([-0.6, -0.6, 0.4]))
    return Records(tuple(spells), (), (), (), load_records().frontier, until)


def test_the_table_on_made_up_data_is_calibrated() -> None:
    scores = table([date(2025, 3, 31)], (1, 6), draws=300, records=_made_up(0.08, 4))
    rows = {(r.group, r.horizon): r for r in scores.rows}
    for horizon in (1, 6):
        row = rows["own flagship", horizon]
        assert row.forecasts == 120
        assert row.changed == pytest.approx(1 - math.exp(-0.08 * horizon), abs=0.1)
        for level, seen in zip((0.5, 0.8, 0.9), row.transform, strict=True):
            assert seen == pytest.approx(level, abs=0.13)
        # Nothing sets one offer apart from another, so that no forecast beats climatology by much, nor loses
        # by much.
        assert abs(row.skill) < 0.08
        assert set(row.baselines) == set(BASELINES)
    assert json.loads(json.dumps(scores.document()))["rows"]
    assert scores.markdown().count("\n|") > 4


def test_the_real_table_beats_the_baselines_where_retirements_are_announced() -> None:
    scores = table([date(2025, 6, 30)], (3,), draws=150)
    own = next(r for r in scores.rows if r.group == "own")
    assert own.skill > 0.25
    assert estimate(date(2025, 6, 30)).known.until == date(2025, 6, 30)
    retired = next(e for e in scores.events if e.group == "own model retired")
    assert retired.skill > 0.25
