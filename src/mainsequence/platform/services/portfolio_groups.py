"""Groups of portfolios: finding, creating, filling and deleting them."""

from mainsequence.contract import portfolios as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.portfolios import GROUP_LOOKUPS, GroupCreation, GroupRecord
from mainsequence.domain.values import Page, listed
from mainsequence.errors import AlreadyExistsError, NotFoundError
from mainsequence.platform.registry import portfolio_groups as registry
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.tables import portfolio_group
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.QUERY_GROUPS)
def query(work: Work, body: Query) -> Page[GroupRecord]:
    """Find groups by lookups, in the order of their ids."""
    parsed = parse_lookups(body.filters, GROUP_LOOKUPS)
    found = registry.selection().where(
        portfolio_group.c.organization_id == work.organization_id,
        *conditions(work.connection, parsed, registry.COLUMNS),
    )
    return page_by_id(
        found, portfolio_group.c.id, body, lambda query: registry.read(work.connection, work.actor, query)
    )


@carries_out(contract.GET_GROUP)
def get(work: Work, _body: None, *, key: int) -> GroupRecord:
    """Read one group of the organization."""
    return registry.by_id(work.connection, work.actor, key)


@carries_out(contract.CREATE_GROUP)
def create(work: Work, body: GroupCreation) -> GroupRecord:
    """Create a group whose identifier is not taken."""
    if not registry.create(work.connection, work.organization_id, body, work.now):
        raise AlreadyExistsError(
            f"A portfolio group {body.unique_identifier!r} exists already.",
            hint="PortfolioGroup.get(unique_identifier=…) reads it; get_or_create finds or creates.",
        )
    return _filled(work, body)


@carries_out(contract.GET_OR_CREATE_GROUP)
def get_or_create(work: Work, body: GroupCreation) -> GroupRecord:
    """Read the group with this identifier, unchanged, or create it."""
    if registry.create(work.connection, work.organization_id, body, work.now):
        return _filled(work, body)
    return registry.by_identifier(work.connection, work.actor, body.unique_identifier)


def _filled(work: Work, body: GroupCreation) -> GroupRecord:
    record = registry.by_identifier(work.connection, work.actor, body.unique_identifier)
    return append_portfolios(work, contract.GroupEdit(portfolios=body.portfolios), key=record.id)


@carries_out(contract.PATCH_GROUP)
def patch(work: Work, body: contract.GroupPatch, *, key: int) -> GroupRecord:
    """Change descriptions, and portfolios where they are given, in one step."""
    record = get(work, None, key=key)
    registry.change(work.connection, key, body.model_dump(include=body.model_fields_set - {"portfolios"}))
    if body.portfolios is not None:
        _check(work, body.portfolios)
        registry.remove(work.connection, key, set(record.portfolios) - set(body.portfolios))
        registry.append(work.connection, key, body.portfolios)
    return get(work, None, key=key)


@carries_out(contract.DELETE_GROUP)
def delete(work: Work, _body: None, *, key: int) -> None:
    """Delete a group; its portfolios stay."""
    registry.erase(work.connection, get(work, None, key=key).id)


@carries_out(contract.APPEND_PORTFOLIOS)
def append_portfolios(work: Work, body: contract.GroupEdit, *, key: int) -> GroupRecord:
    """Put portfolios into a group; those that are in it stay."""
    get(work, None, key=key)
    _check(work, body.portfolios)
    registry.append(work.connection, key, body.portfolios)
    return get(work, None, key=key)


@carries_out(contract.REMOVE_PORTFOLIOS)
def remove_portfolios(work: Work, body: contract.GroupEdit, *, key: int) -> GroupRecord:
    """Take portfolios out of a group; those that are not in it are left alone."""
    get(work, None, key=key)
    registry.remove(work.connection, key, body.portfolios)
    return get(work, None, key=key)


def _check(work: Work, portfolios: list[int]) -> None:
    unknown = sorted(set(portfolios) - registry.existing(work.connection, work.actor, portfolios))
    if unknown:
        raise NotFoundError(
            f"{len(unknown)} of {len(portfolios)} portfolio ids do not exist: {listed(unknown)}. Nothing was changed.",
            hint="msc.Portfolio.filter(id__in=…) shows which do.",
            unknown=unknown[:1_000],
        )
