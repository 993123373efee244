"""Universes in SQL: their descriptions, revisions and readers."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    RowMapping,
    Select,
    cast,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from mainsequence.compute.intervals import Change, Intervals
from mainsequence.domain.access import Actor, Role
from mainsequence.domain.categories import (
    UNIVERSE_REFERENCE,
    CategoryCreation,
    CategoryRecord,
    Deprecation,
    Reference,
    Revision,
)
from mainsequence.domain.portfolios import PORTFOLIO_REFERENCE
from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry import former, governance
from mainsequence.platform.registry.announcement_tables import category_announcement
from mainsequence.platform.registry.announcements import NOTHING, Announcements
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import forget, hidden_from, made_by, seen_by
from mainsequence.platform.registry.tables import (
    category,
    category_membership,
    category_reference,
    category_revision,
    portfolio,
)

COLUMNS: dict[str, ColumnElement[Any]] = {
    **{name: category.c[name] for name in ("id", "unique_identifier", "display_name", "description", "dated", "kind")},
    "search": category.c.unique_identifier.concat("\n").concat(category.c.display_name),
}
"""The columns that universes can be filtered by."""

FIRST_HASH = "0" * 64
"""What the hash of a first revision is chained to."""


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    columns = ("id", "unique_identifier", "display_name", "description", "dated", "head_revision", "created_at", "kind")
    return select(*(category.c[name] for name in (*columns, *_DEPRECATION)))


_DEPRECATION = ("deprecated_at", "successor", "deprecation_reason")


def read(connection: Connection, query: Select[Any]) -> list[CategoryRecord]:
    """Run a `selection` and give its records."""
    return [_record(row) for row in connection.execute(query).mappings()]


def _record(row: RowMapping) -> CategoryRecord:
    fields = dict(row)
    fields["revision"] = fields.pop("head_revision")
    fields["created_at"] = from_micros(fields["created_at"])
    at, successor, reason = (fields.pop(name) for name in _DEPRECATION)
    told = {"at": from_micros(at), "successor": successor, "reason": reason} if at is not None else None
    fields["deprecated"] = told and trusted(Deprecation, told)
    return trusted(CategoryRecord, fields)


def by_id(connection: Connection, actor: Actor, key: int) -> CategoryRecord:
    """Read one universe that somebody may see."""
    return _one(connection, actor, category.c.id == key, f"with id {key}")


def by_identifier(connection: Connection, actor: Actor, unique_identifier: str) -> CategoryRecord:
    """Read one universe that somebody may see by its unique identifier, or by one that it had before a renaming."""
    former = category.c.id.in_(governance.had_name(actor.organization_id, unique_identifier))
    same = or_(category.c.unique_identifier == unique_identifier, former)
    return _one(connection, actor, same, repr(unique_identifier))


def _one(connection: Connection, actor: Actor, condition: ColumnElement[bool], described: str) -> CategoryRecord:
    for record in read(connection, selection().where(*seen_by(actor, category), condition)):
        return record
    raise NotFoundError(
        f"There is no asset category {described}.", hint="msc.AssetCategory.filter() lists those that exist."
    )


def create(connection: Connection, actor: Actor, creation: CategoryCreation, now: int) -> bool:
    """Insert a universe without members, owned by who makes it; answer whether its identifier was free.

    Where one of that name was deleted, it goes on counting: a pin of the name means one recorded state for ever.
    """
    first = former.last_revision(connection, actor.organization_id, creation.unique_identifier)
    row = creation.model_dump(exclude={"assets"}) | made_by(actor, now)
    return insert_or_ignore(connection, category, row | {"head_revision": first, "first_revision": first})


def is_taken(connection: Connection, organization_id: int, unique_identifier: str) -> bool:
    """Tell whether a universe, seen or hidden, has an identifier."""
    one = (category.c.organization_id == organization_id, category.c.unique_identifier == unique_identifier)
    return connection.scalar(select(category.c.id).where(*one)) is not None


def uncreate(connection: Connection, organization_id: int, unique_identifier: str) -> None:
    """Take back the row that `create` inserted: nothing refers to it yet."""
    one = (category.c.organization_id == organization_id, category.c.unique_identifier == unique_identifier)
    connection.execute(delete(category).where(*one))


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
    former.remember(connection, category_id)
    forget(connection, "category", category_id)
    governance.erase(connection, category_id)
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
    approved_by: str | None = None,
    notes: Announcements = NOTHING,
) -> int:
    """Write the next revision of a universe and move its head there; announcements are noted with it, by the caller."""
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
        "approved_by": approved_by,
        "announced": len(notes) or None,
    }
    previous = last.content_hash if last else FIRST_HASH
    stamp["content_hash"] = content_hash(previous, stamp, change.closed, change.opened, notes)
    connection.execute(insert(category_revision), stamp)
    connection.execute(update(category).where(category.c.id == head.id).values(head_revision=revision))
    return revision


def _last(connection: Connection, head: CategoryRecord) -> Row[Any] | None:
    one = (category_revision.c.category_id == head.id, category_revision.c.revision == head.revision)
    return connection.execute(select(category_revision).where(*one)).one_or_none()


def content_hash(
    previous: str, stamp: dict[str, Any], closed: Intervals, opened: Intervals, notes: Announcements = NOTHING
) -> str:
    """Chain a revision to the one before: SHA-256 over its hash, what was recorded, and the rows closed and opened.

    Rows enter sorted by asset and start, as little-endian 64-bit columns; who approved it enters where somebody did,
    and what was announced, sorted by asset and effective time, where something was.
    """
    digest = sha256(previous.encode())
    recorded = ["category_id", "revision", "recorded_at", "actor", "operation", "reason", "added", "removed"]
    recorded += [name for name in ("approved_by", "announced") if stamp.get(name) is not None]
    digest.update(repr([stamp[name] for name in recorded]).encode())
    for rows in (closed, opened):
        for column in (rows.asset, rows.start, rows.end, rows.weight):
            digest.update(hashable(column))
    for column in (notes.asset, notes.effective_at, notes.announced_at):
        digest.update(hashable(column))
    return digest.hexdigest()


def hashable(column: npt.NDArray[Any]) -> bytes:
    """Give a column of 64-bit numbers as bytes that are the same wherever it was stored: one zero, one NaN."""
    if column.dtype.kind == "f":
        column = np.where(np.isnan(column), np.nan, column + 0.0)
    return bytes(column.astype(column.dtype.newbyteorder("<")).tobytes())


def revisions(connection: Connection, category_id: int, numbers: Iterable[int] | None = None) -> list[Revision]:
    """Give the revisions of a universe, oldest first: every one, or some."""
    columns = [column for column in category_revision.c if column.name != "category_id"]
    query = select(*columns).where(category_revision.c.category_id == category_id)
    if numbers is not None:
        query = query.where(within(connection, category_revision.c.revision, numbers))
    rows = connection.execute(query.order_by(category_revision.c.revision)).mappings()
    return [trusted(Revision, _at(dict(row))) for row in rows]


def _at(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"recorded_at": from_micros(fields["recorded_at"])}


def recorded_at(connection: Connection, category_id: int, revision: int) -> int | None:
    """Give the time at which a revision was recorded; ``None`` for one that was not."""
    one = (category_revision.c.category_id == category_id, category_revision.c.revision == revision)
    return connection.scalar(select(category_revision.c.recorded_at).where(*one))


def revision_known_at(connection: Connection, category_id: int, time: int) -> int:
    """Give the last revision recorded at or before a time; before the first, where the universe began to count."""
    known = (category_revision.c.category_id == category_id, category_revision.c.recorded_at <= time)
    found = connection.scalar(select(func.max(category_revision.c.revision)).where(*known))
    return former.first_revision(connection, category_id) if found is None else int(found)


def references(connection: Connection, actor: Actor, category_id: int) -> list[Reference]:
    """List what reads a universe, but for portfolios and universes that are hidden from who asks."""
    table = category_reference
    query = select(table.c.referrer_kind, table.c.referrer, table.c.about).where(table.c.category_id == category_id)
    if actor.role is not Role.ADMIN:
        for kind, noun in ((PORTFOLIO_REFERENCE, portfolio), (UNIVERSE_REFERENCE, category)):
            same = (table.c.referrer_kind == kind, table.c.referrer == noun.c.unique_identifier)
            query = query.where(not_(exists().where(*same, *hidden_from(actor, noun))))
    rows = connection.execute(query.order_by(table.c.referrer_kind, table.c.referrer))
    return [_reference(*row) for row in rows]


def _reference(kind: str, identifier: str, about: dict[str, Any] | None) -> Reference:
    told = None if about is None else ReaderAbout.parse(about)
    return trusted(Reference, {"kind": kind, "identifier": identifier, "about": told})


def register_reference(connection: Connection, category_id: int, reference: Reference, now: int) -> None:
    """Remember that something reads a universe, and what it tells of itself."""
    row = {"category_id": category_id, "referrer_kind": reference.kind, "referrer": reference.identifier}
    insert_or_ignore(connection, category_reference, row | {"registered_at": now})
    if reference.about is not None:
        _tell(connection, [category_reference.c[name] == value for name, value in row.items()], reference.about)


def _tell(connection: Connection, one: list[ColumnElement[bool]], about: ReaderAbout) -> None:
    known = connection.scalar(select(category_reference.c.about).where(*one))
    told = about if known is None else ReaderAbout.parse(known).joined(about)
    written = told.model_dump(mode="json", exclude_defaults=True)
    if written != known:
        connection.execute(update(category_reference).where(*one).values(about=written))


def drop_reference(connection: Connection, category_ids: Iterable[int] | None, reference: Reference) -> None:
    """Forget that something reads some universes, or any."""
    table = category_reference
    conditions = [table.c.referrer_kind == reference.kind, table.c.referrer == reference.identifier]
    if category_ids is not None:
        conditions.append(table.c.category_id.in_(list(category_ids)))
    connection.execute(delete(table).where(*conditions))
