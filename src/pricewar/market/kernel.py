"""The market's compiled pass: one step, and many of them. Everything compiled stands in this file, because
Numba's cache does not notice an edit in a function of another file; only the arithmetic of eight types of
team at once is in `lanes`.

The economics and every symbol are in docs/market.md; names here follow it. Axes: t type of team (T),
l depth of integration (3: trial, integrated, embedded), j vendor (J), v vertical (V), m tier (light 0,
flagship 1). Money in the market's currency, tokens in millions, time in months, GPUs counted.

Parameters come as arrays whose columns the `*_FIELDS` below name, so that an ensemble is an array too and a
mechanism is off when its parameter is zero. No random number is drawn here: `draws` [steps, J, 3] are
uniform numbers made beforehand, so that two policies meet the same luck.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pricewar.market.lanes import WIDTH, choose, exp, load, log, spread, store, total

L = 3

# fmt: off
MARKET_FIELDS = (
    "reference_share", "reference_lag", "progress", "learning", "experience_scale", "gpu_light",
    "gpu_flagship",
    "energy_light", "energy_flagship", "fleet_minimum", "target_load", "load_penalty", "capacity_up",
    "capacity_down", "burst_premium", "rental", "rental_decline", "rental_elasticity", "supply_growth",
    "supplier_cost", "scale_compute", "scale_jump", "threshold", "threshold_width", "scale_data", "data_half",
    "data_decay", "data_sharing", "run_months", "run_gap", "run_step", "run_gpu", "run_progress",
    "run_failure",
    "run_labour", "afford", "light_gap", "depth_one", "depth_two", "switch_trial", "switch_integrated",
    "certainty", "expansion_contestable", "outside", "portability", "price_floor", "no_self_preferencing",
    "embedded_cap", "lever_from", "regulator_auto", "regulator_hhi", "regulator_margin", "regulator_months",
    "regulator_delay", "regulator_reach", "merge_into", "merge_from", "merge_month", "hold", "discount",
    "runway_weight", "denying", "menu", "rise_needs_successor", "allowance_notch", "review", "react",
    "peace", "expected_peace", "rollout_months", "opening_threshold", "modality_month", "modality_size",
    "consumers", "consumers_final", "consumer_growth", "consumer_taste", "consumer_rate", "consumer_tokens",
    "consumer_data", "absorb", "fringe_lag", "fringe_markup", "contract", "holder_weight",
    "holder_cost", "contract_interval", "shared_results", "cut_is_war",
    "opening_needs_launch", "revenue_quality",
    "experience_top", "opening_fixed", "opener", "opening_month",
)
(
    REFERENCE_SHARE, REFERENCE_LAG, PROGRESS, LEARNING, EXPERIENCE_SCALE, GPU_LIGHT, GPU_FLAGSHIP,
    ENERGY_LIGHT, ENERGY_FLAGSHIP, FLEET_MINIMUM, TARGET_LOAD, LOAD_PENALTY, CAPACITY_UP,
    CAPACITY_DOWN, BURST_PREMIUM, RENTAL, RENTAL_DECLINE, RENTAL_ELASTICITY, SUPPLY_GROWTH,
    SUPPLIER_COST, SCALE_COMPUTE, SCALE_JUMP, THRESHOLD, THRESHOLD_WIDTH, SCALE_DATA, DATA_HALF,
    DATA_DECAY, DATA_SHARING, RUN_MONTHS, RUN_GAP, RUN_STEP, RUN_GPU, RUN_PROGRESS, RUN_FAILURE,
    RUN_LABOUR, AFFORD, LIGHT_GAP, DEPTH_ONE, DEPTH_TWO, SWITCH_TRIAL, SWITCH_INTEGRATED,
    CERTAINTY, EXPANSION_CONTESTABLE, OUTSIDE, PORTABILITY, PRICE_FLOOR, NO_SELF_PREFERENCING,
    EMBEDDED_CAP, LEVER_FROM, REGULATOR_AUTO, REGULATOR_HHI, REGULATOR_MARGIN, REGULATOR_MONTHS,
    REGULATOR_DELAY, REGULATOR_REACH, MERGE_INTO, MERGE_FROM, MERGE_MONTH, HOLD, DISCOUNT,
    RUNWAY_WEIGHT, DENYING, MENU, RISE_NEEDS_SUCCESSOR, ALLOWANCE_NOTCH, REVIEW, REACT,
    PEACE, EXPECTED_PEACE, ROLLOUT_MONTHS, OPENING_THRESHOLD, MODALITY_MONTH, MODALITY_SIZE,
    CONSUMERS, CONSUMERS_FINAL, CONSUMER_GROWTH, CONSUMER_TASTE, CONSUMER_RATE, CONSUMER_TOKENS,
    CONSUMER_DATA, ABSORB, FRINGE_LAG, FRINGE_MARKUP, CONTRACT, HOLDER_WEIGHT,
    HOLDER_COST, CONTRACT_INTERVAL, SHARED_RESULTS, CUT_IS_WAR, OPENING_NEEDS_LAUNCH, REVENUE_QUALITY,
    EXPERIENCE_TOP, OPENING_FIXED, OPENER, OPENING_MONTH,
) = range(len(MARKET_FIELDS))

TYPE_FIELDS = (
    "segment", "teams", "potential", "innovation", "imitation", "budget", "growth", "light_share",
    "light_fall", "quality_taste", "price_taste", "reliability_taste", "switching_cost", "review_low",
    "review_high", "churn", "data_weight", "ideas", "vertical", "vertical_gap", "revenue",
)
(
    SEGMENT, TEAMS, POTENTIAL, INNOVATION, IMITATION, BUDGET, GROWTH, LIGHT_SHARE,
    LIGHT_FALL, QUALITY_TASTE, PRICE_TASTE, RELIABILITY_TASTE, SWITCHING_COST, REVIEW_LOW,
    REVIEW_HIGH, CHURN, DATA_WEIGHT, IDEAS, VERTICAL, VERTICAL_GAP, REVENUE,
) = range(len(TYPE_FIELDS))

VENDOR_FIELDS = (
    "quality", "efficiency", "cash", "reserve", "income_per_team", "talent", "api_share", "enters", "compute",
    "data", "experience", "share", "consumers", "price_light", "price_flagship", "allowance", "conduct",
    "invest", "invest_growth", "invest_time", "rule_light", "rule_flagship", "rule_growth", "rule_share",
    "rule_time", "rule_allowance", "grant", "agility", "specialist", "brand", "age",
)
(
    V_QUALITY, V_EFFICIENCY, V_CASH, V_RESERVE, V_INCOME, V_TALENT, V_API_SHARE, V_ENTERS, V_COMPUTE,
    V_DATA, V_EXPERIENCE, V_SHARE, V_CONSUMERS, V_PRICE_LIGHT, V_PRICE_FLAGSHIP, V_ALLOWANCE, V_CONDUCT,
    V_INVEST, V_INVEST_GROWTH, V_INVEST_TIME, V_RULE_LIGHT, V_RULE_FLAGSHIP, V_RULE_GROWTH, V_RULE_SHARE,
    V_RULE_TIME, V_RULE_ALLOWANCE, V_GRANT, V_AGILITY, V_SPECIALIST, V_BRAND, V_AGE,
) = range(len(VENDOR_FIELDS))

SCRIPTED, STATIC, INVEST, RULE, FRINGE, EXTERNAL = range(6)
CONDUCTS = ("scripted", "static", "invest", "rule", "fringe", "external")

STATE_FIELDS = (
    "price_light", "price_flagship", "allowance", "embedded_light", "embedded_flagship", "peace_light",
    "peace_flagship", "quality", "compute", "run_left", "run_size", "run_cost", "rest", "new_generation",
    "data", "experience", "capacity", "cash", "reserve", "status", "consumers", "cost_light", "cost_flagship",
    "load", "profit", "first_cut", "marginal_quality", "desired_light", "desired_flagship", "shadow",
    "held_light", "held_flagship",
)
(
    PRICE_L, PRICE_F, ALLOWANCE, EMBEDDED_L, EMBEDDED_F, PEACE_L,
    PEACE_F, QUALITY, COMPUTE, RUN_LEFT, RUN_SIZE, RUN_COST, REST, NEW_GENERATION,
    DATA, EXPERIENCE, CAPACITY, CASH, RESERVE, STATUS, CONSUMERS_OF, COST_L, COST_F,
    LOAD, PROFIT, FIRST_CUT, MARGINAL_QUALITY, DESIRED_L, DESIRED_F, SHADOW,
    HELD_L, HELD_F,
) = range(len(STATE_FIELDS))
WAITING, ACTIVE, GONE, ABSORBED = range(4)

WORLD_FIELDS = (
    "time", "reference_light", "reference_flagship", "rental", "war", "war_time", "opener", "last_cut",
    "breach", "acts_from", "gpu_start", "last_contract",
)
(
    TIME, REF_L, REF_F, RENTAL_NOW, WAR, WAR_TIME, WAR_OPENER, LAST_CUT,
    BREACH, ACTS_FROM, GPU_START, LAST_CONTRACT,
) = range(len(WORLD_FIELDS))

VENDOR_SERIES = (
    "price_light", "price_flagship", "allowance", "cost_light", "cost_flagship", "quality", "teams",
    "tokens_light", "tokens_flagship", "revenue", "income", "rental_paid", "energy_paid", "training_paid",
    "licences_paid", "funding", "profit", "cash", "reserve", "status", "subsidy", "capacity", "load", "data",
    "consumers", "grants_face", "grants_cost", "joined", "left", "runs_failed", "embedded_light", "write_off",
    "parent_paid", "free_tokens",
)
(
    O_PRICE_L, O_PRICE_F, O_ALLOWANCE, O_COST_L, O_COST_F, O_QUALITY, O_TEAMS,
    O_TOKENS_L, O_TOKENS_F, O_REVENUE, O_INCOME, O_RENTAL, O_ENERGY, O_TRAINING,
    O_LICENCES, O_FUNDING, O_PROFIT, O_CASH, O_RESERVE, O_STATUS, O_SUBSIDY, O_CAPACITY, O_LOAD, O_DATA,
    O_CONSUMERS, O_GRANTS_FACE, O_GRANTS_COST, O_JOINED, O_LEFT, O_FAILED, O_EMBEDDED, O_WRITE_OFF,
    O_PARENT, O_FREE,
) = range(len(VENDOR_SERIES))

TYPE_SERIES = (
    "teams", "bills", "revenue", "switching", "surplus", "tokens_light", "tokens_flagship", "taken",
    "entered",
    "moved", "forced", "closed",
)
(
    Y_TEAMS, Y_BILLS, Y_REVENUE, Y_SWITCHING, Y_SURPLUS, Y_TOKENS_L, Y_TOKENS_F, Y_TAKEN, Y_ENTERED,
    Y_MOVED, Y_FORCED, Y_CLOSED,
) = range(len(TYPE_SERIES))

WORLD_SERIES = (
    "rental", "supplier_income", "supplier_profit", "holder_income", "regulator", "war", "active",
    "outside_teams", "gpus", "energy_income", "labour_income",
)
(
    W_RENTAL, W_SUPPLIER, W_SUPPLIER_PROFIT, W_HOLDER, W_REGULATOR, W_WAR, W_ACTIVE,
    W_OUTSIDE, W_GPUS, W_ENERGY, W_LABOUR,
) = range(len(WORLD_SERIES))

(
    OPENED, CUT, RAISED, FREE, UNFREE, SUCCESSOR, RUN_FAILED, EXIT, ENTRY, STEP_IN, LICENCE, MERGED, MODALITY,
) = range(13)
NOBODY = np.int64(-1)
LEAST = 5e-3  # of z: no price above 200 times cost and reference, where a bill saturates
EVENTS = (
    "opened the war", "cut", "raised", "allowance widened", "allowance narrowed", "new generation",
    "run failed",
    "left the market", "entered", "regulator stepped in", "licence signed", "merged", "new modality",
)
# fmt: on


@njit(cache=True, error_model="numpy")
def _clip(x: float, low: float, high: float) -> float:
    return low if x < low else (high if x > high else x)


@njit(cache=True, error_model="numpy")
def levers(g, w):
    """What the regulator's rules amount to now: portability, floor, sharing, no self-preferencing, cap."""
    if g[REGULATOR_AUTO] > 0.0:
        reach = g[REGULATOR_REACH] if 0.0 <= w[ACTS_FROM] <= w[TIME] else 0.0
    else:
        reach = 1.0 if w[TIME] >= g[LEVER_FROM] else 0.0
    out = np.empty(5)
    out[0], out[1], out[2] = g[PORTABILITY] * reach, g[PRICE_FLOOR] * reach, g[DATA_SHARING] * reach
    out[3], out[4] = g[NO_SELF_PREFERENCING] * reach, g[EMBEDDED_CAP] * reach
    return out


