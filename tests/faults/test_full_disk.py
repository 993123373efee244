"""The disk under the server fills up while clients write: a clear refusal, nothing lost, and it goes on by itself."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mainsequence.contract.problems import MEDIA_TYPE
from mainsequence.errors import StorageFullError
from tests.faults.programs import Program
from tests.faults.writers import Crew, judge


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    rest = folder / "rest"
    handle = os.open(rest, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while True:
            os.write(handle, bytes(4096))
    except OSError:
        os.close(handle)
    return rest


@pytest.mark.slow
def test_a_full_disk_under_the_server_is_said_and_recovered_from(disk: Path) -> None:
    program = Program(disk / "home").start()
    try:
        with Crew(program.address, program.token, size=10, rows=3) as crew:
            for _ in range(3):
                crew.wait(30)
                rest = fill(disk)
                wait_for_refusals(crew)
                fill(disk)
                assert httpx.get(f"{program.address}/healthz").status_code == 200
                refused = refusal(program)
                rest.unlink()
            crew.wait(30)
        judge(crew)
        assert refused.status_code == 507
        assert refused.headers["Content-Type"].startswith(MEDIA_TYPE)
        assert refused.json()["code"] == "storage.full"
        assert refused.json()["hint"]
        failures = [*crew.revisions.failed.values(), *crew.rows.failed.values()]
        assert failures
        assert {type(each) for each in failures} == {StorageFullError}, (crew.revisions.kinds(), crew.rows.kinds())
        assert program.failures() == []
    finally:
        program.stop()


def wait_for_refusals(crew: Crew) -> None:
    goal = len(crew.revisions.failed) + 20
    until = time.monotonic() + 60
    while len(crew.revisions.failed) < goal:
        assert time.monotonic() < until
        time.sleep(0.02)


def refusal(program: Program) -> httpx.Response:
    return httpx.post(
        f"{program.address}/api/v1/asset-categories",
        headers={"Authorization": f"Bearer {program.token}"},
        json={"unique_identifier": "one more", "display_name": "One more"},
    )
