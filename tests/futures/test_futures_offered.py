"""Each kind of terms, from a small catalogue of our own."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np
import pytest

from pricewar.definitions import parse
from pricewar.futures import ENDED, RETIRED, Futures
from pricewar.futures.history import estimate
from pricewar.futures.offered import blended_price, version_of
from pricewar.offers.catalogue import Catalogue, _joined
from pricewar.offers.schema import FactFile

START = date(2025, 11, 30)
FACTS = """
offers:
  - &list
    id: acme/thing-2-large
    vendor: acme
    plan: list
    kind: list
    models: [thing-2-large]
    currency: USD
    sources: [{url: "https://example.org", read_on: 2025-11-30}]
    confidence: high
    in_force: {from: 2025-06-01}
    recorded: 2025-11-30
    rates: [{input: 4, output: 12}, {input: 2, output: 6, when: {tier: batch}}]
  - <<: *list
    id: acme/thing-3-large
    models: [thing-3-large]
    rates: [{input: 1, output: 3}]
  - <<: *list
    id: acme/thing-2-free
    kind: free
    rates: [{input: 0, output: 0}]
    limits: [{meters: requests, amount: 100, per: day}]
  - <<: *list
    id: acme/all-free
    kind: free
    models: [thing-2-large, thing-3-large]
    rates: [{input: 0, output: 0}]
    limits: unknown
  - <<: *list
    id: acme/new-mini
    kind: introductory
    models: [new-mini]
    rates: [{input: 0.1, output: 0.1}]
  - <<: *list
    id: acme/gift
    kind: grant
    allowances: [{unit: tokens, amount: 1000000}]
  - <<: *list
    id: acme/monthly-gift
    kind: grant
    allowances: [{unit: tokens, amount: 1000000, reset: month}]
  - <<: *list
    id: acme/free-until-march
    kind: free
    rates: [{input: 0, output: 0}]
    in_force: {from: 2025-06-01, until: 2026-03-01}
  - <<: *list
    id: other/thing-2-trial
    vendor: other
    kind: free
    rates: [{input: 0, output: 0}]
    limits: [{meters: requests, amount: 100, per: day}]
"""


def _without_merges(text: str) -> str:
    """The facts with YAML's merge keys written out, which definitions do not know."""
    import yaml

    return yaml.safe_dump({"offers": yaml.safe_load(text)["offers"]}, sort_keys=False)


@lru_cache
def _futures(draws: int = 600) -> Futures:
    file = parse(_without_merges(FACTS), "made-up")[0].validate(FactFile)
    offers = {r.id: offer for r in file.offers if (offer := _joined(r.id, [r], (), START)) is not None}
    return estimate(START).futures(Catalogue(START, offers), tuple(offers), START, 24, draws, 1)


def _of(name: str, array: str) -> np.ndarray:
    futures = _futures()
    return getattr(futures, array)[:, :, futures.position(name)]


def test_a_free_offer_ends_into_its_paid_sibling() -> None:
    futures = _futures()
    free, paid = futures.position("acme/thing-2-free"), futures.position("acme/thing-2-large")
    assert futures.sibling[free] == "acme/thing-2-large"
    ended = futures.status[:, :, free] == ENDED
    assert ended.any()
    np.testing.assert_array_equal(futures.price[:, :, free][ended], futures.price[:, :, paid][ended])
    # What retires the paid model ends the free one too.
    assert (futures.status[:, :, free][futures.status[:, :, paid] == RETIRED] == RETIRED).all()
    assert (futures.limit[:, :, free] != 1).any()
    assert (futures.limit[:, :, paid] == 1).all()


def test_no_other_vendors_offer_bills_what_was_free() -> None:
    """To buy it elsewhere is a move, which the team pays for: the end is a retirement."""
    futures = _futures()
    trial = futures.position("other/thing-2-trial")
    assert futures.sibling[trial] is None
    assert not (futures.status[:, :, trial] == ENDED).any()
    assert (futures.status[:, :, trial] == RETIRED).any()


def test_an_offer_of_several_models_lasts_longer_than_one_models() -> None:
    one, several = _of("acme/thing-2-free", "status"), _of("acme/all-free", "status")
    assert (several[:, 11] == 0).mean() > (one[:, 11] == 0).mean()


def test_the_newest_of_the_line_bills_after_retirement() -> None:
    gone = _of("acme/thing-2-large", "status")[:, -1] == RETIRED
    assert np.median(_of("acme/thing-2-large", "successor")[gone, -1]) == pytest.approx(0.25, rel=0.5)


def test_an_introductory_price_without_an_end_becomes_dearer() -> None:
    price, status = _of("acme/new-mini", "price"), _of("acme/new-mini", "status")
    assert not (status == ENDED).any()
    assert (price[:, 11] > 1.5).mean() > 0.5
    assert any(note.startswith("acme/new-mini: what follows") for note in _futures().notes)


def test_a_grant_given_once_stays_and_a_renewed_one_may_end() -> None:
    assert not (_of("acme/gift", "status") == ENDED).any()
    assert (_of("acme/gift", "allowance") == 1).all()
    assert (_of("acme/monthly-gift", "status") == ENDED).any()


def test_an_end_that_was_stated_comes_on_its_day() -> None:
    status = _of("acme/free-until-march", "status")
    assert (status[:, 2] != 0).mean() < 0.15  # 2026-02-15; ends brought forward, or the model gone
    assert (status[:, 3] != 0).mean() > 0.5  # 2026-03-15
    assert (status[:, 23] == 0).mean() < 0.2  # called off


def test_prices_are_blended_at_base_rates_and_versions_read_from_names() -> None:
    file = parse(_without_merges(FACTS), "made-up")[0].validate(FactFile)
    assert blended_price(file.offers[0]) == pytest.approx(0.75 * 4 + 0.25 * 12)
    assert version_of("claude-haiku-4-5-20251001") == (4, 5)
    assert version_of("gpt-4.1-mini") == (4, 1)
    assert version_of("llama-3.3-70b-instruct") == (3, 3)
    assert version_of("gemini-3.8-flash") > version_of("gemini-2.5-flash")
    assert version_of("o3") > version_of("o1-mini")
