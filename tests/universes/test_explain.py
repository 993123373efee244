"""Why an asset is in a universe, or is not; and how two states differ."""

from datetime import UTC, datetime

import pytest

import mainsequence.client as msc
from mainsequence.errors import DerivedUniverseError, UnknownRevisionError, ValidationError


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def assets() -> dict[str, msc.Asset]:
    names = ("AMD", "BBY", "KO", "RRC")
    made = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in names])
    return dict(zip(names, made, strict=True))


@pytest.fixture
def index(assets: dict[str, msc.Asset]) -> msc.AssetCategory:
    made = msc.AssetCategory.create(unique_identifier="index")
    made.append_assets([assets["KO"]], effective_from="1957-03-04", reason="founding member")
    made.append_assets([assets["AMD"]], effective_from="1996-01-02", effective_to="2013-09-23", weights=[0.5])
    made.append_assets([assets["AMD"]], effective_from="2017-03-20", reason="it is back")
    made.append_assets([assets["BBY"]])
    made.remove_assets([assets["BBY"]], reason="never belonged here")
    return made


def test_a_member_is_in_since_then_by_that_revision(index: msc.AssetCategory) -> None:
    found = index.explain("KO", as_of="2020-06-30")
    assert (found.is_member, found.since, found.until, found.weight) == (True, day("1957-03-04"), None, None)
    assert found.by is not None
    assert (found.by.revision, found.by.actor, found.by.reason) == (1, index.history()[0].actor, "founding member")
    assert str(found).startswith("KO is in index at 2020-06-30 (revision 5): since 1957-03-04, with no end recorded.")
    assert "Revision 1 (append by" in repr(found)
    assert "<li>Revision 1" in found._repr_html_()


def test_a_recorded_change_says_whose_time_a_revision_added_and_took(
    index: msc.AssetCategory, assets: dict[str, msc.Asset]
) -> None:
    def told(revision: int) -> tuple[list[tuple[object, ...]], ...]:
        found = index.recorded_change(revision)
        assert found.revision == index.history()[revision - 1]
        spells = (
            [(a.unique_identifier, a.valid_from, a.valid_to, a.weight) for a in b] for b in (found.enters, found.leaves)
        )
        weighed = [(a.unique_identifier, a.valid_from, a.valid_to, a.before, a.after) for a in found.reweighted]
        return (*spells, weighed)

    assert told(1) == ([("KO", day("1957-03-04"), None, None)], [], [])
    assert told(2) == ([("AMD", day("1996-01-02"), day("2013-09-23"), 0.5)], [], [])
    assert told(5) == ([], [("BBY", None, None, None)], [])
    index.remove_assets([assets["AMD"]], effective_from="2010-01-01", effective_to="2011-01-01")
    assert told(6) == ([], [("AMD", day("2010-01-01"), day("2011-01-01"), 0.5)], [])
    index.append_assets([assets["KO"]], weights=[2.0], effective_from="2020-01-01")
    assert told(7) == ([], [], [("KO", day("2020-01-01"), None, None, 2.0)])
    assert repr(index.recorded_change(7)) == "RecordedChange(revision=7, enters=0, leaves=0, reweighted=1)"
    assert "<td>KO</td>" in index.recorded_change(7)._repr_html_()
    assert told(2) == ([("AMD", day("1996-01-02"), day("2013-09-23"), 0.5)], [], [])


def test_a_change_that_was_not_recorded_has_nothing_to_tell(index: msc.AssetCategory) -> None:
    with pytest.raises(UnknownRevisionError):
        index.recorded_change(6)
    pinned = msc.AssetCategory.get(unique_identifier="index@3")
    assert pinned.recorded_change(3).revision.revision == 3
    with pytest.raises(UnknownRevisionError, match="behind index@3"):
        pinned.recorded_change(4)
    with pytest.raises(ValidationError, match="revision"):
        index.recorded_change(0)
    with pytest.raises(DerivedUniverseError):
        msc.AssetCategory.from_expression("made", "index").recorded_change(1)


def test_one_that_is_out_left_and_comes_back(index: msc.AssetCategory) -> None:
    found = index.explain("AMD", as_of="2015-01-01")
    assert (found.is_member, found.ever_member, found.since, found.until) == (False, True, None, None)
    assert (found.left_at, found.enters_at) == (day("2013-09-23"), day("2017-03-20"))
    assert found.by is not None
    assert found.enters_by is not None
    assert (found.by.revision, found.enters_by.revision, found.touches) == (2, 3, [])
    assert "its last membership ended at 2013-09-23 and it comes in at 2017-03-20" in str(found)


def test_one_that_was_taken_out_for_all_time_names_who_did_it(index: msc.AssetCategory) -> None:
    found = index.explain("BBY")
    assert (found.is_member, found.ever_member, found.left_at) == (False, True, None)
    assert [(each.effect, each.revision.revision) for each in found.touches] == [("entered", 4), ("left", 5)]
    assert found.by is not None
    assert found.by.reason == "never belonged here"
    assert "took it out" in str(found)


