"""``make bench``: every benchmark in turn; writes RESULTS.md."""

from __future__ import annotations

import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from benchmarks.measure import Row, report, rows_of, shown

NAMES = (
    "imports",
    "universe",
    "universes",
    "history",
    "routing",
    "resolution",
    "calendars",
    "interpolation",
    "portfolio",
    "pipeline",
    "load",
)
PACKAGES = ("mainsequence-platform", "numpy", "numba", "pandas", "polars", "sqlalchemy", "vectorbt", "bt")
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(names: list[str]) -> int:
    rows: list[Row] = []
    # Each in a new process: what one leaves in memory would slow the next down, ours and its peers.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as alone:
        for found in alone.map(rows_of, names or NAMES):
            report(found)
            rows += found
    if not names:
        RESULTS.write_text(page(rows))
    return 0 if all(row.passed for row in rows) else 1


def page(rows: list[Row]) -> str:
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Each row is ours beside a peer in one process, runs interleaved, medians of at least",
        "five. `≥` bars count how many times faster than the peer we are, `≤` bars how many times its cost.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        + ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
        + ".",
        "",
        "| what | ours | peer | peer's | ratio | bar | |",
        "|---|---:|---|---:|---:|---:|---|",
        *map(_line, rows),
        "",
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    bar = f"{'≤' if row.at_most else '≥'} {row.bar:g}"
    ratio = f"{row.ratio:.3g}" if row.ratio < 100 else f"{row.ratio:,.0f}"
    verdict = "met" if row.passed else "**missed**"
    return f"| {row.name} | {shown(row.ours)} | {row.peer} | {shown(row.peer_seconds)} | {ratio} | {bar} | {verdict} |"


def _version(name: str) -> str:
    return version(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
