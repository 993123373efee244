"""Idempotency keys in SQL: which writes were carried out, and what they answered."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from mainsequence.domain.access import Actor
from mainsequence.domain.times import MICROS_PER_DAY
from mainsequence.errors import RepeatedKeyError
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.tables import idempotency_key as table

KEPT_FOR = MICROS_PER_DAY
"""How long a key is remembered, in microseconds."""


@dataclass(frozen=True, slots=True)
class Once:
    """A key under which something is carried out once, and what was asked, as a hash."""

    key: str
    fingerprint: str


def find(connection: Connection, actor: Actor, once: Once) -> str | None:
    """Give the answer that was given under a key; ``None`` where it is new.

    Raises
    ------
    RepeatedKeyError
        Something else was asked under it.
    """
    row = connection.execute(select(table.c.fingerprint, table.c.answer).where(*_one(actor, once))).one_or_none()
    if row is None:
        return None
    if row.fingerprint != once.fingerprint:
        raise RepeatedKeyError(
            f"The idempotency key {once.key!r} was used for another request.", hint="Use a new key for each request."
        )
    return str(row.answer or "")


def claim(connection: Connection, actor: Actor, once: Once, now: int) -> str | None:
    """Take a key, or give the answer that was given under it; another writer with the same key waits here."""
    connection.execute(delete(table).where(table.c.recorded_at < now - KEPT_FOR))
    row: dict[str, Any] = {"organization_id": actor.organization_id, "actor": actor.name, "key": once.key}
    if insert_or_ignore(connection, table, row | {"fingerprint": once.fingerprint, "recorded_at": now}):
        return None
    return find(connection, actor, once)


def keep(connection: Connection, actor: Actor, once: Once, answer: str) -> None:
    """Keep the answer given under a key."""
    connection.execute(update(table).where(*_one(actor, once)).values(answer=answer))


def forget(connection: Connection, actor: Actor, once: Once) -> None:
    """Let go of a key."""
    connection.execute(delete(table).where(*_one(actor, once)))


def _one(actor: Actor, once: Once) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.organization_id == actor.organization_id,
        table.c.actor == actor.name,
        table.c.key == once.key,
    )
