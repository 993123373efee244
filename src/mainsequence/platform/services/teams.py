"""Teams: finding, making, filling and deleting them."""

from mainsequence.contract import teams as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.access import TEAM_LOOKUPS, TeamCreation, TeamRecord
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.values import Page
from mainsequence.errors import AlreadyExistsError
from mainsequence.platform.registry import teams as registry
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.sharing_tables import team
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.QUERY)
def query(work: Work, body: Query) -> Page[TeamRecord]:
    """Find teams by lookups, in the order of their ids."""
    parsed = parse_lookups(body.filters, TEAM_LOOKUPS)
    found = registry.selection().where(
        team.c.organization_id == work.organization_id, *conditions(work.connection, parsed, registry.COLUMNS)
    )
    return page_by_id(found, team.c.id, body, lambda query: registry.read(work.connection, query))


@carries_out(contract.GET)
def get(work: Work, _body: None, *, key: int) -> TeamRecord:
    """Read one team of the organization."""
    return registry.by_id(work.connection, work.organization_id, key)


@carries_out(contract.CREATE)
def create(work: Work, body: TeamCreation) -> TeamRecord:
    """Make a team, with its first members."""
    if not registry.create(work.connection, work.organization_id, body.name, work.now):
        raise AlreadyExistsError(f"A team {body.name!r} exists already.", hint="msc.Team.get(name=…) reads it.")
    made = registry.by_name(work.connection, work.organization_id, body.name)
    return add_members(work, contract.TeamEdit(members=body.members), key=made.id)


@carries_out(contract.DELETE)
def delete(work: Work, _body: None, *, key: int) -> None:
    """Delete a team; what was granted to it is granted to nobody."""
    registry.erase(work.connection, get(work, None, key=key).id)


@carries_out(contract.ADD_MEMBERS)
def add_members(work: Work, body: contract.TeamEdit, *, key: int) -> TeamRecord:
    """Put users of the organization into a team; those that are in it stay."""
    get(work, None, key=key)
    users = registry.users_named(work.connection, work.organization_id, body.members)
    registry.add(work.connection, key, users.values())
    return get(work, None, key=key)


@carries_out(contract.REMOVE_MEMBERS)
def remove_members(work: Work, body: contract.TeamEdit, *, key: int) -> TeamRecord:
    """Take users out of a team; those that are not in it are left alone."""
    get(work, None, key=key)
    users = registry.users_named(work.connection, work.organization_id, body.members)
    registry.remove(work.connection, key, users.values())
    return get(work, None, key=key)
