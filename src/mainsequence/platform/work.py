"""The unit of work: what a service is handed to carry an operation out, and how services register."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine

from mainsequence.contract.operation import Operation
from mainsequence.domain.access import Actor, Role
from mainsequence.platform import rights
from mainsequence.platform.figi import FigiResolver
from mainsequence.platform.registry.engine import transaction
from mainsequence.platform.written import Memory

if TYPE_CHECKING:
    from mainsequence.platform.lake import Lake


@dataclass(slots=True)
class Work:
    """One unit of work: a registry transaction that is all or nothing, the lake, who asks, and when.

    The transaction begins when ``connection`` is first used, so that work on the lake alone holds no lock of the
    registry.

    Parameters
    ----------
    engine
        The registry.
    open_lake
        Gives the lake; called when the work first touches series.
    resolve_figi
        Gives the facts behind a FIGI.
    actor
        Who asks.
    now
        The time of the work, microseconds UTC.
    clock
        Gives the time now, microseconds UTC: for what is recorded after waiting for others.
    writes
        Whether the registry will be written.
    memory
        What was written out before and never changes.
    """

    engine: Engine
    open_lake: Callable[[], "Lake"]
    resolve_figi: FigiResolver
    actor: Actor
    now: int
    clock: Callable[[], int]
    writes: bool
    memory: Memory = field(default_factory=Memory)
    once: str | None = field(default=None, init=False)
    """Under which idempotency key the work is done, where it is under one."""
    _open: AbstractContextManager[Connection] | None = field(default=None, init=False)
    _connection: Connection | None = field(default=None, init=False)

    @property
    def connection(self) -> Connection:
        """The registry transaction of this work."""
        if self._connection is None:
            self._open = transaction(self.engine, writes=self.writes)
            self._connection = self._open.__enter__()
        return self._connection

    @property
    def lake(self) -> "Lake":
        """The series."""
        return self.open_lake()

    @property
    def organization_id(self) -> int:
        """The organization whose objects this work may see."""
        return self.actor.organization_id

    @property
    def steward(self) -> Actor:
        """Who asks, as if they saw everything of their organization: for consequences that reach what they do not."""
        return replace(self.actor, role=Role.ADMIN)

    def let_go(self) -> None:
        """Give the registry's connection back where nothing is written, so that none is held while series are slow.

        The next use begins another transaction.
        """
        if not self.writes:
            self.__exit__(None, None, None)

    def __enter__(self) -> "Work":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._open is not None:
            opened, self._open, self._connection = self._open, None, None
            opened.__exit__(kind, error, trace)


Service: TypeAlias = Callable[..., Any]
Handler = TypeVar("Handler", bound=Service)


@dataclass(frozen=True, slots=True)
class Registered:
    """A service and how it uses the registry."""

    service: Service
    writes: bool


SERVICES: dict[str, Registered] = {}
"""Every service by the name of the operation that it carries out."""


def carries_out(operation: Operation[Any, Any], *, writes_registry: bool | None = None) -> Callable[[Handler], Handler]:
    """Register a function as the one that carries an operation out.

    Parameters
    ----------
    operation
        The operation, from `contract`.
    writes_registry
        Whether it writes the registry; by default, whether the operation writes at all. Work that writes only the
        lake says no and so does not hold up other writers.
    """

    def register(service: Handler) -> Handler:
        writes = operation.writes if writes_registry is None else writes_registry
        SERVICES[operation.name] = Registered(_guarded(operation, service), writes)
        return service

    return register


def _guarded(operation: Operation[Any, Any], service: Service) -> Service:
    """Let an operation on an object that can be shared begin with the question whether who asks may change it."""
    kind = operation.edits
    if kind is None:
        return service

    @wraps(service)
    def guarded(work: Work, body: Any, *, key: int) -> Any:
        rights.check(work.connection, work.actor, operation, kind, key)
        return service(work, body, key=key)

    return guarded
