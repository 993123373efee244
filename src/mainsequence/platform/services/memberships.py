"""Membership: every change is one revision, every read is of one recorded state."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import ColumnElement

from mainsequence.compute.intervals import Edit, Floats, Intervals, Ints, Verb, apply
from mainsequence.contract import assets as asset_contract
from mainsequence.contract import categories as contract
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryDiff, CategoryRecord
from mainsequence.domain.times import (
    MAX_MICROS,
    MIN_MICROS,
    check_interval,
    end_micros,
    start_micros,
    to_micros,
)
from mainsequence.domain.values import listed
from mainsequence.errors import (
    InvalidWeightsError,
    StaleRevisionError,
    UnknownAssetsError,
    UnknownRevisionError,
    ValidationError,
)
from mainsequence.platform.registry import assets as asset_registry
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services import assets as assets_service
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa


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
    registry.hold_assets(work.connection, work.organization_id)
    registry.lock(work.connection, key)
    head = _head(work, key)
    _check_revision(head, body.if_revision)
    edit = _window(work, head, verb, body)
    _check_assets(work, edit)
    return commit(work, head, edit, body.reason)


def commit(work: Work, head: CategoryRecord, edit: Edit, reason: str | None) -> CategoryRecord:
    """Write an edit as the next revision, or nothing where nothing changes; the caller holds the lock."""
    change = apply(_present(work, head, edit), edit)
    if change.is_empty:
        return head
    stamp = (work.now, work.actor.name, str(edit.verb), reason)
    revision = registry.record_revision(work.connection, head, change, *stamp)
    ledger.write(work.connection, head.id, revision, change)
    return _head(work, head.id)


def _head(work: Work, key: int) -> CategoryRecord:
    return registry.by_id(work.connection, work.organization_id, key)


def _check_revision(head: CategoryRecord, expected: int | None) -> None:
    if expected is None or expected == head.revision:
        return
    raise StaleRevisionError(
        f"{head.unique_identifier} is at revision {head.revision}, the change was made for {expected}.",
        hint="Read the universe again, look at diff(), and repeat the change.",
        expected=expected,
        found=head.revision,
    )


def _window(work: Work, head: CategoryRecord, verb: Verb, body: contract.MembershipEdit) -> Edit:
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


def _check_assets(work: Work, edit: Edit) -> None:
    ids = edit.asset.tolist()
    unknown = assets_service.unknown_ids(work, ids, retired=edit.verb is Verb.REMOVE)
    if unknown:
        raise UnknownAssetsError(
            f"{len(unknown)} of {len(ids)} asset ids do not exist: {listed(unknown)}. Nothing was changed.",
            hint="msc.Asset.filter(id__in=…) shows which do.",
            unknown=unknown[:1_000],
        )


def _present(work: Work, head: CategoryRecord, edit: Edit) -> Intervals:
    state = State(head.id)
    if edit.verb is Verb.UPDATE:
        return ledger.intervals(work.connection, state, edit.start, edit.end)
    return ledger.intervals_of(work.connection, state, edit.asset, edit.start, edit.end)


def state_of(work: Work, key: int, revision: int | None, known_at: Any) -> State:
    """Resolve which recorded state is asked for.

    Raises
    ------
    UnknownRevisionError
        The revision was never recorded, or the universe did not exist at ``known_at``.
    ValidationError
        Both were given.
    """
    head = _head(work, key)
    if revision is not None and known_at is not None:
        raise ValidationError("revision and known_at both say which state is meant.", hint="Give one of them.")
    if known_at is not None:
        return State(key, _known_at(work, head, to_micros(known_at, "known_at")))
    if revision is not None and revision > head.revision:
        raise UnknownRevisionError(
            f"{head.unique_identifier} has no revision {revision}; its head is {head.revision}.",
            hint="history() lists the revisions.",
        )
    return State(key, None if revision == head.revision else revision)


def _known_at(work: Work, head: CategoryRecord, time: int) -> int:
    if time < to_micros(head.created_at):
        raise UnknownRevisionError(
            f"{head.unique_identifier} was created at {head.created_at}; nothing was known before.",
            hint="Ask for a later known_at.",
        )
    return registry.revision_known_at(work.connection, head.id, time)


def _time(work: Work, body: contract.AsOf) -> int:
    return work.now if body.as_of is None else to_micros(body.as_of, "as_of")


@carries_out(contract.ASSET_IDS)
def asset_ids(work: Work, body: contract.AsOf, *, key: int) -> list[int]:
    """Read the ids of the members, sorted."""
    state = state_of(work, key, body.revision, body.known_at)
    return ledger.asset_ids(work.connection, state, _time(work, body))


@carries_out(contract.ASSETS)
def assets(work: Work, body: contract.AsOf, *, key: int) -> list[AssetRecord]:
    """Read the members, in the order of their ids."""
    state = state_of(work, key, body.revision, body.known_at)
    return _records(work, asset.c.id.in_(ledger.member_ids_query(state, _time(work, body))))


def _records(work: Work, condition: ColumnElement[bool]) -> list[AssetRecord]:
    return asset_registry.read(work.connection, asset_registry.selection().where(condition).order_by(asset.c.id))


@carries_out(contract.WEIGHTS)
def weights(work: Work, body: contract.AsOf, *, key: int) -> dict[str, Any]:
    """Read the weights of the members by unique identifier; null where a member has none."""
    state = state_of(work, key, body.revision, body.known_at)
    return ledger.weights(work.connection, state, _time(work, body))


@carries_out(contract.MEMBERS)
def members(work: Work, body: contract.Span, *, key: int) -> "pa.Table":
    """Read validity intervals: asset id, unique identifier, valid_from, valid_to (null is open), weight."""
    import pyarrow as pa

    state = state_of(work, key, body.revision, body.known_at)
    start, end = start_micros(body.start), end_micros(body.end)
    check_interval(start, end)
    rows = ledger.intervals(work.connection, state, start, end)
    rows = rows.take((rows.start < end) & (rows.end > start))
    names = ledger.identifiers(work.connection, np.unique(rows.asset))
    stamp = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "asset_id": rows.asset,
            "unique_identifier": pa.array([names[key] for key in rows.asset.tolist()], pa.string()),
            "valid_from": pa.array(rows.start, mask=rows.start <= MIN_MICROS).cast(stamp),
            "valid_to": pa.array(rows.end, mask=rows.end >= MAX_MICROS).cast(stamp),
            "weight": pa.array(rows.weight, mask=np.isnan(rows.weight)),
        }
    )


@carries_out(contract.DIFF)
def diff(work: Work, body: contract.DiffQuery, *, key: int) -> CategoryDiff:
    """Compare two states: who entered, who left, whose weight changed from a to b."""
    a, b = (_weighted(work, key, side) for side in (body.a, body.b))
    changed = [each for each in a.keys() & b.keys() if a[each] != b[each]]

    def records(ids: Iterable[int]) -> list[AssetRecord]:
        return _records(work, within(work.connection, asset.c.id, ids))

    return CategoryDiff(entered=records(b.keys() - a), left=records(a.keys() - b), reweighted=records(changed))


def _weighted(work: Work, key: int, side: contract.AsOf) -> dict[int, float | None]:
    state = state_of(work, key, side.revision, side.known_at)
    return ledger.weights_by_id(work.connection, state, _time(work, side))


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
    for category_id in ledger.universes_of(work.connection, asset_id, work.organization_id):
        registry.lock(work.connection, category_id)
        head = _head(work, category_id)
        start = work.now if head.dated else MIN_MICROS
        commit(work, head, Edit(Verb.REMOVE, ids, start, MAX_MICROS), reason)
