"""Recursive lexicographical search: every Markov perfect equilibrium of a directional game.

A dynamic game is directional when its states can be ordered so that play never returns to an earlier one,
apart from staying where it is. Backward through that order each state is a small game of its own, whose
payoffs are known once the states behind it are solved. Where a state has several equilibria the tree of
selections branches; its leaves are the Markov perfect equilibria of the whole game. The search walks the
leaves as an odometer does, one digit per state, each digit's base being the number of equilibria that the
digits before it leave to that state.

Here two players have two actions each (0 do not, 1 do). With P the probability that the rival acts, action a
kept for ever yields v_a = R_a(P) / (1 − β λ_a(P)), where R_a is the expected reward plus the discounted value
of leaving the state and λ_a the probability of staying. Indifference, R_1 (1 − βλ_0) = R_0 (1 − βλ_1), is a
quadratic in P, so that all pure and all mixed equilibria of a state come in closed form.

Reference: Iskhakov, Rust, Schjerning (2016), Recursive lexicographical search: finding all Markov perfect
equilibria of finite state directional dynamic games, Review of Economic Studies 83(2), 658–703.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numba import njit

from pricewar.errors import SolverError

MAX_STAGE = 8  # four pure equilibria, and two roots for each player's indifference
_TIE = 1e-12  # a gain smaller than this, relative to the payoffs at stake, is a tie


@dataclass(frozen=True)
class DirectionalGame:
    """A finite game of two players and two actions whose states are listed in the order of solution.

    Args:
        reward: (2, S, 2, 2), the player's payoff in a period at [player, state, action of 1, action of 2].
        successor: (S, 2, 2, M) int, states reached from [state, action of 1, action of 2].
        probability: (S, 2, 2, M), their probabilities; rows sum to one, unused entries are zero.
        discount: β in [0, 1).
        labels: (S, ...) anything that names the states, carried along.

    Raises:
        SolverError: shapes disagree, probabilities do not sum to one, or a state leads to a later one
            (the order is then no order of solution).
    """

    reward: np.ndarray
    successor: np.ndarray
    probability: np.ndarray
    discount: float
    labels: np.ndarray | None = field(default=None)

    def __post_init__(self) -> None:
        S = self.reward.shape[1]
        if self.reward.shape != (2, S, 2, 2) or self.successor.shape != self.probability.shape:
            raise SolverError(
                "rewards must be (2, S, 2, 2); successors and probabilities (S, 2, 2, M)",
                where="DirectionalGame",
                remedy=f"got {self.reward.shape}, {self.successor.shape}, {self.probability.shape}",
            )
        if not 0 <= self.discount < 1:
            raise SolverError(f"discount {self.discount} lies outside [0, 1)", where="DirectionalGame")
        if np.abs(self.probability.sum(axis=-1) - 1).max() > 1e-12 or (self.probability < 0).any():
            raise SolverError(
                "transition probabilities must be non-negative and sum to one", where="DirectionalGame"
            )
        later = (self.successor > np.arange(S)[:, None, None, None]) & (self.probability > 0)
        if later.any():
            state = int(np.argwhere(later)[0, 0])
            raise SolverError(
                f"state {state} leads to a state that is solved after it",
                where="DirectionalGame",
                remedy="list the states so that each leads only to itself and to states before it",
            )

    @property
    def states(self) -> int:
        """Number of states S."""
        return self.reward.shape[1]

    def read_later(self) -> np.ndarray:
        """(S,) bool: does another state's stage game read this state's value?"""
        read = np.zeros(self.states, dtype=bool)
        state = np.broadcast_to(np.arange(self.states)[:, None, None, None], self.successor.shape)
        used = (self.probability > 0) & (self.successor != state)
        read[np.unique(self.successor[used])] = True
        return read


@njit(cache=True)
def _line(r, cont, stay, beta, player, a):
    """R_a and 1 − βλ_a as straight lines in the rival's probability: (intercept, slope) of each."""
    if player == 0:
        r0, r1, s0, s1 = r[a, 0] + beta * cont[a, 0], r[a, 1] + beta * cont[a, 1], stay[a, 0], stay[a, 1]
    else:
        r0, r1, s0, s1 = r[0, a] + beta * cont[0, a], r[1, a] + beta * cont[1, a], stay[0, a], stay[1, a]
    return r0, r1 - r0, 1.0 - beta * s0, -beta * (s1 - s0)


