"""WIRE 1.4, 1.5 and 1.7: portfolios with their calendars, and groups of portfolios."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from mainsequence.contract.arrow import MEDIA_TYPE, encode
from tests.wire.servers import GROUP, PORTFOLIO, Wire, a_group, a_page, a_portfolio, an_index_asset

CREATE = f"{PORTFOLIO}create_from_time_series/"


# -- 1.5


def test_trap_4_create_from_time_series_answers_201_with_both(wire: Wire, name: str) -> None:
    made = wire.a_portfolio(name)
    assert set(made) == {"portfolio", "portfolio_index_asset"}
    one = a_portfolio(made["portfolio"])
    assert an_index_asset(made["portfolio_index_asset"]) == one["index_asset"]
    assert made["portfolio_index_asset"]["reference_portfolio"] == one["id"]
    assert one["index_asset"]["current_snapshot"]["name"] == name
    assert (one["builds_from_target_weights"], one["backtest_table_price_column_name"]) == (True, "close")


def test_trap_7_what_is_required_and_may_be_null_is_there(wire: Wire, name: str) -> None:
    one = wire.a_portfolio(name)["portfolio"]
    assert {"data_node_update", "signal_data_node_update", "calendar", "creation_date"} <= set(one)
    assert one["creation_date"].endswith("T00:00:00Z")


def test_1_4_a_calendar_is_embedded_and_has_no_address(wire: Wire, name: str) -> None:
    assert wire.a_portfolio(name)["portfolio"]["calendar"] == {"name": "XNYS"}
    for path in ("/orm/api/assets/calendar/", "/orm/api/assets/calendars/"):
        assert wire.get(path, 404)["detail"]


def test_1_5_what_a_portfolio_says_of_itself_is_kept(wire: Wire, name: str) -> None:
    key = wire.a_portfolio(name)["portfolio"]["id"]
    found = wire.get(f"/api/v1/portfolios/{key}")
    assert found["about"] == {
        "description": "what it is",
        "signal_name": "EqualWeights",
        "signal_description": None,
        "rebalance_strategy_name": "ImmediateSignal",
    }
    assert (found["description"], found["calendar_name"]) == ("what it is", "XNYS")
    assert found["values_series"] == f"{name} values"


def test_1_5_one_name_is_one_portfolio(wire: Wire, name: str) -> None:
    wire.a_portfolio(name)
    other = {"portfolio_name": name, "data_node_update_id": wire.a_series(f"{name} other"), "calendar_name": "XNYS"}
    assert "another data node" in wire.post(CREATE, other, 409)["detail"]


@pytest.mark.parametrize("change", [{"data_node_update_id": 999_999_999}, {"signal_data_node_update_id": 999_999_999}])
def test_1_5_an_update_that_does_not_exist_is_not_found(wire: Wire, name: str, change: dict[str, int]) -> None:
    body = {"portfolio_name": name, "data_node_update_id": wire.a_series(name), "calendar_name": "XNYS"}
    assert "999999999" in wire.post(CREATE, body | change, 404)["detail"]
    assert a_page(wire.get(PORTFOLIO, index_asset__unique_identifier=name)) == []


@pytest.mark.parametrize("body", [{}, [], {"portfolio_name": ""}, {"portfolio_name": "x", "colour": 1}])
def test_1_5_a_portfolio_of_nothing_is_refused(wire: Wire, body: Any) -> None:
    assert wire.post(CREATE, body, 400)["detail"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"id": "{a}"}, "a", id="1.5 id"),
        pytest.param({"data_node_update__id": "{sa}"}, "a", id="1.5 data_node_update__id"),
        pytest.param({"data_node_update__id": "999999999"}, "", id="1.5 data_node_update__id of none"),
        pytest.param({"data_node_update__id__in": "{sa},{sb}"}, "ab", id="1.5 data_node_update__id__in"),
        pytest.param({"data_node_update__id__in": ""}, "", id="1.5 data_node_update__id__in blank"),
        pytest.param({"data_node_update__isnull": "False"}, "ab", id="1.5 data_node_update__isnull"),
        pytest.param({"data_node_update__isnull": "True"}, "", id="1.5 data_node_update__isnull True"),
        pytest.param({"signal_data_node_update__isnull": "False"}, "b", id="1.5 signal_data_node_update__isnull"),
        pytest.param({"signal_data_node_update__isnull": "True"}, "a", id="1.5 signal_…__isnull True"),
        pytest.param({"index_asset__unique_identifier": "{n}a"}, "a", id="1.5 index_asset__unique_identifier"),
        pytest.param({"index_asset__unique_identifier__in": "{n}a,x"}, "a", id="1.5 index_asset__…__in"),
    ],
)
def test_1_5_filters(wire: Wire, name: str, filters: dict[str, str], expected: str) -> None:
    signal = wire.a_series(f"{name} signal")
    a = wire.a_portfolio(f"{name}a")["portfolio"]["id"]
    wire.a_portfolio(f"{name}b", signal_data_node_update_id=signal)
    known = {"a": a, "n": name, "sa": signal + 1, "sb": signal + 2}
    asked = {"index_asset__unique_identifier__contains": name} | {
        key: value.format(**known) for key, value in filters.items()
    }
    found = [a_portfolio(each) for each in a_page(wire.get(PORTFOLIO, **asked))]
    assert [each["index_asset"]["unique_identifier"] for each in found] == [f"{name}{each}" for each in expected]


def test_1_5_patch_takes_the_arguments_of_create(wire: Wire, name: str) -> None:
    one = wire.a_portfolio(name)["portfolio"]
    series = wire.a_series(f"{name} new")
    body = {
        "portfolio_name": f"{name} new",
        "data_node_update_id": series,
        "signal_data_node_update_id": None,
        "calendar_name": "XLON",
        "target_portfolio_about": {"description": "new", "signal_name": "", "signal_description": "s"},
        "backtest_table_price_column_name": "open",
    }
    for _ in range(2):
        changed = a_portfolio(wire.patch(f"{PORTFOLIO}{one['id']}/", body))
    assert changed["calendar"] == {"name": "XLON"}
    assert changed["backtest_table_price_column_name"] == "open"
    assert changed["index_asset"]["current_snapshot"]["name"] == f"{name} new"
    assert a_page(wire.get(PORTFOLIO, data_node_update__id=str(series))) == [changed]


def _write(wire: Wire, series: str, columns: list[str], rows: dict[str, Any], *, by_asset: bool) -> None:
    index = ["time_index", "unique_identifier"] if by_asset else ["time_index"]
    schema = {"columns": [{"name": each} for each in columns], "index": index}
    made = wire.post("/api/v1/series", {"unique_identifier": series, "series_schema": schema})
    content = encode(pa.table(rows))
    wire.ask("POST", f"/api/v1/series/{made['id']}/rows", content=content, headers={"Content-Type": MEDIA_TYPE})


def test_1_5_get_latest_weights_has_a_numeric_date(wire: Wire, name: str) -> None:
    at = datetime(2024, 6, 28, 20, tzinfo=UTC)
    stamps = pa.array([at], pa.timestamp("us", "UTC"))
    _write(wire, f"{name} v", ["close"], {"time_index": stamps, "close": [1.0]}, by_asset=False)
    weights = {
        "time_index": pa.array([at, at], pa.timestamp("us", "UTC")),
        "unique_identifier": ["KO", "PG"],
        "weight_current": [0.25, 0.75],
    }
    _write(wire, f"{name} w", ["weight_current"], weights, by_asset=True)
    body = {
        "unique_identifier": name,
        "display_name": name,
        "values_series": f"{name} v",
        "weights_series": f"{name} w",
    }
    key = wire.post("/api/v1/portfolios", body)["id"]
    found = wire.get(f"{PORTFOLIO}{key}/get_latest_weights/")
    assert found == {"weights": {"KO": 0.25, "PG": 0.75}, "weights_date": 1_719_604_800.0}


def test_1_5_get_latest_weights_of_nothing_is_not_found(wire: Wire, name: str) -> None:
    key = wire.a_portfolio(name)["portfolio"]["id"]
    assert "nothing yet" in wire.get(f"{PORTFOLIO}{key}/get_latest_weights/", 404)["detail"]


def test_1_5_add_venue_answers_200_with_the_portfolio(wire: Wire, name: str) -> None:
    one = wire.a_portfolio(name)["portfolio"]
    for venue_id in (8, 7, 8):
        assert a_portfolio(wire.patch(f"{PORTFOLIO}{one['id']}/add_venue/", {"venue_id": venue_id})) == one
    assert wire.get(f"/api/v1/portfolios/{one['id']}")["venue_ids"] == [7, 8]


@pytest.mark.parametrize("body", [{}, [], {"venue_id": None}, {"venue_id": 0}, {"venue_id": 2**63}, {"venue": 1}])
def test_1_5_add_venue_of_none_is_refused(wire: Wire, name: str, body: Any) -> None:
    key = wire.a_portfolio(name)["portfolio"]["id"]
    assert wire.patch(f"{PORTFOLIO}{key}/add_venue/", body, 400)["detail"]
    assert wire.get(f"/api/v1/portfolios/{key}")["venue_ids"] == []


def test_1_5_add_venue_to_no_portfolio_is_not_found(wire: Wire) -> None:
    assert wire.patch(f"{PORTFOLIO}999999999/add_venue/", {"venue_id": 1}, 404)["detail"]


# -- 1.7


def group(wire: Wire, name: str, *portfolios: int, **fields: Any) -> Any:
    body = {"unique_identifier": name, "display_name": name, "portfolios": list(portfolios), "source": None}
    return a_group(wire.post(f"{GROUP}get_or_create/", body | fields, {200, 201}))


@pytest.mark.parametrize("source", [None, "desk", ""])
def test_trap_6_the_source_of_a_group_is_text(wire: Wire, name: str, source: str | None) -> None:
    made = group(wire, name, source=source, description=None)
    assert (made["source"], made["description"], made["portfolios"]) == (source or "", None, [])
    assert a_group(wire.patch(f"{GROUP}{made['id']}/", {"source": None}))["source"] == ""


def test_1_7_get_or_create_leaves_what_exists_unchanged(wire: Wire, name: str) -> None:
    key = wire.a_portfolio(name)["portfolio"]["id"]
    made = group(wire, name, key, description="d")
    assert group(wire, name, description="other") == made


def test_1_7_append_and_remove_portfolios_answer_200(wire: Wire, name: str) -> None:
    a, b = (wire.a_portfolio(f"{name}{each}")["portfolio"]["id"] for each in "ab")
    path = f"{GROUP}{group(wire, name, a)['id']}/"
    for _ in range(2):
        assert a_group(wire.post(f"{path}append-portfolios/", {"portfolios": [b, a]}))["portfolios"] == [a, b]
    for _ in range(2):
        assert a_group(wire.post(f"{path}remove-portfolios/", {"portfolios": [a]}))["portfolios"] == [b]
    assert wire.post(f"{path}append-portfolios/", {"portfolios": [999_999_999]}, 404)["detail"]


def test_1_7_filters_and_patch(wire: Wire, name: str) -> None:
    key = wire.a_portfolio(name)["portfolio"]["id"]
    made = group(wire, name)
    assert a_page(wire.get(GROUP, unique_identifier=name)) == [made]
    assert a_page(wire.get(GROUP, unique_identifier__in="")) == []
    changed = a_group(wire.patch(f"{GROUP}{made['id']}/", {"display_name": "New", "portfolios": [key]}))
    assert (changed["display_name"], changed["portfolios"]) == ("New", [key])


def test_1_7_create_with_another_meaning_is_refused(wire: Wire, name: str) -> None:
    body = {"unique_identifier": name, "display_name": name, "source": None}
    made = a_group(wire.post(GROUP, body, 201))
    assert wire.post(GROUP, body, 201) == made
    assert "exists already" in wire.post(GROUP, body | {"display_name": "x"}, 400)["detail"]


# -- 1.8


def test_1_8_markets_portfolios_list_reads_name_and_ticker(wire: Wire, name: str) -> None:
    wire.a_portfolio(name)
    asked = {"index_asset__unique_identifier": name, "data_node_update__isnull": "False"}
    (found,) = a_page(wire.get(PORTFOLIO, **asked))
    snapshot = found["index_asset"]["current_snapshot"]
    assert (snapshot["name"], snapshot["ticker"]) == (name, name)
