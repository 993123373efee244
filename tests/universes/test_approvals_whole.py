"""All of a request or nothing: edited past the platform, broken off half-way, stored long ago, and against a model."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Engine, insert

import mainsequence.client as msc
from mainsequence.errors import PermissionDeniedError
from mainsequence.platform.registry.schema import metadata
from tests.universes.actors import Carriers, request, seen, users_in_process
from tests.universes.approving import (
    ENTRY,
    ROLES,
    announced_of,
    asked,
    load,
    refresh,
    ruled_universe,
    universe,
)
from tests.universes.tampering import REVISION, database, other_values, restored, rows_of, slip_in, tamper

NOTES, REQUESTS, RUNS = (metadata.tables[name] for name in ("category_announcement", "change_request", "rule_run"))


@pytest.fixture
def stored(users: Carriers, tmp_path: Path) -> Engine:
    """The database of the users' platform, past the platform."""
    assert users
    return database(tmp_path / "shared")


def only(engine: Engine, table: Any) -> dict[str, Any]:
    with engine.connect() as connection:
        [row] = rows_of(connection, table)
    return row


# -- edited past the platform


def later(change: dict[str, Any]) -> None:
    change["announced"]["announced_at"] = [each + 86_400_000_000 for each in change["announced"]["announced_at"]]


def forgotten(change: dict[str, Any]) -> None:
    del change["announced"]


def another(change: dict[str, Any]) -> None:
    change["opened"]["asset_id"] = [each + 1 for each in change["opened"]["asset_id"]]


@pytest.mark.parametrize("edit", [later, forgotten, another])
def test_a_request_that_was_edited_in_the_database_is_not_approved(users: Carriers, stored: Engine, edit: Any):
    category, _ = universe(users, approvers=["ada"])
    number = asked(lambda: load(category, ENTRY | {"announced": "2024-03-06"}))
    row = only(stored, REQUESTS)
    change = json.loads(json.dumps(row["change"]))
    edit(change)
    assert tamper(stored, REQUESTS, row, {"change": change})
    for ask in (request(number, users["ada"]).approve, request(number, users["ada"]).plan):
        with pytest.raises(msc.AlteredPlanError, match="does not say what it said"):
            ask()
    assert (category.refresh().revision, announced_of(category)) == (1, {})
    request(number, users["ada"]).reject()


@pytest.mark.parametrize(
    ("field", "value"), [("known_at", 1), ("rule", "{}"), ("last", 1), ("versions", {"prices": 7}), ("after_run", 3)]
)
def test_a_decision_that_was_edited_in_the_database_is_not_approved(
    users: Carriers, stored: Engine, field: str, value: Any
):
    ruled, _ = ruled_universe(users)
    number = asked(lambda: refresh(ruled, users["author"], "2024-03-15"))
    row = only(stored, REQUESTS)
    change = json.loads(json.dumps(row["change"]))
    assert field in change["decided"]
    change["decided"][field] = value
    assert tamper(stored, REQUESTS, row, {"change": change})
    with pytest.raises(msc.AlteredPlanError):
        request(number, users["ada"]).approve()
    assert (ruled.refresh().revision, ruled.assets) == (1, [])


def test_announcements_that_were_edited_in_the_database_are_found(users: Carriers, stored: Engine):
    category, ids = universe(users, approvers=["ada"])
    for row in (ENTRY, ENTRY | {"unique_identifier": "a6"}):
        number = asked(lambda row=row: load(category, row | {"announced": "2024-03-06"}))
        request(number, users["ada"]).approve()
    number = asked(lambda: load(category, ENTRY | {"announced": "2024-02-01"}))
    request(number, users["ada"]).approve()
    assert category.verify().ok
    with stored.connect() as connection:
        rows, revisions = rows_of(connection, NOTES), rows_of(connection, REVISION)
    for row in rows:
        for column in NOTES.columns:
            for value in other_values(column, row[column.name]):
                with restored(stored, NOTES):
                    if tamper(stored, NOTES, row, {column.name: value}):
                        assert not category.verify().ok, f"{column.name}: {row} became {value!r}"
        with restored(stored, NOTES):
            assert tamper(stored, NOTES, row, None)
            assert not category.verify().ok, f"taken out: {row}"
        for name in ("asset_id", "recorded_at"):
            with restored(stored, NOTES):
                assert slip_in(stored, NOTES, row | {name: row[name] + 3, "asset_id": ids[9]})
                assert not category.verify().ok, f"slipped in beside {row}: another {name}"
    for row in (each for each in revisions if each["category_id"] == category.id):
        for value in (None, 7):
            with restored(stored, REVISION):
                if row["announced"] != value and tamper(stored, REVISION, row, {"announced": value}):
                    assert not category.verify().ok, f"{row} announced {value!r}"
    assert category.verify().ok, "restored"


