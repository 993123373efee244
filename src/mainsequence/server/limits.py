"""How much one client may ask for: token buckets, one for each token and each address, and brakes on failed log-ins.

Buckets are kept in this process: several server processes limit apart. The buckets not asked for longest are forgotten
where there are too many; a forgotten bucket is a full one.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from mainsequence.domain.access import Actor
from mainsequence.errors import AuthenticationError, ConfigurationError, TooManyRequestsError
from mainsequence.platform.origin import origin
from mainsequence.platform.platform import Platform
from mainsequence.server.auth import Guard
from mainsequence.server.sessions import Sessions

MOST_BUCKETS = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What a bucket holds at most, and how fast it fills.

    Parameters
    ----------
    per_second
        Requests that may be made for ever, each second.
    burst
        Requests that may be made at once after a pause.
    """

    per_second: float
    burst: int

    @classmethod
    def parse(cls, text: str) -> "Rate | None":
        """Read ``100`` (requests a second), ``100,500`` (and at once), or ``off``.

        Raises
        ------
        ConfigurationError
            It is none of these.
        """
        if text.strip().lower() == "off":
            return None
        first, _, second = text.partition(",")
        try:
            per_second = float(first)
            burst = int(second) if second else max(1, math.ceil(per_second * 5))
        except (ValueError, OverflowError):
            per_second, burst = 0.0, 0
        if not (0 < per_second < math.inf and burst >= 1):
            raise ConfigurationError(
                f"MAINSEQUENCE_RATE_LIMIT {text!r} is no limit.",
                hint="Write requests per second and, after a comma, at once: 100,500; or off.",
            )
        return cls(per_second, burst)

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket fills."""
        return math.ceil(self.burst / self.per_second)


@dataclass(slots=True)
class Decision:
    """Whether a request may be made.

    Parameters
    ----------
    allowed
        Whether.
    remaining
        How many more may be made at once.
    wait
        Seconds until one more may be made, where this one may not.
    reset
        Seconds until the bucket is full again.
    """

    allowed: bool
    remaining: int
    wait: int
    reset: int


@dataclass(slots=True)
class Buckets:
    """Token buckets of one rate, by key.

    Parameters
    ----------
    rate
        What each holds.
    clock
        Seconds; goes on evenly.
    """

    rate: Rate
    clock: Callable[[], float] = time.monotonic
    most: int = MOST_BUCKETS
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, key: str) -> Decision:
        """Take one out, where there is one."""
        with self._lock:
            level, now = self._level(key)
            allowed = level >= 1
            self._keep(key, level - 1 if allowed else level, now)
        left = level - 1 if allowed else level
        wait = 0 if allowed else math.ceil((1 - level) / self.rate.per_second)
        return Decision(allowed, int(left), wait, math.ceil((self.rate.burst - left) / self.rate.per_second))

    def look(self, key: str) -> Decision:
        """Say whether one could be taken out, and leave it."""
        with self._lock:
            level, _ = self._level(key)
        wait = 0 if level >= 1 else math.ceil((1 - level) / self.rate.per_second)
        return Decision(level >= 1, int(level), wait, math.ceil((self.rate.burst - level) / self.rate.per_second))

    def refill(self, key: str) -> None:
        """Fill a bucket up."""
        with self._lock:
            self._levels.pop(key, None)

    def _level(self, key: str) -> tuple[float, float]:
        now = self.clock()
        level, seen = self._levels.get(key, (float(self.rate.burst), now))
        return min(self.rate.burst, level + (now - seen) * self.rate.per_second), now

    def _keep(self, key: str, level: float, now: float) -> None:
        self._levels[key] = (level, now)
        self._levels.move_to_end(key)
        while len(self._levels) > self.most:
            self._levels.popitem(last=False)


ADDRESS_FAILURES = Rate(0.2, 20)
"""Failed log-ins and tokens from one address: 20 at once, then one in five seconds."""

NAME_FAILURES = Rate(0.1, 50)
"""Failed log-ins with one name, wherever they come from: they are somebody trying that name's passwords."""


class Attempts:
    """Brakes on who tries passwords and tokens; whoever succeeds is not held up by it.

    Parameters
    ----------
    failed
        Called with every failure, to count them.
    clock
        Seconds; goes on evenly.
    """

    def __init__(self, failed: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic) -> None:
        self.failed = failed
        self._addresses = Buckets(ADDRESS_FAILURES, clock)
        self._names = Buckets(NAME_FAILURES, clock)

    @contextmanager
    def attempt(self, name: str | None, address: str) -> Iterator[None]:
        """Surround an attempt to log in with a password, or (without a name) to show a token.

        Too many failures from an address, or with a name, refuse further passwords before they are looked at. A token
        has too much chance in it to be guessed: a good one always passes, however many others failed from its address.

        Raises
        ------
        TooManyRequestsError
            There were too many failures.
        AuthenticationError
            This one failed.
        """
        if name is not None:
            self._refuse(address, name)
        try:
            yield
        except AuthenticationError:
            self._count(address, name)
            raise
        if name is not None:
            self._names.refill(name)

    def _refuse(self, address: str, name: str) -> None:
        wait = max(self._addresses.look(address).wait, self._names.look(name).wait)
        if wait:
            raise refused("There were too many failed attempts to log in.", wait)

    def _count(self, address: str, name: str | None) -> None:
        self.failed()
        found = self._addresses.take(address)
        if name is not None:
            self._names.take(name)
        elif not found.allowed:
            raise refused("There were too many requests with tokens that do not hold.", found.wait)


def refused(what: str, wait: int) -> TooManyRequestsError:
    """Give the error for who must wait."""
    return TooManyRequestsError(what, hint=f"Ask again in {wait} s.", retry_after=wait)


class WatchedGuard(Guard):
    """A guard whose every token passes `Attempts.attempt`.

    Parameters
    ----------
    platform, required, sessions
        As of `Guard`.
    attempts
        Counts the tokens that do not hold.
    """

    def __init__(
        self, platform: Platform, attempts: Attempts, *, required: bool, sessions: Sessions | None = None
    ) -> None:
        super().__init__(platform, required=required, sessions=sessions)
        self.attempts = attempts

    def actor(self, secret: str | None) -> Actor:
        """Give whoever bears a token.

        Raises
        ------
        AuthenticationError
            The token does not hold.
        TooManyRequestsError
            Neither did many before it, from the same address.
        """
        with self.attempts.attempt(None, origin().client or ""):
            return super().actor(secret)
