"""A chance among the key figures is a share of futures, not the median of yes and no."""

import numpy as np

from pricewar.app import war
from pricewar.app.session import Job
from pricewar.app.war_runs import asked


def test_the_chance_of_a_harvest_is_the_share_of_futures_that_have_one():
    message = {"market": "china-2024", "futures": 16, "seed": 0, "months": 20}
    part = list(war.answer(message, Job(1)))[-1]
    (row,) = [k for k in part["kpis"] if k["key"] == "harvest"]
    base, _, _ = war.ensembles(asked(message))
    had = base.outcomes(16).value("harvest")
    assert set(np.unique(had)) == {0.0, 1.0}  # some have one within twenty months, some do not
    assert row["value"] == round(float(had.mean()), 5)
    assert 0 < row["value"] < 1
    assert row["low"] is None
    assert row["high"] is None
