"""The portfolio engine: the methodology's worked example, hand answers, and an independent package's numbers."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mainsequence.compute.rebalance import NEVER, EngineState, Simulation, simulate
from mainsequence.compute.rebalance_steps import RowArrays
from mainsequence.compute.schedules import rebalance_times
from mainsequence.compute.sessions import Grid
from mainsequence.compute.weights import Postings, Targets, resolve_targets
from mainsequence.domain.times import MICROS_PER_DAY, to_micros
from mainsequence.errors import InvalidWeightsError, PortfolioRuinedError, UnpricedWeightError, ValidationError

NAN, INF = float("nan"), float("inf")
GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(params=[False, True], ids=["plain", "compiled"])
def jit(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def run(prices: Any, targets: Any, jit: bool, rebalance: Any = None, **rules: Any) -> Simulation:
    table = np.array(prices, dtype=np.float64)
    wanted = targets if isinstance(targets, Targets) else np.array(targets, dtype=np.float64)
    flags = np.ones(len(table), dtype=np.bool_) if rebalance is None else np.array(rebalance, dtype=np.bool_)
    times = np.arange(1, len(table) + 1, dtype=np.int64) * MICROS_PER_DAY
    return simulate(times, table, wanted, flags, jit=jit, **rules)


def near(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_the_worked_example(jit: bool) -> None:
    """METHODOLOGY section 7; the fractions below are worked out by hand."""
    result = run(
        [[100, 50], [110, 50], [99, 55], [100, 44]],
        [[0.5, 0.5], [0.5, 0.5], [1, 0], [0, 1]],
        jit,
        commission_fee=0.001,
    )
    t1 = 2 * (0.55 / 1.05 - 0.5)
    returns = [-0.001, 1.05 * (1 - 0.001 * t1) - 1, -0.0011, (100 / 99) * 0.998 - 1]
    near(result.turnover, [1, t1, 1.1, 2])
    near(result.returns, returns)
    near(
        result.nav,
        [0.999, 0.999 * (1 + returns[1]), 0.999 * (1 + returns[1]) * 0.9989, np.prod([1 + r for r in returns])],
    )
    near(result.weight_before, [[0, 0], [0.55 / 1.05, 0.5 / 1.05], [0.45, 0.55], [1, 0]])
    near(result.weight_after, [[0.5, 0.5], [0.5, 0.5], [1, 0], [0, 1]])
    near(result.cash, [0, 0, 0, 0])
    near(result.fees[0], 0.001)
    near(result.fees[1], 0.999 * 1.05 * 0.001 * t1)
    # The numbers that section 7 prints.
    np.testing.assert_allclose(result.returns, [-0.001, 0.04995, -0.0011, 0.0080808], atol=5e-8)
    np.testing.assert_allclose(result.turnover[1], 0.0476190, atol=5e-8)


def test_compounding_the_returns_gives_the_nav_to_the_bit(jit: bool) -> None:
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, (50, 7)), axis=0))
    result = run(prices, np.full((50, 7), 1 / 7), jit, commission_fee=0.002)
    assert np.array_equal(np.multiply.accumulate(1.0 + result.returns), result.nav)


def test_weights_drift_between_rebalance_times_at_no_cost(jit: bool) -> None:
    result = run([[10, 10], [20, 10], [20, 20]], [[0.5, 0.5]] * 3, jit, [True, False, False], commission_fee=0.01)
    near(result.turnover, [1, 0, 0])
    near(result.weight_after[1], [2 / 3, 1 / 3])
    near(result.weight_after[2], [0.5, 0.5])
    near(result.nav, [0.99, 0.99 * 1.5, 0.99 * 2])
    assert result.last_rebalance.tolist() == [MICROS_PER_DAY] * 3


def test_cash_earns_nothing_and_is_what_is_missing_to_one(jit: bool) -> None:
    result = run([[10], [20]], [[0.5]] * 2, jit, [True, False])
    near(result.nav, [1, 1.5])
    near(result.cash, [0.5, 1 / 3])


def test_short_and_levered_weights_are_allowed(jit: bool) -> None:
    result = run([[10, 10], [11, 11]], [[1.5, -0.7]] * 2, jit, [True, False], commission_fee=0.001)
    near(result.turnover[0], 2.2)  # the first trade pays for Σ|w|
    near(result.cash[0], 0.2)
    near(result.nav[1], (1 - 0.0022) * (1 + 0.15 - 0.07))


def test_before_the_first_posting_the_portfolio_is_cash(jit: bool) -> None:
    targets = resolve_targets(
        Postings(np.array([2 * MICROS_PER_DAY]), np.array([[1.0]])), np.arange(1, 4) * MICROS_PER_DAY
    )
    result = run([[10], [10], [11]], targets, jit)
    near(result.nav, [1, 1, 1.1])
    near(result.cash, [1, 0, 0])


def test_when_no_posting_is_active_any_more_all_is_sold(jit: bool) -> None:
    postings = Postings(np.array([MICROS_PER_DAY]), np.array([[1.0]]))
    targets = resolve_targets(postings, np.arange(1, 4) * MICROS_PER_DAY, maximum_forward_fill=MICROS_PER_DAY)
    result = run([[10], [10], [20]], targets, jit)
    near(result.turnover, [1, 0, 1])
    near(result.cash, [0, 0, 1])
    near(result.nav, [1, 1, 2])


def test_a_stale_asset_is_sold_at_its_last_price_pays_and_is_listed(jit: bool) -> None:
    result = run(
        [[10, 10], [12, 10], [NAN, 10], [NAN, 20]],
        [[0.5, 0.5]] * 4,
        jit,
        [True, False, False, False],
        commission_fee=0.01,
    )
    (sale,) = result.stale_sales
    assert (sale.time, sale.column, sale.price) == (3 * MICROS_PER_DAY, 0, 12.0)
    near(sale.weight, 0.6 / 1.1)
    near(result.turnover[2], 0.6 / 1.1)
    near(result.weight_after[2], [0, 0.5 / 1.1])
    near(result.returns[2], -0.01 * 0.6 / 1.1)
    near(result.returns[3], 0.5 / 1.1)


def test_a_stale_asset_is_not_bought_again_until_it_has_a_price(jit: bool) -> None:
    result = run([[10], [NAN], [NAN], [5]], [[1.0]] * 4, jit)
    near(result.weight_after, [[1], [0], [0], [1]])
    near(result.nav, [1, 1, 1, 1])
    assert [sale.time // MICROS_PER_DAY for sale in result.stale_sales] == [2]


@pytest.mark.parametrize(("policy", "weights"), [("cash", [0.4, 0, 0.2]), ("renormalize", [2 / 3, 0, 1 / 3])])
def test_weight_without_a_price_goes_where_the_policy_says(jit: bool, policy: str, weights: list[float]) -> None:
    result = run([[10, NAN, 10]], [[0.4, 0.4, 0.2]], jit, missing_weight=policy)
    near(result.weight_after[0], weights)
    near(result.cash[0], 1 - sum(weights))


def test_weight_without_a_price_can_fail_the_run(jit: bool) -> None:
    with pytest.raises(UnpricedWeightError, match=r"1970-01-03.*asset 1"):
        run([[10, 10], [10, NAN]], [[0.5, 0.5]] * 2, jit, missing_weight="error")
    fine = run([[10, 10], [10, NAN]], [[1.0, 0.0]] * 2, jit, missing_weight="error")
    near(fine.nav, [1, 1])


def test_weights_that_cancel_out_cannot_be_renormalised(jit: bool) -> None:
    with pytest.raises(UnpricedWeightError, match="sum to zero"):
        run([[10, 10, NAN]], [[0.5, -0.5, 0.3]], jit, missing_weight="renormalize")
    all_missing = run([[NAN, NAN]], [[0.5, 0.5]], jit, missing_weight="renormalize")
    near(all_missing.cash, [1])


def test_a_no_trade_band_skips_small_trades_but_never_an_exit(jit: bool) -> None:
    prices = [[10, 10, 10], [11, 10, 10]]
    targets = [[0.5, 0.49, 0.01], [0.5, 0.49, 0.0]]
    result = run(prices, targets, jit, tolerance=0.03)
    near(result.weight_after[0], [0.5, 0.49, 0.0])  # a purchase of 0.01 is too small
    near(result.weight_after[1], [0.55 / 1.05, 0.49 / 1.05, 0])  # trades of 0.024 and 0.023 are too small
    near(result.turnover, [0.99, 0])
    held = run(prices, [[0.5, 0.45, 0.05], [0.5, 0.45, 0.0]], jit, tolerance=0.06)
    near(held.weight_after[0], [0.5, 0.45, 0.0])
    leaving = run(prices, [[0.5, 0.42, 0.08], [0.5, 0.42, 0.0]], jit, tolerance=0.078)
    near(leaving.weight_after[1], [0.55 / 1.05, 0.42 / 1.05, 0])
    near(leaving.turnover[1], 0.08 / 1.05)


def test_a_ruined_portfolio_names_the_stamp(jit: bool) -> None:
    with pytest.raises(PortfolioRuinedError, match="1970-01-04"):
        run([[10], [14], [20]], [[-2.0]] * 3, jit, [True, False, False])
    with pytest.raises(PortfolioRuinedError, match="1970-01-02"):
        run([[10], [10]], [[2.0]] * 2, jit, commission_fee=0.5)
    with pytest.raises(PortfolioRuinedError, match="1970-01-03"):
        run([[10], [10]], [[1.0], [-1.0]], jit, commission_fee=0.5)


@pytest.mark.parametrize("price", [0.0, -1.0, INF, -INF])
def test_impossible_prices_are_refused(jit: bool, price: float) -> None:
    with pytest.raises(ValidationError, match=r"1970-01-03.*asset 1"):
        run([[10, 10], [10, price]], [[0.5, 0.0]] * 2, jit)


@pytest.mark.parametrize("weight", [NAN, INF, -INF])
@pytest.mark.parametrize("price", [10.0, NAN])
def test_null_and_infinite_targets_are_refused(jit: bool, weight: float, price: float) -> None:
    with pytest.raises(InvalidWeightsError, match=r"1970-01-03.*asset 1"):
        run([[10, 10], [10, price], [10, 10]], [[0.5, 0.0], [0.5, weight], [0.5, 0.5]], jit)


def test_targets_are_read_at_rebalance_times_only(jit: bool) -> None:
    near(run([[10], [10]], [[1.0], [NAN]], jit, [True, False]).nav, [1, 1])


def test_a_run_resumes_where_another_ended(jit: bool) -> None:
    first = run([[10, NAN], [11, 5]], [[1.0, 0.0]] * 2, jit)
    assert first.state.nav == first.nav[-1]
    assert first.state.time == 2 * MICROS_PER_DAY
    state = first.state.rearranged(np.array([1, -1, 0]))
    times = np.array([3 * MICROS_PER_DAY])
    second = simulate(
        times, np.array([[5.0, 1.0, 22.0]]), np.array([[0, 0, 1.0]]), np.array([False]), state=state, jit=jit
    )
    near(second.nav, [2 * 1.1])
    assert second.last_rebalance.tolist() == [2 * MICROS_PER_DAY]


def test_a_state_cannot_forget_what_it_holds() -> None:
    state = EngineState(np.array([0.5, 0.0]), np.array([1.0, 1.0]), 1.0, 0)
    assert state.rearranged(np.array([0])).weights.tolist() == [0.5]
    with pytest.raises(ValidationError, match="Asset 0 is held"):
        state.rearranged(np.array([1]))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (EngineState(np.array([1.0]), np.array([1.0]), 1.0, MICROS_PER_DAY), "after the state"),
        (EngineState(np.array([1.0]), np.array([NAN]), 1.0, 0), "no price"),
        (EngineState(np.array([1.0, 0.0]), np.array([1.0, 1.0]), 1.0, 0), "do not fit"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(state: EngineState, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run([[1.0]], [[1.0]], False, state=state)


@pytest.mark.parametrize("rules", [{"commission_fee": -0.1}, {"commission_fee": NAN}, {"tolerance": 1.0}])
def test_impossible_rules_are_refused(rules: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(rules))):
        run([[1.0]], [[1.0]], False, **rules)


def test_stamps_must_increase() -> None:
    times = np.array([5, 5])
    with pytest.raises(ValidationError, match="increase strictly"):
        simulate(times, np.ones((2, 1)), np.ones((2, 1)), np.ones(2, dtype=np.bool_))


def test_an_empty_run_changes_nothing(jit: bool) -> None:
    state = EngineState(np.array([0.5]), np.array([3.0]), 1.5, 7, 6)
    result = run(np.empty((0, 1)), np.empty((0, 1)), jit, state=state)
    assert len(result) == 0
    assert result.state is state
    assert EngineState.before_first_trade(1).last_rebalance == NEVER


def test_out_is_written_into(jit: bool) -> None:
    rows = RowArrays.empty(2, 1)
    assert run([[1.0], [2.0]], [[1.0]] * 2, jit, out=rows).nav is rows.nav


def stocks() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Dates (midnight UTC) and closes of the 20 real stocks inside skfolio."""
    datasets = pytest.importorskip("skfolio.datasets", reason="the real prices ship inside skfolio")
    frame = datasets.load_sp500_dataset()
    dates = np.array([to_micros(f"{day:%Y-%m-%d}") for day in frame.index], dtype=np.int64)
    return dates, np.ascontiguousarray(frame.to_numpy(dtype=np.float64))


def answers(column: str) -> np.ndarray[Any, Any]:
    with (GOLDEN / "bt_nav.csv").open() as lines:
        return np.array([float(row[column]) for row in csv.DictReader(lines)])


@pytest.mark.parametrize(
    ("answer", "frequency", "weights"),
    [
        ("equal_monthly", "monthly", np.full(20, 1 / 20)),
        ("fixed_daily", "every_stamp", np.arange(1, 21) / 210),
    ],
)
def test_without_fees_the_engine_equals_bt_on_real_stocks(jit: bool, answer: str, frequency: Any, weights: Any) -> None:
    dates, prices = stocks()
    grid = Grid(dates, dates, np.arange(len(dates)), int(dates[0]) - 1)
    targets = Targets(weights[None, :], np.zeros(len(dates), dtype=np.int64), np.ones(len(dates), dtype=np.bool_))
    result = simulate(dates, prices, targets, rebalance_times(grid, frequency), jit=jit)
    np.testing.assert_allclose(result.nav, answers(answer), rtol=1e-9)
