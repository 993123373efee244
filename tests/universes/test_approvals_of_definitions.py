"""Approving another definition: an expression that a universe is made from, or a rule that fills it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import mainsequence.client as msc
from mainsequence.contract import audit, changes, composition
from mainsequence.contract.guards import REQUEST_CHANGE, ChangeAsked
from mainsequence.errors import DerivedUniverseError, NotFoundError, PermissionDeniedError
from tests.universes.actors import Carriers, request, seen
from tests.universes.approving import (
    BOTH,
    asked,
    derived_universe,
    hand_made,
    holds,
    named,
    refresh,
    ruled_universe,
)
from tests.universes.tampering import database, rows_of, tamper
from tests.universes.test_approvals_whole import REQUESTS, refusing

Ask = Callable[[msc.AssetCategory], Any]


@pytest.fixture
def stored(users: Carriers, tmp_path: Path) -> Engine:
    """The database of the users' platform, past the platform."""
    assert users
    return database(tmp_path / "shared")


# -- expressions


@pytest.mark.parametrize("author", ["owner", "author", "chief"])
@pytest.mark.parametrize("is_planned", [False, True])
def test_another_expression_waits_and_is_then_written_as_it_was_asked_for(
    users: Carriers, author: str, is_planned: bool
):
    made = derived_universe(users, approvers=["ada"])
    theirs = seen(made, users[author])
    plan = theirs.plan(expression=BOTH)
    assert [each.code for each in plan.objections] == ["guard.approval"]
    number = asked(
        (lambda: plan.apply(reason="wider")) if is_planned else lambda: theirs.redefine(BOTH, reason="wider")
    )
    assert (made.refresh().revision, made.expression) == (1, "shared")
    [waiting] = made.requests()
    assert (waiting.id, waiting.status, waiting.author, waiting.expression) == (number, "pending", author, BOTH)
    assert (waiting.enters, waiting.leaves, waiting.rule, waiting.reason) == (3, 0, None, "wider")
    told = request(number, users["guest"]).plan()
    assert [each.unique_identifier for each in told.enters] == ["a3", "a4", "a5"]
    assert f"made from shared → {BOTH}" in repr(told)

    approved = request(number, users["ada"]).approve("fine")
    assert (approved.status, approved.applied_revision) == ("applied", made.refresh().revision) == ("applied", 2)
    assert (made.expression, holds(made, "made")) == (BOTH, {f"a{each}" for each in range(6)})
    last = made.history()[-1]
    assert (last.operation, last.actor, last.approved_by) == ("redefine", author, "ada")
    assert last.reason == f"wider: {BOTH}"
    assert made.verify().ok
    assert made.requests() == []


def test_feed_and_audit_log_tell_who_asked_and_who_approved(users: Carriers):
    made = derived_universe(users, approvers=["ada"])
    request(asked(lambda: seen(made, users["author"]).redefine(BOTH)), users["ada"]).approve()
    feed = users["ada"].call(changes.CHANGES, changes.ChangesQuery(category_ids=[made.id])).changes
    assert [(each.actor, each.operation) for each in feed if each.revision == 2] == [("author", "redefine")]
    log = users["chief"].call(audit.QUERY, audit.AuditQuery(limit=2)).results
    assert [(each.actor, each.operation) for each in log] == [
        ("ada", "change_requests.approve"),
        ("author", "categories.request_change"),
    ]


def test_going_back_to_an_earlier_expression_waits_as_well(users: Carriers):
    made = derived_universe(users)
    made.redefine(BOTH)
    made.guard(approvers=["ada"])
    number = asked(lambda: made.revert(1, reason="too wide"))
    assert (request(number, users["ada"]).expression, made.expression) == ("shared", BOTH)
    request(number, users["ada"]).approve()
    last = made.history()[-1]
    assert (made.expression, last.operation, last.approved_by) == ("shared", "revert to 1", "ada")
    assert made.verify().ok


def test_the_expression_in_force_is_asked_of_nobody(users: Carriers):
    made = derived_universe(users, approvers=["ada"], require_reason=True)
    assert made.redefine("( shared )").revision == made.plan(expression="shared").apply().revision == 1
    assert made.revert(1).revision == 1
    assert made.requests(None) == []


