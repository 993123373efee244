"""Why an asset is in a universe, or is not; and going back to what was recorded before."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mainsequence.compute.intervals import Change, Intervals, Ints, become, concatenate
from mainsequence.contract import explanations as contract
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryRecord, Revision
from mainsequence.domain.explanations import Course, Explanation, Row, Touch
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros, open_datetime, to_micros
from mainsequence.domain.values import listed
from mainsequence.errors import ConflictError
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.services import assets as assets_service
from mainsequence.platform.services import derived, memberships, redefining
from mainsequence.platform.services.guards import Consent
from mainsequence.platform.services.membership_reads import membership_of, state_of
from mainsequence.platform.work import Work, carries_out

Why = Callable[[Work, CategoryRecord, contract.ExplainQuery], list[str]]

WHY: dict[str, Why] = {}
"""What else there is to say of universes of a kind (``expression``, ``rule``), by whoever knows: `Explanation.why`."""


@carries_out(contract.EXPLAIN)
def explain(work: Work, body: contract.ExplainQuery, *, key: int) -> Explanation:
    """Say why an asset is a member at a time as one state has it, or is not."""
    head = registry.by_id(work.connection, work.actor, key)
    asset = assets_service.get(work, None, key=body.asset_id)
    time = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    made = (_of_derived if derived.is_derived(head) else _of_ledger)(work, head, asset, body, time)
    why = WHY[head.kind](work, head, body) if head.kind in WHY else []
    return made.model_copy(update={"why": why}) if why else made


def _of_ledger(
    work: Work, head: CategoryRecord, asset: AssetRecord, body: contract.ExplainQuery, time: int
) -> Explanation:
    state = state_of(work, head.id, body.revision, body.known_at)
    revision = head.revision if state.revision is None else state.revision
    course = Course(ledger.rows_ever(work.connection, head.id, asset.id, revision), revision, time)
    return _explained(head, asset, course, _recorded(work, head.id, course))


def _of_derived(
    work: Work, head: CategoryRecord, asset: AssetRecord, body: contract.ExplainQuery, time: int
) -> Explanation:
    rows = membership_of(work, head.id, body.revision, body.known_at).intervals(MIN_MICROS, MAX_MICROS)
    rows = rows.take(rows.asset == asset.id)
    spells = [
        Row(start, end, None, 0, MAX_MICROS) for start, end in zip(rows.start.tolist(), rows.end.tolist(), strict=True)
    ]
    return _explained(head, asset, Course(spells, head.revision, time), {})


def _recorded(work: Work, category_id: int, course: Course) -> dict[int, Revision]:
    numbers = {each.added for each in course.rows} | {each.removed for each in course.rows}
    return {each.revision: each for each in registry.revisions(work.connection, category_id, sorted(numbers))}


def _explained(head: CategoryRecord, asset: AssetRecord, course: Course, recorded: dict[int, Revision]) -> Explanation:
    touches = [_touch(recorded[number], effect, row) for number, effect, row in course.touched() if number in recorded]
    spell, row = course.spell(), course.holding(course.revision)
    left, enters = (course.left(), course.enters()) if spell is None else (None, None)
    return Explanation(
        unique_identifier=head.unique_identifier,
        asset_id=asset.id,
        asset_unique_identifier=asset.unique_identifier,
        as_of=from_micros(course.time),
        revision=course.revision,
        is_member=spell is not None,
        since=None if spell is None else open_datetime(spell[0]),
        until=None if spell is None else open_datetime(spell[1]),
        weight=None if row is None else row.weight,
        by=_by(course, touches, left, recorded),
        left_at=None if left is None else open_datetime(left),
        enters_at=None if enters is None else open_datetime(enters),
        enters_by=None if enters is None else recorded.get(course.recorded_start(enters)),
        ever_member=bool(course.rows),
        touches=touches,
    )


def _touch(revision: Revision, effect: Any, row: Row | None) -> Touch:
    start, end, weight = (None, None, None) if row is None else (row.start, row.end, row.weight)
    return Touch(
        effect=effect,
        revision=revision,
        valid_from=None if start is None else open_datetime(start),
        valid_to=None if end is None else open_datetime(end),
        weight=weight,
    )


def _by(course: Course, touches: list[Touch], left: int | None, recorded: dict[int, Revision]) -> Revision | None:
    """Give the revision that put the asset in or took it out.

    For one that was never in at the time, that is the one which recorded when its last membership before ended.
    """
    deciding = [each.revision for each in touches if each.effect in ("entered", "left")]
    if deciding:
        return deciding[-1]
    return None if left is None else recorded.get(course.recorded_end(left))


@carries_out(contract.REVERT)
def revert(work: Work, body: contract.Reversion, *, key: int) -> CategoryRecord:
    """Make the membership exactly what it was in a recorded state, weights and dates too; that is a new revision.

    A universe that is made from others gets the expression that it had.

    Raises
    ------
    ConflictError
        It would bring back assets that were retired since.
    """
    if derived.is_derived(registry.by_id(work.connection, work.actor, key)):
        return redefining.revert(work, body, key=key)
    head = memberships.begin_change(work, key, body.if_revision)
    derived.refuse_change(head)
    state = state_of(work, key, body.revision, body.known_at)
    number = head.revision if state.revision is None else state.revision
    present, wanted = (_everything(work, each) for each in (State(key), state))
    change = become(present, wanted)
    retired = np.array(assets_service.unknown_ids(work, change.gained.tolist()), dtype=np.int64)
    if len(retired) and not body.leave_retired_out:
        raise _retired(work, head, number, retired)
    if len(retired):
        change = _without(present, wanted, retired)
    return memberships.commit_change(work, head, change, f"revert to {number}", body.reason, Consent(force=body.force))


def _everything(work: Work, state: State) -> Intervals:
    return ledger.intervals(work.connection, state, MIN_MICROS, MAX_MICROS)


def _without(present: Intervals, wanted: Intervals, retired: Ints) -> Change:
    """Go back with everybody but those who are retired: they stay as they are."""
    kept = present.take(np.isin(present.asset, retired))
    return become(present, concatenate(wanted.take(~np.isin(wanted.asset, retired)), kept))


def _retired(work: Work, head: CategoryRecord, number: int, retired: Ints) -> ConflictError:
    names = sorted(ledger.identifiers(work.connection, retired).values())
    return ConflictError(
        f"Revision {number} of {head.unique_identifier} has members that are retired now: {listed(names)}. "
        "Nothing was changed.",
        hint="Register them again, or revert with leave_retired_out=True: they stay as they are now.",
        retired=names[:1_000],
    )
