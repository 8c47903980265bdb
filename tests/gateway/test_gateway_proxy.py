"""A real LiteLLM proxy with the configurations that --gateway writes, before vendors that refuse, raise
prices and retire models: what it does is what was predicted.

Vendors count for themselves (`vendors.py`), so that the prediction, which bills with the desk, is held
against books of another make: who served each request, in which order, what the proxy says it cost, what
vendors charge.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from made_up_gateway import advice, catalogue, handed, stream
from proxy import LITELLM, Proxy, Reply
from vendors import Terms, Vendor

from pricewar.advice import gateway_write
from pricewar.advice.gateway import HandOff
from pricewar.advice.gateway_calendar import calendar
from pricewar.advice.gateway_predict import Prediction, predict
from pricewar.advice.gateway_vendors import PROVIDERS

pytestmark = [
    pytest.mark.gateway,
    pytest.mark.skipif(not LITELLM.exists(), reason="no LiteLLM here: `make test-gateway` makes one"),
]
MILLION = 10**6
TOKENS = (1_200, 300, 150)


def price(plain: str, cached: str, output: str) -> tuple[Fraction, Fraction, Fraction]:
    """USD for a million tokens → for one."""
    return Fraction(plain) / MILLION, Fraction(cached) / MILLION, Fraction(output) / MILLION


@dataclass
class Played:
    """What was asked, and what came back."""

    asked: list[tuple[datetime, int, int, int]]
    replies: list[Reply]

    @property
    def route(self) -> list[str | None]:
        return [r.deployment if r.status == 200 else None for r in self.replies]

    @property
    def spend(self) -> float:
        return sum(float(r.cost or 0) for r in self.replies)


@pytest.fixture
def vendors() -> Iterator[Callable[..., dict[str, Vendor]]]:
    with ExitStack() as stack:

        def open_(**terms: Terms) -> dict[str, Vendor]:
            return {name: stack.enter_context(Vendor(name, t)) for name, t in terms.items()}

        yield open_


def environment(vendors: dict[str, Vendor]) -> dict[str, str]:
    found = {f"{name.upper()}_API_KEY": f"sk-of-{name}" for name in vendors}
    return found | {f"{name.upper()}_API_BASE": vendor.url for name, vendor in vendors.items()}


def written(folder: Path, found: HandOff, begin: str) -> Path:
    data = advice(begin)
    gateway_write.write(folder, found, calendar(found, data, {}), {}, data)
    return folder


def switch(folder: Path, name: str) -> None:
    subprocess.run(["./switch.sh", name], cwd=folder, check=True, capture_output=True, timeout=600,
                   env={"PATH": "/usr/bin:/bin", "GATEWAY_RELOAD": "true"})  # fmt: skip


def play(
    proxy: Proxy, model: str, instant: datetime, requests: Sequence[tuple[int, int, int]], before: int,
    then: Callable[[], None],
) -> Played:  # fmt: skip
    """Send requests; `before` of them precede the simulated `instant`, at which `then` happens.

    Time runs as it does, moved to the day of `instant`, so that all of them lie in one minute of both clocks:
    the proxy counts rpm by minutes of the wall clock.
    """
    proxy.warm()
    if time.time() % 60 > 20:  # the stream takes seconds, on a busy machine some more
        time.sleep(60.5 - time.time() % 60)
    shift: timedelta | None = None
    asked: list[tuple[datetime, int, int, int]] = []
    replies: list[Reply] = []
    begun = int(time.time() // 60)
    for number, (plain, cached, output) in enumerate(requests):
        now = datetime.now(UTC)
        if number == before:
            shift = instant - now
            then()
        asked.append((now, plain, cached, output))
        replies.append(
            proxy.ask(model, {"number": number, "input": plain, "cached": cached, "output": output})
        )
    assert int(time.time() // 60) == begun, "the stream did not fit a minute of the clock"
    assert shift is not None
    for reply in replies:  # shown when a test fails
        print(reply.status, reply.deployment, reply.cost, reply.body[:300] if reply.status != 200 else "")
    return Played([(t + shift, *rest) for t, *rest in asked], replies)


def agree(played: Played, found: Prediction, vendors: dict[str, Vendor]) -> None:
    """The proxy, the vendors' books and the prediction say the same."""
    names = [s.deployment.offer for s in found.shares]
    assert played.route == [names[i] if i >= 0 else None for i in found.route.tolist()]
    for reply, cost in zip(played.replies, found.cost.tolist(), strict=True):
        assert float(reply.cost or 0) == pytest.approx(cost, rel=1e-9, abs=1e-15)
    assert played.spend == pytest.approx(float(found.spend), rel=1e-9)
    for share in found.shares:
        vendor = vendors[share.deployment.offer.split("/")[0]]
        mine = [i for i, r in enumerate(played.replies) if r.deployment == share.deployment.offer]
        assert vendor.served == mine
        assert len(vendor.served) == share.served
        assert len(set(vendor.refused)) == share.refused
        assert vendor.charged == share.bill  # exactly
        assert {c.key for c in vendor.calls} <= {f"sk-of-{vendor.name}"}
        assert {c.model for c in vendor.calls} <= {share.deployment.model.split("/", 1)[1]}


