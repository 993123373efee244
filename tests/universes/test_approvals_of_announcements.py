"""Approving what was announced: a load that says when changes were made known waits whole, and is written whole."""

from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.contract import plans
from mainsequence.contract.guards import REQUEST_CHANGE, ChangeAsked
from tests.universes.actors import Carriers, request, seen
from tests.universes.approving import ENTRY, announced_of, asked, load, universe


@pytest.mark.parametrize("by_row", [True, False])
def test_a_load_with_announced_dates_waits_and_is_written_whole(users: Carriers, by_row: bool):
    category, _ = universe(users, approvers=["ada"])
    theirs = seen(category, users["author"])
    row, whole = (ENTRY | {"announced": "2024-03-06"}, {}) if by_row else (ENTRY, {"announced": "2024-03-06"})
    number = asked(lambda: load(theirs, row, reason="index notice", **whole))
    assert (category.refresh().revision, announced_of(category)) == (1, {})
    [waiting] = category.requests()
    assert (waiting.id, waiting.enters, waiting.leaves, waiting.announcements) == (number, 1, 0, 1)

    approved = request(number, users["ada"]).approve()
    assert approved.applied_revision == category.refresh().revision == 2
    last = category.history()[-1]
    assert (last.operation, last.actor, last.approved_by, last.added) == ("load", "author", "ada", 1)
    assert (last.reason, last.announced) == ("index notice", 1)
    assert announced_of(category) == {"a5": "2024-03-06"}
    assert category.upcoming("2098-12-31").recorded_at.iloc[0] == last.recorded_at
    assert category.verify().ok


def test_announcements_alone_wait_and_the_history_says_who_noted_what(users: Carriers):
    category, _ = universe(users)
    load(category, ENTRY)
    category.guard(approvers=["ada"])
    note = ENTRY | {"announced": "2024-03-06"}
    number = asked(lambda: load(seen(category, users["author"]), note))
    [waiting] = category.requests()
    assert (waiting.enters, waiting.leaves, waiting.announcements, waiting.decision) == (0, 0, 1, None)
    plan = request(number, users["ada"]).plan()
    assert [(each.unique_identifier, each.before) for each in plan.announced] == [("a5", None)]
    assert not plan.is_empty
    assert "a5 of 2099-01-01: on 2024-03-06" in repr(plan)
    assert "1 announcement to note" in plan.summary

    request(number, users["ada"]).approve()
    assert announced_of(category) == {"a5": "2024-03-06"}
    last = category.history()[-1]
    assert (last.operation, last.added, last.removed, last.announced) == ("announce", 0, 0, 1)
    assert (last.actor, last.approved_by) == ("author", "ada")
    page = users["owner"].call(*feed_of(category))
    assert [(each.revision, each.operation) for each in page.changes if each.revision == 3] == [(3, "announce")]
    assert load(category, note).revision == 3, "what is noted is not asked for again"
    assert category.verify().ok

    again = asked(lambda: load(category, ENTRY | {"announced": "2024-02-01"}))
    assert [str(each.before)[:10] for each in request(again, users["ada"]).plan().announced] == ["2024-03-06"]
    request(again, users["ada"]).approve()
    assert announced_of(category) == {"a5": "2024-02-01"}, "the later word counts"


def feed_of(category: msc.AssetCategory) -> tuple[Any, Any]:
    from mainsequence.contract.changes import CHANGES, ChangesQuery

    return CHANGES, ChangesQuery(category_ids=[category.id])


def test_asking_again_for_the_same_announcements_is_one_request(users: Carriers):
    category, _ = universe(users, approvers=["ada"])
    days = ("2024-03-06", "2024-03-06", "2024-03-07")
    numbers = [asked(lambda day=day: load(category, ENTRY | {"announced": day})) for day in days]
    numbers.append(asked(lambda: load(category, ENTRY)))
    numbers.append(asked(lambda: load(category, ENTRY, announced="2024-03-06")))
    first, second, other_day, without, load_wide = numbers
    assert first == second == load_wide
    assert len({first, other_day, without}) == 3 == len(category.requests())
    hashes = {each.content_hash for each in category.requests()}
    assert len(hashes) == 3, "what is announced is hashed"


