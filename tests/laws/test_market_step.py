"""Laws of one step: it is `simulate`'s, its accounts close, and what ought not to matter does not."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricewar.errors import ConfigurationError
from pricewar.market import fields
from pricewar.market import kernel as k
from pricewar.market.model import Market, simulate
from pricewar.market.step import Terms, begin, member, step

MONEY = (
    "energy_light", "energy_flagship", "rental", "supplier_cost",
    "types.budget", "vendors.cash", "vendors.reserve", "vendors.income_per_team", "vendors.price_light",
    "vendors.price_flagship",
)  # fmt: skip


def made(vendors=2, types=1, months=24, per_month=4, **changes):
    """A market of like vendors and types; changes as `Market.with_` takes them."""
    names = [f"v{j}" for j in range(vendors)]
    kinds = [f"t{i}" for i in range(types)]
    g = np.array([fields.MARKET[n].off or 0.0 for n in k.MARKET_FIELDS])
    t = np.array([[fields.TYPE[n].off or 0.0 for n in k.TYPE_FIELDS]] * types)
    v = np.array([[fields.VENDOR[n].off or 0.0 for n in k.VENDOR_FIELDS]] * vendors)
    V, T = (vendors, len(names)), (types, len(kinds))
    market = Market("made", "money", date(2024, 1, 1), months, per_month, tuple(names), tuple(kinds),
    ("all",), (),
                    g, v, t, np.zeros((T[1], V[1])), np.zeros((T[1], V[1])))  # fmt: skip
    base = {
        "reference_share": 0.5, "gpu_light": 1e-4, "gpu_flagship": 1e-3, "energy_light": 0.1,
        "energy_flagship": 0.8, "target_load": 0.5, "capacity_up": 1.5, "capacity_down": 0.2, "rental": 1e4,
        "supplier_cost": 6e3, "hold": 6.0, "discount": 0.012, "review": 2.0, "outside": -1.0,
        "depth_one": 0.12, "depth_two": 0.05, "switch_trial": 0.1, "switch_integrated": 0.5,
        "types.teams": 1000.0, "types.potential": 4000.0, "types.innovation": 0.01, "types.imitation": 0.1,
        "types.budget": 5000.0, "types.light_share": 0.5, "types.quality_taste": 1.0,
        "types.price_taste": 1.4,
        "types.switching_cost": 2.0, "types.review_low": 0.05, "types.review_high": 0.3,
        "vendors.efficiency": 1.0, "vendors.cash": 1e8, "vendors.api_share": 1.0, "vendors.share": 1.0,
        "vendors.price_light": 4.0, "vendors.price_flagship": 40.0, "vendors.conduct": k.INVEST,
        "vendors.invest": 0.4, "vendors.agility": 1.0, "vendors.experience": 1.0, "vendors.data": 1.0,
    }  # fmt: skip
    return market.with_({**base, **changes})


def rich(months=18, **changes):
    """Every mechanism at once: three vendors and open weights, two types, runs, data, consumers,
    contracts."""
    market = made(
        vendors=4, types=2, months=months, **{
            "reference_lag": 3.0, "progress": 0.06, "learning": 0.1, "experience_scale": 1000.0,
            "fleet_minimum": 50.0, "load_penalty": 4.0, "burst_premium": 0.5, "rental_decline": 0.01,
            "rental_elasticity": 0.2, "supply_growth": 0.05, "scale_compute": 1.0, "scale_jump": 0.8,
            "threshold": 25.2, "threshold_width": 0.1, "scale_data": 0.3, "data_half": 1e5,
            "data_decay": 0.03,
            "run_months": 3.0, "run_gap": 2.0, "run_step": 0.3, "run_gpu": 4e-22, "run_progress": 0.03,
            "run_failure": 0.3, "run_labour": 0.4, "afford": 0.3, "certainty": 0.5,
            "expansion_contestable": 0.5, "runway_weight": 1.0, "menu": 0.03, "rise_needs_successor": 1.0,
            "allowance_notch": 1.4, "react": 6.0, "consumers": 2e6, "consumers_final": 1e7,
            "consumer_growth": 0.1, "consumer_taste": 0.5, "consumer_rate": 0.05, "consumer_tokens": 0.03,
            "consumer_data": 0.3, "absorb": 0.02, "fringe_lag": 0.5, "fringe_markup": 0.2, "contract": 1.0,
            "holder_cost": 0.005, "contract_interval": 6.0, "revenue_quality": 0.2, "peace": 0.0,
            "types.growth": 0.02, "types.churn": 0.01, "types.data_weight": 0.3, "types.ideas": 1.0,
            "types.revenue": 1.4, "types.vertical_gap": 0.4, "types.light_fall": 0.2,
            "vendors.compute": 25.0, "vendors.data": 1e5, "vendors.experience": 1000.0,
            "vendors.reserve": 1e7,
            "vendors.talent": 0.3, "vendors.consumers": 1.0, "vendors.income_per_team": 3.0,
            "vendors.api_share": 0.2,
            "vendors.grant": 1.0, "v1.efficiency": 1.5, "v2.cash": 4e5, "v2.reserve": 1e5,
            "v3.conduct": k.FRINGE,
            "t1.light_share": 0.8, "t1.budget": 300.0, "t1.vertical": 0.0,
        },
    )  # fmt: skip
    market = replace(market, verticals=("health",), eco=np.array([[0.3, 0.0, 0.1, 0.0]] * 2))
    return market.with_(changes) if changes else market


def walk(market, seed=0):
    """(state before, state after, outcome) of every step under a seed's luck."""
    luck = market.luck([seed])[0]
    state = begin(market, luck[0])
    for draws in luck:
        after, outcome = step(market, state, None, draws)
        yield state, after, outcome
        state = after


