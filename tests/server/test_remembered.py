"""Answers given again from memory are right: changed by any write of anybody, by time, by who asks."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.client.http import HttpCarrier
from mainsequence.contract import access, categories
from mainsequence.contract.wire import PREFIX
from mainsequence.domain.access import TokenCreation, UserCreation
from mainsequence.domain.times import to_micros
from mainsequence.platform.platform import Platform
from mainsequence.server.run import Binding, first_token, serving
from mainsequence.settings import Settings


class Clock:
    """A time that stands still until a test moves it."""

    now = datetime(2024, 1, 1, tzinfo=UTC)

    def __call__(self) -> int:
        return to_micros(self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def http(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[httpx.Client]:
    if request.param == "sqlite":
        yield from served(Settings(home=tmp_path / "home"), clock)
        return
    from tests.postgresql import new_database

    with new_database() as url:
        yield from served(Settings(home=tmp_path / "home", database_url=url), clock)


def served(settings: Settings, clock: Clock) -> Iterator[httpx.Client]:
    platform = Platform.embedded(settings, clock)
    issued = first_token(platform)
    assert issued is not None
    with serving(platform, Binding(port=0)) as address:
        headers = {"Authorization": f"Bearer {issued.token}", "X-Home": str(settings.home)}
        with httpx.Client(base_url=address, headers=headers) as client, msc.session(address, issued.token):
            assets = [{"unique_identifier": name} for name in "abc"]
            msc.Asset.batch_get_or_register_custom_assets(assets)
            msc.AssetCategory.create(unique_identifier="u", asset_ids=[1, 2])
            yield client
    platform.close()


IDS = f"{PREFIX}/asset-categories/1/asset-ids"


def remembered(http: httpx.Client) -> float:
    found = http.get("/metrics").text.split("\nmainsequence_remembered_answers_total ")[1]
    return float(found.splitlines()[0])


def test_the_same_question_is_answered_the_same_every_time(http: httpx.Client) -> None:
    answers = [http.get(IDS) for _ in range(5)]
    assert {each.content for each in answers} == {b"[1,2]"}
    assert len({each.headers["ETag"] for each in answers}) == 1
    assert len({each.headers["X-Request-ID"] for each in answers}) == 5
    assert [http.get(IDS, headers={"Accept-Encoding": coding}).json() for coding in ("gzip", "identity")] == [
        [1, 2]
    ] * 2


def test_it_is_not_worked_out_again(http: httpx.Client) -> None:
    for _ in range(6):
        http.get(IDS)
    assert remembered(http) >= 4


def test_a_write_is_seen_by_the_next_question(http: httpx.Client) -> None:
    universe = msc.AssetCategory.get(unique_identifier="u")
    for number in range(20):
        change = universe.append_assets if number % 2 == 0 else universe.remove_assets
        change(asset_ids=[3])
        assert http.get(IDS).json() == ([1, 2, 3] if number % 2 == 0 else [1, 2])


def test_a_write_of_another_process_is_seen_by_the_next_question(tmp_path: Path, clock: Clock) -> None:
    home = tmp_path / "home"
    for http in served(Settings(home=home), clock):
        script = (
            "import sys, mainsequence.client as msc; msc.connect(sys.argv[1]);"
            "msc.AssetCategory.get(unique_identifier='u').append_assets(asset_ids=[3])"
        )
        assert http.get(IDS).json() == [1, 2]
        subprocess.run([sys.executable, "-c", script, str(home)], check=True, timeout=60)
        assert http.get(IDS).json() == [1, 2, 3]


def test_members_change_with_the_time_alone(http: httpx.Client, clock: Clock) -> None:
    universe = msc.AssetCategory.get(unique_identifier="u")
    universe.append_assets(asset_ids=[3], effective_from=clock.now + timedelta(milliseconds=300))
    assert http.get(IDS).json() == [1, 2]
    tag = http.get(IDS).headers["ETag"]
    clock.now += timedelta(milliseconds=299)
    assert http.get(IDS, headers={"If-None-Match": tag}).status_code == 304
    clock.now += timedelta(milliseconds=1)
    later = http.get(IDS, headers={"If-None-Match": tag})
    assert (later.status_code, later.json()) == (200, [1, 2, 3])


def test_what_a_client_has_already_is_not_sent_again(http: httpx.Client) -> None:
    tag = http.get(IDS).headers["ETag"]
    for _ in range(3):
        same = http.get(IDS, headers={"If-None-Match": tag})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert http.get(IDS, headers={"If-None-Match": '"0-0"'}).json() == [1, 2]
    edit = {"asset_ids": [3]}
    changed = http.post(f"{PREFIX}/asset-categories/1/append-assets", json=edit, headers={"If-Match": tag})
    assert changed.status_code == 200, "the tag of members names the revision, and so guards a change"
    assert http.get(IDS, headers={"If-None-Match": tag}).json() == [1, 2, 3]


def test_an_answer_is_only_for_who_asked(http: httpx.Client) -> None:
    body = UserCreation(name="bo", role="admin", organization="Other")
    user = carrier().call(access.CREATE_USER, body)
    token = carrier().call(access.ISSUE_TOKEN, TokenCreation(), key=user.id).token
    for _ in range(2):
        assert http.get(IDS).status_code == 200
        assert http.get(IDS, headers={"Authorization": f"Bearer {token}"}).status_code == 404
        assert http.get(IDS, headers={"Authorization": "Bearer no"}).status_code == 401
        assert http.get(IDS, headers={"Authorization": ""}).status_code == 401


def test_a_token_is_worthless_from_its_revocation_on(http: httpx.Client) -> None:
    user = carrier().call(access.CREATE_USER, UserCreation(name="ed"))
    issued = carrier().call(access.ISSUE_TOKEN, TokenCreation(), key=user.id)
    theirs = HttpCarrier(str(http.base_url), issued.token)
    assert theirs.call(categories.ASSET_IDS, categories.AsOf(), key=1) == [1, 2]
    carrier().call(access.REVOKE_TOKEN, None, key=issued.id)
    headers = {"Authorization": f"Bearer {issued.token}"}
    assert http.get(IDS, headers=headers).status_code == 401
    assert http.get(f"{PREFIX}/whoami", headers=headers).status_code == 401


def test_a_user_shut_out_is_out(http: httpx.Client) -> None:
    user = carrier().call(access.CREATE_USER, UserCreation(name="ed"))
    issued = carrier().call(access.ISSUE_TOKEN, TokenCreation(), key=user.id)
    headers = {"Authorization": f"Bearer {issued.token}"}
    assert http.get(IDS, headers=headers).status_code == 200
    carrier().call(access.PATCH_USER, access.UserPatch(is_active=False), key=user.id)
    assert http.get(IDS, headers=headers).status_code == 401


def test_a_token_that_expires_is_remembered_no_longer_than_a_second(http: httpx.Client, clock: Clock) -> None:
    expires_at = clock.now + timedelta(milliseconds=200)
    user = carrier().call(access.CREATE_USER, UserCreation(name="ed"))
    issued = carrier().call(access.ISSUE_TOKEN, TokenCreation(expires_at=expires_at), key=user.id)
    headers = {"Authorization": f"Bearer {issued.token}"}
    assert http.get(IDS, headers=headers).status_code == 200
    clock.now += timedelta(seconds=1)
    assert http.get(IDS, headers=headers).status_code == 401
