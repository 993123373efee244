"""Plans: what a change of membership would do, and writing exactly that."""

import numpy as np

from mainsequence.compute.intervals import Change, Edit, Intervals, Ints, Verb, apply, become, concatenate
from mainsequence.compute.membership_changes import after, entering, leaving, most_gone, reweighted
from mainsequence.contract import composition
from mainsequence.contract import guards as guard_contract
from mainsequence.contract import plans as contract
from mainsequence.contract.categories import MembershipEdit
from mainsequence.domain.beside import Announcement, DecidedDates, decision_of
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.plans import ChangeSize, PlannedChange, PlanRecord
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros, open_datetime
from mainsequence.errors import AlteredPlanError
from mainsequence.platform.registry import announcements, ledger
from mainsequence.platform.registry import categories as category_registry
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.services import (
    approvals,
    derived,
    guards,
    impact,
    memberships,
    planned,
    readers,
    redefining,
    rules,
)
from mainsequence.platform.services.beside import NOTHING_BESIDE, Beside
from mainsequence.platform.services.guards import Consent
from mainsequence.platform.services.shifts import Shift
from mainsequence.platform.services.spells import reweightings, spells
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.PLAN)
def plan(work: Work, body: contract.PlanQuery, *, key: int) -> PlanRecord:
    """Say what a change would do; nothing is changed."""
    head = category_registry.by_id(work.connection, work.actor, key)
    memberships.check_revision(head, body.if_revision)
    if body.expression is not None:
        found = redefining.wanted(work, head, body.expression)
        return described(work, head, found.follows, found.asked)
    derived.refuse_change(head)
    verbs = {Verb.UPDATE: body.replace, Verb.REMOVE: body.remove, Verb.APPEND: body.append}
    edits = [_edit(work, head, body, verb, ids) for verb, ids in verbs.items() if ids is not None]
    operation = str(edits[0].verb) if len(edits) == 1 else "change"
    change = _change(work, head, edits)
    return described(work, head, change, planned.written(head, change, operation))


@carries_out(composition.PLAN_REFRESH)
def plan_refresh(work: Work, body: composition.Refresh, *, key: int) -> PlanRecord:
    """Say what deciding effective dates of a rule would do; nothing is decided."""
    head = category_registry.by_id(work.connection, work.actor, key)
    change, besides = rules.refreshed(work, head, body)
    return described(work, head, change, planned.written(head, change, "refresh", besides), besides)


def _edit(work: Work, head: CategoryRecord, body: contract.PlanQuery, verb: Verb, ids: list[int]) -> Edit:
    weights = None if verb is Verb.REMOVE else body.weights
    asked = MembershipEdit(
        asset_ids=ids, weights=weights, effective_from=body.effective_from, effective_to=body.effective_to
    )
    edit = memberships.window_of(work, head, verb, asked)
    memberships.check_assets(work, edit.asset, retired=verb is Verb.REMOVE)
    return edit


def _change(work: Work, head: CategoryRecord, edits: list[Edit]) -> Change:
    """Compute what one edit, or several of different assets, change together."""
    parts = [memberships.present(work, head, edit) for edit in edits]
    present = parts[0] if len(parts) == 1 else concatenate(*parts)
    if len(edits) == 1:
        return apply(present, edits[0])
    wanted = present
    for edit in edits:
        wanted = after(wanted, apply(wanted, edit))
    return become(present, wanted)


def described(
    work: Work, head: CategoryRecord, change: Change, asked: PlannedChange, besides: Beside = NOTHING_BESIDE
) -> PlanRecord:
    """Say what a change of the head would do, which is asked for so, and what is recorded besides."""
    ids = np.unique(np.concatenate([change.closed.asset, change.opened.asset]))
    names = ledger.identifiers(work.connection, ids)
    gained, lost = entering(change), leaving(change)
    before = _before(work, head, ids)
    shift = Shift(head, before, gained, lost, names, reweighted(change))
    told = impact.of(work, shift)
    return PlanRecord(
        unique_identifier=head.unique_identifier,
        planned_at=from_micros(work.now),
        change=asked,
        content_hash=asked.content_hash,
        enters=spells(gained, names),
        leaves=spells(lost, names),
        reweighted=reweightings(shift.reweighted, names),
        readers=told.readers,
        hidden_readers=readers.hidden(work, head),
        held=told.held,
        unrouted=told.unrouted,
        unpriced=told.unpriced,
        size=_size(work, head, change, lost),
        objections=guards.objections(work, head, change),
        announced=_announced(work, head, besides),
        decision=None if besides.decided is None else decision_of(besides.decided.summary),
        made_from=redefining.present_text(work, head),
        filled_by=None if asked.rule is None else rules.present(work, head),
    )


