"""The object store of a server answers nothing for a while: nobody waits but those who need series."""

import time
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.faults.programs import Program
from tests.faults.writers import Crew, judge
from tests.object_store import ObjectStore

WAITING = 60
"""More requests for series than the server has threads."""


@pytest.mark.slow
def test_a_store_that_hangs_holds_up_those_alone_who_need_it(tmp_path: Path) -> None:
    store = ObjectStore()
    program = Program(tmp_path, MAINSEQUENCE_LAKE=store.place(), **store.environment()).start()
    headers = {"Authorization": f"Bearer {program.token}"}

    def ask(path: str) -> httpx.Response:
        return httpx.get(f"{program.address}/api/v1{path}", headers=headers, timeout=120)

    try:
        with Crew(program.address, program.token, size=4, rows=2) as crew:
            crew.wait(10)
            store.pause()
            asking = [Thread(target=ask, args=("/series/1/statistics",)) for _ in range(WAITING)]
            for each in asking:
                each.start()
            time.sleep(1)
            crew.wait(20)
            for path in (f"/asset-categories/{crew.universe}", f"/asset-categories/{crew.universe}/asset-ids"):
                began = time.perf_counter()
                assert ask(path).status_code == 200
                assert time.perf_counter() - began < 3
            assert any(each.is_alive() for each in asking)
            store.go_on()
            for each in asking:
                each.join(120)
            rows = len(crew.rows.acknowledged)
            until = time.monotonic() + 60
            while len(crew.rows.acknowledged) < rows + 4:
                assert time.monotonic() < until
                time.sleep(0.05)
        judge(crew)
        assert not crew.revisions.failed, crew.revisions.kinds()
        assert not crew.rows.failed, crew.rows.kinds()
    finally:
        store.go_on()
        program.stop()
        store.kill()
