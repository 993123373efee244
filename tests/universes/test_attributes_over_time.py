"""Rules look at types, sectors and names as they were at the close that ends a date's data, never at those of today."""

from typing import Any

import exchange_calendars
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mainsequence.client as msc

MONTHS = ["2024-03-01", "2024-04-01", "2024-05-01", "2024-06-03", "2024-07-01"]
"""First sessions of the months on which the rules below are effective."""
CLOSES = exchange_calendars.get_calendar("XNYS").schedule.loc["2024-02-01":"2024-06-28", "close"]
LOOKED_AT = {label: CLOSES.loc[: pd.Timestamp(label) - pd.Timedelta(days=1)].iloc[-1] for label in MONTHS}
"""The close of the session before each of them."""


def a_rule(**where: Any) -> msc.UniverseRule:
    return msc.UniverseRule(where=where, calendar="XNYS", frequency="monthly", start="2024-02-15")


def register(*names: str, **fields: Any) -> list[msc.Asset]:
    common = {"security_market_sector": "Equity", "security_type": "Common Stock", "exchange_code": "US"}
    rows = [{"unique_identifier": name, "name": name} | common | fields for name in names]
    return msc.Asset.batch_get_or_register_custom_assets(rows)


def filled(name: str, rule: msc.UniverseRule, until: str = "2024-07-10") -> msc.AssetCategory:
    universe = msc.AssetCategory.from_rule(name, rule)
    universe.refresh_rule(until)
    return universe


def members(universe: msc.AssetCategory, at: str) -> str:
    return " ".join(sorted(asset.unique_identifier for asset in universe.get_assets(at)))


def by_month(universe: msc.AssetCategory) -> list[str]:
    return [members(universe, label) for label in MONTHS]


def test_a_sector_is_that_of_the_close_before_each_date():
    a, b, _ = register("a", "b", "c")
    # Thursday 28 March is the last session before 1 April; New York closes at 20:00 UTC.
    a.patch(security_market_sector="Corp", effective_from="2024-03-28T20:00:00Z")
    b.patch(security_market_sector="Corp", effective_from="2024-03-28T20:00:00.000001Z")
    b.patch(security_market_sector="Equity", effective_from="2024-06-01")
    # The data of 3 June end at the close of 31 May.
    universe = filled("equity", a_rule(security_market_sector="Equity"))
    assert by_month(universe) == ["a b c", "b c", "c", "c", "b c"]
    assert sector_told(universe, a, "2024-04-01") == "security_market_sector='Corp'"
    assert sector_told(universe, b, "2024-04-01") == "security_market_sector='Equity'"


def sector_told(universe: msc.AssetCategory, asset: msc.Asset, at: str) -> str:
    asked = "security_market_sector='Equity'"
    (found,) = (each.found for each in universe.why(asset, at).outcomes if each.condition == asked)
    return found


def test_another_name_changes_nothing_for_a_sector():
    a = register("a")[0]
    a.patch(security_market_sector="Corp", effective_from="2024-03-10")
    a.patch(security_market_sector="Equity", effective_from="2024-04-10")
    a.patch(ticker="A", effective_from="2024-03-20")
    a.patch(ticker="B", effective_from="2024-06-10")
    assert by_month(filled("equity", a_rule(security_market_sector="Equity"))) == ["a", "", "a", "a", "a"]


def test_todays_sector_does_not_reach_the_past():
    a, _ = register("a", "b")
    a.patch(security_market_sector="Govt")
    assert by_month(filled("equity", a_rule(security_market_sector="Equity"))) == ["a b"] * 5
    assert by_month(filled("govt", a_rule(security_market_sector="Govt"))) == [""] * 5


def test_an_asset_fits_only_while_all_lookups_hold_at_once():
    a, b, c = register("a", "b", "c")
    a.patch(security_market_sector="Corp", effective_from="2024-03-10")
    a.patch(exchange_code="LN", effective_from="2024-04-10")
    a.patch(security_market_sector="Equity", effective_from="2024-05-10")
    b.patch(exchange_code="LN", effective_from="2024-03-10")
    b.patch(security_market_sector="Corp", effective_from="2024-04-10")
    b.patch(exchange_code="US", effective_from="2024-05-10")
    b.patch(security_market_sector="Equity", effective_from="2024-06-10")
    c.patch(security_type="REIT", effective_from="2024-05-10")
    rule = a_rule(security_market_sector="Equity", exchange_code__in=["US"], security_type__contains="Stock")
    assert by_month(filled("us equity", rule)) == ["a b c", "c", "c", "", "b"]


