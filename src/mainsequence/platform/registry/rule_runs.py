"""Runs of rules in SQL: which effective dates were decided when, and from what."""

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, insert, select

from mainsequence.domain.beside import DecidedDates
from mainsequence.domain.categories import CategoryRecord
from mainsequence.platform.registry.composition_tables import rule_run


@dataclass(frozen=True, slots=True)
class Run:
    """Effective dates of a rule that were decided together."""

    recorded_at: int
    revision: int
    rule_hash: str
    first: int
    last: int
    inputs: str


def record_run(connection: Connection, head: CategoryRecord, now: int, decided: DecidedDates) -> None:
    """Write which effective dates of a rule were decided, and from what."""
    row = {"category_id": head.id, "recorded_at": now, "revision": head.revision, "rule_hash": decided.rule_hash}
    inputs = orjson.dumps(decided.inputs).decode()
    connection.execute(insert(rule_run), row | {"first": decided.first, "last": decided.last, "inputs": inputs})


def newest(connection: Connection, category_id: int) -> int | None:
    """Give the number of the newest run of a universe's rules."""
    number: int | None = connection.scalar(select(func.max(rule_run.c.id)).where(rule_run.c.category_id == category_id))
    return number


def decided_until(connection: Connection, category_id: int) -> int | None:
    """Give the last effective date that was decided."""
    last: int | None = connection.scalar(select(func.max(rule_run.c.last)).where(rule_run.c.category_id == category_id))
    return last


def run_deciding(connection: Connection, category_id: int, time: int, known: int) -> Run | None:
    """Give the run that decided what holds at a time, as known at a time: the newest that reaches it, else the last."""
    table = rule_run.c
    columns = (table.recorded_at, table.revision, table.rule_hash, table.first, table.last, table.inputs)
    query = select(*columns).where(table.category_id == category_id, table.recorded_at <= known, table.first <= time)
    reaching = query.where(table.last >= time).order_by(table.id.desc()).limit(1)
    row = connection.execute(reaching).one_or_none()
    if row is None:
        row = connection.execute(query.order_by(table.last.desc(), table.id.desc()).limit(1)).one_or_none()
    return None if row is None else Run(*row)
