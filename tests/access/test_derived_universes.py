"""Universes made from others, among people who see different ones."""

import pytest

import mainsequence.client as msc
from mainsequence.errors import AlreadyExistsError, InUseError, NotFoundError, PermissionDeniedError
from tests.access.people import Person


def test_what_is_private_cannot_be_named_but_what_is_made_from_it_can_be_shared() -> None:
    ada, ed, bo = Person("ada"), Person("ed"), Person("bo", "reader")
    with ada.session():
        asset = msc.Asset.create(unique_identifier="a")
        private = msc.AssetCategory.create(unique_identifier="private", assets=[asset])
        private.set_visibility("private")
        made = msc.AssetCategory.from_expression("made", private)
    for stranger in (ed, bo):
        with stranger.session():
            for expression in ("private", "made - private", "private@1"):
                with pytest.raises(NotFoundError) as caught:
                    msc.UniverseExpression(expression).get_assets()
                assert "private" not in str(caught.value.hint)
            found = msc.AssetCategory.get(unique_identifier="made")
            assert [each.unique_identifier for each in found.get_assets()] == ["a"]
            assert msc.UniverseExpression("made").asset_ids() == found.asset_ids()
    with bo.session(), pytest.raises(PermissionDeniedError):
        msc.AssetCategory.get(unique_identifier="made").redefine("made")
    with ed.session(), pytest.raises(NotFoundError):
        msc.AssetCategory.get(unique_identifier="made").redefine("private & private")
    with ada.session():
        assert made.redefine(private | private).revision == 2


def test_an_operand_is_not_deleted_under_a_reader_that_is_hidden() -> None:
    ada, ed = Person("ada"), Person("ed")
    with ed.session():
        operand = msc.AssetCategory.create(unique_identifier="operand")
    with ada.session():
        hidden = msc.AssetCategory.from_expression("hidden", "operand")
        hidden.set_visibility("private")
    with ed.session(), pytest.raises(InUseError) as caught:
        operand.delete()
    assert "hidden" not in str(caught.value)
    with ada.session():
        other = msc.AssetCategory.create(unique_identifier="other")
        hidden.redefine(other)
    with ed.session(), pytest.raises(InUseError) as caught:
        operand.delete()
    assert "hidden" not in str(caught.value)


def test_other_organizations_are_never_read() -> None:
    msc.AssetCategory.create(unique_identifier="ours")
    stranger = Person("eve", "admin", organization="Other")
    with stranger.session():
        with pytest.raises(NotFoundError):
            msc.AssetCategory.from_expression("theirs", "ours")
        assert msc.AssetCategory.filter() == []


def test_creating_what_is_hidden_says_that_the_name_is_taken() -> None:
    ada, ed = Person("ada"), Person("ed")
    with ada.session():
        msc.AssetCategory.create(unique_identifier="hidden").set_visibility("private")
        with pytest.raises(AlreadyExistsError, match="exists already"):
            msc.AssetCategory.create(unique_identifier="hidden")
    with ed.session(), pytest.raises(AlreadyExistsError, match="not shared with you"):
        msc.AssetCategory.create(unique_identifier="hidden")
