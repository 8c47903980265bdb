"""The textbook market against the exact games it reduces to, and the first-order condition against SciPy."""

import numpy as np
import pytest
from scipy import optimize, stats

from pricewar.errors import ConfigurationError
from pricewar.games import outcomes, static_logit
from pricewar.market import definition, textbook
from pricewar.market import kernel as k
from pricewar.market import step as pure
from pricewar.market.textbook import LIFT

PUBLISHED = {  # prices in (1, 1)
    "learning-bdks2010": (2.322476, 4.423665, 5.946757),
    "learning-bdk2014": (-34.775922, 3.274320, 5.054357),
}


@pytest.fixture(scope="module", params=list(PUBLISHED))
def compared(request):
    return request.param, textbook.solve(request.param)


def test_given_the_shadow_values_the_market_asks_the_games_prices_at_every_state(compared):
    name, all_of_them = compared
    assert [float(c.price[1, 1]) for c in all_of_them] == pytest.approx(PUBLISHED[name], abs=2e-5)
    for one in all_of_them:
        exact = one.game.policy["price"][0]
        assert np.array_equal(np.isnan(one.price), np.isnan(exact))
        assert one.gap < 1e-6


def test_without_the_shadow_values_it_does_not():
    one = textbook.solve()[0]
    board = textbook._Board(one.market)
    board.at((1, 1))
    board.post(1, float(one.price[1, 1]))
    board.post(0, 12.0)
    assert board.reply(0) > one.price[1, 1] + 1.0


def test_the_markets_step_sells_and_teaches_as_the_game_says(compared):
    _, all_of_them = compared
    for one in all_of_them:
        engine = one.game.extra["engine"]
        share, taught = one.law
        lo = engine.lo
        assert np.abs(share - one.game.policy["share"])[:, lo:, lo:].max() < 1e-6
        for who in (1, 2):
            sold = share[who] > 0.0
            assert taught[who, who - 1][sold] == pytest.approx(1.0, abs=1e-6)
            assert (taught[who, 2 - who][sold] == 0.0).all()


def test_the_industry_goes_where_the_game_says(compared):
    _, all_of_them = compared
    for one in all_of_them:
        mu, exact = one.distribution(100), outcomes.distribution(one.game, 100)
        assert mu == pytest.approx(exact, abs=1e-7)
        # HHI and price at period 1000, the papers' figures, from the market's own shares and prices
        mu, road = one.distribution(999), outcomes.path(one.game, 1000)
        active = 1.0 - mu[0, 0]
        assert np.nansum(mu * one.hhi) / active == pytest.approx(road.hhi[-1], abs=1e-6)
        assert np.nansum(mu * one.mean_price()) / active == pytest.approx(road.price[-1], abs=1e-6)


def test_single_buyers_spread_as_the_games_law(compared):
    _, all_of_them = compared
    N = 20_000
    for n, one in enumerate(all_of_them):
        for period in (3, 30):
            expected = N * outcomes.distribution(one.game, period)
            end = textbook.play(one, period, N, seed=n)[:, -1]
            count = np.zeros_like(expected)
            np.add.at(count, (end[:, 0], end[:, 1]), 1)
            kept = expected > 5.0
            rest = N - expected[kept].sum()
            e, c = np.append(expected[kept], rest), np.append(count[kept], N - count[kept].sum())
            e, c = (e, c) if rest > 5.0 else (e[:-1], c[:-1])
            chi = ((c - e) ** 2 / e).sum()
            assert chi < stats.chi2.ppf(1.0 - 1e-4, len(e) - 1)
            assert count[expected < 1e-9].sum() == 0.0


def test_static_conduct_is_bertrand_in_the_level_linear_limit():
    """By the whole step, reviews and all: vendors unlike in cost and quality, an outside good."""
    market = textbook.market("learning-bdk2014", sigma=0.8)
    quality, efficiency = np.array([0.0, 0.9]), np.array([1.0, 1.7])
    per = market.get("type", "buyers", "quality_taste")
    changes = {"vendors.conduct": k.STATIC, "review": 400.0, "learning": 0.0}
    for name, q, e in zip(market.vendors, quality, efficiency, strict=True):
        changes |= {f"{name}.quality": 1.0 + q / 0.8 / per, f"{name}.efficiency": e}
    cost = 10.0 / efficiency
    changes["reference_share"] = (textbook.LIMIT - LIFT) / (LIFT + cost.mean())
    market = market.with_(changes)
    state = start = pure.begin(market)
    for _ in range(60):
        state = pure.step(market, state.with_(teams=start.teams, pool=start.pool))[0]
    exact = static_logit.bertrand(static_logit.LogitMarket(quality, cost, 0.8, -10.0)).policy["price"]
    assert state.vendor("price_flagship") - LIFT == pytest.approx(exact, abs=1e-4)


