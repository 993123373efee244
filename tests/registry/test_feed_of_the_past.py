"""A registry from before there was a feed of changes: its feed begins with what was recorded already."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, create_engine, insert, text

import mainsequence.client as msc
from mainsequence.platform.registry.migrations.run import upgrade
from tests.registry.databases import an_empty_database

BEFORE = "0008"


def a_past(connection: Connection) -> None:
    """Record two universes as the release before did: three revisions, in turns."""
    found = MetaData()
    found.reflect(connection)
    universe: dict[str, Any] = {"organization_id": 1, "dated": False, "created_at": 1}
    for number, head in ((1, 2), (2, 1)):
        name = f"u{number}"
        row = universe | {"unique_identifier": name, "display_name": name, "head_revision": head}
        connection.execute(insert(found.tables["category"]).values(row))
    for category, revision, at in ((1, 1, 10), (2, 1, 20), (1, 2, 30)):
        row = {"category_id": category, "revision": revision, "recorded_at": at, "actor": "ada", "operation": "append"}
        row |= {"reason": None, "added": 1, "removed": 0, "content_hash": f"{at:064}"}
        connection.execute(insert(found.tables["category_revision"]).values(row))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_feed_begins_with_what_was_recorded(kind: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with an_empty_database(kind, home) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            upgrade(connection, BEFORE)
            a_past(connection)
            assert connection.scalar(text("SELECT count(*) FROM category_revision")) == 3
        engine.dispose()
        if kind == "postgresql":
            monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", url)
        told = msc.AssetCategory.changes()
        assert [(each.position, each.unique_identifier, str(each.kind), each.revision) for each in told] == [
            (1, "u1", "created", 0),
            (2, "u2", "created", 0),
            (3, "u1", "changed", 1),
            (4, "u2", "changed", 1),
            (5, "u1", "changed", 2),
        ]
        msc.AssetCategory.create(unique_identifier="u3")
        assert [each.position for each in msc.AssetCategory.changes(since=told.cursor)] == [6]
        msc.disconnect()
