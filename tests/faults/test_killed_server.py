"""The server is killed while many clients write, and started again: scripts go on, nothing acknowledged is lost."""

import os
from pathlib import Path

import pytest

from tests.faults.programs import Program
from tests.faults.writers import Crew, judge

ROUNDS = int(os.environ.get("MAINSEQUENCE_TEST_FAULT_ROUNDS", "5"))


@pytest.mark.slow
def test_a_server_killed_under_load_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    program = Program(tmp_path).start()
    try:
        with Crew(program.address, program.token, size=12, rows=3) as crew:
            for _ in range(ROUNDS):
                crew.wait(40)
                program.kill()
                program.start()
            crew.wait(40)
        judge(crew)
        assert len(crew.revisions.acknowledged) >= 40 * ROUNDS
        assert not crew.revisions.failed, crew.revisions.kinds()
        assert not crew.rows.failed, crew.rows.kinds()
        assert program.failures() == []
    finally:
        program.stop()
