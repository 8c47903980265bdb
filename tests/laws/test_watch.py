"""What is due: nothing where nothing changes, a rise known and near, real months as they were."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watch_world import catalogue, daily, log, version

from pricewar.advice import team as teams
from pricewar.advice.strategies import costs_of
from pricewar.advice.surfaces import Response
from pricewar.advice.watch import Settings, watch
from pricewar.advice.watch_better import Search, leaving
from pricewar.advice.watch_plan import SavedPlan, read_plan
from pricewar.advice.watch_result import Finding, Watched
from pricewar.advice.watch_terms import Bench, Watching, midnight
from pricewar.errors import ConfigurationError, DataError
from pricewar.offers.catalogue import Catalogue, load_catalogue
from pricewar.usage.log import Log

DAY = timedelta(days=1)
FIRST = date(2026, 6, 1)
MONTH = Fraction(487, 16)  # 365.25 / 12 days
ONE = "rates: [{input: 1, output: 4}]"
WORK = daily(FIRST, 28, 10)  # 10 requests a day of 1,000 and 500 tokens: 0.003 USD each at input 1, output 4


def due(found: Watched) -> list[Finding]:
    return found.due


def keys(found: Watched) -> list[str]:
    return [f.key for f in found.due]


def only(found: Watched, key: str) -> Finding:
    (one,) = [f for f in found.findings if f.key == key]
    return one


# --- laws ---------------------------------------------------------------------------------------------------


@given(
    days=st.integers(2, 28),
    each=st.integers(1, 30),
    within=st.integers(1, 365),
    wait=st.integers(0, 60),
    limit=st.sampled_from(["", "limits: [{meters: requests, amount: 40, per: day}]"]),
    planned=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_nothing_is_due_where_nothing_changes(
    days: int, each: int, within: int, wait: int, limit: str, planned: bool
) -> None:
    work = daily(FIRST, days, each)
    day = FIRST + (days + wait) * DAY
    market = catalogue(day, [version(f"{ONE}\n    {limit}")])
    plan = a_plan(start=day) if planned else None
    offers = () if planned else ("ant/one",)
    found = watch(
        work, market, plan=plan, offers=offers, settings=Settings(within=within, read_within=10_000)
    )
    assert found.due == []


@given(
    told=st.integers(-40, 40),
    notice=st.integers(0, 60),
    within=st.integers(1, 60),
    tenths=st.integers(11, 90),
)
@settings(max_examples=60, deadline=None)
def test_a_rise_is_due_once_it_is_known_and_near(told: int, notice: int, within: int, tenths: int) -> None:
    """Announced `told` days after the day (before it, if negative), in force `notice` days later."""
    day = FIRST + 28 * DAY
    announced = day + told * DAY
    force = announced + notice * DAY
    times = Fraction(tenths, 10)
    dear = f"rates: [{{input: {tenths / 10}, output: {tenths * 4 / 10}}}]"
    market = catalogue(day, [version(ONE), version(dear, force, announced=announced)])
    found = watch(WORK, market, offers=["ant/one"], settings=Settings(within=within))
    # midnight of the day counts as past: what is in force from it on is news of the last seven days
    near = announced <= day and -7 < (force - day).days <= within
    assert keys(found) == (["rise"] if near else [])
    if near:
        rise = only(found, "rise")
        assert rise.by == force
        assert rise.severity == ("now" if force <= day else "soon")
        assert rise.amount is not None
        assert rise.amount.mid == 10 * Fraction(3, 1000) * (times - 1) * MONTH


@given(within=st.integers(1, 40), gone=st.integers(-20, 40), known=st.booleans())
@settings(max_examples=40, deadline=None)
def test_an_end_is_due_once_it_is_known_and_near(within: int, gone: int, known: bool) -> None:
    day = FIRST + 28 * DAY
    end = day + gone * DAY
    told = day - 20 * DAY if known else day + 1 * DAY
    more = (
        f"ends:\n  - id: ant/one\n    on: {end}\n    announced: {told}\n    recorded: {told}\n"
        "    sources: [{url: 'https://example.org', read_on: 2026-06-01}]\n"
    )
    market = catalogue(day, [version(ONE)], more)
    found = watch(WORK, market, offers=["ant/one"], settings=Settings(within=within))
    if not known:
        assert found.due == []
    elif gone <= -7:
        assert keys(found) == ["gone"]
    elif gone <= within:
        assert keys(found) == ["ends"]
        assert only(found, "ends").by == end
    else:
        assert found.due == []


def test_terms_that_change_nothing_for_this_work_are_a_note() -> None:
    day = FIRST + 28 * DAY
    dearer_search = "rates: [{input: 1, output: 4, search: 10}]"
    found = watch(WORK, catalogue(day, [version(ONE), version(dearer_search, day + 3 * DAY, announced=day)]),
                  offers=["ant/one"])  # fmt: skip
    assert found.due == []
    assert only(found, "terms").amount is not None
    cheaper = version("rates: [{input: 0.5, output: 2}]", day + 3 * DAY, announced=day)
    found = watch(WORK, catalogue(day, [version(ONE), cheaper]), offers=["ant/one"])
    assert found.due == []
    fall = only(found, "fall")
    assert fall.amount is not None
    assert fall.amount.mid == -10 * Fraction(15, 10000) * MONTH


UNPUBLISHED = "limits: [{per: minute, meters: [requests], amount: unknown}]"


def test_an_unpublished_limit_is_not_said_to_serve_nothing() -> None:
    """What is certain and what may be: nobody has seen it refuse anything."""
    day = FIRST + 28 * DAY
    silent = version(f"{ONE}\n    {UNPUBLISHED}", day - DAY, announced=day - DAY)
    found = watch(WORK, catalogue(day, [version(ONE), silent]), offers=["ant/one"])
    tighter = only(found, "tighter")
    assert (tighter.args["served_after"], tighter.args["served_after_most"]) == (0, 1)
    certain = "it serves 0% of the requests for certain, 100% if no unpublished limit binds, before 100%"
    assert tighter.what.endswith(certain)
    gone = {
        "when": "it serves nothing any more",
        "then": "leave",
        "threshold": None,
        "key": "gone",
        "args": {},
    }
    plan = a_plan(triggers=[gone], monthly=100)
    planned = watch(WORK, catalogue(day, [version(ONE), silent]), plan=plan)
    assert "trigger" not in keys(planned)
    nothing = version(f"{ONE}\n    limits: [{{per: day, meters: [requests], amount: 0}}]", day - DAY)
    refused = watch(WORK, catalogue(day, [version(ONE), nothing]), plan=plan)
    assert only(refused, "trigger").what == "reached: it serves nothing any more"


def test_old_sources_are_due() -> None:
    day = FIRST + 28 * DAY  # read on 2026-06-01, 28 days before
    market = catalogue(day, [version(ONE)])
    assert keys(watch(WORK, market, settings=Settings(read_within=28))) == []
    assert keys(watch(WORK, market, settings=Settings(read_within=27))) == ["stale"]


def test_what_cannot_be_watched_is_said() -> None:
    day = FIRST + 28 * DAY
    found = watch(daily(FIRST, 28, 2, model="nobody-knows-it"), catalogue(day, [version(ONE)]))
    assert only(found, "unlisted").args["model"] == "nobody-knows-it"
    market = catalogue(
        day, [version("rates: [{input: 0}]\n    limits: [{meters: requests, amount: unknown, per: day}]")]
    )
    assert "not published" in only(watch(WORK, market, offers=["ant/one"]), "unpublished").what


def test_the_same_work_is_watched_the_same_in_any_order_of_offers_and_gives_stable_json() -> None:
    day = FIRST + 28 * DAY
    rise = version("rates: [{input: 2, output: 8}]", day + 9 * DAY, announced=day)
    market = catalogue(day, [version(ONE), rise])
    one, two = (watch(WORK, market, offers=["ant/one"]).document() for _ in range(2))
    assert json.dumps(one) == json.dumps(two)
    assert one["format"] == 1
    (found,) = [f for f in one["findings"] if f["severity"] != "note"]
    assert set(found) == {"key", "severity", "offer", "what", "do", "by", "amount_a_month", "sources", "args"}
    # 10 requests a day, 0.003 USD more each, 30.4375 days
    assert found["amount_a_month"] == {"low": "0.913125", "mid": "0.913125", "high": "0.913125"}


# --- allowances, limits, refusals ---------------------------------------------------------------------------


def test_a_gift_that_runs_out_costs_what_comes_after() -> None:
    # 280 requests of 1,500 tokens are used of 300 × 1,500; 20 are left: at 10 a day two days, from 06-29 on
    terms = f"{ONE}\n    allowances: [{{unit: tokens, amount: 450000}}]"
    day = FIRST + 28 * DAY
    found = watch(WORK, catalogue(day, [version(terms, kind="grant")]), offers=["ant/one"])
    gift = only(found, "allowance")
    assert (gift.severity, gift.by) == ("soon", date(2026, 7, 1))
    assert gift.args["runs_out"] == "2026-07-01 00:00"
    assert gift.amount is not None
    assert gift.amount.mid == 10 * Fraction(3, 1000) * MONTH  # all of it paid, where all was free
    # seen from 2026-07-20 with the same log it has run out, if the rate has held
    later = watch(WORK, catalogue(date(2026, 7, 20), [version(terms, kind="grant")]), offers=["ant/one"])
    assert only(later, "allowance").severity == "now"
    assert only(later, "log_old")


def test_a_gift_that_expires_first() -> None:
    terms = f"{ONE}\n    allowances: [{{unit: tokens, amount: 9000000, expires_after: {{days: 40}}}}]"
    day = FIRST + 28 * DAY
    market = catalogue(day, [version(terms, kind="grant")])
    found = watch(WORK, market, offers=["ant/one"])
    # begun with the first request, a minute past midnight of 06-01: void on 07-11; by then 40 × 10 × 1,500
    # tokens of 9 M are used, 8.4 M are not
    assert keys(found) == ["expires"]
    void = only(found, "expires")
    assert void.by == date(2026, 7, 11)
    assert round(void.args["unused"], -4) == 8_400_000
    began = datetime(2026, 5, 15, tzinfo=UTC)
    told = watch(WORK, market, offers=["ant/one"], settings=Settings(began=began))
    assert only(told, "expires").by == date(2026, 6, 24)
    assert only(told, "expires").severity == "now"


def test_a_limit_of_a_day_and_refusals_that_rise() -> None:
    # 10 a day for three weeks, then 30: of a limit of 20, a third is refused in the last week
    work = daily(FIRST, 28, lambda d: 10 if d < 21 else 30)
    terms = "rates: [{input: 0, output: 0}]\n    limits: [{meters: requests, amount: 20, per: day}]"
    day = FIRST + 28 * DAY
    market = catalogue(day, [version(terms, kind="free"), version(ONE, id="ant/paid")])
    found = watch(work, market, offers=["ant/one"])
    assert keys(found) == ["limit", "refused"] or keys(found) == ["refused", "limit"]
    refused = only(found, "refused")
    assert refused.args["share"] == Fraction(1, 3)
    assert refused.args["expected"] == 0
    assert refused.amount is not None
    # 10 refused a day go back to where they were logged: 0.003 USD each
    assert refused.amount.mid == pytest.approx(10 * Fraction(3, 1000) * MONTH, rel=0.01)
    assert only(found, "limit").args["days_over"] == 7
    # a plan that expects a third to be refused has nothing to say
    expected = a_plan(start=day, served=0.66)
    assert watch(work, market, plan=expected).due == []


# --- the plan -----------------------------------------------------------------------------------------------


def a_plan(
    start: date = FIRST,
    *,
    offer: str = "ant/one",
    served: float = 1.0,
    monthly: float = 0.5,
    looks: list[dict[str, Any]] | None = None,
    triggers: list[dict[str, Any]] | None = None,
    **more: Any,
) -> SavedPlan:
    data = plan_document(start, offer, served, monthly, looks or [], triggers or []) | more
    path = Path(__import__("tempfile").mkdtemp()) / "plan.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return read_plan(path)


def plan_document(
    start: date,
    offer: str = "ant/one",
    served: float = 1.0,
    monthly: float = 0.5,
    looks: list[dict[str, Any]] | None = None,
    triggers: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    rise = {"months": 0, "leaving": 100.0, "share": 0.5, "monthly": monthly, "to": "bee/one"}
    later = {**rise, "months": 6, "monthly": 10 * monthly}
    candidate = {"offer": offer, "today": 0.9, "refused": 0.0, "served": served, "verdict": "acceptable"}
    return {
        "start": start.isoformat(),
        "currency": "USD",
        "months": 36,
        "recommended": "stay",
        "only": [],
        "candidates": [candidate],
        "assumptions": [],
        "evidence": None,
        "plan": {
            "begin": offer,
            "agreed": 1.0,
            "triggers": triggers or [],
            "look_again": looks or [],
            "rises": [rise, later],
        },
    }


@pytest.mark.parametrize(("monthly", "reached"), [(0.9, True), (0.92, False)])
def test_the_rise_at_which_to_leave(monthly: float, reached: bool) -> None:
    # the price doubles: 10 × 0.003 × 30.4375 = 0.913125 USD a month more
    day = FIRST + 28 * DAY
    rise = version("rates: [{input: 2, output: 8}]", day + 5 * DAY, announced=day - DAY)
    market = catalogue(day, [version(ONE), rise])
    found = watch(WORK, market, plan=a_plan(monthly=monthly))
    assert ("trigger" in keys(found)) is reached
    assert "rise" in keys(found)
    if reached:
        trigger = only(found, "trigger")
        assert (trigger.severity, trigger.by) == ("soon", day + 5 * DAY)
        assert trigger.do == "leave for bee/one"
        # after six months of use leaving costs more, and ten times the rise is needed
    half_a_year = catalogue(date(2026, 12, 2), [version(ONE), rise])
    later = watch(WORK, half_a_year, plan=a_plan(monthly=monthly), settings=Settings(read_within=999))
    assert "trigger" not in keys(later)


def test_growth_of_the_work_is_no_rise() -> None:
    day = FIRST + 28 * DAY
    found = watch(daily(FIRST, 28, 200), catalogue(day, [version(ONE)]), plan=a_plan(monthly=0.01))
    assert found.due == []


def test_days_and_months_that_the_plan_named() -> None:
    day = FIRST + 28 * DAY
    looks = [
        {"month": m, "day": d, "left": 0.1, "why": "by then it is retired", "key": "retired"}
        for m, d in ((1, "2026-06-20"), (2, "2026-07-15"), (9, "2027-03-01"))
    ]
    trigger = {"when": "month 1 of the free offer", "then": "leave", "threshold": 1.0, "key": "month",
               "args": {"month": 1}}  # fmt: skip
    plan = a_plan(looks=looks, triggers=[trigger])
    found = watch(WORK, catalogue(day, [version(ONE)]), plan=plan)
    assert [(f.key, f.severity, f.by) for f in found.due] == [
        ("look_again", "now", date(2026, 6, 20)),
        ("trigger", "soon", date(2026, 7, 1)),
        ("look_again", "soon", date(2026, 7, 15)),
    ]


def test_the_plan_says_what_to_do_when_terms_turn() -> None:
    day = FIRST + 28 * DAY
    turns = {
        "when": "its free or introductory terms end",
        "then": "leave at once (so in 90% of the futures)",
        "threshold": None,
        "key": "turns",
        "args": {"state": "ended", "stay": False, "share": 0.9},
    }
    versions = [
        version(ONE, kind="introductory"),
        version("rates: [{input: 2, output: 8}]", day + 5 * DAY, announced=day),
    ]
    found = watch(WORK, catalogue(day, versions), plan=a_plan(triggers=[turns], monthly=100))
    rise = only(found, "rise")
    assert "introductory price ends" in rise.what
    assert rise.do == "the plan says: leave at once (so in 90% of the futures); for bee/one"


def test_a_change_where_the_plan_would_go_is_a_note() -> None:
    day = FIRST + 28 * DAY
    market = catalogue(
        day,
        [
            version(ONE),
            version(ONE, id="bee/one"),
            version("rates: [{input: 2, output: 8}]", day + 5 * DAY, id="bee/one", announced=day),
        ],
    )
    found = watch(WORK, market, plan=a_plan())
    assert found.due == []
    assert only(found, "rise").offer == "bee/one"


def test_the_end_of_what_takes_the_rest_is_due() -> None:
    """What the plan's offers refuse goes as logged: where that ends, another must take it."""
    day = FIRST + 28 * DAY
    more = (
        f"ends:\n  - id: bee/list\n    on: {day + 9 * DAY}\n    announced: {day}\n    recorded: {day}\n"
        "    sources: [{url: 'https://example.org', read_on: 2026-06-01}]\n"
    )
    logged = version(ONE, id="bee/list").replace("m-one", "m-two")
    market = catalogue(day, [version(ONE), logged], more)
    found = watch(daily(FIRST, 28, 10, model="m-two"), market, plan=a_plan(start=day))
    assert [(i.offer, i.role) for i in found.items] == [("ant/one", "plan"), ("bee/list", "rest")]
    assert [(f.key, f.offer, f.by, f.amount) for f in found.due] == [
        ("ends", "bee/list", day + 9 * DAY, None)
    ]