@pytest.mark.embedded
def test_announcements_that_cannot_be_read_are_a_finding(users: Carriers, stored: Engine):
    category, _ = universe(users)
    load(category, ENTRY | {"announced": "2024-03-06"})
    with stored.begin() as connection:
        connection.exec_driver_sql("UPDATE category_announcement SET announced_at = 'soon'")
    assert {each.what for each in category.verify().findings} == {"announcement", "hash"}


# -- broken off half-way


@contextmanager
def refusing(engine: Engine, table: str) -> Iterator[None]:
    """Let the database break off every transaction that inserts into a table."""
    if engine.dialect.name == "sqlite":
        made = [f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'broken off'); END"]
        gone = ["DROP TRIGGER no"]
    else:
        says = "BEGIN RAISE EXCEPTION 'broken off' USING ERRCODE = 'disk_full'; END"
        made = [
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {says} $$",
            f"CREATE TRIGGER no BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()",
        ]
        gone = [f"DROP TRIGGER no ON {table}", "DROP FUNCTION refuse"]
    for statements in (made, gone):
        with engine.begin() as connection:
            for each in statements:
                connection.exec_driver_sql(each)
        if statements is made:
            yield


@pytest.mark.parametrize("table", ["category_announcement", "category_change", "audit_entry"])
def test_an_approval_that_is_broken_off_leaves_members_dates_and_request_as_they_were(
    users: Carriers, stored: Engine, table: str
):
    category, ids = universe(users, approvers=["ada"])
    number = asked(lambda: load(category, ENTRY | {"announced": "2024-03-06"}))
    with refusing(stored, table), pytest.raises(msc.MainSequenceError):
        request(number, users["ada"]).approve()
    assert (category.refresh().revision, category.assets, announced_of(category)) == (1, ids[:3], {})
    assert [each.status for each in category.requests(None)] == ["pending"]
    assert category.verify().ok
    request(number, users["ada"]).approve()
    assert announced_of(category) == {"a5": "2024-03-06"}


def test_a_run_that_cannot_be_recorded_leaves_no_members(users: Carriers, stored: Engine):
    ruled, ids = ruled_universe(users)
    number = asked(lambda: refresh(ruled, users["author"], "2024-03-15"))
    with refusing(stored, "rule_run"), pytest.raises(msc.MainSequenceError):
        request(number, users["ada"]).approve()
    assert (ruled.refresh().revision, ruled.assets, request(number, users["ada"]).status) == (1, [], "pending")
    request(number, users["ada"]).approve()
    assert ruled.refresh().assets == ids[:3]
    assert only(stored, RUNS)["revision"] == 2


# -- stored long ago


def test_a_request_that_was_stored_before_requests_held_more_than_rows_is_approved(users: Carriers, stored: Engine):
    category, ids = universe(users, approvers=["ada"])
    rows = {"asset_id": [ids[5]], "valid_from": [None], "valid_to": [None], "weight": [0.25]}
    nothing: dict[str, list[Any]] = {"asset_id": [], "valid_from": [], "valid_to": [], "weight": []}
    change = {"category_id": category.id, "revision": 1, "operation": "append", "closed": nothing, "opened": rows}
    written = json.dumps(change, separators=(",", ":"))
    row = {"category_id": category.id, "author": "author", "requested_at": 0, "revision": 1, "change": change}
    row |= {"content_hash": sha256(written.encode()).hexdigest(), "enters": 1, "leaves": 0, "force": False}
    with stored.begin() as connection:
        connection.execute(insert(REQUESTS), row | {"status": "pending"})
    [waiting] = category.requests()
    assert (waiting.announcements, waiting.decision) == (0, None)
    assert request(waiting.id, users["ada"]).plan().announced == []
    request(waiting.id, users["ada"]).approve()
    assert category.refresh().weights()["a5"] == 0.25


