"""Compiled passes of the two-firm engine (`duopoly`): pricing, sweep, Jacobian, block solve, best reply.

Everything that may call one another lives in this file, because Numba's cache does not notice edits
elsewhere. Arrays over states are (firm, level of firm 1, level of firm 2), levels 0..M; level 0 is absence.

Pricing stage with weights z_n = exp((p0 − p_n)/σ), u_n = ln z_n, and w = 1 or 0 for the outside good. Firm
n's first-order condition, divided by its own share, with the rivals' weights summed, never 1 − D_n taken:

    σ u_n + σ z_n/(w + z_r) + (w U_n0 + z_r U_nr)/(w + z_r) + c_n − U_nn + σ − p0 = 0

where U_nk is the continuation value when k sells (0: nobody inside). Then V_n = p_n − c_n + U_nn − σ. Without
an outside good the two conditions collapse to one monotone equation in t = (p_1 − p_2)/σ,

    t + 2 sinh t = (c_1 − U_11 + U_12 − c_2 + U_22 − U_21)/σ,  V_1 = U_12 + σ exp(−t),  V_2 = U_21 + σ exp(t).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

ENTRIES = 22  # of one row of the Jacobian: 9 positions × 2 firms, 3 when alone, 1 for the rival's exit


@njit(cache=True)
def triangular(x, mean, half):
    """F(x), f(x) and E max(X, x) of the symmetric triangular law on mean ± half."""
    t = (x - mean) / half
    if t <= -1.0:
        return 0.0, 0.0, mean
    if t >= 1.0:
        return 1.0, 0.0, x
    if t < 0.0:
        return 0.5 * (1.0 + t) ** 2, (1.0 + t) / half, mean + half * (1.0 + t) ** 3 / 6.0
    return 1.0 - 0.5 * (1.0 - t) ** 2, (1.0 - t) / half, x + half * (1.0 - t) ** 3 / 6.0


@njit(cache=True)
def leave(x, laws):
    """φ = 1 − F(x), own level first: row 0 by the set-up law, the others by the scrap law."""
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        k = 2 if i == 0 else 0
        for j in range(x.shape[1]):
            out[i, j] = 1.0 - triangular(x[i, j], laws[k], laws[k + 1])[0]
    return out


@njit(cache=True)
def log_omega(r):
    """ℓ with ℓ + exp(ℓ) = r: the logarithm of Wright's omega, the logit best reply."""
    ell = r if r < 0.0 else math.log(1.0 + r)
    for _ in range(50):
        e = math.exp(ell)
        f = ell + e - r
        # Halley: the function is convex, plain Newton from the left overshoots.
        step = f / (1.0 + e - 0.5 * f * e / (1.0 + e))
        ell -= step
        if abs(step) < 1e-9 * (1.0 + abs(ell)):
            break
    return ell - (ell + math.exp(ell) - r) / (1.0 + math.exp(ell))


@njit(cache=True)
def reply(ur, c, own, none, lost, sigma, w, p0):
    """Log weight of the price that answers the rival's log weight: one firm's first-order condition."""
    z = math.exp(ur)
    total = w + z
    q = (w * none + z * lost) / total + c - own + sigma - p0
    ell = log_omega(-q / sigma - math.log(total))
    return ell + math.log(total)


@njit(cache=True)
def gap(a):
    """t with t + 2 sinh t = a."""
    t = math.asinh(0.5 * a) if abs(a) > 3.0 else a / 3.0
    for _ in range(50):
        e = math.exp(t)
        step = (t + e - 1.0 / e - a) / (1.0 + e + 1.0 / e)
        t -= step
        if abs(step) < 1e-8 * (1.0 + abs(t)):
            break
    e = math.exp(t)
    return t - (t + e - 1.0 / e - a) / (1.0 + e + 1.0 / e)


