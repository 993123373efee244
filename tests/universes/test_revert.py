"""Going back to what was recorded: a new revision that holds exactly what the old one held."""

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import PinnedError, StaleRevisionError, UnknownRevisionError, ValidationError


@pytest.fixture
def assets() -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{n}"} for n in range(4)])


@pytest.fixture
def category(assets: list[msc.Asset]) -> msc.AssetCategory:
    made = msc.AssetCategory.create(unique_identifier="universe")
    made.append_assets(assets[:2], weights=[0.25, 0.75], effective_from="2020-01-01")
    made.append_assets(assets[2:3], effective_to="2024-01-01")
    made.update_assets(assets[3:], reason="a mistake")
    return made


def test_the_membership_is_exactly_that_of_the_old_revision(category: msc.AssetCategory) -> None:
    then = category.members(revision=2)
    assert category.revert(2, reason="back", if_revision=3) is category
    pd.testing.assert_frame_equal(category.members(), then)
    newest = category.history()[-1]
    assert (newest.revision, newest.operation, newest.reason) == (4, "revert to 2", "back")
    assert (newest.added, newest.removed) == (3, 1)
    assert category.weights("2021-01-01") == {"asset-0": 0.25, "asset-1": 0.75, "asset-2": None}
    assert category.asset_ids(revision=3) == [each.id for each in msc.Asset.filter(unique_identifier="asset-3")]


def test_a_time_means_what_was_known_then(category: msc.AssetCategory) -> None:
    known = category.history()[0].recorded_at
    assert category.revert(known).weights("2021-01-01") == {"asset-0": 0.25, "asset-1": 0.75}


def test_going_back_to_the_present_changes_nothing(category: msc.AssetCategory) -> None:
    assert category.revert(3).revision == 3
    category.revert(1)
    assert category.revert(1).revision == 4


def test_going_back_to_the_beginning_empties_it(category: msc.AssetCategory) -> None:
    assert category.revert(0).members().empty


def test_what_cannot_be_is_refused(category: msc.AssetCategory) -> None:
    with pytest.raises(UnknownRevisionError):
        category.revert(4)
    with pytest.raises(StaleRevisionError):
        category.revert(1, if_revision=2)
    with pytest.raises(ValidationError):
        category.revert("yesterday")
    with pytest.raises(PinnedError):
        msc.AssetCategory.get(unique_identifier="universe@2").revert(1)
    assert category.refresh().revision == 3


def test_retired_assets_do_not_come_back(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    assets[0].delete()
    with pytest.raises(msc.ConflictError, match="retired now: asset-0") as refused:
        category.revert(2)
    assert refused.value.context == {"retired": ["asset-0"]}
    assert category.refresh().revision == 3
    category.revert(2, leave_retired_out=True)
    assert category.weights("2021-01-01") == {"asset-1": 0.75, "asset-2": None}


def test_the_past_of_a_retired_asset_stays_as_it_is(assets: list[msc.Asset]) -> None:
    dated = msc.AssetCategory.create(unique_identifier="dated", dated=True)
    dated.append_assets(assets[:1], effective_from="2020-01-01")
    dated.append_assets(assets[1:2])
    assets[0].delete()
    before = dated.members()
    dated.refresh().revert(1, leave_retired_out=True)
    after = dated.members()
    mine = after[after.asset_id == assets[0].id]
    pd.testing.assert_frame_equal(
        mine.reset_index(drop=True), before[before.asset_id == assets[0].id].reset_index(drop=True)
    )
    assert assets[1].id not in set(after.asset_id)
