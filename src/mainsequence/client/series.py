"""``msc.Series``: a stored table of observations, declared once and written in versions."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainsequence.client.base import Noun
from mainsequence.client.connection import carrier
from mainsequence.client.frames import Frame, to_pandas, to_table
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
    def create(
        cls,
        unique_identifier: str,
        columns: Columns,
        *,
        by_asset: bool = True,
        frequency: str | None = None,
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> Self:
        """Declare a series whose identifier is not taken; parameters as `get_or_create`.

        Raises
        ------
        AlreadyExistsError
            The identifier is taken.
        """
        where = carrier()
        declared = _declaration(unique_identifier, columns, by_asset, frequency, description, metadata)
        return cls._bind(where.call(contract.CREATE, declared), where)

    @classmethod
    def get_or_create(
        cls,
        unique_identifier: str,
        columns: Columns,
        *,
        by_asset: bool = True,
        frequency: str | None = None,
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> Self:
        """Find the series with this identifier, or declare it.

        Parameters
        ----------
        unique_identifier
            Its stable name.
        columns
            The value columns: ``{"close": "float64", …}`` with the dtypes float64, int64, bool, string, timestamp and
            date, or `ColumnSpec` objects (nullable, label, description).
        by_asset
            Whether rows are indexed by time and asset, or by time alone.
        frequency
            Such as ``1d`` or ``1m``; ``None`` when irregular.
        description
            For people.
        metadata
            Anything else worth keeping, as JSON.

        Raises
        ------
        SchemaMismatchError
            The series exists with other columns.
        """
        where = carrier()
        declared = _declaration(unique_identifier, columns, by_asset, frequency, description, metadata)
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
        chosen = RowSelection(
            **_window(start, end), unique_identifiers=_names("unique_identifiers", unique_identifiers)
        )
        return self._call(contract.REPLACE, contract.with_selection(to_table(frame), chosen), key=self.id)

    def delete_rows(
        self,
        *,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        unique_identifiers: Iterable[str] | None = None,
    ) -> WriteOutcome:
        """Delete the rows of ``[start, end)``, of these assets where named; earlier versions keep them."""
        chosen = RowSelection(
            **_window(start, end), unique_identifiers=_names("unique_identifiers", unique_identifiers)
        )
        return self._call(contract.DELETE_ROWS, chosen, key=self.id)

    # -- reading

    def read(
        self,
        columns: Iterable[str] | None = None,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        start_inclusive: bool = True,
        end_inclusive: bool = False,
        last_per_asset: bool = False,
        version: int | None = None,
        require_all: bool = False,
    ) -> "pd.DataFrame":
        """Read rows as a DataFrame, ascending by its index (``time_index``, ``unique_identifier``).

        Parameters
        ----------
        columns
            Value columns, in the order wanted; by default all.
        unique_identifiers
            Assets; by default all. One without rows gives none, unless ``require_all``.
        start, end, start_inclusive, end_inclusive
            The range of time, half-open unless the flags say otherwise; by default all.
        last_per_asset
            Only the last row of each asset in the range.
        version
            Read the past as it was at this version.
        require_all
            Refuse when an asset asked for has no row in the answer.

        Raises
        ------
        UnknownFieldError
            A column that the series does not have.
        UnknownRevisionError
            A version that was never recorded.
        UnknownAssetsError
            With ``require_all``: an asset without rows.
        StorageError
            A file could not be read whole; rows are never left out.
        """
        return to_pandas(
            self.read_arrow(
                columns,
                unique_identifiers=unique_identifiers,
                start=start,
                end=end,
                start_inclusive=start_inclusive,
                end_inclusive=end_inclusive,
                last_per_asset=last_per_asset,
                version=version,
                require_all=require_all,
            )
        )

    def read_arrow(
        self,
        columns: Iterable[str] | None = None,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        start_inclusive: bool = True,
        end_inclusive: bool = False,
        last_per_asset: bool = False,
        version: int | None = None,
        require_all: bool = False,
    ) -> "pa.Table":
        """Read rows as an Arrow table; parameters, order and errors as `read`."""
        asked = SeriesQuery(
            columns=_names("columns", columns),
            unique_identifiers=_names("unique_identifiers", unique_identifiers),
            **_window(start, end),
            start_inclusive=start_inclusive,
            end_inclusive=end_inclusive,
            last_per_asset=last_per_asset,
            version=version,
            require_all=require_all,
        )
        return self._call(contract.READ, asked, key=self.id)

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
            column=column,
            unique_identifiers=_names("unique_identifiers", unique_identifiers),
            version=version,
            **_window(start, end),
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
    by_asset: bool,
    frequency: str | None,
    description: str,
    metadata: Mapping[str, Any] | None,
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


def _names(what: str, given: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(given, str):
        raise ValidationError(f"{what} takes a list, got {given!r}.", hint=f"Write {what}=[…].")
    return None if given is None else tuple(given)