def test_the_plan_reads_what_advise_writes() -> None:
    from advice_world import advise, team

    advice = advise(["ant/one", "bee/one", "cat/one"], team())
    path = Path(__import__("tempfile").mkdtemp()) / "plan.json"
    path.write_text(json.dumps(advice.document(), default=str), encoding="utf-8")
    plan = read_plan(path)
    assert plan.offers == (advice.plan.begin,)
    assert [r.monthly for r in plan.rises] == [r.monthly for r in advice.plan.rises]
    assert [(x.day, x.key) for x in plan.looks] == [(x.day, x.key) for x in advice.plan.look_again]
    assert [t.then for t in plan.triggers] == [t.then for t in advice.plan.triggers]
    assert plan.told  # the made-up team says much


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plan": None}, "`plan`"),
        ({"start": "soon"}, "`start`"),
        ({"months": "36"}, "`months`"),
        ({"candidates": [{}]}, "`candidates[0].today`"),
        (
            {"candidates": [{"today": float("nan"), "refused": 0, "served": 1, "offer": "a/b"}]},
            "`candidates[0]",
        ),
        (
            {"plan": {"begin": "a/b", "triggers": [], "look_again": [{"month": 1}], "rises": []}},
            "look_again[0]",
        ),
        ({"plan": {"begin": 7, "triggers": [], "look_again": [], "rises": []}}, "`plan.begin`"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_by_key(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan_document(FIRST) | change), encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_plan(path)
    assert said in str(error.value)
    path.write_bytes(b"\xff{")
    with pytest.raises(DataError, match="not JSON"):
        read_plan(path)


def test_a_day_before_the_plan_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="before the plan"):
        watch(WORK, catalogue(date(2026, 5, 30), [version(ONE)]), plan=a_plan())


