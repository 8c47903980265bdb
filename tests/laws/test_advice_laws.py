"""Laws of advice, on futures in which prices jump, free terms end and models are retired."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from advice_world import OFFERS, START, advise, catalogue, futures, log, team
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.advice import rules
from pricewar.advice import workload as room
from pricewar.advice.case import Case
from pricewar.advice.findings import ACCOUNTED, explained
from pricewar.advice.strategies import Policy, money
from pricewar.advice.surfaces import Response, Terms, surface
from pricewar.advice.workload import workload
from pricewar.billing.desk import compare
from pricewar.errors import DataError
from pricewar.futures import certain
from pricewar.usage.log import Log

LISTS = ["ant/one", "bee/one", "cat/one", "ant/pro"]
MIXED = [*LISTS, "dog/free", "hen/daily", "gnu/gift"]
FREELY = (
    "switching: {adapter: 0, prompts: 0, evaluation: 0, approval: 0}\n"
    "portability: {setup: 0, upkeep: 0}\nsecond_vendor: 0"
)
KEYS = ("stay", "flagship", "free", "trigger", "several", "optimal", "portable")


def case_of(names: list[str], extra: str = "", *, draws: int = 120, seed: int = 1, months: int = 12) -> Case:
    wanted = team(extra, months)
    what = futures(names, months, draws, seed)
    return Case.of(log(), catalogue(), names, wanted, what, None, lambda _: None)


def test_without_switching_costs_many_offers_lock_in_no_more_than_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plan once left cheap offers out of those it considered, and called the difference lock-in."""
    monkeypatch.setattr(rules, "MODES", 2)
    found = advise(
        [*LISTS, "dog/free", "yak/two"], team(FREELY), futures([*LISTS, "dog/free", "yak/two"], 12, 120, 1)
    )
    assert found.lock_in.amount.mean == found.lock_in.amount.p95 == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_without_switching_costs_there_is_no_lock_in_and_the_cheapest_is_right(seed: int) -> None:
    names = [
        *LISTS,
        "dog/free",
        "hen/daily",
    ]  # no gift, pack or commitment: nothing ties one month to another
    found = advise(names, team(FREELY + "\nseveral_vendors: false"), futures(names, 12, 120, seed))
    assert found.lock_in.amount.mean == found.lock_in.amount.p95 == 0
    case = case_of(names, FREELY, seed=seed)
    train, fresh = case.world(case.fit), case.world(case.judge)
    ours, cheapest = Policy.fit(train).path(fresh), fresh.cheapest()
    np.testing.assert_array_equal(money(fresh.account(ours)), money(fresh.account(cheapest)))
    np.testing.assert_allclose(money(fresh.account(fresh.clairvoyant())), money(fresh.account(ours)))
    assert found.portability is not None
    assert found.portability.amount.mean == found.portability.amount.p95 == 0
    costs = {k: found.outcome(k).cost.mean for k in KEYS if k != "several"}
    assert costs[found.recommended] <= min(costs.values()) * 1.01
    assert (
        found.outcome("optimal").cost == found.outcome("cheapest").cost == found.outcome("frictionless").cost
    )


def test_nobody_beats_the_clairvoyant_and_few_the_optimal_plan() -> None:
    case = case_of(MIXED, "engineer_day: 1")
    train, fresh = case.world(case.fit), case.world(case.judge)
    known = money(fresh.account(fresh.clairvoyant()))
    policy = Policy.fit(train)
    optimal = money(fresh.account(policy.path(fresh)))
    assert (known <= optimal + 1e-9).all()
    for o in range(len(case.names)):
        for kind, payback in ((0, 0.0), (2, 2.0), (2, 12.0), (3, 0.0)):
            cost = money(fresh.account(fresh.rule(kind, o, payback=payback)))
            assert (known <= cost + 1e-9).all()
            more = optimal - cost
            assert more.mean() <= 2.6 * more.std() / len(more) ** 0.5 + 1e-9


@pytest.mark.parametrize("day", [0, 1, 10])
def test_more_options_never_cost_more(day: int) -> None:
    costs = []
    what = futures(MIXED, 12, 100, 5)
    for n in (1, 3, len(MIXED)):
        found = advise(MIXED[:n], team(f"engineer_day: {day}"), what)
        costs.append(found.outcome("optimal").cost)
    for fewer, more in pairwise(costs):
        error = ((fewer.high - fewer.low) ** 2 + (more.high - more.low) ** 2) ** 0.5 / 2
        assert more.mean <= fewer.mean + error


