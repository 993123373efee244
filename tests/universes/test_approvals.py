"""Approvals: what one user asks for, another one approves, and exactly that is written; against a plain model, too."""

from copy import deepcopy
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import mainsequence.client as msc
from mainsequence.contract import assets as asset_contract
from mainsequence.contract.guards import QUERY_REQUESTS
from mainsequence.contract.queries import Query
from mainsequence.errors import PermissionDeniedError, UnknownFilterError
from tests.universes.actors import Carriers, request, seen, users_in_process
from tests.universes.approving import ROLES, asked, hand_made, ruled_universe, universe


def test_a_change_waits_for_approval_and_is_then_written_as_it_was_asked_for(users: Carriers):
    category, ids = universe(users, approvers=["ada", "bob"])
    theirs = seen(category, users["author"])
    number = asked(lambda: theirs.append_assets(asset_ids=ids[3:5], effective_from="2024-06-28", reason="grown"))
    assert (category.refresh().revision, category.assets) == (1, ids[:3])
    waiting = theirs.requests()
    assert [(each.id, each.status, each.author, each.enters, each.leaves, each.reason) for each in waiting] == [
        (number, "pending", "author", 2, 0, "grown")
    ]
    spells = request(number, users["ada"]).plan().enters
    assert {str(each.valid_from) for each in spells} == {"2024-06-28 00:00:00+00:00"}

    approved = request(number, users["ada"]).approve("fine")
    assert (approved.status, approved.decided_by, approved.comment) == ("applied", "ada", "fine")
    assert approved.applied_revision == category.refresh().revision == 2
    last = category.history()[-1]
    assert (last.actor, last.approved_by, last.operation, last.reason) == ("author", "ada", "append", "grown")
    assert category.assets == ids[:5]
    assert "append by author, approved by ada" in str(category.explain(ids[4], as_of="2024-07-01"))
    assert category.requests() == []
    assert [each.status for each in category.requests(None)] == ["applied"]


