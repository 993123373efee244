"""Tables as the lake keeps them: Arrow types of a declared schema, and making given tables conform to it."""

from collections import Counter
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.types as pt

from mainsequence.domain.identifiers import check_unique_identifier
from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER, DType, SeriesSchema
from mainsequence.domain.values import listed
from mainsequence.errors import DuplicateRowsError, NaiveTimestampError, SchemaMismatchError, ValidationError

YEAR = "_year"
"""The partition column; declared columns cannot begin with an underscore."""

TIMESTAMP = pa.timestamp("us", "UTC")
_ARROW: dict[DType, Any] = {
    DType.FLOAT64: pa.float64(),
    DType.INT64: pa.int64(),
    DType.BOOL: pa.bool_(),
    DType.STRING: pa.string(),
    DType.TIMESTAMP: TIMESTAMP,
    DType.DATE: pa.date32(),
}
_FIRST_MICROS, _LAST_MICROS = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999


def arrow_schema(schema: SeriesSchema, columns: tuple[str, ...] | None = None) -> pa.Schema:
    """Give the Arrow schema in which a series is read and stored: the index, then the value columns.

    Parameters
    ----------
    schema
        The declared schema.
    columns
        Value columns, in the order wanted; ``None`` for all.
    """
    wanted = schema.columns if columns is None else [schema.column(name) for name in columns]
    index = [pa.field(TIME_INDEX, TIMESTAMP, nullable=False)]
    if schema.by_asset:
        index.append(pa.field(UNIQUE_IDENTIFIER, pa.string(), nullable=False))
    return pa.schema([*index, *(pa.field(spec.name, _ARROW[spec.dtype], nullable=spec.nullable) for spec in wanted)])


def conform(table: pa.Table, schema: SeriesSchema) -> pl.DataFrame:
    """Bring a table into the declared schema without losing anything, or refuse it.

    Columns may stand in any order; narrower numbers, other time zones and dictionary-encoded text are converted.

    Returns
    -------
    polars.DataFrame
        The declared columns, sorted by the index (asset, then time), no index twice.

    Raises
    ------
    SchemaMismatchError
        Missing or unknown columns, wrong dtypes, nulls where none may be.
    NaiveTimestampError
        Times without a zone.
    DuplicateRowsError
        One index twice.
    InvalidIdentifierError
        A blank or malformed unique identifier.
    """
    _check_names(table, schema)
    target = arrow_schema(schema)
    columns = [_cast(table.column(field.name), field) for field in target]
    frame = pl.DataFrame(pa.Table.from_arrays(columns, schema=target)).sort(sort_keys(schema))
    _check_index(frame, schema)
    return frame


def sort_keys(schema: SeriesSchema) -> list[str]:
    """Give the order of rows inside files: by asset, then time."""
    return [UNIQUE_IDENTIFIER, TIME_INDEX] if schema.by_asset else [TIME_INDEX]


def _check_names(table: pa.Table, schema: SeriesSchema) -> None:
    counts = Counter(table.column_names)
    missing = [name for name in schema.names if name not in counts]
    unknown = [name for name in counts if name not in schema.names]
    repeated = [name for name, times in counts.items() if times > 1]
    problems = [
        f"{what} {listed(map(repr, names))}"
        for what, names in (("lacks", missing), ("has the unknown", unknown), ("repeats", repeated))
        if names
    ]
    if problems:
        raise SchemaMismatchError(
            f"The table {' and '.join(problems)}.",
            hint=f"The series declares: {', '.join(schema.names)}.",
            missing=missing,
            unknown=unknown,
        )


def _cast(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pt.is_timestamp(column.type) and column.type.tz is None and pt.is_timestamp(field.type):
        raise NaiveTimestampError(
            f"The column {field.name!r} holds times without a time zone.",
            hint="Give them one, for instance frame.tz_localize('UTC').",
        )
    if not _convertible(column.type, field.type):
        raise SchemaMismatchError(f"The column {field.name!r} is {column.type}, the series declares {field.type}.")
    if column.null_count and not field.nullable:
        raise SchemaMismatchError(f"The column {field.name!r} has {column.null_count} nulls, the series allows none.")
    try:
        return column.cast(field.type, safe=True)
    except pa.ArrowInvalid as error:
        raise SchemaMismatchError(
            f"The column {field.name!r} cannot be stored as {field.type} without loss: {error}."
        ) from None


def _convertible(given: Any, declared: Any) -> bool:
    if pt.is_null(given):
        return True
    if pt.is_floating(declared):
        return bool(pt.is_floating(given) or pt.is_integer(given))
    if pt.is_string(declared):
        return bool(pt.is_string(given) or pt.is_large_string(given) or pt.is_string_view(given))
    kinds = (pt.is_integer, pt.is_boolean, pt.is_timestamp, pt.is_date)
    return any(kind(declared) and kind(given) for kind in kinds)


def _check_index(frame: pl.DataFrame, schema: SeriesSchema) -> None:
    if frame.is_empty():
        return
    micros = frame[TIME_INDEX].to_physical()
    if not _FIRST_MICROS <= int(micros.min()) <= int(micros.max()) <= _LAST_MICROS:  # type: ignore[arg-type]
        raise ValidationError("Times must lie in the years 1 to 9999.")
    if schema.by_asset:
        for identifier in frame[UNIQUE_IDENTIFIER].unique():
            check_unique_identifier(identifier)
    same_as_before = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in schema.index)
    repeated = frame.filter(same_as_before).select(schema.index)
    if repeated.height:
        raise DuplicateRowsError(
            f"The table holds {repeated.height} rows whose index another has, the first of {listed(repeated.row(0))}.",
            hint="Keep one row for each time and asset.",
            count=repeated.height,
        )


def to_arrow(frame: pl.DataFrame, target: pa.Schema) -> pa.Table:
    """Give a frame as an Arrow table of exactly the target's schema."""
    return frame.select(target.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(target)


def count_nulls(table: pa.Table) -> dict[str, int]:
    """Count nulls per column."""
    return {name: table.column(name).null_count for name in table.column_names}
