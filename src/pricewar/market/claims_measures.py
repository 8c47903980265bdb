"""What is kept of a future for the claims: `MEASURES`, by month, vendor, type, or one number.

Money in the market's currency, tokens in millions, months from the start. NaN says that something did not
happen, or has no meaning there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pricewar.market.model import Array, Market, Run
from pricewar.market.outcomes import DAYS, TIERS, Outcomes
from pricewar.market.stages import STAGES, WAR

# fmt: off
MEASURES: dict[str, tuple[tuple[str, ...], str, str]] = {
    # by month; of vendors, the open-weights fringe left out
    "revenue": (("month",), "money", "of vendors"),
    "serving": (("month",), "money", "rental and energy of vendors"),
    "profit": (("month",), "money", "of vendors' API business"),
    "training": (("month",), "money", "of vendors, the parents' part included"),
    "subsidy": (("month",), "money", "served below cost"),
    "light_ratio": (("month",), "ratio", "light price paid, free tokens counted, over unit cost; by volume"),
    "flagship_ratio": (("month",), "ratio", "flagship price over unit cost; by volume"),
    "flagship_price": (("month",), "money/mn tokens", "by volume"),
    "free": (("month",), "share", "of light tokens"),
    "giving": (("month",), "number", "vendors with an allowance or a light price of zero"),
    "hhi": (("month",), "share", "concentration of teams among the vendors inside"),
    "spend_hhi": (("month",), "share", "concentration of revenue among vendors"),
    "supplier": (("month",), "money", "profit of compute suppliers"),
    "rental": (("month",), "money/GPU-month", "of a GPU"),
    "holder": (("month",), "money", "income of data holders"),
    "regulator": (("month",), "share", "largest lever in force"),
    "lead": (("month",), "vendor", "number of the vendor of highest quality"),
    # by vendor
    "follow": (("vendor",), "month", "first deep cut after the opening; NaN: never"),
    "light_low": (("vendor",), "ratio", "lowest light list price in six months of war over peace"),
    "flagship_low": (("vendor",), "ratio", "lowest flagship list price in six months of war over peace"),
    "least_flagship": (("vendor",), "money/mn tokens", "lowest flagship list price at the end of a month"),
    "allowed": (("vendor",), "mn tokens", "largest allowance of a team"),
    "leaves": (("vendor",), "month", "leaves the market; NaN: stays"),
    "purse": (("vendor",), "money", "cash and reserve in month 0"),
    "share_year": (("vendor",), "share", "of teams a year after the opening"),
    "share_end": (("vendor",), "share", "of teams at the end"),
    "earned": (("vendor",), "money", "profit over all months"),
    "operating": (("vendor",), "money", "revenue and income less serving and licences over all months"),
    "served": (("vendor",), "money", "rental and energy over all months"),
    "work": (("vendor",), "GPU-month", "served over all months, at the efficiency of month 0"),
    "trained": (("vendor",), "money", "training over all months, the parent's part included"),
    "failed": (("vendor",), "number", "failed runs"),
    "generations": (("vendor",), "number", "runs that succeeded"),
    "crossing_gain": (("vendor",), "quality", "gained in the month of passing the threshold"),
    "other_gain": (("vendor",), "quality", "mean gained in months of other new generations"),
    "month_gain": (("vendor",), "quality", "largest gain in a month"),
    "top_tenth": (("vendor",), "share", "of the rise of quality that came in a tenth of the months"),
    "quality_end": (("vendor",), "quality", "at the end, or when it left"),
    "data_end": (("vendor",), "mn tokens", "stock of data at the end"),
    "consumers_end": (("vendor",), "user", "of its app at the end"),
    "grants_face": (("vendor",), "money", "list value of grants"),
    "grants_cost": (("vendor",), "money", "cost of grants"),
    "licensed": (("vendor",), "money", "paid to data holders"),
    "rises": (("vendor",), "number", "rises of list prices"),
    "eager_teams": (("vendor",), "team", "of idea-rich types at the end"),
    # by type, over all months
    "type_revenue": (("type",), "money", "what teams earned"),
    "type_bills": (("type",), "money", "what teams paid"),
    "type_switching": (("type",), "money", "costs of switching"),
    "type_surplus": (("type",), "money", "of teams, up to a constant"),
    "type_months": (("type",), "team-month", "of teams"),
    "type_taken": (("type",), "money", "taken by vendors that entered teams' products"),
    "teams_end": (("type", "vendor"), "team", "at the end"),
    # of the whole future
    "opener": ((), "number", "vendor that opened the war; −1: nobody"),
    "opening": ((), "month", "of the opening"),
    "work_slope": ((), "elasticity", "GPUs for a unit of work to work served, across vendors and months"),
    "waste": ((), "share", "of training spent on runs that failed or did not lead"),
    "pairs": ((), "number", "holders and vendors that ever signed"),
    "bargain_gap": ((), "ratio", "first fees beside Nash-in-Nash solved apart: largest relative difference"),
    "bargain_pairs": ((), "number", "fees compared"),
    "stage_begins": (("stage",), "month", "in which it first begins; NaN: never"),
    "stage_end": ((), "number", "stage at the end"),
    "reopened": ((), "number", "wars after the first"),
    "jump": ((), "quality", "gained at the compute threshold, as drawn"),
}
# fmt: on


def measure(run: Run) -> dict[str, Any]:
    """`MEASURES` of a run's first member."""
    from pricewar.market import kernel as k

    market, got = run.market, Outcomes(run)
    g, v, t = (a[0] for a in got.members)
    V = {name: a[0] for name, a in run.vendor.items()}
    Y = {name: a[0] for name, a in run.type.items()}
    W = {name: a[0] for name, a in run.world.items()}
    teams, events = run.teams[0], run.events[0]
    J = len(market.vendors)
    sells = got.inside
    here = got.active[0] & sells
    out: dict[str, Any] = {}

    def total(name: str) -> Array:
        return V[name][:, sells].sum(1)

    serving = V["rental_paid"] + V["energy_paid"]
    training = V["training_paid"] + V["parent_paid"]
    flag = V["tokens_flagship"][:, sells]
    out |= {"revenue": total("revenue"), "serving": serving[:, sells].sum(1), "profit": total("profit")}
    out |= {"training": training[:, sells].sum(1), "subsidy": got.subsidy[0]}
    out["light_ratio"] = got.price_over_cost("light", paid=True)[0]
    out["flagship_ratio"] = got.price_over_cost("flagship")[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        out["flagship_price"] = (V["price_flagship"][:, sells] * flag).sum(1) / flag.sum(1)
    out["free"] = got.free_share[0]
    out["giving"] = (((V["allowance"] > 0) | (V["price_light"] <= 0)) & here).sum(1).astype(float)
    share = got.share("teams")[0]
    out |= {"hhi": got.hhi("teams")[0], "spend_hhi": got.hhi("revenue")[0]}
    out |= {"supplier": W["supplier_profit"], "rental": W["rental"], "holder": W["holder_income"]}
    out["regulator"] = W["regulator"]
    quality = np.where(here, V["quality"], -np.inf)
    out["lead"] = np.where(here.any(1), quality.argmax(1), -1).astype(float)

    opened = got.opening[np.isfinite(got.opening)] / DAYS
    out |= {"opener": float(got.opener[0]), "opening": float(got.opening[0]) / DAYS}
    out["follow"] = got.deep_cut[0] / DAYS
    out |= {f"{tier}_low": got.depth(tier, 6)[0] for tier in TIERS}
    raised = events[events[:, 1] == k.RAISED]
    out["rises"] = np.bincount(raised[:, 2].astype(int), minlength=J).astype(float)
    out["least_flagship"] = np.where(here, V["price_flagship"], np.inf).min(0)
    out["allowed"] = V["allowance"].max(0)
    out["leaves"] = got.exit_month[0]
    out["purse"] = v[:, k.V_CASH] + v[:, k.V_RESERVE]
    year = 11 if len(opened) == 0 else int(opened[0]) + 12
    out["share_year"] = share[min(year, len(share) - 1)]
    out["share_end"] = share[-1]
    out["earned"] = V["profit"].sum(0)
    out["operating"] = (V["revenue"] + V["income"] - serving - V["licences_paid"]).sum(0)
    out["work"] = _work(V, g, k).sum(0)
    out |= {"served": serving.sum(0), "trained": training.sum(0), "failed": V["runs_failed"].sum(0)}
    out |= _leaps(V["quality"], here, events, g, v, k)
    out |= {"data_end": V["data"][-1], "consumers_end": V["consumers"][-1]}
    out |= {"grants_face": V["grants_face"].sum(0), "grants_cost": V["grants_cost"].sum(0)}
    out["licensed"] = V["licences_paid"].sum(0)
    out["eager_teams"] = teams[-1][t[:, k.IDEAS] > 0].sum(0)
    out |= {f"type_{name}": Y[name].sum(0) for name in ("revenue", "bills", "switching", "surplus", "taken")}
    out["type_months"] = Y["teams"].sum(0)
    out["teams_end"] = teams[-1]
    out["work_slope"] = _slope(V, W, here, g, v, k)
    out["waste"] = _waste(events, g, v, k)
    signed = events[events[:, 1] == k.LICENCE]
    out["pairs"] = float(len({(int(r[2]), int(r[4])) for r in signed}))
    out["bargain_gap"], out["bargain_pairs"] = _bargaining(market, run.seeds[0], g, v, t, k)
    out["stage_begins"] = np.array([got.begins(name)[0] for name in STAGES])
    out["stage_end"] = float(got.stage[0, -1])
    war = got.stage[0] == WAR
    out["reopened"] = max(float((war & ~np.r_[False, war[:-1]]).sum()) - 1, 0.0)
    out["jump"] = float(g[k.SCALE_JUMP])
    return out


def _leaps(quality: Array, here: Array, events: Array, g: Array, v: Array, k: Any) -> dict[str, Array]:
    """How lumpy quality is, and what passing the compute threshold brought beside other generations."""
    J = quality.shape[1]
    out = {
        n: np.full(J, np.nan)
        for n in ("crossing_gain", "other_gain", "month_gain", "top_tenth", "quality_end")
    }
    out["generations"] = np.zeros(J)
    for j in range(J):
        if v[j, k.V_CONDUCT] == k.FRINGE or not here[:, j].any():
            continue
        last = np.flatnonzero(here[:, j])[-1]
        first = np.flatnonzero(here[:, j])[0]
        path = quality[first : last + 1, j]
        out["quality_end"][j] = path[-1]
        if len(path) < 12:
            continue
        gain = np.diff(path)
        out["month_gain"][j] = gain.max()
        rise = np.maximum(gain, 0.0)
        if rise.sum() > 0:
            top = max(1, round(0.1 * len(rise)))
            out["top_tenth"][j] = np.sort(rise)[-top:].sum() / rise.sum()
        compute, others = v[j, k.V_COMPUTE], []
        for time, kind, who, size, _ in events:
            if kind != k.SUCCESSOR or int(who) != j:
                continue
            out["generations"][j] += 1
            # A run ends within a step, and its model serves from the next: the gain falls in that month.
            month = int((time + 0.2501) // 1) - first
            before, compute = compute, max(compute, size)
            if not 1 <= month < len(path):
                continue
            step = path[month] - path[month - 1]
            if before < g[k.THRESHOLD] <= compute:
                out["crossing_gain"][j] = step
            else:
                others.append(step)
        if others:
            out["other_gain"][j] = float(np.mean(others))
    return out


def _work(V: Mapping[str, Array], g: Array, k: Any) -> Array:
    """[M, J] GPU-months of work at the efficiency of month 0, teams' and consumers'."""
    light = V["tokens_light"] + V["consumers"] * g[k.CONSUMER_TOKENS]
    return light * g[k.GPU_LIGHT] + V["tokens_flagship"] * g[k.GPU_FLAGSHIP]


def _slope(V: Mapping[str, Array], W: Mapping[str, Array], here: Array, g: Array, v: Array, k: Any) -> float:
    """Slope of log GPUs per unit of work on log work, months and vendors' own efficiency taken out."""
    work = _work(V, g, k)
    months = np.arange(len(work))[:, None] + 0.5
    pace = v[:, k.V_EFFICIENCY] * np.exp(g[k.PROGRESS] * months)
    use = here & (work > 0) & (V["rental_paid"] > 0) & (months > 6)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(V["rental_paid"] / W["rental"][:, None] * pace / work)
        x = np.log(work)
    xs, ys = [], []
    for row in range(len(work)):
        on = use[row]
        if on.sum() > 1:
            xs.append(x[row, on] - x[row, on].mean())
            ys.append(y[row, on] - y[row, on].mean())
    if not xs:
        return np.nan
    a, b = np.concatenate(xs), np.concatenate(ys)
    return float(a @ b / (a @ a)) if a @ a > 0 else np.nan


def _waste(events: Array, g: Array, v: Array, k: Any) -> float:
    """Part of training spent on runs that failed, or that did not put their vendor ahead of all others."""
    ahead = v[v[:, k.V_CONDUCT] != k.FRINGE, k.V_COMPUTE].max()
    spent = lost = 0.0
    for time, kind, _, size, _ in events:
        if kind not in (k.SUCCESSOR, k.RUN_FAILED):
            continue
        cost = 10.0 ** (size - 25.0) * np.exp(-g[k.RUN_PROGRESS] * time)
        spent += cost
        if kind == k.RUN_FAILED or size <= ahead:
            lost += cost
        else:
            ahead = size
    return lost / spent if spent > 0 else np.nan


def _bargaining(market: Market, seed: int, g: Array, v: Array, t: Array, k: Any) -> tuple[float, float]:
    """First fees of non-exclusive lump sums beside `games.bargaining` on payoffs reckoned here.

    The payoffs are reckoned from the market's state by the equations of docs/market.md, not by its pass.
    """
    if g[k.CONTRACT] not in (1.0,) or not market.verticals:
        return np.nan, 0.0
    from pricewar.games.bargaining import Bargain, nash_in_nash
    from pricewar.market import step as one

    own = {name: getattr(market, name) for name in Market.__dataclass_fields__}
    fixed = Market(**(own | {"g": g.copy(), "v": v, "t": t, "uncertain": ()}))
    fixed.g[k.OPENING_FIXED], fixed.g[k.OPENER] = 1.0, -1.0  # nobody: the fees are those of month 0
    luck = market.luck((seed,))[0]
    state, _ = one.step(fixed, one.begin(fixed, luck[0]), draws=luck[0])
    s, w, fees = state.vendor_state, state.world_state, state.fees
    th = t[:, k.LIGHT_SHARE]
    y0 = np.log1p(s[:, k.PRICE_L] / w[k.REF_L])
    y1 = np.log1p(s[:, k.PRICE_F] / w[k.REF_F])
    alpha, beta = t[:, k.QUALITY_TASTE], t[:, k.PRICE_TASTE]
    vert = t[:, k.VERTICAL].astype(int)
    u = alpha[:, None] * (s[:, k.QUALITY] - (g[k.LIGHT_GAP] * th)[:, None]) + market.chi + v[:, k.V_BRAND]
    u += g[k.CERTAINTY] * market.eco
    u -= beta[:, None] * (th[:, None] * y0 + (1 - th)[:, None] * y1)
    x = np.where(s[:, k.STATUS] == k.ACTIVE, np.exp(u), 0.0)
    teams = state.teams.sum((1, 2))
    thd = th * (1.0 - 0.5 * t[:, k.LIGHT_FALL])
    B = t[:, k.BUDGET] * state.budgets
    margin = B[:, None] * (
        1.0
        - thd[:, None] * (s[:, k.COST_L] + w[k.REF_L]) / (s[:, k.PRICE_L] + w[k.REF_L])
        - (1.0 - thd)[:, None] * (s[:, k.COST_F] + w[k.REF_F]) / (s[:, k.PRICE_F] + w[k.REF_F])
    )
    worth = np.maximum(margin + v[:, k.V_INVEST] * B[:, None], 0.0) * teams[:, None]
    worst, count = 0.0, 0
    for one_vertical in range(len(market.verticals)):
        rows = np.flatnonzero(vert == one_vertical)
        signed = np.flatnonzero(state.licences[one_vertical] > 0)
        if not len(rows) or not len(signed):
            continue
        cost = g[k.HOLDER_COST] * float((teams[rows] * B[rows]).sum())
        # Every vendor that may sign is counted on, as the market's vendors do: see the test of licences.
        may = np.flatnonzero((v[:, k.V_SPECIALIST] == 0) & (v[:, k.V_CONDUCT] != k.FRINGE) & (x.sum(0) > 0))

        def payoff(
            links: frozenset[tuple[int, int]], rows=rows, cost=cost, may=may, home=one_vertical + 1
        ) -> tuple[Array, Array]:
            gap = np.ones((len(rows), x.shape[1]))
            own = v[:, k.V_SPECIALIST] == home
            gap[:, own] = 0.0
            gap[:, [may[j] for _, j in links]] = 0.0
            pull = x[rows] * np.exp(-(alpha * t[:, k.VERTICAL_GAP])[rows][:, None] * gap)
            share = pull / (np.exp(g[k.OUTSIDE]) + pull.sum(1, keepdims=True))
            return np.array([-cost * len(links)]), (share * worth[rows]).sum(0)[may]

        game = Bargain(1, len(may), payoff, weight=float(g[k.HOLDER_WEIGHT]))
        apart = nash_in_nash(game).policy["transfer"][0]
        for n, j in enumerate(may):
            if j in signed:
                worst = max(worst, abs(apart[n] - fees[one_vertical, j]) / max(abs(apart[n]), 1e-12))
                count += 1
    return (worst if count else np.nan), float(count)
