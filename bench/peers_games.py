"""Time the exact games against their peers, each peer in an environment of its own under bench/.envs.

    .venv/bin/python bench/peers_games.py            # all
    .venv/bin/python bench/peers_games.py quantecon  # some

| peer | what it is given |
|---|---|
| sgamesolver | leapfrogging, alternating moves, learning on a grid of prices: games of finite actions |
| pyblp | the logit markets of tests/replications/data |
| quantecon | Judd's and the adjustment-cost LQ duopoly (nnash) |

An environment is made when it is missing (pip, a minute or two; sgamesolver needs NumPy below 2 and a C
compiler). A peer that cannot be installed is skipped, and its row says so. Each job is run by the peer's own
Python in a process of its own; times are the best of several runs inside that process, so that neither
start-up nor compilation counts for either side.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ENVIRONMENTS = {
    "sgamesolver": [["numpy<2", "setuptools<70", "cython", "wheel", "scipy<1.14"], ["sgamesolver==1.0.2"]],
    "pyblp": [["pyblp==1.3.0", "quantecon==0.11.4"]],
}
MINUTES = 10


def python_of(name: str) -> Path | str:
    """The environment's Python, made on demand; or a sentence that says why there is none."""
    home, python = HERE / ".envs" / name, HERE / ".envs" / name / "bin/python"
    if not (home / ".ready").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", home], check=True, capture_output=True, timeout=120)
            for number, packages in enumerate(ENVIRONMENTS[name]):
                more = ["--no-build-isolation"] if number else []  # the build must see the old NumPy
                subprocess.run(
                    [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *more, *packages],
                    check=True,
                    capture_output=True,
                    timeout=60 * MINUTES,
                )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
            detail = getattr(error, "stderr", b"") or str(error).encode()
            return f"skipped: {name} could not be installed ({detail.decode()[-160:].strip()})"
        (home / ".ready").touch()
    return python


