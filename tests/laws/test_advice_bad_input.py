"""What advice says of profiles, logs, offers and futures that will not do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from advice_world import OFFERS, START, advise, futures, log, team

from pricewar.advice import team as teams
from pricewar.errors import ConfigurationError, DataError, DefinitionError, PricewarError
from pricewar.futures import certain
from pricewar.usage.log import Log


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("team: x\nswitching:\n  adaptor: 3", ["team:3: switching.adaptor", "unknown key", "“adapter”"]),
        ("growth: {monthly: 3}", ["growth", "such as 0.03"]),
        ("growth: {monthly: fast}", ["growth.monthly", "not a decimal number"]),
        ("horizon: 0", ["horizon", "greater than or equal to 1"]),
        ("discount: -0.1", ["discount", "negative"]),
        ("portability:\n  saves: {adapter: 2}", ["team:2", "between 0 and 1"]),
        ("switching: {deepest: 0.5}", ["switching", "at least 1"]),
        ("ecosystem: {google: {gain: [5, 1], loss: 3}}", ["ecosystem.google", "least, most"]),
        ("ecosystem: {google: {gain: [1, 5]}}", ["“loss” is missing"]),
        ("must_have: {unpublished: maybe}", ["unpublished", "accept"]),
        ("currency: dollars", ["currency", "such as USD"]),
        ("team: x\nhorizon: 3.5", ["team:2: horizon", "not a whole number", "“3.5”", "such as 12"]),
        ("growth: 0.03", ["growth: “0.03”", "its keys are monthly, uncertainty"]),
        ("present: openai/gpt-5-mini", ["present: “openai/gpt-5-mini”", "its keys are offer, months"]),
        ("discount: 10%", ["discount: “10%” is not a decimal number\n", "write 0.1"]),
        ("revenue: much", ["such as 1200 or 0.05"]),
        ("quality: {confidence: 1}", ["team:1: quality.confidence", "such as 0.95"]),
        ("must_have: {regions: eu}", ["“eu” is not a list", "write [first, second]"]),
        ("must_have: {no_training: maybe}", ["“maybe” is neither yes nor no", "true or false"]),
        ("growth:", ["nothing is written", "leave the key out"]),
        ("ecosystem: {google: {gain: [1, 2, 3], loss: 3}}", ["3 values", "write [first, second]"]),
        ("revenue: 1e999999999", ["more digits than any amount"]),
        ("team: a\n---\nteam: b", ["2 documents"]),
        ("- just a list", ["keys and values"]),
        ("team: x\nteam: y", ["stands twice"]),
    ],
)
def test_a_profile_is_wrong_at_file_line_and_key(text: str, words: list[str]) -> None:
    with pytest.raises(DefinitionError) as error:
        teams.of(text)
    for word in words:
        assert word in str(error.value)


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_text("team: ours\nhorizon: 24\ngrowth: {monthly: 0.03}\n", encoding="utf-8")
    found = teams.read(path)
    assert (found.team, found.horizon) == ("ours", 24)
    path.write_text("horizon: 24\ndiscont: 0.1\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"team\.yaml:2: discont(.|\n)*did you mean “discount”"):
        teams.read(path)
    path.write_text("", encoding="utf-8")
    assert teams.read(path) == teams.Team()


def test_every_default_has_its_unit_and_reason() -> None:
    found = teams.of("growth: {monthly: 0.03}\npresent: {offer: ant/one}").assumptions()
    given = {a.key for a in found if a.given}
    assert given == {"growth.monthly", "present"}
    assert all(a.unit and (a.why or a.key == "team") for a in found)
    assert len(found) > 30


def raises(kind: type[PricewarError], *words: str, names: list[str], extra: str = "", **how: object) -> None:
    with pytest.raises(kind) as error:
        advise(names, team(extra), how.pop("what", None), **how)  # type: ignore[arg-type]
    for word in words:
        assert word in str(error.value)
    assert error.value.remedy


def test_logs_that_say_nothing_of_a_month() -> None:
    raises(DataError, "holds no request", names=["ant/one"], log=Log("x", ("here",), 0, 0))
    raises(DataError, "0.8 hours", names=["ant/one"], log=log(1))


@pytest.mark.parametrize("days", [2, 3, 5])
def test_a_short_log_is_said_and_widens(days: int) -> None:
    found = advise(["ant/one"], team(), certain(["ant/one"], START, 12, draws=60), log=log(days))
    assert found.workload["short"]
    assert found.workload["days"] == days
    assert found.workload["spread"] == pytest.approx(0.5 / days**0.5)
    assert any("too short to show a week" in note for note in found.notes)
    assert not advise(["ant/one"], team(), log=log(14)).workload["short"]


def test_offers_that_cannot_serve_are_named_with_the_reason() -> None:
    names = ["ant/one", "eel/free", "lark/train", "dog/free"]
    must = "must_have: {no_training: true, served: 0.9}"
    found = advise(names, team(must))
    why = {e.offer: e.why for e in found.excluded}
    assert [c.offer for c in found.candidates] == ["ant/one"]
    assert "not published" in why["eel/free"]
    assert why["lark/train"] == "the vendor trains on what is sent"
    assert why["dog/free"] == "serves 80% of the requests, the team needs more"
    assert found.candidates[0].doubts == ("whether the vendor trains on what is sent is not published",)
    assert found.candidates[0].unpublished == ("training",)
    assert {s.offer for s in found.skipped} == {"free", "flagship", "several"}
    raises(DataError, "no offer can serve this work", "eel/free", names=["eel/free"])
    raises(DataError, "offered in CN, not in EU", names=["lark/train"], extra="must_have: {regions: [EU]}")
    strict = "must_have: {context: 100000, unpublished: refuse}"
    raises(DataError, "how long an input it takes is not published", names=["ant/one"], extra=strict)


def test_what_is_asked_for_must_fit() -> None:
    raises(ConfigurationError, "no offer to choose from", names=[])
    raises(ConfigurationError, "no offer “ant/two”", "did you mean", names=["ant/one"],
           extra="present: {offer: ant/two}")  # fmt: skip
    raises(ConfigurationError, "hold nothing of bee/one", names=["ant/one", "bee/one"],
           what=certain(["ant/one"], START, 12))  # fmt: skip
    raises(ConfigurationError, "last 6 months", "horizon is 12", names=["ant/one"],
           what=certain(["ant/one"], START, 6))  # fmt: skip
    raises(ConfigurationError, "no price is known for nobody-knows-this", "refused: 0.01",
           names=["dog/free"], log=log(model="nobody-knows-this"))  # fmt: skip
    uncounted = log()
    uncounted.unknown = ("requests",)
    raises(ConfigurationError, "does not count", names=["ant/one"], extra="refused: 1", log=uncounted)
    raises(ConfigurationError, "does not count", names=["ant/one"], extra="revenue: 1", log=uncounted)


def test_a_present_offer_that_cannot_stand_is_said() -> None:
    what = certain(["ant/one", "eel/free"], START, 12)
    found = advise(["ant/one"], team("present: {offer: eel/free, months: 3}"), what)
    assert any("eel/free, in use now, does not stand" in note for note in found.notes)


@pytest.mark.parametrize("draws", [1, 2, 3, 41])
@pytest.mark.parametrize("months", [1, 2, 13])
def test_few_futures_and_short_horizons_do(draws: int, months: int) -> None:
    names = list(OFFERS)
    found = advise(names, team(months=months), futures(names, months, draws, 1))
    assert found.judged + (found.fitted if draws > 1 else 0) == draws
    assert np.isfinite(found.outcome(found.recommended).cost.mean)


@pytest.mark.parametrize("what", ["limit", "allowance", "price", "status"])
def test_extreme_futures_do(what: str) -> None:
    names = list(OFFERS)
    usual = futures(names, 6, 12, 1)
    array = np.full_like(getattr(usual, what), 2 if what == "status" else 0)
    found = advise(names, team(months=6), replace(usual, **{what: array}))
    assert np.isfinite(found.outcome(found.recommended).cost.mean)
    assert {c.offer for c in found.candidates} == set(names) - {"eel/free", "rat/trial"}


def test_whole_numbers_may_have_exponents() -> None:
    assert teams.of("must_have: {context: 1e6}").must_have.context == 10**6


def test_an_amount_beyond_reason_is_refused() -> None:
    for text in ("engineer_day: 1e400", "revenue: 2e12", "switching: {adapter: 1e13}"):
        with pytest.raises(DefinitionError, match="10¹²"):
            teams.of(text)
