"""A whole ledger in columns, for those who check it."""

from typing import Any, TypeAlias

import numpy as np
import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Integer,
    RowMapping,
    String,
    cast,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import BYTEA, aggregate_order_by

from mainsequence.compute.intervals import Intervals
from mainsequence.compute.ledger_checks import Recorded
from mainsequence.domain.access import Actor
from mainsequence.platform.registry.announcement_tables import category_announcement
from mainsequence.platform.registry.composition_tables import category_definition, category_operand
from mainsequence.platform.registry.governance_tables import category_alias
from mainsequence.platform.registry.ledger import row
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category, category_membership, category_revision
from mainsequence.platform.registry.webhook_tables import category_change, change_feed

Stored: TypeAlias = dict[str, Any]
"""A row as it is stored, whatever that is."""

_NUMBERS = (row.asset_id, row.valid_from, row.valid_to, row.added_revision, row.removed_revision)


def facts(connection: Connection, actor: Actor, category_id: int) -> Stored | None:
    """Read what a universe that somebody may see says of itself, as it is stored, whatever that is."""
    names = ("id", "organization_id", "unique_identifier", "created_at", "head_revision", "first_revision", "kind")
    dated = type_coerce(category.c.dated, Integer()).label("dated")  # unread: SQLite may hold anything
    query = select(*(category.c[name] for name in names), dated)
    mine = query.where(*seen_by(actor, category), category.c.id == category_id)
    return next((dict(each) for each in connection.execute(mine).mappings()), None)


def definitions(connection: Connection, category_id: int) -> list[Stored]:
    """Read every definition of a universe as it is stored."""
    mine = select(category_definition).where(category_definition.c.category_id == category_id)
    return [dict(each) for each in connection.execute(mine.order_by(category_definition.c.revision)).mappings()]


def operands(connection: Connection, category_id: int) -> list[Stored]:
    """Read every row that says what the definitions of a universe name."""
    mine = select(category_operand).where(category_operand.c.category_id == category_id)
    return [dict(each) for each in connection.execute(mine).mappings()]


def events(connection: Connection, category_id: int) -> list[Stored]:
    """Read every event of a universe as it is stored, in the order of the feed."""
    columns = [column for column in category_change.c if column.name != "is_private"]
    mine = select(*columns).where(category_change.c.category_id == category_id)
    return [dict(each) for each in connection.execute(mine.order_by(category_change.c.position)).mappings()]


def former_names(connection: Connection, category_id: int) -> list[Any]:
    """Read the names that a universe had."""
    alias = category_alias.c
    return list(connection.scalars(select(alias.unique_identifier).where(alias.category_id == category_id)))


def feed_size(connection: Connection, organization_id: int) -> tuple[Any, int, int]:
    """Say how far the feed is said to reach, how many events it holds, and how many of them at places up to there."""
    reach = select(change_feed.c.position).where(change_feed.c.organization_id == organization_id)
    head = connection.scalar(reach)
    place = category_change.c.position
    inside = place.between(1, reach.scalar_subquery()) & (place == cast(place, BigInteger()))
    counted = select(func.count(), func.count().filter(inside)).select_from(category_change)
    total, found = connection.execute(counted.where(category_change.c.organization_id == organization_id)).one()
    return 0 if head is None else head, int(total), int(found)


def revisions(connection: Connection, category_id: int) -> list[RowMapping]:
    """Read every revision as it is stored, in the order of their numbers."""
    mine = category_revision.c.category_id == category_id
    found = connection.execute(select(category_revision).where(mine).order_by(category_revision.c.revision))
    return list(found.mappings())


def announcements(connection: Connection, category_id: int) -> list[Stored]:
    """Read every announcement as it is stored, in the order in which they enter hashes."""
    noted = category_announcement.c
    mine = select(category_announcement).where(noted.category_id == category_id)
    ordered = mine.order_by(noted.recorded_at, noted.asset_id, noted.effective_at)
    return [dict(each) for each in connection.execute(ordered).mappings()]


def misshapen(connection: Connection, category_id: int) -> int:
    """Count the rows that hold what the platform never writes: other types (SQLite has them), weights that are NaN."""
    if connection.dialect.name == "sqlite":
        strange = [func.typeof(column) != "integer" for column in _NUMBERS]
        strange.append(func.typeof(row.weight).not_in(("real", "null")))
    else:
        strange = [cast(row.weight, String()) == "NaN"]
    counted = select(func.count()).select_from(category_membership)
    return int(connection.scalar(counted.where(row.category_id == category_id, or_(*strange))) or 0)


def everything(connection: Connection, category_id: int) -> Recorded:
    """Read every row that was ever recorded for a universe, in columns; one scan in the order of the primary key."""
    read = _packed if connection.dialect.name == "postgresql" else _listed
    asset, start, end, added, removed, weight = read(connection, row.category_id == category_id)
    return Recorded(Intervals(asset, start, end, weight), added, removed)


_ORDER = (row.removed_revision, row.valid_to, row.asset_id)


def _packed(connection: Connection, mine: ColumnElement[bool]) -> list[Any]:
    """Read columns as the bytes that PostgreSQL sends numbers as: big-endian, 64 bits."""
    numbers = [func.int8send(cast(column, BigInteger())) for column in _NUMBERS]
    weight = func.float8send(func.coalesce(row.weight, cast("NaN", Float(53))))
    joined = [_joined(column) for column in (*numbers, weight)]
    found = [bytes(each or b"") for each in connection.execute(select(*joined).where(mine)).one()]
    columns: list[Any] = [np.frombuffer(each, dtype=">i8").astype(np.int64) for each in found[:-1]]
    return [*columns, np.frombuffer(found[-1], dtype=">f8").astype(np.float64)]


def _joined(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.string_agg(column, aggregate_order_by(cast(b"", BYTEA()), *_ORDER))


def _listed(connection: Connection, mine: ColumnElement[bool]) -> list[Any]:
    """Read whole numbers as JSON texts, one for each column, and weights, which JSON would round, as they are."""
    scan = select(*_NUMBERS).where(mine).order_by(*_ORDER).subquery()
    texts = connection.execute(select(*(func.json_group_array(column) for column in scan.c))).one()
    weights = connection.execute(select(row.weight).where(mine).order_by(*_ORDER)).fetchall()
    columns: list[Any] = [np.array(orjson.loads(text), dtype=np.int64) for text in texts]
    return [*columns, np.fromiter((np.nan if w is None else w for (w,) in weights), np.float64, len(weights))]
