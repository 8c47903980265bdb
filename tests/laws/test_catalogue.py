"""What must hold of the facts, of the dates they are shown under, and of refreshing the list prices."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from pricewar.errors import ConfigurationError, DataError, DefinitionError, FactError
from pricewar.offers import listed
from pricewar.offers.catalogue import Offer, load_catalogue, load_facts
from pricewar.offers.schema import OfferRecord

TODAY = date(2026, 11, 22)
ROWS = {  # the rows of the list of offers that the schema must be able to say → offers that say them
    "DeepSeek night prices": ["deepseek/v3", "deepseek/r1"],
    "DeepSeek V4": ["deepseek/v4-pro", "deepseek/v4-flash"],
    "Gemini 2.5 Flash free": ["google/gemini-2.5-flash-free"],
    "Gemini introductory": ["google/flash-3.6", "google/flash-3.7", "google/flash-3.8"],
    "Groq": ["groq/llama-3.3-70b-free"],
    "OpenRouter": ["openrouter/free", "openrouter/free-after-10-usd"],
    "Mistral": ["mistral/free"],
    "Cerebras": ["cerebras/gpt-oss-120b-free"],
    "GitHub": ["github/models-low"],
    "OpenAI": ["openai/data-sharing-tier-1-2", "openai/data-sharing-tier-3-5"],
    "Alibaba": ["alibaba/new-user", "alibaba/new-user-stop", "alibaba-intl/new-user"],
    "Baidu free": ["baidu/ernie-speed-8k-free", "baidu/ernie-lite-8k-free"],
    "Baidu packs": ["baidu/ernie-4.0-pack-10m", "baidu/ernie-4.0-pack-1bn"],
    "Doubao": ["volcengine/doubao-pro-32k-guaranteed"],
    "Tencent, iFlytek": ["tencent/hunyuan-lite", "iflytek/spark-lite"],
    "Zhipu": ["zhipu/flash-free"],
    "Anthropic": ["anthropic/opus-5"],
    "Scaleway": ["scaleway/generative-apis"],
    "Together, Kimi": ["together/gpt-oss-120b", "moonshotai/kimi-k2.6-tier0"],
    "Azure": ["azure/gpt-4.1-ptu-hourly", "azure/gpt-4.1-ptu-month", "azure/gpt-4.1-ptu-year"],
}
RECORD = """
offers:
  - id: test/model
    vendor: test
    plan: list
    kind: list
    models: [m]
    currency: USD
    sources: [{url: "https://example.org", read_on: 2026-01-01}]
    confidence: high
    in_force: {from: 2026-01-01}
    recorded: 2026-01-01
    rates: [{input: 1, output: 2}]
"""


def own_records() -> list[OfferRecord]:
    return [record for _, file in load_facts() for record in file.offers]


def test_every_record_has_its_source_dates_and_confidence() -> None:
    for _, file in load_facts():
        for record in [*file.offers, *file.price_lists]:
            assert record.sources
            assert all(s.url.startswith("http") and s.read_on <= TODAY for s in record.sources)
            assert record.confidence in ("high", "medium", "low")
            assert record.recorded <= TODAY
            assert record.currency
        for record in file.offers:
            assert record.rates or record.allowances or record.charges.commitment


def test_counts() -> None:
    catalogue = load_catalogue(TODAY)
    own = [offer for offer in catalogue.offers.values() if offer.own]
    listed_in_cny = [o for o in own if o.latest.currency == "CNY" and o.latest.kind == "list"]
    given = [o for o in own if o.latest.kind in ("free", "grant", "pack")]
    assert len(listed_in_cny) >= 100
    assert len(given) >= 25
    assert len(catalogue.offers) >= 2000
    pairs = {(rate.base, rate.to) for rate in catalogue.currency_rates}
    assert {("USD", "CNY"), ("EUR", "USD")} <= pairs | {(b, a) for a, b in pairs}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_list_of_offers_is_there(row: str) -> None:
    catalogue = load_catalogue(TODAY)
    assert [id for id in ROWS[row] if id not in catalogue.offers] == []


@pytest.mark.parametrize(
    "day", [date(2024, 6, 1), date(2025, 3, 1), date(2025, 9, 6), date(2026, 6, 1), date(2026, 8, 20), TODAY]
)
def test_as_of_never_shows_what_was_said_later(day: date) -> None:
    catalogue = load_catalogue(day)
    for offer in catalogue.offers.values():
        assert all(version.known_on <= day for version in offer.versions if offer.own), offer.id
    ends = {e.id: e for _, file in load_facts() for e in file.ends}
    for id, end in ends.items():
        if end.known_on > day and id in catalogue.offers and catalogue.offers[id].own:
            if len(catalogue.offers[id].versions) > 1:
                continue
            version = catalogue.offers[id].latest
            mine = next(r for r in own_records() if r.id == id and r.in_force.from_ == version.in_force.from_)
            assert version.in_force.until == mine.in_force.until, id


def test_exactly_one_version_in_force() -> None:
    for offer in load_catalogue(TODAY).offers.values():
        edges = [v.in_force for v in offer.versions]
        for before, after in pairwise(edges):
            assert before.end is not None, offer.id
            assert isinstance(after.from_, datetime)
            assert before.end <= after.from_, offer.id
        moments = {m for e in edges for m in (e.from_, e.end) if isinstance(m, datetime)}
        for moment in moments:
            for at in (moment - timedelta(microseconds=1), moment):
                holding = [v for v in offer.versions if holds(v, at)]
                assert len(holding) <= 1, offer.id
                assert offer.on(at) == (holding[0] if holding else None)


def holds(version: OfferRecord, at: datetime) -> bool:
    start, until = version.in_force.from_, version.in_force.end
    return (not isinstance(start, datetime) or start <= at) and (until is None or at < until)


def test_an_announced_change_is_seen_before_it_applies() -> None:
    """The cancelling of DeepSeek's night prices was announced before it took effect."""
    offer = load_catalogue(TODAY).offer("deepseek/v3")
    before, after = (
        offer.on(datetime(2025, 9, 5, 15, 59, tzinfo=UTC)),
        offer.on(datetime(2025, 9, 5, 16, tzinfo=UTC)),
    )
    assert before is not None
    assert before != after


