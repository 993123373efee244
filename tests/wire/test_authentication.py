"""WIRE 0.2, 0.3 and 1.8: who asks, what the client asks for by itself, and its command line."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from mainsequence.contract import credentials as credentials_contract
from mainsequence.contract.credentials import PasswordChange
from mainsequence.domain.access import UserCreation
from mainsequence.errors import AuthenticationError, ConfigurationError
from mainsequence.platform.platform import Platform
from mainsequence.platform.services import access, credentials
from mainsequence.server.sessions import ACCESS_SECONDS, Sessions
from mainsequence.settings import Settings
from tests.cli.runner import answer, refusal, run
from tests.wire.servers import ASSET, ON_POSTGRESQL, PASSWORD, Wire, a_wire

UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzaWQiOjEsImV4cCI6OTk5OTk5OTk5OSwidXNlIjoiYWNjZXNzIn0."
TOKEN, REFRESH, LOGOUT = "/auth/jwt-token/token/", "/auth/jwt-token/token/refresh/", "/auth/jwt-token/logout/"
ME = "/auth/rest-auth/user/"
WRITTEN = {"username", "email", "date_joined", "is_active", "api_request_limit", "mfa_enabled"}


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    """A server for each test: failed log-ins slow down those that follow."""
    with a_wire(tmp_path / "served") as served:
        yield served


def logged_in(wire: Wire, username: str = "admin", password: str = PASSWORD) -> Any:
    sent = wire.bare.post(TOKEN, json={"username": username, "password": password})
    assert sent.status_code == 200, sent.text
    return sent.json()


def asked(wire: Wire, authorization: str, path: str = ASSET) -> int:
    return wire.bare.get(path, headers={"Authorization": authorization}).status_code


def refreshed(wire: Wire, token: str, **headers: str) -> httpx.Response:
    return wire.bare.post(REFRESH, json={"refresh": token}, headers=headers)


def a_user(wire: Wire, name: str, role: str = "editor") -> int:
    made = wire.post("/api/v1/users", {"name": name, "role": role})
    wire.ask("PUT", f"/api/v1/users/{made['id']}/password", json={"password": PASSWORD})
    return int(made["id"])


def claims(token: str) -> Any:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


# -- 0.2


@pytest.mark.parametrize("path", [ASSET, "/api/v1/whoami"], ids=["/orm/api", "/api/v1"])
@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_0_2_a_token_and_a_jwt_open_both_faces(wire: Wire, path: str, scheme: str) -> None:
    assert asked(wire, f"{scheme} {wire.token}", path) == 200
    assert asked(wire, f"{scheme} {logged_in(wire)['access']}", path) == 200


def test_0_2_post_token_gives_exactly_access_and_refresh(wire: Wire) -> None:
    given = logged_in(wire)
    assert set(given) == {"access", "refresh"}
    assert len(given["access"].split(".")) == 3
    said = claims(given["access"])
    assert said["exp"] == wire.clock.now // 1_000_000 + 900
    assert not {"username", "name", "role"} & set(said), "anyone can read it"


@pytest.mark.parametrize(
    "body",
    [
        {"username": "admin", "password": "wrong wrong wrong"},
        {"username": "nobody", "password": PASSWORD},
        {"username": "admin", "password": ""},
        {"username": "ADMIN", "password": PASSWORD},
    ],
)
def test_0_2_a_wrong_password_and_an_unknown_user_are_told_alike(wire: Wire, body: dict[str, str]) -> None:
    sent = wire.bare.post(TOKEN, json=body)
    assert sent.status_code == 401
    assert sent.json()["detail"].startswith("Name or password are wrong.")


@pytest.mark.parametrize("body", [None, {}, [], {"username": "admin"}, {"username": 1, "password": 2}])
def test_0_2_a_log_in_that_says_nothing_is_a_bad_request(wire: Wire, body: Any) -> None:
    assert wire.bare.post(TOKEN, json=body).status_code == 400


def test_0_2_nobody_knows_who_sends_a_long_body_and_it_is_not_read(wire: Wire) -> None:
    body = {"username": "admin", "password": "x" * 100_000}
    assert wire.bare.post(TOKEN, json=body).status_code == 413


def test_0_2_a_user_without_a_password_cannot_log_in(wire: Wire, name: str) -> None:
    wire.post("/api/v1/users", {"name": name})
    assert wire.bare.post(TOKEN, json={"username": name, "password": PASSWORD}).status_code == 401


def test_0_2_post_refresh_gives_a_new_pair_and_ignores_the_stale_authorization(wire: Wire) -> None:
    first = logged_in(wire)
    wire.clock.pass_seconds(ACCESS_SECONDS)
    stale = f"Bearer {first['access']}"
    assert asked(wire, stale) == 401
    sent = refreshed(wire, first["refresh"], Authorization=stale)
    assert (sent.status_code, set(sent.json())) == (200, {"access", "refresh"})
    assert sent.json()["refresh"] != first["refresh"]
    assert asked(wire, f"Bearer {sent.json()['access']}") == 200
    assert refreshed(wire, sent.json()["refresh"], Authorization="Bearer nonsense").status_code == 200


def test_0_2_an_access_token_holds_for_a_quarter_of_an_hour(wire: Wire) -> None:
    given = logged_in(wire)
    wire.clock.pass_seconds(ACCESS_SECONDS - 1)
    assert asked(wire, f"Bearer {given['access']}") == 200
    wire.clock.pass_seconds(1)
    assert asked(wire, f"Bearer {given['access']}") == 401


@pytest.mark.parametrize(
    "token",
    ["-", "x", "a.b.c", "msp_x", "eyJhbGciOiJub25lIn0.eyJzaWQiOjEsImV4cCI6OTk5OTk5OTk5OSwidXNlIjoiYWNjZXNzIn0."],
)
def test_0_2_what_was_not_signed_here_is_refused(wire: Wire, token: str) -> None:
    assert asked(wire, f"Bearer {token}") == 401
    assert refreshed(wire, token).status_code == 401


def test_0_2_each_token_has_its_one_use(wire: Wire) -> None:
    given = logged_in(wire)
    assert asked(wire, f"Bearer {given['refresh']}") == 401
    assert refreshed(wire, given["access"]).status_code == 401


def test_0_2_post_logout_ends_the_session_at_once(wire: Wire) -> None:
    given, other = logged_in(wire), logged_in(wire)
    bearer = {"Authorization": f"Bearer {given['access']}"}
    sent = wire.bare.post(LOGOUT, json={"refresh": given["refresh"]}, headers=bearer)
    assert sent.is_success
    assert asked(wire, bearer["Authorization"]) == 401
    assert refreshed(wire, given["refresh"]).status_code == 401
    assert asked(wire, f"Bearer {other['access']}") == 200


def test_0_2_every_401_may_be_sent_twice(wire: Wire) -> None:
    assert [asked(wire, "Token msp_wrong") for _ in range(2)] == [401, 401]


@pytest.mark.parametrize("path", [ASSET, ME])
def test_0_2_without_credentials_nothing_is_said(wire: Wire, path: str) -> None:
    sent = wire.bare.get(path)
    assert (sent.status_code, set(sent.json())) == (401, {"detail"})
    assert sent.headers["WWW-Authenticate"] == "Bearer"


def test_0_4_429_says_when_to_ask_again(wire: Wire) -> None:
    body = {"username": "admin", "password": "wrong wrong wrong"}
    answers = [wire.bare.post(TOKEN, json=body) for _ in range(25)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert int(limited[0].headers["Retry-After"]) >= 1
    assert limited[0].json()["detail"]


# -- sessions


def test_a_lost_answer_to_a_refresh_is_asked_for_again_for_minutes(wire: Wire) -> None:
    given = logged_in(wire)
    pairs = [refreshed(wire, given["refresh"]).json() for _ in range(3)]
    wire.clock.pass_seconds(290)
    pairs.append(refreshed(wire, given["refresh"]).json())
    for pair in pairs:
        assert asked(wire, f"Bearer {pair['access']}") == 200
        assert refreshed(wire, pair["refresh"]).status_code == 200


def test_a_refresh_token_used_long_ago_ends_its_session(wire: Wire) -> None:
    given = logged_in(wire)
    thief = refreshed(wire, given["refresh"]).json()
    wire.clock.pass_seconds(301)
    assert refreshed(wire, given["refresh"]).status_code == 401
    assert asked(wire, f"Bearer {thief['access']}") == 401
    assert refreshed(wire, thief["refresh"]).status_code == 401


def test_the_audit_log_says_who_logged_in_and_why_a_session_ended(wire: Wire) -> None:
    given, other = logged_in(wire), logged_in(wire)
    wire.bare.post(LOGOUT, json={"refresh": other["refresh"]})
    wire.bare.post(LOGOUT, json={"refresh": other["refresh"]})
    refreshed(wire, given["refresh"])
    wire.clock.pass_seconds(301)
    refreshed(wire, given["refresh"])
    asked_for = {"filters": {"actor": "admin", "operation__contains": "access."}}
    lines = wire.post("/api/v1/audit/query", asked_for)["results"]
    told = [(line["operation"], line["unique_identifier"], line["carrier"], bool(line["reason"])) for line in lines]
    assert sorted(told) == [
        ("access.end_session", "admin", "http", True),
        ("access.log_in", "admin", "http", False),
        ("access.log_in", "admin", "http", False),
        ("access.log_out", "admin", "http", False),
        ("access.set_password", "admin", "http", False),
    ]
    assert {line["client"] for line in lines} == {"127.0.0.1"}


def test_a_session_ends_where_nobody_continues_it(wire: Wire) -> None:
    given = logged_in(wire)
    wire.clock.pass_seconds(29 * 86_400)
    kept = refreshed(wire, given["refresh"]).json()
    wire.clock.pass_seconds(29 * 86_400)
    kept = refreshed(wire, kept["refresh"]).json()
    wire.clock.pass_seconds(30 * 86_400)
    assert refreshed(wire, kept["refresh"]).status_code == 401


def test_a_user_who_is_shut_out_has_no_session_any_more(wire: Wire, name: str) -> None:
    key = a_user(wire, name)
    given = logged_in(wire, name)
    wire.patch(f"/api/v1/users/{key}", {"is_active": False})
    assert asked(wire, f"Bearer {given['access']}") == 401
    wire.patch(f"/api/v1/users/{key}", {"is_active": True})
    assert asked(wire, f"Bearer {given['access']}") == 401
    assert refreshed(wire, given["refresh"]).status_code == 401
    assert asked(wire, f"Bearer {logged_in(wire, name)['access']}") == 200


def test_another_password_ends_every_session(wire: Wire, name: str) -> None:
    key = a_user(wire, name)
    given = logged_in(wire, name)
    wire.ask("PUT", f"/api/v1/users/{key}/password", json={"password": "another long password"})
    assert asked(wire, f"Bearer {given['access']}") == 401
    assert refreshed(wire, given["refresh"]).status_code == 401
    logged_in(wire, name, "another long password")


def test_a_role_holds_in_a_session_as_it_is_now(wire: Wire, name: str) -> None:
    key = a_user(wire, name, "reader")
    bearer = {"Authorization": f"Bearer {logged_in(wire, name)['access']}"}
    url = ASSET
    assert wire.bare.post(url, json={"unique_identifier": name}, headers=bearer).status_code == 403
    wire.patch(f"/api/v1/users/{key}", {"role": "editor"})
    assert wire.bare.post(url, json={"unique_identifier": name}, headers=bearer).status_code == 201


def test_sessions_are_shared_by_processes_and_outlive_restarts(wire: Wire) -> None:
    given = logged_in(wire)
    registry = wire.platform.engine.url.render_as_string(hide_password=False) if ON_POSTGRESQL else None
    other = Platform.embedded(Settings(home=Path(wire.platform.home), database_url=registry), wire.clock)
    try:
        assert Sessions(other).actor(given["access"]).name == "admin"
        assert Sessions(other).refresh(given["refresh"]).access
        with pytest.raises(AuthenticationError):
            Sessions(other, "another key of at least 32 characters").actor(given["access"])
    finally:
        other.close()


def test_the_first_key_that_is_made_is_everybodys(tmp_path: Any) -> None:
    platform = Platform.embedded(Settings(home=tmp_path))
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Sessions(platform)._signing_key(), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 43
    platform.close()


def test_a_short_signing_key_is_refused(tmp_path: Any) -> None:
    platform = Platform.embedded(Settings(home=tmp_path))
    with pytest.raises(ConfigurationError, match="at least 32"):
        Sessions(platform, "short")
    platform.close()


def test_a_key_of_the_settings_signs_and_is_not_stored(tmp_path: Path) -> None:
    key = "a key of the settings, 32 characters"
    assert Settings.from_environment({"MAINSEQUENCE_JWT_KEY": key}).jwt_key == key
    platform = Platform.embedded(Settings(home=tmp_path))
    with platform.work(platform.actor, writes=True) as work:
        admin = access.create_user(work, UserCreation(name="admin", role="admin"))
    platform.call(credentials_contract.SET_PASSWORD, PasswordChange(password=PASSWORD), key=admin.id)
    token = Sessions(platform, key).log_in("admin", PASSWORD).access
    assert jwt.decode(token, key, ["HS256"], issuer="mainsequence-platform")["use"] == "access"
    with platform.work(platform.actor, writes=False) as work:
        assert credentials.signing_key(work) is None
    assert key not in repr(Settings(home=tmp_path, jwt_key=key))
    assert PASSWORD not in repr(PasswordChange(password=PASSWORD))
    platform.close()


def test_nothing_that_opens_a_door_is_stored_readable(wire: Wire) -> None:
    given = logged_in(wire)
    secrets = [PASSWORD, given["access"], given["refresh"], claims(given["refresh"])["jti"]]
    for file in Path(wire.platform.home).rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not any(secret.encode() in content for secret in secrets), file


def test_every_attempt_passes_one_gate(wire: Wire) -> None:
    seen: list[tuple[str, str, bool]] = []

    @contextmanager
    def gate(name: str, client: str) -> Iterator[None]:
        try:
            yield
        except AuthenticationError:
            seen.append((name, client, False))
            raise
        seen.append((name, client, True))

    sessions = Sessions(wire.platform, attempts=gate)
    sessions.log_in("admin", PASSWORD, "10.0.0.1")
    with pytest.raises(AuthenticationError):
        sessions.log_in("admin", "wrong", "10.0.0.2")
    assert seen == [("admin", "10.0.0.1", True), ("admin", "10.0.0.2", False)]


@pytest.mark.slow
def test_an_unknown_name_takes_as_long_as_a_wrong_password(wire: Wire) -> None:
    def seconds(username: str) -> float:
        began = time.perf_counter()
        with pytest.raises(AuthenticationError):
            Sessions(wire.platform).log_in(username, "wrong wrong wrong")
        return time.perf_counter() - began

    known, unknown = ([seconds(who) for _ in range(9)] for who in ("admin", "nobody"))
    assert 0.3 < min(known) / min(unknown) < 3


# -- 0.3: what the client asks for by itself


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/orm/api/pods/job/get_job_startup_state/?command_id=3", 404, id="0.3 import: startup state"),
        pytest.param("/orm/api/pods/projects/get_user_default_project/", 404, id="0.3 import: default project"),
        pytest.param("/orm/api/pods/projects/7/", 404, id="0.3 import: project by id"),
    ],
)
def test_0_3_there_are_no_projects_and_the_import_goes_on(wire: Wire, path: str, status: int) -> None:
    assert wire.get(path, status)["detail"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/orm/api/assets/api/constants",
            {
                "FIGI_SECURITY_TYPE_CRYPTO": str,
                "FIGI_SECURITY_TYPE_2_CRYPTO": str,
                "FIGI_SECURITY_TYPE_2_PERPETUAL": str,
            },
        ),
        (
            "/orm/api/ts_manager/api/constants",
            {"DATA_SOURCE_TYPE_TIMESCALEDB": str, "SCHEDULER_HEART_BEAT_FREQUENCY_SECONDS": int},
        ),
    ],
    ids=["0.3 markets constants", "0.3 tdag constants"],
)
def test_0_3_constants_are_flat(wire: Wire, path: str, expected: dict[str, type]) -> None:
    found = wire.get(path)
    assert {name: type(found[name]) for name in expected} == expected
    assert all(isinstance(value, str | int) for value in found.values())


# -- 1.8: the command line


def test_1_8_each_command_first_asks_who_it_is(wire: Wire) -> None:
    bearer = {"Authorization": f"Bearer {logged_in(wire)['access']}"}
    me = wire.bare.get(ME, headers=bearer).json()
    assert me["id"]
    user = wire.bare.get(f"/user/api/user/{me['id']}/", headers=bearer).json()
    assert (user["username"], set(user)) == ("admin", WRITTEN | {"id"})
    assert wire.get("/user/api/user/999/", 404)["detail"]


# -- our own command line


def test_a_command_gives_a_user_a_password(home: Any) -> None:
    answer("user", "create", "ada")
    assert "new password" in run("user", "password", "ada", "--stdin", given=f"{PASSWORD}\n").stderr
    assert answer_of("user", "password", "ada", "--json", given=f"{PASSWORD}\n{PASSWORD}\n")["name"] == "ada"
    assert "no user 'bo'" in refusal("user", "password", "bo", "--stdin")
    short = run("user", "password", "ada", "--stdin", given="short\n", code=2)
    assert "12 to 200 characters" in short.stderr
    platform = Platform.embedded(Settings(home=home))
    assert Sessions(platform).log_in("ada", PASSWORD).access
    platform.close()


def answer_of(*words: str, given: str) -> Any:
    return json.loads(run(*words, given=given).stdout)
