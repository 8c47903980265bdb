"""State a price game that is in no paper: two vendors of tokens, with a demand and a cost of our own.

What is new here, compared with the games of the catalogue:
- demand: buyers look at ratios of prices, so that utility is quality − ε log p, not − p/σ; quality rises with
  the data a vendor has gathered; a buyer may also do without.
- cost: a token never costs less than its electricity, and experience lowers the rest.
- state: each vendor's data, 0 … 7. The vendor that sells gains a level; either loses one with chance 0.1.
- flow: data earn a little outside this market.

Run it: .venv/bin/python examples/new_game.py
"""

import numpy as np

from pricewar.games.dynamic import PriceGame

LEVELS, STALE, ELASTICITY, OUTSIDE = 8, 0.1, 3.0, 0.0
level = np.arange(LEVELS)
data = np.stack([np.repeat(level, LEVELS), np.tile(level, LEVELS)])  # (firm, state)

electricity, rest, progress_ratio = 0.5, 2.0, 0.8
cost = electricity + rest * progress_ratio ** np.log2(1 + data)
quality = 1.0 + 0.1 * data


def demand(price: np.ndarray) -> np.ndarray:
    """Outcomes: nobody sells, vendor 1 sells, vendor 2 sells. Prices (2, S) in, probabilities (3, S) out."""
    weight = np.exp(quality - ELASTICITY * np.log(price))
    weight = np.concatenate([np.full_like(weight[:1], np.exp(OUTSIDE)), weight])
    return weight / weight.sum(axis=0)


def one_vendor(sells: bool) -> np.ndarray:
    """(LEVELS, LEVELS) law of motion of one vendor's data."""
    T = np.zeros((LEVELS, LEVELS))
    for e in level:
        for lost, chance in ((0, 1 - STALE), (1, STALE)):
            T[e, np.clip(e + sells - lost, 0, LEVELS - 1)] += chance
    return T


def build(discount: float = 0.95) -> PriceGame:
    """The game; with discount 0 each state is a market of its own."""
    sold_by = [(False, False), (True, False), (False, True)]  # nobody, vendor 1, vendor 2
    return PriceGame(
        demand,
        cost,
        moves=[np.kron(one_vendor(a), one_vendor(b)) for a, b in sold_by],
        beta=discount,
        flow=0.01 * data,
        scale=0.1,  # of prices; best replies are sought within 20 of it, where log p must exist
        guess=1.5 * cost,
    )


def main() -> None:
    """Solve, check, and show how far below the static price the vendors go at the start."""
    now, ahead = (build(b).solve(name="two vendors of tokens").or_raise() for b in (0.0, 0.95))
    print(f"residual {ahead.residual:.1e}, exploitability {ahead.exploitability:.1e}, {ahead.selection}")
    print("data of 1 and 2   unit cost 1   static price 1   price 1 when the future counts")
    for state in ((0, 0), (0, 4), (4, 0), (7, 7)):
        s = state[0] * LEVELS + state[1]
        prices = (game.policy["price"][0, s] for game in (now, ahead))
        print(f"{state!s:>15} {cost[0, s]:13.3f} {next(prices):16.3f} {next(prices):20.3f}")


if __name__ == "__main__":
    main()