@njit(cache=True)
def _stage(reward, successor, probability, beta, V, s, out):
    """All equilibria of state s given the values behind it. out[k] = (V1, V2, P1, P2); returns how many."""
    M = successor.shape[3]
    stay = np.zeros((2, 2))
    cont = np.zeros((2, 2, 2))
    for a in range(2):
        for b in range(2):
            for m in range(M):
                q = probability[s, a, b, m]
                if q > 0.0:
                    t = successor[s, a, b, m]
                    if t == s:
                        stay[a, b] += q
                    else:
                        cont[0, a, b] += q * V[0, t]
                        cont[1, a, b] += q * V[1, t]
    # gain[i] = (q0, q1, q2): the quadratic in the rival's probability whose sign says "act"
    gain = np.empty((2, 3))
    size = np.empty(2)
    lines = np.empty((2, 2, 4))
    for i in range(2):
        for a in range(2):
            lines[i, a] = _line(reward[i, s], cont[i], stay, beta, i, a)
        r0, dr0, d0, dd0 = lines[i, 0]
        r1, dr1, d1, dd1 = lines[i, 1]
        gain[i, 0] = r1 * d0 - r0 * d1
        gain[i, 1] = dr1 * d0 + r1 * dd0 - dr0 * d1 - r0 * dd1
        gain[i, 2] = dr1 * dd0 - dr0 * dd1
        size[i] = _TIE * max(1.0, abs(r1 * d0) + abs(r0 * d1))
    n = 0
    for a in range(2):
        for b in range(2):
            g1 = gain[0, 0] + b * (gain[0, 1] + b * gain[0, 2])
            g2 = gain[1, 0] + a * (gain[1, 1] + a * gain[1, 2])
            # a tie is resolved towards not acting, so that it is counted once
            if (g1 > size[0]) == (a == 1) and (g2 > size[1]) == (b == 1):
                out[n, 0] = (lines[0, a, 0] + b * lines[0, a, 1]) / (lines[0, a, 2] + b * lines[0, a, 3])
                out[n, 1] = (lines[1, b, 0] + a * lines[1, b, 1]) / (lines[1, b, 2] + a * lines[1, b, 3])
                out[n, 2] = a
                out[n, 3] = b
                n += 1
    roots = np.empty((2, 2))
    found = np.zeros(2, dtype=np.int64)
    for i in range(2):  # player i's indifference pins down the rival's probability
        q0, q1, q2 = gain[i]
        if abs(q2) <= 1e-14 * (abs(q0) + abs(q1)):
            if q1 != 0.0:
                x = -q0 / q1
                if 0.0 < x < 1.0:
                    roots[i, 0] = x
                    found[i] = 1
        else:
            disc = q1 * q1 - 4.0 * q2 * q0
            if disc > 0.0:
                half = -0.5 * (q1 + (np.sqrt(disc) if q1 >= 0 else -np.sqrt(disc)))
                for x in (half / q2, q0 / half if half != 0.0 else 2.0):
                    if 0.0 < x < 1.0:
                        roots[i, found[i]] = x
                        found[i] += 1
    for k in range(found[1]):
        for m in range(found[0]):
            P1, P2 = roots[1, k], roots[0, m]
            out[n, 0] = (lines[0, 0, 0] + P2 * lines[0, 0, 1]) / (lines[0, 0, 2] + P2 * lines[0, 0, 3])
            out[n, 1] = (lines[1, 0, 0] + P1 * lines[1, 0, 1]) / (lines[1, 0, 2] + P1 * lines[1, 0, 3])
            out[n, 2] = P1
            out[n, 3] = P2
            n += 1
    return n


@njit(cache=True)
def _search(reward, successor, probability, beta, branch, limit, watch, payoff):
    """Walk the leaves. States with branch False multiply the count instead of branching.

    Returns (leaves, nodes solved, state without equilibrium or −1, finished). Fills payoff with the two
    values at state `watch`, one row per leaf, as far as it has room.
    """
    S = reward.shape[1]
    V = np.zeros((2, S))
    out = np.empty((S, 8, 4))
    base = np.zeros(S, dtype=np.int64)
    digit = np.zeros(S, dtype=np.int64)
    leaves, nodes, t = 0, 0, 0
    while True:
        multiple = 1
        while t < S:
            base[t] = _stage(reward, successor, probability, beta, V, t, out[t])
            nodes += 1
            if base[t] == 0:
                return leaves, nodes, t, False
            digit[t] = 0
            V[0, t], V[1, t] = out[t, 0, 0], out[t, 0, 1]
            t += 1
        for s in range(S):
            if not branch[s]:
                multiple *= base[s]
        if leaves < payoff.shape[0]:
            payoff[leaves, 0], payoff[leaves, 1] = V[0, watch], V[1, watch]
        leaves += multiple
        if limit > 0 and leaves >= limit:
            return leaves, nodes, -1, False
        t = S - 1
        while t >= 0 and (not branch[t] or digit[t] + 1 >= base[t]):
            t -= 1
        if t < 0:
            return leaves, nodes, -1, True
        digit[t] += 1
        V[0, t], V[1, t] = out[t, digit[t], 0], out[t, digit[t], 1]
        t += 1


@njit(cache=True)
def _follow(reward, successor, probability, beta, choice, V, P, base):
    """Solve the states in turn, taking equilibrium choice[s] where s has several."""
    out = np.empty((8, 4))
    for s in range(reward.shape[1]):
        base[s] = _stage(reward, successor, probability, beta, V, s, out)
        if choice[s] >= base[s]:
            return s
        V[0, s], V[1, s], P[0, s], P[1, s] = out[choice[s]]
    return -1


