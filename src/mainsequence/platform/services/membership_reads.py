"""Reading membership: every read is of one recorded state, valid at a time or over a window."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import ColumnElement

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
from mainsequence.errors import UnknownRevisionError, ValidationError
from mainsequence.platform.registry import assets as asset_registry
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa


def state_of(work: Work, key: int, revision: int | None, known_at: Any) -> State:
    """Resolve which recorded state is asked for.

    Raises
    ------
    UnknownRevisionError
        The revision was never recorded, or the universe did not exist at ``known_at``.
    ValidationError
        Both were given.
    """
    head = registry.by_id(work.connection, work.actor, key)
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
