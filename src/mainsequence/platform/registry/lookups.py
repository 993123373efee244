"""Parsed lookups as conditions of SQL."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, func

from mainsequence.domain.lookups import Condition, Lookup
from mainsequence.platform.registry.sets import within


def conditions(
    connection: Connection, parsed: Iterable[Condition], columns: Mapping[str, ColumnElement[Any]]
) -> list[ColumnElement[bool]]:
    """Give one SQL condition for each parsed lookup."""
    return [_condition(connection, condition, columns[condition.field]) for condition in parsed]


def _condition(connection: Connection, condition: Condition, column: ColumnElement[Any]) -> ColumnElement[bool]:
    value = condition.value
    if condition.lookup is Lookup.IN:
        return within(connection, column, value)
    if condition.lookup is Lookup.CONTAINS:
        return _contains(connection, column, value)
    if condition.lookup is Lookup.ICONTAINS:
        return func.lower(column, type_=String()).contains(value.lower(), autoescape=True)
    if condition.lookup is Lookup.ISNULL:
        return column.is_(None) if value else column.is_not(None)
    return column.is_(None) if value is None else column == value


def _contains(connection: Connection, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Match case exactly on every database; SQLite's LIKE does not."""
    if connection.dialect.name == "sqlite":
        return func.instr(column, value) > 0
    return func.strpos(column, value) > 0