def test_a_plan_through_its_switches(tmp_path: Path, vendors: Callable[..., dict[str, Vendor]]) -> None:
    begin = "acme/free + drift/daily"
    found = handed(begin, siblings={"acme/free": "acme/paid"})
    assert [p.name for p in found.periods] == ["2027-02-01", "2027-03-01T0800", "2027-04-01T0800"]
    folder = written(tmp_path / "gateway", found, begin)
    old, new = price("0.75", "0.075", "3.75"), price("1.5", "0.15", "7.5")
    at = vendors(acme=Terms(), drift=Terms(day=6), borealis=Terms(old))
    keys = environment(at)

    # 1. The first configuration, and a price that rises while it is in use: 4 a minute to acme, 6 a day to
    #    drift, whose seventh is refused with 429; the rest to borealis. The proxy goes on at the old price.
    switch(folder, "2027-02-01")
    rise = datetime(2027, 3, 1, 8, 0, 30, tzinfo=UTC)
    with Proxy(folder, keys) as proxy:

        def raised() -> None:
            at["borealis"].terms.prices = new

        played = play(proxy, "borealis-2", rise, [TOKENS] * 24, 17, raised)
    first = predict(found, found.periods[0], [stream(played.asked)])
    agree(played, first, at)
    assert [s.served for s in first.shares] == [4, 6, 14]
    assert first.shares[1].refused == 1
    assert first.spend < first.bill  # as the calendar says: the switch is due

    # 2. Switched: the proxy knows the new price. Then acme retires its model: 404, and drift is asked.
    switch(folder, "2027-03-01T0800")
    for vendor in at.values():
        vendor.new_day()
    end = datetime(2027, 4, 1, 8, 0, 30, tzinfo=UTC)
    with Proxy(folder, keys) as proxy:

        def retired() -> None:
            at["acme"].terms.gone = 404

        played = play(proxy, "plan", end, [TOKENS] * 12, 2, retired)
    second = predict(found, found.periods[1], [stream(played.asked)])
    agree(played, second, at)
    assert [(s.served, s.refused) for s in second.shares] == [(2, 1), (6, 1), (4, 0)]
    assert second.spend == second.bill

    # 3. Switched again: acme's paid offer stands in its place, and nobody asks for the retired one.
    switch(folder, "2027-04-01T0800")
    for vendor in at.values():
        vendor.new_day()
    at["acme"].terms = Terms(price("1", "0.25", "5"))
    with Proxy(folder, keys) as proxy:
        played = play(proxy, "plan", end + timedelta(days=1), [TOKENS] * 5, 1, lambda: None)
    third = predict(found, found.periods[2], [stream(played.asked)])
    agree(played, third, at)
    assert played.route == ["acme/paid"] * 5
    assert third.spend == third.bill


def test_money_given_a_410_and_long_inputs(tmp_path: Path, vendors: Callable[..., dict[str, Vendor]]) -> None:
    begin = "cumulus/grant + everest/old"
    found = handed(begin, "long-1", standing=("groq/made-up-long",), to="groq/made-up-long")
    folder = written(tmp_path / "gateway", found, begin)
    at = vendors(
        cumulus=Terms(price("2", "0.5", "8"), given=Fraction("0.005")),
        everest=Terms(tuple(p / 7 for p in price("3.5", "0.7", "14"))),  # yuan, at 7 to the dollar
        groq=Terms(price("1", "0.1", "2"), above=(32_000, price("3", "0.3", "6"))),
    )
    switch(folder, "2027-02-01")
    gone = datetime(2027, 3, 15, 8, 0, 30, tzinfo=UTC)
    # 500 · 2 + 100 · 0.5 + 119 · 8 = 2,002 millionths: the second reaches the budget of 0.004
    requests = [(500, 100, 119)] * 5 + [TOKENS, (40_000, 500, 100), (31_900, 100, 10), (31_901, 100, 10)]
    with Proxy(folder, environment(at)) as proxy:

        def retired() -> None:
            at["everest"].terms.gone = 410

        played = play(proxy, "long-1", gone, requests, 5, retired)
    predicted = predict(found, found.periods[0], [stream(played.asked, "long-1")], gone=410)
    names = [s.deployment.offer for s in predicted.shares]
    assert names == ["cumulus/grant", "everest/old", "groq/made-up-long"]
    assert played.route == ["cumulus/grant"] * 2 + ["everest/old"] * 3 + ["groq/made-up-long"] * 4
    # 410 sets nothing aside: each request asks again, and twice where an earlier order was passed over
    assert at["everest"].refused == [5, 5, 6, 6, 7, 7, 8, 8]
    agree(played, predicted, at)


def test_the_installed_litellm_knows_the_providers() -> None:
    """Prefixes are real, and so are the names of keys, where LiteLLM tells them."""
    code = (
        "import json, litellm, sys\n"
        "out = {}\n"
        "for prefix in json.load(sys.stdin):\n"
        "    name = prefix + '/some-model'\n"
        "    found = litellm.get_llm_provider(name)\n"
        "    out[prefix] = [found[1], litellm.validate_environment(name)['missing_keys']]\n"
        "print(json.dumps(out))\n"
    )
    prefixes = sorted({p.prefix for p in PROVIDERS.values()})
    run = subprocess.run(
        [str(LITELLM.parent / "python"), "-c", code], input=json.dumps(prefixes), capture_output=True,
        text=True, timeout=600, check=True,
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert set(told) == set(prefixes)
    for vendor, provider in PROVIDERS.items():
        name, keys = told[provider.prefix]
        assert name == provider.prefix, vendor
        if keys and provider.source is not None and "docs.litellm.ai" in provider.source:
            assert provider.key in keys, (vendor, keys)


def test_the_catalogue_is_made_up() -> None:
    """Nothing here rests on a real vendor's terms."""
    assert {o.id for o in catalogue().offers.values() if o.own} >= {
        "acme/free",
        "drift/daily",
        "borealis/list",
    }
