"""Trying whole units of work again, where the database let one go for a reason that passes."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from mainsequence.errors import MainSequenceError
from mainsequence.platform.registry.failures import is_lost_at_commit, is_worth_another_try

Answer = TypeVar("Answer")

TRIES = 8
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0


def persistently(act: Callable[[], Answer], tries: int = TRIES, *, under_a_key: bool = False) -> Answer:
    """Call a function that does one whole unit of work, again where another try may well succeed.

    That is so after a deadlock, a serialization failure, a race for a unique key, or a connection that was lost before
    the commit: nothing of the work was kept. Pauses double, with jitter; eight tries take about two seconds.
    A connection that was lost during the commit leaves open what became of it: only work ``under_a_key`` is tried again
    then, as its idempotency key was committed with it or not at all.
    """
    for number in range(tries - 1):
        try:
            return act()
        except MainSequenceError as error:
            if error.__cause__ is None or not _may_be_tried_again(error.__cause__, under_a_key):
                raise
        longest = min(FIRST_PAUSE_SECONDS * 2**number, LONGEST_PAUSE_SECONDS)
        time.sleep(longest * random.uniform(0.5, 1))  # noqa: S311 (no secret)
    return act()


def _may_be_tried_again(cause: BaseException, under_a_key: bool) -> bool:
    return is_worth_another_try(cause) or (under_a_key and is_lost_at_commit(cause))
