"""The compiled pass: requests in time order against limits and allowances.

Compiled code that calls compiled code is in one file, because Numba's cache does not notice an edit in a
function of another file. Every quantity is a whole number; nothing is rounded here. Given arrays of Python
integers (dtype object), the same functions run uncompiled (`.py_func`) without bound, which is what the
bill does when a product could pass 64 bits.

For each request, in order:

1. is it admitted? Every limit must have room (used + amount ≤ limit in the window); a refused request uses
   nothing. `queue` moves the request to the next window that has room; later requests wait behind it.
2. allowances, in their order, cover what they can: tokens in the order of METERS.
3. what is left is paid, or, when an allowance says so or nothing is for sale, the request is refused.

A row that stands for many requests (an aggregated bucket) is served in part: the largest number of average
requests that fit.
"""

from __future__ import annotations

from types import FunctionType

import numpy as np
from numba import njit

ALWAYS_OPEN, CLOCK, CALENDAR, ROLLING, EACH = 0, 1, 2, 3, 4  # kinds of window
REJECT, QUEUE = 0, 1
TOKENS, REQUESTS, MONEY = 0, 1, 2
SPLIT, WHOLE, FITS = 0, 1, 2
DAY = 86_400_000_000


@njit(cache=True, nogil=True)
def sum_by_code(codes, quantities, out):
    """out[codes[i], m] += quantities[i, m]."""
    n, meters = quantities.shape
    for i in range(n):
        c = codes[i]
        for m in range(meters):
            out[c, m] += quantities[i, m]


@njit(cache=True, nogil=True)
def sum_part_by_code(codes, quantities, part, out):
    """out[codes[i], m] += quantities[i, m] less what the served requests took, where part[i] were refused."""
    n, meters = quantities.shape
    for i in range(n):
        if part[i] > 0:
            c = codes[i]
            whole = quantities[i, 7] if quantities[i, 7] > 1 else 1
            if part[i] >= whole:
                for m in range(meters):
                    out[c, m] += quantities[i, m]
            else:
                for m in range(meters):
                    q = quantities[i, m]
                    out[c, m] += q - muldiv(q, whole - part[i], whole)


@njit(cache=True, nogil=True)
def muldiv(a, b, c):
    """floor(a·b / c) without overflow, for a, b ≥ 0, 0 < c < 2⁶² and a result that fits."""
    if a == 0 or b == 0:
        return 0
    if b <= 4611686018427387904 // a:
        return a * b // c
    whole, part = a // c, a % c
    quotient, rest = 0, 0
    for bit in range(62, -1, -1):
        quotient *= 2
        rest *= 2
        if rest >= c:
            rest -= c
            quotient += 1
        if (b >> bit) & 1:
            quotient += whole
            rest += part
            if rest >= c:
                rest -= c
                quotient += 1
    return quotient


