"""What a portfolio's history comes to: growth, risk and trading, one number each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.returns import compound, drawdown
from mainsequence.domain.times import MICROS_PER_DAY
from mainsequence.errors import ValidationError

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

SESSIONS_PER_YEAR = 252
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Performance:
    """Measures of one history; see the functions of this module for their definitions."""

    cagr: float
    volatility: float
    sharpe: float
    max_drawdown: float
    turnover: float


def years_between(first: int, last: int) -> float:
    """Years of 365.25 days between two instants, microseconds UTC."""
    return (last - first) / (DAYS_PER_YEAR * MICROS_PER_DAY)


def cagr(nav: Floats, times: Integers, start: float = 1.0) -> float:
    """Compound annual growth rate: (last NAV / start) ^ (1 / years) - 1.

    Parameters
    ----------
    nav
        float64[T].
    times
        int64[T], microseconds UTC. Years run from the first stamp to the last, 365.25 days each.
    start
        NAV before the first row; 1 for a portfolio.

    Raises
    ------
    ValidationError
        Fewer than two rows: no time passed.
    """
    _check_rows(nav, 2)
    return float((nav[-1] / start) ** (1.0 / years_between(int(times[0]), int(times[-1]))) - 1.0)


def volatility(returns: Floats, periods_per_year: float = SESSIONS_PER_YEAR) -> float:
    """Annualised volatility: sample standard deviation of the returns (n - 1) times √periods_per_year."""
    _check_rows(returns, 2)
    return float(np.std(returns, ddof=1) * np.sqrt(periods_per_year))


def sharpe(returns: Floats, periods_per_year: float = SESSIONS_PER_YEAR, risk_free: float = 0.0) -> float:
    """Sharpe ratio: mean return above the risk-free one, over its sample standard deviation, times √periods_per_year.

    Parameters
    ----------
    returns
        float64[T], simple returns per period.
    periods_per_year
        252 for sessions.
    risk_free
        Risk-free return per year, spread evenly over its periods.

    Returns
    -------
    float
        NaN when the returns do not vary.
    """
    _check_rows(returns, 2)
    excess = returns - risk_free / periods_per_year
    deviation = float(np.std(excess, ddof=1))
    return float(np.mean(excess)) / deviation * float(np.sqrt(periods_per_year)) if deviation > 0.0 else float("nan")


def max_drawdown(nav: Floats, start: float | None = None) -> float:
    """Deepest fall from a peak, as a negative fraction (-0.25 is a fall by a quarter); 0 if it never fell."""
    _check_rows(nav, 1)
    return float(drawdown(nav, start).min())


def annual_turnover(turnover: Floats, times: Integers) -> float:
    """Give Σ T_t over years, the first purchase of the portfolio left out; both sides count: 2 replaces it all once.

    Parameters
    ----------
    turnover
        float64[T], Σ |executed - drifted| of each stamp.
    times
        int64[T], microseconds UTC.
    """
    _check_rows(turnover, 2)
    return float(turnover[1:].sum() / years_between(int(times[0]), int(times[-1])))


def performance(
    returns: Floats,
    turnover: Floats,
    times: Integers,
    *,
    periods_per_year: float = SESSIONS_PER_YEAR,
    risk_free: float = 0.0,
) -> Performance:
    """Measure a portfolio's output: net returns, turnover and stamps, one row each. NAV before the first row is 1."""
    nav = compound(returns)
    return Performance(
        cagr=cagr(nav, times),
        volatility=volatility(returns, periods_per_year),
        sharpe=sharpe(returns, periods_per_year, risk_free),
        max_drawdown=max_drawdown(nav, 1.0),
        turnover=annual_turnover(turnover, times),
    )


def _check_rows(column: npt.NDArray[np.generic], least: int) -> None:
    if len(column) < least:
        raise ValidationError(f"This measure needs at least {least} rows, got {len(column)}.")