@njit(cache=True)
def stage(c1, c2, U, sigma, w, p0, f1, f2, u1, u2, g, jac):
    """One pricing game. U is (firm, who sells); f1, f2 price floors; u1, u2 a start.

    Returns u1, u2, V1, V2; fills g (firm, firm of U, who sells) with dV/dU when `jac`. NaN: no solution.
    """
    if jac:
        g[:] = 0.0
    known = True
    for n in range(2):
        for k in range(1 if w == 0.0 else 0, 3):
            known = known and abs(U[n, k]) < 1e12
    if not known:
        return math.nan, math.nan, math.nan, math.nan
    if w == 0.0:
        t = gap((c1 - U[0, 1] + U[0, 2] - c2 + U[1, 2] - U[1, 1]) / sigma)
        e = math.exp(t)
        v1, v2 = U[0, 2] + sigma / e, U[1, 1] + sigma * e
        p1, p2 = v1 + c1 - U[0, 1] + sigma, v2 + c2 - U[1, 2] + sigma
        if p1 >= f1 and p2 >= f2:
            if jac:
                h = 1.0 / (1.0 + e + 1.0 / e)
                g[0, 0, 1], g[0, 0, 2] = h / e, 1.0 - h / e
                g[0, 1, 2], g[0, 1, 1] = -h / e, h / e
                g[1, 1, 2], g[1, 1, 1] = h * e, 1.0 - h * e
                g[1, 0, 1], g[1, 0, 2] = -h * e, h * e
            return (p0 - p1) / sigma, (p0 - p2) / sigma, v1, v2
    else:
        k1, k2 = c1 - U[0, 1] + sigma - p0, c2 - U[1, 2] + sigma - p0
        done = False
        if math.isnan(u1):
            u1, u2 = 0.0, 0.0
            for _ in range(4):
                v = reply(u2, c1, U[0, 1], U[0, 0], U[0, 2], sigma, w, p0)
                u2 = reply(u1, c2, U[1, 2], U[1, 0], U[1, 1], sigma, w, p0)
                u1 = v
        j11, j12, j21, j22, s1, s2, z1, z2 = 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0
        for _ in range(40):
            z1, z2 = math.exp(u1), math.exp(u2)
            s1, s2 = 1.0 / (w + z2), 1.0 / (w + z1)
            g1 = sigma * u1 + sigma * z1 * s1 + (w * U[0, 0] + z2 * U[0, 2]) * s1 + k1
            g2 = sigma * u2 + sigma * z2 * s2 + (w * U[1, 0] + z1 * U[1, 1]) * s2 + k2
            j11, j22 = sigma * (1.0 + z1 * s1), sigma * (1.0 + z2 * s2)
            j12 = z2 * s1 * s1 * (w * (U[0, 2] - U[0, 0]) - sigma * z1)
            j21 = z1 * s2 * s2 * (w * (U[1, 1] - U[1, 0]) - sigma * z2)
            det = j11 * j22 - j12 * j21
            d1, d2 = (j22 * g1 - j12 * g2) / det, (j11 * g2 - j21 * g1) / det
            big = max(abs(d1), abs(d2))
            if not big < 1e8:
                break
            cut = 1.0 if big <= 3.0 else 3.0 / big
            u1 -= cut * d1
            u2 -= cut * d2
            if big < 1e-8 * (1.0 + abs(u1) + abs(u2)):
                done = True
                break
        if not done:  # Newton wandered: best replies are slower and do not
            u1, u2 = 0.0, 0.0
            for _ in range(300):
                n1 = reply(u2, c1, U[0, 1], U[0, 0], U[0, 2], sigma, w, p0)
                n2 = reply(n1, c2, U[1, 2], U[1, 0], U[1, 1], sigma, w, p0)
                big = max(abs(n1 - u1), abs(n2 - u2))
                u1, u2 = n1, n2
                if big < 1e-14 * (1.0 + abs(u1) + abs(u2)):
                    done = True
                if done or not big < 1e8:
                    break
            if not done:
                return math.nan, math.nan, math.nan, math.nan
        if p0 - sigma * u1 >= f1 and p0 - sigma * u2 >= f2:
            z1, z2 = math.exp(u1), math.exp(u2)
            s1, s2 = 1.0 / (w + z2), 1.0 / (w + z1)
            if jac:
                j11, j22 = sigma * (1.0 + z1 * s1), sigma * (1.0 + z2 * s2)
                j12 = z2 * s1 * s1 * (w * (U[0, 2] - U[0, 0]) - sigma * z1)
                j21 = z1 * s2 * s2 * (w * (U[1, 1] - U[1, 0]) - sigma * z2)
                r = sigma / (j11 * j22 - j12 * j21)
                # dV_n = dU_nn − σ du_n, and J du = −dG
                a, b = r * j22, -r * j12
                g[0, 0, 0], g[0, 0, 1], g[0, 0, 2] = a * w * s1, 1.0 - a, a * z2 * s1
                g[0, 1, 0], g[0, 1, 2], g[0, 1, 1] = b * w * s2, -b, b * z1 * s2
                a, b = r * j11, -r * j21
                g[1, 1, 0], g[1, 1, 2], g[1, 1, 1] = a * w * s2, 1.0 - a, a * z1 * s2
                g[1, 0, 0], g[1, 0, 1], g[1, 0, 2] = b * w * s1, -b, b * z2 * s1
            v1 = sigma * z1 * s1 + (w * U[0, 0] + z2 * U[0, 2]) * s1
            v2 = sigma * z2 * s2 + (w * U[1, 0] + z1 * U[1, 1]) * s2
            return u1, u2, v1, v2
    return _floored(c1, c2, U, sigma, w, p0, f1, f2, g, jac)


