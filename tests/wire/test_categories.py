"""WIRE 1.2: universes, with the ids of their members."""

from typing import Any

import pytest

from tests.wire.servers import ASSET, CATEGORY, Wire, a_category, a_page

GET_OR_CREATE = f"{CATEGORY}get-or-create/"


def made(wire: Wire, name: str, *assets: int, **fields: Any) -> Any:
    body = {"unique_identifier": name, "display_name": name, "assets": list(assets), **fields}
    return a_category(wire.post(GET_OR_CREATE, body, {200, 201}))


def test_1_2_the_object_is_exactly_five_keys_and_assets_are_ids(wire: Wire, name: str) -> None:
    ids = wire.assets(f"{name}a", f"{name}b")
    found = made(wire, name, *reversed(ids), description="what for")
    assert found == {
        "id": found["id"],
        "unique_identifier": name,
        "display_name": name,
        "assets": ids,
        "description": "what for",
    }


def test_1_2_get_or_create_leaves_what_exists_unchanged(wire: Wire, name: str) -> None:
    a, b = wire.assets(f"{name}a", f"{name}b")
    first = made(wire, name, a)
    assert made(wire, name, b, description="other") == first


@pytest.mark.parametrize(
    ("body", "identifier", "called"),
    [
        pytest.param({"display_name": "Favorite Crypto"}, "favorite_crypto", "Favorite Crypto", id="1.2 V: derived"),
        pytest.param({"unique_identifier": "u1"}, "u1", "u1", id="1.2 no display name"),
        pytest.param({"unique_identifier": "u2", "display_name": "U", "description": None, "assets": None}, "u2", "U"),
    ],
)
def test_1_2_names_follow_from_each_other(wire: Wire, body: dict[str, Any], identifier: str, called: str) -> None:
    found = a_category(wire.post(GET_OR_CREATE, body, {200, 201}))
    assert (found["unique_identifier"], found["display_name"]) == (identifier, called)


@pytest.mark.parametrize("body", [{}, {"display_name": ""}, {"display_name": "x", "source": "y"}, {"assets": [1]}])
def test_1_2_a_universe_without_a_name_is_refused(wire: Wire, body: dict[str, Any]) -> None:
    assert wire.post(GET_OR_CREATE, body, 400)["detail"]


def test_1_2_append_assets_ignores_members(wire: Wire, name: str) -> None:
    a, b = wire.assets(f"{name}a", f"{name}b")
    path = f"{CATEGORY}{made(wire, name, a)['id']}/append-assets/"
    for _ in range(3):
        assert a_category(wire.post(path, {"assets": [b, a]}, {200, 201}))["assets"] == [a, b]


def test_1_2_remove_assets_ignores_others(wire: Wire, name: str) -> None:
    a, b, c = wire.assets(f"{name}a", f"{name}b", f"{name}c")
    path = f"{CATEGORY}{made(wire, name, a, b)['id']}/remove-assets/"
    for _ in range(3):
        assert a_category(wire.post(path, {"assets": [b, c]}, {200, 201}))["assets"] == [a]


@pytest.mark.parametrize("how", ["append-assets/", "get-or-create", "patch", "create"])
def test_1_2_an_unknown_asset_is_a_bad_request_and_nothing_changes(wire: Wire, name: str, how: str) -> None:
    (a,) = wire.assets(f"{name}a")
    one = made(wire, name, a)
    if how == "patch":
        refused = wire.patch(f"{CATEGORY}{one['id']}/", {"assets": [a, 999_999_999], "display_name": "x"}, 400)
    elif how == "append-assets/":
        refused = wire.post(f"{CATEGORY}{one['id']}/{how}", {"assets": [a, 999_999_999]}, 400)
    else:
        body = {"unique_identifier": f"{name} new", "display_name": name, "assets": [a, 999_999_999]}
        refused = wire.post(GET_OR_CREATE if how == "get-or-create" else CATEGORY, body, 400)
        assert a_page(wire.get(CATEGORY, unique_identifier=f"{name} new")) == []
    assert "999999999" in refused["detail"]
    assert wire.get(f"{CATEGORY}{one['id']}/") == one


