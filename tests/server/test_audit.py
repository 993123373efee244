"""The audit log: no committed write without its line, no line without a write, and who may read it."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier as current
from mainsequence.contract import access, credentials
from mainsequence.contract import audit as contract
from mainsequence.contract.wire import PREFIX
from mainsequence.domain.access import TokenCreation, UserCreation
from mainsequence.domain.audit import AuditEntry
from mainsequence.errors import MainSequenceError, PermissionDeniedError, SchemaMismatchError, StorageError
from mainsequence.platform import auditing
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry import audit as registry
from mainsequence.platform.registry.engine import transaction
from tests.carriers.servers import a_server
from tests.cli.runner import answer, run


@pytest.fixture(params=["embedded", "postgresql", "http"])
def reached(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with ExitStack() as stack:
        if request.param == "postgresql":
            from tests.postgresql import new_database

            monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", stack.enter_context(new_database()))
        if request.param == "http":
            address, token = stack.enter_context(a_server(home))
            stack.enter_context(msc.session(address, token))
        yield request.param
        msc.disconnect()


def lines(**asked: Any) -> list[AuditEntry]:
    span = {name: asked.pop(name) for name in ("since", "until", "limit", "after") if name in asked}
    return current().call(contract.QUERY, contract.AuditQuery(filters=asked, **span)).results


def told(**asked: Any) -> list[tuple[Any, ...]]:
    return [
        (each.operation, each.unique_identifier, each.objects, each.revision, each.reason) for each in lines(**asked)
    ]


def a_universe() -> msc.AssetCategory:
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "abc"])
    return msc.AssetCategory.create(unique_identifier="u", assets=assets[:1])


def test_every_write_tells_who_what_why_and_from_where(reached: str) -> None:
    universe = a_universe()
    universe.append_assets(asset_ids=[2, 3], reason="they joined")
    (line,) = lines(operation="categories.append_assets")
    assert (line.actor, line.object_id, line.unique_identifier) == (
        {"http": "admin"}.get(reached, "local"),
        universe.id,
        "u",
    )
    assert (line.objects, line.revision, line.reason, line.outcome) == (2, 2, "they joined", "done")
    revision = universe.history()[-1]
    assert revision.recorded_at <= line.recorded_at <= revision.recorded_at + timedelta(seconds=10)
    if reached == "http":
        assert (line.carrier, line.client) == ("http", "127.0.0.1")
        assert line.request_id
    else:
        assert line.carrier == "embedded"
        assert "process" in str(line.client)


def test_lines_are_newest_first_and_outlive_their_object(reached: str) -> None:
    universe = a_universe()
    universe.patch(display_name="Other")
    universe.delete()
    found = [each for each in told() if not each[0].startswith("access.")]
    assert found == [
        ("categories.delete", "u", 1, None, None),
        ("categories.patch", "u", 1, 1, None),
        ("categories.create", "u", 1, 1, None),
        ("assets.register", None, 3, None, None),
    ]
    first = lines()[0]
    assert lines(limit=1) == [first]
    assert first not in lines(after=first.id)


def test_what_is_deleted_or_revoked_is_named(reached: str) -> None:
    made = current().call(access.CREATE_USER, UserCreation(name="ada", role="reader"))
    token = current().call(access.ISSUE_TOKEN, TokenCreation(label="notebook"), key=made.id)
    current().call(access.REVOKE_TOKEN, None, key=token.id)
    msc.Team.create(name="quants").delete()
    msc.Webhook.create(url=f"https://example.com/{'long' * 100}").delete()
    assert told(operation="access.revoke_token") == [("access.revoke_token", "ada", 1, None, None)]
    assert told(operation="teams.delete") == [("teams.delete", "quants", 1, None, None)]
    (hook,) = lines(operation="webhooks.delete")
    assert str(hook.unique_identifier).startswith("https://example.com/long")


def test_what_changes_nothing_or_is_refused_leaves_no_line(reached: str) -> None:
    universe = a_universe()
    before = told()
    universe.append_assets(asset_ids=[1])
    msc.AssetCategory.get_or_create(unique_identifier="u")
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "a"}])
    for refused in (
        lambda: universe.append_assets(asset_ids=[99]),
        lambda: universe.append_assets(asset_ids=[2], if_revision=9),
        lambda: msc.AssetCategory.create(unique_identifier="u"),
    ):
        with pytest.raises(MainSequenceError):
            refused()
    assert told() == before


def rows(*closes: float) -> pa.Table:
    stamps = pa.array([1_700_000_000_000_000 + i for i in range(len(closes))], pa.timestamp("us", "UTC"))
    return pa.table({"time_index": stamps, "unique_identifier": ["a"] * len(closes), "close": list(closes)})


def test_rows_of_series_are_recorded_though_they_are_elsewhere(reached: str) -> None:
    from mainsequence.contract import series as series_contract
    from mainsequence.domain.series import ColumnSpec, SeriesDeclaration, SeriesSchema

    schema = SeriesSchema(columns=(ColumnSpec(name="close"),))
    series = current().call(series_contract.CREATE, SeriesDeclaration(unique_identifier="prices", series_schema=schema))
    for _ in range(2):
        current().call(series_contract.UPSERT, rows(1.0, 2.0), key=series.id)
    with pytest.raises(SchemaMismatchError):
        current().call(series_contract.UPSERT, rows(1.0).drop(["close"]), key=series.id)
    assert told(operation__contains="series.") == [
        ("series.upsert", "prices", 2, 1, None),
        ("series.create", "prices", 1, None, None),
    ]


def test_a_write_of_rows_that_breaks_off_stays_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mainsequence.contract import series as series_contract
    from mainsequence.domain.series import ColumnSpec, SeriesDeclaration, SeriesSchema
    from mainsequence.platform.work import SERVICES, Registered

    platform = current()
    assert isinstance(platform, Platform)
    schema = SeriesSchema(columns=(ColumnSpec(name="close"),))
    declared = SeriesDeclaration(unique_identifier="prices", series_schema=schema)
    series = platform.call(series_contract.CREATE, declared)

    def breaks(*_: Any, **__: Any) -> None:
        raise StorageError("The disk went away.")

    monkeypatch.setitem(SERVICES, "series.upsert", Registered(breaks, writes=False))
    with pytest.raises(StorageError):
        platform.call(series_contract.UPSERT, rows(1.0), key=series.id)
    assert [line.outcome for line in lines(operation="series.upsert")] == ["started"]


def test_a_write_whose_line_cannot_be_written_is_not_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    universe = a_universe()

    def fails(*_: Any) -> None:
        raise StorageError("The log is full.")

    monkeypatch.setattr(auditing, "record", fails)
    with pytest.raises(StorageError):
        universe.append_assets(asset_ids=[2])
    assert universe.refresh().asset_ids() == [1]


def test_only_administrators_read_it_and_only_of_their_organization(tmp_path: Path) -> None:
    with a_server(tmp_path) as (address, token), msc.session(address, token):
        a_universe()
        tokens = {}
        for name, role, organization in (("ed", "editor", None), ("bo", "admin", "Other")):
            body = UserCreation(name=name, role=role, organization=organization)  # type: ignore[arg-type]
            user = current().call(access.CREATE_USER, body)
            tokens[name] = current().call(access.ISSUE_TOKEN, TokenCreation(), key=user.id).token
        created = [line.unique_identifier for line in lines(operation="access.create_user")]
        assert created == ["bo", "ed"]
        with msc.session(address, tokens["ed"]), pytest.raises(PermissionDeniedError):
            lines()
        with msc.session(address, tokens["bo"]):
            assert lines() == []
            msc.AssetCategory.create(unique_identifier="theirs")
            assert [line.actor for line in lines()] == ["bo"]


def test_the_request_id_leads_from_a_line_to_the_server_log(tmp_path: Path) -> None:
    with a_server(tmp_path) as (address, token), msc.session(address, token):
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "mine-1"}
        sent = httpx.post(f"{address}{PREFIX}/assets", json={"unique_identifier": "a"}, headers=headers)
        assert sent.status_code == 200
        assert [line.operation for line in lines(request_id="mine-1")] == ["assets.create"]
        assert "token" not in str(lines())


def test_a_repeated_request_is_one_line(tmp_path: Path) -> None:
    with a_server(tmp_path) as (address, token), msc.session(address, token):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
        for _ in range(3):
            httpx.post(f"{address}{PREFIX}/assets", json={"unique_identifier": "a"}, headers=headers)
        assert len(lines(operation="assets.create")) == 1


def test_the_first_administrator_has_a_line(tmp_path: Path) -> None:
    with a_server(tmp_path) as (address, token), msc.session(address, token):
        assert told() == [("access.first_admin", "admin", 1, None, None)]


def test_the_command_lists_and_filters(home: Path) -> None:
    universe = a_universe()
    universe.append_assets(asset_ids=[2], reason="why")
    since = str(universe.history()[-1].recorded_at.isoformat())
    found = answer("audit", "list", "--since", since, "--actor", "local")
    assert [(line["operation"], line["reason"]) for line in found] == [("categories.append_assets", "why")]
    assert "categories.create" in run("audit", "list", "--operation", "categories.create", "--limit", "1").output
    assert answer("audit", "list", "--until", "2000-01-01") == []
    assert answer("audit", "list", "--where", "unique_identifier=u", "--limit", "1")[0]["reason"] == "why"


def test_long_logs_come_page_by_page(home: Path) -> None:
    platform = current()
    assert isinstance(platform, Platform)
    from mainsequence.domain.access import LOCAL_OWNER
    from mainsequence.platform.origin import origin

    facts = {"operation": "x", "outcome": "done", "objects": 1}
    with transaction(platform.engine, writes=True) as connection:
        for number in range(2_500):
            registry.add(connection, LOCAL_OWNER, origin(), number, facts)
    found = answer("audit", "list")
    assert [line["id"] for line in found] == list(range(2_500, 0, -1))


def test_lines_about_rights_say_to_whom_and_which(reached: str) -> None:
    universe = a_universe()
    current().call(access.CREATE_USER, UserCreation.parse({"name": "bo", "role": "reader"}))
    universe.share(user="bo", rights="edit")
    universe.set_visibility("private")
    universe.unshare(user="bo")
    universe.guard(require_reason=True, reason="order")
    team = msc.Team.create("desk")
    team.add("bo")
    told = {each.operation: each.details for each in lines()}
    assert told["access.create_user"] == '{"name":"bo","role":"reader"}'
    assert told["categories.share"] == '{"user":"bo","team":null,"rights":"edit"}'
    assert told["categories.set_visibility"] == '{"visibility":"private"}'
    assert told["categories.unshare"] == '{"user":"bo","team":null}'
    assert told["categories.guard"] == '{"require_reason":true,"reason":"order"}'
    assert told["teams.add_members"] == '{"members":["bo"]}'
    assert told["categories.create"] is None


def test_no_line_holds_a_secret(reached: str) -> None:
    user = current().call(access.CREATE_USER, UserCreation.parse({"name": "bo", "role": "reader"}))
    issued = current().call(access.ISSUE_TOKEN, TokenCreation(label="notebook"), key=user.id)
    current().call(credentials.SET_PASSWORD, credentials.PasswordChange(password="correct horse battery"), key=user.id)
    everything = "".join(each.model_dump_json() for each in lines())
    assert '{\\"label\\":\\"notebook\\"}' in everything
    assert issued.token not in everything
    assert "correct horse" not in everything
