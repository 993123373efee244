"""Rebalance times follow from session dates alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mainsequence.compute.schedules import rebalance_times
from mainsequence.compute.sessions import Grid, daily_grid, intraday_grid, schedule
from mainsequence.domain.frequency import Frequency
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.errors import ValidationError


def january() -> Grid:
    return daily_grid(schedule("XNYS"), to_micros("2023-12-27"), to_micros("2024-04-10"))


def days(grid: Grid, flags: Any) -> list[str]:
    return [f"{from_micros(int(day)):%Y-%m-%d}" for day in grid.sessions[flags]]


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [
        ("monthly", ["2023-12-27", "2024-01-02", "2024-02-01", "2024-03-01", "2024-04-01"]),
        ("quarterly", ["2023-12-27", "2024-01-02", "2024-04-01"]),
    ],
)
def test_a_period_begins_with_its_first_session(frequency: Any, expected: list[str]) -> None:
    assert days(january(), rebalance_times(january(), frequency)) == expected


def test_a_week_begins_on_its_first_session_also_after_a_holiday() -> None:
    found = days(january(), rebalance_times(january(), "weekly"))
    assert found[:6] == ["2023-12-27", "2024-01-02", "2024-01-08", "2024-01-16", "2024-01-22", "2024-01-29"]


def test_a_week_that_never_closes_begins_on_monday() -> None:
    grid = daily_grid(schedule("24/7"), to_micros("2024-06-29"), to_micros("2024-07-12"))
    assert days(grid, rebalance_times(grid, "weekly")) == ["2024-06-28", "2024-07-01", "2024-07-08"]


def test_every_stamp_is_every_stamp() -> None:
    assert rebalance_times(january(), "every_stamp").all()


def test_intraday_the_first_bar_of_the_first_session_counts() -> None:
    grid = intraday_grid(schedule("XNYS"), Frequency.parse("1h"), to_micros("2024-01-30"), to_micros("2024-02-03"))
    flags = rebalance_times(grid, "monthly", previous_session=to_micros("2024-01-29"))
    assert [from_micros(int(stamp)).isoformat() for stamp in grid.stamps[flags]] == ["2024-02-01T15:30:00+00:00"]


@pytest.mark.parametrize("frequency", ["weekly", "monthly", "quarterly"])
@pytest.mark.parametrize("cut", range(1, 70, 7))
def test_a_resumed_schedule_equals_the_whole_one(frequency: Any, cut: int) -> None:
    grid = january()
    whole = rebalance_times(grid, frequency)
    rest = grid.between(int(grid.stamps[cut]), int(grid.stamps[-1]) + 1)
    resumed = rebalance_times(rest, frequency, previous_session=int(grid.sessions[cut - 1]))
    assert resumed.tolist() == whole[cut:].tolist()


def test_on_signal_follows_the_signal() -> None:
    grid = january()
    changed = np.zeros(len(grid), dtype=np.bool_)
    changed[5] = True
    assert rebalance_times(grid, "on_signal", signal_changed=changed).tolist() == changed.tolist()
    with pytest.raises(ValidationError, match="signal changed"):
        rebalance_times(grid, "on_signal")


def test_an_unknown_frequency_is_refused() -> None:
    with pytest.raises(ValidationError, match="yearly"):
        rebalance_times(january(), "yearly")  # type: ignore[arg-type]
