"""Reading universes that are made from others: everything they are made from is found, read once and combined."""

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np
from sqlalchemy import ColumnElement

from mainsequence.compute.interval_algebra import Formula, combine_ids, combine_intervals, evaluate
from mainsequence.compute.intervals import Bools, Intervals
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.expressions import Expression, Operator, parse_expression
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros, to_micros
from mainsequence.domain.universe_rules import Outcome
from mainsequence.errors import CyclicUniverseError, DerivedUniverseError, UnknownRevisionError
from mainsequence.platform.registry import composition as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.registry.composition import EXPRESSION, HEAD, MEMBERS, RULE, UNPINNED, Body, Found, Named
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.work import Work


@dataclass(frozen=True, slots=True)
class Network:
    """Formulas over the ledgers of universes.

    Parameters
    ----------
    sources
        The universes with ledgers of their own, as they are named.
    states
        The recorded state of each that is read.
    formulas
        One for each universe that is made from others, in an order in which each comes behind what it reads.
    places
        For every universe, by how it is named, its number: of a source, or behind those of a formula.
    found
        The facts of each.
    """

    sources: tuple[Named, ...]
    states: tuple[State, ...]
    formulas: tuple[Formula, ...]
    places: dict[Named, int]
    found: dict[Named, Found]

    def until(self, named: Named) -> "Network":
        """Give the network that ends with one universe."""
        behind = self.places[named] - len(self.sources)
        formulas = ((self.places[named],),) if behind < 0 else self.formulas[: behind + 1]
        return Network(self.sources, self.states, formulas, self.places, self.found)

    def ending(self, expression: Expression, operands: Sequence[Named]) -> "Network":
        """Give the network that ends with an expression over universes of this one."""
        formula = formula_of(expression, [self.places[each] for each in operands])
        return Network(self.sources, self.states, (*self.formulas, formula), self.places, self.found)


def formula_of(expression: Expression, places: Sequence[int]) -> Formula:
    """Write an expression as a formula; ``places`` are the numbers of its operands, in the order first named."""
    numbers = dict(zip(expression.operands, places, strict=True))
    return tuple(step if isinstance(step, Operator) else numbers[step] for step in expression.steps)


def network(work: Work, roots: Sequence[Named], held: Named | None = None) -> Network:
    """Find everything that some universes are made from: two statements, however many they are and however deep.

    Parameters
    ----------
    held
        A universe that counts as a source, though it is made from others: what it holds is known otherwise.

    Raises
    ------
    UnknownRevisionError
        One of them did not exist at the time at which it is read.
    CyclicUniverseError
        They are made from each other in a circle.
    """
    found = registry.reach(work.connection, list(dict.fromkeys(roots)))
    for each in found.values():
        _check_known(each)
    made = {named: each.body for named, each in found.items() if each.is_derived and named != held}
    bodies = {named: Body.of(body) for named, body in made.items() if body is not None}
    needs = {named: bodies[named].named(named.known) if named in bodies else [] for named in found}
    ordered = _ordered(needs, found)
    sources = tuple(named for named in ordered if named not in bodies)
    last = [named for named in ordered if named in bodies]
    places = {named: place for place, named in enumerate([*sources, *last])}
    formulas = [
        formula_of(parse_expression(bodies[each].text), [places[need] for need in needs[each]]) for each in last
    ]
    return Network(sources, _states(work, [found[each] for each in sources]), tuple(formulas), places, found)


def _ordered(needs: dict[Named, list[Named]], found: dict[Named, Found]) -> list[Named]:
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        names = " → ".join(found[each].unique_identifier for each in error.args[1])
        raise CyclicUniverseError(f"Universes are made from each other: {names}.") from None


def _check_known(each: Found) -> None:
    missing = each.is_derived and (each.body is None)
    if each.named.known == HEAD or (each.created_at <= each.named.known and not missing):
        return
    raise UnknownRevisionError(
        f"{each.unique_identifier} was created at {from_micros(each.created_at)}; nothing was known before.",
        hint="Ask for a later known_at.",
    )


