"""WIRE 1.3: translation tables, whose rules this client compares by value."""

from typing import Any

import pytest

from tests.wire.servers import TABLE, Wire, a_page, a_rule, a_table

RULE = {
    "asset_filter": {"security_type": "Common Stock", "security_market_sector": "Equity"},
    "markets_time_serie_unique_identifier": "prices",
    "default_column_name": "close",
}


def made(wire: Wire, name: str, *rules: dict[str, Any]) -> tuple[str, list[int]]:
    """Create a table as this client's ``get_or_create`` does; gives its address and the ids of its rules."""
    assert a_page(wire.get(TABLE, unique_identifier=name)) == []
    one = a_table(wire.post(TABLE, {"unique_identifier": name}, {200, 201}))
    path = f"{TABLE}{one['id']}/"
    return path, [a_rule(wire.post(f"{path}add_rule/", rule, 201))["id"] for rule in rules]


def test_1_3_get_or_create_finds_its_table_with_its_rules(wire: Wire, name: str) -> None:
    path, ids = made(wire, name, RULE)
    (found,) = a_page(wire.get(TABLE, unique_identifier=name))
    assert a_table(found) == wire.get(path)
    assert [rule["id"] for rule in found["rules"]] == ids


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"security_type": "Common Stock", "security_market_sector": "Equity"}, id="1.3 both"),
        pytest.param({"security_type": "Crypto"}, id="1.3 nulls are not sent"),
        pytest.param({"security_market_sector": "Equity"}, id="1.3 sector alone"),
        pytest.param({}, id="1.3 every asset"),
    ],
)
def test_trap_8_the_asset_filter_comes_back_equal_to_what_was_sent(wire: Wire, name: str, sent: dict[str, str]) -> None:
    path, _ = made(wire, name, RULE | {"asset_filter": sent})
    (rule,) = wire.get(path)["rules"]
    assert rule["asset_filter"] == {"security_type": None, "security_market_sector": None} | sent
    assert rule["target_exchange_code"] is None


def test_1_3_add_rule_answers_201_with_the_rule(wire: Wire, name: str) -> None:
    path, _ = made(wire, name)
    added = a_rule(wire.post(f"{path}add_rule/", RULE | {"target_exchange_code": "US"}, 201))
    assert added["target_exchange_code"] == "US"
    assert wire.get(path)["rules"] == [added]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="1.3 the same rule"),
        pytest.param({"default_column_name": "open"}, id="1.3 the column is no part of its identity"),
        pytest.param({"target_exchange_code": None}, id="1.3 null is nothing"),
    ],
)
def test_trap_9_a_duplicate_rule_is_refused_in_the_words_that_are_swallowed(
    wire: Wire, name: str, change: dict[str, Any]
) -> None:
    path, _ = made(wire, name, RULE)
    detail = wire.post(f"{path}add_rule/", RULE | change, 400)["detail"]
    assert "already" in detail
    assert "present" in detail
    assert len(wire.get(path)["rules"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"asset_filter": {"security_type": "Common Stock"}}, id="1.3 a filter that overlaps"),
        pytest.param({"markets_time_serie_unique_identifier": "other"}, id="1.3 another target of one filter"),
        pytest.param({"target_exchange_code": "US"}, id="1.3 another exchange of one filter"),
        pytest.param({"asset_filter": {}}, id="1.3 a filter that accepts all"),
    ],
)
def test_1_3_overlaps_are_accepted_and_the_coverage_report_flags_them(
    wire: Wire, name: str, change: dict[str, Any]
) -> None:
    (asset,) = wire.assets(name, security_type="Common Stock", security_market_sector="Equity")
    path, _ = made(wire, name, RULE)
    wire.post(f"{path}add_rule/", RULE | change, 201)
    assert len(wire.get(path)["rules"]) == 2
    key = path.removeprefix(TABLE).strip("/")
    route = wire.get(f"/api/v1/asset-translation-tables/{key}/route", 409, asset_id=str(asset))
    assert route["code"] == "routing.ambiguous"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param("id", id="1.3 by rule_id"),
        pytest.param("rule", id="1.3 by the rule without nulls"),
    ],
)
def test_1_3_remove_rule_leaves_the_others(wire: Wire, name: str, sent: str) -> None:
    other = RULE | {"markets_time_serie_unique_identifier": "other"}
    path, (key, kept) = made(wire, name, RULE, other)
    body = {"rule_id": key} if sent == "id" else RULE
    wire.post(f"{path}remove_rule/", body, {200, 204})
    assert [rule["id"] for rule in wire.get(path)["rules"]] == [kept]
    assert wire.post(f"{path}remove_rule/", body, 404)["detail"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(RULE | {"asset_filter": None}, id="no filter"),
        pytest.param(RULE | {"asset_filter": {"colour": "red"}}, id="an unknown field"),
        pytest.param({"asset_filter": {}}, id="no target"),
        pytest.param(RULE | {"open_for_everyone": True}, id="1.3 R: open for everyone"),
        pytest.param(RULE | {"asset_filter": {"open_for_everyone": True}}, id="1.3 R: a filter open for everyone"),
        pytest.param([], id="a list"),
    ],
)
def test_1_3_any_other_bad_rule_raises(wire: Wire, name: str, body: Any) -> None:
    path, _ = made(wire, name)
    detail = wire.post(f"{path}add_rule/", body, 400)["detail"]
    assert not ("already" in detail and "present" in detail)


def test_1_3_a_flag_that_is_not_set_is_not_told(wire: Wire, name: str) -> None:
    sent = RULE | {"open_for_everyone": False, "asset_filter": {"security_type": "x", "open_for_everyone": False}}
    path, _ = made(wire, name, sent)
    (rule,) = a_table(wire.get(path))["rules"]
    assert rule["asset_filter"] == {"security_type": "x", "security_market_sector": None}


def test_1_3_a_filter_of_our_own_is_shown_whole(wire: Wire, name: str) -> None:
    own = {"asset_filter": {"exchange_code": "US"}, "markets_time_serie_unique_identifier": "prices"}
    wire.post("/api/v1/asset-translation-tables/get-or-create", {"unique_identifier": name, "rules": [own]})
    (found,) = a_page(wire.get(TABLE, unique_identifier=name))
    assert found["rules"][0]["asset_filter"] == {
        "security_type": None,
        "security_market_sector": None,
        "exchange_code": "US",
    }


def test_1_3_patch_lets_a_table_have_exactly_these_rules(wire: Wire, name: str) -> None:
    crypto = RULE | {"asset_filter": {"security_type": "Crypto"}}
    path, (kept, _) = made(wire, name, RULE, RULE | {"markets_time_serie_unique_identifier": "other"})
    for _ in range(2):
        found = a_table(wire.patch(path, {"unique_identifier": name, "rules": [RULE, crypto]}))
        assert [rule["asset_filter"]["security_type"] for rule in found["rules"]] == ["Common Stock", "Crypto"]
        assert found["rules"][0]["id"] == kept
    assert wire.patch(path, {"unique_identifier": "another"}, 400)["detail"]
    assert a_table(wire.patch(path, {}))["rules"] == found["rules"]


def test_1_3_tables_belong_to_an_organization(wire: Wire, name: str) -> None:
    path, _ = made(wire, name, RULE)
    user = wire.post("/api/v1/users", {"name": name, "role": "admin", "organization": "Other"})
    token = wire.post(f"/api/v1/users/{user['id']}/tokens", {})["token"]
    answer = wire.http.get(path, headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 404
