"""Reading membership: every read is of one recorded state, valid at a time or over a window."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import ColumnElement

from mainsequence.compute.intervals import Intervals
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
from mainsequence.platform.registry import former, ledger
from mainsequence.platform.registry.composition import HEAD
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services import derived
from mainsequence.platform.services.derived import Derived
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa


def state_of(work: Work, key: int, revision: int | None, known_at: Any) -> State:
    """Resolve which recorded state of a ledger is asked for.

    Raises
    ------
    UnknownRevisionError
        The revision was never recorded, or the universe did not exist at ``known_at``.
    ValidationError
        Both were given.
    DerivedUniverseError
        The universe is made from others and has no ledger; `membership_of` reads any universe.
    """
    head = registry.by_id(work.connection, work.actor, key)
    if derived.is_derived(head):
        raise derived.no_ledger(head) if revision is None else derived.refuse_revision(head, revision)
    return _state(work, head, revision, known_at)


def _state(work: Work, head: CategoryRecord, revision: int | None, known_at: Any) -> State:
    key = head.id
    _one_of(revision, known_at)
    if known_at is not None:
        return State(key, _known_at(work, head, to_micros(known_at, "known_at")))
    if revision is not None and revision > head.revision:
        raise UnknownRevisionError(
            f"{head.unique_identifier} has no revision {revision}; its head is {head.revision}.",
            hint="history() lists the revisions.",
        )
    check_begun(work, head, revision)
    return State(key, None if revision == head.revision else revision)


def check_begun(work: Work, head: CategoryRecord, revision: int | None) -> None:
    """Refuse a revision that only a deleted universe of the same name had.

    Raises
    ------
    UnknownRevisionError
        It counts from a later one.
    """
    first = 0 if revision is None else former.first_revision(work.connection, head.id)
    if revision is not None and revision < first:
        raise of_a_former(head.unique_identifier, revision, first)


def of_a_former(name: str, revision: int, first: int) -> UnknownRevisionError:
    """Say that a revision was one of a universe that had a name before, and was deleted."""
    return UnknownRevisionError(
        f"{name} has no revision {revision}: it counts from {first}, behind one of that name that was deleted.",
        hint="history() lists the revisions.",
    )


@dataclass(frozen=True, slots=True)
class Held:
    """The members of a universe with a ledger of its own, in one recorded state."""

    work: Work
    state: State

    def ids(self, time: int) -> list[int]:
        """Give the ids of the members at a time, sorted."""
        return ledger.asset_ids(self.work.connection, self.state, time)

    def condition(self, time: int) -> ColumnElement[bool]:
        """Give the condition that an asset is a member at a time."""
        return asset.c.id.in_(ledger.members_query(self.work.connection, self.state, time))

    def intervals(self, start: int, end: int) -> Intervals:
        """Give the intervals that overlap or touch a window, whole."""
        return ledger.intervals(self.work.connection, self.state, start, end)

    def weights_by_id(self, time: int) -> dict[int, float | None]:
        """Give the weights of the members at a time by id; None where a member has none."""
        return ledger.weights_by_id(self.work.connection, self.state, time)

    def weights(self, time: int, after: int | None = None, limit: int | None = None) -> dict[str, float | None]:
        """Give the weights of the members at a time by unique identifier, in its order; a part in that of the ids."""
        return ledger.weights(self.work.connection, self.state, time, after, limit)


def membership_of(work: Work, key: int, revision: int | None = None, known_at: Any = None) -> Held | Derived:
    """Give the members of any universe, whether it has a ledger or is made from others, in one state.

    Raises
    ------
    UnknownRevisionError, ValidationError
        As `state_of`.
    DerivedUniverseError
        A revision was asked of a universe that is made from others.
    """
    head = registry.by_id(work.connection, work.actor, key)
    if not derived.is_derived(head):
        return Held(work, _state(work, head, revision, known_at))
    _one_of(revision, known_at)
    if revision is not None:
        raise derived.refuse_revision(head, revision)
    return derived.membership(work, head, HEAD if known_at is None else to_micros(known_at, "known_at"))


def _one_of(revision: int | None, known_at: Any) -> None:
    if revision is not None and known_at is not None:
        raise ValidationError("revision and known_at both say which state is meant.", hint="Give one of them.")


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
    return membership_of(work, key, body.revision, body.known_at).ids(_time(work, body))


@carries_out(contract.ASSETS)
def assets(work: Work, body: contract.MembersOf, *, key: int) -> list[AssetRecord]:
    """Read the members, in the order of their ids."""
    condition = membership_of(work, key, body.revision, body.known_at).condition(_time(work, body))
    if body.after is not None:
        condition &= asset.c.id > body.after
    return records(work, condition, body.limit)


def records(work: Work, condition: ColumnElement[bool], limit: int | None = None) -> list[AssetRecord]:
    """Read the assets that a condition chooses, in the order of their ids."""
    found = asset_registry.selection().where(condition).order_by(asset.c.id).limit(limit)
    return asset_registry.read(work.connection, found)


@carries_out(contract.WEIGHTS)
def weights(work: Work, body: contract.MembersOf, *, key: int) -> dict[str, Any]:
    """Read the weights of the members by unique identifier; null where a member has none."""
    held = membership_of(work, key, body.revision, body.known_at)
    return held.weights(_time(work, body), body.after, body.limit)


@carries_out(contract.MEMBERS)
def members(work: Work, body: contract.Span, *, key: int) -> "pa.Table":
    """Read validity intervals: asset id, unique identifier, valid_from, valid_to (null is open), weight."""
    return interval_table(work, membership_of(work, key, body.revision, body.known_at), body.start, body.end)


def interval_table(work: Work, held: Held | Derived, first: Any, last: Any) -> "pa.Table":
    """Give the validity intervals that overlap ``[first, last)`` as columns."""
    import pyarrow as pa

    start, end = start_micros(first), end_micros(last)
    check_interval(start, end)
    rows = held.intervals(start, end)
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

    def named(ids: Iterable[int]) -> list[AssetRecord]:
        return records(work, within(work.connection, asset.c.id, ids))

    return CategoryDiff(entered=named(b.keys() - a), left=named(a.keys() - b), reweighted=named(changed))


def _weighted(work: Work, key: int, side: contract.DiffSide) -> dict[int, float | None]:
    key = key if side.category is None else side.category
    return membership_of(work, key, side.revision, side.known_at).weights_by_id(_time(work, side))
