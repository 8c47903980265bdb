"""Compiled passes of the n-firm engine (`oligopoly`): structure, sweep, products with T', GMRES, best reply.

Kept in one file because Numba's cache does not notice edits elsewhere. A "stage" is one state at which prices
are set; of states that differ by a permutation of like firms only one is a stage. `succ` (stage, seller, way)
is the state reached and `prob` its probability; `index` (firm, state) the unknown holding that firm's value.

First-order condition of firm n with log weights u, z = exp(u), S_n = w + Σ_{k≠n} z_k (rivals' weights summed,
never 1 − D_n) and W_nk = β E[V_n | k sells]:

    G_n = σ u_n + σ z_n/S_n + Q_n + c_n − W_nn + σ − p0 = 0,   Q_n = (w W_n0 + Σ_{k≠n} z_k W_nk)/S_n
    ∂G_n/∂u_n = σ(1 + z_n/S_n),   ∂G_n/∂u_k = (z_k/S_n)(W_nk − Q_n − σ z_n/S_n),   V_n = σ z_n/S_n + Q_n
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def structure(stages, step, M, ways, succ, prob):
    """Fill succ and prob: for each stage and seller (0: nobody), every combination of the firms' moves."""
    S, n = stages.shape
    move = np.empty(n, np.int64)
    for s in range(S):
        for k in range(n + 1):
            c = 0
            for code in range(3**n):
                rest, p, at = code, 1.0, 0
                for f in range(n):
                    move[f] = rest % 3
                    rest //= 3
                    kind = 0 if k == 0 else (1 if k == f + 1 else 2)
                    p *= step[f, kind, stages[s, f], move[f]]
                    if p == 0.0:
                        break
                    at = at * M + stages[s, f] + move[f] - 1
                if p > 0.0:
                    succ[s, k, c], prob[s, k, c] = at, p
                    c += 1
            for d in range(c, ways):
                succ[s, k, d], prob[s, k, d] = 0, 0.0


@njit(cache=True)
def unknowns(M, n, symmetric, index, stages):
    """Number the unknowns. Symmetric: own level, then the rivals' in descending order. Returns counts."""
    states = M**n
    e = np.empty(n, np.int64)
    count, number = 0, 0
    for s in range(states):
        rest = s
        for f in range(n - 1, -1, -1):
            e[f] = rest % M
            rest //= M
        down = True
        for f in range(1, n):
            down = down and e[f - 1] >= e[f]
        if down or not symmetric:
            for f in range(n):
                stages[number, f] = e[f]
            number += 1
            for f in range(n):
                if symmetric and f > 0 and e[f] == e[f - 1]:
                    index[f, s] = index[f - 1, s]
                else:
                    index[f, s] = count
                    count += 1
    if symmetric:
        order = np.empty(n, np.int64)
        for s in range(states):
            rest = s
            for f in range(n - 1, -1, -1):
                e[f] = rest % M
                rest //= M
            for f in range(n):
                order[f] = f
            for a in range(1, n):  # insertion sort of the firms by level, descending
                b = a
                while b > 0 and e[order[b - 1]] < e[order[b]]:
                    t = order[b]
                    order[b] = order[b - 1]
                    order[b - 1] = t
                    b -= 1
            home = 0
            for f in range(n):
                home = home * M + e[order[f]]
            if home != s:
                for f in range(n):
                    index[order[f], s] = index[f, home]
    return count, number


@njit(cache=True)
def _expect(s, x, succ, prob, index, beta, W):
    n, ways = index.shape[0], succ.shape[2]
    for k in range(n + 1):
        for f in range(n):
            W[f, k] = 0.0
        for c in range(ways):
            p = beta * prob[s, k, c]
            if p == 0.0:
                break
            at = succ[s, k, c]
            for f in range(n):
                W[f, k] += p * x[index[f, at]]


@njit(cache=True)
def _invert(A, B):
    """B = A⁻¹ by Gauss-Jordan with row pivots; A is destroyed. False: singular."""
    n = A.shape[0]
    for i in range(n):
        for j in range(n):
            B[i, j] = 1.0 if i == j else 0.0
    for c in range(n):
        pivot = c
        for r in range(c + 1, n):
            if abs(A[r, c]) > abs(A[pivot, c]):
                pivot = r
        if not abs(A[pivot, c]) > 1e-300:
            return False
        if pivot != c:
            for j in range(n):
                A[c, j], A[pivot, j] = A[pivot, j], A[c, j]
                B[c, j], B[pivot, j] = B[pivot, j], B[c, j]
        q = 1.0 / A[c, c]
        for j in range(n):
            A[c, j] *= q
            B[c, j] *= q
        for r in range(n):
            if r != c:
                q = A[r, c]
                for j in range(n):
                    A[r, j] -= q * A[c, j]
                    B[r, j] -= q * B[c, j]
    return True


