"""Bars on a grid: answers written by hand from METHODOLOGY section 2."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mainsequence.compute.bar_columns import Bars, to_matrix
from mainsequence.compute.bars import (
    BarState,
    Interpolation,
    aggregate,
    interpolate,
    stamp_daily_bars,
)
from mainsequence.compute.sessions import Grid, daily_grid, intraday_grid, schedule
from mainsequence.domain.frequency import Frequency
from mainsequence.domain.times import to_micros
from mainsequence.errors import ValidationError

NAN = float("nan")
INF = float("inf")


def grid_of(count: int, *, sessions: list[int] | None = None) -> Grid:
    """Stamps 10, 20, 30 …; one session each unless told otherwise."""
    stamps = np.arange(1, count + 1, dtype=np.int64) * 10
    ordinals = np.array(sessions, dtype=np.int64) if sessions else np.arange(100, 100 + count, dtype=np.int64)
    return Grid(stamps, ordinals * 1000, ordinals, 0)


def bars_of(rows: list[tuple[Any, ...]], *names: str) -> Bars:
    """Rows of (asset, time, value of each named column)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * (2 + len(names))
    values = {name: np.array(column, dtype=np.float64) for name, column in zip(names, columns[2:], strict=True)}
    return Bars(np.array(columns[0], dtype=np.int32), np.array(columns[1], dtype=np.int64), **values)


@pytest.fixture(params=[False, True], ids=["plain", "compiled"])
def jit(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def run(bars: Bars, grid: Grid, jit: bool, assets: int = 1, limit: int = 5, **rules: Any) -> Interpolation:
    return interpolate(bars, grid, asset_count=assets, staleness_limit=limit, jit=jit, **rules)


def same(found: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))


EVERYTHING = ("open", "high", "low", "close", "volume", "vwap", "trade_count")


def test_an_observed_row_keeps_all_its_columns_and_a_gap_takes_the_close(jit: bool) -> None:
    bars = bars_of(
        [(0, 10, 9.0, 12.0, 8.0, 11.0, 500.0, 10.5, 7.0), (0, 30, 1.0, 2.0, 0.5, 1.5, 9.0, 1.2, 3.0)], *EVERYTHING
    )
    rows = run(bars, grid_of(3), jit).bars
    same(rows.time, [10, 20, 30])
    same(rows.open, [9, 11, 1])
    same(rows.high, [12, 11, 2])
    same(rows.low, [8, 11, 0.5])
    same(rows.close, [11, 11, 1.5])
    same(rows.volume, [500, 0, 9])
    same(rows.vwap, [10.5, 11, 1.2])
    same(rows.trade_count, [7, 0, 3])
    assert rows.interpolated is not None
    assert rows.interpolated.tolist() == [False, True, False]


def test_an_interval_is_open_on_the_left_and_closed_on_the_right(jit: bool) -> None:
    rows = run(bars_of([(0, 10, 1.0), (0, 11, 2.0), (0, 20, 3.0), (0, 21, 4.0)], "close"), grid_of(3), jit).bars
    same(rows.close, [1, 3, 4])


def test_a_null_elsewhere_never_hides_an_observed_close(jit: bool) -> None:
    rows = run(bars_of([(0, 10, NAN, 5.0, NAN)], "open", "close", "volume"), grid_of(2), jit).bars
    same(rows.close, [5, 5])
    same(rows.open, [NAN, 5])
    same(rows.volume, [NAN, 0])
    assert rows.interpolated is not None
    assert rows.interpolated.tolist() == [False, True]


def test_a_null_close_is_no_observation(jit: bool) -> None:
    bars = bars_of([(0, 10, NAN, 1.0), (0, 20, 5.0, 2.0), (0, 30, NAN, 4.0)], "close", "volume")
    rows = run(bars, grid_of(3), jit).bars
    same(rows.time, [20, 30])
    same(rows.close, [5, 5])
    same(rows.volume, [2, 0])


def test_there_are_no_rows_before_the_first_observation(jit: bool) -> None:
    bars = bars_of([(0, 30, 1.0), (2, 10, 2.0)], "close")
    rows = run(bars, grid_of(4), jit, assets=4).bars
    assert rows.asset.tolist() == [0, 0, 2, 2, 2, 2]
    same(rows.time, [30, 40, 10, 20, 30, 40])


