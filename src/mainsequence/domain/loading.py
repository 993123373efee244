"""Loading whole lists into a universe, and what is known beforehand of its changes."""

from typing import Literal

from pydantic import Field

from mainsequence.domain.categories import Reason
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value


class LoadOptions(Value):
    """How the intervals of a list enter a universe.

    Parameters
    ----------
    mode
        ``replace``: the universe holds exactly these, its past included; ``append``: these are added, nothing is taken
        away; ``history``: what lies before ``since`` stays, from there on the universe holds exactly these.
    since
        For ``history``: where the list begins; left out, at its first bound.
    since_now
        The list begins at the moment of the write: rows without a start too.
    weighted
        Whether the list speaks of weights; otherwise those who stay keep theirs.
    announced
        When the changes that the load makes were announced, but for bounds of which a row says something else.
    weights_sum_to, tolerance
        What the weights of the members must sum to whenever there are members, from the list's beginning to its end.
    if_revision
        Refuse unless the head is at this revision.
    reason
        Why, for the history.
    force
        Write although a guard of the universe speaks against it, where guards allow that.
    """

    mode: Literal["replace", "append", "history"] = "replace"
    since: Instant | None = None
    since_now: bool = False
    weighted: bool = True
    announced: Instant | None = None
    weights_sum_to: float | None = None
    tolerance: float = Field(1e-6, ge=0)
    if_revision: int | None = None
    reason: Reason | None = None
    force: bool = False


class LoadEffect(Value):
    """What a load would change at a revision: whole membership over all time, and the members now."""

    revision: int
    opened: int = Field(description="Validity intervals that would be written")
    closed: int = Field(description="Validity intervals that would no longer hold")
    gained: int = Field(description="Assets that would gain time as members")
    lost: int = Field(description="Assets that would lose time as members")
    members: int = Field(description="Members now")
    members_after: int = Field(description="Members now, if it were loaded")
    entering: list[str] = Field(description="Who would become a member now")
    leaving: list[str] = Field(description="Who would no longer be a member now")
    objections: list[str] = Field(default_factory=list, description="Guards that would refuse it, or ask for approval")


class UpcomingQuery(Value):
    """Changes that lie ahead of a time and were known by then."""

    as_of: Instant | None = None
    until: Instant | None = None


class ExpectedQuery(Value):
    """Who is known at one time to be a member at a later one."""

    at: Instant
    announced_by: Instant | None = None