@njit(cache=True)
def _price(c, W, u, sigma, w, p0, ratio, J, inverse, value):
    """Solve the n first-order conditions from the start u, in place; fills value, J⁻¹ and ratio = z_k/S_n."""
    n = u.shape[0]
    G, z = np.empty(n), np.empty(n)
    last = 1e300
    for _ in range(60):
        top = -1e300
        for f in range(n):
            top = max(top, u[f])
        if w > 0.0:
            top = max(top, 0.0)
        outside = w * math.exp(-top)
        total = outside
        for f in range(n):
            z[f] = math.exp(u[f] - top)
        for f in range(n):
            total = outside
            for k in range(n):
                if k != f:
                    total += z[k]
            Q = outside / total * W[f, 0]
            for k in range(n):
                if k != f:
                    ratio[f, k + 1] = z[k] / total
                    Q += ratio[f, k + 1] * W[f, k + 1]
            ratio[f, 0] = outside / total
            own = z[f] / total
            ratio[f, f + 1] = own
            value[f] = sigma * own + Q
            G[f] = sigma * u[f] + value[f] + c[f] - W[f, f + 1] + sigma - p0
            for k in range(n):
                if k != f:
                    J[f, k] = ratio[f, k + 1] * (W[f, k + 1] - Q - sigma * own)
            J[f, f] = sigma * (1.0 + own)
        if last < 1e-8:
            return _invert(J, inverse)
        if not _invert(J, inverse):
            return False
        big = 0.0
        for f in range(n):
            d = 0.0
            for k in range(n):
                d += inverse[f, k] * G[k]
            z[f] = d
            big = max(big, abs(d))
        if not big < 1e8:
            return False
        cut = 1.0 if big <= 2.0 else 2.0 / big
        for f in range(n):
            u[f] -= cut * z[f]
        last = big
    return False


@njit(cache=True)
def sweep(x, out, inplace, damping, stages, succ, prob, index, cost, num, u, ratio, inverse):
    """out = T(x); or with `inplace` one damped Gauss-Seidel pass over x, best levels first. False: no prices.

    u (stage, firm) is the start and the answer; ratio and inverse (stage, ...) describe T' for `product`.
    """
    beta, sigma, w, p0 = num
    S, n = stages.shape
    W, c, value, J = np.empty((n, n + 1)), np.empty(n), np.empty(n), np.empty((n, n))
    M = cost.shape[1]
    for t in range(S):
        s = S - 1 - t
        home = 0
        for f in range(n):
            home = home * M + stages[s, f]
            c[f] = cost[f, stages[s, f]]
        _expect(s, x, succ, prob, index, beta, W)
        if not _price(c, W, u[s], sigma, w, p0, ratio[s], J, inverse[s], value):
            for f in range(n):
                u[s, f] = (p0 - c[f]) / sigma - 1.5
            if not _price(c, W, u[s], sigma, w, p0, ratio[s], J, inverse[s], value):
                for f in range(n):
                    u[s, f] = (p0 - c[f]) / sigma - 1.5
                return False
        for f in range(n):
            i = index[f, home]
            if inplace:
                x[i] = (1.0 - damping) * x[i] + damping * value[f]
            else:
                out[i] = value[f]
    return True


@njit(cache=True)
def product(v, out, stages, succ, prob, index, num, ratio, inverse, M):
    """out = T'(x) v, at the x of the last `sweep`."""
    beta, sigma = num[0], num[1]
    S, n = stages.shape
    W, G = np.empty((n, n + 1)), np.empty(n)
    for s in range(S):
        home = 0
        for f in range(n):
            home = home * M + stages[s, f]
        _expect(s, v, succ, prob, index, beta, W)
        for f in range(n):
            g = -W[f, f + 1] + ratio[s, f, 0] * W[f, 0]
            for k in range(n):
                if k != f:
                    g += ratio[s, f, k + 1] * W[f, k + 1]
            G[f] = g
        for f in range(n):
            d = W[f, f + 1]
            for k in range(n):
                d += sigma * inverse[s, f, k] * G[k]
            out[index[f, home]] = d


