"""Sessions and grids, against answers written down by hand from the exchanges' own notices."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from mainsequence.compute import sessions
from mainsequence.compute.sessions import Grid, Schedule, daily_grid, intraday_grid, schedule
from mainsequence.domain.frequency import Frequency
from mainsequence.domain.times import to_micros
from mainsequence.errors import InvalidIntervalError, UnknownCalendarError, ValidationError


def at(text: str) -> int:
    return to_micros(text + (":00Z" if len(text) == len("2024-01-04T06:00") else ""))


def stamps(grid: Grid) -> list[str]:
    return [f"{datetime.fromtimestamp(int(stamp) / 1e6, UTC):%Y-%m-%dT%H:%M}" for stamp in grid.stamps]


def session(calendar: str, day: str) -> Schedule:
    whole = schedule(calendar)
    position = int(np.searchsorted(whole.dates, at(day)))
    assert whole.dates[position] == at(day), "not a session"
    return whole._slice(position, position + 1)


def test_the_day_after_thanksgiving_closes_at_one_in_new_york() -> None:
    half_day = session("XNYS", "2012-11-23")
    assert half_day.opens[0] == at("2012-11-23T14:30")
    assert half_day.closes[0] == at("2012-11-23T18:00")


def test_christmas_eve_closes_at_half_past_twelve_in_london() -> None:
    assert session("XLON", "2019-12-24").closes[0] == at("2019-12-24T12:30")
    assert session("XLON", "2019-12-23").closes[0] == at("2019-12-23T16:30")


def test_a_close_follows_daylight_saving() -> None:
    assert session("XNYS", "2024-03-08").closes[0] == at("2024-03-08T21:00")
    assert session("XNYS", "2024-03-11").closes[0] == at("2024-03-11T20:00")


def test_sydney_sessions_cross_midnight_utc_and_are_whole() -> None:
    summer = session("XASX", "2019-01-02")
    assert summer.opens[0] == at("2019-01-01T23:00")
    assert summer.closes[0] == at("2019-01-02T05:00")


def test_tokyo_has_lunch() -> None:
    day = session("XTKS", "2024-01-04")
    assert (day.opens[0], day.break_starts[0]) == (at("2024-01-04T00:00"), at("2024-01-04T02:30"))
    assert (day.break_ends[0], day.closes[0]) == (at("2024-01-04T03:30"), at("2024-01-04T06:00"))


def test_a_day_of_24_7_closes_at_the_next_midnight() -> None:
    saturday = session("24/7", "2024-06-29")
    assert saturday.opens[0] == at("2024-06-29T00:00")
    assert saturday.closes[0] == at("2024-06-30T00:00")


def test_bonds_come_from_the_second_library() -> None:
    christmas_eve = session("SIFMAUS", "2019-12-24")
    assert christmas_eve.closes[0] == at("2019-12-24T19:00")  # the recommended early close, 2 pm in New York


@pytest.mark.parametrize("calendar", ["XNYS", "XLON", "XTKS", "XASX", "24/7", "SIFMAUS", "XTAE", "XHKG"])
def test_sessions_are_in_order_and_do_not_overlap(calendar: str) -> None:
    whole = schedule(calendar)
    assert np.all(np.diff(whole.dates) > 0)
    assert np.all(whole.opens <= whole.break_starts)
    assert np.all(whole.break_starts <= whole.break_ends)
    assert np.all(whole.break_ends <= whole.closes)
    assert np.all(whole.opens[1:] >= whole.closes[:-1])
    assert whole.bounds[0] <= whole.closes[0]
    assert whole.closes[-1] < whole.bounds[1]


def test_new_york_reaches_from_before_1990_to_years_ahead() -> None:
    assert schedule("XNYS").bounds == (at("1970-01-01"), at("2051-01-01"))


def test_a_schedule_is_built_once_and_shared() -> None:
    assert schedule("XNYS") is schedule("NYSE") is schedule("XNYS")
    assert not schedule("XNYS").closes.flags.writeable


def test_threads_share_one_building(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    load = sessions.load_sessions
    monkeypatch.setattr(sessions, "_schedules", {})
    monkeypatch.setattr(sessions, "load_sessions", lambda name: built.append(name) or load(name))
    threads = [threading.Thread(target=schedule, args=("24/7",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == ["24/7"]


def test_a_slice_is_a_view_and_knows_its_place() -> None:
    whole = schedule("XNYS")
    part = whole.between(at("2024-01-01"), at("2024-02-01"))
    assert len(part) == 21
    assert part.closes.base is not None
    assert np.array_equal(whole.closes[part.ordinals], part.closes)


def test_ranges_are_half_open() -> None:
    close = at("2024-01-02T21:00")
    assert len(schedule("XNYS").between(close, close + 1)) == 1
    assert len(schedule("XNYS").between(close - 1, close)) == 0


@pytest.mark.parametrize(("start", "end"), [("1960-01-01", "1990-01-01"), ("1990-01-01", "2090-01-01")])
def test_a_range_beyond_the_calendar_is_refused_not_cut_short(start: str, end: str) -> None:
    with pytest.raises(ValidationError, match="known from 1970-01-01"):
        schedule("XNYS").between(at(start), at(end))


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(InvalidIntervalError):
        schedule("XNYS").between(at("2024-01-02"), at("2024-01-02"))


@pytest.mark.parametrize(("name", "near"), [("XNYSS", "XNYS"), ("xlon", "XLON"), ("SIFMAUSA", "SIFMAUS"), ("", "XNYS")])
def test_an_unknown_calendar_names_its_neighbours(name: str, near: str) -> None:
    with pytest.raises(UnknownCalendarError, match=near):
        schedule(name)


def test_a_daily_grid_is_the_closes() -> None:
    grid = daily_grid(schedule("XNYS"), at("2012-11-20"), at("2012-11-27"))
    assert stamps(grid) == ["2012-11-20T21:00", "2012-11-21T21:00", "2012-11-23T18:00", "2012-11-26T21:00"]
    assert grid.origin == at("2012-11-19T21:00")
    assert grid.sessions[2] == at("2012-11-23")
    assert list(np.diff(grid.ordinals)) == [1, 1, 1]


def test_an_intraday_grid_ends_with_the_early_close() -> None:
    grid = intraday_grid(schedule("XNYS"), Frequency.parse("1h"), at("2012-11-23"), at("2012-11-24"))
    assert stamps(grid) == ["2012-11-23T15:30", "2012-11-23T16:30", "2012-11-23T17:30", "2012-11-23T18:00"]
    assert grid.origin == at("2012-11-21T21:00")
    assert set(grid.sessions) == {at("2012-11-23")}
    assert list(grid.is_session_end()) == [False, False, False, True]


def test_an_intraday_grid_leaves_out_the_break() -> None:
    grid = intraday_grid(schedule("XTKS"), Frequency.parse("1h"), at("2024-01-04"), at("2024-01-05"))
    assert [stamp[-5:] for stamp in stamps(grid)] == ["01:00", "02:00", "02:30", "04:30", "05:30", "06:00"]


def test_an_intraday_grid_belongs_to_its_session_across_midnight() -> None:
    grid = intraday_grid(schedule("XASX"), Frequency.parse("1h"), at("2019-01-01T23:00"), at("2019-01-02T06:00"))
    assert stamps(grid)[0] == "2019-01-02T00:00"
    assert stamps(grid)[-1] == "2019-01-02T05:00"
    assert set(grid.sessions) == {at("2019-01-02")}


def test_a_window_inside_a_session_cuts_the_grid_and_keeps_its_origin() -> None:
    grid = intraday_grid(schedule("XNYS"), Frequency.parse("1h"), at("2024-01-04T17:00"), at("2024-01-04T19:00"))
    assert stamps(grid) == ["2024-01-04T17:30", "2024-01-04T18:30"]
    assert grid.origin == at("2024-01-04T16:30")


@pytest.mark.parametrize("cut", ["2024-01-04T12:00", "2024-01-04T16:30", "2024-01-04T17:00", "2024-01-05T21:00"])
def test_two_windows_make_the_same_grid_as_one(cut: str) -> None:
    new_york, step = schedule("XNYS"), Frequency.parse("30m")
    whole = intraday_grid(new_york, step, at("2024-01-03"), at("2024-01-08"))
    first = intraday_grid(new_york, step, at("2024-01-03"), at(cut))
    second = intraday_grid(new_york, step, at(cut), at("2024-01-08"))
    assert np.array_equal(np.concatenate((first.stamps, second.stamps)), whole.stamps)
    assert second.origin == first.stamps[-1]


def test_a_year_of_minutes_has_390_a_day_and_210_on_half_days() -> None:
    grid = intraday_grid(schedule("XNYS"), Frequency.parse("1m"), at("2012-01-01"), at("2013-01-01"))
    _, counts = np.unique(grid.ordinals, return_counts=True)
    assert len(counts) == 250  # two days lost to hurricane Sandy
    assert sorted(set(counts.tolist())) == [210, 390]
    assert int((counts == 210).sum()) == 3  # 3 July, 23 November, 24 December


def test_an_intraday_grid_needs_a_step_within_a_session() -> None:
    with pytest.raises(ValidationError, match="shorter than a day"):
        intraday_grid(schedule("XNYS"), Frequency.parse("1d"), at("2024-01-01"), at("2024-02-01"))


def test_closes_are_found_by_date() -> None:
    new_york = schedule("XNYS")
    assert new_york.close_of_dates(np.array([at("2012-11-23")])) == [at("2012-11-23T18:00")]
    with pytest.raises(ValidationError, match="2012-11-22 is not a session"):
        new_york.close_of_dates(np.array([at("2012-11-23"), at("2012-11-22")]))
