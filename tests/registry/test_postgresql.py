"""What holds on PostgreSQL alone: its constraints, its locks, and what becomes of its failures."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.errors import ExclusionViolation
from sqlalchemy import Connection, Engine, text

import mainsequence.client as msc
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS
from mainsequence.errors import (
    BusyError,
    ConfigurationError,
    ReadOnlyStorageError,
    StorageError,
    StorageFullError,
    ValidationError,
)
from mainsequence.platform.registry.engine import open_postgresql, postgresql, transaction, version
from mainsequence.platform.registry.failures import translated
from mainsequence.platform.registry.schema import SCHEMA_HEAD, metadata
from mainsequence.platform.retrying import persistently
from tests.postgresql import Server, new_database, server


@pytest.fixture
def address() -> Iterator[str]:
    """A database that is migrated and empty."""
    with new_database() as made:
        yield made


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    opened = open_postgresql(address)
    yield opened
    opened.dispose()


@pytest.fixture
def platform(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The process works with its registry on PostgreSQL."""
    monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", address)
    yield address
    msc.disconnect()


def past_the_code(address: str) -> psycopg.Connection[Any]:
    return server().connect(address.partition("@/")[2].partition("?")[0])


def an_asset(name: str) -> msc.Asset:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name}])[0]


# -- the schema


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with transaction(engine, writes=False) as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
        assert compare_metadata(context, metadata) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "index" and str(name).startswith("ex_"))


def test_many_processes_that_begin_at_once_migrate_once() -> None:
    running = server()
    address = running.url(running.create())
    code = (
        "import mainsequence.client as msc; made = msc.AssetCategory.get_or_create(unique_identifier='first');"
        " print([each.id for each in msc.AssetCategory.filter()] == [made.id], made.id)"
    )
    environment = os.environ | {"MAINSEQUENCE_DATABASE_URL": address}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) for _ in range(4)
    ]
    told = {process.communicate(timeout=100)[0].decode() for process in processes}
    assert len(told) == 1, "one universe for all; a first attempt that gave way to another may have used up an id"
    assert told.pop().startswith("True ")


def insert_membership(connection: psycopg.Connection[Any], start: int, end: int, removed: int = MAX_MICROS) -> None:
    row = (1, removed, end, 7, start, 1)
    connection.execute("INSERT INTO category_membership VALUES (%s, %s, %s, %s, %s, %s, NULL)", row)


@pytest.mark.parametrize(("start", "end"), [(5, 6), (0, 11), (9, 100), (MIN_MICROS, 1), (MIN_MICROS, MAX_MICROS)])
def test_overlapping_validity_at_the_head_is_impossible(address: str, start: int, end: int) -> None:
    with past_the_code(address) as connection:
        insert_membership(connection, 0, 10)
        with pytest.raises(ExclusionViolation):
            insert_membership(connection, start, end)


def test_validity_that_touches_or_was_superseded_may_be_kept(address: str) -> None:
    with past_the_code(address) as connection:
        insert_membership(connection, 0, 10)
        insert_membership(connection, 10, 20)
        insert_membership(connection, MIN_MICROS, 0)
        insert_membership(connection, 5, 15, removed=3)


# -- failures


def test_a_unit_of_work_that_reads_sees_one_state(engine: Engine) -> None:
    counting = text("SELECT count(*) FROM organization")
    with transaction(engine, writes=False) as reading:
        before = reading.scalar(counting)
        with transaction(engine, writes=True) as writing:
            writing.execute(text("INSERT INTO organization (name) VALUES ('second')"))
        assert reading.scalar(counting) == before


def test_what_the_server_lets_go_is_tried_again(engine: Engine) -> None:
    tries = []

    def act() -> Any:
        with transaction(engine, writes=True) as connection:
            tries.append(connection.scalar(text("SELECT pg_backend_pid()")))
            if len(tries) < 3:
                connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            return connection.scalar(text("SELECT 1"))

    assert persistently(act) == 1
    assert len(set(tries)) == 3


def test_trying_again_ends(engine: Engine) -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        with transaction(engine, writes=True) as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(BusyError, match="Repeat the call"):
        persistently(act, tries=3)
    assert len(tries) == 3


def test_deadlocks_are_resolved(engine: Engine) -> None:
    with transaction(engine, writes=True) as connection:
        connection.execute(text("INSERT INTO organization (name) VALUES ('second')"))
    both_hold_one = Barrier(2)

    def act(ids: tuple[int, int]) -> None:
        first = True

        def whole() -> None:
            nonlocal first
            with transaction(engine, writes=True) as connection:
                _hold(connection, ids[0])
                if first:
                    first = False
                    both_hold_one.wait(20)
                _hold(connection, ids[1])

        persistently(whole)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(act, [(1, 2), (2, 1)])) == [None, None]


