"""Who may do what at every address of the vendor's client, and that nobody gets in without credentials."""

from dataclasses import dataclass
from http import HTTPStatus

import httpx
import pytest

from mainsequence.server.wire.exchange import Face
from mainsequence.server.wire.routes import FACES
from tests.wire.servers import ASSET, Wire

GUARDED = [face for face in FACES if not face.is_open]


@dataclass
class Tokens:
    """A token for each role."""

    reader: str
    editor: str


@pytest.fixture(scope="module")
def tokens(wire: Wire) -> Tokens:
    made = {}
    for role in ("reader", "editor"):
        user = wire.post("/api/v1/users", {"name": f"the-{role}", "role": role})
        made[role] = wire.post(f"/api/v1/users/{user['id']}/tokens", {})["token"]
    return Tokens(**made)


def asked(wire: Wire, face: Face, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    said = face.path.removesuffix("update_or_create/").split("/")[-2]
    body = None if face.method == "GET" else [] if "batch" in face.path else BODIES.get(said, {})
    return wire.bare.request(face.method, face.path.format(key=999_999_999), headers=headers, json=body)


BODIES = {
    "asset": {"unique_identifier": "x"},
    "asset-category": {"display_name": "x"},
    "asset-translation-tables": {"unique_identifier": "x"},
    "portfolio_group": {"unique_identifier": "x", "display_name": "x"},
    "get_or_register_custom_asset": {"unique_identifier": "x"},
    "get-or-create": {"display_name": "x"},
    "get_or_create": {"unique_identifier": "x", "display_name": "x"},
    "append-assets": {"assets": []},
    "remove-assets": {"assets": []},
    "append-portfolios": {"portfolios": []},
    "remove-portfolios": {"portfolios": []},
    "register_asset_from_figi": {"figi": "BBG000B9XRY4"},
    "get_or_register_from_isin": {"isin": "US0378331005", "exchange_code": "US"},
    "add_rule": {"asset_filter": {}, "markets_time_serie_unique_identifier": "s"},
    "remove_rule": {"rule_id": 1},
    "add_venue": {"venue_id": 1},
}


@pytest.mark.parametrize("face", GUARDED, ids=lambda face: f"{face.method} {face.path}")
def test_nobody_gets_in_without_good_credentials(wire: Wire, face: Face) -> None:
    for authorization in (None, "Token msp_wrong", "Bearer a.b.c", "Basic YTpi"):
        answer = asked(wire, face, authorization)
        if answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("face", GUARDED, ids=lambda face: f"{face.method} {face.path}")
def test_readers_read_and_editors_change(wire: Wire, tokens: Tokens, face: Face) -> None:
    found = asked(wire, face, f"Token {tokens.reader}").status_code
    if "index_asset_from_portfolios" in face.path or "create_from_time_series" in face.path:
        assert found == HTTPStatus.BAD_REQUEST, "they say nothing, and are asked to"
    elif not face.writes:
        assert found in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
    else:
        assert found in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    assert asked(wire, face, f"Token {tokens.editor}").status_code not in {401, 403, 500}


def test_what_is_counted_as_a_write_is_what_readers_may_not() -> None:
    reading = {f"{face.method} {face.path}" for face in GUARDED if not face.writes}
    assert all(each.startswith("GET ") or each.endswith("/query/") for each in reading)
    assert len(reading) == 22


def test_a_reader_changed_nothing(wire: Wire, tokens: Tokens) -> None:
    before = wire.get(ASSET)["count"]
    for face in GUARDED:
        if face.method == "POST":
            asked(wire, face, f"Token {tokens.reader}")
    assert wire.get(ASSET)["count"] == before
