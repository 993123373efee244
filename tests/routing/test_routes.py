"""Routes of one asset and of many: the same answer, share classes, and what the routed series really hold."""

from datetime import UTC, datetime
from itertools import count

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import routing as contract
from mainsequence.errors import (
    AmbiguousRouteError,
    NoRouteError,
    RoutingError,
    StaleRouteError,
    TranslationError,
    UnknownAssetsError,
    ValidationError,
)
from tests.routing.tables import OTHER_SHARE_CLASS, SHARE_CLASS, a_rule, a_table, an_asset

pytestmark = pytest.mark.filterwarnings("ignore::mainsequence.domain.routing.PossibleOverlapWarning")


def observed(series: str, *identifiers: str, days: int = 2) -> msc.Series:
    found = msc.Series.get_or_create(series, {"close": "float64", "vwap": "float64"})
    if identifiers:
        stamps = [pd.Timestamp(f"2024-01-{day:02}", tz="UTC") for day in range(1, days + 1)]
        rows = [{"time_index": at, "unique_identifier": name} for at in stamps for name in identifiers]
        found.upsert(pd.DataFrame(rows).assign(close=1.0, vwap=2.0))
    return found


def test_the_one_rule_that_matches_is_the_route():
    asset = an_asset("KO", security_type="Common Stock", security_market_sector="Equity", exchange_code="US")
    table = a_table(
        a_rule("us_bars", security_type="Common Stock", exchange_code="US"),
        a_rule("london_bars", security_type="Common Stock", exchange_code="LN"),
    )
    expected = msc.Route(
        asset_unique_identifier="KO",
        markets_time_serie_unique_identifier="us_bars",
        unique_identifier="KO",
        exchange_code=None,
        column_name="close",
        rule_id=table.rules[0].id,
    )
    assert table.evaluate_asset(asset) == table.evaluate_asset(asset.id) == expected
    assert table.evaluate([asset]) == {"KO": expected}


def test_an_asset_that_no_rule_matches_has_no_route():
    asset = an_asset("BTC", security_type="Crypto")
    table = a_table(a_rule("bars", security_type="Common Stock"))
    with pytest.raises(NoRouteError, match=r"BTC.*Common Stock") as refused:
        table.evaluate_asset(asset)
    assert isinstance(refused.value, LookupError | RoutingError)
    assert isinstance(refused.value, TranslationError)
    assert refused.value.context["asset"] == "BTC"
    assert "bars" in refused.value.context["rules"][0]


def test_an_asset_that_several_rules_match_is_ambiguous():
    table = a_table(a_rule("one", security_type="A"), a_rule("two", exchange_code="LN"))
    asset = an_asset("LATE", security_type="A", exchange_code="LN")
    with pytest.raises(AmbiguousRouteError, match=r"LATE.*one.*two") as refused:
        table.evaluate_asset(asset)
    assert len(refused.value.context["rules"]) == 2


def test_rules_look_at_what_an_asset_is_called_now():
    asset = an_asset("MOVED", security_type="A", exchange_code="LN")
    table = a_table(a_rule("london", exchange_code="LN"), a_rule("new_york", exchange_code="US"))
    assert table.evaluate_asset(asset).markets_time_serie_unique_identifier == "london"
    asset.patch(exchange_code="US")
    assert table.evaluate_asset(asset).markets_time_serie_unique_identifier == "new_york"


def test_an_unknown_asset_is_named():
    an_asset("KO")
    with pytest.raises(UnknownAssetsError, match="99"):
        a_table().evaluate_asset(99)
    with pytest.raises(UnknownAssetsError, match="98, 99"):
        a_table().coverage(asset_ids=[1, 99, 98])


def test_evaluating_many_names_all_that_have_no_route():
    good = an_asset("GOOD", security_type="A")
    bad = [an_asset(name, security_type="B") for name in ("BAD1", "BAD2")]
    table = a_table(a_rule("bars", security_type="A"))
    with pytest.raises(NoRouteError, match=r"2 of 3 assets.*BAD1, BAD2") as refused:
        table.evaluate([good, *bad])
    assert refused.value.context["assets"] == ["BAD1", "BAD2"]
    assert list(table.evaluate([good])) == ["GOOD"]


# -- share classes


def listings() -> dict[str, msc.Asset]:
    return {
        "us": an_asset("AAPL_US", security_type="A", exchange_code="US", asset_ticker_group_id=SHARE_CLASS),
        "gr": an_asset("AAPL_GR", security_type="A", exchange_code="GR", asset_ticker_group_id=SHARE_CLASS),
        "other": an_asset("AMZN_GR", security_type="A", exchange_code="GR", asset_ticker_group_id=OTHER_SHARE_CLASS),
        "lone": an_asset("LONE_GR", security_type="A", exchange_code="GR"),
        "home": an_asset("HOME_US", security_type="A", exchange_code="US"),
    }


