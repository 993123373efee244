"""Answers written straight from rows: what is read most crosses the wire without a model for each row.

A writer stands beside the service of the same operation and means the same; a test compares the two.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from mainsequence.contract.operation import Operation

FOREVER = 2**62
"""A time that never comes, in microseconds."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer as JSON.

    Parameters
    ----------
    content
        The answer; ``None`` where its tag is the one that who asks has already.
    tag
        What changes whenever the answer does, where that is known; a revision and a time, as in an ETag.
    until
        When the answer may change without any write (microseconds UTC); 0 where nothing is known about that.
    parts
        A long answer part by part instead, made while it is read, behind the end of the work.
    """

    content: bytes | None
    tag: str | None = None
    until: int = 0
    parts: Iterator[bytes] | None = None


Writer: TypeAlias = Callable[..., Written]
Handler = TypeVar("Handler", bound=Writer)

WRITERS: dict[str, Writer] = {}
"""Every writer by the name of its operation; called with the work, the body, ``known`` (a tag) and the path."""


def writes_out(operation: Operation[Any, Any]) -> Callable[[Handler], Handler]:
    """Register a function as the one that writes the answer of an operation."""

    def register(writer: Handler) -> Handler:
        WRITERS[operation.name] = writer
        return writer

    return register


Streamer: TypeAlias = Callable[..., Any]
STREAMERS: dict[str, Streamer] = {}
"""Every function that answers an operation with an Arrow record batch reader; called with work, body and path.

What it gives is read when the work is over, and so from the lake alone.
"""

Streaming = TypeVar("Streaming", bound=Streamer)


def streams_out(operation: Operation[Any, Any]) -> Callable[[Streaming], Streaming]:
    """Register a function as the one that gives the answer of an operation part by part."""

    def register(streamer: Streaming) -> Streaming:
        STREAMERS[operation.name] = streamer
        return streamer

    return register


class Memory:
    """Keeps the newest of what never changes, up to a number of bytes.

    What is kept must be a function of its key alone, such as the members of a universe at a revision between two
    times: nothing is ever taken back, old keys are just not asked for any more.
    """

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self.limit = limit
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: Any) -> Any:
        """Give what is kept under a key, or ``None``."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Any, value: Any, size: int) -> None:
        """Keep a value of so many bytes."""
        if size > self.limit // 4:
            return
        with self._lock:
            self._size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (value, size)
            while self._size > self.limit:
                self._size -= self._kept.popitem(last=False)[1][1]
