"""`verify()` finds every edit of a history that was made behind the platform's back."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import mainsequence.client as msc
from mainsequence.compute.intervals import Intervals
from mainsequence.compute.ledger_checks import Recorded, overlapping
from mainsequence.errors import UnknownRevisionError
from tests.universes.tampering import (
    CATEGORY,
    DEFINITION,
    FEED,
    MEMBERSHIP,
    OPERAND,
    REVISION,
    Row,
    database,
    key_of,
    other_values,
    restored,
    rows_of,
    slip_in,
    tamper,
    write_anything,
)


@pytest.fixture
def category() -> msc.AssetCategory:
    """A universe with every kind of revision: timeless, dated, weighted, corrected, gone back to."""
    return a_history("watched")


def a_history(name: str) -> msc.AssetCategory:
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{n}"} for n in range(4)])
    made = msc.AssetCategory.create(unique_identifier=name, assets=assets[:2])
    msc.AssetCategory.create(unique_identifier=f"{name}-2", assets=assets[:1])
    made.append_assets(assets[2:3], weights=[0.25], reason="weighted")
    made.remove_assets(assets[:1], effective_from="2024-01-01")
    made.append_assets(assets[:1], effective_from="2024-06-01", effective_to="2025-01-01", weights=[0.5])
    made.update_assets(assets[1:], reason="exactly these")
    return made.revert(3)


def test_a_history_as_it_was_recorded_is_fine(category: msc.AssetCategory) -> None:
    report = category.verify()
    assert (report.ok, bool(report), report.revisions, report.findings) == (True, True, 6, [])
    assert report.fingerprint == category.fingerprint == category.history()[-1].content_hash
    assert "6 revisions" in repr(report)
    assert "watched" in report._repr_html_()


def test_a_universe_without_a_past_is_fine() -> None:
    empty = msc.AssetCategory.create(unique_identifier="empty")
    assert empty.verify().ok
    assert empty.verify(empty.fingerprint).ok


@pytest.mark.slow
def test_any_field_of_any_row_that_was_changed_is_found(category: msc.AssetCategory, home: Path, carrier: str) -> None:
    if carrier == "http":
        pytest.skip("the database is that of the embedded platform")
    engine, tried = database(home), 0
    with engine.connect() as connection:
        stored = {table: rows_of(connection, table) for table in (MEMBERSHIP, REVISION)}
    for table, rows in stored.items():
        for row in (each for each in rows if each["category_id"] == category.id):
            for column in table.columns:
                for value in other_values(column, row[column.name]):
                    with restored(engine, table):
                        if tamper(engine, table, row, {column.name: value}):
                            tried += 1
                            assert not category.verify().ok, f"{table.name}.{column.name}: {row} became {value!r}"
    assert tried > 150
    assert category.verify().ok, "restored"


def test_any_row_that_was_taken_out_or_slipped_in_is_found(category: msc.AssetCategory, home: Path) -> None:
    engine = database(home)
    for table in (MEMBERSHIP, REVISION):
        with engine.connect() as connection:
            rows = [each for each in rows_of(connection, table) if each["category_id"] == category.id]
        for row in rows:
            with restored(engine, table):
                assert tamper(engine, table, row, None)
                assert not category.verify().ok, f"taken out: {row}"
            for name in ("asset_id", "valid_to", "removed_revision") if table is MEMBERSHIP else ("revision",):
                with restored(engine, table):
                    if slip_in(engine, table, row | {name: row[name] - 1 if name == "valid_to" else row[name] + 1}):
                        assert not category.verify().ok, f"slipped in beside {row}: another {name}"


def test_a_head_that_was_moved_is_found(category: msc.AssetCategory, home: Path) -> None:
    engine = database(home)
    with engine.connect() as connection:
        row = next(each for each in rows_of(connection, CATEGORY) if each["id"] == category.id)
    for head in (0, 5, 7):
        assert tamper(engine, CATEGORY, row, {"head_revision": head})
        assert "head" in [each.what for each in category.verify().findings]


def test_a_history_that_was_cut_off_is_found_by_the_feed(category: msc.AssetCategory, home: Path) -> None:
    fingerprint, engine = category.fingerprint, database(home)
    _cut_off(engine, category.id, 6)
    findings = category.verify().findings
    assert [(each.what, each.revision) for each in findings] == [("feed", 6)]
    assert "cut off" in findings[0].message
    with engine.connect() as connection:
        told = next(
            e
            for e in rows_of(connection, FEED)
            if (e["category_id"], e["revision"], e["kind"]) == (category.id, 6, "changed")
        )
    assert tamper(engine, FEED, told, None)
    assert [each.what for each in category.verify().findings] == ["feed"], "a gap in the feed"
    assert [each.what for each in category.verify(fingerprint).findings] == ["feed", "expected"]


def _cut_off(engine: Any, category_id: int, revision: int) -> None:
    """Undo the newest revision so that nothing of it is left in the ledger."""
    with engine.begin() as connection:
        mine = MEMBERSHIP.c.category_id == category_id
        connection.execute(MEMBERSHIP.delete().where(mine, MEMBERSHIP.c.added_revision == revision))
        reopened = MEMBERSHIP.update().where(mine, MEMBERSHIP.c.removed_revision == revision)
        connection.execute(reopened.values(removed_revision=2**61))
        connection.execute(
            REVISION.delete().where(REVISION.c.category_id == category_id, REVISION.c.revision == revision)
        )
        connection.execute(CATEGORY.update().where(CATEGORY.c.id == category_id).values(head_revision=revision - 1))


def test_a_rewritten_history_has_another_fingerprint(category: msc.AssetCategory) -> None:
    kept = category.fingerprint
    category.append_assets(asset_ids=[category.assets[0]], weights=[0.125])
    assert category.verify(expected_hash=kept).ok, "what was appended behind it does not matter"
    other = a_history("other")
    findings = other.verify(expected_hash=kept).findings
    assert [each.what for each in findings] == ["expected"]


def test_findings_say_where(category: msc.AssetCategory, home: Path) -> None:
    engine = database(home)
    with engine.connect() as connection:
        row = next(r for r in rows_of(connection, REVISION) if (r["category_id"], r["revision"]) == (category.id, 2))
    assert tamper(engine, REVISION, row, {"reason": "something else"})
    findings = category.verify().findings
    assert [(each.what, each.revision) for each in findings] == [("hash", 2), ("feed", 2)]
    assert "Revision 2 is not what was recorded" in findings[0].message
    assert findings[1].message == "The feed of changes tells revision 2 otherwise: reason."


def test_overlapping_validity_is_found(category: msc.AssetCategory, home: Path) -> None:
    engine = database(home)
    with engine.connect() as connection:
        row = next(r for r in rows_of(connection, MEMBERSHIP) if r["added_revision"] == 6)
    if not slip_in(engine, MEMBERSHIP, row | {"valid_to": row["valid_to"] - 1}):
        return  # PostgreSQL lets nobody write it
    assert {"overlap", "hash"} <= {each.what for each in category.verify().findings}


@pytest.mark.embedded
def test_values_of_strange_types_are_found(category: msc.AssetCategory, home: Path) -> None:
    engine = database(home)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE category_membership SET valid_from = valid_from + 0.5 WHERE added_revision = 4"
        )
    assert "rows" in [each.what for each in category.verify().findings]


def test_whatever_one_field_becomes_is_found(category: msc.AssetCategory, home: Path, carrier: str) -> None:
    if carrier == "http":
        pytest.skip("the database is that of the embedded platform")
    engine = database(home)
    with engine.connect() as connection:
        rows = {table: rows_of(connection, table) for table in (MEMBERSHIP, REVISION)}

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def anything(data: st.DataObject) -> None:
        table = data.draw(st.sampled_from([MEMBERSHIP, REVISION]))
        row = data.draw(st.sampled_from([each for each in rows[table] if each["category_id"] == category.id]))
        column = data.draw(st.sampled_from(list(table.columns)))
        value = data.draw(_values(column.name, row[column.name]))
        with restored(engine, table):
            if value != row[column.name] and tamper(engine, table, row, {column.name: value}):
                assert not category.verify().ok

    anything()
    assert category.verify().ok


def _values(name: str, value: Any) -> st.SearchStrategy[Any]:
    """Give anything that a field may become."""
    if name == "weight":
        return st.none() | st.floats(allow_nan=False, allow_infinity=False)
    if isinstance(value, int):
        return st.integers(-(2**62), 2**62)
    return st.none() | st.text(st.characters(codec="ascii", min_codepoint=32), max_size=5)


@pytest.fixture
def derived(category: msc.AssetCategory) -> msc.AssetCategory:
    """A universe made from others, defined twice, described, beside those that it is made from."""
    msc.AssetCategory.create(unique_identifier="others")
    made = msc.AssetCategory.from_expression("derived", "watched & others", reason="both")
    made.redefine("watched | others", reason="either")
    made.patch(description="made from others")
    category.patch(description="watched by others")
    return made.refresh()


FACTS = ("unique_identifier", "created_at", "head_revision", "first_revision", "kind")
"""What of a universe itself can be proved."""

UNPROVED = {
    "changed": {"is_private"},
    "created": {"is_private", "actor"},
    "described": {"is_private", "actor", "recorded_at", "category_id"},
}
"""What of events nothing else tells."""

STRANGE = (2**62, -(2**62), 2**63 - 1, 0, 1, "zzz", "", b"\xff\xfe", 1.5, None)


def _told_of(engine: Any, category_id: int) -> Iterator[tuple[Any, Row, list[str]]]:
    """Give rows that tell of a universe, with the fields that can be proved: of events, the last of each kind."""
    with engine.connect() as connection:
        stored = {table: rows_of(connection, table) for table in (CATEGORY, DEFINITION, OPERAND, FEED)}
    for row in (each for each in stored[CATEGORY] if each["id"] == category_id):
        yield CATEGORY, row, [*FACTS, *(["dated"] if row["kind"] != "members" else [])]
    for table in (DEFINITION, OPERAND):
        for row in (each for each in stored[table] if each["category_id"] == category_id):
            yield table, row, list(row)
    events = [each for each in stored[FEED] if each["category_id"] == category_id]
    for row in {each["kind"]: each for each in events}.values():
        yield FEED, row, [name for name in row if name not in UNPROVED[row["kind"]]]


@contextmanager
def _put_back(engine: Any, table: Any, row: Row) -> Iterator[None]:
    if table is not CATEGORY:
        with restored(engine, table):
            yield
        return
    try:
        yield
    finally:
        assert tamper(engine, CATEGORY, row, row)


@pytest.mark.parametrize("which", ["watched", "derived"])
def test_what_tells_of_a_history_is_compared_with_it(
    derived: msc.AssetCategory, which: str, home: Path, carrier: str
) -> None:
    if carrier == "http":
        pytest.skip("the database is that of the embedded platform")
    universe, engine, tried = msc.AssetCategory.get(unique_identifier=which), database(home), 0
    assert universe.verify().ok
    for table, row, names in _told_of(engine, universe.id):
        for name in names:
            for value in other_values(table.c[name], row[name]):
                with _put_back(engine, table, row):
                    if tamper(engine, table, row, {name: value}):
                        tried += 1
                        assert not universe.verify().ok, f"{table.name}.{name}: {row} became {value!r}"
        if table is not CATEGORY:
            with _put_back(engine, table, row):
                if row.get("kind") != "described" and tamper(engine, table, row, None):
                    assert not universe.verify().ok, f"taken out: {row}"
    assert tried > 40
    assert universe.verify().ok, "restored"


@pytest.mark.embedded
@pytest.mark.parametrize("which", ["watched", "derived"])
def test_what_cannot_be_read_is_found_too(derived: msc.AssetCategory, which: str, home: Path) -> None:
    universe, engine, tried = msc.AssetCategory.get(unique_identifier=which), database(home), 0
    for table, row, names in _told_of(engine, universe.id):
        for name in names:
            for value in STRANGE:
                with _put_back(engine, table, row):
                    if write_anything(engine, table, row, name, value):
                        tried += 1
                        assert not universe.verify().ok, f"{table.name}.{name}: {row} became {value!r}"
    assert tried > 100
    assert universe.verify().ok, "restored"


@pytest.mark.embedded
@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        "[]",
        "{}",
        "7",
        '{"text":"watched | (","operands":[],"reason":null}',
        '{"text":7,"operands":[],"reason":null}',
        '{"text":"watched","operands":7,"reason":null}',
        '{"text":"watched","operands":[7],"reason":null}',
        '{"text":"watched","operands":[[1,null,null]],"reason":7}',
        '{"text":"watched","operands":[[1,null,null]],"reason":null}',
    ],
)
def test_definitions_that_are_none_are_found(derived: msc.AssetCategory, body: str, home: Path) -> None:
    engine = database(home)
    with engine.connect() as connection:
        row = next(each for each in rows_of(connection, DEFINITION) if each["revision"] == 2)
    assert tamper(engine, DEFINITION, row, {"body": body})
    assert [(each.what, each.revision) for each in derived.verify().findings] == [("definition", 2)]


def test_the_past_of_a_definition_cannot_be_moved(derived: msc.AssetCategory, home: Path) -> None:
    engine = database(home)
    with engine.connect() as connection:
        first, second = sorted(rows_of(connection, DEFINITION), key=lambda each: each["revision"])
    assert tamper(engine, DEFINITION, second, {"recorded_at": first["recorded_at"]})
    findings = derived.verify().findings
    assert [(each.what, each.revision) for each in findings] == [("definition", 2)]
    assert "another time" in findings[0].message


def test_a_universe_made_from_others_cannot_be_made_an_empty_one(derived: msc.AssetCategory, home: Path) -> None:
    engine = database(home)
    with engine.connect() as connection:
        row = next(each for each in rows_of(connection, CATEGORY) if each["id"] == derived.id)
    for kind in ("members", "rule"):
        assert tamper(engine, CATEGORY, row, {"kind": kind})
        assert "kind" in [each.what for each in derived.verify().findings]


@pytest.mark.embedded
def test_no_number_that_is_stored_decides_how_much_is_done(derived: msc.AssetCategory, home: Path) -> None:
    engine, universes = database(home), msc.AssetCategory.filter()
    tables = (MEMBERSHIP, REVISION, DEFINITION, OPERAND, FEED)
    with engine.connect() as connection:
        last = {table: rows_of(connection, table)[-1] for table in tables}
    for table, row in last.items():
        for name in (name for name, value in row.items() if type(value) is int):
            for value in (2**62, 2**63 - 1, -(2**62), 2**31):
                with restored(engine, table):
                    if write_anything(engine, table, row, name, value):
                        tracemalloc.start()
                        for each in universes:
                            each.verify()
                        _, peak = tracemalloc.get_traced_memory()
                        tracemalloc.stop()
                        assert peak < 20_000_000, f"{table.name}.{name} became {value}"


def test_universes_that_were_renamed_and_described_are_fine(derived: msc.AssetCategory) -> None:
    watched = msc.AssetCategory.get(unique_identifier="watched").rename("seen")
    watched = watched.rename("watched").rename("looked-at")
    derived.redefine("others", reason="one")
    assert [each.verify().findings for each in msc.AssetCategory.filter()] == [[], [], [], []]
    assert watched.append_assets(asset_ids=[watched.assets[0]], weights=[0.125]).verify().ok


def test_verifying_takes_a_state_that_exists(category: msc.AssetCategory) -> None:
    with pytest.raises(UnknownRevisionError):
        msc.AssetCategory.get(unique_identifier="watched@7")
    assert msc.AssetCategory.get(unique_identifier="watched@2").verify().revisions == 6, "the whole history is checked"


def test_key_of_finds_one_row(category: msc.AssetCategory, home: Path) -> None:
    with database(home).connect() as connection:
        rows = rows_of(connection, MEMBERSHIP)
        assert all(
            len(connection.execute(MEMBERSHIP.select().where(*key_of(MEMBERSHIP, row))).all()) == 1 for row in rows
        )


@pytest.mark.embedded
@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4)),
        max_size=8,
    )
)
def test_overlaps_are_those_that_pairs_have(rows: list[tuple[int, int, int, int, int]]) -> None:
    asset, start, length, added, lived = (
        (np.array(c, dtype=np.int64) for c in zip(*rows, strict=True)) if rows else [np.empty(0, np.int64)] * 5
    )
    recorded = Recorded(Intervals(asset, start, start + length, np.full(len(rows), np.nan)), added, added + lived)
    expected = any(
        a[0] == b[0]
        and max(a[1], b[1]) < min(a[1] + a[2], b[1] + b[2])
        and max(a[3], b[3]) < min(a[3] + a[4], b[3] + b[4])
        for i, a in enumerate(rows)
        for b in rows[:i]
    )
    assert bool(len(overlapping(recorded, jit=False))) == expected