@njit(cache=True)
def _floored(c1, c2, U, sigma, w, p0, f1, f2, g, jac):
    """`stage` where a floor binds: best replies, each cut at its floor."""
    t1, t2 = (p0 - f1) / sigma, (p0 - f2) / sigma
    u1, u2 = min(t1, 0.0), min(t2, 0.0)
    done = False
    for _ in range(1000):
        n1 = min(t1, reply(u2, c1, U[0, 1], U[0, 0], U[0, 2], sigma, w, p0))
        n2 = min(t2, reply(n1, c2, U[1, 2], U[1, 0], U[1, 1], sigma, w, p0))
        big = max(abs(n1 - u1), abs(n2 - u2))
        u1, u2 = n1, n2
        if big < 1e-14 * (1.0 + abs(u1) + abs(u2)):
            done = True
            break
    if not done:
        return math.nan, math.nan, math.nan, math.nan
    z1, z2 = math.exp(u1), math.exp(u2)
    s1, s2 = 1.0 / (w + z2), 1.0 / (w + z1)
    D0, D1, D2 = w / (w + z1 + z2), z1 / (w + z1 + z2), z2 / (w + z1 + z2)
    v1 = (p0 - sigma * u1 - c1 + U[0, 1]) * D1 + D0 * U[0, 0] + D2 * U[0, 2]
    v2 = (p0 - sigma * u2 - c2 + U[1, 2]) * D2 + D0 * U[1, 0] + D1 * U[1, 1]
    if jac:
        j11, j22 = sigma * (1.0 + z1 * s1), sigma * (1.0 + z2 * s2)
        j12 = z2 * s1 * s1 * (w * (U[0, 2] - U[0, 0]) - sigma * z1)
        j21 = z1 * s2 * s2 * (w * (U[1, 1] - U[1, 0]) - sigma * z2)
        if u1 >= t1:
            j11, j12 = 1e300, 0.0
        if u2 >= t2:
            j22, j21 = 1e300, 0.0
        det = j11 - (j12 / j22) * j21
        i11, i12 = 1.0 / det, -(j12 / j22) / det
        i21, i22 = -(j21 / j22) / det, (1.0 + (j21 / j22) * j12 / det) / j22
        e1, e2 = D2 * (U[0, 2] - v1), D1 * (U[1, 1] - v2)  # dV_n by the rival's log weight
        o1 = D1 * (p0 - sigma * u1 - c1 + U[0, 1] - v1) - sigma * D1  # and by its own: zero unless it is cut
        o2 = D2 * (p0 - sigma * u2 - c2 + U[1, 2] - v2) - sigma * D2
        q1, q2 = -(o1 * i11 + e1 * i21), -(o1 * i12 + e1 * i22)
        g[0, 0, 0], g[0, 0, 1], g[0, 0, 2] = D0 + q1 * w * s1, D1 - q1, D2 + q1 * z2 * s1
        g[0, 1, 0], g[0, 1, 2], g[0, 1, 1] = q2 * w * s2, -q2, q2 * z1 * s2
        q1, q2 = -(e2 * i11 + o2 * i21), -(e2 * i12 + o2 * i22)
        g[1, 0, 0], g[1, 0, 1], g[1, 0, 2] = q1 * w * s1, -q1, q1 * z2 * s1
        g[1, 1, 0], g[1, 1, 2], g[1, 1, 1] = D0 + q2 * w * s2, D2 - q2, D1 + q2 * z1 * s2
    return u1, u2, v1, v2


