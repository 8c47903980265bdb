"""Compiled passes of the decision: merging a log, reading response surfaces, walking futures.

All compiled code of this room stands here and calls nothing compiled elsewhere, because Numba's cache does
not notice an edit in a function of another file. Axes: D draws, M months, O offers, T months of use, R
responses.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def merge(times, quantities, code, bucket, codes, out_times, out_quantities, out_code):
    """Sum rows of one code within one bucket of time; returns how many rows remain.

    Shapes (N rows): times[N] µs in order; quantities[N, 8]; code[N] in `codes`; outputs as the inputs. A
    merged row stands at its first request, so that order is kept.
    """
    at = np.full(codes, -1, dtype=np.int64)
    touched = np.empty(codes, dtype=np.int64)
    many, count, now = 0, 0, np.int64(0)
    for i in range(len(times)):
        b = times[i] // bucket
        if i == 0 or b != now:
            for k in range(count):
                at[touched[k]] = -1
            count, now = 0, b
        c = code[i]
        row = at[c]
        if row < 0:
            row = many
            many += 1
            at[c] = row
            touched[count] = c
            count += 1
            out_times[row] = times[i]
            out_code[row] = c
            for m in range(8):
                out_quantities[row, m] = quantities[i, m]
        else:
            for m in range(8):
                out_quantities[row, m] += quantities[i, m]
    return many


@njit(cache=True, nogil=True)
def _bracket(grid, n, v):
    """(index, weight of the next point) of v on an ascending grid, held at its ends."""
    if n == 1 or v <= grid[0]:
        return 0, 0.0
    if v >= grid[n - 1]:
        return n - 2, 1.0
    low, high = 0, n - 1
    while high - low > 1:
        mid = (low + high) // 2
        if grid[mid] <= v:
            low = mid
        else:
            high = mid
    return low, (v - grid[low]) / (grid[high] - grid[low])


@njit(cache=True, nogil=True)
def _mix(table, n_a, n_l, i, wi, j, wj):
    """Bilinear: table[i, j] between grid points."""
    i1 = i + 1 if n_a > 1 else i
    j1 = j + 1 if n_l > 1 else j
    low = table[i, j] * (1 - wj) + table[i, j1] * wj
    high = table[i1, j] * (1 - wj) + table[i1, j1] * wj
    return low * (1 - wi) + high * wi


@njit(cache=True, nogil=True)
def respond(r, load, price, allowance, limit, gifted, sizes, grid_a, grid_l, pay, refused, flat):
    """(money, share refused) of one month at response r.

    `load`: requests as a multiple of the logged month; `gifted`: as if one-off gifts had no end.
    sizes[R, 5]: points on each axis, whether allowances are money, whether a gift is given, whether the offer
    is lumpy; grid_a[R, A], grid_l[R, L]: allowance and limit for each unit of load, or, of a lumpy offer, the
    limit itself and one over the load; pay, refused [R, 2, A, L]: money
    for each unit of load and share refused, without and with gifts;
    flat[R, 7]: minimum a month, fixed a month, platform fee share, least spend committed, packs a month for
    each unit of load, fewest packs a month, price of a pack.
    """
    if load <= 0.0:
        load = 1e-12
    a, room = allowance / load, limit / load
    if sizes[r, 4]:
        a, room = limit, 1.0 / load
    elif sizes[r, 2]:
        a = a / price if price > 0.0 else 1e300
    i, wi = _bracket(grid_a[r], sizes[r, 0], a)
    j, wj = _bracket(grid_l[r], sizes[r, 1], room)
    use = load * _mix(pay[r, gifted], sizes[r, 0], sizes[r, 1], i, wi, j, wj)
    share = _mix(refused[r, gifted], sizes[r, 0], sizes[r, 1], i, wi, j, wj)
    if flat[r, 6] > 0.0:
        packs = load * flat[r, 4] / allowance if allowance > 0.0 else 0.0
        use += max(packs, flat[r, 5]) * flat[r, 6]
    use = max(use, flat[r, 0], flat[r, 3])
    return price * (use + flat[r, 1]) * (1.0 + flat[r, 2]), share


@njit(cache=True, nogil=True)
def months(
    load, price, status, allowance, limit, successor, own, after, late, gift, sizes, grid_a, grid_l, pay,
    refused, flat, out_pay, out_refused, gift_pay, gift_refused,
):  # fmt: skip
    """Each offer's month in each draw, without and with the one-off gift of a team that joined in month 0.

    load[D, M]; price, status, allowance, limit, successor [D, M, O]; own, after, late [O]: the response under
    status 0, 1 and 2, −1 for none; gift[R, 3]: share of the gift used in a month at load 1, months until it
    expires, fee on joining. Outputs [D, M, O]: money, share refused; the same with the gift.
    """
    draws, months_, offers = price.shape
    for d in range(draws):
        for o in range(offers):
            left = 1.0
            for m in range(months_):
                state = status[d, m, o]
                r = own[o] if state == 0 else after[o] if state == 1 else late[o]
                factor = successor[d, m, o] if state == 2 else price[d, m, o]
                if r < 0:
                    out_pay[d, m, o], out_refused[d, m, o] = 0.0, 1.0
                    gift_pay[d, m, o], gift_refused[d, m, o] = 0.0, 1.0
                    continue
                s = load[d, m]
                free = 0.0 if state > 0 and r == own[o] else allowance[d, m, o]
                plain, share = respond(
                    r, s, factor, free, limit[d, m, o], 0, sizes, grid_a, grid_l, pay, refused, flat
                )
                out_pay[d, m, o], out_refused[d, m, o] = plain, share
                gift_pay[d, m, o], gift_refused[d, m, o] = plain, share
                if state == 0 and sizes[r, 3] and left > 0.0:
                    rest = gift[r, 1] - m
                    if rest > 0.0:
                        full, whole = respond(
                            r, s, factor, free, limit[d, m, o], 1, sizes, grid_a, grid_l, pay, refused, flat
                        )
                        need = gift[r, 0] * s * (factor if sizes[r, 3] == 2 else 1.0)
                        part = min(1.0, rest)
                        if need > 0.0:
                            part = min(part, left / need)
                        left -= part * need
                        gift_pay[d, m, o] = plain + part * (full - plain)
                        gift_refused[d, m, o] = share + part * (whole - share)
                    if m == 0:
                        gift_pay[d, m, o] += gift[r, 2] * factor


@njit(cache=True, nogil=True)
def improve(
    month,
    vendor,
    known,
    gift,
    paid,
    paid_gift,
    moves,
    leave,
    within,
    margin,
    value,
    expect,
    beta,
    out,
    choice,
):
    """One month of the backward recursion of optimal switching: the offer to use, and the cost from then on.

    known[D, O]: cost of the month as the team knows it when it decides; gift[D, O]: what a gift takes off,
    for a team that joined in month 0 (its months of use equal `month`); paid, paid_gift: the same as
    realised; moves[D, O]: whether the vendor's successor must be migrated to now; leave, within [O, T]:
    cost of a switch to another vendor, and within one; `margin`: what a move must promise beyond its cost,
    as a share of it; value[D, O, T]: realised cost from next month on, by months of use then;
    expect[D, O, T]: its forecast, up to a term common to all offers. Results: out[D, O, T]; choice[D, O, T].
    """
    draws, offers = known.shape
    tops = leave.shape[1] - 1
    first = min(1, tops)
    best = np.empty(offers)
    for d in range(draws):
        for o in range(offers):
            best[o] = known[d, o] + beta * expect[d, o, first]
            if month == 0:
                best[o] -= gift[d, o]
        for o in range(offers):
            near, far = -1, -1
            for p in range(offers):
                if p == o:
                    continue
                if vendor[p] == vendor[o]:
                    if near < 0 or best[p] < best[near]:
                        near = p
                elif far < 0 or best[p] < best[far]:
                    far = p
            for t in range(tops + 1):
                after = min(t + 1, tops)
                given = t == month and t < tops
                extra = within[o, t] if moves[d, o] else 0.0
                least = known[d, o] + extra + beta * expect[d, o, after] - (gift[d, o] if given else 0.0)
                to, cost = o, 0.0
                asked = 1.0 + margin
                if near >= 0 and best[near] + asked * within[o, t] < least:
                    least, to, cost = best[near] + asked * within[o, t], near, within[o, t]
                if far >= 0 and best[far] + asked * leave[o, t] < least:
                    least, to, cost = best[far] + asked * leave[o, t], far, leave[o, t]
                if to == o:
                    cost = paid[d, o] + extra + beta * value[d, o, after]
                    if given:
                        cost -= paid_gift[d, o]
                else:
                    cost += paid[d, to] + beta * value[d, to, first]
                    if month == 0:
                        cost -= paid_gift[d, to]
                out[d, o, t] = cost
                choice[d, o, t] = to


STAY, UNTIL, TRIGGER, CHEAPEST = 0, 1, 2, 3
FOREVER = 1 << 30


@njit(cache=True, nogil=True)
def follow(
    kind, start, payback, dwell, until, paid_only, cost, gift, open_, status, lasting, vendor, leave, within,
    present, used, out,
):  # fmt: skip
    """Offers used by a plain rule: out[D, M].

    STAY: with `start`, moving only when it serves nothing any more. UNTIL: the same, but moving also when its
    terms have ended, or in month `until`. TRIGGER: move once the saving of a month, `payback` times over (but
    no longer than months remain), has been above the cost of moving for `dwell` months. CHEAPEST: the
    cheapest of each month. The first two move to the cheapest of lasting[O] offers if any serves, TRIGGER
    too where `paid_only`. cost[D, M, O] as known; gift[D, M, O] what a gift takes off for a team that
    joined in month 0; open_[D, M, O] whether any of the work is served; leave, within [O, T]; present,
    used: the offer in use before, and for how many months.
    """
    draws, months_, offers = cost.shape
    tops = leave.shape[1] - 1
    for d in range(draws):
        now, above = start, 0
        fresh = start != present
        tenure = 0 if fresh else used
        for m in range(months_):
            left = kind == UNTIL and now == start and m > 0 and (status[d, m, now] != 0 or m >= until)
            t = min(tenure, tops)
            mine = cost[d, m, now] - (gift[d, m, now] if fresh and m < tops else 0.0)
            to, least = now, np.inf
            if kind == CHEAPEST:
                for p in range(offers):
                    here = cost[d, m, p] - (gift[d, m, p] if m == 0 and p != present else 0.0)
                    if open_[d, m, p] and here < least:
                        to, least = p, here
                if least >= mine:
                    to = now
            elif left or not open_[d, m, now]:
                for careful in range(2):
                    for p in range(offers):
                        if (
                            open_[d, m, p]
                            and p != now
                            and (careful == 1 or lasting[p])
                            and cost[d, m, p] < least
                        ):
                            to, least = p, cost[d, m, p]
                    if to != now:
                        break
            elif kind == TRIGGER and (m > 0 or not fresh):
                most = 0.0
                for p in range(offers):
                    if open_[d, m, p] and p != now and (lasting[p] or not paid_only):
                        move = within[now, t] if vendor[p] == vendor[now] else leave[now, t]
                        gain = min(payback, months_ - m) * (mine - cost[d, m, p]) - move
                        if gain > most:
                            to, most = p, gain
                above = above + 1 if to != now else 0
                if above < dwell:
                    to = now
            if to != now:
                now, tenure, fresh, above = to, 0, m == 0, 0
            out[d, m] = now
            tenure += 1


@njit(cache=True, nogil=True)
def account(
    choice, pay, share, gift_pay, gift_share, status, vendor, leave, within, join, gain, present, used, noise,
    worth, elsewhere, beside, spill, requests, load, discount, out,
):  # fmt: skip
    """What a path of offers costs: out[D, M, 6], each month's discounted money and requests.

    choice[D, M]; pay, share, gift_pay, gift_share [D, M, O]; join[O] first integration; gain[D, O] a month;
    noise[D, O] factor on what is paid; worth[O]: money for each refused request, times elsewhere[D, M];
    beside[O]: money for a month in which more than `spill` of them are refused; requests a month at load 1.
    Columns: use, refused work, switching, ecosystem (negative: a gain), refused requests (not discounted),
    switches (counted).
    """
    draws, months_ = choice.shape
    tops = leave.shape[1] - 1
    for d in range(draws):
        now, tenure, joined = present, used, False
        for m in range(months_):
            o = choice[d, m]
            factor = discount[m]
            moved = 0.0
            if o != now:
                if now < 0:
                    moved = join[o]
                else:
                    t = min(tenure, tops)
                    moved = within[now, t] if vendor[now] == vendor[o] else leave[now, t]
                    out[d, m, 5] = 1.0
                now, tenure, joined = o, 0, m == 0
            elif status[d, m, o] == 2 and (m == 0 or status[d, m - 1, o] != 2):
                moved = within[o, min(tenure, tops)]
            if joined and tenure < tops:
                money, refused = gift_pay[d, m, o], gift_share[d, m, o]
            else:
                money, refused = pay[d, m, o], share[d, m, o]
            lost = refused * load[d, m] * requests
            out[d, m, 0] = money * noise[d, o] * factor
            out[d, m, 1] = lost * worth[o] * elsewhere[d, m] * factor
            out[d, m, 2] = (moved + (beside[o] if refused > spill else 0.0)) * factor
            out[d, m, 3] = -gain[d, o] * factor
            out[d, m, 4] = lost
            tenure += 1


@njit(cache=True, nogil=True)
def pair(
    a, b, load, price, status, allowance, limit, successor, own, after, late, sizes, grid_a, grid_l, pay,
    refused, flat, first_pay, first_share, within, gain, noise, worth, elsewhere, requests, upkeep, joins,
    discount, used_a, used_b, out,
):  # fmt: skip
    """Two vendors side by side: each month the cheaper of them first, the other takes what it refuses.

    out[D, M, 6] as `account`; `joins` is paid in month 0, `upkeep` each month. The second offer is billed at
    its share of the load, in the shape of all of the work.
    """
    draws, months_ = load.shape
    tops = within.shape[1] - 1
    for d in range(draws):
        for m in range(months_):
            least = np.inf
            for turn in range(2):
                o, p = (a, b) if turn == 0 else (b, a)
                money = first_pay[d, m, o] * noise[d, o]
                share = first_share[d, m, o]
                if share > 0.0:
                    state = status[d, m, p]
                    r = own[p] if state == 0 else after[p] if state == 1 else late[p]
                    if r >= 0:
                        factor = successor[d, m, p] if state == 2 else price[d, m, p]
                        free = 0.0 if state > 0 and r == own[p] else allowance[d, m, p]
                        extra, rest = respond(
                            r, load[d, m] * share, factor, free, limit[d, m, p], 0, sizes, grid_a, grid_l,
                            pay, refused, flat,
                        )  # fmt: skip
                        money += extra * noise[d, p]
                        share *= rest
                lost = share * load[d, m] * requests
                rest_cost = lost * worth[p] * elsewhere[d, m]
                if money + rest_cost < least:
                    least = money + rest_cost
                    out[d, m, 0] = money * discount[m]
                    out[d, m, 1] = rest_cost * discount[m]
                    out[d, m, 4] = lost
            moved = joins if m == 0 else 0.0
            for turn in range(2):
                o, used = (a, used_a) if turn == 0 else (b, used_b)
                before = 2 * (used == 0) if m == 0 else status[d, m - 1, o]
                if status[d, m, o] == 2 and before != 2:
                    moved += within[o, min(m + used, tops)]
            out[d, m, 2] = (moved + upkeep) * discount[m]
            out[d, m, 3] = -(gain[d, a] + gain[d, b]) * discount[m]
            out[d, m, 5] = 0.0
