"""Sets of values and of rows inside SQL: one bound parameter, however many (``json_each`` or ``unnest``)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Select,
    String,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from mainsequence.domain.lookups import INT64


def value_set(connection: Connection, values: Iterable[int]) -> Select[Any]:
    """Give a query whose only column, ``value``, holds the values."""
    items = list(values)
    if connection.dialect.name == "postgresql":
        return select(func.unnest(literal(items, ARRAY(BigInteger()))).label("value"))
    return select(_json_values(items))


def _json_values(items: list[Any]) -> ColumnElement[Any]:
    values: ColumnElement[Any] = func.json_each(orjson.dumps(items).decode()).table_valued("value").c.value
    return values


def within(connection: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Give the condition that a column is one of the values.

    On PostgreSQL that is ``= ANY (array)``, which is looked up in an index or a hash table whatever the statistics say.
    Whole numbers beyond 64 bits equal nothing that is stored.
    """
    items = _storable(list(values))
    if connection.dialect.name == "postgresql":
        return column == any_(literal(items, ARRAY(_plain(column.type))))
    return column.in_(select(_json_values(items)))


def _storable(items: list[Any]) -> list[Any]:
    if not items or type(items[0]) is not int or (min(items) >= -INT64 and max(items) < INT64):
        return items
    return [each for each in items if -INT64 <= each < INT64]


def _plain(kind: Any) -> Any:
    """Give the type of values to compare a column with: ids of any size, text of any length."""
    if isinstance(kind, String):
        return String()
    return kind if isinstance(kind, Boolean) else BigInteger()


def row_set(connection: Connection, columns: Mapping[str, npt.NDArray[Any]]) -> Select[Any]:
    """Give a query that holds rows, made from columns of integers or floats (NaN is null) of equal length.

    Columns that hold one value throughout are bound once, which makes uniform rows as cheap as a set of values.
    """
    constant = {name for name, column in columns.items() if _is_constant(column)}
    varying = {name: column for name, column in columns.items() if name not in constant}
    if not varying:
        name = next(iter(columns))
        varying = {name: columns[name]}
        constant.discard(name)
    source = _unnest(varying) if connection.dialect.name == "postgresql" else _json_rows(varying)
    return select(*(_bound(columns[name]).label(name) if name in constant else source[name] for name in columns))


LARGE = 500
"""From how many bound rows on a join is worth a hash table."""


@contextmanager
def large_join(connection: Connection, rows: int) -> Iterator[None]:
    """Run a statement that joins many bound rows to a table.

    PostgreSQL does not know how many they are, nor, before its first ANALYZE, how many rows the table has: it would go
    through the one for each row of the other (20,000 members took 49 s).
    """
    concerned = rows >= LARGE and connection.dialect.name == "postgresql"
    if concerned:
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
    yield
    if concerned:
        connection.exec_driver_sql("SET LOCAL enable_nestloop = on")


def _is_constant(column: npt.NDArray[Any]) -> bool:
    return bool((column == column[0]).all() or (column.dtype.kind == "f" and np.isnan(column).all()))


def _bound(column: npt.NDArray[Any]) -> ColumnElement[Any]:
    return literal(_python(column[:1])[0], _kind(column))


def _kind(column: npt.NDArray[Any]) -> BigInteger | Float[Any]:
    return Float() if column.dtype.kind == "f" else BigInteger()


def _python(column: npt.NDArray[Any]) -> list[Any]:
    if column.dtype.kind != "f":
        return list(column.tolist())
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 (NaN is null)


def _unnest(columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, ColumnElement[Any]]:
    arrays = [literal(_python(column), ARRAY(_kind(column))) for column in columns.values()]
    table = func.unnest(*arrays).table_valued(*columns, name="rows").render_derived()
    return {name: table.c[name] for name in columns}


def _json_rows(columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, ColumnElement[Any]]:
    values = [_python(column) for column in columns.values()]
    if len(values) == 1:
        table = func.json_each(orjson.dumps(values[0]).decode()).table_valued("value")
        return {name: table.c.value.label(name) for name in columns}
    table = func.json_each(orjson.dumps(list(zip(*values, strict=True))).decode()).table_valued("value")
    return {name: func.json_extract(table.c.value, f"$[{place}]").label(name) for place, name in enumerate(columns)}
