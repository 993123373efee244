"""What an examination of a platform finds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mainsequence.errors import MainSequenceError


class Level(StrEnum):
    """How bad it is: fine, worth a look, or something that does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined: what was found, and what to do about it."""

    check: str
    level: Level
    found: str
    advice: str = ""


def fine(check: str, found: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(check, Level.OK, found)


def worth_a_look(check: str, found: str, advice: str) -> Finding:
    """Say that something works and may not go on to."""
    return Finding(check, Level.WARN, found, advice)


def wrong(check: str, found: str, advice: str) -> Finding:
    """Say that something does not work."""
    return Finding(check, Level.FAIL, found, advice)


def examined(check: str, examine: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Give what an examination finds; where it is refused, the refusal is what was found."""
    try:
        yield from examine()
    except MainSequenceError as error:
        yield wrong(check, error.message, error.hint or "")


def skew(check: str, seconds: float, whose: str) -> Finding:
    """Judge how far another clock is ahead of this one."""
    found = f"{whose} is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this machine's"
    if abs(seconds) < 5:
        return fine(check, f"{whose} agrees with this machine's within 5 s")
    advice = "Let both machines keep time by NTP: revisions are stamped with the platform's clock."
    return worth_a_look(check, found, advice) if abs(seconds) < 60 else wrong(check, found, advice)
