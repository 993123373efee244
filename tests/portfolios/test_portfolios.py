"""Portfolios and groups: registered once, each an asset itself, deleted only when nothing holds them."""

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.domain.portfolios import INDEX_ASSET_TYPE
from mainsequence.errors import (
    AlreadyExistsError,
    InUseError,
    NotFoundError,
    UnknownFieldError,
    UnknownFilterError,
    ValidationError,
)


def a_portfolio(name: str = "growth", **fields: object) -> msc.Portfolio:
    return msc.Portfolio.get_or_create(display_name=name.title(), unique_identifier=name, **fields)


def test_get_or_create_finds_what_it_created():
    first = a_portfolio(description="long only", calendar_name="XNYS")
    again = msc.Portfolio.get_or_create(unique_identifier="growth", description="ignored: it exists")
    assert (again.id, again.description, again.calendar_name) == (first.id, "long only", "XNYS")
    assert msc.Portfolio.get(unique_identifier="growth").id == first.id
    assert msc.Portfolio.get(index_asset__unique_identifier="growth").id == first.id
    assert [each.id for each in msc.Portfolio.filter(unique_identifier__contains="row")] == [first.id]
    assert msc.Portfolio.get_or_none(unique_identifier="value") is None


def test_create_refuses_a_taken_identifier():
    a_portfolio()
    with pytest.raises(AlreadyExistsError, match="growth"):
        msc.Portfolio.create(unique_identifier="growth")


def test_a_portfolio_is_itself_an_asset():
    portfolio = a_portfolio(calendar_name="XNYS")
    asset = msc.Asset.get(unique_identifier="growth")
    assert asset.id == portfolio.index_asset.id == portfolio.get_index_asset().id
    assert (asset.name, asset.security_type, asset.get_calendar().name) == ("Growth", INDEX_ASSET_TYPE, "XNYS")
    universe = msc.AssetCategory.get_or_create(unique_identifier="funds")
    assert universe.append_assets(assets=[portfolio.get_index_asset()]).assets == [asset.id]


def test_an_asset_of_that_name_that_is_no_portfolio_is_not_taken_over():
    msc.Asset.create(unique_identifier="growth", name="Growth Corp")
    with pytest.raises(AlreadyExistsError, match="no portfolio"):
        a_portfolio()
    assert msc.Portfolio.filter() == []


def test_patch_changes_fields_and_the_index_asset_follows():
    portfolio = a_portfolio()
    portfolio.patch(display_name="Growth II", calendar_name="XLON", description=None)
    assert (portfolio.display_name, portfolio.portfolio_name, portfolio.calendar_name) == (
        "Growth II",
        "Growth II",
        "XLON",
    )
    asset = msc.Asset.get(unique_identifier="growth")
    assert (asset.name, asset.calendar_name) == ("Growth II", "XLON")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"unique_identifier": "other"}, UnknownFieldError),
        ({"colour": "red"}, UnknownFieldError),
        ({"display_name": None}, ValidationError),
        ({"display_name": "n" * 5_000}, ValidationError),
        ({"configuration": None}, ValidationError),
    ],
)
def test_a_bad_patch_changes_nothing(change: dict[str, object], refused: type[Exception]):
    portfolio = a_portfolio()
    with pytest.raises(refused):
        portfolio.patch(**change)
    assert msc.Portfolio.get(portfolio.id) == portfolio


@pytest.mark.parametrize("name", [" ", "", "x" * 256, "a\nb"])
def test_bad_identifiers_are_refused(name: str):
    with pytest.raises(ValidationError):
        msc.Portfolio.get_or_create(unique_identifier=name, display_name="Growth")
    assert msc.Asset.filter() == []


def test_unknown_filters_name_the_allowed_ones():
    with pytest.raises(UnknownFilterError, match="calendar_name"):
        msc.Portfolio.filter(nav=1)
    with pytest.raises(UnknownFilterError, match="source"):
        msc.PortfolioGroup.filter(nav=1)


