"""qlib's instrument files: ``SYMBOL<tab>first day<tab>last day``, both included, ``2099-12-31`` for an open end."""

import numpy as np

from mainsequence.client.lists.columns import Layout
from mainsequence.client.lists.readers import QLIB_OPEN_END
from mainsequence.client.lists.rows import day_of
from mainsequence.compute.intervals import Intervals
from mainsequence.domain.times import MAX_MICROS, MICROS_PER_DAY, MIN_MICROS, to_micros

QLIB_OPEN_START = "1900-01-01"
"""What an open start becomes, where its loss is allowed: the format has nothing for it."""


def losses_of_qlib(rows: Intervals, layout: Layout, announced: int) -> list[str]:
    """Say what of some intervals a file of qlib cannot hold."""
    bounded = [column[(column > MIN_MICROS) & (column < MAX_MICROS)] for column in (rows.start, rows.end)]
    lasting = to_micros(QLIB_OPEN_END) + MICROS_PER_DAY
    said = {
        "open starts": int((rows.start <= MIN_MICROS).sum()),
        "weights": int((~np.isnan(rows.weight)).sum()),
        "times of day": int(sum((column % MICROS_PER_DAY != 0).sum() for column in bounded)),
        f"ends on {QLIB_OPEN_END}, which means open": int((rows.end == lasting).sum()),
        "dates of announcement": announced,
    }
    lost = [f"{count} {what}" for what, count in said.items() if count]
    return lost if layout is Layout.INTERVALS else [*lost, f"the layout {layout.value}"]


def first_day(start: str) -> str:
    """Give the day on which an interval begins."""
    return QLIB_OPEN_START if start == "-infinity" else start[:10]


def last_day(end: str) -> str:
    """Give the last day that an interval, whose end is written, holds."""
    if end == "infinity":
        return QLIB_OPEN_END
    return day_of((to_micros(end) - 1) // MICROS_PER_DAY * MICROS_PER_DAY)
