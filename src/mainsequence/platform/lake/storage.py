"""Where the tables of a lake are: a folder or an object store. The only module that knows the difference."""

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from mainsequence.errors import BusyError, ConfigurationError, InvalidIdentifierError, StorageError
from mainsequence.platform.lake.failures import LOW_LEVEL

LOCKS, DERIVED, TRASH = ".locks", ".derived", ".trash"
_TABLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-.]{0,199}")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_FIRST_COMMIT = "_delta_log/00000000000000000000.json"


def check_table_name(name: str) -> str:
    """Accept the name of a table: letters, digits, ``_``, ``-`` and ``.``, beginning with a letter or digit.

    Raises
    ------
    InvalidIdentifierError
        The name could not be a folder's.
    """
    if not _TABLE_NAME.fullmatch(name):
        raise InvalidIdentifierError(
            f"{name[:60]!r} cannot name a table of the lake.",
            hint="Use at most 200 letters, digits, '_', '-' and '.', beginning with a letter or digit.",
        )
    return name


class Storage(Protocol):
    """What the lake needs of a place."""

    options: dict[str, str] | None
    derived: Path | None

    def uri(self, name: str) -> str:
        """Give the address of a table."""
        ...

    def fingerprint(self, name: str) -> Hashable | None:
        """Tell one incarnation of a table from another; ``None`` where there is no table."""
        ...

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        """Keep other writers of this table out, in all processes that share the place."""
        ...

    def write(self, name: str, path: str, table: pa.Table, **parquet: Any) -> int:
        """Write one Parquet file below a table and give its size in bytes."""
        ...

    def verify(self, name: str, sizes: Iterable[tuple[str, int]]) -> None:
        """Refuse files that do not have the size they were committed with, where looking is cheap."""
        ...

    def make_durable(self, name: str, version: int) -> None:
        """See to it that a commit survives a loss of power, as far as possible."""
        ...

    def discard(self, name: str, paths: Iterable[str]) -> None:
        """Remove files that no commit refers to, as far as possible."""
        ...

    def drop(self, name: str) -> None:
        """Remove a table and everything derived from it."""
        ...


class LocalStorage:
    """Tables in a folder of this machine; writers take turns through lock files."""

    options: dict[str, str] | None = None

    def __init__(self, root: Path) -> None:
        if _ESCAPE.search(str(root)):
            raise ConfigurationError(
                f"Series cannot be kept in {root}: Delta Lake takes '%' and two digits for an escaped character.",
                hint="Choose a folder without it.",
            )
        self.root = root
        self.derived: Path | None = root / DERIVED

    def uri(self, name: str) -> str:
        """Give the folder of a table."""
        return str(self._folder(name))

    def _folder(self, name: str) -> Path:
        return self.root / check_table_name(name)

    def fingerprint(self, name: str) -> Hashable | None:
        """Tell incarnations apart by the file of the first commit."""
        try:
            found = (self._folder(name) / _FIRST_COMMIT).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_ino, found.st_mtime_ns

    @contextmanager
    def lock(self, name: str, timeout: float) -> Iterator[None]:
        """Hold the lock file of a table; the system frees it when the process dies."""
        folder = self.root / LOCKS
        folder.mkdir(parents=True, exist_ok=True)
        held = FileLock(folder / f"{check_table_name(name)}.lock", timeout=timeout)
        try:
            held.acquire()
        except Timeout:
            raise _held(name, timeout) from None
        try:
            yield
        finally:
            held.release()

    def write(self, name: str, path: str, table: pa.Table, **parquet: Any) -> int:
        """Write one Parquet file, down to the disk itself; a half-written one is removed."""
        target = self._folder(name) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            pq.write_table(table, target, **parquet)
            _flush(target, target.parent, target.parent.parent)
        except BaseException:
            with suppress(OSError):
                target.unlink(missing_ok=True)
            raise
        return target.stat().st_size

    def verify(self, name: str, sizes: Iterable[tuple[str, int]]) -> None:
        """Refuse files that are missing or were changed since they were committed."""
        folder = self.uri(name)
        for path, size in sizes:
            found = os.stat(f"{folder}/{path}").st_size  # noqa: PTH116 - a third of the time, for every file read
            if found != size:
                raise StorageError(
                    f"The file {path} of the series table {name!r} has {found} bytes, {size} were committed.",
                    hint="It was changed behind the platform's back; restore it from a backup.",
                )

    def make_durable(self, name: str, version: int) -> None:
        """Flush the commit's entry in the log; the commit stands, so failing to is no failure of the write."""
        log = self._folder(name) / "_delta_log"
        with suppress(OSError):
            _flush(log / f"{version:020d}.json", log)

    def discard(self, name: str, paths: Iterable[str]) -> None:
        """Remove files that no commit refers to."""
        for path in paths:
            with suppress(OSError):
                (self._folder(name) / path).unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """Move the table out of sight in one step, then remove it."""
        shutil.rmtree(self.root / DERIVED / name, ignore_errors=True)
        trash = self.root / TRASH / uuid4().hex
        trash.mkdir(parents=True)
        with suppress(FileNotFoundError):
            self._folder(name).rename(trash / "table")
        shutil.rmtree(trash, ignore_errors=True)