def test_asking_again_gives_the_request_that_waits_until_it_is_turned_down(users: Carriers):
    made = derived_universe(users, approvers=["ada"])
    theirs = seen(made, users["author"])
    first = {asked(lambda text=text: theirs.redefine(text)) for text in (BOTH, f"({BOTH})", BOTH)}
    others = (
        asked(lambda: theirs.redefine("others | shared")),
        asked(lambda: theirs.redefine(BOTH, reason="wider")),
        asked(lambda: seen(made, users["bob"]).redefine(BOTH)),
    )
    assert len({*first, *others}) == 4 == len(made.requests())
    request(*first, users["ada"]).reject("no")  # type: ignore[arg-type]
    request(others[0], users["author"]).withdraw()
    assert asked(lambda: theirs.redefine(BOTH)) not in {*first, *others}
    assert (made.refresh().revision, made.expression) == (1, "shared")


def test_nobody_approves_their_own_expression_and_only_approvers_do(users: Carriers):
    made = derived_universe(users, approvers=["ada", "bob"])
    number = asked(lambda: seen(made, users["ada"]).redefine(BOTH))
    for name in ("ada", "owner", "chief", "guest"):
        with pytest.raises(PermissionDeniedError):
            request(number, users[name]).approve()
    assert made.refresh().revision == 1


def test_a_request_is_stale_once_the_universe_was_defined_anew(users: Carriers):
    made = derived_universe(users, approvers=["ada"])
    first, second = (asked(lambda text=text: made.redefine(text)) for text in ("others", BOTH))
    request(first, users["ada"]).approve()
    late = request(second, users["ada"])
    assert late.status == "stale"
    for ask in (late.approve, late.plan):
        with pytest.raises(msc.StaleRevisionError):
            ask()
    assert (made.refresh().revision, made.expression) == (2, "others")


@pytest.mark.parametrize("moved", ["shared", "others"])
def test_a_request_is_refused_once_something_else_would_follow_from_it(users: Carriers, moved: str):
    made = derived_universe(users, approvers=["ada"])
    number = asked(lambda: made.redefine("others"))
    operand = named(users, moved)
    operand.remove_assets(asset_ids=operand.assets[:1])
    for ask in (request(number, users["ada"]).approve, request(number, users["ada"]).plan):
        with pytest.raises(msc.StaleRevisionError, match="made from has changed"):
            ask()
    assert (made.refresh().revision, made.expression) == (1, "shared")
    anew = asked(lambda: made.redefine("others"))
    assert anew != number
    request(anew, users["ada"]).approve()
    assert made.expression == "others"


def test_what_changes_nobody_who_would_come_or_go_leaves_a_request_as_it_is(users: Carriers):
    made = derived_universe(users, approvers=["ada"])
    number = asked(lambda: made.redefine(BOTH))
    third = named(users, "others").assets[0]
    named(users, "others").remove_assets(asset_ids=[third])
    request(number, users["ada"]).approve()
    assert holds(made, "made") == {f"a{each}" for each in range(6)}


@pytest.mark.parametrize(
    ("guards", "refusal", "satisfied"),
    [
        ({"require_reason": True}, msc.ReasonRequiredError, lambda it: it.redefine("others", reason="why")),
        ({"require_plan": True}, msc.PlanRequiredError, lambda it: it.plan(expression="others").apply()),
        ({"max_removal_fraction": 0.5}, msc.RemovalGuardError, lambda it: it.redefine("others", force=True)),
    ],
)
def test_an_expression_is_asked_for_only_as_the_other_guards_let_it_pass(
    users: Carriers, guards: dict[str, Any], refusal: Any, satisfied: Ask
):
    made = derived_universe(users, approvers=["ada"], **guards)
    with pytest.raises(refusal):
        made.redefine("others")
    assert made.requests(None) == []
    request(asked(lambda: satisfied(made)), users["ada"]).approve()
    assert made.expression == "others"


@pytest.mark.parametrize(
    ("guards", "text", "refusal"),
    [
        ({"locked": True}, "others", msc.LockedError),
        ({"require_reason": True}, "others", msc.ReasonRequiredError),
        ({"max_removal_fraction": 0.5}, "others", msc.RemovalGuardError),
        ({"forbid_empty": True}, "shared - shared", msc.EmptyUniverseError),
    ],
)
def test_guards_that_were_set_meanwhile_hold_when_an_expression_is_approved(
    users: Carriers, guards: dict[str, Any], text: str, refusal: Any
):
    made = derived_universe(users, approvers=["ada"])
    number = asked(lambda: made.redefine(text))
    made.guard(**guards)
    with pytest.raises(refusal):
        request(number, users["ada"]).approve()
    assert (made.refresh().revision, request(number, users["ada"]).status) == (1, "pending")
    with pytest.raises(refusal):
        made.redefine(text)


