"""The back-test: nobody knows what came later, and nobody beats hindsight."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.advice import backtest, kernel
from pricewar.advice.backtest import STRATEGIES, Backtest, Trial, ask, regrets
from pricewar.advice.backtest_history import CLOSED, History, Lane, Month, bills, month_after
from pricewar.advice.backtest_page import page
from pricewar.advice.backtest_plans import Spent, account, clairvoyant, frictionless
from pricewar.advice.backtest_teams import CLASSES, MONTHLY, Stream, onward, streams
from pricewar.advice.strategies import Costs
from pricewar.cli.backtest import backtest as command
from pricewar.errors import ConfigurationError
from pricewar.futures.records import Records, Retirement, load_records
from pricewar.usage.log import Log
from pricewar.usage.read import read

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "traces"
DAY = date(2024, 8, 1)


# --- plans against hindsight ------------------------------------------------------------------------------


def _costs(rng: np.random.Generator, offers: int, size: float, setup: float = 1.0) -> Costs:
    deep = int(rng.integers(1, 5))
    return Costs(
        join=rng.gamma(2, 3, offers) * size,
        leave=np.sort(rng.gamma(2, 3, (offers, deep + 1)), axis=1) * size,
        within=np.sort(rng.gamma(1, 2, (offers, deep + 1)), axis=1) * size,
        gain=np.zeros((2, offers)),
        worth=np.zeros(offers),
        requests=1.0,
        present=-1,
        used=0,
        beta=0.97,
        beside=np.zeros(offers),
        setup=setup,
        upkeep=0.2 * size,
    )


def _world(seed: int, months: int, offers: int, size: float = 1.0):
    rng = np.random.default_rng(seed)
    cost = rng.gamma(1, 5, (months, offers))
    gone = rng.random((months, offers)) < 0.2
    gone[np.arange(months), rng.integers(0, offers, months)] = False
    cost[gone] = np.inf
    vendor = rng.integers(0, 2, offers)
    return cost, vendor, _costs(rng, offers, size), _costs(rng, offers, 0.3 * size)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), months=st.integers(1, 4), offers=st.integers(1, 3))
def test_the_clairvoyant_has_the_cheapest_of_all_plans(seed: int, months: int, offers: int) -> None:
    cost, vendor, costs, portable = _world(seed, months, offers)
    total, path, since = clairvoyant(cost, vendor, costs, portable)
    every = [
        account(p, cost, vendor, costs, portable, when).total
        for p in itertools.product(range(offers), repeat=months)
        for when in (None, *range(months))
    ]
    assert total == pytest.approx(min(every), rel=1e-12)
    assert account(path, cost, vendor, costs, portable, since).total == pytest.approx(total, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_no_plan_is_cheaper_and_nothing_is_cheaper_than_the_floor(seed: int, data: st.DataObject) -> None:
    cost, vendor, costs, portable = _world(seed, 12, 8)
    total, _, _ = clairvoyant(cost, vendor, costs, portable)
    there = [np.flatnonzero(np.isfinite(row)).tolist() for row in cost]
    path = [data.draw(st.sampled_from(row)) for row in there]
    since = data.draw(st.sampled_from([None, 0, 5, 11]))
    assert total <= account(path, cost, vendor, costs, portable, since).total * (1 + 1e-12)
    assert frictionless(cost, costs.beta) <= total * (1 + 1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_where_moving_is_free_hindsight_is_the_floor(seed: int) -> None:
    cost, vendor, costs, _ = _world(seed, 12, 6, size=0.0)
    total, _, since = clairvoyant(cost, vendor, costs, replace(costs, setup=1.0))
    assert since is None
    assert total == pytest.approx(frictionless(cost, costs.beta), rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_a_plan_costs_what_the_advice_would_say(seed: int) -> None:
    """The account is the one that advice gives of a strategy (`kernel.account`)."""
    rng = np.random.default_rng(seed)
    cost, vendor, costs, portable = _world(seed, 12, 5)
    cost = np.where(np.isfinite(cost), cost, 7.0)
    path = rng.integers(0, 5, 12)
    out, one = np.zeros((1, 12, 6)), np.ones((1, 5))
    nothing = np.zeros((1, 12, 5))
    kernel.account(
        path[None, :].astype(np.int64), cost[None], nothing, cost[None], nothing, nothing.astype(np.uint8),
        vendor.astype(np.int64), costs.leave, costs.within, costs.join, 0 * one, -1, 0, one,
        np.zeros(5), np.ones((1, 12)), np.zeros(5), 1.0, 1.0, np.ones((1, 12)),
        costs.beta ** np.arange(12), out,
    )  # fmt: skip
    found = account(path.tolist(), cost, vendor, costs, portable)
    assert found.use == pytest.approx(out[0, :, 0].sum())
    assert found.moving == pytest.approx(out[0, :, 2].sum())
    assert found.moves == out[0, :, 5].sum()


def test_becoming_portable_pays_once_and_every_month() -> None:
    cost, vendor = np.ones((3, 2)), np.array([0, 1])
    flat = np.full((2, 2), 4.0)
    costs = Costs(np.zeros(2), flat, flat, np.zeros((2, 2)), np.zeros(2), 1.0, -1, 0, 0.5, np.zeros(2))
    portable = replace(costs, leave=flat / 4, setup=2.0, upkeep=0.25)
    found = account([0, 0, 1], cost, vendor, costs, portable, 1)
    assert found == Spent(1 + 0.5 + 0.25, 0.5 * 2.25 + 0.25 * (0.25 + 1), 1)


# --- nobody knows what came later -------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _stream() -> Stream:
    return streams(CLASSES[1:2], 3)[1]


def _with_later(records: Records, day: date) -> Records:
    """The same until the end of `day`; afterwards prices fall to a tenth, and every model is retired."""
    later, spells = day + timedelta(days=1), []
    last = {key: found[-1] for key, found in records.known(day).histories.items()}
    for spell in last.values():
        spells.append(spell._replace(first=later, input=spell.input / 10, output=spell.output / 10))
    ended = [Retirement(s.vendor, s.model, day + timedelta(days=20), later, "made up") for s in last.values()]
    known = records.known(day)
    return Records(
        (*known.spells, *(s._replace(last=records.until) for s in spells)),
        (*known.retirements, *ended),
        known.free,
        tuple(
            a._replace(outcome="cancelled", decided=later) if a.outcome == "pending" else a
            for a in known.announcements
        ),
        known.frontier,
        records.until,
    )


def _dearer_already(records: Records, day: date) -> Records:
    spells = tuple(
        s._replace(input=s.input * 3, output=s.output * 3) if s.vendor == "openai" and s.first < day else s
        for s in records.spells
    )
    return replace(records, spells=spells)


def test_advice_knows_nothing_of_what_was_recorded_later() -> None:
    records, stream = load_records(), _stream()
    documents = []
    for given_ in (records, _with_later(records, DAY), _dearer_already(records, DAY)):
        month = Month.of(DAY, given_)
        documents.append(json.dumps(ask(month, stream, 3, 1.2, draws=12).document()))
    assert documents[0] == documents[1]
    assert documents[0] != documents[2]  # what was on record by then does change it


# --- from beginning to end --------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _lane() -> Lane:
    return Lane(History(month_after(DAY, -1), DAY), streams(CLASSES[:1], 2)[0])


def test_a_window_from_beginning_to_end() -> None:
    lane = _lane()
    window = lane.window(0, 2)
    found = backtest.trial(window, draws=8)
    assert set(found.spent) == set(STRATEGIES)
    totals = {key: spent.total for key, spent in found.spent.items()}
    assert all(np.isfinite(total) for total in totals.values())
    followed = min(total for key, total in totals.items() if key not in ("clairvoyant", "frictionless"))
    assert totals["frictionless"] <= totals["clairvoyant"] <= followed * (1 + 1e-9)
    assert found.asked[0].why == "the start"
    assert found.asked[0].begin == found.paths["ours"][0]
    # The vendor that closed on the day serves nobody from then on, and served before.
    shut = [n for n in lane.names if n.startswith("anyscale/")]
    assert CLOSED["anyscale"] == DAY
    assert shut
    assert not any(window.open(1, lane.at[n]) for n in shut)
    assert any(window.open(0, lane.at[n]) for n in shut)


def test_a_month_costs_its_bill() -> None:
    """A linear offer's cost in a window is its exact bill times the load."""
    lane = _lane()
    month, window = lane.history.month(1), lane.window(0, 2)
    name = "openai/gpt-4o-mini"
    of = bills(month, lane.stream, [name])
    rate = month.live[name].rates[0]
    frame = lane.stream.log(1.0).frame()
    fresh = frame.select(pl.sum("input", "cache_read", "cache_write_5m", "cache_write_1h")).sum_horizontal()[
        0
    ]
    out = frame.select(pl.sum("output", "reasoning")).sum_horizontal()[0]
    assert rate.input is not None
    assert rate.output is not None
    exact = (fresh * float(rate.input) + out * float(rate.output)) / 1e6
    load = 1 + lane.stream.team.growth
    # A month is 30.4 days; the log's days are counted by how full they are.
    assert window.cost[1, lane.at[name]] / load == pytest.approx(exact, rel=0.06)
    assert of.at(2.0)[0][0] == pytest.approx(2 * of.at(1.0)[0][0])


