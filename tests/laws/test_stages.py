"""Laws of the stage rule: what must not matter does not, and what is unknown is neither zero nor evidence."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.definitions import parse
from pricewar.errors import ConfigurationError, DataError, DefinitionError
from pricewar.market.dating import firmness, gap
from pricewar.market.records import Said, Source, War, tidy
from pricewar.market.stages import STAGES, Rule, Series, series_of, stages

FEW = settings(max_examples=40, deadline=None)
START = np.datetime64("2020-01", "M")
# Few levels, so that prices lie on thresholds often; a cost of 1 makes .9 exactly a tenth below it.
LEVELS = st.sampled_from([0.0, 0.3, 0.45, 0.5, 0.9, 0.95, 1.0, 1.1, 1.3, np.nan])
COSTS = st.sampled_from([1.0, 0.5, np.nan])


@st.composite
def markets(draw, prices=LEVELS, costs=COSTS, allowances=True):
    M, J, K = draw(st.integers(6, 24)), draw(st.integers(1, 4)), draw(st.integers(1, 2))
    steps = draw(st.lists(st.tuples(st.integers(0, M - 1), st.integers(0, J * K - 1), prices), max_size=12))
    first = draw(st.lists(prices, min_size=J * K, max_size=J * K))
    price = np.tile(np.array(first), (M, 1))
    for t, at, level in sorted(steps, key=lambda s: s[0]):
        price[t:, at] = level
    cost = np.array(draw(st.lists(costs, min_size=J * K, max_size=J * K)))
    active = np.ones((M, J))
    for j in range(J):
        active[: draw(st.integers(0, 3)), j] = 0
        active[M - draw(st.integers(0, 3)) :, j] = 0
    allowance = np.zeros((M, J))
    if allowances and draw(st.booleans()):
        allowance[draw(st.integers(0, M - 1)) :, 0] = draw(st.sampled_from([1.0, 4.0]))
    return Series(
        np.arange(START, START + M),
        tuple(f"v{j}" for j in range(J)),
        tuple(f"t{k}" for k in range(K)),
        price=price.reshape(M, J, K),
        cost=np.broadcast_to(cost.reshape(J, K), (M, J, K)),
        active=active,
        allowance=allowance,
        volume=np.tile(1.0 + np.arange(J), (M, 1)) if draw(st.booleans()) else None,
    )


def same(a, b) -> None:
    assert (a.market == b.market).all()
    assert (a.vendor == b.vendor).all()
    assert (a.below == b.below).all()


@FEW
@given(markets(), st.sampled_from([7.12, 1e-6, 1 / 3, 0.1, 1e9]))
def test_a_change_of_currency_changes_nothing(series, rate):
    same(stages(series), stages(replace(series, price=series.price * rate, cost=series.cost * rate)))


@FEW
@given(markets(), st.sampled_from([1000.0, 1e-6, 1 / 3]))
def test_a_change_of_the_unit_sold_changes_nothing(series, units):
    other = replace(
        series,
        price=series.price / units,
        cost=series.cost / units,
        allowance=series.allowance * units,
        volume=series.volume * units,
    )
    same(stages(series), stages(other))
    assert stages(other).hhi == pytest.approx(stages(series).hhi, nan_ok=True)


@FEW
@given(markets(), st.randoms())
def test_the_order_of_vendors_and_tiers_does_not_matter(series, random):
    vendors, tiers = list(series.vendors), list(series.tiers)
    random.shuffle(vendors)
    random.shuffle(tiers)
    a, b = stages(series), stages(series.only(vendors, tiers))
    assert (a.market == b.market).all()
    order = [series.vendors.index(v) for v in vendors]
    assert (a.vendor[:, order] == b.vendor).all()
    assert a.hhi == pytest.approx(b.hhi, nan_ok=True)


@FEW
@given(markets(), st.integers(-500, 500))
def test_a_shifted_calendar_shifts_the_dates(series, months):
    a, b = stages(series), stages(replace(series, months=series.months + months))
    same(a, b)
    assert [str(np.datetime64(s.begins, "M") + months) for s in a.spells] == [s.begins for s in b.spells]


@FEW
@given(markets(), st.integers(1, 5))
def test_what_comes_later_changes_nothing_but_the_last_months_before_it(series, dropped):
    M = len(series.months) - dropped
    short = {
        name: getattr(series, name)[:M]
        for name in ("months", "price", "cost", "subsidy", "active", "allowance", "volume", "share")
    }
    a, b = stages(series), stages(Series(vendors=series.vendors, tiers=series.tiers, **short))
    open_months = a.rule.hold - 1
    settled = M - open_months
    assert (a.market[:settled] == b.market[:settled]).all()
    settled = max(settled - open_months, 0)  # a ribbon waits for the market's date, and then for its own
    assert (a.vendor[:settled] == b.vendor[:settled]).all()


@FEW
@given(markets(prices=st.sampled_from([1.0, 1.1, 1.3]), allowances=False), st.booleans())
def test_constant_prices_at_or_above_cost_are_never_a_war(series, known):
    constant = np.broadcast_to(series.price[:1], series.price.shape)
    cost = np.minimum(series.cost, series.price[:1]) if known else np.nan
    said = stages(replace(series, price=constant, cost=np.broadcast_to(cost, series.price.shape)))
    assert not said.begins("war")
    assert not said.begins("harvest")
    assert not said.begins("promotion")
    assert "no subsidy war in these months" in said.notes


@FEW
@given(markets(costs=st.just(np.nan), prices=st.sampled_from([0.3, 0.45, 0.5, 0.9, 1.0, np.nan])))
def test_prices_alone_never_show_a_subsidy_war(series):
    assert not stages(series).begins("war")


@FEW
@given(markets())
def test_it_takes_two(series):
    said = stages(series.only(series.vendors[:1]))
    assert not said.begins("war")
    assert not said.begins("war", series.vendors[0])


@FEW
@given(markets())
def test_a_vendor_of_whom_nothing_is_known_is_no_evidence(series):
    def wider(name, fill):
        old = getattr(series, name)
        return np.concatenate([old, np.full((old.shape[0], 1, *old.shape[2:]), fill)], axis=1)

    names = ("price", "cost", "subsidy", "allowance", "volume", "share")
    other = Series(
        series.months,
        (*series.vendors, "dark"),
        series.tiers,
        active=np.column_stack([series.active, series.active.max(1)]),
        **{name: wider(name, np.nan) for name in names},
    )
    a, b = stages(series), stages(other)
    known = a.market >= 0
    # Where somebody is known the dark vendor changes nothing; where nobody is, it is at most in the market.
    assert (a.market[known] == b.market[known]).all()
    assert (b.market[~known] <= 0).all()


@FEW
@given(markets())
def test_a_stage_lasts_as_long_as_it_takes_to_call_it_one(series):
    said = stages(series)
    for spells in (said.spells, *said.ribbons):
        for before, spell, after in zip(spells[:-2], spells[1:-1], spells[2:], strict=True):
            if {before.stage, spell.stage, after.stage} <= set(STAGES):
                length = np.datetime64(spell.ends, "M") - np.datetime64(spell.begins, "M")
                assert length.astype(int) >= said.rule.hold


@FEW
@given(markets(costs=st.sampled_from([1.0, 0.5]), prices=st.sampled_from([0.3, 0.5, 0.9, 0.95, 1.0, 1.3])))
def test_dearer_everywhere_is_never_more_war(series):
    cheap, dear = stages(series), stages(replace(series, price=series.price * 1.25))
    assert (cheap.below | ~dear.below).all()
    assert (dear.market == STAGES.index("war")).sum() <= (cheap.market == STAGES.index("war")).sum()


def five_stages() -> Series:
    price = np.ones((36, 3))
    price[6:8, 0] = 0.85
    price[8:18] = 0.5
    price[18:24] = 0.98
    price[24:] = 1.3
    active = np.ones((36, 3))
    active[:2, 1] = 0
    active[18:, 2] = 0
    volume = np.ones((36, 3))
    volume[18:, 0] = 3
    months = np.arange(START, START + 36)
    return Series(months, ("a", "b", "c"), price=price, cost=np.ones(36), active=active, volume=volume)


def test_the_five_stages_in_order():
    said = stages(five_stages())
    assert [(s.stage, s.begins, s.sure) for s in said.spells] == [
        ("launch", "2020-01", True),
        ("promotion", "2020-07", True),  # a cuts by 15%, below cost alone
        ("war", "2020-09", True),  # all sell at half of cost
        ("consolidation", "2021-07", True),  # 2% below cost; c leaves
        ("harvest", "2022-01", True),  # 30% above cost
    ]
    assert "a, b, c" in said.spells[2].why
    assert [s.stage for s in said.ribbons[2]] == ["launch", "war", "out"]
    assert said.hhi[[0, 10, 30]] == pytest.approx([1 / 2, 1 / 3, (9 + 1) / 16])
    assert "c leaves in 2021-07" in said.notes
    assert "concentration (HHI, 0 to 1) rose from 0.50 to 0.62" in said.notes
    assert json.loads(json.dumps(said.document()))["spells"][2]["begins"] == "2020-09"


def test_a_war_can_reopen_and_it_is_said():
    series = five_stages()
    price = series.price.copy()
    price[30:, :2] = 0.6
    said = stages(replace(series, price=price))
    assert said.begins("war") == ["2020-09", "2022-07"]
    assert any("reopened" in note for note in said.notes)
    assert "the war is not over at the end of the record" in said.notes


def test_between_the_thresholds_it_does_not_flicker():
    price = np.where(np.arange(30)[:, None] % 2, 0.93, 0.88) * np.ones((1, 2))
    said = stages(Series(np.arange(START, START + 30), ("a", "b"), price=price, cost=1.0 + np.zeros(30)))
    assert [s.stage for s in said.spells] == ["war"]
    one = stages(replace(five_stages(), price=np.where(np.arange(36)[:, None] == 9, 0.5, 1.0)))
    assert not one.begins("war")


def test_the_harvest_comes_by_withdrawn_allowances_and_by_prices_that_stop_following_costs():
    series = five_stages()
    price = np.array(series.price)
    price[24:] = 0.98
    allowance = np.zeros((36, 3))
    allowance[8:24] = 10
    withdrawn = stages(replace(series, price=price, allowance=allowance))
    assert withdrawn.begins("harvest") == ["2022-01"]
    cost = np.ones((36, 3, 1))
    cost[24:] = 0.7
    assert stages(replace(series, price=price, cost=cost)).begins("harvest") == ["2022-01"]
    assert not stages(replace(series, price=price)).begins("harvest")


def test_a_gap_is_bridged_and_then_it_is_unknown():
    series = five_stages()
    price = np.array(series.price)
    price[10:16] = np.nan
    said = stages(replace(series, price=price))
    assert said.market[10:13].tolist() == [STAGES.index("war")] * 3
    assert said.market[13:16].tolist() == [-1] * 3
    assert said.market[16] == STAGES.index("war")


def test_free_is_below_cost_whatever_the_cost_is_and_halved_is_not_sure():
    price = np.ones((12, 3))
    price[4:, 0] = 0
    price[4:, 1] = 0.4
    said = stages(Series(np.arange(START, START + 12), ("free", "halved", "still"), price=price))
    assert said.begins("war") == ["2020-05"]
    assert not next(s for s in said.spells if s.stage == "war").sure
    assert "1 of them by price alone" in said.spells[-1].why
    price[4:, 1] = 0
    both = stages(Series(np.arange(START, START + 12), ("free", "halved"), price=price[:, :2]))
    assert next(s for s in both.spells if s.stage == "war").sure


def test_firmness_and_the_gap_to_what_was_said():
    base, dates = firmness([five_stages()])
    by = {d.stage: d for d in dates}
    assert by["war"].found == by["war"].runs
    assert by["war"].earliest <= by["war"].begins <= by["war"].latest
    source = Source(url="https://example.org", read_on="2026-11-22")  # type: ignore[arg-type]

    def said(stage, began, by=None):
        return Said(stage=stage, began=began, or_by=by, words="x", sources=[source])

    assert gap(said("war", "2020-08", "2020-10"), base) == 0
    assert gap(said("war", "2020-11"), base) == -2
    assert gap(said("harvest", "2021-10"), base) == 3
    assert gap(said("war", "2020-09"), stages(five_stages().only(["a"]))) is None


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"price": np.ones((35, 3))}, "has shape"),
        ({"price": -np.ones((36, 3))}, "negative"),
        ({"cost": np.full(36, np.inf)}, "infinite"),
        ({"subsidy": np.full(36, 1.5)}, "cannot exceed 1"),
        ({"months": np.arange(START, START + 72, 2)}, "not consecutive"),
    ],
)
def test_bad_series_are_refused(broken, words):
    with pytest.raises(DataError, match=words):
        replace(five_stages(), **broken)


def test_bad_rules_and_names_are_refused():
    with pytest.raises(ConfigurationError, match="out of range: below"):
        Rule(below=0)
    with pytest.raises(ConfigurationError, match="stop > below"):
        Rule(below=0.04)
    with pytest.raises(ConfigurationError, match="no “d” in the series"):
        five_stages().only(["d"])


RECORD = """
name: made-up
title: Made up
currency: CNY
unit: a thing
begins: 2020-01
ends: 2020-06
vendors: [a, b]
tiers: [one]
facts:
  - {what: reference, value: 10, from: 2019-12-01, confidence: high, sources: &s [{url: U/1, read_on: 2026-11-22}]}
  - {what: "off", vendor: a, range: [2, 4], from: 2020-02-10, until: 2020-05-01, confidence: high, sources: *s}
  - {what: "off", value: 0, from: 2020-01-01, confidence: high, sources: *s}
  - {what: bonus, vendor: a, value: 5, on: 2020-03, confidence: high, sources: *s}
  - {what: price, vendor: b, tier: one, value: 9, from: 2020-04-15, confidence: low, assumed: true, note: guess}
