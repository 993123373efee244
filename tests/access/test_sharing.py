"""Sharing: what is private does not exist for others, wherever they look; a grant is worth what it says, no more."""

from collections.abc import Callable
from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import categories as contract
from mainsequence.domain.categories import Reference
from mainsequence.errors import AlreadyExistsError, InUseError, NotFoundError, PermissionDeniedError, ValidationError
from tests.access.people import Person

Shareable = msc.AssetCategory | msc.AssetTranslationTable | msc.Portfolio
Change = Callable[[Any], Any]

KINDS: dict[str, tuple[type[Shareable], Change, Change]] = {
    "category": (
        msc.AssetCategory,
        lambda name: msc.AssetCategory.create(unique_identifier=name),
        lambda found: found.patch(display_name="changed"),
    ),
    "table": (
        msc.AssetTranslationTable,
        lambda name: msc.AssetTranslationTable.get_or_create(unique_identifier=name),
        lambda found: found.remove_rules(rule_ids=[]),
    ),
    "portfolio": (
        msc.Portfolio,
        lambda name: msc.Portfolio.create(unique_identifier=name),
        lambda found: found.patch(display_name="changed"),
    ),
}
each_kind = pytest.mark.parametrize(("kind", "make", "change"), KINDS.values(), ids=KINDS)


@each_kind
def test_what_is_private_is_found_by_its_owner_administrators_and_nobody_else(
    kind: type[Shareable], make: Change, change: Change
) -> None:
    ada, ed, bo, root = Person("ada"), Person("ed"), Person("bo", "reader"), Person("root", "admin")
    with ada.session():
        made = make("mine")
        assert [person.sees(kind) for person in (ada, ed, bo, root)] == [{"mine"}] * 4
        made.set_visibility("private")
    assert [person.sees(kind) for person in (ada, ed, bo, root)] == [{"mine"}, set(), set(), {"mine"}]
    for stranger in (ed, bo):
        with stranger.session():
            assert kind.get_or_none(unique_identifier="mine") is None
            assert kind.filter(id=made.id) == []
            with pytest.raises(NotFoundError):
                kind.get(made.id)
    with ada.session():
        made.set_visibility("organization")
    assert bo.sees(kind) == {"mine"}


@each_kind
def test_a_grant_shows_and_an_edit_grant_lets_even_readers_change(
    kind: type[Shareable], make: Change, change: Change
) -> None:
    ada, bo = Person("ada"), Person("bo", "reader")
    with ada.session():
        made = make("mine").set_visibility("private").share(user="bo")
    with bo.session():
        found = kind.get(unique_identifier="mine")
        with pytest.raises(PermissionDeniedError, match="view"):
            change(found)
        with pytest.raises(PermissionDeniedError):
            found.share(user="bo", rights="edit")
    with ada.session():
        made.share(user="bo", rights="edit")
        said = made.shared_with()
        assert (said.owner, said.visibility) == ("ada", "private")
        assert [(each.user, each.team, each.rights, each.granted_by) for each in said.grants] == [
            ("bo", None, "edit", "ada")
        ]
    with bo.session():
        change(kind.get(unique_identifier="mine"))
        with pytest.raises(PermissionDeniedError):
            kind.get(unique_identifier="mine").delete()
    with ada.session():
        assert made.unshare(user="bo").unshare(user="bo").shared_with().grants == []
    assert bo.sees(kind) == set()


def test_an_edit_grant_on_one_object_is_worth_nothing_on_another() -> None:
    ada, bo = Person("ada"), Person("bo", "reader")
    with ada.session():
        msc.AssetCategory.create(unique_identifier="one").share(user="bo", rights="edit")
        msc.AssetCategory.create(unique_identifier="two")
        msc.AssetTranslationTable.get_or_create(unique_identifier="t")
        msc.Portfolio.create(unique_identifier="p")
    with bo.session():
        assert msc.AssetCategory.get(unique_identifier="one").patch(description="by a reader").description
        for refused in (
            lambda: msc.AssetCategory.get(unique_identifier="two").patch(description="x"),
            lambda: msc.AssetTranslationTable.get(unique_identifier="t").remove_rules(rule_ids=[]),
            lambda: msc.Portfolio.get(unique_identifier="p").patch(description="x"),
            lambda: msc.AssetCategory.create(unique_identifier="three"),
            lambda: msc.Asset.create(unique_identifier="a"),
        ):
            with pytest.raises(PermissionDeniedError):
                refused()


