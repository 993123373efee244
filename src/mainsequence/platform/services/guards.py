"""Guards of universes: what a change must satisfy, who may set that, deprecation and renaming."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select

from mainsequence.compute.intervals import Change, Floats, Intervals, Ints
from mainsequence.compute.membership_changes import entering, leaving, sweep
from mainsequence.contract.guards import ChangeAsked
from mainsequence.domain.access import LOCAL_OWNER, Role
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.guards import SMALL_UNIVERSE, Guards
from mainsequence.domain.plans import Objection, PlannedChange
from mainsequence.domain.times import open_datetime
from mainsequence.domain.values import listed
from mainsequence.errors import (
    ApprovalRequiredError,
    ConflictError,
    EmptyUniverseError,
    GuardError,
    LockedError,
    PermissionDeniedError,
    PlanRequiredError,
    ReasonRequiredError,
    RemovalGuardError,
    ValidationError,
)
from mainsequence.platform.registry import governance as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.tables import category_membership, user
from mainsequence.platform.services import derived, planned
from mainsequence.platform.services.beside import NOTHING_BESIDE, Beside
from mainsequence.platform.work import Work


@dataclass(frozen=True, slots=True)
class Consent:
    """What speaks for a change of membership.

    Parameters
    ----------
    force
        Whether a large removal is meant.
    is_planned
        Whether it is a plan that is applied.
    author
        Who asked for it, where that is somebody else than who acts.
    approved_by
        Who approved it.
    is_exempt
        Whether guards do not apply: an asset that retires leaves every universe.
    """

    force: bool = False
    is_planned: bool = False
    author: str | None = None
    approved_by: str | None = None
    is_exempt: bool = False


UNASKED = Consent()
EXEMPT = Consent(is_exempt=True)


def check(
    work: Work,
    head: CategoryRecord,
    change: Change,
    operation: str,
    reason: str | None,
    consent: Consent,
    besides: Beside = NOTHING_BESIDE,
) -> None:
    """Refuse a change that the guards of the universe do not let pass; announcements are one that takes nobody out.

    Raises
    ------
    GuardError
        Which guard, and what would satisfy it. `ApprovalRequiredError` carries the change, which `Platform` stores as a
        request once the work is rolled back.
    """
    guards = None if consent.is_exempt else _asking(work, head, change, reason, consent)
    if guards is not None:
        raise _approval_required(work, head, planned.written(head, change, operation, besides), reason, consent, guards)


def check_definition(
    work: Work, head: CategoryRecord, follows: Change, asked: PlannedChange, reason: str | None, consent: Consent
) -> None:
    """Refuse another definition, by what follows for members, as `check` refuses a change of them.

    Raises
    ------
    GuardError
        Which guard, and what would satisfy it. `ApprovalRequiredError` carries what is asked for.
    """
    guards = _asking(work, head, follows, reason, consent)
    if guards is not None:
        raise _approval_required(work, head, asked, reason, consent, guards)


def _asking(work: Work, head: CategoryRecord, change: Change, reason: str | None, consent: Consent) -> Guards | None:
    """Refuse what any guard but approval refuses; give the guards where somebody must still approve."""
    guards = registry.guards(work.connection, head.id)
    for error in _findings(work, head, guards, change, reason, consent):
        raise error
    return guards if guards.approvers and consent.approved_by is None else None


def check_request(work: Work, head: CategoryRecord, change: Change, reason: str | None, consent: Consent) -> None:
    """Refuse to store a request that no approval is needed for, or that another guard refuses.

    Raises
    ------
    ConflictError
        The universe has no approvers.
    GuardError
        Another guard refuses the change.
    """
    guards = registry.guards(work.connection, head.id)
    if not guards.approvers:
        raise ConflictError(
            f"A change of {head.unique_identifier!r} needs nobody's approval.",
            hint="Make it; its owners name approvers with guard(approvers=[…]).",
        )
    for error in _findings(work, head, guards, change, reason, consent):
        raise error


def objections(work: Work, head: CategoryRecord, change: Change) -> list[Objection]:
    """List the guards that would refuse a change without a reason and without force."""
    guards = registry.guards(work.connection, head.id)
    errors: list[GuardError] = list(_findings(work, head, guards, change, None, Consent(is_planned=True)))
    if guards.approvers:
        errors.append(ApprovalRequiredError(_needs(head, guards), hint="Applying it stores a request."))
    return [Objection(code=each.code, message=each.message, hint=each.hint) for each in errors]


def _findings(
    work: Work, head: CategoryRecord, guards: Guards, change: Change, reason: str | None, consent: Consent
) -> Iterator[GuardError]:
    yield from _basics(head, guards, reason, consent)
    yield from _removals(work, head, guards, change, consent)


def _basics(head: CategoryRecord, guards: Guards, reason: str | None, consent: Consent) -> Iterator[GuardError]:
    """Look at what does not depend on what is changed."""
    name = head.unique_identifier
    if guards.locked:
        yield locked(head)
    if guards.require_reason and not (reason or "").strip():
        yield ReasonRequiredError(f"A change of {name!r} needs a reason.", hint="Give reason='…'.", category=name)
    if guards.require_plan and not consent.is_planned:
        yield PlanRequiredError(
            f"{name!r} is changed by plans only.",
            hint="plan = category.plan(…); look at it; plan.apply(reason=…).",
            category=name,
        )


def locked(head: CategoryRecord) -> LockedError:
    """Say that membership is frozen."""
    return LockedError(
        f"The asset category {head.unique_identifier!r} is locked.",
        hint="Its owners and administrators unlock it with guard(locked=False).",
        category=head.unique_identifier,
    )


def _removals(
    work: Work, head: CategoryRecord, guards: Guards, change: Change, consent: Consent
) -> Iterator[GuardError]:
    """Look at every time from which members would be missing, or others be members beside them."""
    if not len(change.lost) or _harmless(guards, change):
        return
    lost = leaving(change)
    present = _present(work, head, int(lost.start.min()), int(lost.end.max()))
    moments = sweep(present, lost, entering(change))
    worst = moments.largest_fraction(_allowed(guards, moments.present))
    if worst is not None and not consent.force:
        at, gone, there = (int(column[worst]) for column in (moments.at, moments.gone, moments.present))
        yield _too_many(head, guards, gone, there, at)
    elif guards.forbid_empty and (moments.left == 0).any():
        yield _would_be_empty(head, int(moments.at[np.argmin(moments.left)]))


def _present(work: Work, head: CategoryRecord, start: int, end: int) -> Intervals:
    if derived.is_derived(head):
        return derived.membership(work, head).intervals(start, end)
    return ledger.intervals(work.connection, State(head.id), start, end)


def _allowed(guards: Guards, members: Ints) -> Floats:
    """Give the part of each of some numbers of members that may leave at once."""
    numbers, places = np.unique(members, return_inverse=True)
    return np.array([guards.allowed_fraction(each) for each in numbers.tolist()], dtype=np.float64)[places]


def _harmless(guards: Guards, change: Change) -> bool:
    """Tell without counting members that so few leave that no guard minds."""
    few = guards.allowed_fraction(SMALL_UNIVERSE + 1) * (SMALL_UNIVERSE + 1)
    return guards.max_removal_fraction is None and not guards.forbid_empty and len(change.lost) <= few


def members(work: Work, head: CategoryRecord, time: int) -> int:
    """Count the members at a time."""
    if derived.is_derived(head):
        return len(derived.membership(work, head).ids(time))
    query = select(func.count()).select_from(category_membership).where(*State(head.id).valid_at(time))
    return int(work.connection.scalar(query) or 0)


def _too_many(head: CategoryRecord, guards: Guards, gone: int, present: int, time: int) -> RemovalGuardError:
    allowed = guards.allowed_fraction(present)
    return RemovalGuardError(
        f"{gone} of {present} members of {head.unique_identifier!r} would leave ({gone / present:.0%}); "
        f"at most {allowed:.0%} may leave at once.",
        hint="If that is meant, repeat it with force=True (--force); plan(…) shows what it would do.",
        category=head.unique_identifier,
        leaving=gone,
        members=present,
        fraction=gone / present,
        allowed=allowed,
        at=_said(time),
    )


def _would_be_empty(head: CategoryRecord, time: int) -> EmptyUniverseError:
    return EmptyUniverseError(
        f"The asset category {head.unique_identifier!r} would have no member left.",
        hint="Its owners forbid that; name those who stay, or let an owner set guard(forbid_empty=False).",
        category=head.unique_identifier,
        at=_said(time),
    )


def _said(time: int) -> str | None:
    at = open_datetime(time)
    return None if at is None else at.isoformat()


# -- approval


def _approval_required(
    work: Work, head: CategoryRecord, asked: PlannedChange, reason: str | None, consent: Consent, guards: Guards
) -> ApprovalRequiredError:
    """Say that somebody else must approve a change, and hold what is asked for."""
    error = ApprovalRequiredError(_needs(head, guards, work.actor.name), category=head.unique_identifier)
    error.pending = ChangeAsked(change=asked, reason=reason, force=consent.force, is_planned=consent.is_planned)
    return error


def _needs(head: CategoryRecord, guards: Guards, author: str | None = None) -> str:
    others = listed(each for each in guards.approvers if each != author)
    whom = others or "another approver, and there is none yet"
    return f"A change of {head.unique_identifier!r} needs the approval of {whom}."


# -- who may


def may_steward(work: Work, category_id: int, guards: Guards) -> bool:
    """Tell whether who acts may set guards: administrators, whoever made the universe, and its owners."""
    if work.actor.role is Role.ADMIN:
        return True
    return work.actor.name in {registry.owner(work.connection, category_id), *guards.owners}


def check_steward(work: Work, head: CategoryRecord, guards: Guards, asked: str) -> None:
    """Refuse what is left to owners and administrators.

    Raises
    ------
    PermissionDeniedError
        Names the owners.
    """
    if may_steward(work, head.id, guards):
        return
    made_by = registry.owner(work.connection, head.id)
    owners = sorted({*guards.owners, *([made_by] if made_by else [])})
    raise PermissionDeniedError(
        f"{asked} of {head.unique_identifier!r} is left to its owners ({listed(owners) or 'none'}) and administrators.",
        hint="Ask one of them.",
        owners=owners,
    )


def check_end(work: Work, head: CategoryRecord, asked: str) -> None:
    """Refuse renaming or deleting a universe that is locked, or that needs approvals, to all but its owners."""
    guards = registry.guards(work.connection, head.id)
    if guards.locked:
        raise locked(head)
    if guards.for_stewards:
        check_steward(work, head, guards, asked)


def changed(guards: Guards, fields: dict[str, Any]) -> Guards:
    """Give guards with some fields set; names once each, in their order."""
    told: dict[str, Any] = guards.model_dump() | fields
    for people in ("approvers", "owners"):
        told[people] = tuple(dict.fromkeys(told[people]))
    return Guards(**told)


def check_may_approve(work: Work, names: Iterable[str]) -> None:
    """Refuse approvers whose role lets them approve nothing.

    Raises
    ------
    ValidationError
        Names them.
    """
    own = (user.c.organization_id == work.organization_id, user.c.name.in_(sorted(names)))
    readers = sorted(work.connection.scalars(select(user.c.name).where(*own, user.c.role == int(Role.READER))))
    if readers:
        raise ValidationError(
            f"Readers cannot approve changes: {listed(readers)}.", hint="Approvers are editors or administrators."
        )


def check_known(work: Work, names: Iterable[str]) -> None:
    """Refuse names of which nobody in the organization is called so.

    Raises
    ------
    ValidationError
        Names them.
    """
    asked = set(names) - {LOCAL_OWNER.name, work.actor.name}
    if not asked:
        return
    own = (user.c.organization_id == work.organization_id, user.c.name.in_(sorted(asked)))
    unknown = sorted(asked - set(work.connection.scalars(select(user.c.name).where(*own))))
    if unknown:
        raise ValidationError(
            f"There are no users {listed(unknown)}.", hint="mainsequence user list shows those that there are."
        )
