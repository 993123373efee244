"""Changing membership: every change is one revision."""

from typing import TYPE_CHECKING

import numpy as np

from mainsequence.compute.intervals import Change, Edit, Floats, Intervals, Ints, Verb, apply
from mainsequence.contract import assets as asset_contract
from mainsequence.contract import categories as contract
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.times import (
    MAX_MICROS,
    MIN_MICROS,
    check_interval,
    end_micros,
    start_micros,
)
from mainsequence.domain.values import listed
from mainsequence.errors import (
    InvalidWeightsError,
    StaleRevisionError,
    UnknownAssetsError,
)
from mainsequence.platform.registry import assets as asset_registry
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import ledger, resolution
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.services import assets as assets_service
from mainsequence.platform.services import beside, changes, derived, guards
from mainsequence.platform.services.beside import NOTHING_BESIDE, Beside
from mainsequence.platform.services.guards import EXEMPT, UNASKED, Consent
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    pass


@carries_out(contract.APPEND_ASSETS)
def append_assets(work: Work, body: contract.MembershipEdit, *, key: int) -> CategoryRecord:
    """Make assets members over a window; those that are stay, with their weights unless new ones are given."""
    return _edit(work, Verb.APPEND, body, key)


@carries_out(contract.REMOVE_ASSETS)
def remove_assets(work: Work, body: contract.MembershipEdit, *, key: int) -> CategoryRecord:
    """Take assets out over a window; those that are no members are left alone."""
    if body.weights is not None:
        raise InvalidWeightsError("Removing takes no weights.", hint="Leave weights out.")
    return _edit(work, Verb.REMOVE, body, key)


@carries_out(contract.UPDATE_ASSETS)
def update_assets(work: Work, body: contract.MembershipEdit, *, key: int) -> CategoryRecord:
    """Make the universe exactly these assets over a window, in one step."""
    return _edit(work, Verb.UPDATE, body, key)


def _edit(work: Work, verb: Verb, body: contract.MembershipEdit, key: int) -> CategoryRecord:
    head = begin_change(work, key, body.if_revision)
    derived.refuse_change(head)
    edit = window_of(work, head, verb, body)
    check_assets(work, edit.asset, retired=edit.verb is Verb.REMOVE)
    return commit(work, head, edit, body.reason, Consent(force=body.force))


def commit(
    work: Work, head: CategoryRecord, edit: Edit, reason: str | None, consent: Consent = UNASKED
) -> CategoryRecord:
    """Write an edit as the next revision, or nothing where nothing changes; the caller holds the lock."""
    return commit_change(work, head, apply(present(work, head, edit), edit), str(edit.verb), reason, consent)


def commit_change(
    work: Work,
    head: CategoryRecord,
    change: Change,
    operation: str,
    reason: str | None,
    consent: Consent = UNASKED,
    besides: Beside = NOTHING_BESIDE,
) -> CategoryRecord:
    """Write a change as the next revision, or nothing where nothing changes; the caller holds the lock.

    Every change of every universe passes here, whatever asked for it, and its guards with it; what is recorded besides
    is written in the same revision.

    Raises
    ------
    GuardError
        A guard of the universe refuses the change.
    """
    if operation != "refresh" and not consent.is_exempt:  # a rule decides, and retirement passes all
        derived.refuse_change(head)
    if change.is_empty and not len(besides.notes):
        beside.settle(work, head, besides.decided)
        return head
    guards.check(work, head, change, operation, reason, consent, besides)
    ledger.write(work.connection, head.id, head.revision + 1, change)
    position, recorded_at = changes.take_place(work, beside.not_before(work, head, besides))
    stamp = (recorded_at, consent.author or work.actor.name, operation, reason, consent.approved_by)
    revision = registry.record_revision(work.connection, head, change, *stamp, besides.notes)
    after = registry.by_id(work.connection, work.steward, head.id)
    beside.write(work, after, besides)
    changes.publish_revision(work, head.id, revision, position)
    return after


def begin_change(work: Work, key: int, if_revision: int | None) -> CategoryRecord:
    """Hold a universe against other writers, and give its head, where that is at the revision asked for.

    Raises
    ------
    StaleRevisionError
        It is at another one.
    """
    registry.hold_assets(work.connection, work.organization_id)
    registry.lock(work.connection, key)
    head = _head(work, key)
    check_revision(head, if_revision)
    return head


def _head(work: Work, key: int) -> CategoryRecord:
    return registry.by_id(work.connection, work.actor, key)


