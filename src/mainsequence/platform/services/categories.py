"""Universes: finding, creating, describing and deleting them."""

from typing import Any

from mainsequence.contract import categories as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import CATEGORY_LOOKUPS, CategoryCreation, CategoryRecord, Reference, Revision
from mainsequence.domain.changes import ChangeKind
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.times import to_micros
from mainsequence.domain.values import Page, listed
from mainsequence.errors import AlreadyExistsError, ConflictError, InUseError, NotFoundError
from mainsequence.platform import rights
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import composition, governance, ledger
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category
from mainsequence.platform.services import changes, derived, guards, memberships
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.QUERY)
def query(work: Work, body: Query) -> Page[CategoryRecord]:
    """Find universes by lookups, in the order of their ids."""
    parsed = parse_lookups(_with_present_names(work, body.filters), CATEGORY_LOOKUPS)
    found = registry.selection().where(
        *seen_by(work.actor, category), *conditions(work.connection, parsed, registry.COLUMNS)
    )
    return page_by_id(found, category.c.id, body, lambda query: registry.read(work.connection, query))


def _with_present_names(work: Work, filters: dict[str, Any]) -> dict[str, Any]:
    """Let lookups of exact identifiers find universes that were renamed since."""
    one, several = filters.get("unique_identifier"), filters.get("unique_identifier__in")
    if isinstance(one, str):
        filters = filters | {"unique_identifier": governance.present_name(work.connection, work.organization_id, one)}
    if isinstance(several, list) and all(isinstance(each, str) for each in several):
        known = governance.present_names(work.connection, work.organization_id, several)
        filters = filters | {"unique_identifier__in": [known[each] for each in several]}
    return filters


@carries_out(contract.GET)
def get(work: Work, _body: None, *, key: int) -> CategoryRecord:
    """Read one universe of the organization."""
    return registry.by_id(work.connection, work.actor, key)


def by_identifier(work: Work, unique_identifier: str) -> CategoryRecord:
    """Read one universe of the organization by its unique identifier."""
    return registry.by_identifier(work.connection, work.actor, unique_identifier)


@carries_out(contract.CREATE)
def create(work: Work, body: CategoryCreation) -> CategoryRecord:
    """Create a universe whose identifier is not taken."""
    if not _made(work, body):
        _seen(work, body.unique_identifier)
        raise AlreadyExistsError(
            f"An asset category {body.unique_identifier!r} exists already.",
            hint="AssetCategory.get(unique_identifier=…) reads it; get_or_create finds or creates.",
        )
    return _with_first_members(work, body)


@carries_out(contract.GET_OR_CREATE)
def get_or_create(work: Work, body: CategoryCreation) -> CategoryRecord:
    """Read the universe with this identifier, unchanged, or create it."""
    if _made(work, body):
        return _with_first_members(work, body)
    record = _seen(work, body.unique_identifier)
    if body.dated and not record.dated:
        raise ConflictError(
            f"The asset category {body.unique_identifier!r} exists and is not dated.",
            hint="Leave dated= out, or give verbs dates with effective_from=.",
        )
    return record


def _made(work: Work, body: CategoryCreation) -> bool:
    """Insert a universe; answer whether its identifier was free: no universe has it, or had it before a renaming."""
    if not registry.create(work.connection, work.actor, body, work.now):
        return False
    # Asked behind the insert, which waits for a renaming that is under way.
    if governance.alias_of(work.connection, work.organization_id, body.unique_identifier) is None:
        return True
    registry.uncreate(work.connection, work.organization_id, body.unique_identifier)
    return False


def _seen(work: Work, unique_identifier: str) -> CategoryRecord:
    """Read the universe that has an identifier; one that is hidden has taken it all the same."""
    try:
        return by_identifier(work, unique_identifier)
    except NotFoundError:
        raise rights.taken("category", unique_identifier) from None


def _with_first_members(work: Work, body: CategoryCreation) -> CategoryRecord:
    record = by_identifier(work, body.unique_identifier)
    registry.hold_assets(work.connection, work.organization_id)
    changes.publish(work, record.id, ChangeKind.CREATED)
    if not body.assets:
        return record
    edit = contract.MembershipEdit(asset_ids=body.assets, reason="created with these members")
    return memberships.append_assets(work, edit, key=record.id)