def test_what_an_asset_was_not_counts_too():
    a, _ = register("a", "b", security_type_2=None)
    a.patch(security_type_2="Warrant", effective_from="2024-03-10")
    a.patch(security_type_2=None, effective_from="2024-05-10")
    assert by_month(filled("plain", a_rule(security_type_2__isnull=True))) == ["a b", "b", "b", "a b", "a b"]


def test_other_attributes_have_no_history():
    a, _ = register("a", "b")
    a.patch(is_tradable=False)
    assert by_month(filled("tradable", a_rule(is_tradable=True))) == ["b"] * 5


def test_why_tells_what_held_then():
    a = register("a", "b")[0]
    a.patch(security_market_sector="Corp", effective_from="2024-03-10")
    a.patch(exchange_code="LN", security_market_sector="Govt", effective_from="2024-05-10")
    universe = filled("us equity", a_rule(security_market_sector="Equity", exchange_code="US"))
    condition = "security_market_sector='Equity', exchange_code='US'"
    for label, found in {
        "2024-03-20": "security_market_sector='Equity', exchange_code='US'",
        "2024-05-20": "security_market_sector='Corp', exchange_code='US'",
        "2024-06-20": "security_market_sector='Govt', exchange_code='LN'",
    }.items():
        told = universe.why(a, label)
        assert [each.found for each in told.outcomes if each.condition == condition] == [found]
        assert told.member == (label == "2024-03-20")
        assert told.verdict == (
            "eligible: every condition holds" if told.member else f"not eligible: failed {condition}"
        )


def test_a_decision_stays_until_the_date_is_decided_anew():
    a = register("a", "b")[0]
    universe = filled("equity", a_rule(security_market_sector="Equity"), "2024-05-15")
    a.patch(security_market_sector="Corp", effective_from="2024-03-10")
    universe.refresh_rule("2024-07-10")
    assert by_month(universe) == ["a b", "a b", "a b", "b", "b"]
    universe.materialise(end="2024-07-10", force=True)
    assert by_month(universe) == ["a b", "b", "b", "b", "b"]


def test_routing_goes_by_what_assets_are_now():
    a = register("a")[0]
    prices = msc.Series.create("prices", {"close": "float64"})
    index = pd.MultiIndex.from_product([CLOSES.array.as_unit("us"), ["a"]], names=["time_index", "unique_identifier"])
    prices.append(pd.DataFrame({"close": 1.0}, index=index))
    route = {"asset_filter": {"security_market_sector": "Corp"}, "markets_time_serie_unique_identifier": "prices"}
    table = msc.AssetTranslationTable.get_or_create("routes", rules=[route])
    a.patch(security_market_sector="Corp", effective_from="2024-05-10")
    assert table.evaluate_asset(a).markets_time_serie_unique_identifier == "prices"


FITTING = {"security_market_sector": "Equity", "exchange_code": "US"}
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["security_market_sector", "exchange_code", "ticker"]),
        st.sampled_from([*CLOSES, *(each + pd.Timedelta(microseconds=1) for each in CLOSES)]),
        st.sampled_from(["Equity", "US", "Corp"]),
    ),
    max_size=24,
    unique_by=lambda change: change[:3],
)


@pytest.mark.embedded
@settings(max_examples=25, deadline=None)
@given(changes=CHANGES)
def test_members_are_those_whose_last_changes_by_the_close_fit(tmp_path_factory: Any, changes: list[Any]):
    changes = sorted(changes, key=lambda change: change[2])
    names = ["a", "b", "c", "d"]
    with msc.session(str(tmp_path_factory.mktemp("home"))):
        assets = register(*names)
        for number, field, at, value in changes:
            assets[number].patch(**{field: value, "effective_from": at.to_pydatetime()})
        found = by_month(filled("us equity", a_rule(**FITTING)))
    expected = []
    for label in MONTHS:
        state: dict[str, dict[str, str]] = {name: dict(FITTING) for name in names}
        for number, field, at, value in changes:
            if at <= LOOKED_AT[label]:
                state[names[number]][field] = value
        fits = [name for name in names if FITTING.items() <= state[name].items()]
        expected.append(" ".join(fits))
    assert found == expected