def test_work_grows_evenly() -> None:
    stream = _stream()
    rows = [stream.log(load).rows for load in (1.0, 1.08, 1.08**2)]
    assert rows[0] < rows[1] < rows[2] == len(stream.base)
    assert rows[1] / rows[0] == pytest.approx(1.08, abs=0.01)
    first, last = stream.log(1.0).frame()["time"][0], stream.log(1.0).frame()["time"][-1]
    assert last - first > timedelta(days=28)


def test_a_portable_team_pays_less_for_a_switch_and_nothing_more_to_begin() -> None:
    plain = CLASSES[1].team(12)
    on = onward(plain, 5, "openai/gpt-4o", 7, True)
    assert on.horizon == 5
    assert on.present is not None
    assert on.present.months == 7
    assert on.switching.adapter == plain.switching.adapter / 10
    assert float(on.portability.saves.adapter) == 0
    assert onward(plain, 5, "openai/gpt-4o", 7, False).switching == plain.switching


# --- regret -----------------------------------------------------------------------------------------------


def _trials(values: dict[str, dict[str, list[float]]]) -> list[Trial]:
    found = []
    for team, by in values.items():
        for i in range(len(by["ours"])):
            spent = {key: Spent(by.get(key, by["clairvoyant"])[i], 0.0, 1) for key in STRATEGIES}
            start = month_after(date(2024, 6, 1), i)
            paths = {key: ["a", "b"] for key in STRATEGIES}
            found.append(
                Trial(team, "light", start, spent, paths, [backtest.Asked(0, "the start", "stay", "a", 1)], 3)
            )
    return found


