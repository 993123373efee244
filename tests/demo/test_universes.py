from datetime import UTC, datetime

import pytest

from mainsequence.demo.universes import build_dated_universe, build_undated_universe, register_assets


@pytest.mark.parametrize(
    ("day", "outside"),
    [
        ("1990-01-02", {"AMD", "BBY", "MSFT", "RRC", "UNH"}),
        ("1994-05-31", {"AMD", "BBY", "MSFT", "RRC", "UNH"}),
        ("1994-06-01", {"AMD", "BBY", "RRC", "UNH"}),
        ("1999-06-30", {"RRC"}),
        ("2010-01-04", set()),
        ("2013-09-23", {"AMD"}),
        ("2017-03-20", set()),
        ("2022-12-28", {"RRC"}),
    ],
)
def test_the_universe_has_the_members_of_each_day(day: str, outside: set[str]):
    assets = register_assets()
    members = build_dated_universe(assets).get_assets(as_of=datetime.fromisoformat(day).replace(tzinfo=UTC))
    assert {asset.ticker for asset in assets} - {asset.ticker for asset in members} == outside


def test_building_the_universes_again_records_nothing_new():
    first = [build(register_assets()).revision for build in (build_dated_universe, build_undated_universe)]
    again = [build(register_assets()).revision for build in (build_dated_universe, build_undated_universe)]
    assert again == first == [14, 1]
