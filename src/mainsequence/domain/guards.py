"""Guards of a universe, requests that wait for approval, deprecation: what a universe with many readers asks for."""

from typing import Annotated, Literal

from pydantic import AllowInfNan, Field, StringConstraints

from mainsequence.domain.access import UserName
from mainsequence.domain.beside import Decision
from mainsequence.domain.categories import Reason
from mainsequence.domain.identifiers import FreeText
from mainsequence.domain.lookups import IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.times import Instant
from mainsequence.domain.universe_rules import UniverseRule
from mainsequence.domain.values import Value

REMOVAL_FRACTION, SMALL_UNIVERSE = 0.5, 20
"""Where no fraction is set: the part of a universe of more than so many members that may leave at once."""

Fraction = Annotated[float, AllowInfNan(False), Field(ge=0, le=1)]
Comment = Annotated[FreeText, StringConstraints(max_length=4_000)]


class Guards(Value):
    """What a change of membership must satisfy; what the default says holds until the owners say otherwise.

    Parameters
    ----------
    max_removal_fraction
        The part of the members that may leave in one change; ``None``: half, of a universe of more than 20.
        ``force=True`` goes past it.
    forbid_empty
        Whether no change may leave the universe without members.
    require_reason, require_plan
        Whether a change must give a reason, or be a plan that is applied.
    locked
        Whether membership is frozen; only owners and administrators unlock.
    approvers
        Users of whom one other than the author must approve each change; empty: none.
    owners
        Users who may set guards beside administrators and whoever made the universe.
    """

    max_removal_fraction: Fraction | None = None
    forbid_empty: bool = False
    require_reason: bool = False
    require_plan: bool = False
    locked: bool = False
    approvers: tuple[UserName, ...] = ()
    owners: tuple[UserName, ...] = ()

    @property
    def for_stewards(self) -> bool:
        """Whether renaming and deleting are left to owners and administrators."""
        return self.locked or bool(self.approvers)

    def allowed_fraction(self, members: int) -> float:
        """Give the part of so many members that may leave at once."""
        if self.max_removal_fraction is not None:
            return self.max_removal_fraction
        return REMOVAL_FRACTION if members > SMALL_UNIVERSE else 1.0


class GuardChange(Value):
    """The guards of a universe after one change of them."""

    number: int
    recorded_at: Instant
    actor: str
    reason: str | None
    guards: Guards


REQUEST_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    **dict.fromkeys(("category", "author", "decided_by"), FieldLookups(IDENTIFYING)),
    "status": FieldLookups(LISTED),
}
"""What change requests can be filtered by; ``status="pending"`` finds those too that are stale by now."""

RequestStatus = Literal["pending", "stale", "applied", "rejected", "withdrawn"]


class ChangeRequestRecord(Value):
    """A change of a universe that waits for somebody else's approval, or what became of it."""

    id: int
    category_id: int
    category: str = Field(description="The identifier of the universe")
    author: str
    requested_at: Instant
    revision: int = Field(description="The head that it was made for")
    enters: int
    leaves: int
    announcements: int = Field(0, description="How many announcements it would note")
    decision: Decision | None = Field(None, description="What a rule decided, where that is what is asked for")
    expression: str | None = Field(None, description="What the universe would be made from, where that is asked for")
    rule: UniverseRule | None = Field(None, description="The rule that would fill it, where that is asked for")
    reason: Reason | None
    force: bool
    status: RequestStatus = Field(description="stale: still pending, but the universe has moved since")
    decided_at: Instant | None
    decided_by: str | None
    comment: Comment | None
    applied_revision: int | None
    content_hash: str

    @property
    def defines(self) -> bool:
        """Whether it asks for another definition of the universe: an expression, or a rule."""
        return self.expression is not None or self.rule is not None


class DeprecatedUniverseWarning(UserWarning):
    """A universe should be read no more; the message names its successor."""


class RenamedUniverseWarning(UserWarning):
    """A universe is called something else now; the name that was used goes on working."""
