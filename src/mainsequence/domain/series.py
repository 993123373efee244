"""Series: declared, versioned tables of observations, indexed by time or by time and asset."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, field_validator, model_validator

from mainsequence.domain.frequency import FrequencyText
from mainsequence.domain.identifiers import Description, JsonObject, Name, UniqueIdentifier
from mainsequence.domain.lookups import IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, Instant, check_interval, to_micros
from mainsequence.domain.values import Value, listed
from mainsequence.errors import UnknownFieldError, ValidationError

TIME_INDEX = "time_index"
UNIQUE_IDENTIFIER = "unique_identifier"

SERIES_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    **dict.fromkeys(("unique_identifier", "frequency", "description"), FieldLookups(IDENTIFYING)),
}
"""What series can be filtered by."""

TimeOnly: TypeAlias = tuple[Literal["time_index"]]
TimeAndAsset: TypeAlias = tuple[Literal["time_index"], Literal["unique_identifier"]]

ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=128)]


class DType(StrEnum):
    """What a column holds; times are microseconds UTC."""

    FLOAT64 = "float64"
    INT64 = "int64"
    BOOL = "bool"
    STRING = "string"
    TIMESTAMP = "timestamp"
    DATE = "date"


class ColumnSpec(Value):
    """One value column of a series."""

    name: ColumnName
    dtype: DType = DType.FLOAT64
    nullable: bool = True
    label: Name | None = None
    description: Description = ""

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name.casefold() in {TIME_INDEX, UNIQUE_IDENTIFIER}:
            raise ValidationError(
                f"{name!r} is an index column and cannot be declared as a value.",
                hint="Leave it out of the columns; the index is declared by `index`.",
            )
        return name


class SeriesSchema(Value):
    """The columns of a series and what indexes it: time alone, or time and asset.

    Parameters
    ----------
    columns
        The value columns, at least one; the index columns are not among them.
    index
        ``("time_index", "unique_identifier")``, or ``("time_index",)``.
    """

    columns: tuple[ColumnSpec, ...] = Field(min_length=1)
    index: TimeOnly | TimeAndAsset = ("time_index", "unique_identifier")

    @field_validator("columns")
    @classmethod
    def _distinct(cls, columns: tuple[ColumnSpec, ...]) -> tuple[ColumnSpec, ...]:
        repeated = [name for name, times in Counter(column.name.casefold() for column in columns).items() if times > 1]
        if repeated:
            raise ValidationError(f"Columns are declared twice (case does not tell them apart): {listed(repeated)}.")
        return columns

    @classmethod
    def of(cls, columns: dict[str, DType | str], *, by_asset: bool = True) -> Self:
        """Declare a schema from names and dtypes, such as ``{"close": "float64"}``."""
        specs = tuple(ColumnSpec.parse({"name": name, "dtype": kind}) for name, kind in columns.items())
        return cls(columns=specs, index=("time_index", "unique_identifier") if by_asset else ("time_index",))

    @property
    def by_asset(self) -> bool:
        """Whether rows belong to assets."""
        return UNIQUE_IDENTIFIER in self.index

    @property
    def value_names(self) -> tuple[str, ...]:
        """The names of the value columns."""
        return tuple(column.name for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, the index first."""
        return (*self.index, *self.value_names)

    def column(self, name: str) -> ColumnSpec:
        """Give one value column.

        Raises
        ------
        UnknownFieldError
            The series has no such column.
        """
        self.check_columns((name,))
        return next(column for column in self.columns if column.name == name)

    def check_columns(self, names: tuple[str, ...]) -> None:
        """Refuse names that are not value columns.

        Raises
        ------
        UnknownFieldError
            Names the unknown columns and the allowed ones.
        """
        unknown = [name for name in names if name not in self.value_names]
        if unknown:
            raise UnknownFieldError(
                f"The series has no column {listed(map(repr, unknown))}.",
                hint=f"Its columns: {', '.join(self.value_names)}.",
                unknown=unknown,
                allowed=list(self.value_names),
            )

    def same_table(self, other: "SeriesSchema") -> bool:
        """Whether tables of both are alike: index, names, dtypes and nullability; not labels and descriptions."""
        return self.index == other.index and _shape(self) == _shape(other)


