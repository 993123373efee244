"""How a change of a universe spreads: to universes made from it, to those whose rule looks at it, and their readers."""

from functools import cached_property

import numpy as np

from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.expressions import parse_expression
from mainsequence.domain.plans import AffectedReader
from mainsequence.domain.times import MIN_MICROS, to_micros
from mainsequence.domain.universe_rules import UniverseRule
from mainsequence.platform.registry import composition as registry
from mainsequence.platform.registry import rule_runs
from mainsequence.platform.registry.composition import RULE, Named
from mainsequence.platform.services import definitions, derived
from mainsequence.platform.services.reader_views import View, affected, spared
from mainsequence.platform.services.readers import Reader
from mainsequence.platform.services.shifts import Shift, first_difference, shift_of
from mainsequence.platform.work import Work


class Spread:
    """A change of one universe, followed into those that are made from it.

    Parameters
    ----------
    work
        The unit of work.
    source
        How that universe moves.
    readers
        All its readers.
    """

    def __init__(self, work: Work, source: Shift, readers: list[Reader]) -> None:
        self.work, self.source = work, source
        every = [*(each.universe for each in readers), *(each.made for each in readers if each.made is not None)]
        self._universes = {each.id: each for each in every}
        self._shifts = {source.head.id: source}

    def shift(self, key: int) -> Shift:
        """Give how a universe moves, as far as that follows from what it is made from: what a rule decides does not."""
        if key not in self._shifts:
            made = self._universes[key]
            follows = derived.is_derived(made) and self.source.members_move is not None
            self._shifts[key] = shift_of(self.work, made, self.source) if follows else self._still(made)
        return self._shifts[key]

    def _still(self, made: CategoryRecord) -> Shift:
        nobody = self.source.gained.take(np.empty(0, dtype=np.int64))
        return Shift(made, nobody, nobody, nobody, self.source.names)

    # -- what rules will decide

    @cached_property
    def _rules(self) -> dict[int, int]:
        """The universes whose rules may decide otherwise, and from when at the earliest."""
        found: dict[int, int] = {}
        if self.source.members_move is None:
            return found
        waiting = {key: each for key, each in self._universes.items() if each.kind == RULE}
        while fresh := {key: at for key, each in waiting.items() if (at := self._decides(each, found)) is not None}:
            found |= fresh
            waiting = {key: each for key, each in waiting.items() if key not in fresh}
        return found

    def _decides(self, made: CategoryRecord, others: dict[int, int]) -> int | None:
        """Give the first time at which a rule may decide otherwise: dates that are decided stay decided."""
        defined = registry.definition(self.work.connection, made.id)
        if defined is None or made.id == self.source.head.id:
            return None
        rule = UniverseRule.model_validate_json(defined[2].text)
        firsts = [first for text in rule.universes if (first := self._looks(text, others)) is not None]
        decided = rule_runs.decided_until(self.work.connection, made.id)
        return max(min(firsts), to_micros(rule.start), decided or MIN_MICROS) if firsts else None

    def _looks(self, text: str, others: dict[int, int]) -> int | None:
        expression = parse_expression(text)
        operands = definitions.bound(self.work, text, expression, self.work.steward)
        first = first_difference(self.work, expression, operands, self.source)
        return _earlier(first, self._through_rules(operands, others))

    def _through_rules(self, operands: list[Named], rules: dict[int, int]) -> int | None:
        if not rules:
            return None
        read = derived.read_at_head(self.work, operands)
        return min((at for key, at in rules.items() if key in read), default=None)

    # -- what it means

    def assessed(self, reader: Reader, view: View) -> AffectedReader:
        """Say what the change means to a reader."""
        if self.source.begins is None:
            return spared(reader, "nothing changes")
        if reader.pinned:
            return spared(reader, f"pinned to {', '.join(reader.pinned)}")
        if reader.made is not None:
            return self._universe(reader, reader.made)
        first = self._through_rules([Named(reader.universe.id)], self._rules) if reader.through else None
        if first is not None:
            return view.behind_rule(reader, first)
        if view.shift.begins is None:
            return spared(reader, f"{reader.universe.unique_identifier} holds the same members")
        return view.assessed(reader)

    def _universe(self, reader: Reader, made: CategoryRecord) -> AffectedReader:
        """Make a universe of what it is made from, before and after; what a rule decides follows at its next date."""
        if made.kind == RULE:
            first = self._rules.get(made.id)
            if first is None:
                return spared(reader, "its rule looks at the same members")
            return affected(reader, first, "its rule reads the members", exact=False)
        first = self._through_rules([Named(made.id)], self._rules)
        moves = self.shift(made.id).begins
        if first is not None and (moves is None or first < moves):
            return affected(reader, first, "what a rule decides may differ", exact=False)
        if moves is None:
            return spared(reader, "it holds the same members")
        return affected(reader, moves, "it holds other members", exact=True)


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