def test_several_bars_in_one_step_are_aggregated(jit: bool) -> None:
    bars = bars_of(
        [
            (0, 1, 10.0, 15.0, 9.0, 14.0, 100.0, 12.0, 5.0),
            (0, 4, NAN, 99.0, 0.1, NAN, 999.0, 50.0, 99.0),  # no close: not looked at
            (0, 5, 14.0, 20.0, 13.0, 19.0, 300.0, 16.0, 2.0),
            (0, 9, 19.0, 19.5, 7.0, 8.0, NAN, 18.0, NAN),
        ],
        *EVERYTHING,
    )
    rows = run(bars, grid_of(1), jit).bars
    same(rows.open, [10])
    same(rows.high, [20])
    same(rows.low, [7])
    same(rows.close, [8])
    same(rows.volume, [400])
    same(rows.vwap, [(12 * 100 + 16 * 300) / 400])
    same(rows.trade_count, [7])


def test_the_vwap_of_untraded_bars_is_the_last(jit: bool) -> None:
    rows = run(bars_of([(0, 1, 1.0, 0.0, 5.0), (0, 2, 1.0, 0.0, 6.0)], "close", "volume", "vwap"), grid_of(1), jit).bars
    same(rows.vwap, [6])


def test_a_value_older_than_the_staleness_limit_is_null(jit: bool) -> None:
    rows = run(bars_of([(0, 10, 7.0, 1.0)], "close", "volume"), grid_of(5), jit, limit=2).bars
    same(rows.close, [7, 7, 7, NAN, NAN])
    same(rows.volume, [1, 0, 0, NAN, NAN])
    assert rows.interpolated is not None
    assert rows.interpolated.tolist() == [False, True, True, True, True]


def test_intraday_staleness_counts_sessions_not_rows(jit: bool) -> None:
    grid = grid_of(6, sessions=[1, 1, 1, 2, 2, 3])
    same(run(bars_of([(0, 10, 7.0)], "close"), grid, jit, limit=1).bars.close, [7, 7, 7, 7, 7, NAN])


def test_without_fill_gaps_stay_gaps(jit: bool) -> None:
    rows = run(bars_of([(0, 10, 7.0, 3.0), (0, 30, 8.0, 4.0)], "close", "volume"), grid_of(4), jit, fill="none").bars
    same(rows.close, [7, NAN, 8, NAN])
    same(rows.volume, [3, NAN, 4, NAN])


def test_an_asset_comes_back_after_it_went_stale(jit: bool) -> None:
    rows = run(bars_of([(0, 10, 7.0), (0, 40, 9.0)], "close"), grid_of(5), jit, limit=1).bars
    same(rows.close, [7, 7, NAN, 9, 9])


def test_assets_are_independent(jit: bool) -> None:
    alone = run(bars_of([(0, 10, 1.0), (0, 30, 2.0)], "close"), grid_of(4), jit).bars
    among = run(
        bars_of([(0, 20, 5.0), (1, 10, 1.0), (1, 30, 2.0), (2, 40, 9.0)], "close"), grid_of(4), jit, assets=3
    ).bars
    same(among.close[among.asset == 1], alone.close.tolist())


def test_bars_outside_the_grid_are_left_alone(jit: bool) -> None:
    grid = Grid(np.array([20, 30]), np.array([0, 0]), np.array([1, 2]), 10)
    rows = run(bars_of([(0, 5, 1.0), (0, 10, 2.0), (0, 25, 3.0), (0, 31, 4.0)], "close"), grid, jit).bars
    same(rows.time, [30])
    same(rows.close, [3])


def test_a_state_carries_what_was_known_before(jit: bool) -> None:
    state = BarState(np.array([7.0, NAN]), np.array([97, 0]))
    result = run(bars_of([(1, 20, 5.0)], "close"), grid_of(4), jit, assets=2, state=state)
    same(result.bars.close, [7, 7, 7, NAN, 5, 5, 5])  # sessions 98, 99, 100 … would be 1, 2, 3 sessions old
    same(result.state.closes, [7, 5])
    assert result.state.ordinals.tolist() == [97, 101]


def test_a_state_is_read_off_stored_rows() -> None:
    new_york = schedule("XNYS")
    closes = np.array([to_micros("2024-01-05T21:00:00Z"), to_micros("2024-01-04T15:30:00Z")])
    state = BarState.of(3, np.array([2, 0]), closes, np.array([1.0, 2.0]), new_york)
    same(state.closes, [2, NAN, 1])
    assert new_york.dates[state.ordinals[2]] == to_micros("2024-01-05")
    assert new_york.dates[state.ordinals[0]] == to_micros("2024-01-04")