@pytest.mark.parametrize("per_month", [1, 4])
def test_repeated_it_is_simulate_bit_for_bit(per_month):
    market = replace(rich(peace=1.0, expected_peace=4.0, rollout_months=4.0), per_month=per_month, months=8)
    run = simulate(market, [7])
    steps = list(walk(member(market, 7), 7))
    events = np.concatenate([o.events for _, _, o in steps])
    assert np.array_equal(events, run.events[0])
    assert len(events) > 0
    for month in range(market.months):
        last = steps[(month + 1) * per_month - 1][2]
        for name in (
            "cash",
            "price_light",
            "price_flagship",
            "allowance",
            "teams",
            "quality",
            "data",
            "status",
            "load",
        ):
            assert np.array_equal(last.vendor[name], run.vendor[name][0, month]), name
        assert np.array_equal(last.teams, run.teams[0, month])
        part = [o for _, _, o in steps[month * per_month : (month + 1) * per_month]]
        for name in ("revenue", "rental_paid", "joined", "tokens_light", "profit"):
            total = sum(o.vendor[name] for o in part)
            if per_month == 1:
                assert np.array_equal(total, run.vendor[name][0, month])
            # within a month the sums are the same numbers in another order
            assert total == pytest.approx(run.vendor[name][0, month], rel=1e-12, abs=1e-9)


def test_nothing_given_is_changed_and_states_are_read_only():
    market = rich()
    state = begin(market)
    before = [np.array(a) for a in (state.vendor_state, state.teams, state.pool, market.g, market.v)]
    after, _ = step(market, state)
    again, _ = step(market, state)
    for old, new in zip(
        before, (state.vendor_state, state.teams, state.pool, market.g, market.v), strict=True
    ):
        assert np.array_equal(old, new)
    assert np.array_equal(after.vendor_state, again.vendor_state)
    assert after.time == pytest.approx(0.25)
    with pytest.raises(ValueError, match="read-only"):
        state.teams[:] = 0.0


def test_terms_from_outside_hold_from_the_step_on():
    market = made(**{"v0.conduct": k.EXTERNAL, "menu": 0.5, "rise_needs_successor": 1.0})
    state = begin(market)
    after, outcome = step(market, state, {"v0": Terms(light=3.9, flagship=44.0, allowance=0.25)})
    assert after.vendor("price_light")[0] == 3.9
    assert after.vendor("price_flagship")[0] == 44.0
    assert after.vendor("allowance")[0] == 0.25
    kinds = [(k.EVENTS[int(e[1])], int(e[2])) for e in outcome.events]
    assert ("cut", 0) in kinds
    assert ("raised", 0) in kinds
    assert outcome.vendor["free_tokens"][0] > 0.0
    held, _ = step(market, after, {"v0": Terms()})
    assert held.vendor("price_light")[0] == 3.9


def test_a_cut_from_outside_opens_the_war():
    market = made(peace=1.0, expected_peace=600.0, opening_threshold=1e9, **{"v0.conduct": k.EXTERNAL})
    state, _ = step(market, begin(market))
    assert state.world("war") == 0.0
    state, _ = step(market, state, {"v0": Terms(light=1.0)})
    assert state.world("war") == 1.0
    assert state.world("opener") == 0.0