def test_what_is_turned_down_notes_nothing(users: Carriers):
    category, _ = universe(users, approvers=["ada"])
    note = ENTRY | {"announced": "2024-03-06"}
    request(asked(lambda: load(category, note)), users["ada"]).reject("no")
    request(asked(lambda: load(category, note)), users["owner"]).withdraw()
    assert (category.refresh().revision, announced_of(category)) == (1, {})
    assert [each.status for each in category.requests(None)] == ["rejected", "withdrawn"]


def test_announcements_that_were_noted_meanwhile_make_a_request_stale(users: Carriers):
    category, _ = universe(users)
    load(category, ENTRY)
    category.guard(approvers=["ada"])
    first = asked(lambda: load(category, ENTRY | {"announced": "2024-03-06"}))
    second = asked(lambda: load(category, ENTRY | {"announced": "2024-03-07"}))
    request(first, users["ada"]).approve()
    assert request(second, users["ada"]).status == "stale"
    with pytest.raises(msc.StaleRevisionError):
        request(second, users["ada"]).approve()
    assert announced_of(category) == {"a5": "2024-03-06"}


def test_announcements_pass_the_other_guards_when_asked_for_and_when_approved(users: Carriers):
    category, _ = universe(users, approvers=["ada"], require_reason=True)
    note = ENTRY | {"announced": "2024-03-06"}
    with pytest.raises(msc.ReasonRequiredError):
        load(category, note)
    number = asked(lambda: load(category, note, reason="notice"))
    category.guard(locked=True)
    with pytest.raises(msc.LockedError):
        request(number, users["ada"]).approve()
    category.guard(locked=False, require_plan=True)
    with pytest.raises(msc.PlanRequiredError):
        load(category, note, reason="another notice")
    request(number, users["ada"]).approve()
    assert announced_of(category) == {"a5": "2024-03-06"}


def by_hand(category: msc.AssetCategory, carrier: Any, **said: Any) -> Any:
    """Ask for a change that no verb made, by the operation behind them."""
    change = {"category_id": category.id, "revision": category.refresh().revision, "operation": "announce"}
    change |= {"closed": {}, "opened": {}} | said
    return carrier.call(REQUEST_CHANGE, ChangeAsked.parse({"change": change}), key=category.id)


NEW_YEAR_2099 = 4_070_908_800_000_000
"""2099-01-01, microseconds since 1970: 47,117 days."""


def noted(*asset_ids: int, announced: int = 0) -> dict[str, list[int]]:
    number = len(asset_ids)
    return {
        "asset_id": [*asset_ids],
        "effective_at": [NEW_YEAR_2099] * number,
        "announced_at": [announced] * number,
    }


def forever(asset_id: int) -> dict[str, list[Any]]:
    return {"asset_id": [asset_id], "valid_from": [None], "valid_to": [None], "weight": [None]}


def test_announcements_made_by_hand_are_what_a_load_could_ask_for(users: Carriers):
    category, ids = universe(users, approvers=["ada"])
    author = users["author"]
    refused = {
        "nobody": ({"announced": noted(10**9)}, msc.UnknownAssetsError),
        "twice": ({"announced": noted(ids[5], ids[5])}, msc.AlteredPlanError),
        "nothing": ({"announced": noted()}, msc.AlteredPlanError),
        "uneven": ({"announced": noted(ids[5]) | {"announced_at": []}}, msc.ValidationError),
        "as a load": ({"announced": noted(ids[5]), "operation": "load"}, msc.AlteredPlanError),
        "with members": ({"announced": noted(ids[5]), "opened": forever(ids[5])}, msc.AlteredPlanError),
        "no time": ({"announced": noted(ids[5], announced=2**61)}, msc.ValidationError),
    }
    for what, (said, refusal) in refused.items():
        with pytest.raises(refusal):
            pytest.fail(f"{what} was stored: {by_hand(category, author, **said)}")
    assert category.requests(None) == []
    number = by_hand(category, author, announced=noted(ids[5])).id
    request(number, users["ada"]).approve()
    with pytest.raises(msc.AlteredPlanError, match="noted already"):
        by_hand(category, author, announced=noted(ids[5]))


def test_a_plan_cannot_carry_announcements_past_its_application(users: Carriers):
    category, ids = universe(users)
    change = category.plan(append=ids[5:6]).change
    carried = type(change).parse(change.model_dump() | {"announced": noted(ids[5])})
    body = plans.PlanApplication(change=carried, content_hash=carried.content_hash)
    with pytest.raises(msc.AlteredPlanError):
        users["owner"].call(plans.APPLY, body, key=category.id)
    assert category.refresh().revision == 1
