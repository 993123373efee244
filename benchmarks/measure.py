"""Timing of ours against peers: interleaved runs in one process, medians of at least five, one row per comparison."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median

RUNS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    ``ratio`` is peer seconds over ours (how many times faster we are), or, where ``at_most`` is set, ours over the
    peer's (how many times its cost we are). ``bar`` is what the ratio must reach, or must not exceed.
    """

    name: str
    ours: float
    peer: str
    peer_seconds: float
    ratio: float
    bar: float
    passed: bool
    at_most: bool = False

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        verdict = "ok" if self.passed else "MISSED"
        return (
            f"{self.name:<58} ours {shown(self.ours):>9}   {self.peer:<42} {shown(self.peer_seconds):>9}   "
            f"{self.ratio:9.2f}×  (bar {sign} {self.bar:g}×)  {verdict}"
        )


def shown(seconds: float) -> str:
    """Seconds with the unit that suits them."""
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def seconds_of(job: Callable[[], object]) -> float:
    """Time one run, the garbage collector kept out of it."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        job()
        return time.perf_counter() - start
    finally:
        gc.enable()


def interleaved(jobs: Sequence[Callable[[], object]], runs: int = RUNS) -> list[float]:
    """Median seconds of each job over interleaved runs (ours, peer, ours, peer …), after one unmeasured round."""
    if runs < 5:
        raise ValueError("medians of at least five")
    for job in jobs:
        job()
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(runs):
        for job, taken in zip(jobs, times, strict=True):
            taken.append(seconds_of(job))
    return [median(taken) for taken in times]


def row(name: str, ours: float, peer: str, peer_seconds: float, bar: float) -> Row:
    """Build a row for a bar of being so many times faster than a peer."""
    ratio = peer_seconds / ours
    return Row(name, ours, peer, peer_seconds, ratio, bar, ratio >= bar)


def row_at_most(name: str, ours: float, peer: str, peer_seconds: float, bar: float) -> Row:
    """Build a row for a bar of costing at most so many times as much as a peer."""
    ratio = ours / peer_seconds
    return Row(name, ours, peer, peer_seconds, ratio, bar, ratio <= bar, at_most=True)


def rows_of(name: str) -> list[Row]:
    """Run one benchmark, by the name of its module."""
    found: list[Row] = import_module(f"benchmarks.{name}").rows()
    return found


def report(rows: Sequence[Row]) -> int:
    """Print the rows; gives the exit code of a benchmark run by hand."""
    for line in rows:
        print(line)
    return 0 if all(line.passed for line in rows) else 1
