"""Price competition between two networks whose members die and are replaced.

η consumers in all. A period opens with η − 1 alive, i of them with firm 1 and j = η − 1 − i with firm 2; the
firms set entry prices and a newborn chooses between them. A network of size k then yields its owner θ(k) and
each member λ(k). One of the η dies, each with probability 1/η, and the next period opens. With q(i) the
probability that the newborn joins a network of i, and u(k) the value of belonging to one of size k,

    u(k) = λ(k) + δ { (η−k)/η [q(k) u(k+1) + (1−q(k)) u(k)] + (k−1)/η [q(k−1) u(k) + (1−q(k−1)) u(k−1)] }
    q(i) = Φ(z(i)),   z(i) = [p(j) − p(i) + u(i+1) − u(j+1)]/ψ
    w1(i) = θ(i+1) + δ [(i+1)/η v(i) + j/η v(i+1)]            the newborn joins
    w0(i) = θ(i) + δ [i/η v(i−1) + (η−i)/η v(i)]              it joins the rival
    p(i) = c + h(z) − w1(i) + w0(i),   h = ψΦ/φ               the owner's best price
    v(i) = q(i) h(z(i)) + w0(i).

Φ is the law of the difference of tastes, logistic or normal, with scale ψ. Given z, v follows by a forward
recursion and u by one linear solve; Newton's method runs on z alone, antisymmetric as z(j) = −z(i).

With θ(k) = t·k a newborn brings its owner t for as long as it lives, t/(1 − δ(η−1)/η) in expectation, and
every price falls by exactly that while the entry probabilities do not change. With constant λ, membership is
an urn: the limit distribution is binomial(η − 1, 1/2).

Reference: Cabral (2011), Dynamic price competition with network effects, Review of Economic Studies 78(1),
83–111, sections 2 and 3.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games.solution import Game, Parameter, Picture, Result, Solution, Table


@dataclass(frozen=True, eq=False)
class Networks:
    """Primitives.

    Args:
        benefit: (η,) λ(1), …, λ(η): a member's benefit per period by size of its network, in money.
        usage: (η + 1,) θ(0), …, θ(η): the owner's income per period by size, in money.
        discount: δ in [0, 1).
        scale: ψ > 0 of the difference of tastes, in money.
        cost: c, of serving a newborn.
        taste: "logistic" or "normal".

    Raises:
        SolverError: shapes disagree or a number is out of range.
    """

    benefit: np.ndarray
    usage: np.ndarray
    discount: float = 0.9
    scale: float = 1.0
    cost: float = 0.0
    taste: str = "logistic"

    def __post_init__(self) -> None:
        eta = len(self.benefit)
        if eta < 2 or len(self.usage) != eta + 1:
            raise SolverError("benefit must be (η,) with η ≥ 2 and usage (η + 1,)", where="Networks")
        if not (0 <= self.discount < 1 and self.scale > 0):
            raise SolverError(
                "the discount factor lies in [0, 1) and the scale is positive", where="Networks"
            )
        if self.taste not in ("logistic", "normal"):
            raise SolverError(f"taste “{self.taste}” is neither logistic nor normal", where="Networks")

    @property
    def consumers(self) -> int:
        """η."""
        return len(self.benefit)

    def choice(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Φ(z), φ(z), the markup h = ψΦ/φ and its slope dh/dz."""
        from scipy.special import expit, log_ndtr, ndtr

        if self.taste == "logistic":
            q, rest = expit(z), expit(-z)
            return q, q * rest, self.scale / rest, self.scale * q / rest
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        h = self.scale * np.exp(log_ndtr(z) + z * z / 2) * np.sqrt(2 * np.pi)
        return ndtr(z), density, h, self.scale + z * h

    def _bidiagonal(self) -> np.ndarray:
        """L of the recursion L v = q h + θ(i), i.e. v − δ [i/η v(i−1) + (η−i)/η v(i)]."""
        eta, d = self.consumers, self.discount
        i = np.arange(eta)
        return np.diag(1 - d * (eta - i) / eta) - np.diag(d * i[1:] / eta, -1)

    def _gain(self) -> np.ndarray:
        """D with w1 − w0 = D v + θ(i+1) − θ(i)."""
        eta, d = self.consumers, self.discount
        i = np.arange(eta)
        here = d * ((i + 1) - (eta - i)) / eta
        return np.diag(here) + np.diag(d * (eta - 1 - i[:-1]) / eta, 1) - np.diag(d * i[1:] / eta, -1)

    def membership(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u (η,), for sizes 1…η, and the matrix A of A u = λ."""
        eta, d = self.consumers, self.discount
        k = np.arange(1, eta + 1)
        join, stay = np.append(q[1:], 0.0), q  # q(k) and q(k−1); q(η) never occurs
        grow, shrink = (eta - k) / eta, (k - 1) / eta
        A = np.diag(1 - d * (grow * (1 - join) + shrink * stay))
        A -= np.diag((d * grow * join)[:-1], 1) + np.diag((d * shrink * (1 - stay))[1:], -1)
        return np.linalg.solve(A, self.benefit), A

    def prices(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """p and v (η,) that the owner's conditions imply when the newborn's inclination is z."""
        q, _, h, _ = self.choice(z)
        v = np.linalg.solve(self._bidiagonal(), q * h + self.usage[:-1])
        return self.cost + h - self._gain() @ v - np.diff(self.usage), v

    def residual(self, z: np.ndarray) -> np.ndarray:
        """(η,) ψ z(i) less what prices and membership values make of it, in money."""
        p, _ = self.prices(z)
        u, _ = self.membership(self.choice(z)[0])
        return self.scale * z - (p[::-1] - p + u - u[::-1])

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        """(η, η) derivative of `residual`."""
        eta, d = self.consumers, self.discount
        q, density, h, slope = self.choice(z)
        dv = np.linalg.solve(self._bidiagonal(), np.diag(density * h + q * slope))
        dp = np.diag(slope) - self._gain() @ dv
        u, A = self.membership(q)
        k = np.arange(eta)  # q(k) enters the equations of sizes k and k + 1
        rise = np.append(0.0, np.diff(u)) * density  # [u(k+1) − u(k)] φ; size 0 has no members
        C = np.zeros((eta, eta))
        C[k[1:] - 1, k[1:]] = d * (eta - k[1:]) / eta * rise[1:]
        C[k, k] = d * k / eta * rise
        du = np.linalg.solve(A, C)
        return self.scale * np.eye(eta) - (dp[::-1] - dp + du - du[::-1])

    def exploitability(self, p: np.ndarray, u: np.ndarray, v: np.ndarray) -> float:
        """Most that an owner gains by its exact best prices against the rival's, buyers expecting u."""
        bid = p[::-1] + u - u[::-1]  # the price at which the newborn is indifferent
        L, D, rise = self._bidiagonal(), self._gain(), np.diff(self.usage)
        own = v
        z = (bid - p) / self.scale
        for _ in range(100):
            margin = bid - self.cost + D @ own + rise
            for _ in range(100):  # ψ z + h(z) = margin, increasing in z
                _, _, h, slope = self.choice(z)
                step = (margin - self.scale * z - h) / (self.scale + slope)
                z = z + np.clip(step, -5, 5)
                if np.abs(step).max() < 1e-15 * max(1.0, float(np.abs(z).max())):
                    break
            q, _, h, _ = self.choice(z)
            # at these prices q (p − c) + q w1 + (1 − q) w0 = own, which is linear in own
            take = q * (bid - self.scale * z - self.cost) + q * rise + self.usage[:-1]
            new = np.linalg.solve(L - q[:, None] * D, take)
            change, own = float(np.abs(new - own).max()), new
            if change < 1e-14 * max(1.0, float(np.abs(own).max())):
                break
        return max(0.0, float((own - v).max()))

    def distribution(self, q: np.ndarray) -> np.ndarray:
        """(η,) long-run probability that a period opens with i members, by detailed balance."""
        eta = self.consumers
        i = np.arange(eta)
        with np.errstate(divide="ignore"):
            up, down = np.log(q * (eta - 1 - i)), np.log((1 - q) * i)
        log_weight = np.concatenate([[0.0], np.cumsum(up[:-1] - down[1:])])
        weight = np.exp(log_weight - log_weight.max())
        return weight / weight.sum()


def _newton(
    model: Networks, z: np.ndarray, enough: float, limit: int, progress: Any
) -> tuple[np.ndarray, float, int]:
    """z, its residual and the iterations spent. Steps are shortened until the residual falls."""
    g, count = model.residual(z), 0
    error = float(np.abs(g).max())
    while error > enough and count < limit:
        try:
            step = np.linalg.solve(model.jacobian(z), -g)
        except np.linalg.LinAlgError:
            break
        step = (step - step[::-1]) / 2
        length = min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-300))
        while length > 1e-4:
            trial = model.residual(z + length * step)
            new = float(np.abs(trial).max())
            if new < (1 - 0.1 * length) * error:
                break
            length /= 2
        else:
            break  # no descent: rounding, or a local minimum of the residual
        z, g, error, count = z + length * step, trial, new, count + 1
        if progress is not None:
            progress("Newton", count, error)
    return z, error, count


