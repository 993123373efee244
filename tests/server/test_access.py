"""Users and tokens: shown once, stored hashed, and worthless when they should be."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import access as contract
from mainsequence.domain.access import TokenCreation, UserCreation
from mainsequence.errors import (
    AuthenticationError,
    ConflictError,
    InvalidIntervalError,
    NotFoundError,
    PermissionDeniedError,
)
from mainsequence.platform.platform import Platform
from mainsequence.server.run import Binding, first_token, serving
from mainsequence.settings import Settings
from tests.cli.runner import answer, refusal, run


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> int:
        return int(self.now.timestamp() * 1_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admin(home: Path, clock: Clock) -> Iterator[str]:
    """Serve this test's home; gives the address, with the administrator's session open."""
    platform = Platform.embedded(Settings(home=home), clock)
    issued = first_token(platform)
    assert issued is not None
    with serving(platform, Binding(port=0)) as address, msc.session(address, issued.token):
        yield address
    platform.close()


def a_token(name: str, role: str = "editor", expires_at: datetime | None = None, **fields: str) -> str:
    user = carrier().call(contract.CREATE_USER, UserCreation.parse({"name": name, "role": role, **fields}))
    return carrier().call(contract.ISSUE_TOKEN, TokenCreation(expires_at=expires_at), key=user.id).token


def who(address: str, token: str | None) -> str:
    with msc.session(address, token):
        return carrier().call(contract.WHOAMI, None).name


def test_a_token_says_who_asks(admin: str) -> None:
    assert who(admin, a_token("ada")) == "ada"


@pytest.mark.parametrize("token", [None, "msp_wrong", "x", "ü", "a b"])
def test_without_a_good_token_nothing_is_said(admin: str, token: str | None) -> None:
    with pytest.raises(AuthenticationError):
        who(admin, token)


def test_a_token_expires(admin: str, clock: Clock) -> None:
    token = a_token("ada", expires_at=clock.now + timedelta(hours=1))
    assert who(admin, token) == "ada"
    clock.now += timedelta(hours=1)
    with pytest.raises(AuthenticationError):
        who(admin, token)
    with pytest.raises(InvalidIntervalError):
        a_token("bo", expires_at=clock.now)


def test_a_revoked_token_is_worthless_at_once_and_the_others_hold(admin: str) -> None:
    first = a_token("ada")
    second = carrier().call(contract.ISSUE_TOKEN, TokenCreation(label="second"), key=2)
    carrier().call(contract.REVOKE_TOKEN, None, key=second.id - 1)
    with pytest.raises(AuthenticationError):
        who(admin, first)
    assert who(admin, second.token) == "ada"
    listed = carrier().call(contract.TOKENS, None, key=2)
    assert [each.revoked_at is None for each in listed] == [False, True]


def test_a_user_who_is_shut_out_may_come_back(admin: str) -> None:
    token = a_token("ada")
    carrier().call(contract.PATCH_USER, contract.UserPatch(is_active=False), key=2)
    with pytest.raises(AuthenticationError):
        who(admin, token)
    carrier().call(contract.PATCH_USER, contract.UserPatch(is_active=True), key=2)
    assert who(admin, token) == "ada"


def test_a_new_role_holds_at_once(admin: str) -> None:
    token = a_token("ada", "reader")
    with msc.session(admin, token), pytest.raises(PermissionDeniedError):
        msc.AssetCategory.create(unique_identifier="u")
    carrier().call(contract.PATCH_USER, contract.UserPatch(role="editor"), key=2)
    with msc.session(admin, token):
        assert msc.AssetCategory.create(unique_identifier="u").history() == []
    with pytest.raises(ConflictError, match="only administrator"):
        carrier().call(contract.PATCH_USER, contract.UserPatch(role="reader"), key=1)
    with pytest.raises(ConflictError, match="only administrator"):
        carrier().call(contract.PATCH_USER, contract.UserPatch(is_active=False), key=1)


def test_secrets_are_nowhere_in_the_home(admin: str, home: Path) -> None:
    token = a_token("ada")
    for file in home.rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes(), file
    with sqlite3.connect(home / "registry.db") as connection:
        assert len(connection.execute("SELECT secret_hash FROM access_token").fetchall()) == 2


def test_another_organization_is_another_world(admin: str) -> None:
    msc.AssetCategory.create(unique_identifier="ours", assets=[msc.Asset.create(unique_identifier="a")])
    with msc.session(admin, a_token("eve", "admin", organization="Other")):
        assert msc.AssetCategory.filter() == msc.Asset.filter() == []
        with pytest.raises(NotFoundError):
            msc.AssetCategory.get(1)
        with pytest.raises(msc.UnknownAssetsError):
            msc.AssetCategory.create(unique_identifier="ours", asset_ids=[1])
        assert msc.AssetCategory.create(unique_identifier="ours").id == 2
        assert [user.name for user in carrier().call(contract.USERS, None)] == ["eve"]
        with pytest.raises(NotFoundError):
            carrier().call(contract.TOKENS, None, key=1)
        with pytest.raises(NotFoundError):
            carrier().call(contract.REVOKE_TOKEN, None, key=1)
        with pytest.raises(PermissionDeniedError, match="first organization"):
            a_token("mallory", organization="local")


def test_the_history_names_who_wrote(admin: str) -> None:
    asset = msc.Asset.create(unique_identifier="a")
    with msc.session(admin, a_token("ada")):
        universe = msc.AssetCategory.create(unique_identifier="u", assets=[asset])
        assert [revision.actor for revision in universe.history()] == ["ada"]


def test_commands_manage_users_and_tokens() -> None:
    assert answer("user", "create", "ada", "--role", "reader")["role"] == "reader"
    assert "exists already" in refusal("user", "create", "ada")
    assert "reader" in refusal("user", "create", "bo", "--role", "king", code=2)
    assert answer("user", "change", "ada", "--role", "admin", "--shut-out")["is_active"] is False
    assert answer("user", "change", "ada", "--let-in")["role"] == "admin"
    printed = run("token", "create", "ada", "--expires", "2100-01-01")
    assert printed.stdout.startswith("msp_")
    assert len(printed.stdout.strip()) > 40
    (listed,) = answer("token", "list", "ada")
    assert (listed["expires_at"], "token" in listed) == ("2100-01-01T00:00:00Z", False)
    assert answer("token", "revoke", listed["id"])["revoked_at"] is not None
    assert "no user 'nobody'" in refusal("token", "create", "nobody")
    assert [each["name"] for each in answer("user", "list")] == ["ada"]
