"""The server is killed while many clients write, and started again: scripts go on, nothing acknowledged is lost."""

import os
from pathlib import Path

import pytest

from mainsequence.errors import TransportError
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
        failed = {**crew.revisions.failed, **crew.rows.failed}  # of those alone that slept through every moment between
        assert {type(each) for each in failed.values()} <= {TransportError}, crew.revisions.kinds()
        assert len(failed) < len(crew.threads)
        assert program.failures() == []
    finally:
        program.stop()


@pytest.mark.slow
def test_scripts_do_not_notice_that_the_server_was_started_again(tmp_path: Path) -> None:
    program = Program(tmp_path).start()
    try:
        with Crew(program.address, program.token, size=6, rows=2) as crew:
            crew.wait(20)
            program.kill()
            program.start()
            crew.wait(20)
        judge(crew)
        assert not crew.revisions.failed, crew.revisions.kinds()
        assert not crew.rows.failed, crew.rows.kinds()
    finally:
        program.stop()
