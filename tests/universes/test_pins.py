"""A pinned universe is what was recorded, wherever a universe is named."""

import copy
import pickle
from datetime import UTC, datetime, timedelta

import pytest

import mainsequence.client as msc
from mainsequence.client.categories import find_universe
from mainsequence.contract import explanations
from mainsequence.errors import AlreadyExistsError, UnknownRevisionError, ValidationError


@pytest.fixture
def assets() -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{n}"} for n in range(4)])


@pytest.fixture
def category(assets: list[msc.Asset]) -> msc.AssetCategory:
    made = msc.AssetCategory.create(unique_identifier="universe", assets=assets[:2])
    made.append_assets(assets[2:3], weights=[0.5])
    made.remove_assets(assets[:1], effective_from="2024-01-01")
    return made


def get(reference: str) -> msc.AssetCategory:
    return msc.AssetCategory.get(unique_identifier=reference)


def test_a_revision_reads_the_same_members_for_ever(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    pinned = get("universe@1")
    before = (pinned.asset_ids(), pinned.assets, pinned.weights(), pinned.revision)
    assert before == ([assets[0].id, assets[1].id], [assets[0].id, assets[1].id], {"asset-0": None, "asset-1": None}, 1)
    category.update_assets(assets[3:])
    again = get("universe@1")
    assert (again.asset_ids(), again.assets, again.weights(), again.revision) == before
    assert [each.unique_identifier for each in again.get_assets()] == ["asset-0", "asset-1"]
    assert list(again.to_frame().index) == ["asset-0", "asset-1"]
    assert again.mask(["2024-01-02"]).to_numpy().tolist() == [[True, True]]
    assert set(again.members().unique_identifier) == {"asset-0", "asset-1"}
    assert [each.revision for each in again.history()] == [1]


def test_a_pin_never_means_a_later_universe_of_that_name(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    category.rename("renamed")
    category.delete()
    for name in ("universe", "renamed"):
        again = msc.AssetCategory.create(unique_identifier=name)
        assert (again.revision, again.history(), again.asset_ids()) == (3, [], [])
        with pytest.raises(UnknownRevisionError, match="counts from 3, behind one of that name that was deleted"):
            get(f"{name}@1")
        again.append_assets(assets[3:])
        assert (again.revision, [each.revision for each in again.history()]) == (4, [4])
        assert get(f"{name}@4").asset_ids() == [assets[3].id]
        assert get(f"{name}@3").asset_ids() == []
        assert again.asset_ids(revision=3) == []
        assert again.verify().ok
        for read in (
            lambda one: one.asset_ids(revision=2),
            lambda one: one.members(revision=0),
            lambda one: one.diff(2, 4),
            lambda one: one.revert(1),
            lambda one: one.explain("asset-3", revision=1),
            lambda one: one.recorded_change(1),
            lambda one: msc.AssetCategory.from_expression("made", f"{one.unique_identifier}@2"),
        ):
            with pytest.raises(UnknownRevisionError):
                read(again)
        assert again.revert(3).asset_ids() == []
        assert again.asset_ids(known_at=again.created_at) == []
        assert again.verify().ok
    msc.AssetCategory.get(unique_identifier="universe").delete()
    assert msc.AssetCategory.get_or_create(unique_identifier="universe", assets=assets[:1]).revision == 6


def test_a_universe_does_not_take_a_name_whose_pins_mean_another_one(category: msc.AssetCategory) -> None:
    category.delete()
    other = msc.AssetCategory.create(unique_identifier="other")
    with pytest.raises(AlreadyExistsError, match="'universe' was that of an asset category that was deleted"):
        other.rename("universe")
    assert other.refresh().unique_identifier == "other"
    other.delete()
    never_changed = msc.AssetCategory.create(unique_identifier="third")
    assert never_changed.rename("other").unique_identifier == "other", "nothing was recorded of that one"


def test_a_time_reads_what_was_known_then(category: msc.AssetCategory) -> None:
    known = category.history()[1].recorded_at
    pinned = get(f"universe@{known.isoformat()}")
    assert (pinned.revision, set(pinned.weights())) == (2, {"asset-0", "asset-1", "asset-2"})
    assert pinned.pin == f"universe@{known.isoformat().replace('+00:00', 'Z')}"


def test_without_as_of_members_are_those_of_the_moment_of_the_pin(assets: list[msc.Asset]) -> None:
    made = msc.AssetCategory.create(unique_identifier="announced")
    later = datetime.now(UTC) + timedelta(seconds=1)
    made.append_assets(assets[:1], effective_from=later)
    pinned = get("announced@1")
    assert pinned.asset_ids() == []
    assert pinned.asset_ids(as_of=later) == [assets[0].id], "an explicit as_of wins"


def test_a_pinned_universe_says_so_and_cannot_be_changed(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    pinned = get("universe@1")
    assert "pin='universe@1'" in repr(pinned)
    assert "universe@1" in pinned._repr_html_()
    assert pinned != category
    assert category.pin is None
    attempts = (
        lambda: pinned.append_assets(assets),
        lambda: pinned.remove_assets(assets),
        lambda: pinned.update_assets(assets),
        lambda: pinned.patch(description="x"),
        pinned.delete,
        lambda: pinned.plan(remove=assets[:1]),
    )
    for attempt in attempts:
        with pytest.raises(msc.PinnedError, match="universe@1"):
            attempt()
    assert category.refresh().revision == 3


def test_a_pinned_universe_stays_pinned(category: msc.AssetCategory) -> None:
    pinned = get("universe@1")
    for other in (pinned.refresh(), copy.deepcopy(pinned), pickle.loads(pickle.dumps(pinned))):
        assert (other.pin, other.revision, len(other.asset_ids())) == ("universe@1", 1, 2)


def test_another_state_is_not_asked_of_a_pin(category: msc.AssetCategory) -> None:
    pinned = get("universe@1")
    assert pinned.asset_ids(revision=1) == pinned.asset_ids()
    with pytest.raises(ValidationError, match="universe@1"):
        pinned.asset_ids(revision=2)
    with pytest.raises(ValidationError, match="universe@1"):
        pinned.members(known_at=datetime.now(UTC))


@pytest.mark.parametrize("reference", ["universe@4", "universe@2001-01-01", "universe@2999-01-01"])
def test_states_that_never_were_are_refused(category: msc.AssetCategory, reference: str) -> None:
    for find in (get, find_universe, lambda name: msc.AssetCategory.get_or_none(unique_identifier=name)):
        with pytest.raises(UnknownRevisionError):
            find(reference)


def test_a_time_before_the_universe_existed_says_how_to_read_loaded_history(category: msc.AssetCategory) -> None:
    with pytest.raises(UnknownRevisionError, match="as_of=2001-01-01"):
        get("universe@2001-01-01")
    with pytest.raises(UnknownRevisionError, match="in the future"):
        get("universe@2999-01-01")


def test_a_universe_that_does_not_exist_is_not_found(category: msc.AssetCategory) -> None:
    assert msc.AssetCategory.get_or_none(unique_identifier="univers@1") is None
    with pytest.raises(msc.NotFoundError, match="univers"):
        get("univers@1")
    with pytest.raises(msc.NotFoundError, match="Did you mean universe"):
        find_universe("univers@1")


def test_a_pin_is_resolved_over_the_wire(category: msc.AssetCategory) -> None:
    found = category._call(explanations.RESOLVE, explanations.PinReference(reference="universe@2"))
    assert (found.record.id, found.record.revision) == (category.id, 3)
    assert found.pinned is not None
    assert (found.pinned.reference, found.pinned.revision) == ("universe@2", 2)
    held = category._call(explanations.RESOLVE, explanations.PinReference(reference="universe", hold=True))
    assert held.pinned is not None
    assert held.pinned.reference == "universe@3"


def test_routing_takes_a_pin(category: msc.AssetCategory) -> None:
    table = msc.AssetTranslationTable.get_or_create(unique_identifier="table", rules=[])
    for universe in ("universe@1", get("universe@1")):
        report = table.coverage(universe, check_series=False)
        assert len(report) == 2
        assert report.facts.revision == 1
    assert len(table.coverage("universe@1", as_of="2024-06-01", check_series=False)) == 2
    assert len(table.coverage("universe", as_of="2024-06-01", check_series=False)) == 2
    with pytest.raises(ValidationError):
        table.coverage("universe@1", revision=2)


def test_why_is_asked_of_the_state_that_is_pinned(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    category.update_assets(assets[3:])
    at_revision, at_time = get("universe@1"), get(f"universe@{category.history()[1].recorded_at.isoformat()}")
    for pinned, held in ((at_revision, [0, 1]), (at_time, [0, 1, 2]), (category, [3])):
        found = [number for number, asset in enumerate(assets) if pinned.why(asset).member]
        explained = [number for number, asset in enumerate(assets) if pinned.explain(asset).is_member]
        assert found == explained == held
    with pytest.raises(ValidationError):
        at_revision.why(assets[0], known_at="2999-01-01")
