"""Outcomes of a run: worked by hand on a small one, as laws on china-2024, and the comparison of two runs."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata

from pricewar.cli.market_tables import document, plain
from pricewar.cli.war import story, told
from pricewar.errors import ConfigurationError
from pricewar.market import definition, outcomes, textbook
from pricewar.market import kernel as k
from pricewar.market.beside import beside
from pricewar.market.model import Market, Run, simulate
from pricewar.market.outcomes import DAYS, MEASURES, Outcomes, compare, kendall, spread
from pricewar.market.records import read

SEEDS = range(8)


@pytest.fixture(scope="module")
def china() -> Market:
    return replace(definition.market("china-2024"), months=24)


@pytest.fixture(scope="module")
def war(china: Market) -> Outcomes:
    """The war opened by hand, so that it does not depend on calibration: alibaba, at .4 months."""
    opener = float(china.vendors.index("alibaba"))
    fixed = {"peace": 1.0, "opening_fixed": 1.0, "opener": opener, "opening_month": 0.4}
    return Outcomes(simulate(china.with_(fixed), SEEDS))


def made(months: int, events: list[tuple[float, ...]], **series: object) -> Outcomes:
    """A run written down: two vendors, one type of team, prices in peace of 10 and 100."""
    market = replace(
        textbook.market().with_(
            {"vendors.price_light": 10.0, "vendors.price_flagship": 100.0, "cut_is_war": 0.3,
             "vendors.conduct": float(k.INVEST)}
        ),
        months=months,
    )  # fmt: skip
    vendor = {n: np.zeros((1, months, 2)) for n in k.VENDOR_SERIES}
    type_ = {n: np.zeros((1, months, 1)) for n in k.TYPE_SERIES}
    world = {n: np.zeros((1, months)) for n in k.WORLD_SERIES}
    vendor["status"][:] = k.ACTIVE
    for name, value in series.items():
        group, _, key = name.partition("_")
        array = {"v": vendor, "t": type_, "w": world}[group][key]
        array[:] = np.asarray(value, dtype=float)
    rows = np.array(events, dtype=float).reshape(-1, 5)
    return Outcomes(Run(market, (0,), vendor, type_, world, np.ones((1, months, 1, 2)), (rows,)))


def test_shares_margins_and_subsidy_by_hand():
    # Month 1: tokens 30 light + 10 flagship against 40 + 20; shares .4 and .6, HHI .16 + .36 = .52.
    o = made(
        1, [], v_tokens_light=[30, 40], v_tokens_flagship=[10, 20], v_free_tokens=[15, 0],
        v_price_light=[2, 1], v_cost_light=[1, 2], v_price_flagship=[30, 30], v_cost_flagship=[20, 10],
        v_revenue=[330, 640], v_rental_paid=[300, 200], v_energy_paid=[25, 75], v_subsidy=[5, 40],
    )  # fmt: skip
    assert o.share()[0, 0].tolist() == pytest.approx([0.4, 0.6])
    assert o.hhi()[0, 0] == pytest.approx(0.52)
    # List: (2×30 + 1×40) / (1×30 + 2×40) = 100/110; free tokens at zero: (2×15 + 40) / 110.
    assert o.price_over_cost("light")[0, 0] == pytest.approx(100 / 110)
    assert o.price_over_cost("light", paid=True)[0, 0] == pytest.approx(70 / 110)
    # The outcome is the paid one, and says so.
    assert o.values["light_end"][0] == pytest.approx(70 / 110)
    assert MEASURES["light_low"].meaning == MEASURES["light_end"].meaning == "paid, free use included"
    assert o.revenue_over_cost[0, 0] == pytest.approx(970 / 600)
    assert o.free_share[0, 0] == pytest.approx(15 / 70)
    assert o.values["subsidy"][0] == 45
    with pytest.raises(ConfigurationError, match="tokens, teams or revenue"):
        o.share("fame")


def test_concentration_and_the_leader_are_both_among_the_vendors_inside():
    o = made(1, [], v_tokens_light=[30, 40], v_tokens_flagship=[10, 20])
    assert o.values["leader"][0] == pytest.approx(0.6)
    o = made(1, [], v_tokens_light=[30, 40], v_tokens_flagship=[10, 20])
    o.inside = np.array([False, True])
    assert (o.values["hhi"][0], o.values["leader"][0]) == pytest.approx((1, 1))


def test_opening_lag_and_depth_by_hand():
    # Vendor 0 opens at month 1.5; vendor 1 cuts its light price by 20%, then by 20% of that: 36% below peace.
    events = [
        (1.5, k.OPENED, 0, 0, 0), (1.5, k.CUT, 0, 0.5, 0), (1.6, k.CUT, 1, 0.8, 0), (1.7, k.CUT, 1, 0.8, 0),
        (2.2, k.RAISED, 1, 2.0, 0),
    ]  # fmt: skip
    light = np.array([[10, 10], [5, 6.4], [5, 12.8], [5, 12.8], [1, 1]])
    o = made(5, events, v_price_light=light, v_price_flagship=[100, 100])
    assert o.opener.tolist() == [0]
    assert o.opening[0] == pytest.approx(1.5 * DAYS)
    assert o.lag[0, 1] == pytest.approx(0.2 * DAYS)
    assert np.isnan(o.lag[0, 0])
    assert o.order[0].tolist() == [1, 2]
    assert o.depth("light", 3)[0].tolist() == pytest.approx([0.5, 0.64])  # month ends 2, 3 and 4
    assert o.depth("flagship", 3)[0].tolist() == [1, 1]


def test_who_cuts_at_one_moment_shares_a_place(war: Outcomes):
    """Their rows are in history's order: told apart by them, chance would agree with history."""
    o = Outcomes(war.run)
    lag = np.full_like(war.lag, np.nan)
    lag[:, :3] = [3.0, 3.0, 1.0]
    o.__dict__["lag"] = lag
    opener = war.market.vendors.index("alibaba")
    told = [0, 1, 2, opener]
    assert o.order[0, told].tolist() == [3, 3, 2, 1]
    assert np.isnan(np.delete(o.order, told, axis=1)).all()
    assert (kendall(o.order[:, :2], [5, 9]) == 0).all()


