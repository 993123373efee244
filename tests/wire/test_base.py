"""WIRE 0.1, 0.4, 0.5 and 0.7: addresses, errors, lists, filters and pages."""

import gzip
import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from mainsequence.platform.written import WRITERS
from tests.wire.servers import (
    ASSET,
    CATEGORY,
    GROUP,
    INDEX,
    PORTFOLIO,
    TABLE,
    Wire,
    a_category,
    a_group,
    a_page,
    a_portfolio,
    a_table,
    an_asset,
    an_index_asset,
)

NOUNS = [ASSET, INDEX, CATEGORY, TABLE, PORTFOLIO, GROUP]


# -- 0.1


@pytest.mark.parametrize("path", NOUNS)
def test_0_1_paths_end_with_a_slash(wire: Wire, path: str) -> None:
    a_page(wire.get(path))
    assert wire.http.get(path.rstrip("/"), follow_redirects=True).status_code in {200, 404}


def test_0_1_answers_may_be_gzip(wire: Wire, name: str) -> None:
    wire.assets(*(f"{name}{number}" for number in range(20)))
    with wire.http.stream("GET", ASSET, headers={"Accept-Encoding": "gzip, deflate"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(b"".join(answer.iter_raw())).startswith(b"{")


# -- 0.4


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        pytest.param("POST", ASSET, {"json": {"unique_identifier": ""}}, 400, id="0.4 400 BadRequestError"),
        pytest.param("POST", ASSET, {"json": [1]}, 400, id="0.4 400 a list where an object is due"),
        pytest.param("POST", ASSET, {}, 400, id="0.4 400 no body"),
        pytest.param("POST", ASSET, {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        pytest.param("POST", ASSET, {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 400),
        pytest.param("POST", ASSET, {"json": {"unique_identifier": "a", "colour": "red"}}, 400, id="0.4 unknown field"),
        pytest.param("GET", f"{ASSET}?colour=red", {}, 400, id="0.4 unknown filter"),
        pytest.param("GET", f"{ASSET}?id=one", {}, 400, id="0.4 a filter of the wrong type"),
        pytest.param("GET", f"{ASSET}?limit=0", {}, 400, id="0.4 an empty page"),
        pytest.param("GET", f"{ASSET}?limit=x", {}, 400, id="0.4 a page of no size"),
        pytest.param("GET", ASSET, {"headers": {"Authorization": "Token wrong"}}, 401, id="0.4 401"),
        pytest.param("GET", f"{ASSET}999999999/", {}, 404, id="0.4 404 NotFoundError"),
        pytest.param("GET", f"{ASSET}one/", {}, 404, id="0.4 404 no id"),
        pytest.param("GET", "/orm/api/assets/nothing/", {}, 404, id="0.4 404 no such address"),
        pytest.param("PUT", ASSET, {}, 405, id="0.4 any other: ApiError"),
    ],
)
def test_0_4_every_error_says_its_detail(wire: Wire, method: str, path: str, sent: dict[str, Any], status: int) -> None:
    answer = wire.http.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    assert isinstance(detail, str)
    assert detail


def test_0_4_403_tells_what_is_missing(wire: Wire, name: str) -> None:
    user = wire.post("/api/v1/users", {"name": name, "role": "reader"})
    token = wire.post(f"/api/v1/users/{user['id']}/tokens", {})["token"]
    headers = {"Authorization": f"Token {token}"}
    assert wire.bare.get(ASSET, headers=headers).status_code == 200
    refused = wire.bare.post(ASSET, json={"unique_identifier": name}, headers=headers)
    assert (refused.status_code, set(refused.json())) == (403, {"detail"})
    assert "editor" in refused.json()["detail"]


def test_0_4_409_what_something_needs_is_not_deleted(wire: Wire, name: str) -> None:
    made = wire.a_portfolio(name)
    wire.post(f"{GROUP}get_or_create/", _a_group(name, made["portfolio"]["id"]))
    assert name in wire.delete(f"{PORTFOLIO}{made['portfolio']['id']}/", 409)["detail"]


def test_0_4_500_tells_nothing_but_the_request(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret details")

    monkeypatch.setitem(WRITERS, "assets.query", fail)
    answer = wire.http.get(ASSET)
    assert answer.status_code == 500
    assert answer.json()["detail"]
    assert "secret" not in answer.text


def test_0_4_an_id_of_another_organization_is_not_found(wire: Wire, name: str) -> None:
    (key,) = wire.assets(name)
    user = wire.post("/api/v1/users", {"name": name, "role": "admin", "organization": "Other"})
    token = wire.post(f"/api/v1/users/{user['id']}/tokens", {})["token"]
    headers = {"Authorization": f"Token {token}"}
    assert wire.bare.get(f"{ASSET}{key}/", headers=headers).status_code == 404
    for path in NOUNS:
        assert wire.bare.get(path, headers=headers).json()["results"] == []


# -- 0.5


def test_0_5_next_is_absolute_repeats_the_filters_and_is_followed_verbatim(wire: Wire, name: str) -> None:
    ids = wire.assets(*(f"{name} {number}" for number in range(7)))
    page = wire.get(ASSET, unique_identifier__contains=name, limit="3", page_size="3")
    seen, addresses = [], []
    while True:
        seen += [each["id"] for each in a_page(page)]
        if page["next"] is None:
            break
        addresses.append(page["next"])
        page = wire.get(page["next"])
    assert seen == ids
    assert len(addresses) == 2
    for address in addresses:
        assert address.startswith(f"{wire.address}{ASSET}?")
        assert "limit=3&page_size=3" in address
        assert f"unique_identifier__contains={name}" in address


@pytest.mark.parametrize(
    ("headers", "start"),
    [
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "ms.example.com"}, "https://ms.example.com/orm/"),
        ({"X-Forwarded-Proto": "https, http", "Host": "ms.example.com:8443"}, "https://ms.example.com:8443/orm/"),
        ({"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "evil/?x="}, "http://127.0.0.1"),
    ],
    ids=["proxy", "proxy that keeps the host", "nonsense"],
)
def test_0_5_next_is_where_the_client_reached_the_server(
    wire: Wire, name: str, headers: dict[str, str], start: str
) -> None:
    wire.assets(f"{name}a", f"{name}b")
    page = wire.http.get(ASSET, params={"limit": 1}, headers=headers).json()
    assert page["next"].startswith(start)


def test_0_5_pages_are_stable_while_others_write(wire: Wire, name: str) -> None:
    ids = wire.assets(*(f"{name}{number}" for number in range(4)))
    first = wire.get(ASSET, unique_identifier__contains=name, page_size="2")
    wire.delete(f"{ASSET}{ids[0]}/")
    wire.assets(f"{name}x")
    second = wire.get(first["next"])
    assert [each["id"] for each in second["results"]] == ids[2:]


@pytest.mark.parametrize(
    ("lookup", "value", "expected"),
    [
        pytest.param("unique_identifier", "{n}a", ["{n}a"], id="0.5 exact"),
        pytest.param("unique_identifier__in", "{n}a,{n}c", ["{n}a", "{n}c"], id="0.5 x__in comma-joined"),
        pytest.param("unique_identifier__in", "", [], id="0.5 blank x__in is no rows"),
        pytest.param("id__in", "", [], id="0.5 blank id__in is no rows"),
        pytest.param("unique_identifier__contains", "{n}b", ["{n}b"], id="0.5 __contains"),
        pytest.param("figi__isnull", "True", ["{n}a", "{n}b", "{n}c"], id="0.5 __isnull True"),
        pytest.param("figi__isnull", "False", [], id="0.5 __isnull False"),
        pytest.param("is_custom_by_organization", "True", ["{n}a", "{n}b", "{n}c"], id="0.5 booleans: True"),
        pytest.param("is_custom_by_organization", "false", [], id="0.5 booleans: false"),
        pytest.param("current_snapshot__ticker", "{n}TA", ["{n}a"], id="0.5 __ paths into related objects"),
    ],
)
@pytest.mark.parametrize("how", ["GET", "POST"])
def test_0_5_lookups(wire: Wire, name: str, lookup: str, value: str, expected: list[str], how: str) -> None:
    for each in "abc":
        wire.post(ASSET, {"unique_identifier": f"{name}{each}", "snapshot": _named(name, each)}, 201)
    filters = {lookup: value.format(n=name)}
    if lookup != "unique_identifier":
        filters.setdefault("unique_identifier__contains", name)
    found = wire.get(ASSET, **filters) if how == "GET" else wire.post(f"{ASSET}query/", filters)
    assert [each["unique_identifier"] for each in a_page(found)] == [each.format(n=name) for each in expected]


def _named(name: str, each: str) -> dict[str, str]:
    return {"name": f"{name} {each}", "ticker": f"{name}T{each.upper()}"}


@pytest.mark.parametrize("value", [True, "true"])
def test_0_5_booleans_in_bodies_are_json(wire: Wire, name: str, value: Any) -> None:
    wire.assets(name)
    found = wire.post(f"{ASSET}query/", {"unique_identifier": name, "is_custom_by_organization": value})
    assert len(a_page(found)) == 1


def test_0_5_lists_in_bodies_are_lists_too(wire: Wire, name: str) -> None:
    ids = wire.assets(f"{name}a", f"{name}b")
    assert len(a_page(wire.post(f"{ASSET}query/", {"id__in": ids}))) == 2
    assert len(a_page(wire.post(f"{ASSET}query/", {"id__in": ",".join(map(str, ids))}))) == 2


def test_0_5_get_by_field_is_a_list_of_exactly_one(wire: Wire, name: str) -> None:
    wire.assets(name)
    assert len(a_page(wire.get(ASSET, unique_identifier=name))) == 1
    assert a_page(wire.get(ASSET, unique_identifier=f"{name} no")) == []


def test_trap_20_a_request_line_of_66_kb_is_read(wire: Wire, name: str) -> None:
    (key,) = wire.assets(name)
    status, found = _raw(wire, _line(6_129, key))
    assert (status, [each["id"] for each in found["results"]]) == (200, [key])
    assert _raw(wire, ASSET)[0] == 200


def test_trap_20_a_request_line_of_a_mebibyte_is_414(wire: Wire) -> None:
    status, found = _raw(wire, _line(110_000, 1))
    assert (status, found["detail"]) == (414, "The address is longer than 1 MiB.")


def _line(count: int, key: int) -> str:
    line = f"{ASSET}?id__in=" + "".join(f"{10_000_000 + number}%2C" for number in range(count)) + str(key)
    assert len(line) > 66_000
    return line


def _raw(wire: Wire, line: str) -> tuple[int, Any]:
    """Ask as httpx would not: it knows no addresses longer than 64 KiB."""
    with closing(http.client.HTTPConnection(wire.address.removeprefix("http://"))) as connection:
        connection.request("GET", line, headers={"Authorization": f"Token {wire.token}"})
        answer = connection.getresponse()
        return answer.status, json.load(answer)


# -- 0.6 and 0.7


def _a_group(name: str, *portfolios: int) -> dict[str, Any]:
    return {"unique_identifier": name, "display_name": name, "portfolios": list(portfolios), "source": None}


def _make(wire: Wire, path: str, name: str) -> int:
    if path == PORTFOLIO:
        return int(wire.a_portfolio(name)["portfolio"]["id"])
    bodies: dict[str, Any] = {
        ASSET: {"unique_identifier": name, "snapshot": {"name": name, "ticker": name}},
        CATEGORY: {"unique_identifier": name, "display_name": name, "assets": wire.assets(f"{name} member")},
        TABLE: {"unique_identifier": name},
        GROUP: _a_group(name),
    }
    return int(wire.post(path, bodies[path], {200, 201})["id"])


SHAPED: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    ASSET: (an_asset, {"isin": "US0378331005"}),
    CATEGORY: (a_category, {"description": "new"}),
    TABLE: (a_table, {"rules": []}),
    PORTFOLIO: (a_portfolio, {"calendar_name": "XLON"}),
    GROUP: (a_group, {"description": "new"}),
}


@pytest.mark.parametrize("path", SHAPED)
def test_0_6_and_0_7_create_get_filter_patch_and_delete(wire: Wire, name: str, path: str) -> None:
    shaped, change = SHAPED[path]
    key = _make(wire, path, name)
    one = shaped(wire.get(f"{path}{key}/"))
    assert one["id"] == key
    listed = a_page(wire.get(path, id=str(key)))
    assert [shaped(each) for each in listed] == [one]
    changed = shaped(wire.patch(f"{path}{key}/", change))
    assert {name: changed[name] for name in change if name in changed}.items() <= changed.items()
    assert shaped(wire.get(f"{path}{key}/")) == changed
    wire.delete(f"{path}{key}/")
    assert wire.get(f"{path}{key}/", 404)["detail"]
    assert a_page(wire.get(path, id=str(key))) == []


@pytest.mark.parametrize("path", [ASSET, CATEGORY, TABLE, GROUP])
def test_0_7_update_or_create_changes_what_exists_and_creates_what_does_not(wire: Wire, name: str, path: str) -> None:
    shaped, change = SHAPED[path]
    either, made = f"{path}update_or_create/", {"unique_identifier": name}
    if path in (CATEGORY, GROUP):
        made["display_name"] = name
    first = shaped(wire.post(either, made, {200, 201}))
    assert first["unique_identifier"] == name
    for _ in range(2):
        changed = shaped(wire.post(either, made | change, {200, 201}))
        assert (changed["id"], changed["unique_identifier"]) == (first["id"], name)
        assert changed.items() >= change.items()
    assert [shaped(each) for each in a_page(wire.get(path, unique_identifier=name))] == [changed]
    assert wire.post(either, {}, 400)["detail"]


def test_0_7_patch_of_an_index_asset_has_no_address_of_its_own(wire: Wire, name: str) -> None:
    made = wire.a_portfolio(name)
    key = made["portfolio_index_asset"]["id"]
    assert an_index_asset(wire.get(f"{INDEX}{key}/")) == made["portfolio_index_asset"]
    assert wire.patch(f"{INDEX}{key}/", {}, 405)["detail"]


@pytest.mark.parametrize("path", SHAPED)
def test_0_5_query_posts_its_filters_everywhere(wire: Wire, name: str, path: str) -> None:
    shaped, _ = SHAPED[path]
    keys = [_make(wire, path, f"{name}{number}") for number in range(3)]
    body: dict[str, Any] = {"id__in": ",".join(map(str, keys))}
    page, found = wire.post(f"{path}query/", body, limit=2, page_size=2), []
    while True:
        found += [shaped(each)["id"] for each in a_page(page)]
        if page["next"] is None:
            break
        page = wire.post(page["next"], body)
    assert found == keys


@pytest.mark.parametrize("path", SHAPED)
def test_trap_15_a_deletion_whose_answer_was_lost_is_done(wire: Wire, name: str, path: str) -> None:
    key = _make(wire, path, name)
    for _ in range(4):
        wire.delete(f"{path}{key}/")
    assert wire.delete(f"{path}999999999/", 404)["detail"]


def _creations(wire: Wire, name: str) -> dict[str, tuple[str, Any, int]]:
    (member,) = wire.assets(f"{name} member")
    series = wire.a_series(f"{name} series")
    return {
        "asset": (ASSET, {"unique_identifier": name, "snapshot": {"name": name}}, 201),
        "batch": (f"{ASSET}batch_get_or_register_custom_assets/", [{"unique_identifier": name}], 200),
        "category": (CATEGORY, {"display_name": name, "assets": [member]}, 201),
        "category get-or-create": (f"{CATEGORY}get-or-create/", {"display_name": name}, 200),
        "table": (TABLE, {"unique_identifier": name}, 201),
        "portfolio": (
            f"{PORTFOLIO}create_from_time_series/",
            {"portfolio_name": name, "data_node_update_id": series, "calendar_name": "24/7"},
            201,
        ),
        "group": (GROUP, _a_group(name), 201),
        "group get_or_create": (f"{GROUP}get_or_create/", _a_group(name), 200),
    }


CREATED = ["asset", "batch", "category", "category get-or-create", "table", "portfolio", "group", "group get_or_create"]


@pytest.mark.parametrize("what", CREATED)
def test_trap_15_a_creation_whose_answer_was_lost_gives_the_same_object(wire: Wire, name: str, what: str) -> None:
    path, body, status = _creations(wire, name)[what]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: wire.http.post(path, json=body), range(12)))
    assert {answer.status_code for answer in answers} == {status}
    assert len({answer.text for answer in answers}) == 1
