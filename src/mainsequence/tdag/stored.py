"""Nodes that are backed by one stored series."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mainsequence.domain.times import TimeLike
from mainsequence.tdag.reading import ReadableNode
from mainsequence.tdag.statistics import UpdateStatistics
from mainsequence.tdag.windows import window

if TYPE_CHECKING:
    import pyarrow as pa

    from mainsequence.client.series import Series
    from mainsequence.contract.arrow import WideMatrix


class StoredNode(ReadableNode):
    """A node that reads from one series."""

    @property
    @abstractmethod
    def series(self) -> "Series | None":
        """The series; ``None`` where nothing has been stored yet."""

    @property
    def update_statistics(self) -> UpdateStatistics:
        """How far the series reaches."""
        series = self._readable()
        return UpdateStatistics.of(None if series is None else series.statistics())

    def _readable(self) -> "Series | None":
        return self.series

    @abstractmethod
    def _nothing(self, columns: tuple[str, ...] | None) -> "pa.Table":
        """Give no rows, for a node that has stored nothing."""

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
        """Read rows of the series; see `ReadableNode.read_arrow`."""
        series = self._readable()
        if series is None:
            return self._nothing(None if columns is None else tuple(columns))
        return series.read_arrow(
            columns,
            unique_identifiers=unique_identifiers,
            last_per_asset=last_per_asset,
            **window(start, end, start_inclusive, end_inclusive),
        )

    def wide(
        self,
        column: str,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> "WideMatrix":
        """Read one column of the series as a matrix; see `ReadableNode.wide`."""
        series = self._readable()
        if series is None:
            return _empty_matrix(tuple(unique_identifiers or ()))
        asked = window(start, end)
        return series.wide(
            column, unique_identifiers=unique_identifiers, start=asked.get("start"), end=asked.get("end")
        )


def _empty_matrix(assets: tuple[str, ...]) -> "WideMatrix":
    import numpy as np

    from mainsequence.contract.arrow import WideMatrix

    return WideMatrix(np.empty(0, np.int64), assets, np.empty((0, len(assets))), version=0)
