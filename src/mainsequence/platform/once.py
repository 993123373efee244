"""Carrying something out once, however often it is asked for under one idempotency key."""

from collections.abc import Callable
from typing import Any

from mainsequence.contract.operation import Operation
from mainsequence.contract.wire import read_answer, write_answer
from mainsequence.errors import ConflictError, StorageError
from mainsequence.logs import get_logger
from mainsequence.platform.registry import idempotency
from mainsequence.platform.registry.idempotency import Once
from mainsequence.platform.work import Work

LONGEST_ANSWER = 65_536
"""Longer answers of operations that are safe to repeat are not kept; those are carried out again, changing nothing."""

_logger = get_logger(__name__)

Begin = Callable[[bool], Work]
Act = Callable[[Work], Any]


def in_one_transaction(begin: Begin, once: Once, operation: Operation[Any, Any], act: Act) -> Any:
    """Carry out what writes the registry: key, effect and answer are committed together, or not at all."""
    with begin(True) as work:
        kept = idempotency.claim(work.connection, work.actor, once, work.now)
        if kept is not None:
            return read_answer(operation, kept.encode())
        answer = act(work)
        _keep(work, once, operation, answer)
        return answer


def around_the_lake(begin: Begin, once: Once, operation: Operation[Any, Any], act: Act) -> Any:
    """Carry out what writes the lake alone: the key is kept behind it, so that no lock is held meanwhile.

    What was carried out stands, whether or not its key could be kept: it is answered. The lake's own commit holds the
    key too (see `Lake.append`), for those who ask again.
    """
    with begin(False) as work:
        kept = idempotency.find(work.connection, work.actor, once)
    if kept is not None:
        return read_answer(operation, kept.encode())
    with begin(False) as work:
        answer = act(work)
    try:
        with begin(True) as work:
            if idempotency.claim(work.connection, work.actor, once, work.now) is None:
                _keep(work, once, operation, answer)
    except (StorageError, ConflictError) as error:
        _logger.warning("the idempotency key of a write to the lake was not kept: %s", error)
    return answer


def _keep(work: Work, once: Once, operation: Operation[Any, Any], answer: Any) -> None:
    written = write_answer(operation, answer).decode()
    if operation.retry_safe and len(written) > LONGEST_ANSWER:
        idempotency.forget(work.connection, work.actor, once)
    else:
        idempotency.keep(work.connection, work.actor, once, written)
