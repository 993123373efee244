"""The feed of changes tells nobody of universes that do not exist for them."""

import mainsequence.client as msc
from tests.access.people import Person


def told(person: Person) -> list[tuple[str, str]]:
    with person.session():
        return [(each.unique_identifier, str(each.kind)) for each in msc.AssetCategory.changes()]


def test_changes_of_private_universes_are_told_to_those_who_see_them() -> None:
    ada, ed, root = Person("ada"), Person("ed"), Person("root", "admin")
    with ada.session():
        msc.AssetCategory.create(unique_identifier="open")
        mine = msc.AssetCategory.create(unique_identifier="mine")
        mine.set_visibility("private")
        mine.patch(description="secret plans")
    everything = [("open", "created"), ("mine", "created"), ("mine", "described")]
    assert told(ada) == told(root) == everything
    assert told(ed) == everything[:1]
    with ada.session():
        mine.share(user="ed", rights="view")
    assert told(ed) == everything
    with ada.session():
        mine.delete()
    assert told(root) == [*everything, ("mine", "deleted")]
    assert told(ed) == [("open", "created"), ("mine", "created")], "what happened while it was private stays so"


def test_another_organization_has_a_feed_of_its_own() -> None:
    msc.AssetCategory.create(unique_identifier="ours")
    other = Person("eve", "admin", "Other")
    assert told(other) == []
    with other.session():
        msc.AssetCategory.create(unique_identifier="theirs")
    assert told(other) == [("theirs", "created")]
    assert [each.unique_identifier for each in msc.AssetCategory.changes()] == ["ours"]
