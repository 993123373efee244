"""The composition root: from settings to a platform that carries out operations. Nobody else wires."""

import errno
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine

from mainsequence.contract.guards import REQUEST_CHANGE
from mainsequence.contract.operation import In, Operation, Out
from mainsequence.domain.access import LOCAL_OWNER, Actor, Role
from mainsequence.errors import (
    ApprovalRequiredError,
    PermissionDeniedError,
    ReadOnlyStorageError,
    StorageError,
    StorageFullError,
)
from mainsequence.platform import auditing, services
from mainsequence.platform.figi import FigiResolver, offline, resolver
from mainsequence.platform.once import around_the_lake, in_one_transaction
from mainsequence.platform.registry.engine import open_postgresql, open_sqlite
from mainsequence.platform.registry.failures import translated
from mainsequence.platform.registry.idempotency import Once
from mainsequence.platform.retrying import persistently
from mainsequence.platform.services.approvals import ASKED
from mainsequence.platform.waiting import waiting
from mainsequence.platform.work import SERVICES, Registered, Work
from mainsequence.platform.written import STREAMERS, WRITERS, Memory, Written
from mainsequence.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from mainsequence.platform.lake import Lake

Clock = Callable[[], int]
Answer = TypeVar("Answer")


def system_clock() -> int:
    """Read the time: microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


class Platform:
    """A platform in this process; the in-process carrier is its ``call``.

    Parameters
    ----------
    engine
        The registry.
    lake_root
        Where the series are: a folder, or the address of an object store.
    home
        What to call the place when people ask.
    clock
        Where the time comes from.
    actor
        Who acts when nobody else is named: in embedded mode the local owner.
    resolve_figi
        Gives the facts behind a FIGI.
    derived
        For series in an object store: the folder of this machine for what is computed again from them.
    """

    at_once: int | None = None
    """Answers of this process may hold any number of objects."""

    def __init__(
        self,
        engine: Engine,
        lake_root: str,
        *,
        home: str,
        clock: Clock = system_clock,
        actor: Actor = LOCAL_OWNER,
        resolve_figi: FigiResolver = offline,
        derived: Path | None = None,
    ) -> None:
        self.derived = derived
        self.engine = engine
        self.lake_root = lake_root
        self.home = home
        self.clock = clock
        self.actor = actor
        self.resolve_figi = resolve_figi
        self.memory = Memory()
        self._lake: Lake | None = None

    @classmethod
    def embedded(cls, settings: Settings, clock: Clock = system_clock) -> "Platform":
        """Open the platform kept under ``settings.home``, making it where it does not exist.

        Where ``settings.database_url`` is set, the registry is there; where ``settings.lake`` is set, the series are.

        Raises
        ------
        ConfigurationError
            The registry was written by a newer release, or its address is wrong.
        StorageError
            The home cannot be made, read or written.
        """
        services.load()
        engine = _open_registry(settings)
        figi = resolver(settings.figi_resolver, settings.openfigi_key)
        return cls(
            engine, settings.series, home=str(settings.home), clock=clock, resolve_figi=figi, derived=settings.derived
        )

    def call(self, operation: Operation[In, Out], body: In, /, **path: int | str) -> Out:
        """Carry out one operation in one unit of work, as the platform's own actor."""
        return self.call_as(self.actor, operation, body, **path)

    def call_as(self, actor: Actor, operation: Operation[In, Out], body: In, /, **path: int | str) -> Out:
        """Carry out one operation in one unit of work, as a given actor."""
        registered = permitted(actor, operation)
        return self._asking_for_approval(actor, lambda: self._carry_out(actor, registered, operation, body, path))

    def _carry_out(
        self,
        actor: Actor,
        registered: Registered,
        operation: Operation[In, Out],
        body: In,
        path: Mapping[str, int | str],
    ) -> Out:
        def act() -> Out:
            with translated(), self.work(actor, writes=registered.writes) as work:
                answer: Out = auditing.carry_out(work, registered, operation, body, path)
                return answer

        return persistently(act)

    def _asking_for_approval(self, actor: Actor, act: Callable[[], Answer]) -> Answer:
        """Do some work; store the request of a change that somebody else must approve: what asked was rolled back."""
        try:
            return act()
        except ApprovalRequiredError as error:
            asked = error.pending
            if asked is None:
                raise
            path = {"key": asked.change.category_id}
            raise waiting(error, self._carry_out(actor, ASKED, REQUEST_CHANGE, asked, path)) from None

    def call_once(self, actor: Actor, once: Once, operation: Operation[In, Out], body: In, /, **path: int | str) -> Out:
        """Carry out one operation under an idempotency key; asked again, give the answer of the first time.

        Raises
        ------
        RepeatedKeyError
            The key was used for another request.
        """
        registered = permitted(actor, operation)
        carry_out = in_one_transaction if registered.writes else around_the_lake

        def begin(writes: bool) -> Work:
            work = self.work(actor, writes=writes)
            work.once = f"{actor.organization_id}:{actor.name}:{once.key}:{once.fingerprint}"
            return work

        def act(work: Work) -> Any:
            return auditing.carry_out(work, registered, operation, body, path)

        def whole() -> Out:
            with translated():
                answer: Out = carry_out(begin, once, operation, act)
                return answer

        return self._asking_for_approval(
            actor, lambda: persistently(whole, under_a_key=True) if registered.writes else whole()
        )

    def write_as(
        self, actor: Actor, operation: Operation[Any, Any], body: Any, known: str | None, /, **path: int | str
    ) -> Written | None:
        """Carry out one reading and write its answer straight from rows; ``None`` where it has no writer.

        Parameters
        ----------
        known
            The tag of the answer that who asks has already.
        """
        writer = WRITERS.get(operation.name)
        if writer is None:
            return None
        permitted(actor, operation)

        def act() -> Written:
            with translated(), self.work(actor, writes=False) as work:
                return writer(work, body, known=known, **path)

        return persistently(act)

    def stream_as(
        self, actor: Actor, operation: Operation[Any, Any], body: Any, /, **path: int | str
    ) -> "pa.RecordBatchReader | None":
        """Begin a reading whose answer is given part by part; ``None`` where the operation has no such form."""
        streamer = STREAMERS.get(operation.name)
        if streamer is None:
            return None
        permitted(actor, operation)

        def act() -> "pa.RecordBatchReader":
            with translated(), self.work(actor, writes=False) as work:
                reader: pa.RecordBatchReader = streamer(work, body, **path)
                return reader

        return persistently(act)

    def work(self, actor: Actor, *, writes: bool) -> Work:
        """Begin a unit of work."""
        now = self.clock()
        return Work(self.engine, self.open_lake, self.resolve_figi, actor, now, self.clock, writes, self.memory)

    def open_lake(self) -> "Lake":
        """Open the series at first use; its libraries are not loaded before."""
        if self._lake is None:
            from mainsequence.platform.lake import Lake

            self._lake = Lake(self.lake_root, derived=self.derived)
        return self._lake

    def describe(self) -> str:
        """Say where the platform is."""
        place = self.engine.url.render_as_string() if self.engine.dialect.name == "postgresql" else None
        series = self.lake_root if "://" in self.lake_root else None
        others = (f", registry at {place}" if place else "") + (f", series at {series}" if series else "")
        return f"embedded at {self.home}{others}"

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


