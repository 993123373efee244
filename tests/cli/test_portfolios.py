"""``mainsequence portfolio``."""

import pandas as pd
import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run


@pytest.fixture
def fund() -> msc.Portfolio:
    days = pd.to_datetime(["2024-01-02", "2024-01-03"], utc=True)
    values = pd.DataFrame({"close": [1.0, 1.1]}, index=pd.Index(days, name="time_index"))
    msc.Series.get_or_create("fund_values", {"close": "float64"}, by_asset=False).append(values)
    index = pd.MultiIndex.from_product([days, ["KO", "PG"]], names=["time_index", "unique_identifier"])
    weights = pd.DataFrame({"weight_current": [0.5, 0.5, 0.25, 0.75]}, index=index)
    msc.Series.get_or_create("fund_weights", {"weight_current": "float64"}).append(weights)
    return msc.Portfolio.get_or_create(
        unique_identifier="fund", display_name="Fund", values_series="fund_values", weights_series="fund_weights"
    )


def test_portfolios_are_listed_and_shown(fund: msc.Portfolio):
    (listed,) = answer("portfolio", "list", "-w", "display_name=Fund")
    assert (listed["unique_identifier"], listed["index_asset_id"]) == ("fund", fund.index_asset.id)
    shown = answer("portfolio", "show", "fund")
    assert (shown["values_series"], shown["configuration"], shown["manifest"]) == ("fund_values", {}, {})
    assert "fund_values" in run("portfolio", "show", "fund").stdout
    assert answer("portfolio", "list", "-w", "display_name=Other") == []


@pytest.mark.usefixtures("fund")
def test_values_over_time():
    assert answer("portfolio", "values", "fund") == [
        {"time_index": "2024-01-02T00:00:00Z", "close": 1.0},
        {"time_index": "2024-01-03T00:00:00Z", "close": 1.1},
    ]
    assert [each["close"] for each in answer("portfolio", "values", "fund", "--start", "2024-01-03")] == [1.1]
    assert run("portfolio", "values", "fund", "--end", "2023-01-01").stdout == "no values\n"


@pytest.mark.usefixtures("fund")
def test_weights_now_and_over_time():
    assert [(each["unique_identifier"], each["weight_current"]) for each in answer("portfolio", "weights", "fund")] == [
        ("KO", 0.25),
        ("PG", 0.75),
    ]
    first = answer("portfolio", "weights", "fund", "--end", "2024-01-03")
    assert [each["weight_current"] for each in first] == [0.5, 0.5]


def test_what_is_not_there_is_said():
    assert run("portfolio", "list").stdout == "no portfolios\n"
    assert "nope" in refusal("portfolio", "show", "nope")
    msc.Portfolio.get_or_create(unique_identifier="hollow")
    refusal("portfolio", "values", "hollow")


@pytest.mark.usefixtures("fund")
def test_deleting_keeps_the_series():
    run("portfolio", "delete", "fund", code=1, given="n\n")
    assert "fund is deleted" in run("portfolio", "delete", "fund", "--yes").output
    assert run("portfolio", "list").stdout == "no portfolios\n"
    assert len(msc.Series.get(unique_identifier="fund_values").read()) == 2


def test_venues_are_added_and_removed(fund: msc.Portfolio):
    run("portfolio", "add-venue", "fund", "9")
    assert run("portfolio", "add-venue", "fund", "7").output == "Venues of fund: 7, 9.\n"
    assert answer("portfolio", "show", "fund")["venue_ids"] == [7, 9]
    run("portfolio", "remove-venue", "fund", "9")
    assert run("portfolio", "remove-venue", "fund", "7").output == "Venues of fund: none.\n"
    assert "venue_id" in refusal("portfolio", "add-venue", "fund", "0", code=2)
