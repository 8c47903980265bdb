"""Individual buyers, compiled: chances from weights, and one pass over the agents of a type.

Nothing here calls a compiled function of another file, because Numba's cache would not notice an edit there.

An agent is one byte, its state: l J + j at depth l with vendor j; 3 J outside, in the pool; 3 J + 1 closed.
Agents of a type share their chances by state, so an agent draws once whether anything happens to it in the
step, and draws again only if something does; the law is that of separate draws.

Random numbers are Philox4x32-10 of the counter (agent, step, type, purpose) under the key seed: Salmon,
Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC11, doi 10.1145/2063384.2063405.
Every index stands in the counter, so neither threads nor the order of work can change a result. The screening
draw takes one word of a block: the agents of a chunk of 1,024 share 256 blocks, quarter by quarter.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

CHUNK = 1024
QUARTER = CHUNK // 4
SCREEN, RESOLVE, CHILD, FORCED = range(4)

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_UNIT = 2.0**-32


@njit(cache=True, inline="always")
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10: four words of 32 bits, held in uint64, from a counter of four and a key of two."""
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    for _ in range(10):
        a, b = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (b >> _32) ^ c1 ^ k0, b & _LOW, (a >> _32) ^ c3 ^ k1, a & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@njit(cache=True)
def screen(first, columns, step, kind, k0, k1, words):
    """Screening words of a chunk whose first block is `first` into words [4, QUARTER] uint32."""
    for n in range(columns):
        a, b, c, d = philox(first + n, step, kind, SCREEN, k0, k1)
        words[0, n] = np.uint32(a)
        words[1, n] = np.uint32(b)
        words[2, n] = np.uint32(c)
        words[3, n] = np.uint32(d)


@njit(cache=True)
def chances(flows, x, bonus, active, m, pool, outside, dt, up0, up1, others, leave, adopt, birth, event):
    """What may happen to a team in a step, by type and state; the expected flows are the mean field's own.

    flows [T, 6]: review_low, review_high − review_low, churn, contestable growth, innovation, imitation.
    Fills others [T, J] (weight of the other vendors and the outside), leave [T, 3 J], adopt [T], birth [T] (a
    new team that finds a vendor), event [T, 3 J + 1].
    """
    T, L, J = m.shape
    for i in range(T):
        lo, more = flows[i, 0], flows[i, 1]
        die = 1.0 - np.exp(-flows[i, 2] * dt)
        whole = 0.0
        for j in range(J):
            whole += x[i, 0, j]
            others[i, j] = outside
            for k in range(J):
                if k != j:
                    others[i, j] += x[i, 0, k]
        inside = whole / (whole + outside)
        birth[i] = flows[i, 3] * dt * inside
        stayers = 0.0
        for d in range(L):
            up = up0 if d == 0 else (up1 if d == 1 else 0.0)
            fate = die + (1.0 - die) * up
            for j in range(J):
                p = 0.0
                if active[j]:
                    q = others[i, j] / (others[i, j] + x[i, d, j] * bonus[i, d, j])
                    p = 1.0 - np.exp(-(lo * q + more * q * q) * dt)
                leave[i, d * J + j] = p
                event[i, d * J + j] = p + (1.0 - p) * (birth[i] + (1.0 - birth[i]) * fate)
                stayers += m[i, d, j] * (1.0 - p)
        share = stayers / max(stayers + pool[i], 1e-300)
        adopt[i] = (1.0 - np.exp(-(flows[i, 4] + flows[i, 5] * share) * dt)) * inside
        event[i, L * J] = adopt[i]


@njit(cache=True, inline="always")
def _pick(weights, without, total, u, J):
    """A vendor drawn in proportion to its weight, `without` left out; J when the draw falls outside them."""
    v = u * total
    for k in range(J):
        if k != without:
            v -= weights[k]
            if v < 0.0:
                return k
    return J


@njit(cache=True, inline="always")
def _last(weights, J):
    """The last vendor with a weight, for a draw that rounding carried past all of them."""
    last = 0
    for k in range(J):
        if weights[k] > 0.0:
            last = k
    return last


@njit(cache=True, inline="always")
def _fate(code, u, die, up0, up1, J):
    """State after a closure or a step of integration: both at once need one draw."""
    if u < die:
        return 3 * J + 1
    depth = code // J
    up = up0 if depth == 0 else (up1 if depth == 1 else 0.0)
    return code + J if u < die + (1.0 - die) * up else code


