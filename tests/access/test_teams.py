"""Teams, and who asks."""

from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import access as contract
from mainsequence.errors import AlreadyExistsError, NotFoundError, PermissionDeniedError, ValidationError
from tests.access.people import Person


def test_a_user_is_in_several_teams_and_a_team_has_several_users() -> None:
    Person("ada")
    bo = Person("bo", "reader")
    quants = msc.Team.create("quants", ["bo", "ada", "bo"])
    desk = msc.Team.create("desk")
    assert (quants.members, desk.members) == (["ada", "bo"], [])
    assert desk.add("bo").add("bo").members == ["bo"]
    assert quants.remove("ada", "ada").members == ["bo"]
    with bo.session():
        who = carrier().call(contract.WHOAMI, None)
        assert (who.name, who.role, who.organization, who.teams) == ("bo", "reader", "local", ["desk", "quants"])
        assert [each.name for each in msc.Team.filter()] == ["quants", "desk"]
        assert msc.Team.get(name="desk") == desk
    desk.delete()
    assert msc.Team.filter(name__in=["desk", "quants"]) == [quants]
    with pytest.raises(NotFoundError):
        desk.refresh()


def test_teams_are_their_administrators() -> None:
    msc.Team.create("quants")
    ed = Person("ed")
    with ed.session():
        team = msc.Team.get(name="quants")
        for refused in (lambda: msc.Team.create("x"), lambda: team.add("ed"), lambda: team.remove("ed"), team.delete):
            with pytest.raises(PermissionDeniedError):
                refused()


def test_a_team_that_cannot_be_is_refused_whole() -> None:
    Person("ada")
    team = msc.Team.create("quants")
    with pytest.raises(AlreadyExistsError):
        msc.Team.create("quants")
    with pytest.raises(NotFoundError, match="'nobody'"):
        msc.Team.create("desk", ["ada", "nobody"])
    with pytest.raises(NotFoundError, match="'nobody'"):
        team.add("ada", "nobody")
    assert [(each.name, each.members) for each in msc.Team.filter()] == [("quants", [])]


@pytest.mark.parametrize("asked", [("", ()), ("a b", ()), ("a" * 129, ()), ("ok", "ada"), ("ok", [3]), ("ok", None)])
def test_a_bad_team_is_not_created(asked: tuple[str, Any]) -> None:
    with pytest.raises(ValidationError):
        msc.Team.create(*asked)
    assert msc.Team.filter() == []


def test_two_organizations_may_use_one_name() -> None:
    eve = Person("eve", "admin", organization="Other")
    ours = msc.Team.create("quants")
    with eve.session():
        assert msc.Team.create("quants", ["eve"]).members == ["eve"]
        with pytest.raises(NotFoundError):
            msc.Team.get(ours.id)
        assert carrier().call(contract.WHOAMI, None).organization == "Other"
    assert ours.refresh().members == []


def test_nobody_takes_the_name_of_the_local_owner() -> None:
    with pytest.raises(AlreadyExistsError, match="embedded"):
        Person("local", "reader")