def check_revision(head: CategoryRecord, expected: int | None) -> None:
    """Refuse a change that was made for another revision than the head.

    Raises
    ------
    StaleRevisionError
        The universe moved.
    """
    if expected is None or expected == head.revision:
        return
    raise StaleRevisionError(
        f"{head.unique_identifier} is at revision {head.revision}, the change was made for {expected}.",
        hint="Read the universe again, look at diff(), and repeat the change.",
        expected=expected,
        found=head.revision,
    )


def window_of(work: Work, head: CategoryRecord, verb: Verb, body: contract.MembershipEdit) -> Edit:
    """Give the edit that is asked for: without dates for all time, or from now on in a dated universe."""
    ids, weights = _distinct(body)
    start = start_micros(body.effective_from, "effective_from")
    if head.dated and body.effective_from is None:
        start = work.now
    end = end_micros(body.effective_to, "effective_to")
    check_interval(start, end, ("effective_from", "effective_to"))
    return Edit(verb, ids, start, end, weights)


def _distinct(body: contract.MembershipEdit) -> tuple[Ints, Floats | None]:
    ids = np.array(body.asset_ids, dtype=np.int64)
    distinct, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    if body.weights is None:
        return distinct, None
    weights = np.array(body.weights, dtype=np.float64)
    if len(weights) != len(ids):
        raise InvalidWeightsError(f"There are {len(weights)} weights for {len(ids)} assets.", hint="Give one for each.")
    if (weights[first][inverse] != weights).any():
        raise InvalidWeightsError("An asset is named twice with different weights.", hint="Name each asset once.")
    return distinct, weights[first]


def check_assets(work: Work, assets: Ints, *, retired: bool = False) -> None:
    """Refuse ids that do not exist, or, where they are to enter, are retired.

    Raises
    ------
    UnknownAssetsError
        Names them.
    """
    ids = assets.tolist()
    unknown = assets_service.unknown_ids(work, ids, retired=retired)
    if unknown:
        raise _unknown(unknown, len(ids))


def check_rows(work: Work, rows: Intervals) -> None:
    """Refuse assets that do not exist, and membership after an asset was retired: its past may be written.

    Raises
    ------
    UnknownAssetsError
        Names them.
    """
    asked, place = np.unique(rows.asset, return_inverse=True)
    known = resolution.retirement(work.connection, work.organization_id, asked.tolist())
    unknown = [each for each in asked.tolist() if each not in known]
    if unknown:
        raise _unknown(unknown, len(asked))
    retired = np.array([known[each] for each in asked.tolist()], dtype=np.int64)
    late = np.unique(rows.asset[rows.end > retired[place]]) if len(rows) else asked
    if len(late):
        raise UnknownAssetsError(
            f"{len(late)} assets are retired and cannot be members afterwards: {listed(late.tolist())}.",
            hint="End their membership at their retirement, or register them again.",
            unknown=late.tolist()[:1_000],
        )


def _unknown(unknown: list[int], asked: int) -> UnknownAssetsError:
    return UnknownAssetsError(
        f"{len(unknown)} of {asked} asset ids do not exist: {listed(unknown)}. Nothing was changed.",
        hint="msc.Asset.filter(id__in=…) shows which do.",
        unknown=unknown[:1_000],
    )


def present(work: Work, head: CategoryRecord, edit: Edit) -> Intervals:
    """Give the present intervals that an edit concerns."""
    state = State(head.id)
    if edit.verb is Verb.UPDATE:
        return ledger.intervals(work.connection, state, edit.start, edit.end)
    return ledger.intervals_of(work.connection, state, edit.asset, edit.start, edit.end)


@carries_out(asset_contract.RETIRE)
def retire(work: Work, _body: None, *, key: int) -> AssetRecord:
    """Retire an asset: it leaves every universe, its row and its past membership stay readable."""
    registry.hold_assets(work.connection, work.organization_id, retiring=True)
    record = assets_service.get(work, None, key=key)
    if record.retired_at is not None:
        return record
    _leave_everywhere(work, key, f"asset {record.unique_identifier} was retired")
    asset_registry.change(work.connection, key, {"retired_at": work.now})
    return assets_service.get(work, None, key=key)


def _leave_everywhere(work: Work, asset_id: int, reason: str) -> None:
    """Take an asset out of every universe, each in a revision of its own: from now on in dated ones, else for ever."""
    ids = np.array([asset_id], dtype=np.int64)
    for category_id in ledger.universes_of(work.connection, asset_id, work.steward):
        registry.lock(work.connection, category_id)
        head = registry.by_id(work.connection, work.steward, category_id)
        start = work.now if head.dated else MIN_MICROS
        commit(work, head, Edit(Verb.REMOVE, ids, start, MAX_MICROS), reason, EXEMPT)
