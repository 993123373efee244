"""Bars of the assets of one calendar become rows on its grid (METHODOLOGY section 2), from the beginning or resumed."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mainsequence.compute.bar_columns import Bars
from mainsequence.compute.bars import DAILY_STALENESS, INTRADAY_STALENESS, BarState, interpolate, stamp_daily_bars
from mainsequence.compute.sessions import Grid, Schedule, daily_grid, intraday_grid, schedule
from mainsequence.domain.frequency import Frequency
from mainsequence.domain.times import open_datetime
from mainsequence.errors import ValidationError
from mainsequence.virtualfundbuilder.models import PricesConfiguration

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LONG_STALE = -(10**9)
"""The session of an observation so old that it counts no more."""


@dataclass(frozen=True)
class Gridding:
    """How bars of one calendar are put on its grid.

    Parameters
    ----------
    sessions
        The calendar.
    bars, target
        What the bars are, and what the prices shall be.
    configuration
        The rules.
    """

    sessions: Schedule
    bars: Frequency
    target: Frequency
    configuration: PricesConfiguration

    @classmethod
    def of(cls, calendar: str, configuration: PricesConfiguration) -> "Gridding":
        """Take the rules of a configuration for a calendar."""
        return cls(schedule(calendar), configuration.bar_frequency_id, configuration.frequency, configuration)

    @property
    def staleness(self) -> int:
        """Sessions for which an observation is carried."""
        given = self.configuration.staleness_limit
        return given if given is not None else DAILY_STALENESS if self.target.is_daily else INTRADAY_STALENESS

    def stamped(self, times: Integers) -> Integers:
        """Give bars their stamps: daily ones at midnight of a session's date are moved to its close."""
        if not self.bars.is_daily:
            return times
        return stamp_daily_bars(times, self.sessions, midnight=self.configuration.midnight)

    def reach(self, stamped: Integers) -> int | None:
        """Say how far bars reach: to the end of the newest session of daily bars, to the newest intraday bar."""
        if not len(stamped):
            return None
        newest = int(stamped.max())
        at = int(self.sessions.position_of(np.array([newest]))[0])
        if not self.bars.is_daily or at >= len(self.sessions):
            return newest
        return int(self.sessions.closes[at])

    def resume_at(self, newest: int) -> int:
        """Say from which session on rows are computed again: late bars within the staleness limit are thereby seen."""
        at = int(self.sessions.closes.searchsorted(newest))
        return max(at - self.staleness - 2, 0)

    def close(self, session: int) -> int:
        """Give the close of a session by its position; before the first one, the beginning of the calendar."""
        return int(self.sessions.closes[session]) if session >= 0 else self.sessions.bounds[0]

    def grid(self, session: int, reach: int) -> Grid | None:
        """Give the stamps from a session on that are not after ``reach``; ``None`` where there are none."""
        start = self.close(session - 1) + 1
        if reach < start:
            return None
        make = daily_grid if self.target.is_daily else self._intraday
        return make(self.sessions, start, reach + 1)

    def _intraday(self, sessions: Schedule, start: int, end: int) -> Grid:
        return intraday_grid(sessions, self.target, start, end)

    def first_session(self, stamped: Integers) -> int:
        """Give the position of the session of the oldest bar.

        Raises
        ------
        ValidationError
            The calendar is not known so far back: bars are never left out in silence.
        """
        oldest, known = int(stamped.min()), self.sessions.bounds[0]
        if oldest < known:
            raise ValidationError(
                f"Bars reach back to {open_datetime(oldest):%Y-%m-%d}, "
                f"the calendar {self.sessions.calendar} is known from {open_datetime(known):%Y-%m-%d}.",
                hint="Give prices_configuration a start_date.",
                calendar=self.sessions.calendar,
            )
        return int(self.sessions.position_of(np.array([oldest]))[0])

    def rows(self, bars: Bars, grid: Grid, count: int, state: BarState | None) -> Bars:
        """Put bars on the grid, without what is not known yet.

        Rows after an asset's last bar are fills that a late bar may still replace. They are given once the asset counts
        as stale, or where the configuration runs prices to now.
        """
        done = interpolate(
            bars,
            grid,
            asset_count=count,
            staleness_limit=self.staleness,
            fill=self.configuration.intraday_bar_interpolation_rule,
            state=state,
        )
        if self.configuration.runs_to_now:
            return done.bars
        age = grid.ordinals[-1] - done.state.ordinals
        return done.bars.take(~self._pending(done.bars, age <= self.staleness))

    @staticmethod
    def _pending(rows: Bars, late: Flags) -> Flags:
        """Mark the rows of late assets after their last observed one."""
        assert rows.interpolated is not None  # noqa: S101 - interpolate sets it
        observed = np.where(rows.interpolated, -1, np.arange(len(rows)))
        begins = np.ones(len(rows), dtype=np.bool_)
        begins[1:] = rows.asset[1:] != rows.asset[:-1]
        last = np.full(len(late), -1, dtype=np.int64)
        np.maximum.at(last, rows.asset, observed)
        return late[rows.asset] & (np.arange(len(rows)) > last[rows.asset])


def stale_state(count: int) -> BarState:
    """Give the state of assets that were observed once, too long ago to matter."""
    return replace(BarState.nothing(count), closes=np.ones(count), ordinals=np.full(count, LONG_STALE))


def named(error: ValidationError, names: tuple[str, ...]) -> ValidationError:
    """Add to an error about an asset's number what the asset is called."""
    at = error.context.get("asset")
    if not isinstance(at, int):
        return error
    text = error.message.replace(f"Asset {at} ", f"Asset {names[at]!r} ", 1)
    return type(error)(text, hint=error.hint, **{**error.context, "asset": names[at]})