def test_return_of_teams_by_hand():
    # 100 earned less 10 taken, 30 paid, 20 of switching: (90 − 50) / 50 = .8; of month 1 nothing is known.
    o = made(2, [], t_revenue=[[0], [100]], t_taken=[[0], [10]], t_bills=[[0], [30]], t_switching=[[0], [20]])
    assert np.isnan(o.roi[0, 0, 0])
    assert o.roi[0, 1, 0] == pytest.approx(0.8)
    assert o.values["roi"][0] == pytest.approx(0.8)


def test_suppliers_lead_where_their_profit_stays_first():
    o = made(3, [], w_supplier_profit=[1, 1, 1], v_profit=[[3, 0], [-4, 0], [9, 0]])
    assert o.values["suppliers_lead"][0] == 1  # the vendors' sum falls below zero in between
    o = made(3, [], w_supplier_profit=[-1, -1, 9], v_profit=[[3, 0], [1, 0], [1, 0]])
    assert o.values["suppliers_lead"][0] == 0


def test_shares_are_shares_and_orders_are_orders(war: Outcomes):
    for of in ("tokens", "teams", "revenue"):
        share = war.share(of)
        assert np.allclose(share.sum(2), 1)
        assert (share >= 0).all()
        assert (war.hhi(of) <= 1 + 1e-12).all()
    J = war.inside.sum()
    assert (war.hhi() >= 1 / J - 1e-12).all()
    alibaba = war.market.vendors.index("alibaba")
    assert (war.opener == alibaba).all()
    assert np.allclose(war.opening, 0.4 * DAYS)
    assert np.isnan(war.lag[:, alibaba]).all()
    assert np.isnan(war.lag[:, ~war.inside]).all()
    assert (war.order[:, alibaba] == 1).all()
    for n in range(war.N):
        at = np.where(np.arange(war.lag.shape[1]) == alibaba, -1.0, war.lag[n])
        known = np.isfinite(at)
        assert war.order[n][known].tolist() == rankdata(at[known], method="min").tolist()
        assert np.isnan(war.order[n][~known]).all()
    assert set(war.values) == set(MEASURES)