# --- a better offer -----------------------------------------------------------------------------------------


def search(market: Catalogue, extra: str = "", quality: str = "quality: {margin: none}") -> Search:
    given_team = teams.of(f"engineer_day: 10\n{quality}\n{extra}")
    return Search(given_team, [o for o in market.offers.values() if o.own])


def test_a_better_offer_pays_its_move() -> None:
    # ant/one costs 10 × 3 × 30.4375 = 913.125 USD a month (prices × 1,000), bee/one half of it. A move takes
    # 2 + 3 + 2 + 1 + 0 = 8 days of 10 USD: 80 USD, paid back in 80 / 456.5625 months; 36 months are left.
    thousand = "rates: [{input: 1000, output: 4000}]"
    half = version("rates: [{input: 500, output: 2000}]", id="bee/one").replace("vendor: ant", "vendor: bee")
    day = FIRST + 28 * DAY
    market = catalogue(day, [version(thousand), half])
    found = watch(WORK, market, offers=["ant/one"], settings=Settings(search=search(market)))
    better = only(found, "better")
    assert better.offer == "bee/one"
    assert better.severity == "now"
    assert better.args["saves_a_month"] == Fraction(9131250, 20000)
    assert better.args["move"] == 80
    assert better.args["net_a_month"] == Fraction(9131250, 20000) - Fraction(80, 36)
    # a day of 10,000 USD makes the same move cost 80,000: more than 36 months save
    dear = Search(teams.of("engineer_day: 10000\nquality: {margin: none}"), list(market.offers.values()))
    kept = watch(WORK, market, offers=["ant/one"], settings=Settings(search=dear))
    assert [f for f in kept.findings if f.key == "better" and f.offer == "bee/one"] == []
    # beside a plan of that day it is no news; beside one that never saw its terms it is
    known = a_plan(start=day, excluded=[{"offer": "bee/one", "why": "dearer"}])
    again = watch(WORK, market, plan=known, settings=Settings(search=search(market)))
    assert [f for f in again.findings if f.key == "better"] == []
    news = watch(WORK, market, plan=a_plan(start=day), settings=Settings(search=search(market)))
    assert only(news, "better").offer == "bee/one"


