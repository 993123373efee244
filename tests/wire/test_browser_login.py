"""WIRE 0.2, R: the command line logs in through a browser, with a code that is worthless to others."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.wire.servers import PASSWORD, Wire, a_wire

AUTHORIZE, TOKEN = "/auth/cli/authorize/", "/auth/cli/token/"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The pair that RFC 7636 gives as an example in appendix B."""

ASKED = {
    "client_id": "mainsequence-cli",
    "redirect_uri": "http://127.0.0.1:51234/callback",
    "state": "a b&c",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with a_wire(tmp_path / "served") as served:
        yield served


def submitted(wire: Wire, password: str = PASSWORD) -> httpx.Response:
    return wire.bare.post(AUTHORIZE, params=ASKED, data={"username": "admin", "password": password})


def a_code(wire: Wire) -> str:
    return parse_qs(urlsplit(submitted(wire).headers["Location"]).query)["code"][0]


def redeemed(wire: Wire, code: str, change: dict[str, str] | None = None) -> httpx.Response:
    body = {"client_id": ASKED["client_id"], "redirect_uri": ASKED["redirect_uri"], "code_verifier": VERIFIER}
    return wire.bare.post(TOKEN, json=body | {"code": code} | (change or {}))


def test_the_example_of_the_standard_holds() -> None:
    assert urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode() == CHALLENGE


def test_a_name_and_a_password_become_tokens_by_way_of_a_code(wire: Wire) -> None:
    assert "<form" in wire.bare.get(AUTHORIZE, params=ASKED).text
    sent = submitted(wire)
    assert sent.status_code == 303
    address = urlsplit(sent.headers["Location"])
    assert address.netloc + address.path == "127.0.0.1:51234/callback"
    assert parse_qs(address.query)["state"] == ["a b&c"]
    tokens = redeemed(wire, parse_qs(address.query)["code"][0]).json()
    assert set(tokens) == {"access", "refresh"}
    me = wire.bare.get("/auth/rest-auth/user/", headers={"Authorization": f"Bearer {tokens['access']}"})
    assert me.json()["username"] == "admin"


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "another"},
        {"client_id": "another"},
        {"redirect_uri": "http://127.0.0.1:9/callback"},
        {"code": "a.b.c"},
    ],
)
def test_a_code_is_worthless_to_others(wire: Wire, change: dict[str, str]) -> None:
    code = a_code(wire)
    assert redeemed(wire, code, change).status_code == 401
    assert redeemed(wire, code).status_code == 200


def test_a_code_holds_for_a_minute_and_opens_nothing_itself(wire: Wire) -> None:
    code = a_code(wire)
    assert wire.bare.get("/api/v1/whoami", headers={"Authorization": f"Bearer {code}"}).status_code == 401
    assert wire.bare.post("/auth/jwt-token/token/refresh/", json={"refresh": code}).status_code == 401
    wire.clock.pass_seconds(60)
    assert redeemed(wire, code).status_code == 401


def test_a_wrong_password_is_said_on_the_page(wire: Wire) -> None:
    sent = submitted(wire, "wrong wrong wrong")
    assert "Location" not in sent.headers
    assert "Name or password are wrong." in sent.text


def test_failed_attempts_are_slowed_down_here_too(wire: Wire) -> None:
    statuses = {submitted(wire, "wrong wrong wrong").status_code for _ in range(25)}
    assert 429 in statuses


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://evil.example:80/callback"},
        {"redirect_uri": "http://127.0.0.1:80@evil.example/"},
        {"redirect_uri": "http://127.0.0.1:80:80/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1:51234/\r\nSet-Cookie: a=b"},
        {"redirect_uri": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
)
def test_a_code_is_sent_to_this_machine_alone_and_never_without_a_challenge(wire: Wire, change: dict[str, str]) -> None:
    given: dict[str, Any] = ASKED | change
    for sent in (
        wire.bare.get(AUTHORIZE, params=given),
        wire.bare.post(AUTHORIZE, params=given, data={"username": "admin", "password": PASSWORD}),
    ):
        assert sent.status_code == 400
        assert sent.json()["detail"]


def test_what_a_program_says_is_not_run_by_the_browser(wire: Wire) -> None:
    sent = wire.bare.get(AUTHORIZE, params=ASKED | {"state": '"><script>alert(1)</script>', "client_id": "<b>"})
    assert "<script>" not in sent.text
    assert "<b>" not in sent.text
    assert "default-src 'none'" in sent.headers["Content-Security-Policy"]
    assert sent.headers["X-Frame-Options"] == "DENY"
