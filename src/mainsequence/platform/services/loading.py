"""Loading whole lists of intervals into a universe, all of them or none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mainsequence.compute.intervals import Change, Intervals, Ints, become
from mainsequence.compute.lists import LoadMode, loaded, overlapping, weight_sums
from mainsequence.contract import loading as contract
from mainsequence.domain.categories import ANNOUNCE, CategoryRecord
from mainsequence.domain.loading import LoadEffect, LoadOptions
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, open_datetime, start_micros, to_micros
from mainsequence.domain.values import listed
from mainsequence.errors import GuardError, InvalidIntervalError, InvalidWeightsError
from mainsequence.platform.registry import announcements, ledger
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry.announcements import Announcements
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.services import derived, guards, memberships
from mainsequence.platform.services.beside import Beside
from mainsequence.platform.services.guards import Consent
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Load:
    """A list as it was sent: its intervals, how they enter, and when their bounds were announced."""

    options: LoadOptions
    rows: Intervals
    notes: Announcements


@carries_out(contract.LOAD_INTERVALS)
def load_intervals(work: Work, body: "pa.Table", *, key: int) -> CategoryRecord:
    """Load intervals as one revision, with what is announced of them, or none where all of it is known."""
    options = contract.options_of(body)
    head = memberships.begin_change(work, key, options.if_revision)
    load = _read(work, head, body, options)
    present, wanted = _wanted(work, head, load)
    change = become(present, wanted)
    derived.refuse_change(head)
    besides = Beside(_new_notes(work, head, load, change))
    consent = Consent(force=options.force)
    return memberships.commit_change(work, head, change, _operation(change), options.reason, consent, besides)


def _operation(change: Change) -> str:
    return ANNOUNCE if change.is_empty else "load"


@carries_out(contract.PREVIEW_INTERVALS)
def preview_intervals(work: Work, body: "pa.Table", *, key: int) -> LoadEffect:
    """Say what loading intervals would change."""
    head = registry.by_id(work.connection, work.actor, key)
    derived.refuse_change(head)
    load = _read(work, head, body, contract.options_of(body))
    present, wanted = _wanted(work, head, load)
    change = become(present, wanted)
    return _effect(work, head, present, wanted, change, _objections(work, head, change, load))


def _objections(work: Work, head: CategoryRecord, change: Change, load: Load) -> list[str]:
    """Say which guard of the universe would refuse the change."""
    options = load.options
    besides = Beside(_new_notes(work, head, load, change))
    if change.is_empty and not len(besides.notes):
        return []
    try:
        consent = Consent(force=options.force)
        guards.check(work, head, change, _operation(change), options.reason, consent, besides)
    except GuardError as error:
        return [str(error)]
    return []


def _read(work: Work, head: CategoryRecord, table: "pa.Table", options: LoadOptions) -> Load:
    import pyarrow as pa

    checked = contract.intervals_of(table)

    def micros(name: str, missing: int) -> Ints:
        column = checked.column(name).cast(pa.int64()).fill_null(missing)
        return np.asarray(column.to_numpy(), dtype=np.int64)

    asset = np.asarray(checked.column("asset_id").to_numpy(), dtype=np.int64)
    start, end = micros("valid_from", MIN_MICROS), micros("valid_to", MAX_MICROS)
    if options.since_now:
        start = np.maximum(start, work.now)
    weight = np.asarray(checked.column("weight").to_numpy(), dtype=np.float64)
    rows = Intervals(asset, start, end, weight)
    _check_rows(work, rows)
    return Load(options, rows, _notes(rows, micros("announced", MAX_MICROS), micros("exit_announced", MAX_MICROS)))


def _notes(rows: Intervals, announced: Ints, exit_announced: Ints) -> Announcements:
    asset = np.concatenate([rows.asset, rows.asset])
    effective, known = np.concatenate([rows.start, rows.end]), np.concatenate([announced, exit_announced])
    said = np.flatnonzero((known < MAX_MICROS) & (effective > MIN_MICROS) & (effective < MAX_MICROS))
    return Announcements(asset[said], effective[said], known[said], np.zeros(len(said), np.int64))


def _new_notes(work: Work, head: CategoryRecord, load: Load, change: Change) -> Announcements:
    """Give what is said of announcements and not noted yet."""
    notes = _all_notes(load, change)
    return announcements.unknown(announcements.read(work.connection, head.id), notes) if len(notes) else notes


def _all_notes(load: Load, change: Change) -> Announcements:
    """Give what the rows say of announcements and, for all other changes, what is said of the load as a whole."""
    if load.options.announced is None:
        return load.notes
    old = _bounds(change.closed)
    said = set(zip(load.notes.asset.tolist(), load.notes.effective_at.tolist(), strict=True))
    fresh = sorted(_bounds(change.opened) - old - said)
    asset, at = (np.array([pair[place] for pair in fresh], dtype=np.int64) for place in (0, 1))
    known = np.full(len(fresh), to_micros(load.options.announced))
    notes = load.notes
    return Announcements(
        np.concatenate([notes.asset, asset]),
        np.concatenate([notes.effective_at, at]),
        np.concatenate([notes.announced_at, known]),
        np.concatenate([notes.recorded_at, np.zeros(len(fresh), np.int64)]),
    )


def _bounds(rows: Intervals) -> set[tuple[int, int]]:
    """Give the times at which somebody enters or leaves, by asset; open bounds are none."""
    pairs = [*zip(rows.asset.tolist(), rows.start.tolist(), strict=True)]
    pairs += zip(rows.asset.tolist(), rows.end.tolist(), strict=True)
    return {pair for pair in pairs if MIN_MICROS < pair[1] < MAX_MICROS}


def _check_rows(work: Work, rows: Intervals) -> None:
    """Refuse intervals that hold no time or overlap, weights that are infinite, and assets that cannot be members."""
    empty = np.flatnonzero(rows.start >= rows.end)
    if len(empty):
        raise InvalidIntervalError(
            f"{len(empty)} of {len(rows)} intervals hold no time; the first is at position {empty[0]}.",
            hint="Intervals are half-open [valid_from, valid_to).",
        )
    if np.isinf(rows.weight).any():
        raise InvalidWeightsError("Some weights are infinite.", hint="Give finite numbers, or null for none.")
    later, earlier = overlapping(rows)
    if len(later):
        pairs = [f"{second} and {first}" for first, second in zip(later.tolist(), earlier.tolist(), strict=True)]
        raise InvalidIntervalError(
            f"{len(later)} intervals overlap another of the same asset, at positions {listed(pairs)}.",
            hint="Those of one asset must not overlap.",
        )
    memberships.check_rows(work, rows)


def _wanted(work: Work, head: CategoryRecord, load: Load) -> tuple[Intervals, Intervals]:
    """Give what the universe holds, and what it shall hold, whose weights sum to what was asked."""
    options, rows = load.options, load.rows
    present = ledger.intervals(work.connection, State(head.id), MIN_MICROS, MAX_MICROS)
    since = start_micros(options.since, "since")
    if options.since_now:
        since = work.now
    elif options.since is None and len(rows):
        since = int(rows.start.min())
    wanted = loaded(present, rows, LoadMode(options.mode), since, weighted=options.weighted)
    if options.weights_sum_to is not None and len(rows):
        span = int(rows.start.min()), int(rows.end.max())
        check_sums(head.unique_identifier, wanted, span, options.weights_sum_to, options.tolerance)
    return present, wanted


def check_sums(name: str, rows: Intervals, span: tuple[int, int], wanted: float, tolerance: float) -> None:
    """Refuse weights that do not sum to a number whenever somebody is a member.

    Raises
    ------
    InvalidWeightsError
        Names the dates at which they begin to fail, and by how much.
    """
    sums = weight_sums(rows, *span)
    wrong = np.flatnonzero(sums.off(wanted, tolerance))
    if len(wrong) == 0:
        return
    said = [
        {
            "from": str(open_datetime(int(sums.start[each])) or "the beginning"),
            "sum": float(sums.total[each]),
            "off_by": float(sums.total[each] - wanted),
            "without_weight": int(sums.unweighted[each]),
        }
        for each in wrong[:1_000]
    ]
    written = [f"from {each['from']}: {each['sum']:.9g}, off by {each['off_by']:+.3g}" for each in said]
    raise InvalidWeightsError(
        f"The weights of {name} do not sum to {wanted:g} (±{tolerance:g}) over {len(wrong)} of {len(sums.start)} "
        f"stretches: {listed(written, 5)}.",
        hint="Nothing was changed. check_weights() shows the sums of a universe.",
        failing=said,
    )


def _effect(
    work: Work,
    head: CategoryRecord,
    present: Intervals,
    wanted: Intervals,
    change: Change,
    objections: list[str],
) -> LoadEffect:
    now, then = (_members(rows, work.now) for rows in (present, wanted))
    entering, leaving = np.setdiff1d(then, now), np.setdiff1d(now, then)
    names = ledger.identifiers(work.connection, np.concatenate([entering, leaving]))
    return LoadEffect(
        revision=head.revision,
        opened=len(change.opened),
        closed=len(change.closed),
        gained=len(change.gained),
        lost=len(change.lost),
        members=len(now),
        members_after=len(then),
        entering=sorted(names[each] for each in entering.tolist()),
        leaving=sorted(names[each] for each in leaving.tolist()),
        objections=objections,
    )


def _members(rows: Intervals, time: int) -> Ints:
    return np.unique(rows.asset[(rows.start <= time) & (rows.end > time)])
