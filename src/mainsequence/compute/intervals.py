"""Validity intervals on arrays: how an edit changes them, and which sessions they cover.

Intervals are half-open ``[start, end)`` in microseconds UTC; those of one asset never overlap, and adjacent ones of
equal weight are one. DESIGN section 3.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Verb(StrEnum):
    """What an edit does to its window ``[start, end)``."""

    APPEND = "append"
    REMOVE = "remove"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Intervals:
    """Columns of equal length: asset id, start, end (int64 microseconds), weight (float64, NaN for none)."""

    asset: Ints
    start: Ints
    end: Ints
    weight: Floats

    def __len__(self) -> int:
        return len(self.asset)

    def take(self, chosen: Ints | Bools) -> "Intervals":
        """Select rows by mask or position."""
        return Intervals(self.asset[chosen], self.start[chosen], self.end[chosen], self.weight[chosen])

    def clip(self, start: int, end: int) -> "Intervals":
        """Cut every row to a window and leave out what is empty there."""
        cut = Intervals(self.asset, np.maximum(self.start, start), np.minimum(self.end, end), self.weight)
        return cut.take(cut.start < cut.end)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of membership over a window.

    Parameters
    ----------
    verb
        Append or remove the assets, or make the universe exactly them, inside the window.
    asset
        Ids, sorted, each once.
    start, end
        The window, microseconds UTC.
    weight
        One weight for each asset, or ``None`` to leave weights as they are.
    """

    verb: Verb
    asset: Ints
    start: int
    end: int
    weight: Floats | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit does: rows to close, rows to open, and the assets that gain or lose time as members."""

    closed: Intervals
    opened: Intervals
    gained: Ints
    lost: Ints

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return len(self.closed) == 0 and len(self.opened) == 0


def concatenate(*parts: Intervals) -> Intervals:
    """Put rows of several interval sets into one."""
    return Intervals(
        np.concatenate([part.asset for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.end for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


def apply(rows: Intervals, edit: Edit) -> Change:
    """Compute what an edit changes.

    Parameters
    ----------
    rows
        The present intervals; at least every row that overlaps or touches the window of an asset that the edit concerns
        (every asset, for ``Verb.UPDATE``).
    edit
        The change asked for.

    Returns
    -------
    Change
        Empty where the edit asks for what already holds.
    """
    near = rows.take(_concerned(rows, edit) & (rows.start <= edit.end) & (rows.end >= edit.start))
    inside = near.clip(edit.start, edit.end)
    kept = inside.take(_stays(inside, edit))
    gaps = _gaps(kept, edit)
    outside = (near.clip(_BEFORE_ALL, edit.start), near.clip(edit.end, _AFTER_ALL))
    closed, opened = _difference(near, coalesce(concatenate(*outside, _weighted(kept, gaps, edit))))
    lost = inside.asset[~_stays(inside, edit)]
    return Change(closed, opened, np.unique(gaps.asset), np.unique(lost))


def become(rows: Intervals, wanted: Intervals) -> Change:
    """Compute what makes a universe hold exactly some intervals: what a revert, a load or a rule asks for.

    Parameters
    ----------
    rows
        All present intervals.
    wanted
        All intervals that shall hold, in any order; those of one asset must not overlap.

    Returns
    -------
    Change
        Empty where the intervals hold already.
    """
    target = coalesce(wanted)
    closed, opened = _difference(rows, target)
    return Change(closed, opened, uncovered(target, rows), uncovered(rows, target))


def uncovered(rows: Intervals, others: Intervals) -> Ints:
    """Give the assets, sorted, that have time in ``rows`` which ``others`` do not cover."""
    return np.unique(subtract(rows, others).asset)


def subtract(rows: Intervals, others: Intervals) -> Intervals:
    """Give the time of ``rows`` that ``others`` do not cover, by asset; weights are those of ``rows``.

    In both, the intervals of one asset must not overlap.
    """
    owners = np.concatenate([rows.asset, rows.asset, others.asset, others.asset])
    at = np.concatenate([rows.start, rows.end, others.start, others.end])
    n, m = len(rows), len(others)
    here = np.concatenate([np.ones(n, int), -np.ones(n, int), np.zeros(2 * m, int)])
    there = np.concatenate([np.zeros(2 * n, int), np.ones(m, int), -np.ones(m, int)])
    source = np.concatenate([np.arange(n), np.full(n + 2 * m, -1)])
    order = np.lexsort((at, owners))
    owners, at = owners[order], at[order]
    held, covered = np.cumsum(here[order]), np.cumsum(there[order])
    last = np.maximum.accumulate(np.where(source[order] >= 0, np.arange(len(order)), 0)) if len(order) else order
    chosen = np.flatnonzero((held[:-1] > 0) & (covered[:-1] == 0) & (at[1:] > at[:-1]) & (owners[1:] == owners[:-1]))
    weight = rows.weight[source[order][last[chosen]]]
    return coalesce(Intervals(owners[chosen], at[chosen], at[chosen + 1], weight))


_BEFORE_ALL, _AFTER_ALL = -(2**62), 2**62


def _stays(inside: Intervals, edit: Edit) -> Bools:
    if edit.verb is Verb.REMOVE:
        return np.zeros(len(inside), dtype=bool)
    return np.isin(inside.asset, edit.asset)


def _concerned(rows: Intervals, edit: Edit) -> Bools:
    if edit.verb is Verb.UPDATE:
        return np.ones(len(rows), dtype=bool)
    return np.isin(rows.asset, edit.asset)


def _gaps(kept: Intervals, edit: Edit) -> Intervals:
    """Give the parts of the window that the named assets do not cover, weightless.

    Per asset, the sorted starts of the gaps are the window's start and each end of an interval, their ends are each
    start of an interval and the window's end.
    """
    named = edit.asset[:0] if edit.verb is Verb.REMOVE else edit.asset
    n = len(named)
    owners = np.concatenate([named, kept.asset])
    starts = np.concatenate([np.full(n, edit.start, dtype=np.int64), kept.end])
    ends = np.concatenate([np.full(n, edit.end, dtype=np.int64), kept.start])
    by_start = np.lexsort((starts, owners))
    by_end = np.lexsort((ends, owners))
    gaps = Intervals(owners[by_start], starts[by_start], ends[by_end], np.full(len(owners), np.nan))
    return gaps.take(gaps.start < gaps.end)


def _weighted(kept: Intervals, gaps: Intervals, edit: Edit) -> Intervals:
    inside = concatenate(kept, gaps)
    if edit.weight is None or edit.verb is Verb.REMOVE:
        return inside
    weight = edit.weight[np.searchsorted(edit.asset, inside.asset)]
    return Intervals(inside.asset, inside.start, inside.end, weight)


def coalesce(rows: Intervals) -> Intervals:
    """Sort by asset and start, and merge rows that touch and weigh the same."""
    if len(rows) == 0:
        return rows
    rows = rows.take(np.lexsort((rows.start, rows.asset)))
    joins = (rows.asset[1:] == rows.asset[:-1]) & (rows.start[1:] == rows.end[:-1])
    joins &= _same_weight(rows.weight[1:], rows.weight[:-1])
    first = np.flatnonzero(np.concatenate([[True], ~joins]))
    last = np.concatenate([first[1:] - 1, [len(rows) - 1]])
    return Intervals(rows.asset[first], rows.start[first], rows.end[last], rows.weight[first])


def _same_weight(a: Floats, b: Floats) -> Bools:
    same: Bools = (a == b) | (np.isnan(a) & np.isnan(b))
    return same


def _difference(old: Intervals, new: Intervals) -> tuple[Intervals, Intervals]:
    """Give the rows only in ``old`` and the rows only in ``new``; each set holds no row twice."""
    both = concatenate(old, new)
    is_new = np.arange(len(both)) >= len(old)
    order = np.lexsort((is_new, both.end, both.start, both.asset))
    both, is_new = both.take(order), is_new[order]
    same = (both.asset[1:] == both.asset[:-1]) & (both.start[1:] == both.start[:-1]) & (both.end[1:] == both.end[:-1])
    same &= _same_weight(both.weight[1:], both.weight[:-1])
    paired = np.concatenate([same, [False]]) | np.concatenate([[False], same]) if len(both) else is_new
    return both.take(~paired & ~is_new), both.take(~paired & is_new)


def coverage(times: Ints, column: Ints, start: Ints, end: Ints, columns: int) -> Bools:
    """Say which intervals hold at which times.

    Parameters
    ----------
    times
        Sorted times, int64[T] microseconds UTC.
    column
        The column that each interval belongs to, int64[n].
    start, end
        The intervals, int64[n] each.
    columns
        How many columns there are, N.

    Returns
    -------
    bool[T, N]
        True where an interval of the column holds at the time.
    """
    opened = np.searchsorted(times, start, side="left")
    closed = np.searchsorted(times, end, side="left")
    steps = np.zeros((len(times) + 1, columns), dtype=np.int8)
    np.add.at(steps, (opened, column), 1)
    np.add.at(steps, (closed, column), -1)
    covered: Bools = np.cumsum(steps[:-1], axis=0, dtype=np.int8).astype(bool)
    return covered