def test_a_target_exchange_leads_to_the_listing_of_the_same_share_class():
    assets = listings()
    table = a_table(a_rule("bars", "US", security_type="A"))
    route = table.evaluate_asset(assets["gr"])
    assert (route.asset_unique_identifier, route.unique_identifier, route.exchange_code) == ("AAPL_GR", "AAPL_US", "US")
    assert table.evaluate_asset(assets["us"]).unique_identifier == "AAPL_US"
    assert table.evaluate_asset(assets["home"]).unique_identifier == "HOME_US"


@pytest.mark.parametrize("who", ["other", "lone"])
def test_without_a_listing_there_is_no_route(who: str):
    asset = listings()[who]
    with pytest.raises(NoRouteError, match=f"{asset.unique_identifier}.*no listing on US"):
        a_table(a_rule("bars", "US", security_type="A")).evaluate_asset(asset)


def test_several_listings_are_ambiguous_and_named_and_a_retired_one_does_not_count():
    asset = listings()["gr"]
    second = an_asset("AAPL_US2", security_type="A", exchange_code="US", asset_ticker_group_id=SHARE_CLASS)
    table = a_table(a_rule("bars", "US", security_type="A"))
    with pytest.raises(AmbiguousRouteError, match="AAPL_US, AAPL_US2"):
        table.evaluate_asset(asset)
    second.delete()
    assert table.evaluate_asset(asset).unique_identifier == "AAPL_US"


# -- coverage


def test_coverage_says_what_became_of_each_asset():
    observed("bars", "SERVED", "AAPL_US", days=3)
    observed("nothing")
    names = ["SERVED", "NOT_HELD", "WRONG_COLUMN", "NO_SERIES", "NO_RULE"]
    for name in names:
        an_asset(name, security_type=name)
    assets = listings()
    second = an_asset("AMBIGUOUS", security_type="SERVED", exchange_code="LATE")
    second.delete()
    table = a_table(
        a_rule("bars", security_type="SERVED"),
        a_rule("nothing", security_type="NOT_HELD"),
        a_rule("bars", security_type="WRONG_COLUMN").model_copy(update={"default_column_name": "open"}),
        a_rule("no such series", security_type="NO_SERIES"),
        a_rule("bars", "US", security_type="A"),
        a_rule("dead", security_type="nobody"),
        a_rule("late", exchange_code="LATE"),
    )
    msc.Asset.get_or_register_custom_asset(unique_identifier="AMBIGUOUS")
    report = table.coverage()
    status = {each.unique_identifier: str(each.status) for each in report.assets}
    assert status == {
        "SERVED": "routed",
        "NOT_HELD": "missing_asset",
        "WRONG_COLUMN": "missing_column",
        "NO_SERIES": "missing_series",
        "NO_RULE": "no_route",
        "AAPL_US": "routed",
        "AAPL_GR": "routed",
        "AMZN_GR": "no_listing",
        "LONE_GR": "no_listing",
        "HOME_US": "missing_asset",
        "AMBIGUOUS": "ambiguous",
    }
    assert (report.ok, bool(report), report.exit_code, len(report)) == (False, False, 1, 11)
    assert [each.unique_identifier for each in report.failures] == [
        name for name, found in status.items() if found != "routed"
    ]
    assert [rule.target[0] for rule in report.dead_rules] == ["dead"]
    assert [(each.rule_ids, each.witness) for each in report.overlaps] == [((1, 7), "AMBIGUOUS")]
    assert (2, 7) in [each.rule_ids for each in report.possible_overlaps]
    assert report.facts.series == {
        "bars": 1,
        "nothing": 0,
        "no such series": None,
    }
    assert {name: type(error) for name, error in report.errors().items()} == {
        "NOT_HELD": StaleRouteError,
        "WRONG_COLUMN": StaleRouteError,
        "NO_SERIES": StaleRouteError,
        "NO_RULE": NoRouteError,
        "AMZN_GR": NoRouteError,
        "LONE_GR": NoRouteError,
        "HOME_US": StaleRouteError,
        "AMBIGUOUS": AmbiguousRouteError,
    }
    assert set(report.routes()) == {"SERVED", "AAPL_US", "AAPL_GR"}
    assert report.routes()["AAPL_GR"] == table.evaluate_asset(assets["gr"])


def test_coverage_gives_the_dates_that_the_series_really_holds():
    observed("bars", "AAPL_US", days=5)
    listings()
    report = a_table(a_rule("bars", "US", security_type="A")).coverage(
        assets=[msc.Asset.get(unique_identifier="AAPL_GR")]
    )
    (found,) = report.assets
    assert (found.first, found.last, found.count) == (
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 5, tzinfo=UTC),
        5,
    )
    frame = report.to_frame()
    assert frame.loc["AAPL_GR", "series_unique_identifier"] == "AAPL_US"
    assert frame.loc["AAPL_GR", "last"] == pd.Timestamp("2024-01-05", tz="UTC")
    assert (frame.loc["AAPL_GR", "count"], frame.loc["AAPL_GR", "status"]) == (5, "routed")