def _states(work: Work, sources: Sequence[Found]) -> tuple[State, ...]:
    past = [each.named for each in sources if each.named.known != HEAD and each.named.revision == UNPINNED]
    known = registry.known_revisions(work.connection, past)
    return tuple(_state(each, known.get(each.named)) for each in sources)


def _state(each: Found, known: int | None) -> State:
    revision = known if each.named.revision == UNPINNED else each.named.revision
    return State(each.named.category_id, None if revision == each.head_revision else revision)


@dataclass(frozen=True, slots=True)
class Derived:
    """The members of a universe that is made from others, as `membership_reads.Held` gives those of a ledger."""

    work: Work
    network: Network

    def ids(self, time: int) -> list[int]:
        """Give the ids of the members at a time, sorted."""
        sets = ledger.ids_of_each(self.work.connection, self.network.states, time)
        found: list[int] = combine_ids(sets, self.network.formulas).tolist()
        return found

    def condition(self, time: int) -> ColumnElement[bool]:
        """Give the condition that an asset is a member at a time."""
        return within(self.work.connection, asset.c.id, self.ids(time))

    def intervals(self, start: int, end: int) -> Intervals:
        """Give the intervals that overlap or touch a window, whole."""
        connection, states = self.work.connection, self.network.states
        ids = None
        if start > MIN_MICROS or end < MAX_MICROS:
            near = ledger.intervals_of_each(connection, states, (start, end))
            ids = np.unique(np.concatenate([rows.asset for rows in near]))
        rows = combine_intervals(ledger.intervals_of_each(connection, states, None, ids), self.network.formulas)
        return rows.take((rows.end >= start) & (rows.start <= end))

    def weights_by_id(self, time: int) -> dict[int, float | None]:
        """Give the members at a time; a universe made from others has no weights."""
        return dict.fromkeys(self.ids(time))

    def weights(self, time: int, after: int | None = None, limit: int | None = None) -> dict[str, float | None]:
        """Give the members at a time by unique identifier, in its order, without weights; a part in that of the ids."""
        ids = [each for each in self.ids(time) if after is None or each > after][:limit]
        names = ledger.identifiers(self.work.connection, np.array(ids, dtype=np.int64))
        whole = after is None and limit is None
        return dict.fromkeys(sorted(names.values()) if whole else (names[each] for each in ids))

    def source_revisions(self) -> dict[str, int]:
        """Give the revisions of the ledgers that are read, by universe."""
        found = self.network.found
        pairs = zip(self.network.sources, self.network.states, strict=True)
        return {
            found[named].unique_identifier: found[named].head_revision if state.revision is None else state.revision
            for named, state in pairs
        }


def membership(work: Work, record: CategoryRecord, known: int = HEAD) -> Derived:
    """Give the members of a universe that is made from others, by the definition in force at a time."""
    named = Named(record.id, known)
    return Derived(work, network(work, [named]).until(named))


def last_change(work: Work, record: CategoryRecord) -> tuple[int, dict[str, int]]:
    """Give when anything that a universe is read from was last recorded, and the revisions of the ledgers read.

    Known at that time it reads the same for ever, and as long as nothing changes the time stays the same.
    """
    whole = network(work, [Named(record.id)])
    last = registry.recorded_at(work.connection, {named.category_id: 0 for named in whole.found})
    return last or to_micros(record.created_at), Derived(work, whole).source_revisions()


def read_at_head(work: Work, roots: Sequence[Named]) -> set[int]:
    """Give the ids of universes and of all that they are made from, pinned ones left out: nothing changes those."""
    found = network(work, roots).found
    return {named.category_id for named in found if named.known == HEAD and named.revision == UNPINNED}


def is_derived(record: CategoryRecord) -> bool:
    """Tell whether a universe is made from others, and so has no rows of its own."""
    return record.kind == EXPRESSION


