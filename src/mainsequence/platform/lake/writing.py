"""Writing planned rows as Parquet files, not yet part of any version."""

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import polars as pl

from mainsequence.domain.series import TIME_INDEX, SeriesSchema
from mainsequence.platform.lake.layout import YEAR, arrow_schema, sort_keys, to_arrow
from mainsequence.platform.lake.planning import Plan, YearPlan
from mainsequence.platform.lake.snapshots import DataFile
from mainsequence.platform.lake.storage import Storage

MAX_FILE_ROWS = 4_000_000
ROW_GROUP_ROWS = 32_768


class FileWriter:
    """Writes the files of one commit; what it wrote can be discarded again.

    Parameters
    ----------
    storage, name
        Where the table is, and its name.
    schema
        What it declares.
    """

    def __init__(self, storage: Storage, name: str, schema: SeriesSchema) -> None:
        self.storage, self.name, self.schema = storage, name, schema
        self.written: list[DataFile] = []
        self._arrow = arrow_schema(schema)
        self._texts = [field.name for field in self._arrow if field.type == "string"]

    def write(self, plan: Plan) -> list[DataFile]:
        """Write the rows of a plan, one partition after the other; on failure nothing of it stays."""
        try:
            for year in plan.years:
                self._write_year(year)
        except BaseException:
            self.discard()
            raise
        return self.written

    def discard(self) -> None:
        """Remove the files again: no commit will refer to them."""
        self.storage.discard(self.name, [file.path for file in self.written])

    def _write_year(self, plan: YearPlan) -> None:
        for part in slices(plan.rows):
            path = f"{YEAR}={plan.year}/{uuid4().hex}.parquet"
            table = to_arrow(part.sort(sort_keys(self.schema)), self._arrow)
            size = self.storage.write(
                self.name,
                path,
                table,
                compression="zstd",
                row_group_size=ROW_GROUP_ROWS,
                use_dictionary=self._texts,
                write_page_index=False,
            )
            first, last = _bounds(part)
            self.written.append(DataFile(path, plan.year, part.height, size, first, last))


def slices(rows: pl.DataFrame, limit: int = MAX_FILE_ROWS) -> Iterator[pl.DataFrame]:
    """Cut rows into parts of about ``limit`` that share no time, so that each can be read in order by itself."""
    parts = -(-rows.height // limit)
    if parts <= 1:
        yield from (rows,) * parts
        return
    micros = rows[TIME_INDEX].to_physical().to_numpy()
    cuts = np.unique(np.quantile(micros, np.arange(1, parts) / parts, method="nearest"))
    part_of = pl.Series(np.searchsorted(cuts, micros, side="right"))
    for number in range(len(cuts) + 1):
        part = rows.filter(part_of == number)
        if part.height:
            yield part


def _bounds(rows: pl.DataFrame) -> tuple[int, int]:
    micros = rows[TIME_INDEX].to_physical()
    return int(micros.min()), int(micros.max())  # type: ignore[arg-type]
