# ruff: noqa: PLR0917 - loops compiled by numba take plain arguments
"""The engine's rows as one compiled loop (METHODOLOGY section 4); imported only when a job is large enough.

`rebalance_steps` does the same operations in the same order in plain NumPy: read, and change, the two together.
Loops over columns are kept apart so that those without a sum run several columns at a time. A sum is strictly from left
to right, so that each addition waits for the one before: sums run side by side. Row by row those are the three of a
row; `BLOCK` rows that all take their targets don't wait for each other, and are done together.
"""

from math import isnan

import numpy as np
import numpy.typing as npt

from mainsequence.compute.kernels import compiled, inlined

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]
_Books = tuple[_Floats, _Floats, _Floats, _Floats, _Floats]
"""NAV, return, turnover, fees and cash by row."""
_Sums = tuple[float, float, float, float]
"""One for each row of a block."""

_PRICE, _TARGET, _UNPRICED, _SPREAD, _RUIN = range(1, 6)
_CASH, _RENORMALIZE, _ERROR = range(3)

BLOCK = 4
"""Rows that are done together where all take their targets."""


@inlined
def _is_price(price: float) -> bool:
    """Whether a price is positive and finite, in one comparison: NaN and infinity times 0 are NaN."""
    return price > price * 0.0


@inlined
def _grow_and_sum(
    now: _Floats, last: _Floats, held: _Floats, drifted: _Floats, grown: _Floats
) -> tuple[float, float, float]:
    """Growth of this row; turnover and invested weight of the row before: three sums at the price of one."""
    growth, turnover, invested = 0.0, 0.0, 0.0
    for i in range(len(now)):
        price, weight = now[i], held[i]
        moved = (weight != 0.0) & (not isnan(price))
        # Two choices and one division for all: a division in a branch would run alone.
        factor = (price if moved else 1.0) / (last[i] if moved else 1.0)
        grown[i] = weight * factor
        growth += weight * (factor - 1.0)
        turnover += abs(weight - drifted[i])
        invested += weight
    return growth, turnover, invested


@inlined
def _drift(grown: _Floats, shrink: float, now: _Floats, drifted: _Floats, executed: _Floats) -> int:
    """Drift the weights; counts prices that are null or wrong."""
    odd = 0
    for i in range(len(grown)):
        weight = grown[i] * shrink
        drifted[i] = weight
        executed[i] = weight
        odd += not _is_price(now[i])
    return odd


@inlined
def _sell_unpriced(now: _Floats, drifted: _Floats, executed: _Floats) -> int:
    sold = 0
    for i in range(len(now)):
        if isnan(now[i]):
            executed[i] = 0.0
            sold += drifted[i] != 0.0
    return sold


@inlined
def _drift_and_aim(
    grown: _Floats, shrink: float, now: _Floats, target: _Floats, drifted: _Floats, executed: _Floats
) -> int:
    """Drift the weights and take the targets; counts prices that are null or wrong."""
    odd = 0
    for i in range(len(grown)):
        drifted[i] = grown[i] * shrink
        executed[i] = target[i]
        odd += not _is_price(now[i])
    return odd


@inlined
def _spread(target: _Floats, executed: _Floats) -> bool:
    rest, wanted, some = 0.0, 0.0, False
    for i in range(len(target)):
        rest += executed[i]
        wanted += target[i]
        some |= executed[i] != 0.0
    if not some:
        return True
    if rest == 0.0:
        return False
    scale = wanted / rest
    for i in range(len(target)):
        executed[i] = executed[i] * scale
    return True


@inlined
def _keep_small(drifted: _Floats, executed: _Floats, tolerance: float) -> None:
    for i in range(len(drifted)):
        if executed[i] != 0.0 and abs(executed[i] - drifted[i]) < tolerance:
            executed[i] = drifted[i]


@inlined
def _first_bad_price(now: _Floats) -> int:
    for i in range(len(now)):
        if now[i] <= 0.0 or now[i] == np.inf:
            return i
    return -1


@inlined
def _first_bad_target(target: _Floats) -> int:
    for i in range(len(target)):
        if not abs(target[i]) < np.inf:
            return i
    return -1


@inlined
def _first_unpriced(target: _Floats, now: _Floats) -> int:
    for i in range(len(target)):
        if isnan(now[i]) and target[i] != 0.0:
            return i
    return -1


