"""Arrow tables of (time, asset) rows as arrays, and back; no step goes row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MISSING = -1


@dataclass(frozen=True)
class Labelled:
    """Rows of a table, their times and assets as numbers.

    Parameters
    ----------
    table
        The rows.
    times
        int64[n], microseconds UTC.
    codes
        int64[n], position of each row's asset among ``labels``.
    labels
        The assets that occur, in the order of their first row.
    """

    table: "pa.Table"
    times: Integers
    codes: Integers
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def place(self) -> dict[str, int]:
        """The position of each label."""
        return {name: at for at, name in enumerate(self.labels)}

    def positions(self, columns: tuple[str, ...]) -> Integers:
        """Give the position of each row's asset among other columns, -1 where it is not there; int64[n]."""
        return positions(self.labels, columns)[self.codes] if self.labels else np.empty(0, np.int64)

    def floats(self, name: str) -> Floats:
        """Give one column as float64[n], a null as NaN; all NaN where the table has no such column."""
        if name not in self.table.column_names:
            return np.full(len(self), np.nan)
        import pyarrow as pa

        column = self.table.column(name).combine_chunks().cast(pa.float64(), safe=False)
        return np.ascontiguousarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)

    def flags(self, name: str) -> npt.NDArray[np.bool_]:
        """Give one column as bool[n], a null as False."""
        column = self.table.column(name).combine_chunks().fill_null(False)
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)


def labelled(table: "pa.Table") -> Labelled:
    """Read a table that has ``time_index`` and ``unique_identifier`` as columns."""
    coded = table.column(UNIQUE_IDENTIFIER).combine_chunks()
    if not _is_coded(coded):
        coded = coded.dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Labelled(table, micros(table.column(TIME_INDEX)), codes, tuple(coded.dictionary.to_pylist()))


def _is_coded(column: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_dictionary(column.type))


def micros(column: Any) -> Integers:
    """Give a column of times as int64 microseconds UTC."""
    import pyarrow as pa

    stamps = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.asarray(stamps.cast(pa.timestamp("us", "UTC")).view(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def positions(labels: tuple[str, ...], columns: tuple[str, ...]) -> Integers:
    """Give the position of each label among the columns, -1 where it is not there."""
    place = {name: at for at, name in enumerate(columns)}
    return np.array([place.get(name, MISSING) for name in labels], dtype=np.int64)


def stamps(values: Integers) -> "pa.Array":
    """Give int64 microseconds as a column of times."""
    import pyarrow as pa

    return pa.array(values).view(pa.timestamp("us", "UTC"))


def names(codes: npt.NDArray[Any], labels: tuple[str, ...]) -> "pa.Array":
    """Give a column of labels from their positions."""
    import pyarrow as pa

    coded = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(labels, pa.string()))
    return coded.cast(pa.string())


def nullable(values: Floats) -> "pa.Array":
    """Give a column of numbers, NaN as null."""
    import pyarrow as pa

    return pa.array(values, mask=np.isnan(values))


def by_asset(
    times: Integers, codes: npt.NDArray[Any], labels: tuple[str, ...], values: Mapping[str, Any]
) -> "pa.Table":
    """Make a table of (time, asset) rows."""
    import pyarrow as pa

    return pa.table({TIME_INDEX: stamps(times), UNIQUE_IDENTIFIER: names(codes, labels), **values})
