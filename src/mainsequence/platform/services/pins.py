"""Which recorded state a reference such as ``sp500_constituents@12`` means."""

from datetime import datetime
from typing import Any

from mainsequence.contract import explanations as contract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.pins import Pin, PinnedState, ResolvedPin, written
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.errors import UnknownRevisionError, ValidationError
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.services import derived, membership_reads
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.RESOLVE)
def resolve(work: Work, body: contract.PinReference) -> ResolvedPin:
    """Find a universe, and the state that is meant where a pin follows.

    Raises
    ------
    NotFoundError
        There is no such universe.
    UnknownRevisionError
        It never had that revision, did not exist then, or the time is yet to come.
    DerivedUniverseError
        A revision of a universe that is made from others.
    """
    pin = Pin.parse(body.reference)
    record = registry.by_identifier(work.connection, work.actor, pin.name)
    if pin.known_at is not None:
        return ResolvedPin(record=record, pinned=_known(work, record, pin.known_at))
    if pin.revision is None and not body.hold:
        return ResolvedPin(record=record)
    return ResolvedPin(record=record, pinned=_recorded(work, record, pin.revision))


def named(work: Work, reference: str, revision: int | None) -> tuple[CategoryRecord, PinnedState | None]:
    """Find a universe by a reference that a question names, which may give a revision apart.

    Raises
    ------
    ValidationError
        The reference is pinned, and a revision is given too.
    """
    found = resolve(work, contract.PinReference(reference=reference))
    if found.pinned is not None and revision not in (None, found.pinned.revision):
        raise ValidationError(f"{reference} is pinned, and revision={revision} is another state.", hint="Give one.")
    return found.record, found.pinned


def _known(work: Work, record: CategoryRecord, time: datetime) -> PinnedState:
    name, known_at = record.unique_identifier, to_micros(time)
    hint = f"To read who was a member then by what is known today, ask {name} with as_of={written(time)}."
    if known_at > work.now:
        raise UnknownRevisionError(f"{name}@{written(time)} is in the future: nothing is known yet.", hint=hint)
    if known_at < to_micros(record.created_at):
        raise UnknownRevisionError(
            f"{name}@{written(time)} is before {name} was created ({written(record.created_at)}): nothing was known.",
            hint=hint,
        )
    state: dict[str, Any] = {"reference": f"{name}@{written(time)}", "as_of": time}
    if derived.is_derived(record):
        return PinnedState(**state, known_at=time)
    return PinnedState(**state, revision=registry.revision_known_at(work.connection, record.id, known_at))


def _recorded(work: Work, record: CategoryRecord, revision: int | None) -> PinnedState:
    name, now = record.unique_identifier, from_micros(work.now)
    if derived.is_derived(record):
        if revision is not None:
            raise derived.refuse_revision(record, revision)
        last = from_micros(derived.last_change(work, record)[0])
        return PinnedState(reference=f"{name}@{written(last)}", known_at=last, as_of=now)
    number = record.revision if revision is None else revision
    if number > record.revision:
        raise UnknownRevisionError(
            f"{name} has no revision {number}; its head is {record.revision}.",
            hint="history() lists the revisions; a date is written like 2024-06-28.",
        )
    membership_reads.check_begun(work, record, number)
    at = registry.recorded_at(work.connection, record.id, number)
    return PinnedState(
        reference=f"{name}@{number}", revision=number, as_of=record.created_at if at is None else from_micros(at)
    )
