"""Compiled passes that sum rows by cell, scaled on the way where another model would count them otherwise.

One pass reads a row's 64 bytes once and keeps what it counts in registers: nothing of the size of the log is
written. No function here calls a compiled one of another file, so Numba's cache notices every edit.
"""

from __future__ import annotations

import numpy as np
from numba import njit

EXACT = 2**52  # below it, a float quotient is off by one at most


@njit(cache=True, nogil=True)
def _scaled(q, numerator, denominator, inverse):
    """q · numerator / denominator, half up, given 1 / (2 · denominator)."""
    if q == 0 or numerator == denominator:
        return q
    above = 2 * q * numerator + denominator
    below = 2 * denominator
    if above >= EXACT:
        return above // below
    found = np.int64(above * inverse)  # divisions of integers are an order of magnitude slower
    rest = above - found * below
    if rest < 0:
        return found - 1
    if rest >= below:
        return found + 1
    return found


@njit(cache=True, nogil=True)
def sums(
    quantities,
    model,
    tier,
    starts,
    thresholds,
    models,
    tiers,
    same,
    numerators,
    denominators,
    drop,
    codes,
    out,
):
    """Sum rows by cell: segment of time, model, service tier, and how many thresholds a request passes.

    Shapes (N rows, S segments): quantities[N, 8]; model, tier [N]; starts[S + 1] first rows of segments;
    same[models] whether rows of a model count as they are; numerators, denominators [6] for the others, with
    `drop` what was read from or written to a cache counting as input. codes[N] receives each row's cell
    unless it is empty; out[cells, 8] the sums unless it is empty.
    """
    width = len(thresholds) + 1
    inverses = 1.0 / (2.0 * denominators)
    for s in range(len(starts) - 1):
        for i in range(starts[s], starts[s + 1]):
            m = model[i]
            q0, q1, q2, q3 = quantities[i, 0], quantities[i, 1], quantities[i, 2], quantities[i, 3]
            q4, q5 = quantities[i, 4], quantities[i, 5]
            if not same[m]:
                if drop:
                    q0 += q1 + q2 + q3
                    q1 = q2 = q3 = 0
                q0 = _scaled(q0, numerators[0], denominators[0], inverses[0])
                q1 = _scaled(q1, numerators[1], denominators[1], inverses[1])
                q2 = _scaled(q2, numerators[2], denominators[2], inverses[2])
                q3 = _scaled(q3, numerators[3], denominators[3], inverses[3])
                q4 = _scaled(q4, numerators[4], denominators[4], inverses[4])
                q5 = _scaled(q5, numerators[5], denominators[5], inverses[5])
            total = q0 + q1 + q2 + q3
            each = total
            if quantities[i, 7] > 1:  # a row of many requests: the average one, rounded up
                each = (total + quantities[i, 7] - 1) // quantities[i, 7]
            above = 0
            for k in range(width - 1):
                above += each > thresholds[k]
            c = ((s * models + m) * tiers + tier[i]) * width + above
            if len(codes):
                codes[i] = c
            if len(out):
                out[c, 0] += q0
                out[c, 1] += q1
                out[c, 2] += q2
                out[c, 3] += q3
                out[c, 4] += q4
                out[c, 5] += q5
                out[c, 6] += quantities[i, 6]
                out[c, 7] += quantities[i, 7]


@njit(cache=True, nogil=True)
def scaled(quantities, model, same, numerators, denominators, drop, out):
    """Every row as another model would count it; rows of the `same` models stay as they are."""
    inverses = 1.0 / (2.0 * denominators)
    for i in range(len(quantities)):
        for m in range(8):
            out[i, m] = quantities[i, m]
        if same[model[i]]:
            continue
        if drop:
            out[i, 0] += out[i, 1] + out[i, 2] + out[i, 3]
            out[i, 1] = 0
            out[i, 2] = 0
            out[i, 3] = 0
        for m in range(6):
            out[i, m] = _scaled(out[i, m], numerators[m], denominators[m], inverses[m])


@njit(cache=True, nogil=True)
def inputs(quantities, out):
    """out[i] = tokens of input in each request of a row."""
    for i in range(len(quantities)):
        total = quantities[i, 0] + quantities[i, 1] + quantities[i, 2] + quantities[i, 3]
        out[i] = total // quantities[i, 7] if quantities[i, 7] > 1 else total


@njit(cache=True, nogil=True)
def segment_sums(starts, quantities, out):
    """Sums of each run of rows [starts[s], starts[s + 1])."""
    for s in range(len(starts) - 1):
        for i in range(starts[s], starts[s + 1]):
            for m in range(8):
                out[s, m] += quantities[i, m]


@njit(cache=True, nogil=True)
def paired(first, second, numbers, out, where):
    """out[i] = the number of the pair (first[i], second[i]), counted from 0 as pairs appear.

    numbers[A, B] is −1 throughout and receives the number of every pair that occurs, `where` its first row.
    Returns how many there are.
    """
    found = 0
    for i in range(len(first)):
        number = numbers[first[i], second[i]]
        if number < 0:
            number = found
            numbers[first[i], second[i]] = number
            where[found] = i
            found += 1
        out[i] = number
    return found
