"""Whether a universe that is made from others holds other members once one of those has changed, and from when."""

import numpy as np

from mainsequence.compute.interval_algebra import combine_intervals
from mainsequence.compute.intervals import Intervals, coalesce, concatenate, subtract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.composition import Named
from mainsequence.platform.services.derived import network
from mainsequence.platform.work import Work


def differs_from(work: Work, made: CategoryRecord, changed: int, gained: Intervals, lost: Intervals) -> int | None:
    """Give the first time at which a universe made from others would hold other members; ``None`` for never.

    Parameters
    ----------
    changed
        The universe that would change; where a definition pins it, it stays as it is.
    gained, lost
        The time that its assets would gain and lose.
    """
    root = Named(made.id)
    whole = network(work, [root]).until(root)
    ids = np.unique(concatenate(gained, lost).asset)
    before = ledger.intervals_of_each(work.connection, whole.states, None, ids)
    after = [
        coalesce(concatenate(subtract(rows, lost), gained)) if named == Named(changed) else rows
        for named, rows in zip(whole.sources, before, strict=True)
    ]
    old, new = (combine_intervals(sets, whole.formulas) for sets in (before, after))
    starts = concatenate(subtract(old, new), subtract(new, old)).start
    return int(starts.min()) if len(starts) else None
