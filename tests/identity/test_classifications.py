"""Types and sectors of assets: what they were before stays readable, with the times for which it held."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.errors import InvalidIntervalError

Told = tuple[str | None, str | None, str | None, datetime | None, datetime | None]


def register(identifier: str = "a", **fields: Any) -> msc.Asset:
    return msc.Asset.get_or_register_custom_asset(unique_identifier=identifier, **fields)


def told(asset: msc.Asset) -> list[Told]:
    return [
        (
            *(each.security_type, each.security_type_2, each.security_market_sector),
            *(each.effective_from, each.effective_to),
        )
        for each in asset.classifications()
    ]


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_asset_that_never_changed_has_been_what_it_is_always() -> None:
    asset = register(security_type="REIT", security_market_sector="Equity")
    assert told(asset) == [("REIT", None, "Equity", None, None)]


def test_a_new_sector_holds_from_its_time_and_the_old_one_until_then() -> None:
    asset = register(security_type="Common Stock", security_market_sector="Energy")
    asset.patch(security_market_sector="Utilities", effective_from="2021-05-03")
    asset.patch(security_type="REIT", security_market_sector="Real Estate", effective_from="2023-01-09")
    assert told(asset) == [
        ("Common Stock", None, "Energy", None, day("2021-05-03")),
        ("Common Stock", None, "Utilities", day("2021-05-03"), day("2023-01-09")),
        ("REIT", None, "Real Estate", day("2023-01-09"), None),
    ]


def test_the_fields_of_an_asset_and_what_filters_find_are_those_of_now() -> None:
    asset = register(security_market_sector="Energy", security_type_2="Common Stock")
    asset.patch(security_market_sector="Utilities", security_type_2=None, effective_from="2021-05-03")
    again = msc.Asset.get(asset.id)
    assert (again.security_market_sector, again.security_type_2) == ("Utilities", None)
    assert msc.Asset.filter(security_market_sector="Utilities") == [asset]
    assert msc.Asset.filter(security_market_sector="Energy") == []


def test_without_a_time_it_holds_from_now() -> None:
    asset = register()
    before = datetime.now(UTC)
    asset.patch(security_market_sector="Energy")
    after = datetime.now(UTC)
    old, new = asset.classifications()
    assert (old.security_market_sector, new.security_market_sector) == (None, "Energy")
    assert new.effective_from is not None
    assert before <= new.effective_from <= after
    assert (old.effective_from, old.effective_to, new.effective_to) == (None, new.effective_from, None)


def test_the_same_value_is_no_news() -> None:
    asset = register(security_type="REIT", security_market_sector="Equity")
    asset.patch(security_type="REIT", effective_from="2021-05-03")
    asset.patch(ticker="T", is_tradable=False, calendar_name="XNYS", effective_from="2021-05-03")
    assert told(asset) == [("REIT", None, "Equity", None, None)]
    asset.patch(security_type="REIT", security_market_sector="Corp", effective_from="2021-05-04")
    assert len(told(asset)) == len(asset.snapshots()) == 2


def test_names_and_sector_change_at_one_time() -> None:
    asset = register(name="Facebook", ticker="FB", security_market_sector="Technology")
    asset.patch(ticker="META", security_market_sector="Communications", effective_from="2022-06-09")
    assert asset.snapshots()[-1].effective_from == asset.classifications()[-1].effective_from == day("2022-06-09")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"effective_from": "2999-01-01"}, "cannot begin in the future"),
        ({"effective_from": "2021-05-03"}, "hold since 2021-05-03.*cannot begin at 2021-05-03"),
        ({"effective_from": "2020-01-01"}, "hold since 2021-05-03.*cannot begin at 2020-01-01"),
        ({"effective_from": "2022-01-01", "ticker": "T"}, "current names .* hold since 2023-01-01"),
    ],
)
def test_a_refused_time_changes_nothing(change: dict[str, Any], complaint: str) -> None:
    asset = register(security_market_sector="Energy")
    asset.patch(security_market_sector="Utilities", effective_from="2021-05-03")
    asset.patch(name="Renamed", effective_from="2023-01-01")
    before = told(asset)
    with pytest.raises(InvalidIntervalError, match=complaint):
        asset.patch(security_market_sector="Materials", isin="US0378331005", **change)
    again = msc.Asset.get(asset.id)
    assert told(again) == before
    assert (again.security_market_sector, again.isin) == ("Utilities", None)


def test_what_was_always_so_is_said_with_an_early_time() -> None:
    asset = register()
    asset.patch(security_market_sector="Energy", effective_from="1900-01-01")
    assert told(asset)[-1] == (None, None, "Energy", day("1900-01-01"), None)


def test_histories_of_assets_are_their_own() -> None:
    one, other = register("one", security_market_sector="Energy"), register("other", security_market_sector="Energy")
    one.patch(security_market_sector="Utilities", effective_from="2021-05-03")
    other.patch(security_market_sector="Materials", effective_from="2020-02-03")
    assert [each[2:] for each in told(other)] == [
        ("Energy", None, day("2020-02-03")),
        ("Materials", day("2020-02-03"), None),
    ]


def test_history_outlives_retirement() -> None:
    asset = register(security_market_sector="Energy")
    asset.patch(security_market_sector="Utilities", effective_from="2021-05-03")
    before = told(asset)
    asset.delete()
    assert told(asset) == before
    assert told(register(security_market_sector="Anything")) == before, "registering again brings back what it was"


def test_times_are_kept_to_the_microsecond() -> None:
    asset = register(security_market_sector="Energy")
    at = day("2021-05-03") + timedelta(microseconds=1)
    asset.patch(security_market_sector="Utilities", effective_from=at)
    assert asset.classifications()[-1].effective_from == at


def test_the_past_of_what_does_not_exist_is_not_found() -> None:
    asset = register()
    asset.__dict__["id"] = asset.id + 1
    with pytest.raises(msc.NotFoundError):
        asset.classifications()
