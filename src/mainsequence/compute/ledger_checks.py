"""Checks on the columns of a whole ledger: which intervals contradict each other, and what each revision changed."""

from dataclasses import dataclass

import numpy as np

from mainsequence.compute.intervals import Bools, Intervals, Ints, uncovered
from mainsequence.compute.kernels import worth_compiling
from mainsequence.compute.ledger_sweep import sweep


@dataclass(frozen=True, slots=True)
class Recorded:
    """Rows of a ledger: intervals, the revision that added each and the one that removed it (int64, shape (n,)).

    ``removed`` is larger than every revision where a row still holds.
    """

    rows: Intervals
    added: Ints
    removed: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: Ints | Bools) -> "Recorded":
        """Select rows by mask or position."""
        return Recorded(self.rows.take(chosen), self.added[chosen], self.removed[chosen])

    def counted_from(self, first: int) -> "Recorded":
        """Give revisions as how many they come behind another one."""
        return Recorded(self.rows, self.added - first, self.removed - first)


def overlapping(recorded: Recorded, jit: bool | None = None) -> Ints:
    """Give the positions of rows that, when they were added, shared time with another row of the same asset.

    Every asset is played through its revisions, in each of which rows are closed before others are opened; a row that
    is opened is compared with its two neighbours in time.

    Parameters
    ----------
    recorded
        Rows of one ledger, n of them, in any order.
    jit
        Whether to compile; by default where that pays.
    """
    n = len(recorded)
    rows, everyone = recorded.rows, np.arange(n)
    which = np.concatenate([everyone, everyone])
    opens = np.repeat([True, False], n)
    order = np.lexsort((opens, np.concatenate([recorded.added, recorded.removed]), rows.asset[which]))
    which, opens = which[order], opens[order]
    meets = np.zeros(2 * n, dtype=np.bool_)
    events = (rows.asset[which], rows.start[which], rows.end[which], opens, meets)
    if worth_compiling(STEPS * n, _COMPILED, jit):
        from mainsequence.compute.ledger_sweep_compiled import sweep as quick

        quick(*events)
    else:
        sweep(*events)
    return np.unique(which[meets])


STEPS = 20
"""How many steps of the loop a row takes, about."""

_COMPILED = "mainsequence.compute.ledger_sweep_compiled"


def changed_assets(recorded: Recorded, revisions: int) -> tuple[Ints, Ints]:
    """Count, for each revision from 1, the assets that gained time as members, and those that lost some.

    Returns
    -------
    int64[revisions], int64[revisions]
        Revisions that nothing belongs to have 0.
    """
    closing = recorded.removed <= revisions
    assets, owner = np.unique(recorded.rows.asset, return_inverse=True)
    wide = max(len(assets), 1)
    opened = _Blocks.of(recorded.added * wide + owner, recorded.rows)
    closed = _Blocks.of(recorded.removed[closing] * wide + owner[closing], recorded.rows.take(closing))
    same = opened.same_as(closed)
    new, old = (each.rows_of(~np.isin(each.keys, same)) for each in (opened, closed))
    return _by_revision(uncovered(new, old) // wide, revisions), _by_revision(uncovered(old, new) // wide, revisions)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Rows by what they belong to, a key: sorted, with the first row of each key, and how many rows it has."""

    rows: Intervals
    keys: Ints
    first: Ints
    count: Ints

    @classmethod
    def of(cls, key: Ints, rows: Intervals) -> "_Blocks":
        order = np.argsort(key, kind="stable")
        keys, first, count = np.unique(key[order], return_index=True, return_counts=True)
        rows = rows.take(order)
        return cls(Intervals(key[order], rows.start, rows.end, rows.weight), keys, first, count)

    def same_as(self, other: "_Blocks") -> Ints:
        """Give the keys whose rows, here and there, cover one stretch without a gap, and the same one."""
        keys, mine, theirs = np.intersect1d(self.keys, other.keys, assume_unique=True, return_indices=True)
        here, there = self.stretches()[:, mine], other.stretches()[:, theirs]
        whole = (here[2] == here[1] - here[0]) & (there[2] == there[1] - there[0])
        equal: Ints = keys[whole & (here == there).all(axis=0)]
        return equal

    def stretches(self) -> Ints:
        """Give for each key the first start, the last end, and the time covered; int64[3, keys]."""
        if not len(self.keys):
            return np.empty((3, 0), dtype=np.int64)
        start, end = self.rows.start, self.rows.end
        columns = (np.minimum.reduceat(start, self.first), np.maximum.reduceat(end, self.first))
        return np.stack([*columns, np.add.reduceat(end - start, self.first)])

    def rows_of(self, chosen: Bools) -> Intervals:
        """Give the rows of some keys, which stand for their assets."""
        return self.rows.take(np.repeat(chosen, self.count))


def _by_revision(numbers: Ints, revisions: int) -> Ints:
    inside = numbers[(numbers >= 1) & (numbers <= revisions)]
    return np.bincount(inside, minlength=revisions + 1)[1:].astype(np.int64)
