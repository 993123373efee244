import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.domain.routing import PossibleOverlapWarning
from mainsequence.errors import (
    AmbiguousRouteError,
    NoRouteError,
    NotFoundError,
    RoutingError,
    SchemaMismatchError,
    StaleRouteError,
    UnknownAssetsError,
    ValidationError,
)
from mainsequence.tdag import WrapperDataNode
from tests.tdag.nodes import Emitting, Scaled, day, frame

STOCKS = {"apple": "US", "bmw": "GR", "nestle": "SW"}
SIBLINGS = "BBG001S5N8V8"  # share class of apple, listed in New York and in Germany


def rule(series: str, **asset_filter: str) -> dict[str, Any]:
    return {"asset_filter": asset_filter, "markets_time_serie_unique_identifier": series}


@pytest.fixture(autouse=True)
def assets() -> dict[str, msc.Asset]:
    fields = [
        {"unique_identifier": name, "security_type": "Common Stock", "snapshot": {"name": name, "exchange_code": code}}
        for name, code in STOCKS.items()
    ]
    fields += [
        {
            "unique_identifier": f"apple {code}",
            "security_type": "Listing",
            "snapshot": {"name": "Apple", "exchange_code": code, "asset_ticker_group_id": SIBLINGS},
        }
        for code in ("UW", "GR", "LN")
    ]
    found = msc.Asset.batch_get_or_register_custom_assets(fields)
    return {asset.unique_identifier: asset for asset in found}


@pytest.fixture
def series() -> dict[str, msc.Series]:
    us = msc.Series.create("us_prices", {"close": "float64", "volume": "int64"})
    us.append(
        frame(
            {(day(n), name): 10.0 * n + place for n in range(3) for place, name in enumerate(["apple", "apple UW"])}
        ).assign(volume=7)
    )
    german = msc.Series.create("german_prices", {"close": "float64"})
    german.append(frame({(day(n), "bmw"): 100.0 + n for n in range(1, 4)}))
    swiss = msc.Series.create("swiss_prices", {"px_last": "float64"})
    swiss.append(frame({(day(2), "nestle"): 5.0}, "px_last"))
    return {"us": us, "german": german, "swiss": swiss}


@pytest.fixture
def table() -> msc.AssetTranslationTable:
    swiss = rule("swiss_prices", exchange_code="SW", security_type="Common Stock") | {"default_column_name": "px_last"}
    return msc.AssetTranslationTable.get_or_create(
        "prices",
        [
            rule("us_prices", exchange_code="US", security_type="Common Stock"),
            rule("german_prices", exchange_code="GR", security_type="Common Stock"),
            swiss,
            rule("us_prices", security_type="Listing") | {"target_exchange_code": "UW"},
        ],
    )


@pytest.fixture
def node(series: dict[str, msc.Series], table: msc.AssetTranslationTable) -> WrapperDataNode:
    return WrapperDataNode(table)


def close(rows: pd.DataFrame) -> dict[tuple[int, str], float]:
    return {((time - day(0)).days, name): value for (time, name), value in rows["close"].items()}


def test_each_asset_is_read_from_its_own_series(node: WrapperDataNode):
    rows = node.get_df_between_dates(day(1), day(2), unique_identifier_list=["bmw", "apple"])
    assert close(rows) == {(1, "apple"): 10.0, (1, "bmw"): 101.0, (2, "apple"): 20.0, (2, "bmw"): 102.0}
    assert rows.index.is_monotonic_increasing
    assert rows["volume"].isna().tolist() == [False, True] * 2


def test_a_rule_may_read_another_listing_of_the_share_class(node: WrapperDataNode):
    rows = node.get_df_between_dates(day(2), unique_identifier_list=["apple GR", "apple LN", "apple"])
    assert close(rows) == {(2, "apple"): 20.0, (2, "apple GR"): 21.0, (2, "apple LN"): 21.0}


