"""Which assets can be resumed near the end of what is stored, and from which session."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mainsequence.client.series import Series
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.tdag.routed import RoutedAssets
from mainsequence.virtualfundbuilder.columns import labelled
from mainsequence.virtualfundbuilder.contrib.prices.gridding import Gridding

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stored:
    """What is stored of some assets' prices.

    Parameters
    ----------
    series
        The series.
    last
        The last row of each asset that has any, microseconds UTC.
    """

    series: Series
    last: Mapping[str, int]

    def resumable(
        self, gridding: Gridding, names: tuple[str, ...], newest_bars: Mapping[str, int]
    ) -> tuple[tuple[str, ...], int]:
        """Choose the assets of a calendar that can be resumed, and the session from which they are computed again.

        The others are computed from their beginning: those that have no rows, or none near the end because nobody asked
        for them in between, and those that were stale when older bars than their last row came in.

        Parameters
        ----------
        gridding
            The rules of the calendar.
        names
            Assets, at least one of them with rows.
        newest_bars
            Time of the newest raw bar of each asset, microseconds UTC.
        """
        session = gridding.resume_at(max(self.last[name] for name in names if name in self.last))
        edge = gridding.close(session - 1)
        present = tuple(name for name in names if self.last.get(name, edge - 1) >= edge)
        behind = self._behind(gridding, present, edge, newest_bars)
        return tuple(name for name in present if name not in behind), session

    def _behind(
        self, gridding: Gridding, names: tuple[str, ...], edge: int, newest_bars: Mapping[str, int]
    ) -> set[str]:
        """Find the stale assets that have bars of sessions after the one in which they were last observed."""
        stale = self._stale(names, edge)
        if not stale:
            return set()
        seen = self._last_sessions(gridding, stale)
        newest = np.array([newest_bars.get(name, gridding.sessions.bounds[0]) for name in stale], dtype=np.int64)
        fresh = gridding.sessions.position_of(gridding.stamped(newest)) > seen
        return {name for name, is_behind in zip(stale, fresh, strict=True) if is_behind}

    def _stale(self, names: tuple[str, ...], edge: int) -> tuple[str, ...]:
        """Choose the assets whose last row is null."""
        table = self.series.read_arrow(
            ["close"], unique_identifiers=names, start=from_micros(edge), last_per_asset=True
        )
        rows = labelled(table)
        return tuple(rows.labels[code] for code in rows.codes[np.isnan(rows.floats("close"))])

    def _last_sessions(self, gridding: Gridding, names: tuple[str, ...]) -> Integers:
        """Give the position of the session in which each stale asset was last observed: before its fills."""
        matrix = self.series.wide("close", unique_identifiers=names)
        filled = ~np.isnan(matrix.values[::-1])
        last = matrix.times[len(matrix.times) - 1 - filled.argmax(axis=0)]
        carried = gridding.staleness if gridding.configuration.intraday_bar_interpolation_rule == "ffill" else 0
        return gridding.sessions.position_of(last) - carried


def newest_bars(routed: RoutedAssets) -> dict[str, int]:
    """Give the time of the newest raw bar of each asset, microseconds UTC."""
    found: dict[str, int] = {}
    for served in routed.served:
        counted = served.series.statistics().assets
        for route in served.routes:
            if route.unique_identifier in counted:
                found[route.asset_unique_identifier] = to_micros(counted[route.unique_identifier].last)
    return found
