"""Pins: references to a universe as it was recorded, ``sp500_constituents@12`` or ``sp500_constituents@2024-06-28``.

A pin says **what was known**, never only what was valid: ``@12`` is the state recorded as revision 12, ``@2024-06-28``
the state as known at midnight UTC at the start of that day (as every date of this platform). So a backtest that reads a
pinned universe sees nothing that was recorded later.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.identifiers import check_universe_identifier
from mainsequence.domain.times import Instant, to_datetime
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError


@dataclass(frozen=True, slots=True)
class Pin:
    """A reference to a universe, read.

    Parameters
    ----------
    name
        The unique identifier of the universe.
    revision
        The revision that is meant, or ``None``.
    known_at
        The time as known at which it is meant, or ``None``. At most one of the two is given; neither means the head.
    """

    name: str
    revision: int | None = None
    known_at: datetime | None = None

    @classmethod
    def parse(cls, reference: str) -> "Pin":
        """Read ``name``, ``name@12``, ``name@2024-06-28`` or ``name@2024-06-28T20:00:00Z``.

        Raises
        ------
        InvalidIdentifierError
            The name is no identifier of a universe.
        ValidationError
            What follows the ``@`` is neither a revision nor a time.
        NaiveTimestampError
            A time of day without a zone.
        """
        name, at, state = reference.partition("@")
        check_universe_identifier(name)
        if not at:
            return cls(name)
        if state.isascii() and state.isdecimal():
            return cls(name, revision=int(state))
        return cls(name, known_at=_known_at(reference, name, state))

    @property
    def is_pinned(self) -> bool:
        """Whether it means one recorded state, not the head."""
        return self.revision is not None or self.known_at is not None

    def __str__(self) -> str:
        if self.known_at is not None:
            return f"{self.name}@{written(self.known_at)}"
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


def _known_at(reference: str, name: str, state: str) -> datetime:
    if not state[:1].isdecimal():
        raise ValidationError(
            f"{reference!r} pins {state!r}, which is neither a revision nor a date.",
            hint=f"Write {name}@12 for a revision, {name}@2024-06-28 for what was known then, or {name} for the head.",
        )
    return to_datetime(state, f"the pin of {name}")


def written(time: datetime) -> str:
    """Write a time as pins have it: as a date where it is midnight UTC."""
    in_utc = time.astimezone(UTC)
    if (in_utc.hour, in_utc.minute, in_utc.second, in_utc.microsecond) == (0, 0, 0, 0):
        return date(in_utc.year, in_utc.month, in_utc.day).isoformat()
    return in_utc.isoformat().replace("+00:00", "Z")


def check_pin(reference: str) -> str:
    """Accept a reference to a universe, pinned or not, as it is written. Errors as `Pin.parse`."""
    Pin.parse(reference)
    return reference


def name_of(reference: str) -> str:
    """Give the identifier that a reference begins with. Errors as `Pin.parse`."""
    return Pin.parse(reference).name


class PinnedState(Value):
    """What a pin stands for.

    Parameters
    ----------
    reference
        The pin as it was written.
    revision
        The revision that it means; ``None`` for a universe that is made from others, which has no revisions of members.
    known_at
        For such a one, the time as known at which it is meant.
    as_of
        The time at which members are asked for where the question does not say: that of the pin.
    """

    reference: str
    revision: int | None = None
    known_at: Instant | None = None
    as_of: Instant


class ResolvedPin(Value):
    """The universe that a reference names, and the state that it means where it is pinned."""

    record: CategoryRecord
    pinned: PinnedState | None = None
