"""PostgreSQL is restarted, and crashes, while many clients write to a server on it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.programs import Program
from tests.faults.writers import Crew, judge
from tests.postgresql import Server

ROUNDS = int(os.environ.get("MAINSEQUENCE_TEST_FAULT_ROUNDS", "2"))


@pytest.fixture
def database() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.mark.slow
def test_a_database_that_is_restarted_or_crashes_under_load_loses_nothing(database: Server, tmp_path: Path) -> None:
    name = database.create()
    with database.connect() as connection:  # what is acknowledged must be on the disk, as it is by default
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    program = Program(tmp_path, MAINSEQUENCE_DATABASE_URL=database.url(name)).start()
    try:
        with Crew(program.address, program.token, size=12, rows=2) as crew:
            for _ in range(ROUNDS):
                for how in (signal.SIGINT, signal.SIGQUIT):
                    crew.wait(40)
                    database.stop(how)
                    database.start()
            crew.wait(40)
        judge(crew)
        assert not crew.revisions.failed, crew.revisions.kinds()
        assert not crew.rows.failed, crew.rows.kinds()
        assert program.failures() == []
    finally:
        program.stop()
