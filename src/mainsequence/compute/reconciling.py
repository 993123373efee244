"""Several sources of one universe compared over time, and how long a universe usually stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mainsequence.compute.intervals import Floats, Intervals, Ints, concatenate

MOST_SOURCES = 62
"""Each source is one bit of a whole number."""


@dataclass(frozen=True, slots=True)
class Segments:
    """Who says what of whom: for each asset and stretch ``[start, end)`` the sources, as bits, that have it in."""

    asset: Ints
    start: Ints
    end: Ints
    sources: Ints
    weight: Floats

    def __len__(self) -> int:
        return len(self.asset)

    def take(self, chosen: Ints) -> "Segments":
        """Select rows."""
        who, times = self.asset[chosen], (self.start[chosen], self.end[chosen])
        return Segments(who, *times, self.sources[chosen], self.weight[chosen])


def segments(sources: Sequence[Intervals], start: int, end: int) -> Segments:
    """Lay sources over each other inside a window.

    Returns
    -------
    Segments
        Sorted by asset and start, only where somebody has the asset in; a new one begins where the set of those sources
        changes. ``weight`` is the greatest that any source gives it at the segment's start; NaN where none gives one.
    """
    clipped = [source.clip(start, end) for source in sources]
    every = concatenate(*clipped)
    n = len(every)
    bit = np.repeat(1 << np.arange(len(sources), dtype=np.int64), [len(source) for source in clipped])
    owner = np.concatenate([every.asset, every.asset])
    at = np.concatenate([every.start, every.end])
    step = np.concatenate([bit, -bit])
    order = np.lexsort((at, owner))
    owner, at, held = owner[order], at[order], np.cumsum(step[order])
    real = np.flatnonzero((owner[1:] == owner[:-1]) & (at[1:] > at[:-1]) & (held[:-1] > 0)) if n else order[:0]
    return _merged(owner[real], at[real], at[real + 1], held[real], every)


def _merged(owner: Ints, start: Ints, end: Ints, held: Ints, every: Intervals) -> Segments:
    if len(owner) == 0:
        return Segments(owner, start, end, held, np.zeros(0))
    joins = (owner[1:] == owner[:-1]) & (start[1:] == end[:-1]) & (held[1:] == held[:-1])
    first = np.flatnonzero(np.concatenate([[True], ~joins]))
    last = np.append(first[1:] - 1, len(owner) - 1)
    return Segments(owner[first], start[first], end[last], held[first], _weights(owner[first], start[first], every))


def _weights(asset: Ints, at: Ints, rows: Intervals) -> Floats:
    """Give the greatest weight of the rows that hold an asset at a time, for each of many."""
    weighed = rows.take(~np.isnan(rows.weight))
    greatest = np.full(len(asset), np.nan)
    if len(weighed) == 0:
        return greatest
    keys = np.unique(np.concatenate([asset, weighed.asset]), return_inverse=True)[1]
    begins = np.searchsorted(keys[: len(asset)], keys[len(asset) :], side="left")
    ends = np.searchsorted(keys[: len(asset)], keys[len(asset) :], side="right")
    counts = ends - begins
    source = np.repeat(np.arange(len(weighed)), counts)
    target = begins[source] + np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    holds = (weighed.start[source] <= at[target]) & (at[target] < weighed.end[source])
    np.fmax.at(greatest, target[holds], weighed.weight[source[holds]])
    return greatest


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far sources agree over each stretch ``[start, end)``: how many are in for anybody, and how many for all."""

    start: Ints
    end: Ints
    union: Ints
    agreed: Ints

    def over(self, start: int, end: int) -> "Agreement":
        """Give the counts of a whole window: before the first stretch and behind the last nobody is a member."""
        before = [start] if len(self.start) == 0 or self.start[0] > start else []
        behind = [int(self.end[-1])] if len(self.end) and self.end[-1] < end else []
        begins = np.concatenate([np.array(before, np.int64), self.start, np.array(behind, np.int64)])
        none = (len(before), len(behind))
        return Agreement(begins, np.append(begins[1:], end), np.pad(self.union, none), np.pad(self.agreed, none))

    def fraction(self) -> float:
        """Give the part of membership time on which all agree; 1 where nobody is a member."""
        length = (self.end - self.start).astype(np.float64)
        total = float((self.union * length).sum())
        return 1.0 if total == 0 else float((self.agreed * length).sum()) / total


def agreement(found: Segments, count: int) -> Agreement:
    """Count by time how many assets are in for any of ``count`` sources, and for all."""
    bounds = np.unique(np.concatenate([found.start, found.end]))
    opened, closed = np.searchsorted(bounds, found.start), np.searchsorted(bounds, found.end)
    everybody = found.sources == (1 << count) - 1

    def running(chosen: Ints) -> Ints:
        steps = np.zeros(len(bounds), np.int64)
        np.add.at(steps, opened, chosen)
        np.subtract.at(steps, closed, chosen)
        return np.cumsum(steps)[:-1]

    union, agreed = running(np.ones(len(found), np.int64)), running(everybody.astype(np.int64))
    return Agreement(bounds[:-1], bounds[1:], union, agreed)


def usual_gap(moves: Ints, quantile: float) -> float | None:
    """Give a quantile of the gaps between moves, microseconds; None where there are fewer than two gaps."""
    gaps = np.diff(np.unique(moves))
    return None if len(gaps) < 2 else float(np.quantile(gaps, quantile))
