"""``msc.Series``: a stored table of observations, declared once and written in versions."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainsequence.client.base import Noun
from mainsequence.client.frames import Frame, to_pandas, to_table
from mainsequence.client.session import carrier
from mainsequence.contract import series as contract
from mainsequence.contract.arrow import WideMatrix
from mainsequence.domain.series import (
    ColumnSpec,
    DType,
    RowSelection,
    SeriesDeclaration,
    SeriesQuery,
    SeriesRecord,
    SeriesSchema,
    SeriesStatistics,
    SeriesVersion,
    StatisticsQuery,
    WideQuery,
    WriteOutcome,
)
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Columns = Mapping[str, DType | str] | Iterable[ColumnSpec]


class Series(Noun[SeriesRecord], SeriesRecord):
    """A stored table of observations, indexed by time or by time and asset.

    ``Series.get(unique_identifier="…")`` finds one, `read` gives its rows as a DataFrame. Writes are all or nothing;
    each that changes something is a new version, and every version stays readable.
    """

    _query = contract.QUERY
    _get = contract.GET
    _shown: ClassVar[tuple[str, ...]] = ("id", "unique_identifier", "frequency", "columns", "index", "description")

    @classmethod
    def create(cls, unique_identifier: str, columns: Columns, **described: Any) -> Self:
        """Declare a series whose identifier is not taken; parameters as `get_or_create`.

        Raises
        ------
        AlreadyExistsError
            The identifier is taken.
        """
        where = carrier()
        declared = _declaration(unique_identifier, columns, **described)
        return cls._bind(where.call(contract.CREATE, declared), where)

    @classmethod
    def get_or_create(cls, unique_identifier: str, columns: Columns, **described: Any) -> Self:
        """Find the series with this identifier, or declare it.

        Parameters
        ----------
        unique_identifier
            Its stable name.
        columns
            The value columns: ``{"close": "float64", …}`` with the dtypes float64, int64, bool, string, timestamp and
            date, or `ColumnSpec` objects (nullable, label, description).
        **described
            ``by_asset`` (default true: indexed by time and asset, else by time alone), ``frequency``, ``description``,
            ``metadata``.

        Raises
        ------
        SchemaMismatchError
            The series exists with other columns.
        """
        where = carrier()
        declared = _declaration(unique_identifier, columns, **described)
        return cls._bind(where.call(contract.GET_OR_CREATE, declared), where)

    @property
    def columns(self) -> dict[str, str]:
        """The value columns and their dtypes."""
        return {column.name: column.dtype.value for column in self.series_schema.columns}

    @property
    def index(self) -> tuple[str, ...]:
        """The index columns."""
        return self.series_schema.index

    def patch(self, **fields: Any) -> Self:
        """Change ``frequency``, ``description`` or ``metadata``.

        Raises
        ------
        UnknownFieldError
            A field that cannot be changed.
        """
        return self._refresh(self._call(contract.PATCH, contract.SeriesPatch(**fields), key=self.id))

    def refresh(self) -> Self:
        """Read the present description again."""
        return self._refresh(self._call(contract.GET, None, key=self.id))

    def delete(self) -> None:
        """Delete the series with all its versions."""
        self._call(contract.DELETE, None, key=self.id)

    # -- writing

    def append(self, frame: Frame) -> WriteOutcome:
        """Add rows whose index is new.

        Parameters
        ----------
        frame
            A pandas DataFrame as `read` gives it (or with the index as columns), a pyarrow Table or a polars DataFrame.
            Times carry a zone.

        Raises
        ------
        ExistingRowsError
            Rows of the same index are stored already; nothing was written.
        SchemaMismatchError, NaiveTimestampError, DuplicateRowsError
            The frame does not fit; nothing was written.
        StorageError
            The storage failed; nothing was written.
        """
        return self._call(contract.APPEND, to_table(frame), key=self.id)

    def upsert(self, frame: Frame) -> WriteOutcome:
        """Add rows, and replace those of the same index whose values differ; otherwise as `append`.

        Writing the same rows again changes nothing and leaves the version.
        """
        return self._call(contract.UPSERT, to_table(frame), key=self.id)

    def replace(
        self,
        frame: Frame,
        *,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        unique_identifiers: Iterable[str] | None = None,
    ) -> WriteOutcome:
        """Make the rows of ``[start, end)``, and of these assets where named, exactly these, in one commit."""
        chosen = RowSelection(**_window(start, end), unique_identifiers=_names(unique_identifiers))
        return self._call(contract.REPLACE, contract.with_selection(to_table(frame), chosen), key=self.id)

    def delete_rows(
        self,
        *,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        unique_identifiers: Iterable[str] | None = None,
    ) -> WriteOutcome:
        """Delete the rows of ``[start, end)``, of these assets where named; earlier versions keep them."""
        chosen = RowSelection(**_window(start, end), unique_identifiers=_names(unique_identifiers))
        return self._call(contract.DELETE_ROWS, chosen, key=self.id)

    # -- reading

    def read(self, **query: Any) -> "pd.DataFrame":
        """Read rows as a DataFrame, ascending by (``time_index``, ``unique_identifier``), its index.

        Parameters
        ----------
        **query
            ``columns``, ``unique_identifiers``, ``start``, ``end`` (half-open, or ``start_inclusive=False``,
            ``end_inclusive=True``), ``last_per_asset``, ``version``, ``require_all``; see `SeriesQuery`.

        Raises
        ------
        UnknownFieldError
            A column that the series does not have.
        UnknownRevisionError
            A version that was never recorded.
        UnknownAssetsError
            With ``require_all=True``: an asset without rows.
        StorageError
            A file could not be read whole; rows are never left out.
        """
        return to_pandas(self.read_arrow(**query))

    def read_arrow(self, **query: Any) -> "pa.Table":
        """Read rows as an Arrow table; parameters and order as `read`."""
        return self._call(contract.READ, _query(query), key=self.id)

    def wide(
        self,
        column: str,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        version: int | None = None,
    ) -> WideMatrix:
        """Read one column as a date × asset matrix of float64, fast from the second time on; see `WideMatrix`."""
        asked = WideQuery(
            column=column, unique_identifiers=_names(unique_identifiers), version=version, **_window(start, end)
        )
        return WideMatrix.from_table(self._call(contract.WIDE, asked, key=self.id))

    def statistics(self, version: int | None = None) -> SeriesStatistics:
        """Count rows, first and last stamp, overall and of each asset."""
        return self._call(contract.STATISTICS, StatisticsQuery(version=version), key=self.id)

    def history(self) -> list[SeriesVersion]:
        """List every version, oldest first."""
        return self._call(contract.HISTORY, None, key=self.id)


def _declaration(
    unique_identifier: str,
    columns: Columns,
    *,
    by_asset: bool = True,
    frequency: str | None = None,
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
) -> SeriesDeclaration:
    return SeriesDeclaration(
        unique_identifier=unique_identifier,
        series_schema=_schema(columns, by_asset),
        frequency=frequency,
        description=description,
        metadata=dict(metadata or {}),
    )


def _schema(columns: Columns, by_asset: bool) -> SeriesSchema:
    if isinstance(columns, Mapping):
        return SeriesSchema.of(dict(columns), by_asset=by_asset)
    index: Any = ("time_index", "unique_identifier") if by_asset else ("time_index",)
    return SeriesSchema(columns=tuple(columns), index=index)


def _window(start: TimeLike | None, end: TimeLike | None) -> dict[str, Any]:
    return {
        "start": None if start is None else to_datetime(start, "start"),
        "end": None if end is None else to_datetime(end, "end"),
    }


def _names(unique_identifiers: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(unique_identifiers, str):
        raise ValidationError(
            f"unique_identifiers takes a list, got {unique_identifiers!r}.", hint="Write unique_identifiers=[…]."
        )
    return None if unique_identifiers is None else tuple(unique_identifiers)


def _query(given: Mapping[str, Any]) -> SeriesQuery:
    listed = {name: _names(given[name]) for name in ("unique_identifiers",) if name in given}
    return SeriesQuery.parse({**given, **listed})
