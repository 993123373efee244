"""The engine's rows in plain NumPy, and the choice between them and the compiled loop (METHODOLOGY section 4).

`rebalance_kernel` does the same operations in the same order: the two must be read, and changed, together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.weights import in_order_sum

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

Inputs: TypeAlias = tuple[Floats, Floats, Integers, Flags]
"""prices[T, N], distinct targets[K, N], target row of each stamp[T], rebalance[T]."""
Start: TypeAlias = tuple[Floats, Floats, float]
"""weights[N], prices[N], NAV."""
Rules: TypeAlias = tuple[float, float, int]
"""commission, tolerance, position of the policy for missing weight."""

Problem: TypeAlias = Literal["", "price", "target", "unpriced", "spread", "ruin"]
PROBLEMS: tuple[Problem, ...] = ("", "price", "target", "unpriced", "spread", "ruin")
CASH, RENORMALIZE, ERROR = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class RowArrays:
    """What the engine writes: one row per stamp, float64 except ``sold`` (int64, assets sold as stale).

    Drifted weights are not among it: `drifted` gives them from what is. Nor are executed ones where they are the target
    of the row, as the flags in ``taken`` say: the loop writes no matrix that can be had from its inputs.
    """

    nav: Floats
    returns: Floats
    turnover: Floats
    fees: Floats
    cash: Floats
    sold: Integers
    gross: Floats
    taken: Flags
    traded: Floats

    @classmethod
    def empty(cls, count: int, width: int) -> RowArrays:
        """Room for ``count`` stamps and ``width`` assets."""
        return cls(
            *(np.empty(count), np.empty(count), np.empty(count), np.empty(count), np.empty(count)),
            np.empty(count, dtype=np.int64),
            *(np.empty(count), np.empty(count, dtype=np.bool_), np.empty((count, width))),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: no problem, or which one, at which row and column."""

    problem: Problem
    row: int = 0
    column: int = 0


class _StopRun(Exception):  # noqa: N818
    def __init__(self, problem: Problem, column: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.column = problem, column


def run_rows(inputs: Inputs, start: Start, rules: Rules, rows: RowArrays, *, compiled: bool) -> Outcome:
    """Run all rows, compiled or not; the bits written are the same."""
    return _run_compiled(inputs, start, rules, rows) if compiled else _run_plain(inputs, start, rules, rows)


def _run_compiled(inputs: Inputs, start: Start, rules: Rules, rows: RowArrays) -> Outcome:
    from mainsequence.compute import rebalance_kernel

    prices, targets, target_rows, rebalance = inputs
    weights, last, nav = start
    commission, tolerance, policy = rules
    problem, row, column = rebalance_kernel.simulate_rows(
        np.ascontiguousarray(prices),
        np.ascontiguousarray(targets),
        np.ascontiguousarray(target_rows),
        np.ascontiguousarray(rebalance),
        weights,
        last,
        nav,
        commission,
        tolerance,
        policy,
        rows.nav,
        rows.returns,
        rows.turnover,
        rows.fees,
        rows.cash,
        rows.sold,
        rows.gross,
        rows.taken,
        rows.traded,
    )
    return Outcome(PROBLEMS[problem], row, column)


def _run_plain(inputs: Inputs, start: Start, rules: Rules, rows: RowArrays) -> Outcome:
    prices, targets, target_rows, rebalance = inputs
    held, last, nav = start
    nothing = np.zeros(prices.shape[1])
    for row in range(len(prices)):
        target = None
        if rebalance[row]:
            target = targets[target_rows[row]] if target_rows[row] >= 0 else nothing
        try:
            nav = _step(row, prices[row], last, held, target, nav, rules, rows)
        except _StopRun as stop:
            return Outcome(stop.problem, row, stop.column)
        held, last = rows.traded[row], prices[row]
    return Outcome("")


def _step(
    row: int, now: Floats, last: Floats, held: Floats, target: Floats | None, nav: float, rules: Rules, rows: RowArrays
) -> float:
    commission, tolerance, policy = rules
    unpriced = np.isnan(now)
    _refuse_first(~unpriced & ~((now > 0.0) & (now < np.inf)), "price")
    growth = _growth(now, last, held)
    gross = 1.0 + in_order_sum(held * (growth - 1.0))
    if not gross > 0.0:
        raise _StopRun("ruin")
    drifted = held * growth * (1.0 / gross)
    sold = unpriced & (drifted != 0.0)
    executed = np.where(unpriced, 0.0, drifted)
    if target is not None:
        executed = _executed(drifted, target, unpriced, tolerance, policy)
    turnover = in_order_sum(np.abs(executed - drifted))
    after_fees = 1.0 - commission * turnover
    net = gross * after_fees - 1.0
    rows.fees[row] = nav * gross * commission * turnover
    nav = nav * (1.0 + net)
    if not nav > 0.0:
        raise _StopRun("ruin")
    rows.nav[row], rows.returns[row], rows.turnover[row] = nav, net, turnover
    rows.cash[row] = 1.0 - in_order_sum(executed)
    rows.sold[row] = np.count_nonzero(sold)
    rows.gross[row], rows.taken[row], rows.traded[row] = gross, False, executed
    return nav


def _growth(now: Floats, last: Floats, held: Floats) -> Floats:
    growth = np.ones(now.shape)
    return np.divide(now, last, out=growth, where=(held != 0.0) & ~np.isnan(now))


def drifted(now: Floats, last: Floats, held: Floats, gross: Floats) -> Floats:
    """Drift executed weights to just before the next trade, in the engine's own operations: the same bits.

    Parameters
    ----------
    now, last
        float64[T, N], prices of each row and of the row before.
    held
        float64[T, N], executed weights of the row before.
    gross
        float64[T], gross growth 1 + G of each row.

    Returns
    -------
    float64[T, N]
    """
    return held * _growth(now, last, held) * (1.0 / gross)[:, np.newaxis]


def _executed(drifted: Floats, target: Floats, unpriced: Flags, tolerance: float, policy: int) -> Floats:
    _refuse_first(~np.isfinite(target), "target")
    wanted = np.where(unpriced, 0.0, target)
    missing = unpriced & (target != 0.0)
    if policy != CASH and missing.any():
        if policy == ERROR:
            _refuse_first(missing, "unpriced")
        wanted = wanted * _scale(wanted, target)
    if tolerance > 0.0:
        small = (wanted != 0.0) & (np.abs(wanted - drifted) < tolerance)
        wanted = np.where(small, drifted, wanted)
    return wanted


def _scale(wanted: Floats, target: Floats) -> float:
    if not wanted.any():
        return 1.0
    rest = in_order_sum(wanted)
    if rest == 0.0:
        raise _StopRun("spread")
    return in_order_sum(target) / rest


def _refuse_first(wrong: Flags, problem: Problem) -> None:
    if wrong.any():
        raise _StopRun(problem, int(np.flatnonzero(wrong)[0]))
