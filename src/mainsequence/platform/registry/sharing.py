"""Sharing in SQL: the one condition that says what somebody sees, and what was granted to whom."""

from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    false,
    func,
    or_,
    select,
    text,
    update,
)

from mainsequence.domain.access import Actor, Role
from mainsequence.domain.sharing import Grant, Kind, Rights, Standing
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.platform.registry.sharing_tables import sharing_grant, team, team_member
from mainsequence.platform.registry.tables import category, portfolio, translation_table, user

TABLES: dict[Kind, Table] = {"category": category, "translation_table": translation_table, "portfolio": portfolio}
"""Where the objects are that can be shared; each kind is called as its table."""

grant = sharing_grant.c


@lru_cache(maxsize=4_096)
def seen_by(actor: Actor, table: Table) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions of the rows that exist for somebody: those of their organization that are not hidden.

    They go into the statement that reads, so that nothing is asked twice; for administrators there is nothing to ask.
    `Standing.may_see` is the same rule for one object.
    """
    own = table.c.organization_id == actor.organization_id
    if actor.role is Role.ADMIN:
        return (own,)
    return own, _text(_SEEN, actor, table)


_SEEN = """(NOT {table}.is_private OR coalesce({table}.owner = :asking, false) OR EXISTS (
    SELECT 1 FROM sharing_grant
    WHERE sharing_grant.kind = '{table}' AND sharing_grant.object_id = {table}.id AND (
        sharing_grant.user_id = (SELECT id FROM platform_user WHERE name = :asking)
        OR sharing_grant.team_id IN (
            SELECT team_id FROM team_member WHERE user_id = (SELECT id FROM platform_user WHERE name = :asking)
        )
    )
))"""
"""As text, because it is part of nearly every statement: SQLAlchemy took 60 µs for it as an expression, each time."""


def hidden_from(actor: Actor, table: Table) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions of the rows of their organization that do not exist for somebody."""
    own = table.c.organization_id == actor.organization_id
    return own, false() if actor.role is Role.ADMIN else _text(f"NOT {_SEEN}", actor, table)


def _text(condition: str, actor: Actor, table: Table) -> ColumnElement[bool]:
    written = text(condition.format(table=table.name)).bindparams(asking=actor.name)
    return cast("ColumnElement[bool]", written)  # in a WHERE it is one


def _granted(actor: Actor, table: Table) -> Select[Any]:
    """Give the query for the rights on each row that somebody was given, or a team of theirs."""
    them = select(user.c.id).where(user.c.name == actor.name).scalar_subquery()
    teams = select(team_member.c.team_id).where(team_member.c.user_id == them)
    theirs = or_(grant.user_id == them, grant.team_id.in_(teams))
    return select(grant.rights).where(grant.kind == table.name, grant.object_id == table.c.id, theirs).correlate(table)


def standing(connection: Connection, actor: Actor, kind: Kind, key: int) -> Standing | None:
    """Say how somebody stands to one object; ``None`` where it does not exist for them."""
    row = connection.execute(_standing(actor, TABLES[kind]), {"key": key}).one_or_none()
    if row is None:
        return None
    granted = None if row.granted is None else Rights(row.granted)
    return Standing(actor.role, row.owner == actor.name, row.is_private, granted)


@lru_cache(maxsize=4_096)
def _standing(actor: Actor, table: Table) -> Select[Any]:
    granted = _granted(actor, table)
    most: ScalarSelect[Any] = granted.with_only_columns(func.max(grant.rights)).scalar_subquery()
    columns = (table.c.owner, table.c.is_private, most.label("granted"))
    return select(*columns).where(table.c.id == bindparam("key"), *seen_by(actor, table))


def facts(connection: Connection, actor: Actor, kind: Kind, key: int) -> RowMapping | None:
    """Read ``owner`` and ``is_private`` of one object; ``None`` where it does not exist for them."""
    table = TABLES[kind]
    query = select(table.c.owner, table.c.is_private).where(table.c.id == key, *seen_by(actor, table))
    return connection.execute(query).mappings().one_or_none()


def grants(connection: Connection, kind: Kind, key: int) -> list[Grant]:
    """List what was granted on one object, teams first, by name."""
    source = sharing_grant.outerjoin(user, user.c.id == grant.user_id).outerjoin(team, team.c.id == grant.team_id)
    columns = (user.c.name.label("user"), team.c.name.label("team"), grant.rights, grant.granted_by, grant.granted_at)
    query = select(*columns).select_from(source).where(grant.kind == kind, grant.object_id == key)
    ordered = query.order_by(grant.team_id.is_(None), team.c.name, user.c.name)
    return [_grant(row) for row in connection.execute(ordered).mappings()]


def _grant(row: RowMapping) -> Grant:
    fields = dict(row)
    fields["rights"] = Rights(fields["rights"]).name.lower()
    fields["granted_at"] = from_micros(fields["granted_at"])
    return trusted(Grant, fields)


def give(connection: Connection, kind: Kind, key: int, grantee: dict[str, int], stamp: dict[str, Any]) -> None:
    """Grant rights to a user or a team, ``{"user_id": …}`` or ``{"team_id": …}``; what they had is replaced."""
    if not connection.execute(update(sharing_grant).where(_one(kind, key, grantee)).values(**stamp)).rowcount:
        connection.execute(sharing_grant.insert().values(kind=kind, object_id=key, **grantee, **stamp))


def take(connection: Connection, kind: Kind, key: int, grantee: dict[str, int]) -> None:
    """Take from a user or a team what they were granted, if anything."""
    connection.execute(delete(sharing_grant).where(_one(kind, key, grantee)))


def _one(kind: Kind, key: int, grantee: dict[str, int]) -> ColumnElement[bool]:
    named = (sharing_grant.c[name] == value for name, value in grantee.items())
    return and_(grant.kind == kind, grant.object_id == key, *named)


def set_private(connection: Connection, kind: Kind, key: int, *, private: bool) -> None:
    """Hide an object from everybody but its owner, administrators and those it is shared with, or show it again."""
    table = TABLES[kind]
    connection.execute(update(table).where(table.c.id == key).values(is_private=private))


def made_by(actor: Actor, now: int) -> dict[str, Any]:
    """Give the columns of a new object: whose it is, of which organization, and since when."""
    return {"organization_id": actor.organization_id, "owner": actor.name, "created_at": now}


def forget(connection: Connection, kind: Kind, key: int) -> None:
    """Drop what was granted on an object that goes."""
    connection.execute(delete(sharing_grant).where(grant.kind == kind, grant.object_id == key))


def hold(connection: Connection, kind: Kind, key: int) -> None:
    """Hold an object against other writers until the transaction ends."""
    table = TABLES[kind]
    connection.execute(select(table.c.id).where(table.c.id == key).with_for_update())
