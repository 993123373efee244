"""What was known beforehand: changes ahead of a time, and who was expected to be a member."""

from typing import TYPE_CHECKING

import numpy as np

from mainsequence.compute.intervals import Intervals, Ints
from mainsequence.contract import loading as contract
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.loading import ExpectedQuery, UpcomingQuery
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, check_interval, end_micros, to_micros
from mainsequence.platform.registry import announcements, ledger
from mainsequence.platform.registry import assets as asset_registry
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry.announcements import Announcements
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services import derived
from mainsequence.platform.services.membership_reads import state_of
from mainsequence.platform.services.moves import Moves, moves_of
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa


@carries_out(contract.ANNOUNCEMENTS)
def noted(work: Work, _body: None, *, key: int) -> "pa.Table":
    """Read what is noted of bounds that the present intervals have."""
    import pyarrow as pa

    rows, notes = _state(work, key) if not _is_derived(work, key) else (_NOBODY, announcements.NOTHING)
    bounds = set(zip(rows.asset.tolist(), rows.start.tolist(), strict=True))
    bounds |= set(zip(rows.asset.tolist(), rows.end.tolist(), strict=True))
    pairs = zip(notes.asset.tolist(), notes.effective_at.tolist(), strict=True)
    kept = np.array([place for place, pair in enumerate(pairs) if pair in bounds], dtype=np.int64)
    return pa.table(
        {
            "asset_id": notes.asset[kept],
            "unique_identifier": _names(work, notes.asset[kept]),
            "effective_at": _stamps(notes.effective_at[kept]),
            "announced_at": _stamps(notes.announced_at[kept]),
            "recorded_at": _stamps(notes.recorded_at[kept]),
        }
    )


@carries_out(contract.UPCOMING)
def upcoming(work: Work, body: UpcomingQuery, *, key: int) -> "pa.Table":
    """Read the changes after a time that were known by then: soonest first, leavers before those who enter."""
    import pyarrow as pa

    time = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    until = end_micros(body.until, "until")
    check_interval(time, until, ("as_of", "until"))
    moves = _moves(work, *_state(work, key), key, time)
    ahead = moves.take((moves.at > time) & (moves.at < until) & (moves.known <= time))
    ahead = ahead.take(np.lexsort((ahead.asset, ahead.kind != "leaves", ahead.at)))
    return pa.table(
        {
            "effective_at": _stamps(ahead.at),
            "unique_identifier": _names(work, ahead.asset),
            "change": ahead.kind.tolist(),
            "weight": pa.array(ahead.weight, mask=np.isnan(ahead.weight)),
            "announced_at": pa.array(ahead.announced, mask=ahead.announced == MAX_MICROS).cast(_stamp()),
            "recorded_at": _stamps(ahead.recorded),
        }
    )


@carries_out(contract.EXPECTED)
def expected(work: Work, body: ExpectedQuery, *, key: int) -> list[AssetRecord]:
    """Read who was known by one time to be a member at a later one.

    Those are the members then, whose last change that was known in time let them in or left them in.
    """
    known = work.now if body.announced_by is None else to_micros(body.announced_by, "announced_by")
    time = to_micros(body.at, "at")
    check_interval(known, max(time, known) + 1, ("announced_by", "at"))
    rows, notes = _state(work, key)
    ids = _expected(rows, _moves(work, rows, notes, key, known), known, time)
    found = asset_registry.selection().where(within(work.connection, asset.c.id, ids.tolist()))
    return asset_registry.read(work.connection, found.order_by(asset.c.id))


def _expected(rows: Intervals, moves: Moves, known: int, time: int) -> Ints:
    members = set(rows.asset[(rows.start <= known) & (rows.end > known)].tolist())
    told = moves.take((moves.at > known) & (moves.at <= time) & (moves.known <= known))
    told = told.take(np.lexsort((told.asset, told.at)))
    for who, kind in zip(told.asset.tolist(), told.kind.tolist(), strict=True):
        if kind == "leaves":
            members.discard(who)
        else:
            members.add(who)
    return np.array(sorted(members), dtype=np.int64)


def _is_derived(work: Work, key: int) -> bool:
    """Tell whether a universe is made from others: then nothing is announced of it but of those."""
    return derived.is_derived(registry.by_id(work.connection, work.actor, key))


_NONE = np.zeros(0, dtype=np.int64)
_NOBODY = Intervals(_NONE, _NONE, _NONE, np.zeros(0))


def _moves(work: Work, rows: Intervals, notes: Announcements, key: int, after: int) -> Moves:
    return moves_of(rows, notes, announcements.recorded(work.connection, key, after), after)


def _state(work: Work, key: int) -> tuple[Intervals, Announcements]:
    rows = ledger.intervals(work.connection, state_of(work, key, None, None), MIN_MICROS, MAX_MICROS)
    return rows, announcements.read(work.connection, key)


def _names(work: Work, ids: Ints) -> "pa.Array":
    import pyarrow as pa

    names = ledger.identifiers(work.connection, np.unique(ids))
    return pa.array([names[each] for each in ids.tolist()], pa.string())


def _stamp() -> "pa.DataType":
    import pyarrow as pa

    return pa.timestamp("us", "UTC")


def _stamps(times: Ints) -> "pa.Array":
    import pyarrow as pa

    return pa.array(times).cast(_stamp())
