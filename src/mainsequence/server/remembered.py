"""Answers that are the same as a moment ago, given again without doing the work again.

The registry's database says, for a few microseconds (SQLite) or one round trip shared by all who ask at that moment
(PostgreSQL), whether anybody, in whichever process, has committed anything since one last looked. Where nobody has,
what was answered to the same request still holds: who may ask, what exists and who its members are. What passes with
time alone (a token that expires, a member whose validity begins) is not in that: every answer is kept for a second at
most, and not beyond the time for which its writer vouches.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Engine

from mainsequence.domain.access import Actor
from mainsequence.domain.times import MICROS_PER_SECOND

LIFETIME = MICROS_PER_SECOND
MOST_BYTES = 64 * 1024 * 1024
LARGEST = 4 * 1024 * 1024
MOST_ACTORS = 10_000
PATIENCE_SECONDS = 0.5
"""How long PostgreSQL may take to say whether anything changed; a request does not wait longer to save work."""


class Changes(Protocol):
    """Says whether a registry changed. It is asked by the event loop and never holds that up."""

    async def version(self) -> object:
        """Give what differs after every commit of anybody; ``None`` where that is not known."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


def changes_of(engine: Engine) -> Changes:
    """Give what says whether a registry changed."""
    return PostgresChanges(engine) if engine.dialect.name == "postgresql" else SqliteChanges(engine)


class SqliteChanges:
    """SQLite counts, for every connection, the commits of all others."""

    def __init__(self, engine: Engine) -> None:
        self.file = engine.url.database or ""
        self._connection: sqlite3.Connection | None = None

    async def version(self) -> object:
        """Give the count of commits; ``None`` where the database cannot say at once."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self.file, uri=True, timeout=0, isolation_level=None)
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            await self.close()
            return None

    async def close(self) -> None:
        """Let go of the database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class PostgresChanges:
    """PostgreSQL's snapshot (which transactions are over, which are open) differs after every commit.

    Those who ask while it is being asked share the next question: an answer is never older than who gets it.
    """

    def __init__(self, engine: Engine) -> None:
        self._where = engine.dialect.create_connect_args(engine.url)
        self._connection: Any = None
        self._waiting: asyncio.Future[object] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def version(self) -> object:
        """Give the snapshot; ``None`` where the database cannot say soon."""
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
        waiting = self._waiting
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(waiting)

    async def _ask(self) -> None:
        try:
            while (waiting := self._waiting) is not None:
                self._waiting, found = None, None
                try:
                    found = None if self._connection is None else await self._snapshot()
                finally:
                    waiting.set_result(found)
                if self._connection is None:
                    await self._connect()
        finally:
            self._asking = None

    async def _snapshot(self) -> object:
        import psycopg

        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                cursor = await self._connection.execute("SELECT pg_current_snapshot()::text")
                return (await cursor.fetchone())[0]
        except (psycopg.Error, TimeoutError):
            await self._drop()
            return None

    async def _connect(self) -> None:
        """Connect; those who ask meanwhile are told that nothing is known."""
        import psycopg

        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_result(None)
        args, options = self._where
        with contextlib.suppress(psycopg.Error, TimeoutError, OSError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                self._connection = await psycopg.AsyncConnection.connect(*args, **options, autocommit=True)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Let go of the database."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking
        await self._drop()


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
        self._version: object = None
        self._answers: dict[Any, tuple[Answer, int, int]] = {}
        self._actors: dict[str, tuple[Actor, int, int]] = {}
        self._size = 0

    async def look(self) -> object:
        """Forget everything where the registry changed; give its version, for `keep` and `introduce`."""
        version = await self.changes.version()
        if version is None or version != self._version:
            self._answers.clear()
            self._actors.clear()
            self._size = 0
            self._version = version
        return version

    def answer(self, key: Any) -> Answer | None:
        """Give what was answered to a request; right after `look`."""
        found = self._answers.get(key)
        return found[0] if found is not None and found[1] <= self.clock() < found[2] else None

    def keep(self, version: object, key: Any, answer: Answer, until: int) -> None:
        """Keep an answer that was made after `look` gave that version, until a time at most."""
        now, size = self.clock(), len(answer.content) + 1_000
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

    def introduce(self, version: object, secret: str, actor: Actor) -> None:
        """Keep who bears a token, found out after `look` gave that version."""
        if version is None or version != self._version:
            return
        if len(self._actors) >= MOST_ACTORS:
            self._actors.clear()
        now = self.clock()
        self._actors[secret] = (actor, now, now + LIFETIME)
