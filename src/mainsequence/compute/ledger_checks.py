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
    if worth_compiling(2 * n, _COMPILED, jit):
        from mainsequence.compute.ledger_sweep_compiled import sweep as quick

        quick(*events)
    else:
        sweep(*events)
    return np.unique(which[meets])


_COMPILED = "mainsequence.compute.ledger_sweep_compiled"


def changed_assets(recorded: Recorded, revisions: int) -> tuple[Ints, Ints]:
    """Count, for each revision from 1, the assets that gained time as members, and those that lost some.

    Returns
    -------
    int64[revisions], int64[revisions]
        Revisions that nothing belongs to have 0.
    """
    opened, closed = recorded, recorded.take(recorded.removed <= revisions)
    assets, owner = np.unique(recorded.rows.asset, return_inverse=True)
    wide = max(len(assets), 1)
    came = opened.added * wide + owner
    went = closed.removed * wide + owner[recorded.removed <= revisions]
    both = np.intersect1d(came, went)
    again, before = np.isin(came, both), np.isin(went, both)
    new, old = _owned(opened.rows.take(again), came[again]), _owned(closed.rows.take(before), went[before])
    gained = np.concatenate([np.unique(came[~again]), uncovered(new, old)])
    lost = np.concatenate([np.unique(went[~before]), uncovered(old, new)])
    return _by_revision(gained // wide, revisions), _by_revision(lost // wide, revisions)


def _owned(rows: Intervals, owner: Ints) -> Intervals:
    return Intervals(owner, rows.start, rows.end, rows.weight)


def _by_revision(numbers: Ints, revisions: int) -> Ints:
    inside = numbers[(numbers >= 1) & (numbers <= revisions)]
    return np.bincount(inside, minlength=revisions + 1)[1:].astype(np.int64)
