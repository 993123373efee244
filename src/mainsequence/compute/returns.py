"""Returns and what compounds from them (METHODOLOGY sections 4 and 5). Arrays have one row per stamp."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


def simple_returns(prices: Floats) -> Floats:
    """Give P_t / P_t-1 - 1 for each row; NaN in the first row and wherever either price is missing.

    Parameters
    ----------
    prices
        float64[T] or float64[T, N].
    """
    returns = np.full(prices.shape, np.nan)
    returns[1:] = prices[1:] / prices[:-1] - 1.0
    return returns


def compound(returns: Floats, start: float = 1.0) -> Floats:
    """Net asset value V_t = V_t-1 (1 + R_t), step by step as the engine does, from the value before the first row."""
    return np.multiply.accumulate(np.concatenate(([start], 1.0 + returns)))[1:]


def drawdown(nav: Floats, start: float | None = None) -> Floats:
    """Give V_t / max(V up to t) - 1, float64[T], never positive.

    Parameters
    ----------
    nav
        float64[T].
    start
        Value before the first row, counted as a peak; None for none.
    """
    peaks = np.maximum.accumulate(nav)
    return nav / (peaks if start is None else np.maximum(peaks, start)) - 1.0
