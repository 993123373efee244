"""Teams in SQL: named sets of users of one organization."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, select

from mainsequence.domain.access import TeamRecord
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry.inserts import insert_missing, insert_or_ignore
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing_tables import sharing_grant, team, team_member
from mainsequence.platform.registry.tables import user

COLUMNS = {name: team.c[name] for name in ("id", "name")}
"""The columns that teams can be filtered by."""


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    return select(team.c.id, team.c.name, team.c.created_at)


def read(connection: Connection, query: Select[Any]) -> list[TeamRecord]:
    """Run a `selection` and give its records with their members, in two statements."""
    rows = connection.execute(query).fetchall()
    members: dict[int, list[str]] = {row.id: [] for row in rows}
    found = select(team_member.c.team_id, user.c.name).join(user, user.c.id == team_member.c.user_id)
    for key, name in connection.execute(
        found.where(within(connection, team_member.c.team_id, members)).order_by(user.c.name)
    ):
        members[key].append(name)
    return [_record(row, members[row.id]) for row in rows]


def _record(row: Row[Any], members: list[str]) -> TeamRecord:
    fields = {"id": row.id, "name": row.name, "members": members, "created_at": from_micros(row.created_at)}
    return trusted(TeamRecord, fields)


def by_id(connection: Connection, organization_id: int, key: int) -> TeamRecord:
    """Read one team of an organization."""
    return _one(connection, organization_id, team.c.id == key, f"with id {key}")


def by_name(connection: Connection, organization_id: int, name: str) -> TeamRecord:
    """Read one team of an organization by its name."""
    return _one(connection, organization_id, team.c.name == name, repr(name))


def _one(connection: Connection, organization_id: int, condition: ColumnElement[bool], described: str) -> TeamRecord:
    for record in read(connection, selection().where(team.c.organization_id == organization_id, condition)):
        return record
    raise NotFoundError(f"There is no team {described}.", hint="msc.Team.filter() lists those that exist.")


def create(connection: Connection, organization_id: int, name: str, now: int) -> bool:
    """Insert a team without members; answer whether its name was free."""
    return insert_or_ignore(connection, team, {"organization_id": organization_id, "name": name, "created_at": now})


def erase(connection: Connection, key: int) -> None:
    """Delete a team with its members' places and all that was granted to it."""
    connection.execute(delete(sharing_grant).where(sharing_grant.c.team_id == key))
    connection.execute(delete(team_member).where(team_member.c.team_id == key))
    connection.execute(delete(team).where(team.c.id == key))


def add(connection: Connection, key: int, users: Iterable[int]) -> None:
    """Put users into a team; those that are in it stay."""
    insert_missing(connection, team_member, [{"team_id": key, "user_id": each} for each in sorted(set(users))])


def remove(connection: Connection, key: int, users: Iterable[int]) -> None:
    """Take users out of a team; those that are not in it are left alone."""
    gone = (team_member.c.team_id == key, within(connection, team_member.c.user_id, users))
    connection.execute(delete(team_member).where(*gone))


def of_user(connection: Connection, name: str) -> list[str]:
    """Name the teams of a user."""
    joined = team.join(team_member, team_member.c.team_id == team.c.id).join(user, user.c.id == team_member.c.user_id)
    query = select(team.c.name).select_from(joined).where(user.c.name == name).order_by(team.c.name)
    return list(connection.scalars(query))


def users_named(connection: Connection, organization_id: int, names: Iterable[str]) -> dict[str, int]:
    """Give the ids of users of an organization by their names.

    Raises
    ------
    NotFoundError
        Names all that the organization does not have.
    """
    asked = list(dict.fromkeys(names))
    query = select(user.c.name, user.c.id).where(user.c.organization_id == organization_id)
    found = dict(connection.execute(query.where(within(connection, user.c.name, asked))).all())
    unknown = [name for name in asked if name not in found]
    if unknown:
        raise NotFoundError(
            f"Your organization has no user {', '.join(map(repr, unknown[:10]))}. Nothing was changed.",
            hint="mainsequence user list shows those that it has.",
            unknown=unknown[:1_000],
        )
    return found
