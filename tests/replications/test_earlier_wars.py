"""The stage rule on earlier wars: how near it comes to what others said, from sources it has not seen."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pricewar.errors import ConfigurationError
from pricewar.market.dating import Firmness, firmness, gap
from pricewar.market.records import War, names, read, tidy
from pricewar.market.stages import Rule, Stages, series_of, stages

DOCUMENT = Path(__file__).parents[2] / "docs" / "stages.md"

# (war, stage, said to begin, or by): months by which the rule is early (−) or late (+). Figures measured, not
# wished for: the merger of February 2015 came six months after the subsidies to taxis had ended.
GAPS = {
    ("china-ride-hailing", "war", "2013-12", "2014-01"): 0,
    ("china-ride-hailing", "consolidation", "2014-05", "2014-08"): 0,
    ("china-ride-hailing", "consolidation", "2015-02", None): -6,
    ("china-ride-hailing", "war", "2015-01", "2015-06"): 0,
    ("china-ride-hailing", "consolidation", "2016-08", None): 0,
    ("china-ride-hailing", "harvest", "2016-08", "2017-01"): 0,
    ("china-food-delivery-2025", "promotion", "2025-02", "2025-04"): 0,
    ("china-food-delivery-2025", "war", "2025-04", "2025-07"): 0,
    ("cloud-2014", "promotion", "2014-03", None): 0,
    ("china-llm-2024", "war", "2024-05", None): 0,
}


@cache
def war(name: str) -> War:
    return read(name)


@cache
def dated(name: str) -> tuple[Stages, list[Firmness]]:
    return firmness([series_of(war(name), reading) for reading in ("middle", "deep", "shallow")])


def test_every_dating_by_others_is_measured_against_the_rule() -> None:
    found = {
        (name, said.stage, said.began, said.or_by): gap(said, dated(name)[0])
        for name in names()
        for said in war(name).said
    }
    assert found == GAPS


def test_ride_hailing_passes_through_the_stages_twice() -> None:
    said = dated("china-ride-hailing")[0]
    assert [(s.stage, s.begins) for s in said.spells] == [
        ("launch", "2012-09"),
        ("war", "2014-01"),
        ("consolidation", "2014-08"),
        ("war", "2015-04"),
        ("consolidation", "2016-08"),
        ("harvest", "2016-11"),
        ("consolidation", "2018-01"),  # margins of 1.6% while Meituan was in two cities
        ("harvest", "2018-10"),
    ]
    assert "the war reopened: it begins in 2014-01, 2015-04" in said.notes
    assert [s.stage for s in said.ribbons[said.vendors.index("Kuaidi")]][-1] == "out"


@pytest.mark.parametrize("name", names())
def test_the_beginning_of_a_war_does_not_hang_on_a_threshold(name: str) -> None:
    for firm in dated(name)[1]:
        if firm.stage == "war":
            assert (firm.found, firm.earliest, firm.latest) == (firm.runs, firm.begins, firm.begins)


def test_the_control_is_no_subsidy_war() -> None:
    series = series_of(war("cloud-2014"))
    said = stages(series)
    assert not said.begins("war")
    assert [s.stage for s in said.spells] == ["launch", "promotion"]
    aws = series.subsidy[:, series.vendors.index("AWS")]
    assert np.nanmax(aws) < -0.08  # its worst quarter: 77 of 1,005


def test_the_war_of_the_models_is_on_the_light_ones_and_not_over() -> None:
    series = series_of(war("china-llm-2024"))
    light, flagship = (stages(series.only(tiers=[tier])) for tier in ("light", "flagship"))
    assert light.begins("war") == ["2024-05"]
    assert "the war is not over at the end of the record" in light.notes
    assert not flagship.begins("war")
    assert stages(series).begins("harvest", "DeepSeek") == ["2025-02"]
    assert not stages(series).begins("harvest")


def test_delays_of_the_followers_are_those_of_the_prices_recorded() -> None:
    record = war("china-llm-2024")
    opened = date(2024, 5, 6)
    told = {e.vendors[0]: int(e.value) for e in record.events if e.kind == "order" and e.value}
    first = {
        vendor: min(
            (f.from_ - opened).days
            for f in record.facts
            if f.what == "price" and f.vendor == vendor and f.from_ and f.from_ >= opened
        )
        for vendor in record.vendors
    }
    assert told == first


def test_prices_for_a_chart() -> None:
    rows = tidy(war("china-llm-2024"))
    assert {row["vendor"] for row in rows} == set(war("china-llm-2024").vendors)
    assert [row["date"] for row in rows] == sorted(row["date"] for row in rows)
    qwen = [
        r["price"] for r in rows if (r["vendor"], r["tier"], r["model"]) == ("Alibaba", "light", "Qwen-Turbo")
    ]
    assert qwen == [8, 2, 0.3]
    free = [r["vendor"] for r in rows if r["price"] == 0 and r["meter"] == "input"]
    assert free == ["Baidu", "Tencent", "iFlytek", "Zhipu"]
    assert all(row["low"] <= row["price"] <= row["high"] for row in rows)
    assert all(row["source"] or row["assumed"] for row in rows)


@pytest.mark.parametrize("name", names())
def test_every_figure_has_its_source_and_the_day_it_was_read(name: str) -> None:
    record = war(name)
    assert record.name == name
    for item in (*record.facts, *record.events, *record.said):
        for source in item.sources:
            assert source.url.startswith(("http://", "https://"))
            assert source.read_on >= date(2026, 9, 27)
    weak = [f for f in record.facts if f.assumed]
    assert all(f.confidence == "low" and f.note for f in weak)


def test_an_unknown_war_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no record of an earlier war"):
        read("china-llm-2025")


def rows(name: str) -> list[str]:
    """The document's table lines of one record."""
    said, firm = dated(name)
    at = {(f.stage, f.begins): f for f in firm}
    lines = []
    for spell in said.spells:
        f = at[spell.stage, spell.begins]
        span = f.begins if f.earliest == f.latest else f"{f.earliest} to {f.latest}"
        sure = "yes" if spell.sure else "no"
        lines.append(f"| {spell.begins} | {spell.stage} | {sure} | {span} | {f.found} of {f.runs} |")
    return lines


@pytest.mark.parametrize("name", names())
def test_the_document_shows_what_the_rule_says(name: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split(f"`{name}`", 1)[1].split("\n### ", 1)[0]
    for line in rows(name):
        assert line in section
    for said in war(name).said:
        months = gap(said, dated(name)[0])
        when = said.began + (f" to {said.or_by}" if said.or_by else "")
        first = gap(said.model_copy(update={"or_by": None}), dated(name)[0])
        assert f"| {said.stage} | {when} | {months:+d} | {first:+d} |".replace("+0", "0") in section


def test_the_document_names_every_threshold() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for field in fields(Rule):
        assert f"| `{field.name}` | {field.default} |" in text
