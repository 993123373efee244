"""One column of a series as a date × asset matrix, kept on disk per version."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from mainsequence.contract.arrow import WideMatrix
from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER, DType, SeriesQuery, SeriesSchema, WideQuery
from mainsequence.errors import SchemaMismatchError, ValidationError
from mainsequence.platform.lake.derived import Arrays, DerivedCache, cached
from mainsequence.platform.lake.reading import TableReader
from mainsequence.platform.lake.snapshots import Snapshot

_NUMERIC = {DType.FLOAT64, DType.INT64, DType.BOOL}
_MAX_CELLS = 500_000_000

FloatMatrix: TypeAlias = npt.NDArray[np.float64]
MicrosVector: TypeAlias = npt.NDArray[np.int64]


class WideBuilder:
    """Builds matrices of one table.

    Parameters
    ----------
    reader
        Reads the table.
    cache
        Keeps whole matrices per version.
    """

    def __init__(self, reader: TableReader, cache: DerivedCache) -> None:
        self.reader, self.cache = reader, cache

    def build(self, snapshot: Snapshot, query: WideQuery) -> WideMatrix:
        """Build what a query asks for.

        Raises
        ------
        UnknownFieldError, SchemaMismatchError
            The column does not exist, or does not hold numbers; the series has no assets.
        ValidationError
            The matrix would have more than 500 million cells.
        """
        _check(self.reader.schema, query.column)
        arrays, facts = cached(
            self.cache, f"wide-{query.column}", f"v{snapshot.version}", lambda: self._whole(snapshot, query.column)
        )
        rows = _rows(arrays["times"], query)
        every: list[str] = facts["assets"]
        wanted = every if query.unique_identifiers is None else list(query.unique_identifiers)
        values = arrays["values"][rows]
        if wanted != every:
            values = _columns(values, every, wanted)
        return WideMatrix(np.asarray(arrays["times"][rows]), tuple(wanted), np.asarray(values), snapshot.version)

    def _whole(self, snapshot: Snapshot, column: str) -> tuple[Arrays, dict[str, Any]]:
        frame = self.reader.read(snapshot, SeriesQuery(columns=(column,)))
        times, stamp = _codes_of_sorted(frame[TIME_INDEX].to_physical().to_numpy())
        assets = frame[UNIQUE_IDENTIFIER].unique().sort()
        _check_size(len(times), len(assets))
        asset = frame[UNIQUE_IDENTIFIER].cast(pl.Enum(assets)).to_physical().to_numpy()
        values = np.full((len(times), len(assets)), np.nan)
        values[stamp, asset] = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return {"times": times, "values": values}, {"assets": assets.to_list()}


def _check(schema: SeriesSchema, column: str) -> None:
    dtype = schema.column(column).dtype
    if dtype not in _NUMERIC or not schema.by_asset:
        found = f"is of {dtype}" if schema.by_asset else "belongs to a series without assets"
        raise SchemaMismatchError(
            f"The column {column!r} {found}; a matrix holds numbers by asset.", hint="Use read() for it."
        )


def _check_size(times: int, assets: int) -> None:
    if times * assets > _MAX_CELLS:
        raise ValidationError(
            f"A matrix of {times:,} times × {assets:,} assets is too large.", hint="Use read() with a range and assets."
        )


def _codes_of_sorted(values: MicrosVector) -> tuple[MicrosVector, npt.NDArray[np.intp]]:
    """Give the distinct values of an ascending vector, and the number of each element's value among them."""
    if not len(values):
        return np.empty(0, np.int64), np.empty(0, np.intp)
    begins = np.empty(len(values), np.bool_)
    begins[0] = True
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return values[begins], np.cumsum(begins) - 1


def _rows(times: MicrosVector, query: WideQuery) -> slice:
    return slice(*(int(np.searchsorted(times, bound)) for bound in (query.start_micros, query.end_micros)))


def _columns(values: FloatMatrix, every: list[str], wanted: list[str]) -> FloatMatrix:
    place = {asset: number for number, asset in enumerate(every)}
    chosen = np.full((values.shape[0], len(wanted)), np.nan)
    pairs = [(target, place[asset]) for target, asset in enumerate(wanted) if asset in place]
    if pairs:
        targets, sources = zip(*pairs, strict=True)
        chosen[:, list(targets)] = values[:, list(sources)]
    return chosen
