"""Another expression for a universe that is made from others: who would enter and leave, and writing exactly that."""

from mainsequence.compute.intervals import Intervals, subtract
from mainsequence.compute.membership_changes import change_of
from mainsequence.contract import composition as contract
from mainsequence.contract.explanations import Reversion
from mainsequence.contract.plans import PlanApplication
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.expressions import parse_expression
from mainsequence.domain.plans import PlannedChange
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros, to_micros
from mainsequence.errors import AlteredPlanError, DerivedUniverseError, StaleRevisionError, UnknownRevisionError
from mainsequence.platform.registry import categories as categories_registry
from mainsequence.platform.registry import composition as registry
from mainsequence.platform.registry.composition import EXPRESSION
from mainsequence.platform.services import definitions, derived, planned
from mainsequence.platform.services.definitions import REDEFINE, Wanted
from mainsequence.platform.services.derived import Derived, network
from mainsequence.platform.services.guards import Consent
from mainsequence.platform.work import Work, carries_out


def wanted(work: Work, head: CategoryRecord, text: str, operation: str = REDEFINE) -> Wanted:
    """Give an expression as what a universe shall be made from, and what follows for its members.

    Raises
    ------
    CyclicUniverseError
        The universe would be made from itself.
    DerivedUniverseError
        It is not made from others.
    """
    if head.kind != EXPRESSION:
        raise DerivedUniverseError(
            f"{head.unique_identifier} is not made from other universes.",
            hint="AssetCategory.from_expression(…) makes one that is.",
        )
    expression = parse_expression(text)
    named = definitions.bound(work, text, expression)
    registry.refuse_circle(work.connection, head.id, head.unique_identifier, named)
    then = _everything(Derived(work, network(work, named).ending(expression, named)))
    present = _everything(derived.membership(work, head))
    change = change_of(subtract(present, then), subtract(then, present))
    asked = planned.written(head, change, operation).model_copy(update={"expression": text})
    return Wanted(asked, text, named, change)


def _everything(held: Derived) -> Intervals:
    return held.intervals(MIN_MICROS, MAX_MICROS)


def present_text(work: Work, head: CategoryRecord) -> str | None:
    """Give the expression that a universe is made from now; ``None`` for one that is not."""
    defined = registry.definition(work.connection, head.id) if derived.is_derived(head) else None
    return None if defined is None else defined[2].text


@carries_out(contract.REDEFINE)
def redefine(work: Work, body: contract.Redefinition, *, key: int) -> CategoryRecord:
    """Give a universe that is made from others another expression; the same one makes no revision."""
    head = definitions.held_head(work, key, body.if_revision)
    return definitions.commit(work, head, wanted(work, head, body.expression), body.reason, Consent(force=body.force))


def apply(work: Work, body: PlanApplication, *, key: int) -> CategoryRecord:
    """Write the expression that was planned, where it still does exactly what was said of it.

    Raises
    ------
    AlteredPlanError
        It is not what a plan of this universe can be.
    StaleRevisionError
        The universe was defined anew, or what it would be made from has changed.
    """
    head = definitions.held_head(work, key, None)
    found = read_back(work, head, body.change)
    if found.asked.operation != REDEFINE:
        raise _altered(head)
    return definitions.commit(work, head, found, body.reason, Consent(force=body.force, is_planned=True))


def read_back(work: Work, head: CategoryRecord, given: PlannedChange) -> Wanted:
    """Give an expression that was written down, from which still follows what was said; the caller holds the lock.

    Raises
    ------
    AlteredPlanError
        It is not what another expression of this universe can be.
    StaleRevisionError
        The head is another one, or what the universe is or would be made from has changed.
    """
    text = given.expression or ""
    if given.category_id != head.id or str(parse_expression(text)) != text:
        raise _altered(head)
    planned.check_revision(head, given.revision)
    found = wanted(work, head, text, given.operation)
    if found.asked != given:
        raise StaleRevisionError(
            f"What {head.unique_identifier} is, or would be, made from has changed since it was planned.",
            hint="Plan it again, and look at what is different now.",
            expected=given.revision,
            found=head.revision,
        )
    return found


def _altered(head: CategoryRecord) -> AlteredPlanError:
    return AlteredPlanError(
        f"The plan does not fit {head.unique_identifier!r}.", hint="Apply it to the universe that it was made for."
    )


def revert(work: Work, body: Reversion, *, key: int) -> CategoryRecord:
    """Give a universe that is made from others the expression that it had; what that names may have changed since.

    Raises
    ------
    UnknownRevisionError
        It had none then, or never had that revision.
    """
    head = definitions.held_head(work, key, body.if_revision)
    revision, text = _definition_at(work, head, body)
    found = wanted(work, head, text, f"revert to {revision}")
    return definitions.commit(work, head, found, body.reason, Consent(force=body.force))


def _definition_at(work: Work, head: CategoryRecord, body: Reversion) -> tuple[int, str]:
    name, known = head.unique_identifier, to_micros(body.known_at, "known_at") if body.known_at is not None else None
    if body.revision is not None:
        known = categories_registry.recorded_at(work.connection, head.id, body.revision)
    found = None if known is None else registry.definition(work.connection, head.id, known)
    if found is None:
        then = f"revision {body.revision}" if known is None else f"{from_micros(known)}"
        raise UnknownRevisionError(
            f"{name} was not defined at {then}; its head is {head.revision}.", hint="history() lists the revisions."
        )
    return found[0], found[2].text
