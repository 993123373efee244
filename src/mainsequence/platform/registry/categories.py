"""Universes in SQL: their descriptions, revisions and readers."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    RowMapping,
    Select,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)

from mainsequence.compute.intervals import Change, Intervals
from mainsequence.domain.categories import CategoryCreation, CategoryRecord, Reference, Revision
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry.announcement_tables import category_announcement
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.tables import (
    category,
    category_membership,
    category_reference,
    category_revision,
)

COLUMNS = {name: category.c[name] for name in ("id", "unique_identifier", "display_name", "description", "dated")}
"""The columns that universes can be filtered by."""

FIRST_HASH = "0" * 64
"""What the hash of a first revision is chained to."""


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    columns = ("id", "unique_identifier", "display_name", "description", "dated", "head_revision", "created_at")
    return select(*(category.c[name] for name in columns))


def read(connection: Connection, query: Select[Any]) -> list[CategoryRecord]:
    """Run a `selection` and give its records."""
    return [_record(row) for row in connection.execute(query).mappings()]


def _record(row: RowMapping) -> CategoryRecord:
    fields = dict(row)
    fields["revision"] = fields.pop("head_revision")
    fields["created_at"] = from_micros(fields["created_at"])
    return trusted(CategoryRecord, fields)


def by_id(connection: Connection, organization_id: int, key: int) -> CategoryRecord:
    """Read one universe of an organization."""
    return _one(connection, organization_id, category.c.id == key, f"with id {key}")


def by_identifier(connection: Connection, organization_id: int, unique_identifier: str) -> CategoryRecord:
    """Read one universe of an organization by its unique identifier."""
    same = category.c.unique_identifier == unique_identifier
    return _one(connection, organization_id, same, repr(unique_identifier))


def _one(
    connection: Connection, organization_id: int, condition: ColumnElement[bool], described: str
) -> CategoryRecord:
    for record in read(connection, selection().where(category.c.organization_id == organization_id, condition)):
        return record
    raise NotFoundError(
        f"There is no asset category {described}.", hint="msc.AssetCategory.filter() lists those that exist."
    )


def create(connection: Connection, organization_id: int, creation: CategoryCreation, now: int) -> bool:
    """Insert a universe without members; answer whether its identifier was free."""
    row = creation.model_dump(exclude={"assets"}) | {"organization_id": organization_id, "created_at": now}
    return insert_or_ignore(connection, category, row | {"head_revision": 0})


def lock(connection: Connection, category_id: int) -> None:
    """Hold a universe against other writers until the transaction ends."""
    connection.execute(select(category.c.id).where(category.c.id == category_id).with_for_update())


ASSETS_LOCK = 1_297_305_921
"""The class of the advisory locks of PostgreSQL that keep retiring assets and changing members apart."""


def hold_assets(connection: Connection, organization_id: int, *, retiring: bool = False) -> None:
    """Let no asset of an organization retire until the transaction ends; one that retires assets waits, then is alone.

    Without it an asset could be checked, retired by another writer, and then become a member. SQLite has one writer.
    """
    if connection.dialect.name != "postgresql":
        return
    take = func.pg_advisory_xact_lock if retiring else func.pg_advisory_xact_lock_shared
    connection.execute(select(take(ASSETS_LOCK, cast(organization_id, Integer))))


def change(connection: Connection, category_id: int, fields: dict[str, Any]) -> None:
    """Change columns of one universe."""
    if fields:
        connection.execute(update(category).where(category.c.id == category_id).values(**fields))


def erase(connection: Connection, category_id: int) -> None:
    """Delete a universe with its ledger."""
    for table in (category_membership, category_revision, category_reference, category_announcement):
        connection.execute(delete(table).where(table.c.category_id == category_id))
    connection.execute(delete(category).where(category.c.id == category_id))


def record_revision(
    connection: Connection,
    head: CategoryRecord,
    change: Change,
    now: int,
    actor: str,
    operation: str,
    reason: str | None,
) -> int:
    """Write the next revision of a universe and move its head there."""
    last = _last(connection, head)
    revision = head.revision + 1
    stamp = {
        "category_id": head.id,
        "revision": revision,
        "recorded_at": max(now, last.recorded_at + 1) if last else now,
        "actor": actor,
        "operation": operation,
        "reason": reason,
        "added": len(change.gained),
        "removed": len(change.lost),
    }
    stamp["content_hash"] = content_hash(last.content_hash if last else FIRST_HASH, stamp, change.closed, change.opened)
    connection.execute(insert(category_revision), stamp)
    connection.execute(update(category).where(category.c.id == head.id).values(head_revision=revision))
    return revision


def _last(connection: Connection, head: CategoryRecord) -> Row[Any] | None:
    one = (category_revision.c.category_id == head.id, category_revision.c.revision == head.revision)
    return connection.execute(select(category_revision).where(*one)).one_or_none()


def content_hash(previous: str, stamp: dict[str, Any], closed: Intervals, opened: Intervals) -> str:
    """Chain a revision to the one before: SHA-256 over its hash, what was recorded, and the rows closed and opened.

    Rows enter sorted by asset and start, as little-endian 64-bit columns; who approved it enters where somebody did.
    """
    digest = sha256(previous.encode())
    recorded = ["category_id", "revision", "recorded_at", "actor", "operation", "reason", "added", "removed"]
    if stamp.get("approved_by") is not None:
        recorded.append("approved_by")
    digest.update(repr([stamp[name] for name in recorded]).encode())
    for rows in (closed, opened):
        for column in (rows.asset, rows.start, rows.end, rows.weight):
            digest.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def revisions(connection: Connection, category_id: int) -> list[Revision]:
    """Give every revision of a universe, oldest first."""
    columns = [column for column in category_revision.c if column.name != "category_id"]
    query = select(*columns).where(category_revision.c.category_id == category_id)
    rows = connection.execute(query.order_by(category_revision.c.revision)).mappings()
    return [trusted(Revision, _at(dict(row))) for row in rows]


def _at(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"recorded_at": from_micros(fields["recorded_at"])}


def revision_known_at(connection: Connection, category_id: int, time: int) -> int:
    """Give the last revision recorded at or before a time; 0 before the first."""
    known = (category_revision.c.category_id == category_id, category_revision.c.recorded_at <= time)
    found = connection.scalar(select(func.max(category_revision.c.revision)).where(*known))
    return int(found or 0)


def references(connection: Connection, category_id: int) -> list[Reference]:
    """List what reads a universe."""
    table = category_reference
    query = select(table.c.referrer_kind, table.c.referrer).where(table.c.category_id == category_id)
    rows = connection.execute(query.order_by(table.c.referrer_kind, table.c.referrer))
    return [trusted(Reference, {"kind": kind, "identifier": referrer}) for kind, referrer in rows]


def register_reference(connection: Connection, category_id: int, reference: Reference, now: int) -> None:
    """Remember that something reads a universe."""
    row = {"category_id": category_id, "referrer_kind": reference.kind, "referrer": reference.identifier}
    insert_or_ignore(connection, category_reference, row | {"registered_at": now})


def drop_reference(connection: Connection, category_ids: Iterable[int] | None, reference: Reference) -> None:
    """Forget that something reads some universes, or any."""
    table = category_reference
    conditions = [table.c.referrer_kind == reference.kind, table.c.referrer == reference.identifier]
    if category_ids is not None:
        conditions.append(table.c.category_id.in_(list(category_ids)))
    connection.execute(delete(table).where(*conditions))
