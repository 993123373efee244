"""The last row of each asset: read from the newest files, older ones only for assets not found yet."""

import polars as pl

from mainsequence.domain.series import UNIQUE_IDENTIFIER, SeriesQuery
from mainsequence.domain.times import to_micros
from mainsequence.platform.lake.reading import TableReader
from mainsequence.platform.lake.snapshots import Snapshot, clusters
from mainsequence.platform.lake.statistics import StatisticsCounter


class LatestReader:
    """Reads last rows of one table.

    Parameters
    ----------
    reader
        Reads the table.
    statistics
        Tells which assets can have rows in a range.
    """

    def __init__(self, reader: TableReader, statistics: StatisticsCounter) -> None:
        self.reader, self.statistics = reader, statistics

    def read(self, snapshot: Snapshot, query: SeriesQuery) -> pl.DataFrame:
        """Read the last row of each asset (or of the series, when it has none) inside the query's range.

        Ascending by (time_index, unique_identifier), and refusing as `TableReader.read`.
        """
        groups = reversed(clusters(snapshot.within(query.start_micros, query.end_micros)))
        by_asset = self.reader.schema.by_asset
        missing = self._candidates(snapshot, query) if by_asset else {""}
        parts = [self.reader.empty(query)]
        for group in groups:
            if not missing:
                break
            rows = self.reader.rows(group, query, sorted(missing) if by_asset else None)
            parts.append(_last(rows) if by_asset else rows.tail(1))
            missing -= set(parts[-1][UNIQUE_IDENTIFIER]) if by_asset else {"" for _ in range(parts[-1].height)}
        frame = pl.concat(parts).sort(self.reader.schema.index)
        self.reader.check_complete(query, frame)
        return frame

    def _candidates(self, snapshot: Snapshot, query: SeriesQuery) -> set[str]:
        start, end = query.start_micros, query.end_micros
        counted = self.statistics.count(snapshot).assets
        wanted = counted.keys() if query.unique_identifiers is None else counted.keys() & set(query.unique_identifiers)
        return {
            asset
            for asset in wanted
            if to_micros(counted[asset].first) < end and to_micros(counted[asset].last) >= start
        }


def _last(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique(UNIQUE_IDENTIFIER, keep="last", maintain_order=True)