def test_a_circle_that_was_closed_meanwhile_is_not_approved(users: Carriers):
    made = derived_universe(users, approvers=["ada"])
    body = composition.Derivation(unique_identifier="above", display_name="above", expression="others")
    above = msc.AssetCategory._bind(users["owner"].call(composition.DERIVE, body), users["owner"])
    number = asked(lambda: made.redefine("above"))
    above.redefine("made")
    with pytest.raises(msc.CyclicUniverseError):
        request(number, users["ada"]).approve()
    assert made.refresh().revision == 1


def test_who_may_not_see_what_an_expression_names_cannot_approve_it(users: Carriers):
    made = derived_universe(users, approvers=["ada", "chief"])
    named(users, "others").set_visibility("private")
    number = asked(lambda: made.redefine(BOTH))
    for ask in (request(number, users["ada"]).approve, request(number, users["ada"]).plan):
        with pytest.raises(NotFoundError, match="'others'"):
            ask()
    request(number, users["chief"]).approve()
    assert made.expression == BOTH


# -- rules


def another(ruled: msc.AssetCategory, **fields: Any) -> msc.UniverseRule:
    assert ruled.rule is not None
    return ruled.rule.model_copy(update={"lag": 3} | fields)


@pytest.mark.parametrize("author", ["owner", "author"])
def test_another_rule_waits_and_decides_nothing_when_it_is_approved(users: Carriers, author: str):
    ruled, ids = ruled_universe(users)
    request(asked(lambda: refresh(ruled, users["author"], "2024-03-15")), users["ada"]).approve()
    before = ruled.rule
    wanted = another(ruled, base="shared - shared")
    numbers = {asked(lambda: seen(ruled, users[author]).change_rule(wanted, reason="fewer")) for _ in range(2)}
    [number] = numbers
    assert (ruled.rule, ruled.refresh().revision) == (before, 2)
    [waiting] = ruled.requests()
    assert (waiting.author, waiting.rule, waiting.expression) == (author, wanted, None)
    assert (waiting.enters, waiting.leaves, waiting.decision) == (0, 0, None)
    told = repr(request(number, users["guest"]).plan())
    assert 'rule: base "shared" → "shared - shared"' in told
    assert "rule: lag 1 → 3" in told
    assert "rule: calendar" not in told
    assert told.endswith("Plan: another rule to fill it; no date is decided by that")

    assert request(number, users["ada"]).approve().applied_revision == ruled.refresh().revision == 3
    assert (ruled.rule, ruled.assets) == (wanted, ids[:3])
    last = ruled.history()[-1]
    assert (last.operation, last.actor, last.approved_by, last.removed) == ("redefine", author, "ada", 0)
    assert ruled.verify().ok
    number = asked(lambda: refresh(ruled, users["author"], "2024-04-15"))
    assert request(number, users["ada"]).decision.rule_hash == wanted.hash
    request(number, users["ada"]).approve()
    assert ruled.refresh().assets == [], "the next date is decided by the new rule"


def test_a_rule_that_is_turned_down_fills_nothing_and_the_one_in_force_is_asked_of_nobody(users: Carriers):
    ruled, _ = ruled_universe(users)
    before = ruled.rule
    assert before is not None
    request(asked(lambda: ruled.change_rule(another(ruled))), users["ada"]).reject()
    request(asked(lambda: ruled.change_rule(another(ruled))), users["owner"]).withdraw()
    assert ruled.change_rule(before).revision == 1
    assert (ruled.rule, ruled.requests()) == (before, [])


def test_another_rule_is_stale_once_the_universe_has_moved(users: Carriers):
    ruled, _ = ruled_universe(users)
    number = asked(lambda: ruled.change_rule(another(ruled)))
    request(asked(lambda: refresh(ruled, users["author"], "2024-03-15")), users["ada"]).approve()
    late = request(number, users["ada"])
    assert late.status == "stale"
    for ask in (late.approve, late.plan):
        with pytest.raises(msc.StaleRevisionError):
            ask()


def test_another_rule_passes_the_guards_when_it_is_asked_for_and_when_it_is_approved(users: Carriers):
    ruled, _ = ruled_universe(users)
    ruled.guard(require_reason=True, require_plan=True)
    with pytest.raises(msc.ReasonRequiredError):
        ruled.change_rule(another(ruled))
    number = asked(lambda: ruled.change_rule(another(ruled), reason="later"))
    ruled.guard(locked=True)
    with pytest.raises(msc.LockedError):
        request(number, users["ada"]).approve()
    with pytest.raises(msc.LockedError):
        ruled.change_rule(another(ruled), reason="later")
    ruled.guard(locked=False)
    request(number, users["ada"]).approve()
    assert ruled.rule is not None
    assert ruled.rule.lag == 3


# -- asked for by hand, edited past the platform, broken off half-way