@pytest.mark.parametrize(
    ("actions", "word"),
    [
        ({"v7": Terms()}, "no vendor"),
        ({"v1": Terms(light=1.0)}, "sets its own"),
        ({"v0": Terms(light=-1.0)}, "light is -1"),
        ({"v0": Terms(flagship=float("nan"))}, "flagship is nan"),
    ],
)
def test_actions_that_cannot_be_meant_are_refused(actions, word):
    market = made(**{"v0.conduct": k.EXTERNAL})
    with pytest.raises(ConfigurationError, match=word):
        step(market, begin(market), actions)


def test_draws_of_another_shape_and_unknown_columns_are_refused():
    market = made()
    with pytest.raises(ConfigurationError, match="draws have shape"):
        step(market, begin(market), None, np.zeros(3))
    with pytest.raises(ConfigurationError, match="not in the state"):
        begin(market).vendor("cahs")


@pytest.mark.parametrize("contract", [0.0, 1.0, 2.0, 3.0, 4.0])
def test_what_one_pays_another_receives(contract):
    market = rich(contract=contract)
    labour = market.get("market", "run_labour") / (1.0 + market.get("market", "run_labour"))
    trained = licensed = exits = 0.0
    for before, after, o in walk(market):
        v, t, w = o.vendor, o.type, o.world
        earned = v["revenue"] + v["income"] + v["funding"]
        spent = v["rental_paid"] + v["energy_paid"] + v["training_paid"] + v["licences_paid"]
        change = after.vendor("cash") - before.vendor("cash")
        scale = np.abs(v["revenue"]).sum() + spent.sum() + np.abs(before.vendor("cash")).max()
        assert change == pytest.approx(earned - spent + v["write_off"], abs=1e-11 * scale)
        assert after.vendor("reserve") == pytest.approx(before.vendor("reserve") - v["funding"], abs=1e-6)
        assert t["bills"].sum() == pytest.approx(v["revenue"].sum(), rel=1e-11)
        runs = v["training_paid"] + v["parent_paid"]
        assert w["supplier_income"] == pytest.approx(
            (v["rental_paid"] + runs * (1.0 - labour)).sum(), rel=1e-11
        )
        assert w["labour_income"] == pytest.approx(runs.sum() * labour, rel=1e-11)
        assert w["energy_income"] == pytest.approx(v["energy_paid"].sum(), rel=1e-11)
        assert w["holder_income"] == pytest.approx(v["licences_paid"].sum(), rel=1e-11)
        trained, licensed = trained + runs.sum(), licensed + v["licences_paid"].sum()
        exits += v["write_off"].sum()
    assert trained > 0.0
    assert (licensed > 0.0) == (contract > 0.0)
    assert exits > 0.0  # v2 runs out of money: what its creditors lose is on the books


@pytest.mark.parametrize("growth", [0.0, 0.02])
def test_no_team_is_lost(growth):
    market = rich(**{"types.churn": 0.0, "expansion_contestable": 1.0, "types.growth": growth})
    forced = 0.0
    for before, after, o in walk(market):
        assert after.teams.min() >= 0.0
        assert after.pool.min() >= 0.0
        had, have = (s.teams.sum(axis=(1, 2)) + s.pool for s in (before, after))
        if growth == 0.0:
            assert have == pytest.approx(had, rel=1e-12)
        n = before.teams.sum(axis=(1, 2))
        assert (have >= had * (1 - 1e-12)).all()
        # by vendor: what left and what joined is the whole change
        change = (after.teams - before.teams).sum(axis=(0, 1))
        assert change == pytest.approx(o.vendor["joined"] - o.vendor["left"], abs=1e-8 * n.sum())
        forced += o.type["forced"].sum()
    assert forced > 0.0


def test_teams_that_close_are_recorded():
    market = rich(**{"types.churn": 0.05})
    for before, after, o in walk(market):
        change = after.teams.sum() - before.teams.sum()
        moved = o.vendor["joined"].sum() - o.vendor["left"].sum()
        assert change == pytest.approx(moved - o.type["closed"].sum(), abs=1e-8 * before.teams.sum())
        assert o.type["closed"].sum() > 0.0


def flat(run):
    """Everything of a run in one vector."""
    world = {
        name: a for name, a in run.world.items() if name != "regulator"
    }  # it says that a rule is in force
    parts = [a.ravel() for group in (run.vendor, run.type, world) for a in group.values()]
    return np.concatenate([*parts, run.teams.ravel()])