def test_deep_cuts_of_events_are_those_of_the_prices(war: Outcomes):
    _, v, _ = war.members
    for tier, column in (("light", k.V_PRICE_LIGHT), ("flagship", k.V_PRICE_FLAGSHIP)):
        deep = war.run.vendor[f"price_{tier}"] < 0.7 * v[:, None, :, column] * (1 - 1e-9)
        for n, j in zip(*np.nonzero(deep[:, :, war.inside].any(1)), strict=True):
            j = np.flatnonzero(war.inside)[j]
            assert war.deep_cut[n, j] <= (deep[n, :, j].argmax() + 1) * DAYS + 1e-6


def test_surplus_starts_at_nought_less_switching_and_ends_with_lower_prices_above_it(war: Outcomes):
    assert np.allclose(war.surplus[:, 0], -war.run.type["switching"][:, 0])
    assert (war.surplus[:, -1].sum(1) > 0).mean() > 0.8


def test_winners_are_chances(war: Outcomes):
    for winner, chance, chances in war.winners:
        assert chances.sum() == pytest.approx(1)
        assert chances[winner] == chance == chances.max()


def test_stages_of_a_run_are_dated(war: Outcomes):
    assert war.stage.shape == (war.N, war.M)
    assert war.vendor_stage.shape == (war.N, war.M, len(war.market.vendors))
    assert (war.vendor_stage[:, :, ~war.inside] == -1).all()


def test_nothing_differs_from_itself_and_portability_ends_switching_costs(china: Market, war: Outcomes):
    for e in compare(war, war):
        assert not e.clear
        assert np.isnan(e.change) or e.change == 0
    other = Outcomes(simulate(war.market.with_({"portability": 1.0}), SEEDS))
    effects = {e.name: e for e in compare(war, other)}
    switching = effects["switching"]
    assert switching.clear
    assert switching.change == -1
    assert switching.share == 1


def test_pairing_narrows_the_interval(war: Outcomes):
    other = Outcomes(simulate(war.market.with_({"portability": 0.05}), SEEDS))
    apart = Outcomes(simulate(war.market.with_({"portability": 0.05}), range(100, 108)))
    paired, unpaired = ({e.name: e for e in compare(war, o)}["bills"] for o in (other, apart))
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)


def test_a_mean_of_what_is_known_leaves_the_warnings_of_other_threads_alone(monkeypatch: pytest.MonkeyPatch):
    values = np.array([[1.0, np.nan, 3.5], [np.nan, np.nan, np.nan]])
    with monkeypatch.context() as patch:
        patch.setattr(warnings, "catch_warnings", None)  # it sets them for all
        found = outcomes._mean(values)
    np.testing.assert_array_equal(found, [2.25, np.nan])


@pytest.mark.filterwarnings("error")
def test_a_market_where_everybody_dies_is_an_outcome(china: Market):
    dead = china.with_({"vendors.cash": 1.0, "vendors.reserve": 0.0, "rental": 1e7, "peace": 0.0})
    o = Outcomes(simulate(replace(dead, months=8), range(6)))
    assert o.all_dead.all()
    assert np.isnan(o.hhi()[:, -1]).all()
    assert (o.values["exits"] == o.inside.sum()).all()
    data = document([o, o], "dead", [], [], [], 0.0)
    json.dumps(data, allow_nan=False)
    assert data["nobody_left"] == 1
    assert data["outcomes"]["hhi"]["median"] is None