@inlined
def _place_missing(target: _Floats, now: _Floats, executed: _Floats, policy: int) -> tuple[int, int]:
    """Deal with targets that have no price, by the policy; their executed weights are 0 already."""
    bad = _first_bad_target(target)
    if bad >= 0:
        return _TARGET, bad
    missing = _first_unpriced(target, now)
    if missing >= 0 and policy == _ERROR:
        return _UNPRICED, missing
    if missing >= 0 and policy == _RENORMALIZE and not _spread(target, executed):
        return _SPREAD, 0
    return 0, 0


@inlined
def _trade(
    rebalance: bool,
    target: _Floats,
    grown: _Floats,
    gross: float,
    now: _Floats,
    drifted: _Floats,
    executed: _Floats,
    tolerance: float,
    policy: int,
) -> tuple[int, int, int]:
    """Make a row's drifted and executed weights; assets sold as stale, number of the problem, and its column."""
    sold, problem, column, shrink = 0, 0, 0, 1.0 / gross
    if not gross > 0.0:
        bad = _first_bad_price(now)
        return (0, _PRICE, bad) if bad >= 0 else (0, _RUIN, 0)
    if rebalance:
        odd = _drift_and_aim(grown, shrink, now, target, drifted, executed)
    else:
        odd = _drift(grown, shrink, now, drifted, executed)
    if odd:
        bad = _first_bad_price(now)
        if bad >= 0:
            return 0, _PRICE, bad
        sold = _sell_unpriced(now, drifted, executed)
    if odd and rebalance:
        problem, column = _place_missing(target, now, executed, policy)
    if rebalance and tolerance > 0.0:
        _keep_small(drifted, executed, tolerance)
    return sold, problem, column


@inlined
def _book(
    row: int, gross: float, turnover: float, invested: float, nav: float, commission: float, books: _Books
) -> tuple[int, float]:
    """Close the books of a row; number of the problem, and the NAV."""
    if not abs(invested) < np.inf:
        return _TARGET, nav
    navs, returns, turnovers, fees, cash = books
    net = gross * (1.0 - commission * turnover) - 1.0
    fees[row] = nav * gross * commission * turnover
    nav = nav * (1.0 + net)
    navs[row], returns[row], turnovers[row], cash[row] = nav, net, turnover, 1.0 - invested
    return (0 if nav > 0.0 else _RUIN), nav


@inlined
def _are_prices(prices: _Floats) -> bool:
    odd = 0
    for i in range(len(prices)):
        odd += not _is_price(prices[i])
    return odd == 0


@inlined
def _copy(weights: _Floats, to: _Floats) -> None:
    for i in range(len(weights)):
        to[i] = weights[i]


@inlined
def _grow(now: _Floats, last: _Floats, held: _Floats, grown: _Floats, terms: _Floats) -> None:
    """Grow weights, and give the terms of the growth: `_grow_and_sum` without the sums."""
    for i in range(len(now)):
        price, weight = now[i], held[i]
        moved = (weight != 0.0) & (not isnan(price))
        factor = (price if moved else 1.0) / (last[i] if moved else 1.0)
        grown[i] = weight * factor
        terms[i] = weight * (factor - 1.0)


@inlined
def _trades(grown: _Floats, shrink: float, executed: _Floats, terms: _Floats) -> None:
    for i in range(len(grown)):
        terms[i] = abs(executed[i] - grown[i] * shrink)


@inlined
def _sums(terms: _Floats) -> _Sums:
    """Sum the rows of a block side by side, each from left to right."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    first, second, third, fourth = terms[0], terms[1], terms[2], terms[3]
    for i in range(len(first)):
        a += first[i]
        b += second[i]
        c += third[i]
        d += fourth[i]
    return a, b, c, d


@inlined
def _sums_of_two(terms: _Floats, others: _Floats) -> tuple[_Sums, _Sums]:
    """Sum the rows of two blocks side by side."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    e, f, g, h = 0.0, 0.0, 0.0, 0.0
    first, second, third, fourth = terms[0], terms[1], terms[2], terms[3]
    fifth, sixth, seventh, eighth = others[0], others[1], others[2], others[3]
    for i in range(len(first)):
        a += first[i]
        b += second[i]
        c += third[i]
        d += fourth[i]
        e += fifth[i]
        f += sixth[i]
        g += seventh[i]
        h += eighth[i]
    return (a, b, c, d), (e, f, g, h)


