"""Change requests: asked by one user, approved by another, written as exactly what was asked."""

import re
from typing import Any

from mainsequence.contract import guards as contract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.guards import ChangeRequestRecord
from mainsequence.errors import (
    AlteredPlanError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    StaleRevisionError,
)
from mainsequence.platform.registry import categories as category_registry
from mainsequence.platform.registry import governance as registry
from mainsequence.platform.services import derived, guards, memberships, planned
from mainsequence.platform.services.guards import Consent
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.REQUESTS)
def requests(work: Work, body: contract.RequestsQuery, *, key: int) -> list[ChangeRequestRecord]:
    """List the requests of a universe, oldest first."""
    head = category_registry.by_id(work.connection, work.actor, key)
    found = registry.requests(work.connection, registry.requests_of(head.id))
    return [each for each in found if body.status is None or each.status == body.status]


@carries_out(contract.REQUEST_CHANGE)
def request_change(work: Work, body: contract.ChangeAsked, *, key: int) -> ChangeRequestRecord:
    """Store a request, or give the one that asks for the same and waits already."""
    head = memberships.begin_change(work, key, None)
    derived.refuse_change(head)
    _check_operation(body.change.operation)
    change = planned.read_back(work, head, body.change)
    if change.is_empty:
        raise AlteredPlanError("The change that is asked for changes nothing.", hint="Ask for one that does.")
    memberships.check_assets(work, change.gained)
    consent = Consent(force=body.force, is_planned=body.is_planned)
    guards.check_request(work, head, change, body.reason, consent)
    same = registry.same_request(body.change, work.actor.name, body.reason, force=body.force)
    for waits in registry.requests(work.connection, same):
        return waits
    row: dict[str, Any] = {
        "category_id": head.id,
        "author": work.actor.name,
        "requested_at": work.now,
        "revision": head.revision,
        "content_hash": body.change.content_hash,
        "change": body.change.model_dump(mode="json"),
        "enters": len(change.gained),
        "leaves": len(change.lost),
        "reason": body.reason,
        "force": body.force,
        "status": registry.PENDING,
    }
    return _read(work, registry.add_request(work.connection, row))


_REQUESTED = re.compile(rf"{'|'.join(sorted(planned.PLANNED))}|load|revert to [0-9]+")
"""What a change that is asked for may call itself in the history."""


def _check_operation(operation: str) -> None:
    if not _REQUESTED.fullmatch(operation):
        raise AlteredPlanError(
            f"No change is asked for as {operation!r}.", hint="A verb, a plan, load() and revert() ask by themselves."
        )


@carries_out(contract.REQUEST)
def get(work: Work, _body: None, *, key: int) -> ChangeRequestRecord:
    """Read one request of a universe that who asks may see."""
    for found in registry.requests(work.connection, registry.one_request(key)):
        category_registry.by_id(work.connection, work.actor, found.category_id)
        return found
    raise NotFoundError(
        f"There is no change request {key}.", hint="category.requests() lists those of an asset category."
    )


@carries_out(contract.APPROVE)
def approve(work: Work, body: contract.Verdict, *, key: int) -> ChangeRequestRecord:
    """Write what a request asks for, if the universe has not moved since."""
    request = get(work, None, key=key)
    head = memberships.begin_change(work, request.category_id, None)
    request = _undecided(get(work, None, key=key))
    _check_approver(work, request)
    _check_fresh(request, head)
    derived.refuse_change(head)
    asked = registry.requested_change(work.connection, key)
    change = planned.read_back(work, head, asked)
    memberships.check_assets(work, change.gained)
    consent = Consent(force=request.force, is_planned=True, author=request.author, approved_by=work.actor.name)
    after = memberships.commit_change(work, head, change, asked.operation, request.reason, consent)
    _decide(work, key, "applied", body, applied_revision=after.revision)
    return _read(work, key)


@carries_out(contract.REJECT)
def reject(work: Work, body: contract.Verdict, *, key: int) -> ChangeRequestRecord:
    """Decline a request: approvers, owners and administrators may; its author withdraws it."""
    request = get(work, None, key=key)
    head = memberships.begin_change(work, request.category_id, None)
    request = _undecided(get(work, None, key=key))
    if work.actor.name == request.author:
        raise ConflictError(f"Request {key} is your own.", hint="Take it back with withdraw().")
    present = registry.guards(work.connection, head.id)
    if work.actor.name not in present.approvers:
        guards.check_steward(work, head, present, "Rejecting changes")
    _decide(work, key, "rejected", body)
    return _read(work, key)


@carries_out(contract.WITHDRAW)
def withdraw(work: Work, body: contract.Verdict, *, key: int) -> ChangeRequestRecord:
    """Take back one's own request."""
    request = get(work, None, key=key)
    memberships.begin_change(work, request.category_id, None)
    request = _undecided(get(work, None, key=key))
    if work.actor.name != request.author:
        raise PermissionDeniedError(f"Request {key} is {request.author}'s.", hint="Approvers decline it with reject().")
    _decide(work, key, "withdrawn", body)
    return _read(work, key)


def _read(work: Work, key: int) -> ChangeRequestRecord:
    return registry.requests(work.connection, registry.one_request(key))[0]


def _undecided(request: ChangeRequestRecord) -> ChangeRequestRecord:
    if request.status in ("pending", "stale"):
        return request
    raise ConflictError(
        f"Request {request.id} was {request.status} already, by {request.decided_by}.",
        hint="category.requests() lists those that wait.",
        status=request.status,
    )


def _check_approver(work: Work, request: ChangeRequestRecord) -> None:
    approvers = registry.guards(work.connection, request.category_id).approvers
    name = work.actor.name
    if name == request.author:
        raise PermissionDeniedError(
            f"{name} asked for request {request.id} and cannot approve it: somebody else must.",
            hint=f"Approvers are {', '.join(approvers) or 'none'}.",
        )
    if name not in approvers:
        raise PermissionDeniedError(
            f"{name} does not approve changes of {request.category!r}.",
            hint=f"Approvers are {', '.join(approvers) or 'none'}; its owners name them with guard(approvers=[…]).",
        )


def _check_fresh(request: ChangeRequestRecord, head: CategoryRecord) -> None:
    if request.revision == head.revision:
        return
    raise StaleRevisionError(
        f"Request {request.id} is stale: it was made for revision {request.revision} of {request.category!r}, which is "
        f"at {head.revision} now.",
        hint="Let its author ask again, or reject it.",
        expected=request.revision,
        found=head.revision,
    )


def _decide(work: Work, key: int, status: str, said: contract.Verdict, **more: Any) -> None:
    fields = {"status": status, "decided_at": work.now, "decided_by": work.actor.name, "comment": said.comment}
    registry.decide(work.connection, key, fields | more)
