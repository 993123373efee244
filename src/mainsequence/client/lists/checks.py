"""Checking what a list says against itself: intervals that hold no time or overlap, and assets named twice."""

from dataclasses import dataclass

import numpy as np

from mainsequence.client.lists.columns import Layout
from mainsequence.client.lists.findings import Fault
from mainsequence.client.lists.rows import UNREAD, Rows, day_of
from mainsequence.compute.intervals import Bools, Intervals, Ints
from mainsequence.compute.lists import overlapping


@dataclass(frozen=True, slots=True)
class Checked:
    """Which rows say something that can be loaded: those that hold time; ``contradicted`` ones meet another row."""

    usable: Bools
    contradicted: Bools


def check(rows: Rows, owner: Ints) -> Checked:
    """Find every fault of a list's times and repetitions.

    Parameters
    ----------
    rows
        The rows as they were read; findings are added to them.
    owner
        Whom each row is about: the asset, or a number of its own for each identifier that is not resolved; -1 for none.
    """
    usable = owner != -1
    contradicted = np.zeros(len(rows), bool)
    if rows.layout is Layout.INTERVALS:
        usable &= (rows.start != UNREAD) & (rows.end != UNREAD)
        usable &= _hold_time(rows, usable)
        _check_overlaps(rows, owner, usable, contradicted)
    elif rows.layout is Layout.SNAPSHOTS:
        usable &= rows.date != UNREAD
        _check_repeats(rows, owner, rows.date, usable, contradicted)
    else:
        _check_repeats(rows, owner, np.zeros(len(rows), np.int64), usable, contradicted)
    return Checked(usable, contradicted)


def _hold_time(rows: Rows, usable: Bools) -> Bools:
    """Say which intervals hold time; the others are found."""
    for place in np.flatnonzero(usable & (rows.start >= rows.end)).tolist():
        start, end = int(rows.start[place]), int(rows.end[place])
        if start == end:
            rows.find(place, Fault.ZERO_LENGTH, f"it begins and ends {day_of(start)}")
        else:
            rows.find(place, Fault.INVERTED, f"it begins {day_of(start)} and ends {day_of(end)}")
    holds: Bools = rows.start < rows.end
    return holds


def _check_overlaps(rows: Rows, owner: Ints, usable: Bools, contradicted: Bools) -> None:
    places = np.flatnonzero(usable)
    chosen = Intervals(owner[places], rows.start[places], rows.end[places], rows.weight[places])
    for late, early in zip(*overlapping(chosen), strict=True):
        row, other = int(places[late]), int(places[early])
        contradicted[row] = True
        same = rows.start[row] == rows.start[other] and rows.end[row] == rows.end[other]
        spans = [f"{day_of(int(rows.start[each]))} to {day_of(int(rows.end[each]))}" for each in (row, other)]
        kind, said = (Fault.DUPLICATE, "is that of") if same else (Fault.OVERLAP, f"overlaps {spans[1]} of")
        rows.find(row, kind, f"{spans[0]} {said} row {rows.labels[other]}{_differing(rows, row, other)}")


def _check_repeats(rows: Rows, owner: Ints, group: Ints, usable: Bools, contradicted: Bools) -> None:
    places = np.flatnonzero(usable)
    order = places[np.lexsort((places, owner[places], group[places]))]
    again = (owner[order][1:] == owner[order][:-1]) & (group[order][1:] == group[order][:-1])
    first = order[0] if len(order) else 0
    for place, repeated in zip(order[1:].tolist(), again.tolist(), strict=True):
        if not repeated:
            first = place
            continue
        contradicted[place] = True
        rows.find(
            place, Fault.DUPLICATE, f"the same asset as in row {rows.labels[first]}{_differing(rows, place, first)}"
        )


def _differing(rows: Rows, row: int, other: int) -> str:
    a, b = rows.weight[row], rows.weight[other]
    return "" if a == b or (np.isnan(a) and np.isnan(b)) else f", with weight {a:g} instead of {b:g}"


def differ_in_weight(rows: Rows, checked: Checked, owner: Ints) -> list[int]:
    """Give rows that contradict another in weight, which no joining of time can settle."""
    places = np.flatnonzero(checked.usable)
    chosen = Intervals(owner[places], rows.start[places], rows.end[places], rows.weight[places])
    if rows.layout is not Layout.INTERVALS:
        group = rows.date if rows.layout is Layout.SNAPSHOTS else np.zeros(len(rows), np.int64)
        chosen = Intervals(owner[places], group[places], group[places] + 1, rows.weight[places])
    late, early = overlapping(chosen)
    a, b = chosen.weight[late], chosen.weight[early]
    return [int(each) for each in places[late[~((a == b) | (np.isnan(a) & np.isnan(b)))]]]
