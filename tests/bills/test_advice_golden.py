"""Advice where nothing is uncertain: arithmetic, written out.

The log has 28 days of 50 requests, each of 1,000 tokens in and 500 out. A month is 365.25/12 = 30.4375 days,
so 1,521.875 requests. At ant/one's 1 and 4 USD for a million they cost 1,521.875 × 0.003 = 4.565625 USD. A
day of an engineer costs 10 USD; joining takes 2 + 3 + 2 + 1 = 8 days, 80 USD.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "laws"))

from advice_world import START, advise, catalogue, log, team

from pricewar.advice.case import Case
from pricewar.futures import Futures, certain

MONTH = 4.565625


def one(names: list[str], months: int = 12, **changes: list[float]) -> Futures:
    """A single future of `names`; each change is the path of a factor of the first of them."""
    found = certain(names, START, months)
    arrays = {}
    for name, path in changes.items():
        if name != "sibling":
            array = getattr(found, name).copy()
            array[0, :, 0] = path
            arrays[name] = array
    return replace(found, **arrays, sibling=(*changes.get("sibling", [None]), *found.sibling[1:]))


def test_a_year_of_one_list_price() -> None:
    # 12 × 4.565625 = 54.7875, and 80 to join
    found = advise(["ant/one"], team()).outcome("stay")
    assert found.cost.mean == pytest.approx(54.7875 + 80)
    assert found.parts == pytest.approx({"use": 54.7875, "refused": 0, "switching": 80, "ecosystem": 0})
    assert found.by_month["mean"][0] == pytest.approx(80 + MONTH)


def test_discounting_is_by_the_month() -> None:
    # 21% a year is 1.21^(1/12) a month; the first month and joining count in full
    beta = 1.21 ** (-1 / 12)
    found = advise(["ant/one"], team("discount: 0.21", months=24)).outcome("stay")
    assert found.cost.mean == pytest.approx(80 + MONTH * (1 - beta**24) / (1 - beta))
    assert beta**12 == pytest.approx(1 / 1.21)


def test_growth_compounds_from_the_second_month() -> None:
    # 4.565625 × (1 + 1.1 + 1.21) = 15.11221875
    found = advise(["ant/one"], team("growth: {monthly: 0.1, uncertainty: 0}", months=3)).outcome("stay")
    assert found.parts["use"] == pytest.approx(15.11221875)


def test_what_a_free_offer_refuses_is_served_as_logged() -> None:
    # 40 of 50 a day are served: 304.375 a month are not; the price of m-one as logged is ant/one's:
    # 304.375 × 0.003 = 0.913125 a month; ant's interface is kept beside it: half a day a month, 5, and 80
    # once
    found = advise(["dog/free", "ant/one"], team()).candidates[0]
    assert (found.today, found.refused, found.served) == pytest.approx((0, 0.913125, 0.8))
    assert found.staying.mean == pytest.approx(12 * 5.913125 + 160)
    # a team that uses it already has both
    found = advise(["dog/free", "ant/one"], team("present: {offer: dog/free}")).outcome("stay")
    assert found.cost.mean == pytest.approx(12 * 5.913125)
    # told that a refused request costs 0.05: 15.21875 a month
    found = advise(["dog/free"], team("refused: 0.05")).outcome("stay")
    assert found.parts["refused"] == pytest.approx(12 * 15.21875)
    assert found.unserved == pytest.approx(0.2)


def test_growth_meets_a_limit() -> None:
    # twice the requests a day, 100, meet the same 40: 60% refused, 1,826.25 requests × 0.05 = 91.3125
    found = advise(["dog/free"], team("refused: 0.05\ngrowth: {monthly: 1, uncertainty: 0}", months=2))
    assert found.outcome("stay").parts["refused"] == pytest.approx(15.21875 + 91.3125)


def test_free_terms_end() -> None:
    # two integrations; three months free (5.913125 for what is refused), then nine on ant/one at
    # 1.2 × 4.565625 = 5.47875
    what = one(
        ["dog/free", "ant/one"], status=[0] * 3 + [1] * 9, price=[1] * 3 + [1.2] * 9, sibling=["ant/one"]
    )
    found = advise(["dog/free", "ant/one"], team(), what)
    assert found.candidates[0].staying.mean == pytest.approx(160 + 3 * 5.913125 + 9 * 5.47875)
    # leaving for ant/one itself in month 4 costs 1.15 × 70 + 10 = 90.5, in month 2 1.05 × 70 + 10 = 83.5:
    # earlier is better, since ant/one costs less than keeping it beside dog/free; staying is cheaper still
    free = found.outcome("free")
    assert free.settings["leave_in_month"] == 1
    assert free.cost.mean == pytest.approx(160 + 5.913125 + 11 * MONTH + 83.5)


def test_a_retired_model_is_followed_by_a_successor() -> None:
    # six months, then a successor at 1.5 times the price; prompts and evaluation again after six months of
    # use: (1 + 6 × 0.05) × 5 days × 10 = 65
    what = one(["ant/one"], status=[0] * 6 + [2] * 6, successor=[1] * 6 + [1.5] * 6)
    found = advise(["ant/one"], team(), what).outcome("stay")
    assert found.cost.mean == pytest.approx(80 + 6 * MONTH + 65 + 6 * 1.5 * MONTH)


def test_a_gift_lasts_until_it_is_used() -> None:
    # 5 M tokens of the 2,282,812.5 a month: two months whole, 434,375 in the third (19.03%), then paid
    found = advise(["gnu/gift"], team(months=4)).outcome("stay")
    left = 5_000_000 - 2 * 2_282_812.5
    assert found.parts["use"] == pytest.approx(MONTH * (1 - left / 2_282_812.5) + MONTH)


def test_a_gift_is_given_once_and_only_at_the_start() -> None:
    # ant/one in use for 4 months, gnu/gift at any time: going at once costs 1.2 × 70 + 10 = 94 and leaves two
    # months and 19.03% of the third free; a month later 1.25 × 70 + 10 = 97.5, and nothing is given
    names = ["ant/one", "gnu/gift"]
    given = team("present: {offer: ant/one, months: 4}", months=3)
    case = Case.of(log(), catalogue(), names, given, one(names, 3), None, lambda _: None)
    world = case.world(case.judge)
    third = MONTH * (1 - (5_000_000 - 2 * 2_282_812.5) / 2_282_812.5)
    assert world.total(np.array([[1, 1, 1]])) == pytest.approx(94 + third)
    assert world.total(np.array([[0, 1, 1]])) == pytest.approx(MONTH + 97.5 + 2 * MONTH)
    assert world.total(np.array([[1, 0, 1]])) == pytest.approx(94 + 0 + 83.5 + MONTH + 83.5 + MONTH)
    assert advise(names, given, one(names, 3, price=[100] * 3)).outcome("optimal").cost.mean == pytest.approx(
        94 + third
    )


def test_a_daily_allowance_covers_the_first_requests() -> None:
    # 30,000 tokens a day are 20 of 50 requests: 60% of 4.565625 is paid
    assert advise(["hen/daily"], team()).candidates[0].today == pytest.approx(0.6 * MONTH)


def test_minimum_and_fixed_charges() -> None:
    # 4.565625 is under the minimum of 6; 2 on top
    assert advise(["ibis/min"], team()).outcome("stay").parts["use"] == pytest.approx(12 * 8)


def test_a_commitment_is_owed_when_one_leaves() -> None:
    # bee/one (3.6525 a month) becomes free to have; jay/term costs 5 a month for 12 months
    what = one(["jay/term", "bee/one"])
    found = advise(["jay/term", "bee/one"], team("present: {offer: jay/term, months: 3}"), what)
    # leaving now: 9 months × 5 owed, and (1 + 3 × 0.05) × 70 + 10 = 90.5
    assert found.plan.rises[0].leaving == pytest.approx(45 + 90.5)
    assert found.outcome("optimal").cost.mean == pytest.approx(12 * 5)


def test_the_optimal_plan_under_certainty_is_the_best_schedule() -> None:
    # bee/one costs 3.6525 a month but triples from month 6 (10.9575); ant/one 4.565625 throughout.
    # stay with bee: 80 + 6 × 3.6525 + 6 × 10.9575 = 167.66; ant: 80 + 12 × 4.565625 = 134.7875;
    # bee, then ant in month 6: 80 + 21.915 + (1.3 × 70 + 10) + 27.39375 = 230.30875
    what = one(["bee/one", "ant/one"], price=[1] * 6 + [3] * 6)
    found = advise(["bee/one", "ant/one"], team(), what)
    assert found.outcome("optimal").cost.mean == pytest.approx(134.7875)
    assert found.plan.begin == "ant/one"
    # with a day at 0.1: bee then ant: 0.8 + 21.915 + 1.01 + 27.39375 = 51.11875 beats 0.8 + 54.7875
    found = advise(["bee/one", "ant/one"], team("engineer_day: 0.1"), what)
    assert found.outcome("optimal").cost.mean == pytest.approx(51.11875)
    assert found.outcome("clairvoyant").cost.mean == pytest.approx(51.11875)
    # lock-in: if leaving were free, 0.8 + 21.915 + 27.39375
    assert found.lock_in.amount.mean == pytest.approx(1.01)
    assert found.cheapest_today == "bee/one"
    assert found.dearest.share == 1


def test_two_vendors_side_by_side() -> None:
    # dog/free serves 40 of 50, ant/one the rest: 0.913125 a month; two integrations, 160; half a day a
    # month, 5
    found = advise(["dog/free", "ant/one"], team()).outcome("several")
    assert found.offers == ("dog/free", "ant/one")
    assert found.cost.mean == pytest.approx(160 + 12 * (0.913125 + 5))
    assert found.unserved == 0


def test_portability_saves_what_it_says() -> None:
    # set-up 4 days and a quarter of a day a month, 40 + 12 × 2.5; joining itself: adapter 0.1 × 2, prompts
    # 0.7 × 3, evaluation 0.4 × 2, approval 1: 4.1 days, 41
    found = advise(["ant/one"], team()).outcome("portable")
    assert found.cost.mean == pytest.approx(54.7875 + 40 + 30 + 41)


def test_return_and_break_even() -> None:
    # 10 per 1,000 requests is 15.21875 a month, against 80 at once and 4.565625 a month: after 8 months
    # 121.75 against 116.525, after 7 months 106.53 against 111.96
    found = advise(["ant/one"], team("revenue: 10")).outcome("stay")
    assert found.break_even == 8
    assert found.roi is not None
    assert found.roi.mean == pytest.approx(12 * 15.21875 / 134.7875 - 1)


def test_an_ecosystem_gives_on_staying_and_takes_on_leaving() -> None:
    # ant's gain is 4 a month in the middle of 2 to 6; leaving it loses 500
    extra = "ecosystem: {ant: {gain: [2, 6], loss: 500}}\npresent: {offer: ant/one, months: 1}"
    found = advise(["ant/one", "bee/one"], team(extra))
    assert found.outcome("stay").cost.mean == pytest.approx(54.7875 - 48)
    assert found.plan.rises[0].leaving == pytest.approx(1.05 * 70 + 10 + 500)


def test_the_rise_from_which_leaving_pays() -> None:
    # staying with ant/one: 54.7875 over 12 months. bee/one: 43.83, and 1.05 × 70 + 10 = 83.5 to move after
    # a month of use. The rise: (43.83 + 83.5 − 54.7875) / 12 = 6.0451 a month, 132.4% of 4.565625
    found = advise(["ant/one", "bee/one"], team("present: {offer: ant/one, months: 1}"))
    first = found.plan.rises[0]
    assert first.to == "bee/one"
    assert first.monthly == pytest.approx((43.83 + 83.5 - 54.7875) / 12)
    assert first.share == pytest.approx((43.83 + 83.5 - 54.7875) / 54.7875)


ONE_VENDOR = "growth: {monthly: 0.1, uncertainty: 0}\nsecond_vendor: 0"


def test_what_serves_the_refused_follows_its_own_future() -> None:
    # ant/one, which serves the refused fifth, costs twice as much from month 4 on, and is retired in month 7:
    # its successor costs 5 times as much. 3 × 0.913125 + 3 × 1.82625 + 6 × 4.565625
    what = one(["dog/free", "ant/one"])
    price, status, successor = (getattr(what, n).copy() for n in ("price", "status", "successor"))
    price[:, 3:, 1], status[:, 6:, 1], successor[:, 6:, 1] = 2, 2, 5
    what = replace(what, price=price, status=status, successor=successor)
    found = advise(["dog/free", "ant/one"], team("second_vendor: 0"), what).candidates[0]
    assert found.parts["refused"] == pytest.approx(3 * 0.913125 + 3 * 1.82625 + 6 * 4.565625)


def test_the_account_adds_up() -> None:
    # free for 6 months, then ant/one at twice its price; work grows by 10% a month
    what = one(
        ["dog/free", "ant/one"], status=[0] * 6 + [1] * 6, price=[1] * 6 + [2] * 6, sibling=["ant/one"]
    )
    found = advise(["dog/free", "ant/one"], team(ONE_VENDOR), what)
    account = found.accounts[0]
    assert account.base == 0
    assert account.base + sum(c.amount for c in account.causes) == pytest.approx(account.total)
    assert {c.key: c.amount for c in account.causes}["switching"] == pytest.approx(80)
    assert np.all([c.amount >= 0 for c in account.causes])
