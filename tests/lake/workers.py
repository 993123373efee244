"""What other processes do to a lake; started by `spawn`, so importable by name."""

from itertools import count
from pathlib import Path

from mainsequence.domain.series import RowSelection
from mainsequence.platform.lake import Lake
from tests.lake.tables import at, batch, prices

CONTESTED = at(2025)


def append_batches(root: str, worker: int, times: int) -> None:
    """Append rows nobody else writes, and fight for one row that everybody writes."""
    lake = Lake(root)
    for number in range(worker * times, (worker + 1) * times):
        lake.append("prices", batch(number, assets=3))
        lake.upsert("prices", prices([(CONTESTED, "all", float(number), number)]))


def write_for_ever(root: str, ready: str) -> None:
    """Write batches, each 200 rows of one number, until killed; now and then replace everything by the next batch."""
    lake = Lake(root)
    for number in count(lake.version("prices")):
        if number % 7 == 6:
            lake.replace("prices", batch(number), RowSelection())
        else:
            lake.upsert("prices", batch(number))
        Path(ready).touch()
