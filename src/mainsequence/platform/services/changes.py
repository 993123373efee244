"""The feed of changes: what happens to universes is put there in its own transaction, and read in one order."""

from mainsequence.contract import changes as contract
from mainsequence.domain.changes import ChangeKind, ChangePage
from mainsequence.errors import ValidationError
from mainsequence.platform.registry import feed
from mainsequence.platform.work import Work, carries_out


def publish_revision(work: Work, category_id: int, revision: int) -> None:
    """Put a revision into the feed; last thing before the commit, as other writers wait from here on."""
    position = feed.next_position(work.connection, work.organization_id)
    feed.publish_revision(work.connection, category_id, revision, position)


def publish(work: Work, category_id: int, kind: ChangeKind) -> None:
    """Put something else that happened to a universe into the feed; a deletion before the universe is gone."""
    position = feed.next_position(work.connection, work.organization_id)
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