# -- against a model

NAMES = ("owner", "author", "ada", "bob")
DAYS = ("2024-03-06", "2024-03-07", None)


class AnnouncingMachine(RuleBasedStateMachine):
    """Loads that let assets enter in 2099 and say when that was announced, against a dict of who was announced when."""

    @initialize()
    def begin(self) -> None:
        self.platform = users_in_process(Path(mkdtemp()), **{name: ROLES[name] for name in NAMES})
        self.users = self.platform.__enter__()
        self.category, _ = universe(self.users, 2, approvers=["ada", "bob"])
        self.entering: set[str] = set()
        self.noted: dict[str, str] = {}
        self.approvers = {"ada", "bob"}
        self.waiting: dict[int, dict[str, Any]] = {}
        self.log: list[tuple[str, str, str | None, int | None]] = [("update", "owner", None, None)]
        self.log[0] = self._told()[0]

    def teardown(self) -> None:
        self.platform.__exit__(None, None, None)

    def _told(self) -> list[Any]:
        return [(each.operation, each.actor, each.approved_by, each.announced) for each in self.category.history()]

    @rule(named=st.booleans())
    def name_approvers(self, named: bool) -> None:
        self.approvers = {"ada", "bob"} if named else set()
        self.category.guard(approvers=sorted(self.approvers))

    @rule(
        name=st.sampled_from(NAMES),
        rows=st.dictionaries(st.sampled_from(("a4", "a5", "a6")), st.sampled_from(DAYS), min_size=1),
    )
    def change(self, name: str, rows: dict[str, str | None]) -> None:
        enter = set(rows) - self.entering
        notes = {who: day for who, day in rows.items() if day is not None and self.noted.get(who) != day}
        table = [ENTRY | {"unique_identifier": who} | ({"announced": day} if day else {}) for who, day in rows.items()]
        theirs = seen(self.category, self.users[name])
        asked_for = {"author": name, "enter": enter, "notes": notes, "at": len(self.log)}
        if not enter and not notes:
            assert load(theirs, *table).revision == len(self.log)
        elif not self.approvers:
            load(theirs, *table)
            self._happened(asked_for, None)
        else:
            number = asked(lambda: load(theirs, *table))
            same = [each for each, known in self.waiting.items() if known == asked_for]
            assert number in same if same else number not in self.waiting
            self.waiting[number] = asked_for

    def _happened(self, asked_for: dict[str, Any], approver: str | None) -> None:
        self.entering |= asked_for["enter"]
        self.noted |= asked_for["notes"]
        operation = "load" if asked_for["enter"] else "announce"
        self.log.append((operation, asked_for["author"], approver, len(asked_for["notes"]) or None))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def approve(self, data: st.DataObject, name: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        asked_for, mine = self.waiting[number], request(number, self.users[name])
        if name == asked_for["author"] or name not in self.approvers:
            expected: Any = PermissionDeniedError
        elif asked_for["at"] != len(self.log):
            expected = msc.StaleRevisionError
        else:
            mine.approve()
            self._happened(asked_for, name)
            del self.waiting[number]
            return
        with pytest.raises(expected):
            mine.approve()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        request(number, self.users[self.waiting.pop(number)["author"]]).withdraw()

    @invariant()
    def the_universe_is_the_model(self) -> None:
        assert announced_of(self.category) == {who: day for who, day in self.noted.items() if who in self.entering}
        frame = self.category.upcoming("2098-12-31", "2100-01-01")
        assert set(frame.unique_identifier) <= self.entering
        assert self._told() == self.log
        assert self.category.verify().ok

    @invariant()
    def the_requests_are_the_model(self) -> None:
        found = {each.id: (each.status, each.enters, each.announcements) for each in self.category.requests(None)}
        for number, each in self.waiting.items():
            status = "pending" if each["at"] == len(self.log) else "stale"
            assert found[number] == (status, len(each["enter"]), len(each["notes"]))


AnnouncingMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


@pytest.mark.slow
@pytest.mark.embedded
class TestAnnouncing(AnnouncingMachine.TestCase):
    """Runs the machine."""
