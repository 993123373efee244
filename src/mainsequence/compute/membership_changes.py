"""What a change of membership means: who enters, leaves and is reweighted, when, and how many are gone at once."""

from dataclasses import dataclass

import numpy as np

from mainsequence.compute.intervals import Change, Floats, Intervals, Ints, coalesce, concatenate, subtract, uncovered


def change_of(closed: Intervals, opened: Intervals) -> Change:
    """Give the change that closes and opens some rows."""
    return Change(closed, opened, uncovered(opened, closed), uncovered(closed, opened))


def after(rows: Intervals, change: Change) -> Intervals:
    """Give the intervals that hold after a change.

    Parameters
    ----------
    rows
        Present intervals, all that the change closes among them.
    change
        What is changed.
    """
    return coalesce(concatenate(subtract(rows, change.closed), change.opened))


def overlap(rows: Intervals) -> bool:
    """Tell whether intervals of one asset overlap, or one holds no time."""
    ordered = rows.take(np.lexsort((rows.start, rows.asset)))
    same = ordered.asset[1:] == ordered.asset[:-1]
    return bool((ordered.start >= ordered.end).any() or (same & (ordered.start[1:] < ordered.end[:-1])).any())


def entering(change: Change) -> Intervals:
    """Give the time that assets gain as members."""
    return subtract(change.opened, change.closed)


def leaving(change: Change) -> Intervals:
    """Give the time that assets lose as members."""
    return subtract(change.closed, change.opened)


@dataclass(frozen=True, slots=True)
class Reweighted:
    """Time over which members stay and weigh something else.

    Parameters
    ----------
    asset, start, end
        int64[n].
    before, after
        float64[n], NaN for none.
    """

    asset: Ints
    start: Ints
    end: Ints
    before: Floats
    after: Floats


_NONE, _NOTHING = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
NOT_REWEIGHTED = Reweighted(_NONE, _NONE, _NONE, _NOTHING, _NOTHING)
"""Nobody weighs something else."""


def reweighted(change: Change) -> Reweighted:
    """Give the time over which members stay and weigh something else."""
    closed, opened = change.closed, change.opened
    n, m = len(closed), len(opened)
    owners = np.concatenate([closed.asset, closed.asset, opened.asset, opened.asset])
    at = np.concatenate([closed.start, closed.end, opened.start, opened.end])
    steps = np.zeros((2, 2 * (n + m)), dtype=int)
    source = np.full((2, 2 * (n + m)), -1)
    steps[0, :n], steps[0, n : 2 * n], source[0, :n] = 1, -1, np.arange(n)
    steps[1, 2 * n : 2 * n + m], steps[1, 2 * n + m :], source[1, 2 * n : 2 * n + m] = 1, -1, np.arange(m)
    order = np.lexsort((at, owners))
    owners, at, source = owners[order], at[order], source[:, order]
    held, follows = np.cumsum(steps[:, order], axis=1) > 0
    both = held & follows
    chosen = np.flatnonzero(both[:-1] & (at[1:] > at[:-1]) & (owners[1:] == owners[:-1]))
    rows = np.maximum.accumulate(np.where(source >= 0, np.arange(source.shape[1]), 0), axis=1)[:, chosen]
    old = closed.weight[source[0][rows[0]]]
    new = opened.weight[source[1][rows[1]]]
    moved = ~((old == new) | (np.isnan(old) & np.isnan(new)))
    kept = chosen[moved]
    return Reweighted(owners[kept], at[kept], at[kept + 1], old[moved], new[moved])


def members_over_time(start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Give from when there are how many members.

    Parameters
    ----------
    start, end
        Validity intervals ``[start, end)``, int64[n] each; those of one asset do not overlap.

    Returns
    -------
    tuple of int64[k]
        Times, sorted, and the number of members from each until the next.
    """
    at, place = np.unique(np.concatenate([start, end]), return_inverse=True)
    steps = np.zeros(len(at), np.int64)
    np.add.at(steps, place[: len(start)], 1)
    np.add.at(steps, place[len(start) :], -1)
    return at, np.cumsum(steps)


def most_gone(lost: Intervals) -> int:
    """Give the first time at which the most assets are missing that were members; for none, 0."""
    if not len(lost):
        return 0
    at = np.concatenate([lost.start, lost.end])
    steps = np.concatenate([np.ones(len(lost), int), -np.ones(len(lost), int)])
    order = np.lexsort((steps, at))
    return int(at[order][np.argmax(np.cumsum(steps[order]))])


@dataclass(frozen=True, slots=True)
class Moments:
    """From when so many are missing: int64[n] each, sorted by time.

    Parameters
    ----------
    at
        Microseconds; what is counted holds until the next of them.
    gone
        Members that a change takes out, at least one.
    present
        Members before the change.
    left
        Members after it.
    """

    at: Ints
    gone: Ints
    present: Ints
    left: Ints

    def largest_fraction(self, allowed: Floats) -> int | None:
        """Give where the largest part is gone of those that exceed what is allowed, float64[n]; ``None``: nowhere."""
        fraction = self.gone / self.present
        worst = np.where(fraction > allowed, fraction, -1.0)
        return int(np.argmax(worst)) if (worst > 0).any() else None


def sweep(present: Intervals, lost: Intervals, gained: Intervals) -> Moments:
    """Count, wherever a change takes members out, who is gone, was there and is left.

    Parameters
    ----------
    present
        All present intervals that hold while somebody is lost.
    lost, gained
        The time that assets lose and gain as members.
    """
    at = np.unique(np.concatenate([bound for rows in (present, lost, gained) for bound in (rows.start, rows.end)]))
    gone, there, new = (_numbers_at(rows, at) for rows in (lost, present, gained))
    some = gone > 0
    return Moments(at[some], gone[some], there[some], (there - gone + new)[some])


def _numbers_at(rows: Intervals, times: Ints) -> Ints:
    """Count the intervals that hold at each of some times."""
    begun = np.searchsorted(np.sort(rows.start), times, side="right")
    return np.asarray(begun - np.searchsorted(np.sort(rows.end), times, side="right"), dtype=np.int64)
