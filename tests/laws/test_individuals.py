"""Individual buyers against the mean field: the same vendors, the same mean, the spread that theory gives.

Theory is computed here in plain NumPy, from the model's formulas and not from its code: the chain's
transition matrix, the covariance of a branching chain, and the first correction of a mean by curvature.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricewar.errors import ConfigurationError
from pricewar.market import individuals, individuals_kernel, kernel
from pricewar.market.individuals import Supply, simulate_individuals
from pricewar.market.model import Market, simulate

K = kernel
PLAIN = {
    "reference_share": 0.5, "gpu_light": 1e-4, "gpu_flagship": 6e-4, "energy_light": 0.1,
    "energy_flagship": 0.8, "target_load": 0.5, "rental": 10000.0, "supplier_cost": 6000.0,
    "capacity_up": 1.0, "capacity_down": 0.2,
    "experience_scale": 1000.0, "threshold_width": 0.1, "data_half": 1e6, "run_months": 3.0,
    "run_gpu": 4e-22, "light_gap": 0.8,
    "depth_one": 0.12, "depth_two": 0.05, "switch_trial": 0.1, "switch_integrated": 0.5, "certainty": 0.5,
    "expansion_contestable": 0.6, "outside": -1.0, "discount": 0.012, "hold": 6.0, "menu": 0.03, "react": 3.0,
    "review": 0.5, "revenue_quality": 0.3, "lever_from": 0.0, "allowance_notch": 1.4, "runway_weight": 1.0,
    "regulator_hhi": 1.0, "regulator_reach": 1.0, "rollout_months": 6.0, "expected_peace": 6.0,
}  # fmt: skip
TYPE = {
    "teams": 800.0, "potential": 1400.0, "innovation": 0.03, "imitation": 0.0, "budget": 500.0,
    "growth": 0.05,
    "light_share": 0.6, "light_fall": 0.3, "quality_taste": 0.8, "price_taste": 1.4, "reliability_taste": 1.0,
    "switching_cost": 1.2, "review_low": 0.1, "review_high": 0.6, "churn": 0.02, "data_weight": 0.2,
    "vertical": -1.0, "revenue": 1.4,
}  # fmt: skip
VENDOR = {
    "efficiency": 1.0, "cash": 1e9, "reserve": 1e9, "api_share": 0.2, "share": 1.0, "experience": 1000.0,
    "price_light": 2.0, "price_flagship": 14.0, "agility": 1.0, "conduct": float(K.EXTERNAL), "compute": 24.0,
    "data": 1e5, "invest": 0.4,
}  # fmt: skip


def build(
    vendors: list[dict], types: list[dict], months: int = 8, per_month: int = 1, **market: float
) -> Market:
    """A market from the defaults above and what differs from them."""
    J, T = len(vendors), len(types)
    g = np.zeros(len(K.MARKET_FIELDS))
    for name, value in {**PLAIN, **market}.items():
        g[K.MARKET_FIELDS.index(name)] = value
    v, t = np.zeros((J, len(K.VENDOR_FIELDS))), np.zeros((T, len(K.TYPE_FIELDS)))
    for row, fields, rows, default in [
        (v, K.VENDOR_FIELDS, vendors, VENDOR),
        (t, K.TYPE_FIELDS, types, TYPE),
    ]:
        for n, own in enumerate(rows):
            for name, value in {**default, **own}.items():
                row[n, fields.index(name)] = value
    rng = np.random.default_rng(7)
    return Market(
        "small", "CNY", date(2024, 5, 6), months, per_month, tuple(f"v{j}" for j in range(J)),
        tuple(f"t{i}" for i in range(T)), ("all",), ("health",), g, v, t, rng.normal(0.0, 0.2, (T, J)),
        rng.uniform(0.0, 0.5, (T, J)),
    )  # fmt: skip


def fixed(types: int = 1, **changes: float) -> Market:
    """Three vendors whose prices and qualities stay; nothing feeds back but, if asked for, imitation."""
    given = [{"share": 2.0}, {"price_light": 1.0, "brand": 0.2}, {"price_flagship": 9.0, "brand": -0.1}]
    return build(given, [changes] * types, months=8)


# --- theory, in plain NumPy ------------------------------------------------------------------------------


class Chain:
    """The exact chain of one type of `fixed`: states l J + j, then the pool."""

    def __init__(self, market: Market, i: int = 0) -> None:
        g = dict(zip(K.MARKET_FIELDS, market.g, strict=True))
        t = dict(zip(K.TYPE_FIELDS, market.t[i], strict=True))
        v = {name: market.v[:, c] for c, name in enumerate(K.VENDOR_FIELDS)}
        dt, J = 1.0 / market.per_month, len(market.vendors)
        cost = [
            g[f"energy_{tier}"] + g["rental"] / g["target_load"] * g[f"gpu_{tier}"]
            for tier in ("light", "flagship")
        ]
        log0, log1 = (
            np.log1p(v[p] / (g["reference_share"] * c))
            for p, c in zip(("price_light", "price_flagship"), cost, strict=True)
        )
        theta = t["light_share"] * (1 - t["light_fall"] * np.arange(3) / 2)[:, None]
        home = market.eco[i]
        u = (
            -t["quality_taste"] * g["light_gap"] * t["light_share"]
            + market.chi[i]
            + v["brand"]
            + g["certainty"] * home
        )
        x = np.exp(u - t["price_taste"] * (theta * log0 + (1 - theta) * log1))
        depth = np.array([g["switch_trial"], g["switch_integrated"], 1.0])[:, None]
        stay = t["switching_cost"] * depth + np.array([0, 1, 1])[:, None] * (1 - g["certainty"]) * home
        outside = np.exp(g["outside"])
        S = outside + x[0].sum()
        others = S - x[0]
        q = others / (others + x * np.exp(stay))
        leave = 1 - np.exp(-(t["review_low"] * q + (t["review_high"] - t["review_low"]) * q**2) * dt)
        n = 3 * J
        up = 1 - np.exp(-np.array([g["depth_one"], g["depth_two"], 0.0]) * dt)
        alive = np.exp(-t["churn"] * dt)
        fate = np.zeros((n, n + 1))  # what becomes of a team in a state by the end of the step, if it lives
        for a in range(n):
            fate[a, a] = alive * (1 - up[a // J])
            if a < 2 * J:
                fate[a, a + J] = alive * up[a // J]
        self.go, self.keep = np.zeros((n, n + 1)), np.zeros((n, n + 1))
        for a in range(n):
            j, p = a % J, leave.ravel()[a]
            for k in range(J):
                if k != j:
                    self.go[a] += p * x[0, k] / others[j] * fate[k]
            self.go[a, n] += p * outside / others[j]
            self.keep[a] = (1 - p) * fate[a]
        self.stays = 1 - leave.ravel()
        self.new = (x[0] / S) @ fate[:J]
        self.births = g["expansion_contestable"] * t["growth"] * dt * self.new
        self.p, self.q, self.dt, self.n, self.inside = t["innovation"], t["imitation"], dt, n, 1 - outside / S

    def parts(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean offspring [n + 1, n + 1] and its covariances [n + 1, n + 1, n + 1], by parent's state."""
        n = self.n
        stay = self.stays @ mean[:n]
        adopt = 1 - np.exp(-(self.p + self.q * stay / (stay + mean[n])) * self.dt)
        A, V = np.zeros((n + 1, n + 1)), np.zeros((n + 1, n + 1, n + 1))
        for a in range(n):
            one = self.go[a] + self.keep[a]
            A[a] = one + self.stays[a] * self.births
            pair = np.outer(self.keep[a], self.births)
            V[a] = np.diag(one) + self.stays[a] * np.diag(self.births) + pair + pair.T - np.outer(A[a], A[a])
        A[n] = adopt * self.new
        A[n, n] += 1 - adopt * self.inside
        V[n] = np.diag(A[n]) - np.outer(A[n], A[n])
        return A, V

    def next(self, mean: np.ndarray) -> np.ndarray:
        return mean @ self.parts(mean)[0]

    def run(self, start: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean field, its correction by curvature, covariance, and covariance with the state half-way."""
        d = self.n + 1
        mean, bias, cov, lagged = start, np.zeros(d), np.zeros((d, d)), np.zeros((d, d))
        for step in range(steps):
            h = 1e-3 * mean.sum()
            unit = np.eye(d) * h
            jac = np.array([(self.next(mean + e) - self.next(mean - e)) / (2 * h) for e in unit])
            bend = np.zeros(d)
            if self.q > 0:
                for a in range(d):
                    for b in range(d):
                        e, f = unit[a], unit[b]
                        second = (
                            self.next(mean + e + f)
                            - self.next(mean + e - f)
                            - self.next(mean - e + f)
                            + self.next(mean - e - f)
                        )
                        bend += 0.5 * cov[a, b] * second / (4 * h * h)
            bias = bias @ jac + bend
            cov = jac.T @ cov @ jac + np.einsum("a,abc->bc", mean, self.parts(mean)[1])
            if step == steps // 2 - 1:
                lagged = cov.copy()
            elif step >= steps // 2:
                lagged = lagged @ jac
            mean = self.next(mean)
        return mean, bias, cov, lagged


def counted(run, i: int = 0, month: int = -1) -> np.ndarray:
    """What members show of a type: teams by vendor, and in the pool when there is one type. [N, J (+ 1)]"""
    teams = run.teams[:, month, i]
    return (
        np.column_stack((teams, run.world["outside_teams"][:, month])) if run.teams.shape[2] == 1 else teams
    )


def shown(market: Market, pool: bool = True) -> np.ndarray:
    """From the chain's states to what is counted: [3 J + 1, J + 1]."""
    J = len(market.vendors)
    to = np.zeros((3 * J + 1, J + 1))
    to[np.arange(3 * J), np.arange(3 * J) % J] = 1.0
    to[3 * J, J] = 1.0
    return to if pool else to[:, :J]


def teams_of(market: Market) -> tuple[np.ndarray, np.ndarray]:
    """Where the mean field begins: teams [T, 3, J] and pool [T]."""
    supply = Supply(market, market.g, market.v, market.t, market.luck([0])[0, 0])
    return supply.m, supply.pool


def start_of(market: Market) -> np.ndarray:
    """The same for the only type, as states of the chain."""
    m, pool = teams_of(market)
    return np.append(m[0].ravel(), pool[0])


def spread(sample: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> tuple[float, float]:
    """Mean squared distance from the mean as theory measures it, 1 if that is right; its standard error."""
    gap = sample - mean
    each = np.einsum("na,ab,nb->n", gap, np.linalg.inv(cov), gap) / gap.shape[1]
    return float(each.mean()), float(each.std() / np.sqrt(len(each)))


# --- the generator ---------------------------------------------------------------------------------------


def test_philox_gives_the_published_answers():
    # known answers of Random123 (kat_vectors, philox4x32 10), github.com/DEShawResearch/random123
    full = 0xFFFFFFFF
    for given_, wanted in (
        ((0, 0, 0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((full,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ):
        assert tuple(int(word) for word in individuals_kernel.philox(*given_)) == wanted


# --- the vendors' side -----------------------------------------------------------------------------------


def live(**changes: float) -> Market:
    """Everything at once: reviews, peace and its end, entry, merger, licences, training, levers."""
    market = {
        "reference_lag": 3.0, "progress": 0.05, "learning": 0.1, "load_penalty": 4.0, "burst_premium": 0.5,
        "rental_elasticity": 0.2, "rental_decline": 0.01, "supply_growth": 0.05, "scale_compute": 1.0,
        "scale_data": 0.2,
        "data_decay": 0.04, "run_gap": 3.0, "run_step": 0.3, "run_gpu": 4e-22, "run_failure": 0.3,
        "afford": 0.3,
        "portability": 0.3, "embedded_cap": 0.5, "lever_from": 2.0, "merge_into": 1.0, "merge_from": 2.0,
        "merge_month": 5.0, "peace": 1.0, "opening_threshold": -1.0, "modality_month": 6.0,
        "modality_size": 0.3,
        "consumers": 1e4, "consumers_final": 1e5, "consumer_growth": 0.1, "consumer_rate": 0.05,
        "consumer_tokens": 0.03, "consumer_data": 0.3, "contract": 2.0, "holder_weight": 0.5,
        "holder_cost": 0.01,
        "contract_interval": 4.0, "cut_is_war": 0.3, "absorb": 0.01, "fleet_minimum": 1.0,
        "data_sharing": 0.2,
    }  # fmt: skip
    vendors = [
        {"share": 3.0, "conduct": float(K.INVEST), "allowance": 5.0, "consumers": 0.4},
        {"share": 2.0, "conduct": float(K.INVEST), "efficiency": 1.3, "grant": 3.0},
        {"share": 1.0, "conduct": float(K.STATIC)},
        {"share": 1.0, "conduct": float(K.INVEST), "enters": 3.0, "efficiency": 1.5},
        {
            "share": 1.0,
            "conduct": float(K.INVEST),
            "cash": 2e4,
            "reserve": 0.0,
            "efficiency": 0.5,
            "income_per_team": -900.0,
        },
        {"share": 0.5, "conduct": float(K.FRINGE)},
    ]
    types = [
        {"teams": 500.0, "potential": 2000.0, "imitation": 0.1, "ideas": 1.0},
        {
            "teams": 300.0,
            "potential": 900.0,
            "budget": 4000.0,
            "vertical": 0.0,
            "vertical_gap": 0.5,
            "growth": 0.02,
        },
    ]
    return build(vendors, types, months=10, per_month=4, **(market | changes))


def averaged(market: Market, seed: int = 0):
    """The market with the mean field's own moves put between `terms`, `serve` and `close`: ov, ot, om, ow."""
    M, T, J = market.months, len(market.types), len(market.vendors)
    ov, ot = np.zeros((M, J, len(K.VENDOR_SERIES))), np.zeros((M, T, len(K.TYPE_SERIES)))
    om, ow = np.zeros((M, T, J)), np.zeros((M, len(K.WORLD_SERIES)))
    g, v, t = (a[0] for a in market.members([seed]))
    luck, exits = market.luck([seed])[0], 0
    supply = Supply(market, g, v, t, luck[0])
    for month in range(M):
        out = ov[month], ot[month], ow[month]
        for _ in range(market.per_month):
            draws = luck[supply.steps]
            merging = supply.merging()
            if merging:
                into, gone_ = merging
                supply.m[:, :, into] += supply.m[:, :, gone_]
                supply.m[:, :, gone_] = 0.0
            c = supply.terms(draws)
            before, waiting = supply.m.copy(), supply.pool.copy()
            m, pool = supply.m.copy(), supply.pool.copy()
            cells = supply.cells.copy()
            cells[K.FLOW : K.OF_VENDORS] = 0.0
            K._move_all(g, supply.s, cells, supply.lever, supply.shaken, supply.dt, out[0])
            K._leave(m, pool, supply.bg.copy(), cells)
            K._book(cells, out[1])
            expected, expected_pool = expectation(c, before, waiting)
            np.testing.assert_allclose(expected, m, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(expected_pool, pool, rtol=1e-9)
            gone = supply.serve(m, pool, draws, out)
            for j in np.flatnonzero(gone):
                exits += 1
                active = supply.s[:, K.STATUS] == K.ACTIVE
                pull = np.where(active, c.x[:, 0], 0.0)
                rest = c.outside + pull.sum(axis=1)
                n = m[:, :, j].sum(axis=1)
                m[:, :, j] = 0.0
                m[:, 0] += n[:, None] * pull / rest[:, None]
                pool += n * c.outside / rest
                out[0][:, K.O_JOINED] += (n[:, None] * pull / rest[:, None]).sum(axis=0)
            supply.close(m, pool, out)
        K.stocks(g, v, supply.s, supply.w, supply.m, supply.pool, *out[:2], om[month], out[2])
    return ov, ot, om, ow, supply, exits


def expectation(c, m, pool):
    """Mean of a step of the agents, from their chances: teams [T, 3, J] and pool [T]."""
    T, _, J = m.shape
    new, back = np.zeros_like(m), pool * (1 - c.adopt)
    for i in range(T):
        x = c.x[i, 0]
        left = (m[i] * c.leave[i].reshape(3, J)).sum(axis=0)
        stay = m[i] * (1 - c.leave[i].reshape(3, J))
        fresh = x / x.sum() * (pool[i] * c.adopt[i] + stay.sum() * c.birth[i])
        for j in range(J):
            others = c.others[i, j]
            land = left[j] * x / others
            land[j] = 0.0
            fresh = fresh + land
            back[i] += left[j] * c.outside / others
        stay[0] += fresh
        alive = 1 - c.die[i]
        up = np.array([c.up0, c.up1, 0.0])[:, None]
        new[i] = alive * stay * (1 - up)
        new[i, 1:] += (alive * stay * up)[:2]
    return new, back


@pytest.mark.parametrize(
    "changes", [{}, {"contract": 1.0, "embedded_cap": 0.0, "regulator_auto": 1.0, "regulator_hhi": 0.1}]
)
def test_the_vendors_side_is_the_mean_fields_step(changes):
    # The same moves put in by hand must give the mean field's run, event by event; and the agents' chances
    # must have those moves as their mean, at every step.
    market = live(**changes)
    whole = simulate(market, [3])
    ov, ot, om, ow, supply, exits = averaged(market, 3)
    assert exits, "the case must hold an exit"
    kinds = {K.EVENTS[int(e)] for e in whole.events[0][:, 1]}
    assert {"entered", "merged", "new modality", "opened the war", "left the market"} <= kinds
    np.testing.assert_allclose(om, whole.teams[0], rtol=1e-7, atol=1e-9)
    for n, name in enumerate(K.VENDOR_SERIES):
        np.testing.assert_allclose(ov[..., n], whole.vendor[name][0], rtol=1e-6, atol=1e-6, err_msg=name)
    for n, name in enumerate(K.TYPE_SERIES):
        np.testing.assert_allclose(ot[..., n], whole.type[name][0], rtol=1e-6, atol=1e-6, err_msg=name)
    for n, name in enumerate(K.WORLD_SERIES):
        np.testing.assert_allclose(ow[..., n], whole.world[name][0], rtol=1e-6, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(supply.events[: supply.count[0]], whole.events[0], rtol=1e-6, atol=1e-6)


# --- mean and spread -------------------------------------------------------------------------------------


def test_the_chain_of_the_formulas_is_the_mean_field():
    market = fixed(imitation=0.4)
    mean = Chain(market).run(start_of(market), market.months)[0]
    np.testing.assert_allclose(mean @ shown(market), counted(simulate(market))[0], rtol=1e-9)


def test_mean_and_dispersion_are_those_of_the_exact_chain():
    # Without imitation agents are independent and nothing is approximate: mean, covariance of vendors and
    # pool, and covariance with the state half-way, which a key without the step in it would spoil.
    market = fixed()
    members = 2000  # enough to see pairs of agents that share one draw of several
    run = simulate_individuals(market, range(members))
    mean, _, cov, lagged = Chain(market).run(start_of(market), market.months)
    to = shown(market)
    mean, cov, lagged = mean @ to, to.T @ cov @ to, to.T @ lagged @ to
    end, half = counted(run), counted(run, month=market.months // 2 - 1)
    z = (end.mean(axis=0) - mean) / np.sqrt(np.diag(cov) / members)
    assert np.abs(z).max() < 4.0
    ratio, error = spread(end, mean, cov)
    assert abs(ratio - 1.0) < 4.0 * error < 0.08
    found = np.cov(half.T, end.T)[: len(mean), len(mean) :]
    scale = np.sqrt(np.outer(np.var(half, axis=0), np.var(end, axis=0)))
    assert np.abs((found - lagged) / scale).max() < 4.5 / np.sqrt(members)


def test_flows_and_accounts_are_those_of_the_mean_field():
    # What is linear in the teams has the mean field's mean, series by series and month by month.
    market = fixed()
    members = 300
    run, field = simulate_individuals(market, range(members)), simulate(market, [0])
    vendor = (
        "joined",
        "left",
        "teams",
        "revenue",
        "tokens_light",
        "tokens_flagship",
        "subsidy",
        "free_tokens",
    )
    kind = ("switching", "entered", "moved", "closed", "bills", "revenue", "surplus", "teams", "forced")
    for names, ours, theirs in ((vendor, run.vendor, field.vendor), (kind, run.type, field.type)):
        for name in names:
            error = ours[name].std(axis=0) / np.sqrt(members)
            gap = ours[name].mean(axis=0) - theirs[name][0]
            assert (np.abs(gap) <= 4.5 * error + 1e-9 * np.abs(theirs[name][0])).all(), name


def test_a_doubled_dispersion_is_seen():
    # Agents that move in pairs are what a key that forgets an index gives. The statistic must say 2, not 1.
    market = fixed()
    run = simulate_individuals(market, range(300), teams_per_agent=2.0)
    mean, _, cov, _ = Chain(market).run(start_of(market), market.months)
    to = shown(market)
    ratio, error = spread(counted(run), mean @ to, to.T @ cov @ to)
    assert abs(ratio - 2.0) < 4.0 * error
    assert ratio - 4.0 * error > 1.0


def test_the_mean_is_biased_by_curvature_alone_and_like_one_over_n():
    # Imitation bends the mean: N agents miss the mean field by b/N of a share, b from the chain's second
    # derivatives. Measured at two sizes; at the smaller the miss itself is many standard errors.
    market = fixed(imitation=1.6, innovation=0.002, teams=6.0, potential=60.0, growth=0.0)
    to = shown(market)
    misses = []
    for times, members in ((1, 1500), (4, 400)):
        larger = market.with_({"types.teams": 6.0 * times, "types.potential": 60.0 * times})
        # whole agents only: the start is rounded, and theory starts there too
        counts = individuals.Buyers(*teams_of(larger), 1.0, 0, larger.types).counts[0, :-1].astype(float)
        assert counts.sum() == 60.0 * times
        mean, bias, cov, _ = Chain(larger).run(counts, larger.months)
        got = counted(simulate_individuals(larger, range(members)))[:, -1]  # the pool: what adoption leaves
        miss, error = got.mean() - (mean @ to)[-1], got.std() / np.sqrt(members)
        assert abs(miss - (bias @ to)[-1]) < 4.0 * error + 0.15 * abs((bias @ to)[-1])
        assert 0.75 < got.var() / (to.T @ cov @ to)[-1, -1] < 1.35
        misses.append((miss, error, (bias @ to)[-1]))
    assert misses[0][0] > 5.0 * misses[0][1]  # there is a bias to see
    assert misses[0][2] == pytest.approx(misses[1][2], rel=0.35)  # b teams whatever N: b/N of a share


def test_with_vendors_that_answer_the_shares_approach_the_mean_field():
    # Costs, load, data and experience feed back; prices are held, because a review that falls on the other
    # side of a threshold is no matter of buyers' chance.
    market = live(peace=1.0, opening_fixed=1.0, opening_month=1e6, run_step=0.0)
    market = market.with_({"v4.income_per_team": 0.0, "v4.cash": 1e9})
    mean = simulate(market, [0]).vendor["teams"][0]
    gaps = []
    for each in (1.0, 1 / 16):
        run = simulate_individuals(market, range(6), teams_per_agent=each, vendor_seed=0)
        gaps.append(np.sqrt(((run.vendor["teams"] - mean) ** 2).mean()) / mean.mean())
    assert gaps[0] / gaps[1] == pytest.approx(4.0, rel=0.35)  # like 1/√N
    assert gaps[1] < 0.02


# --- same seeds, other seeds, threads --------------------------------------------------------------------


def test_a_seed_fixes_the_run_and_threads_do_not_matter(monkeypatch):
    market = fixed(types=2, teams=4000.0, potential=9000.0)
    one = simulate_individuals(market, [5, 6], threads=1)
    monkeypatch.setattr(individuals, "PARALLEL", 1)
    for threads in (1, 2, 3):
        many = simulate_individuals(market, [6, 5], threads=threads)
        for name, series in one.vendor.items():
            np.testing.assert_array_equal(series, many.vendor[name][::-1], err_msg=name)
        np.testing.assert_array_equal(one.teams, many.teams[::-1])
    assert (one.teams[0] != one.teams[1]).any()


def test_neither_seeds_nor_types_share_their_chance():
    market = fixed(types=2)
    members = 400
    run = simulate_individuals(market, range(members))
    # flows beside stocks: they show the draw that says whether anything happens, which later draws blur
    flows = np.stack([run.type[name].sum(axis=1) for name in ("entered", "moved", "closed")], axis=2)
    a, b = np.concatenate((run.teams[:, -1], flows), axis=2).transpose(1, 2, 0)
    J = len(a)
    between_types = np.corrcoef(a, b)[:J, J:]
    between_seeds = np.corrcoef(a[:, :-1], a[:, 1:])[:J, J:]
    assert max(np.abs(between_types).max(), np.abs(between_seeds).max()) < 4.5 / np.sqrt(members)


# --- accounts --------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), growth=st.floats(0.0, 0.4), size=st.integers(3, 3000))
def test_teams_are_conserved(seed, growth, size):
    market = fixed(teams=float(size), potential=2.0 * size, growth=growth, churn=0.0)
    run = simulate_individuals(market, [seed])
    teams = run.vendor["teams"][0]
    flows = run.vendor["joined"][0] - run.vendor["left"][0]
    np.testing.assert_array_equal(np.diff(teams, axis=0), flows[1:])
    np.testing.assert_array_equal(teams, np.round(teams))
    inside, pool = teams.sum(axis=1), run.world["outside_teams"][0]
    born = inside + pool
    assert (np.diff(born) >= 0).all()
    if growth == 0.0:
        assert (born == born[0]).all()
    np.testing.assert_allclose(
        run.vendor["revenue"][0].sum(axis=1), run.type["bills"][0].sum(axis=1), rtol=1e-9
    )


def test_teams_of_a_vendor_that_leaves_or_merges_stand_elsewhere():
    run = simulate_individuals(live(), [3])
    kinds = {K.EVENTS[int(kind)]: int(vendor) for _, kind, vendor, _, _ in run.events[0]}
    assert {"left the market", "merged"} <= set(kinds)
    for word in ("left the market", "merged"):
        assert run.vendor["teams"][0, -1, kinds[word]] == 0.0
    assert run.type["forced"][0].sum() > 0
    teams, flows = run.vendor["teams"][0], run.vendor["joined"][0] - run.vendor["left"][0]
    # closures (churn) and the merger apart, joined less left is the change
    assert teams[-1].sum() - teams[0].sum() <= flows[1:].sum() + 1e-9
    assert np.isfinite(np.concatenate([a.ravel() for a in run.vendor.values()])).all()


# --- what it refuses -------------------------------------------------------------------------------------


def test_what_cannot_be_meant_is_refused():
    market = fixed()
    with pytest.raises(ConfigurationError, match="lower teams_per_agent"):
        simulate_individuals(market, teams_per_agent=1e4)
    with pytest.raises(ConfigurationError, match="above 0"):
        simulate_individuals(market, teams_per_agent=0.0)
    with pytest.raises(ConfigurationError, match="no seed"):
        simulate_individuals(market, [-1])
    with pytest.raises(ConfigurationError, match="growth"):
        simulate_individuals(market.with_({"types.growth": -0.1}))
    with pytest.raises(ConfigurationError, match="at most 84"):
        simulate_individuals(build([{}] * 85, [{}]))