def _announced(work: Work, head: CategoryRecord, besides: Beside) -> list[Announcement]:
    notes = besides.notes
    if not len(notes):
        return []
    present = announcements.read(work.connection, head.id)
    bounds = zip(present.asset.tolist(), present.effective_at.tolist(), strict=True)
    before = dict(zip(bounds, present.announced_at.tolist(), strict=True))
    names = ledger.identifiers(work.connection, np.unique(notes.asset))
    columns = (notes.asset.tolist(), notes.effective_at.tolist(), notes.announced_at.tolist())
    return [
        Announcement(
            asset_id=asset,
            unique_identifier=names[asset],
            effective_at=from_micros(effective),
            announced_at=from_micros(announced),
            before=open_datetime(before.get((asset, effective), MIN_MICROS)),
        )
        for asset, effective, announced in zip(*columns, strict=True)
    ]


def _before(work: Work, head: CategoryRecord, ids: Ints) -> Intervals:
    if not derived.is_derived(head):
        return ledger.intervals_of(work.connection, State(head.id), ids, MIN_MICROS, MAX_MICROS)
    rows = derived.membership(work, head).intervals(MIN_MICROS, MAX_MICROS)
    return rows.take(np.isin(rows.asset, ids))


def _size(work: Work, head: CategoryRecord, change: Change, lost: Intervals) -> ChangeSize:
    """Compare a change with those before; members are counted when the most would be missing, by default now."""
    changed = len(np.union1d(change.gained, change.lost))
    time = most_gone(lost)
    members = guards.members(work, head, time if len(lost) and time != MIN_MICROS else work.now)
    recorded = [] if derived.is_derived(head) else category_registry.revisions(work.connection, head.id)
    past = [each.added + each.removed for each in recorded if not each.is_announcement][1:]
    return ChangeSize(
        changed=changed,
        members=members,
        fraction=changed / members if members else None,
        revisions=len(past),
        smaller=sum(each < changed for each in past),
        largest=max(past, default=None),
    )


@carries_out(contract.APPLY)
def apply_plan(work: Work, body: contract.PlanApplication, *, key: int) -> CategoryRecord:
    """Write exactly what was planned, or nothing."""
    is_plan = body.change.operation in planned.PLANNED and body.change.is_rows_alone
    is_plan |= body.change.expression is not None or body.change.decided is not None
    if body.change.content_hash != body.content_hash or not is_plan:
        raise AlteredPlanError("The plan does not say what it said when it was made.", hint="Make it again.")
    if body.change.expression is not None:
        return redefining.apply(work, body, key=key)
    if body.change.decided is not None:
        return _apply_decision(work, body, key, body.change.decided)
    head = memberships.begin_change(work, key, None)
    derived.refuse_change(head)
    change = planned.read_back(work, head, body.change)
    memberships.check_assets(work, change.gained)
    consent = Consent(force=body.force, is_planned=True)
    return memberships.commit_change(work, head, change, body.change.operation, body.reason, consent)


def _apply_decision(work: Work, body: contract.PlanApplication, key: int, decided: DecidedDates) -> CategoryRecord:
    """Write what a rule decided: it is decided again, and must come to the same members."""
    head = memberships.begin_change(work, key, None)
    planned.check_head(head, body.change)
    first, last = from_micros(decided.first), from_micros(decided.last)
    change, besides = rules.refreshed(work, head, composition.Refresh(start=first, until=last))
    again = planned.written(head, change, body.change.operation)
    if (again.closed, again.opened) != (body.change.closed, body.change.opened):
        raise AlteredPlanError("The rule does not decide what the plan says.", hint="Make it again, and look.")
    told = rules.reason_of(besides.decided, body.reason)
    consent = Consent(force=body.force, is_planned=True)
    return memberships.commit_change(work, head, change, "refresh", told, consent, besides)


@carries_out(guard_contract.REQUEST_PLAN)
def request_plan(work: Work, _body: None, *, key: int) -> PlanRecord:
    """Say what a requested change would do, while the universe has not moved since."""
    request = approvals.get(work, None, key=key)
    head = category_registry.by_id(work.connection, work.actor, request.category_id)
    asked = approvals.requested(work, request)
    change, besides = approvals.sought(work, head, asked)
    return described(work, head, change, asked, besides)