said:
  - {stage: war, began: 2020-02, words: it began, sources: [{url: U/2, read_on: 2026-11-22}]}
"""  # noqa: E501


def record(text: str = RECORD) -> War:
    return parse(text, "made-up.yaml")[0].validate(War)


def test_a_record_becomes_months_that_are_judged_by_how_they_end():
    series = series_of(record())
    assert series.price[:, 0, 0].tolist() == [10, 7, 7, 7, 10, 10]  # until 1 May: April ends with it in force
    assert series.cost[:, 0, 0].tolist() == [10, 10, 15, 10, 10, 10]
    assert series.price[:, 1, 0].tolist() == [10, 10, 10, 9, 9, 9]
    assert series_of(record(), "deep").price[1, 0, 0] == 6
    assert series_of(record(), "shallow").price[1, 0, 0] == 8
    with pytest.raises(ConfigurationError, match="no reading"):
        series_of(record(), "deepest")
    assert [(r["date"], r["vendor"], r["price"], r["assumed"]) for r in tidy(record())] == [
        ("2020-04-15", "b", 9, True)
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("value: 9", "value: nine", r"made-up.yaml:15.*not a decimal"),
        ("vendor: b", "vendor: c", "“c”, which is not among"),
        ("note: guess}", "}", "no source"),
        ("confidence: low, assumed", "confidence: high, assumed", "confidence: low"),
        ("U/2", "U/1", "rest on the same source"),
        ("range: [2, 4]", "range: [4, 2]", "low, high"),
        ("on: 2020-03", "on: 2020-13", "not a month"),
        ("what: bonus", "what: bonsu", "made-up.yaml:14.*bonsu"),
        ("until: 2020-05-01", "until: 2020-01-01", "not after"),
        ("value: 5, on: 2020-03", "on: 2020-03", "`value` or `range`"),
    ],
)
def test_a_mistake_in_a_record_is_named(old, new, words):
    assert old in RECORD
    with pytest.raises(DefinitionError, match=words):
        record(RECORD.replace(old, new, 1))
