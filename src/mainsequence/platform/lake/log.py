"""The commit log of one table: which version is the newest, what each holds, and adding the next."""

import json
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import RLock
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from mainsequence.domain.series import TIME_INDEX, SeriesSchema, SeriesVersion, WriteOutcome
from mainsequence.domain.times import from_micros
from mainsequence.errors import UnknownRevisionError
from mainsequence.logs import get_logger
from mainsequence.platform.lake.failures import LOW_LEVEL, errno_of
from mainsequence.platform.lake.layout import YEAR, arrow_schema
from mainsequence.platform.lake.snapshots import DataFile, Snapshot, read_snapshot
from mainsequence.platform.lake.storage import StoredFiles

CHECKPOINT_EVERY = 50
_KEPT_SNAPSHOTS = 32
_SCHEMA_KEY, _OPERATION_KEY = "mainsequence.schema", "mainsequence"
ONCE = "once"
"""Under which name the facts of a commit hold the caller's key."""

_LATEST = 1_000
_READERS = 16
_FOREVER = "interval 36500 days"
_CONFIGURATION: dict[str, str | None] = {
    "delta.checkpointInterval": str(CHECKPOINT_EVERY),
    "delta.logRetentionDuration": _FOREVER,
    "delta.deletedFileRetentionDuration": _FOREVER,
    "delta.enableExpiredLogCleanup": "false",
}
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_WRITER = "mainsequence-writer"
_logger = get_logger(__name__)


class Uncommitted(Exception):  # noqa: N818 - signals between two functions, never seen by users
    """The commit surely did not happen."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class CommitConflict(Exception):  # noqa: N818
    """The commit surely did not happen: another writer was first; plan again on what it left."""


def create_table(uri: str, schema: SeriesSchema, options: dict[str, str] | None) -> None:
    """Create an empty table at version 0, with its declared schema in the table's own metadata."""
    DeltaTable.create(
        uri,
        arrow_schema(schema).append(pa.field(YEAR, pa.int32(), nullable=False)),
        partition_by=[YEAR],
        configuration={**_CONFIGURATION, _SCHEMA_KEY: schema.model_dump_json()},
        storage_options=options,
        raise_if_key_not_exists=False,
    )