def test_full_portability_is_no_switching_cost() -> None:
    saves = "{adapter: 1, prompts: 1, evaluation: 1, approval: 1, data_migration: 1}"
    case = case_of(MIXED, f"portability: {{setup: 0, upkeep: 0, saves: {saves}}}")
    portable = case.world(case.judge, portable=True).costs
    free = case_of(MIXED, FREELY).costs
    np.testing.assert_array_equal(portable.leave, free.leave)
    np.testing.assert_array_equal(portable.within, free.within)
    np.testing.assert_array_equal(portable.join, free.join)


def test_currency_is_only_a_unit() -> None:
    names = ["ant/one", "cow/one", "dog/free", "hen/daily"]
    what = futures(names, 12, 60, 4)
    dollars = advise(names, team("refused: 0.01\nrevenue: 10"), what)
    yuan = advise(names, team("currency: CNY\nengineer_day: 70\nrefused: 0.07\nrevenue: 70"), what)
    assert dollars.recommended == yuan.recommended
    assert dollars.plan.begin == yuan.plan.begin
    for ours, theirs in zip(dollars.outcomes, yuan.outcomes, strict=True):
        assert ours.settings == theirs.settings
        assert theirs.cost.mean == pytest.approx(7 * ours.cost.mean)
        assert theirs.break_even == ours.break_even
    # what is not said in yuan is taken at the rate of the day
    plain = team("currency: CNY", base="growth: {uncertainty: 0}\nquality: {margin: none}\n")
    assert advise(["ant/one"], plain).outcome("stay").parts["switching"] == pytest.approx(7 * 8 * 800)


def test_money_has_no_scale() -> None:
    names = ["ant/one", "bee/one", "dog/free", "hen/daily"]
    what = futures(names, 12, 60, 6)
    small = advise(names, team("refused: 0.01"), what)
    large = advise(names, team("refused: 10\nengineer_day: 10_000"), what, catalogue=catalogue("e3"))
    for ours, theirs in zip(small.outcomes, large.outcomes, strict=True):
        assert theirs.cost.mean == pytest.approx(1000 * ours.cost.mean)
        assert theirs.settings == ours.settings


def test_draws_do_not_depend_on_how_many() -> None:
    extra = "growth: {monthly: 0.03, uncertainty: 0.02}\necosystem: {ant: {gain: [0, 9], loss: 5}}"
    few, many = case_of(MIXED, extra, draws=40), case_of(MIXED, extra, draws=80)
    np.testing.assert_array_equal(few.fit.load, many.fit.load[:20])
    np.testing.assert_array_equal(few.fit.luck, many.fit.luck[:20])
    again = case_of(MIXED, extra, draws=40)
    np.testing.assert_array_equal(again.judge.load, few.judge.load)


def test_the_account_adds_up_in_any_future() -> None:
    found = advise(MIXED, team("growth: {monthly: 0.05, uncertainty: 0.02}"), futures(MIXED, 12, 60, 3))
    for account in found.accounts:
        assert account.base + sum(c.amount for c in account.causes) == pytest.approx(account.total)
        assert [abs(c.amount) for c in account.causes] == sorted(
            (abs(c.amount) for c in account.causes), reverse=True
        )


def test_the_account_says_over_how_many_futures_it_is_the_mean() -> None:
    """Fewer than judge, where many do: its sum is then not the mean cost told above it."""
    many = case_of(MIXED, "growth: {monthly: 0.03, uncertainty: 0.02}", draws=2 * ACCOUNTED + 20)
    assert many.judge.draws > ACCOUNTED
    kept = rules.stay(many, many.world(many.fit), 0)
    account = explained(many, kept)
    assert account.futures == ACCOUNTED
    part = many.judge.first(ACCOUNTED)
    assert account.total == pytest.approx(money(kept.account(many, part, frozenset(), None)).mean())