def test_beside_history(war: Outcomes):
    text = definition.load("china-2024")
    names = {v: row.name for v, row in text.text.vendors.each.items()}
    data = plain(beside(war, read("china-llm-2024"), names, 0.25))
    json.dumps(data, allow_nan=False)
    lags = {r["vendor"]: r["history"] for r in data["followed"]["by_vendor"]}
    assert (lags["Zhipu"], lags["ByteDance"], lags["Tencent"], lags["DeepSeek"]) == (5, 9, 16, None)
    # Alibaba's Qwen-Turbo fell from 8 to 2 within three months and to .3 within six.
    (turbo,) = [r for r in data["depth"] if (r["vendor"], r["tier"]) == ("Alibaba", "light")]
    assert (turbo["history_3"], turbo["history_6"]) == (pytest.approx(0.75), pytest.approx(1 - 0.3 / 8))
    for line in data["lines"]:
        if line["low"] is not None:
            assert line["hit"] == (line["low"] - 1e-5 <= line["history"] <= line["high"] + 1e-5)
    assert data["misses"] == [line for line in data["lines"] if not line["hit"]]
    # Openings stand at one day, so a path from the opening is the path less no month.
    (path,) = [r for r in data["prices"] if (r["vendor"], r["tier"]) == ("Baidu", "light")]
    j = war.market.vendors.index("baidu")
    assert path["median"] == pytest.approx(np.median(war.price("light")[:, :, j], axis=0), rel=1e-4)
    assert told({**data, "story": [{"key": "say.stay", "args": {}}]}) == [
        "In most futures nobody has to leave by the end."
    ]


def test_the_end_of_the_war_is_that_of_every_future(china: Market):
    # Openings of several months: few futures reach the last month since the opening.
    o = Outcomes(simulate(china, SEEDS))
    names = {"deepseek": "DeepSeek"}
    data = plain(beside(o, read("china-llm-2024"), names, 0.25))
    (said,) = [args for key, args in story(data) if key == "say.leader"]
    last = o.share()[:, -1][:, o.inside]
    assert said["share"] == pytest.approx(np.median(last, axis=0).max(), rel=1e-4)
    j = int(np.flatnonzero(o.inside)[np.median(last, axis=0).argmax()])
    assert said["vendor"] == names.get(o.market.vendors[j], o.market.vendors[j])
    assert said["high"] == pytest.approx(np.quantile(o.share()[:, -1, j], 0.9), rel=1e-4)


@pytest.mark.filterwarnings("error")
def test_a_war_that_never_comes_and_one_that_kills_all_are_told(china: Market):
    record, names = read("china-llm-2024"), {"deepseek": "DeepSeek"}
    for changes, key in (
        ({"opening_threshold": 10.0}, "say.peace"),
        ({"vendors.cash": 1.0, "vendors.reserve": 0.0, "rental": 1e7, "peace": 0.0}, "say.nobody"),
    ):
        o = Outcomes(simulate(replace(china.with_(changes), months=8), range(4)))
        data = plain(beside(o, record, names, 0.25))
        json.dumps(data, allow_nan=False)
        data["story"] = [{"key": k_, "args": plain(args)} for k_, args in story(data)]
        assert key in [row["key"] for row in data["story"]]
        assert told(data)
        assert not any(line["hit"] for line in data["lines"] if line["key"] == "opener")


@given(st.permutations(range(6)))
@settings(max_examples=40, deadline=None)
def test_kendall_is_kendall(order: list[int]):
    history = np.array([0.0, 5, 9, 12, 15, 16])
    ours = kendall(np.array([order], dtype=float), history)[0]
    assert ours == pytest.approx(kendalltau(order, history).statistic)


def test_spread_leaves_out_what_is_unknown():
    s = spread(np.array([np.nan, 1.0, 2.0, 3.0]))
    assert (s.median, s.known) == (2, 0.75)
    assert np.isnan(spread(np.array([np.nan, np.nan])).median)
