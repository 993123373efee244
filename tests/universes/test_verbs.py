"""Universes: the seed's surface, dated universes, and what every verb promises."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from threading import Event

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.contract import categories as contract
from mainsequence.domain.categories import Reference
from mainsequence.errors import InvalidWeightsError, UnknownFieldError, UnknownRevisionError

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def assets() -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{n}"} for n in range(6)])


@pytest.fixture
def category(assets: list[msc.Asset]) -> msc.AssetCategory:
    return msc.AssetCategory.get_or_create(unique_identifier="universe", display_name="Universe")


def names(assets: list[msc.Asset]) -> list[str]:
    return [asset.unique_identifier for asset in assets]


def test_get_or_create_returns_an_existing_universe_unchanged(category: msc.AssetCategory) -> None:
    again = msc.AssetCategory.get_or_create(unique_identifier="universe", display_name="Other", description="New")
    assert (again.id, again.display_name, again.description) == (category.id, "Universe", None)


def test_names_follow_from_each_other() -> None:
    assert msc.AssetCategory.get_or_create(display_name="Favorite Crypto").unique_identifier == "favorite_crypto"
    assert msc.AssetCategory.get_or_create(unique_identifier="us_core").display_name == "us_core"


def test_an_empty_universe_reads_as_an_empty_list(category: msc.AssetCategory) -> None:
    assert category.get_assets() == [] == category.assets
    assert category.to_frame().empty
    assert category.members().empty
    assert category.mask([MONDAY]).shape == (1, 0)


def test_verbs_refresh_and_return_the_object(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    assert category.append_assets(assets=assets[:2]) is category
    assert (category.revision, category.assets) == (1, [assets[0].id, assets[1].id])
    assert category.remove_assets(asset_ids=[assets[0].id]).assets == [assets[1].id]
    assert category.update_assets(assets=assets[3:5]).assets == [assets[3].id, assets[4].id]
    assert names(category.get_assets()) == ["asset-3", "asset-4"]


def test_a_frame_shows_one_state_while_others_write(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    """Members and weights are of one revision, although retired assets and new members come in between."""
    states = [{"asset-0": 0.5, "asset-1": 0.5}, {"asset-1": 0.25, "asset-2": 0.25, "asset-3": 0.25, "asset-4": 0.25}]
    known = {each.unique_identifier: each for each in assets}
    done = Event()

    def write() -> None:
        mine = msc.AssetCategory.get(unique_identifier="universe")
        for state in cycle(states):
            if done.is_set():
                return
            mine.update_assets([known[name] for name in state], weights=state)

    category.update_assets([known[name] for name in states[0]], weights=states[0])
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = [category.to_frame()["weight"].to_dict() for _ in range(40)]
        done.set()
        writing.result()
    assert [each for each in seen if each not in states] == []
    assert len({len(each) for each in seen}) == 2


def test_weights_are_keyed_by_identifiers_or_ids_as_read_or_as_a_series(
    category: msc.AssetCategory, assets: list[msc.Asset]
) -> None:
    held = {"asset-0": 0.5, "asset-1": 0.25, "asset-2": 0.125}
    ids = {each.unique_identifier: each.id for each in assets}
    category.update_assets(assets[:3], weights=held)
    assert category.weights() == held
    other = msc.AssetCategory.get_or_create(unique_identifier="other")
    other.update_assets(asset_ids=category.asset_ids(), weights=category.weights())
    assert other.weights() == held
    backwards = pd.Series({ids["asset-2"]: 3.0, ids["asset-1"]: 2.0, ids["asset-0"]: 1.0})
    category.update_assets(assets[:3], weights=backwards)
    assert category.weights() == {"asset-0": 1.0, "asset-1": 2.0, "asset-2": 3.0}
    category.plan(weights=pd.Series({"asset-3": 9.0, "asset-0": 8.0})).apply()
    assert category.weights() == {"asset-0": 8.0, "asset-1": 2.0, "asset-2": 3.0, "asset-3": 9.0}


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ({"asset-0": 0.5, "nobody": 0.5}, "1 of 2 weights are for assets that do not exist: nobody"),
        ({"asset-0": 0.5}, "no weight for"),
        ({"asset-0": 0.5, 2: 0.5}, "something else: 'asset-0', 2"),
        (pd.Series([0.5, 0.5]), "no asset for"),
        ({"asset-0": 0.5, "asset-1": None}, "no number: None"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    category: msc.AssetCategory, assets: list[msc.Asset], weights: object, match: str
) -> None:
    with pytest.raises(InvalidWeightsError, match=match):
        category.update_assets(assets[:2], weights=weights)
    assert (category.asset_ids(), category.refresh().revision) == ([], 0)


def test_a_write_that_changes_nothing_makes_no_revision(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    category.append_assets(assets=assets[:3])
    category.append_assets(assets=assets[1:2])
    category.remove_assets(assets=assets[5:])
    category.update_assets(assets=assets[:3])
    category.append_assets(asset_ids=[])
    assert (category.revision, len(category.history())) == (1, 1)


def test_an_unknown_id_in_a_batch_of_good_ones_changes_nothing(
    category: msc.AssetCategory, assets: list[msc.Asset]
) -> None:
    with pytest.raises(msc.UnknownAssetsError, match="999999") as caught:
        category.append_assets(asset_ids=[assets[0].id, 999_999])
    assert caught.value.context["unknown"] == [999_999]
    assert category.refresh().revision == 0


def test_a_stale_writer_is_refused(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    other = msc.AssetCategory.get(unique_identifier="universe")
    category.append_assets(assets=assets[:1])
    with pytest.raises(msc.StaleRevisionError, match="revision 1"):
        other.update_assets(assets=assets[1:], if_revision=other.revision)
    assert other.refresh().assets == [assets[0].id]
    other.update_assets(assets=assets[1:2], if_revision=other.revision)
    assert other.revision == 2


def test_the_two_times_are_independent(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    category.append_assets(assets=assets[:1], effective_from="2020-01-01", effective_to="2021-01-01", reason="first")
    known = category.history()[-1].recorded_at
    category.remove_assets(assets=assets[:1], effective_from="2020-07-01", reason="correction")
    assert names(category.get_assets("2020-08-01")) == []
    assert names(category.get_assets("2020-08-01", revision=1)) == ["asset-0"]
    assert names(category.get_assets("2020-08-01", known_at=known)) == ["asset-0"]
    assert names(category.get_assets("2020-06-30")) == ["asset-0"]
    assert names(category.get_assets("2020-07-01T00:00:00Z")) == []
    assert [revision.reason for revision in category.history()] == ["first", "correction"]


def test_a_dated_universe_keeps_what_was_true_before(assets: list[msc.Asset]) -> None:
    index = msc.AssetCategory.get_or_create(unique_identifier="index", dated=True)
    index.append_assets(assets=assets[:2])
    between = datetime.now(UTC)
    index.update_assets(assets=assets[1:3])
    after = datetime.now(UTC)
    assert names(index.get_assets(between)) == ["asset-0", "asset-1"]
    assert names(index.get_assets(after)) == ["asset-1", "asset-2"]
    assert names(index.get_assets(between - timedelta(days=1))) == []
    index.append_assets(assets=assets[4:5], effective_from="2020-01-01", effective_to="2020-02-01")
    assert names(index.get_assets("2020-01-15")) == ["asset-4"]


def test_members_are_intervals_and_a_mask_is_their_days(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    category.append_assets(assets=assets[:1], effective_to="2013-09-23")
    category.append_assets(assets=assets[:1], effective_from="2017-03-20")
    category.append_assets(assets=assets[1:2], weights=[0.25])
    members = category.members()
    assert list(members.columns) == ["asset_id", "unique_identifier", "valid_from", "valid_to", "weight"]
    assert members["valid_to"].tolist()[0] == pd.Timestamp("2013-09-23", tz="UTC")
    assert pd.isna(members["valid_from"][0])
    assert members["weight"].tolist()[2] == 0.25
    assert len(category.members("2014-01-01", "2015-01-01")) == 1
    days = [date(2013, 9, 22), date(2013, 9, 23), date(2017, 3, 19), date(2017, 3, 20)]
    mask = category.mask(days)
    assert mask["asset-0"].tolist() == [True, False, False, True]
    assert mask["asset-1"].all()
    assert list(mask.index) == days
    indexed = category.mask(pd.DatetimeIndex(days))
    assert indexed["asset-0"].tolist() == [True, False, False, True]


def test_weights_are_kept_by_date(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    ids = [asset.id for asset in assets[:2]]
    category.append_assets(asset_ids=ids, weights={ids[0]: 0.6, ids[1]: 0.4})
    category.append_assets(asset_ids=ids, weights=[0.5, 0.5], effective_from="2024-01-01")
    assert category.weights("2023-12-31") == {"asset-0": 0.6, "asset-1": 0.4}
    assert category.weights("2024-01-01") == {"asset-0": 0.5, "asset-1": 0.5}
    category.append_assets(assets=assets[:3])
    assert category.weights("2024-01-01") == {"asset-0": 0.5, "asset-1": 0.5, "asset-2": None}
    assert category.history()[1].added == 0, "a new weight is no new member"


@pytest.mark.parametrize("weights", [[0.5, float("nan")], [0.5, float("inf")], [0.5], {1: 0.5}])
def test_bad_weights_are_refused(
    category: msc.AssetCategory, assets: list[msc.Asset], weights: list[float] | dict[int, float]
) -> None:
    with pytest.raises(msc.ValidationError):
        category.append_assets(assets=assets[:2], weights=weights)
    assert category.refresh().revision == 0


def test_one_asset_with_two_weights_is_refused(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    with pytest.raises(InvalidWeightsError, match="twice"):
        category.append_assets(assets=[assets[0], assets[0]], weights=[0.1, 0.2])
    category.append_assets(assets=[assets[0], assets[0]])
    assert category.assets == [assets[0].id]


def test_diff_compares_revisions_and_dates(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    category.append_assets(assets=assets[:2])
    category.update_assets(assets=assets[1:3], effective_from="2024-01-01")
    by_date = category.diff("2023-12-31", "2024-01-01")
    assert (names(by_date.entered), names(by_date.left)) == (["asset-2"], ["asset-0"])
    by_revision = category.diff(1, 2)
    assert (names(by_revision.entered), names(by_revision.left)) == (["asset-2"], ["asset-0"])


def test_patch_changes_descriptions_and_replaces_members_at_once(
    category: msc.AssetCategory, assets: list[msc.Asset]
) -> None:
    category.patch(display_name="New", description="What for", assets=[assets[0].id])
    stored = msc.AssetCategory.get(unique_identifier="universe")
    assert (stored.display_name, stored.description, stored.assets) == ("New", "What for", [assets[0].id])
    with pytest.raises(msc.UnknownAssetsError):
        category.patch(display_name="Lost", assets=[999_999])
    assert category.refresh().display_name == "New"


def test_the_identifier_cannot_be_changed(category: msc.AssetCategory) -> None:
    with pytest.raises(UnknownFieldError, match="unique_identifier"):
        category.patch(unique_identifier="other")


def test_a_universe_that_something_reads_cannot_be_deleted(category: msc.AssetCategory) -> None:
    reader = Reference(kind="portfolio", identifier="my_portfolio")
    category._call(contract.REGISTER_REFERENCE, reader, key=category.id)
    with pytest.raises(msc.InUseError, match="portfolio my_portfolio"):
        category.delete()
    assert category.references() == [reader]
    category._call(contract.DROP_REFERENCE, reader, key=category.id)
    category.delete()
    assert msc.AssetCategory.get_or_none(unique_identifier="universe") is None


def test_a_state_that_never_was_is_an_error(category: msc.AssetCategory) -> None:
    with pytest.raises(UnknownRevisionError, match="no revision 7"):
        category.get_assets(revision=7)
    with pytest.raises(UnknownRevisionError, match="created at"):
        category.get_assets(known_at="1999-01-01")
    with pytest.raises(msc.ValidationError, match="one of them"):
        category.get_assets(revision=0, known_at=datetime.now(UTC))


def test_a_hundred_thousand_members_are_a_few_calls(carrier: str) -> None:
    many = 100_000 if carrier == "embedded" else 30_000
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"a{n}"} for n in range(many)])
    ids = [asset.id for asset in assets]
    category = msc.AssetCategory.create(unique_identifier="everything").append_assets(assets=assets)
    assert category.assets == ids
    kept = ids[: many * 6 // 10]
    assert category.update_assets(asset_ids=kept).assets == kept
    assert len(category.get_assets(revision=1)) == many
    assert category.history()[-1].removed == many * 4 // 10


def test_listing_universes_reads_no_members(assets: list[msc.Asset]) -> None:
    for number in range(30):
        msc.AssetCategory.create(unique_identifier=f"u{number}", assets=assets)
    listed = msc.AssetCategory.filter(unique_identifier__contains="u1")
    assert [category.unique_identifier for category in listed] == ["u1", *(f"u1{n}" for n in range(10))]
    assert all("_assets" not in category.__dict__ for category in listed)
    assert listed[0].assets == [asset.id for asset in assets]


def test_repr_helps_and_never_fails(category: msc.AssetCategory, home: object) -> None:
    assert "unique_identifier='universe'" in repr(category)
    assert "universe" in category._repr_html_()
    msc.disconnect()
    assert "universe" in repr(category)
    assert repr(msc.AssetCategory.__new__(msc.AssetCategory)) == "AssetCategory()"


def test_objects_stay_bound_to_the_session_they_came_from(tmp_path: object, category: msc.AssetCategory) -> None:
    with msc.session(f"{tmp_path}/other"):
        assert msc.AssetCategory.filter() == []
        other = msc.AssetCategory.create(unique_identifier="elsewhere")
        assert category.refresh().unique_identifier == "universe"
        assert other.history() == []
    assert [each.unique_identifier for each in msc.AssetCategory.filter()] == ["universe"]


def test_a_universe_does_not_become_dated_in_silence(category: msc.AssetCategory) -> None:
    with pytest.raises(msc.ConflictError, match="not dated"):
        msc.AssetCategory.get_or_create(unique_identifier="universe", dated=True)
    dated = msc.AssetCategory.get_or_create(unique_identifier="index", dated=True)
    assert msc.AssetCategory.get_or_create(unique_identifier="index").dated
    assert dated.revision == 0


def test_deleting_a_series_forgets_the_node_that_filled_it(category: msc.AssetCategory) -> None:
    series = msc.Series.get_or_create("filled by a node", {"close": "float64"})
    reader = Reference(kind="node", identifier=series.unique_identifier)
    category._call(contract.REGISTER_REFERENCE, reader, key=category.id)
    with pytest.raises(msc.InUseError, match="filled by a node"):
        category.delete()
    series.delete()
    assert category.references() == []
    category.delete()


def test_a_patch_of_descriptions_is_held_to_its_revision(assets: list[msc.Asset]) -> None:
    universe = msc.AssetCategory.create(unique_identifier="described", assets=assets[:1])
    with pytest.raises(msc.StaleRevisionError):
        universe.patch(description="late", if_revision=0)
    assert universe.refresh().description is None
    assert universe.patch(description="in time", if_revision=1).description == "in time"