@carries_out(contract.PATCH)
def patch(work: Work, body: contract.CategoryPatch, *, key: int) -> CategoryRecord:
    """Change descriptions, and members where they are given, in one step."""
    registry.hold_assets(work.connection, work.organization_id)
    registry.lock(work.connection, key)
    before = get(work, None, key=key)
    memberships.check_revision(before, body.if_revision)
    described = body.model_dump(include=body.model_fields_set & {"display_name", "description"})
    registry.change(work.connection, key, described)
    if any(getattr(before, name) != value for name, value in described.items()):
        changes.publish(work, key, ChangeKind.DESCRIBED)
    if body.assets is None:
        return get(work, None, key=key)
    given = {name: getattr(body, name) for name in ("if_revision", "reason", "force")}
    return memberships.update_assets(work, contract.MembershipEdit(asset_ids=body.assets, **given), key=key)


@carries_out(contract.DELETE)
def delete(work: Work, _body: None, *, key: int) -> None:
    """Delete a universe with its history, unless something reads it."""
    registry.hold_assets(work.connection, work.organization_id)
    registry.lock(work.connection, key)
    record = get(work, None, key=key)
    readers = registry.references(work.connection, work.steward, key)
    if readers:
        seen = registry.references(work.connection, work.actor, key)
        named = rights.named([f"{reader.kind} {reader.identifier}" for reader in seen], len(readers))
        raise InUseError(
            f"The asset category {record.unique_identifier!r} is read by {listed(named)}.",
            hint="Delete those first, or let them read another universe.",
            referrers=named,
        )
    _refuse_if_needed(work, record)
    changes.publish(work, key, ChangeKind.DELETED)
    composition.forget(work.connection, key, record.unique_identifier)
    registry.erase(work.connection, key)


def _refuse_if_needed(work: Work, record: CategoryRecord) -> None:
    guards.check_end(work, record, "Deleting")
    who = (work.actor, work.steward)
    once = rights.known(composition.readers_ever(work.connection, each, record.id) for each in who)
    if once:
        raise InUseError(
            f"The past of {listed(once)} is made from {record.unique_identifier!r}.",
            hint="Delete those first; while they exist, what was known of them stays readable.",
            referrers=[f"category {each}" for each in once],
        )
    deprecated = rights.known(
        governance.deprecated_for(work.connection, each, record.unique_identifier) for each in who
    )
    if deprecated:
        raise InUseError(
            f"{record.unique_identifier!r} is the successor of {listed(deprecated)}.",
            hint="Name another successor there with deprecate(successor=…), or undeprecate() them.",
            referrers=[f"category {each}" for each in deprecated],
        )


@carries_out(contract.HISTORY)
def history(work: Work, _body: None, *, key: int) -> list[Revision]:
    """Read every revision, oldest first."""
    return registry.revisions(work.connection, get(work, None, key=key).id)


@carries_out(contract.REFERENCES)
def references(work: Work, _body: None, *, key: int) -> list[Reference]:
    """List what reads a universe."""
    return registry.references(work.connection, work.actor, get(work, None, key=key).id)


@carries_out(contract.REGISTER_REFERENCE)
def register_reference(work: Work, body: Reference, *, key: int) -> None:
    """Remember that something reads a universe."""
    registry.register_reference(work.connection, get(work, None, key=key).id, body, work.now)


@carries_out(contract.DROP_REFERENCE)
def drop_reference(work: Work, body: Reference, *, key: int) -> None:
    """Forget that something reads a universe."""
    registry.drop_reference(work.connection, [get(work, None, key=key).id], body)


@carries_out(contract.CONTAINING)
def containing(work: Work, body: contract.AsOf, *, key: int) -> list[CategoryRecord]:
    """List the universes that an asset is a member of at a time."""
    time = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    ids = [*ledger.universes_of(work.connection, key, work.actor, time), *derived.containing(work, key, time)]
    found = registry.selection().where(within(work.connection, category.c.id, ids))
    return registry.read(work.connection, found.order_by(category.c.id))