def _held(name: str, timeout: float) -> BusyError:
    return BusyError(
        f"Another writer held the series table {name!r} for more than {timeout:g} s.",
        hint="Wait for it to finish and repeat.",
    )


def _flush(*paths: Path) -> None:
    for path in paths:
        if os.name == "nt" and path.is_dir():  # Windows cannot open folders, and needs not
            continue
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


class ObjectStorage:
    """Tables in an object store (``s3://…``): the commit itself decides who was first, and the loser repeats.

    The log's next entry is put on the condition that it is not there yet (``If-None-Match: *``), which every store of
    today takes; no lock outside of the process is needed. Writers of one process take turns all the same, so that they
    do not spend their tries on each other.

    Parameters
    ----------
    root
        Address under which the tables stand.
    options
        Credentials and settings, as Delta Lake's ``storage_options``.
    derived
        Folder of this machine for derived caches; ``None`` keeps none on disk.
    """

    def __init__(self, root: str, options: dict[str, str] | None, derived: Path | None = None) -> None:
        self.root = root.rstrip("/")
        self.options = options
        self.derived = derived
        self._turns: defaultdict[str, Lock] = defaultdict(Lock)

    def uri(self, name: str) -> str:
        """Give the address of a table."""
        return f"{self.root}/{check_table_name(name)}"

    def fingerprint(self, name: str) -> Hashable | None:
        """Tell incarnations apart by their first commit, which holds an id of the table's own."""
        try:
            return sha256(StoredFiles(self.uri(name), self.options).get(_FIRST_COMMIT)).digest()
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise OSError(str(error)) from error
            return None

    @contextmanager
    def lock(self, name: str, timeout: float) -> Iterator[None]:
        """Let the writers of this process take turns; of others the commit finds out whether they were faster."""
        turn = self._turns[name]
        if not turn.acquire(timeout=timeout):
            raise _held(name, timeout)
        try:
            yield
        finally:
            turn.release()

    def write(self, name: str, path: str, table: pa.Table, **parquet: Any) -> int:
        """Write one Parquet file; it appears when it is whole."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, **parquet)
        content = sink.getvalue().to_pybytes()
        StoredFiles(self.uri(name), self.options).put(path, content)
        return len(content)

    def verify(self, name: str, sizes: Iterable[tuple[str, int]]) -> None:
        """Do nothing: it would take a request for each file; reading finds missing and damaged ones."""

    def make_durable(self, name: str, version: int) -> None:
        """Do nothing: object stores acknowledge what is safe."""

    def discard(self, name: str, paths: Iterable[str]) -> None:
        """Remove files that no commit refers to."""
        store = StoredFiles(self.uri(name), self.options)
        for path in paths:
            with suppress(*LOW_LEVEL):
                store.delete(path)

    def drop(self, name: str) -> None:
        """Remove the table's log first, so that no reader finds half a table, then its files."""
        store = StoredFiles(self.uri(name), self.options)
        for path in sorted(store.files(), key=lambda path: not path.startswith("_delta_log")):
            store.delete(path)
        if self.derived is not None:
            shutil.rmtree(self.derived / name, ignore_errors=True)


class StoredFiles:
    """Access to the files of one table by `obstore`, which lets other threads run while a store takes its time.

    It reads the same ``AWS_*`` variables as Delta Lake, and takes the same options.
    """

    def __init__(self, uri: str, options: dict[str, str] | None) -> None:
        try:
            from obstore.store import from_url
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"{error.name} is not installed.", hint="pip install 'mainsequence-platform[s3]'"
            ) from None
        with _as_os_errors():
            kind: dict[str, Any] = {"mkdir": True} if uri.startswith("file://") else {"config": options or {}}
            self._store = from_url(uri, **kind)

    def get(self, path: str) -> bytes:
        """Read one file."""
        import obstore

        with _as_os_errors():
            return bytes(obstore.get(self._store, path).bytes())

    def put(self, path: str, content: bytes) -> None:
        """Write one file; it appears when it is whole."""
        import obstore

        with _as_os_errors():
            obstore.put(self._store, path, content)

    def delete(self, path: str) -> None:
        """Remove one file; one that is not there is fine."""
        import obstore

        with _as_os_errors(), suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    def files(self) -> list[str]:
        """List the files of the table."""
        import obstore

        with _as_os_errors():
            return [str(each["path"]) for batch in obstore.list(self._store) for each in batch]


@contextmanager
def _as_os_errors() -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise OSError(str(error)) from error


def open_storage(root: str | Path, options: dict[str, str] | None = None, derived: Path | None = None) -> Storage:
    """Choose the storage for an address: a path is a folder, ``scheme://…`` an object store."""
    if isinstance(root, str) and "://" in root:
        return ObjectStorage(root, options, derived)
    return LocalStorage(Path(root).absolute())