def test_what_waits_is_listed_of_every_universe_that_one_sees(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    first, second = (
        asked(lambda n=n: seen(category, users["author"]).append_assets(asset_ids=[ids[n]])) for n in (4, 5)
    )
    request(second, users["ada"]).reject()

    def listed(user: str, **filters: Any) -> list[int]:
        answer = users[user].call(QUERY_REQUESTS, Query(filters=filters))
        assert {each.category for each in answer.results} <= {"shared"}
        return [each.id for each in answer.results]

    assert listed("guest") == [first, second]
    assert listed("guest", status="pending", author="author") == [first]
    assert listed("guest", category="other") == []
    assert users["guest"].call(QUERY_REQUESTS, Query(limit=1)).next_after == first
    category.set_visibility("private")
    assert listed("guest") == []
    assert listed("chief") == [first, second]
    with pytest.raises(UnknownFilterError):
        listed("chief", colour="red")


def test_four_eyes_an_author_never_approves_their_own_change(users: Carriers):
    category, ids = universe(users, approvers=["ada", "bob"])
    number = asked(lambda: seen(category, users["ada"]).remove_assets(asset_ids=ids[:1]))
    with pytest.raises(PermissionDeniedError, match="somebody else"):
        request(number, users["ada"]).approve()
    request(number, users["bob"]).approve()
    assert category.refresh().assets == ids[1:3]


@pytest.mark.parametrize("name", ["owner", "author", "chief"])
def test_only_approvers_approve_whatever_their_role(users: Carriers, name: str):
    category, ids = universe(users, approvers=["ada"])
    number = asked(lambda: seen(category, users["bob"]).remove_assets(asset_ids=ids[:1]))
    with pytest.raises(PermissionDeniedError, match="does not approve"):
        request(number, users[name]).approve()
    assert category.refresh().revision == 1


def test_readers_read_requests_and_decide_nothing(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    number = asked(lambda: category.remove_assets(asset_ids=ids[:1]))
    mine = request(number, users["guest"])
    assert mine.plan().leaves[0].asset_id == ids[0]
    for decide in (mine.approve, mine.reject, mine.withdraw):
        with pytest.raises(PermissionDeniedError):
            decide()


def test_asking_twice_for_the_same_is_one_request(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    theirs = seen(category, users["author"])
    numbers = {asked(lambda: theirs.append_assets(asset_ids=ids[3:4])) for _ in range(3)}
    assert len(numbers) == 1
    other = asked(lambda: theirs.append_assets(asset_ids=ids[4:5]))
    of_another = asked(lambda: seen(category, users["bob"]).append_assets(asset_ids=ids[3:4]))
    assert len({*numbers, other, of_another}) == 3 == len(category.requests())


def test_a_request_is_stale_once_the_universe_has_moved(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    first = asked(lambda: category.append_assets(asset_ids=ids[3:4]))
    second = asked(lambda: category.append_assets(asset_ids=ids[4:5]))
    request(first, users["ada"]).approve()
    stale = request(second, users["ada"])
    assert (stale.status, category.requests(), len(category.requests("stale"))) == ("stale", [], 1)
    with pytest.raises(msc.StaleRevisionError, match="stale"):
        stale.approve()
    with pytest.raises(msc.StaleRevisionError):
        stale.plan()
    assert stale.reject("ask again").status == "rejected"
    assert category.refresh().revision == 2


def test_what_was_decided_stays_decided(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    rejected = asked(lambda: category.append_assets(asset_ids=ids[3:4]))
    request(rejected, users["ada"]).reject("no")
    withdrawn = asked(lambda: category.append_assets(asset_ids=ids[3:4]))
    assert withdrawn != rejected
    with pytest.raises(msc.ConflictError, match="withdraw"):
        request(withdrawn, users["owner"]).reject()
    with pytest.raises(PermissionDeniedError):
        request(withdrawn, users["ada"]).withdraw()
    request(withdrawn, users["owner"]).withdraw()
    for number in (rejected, withdrawn):
        for decide in (request(number, users["ada"]).approve, request(number, users["ada"]).reject):
            with pytest.raises(msc.ConflictError, match="already"):
                decide()
    assert category.refresh().revision == 1


def test_every_way_to_change_members_asks_for_approval(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    plan = category.plan(replace=ids[4:6])
    assert [each.code for each in plan.objections] == ["guard.approval"]
    ways = (
        lambda: category.append_assets(asset_ids=ids[6:7]),
        lambda: category.remove_assets(asset_ids=ids[:1]),
        lambda: category.update_assets(asset_ids=ids[:2]),
        lambda: category.patch(assets=ids[:1], display_name="not even this"),
        lambda: plan.apply(reason="planned"),
        lambda: category.append_assets(asset_ids=ids[:1], weights=[0.5]),
    )
    numbers = [asked(way) for way in ways]
    assert len(set(numbers)) == len(ways)
    assert (category.refresh().revision, category.display_name) == (1, "shared")
    request(numbers[4], users["ada"]).approve()
    assert category.refresh().assets == ids[4:6]


def test_approval_does_not_pass_other_guards(users: Carriers):
    category, ids = universe(users, approvers=["ada"], require_reason=True, max_removal_fraction=0.5)
    with pytest.raises(msc.ReasonRequiredError):
        category.append_assets(asset_ids=ids[3:4])
    with pytest.raises(msc.RemovalGuardError):
        category.remove_assets(asset_ids=ids[:2], reason="two of three")
    assert category.requests(None) == []
    forced = asked(lambda: category.remove_assets(asset_ids=ids[:2], reason="two of three", force=True))
    category.guard(locked=True)
    with pytest.raises(msc.LockedError):
        request(forced, users["ada"]).approve()
    category.guard(locked=False)
    request(forced, users["ada"]).approve()
    assert category.refresh().assets == ids[2:3]


def test_who_enters_must_still_exist_when_the_change_is_approved(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    number = asked(lambda: category.append_assets(asset_ids=ids[3:4]))
    users["owner"].call(asset_contract.RETIRE, None, key=ids[3])
    with pytest.raises(msc.UnknownAssetsError):
        request(number, users["ada"]).approve()
    assert category.refresh().assets == ids[:3]


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({"asset_id": [10**9]}, msc.UnknownAssetsError),
        ({"asset_id": [2**70]}, msc.ValidationError),
        ({"valid_from": [2**62]}, msc.ValidationError),
        ({"valid_from": [10], "valid_to": [10]}, msc.AlteredPlanError),
        ({"weight": []}, msc.ValidationError),
    ],
)
def test_what_no_change_can_be_is_never_stored_as_a_request(users: Carriers, columns: Any, refusal: Any):
    from mainsequence.contract.guards import REQUEST_CHANGE, ChangeAsked

    category, ids = universe(users, approvers=["ada"])
    rows = {"asset_id": [ids[5]], "valid_from": [None], "valid_to": [None], "weight": [None]} | columns
    change = {"category_id": category.id, "revision": 1, "operation": "append", "closed": {}, "opened": rows}
    with pytest.raises(refusal):
        users["author"].call(REQUEST_CHANGE, ChangeAsked.parse({"change": change}), key=category.id)
    assert category.requests(None) == []


def test_asked_again_for_another_reason_is_another_request(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    theirs = seen(category, users["author"])
    said = [{"reason": "first"}, {"reason": "second, quite different"}, {"reason": "first", "force": True}, {}]
    numbers = [asked(lambda say=say: theirs.remove_assets(asset_ids=ids[:1], **say)) for say in said * 2]
    assert numbers[:4] == numbers[4:]
    assert [(each.id, each.reason, each.force) for each in category.requests()] == [
        (number, say.get("reason"), say.get("force", False)) for number, say in zip(numbers, said, strict=False)
    ]


def test_who_only_reads_is_no_approver(users: Carriers):
    category, _ = universe(users, approvers=["ada"])
    with pytest.raises(msc.ValidationError, match="guest"):
        category.guard(approvers=["ada", "guest"])
    assert category.guards().approvers == ("ada",)


@pytest.mark.parametrize(
    ("guards", "said", "refusal"),
    [
        ({"approvers": ["ada"]}, {"operation": "retire by the pope"}, msc.AlteredPlanError),
        ({"approvers": ["ada"]}, {"operation": "refresh"}, msc.AlteredPlanError),
        ({"approvers": ["ada"], "require_plan": True}, {}, msc.PlanRequiredError),
        ({"approvers": ["ada"], "require_reason": True}, {}, msc.ReasonRequiredError),
        ({"approvers": ["ada"], "locked": True}, {}, msc.LockedError),
        ({"approvers": ["ada"]}, {"asset_ids": []}, msc.AlteredPlanError),
        ({}, {}, msc.ConflictError),
    ],
)
def test_a_request_made_by_hand_passes_the_guards_that_a_verb_passes(
    users: Carriers, guards: Any, said: Any, refusal: Any
):
    category, ids = universe(users, **guards)
    with pytest.raises(refusal):
        hand_made(category, users["author"], **({"asset_ids": ids[5:6]} | said))
    assert category.requests(None) == []


def test_a_plan_of_a_universe_changed_by_plans_only_waits_for_approval(users: Carriers):
    category, ids = universe(users, approvers=["ada"], require_plan=True)
    number = asked(category.plan(append=ids[5:6]).apply)
    request(number, users["ada"]).approve()
    assert category.refresh().assets == [*ids[:3], ids[5]]


@pytest.mark.parametrize("operation", ["append", "remove", "refresh"])
def test_no_request_writes_members_into_a_universe_that_a_rule_fills(users: Carriers, operation: str):
    ruled, ids = ruled_universe(users)
    with pytest.raises((msc.DerivedUniverseError, msc.AlteredPlanError)):
        hand_made(ruled, users["author"], ids[5:6], operation=operation)
    assert ruled.requests(None) == []


def test_guards_are_set_by_owners_and_administrators_alone(users: Carriers):
    category, _ = universe(users, approvers=["ada"])
    for name in ("author", "ada"):
        with pytest.raises(PermissionDeniedError, match="owner"):
            seen(category, users[name]).guard(approvers=[])
    seen(category, users["chief"]).guard(owners=["author"], reason="on leave")
    seen(category, users["author"]).guard(approvers=["ada", "bob", "ada"])
    assert [each.actor for each in category.guard_history()] == ["owner", "chief", "author"]
    assert category.guards().approvers == ("ada", "bob")
    theirs = seen(category, users["ada"])
    for take_away in (theirs.delete, lambda: theirs.rename("mine"), theirs.deprecate):
        with pytest.raises(PermissionDeniedError, match="owner"):
            take_away()
    category.rename("still_ours")


def test_readers_that_are_hidden_from_who_plans_are_counted(users: Carriers):
    from mainsequence.contract import portfolios, sharing
    from mainsequence.domain.portfolios import PortfolioCreation

    category, ids = universe(users)
    for name in ("open", "secret"):
        body = PortfolioCreation(unique_identifier=name, display_name=name, universe="shared")
        made = users["owner"].call(portfolios.CREATE, body)
    private = sharing.VisibilityChange(visibility="private")
    users["owner"].call(sharing.VERBS["portfolio"].change, private, key=made.id)
    for name, seen_readers, hidden in (("owner", {"open", "secret"}, 0), ("author", {"open"}, 1)):
        plan = seen(category, users[name]).plan(remove=ids[:1])
        assert ({each.identifier for each in plan.readers}, plan.hidden_readers) == (seen_readers, hidden)
        assert ("may not see" in repr(plan)) == bool(hidden)


@pytest.mark.embedded
def test_requests_of_other_organizations_do_not_exist(tmp_path: Path):
    from mainsequence.contract import access
    from mainsequence.domain.access import Actor, Role, UserCreation
    from tests.universes.actors import ActingCarrier

    with users_in_process(tmp_path / "two", **ROLES) as users:
        category, ids = universe(users, approvers=["ada"])
        number = asked(lambda: category.append_assets(asset_ids=ids[3:4]))
        platform = users["owner"].platform
        platform.call(access.CREATE_USER, UserCreation(name="eve", role="admin", organization="Other"))
        stranger = ActingCarrier(platform, "eve", Role.ADMIN)
        stranger.actor = Actor("eve", 2, Role.ADMIN)
        with pytest.raises(msc.NotFoundError):
            request(number, stranger)


NAMES = ("owner", "author", "ada", "bob")
approver_sets = st.lists(st.sampled_from(("ada", "bob")), unique=True)
subsets = st.sets(st.integers(0, 3), max_size=4)


class ApprovalMachine(RuleBasedStateMachine):
    """Changes, guards and decisions by several users, against a set for members and a dict for each request."""

    @initialize()
    def begin(self) -> None:
        self.platform = users_in_process(Path(mkdtemp()), **{name: ROLES[name] for name in NAMES})
        self.users = self.platform.__enter__()
        self.category, self.ids = universe(self.users, 2)
        self.members = {0, 1}
        self.guards: dict[str, Any] = {"approvers": [], "locked": False, "require_reason": False, "forbid_empty": False}
        self.waiting: dict[int, dict[str, Any]] = {}
        self.decided: dict[int, str] = {}
        self.log: list[tuple[str, str | None]] = [("owner", None)]

    def teardown(self) -> None:
        self.platform.__exit__(None, None, None)

    def _refusal(self, wanted: set[int], reason: str | None, *, approved: bool) -> type[msc.GuardError] | None:
        if self.guards["locked"]:
            return msc.LockedError
        if self.guards["require_reason"] and not reason:
            return msc.ReasonRequiredError
        if self.guards["forbid_empty"] and self.members and not wanted:
            return msc.EmptyUniverseError
        return msc.ApprovalRequiredError if self.guards["approvers"] and not approved else None

    @rule(field=st.sampled_from(("locked", "require_reason", "forbid_empty")), value=st.booleans())
    def set_a_guard(self, field: str, value: bool) -> None:
        self.category.guard(**{field: value})
        self.guards[field] = value

    @rule(approvers=approver_sets)
    def name_approvers(self, approvers: list[str]) -> None:
        self.category.guard(approvers=approvers)
        self.guards["approvers"] = approvers

    @rule(name=st.sampled_from(NAMES), wanted=subsets, reason=st.sampled_from((None, "why")), planned=st.booleans())
    def change(self, name: str, wanted: set[int], reason: str | None, planned: bool) -> None:
        theirs = seen(self.category, self.users[name])
        ids = [self.ids[each] for each in wanted]
        if wanted == self.members:
            assert theirs.update_assets(asset_ids=ids, reason=reason).revision == len(self.log)
            return
        refusal = self._refusal(wanted, reason, approved=False)
        act = theirs.plan(replace=ids).apply if planned else lambda why: theirs.update_assets(asset_ids=ids, reason=why)
        if refusal is None:
            act(reason)
            self._happened(wanted, name, None)
            return
        with pytest.raises(refusal) as error:
            act(reason)
        if refusal is msc.ApprovalRequiredError:
            number = error.value.context["request"]
            asked_for = {"author": name, "wanted": set(wanted), "at": len(self.log), "reason": reason}
            same = [each for each, known in self.waiting.items() if known == asked_for]
            assert number in same if same else number not in self.waiting | self.decided
            self.waiting.setdefault(number, asked_for)

    def _happened(self, wanted: set[int], author: str, approver: str | None) -> None:
        self.members = set(wanted)
        self.log.append((author, approver))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def approve(self, data: st.DataObject, name: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        asked_for = self.waiting[number]
        mine = request(number, self.users[name])
        if name == asked_for["author"] or name not in self.guards["approvers"]:
            expected: Any = PermissionDeniedError
        elif asked_for["at"] != len(self.log):
            expected = msc.StaleRevisionError
        else:
            expected = self._refusal(asked_for["wanted"], asked_for["reason"], approved=True)
        if expected is None:
            mine.approve()
            self._happened(asked_for["wanted"], asked_for["author"], name)
            self.decided[number] = "applied"
            del self.waiting[number]
            return
        with pytest.raises(expected):
            mine.approve()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def turn_down(self, data: st.DataObject, name: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        mine = request(number, self.users[name])
        if name == self.waiting[number]["author"]:
            self.decided[number] = mine.withdraw().status
        elif name in {*self.guards["approvers"], "owner"}:
            self.decided[number] = mine.reject().status
        else:
            with pytest.raises(PermissionDeniedError):
                mine.reject()
            return
        del self.waiting[number]

    @invariant()
    def the_universe_is_the_model(self) -> None:
        category = deepcopy(self.category).refresh()
        assert category.assets == sorted(self.ids[each] for each in self.members)
        assert [(each.actor, each.approved_by) for each in category.history()] == self.log

    @invariant()
    def the_requests_are_the_model(self) -> None:
        found = {each.id: each.status for each in self.category.requests(None)}
        now = len(self.log)
        open_ones = {number: "pending" if each["at"] == now else "stale" for number, each in self.waiting.items()}
        assert found == open_ones | self.decided


ApprovalMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


@pytest.mark.slow
@pytest.mark.embedded
class TestApprovals(ApprovalMachine.TestCase):
    """Runs the machine."""