@njit(cache=True)
def continuations(y, idx, lo, exits, laws, U, phi, slope, dens):
    """From unknowns y to U, the probability φ of not operating, dU/dy and −dφ/dy, after a sale."""
    L = idx.shape[1]
    for n in range(2):
        for i in range(lo, L):
            for j in range(lo, L):
                x = y[idx[n, i, j]]
                if exits == 0:
                    U[n, i, j], slope[n, i, j] = x, 1.0
                    continue
                k = 2 if (i if n == 0 else j) == 0 else 0  # an entrant weighs its set-up cost
                F, f, best = triangular(x, laws[n, k], laws[n, k + 1])
                phi[n, i, j], dens[n, i, j] = 1.0 - F, f
                U[n, i, j], slope[n, i, j] = (best, F) if k == 0 else (0.0, 0.0)


@njit(cache=True)
def _expect(U, step, a, b, W):
    """W[n, k] = E U_n at the state after k sells in (a, b). step: (firm, who sold, level, −1/0/+1)."""
    for k in range(3):
        ka, kb = (0, 0) if k == 0 else ((1, 2) if k == 1 else (2, 1))
        w1, w2 = 0.0, 0.0
        for d in range(3):
            pa = step[0, ka, a, d]
            if pa != 0.0:
                for e in range(3):
                    pb = step[1, kb, b, e]
                    if pb != 0.0:
                        w1 += pa * pb * U[0, a + d - 1, b + e - 1]
                        w2 += pa * pb * U[1, a + d - 1, b + e - 1]
        W[0, k], W[1, k] = w1, w2


@njit(cache=True)
def _duel(a, b, s, U, V, u, cost, step, floor, num, mirror, slope, G, jac, W, g):
    """The pricing game of state (a, b): V and u there and at its mirror image; G[s] = dV/dy around it."""
    _, sigma, w, p0 = num
    _expect(U, step, a, b, W)
    u1, u2, v1, v2 = stage(
        cost[0, a], cost[1, b], W, sigma, w, p0, floor[0, a], floor[1, b], u[0, a, b], u[1, a, b], g, jac
    )
    u[0, a, b], u[1, a, b], V[0, a, b], V[1, a, b] = u1, u2, v1, v2
    if mirror:
        u[1, b, a], u[0, b, a], V[1, b, a], V[0, b, a] = u1, u2, v1, v2
    if jac:
        G[s] = 0.0
        for k in range(3):
            ka, kb = (0, 0) if k == 0 else ((1, 2) if k == 1 else (2, 1))
            for d in range(3):
                pa = step[0, ka, a, d]
                if pa != 0.0:
                    for e in range(3):
                        pb = step[1, kb, b, e]
                        if pb != 0.0:
                            for m in range(2):
                                f = pa * pb * slope[m, a + d - 1, b + e - 1]
                                G[s, 0, m, 3 * d + e] += g[0, m, k] * f
                                G[s, 1, m, 3 * d + e] += g[1, m, k] * f


