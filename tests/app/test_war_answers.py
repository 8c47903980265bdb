"""Answers of the war room: levers from the definition, parts refined, changes taken apart."""

from __future__ import annotations

import gc
import json
import math
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricewar.app import war, war_runs, war_solve, war_why
from pricewar.app.levers import MOST, applied, levers
from pricewar.app.session import Job, parsed, written
from pricewar.app.war_runs import FIRST, RUNS, WORLDS
from pricewar.errors import ConfigurationError, DataError, PricewarError
from pricewar.market import definition, kernel, model
from pricewar.market.outcomes import MEASURES, Outcomes
from pricewar.market.why import dates, log, why

MARKETS = ("china-2024", "global-2025")
SMALL = {"market": "global-2025", "futures": 30, "months": 8}


def asks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every part of an answer, as the page gets it."""
    return [json.loads(written(part)) for part in war.answer(message, Job(1))]


# ---------------------------------------------------------------- levers


@pytest.mark.parametrize("market", MARKETS)
def test_a_lever_says_what_the_definition_says(market: str) -> None:
    text = definition.load(market)
    made = definition.market(text)
    entries = {e.where: e for e in text.entries}
    found = levers(text, made)
    assert len({lever.key for lever in found}) == len(found) > 60
    for lever in found:
        assert lever.low <= lever.value <= lever.high, lever.key
        assert lever.low < lever.high
        assert lever.scale in ("linear", "log", "switch")
        assert lever.scale != "log" or lever.low > 0
        assert lever.unit
        assert lever.meaning
        if lever.key.endswith(":x"):
            assert lever.value == 1.0
            assert lever.unit == "times"
            continue
        for name in lever.sets:
            for where in made.addresses(name):
                entry = entries.get(where)
                if entry is None or len(made.addresses(name)) > 1:
                    continue
                assert lever.value == entry.value
                assert lever.assumed == entry.assumed
                assert lever.because == entry.because
                assert lever.confidence == entry.confidence
                if entry.source:
                    assert lever.url == text.text.sources[entry.source].url
                    assert lever.read_on == str(text.text.sources[entry.source].read_on)
                if entry.low < entry.high:
                    assert lever.range == (entry.low, entry.high)
                    assert lever.low <= entry.low
                    assert lever.high >= entry.high


@pytest.mark.parametrize("market", MARKETS)
def test_every_lever_at_either_end_makes_a_market(market: str) -> None:
    world = WORLDS.world(market)
    for lever in world.levers.values():
        for value in (lever.low, lever.high):
            made = applied(world.market, world.levers, {lever.key: value})
            model.check(made)
            changed = any(
                not np.array_equal(a, b)
                for a, b in ((made.g, world.market.g), (made.v, world.market.v), (made.t, world.market.t))
            )
            ranges = made.uncertain != world.market.uncertain
            behind = [w for name in lever.sets for w in made.addresses(name.removesuffix(":x"))]
            nothing = all(made.get(*where) == 0.0 for where in behind)  # a multiple of nothing
            assert changed == (value != lever.value) or ranges or nothing, lever.key


def test_a_factor_keeps_what_is_uncertain() -> None:
    world = WORLDS.world("china-2024")
    made = applied(world.market, world.levers, {"war_chest:x": 2.0})
    was = {u.where: u for u in world.market.uncertain}
    for u in made.uncertain:
        times = 2.0 if u.where[-1] in ("cash", "reserve") else 1.0
        assert (u.low, u.high) == (was[u.where].low * times, was[u.where].high * times)
    assert len(made.uncertain) == len(was)
    seeds = range(20)
    k = kernel.V_CASH
    np.testing.assert_allclose(made.members(seeds)[1][:, :, k], 2 * world.market.members(seeds)[1][:, :, k])


@pytest.mark.parametrize("market", MARKETS)
def test_presets_are_within_their_levers(market: str) -> None:
    said = next(war.markets({"market": market}, Job(1)))
    known = {lever["key"]: lever for lever in said["levers"]}
    policies = [p for p in said["presets"] if p["kind"] == "policy"]
    assert {p["key"] for p in policies} >= {
        "portability", "price_floor", "data_sharing", "no_self_preferencing", "cap_on_raises", "deep_pockets",
        "free_tier_flood", "open_weights",
    }  # fmt: skip
    for preset in policies:
        for key, value in preset["levers"].items():
            assert known[key]["low"] <= value <= known[key]["high"]
            assert value != known[key]["value"]
    assert [p["market"] for p in said["presets"] if p["kind"] == "war"] == list(WORLDS.names())
    assert json.loads(written(said)) == json.loads(json.dumps(said))


BAD = [
    {"market": "nowhere"}, {"market": 1}, {"market": None}, {"market": "../../etc/passwd"},
    {"market": "textbook"},
    {"levers": 1}, {"levers": []}, {"levers": {"portabilty": 0.5}}, {"levers": {"portability": "0.5"}},
    {"levers": {"portability": True}}, {"levers": {"portability": None}}, {"levers": {"portability": 1.5}},
    {"levers": {"portability": -0.1}}, {"levers": {"portability": 1e400}}, {"levers": {"__class__": 1}},
    {"levers": {"deepseek.conduct": 3}}, {"levers": {"x" * 9999: 1}}, {"baseline": {"portability": 7}},
    {"levers": {f"x{n}": 1 for n in range(MOST + 1)}}, {"futures": 0}, {"futures": 1001}, {"futures": 1e9},
    {"futures": "10"}, {"futures": True}, {"seed": -1}, {"seed": 0.5}, {"seed": 2**64}, {"months": 0},
    {"months": 121}, {"conduct": 1}, {"conduct": "x" * 500},
]  # fmt: skip


@pytest.mark.parametrize("change", BAD, ids=range(len(BAD)))
def test_a_message_that_means_nothing_is_refused_in_words(change: dict[str, Any]) -> None:
    for handler in (war.answer, war_why.why, war_solve.solve):
        with pytest.raises(ConfigurationError) as told:
            list(handler(SMALL | change, Job(1)))
        assert told.value.what
        assert len(str(told.value)) < 2000


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(
    st.sampled_from(["market", "levers", "baseline", "futures", "seed", "months", "conduct", "base_id"]),
    JSON | st.dictionaries(st.sampled_from(["portability", "lever_from", "war_chest:x"]), JSON), max_size=4,
))  # fmt: skip
def test_any_message_is_answered_or_refused(change: dict[str, Any]) -> None:
    """Checked up to what would be run: nothing but an error on purpose comes of it."""
    message = parsed(json.dumps({"id": 1, "market": "global-2025"} | change))
    assert message is not None
    try:
        war.ensembles(war_runs.asked(message))
    except PricewarError as error:
        written({"error": {"what": error.what, "where": error.where, "remedy": error.remedy}})


# ---------------------------------------------------------------- the answer


def bands(value: Any) -> Iterator[dict[str, list[float | None]]]:
    if isinstance(value, dict):
        if set(value) == {"median", "low", "high", "low50", "high50"}:
            yield value
        else:
            for each in value.values():
                yield from bands(each)


def test_an_answer_is_whole_and_its_bands_are_in_order() -> None:
    first, *_, last = asks(SMALL | {"levers": {"portability": 0.8}, "seed": 11})
    assert first["futures"] == FIRST
    assert last["futures"] == last["of"] == 30
    assert last["months"] == list(range(1, 9))
    vendors = [v["key"] for v in last["vendors"]]
    for part in (first, last):
        for name in ("light_price", "flagship_price", "share", "cash", "runway", "allowance", "profit"):
            assert list(part["series"][name]) == vendors
        every = list(bands(part))
        assert len(every) > 100
        for band in every:
            for row in zip(*(band[n] for n in ("low", "low50", "median", "high50", "high")), strict=True):
                known = [x for x in row if x is not None]
                assert len(known) in (0, 5)
                assert all(a <= b for a, b in pairwise(known))
        assert {k["key"] for k in part["kpis"]} <= set(MEASURES)
        for kpi in part["kpis"]:  # one number each: an upper end was once that of all of them
            ends = [kpi[name] for name in ("value", "low", "high", "base", "change")]
            assert all(x is None or isinstance(x, int | float) for x in ends), kpi["key"]
        for shares in part["winners"].values():
            assert sum(shares.values()) <= 1.001
        assert set(part["base"]) == {"series", "leaves", "market_series", "roi", "winners", "stages"}
        assert len(part["stages"]["market"]) == 8
    assert last["moved"] == {"portability": 0.8}
    assert last["conduct"] == "held"


def test_a_figure_is_that_of_the_market_itself() -> None:
    """Every part against `Outcomes` on a run of its own."""
    made = replace(WORLDS.world("global-2025").market.with_({"portability": 0.8}), months=8)
    part = asks(SMALL | {"levers": {"portability": 0.8}, "seed": 23})[-1]
    o = Outcomes(model.simulate(made, range(23, 53)))
    for tier in ("light", "flagship"):
        for j, vendor in enumerate(made.vendors):
            with np.errstate(all="ignore"):
                expected = np.nanmedian(o.price(tier)[:, :, j], axis=0)
            got = np.array(part["series"][f"{tier}_price"][vendor]["median"], dtype=float)
            np.testing.assert_allclose(got, expected, rtol=5.1e-5)  # five digits
    kpi = {k["key"]: k for k in part["kpis"]}
    assert kpi["hhi"]["value"] == pytest.approx(np.median(o.value("hhi")), rel=5.1e-5)


def test_the_first_futures_are_the_same_every_time() -> None:
    one = asks(SMALL | {"seed": 5, "levers": {"data_sharing": 0.5}})[0]
    few = asks(SMALL | {"seed": 5, "levers": {"data_sharing": 0.5}, "futures": FIRST})[-1]
    assert one["futures"] == few["futures"] == FIRST
    for name in ("series", "market_series", "winners", "kpis", "stages"):
        assert one[name] == few[name]


def test_the_first_answer_is_no_smaller_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(war_runs, "cores", lambda: 1)
    assert asks(SMALL | {"seed": 41})[0]["futures"] == FIRST


def test_nothing_moved_changes_nothing() -> None:
    part = asks(SMALL | {"levers": {"portability": 0.0}, "seed": 3})[-1]
    assert part["moved"] == {}
    assert all(k["change"] is None and k["value"] == k["base"] and not k["clear"] for k in part["kpis"])
    assert part["series"] == part["base"]["series"]


def test_the_baseline_is_sent_once() -> None:
    part = asks(SMALL | {"levers": {"portability": 0.8}, "baseline": {"price_floor": 1.0}, "seed": 4})[-1]
    assert part["base"]
    again = asks(SMALL | {"levers": {"portability": 0.5}, "baseline": {"price_floor": 1.0}, "seed": 4,
                          "base_id": part["base_id"]})[-1]  # fmt: skip
    assert again["base_id"] == part["base_id"]
    assert again["base"] is None
    other = asks(SMALL | {"levers": {"portability": 0.5}, "seed": 4, "base_id": part["base_id"]})[-1]
    assert other["base_id"] != part["base_id"]
    assert other["base"]


def test_history_is_laid_over_its_own_war_only() -> None:
    assert asks(SMALL | {"futures": 2})[-1]["history"] is None
    history = asks({"market": "china-2024", "futures": 2, "months": 6})[-1]["history"]
    assert history["opener"] == "deepseek"
    assert history["moved"]["zhipu"] == 5  # DeepSeek-V2 on 6 May 2024, Zhipu's cut on 11 May
    steps = history["prices"]["light"]["baidu"]
    assert steps[-1] == {"day": 15, "low": 0.0, "high": 0.0}  # free from 21 May
    assert len(history["stages"]["market"]) == 6


def test_conduct_that_is_no_longer_known_is_held() -> None:
    part = asks(SMALL | {"conduct": "solved-0123", "futures": 2})[-1]
    assert part["conduct"] == "held"
    assert part["solved_for"] is None


def test_an_answer_that_is_not_wanted_stops() -> None:
    job = Job(1)
    parts = war.answer(SMALL | {"futures": 1000, "seed": 77}, job)
    next(parts)
    job.cancel()
    assert list(parts) == []
    assert RUNS.get(WORLDS.world("global-2025"), {}, 77, 8).done < 1000


def test_two_at_once_share_their_baseline() -> None:
    found: dict[float, dict[str, Any]] = {}

    def ask(value: float) -> None:
        found[value] = asks(SMALL | {"levers": {"portability": value}, "seed": 31})[-1]

    threads = [threading.Thread(target=ask, args=(v,)) for v in (0.2, 0.4, 0.6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({p["base_id"] for p in found.values()}) == 1
    for value, part in found.items():
        assert part["kpis"] == asks(SMALL | {"levers": {"portability": value}, "seed": 31})[-1]["kpis"]


def test_figures_just_made_are_given_though_others_crowd_them_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may make other figures of the same futures in between."""

    class Crowded(OrderedDict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            super().__setitem__(key, value)
            self.clear()

    made = war_runs.Ensemble(WORLDS.world("global-2025").market, 0, "mine")
    made._made = Crowded()
    monkeypatch.setattr(made, "_joined", lambda futures: futures)
    monkeypatch.setattr(war_runs, "Outcomes", lambda run, _: (run,))
    assert made.outcomes(7) == (7,)


def test_figures_measured_from_a_baseline_are_never_taken_for_another_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The baseline stays as long as they do: what is new never has the identity of what is gone."""
    market = WORLDS.world("global-2025").market
    mine, base = (war_runs.Ensemble(market, 0, key) for key in ("mine", "base"))
    for each in (mine, base):
        monkeypatch.setattr(each, "_joined", lambda futures: futures)
    monkeypatch.setattr(war_runs, "Outcomes", lambda run, _: (run,))
    mine.outcomes(7, base)
    there = weakref.ref(base)
    monkeypatch.undo()
    del base, each
    gc.collect()
    assert there() is not None


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(war_runs, "KEPT", 4_000_000)
    for n in range(150):
        asks({"market": "global-2025", "futures": 4, "months": 3, "levers": {"portability": n / 1000}})
        assert len(RUNS._known) <= 64
    assert RUNS.size <= 4_000_000 + 2 * 30 * RUNS.get(WORLDS.world("global-2025"), {}, 0, 8).bytes_each


def test_a_market_of_ones_own_with_hostile_names_stays_text(tmp_path: Path) -> None:
    source = Path(definition.__file__).parent / "markets" / "global-2025.yaml"
    name = "<script>alert(1)</script>\\x1b[31m\\u202e"
    text = source.read_text(encoding="utf-8")
    assert "name: OpenAI" in text
    file = tmp_path / "mine.yaml"
    file.write_text(
        text.replace("name: OpenAI", f'name: "{name}"').replace("market: global-2025", "market: mine", 1),
        encoding="utf-8",
    )
    key = WORLDS.give(file)
    try:
        assert key == "mine"
        assert WORLDS.names()[0] == "mine"
        sent = written(next(war.markets({"market": "mine"}, Job(1))))
        assert "<script>alert(1)</script>␛[31m⟨U+202E⟩" in sent
        assert "\x1b" not in sent
        assert "\\u001b" not in sent
        part = asks({"market": "mine", "futures": 2, "months": 2})[-1]
        assert part["history"] is None
    finally:
        WORLDS._given.clear()
        WORLDS._made.pop("mine")


# ---------------------------------------------------------------- why


def test_one_lever_explains_everything() -> None:
    told = list(war_why.why(SMALL | {"levers": {"portability": 0.8}, "outcome": "bills", "seed": 7}, Job(1)))
    last = told[-1]
    assert last["levers"] == last["undone"] == 1
    assert last["parts"][0]["change"] == pytest.approx(last["total"]["change"], rel=1e-4)
    assert last["rest"]["change"] == pytest.approx(0.0, abs=1e-9)
    assert told[0]["parts"][0]["change"] is None
    assert told[0]["rest"] is None


def test_parts_and_rest_sum_to_the_whole() -> None:
    moved = {"portability": 0.8, "price_floor": 1.0, "war_chest:x": 0.3}
    message = SMALL | {"levers": moved, "baseline": {"price_floor": 0.5}, "outcome": "light_end", "seed": 7}
    *_, last = war_why.why(message, Job(1))
    assert [p["key"] for p in last["parts"]] == sorted(moved)
    assert {p["key"]: p["base"] for p in last["parts"]} == {
        "portability": 0,
        "price_floor": 0.5,
        "war_chest:x": 1,
    }
    parts = sum(p["change"] for p in last["parts"])
    assert parts + last["rest"]["change"] == pytest.approx(last["total"]["change"], abs=2e-5)
    for row in (*last["parts"], last["total"], last["rest"]):
        assert row["low"] <= row["change"] <= row["high"]


def test_an_unknown_outcome_is_refused() -> None:
    for name in ("hh", 1, None, ["hhi"]):
        with pytest.raises(ConfigurationError, match="no such outcome"):
            list(war_why.why(SMALL | {"outcome": name}, Job(1)))


@pytest.fixture(scope="module")
def pair() -> tuple[Outcomes, Outcomes]:
    world = WORLDS.world("china-2024")
    base = Outcomes(model.simulate(world.market, range(12)))
    moved = world.market.with_({"portability": 1.0, "price_floor": 1.0})
    return base, Outcomes(model.simulate(moved, range(12)), base)


def test_the_parts_of_a_change_are_means_future_by_future(pair: tuple[Outcomes, Outcomes]) -> None:
    base, mine = pair
    found = why(base, mine, {"all": base}, "hhi")
    a, b = base.value("hhi").mean(), mine.value("hhi").mean()
    assert found.total.change == pytest.approx(b / a - 1)
    assert found.parts[0].change == pytest.approx(b / a - 1)
    assert found.rest.change == pytest.approx(0.0, abs=1e-12)
    points = why(base, mine, {}, "exits")
    assert points.total.change == pytest.approx(mine.value("exits").mean() - base.value("exits").mean())
    few = why(base, mine, {}, "harvest_month")
    assert few.known < 5 or math.isfinite(few.total.change)
    assert few.known >= 5 or math.isnan(few.total.low)


def test_events_happen_when_the_run_says(pair: tuple[Outcomes, Outcomes]) -> None:
    base, _ = pair
    found = dates(base)
    k = base._k
    for j, vendor in enumerate(base.market.vendors):
        if not base.inside[j]:
            assert ("leaves", vendor) not in found
            continue
        for n in range(base.N):
            gone = np.flatnonzero(base.run.vendor["status"][n, :, j] == k.GONE)
            np.testing.assert_equal(found["leaves", vendor][n], gone[0] + 1 if gone.size else np.nan)
            below = np.flatnonzero(base.selling_below_cost[n, :, j])
            np.testing.assert_equal(found["below_cost", vendor][n], below[0] + 1 if below.size else np.nan)
            stops = found["stops_below_cost", vendor][n]
            if np.isfinite(stops):
                assert stops == below[-1] + 2
                assert base.active[n, below[-1] + 1, j]
        opened = [n for n in range(base.N) if base.opener[n] == j]
        assert np.flatnonzero(np.isfinite(found["opens", vendor])).tolist() == opened
    rows = log(base, base)
    assert rows
    assert all(e.share == e.base_share and e.share >= 0.1 for e in rows)
    assert all(e.later == 0.0 for e in rows)
    assert [e.month for e in rows] == sorted(e.month for e in rows)


# ---------------------------------------------------------------- solve


def test_a_solve_is_asked_for_by_its_key_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search itself is `conduct.solve` (tests/laws); here what is made of its answer."""
    asked: list[str] = []

    def found(work: Any, arguments: tuple[Any, ...], job: Job) -> Iterator[tuple[str, Any]]:
        market = arguments[0]
        asked.append(market.name)
        yield "progress", 10
        invest = 0.25 if market.get("market", "portability") else 0.5
        yield "done", ([(f"{v}.invest", invest) for v in market.vendors[:2]], {"solved": True})

    monkeypatch.setattr(war_solve, "run", found)
    monkeypatch.setattr(war_solve, "_FOUND", type(war_solve._FOUND)())
    monkeypatch.setattr(war_solve, "_PAIRS", type(war_solve._PAIRS)())
    message = SMALL | {"levers": {"portability": 0.75}, "futures": 3}
    said = list(war_solve.solve(message, Job(1)))
    assert len(said) == 1
    assert said[0]["conduct"]["openai"] == {"invest": 0.25}
    assert said[0]["base_conduct"]["openai"] == {"invest": 0.5}
    assert len(asked) == 2
    assert list(war_solve.solve(message, Job(1))) == said
    assert len(asked) == 2  # kept
    part = asks(message | {"conduct": said[0]["key"]})[-1]
    assert part["conduct"] == said[0]["key"]
    assert part["solved_for"] == {"levers": {"portability": 0.75}, "baseline": {}}
    held = asks(message)[-1]
    assert held["base_id"] != part["base_id"]
    moved_on = asks(message | {"levers": {"portability": 0.5}, "conduct": said[0]["key"]})[-1]
    assert moved_on["solved_for"]["levers"] == {"portability": 0.75}  # held as it was solved
    elsewhere = asks({"market": "china-2024", "futures": 1, "months": 1, "conduct": said[0]["key"]})[-1]
    assert elsewhere["conduct"] == "held"


def test_the_search_in_its_own_process_is_the_search_here(monkeypatch: pytest.MonkeyPatch) -> None:
    from pricewar.market import conduct

    world = WORLDS.world("global-2025")
    market = replace(world.market, months=3)
    reports: list[int] = []
    monkeypatch.setattr(war_solve, "SEEDS", 1)
    monkeypatch.setattr(war_solve, "SWEEPS", 3)
    choices, quality = war_solve.work(market, reports.append)
    direct = conduct.solve(market, range(1), starts=(None,), sweeps=3, richer=0)
    for key, value in choices:
        vendor, _, name = key.rpartition(".")
        assert value == direct.profile.choices[market.vendors.index(vendor)][conduct.CHOICES.index(name)]
    assert quality["evaluations"] == direct.evaluations <= war_solve._most(market)
    assert reports
    assert market.with_(dict(choices)).get("vendor", "openai", "invest") >= 0


def test_an_error_keeps_its_words_between_processes() -> None:
    import pickle

    error = DataError("what", where="where", remedy="remedy")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.what, again.where, again.remedy) == (DataError, "what", "where", "remedy")


