"""What a write changes: which rows are new, changed, equal or leave, and which files must be written again for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER, RowSelection, SeriesSchema
from mainsequence.errors import ExistingRowsError
from mainsequence.platform.lake.layout import YEAR
from mainsequence.platform.lake.reading import FILE, TableReader, selection
from mainsequence.platform.lake.snapshots import DataFile, Snapshot

SMALL_FILE_ROWS = 1_000_000
MERGE_SMALL_FILES = 16
_OLD = ":old"


@dataclass(frozen=True, slots=True)
class YearPlan:
    """The change of one partition: files that leave and rows that are written."""

    year: int
    removed: list[DataFile]
    rows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Plan:
    """The change of one write."""

    years: list[YearPlan] = field(default_factory=list)
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    @property
    def changes(self) -> int:
        """How many rows change."""
        return self.inserted + self.updated + self.deleted

    def __add__(self, other: "Plan") -> "Plan":
        """Put the plans of different partitions together."""
        return Plan(
            self.years + other.years,
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.deleted + other.deleted,
            self.unchanged + other.unchanged,
        )


class Planner:
    """Plans writes to one snapshot of a table.

    Parameters
    ----------
    reader
        Reads the table.
    snapshot
        The version that the write changes.
    """

    def __init__(self, reader: TableReader, snapshot: Snapshot) -> None:
        self.reader, self.snapshot = reader, snapshot
        self.schema: SeriesSchema = reader.schema

    def upsert(self, rows: pl.DataFrame) -> Plan:
        """Plan to insert rows whose index is new, and to replace those whose values differ."""
        return self._plan(rows, None)

    def append(self, rows: pl.DataFrame) -> Plan:
        """Plan to insert rows whose index must be new.

        Raises
        ------
        ExistingRowsError
            The series has some of them already, equal or not.
        """
        plan = self._plan(rows, None)
        present = plan.updated + plan.unchanged
        if present:
            raise ExistingRowsError(
                f"The series already has {present} of the {rows.height} rows to append.",
                hint="Use upsert to replace rows of the same index.",
                count=present,
            )
        return plan

    def replace(self, rows: pl.DataFrame, chosen: RowSelection) -> Plan:
        """Plan to make the rows of a selection exactly these."""
        return self._plan(rows, chosen)

    def _plan(self, rows: pl.DataFrame, chosen: RowSelection | None) -> Plan:
        by_year = _by_year(rows)
        reached = self.snapshot.within(chosen.start_micros, chosen.end_micros) if chosen else []
        years = sorted({*by_year, *(file.year for file in reached)})
        plans = [self._plan_year(year, by_year.get(year, rows.clear()), chosen) for year in years]
        return sum(plans, Plan())

    def _plan_year(self, year: int, rows: pl.DataFrame, chosen: RowSelection | None) -> Plan:
        files = [file for file in self.snapshot.files if file.year == year]
        near = [file for file in files if _reaches(file, rows) or (chosen is not None and _selects(file, chosen))]
        found = self._existing(near, rows, chosen)
        compared = rows.join(found, on=self.schema.index, how="left", suffix=_OLD, maintain_order="left")
        present = compared[FILE].is_not_null()
        same = present & self._equal(compared)
        changed = compared.filter(present & ~same)
        doomed = found.join(rows, on=self.schema.index, how="anti") if chosen is not None else found.clear()
        touched = sorted({*changed[FILE], *doomed[FILE]})
        fresh = compared.filter(~same).select(self.schema.names)
        plan = Plan([], compared.height - int(present.sum()), changed.height, doomed.height, int(same.sum()))
        if not plan.changes:
            return plan
        removed = [near[number] for number in touched]
        kept = self._without(removed, changed, doomed)
        return replace(plan, years=[self._merged(YearPlan(year, removed, pl.concat([kept, fresh])), files)])

    def _existing(self, near: Sequence[DataFile], rows: pl.DataFrame, chosen: RowSelection | None) -> pl.DataFrame:
        """Read the stored rows that share an index with the given ones, or are selected."""
        stored = self.reader.scan(near, self.schema.names, numbered=True)
        if chosen is not None:
            return stored.filter(selection(chosen, chosen.unique_identifiers)).collect()
        if near and self.schema.by_asset:
            stored = stored.filter(pl.col(UNIQUE_IDENTIFIER).is_in(rows[UNIQUE_IDENTIFIER].unique().to_list()))
        if near:
            stored = stored.filter(pl.col(TIME_INDEX).is_between(rows[TIME_INDEX].min(), rows[TIME_INDEX].max()))
        return stored.join(rows.lazy().select(self.schema.index), on=self.schema.index, how="semi").collect()

    def _equal(self, compared: pl.DataFrame) -> pl.Series:
        pairs = (pl.col(name).eq_missing(pl.col(name + _OLD)) for name in self.schema.value_names)
        return compared.select(pl.all_horizontal(*pairs).alias("equal"))["equal"]

    def _without(self, files: Sequence[DataFile], *gone: pl.DataFrame) -> pl.DataFrame:
        keys = pl.concat([frame.select(self.schema.index) for frame in gone])
        stored = self.reader.scan(files, self.schema.names)
        return stored.join(keys.lazy(), on=self.schema.index, how="anti").collect()

    def _merged(self, plan: YearPlan, files: Sequence[DataFile]) -> YearPlan:
        """Take the small files along once there are many: compaction inside the commit, no version of its own."""
        leaving = set(plan.removed)
        small = [file for file in files if file not in leaving and file.rows < SMALL_FILE_ROWS]
        if len(small) < MERGE_SMALL_FILES:
            return plan
        stored = self.reader.scan(small, self.schema.names).collect()
        return YearPlan(plan.year, [*plan.removed, *small], pl.concat([stored, plan.rows]))


def _by_year(rows: pl.DataFrame) -> dict[int, pl.DataFrame]:
    years = rows.with_columns(pl.col(TIME_INDEX).dt.year().cast(pl.Int32).alias(YEAR))
    parts = years.partition_by(YEAR, as_dict=True, include_key=False, maintain_order=True)
    return {int(key[0]): part for key, part in parts.items()}


def _reaches(file: DataFile, rows: pl.DataFrame) -> bool:
    if rows.is_empty():
        return False
    micros = rows[TIME_INDEX].to_physical()
    return file.overlaps(int(micros.min()), int(micros.max()) + 1)  # type: ignore[arg-type]


def _selects(file: DataFile, chosen: RowSelection) -> bool:
    return file.overlaps(chosen.start_micros, chosen.end_micros)
