"""Results of updates as Arrow tables: read from any kind of frame, checked, and their columns inferred."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mainsequence.client.frames import Frame, to_table
from mainsequence.domain.identifiers import check_unique_identifier
from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER, ColumnSpec, DType, SeriesSchema
from mainsequence.domain.values import listed
from mainsequence.errors import DuplicateRowsError, NaiveTimestampError, SchemaMismatchError
from mainsequence.tdag.metadata import DataNodeMetaData, RecordDefinition

if TYPE_CHECKING:
    import pyarrow as pa


def result_table(result: Frame) -> "pa.Table":
    """Read what `update` gave as a table that has its index as columns.

    Raises
    ------
    SchemaMismatchError
        It is no frame, or has no ``time_index``.
    """
    table = to_table(result)
    if TIME_INDEX in table.column_names:
        return table
    raise SchemaMismatchError(
        f"The result of update() has no {TIME_INDEX!r}; its columns: {listed(table.column_names) or 'none'}.",
        hint=f"Name the index of the frame {TIME_INDEX!r}, or both levels ({TIME_INDEX!r}, {UNIQUE_IDENTIFIER!r}).",
    )


def first_schema(table: "pa.Table", records: Iterable[RecordDefinition], about: DataNodeMetaData) -> SeriesSchema:
    """Decide the schema of a new series, after checking that its first rows fit it.

    Parameters
    ----------
    table
        The first result.
    records
        The columns declared; where none are, those of the table.
    about
        Says whether rows belong to assets; where it does not, the table does.

    Raises
    ------
    SchemaMismatchError
        Other columns than declared, missing index values, or types that no series holds.
    NaiveTimestampError
        Times without a zone.
    DuplicateRowsError
        One index twice.
    """
    by_asset = UNIQUE_IDENTIFIER in table.column_names if about.by_asset is None else about.by_asset
    declared = [record.spec() for record in records if not record.is_index]
    index = (TIME_INDEX, UNIQUE_IDENTIFIER) if by_asset else (TIME_INDEX,)
    columns = declared or [_inferred(field) for field in table.schema if field.name not in index]
    if not columns:
        raise SchemaMismatchError("The result of update() has no value columns.", hint="A series holds at least one.")
    schema = SeriesSchema(columns=tuple(columns), index=index)  # type: ignore[arg-type]
    _check_names(table, schema)
    _check_index(table, schema)
    return schema


def declared_schema(records: Iterable[RecordDefinition], about: DataNodeMetaData) -> SeriesSchema | None:
    """Give the schema of a series that is declared in full, ``None`` where the first result must show it."""
    columns = {record.column_name: record.spec() for record in records if not record.is_index}
    if not columns or about.by_asset is None:
        return None
    index: Any = (TIME_INDEX, UNIQUE_IDENTIFIER) if about.by_asset else (TIME_INDEX,)
    return SeriesSchema(columns=tuple(columns.values()), index=index)


def nothing(
    records: Iterable[RecordDefinition], about: DataNodeMetaData, columns: Iterable[str] | None = None
) -> "pa.Table":
    """Give no rows, in the columns that a node declares (or was asked for)."""
    import pyarrow as pa

    declared = {record.column_name: record.dtype for record in records if not record.is_index}
    names = tuple(declared) if columns is None else tuple(columns)
    fields = [pa.field(name, _arrow_type(declared.get(name, DType.FLOAT64))) for name in names]
    index = [pa.field(TIME_INDEX, _arrow_type(DType.TIMESTAMP)), pa.field(UNIQUE_IDENTIFIER, pa.string())]
    return pa.schema([*(index[:1] if about.by_asset is False else index), *fields]).empty_table()


def _arrow_type(dtype: DType) -> Any:
    import pyarrow as pa

    return {
        DType.FLOAT64: pa.float64(),
        DType.INT64: pa.int64(),
        DType.BOOL: pa.bool_(),
        DType.STRING: pa.string(),
        DType.TIMESTAMP: pa.timestamp("us", "UTC"),
        DType.DATE: pa.date32(),
    }[dtype]


def _inferred(field: "pa.Field") -> ColumnSpec:
    import pyarrow.types as kinds

    held = field.type.value_type if kinds.is_dictionary(field.type) else field.type
    if kinds.is_timestamp(held) and held.tz is None:
        raise _naive(field.name)
    tests = (
        (kinds.is_floating, DType.FLOAT64),
        (kinds.is_integer, DType.INT64),
        (kinds.is_boolean, DType.BOOL),
        (kinds.is_string, DType.STRING),
        (kinds.is_large_string, DType.STRING),
        (kinds.is_string_view, DType.STRING),
        (kinds.is_timestamp, DType.TIMESTAMP),
        (kinds.is_date, DType.DATE),
    )
    for holds, dtype in tests:
        if holds(held):
            return ColumnSpec(name=field.name, dtype=dtype)
    raise SchemaMismatchError(
        f"The column {field.name!r} of the result is {field.type}; a series cannot tell from it what it holds.",
        hint="Declare it in get_column_metadata() and give it as numbers, truth values, text, times or dates.",
    )


def _naive(name: str) -> NaiveTimestampError:
    return NaiveTimestampError(
        f"The column {name!r} holds times without a time zone.",
        hint="Give them one, for instance frame.tz_localize('UTC').",
    )


def _check_names(table: "pa.Table", schema: SeriesSchema) -> None:
    found = table.column_names
    missing = [name for name in schema.names if name not in found]
    unknown = [name for name in found if name not in schema.names]
    parts = [f"{what} {listed(map(repr, names))}" for what, names in (("lacks", missing), ("has", unknown)) if names]
    if parts or len(found) != len(set(found)):
        raise SchemaMismatchError(
            f"The result of update() {' and '.join(parts) or 'repeats columns'}.",
            hint=f"The node declares: {', '.join(schema.names)}.",
            missing=missing,
            unknown=unknown,
        )


def _check_index(table: "pa.Table", schema: SeriesSchema) -> None:
    import pyarrow.types as kinds

    times = table.column(TIME_INDEX)
    if not kinds.is_timestamp(times.type):
        raise SchemaMismatchError(f"{TIME_INDEX!r} holds {times.type}, not times.", hint="Give aware timestamps.")
    if times.type.tz is None:
        raise _naive(TIME_INDEX)
    for name in schema.index:
        if table.column(name).null_count:
            raise SchemaMismatchError(f"{name!r} is missing in {table.column(name).null_count} rows of the result.")
    if schema.by_asset:
        _check_assets(table.column(UNIQUE_IDENTIFIER))
    _check_unique(table, schema)


def _check_assets(column: "pa.ChunkedArray") -> None:
    for name in column.unique().to_pylist():
        if not isinstance(name, str):
            raise SchemaMismatchError(f"{UNIQUE_IDENTIFIER!r} holds {name!r}, which is no text.")
        check_unique_identifier(name)


def _check_unique(table: "pa.Table", schema: SeriesSchema) -> None:
    import pyarrow.compute as pc

    counted = table.group_by(list(schema.index)).aggregate([([], "count_all")])
    if counted.num_rows == table.num_rows:
        return
    row = counted.filter(pc.greater(counted.column("count_all"), 1)).slice(0, 1).to_pylist()[0]
    raise DuplicateRowsError(
        f"The result of update() repeats the index {' '.join(str(row[name]) for name in schema.index)}.",
        hint="Keep one row for each time and asset.",
        count=table.num_rows - counted.num_rows,
    )
