"""Why an asset is in a universe, or is not: read from every interval that was ever recorded for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from pydantic import Field

from mainsequence.domain.categories import Revision
from mainsequence.domain.pins import written
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value


class Effect(StrEnum):
    """What a revision did to one asset at one time."""

    ENTERED = "entered"
    LEFT = "left"
    REWEIGHTED = "reweighted"
    REDATED = "redated"


_DID = {
    Effect.ENTERED: "put it in",
    Effect.LEFT: "took it out",
    Effect.REWEIGHTED: "changed its weight",
    Effect.REDATED: "changed since when or until when",
}


class Touch(Value):
    """A revision that touched the membership of one asset at one time, and what held afterwards.

    ``valid_from`` and ``valid_to`` are ``None`` where they are open, and where the asset was out.
    """

    effect: Effect
    revision: Revision
    valid_from: Instant | None
    valid_to: Instant | None
    weight: float | None


class Explanation(Value):
    """Why an asset is in a universe at a time, or is not, as one recorded state has it.

    ``str()`` gives it as sentences.
    """

    unique_identifier: str = Field(description="The universe")
    asset_id: int
    asset_unique_identifier: str
    as_of: Instant
    revision: int = Field(description="The recorded state that is explained")
    is_member: bool
    since: Instant | None = Field(description="When this membership began; null where it always held, or does not")
    until: Instant | None = Field(description="When it ends; null where no end is recorded, or it does not hold")
    weight: float | None
    by: Revision | None = Field(description="The revision that put it in, or took it out; null where none ever did")
    left_at: Instant | None = Field(description="For one that is out: when its last membership before ended")
    enters_at: Instant | None = Field(description="For one that is out: when its next membership begins")
    enters_by: Revision | None = Field(description="The revision that recorded that")
    ever_member: bool = Field(description="Whether it is a member at any time, or ever was recorded as one")
    touches: list[Touch] = Field(description="Every revision that touched its membership at this time, oldest first")
    why: list[str] = Field(default_factory=list, description="What the rule or the expression of the universe says")

    def sentences(self) -> list[str]:
        """Give the explanation as sentences for people."""
        told = [self._standing(), *self._author()]
        if self.touches[1:]:
            several = ", ".join(f"{each.revision.revision} {_DID[each.effect]}" for each in self.touches)
            told.append(f"Revisions that touched it: {several}.")
        return [*told, *(each if each.endswith(".") else f"{each}." for each in self.why)]

    def _standing(self) -> str:
        where = f"{self.asset_unique_identifier} is {'' if self.is_member else 'not '}in {self.unique_identifier}"
        at = f"{where} at {written(self.as_of)} (revision {self.revision})"
        if not self.is_member:
            return f"{at}{self._absence()}."
        since = "from the beginning" if self.since is None else f"since {written(self.since)}"
        until = "with no end recorded" if self.until is None else f"until {written(self.until)}"
        spell = "for all time" if self.since is None and self.until is None else f"{since}, {until}"
        weight = "" if self.weight is None else f", with weight {self.weight:g}"
        return f"{at}: {spell}{weight}."

    def _absence(self) -> str:
        if not self.ever_member:
            return ", and never was"
        left = [] if self.left_at is None else [f"its last membership ended at {written(self.left_at)}"]
        enters = [] if self.enters_at is None else [f"it comes in at {written(self.enters_at)}"]
        return f": {' and '.join([*left, *enters])}" if left or enters else ", at no time"

    def _author(self) -> Iterator[str]:
        if self.by is not None:
            deed = "put it in" if self.is_member else "took it out" if self._was_taken_out else "recorded that end"
            yield f"{told(self.by)} {deed}."
        if self.enters_by is not None and self.enters_by != self.by:
            yield f"{told(self.enters_by)} recorded that it comes in."

    @property
    def _was_taken_out(self) -> bool:
        return any(each.effect is Effect.LEFT for each in self.touches)

    def __str__(self) -> str:
        return " ".join(self.sentences())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first, *others = map(escape, self.sentences())
        touches = "".join(f"<li>{escape(f'{told(each.revision)} {_DID[each.effect]}')}</li>" for each in self.touches)
        return f"<p><b>{first}</b> {' '.join(others)}</p><ul>{touches}</ul>"


def told(revision: Revision) -> str:
    """Write who recorded a revision, when and why."""
    why = f": “{revision.reason}”" if revision.reason else ""
    when = f"{revision.recorded_at:%Y-%m-%d %H:%M:%S} UTC"
    approved = "" if revision.approved_by is None else f", approved by {revision.approved_by}"
    return f"Revision {revision.revision} ({revision.operation} by {revision.actor}{approved}, {when}{why})"


@dataclass(frozen=True, slots=True)
class Row:
    """One interval ``[start, end)`` as the ledger has it: who recorded it, and who superseded it.

    Times are microseconds UTC, infinities are sentinels; ``removed`` is larger than any revision where it still holds.
    """

    start: int
    end: int
    weight: float | None
    added: int
    removed: int

    def holds(self, revision: int, time: int | None = None) -> bool:
        """Whether it belongs to a recorded state, and is valid at a time."""
        recorded = self.added <= revision < self.removed
        return recorded and (time is None or self.start <= time < self.end)


@dataclass(frozen=True, slots=True)
class Course:
    """Every interval that was ever recorded for one asset in one universe, as one state and time look at it."""

    rows: Sequence[Row]
    revision: int
    time: int

    def touched(self) -> Iterator[tuple[int, Effect, Row | None]]:
        """Give each revision, up to the state, that touched what holds at the time: what it did, and what held then."""
        before: Row | None = None
        recorded = {each.added for each in self.rows} | {each.removed for each in self.rows}
        for revision in sorted(each for each in recorded if each <= self.revision):
            after = self.holding(revision)
            if after is not before:
                yield revision, _effect(before, after), after
            before = after

    def holding(self, revision: int) -> Row | None:
        """Give the interval that holds at the time in a recorded state."""
        return next((each for each in self.rows if each.holds(revision, self.time)), None)

    def spells(self) -> list[tuple[int, int]]:
        """Give the time for which the asset is a member in the state: intervals that touch are one."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted((each.start, each.end) for each in self.rows if each.holds(self.revision)):
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return joined

    def spell(self) -> tuple[int, int] | None:
        """Give the one that holds at the time."""
        return next((each for each in self.spells() if each[0] <= self.time < each[1]), None)

    def left(self) -> int | None:
        """Give the end of the last one before the time."""
        return max((end for _, end in self.spells() if end <= self.time), default=None)

    def enters(self) -> int | None:
        """Give the start of the next one behind the time."""
        return min((start for start, _ in self.spells() if start > self.time), default=None)

    def recorded_end(self, end: int) -> int:
        """Give the revision that first recorded an end that the state has."""
        return min(each.added for each in self.rows if each.end == end)

    def recorded_start(self, start: int) -> int:
        """Give the revision that first recorded a start that the state has."""
        return min(each.added for each in self.rows if each.start == start)


def _effect(before: Row | None, after: Row | None) -> Effect:
    if after is None:
        return Effect.LEFT
    if before is None:
        return Effect.ENTERED
    return Effect.REWEIGHTED if before.weight != after.weight else Effect.REDATED
