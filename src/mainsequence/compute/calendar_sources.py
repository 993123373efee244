"""Where sessions come from: `exchange_calendars` by name, then `pandas_market_calendars` (METHODOLOGY section 1).

The range is fixed (1970 to 2050, or what the calendar itself can say), so that no number depends on today.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.domain.calendars import ALWAYS_OPEN
from mainsequence.domain.times import MICROS_PER_DAY, to_micros
from mainsequence.errors import UnknownCalendarError

if TYPE_CHECKING:
    import pandas as pd

Micros: TypeAlias = npt.NDArray[np.int64]

FIRST_DAY = "1970-01-01"
LAST_DAY = "2050-12-31"


@dataclass(frozen=True, slots=True, eq=False)
class SessionTable:
    """All sessions of a calendar, int64 microseconds UTC, and the half-open range of closes it answers for."""

    dates: Micros
    opens: Micros
    break_starts: Micros
    break_ends: Micros
    closes: Micros
    start: int
    end: int


def canonical_name(calendar: str) -> str:
    """Resolve the aliases of `exchange_calendars` (``NYSE`` is ``XNYS``); other names are given back."""
    import exchange_calendars

    return str(exchange_calendars.aliases_to_names().get(calendar, calendar))


def load_sessions(name: str) -> SessionTable:
    """Build the sessions of a calendar; takes a fraction of a second.

    Raises
    ------
    UnknownCalendarError
        Neither library knows the name, or the installed ones cannot build it.
    """
    failures: list[str] = []
    for source in _sources(name):
        try:
            return source(name)
        except (NotImplementedError, ValueError) as failure:
            failures.append(f"{type(failure).__name__}: {str(failure)[:200]}")
    raise _cannot_build(name, failures) if failures else _unknown(name)


def _sources(name: str) -> list[Callable[[str], SessionTable]]:
    import exchange_calendars

    known: list[Callable[[str], SessionTable]] = []
    if name in exchange_calendars.get_calendar_names():
        known.append(_exchange_calendar)
    if name in _market_calendar_names():
        known.append(_market_calendar)
    return known


def _market_calendar_names() -> list[str]:
    import pandas_market_calendars

    return [str(name) for name in pandas_market_calendars.get_calendar_names()]


def _exchange_calendar(name: str) -> SessionTable:
    import exchange_calendars
    import pandas as pd

    factory = exchange_calendars.calendar_utils.global_calendar_dispatcher._calendar_factories[name]  # noqa: SLF001
    earliest, latest = factory.bound_min(), factory.bound_max()
    start, end = pd.Timestamp(FIRST_DAY), pd.Timestamp(LAST_DAY)
    start, end = max(start, earliest or start), min(end, latest or end)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = exchange_calendars.get_calendar(name, start=start, end=end).schedule
    names = {"opens": "open", "break_starts": "break_start", "break_ends": "break_end", "closes": "close"}
    return _table(frame.rename(columns={there: here for here, there in names.items()}), start, end, name)


def _market_calendar(name: str) -> SessionTable:
    import pandas as pd
    import pandas_market_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pandas_market_calendars.get_calendar(name).schedule(FIRST_DAY, LAST_DAY)
    names = {"opens": "market_open", "break_starts": "break_start", "break_ends": "break_end", "closes": "market_close"}
    renamed = frame.rename(columns={there: here for here, there in names.items()})
    return _table(renamed, pd.Timestamp(FIRST_DAY), pd.Timestamp(LAST_DAY), name)


def _table(frame: pd.DataFrame, start: Any, end: Any, name: str) -> SessionTable:
    closes = _micros(frame["closes"])
    dates = _micros(frame.index)
    has_breaks = "break_starts" in frame
    break_starts = _micros(frame["break_starts"], closes) if has_breaks else closes.copy()
    break_ends = _micros(frame["break_ends"], closes) if has_breaks else closes.copy()
    # A close may lie on the next day: the last day of the range is answered for up to its end.
    last = to_micros(f"{end:%Y-%m-%d}") + MICROS_PER_DAY + (1 if name == ALWAYS_OPEN else 0)
    return SessionTable(
        dates, _micros(frame["opens"]), break_starts, break_ends, closes, to_micros(f"{start:%Y-%m-%d}"), last
    )


def _micros(times: Any, where_null: Micros | None = None) -> Micros:
    """Instants or session dates of pandas as int64 microseconds; the unit is fixed here, never guessed."""
    import pandas as pd

    index = pd.DatetimeIndex(times)
    naive = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
    stamps = naive.to_numpy().astype("datetime64[us]")
    micros = stamps.astype(np.int64)
    return micros if where_null is None else np.where(np.isnat(stamps), where_null, micros)


def _unknown(name: str) -> UnknownCalendarError:
    import exchange_calendars

    names = sorted({*exchange_calendars.get_calendar_names(), *_market_calendar_names()})
    by_fold = {known.casefold(): known for known in names}
    near = [by_fold[found] for found in difflib.get_close_matches(name.casefold(), list(by_fold), n=5, cutoff=0.5)]
    return UnknownCalendarError(
        f"No calendar is called {name!r}.",
        hint=(
            "Did you mean " + ", ".join(near) + "?" if near else "Names are those of exchange_calendars: XNYS, XLON…"
        ),
        calendar=name,
        nearest=near,
    )


def _cannot_build(name: str, failures: list[str]) -> UnknownCalendarError:
    return UnknownCalendarError(
        f"The calendar {name!r} is known, but the installed calendar libraries cannot build it.",
        hint="Use another calendar for these assets, or other versions of exchange_calendars and pandas. "
        + " | ".join(failures),
        calendar=name,
    )
