"""Write tests/replications/data/pyblp_markets.json: logit markets, and PyBLP's equilibrium prices for them.

Run it with a Python that has PyBLP (`bench/peers_games.py` makes one under bench/.envs):

    bench/.envs/pyblp/bin/python bench/pyblp_markets.py

The markets are drawn by NumPy with the seed below; costs, qualities and ownership are written beside prices.
"""

import json
import sys
from pathlib import Path

import numpy as np

SEED = 20200517
SHAPES = ((2, 1), (3, 2), (5, 3), (10, 4), (20, 5))  # (firms, products of each)


def market(firms: int, products: int, rng: np.random.Generator) -> dict:
    """One market and PyBLP's prices for it; firms own unequal numbers of products."""
    import pyblp  # only its own environment has it

    J, alpha = firms * products, float(rng.uniform(0.8, 3.0))
    owner = np.sort(rng.integers(0, firms, J)) if products > 1 else np.arange(J)
    quality, cost = rng.normal(1.0, 1.0, J), rng.uniform(0.5, 2.5, J)
    data = {"market_ids": np.zeros(J), "firm_ids": owner, "x": quality}
    simulation = pyblp.Simulation(
        (pyblp.Formulation("0 + prices + x"), None, pyblp.Formulation("0 + c")),
        data | {"c": cost},
        beta=[-alpha, 1.0],
        gamma=[1.0],
        xi=np.zeros(J),
        omega=np.zeros(J),
    )
    result = simulation.replace_endogenous(
        costs=cost, iteration=pyblp.Iteration("simple", {"atol": 1e-15, "max_evaluations": 100_000})
    )
    out = result.product_data
    return {
        "price_coefficient": -alpha,
        "firm": owner.tolist(),
        "mean_utility_without_price": quality.tolist(),
        "cost": cost.tolist(),
        "price": out.prices.flatten().tolist(),
        "share": out.shares.flatten().tolist(),
    }


def main() -> None:
    """Draw, solve, write."""
    import pyblp

    pyblp.options.verbose = False
    rng = np.random.default_rng(SEED)
    markets = [market(f, n, rng) for f, n in SHAPES]
    text = {
        "source": f"PyBLP {pyblp.__version__}, Simulation.replace_endogenous, iteration on ζ, atol 1e-15",
        "made_by": "bench/pyblp_markets.py",
        "seed": SEED,
        "units": "prices and costs in money; utility = quality + price_coefficient * price; outside good 0",
        "markets": markets,
    }
    path = Path(__file__).parent.parent / "tests/replications/data/pyblp_markets.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(text, indent=1) + "\n")
    sys.stdout.write(f"{path}: {len(markets)} markets\n")


if __name__ == "__main__":
    main()
