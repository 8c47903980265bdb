"""The catalogue of a past day knows what was public then, and no more."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

from pricewar.futures.history import estimate
from pricewar.futures.past import catalogue_on, offer_id, recorded_offers
from pricewar.futures.records import load_records

DAY = date(2025, 1, 15)


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def test_prices_are_those_on_record() -> None:
    then = recorded_offers(DAY)
    records = load_records()
    checked = 0
    for (channel, vendor, model), spells in records.known(DAY).histories.items():
        offer = then.get(offer_id(channel, vendor, model))
        if offer is None:
            continue  # it had been retired
        now = offer.on(_moment(DAY))
        if now is not None:
            assert float(now.rates[0].input or 0) == spells[-1].input
            checked += 1
    assert checked > 250
    assert max(version.recorded for offer in then.values() for version in offer.versions) <= DAY


def test_a_price_and_an_end_announced_stand_in_it_and_later_ones_do_not() -> None:
    gemini = recorded_offers(date(2024, 9, 30))["google/gemini-1.5-pro"]
    assert gemini.on(_moment(date(2024, 9, 30))).rates[0].input == Fraction("3.5")  # type: ignore[union-attr]
    assert gemini.on(_moment(date(2024, 10, 9))).rates[0].input == Fraction("1.25")  # type: ignore[union-attr]
    assert gemini.latest.in_force.end is None  # its end was announced in March 2025
    later = recorded_offers(date(2025, 6, 30))["google/gemini-1.5-pro"]
    assert later.latest.in_force.end == _moment(date(2025, 9, 24))


def test_what_a_day_did_not_know_is_not_in_it() -> None:
    before, after = recorded_offers(date(2025, 5, 10)), recorded_offers(date(2025, 7, 1))
    assert "google/gemini-2.5-flash" not in before
    assert "google/gemini-2.5-flash" in after
    assert [float(v.rates[0].input or 0) for v in before["openai/o3"].versions] == [10.0]
    assert [float(v.rates[0].input or 0) for v in after["openai/o3"].versions] == [10.0, 2.0]


def test_futures_start_from_it() -> None:
    hazards = estimate(DAY)
    offers = ("openai/gpt-4o-mini", "openai/gpt-4-32k", "google/gemini-1.5-flash", "deepseek/v3")
    then = catalogue_on(DAY)
    assert then.offer("deepseek/v3").own  # our own facts stand above what was recorded
    assert "deepseek/deepseek-chat" not in then.offers
    futures = hazards.futures(then, offers, DAY, 12, 300, 0)
    assert futures.price.shape == (300, 12, 4)
    old = futures.position("openai/gpt-4-32k")  # announced to end on 2025-06-06
    assert (futures.status[:, 3, old] == 2).mean() < 0.1
    assert (futures.status[:, 5, old] == 2).mean() > 0.5
    rise = futures.position("deepseek/v3")  # announced for 2025-02-09
    assert (futures.price[:, 1, rise] > 2).mean() > 0.5
