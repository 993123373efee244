"""Measures, against answers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mainsequence.compute.metrics import annual_turnover, cagr, max_drawdown, performance, sharpe, volatility
from mainsequence.compute.returns import compound, drawdown, simple_returns
from mainsequence.domain.times import MICROS_PER_DAY
from mainsequence.errors import ValidationError

YEAR = int(365.25 * MICROS_PER_DAY)


def test_returns_compound_back_to_prices() -> None:
    returns = simple_returns(np.array([100.0, 110.0, 99.0]))
    assert math.isnan(returns[0])
    np.testing.assert_allclose(returns[1:], [0.1, -0.1], rtol=1e-14)
    np.testing.assert_allclose(compound(returns[1:], 100.0), [110.0, 99.0], rtol=1e-14)


def test_a_missing_price_has_no_return() -> None:
    returns = simple_returns(np.array([[1.0, 1.0], [math.nan, 2.0], [2.0, 2.0]]))
    assert np.isnan(returns[1:, 0]).all()
    assert returns[1:, 1].tolist() == [1.0, 0.0]


def test_growth_is_per_year_of_365_and_a_quarter_days() -> None:
    assert cagr(np.array([1.0, 4.0]), np.array([0, 2 * YEAR])) == pytest.approx(1.0, rel=1e-14)
    assert cagr(np.array([1.1, 1.21]), np.array([0, YEAR]), start=1.1) == pytest.approx(0.1, rel=1e-12)


def test_volatility_is_the_sample_deviation_over_a_year() -> None:
    assert volatility(np.array([0.01, -0.01])) == pytest.approx(math.sqrt(0.0002) * math.sqrt(252), rel=1e-14)


def test_sharpe_is_mean_over_deviation() -> None:
    returns = np.array([0.03, 0.01])
    assert sharpe(returns) == pytest.approx(0.02 / math.sqrt(0.0002) * math.sqrt(252), rel=1e-12)
    assert sharpe(returns, risk_free=2.52) == pytest.approx(0.01 / math.sqrt(0.0002) * math.sqrt(252), rel=1e-12)
    assert math.isnan(sharpe(np.zeros(3)))


def test_the_deepest_fall_is_from_the_highest_peak_before_it() -> None:
    nav = np.array([1.0, 2.0, 1.0, 3.0, 2.4])
    assert max_drawdown(nav) == -0.5
    np.testing.assert_allclose(drawdown(nav), [0, 0, -0.5, 0, -0.2], rtol=1e-14)
    assert max_drawdown(np.array([0.9, 1.5]), start=1.0) == pytest.approx(-0.1)
    assert max_drawdown(np.array([1.0, 2.0])) == 0.0


def test_turnover_leaves_out_the_first_purchase() -> None:
    assert annual_turnover(np.array([1.0, 0.5, 1.5]), np.array([0, YEAR, 4 * YEAR])) == 0.5


def test_performance_gathers_them() -> None:
    times = np.array([0, YEAR // 2, YEAR])
    result = performance(np.array([0.0, 0.5, -0.2]), np.array([1.0, 0.2, 0.4]), times)
    assert result.cagr == pytest.approx(0.2, rel=1e-12)
    assert result.max_drawdown == pytest.approx(-0.2, rel=1e-12)
    assert result.turnover == pytest.approx(0.6, rel=1e-12)


def test_too_little_history_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 2"):
        cagr(np.array([1.0]), np.array([0]))
