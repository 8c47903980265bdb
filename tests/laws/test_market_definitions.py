"""Definitions of markets: every number has unit and source or range; mistakes are told where they stand."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricewar.definitions import parse
from pricewar.errors import ConfigurationError, DefinitionError
from pricewar.market import definition, fields, kernel, model, quantities

ROOT = Path(__file__).parents[2]
MARKETS = definition.bundled()
SMALL = """\
market: small
title: Two vendors and one type of team
currency: CNY
start: 2024-05-06
months: 6
steps_per_month: 4
sources:
  list: {url: "https://example.org/prices", read_on: 2026-11-22, dated: 2024-04}
  later: {url: "https://example.org/later", read_on: 2026-11-22, dated: 2024-05-06}
  physics: {url: "https://example.org/physics", read_on: 2026-11-22, dated: 2025, structural: true}
exchange:
  USD: {value: 7, unit: CNY/USD, source: list}
output_share: {assume: .25, range: [.2, .3], unit: share, because: "a guess"}
mechanisms:
  reference_share: {assume: .5, range: [.4, .6], unit: share, because: "a guess"}
  gpu_light: {value: 1000, unit: tokens/GPU-second, source: physics}
  gpu_flagship: {assume: 5e-4, range: [2.0e-4, 1.0e-3], unit: GPU-month/mn tokens, log: true, because: "one"}
  target_load: {assume: .5, range: [.5, .5], unit: share, because: "a guess"}
  capacity_up: {assume: 1, range: [1, 1], unit: 1/month, because: "a guess"}
  capacity_down: {assume: .1, range: [.1, .1], unit: 1/month, because: "a guess"}
  rental: {value: 2, unit: USD/GPU-hour, source: physics}
  hold: {assume: 2, range: [1, 3], unit: quarter, because: "a guess"}
  discount: {assume: 12, range: [6, 24], unit: "%/year", because: "a guess"}
  review: {assume: 3, range: [2, 6], unit: month, because: "a review every three months"}
types:
  basis:
    teams: {unit: team, times: 2, because: "a guess"}
    budget: {unit: thousand CNY/month, source: list}
  all:
    potential: {assume: 500, range: [400, 600], unit: team, because: "a guess"}
    light_share: {assume: .5, range: [.4, .6], unit: share, because: "a guess"}
    quality_taste: {assume: 1, range: [1, 1], unit: utility/quality, because: "a guess"}
    price_taste: {assume: 1.5, range: [1, 2], unit: utility, because: "a guess"}
  segments:
    shops:
      small: {teams: 100, budget: 2}
      large: {teams: 10, budget: 20}
    offices:
      all of them:
        {teams: 5, budget: 40, potential: {assume: 50, range: [40, 60], unit: team, because: "few"}}
vendors:
  basis:
    price_light: {unit: CNY/mn tokens, source: list}
  all:
    efficiency: {assume: 1, range: [.8, 1.2], unit: ratio, because: "a guess"}
    cash: {assume: 1, range: [1, 1], unit: mn USD, because: "a guess"}
    api_share: {assume: .2, range: [.2, .2], unit: share, because: "a guess"}
    compute: {assume: 25, range: [25, 25], unit: log10 FLOP, because: "a guess"}
  each:
    a: {name: Vendor A, share: {assume: .6, range: [.6, .6], unit: share, because: "a guess"}, price_light: 4,
        price_flagship: {input: 80, output: 120, unit: CNY/mn tokens, source: list}}
    b: {name: Vendor B, conduct: static, price_light: 8,
        share: {assume: 40, range: [30, 50], unit: "%", because: "a guess"},
        price_flagship: {value: .07, unit: USD/thousand tokens, source: list}}
affinities:
  basis: {unit: utility, plus: .1, because: "a guess"}
  each:
    all: {a: .1}
    shops: {b: .2}
    offices: {a: .3}
script:
  - {on: 2024-06-05, vendor: b, light: {value: 1, unit: CNY/mn tokens, source: later}}