def test_regret_by_hand() -> None:
    trials = _trials(
        {"indie": {"ours": [12.0, 10.0], "cheapest": [20.0, 24.0], "clairvoyant": [10.0, 10.0]},
         "start-up": {"ours": [30.0, 30.0], "cheapest": [20.0, 20.0], "clairvoyant": [20.0, 20.0]}}
    )  # fmt: skip
    found = {(r.team, r.strategy): r for r in regrets(trials, ["indie", "start-up"])}
    mine = found["indie", "ours"]
    assert mine.over == pytest.approx(0.1)
    assert mine.low == pytest.approx(0.0)
    assert mine.high == pytest.approx(0.2)
    assert found["indie", "cheapest"].against == pytest.approx(-0.5)
    assert (found["indie", "cheapest"].won, found["start-up", "cheapest"].won) == (2, 0)
    assert found["all", "ours"].over == pytest.approx((0.1 + 0.5) / 2)
    assert found["start-up", "ours"].low == found["start-up", "ours"].high == pytest.approx(0.5)
    assert found["indie", "clairvoyant"].over == 0


def test_the_page_says_what_the_figures_say() -> None:
    trials = _trials({"indie": {"ours": [12.0, 11.0], "cheapest": [20.0, 26.0], "clairvoyant": [10.0, 10.0]}})
    found = Backtest(
        date(2024, 6, 1), date(2024, 8, 1), 2, 8, 1, "a log", trials, regrets(trials, ["indie"]), ("indie",)
    )
    text = page(found, None, "pricewar backtest")
    assert "clearly cheaper than “what was cheapest at the start, kept” (−50%)" in text
    assert "clearly dearer than “our advice, asked once and kept” (+15%)" in text
    assert "| indie | light | 2024-06 | 0 | 12.00 | 20.00 |" in text
    json.dumps(found.document())