@pytest.mark.parametrize("body", [None, {}, [], {"assets": "1"}, {"assets": [None]}, {"asset_ids": [1]}])
@pytest.mark.parametrize("verb", ["append-assets/", "remove-assets/"])
def test_1_2_an_edit_that_names_no_ids_is_refused(wire: Wire, name: str, verb: str, body: Any) -> None:
    path = f"{CATEGORY}{made(wire, name)['id']}/{verb}"
    assert wire.post(path, body, 400)["detail"]


def test_1_2_update_assets_is_a_removal_and_an_addition(wire: Wire, name: str) -> None:
    a, b, c = wire.assets(f"{name}a", f"{name}b", f"{name}c")
    one = made(wire, name, a, b)
    path = f"{CATEGORY}{one['id']}/"
    wire.post(f"{path}remove-assets/", {"assets": one["assets"]}, {200, 201})
    assert wire.post(f"{path}append-assets/", {"assets": [b, c]}, {200, 201})["assets"] == [b, c]


def test_1_2_update_assets_of_many_members_is_not_held_up_unless_owners_say_so(wire: Wire, name: str) -> None:
    ids = wire.assets(*(f"{name}{number}" for number in range(60)))
    path = f"{CATEGORY}{made(wire, name, *ids[:30])['id']}/"
    assert wire.post(f"{path}remove-assets/", {"assets": ids[:30]}, {200, 201})["assets"] == []
    assert wire.post(f"{path}append-assets/", {"assets": ids[30:]}, {200, 201})["assets"] == ids[30:]
    assert wire.patch(path, {"assets": ids[:30]})["assets"] == ids[:30]
    guards = path.replace(CATEGORY, "/api/v1/asset-categories/") + "guards"
    wire.patch(guards, {"max_removal_fraction": 0.1})
    for refused in (
        wire.post(f"{path}remove-assets/", {"assets": ids[:30]}, 409),
        wire.patch(path, {"assets": ids[30:]}, 409),
    ):
        assert "at most 10% may leave" in refused["detail"]
    assert wire.get(path)["assets"] == ids[:30]


def test_1_2_patch_replaces_the_members_in_one_call(wire: Wire, name: str) -> None:
    a, b, c = wire.assets(f"{name}a", f"{name}b", f"{name}c")
    one = made(wire, name, a, b)
    for _ in range(2):
        found = a_category(wire.patch(f"{CATEGORY}{one['id']}/", {"assets": [c, b], "description": "new"}))
        assert (found["assets"], found["description"]) == ([b, c], "new")
    history = wire.get(f"/api/v1/asset-categories/{one['id']}/history")
    assert [(each["added"], each["removed"]) for each in history] == [(2, 0), (1, 1)]


def test_1_2_get_assets_asks_for_all_ids_in_one_address(wire: Wire, name: str) -> None:
    ids = wire.assets(*(f"{name}{number}" for number in range(1_500)))
    one = made(wire, name, *ids)
    page = wire.get(ASSET, id__in=",".join(map(str, one["assets"])))
    found = [each["id"] for each in page["results"]]
    while page["next"]:
        page = wire.get(page["next"])
        found += [each["id"] for each in page["results"]]
    assert found == ids


