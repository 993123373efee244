"""How membership moves in a universe that would change, and in those that are made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mainsequence.compute.interval_algebra import combine_intervals
from mainsequence.compute.intervals import Intervals, coalesce, concatenate, subtract
from mainsequence.compute.membership_changes import NOT_REWEIGHTED, Reweighted
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.expressions import Expression
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS
from mainsequence.platform.registry import governance as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.composition import Named
from mainsequence.platform.services import derived
from mainsequence.platform.services.derived import Network, network
from mainsequence.platform.work import Work


@dataclass(frozen=True)
class Shift:
    """How membership of one universe moves.

    Parameters
    ----------
    head
        The universe as it is.
    before
        The intervals that those concerned have now.
    gained, lost, reweighted
        The time that assets gain, lose, and weigh something else.
    names
        The unique identifier of every asset concerned, by id.
    """

    head: CategoryRecord
    before: Intervals
    gained: Intervals
    lost: Intervals
    names: dict[int, str]
    reweighted: Reweighted = NOT_REWEIGHTED

    @cached_property
    def after(self) -> Intervals:
        """The intervals that those concerned would have."""
        return coalesce(concatenate(subtract(self.before, self.lost), self.gained))

    @property
    def moved(self) -> Intervals:
        """The time for which membership itself changes."""
        return concatenate(self.gained, self.lost)

    @property
    def begins(self) -> int | None:
        """The first time at which anything changes; ``None`` where nothing does."""
        return _first(self.moved.start, self.reweighted.start)

    @property
    def members_move(self) -> int | None:
        """The first time at which somebody enters or leaves; ``None`` where nobody does."""
        return _first(self.moved.start)

    @cached_property
    def newcomers(self) -> frozenset[int]:
        """Those who have no time as members now, and would have some."""
        return frozenset(self.gained.asset.tolist()) - frozenset(self.before.asset.tolist())

    @cached_property
    def departed(self) -> frozenset[int]:
        """Those who would be left with no time at all as members."""
        return frozenset(self.lost.asset.tolist()) - frozenset(self.after.asset.tolist())


def _first(*starts: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> int | None:
    every = np.concatenate(starts)
    return int(every.min()) if len(every) else None


def others_ever(work: Work, shift: Shift) -> set[str]:
    """Name everyone who has any time as a member, but for those who would depart."""
    if not derived.is_derived(shift.head):
        return registry.members_besides(work.connection, shift.head.id, shift.departed)
    rows = derived.membership(work, shift.head).intervals(MIN_MICROS, MAX_MICROS)
    ids = np.setdiff1d(rows.asset, np.array(sorted(shift.departed), dtype=np.int64))
    return set(ledger.identifiers(work.connection, ids).values())


def shift_of(work: Work, made: CategoryRecord, source: Shift) -> Shift:
    """Give how a universe made from others moves once one of those has moved; what pins it stays as it is."""
    root = Named(made.id)
    before, after = _around(work, network(work, [root], held=Named(source.head.id)).until(root), source)
    return Shift(made, before, subtract(after, before), subtract(before, after), source.names)


def first_difference(work: Work, expression: Expression, operands: Sequence[Named], source: Shift) -> int | None:
    """Give the first time at which an expression holds others once a universe has moved; ``None`` for never."""
    whole = network(work, operands, held=Named(source.head.id)).ending(expression, operands)
    before, after = _around(work, whole, source)
    return _first(subtract(after, before).start, subtract(before, after).start)


def _around(work: Work, whole: Network, source: Shift) -> tuple[Intervals, Intervals]:
    """Evaluate a network with a universe as it is, and as it would be."""
    ids, changed = np.unique(source.moved.asset), Named(source.head.id)
    rows = ledger.intervals_of_each(work.connection, whole.states, None, ids)
    sets = [
        [known if named == changed else each for named, each in zip(whole.sources, rows, strict=True)]
        for known in (source.before, source.after)
    ]
    before, after = (combine_intervals(each, whole.formulas) for each in sets)
    return before, after