def test_coverage_without_series_looks_at_rules_and_listings_only():
    an_asset("KO", security_type="A")
    report = a_table(a_rule("no such series", security_type="A")).coverage(check_series=False)
    assert report.ok
    assert not report.facts.series_checked
    assert report.assets[0].count is None


def test_coverage_of_a_universe_asks_its_members_at_a_time():
    early, late, _ = (an_asset(name, security_type=name) for name in ("EARLY", "LATE", "NEVER"))
    universe = msc.AssetCategory.get_or_create(unique_identifier="u")
    universe.append_assets([early], effective_to="2020-01-01")
    universe.append_assets([late], effective_from="2020-01-01")
    table = a_table(a_rule("bars", security_type="EARLY"))
    then = table.coverage("u", as_of="2019-06-28", check_series=False)
    assert [each.unique_identifier for each in then.assets] == ["EARLY"]
    assert then.ok
    now = table.coverage(universe, check_series=False)
    assert [each.unique_identifier for each in now.failures] == ["LATE"]
    assert (now.facts.category, now.facts.revision) == ("u", 2)
    assert [each.unique_identifier for each in table.coverage("u", revision=1, as_of="2019-06-28").assets] == ["EARLY"]
    assert table.coverage("u", revision=1).assets == []
    early.delete()
    assert table.coverage("u", revision=2, as_of="2019-06-28", check_series=False).ok


def test_coverage_is_asked_about_one_thing():
    asset, table = an_asset("KO"), a_table()
    msc.AssetCategory.get_or_create(unique_identifier="u")
    for wrong in ({"category": "u", "assets": [asset]}, {"as_of": "2020-01-01"}, {"assets": [asset], "asset_ids": [1]}):
        with pytest.raises(ValidationError):
            table.coverage(**wrong)
    with pytest.raises(msc.NotFoundError, match="nobody"):
        table.coverage("nobody")


def test_coverage_of_nothing_is_ok_and_empty():
    report = a_table().coverage()
    assert (report.ok, len(report), report.assets, report.to_frame().shape) == (True, 0, [], (0, 11))
    assert report.routes() == report.errors() == {}
    report.raise_errors()


def test_a_series_without_assets_serves_none():
    msc.Series.get_or_create("index", {"close": "float64"}, by_asset=False).append(
        pd.DataFrame({"time_index": [pd.Timestamp("2024-01-01", tz="UTC")], "close": [1.0]})
    )
    an_asset("SPX", security_type="Index")
    (found,) = a_table(a_rule("index", security_type="Index")).coverage().assets
    assert found.status is msc.RouteStatus.MISSING_ASSET


def test_repr_html_and_summary_say_what_fails():
    an_asset("<KO>", security_type="A")
    report = a_table(a_rule("dead", security_type="B")).coverage()
    assert "no_route=1" in repr(report)
    assert "&lt;KO&gt;" in report._repr_html_()
    assert "dead rules: #1" in report.summary()
    assert report.summary().endswith("ok: no")


types, exchanges = st.sampled_from(["A", "B"]), st.sampled_from(["US", "LN"])
some_filters = st.lists(
    st.fixed_dictionaries({}, optional={"security_type": types, "exchange_code": exchanges}),
    unique_by=lambda each: tuple(sorted(each.items())),
    max_size=5,
)
examples = count()
some_assets = st.lists(st.tuples(st.none() | types, st.none() | exchanges), min_size=1, max_size=8)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(some_filters, some_assets)
def test_one_asset_many_assets_and_a_naive_reference_agree(
    filters: list[dict[str, str]], described: list[tuple[str | None, str | None]]
):
    number = next(examples)
    table = an_overlapping_table(f"t{number}", filters)
    assets = [
        an_asset(f"{number}_{place}", security_type=kind, exchange_code=exchange)
        for place, (kind, exchange) in enumerate(described)
    ]
    report = table.coverage(assets=assets, check_series=False)
    for asset, found in zip(assets, report.assets, strict=True):
        facts = {"security_type": asset.security_type, "exchange_code": asset.exchange_code}
        matching = [f"s{place}" for place, each in enumerate(filters) if each.items() <= facts.items()]
        assert len(found.rule_ids) == len(matching)
        if len(matching) == 1:
            route = table.evaluate_asset(asset)
            assert route == found.route
            assert route.markets_time_serie_unique_identifier == matching[0]
        else:
            with pytest.raises(AmbiguousRouteError if matching else NoRouteError):
                table.evaluate_asset(asset)


def an_overlapping_table(name: str, filters: list[dict[str, str]]) -> msc.AssetTranslationTable:
    rules = [a_rule(f"s{place}", **each) for place, each in enumerate(filters)]
    declared = contract.TableDeclaration(unique_identifier=name, rules=rules, overlaps="accept")
    return msc.AssetTranslationTable.get(carrier().call(contract.GET_OR_CREATE, declared).table.id)