def test_reads_are_grouped_by_series_whatever_the_number_of_assets(
    node: WrapperDataNode, monkeypatch: pytest.MonkeyPatch
):
    reads = []
    whole = msc.Series.read_arrow

    def counted(series: msc.Series, *args: Any, **kwargs: Any) -> Any:
        reads.append(series.unique_identifier)
        return whole(series, *args, **kwargs)

    monkeypatch.setattr(msc.Series, "read_arrow", counted)
    node.get_df_between_dates(unique_identifier_list=["apple", "apple GR", "apple LN", "apple UW", "bmw", "nestle"])
    assert sorted(reads) == ["german_prices", "swiss_prices", "us_prices"]


def test_each_asset_is_read_over_its_own_range(node: WrapperDataNode):
    ranges = {"apple": {"start_date": day(1), "start_date_operand": ">"}, "bmw": {"end_date": day(1)}}
    assert close(node.get_ranged_data_per_asset(ranges)) == {(1, "bmw"): 101.0, (2, "apple"): 20.0}


def test_the_last_observation_of_each_asset(node: WrapperDataNode, assets: dict[str, msc.Asset]):
    rows = node.get_last_observation([assets["apple GR"], assets["bmw"]], columns=["close"])
    assert close(rows) == {(2, "apple GR"): 21.0, (3, "bmw"): 103.0}


def test_a_matrix_takes_the_column_that_each_rule_names(node: WrapperDataNode):
    names = ["nestle", "bmw", "apple LN", "apple GR"]
    matrix = node.wide(unique_identifiers=names, start=day(1))
    assert matrix.assets == ("apple GR", "apple LN", "bmw", "nestle")
    nan = np.nan
    np.testing.assert_array_equal(
        matrix.values, [[11.0, 11.0, 101.0, nan], [21.0, 21.0, 102.0, 5.0], [nan, nan, 103.0, nan]]
    )
    assert not matrix.values.flags.writeable


def test_routes_found_once_serve_many_reads(node: WrapperDataNode):
    routed, errors = node.routed(["apple", "bmw"], columns=["close"])
    assert errors == {}
    assert len(routed.get_df_between_dates()) == 6
    assert close(routed.get_last_observation(["bmw", "stranger"])) == {(3, "bmw"): 103.0}
    assert routed.wide("close", unique_identifiers=["bmw"]).assets == ("bmw",)


# -- what is not served


def test_a_stale_target_fails_only_the_assets_that_need_it_by_name(node: WrapperDataNode, series: Any):
    series["german"].delete()
    with pytest.raises(StaleRouteError, match="'bmw' is routed to the series 'german_prices', which does not exist"):
        node.get_df_between_dates(unique_identifier_list=["apple", "bmw"])
    assert len(node.get_df_between_dates(unique_identifier_list=["apple"])) == 3
    rows = node.get_df_between_dates(unique_identifier_list=["apple", "bmw"], on_error="report")
    assert set(rows.index.get_level_values("unique_identifier")) == {"apple"}
    assert list(rows.attrs["routing_errors"]) == ["bmw"]
    assert "german_prices" in rows.attrs["routing_errors"]["bmw"]


def test_an_asset_that_its_series_does_not_hold_is_named(node: WrapperDataNode, series: Any):
    series["german"].delete_rows()
    with pytest.raises(StaleRouteError, match="holds nothing of 'bmw'"):
        node.get_last_observation(["bmw"])


def test_a_column_that_a_series_lacks_fails_its_assets_where_it_is_asked_for(node: WrapperDataNode):
    with pytest.raises(
        StaleRouteError, match=r"'bmw' is routed to the series 'german_prices', which has no .*'volume'"
    ):
        node.get_df_between_dates(unique_identifier_list=["apple", "bmw"], columns=["volume"])
    table = node.read_arrow(["volume"], unique_identifiers=["apple", "bmw"], on_error="report")
    assert table.column_names == ["time_index", "unique_identifier", "volume"]
    assert list(json.loads(table.schema.metadata[b"routing_errors"])) == ["bmw"]