def test_ends_and_corrections_name_offers_that_exist() -> None:
    catalogue = load_catalogue(TODAY)
    ids = {r.id for r in own_records()} | {r.id for r in listed.offers()}
    ids |= set(catalogue.offers)
    for _, file in load_facts():
        for end in file.ends:
            assert end.id in ids
        for correction in file.corrections:
            assert correction.by in catalogue.offers
            assert correction.listed not in catalogue.offers
            assert correction.sources
            assert correction.why
    for offer in catalogue.offers.values():
        if offer.latest.overflow_to is not None:
            assert offer.latest.overflow_to in catalogue.offers, offer.id


def facts(folder: Path, text: str) -> Path:
    (folder / "test.yaml").write_text(text, encoding="utf-8")
    return folder


def versions(folder: Path, text: str, day: date = TODAY) -> Offer:
    return load_catalogue(day, facts(folder, text)).offer("test/model")


@pytest.mark.parametrize(
    ("wrong", "right", "line", "says"),
    [
        ("currency: USD", "curency: USD", 7, "currency"),
        ("kind: list", "kind: lists", 5, "list"),
        ("input: 1", "input: one", 12, "rates"),
        ("input: 1", "inputt: 1", 12, "input"),
        ("from: 2026-01-01", "from: someday", 10, "date"),
        ("confidence: high", "confidence: sure", 9, "confidence"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(
    tmp_path: Path, wrong: str, right: str, line: int, says: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        load_catalogue(TODAY, facts(tmp_path, RECORD.replace(wrong, right)))
    told = str(error.value)
    assert "test.yaml" in told
    assert says in told
    near = [f"test.yaml:{n}" for n in range(line - 1, line + 2)] + ["test.yaml:2", "test.yaml:3"]
    assert any(place in told for place in near), told


def test_a_misspelt_key_is_answered_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="did you mean “currency”"):
        load_catalogue(TODAY, facts(tmp_path, RECORD.replace("currency: USD", "curency: USD")))


def test_an_end_closes_an_offer_from_the_day_it_was_known(tmp_path: Path) -> None:
    end = """
ends:
  - id: test/model
    on: 2026-06-30T12:00Z
    announced: 2026-06-01
    recorded: 2026-06-02
    sources: [{url: "https://example.org", read_on: 2026-06-02}]
"""
    text = RECORD + end
    assert versions(tmp_path, text, date(2026, 5, 31)).latest.in_force.until is None
    assert versions(tmp_path, text, date(2026, 6, 1)).on(datetime(2026, 6, 30, 12, tzinfo=UTC)) is None
    assert versions(tmp_path, text, date(2026, 6, 1)).on(datetime(2026, 6, 30, 11, tzinfo=UTC)) is not None


def test_a_correction_by_nothing_is_a_mistake(tmp_path: Path) -> None:
    text = RECORD + (
        "corrections:\n  - {listed: openai/gpt-5, by: test/modell, why: it is wrong, "
        'sources: [{url: "https://example.org", read_on: 2026-06-02}]}\n'
    )
    with pytest.raises(FactError, match="test/modell"):
        load_catalogue(TODAY, facts(tmp_path, text))


def test_an_unknown_offer_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as error:
        load_catalogue(TODAY).offer("deepseek/v4-por")
    assert "deepseek/v4-pro" in str(error.value)


def test_exchange_is_exact_and_its_own_inverse() -> None:
    catalogue = load_catalogue(TODAY)
    there, record = catalogue.exchange("USD", "CNY", TODAY)
    back, _ = catalogue.exchange("CNY", "USD", TODAY)
    assert there * back == 1
    assert record is not None
    assert record.on <= TODAY
    assert catalogue.exchange("USD", "USD", TODAY) == (1, None)
    with pytest.raises(FactError):
        catalogue.exchange("USD", "XTS", TODAY)


# -- refreshing


@contextmanager
def server(body: bytes, status: int = 200) -> Iterator[str]:
    """A web server on this machine only, that answers every request alike."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}/data.json"
        finally:
            httpd.shutdown()
            thread.join()


GOOD = (
    b'[{"id": "testing", "name": "Testing", "api_pattern": "https://testing", "models": '
    b'[{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1.5, "output_mtok": 3}}]}]'
)


def test_refresh_keeps_a_good_list_and_survives_bad_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with server(GOOD) as address:
        assert listed.refresh(address) == 1
    kept = listed.refreshed_file()
    assert kept.read_bytes() == GOOD
    (record,) = listed.offers()
    assert record.id == "testing/m"
    assert record.rates[0].input * 2 == 3
    for body, status in ((b"not json", 200), (b"[]", 200), (b'[{"id": "x"}]', 200), (b"", 500), (GOOD, 404)):
        with server(body, status) as address, pytest.raises(DataError):
            listed.refresh(address)
        assert kept.read_bytes() == GOOD
    with pytest.raises(DataError, match="could not be fetched"):
        listed.refresh("http://127.0.0.1:9/none")
    assert kept.read_bytes() == GOOD


def test_a_spoilt_kept_list_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    listed.refreshed_file().parent.mkdir(parents=True)
    listed.refreshed_file().write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="genai-prices"):
        list(listed.offers())