# --- what is asked for wrongly ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2025, 6, 1), date(2024, 6, 1), "no span of months"),
        (date(2024, 6, 1), date(2027, 1, 1), "records end on"),
        (date(2024, 6, 1), date(2024, 9, 1), "hold no window of 12"),
    ],
)
def test_spans_that_cannot_be(first: date, last: date, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        backtest.run(first, last)
    assert caught.value.remedy


def test_the_command_refuses_and_leaves_nothing_when_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = CliRunner().invoke(command, ["--class", "startup"])
    assert isinstance(unknown.exception, ConfigurationError)
    assert "start-up" in str(unknown.exception)
    assert CliRunner().invoke(command, ["--from", "June"]).exit_code == 2

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backtest, "run", interrupted)
    target = tmp_path / "page.md"
    stopped = CliRunner().invoke(command, ["--write", str(target)], standalone_mode=False)
    assert isinstance(stopped.exception, KeyboardInterrupt | SystemExit) or stopped.exit_code != 0
    assert not list(tmp_path.iterdir())


# --- real traces ------------------------------------------------------------------------------------------


def _azure(folder: Path) -> Log:
    """The hour of the Azure code trace as the busy hour of ten days."""
    hour = read(
        SHARED / "AzureLLMInferenceTrace_2023_code.csv", mapping={"model": "=gpt-4", "vendor": "=azure"}
    )
    frame = hour.frame().gather_every(8)
    days = [frame.with_columns(pl.col("time") + timedelta(days=d)) for d in range(10)]
    whole = pl.concat(days)
    return replace(
        hour, rows=len(whole), rows_in=len(whole), exclusions=(), span=(whole["time"][0], whole["time"][-1]),
        _held=whole, _again=None,
    )  # fmt: skip


def _servegen(folder: Path) -> Log:
    """Rates of ServeGen's clients in their ten-minute windows, at each client's mean lengths."""
    rates = pl.read_parquet(SHARED / "servegen_rates_m-small.parquet")
    sizes = (
        pl.read_parquet(SHARED / "servegen_lengths_m-small.parquet")
        .group_by("client")
        .agg(pl.mean("input_tokens_mean"), pl.mean("output_tokens_mean"))
        .drop_nulls()
    )
    rows = rates.join(sizes, on="client").with_columns((pl.col("rate") * 600).round().alias("n"))
    rows = rows.filter(pl.col("n") > 0).sort("t", "client").gather_every(4)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    path = folder / "servegen.csv"
    rows.select(
        (pl.lit(start) + pl.duration(seconds=pl.col("t"))).alias("time"),
        pl.lit("m-small").alias("model"),
        (pl.col("n") * pl.col("input_tokens_mean")).round().cast(pl.Int64).alias("input"),
        (pl.col("n") * pl.col("output_tokens_mean")).round().cast(pl.Int64).alias("output"),
        pl.col("n").cast(pl.Int64).alias("requests"),
    ).write_csv(path)
    return read(path)


@pytest.mark.parametrize("made", [_azure, _servegen])
def test_real_traces(made, tmp_path: Path) -> None:
    if not SHARED.exists():
        pytest.skip("the traces are not beside this checkout (../shared/data/traces)")
    stream = streams(CLASSES[2:], 2, made(tmp_path))[0]
    wanted = CLASSES[2].times["light"] * MONTHLY["light"]
    month = _lane().history.month(0)
    found = bills(month, stream)
    assert found.requests == pytest.approx(wanted, rel=0.25)
    assert len(found.names) > 8
    advice = ask(month, stream, 2, 1.0, of=found, draws=8)
    assert advice.plan.begin in found.names
    pay, share = found.at(1.0)
    assert (pay >= 0).all()
    assert ((share >= 0) & (share <= 1)).all()
