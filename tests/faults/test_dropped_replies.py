"""Replies are dropped after their requests were delivered: what is asked again is not done twice."""

from pathlib import Path

import pytest

from tests.faults.programs import Program
from tests.faults.proxy import DroppingProxy
from tests.faults.writers import Crew, judge


@pytest.mark.slow
def test_no_write_whose_reply_was_dropped_is_applied_twice(tmp_path: Path) -> None:
    program = Program(tmp_path).start()
    try:
        with DroppingProxy(program.port, share=0.2) as proxy:
            with Crew(proxy.address, program.token, size=12, rows=3) as crew:
                crew.wait(300, seconds=90)
            assert proxy.dropped > 60
        crew.address = program.address
        judge(crew)
        assert not crew.revisions.failed, crew.revisions.kinds()
        assert not crew.rows.failed, crew.rows.kinds()
        assert len(crew.rows.acknowledged) > 10
    finally:
        program.stop()