def test_publish_makes_the_registered_portfolio_exactly_this():
    msc.AssetCategory.get_or_create(unique_identifier="old_universe")
    msc.AssetCategory.get_or_create(unique_identifier="new_universe")
    first = msc.Portfolio.publish(unique_identifier="growth", universe="old_universe", manifest={"version": 1})
    second = msc.Portfolio.publish(unique_identifier="growth", universe="new_universe", manifest={"version": 2})
    assert (first.id, second.manifest) == (second.id, {"version": 2})
    assert msc.AssetCategory.get(unique_identifier="old_universe").references() == []
    msc.AssetCategory.get(unique_identifier="old_universe").delete()


def test_a_universe_that_a_portfolio_reads_cannot_be_deleted():
    universe = msc.AssetCategory.get_or_create(unique_identifier="core")
    portfolio = a_portfolio(universe="core")
    with pytest.raises(InUseError, match="portfolio growth"):
        universe.delete()
    portfolio.delete()
    universe.delete()
    assert msc.AssetCategory.filter() == []


def test_a_portfolio_of_an_unknown_universe_is_not_registered():
    with pytest.raises(NotFoundError, match="nowhere"):
        a_portfolio(universe="nowhere")
    assert msc.Portfolio.filter() == []
    assert msc.Asset.filter() == []


def test_a_portfolio_that_is_held_is_not_deleted():
    portfolio = a_portfolio()
    group = msc.PortfolioGroup.get_or_create(unique_identifier="all", portfolio_ids=[portfolio.id])
    universe = msc.AssetCategory.get_or_create(unique_identifier="funds", asset_ids=[portfolio.index_asset.id])
    with pytest.raises(InUseError, match="portfolio group all, asset category funds"):
        portfolio.delete()
    group.remove_portfolios([portfolio.id])
    universe.remove_assets(asset_ids=[portfolio.index_asset.id])
    portfolio.delete()
    assert msc.Portfolio.filter() == []
    assert msc.Asset.filter() == []


def test_a_deleted_portfolio_can_be_registered_again_under_its_name():
    first = a_portfolio()
    first.delete()
    second = msc.Portfolio.get_or_create(unique_identifier="growth", display_name="Reborn", calendar_name="XLON")
    assert second.index_asset.id == first.index_asset.id
    assert (second.portfolio_name, second.index_asset.calendar_name, second.index_asset.retired_at) == (
        "Reborn",
        "XLON",
        None,
    )


def test_a_portfolio_names_its_venues_once_and_in_order():
    portfolio, other = a_portfolio(), msc.Portfolio.get_or_create(unique_identifier="other")
    assert portfolio.venue_ids == []
    other.add_venue(3)
    assert portfolio.add_venue(2**63 - 1).add_venue(7).add_venue(7).venue_ids == [7, 2**63 - 1]
    assert {each.unique_identifier: each.venue_ids for each in msc.Portfolio.filter()} == {
        "growth": [7, 2**63 - 1],
        "other": [3],
    }
    assert portfolio.remove_venue(2**63 - 1).remove_venue(1).venue_ids == [7]


def test_a_portfolio_keeps_its_venues_when_it_is_published_again():
    a_portfolio().add_venue(7)
    assert msc.Portfolio.publish(unique_identifier="growth", display_name="New").venue_ids == [7]


def test_a_deleted_portfolio_leaves_no_venues_to_the_next_of_its_name():
    a_portfolio().add_venue(7).delete()
    assert a_portfolio().venue_ids == []


@pytest.mark.parametrize("wrong", [0, -1, 2**63, "XNYS", None])
def test_what_is_no_id_of_a_venue_is_refused(wrong: object):
    portfolio = a_portfolio()
    with pytest.raises(ValidationError, match="venue_id"):
        portfolio.add_venue(wrong)
    assert portfolio.refresh().venue_ids == []