def run(name: str, job: str, given: dict[str, np.ndarray], seconds: float = 120.0) -> dict[str, Any]:
    """Run `job` (source; reads `given`, a dict of arrays, fills `out`) in the peer's Python."""
    python = python_of(name)
    if isinstance(python, str):
        return {"note": python}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        np.savez(path, **given)  # type: ignore[arg-type]
        frame = (
            "import json, sys, time\nimport numpy as np\n"
            f"given = dict(np.load({str(path)!r}, allow_pickle=False))\nout = {{}}\n"
            "def best(f, n=5):\n"
            "    t = []\n"
            "    for _ in range(n):\n"
            "        c = time.perf_counter(); r = f(); t.append(time.perf_counter() - c)\n"
            "    return min(t), r\n"
            f"{job}\nprint('\\n@@' + json.dumps(out))\n"
        )
        try:
            done = subprocess.run([python, "-c", frame], capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return {"note": f"skipped: not done after {seconds:.0f} s"}
    if done.returncode:
        return {"note": f"failed: {done.stderr.strip().splitlines()[-1][:160]}"}
    return json.loads(done.stdout.rsplit("@@", 1)[1])


def best(f: Callable[[], Any], n: int = 5) -> tuple[float, Any]:
    """Shortest of n runs, after one that is not timed, and the last answer."""
    f()
    times = []
    answer = None
    for _ in range(n):
        clock = time.perf_counter()
        answer = f()
        times.append(time.perf_counter() - clock)
    return min(times), answer


def row(peer: str, game: str, ours: float, theirs: dict[str, Any], gap: float, gap_is: str) -> dict[str, Any]:
    """One line of the report; seconds are NaN where the peer did not run."""
    seconds = float(theirs.get("seconds", "nan"))
    return {
        "peer": peer,
        "game": game,
        "ours_s": ours,
        "peer_s": seconds,
        "times_faster": seconds / ours,
        "gap": gap,
        "gap_is": gap_is,
        "note": theirs.get("note", ""),
    }


# --- QuantEcon and PyBLP ---------------------------------------------------------------------------------


def quantecon() -> list[dict[str, Any]]:
    """nnash on the two LQ duopolies; gap = largest difference of F1."""
    from pricewar.games.lq_judd1990 import adjustment, judd, lq_nash

    job = """
from quantecon import nnash
g = given
call = lambda: nnash(g["A"], g["B0"], g["B1"], g["R0"], g["R1"], g["Q0"], g["Q1"], g["S"], g["S"],
                     g["W0"], g["W1"], g["M0"], g["M1"], beta=float(g["beta"]))
out["seconds"], r = best(call, 20)
out["F1"] = np.asarray(r[0]).tolist()
"""
    rows = []
    for name, game in (("Judd's duopoly", judd()), ("adjustment costs", adjustment())):
        k = game.Q[0].shape[0]
        zero = np.zeros((k, k))
        given = {"A": game.A, "S": zero, "beta": np.array(game.discount)}
        for i in range(2):
            given |= {f"B{i}": game.B[i], f"R{i}": game.R[i], f"Q{i}": game.Q[i], f"W{i}": game.W[i]}
            given[f"M{i}"] = game.M.get((i, 1 - i), zero)
        ours, solution = best(lambda game=game: lq_nash(game, certify=False), 20)
        theirs = run("pyblp", job, given)
        gap = float("nan")
        if "F1" in theirs:
            gap = float(np.abs(np.array(theirs["F1"]) - solution.policy["F1"]).max())
        rows.append(row("QuantEcon nnash", name, ours, theirs, gap, "policies (it stops at 1e-8)"))
    return rows


def pyblp() -> list[dict[str, Any]]:
    """The static markets; gap = largest difference of prices."""
    from pricewar.games.static_logit import LogitMarket, bertrand

    job = """
import pyblp
pyblp.options.verbose = False
J = len(given["cost"])
data = {"market_ids": np.zeros(J), "firm_ids": given["firm"], "x": given["quality"], "c": given["cost"]}
parts = (pyblp.Formulation("0 + prices + x"), None, pyblp.Formulation("0 + c"))
zero = np.zeros(J)
s = pyblp.Simulation(parts, data, beta=[-float(given["alpha"]), 1.0], gamma=[1.0], xi=zero, omega=zero)
call = lambda: s.replace_endogenous(costs=given["cost"], iteration=pyblp.Iteration("simple", {"atol": 1e-14}))
out["seconds"], r = best(call)
out["price"] = r.product_data.prices.flatten().tolist()
"""
    drawn = json.loads((HERE.parent / "tests/replications/data/pyblp_markets.json").read_text())["markets"]
    rows = []
    for m in drawn[1:]:
        alpha, J = -m["price_coefficient"], len(m["price"])
        quality, cost, firm = (np.array(m[k]) for k in ("mean_utility_without_price", "cost", "firm"))
        market = LogitMarket(quality / alpha, cost, 1 / alpha, 0.0)
        ours, solution = best(lambda market=market, firm=firm: bertrand(market, firm), 20)
        given = {"quality": quality, "cost": cost, "firm": firm, "alpha": np.array(alpha)}
        theirs = run("pyblp", job, given)
        gap = float("nan")
        if "price" in theirs:
            gap = float(np.abs(np.array(theirs["price"]) - solution.policy["price"]).max())
        rows.append(row("PyBLP", f"logit market, {J} products", ours, theirs, gap, "prices"))
    return rows


# --- sgamesolver: games of finite actions ----------------------------------------------------------------

_HOMOTOPY = """
import sgamesolver
S = int(given["states"])
payoff, transition = [], []
for s in range(S):
    payoff.append(given[f"u{s}"])
    transition.append(given[f"t{s}"])
game = sgamesolver.SGame(payoff, transition, float(given["discount"]))
def call():
    h = sgamesolver.homotopy.QRE(game)
    h.solver_setup()
    h.solver.verbose = 0
    h.solve()
    return h.equilibrium
out["seconds"], e = best(call, 2)
if e is None:
    out["note"] = "no equilibrium reached"
else:
    out["values"] = np.asarray(e.values).tolist()
    out["strategies"] = np.where(np.isnan(e.strategies), 0.0, e.strategies).tolist()
"""


def _stack(payoff: list[np.ndarray], transition: list[np.ndarray], discount: float) -> dict[str, np.ndarray]:
    given = {"states": np.array(len(payoff)), "discount": np.array(discount)}
    for s, (u, t) in enumerate(zip(payoff, transition, strict=True)):
        given |= {f"u{s}": u, f"t{s}": t}
    return given


def sgamesolver() -> list[dict[str, Any]]:
    """Its quantal-response homotopy, one equilibrium; gap = what a firm still gains by our exact reply."""
    return [*_leapfrogging(), *_alternating(), *_learning()]


def _leapfrogging() -> list[dict[str, Any]]:
    from pricewar.games import rls
    from pricewar.games.leapfrogging_irs2016 import Leapfrogging

    rows = []
    for levels in (3, 4):
        game = Leapfrogging(levels=levels).directional()
        S = game.states
        law = np.zeros((S, 2, 2, S))
        for s, a, b, m in np.ndindex(game.successor.shape):
            law[s, a, b, game.successor[s, a, b, m]] += game.probability[s, a, b, m]
        given = _stack([game.reward[:, s] for s in range(S)], list(law), game.discount)
        theirs = run("sgamesolver", _HOMOTOPY, given)
        ours, found = best(lambda game=game: rls.search(game), 3)
        one, _ = best(lambda game=game: rls.follow(game), 3)
        gap = float("nan")
        if "strategies" in theirs:
            P = np.array(theirs["strategies"])[:, :, 1].T
            gap = rls.verify(game, np.array(theirs["values"]).T, P)[1]
        name = f"leapfrogging, {levels} levels, {S} states"
        rows.append(
            row("sgamesolver", f"{name}: all {found.count} (it: one)", ours, theirs, gap, "exploitability")
        )
        rows.append(row("sgamesolver", f"{name}: one equilibrium", one, theirs, gap, "exploitability"))
    return rows


def _alternating() -> list[dict[str, Any]]:
    from pricewar.games import maskin_tirole1988 as mt

    model = mt.grid(6, 0.95)
    n, pi = 7, model.profit()
    payoff, transition = [], []
    for mover in range(2):  # state (who moves, the other's price)
        for s in range(n):
            u, t = np.empty((2, n, 1)), np.zeros((n, 1, 2 * n))
            for a in range(n):
                u[mover, a, 0], u[1 - mover, a, 0] = pi[a, s], pi[s, a]
                t[a, 0, (1 - mover) * n + a] = 1.0
            if mover == 1:  # actions of firm 1 first
                u, t = u.transpose(0, 2, 1), t.transpose(1, 0, 2)
            payoff.append(np.ascontiguousarray(u))
            transition.append(np.ascontiguousarray(t))
    theirs = run("sgamesolver", _HOMOTOPY, _stack(payoff, transition, model.discount))
    ours, _ = best(lambda: mt.solve_support(model, mt.KINKED), 5)
    gap = float("nan")
    if "strategies" in theirs:
        R = np.array(theirs["strategies"])[:n, 0, :n]
        gap = model.exploitability(R / R.sum(axis=1, keepdims=True))
    return [row("sgamesolver", "alternating moves, 14 states", ours, theirs, gap, "exploitability")]


def _learning(levels: int = 4, prices: int = 12) -> list[dict[str, Any]]:
    """It needs a finite grid of prices, we do not: the gap is then the grid's, in price at (1, 1)."""
    from pricewar.games import learning_bdks2010 as learning

    case = {"levels": levels, "bottom": levels, "rho": 0.85, "delta": 0.05}
    ours, solution = best(lambda: learning.solve(**case, certify=False, stability=False), 5)
    e = np.arange(1, levels + 1)
    cost = 10 * 0.85 ** np.log2(e)
    grid = np.linspace(solution.policy["price"][0, 1:, 1:].min() - 1, cost.max() + 2, prices)
    moves = np.zeros((2, levels, levels))  # (sells, from, to)
    for sells in range(2):
        for k in range(levels):
            forgets = 1 - 0.95 ** e[k]
            for lost, chance in ((0, 1 - forgets), (1, forgets)):
                moves[sells, k, np.clip(k + sells - lost, 0, levels - 1)] += chance
    share = 1 / (1 + np.exp(grid[:, None] - grid[None, :]))
    payoff, transition = [], []
    for a in range(levels):
        for b in range(levels):
            payoff.append(
                np.stack([share * (grid[:, None] - cost[a]), (1 - share) * (grid[None, :] - cost[b])])
            )
            first, second = np.kron(moves[1, a], moves[0, b]), np.kron(moves[0, a], moves[1, b])
            transition.append(share[:, :, None] * first + (1 - share)[:, :, None] * second)
    theirs = run("sgamesolver", _HOMOTOPY, _stack(payoff, transition, 1 / 1.05))
    gap = float("nan")
    if "strategies" in theirs:
        mix = np.array(theirs["strategies"])[0, 0, :prices]
        gap = abs(float(mix @ grid) - float(solution.policy["price"][0, 1, 1]))
    name = f"learning and forgetting, {levels}×{levels} states (it: {prices} prices; ours: any price)"
    return [row("sgamesolver", name, ours, theirs, gap, "price at (1,1): the grid's coarseness")]


PEERS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "sgamesolver": sgamesolver,
    "pyblp": pyblp,
    "quantecon": quantecon,
}


def measured(names: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Every comparison as plain data: peer, game, ours_s, peer_s, times_faster, gap, gap_is, note."""
    for name in names or PEERS:
        yield from PEERS[name]()


if __name__ == "__main__":
    for r in measured(sys.argv[1:]):
        figures = f"{r['ours_s'] * 1e3:10.3f} ms {r['peer_s'] * 1e3:12.3f} ms {r['times_faster']:9.1f}×"
        print(f"{r['peer']:16} {r['game']:66} {figures}  {r['gap_is']} {r['gap']:.1e}  {r['note']}")