@njit(cache=True, error_model="numpy")
def _keep(s, lev, j):
    """What vendor j's embedded teams pay: list prices, less the cap's part of what these rose above the
    lowest since the cap is in force."""
    for price, held, kept in ((PRICE_L, HELD_L, EMBEDDED_L), (PRICE_F, HELD_F, EMBEDDED_F)):
        s[j, held] = min(s[j, price], s[j, held]) if lev[4] > 0.0 else s[j, price]
        s[j, kept] = (1.0 - lev[4]) * s[j, price] + lev[4] * s[j, held]


@njit(cache=True, error_model="numpy")
def _bind(v, s, lev):
    """The rules on list prices as the step begins. A floor on average variable cost holds from its first day
    for whoever chooses prices, and free tokens are below any floor; embedded teams keep what the cap lets
    them."""
    for j in range(s.shape[0]):
        if s[j, STATUS] != ACTIVE:
            continue
        if lev[1] > 0.0 and STATIC <= v[j, V_CONDUCT] <= RULE:
            s[j, PRICE_L] = max(s[j, PRICE_L], lev[1] * s[j, COST_L])
            s[j, PRICE_F] = max(s[j, PRICE_F], lev[1] * s[j, COST_F])
            s[j, ALLOWANCE] = 0.0
        _keep(s, lev, j)


@njit(cache=True, error_model="numpy")
def _learned(g, experience):
    """How much more work a GPU does than at the experience scale; nothing is learned past the top, if any."""
    top = g[EXPERIENCE_TOP]
    if 0.0 < top < experience:
        experience = top
    return np.exp(g[LEARNING] * np.log(experience / g[EXPERIENCE_SCALE]))


@njit(cache=True, error_model="numpy")
def unit_costs(g, v, s, w, j):
    """Long-run cost of a million tokens of each tier: energy and GPUs at the load aimed for."""
    return _unit_costs(g, v, s, w, j, np.exp(g[PROGRESS] * w[TIME]))


@njit(cache=True, error_model="numpy")
def _unit_costs(g, v, s, w, j, grown):
    """`unit_costs`; grown: the progress since the start."""
    better = v[j, V_EFFICIENCY] * grown
    if g[LEARNING] > 0.0:
        better *= _learned(g, s[j, EXPERIENCE])
    gpu = w[RENTAL_NOW] / (better * g[TARGET_LOAD])
    return g[ENERGY_LIGHT] / grown + gpu * g[GPU_LIGHT], g[ENERGY_FLAGSHIP] / grown + gpu * g[GPU_FLAGSHIP]


@njit(cache=True, error_model="numpy")
def quality_of(g, v, s, share, j, total):
    """A: brand, compute with its jump, and data (own, or all vendors' as far as the rules share them)."""
    a = v[j, V_QUALITY] + g[SCALE_COMPUTE] * s[j, COMPUTE]
    if g[SCALE_JUMP] != 0.0:
        a += g[SCALE_JUMP] / (1.0 + np.exp(-(s[j, COMPUTE] - g[THRESHOLD]) / g[THRESHOLD_WIDTH]))
    if g[SCALE_DATA] != 0.0:
        data = (1.0 - share) * s[j, DATA] + share * total
        a += g[SCALE_DATA] * np.log(1.0 + data / g[DATA_HALF])
    return a


@njit(cache=True, error_model="numpy")
def _theta(t, i, l):
    return t[i, LIGHT_SHARE] * (1.0 - t[i, LIGHT_FALL] * 0.5 * l)


@njit(cache=True, error_model="numpy")
def _free(v, t, s, i, l, j):
    """Free tokens a month of one team: the allowance, and a grant on trial for the idea-rich."""
    f = s[j, ALLOWANCE]
    if l == 0 and t[i, IDEAS] > 0.0:
        f += v[j, V_GRANT]
    return f


# What one step works on: an array of rows, a column for each type of team, eight in a vector (see `lanes`).
# Columns beyond the last type repeat it, with nobody in them. First come rows of the types, a step's scratch
# rows, and flows by type; then, times the number of vendors and after OF_VENDORS, a row for each vendor, or
# for each depth and vendor.
# fmt: off
(
    K_THETA0, K_THETA1, K_THETA2, K_BUDGET, K_BETA, K_LOW, K_MORE, K_CHURN, K_QUALITY, K_RELIABILITY,
    K_SWITCH, K_DATA, K_IDEAS, K_REVENUE, K_ENTRANTS, K_POOL, K_GROWTH, K_INNOVATION, K_IMITATION, K_GROWN,
    W_RHO, _, _, W_BEYOND, _, _, W_STAY, _, _, W_ANNUITY, _, _, FLOW,
) = range(33)
OF_VENDORS = FLOW + len(TYPE_SERIES)
R_BASE, R_FIT, R_GAP, R_HOME, R_CUT, R_REST = range(6)
R_MASS, R_X, R_U, R_XB, R_BONUS, ROWS_OF_VENDOR = range(6, 22, 3)
SEEN = float(np.log(1e-26))  # utility less than this counts as this
LOW, HIGH = -60.0, 200.0  # of a utility whose weight is taken; past HIGH vendors would look alike
# fmt: on


@njit(cache=True, error_model="numpy")
def _width(T: int) -> int:
    return (T + WIDTH - 1) // WIDTH * WIDTH


@njit(cache=True, error_model="numpy")
def _room(v, t, chi, eco):
    """Cells with what does not change in a run."""
    T, J = chi.shape
    W = _width(T)
    to_fit = OF_VENDORS + R_FIT * J
    to_gap = OF_VENDORS + R_GAP * J
    to_home = OF_VENDORS + R_HOME * J
    to_bonus = OF_VENDORS + R_BONUS * J
    c = np.zeros((OF_VENDORS + ROWS_OF_VENDOR * J, W))
    for l in range(L * J):
        c[to_bonus + l] = 1.0
    for a in range(W):
        i = min(a, T - 1)
        for l in range(L):
            c[K_THETA0 + l, a] = _theta(t, i, l)
        c[K_BETA, a] = t[i, PRICE_TASTE]
        c[K_LOW, a] = t[i, REVIEW_LOW]
        c[K_MORE, a] = t[i, REVIEW_HIGH] - t[i, REVIEW_LOW]
        c[K_CHURN, a] = t[i, CHURN]
        c[K_QUALITY, a] = t[i, QUALITY_TASTE]
        c[K_RELIABILITY, a] = t[i, RELIABILITY_TASTE]
        c[K_SWITCH, a] = t[i, SWITCHING_COST]
        c[K_DATA, a] = t[i, DATA_WEIGHT]
        c[K_IDEAS, a] = t[i, IDEAS]
        c[K_REVENUE, a] = t[i, REVENUE]
        c[K_GROWTH, a] = t[i, GROWTH]
        c[K_INNOVATION, a] = t[i, INNOVATION]
        c[K_IMITATION, a] = t[i, IMITATION]
        vert = int(t[i, VERTICAL])
        for j in range(J):
            c[to_fit + j, a] = chi[i, j] + v[j, V_BRAND]
            if v[j, V_SPECIALIST] > 0 and v[j, V_SPECIALIST] != vert + 1:
                c[to_fit + j, a] -= 20.0  # a specialist serves its own vertical only
            if vert >= 0 and v[j, V_SPECIALIST] != vert + 1:
                c[to_gap + j, a] = t[i, QUALITY_TASTE] * t[i, VERTICAL_GAP]
            c[to_home + j, a] = eco[i, j]
    return c


@njit(cache=True, error_model="numpy")
def _gather(source, c, kind):
    """From [T, L, J] into rows; columns beyond the last type stay as they are."""
    T, _, J = source.shape
    for l in range(L):
        for j in range(J):
            for i in range(T):
                c[OF_VENDORS + (kind + l) * J + j, i] = source[i, l, j]


@njit(cache=True, error_model="numpy")
def _scatter(c, kind, target):
    """From rows back into [T, L, J]."""
    T, _, J = target.shape
    for i in range(T):
        for l in range(L):
            for j in range(J):
                target[i, l, j] = c[OF_VENDORS + (kind + l) * J + j, i]


@njit(cache=True, error_model="numpy")
def _spell(c, kind, T, J):
    """Rows as an array [T, L, J]."""
    out = np.empty((T, L, J))
    _scatter(c, kind, out)
    return out


@njit(cache=True, error_model="numpy")
def _budgets(t, bg, c):
    """Budgets of now into the cells; lanes beyond the last type repeat it."""
    T = t.shape[0]
    W = _width(T)
    for a in range(W):
        i = min(a, T - 1)
        c[K_BUDGET, a] = t[i, BUDGET] * bg[i]


@njit(cache=True, error_model="numpy")
def _enter(t, m, pool, bg, c):
    """Teams and budgets of now into the cells."""
    T = t.shape[0]
    _budgets(t, bg, c)
    _gather(m, c, R_MASS)
    for i in range(T):
        c[K_POOL, i] = pool[i]


@njit(cache=True, error_model="numpy")
def _leave(m, pool, bg, c):
    """Teams as they have moved and budgets as they have grown, back into arrays."""
    T = pool.size
    _scatter(c, R_MASS, m)
    for i in range(T):
        pool[i] = c[K_POOL, i]
        bg[i] *= c[K_GROWN, i]


@njit(cache=True, error_model="numpy")
def _share(t, fee, c):
    """What a vendor pays to data holders of its revenue from each type."""
    T, J = t.shape[0], fee.shape[1]
    W = _width(T)
    to_cut = OF_VENDORS + R_CUT * J
    for a in range(W):
        vert = int(t[min(a, T - 1), VERTICAL])
        for j in range(J):
            c[to_cut + j, a] = fee[vert, j] if vert >= 0 else 0.0


@njit(cache=True, error_model="numpy")
def _hazard(g, s, j):
    """Chance a month of not living to see the harvest: the weight over the months of runway left."""
    if s[j, PROFIT] >= 0.0 or g[RUNWAY_WEIGHT] <= 0.0:
        return 0.0
    runway = max(s[j, CASH] + s[j, RESERVE], 0.0) / -s[j, PROFIT]
    return g[RUNWAY_WEIGHT] / max(runway, 0.5)


@njit(cache=True, error_model="numpy")
def _between(x, low, high):
    return choose(low - x, low, choose(x - high, high, x))


@njit(cache=True, error_model="numpy")
def _stand(g, s, lic, lev, t, c):
    """Utility before prices, base, and what staying adds as a weight, bonus."""
    J = s.shape[0]
    W = c.shape[1]
    to_base = OF_VENDORS + R_BASE * J
    to_fit = OF_VENDORS + R_FIT * J
    to_gap = OF_VENDORS + R_GAP * J
    to_home = OF_VENDORS + R_HOME * J
    to_bonus = OF_VENDORS + R_BONUS * J
    depth = (g[SWITCH_TRIAL], g[SWITCH_INTEGRATED], 1.0)
    for a in range(0, W, WIDTH):
        taste, relies = load(c, K_QUALITY, a), load(c, K_RELIABILITY, a)
        less = g[LIGHT_GAP] * load(c, K_THETA0, a)
        cost = load(c, K_SWITCH, a) * (1.0 - lev[0])
        held0, held1, held2 = exp(cost * depth[0]), exp(cost * depth[1]), exp(cost * depth[2])
        for j in range(J):
            if s[j, STATUS] != ACTIVE:
                continue
            at = j
            over = s[j, LOAD] - 0.85
            strain = -g[LOAD_PENALTY] * over if over > 0.0 else 0.0
            home = load(c, to_home + at, a) * (1.0 - lev[3])
            fit = load(c, to_fit + at, a) - load(c, to_gap + at, a) + g[CERTAINTY] * home
            store(c, to_base + at, a, taste * (s[j, QUALITY] - less) + relies * strain + fit)
            rest = exp((1.0 - g[CERTAINTY]) * home)
            store(c, to_bonus + at, a, held0)
            store(c, to_bonus + J + at, a, held1 * rest)
            store(c, to_bonus + 2 * J + at, a, held2 * rest)
    if g[CONTRACT] > 0.0:
        for j in range(J):
            for a in range(W):
                vert = int(t[min(a, t.shape[0] - 1), VERTICAL])
                if vert >= 0:
                    c[to_base + j, a] += c[to_gap + j, a] * lic[vert, j]


@njit(cache=True, error_model="numpy")
def _trial(v, s, j, c, l, a):
    """Free tokens a month of one team: the allowance, and a grant on trial for the idea-rich."""
    f = spread(s[j, ALLOWANCE])
    if l == 0 and v[j, V_GRANT] != 0.0:
        f += choose(load(c, K_IDEAS, a), v[j, V_GRANT], 0.0)
    return f