def test_all_of_it_is_json() -> None:
    found = advise(MIXED, team("revenue: 10", months=6), futures(MIXED, 6, 40, 2))
    text = json.dumps(found.document(), allow_nan=False)
    assert {"plan", "outcomes", "candidates", "lock_in", "accounts"} <= set(json.loads(text))
    assert found.months == 6
    shares = np.array(list(found.plan.occupancy.values())).sum(axis=0)
    np.testing.assert_allclose(shares, 2 if found.recommended == "several" else 1)


def test_today_is_the_bill() -> None:
    names = [n for n in OFFERS if n not in ("eel/free", "ibis/min", "jay/term")]  # charges by the month
    found = advise(names, team())
    bills = {
        e.offer.id: e for e in compare(log(), catalogue(), [catalogue().offer(n) for n in names]).entries
    }
    for c in found.candidates:
        entry = bills[c.offer]
        assert c.today == pytest.approx(float(entry.own.mid or 0) * found.workload["requests_a_month"] / 1400)
        assert c.served == pytest.approx(float(entry.served.mid or 0))
        assert sum(c.parts.values()) == pytest.approx(c.staying.mean)
        assert c.by_month["mean"][-1] == pytest.approx(c.staying.mean)


# --- surfaces ---------------------------------------------------------------------------------------------

BUSY = (30, 80, 10, 55, 120, 5, 60)


def busy_log(times: int = 1) -> Log:
    """Uneven days; each request `times` over."""
    plain = log(busy=BUSY)
    if times == 1:
        return plain
    table = pl.concat([plain.frame()] * times).sort("time", maintain_order=True)
    return replace_log(plain, table)


def replace_log(plain: Log, table: pl.DataFrame) -> Log:
    return Log("made up", ("here",), len(table), len(table), span=plain.span, _held=table)


@pytest.mark.parametrize("name", ["dog/free", "fox/free", "hen/daily", "kea/minute"])
@pytest.mark.parametrize("times", [1, 2, 3, 5])
def test_a_surface_is_the_bill_of_so_many_times_the_work(name: str, times: int) -> None:
    offer = catalogue().offer(name)
    work = workload(busy_log(), catalogue(), [offer], START)
    found = surface(work, name, (1.0, 6.0), Terms())
    real = compare(busy_log(times), catalogue(), [offer]).entries[0]
    load = times
    if len(found.limits) > 1:
        pay = float(np.interp(1 / load, found.limits, found.pay[0, 0])) * load
        share = float(np.interp(1 / load, found.limits, found.refused[0, 0]))
    else:
        pay = float(np.interp(1 / load, found.allowances, found.pay[0, :, 0])) * load
        share = float(np.interp(1 / load, found.allowances, found.refused[0, :, 0]))
    # 5 lies between 4 and 6; copies of a request share the edge of an allowance as one
    exact = times == 1 or (times < 5 and name != "hen/daily")
    assert pay == pytest.approx(float(real.bill.total) * work.factor, rel=1e-9 if exact else 0.02)
    assert share == pytest.approx(1 - float(real.served.mid or 0), abs=1e-9 if exact else 0.02)


@pytest.fixture(scope="module")
def near() -> Response:
    work = workload(busy_log(), catalogue(), [catalogue().offer("dog/free")], START)
    return surface(work, "dog/free", (0.2, 10), Terms(limit=(0.1, 1)))


@pytest.fixture(scope="module")
def far() -> Response:
    work = workload(busy_log(), catalogue(), [catalogue().offer("dog/free")], START)
    return surface(work, "dog/free", (100, 1000), Terms())


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(3, 30), tighter=st.floats(0.1, 0.9), load=st.floats(0.5, 8))
def test_a_tighter_limit_never_serves_more(
    limit: int, tighter: float, load: float, near: Response, far: Response
) -> None:
    found = near
    at = np.interp([limit / 30 / load, limit / 30 * tighter / load], found.limits, found.refused[0, 0])
    assert at[1] >= at[0] - 1e-12
    assert (np.diff(found.refused[0, 0]) <= 1e-12).all()
    assert float(np.interp(1 / 1000, far.limits, far.refused[0, 0])) > 0.999