def permitted(actor: Actor, operation: Operation[Any, Any]) -> Registered:
    """Give the service that carries an operation out, where the actor may have it carried out.

    Raises
    ------
    PermissionDeniedError
        The actor's role does not allow it. Where a grant may allow it, that is asked with the object at hand.
    """
    by_grant = operation.edits is not None and operation.access is Role.EDITOR
    if actor.role < operation.access and not by_grant:
        raise PermissionDeniedError(
            f"{operation.name} needs the role {operation.access.name.lower()}, "
            f"{actor.name} is {actor.role.name.lower()}.",
            hint="Ask an administrator of your organization.",
        )
    return SERVICES[operation.name]


def _open_registry(settings: Settings) -> Engine:
    if settings.database_url is None:
        read_only = _prepare_home(settings.home)
        return open_sqlite(settings.home / "registry.db", read_only=read_only)
    _make(settings.home)
    return open_postgresql(settings.database_url)


def _make(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _home_error(home, error) from error


def _prepare_home(home: Path) -> bool:
    """Make the home; answer whether it can only be read."""
    _make(home)
    try:
        if not (home / "registry.db").exists():
            (home / "registry.lock").touch()
            return False
    except OSError as error:
        raise _home_error(home, error) from error
    return _only_readable(home)


def _only_readable(home: Path) -> bool:
    if os.access(home, os.W_OK) and os.access(home / "registry.db", os.W_OK):
        return False
    log = home / "registry.db-wal"
    if log.exists() and log.stat().st_size:
        raise ReadOnlyStorageError(
            f"{home} can only be read, and its registry was not closed cleanly.",
            hint="Open it once where it can be written, then read it again.",
        )
    return True


def _home_error(home: Path, error: OSError) -> StorageError:
    if error.errno == errno.ENOSPC:
        return StorageFullError(f"No space is left for the home {home}.", hint="Free space or choose another home.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ReadOnlyStorageError(
            f"The home {home} cannot be written.", hint="Set MAINSEQUENCE_HOME to a folder that you may write."
        )
    return StorageError(f"The home {home} cannot be used: {error.strerror}.", hint="Set MAINSEQUENCE_HOME to a folder.")
