"""Raw bars of routed assets as columns, one read for each series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from mainsequence.compute.bar_columns import VALUE_COLUMNS, Bars
from mainsequence.domain.series import DType
from mainsequence.errors import SchemaMismatchError
from mainsequence.tdag.routed import RoutedAssets, Served
from mainsequence.virtualfundbuilder.columns import Labelled, labelled, positions

CLOSE = "close"
_UNADJUSTED = ("open", "high", "low", "vwap")
_NUMERIC = (DType.FLOAT64, DType.INT64)


@dataclass(frozen=True)
class RawBars:
    """Bars of several assets in no particular order.

    Parameters
    ----------
    times
        int64[n], microseconds UTC, as the series has them.
    codes
        int64[n], position of the asset among the names asked for.
    values
        float64[n] for each of `VALUE_COLUMNS`, NaN where a series has no such column.
    """

    times: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    values: dict[str, npt.NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.times)

    def of(self, members: npt.NDArray[np.int64], times: npt.NDArray[np.int64]) -> Bars:
        """Give the bars of some assets, sorted by (asset, time), assets numbered as in ``members``.

        Parameters
        ----------
        members
            Positions among the names of these bars.
        times
            int64[n], the stamps that the bars shall have.
        """
        place = np.full(int(max(members.max(initial=-1), self.codes.max(initial=-1))) + 1, -1, dtype=np.int64)
        place[members] = np.arange(len(members))
        own = place[self.codes]
        rows = np.flatnonzero(own >= 0)
        rows = rows[np.lexsort((times[rows], own[rows]))]
        columns: dict[str, Any] = {name: np.ascontiguousarray(column[rows]) for name, column in self.values.items()}
        return Bars(asset=own[rows].astype(np.int32), time=np.ascontiguousarray(times[rows]), **columns)


def read_raw(routed: RoutedAssets, names: tuple[str, ...], start: datetime | None = None) -> RawBars:
    """Read the bars of assets from the series that serve them.

    The column that an asset's rule names is its close. Where that is not ``close`` itself, the series' open, high, low
    and vwap are on another footing and are not read.

    Parameters
    ----------
    routed
        Who is served by what.
    names
        The assets wanted.
    start
        Bars stamped before are left out.
    """
    wanted = set(names)
    parts: list[RawBars] = []
    for served in routed.served:
        for column in sorted({route.column_name for route in served.routes}):
            routes = [each for each in served.routes if each.column_name == column]
            chosen = tuple(each for each in routes if each.asset_unique_identifier in wanted)
            if chosen:
                parts.append(_read(Served(served.series, chosen), column, names, start))
    return _together(parts)


def _read(served: Served, close: str, names: tuple[str, ...], start: datetime | None) -> RawBars:
    columns = _columns(served, close)
    table = served.series.read_arrow(sorted(set(columns.values())), unique_identifiers=served.names(), start=start)
    rows = labelled(served.rename(table))
    values = {name: _column(rows, columns.get(name)) for name in VALUE_COLUMNS}
    codes = positions(rows.labels, names)[rows.codes] if rows.labels else np.empty(0, np.int64)
    return RawBars(rows.times, codes, values)


def _columns(served: Served, close: str) -> dict[str, str]:
    declared = {each.name: each.dtype for each in served.series.series_schema.columns}
    if declared[close] not in _NUMERIC:
        raise SchemaMismatchError(
            f"The column {close!r} of {served.series.unique_identifier!r} holds {declared[close]}, no prices.",
            hint="Let the rule's default_column_name name a column of numbers.",
        )
    skipped = _UNADJUSTED if close != CLOSE else ()
    found = {name: name for name in VALUE_COLUMNS if declared.get(name) in _NUMERIC and name not in skipped}
    return found | {CLOSE: close}


def _column(rows: Labelled, name: str | None) -> npt.NDArray[np.float64]:
    return np.full(len(rows), np.nan) if name is None else rows.floats(name)


def _together(parts: Sequence[RawBars]) -> RawBars:
    if len(parts) == 1:
        return parts[0]
    nothing = RawBars(np.empty(0, np.int64), np.empty(0, np.int64), {name: np.empty(0) for name in VALUE_COLUMNS})
    every: Any = [nothing, *parts]
    return RawBars(
        np.concatenate([each.times for each in every]),
        np.concatenate([each.codes for each in every]),
        {name: np.concatenate([each.values[name] for each in every]) for name in VALUE_COLUMNS},
    )