@njit(cache=True, error_model="numpy")
def _covered(free, theta, workload, h0):
    """rho: the part of the free workload that is allowed."""
    none = spread(0.0)
    return choose(free, choose(theta, free * h0 / workload, spread(1.0)), none)


@njit(cache=True, error_model="numpy")
def _saturated(rho):
    """Disutility of the light tier when more is allowed than is used at the price: that of using so much."""
    one, none = spread(1.0), spread(0.0)
    some = choose(rho, choose(one - rho, rho, one), one)
    return none - (log(some) + (1.0 - some))


@njit(cache=True, error_model="numpy")
def _light(y, up, rho, beyond):
    """Disutility of the light tier at log price y (up = e^y), rho of the free workload being allowed."""
    return choose(1.0 - up * rho, y - (up - 1.0) * rho, beyond)


@njit(cache=True, error_model="numpy")
def _choose_by(v, s, w, j, c):
    """u, exp(u) and exp(u) × bonus of vendor j; zero weight when it does not serve."""
    J = s.shape[0]
    W = c.shape[1]
    to_base = OF_VENDORS + R_BASE * J
    to_x = OF_VENDORS + R_X * J
    to_u = OF_VENDORS + R_U * J
    to_xb = OF_VENDORS + R_XB * J
    to_bonus = OF_VENDORS + R_BONUS * J
    low, high = spread(LOW), spread(HIGH)
    if s[j, STATUS] != ACTIVE:
        for l in range(L):
            for a in range(0, W, WIDTH):
                at = l * J + j
                store(c, to_u + at, a, low)
                store(c, to_x + at, a, spread(0.0))
                store(c, to_xb + at, a, spread(0.0))
        return
    h0, h1 = w[REF_L], w[REF_F]
    p0, e0 = s[j, PRICE_L] / h0, s[j, EMBEDDED_L] / h0
    y0, y1 = np.log(1.0 + p0), np.log(1.0 + s[j, PRICE_F] / h1)
    z0, z1 = y0, y1
    if s[j, EMBEDDED_L] != s[j, PRICE_L] or s[j, EMBEDDED_F] != s[j, PRICE_F]:
        z0, z1 = np.log(1.0 + e0), np.log(1.0 + s[j, EMBEDDED_F] / h1)
    given = s[j, ALLOWANCE] > 0.0 or v[j, V_GRANT] > 0.0
    for a in range(0, W, WIDTH):
        beta, B = load(c, K_BETA, a), load(c, K_BUDGET, a)
        for l in range(L):
            at = l * J + j
            th = load(c, K_THETA0 + l, a)
            b0, up, b1 = (z0, 1.0 + e0, z1) if l == 2 else (y0, 1.0 + p0, y1)
            light = spread(b0)
            if given:
                free = _trial(v, s, j, c, l, a)
                rho = _covered(free, th, th * B, h0)
                light = _light(light, up, rho, _saturated(rho))
            u = _between(load(c, to_base + j, a) - beta * (th * light + (1.0 - th) * b1), low, high)
            weight = exp(u)
            store(c, to_u + at, a, u)
            store(c, to_x + at, a, weight)
            store(c, to_xb + at, a, weight * load(c, to_bonus + at, a))


@njit(cache=True, error_model="numpy")
def _beside(g, s, j, c):
    """The others' weight beside j and each k, into rest (j's own row: beside j); sums, because differences
    cancel."""
    J = s.shape[0]
    W = c.shape[1]
    to_rest = OF_VENDORS + R_REST * J
    to_x = OF_VENDORS + R_X * J
    outside = np.exp(g[OUTSIDE])
    for a in range(0, W, WIDTH):
        before = spread(outside)
        for k in range(J):
            if k != j:
                store(c, to_rest + k, a, before)
                before += load(c, to_x + k, a)
        store(c, to_rest + j, a, before)
        after = spread(0.0)
        for n in range(J):
            k = J - 1 - n
            if k != j:
                store(c, to_rest + k, a, load(c, to_rest + k, a) + after)
                after += load(c, to_x + k, a)


@njit(cache=True, error_model="numpy")
def _annuity(g, haze, c, l, a, q, nxt):
    """Months of a team at depth l times its budget, leaving, deepening and growth counted; q: the chance that
    it goes when it looks round, nxt: the same one deeper."""
    lo, more = load(c, K_LOW, a), load(c, K_MORE, a)
    up = g[DEPTH_ONE] if l == 0 else (g[DEPTH_TWO] if l == 1 else 0.0)
    gone = load(c, K_CHURN, a) + (g[DISCOUNT] + haze + up)
    return (load(c, K_BUDGET, a) + up * nxt) / (gone + (lo + more * q) * q)


@njit(cache=True, error_model="numpy")
def _solve(g, v, s, w, lev, j, invest, tolerance, limit, out, c):
    """Prices of vendor j that solve its first-order conditions, the others' prices given (`_beside`).

    Objective over the holding horizon H: Σ M π + flows × (π H/2 + income + invest × annuity), M the
    team-months; conditions in z = (c + h)/(h + P), see docs/market.md §4. Fills out with light price,
    flagship price, the residual (relative), iterations, dJ/dA, the allowance's marginal value, dJ/dA's
    companion shadow value of a team of average budget.
    """
    J = s.shape[0]
    W = c.shape[1]
    to_base = OF_VENDORS + R_BASE * J
    to_cut = OF_VENDORS + R_CUT * J
    to_rest = OF_VENDORS + R_REST * J
    to_mass = OF_VENDORS + R_MASS * J
    to_xb = OF_VENDORS + R_XB * J
    to_bonus = OF_VENDORS + R_BONUS * J
    H = g[HOLD]
    half = 0.5 * H
    h0, h1 = w[REF_L], w[REF_F]
    haze = _hazard(g, s, j)
    c0, c1 = s[j, COST_L], s[j, COST_F]
    e0, e1 = c0, c1
    none, one = spread(0.0), spread(1.0)
    if invest > 0.0:
        # Advantage building: what a unit of use teaches. Experience lowers cost, data raise quality.
        if g[LEARNING] > 0.0:
            gpus = s[j, CAPACITY] * w[RENTAL_NOW]
            months = 1.0 / (g[DISCOUNT] + haze + 1.0 / 12.0)
            worth = invest * g[LEARNING] * gpus / s[j, EXPERIENCE] * months
            e0 -= worth * g[GPU_LIGHT]
            e1 -= worth * g[GPU_FLAGSHIP]
        if g[SCALE_DATA] != 0.0 and s[j, MARGINAL_QUALITY] > 0.0:
            months = 1.0 / (g[DISCOUNT] + haze + g[DATA_DECAY])
            worth = s[j, MARGINAL_QUALITY] * g[SCALE_DATA] * (1.0 - lev[2]) * months
            gain = worth / (g[DATA_HALF] + s[j, DATA])
            if g[DENYING] > 0.0:
                rest = 0.0
                for k in range(J):
                    if k != j and s[k, STATUS] == ACTIVE:
                        rest += s[k, CAPACITY]
                if rest > 0.0:
                    for k in range(J):
                        if k != j and s[k, STATUS] == ACTIVE:
                            part = s[k, CAPACITY] / rest
                            gain += g[DENYING] * part * part * worth / (g[DATA_HALF] + s[k, DATA])
            weights = masses = none  # what a token of its own teams teaches
            for a in range(0, W, WIDTH):
                mass = load(c, to_mass + j, a) + load(c, to_mass + J + j, a)
                mass += load(c, to_mass + 2 * J + j, a) + load(c, K_ENTRANTS, a)
                mass *= load(c, K_BUDGET, a)
                weights += mass * load(c, K_DATA, a)
                masses += mass
            base_weight = total(masses)
            if base_weight > 0.0:
                weight = total(weights)
                e0 -= invest * gain * weight / base_weight
                e1 -= invest * gain * weight / base_weight
        e0, e1 = max(e0, 0.02 * c0 - 0.5 * h0), max(e1, 0.02 * c1 - 0.5 * h1)
    k0, k1 = (e0 + h0) / h0, (e1 + h1) / h1
    top0 = k0 / (1.0 + lev[1] * c0 / h0)  # price at its least: zero, or the floor
    top1 = k1 / (1.0 + lev[1] * c1 / h1)
    z0 = _clip(k0 / (1.0 + s[j, PRICE_L] / h0), LEAST, top0)
    z1 = _clip(k1 / (1.0 + s[j, PRICE_F] / h1), LEAST, top1)
    held, answers = lev[4] > 0.0, 1.0 - lev[4]
    given = s[j, ALLOWANCE] > 0.0 or v[j, V_GRANT] > 0.0
    income = v[j, V_INCOME]
    residual, turn = 1.0, 0
    best, best0, best1, falling, again = 1e300, z0, z1, True, False
    low, high = spread(LOW), spread(HIGH)
    if given:
        for l in range(L):
            for a in range(0, W, WIDTH):
                th = load(c, K_THETA0 + l, a)
                free = _trial(v, s, j, c, l, a)
                rho = _covered(free, th, th * load(c, K_BUDGET, a), h0)
                store(c, W_RHO + l, a, rho)
                store(c, W_BEYOND + l, a, _saturated(rho))
    qualities = extras = worths = tots = none
    while turn < limit:
        turn += 1
        ey0 = k0 / z0
        y0, y1 = np.log(ey0), np.log(k1 / z1)
        A0 = b0 = c00 = c01 = A1 = b1 = c10 = c11 = e00 = e01 = e11 = g0 = g1 = none
        qualities = extras = worths = tots = none
        for a in range(0, W, WIDTH):
            B, beta = load(c, K_BUDGET, a), load(c, K_BETA, a)
            lo, more = load(c, K_LOW, a), load(c, K_MORE, a)
            taste = load(c, K_QUALITY, a)
            others = load(c, to_rest + j, a)
            sig = load(c, to_cut + j, a)
            kept = 1.0 - sig
            r0, r1 = 1.0 - sig * (1.0 / k0), 1.0 - sig * (1.0 / k1)
            base = load(c, to_base + j, a)
            # Its own teams: weights, and the months of a team at each depth, leaving, deepening and growth
            # counted, times its budget (the annuity).
            own = nxt = none
            for n in range(L):
                l = L - 1 - n
                th = load(c, K_THETA0 + l, a)
                light = spread(y0)
                if given:
                    light = _light(light, ey0, load(c, W_RHO + l, a),
                                   load(c, W_BEYOND + l, a))  # fmt: skip
                own = exp(_between(base - beta * (th * light + (1.0 - th) * y1), low, high))
                q = others / (others + own * load(c, to_bonus + l * J + j, a))
                nxt = _annuity(g, haze, c, l, a, q, nxt)
                store(c, W_STAY + l, a, q)
                store(c, W_ANNUITY + l, a, nxt)
            # Teams of rivals that would come, and the slope of that in u_j.
            come = slope = bend = none
            for k in range(J):
                if k == j or s[k, STATUS] != ACTIVE:
                    continue
                rest = load(c, to_rest + k, a) + own
                for l in range(L):
                    at = l * J + k
                    d = 1.0 / (rest + load(c, to_xb + at, a))
                    q = rest * d
                    part = load(c, to_mass + at, a) * d
                    r = lo + more * q
                    back = more * (1.0 - q)
                    turned = back - r
                    chance = own * d
                    come += part * r
                    part *= d
                    slope += part * turned
                    bend += part * ((1.0 - chance) * turned - chance * back)
            square = own * own
            come *= own
            slope = square * slope + come
            bend = 2.0 * (square * bend) + slope
            chosen = own / (others + own)
            fresh = load(c, K_ENTRANTS, a) * chosen
            come += fresh
            fresh *= 1.0 - chosen
            slope += fresh
            bend += fresh * (1.0 - 2.0 * chosen)
            per = 1.0 / B
            for l in range(L):
                th = load(c, K_THETA0 + l, a)
                q, ann = load(c, W_STAY + l, a), load(c, W_ANNUITY + l, a)
                mass = load(c, to_mass + l * J + j, a)
                stays = 1.0 - q
                M = mass * H - mass * ((lo + more * q) * q) * (half * H)
                M = choose(M, M, none)
                flow = mass * q * stays * H
                D = flow * (lo + 2.0 * more * q)
                D2 = none - flow * (lo * (1.0 - 2.0 * q) + more * q * (4.0 - 6.0 * q))
                if l == 0:
                    M += come * (half * H)
                    D += slope * H
                    D2 += bend * H
                flat = 1.0 - th
                lightB, flatB = th * B, flat * B
                light = lightB * (kept - r0 * z0)
                pays, rho = one, none
                if given:
                    rho = load(c, W_RHO + l, a)
                    pays = 1.0 - ey0 * rho
                    light = choose(pays, light - lightB * ((ey0 - 1.0) * rho * kept),
                                   none - lightB * ((k0 - 1.0) * choose(one - rho, rho, one)))  # fmt: skip
                profit = light + flatB * (kept - r1 * z1) + income
                value = half * profit + invest * ann + income * ann * per
                qualities += taste * D * value
                worths += mass * value
                tots += mass
                if held and l == 2:  # as far as the cap reaches, embedded teams do not answer the list price
                    M, D, D2 = M * answers, D * answers, D2 * answers
                DV = D * value
                bent = D2 * value
                tilt, tilt1 = beta * th, beta * flat
                reach, reach1 = lightB * M, flatB * M
                fixed, fixed1 = D * (half * B) * th * r0, D * (half * B) * flat * r1
                if given:
                    # Where the light tier is paid for; else it does not answer to the light price.
                    paid = choose(pays, one, none)
                    A0 += paid * (reach * r0)
                    g0 += paid * (tilt * reach * r0)
                    rr = r0 * z0 - rho * ey0 * kept
                    b0 += paid * (tilt * DV * (1.0 - rho * ey0) - reach * rr + reach * r0 * z0)
                    c00 += paid * (tilt * fixed)
                    c01 += paid * (tilt * fixed1)
                    e00 += paid * (tilt * tilt * bent)
                    e01 += paid * (tilt * tilt1 * bent)
                    free = _trial(v, s, j, c, l, a)
                    full = choose(one - rho, beta * (th / free - h0 * per) * DV - M * e0, none)
                    more_free = beta * ((ey0 - 1.0) * h0) * per * DV - M * (h0 * (ey0 - 1.0))
                    extras += choose(pays, more_free, full)
                else:
                    A0 += reach * r0
                    g0 += tilt * reach * r0
                    b0 += tilt * DV
                    c00 += tilt * fixed
                    c01 += tilt * fixed1
                    e00 += tilt * tilt * bent
                    e01 += tilt * tilt1 * bent
                    extras += beta * ((ey0 - 1.0) * h0) * per * DV - M * (h0 * (ey0 - 1.0))
                A1 += reach1 * r1
                g1 += tilt1 * reach1 * r1
                b1 += tilt1 * DV
                c10 += tilt1 * fixed
                c11 += tilt1 * fixed1
                e11 += tilt1 * tilt1 * bent
        a0, a1 = total(A0), total(A1)
        F0, F1 = total(b0) - a0 * z0, total(b1) - a1 * z1
        falling = falling and F0 <= 0.0 and F1 <= 0.0
        free0 = a0 > 1e-200 and not (z0 >= top0 and F0 >= 0.0)
        free1 = a1 > 1e-200 and not (z1 >= top1 and F1 >= 0.0)
        residual = 0.0
        if free0:
            residual = max(residual, abs(F0) / (a0 * z0))
        if free1:
            residual = max(residual, abs(F1) / (a1 * z1))
        if residual < best:
            best, best0, best1 = residual, z0, z1
        if residual < tolerance:
            break
        # Newton with the exact slopes (approximate where an allowance is in use), kept away from zero.
        n0, n1 = z0, z1
        p = max(a0 + 2.0 * total(c00) - total(e00) / z0, 0.5 * a0 + (1.0 if F0 > 0.0 else 0.5) * total(g0))
        s2 = max(a1 + 2.0 * total(c11) - total(e11) / z1, 0.5 * a1 + (1.0 if F1 > 0.0 else 0.5) * total(g1))
        if free0 and free1:
            cross, cross0, cross1 = total(e01), total(c01), total(c10)
            q2, r = cross0 + (cross1 * z0 - cross) / z1, cross1 + (cross0 * z1 - cross) / z0
            det = p * s2 - q2 * r
            if det > 0.05 * p * s2:
                n0, n1 = z0 + (F0 * s2 - F1 * q2) / det, z1 + (F1 * p - F0 * r) / det
            else:
                n0, n1 = z0 + F0 / p, z1 + F1 / s2
        elif free0:
            n0 = z0 + F0 / p
        elif free1:
            n1 = z1 + F1 / s2
        else:
            break
        z0 = _clip(n0, max(0.4 * z0, LEAST), min(2.5 * z0, top0))
        z1 = _clip(n1, max(0.4 * z1, LEAST), min(2.5 * z1, top1))
        if falling and not again and max(z0, z1) <= 2.0 * LEAST:
            # On the way to bleeding the base: from above there may still be a price worth keeping it for.
            again, falling, best = True, True, 1e300
            z0, z1 = min(0.5, top0), min(0.5, top1)
    if best >= 1e-3 and falling:
        residual = best  # no price is high enough: the base cannot leave fast enough. The cap on z binds.
    else:
        z0, z1, residual = best0, best1, best
    out[0], out[1] = max(h0 * (k0 / z0 - 1.0), 0.0), max(h1 * (k1 / z1 - 1.0), 0.0)
    out[2], out[3], out[4], out[5] = residual, turn, total(qualities) / H, total(extras)
    tot = total(tots)
    out[6] = total(worths) / tot if tot > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def _note(events, count, time, kind, vendor, value, tier):
    if count[0] < events.shape[0]:
        row = events[count[0]]
        row[0], row[1], row[2], row[3], row[4] = time, kind, vendor, value, tier
    count[0] += 1


