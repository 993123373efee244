"""Reading what a node has stored: DataFrames for people, Arrow for engines."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mainsequence.client.frames import to_pandas
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, Instant, TimeLike, open_datetime
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError
from mainsequence.tdag.windows import bounds

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from mainsequence.contract.arrow import WideMatrix


class AssetRange(Value):
    """What to read of one asset; open where a date is left out.

    Parameters
    ----------
    start_date, end_date
        Aware times, dates or ISO 8601 text.
    start_date_operand
        ``">="`` or ``">"``.
    end_date_operand
        ``"<="`` or ``"<"``.
    """

    start_date: Instant | None = None
    start_date_operand: Literal[">", ">="] = ">="
    end_date: Instant | None = None
    end_date_operand: Literal["<", "<="] = "<="

    def bounds(self) -> tuple[int, int]:
        """Give the first microsecond of the range and the first behind it; equal ones hold nothing."""
        return bounds(self.start_date, self.end_date, self.start_date_operand == ">=", self.end_date_operand == "<=")


class ReadableNode(ABC):
    """Whatever observations can be read from: own nodes, series of others, assets through a translation table."""

    updatable: ClassVar[bool] = False

    @property
    @abstractmethod
    def identifier(self) -> str:
        """What it is called: for stored nodes the ``unique_identifier`` of the series."""

    @abstractmethod
    def as_identity(self) -> dict[str, str]:
        """Say what it is, where it is part of another node's identity."""

    @abstractmethod
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
    ) -> "pa.Table":
        """Read rows as an Arrow table, ascending by ``time_index``, then ``unique_identifier``.

        Parameters
        ----------
        columns
            Value columns, in the order wanted; by default all.
        unique_identifiers
            Assets; by default all. One without rows gives none.
        start, end, start_inclusive, end_inclusive
            The range of time, half-open ``[start, end)`` unless the flags say otherwise; by default all.
        last_per_asset
            Only the last row of each asset in the range.
        """

    @abstractmethod
    def wide(
        self,
        column: str,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> "WideMatrix":
        """Read one column as a date × asset matrix of float64 over ``[start, end)``."""

    def get_df_between_dates(
        self,
        start_date: TimeLike | None = None,
        end_date: TimeLike | None = None,
        great_or_equal: bool = True,
        less_or_equal: bool = True,
        unique_identifier_list: Iterable[str] | None = None,
        columns: Iterable[str] | None = None,
    ) -> "pd.DataFrame":
        """Read a range of time as a DataFrame.

        Parameters
        ----------
        start_date, end_date
            The range; open where left out.
        great_or_equal, less_or_equal
            Whether ``start_date`` and ``end_date`` themselves are in it. ``(last, now]`` may hold nothing, also when
            ``last`` is later than ``now``; a range that includes its start is refused when its end lies before.
        unique_identifier_list
            Assets; by default all.
        columns
            Value columns; by default all.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``time_index`` (datetime64[us, UTC]) and, where rows belong to assets, ``unique_identifier``;
            ascending. A node that has stored nothing gives an empty frame of the columns asked for, or declared.
        """
        table = self.read_arrow(
            columns,
            unique_identifiers=unique_identifier_list,
            start=start_date,
            end=end_date,
            start_inclusive=great_or_equal,
            end_inclusive=less_or_equal,
        )
        return to_pandas(table)

    def get_ranged_data_per_asset(
        self, range_descriptor: Mapping[str, Mapping[str, Any] | AssetRange], columns: Iterable[str] | None = None
    ) -> "pd.DataFrame":
        """Read each asset over a range of its own, in one read.

        Parameters
        ----------
        range_descriptor
            For each unique identifier an `AssetRange`, or its fields: ``{"start_date": …, "start_date_operand": ">"}``.
        columns
            Value columns; by default all.
        """
        ranges = {name: AssetRange.parse(given).bounds() for name, given in range_descriptor.items()}
        table = self.read_arrow(
            columns,
            unique_identifiers=tuple(ranges),
            start=open_datetime(min((start for start, _ in ranges.values()), default=MIN_MICROS)),
            end=open_datetime(max((end for _, end in ranges.values()), default=MAX_MICROS)),
        )
        return to_pandas(_inside(table, ranges))

    def get_last_observation(
        self, asset_list: "Iterable[AssetRecord | str] | None" = None, columns: Iterable[str] | None = None
    ) -> "pd.DataFrame":
        """Read the newest row of each asset (of the series, where rows belong to no assets).

        Parameters
        ----------
        asset_list
            Assets or their unique identifiers; by default all.
        columns
            Value columns; by default all.
        """
        return to_pandas(self.read_arrow(columns, unique_identifiers=identifiers_of(asset_list), last_per_asset=True))


def identifiers_of(assets: "Iterable[AssetRecord | str] | None") -> tuple[str, ...] | None:
    """Give the unique identifiers of assets, which may be named by them."""
    if isinstance(assets, str):
        raise ValidationError(f"asset_list takes a list, got {assets!r}.", hint="Write asset_list=[…].")
    if assets is None:
        return None
    return tuple(each if isinstance(each, str) else each.unique_identifier for each in assets)


def _inside(table: "pa.Table", ranges: Mapping[str, tuple[int, int]]) -> "pa.Table":
    """Keep the rows that lie in the range of their asset."""
    import numpy as np
    import pyarrow as pa

    if not table.num_rows:
        return table
    coded = table.column(UNIQUE_IDENTIFIER).combine_chunks().dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False)
    starts, ends = np.array([ranges[name] for name in coded.dictionary.to_pylist()]).T
    times = table.column(TIME_INDEX).combine_chunks().view(pa.int64()).to_numpy(zero_copy_only=False)
    return table.filter(pa.array((times >= starts[codes]) & (times < ends[codes])))
