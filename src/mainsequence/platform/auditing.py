"""Carrying operations out so that no committed write is without its line in the audit log.

A write of the registry is recorded in its own transaction: both are kept, or neither. What changes nothing leaves no
line, and neither does what is refused. Rows of series are written to the lake, which has transactions of its own:
there the line is written first, as ``started``, and completed behind; a line that stays ``started`` is about a write
that failed, or whose end was lost with the process or with the connection to the registry.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from mainsequence.contract.audit import TOLD
from mainsequence.contract.operation import Operation
from mainsequence.domain.series import WriteOutcome
from mainsequence.domain.values import Value
from mainsequence.errors import ConflictError, MainSequenceError, StorageError
from mainsequence.logs import get_logger
from mainsequence.platform.origin import origin
from mainsequence.platform.registry import audit
from mainsequence.platform.registry.changes import changes
from mainsequence.platform.registry.engine import soon_durable, transaction
from mainsequence.platform.registry.failures import is_worth_another_try
from mainsequence.platform.retrying import persistently
from mainsequence.platform.work import Registered, Work

Path = Mapping[str, int | str]

LONGEST_DETAILS = 4_000

_logger = get_logger(__name__)


def carry_out(work: Work, registered: Registered, operation: Operation[Any, Any], body: Any, path: Path) -> Any:
    """Call the service of an operation, and record what it changed."""
    if not operation.writes or not (registered.writes or operation.gives is WriteOutcome):
        return registered.service(work, body, **path)
    if not registered.writes:
        return _on_the_lake(work, registered, operation, body, path)
    name = None if _answer_is_named(operation) else _name(work, operation, path)
    before = changes(work.connection)
    answer = registered.service(work, body, **path)
    if changes(work.connection) > before:
        record(work, operation.name, _facts(body, answer, path, name) | {"details": _details(operation, body)})
    return answer


def record(work: Work, operation: str, facts: dict[str, Any]) -> None:
    """Add a line to the audit log in the work's own transaction; its time is behind all waiting for others."""
    audit.add(work.connection, work.actor, origin(), work.clock(), {"operation": operation, "outcome": "done", **facts})


def _on_the_lake(work: Work, registered: Registered, operation: Operation[Any, Any], body: Any, path: Path) -> Any:
    name = _name(work, operation, path)
    if name is None:  # the service says so
        return registered.service(work, body, **path)
    line = _start(work, {"operation": operation.name, "outcome": "started", **_facts(body, None, path, name)})
    try:
        answer = registered.service(work, body, **path)
    except MainSequenceError as error:
        if _nothing_was_kept(error):
            _end(work, line, None)
        raise
    _end(work, line, answer)
    return answer


def _start(work: Work, facts: dict[str, Any]) -> int:
    """Write the line of a write that has not begun; where its commit is lost, another one: a line more does no harm."""

    def act() -> int:
        with transaction(work.engine, writes=True) as connection:
            return audit.add(connection, work.actor, origin(), work.now, facts)

    return persistently(act, under_a_key=True)


def _nothing_was_kept(error: MainSequenceError) -> bool:
    passing = error.__cause__ is not None and is_worth_another_try(error.__cause__)
    return passing or not isinstance(error, StorageError)


def _end(work: Work, line: int, outcome: WriteOutcome | None) -> None:
    """Complete a line, or take it back; where that cannot be done, what was written stands, and is answered."""
    try:
        with soon_durable(work.engine) as connection:
            if outcome is None or not outcome.changed:
                audit.drop(connection, line)
            else:
                audit.finish(connection, line, {"outcome": "done", **_rows(outcome)})
    except (StorageError, ConflictError) as error:
        _logger.warning("line %s of the audit log stays as it was started: %s", line, error)


def _rows(outcome: WriteOutcome) -> dict[str, int]:
    return {"objects": outcome.inserted + outcome.updated + outcome.deleted, "revision": outcome.version}


def _name(work: Work, operation: Operation[Any, Any], path: Path) -> str | None:
    key = path.get("key")
    if not isinstance(key, int):
        return None
    return audit.name_of(work.connection, operation.path, key, work.organization_id)


@cache
def _answer_is_named(operation: Operation[Any, Any]) -> bool:
    fields = getattr(operation.gives, "model_fields", {})
    return "key" not in operation.path or "unique_identifier" in fields


def _facts(body: Any, answer: Any, path: Path, name: str | None) -> dict[str, Any]:
    one = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    return {
        "object_id": path.get("key", getattr(one, "id", None)),
        "unique_identifier": name or _called(one) or _called(body),
        "objects": _count(body, answer),
        "revision": getattr(one, "revision", None),
        "reason": getattr(body, "reason", None),
    }


def _details(operation: Operation[Any, Any], body: Any) -> str | None:
    """Give what a write of rights was asked for; nothing that is secret is among these."""
    if operation.name not in TOLD or not isinstance(body, Value):
        return None
    return body.model_dump_json(exclude_unset=True)[:LONGEST_DETAILS]


def _called(thing: Any) -> str | None:
    return getattr(thing, "unique_identifier", None) or getattr(thing, "name", None)


def _count(body: Any, answer: Any) -> int:
    named = getattr(body, "asset_ids", None)
    if named is not None:
        return len(named)
    return len(answer) if isinstance(answer, list) else 1
