"""Everything that can be done with whole lists of intervals, and with announcements."""

from types import NoneType
from typing import TYPE_CHECKING

from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.categories import Span
from mainsequence.contract.operation import reading, writing
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.loading import ExpectedQuery, LoadEffect, LoadOptions, UpcomingQuery
from mainsequence.domain.values import explain
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

_OPTIONS = b"mainsequence.load"


def with_options(table: "pa.Table", options: LoadOptions) -> "pa.Table":
    """Write into a table's metadata how its intervals are to be loaded."""
    return table.replace_schema_metadata({_OPTIONS: options.model_dump_json()})


def options_of(table: "pa.Table") -> LoadOptions:
    """Read how a table's intervals are to be loaded; by default they replace everything.

    Raises
    ------
    ValidationError
        The metadata does not fit.
    """
    from pydantic import ValidationError as PydanticValidationError

    written = (table.schema.metadata or {}).get(_OPTIONS)
    try:
        return LoadOptions() if written is None else LoadOptions.model_validate_json(written)
    except PydanticValidationError as error:
        raise explain(LoadOptions, error) from None


def interval_schema() -> "pa.Schema":
    """Give the columns that a load takes; a null bound is open, a null weight is none.

    ``announced`` and ``exit_announced`` say when the interval's start and end were made known; they may be left out.
    """
    import pyarrow as pa

    stamp = pa.timestamp("us", "UTC")
    times = [(name, stamp) for name in ("valid_from", "valid_to", "announced", "exit_announced")]
    return pa.schema([("asset_id", pa.int64()), *times[:2], ("weight", pa.float64()), *times[2:]])


def intervals_of(table: "pa.Table") -> "pa.Table":
    """Read a table of intervals: columns left out are null.

    Raises
    ------
    ValidationError
        A column is missing, unknown, or of a type that cannot be read as its own.
    """
    import pyarrow as pa

    schema = interval_schema()
    unknown = sorted(set(table.column_names) - set(schema.names))
    missing = [name for name in ("asset_id", "valid_from", "valid_to") if name not in table.column_names]
    if unknown or missing:
        raise ValidationError(
            f"A table of intervals lacks {missing} and has {unknown} too many.",
            hint=f"Its columns are {', '.join(schema.names)}.",
        )
    try:
        columns = [
            table.column(field.name).cast(field.type)
            if field.name in table.column_names
            else pa.nulls(table.num_rows, field.type)
            for field in schema
        ]
    except pa.ArrowException as error:
        raise ValidationError(f"The table of intervals cannot be read: {error}", hint="Times carry UTC.") from None
    if columns[0].null_count:
        raise ValidationError(f"{columns[0].null_count} rows name no asset.", hint="Give every row its asset_id.")
    return pa.Table.from_arrays(columns, schema=schema)


_ONE = "/asset-categories/{key}"

LOAD_INTERVALS = writing(
    "POST",
    f"{_ONE}/intervals",
    "categories.load_intervals",
    ArrowTable,
    CategoryRecord,
    "Load validity intervals (a table as `interval_schema`, options as `with_options`) as one revision, or none.",
)
PREVIEW_INTERVALS = reading(
    "POST",
    f"{_ONE}/preview-intervals",
    "categories.preview_intervals",
    ArrowTable,
    LoadEffect,
    "Say what loading validity intervals would change.",
)
ANNOUNCEMENTS = reading(
    "GET",
    f"{_ONE}/announcements",
    "categories.announcements",
    NoneType,
    ArrowTable,
    "Read when the bounds of the present intervals were announced.",
)
UPCOMING = reading(
    "GET",
    f"{_ONE}/upcoming",
    "categories.upcoming",
    UpcomingQuery,
    ArrowTable,
    "Read the changes ahead of a time that were known by then, with the dates of both.",
)
EXPECTED = reading(
    "GET",
    f"{_ONE}/expected",
    "categories.expected",
    ExpectedQuery,
    list[AssetRecord],
    "Read who was known at one time to be a member at a later one.",
)
WEIGHT_SUMS = reading(
    "GET",
    f"{_ONE}/weight-sums",
    "categories.weight_sums",
    Span,
    ArrowTable,
    "Read what the weights sum to between any two changes.",
)