def test_1_2_create_with_another_meaning_is_refused(wire: Wire, name: str) -> None:
    (a,) = wire.assets(f"{name}a")
    body = {"unique_identifier": name, "display_name": name, "assets": [a]}
    assert a_category(wire.post(CATEGORY, body, 201))["assets"] == [a]
    for other in ({"assets": []}, {"display_name": "x"}, {"description": "x"}):
        assert "exists already" in wire.post(CATEGORY, body | other, 400)["detail"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"unique_identifier": "{n}a"}, ["{n}a"], id="1.2 filter exact"),
        pytest.param({"unique_identifier__in": "{n}a,{n}b"}, ["{n}a", "{n}b"], id="1.2 filter __in"),
        pytest.param({"unique_identifier__in": ""}, [], id="1.2 filter blank __in"),
        pytest.param({"display_name__contains": "{n}b"}, ["{n}b"], id="1.2 filter __contains"),
        pytest.param({"search": "{N}A"}, ["{n}a"], id="1.2 D: search in the identifier"),
        pytest.param({"search": "Name of {n}b"}, ["{n}b"], id="1.2 D: search in the name"),
    ],
)
def test_1_2_filters(wire: Wire, name: str, filters: dict[str, str], expected: list[str]) -> None:
    (asset,) = wire.assets(f"{name} member")
    for each in "ab":
        made(wire, f"{name}{each}", asset, display_name=f"Name of {name}{each}")
    asked = {key: value.format(n=name, N=name.upper()) for key, value in filters.items()}
    found = [a_category(each) for each in a_page(wire.get(CATEGORY, **asked))]
    assert [each["unique_identifier"] for each in found] == [each.format(n=name) for each in expected]
    assert all(each["assets"] == [asset] for each in found)


def test_1_2_pages_come_with_the_members_of_each(wire: Wire, name: str) -> None:
    ids = wire.assets(*(f"{name}{number}" for number in range(5)))
    for number in range(5):
        made(wire, f"{name} {number}", *ids[:number])
    page, found = wire.get(CATEGORY, unique_identifier__contains=name, limit="2", page_size="2"), []
    while True:
        found += [a_category(each)["assets"] for each in a_page(page)]
        if page["next"] is None:
            break
        page = wire.get(page["next"])
    assert found == [ids[:number] for number in range(5)]


def test_1_2_members_are_those_of_now_in_a_dated_universe(wire: Wire, name: str) -> None:
    a, b = wire.assets(f"{name}a", f"{name}b")
    body = {"unique_identifier": name, "display_name": name, "dated": True}
    key = wire.post("/api/v1/asset-categories", body)["id"]
    wire.clock.pass_seconds(60)
    wire.post(f"{CATEGORY}{key}/append-assets/", {"assets": [a, b]}, {200, 201})
    wire.clock.pass_seconds(60)
    assert wire.post(f"{CATEGORY}{key}/remove-assets/", {"assets": [a]}, {200, 201})["assets"] == [b]
    assert a_page(wire.get(CATEGORY, id=str(key)))[0]["assets"] == [b]


def test_1_2_what_is_hidden_from_a_user_is_not_listed(wire: Wire, name: str) -> None:
    (asset,) = wire.assets(f"{name} member")
    hidden, shown = made(wire, f"{name} hidden", asset), made(wire, f"{name} shown", asset)
    wire.ask("PUT", f"/api/v1/asset-categories/{hidden['id']}/sharing", json={"visibility": "private"})
    headers = {"Authorization": f"Token {_token(wire, name)}"}
    listed = wire.ask("GET", CATEGORY, params={"search": name}, headers=headers)
    assert a_page(listed) == [shown]
    wire.ask("GET", f"{CATEGORY}{hidden['id']}/", 404, headers=headers)
    wire.ask("POST", f"{CATEGORY}{hidden['id']}/append-assets/", 404, json={"assets": [asset]}, headers=headers)
    ids = {"category_ids": [hidden["id"], shown["id"], 999_999_999]}
    found = wire.ask("POST", "/api/v1/asset-categories/asset-ids", json=ids, headers=headers)
    assert found == [{"id": shown["id"], "asset_ids": [asset]}]


def _token(wire: Wire, name: str) -> str:
    user = wire.post("/api/v1/users", {"name": name, "role": "editor"})
    return str(wire.post(f"/api/v1/users/{user['id']}/tokens", {})["token"])


@pytest.mark.parametrize("display_name", [5, True, ["Favorite"], {"a": 1}])
@pytest.mark.parametrize("path", ["", "get-or-create/", "update_or_create/"])
def test_a_name_that_is_no_text_is_a_bad_request(wire: Wire, path: str, display_name: object) -> None:
    assert wire.post(f"{CATEGORY}{path}", {"display_name": display_name}, 400)["detail"]