def _grow(
    model: Networks, z: np.ndarray, enough: float, limit: int, progress: Any
) -> tuple[np.ndarray, float, int]:
    """Solve with the benefits of membership scaled from 0 to 1, in steps that shorten after a failure."""
    done, step, spent, error = 0.0, 0.25, 0, float("inf")
    while done < 1 and step > 1e-3:
        part = replace(model, benefit=min(1.0, done + step) * model.benefit)
        new, gap, count = _newton(part, z, enough, min(limit, 30), progress)
        spent += count
        if gap <= 100 * enough:
            done, z, error, step = min(1.0, done + step), new, gap, 2 * step
        else:
            step /= 4
    return z, (error if done == 1 else float(np.abs(model.residual(z)).max())), spent


def solve_networks(
    model: Networks,
    *,
    method: str = "default",
    start: np.ndarray | None = None,
    tolerance: float = 1e-13,
    limit: int = 60,
    progress: Any = None,
) -> Solution:
    """Symmetric Markov perfect equilibrium.

    method: "default" is Newton's method; "iteration" is damped iteration of z, slower, for cross-checks.
    start: (η,) z; zeros when left out. Policies are price, join (q) and limit (the distribution), all (η,).
    """
    clock, eta, used = time.perf_counter(), model.consumers, method
    z = np.zeros(eta) if start is None else np.asarray(start, dtype=float).copy()
    z = (z - z[::-1]) / 2
    size = max(1.0, float(np.abs(model.usage).max()), float(np.abs(model.benefit).max())) / (
        1 - model.discount
    )
    if method == "default":
        first, used = z, "Newton"
        z, error, count = _newton(model, z, tolerance * size, limit, progress)
        if error > 1e-11 * size:  # strong network effects: let them grow from nothing
            used = "Newton, network effects grown from zero"
            z, error, more = _grow(model, first, tolerance * size, limit, progress)
            count += more
    elif method == "iteration":
        error, count = np.inf, 0
        while count < 100 * limit:
            g = model.residual(z)
            error, count = float(np.abs(g).max()), count + 1
            if error <= tolerance * size or not np.isfinite(error):
                break
            h = model.choice(z)[2]  # markups rise with z, so that steps of g/ψ would overshoot
            z = z - np.clip(g / (model.scale + h + h[::-1]), -0.3, 0.3)
    else:
        raise ConfigurationError(f"no method is called “{method}”", remedy="default or iteration")
    p, v = model.prices(z)
    q = model.choice(z)[0]
    u, _ = model.membership(q)
    solved = bool(error <= 1e-11 * size)
    return Solution(
        game="network-cabral2011",
        parameters={"consumers": eta, "discount": model.discount, "scale": model.scale, "taste": model.taste},
        value=np.stack([v, v[::-1]]),
        policy={
            "price": np.stack([p, p[::-1]]),
            "join": np.stack([q, 1 - q]),
            "member": np.stack([u, u[::-1]]),
        },
        axes=("firm", "members"),
        ticks={"firm": (1, 2), "members": list(range(eta))},
        residual=error,
        exploitability=model.exploitability(p, u, v) if solved else None,
        result=Result.SOLVED if solved else (Result.STALLED if np.isfinite(error) else Result.DIVERGED),
        method=used,
        start="equal inclination" if start is None else "given",
        counts={"iterations": count},
        seconds=time.perf_counter() - clock,
        extra={"model": model, "z": z, "limit": model.distribution(q)},
    )


