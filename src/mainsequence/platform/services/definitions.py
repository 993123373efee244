"""Universes made from others: defining them, and evaluating expressions."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from mainsequence.compute.intervals import Change, Intervals
from mainsequence.contract import composition as contract
from mainsequence.domain.access import Actor
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryCreation, CategoryRecord
from mainsequence.domain.expressions import Expression, Operand, parse_expression, pointed, position_of
from mainsequence.domain.pins import Pin
from mainsequence.domain.plans import PlannedChange
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.domain.universe_rules import UniverseRule
from mainsequence.errors import (
    AlreadyExistsError,
    DerivedUniverseError,
    NotFoundError,
    UnknownRevisionError,
    ValidationError,
)
from mainsequence.platform.registry import categories as categories_registry
from mainsequence.platform.registry import composition as registry
from mainsequence.platform.registry import governance
from mainsequence.platform.registry.composition import EXPRESSION, HEAD, MEMBERS, RULE, Body, Named
from mainsequence.platform.services import categories, changes, derived, guards, membership_reads, memberships
from mainsequence.platform.services.derived import Derived
from mainsequence.platform.services.guards import UNASKED, Consent
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa

_NOBODY = np.empty(0, dtype=np.int64)
_NONE = Intervals(_NOBODY, _NOBODY, _NOBODY, np.empty(0, dtype=np.float64))
UNCHANGED = Change(_NONE, _NONE, _NONE.asset, _NONE.asset)
"""A change of no membership: what a definition records."""

REASON_LENGTH = 4_000

REDEFINE = "redefine"


# -- the universes that an expression names


def bound(work: Work, text: str, expression: Expression, reader: Actor | None = None) -> list[Named]:
    """Find the universes that an expression names, as it names them: two statements.

    Parameters
    ----------
    reader
        Who must see them; by default who acts.

    Raises
    ------
    NotFoundError
        One does not exist; the message points at it and names near ones.
    UnknownRevisionError
        A pin names a revision that was never recorded, or a time at which the universe did not exist.
    DerivedUniverseError
        A pin names a revision of a universe that is made from others.
    """
    operands = expression.operands
    names = list(dict.fromkeys(each.name for each in operands))
    present = governance.present_names(work.connection, work.organization_id, names)
    ids = registry.ids_named(work.connection, reader or work.actor, set(present.values()))
    for each in operands:
        if present[each.name] not in ids:
            raise _unknown(work, text, each)
    found = [_pinned(work, ids[present[each.name]], each) for each in operands]
    facts = registry.reach(work.connection, found)
    for named, operand in zip(found, operands, strict=True):
        _check_pin(facts[named], operand)
    return found


def _unknown(work: Work, text: str, operand: Operand) -> NotFoundError:
    at = position_of(text, operand)
    near = get_close_matches(operand.name, registry.every_name(work.connection, work.actor))
    return NotFoundError(
        f"There is no asset category {operand.name!r}, named at position {at}.{pointed(text, at)}\n   ",
        hint=f"Did you mean {', '.join(near)}?" if near else "AssetCategory.filter() lists those that exist.",
        position=at,
        nearest=near,
    )


def _pinned(work: Work, category_id: int, operand: Operand) -> Named:
    if operand.pin is None:
        return Named(category_id)
    pin = Pin.parse(f"{operand.name}@{operand.pin}")
    if pin.revision is not None:
        return Named(category_id, HEAD, pin.revision)
    known = to_micros(pin.known_at) if pin.known_at is not None else HEAD
    if known >= work.now:
        raise ValidationError(
            f"{operand} pins a time that has not passed.", hint="What will be known then cannot be named yet."
        )
    return Named(category_id, known)


def _check_pin(found: registry.Found, operand: Operand) -> None:
    if found.named.revision == registry.UNPINNED:
        return
    if found.is_derived:
        raise DerivedUniverseError(
            f"{operand} pins a revision of a universe that is made from others.",
            hint=f"Pin it to a time, as in {Operand(operand.name, '2024-06-28')}.",
        )
    if found.named.revision > found.head_revision:
        raise UnknownRevisionError(
            f"{operand.name} has no revision {found.named.revision}; its head is {found.head_revision}.",
            hint="history() lists the revisions.",
        )
    if found.named.revision < found.first_revision:
        raise membership_reads.of_a_former(operand.name, found.named.revision, found.first_revision)


def stored(text: str, named: Sequence[Named], reason: str | None) -> Body:
    """Give a definition as it is stored."""
    rows = tuple(
        (
            each.category_id,
            None if each.revision == registry.UNPINNED else each.revision,
            None if each.known == HEAD else each.known,
        )
        for each in named
    )
    return Body(text, rows, reason)


# -- defining


@carries_out(contract.DERIVE)
def derive(work: Work, body: contract.Derivation) -> CategoryRecord:
    """Create a universe that is made from others, or give the one that exists with the same expression."""
    record = made(work, body, EXPRESSION, dated=False)
    if record.revision:
        return same(work, record, EXPRESSION, body.expression)
    expression = parse_expression(body.expression)
    return define(work, record, body.expression, bound(work, body.expression, expression), "define", body.reason)


def made(work: Work, body: contract.Derivation | contract.RuleCreation, kind: str, *, dated: bool) -> CategoryRecord:
    """Create a universe of a kind without members, or read the one that has the identifier."""
    registry.hold_definitions(work.connection, work.organization_id)
    described = body.model_dump(include={"unique_identifier", "display_name", "description"})
    before = registry.ids_named(work.connection, work.steward, [body.unique_identifier])
    record = categories.get_or_create(work, CategoryCreation(**described, dated=dated and not before))
    if before or record.revision or record.kind != MEMBERS:
        return _existing(record, kind)
    categories_registry.change(work.connection, record.id, {"kind": kind})
    return record.model_copy(update={"kind": kind})


def _existing(record: CategoryRecord, kind: str) -> CategoryRecord:
    if record.kind == kind and record.revision:
        return record
    raise AlreadyExistsError(
        f"An asset category {record.unique_identifier!r} exists already, and is not made by a definition of this kind.",
        hint="Choose another name.",
    )


def same(work: Work, record: CategoryRecord, kind: str, text: str) -> CategoryRecord:
    """Give a universe that exists, where it has this definition."""
    defined = registry.definition(work.connection, record.id)
    if defined is not None and record.kind == kind and defined[2].text == text:
        return record
    said = defined[2].text if defined is not None else ""
    raise AlreadyExistsError(
        f"An asset category {record.unique_identifier!r} exists already, made as {said[:500]}.",
        hint="redefine(…) gives it another expression, change_rule(…) another rule.",
    )


def define(
    work: Work,
    head: CategoryRecord,
    text: str,
    named: Sequence[Named],
    operation: str,
    reason: str | None,
    consent: Consent = UNASKED,
) -> CategoryRecord:
    """Record a definition as the next revision; the caller holds the lock. What changes membership is not asked here.

    Raises
    ------
    CyclicUniverseError
        The universe would be made from itself.
    """
    registry.refuse_circle(work.connection, head.id, head.unique_identifier, named)
    # Recorded in the order in which they are made, as everything is: no past moment saw a circle either.
    position, now = changes.take_place(work)
    stamp = (now, consent.author or work.actor.name, operation, said_of(reason, text), consent.approved_by)
    revision = categories_registry.record_revision(work.connection, head, UNCHANGED, *stamp)
    registry.write_definition(
        work.connection, head.id, revision, head.unique_identifier, stored(text, named, reason), work.now
    )
    changes.publish_revision(work, head.id, revision, position)
    return categories_registry.by_id(work.connection, work.steward, head.id)


def said_of(reason: str | None, text: str) -> str:
    """Give what history shows of a definition, and what its chain of hashes holds it by: all of it, or its hash."""
    whole = text if reason is None else f"{reason}: {text}"
    if len(whole) <= REASON_LENGTH:
        return whole
    short = f"definition sha256 {sha256(text.encode()).hexdigest()}"
    return short if reason is None else f"{reason[: REASON_LENGTH - len(short) - 2]}: {short}"


def held_head(work: Work, key: int, if_revision: int | None) -> CategoryRecord:
    """Lock a universe that is to be defined anew, and give its head, where that is at the revision asked for."""
    registry.hold_definitions(work.connection, work.organization_id)
    categories_registry.lock(work.connection, key)
    head = categories.get(work, None, key=key)
    memberships.check_revision(head, if_revision)
    return head


@dataclass(frozen=True, slots=True)
class Wanted:
    """A definition that a universe shall have.

    Parameters
    ----------
    asked
        It, written down as what a plan or a request says.
    text
        It, as it is stored.
    named
        The universes that it names.
    follows
        The time that assets gain and lose as members by it.
    """

    asked: PlannedChange
    text: str
    named: Sequence[Named]
    follows: Change


def commit(
    work: Work, head: CategoryRecord, wanted: Wanted, reason: str | None, consent: Consent = UNASKED
) -> CategoryRecord:
    """Write a definition as the next revision, or nothing where it is in force; the caller holds the lock.

    Raises
    ------
    GuardError
        A guard of the universe refuses it.
    """
    if is_in_force(work, head, wanted):
        return head
    guards.check_definition(work, head, wanted.follows, wanted.asked, reason, consent)
    return define(work, head, wanted.text, wanted.named, wanted.asked.operation, reason, consent)


def is_in_force(work: Work, head: CategoryRecord, wanted: Wanted) -> bool:
    """Tell whether a universe has that definition."""
    found = registry.definition(work.connection, head.id)
    return found is not None and found[2].text == wanted.text


# -- reading


@carries_out(contract.DEFINITION)
def definition(work: Work, body: contract.KnownAt, *, key: int) -> contract.Definition:
    """Read what a universe is made by, as known at a time."""
    record = categories.get(work, None, key=key)
    known = HEAD if body.known_at is None else to_micros(body.known_at, "known_at")
    found = registry.definition(work.connection, key, known)
    if found is None:
        kind = "had no definition then" if record.kind != MEMBERS else "holds the members that somebody names"
        raise NotFoundError(f"{record.unique_identifier} {kind}.", hint="history() lists what changed it.")
    revision, at, said = found
    told: dict[str, Any] = (
        {"rule": UniverseRule.model_validate_json(said.text)} if record.kind == RULE else {"expression": said.text}
    )
    return contract.Definition(kind=record.kind, revision=revision, recorded_at=from_micros(at), **told)


@carries_out(contract.STAMP)
def stamp(work: Work, _body: None, *, key: int) -> contract.Stamp:
    """Say when anything that a universe is read from last changed."""
    record = categories.get(work, None, key=key)
    last, sources = derived.last_change(work, record)
    return contract.Stamp(known_at=from_micros(last), sources=sources)


def evaluated(work: Work, text: str, known_at: Any) -> Derived:
    """Give the members of an expression of universes, as known at a time."""
    expression = parse_expression(text)
    named = bound(work, text, expression)
    if known_at is not None:
        known = to_micros(known_at, "known_at")
        named = [Named(each.category_id, min(known, each.known), each.revision) for each in named]
    return Derived(work, derived.network(work, named).ending(expression, named))


def _time(work: Work, body: contract.Evaluation) -> int:
    return work.now if body.as_of is None else to_micros(body.as_of, "as_of")


@carries_out(contract.EVALUATE)
def evaluate(work: Work, body: contract.Evaluation) -> list[AssetRecord]:
    """Read the assets that an expression of universes holds, in the order of their ids."""
    held = evaluated(work, body.expression, body.known_at)
    return membership_reads.records(work, held.condition(_time(work, body)))


@carries_out(contract.EVALUATE_IDS)
def evaluate_ids(work: Work, body: contract.Evaluation) -> list[int]:
    """Read the ids of the assets that an expression of universes holds, sorted."""
    return evaluated(work, body.expression, body.known_at).ids(_time(work, body))


@carries_out(contract.EVALUATE_MEMBERS)
def evaluate_members(work: Work, body: contract.SpanEvaluation) -> "pa.Table":
    """Read the validity intervals of an expression of universes."""
    held = evaluated(work, body.expression, body.known_at)
    return membership_reads.interval_table(work, held, body.start, body.end)
