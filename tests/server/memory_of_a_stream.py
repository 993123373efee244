"""Serve a series that is larger than the server may grow; prints by how many MiB it grew, and how many it sent."""

import multiprocessing
import multiprocessing.connection
import resource
import sys
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa

from mainsequence.contract import series
from mainsequence.contract.wire import PREFIX
from mainsequence.domain.series import ColumnSpec, SeriesDeclaration, SeriesSchema
from mainsequence.platform.platform import Platform
from mainsequence.server.run import Binding, listen, serve
from mainsequence.settings import Settings

YEARS, ROWS = 30, 700_000


def served(home: Path, port: "multiprocessing.connection.Connection") -> None:
    platform = Platform.embedded(Settings(home=home))
    binding = Binding(port=0, authentication=False)
    listener = listen(binding)
    port.send(listener.getsockname()[1])
    serve(platform, binding, listener)


def filled(home: Path) -> None:
    platform = Platform.embedded(Settings(home=home))
    schema = SeriesSchema(columns=(ColumnSpec(name="close"),), index=("time_index",))
    key = platform.call(series.CREATE, SeriesDeclaration(unique_identifier="s", series_schema=schema)).id
    chance = np.random.default_rng(0)
    for year in range(YEARS):
        at = np.datetime64(f"{1990 + year}-01-01", "us").astype(np.int64) + np.arange(ROWS) * 40_000_000
        columns = {"time_index": pa.array(at, pa.timestamp("us", "UTC")), "close": pa.array(chance.random(ROWS))}
        platform.call(series.APPEND, pa.table(columns), key=key)
    platform.close()


def held(memory: Path) -> int:
    """Give the bytes that a process holds."""
    return int(memory.read_text().split()[1]) * resource.getpagesize()


def main(home: Path) -> None:
    filled(home)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=served, args=(home, there), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{here.recv()}{PREFIX}/series/1/read"
    memory = Path(f"/proc/{server.pid}/statm")
    small = {"start": "1990-01-01T00:00:00Z", "end": "1991-01-01T00:00:00Z"}
    httpx.post(address, json=small, timeout=60).raise_for_status()
    before = most = held(memory)
    with httpx.stream("POST", address, json={}, timeout=60) as answer:
        for _ in answer.iter_raw():
            most = max(most, held(memory))
    server.terminate()
    print((most - before) >> 20, YEARS * ROWS * 16 >> 20)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