@njit(cache=True)
def _alone(n, a, U, V, u, cost, step, floor, num, slope, Ga, jac):
    """The pricing problem of firm n alone at level a: its value, and dV/dy at its three next levels."""
    _, sigma, _, p0 = num
    own, none = 0.0, 0.0
    for d in range(3):
        i, j = (a + d - 1, 0) if n == 0 else (0, a + d - 1)
        if step[n, 1, a, d] != 0.0:
            own += step[n, 1, a, d] * U[n, i, j]
        if step[n, 0, a, d] != 0.0:
            none += step[n, 0, a, d] * U[n, i, j]
    ell = log_omega(-(none + cost[n, a] - own + sigma - p0) / sigma)
    top = (p0 - floor[n, a]) / sigma
    z = math.exp(min(ell, top))
    D = z / (1.0 + z)
    if ell <= top:
        value = sigma * z + none
    else:
        value = (floor[n, a] - cost[n, a] + own) * D + (1.0 - D) * none
    i, j = (a, 0) if n == 0 else (0, a)
    V[n, i, j], u[n, i, j] = value, min(ell, top)
    if jac:
        for d in range(3):
            i, j = (a + d - 1, 0) if n == 0 else (0, a + d - 1)
            Ga[n, a, d] = D * step[n, 1, a, d] + (1.0 - D) * step[n, 0, a, d]
            if Ga[n, a, d] != 0.0:
                Ga[n, a, d] *= slope[n, i, j]


@njit(cache=True)
def _image(n, i, j, V, phi, exits, beta):
    """The new y of firm n at (i, j): discounted value of operating next period."""
    a, b = max(i, 1), max(j, 1)
    if exits == 0:
        return beta * V[n, a, b]
    stay = V[n, a, 0] if n == 0 else V[n, 0, b]
    return beta * ((1.0 - phi[1 - n, i, j]) * V[n, a, b] + phi[1 - n, i, j] * stay)


@njit(cache=True)
def sweep(
    y, out, idx, cells, duels, lo, exits, mirror, num, cost, step, laws, floor, work, jac, G, Ga, vals, cols
):
    """T(y), and with `jac` its derivative as rows of (column, value), column −1 for none.

    cells: the states whose unknowns are rows. duels: states where both firms price.
    work: (7, firm, L, L) scratch and results: V, φ, U, u, dU/dy, −dφ/dy, then the index of each duel.
    """
    V, phi, U, u, slope, dens, num_of = work[0], work[1], work[2], work[3], work[4], work[5], work[6]
    beta = num[0]
    L = idx.shape[1]
    continuations(y, idx, lo, exits, laws, U, phi, slope, dens)
    W, g = np.empty((2, 3)), np.empty((2, 2, 3))
    for s in range(duels.shape[0]):
        a, b = duels[s, 0], duels[s, 1]
        _duel(a, b, s, U, V, u, cost, step, floor, num, mirror, slope, G, jac, W, g)
        num_of[0, a, b] = s
    if exits:
        for a in range(1, L):
            for n in range(2):
                _alone(n, a, U, V, u, cost, step, floor, num, slope, Ga, jac)
    for c in range(cells.shape[0]):
        i, j = cells[c, 0], cells[c, 1]
        for n in range(2):
            row = idx[n, i, j]
            out[row] = _image(n, i, j, V, phi, exits, beta)
            if jac:
                _row(n, i, j, row, idx, V, phi, dens, num_of, exits, beta, G, Ga, vals, cols)