@dataclass(frozen=True)
class Leaves:
    """What a search found: the number of equilibria, and how much work it took."""

    count: int
    complete: bool
    nodes: int
    payoffs: np.ndarray | None = None


def search(game: DirectionalGame, *, limit: int = 0, payoffs_at: int | None = None) -> Leaves:
    """Count every Markov perfect equilibrium; with `payoffs_at`, also list the values at that state.

    States that no other state reads cannot change what remains to be solved: their numbers of equilibria
    multiply, which spares most of the tree. Listing payoffs walks the whole of it.

    Args:
        limit: stop once this many leaves are known (0: none).
        payoffs_at: state whose two values are wanted at every leaf.

    Raises:
        SolverError: a state has no equilibrium (a tie that no tolerance resolves).
    """
    listing = payoffs_at is not None
    branch = np.ones(game.states, dtype=bool) if listing else game.read_later()
    room = 0
    if listing:
        total = search(game, limit=limit).count
        if total > 20_000_000:
            raise SolverError(
                f"{total} equilibria are too many to list",
                where="search",
                remedy="give a limit below 20000000",
            )
        room = total if limit == 0 else min(total, limit)
    payoff = np.empty((room, 2))
    watch = payoffs_at if payoffs_at is not None else 0
    leaves, nodes, missing, complete = _search(
        game.reward, game.successor, game.probability, game.discount, branch, limit, watch, payoff
    )
    if missing >= 0:
        raise SolverError(
            f"state {missing} has no equilibrium within tolerance",
            where="search",
            remedy="perturb the payoffs: an exact tie leaves the stage game without a generic equilibrium",
        )
    return Leaves(int(leaves), bool(complete), int(nodes), payoff if listing else None)


def follow(game: DirectionalGame, choice: np.ndarray | None = None):
    """The equilibrium that a string of choices selects: values (2, S), policies (2, S), bases (S,).

    `choice[s]` is the number of the stage equilibrium at state s, 0 where it is left out. Raises SolverError
    when a state has fewer equilibria than the choice asks for.
    """
    S = game.states
    digits = np.zeros(S, dtype=np.int64) if choice is None else np.asarray(choice, dtype=np.int64)
    V, P, base = np.zeros((2, S)), np.zeros((2, S)), np.zeros(S, dtype=np.int64)
    bad = _follow(game.reward, game.successor, game.probability, game.discount, digits, V, P, base)
    if bad >= 0:
        raise SolverError(
            f"state {bad} has {base[bad]} equilibria, choice {digits[bad]} was asked for", where="follow"
        )
    return V, P, base


def equilibria(
    game: DirectionalGame, *, limit: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Each equilibrium in lexicographical order as (choice (S,), values (2, S), policies (2, S))."""
    choice, given = np.zeros(game.states, dtype=np.int64), 0
    while True:
        V, P, base = follow(game, choice)
        yield choice.copy(), V, P
        given += 1
        open_digits = np.flatnonzero(choice + 1 < base)
        if len(open_digits) == 0 or given == limit:
            return
        last = open_digits[-1]
        choice[last] += 1
        choice[last + 1 :] = 0


def verify(game: DirectionalGame, V: np.ndarray, P: np.ndarray) -> tuple[float, float]:
    """Residual and exploitability of values (2, S) and policies (2, S), independently of the stage games.

    The residual is the largest difference between V and the values that the policies yield by one linear
    solve; exploitability is the most that a player gains at any state by its exact best reply to the rival's
    policy, found by policy iteration over the whole game.
    """
    S, beta = game.states, game.discount
    residual = worst = 0.0
    for i in range(2):
        rival = P[1 - i]
        weight = np.stack([1 - rival, rival], axis=1)
        reward = game.reward[i] if i == 0 else game.reward[i].swapaxes(1, 2)
        succ = game.successor if i == 0 else game.successor.swapaxes(1, 2)
        prob = game.probability if i == 0 else game.probability.swapaxes(1, 2)
        r = np.einsum("sab,sb->sa", reward, weight)
        T = np.zeros((S, 2, S))
        for a in range(2):
            for b in range(2):
                for m in range(succ.shape[3]):
                    np.add.at(T[:, a], (np.arange(S), succ[:, a, b, m]), weight[:, b] * prob[:, a, b, m])
        mix = np.stack([1 - P[i], P[i]], axis=1)
        own = np.linalg.solve(np.eye(S) - beta * np.einsum("sa,sat->st", mix, T), (mix * r).sum(1))
        residual = max(residual, float(np.abs(own - V[i]).max()))
        best, act = own, None
        for _ in range(10 * S + 10):
            q = r + beta * T @ best
            new = q.argmax(axis=1)
            if act is not None:  # keep the action unless another is better by more than rounding
                new = np.where(q[np.arange(S), new] > q[np.arange(S), act] + 1e-13, new, act)
                if (new == act).all():
                    break
            act = new
            rows = np.arange(S)
            best = np.linalg.solve(np.eye(S) - beta * T[rows, act], r[rows, act])
        worst = max(worst, float((best - own).max()))
    return residual, worst
