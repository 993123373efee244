import pytest

pytest.importorskip("skfolio")
from skfolio.datasets import load_sp500_dataset, load_sp500_index

from mainsequence.demo.closes import IndexCloses, LargeCapCloses
from mainsequence.demo.membership import COMPANIES
from mainsequence.demo.universes import register_assets


def test_the_stored_closes_are_those_of_the_package_and_a_second_run_writes_nothing():
    register_assets()
    node = LargeCapCloses()
    assert node.run(show_progress=False).rows_written == 8_313 * 20
    published = load_sp500_dataset()
    stored = node.get_df_between_dates()["close"].unstack()
    for company in COMPANIES:
        assert stored[company.figi].tolist() == published[company.ticker].tolist()
    assert list(stored.index.tz_localize(None)) == list(published.index)
    assert not node.run(show_progress=False).changed


def test_the_index_stands_beside_them():
    node = IndexCloses()
    node.run(show_progress=False)
    assert node.get_df_between_dates()["close"].tolist() == load_sp500_index()["SP500"].tolist()
    assert not node.run(show_progress=False).changed
