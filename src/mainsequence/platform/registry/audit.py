"""The audit log in SQL: adding lines, finishing those of work on the lake, and reading them."""

from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, Table, bindparam, delete, insert, select, update

from mainsequence.domain.access import Actor
from mainsequence.domain.audit import AuditEntry
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.platform.origin import Origin
from mainsequence.platform.registry import tables
from mainsequence.platform.registry.audit_tables import audit_entry as table
from mainsequence.platform.registry.sharing_tables import team
from mainsequence.platform.registry.webhook_tables import webhook

LONGEST_NAME = 255

COLUMNS = {
    name: table.c[name]
    for name in (
        *("id", "actor", "operation", "unique_identifier", "object_id"),
        *("client", "request_id", "carrier", "outcome"),
    )
}
"""The columns that lines can be filtered by."""

_NAMED: dict[str, Column[str]] = {
    "assets": tables.asset.c.unique_identifier,
    "asset-categories": tables.category.c.unique_identifier,
    "asset-translation-tables": tables.translation_table.c.unique_identifier,
    "series": tables.series.c.unique_identifier,
    "portfolios": tables.portfolio.c.unique_identifier,
    "portfolio-groups": tables.portfolio_group.c.unique_identifier,
    "users": tables.user.c.name,
    "teams": team.c.name,
    "webhooks": webhook.c.url,
}
"""What objects are called, by the first word of the paths at which they stand."""


def add(connection: Connection, actor: Actor, origin: Origin, now: int, facts: dict[str, Any]) -> int:
    """Add a line; give its id."""
    made = connection.execute(
        insert(table),
        {
            "organization_id": actor.organization_id,
            "recorded_at": now,
            "actor": actor.name,
            "carrier": origin.carrier,
            "client": origin.client,
            "request_id": origin.request_id,
            **facts,
        },
    )
    return int((made.inserted_primary_key or (0,))[0])


_ONE = table.c.id == bindparam("line")
_FINISH, _DROP = update(table).where(_ONE), delete(table).where(_ONE)


def finish(connection: Connection, line: int, facts: dict[str, Any]) -> None:
    """Complete a line by how the work ended."""
    connection.execute(_FINISH, {"line": line, **facts})


def drop(connection: Connection, line: int) -> None:
    """Take back a line about work that changed nothing."""
    connection.execute(_DROP, {"line": line})


def name_of(connection: Connection, path: str, key: int, organization_id: int) -> str | None:
    """Give what the object at a path is called; ``None`` where the organization has none."""
    word = path.split("/")[1]
    if word == "tokens":
        bearer: str | None = connection.scalar(_BEARER, {"token": key})
        return bearer
    column = _NAMED.get(word)
    if column is None:
        return None
    noun: Table = column.table
    one = (noun.c.id == key, noun.c.organization_id == organization_id)
    found: str | None = connection.scalar(select(column).where(*one))
    return found and found[:LONGEST_NAME]


_BEARER: Select[Any] = (
    select(tables.user.c.name).join(tables.access_token).where(tables.access_token.c.id == bindparam("token"))
)
"""A token is called like the user whose it is, of whichever organization: who may not reach it is refused."""


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into lines; add conditions and an order."""
    return select(*(column for column in table.c if column.name != "organization_id"))


def read(connection: Connection, query: Select[Any]) -> list[AuditEntry]:
    """Run a `selection` and give its lines."""
    return [_entry(row) for row in connection.execute(query).mappings()]


def _entry(row: RowMapping) -> AuditEntry:
    fields = dict(row)
    fields["recorded_at"] = from_micros(fields["recorded_at"])
    return trusted(AuditEntry, fields)
