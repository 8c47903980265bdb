"""Stating a game of one's own: two vendors, integration depth that sales build, custom demand and cost.

A vendor's depth d in {0..4} is how far its customers have built on its interface. A sale deepens it; without
one it wears off with probability .3. Depth makes the vendor's offer worth more to the buyer, with diminishing
returns, and serving deep customers costs more. Buyers choose by a nested rule: first whether to buy at all,
then from whom, so that demand is not the plain logit of the library.
"""

import itertools

import numpy as np

from pricewar.games.dynamic import PriceGame

DEPTHS = 5
STATES = list(itertools.product(range(DEPTHS), repeat=2))
depth = np.array(STATES, float).T  # (vendor, state)
worth = 2.0 + 1.5 * (1 - np.exp(-depth / 2))  # what the offer is worth to the buyer
cost = 0.5 + 0.1 * depth**1.5  # unit cost: any NumPy expression
NEST = 0.5  # 1 is the plain logit, 0 is perfect substitution between the vendors


def demand(p):
    """Prices (2, S) → probabilities of (nobody, vendor 1, vendor 2), nested logit."""
    inside = np.exp((worth - p) / NEST)
    total = inside.sum(axis=0)
    buys = total**NEST / (1 + total**NEST)
    return np.vstack([(1 - buys)[None], buys * inside / total])


def move(seller):
    """The matrix of moves when that vendor sells (0: nobody)."""
    matrix = np.zeros((len(STATES), len(STATES)))
    for s, state in enumerate(STATES):
        ways = []
        for vendor, d in enumerate(state):
            if seller == vendor + 1:
                ways.append([(min(d + 1, DEPTHS - 1), 1.0)])
            else:
                ways.append([(max(d - 1, 0), 0.3), (d, 0.7)])
        for (a, pa), (b, pb) in itertools.product(*ways):
            matrix[s, STATES.index((a, b))] += pa * pb
    return matrix


game = PriceGame(demand, cost, [move(k) for k in range(3)], beta=0.95, scale=0.5)
solution = game.solve(name="integration depth")

if __name__ == "__main__":
    print(f"{solution.result.value}: residual {solution.residual:.1e}, gain {solution.exploitability:.1e}")
    for state in ((0, 0), (4, 0), (0, 4), (4, 4)):
        p1, p2 = solution.policy["price"][:, STATES.index(state)]
        print(f"depths {state}: prices {p1:.3f} and {p2:.3f}")
