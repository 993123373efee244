"""The S&P 500's published membership, 1996 to 2025, read as of any day."""

import csv
from collections import defaultdict

import pytest

import mainsequence.client as msc
from tests.shared_data import shared_data


@pytest.mark.slow
def test_the_members_of_a_day_are_those_of_that_day() -> None:
    rows = list(csv.DictReader(shared_data("fja05680-sp500", "sp500_ticker_start_end.csv").open()))
    tickers = sorted({row["ticker"] for row in rows})
    registered = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": ticker} for ticker in tickers])
    ids = {asset.unique_identifier: asset.id for asset in registered}
    windows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        windows[row["start_date"], row["end_date"]].append(ids[row["ticker"]])
    index = msc.AssetCategory.create(unique_identifier="sp500_constituents")
    for (start, end), members in windows.items():
        index.append_assets(asset_ids=members, effective_from=start, effective_to=end or None)

    assert (len(rows), len(tickers), len(index.members())) == (1230, 1181, 1230)
    published = {"2015-06-30": 499, "2020-06-30": 505, "2024-06-28": 503}
    assert {day: len(index.asset_ids(day)) for day in published} == published
    assert index.mask(list(published)).sum(axis=1).tolist() == list(published.values())
    assert "FB" in index.weights("2022-06-08")
    assert "FB" not in index.weights("2022-06-09")
    assert len(msc.AssetCategory.containing(registered[tickers.index("AMD")], as_of="2013-09-22")) == 1
    assert len(msc.AssetCategory.containing(registered[tickers.index("AMD")], as_of="2013-09-23")) == 0
