"""Comparing sources of one universe, and whether one is still kept up."""

from datetime import datetime

from pydantic import Field

from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value


class Reconciliation(Value):
    """Universes to compare over ``[start, end)``.

    Left out, the window is from the first bound that any of them has to now.
    """

    universes: list[str] = Field(min_length=2, max_length=62, description="Unique identifiers, also pinned")
    start: Instant | None = None
    end: Instant | None = None


class ReconciliationFacts(Value):
    """What was compared, and how far the universes agree."""

    universes: list[str]
    revisions: list[int]
    start: Instant
    end: Instant
    agreement: float = Field(description="Part of membership time on which all agree, 0 to 1")
    times: list[Instant] = Field(description="When the counts below begin to hold")
    union: list[int] = Field(description="Assets that any of them has in")
    agreed: list[int] = Field(description="Assets that all of them have in")


class FreshnessQuery(Value):
    """When to ask, and what counts as too long.

    Parameters
    ----------
    at
        By default now.
    quantile, factor
        Too long is ``factor`` times the ``quantile`` of the universe's own gaps between moves.
    """

    at: Instant | None = None
    quantile: float = Field(0.99, gt=0, le=1)
    factor: float = Field(2.0, gt=0)


class Freshness(Value):
    """Whether a universe has moved as recently as its own history suggests.

    A universe moves where somebody enters, leaves or changes weight; where no membership has a date, it moves when a
    revision is recorded. Moves of one day (UTC) count as one. Fewer than three tell nothing: such a universe is not
    called stale.
    """

    unique_identifier: str
    at: datetime
    moves: int
    last_moved_at: datetime | None
    days_since: float | None
    allowed_days: float | None = Field(description="How long it may stay as it is; null where its history is too short")
    next_move_at: datetime | None = Field(description="The next change that is recorded ahead of time")
    is_stale: bool
