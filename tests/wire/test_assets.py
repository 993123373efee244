"""WIRE 1.1 and 1.6: assets, and the assets of portfolios."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mainsequence.contract import assets as contract
from mainsequence.contract.operation import In, Operation, Out
from mainsequence.domain.access import LOCAL_OWNER, Actor
from mainsequence.platform.platform import Platform
from mainsequence.server.sessions import Sessions
from mainsequence.server.wire import assets, index_assets
from mainsequence.server.wire.exchange import Answer, Call
from mainsequence.settings import Settings
from tests.wire.servers import ASSET, CATEGORY, INDEX, Wire, a_page, an_asset, an_index_asset

FIGI, OTHER_FIGI, ISIN = "BBG000B9XRY4", "BBG000BPH459", "US0378331005"
FIELDS = {
    "figi": FIGI,
    "composite": OTHER_FIGI,
    "share_class": "BBG001S5N8V8",
    "isin": ISIN,
    "security_type": "Common Stock",
    "security_type_2": "Common Stock",
    "security_market_sector": "Equity",
}
NAMES = {"name": "Apple Inc.", "ticker": "AAPL", "exchange_code": "US", "asset_ticker_group_id": "BBG001S5N8V8"}


def register(wire: Wire, name: str, **fields: Any) -> Any:
    body = {"unique_identifier": name, "snapshot": {"name": name}} | fields
    return an_asset(wire.post(f"{ASSET}get_or_register_custom_asset/", body, {200, 201}))


def listed(wire: Wire, **filters: str) -> list[str]:
    return [each["unique_identifier"] for each in a_page(wire.get(ASSET, **filters))]


def test_1_1_the_object(wire: Wire, name: str) -> None:
    made = register(wire, name, **FIELDS, snapshot=NAMES)
    assert {field: made[field] for field in FIELDS} == FIELDS
    assert {field: made["current_snapshot"][field] for field in NAMES} == NAMES
    assert made["current_snapshot"]["effective_from"].endswith("Z")
    assert made["current_snapshot"]["effective_to"] is None
    assert (made["is_tradable"], made["is_custom_by_organization"]) == (True, True)
    assert made["current_pricing_detail"] is None


def test_1_1_a_snapshot_is_always_sent(wire: Wire, name: str) -> None:
    made = an_asset(wire.post(ASSET, {"unique_identifier": name}, 201))
    assert made["current_snapshot"]["name"] == name


@pytest.mark.parametrize(
    ("lookup", "value"),
    [
        *[pytest.param(field, value, id=f"1.1 filter {field}") for field, value in FIELDS.items()],
        *[pytest.param(f"{field}__in", f"x,{value}", id=f"1.1 filter {field}__in") for field, value in FIELDS.items()],
        *[pytest.param(f"current_snapshot__{field}", value, id=f"1.1 {field}") for field, value in NAMES.items()],
        *[pytest.param(f"current_snapshot__{field}__in", f"{value},x") for field, value in NAMES.items()],
        pytest.param("current_snapshot__name__contains", "pple I", id="1.1 filter current_snapshot__name__contains"),
        *[pytest.param(field, value, id=f"1.1 filter {field}, short") for field, value in NAMES.items()],
    ],
)
def test_1_1_filters(wire: Wire, name: str, lookup: str, value: str) -> None:
    register(wire, name, **FIELDS, snapshot=NAMES)
    register(wire, f"{name} other")
    assert listed(wire, unique_identifier__contains=name, **{lookup: value}) == [name]


def test_1_1_filter_id(wire: Wire, name: str) -> None:
    a, b = wire.assets(f"{name}a", f"{name}b")
    assert listed(wire, id=str(a)) == [f"{name}a"]
    assert listed(wire, id__in=f"{a},{b}") == [f"{name}a", f"{name}b"]


def test_1_1_query_is_posted_again_for_the_next_page(wire: Wire, name: str) -> None:
    ids = wire.assets(*(f"{name}{number}" for number in range(5)))
    body, seen = {"unique_identifier__contains": name}, []
    page = wire.post(f"{ASSET}query/", body, limit=2, page_size=2)
    while True:
        seen += [an_asset(each)["id"] for each in a_page(page)]
        if page["next"] is None:
            break
        assert page["next"].startswith(f"{wire.address}{ASSET}query/?limit=2&page_size=2&")
        page = wire.post(page["next"], body)
    assert seen == ids


def test_1_1_a_listing_shows_each_asset_as_it_shows_it_alone(wire: Wire, name: str) -> None:
    venue = {"a": [1.5, None, True, {"b": "«"}], "c": 1e22}
    wire.assets(f"{name} plain")
    made = register(wire, f'{name} "full" Ä', **FIELDS, snapshot=NAMES | {"venue_specific_properties": venue})
    wire.post(f"{ASSET}{made['id']}/set-asset-pricing-detail/", INSTRUMENT | {"pricing_details_date": 1_700_000_000.25})
    wire.clock.pass_seconds(0.000_001)
    wire.patch(f"{ASSET}{made['id']}/", {"snapshot": {"name": "New"}})
    found = a_page(wire.get(ASSET, unique_identifier__contains=name))
    alone = [wire.get(f"{ASSET}{each['id']}/") for each in found]
    assert [json.dumps(an_asset(each)) for each in found] == [json.dumps(each) for each in alone]
    assert found[1]["current_snapshot"]["venue_specific_properties"] == venue
    assert found[1]["current_pricing_detail"]["pricing_details_date"] == "2023-11-14T22:13:20.250000Z"
    assert found[0]["current_snapshot"]["effective_from"] == "1900-01-01T00:00:00Z"


class Watched(Platform):
    """A platform that remembers what was carried out with models."""

    asked: ClassVar[list[str]] = []

    def call_as(self, actor: Actor, operation: Operation[In, Out], body: In, /, **path: int | str) -> Out:
        self.asked.append(operation.name)
        return super().call_as(actor, operation, body, **path)


@pytest.mark.parametrize("answer", [assets.listing, assets.listing_with_class, index_assets.listing])
def test_listings_of_assets_are_written_without_a_model_for_each_row(tmp_path: Path, answer: Answer) -> None:
    platform = Watched.embedded(Settings(home=tmp_path))
    names = [{"unique_identifier": f"a{number}", "security_type": "PORTFOLIO"} for number in range(3)]
    platform.call(contract.REGISTER, contract.Registrations.parse({"assets": names}))
    platform.asked.clear()
    page = answer(Call(platform, Sessions(platform), LOCAL_OWNER, {"limit": "2"}, None, "http://here/"))
    assert page.next == "http://here/?limit=2&after=2"
    assert contract.QUERY.name not in platform.asked


def test_1_1_get_by_primary_key(wire: Wire, name: str) -> None:
    (key,) = wire.assets(name)
    assert an_asset(wire.get(f"{ASSET}{key}/"))["unique_identifier"] == name
    assert wire.get(f"{ASSET}999999999/", 404)["detail"]


def test_1_1_filter_with_asset_class(wire: Wire, name: str) -> None:
    wire.assets(f"{name} plain")
    made = wire.a_portfolio(name)
    found = a_page(wire.get(f"{ASSET}list_with_asset_class/", unique_identifier__contains=name))
    plain, index = found
    assert an_asset({**plain}, "AssetClass")["AssetClass"] == "Asset"
    assert an_index_asset({**index}, "AssetClass")["AssetClass"] == "PortfolioIndexAsset"
    assert index["reference_portfolio"] == made["portfolio"]["id"]


def test_1_1_create_with_another_meaning_is_refused(wire: Wire, name: str) -> None:
    wire.post(ASSET, {"unique_identifier": name, "security_type": "Crypto"}, 201)
    assert "exists already" in wire.post(ASSET, {"unique_identifier": name, "security_type": "Other"}, 400)["detail"]
    assert "exists already" in wire.post(ASSET, {"unique_identifier": name}, 400)["detail"]


def test_1_1_a_deleted_asset_may_be_created_again(wire: Wire, name: str) -> None:
    (key,) = wire.assets(name)
    body = {"unique_identifier": name, "snapshot": {"name": name}}
    wire.delete(f"{ASSET}{key}/")
    assert an_asset(wire.post(ASSET, body, 201))["id"] == key
    assert an_asset(wire.get(f"{ASSET}{key}/"))["unique_identifier"] == name


def test_1_1_batch_gives_the_same_order_and_leaves_what_exists_unchanged(wire: Wire, name: str) -> None:
    register(wire, f"{name}b", security_type="Crypto")
    wanted = [{"unique_identifier": f"{name}{each}", "security_type": None} for each in "cba"]
    found = wire.post(f"{ASSET}batch_get_or_register_custom_assets/", wanted)
    assert [an_asset(each)["unique_identifier"] for each in found] == [f"{name}{each}" for each in "cba"]
    assert [each["security_type"] for each in found] == [None, "Crypto", None]
    assert wire.post(f"{ASSET}batch_get_or_register_custom_assets/", []) == []


@pytest.mark.parametrize("body", [{}, [1], [{"unique_identifier": "{n}a"}, {"unique_identifier": ""}], None])
def test_1_1_batch_is_all_or_nothing(wire: Wire, name: str, body: Any) -> None:
    sent = (
        [{**each, "unique_identifier": each["unique_identifier"].format(n=name)} for each in body if each != 1]
        if (isinstance(body, list) and body != [1])
        else body
    )
    assert wire.post(f"{ASSET}batch_get_or_register_custom_assets/", sent, 400)["detail"]
    assert listed(wire, unique_identifier__contains=name) == []


def test_1_1_get_or_register_finds_what_exists(wire: Wire, name: str) -> None:
    first = register(wire, name, security_type="Crypto")
    assert register(wire, name, security_type="Other") == first


def test_1_1_register_from_figi_has_the_figi_as_identity_and_is_not_custom(wire: Wire) -> None:
    figi = "BBG000BLNNH6"
    made = an_asset(wire.post(f"{ASSET}register_asset_from_figi/", {"figi": figi}, {200, 201}))
    assert (made["unique_identifier"], made["figi"], made["is_custom_by_organization"]) == (figi, figi, False)
    assert wire.post(f"{ASSET}register_asset_from_figi/", {"figi": figi}, {200, 201}) == made
    assert "check digit" in wire.post(f"{ASSET}register_asset_from_figi/", {"figi": "BBG000BLNNH7"}, 400)["detail"]


def test_1_1_get_or_register_from_isin(wire: Wire) -> None:
    body = {"isin": "US5949181045", "exchange_code": "UW"}
    made = an_asset(wire.post(f"{ASSET}get_or_register_from_isin/", body, {200, 201}))
    assert (made["isin"], made["current_snapshot"]["exchange_code"]) == ("US5949181045", "UW")
    assert wire.post(f"{ASSET}get_or_register_from_isin/", body, {200, 201}) == made
    elsewhere = wire.post(f"{ASSET}get_or_register_from_isin/", body | {"exchange_code": "GR"}, {200, 201})
    assert elsewhere["id"] != made["id"]
    assert wire.post(f"{ASSET}get_or_register_from_isin/", body | {"isin": "US5949181046"}, 400)["detail"]


def test_1_1_get_or_register_from_isin_finds_the_registered_listing(wire: Wire, name: str) -> None:
    made = register(wire, name, isin="GB0002634946", snapshot={"name": "BAE", "exchange_code": "LN"})
    body = {"isin": "GB0002634946", "exchange_code": "LN"}
    assert wire.post(f"{ASSET}get_or_register_from_isin/", body, {200, 201}) == made


def test_1_1_patch_changes_fields_and_names(wire: Wire, name: str) -> None:
    made = register(wire, name, security_type="Crypto", snapshot={"name": "Old", "ticker": "OLD"})
    wire.clock.pass_seconds(60)
    path = f"{ASSET}{made['id']}/"
    changed = an_asset(wire.patch(path, {"security_type": "Other", "snapshot": {"name": "New"}}))
    assert (changed["security_type"], changed["current_snapshot"]["name"]) == ("Other", "New")
    assert changed["current_snapshot"]["ticker"] == "OLD"
    wire.clock.pass_seconds(60)
    assert an_asset(wire.patch(path, {"figi": None, "ticker": "NEW"}))["current_snapshot"]["ticker"] == "NEW"
    assert "unique_identifier" in wire.patch(path, {"unique_identifier": "another"}, 400)["detail"]


def test_1_1_deleting_an_asset_takes_it_out_of_universes(wire: Wire, name: str) -> None:
    a, b = wire.assets(f"{name}a", f"{name}b")
    made = wire.post(f"{CATEGORY}get-or-create/", {"display_name": name, "assets": [a, b]})
    wire.delete(f"{ASSET}{a}/")
    assert wire.get(f"{CATEGORY}{made['id']}/")["assets"] == [b]


INSTRUMENT = {"instrument_type": "FixedRateBond", "instrument": {"face_value": 100, "coupon_rate": 0.05}}


@pytest.mark.parametrize(
    ("body", "date"),
    [
        pytest.param(INSTRUMENT | {"pricing_details_date": 1_700_000_000}, 1_700_000_000, id="1.1 from_ms_instrument"),
        pytest.param(INSTRUMENT | {"pricing_details_date": 1_700_000_000.25}, 1_700_000_000.25, id="fractions"),
        pytest.param(INSTRUMENT | {"pricing_details_date": "2023-11-14T22:13:20Z"}, 1_700_000_000, id="ISO 8601"),
        pytest.param(INSTRUMENT, None, id="1.1 add_instrument_pricing_details: no date is now"),
    ],
)
def test_trap_5_pricing_details_come_back_with_a_numeric_date(
    wire: Wire, name: str, body: dict[str, Any], date: float | None
) -> None:
    (key,) = wire.assets(name)
    stored = wire.post(f"{ASSET}{key}/set-asset-pricing-detail/", body, {200, 201})
    assert set(stored) == {"instrument_dump", "pricing_details_date"}
    assert stored["instrument_dump"] == INSTRUMENT
    assert stored["pricing_details_date"] == (wire.clock.now / 1e6 if date is None else date)
    detail = an_asset(wire.get(f"{ASSET}{key}/"))["current_pricing_detail"]
    assert detail["instrument_dump"] == INSTRUMENT
    assert detail["pricing_details_date"].endswith("Z")


def test_1_1_terms_without_an_instrument_are_not_shown_as_the_client_would_delete_them(wire: Wire, name: str) -> None:
    (key,) = wire.assets(name)
    dump = {"instrument_type": "x", "instrument": None}
    assert wire.post(f"{ASSET}{key}/set-asset-pricing-detail/", dump, {200, 201})["instrument_dump"] == dump
    assert an_asset(wire.get(f"{ASSET}{key}/"))["current_pricing_detail"] is None


@pytest.mark.parametrize("date", [True, "yesterday", [], 1e300])
def test_1_1_pricing_details_at_no_time_are_refused(wire: Wire, name: str, date: Any) -> None:
    (key,) = wire.assets(name)
    body = INSTRUMENT | {"pricing_details_date": date}
    assert wire.post(f"{ASSET}{key}/set-asset-pricing-detail/", body, 400)["detail"]


def test_1_1_set_pricing_of_no_asset_is_404(wire: Wire) -> None:
    assert wire.post(f"{ASSET}999999999/set-asset-pricing-detail/", INSTRUMENT, 404)["detail"]


def test_1_1_clear_asset_pricing_details_takes_no_body(wire: Wire, name: str) -> None:
    (key,) = wire.assets(name)
    wire.post(f"{ASSET}{key}/set-asset-pricing-detail/", INSTRUMENT, {200, 201})
    wire.patch(f"{ASSET}{key}/clear-asset-pricing-details/")
    assert wire.get(f"{ASSET}{key}/")["current_pricing_detail"] is None


def test_1_1_create_or_update_index_asset_from_portfolios(wire: Wire, name: str) -> None:
    made = wire.a_portfolio(name)
    body = {"reference_portfolio": made["portfolio"]["id"]}
    found = wire.post(f"{ASSET}create_or_update_index_asset_from_portfolios/", body, {200, 201})
    assert an_index_asset(found) == made["portfolio_index_asset"]


# -- 1.6


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, ["{n}a", "{n}b"], id="1.6 only the assets of portfolios"),
        pytest.param({"reference_portfolio__id": "{a}"}, ["{n}a"], id="1.6 reference_portfolio__id"),
        pytest.param(
            {"reference_portfolio__id__in": "{a},{b}"}, ["{n}a", "{n}b"], id="1.6 reference_portfolio__id__in"
        ),
        pytest.param({"reference_portfolio__id__in": ""}, [], id="1.6 blank __in"),
        pytest.param({"reference_portfolio__id__in": "{a}", "unique_identifier__in": "{n}b"}, [], id="1.6 both"),
        pytest.param({"unique_identifier__contains": "{n}b"}, ["{n}b"], id="1.6 all asset filters"),
        pytest.param({"current_snapshot__name": "{n}b"}, ["{n}b"], id="1.6 all asset filters: the snapshot's"),
        pytest.param({"security_type": "Common Stock"}, [], id="1.6 another type"),
        pytest.param(
            {"reference_portfolio__data_node_update__update_hash": "abc"},
            [],
            id="1.6 update_hash: there are no updates",
        ),
        pytest.param({"reference_portfolio__data_node_update__update_hash__in": "a,b"}, [], id="1.6 update_hash__in"),
    ],
)
def test_1_6_filters(wire: Wire, name: str, filters: dict[str, str], expected: list[str]) -> None:
    wire.assets(f"{name}c")
    a, b = (wire.a_portfolio(f"{name}{each}")["portfolio"]["id"] for each in "ab")
    asked = {"unique_identifier__contains": name} | {
        lookup: value.format(n=name, a=a, b=b) for lookup, value in filters.items()
    }
    found = [an_index_asset(each) for each in a_page(wire.get(INDEX, **asked))]
    assert [each["unique_identifier"] for each in found] == [each.format(n=name) for each in expected]


def test_1_6_query(wire: Wire, name: str) -> None:
    key = wire.a_portfolio(name)["portfolio"]["id"]
    (found,) = a_page(wire.post(f"{INDEX}query/", {"reference_portfolio__id": key}))
    assert an_index_asset(found)["unique_identifier"] == name


def test_1_6_the_plain_endpoint_lists_it_without_its_portfolio(wire: Wire, name: str) -> None:
    wire.a_portfolio(name)
    (found,) = a_page(wire.get(ASSET, unique_identifier=name))
    an_asset(found)