def test_a_team_is_worth_what_its_members_were_given_while_they_are_in_it() -> None:
    ada, bo, cy = Person("ada"), Person("bo", "reader"), Person("cy", "reader")
    team = msc.Team.create("quants", ["bo"])
    desk = msc.Team.create("desk", ["bo", "cy"])
    with ada.session():
        universe = msc.AssetCategory.create(unique_identifier="u").set_visibility("private")
        universe.share(team=team, rights="edit").share(team="desk")
        assert [str(each.team) for each in universe.shared_with().grants] == ["desk", "quants"]
    assert (bo.sees(msc.AssetCategory), cy.sees(msc.AssetCategory)) == ({"u"}, {"u"})
    with bo.session():
        msc.AssetCategory.get(unique_identifier="u").patch(description="the better of two grants")
    with cy.session(), pytest.raises(PermissionDeniedError):
        msc.AssetCategory.get(unique_identifier="u").patch(description="x")
    desk.remove("cy")
    team.remove("bo")
    assert (bo.sees(msc.AssetCategory), cy.sees(msc.AssetCategory)) == ({"u"}, set())
    with bo.session(), pytest.raises(PermissionDeniedError):
        msc.AssetCategory.get(unique_identifier="u").patch(description="x")
    desk.delete()
    assert bo.sees(msc.AssetCategory) == set()
    with ada.session():
        assert [each.team for each in universe.shared_with().grants] == ["quants"]


def test_grants_never_cross_organizations() -> None:
    ada = Person("ada")
    eve = Person("eve", "admin", organization="Other")
    with eve.session():
        msc.Team.create("theirs")
        assert msc.Team.filter(name="quants") == []
    with ada.session():
        universe = msc.AssetCategory.create(unique_identifier="u")
        for stranger in ({"user": "eve"}, {"team": "theirs"}, {"user": "nobody"}, {"team": "nobody"}):
            with pytest.raises(NotFoundError):
                universe.share(**stranger)
    with pytest.raises(NotFoundError):
        msc.Team.create("mixed", ["ada", "eve"])
    assert msc.Team.filter() == []


def test_who_owns_or_administers_shares_and_who_was_made_a_reader_no_more() -> None:
    ada, ed, root = Person("ada"), Person("ed"), Person("root", "admin")
    with ada.session():
        universe = msc.AssetCategory.create(unique_identifier="u").share(user="ed", rights="edit")
    with ed.session():
        found = msc.AssetCategory.get(unique_identifier="u").patch(description="by an editor")
        for refused in (
            lambda: found.share(user="ed"),
            lambda: found.unshare(user="ed"),
            lambda: found.set_visibility("private"),
        ):
            with pytest.raises(PermissionDeniedError, match="owner"):
                refused()
    with root.session():
        msc.AssetCategory.get(unique_identifier="u").set_visibility("private").unshare(user="ed")
    ada.becomes("reader")
    with ada.session():
        assert universe.refresh().description == "by an editor"
        for refused in (lambda: universe.patch(description="x"), lambda: universe.share(user="ed"), universe.delete):
            with pytest.raises(PermissionDeniedError):
                refused()


@pytest.mark.parametrize(
    "asked", [{}, {"user": "a", "team": "b"}, {"user": "a", "rights": "own"}, {"user": ""}, {"team": 3}]
)
def test_a_grant_that_says_nothing_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        msc.AssetCategory.create(unique_identifier="u").share(**asked)


# -- the other ways to a private object


def test_a_private_universe_is_hidden_from_every_side() -> None:
    ada, bo = Person("ada"), Person("bo")
    asset = msc.Asset.create(unique_identifier="a")
    with ada.session():
        hidden = msc.AssetCategory.create(unique_identifier="hidden", assets=[asset]).set_visibility("private")
        msc.AssetCategory.create(unique_identifier="open", assets=[asset])
        table = msc.AssetTranslationTable.get_or_create(unique_identifier="t")
        assert {each.unique_identifier for each in msc.AssetCategory.containing(asset)} == {"hidden", "open"}
        before = hidden.refresh().revision
    with bo.session():
        assert [each.unique_identifier for each in msc.AssetCategory.containing(asset)] == ["open"]
        for looked in (
            lambda: msc.AssetTranslationTable.get(unique_identifier="t").coverage(hidden.unique_identifier),
            lambda: msc.Portfolio.create(unique_identifier="p", universe="hidden"),
            lambda: carrier().call(contract.ASSET_IDS, contract.AsOf(), key=hidden.id),
            lambda: carrier().call(contract.HISTORY, None, key=hidden.id),
            lambda: carrier().call(contract.DIFF, contract.DiffQuery.parse({"a": {}, "b": {}}), key=hidden.id),
            lambda: carrier().call(contract.REFERENCES, None, key=hidden.id),
            lambda: carrier().call(contract.REGISTER_REFERENCE, Reference(kind="node", identifier="n"), key=hidden.id),
        ):
            with pytest.raises(NotFoundError):
                looked()
        assert msc.Portfolio.filter() == []
        for taken in (msc.AssetCategory.create, msc.AssetCategory.get_or_create):
            with pytest.raises(AlreadyExistsError):
                taken(unique_identifier="hidden")
        msc.Asset.get(unique_identifier="a").delete()
    with ada.session():
        assert hidden.refresh().revision == before + 1, "what nobody may keep out of sees no privacy"
        assert (hidden.asset_ids(), table.unique_identifier) == ([], "t")


