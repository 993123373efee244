"""What is recorded together with a change of members, in the same transaction: announcements, and runs of rules."""

from dataclasses import dataclass

import numpy as np

from mainsequence.domain.beside import AnnouncedDates, DecidedDates
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.plans import PlannedChange
from mainsequence.domain.times import to_micros
from mainsequence.errors import AlteredPlanError, StaleRevisionError
from mainsequence.platform.registry import announcements, rule_runs
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry.announcements import NOTHING, Announcements
from mainsequence.platform.work import Work


@dataclass(frozen=True, slots=True)
class Beside:
    """Announcements that are not noted yet, sorted by asset and time, and what a rule decided."""

    notes: Announcements = NOTHING
    decided: DecidedDates | None = None

    def announced(self) -> AnnouncedDates | None:
        """Write the announcements down; ``None`` where there are none."""
        if not len(self.notes):
            return None
        columns = (self.notes.asset, self.notes.effective_at, self.notes.announced_at)
        asset, effective, announced = (each.tolist() for each in columns)
        return AnnouncedDates(asset_id=asset, effective_at=effective, announced_at=announced)


NOTHING_BESIDE = Beside()


def not_before(work: Work, head: CategoryRecord, beside: Beside) -> int:
    """Give the first time at which a revision may record all of it; the last note of a bound counts."""
    return announcements.newest(work.connection, head.id) + 1 if len(beside.notes) else work.now


def write(work: Work, head: CategoryRecord, beside: Beside) -> None:
    """Record it with the revision that was written just now; ``head`` is the universe behind it."""
    if not len(beside.notes) and beside.decided is None:
        return
    [revision] = registry.revisions(work.connection, head.id, [head.revision])
    at = to_micros(revision.recorded_at)
    announcements.write(work.connection, head.id, beside.notes, at)
    if beside.decided is not None:
        rule_runs.record_run(work.connection, head, at, beside.decided)


def settle(work: Work, head: CategoryRecord, decided: DecidedDates | None) -> None:
    """Record what a rule decided where no member changes: without a revision, and so without anybody's approval."""
    if decided is not None:
        rule_runs.record_run(work.connection, head, work.now, decided)


def read_back(work: Work, head: CategoryRecord, given: PlannedChange) -> Beside:
    """Give what was written down with a change, which must be new to the universe; the caller holds the lock.

    Raises
    ------
    StaleRevisionError
        Other dates of the rule were decided since.
    AlteredPlanError
        Announcements are noted already, or told twice.
    """
    if given.decided is not None:
        _check_run(work, head, given.decided)
    if given.announced is None:
        return Beside(decided=given.decided)
    columns = (given.announced.asset_id, given.announced.effective_at, given.announced.announced_at)
    asset, effective, announced = (np.array(each, dtype=np.int64) for each in columns)
    told = Announcements(asset, effective, announced, np.zeros(len(asset), dtype=np.int64))
    fresh = announcements.unknown(announcements.read(work.connection, head.id), told)
    if not len(fresh) or len(fresh) != len(told):
        raise AlteredPlanError("What is announced is noted already, or is told twice.", hint="Ask for what is new.")
    return Beside(fresh, given.decided)


def _check_run(work: Work, head: CategoryRecord, decided: DecidedDates) -> None:
    found = rule_runs.newest(work.connection, head.id)
    if found == decided.after_run:
        return
    raise StaleRevisionError(
        f"Dates of {head.unique_identifier!r} were decided since this was asked for.",
        hint="Refresh it again: what was decided meanwhile counts.",
        expected=decided.after_run,
        found=found,
    )
