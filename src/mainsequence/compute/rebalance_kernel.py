# ruff: noqa: PLR0917 - loops compiled by numba take plain arguments
"""The engine's rows as one compiled loop (METHODOLOGY section 4); imported only when a job is large enough.

`rebalance_steps` does the same operations in the same order in plain NumPy: read, and change, the two together.
Loops over columns are kept apart so that those without a sum run several columns at a time; a sum is strictly from
left to right.
"""

from math import isnan

import numpy as np
import numpy.typing as npt

from mainsequence.compute.kernels import compiled, inlined

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]

_PRICE, _TARGET, _UNPRICED, _SPREAD, _RUIN = range(1, 6)
_CASH, _RENORMALIZE, _ERROR = range(3)


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
        odd += not ((now[i] > 0.0) & (now[i] < np.inf))
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
        odd += not ((now[i] > 0.0) & (now[i] < np.inf))
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
    shrink: float,
    now: _Floats,
    drifted: _Floats,
    executed: _Floats,
    tolerance: float,
    policy: int,
) -> tuple[int, int, int]:
    """Make a row's drifted and executed weights; assets sold as stale, number of the problem, and its column."""
    sold, problem, column = 0, 0, 0
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
    row: int,
    gross: float,
    turnover: float,
    invested: float,
    nav: float,
    commission: float,
    navs: _Floats,
    returns: _Floats,
    turnovers: _Floats,
    fees: _Floats,
    cash: _Floats,
) -> float:
    net = gross * (1.0 - commission * turnover) - 1.0
    fees[row] = nav * gross * commission * turnover
    nav = nav * (1.0 + net)
    navs[row], returns[row], turnovers[row], cash[row] = nav, net, turnover, 1.0 - invested
    return nav


@compiled("f2 f2 i1 b1 f1 f1 f0 f0 f0 i0 f1w f1w f1w f1w f1w i1w f1w f2w")
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
    after: _Floats,
) -> tuple[int, int, int]:
    """Run all rows; gives the number of the problem (0 for none), its row and its column.

    The books of a row are closed while the next one is begun, so that all sums run in one loop.
    """
    count, width = prices.shape
    grown, drifted, nothing = np.empty(width), np.zeros(width), np.zeros(width)
    held, previous, target = weights.copy(), last.copy(), nothing
    gross = 1.0
    for row in range(count + 1):
        now = prices[row] if row < count else previous
        growth, turnover, invested = _grow_and_sum(now, previous, held, drifted, grown)
        if row:
            if not abs(invested) < np.inf:
                return _TARGET, row - 1, max(_first_bad_target(target), 0)
            nav = _book(row - 1, gross, turnover, invested, nav, commission, navs, returns, turnovers, fees, cash)
            if not nav > 0.0:
                return _RUIN, row - 1, 0
        if row == count:
            break
        gross = 1.0 + growth
        if not gross > 0.0:
            bad = _first_bad_price(now)
            return (_PRICE, row, bad) if bad >= 0 else (_RUIN, row, 0)
        grosses[row], executed = gross, after[row]
        if rebalance[row]:
            target = targets[target_rows[row]] if target_rows[row] >= 0 else nothing
        sold[row], problem, column = _trade(
            rebalance[row], target, grown, 1.0 / gross, now, drifted, executed, tolerance, policy
        )
        if problem:
            return problem, row, column
        held, previous = executed, now
    return 0, 0, 0
