"""Target weights and prices become a portfolio (METHODOLOGY sections 4 and 5, worked example in section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.kernels import worth_compiling
from mainsequence.compute.rebalance_steps import Outcome, RowArrays, drifted, run_rows
from mainsequence.compute.weights import MISSING_WEIGHT, MissingWeight, Targets, cannot_spread, check_policy
from mainsequence.domain.times import MIN_MICROS, open_datetime
from mainsequence.errors import (
    InvalidWeightsError,
    PortfolioRuinedError,
    UnpricedWeightError,
    ValidationError,
)

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

NEVER = MIN_MICROS
"""``last_rebalance`` before the first rebalance time."""


@dataclass(frozen=True, slots=True, eq=False)
class EngineState:
    """All that a run needs to go on where another one ended; it is also the last row of the portfolio's output.

    Parameters
    ----------
    weights
        float64[N], executed weights after the last stamp.
    prices
        float64[N], prices at the last stamp; NaN where there was none, which is refused for an asset that is held.
    nav
        Net asset value at the last stamp.
    time
        The last stamp, microseconds UTC.
    last_rebalance
        The last rebalance time, microseconds UTC; `NEVER` if there was none.
    """

    weights: Floats
    prices: Floats
    nav: float
    time: int
    last_rebalance: int = NEVER

    @classmethod
    def before_first_trade(cls, asset_count: int) -> EngineState:
        """Everything in cash, NAV 1."""
        return cls(np.zeros(asset_count), np.full(asset_count, np.nan), 1.0, NEVER)

    def rearranged(self, columns: Integers) -> EngineState:
        """Give the state for other columns: entry ``k`` is the old column of new column ``k``, -1 for a new asset.

        Raises
        ------
        ValidationError
            An asset that is held would be left out.
        """
        lost = np.setdiff1d(np.flatnonzero(self.weights), columns)
        if len(lost):
            raise ValidationError(f"Asset {lost[0]} is held and cannot be left out.", columns=[int(at) for at in lost])
        new = columns < 0
        weights = np.where(new, 0.0, self.weights[columns])
        return EngineState(
            weights, np.where(new, np.nan, self.prices[columns]), self.nav, self.time, self.last_rebalance
        )


@dataclass(frozen=True, slots=True)
class StaleSale:
    """An asset whose price ended while it was held, sold at its last price.

    Parameters
    ----------
    time
        Stamp at which the price was missing, microseconds UTC.
    column
        Position of the asset.
    weight
        Drifted weight that was sold.
    price
        The last price, at which it was sold.
    """

    time: int
    column: int
    weight: float
    price: float


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What a portfolio did, one row per stamp.

    Parameters
    ----------
    times
        int64[T], microseconds UTC.
    nav, returns, turnover, fees, cash
        float64[T]. ``returns`` are net; compounding them gives ``nav``. ``fees`` are money in units of the NAV that
        was 1 at the start: NAV before the trade times commission times turnover. ``cash`` is 1 - Σ executed weights.
    gross
        float64[T], 1 + G, growth before commission.
    prices, targets
        As given.
    taken, traded
        Executed weights: those of the target where ``taken``, bool[T], and else those in ``traded``, float64[T, N].
    last_rebalance
        int64[T], latest rebalance time up to the stamp; `NEVER` before the first.
    stale_sales
        Assets sold because their price ended, in order of time and column.
    start, state
        Where the run began and ended; give ``state`` to the next `simulate`.
    """

    times: Integers
    nav: Floats
    returns: Floats
    turnover: Floats
    fees: Floats
    cash: Floats
    gross: Floats
    prices: Floats
    targets: Targets
    taken: Flags
    traded: Floats
    last_rebalance: Integers
    stale_sales: tuple[StaleSale, ...]
    start: EngineState
    state: EngineState

    def __len__(self) -> int:
        return len(self.times)

    @property
    def weight_after(self) -> Floats:
        """Executed weights just after the trade, float64[T, N]; made each time it is asked for."""
        whole: Floats = np.where(self.taken[:, np.newaxis], self.targets.at_stamps(), self.traded)
        return whole

    @property
    def weight_before(self) -> Floats:
        """Drifted weights just before the trade, float64[T, N]; made each time it is asked for."""
        return _weight_before(self.prices, self.weight_after, self.gross, self.start)