def objective(market, state, prices, ann, j=0, invest=0.0):
    """The stated objective of vendor j over its holding horizon, written out anew: Σ M π + flows × worth."""
    g = {n: market.get("market", n) for n in ("hold", "outside")}
    h = np.array([state.world("reference_light"), state.world("reference_flagship")])
    H, total = g["hold"], 0.0
    cost = np.array([state.vendor("cost_light")[j], state.vendor("cost_flagship")[j]])
    rivals = np.stack([state.vendor("price_light"), state.vendor("price_flagship")], axis=1)
    for i, kind in enumerate(market.types):
        t = {n: market.get("type", kind, n) for n in k.TYPE_FIELDS}
        theta, B = t["light_share"], t["budget"] * state.budgets[i]
        part = np.array([theta, 1.0 - theta])

        def utility(p, taste=t, part=part):
            return -taste["price_taste"] * (part * np.log1p(p / h)).sum()

        u = np.array([utility(prices if n == j else rivals[n]) for n in range(len(rivals))])
        x, none = np.exp(u), np.exp(g["outside"])
        units = part * B / h / (1.0 + prices / h)
        profit = ((prices - cost) * units).sum()
        stay = np.exp(t["switching_cost"] * np.array([0.1, 0.5, 1.0]))
        low, more = t["review_low"], t["review_high"] - t["review_low"]
        teams = state.teams[i]
        # the rate at which teams of each vendor and depth leave it
        q = (x.sum() + none - x)[None, :] / (x.sum() + none - x + x * stay[:, None])
        leave = (low + more * q) * q
        n = teams.sum()
        newcomers = (t["innovation"] + t["imitation"] * n / (n + state.pool[i])) * state.pool[i]
        come = newcomers * x[j] / (x.sum() + none)
        for other in range(len(x)):
            if other != j:
                come += (teams[:, other] * leave[:, other]).sum() * x[j] / (x.sum() + none - x[other])
        months = teams[:, j] * (H - 0.5 * H**2 * leave[:, j])
        total += (months.sum() + 0.5 * H**2 * come) * profit
        total += H * invest * (come * ann[i][0] - (teams[:, j] * leave[:, j] * ann[i]).sum())
    return total


@pytest.mark.parametrize("seed", range(4))
def test_log_utility_the_first_order_condition_maximises_the_stated_objective(seed):
    rng = np.random.default_rng(seed)
    market = textbook.market()
    for name, value in {
        "reference_share": 0.5, "gpu_light": 0.1, "energy_light": 0.1, "energy_flagship": 1.0,
        "outside": -1.0,
        "hold": 6.0, "discount": 0.02, "learning": 0.0, "switch_trial": 0.1, "switch_integrated": 0.5,
        "experience_top": 0.0, "buyers.teams": 800.0, "buyers.potential": 4000.0, "buyers.innovation": 0.02,
        "buyers.imitation": 0.1, "buyers.budget": 500.0, "buyers.light_share": rng.uniform(0.2, 0.8),
        "buyers.price_taste": rng.uniform(1.0, 2.0), "buyers.quality_taste": 0.0,
        "buyers.switching_cost": rng.uniform(0.0, 1.5), "buyers.review_low": 0.1, "buyers.review_high": 0.4,
        "vendors.conduct": k.STATIC, "vendors.price_light": 3.0, "vendors.price_flagship": 30.0,
        "review": 400.0, "two.efficiency": rng.uniform(0.6, 1.6),
    }.items():  # fmt: skip
        market = market.with_({name: value})
    state = pure.begin(market)
    draws = np.array([[0.5, 0.5, 0.5], [1.0 - 1e-16, 0.5, 0.5]])  # only the first reviews
    held = state
    for _ in range(8):  # again and again at one state: the price settles
        after = pure.step(market, held, None, draws)[0]
        held = state.with_({n: after.vendor(n) for n in ("price_light", "price_flagship")})
    asked = np.array([held.vendor("price_light")[0], held.vendor("price_flagship")[0]])
    found = optimize.minimize(
        lambda y: -objective(market, held, np.exp(y), np.zeros((1, 3))) / 1e4,
        np.log(asked) + 0.2,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000},
    )
    assert asked == pytest.approx(np.exp(found.x), rel=2e-4)


def test_how_near_the_markets_conduct_comes_to_the_exact_equilibrium():
    """What conduct "invest" leaves on the table where the game can be solved."""
    one = textbook.solve(delta=0.0)[0]
    static, near, far = (textbook.conduct(one, a) for a in (0.0, 0.5, 1.5))
    assert near.difference < 0.3 < 1.0 < static.difference
    assert near.exploitability < 0.085
    assert static.exploitability > 0.45
    assert far.exploitability > 1.0
    # the exact equilibrium by the same measure: nothing to gain
    engine = one.game.extra["engine"]
    worth = textbook._worth(engine, one.game.policy["price"][0])
    assert worth[1:, 1:] == pytest.approx(one.game.value[0][1:, 1:], rel=1e-9)


def test_the_bundled_definition_is_this_market():
    market, bundled = textbook.market(), definition.market(definition.load("textbook"))
    assert (bundled.name, bundled.vendors, bundled.types) == (market.name, market.vendors, market.types)
    assert (bundled.months, bundled.per_month, bundled.uncertain) == (market.months, market.per_month, ())
    for name in ("g", "v", "t", "chi", "eco", "script"):
        assert np.array_equal(getattr(bundled, name), getattr(market, name)), name


@pytest.mark.parametrize(
    ("name", "given", "word"),
    [
        ("static-logit", {}, "no game"),
        ("learning-bdks2010", {"cost_gap": 0.1}, "cost_gap"),
        ("learning-bdk2014", {"floor": 1.0}, "floor"),
        ("learning-bdk2014", {"rhoo": 1.0}, "rhoo"),
    ],
)
def test_what_the_reduction_leaves_out_is_refused(name, given, word):
    with pytest.raises(ConfigurationError, match=word):
        textbook.market(name, **given)
