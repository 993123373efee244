"""Times as the platform stores them: UTC, whole microseconds since 1970, half-open intervals.

Minus and plus infinity are ``MIN_MICROS`` and ``MAX_MICROS``; at the edges they are ``None``.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from mainsequence.errors import InvalidIntervalError, NaiveTimestampError, ValidationError

MIN_MICROS = -(2**61)
MAX_MICROS = 2**61
MICROS_PER_SECOND = 1_000_000
MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND

TimeLike: TypeAlias = datetime | date | str
"""What users may give as a time: an aware datetime, a date (its midnight UTC), or either in ISO 8601."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_datetime(value: TimeLike, name: str = "time") -> datetime:
    """Read a time given by a user as an aware UTC datetime.

    Parameters
    ----------
    value
        An aware ``datetime`` (also a pandas ``Timestamp``), a ``date`` (meaning its midnight UTC), or ISO 8601 text.
    name
        What the time is called, for the error message.

    Raises
    ------
    NaiveTimestampError
        A datetime without a time zone.
    ValidationError
        Text that is not ISO 8601, or another type.
    """
    if isinstance(value, str):
        value = _parse(value, name)
    if isinstance(value, datetime):
        return _aware(value, name)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValidationError(
        f"{name} must be a time, got {value!r} of type {type(value).__name__}.",
        hint="Give an aware datetime, a date, or ISO 8601 text such as '2024-06-28' or '2024-06-28T20:00:00Z'.",
    )


def _parse(text: str, name: str) -> datetime | date:
    try:
        return date.fromisoformat(text) if len(text) == len("2024-06-28") else datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError(
            f"{name} {text!r} is not a time in ISO 8601.",
            hint="Write it like '2024-06-28' or '2024-06-28T20:00:00Z'.",
        ) from None


def _aware(value: datetime, name: str) -> datetime:
    if value != value:  # noqa: PLR0124 - so pandas tells that it is no time
        raise ValidationError(f"{name} is not a time ({value}).", hint="Leave it out, or give an aware datetime.")
    if getattr(value, "nanosecond", 0):
        raise ValidationError(f"{name} {value} is finer than microseconds.", hint="Round it to microseconds.")
    if value.utcoffset() is None:
        raise NaiveTimestampError(
            f"{name} {value} has no time zone.",
            hint="Give it one, for instance value.replace(tzinfo=datetime.UTC).",
        )
    instant = _in_utc(value, name)
    return datetime(
        *(instant.year, instant.month, instant.day),
        *(instant.hour, instant.minute, instant.second, instant.microsecond),
        tzinfo=UTC,
    )


Instant = Annotated[datetime, BeforeValidator(to_datetime)]
"""An aware UTC datetime in a value; dates and ISO 8601 text are read, naive times are refused."""


def _in_utc(value: datetime, name: str) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValidationError(
            f"{name} {value} lies outside the years 1 to 9999 in UTC.", hint="For an open bound leave it out."
        ) from None


def to_micros(value: TimeLike, name: str = "time") -> int:
    """Read a time given by a user as whole microseconds since 1970, UTC."""
    return (to_datetime(value, name) - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Give the aware UTC datetime of whole microseconds since 1970."""
    return _EPOCH + micros * _MICROSECOND


Micros = Annotated[
    int, Field(ge=to_micros(datetime.min.replace(tzinfo=UTC)), le=to_micros(datetime.max.replace(tzinfo=UTC)))
]
"""A time that has a date, as whole microseconds since 1970 UTC, in a value."""


def start_micros(value: TimeLike | None, name: str = "start") -> int:
    """Read the start of an interval; ``None`` is minus infinity."""
    return MIN_MICROS if value is None else to_micros(value, name)


def end_micros(value: TimeLike | None, name: str = "end") -> int:
    """Read the end of an interval; ``None`` is plus infinity."""
    return MAX_MICROS if value is None else to_micros(value, name)


def open_datetime(micros: int) -> datetime | None:
    """Give a bound of an interval as a datetime; infinities are ``None``."""
    return None if micros <= MIN_MICROS or micros >= MAX_MICROS else from_micros(micros)


def check_interval(start: int, end: int, names: tuple[str, str] = ("start", "end")) -> None:
    """Refuse a half-open interval that holds no time.

    Raises
    ------
    InvalidIntervalError
        ``end`` is not after ``start``.
    """
    if start < end:
        return
    raise InvalidIntervalError(
        f"{names[1]} {open_datetime(end)} is not after {names[0]} {open_datetime(start)}.",
        hint="Intervals are half-open [start, end) and must hold some time.",
    )
