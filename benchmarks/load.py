"""A server under load on loopback, against the bare framework (Starlette, uvicorn) returning the same bytes.

The load comes from ``wrk`` where it is installed, else from a small generator over raw sockets; server and client share
the machine. Each server is a process of its own, without a line in its log for each request.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import mainsequence.client as msc
from benchmarks.measure import Row, report, row_at_most
from mainsequence.contract.wire import PREFIX
from mainsequence.platform.platform import Platform
from mainsequence.server.run import first_token
from mainsequence.settings import Settings

MEMBERS = 500
CONNECTIONS = 8
SECONDS = 5
WANTED_PER_SECOND = 1_000
MOST_SECONDS_P99 = 0.05

OURS = """
import sys, logging
from pathlib import Path
from mainsequence.platform.platform import Platform
from mainsequence.server.run import Binding, listen, serving, _server
from mainsequence.settings import Settings
binding = Binding(port=int(sys.argv[1]))
logging.disable(logging.INFO)
_server(Platform.embedded(Settings(home=Path(sys.argv[2]))), binding).run([listen(binding)])
"""
BARE = """
import sys, uvicorn
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
content = Path(sys.argv[2]).read_bytes()
async def answer(request):
    return Response(content, media_type="application/json")
app = Starlette(routes=[Route("/{path:path}", answer)])
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
"""


class Load:
    """What a run of load found."""

    def __init__(self, per_second: float, p99: float) -> None:
        self.per_second, self.p99 = per_second, p99


def a_home(home: Path, members: int) -> tuple[str, bytes]:
    """Make a platform with one universe; give a token, and what reading its ids answers."""
    platform = Platform.embedded(replace(Settings.from_environment(), home=home, endpoint=None, database_url=None))
    issued = first_token(platform)
    platform.close()
    if issued is None:
        raise ValueError("the home is not new")
    with msc.session(str(home)):
        names = [{"unique_identifier": f"asset-{number}"} for number in range(members)]
        assets = msc.Asset.batch_get_or_register_custom_assets(names)
        made = msc.AssetCategory.create(unique_identifier="universe", assets=assets)
        ids = made.asset_ids()
    return issued.token, ("[" + ",".join(map(str, ids)) + "]").encode()


@contextmanager
def served(script: str, *words: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-c", script, str(port), *words], stderr=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


def load(port: int, path: str, token: str, *, connections: int, seconds: float) -> Load:
    """Ask as fast as so many connections allow."""
    if shutil.which("wrk"):
        return _wrk(port, path, token, connections, seconds)
    return asyncio.run(_asked(port, path, token, connections, seconds, None))


def _wrk(port: int, path: str, token: str, connections: int, seconds: float) -> Load:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-H", f"Authorization: Bearer {token}"]
    said = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True)
    if "Non-2xx" in said.stdout:
        raise RuntimeError(said.stdout)
    per_second = float(re.findall(r"Requests/sec:\s+(\S+)", said.stdout)[0])
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", said.stdout)[0]
    return Load(per_second, float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[unit])


def paced(port: int, path: str, token: str, *, per_second: float, connections: int, seconds: float) -> Load:
    """Ask so many times a second; what a late answer delays counts as its latency."""
    return asyncio.run(_asked(port, path, token, connections, seconds, per_second))


async def _asked(port: int, path: str, token: str, connections: int, seconds: float, per_second: float | None) -> Load:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    taken: list[float] = []
    begin = time.perf_counter()
    gap = None if per_second is None else connections / per_second

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due = begin + (number / per_second if per_second else 0.0)
        while due < begin + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked = due if gap is not None else time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            await reader.readexactly(int(re.findall(rb"(?i)content-length: (\d+)", head)[0]))
            now = time.perf_counter()
            taken.append(now - asked)
            due = due + gap if gap is not None else now
        writer.close()

    await asyncio.gather(*map(one, range(connections)))
    taken.sort()
    return Load(len(taken) / (time.perf_counter() - begin), taken[int(len(taken) * 0.99)])


def rows(runs: int = 5, seconds: float = SECONDS) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        token, content = a_home(home, MEMBERS)
        same = Path(folder) / "content"
        same.write_bytes(content)
        path = f"{PREFIX}/asset-categories/1/asset-ids"
        with served(OURS, str(home)) as ours, served(BARE, str(same)) as bare:
            asked = {"path": path, "token": token, "connections": CONNECTIONS}
            found: dict[int, list[Load]] = {ours: [], bare: []}
            for _ in range(runs):
                for port, loads in found.items():
                    loads.append(load(port, seconds=seconds, **asked))  # type: ignore[arg-type]
            half = paced(ours, per_second=WANTED_PER_SECOND / 2, seconds=2 * seconds, **asked)  # type: ignore[arg-type]
    mine, peer = (1 / median(each.per_second for each in loads) for loads in found.values())
    wanted = 1 / WANTED_PER_SECOND
    what = f"server, ids of {MEMBERS} members, {CONNECTIONS} connections"
    return [
        row_at_most(f"{what}: a request", mine, "bare Starlette, the same bytes", peer, 3),
        row_at_most(f"{what}: a request", mine, "the time allowed (1,000 a second)", wanted, 1),
        row_at_most(
            f"server, ids of {MEMBERS} members, {WANTED_PER_SECOND // 2} a second: 99th percentile",
            half.p99,
            "the time allowed",
            MOST_SECONDS_P99,
            1,
        ),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