def test_every_asset_without_a_route_is_named_at_once(node: WrapperDataNode, assets: dict[str, msc.Asset]):
    extra = [{"unique_identifier": f"bond {n}", "security_type": "Bond"} for n in range(3)]
    msc.Asset.batch_get_or_register_custom_assets(extra)
    with pytest.raises(NoRouteError, match="3 assets are not served through 'prices': bond 0, bond 1, bond 2"):
        node.get_df_between_dates(unique_identifier_list=["apple", "bond 0", "bond 1", "bond 2"])
    assets["apple UW"].delete()
    with pytest.raises(RoutingError, match="2 assets") as refused:
        node.get_df_between_dates(unique_identifier_list=["bond 0", "apple GR", "apple"], columns=["close", "volume"])
    assert refused.value.context["assets"] == ["apple GR", "bond 0"]


def test_ambiguous_routes_are_refused(node: WrapperDataNode, table: msc.AssetTranslationTable):
    with pytest.warns(PossibleOverlapWarning):
        table.add_rules([rule("us_prices", unique_identifier="newcomer")])
    msc.Asset.create(unique_identifier="newcomer", security_type="Listing", name="N", exchange_code="US")
    with pytest.raises(AmbiguousRouteError, match="match the asset 'newcomer'"):
        node.get_df_between_dates(unique_identifier_list=["newcomer"])


def test_identifiers_that_no_asset_has_are_refused(node: WrapperDataNode):
    with pytest.raises(UnknownAssetsError, match="No asset is registered as 'stranger'"):
        node.get_df_between_dates(unique_identifier_list=["apple", "stranger"])


def test_the_assets_must_be_named(node: WrapperDataNode):
    with pytest.raises(ValidationError, match="say which"):
        node.get_df_between_dates()
    with pytest.raises(ValidationError, match="on_error is 'raise' or 'report'"):
        node.get_df_between_dates(unique_identifier_list=["apple"], on_error="ignore")  # type: ignore[arg-type]
    assert node.get_df_between_dates(unique_identifier_list=[], columns=["close"]).empty


def test_columns_of_one_name_and_different_types_are_refused_only_where_all_are_read(node: WrapperDataNode):
    msc.Series.create("odd", {"close": "float64", "volume": "string"}).append(
        frame({(day(0), "odd"): 1.0}).assign(volume="many")
    )
    msc.Asset.create(unique_identifier="odd", security_type="Odd", name="odd", exchange_code="XX")
    node.translation_table.add_rules([rule("odd", security_type="Odd")])
    with pytest.raises(SchemaMismatchError, match="different types"):
        node.get_df_between_dates(unique_identifier_list=["apple", "odd"])
    assert len(node.get_df_between_dates(unique_identifier_list=["apple", "odd"], columns=["close"])) == 4


def test_a_table_may_be_named_and_its_rules_are_those_of_the_moment(node: WrapperDataNode, series: Any):
    named = WrapperDataNode("prices")
    assert repr(named) == "WrapperDataNode('prices')"
    assert len(named.get_df_between_dates(unique_identifier_list=["bmw"])) == 3
    series["us"].append(frame({(day(9), "bmw"): 1.0}).assign(volume=1))
    named.translation_table.add_rules([rule("us_prices", exchange_code="GR", security_type="Common Stock")])
    assert close(named.get_df_between_dates(unique_identifier_list=["bmw"])) == {(9, "bmw"): 1.0}
    with pytest.raises(NotFoundError):
        WrapperDataNode("prizes").get_df_between_dates(unique_identifier_list=["bmw"])


def test_a_node_may_depend_on_routed_assets(node: WrapperDataNode):
    class Routed(Scaled):
        def update(self) -> pd.DataFrame:
            return self.source.get_df_between_dates(unique_identifier_list=["apple"], columns=["close"]) * self.factor

    routed = Routed(node)  # type: ignore[arg-type]
    routed.run()
    assert routed.get_df_between_dates()["close"].tolist() == [0.0, 20.0, 40.0]
    assert routed.series.metadata["node"]["dependencies"] == {"source": "prices"}
    assert Emitting("x").updatable
    assert not node.updatable
