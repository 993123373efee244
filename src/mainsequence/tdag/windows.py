"""Ranges of time as updates ask for them.

``(last, now]``, what came after the newest stamp and until now, is the everyday question of an incremental update. Its
honest answer may be nothing, also where another process has stored more since ``now`` and ``last`` lies behind it. So a
range that excludes its start is never refused; one that includes it is, when its end lies before.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from mainsequence.domain.times import TimeLike, end_micros, open_datetime, start_micros
from mainsequence.errors import InvalidIntervalError

_FAR = datetime.max.replace(tzinfo=UTC)
NOWHERE = {"start": _FAR - timedelta(microseconds=1), "end": _FAR}
"""A range that no observation lies in: the last microsecond that a series could hold but one."""


def bounds(
    start: TimeLike | None, end: TimeLike | None, start_inclusive: bool = True, end_inclusive: bool = False
) -> tuple[int, int]:
    """Give the first microsecond of a range and the first behind it; equal ones hold nothing.

    Raises
    ------
    InvalidIntervalError
        ``end`` lies before a ``start`` that is included.
    """
    first, last = start_micros(start, "start_date"), end_micros(end, "end_date")
    if last < first and start_inclusive:
        raise InvalidIntervalError(
            f"end_date {open_datetime(last)} lies before start_date {open_datetime(first)}.",
            hint="Exchange them, or leave one out.",
        )
    begin = first + (start is not None and not start_inclusive)
    return begin, max(begin, last + (end is not None and end_inclusive))


def window(
    start: TimeLike | None, end: TimeLike | None, start_inclusive: bool = True, end_inclusive: bool = False
) -> dict[str, Any]:
    """Give the range as the keywords of `Series.read_arrow`."""
    begin, behind = bounds(start, end, start_inclusive, end_inclusive)
    return NOWHERE if begin == behind else {"start": open_datetime(begin), "end": open_datetime(behind)}
