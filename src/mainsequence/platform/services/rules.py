"""Universes that rules fill: deciding effective dates, recording what was decided and from what, and saying why."""

from typing import Any

import numpy as np
import orjson

from mainsequence.compute.intervals import Change, Intervals, become, concatenate
from mainsequence.contract import composition as contract
from mainsequence.contract.explanations import ExplainQuery
from mainsequence.domain.beside import DecidedDates
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.expressions import parse_expression
from mainsequence.domain.plans import PlannedChange
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros, to_micros
from mainsequence.domain.universe_rules import UniverseRule, WhyMember
from mainsequence.errors import AlteredPlanError, DerivedUniverseError, ValidationError
from mainsequence.platform.registry import categories as categories_registry
from mainsequence.platform.registry import composition as registry
from mainsequence.platform.registry import ledger, rule_runs
from mainsequence.platform.registry.composition import EXPRESSION, HEAD, RULE, Named
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.rule_runs import Run
from mainsequence.platform.services import (
    assets,
    categories,
    deciding,
    definitions,
    derived,
    explanations,
    membership_reads,
    memberships,
    planned,
    rule_inputs,
)
from mainsequence.platform.services.beside import NOTHING_BESIDE, Beside
from mainsequence.platform.services.deciding import Decided
from mainsequence.platform.services.definitions import REDEFINE, UNCHANGED, Wanted
from mainsequence.platform.services.guards import Consent
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.DEFINE_RULE)
def define_rule(work: Work, body: contract.RuleCreation) -> CategoryRecord:
    """Create a universe that a rule fills, or give the one that exists with the same rule."""
    record = definitions.made(work, body, RULE, dated=True)
    text = body.rule.model_dump_json()
    if record.revision:
        return definitions.same(work, record, RULE, text)
    return definitions.define(work, record, text, _named(work, body.rule), "define", body.reason)


def _named(work: Work, rule: UniverseRule) -> list[Named]:
    """Find the universes that a rule reads, and check the sources that it names."""
    rule_inputs.check_sources(work, rule)
    found = [named for text in rule.universes for named in definitions.bound(work, text, parse_expression(text))]
    return list(dict.fromkeys(found))


@carries_out(contract.CHANGE_RULE)
def change_rule(work: Work, body: contract.RuleChange, *, key: int) -> CategoryRecord:
    """Give a universe that a rule fills another rule; what is decided stays decided."""
    head = definitions.held_head(work, key, body.if_revision)
    return definitions.commit(work, head, _wanted(work, head, body.rule), body.reason, Consent(is_planned=True))


def _wanted(work: Work, head: CategoryRecord, rule: UniverseRule) -> Wanted:
    """Give a rule as what shall fill a universe; no member changes by that, so there is nothing to plan."""
    _check_kind(head)
    asked = planned.written(head, UNCHANGED, REDEFINE).model_copy(update={"rule": rule})
    return Wanted(asked, rule.model_dump_json(), _named(work, rule), UNCHANGED)


def read_back(work: Work, head: CategoryRecord, rule: UniverseRule, given: PlannedChange) -> Wanted:
    """Give a rule that was asked for, which must be all that is asked for; the caller holds the lock.

    Raises
    ------
    AlteredPlanError
        It is not what another rule of this universe can be.
    StaleRevisionError
        The head is not the one that it was asked for.
    """
    planned.check_head(head, given)
    found = _wanted(work, head, rule)
    if found.asked != given:
        raise AlteredPlanError("Another rule changes nothing besides.", hint="change_rule(…) asks by itself.")
    return found


def present(work: Work, head: CategoryRecord) -> UniverseRule | None:
    """Give the rule that fills a universe now; ``None`` for one that none fills."""
    return _rule(work, head.id) if head.kind == RULE else None


def _check_kind(record: CategoryRecord) -> None:
    if record.kind != RULE:
        raise DerivedUniverseError(
            f"{record.unique_identifier} is not filled by a rule.", hint="AssetCategory.from_rule(…) makes one that is."
        )


