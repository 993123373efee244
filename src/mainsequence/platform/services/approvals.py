"""Change requests: asked by one user, approved by another, written as exactly what was asked."""

import re
from typing import Any

import numpy as np

from mainsequence.compute.intervals import Change
from mainsequence.contract import guards as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import ANNOUNCE, CategoryRecord
from mainsequence.domain.guards import REQUEST_LOOKUPS, ChangeRequestRecord
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.plans import PlannedChange
from mainsequence.domain.values import Page
from mainsequence.errors import (
    AlteredPlanError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    StaleRevisionError,
)
from mainsequence.platform import rights
from mainsequence.platform.registry import categories as category_registry
from mainsequence.platform.registry import governance as registry
from mainsequence.platform.registry.composition import RULE, hold_definitions
from mainsequence.platform.registry.governance_tables import change_request
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category
from mainsequence.platform.services import (
    beside,
    definitions,
    derived,
    guards,
    memberships,
    planned,
    redefining,
    rules,
)
from mainsequence.platform.services.beside import NOTHING_BESIDE, Beside
from mainsequence.platform.services.definitions import REDEFINE, Wanted
from mainsequence.platform.services.guards import Consent
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Registered, Work, carries_out


@carries_out(contract.REQUESTS)
def requests(work: Work, body: contract.RequestsQuery, *, key: int) -> list[ChangeRequestRecord]:
    """List the requests of a universe, oldest first."""
    head = category_registry.by_id(work.connection, work.actor, key)
    found = registry.requests(work.connection, registry.requests_of(head.id))
    return [each for each in found if body.status is None or each.status == body.status]


@carries_out(contract.QUERY_REQUESTS)
def query(work: Work, body: Query) -> Page[ChangeRequestRecord]:
    """Find requests of universes that who asks may see, in the order of their ids."""
    parsed = parse_lookups(body.filters, REQUEST_LOOKUPS)
    found = registry.request_selection().where(
        *seen_by(work.actor, category), *conditions(work.connection, parsed, registry.REQUEST_COLUMNS)
    )
    return page_by_id(found, change_request.c.id, body, lambda query: registry.read_requests(work.connection, query))


@carries_out(contract.REQUEST_CHANGE)
def request_change(work: Work, body: contract.ChangeAsked, *, key: int) -> ChangeRequestRecord:
    """Store a request, or give the one that asks for the same and waits already."""
    known = _DEFINED if body.change.defines else _REQUESTED
    if body.change.decided is not None or not known.fullmatch(body.change.operation):
        raise AlteredPlanError(
            f"No change is asked for as {body.change.operation!r}.",
            hint="A verb, a plan, load(), revert(), refresh_rule(), redefine() and change_rule() ask by themselves.",
        )
    return _stored(work, body, key)


_REQUESTED = re.compile(rf"{'|'.join(sorted(planned.PLANNED))}|load|{ANNOUNCE}|revert to [0-9]+")
"""What a change that is asked for by hand may call itself in the history: only a rule says what a rule decided."""

_DEFINED = re.compile(REDEFINE)
"""The same of another definition: only the platform says what a universe was made from."""


def _asked(work: Work, body: contract.ChangeAsked, *, key: int) -> ChangeRequestRecord:
    rights.check(work.connection, work.actor, contract.REQUEST_CHANGE, "category", key)
    return _stored(work, body, key)


ASKED = Registered(_asked, writes=True)
"""What carries out `REQUEST_CHANGE` where the platform itself asks: for what a service computed and could not write."""


def _stored(work: Work, body: contract.ChangeAsked, key: int) -> ChangeRequestRecord:
    head = _held(work, key, defines=body.change.defines)
    change, besides = _new(work, head, body.change)
    consent = Consent(force=body.force, is_planned=body.is_planned)
    guards.check_request(work, head, change, body.reason, consent)
    said = (body.change, work.actor.name, body.reason)
    waiting = registry.same_request(work.connection, *said, force=body.force)
    if waiting is not None:
        return waiting
    row: dict[str, Any] = {
        "category_id": head.id,
        "author": work.actor.name,
        "requested_at": work.now,
        "revision": head.revision,
        "content_hash": body.change.content_hash,
        "change": body.change.model_dump(mode="json"),
        "enters": len(change.gained),
        "leaves": len(change.lost),
        "announcements": len(besides.notes),
        "decided": besides.decided and besides.decided.summary,
        "defined": body.change.model_dump(mode="json", include={"expression", "rule"}) or None,
        "reason": body.reason,
        "force": body.force,
        "status": registry.PENDING,
    }
    return _read(work, registry.add_request(work.connection, row))


