"""Checking the feed of changes against the history of a universe: for `verify`.

Every event of a revision says what the revision says. Of the creation and of new descriptions nothing else tells who
made them, and of new descriptions not when; and nothing tells whether a universe was private at an event.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from mainsequence.domain.changes import ChangeKind
from mainsequence.domain.values import listed
from mainsequence.domain.verification import Finding
from mainsequence.platform.registry import verification as source
from mainsequence.platform.work import Work

Row: TypeAlias = Mapping[str, Any]

_TOLD = ("recorded_at", "actor", "operation", "reason", "added", "removed", "content_hash")
_OF_REVISIONS = ("operation", "reason", "added", "removed", "content_hash")


def feed(work: Work, facts: Row, revisions: Sequence[Row]) -> Iterator[Finding]:
    """Compare the events of a universe with its revisions and its creation."""
    events = source.events(work.connection, facts["id"])
    changed = [each for each in events if each["kind"] == ChangeKind.CHANGED]
    yield from _known(changed, {each["revision"]: each for each in revisions})
    yield from _creation([each for each in events if each["kind"] == ChangeKind.CREATED], facts)
    yield from _others(events, facts["first_revision"])
    yield from _places(events, facts)
    yield from _names(events, facts, source.former_names(work.connection, facts["id"]))
    yield from _gaps(*source.feed_size(work.connection, facts["organization_id"]))


def _finding(revision: Any, message: str) -> Finding:
    return Finding(what="feed", revision=revision if type(revision) is int else None, message=message)


def _known(changed: Sequence[Row], stored: Mapping[int, Row]) -> Iterator[Finding]:
    """Compare the events of revisions with the revisions."""
    fed = {each["revision"]: each for each in changed}
    strange = [each for each in fed if type(each) is not int]
    if strange or len(fed) < len(changed):
        yield _finding(None, "The feed of changes tells revisions twice, or some that have no number.")
    cut = sorted(fed.keys() - stored.keys() - set(strange))
    if cut:
        message = f"The feed of changes knows revisions that are gone: {listed(cut)}. The history was cut off."
        yield _finding(cut[0], message)
    for number in sorted(stored.keys() - fed.keys()):
        yield _finding(number, f"The feed of changes does not know revision {number}.")
    for number in sorted(stored.keys() & (fed.keys() - set(strange))):
        other = [name for name in _TOLD if not _same(stored[number][name], fed[number][name])]
        if other:
            yield _finding(number, f"The feed of changes tells revision {number} otherwise: {', '.join(other)}.")


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _creation(created: Sequence[Row], facts: Row) -> Iterator[Finding]:
    if len(created) != 1:
        yield _finding(None, f"The feed of changes tells the creation {len(created)} times.")
    elif not _same(created[0]["recorded_at"], facts["created_at"]):
        at = f"{facts['created_at']!r:.100}, the feed of changes says {created[0]['recorded_at']!r:.100}"
        yield Finding(what="created", message=f"The universe is said to have been created at {at} (microseconds).")


def _others(events: Sequence[Row], first: Any) -> Iterator[Finding]:
    """Check that what is no revision says nothing of one but the newest before it."""
    newest: Any = first
    for each in events:
        if each["kind"] == ChangeKind.CHANGED:
            newest = each["revision"]
        elif each["kind"] not in (ChangeKind.CREATED, ChangeKind.DESCRIBED):
            yield _finding(None, f"The feed of changes tells of {each['kind']!r:.100}, which cannot be.")
        elif each["revision"] != newest or any(each[name] is not None for name in _OF_REVISIONS):
            yield _finding(None, f"The event {each['position']!r:.100} in the feed of changes tells of a revision.")


def _places(events: Sequence[Row], facts: Row) -> Iterator[Finding]:
    strange = sum(
        each["organization_id"] != facts["organization_id"]
        or type(each["recorded_at"]) is not int
        or type(each["actor"]) is not str
        for each in events
    )
    if strange:
        yield _finding(None, f"{strange} events hold values that the platform never writes.")


def _names(events: Sequence[Row], facts: Row, former: Sequence[Any]) -> Iterator[Finding]:
    """Check the names in events: new ones come with new descriptions, the newest event has the present one."""
    named = [(each["unique_identifier"], each["kind"] == ChangeKind.DESCRIBED) for each in events]
    known = {facts["unique_identifier"], *former}
    wrong = {name for name, _ in named if name not in known}
    wrong |= {name for (before, _), (name, anew) in pairwise(named) if name != before and not anew}
    if named and named[-1][0] != facts["unique_identifier"]:
        wrong.add(named[-1][0])
    for name in wrong:
        yield _finding(None, f"The feed of changes calls the universe {name!r:.300} where it had another name.")


def _gaps(head: Any, events: int, inside: int) -> Iterator[Finding]:
    if type(head) is not int:
        yield _finding(None, f"The feed of changes is said to reach {head!r:.100}.")
    elif head != inside:
        yield _finding(None, f"The feed of changes lacks {head - inside} events: some were taken out.")
    elif events != inside:
        yield _finding(None, f"The feed of changes holds {events - inside} events at places that it has not.")
