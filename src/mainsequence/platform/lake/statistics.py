"""First, last and number of rows of each asset: counted from the index columns of the files, each file once."""

from threading import RLock
from typing import Any

import polars as pl

from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER, AssetStatistics, SeriesStatistics
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.platform.lake.derived import DerivedCache
from mainsequence.platform.lake.reading import FILE, TableReader
from mainsequence.platform.lake.snapshots import DataFile, Snapshot

_KIND = "statistics"
_COUNTED = ("first", "last", "count")


class StatisticsCounter:
    """Counts statistics of any version of one table.

    What each file holds is remembered, in memory and on disk: files never change, and no index is in two of them.

    Parameters
    ----------
    reader
        Reads the table.
    cache
        Keeps what was counted for the next process.
    """

    def __init__(self, reader: TableReader, cache: DerivedCache) -> None:
        self.reader, self.cache = reader, cache
        self._mutex = RLock()
        self._by_file: dict[str, pl.DataFrame] | None = None
        self._last: SeriesStatistics | None = None

    def count(self, snapshot: Snapshot) -> SeriesStatistics:
        """Count one version exactly."""
        if not self.reader.schema.by_asset or not snapshot.files:
            return _overall(snapshot, {})
        with self._mutex:
            if self._last is None or self._last.version != snapshot.version:
                self._last = _overall(snapshot, self._by_asset(snapshot))
            return self._last.model_copy(update={"assets": dict(self._last.assets)})

    def _by_asset(self, snapshot: Snapshot) -> dict[str, AssetStatistics]:
        known = self._known(snapshot)
        parts = pl.concat([known[file.path] for file in snapshot.files])
        totals = parts.group_by(UNIQUE_IDENTIFIER).agg(
            pl.col("first").min(), pl.col("last").max(), pl.col("count").sum()
        )
        rows = totals.sort(UNIQUE_IDENTIFIER).iter_rows()
        return {asset: _asset(first, last, count) for asset, first, last, count in rows}

    def _known(self, snapshot: Snapshot) -> dict[str, pl.DataFrame]:
        known = self._remembered() if self._by_file is None else self._by_file
        missing = [file for file in snapshot.files if file.path not in known]
        if missing:
            known = known | self._scan(missing)
            known = {file.path: known[file.path] for file in snapshot.files} if len(known) > 1_000 else known
            self._remember(known, snapshot)
        self._by_file = known
        return known

    def _scan(self, files: list[DataFile]) -> dict[str, pl.DataFrame]:
        index = self.reader.scan(files, (TIME_INDEX, UNIQUE_IDENTIFIER), numbered=True)
        found = index.group_by(FILE, UNIQUE_IDENTIFIER).agg(
            pl.col(TIME_INDEX).min().to_physical().alias("first"),
            pl.col(TIME_INDEX).max().to_physical().alias("last"),
            pl.len().cast(pl.Int64).alias("count"),
        )
        parts = found.collect().partition_by(FILE, as_dict=True, include_key=False)
        return {files[int(key[0])].path: part for key, part in parts.items()}

    def _remembered(self) -> dict[str, pl.DataFrame]:
        found = self.cache.newest(_KIND)
        if found is None:
            return {}
        arrays, facts = found
        frame = pl.DataFrame(
            {FILE: arrays["file"], UNIQUE_IDENTIFIER: arrays["asset"], **{name: arrays[name] for name in _COUNTED}}
        )
        names = pl.Series(facts["assets"], dtype=pl.String)
        frame = frame.with_columns(names.gather(frame[UNIQUE_IDENTIFIER]).alias(UNIQUE_IDENTIFIER))
        parts = frame.partition_by(FILE, as_dict=True, include_key=False)
        return {facts["files"][int(key[0])]: part for key, part in parts.items()}

    def _remember(self, known: dict[str, pl.DataFrame], snapshot: Snapshot) -> None:
        files = list(known)
        frame = pl.concat(
            [known[path].with_columns(pl.lit(number, pl.UInt32).alias(FILE)) for number, path in enumerate(files)]
        )
        assets = frame[UNIQUE_IDENTIFIER].unique().sort()
        codes = frame[UNIQUE_IDENTIFIER].replace_strict(assets, range(len(assets)), return_dtype=pl.UInt32)
        arrays: dict[str, Any] = {"file": frame[FILE].to_numpy(), "asset": codes.to_numpy()}
        arrays |= {name: frame[name].to_numpy() for name in _COUNTED}
        self.cache.put(_KIND, f"v{snapshot.version}", arrays, {"files": files, "assets": assets.to_list()})


def _overall(snapshot: Snapshot, assets: dict[str, AssetStatistics]) -> SeriesStatistics:
    if not snapshot.files:
        return SeriesStatistics(version=snapshot.version, count=0)
    return trusted(
        SeriesStatistics,
        {
            "version": snapshot.version,
            "count": snapshot.rows,
            "min_time": from_micros(min(file.first for file in snapshot.files)),
            "max_time": from_micros(max(file.last for file in snapshot.files)),
            "assets": assets,
        },
    )


def _asset(first: int, last: int, count: int) -> AssetStatistics:
    return trusted(AssetStatistics, {"first": from_micros(first), "last": from_micros(last), "count": count})