@njit(cache=True)
def _work(states, size, first, last, k0, k1, step, kind, weights, others, leave, event, birth, die, up0, up1,
          limit, row, children, born):  # fmt: skip
    """Chunks first to last of one type: states changed in place, flows counted into row, children kept."""
    J = weights.shape[0]
    POOL = 3 * J
    came, back, taken, new, net = 3 * J, 4 * J, 4 * J + 1, 5 * J + 1, 6 * J + 1
    inside = 0.0
    for k in range(J):
        inside += weights[k]
    words, hits = np.empty((4, QUARTER), np.uint32), np.empty(CHUNK + 1, np.int64)
    u = np.empty((4, CHUNK))
    for chunk in range(first, last):
        start = chunk * CHUNK
        count = min(CHUNK, size - start)
        screen(chunk * QUARTER, min(count, QUARTER), step, kind, k0, k1, words)
        flat = words.reshape(CHUNK)
        kids = few = 0
        for n in range(count):  # without a branch: which agents something happens to
            hits[few] = n
            few += np.int64(flat[n] < limit[states[start + n]])
        for h in range(few):
            a, b, c, d = philox(start + hits[h], step, kind, RESOLVE, k0, k1)
            u[0, h], u[1, h] = (a + 0.5) * _UNIT, (b + 0.5) * _UNIT
            u[2, h], u[3, h] = (c + 0.5) * _UNIT, (d + 0.5) * _UNIT
        for h in range(few):
            n = hits[h]
            code = states[start + n]
            u0, u1, u2, u3 = u[0, h], u[1, h], u[2, h], u[3, h]
            now = int(code)
            if now == POOL:
                k = _pick(weights, -1, inside, u0, J)
                if k == J:
                    k = _last(weights, J)
                row[taken + k] += 1
                now = _fate(k, u1, die, up0, up1, J)
            elif u0 * event[now] < leave[now]:
                row[now] += 1
                j = now % J
                k = _pick(weights, j, others[j], u1, J)
                if k == J:
                    row[back] += 1
                    now = POOL
                else:
                    row[came + k] += 1
                    now = _fate(k, u2, die, up0, up1, J)
            else:
                depth = now // J
                up = up0 if depth == 0 else (up1 if depth == 1 else 0.0)
                fate = die + (1.0 - die) * up
                if u1 * (birth + (1.0 - birth) * fate) < birth:
                    k = _pick(weights, -1, inside, u3, J)
                    if k == J:
                        k = _last(weights, J)
                    row[new + k] += 1
                    a, b, c, d = philox(start + n, step, kind, CHILD, k0, k1)
                    child = _fate(k, (a + 0.5) * _UNIT, die, up0, up1, J)
                    row[net + child] += 1
                    if child <= POOL:
                        children[start + kids] = child
                        kids += 1
                    now = _fate(now, u2, die, up0, up1, J)
                else:
                    now = POOL + 1 if u2 * fate < die else now + J
            row[net + int(code)] -= 1
            row[net + now] += 1
            states[start + n] = now
        born[chunk] = kids


@njit(cache=True)
def alone(states, size, k0, k1, step, kind, weights, others, leave, event, birth, die, up0, up1, limit, rows,
          children, born):  # fmt: skip
    """One step of all agents of a type, on one core."""
    chunks = (size + CHUNK - 1) // CHUNK
    _work(states, size, 0, chunks, k0, k1, step, kind, weights, others, leave, event, birth, die, up0, up1,
          limit, rows[0], children, born)  # fmt: skip


@njit(cache=True, parallel=True)
def together(states, size, k0, k1, step, kind, weights, others, leave, event, birth, die, up0, up1, limit,
             rows, children, born):  # fmt: skip
    """The same on as many cores as rows has rows: counts are whole numbers, so their sum is the same."""
    chunks = (size + CHUNK - 1) // CHUNK
    parts = rows.shape[0]
    for p in prange(parts):
        _work(states, size, chunks * p // parts, chunks * (p + 1) // parts, k0, k1, step, kind, weights,
              others, leave, event, birth, die, up0, up1, limit, rows[p], children, born)  # fmt: skip


@njit(cache=True)
def settle(states, size, children, born):
    """Children to the end of the array, in the order of their parents; returns the new size."""
    for chunk in range(born.shape[0]):
        for n in range(born[chunk]):
            states[size] = children[chunk * CHUNK + n]
            size += 1
    return size


@njit(cache=True)
def forced(states, size, k0, k1, step, kind, weights, outside, gone, active, joined, net):
    """Teams of vendors that left the market choose anew among those that stay and the outside."""
    J = weights.shape[0]
    total = outside
    for k in range(J):
        if active[k]:
            total += weights[k]
    for n in range(size):
        code = int(states[n])
        if code >= 3 * J or not gone[code % J]:
            continue
        a, _, _, _ = philox(n, step, kind, FORCED, k0, k1)
        v = (a + 0.5) * _UNIT * total
        now = 3 * J
        for k in range(J):
            if active[k]:
                v -= weights[k]
                if v < 0.0:
                    now = k
                    joined[k] += 1
                    break
        net[code] -= 1
        net[now] += 1
        states[n] = now


@njit(cache=True)
def book(
    flows, weight, cost, ov, ot, out_left, out_joined, out_switching, out_entered, out_moved, out_closed
):
    """Flows of a step, in agents as `_work` counts them, added to the columns of ov [J, ·] and ot [T, ·].

    cost [T, 3]: what leaving costs one team, by depth.
    """
    T, J = flows.shape[0], ov.shape[0]
    for i in range(T):
        for code in range(3 * J):
            n = flows[i, code] * weight
            ov[code % J, out_left] += n
            ot[i, out_switching] += n * cost[i, code // J]
        for j in range(J):
            came, new = flows[i, 3 * J + j], flows[i, 4 * J + 1 + j] + flows[i, 5 * J + 1 + j]
            ov[j, out_joined] += (came + new) * weight
            ot[i, out_moved] += came * weight
            ot[i, out_entered] += new * weight
        ot[i, out_closed] += flows[i, 6 * J + 1] * weight
