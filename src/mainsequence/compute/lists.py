"""Whole lists of intervals: what a load makes of a universe, dated lists as intervals and back, faults, weight sums."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mainsequence.compute.intervals import Bools, Floats, Intervals, Ints, coalesce, concatenate, subtract


class LoadMode(StrEnum):
    """What a load does with what is there: take its place, leave it, or keep what lies before the list begins."""

    REPLACE = "replace"
    APPEND = "append"
    HISTORY = "history"


def overlap(rows: Intervals, others: Intervals) -> Intervals:
    """Give the time of ``rows`` that ``others`` cover, by asset; weights are those of ``rows``."""
    return subtract(rows, subtract(rows, others))


def loaded(present: Intervals, given: Intervals, mode: LoadMode, since: int, *, weighted: bool) -> Intervals:
    """Give what a universe shall hold after a load.

    Parameters
    ----------
    present
        What it holds.
    given
        What the list says; intervals of one asset do not overlap.
    mode
        What to do with what is there.
    since
        Where the list begins, for ``LoadMode.HISTORY``.
    weighted
        Whether the list speaks of weights; otherwise those who stay keep theirs. Appended rows without weight keep
        them in any case.
    """
    if mode is LoadMode.APPEND:
        silent = np.isnan(given.weight)
        said, unsaid = given.take(~silent), given.take(silent)
        kept = subtract(present, said)
        return concatenate(kept, said, subtract(unsaid, kept))
    inside = given if weighted else concatenate(overlap(present, given), subtract(given, present))
    before = present.clip(-(2**62), since) if mode is LoadMode.HISTORY else present.take(np.arange(0))
    return concatenate(before, inside)


def from_lists(times: Ints, at: Ints, asset: Ints, weight: Floats, end: int) -> Intervals:
    """Give the intervals of dated lists: each list holds until the next, the last until ``end``.

    Parameters
    ----------
    times
        When the lists were drawn up, sorted, each once: int64[T].
    at
        For each row, its list: positions in ``times``.
    asset, weight
        For each row, who and how much.
    """
    ends = np.append(times[1:], end)
    return coalesce(Intervals(asset, times[at], ends[at], weight))


def to_lists(rows: Intervals, never: int) -> tuple[Ints, Ints, Intervals]:
    """Give dated lists that say the same as intervals: one list for each time at which something changes.

    Returns
    -------
    times, at, rows
        When the lists are drawn up; for each row its list; and the rows. A list may be empty.
    """
    bounds = np.unique(np.concatenate([rows.start, rows.end]))
    times = bounds[bounds < never]
    first = np.searchsorted(times, rows.start)
    counts = np.searchsorted(times, rows.end) - first
    source = np.repeat(np.arange(len(rows)), counts)
    nth = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    at = first[source] + nth
    order = np.lexsort((rows.asset[source], at))
    return times, at[order], rows.take(source[order])


def overlapping(rows: Intervals) -> tuple[Ints, Ints]:
    """Find rows that overlap an earlier one of the same asset.

    Returns
    -------
    row, earlier
        Positions in ``rows``: one pair for each row that begins (or stands, where both begin at once) after another of
        its asset and before that one's end; the other is the one that reaches furthest. Rows that hold no time are
        passed over.
    """
    chosen = np.flatnonzero(rows.start < rows.end)
    order = chosen[np.lexsort((chosen, rows.start[chosen], rows.asset[chosen]))]
    if len(order) == 0:
        return order, order
    asset, start, end = rows.asset[order], rows.start[order], rows.end[order]
    furthest = _furthest_so_far(asset, end)
    overlaps = np.flatnonzero((asset[1:] == asset[:-1]) & (start[1:] < end[furthest[:-1]])) + 1
    return order[overlaps], order[furthest[overlaps - 1]]


def _furthest_so_far(asset: Ints, end: Ints) -> Ints:
    """Give for each row, sorted by asset, the place of the row of its asset up to it that ends last."""
    n = len(end)
    group = np.cumsum(np.concatenate([[0], (asset[1:] != asset[:-1]).astype(np.int64)]))
    by_end = np.lexsort((np.arange(n), end))
    rank = np.empty(n, np.int64)
    rank[by_end] = np.arange(n)
    highest = np.maximum.accumulate(rank + group * n) - group * n
    return np.asarray(by_end[highest], np.int64)


def joined(rows: Intervals) -> Intervals:
    """Give the time that any row of an asset covers, with the weight of the row that began first."""
    chosen = rows.take(rows.start < rows.end)
    chosen = chosen.take(np.lexsort((chosen.end, chosen.start, chosen.asset)))
    if len(chosen) == 0:
        return chosen
    furthest = _furthest_so_far(chosen.asset, chosen.end)
    begins = np.ones(len(chosen), bool)
    reach = chosen.end[furthest[:-1]]
    begins[1:] = (chosen.asset[1:] != chosen.asset[:-1]) | (chosen.start[1:] >= reach)
    first = np.flatnonzero(begins)
    last = np.append(first[1:] - 1, len(chosen) - 1)
    return coalesce(
        Intervals(chosen.asset[first], chosen.start[first], chosen.end[furthest[last]], chosen.weight[first])
    )


@dataclass(frozen=True, slots=True)
class WeightSums:
    """What the weights sum to over each stretch ``[start, end)`` between two changes: arrays of equal length."""

    start: Ints
    end: Ints
    members: Ints
    unweighted: Ints
    total: Floats

    def off(self, wanted: float, tolerance: float) -> Bools:
        """Say over which stretches somebody is a member, and weights are missing or sum to something else."""
        wrong: Bools = (np.abs(self.total - wanted) > tolerance) | (self.unweighted > 0)
        return wrong & (self.members > 0)


def weight_sums(rows: Intervals, start: int, end: int) -> WeightSums:
    """Sum the weights between any two changes inside a window; members without weight are counted apart."""
    inside = rows.clip(start, end)
    bounds = np.unique(np.concatenate([inside.start, inside.end]))
    if len(bounds) == 0:
        return WeightSums(bounds, bounds, bounds, bounds, bounds.astype(np.float64))
    opened, closed = np.searchsorted(bounds, inside.start), np.searchsorted(bounds, inside.end)
    silent = np.isnan(inside.weight)
    counts = np.ones(len(inside), np.int64)
    members, unweighted = (_running(bounds, opened, closed, each) for each in (counts, silent.astype(np.int64)))
    total = _exact_sums(opened, closed, np.where(silent, 0.0, inside.weight), len(bounds))
    return WeightSums(bounds[:-1], bounds[1:], members[:-1], unweighted[:-1], total[:-1])


def _running(bounds: Ints, opened: Ints, closed: Ints, amount: Ints) -> Ints:
    steps = np.zeros(len(bounds), np.int64)
    np.add.at(steps, opened, amount)
    np.subtract.at(steps, closed, amount)
    return np.cumsum(steps)


_SCALE = 2.0**-40


def _exact_sums(opened: Ints, closed: Ints, weight: Floats, count: int) -> Floats:
    """Sum what is open at each bound. What was added is taken away again without a rest: a running sum of floats keeps
    one, so whole numbers of 2⁻⁴⁰ are summed, where they are not too large for that.
    """
    if np.abs(weight).sum() < 2**20:
        steps = np.zeros(count, np.int64)
        whole = np.rint(weight / _SCALE).astype(np.int64)
        np.add.at(steps, opened, whole)
        np.subtract.at(steps, closed, whole)
        return np.asarray(np.cumsum(steps) * _SCALE, np.float64)
    floats = np.zeros(count)
    np.add.at(floats, opened, weight)
    np.subtract.at(floats, closed, weight)
    return np.asarray(np.cumsum(floats), np.float64)
