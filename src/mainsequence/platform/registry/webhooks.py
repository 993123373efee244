"""Webhooks in SQL: who is told, how far each has been told, and which process is telling them right now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from mainsequence.domain.changes import ChangeKind, WebhookRecord
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry.webhook_tables import change_feed, webhook

columns = webhook.c

COLUMNS = {name: columns[name] for name in ("id", "url", "status")}
"""The columns that webhooks can be filtered by."""

_SHOWN = (
    *("id", "url", "kinds", "category_ids", "description", "created_at", "created_by", "status", "status_reason"),
    *("position", "attempts", "next_attempt_at", "last_delivery_at"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook as whoever delivers needs it."""

    id: int
    organization_id: int
    url: str
    secret: str
    kinds: tuple[str, ...]
    category_ids: tuple[int, ...] | None
    position: int
    attempts: int
    failing_since: int | None


def selection(organization_id: int) -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    return select(*(columns[name] for name in _SHOWN)).where(columns.organization_id == organization_id)


def read(connection: Connection, query: Select[Any]) -> list[WebhookRecord]:
    """Run a `selection` and give its records."""
    return [_record(row) for row in connection.execute(query).mappings()]


def _record(row: RowMapping) -> WebhookRecord:
    fields = dict(row)
    fields["kinds"] = [ChangeKind(kind) for kind in fields["kinds"]]
    fields["created_at"] = from_micros(fields["created_at"])
    fields["next_attempt_at"] = from_micros(fields["next_attempt_at"]) if fields["status"] == "failing" else None
    told_at = fields["last_delivery_at"]
    fields["last_delivery_at"] = None if told_at is None else from_micros(told_at)
    return trusted(WebhookRecord, fields)


def by_id(connection: Connection, organization_id: int, key: int) -> WebhookRecord:
    """Read one webhook of an organization."""
    for record in read(connection, selection(organization_id).where(columns.id == key)):
        return record
    raise NotFoundError(f"There is no webhook with id {key}.", hint="msc.Webhook.filter() lists those that exist.")


def add(connection: Connection, row: dict[str, Any]) -> int:
    """Insert a webhook and give its id."""
    return int(connection.execute(insert(webhook).values(**row).returning(columns.id)).scalar_one())


def remove(connection: Connection, key: int) -> None:
    """Delete a webhook."""
    connection.execute(delete(webhook).where(columns.id == key))


def change(connection: Connection, key: int, fields: dict[str, Any]) -> None:
    """Change columns of a webhook."""
    connection.execute(update(webhook).where(columns.id == key).values(**fields))


def target(connection: Connection, key: int) -> Target | None:
    """Read what is needed to deliver to a webhook; ``None`` where it is gone."""
    names = ("id", "organization_id", "url", "secret", "kinds", "category_ids", "position", "attempts", "failing_since")
    row = connection.execute(select(*(columns[name] for name in names)).where(columns.id == key)).one_or_none()
    if row is None:
        return None
    return Target(**row._asdict() | {"kinds": tuple(row.kinds), "category_ids": _listed(row.category_ids)})


def _listed(ids: Iterable[int] | None) -> tuple[int, ...] | None:
    return None if ids is None else tuple(ids)


def due(connection: Connection, now: int) -> list[int]:
    """Name the webhooks of every organization behind which the feed has moved, and which nobody is telling now."""
    behind = (change_feed.c.organization_id == columns.organization_id, change_feed.c.position > columns.position)
    query = select(columns.id).where(*behind, *_free(now)).order_by(columns.next_attempt_at, columns.id)
    return list(connection.scalars(query))


def _free(now: int) -> tuple[Any, ...]:
    return columns.status != "disabled", columns.next_attempt_at <= now, columns.leased_until <= now


def take(connection: Connection, key: int, lease: str, now: int, until: int) -> bool:
    """Take a webhook for this process until a time; answer whether it was free."""
    taking = update(webhook).where(columns.id == key, *_free(now)).values(lease=lease, leased_until=until)
    return connection.execute(taking).rowcount == 1


def note(connection: Connection, key: int, lease: str, fields: dict[str, Any]) -> bool:
    """Write down what became of a delivery; answer whether the webhook was still this process's to tell."""
    mine = update(webhook).where(columns.id == key, columns.lease == lease)
    return connection.execute(mine.values(**fields)).rowcount == 1