def test_what_evidence_does_not_decide_is_never_proposed_and_counted() -> None:
    half = version("rates: [{input: 500, output: 2000}]", id="bee/one").replace("[m-one]", "[m-two]")
    day = FIRST + 28 * DAY
    market = catalogue(day, [version("rates: [{input: 1000, output: 4000}]"), half])
    bar = search(market, quality="quality: {margin: 0.05}")
    found = watch(WORK, market, offers=["ant/one"], settings=Settings(search=bar))
    assert found.due == []
    doubt = only(found, "not_judged")
    assert (doubt.args["undecided"], doubt.args["cheaper"], doubt.args["cheapest"]) == (1, 1, "bee/one")
    gift = version("rates: [{input: 0, output: 0}]", id="cat/gift", kind="introductory")
    market = catalogue(day, [version("rates: [{input: 1000, output: 4000}]"), gift])
    found = watch(WORK, market, offers=["ant/one"], settings=Settings(search=search(market)))
    assert "better" not in keys(found)
    assert only(found, "not_judged").args["not_lasting"] == 1


@pytest.mark.parametrize("months", [0, 7, 50])
@pytest.mark.parametrize("near", [True, False])
def test_a_move_costs_what_advice_takes_it_to_cost(months: int, near: bool) -> None:
    given_team = teams.of("engineer_day: 700\nswitching: {deepening: 0.1}")
    day = FIRST + 28 * DAY
    there = (
        version(ONE, id="bee/one")
        if near
        else version(ONE, id="bee/one").replace("vendor: ant", "vendor: bee")
    )
    market = catalogue(day, [version(ONE), there])
    bench = Bench(market, "USD", Fraction(1))
    w = Watching(midnight(day), midnight(day), midnight(day), None)
    import numpy as np

    plain = [Response(n, (1.0,), (1.0,), np.zeros((2, 1, 1)), np.zeros((2, 1, 1))) for n in "ab"]
    c = costs_of(given_team, ["ant", "bee"], plain, day=700.0, worth=0, requests=0, present=-1)
    table = c.within if near else c.leave
    ours = leaving(given_team, bench, market.offer("bee/one"), market.offer("ant/one"), months, w)
    assert float(ours) == table[0, min(months, table.shape[1] - 1)]


