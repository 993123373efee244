"""Answers that are the same as a moment ago, given again without doing the work again.

A registry in SQLite says whether anybody, in whichever process, has committed anything since one last looked
(``PRAGMA data_version``, a few microseconds). Where nobody has, what was answered to the same request still holds:
who may ask, what exists and who its members are. What passes with time alone (a token that expires, a member whose
validity begins) is not in that: every answer is kept for a second at most, and not beyond the time for which its
writer vouches. PostgreSQL has no such question; there, only who bears a token is remembered, for that second.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from mainsequence.domain.access import Actor
from mainsequence.domain.times import MICROS_PER_SECOND

LIFETIME = MICROS_PER_SECOND
MOST_BYTES = 64 * 1024 * 1024
LARGEST = 4 * 1024 * 1024
MOST_ACTORS = 10_000
QUESTION = "PRAGMA data_version"


class Changes:
    """Says whether a registry changed.

    It is asked by the event loop and so never waits: where it cannot say, something may have changed.
    """

    def __init__(self, engine: Engine) -> None:
        self.file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._connection: sqlite3.Connection | None = None

    @property
    def precise(self) -> bool:
        """Whether every change is seen."""
        return self.file is not None

    def version(self) -> int | None:
        """Give a number that changes with every commit of others; ``None`` where that is not known."""
        if self.file is None:
            return None
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self.file, uri=True, timeout=0, isolation_level=None)
            found: int = self._connection.execute(QUESTION).fetchone()[0]
        except sqlite3.Error:
            self.close()
            return None
        return found

    def close(self) -> None:
        """Let go of the database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: status, headers as they are sent, body, and who asked what."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes
    actor: str
    operation: str


class Remembered:
    """What holds until the registry changes, for a second at most: answers, and who bears a token.

    Parameters
    ----------
    changes
        Says whether the registry changed.
    clock
        The platform's, in microseconds.
    """

    def __init__(self, changes: Changes, clock: Callable[[], int]) -> None:
        self.changes = changes
        self.clock = clock
        self._version: int | None = None
        self._answers: dict[Any, tuple[Answer, int, int]] = {}
        self._actors: dict[str, tuple[Actor, int, int]] = {}
        self._size = 0

    def look(self) -> int | None:
        """Forget everything where the registry changed; give its version, for `keep` and `introduce`."""
        version = self.changes.version()
        if self.changes.precise and (version is None or version != self._version):
            self.forget()
            self._version = version
        return version

    def answer(self, key: Any) -> Answer | None:
        """Give what was answered to a request; right after `look`."""
        found = self._answers.get(key)
        return found[0] if found is not None and found[1] <= self.clock() < found[2] else None

    def keep(self, version: int | None, key: Any, answer: Answer, until: int) -> None:
        """Keep an answer that was made after `look` gave that version, until a time at most."""
        now = self.clock()
        size = len(answer.content) + 1_000
        if version is None or version != self._version or until <= now or size > LARGEST:
            return
        if self._size + size > MOST_BYTES:
            self._answers.clear()
            self._size = 0
        self._answers[key] = (answer, now, min(until, now + LIFETIME))
        self._size += size

    def bearer(self, secret: str) -> Actor | None:
        """Give who bears a token; right after `look`."""
        found = self._actors.get(secret)
        return found[0] if found is not None and found[1] <= self.clock() < found[2] else None

    def introduce(self, version: int | None, secret: str, actor: Actor) -> None:
        """Keep who bears a token, found out after `look` gave that version."""
        if self.changes.precise and (version is None or version != self._version):
            return
        if len(self._actors) >= MOST_ACTORS:
            self._actors.clear()
        now = self.clock()
        self._actors[secret] = (actor, now, now + LIFETIME)

    def forget(self) -> None:
        """Forget everything."""
        self._answers.clear()
        self._actors.clear()
        self._size = 0