def test_one_that_never_was_a_member_is_said_to_be_that(index: msc.AssetCategory) -> None:
    found = index.explain("RRC")
    assert (found.is_member, found.ever_member, found.by, found.touches) == (False, False, None, [])
    assert "never was" in str(found)


def test_every_revision_that_touched_it_is_listed(index: msc.AssetCategory, assets: dict[str, msc.Asset]) -> None:
    index.append_assets([assets["AMD"]], effective_from="2000-01-01", effective_to="2010-01-01", weights=[0.25])
    index.remove_assets([assets["AMD"]], effective_from="2012-01-01", effective_to="2013-01-01")
    found = index.explain(assets["AMD"], as_of="2005-01-01")
    assert [(each.revision.revision, each.effect) for each in found.touches] == [(2, "entered"), (6, "reweighted")]
    assert (found.since, found.until, found.weight) == (day("1996-01-02"), day("2012-01-01"), 0.25)
    later = index.explain(assets["AMD"], as_of="2011-01-01")
    assert [(each.revision.revision, each.effect) for each in later.touches] == [
        (2, "entered"),
        (6, "redated"),
        (7, "redated"),
    ]


def test_a_state_of_the_past_is_explained_as_it_was(index: msc.AssetCategory, assets: dict[str, msc.Asset]) -> None:
    assert index.explain("BBY", revision=4).is_member
    known = index.history()[3].recorded_at
    assert index.explain(assets["BBY"].id, known_at=known).is_member
    assert msc.AssetCategory.get(unique_identifier="index@4").explain("BBY").is_member
    assert not index.explain("KO", as_of="2020-06-30", revision=0).ever_member


def test_a_retired_asset_is_explained(index: msc.AssetCategory, assets: dict[str, msc.Asset]) -> None:
    assets["KO"].delete()
    found = index.explain("KO")
    assert found.by is not None
    assert (found.is_member, found.by.operation) == (False, "remove")
    assert "retired" in str(found.by.reason)


def test_an_asset_nobody_knows_is_refused(index: msc.AssetCategory) -> None:
    with pytest.raises(msc.NotFoundError):
        index.explain("XYZ")
    with pytest.raises(UnknownRevisionError):
        index.explain("KO", revision=6)


# -- diff


def told(found: msc.CategoryDiff) -> tuple[list[str], list[str], list[str]]:
    entered, left, reweighted = (
        [each.unique_identifier for each in side] for side in (found.entered, found.left, found.reweighted)
    )
    return entered, left, reweighted


def test_any_two_states_are_compared(index: msc.AssetCategory) -> None:
    assert told(index.diff(3, 4)) == (["BBY"], [], [])
    assert told(index.diff("2010-01-01", "2015-01-01")) == ([], ["AMD"], [])
    assert told(index.diff(msc.At(as_of="2010-01-01", revision=1), msc.At(as_of="2010-01-01"))) == (["AMD"], [], [])
    known = index.history()[3].recorded_at
    assert told(index.diff(msc.At(known_at=known), 5)) == ([], ["BBY"], [])
    assert told(index.diff(1, 5, as_of="2012-01-01")) == (["AMD"], [], [])
    assert told(index.diff(msc.At(revision=2), msc.At(revision=3))) == (["AMD"], [], [])


def test_two_universes_are_compared_pinned_or_not(index: msc.AssetCategory, assets: dict[str, msc.Asset]) -> None:
    other = msc.AssetCategory.create(unique_identifier="other", assets=[assets["KO"], assets["RRC"]])
    assert told(index.diff(other)) == (["RRC"], ["AMD"], [])
    assert told(other.diff(index)) == (["AMD"], ["RRC"], [])
    pinned = msc.AssetCategory.get(unique_identifier="index@4")
    assert told(pinned.diff(other)) == (["RRC"], ["AMD", "BBY"], [])
    assert told(msc.AssetCategory.diff_between("index@4", "index")) == ([], ["BBY"], [])
    assert told(msc.AssetCategory.diff_between("index", other, as_of="2010-01-01")) == (["RRC"], ["AMD"], [])
    assert told(pinned.diff(1, 4)) == (["AMD", "BBY"], [], [])
    assert repr(index.diff(other)) == "CategoryDiff(1 entered: RRC, 1 left: AMD)"


def test_what_cannot_be_compared_is_refused(index: msc.AssetCategory) -> None:
    with pytest.raises(ValidationError, match="two states"):
        index.diff(3)
    with pytest.raises(UnknownRevisionError):
        index.diff(3, 6)
    with pytest.raises(UnknownRevisionError, match="index@4"):
        msc.AssetCategory.get(unique_identifier="index@4").diff(1, 5)
