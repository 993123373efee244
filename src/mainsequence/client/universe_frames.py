"""DataFrames at the user's edge, Arrow behind it. pandas and pyarrow load when first used."""

from typing import TYPE_CHECKING, Any, TypeAlias

from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER
from mainsequence.errors import SchemaMismatchError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Frame: TypeAlias = Any
"""A pandas DataFrame (indexed as it is read, or with the index as columns), a pyarrow Table, or a polars DataFrame."""


def to_table(frame: Frame) -> "pa.Table":
    """Give any kind of frame as an Arrow table; missing values of pandas become nulls.

    Raises
    ------
    SchemaMismatchError
        It is no table, or a column mixes types.
    """
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    try:
        if hasattr(frame, "reset_index") and hasattr(frame, "columns"):
            return pa.Table.from_pandas(_flat(frame), preserve_index=False)
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise SchemaMismatchError(
            f"The frame cannot be read as a table: {error}", hint="Give every column one dtype."
        ) from None
    raise SchemaMismatchError(
        f"A {type(frame).__name__} is no table.", hint="Give a pandas or polars DataFrame, or a pyarrow Table."
    )


def _flat(frame: "pd.DataFrame") -> "pd.DataFrame":
    if len(frame.columns) != len(set(frame.columns)):
        raise SchemaMismatchError(f"The frame repeats columns: {', '.join(map(str, frame.columns))}.")
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index() if named else frame


def to_pandas(table: "pa.Table") -> "pd.DataFrame":
    """Give rows read from a series as a DataFrame indexed by time, or by (time, asset).

    Parameters
    ----------
    table
        Rows in ascending order of (``time_index``, ``unique_identifier``), as series are read.

    Returns
    -------
    pandas.DataFrame
        ``time_index`` as datetime64[us, UTC]; whole numbers with nulls as ``Int64``, truth values with nulls as
        ``boolean``, nothing of the index among the columns.
    """
    import pandas as pd

    index = [name for name in (TIME_INDEX, UNIQUE_IDENTIFIER) if name in table.column_names]
    values = table.drop_columns(index)
    frame = pd.DataFrame({name: _column(values.column(name)) for name in values.column_names})
    frame.index = _multi_index(table) if UNIQUE_IDENTIFIER in index else _time_index(table)
    return frame


def _column(column: "pa.ChunkedArray") -> "pd.Series[Any]":
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()} if column.null_count else {}
    return column.to_pandas(types_mapper=nullable.get)


def _time_index(table: "pa.Table") -> "pd.DatetimeIndex":
    import pandas as pd

    return pd.DatetimeIndex(table.column(TIME_INDEX).to_pandas(), name=TIME_INDEX)


def _multi_index(table: "pa.Table") -> "pd.MultiIndex":
    """Build the index from codes that the order of the rows gives away, instead of hashing every label."""
    import numpy as np
    import pandas as pd

    times = _time_index(table)
    begins = np.ones(len(times), np.bool_)
    begins[1:] = np.not_equal(times.asi8[1:], times.asi8[:-1])
    encoded = table.column(UNIQUE_IDENTIFIER).combine_chunks().dictionary_encode()
    labels = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(labels)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    codes = place[encoded.indices.to_numpy(zero_copy_only=False)]
    return pd.MultiIndex(
        levels=[times[begins], pd.Index(labels[order], dtype="str")],
        codes=[np.cumsum(begins) - 1, codes],
        names=[TIME_INDEX, UNIQUE_IDENTIFIER],
        verify_integrity=False,
    )