@carries_out(contract.REFRESH)
def refresh(work: Work, body: contract.Refresh, *, key: int) -> contract.RefreshOutcome:
    """Decide effective dates of the rule: the undecided ones, or all from a time on."""
    categories_registry.hold_assets(work.connection, work.organization_id)
    categories_registry.lock(work.connection, key)
    head = categories.get(work, None, key=key)
    rule, decided = _decided(work, head, body)
    if not len(decided.effective):
        return _outcome(head, rule, decided)
    change, besides = _change(work, head, rule, decided)
    told = reason_of(besides.decided, body.reason)
    consent = Consent(force=body.force, is_planned=True)
    after = memberships.commit_change(work, head, change, "refresh", told, consent, besides)
    return _outcome(after, rule, decided)


def refreshed(work: Work, head: CategoryRecord, body: contract.Refresh) -> tuple[Change, Beside]:
    """Give what deciding effective dates would change, and what would be recorded besides; nothing is written."""
    rule, decided = _decided(work, head, body)
    return _change(work, head, rule, decided) if len(decided.effective) else (UNCHANGED, NOTHING_BESIDE)


def _decided(work: Work, head: CategoryRecord, body: contract.Refresh) -> tuple[UniverseRule, Decided]:
    _check_kind(head)
    rule, state = _rule(work, head.id), State(head.id)
    first, last = _window(work, head, rule, body)
    return rule, deciding.decide(work, rule, first, last, lambda time: ledger.asset_ids(work.connection, state, time))


def _rule(work: Work, key: int) -> UniverseRule:
    found = registry.definition(work.connection, key)
    if found is None:
        raise DerivedUniverseError("The universe has no rule.", hint="AssetCategory.from_rule(…) makes one that has.")
    return UniverseRule.model_validate_json(found[2].text)


def _window(work: Work, head: CategoryRecord, rule: UniverseRule, body: contract.Refresh) -> tuple[int, int]:
    """Give the first and the last moment at which a date to decide may be effective."""
    until = work.now if body.until is None else to_micros(body.until, "until")
    if until > work.now:
        raise ValidationError(
            f"Dates up to {from_micros(until)} cannot be decided: it is {from_micros(work.now)}, and what later ones "
            "look at is not known yet.",
            hint="Give until= a time that has come, or leave it out.",
        )
    decided = rule_runs.decided_until(work.connection, head.id)
    if body.start is None:
        return (to_micros(rule.start) if decided is None else decided + 1), until
    start = max(to_micros(body.start, "start"), to_micros(rule.start))
    return start, until if decided is None else min(max(until, decided), work.now)


def _change(work: Work, head: CategoryRecord, rule: UniverseRule, decided: Decided) -> tuple[Change, Beside]:
    """Give what was decided from its first date on as a change; where no member changes, only the run is recorded."""
    begin = int(decided.effective[0])
    present = ledger.intervals(work.connection, State(head.id), begin, MAX_MICROS)
    wanted = concatenate(present.clip(MIN_MICROS - 1, begin), decided.spells())
    return become(present, wanted), Beside(decided=_run(work, head, rule, decided))


def reason_of(decided: DecidedDates | None, reason: str | None) -> str | None:
    """Give the reason of a revision that records what a rule decided: which rule, which dates, from what."""
    if decided is None:
        return reason
    first, last = (from_micros(each) for each in (decided.first, decided.last))
    told = f"rule {decided.rule_hash[:16]}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    inputs = ", ".join(decided.told.values())
    whole = f"{told}, from {inputs}" if inputs else told
    return (whole if reason is None else f"{reason}: {whole}")[: definitions.REASON_LENGTH]


def _ends(decided: Decided) -> tuple[int, int]:
    return int(decided.effective[0]), int(decided.effective[-1])


def _run(work: Work, head: CategoryRecord, rule: UniverseRule, decided: Decided) -> DecidedDates:
    """Give all that is needed to decide the same again."""
    first, last = _ends(decided)
    return DecidedDates(
        dates=len(decided.effective),
        first=first,
        last=last,
        rule_hash=rule.hash,
        rule=rule.model_dump_json(),
        known_at=work.now,
        versions=decided.versions,
        told=decided.inputs,
        after_run=rule_runs.newest(work.connection, head.id),
    )


