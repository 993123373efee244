"""Comparing sources of one universe over time, and asking whether a universe is still kept up."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mainsequence.compute.intervals import Floats, Intervals, Ints
from mainsequence.compute.lists import weight_sums
from mainsequence.compute.reconciling import Segments, agreement, segments, usual_gap
from mainsequence.contract import categories as category_contract
from mainsequence.contract import loading as loading_contract
from mainsequence.contract import reconciliation as contract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.reconciliation import Freshness, FreshnessQuery, Reconciliation, ReconciliationFacts
from mainsequence.domain.times import (
    MAX_MICROS,
    MICROS_PER_DAY,
    MIN_MICROS,
    check_interval,
    end_micros,
    from_micros,
    open_datetime,
    start_micros,
    to_micros,
)
from mainsequence.errors import ValidationError
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.composition import Named
from mainsequence.platform.services import derived, pins
from mainsequence.platform.services.membership_reads import membership_of
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa


@carries_out(contract.RECONCILE)
def reconcile(work: Work, body: Reconciliation) -> "pa.Table":
    """List every stretch of time for which some universes have an asset in and others out, the longest first."""
    if len(set(body.universes)) != len(body.universes):
        raise ValidationError("A universe is named twice.", hint="Compare different ones.")
    heads, sources = zip(*(_source(work, reference) for reference in body.universes), strict=True)
    start, end = _window(work, body, sources)
    found = segments(sources, start, end)
    disagreeing = found.take(np.flatnonzero(found.sources != (1 << len(heads)) - 1))
    table = _table(work, body.universes, disagreeing)
    return contract.with_facts(table, _facts(body.universes, heads, found, start, end))


def _source(work: Work, reference: str) -> tuple[int, Intervals]:
    """Give the revision and the intervals of a universe, pinned or not."""
    head, pinned = pins.named(work, reference, None)
    state = (None, None) if pinned is None else (pinned.revision, pinned.known_at)
    revision = head.revision if pinned is None or pinned.revision is None else pinned.revision
    return revision, membership_of(work, head.id, *state).intervals(MIN_MICROS, MAX_MICROS)


def _window(work: Work, body: Reconciliation, sources: Sequence[Intervals]) -> tuple[int, int]:
    end = work.now if body.end is None else to_micros(body.end, "end")
    bounds = np.concatenate([column for source in sources for column in (source.start, source.end)])
    bounded = bounds[(bounds > MIN_MICROS) & (bounds < end)]
    first = int(bounded.min()) if len(bounded) else end - 1
    start = first if body.start is None else to_micros(body.start, "start")
    check_interval(start, end)
    return start, end


def _table(work: Work, universes: list[str], rows: Segments) -> "pa.Table":
    import pyarrow as pa

    names = ledger.identifiers(work.connection, np.unique(rows.asset))
    labels = np.array([names[each] for each in rows.asset.tolist()], dtype=object)
    length = (rows.end - rows.start) / MICROS_PER_DAY
    order = np.lexsort((rows.start, labels.astype(str), -length))
    rows, labels, length = rows.take(order), labels[order], length[order]
    inside = _listed(rows.sources, universes)
    stamp = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "unique_identifier": pa.array(labels, pa.string()),
            "start": pa.array(rows.start).cast(stamp),
            "end": pa.array(rows.end).cast(stamp),
            "days": length,
            "in": pa.array([chosen for chosen, _ in inside], pa.list_(pa.string())),
            "out": pa.array([others for _, others in inside], pa.list_(pa.string())),
            "weight": pa.array(rows.weight, mask=np.isnan(rows.weight)),
        }
    )


def _listed(sources: Ints, names: list[str]) -> list[tuple[list[str], list[str]]]:
    """Give the names that each set of bits has, and those that it has not."""
    split = {
        bits: (
            [name for place, name in enumerate(names) if bits >> place & 1],
            [name for place, name in enumerate(names) if not bits >> place & 1],
        )
        for bits in set(sources.tolist())
    }
    return [split[bits] for bits in sources.tolist()]


def _facts(
    universes: list[str], revisions: Sequence[int], found: Segments, start: int, end: int
) -> ReconciliationFacts:
    by_time = agreement(found, len(universes)).over(start, end)
    return ReconciliationFacts(
        universes=universes,
        revisions=list(revisions),
        start=from_micros(start),
        end=from_micros(end),
        agreement=by_time.fraction(),
        times=[from_micros(each) for each in by_time.start.tolist()],
        union=by_time.union.tolist(),
        agreed=by_time.agreed.tolist(),
    )


@carries_out(contract.FRESHNESS)
def freshness(work: Work, body: FreshnessQuery, *, key: int) -> Freshness:
    """Say whether the universe has not moved for longer than its own history suggests."""
    head = registry.by_id(work.connection, work.actor, key)
    time = work.now if body.at is None else to_micros(body.at, "at")
    moves = _moves(work, head)
    past, ahead = moves[moves <= time], moves[moves > time]
    days = np.unique(past // MICROS_PER_DAY) * MICROS_PER_DAY
    usual = usual_gap(days, body.quantile)
    since = time - int(past[-1]) if len(past) else None
    allowed = None if usual is None else usual * body.factor
    return Freshness(
        unique_identifier=head.unique_identifier,
        at=from_micros(time),
        moves=len(days),
        last_moved_at=from_micros(int(past[-1])) if len(past) else None,
        days_since=None if since is None else since / MICROS_PER_DAY,
        allowed_days=None if allowed is None else allowed / MICROS_PER_DAY,
        next_move_at=from_micros(int(ahead[0])) if len(ahead) else None,
        is_stale=allowed is not None and since is not None and since > allowed,
    )


def _moves(work: Work, head: CategoryRecord) -> Ints:
    """Give when the universe moved: the bounds of its memberships, or else when it, or what it reads, was recorded."""
    rows = membership_of(work, head.id).intervals(MIN_MICROS, MAX_MICROS)
    bounds = np.unique(np.concatenate([rows.start, rows.end]))
    dated = bounds[(bounds > MIN_MICROS) & (bounds < MAX_MICROS)]
    if len(dated):
        return dated
    keys = derived.read_at_head(work, [Named(head.id)]) if derived.is_derived(head) else {head.id}
    revisions = (each for key in keys for each in registry.revisions(work.connection, key))
    recorded = {to_micros(each.recorded_at) for each in revisions if not each.is_announcement}
    return np.array(sorted(recorded), dtype=np.int64)


@carries_out(loading_contract.WEIGHT_SUMS)
def sums(work: Work, body: category_contract.Span, *, key: int) -> "pa.Table":
    """Read what the weights sum to between any two changes inside a window."""
    import pyarrow as pa

    start, end = start_micros(body.start), end_micros(body.end)
    check_interval(start, end)
    found = weight_sums(membership_of(work, key, body.revision, body.known_at).intervals(start, end), start, end)
    stamp = pa.timestamp("us", "UTC")
    total: Floats = found.total
    return pa.table(
        {
            "start": pa.array([open_datetime(each) for each in found.start.tolist()], stamp),
            "end": pa.array([open_datetime(each) for each in found.end.tolist()], stamp),
            "members": found.members,
            "unweighted": found.unweighted,
            "total": total,
        }
    )