"""


def read(text: str) -> definition.Definition:
    return definition.read(parse(text, "small.yaml")[0])


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def line_of(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


def test_the_fields_are_the_columns_of_the_compiled_pass() -> None:
    assert list(fields.MARKET) == list(kernel.MARKET_FIELDS) or set(fields.MARKET) == set(
        kernel.MARKET_FIELDS
    )
    assert set(fields.VENDOR) == set(kernel.VENDOR_FIELDS)
    assert set(fields.TYPE) == set(kernel.TYPE_FIELDS)
    assert fields.CONDUCTS == kernel.CONDUCTS
    for table in fields.TABLES.values():
        for name, field in table.items():
            assert field.unit, name
            assert field.meaning, name
            assert field.low < field.high or field is fields.UNREAD, name
            assert field.off is None or field.low <= field.off <= field.high, name


def test_a_parameter_that_may_be_given_is_read_by_the_compiled_pass() -> None:
    source = inspect.getsource(kernel)
    body = source[source.index("SCRIPTED, STATIC") :]
    for kind, names in (("market", "MARKET_FIELDS"), ("type", "TYPE_FIELDS"), ("vendor", "VENDOR_FIELDS")):
        constants = source[: source.index(f") = range(len({names}))")].rpartition("(\n")[2]
        columns = [word.strip() for word in constants.replace("\n", " ").split(",") if word.strip()]
        for name, column in zip(getattr(kernel, names), columns, strict=True):
            read = re.search(rf"\b{column}\b", body) is not None
            unread = fields.TABLES[kind][name] is fields.UNREAD
            assert read != unread or name == "segment", name


def test_numbers_arrive_in_the_unit_of_their_parameter() -> None:
    made = definition.market(read(SMALL))
    month = 730.5 * 3600
    assert made.get("market", "gpu_light") == pytest.approx(1e6 / (1000 * month))  # the inverse of a speed
    assert made.get("market", "rental") == pytest.approx(2 * 7 * 730.5)
    assert made.get("market", "hold") == pytest.approx(6)
    assert made.get("market", "discount") == pytest.approx(0.01)
    assert made.get("market", "review") == pytest.approx(1 / 3)
    assert made.get("vendor", "a", "price_flagship") == pytest.approx(80 + 0.25 * 40)
    assert made.get("vendor", "b", "price_flagship") == pytest.approx(0.07 * 7 * 1000)
    assert made.get("vendor", "b", "share") == pytest.approx(0.4)
    assert made.get("vendor", "a", "cash") == pytest.approx(7e6)
    assert made.get("type", "shops-large", "budget") == pytest.approx(20_000)
    assert made.get("type", "offices", "potential") == pytest.approx(50)
    assert made.types == ("shops-small", "shops-large", "offices")
    assert made.segments == ("shops", "offices")
    assert made.t[:, kernel.SEGMENT].tolist() == [0, 0, 1]
    assert made.v[:, kernel.V_CONDUCT].tolist() == [kernel.INVEST, kernel.STATIC]
    assert np.allclose(made.chi, [[0.1, 0.2], [0.1, 0.2], [0.3, 0.0]])
    assert made.script.tolist() == [[pytest.approx(30 * 24 / 730.5), 1.0, 1.0, -1.0, -1.0]]


UNITS = (
    ("USD/GPU-hour", "CNY/GPU-month", 7 * 730.5),
    ("tokens/GPU-second", "GPU-month/mn tokens", None),
    ("tn tokens/day", "mn tokens/month", 1e6 * 730.5 / 24),
    ("bn USD/year", "CNY/month", 7e9 / 12),
    ("%/year", "1/month", 0.01 / 12),
    ("week", "month", 168 / 730.5),
    ("thousand users", "user", 1000),
)


@given(st.sampled_from(UNITS), st.floats(1e-6, 1e6))
def test_a_unit_there_and_back_is_the_same_number(units: tuple[str, str, float | None], x: float) -> None:
    given_, target, factor = units
    rates = {"CNY": 1.0, "USD": 7.0}
    there, back = quantities.conversion(given_, target, rates), quantities.conversion(target, given_, rates)
    assert there is not None
    assert back is not None
    assert back(there(x)) == pytest.approx(x, rel=1e-12)
    assert there(2 * x) == pytest.approx(2 * there(x) if factor else there(x) / 2)
    if factor:
        assert there(x) == pytest.approx(factor * x, rel=1e-12)
    assert quantities.conversion(given_, "utility", rates) is None


def test_ranges_become_uncertain_and_one_line_is_one_draw() -> None:
    made = definition.market(read(SMALL))
    by_place = {u.where: u for u in made.uncertain}
    review = by_place["market", "review"]  # given as months between reviews: the range turns round
    assert (review.low, review.high) == (pytest.approx(1 / 6), pytest.approx(1 / 2))
    teams = by_place["type", "shops-small", "teams"]
    assert (teams.low, teams.high, teams.log) == (50, 200, True)
    assert ("market", "target_load") not in by_place  # a range of no width
    assert by_place["vendor", "a", "efficiency"].group == by_place["vendor", "b", "efficiency"].group != ""
    _, v, t = made.members(range(20))
    at = kernel.V_EFFICIENCY
    assert np.array_equal(v[:, 0, at], v[:, 1, at])
    assert len(set(v[:, 0, at])) == 20
    n = kernel.TEAMS
    assert not np.allclose(t[:, 0, n] / t[0, 0, n], t[:, 1, n] / t[0, 1, n])  # a row of its own: its own draw


MISTAKES = {
    "unknown key": (
        "  target_load:",
        "  traget_load:",
        "traget_load",
        "unknown key “traget_load”",
        "target_load",
    ),
    "unknown vendor in affinity": (
        "shops: {b: .2}",
        "shops: {bb: .2}",
        "shops: {bb",
        "“bb” is no vendor",
        "“b”",
    ),
    "unknown type in affinity": (
        "    offices: {a: .3}",
        "    ofices: {a: .3}",
        "ofices",
        "no type or segment",
        "offices",
    ),
    "unknown vendor in script": (
        "vendor: b, light",
        "vendor: c, light",
        "vendor: c",
        "“c” is no vendor",
        "known: a, b",
    ),
    "negative budget": (
        "large: {teams: 10, budget: 20}",
        "large: {teams: 10, budget: -20}",
        "budget: -20",
        "-20 thousand CNY/month (-20000 CNY/month) is out of bounds",
        "1e-09 to 1e+15 CNY/month",
    ),
    "range without value": (
        "hold: {assume: 2, range: [1, 3]",
        "hold: {assume: 2, range: [3, 4]",
        "hold:",
        "does not contain 2",
        "around the value",
    ),
    "missing unit": (
        "rental: {value: 2, unit: USD/GPU-hour, ",
        "rental: {value: 2, ",
        "rental:",
        "the unit is missing",
        "CNY/GPU-month",
    ),
    "wrong unit": (
        "unit: USD/GPU-hour",
        "unit: USD/hour",
        "rental:",
        "“USD/hour” is no unit of CNY/GPU-month",
        "CNY/GPU-month",
    ),
    "no exchange rate": ("unit: mn USD", "unit: mn EUR", "cash:", "no exchange rate for EUR", "exchange"),
    "two vendors of one name": (
        "    b: {name",
        "    a: {name",
        "    a: {name: Vendor B",
        "“a” stands twice",
        "keep one",
    ),
    "a fact of the future": (
        "source: list}}\n    b:",
        "source: later}}\n    b:",
        "input: 80",
        "own future",
        "structural",
    ),
    "unknown source": (
        "{value: 2, unit: USD/GPU-hour, source: physics}",
        "{value: 2, unit: USD/GPU-hour, source: phisics}",
        "rental:",
        "“phisics” is no source",
        "physics",
    ),
    "a bare number": (
        'share: {assume: .6, range: [.6, .6], unit: share, because: "a guess"}',
        "share: .6",
        "share: .6",
        "neither unit nor source",
        "basis",
    ),
    "a missing number": (
        "  rental: {value: 2, unit: USD/GPU-hour, source: physics}\n",
        "",
        "mechanisms:",
        "“rental” is missing",
        "CNY",
    ),
    "no number": (
        "assume: 2, range: [1, 3]",
        "assume: two, range: [1, 3]",
        "hold:",
        "not a decimal number",
        None,
    ),
    "out of bounds": (
        "target_load: {assume: .5, range: [.5, .5]",
        "target_load: {assume: 1.5, range: [1, 2]",
        "target_load:",
        "1.5 share is out of bounds",
        "0.05 to 1",
    ),
    "unknown conduct": ("conduct: static", "conduct: statik", "Vendor B", "“statik” is not one of", "static"),
    "assumption without range": (
        '{assume: .5, range: [.4, .6], unit: share, because: "a guess"}\n  gpu_light',
        '{assume: .5, unit: share, because: "a guess"}\n  gpu_light',
        "reference_share",
        "“range” is missing",
        None,
    ),
    "a day that no calendar has": (
        "dated: 2024-04}",
        "dated: 2023-02-30}",
        "list: {url",
        "no day, month or year of the calendar",
        None,
    ),
    "a thirteenth month": ("dated: 2024-04}", "dated: 2023-13}", "list: {url", "of the calendar", None),
    "a year past all": ("dated: 2024-04}", "dated: 9999-12}", "  USD:", "own future", None),
    "a number past all": (
        "hold: {assume: 2, range: [1, 3]",
        "hold: {assume: 2, range: [1, 1e999]",
        "hold:",
        "larger than any number",
        None,
    ),
    "terms before the start": (
        "on: 2024-06-05",
        "on: 2024-05-05",
        "on: 2024-05-05",
        "before the market starts",
        None,
    ),
    "a day without terms": (
        ", light: {value: 1, unit: CNY/mn tokens, source: later}",
        "",
        "vendor: b}",
        "no terms",
        "light",
    ),
    "terms of the fringe": ("conduct: static", "conduct: fringe", "on: 2024-06-05", "fringe", "scripted"),
    "an empty name": ("market: small", 'market: " "', "market:", "a name is empty", None),
    "a name that commands": ("market: small", 'market: "a\\e[2Jb"', "market:", "cannot be a name", None),
    "a vendor called as a segment": (
        "    b: {name: Vendor B, conduct: static, price_light: 8,",
        "    shops: {name: Vendor B, conduct: static, price_light: 8,",
        "    shops: {name",
        "already names a segment",
        None,
    ),
    "a vendor called as all": ("    b: {name", "    vendors: {name", "vendors: {name", "all of them", None),
    "a bare log from zero": (
        "range: [2.0e-4, 1.0e-3]",
        "range: [0, 1.0e-3]",
        "gpu_flagship",
        "above zero",
        None,
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_at_file_line_and_key(name: str) -> None:
    old, new, place, what, remedy = MISTAKES[name]
    text = changed(old, new)
    with pytest.raises(DefinitionError) as caught:
        read(text)
    error = caught.value
    assert what in error.what
    assert error.where is not None
    assert error.where.startswith(f"small.yaml:{line_of(text, place)}"), error.where
    assert remedy is None or remedy in (error.remedy or ""), error.remedy
    assert error.exit_code == 2


def test_a_market_that_is_not_there_names_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="china-2024"):
        definition.load("china-2042")
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL, encoding="utf-8")
    assert definition.load(path).name == "small"
    path.write_text(SMALL + "---\n" + SMALL, encoding="utf-8")
    with pytest.raises(DefinitionError, match="one document"):
        definition.load(path)


@pytest.mark.parametrize("name", MARKETS)
def test_every_bundled_number_says_where_it_comes_from(name: str) -> None:
    made = definition.load(name)
    assert made.name == name
    used = set()
    for e in made.entries:
        assert e.unit, e.where
        assert np.isfinite([e.value, e.low, e.high]).all(), e.where
        assert e.low <= e.value <= e.high, e.where
        assert e.written.partition(" ")[2], e.where
        if e.assumed:
            assert e.because, e.where
        else:
            assert e.source, e.where
        if e.source:
            used.add(e.source)
            source = made.text.sources[e.source]
            assert source.url.startswith("http"), e.source
            assert source.read_on <= date(2026, 11, 30), e.source
            if not e.structural:
                assert e.dated is not None, e.where
                assert definition.last_day(e.dated) < made.text.start, e.where
    assert used == set(made.text.sources)  # a source that nothing rests on is no source


def test_china_2024_knows_nothing_of_its_war() -> None:
    made = definition.load("china-2024")
    assert made.text.start == date(2024, 5, 6)
    assert {"deepseek", "zhipu", "bytedance", "alibaba", "baidu", "tencent", "iflytek"} < set(
        made.text.vendors.each
    )
    dated = {e.where: e.dated for e in made.entries if not e.assumed and not e.structural}
    assert len(dated) >= 12
    assert all(day < "2024-05" for day in dated.values() if day)
    prices = {e.where[1:]: e for e in made.entries if e.where[-1] in ("price_light", "price_flagship")}
    for tier in (
        "price_light",
        "price_flagship",
    ):  # nobody recorded DeepSeek's; the next two are predecessors'
        assert prices["deepseek", tier].assumed
        assert prices["deepseek", tier].high / prices["deepseek", tier].low > 1.5
        assert prices["bytedance", tier].low < prices["bytedance", tier].high
    assert prices["iflytek", "price_flagship"].low < prices["iflytek", "price_flagship"].high
    assert prices["baidu", "price_light"].value == pytest.approx(
        4 + 0.25 * 4
    )  # ERNIE-Speed-8K, 4 in and 8 out


@pytest.mark.parametrize("name", MARKETS)
def test_a_bundled_market_starts_where_history_stood(name: str) -> None:
    """Use and revenue of the first month, at initial prices, lie within what was seen of the whole market."""
    made = definition.load(name)
    seen = {e.where[1]: e for e in made.entries if e.where[0] == "month_0"}
    if not seen:
        pytest.skip("the definition tells nothing of month 0")
    market = replace(definition.market(made), months=1, uncertain=())
    market = market.with_({"opening_threshold": 1e9, "review": 0.0, "react": 0.0})
    run = model.simulate(market)
    tokens = float(run.vendor["tokens_light"][0, 0].sum() + run.vendor["tokens_flagship"][0, 0].sum())
    got = {"tokens": tokens, "revenue": float(run.vendor["revenue"][0, 0].sum())}
    for what, entry in seen.items():
        assert entry.low <= got[what] <= entry.high, (what, got[what] / entry.value)


def test_check_refuses_what_the_model_cannot_mean() -> None:
    market = definition.market(read(SMALL))
    model.check(market)
    for key, value, words in (
        ("rental", np.nan, "rental is no finite number"),
        ("target_load", np.inf, "target_load is no finite number"),
        ("target_load", 1.5, "target_load is 1.5"),
        ("a.efficiency", -1.0, "efficiency is -1"),
        ("shops-small.budget", 0.0, "budget is 0"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            model.check(market.with_({key: value}))
        assert words in caught.value.what
        owner = key.rpartition(".")[0]
        assert "small" in (caught.value.where or "")
        assert owner in (caught.value.where or "")
        assert "give" in (caught.value.remedy or "")
    with pytest.raises(ConfigurationError, match="affinities"):
        model.check(replace(market, chi=market.chi + np.nan))
    with pytest.raises(ConfigurationError, match="at least one"):
        model.check(replace(market, months=0))


@given(st.data())
def test_every_bound_is_kept(data: st.DataObject) -> None:
    market = definition.market(read(SMALL))
    kind = data.draw(st.sampled_from(sorted(fields.TABLES)))
    name = data.draw(st.sampled_from(sorted(fields.TABLES[kind])))
    field = fields.TABLES[kind][name]
    where = {"market": ("market", name), "vendor": ("vendor", "a", name), "type": ("type", "offices", name)}[
        kind
    ]
    value = data.draw(st.floats(allow_nan=True, allow_infinity=True))
    changed_ = market.with_({where: value})
    if field.low <= value <= field.high:
        whole = ("contract", "merge", "open", "conduct", "segment", "vertical", "specialist")
        if name == "vertical_gap" or not name.startswith(whole):
            model.check(changed_)
    else:
        with pytest.raises(ConfigurationError):
            model.check(changed_)


def test_a_vertical_said_for_a_whole_segment_holds_for_its_types() -> None:
    text = changed("    shops:\n", "    shops:\n      all: {vertical: law}\n") + "verticals: [tax, law]\n"
    assert definition.market(read(text)).t[:, kernel.VERTICAL].tolist() == [1, 1, -1]


def test_a_definition_makes_a_market_that_runs() -> None:
    run = model.simulate(definition.market(read(SMALL)), range(2))
    assert np.isfinite(run.vendor["cash"]).all()
    assert run.vendor["teams"].shape == (2, 6, 2)


def test_the_page_of_parameters_is_what_the_definitions_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from generate import market_parameters_page

    page = (ROOT / "docs" / "market_parameters.md").read_text(encoding="utf-8")
    assert page == market_parameters_page(), "run `make docs`"


def test_a_market_of_fringes_alone_is_refused() -> None:
    """Nobody would set a price: outcomes of the vendors inside would be taken over none."""
    market = definition.market("china-2024")
    with pytest.raises(ConfigurationError, match="fringe"):
        model.check(market.with_({"vendors.conduct": float(kernel.FRINGE)}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"merge_into": 99, "merge_from": 1, "merge_month": 3}, "merge_into is 99"),
        ({"merge_into": 1.5, "merge_from": 2, "merge_month": 3}, "merge_into is 1.5"),
        ({"merge_into": 7, "merge_from": 2, "merge_month": 3}, "merge_into is 7"),
        ({"merge_into": 2, "merge_from": 2, "merge_month": 3}, "one vendor"),
        ({"opening_fixed": 1, "opener": 99}, "opener is 99"),
        ({"contract": 2.5}, "contract is 2.5"),
        ({"indie.vertical": 1, "contract": 1}, "vertical is 1"),
        ({"indie.vertical": 0.5}, "vertical is 0.5"),
        ({"indie.segment": 99}, "segment is 99"),
        ({"baidu.specialist": 9}, "specialist is 9"),
        ({"baidu.conduct": 1.5}, "conduct is 1.5"),
        ({"vendors.enters": 3}, "month 0"),
        ({"vendors.share": 0}, "nobody has a share"),
    ],
)
def test_numbers_of_vendors_and_contracts_mean_something(changes: dict[str, float], said: str) -> None:
    """A merger with nobody, with oneself or with the fringe would be no merger, and nobody would be told; a
    vertical that there is not would be read past the end of the licences; teams of nobody would vanish."""
    with pytest.raises(ConfigurationError, match=said):
        model.check(definition.market("china-2024").with_(dict(changes)))
