"""Claims: verdicts follow the figures, ablations share the luck, every variant means something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from pricewar.cli import cli
from pricewar.cli.claims import made_by
from pricewar.errors import ConfigurationError
from pricewar.market import claims as room
from pricewar.market import claims_runs as runs
from pricewar.market import definition
from pricewar.market.claims_measures import MEASURES

PEACELESS = [("peace", "=", 0.0)]


@pytest.fixture(scope="module")
def market():
    return replace(definition.market("china-2024"), months=30)


def kept(market, variants, seeds=range(3)):
    """Futures of the claims' variants, run here; the war is on from the start, for speed."""
    made = {}
    for family, named in variants.items():
        own = runs.family(market, family)
        for name, v in named.items():
            bent = runs.bent(own, [*PEACELESS, *v.bends], chi=own.chi * v.affinity, eco=own.eco * v.ecosystem)
            every = [runs.future(bent, s) for s in seeds]
            made.setdefault(family, {})[name] = {m: np.array([o[m] for o in every]) for m in MEASURES}
    return made


# ---------------------------------------------------------------- the rule of verdicts


@pytest.mark.parametrize(
    ("held", "verdict"),
    [
        ((True, True), room.EMERGES),
        ((True, False), room.PARTLY),
        ((True, True, False), room.PARTLY),
        ((True, False, False), room.NOT),
        ((False, False), room.NOT),
        ((), room.NOT),
    ],
)
def test_verdict_is_the_checks_alone(held, verdict):
    found = room.Finding(1, "t", "c", tuple(room.Check("x", "y", h) for h in held))
    assert found.verdict == verdict


def test_intervals_are_the_textbook_ones():
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 2, 40), rng.normal(0, 1, 40)
    gap = room.paired(a, b)
    said = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (gap.low, gap.high) == pytest.approx((said.low, said.high))
    for hits, n in ((0, 7), (3, 9), (50, 50)):
        ours, theirs = room.wilson(hits, n), stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_unknown_futures_are_left_out_in_pairs():
    gap = room.paired([1.0, np.nan, 3.0, np.inf], [0.0, 5.0, 1.0, 0.0])
    assert gap.n == 2
    assert gap.mean == pytest.approx(1.5)
    assert room.paired([np.nan], [1.0]).sign == 0


# ---------------------------------------------------------------- what is asked


def test_all_twenty_and_every_variant_means_something(market):
    every = room.claims()
    assert [c.number for c in every] == list(range(1, 21))
    for family, named in room.needed(every).items():
        own = runs.family(market, family)
        for v in named.values():
            made = runs.bent(own, v.bends)  # raises where an address does not exist
            assert v.solved in ("", *room.SETTINGS)
            changed = v.bends or v.solved or v.free or v.affinity != 1 or v.ecosystem != 1
            assert bool(changed) == (v.name != room.BASE.name)
            if v.bends:
                before, after = own.members([3]), made.members([3])
                assert any(not np.array_equal(x, y) for x, y in zip(before, after, strict=True)), v.name


def test_two_variants_of_one_name_are_refused():
    other = room.Variant("no learning", (("learning", "=", 1.0),))
    mixed = replace(room.chosen([4])[0], variants=(other,))
    with pytest.raises(ConfigurationError, match="two variants"):
        room.needed([*room.chosen([4]), mixed])


# ---------------------------------------------------------------- bent futures


def test_bends_come_after_the_draw(market):
    g, v, t = market.members([5, 6])
    g2, v2, t2 = runs.bent(market, [("types.switching_cost", "×", 2.0)]).members([5, 6])
    from pricewar.market import kernel as k

    assert np.array_equal(g, g2)
    assert np.array_equal(v, v2)
    assert np.allclose(t2[:, :, k.SWITCHING_COST], 2 * t[:, :, k.SWITCHING_COST])
    t2[:, :, k.SWITCHING_COST] = t[:, :, k.SWITCHING_COST]
    assert np.array_equal(t, t2)
    with pytest.raises(ConfigurationError):
        runs.bent(market, [("deepseek.efficency", "=", 1.0)])
    with pytest.raises(ConfigurationError, match="bend"):
        runs.bent(market, [("learning", "+", 1.0)])


