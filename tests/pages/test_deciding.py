"""Deciding on pages: what waits is seen, approved, rejected and withdrawn by those who may."""

import re
from collections.abc import Callable

import pytest

import mainsequence.client as msc
from tests.pages.conftest import Desk
from tests.pages.reading import Read


class People:
    """An author, an approver and a reader before their browsers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        roles = {"author": "editor", "judge": "editor", "guest": "reader"}
        self.tokens = {name: desk.user(name, role) for name, role in roles.items()}
        self.author, self.judge, self.guest = (desk.browser(token) for token in self.tokens.values())

    def asked(self, name: str) -> int:
        """Let the author ask for a change of a universe that the judge guards; gives the number of the request."""
        with msc.session(self.desk.address, self.desk.wire.token):
            universe = msc.AssetCategory.get_or_create(unique_identifier=name)
            universe.guard(approvers=["judge"])
        with msc.session(self.desk.address, self.tokens["author"]):
            mine = msc.AssetCategory.get(unique_identifier=name)
            with pytest.raises(msc.ApprovalRequiredError) as refused:
                mine.append_assets(msc.Asset.filter(ticker="T5"), reason="wanted")
            return int(refused.value.context["request"])

    def state(self, number: int) -> msc.ChangeRequest:
        with msc.session(self.desk.address, self.desk.wire.token):
            return msc.ChangeRequest.get(number)


@pytest.fixture(scope="module")
def people(desk: Desk) -> People:
    return People(desk)


def path(number: int) -> str:
    return f"/ui/requests/{number}"


def test_what_waits_is_shown_with_what_it_would_do(people: People):
    number = people.asked("one")
    assert path(number) in people.guest.open("/ui/").links
    assert path(number) in people.guest.open("/ui/requests").links
    found = people.judge.open(path(number))
    assert "1 to enter, 0 to leave" in found.text
    assert "a005" in found.text
    assert "wanted" in found.text
    assert "A guard would refuse it" not in found.text
    assert '<textarea class="short" name="comment"' in people.judge.http.get(path(number)).text  # Enter decides nothing
    assert people.author.open(path(number)).buttons == ["Log out", "Withdraw"]
    assert found.buttons == ["Log out", "Approve", "Reject"]
    assert people.guest.open(path(number)).buttons == ["Log out"]


def asked_by_the_author(people: People, name: str, ask: Callable[[msc.AssetCategory], object]) -> Read:
    """Let the author ask for something of a universe that the judge guards; gives the page for the judge."""
    with msc.session(people.desk.address, people.desk.wire.token):
        msc.AssetCategory.get(unique_identifier=name).guard(approvers=["judge"], require_reason=True)
    with (
        msc.session(people.desk.address, people.tokens["author"]),
        pytest.raises(msc.ApprovalRequiredError) as refused,
    ):
        ask(msc.AssetCategory.get(unique_identifier=name))
    return people.judge.open(path(refused.value.context["request"]))


def test_announcements_are_shown_with_their_dates(people: People):
    row = {"unique_identifier": "a005", "valid_from": "2024-03-01"}
    with msc.session(people.desk.address, people.desk.wire.token):
        msc.AssetCategory.create(unique_identifier="noted").load([row])
    found = asked_by_the_author(people, "noted", lambda it: it.load([row | {"announced": "2024-02-20"}], reason="note"))
    assert re.search(r"Announced \(1\).*a005\s*2024-03-01\s*2024-02-20\s*nothing", found.text, re.DOTALL)
    assert "needs a reason" not in found.text


def test_another_definition_is_shown_beside_the_one_in_force(people: People):
    with msc.session(people.desk.address, people.desk.wire.token):
        msc.AssetCategory.from_expression("joined", "core | made")
        before = msc.UniverseRule(base="core", calendar="24/7", frequency="monthly", start="2024-01-01")
        msc.AssetCategory.from_rule("kept", before)
    found = asked_by_the_author(people, "joined", lambda it: it.redefine("made | daily", reason="wider", force=True))
    assert re.search(r"Now\s*core \| made\s*Then\s*made \| daily", found.text)
    after = before.model_copy(update={"frequency": "quarterly"})
    found = asked_by_the_author(people, "kept", lambda it: it.change_rule(after, reason="less often"))
    assert re.search(r'frequency\s*"monthly"\s*"quarterly"', found.text)
    assert "calendar" not in found.text
    assert found.buttons == ["Log out", "Approve", "Reject"]


def test_a_removal_that_is_meant_goes_past_its_guard_and_is_not_called_refused(people: People):
    with msc.session(people.desk.address, people.desk.wire.token):
        everybody = msc.Asset.filter(ticker__contains="T2")
        msc.AssetCategory.create(unique_identifier="shrinking", assets=everybody)

    def ask(universe: msc.AssetCategory) -> None:
        universe.remove_assets(everybody[1:], reason="meant", force=True)

    found = asked_by_the_author(people, "shrinking", ask)
    assert "It goes past a guard. " in found.text
    assert "A guard would refuse it" not in found.text


def test_only_who_approves_is_shown_the_button(people: People):
    number = people.asked("six")
    found = people.desk.browser(people.desk.wire.token).open(path(number))
    assert re.search(r"Approvers\s*judge", found.text)
    assert found.buttons == ["Log out", "Reject"]


def test_approving_writes_exactly_what_was_asked_for(people: People):
    number = people.asked("two")
    answer = people.judge.send(f"{path(number)}/approve", comment="fine")
    assert answer.headers["Location"] == path(number)
    found = people.state(number)
    assert (found.status, found.decided_by, found.comment, found.author) == ("applied", "judge", "fine", "author")
    told = people.guest.open(path(number))
    assert "revision 1" in told.text
    assert told.buttons == ["Log out"]
    assert path(number) not in people.guest.open("/ui/requests").links
    assert path(number) in people.guest.open("/ui/requests?all=1").links


def test_rejecting_and_withdrawing_write_nothing(people: People):
    number = people.asked("three")
    people.judge.send(f"{path(number)}/reject")
    assert (people.state(number).status, people.state(number).comment) == ("rejected", None)
    number = people.asked("three")
    people.author.send(f"{path(number)}/withdraw", comment="changed my mind")
    assert people.state(number).status == "withdrawn"


def test_those_who_may_not_decide_do_not(people: People):
    number = people.asked("four")
    for browser, verb, status in (
        (people.author, "approve", 403),
        (people.guest, "approve", 403),
        (people.guest, "reject", 403),
        (people.judge, "withdraw", 403),
        (people.author, "reject", 409),
    ):
        browser.send(f"{path(number)}/{verb}", status)
    assert people.state(number).status == "pending"


def test_what_the_universe_has_left_behind_is_stale(people: People):
    first, second = people.asked("five"), 0
    with msc.session(people.desk.address, people.tokens["author"]):
        with pytest.raises(msc.ApprovalRequiredError) as refused:
            msc.AssetCategory.get(unique_identifier="five").append_assets(msc.Asset.filter(ticker="T6"))
        second = int(refused.value.context["request"])
    people.judge.send(f"{path(second)}/approve")
    found = people.judge.open(path(first))
    assert "the universe has moved" in found.text
    assert found.buttons == ["Log out", "Reject"]
    people.judge.send(f"{path(first)}/approve", 412)


def test_requests_come_part_by_part_newest_first(people: People):
    with msc.session(people.desk.address, people.desk.wire.token):
        msc.AssetCategory.create(unique_identifier="wanted by many").guard(approvers=["judge"])
    with msc.session(people.desk.address, people.tokens["author"]):
        universe = msc.AssetCategory.get(unique_identifier="wanted by many")
        for asset in msc.Asset.filter()[:120]:
            with pytest.raises(msc.ApprovalRequiredError):
                universe.append_assets([asset])
    expected = [request.id for request in waiting(people)]
    seen: list[int] = []
    page: str | None = ""
    while page is not None:
        found = people.guest.open(f"/ui/requests{page}")
        seen += [int(link.rpartition("/")[2]) for link in found.links if re.fullmatch(r"/ui/requests/\d+", link)]
        (page,) = [link for link in found.links if link.startswith("?before=")] or [None]
    assert seen == sorted(expected, reverse=True)
    first = people.guest.open("/ui/")
    assert f"… and {len(expected) - 15} more" in first.text
    people.guest.open("/ui/requests?before=x", 422)


def waiting(people: People) -> list[msc.ChangeRequest]:
    with msc.session(people.desk.address, people.desk.wire.token):
        return msc.ChangeRequest.filter(status="pending")


def test_what_is_private_is_on_no_page_of_others(people: People):
    number = people.asked("secret")
    with msc.session(people.desk.address, people.desk.wire.token):
        universe = msc.AssetCategory.get(unique_identifier="secret")
        universe.set_visibility("private")
        for n in range(20):
            universe.patch(description=f"{n}")
    for page in ("/ui/", "/ui/requests?all=1", "/ui/changes"):
        assert "secret" not in people.guest.open(page).text
    assert "core" in people.guest.open("/ui/").text.split("What happened lately")[1]
    for page in (path(number), f"/ui/universes/{universe.id}", f"/ui/universes/{universe.id}/members"):
        people.guest.open(page, 404)
    assert people.guest.http.get(f"/ui/universes/{universe.id}/members.svg").status_code == 404