class TableLog:
    """The log of one incarnation of a table; safe to share between threads.

    Parameters
    ----------
    uri, options
        Where the table is.
    fingerprint
        Which incarnation it is; see `Storage.fingerprint`.
    """

    def __init__(self, uri: str, options: dict[str, str] | None, fingerprint: Hashable) -> None:
        self.uri, self.options, self.fingerprint = uri, options, fingerprint
        self._mutex = RLock()
        self._table = DeltaTable(uri, storage_options=options)
        metadata = self._table.metadata()
        self.table_id = str(metadata.id)
        self.schema = SeriesSchema.parse(json.loads(metadata.configuration[_SCHEMA_KEY]))
        self._stored = arrow_schema(self.schema).append(pa.field(YEAR, pa.int32(), nullable=False))
        self._snapshots: OrderedDict[int, Snapshot] = OrderedDict()

    def newest(self) -> Snapshot:
        """Look for commits of others and give the newest version."""
        with self._mutex:
            self._table.update_incremental()
            return self._snapshot_of(self._table)

    def snapshot(self, version: int | None) -> Snapshot:
        """Give a version; ``None`` is the newest.

        Raises
        ------
        UnknownRevisionError
            The version was never recorded.
        """
        with self._mutex:
            if version is not None and version in self._snapshots:
                return self._snapshots[version]
            newest = self.newest()
            if version is None or version == newest.version:
                return newest
            if not 0 <= version < newest.version:
                raise UnknownRevisionError(
                    f"The series has no version {version}.", hint=f"Its newest is {newest.version}.", version=version
                )
            return self._snapshot_of(DeltaTable(self.uri, version=version, storage_options=self.options))

    def _snapshot_of(self, table: DeltaTable) -> Snapshot:
        version = table.version()
        found = self._snapshots.get(version)
        if found is None:
            found = self._snapshots[version] = read_snapshot(table)
            while len(self._snapshots) > _KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return found

    def commit(self, base: Snapshot, added: list[DataFile], removed: list[DataFile], facts: dict[str, Any]) -> int:
        """Commit files on top of a snapshot: all or nothing.

        Parameters
        ----------
        base
            What the change was planned on.
        added, removed
            Files that enter and leave.
        facts
            What to remember about the commit: operation and counts.

        Returns
        -------
        int
            The new version.

        Raises
        ------
        CommitConflict
            The table moved since ``base``.
        Uncommitted
            The commit failed. After any other exception (an interrupt, say) it may stand.
        """
        with self._mutex:
            self._table.update_incremental()
            if self._table.version() != base.version:
                raise CommitConflict
            try:
                self._transact(base.version, added, removed, facts)
            except LOW_LEVEL as error:
                if not self._holds(added, removed):
                    raise _uncommitted(error) from error
            self._checkpoint(base.version + 1)
            return base.version + 1

    def _transact(self, base: int, added: list[DataFile], removed: list[DataFile], facts: dict[str, Any]) -> None:
        now = time.time_ns() // 1_000_000
        # The application transaction makes any two concurrent commits conflict, also two blind appends.
        properties = CommitProperties(
            custom_metadata={_OPERATION_KEY: json.dumps(facts)},
            max_commit_retries=1,
            app_transactions=[Transaction(_WRITER, base + 1, now)],
        )
        actions: list[AddAction | RemoveAction] = [_add_action(file, now) for file in added]
        actions += [_remove_action(file, now) for file in removed]
        self._table.create_write_transaction(
            actions,
            "append",
            self._stored,
            [YEAR],
            commit_properties=properties,
            post_commithook_properties=_NO_HOOKS,
        )

    def _holds(self, added: Iterable[DataFile], removed: Iterable[DataFile]) -> bool:
        """Whether the commit went through although an error was reported."""
        self._table = DeltaTable(self.uri, storage_options=self.options)
        present = {file.path for file in read_snapshot(self._table).files}
        gone = {file.path for file in removed}
        return present.issuperset(file.path for file in added) and present.isdisjoint(gone)

    def _checkpoint(self, version: int) -> None:
        if version % CHECKPOINT_EVERY:
            return
        try:
            self._table.update_incremental()
            self._table.create_checkpoint()
        except LOW_LEVEL as error:
            _logger.warning("the checkpoint of %s at version %d failed: %s", self.uri, version, error)

    def outcome_of(self, key: str) -> WriteOutcome | None:
        """Give what the commit under a key did; ``None`` where none of the latest 1,000 commits has it."""
        with self._mutex:
            self._table.update_incremental()
            commits = ((commit["version"], _facts(commit)) for commit in self._commits(_LATEST))
            for version, facts in commits:
                if facts.get(ONCE) == key:
                    counts = {name: facts[name] for name in ("inserted", "updated", "deleted")}
                    return WriteOutcome(version=version, **counts)
        return None

    def history(self) -> list[SeriesVersion]:
        """List all versions, oldest first."""
        with self._mutex:
            self._table.update_incremental()
            return [_version(commit) for commit in reversed(self._commits())]

    def _commits(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Read what is said about the latest commits, the newest first."""
        if "://" not in self.uri:
            return self._table.history(limit)
        # Delta Lake's own reading keeps all threads of the process waiting while a store answers.
        newest = self._table.version()
        versions = range(newest, -1 if limit is None else max(newest - limit, -1), -1)
        files = StoredFiles(self.uri, self.options)
        with ThreadPoolExecutor(_READERS) as readers:
            entries = readers.map(files.get, [f"_delta_log/{version:020d}.json" for version in versions])
            return [{"version": number, **_said(entry)} for number, entry in zip(versions, entries, strict=True)]


def _uncommitted(error: Exception) -> CommitConflict | Uncommitted:
    lost_the_race = isinstance(error, CommitFailedError) and errno_of(error) is None
    return CommitConflict() if lost_the_race else Uncommitted(error)


def _add_action(file: DataFile, now: int) -> AddAction:
    bounds = {"minValues": {TIME_INDEX: _stamp(file.first)}, "maxValues": {TIME_INDEX: _stamp(file.last)}}
    stats = json.dumps({"numRecords": file.rows, **bounds, "nullCount": {TIME_INDEX: 0}})
    return AddAction(file.path, file.size, {YEAR: str(file.year)}, now, True, stats)


def _remove_action(file: DataFile, now: int) -> RemoveAction:
    return RemoveAction(file.path, True, now, file.size, {YEAR: str(file.year)})


def _stamp(micros: int) -> str:
    return from_micros(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _said(entry: bytes) -> dict[str, Any]:
    actions = map(json.loads, entry.splitlines())
    return next((dict(action["commitInfo"]) for action in actions if "commitInfo" in action), {})


def _facts(commit: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(commit.get(_OPERATION_KEY, "{}")))


def _version(commit: dict[str, Any]) -> SeriesVersion:
    facts = {name: value for name, value in _facts(commit).items() if name != ONCE}
    recorded_at = from_micros(int(commit["timestamp"]) * int(timedelta(milliseconds=1) / timedelta(microseconds=1)))
    return SeriesVersion(version=commit["version"], recorded_at=recorded_at, **(facts or {"operation": "create"}))