def test_portability_of_one_is_no_switching_cost():
    market = rich(months=10, **{"types.light_fall": 0.0})
    free = simulate(market.with_({"portability": 1.0}), range(3))
    none = simulate(market.with_({"types.switching_cost": 0.0}), range(3))
    assert np.array_equal(flat(free), flat(none))
    assert not np.allclose(flat(simulate(market, range(3))), flat(none), rtol=1e-3)


@pytest.mark.parametrize("factor", [1024.0, 1000.0, 2.0**-20])
def test_the_unit_of_money_changes_nothing(factor):
    market = rich(months=10, peace=1.0, expected_peace=6.0, rollout_months=6.0)
    changes = {}
    for key in MONEY:
        owner, _, name = key.rpartition(".")
        rows = {
            "": [key],
            "types": [f"{n}.{name}" for n in market.types],
            "vendors": [f"{n}.{name}" for n in market.vendors],
        }
        for each in rows[owner]:
            array, index = market.at(*market.addresses(each)[0])
            changes[each] = array[index] * factor
    other = market.with_(changes)
    a, b = simulate(market, range(3)), simulate(other, range(3))
    real = (
        "teams",
        "tokens_light",
        "tokens_flagship",
        "quality",
        "status",
        "load",
        "capacity",
        "data",
        "allowance",
    )
    money = (
        "price_light",
        "cost_flagship",
        "revenue",
        "income",
        "cash",
        "profit",
        "training_paid",
        "licences_paid",
    )
    exact = np.log2(factor) % 1.0 == 0.0
    for name in (*real, *money):
        x, y = a.vendor[name] * (factor if name in money else 1.0), b.vendor[name]
        close = np.array_equal(x, y) if exact else np.allclose(x, y, rtol=1e-7, atol=1e-7 * np.abs(x).max())
        assert close, name


def test_vendors_alike_are_exchangeable():
    market = replace(rich(months=12, peace=0.0), vendors=("v0", "v1", "v2", "v3"), eco=np.zeros((2, 4)))
    market = market.with_({"v1.efficiency": 1.0, "v2.cash": 1e8, "v2.reserve": 1e7})
    order = [2, 0, 1, 3]  # open weights stay where they are
    luck = market.luck([5])[0]
    a, b = begin(market, luck[0]), begin(market, luck[0][order])
    for draws in luck:
        a, x = step(market, a, None, draws)
        b, y = step(market, b, None, draws[order])
        for name in ("price_light", "price_flagship", "teams", "cash", "quality", "training_paid"):
            assert y.vendor[name] == pytest.approx(x.vendor[name][order], rel=1e-7, abs=1e-7), name


def test_vendors_alike_fare_alike_on_average():
    market = rich(months=12).with_({"v1.efficiency": 1.0, "v2.cash": 1e8, "v2.reserve": 1e7})
    market = replace(market, eco=np.zeros((2, 4)))
    run = simulate(market, range(60))
    for name in ("teams", "cash", "price_light"):
        end = run.vendor[name][:, -1, :3]
        gap = end - end.mean(axis=1, keepdims=True)
        error = gap.std(axis=0, ddof=1) / np.sqrt(len(gap))
        assert (np.abs(gap.mean(axis=0)) < 4.0 * error).all(), name
        assert error.min() > 0.0


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    beta=st.floats(0.3, 4.0), theta=st.floats(0.0, 1.0), low=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0),
    cost=st.floats(0.3, 3.0), outside=st.floats(-6.0, 2.0),
)  # fmt: skip
def test_without_a_dynamic_motive_no_price_is_below_cost(beta, theta, low, more, cost, outside):
    market = made(
        months=10, review=400.0, outside=outside, **{
            "vendors.conduct": k.STATIC, "types.switching_cost": 0.0, "types.price_taste": beta,
            "types.light_share": theta, "types.review_low": low, "types.review_high": low + more,
            "v1.efficiency": cost,
        },
    )  # fmt: skip
    run = simulate(market)
    assert len(run.events[0]) > 0
    after = slice(1, None)
    for tier, used in (("light", theta > 1e-9), ("flagship", theta < 1.0)):
        if used:
            price, unit = run.vendor[f"price_{tier}"][0, after], run.vendor[f"cost_{tier}"][0, after]
            assert (price >= unit * (1.0 - 1e-4)).all()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(invest=st.floats(0.0, 0.6), beta=st.floats(0.8, 2.0), rate=st.floats(0.25, 0.6))
