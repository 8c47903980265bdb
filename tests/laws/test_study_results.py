"""Summaries of studies against closed forms and SciPy, and results as labelled data."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pricewar.errors import ConfigurationError
from pricewar.study.design import Choice, Layout, Outcome, Uniform
from pricewar.study.ensemble import Study
from pricewar.study.results import Results
from pricewar.study.task import declares

LAYOUT = Layout(
    {
        "profit": Outcome((), "CNY", "profit of all vendors"),
        "began": Outcome((), "months"),
        "closed": Outcome((), dtype="bool"),
        "price": Outcome(("month", "vendor"), "CNY/M"),
    },
    {"month": [1, 2, 3], "vendor": ["a", "b"]},
    {"month": "months"},
)


@declares(LAYOUT)
def market(task: dict[str, Any]) -> dict[str, Any]:
    """Profit = cost + floor·kind + noise of its own: linear, so that every summary has a closed form."""
    p = task["parameters"]
    noise = np.random.default_rng(task["seed"]).normal(size=(3, 2))
    height = {"low": 0.0, "mid": 1.0, "high": 2.0}[p["kind"]]
    return {
        "profit": 10 * p["cost"] + p["floor"] * (1 + 0.1 * noise[0, 0]) + height + noise[0, 1],
        "began": np.nan if p["cost"] < 0.25 else np.inf if p["cost"] > 0.75 else 12.0,
        "closed": p["cost"] > 0.5,
        "price": noise + p["floor"],
    }


def results(members: int = 200, method: str = "random", **levers: float) -> Results:
    policies = {"as it is": {"floor": 0.0}, "floor": {"floor": 1.0, **levers}}
    uncertainties = {"cost": Uniform(0, 1), "kind": Choice(("low", "mid", "high")), "idle": Uniform(0, 1)}
    return Study(market, policies, uncertainties, members, 7, method=method).run(workers=0)


def row(table: pl.DataFrame, **where: str) -> dict[str, Any]:
    return table.filter(**where).row(0, named=True)


def test_paired_differences_are_those_of_the_paired_t_test() -> None:
    found = results()
    base, floor = found.outcomes["profit"]
    told = row(found.compare(level=0.9), outcome="profit")
    test = stats.ttest_rel(floor, base)
    interval = test.confidence_interval(0.9)
    assert (told["policy"], told["baseline"], told["n"], told["missing"]) == ("floor", "as it is", 200, 0)
    assert told["difference"] == pytest.approx((floor - base).mean())
    assert (told["low"], told["high"]) == pytest.approx((interval.low, interval.high))
    assert told["p50"] == pytest.approx(np.median(floor - base))
    assert told["above"] == 1.0


def test_common_random_numbers_reduce_the_variance_by_what_is_said() -> None:
    found = results(400)
    told = row(found.compare(), outcome="profit")
    independent = [
        Study(
            market,
            {"p": {"floor": f}},
            {"cost": Uniform(0, 1), "kind": Choice(("low", "mid", "high"))},
            400,
            s,
        )
        .run(workers=0)
        .outcomes["profit"][0]
        for f, s in ((0.0, 1), (1.0, 2))
    ]
    apart = independent[0].var() + independent[1].var()
    paired = np.subtract(*found.outcomes["profit"]).var()
    assert told["variance_reduction"] == pytest.approx(apart / paired, rel=0.25)
    # Var(D) is that of 0.1·noise: 0.01; Var(X) is 100/12 + 2/3 + 1 (+ 0.01 under the floor).
    assert told["variance_reduction"] == pytest.approx((2 * (100 / 12 + 2 / 3 + 1) + 0.01) / 0.01, rel=0.25)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    policies = {"as it is": {"floor": 0.0}, "floor": {"floor": 1.0}}
    hits = 0
    for seed in range(100):
        study = Study(market, policies, {"cost": Uniform(0, 1)}, 12, seed, {"kind": "low"}, method="random")
        told = row(study.run(workers=0).compare(level=0.8), outcome="profit")
        hits += told["low"] <= 1.0 <= told["high"]
    assert stats.binomtest(hits, 100, 0.8).pvalue > 0.001


def test_quantiles_and_summary_are_numpys() -> None:
    found = results(101)
    q = found.quantiles("price", (0.1, 0.5))
    assert q.shape == (2, 2, 3, 2)
    assert q == pytest.approx(np.quantile(found.outcomes["price"], (0.1, 0.5), axis=1))
    gap = found.quantiles("price", (0.5,), against="as it is")
    assert gap[0, 1] == pytest.approx(np.ones((3, 2)))
    told = row(found.summary(probabilities=(0.025, 0.5)), policy="floor", outcome="profit")
    values = found.outcomes["profit"][1]
    assert told["mean"] == pytest.approx(values.mean())
    assert told["sd"] == pytest.approx(values.std(ddof=1))
    assert told["p2.5"] == pytest.approx(np.quantile(values, 0.025))
    assert told["unit"] == "CNY"


def test_what_is_not_finite_is_missing_and_counted() -> None:
    found = results(100)
    cost = found.draws["cost"]
    kept = int(((cost >= 0.25) & (cost <= 0.75)).sum())
    told = row(found.summary(), policy="floor", outcome="began")
    assert (told["n"], told["missing"], told["mean"], told["sd"]) == (kept, 100 - kept, 12.0, 0.0)
    pair = row(found.compare(), outcome="began")
    assert (pair["n"], pair["difference"], pair["variance_reduction"]) == (kept, 0.0, None)
    assert not np.isnan(found.summary().select(pl.col(pl.Float64)).to_numpy().astype(float)).any()
    assert row(found.importance(), policy="floor", outcome="began", uncertainty="cost")["strength"] is None


def test_nothing_at_all_is_null_and_no_warning() -> None:
    found = results(3, cost=0.1)
    told = row(found.summary(), policy="floor", outcome="began")
    assert (told["n"], told["missing"], told["mean"], told["p50"]) == (0, 3, None, None)
    pair = row(found.compare(), outcome="began")
    assert (pair["n"], pair["difference"], pair["low"]) == (0, None, None)
    one = results(1).compare()
    assert row(one, outcome="profit")["low"] is None


def test_importance_finds_what_matters_and_leaves_the_idle_alone() -> None:
    found = results(300)
    told = found.importance(["profit"]).filter(policy="as it is")
    assert told["uncertainty"][0] == "cost"
    cost, idle, kind = (row(told, uncertainty=name) for name in ("cost", "idle", "kind"))
    rho = stats.spearmanr(found.draws["cost"], found.outcomes["profit"][0])
    assert (cost["rho"], cost["p"]) == pytest.approx((rho.statistic, rho.pvalue))
    assert idle["p"] > 0.01 > cost["p"]
    assert kind["rho"] is None
    groups = [found.outcomes["profit"][0][found.draws["kind"] == k] for k in ("low", "mid", "high")]
    assert kind["p"] == pytest.approx(stats.kruskal(*groups).pvalue)
    assert 0 < kind["strength"] < cost["strength"]


def test_a_truth_value_and_a_number_among_choices_have_a_sign() -> None:
    uncertainties = {"cost": Choice((0.1, 0.2, 0.9)), "flag": Choice((True, False))}
    study = Study(market, {"p": {"floor": 0.0, "kind": "low"}}, uncertainties, 64, 1)
    told = study.run(workers=0).importance(["profit"])
    assert row(told, uncertainty="cost")["rho"] > 0.8
    assert abs(row(told, uncertainty="flag")["rho"]) < 0.5


def test_an_uncertainty_that_a_lever_overrides_is_not_ranked_there() -> None:
    found = results(50, cost=0.5)
    told = found.importance(["profit"])
    assert set(told.filter(policy="floor")["uncertainty"]) == {"kind", "idle"}
    assert set(told.filter(policy="as it is")["uncertainty"]) == {"cost", "kind", "idle"}


def test_the_table_and_the_dataset_say_the_same(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    found = results(20)
    data, table = found.dataset, found.table()
    assert dict(data.sizes) == {"policy": 2, "member": 20, "month": 3, "vendor": 2}
    assert data["profit"].attrs["units"] == "CNY"
    assert data["month"].attrs["units"] == "months"
    at = table.row(by_predicate=(pl.col("policy") == "floor") & (pl.col("member") == 13), named=True)
    there = data.sel(policy="floor", member=13)
    assert at["profit"] == float(there["profit"])
    assert at["cost"] == float(there["cost"])
    assert at["kind"] == str(there["kind"].item())
    assert at["seed"] == int(there["seed"])
    assert at["closed"] is bool(there["closed"])
    assert float(there["price"].sel(month=2, vendor="b")) == found.outcomes["price"][1, 13, 1, 1]
    table.write_parquet(tmp_path / "table.parquet")
    assert pl.read_parquet(tmp_path / "table.parquet").equals(table)


def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    found = results(2)
    with pytest.raises(ConfigurationError, match=r"pricewar\[labelled\]"):
        _ = found.dataset
    assert found.table().height == 4
    if importlib.util.find_spec("zarr") is None:
        with pytest.raises(ConfigurationError, match="pip install zarr"):
            found.to_zarr(tmp_path / "z")


def test_zarr_gives_back_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="the optional zarr is not installed")
    xarray = pytest.importorskip("xarray")
    found = results(5)
    found.to_zarr(tmp_path / "z")
    assert xarray.open_zarr(tmp_path / "z", consolidated=False).load().equals(found.dataset)
    with pytest.raises(ConfigurationError, match="exists"):
        found.to_zarr(tmp_path / "z")


def test_wrong_names_are_refused_with_the_nearest() -> None:
    found = results(2)
    for call in (
        lambda: found.quantiles("prise"),
        lambda: found.quantiles("price", against="flor"),
        lambda: found.quantiles("price", (2.0,)),
        lambda: found.summary(["price"]),
        lambda: found.compare("flor"),
        lambda: found.compare(level=1.0),
        lambda: found.importance(["profits"]),
    ):
        with pytest.raises(ConfigurationError):
            call()
    with pytest.raises(ConfigurationError, match="did you mean “profit”"):
        found.importance(["profits"])
