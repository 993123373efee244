"""Setting the guards of a universe, deprecating and renaming it."""

from mainsequence.contract import guards as contract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.changes import ChangeKind
from mainsequence.domain.guards import GuardChange, Guards
from mainsequence.errors import AlreadyExistsError, CyclicUniverseError
from mainsequence.platform import rights
from mainsequence.platform.registry import categories as category_registry
from mainsequence.platform.registry import former as former_names
from mainsequence.platform.registry import governance as registry
from mainsequence.platform.services import changes, guards
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.GUARDS)
def read(work: Work, _body: None, *, key: int) -> Guards:
    """Read the guards of a universe."""
    return registry.guards(work.connection, _head(work, key).id)


@carries_out(contract.GUARD_HISTORY)
def history(work: Work, _body: None, *, key: int) -> list[GuardChange]:
    """Read every change of the guards, oldest first."""
    return registry.guard_changes(work.connection, _head(work, key).id)


@carries_out(contract.GUARD)
def change(work: Work, body: contract.GuardPatch, *, key: int) -> Guards:
    """Set guards; what says the same is not recorded."""
    category_registry.lock(work.connection, key)
    head = _head(work, key)
    present = registry.guards(work.connection, head.id)
    guards.check_steward(work, head, present, "Setting guards")
    given = body.model_dump(include=body.model_fields_set - {"reason"})
    wanted = guards.changed(present, given)
    guards.check_known(work, {*wanted.approvers, *wanted.owners} - {*present.approvers, *present.owners})
    guards.check_may_approve(work, set(wanted.approvers) - set(present.approvers))
    if wanted != present:
        registry.set_guards(work.connection, head.id, wanted, work.now, work.actor.name, body.reason)
    return wanted


@carries_out(contract.DEPRECATE)
def deprecate(work: Work, body: contract.DeprecationOrder, *, key: int) -> CategoryRecord:
    """Warn those who read a universe, and name the one that takes its place."""
    category_registry.hold_assets(work.connection, work.organization_id)
    category_registry.lock(work.connection, key)
    head = _head(work, key)
    guards.check_end(work, head, "Deprecating")
    successor = None if body.successor is None else _successor(work, head, body.successor)
    told = {"deprecated_at": work.now, "successor": successor, "deprecation_reason": body.reason}
    category_registry.change(work.connection, head.id, told)
    changes.publish(work, head.id, ChangeKind.DESCRIBED)
    return _head(work, key)


def _successor(work: Work, head: CategoryRecord, name: str) -> str:
    """Give the present identifier of a successor, which must not lead back."""
    found = category_registry.by_identifier(work.connection, work.actor, name)
    seen = [head.unique_identifier]
    following: CategoryRecord | None = found
    while following is not None:
        seen.append(following.unique_identifier)
        if following.id == head.id:
            raise CyclicUniverseError(
                f"The successors would go round in a circle: {' → '.join(seen)}.", hint="Name another universe."
            )
        told = following.deprecated
        after = None if told is None else told.successor
        following = None if after is None else category_registry.by_identifier(work.connection, work.steward, after)
    return found.unique_identifier


@carries_out(contract.UNDEPRECATE)
def undeprecate(work: Work, _body: None, *, key: int) -> CategoryRecord:
    """Take a deprecation back."""
    category_registry.hold_assets(work.connection, work.organization_id)
    category_registry.lock(work.connection, key)
    head = _head(work, key)
    if head.deprecated is None:
        return head
    guards.check_end(work, head, "Deprecating")
    nothing = dict.fromkeys(("deprecated_at", "successor", "deprecation_reason"))
    category_registry.change(work.connection, head.id, nothing)
    changes.publish(work, head.id, ChangeKind.DESCRIBED)
    return _head(work, key)


@carries_out(contract.RENAME)
def rename(work: Work, body: contract.Renaming, *, key: int) -> CategoryRecord:
    """Give a universe another identifier; the old one goes on leading to it and cannot be taken."""
    category_registry.hold_assets(work.connection, work.organization_id)
    category_registry.lock(work.connection, key)
    head = _head(work, key)
    if body.unique_identifier == head.unique_identifier:
        return head
    guards.check_end(work, head, "Renaming")
    _check_free(work, head, body.unique_identifier)
    names = (head.unique_identifier, body.unique_identifier)
    registry.rename(work.connection, work.organization_id, head.id, names, work.now, work.actor.name)
    changes.publish(work, head.id, ChangeKind.DESCRIBED)
    return _head(work, key)


def _check_free(work: Work, head: CategoryRecord, name: str) -> None:
    former = registry.alias_of(work.connection, work.organization_id, name)
    if former == head.id:
        return
    if former is not None:
        raise AlreadyExistsError(
            f"The name {name!r} was that of another asset category and leads to it.", hint="Choose another name."
        )
    if category_registry.is_taken(work.connection, work.organization_id, name):
        raise rights.taken("category", name)
    if former_names.last_revision(work.connection, work.organization_id, name):
        raise AlreadyExistsError(
            f"The name {name!r} was that of an asset category that was deleted; pins of that name mean its revisions.",
            hint="Choose another name, or create one of that name: its revisions go on counting.",
        )


def _head(work: Work, key: int) -> CategoryRecord:
    return category_registry.by_id(work.connection, work.actor, key)
