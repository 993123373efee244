"""Universes combined: formulas of sets, and of sets that change over time, evaluated on whole columns.

A formula is in postfix order: numbers of the sets that it combines, and operators behind the two that they combine.
Formula ``i`` of a network of ``n`` sets may name those sets as ``0 … n-1`` and earlier formulas as ``n … n+i-1``, so
that a formula used twice is evaluated once.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from mainsequence.compute.intervals import Bools, Intervals, Ints, coalesce
from mainsequence.domain.expressions import Operator

Formula: TypeAlias = tuple[int | Operator, ...]


def _without(a: Bools, b: Bools) -> Bools:
    return a & ~b


_CARRY_OUT: dict[Operator, Callable[[Bools, Bools], Bools]] = {
    Operator.BOTH: np.logical_and,
    Operator.EITHER: np.logical_or,
    Operator.WITHOUT: _without,
    Operator.ONE: np.logical_xor,
}


def evaluate(sets: Sequence[Bools], formulas: Sequence[Formula]) -> list[Bools]:
    """Evaluate a network of formulas.

    Parameters
    ----------
    sets
        For each set, bool[n]: which of n things it holds.
    formulas
        The network.

    Returns
    -------
    list of bool[n]
        One for each formula.
    """
    known = list(sets)
    for formula in formulas:
        known.append(_value(formula, known))
    return known[len(sets) :]


def _value(formula: Formula, known: list[Bools]) -> Bools:
    waiting: list[Bools] = []
    for step in formula:
        if isinstance(step, Operator):
            right, left = waiting.pop(), waiting.pop()
            waiting.append(_CARRY_OUT[step](left, right))
        else:
            waiting.append(known[step])
    return waiting.pop()


def combine_ids(sets: Sequence[Ints], formulas: Sequence[Formula]) -> Ints:
    """Give the ids, sorted, that the last formula of a network holds.

    Parameters
    ----------
    sets
        Ids, in any order, each once in its set.
    """
    every = np.unique(np.concatenate(sets))
    held = np.zeros((len(sets), len(every)), dtype=bool)
    for row, of_set in zip(held, sets, strict=True):
        row[np.searchsorted(every, of_set)] = True
    ids: Ints = every[evaluate(list(held), formulas)[-1]]
    return ids


def combine_intervals(sets: Sequence[Intervals], formulas: Sequence[Formula]) -> Intervals:
    """Give the intervals that the last formula of a network holds: weightless, sorted, touching ones merged.

    Time is cut, asset by asset, wherever an interval of any set begins or ends; within such a cell nothing changes, so
    that a formula needs one truth value for each.

    Parameters
    ----------
    sets
        Intervals; those of one asset in one set must not overlap.
    """
    owners = np.concatenate([part for rows in sets for part in (rows.asset, rows.asset)])
    at = np.concatenate([part for rows in sets for part in (rows.start, rows.end)])
    cell, first = _cells(owners, at)
    held = np.zeros((len(sets), len(first) + 1), dtype=np.int8)
    begin = 0
    for row, rows in zip(held, sets, strict=True):
        n = len(rows)
        np.add.at(row, cell[begin : begin + n], 1)
        np.add.at(row, cell[begin + n : begin + 2 * n], -1)
        begin += 2 * n
    covered = np.cumsum(held, axis=1, dtype=np.int8)[:, :-1] > 0
    chosen = np.flatnonzero(evaluate(list(covered), formulas)[-1])
    starts, assets = at[first], owners[first]
    return coalesce(Intervals(assets[chosen], starts[chosen], starts[chosen + 1], np.full(len(chosen), np.nan)))


def _cells(owners: Ints, at: Ints) -> tuple[Ints, Ints]:
    """Count the distinct moments of each asset in order: give each event's number, and an event of each number."""
    order = np.lexsort((at, owners))
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (owners[order][1:] != owners[order][:-1]) | (at[order][1:] != at[order][:-1])
    cell = np.empty(len(order), dtype=np.int64)
    cell[order] = np.cumsum(is_new) - 1
    return cell, order[is_new]
