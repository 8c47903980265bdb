"""Futures from history: nothing leaks, seeds hold, announced changes come on their day, made-up truth is
found."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.errors import ConfigurationError
from pricewar.futures import ENDED, RETIRED, Futures
from pricewar.futures.history import amount_changes, estimate, free_lives, lifetimes
from pricewar.futures.process import Hazards
from pricewar.futures.records import (
    Announcement,
    FreeSpell,
    Records,
    Retirement,
    Spell,
    after_months,
    changes,
    line_of,
    load_records,
    months,
    tier_of,
)
from pricewar.offers.catalogue import Catalogue, load_catalogue

AS_OF = date(2025, 6, 30)
TODAY = date(2026, 11, 22)
OFFERS = (
    "google/gemini-2.5-flash-free",
    "openai/gpt-4.1",
    "google/flash-3.6",
    "groq/gpt-oss-120b-free",
    "deepseek/v4-flash",
    "openrouter/free",
    "zhipu/flash-free",
    "alibaba/new-user",
)


@lru_cache
def _hazards(as_of: date = TODAY) -> Hazards:
    return estimate(as_of)


@lru_cache
def _catalogue() -> Catalogue:
    return load_catalogue(TODAY)


def _futures(offers: tuple[str, ...] = OFFERS, span: int = 18, draws: int = 200, seed: int = 3) -> Futures:
    return _hazards().futures(_catalogue(), offers, TODAY, span, draws, seed)


def _same(a: Futures, b: Futures) -> None:
    for name in ("price", "status", "allowance", "limit", "successor", "frontier"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


# -- nothing leaks -------------------------------------------------------------------------------------


def _rewritten(records: Records, as_of: date, rng: np.random.Generator) -> Records:
    """The records with everything that was written after `as_of` made into something else."""
    later = as_of + timedelta(days=int(rng.integers(30, 300)))
    spells = [s._replace(last=later) if s.last > as_of else s for s in records.spells if s.first <= as_of]
    spells += [
        Spell("own", "openai", f"gpt-{i}", as_of + timedelta(days=1 + i), later, 900.0, 900.0)
        for i in range(9)
    ]
    spells += [
        s._replace(first=as_of + timedelta(days=2), last=later, input=s.input * 50, output=s.output * 50)
        for s in records.spells[::7]
        if s.first <= as_of
    ]
    return Records(
        spells=tuple(spells),
        retirements=(
            *(r for r in records.retirements if r.announced <= as_of),
            *(
                Retirement(s.vendor, s.model, later, as_of + timedelta(days=1), "")
                for s in records.spells[::5]
                if s.channel == "own"
            ),
        ),
        free=tuple(
            s._replace(last=later, censored=False) if s.last > as_of else s
            for s in records.free
            if s.first <= as_of
        ),
        announcements=tuple(
            a._replace(outcome="cancelled", days_late=999) if a.decided > as_of else a
            for a in records.announcements
            if a.announced <= as_of
        ),
        frontier=tuple(p for p in records.frontier if p.released <= as_of)
        + tuple(p._replace(released=later, price=1e-6) for p in records.frontier[::3]),
        until=max(later, records.until),
    )


@pytest.mark.parametrize("as_of", [date(2024, 9, 30), AS_OF])
def test_what_was_recorded_later_changes_nothing(as_of: date) -> None:
    full = load_records()
    ours = estimate(as_of, full)
    theirs = estimate(as_of, _rewritten(full, as_of, np.random.default_rng(1)))
    times = np.arange(1.0, 13.0)
    keys = sorted(full.known(as_of).histories)[::9]
    for key in keys:
        subject = ours.subject(*key, as_of)
        assert theirs.subject(*key, as_of) == subject
        if subject is not None:
            a, b = ours.paths(subject, times, 60, 0), theirs.paths(subject, times, 60, 0)
            np.testing.assert_array_equal(a.paid(times), b.paid(times))
            np.testing.assert_array_equal(a.retirement, b.retirement)
    np.testing.assert_array_equal(ours.frontier(times, 60, 0), theirs.frontier(times, 60, 0))
    for vendor in ("google", "groq", "openrouter"):
        np.testing.assert_array_equal(
            ours.free_end("free", vendor, vendor, 60, 0), theirs.free_end("free", vendor, vendor, 60, 0)
        )
        np.testing.assert_array_equal(
            ours.free_amount("free", vendor, times, 60, 0), theirs.free_amount("free", vendor, times, 60, 0)
        )
    np.testing.assert_array_equal(ours.happens_at("x", 3.0, 60, 0), theirs.happens_at("x", 3.0, 60, 0))


def test_known_is_the_same_whether_cut_once_or_twice() -> None:
    full = load_records()
    assert full.known(AS_OF) == full.known(date(2025, 9, 30)).known(AS_OF)


def test_futures_may_not_start_before_the_cut_off() -> None:
    with pytest.raises(ConfigurationError, match="would know"):
        _hazards().futures(_catalogue(), OFFERS, date(2026, 1, 1), 12)
    with pytest.raises(ConfigurationError, match="hardly any"):
        estimate(date(2023, 10, 1))
    with pytest.raises(ConfigurationError, match="0 months"):
        _hazards().futures(_catalogue(), OFFERS, TODAY, 0)
    with pytest.raises(ConfigurationError, match="no offer"):
        _hazards().futures(_catalogue(), ("nobody/nothing",), TODAY, 3)


# -- seeds -----------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_futures_and_another_others() -> None:
    _same(_futures(), _futures())
    assert (_futures().price != _futures(seed=4).price).any()


def test_draws_months_and_company_change_no_draw() -> None:
    whole = _futures()
    _same(_futures(draws=70), whole.between(0, 70))
    shorter = _futures(span=9)
    np.testing.assert_array_equal(shorter.price, whole.price[:, :9])
    np.testing.assert_array_equal(shorter.frontier, whole.frontier[:, :9])
    alone = _futures(offers=(OFFERS[4],))
    np.testing.assert_array_equal(alone.price[:, :, 0], whole.price[:, :, 4])
    np.testing.assert_array_equal(alone.frontier, whole.frontier)


# -- the contract ----------------------------------------------------------------------------------------


def test_shapes_and_meaning() -> None:
    futures = _futures()
    assert futures.price.shape == (200, 18, len(OFFERS))
    assert futures.source == f"history as of {TODAY}"
    assert futures.cut_off == TODAY
    before = futures.status < RETIRED
    assert (futures.successor[before] == 1).all()
    assert (np.diff(futures.frontier, axis=1) <= 1e-12).all()
    assert (futures.frontier <= 1).all()
    free = futures.position("google/gemini-2.5-flash-free")
    assert futures.sibling[free] == "google/gemini-2.5-flash"
    assert (futures.price[:, :, free][futures.status[:, :, free] == 0] == 1).all()
    assert any("records end" in note for note in futures.notes)
    paid = futures.position("openai/gpt-4.1")
    assert futures.sibling[paid] is None
    assert not (futures.status[:, :, paid] == ENDED).any()
    given_once = futures.position("alibaba/new-user")
    assert not (futures.status[:, :, given_once] == ENDED).any()
    assert (futures.allowance[:, :, given_once] == 1).all()


def test_a_free_offer_without_a_paid_sibling_says_so() -> None:
    futures = _futures()
    alone = futures.position("zhipu/flash-free")
    if futures.sibling[alone] is None:
        assert not (futures.status[:, :, alone] == ENDED).any()
        assert any(note.startswith("zhipu/flash-free: the vendor") for note in futures.notes)


def test_announced_changes_enter_on_their_day() -> None:
    """Gemini 3.6 Flash doubles on 2027-01-01: month 1 runs from 2026-12-22 and holds it from its middle
    on."""
    futures = _futures(draws=1500)
    flash = futures.position("google/flash-3.6")
    price = futures.price[:, :, flash]
    assert (price[:, 0] < 1.99).mean() > 0.95
    doubled = np.isclose(price[:, 1], 2.0).mean()
    kept, moved, cancelled = _hazards().outcomes
    share = (kept + 0.5) / (kept + moved + cancelled + 1.5)
    assert doubled == pytest.approx(share, abs=0.08)
    assert np.isclose(price[:, 6], 2.0).mean() > doubled  # the moved ones have come by then
    gone = futures.status[:, :, futures.position("openai/gpt-4.1")] == RETIRED  # announced for 2027-01-14
    assert gone[:, 0].mean() < 0.1
    assert gone[:, 1].mean() < 0.1
    assert gone[:, 2].mean() == pytest.approx(share, abs=0.08)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 20), st.integers(0, 1000))
def test_an_announced_change_comes_on_its_day_moved_or_never(due: float, seed: int) -> None:
    at = _hazards().happens_at("anything", due, 400, seed)
    kept = np.isclose(at, due).mean()
    assert 0.4 < kept < 0.95
    assert (at >= 0).all()
    assert 0 < np.isinf(at).mean() < 0.3


# -- made-up truth ---------------------------------------------------------------------------------------


def _made_up(rate: float, leave: float, end: float, seed: int) -> Records:
    """Forty vendors, five models each, with known monthly rates of cuts by half, of retirement's announcement
    (then three months' notice) and of free terms ending."""
    rng = np.random.default_rng(seed)
    begin, until = date(2023, 11, 1), date(2025, 10, 31)
    spells, retirements, free = [], [], []
    for v in range(40):
        for m in range(5):
            name, vendor = f"model{v}x{m}-large", f"vendor{v}"
            first = begin + timedelta(days=int(rng.integers(0, 200)))
            announced = after_months(first, rng.exponential(1 / leave))
            last = until
            if announced < until:
                retirements.append(Retirement(vendor, name, after_months(announced, 3), announced, ""))
                last = min(until, after_months(announced, 3))
            day, price = first, 4.0
            while True:
                following = after_months(day, rng.exponential(1 / rate))
                spells.append(Spell("own", vendor, name, day, min(following, last), price, price))
                if following >= last:
                    break
                day, price = following, price / 2
            over = after_months(first, rng.exponential(1 / end))
            free.append(FreeSpell("free", vendor, name, first, min(over, until), False, {}))
    return Records(tuple(spells), tuple(retirements), tuple(free), (), load_records().frontier, until)


def test_hazards_of_made_up_data_are_recovered_within_their_intervals() -> None:
    truth = _made_up(0.05, 0.03, 0.08, 7)
    found = estimate(date(2025, 10, 31), truth)
    # Those within a month of one another count as one: e^(−0.05) of them stand alone.
    middle, low, high = found.change["own", "flagship"].interval(0.98)
    assert low < 0.05 < high
    assert middle == pytest.approx(0.05, rel=0.3)
    beyond = found.calm["own"]
    assert np.abs(beyond).max() < 0.6  # a constant rate shows no calm
    _, low, high = found.announced["own"].interval(0.98)
    assert low * 0.7 < 0.03 < high * 1.4  # what is left beside the factors of age
    _, low, high = found.ended["free"].interval(0.98)
    assert low < 0.08 < high
    curve = lifetimes(truth.known(date(2025, 10, 31)))
    assert curve.at(6) == pytest.approx(math.exp(-0.48), abs=0.08)
    assert np.median(found.notice.values) == pytest.approx(3, abs=0.05)


def test_simulated_changes_come_at_the_rate_they_were_estimated_at() -> None:
    truth = _made_up(0.05, 0.03, 0.08, 7)
    found = estimate(date(2025, 10, 31), truth)
    subject = next(
        s for key in sorted(truth.histories) if (s := found.subject(*key, found.as_of)) and s.retires is None
    )
    times = np.arange(1.0, 13.0)
    some = found.paths(subject, times, 3000, 0)
    changed = (np.abs(some.price[:, -1]) > 0.01).mean()
    assert changed == pytest.approx(1 - math.exp(-0.05 * 12), abs=0.15)
    gone = (some.retirement <= 12).mean()
    assert gone == pytest.approx(1 - math.exp(-0.03 * 9), abs=0.12)  # announced, and three months' notice


def test_an_offer_announced_to_retire_passes_to_its_successor() -> None:
    day = date(2025, 6, 30)
    spells = (
        Spell("own", "v", "thing-1-large", date(2024, 1, 1), day, 8.0, 8.0),
        Spell("own", "v", "thing-2-large", date(2025, 1, 1), day, 2.0, 2.0),
        *load_records().known(day).spells,
    )
    records = replace(
        load_records(),
        spells=spells,
        retirements=(Retirement("v", "thing-1-large", date(2025, 8, 31), date(2025, 3, 1), ""),),
    )
    assert records.paid_on("own", "v", "thing-1-large", date(2025, 8, 30)) == 8.0
    assert records.paid_on("own", "v", "thing-1-large", date(2025, 8, 31)) == 2.0
    found = estimate(day, records)
    subject = found.subject("own", "v", "thing-1-large", day)
    assert subject is not None
    assert subject.retires == pytest.approx(62 / 30.4375)
    assert subject.heir == pytest.approx(math.log(0.25))
    times = np.array([1.0, 3.0])
    paid = found.paths(subject, times, 2000, 0).paid(times)
    assert np.median(paid[:, 0]) == 0
    assert np.median(paid[:, 1]) == pytest.approx(math.log(0.25))


# -- reading the records -----------------------------------------------------------------------------------


def test_changes_within_a_month_are_one_and_what_is_undone_is_none() -> None:
    def spells(*points: tuple[date, float]) -> list[Spell]:
        return [Spell("own", "v", "m", day, day, price, price) for day, price in points]

    one = changes(spells((date(2025, 1, 1), 4.0), (date(2025, 2, 10), 2.0), (date(2025, 2, 20), 1.0)))
    assert [(c.day, round(c.size, 6)) for c in one] == [(date(2025, 2, 10), round(math.log(0.25), 6))]
    assert changes(spells((date(2025, 1, 1), 4.0), (date(2025, 2, 10), 2.0), (date(2025, 2, 12), 4.0))) == []
    assert changes(spells((date(2025, 1, 1), 4.0), (date(2025, 3, 1), 4.001))) == []


def test_free_lives_and_amounts() -> None:
    def spell(first: date, last: date, amount: float, *, censored: bool = False) -> FreeSpell:
        return FreeSpell("free", "v", "m", first, last, censored, {"requests_day": amount})

    records = replace(
        load_records(),
        free=(
            spell(date(2025, 1, 1), date(2025, 3, 1), 200),
            spell(date(2025, 3, 2), date(2025, 6, 1), 50),
            FreeSpell("free", "w", "n", date(2025, 1, 1), date(2025, 6, 1), True, {}),
            FreeSpell("free", "w", "o", date(2025, 1, 1), date(2025, 11, 29), False, {}),
        ),
    )
    assert free_lives(records) == [
        ("v", "m", date(2025, 1, 1), date(2025, 6, 1), True),
        ("w", "n", date(2025, 1, 1), date(2025, 6, 1), False),
        ("w", "o", date(2025, 1, 1), date(2025, 11, 29), False),
    ]
    assert amount_changes(records) == [("v", "m", date(2025, 3, 2), math.log(0.25))]


def test_an_outcome_is_hidden_until_it_is_public() -> None:
    told = Announcement("v", "x", date(2025, 1, 1), date(2025, 3, 1), "moved", date(2025, 3, 1), 30)
    records = replace(load_records(), announcements=(told,))
    assert records.known(date(2025, 2, 1)).announcements[0].outcome == "pending"
    assert records.known(date(2025, 3, 1)).announcements == (told,)
    assert records.known(date(2024, 12, 31)).announcements == ()


@pytest.mark.parametrize(
    ("model", "tier", "line"),
    [
        ("claude-3-5-haiku-20241022", "light", "claude-haiku"),
        ("claude-opus-4-1", "flagship", "claude-opus"),
        ("gemini-2.5-flash-lite", "light", "gemini-flash-lite"),
        ("gemini-2.5-pro", "flagship", "gemini-pro"),
        ("gpt-4.1-mini", "light", "gpt-mini"),
        ("gpt-4o", "flagship", "gpt"),
        ("o3", "flagship", "gpt-reasoning"),
        ("meta-llama/Llama-3.3-70B-Instruct", "flagship", "llama-large"),
        ("llama-3.1-8b-instant", "light", "llama-small"),
        ("mistral-large-2411", "flagship", "mistral-large"),
        ("grok-3-mini", "light", "grok-mini"),
        ("deepseek-chat", "flagship", "deepseek-chat"),
        ("deepseek-v4-flash", "light", "deepseek-chat"),
        ("deepseek-r1-distill-qwen-14b", "light", "deepseek-distill"),
    ],
)
def test_tier_and_line(model: str, tier: str, line: str) -> None:
    assert (tier_of(model), line_of(model)) == (tier, line)


def test_the_records_are_in_order() -> None:
    records = load_records()
    assert len(records.spells) > 1000
    for spells in records.histories.values():
        for before, after in itertools.pairwise(spells):
            assert before.last < after.first or before.last == after.first - timedelta(days=1)
            assert before.price > 0
    assert all(r.announced <= r.on for r in records.retirements)
    assert all(a.announced <= a.decided for a in records.announcements)
    assert months(date(2025, 1, 1), date(2026, 1, 1)) == pytest.approx(12, abs=0.01)
