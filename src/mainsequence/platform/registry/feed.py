"""The feed of changes in SQL: one order for each organization, without gaps, whoever writes at the same time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    String,
    and_,
    case,
    cast,
    exists,
    insert,
    literal,
    not_,
    null,
    or_,
    select,
    update,
)

from mainsequence.domain.access import Actor, Role
from mainsequence.domain.changes import Change, ChangeKind
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category, category_revision
from mainsequence.platform.registry.webhook_tables import category_change, change_feed

event, recorded = category_change.c, category_revision.c

FIELDS = (
    *("position", "kind", "category_id", "unique_identifier", "recorded_at", "actor", "revision", "operation"),
    *("reason", "added", "removed", "content_hash"),
)


def next_position(connection: Connection, organization_id: int, now: int) -> tuple[int, int]:
    """Take the next position of the feed, and the time of what stands there; hold the feed until the transaction ends.

    The next writer gets its position when this one has committed, so a reader that sees a position sees every one
    before it. Numbers from a sequence would be seen in the order of the commits, and skipped by who reads on behind.
    Times are later than all those before, for the same reason: what is committed behind a reader is recorded after
    everything that the reader saw.
    """
    feed = change_feed.c
    later = case((feed.recorded_at >= now, feed.recorded_at + 1), else_=now)
    values = {"position": feed.position + 1, "recorded_at": later}
    taking = update(change_feed).where(feed.organization_id == organization_id).values(values)
    taking = taking.returning(feed.position, feed.recorded_at)
    taken = connection.execute(taking).one_or_none()
    if taken is None:
        insert_or_ignore(connection, change_feed, {"organization_id": organization_id, "position": 0, "recorded_at": 0})
        taken = connection.execute(taking).one()
    return int(taken[0]), int(taken[1])


def publish_revision(connection: Connection, category_id: int, revision: int, position: int) -> None:
    """Put a revision that was recorded into the feed."""
    same = (recorded.category_id == category_id, recorded.revision == revision, category.c.id == recorded.category_id)
    facts = [recorded[name] for name in ("recorded_at", "actor", "revision", "operation", "reason", "added", "removed")]
    chosen = select(*_head(position, ChangeKind.CHANGED), *facts, recorded.content_hash, category.c.is_private)
    connection.execute(insert(category_change).from_select(_COLUMNS, chosen.where(*same)))


def publish(connection: Connection, category_id: int, kind: ChangeKind, position: int, now: int, actor: str) -> None:
    """Put something else that happened to a universe into the feed."""
    said = (literal(now, BigInteger()), literal(actor, String()), category.c.head_revision)
    unsaid = (*(cast(null(), String()),) * 2, *(cast(null(), Integer()),) * 2, cast(null(), String()))
    chosen = select(*_head(position, kind), *said, *unsaid, category.c.is_private)
    connection.execute(insert(category_change).from_select(_COLUMNS, chosen.where(category.c.id == category_id)))


_COLUMNS = (
    *("organization_id", "position", "kind", "category_id", "unique_identifier"),
    *("recorded_at", "actor", "revision", "operation", "reason", "added", "removed", "content_hash", "is_private"),
)


def _head(position: int, kind: ChangeKind) -> list[ColumnElement[Any]]:
    place = (literal(position, BigInteger()), literal(str(kind), String()))
    return [category.c.organization_id, *place, category.c.id, category.c.unique_identifier]


def head(connection: Connection, organization_id: int) -> int:
    """Say how far the feed reaches."""
    reach = select(change_feed.c.position).where(change_feed.c.organization_id == organization_id)
    return int(connection.scalar(reach) or 0)


def read(
    connection: Connection,
    actor: Actor,
    since: int,
    limit: int,
    category_ids: Sequence[int] | None = None,
    kinds: Sequence[str] | None = None,
) -> list[Change]:
    """Read events behind a position, in order: those of universes that somebody may see."""
    conditions = [event.organization_id == actor.organization_id, event.position > since, *_visible(actor)]
    if category_ids is not None:
        conditions.append(within(connection, event.category_id, category_ids))
    if kinds is not None:
        conditions.append(event.kind.in_([str(kind) for kind in kinds]))
    query = select(*(event[name] for name in FIELDS)).where(*conditions).order_by(event.position).limit(limit)
    return [_change(row) for row in connection.execute(query).mappings()]


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.role is Role.ADMIN:
        return []
    same = category.c.id == event.category_id
    seen = exists().where(same, *seen_by(actor, category)).correlate(category_change)
    gone = not_(exists().where(same).correlate(category_change))
    return [or_(seen, and_(gone, not_(event.is_private)))]


def _change(row: RowMapping) -> Change:
    fields = dict(row)
    return trusted(
        Change, fields | {"kind": ChangeKind(fields["kind"]), "recorded_at": from_micros(fields["recorded_at"])}
    )
