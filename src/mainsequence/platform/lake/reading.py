"""Reading rows of a snapshot: only the files, row groups and columns that can matter."""

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER, SeriesQuery, SeriesSchema, TimeRange
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros
from mainsequence.domain.values import listed
from mainsequence.errors import StorageError, UnknownAssetsError
from mainsequence.platform.lake.layout import arrow_schema
from mainsequence.platform.lake.snapshots import DataFile, Snapshot, clusters
from mainsequence.platform.lake.storage import Storage

FILE = "_file"
"""Number of the file a row came from, where asked for."""

ROWS_HELD = 4_000_000
"""About how many rows a reading in parts holds at once."""

_TIME_TYPE = pl.Datetime("us", "UTC")


class TableReader:
    """Reads rows of one table.

    Parameters
    ----------
    storage, name
        Where the table is, and its name.
    schema
        What it declares.
    """

    def __init__(self, storage: Storage, name: str, schema: SeriesSchema) -> None:
        self.storage, self.name, self.schema = storage, name, schema
        self._folder = storage.uri(name)

    def read(self, snapshot: Snapshot, query: SeriesQuery) -> pl.DataFrame:
        """Read every row that a query selects, ascending by (time_index, unique_identifier).

        Raises
        ------
        UnknownAssetsError
            ``require_all`` was asked and an asset has no row.
        StorageError
            A file is missing or holds fewer rows than were committed.
        """
        files = snapshot.within(query.start_micros, query.end_micros)
        frame = self.rows(files, query, query.unique_identifiers)
        self.check_complete(query, frame)
        return frame

    def rows(self, files: Sequence[DataFile], query: SeriesQuery, identifiers: Sequence[str] | None) -> pl.DataFrame:
        """Read the rows of some files, given in the order of their times, that are in a query's range."""
        keep = _filters(query, identifiers)
        parts = pl.collect_all([self._sorted(group, self._names(query), keep) for group in clusters(files)])
        frame = pl.concat(parts) if parts else self.empty(query)
        committed = sum(file.rows for file in files)
        if not keep and frame.height != committed:
            raise _short(frame.height, committed)
        return frame

    def batches(self, snapshot: Snapshot, query: SeriesQuery) -> Iterator[pl.DataFrame]:
        """Read what `read` reads, part by part: in memory are at most so many rows as share a span of time.

        Raises
        ------
        StorageError
            A file is missing or holds fewer rows than were committed; the parts before were right.
        """
        whole = not _filters(query, query.unique_identifiers)
        for group in clusters(snapshot.within(query.start_micros, query.end_micros)):
            found = 0
            for part in _spans(group, query):
                frame = self.rows(group, part, query.unique_identifiers)
                found += frame.height
                yield frame
            committed = sum(file.rows for file in group)
            if whole and found != committed:
                raise _short(found, committed)

    def empty(self, query: SeriesQuery) -> pl.DataFrame:
        """Give a frame of the query's columns without rows."""
        return self._empty(self._names(query))

    def check_complete(self, query: SeriesQuery, frame: pl.DataFrame) -> None:
        """Refuse an answer that lacks an asset, where the query requires all.

        Raises
        ------
        UnknownAssetsError
            Names the assets without rows.
        """
        if query.require_all:
            _require(query.unique_identifiers or (), frame)

    def _names(self, query: SeriesQuery) -> list[str]:
        return [*self.schema.index, *(query.columns if query.columns is not None else self.schema.value_names)]

    def scan(self, files: Sequence[DataFile], columns: Iterable[str], *, numbered: bool = False) -> pl.LazyFrame:
        """Scan whole files lazily; ``numbered`` adds each row's file number as `FILE`."""
        self.storage.verify(self.name, ((file.path, file.size) for file in files))
        wanted = [*columns, FILE] if numbered else list(columns)
        if not files:
            return self._empty(list(columns)).with_columns(pl.lit(None, pl.UInt32).alias(FILE)).lazy().select(wanted)
        if not numbered:
            return self._scan([self._path(file) for file in files]).select(wanted)
        parts = [
            self._scan([self._path(file)]).with_columns(pl.lit(number, pl.UInt32).alias(FILE))
            for number, file in enumerate(files)
        ]
        return pl.concat(parts).select(wanted)

    def _scan(self, paths: list[str]) -> pl.LazyFrame:
        return pl.scan_parquet(paths, storage_options=self.storage.options, hive_partitioning=False, glob=False)

    def _path(self, file: DataFile) -> str:
        return f"{self._folder}/{file.path}"

    def _sorted(self, group: list[DataFile], names: list[str], keep: list[pl.Expr]) -> pl.LazyFrame:
        rows = self.scan(group, names).filter(*keep) if keep else self.scan(group, names)
        if len(group) == 1:  # rows of one file are by asset already: a stable sort by time keeps that
            return rows.sort(TIME_INDEX, maintain_order=True)
        return rows.sort(self.schema.index)

    def _empty(self, names: list[str]) -> pl.DataFrame:
        return pl.DataFrame(arrow_schema(self.schema).empty_table()).select(names)


def _spans(group: Sequence[DataFile], query: SeriesQuery) -> Iterator[SeriesQuery]:
    """Divide a query about files that share their times into queries about so few rows that they are held at once."""
    rows = sum(file.rows for file in group)
    if rows <= ROWS_HELD:
        yield query
        return
    first = max(query.start_micros, min(file.first for file in group))
    last = min(query.end_micros - 1, max(file.last for file in group))
    step = (last - first) // -(-rows // ROWS_HELD) + 1
    for start in range(first, last + 1, step):
        span = {"start": from_micros(start), "end": from_micros(min(start + step, last + 1))}
        yield query.model_copy(update=span | {"start_inclusive": True, "end_inclusive": False})


def _filters(window: TimeRange, identifiers: Sequence[str] | None) -> list[pl.Expr]:
    keep = []
    if window.start_micros > MIN_MICROS:
        keep.append(pl.col(TIME_INDEX) >= _time(window.start_micros))
    if window.end_micros < MAX_MICROS:
        keep.append(pl.col(TIME_INDEX) < _time(window.end_micros))
    if identifiers is not None:
        keep.append(pl.col(UNIQUE_IDENTIFIER).is_in(list(identifiers)))
    return keep


def selection(window: TimeRange, identifiers: Sequence[str] | None) -> pl.Expr:
    """Give the condition of rows in a range of time and, unless ``None``, of some assets."""
    return pl.all_horizontal(pl.lit(True), *_filters(window, identifiers))


def _time(micros: int) -> pl.Expr:
    return pl.lit(micros, pl.Int64).cast(_TIME_TYPE)


def _require(identifiers: Sequence[str], frame: pl.DataFrame) -> None:
    present = set(frame[UNIQUE_IDENTIFIER].unique()) if identifiers else set()
    absent = [identifier for identifier in identifiers if identifier not in present]
    if absent:
        raise UnknownAssetsError(
            f"The series has no rows of {len(absent)} of the assets asked for: {listed(absent)}.",
            hint="Read without require_all to get the others.",
            unique_identifiers=absent,
        )


def _short(found: int, committed: int) -> StorageError:
    return StorageError(
        f"The files of the series hold {found} rows, {committed} were committed.",
        hint="Files were changed behind the platform's back; restore them from a backup.",
    )
