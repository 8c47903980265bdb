"""Which offers are planned with, and how far the free ones can be relied on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from advice_world import OFFERS, START, catalogue, futures, log, team
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.advice.reliance import reliance
from pricewar.advice.shortlist import UNKNOWN, Shortlist, shortlist
from pricewar.errors import ConfigurationError, DataError
from pricewar.futures import ENDED, certain


def short(*, extra: str = "", most: int = 6, named: tuple[str, ...] = (), names: object = None) -> Shortlist:
    known = catalogue()
    chosen = [known.offer(id) for id in (names or OFFERS)]  # type: ignore[attr-defined]
    return shortlist(log(), known, chosen, team(extra), None, START, most=most, named=named)


def test_nobody_leaves_in_silence() -> None:
    found = short()
    ids = [o.id for o in found.offers]
    out = [e.offer for e in found.excluded]
    assert sorted([*ids, *out, *found.dearer]) == sorted(OFFERS)
    assert sum(found.causes.values()) == len(out) + len(found.dearer)
    assert found.considered == len(OFFERS)


def test_of_a_group_the_cheapest_of_each_vendor_is_taken() -> None:
    found = short()
    lists = [o.id for o in found.offers if o.latest.kind == "list" and o.latest.light]
    # What the log was made with, then a third of six: 0.5 and 2 USD a million are the least.
    assert lists == ["ant/one", "yak/two", "zho/three"]
    assert {"bee/one", "cow/one"} <= set(found.dearer)


def test_what_is_named_is_taken_whatever_it_costs() -> None:
    assert "cow/one" not in {o.id for o in short().offers}
    assert "cow/one" in {o.id for o in short(named=("cow/one",)).offers}


def test_an_unknown_model_is_not_proposed_unless_it_is_named() -> None:
    bar = "quality: {margin: 0.05}"
    found = short(extra=bar)
    assert {e.offer for e in found.excluded if e.why == UNKNOWN} == {"yak/two", "zho/three"}
    assert "yak/two" in {o.id for o in short(extra=bar, named=("yak/two",)).offers}


def test_must_haves_come_first_and_nothing_left_is_an_error() -> None:
    found = short(extra="must_have: {no_training: true}")
    assert {e.offer: e.why for e in found.excluded}["lark/train"] == "the vendor trains on what is sent"
    assert {e.offer: e.why for e in short().excluded}["rat/trial"].endswith("not commercial use")
    assert "rat/trial" not in {e.offer for e in short(extra="must_have: {commercial: false}").excluded}
    with pytest.raises(DataError, match="no offer can serve") as error:
        short(extra="must_have: {no_training: true}", names=["lark/train"])
    assert error.value.remedy


def test_without_change_everything_can_be_relied_on() -> None:
    (row,) = reliance(certain(["dog/free"], START, 12, draws=50), ["dog/free"], date(2027, 6, 1))
    assert (row.stands.share, row.as_now.share, row.gone, row.end) == (1, 1, 0, None)


def test_chances_are_counts_of_futures() -> None:
    known = certain(["dog/free"], START, 12, draws=100)
    status, limit = known.status.copy(), known.limit.copy()
    status[:30, 5:] = ENDED  # ended in 30 of 100 futures from month 5 (April 2027) on, in 60 from month 8 on
    status[30:60, 8:] = ENDED
    limit[90:, 2:4] = 0.5  # cut in ten others for two months
    changed = replace(known, status=status, limit=limit, sibling=("ant/one",))
    (row,) = reliance(changed, ["dog/free"], date(2027, 3, 20))
    assert (row.stands.share, row.as_now.share) == (1, 0.9)
    (row,) = reliance(changed, ["dog/free"], date(2027, 4, 20))
    assert (row.stands.share, row.as_now.share, row.gone) == (0.7, 0.6, 0.6)
    assert (row.end, row.then) == (date(2027, 7, 1), "ant/one")
    assert row.stands.low < 0.7 < row.stands.high


@given(st.integers(0, 2**31), st.integers(1, 330))
@settings(max_examples=25, deadline=None)
def test_reliance_only_falls(seed: int, days: int) -> None:
    known = futures(["dog/free", "gnu/gift"], 12, 30, seed)
    early, late = (
        {r.offer: r for r in reliance(known, known.offers, date.fromordinal(START.toordinal() + d))}
        for d in (days, days + 30)
    )
    for offer in known.offers:
        assert late[offer].stands.share <= early[offer].stands.share
        assert late[offer].as_now.share <= early[offer].as_now.share <= early[offer].stands.share
        assert np.isclose(late[offer].gone, early[offer].gone)


@pytest.mark.parametrize("day", [START, date(2028, 1, 1)])
def test_a_day_outside_the_futures(day: date) -> None:
    with pytest.raises(ConfigurationError, match="not within"):
        reliance(certain(["dog/free"], START, 12), ["dog/free"], day)