def test_a_move_counts_the_use_before_the_horizon() -> None:
    given_team = teams.of("horizon: 6\nengineer_day: 700\nswitching: {deepening: 0.1}\n"
                          "ecosystem: {ant: {gain: [0, 0], loss: 50}}")  # fmt: skip
    day = FIRST + 28 * DAY
    there = version(ONE, id="bee/one").replace("vendor: ant", "vendor: bee")
    market = catalogue(day, [version(ONE), there])
    bench = Bench(market, "USD", Fraction(1))
    w = Watching(midnight(day), midnight(day), midnight(day), None)
    ours = leaving(given_team, bench, market.offer("bee/one"), market.offer("ant/one"), 15, w)
    # after 15 months 7 days of work are 1 + 15 × 0.1 times as many; a day of approval; what ant takes back
    assert float(ours) == 700 * (7 * 2.5 + 1) + 50


# --- real months --------------------------------------------------------------------------------------------


def real(day: date) -> Catalogue:
    return load_catalogue(day)


def one_a_day(
    first: date, days: int, model: str, tokens: tuple[int, int], hour: int = 12, each: int = 1
) -> Log:
    from reference import Row

    quantities = {"input": tokens[0], "output": tokens[1]}
    return log(
        [
            Row(
                datetime(d.year, d.month, d.day, hour, tzinfo=UTC) + timedelta(minutes=6 * i),
                model,
                quantities,
            )
            for k in range(days)
            for d in [first + k * DAY]
            for i in range(each)
        ]
    )


