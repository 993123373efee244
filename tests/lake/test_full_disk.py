"""A full or read-only disk is a clear error; what was there stays, and nothing half written is seen."""

import os
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from mainsequence.domain.series import WideQuery
from mainsequence.errors import ReadOnlyStorageError, StorageFullError
from mainsequence.platform.lake import Lake
from tests.lake.tables import PRICES, at, batch, prices


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path, leave: int = 0, name: str = "rest") -> Path:
    rest = disk / name
    handle = os.open(rest, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(handle, bytes(4096))
    except OSError:
        os.close(handle)
    os.truncate(rest, rest.stat().st_size - leave)
    return rest


def append_for_ever(lake: Lake) -> None:
    for number in count():
        lake.append("prices", batch(number, assets=2_500))


def test_writing_until_the_disk_is_full_keeps_what_was_written(tiny: Path) -> None:
    lake = Lake(tiny / "series")
    lake.create("prices", PRICES)
    with pytest.raises(StorageFullError, match="nothing was changed"):
        append_for_ever(lake)
    written = lake.version("prices")
    assert written > 3
    for each in (lake, Lake(tiny / "series")):
        assert each.version("prices") == written
        assert each.read("prices").num_rows == written * 10_000
        assert each.statistics("prices").count == written * 10_000


@pytest.mark.parametrize("free", [0, 4096, 8192, 12288])
def test_a_full_disk_changes_nothing_wherever_it_fails(tiny: Path, free: int) -> None:
    lake = Lake(tiny / "series")
    lake.create("prices", PRICES)
    lake.append("prices", batch(0))
    rest = fill(tiny, leave=free)
    outcomes = set()
    for number in range(1, 6):
        try:
            outcomes.add(lake.append("prices", batch(number)).version)
        except StorageFullError:
            outcomes.add("full")
    assert "full" in outcomes
    whole = lake.version("prices")
    assert lake.read("prices").num_rows == whole * 200
    committed = {file.path for file in lake._table("prices").log.newest().files}
    on_disk = {str(file.relative_to(tiny / "series/prices")) for file in (tiny / "series/prices").rglob("*.parquet")}
    assert on_disk == committed
    fill(tiny, name="more")
    with pytest.raises(StorageFullError):
        lake.create("another", PRICES)
    assert not lake.exists("another")
    rest.unlink()
    (tiny / "more").unlink()
    lake.create("another", PRICES)
    lake.append("prices", batch(9))
    assert Lake(tiny / "series").read("prices").num_rows == (whole + 1) * 200


def test_a_read_only_disk_refuses_writes_and_still_reads(tiny: Path) -> None:
    lake = Lake(tiny / "series")
    lake.create("prices", PRICES)
    lake.append("prices", prices([(at(2020), "a", 1.0, 1)]))
    subprocess.run(["mount", "-o", "remount,ro", tiny], check=True)
    for each in (lake, Lake(tiny / "series")):
        for refused in (
            lambda each=each: each.append("prices", batch(1)),
            lambda each=each: each.create("another", PRICES),
            lambda each=each: each.drop("prices"),
            lambda: Lake(tiny / "elsewhere").create("prices", PRICES),
        ):
            with pytest.raises(ReadOnlyStorageError):
                refused()
        assert each.read("prices").num_rows == 1
        assert each.statistics("prices").count == 1
        assert each.wide("prices", WideQuery(column="close")).values.tolist() == [[1.0]]
        assert each.version("prices") == 1
