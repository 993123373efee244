"""Groups of portfolios in SQL."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, select, update

from mainsequence.domain.access import Actor
from mainsequence.domain.portfolios import GroupCreation, GroupRecord
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry.inserts import insert_missing, insert_or_ignore
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import portfolio, portfolio_group, portfolio_group_member

COLUMNS = {
    name: portfolio_group.c[name] for name in ("id", "unique_identifier", "display_name", "description", "source")
}
"""The columns that groups can be filtered by."""

member = portfolio_group_member.c


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    return select(*(column for column in portfolio_group.c if column.name != "organization_id"))


def read(connection: Connection, actor: Actor, query: Select[Any]) -> list[GroupRecord]:
    """Run a `selection` and give its records, with the ids of their portfolios that somebody may see."""
    rows = connection.execute(query).fetchall()
    members: dict[int, list[int]] = {row.id: [] for row in rows}
    found = select(member.portfolio_group_id, member.portfolio_id).join(
        portfolio, portfolio.c.id == member.portfolio_id
    )
    found = found.where(*seen_by(actor, portfolio)).order_by(member.portfolio_id)
    for group, each in connection.execute(found.where(within(connection, member.portfolio_group_id, members))):
        members[group].append(each)
    return [_record(row, members[row.id]) for row in rows]


def _record(row: Row[Any], portfolios: list[int]) -> GroupRecord:
    fields = dict(row._mapping)  # noqa: SLF001
    fields["portfolios"] = portfolios
    fields["created_at"] = from_micros(fields["created_at"])
    return trusted(GroupRecord, fields)


def by_id(connection: Connection, actor: Actor, key: int) -> GroupRecord:
    """Read one group of somebody's organization."""
    return _one(connection, actor, portfolio_group.c.id == key, f"with id {key}")


def by_identifier(connection: Connection, actor: Actor, unique_identifier: str) -> GroupRecord:
    """Read one group of somebody's organization by its unique identifier."""
    same = portfolio_group.c.unique_identifier == unique_identifier
    return _one(connection, actor, same, repr(unique_identifier))


def _one(connection: Connection, actor: Actor, condition: ColumnElement[bool], described: str) -> GroupRecord:
    own = portfolio_group.c.organization_id == actor.organization_id
    for record in read(connection, actor, selection().where(own, condition)):
        return record
    raise NotFoundError(
        f"There is no portfolio group {described}.", hint="msc.PortfolioGroup.filter() lists those that exist."
    )


def create(connection: Connection, organization_id: int, body: GroupCreation, now: int) -> bool:
    """Insert a group without portfolios; answer whether its identifier was free."""
    row = body.model_dump(exclude={"portfolios"}) | {"organization_id": organization_id, "created_at": now}
    return insert_or_ignore(connection, portfolio_group, row)


def change(connection: Connection, key: int, fields: dict[str, Any]) -> None:
    """Change columns of one group."""
    if fields:
        connection.execute(update(portfolio_group).where(portfolio_group.c.id == key).values(**fields))


def erase(connection: Connection, key: int) -> None:
    """Delete one group; its portfolios stay."""
    connection.execute(delete(portfolio_group_member).where(member.portfolio_group_id == key))
    connection.execute(delete(portfolio_group).where(portfolio_group.c.id == key))


def append(connection: Connection, key: int, portfolios: Iterable[int]) -> None:
    """Put portfolios into a group; those that are in it stay."""
    rows = [{"portfolio_group_id": key, "portfolio_id": each} for each in sorted(set(portfolios))]
    insert_missing(connection, portfolio_group_member, rows)


def remove(connection: Connection, key: int, portfolios: Iterable[int]) -> None:
    """Take portfolios out of a group; those that are not in it are left alone."""
    gone = (member.portfolio_group_id == key, within(connection, member.portfolio_id, portfolios))
    connection.execute(delete(portfolio_group_member).where(*gone))


def existing(connection: Connection, actor: Actor, portfolios: Iterable[int]) -> set[int]:
    """Give those of the ids that are portfolios which somebody may see."""
    query = select(portfolio.c.id).where(*seen_by(actor, portfolio))
    return set(connection.scalars(query.where(within(connection, portfolio.c.id, portfolios))))


def holding(connection: Connection, portfolio_id: int) -> list[str]:
    """Name the groups that hold a portfolio."""
    query = select(portfolio_group.c.unique_identifier).join(
        portfolio_group_member, member.portfolio_group_id == portfolio_group.c.id
    )
    return list(
        connection.scalars(
            query.where(member.portfolio_id == portfolio_id).order_by(portfolio_group.c.unique_identifier)
        )
    )
