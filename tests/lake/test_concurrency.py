"""Writers in several processes lose nothing; one that is killed leaves the table as it was."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from threading import Thread

import pytest

from mainsequence.domain.series import SeriesQuery
from mainsequence.errors import BusyError, ConfigurationError
from mainsequence.platform.lake import Lake
from tests.lake import workers
from tests.lake.tables import PRICES, at, batch, prices, rows_of

SPAWN = multiprocessing.get_context("spawn")


@pytest.mark.slow
def test_processes_writing_at_once_lose_nothing(lake: Lake) -> None:
    crew = [SPAWN.Process(target=workers.append_batches, args=(lake.root, worker, 8)) for worker in range(3)]
    for each in crew:
        each.start()
    for each in crew:
        each.join(120)
    assert [each.exitcode for each in crew] == [0, 0, 0]
    expected = sorted(row for number in range(24) for row in rows_of(batch(number, assets=3)))
    *found, contested = rows_of(lake.read("prices"))
    assert found == expected
    assert contested[:2] == (workers.CONTESTED, "all")
    assert contested[2] == contested[3] in {7, 15, 23}
    assert lake.version("prices") == 48
    assert lake.statistics("prices").count == len(expected) + 1


@pytest.mark.slow
def test_a_killed_write_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "series")
    lake.create("prices", PRICES)
    draw = random.Random(7)
    for round_ in range(5):
        before = lake.version("prices")
        ready = tmp_path / f"ready{round_}"
        victim = SPAWN.Process(target=workers.write_for_ever, args=(lake.root, str(ready)))
        victim.start()
        while not ready.exists():
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.3))
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        check_whole(lake)
        assert lake.version("prices") > before


def check_whole(lake: Lake) -> None:
    """Every version holds whole batches, and the next write works."""
    history = lake.history("prices")
    assert [each.version for each in history] == list(range(len(history)))
    for version in history[-8:]:
        rows = lake.read("prices", SeriesQuery(version=version.version)).column("volume").to_pylist()
        assert set(Counter(rows).values()) <= {200}
    reopened = Lake(lake.root)
    number = reopened.version("prices")
    reopened.upsert("prices", batch(number))
    assert reopened.statistics("prices").count == reopened.read("prices").num_rows


def test_threads_writing_at_once_lose_nothing(lake: Lake) -> None:
    crew = [Thread(target=lake.append, args=("prices", batch(number))) for number in range(8)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    assert lake.version("prices") == 8
    assert lake.read("prices").num_rows == 8 * 200


def test_a_writer_that_waits_too_long_gives_up_with_a_busy_error(tmp_path: Path) -> None:
    lake = Lake(tmp_path, lock_timeout=0.05)
    lake.create("prices", PRICES)
    with lake._storage.lock("prices", 1), pytest.raises(BusyError, match="Another writer"):
        Lake(tmp_path, lock_timeout=0.05).append("prices", batch(1))
    assert lake.version("prices") == 0
    lake.append("prices", batch(1))


def test_readers_do_not_wait_for_writers(tmp_path: Path) -> None:
    lake = Lake(tmp_path, lock_timeout=0.05)
    lake.create("prices", PRICES)
    lake.append("prices", prices([(at(2020), "a", 1.0, 1)]))
    with lake._storage.lock("prices", 1):
        assert lake.read("prices").num_rows == 1
        assert lake.statistics("prices").count == 1


@pytest.mark.parametrize("verb", ["version", "exists", "drop"])
@pytest.mark.parametrize("opened", ["before the fork", "after the fork"])
def test_a_forked_process_is_told_so_instead_of_hanging(tmp_path: Path, opened: str, verb: str) -> None:
    lake = Lake(tmp_path)
    lake.create("prices", PRICES)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, answer_of(lake if opened == "before the fork" else Lake(tmp_path), verb))
        os._exit(0)
    os.waitpid(child, 0)
    assert b"spawn" in os.read(reader, 1_000)
    assert lake.version("prices") == 0


def answer_of(lake: Lake, verb: str) -> bytes:
    try:
        return repr(getattr(lake, verb)("prices")).encode()
    except ConfigurationError as error:
        return str(error).encode()
