"""The lake: named tables with declared schemas, written in versions, read at any of them."""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from threading import RLock
from types import MappingProxyType

import pyarrow as pa

from mainsequence.contract.arrow import ROWS_AT_ONCE, WideMatrix
from mainsequence.domain.series import (
    RowSelection,
    SeriesQuery,
    SeriesSchema,
    SeriesStatistics,
    SeriesVersion,
    WideQuery,
    WriteOutcome,
)
from mainsequence.errors import (
    AlreadyExistsError,
    BusyError,
    ConfigurationError,
    ExistingRowsError,
    NotFoundError,
    SchemaMismatchError,
    ValidationError,
)
from mainsequence.platform.lake.failures import storage_failures
from mainsequence.platform.lake.layout import arrow_schema, conform, to_arrow
from mainsequence.platform.lake.log import ONCE, CommitConflict, Uncommitted, create_table
from mainsequence.platform.lake.planning import Plan, Planner
from mainsequence.platform.lake.reading import selection
from mainsequence.platform.lake.snapshots import Snapshot
from mainsequence.platform.lake.storage import open_storage
from mainsequence.platform.lake.table import LakeTable
from mainsequence.platform.lake.writing import FileWriter

LOCK_TIMEOUT = 60.0
_MAX_ATTEMPTS = 100
_FIRST_OPENED_IN: dict[str, int] = {}
"""The process that first opened a lake: another than this one where this was forked after that."""

Planning = Callable[[Planner], Plan]


