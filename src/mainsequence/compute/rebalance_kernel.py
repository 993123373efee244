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
def _grow(now: _Floats, last: _Floats, held: _Floats, growth: _Floats, gains: _Floats) -> bool:
    wrong = 0
    for i in range(len(now)):
        price = now[i]
        moved = (held[i] != 0.0) & (not isnan(price))
        factor = price / last[i] if moved else 1.0
        growth[i] = factor
        gains[i] = held[i] * (factor - 1.0)
        wrong += (price <= 0.0) | (price == np.inf)
    return wrong > 0


@inlined
def _total(values: _Floats) -> float:
    total = 0.0
    for i in range(len(values)):
        total += values[i]
    return total


@inlined
def _drift(held: _Floats, growth: _Floats, gross: float, now: _Floats, drifted: _Floats, executed: _Floats) -> int:
    sold = 0
    for i in range(len(now)):
        drifted[i] = held[i] * growth[i] / gross
        unpriced = isnan(now[i])
        executed[i] = 0.0 if unpriced else drifted[i]
        sold += unpriced & (drifted[i] != 0.0)
    return sold


@inlined
def _aim(target: _Floats, now: _Floats, executed: _Floats) -> tuple[int, int]:
    wrong, missing = 0, 0
    for i in range(len(now)):
        unpriced = isnan(now[i])
        executed[i] = 0.0 if unpriced else target[i]
        wrong += not abs(target[i]) < np.inf
        missing += unpriced & (target[i] != 0.0)
    return wrong, missing


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
def _trade(drifted: _Floats, executed: _Floats) -> tuple[float, float]:
    turnover, invested = 0.0, 0.0
    for i in range(len(drifted)):
        turnover += abs(executed[i] - drifted[i])
        invested += executed[i]
    return turnover, invested


@inlined
def _first_bad_price(now: _Floats) -> int:
    for i in range(len(now)):
        if now[i] <= 0.0 or now[i] == np.inf:
            return i
    return 0


@inlined
def _first_bad_target(target: _Floats) -> int:
    for i in range(len(target)):
        if not abs(target[i]) < np.inf:
            return i
    return 0


@inlined
def _first_unpriced(target: _Floats, now: _Floats) -> int:
    for i in range(len(target)):
        if isnan(now[i]) and target[i] != 0.0:
            return i
    return 0


@inlined
def _execute(
    target: _Floats, now: _Floats, drifted: _Floats, executed: _Floats, tolerance: float, policy: int
) -> tuple[int, int]:
    wrong, missing = _aim(target, now, executed)
    if wrong:
        return _TARGET, _first_bad_target(target)
    if missing and policy == _ERROR:
        return _UNPRICED, _first_unpriced(target, now)
    if missing and policy == _RENORMALIZE and not _spread(target, executed):
        return _SPREAD, 0
    if tolerance > 0.0:
        _keep_small(drifted, executed, tolerance)
    return 0, 0


@compiled("f2 f2 i1 b1 f1 f1 f0 f0 f0 i0 f1w f1w f1w f1w f1w i1w f2w f2w")
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
    before: _Floats,
    after: _Floats,
) -> tuple[int, int, int]:
    """Run all rows; gives the number of the problem (0 for none), its row and its column."""
    width = prices.shape[1]
    growth, gains, nothing = np.empty(width), np.empty(width), np.zeros(width)
    held = weights.copy()
    previous = last.copy()
    for row in range(prices.shape[0]):
        now, drifted, executed = prices[row], before[row], after[row]
        if _grow(now, previous, held, growth, gains):
            return _PRICE, row, _first_bad_price(now)
        gross = 1.0 + _total(gains)
        if not gross > 0.0:
            return _RUIN, row, 0
        sold[row] = _drift(held, growth, gross, now, drifted, executed)
        if rebalance[row]:
            target = targets[target_rows[row]] if target_rows[row] >= 0 else nothing
            problem, column = _execute(target, now, drifted, executed, tolerance, policy)
            if problem:
                return problem, row, column
        turnover, invested = _trade(drifted, executed)
        net = gross * (1.0 - commission * turnover) - 1.0
        fees[row] = nav * gross * commission * turnover
        nav = nav * (1.0 + net)
        if not nav > 0.0:
            return _RUIN, row, 0
        navs[row], returns[row], turnovers[row], cash[row] = nav, net, turnover, 1.0 - invested
        held, previous = executed, now
    return 0, 0, 0
