"""Quality before price: what evidence excludes, and how measured tokens reach the bill."""

from __future__ import annotations

from pathlib import Path

import pytest
from advice_world import A_MONTH, REQUESTS, START, advise, catalogue, log, team

from pricewar.advice.evidence import Evidence, read
from pricewar.futures import certain

NAMES = ["ant/one", "yak/two", "zho/three"]
BASE = "growth: {uncertainty: 0}\nengineer_day: 10\n"


def measured(tmp_path: Path) -> Evidence:
    """On 200 prompts m-one passes 180, m-two 120, m-three 184 with answers twice as long."""
    rows = ["model,prompt,pass,input_tokens,output_tokens"]
    for model, passes, output in (("m-one", 180, 100), ("m-two", 120, 100), ("m-three", 184, 200)):
        rows += [f"{model},{i},{'yes' if i < passes else 'no'},1000,{output}" for i in range(200)]
    path = tmp_path / "evals.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return read(path, catalogue=catalogue())


def test_only_acceptable_candidates_are_ranked(tmp_path: Path) -> None:
    found = advise(NAMES, team(base=BASE), evidence=measured(tmp_path))
    assert [c.offer for c in found.candidates] == ["ant/one", "zho/three"]
    assert found.excluded[0].offer == "yak/two"
    assert "not good enough" in found.excluded[0].why
    assert {c.verdict for c in found.candidates} == {"acceptable"}


def test_measured_tokens_reach_the_bill(tmp_path: Path) -> None:
    # each request: 1,000 in at 0.5 and 2 × 500 out at 2 for a million: 0.0025
    found = advise(NAMES, team(base=BASE), evidence=measured(tmp_path))
    third = found.candidates[1]
    assert third.today == pytest.approx(REQUESTS * 0.0025)
    assert not third.exact
    # nothing measured: as many tokens as logged, half of ant/one's price, and an interval
    plain = "quality: {margin: none}"
    wide = advise(NAMES, team(plain), certain(NAMES, START, 12, draws=300)).candidates
    assert wide[1].today == pytest.approx(A_MONTH / 2)
    assert wide[1].staying.p95 - wide[1].staying.p5 > 0.2 * 12 * wide[1].today
    assert wide[0].staying.p95 == pytest.approx(wide[0].staying.p5)


def test_without_evidence_the_answer_is_open_and_said_to_be() -> None:
    found = advise(NAMES, team(base=BASE))
    assert {c.offer: c.verdict for c in found.candidates} == {
        "ant/one": "acceptable",
        "yak/two": "undecided",
        "zho/three": "undecided",
    }
    assert any("quality undecided" in doubt for doubt in found.candidates[1].doubts)
    strict = team("quality: {undecided: refuse}", base=BASE)
    assert [c.offer for c in advise(NAMES, strict).candidates] == ["ant/one"]


def test_calls_that_fail_can_exclude(tmp_path: Path) -> None:
    rows = ["model,prompt,pass,error"]
    for model, errors in (("m-one", 1), ("m-three", 30)):
        rows += [f"{model},{i},yes,{'timeout' if i < errors else ''}" for i in range(200)]
    path = tmp_path / "evals.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    given = team("must_have: {success: 0.95}\nquality: {margin: none}", base=BASE)
    found = advise(NAMES, given, evidence=read(path, catalogue=catalogue()), log=log())
    why = {e.offer: e.why for e in found.excluded}
    assert why == {"zho/three": "15.0% of its calls failed; 5.0% are allowed"}
    assert any("not measured" in d for c in found.candidates if c.offer == "yak/two" for d in c.doubts)