def refuse_change(record: CategoryRecord) -> None:
    """Refuse that somebody changes the members of a universe that a definition makes.

    Raises
    ------
    DerivedUniverseError
        It is made from others, or by a rule.
    """
    if record.kind == MEMBERS:
        return
    made = {EXPRESSION: "is made from other universes", RULE: "is filled by a rule"}[record.kind]
    verb = {EXPRESSION: "plan(expression=…) and redefine(…)", RULE: "change_rule(…)"}[record.kind]
    raise DerivedUniverseError(
        f"{record.unique_identifier} {made}: its members follow from what it is made from.",
        hint=f"Change that, or how it is made with {verb}; or combine it with another universe in an expression.",
        category=record.unique_identifier,
    )


def no_ledger(record: CategoryRecord) -> DerivedUniverseError:
    """Say why what is asked of the rows of a universe cannot be asked of one that is made from others."""
    return DerivedUniverseError(
        f"{record.unique_identifier} is made from other universes and has no rows of its own: when its changes were "
        "recorded or announced is told of those alone.",
        hint="definition() names what it is made from; ask those.",
        category=record.unique_identifier,
    )


def refuse_revision(record: CategoryRecord, revision: int) -> DerivedUniverseError:
    """Say why a universe that is made from others cannot be read at a revision."""
    return DerivedUniverseError(
        f"{record.unique_identifier} is made from other universes: revision {revision} is one of its definition, and "
        "says nothing of the members that they had.",
        hint=f"Pin it to a time, as in {record.unique_identifier}@2024-06-28, or ask with known_at=….",
        category=record.unique_identifier,
    )


def containing(work: Work, asset_id: int, time: int) -> list[int]:
    """Give the ids of the universes made from others that hold an asset at a time: all of them in four statements."""
    roots = [Named(key) for key in registry.derived_ids(work.connection, work.actor)]
    if not roots:
        return []
    whole = network(work, roots)
    ids = np.array([asset_id], dtype=np.int64)
    rows = ledger.intervals_of_each(work.connection, whole.states, (time, time + 1), ids)
    held = [np.array([len(each) > 0]) for each in rows]
    every = [*held, *evaluate(held, whole.formulas)]
    return [root.category_id for root in roots if every[whole.places[root]][0]]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an asset is, or is not, in a universe that is made from others.

    Parameters
    ----------
    expression
        The definition in force.
    operands
        For each universe that it names, as it names it: whether the asset is in.
    """

    expression: str
    operands: dict[str, bool]
    holds: bool

    @property
    def outcomes(self) -> list[Outcome]:
        """For each universe that it names, whether the asset is in; where it need not be, being out is no failure."""
        return [
            Outcome(condition=f"in {name}", found="yes" if held else "no", passed=held)
            for name, held in self.operands.items()
        ]

    def __str__(self) -> str:
        told = ", ".join(f"{'in' if held else 'not in'} {name}" for name, held in self.operands.items())
        return f"{'in' if self.holds else 'not in'}, as {self.expression} says: {told}"


def why(work: Work, record: CategoryRecord, asset_id: int, as_of: int, known_at: int = HEAD) -> Reason:
    """Say why an asset is, or is not, in a universe that is made from others.

    Parameters
    ----------
    as_of, known_at
        When, and as known when; microseconds UTC.
    """
    root = Named(record.id, known_at)
    whole = network(work, [root])
    body = Body.of(_text(whole.found[root].body))
    ids = np.array([asset_id], dtype=np.int64)
    rows = ledger.intervals_of_each(work.connection, whole.states, (as_of, as_of + 1), ids)
    held = [np.array([len(each) > 0]) for each in rows]
    every: list[Bools] = [*held, *evaluate(held, whole.formulas)]
    expression = parse_expression(body.text)
    named = zip(expression.operands, body.named(known_at), strict=True)
    told = {str(operand): bool(every[whole.places[each]][0]) for operand, each in named}
    return Reason(body.text, told, bool(every[whole.places[root]][0]))


def _text(body: str | None) -> str:
    if body is None:
        raise UnknownRevisionError("The universe was not defined then.", hint="Ask for a later known_at.")
    return body