def _held(work: Work, key: int, *, defines: bool) -> CategoryRecord:
    """Hold a universe against other writers; one that is defined anew, also against others who define."""
    if defines:
        hold_definitions(work.connection, work.organization_id)
    return memberships.begin_change(work, key, None)


def _new(work: Work, head: CategoryRecord, asked: PlannedChange) -> tuple[Change, Beside]:
    """Give what is asked for, which must fit the head, and be new to it; the caller holds the lock."""
    if not asked.defines:
        return _checked(work, head, asked)
    wanted = _definition(work, head, asked)
    if definitions.is_in_force(work, head, wanted):
        raise AlteredPlanError("The definition that is asked for is in force.", hint="Ask for another one.")
    return wanted.follows, NOTHING_BESIDE


def sought(work: Work, head: CategoryRecord, asked: PlannedChange) -> tuple[Change, Beside]:
    """Give what follows for members from what is asked for, and what is recorded besides; it must fit the head."""
    if asked.defines:
        return _definition(work, head, asked).follows, NOTHING_BESIDE
    return planned.read_back(work, head, asked), beside.read_back(work, head, asked)


def _definition(work: Work, head: CategoryRecord, asked: PlannedChange) -> Wanted:
    if asked.rule is not None:
        return rules.read_back(work, head, asked.rule, asked)
    return redefining.read_back(work, head, asked)


def _checked(work: Work, head: CategoryRecord, asked: PlannedChange) -> tuple[Change, Beside]:
    """Give a change of members, and what is recorded besides; all of it must fit the head."""
    _check_kind(head, asked)
    change, besides = sought(work, head, asked)
    if change.is_empty and not len(besides.notes):
        raise AlteredPlanError("The change that is asked for changes nothing.", hint="Ask for one that does.")
    if change.is_empty != (asked.operation == ANNOUNCE):
        raise AlteredPlanError(
            f"{asked.operation!r} is not what the change does.", hint=f"{ANNOUNCE!r} is one that changes no member."
        )
    memberships.check_rows(work, change.opened.take(np.isin(change.opened.asset, change.gained)))
    memberships.check_assets(work, np.unique(besides.notes.asset), retired=True)
    return change, besides


def _check_kind(head: CategoryRecord, asked: PlannedChange) -> None:
    """Refuse what a rule decided of a universe that no rule fills, and anything else of one that a definition makes."""
    if asked.decided is None:
        derived.refuse_change(head)
    elif head.kind != RULE or asked.operation != "refresh":
        raise AlteredPlanError(
            f"What a rule decided is asked of {head.unique_identifier!r} as {asked.operation!r}.",
            hint="refresh_rule() of a universe that a rule fills asks by itself.",
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
    head = _held(work, request.category_id, defines=request.defines)
    request = _undecided(get(work, None, key=key))
    _check_approver(work, request)
    _check_fresh(request, head)
    asked = requested(work, request)
    consent = Consent(force=request.force, is_planned=True, author=request.author, approved_by=work.actor.name)
    after = _write(work, head, asked, request.reason, consent)
    _decide(work, key, "applied", body, applied_revision=after.revision)
    return _read(work, key)


def _write(
    work: Work, head: CategoryRecord, asked: PlannedChange, reason: str | None, consent: Consent
) -> CategoryRecord:
    if asked.defines:
        return definitions.commit(work, head, _definition(work, head, asked), reason, consent)
    change, besides = _checked(work, head, asked)
    return memberships.commit_change(work, head, change, asked.operation, reason, consent, besides)


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


def requested(work: Work, request: ChangeRequestRecord) -> PlannedChange:
    """Give exactly what a request asks for.

    Raises
    ------
    AlteredPlanError
        It does not say what it said when it was stored.
    """
    asked = registry.requested_change(work.connection, request.id)
    told = (asked.expression, asked.rule) == (request.expression, request.rule)
    if asked.content_hash != request.content_hash or not told:
        raise AlteredPlanError(
            f"Request {request.id} does not say what it said when it was stored.",
            hint="Somebody changed it past the platform; reject it, and look who may write the database.",
        )
    return asked


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