@njit(cache=True, error_model="numpy")
def _arrive(g, J, c):
    """Teams a month that choose freely: adopters out of the pool, and new work of old teams."""
    W = c.shape[1]
    to_mass = OF_VENDORS + R_MASS * J
    for a in range(0, W, WIDTH):
        n = spread(0.0)
        for r in range(L * J):
            n += load(c, to_mass + r, a)
        pool, growth = load(c, K_POOL, a), load(c, K_GROWTH, a)
        whole = n + pool
        share = choose(whole, n / whole, 0.0)
        fresh = load(c, K_INNOVATION, a) + load(c, K_IMITATION, a) * share
        growing = choose(growth, growth, 0.0)
        store(c, K_ENTRANTS, a, fresh * pool + g[EXPANSION_CONTESTABLE] * growing * n)


@njit(cache=True, error_model="numpy")
def _sizes(c, J, j):
    """All teams, those of vendor j, and the contestable ones of a month."""
    W = c.shape[1]
    to_mass = OF_VENDORS + R_MASS * J
    n = own = fresh = spread(0.0)
    for a in range(0, W, WIDTH):
        fresh += load(c, K_ENTRANTS, a)
        for r in range(L * J):
            n += load(c, to_mass + r, a)
        for l in range(L):
            own += load(c, to_mass + l * J + j, a)
    return total(n), total(own), total(fresh)


@njit(cache=True, error_model="numpy")
def _invest(v, j, growth, time):
    """How far vendor j counts the future it can win: invest × growth and time effects, never below zero."""
    a = v[j, V_INVEST]
    if v[j, V_INVEST_GROWTH] != 0.0 or v[j, V_INVEST_TIME] != 0.0:
        a *= np.exp(_clip(v[j, V_INVEST_GROWTH] * np.log(max(growth, 1e-4) / 0.05)
                          + v[j, V_INVEST_TIME] * time / 36.0, -3.0, 3.0))  # fmt: skip
    return max(a, 0.0)


@njit(cache=True, error_model="numpy")
def _ask(g, v, s, w, lev, j, out, c):
    """What vendor j's conduct asks for now: light price, flagship price, allowance (out[7])."""
    kind = int(v[j, V_CONDUCT])
    out[7] = s[j, ALLOWANCE]
    n, own, fresh = _sizes(c, s.shape[0], j)
    # Contestable teams a month over all teams: the state that tells the war from the harvest.
    growth = fresh / n if n > 0.0 else 1.0
    if kind == RULE:
        growth = np.log(max(growth, 1e-4) / 0.05)
        own = own / n if n > 0.0 else 0.0
        common = (v[j, V_RULE_GROWTH] * growth + v[j, V_RULE_SHARE] * (own - 1.0 / s.shape[0])
                  + v[j, V_RULE_TIME] * w[TIME] / 36.0)  # fmt: skip
        out[0] = s[j, COST_L] * np.exp(_clip(v[j, V_RULE_LIGHT] + common, -9.0, 6.0))
        out[1] = s[j, COST_F] * np.exp(_clip(v[j, V_RULE_FLAGSHIP] + common, -9.0, 6.0))
        out[0], out[1] = max(out[0], lev[1] * s[j, COST_L]), max(out[1], lev[1] * s[j, COST_F])
        if v[j, V_RULE_ALLOWANCE] > 0.0 and lev[1] <= 0.0:
            out[7] = v[j, V_RULE_ALLOWANCE] * np.exp(-_clip(common, -6.0, 6.0))
        out[2] = 0.0
        return
    invest = _invest(v, j, growth, w[TIME]) if kind == INVEST else 0.0
    # Prices first; then the allowance moves by notches while its marginal value says so, prices with it.
    held, p0, p1 = s[j, ALLOWANCE], s[j, PRICE_L], s[j, PRICE_F]
    seed = 1e300
    W = c.shape[1]
    for a in range(W):
        seed = min(seed, 0.5 * c[K_THETA0, a] * c[K_BUDGET, a] / w[REF_L])
    _beside(g, s, j, c)
    was, tried, settled = 0.0, False, g[ALLOWANCE_NOTCH] <= 1.0 or lev[1] > 0.0
    for turn in range(7):
        settled = settled or turn == 6
        _solve(g, v, s, w, lev, j, invest, 1e-5 if settled else 1e-3, 40, out, c)
        s[j, PRICE_L], s[j, PRICE_F] = out[0], out[1]
        if settled:
            break
        if tried and out[5] <= 0.0:  # not even the smallest allowance is worth it
            s[j, ALLOWANCE], settled = 0.0, True
        elif out[0] <= 0.0 or was * out[5] < 0.0 or turn >= 4:
            settled = True
        elif s[j, ALLOWANCE] <= 0.0:
            s[j, ALLOWANCE], tried = seed, True
        else:
            tried, was = False, out[5]
            s[j, ALLOWANCE] *= g[ALLOWANCE_NOTCH] if out[5] > 0.0 else 1.0 / g[ALLOWANCE_NOTCH]
            if s[j, ALLOWANCE] < seed:
                s[j, ALLOWANCE], settled = 0.0, True
    s[j, MARGINAL_QUALITY], s[j, SHADOW] = out[4], out[6]
    out[7] = s[j, ALLOWANCE]
    s[j, ALLOWANCE], s[j, PRICE_L], s[j, PRICE_F] = held, p0, p1


@njit(cache=True, error_model="numpy")
def _reviews(g, v, script, s, w, lev, draws, dt, force, force_time, events, count, c):
    """Vendors review their terms in the order in which reviews fall; scripted terms come on their day."""
    J = s.shape[0]
    now = w[TIME]
    out = np.zeros(8)
    done = np.zeros(J, np.bool_)
    start = now
    alert = w[WAR] > 0.0 and start - w[LAST_CUT] < 1.0
    woken = start if alert else 1e300  # when a rival's cut first quickens those who have not followed
    for _ in range(J):
        who, when = NOBODY, 1e300
        for j in range(J):
            kind = v[j, V_CONDUCT]
            if done[j] or s[j, STATUS] != ACTIVE or kind >= FRINGE:
                continue
            if j == force:
                if force_time < when:
                    who, when = j, force_time
                continue
            if kind == SCRIPTED:
                continue
            rate = g[REVIEW] * v[j, V_AGILITY]
            keen = max(rate, g[REACT] * v[j, V_AGILITY])
            left = -np.log(1.0 - draws[j, 0])
            due = start + left / rate if rate > 0.0 else 1e300
            if woken < due and s[j, FIRST_CUT] < 0.0 and keen > 0.0:
                # Not before it was woken: what the wait has used up till then is used up.
                due = woken + (left - rate * (woken - start)) / keen
            due = max(due, w[TIME])
            if due < start + dt and due < when:
                who, when = j, due
        if who < 0:
            break
        j = who
        done[j] = True
        w[TIME] = when
        if w[WAR] <= 0.0:
            if j == force:
                w[WAR], w[WAR_TIME], w[WAR_OPENER], w[LAST_CUT] = 1.0, when, j, when
                _note(events, count, when, OPENED, j, 0.0, 0.0)
            elif g[PEACE] > 0.0:
                # List prices are held; what quality is worth is still reckoned, for training.
                _ask(g, v, s, w, lev, j, out, c)
                continue
        _ask(g, v, s, w, lev, j, out, c)
        _post(g, s, w, j, out[0], out[1], out[7], events, count)
        if w[LAST_CUT] == when:
            woken = min(woken, when)
        _keep(s, lev, j)
        _choose_by(v, s, w, j, c)
    w[TIME] = start
    for n in range(script.shape[0]):
        if start <= script[n, 0] < start + dt:
            j = int(script[n, 1])
            if s[j, STATUS] == ACTIVE:
                p0 = script[n, 2] if script[n, 2] >= 0.0 else s[j, PRICE_L]
                p1 = script[n, 3] if script[n, 3] >= 0.0 else s[j, PRICE_F]
                f = script[n, 4] if script[n, 4] >= 0.0 else s[j, ALLOWANCE]
                s[j, NEW_GENERATION] = 1.0
                w[TIME] = script[n, 0]
                _post(g, s, w, j, p0, p1, f, events, count)
                w[TIME] = start
                if w[WAR] <= 0.0 and s[j, FIRST_CUT] >= 0.0:
                    w[WAR], w[WAR_TIME], w[WAR_OPENER] = 1.0, script[n, 0], j
                    _note(events, count, script[n, 0], OPENED, j, 0.0, 0.0)
                _keep(s, lev, j)
                _choose_by(v, s, w, j, c)


