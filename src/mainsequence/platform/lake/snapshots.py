"""The files that make up one version of a table."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
from deltalake import DeltaTable

from mainsequence.platform.lake.layout import YEAR

_MIN, _MAX = "min.time_index", "max.time_index"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file: never changed once written; its rows are sorted by asset, then time.

    Parameters
    ----------
    path
        Relative to the table.
    year
        Its partition: the calendar year (UTC) of every row.
    rows, size
        Number of rows, and of bytes.
    first, last
        Earliest and latest time in microseconds since 1970, both inclusive.
    """

    path: str
    year: int
    rows: int
    size: int
    first: int
    last: int

    def overlaps(self, start: int, end: int) -> bool:
        """Whether it may hold rows in ``[start, end)`` microseconds."""
        return self.first < end and self.last >= start


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of a table; files in the order of their times."""

    version: int
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """How many rows the version holds."""
        return sum(file.rows for file in self.files)

    def within(self, start: int, end: int) -> list[DataFile]:
        """Give the files that may hold rows in ``[start, end)`` microseconds."""
        return [file for file in self.files if file.overlaps(start, end)]


def read_snapshot(table: DeltaTable) -> Snapshot:
    """List the files of a loaded table."""
    actions = pa.table(table.get_add_actions(flatten=True))
    if not actions.num_rows:
        return Snapshot(table.version(), ())
    micros = {name: actions.column(name).cast(pa.int64()).to_pylist() for name in (_MIN, _MAX)}
    columns = (
        actions.column("path").to_pylist(),
        actions.column(f"partition.{YEAR}").to_pylist(),
        actions.column("num_records").to_pylist(),
        actions.column("size_bytes").to_pylist(),
        micros[_MIN],
        micros[_MAX],
    )
    files = (DataFile(*row) for row in zip(*columns, strict=True))
    return Snapshot(table.version(), tuple(sorted(files, key=lambda file: (file.first, file.last, file.path))))


def clusters(files: Iterable[DataFile]) -> list[list[DataFile]]:
    """Group files, given in the order of their times, so that different groups share no time."""
    groups: list[list[DataFile]] = []
    reached = 0
    for file in files:
        if groups and file.first <= reached:
            groups[-1].append(file)
            reached = max(reached, file.last)
        else:
            groups.append([file])
            reached = file.last
    return groups
