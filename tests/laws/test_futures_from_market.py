"""Futures from the market engine: what a market's script says comes out as factors, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricewar.definitions import parse
from pricewar.errors import ConfigurationError, DefinitionError
from pricewar.futures import AS_TODAY, ENDED, RETIRED, Futures, certain
from pricewar.futures.from_market import from_market, futures_for
from pricewar.futures.market_map import FRINGE, INDUSTRY, places
from pricewar.market import fields
from pricewar.market import kernel as k
from pricewar.market.model import Market, simulate
from pricewar.offers.catalogue import Catalogue, _joined, load_catalogue
from pricewar.offers.schema import FactFile

START = date(2025, 3, 1)
VENDORS = ("acme", "bolt", "weights")
MAP = {"vendors": {"acme": ["acme"], "bolt": ["bolt"]}}
LIST = {
    "plan": "list",
    "kind": "list",
    "currency": "USD",
    "sources": [{"url": "https://example.org", "read_on": "2025-03-01"}],
    "confidence": "high",
    "in_force": {"from": "2024-06-01"},
    "recorded": "2025-03-01",
    "rates": [{"input": 4, "output": 12}],
}
NOTHING = [{"input": 0, "output": 0}]
OFFERS = [
    {"id": "acme/big", "models": ["thing-2-big"], "light": False},
    {"id": "acme/small", "models": ["thing-2-small"], "light": True},
    {"id": "acme/small-free", "models": ["thing-2-small"], "light": True, "kind": "free", "rates": NOTHING,
     "limits": [{"meters": "requests", "amount": 100, "per": "day"}]},
    {"id": "acme/orphan-free", "models": ["thing-2-odd"], "light": True, "kind": "free", "rates": NOTHING,
     "limits": "unknown"},
    {"id": "acme/gift", "models": ["thing-2-small"], "light": True, "kind": "grant",
     "allowances": [{"unit": "tokens", "amount": 1000000}]},
    {"id": "bolt/small", "models": ["spark-small"], "light": True},
    {"id": "hosty/llama-free", "models": ["llama-9-8b"], "light": True, "kind": "free", "rates": NOTHING,
     "limits": "unknown"},
    {"id": "hosty/llama", "models": ["llama-9-8b"], "light": True},
    {"id": "stepfun/step", "models": ["step-7"], "light": False},
]  # fmt: skip
ANNOUNCED = [
    {"id": "acme/dearer", "models": ["thing-1-small"], "light": True},
    {"id": "acme/dearer", "models": ["thing-1-small"], "light": True, "announced": "2025-02-01",
     "in_force": {"from": "2025-06-01"}, "rates": [{"input": 8, "output": 24}]},
    {"id": "acme/going", "models": ["thing-1-big"], "light": False,
     "in_force": {"from": "2024-06-01", "until": "2025-05-01"}},
    {"id": "acme/going-too", "models": ["thing-9-big"], "light": False,
     "in_force": {"from": "2024-06-01", "until": "2025-04-15"}},
    {"id": "acme/heir", "models": ["thing-4-big"], "light": False, "rates": [{"input": 2, "output": 6}]},
    {"id": "acme/ended", "models": ["thing-0-big"],
     "in_force": {"from": "2024-06-01", "until": "2025-01-01"}},
]  # fmt: skip
IDS = [o["id"] for o in OFFERS]


@lru_cache
def catalogue() -> Catalogue:
    offers = [{**LIST, "vendor": o["id"].split("/")[0], **o} for o in [*OFFERS, *ANNOUNCED]]
    file = parse(yaml.safe_dump({"offers": offers}, sort_keys=False), "made-up")[0].validate(FactFile)
    versions: dict[str, list] = {}
    for record in file.offers:
        versions.setdefault(record.id, []).append(record)
    joined = {id: _joined(id, each, (), START) for id, each in versions.items()}
    return Catalogue(START, {id: offer for id, offer in joined.items() if offer is not None})


def market(months: int = 12, script=(), **changes) -> Market:
    """Two vendors whose terms are scripted (rows: month, vendor, light, flagship, allowance; −1: as is) and
    open weights; nothing else moves unless `changes` say so."""
    J = len(VENDORS)
    rows = np.array(sorted(script), dtype=float).reshape(-1, 5)
    made = Market(
        "made", "USD", date(2025, 1, 1), months, 4, VENDORS, ("all",), ("all",), (),
        np.array([fields.MARKET[n].off or 0.0 for n in k.MARKET_FIELDS]),
        np.array([[fields.VENDOR[n].off or 0.0 for n in k.VENDOR_FIELDS]] * J),
        np.array([[fields.TYPE[n].off or 0.0 for n in k.TYPE_FIELDS]]),
        np.zeros((1, J)), np.zeros((1, J)), rows,
    )  # fmt: skip
    base = {
        "reference_share": 0.5, "gpu_light": 1e-5, "gpu_flagship": 1e-4, "target_load": 0.5,
        "capacity_up": 1.5, "capacity_down": 0.2, "rental": 1e4, "supplier_cost": 6e3, "hold": 6.0,
        "discount": 0.012, "review": 2.0, "outside": -1.0, "switch_integrated": 0.5, "depth_one": 0.12,
        "types.teams": 1000.0, "types.potential": 1500.0, "types.innovation": 0.01, "types.budget": 5000.0,
        "types.light_share": 0.5, "types.quality_taste": 1.0, "types.price_taste": 1.4,
        "types.switching_cost": 2.0, "types.review_low": 0.05, "types.review_high": 0.3,
        "vendors.efficiency": 1.0, "vendors.cash": 1e12, "vendors.api_share": 1.0, "vendors.share": 1.0,
        "vendors.price_light": 4.0, "vendors.price_flagship": 40.0, "vendors.conduct": k.SCRIPTED,
        "vendors.experience": 1.0, "vendors.data": 1.0, "vendors.agility": 1.0, "weights.conduct": k.FRINGE,
    }  # fmt: skip
    return made.with_({**base, **changes})


def made(world: Market, offers=IDS, months=6, draws=2, month0=2, own_map=MAP, **more) -> Futures:
    return from_market(
        world, catalogue(), offers, START, months, draws, month0=month0, own_map=own_map, **more
    )


def of(futures: Futures, offer: str, array: str = "price") -> np.ndarray:
    return getattr(futures, array)[:, :, futures.position(offer)]


def stands(script, vendor: int, column: int, first: float, time: float) -> float:
    """What a script had set by `time`."""
    value = first
    for row in sorted(script):
        if row[1] == vendor and row[0] <= time and row[column] >= 0:
            value = row[column]
    return value


PRICES = st.floats(1.0, 60.0)
SCRIPTS = st.lists(
    st.tuples(
        st.floats(0.01, 8.99).filter(lambda x: abs(2 * x - round(2 * x)) > 1e-3),
        st.integers(0, 1),
        st.just(-1.0) | PRICES,
        st.just(-1.0) | PRICES,
        st.just(-1.0) | st.floats(1.0, 100.0),
    ),
    max_size=6,
    unique_by=lambda row: (int(4 * row[0]), row[1]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=SCRIPTS, month0=st.integers(0, 3))
def test_scripted_prices_come_back_as_exactly_those_factors(script, month0) -> None:
    futures = made(market(script=script, **{"acme.allowance": 8.0}), month0=month0, draws=1)
    begins = month0 - 1e-9
    for offer, vendor, column, first in (
        ("acme/small", 0, 2, 4.0), ("acme/big", 0, 3, 40.0), ("bolt/small", 1, 2, 4.0)
    ):  # fmt: skip
        now = stands(script, vendor, column, first, begins)
        then = [stands(script, vendor, column, first, month0 + m + 0.5) for m in range(6)]
        np.testing.assert_allclose(of(futures, offer)[0], np.array(then) / now, rtol=1e-12)
        assert (of(futures, offer, "status") == AS_TODAY).all()
    now = stands(script, 0, 4, 8.0, begins)
    amounts = [stands(script, 0, 4, 8.0, month0 + m + 0.5) / now for m in range(6)]
    np.testing.assert_allclose(of(futures, "acme/small-free", "allowance")[0], amounts, rtol=1e-12)
    np.testing.assert_array_equal(futures.limit, futures.allowance)


def test_who_is_not_in_the_market_follows_the_vendors_by_their_tokens() -> None:
    world = market(script=[(3.2, 0, 2.0, 10.0, -1), (5.2, 1, 8.0, 60.0, -1)], **{"acme.share": 3.0})
    run = simulate(world, range(1))
    tokens = run.vendor["tokens_flagship"][0, 1, :2]
    assert tokens[0] > 1.5 * tokens[1]
    mean = np.exp(
        tokens / tokens.sum() @ np.log([[1, 0.25, 0.25, 0.25, 0.25, 0.25], [1, 1, 1, 1.5, 1.5, 1.5]])
    )
    np.testing.assert_allclose(of(made(world, draws=1), "stepfun/step")[0], mean, rtol=1e-12)


def test_open_weights_follow_their_costs_smoothly() -> None:
    futures = made(market(progress=0.06), draws=1)
    np.testing.assert_allclose(of(futures, "hosty/llama")[0], np.exp(-0.06 * (np.arange(6) + 0.5)), rtol=1e-9)
    assert (of(futures, "stepfun/step") == 1).all()


def test_a_market_at_rest_changes_nothing() -> None:
    futures, still = made(market()), certain(IDS, START, 6, 2)
    for name in ("price", "status", "allowance", "limit", "successor", "frontier"):
        np.testing.assert_array_equal(getattr(futures, name), getattr(still, name), name)
    assert futures.sibling[futures.position("acme/small-free")] == "acme/small"
    assert futures.source == "market made from month 2"


def test_the_frontier_is_the_cheapest_of_the_able() -> None:
    script = [(2.3, 0, 3.0, -1, -1), (3.2, 1, 1.0, -1, -1), (5.1, 0, 2.0, -1, -1), (6.7, 1, 3.0, -1, -1)]
    dear = {"fringe_markup": 30.0, "light_gap": 0.5}  # open weights are no bargain, light models less able
    able = made(market(script=script, **dear))
    np.testing.assert_allclose(able.frontier[0, :, 0], [0.75, 0.25, 0.25, 0.25, 0.25, 0.5])
    np.testing.assert_allclose(able.frontier[0, :, 1], 1.0)
    # Cuts of a vendor that cannot do what the median could do not count.
    weak = made(market(script=script, fringe_lag=1.0, **dear, **{"bolt.quality": -2.0}))
    np.testing.assert_allclose(weak.frontier[0, :, 0], [0.75, 0.75, 0.75, 0.5, 0.5, 0.5])


def test_a_rise_with_a_new_generation_retires_the_model_and_names_its_successor() -> None:
    script = [(3.3, 0, 2.0, -1, -1), (5.2, 0, 6.0, -1, -1)]
    futures = made(market(script=script, rise_needs_successor=1.0))
    np.testing.assert_array_equal(of(futures, "acme/small", "status")[0], [0, 0, 0, 2, 2, 2])
    np.testing.assert_allclose(of(futures, "acme/small", "successor")[0], [1, 1, 1, 1.5, 1.5, 1.5])
    np.testing.assert_allclose(of(futures, "acme/small")[0], [1, 0.5, 0.5, 1.5, 1.5, 1.5])
    assert (of(futures, "acme/big", "status") == AS_TODAY).all()


def test_free_terms_end_when_the_vendor_gives_nothing_free_any_more() -> None:
    script = [(3.2, 0, -1, -1, 16.0), (4.3, 0, 6.0, -1, -1), (6.1, 0, -1, -1, 0.0)]
    futures = made(market(script=script, **{"acme.allowance": 8.0}))
    np.testing.assert_array_equal(of(futures, "acme/small-free", "status")[0], [0, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(of(futures, "acme/small-free", "allowance")[0], [1, 2, 2, 2, 1, 1])
    np.testing.assert_allclose(of(futures, "acme/small-free")[0], [1, 1, 1, 1, 1.5, 1.5])
    # Nobody sells the orphan's model; a gift given once stays what it is.
    np.testing.assert_array_equal(of(futures, "acme/orphan-free", "status")[0], [0, 0, 0, 0, 2, 2])
    assert any("acme/orphan-free: nobody is known" in note for note in futures.notes)
    assert (of(futures, "acme/gift", "status") == AS_TODAY).all()
    assert (of(futures, "acme/gift", "allowance") == 1).all()


def test_a_free_class_turned_paid_ends_free_terms() -> None:
    futures = made(market(script=[(4.3, 0, 2.0, -1, -1)], **{"acme.price_light": 0.0}))
    np.testing.assert_array_equal(of(futures, "acme/small-free", "status")[0], [0, 0, 1, 1, 1, 1])
    # No rise can be told relative to nothing: the other vendor's flat path stands in, and that is said.
    assert (of(futures, "acme/small") == 1).all()
    assert any("100% of draws acme's light class has no paid list price" in n for n in futures.notes)


def test_where_the_market_gives_nothing_free_terms_end_at_the_first_rise() -> None:
    script = [(3.2, 0, 2.0, -1, -1), (5.1, 0, 3.0, -1, -1)]
    futures = made(market(script=script), draws=40)
    np.testing.assert_array_equal(of(futures, "acme/small-free", "status")[0], [0, 0, 0, 1, 1, 1])
    told = [n for n in futures.notes if "100% of draws acme's light class gives nothing free at first" in n]
    assert len(told) == 1
    assert "acme/small-free" in told[0]
    # A host's free terms do as one of the two vendors, drawn by future: about half end.
    ended = (of(futures, "hosty/llama-free", "status")[:, -1] == ENDED).mean()
    assert 0.2 < ended < 0.8
    assert (of(futures, "hosty/llama", "status") == AS_TODAY).all()


def test_a_vendor_that_left_is_retired_and_its_heir_bills() -> None:
    world = market(**{"acme.cash": 3e5, "acme.price_light": 0.2, "acme.price_flagship": 2.0})
    run = simulate(world, range(1))
    gone = int((run.vendor["status"][0, :, 0] == k.GONE).argmax())
    assert gone >= 2
    futures = made(world, month0=1, months=8, draws=1)
    status = of(futures, "acme/small", "status")[0]
    assert (status[: gone - 2] == AS_TODAY).all()
    assert (status[gone:] == RETIRED).all()
    # All are equally able, so the cheapest left bills: the open weights, at cost.
    left = run.vendor["price_light"][0, -1, 1:].min()
    np.testing.assert_allclose(of(futures, "acme/small", "successor")[0, -1], left / 0.2, rtol=1e-9)
    assert of(futures, "acme/small-free", "status")[0, -1] == RETIRED


def test_the_heir_is_as_able_as_who_left() -> None:
    world = market(fringe_lag=1.0, **{"acme.cash": 1e5, "acme.price_light": 0.2, "acme.price_flagship": 2.0})
    futures = made(world, month0=1, months=8, draws=1)
    assert of(futures, "acme/small", "successor")[0, -1] == pytest.approx(4.0 / 0.2)  # bolt, not the weights


def test_whoever_takes_a_vendor_over_bills_its_teams() -> None:
    script = [(2.3, 0, 3.0, -1, -1), (6.2, 0, 2.0, -1, -1)]
    world = market(script=script, merge_into=0.0, merge_from=1.0, merge_month=4.1)
    futures = made(world)
    np.testing.assert_array_equal(of(futures, "bolt/small", "status")[0], [0, 0, 2, 2, 2, 2])
    np.testing.assert_allclose(of(futures, "bolt/small", "successor")[0], [1, 1, 0.75, 0.75, 0.5, 0.5])


def test_what_is_announced_comes_as_announced() -> None:
    ids = ["acme/dearer", "acme/going", "acme/heir", "acme/ended"]
    futures = made(market(script=[(3.2, 0, 2.0, 20.0, -1)]), ids)
    np.testing.assert_allclose(of(futures, "acme/dearer")[0], [1, 0.5, 0.5, 1, 1, 1])
    np.testing.assert_array_equal(of(futures, "acme/going", "status")[0], [0, 0, 2, 2, 2, 2])
    np.testing.assert_allclose(of(futures, "acme/going", "successor")[0], [1, 1, 0.25, 0.25, 0.25, 0.25])
    assert (of(futures, "acme/ended", "status") == RETIRED).all()
    assert any("acme/ended: had ended before" in note for note in futures.notes)


def lively(**changes) -> Market:
    """Vendors that set prices themselves, under uncertain parameters."""
    from pricewar.market.model import Uncertain

    world = market(
        months=12, hold=3.0, progress=0.05, **{"vendors.conduct": k.INVEST, "weights.conduct": k.FRINGE,
                                               "vendors.invest": 0.4, **changes})  # fmt: skip
    return replace(world, uncertain=(Uncertain(("market", "rental"), 5e3, 2e4, True),))


def equal(a: Futures, b: Futures, draws: int, months: int) -> None:
    for name in ("price", "status", "allowance", "limit", "successor", "frontier"):
        np.testing.assert_array_equal(
            getattr(a, name)[:draws, :months], getattr(b, name)[:draws, :months], name
        )


def test_draws_depend_on_the_seed_alone() -> None:
    five, again, two = (made(lively(), draws=n) for n in (5, 5, 2))
    equal(five, again, 5, 6)
    equal(five, two, 2, 6)
    equal(five, made(lively(), draws=2, months=3), 2, 3)  # nor on the horizon
    other = made(lively(), ["bolt/small", "hosty/llama-free"], draws=5)  # nor on what else is asked for
    for offer in other.offers:
        np.testing.assert_array_equal(of(five, offer), of(other, offer))
        np.testing.assert_array_equal(of(five, offer, "status"), of(other, offer, "status"))
    assert (made(lively(), draws=2, seed=1).price != two.price).any()
    assert np.ptp(of(five, "acme/small")[:, -1]) > 0


def test_a_run_gives_what_its_market_does() -> None:
    run = simulate(replace(lively(), months=8), range(3))
    equal(made(run, draws=3), made(lively(), draws=3), 3, 6)
    with pytest.raises(ConfigurationError, match="4 draws of a run of 3"):
        made(run, draws=4)
    with pytest.raises(ConfigurationError, match="run the market for longer"):
        made(run, months=7)


def test_levers_act_on_common_numbers() -> None:
    plain = made(lively(), draws=4)
    equal(plain, made(lively(portability=0.8, lever_from=99.0), draws=4), 4, 6)
    levered = made(lively(portability=0.8, lever_from=4.0), draws=4)
    equal(plain, levered, 4, 2)  # months 2 and 3 lie before
    assert (plain.price[:, 3:] != levered.price[:, 3:]).any()
    # The same numbers: what the lever does differs less between futures than futures do.
    a, b = (np.log(of(f, "acme/small")[:, -1]) for f in (plain, levered))
    assert np.std(b - a) < np.std(a)


def test_unmapped_offers_are_shown_and_a_map_of_ones_own_comes_first(tmp_path) -> None:
    where = {p.offer: p for p in places(market(), catalogue(), IDS, MAP)}
    assert where["acme/big"][1:] == ("acme", "flagship", "its vendor", True)
    assert where["hosty/llama"].follows == FRINGE
    assert where["stepfun/step"].follows == INDUSTRY
    told = " ".join(n for n in made(market()).notes if n.startswith("not in the market"))
    assert {id for id in IDS if not where[id].inside} == {
        id for id in IDS if id in told.replace(",", "").split()
    }
    script = [(3.2, 0, 2.0, 20.0, -1)]
    file = tmp_path / "map.yaml"
    file.write_text(
        "vendors: {acme: [acme], bolt: [bolt]}\n"
        "offers:\n  stepfun/*: {follows: acme, class: light}\n  acme/big: {follows: as today}\n"
    )
    futures = made(market(script=script), own_map=file)
    np.testing.assert_allclose(of(futures, "stepfun/step")[0], [1, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert (of(futures, "acme/big") == 1).all()
    file.write_text("offers:\n  acme/*: {folows: acme}\n")
    with pytest.raises(DefinitionError, match="did you mean “follows”"):
        made(market(), own_map=tmp_path / "map.yaml")
    with pytest.raises(ConfigurationError, match="did you mean “acme”"):
        made(market(), own_map={"offers": {"acme/*": {"follows": "acmee"}}})
    with pytest.raises(ConfigurationError, match="keys are vendors, models and offers"):
        made(market(), own_map={"offer": {}})


def test_the_bundled_map_names_what_there_is_and_the_page_is_right() -> None:
    from pathlib import Path

    from pricewar.futures.market_map import bundled
    from pricewar.market import definition

    markets = [definition.load(name) for name in ("china-2024", "global-2025")]
    inside = {n for m in markets for n, v in m.text.vendors.each.items() if v.conduct != "fringe"}
    assert set(bundled().vendors) == inside
    assert set(bundled().models) <= inside | {FRINGE}
    sellers = {o.latest.vendor for o in load_catalogue().offers.values()}
    assert {name for names in bundled().vendors.values() for name in names} <= sellers
    page = (Path(__file__).parents[2] / "docs" / "futures.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.split("```yaml\n", 1)[1].split("```", 1)[0])
    ids = ["groq/openai/gpt-oss-120b", "openai/gpt-5-mini", "zhipu/glm-5.3/cny"]
    found = places(definition.market(markets[0]), load_catalogue(), ids, example)
    assert [p.follows for p in found] == [INDUSTRY, "deepseek", "zhipu"]


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ConfigurationError, match="begins on 2025-01-01"):
        from_market(market(), catalogue(), IDS, date(2024, 1, 1), 6, 1)
    with pytest.raises(ConfigurationError, match="0 months"):
        made(market(), months=0)
    with pytest.raises(ConfigurationError, match="no offer “acme/bigg”"):
        made(market(), ["acme/bigg"])
    assert from_market(market(), catalogue(), IDS, START, 1, 1).source.endswith("month 1")  # 59 days


def test_one_function_for_both_sources() -> None:
    day, ids = date(2026, 11, 22), ["zhipu/flash-free", "deepseek/flash", "openai/gpt-5-mini"]
    futures = futures_for("china-2024", load_catalogue(), ids, day, 3, 1, changes={"portability": 0.8})
    assert futures.source == "market china-2024 from month 30"
    assert any("openai/gpt-5-mini" in note for note in futures.notes if note.startswith("not in the market"))
    assert futures_for("history", load_catalogue(), ids, day, 3, 1).source.startswith("history as of")
    for wrong in (
        {"source": "china-2042"},
        {"source": "history", "changes": {"portability": 0.8}},
        {"source": "china-2024", "as_of": day},
        {"source": "china-2024", "changes": {"portabilty": 0.8}},
    ):
        with pytest.raises(ConfigurationError):
            futures_for(
                **{
                    "catalogue": load_catalogue(),
                    "offers": ids,
                    "start": day,
                    "months": 3,
                    "draws": 1,
                    **wrong,
                }
            )