@njit(cache=True, error_model="numpy")
def _post(g, s, w, j, p0, p1, free, events, count):
    """Vendor j posts new terms: small changes are not worth the trouble, rises wait for a successor."""
    old0, old1 = s[j, PRICE_L], s[j, PRICE_F]
    s[j, DESIRED_L], s[j, DESIRED_F] = p0, p1
    sticky = g[RISE_NEEDS_SUCCESSOR] > 0.0 and s[j, NEW_GENERATION] <= 0.0
    rose = False
    if p0 < old0 * (1.0 - g[MENU]) or (p0 > old0 * (1.0 + g[MENU]) and not (sticky and old0 > 0.0)):
        s[j, PRICE_L] = p0
        _note(events, count, w[TIME], CUT if p0 < old0 else RAISED, j, p0 / old0 if old0 > 0.0 else 0.0, 0.0)
        rose = rose or p0 > old0
        if p0 < old0:
            w[LAST_CUT] = w[TIME]
    if p1 < old1 * (1.0 - g[MENU]) or (p1 > old1 * (1.0 + g[MENU]) and not sticky):
        s[j, PRICE_F] = p1
        _note(events, count, w[TIME], CUT if p1 < old1 else RAISED, j, p1 / old1 if old1 > 0.0 else 0.0, 1.0)
        rose = rose or p1 > old1
        if p1 < old1:
            w[LAST_CUT] = w[TIME]
    if free != s[j, ALLOWANCE]:
        kind = FREE if free > s[j, ALLOWANCE] else UNFREE
        _note(events, count, w[TIME], kind, j, free, 0.0)
        s[j, ALLOWANCE] = free
    if rose:
        s[j, NEW_GENERATION] = 0.0
    if s[j, FIRST_CUT] < 0.0:
        deep = 1.0 - g[CUT_IS_WAR]
        if s[j, PRICE_L] < deep * s[j, PEACE_L] or s[j, PRICE_F] < deep * s[j, PEACE_F]:
            s[j, FIRST_CUT] = w[TIME]


@njit(cache=True, error_model="numpy")
def _use(t, s, w, bg, i, l, j, f, out):
    """One team-month: bill, light tokens, flagship tokens, free tokens, bill without the free tokens."""
    h0, h1 = w[REF_L], w[REF_F]
    p0, p1 = (s[j, EMBEDDED_L], s[j, EMBEDDED_F]) if l == 2 else (s[j, PRICE_L], s[j, PRICE_F])
    th = _theta(t, i, l)
    B = t[i, BUDGET] * bg[i]
    n0 = th * B / h0
    want = n0 / (1.0 + p0 / h0)
    light = want if want > f else min(n0, f)
    free = min(light, f)
    flag = (1.0 - th) * B / h1 / (1.0 + p1 / h1)
    out[0], out[1], out[2], out[3] = p0 * (light - free) + p1 * flag, light, flag, free


@njit(cache=True, error_model="numpy")
def _serve(g, v, s, j, work, grown):
    """GPUs that work of so many GPU-months at the start's efficiency needs now, the least fleet included;
    grown: the progress since."""
    better = v[j, V_EFFICIENCY] * grown
    if g[LEARNING] > 0.0:
        better *= _learned(g, s[j, EXPERIENCE])
    return g[FLEET_MINIMUM] / grown + work / better


@njit(cache=True, error_model="numpy")
def _bargain(g, v, t, s, w, m, x, bg, lic, fee, events, count):
    """Licences between data holders and vendors: Nash-in-Nash with lump sums; exclusive by the best
    rival bid.

    fee [V, J]: money a month, or the share of the vertical's revenue when the contract is a revenue share.
    """
    V, J = lic.shape
    kind = int(g[CONTRACT])
    T = t.shape[0]
    tau = g[HOLDER_WEIGHT]
    gain, volume = np.zeros(J), np.zeros(J)
    for vert in range(V):
        any_type = False
        whole = 0.0
        for j in range(J):
            gain[j] = volume[j] = 0.0
        for i in range(T):
            if int(t[i, VERTICAL]) != vert:
                continue
            any_type = True
            N = 0.0
            for l in range(L):
                for j in range(J):
                    N += m[i, l, j]
            whole += N * t[i, BUDGET] * bg[i]
        if not any_type or whole <= 0.0:
            continue
        for j in range(J):
            eligible = s[j, STATUS] == ACTIVE and v[j, V_SPECIALIST] == 0.0 and v[j, V_CONDUCT] != FRINGE
            if not eligible:
                continue
            for i in range(T):
                if int(t[i, VERTICAL]) != vert:
                    continue
                N = 0.0
                for l in range(L):
                    for k in range(J):
                        N += m[i, l, k]
                # Shares if all others are licensed (non-exclusive) or none is (exclusive).
                up = np.exp(t[i, QUALITY_TASTE] * t[i, VERTICAL_GAP])
                total = np.exp(g[OUTSIDE])
                for k in range(J):
                    a = x[i, 0, k]
                    bare = a / (up ** lic[vert, k])
                    listed = v[k, V_SPECIALIST] == 0.0 and v[k, V_CONDUCT] != FRINGE
                    if k != j:
                        total += bare * up if (kind != 4 and listed) else bare
                own = x[i, 0, j] / (up ** lic[vert, j])
                more = own * up / (total + own * up) - own / (total + own)
                B = t[i, BUDGET] * bg[i]
                th = _theta(t, i, 1)
                light = (s[j, COST_L] + w[REF_L]) / (s[j, PRICE_L] + w[REF_L])
                flag = (s[j, COST_F] + w[REF_F]) / (s[j, PRICE_F] + w[REF_F])
                margin = B * (1.0 - th * light - (1.0 - th) * flag)
                gain[j] += N * more * max(margin + v[j, V_INVEST] * B, 0.0)
                volume[j] += N * own * up / (total + own * up) * B
        cost = g[HOLDER_COST] * whole
        if kind == 3:
            cost -= g[SHARED_RESULTS] * whole * 0.01  # the results that come back are worth something to it
        best, second, who = 0.0, 0.0, NOBODY
        for j in range(J):
            if gain[j] - cost > best:
                second, best, who = best, gain[j] - cost, j
            elif gain[j] - cost > second:
                second = gain[j] - cost
        for j in range(J):
            was = lic[vert, j]
            if kind == 4:
                signs = j == who
                pay = max(tau * gain[j] + (1.0 - tau) * cost, second + cost)
            else:
                signs = gain[j] > max(cost, 0.0)
                pay = max(tau * gain[j] + (1.0 - tau) * cost, 0.0)
            if signs:
                lic[vert, j] = 1.0
                fee[vert, j] = min(pay / max(volume[j], 1e-200), 0.6) if kind == 2 else pay
                if was <= 0.0:
                    _note(events, count, w[TIME], LICENCE, j, fee[vert, j], vert)
            else:
                lic[vert, j] = fee[vert, j] = 0.0


@njit(cache=True, error_model="numpy")
def _train(g, v, s, w, j, luck, dt, events, count):
    """Training runs: lumpy, able to fail, started when they can be paid and are worth it.

    Returns spending and failures."""
    paid = failed = 0.0
    if s[j, RUN_LEFT] > 0.0:
        part = min(dt, s[j, RUN_LEFT])
        paid = s[j, RUN_COST] * part
        s[j, RUN_LEFT] -= part
        if s[j, RUN_LEFT] <= 1e-9:
            s[j, RUN_LEFT], s[j, REST] = 0.0, 0.0
            if luck >= g[RUN_FAILURE] * (1.0 - v[j, V_TALENT]):
                s[j, COMPUTE] = max(s[j, COMPUTE], s[j, RUN_SIZE])
                s[j, NEW_GENERATION] = 1.0
                _note(events, count, w[TIME], SUCCESSOR, j, s[j, COMPUTE], 0.0)
            else:
                failed = 1.0
                _note(events, count, w[TIME], RUN_FAILED, j, s[j, RUN_SIZE], 0.0)
        return paid, failed
    s[j, REST] += dt
    if g[RUN_STEP] <= 0.0 or s[j, REST] < g[RUN_GAP]:
        return 0.0, 0.0
    purse = g[AFFORD] * max(s[j, CASH] + s[j, RESERVE], 0.0)
    price = w[RENTAL_NOW] * g[RUN_GPU] * np.exp(-g[RUN_PROGRESS] * w[TIME]) * (1.0 + g[RUN_LABOUR])
    most = np.log10(max(purse / (price * v[j, V_API_SHARE]), 1e-12))
    size = min(s[j, COMPUTE] + g[RUN_STEP] * (1.0 + v[j, V_TALENT]), most)
    if size < s[j, COMPUTE] + 0.1:
        return 0.0, 0.0
    cost = price * 10.0**size
    before = g[SCALE_COMPUTE] * s[j, COMPUTE]
    after = g[SCALE_COMPUTE] * size
    if g[SCALE_JUMP] != 0.0:
        before += g[SCALE_JUMP] / (1.0 + np.exp(-(s[j, COMPUTE] - g[THRESHOLD]) / g[THRESHOLD_WIDTH]))
        after += g[SCALE_JUMP] / (1.0 + np.exp(-(size - g[THRESHOLD]) / g[THRESHOLD_WIDTH]))
    months = 1.0 / (g[DISCOUNT] + _hazard(g, s, j) + 1.0 / 18.0)  # a model is passed after a year and a half
    chance = 1.0 - g[RUN_FAILURE] * (1.0 - v[j, V_TALENT])
    if chance * (after - before) * max(s[j, MARGINAL_QUALITY], 0.0) * months < cost * v[j, V_API_SHARE]:
        return 0.0, 0.0
    s[j, RUN_SIZE], s[j, RUN_LEFT] = size, g[RUN_MONTHS]
    s[j, RUN_COST] = cost / g[RUN_MONTHS]
    return 0.0, 0.0


@njit(cache=True, error_model="numpy")
def _happen(g, v, s, w, m, dt, events, count):
    """Entries, a merger, a new modality, as far as they fall due. Returns how much the modality shakes."""
    T, _, J = m.shape
    now = w[TIME]
    for j in range(J):
        if s[j, STATUS] == WAITING and v[j, V_ENTERS] <= now + 1e-9:
            s[j, STATUS] = ACTIVE
            if v[j, V_ENTERS] > 0.0:
                _note(events, count, now, ENTRY, j, 0.0, 0.0)
    if g[MERGE_MONTH] > 0.0 and now <= g[MERGE_MONTH] < now + dt:
        a, b = int(g[MERGE_INTO]), int(g[MERGE_FROM])
        if a != b and s[a, STATUS] == ACTIVE and s[b, STATUS] == ACTIVE:
            for i in range(T):
                for l in range(L):
                    m[i, l, a] += m[i, l, b]
                    m[i, l, b] = 0.0
            for f in (DATA, CAPACITY, CASH, RESERVE, CONSUMERS_OF):
                s[a, f] += s[b, f]
                s[b, f] = 0.0
            s[a, EXPERIENCE] = max(s[a, EXPERIENCE], s[b, EXPERIENCE])
            s[a, COMPUTE] = max(s[a, COMPUTE], s[b, COMPUTE])
            s[b, STATUS] = ABSORBED
            _note(events, count, now, MERGED, b, a, 0.0)
    shaken = 0.0
    if g[MODALITY_SIZE] > 0.0 and g[MODALITY_MONTH] <= now < g[MODALITY_MONTH] + 3.0:
        shaken = g[MODALITY_SIZE]
        if now < g[MODALITY_MONTH] + dt - 1e-9:
            for j in range(J):
                s[j, DATA] *= 1.0 - g[MODALITY_SIZE]
            _note(events, count, now, MODALITY, -1.0, g[MODALITY_SIZE], 0.0)
    return shaken


