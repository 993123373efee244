"""What guards a universe: rules for its changes, approvals, deprecation, renaming."""

from types import NoneType
from typing import Self

from pydantic import Field, model_validator

from mainsequence.contract.operation import reading, writing
from mainsequence.contract.queries import Query
from mainsequence.domain.access import UserName
from mainsequence.domain.categories import CategoryRecord, Reason
from mainsequence.domain.guards import (
    ChangeRequestRecord,
    Comment,
    Fraction,
    GuardChange,
    Guards,
    RequestStatus,
)
from mainsequence.domain.identifiers import UniverseIdentifier
from mainsequence.domain.plans import PlannedChange, PlanRecord
from mainsequence.domain.values import Page, Value, refuse_null


class GuardPatch(Value):
    """Guards to set; those left out stay as they are."""

    max_removal_fraction: Fraction | None = Field(None, description="null: the default")
    forbid_empty: bool | None = None
    require_reason: bool | None = None
    require_plan: bool | None = None
    locked: bool | None = None
    approvers: tuple[UserName, ...] | None = None
    owners: tuple[UserName, ...] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _nothing_null(self) -> Self:
        refuse_null(self, "forbid_empty", "require_reason", "require_plan", "locked", "approvers", "owners")
        return self


class DeprecationOrder(Value):
    """Which universe readers should turn to, and why."""

    successor: UniverseIdentifier | None = None
    reason: Reason | None = None


class Renaming(Value):
    """The new identifier of a universe; the old one goes on leading to it."""

    unique_identifier: UniverseIdentifier


class ChangeAsked(Value):
    """A change that somebody else shall approve."""

    change: PlannedChange
    reason: Reason | None = None
    force: bool = False
    is_planned: bool = Field(False, description="Whether it is a plan that was to be applied")


class RequestsQuery(Value):
    """Which requests: by default all."""

    status: RequestStatus | None = None


class Verdict(Value):
    """What is said with a decision."""

    comment: Comment | None = None


_ONE = "/asset-categories/{key}"
_REQUEST = "/change-requests/{key}"

GUARDS = reading("GET", f"{_ONE}/guards", "categories.guards", NoneType, Guards, "Read the guards of a universe.")
GUARD = writing(
    *("PATCH", f"{_ONE}/guards", "categories.guard", GuardPatch, Guards),
    "Set guards of a universe, for its owners and administrators.",
)
GUARD_HISTORY = reading(
    *("GET", f"{_ONE}/guards/history", "categories.guard_history", NoneType, list[GuardChange]),
    "Read every change of a universe's guards.",
)
DEPRECATE = writing(
    *("POST", f"{_ONE}/deprecate", "categories.deprecate", DeprecationOrder, CategoryRecord),
    "Warn those who read a universe, and name another one.",
)
UNDEPRECATE = writing(
    "POST", f"{_ONE}/undeprecate", "categories.undeprecate", NoneType, CategoryRecord, "Take a deprecation back."
)
RENAME = writing(
    *("POST", f"{_ONE}/rename", "categories.rename", Renaming, CategoryRecord),
    "Give a universe another identifier; the old one leads to it.",
)
REQUESTS = reading(
    *("GET", f"{_ONE}/change-requests", "categories.change_requests", RequestsQuery, list[ChangeRequestRecord]),
    "List the changes of a universe that were asked for.",
)
REQUEST_CHANGE = writing(
    *("POST", f"{_ONE}/change-requests", "categories.request_change", ChangeAsked, ChangeRequestRecord),
    "Ask somebody else to approve a change; asked again, give the request that waits.",
)
QUERY_REQUESTS = reading(
    *("POST", "/change-requests/query", "change_requests.query", Query, Page[ChangeRequestRecord]),
    "Find the changes that were asked for, of every universe that one sees, page by page.",
)
REQUEST = reading("GET", _REQUEST, "change_requests.get", NoneType, ChangeRequestRecord, "Read one change request.")
REQUEST_PLAN = reading(
    "GET", f"{_REQUEST}/plan", "change_requests.plan", NoneType, PlanRecord, "Say what a requested change would do."
)
APPROVE = writing(
    *("POST", f"{_REQUEST}/approve", "change_requests.approve", Verdict, ChangeRequestRecord),
    "Approve a change that somebody else asked for: it is written.",
)
REJECT = writing(
    *("POST", f"{_REQUEST}/reject", "change_requests.reject", Verdict, ChangeRequestRecord),
    "Decline a change that somebody else asked for.",
)
WITHDRAW = writing(
    *("POST", f"{_REQUEST}/withdraw", "change_requests.withdraw", Verdict, ChangeRequestRecord),
    "Take back a change that one asked for.",
)
