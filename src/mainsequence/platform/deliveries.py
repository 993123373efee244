"""Telling webhooks of changes: each event in order, again until it is acknowledged, by one process at a time.

How far a receiver has acknowledged is stored with the webhook, so that a restart goes on from there. What was sent but
whose acknowledgement was lost is sent again, under the same id.
"""

import logging
import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from secrets import token_hex
from threading import Event, Lock, Thread
from typing import Any

from mainsequence.domain.access import Actor, Role
from mainsequence.domain.changes import Change, Delivery
from mainsequence.domain.times import MICROS_PER_DAY, MICROS_PER_SECOND
from mainsequence.errors import MainSequenceError
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry import feed
from mainsequence.platform.registry import webhooks as registry
from mainsequence.platform.registry.webhooks import Target
from mainsequence.platform.sending import send
from mainsequence.platform.services.webhooks import ACTIVE, may_be_private, message_of
from mainsequence.platform.work import Work

logger = logging.getLogger(__name__)

LEASE = 120 * MICROS_PER_SECOND
"""How long a webhook stays with the process that tells it, from its last sign of life; longer than any one delivery."""

AT_ONCE = 100
"""How many events are read at a time."""

GONE = 410
"""The status with which a receiver says that it wants no more."""

ANYBODY = Actor("webhooks", 0, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Retrying:
    """When a delivery that failed is tried again.

    Parameters
    ----------
    first, longest
        Pause after the first failure, doubling up to the longest; microseconds, half of each left to chance.
    patience
        For how long a receiver may fail before it is told no more.
    """

    first: int = 5 * MICROS_PER_SECOND
    longest: int = 3_600 * MICROS_PER_SECOND
    patience: int = 3 * MICROS_PER_DAY

    def pause(self, attempts: int) -> int:
        """Give the pause behind a number of failures in a row."""
        full = min(self.longest, self.first * 2 ** min(attempts - 1, 40))
        return int(full * random.uniform(0.5, 1))  # noqa: S311 (spreads load, keeps no secret)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round of deliveries came to: events acknowledged, webhooks that failed."""

    delivered: int = 0
    failed: int = 0


class Deliverer:
    """Tells the webhooks of a platform what they have not been told.

    Parameters
    ----------
    platform
        Whose webhooks.
    retrying
        When what failed is tried again.
    """

    def __init__(self, platform: Platform, retrying: Retrying = Retrying()) -> None:
        self.platform, self.retrying = platform, retrying
        self._busy: set[int] = set()
        self._lock = Lock()

    def deliver_due(self) -> Outcome:
        """Tell every webhook whose turn it is, one behind the other."""
        outcomes = [self.deliver(key) for key in self._due()]
        return Outcome(sum(each.delivered for each in outcomes), sum(each.failed for each in outcomes))

    def run(self, stop: Event, pause: float = 1.0, threads: int = 8) -> None:
        """Tell webhooks until asked to stop; a slow receiver keeps only its own events waiting."""
        readable = True
        with ThreadPoolExecutor(threads, thread_name_prefix="mainsequence-webhooks") as pool:
            while not stop.wait(pause):
                try:
                    for key in self._due():
                        if self._claim(key):
                            pool.submit(self._deliver_apart, key, stop).add_done_callback(_log_failure)
                    readable = True
                except MainSequenceError as error:
                    if readable:  # a database that is away for an hour is one line, not thousands
                        logger.warning("Webhooks cannot be read; they are told once they can: %s", error)
                    readable = False

    def _claim(self, key: int) -> bool:
        with self._lock:
            free = key not in self._busy
            self._busy.add(key)
            return free

    def _deliver_apart(self, key: int, stop: Event) -> None:
        try:
            self.deliver(key, stop)
        except MainSequenceError as error:
            logger.warning("Webhook %s could not be told: %s", key, error)
        finally:
            with self._lock:
                self._busy.discard(key)

    def _due(self) -> list[int]:
        with self._work(writes=False) as work:
            return registry.due(work.connection, work.now)

    def deliver(self, key: int, stop: Event | None = None) -> Outcome:
        """Tell one webhook everything that it has not been told, unless another process is at it."""
        lease, told = token_hex(16), 0
        with self._work(writes=True) as work:
            if not registry.take(work.connection, key, lease, work.now, work.now + LEASE):
                return Outcome()
        for target, event in self._untold(key, lease, stop):
            answer = self._send(target, event)
            if not answer.delivered:
                self._failed(target if told == 0 else replace(target, attempts=0, failing_since=None), lease, answer)
                return Outcome(told, 1)
            told += 1
            if not self._acknowledged(key, lease, event.position):
                return Outcome(told)
        self._note(key, lease, {"lease": None, "leased_until": 0})
        return Outcome(told)

    def _untold(self, key: int, lease: str, stop: Event | None) -> Iterator[tuple[Target, Change]]:
        """Give what a webhook is to be told, in order, until nothing is left or we are asked to stop."""
        while True:
            target, events, reached = self._next(key)
            if target is None:
                return
            for event in events:
                if stop is not None and stop.is_set():
                    return
                yield target, event
            if len(events) < AT_ONCE:
                self._note(key, lease, {"position": reached})
                return

    def _next(self, key: int) -> tuple[Target | None, list[Change], int]:
        """Read what a webhook is to be told next, and how far the feed is told with that."""
        with self._work(writes=False) as work:
            target = registry.target(work.connection, key)
            if target is None:
                return None, [], 0
            whose = Actor("webhooks", target.organization_id, Role.ADMIN)
            head = feed.head(work.connection, target.organization_id)
            chosen = (target.position, AT_ONCE, target.category_ids, target.kinds)
            return target, feed.read(work.connection, whose, *chosen), head

    def _send(self, target: Target, event: Change) -> Delivery:
        message = message_of(target.id, event)
        return send(target.url, target.secret, message, now=self.platform.clock(), private=may_be_private())

    def _acknowledged(self, key: int, lease: str, position: int) -> bool:
        now = self.platform.clock()
        reached = {"position": position, "last_delivery_at": now, "leased_until": now + LEASE}
        return self._note(key, lease, ACTIVE | reached)

    def _failed(self, target: Target, lease: str, answer: Delivery) -> None:
        now, attempts = self.platform.clock(), target.attempts + 1
        since = now if target.failing_since is None else target.failing_since
        why = f"Attempt {attempts}: {answer.error}."
        fields: dict[str, Any] = {"status": "failing", "next_attempt_at": now + self.retrying.pause(attempts)}
        if answer.status_code == GONE or now - since >= self.retrying.patience:
            fields, why = {"status": "disabled"}, f"{why} It is told no more; resume it when it works again."
            logger.warning("Webhook %s is disabled: %s", target.id, why)
        fields |= {"status_reason": why, "attempts": attempts, "failing_since": since, "last_error": answer.error}
        self._note(target.id, lease, fields | {"lease": None, "leased_until": 0})

    def _note(self, key: int, lease: str, fields: dict[str, Any]) -> bool:
        with self._work(writes=True) as work:
            return registry.note(work.connection, key, lease, fields)

    def _work(self, *, writes: bool) -> Work:
        return self.platform.work(ANYBODY, writes=writes)


def _log_failure(delivery: Future[None]) -> None:
    error = delivery.exception()
    if error is not None:
        logger.error("Telling a webhook failed.", exc_info=error)


@contextmanager
def delivering(platform: Platform, pause: float = 1.0) -> Iterator[None]:
    """Tell webhooks from a thread inside a ``with`` block."""
    stop = Event()
    thread = Thread(target=Deliverer(platform).run, args=(stop, pause), name="mainsequence-webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
