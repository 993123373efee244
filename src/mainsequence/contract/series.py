"""Everything that can be done with series."""

from types import NoneType
from typing import TYPE_CHECKING

from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.operation import reading, writing
from mainsequence.contract.queries import Query
from mainsequence.domain.frequency import FrequencyText
from mainsequence.domain.identifiers import Description, JsonObject
from mainsequence.domain.series import (
    RowSelection,
    SeriesDeclaration,
    SeriesQuery,
    SeriesRecord,
    SeriesStatistics,
    SeriesVersion,
    StatisticsQuery,
    WideQuery,
    WriteOutcome,
)
from mainsequence.domain.values import Page, Value

if TYPE_CHECKING:
    import pyarrow as pa

_SELECTION = b"mainsequence.selection"


class SeriesPatch(Value):
    """Descriptions to change; the columns of a series never change."""

    frequency: FrequencyText | None = None
    description: Description | None = None
    metadata: JsonObject | None = None


def with_selection(table: "pa.Table", chosen: RowSelection) -> "pa.Table":
    """Write into a table's metadata which rows it is to replace."""
    return table.replace_schema_metadata({_SELECTION: chosen.model_dump_json()})


def selection_of(table: "pa.Table") -> RowSelection:
    """Read which rows a table is to replace; by default all."""
    written = (table.schema.metadata or {}).get(_SELECTION)
    return RowSelection() if written is None else RowSelection.model_validate_json(written)


_ALL, _ONE = "/series", "/series/{key}"

QUERY = reading("POST", f"{_ALL}/query", "series.query", Query, Page[SeriesRecord], "Find series, page by page.")
GET = reading("GET", _ONE, "series.get", NoneType, SeriesRecord, "Read what a series declares.")
CREATE = writing(
    "POST",
    _ALL,
    "series.create",
    SeriesDeclaration,
    SeriesRecord,
    "Declare a series whose identifier is not taken.",
    retry_safe=False,
)
GET_OR_CREATE = writing(
    "POST",
    f"{_ALL}/get-or-create",
    "series.get_or_create",
    SeriesDeclaration,
    SeriesRecord,
    "Read the series with this identifier, or declare it; one with other columns is refused.",
)
PATCH = writing("PATCH", _ONE, "series.patch", SeriesPatch, SeriesRecord, "Change descriptions of a series.")
DELETE = writing("DELETE", _ONE, "series.delete", NoneType, NoneType, "Delete a series with all its versions.")

APPEND = writing(
    "POST",
    f"{_ONE}/rows",
    "series.append",
    ArrowTable,
    WriteOutcome,
    "Add rows whose index is new; all or nothing.",
    retry_safe=False,
)
UPSERT = writing(
    "PUT",
    f"{_ONE}/rows",
    "series.upsert",
    ArrowTable,
    WriteOutcome,
    "Add rows, and replace those of the same index whose values differ.",
)
REPLACE = writing(
    "PUT",
    f"{_ONE}/selection",
    "series.replace",
    ArrowTable,
    WriteOutcome,
    "Make the selected rows (see `with_selection`; by default all) exactly these, in one commit.",
)
DELETE_ROWS = writing(
    "POST", f"{_ONE}/delete-rows", "series.delete_rows", RowSelection, WriteOutcome, "Delete the selected rows."
)

READ = reading("POST", f"{_ONE}/read", "series.read", SeriesQuery, ArrowTable, "Read rows by time, then asset.")
WIDE = reading(
    "POST",
    f"{_ONE}/wide",
    "series.wide",
    WideQuery,
    ArrowTable,
    "Read one column as a date × asset matrix (a table as `WideMatrix.to_table` makes it).",
)
STATISTICS = reading(
    "GET", f"{_ONE}/statistics", "series.statistics", StatisticsQuery, SeriesStatistics, "Count what a version holds."
)
HISTORY = reading("GET", f"{_ONE}/history", "series.history", NoneType, list[SeriesVersion], "List every version.")