def simulate(
    times: Integers,
    prices: Floats,
    targets: Targets | Floats,
    rebalance: Flags,
    *,
    commission_fee: float = 0.0,
    tolerance: float = 0.0,
    missing_weight: MissingWeight = "cash",
    state: EngineState | None = None,
    out: RowArrays | None = None,
    jit: bool | None = None,
) -> Simulation:
    """Run a portfolio over its grid.

    With drifted weight d, executed weight w, price P and commission c::

        r_i,t = P_i,t / P_i,t-1 - 1        G_t = Σ w_i,t-1 r_i,t        d_i,t = w_i,t-1 (1 + r_i,t) / (1 + G_t)
        T_t = Σ |w_i,t - d_i,t|            R_t = (1 + G_t)(1 - c T_t) - 1            V_t = V_t-1 (1 + R_t)

    Sums run in column order, so that assets that are never held, and resuming, change no bit.

    Parameters
    ----------
    times
        int64[T], stamps in microseconds UTC, strictly increasing and after the state's.
    prices
        float64[T, N], positive; NaN where there is none. Prices are those of `bars.interpolate`: a missing one means
        that the asset is not listed yet or that its staleness limit is reached. An asset that is held when its price
        ends is sold at its last price, pays commission and is listed in ``stale_sales``.
    targets
        `Targets` (compact), or one row per stamp as float64[T, N]. Rows are read at rebalance times only. Where no
        posting is active the target is all cash.
    rebalance
        bool[T], the rebalance times; see `schedules.rebalance_times`.
    commission_fee
        c, per unit of turnover.
    tolerance
        No-trade band: at a rebalance time an asset stays as it drifted if its trade would be smaller than this in
        weight. Leaving an asset altogether is never skipped.
    missing_weight
        What happens to target weight on an asset without a price.
    state
        Where an earlier run ended. Not given: the portfolio starts with NAV 1 in cash.
    out
        Arrays to write into, for callers that run often; they belong to the result until the next call.
    jit
        Force the compiled (True) or the plain NumPy path (False). They give the same bits.

    Raises
    ------
    ValidationError
        Shapes that do not fit, stamps that do not increase, prices that are zero, negative or infinite.
    InvalidWeightsError
        Null or infinite targets at a rebalance time.
    UnpricedWeightError
        Target weight without a price, where ``missing_weight`` is ``"error"`` or cannot be spread.
    PortfolioRuinedError
        The NAV reaches zero; names the stamp.
    """
    wanted = targets if isinstance(targets, Targets) else Targets.dense(targets)
    start = state or EngineState.before_first_trade(prices.shape[-1])
    check_policy(missing_weight)
    _check_shapes(times, prices, wanted, rebalance, start)
    _check_numbers(commission_fee, tolerance)
    rows = out or RowArrays.empty(*prices.shape)
    outcome = run_rows(
        (prices, wanted.weights, wanted.rows, rebalance),
        (start.weights, start.prices, start.nav),
        (commission_fee, tolerance, MISSING_WEIGHT.index(missing_weight)),
        rows,
        compiled=worth_compiling(prices.size, "mainsequence.compute.rebalance_kernel", jit),
    )
    if outcome.problem:
        raise _problem(outcome, times, prices, wanted)
    return _simulation(times, prices, wanted, rebalance, rows, start)