def test_with_nothing_to_win_for_later_there_is_no_harvest(invest, beta, rate):
    """No switching cost, one rate of review, no growth, data or exit: the late markup is the middle one.

    Teams look round at least every four months: slower attention is itself a cost of leaving, and a base that
    hardly looks is bled.
    """
    market = made(
        vendors=3, months=36, review=400.0, **{
            "types.switching_cost": 0.0, "types.review_low": rate, "types.review_high": rate,
            "types.potential": 0.0, "types.price_taste": beta, "vendors.invest": invest, "outside": -8.0,
            "progress": 0.05, "reference_lag": 2.0,
        },
    )  # fmt: skip
    run = simulate(market)
    markup = run.vendor["price_flagship"][0] / run.vendor["cost_flagship"][0]
    assert markup[-6:].mean(axis=0) == pytest.approx(markup[15:21].mean(axis=0), rel=1e-2)


def test_halving_the_step_changes_little():
    """Largest difference of teams and revenue by vendor and month, over the largest; terms held still."""
    market = rich(months=18, run_step=0.0, **{"vendors.conduct": k.SCRIPTED, "v2.cash": 1e8})
    runs = {n: simulate(replace(market, per_month=n)) for n in (2, 4, 8, 16)}

    def error(n, name):
        a, b = runs[n].vendor[name][0], runs[2 * n].vendor[name][0]
        return np.abs(a - b).max() / np.abs(b).max()

    for name, bound in (("teams", 0.02), ("revenue", 0.02)):
        assert error(4, name) < bound
        # of first order: halving the step about halves the error
        assert error(8, name) < 0.7 * error(4, name) < 0.7**2 * error(2, name) + 1e-12


def test_a_market_that_everybody_leaves_has_a_stated_end():
    market = rich(months=10, **{"vendors.cash": 0.0, "vendors.reserve": 0.0, "fleet_minimum": 5000.0,
    "v3.enters": 1e5,
                                "vendors.price_light": 0.0, "vendors.price_flagship": 0.01,
                                "vendors.income_per_team": 0.0,
                                "vendors.conduct": k.SCRIPTED, "absorb": 0.0})  # fmt: skip
    verdicts = []
    for before, after, o in walk(market):
        verdicts.append(after.verdict)
        for group in (o.vendor, o.type, o.world):
            for name, value in group.items():
                assert np.isfinite(value).all(), name
        assert (
            after.teams.sum(axis=(1, 2)) + after.pool <= (before.teams.sum(axis=(1, 2)) + before.pool) * 1.1
        ).all()
    assert verdicts[-1] == "no vendor left"
    assert after.active == ()
    assert after.teams.sum() == 0.0
    assert o.vendor["revenue"].sum() == 0.0


FREE = [("market", n) for n in fields.MARKET if n not in ("merge_into", "merge_from", "opener")]
FREE += [("type", n) for n in fields.TYPE if n not in ("segment", "vertical")]
FREE += [("vendor", n) for n in fields.VENDOR if n not in ("specialist",)]
TABLES = {"market": fields.MARKET, "type": fields.TYPE, "vendor": fields.VENDOR}


@st.composite
def extremes(draw):
    """A few parameters at or between their bounds, the others as in the rich market."""
    out = {}
    for kind, name in draw(st.lists(st.sampled_from(FREE), min_size=1, max_size=6, unique=True)):
        field = TABLES[kind][name]
        value = draw(st.sampled_from([field.low, field.high, 0.5 * (field.low + field.high)]))
        if name == "conduct":
            value = draw(st.sampled_from([k.SCRIPTED, k.STATIC, k.INVEST, k.RULE, k.FRINGE]))
        owner = {"market": [name], "type": [f"t{draw(st.integers(0, 1))}.{name}"],
                 "vendor": [f"v{draw(st.integers(0, 3))}.{name}"]}[kind]  # fmt: skip
        out[owner[0]] = value
    return out


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(extremes())
def test_parameters_at_their_bounds_never_give_what_is_no_number(changes):
    market = replace(rich(months=4), per_month=2).with_(changes)
    try:
        run = simulate(market)
    except ConfigurationError:
        return  # refused in words
    for group in (run.vendor, run.type, run.world):
        for name, values in group.items():
            assert np.isfinite(values).all(), (name, changes)