def _outcome(head: CategoryRecord, rule: UniverseRule, decided: Decided) -> contract.RefreshOutcome:
    ends = [from_micros(each) for each in _ends(decided)] if len(decided.effective) else [None, None]
    return contract.RefreshOutcome(
        category=head,
        decided=len(decided.effective),
        first=ends[0],
        last=ends[1],
        rule_hash=rule.hash,
        inputs=decided.inputs,
        waiting=decided.waiting,
    )


# -- why


@carries_out(contract.WHY)
def why(work: Work, body: contract.WhyQuery, *, key: int) -> WhyMember:
    """Say why an asset is in a universe at a time, or is not, as known at a time."""
    record = categories.get(work, None, key=key)
    asset_record = assets.get(work, None, key=body.asset_id)
    as_of = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    known = _known(work, record, body)
    about = {"category": record.unique_identifier, "unique_identifier": asset_record.unique_identifier}
    told = about | {"as_of": from_micros(as_of)}
    return explained(work, record, body.asset_id, as_of, known, told, revision=body.revision)


def _known(work: Work, record: CategoryRecord, body: contract.WhyQuery) -> int:
    """Give when a state is known: a revision of rows is what was known when it was recorded."""
    if body.revision is None:
        return HEAD if body.known_at is None else to_micros(body.known_at, "known_at")
    membership_reads.state_of(work, record.id, body.revision, body.known_at)
    recorded = categories_registry.recorded_at(work.connection, record.id, body.revision)
    return to_micros(record.created_at) if recorded is None else recorded


def explained(
    work: Work,
    record: CategoryRecord,
    asset_id: int,
    as_of: int,
    known: int,
    about: dict[str, Any],
    *,
    revision: int | None = None,
) -> WhyMember:
    """Say why an asset is in a universe of any kind; ``about`` names both, and the time."""
    if derived.is_derived(record):
        reason = derived.why(work, record, asset_id, as_of, known)
        outcomes = reason.outcomes
        return WhyMember(
            **about, member=reason.holds, verdict=str(reason), outcomes=outcomes, expression=reason.expression
        )
    known_at = None if known == HEAD or revision is not None else from_micros(known)
    state = membership_reads.state_of(work, record.id, revision, known_at)
    rows = ledger.intervals_of(work.connection, state, np.array([asset_id]), as_of, as_of)
    held = _holding(rows, as_of)
    if record.kind != RULE:
        verdict = "a member" if held is not None else "not a member"
        return WhyMember(**about, member=held is not None, verdict=f"{verdict}, as history() says")
    run = rule_runs.run_deciding(work.connection, record.id, as_of, known)
    if run is None:
        return WhyMember(**about, member=held is not None, verdict="no effective date of the rule was decided so early")
    return _decision(work, run, state, asset_id, as_of, about | {"member": held is not None})


def _for_explanation(work: Work, head: CategoryRecord, body: ExplainQuery) -> list[str]:
    """Say in lines what `WhyMember` says: for `explain`."""
    found = why(work, contract.WhyQuery(**body.model_dump()), key=head.id)
    return [found.verdict, *(f"{each.condition}: {each.found}" for each in found.outcomes)]


explanations.WHY.update({EXPRESSION: _for_explanation, RULE: _for_explanation})


def _holding(rows: Intervals, time: int) -> int | None:
    inside = np.flatnonzero((rows.start <= time) & (rows.end > time))
    return int(inside[0]) if len(inside) else None


def _decision(work: Work, run: Run, state: State, asset_id: int, as_of: int, about: dict[str, Any]) -> WhyMember:
    """Decide the date that holds once more, from what it was decided from, and look at one asset."""
    inputs = orjson.loads(run.inputs)
    rule = UniverseRule.parse(inputs["rule"])
    date = rule_inputs.last_effective(rule, run.first, min(as_of, run.last))
    found = deciding.look(
        *(work, rule, date, asset_id),
        known=inputs["known_at"],
        versions=inputs["versions"],
        members=ledger.asset_ids(work.connection, state, date - 1),
    )
    return WhyMember(
        **about,
        verdict=found.verdict(about["member"]),
        outcomes=found.outcomes,
        decided_for=from_micros(date),
        data_until=from_micros(found.until),
        rank=found.rank or None,
        ranked=found.ranked,
        was_member=found.was_member,
        rule_hash=run.rule_hash,
        inputs=inputs["told"],
    )
