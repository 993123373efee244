"""What other processes do to a series; started by `spawn`, so importable by name."""

import mainsequence.client as msc
from tests.lake.tables import batch


def declare_and_write(worker: int) -> None:
    """Find or declare one series, and write rows of this worker's own."""
    series = msc.Series.get_or_create("shared", {"close": "float64", "volume": "int64"})
    series.upsert(batch(worker))