@njit(cache=True)
def reply_sweep(x, out, fixed, fix, stages, succ, prob, index, cost, num, u, share, answer):
    """Every firm's own Bellman operator, rivals at log weights u; with `fixed` the firm itself at fix.

    Fills share (stage, firm, seller) for `reply_product` and answer (stage, firm), the log weights chosen.
    """
    beta, sigma, w, p0 = num
    S, n = stages.shape
    W = np.empty((n, n + 1))
    M = cost.shape[1]
    for s in range(S):
        home = 0
        for f in range(n):
            home = home * M + stages[s, f]
        _expect(s, x, succ, prob, index, beta, W)
        for f in range(n):
            c = cost[f, stages[s, f]]
            top = 0.0 if w > 0.0 else -1e300
            for k in range(n):
                if k != f:
                    top = max(top, u[s, k])
            total = w * math.exp(-top)
            Q = total * W[f, 0]
            for k in range(n):
                if k != f:
                    z = math.exp(u[s, k] - top)
                    total += z
                    Q += z * W[f, k + 1]
            Q /= total
            if fixed:
                own = fix[s, f]
            else:
                r = -(Q + c - W[f, f + 1] + sigma - p0) / sigma - math.log(total) - top
                ell = r if r < 0.0 else math.log(1.0 + r)
                for _ in range(60):  # ell + exp(ell) = r
                    e = math.exp(ell)
                    g = (ell + e - r) / (1.0 + e)
                    ell -= g
                    if abs(g) < 1e-15 * (1.0 + abs(ell)):
                        break
                own = ell + math.log(total) + top
            answer[s, f] = own
            y = math.exp(own - top) / total
            D = y / (1.0 + y)
            rest = 1.0 / (1.0 + y)
            out[index[f, home]] = (p0 - sigma * own - c + W[f, f + 1]) * D + rest * Q
            share[s, f, 0] = rest * w * math.exp(-top) / total
            for k in range(n):
                share[s, f, k + 1] = D if k == f else rest * math.exp(u[s, k] - top) / total


@njit(cache=True)
def reply_product(v, out, stages, succ, prob, index, num, share, M):
    """out = derivative of the last `reply_sweep` times v (envelope: own price has no first-order effect)."""
    S, n = stages.shape
    W = np.empty((n, n + 1))
    for s in range(S):
        home = 0
        for f in range(n):
            home = home * M + stages[s, f]
        _expect(s, v, succ, prob, index, num[0], W)
        for f in range(n):
            d = 0.0
            for k in range(n + 1):
                d += share[s, f, k] * W[f, k]
            out[index[f, home]] = d


@njit(cache=True)
def gmres(which, b, x, shift, tolerance, limit, stages, succ, prob, index, num, ratio, inverse, share, M):
    """Solve ((1 + shift) I − A) x = b; A is T' (which 0) or the best reply's (which 1). x holds a start.

    Restarted every 60 products. Returns the number of products, negative when `tolerance` (relative to b, in
    the root of the sum of squares) was not reached within `limit`.
    """
    size, m = b.shape[0], 60
    V, H = np.empty((m + 1, size)), np.zeros((m + 1, m))
    cs, sn, g = np.empty(m), np.empty(m), np.empty(m + 1)
    t = np.empty(size)
    goal = tolerance * math.sqrt(np.dot(b, b))
    done = 0
    first = True
    while True:
        if first and not np.any(x):
            r = b.copy()
        else:
            if which == 0:
                product(x, t, stages, succ, prob, index, num, ratio, inverse, M)
            else:
                reply_product(x, t, stages, succ, prob, index, num, share, M)
            done += 1
            r = b - (1.0 + shift) * x + t
        first = False
        rho = math.sqrt(np.dot(r, r))
        if rho <= goal:
            return done
        if done >= limit or not rho < 1e300:
            return -done
        V[0] = r / rho
        g[:] = 0.0
        g[0] = rho
        k = 0
        while k < m and done < limit:
            if which == 0:
                product(V[k], t, stages, succ, prob, index, num, ratio, inverse, M)
            else:
                reply_product(V[k], t, stages, succ, prob, index, num, share, M)
            done += 1
            q = (1.0 + shift) * V[k] - t
            for i in range(k + 1):
                H[i, k] = np.dot(V[i], q)
                q -= H[i, k] * V[i]
            h = math.sqrt(np.dot(q, q))
            for i in range(k):
                a = cs[i] * H[i, k] + sn[i] * H[i + 1, k]
                H[i + 1, k] = -sn[i] * H[i, k] + cs[i] * H[i + 1, k]
                H[i, k] = a
            norm = math.sqrt(H[k, k] ** 2 + h * h)
            if norm == 0.0:
                break
            cs[k], sn[k] = H[k, k] / norm, h / norm
            H[k, k] = norm
            g[k + 1] = -sn[k] * g[k]
            g[k] = cs[k] * g[k]
            k += 1
            if abs(g[k]) <= 0.5 * goal or h == 0.0:
                break
            V[k] = q / h
        if k == 0:
            return -done
        y = np.empty(k)
        for i in range(k - 1, -1, -1):
            a = g[i]
            for j in range(i + 1, k):
                a -= H[i, j] * y[j]
            y[i] = a / H[i, i]
        for i in range(k):
            x += y[i] * V[i]