@inlined
def _aim(rebalance: bool, targets: _Floats, number: int, present: _Floats, nothing: _Floats) -> _Floats:
    """Give the target that holds from a row on."""
    if not rebalance:
        return present
    return targets[number] if number >= 0 else nothing


@inlined
def _block(
    row: int,
    prices: _Floats,
    in_turn: _Floats,
    grown: _Floats,
    terms: _Floats,
    nav: float,
    commission: float,
    grosses: _Floats,
    books: _Books,
) -> float:
    """Do a block of rows whose executed weights are their targets; gives the NAV, or 0 where anything is wrong.

    ``in_turn`` are the weights of the row before and of the block's rows. Rows lie one behind the other: one loop grows
    them all.
    """
    width = prices.shape[1]
    start, end, flat = row * width, (row + BLOCK) * width, prices.reshape(prices.size)
    now, last, held = flat[start:end], flat[start - width : end - width], in_turn.reshape(in_turn.size)
    if not _are_prices(now):
        return 0.0
    _grow(now, last, held, grown.reshape(grown.size), terms.reshape(terms.size))
    growth = _sums(terms)
    for k in range(BLOCK):
        gross = 1.0 + growth[k]
        if not gross > 0.0:
            return 0.0
        grosses[row + k] = gross
        _trades(grown[k], 1.0 / gross, in_turn[k + 1], terms[k])
    turnover, invested = _sums_of_two(terms, in_turn[1:])
    for k in range(BLOCK):
        problem, nav = _book(row + k, grosses[row + k], turnover[k], invested[k], nav, commission, books)
        if problem:
            return 0.0
    return nav


@compiled("f2 f2 i1 b1 f1 f1 f0 f0 f0 i0 f1w f1w f1w f1w f1w i1w f1w b1w f2w")
def simulate_rows(
    prices: _Floats,
    targets: _Floats,
    target_rows: _Integers,
    rebalance: _Flags,
    weights: _Floats,
    last: _Floats,
    nav: float,
    commission: float,
    tolerance: float,
    policy: int,
    navs: _Floats,
    returns: _Floats,
    turnovers: _Floats,
    fees: _Floats,
    cash: _Floats,
    sold: _Integers,
    grosses: _Floats,
    taken: _Flags,
    traded: _Floats,
) -> tuple[int, int, int]:
    """Run all rows; gives the number of the problem (0 for none), its row and its column.

    The books of a row are closed while the next one is begun, so that all sums run in one loop. A block closes its own.
    One in which anything is out of the ordinary is done again row by row, which deals with it.
    """
    count, width = prices.shape
    books = (navs, returns, turnovers, fees, cash)
    grown, terms, in_turn = np.empty((BLOCK, width)), np.empty((BLOCK, width)), np.empty((BLOCK + 1, width))
    drifted, nothing = np.zeros(width), np.zeros(width)
    held, previous, target = weights.copy(), last.copy(), nothing
    gross, row, is_open, block_from = 1.0, 0, False, 1 if tolerance == 0.0 else count
    while row < count or is_open:
        in_block = block_from <= row <= count - BLOCK and rebalance[row : row + BLOCK].all()
        now = previous if in_block or row == count else prices[row]
        growth = 0.0
        if is_open or not in_block:
            growth, turnover, invested = _grow_and_sum(now, previous, held, drifted, grown[0])
        if is_open:
            problem, nav = _book(row - 1, gross, turnover, invested, nav, commission, books)
            if problem:
                return problem, row - 1, max(_first_bad_target(target), 0) if problem == _TARGET else 0
            is_open = False
        if in_block:
            block_from = row + BLOCK
            _copy(held, in_turn[0])
            held = in_turn[0]
            for k in range(BLOCK):
                _copy(_aim(True, targets, target_rows[row + k], nothing, nothing), in_turn[k + 1])
            reached = _block(row, prices, in_turn, grown, terms, nav, commission, grosses, books)
            if reached > 0.0:
                taken[row:block_from], sold[row:block_from] = True, 0
                held, previous = in_turn[BLOCK], prices[block_from - 1]
                nav, row = reached, block_from
        elif row < count:
            gross, is_open, executed = 1.0 + growth, True, traded[row]
            target = _aim(rebalance[row], targets, target_rows[row], target, nothing)
            grosses[row], taken[row] = gross, False
            sold[row], problem, column = _trade(
                rebalance[row], target, grown[0], gross, now, drifted, executed, tolerance, policy
            )
            if problem:
                return problem, row, column
            held, previous, row = executed, now, row + 1
    return 0, 0, 0