@njit(cache=True)
def _row(n, i, j, row, idx, V, phi, dens, num_of, exits, beta, G, Ga, vals, cols):
    a, b = max(i, 1), max(j, 1)
    s = int(num_of[0, a, b])
    both = beta * (1.0 - phi[1 - n, i, j]) if exits else beta
    k = 0
    for m in range(2):
        for d in range(9):
            f = G[s, n, m, d]
            cols[row, k] = idx[m, a + d // 3 - 1, b + d % 3 - 1] if f != 0.0 else -1
            vals[row, k] = both * f
            k += 1
    cols[row, k:] = -1
    if exits:
        r = 1 - n
        level = a if n == 0 else b
        stay = V[n, a, 0] if n == 0 else V[n, 0, b]
        for d in range(3):
            f = Ga[n, level, d]
            if f != 0.0 and phi[r, i, j] != 0.0:
                cols[row, k] = idx[n, level + d - 1, 0] if n == 0 else idx[n, 0, level + d - 1]
                vals[row, k] = beta * phi[r, i, j] * f
            k += 1
        cols[row, k] = idx[r, i, j]
        vals[row, k] = beta * dens[r, i, j] * (V[n, a, b] - stay)


@njit(cache=True)
def relax(y, damping, idx, duels, lo, exits, mirror, num, cost, step, laws, floor, work):
    """One Gauss-Seidel pass in place, from the top of the levels down."""
    V, phi, U, u, slope, dens = work[0], work[1], work[2], work[3], work[4], work[5]
    L = idx.shape[1]
    W, g = np.empty((2, 3)), np.empty((2, 2, 3))
    G, Ga = np.empty((1, 1, 1, 1)), np.empty((1, 1, 1))
    continuations(y, idx, lo, exits, laws, U, phi, slope, dens)
    if exits:
        for a in range(L - 1, 0, -1):
            for n in range(2):
                _alone(n, a, U, V, u, cost, step, floor, num, slope, Ga, False)
    for s in range(duels.shape[0] - 1, -1, -1):
        a, b = duels[s, 0], duels[s, 1]
        _duel(a, b, 0, U, V, u, cost, step, floor, num, mirror, slope, G, False, W, g)
        for i in range(a if a > 1 or exits == 0 else 0, a + 1):
            for j in range(b if b > 1 or exits == 0 else 0, b + 1):
                t1 = _image(0, i, j, V, phi, exits, num[0])
                t2 = _image(1, i, j, V, phi, exits, num[0])
                _update(y, 0, i, j, t1, damping, idx, exits, laws, U, phi, mirror)
                if not (mirror and i == j):
                    _update(y, 1, i, j, t2, damping, idx, exits, laws, U, phi, mirror)


@njit(cache=True)
def _update(y, n, i, j, t, damping, idx, exits, laws, U, phi, mirror):
    k = idx[n, i, j]
    y[k] = (1.0 - damping) * y[k] + damping * t
    value, out = y[k], 0.0
    if exits:
        e = 2 if (i if n == 0 else j) == 0 else 0
        F, _, best = triangular(y[k], laws[n, e], laws[n, e + 1])
        value, out = best if e == 0 else 0.0, 1.0 - F
    U[n, i, j], phi[n, i, j] = value, out
    if mirror:
        U[1 - n, j, i], phi[1 - n, j, i] = value, out


@njit(cache=True)
def block_solve(vals, cols, shift, off, lower, rhs):
    """Solve ((1 + shift) I − T') x = rhs, T' in rows as from `sweep`; rhs (unknown, column).

    Unknowns come in blocks off[b]:off[b+1], each touching only itself and its neighbours, and a border
    off[-2]:off[-1] that touches and is touched by all. `lower`: whether a block touches the one before it.
    Eliminates from the last block to the first: Σ (2/3 n_b³ + 2 n_b² (n_{b-1} + border)) operations.
    """
    B = off.shape[0] - 2
    z0, n = off[B], off[B + 1]
    nz, k = n - z0, rhs.shape[1]
    m = nz + k
    size = np.zeros(B + 1, np.int64)
    for b in range(B):
        before = off[b] - off[b - 1] if b > 0 and lower else 0
        size[b + 1] = size[b] + (off[b + 1] - off[b]) * before
    down = np.empty(size[B])
    Y = np.empty((z0, m))
    for b in range(B - 1, -1, -1):
        o, e = off[b], off[b + 1]
        nb = e - o
        nl = off[b] - off[b - 1] if b > 0 and lower else 0
        nu = off[b + 2] - e if b < B - 1 else 0
        A = np.zeros((nb, nb))
        R = np.zeros((nb, nl + m))
        next_down = down[size[b + 1] : size[b + 1] + nu * nb if lower else size[b + 1]]
        for r in range(nb):
            A[r, r] = 1.0 + shift
        for r in range(nb):
            R[r, nl + nz :] = rhs[o + r]
            for q in range(vals.shape[1]):
                c, v = cols[o + r, q], vals[o + r, q]
                if c < 0 or v == 0.0:
                    continue
                if c >= z0:
                    R[r, nl + c - z0] -= v
                elif c >= e:
                    if lower:
                        for t in range(nb):
                            A[r, t] += v * next_down[(c - e) * nb + t]
                    for t in range(m):
                        R[r, nl + t] += v * Y[c, t]
                elif c >= o:
                    A[r, c - o] -= v
                else:
                    R[r, c - off[b - 1]] -= v
        S = np.linalg.solve(A, R)
        for r in range(nb):
            for t in range(nl):
                down[size[b] + r * nl + t] = S[r, t]
            for t in range(m):
                Y[o + r, t] = S[r, nl + t]
    if lower:
        for b in range(1, B):
            o, e, p = off[b], off[b + 1], off[b - 1]
            left = down[size[b] : size[b + 1]].reshape((e - o, o - p))
            Y[o:e] -= np.dot(left, Y[p:o])
    x = np.empty((n, k))
    if nz == 0:
        x[:] = Y
        return x
    Z = np.zeros((nz, nz))
    R = np.zeros((nz, k))
    for r in range(nz):
        Z[r, r] = 1.0 + shift
    for r in range(nz):
        R[r] = rhs[z0 + r]
        for q in range(vals.shape[1]):
            c, v = cols[z0 + r, q], vals[z0 + r, q]
            if c < 0 or v == 0.0:
                continue
            if c >= z0:
                Z[r, c - z0] -= v
            else:
                for t in range(nz):
                    Z[r, t] += v * Y[c, t]
                for t in range(k):
                    R[r, t] += v * Y[c, nz + t]
    z = np.linalg.solve(Z, R)
    x[z0:] = z
    x[:z0] = Y[:, nz:] - np.dot(np.ascontiguousarray(Y[:, :nz]), z)
    return x


@njit(cache=True)
def product(vals, cols, x):
    """T' x."""
    out = np.zeros(x.shape[0])
    for r in range(x.shape[0]):
        for q in range(vals.shape[1]):
            if cols[r, q] >= 0:
                out[r] += vals[r, q] * x[cols[r, q]]
    return out


@njit(cache=True)
def reply_sweep(
    x, fixed, ufix, xfix, ur, phir, idx, lo, exits, num, cost, step, rstep, laws, floor, V, u, out, vals, cols
):
    """One firm's Bellman operator against a fixed rival, own level first, and its derivative by envelope.

    x (L, L) continuation values. With `fixed` the firm's own log weights ufix and exit thresholds xfix are
    kept (policy evaluation); otherwise both are greedy. ur, phir: the rival's log weights and φ.
    Fills V and u (L, L), and out, vals, cols by unknown.
    """
    L = x.shape[0]
    beta, sigma, w, p0 = num
    U, slope = np.zeros((L, L)), np.ones((L, L))
    for i in range(1, L):
        for j in range(lo, L):
            U[i, j] = x[i, j]
            if exits:
                at = xfix[i, j] if fixed else x[i, j]
                F, _, best = triangular(at, laws[0], laws[1])
                U[i, j], slope[i, j] = best + F * (x[i, j] - at), F
    G = np.zeros((L, L, 9))
    for a in range(1, L):
        for b in range(lo, L):
            own, none, lost = 0.0, 0.0, 0.0
            for d in range(3):
                for e in range(3):
                    q = U[min(a + d - 1, L - 1), min(max(b + e - 1, 0), L - 1)]
                    none += step[0, a, d] * rstep[0, b, e] * q
                    own += step[1, a, d] * rstep[2, b, e] * q
                    lost += step[2, a, d] * rstep[1, b, e] * q
            wr = math.exp(ur[a, b]) if b > 0 else 0.0
            if fixed:
                v = ufix[a, b]
            elif b > 0:
                v = reply(ur[a, b], cost[a], own, none, lost, sigma, w, p0)
            else:
                v = log_omega(-(none + cost[a] - own + sigma - p0) / sigma)
            v = min(v, (p0 - floor[a]) / sigma)
            z = math.exp(v)
            D0, D1, D2 = w / (w + z + wr), z / (w + z + wr), wr / (w + z + wr)
            V[a, b] = (p0 - sigma * v - cost[a] + own) * D1 + D0 * none + D2 * lost
            u[a, b] = v
            for d in range(3):
                for e in range(3):
                    weight = D0 * step[0, a, d] * rstep[0, b, e]
                    weight += D1 * step[1, a, d] * rstep[2, b, e] + D2 * step[2, a, d] * rstep[1, b, e]
                    if weight != 0.0:
                        G[a, b, 3 * d + e] = weight * slope[a + d - 1, b + e - 1]
    for i in range(1, L):
        for j in range(lo, L):
            row = idx[i, j]
            b = max(j, 1)
            gone = phir[i, j] if exits else 0.0
            out[row] = beta * (1.0 - gone) * V[i, b]
            for d in range(9):
                f = G[i, b, d]
                cols[row, d] = idx[i + d // 3 - 1, b + d % 3 - 1] if f != 0.0 else -1
                vals[row, d] = beta * (1.0 - gone) * f
            cols[row, 9:] = -1
            if gone != 0.0:
                out[row] += beta * gone * V[i, 0]
                for d in range(3):
                    f = G[i, 0, 3 * d + 1]
                    if f != 0.0:
                        cols[row, 9 + d] = idx[i + d - 1, 0]
                        vals[row, 9 + d] = beta * gone * f


@njit(cache=True)
def carry(mu, post, shares, phi, step, exits):
    """One period of the distribution over states: mu (L, L) at pricing, post (L, L) after the sale → next mu.

    shares (who sells, L, L). Fills post; returns the distribution at the next pricing phase.
    """
    L = mu.shape[0]
    post[:] = 0.0
    for a in range(L):
        for b in range(L):
            if mu[a, b] == 0.0:
                continue
            for k in range(3):
                ka, kb = (0, 0) if k == 0 else ((1, 2) if k == 1 else (2, 1))
                q = mu[a, b] * shares[k, a, b]
                if q == 0.0:
                    continue
                for d in range(3):
                    for e in range(3):
                        f = q * step[0, ka, a, d] * step[1, kb, b, e]
                        if f != 0.0:
                            post[a + d - 1, b + e - 1] += f
    if exits == 0:
        return post.copy()
    out = np.zeros((L, L))
    for i in range(L):
        for j in range(L):
            if post[i, j] == 0.0:
                continue
            a, b = max(i, 1), max(j, 1)
            f1, f2 = phi[0, i, j], phi[1, i, j]
            out[a, b] += post[i, j] * (1.0 - f1) * (1.0 - f2)
            out[a, 0] += post[i, j] * (1.0 - f1) * f2
            out[0, b] += post[i, j] * f1 * (1.0 - f2)
            out[0, 0] += post[i, j] * f1 * f2
    return out