class Lake:
    """A folder or object store of series tables.

    Every write is one commit, all or nothing; a write that changes nothing leaves no version. Writers of one table
    take turns, across processes. Readers never wait, and see one version throughout. Safe to share between threads,
    not across ``fork``: start worker processes with ``spawn`` or ``forkserver`` and open the lake in each.

    Parameters
    ----------
    root
        A folder (made when first written to), or the address of an object store such as ``s3://bucket/series``.
    storage_options
        Credentials and settings of the object store.
    derived
        For object stores: a folder of this machine for derived caches. Folders keep theirs inside.
    lock_timeout
        Seconds to wait for other writers of the same table before `BusyError`.
    """

    def __init__(
        self,
        root: str | Path,
        storage_options: dict[str, str] | None = None,
        *,
        derived: Path | None = None,
        lock_timeout: float = LOCK_TIMEOUT,
    ) -> None:
        self.root = str(root)
        self.lock_timeout = lock_timeout
        self._storage = open_storage(root, storage_options, derived)
        self._tables: dict[str, LakeTable] = {}
        self._mutex = RLock()
        _FIRST_OPENED_IN.setdefault("process", os.getpid())

    def __repr__(self) -> str:
        return f"Lake({self.root!r})"

    # -- tables

    def create(self, name: str, schema: SeriesSchema, *, exists_ok: bool = False) -> None:
        """Create an empty table at version 0.

        Parameters
        ----------
        name
            Letters, digits, ``_``, ``-`` and ``.``.
        schema
            Its columns and index; they never change.
        exists_ok
            Accept a table that is there already, when its schema is the same.

        Raises
        ------
        AlreadyExistsError
            The table exists (and ``exists_ok`` is not given).
        SchemaMismatchError
            The table exists with other columns or dtypes.
        """
        _refuse_forks()
        with storage_failures(f"creating the series table {name!r}"), self._storage.lock(name, self.lock_timeout):
            if self._storage.fingerprint(name) is None:
                create_table(self._storage.uri(name), schema, self._storage.options)
                return
        if not exists_ok:
            raise AlreadyExistsError(f"The series table {name!r} exists.", hint="Give it another name.")
        if not self.schema(name).same_table(schema):
            raise SchemaMismatchError(f"The series table {name!r} exists with other columns.")

    def exists(self, name: str) -> bool:
        """Whether there is a table of this name."""
        _refuse_forks()
        with storage_failures(f"looking for the series table {name!r}"):
            return self._storage.fingerprint(name) is not None

    def schema(self, name: str) -> SeriesSchema:
        """Give the schema a table was created with."""
        return self._table(name).log.schema

    def drop(self, name: str) -> None:
        """Remove a table with all its versions; one that does not exist is fine."""
        _refuse_forks()
        with storage_failures(f"removing the series table {name!r}"), self._storage.lock(name, self.lock_timeout):
            self._storage.drop(name)
            self._tables.pop(name, None)

    # -- writing

    def append(self, name: str, table: pa.Table, *, once: str | None = None) -> WriteOutcome:
        """Add rows whose index is new.

        Parameters
        ----------
        name
            The table.
        table
            All declared columns in any order; times with a zone, at most microseconds fine.
        once
            A key of the caller's that goes into the commit: asked again under it, when the rows are there by the commit
            of the first time, that one's outcome is given.

        Raises
        ------
        ExistingRowsError
            Rows of the same index are stored already; nothing was written.
        SchemaMismatchError, NaiveTimestampError, DuplicateRowsError, InvalidIdentifierError
            The table does not fit, see `layout.conform`; nothing was written.
        StorageFullError, ReadOnlyStorageError, BusyError, StorageError
            The storage failed; nothing was written.
        """
        rows = conform(table, self.schema(name))
        key = {} if once is None else {ONCE: sha256(once.encode()).hexdigest()}
        try:
            return self._write(name, "append", lambda planner: planner.append(rows), key)
        except ExistingRowsError:
            done = self._table(name).log.outcome_of(key[ONCE]) if key else None
            if done is None:
                raise
            return done

    def upsert(self, name: str, table: pa.Table) -> WriteOutcome:
        """Add rows whose index is new and replace those whose values differ; whole rows, keyed on the index.

        Writing the same rows again commits nothing. Raises as `append`, but for `ExistingRowsError`.
        """
        rows = conform(table, self.schema(name))
        return self._write(name, "upsert", lambda planner: planner.upsert(rows))

    def replace(self, name: str, table: pa.Table, chosen: RowSelection | None = None) -> WriteOutcome:
        """Make the rows of a selection (by default: all rows) exactly these, in one commit.

        Raises as `append`, and `ValidationError` for rows outside the selection.
        """
        schema = self.schema(name)
        target = chosen or RowSelection()
        _check_selection(schema, target)
        rows = conform(table, schema)
        inside = rows.select(selection(target, target.unique_identifiers).all()).item() if rows.height else True
        if not inside:
            raise ValidationError("Some rows lie outside the selection that they are to replace.")
        return self._write(name, "replace", lambda planner: planner.replace(rows, target))

    def delete_rows(self, name: str, chosen: RowSelection) -> WriteOutcome:
        """Delete the rows of a selection in one commit; earlier versions keep them."""
        schema = self.schema(name)
        _check_selection(schema, chosen)
        nothing = conform(arrow_schema(schema).empty_table(), schema)
        return self._write(name, "delete", lambda planner: planner.replace(nothing, chosen))

    def _write(
        self, name: str, operation: str, planning: Planning, facts: Mapping[str, str] = MappingProxyType({})
    ) -> WriteOutcome:
        with storage_failures(f"writing to the series table {name!r}"), self._storage.lock(name, self.lock_timeout):
            table = self._table(name)
            for attempt in range(_MAX_ATTEMPTS):
                try:
                    return self._attempt(table, name, {"operation": operation, **facts}, planning)
                except CommitConflict:
                    time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 20)))  # noqa: S311 - spreads writers apart
        raise BusyError(f"Other writers of the series table {name!r} were faster {_MAX_ATTEMPTS} times.")

    def _attempt(self, table: LakeTable, name: str, facts: Mapping[str, str], planning: Planning) -> WriteOutcome:
        base = table.log.newest()
        plan = planning(Planner(table.reader, base))
        counts = {"inserted": plan.inserted, "updated": plan.updated, "deleted": plan.deleted}
        if not plan.changes:
            return WriteOutcome(version=base.version, unchanged=plan.unchanged)
        writer = FileWriter(self._storage, name, table.log.schema)
        added = writer.write(plan)
        removed = [file for year in plan.years for file in year.removed]
        try:
            version = table.log.commit(base, added, removed, {**facts, **counts})
        except CommitConflict:
            writer.discard()
            raise
        except Uncommitted as refused:
            writer.discard()
            raise refused.reason from refused
        self._storage.make_durable(name, version)
        return WriteOutcome(version=version, unchanged=plan.unchanged, **counts)

    # -- reading

    def read(self, name: str, query: SeriesQuery | None = None) -> pa.Table:
        """Read rows, ascending by (time_index, unique_identifier).

        Parameters
        ----------
        name
            The table.
        query
            Columns, assets, range, last per asset, version; by default everything, now.

        Returns
        -------
        pyarrow.Table
            The index columns, then the columns asked for: ``time_index`` as timestamp[us, UTC], ``unique_identifier``
            as string. An asset without rows gives none.

        Raises
        ------
        UnknownFieldError
            A column that the series does not declare.
        UnknownRevisionError
            A version that was never recorded.
        UnknownAssetsError
            With ``require_all``: an asset without a row in the answer.
        StorageError
            A file could not be read whole; rows are never left out.
        """
        asked = query or SeriesQuery()
        table = self._table(name)
        schema = table.log.schema
        if asked.columns is not None:
            schema.check_columns(asked.columns)
        _check_selection(schema, asked)
        with storage_failures(f"reading the series table {name!r}"):
            reader = table.latest if asked.last_per_asset else table.reader
            frame = reader.read(table.log.snapshot(asked.version), asked)
        return to_arrow(frame, arrow_schema(schema, asked.columns))

    def batches(self, name: str, query: SeriesQuery) -> pa.RecordBatchReader:
        """Read what `read` reads while it is asked for, part by part.

        A query about the last rows, or one that requires every asset, is answered whole. Raises as `read`, also while
        it is being read.
        """
        if query.last_per_asset or query.require_all:
            return self.read(name, query).to_reader(max_chunksize=ROWS_AT_ONCE)
        table = self._table(name)
        schema = table.log.schema
        if query.columns is not None:
            schema.check_columns(query.columns)
        _check_selection(schema, query)
        with storage_failures(f"reading the series table {name!r}"):
            snapshot = table.log.snapshot(query.version)
        parts = self._parts(name, table, snapshot, query)
        return pa.RecordBatchReader.from_batches(arrow_schema(schema, query.columns), parts)

    def _parts(self, name: str, table: LakeTable, snapshot: Snapshot, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        parts = table.reader.batches(snapshot, query)
        columns = arrow_schema(table.log.schema, query.columns)
        while True:
            with storage_failures(f"reading the series table {name!r}"):
                frame = next(parts, None)
            if frame is None:
                return
            yield from to_arrow(frame, columns).to_batches(max_chunksize=ROWS_AT_ONCE)

    def wide(self, name: str, query: WideQuery) -> WideMatrix:
        """Read one column as a date × asset matrix, from a cache per version after the first time.

        Raises
        ------
        UnknownFieldError, SchemaMismatchError
            The column does not exist or holds no numbers, or the series has no assets.
        ValidationError
            The matrix would have more than 500 million cells.
        UnknownRevisionError, StorageError
            As `read`.
        """
        table = self._table(name)
        with storage_failures(f"reading the series table {name!r}"):
            return table.wide.build(table.log.snapshot(query.version), query)

    def statistics(self, name: str, version: int | None = None) -> SeriesStatistics:
        """Count what a version holds, overall and per asset: exactly, from the rows themselves."""
        table = self._table(name)
        with storage_failures(f"reading the series table {name!r}"):
            return table.statistics.count(table.log.snapshot(version))

    def version(self, name: str) -> int:
        """Give the newest version; 0 is the empty table."""
        table = self._table(name)
        with storage_failures(f"reading the series table {name!r}"):
            return table.log.newest().version

    def history(self, name: str) -> list[SeriesVersion]:
        """List every version, oldest first."""
        table = self._table(name)
        with storage_failures(f"reading the series table {name!r}"):
            return table.log.history()

    def _table(self, name: str) -> LakeTable:
        _refuse_forks()
        with storage_failures(f"opening the series table {name!r}"), self._mutex:
            fingerprint = self._storage.fingerprint(name)
            if fingerprint is None:
                raise NotFoundError(f"There is no series table {name!r} in {self.root}.", name=name)
            found = self._tables.get(name)
            if found is None or found.log.fingerprint != fingerprint:
                found = self._tables[name] = LakeTable(self._storage, name, fingerprint)
            return found


def _refuse_forks() -> None:
    if os.getpid() != _FIRST_OPENED_IN["process"]:
        raise ConfigurationError(
            "Series were opened before this process was forked; Delta Lake and Polars cannot go on in it.",
            hint="Start worker processes with multiprocessing's 'spawn' or 'forkserver' method.",
        )


def _check_selection(schema: SeriesSchema, chosen: SeriesQuery | RowSelection) -> None:
    per_asset = chosen.unique_identifiers is not None
    if per_asset and not schema.by_asset:
        raise ValidationError(
            "The series is indexed by time alone; it cannot be read by asset.", hint="Leave unique_identifiers out."
        )