def test_a_held_opening_replays_the_future(market):
    short = replace(market, months=8)
    free = runs.future(runs.bent(short), 2)
    when = float(free["opening"])
    held = runs.bent(short, openings={2: (int(free["opener"]), 0.0 if np.isnan(when) else when)})
    again = runs.future(held, 2)
    for name in MEASURES:
        assert np.array_equal(np.asarray(free[name]), np.asarray(again[name]), equal_nan=True), name


def test_families_leave_the_plain_market_alone(market):
    for family in runs.FAMILIES:
        own = runs.family(market, family)
        T, J = len(market.types), len(market.vendors)
        assert own.types[:T] == market.types
        assert own.vendors[:J] == market.vendors
        g, v, t = own.members([1])
        g0, v0, t0 = market.members([1])
        assert np.array_equal(g, g0)
        assert np.array_equal(v[:, :J], v0)
        same = np.ones(t.shape[2], bool)
        if family == "verticals":
            from pricewar.market import kernel as k

            same[[k.VERTICAL, k.VERTICAL_GAP]] = False
        assert np.array_equal(t[:, :T][:, :, same], t0[:, :, same])
    with pytest.raises(ConfigurationError, match="family"):
        runs.family(market, "vertical")


def test_first_fees_are_nash_in_nash(market):
    own = replace(runs.family(market, "verticals"), months=2)
    for weight in (0.2, 0.8):
        bends = [*PEACELESS, ("contract", "=", 1.0), ("holder_weight", "=", weight)]
        found = runs.future(runs.bent(own, bends), 4)
        assert found["bargain_pairs"] > 0
        assert found["bargain_gap"] < 1e-9


# ---------------------------------------------------------------- findings


def test_findings_follow_the_figures(market):
    chosen = room.chosen([4, 17])
    variants = room.needed(chosen)
    families = {name: runs.family(market, name) for name in variants}
    data = kept(market, variants)
    futures = room.Futures(market, families, data)
    findings = [c.test(futures) for c in chosen]
    text = room.page(findings, ["head"])
    for f in findings:
        assert f.verdict in (room.EMERGES, room.PARTLY, room.NOT)
        assert len(f.checks) >= 3
        assert f"](#{room.anchor(f)})" in text
        assert f"## {room.heading(f)}" in text
    assert "nan" not in text.lower().replace("finance", "")
    # The same claim on figures that say the opposite.
    for name, sign in (("as it is", +1.0), ("no least fleet, no learning", -1.0)):
        data["plain"][name]["work_slope"] = np.array([0.1, 0.2, 0.3]) * sign
    assert chosen[0].test(room.Futures(market, families, data)).verdict == room.NOT
    for name, slope in (("as it is", -0.3), ("no least fleet, no learning", -0.01)):
        data["plain"][name]["work_slope"] = slope + np.array([0.0, 0.001, 0.002])
    assert chosen[0].test(room.Futures(market, families, data)).verdict == room.EMERGES


def test_the_document_names_the_command_that_makes_it():
    assert made_by("china-2024", 100, room.chosen(None)) == "pricewar claims --seeds 100"
    some = made_by("some/my market.yaml", 6, room.chosen([4, 6]))
    assert some == "pricewar claims --seeds 6 --only 4,6 --market 'my market.yaml'"


def test_usage_mistakes_are_clear():
    for words, said in ((["--only", "21"], "no claim 21"), (["--only", "a"], "not numbers")):
        reply = CliRunner().invoke(cli, ["claims", *words])
        assert reply.exit_code != 0
        assert said in (reply.output + str(reply.exception))
    reply = CliRunner().invoke(cli, ["claims", "--only", "4", "--write", "nowhere/claims.md"])
    assert "does not exist" in str(reply.exception)  # before the work, which takes long
    listed = CliRunner().invoke(cli, ["claims", "--list"])
    assert listed.exit_code == 0
    assert len(listed.output.splitlines()) == 20