def _shape(schema: SeriesSchema) -> list[tuple[str, DType, bool]]:
    return [(column.name, column.dtype, column.nullable) for column in schema.columns]


class TimeRange(Value):
    """A range of time: ``[start, end)`` unless the flags say otherwise; ``None`` is open.

    Raises
    ------
    InvalidIntervalError
        The range holds no time.
    """

    start: Instant | None = None
    end: Instant | None = None
    start_inclusive: bool = True
    end_inclusive: bool = False

    @model_validator(mode="after")
    def _holds_time(self) -> Self:
        check_interval(self.start_micros, self.end_micros)
        return self

    @property
    def start_micros(self) -> int:
        """The first microsecond of the range; minus infinity is ``MIN_MICROS``."""
        return MIN_MICROS if self.start is None else to_micros(self.start) + (not self.start_inclusive)

    @property
    def end_micros(self) -> int:
        """The first microsecond behind the range; plus infinity is ``MAX_MICROS``."""
        return MAX_MICROS if self.end is None else to_micros(self.end) + self.end_inclusive


class SeriesQuery(TimeRange):
    """What to read of a series.

    Parameters
    ----------
    columns
        Value columns, in the order wanted; ``None`` for all. The index always comes along.
    unique_identifiers
        Assets; ``None`` for all. An asset without rows simply gives none, unless ``require_all``.
    start, end, start_inclusive, end_inclusive
        The range of time, half-open ``[start, end)`` unless the flags say otherwise.
    last_per_asset
        Only the last row of each asset inside the range (of the whole series, when it has no assets).
    version
        Read the past as it was at this version; ``None`` is now.
    require_all
        Refuse (`UnknownAssetsError`) when an asset asked for has no row in the answer.
    """

    columns: tuple[str, ...] | None = None
    unique_identifiers: tuple[str, ...] | None = None
    last_per_asset: bool = False
    version: int | None = Field(None, ge=0)
    require_all: bool = False

    @field_validator("columns")
    @classmethod
    def _each_once(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if columns is not None and len(set(columns)) < len(columns):
            raise ValidationError(f"A column is asked for twice: {listed(columns)}.")
        return columns


class WideQuery(TimeRange):
    """One column as a date × asset matrix of float64.

    Parameters
    ----------
    column
        The value column: float64, int64 or bool.
    unique_identifiers
        Assets, in the order wanted; one without rows is all NaN. ``None`` for all, in ascending order.
    version
        Read the past as it was at this version; ``None`` is now.
    """

    column: str
    unique_identifiers: tuple[str, ...] | None = None
    version: int | None = Field(None, ge=0)


class StatisticsQuery(Value):
    """Of which version; ``None`` is now."""

    version: int | None = Field(None, ge=0)


class RowSelection(TimeRange):
    """Rows by time and, where the series has them, by asset."""

    unique_identifiers: tuple[str, ...] | None = None


class AssetStatistics(Value):
    """First and last stamp and number of rows of one asset in a series."""

    first: Instant
    last: Instant
    count: int


class SeriesStatistics(Value):
    """What a series holds at one version; ``min_time`` and ``max_time`` are ``None`` while it is empty."""

    version: int
    count: int
    min_time: Instant | None = None
    max_time: Instant | None = None
    assets: dict[str, AssetStatistics] = Field(default_factory=dict, description="Empty for series without assets")


class WriteOutcome(Value):
    """What a write did; without any change the version is the one before."""

    version: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.inserted or self.updated or self.deleted)


class SeriesVersion(Value):
    """One recorded state of a series."""

    version: int
    recorded_at: Instant
    operation: str
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


class SeriesDeclaration(Value):
    """What registers a series."""

    unique_identifier: UniqueIdentifier
    series_schema: SeriesSchema
    frequency: FrequencyText | None = Field(None, description="Such as 1d or 1m; None when irregular")
    description: Description = ""
    metadata: JsonObject = Field(default_factory=dict)


class SeriesRecord(SeriesDeclaration):
    """A series as it is registered."""

    id: int
    created_at: Instant