def test_gemini_free_fell_from_250_to_20_a_day_without_notice() -> None:
    # 100 requests a day of 1,000 and 200 tokens, six minutes apart from 08:00 UTC: within 250 a day
    work = one_a_day(date(2025, 11, 8), 28, "gemini-2.5-flash", (1000, 200), hour=8, each=100)
    free = ["google/gemini-2.5-flash-free"]
    assert watch(work, real(date(2025, 12, 5)), offers=free).due == []
    found = watch(work, real(date(2025, 12, 7)), offers=free)
    assert "tighter" in keys(found)
    cut = only(found, "tighter")
    assert (cut.severity, cut.by) == ("now", date(2025, 12, 6))
    # How many a minute are left is not published, so that nothing can be counted on.
    assert (cut.args["served_before"], cut.args["served_after"]) == (1, 0)
    # The list price of the model is recorded from a later day on: what the refused work costs was not known.
    assert cut.amount is None
    assert any(s.read_on == date(2026, 11, 22) for s in cut.sources)
    limit = only(found, "limit")
    assert (limit.args["zone"], limit.args["amount"], limit.args["rate_a_day"]) == (
        "America/Los_Angeles",
        20,
        100,
    )


def test_deepseek_cancelled_its_night_prices_on_notice() -> None:
    # 1 M tokens each way every night at 20:00 UTC: 0.135 + 0.55 = 0.685; from 2025-09-05 16:00 UTC
    # 0.56 + 1.68 = 2.24. Announced on 2025-08-21.
    work = one_a_day(date(2025, 7, 24), 28, "deepseek-chat", (10**6, 10**6), hour=20)
    assert watch(work, real(date(2025, 8, 20)), offers=["deepseek/v3"]).due == []
    found = watch(work, real(date(2025, 8, 22)), offers=["deepseek/v3"])
    assert keys(found) == ["rise"]
    rise = only(found, "rise")
    assert (rise.severity, rise.by, rise.args["announced_on"]) == ("soon", date(2025, 9, 5), "2025-08-21")
    assert rise.amount is not None
    assert rise.amount.mid == (Fraction("2.24") - Fraction("0.685")) * MONTH
    assert (
        watch(work, real(date(2025, 8, 22)), offers=["deepseek/v3"], settings=Settings(within=14)).due == []
    )