def stored_portfolio() -> msc.Portfolio:
    values = msc.Series.create("growth values", {"close": "float64"}, by_asset=False)
    weights = msc.Series.create("growth weights", {"weight_current": "float64"})
    times = pd.to_datetime(["2024-01-02T21:00Z", "2024-01-03T21:00Z"])
    values.append(pd.DataFrame({"close": [1.0, 1.1]}, index=pd.DatetimeIndex(times, name="time_index")))
    held = pd.MultiIndex.from_tuples(
        [(times[0], "A"), (times[0], "B"), (times[1], "A"), (times[1], "B")], names=["time_index", "unique_identifier"]
    )
    weights.append(pd.DataFrame({"weight_current": [0.5, 0.5, 0.0, 0.75]}, index=held))
    return a_portfolio(values_series="growth values", weights_series="growth weights")


def test_latest_weights_are_those_of_the_last_stamp():
    latest = stored_portfolio().get_latest_weights()
    assert latest.weights == {"B": 0.75}
    assert latest.weights_date == pd.Timestamp("2024-01-03T21:00Z")


def test_values_and_weights_read_the_series():
    portfolio = stored_portfolio()
    assert portfolio.values()["close"].tolist() == [1.0, 1.1]
    assert portfolio.weights(start="2024-01-03")["weight_current"].tolist() == [0.0, 0.75]


def test_a_portfolio_without_numbers_says_so():
    portfolio = a_portfolio()
    assert portfolio.get_latest_weights().weights == {}
    with pytest.raises(NotFoundError, match="values_series"):
        portfolio.values()


def test_groups_are_created_once_and_edited():
    one, two = a_portfolio("one"), a_portfolio("two")
    group = msc.PortfolioGroup.get_or_create(
        display_name="All Funds", unique_identifier="all_funds", portfolio_ids=[one.id], description="every fund"
    )
    again = msc.PortfolioGroup.get_or_create(unique_identifier="all_funds")
    assert (again.id, again.portfolios, again.description) == (group.id, [one.id], "every fund")
    assert group.append_portfolios([two.id, one.id]).portfolios == [one.id, two.id]
    assert [each.unique_identifier for each in group.get_portfolios()] == ["one", "two"]
    assert group.remove_portfolios(portfolios=[one]).portfolios == [two.id]
    assert group.patch(portfolios=[one.id], description=None).portfolios == [one.id]
    group.delete()
    assert msc.PortfolioGroup.filter() == []
    assert len(msc.Portfolio.filter()) == 2


def test_an_unknown_portfolio_refuses_the_whole_edit():
    one = a_portfolio("one")
    group = msc.PortfolioGroup.get_or_create(unique_identifier="all")
    with pytest.raises(NotFoundError, match="99"):
        group.append_portfolios([one.id, 99])
    assert msc.PortfolioGroup.get(group.id).portfolios == []
    with pytest.raises(NotFoundError, match="99"):
        msc.PortfolioGroup.create(unique_identifier="other", portfolio_ids=[99])
    assert [each.unique_identifier for each in msc.PortfolioGroup.filter()] == ["all"]


def test_how_they_look_never_fails():
    portfolio = a_portfolio()
    assert "growth" in repr(portfolio)
    assert "growth" in portfolio._repr_html_()


@pytest.mark.parametrize("source", ["x" * 256, "a\x00b"])
def test_a_source_that_no_database_can_hold_is_refused(source: str) -> None:
    group = msc.PortfolioGroup.create(unique_identifier="g", display_name="G")
    with pytest.raises(msc.ValidationError):
        group.patch(source=source)
    with pytest.raises(msc.ValidationError):
        msc.PortfolioGroup.create(unique_identifier="h", display_name="H", source=source)


@pytest.mark.parametrize("field", ["configuration", "manifest"])
def test_what_built_a_portfolio_is_what_json_can_hold(field: str) -> None:
    with pytest.raises(msc.ValidationError, match="JSON"):
        msc.Portfolio.create(unique_identifier="p", **{field: {"names": {"a", "b"}}})
    made = msc.Portfolio.create(unique_identifier="p", **{field: {"names": ["a", "b"]}})
    assert getattr(made, field) == {"names": ["a", "b"]}
