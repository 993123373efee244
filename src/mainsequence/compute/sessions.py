"""Trading sessions as arrays: built once per calendar, read by binary search (METHODOLOGY section 1)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.calendar_sources import SessionTable, canonical_name, load_sessions
from mainsequence.domain.frequency import Frequency
from mainsequence.domain.times import MICROS_PER_DAY, check_interval, open_datetime
from mainsequence.errors import ValidationError

Micros: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Consecutive sessions of one calendar. All arrays have one entry per session, int64 microseconds UTC.

    Parameters
    ----------
    calendar
        Canonical name of the calendar (``XNYS``, ``24/7``).
    dates
        Midnight UTC of each session's date (its label, not an instant of trading).
    opens, closes
        First and last instant. Early closes are early; sessions that cross midnight UTC are whole.
    break_starts, break_ends
        The midday break; both equal the close in a session without one.
    first
        Position of the first of these sessions in the calendar's whole table: session ``k`` here is session
        ``first + k`` of the calendar.
    bounds
        Half-open range of closes that the calendar's whole table answers for.
    """

    calendar: str
    dates: Micros
    opens: Micros
    break_starts: Micros
    break_ends: Micros
    closes: Micros
    first: int
    bounds: tuple[int, int]

    def __len__(self) -> int:
        return len(self.closes)

    @property
    def ordinals(self) -> Micros:
        """Position of each session in the calendar's whole table: differences count sessions."""
        return np.arange(self.first, self.first + len(self), dtype=np.int64)

    def between(self, start: int, end: int) -> Schedule:
        """Sessions whose close lies in the half-open range ``[start, end)``, as views: nothing is copied.

        Raises
        ------
        InvalidIntervalError
            ``end`` is not after ``start``.
        ValidationError
            The range reaches beyond what the calendar answers for: fewer sessions are never given in silence.
        """
        self._check_covers(start, end)
        low, high = self.closes.searchsorted((start, end))
        return self._slice(int(low), int(high))

    def _slice(self, low: int, high: int) -> Schedule:
        return Schedule(
            self.calendar,
            self.dates[low:high],
            self.opens[low:high],
            self.break_starts[low:high],
            self.break_ends[low:high],
            self.closes[low:high],
            self.first + low,
            self.bounds,
        )

    def _check_covers(self, start: int, end: int) -> None:
        if start < end and start >= self.bounds[0] and end <= self.bounds[1]:
            return
        check_interval(start, end)
        low, high = (open_datetime(bound) for bound in self.bounds)
        raise ValidationError(
            f"Calendar {self.calendar} is known from {low} to {high}, "
            f"asked were sessions from {open_datetime(start)} to {open_datetime(end)}.",
            hint="Ask for a range within the calendar's own.",
            calendar=self.calendar,
        )

    def position_of(self, stamps: Micros) -> Micros:
        """For each stamp, the position here of the session that it falls in or, between sessions, the next one.

        A stamp at a close belongs to the session that closes. ``len(self)`` where no session is left.
        """
        return self.closes.searchsorted(stamps, side="left")

    def close_of_dates(self, dates: Micros) -> Micros:
        """Give the closes of the sessions with these dates (midnight UTC); each must be a session.

        Raises
        ------
        ValidationError
            A date without a session, named.
        """
        at = np.minimum(self.dates.searchsorted(dates), len(self) - 1)
        missing = self.dates[at] != dates
        if missing.any():
            day = open_datetime(int(np.asarray(dates)[missing][0]))
            raise ValidationError(f"{day:%Y-%m-%d} is not a session of {self.calendar}.", calendar=self.calendar)
        return self.closes[at]


_schedules: dict[str, Schedule] = {}
_building = threading.Lock()


def schedule(calendar: str) -> Schedule:
    """Give the whole schedule of a calendar: built at first use, shared by all threads afterwards.

    Parameters
    ----------
    calendar
        A name of `exchange_calendars` (``XNYS``, ``XLON``, ``24/7``, also its aliases) or, failing that, of
        `pandas_market_calendars` (``SIFMAUS``, ``CME_Equity``). ``24/7`` closes each day at the next midnight UTC.

    Raises
    ------
    UnknownCalendarError
        Nobody knows the name; the nearest names are given.
    """
    found = _schedules.get(calendar)
    return found if found is not None else _build(calendar)


