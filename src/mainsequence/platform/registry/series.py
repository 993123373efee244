"""Series in SQL: what they declare, and the name of the lake's table that holds their rows."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, select, update

from mainsequence.domain.series import SeriesDeclaration, SeriesRecord, SeriesSchema
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.tables import series

COLUMNS = {name: series.c[name] for name in ("id", "unique_identifier", "frequency", "description")}
"""The columns that series can be filtered by."""

_RECORD = (
    *("id", "unique_identifier", "series_schema", "frequency", "description", "metadata"),
    "created_at",
)


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    columns = series.c
    return select(
        columns.id,
        columns.unique_identifier,
        columns.schema_json,
        columns.frequency,
        columns.description,
        columns.metadata_json,
        columns.created_at,
    )


def read(connection: Connection, query: Select[Any]) -> list[SeriesRecord]:
    """Run a `selection` and give its records."""
    return [_record(row) for row in connection.execute(query)]


def _record(row: Row[Any]) -> SeriesRecord:
    fields = dict(zip(_RECORD, row, strict=True))
    fields["series_schema"] = SeriesSchema.parse(fields["series_schema"])
    fields["created_at"] = from_micros(fields["created_at"])
    return trusted(SeriesRecord, fields)


def by_id(connection: Connection, organization_id: int, key: int) -> SeriesRecord:
    """Read one series of an organization."""
    return _one(connection, organization_id, series.c.id == key, f"with id {key}")


def by_identifier(connection: Connection, organization_id: int, unique_identifier: str) -> SeriesRecord:
    """Read one series of an organization by its unique identifier."""
    return _one(connection, organization_id, series.c.unique_identifier == unique_identifier, repr(unique_identifier))


def _one(connection: Connection, organization_id: int, condition: ColumnElement[bool], described: str) -> SeriesRecord:
    for record in read(connection, selection().where(series.c.organization_id == organization_id, condition)):
        return record
    raise _missing(described)


def _missing(described: str) -> NotFoundError:
    return NotFoundError(f"There is no series {described}.", hint="msc.Series.filter() lists those that exist.")


def storage_name(connection: Connection, organization_id: int, key: int) -> str:
    """Give the lake's table of one series of an organization."""
    query = select(series.c.storage_name).where(series.c.organization_id == organization_id, series.c.id == key)
    found = connection.scalar(query)
    if found is None:
        raise _missing(f"with id {key}")
    return str(found)


def create(connection: Connection, organization_id: int, declared: SeriesDeclaration, table: str, now: int) -> bool:
    """Insert a series; answer whether its identifier was free."""
    row = {
        "organization_id": organization_id,
        "unique_identifier": declared.unique_identifier,
        "storage_name": table,
        "schema_json": declared.series_schema.model_dump(mode="json"),
        "frequency": declared.frequency,
        "description": declared.description,
        "metadata_json": declared.metadata,
        "created_at": now,
    }
    return insert_or_ignore(connection, series, row)


def change(connection: Connection, key: int, fields: dict[str, Any]) -> None:
    """Change columns of one series."""
    if fields:
        connection.execute(update(series).where(series.c.id == key).values(**fields))


def erase(connection: Connection, key: int) -> None:
    """Delete the description of one series."""
    connection.execute(delete(series).where(series.c.id == key))