def test_an_empty_grid_and_no_bars_give_no_rows(jit: bool) -> None:
    nothing = bars_of([], "close")
    empty = Grid(np.array([], np.int64), np.array([], np.int64), np.array([], np.int64), 0)
    assert len(run(nothing, grid_of(3), jit, assets=2).bars) == 0
    assert len(run(nothing, empty, jit, assets=0).bars) == 0
    known = BarState(np.array([1.0]), np.array([99]))
    assert run(bars_of([(0, 10, 1.0)], "close"), empty, jit, state=known).state.closes[0] == 1.0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(0, 20, 1.0), (0, 10, 1.0)], "out of order"),
        ([(0, 10, 1.0), (0, 10, 2.0)], "two bars"),
        ([(1, 10, 1.0), (0, 10, 2.0)], "out of order"),
        ([(0, 10, 1.0), (2, 10, 2.0)], "known are 2"),
        ([(-1, 10, 1.0)], "known are 2"),
        ([(0, 10, INF)], "close inf"),
        ([(0, 10, 1.0), (1, 5, 3.0), (1, 6, -INF)], "close -inf"),
    ],
)
def test_bad_bars_are_refused_by_name(jit: bool, rows: list[tuple[Any, ...]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(bars_of(rows, "close"), grid_of(3), jit, assets=2)


@pytest.mark.parametrize("name", ["open", "high", "low", "volume", "vwap", "trade_count"])
@pytest.mark.parametrize("time", [4, 9])
def test_an_infinite_value_is_refused_wherever_it_stands(jit: bool, name: str, time: int) -> None:
    bars = bars_of([(0, 3, 1.0, 1.0), (0, time, 1.0, INF), (0, 10, 1.0, 2.0)], "close", name)
    with pytest.raises(ValidationError, match=f"{name} inf"):
        run(bars, grid_of(1), jit)


def test_columns_of_other_types_are_refused() -> None:
    with pytest.raises(ValidationError, match="asset"):
        Bars(np.array([0], np.int64), np.array([1], np.int64), np.array([1.0]))  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="close"):
        Bars(np.array([0], np.int32), np.array([1], np.int64), np.array([1.0, 2.0]))


@pytest.mark.parametrize(("rule", "message"), [({"fill": "bfill"}, "bfill"), ({"limit": -1}, "negative")])
def test_unknown_rules_are_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(bars_of([], "close"), grid_of(1), False, **rule)


def test_out_is_written_into() -> None:
    bars, grid = bars_of([(0, 10, 1.0), (0, 30, 2.0)], "close"), grid_of(3)
    out = bars.room(5)
    rows = run(bars, grid, True, out=out).bars
    assert np.shares_memory(rows.close, out.close)
    same(rows.close, [1, 1, 2])
    with pytest.raises(ValidationError, match="rows of"):
        run(bars, grid, True, out=bars.room(2))


def minutes(day: str, first: str, closes: list[float]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    start = to_micros(f"{day}T{first}:00Z")
    return start + np.arange(len(closes)) * 60_000_000, np.array(closes)


def test_minutes_become_five_minutes_and_the_last_bar_may_be_short() -> None:
    # XNYS 2012-11-23 closes at 18:00; 17:58 … 18:00 are the last three minutes of a 7-minute bar that ends early.
    times, closes = minutes("2012-11-23", "17:54", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    bars = Bars(np.zeros(7, np.int32), times, closes, volume=np.ones(7))
    rows = aggregate(bars, schedule("XNYS"), asset_count=1, fine=Frequency.parse("1m"), coarse=Frequency.parse("4m"))
    assert rows.time.tolist() == [to_micros(f"2012-11-23T{end}:00Z") for end in ("17:54", "17:58", "18:00")]
    same(rows.close, [1, 5, 7])
    same(rows.volume, [1, 4, 2])


def test_minutes_become_a_session() -> None:
    times, closes = minutes("2012-11-23", "14:31", [10.0, 12.0, 8.0])
    flags = np.array([False, True, True])
    bars = Bars(
        np.zeros(3, np.int32), times, closes, open=closes - 1, high=closes + 1, low=closes - 2, interpolated=flags
    )
    rows = aggregate(bars, schedule("XNYS"), asset_count=1, fine=Frequency.parse("1m"), coarse=Frequency.parse("1d"))
    assert rows.time.tolist() == [to_micros("2012-11-23T18:00:00Z")]
    same(rows.open, [9])
    same(rows.high, [13])
    same(rows.low, [6])
    same(rows.close, [8])
    assert rows.interpolated is not None
    assert rows.interpolated.tolist() == [False]


def test_a_bar_is_interpolated_when_all_its_parts_are(jit: bool) -> None:
    bars = Bars(
        np.zeros(4, np.int32),
        np.array([5, 10, 15, 20]),
        np.array([1.0, 1.0, 1.0, 1.0]),
        interpolated=np.array([False, True, True, True]),
    )
    rows = run(bars, grid_of(3), jit, limit=1).bars
    assert rows.interpolated is not None
    assert rows.interpolated.tolist() == [False, True, True]
    same(rows.close, [1, 1, NAN])  # what was filled before does not make the observation any younger


@pytest.mark.parametrize(("fine", "coarse"), [("5m", "7m"), ("1h", "5m"), ("1d", "1h")])
def test_a_coarse_step_must_be_a_multiple(fine: str, coarse: str) -> None:
    with pytest.raises(ValidationError, match="do not make up"):
        aggregate(
            bars_of([], "close"),
            schedule("XNYS"),
            asset_count=1,
            fine=Frequency.parse(fine),
            coarse=Frequency.parse(coarse),
        )


def test_a_real_week_with_thanksgiving(jit: bool) -> None:
    grid = daily_grid(schedule("XNYS"), to_micros("2012-11-19"), to_micros("2012-11-27"))
    stamped = [(0, to_micros("2012-11-19"), 1.0), (0, to_micros("2012-11-23"), 2.0)]
    raw = bars_of(stamped, "close")
    moved = Bars(raw.asset, stamp_daily_bars(raw.time, schedule("XNYS")), raw.close)
    assert moved.time.tolist() == [to_micros("2012-11-19T21:00:00Z"), to_micros("2012-11-23T18:00:00Z")]
    same(run(moved, grid, jit).bars.close, [1, 1, 1, 2, 2])  # 19, 20, 21, 23, 26 November


def test_hours_of_a_day_with_lunch(jit: bool) -> None:
    grid = intraday_grid(schedule("XTKS"), Frequency.parse("1h"), to_micros("2024-01-04"), to_micros("2024-01-05"))
    bars = bars_of([(0, to_micros("2024-01-04T02:15:00Z"), 1.0), (0, to_micros("2024-01-04T05:00:00Z"), 2.0)], "close")
    rows = run(bars, grid, jit).bars
    assert rows.time[0] == to_micros("2024-01-04T02:30:00Z")
    same(rows.close, [1, 1, 2, 2])  # 02:30, 04:30, 05:30, 06:00


@pytest.mark.parametrize(
    ("calendar", "stamp", "close"),
    [
        ("XNYS", "2012-11-23", "2012-11-23T18:00:00Z"),
        ("XASX", "2019-01-02", "2019-01-02T05:00:00Z"),
        ("XTKS", "2024-01-04", "2024-01-04T06:00:00Z"),
        ("XNYS", "2012-11-23T18:00:00Z", "2012-11-23T18:00:00Z"),
        ("XNYS", "2012-11-24", "2012-11-24"),  # a Saturday is no session: left alone
    ],
)
def test_midnight_bars_move_to_their_close(calendar: str, stamp: str, close: str) -> None:
    assert stamp_daily_bars(np.array([to_micros(stamp)]), schedule(calendar)).tolist() == [to_micros(close)]


def test_midnight_is_ambiguous_where_nothing_closes() -> None:
    stamps, always = np.array([to_micros("2024-06-29")]), schedule("24/7")
    with pytest.raises(ValidationError, match="ambiguous"):
        stamp_daily_bars(stamps, always)
    assert stamp_daily_bars(stamps, always, midnight="bar_end").tolist() == stamps.tolist()
    assert stamp_daily_bars(stamps, always, midnight="session_date").tolist() == [to_micros("2024-06-30")]


def test_long_bars_become_a_matrix() -> None:
    rows = run(bars_of([(0, 20, 1.0, 7.0), (2, 10, 2.0, 8.0)], "close", "volume"), grid_of(3), False, assets=3).bars
    stamps = grid_of(3).stamps
    np.testing.assert_array_equal(to_matrix(rows, stamps, 3), [[NAN, NAN, 2], [1, NAN, 2], [1, NAN, 2]])
    np.testing.assert_array_equal(to_matrix(rows, stamps, 3, "volume")[1], [7, NAN, 0])
    assert to_matrix(rows.take(slice(0, 0)), stamps[:0], 3).shape == (0, 3)
    with pytest.raises(ValidationError, match="not on the grid"):
        to_matrix(rows, stamps[1:], 3)
    with pytest.raises(ValidationError, match="no column 'vwap'"):
        to_matrix(rows, stamps, 3, "vwap")
