"""Checking that the history of a universe is what was recorded: nothing edited, slipped in, taken out or cut off.

Every revision carries a hash over the one before it, over what was recorded of it, and over the rows that it closed and
opened. All of that is computed again from what is stored. A history that was cut off behind a revision is whole in
itself: it is found out by the feed of changes, which tells every revision, without gaps. Definitions, the kind of the
universe and the time of its creation are compared with the history and the feed. What cannot be read is a finding, and
no number that is stored decides how much is read or how often something is done.

Not covered, as nothing recorded proves it: how the universe is described, deprecated, shared and guarded, whether a
universe of named members is dated, runs of rules, announcements and references; in the feed, who made or described a
universe, when it was described, which universe such an event belongs to, and whether it was private then. Somebody who
may write the whole database can rewrite all of it; only a fingerprint kept elsewhere (``expected_hash``) tells.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mainsequence.compute.intervals import Ints
from mainsequence.compute.ledger_checks import Recorded, changed_assets, overlapping
from mainsequence.contract import explanations as contract
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS
from mainsequence.domain.values import listed
from mainsequence.domain.verification import Finding, VerificationReport
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry import verification as source
from mainsequence.platform.registry.announcements import Announcements
from mainsequence.platform.registry.categories import FIRST_HASH, content_hash
from mainsequence.platform.registry.tables import NEVER
from mainsequence.platform.services import announcement_checks, definition_checks, feed_checks
from mainsequence.platform.work import Work, carries_out


@dataclass(slots=True)
class _History:
    """What is stored of one universe, and the hashes that follow from it."""

    head: Any
    revisions: Sequence[Any]
    recorded: Recorded
    noted: dict[int, Announcements]
    first: int
    hashes: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> list[Any]:
        return [each["revision"] for each in self.revisions]


@carries_out(contract.VERIFY)
def verify(work: Work, body: contract.Verification, *, key: int) -> VerificationReport:
    """Check one universe; every finding is reported."""
    facts = _facts(work, key)
    findings: list[Finding] = []
    history = _read(work, facts, findings)
    for check in (_head, _order, _rows, _chain, _counts, _overlaps):
        findings += check(history)
    findings += announcement_checks.unclaimed(history.revisions, history.noted)
    for compare in (feed_checks.feed, definition_checks.definitions):
        findings += compare(work, facts, history.revisions)
    if body.expected_hash is not None:
        findings += _expected(history, body.expected_hash.strip().lower())
    return VerificationReport(
        unique_identifier=str(facts["unique_identifier"]),
        category_id=key,
        revisions=len(history.revisions),
        rows=len(history.recorded),
        fingerprint=history.hashes[-1] if history.hashes else FIRST_HASH,
        findings=findings,
    )


def _facts(work: Work, key: int) -> Mapping[str, Any]:
    found = source.facts(work.connection, work.actor, key)
    if found is None:
        raise NotFoundError(
            f"There is no asset category with id {key}.", hint="msc.AssetCategory.filter() lists those that exist."
        )
    return found


def _read(work: Work, facts: Mapping[str, Any], findings: list[Finding]) -> _History:
    connection, key = work.connection, facts["id"]
    strange = source.misshapen(connection, key)
    if strange:
        message = f"{strange} intervals hold values that the platform never writes; the intervals were not checked."
        findings.append(Finding(what="rows", message=message))
    recorded = source.everything(connection, key if not strange else -1)
    stored = source.revisions(connection, key)
    revisions = [each for each in stored if all(isinstance(each[name], int) for name in _COUNTED)]
    if len(revisions) < len(stored):
        message = f"{len(stored) - len(revisions)} revisions hold values that the platform never writes."
        findings.append(Finding(what="rows", message=message))
    noted = announcement_checks.by_time(source.announcements(connection, key), findings)
    return _History(facts["head_revision"], revisions, recorded, noted, _first(facts, findings))


def _first(facts: Mapping[str, Any], findings: list[Finding]) -> int:
    """Give the number from which the universe counts."""
    first = facts["first_revision"]
    if type(first) is int and first >= 0:
        return first
    findings.append(Finding(what="head", message=f"The universe is said to count from {first!r:.100}."))
    return 0


_COUNTED = ("revision", "recorded_at", "added", "removed")


def _head(history: _History) -> Iterator[Finding]:
    newest = history.numbers[-1] if history.revisions else history.first
    if history.head != newest:
        yield Finding(what="head", message=f"The head is said to be revision {history.head}, the newest is {newest}.")


def _order(history: _History) -> Iterator[Finding]:
    present = set(history.numbers)
    missing = [number for number in range(history.first + 1, history.first + len(present) + 1) if number not in present]
    if missing:
        yield Finding(what="gap", revision=missing[0], message=f"Revisions are missing: {listed(missing)}, or more.")
    times = [each["recorded_at"] for each in history.revisions]
    for place in range(1, len(times)):
        if times[place - 1] >= times[place]:
            number = history.numbers[place]
            yield Finding(what="order", revision=number, message=f"Revision {number} is no later than the one before.")


def _rows(history: _History) -> Iterator[Finding]:
    recorded, first = history.recorded, history.first
    newest = first + len(history.revisions)
    rows = recorded.rows
    strange = (recorded.added <= first) | (recorded.added > newest) | (recorded.removed <= recorded.added)
    strange |= (recorded.removed > newest) & (recorded.removed != NEVER)
    if strange.any():
        yield Finding(what="rows", message=f"{strange.sum()} intervals belong to revisions that were never recorded.")
    empty = (rows.start >= rows.end) | (rows.start < MIN_MICROS) | (rows.end > MAX_MICROS) | np.isinf(rows.weight)
    if empty.any():
        yield Finding(what="rows", message=f"{empty.sum()} intervals hold no time, or times or weights that cannot be.")


def _chain(history: _History) -> Iterator[Finding]:
    opened, closed = (
        _Blocks.of(history.recorded, history.recorded.added),
        _Blocks.of(history.recorded, history.recorded.removed),
    )
    previous = FIRST_HASH
    for stored in history.revisions:
        number = stored["revision"]
        notes = announcement_checks.of_revision(stored, history.noted)
        found = content_hash(previous, dict(stored), closed.rows(number), opened.rows(number), notes)
        history.hashes.append(found)
        previous = str(stored["content_hash"])
        if found != previous:
            message = (
                f"Revision {number} is not what was recorded: its hash does not follow from it, its "
                f"{opened.size(number)} opened and {closed.size(number)} closed intervals, its "
                f"{len(notes)} announcements, and the revision before."
            )
            yield Finding(what="hash", revision=number, message=message)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The rows of a ledger by the revision that opened or closed them, each block by asset and start."""

    recorded: Recorded
    number: Ints

    @classmethod
    def of(cls, recorded: Recorded, number: Ints) -> "_Blocks":
        order = np.lexsort((recorded.rows.end, recorded.rows.start, recorded.rows.asset, number))
        return cls(recorded.take(order), number[order])

    def _bounds(self, revision: int) -> slice:
        first, last = np.searchsorted(self.number, [revision, revision + 1])
        return slice(int(first), int(last))

    def rows(self, revision: int) -> Any:
        return self.recorded.rows.take(np.arange(*self._bounds(revision).indices(len(self.number))))

    def size(self, revision: int) -> int:
        bounds = self._bounds(revision)
        return int(bounds.stop - bounds.start)


def _counts(history: _History) -> Iterator[Finding]:
    gained, lost = changed_assets(history.recorded.counted_from(history.first), len(history.revisions))
    for stored, added, removed in zip(history.revisions, gained.tolist(), lost.tolist(), strict=True):
        if (stored["added"], stored["removed"]) != (added, removed):
            number = stored["revision"]
            said = f"{stored['added']} added and {stored['removed']} removed"
            message = f"Revision {number} says {said}, its intervals say {added} and {removed}."
            yield Finding(what="count", revision=number, message=message)


def _overlaps(history: _History) -> Iterator[Finding]:
    found = overlapping(history.recorded)
    for number, count in zip(*np.unique(history.recorded.added[found], return_counts=True), strict=True):
        message = f"{count} intervals of revision {number} share time with others of the same asset."
        yield Finding(what="overlap", revision=int(number), message=message)


def _expected(history: _History, expected: str) -> Iterator[Finding]:
    if expected not in {FIRST_HASH, *history.hashes}:
        message = f"No revision has the fingerprint {expected}, which was expected: the history is another one."
        yield Finding(what="expected", message=message)