def power(
    consumers: int = 50,
    network: float = 1.0,
    curvature: float = 1.0,
    usage: float = 0.0,
    discount: float = 0.9,
    scale: float = 1.0,
    cost: float = 0.0,
    taste: str = "logistic",
) -> Networks:
    """λ(k) = network · (k/η)^curvature and θ(k) = usage · k."""
    k = np.arange(consumers + 1)
    return Networks(network * (k[1:] / consumers) ** curvature, usage * k, discount, scale, cost, taste)


def price_fall(usage: float, consumers: int, discount: float) -> float:
    """By how much θ(k) = usage · k lowers every price: usage/(1 − δ(η−1)/η)."""
    return usage / (1 - discount * (consumers - 1) / consumers)


def solve(*, method: str = "default", progress: Any = None, **p: Any) -> Solution:
    """The catalogue's networks with λ a power and θ a line; method "default" or "iteration"."""
    given = GAME.checked(p)
    taste = "normal" if given["normal"] else "logistic"
    model = power(**{k: v for k, v in given.items() if k != "normal"}, taste=taste)  # type: ignore[arg-type]
    return solve_networks(model, method=method, progress=progress).with_(parameters=given)


def show(solution: Solution) -> list[Table | Picture]:
    """Price, entry probability, value and the limit distribution by size."""
    p, q = solution.policy["price"][0], solution.policy["join"][0]
    size, limit = np.arange(len(p)), solution.extra["limit"]
    at = np.unique(np.linspace(0, len(p) - 1, 9).round().astype(int))
    rows = tuple((int(i), *(float(x[i]) for x in (p, q, solution.value[0], limit))) for i in at)
    return [
        Table(
            "by members at the start of a period", ("members", "price", "joins", "value", "long run"), rows
        ),
        Picture("curve", "entry price", ("members", "price"), size, p, series={"price": p}),
        Picture("curve", "long run", ("members", "probability"), size, limit, series={"probability": limit}),
    ]


GAME = Game(
    name="network-cabral2011",
    summary="two networks set entry prices for newborn consumers",
    reference="Cabral (2011), Review of Economic Studies 78(1)",
    parameters=(
        Parameter("consumers", 50, 2, 1000, "number of consumers η"),
        Parameter("network", 1.0, -1e6, 1e6, "benefit λ(η) of the whole network, a period"),
        Parameter("curvature", 1.0, 0.01, 10.0, "λ(k) = network · (k/η)^curvature"),
        Parameter("usage", 0.0, -1e6, 1e6, "income of the owner for each member, a period"),
        Parameter("discount", 0.9, 0.0, 0.9999, "discount factor δ"),
        Parameter("scale", 1.0, 1e-6, 1e6, "scale ψ of the difference of tastes"),
        Parameter("cost", 0.0, -1e6, 1e6, "cost of serving a newborn"),
        Parameter("normal", 0, 0, 1, "1: tastes are normal, 0: logistic"),
    ),
    solve=solve,
    show=show,
)