def _hold(connection: Connection, key: int) -> None:
    connection.execute(text("SELECT id FROM organization WHERE id = :key FOR UPDATE"), {"key": key})


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("53100", StorageFullError),
        ("25006", ReadOnlyStorageError),
        ("40001", BusyError),
        ("40P01", BusyError),
        ("53300", BusyError),
        ("57P01", BusyError),
        ("57P03", BusyError),
        ("42501", ConfigurationError),
        ("22021", ValidationError),
        ("XX000", StorageError),
    ],
)
def test_failures_leave_as_the_platform_s_errors(engine: Engine, sqlstate: str, kind: type[Exception]) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{sqlstate}'; END $$"
    with pytest.raises(kind) as caught, transaction(engine, writes=True) as connection:
        connection.execute(text(raising))
    assert type(caught.value) is kind
    assert caught.value.hint  # type: ignore[attr-defined]


def test_a_database_that_only_reads_says_so(platform: str) -> None:
    asset = an_asset("a")
    msc.disconnect()
    with past_the_code(platform) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on")
    assert msc.Asset.get(unique_identifier="a").id == asset.id
    with pytest.raises(ReadOnlyStorageError, match="MAINSEQUENCE_DATABASE_URL"):
        an_asset("b")


@pytest.mark.parametrize("where", ["nobody@/none?host=/nowhere", "postgres@127.0.0.1:1/none"])
def test_a_server_that_is_not_there_is_named(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", f"postgresql://{where}")
    with pytest.raises(StorageError, match="MAINSEQUENCE_DATABASE_URL"):
        msc.connect()


def test_text_that_the_database_cannot_hold_is_refused(engine: Engine) -> None:
    with (
        pytest.raises(ValidationError, match="refuses a value"),
        translated(),
        transaction(engine, writes=False) as work,
    ):
        work.scalar(text("SELECT CAST(:value AS text)"), {"value": "a\0b"})


def test_a_registry_from_a_newer_release_is_refused(address: str) -> None:
    with past_the_code(address) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="9999"):
        open_postgresql(address)


# -- writers


def test_batches_that_name_the_same_assets_at_once_register_each_once(platform: str) -> None:
    names = [{"unique_identifier": f"asset-{number}"} for number in range(300)]
    together = Barrier(4)

    def register(turn: int) -> list[int]:
        together.wait(20)
        batch = names if turn % 2 else names[::-1]
        made = msc.Asset.batch_get_or_register_custom_assets(batch)
        return sorted(asset.id for asset in made)

    msc.connect()
    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(register, range(4)))
    assert all(each == ids[0] for each in ids)
    assert len(msc.Asset.filter()) == len(ids[0]) == 300


def test_an_asset_that_retires_never_stays_a_member(platform: str) -> None:
    msc.connect()
    category = msc.AssetCategory.get_or_create(unique_identifier="u")
    for round_ in range(10):
        asset = an_asset(f"a{round_}")
        together = Barrier(2)

        def append(key: int = asset.id, together: Barrier = together) -> None:
            together.wait(20)
            try:
                category.append_assets(asset_ids=[key])
            except msc.UnknownAssetsError:
                return

        def retire(asset: msc.Asset = asset, together: Barrier = together) -> None:
            together.wait(20)
            asset.delete()

        with ThreadPoolExecutor(2) as threads:
            for done in (threads.submit(append), threads.submit(retire)):
                done.result(60)
    assert category.refresh().asset_ids() == []


@pytest.mark.slow
def test_a_server_that_restarts_loses_nothing_and_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Server()
    try:
        monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", own.url(own.create()))
        category = msc.AssetCategory.get_or_create(unique_identifier="kept")
        ids = [an_asset(f"a{number}").id for number in range(3)]
        category.append_assets(asset_ids=ids)
        own.stop()
        with pytest.raises(StorageError):
            category.append_assets(asset_ids=ids)
        own.start()
        assert category.asset_ids() == ids
    finally:
        msc.disconnect()
        own.close()


def test_the_version_of_a_database_without_a_registry_is_none() -> None:
    running = server()
    opened = postgresql(running.url(running.create()))
    assert version(opened) is None
    opened.dispose()


def test_the_version_is_the_head(engine: Engine) -> None:
    assert version(engine) == SCHEMA_HEAD
