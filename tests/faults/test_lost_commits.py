"""The connection is lost while PostgreSQL commits, before it did or after: under a key the write is settled, once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import event

from mainsequence.contract import categories, series
from mainsequence.domain.categories import CategoryCreation
from mainsequence.domain.series import ColumnSpec, SeriesDeclaration, SeriesQuery, SeriesSchema
from mainsequence.errors import StorageError
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry.idempotency import Once
from mainsequence.settings import Settings
from tests.postgresql import new_database, server

CREATION = CategoryCreation(unique_identifier="u", display_name="U")


@pytest.fixture
def platform(home: Path) -> Iterator[Platform]:
    with new_database() as url:
        opened = Platform.embedded(replace(Settings.from_environment(), home=home, database_url=url))
        yield opened
        opened.close()


def cut_the_next_commit(platform: Platform, *, committed: bool, skipped: int = 0) -> list[int]:
    """Let the server drop the connection at the next commit of a write, before it commits or after."""
    cut: list[int] = []
    waiting = iter(range(skipped))

    def at_commit(connection: Any) -> None:
        raw = connection.connection.dbapi_connection
        if cut or not connection.get_execution_options().get("writes") or next(waiting, None) is not None:
            return
        cut.append(raw.info.backend_pid)
        if committed:
            raw.commit()
            raw.execute("SELECT 1")  # so that there is something to commit when the connection is gone
        with server().connect() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (cut[0],))

    event.listen(platform.engine, "commit", at_commit)
    return cut


@pytest.mark.parametrize("committed", [False, True])
def test_under_a_key_a_lost_commit_is_settled_and_nothing_is_done_twice(platform: Platform, committed: bool) -> None:
    cut = cut_the_next_commit(platform, committed=committed)
    made = platform.call_once(platform.actor, Once("key", "asked"), categories.CREATE, CREATION)
    assert cut
    assert platform.call(categories.GET, None, key=made.id) == made
    again = platform.call_once(platform.actor, Once("key", "asked"), categories.CREATE, CREATION)
    assert again == made


@pytest.mark.parametrize("committed", [False, True])
def test_without_a_key_it_is_said_that_nobody_knows(platform: Platform, committed: bool) -> None:
    cut_the_next_commit(platform, committed=committed)
    with pytest.raises(StorageError, match="may have been made or not"):
        platform.call(categories.CREATE, CREATION)
    assert platform.call(categories.GET_OR_CREATE, CREATION).unique_identifier == "u"


ROWS = pa.table({"time_index": pa.array([0, 1], pa.timestamp("us", "UTC")), "value": [1.0, 2.0]})


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("commit", ["that says it begins", "that says it is done", "of its key"])
def test_rows_are_written_once_whichever_commit_beside_them_is_lost(
    platform: Platform, commit: str, committed: bool
) -> None:
    schema = SeriesSchema(columns=(ColumnSpec(name="value"),), index=("time_index",))
    made = platform.call(series.CREATE, SeriesDeclaration(unique_identifier="s", series_schema=schema))
    skipped = ["that says it begins", "that says it is done", "of its key"].index(commit)
    cut = cut_the_next_commit(platform, committed=committed, skipped=skipped)
    written = platform.call_once(platform.actor, Once("key", "asked"), series.APPEND, ROWS, key=made.id)
    assert cut
    assert written.inserted == 2
    again = platform.call_once(platform.actor, Once("key", "asked"), series.APPEND, ROWS, key=made.id)
    assert again == written
    stored = platform.call(series.READ, SeriesQuery(), key=made.id)
    assert stored.column("value").to_pylist() == [1.0, 2.0]