def test_a_private_portfolio_is_hidden_where_others_name_it() -> None:
    ada, bo = Person("ada"), Person("bo")
    with ada.session():
        universe = msc.AssetCategory.create(unique_identifier="u")
        hidden = msc.Portfolio.create(
            unique_identifier="hidden", universe="u", manifest={"translation_table": "t"}
        ).set_visibility("private")
        msc.Portfolio.create(unique_identifier="open", universe="u")
        table = msc.AssetTranslationTable.get_or_create(unique_identifier="t")
        group = msc.PortfolioGroup.get_or_create(unique_identifier="g").append_portfolios([hidden.id])
        assert [each.identifier for each in universe.references()] == ["hidden", "open"]
    with bo.session():
        assert [each.identifier for each in msc.AssetCategory.get(universe.id).references()] == ["open"]
        assert msc.PortfolioGroup.get(unique_identifier="g").portfolios == []
        for named, held in (
            (msc.AssetCategory.get(universe.id), "open"),
            (msc.AssetTranslationTable.get(table.id), ""),
        ):
            with pytest.raises(InUseError, match="1 more that is not shared with you") as refused:
                named.delete()
            assert "hidden" not in str(refused.value.context)
            assert held in str(refused.value)
        with pytest.raises(NotFoundError):
            msc.PortfolioGroup.get(unique_identifier="g").append_portfolios([hidden.id])
        msc.PortfolioGroup.get(unique_identifier="g").patch(portfolios=[])
        for taken in (msc.Portfolio.get_or_create, msc.Portfolio.publish):
            with pytest.raises(AlreadyExistsError):
                taken(unique_identifier="hidden")
    with ada.session():
        assert msc.PortfolioGroup.get(group.id).portfolios == [hidden.id]


def test_what_is_written_by_name_asks_for_the_same_rights() -> None:
    ada, ed = Person("ada"), Person("ed")
    rule = {"asset_filter": {"security_type": "Crypto"}, "markets_time_serie_unique_identifier": "s"}
    with ada.session():
        table = msc.AssetTranslationTable.get_or_create(unique_identifier="t").set_visibility("private")
        portfolio = msc.Portfolio.create(unique_identifier="p").set_visibility("private")
        for each in (table, portfolio):
            each.share(user="ed")
    with ed.session():
        assert msc.AssetTranslationTable.get_or_create(unique_identifier="t").rules == []
        with pytest.raises(PermissionDeniedError):
            msc.AssetTranslationTable.get_or_create(unique_identifier="t", rules=[rule])
        with pytest.raises(PermissionDeniedError):
            msc.Portfolio.publish(unique_identifier="p", display_name="mine")
    with ada.session():
        for each in (table, portfolio):
            each.share(user="ed", rights="edit")
    with ed.session():
        assert len(msc.AssetTranslationTable.get_or_create(unique_identifier="t", rules=[rule]).rules) == 1
        assert msc.Portfolio.publish(unique_identifier="p", display_name="mine").display_name == "mine"


def test_an_object_that_comes_later_inherits_no_grants() -> None:
    bo = Person("bo", "reader")
    first = msc.AssetCategory.create(unique_identifier="u").share(user="bo", rights="edit")
    first.delete()
    assert msc.AssetCategory.create(unique_identifier="u").set_visibility("private").shared_with().grants == []
    assert bo.sees(msc.AssetCategory) == set()


def test_sharing_shows_itself() -> None:
    universe = msc.AssetCategory.create(unique_identifier="u").share(team=msc.Team.create("quants"), rights="edit")
    said = universe.shared_with()
    assert "team quants: edit" in repr(said)
    assert "team quants: edit" in said._repr_html_()
    assert repr(msc.Team.get(name="quants")) == "Team(id=1, name='quants', members=[])"


def test_a_private_universe_made_from_another_stands_in_the_way_without_a_name() -> None:
    ada, bo = Person("ada"), Person("bo")
    with ada.session():
        open_one = msc.AssetCategory.create(unique_identifier="open", assets=[msc.Asset.create(unique_identifier="a")])
        hidden = msc.AssetCategory.from_expression("hidden", "open").set_visibility("private")
        assert hidden.asset_ids() == open_one.asset_ids()
    with bo.session():
        seen = msc.AssetCategory.get(unique_identifier="open")
        assert [each.identifier for each in seen.references()] == []
        with pytest.raises(InUseError, match="1 more that is not shared with you") as refused:
            seen.delete()
        assert "hidden" not in f"{refused.value} {refused.value.context}"
        with pytest.raises(NotFoundError):
            msc.AssetCategory.from_expression("mine", "open | hidden")