@njit(cache=True, error_model="numpy")
def _produce(g, v, s, w, lev, dt):
    """Costs, reference prices and quality as the step begins."""
    J = s.shape[0]
    total_data = 0.0
    grown = np.exp(g[PROGRESS] * w[TIME])
    for j in range(J):
        if s[j, STATUS] == ACTIVE:
            s[j, COST_L], s[j, COST_F] = _unit_costs(g, v, s, w, j, grown)
            total_data += s[j, DATA]
    mean0 = mean1 = weight = 0.0
    for j in range(J):
        if s[j, STATUS] == ACTIVE:
            q = s[j, CAPACITY] + 1e-9
            mean0 += q * s[j, COST_L]
            mean1 += q * s[j, COST_F]
            weight += q
    if weight > 0.0 and g[REFERENCE_LAG] > 0.0:
        pull = 1.0 - np.exp(-dt / g[REFERENCE_LAG])
        w[REF_L] += pull * (g[REFERENCE_SHARE] * mean0 / weight - w[REF_L])
        w[REF_F] += pull * (g[REFERENCE_SHARE] * mean1 / weight - w[REF_F])
    lead = -1e300
    for j in range(J):
        if s[j, STATUS] == ACTIVE and v[j, V_CONDUCT] != FRINGE:
            s[j, QUALITY] = quality_of(g, v, s, lev[2], j, total_data)
            lead = max(lead, s[j, QUALITY])
    for j in range(J):
        if s[j, STATUS] == ACTIVE and v[j, V_CONDUCT] == FRINGE:
            s[j, QUALITY] = (lead if lead > -1e299 else s[j, QUALITY] + g[FRINGE_LAG]) - g[FRINGE_LAG]
            s[j, PRICE_L] = s[j, COST_L] * (1.0 + g[FRINGE_MARKUP])
            s[j, PRICE_F] = s[j, COST_F] * (1.0 + g[FRINGE_MARKUP])


@njit(cache=True, error_model="numpy")
def _book(c, ot):
    """The step's flows by type, added to their series."""
    for i in range(ot.shape[0]):
        for row in range(Y_BILLS, len(TYPE_SERIES)):
            ot[i, row] += c[FLOW + row, i]


@njit(cache=True, error_model="numpy")
def _move_all(g, s, c, lev, shaken, dt, ov):
    """Teams leave, arrive, deepen and close; budgets grow."""
    J = s.shape[0]
    W = c.shape[1]
    to_rest = OF_VENDORS + R_REST * J
    to_mass = OF_VENDORS + R_MASS * J
    to_x = OF_VENDORS + R_X * J
    to_xb = OF_VENDORS + R_XB * J
    outside = np.exp(g[OUTSIDE])
    depth = (g[SWITCH_TRIAL], g[SWITCH_INTEGRATED], 1.0)
    up0, up1 = 1.0 - np.exp(-g[DEPTH_ONE] * dt), 1.0 - np.exp(-g[DEPTH_TWO] * dt)
    none = spread(0.0)
    for a in range(0, W, WIDTH):
        lo, more = load(c, K_LOW, a), load(c, K_MORE, a)
        if shaken > 0.0:
            lo += shaken * more
            more *= 1.0 - shaken
        beta, B = load(c, K_BETA, a), load(c, K_BUDGET, a)
        growth, pool = load(c, K_GROWTH, a), load(c, K_POOL, a)
        whole = spread(outside)
        for j in range(J):  # rest: the weight of all before j, and then what leaves j over the others' weight
            store(c, to_rest + j, a, whole)
            whole += load(c, to_x + j, a)
        n = after = pulled = flow = switched = none
        for back in range(J):
            j = J - 1 - back
            others = load(c, to_rest + j, a) + after
            after += load(c, to_x + j, a)
            gone = none
            if s[j, STATUS] == ACTIVE:
                for l in range(L):
                    at = l * J + j
                    mass = load(c, to_mass + at, a)
                    q = others / (others + load(c, to_xb + at, a))
                    leave = mass * (1.0 - exp((lo + more * q) * q * -dt))
                    store(c, to_mass + at, a, mass - leave)
                    gone += leave
                    switched += leave * depth[l]
                ov[j, O_LEFT] += total(gone)
            rate = gone / others
            store(c, to_rest + j, a, rate)
            pulled += rate
            flow += gone
            for l in range(L):
                n += load(c, to_mass + l * J + j, a)
        expand = g[EXPANSION_CONTESTABLE] * choose(growth, growth, 0.0) * n * dt
        known = n + pool
        known = load(c, K_IMITATION, a) * (n / choose(known - 1e-300, known, 1e-300))
        arrivals = pool * (1.0 - exp((load(c, K_INNOVATION, a) + known) * -dt))
        coming = (arrivals + expand) / whole
        for j in range(J):
            if s[j, STATUS] != ACTIVE:
                continue
            joins = load(c, to_x + j, a) * (pulled - load(c, to_rest + j, a) + coming)
            store(c, to_mass + j, a, load(c, to_mass + j, a) + joins)
            n += joins
            ov[j, O_JOINED] += total(joins)
        back_out = outside * pulled
        entering = 1.0 - outside / whole
        store(c, K_POOL, a, pool + (back_out - arrivals * entering))
        # Depth, closures, growth of budgets.
        die = exp(load(c, K_CHURN, a) * -dt)
        for j in range(J):
            m0, m1 = load(c, to_mass + j, a), load(c, to_mass + J + j, a)
            m2 = load(c, to_mass + 2 * J + j, a)
            store(c, to_mass + j, a, (m0 - m0 * up0) * die)
            store(c, to_mass + J + j, a, (m1 + m0 * up0 - m1 * up1) * die)
            store(c, to_mass + 2 * J + j, a, (m2 + m1 * up1) * die)
        grown = exp((1.0 - g[EXPANSION_CONTESTABLE]) * dt * growth)
        store(c, K_GROWN, a, grown)
        store(c, K_BUDGET, a, B * grown)
        per = choose(beta, B / beta, 0.0)
        cost = load(c, K_SWITCH, a) * (1.0 - lev[0]) * per
        store(c, FLOW + Y_SWITCHING, a, switched * cost)
        store(c, FLOW + Y_ENTERED, a, (arrivals + expand) * entering)
        store(c, FLOW + Y_MOVED, a, flow - back_out)
        store(c, FLOW + Y_CLOSED, a, (1.0 - die) * n)


@njit(cache=True, error_model="numpy")
def _serve_all(g, v, t, s, w, lic, fee, lev, draws, dt, ov, ow, events, count, c):
    """Use is served and paid; training, capacity, data, experience.

    Returns GPUs in use, what suppliers took, and teams weighted by budget."""
    J, V = s.shape[0], lic.shape[0]
    W = c.shape[1]
    to_home = OF_VENDORS + R_HOME * J
    to_mass = OF_VENDORS + R_MASS * J
    to_u = OF_VENDORS + R_U * J
    now = w[TIME]
    h0, h1 = w[REF_L], w[REF_F]
    none = spread(0.0)
    ideals = budgets = none
    for a in range(0, W, WIDTH):
        for j in range(J):
            if s[j, STATUS] == ACTIVE:
                n = load(c, to_mass + j, a) + load(c, to_mass + J + j, a)
                n = (n + load(c, to_mass + 2 * J + j, a)) * load(c, K_BUDGET, a)
                ideals += n * s[j, QUALITY]
                budgets += n
    teams = total(budgets)
    ideal = total(ideals) / teams if teams > 0.0 else 0.0
    for row in (Y_BILLS, Y_TOKENS_L, Y_TOKENS_F, Y_REVENUE, Y_SURPLUS, Y_TAKEN):
        for a in range(0, W, WIDTH):
            store(c, FLOW + row, a, none)
    gpus = supplier = 0.0
    training_gpu = 0.0
    grown = np.exp(g[PROGRESS] * now)
    blend, forget = 1.0 - np.exp(-dt / 2.0), np.exp(-g[DATA_DECAY] * dt)
    up, down = 1.0 - np.exp(-g[CAPACITY_UP] * dt), 1.0 - np.exp(-g[CAPACITY_DOWN] * dt)
    for j in range(J):
        if s[j, STATUS] != ACTIVE:
            continue
        favour = np.exp(_clip(g[REVENUE_QUALITY] * (s[j, QUALITY] - ideal), -5.0, 5.0))
        given = s[j, ALLOWANCE] > 0.0 or v[j, V_GRANT] > 0.0
        p0, p1 = s[j, PRICE_L], s[j, PRICE_F]
        licences = 0.0
        bills = lights = flags = frees = learning = losses = absorbed = granted = heads = none
        for a in range(0, W, WIDTH):
            B, beta = load(c, K_BUDGET, a), load(c, K_BETA, a)
            teaches, ideas = load(c, K_DATA, a), load(c, K_IDEAS, a)
            earns = load(c, K_REVENUE, a) * B * favour
            per = choose(beta, B / beta, 0.0)
            stay = (1.0 - g[CERTAINTY]) * (1.0 - lev[3]) * load(c, to_home + j, a)
            paid = lit = flown = kept = n_all = none
            for l in range(L):
                at = l * J + j
                n = load(c, to_mass + at, a)
                th = load(c, K_THETA0 + l, a)
                e0, e1 = (s[j, EMBEDDED_L], s[j, EMBEDDED_F]) if l == 2 else (p0, p1)
                short0, short1 = s[j, COST_L] - e0, max(s[j, COST_F] - e1, 0.0)
                workload = th * B * (1.0 / h0)
                light = workload * (1.0 / (1.0 + e0 / h0))
                flag = (B - th * B) * (1.0 / (h1 * (1.0 + e1 / h1)))
                bill = e1 * flag
                if given:
                    f = _trial(v, s, j, c, l, a)
                    light = choose(light - f, light, choose(f - workload, workload, f))
                    free = choose(f - light, light, f)
                    bill += e0 * (light - free)
                    frees += n * free
                    below = s[j, COST_L] * light - e0 * (light - free)
                    losses += n * choose(below, below, none)
                    if l == 0:
                        over = free - s[j, ALLOWANCE]
                        granted += n * choose(ideas, choose(over, over, none), none)
                else:
                    bill += e0 * light
                    if short0 > 0.0:
                        losses += n * light * short0
                losses += n * flag * short1
                learning += n * ((light + flag) * teaches + ideas)
                paid += n * bill
                lit += n * light
                flown += n * flag
                n_all += n
                well = load(c, to_u + at, a)
                well = choose(well - SEEN, well, SEEN)
                kept += n * (well + stay if l > 0 else well)
                if l == 2 and g[ABSORB] > 0.0:
                    taken = g[ABSORB] * earns * n * dt
                    absorbed += taken
                    store(c, FLOW + Y_TAKEN, a, load(c, FLOW + Y_TAKEN, a) + taken)
            paid, lit, flown = paid * dt, lit * dt, flown * dt
            store(c, FLOW + Y_BILLS, a, load(c, FLOW + Y_BILLS, a) + paid)
            store(c, FLOW + Y_TOKENS_L, a, load(c, FLOW + Y_TOKENS_L, a) + lit)
            store(c, FLOW + Y_TOKENS_F, a, load(c, FLOW + Y_TOKENS_F, a) + flown)
            store(c, FLOW + Y_REVENUE, a, load(c, FLOW + Y_REVENUE, a) + earns * n_all * dt)
            store(c, FLOW + Y_SURPLUS, a, load(c, FLOW + Y_SURPLUS, a) + per * kept * dt)
            bills += paid
            lights += lit
            flags += flown
            heads += n_all
            if g[CONTRACT] == 2.0:
                store(c, W_RHO, a, paid)
        if g[CONTRACT] == 2.0:
            for i in range(t.shape[0]):
                vert = int(t[i, VERTICAL])
                if vert >= 0 and lic[vert, j] > 0.0:
                    licences += fee[vert, j] * c[W_RHO, i]
        revenue, light, flag, subsidy = total(bills), total(lights), total(flags), total(losses) * dt
        income = total(heads) * v[j, V_INCOME] * dt
        if g[ABSORB] > 0.0:
            income += total(absorbed)
        learned = total(learning) * dt
        free = face = extra = 0.0
        if given:
            free = total(frees) * dt
            if v[j, V_GRANT] > 0.0:
                extra = total(granted) * dt
                face = p0 * extra
        if g[CONTRACT] > 0.0 and g[CONTRACT] != 2.0:
            for vert in range(V):
                licences += fee[vert, j] * dt
        talk = s[j, CONSUMERS_OF] * g[CONSUMER_TOKENS] * dt
        learned += talk * g[CONSUMER_DATA]
        work = (light + talk) * g[GPU_LIGHT] + flag * g[GPU_FLAGSHIP]  # GPU-months at the start's efficiency
        need = _serve(g, v, s, j, work / dt, grown)
        if s[j, CAPACITY] <= 0.0:
            s[j, CAPACITY] = need / g[TARGET_LOAD]
        s[j, LOAD] = need / s[j, CAPACITY] if s[j, CAPACITY] > 0.0 else g[TARGET_LOAD]
        burst = max(need - s[j, CAPACITY], 0.0)
        rent = w[RENTAL_NOW] * (s[j, CAPACITY] + burst * (1.0 + g[BURST_PREMIUM])) * dt
        power = ((light + talk) * g[ENERGY_LIGHT] + flag * g[ENERGY_FLAGSHIP]) / grown
        spent = 0.0
        if v[j, V_CONDUCT] != FRINGE:
            spent, failed = _train(g, v, s, w, j, draws[j, 1], dt, events, count)
            ov[j, O_FAILED] += failed
        api = spent * v[j, V_API_SHARE]
        labour = spent * g[RUN_LABOUR] / (1.0 + g[RUN_LABOUR])
        training_gpu += (spent - labour) / w[RENTAL_NOW] / dt
        profit = revenue + income - rent - power - api - licences
        if v[j, V_CONDUCT] == FRINGE:
            rent, power = revenue, 0.0  # many hosts at cost: what they take they pay for machines
            profit = income
        s[j, CASH] += profit
        funding = 0.0
        if s[j, CASH] < 0.0:
            funding = min(-s[j, CASH], s[j, RESERVE])
            s[j, RESERVE] -= funding
            s[j, CASH] += funding
        s[j, PROFIT] += blend * (profit / dt - s[j, PROFIT])
        s[j, EXPERIENCE] += work
        s[j, DATA] = s[j, DATA] * forget + learned
        goal = need / g[TARGET_LOAD]
        speed = up if goal > s[j, CAPACITY] else down
        gpus += s[j, CAPACITY] + burst
        supplier += rent + (spent - labour)
        ov[j, O_REVENUE] += revenue
        ov[j, O_INCOME] += income
        ov[j, O_RENTAL] += rent
        ov[j, O_ENERGY] += power
        ov[j, O_TRAINING] += api
        ov[j, O_PARENT] += spent - api
        ov[j, O_LICENCES] += licences
        ov[j, O_FUNDING] += funding
        ov[j, O_PROFIT] += profit
        ov[j, O_TOKENS_L] += light
        ov[j, O_TOKENS_F] += flag
        ov[j, O_FREE] += free
        ov[j, O_SUBSIDY] += subsidy
        ov[j, O_GRANTS_FACE] += face
        ov[j, O_GRANTS_COST] += extra * s[j, COST_L]
        ow[W_HOLDER] += licences
        ow[W_ENERGY] += power
        ow[W_LABOUR] += labour
        s[j, CAPACITY] += speed * (goal - s[j, CAPACITY])
        if v[j, V_CONDUCT] != FRINGE and s[j, CASH] < 0.0:
            # Nothing left: it leaves, its creditors lose the rest, its teams must move.
            ov[j, O_WRITE_OFF] += -s[j, CASH]
            s[j, CASH] = 0.0
            s[j, STATUS] = GONE
            _note(events, count, now + dt, EXIT, j, 0.0, 0.0)
    return gpus + training_gpu, supplier, teams


