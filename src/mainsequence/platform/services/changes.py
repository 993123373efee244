"""The feed of changes: what happens to universes is put there in its own transaction, and read in one order."""

from mainsequence.contract import changes as contract
from mainsequence.domain.changes import ChangeKind, ChangePage
from mainsequence.domain.times import MIN_MICROS
from mainsequence.errors import ValidationError
from mainsequence.platform.registry import feed
from mainsequence.platform.work import Work, carries_out


def take_place(work: Work, not_before: int = MIN_MICROS) -> tuple[int, int]:
    """Take the place in the feed of a revision that is about to be recorded: its position, and its time.

    As late as can be before the commit: the organization's other writers wait from here on. The time is that of now,
    not of the beginning of the work, which may have waited for others; no revision that anybody has seen is as late.
    """
    return feed.next_position(work.connection, work.organization_id, max(work.now, work.clock(), not_before))


def publish_revision(work: Work, category_id: int, revision: int, position: int) -> None:
    """Put a revision into the feed, at the place that was taken for it."""
    feed.publish_revision(work.connection, category_id, revision, position)


def publish(work: Work, category_id: int, kind: ChangeKind) -> None:
    """Put something else that happened to a universe into the feed; a deletion before the universe is gone."""
    position, _ = feed.next_position(work.connection, work.organization_id, work.now)
    feed.publish(work.connection, category_id, kind, position, work.now, work.actor.name)


@carries_out(contract.CHANGES)
def query(work: Work, body: contract.ChangesQuery) -> ChangePage:
    """Read the feed behind a position: each event once, in the order in which they were committed."""
    head = feed.head(work.connection, work.organization_id)
    if body.since > head:
        raise ValidationError(
            f"The feed reaches position {head}, not {body.since}.",
            hint="Was the registry restored from a backup, or is the cursor another platform's? Begin earlier.",
        )
    found = feed.read(work.connection, work.actor, body.since, body.limit, body.category_ids, body.kinds)
    more = len(found) == body.limit
    return ChangePage(changes=found, cursor=found[-1].position if more else head, head=head)