def test_an_opening_is_held_first_and_then_decided_anew() -> None:
    """In a market that begins in peace: with the opening held nothing else differs."""
    message = {"market": "china-2024", "futures": 20, "months": 8, "seed": 5}
    base = asks(message)[-1]
    # A month from which rules hold that are not there changes nothing: held or decided, it is the baseline.
    first, held, decided = asks(message | {"levers": {"lever_from": 3.0}, "base_id": base["base_id"]})
    assert [(p["futures"], p["openings"], p["whole"]) for p in (first, held, decided)] == [
        (FIRST, "held", False), (20, "held", False), (20, "decided", True)
    ]  # fmt: skip
    for part in (held, decided):
        assert part["series"] == base["series"]
        assert part["market_series"] == base["market_series"]
        assert part["stages"] == base["stages"]
    # Open weights at their best bring the opening forward: to be seen only once it is decided.
    message |= {"levers": {"fringe_lag": 0.0, "fringe_markup": 0.0}, "months": 24}
    asks(message | {"levers": {}})
    *_, held, decided = asks(message)
    opening = {p["openings"]: next(k for k in p["kpis"] if k["key"] == "opening") for p in (held, decided)}
    assert opening["held"]["change"] is None
    assert opening["held"]["value"] == opening["held"]["base"]
    assert opening["decided"]["change"] is not None
    assert opening["decided"]["value"] != opening["decided"]["base"]
    assert held["market_series"] != decided["market_series"]
    # Asked again, it is known and nothing is held.
    assert {p["openings"] for p in asks(message)} == {"decided"}
