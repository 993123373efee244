"""One hundred writers on one universe over HTTP: every acknowledged write is a revision, and none is there twice.

Ten seconds by default; ``MAINSEQUENCE_TEST_CONTENTION_SECONDS=60`` for the whole minute.
"""

import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.programs import Program
from tests.faults.writers import Crew, judge
from tests.postgresql import new_database

SECONDS = float(os.environ.get("MAINSEQUENCE_TEST_CONTENTION_SECONDS", "10"))
WRITERS = 100


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_hundred_writers_on_one_universe(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        chosen = {"MAINSEQUENCE_DATABASE_URL": stack.enter_context(new_database())} if database != "sqlite" else {}
        program = Program(tmp_path, **chosen).start()
        stack.callback(program.stop)
        with Crew(program.address, program.token, size=WRITERS) as crew:
            time.sleep(SECONDS)
        judge(crew)
        told = crew.revisions
        assert not told.failed, told.kinds()
        assert len({name.partition(":")[0] for name in told.acknowledged}) == WRITERS, "nobody is left out"
        taken = sorted(told.seconds)
        with capsys.disabled():
            print(
                f"\n{database}: {len(taken)} writes of {WRITERS} clients in {SECONDS:g} s, "
                f"{len(taken) / SECONDS:.0f}/s, median {taken[len(taken) // 2] * 1000:.0f} ms, "
                f"p99 {taken[int(len(taken) * 0.99)] * 1000:.0f} ms, longest {taken[-1] * 1000:.0f} ms"
            )