@njit(cache=True, error_model="numpy")
def _consume(g, v, s, w, shaken, dt):
    """Consumers of the vendors' own apps."""
    J = s.shape[0]
    now = w[TIME]
    users = g[CONSUMERS]
    if users > 0.0:
        top = max(g[CONSUMERS_FINAL], users)
        grown = top / (1.0 + (top / users - 1.0) * np.exp(-g[CONSUMER_GROWTH] * (now + dt)))
        have = fresh = z = 0.0
        for j in range(J):
            if s[j, STATUS] == ACTIVE:
                have += s[j, CONSUMERS_OF]
                if v[j, V_CONSUMERS] > 0.0:
                    z += v[j, V_CONSUMERS] * np.exp(_clip(g[CONSUMER_TASTE] * s[j, QUALITY], LOW, 600.0))
        move = 1.0 - np.exp(-(g[CONSUMER_RATE] + shaken) * dt)
        fresh = max(grown - have, 0.0) + have * move
        if z > 0.0:
            for j in range(J):
                if s[j, STATUS] == ACTIVE:
                    s[j, CONSUMERS_OF] *= 1.0 - move
                    if v[j, V_CONSUMERS] > 0.0:
                        pull = v[j, V_CONSUMERS] * np.exp(
                            _clip(g[CONSUMER_TASTE] * s[j, QUALITY], LOW, 600.0)
                        )
                        s[j, CONSUMERS_OF] += fresh * pull / z


@njit(cache=True, error_model="numpy")
def _exit(g, t, s, m, pool, bg, x, lev, ov, ot):
    """Teams of vendors that left choose again, or give up."""
    T, _, J = m.shape
    outside = np.exp(g[OUTSIDE])
    depth = (g[SWITCH_TRIAL], g[SWITCH_INTEGRATED], 1.0)
    for j in range(J):
        if s[j, STATUS] != GONE:
            continue
        for i in range(T):
            n = m[i, 0, j] + m[i, 1, j] + m[i, 2, j]
            if n <= 0.0:
                continue
            B = t[i, BUDGET] * bg[i]
            per = B / t[i, PRICE_TASTE] if t[i, PRICE_TASTE] > 0.0 else 0.0
            rest = outside
            for k in range(J):
                if s[k, STATUS] == ACTIVE:
                    rest += x[i, 0, k]
            for l in range(L):
                ot[i, Y_SWITCHING] += m[i, l, j] * t[i, SWITCHING_COST] * depth[l] * (1.0 - lev[0]) * per
                m[i, l, j] = 0.0
            for k in range(J):
                if s[k, STATUS] == ACTIVE:
                    m[i, 0, k] += n * x[i, 0, k] / rest
                    ov[k, O_JOINED] += n * x[i, 0, k] / rest
            pool[i] += n * outside / rest
            ov[j, O_LEFT] += n
            ot[i, Y_FORCED] += n
        s[j, CONSUMERS_OF] = s[j, CAPACITY] = 0.0
        s[j, DATA] = 0.0


@njit(cache=True, error_model="numpy")
def _supply(g, w, whole, supplier, dt, ow):
    """Compute suppliers: the rental follows demand against a supply that grows."""
    now = w[TIME]
    base_cost = g[SUPPLIER_COST] * np.exp(-g[RENTAL_DECLINE] * now)
    ow[W_SUPPLIER] += supplier
    ow[W_SUPPLIER_PROFIT] += supplier - base_cost * whole * dt
    ow[W_GPUS] += whole * dt
    tight = max(whole, 1e-9) / (w[GPU_START] * np.exp(g[SUPPLY_GROWTH] * now))
    w[RENTAL_NOW] = g[RENTAL] * np.exp(-g[RENTAL_DECLINE] * (now + dt)) * tight ** g[RENTAL_ELASTICITY]


@njit(cache=True, error_model="numpy")
def _watch(g, t, s, w, m, bg, teams, dt, events, count):
    """The regulator watches concentration and what the base is charged."""
    T, _, J = m.shape
    now = w[TIME]
    if g[REGULATOR_AUTO] > 0.0 and w[ACTS_FROM] < 0.0:
        hhi = spend = 0.0
        for j in range(J):
            if s[j, STATUS] == ACTIVE:
                n = 0.0
                for i in range(T):
                    for l in range(L):
                        n += m[i, l, j] * t[i, BUDGET] * bg[i]
                hhi += n * n
                spend += n * (s[j, PRICE_F] / max(s[j, COST_F], 1e-12) - 1.0)
        margin = spend / teams if teams > 0.0 else 0.0
        if teams > 0.0 and hhi / (teams * teams) > g[REGULATOR_HHI] and margin > g[REGULATOR_MARGIN]:
            w[BREACH] += dt
            if w[BREACH] >= g[REGULATOR_MONTHS]:
                w[ACTS_FROM] = now + dt + g[REGULATOR_DELAY]
                _note(events, count, w[ACTS_FROM], STEP_IN, -1.0, 0.0, 0.0)
        else:
            w[BREACH] = 0.0


@njit(cache=True, error_model="numpy")
def step(g, v, t, chi, eco, script, s, w, m, pool, bg, lic, fee, draws, dt, force, force_time, ov, ot, ow,
         events, count):  # fmt: skip
    """Advance the market by dt months, in place; see `advance`.

    force: the vendor that opens the war at force_time, or −1.
    """
    advance(g, v, t, script, s, w, m, pool, bg, lic, fee, draws, dt, force, force_time, ov, ot, ow,
            events, count, _room(v, t, chi, eco))  # fmt: skip


@njit(cache=True, error_model="numpy")
def advance(g, v, t, script, s, w, m, pool, bg, lic, fee, draws, dt, force, force_time, ov, ot, ow,
            events, count, c):  # fmt: skip
    """`step`, in cells that stay from step to step.

    Order: entries and dated events; costs; reviews in the order they fall; teams move; use is served and
    paid; licences, training, capacity, consumers, data, experience; exits. Flows are added to ov, ot, ow.
    """
    J = s.shape[0]
    now = w[TIME]
    lev = levers(g, w)
    shaken = _happen(g, v, s, w, m, dt, events, count)
    _produce(g, v, s, w, lev, dt)
    _bind(v, s, lev)
    _enter(t, m, pool, bg, c)
    _arrive(g, J, c)
    _stand(g, s, lic, lev, t, c)
    if g[CONTRACT] == 2.0:
        _share(t, fee, c)
    for j in range(J):
        _choose_by(v, s, w, j, c)
    _reviews(g, v, script, s, w, lev, draws, dt, force, force_time, events, count, c)
    _move_all(g, s, c, lev, shaken, dt, ov)
    _consume(g, v, s, w, shaken, dt)
    whole, supplier, teams = _serve_all(g, v, t, s, w, lic, fee, lev, draws, dt, ov, ow, events, count, c)
    _leave(m, pool, bg, c)
    _book(c, ot)
    for j in range(J):
        if s[j, STATUS] == GONE and s[j, CAPACITY] > 0.0:  # in this step
            _exit(g, t, s, m, pool, bg, _spell(c, R_X, pool.size, J), lev, ov, ot)
            break
    _supply(g, w, whole, supplier, dt, ow)
    if g[CONTRACT] > 0.0 and now - w[LAST_CONTRACT] >= g[CONTRACT_INTERVAL]:
        w[LAST_CONTRACT] = now
        _bargain(g, v, t, s, w, m, _spell(c, R_X, pool.size, J), bg, lic, fee, events, count)
    _watch(g, t, s, w, m, bg, teams, dt, events, count)
    w[TIME] = now + dt


ROLLOUT_LUCKS = 2
"""Sequences of reviews over which a vendor averages what it expects of cutting and of holding."""


@njit(cache=True, error_model="numpy", inline="always")
def opening_gain(g, v, t, chi, eco, script, s, w, m, pool, bg, lic, fee, j):
    """Value to vendor j of opening now less that of holding, over its present value of holding.

    Both branches run the same step: after the cut the rivals answer by their own conduct at their own
    reviews; if j holds, somebody else opens after the months of peace that everybody expects.
    """
    months = g[ROLLOUT_MONTHS]
    dt = 1.0
    n = int(months / dt)
    J = s.shape[0]
    g = g.copy()
    g[RUN_STEP] = 0.0  # runs under way end; what is trained after them is the same in both branches
    g[ALLOWANCE_NOTCH] = 1.0  # allowances stay: they are fine print of the plan
    worth = np.zeros(2)
    scale = 0.0
    c = _room(v, t, chi, eco)
    W = _width(t.shape[0])
    to_rest = OF_VENDORS + R_REST * J
    to_mass = OF_VENDORS + R_MASS * J
    to_xb = OF_VENDORS + R_XB * J
    for luck in range(ROLLOUT_LUCKS):
        for branch in range(2):
            s2, w2, m2, pool2, bg2 = s.copy(), w.copy(), m.copy(), pool.copy(), bg.copy()
            lic2, fee2 = lic.copy(), fee.copy()
            ev, cnt = np.zeros((1, 5)), np.zeros(1, np.int64)
            ov, ot, ow = (
                np.zeros((J, len(VENDOR_SERIES))),
                np.zeros((t.shape[0], len(TYPE_SERIES))),
                np.zeros(len(WORLD_SERIES)),
            )
            force = j if branch == 0 else NOBODY
            draws = np.empty((J, 3))
            for k in range(n):
                if branch == 1 and w2[WAR] <= 0.0 and w2[TIME] >= w[TIME] + g[EXPECTED_PEACE]:
                    w2[WAR], w2[WAR_TIME], w2[LAST_CUT] = 1.0, w2[TIME], w2[TIME]
                for q in range(J):
                    for r in range(3):
                        u = (
                            0.5
                            + 0.6180339887 * (k + 1)
                            + 0.7548776662 * q
                            + 0.5698402910 * r
                            + luck * 0.2360679775
                        )
                        draws[q, r] = u - np.floor(u)
                advance(g, v, t, script, s2, w2, m2, pool2, bg2, lic2, fee2, draws, dt, force, w2[TIME],
                        ov, ot, ow, ev, cnt, c)  # fmt: skip
                force = NOBODY
                pay = s2[j, PROFIT] * dt if s2[j, STATUS] == ACTIVE else 0.0
                worth[branch] += pay * np.exp(-g[DISCOUNT] * (k + 0.5) * dt)
                scale += 0.5 * abs(pay)
            if s2[j, STATUS] == ACTIVE:
                # What the base left at the end is worth, by the same annuity that pricing uses.
                _enter(t, m2, pool2, bg2, c)
                _stand(g, s2, lic2, levers(g, w2), t, c)
                for q in range(J):
                    _choose_by(v, s2, w2, q, c)
                _beside(g, s2, j, c)
                ends = spread(0.0)
                invest = 0.5
                for a in range(0, W, WIDTH):
                    ann = spread(0.0)
                    B = load(c, K_BUDGET, a)
                    for back in range(L):
                        at = (L - 1 - back) * J + j
                        others = load(c, to_rest + j, a)
                        gone = others / (others + load(c, to_xb + at, a))
                        ann = _annuity(g, _hazard(g, s2, j), c, L - 1 - back, a, gone, ann)
                        ends += load(c, to_mass + at, a) * ann * (invest + v[j, V_INCOME] / B)
                end = total(ends)
                worth[branch] += end * np.exp(-g[DISCOUNT] * months)
                scale += 0.5 * end * np.exp(-g[DISCOUNT] * months)
    return (worth[0] - worth[1]) / max(scale, 1e-200)


