"""Individual buyers: one small market at fixed prices by pricewar, by NumPy and by Mesa, and the floor.

Five vendors, one type of team, 20,000 agents (two fifths inside, the rest in the pool), steps of a month. The
three share the chances (leave by state, pull of each vendor, new work, integration, closures, adoption with
imitation), and each draws one number for an agent to which nothing happens. CPU seconds of one core, the best
of some runs, set-up of the market included; compiled code warm. Means over seeds are held against the mean
field, in standard errors from our own spread.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np

from bench import peers_games
from pricewar.market import individuals_kernel, kernel
from pricewar.market.individuals import Supply, simulate_individuals
from pricewar.market.model import Market, simulate

Row = tuple[str, str, str, str]
peers_games.ENVIRONMENTS["mesa"] = [["mesa>=3.3,<4"]]

GENERAL = {
    "reference_share": 0.5, "experience_scale": 1.0, "gpu_light": 1e-4, "gpu_flagship": 6e-4,
    "energy_light": 0.1,
    "energy_flagship": 0.8, "target_load": 0.5, "rental": 1e4, "threshold_width": 1.0, "data_half": 1.0,
    "run_months": 1.0, "run_gpu": 1e-22, "light_gap": 0.8, "depth_one": 0.12, "depth_two": 0.05,
    "switch_trial": 0.1,
    "switch_integrated": 0.5, "certainty": 0.5, "expansion_contestable": 0.6, "outside": -1.0,
    "discount": 0.012,
    "hold": 6.0,
}  # fmt: skip
TEAM = {
    "innovation": 0.005, "imitation": 0.1, "budget": 500.0, "growth": 0.02, "light_share": 0.6,
    "light_fall": 0.3,
    "quality_taste": 1.0, "price_taste": 1.4, "switching_cost": 1.5, "review_low": 0.03, "review_high": 0.25,
    "churn": 0.01, "vertical": -1.0,
}  # fmt: skip
VENDORS = {  # share at the start, light and flagship price, CNY per million tokens: assumptions
    "a": (0.35, 2.0, 12.0), "b": (0.25, 1.0, 14.0), "c": (0.2, 1.5, 10.0), "d": (0.15, 0.8, 20.0),
    "e": (0.05, 0.5, 8.0),
}  # fmt: skip


def market(agents: int, months: int) -> Market:
    """The market of this page with so many teams, two fifths of them with a vendor."""
    g, v = np.zeros(len(kernel.MARKET_FIELDS)), np.zeros((len(VENDORS), len(kernel.VENDOR_FIELDS)))
    t = np.zeros((1, len(kernel.TYPE_FIELDS)))
    for name, value in GENERAL.items():
        g[kernel.MARKET_FIELDS.index(name)] = value
    for name, value in (TEAM | {"teams": 0.4 * agents, "potential": float(agents)}).items():
        t[0, kernel.TYPE_FIELDS.index(name)] = value
    for j, (share, light, flagship) in enumerate(VENDORS.values()):
        own = {
            "share": share,
            "price_light": light,
            "price_flagship": flagship,
            "efficiency": 1.0,
            "cash": 1e12,
        }
        own |= {"api_share": 1.0, "experience": 1.0, "conduct": float(kernel.EXTERNAL)}
        for name, value in own.items():
            v[j, kernel.VENDOR_FIELDS.index(name)] = value
    zero = np.zeros((1, len(VENDORS)))
    return Market("bench", "CNY", date(2024, 5, 6), months, 1, tuple(VENDORS), ("team",), ("all",), (), g, v,
                  t, zero, zero.copy())  # fmt: skip


def shared(m: Market) -> dict[str, np.ndarray]:
    """What the peers are given: the same chances and the same start."""
    supply = Supply(m, m.g, m.v, m.t, m.luck([0])[0, 0])
    start = np.round(np.append(supply.m[0].ravel(), supply.pool[0])).astype(np.int64)
    c = supply.terms(m.luck([0])[0, 0])
    t = m.t[0]
    return {
        "start": start,
        "leave": c.leave[0],
        "pull": c.x[0, 0],
        "outside": np.float64(c.outside),
        "birth": c.birth[0],
        "die": c.die[0],
        "up": np.array([c.up0, c.up1, 0.0]),
        "innovation": t[kernel.INNOVATION],
        "imitation": t[kernel.IMITATION],
        "months": np.int64(m.months),
    }


def numpy_run(given: dict[str, Any], seed: int) -> np.ndarray:
    """The market by whole arrays: final teams by vendor, and the pool."""
    rng = np.random.default_rng(seed)
    pull, leave, up, die, birth = given["pull"], given["leave"], given["up"], given["die"], given["birth"]
    J = len(pull)
    n = 3 * J
    total = pull.sum() + given["outside"]
    inside = pull.sum() / total
    depth = np.repeat(np.arange(3), J)
    fate = die + (1 - die) * up[depth]
    event = np.append(leave + (1 - leave) * (birth + (1 - birth) * fate), 0.0).astype(np.float32)
    adopting = np.cumsum(pull) / pull.sum()
    to = np.cumsum(np.where(np.eye(J, dtype=bool), 0.0, pull), axis=1) / (total - pull)[:, None]

    def aged(code: np.ndarray) -> np.ndarray:
        u = rng.random(len(code))
        deeper = (u >= die) & (u < die + (1 - die) * up[code // J])
        return np.where(u < die, n + 1, code + J * deeper)

    state = np.repeat(np.arange(n + 1, dtype=np.uint8), given["start"])
    for _ in range(int(given["months"])):
        counts = np.bincount(state, minlength=n + 1)
        stay = counts[:n] @ (1 - leave)
        share = stay / (stay + counts[n])
        event[n] = (1 - np.exp(-(given["innovation"] + given["imitation"] * share))) * inside
        hit = np.flatnonzero(rng.random(len(state), dtype=np.float32) < event[state])
        old = state[hit].astype(np.int64)
        new = old.copy()
        waits = old == n
        goes = ~waits
        goes[goes] = rng.random(goes.sum()) * event[old[goes]] < leave[old[goes]]
        new[waits] = aged(np.searchsorted(adopting, rng.random(waits.sum())))
        k = (rng.random(goes.sum())[:, None] >= to[old[goes] % J]).sum(axis=1)
        landed = k < J
        k[landed] = aged(k[landed])
        k[~landed & (k == J)] = n
        new[goes] = k
        stays = np.flatnonzero(~waits & ~goes)
        chance = fate[old[stays]]
        founds = rng.random(len(stays)) * (birth + (1 - birth) * chance) < birth
        quiet = stays[~founds]
        dies = rng.random(len(quiet)) * fate[old[quiet]] < die
        new[quiet] = np.where(dies, n + 1, old[quiet] + J)
        new[stays[founds]] = aged(old[stays[founds]])
        children = aged(np.searchsorted(adopting, rng.random(founds.sum())))
        state[hit] = new
        state = np.concatenate((state, children.astype(np.uint8)))
        state = state[state <= n]
    counts = np.bincount(state, minlength=n + 1)
    return np.append(counts[:n].reshape(3, J).sum(axis=0), counts[n])


def mesa_run(given, seed):
    """The market as a Mesa model, run in Mesa's own environment: final teams by vendor, and the pool."""
    from bisect import bisect_right
    from itertools import accumulate
    from math import exp

    import mesa

    pull, leave, up = given["pull"].tolist(), given["leave"].tolist(), given["up"].tolist()
    die, birth, outside = float(given["die"]), float(given["birth"]), float(given["outside"])
    J = len(pull)
    n = 3 * J
    whole = sum(pull)
    adopting = list(accumulate(pull))
    to = [list(accumulate(0.0 if k == j else pull[k] for k in range(J))) for j in range(J)]
    fates = [die + (1 - die) * up[code // J] for code in range(n)]
    event = [p + (1 - p) * (birth + (1 - birth) * f) for p, f in zip(leave, fates, strict=True)] + [0.0]

    class Team(mesa.Agent):
        def __init__(self, model, code):
            super().__init__(model)
            self.code = code

        def become(self, code):
            """Close, integrate deeper or stay what it has become."""
            u = self.random.random()
            if u < die:
                self.move(n + 1)
                self.remove()
            else:
                self.move(code + J if u < fates[code] else code)

        def move(self, code):
            self.model.counts[self.code] -= 1
            self.model.counts[code] += 1
            self.code = code

        def step(self):
            code = self.code
            draw = self.random.random
            if draw() >= event[code]:
                return
            if code == n:
                self.become(min(bisect_right(adopting, draw() * whole), J - 1))
            elif draw() * event[code] < leave[code]:
                j = code % J
                k = bisect_right(to[j], draw() * (whole + outside - pull[j]))
                if k < J:
                    self.become(k)
                else:
                    self.move(n)
            elif draw() * (birth + (1 - birth) * fates[code]) < birth:
                child = Team(self.model, min(bisect_right(adopting, draw() * whole), J - 1))
                self.model.counts[child.code] += 1
                child.become(child.code)
                self.become(code)
            elif draw() * fates[code] < die:
                self.move(n + 1)
                self.remove()
            else:
                self.move(code + J)

    class Market(mesa.Model):
        def __init__(self, seed):
            super().__init__(seed=seed)
            self.counts = [*map(int, given["start"]), 0]
            for code, many in enumerate(self.counts):
                for _ in range(many):
                    Team(self, code)

        def step(self):
            stay = sum(self.counts[code] * (1 - leave[code]) for code in range(n))
            share = stay / (stay + self.counts[n])
            rate = float(given["innovation"]) + float(given["imitation"]) * share
            event[n] = (1 - exp(-rate)) * whole / (whole + outside)
            self.agents.do("step")

    model = Market(seed)
    for _ in range(int(given["months"])):
        model.step()
    return [sum(model.counts[d * J + j] for d in range(3)) for j in range(J)] + [model.counts[n]]


def cpu(run: Callable[[], Any], times: int) -> float:
    """Least CPU seconds of some runs, after one to warm up."""
    run()
    least = np.inf
    for _ in range(times):
        began = time.process_time()
        run()
        least = min(least, time.process_time() - began)
    return least


def rate(agent_months: float, seconds: float) -> str:
    return f"{agent_months / seconds / 1e6:.3g} M agent-months/s"


def floor(bytes_: int, exponentials: int) -> float:
    """CPU seconds for an agent-month that moves bytes, takes exponentials and draws one uniform.

    NumPy's vector code in single precision, in blocks that stay in the cache; one byte and no exponential is
    what agents that share chances by state need, 16 bytes and 5 exponentials agents with tastes of their own.
    """
    block, turns = 8192, 300
    a, b = np.zeros((turns, block * bytes_), np.uint8), np.zeros(block * bytes_, np.uint8)
    u, e = (
        np.zeros((max(exponentials, 1), block), np.float32),
        np.zeros((max(exponentials, 1), block), np.float32),
    )
    words = np.empty((4, individuals_kernel.QUARTER), np.uint32)

    def run() -> None:
        for n in range(turns):
            np.copyto(b, a[n])
            for part in range(block // individuals_kernel.CHUNK):
                individuals_kernel.screen(part, individuals_kernel.QUARTER, n, 0, 1, 2, words)
            if exponentials:
                np.exp(u, out=e)

    return cpu(run, 5) / (turns * block)


def rows(quick: bool) -> Iterator[Row]:
    """All of it; `quick` runs 24 months instead of 60, and fewer seeds."""
    months, agents, seeds = (24, 20_000, 24) if quick else (60, 20_000, 100)
    m = market(agents, months)
    given = shared(m)
    began = float(given["start"].sum())
    field = simulate(m, [0])
    mean = np.append(field.vendor["teams"][0, -1], field.world["outside_teams"][0, -1])
    agent_months = months * (began + mean.sum()) / 2  # births and closures change their number

    def gap(results: np.ndarray) -> str:
        error = spread / np.sqrt(len(results))
        worst = np.abs((results.mean(axis=0) - mean) / error).max()
        return f"mean of {len(results)} seeds within {worst:.1f} standard errors of the mean field"

    def ours(n: int) -> np.ndarray:
        r = simulate_individuals(m, [n], threads=1)
        return np.append(r.vendor["teams"][0, -1], r.world["outside_teams"][0, -1])

    seconds = cpu(lambda: ours(0), 5)
    ends = np.array([ours(n) for n in range(seeds)])
    spread = ends.std(axis=0, ddof=1)
    text = gap(ends)
    what = f"pricewar, {agents:,} agents × {months} months"
    yield what, rate(agent_months, seconds), "", f"{1e3 * seconds:.3g} ms; {text}"
    by_numpy = cpu(lambda: numpy_run(given, 0), 5)
    text = gap(np.array([numpy_run(given, n) for n in range(seeds)]))
    yield (
        "NumPy, the same market",
        rate(agent_months, by_numpy),
        "",
        f"{by_numpy / seconds:.1f} × ours; {text}",
    )
    job = f"{inspect.getsource(mesa_run)}\n" + (
        "from importlib.metadata import version\n"
        "spent, ends = [], []\n"
        f"for seed in range({3 if quick else 6}):\n"
        "    c = time.process_time()\n"
        "    ends.append(mesa_run(given, seed))\n"
        "    spent.append(time.process_time() - c)\n"
        "out.update(seconds=min(spent), ends=ends, version=version('mesa'))"
    )
    mesa = peers_games.run("mesa", job, given, 300.0)
    if "seconds" in mesa:
        text = gap(np.array(mesa["ends"], float))
        figures = rate(agent_months, mesa["seconds"])
        yield f"Mesa {mesa['version']}", figures, "", f"{mesa['seconds'] / seconds:,.0f} × ours; {text}"
    else:
        yield "Mesa", "not measured", "", mesa["note"]
    large = market(1_000_000, 24 if quick else months)
    sure = simulate(large, [0])
    inside = sure.vendor["teams"][0, -1].sum() + sure.world["outside_teams"][0, -1]
    count = large.months * (1e6 + inside) / 2
    seconds = cpu(lambda: simulate_individuals(large, [0], threads=1), 2)
    yield (
        "pricewar, 1,000,000 agents",
        rate(count, seconds),
        "",
        f"{1e9 * seconds / count:.2f} ns an agent-month",
    )
    by_numpy = cpu(lambda: numpy_run(shared(large), 0), 1)
    yield "NumPy, 1,000,000 agents", rate(count, by_numpy), "", f"{by_numpy / seconds:.1f} × ours"
    for bytes_, exponentials, words in (
        (1, 0, "1 byte moved, one uniform: agents that share chances by state, as ours"),
        (16, 5, "16 bytes moved, 5 exponentials, one uniform: agents with tastes of their own"),
    ):
        least = floor(bytes_, exponentials)
        yield "floor", rate(1.0, least), "", f"{words}; ours takes {seconds / count / least:.1f} × as long"
