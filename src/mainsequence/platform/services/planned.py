"""Changes written down, and read back as exactly what they were."""

from collections.abc import Sequence

import numpy as np

from mainsequence.compute.intervals import Change, Intervals, Verb, become
from mainsequence.compute.membership_changes import after, change_of, overlap
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.plans import PlannedChange, Rows
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS
from mainsequence.errors import AlteredPlanError, StaleRevisionError
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.services.beside import NOTHING_BESIDE, Beside
from mainsequence.platform.work import Work

PLANNED = {*map(str, Verb), "change"}
"""What a plan may call itself in the history."""


def written(head: CategoryRecord, change: Change, operation: str, besides: Beside = NOTHING_BESIDE) -> PlannedChange:
    """Write a change down, with what is recorded besides."""
    return PlannedChange(
        category_id=head.id,
        revision=head.revision,
        operation=operation,
        closed=_columns(change.closed),
        opened=_columns(change.opened),
        announced=besides.announced(),
        decided=besides.decided,
    )


def _columns(rows: Intervals) -> Rows:
    return Rows(
        asset_id=rows.asset.tolist(),
        valid_from=[None if each <= MIN_MICROS else each for each in rows.start.tolist()],
        valid_to=[None if each >= MAX_MICROS else each for each in rows.end.tolist()],
        weight=[None if each != each else each for each in rows.weight.tolist()],  # noqa: PLR0124 (NaN is none)
    )


def read_back(work: Work, head: CategoryRecord, given: PlannedChange) -> Change:
    """Give a change that was written down, which must fit the head; the caller holds the lock.

    Raises
    ------
    StaleRevisionError
        The head is not the one that it was made for.
    AlteredPlanError
        It is not what a change of this universe can be.
    """
    check_head(head, given)
    if given.defines:
        raise AlteredPlanError("Members are not made by a definition.", hint="Make the plan again.")
    change = change_of(_rows(given.closed), _rows(given.opened))
    ids = np.unique(np.concatenate([change.closed.asset, change.opened.asset]))
    present = ledger.intervals_of(work.connection, State(head.id), ids, MIN_MICROS, MAX_MICROS)
    wanted = after(present, change)
    again = become(present, wanted)
    if overlap(wanted) or not (_same(again.closed, change.closed) and _same(again.opened, change.opened)):
        raise AlteredPlanError(
            f"The plan does not fit {head.unique_identifier!r} at revision {head.revision}.", hint="Make it again."
        )
    return again


def check_head(head: CategoryRecord, given: PlannedChange) -> None:
    """Refuse what was planned for another universe, or for another revision than the head.

    Raises
    ------
    StaleRevisionError
        The universe moved.
    AlteredPlanError
        It is another one.
    """
    if given.category_id != head.id:
        raise AlteredPlanError(
            f"The plan is for the asset category with id {given.category_id}, not for {head.unique_identifier!r}.",
            hint="Apply it to the universe that it was made for.",
        )
    check_revision(head, given.revision)


def check_revision(head: CategoryRecord, expected: int) -> None:
    """Refuse what was planned for another revision than the head.

    Raises
    ------
    StaleRevisionError
        The universe moved.
    """
    if head.revision != expected:
        raise StaleRevisionError(
            f"{head.unique_identifier} is at revision {head.revision}, the change was planned for {expected}.",
            hint="Plan it again, and look at what is different now.",
            expected=expected,
            found=head.revision,
        )


def _rows(given: Rows) -> Intervals:
    try:
        return Intervals(
            np.array(given.asset_id, dtype=np.int64),
            _bounds(given.valid_from, MIN_MICROS),
            _bounds(given.valid_to, MAX_MICROS),
            np.array(given.weight, dtype=np.float64),
        )
    except OverflowError:
        raise AlteredPlanError("The plan holds numbers that no plan has.", hint="Make it again.") from None


def _bounds(given: Sequence[int | None], infinity: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.array([infinity if each is None else each for each in given], dtype=np.int64)


def _same(one: Intervals, other: Intervals) -> bool:
    if len(one) != len(other):
        return False
    a, b = (rows.take(np.lexsort((rows.start, rows.asset))) for rows in (one, other))
    same = (a.asset == b.asset) & (a.start == b.start) & (a.end == b.end)
    return bool((same & ((a.weight == b.weight) | (np.isnan(a.weight) & np.isnan(b.weight)))).all())