@njit(cache=True, nogil=True)
def after_months(t, months):
    """The instant the given number of calendar months after t (UTC), the day clipped to the month's last."""
    days = t // DAY
    rest = t - days * DAY
    z = (
        days + 719468
    )  # civil date from a day count: the era of 400 years, then the year, then March-based months
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    year = yoe + era * 400
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    day = doy - (153 * mp + 2) // 5 + 1
    month = mp + 3 if mp < 10 else mp - 9
    if month <= 2:
        year += 1
    index = year * 12 + (month - 1) + months
    year = index // 12
    month = index - year * 12 + 1
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    elif month == 2:
        longest = 29 if leap else 28
    if day > longest:
        day = longest
    y = year - 1 if month <= 2 else year
    era = y // 400
    yoe = y - era * 400
    shifted = month - 3 if month > 2 else month + 9
    doy = (153 * shifted + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return (era * 146097 + doe - 719468) * DAY + rest


@njit(cache=True, nogil=True)
def calendar_place(t, bounds, start, size):
    """Where, among `size` bounds from `start` on, the last one at or before t stands."""
    low, high = start, start + size
    while high - low > 1:
        middle = (low + high) // 2
        if bounds[middle] <= t:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def window_of(t, kind, length, bounds, start, size):
    """The number of the window that t lies in."""
    if kind == CLOCK:
        return t // length
    if kind == CALENDAR:
        return bounds[calendar_place(t, bounds, start, size)]
    return 0


@njit(cache=True, nogil=True)
def window_end(t, kind, length, bounds, start, size):
    """When the window that t lies in ends."""
    if kind == CLOCK:
        return (t // length + 1) * length
    low = calendar_place(t, bounds, start, size)
    return bounds[low + 1] if low + 1 < start + size else bounds[low] + 366 * DAY


@njit(cache=True, nogil=True)
def run(
    times, quantities, code, served, barred, bounds,
    limits, limit_meters, limit_slots, limit_used, limit_window, roll_time, roll_amount, roll_head, roll_tail,
    allowances, allowance_meters, allowance_slots, allowance_for, left, window, started, bought,
    arr_time, arr_amount, arr_head, arr_tail,
    rate, payable, increment,
    paid, covered, credit, extra, refused, refused_by, bit, state,
):  # fmt: skip
    """One pass over time-ordered rows; state arrays carry over from batch to batch.

    Shapes (N rows, G kinds of request, L limits, K allowances, S served models, 8 meters):
      times[N] µs; quantities[N, 8]; code[N] in G; served[N] in S; barred[N] −1 or a cause;
      limits[L, 8]: amount, kind, length, first bound, bounds, from, until, when exceeded;
      limit_meters[L, 8] 0/1; limit_slots[L, S] −1 or the counter; limit_used, limit_window [L, S];
      allowances[K, 14]: amount, unit, kind, length, first bound, bounds, from, until, edge,
        whether used up means refused, fixed start (or BEGINNING), expiry µs, expiry months, bought as needed;
      left, window, started, bought [K, S]; rate[G, 8] money per unit, scaled to whole numbers;
      payable[G]; increment: money per request is rounded up to it (0: not).
    Results are added to: paid[G, 8]; covered[K, G, 8]; credit[K] money; extra[0] rounding; refused[N]
    requests; refused_by[causes, 2] requests and tokens; bit[L + K] how many requests met the term;
    state: clock, queued requests, longest wait.
    Causes: 0..L−1 limits, L..L+K−1 allowances used up, then those in `barred`.
    """
    n_rows = times.shape[0]
    n_limits = limits.shape[0]
    n_allow = allowances.shape[0]
    rest = np.zeros(8, dtype=quantities.dtype)
    cov = np.zeros((max(n_allow, 1), 8), dtype=quantities.dtype)
    new_left = np.zeros(max(n_allow, 1), dtype=quantities.dtype)
    new_window = np.zeros(max(n_allow, 1), dtype=np.int64)
    new_started = np.zeros(max(n_allow, 1), dtype=np.int64)
    new_bought = np.zeros(max(n_allow, 1), dtype=np.int64)
    new_credit = np.zeros(max(n_allow, 1), dtype=quantities.dtype)
    new_head = np.zeros(max(n_allow, 1), dtype=np.int64)
    taken = np.zeros(max(n_allow, 1), dtype=quantities.dtype)
    touched = np.zeros(max(n_allow, 1), dtype=np.int64)
    short = np.zeros(max(n_allow, 1), dtype=np.int64)  # could not cover all, and refuses then
    met = np.zeros(max(n_allow, 1), dtype=np.int64)
    for i in range(n_rows):
        n = quantities[i, 7] if quantities[i, 7] > 1 else 1
        tokens = quantities[i, 0]
        for m in range(1, 6):
            tokens += quantities[i, m]
        if barred[i] >= 0:
            refused[i] = n
            refused_by[barred[i], 0] += n
            refused_by[barred[i], 1] += tokens
            continue
        t = times[i]
        if state[0] > t:
            t = state[0]
        arrived = t
        g = code[i]
        s = served[i]
        k = n
        cause = -1
        # 1. limits
        again = True
        while again:
            again = False
            for j in range(n_limits):
                slot = limit_slots[j, s]
                if slot < 0 or t < limits[j, 5] or t >= limits[j, 6]:
                    continue
                amount = limits[j, 0] * 0
                for m in range(8):
                    if limit_meters[j, m]:
                        amount += n if m == 7 else quantities[i, m]
                if amount == 0:
                    continue
                kind = limits[j, 1]
                if kind == EACH:
                    if amount > limits[j, 0] * n:
                        k = k * 0
                        cause = j
                        break
                    continue
                used = limit_used[j, slot]
                head = roll_head[j, slot]
                if kind == ROLLING:
                    while head < roll_tail[j, slot] and roll_time[j, slot, head] <= t - limits[j, 2]:
                        used -= roll_amount[j, slot, head]
                        head += 1
                    if t == arrived:  # what a wait would free is not free yet if the request is refused
                        roll_head[j, slot] = head
                        limit_used[j, slot] = used
                elif (
                    window_of(t, kind, limits[j, 2], bounds, limits[j, 3], limits[j, 4])
                    != limit_window[j, slot]
                ):
                    used = used * 0
                room = limits[j, 0] - used
                if amount <= room:
                    continue
                if n > 1:
                    fit = muldiv(room, n, amount)
                    if fit < k:
                        k = fit
                        cause = j
                elif limits[j, 7] == QUEUE and amount <= limits[j, 0]:
                    if kind == ROLLING:
                        t = roll_time[j, slot, head] + limits[j, 2]
                    else:
                        t = window_end(t, kind, limits[j, 2], bounds, limits[j, 3], limits[j, 4])
                    bit[j] += 1
                    again = True
                    break
                else:
                    k = k * 0
                    cause = j
                    break
        # 2. allowances: tried on copies, kept only if the request is served. Of an aggregated row the most
        # requests that can be served are found by halving: `low` can be, more than `high` cannot.
        low, high = k * 0, k
        for a in range(n_allow):
            met[a] = 0
        while k > 0:
            for m in range(8):
                rest[m] = quantities[i, m] if k == n else muldiv(quantities[i, m], k, n)
            for a in range(n_allow):
                for m in range(8):
                    cov[a, m] = 0
                touched[a] = 0
                short[a] = 0
                new_credit[a] = 0
                slot = allowance_slots[a, s]
                if slot < 0 or not allowance_for[a, g] or t < allowances[a, 6] or t >= allowances[a, 7]:
                    continue
                if t < allowances[a, 10]:
                    continue
                unit = allowances[a, 1]
                need = rest[0] * 0
                if unit == TOKENS:
                    for m in range(7):
                        if allowance_meters[a, m]:
                            need += rest[m]
                elif unit == REQUESTS:
                    for m in range(7):
                        need += rest[m]
                    if need > 0 or (tokens == 0 and rest[7] > 0):
                        need = rest[0] * 0 + k
                else:
                    for m in range(8):
                        need += rest[m] * rate[g, m]
                    for b in range(a):
                        need -= new_credit[b]
                if need <= 0:
                    continue
                begun = started[a, slot]
                number = bought[a, slot]
                have = left[a, slot]
                period = window[a, slot]
                if number == 0:
                    begun = allowances[a, 10] if allowances[a, 10] > -4611686018427387904 else t
                    number = 1
                    have = allowances[a, 0]
                ends = begun * 0 + 4611686018427387904
                if allowances[a, 11] > 0:
                    ends = begun + allowances[a, 11]
                elif allowances[a, 12] > 0:
                    ends = after_months(begun, allowances[a, 12])
                if t >= ends:
                    if allowances[a, 13] == 0:
                        short[a] = allowances[a, 9]
                        continue
                    begun = t
                    number += 1
                    have = allowances[a, 0]
                kind = allowances[a, 2]
                if kind == ROLLING:
                    head = arr_head[a, slot]
                    while head < arr_tail[a, slot] and arr_time[a, slot, head] <= t - allowances[a, 3]:
                        have += arr_amount[a, slot, head]
                        head += 1
                    new_head[a] = head
                elif kind != ALWAYS_OPEN:
                    w = window_of(t, kind, allowances[a, 3], bounds, allowances[a, 4], allowances[a, 5])
                    if w != period:
                        period = w
                        have = allowances[a, 0]
                if allowances[a, 13] and need > have and allowances[a, 0] > 0:
                    more = (need - have + allowances[a, 0] - 1) // allowances[a, 0]
                    number += more
                    have += more * allowances[a, 0]
                    begun = t  # what the earlier packs held is gone with this request
                edge = allowances[a, 8]
                take = need if need <= have else have
                if (
                    take < need and edge != SPLIT
                ):  # of n requests, as many as fit, or as begin before the edge
                    whole = muldiv(have, k, need)
                    if edge == WHOLE and muldiv(need, whole, k) < have:
                        whole += 1
                    take = need if whole == k else muldiv(need, whole, k)
                if take < need:
                    met[a] = 1
                    short[a] = allowances[a, 9]
                if take <= 0:
                    continue
                touched[a] = 1
                new_left[a] = have - take if take < have else have * 0
                taken[a] = have - new_left[a]
                new_window[a] = period
                new_started[a] = begun
                new_bought[a] = number
                if unit == TOKENS:
                    for m in range(7):
                        if allowance_meters[a, m] and take > 0:
                            c = rest[m] if rest[m] < take else take
                            cov[a, m] += c
                            rest[m] -= c
                            take -= c
                elif unit == REQUESTS:
                    for m in range(8):
                        c = rest[m] if take >= k else muldiv(rest[m], take, k)
                        cov[a, m] += c
                        rest[m] -= c
                else:
                    new_credit[a] = take
            # what is open must not stay open where an allowance says so, or where nothing is for sale
            due = rest[0] * 0
            given = rest[0] * 0
            for a in range(n_allow):
                given += new_credit[a]
            for m in range(8):
                due += rest[m] * rate[g, m]
            open_tokens = rest[0]
            for m in range(1, 7):
                open_tokens += rest[m]
            why = -1
            if not (given > 0 and given == due):
                if not payable[g] and open_tokens > 0:
                    why = n_limits + n_allow
                for a in range(n_allow):
                    if short[a]:
                        still = open_tokens
                        if allowances[a, 1] == MONEY:
                            still = due - given
                        elif allowances[a, 1] == TOKENS:
                            still = rest[0] * 0
                            for m in range(7):
                                if allowance_meters[a, m]:
                                    still += rest[m]
                        elif tokens == 0:
                            still = open_tokens + rest[7]
                        if still > 0:
                            why = n_limits + a
            if why < 0:
                low = k
                if low == high:
                    break
            else:
                cause = why
                high = k - 1
            k = (low + high + 1) // 2
        for a in range(n_allow):
            bit[n_limits + a] += met[a]
        if k < n:
            refused[i] = n - k
            part = tokens
            if k > 0:
                for m in range(6):
                    part -= muldiv(quantities[i, m], k, n)
            refused_by[cause, 0] += n - k
            refused_by[cause, 1] += part
            if cause < n_limits:
                bit[cause] += n - k
        if k == 0:
            continue
        # 3. kept
        if t > times[i]:
            state[1] += 1
            if t - times[i] > state[2]:
                state[2] = t - times[i]
            if t > state[0]:
                state[0] = t
        for j in range(n_limits):
            slot = limit_slots[j, s]
            if slot < 0 or t < limits[j, 5] or t >= limits[j, 6] or limits[j, 1] == EACH:
                continue
            amount = limits[j, 0] * 0
            for m in range(8):
                if limit_meters[j, m]:
                    amount += n if m == 7 else quantities[i, m]
            if k < n:
                amount = muldiv(amount, k, n)
            if limits[j, 1] == ROLLING:
                head = roll_head[j, slot]
                while head < roll_tail[j, slot] and roll_time[j, slot, head] <= t - limits[j, 2]:
                    limit_used[j, slot] -= roll_amount[j, slot, head]
                    head += 1
                roll_head[j, slot] = head
            else:
                w = window_of(t, limits[j, 1], limits[j, 2], bounds, limits[j, 3], limits[j, 4])
                if w != limit_window[j, slot]:
                    limit_window[j, slot] = w
                    limit_used[j, slot] = 0
            limit_used[j, slot] += amount
            if limits[j, 1] == ROLLING and amount > 0:
                tail = roll_tail[j, slot]
                roll_time[j, slot, tail] = t
                roll_amount[j, slot, tail] = amount
                roll_tail[j, slot] = tail + 1
        for a in range(n_allow):
            if touched[a]:
                slot = allowance_slots[a, s]
                if allowances[a, 2] == ROLLING:
                    tail = arr_tail[a, slot]
                    arr_time[a, slot, tail] = t
                    arr_amount[a, slot, tail] = taken[a]
                    arr_tail[a, slot] = tail + 1
                    arr_head[a, slot] = new_head[a]
                left[a, slot] = new_left[a]
                window[a, slot] = new_window[a]
                started[a, slot] = new_started[a]
                bought[a, slot] = new_bought[a]
                credit[a] += new_credit[a]
                for m in range(8):
                    covered[a, g, m] += cov[a, m]
        due = rest[0] * 0
        for m in range(8):
            paid[g, m] += rest[m]
            if increment > 0:
                due += rest[m] * rate[g, m]
        if increment > 0 and due % increment > 0:
            extra[0] += increment - due % increment


def uncompiled_run():
    """`run` as plain Python, all the way down: for whole numbers beyond 64 bits."""
    plain = dict(globals())
    for name in ("muldiv", "after_months", "window_of", "window_end"):
        plain[name] = plain[name].py_func
    return FunctionType(run.py_func.__code__, plain)