def test_compression_is_measured_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    # more rows than are billed again and again: the log is merged or cut to whole days
    monkeypatch.setattr(room, "ROWS", 400)
    for name in ("dog/free", "fox/free", "hen/daily", "kea/minute"):
        work = workload(busy_log(), catalogue(), [catalogue().offer(name)], START)
        found = surface(work, name, (1, 4), Terms())
        assert 0 < found.rows < 1440
        assert max(found.merged) < 0.05


def test_days_and_months() -> None:
    offers = [catalogue().offer("ant/one")]
    whole = workload(log(28), catalogue(), offers, START)
    assert whole.days == 28
    assert whole.requests == pytest.approx(50 * 365.25 / 12)
    assert whole.spread == 0
    assert not whole.short
    # a last day that holds half of what days hold counts as half a day
    table = log(28).frame()
    half = replace_log(log(28), table[:-25])
    half.span = (table["time"][0], table["time"][-26])
    found = workload(half, catalogue(), offers, START)
    assert found.days == 27.5
    assert found.requests == pytest.approx(whole.requests)


def test_one_application_of_several() -> None:
    two = pl.concat([log(daily=50).frame(), log(daily=20, model="m-two").frame()]).sort("time")
    both = replace_log(log(), two)
    one = advise(["ant/one"], team(), log=both, only=["m-one"]).outcome("stay")
    assert one.cost == advise(["ant/one"], team()).outcome("stay").cost
    whole = advise(["ant/one"], team(), log=both).outcome("stay")
    assert whole.parts["use"] == pytest.approx(1.4 * one.parts["use"])
    with pytest.raises(DataError, match="no model like m-three"):
        advise(["ant/one"], team(), log=both, only=["m-three"])


def test_uncertain_volume_widens_the_outcome() -> None:
    names = ["ant/one", "bee/one"]
    what = certain(names, START, 12, draws=200)
    sure = advise(names, team(), what).outcome("stay").cost
    short = advise(names, team(), what, log=log(5)).outcome("stay").cost
    assert sure.p95 - sure.p5 == pytest.approx(0)
    assert short.p95 - short.p5 > 0.2 * (sure.mean - 80)


# --- against an exact solution ----------------------------------------------------------------------------


def exact_value(months: int, hazard: float, factor: float, day: float) -> float:
    """Least mean cost where bee/one's price is multiplied once, with the hazard a month, and ant/one's stays.

    Backward induction over (month, jumped, offer, months of use): the arithmetic of `team` written out.
    """
    bee, ant = 0.8 * 4.565625, 4.565625
    Value = dict[tuple[bool, int, int], float]

    def leave(used: int) -> float:
        return day * (7 * min(1 + 0.05 * used, 3) + 1)

    def later(value: Value, jumped: bool, o: int, used: int) -> float:
        if not value:
            return 0.0
        if jumped:
            return value[True, o, used]
        return hazard * value[True, o, used] + (1 - hazard) * value[False, o, used]

    value: Value = {}
    for m in range(months - 1, 0, -1):
        now: Value = {}
        for jumped in (False, True):
            costs = (bee * (factor if jumped else 1), ant)
            for o in (0, 1):
                for used in range(1, m + 1):
                    stay = costs[o] + later(value, jumped, o, used + 1)
                    move = costs[1 - o] + leave(used) + later(value, jumped, 1 - o, 1)
                    now[jumped, o, used] = min(stay, move)
        value = now
    return day * 8 + min(bee + later(value, False, 0, 1), ant + later(value, False, 1, 1))


@pytest.mark.parametrize("day", [0.3, 1.0])
def test_the_optimal_plan_reaches_the_exact_value(day: float) -> None:
    months, hazard, factor, draws = 12, 0.08, 3.0, 1600
    names = ["bee/one", "ant/one"]
    rng = np.random.default_rng(8)
    jumps = rng.random((draws, months)) < hazard
    jumps[:, 0] = False
    price = np.ones((draws, months, 2))
    price[:, :, 0] = np.where(jumps.cumsum(axis=1) > 0, factor, 1.0)
    found = advise(
        names, team(f"engineer_day: {day}"), replace(certain(names, START, months, draws), price=price)
    )
    cost = found.outcome("optimal").cost
    exact = exact_value(months, hazard, factor, day)
    error = (cost.high - cost.low) / 2
    assert abs(cost.mean - exact) < 1.5 * error
    assert error < 0.03 * exact