@njit(cache=True, error_model="numpy", inline="always")
def opening(g, v, t, chi, eco, script, s, w, m, pool, bg, lic, fee, draws, dt):
    """Who opens the war within this step, and when: (vendor or −1, time).

    In the peace every vendor that launches a generation (or, without that need, that reviews), in
    that order, compares cutting with holding.
    """
    J = s.shape[0]
    start = w[TIME]
    if g[OPENING_FIXED] > 0.0:
        j = int(g[OPENER])
        if 0 <= j < J and start <= g[OPENING_MONTH] < start + dt and s[j, STATUS] == ACTIVE:
            return j, g[OPENING_MONTH]
        return NOBODY, 0.0
    done = np.zeros(J, np.bool_)
    for _ in range(J):
        who, when = NOBODY, 1e300
        for j in range(J):
            if done[j] or s[j, STATUS] != ACTIVE or not 0.0 < v[j, V_CONDUCT] < FRINGE:
                continue
            if g[OPENING_NEEDS_LAUNCH] > 0.0:
                due = start + 0.5 * dt if s[j, NEW_GENERATION] == 1.0 else 1e300
            else:
                rate = g[REVIEW] * v[j, V_AGILITY]
                due = start - np.log(1.0 - draws[j, 0]) / rate if rate > 0.0 else 1e300
            if due < start + dt and due < when:
                who, when = j, due
        if who < 0:
            break
        done[who] = True
        if s[who, NEW_GENERATION] == 1.0:
            s[who, NEW_GENERATION] = 2.0  # considered once, when it is launched
        if opening_gain(g, v, t, chi, eco, script, s, w, m, pool, bg, lic, fee, who) > g[OPENING_THRESHOLD]:
            return who, when
    return NOBODY, 0.0


@njit(cache=True, error_model="numpy")
def begin(g, v, t, s, w, m, pool, bg, luck):
    """The state at month 0 from the parameters, in place: bases by initial shares, peace prices, costs;
    luck [J, 3] says when each trains next."""
    T, _, J = m.shape
    w[:] = 0.0
    w[RENTAL_NOW] = g[RENTAL]
    w[ACTS_FROM] = -1.0
    w[WAR_OPENER] = -1.0
    w[LAST_CUT] = -1e9
    w[LAST_CONTRACT] = -1e9
    w[WAR] = 0.0 if g[PEACE] > 0.0 else 1.0
    s[:] = 0.0
    m[:] = 0.0
    bg[:] = 1.0
    total = 0.0
    for j in range(J):
        s[j, STATUS] = ACTIVE if v[j, V_ENTERS] <= 0.0 else WAITING
        s[j, COMPUTE], s[j, DATA] = v[j, V_COMPUTE], v[j, V_DATA]
        s[j, EXPERIENCE] = max(v[j, V_EXPERIENCE], 1e-9)
        s[j, CASH], s[j, RESERVE] = v[j, V_CASH], v[j, V_RESERVE]
        s[j, PRICE_L] = s[j, PEACE_L] = s[j, EMBEDDED_L] = s[j, HELD_L] = v[j, V_PRICE_LIGHT]
        s[j, PRICE_F] = s[j, PEACE_F] = s[j, EMBEDDED_F] = s[j, HELD_F] = v[j, V_PRICE_FLAGSHIP]
        s[j, ALLOWANCE] = v[j, V_ALLOWANCE]
        s[j, FIRST_CUT] = -1.0
        # The next generation is due a cycle after the last, sooner or later by a quarter of it.
        due = (g[RUN_GAP] + g[RUN_MONTHS]) * (0.75 + 0.5 * luck[j, 2]) - v[j, V_AGE]
        if g[RUN_STEP] > 0.0 and due < g[RUN_MONTHS] and v[j, V_CONDUCT] != FRINGE:
            s[j, RUN_LEFT] = max(due, 1e-6)
            s[j, RUN_SIZE] = s[j, COMPUTE] + g[RUN_STEP] * (1.0 + v[j, V_TALENT])
            price = g[RENTAL] * g[RUN_GPU] * (1.0 + g[RUN_LABOUR])
            s[j, RUN_COST] = price * 10.0 ** s[j, RUN_SIZE] / g[RUN_MONTHS]
        else:
            s[j, REST] = g[RUN_GAP] - (due - g[RUN_MONTHS])
        if s[j, STATUS] == ACTIVE:
            s[j, CONSUMERS_OF] = g[CONSUMERS] * v[j, V_CONSUMERS]
            total += v[j, V_SHARE]
        s[j, COST_L], s[j, COST_F] = unit_costs(g, v, s, w, j)
    c0 = c1 = weight = 0.0
    for j in range(J):
        if s[j, STATUS] == ACTIVE:
            share = v[j, V_SHARE] / total if total > 0.0 else 1.0
            c0 += share * s[j, COST_L]
            c1 += share * s[j, COST_F]
            weight += share
    w[REF_L] = g[REFERENCE_SHARE] * c0 / max(weight, 1e-12)
    w[REF_F] = g[REFERENCE_SHARE] * c1 / max(weight, 1e-12)
    mix = (0.5, 0.35, 0.15)
    for i in range(T):
        pool[i] = max(t[i, POTENTIAL] - t[i, TEAMS], 0.0)
        part = 0.0
        for j in range(J):
            if s[j, STATUS] == ACTIVE:
                vert = int(t[i, VERTICAL])
                serves = v[j, V_SPECIALIST] == 0.0 or v[j, V_SPECIALIST] == vert + 1
                part += v[j, V_SHARE] if serves else 0.0
        for j in range(J):
            if s[j, STATUS] == ACTIVE and part > 0.0:
                vert = int(t[i, VERTICAL])
                if v[j, V_SPECIALIST] == 0.0 or v[j, V_SPECIALIST] == vert + 1:
                    for l in range(L):
                        m[i, l, j] = t[i, TEAMS] * v[j, V_SHARE] / part * mix[l]
    # Fleets sized for the first month's work.
    use = np.empty(4)
    for j in range(J):
        if s[j, STATUS] != ACTIVE:
            continue
        work = s[j, CONSUMERS_OF] * g[CONSUMER_TOKENS] * g[GPU_LIGHT]
        for i in range(T):
            for l in range(L):
                if m[i, l, j] > 0.0:
                    _use(t, s, w, bg, i, l, j, _free(v, t, s, i, l, j), use)
                    work += m[i, l, j] * (use[1] * g[GPU_LIGHT] + use[2] * g[GPU_FLAGSHIP])
        s[j, CAPACITY] = _serve(g, v, s, j, work, 1.0) / g[TARGET_LOAD]
        s[j, LOAD] = g[TARGET_LOAD]
        w[GPU_START] += s[j, CAPACITY]
        if g[RUN_STEP] > 0.0 and v[j, V_CONDUCT] != FRINGE:
            # Suppliers know the trade's training too: one run in a cycle, spread over it.
            size = s[j, COMPUTE] + g[RUN_STEP] * (1.0 + v[j, V_TALENT])
            w[GPU_START] += g[RUN_GPU] * 10.0**size / max(g[RUN_GAP] + g[RUN_MONTHS], 1e-9)
    w[GPU_START] = max(w[GPU_START], 1e-9)


@njit(cache=True, error_model="numpy", inline="always")
def run(g, v, t, chi, eco, script, draws, months, per_month, vertical, ov, ot, om, ow, events):
    """One market from month 0: series by month, events; returns how many events there were.

    ov [months, J, ·], ot [months, T, ·], om [months, T, J] teams, ow [months, ·];
    draws [months × per_month, J, 3].
    """
    T, J = chi.shape
    s, w = np.zeros((J, len(STATE_FIELDS))), np.zeros(len(WORLD_FIELDS))
    m, pool, bg = np.zeros((T, L, J)), np.zeros(T), np.ones(T)
    lic, fee = np.zeros((vertical, J)), np.zeros((vertical, J))
    count = np.zeros(1, np.int64)
    begin(g, v, t, s, w, m, pool, bg, draws[0])
    c = _room(v, t, chi, eco)
    dt = 1.0 / per_month
    k = 0
    for month in range(months):
        for _ in range(per_month):
            w[TIME] = k * dt
            who, when = NOBODY, 0.0
            if g[PEACE] > 0.0 and w[WAR] <= 0.0:
                who, when = opening(g, v, t, chi, eco, script, s, w, m, pool, bg, lic, fee, draws[k], dt)
            advance(g, v, t, script, s, w, m, pool, bg, lic, fee, draws[k], dt, who, when,
                    ov[month], ot[month], ow[month], events, count, c)  # fmt: skip
            k += 1
        stocks(g, v, s, w, m, pool, ov[month], ot[month], om[month], ow[month])
    return count[0]


@njit(cache=True, error_model="numpy")
def stocks(g, v, s, w, m, pool, ov, ot, om, ow):
    """What stands at the end of a month, written beside its flows."""
    T, _, J = m.shape
    for j in range(J):
        ov[j, O_STATUS] = s[j, STATUS]
        if s[j, STATUS] == ACTIVE:
            ov[j, O_PRICE_L], ov[j, O_PRICE_F], ov[j, O_ALLOWANCE] = (
                s[j, PRICE_L],
                s[j, PRICE_F],
                s[j, ALLOWANCE],
            )
            ov[j, O_COST_L], ov[j, O_COST_F], ov[j, O_QUALITY] = s[j, COST_L], s[j, COST_F], s[j, QUALITY]
            ov[j, O_EMBEDDED] = s[j, EMBEDDED_L]
            ov[j, O_LOAD] = s[j, LOAD]
        ov[j, O_CASH], ov[j, O_RESERVE] = s[j, CASH], s[j, RESERVE]
        ov[j, O_CAPACITY], ov[j, O_DATA], ov[j, O_CONSUMERS] = s[j, CAPACITY], s[j, DATA], s[j, CONSUMERS_OF]
        n = 0.0
        for i in range(T):
            part = m[i, 0, j] + m[i, 1, j] + m[i, 2, j]
            om[i, j] = part
            n += part
            ot[i, Y_TEAMS] += part
        ov[j, O_TEAMS] = n
        if s[j, STATUS] == ACTIVE and v[j, V_CONDUCT] != FRINGE:
            ow[W_ACTIVE] += 1.0
    ow[W_RENTAL] = w[RENTAL_NOW]
    ow[W_WAR] = w[WAR]
    ow[W_REGULATOR] = levers(g, w).max()
    ow[W_OUTSIDE] = pool.sum()


@njit(cache=True, error_model="numpy", nogil=True)
def many(g, v, t, chi, eco, script, draws, months, per_month, vertical, ov, ot, om, ow, events, counts):
    """Ensemble: parameters, draws and results have a leading axis of members [N]. Releases
    the lock, so that threads share the work."""
    for n in range(g.shape[0]):
        counts[n] = run(g[n], v[n], t[n], chi, eco, script, draws[n], months, per_month, vertical,
                        ov[n], ot[n], om[n], ow[n], events[n])  # fmt: skip