NOBODY: dict[str, Any] = {"asset_id": [], "valid_from": [], "valid_to": [], "weight": []}
RULE = {"base": "shared", "calendar": "24/7", "frequency": "monthly", "start": "2024-01-01T00:00:00Z", "lag": 3}


def by_hand(category: msc.AssetCategory, carrier: Any, **said: Any) -> Any:
    """Ask for a definition to be approved by the operation behind the verbs."""
    change = {"category_id": category.id, "revision": category.refresh().revision, "operation": "redefine"}
    change |= {"closed": NOBODY, "opened": NOBODY} | said
    return carrier.call(REQUEST_CHANGE, ChangeAsked.parse({"change": change}), key=category.id)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"expression": BOTH}, msc.StaleRevisionError),
        ({"expression": "shared & shared", "operation": "revert to 1"}, msc.AlteredPlanError),
        ({"expression": "shared & shared", "operation": "refresh"}, msc.AlteredPlanError),
        ({"expression": "(shared)"}, msc.AlteredPlanError),
        ({"expression": "shared"}, msc.AlteredPlanError),
        ({"expression": "shared & shared", "category_id": 1}, msc.AlteredPlanError),
        ({"expression": "shared & shared", "rule": RULE}, DerivedUniverseError),
        ({"rule": RULE}, DerivedUniverseError),
        ({}, msc.AlteredPlanError),
    ],
)
def test_what_no_other_expression_can_be_is_never_stored_as_a_request(users: Carriers, said: Any, refusal: Any):
    made = derived_universe(users, approvers=["ada"])
    with pytest.raises(refusal):
        by_hand(made, users["author"], **said)
    assert made.requests(None) == []
    assert by_hand(made, users["author"], expression="shared & shared").expression == "shared & shared"


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"expression": "shared & shared"}, DerivedUniverseError),
        ({"rule": RULE | {"lag": 1}}, msc.AlteredPlanError),
        ({"rule": RULE, "operation": "refresh"}, msc.AlteredPlanError),
        ({"rule": RULE, "revision": 7}, msc.StaleRevisionError),
        ({"rule": RULE | {"base": "nobody"}}, NotFoundError),
        ({"rule": RULE, "opened": {"asset_id": [1], **{name: [None] for name in NOBODY if name != "asset_id"}}}, None),
    ],
)
def test_what_no_other_rule_can_be_is_never_stored_as_a_request(users: Carriers, said: Any, refusal: Any):
    ruled, _ = ruled_universe(users)
    with pytest.raises(refusal or msc.AlteredPlanError):
        by_hand(ruled, users["author"], **said)
    assert ruled.requests(None) == []
    assert by_hand(ruled, users["author"], rule=RULE).rule.lag == 3


def test_members_are_never_asked_for_as_a_definition(users: Carriers):
    derived_universe(users)
    shared = named(users, "shared")
    shared.guard(approvers=["ada"])
    with pytest.raises(msc.AlteredPlanError):
        hand_made(shared, users["author"], shared.assets[:1], operation="redefine")
    for said in ({"expression": "others"}, {"rule": RULE}):
        with pytest.raises(DerivedUniverseError):
            by_hand(shared, users["author"], **said)


@pytest.mark.parametrize("column", ["change", "defined"])
def test_a_definition_that_was_edited_in_the_database_is_not_approved(users: Carriers, stored: Engine, column: str):
    made = derived_universe(users, approvers=["ada"])
    number = asked(lambda: made.redefine("shared & shared"))
    with stored.connect() as connection:
        [row] = rows_of(connection, REQUESTS)
    edited = json.loads(json.dumps(row[column])) | {"expression": "shared | shared"}
    assert tamper(stored, REQUESTS, row, {column: edited})
    for ask in (request(number, users["ada"]).approve, request(number, users["ada"]).plan):
        with pytest.raises(msc.AlteredPlanError, match="does not say what it said"):
            ask()
    assert made.refresh().revision == 1


@pytest.mark.parametrize("table", ["category_definition", "category_operand", "audit_entry"])
def test_an_approval_that_is_broken_off_leaves_definition_and_request_as_they_were(
    users: Carriers, stored: Engine, table: str
):
    made = derived_universe(users, approvers=["ada"])
    number = asked(lambda: made.redefine(BOTH))
    with refusing(stored, table), pytest.raises(msc.MainSequenceError):
        request(number, users["ada"]).approve()
    assert (made.refresh().revision, made.expression, request(number, users["ada"]).status) == (1, "shared", "pending")
    request(number, users["ada"]).approve()
    assert (made.expression, made.verify().ok) == (BOTH, True)