def test_github_models_retired_on_29_days_notice() -> None:
    work = one_a_day(date(2026, 6, 1), 28, "gpt-4.1-mini", (1000, 200), each=10)
    offers = ["github/models-low"]
    far = Settings(within=60)
    assert watch(work, real(date(2026, 6, 30)), offers=offers, settings=far).due == []
    found = watch(work, real(date(2026, 7, 2)), offers=offers, settings=far)
    assert keys(found) == ["ends"]
    end = only(found, "ends")
    assert (end.severity, end.by, end.args["announced_on"]) == ("soon", date(2026, 7, 30), "2026-07-01")
    assert end.amount is None  # no list price of the model was on record by then
    assert "gone" in keys(watch(work, real(date(2026, 9, 1)), offers=offers))


def test_geminis_introductory_price_ends_with_the_year() -> None:
    # 1 M tokens each way a day: 0.75 + 3.75 = 4.50 until 2026-12-31, then 1.50 + 7.50 = 9.00
    work = one_a_day(date(2026, 10, 20), 28, "gemini-3.8-flash", (10**6, 10**6))
    day = date(2026, 11, 22)
    assert watch(work, real(day)).due == []  # 40 days ahead
    found = watch(work, real(day), settings=Settings(within=40))
    assert keys(found) == ["rise"]
    rise = only(found, "rise")
    assert (rise.offer, rise.by) == ("google/flash-3.8", date(2027, 1, 1))
    assert "introductory price ends" in rise.what
    assert rise.amount is not None
    assert rise.amount.mid == Fraction("4.5") * MONTH
