"""A calendar's schedule is built once and then read in microseconds."""

from __future__ import annotations

import sys

import exchange_calendars
import pandas_market_calendars

from benchmarks.measure import Row, interleaved, report, row, row_at_most
from mainsequence.compute.sessions import schedule
from mainsequence.domain.times import to_micros

READS = 10_000
START, END = "2015-01-01", "2020-01-01"


def rows() -> list[Row]:
    start, end = to_micros(START), to_micros(END)
    new_york = schedule("XNYS")
    peer = pandas_market_calendars.get_calendar("NYSE")
    cached = exchange_calendars.get_calendar("XNYS")

    def ours() -> None:
        for _ in range(READS):
            new_york.between(start, end)

    ours_all, rebuilt, sliced = interleaved(
        [ours, lambda: peer.schedule(START, END), lambda: cached.schedule.loc[START:END]]
    )
    read = ours_all / READS
    return [
        row(
            "five years of XNYS sessions, schedule in memory", read, "pandas_market_calendars, rebuilt", rebuilt, 1000.0
        ),
        row("five years of XNYS sessions, schedule in memory", read, "exchange_calendars, label slice", sliced, 10.0),
        row_at_most("five years of XNYS sessions, one slice", read, "20 µs", 20e-6, 1.0),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