def _build(calendar: str) -> Schedule:
    with _building:
        name = canonical_name(calendar)
        if name not in _schedules:
            _schedules[name] = _from_table(name, load_sessions(name))
        _schedules[calendar] = _schedules[name]
    return _schedules[name]


def _from_table(name: str, table: SessionTable) -> Schedule:
    arrays = (table.dates, table.opens, table.break_starts, table.break_ends, table.closes)
    for array in arrays:
        array.setflags(write=False)
    return Schedule(name, *arrays, 0, (table.start, table.end))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The stamps at which prices are wanted: ends of bars, strictly increasing.

    Parameters
    ----------
    stamps
        int64[G], microseconds UTC.
    sessions
        int64[G], date of each stamp's session (its midnight UTC).
    ordinals
        int64[G], position of that session in the calendar: differences count sessions.
    origin
        The stamp before the first: the first row covers ``(origin, stamps[0]]``.
    """

    stamps: Micros
    sessions: Micros
    ordinals: Micros
    origin: int

    def __len__(self) -> int:
        return len(self.stamps)

    def between(self, start: int, end: int) -> Grid:
        """Give the part of the grid in the half-open range ``[start, end)``, its origin moved along."""
        check_interval(start, end)
        low, high = (int(at) for at in self.stamps.searchsorted((start, end)))
        origin = self.origin if low == 0 else int(self.stamps[low - 1])
        return Grid(self.stamps[low:high], self.sessions[low:high], self.ordinals[low:high], origin)

    def is_session_end(self) -> npt.NDArray[np.bool_]:
        """Is each stamp the last of its session on this grid? bool[G]."""
        last = np.ones(len(self), dtype=np.bool_)
        last[:-1] = self.ordinals[1:] != self.ordinals[:-1]
        return last


def daily_grid(sessions: Schedule, start: int, end: int) -> Grid:
    """Make a grid of the closes in the half-open range ``[start, end)``, microseconds UTC.

    The row of the first close covers the time since the close before it, also where that lies before ``start``.
    """
    chosen = sessions.between(start, end)
    at = chosen.first - sessions.first
    origin = int(sessions.closes[at - 1]) if at > 0 else _before_first(sessions)
    return Grid(chosen.closes, chosen.dates, chosen.ordinals, origin)


def _before_first(sessions: Schedule) -> int:
    return int(sessions.opens[0]) - MICROS_PER_DAY if len(sessions) else sessions.bounds[0] - 1


def intraday_grid(sessions: Schedule, step: Frequency, start: int, end: int) -> Grid:
    """Make a grid of bar ends ``open + step, open + 2·step, …, close`` in the half-open range ``[start, end)``.

    A midday break is excluded: bars end at its start at the latest and begin again at its end. The last bar before
    a break or a close may be short.

    Raises
    ------
    ValidationError
        ``step`` is not shorter than a day.
    """
    if not step.is_intraday:
        raise ValidationError(f"An intraday grid needs a step shorter than a day, got {step}.", hint="Use daily_grid.")
    sessions._check_covers(start, end)  # noqa: SLF001
    # One session more in front, for the origin of the first row.
    low = max(int(sessions.closes.searchsorted(start)) - 1, 0)
    chosen = sessions._slice(low, max(int(sessions.opens.searchsorted(end)), low))  # noqa: SLF001
    stamps, owner = _bar_ends(chosen, step.micros)
    whole = Grid(stamps, chosen.dates[owner], chosen.ordinals[owner], _before_first(chosen))
    return whole.between(start, end)


def _bar_ends(sessions: Schedule, step: int) -> tuple[Micros, Micros]:
    """List the ends of all bars, and the position of each one's session; a break cuts its session in two."""
    starts = np.stack((sessions.opens, sessions.break_ends), axis=1).ravel()
    ends = np.stack((sessions.break_starts, sessions.closes), axis=1).ravel()
    counts = -(-(ends - starts) // step)
    part = np.repeat(np.arange(len(starts)), counts)
    number = np.arange(len(part)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return np.minimum(starts[part] + number * step, ends[part]), part // 2
