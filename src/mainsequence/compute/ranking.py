"""Numbers of assets over windows of sessions, ranks, and which ranks are in (`domain.universe_rules`)."""

from collections.abc import Callable

import numpy as np

from mainsequence.compute.intervals import Bools, Floats, Intervals, Ints, coalesce
from mainsequence.domain.times import MAX_MICROS
from mainsequence.domain.universe_rules import Ranking, Statistic


def by_session(values: Floats, session: Ints, sessions: int, *, sums: bool) -> Floats:
    """Gather rows by session.

    Parameters
    ----------
    values
        float64[T, N], NaN where there is none.
    session
        int64[T], ascending: the session of each row, in ``[0, sessions)``.
    sums
        Whether the rows of one session are added up; else its last value counts.

    Returns
    -------
    float64[sessions, N]
    """
    gathered = np.full((sessions, values.shape[1]), np.nan)
    for at, row in zip(session.tolist(), values, strict=True):
        here = ~np.isnan(row)
        added = sums & ~np.isnan(gathered[at])
        gathered[at] = np.where(here, np.where(added, gathered[at] + row, row), gathered[at])
    return gathered


def statistic(window: Floats, kind: Statistic, least: int) -> Floats:
    """Give a statistic of each column of a window; NaN where fewer than ``least`` rows have a value.

    The same bits for an asset whoever stands beside it: rows are added one after the other.

    Parameters
    ----------
    window
        float64[W, N], the oldest row first.
    """
    here = ~np.isnan(window)
    count = here.sum(axis=0)
    found = _STATISTICS[kind](window, here, count)
    result: Floats = np.where((count >= least) & (count > 0), found, np.nan)
    return result


def _median(window: Floats, _here: Bools, count: Ints) -> Floats:
    ordered = np.sort(window, axis=0)  # NaN comes last
    columns = np.arange(window.shape[1])
    low, high = np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2
    a, b = ordered[low, columns], ordered[np.minimum(high, len(window) - 1), columns]
    middle: Floats = np.where(count % 2 == 1, a, (a + b) / 2)
    return middle


def _sum(window: Floats, here: Bools, _count: Ints) -> Floats:
    total = np.zeros(window.shape[1])
    for row, known in zip(window, here, strict=True):
        total += np.where(known, row, 0.0)
    return total


def _mean(window: Floats, here: Bools, count: Ints) -> Floats:
    mean: Floats = _sum(window, here, count) / np.maximum(count, 1)
    return mean


def _last(window: Floats, here: Bools, _count: Ints) -> Floats:
    rows = np.where(here, np.arange(len(window))[:, None], 0).max(axis=0)
    last: Floats = window[rows, np.arange(window.shape[1])]
    return last


def _min(window: Floats, here: Bools, _count: Ints) -> Floats:
    smallest: Floats = np.where(here, window, np.inf).min(axis=0)
    return smallest


def _max(window: Floats, here: Bools, _count: Ints) -> Floats:
    largest: Floats = np.where(here, window, -np.inf).max(axis=0)
    return largest


_STATISTICS: dict[Statistic, Callable[[Floats, Bools, Ints], Floats]] = {
    "median": _median,
    "mean": _mean,
    "sum": _sum,
    "last": _last,
    "min": _min,
    "max": _max,
}


def ranks(values: Floats, eligible: Bools, *, ascending: bool) -> Ints:
    """Rank those that are eligible and have a value, the best 1; others 0. Ties go to the first position."""
    ranked = np.flatnonzero(eligible & ~np.isnan(values))
    keys = values[ranked] if ascending else -values[ranked]
    rank = np.zeros(len(values), dtype=np.int64)
    rank[ranked[np.argsort(keys, kind="stable")]] = np.arange(1, len(ranked) + 1)
    return rank


def choose(rank: Ints, held: Bools, ranking: Ranking) -> Bools:
    """Say who is in, by rank and by who was (`Ranking`)."""
    ranked = rank > 0
    sure = ranked & (rank <= ranking.enters)
    stays = ranked & held & (rank <= ranking.leaves)
    preference = np.where(sure, 0, np.where(stays, 1, 2))
    order = np.lexsort((rank, preference))
    order = order[ranked[order]][: ranking.top]
    chosen = np.zeros(len(rank), dtype=bool)
    chosen[order] = True
    return chosen


def held_at(rows: Intervals, ids: Ints, time: int, *, since: int | None = None) -> Bools:
    """Say which of some ids, sorted, have an interval that holds at a time and began at or before ``since``."""
    inside = (rows.start <= time) & (rows.end > time)
    if since is not None:
        inside &= rows.start <= since
    found: Bools = np.isin(ids, rows.asset[inside])
    return found


def spells(chosen: Bools, effective: Ints, ids: Ints, ends: Ints) -> Intervals:
    """Give the intervals of decisions: each holds from its date to the next one, the last for ever.

    Parameters
    ----------
    chosen
        bool[D, N].
    effective
        int64[D], ascending.
    ids
        int64[N], sorted.
    ends
        int64[N]: when each asset ends, whatever was decided.
    """
    until = np.append(effective[1:], MAX_MICROS)
    date, column = np.nonzero(chosen)
    rows = Intervals(ids[column], effective[date], np.minimum(until[date], ends[column]), np.full(len(date), np.nan))
    return coalesce(rows.take(rows.start < rows.end))