def _check_shapes(times: Integers, prices: Floats, targets: Targets, rebalance: Flags, state: EngineState) -> None:
    count, width = prices.shape
    found = (times.shape, targets.rows.shape, rebalance.shape, targets.weights.shape[1:], state.weights.shape)
    if found != ((count,), (count,), (count,), (width,), (width,)):
        raise ValidationError(
            f"Prices {prices.shape} do not fit times {found[0]}, target rows {found[1]}, rebalance {found[2]}, "
            f"targets {targets.weights.shape} and state {found[4]}."
        )
    if count and (state.time >= times[0] or np.any(times[1:] <= times[:-1])):
        raise ValidationError(
            "Stamps must increase strictly, and start after the state's.",
            hint=f"The state ends at {open_datetime(state.time)}, the first stamp is {open_datetime(int(times[0]))}.",
        )
    if np.any((state.weights != 0.0) & ~(state.prices > 0.0)):
        raise ValidationError(
            "The state holds an asset that has no price.", hint="Resume from a state as it was given."
        )


def _check_numbers(commission_fee: float, tolerance: float) -> None:
    for name, value in (("commission_fee", commission_fee), ("tolerance", tolerance)):
        if not 0.0 <= value < 1.0:
            raise ValidationError(f"{name} must be in [0, 1), got {value}.")


def _problem(outcome: Outcome, times: Integers, prices: Floats, targets: Targets) -> Exception:
    at, row, column = open_datetime(int(times[outcome.row])), outcome.row, outcome.column
    if outcome.problem == "price":
        return ValidationError(
            f"At {at} asset {column} has price {prices[row, column]}.",
            hint="Prices must be positive and finite; leave a missing one null.",
            time=str(at),
            column=column,
        )
    if outcome.problem == "target":
        weight = targets.weights[targets.rows[row], column]
        return InvalidWeightsError(f"At {at} asset {column} has target {weight}.", time=str(at), column=column)
    if outcome.problem == "unpriced":
        return UnpricedWeightError(
            f"At {at} asset {column} has a target weight and no price.",
            hint="Choose 'cash' or 'renormalize' for such weight.",
            time=str(at),
            column=column,
        )
    if outcome.problem == "spread":
        return cannot_spread(int(times[row]))
    return PortfolioRuinedError(
        f"At {at} the net asset value reached zero.", hint="Lower the leverage, or end the run before.", time=str(at)
    )


def _simulation(
    times: Integers, prices: Floats, targets: Targets, rebalance: Flags, rows: RowArrays, start: EngineState
) -> Simulation:
    last = np.maximum.accumulate(np.where(rebalance, times, start.last_rebalance))
    end = start
    if len(times):
        weights = _executed(rows, targets, -1).copy()
        end = EngineState(weights, prices[-1].copy(), float(rows.nav[-1]), int(times[-1]), int(last[-1]))
    return Simulation(
        times,
        *(rows.nav, rows.returns, rows.turnover, rows.fees, rows.cash),
        *(rows.gross, prices, targets, rows.taken, rows.traded),
        last,
        _stale_sales(times, prices, targets, rows, start),
        *(start, end),
    )


def _executed(rows: RowArrays, targets: Targets, row: int) -> Floats:
    found: Floats = rows.traded[row]
    if rows.taken[row]:
        wanted = targets.rows[row]
        found = targets.weights[wanted] if wanted >= 0 else np.zeros(found.shape)
    return found


def _weight_before(prices: Floats, after: Floats, gross: Floats, start: EngineState) -> Floats:
    last, held = (
        np.concatenate([first[np.newaxis], rest[:-1]])[: len(gross)]
        for first, rest in ((start.prices, prices), (start.weights, after))
    )
    return drifted(prices, last, held, gross)


def _stale_sales(
    times: Integers, prices: Floats, targets: Targets, rows: RowArrays, start: EngineState
) -> tuple[StaleSale, ...]:
    found: list[StaleSale] = []
    for row in np.flatnonzero(rows.sold).tolist():
        last = prices[row - 1] if row else start.prices
        before = (_executed(rows, targets, row - 1) if row else start.weights)[np.newaxis]
        held = drifted(prices[row : row + 1], last[np.newaxis], before, rows.gross[row : row + 1])[0]
        found += [
            StaleSale(int(times[row]), int(column), float(held[column]), float(last[column]))
            for column in np.flatnonzero(np.isnan(prices[row]) & (held != 0.0))
        ]
    return tuple(found)
