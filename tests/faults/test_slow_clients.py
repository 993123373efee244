"""Clients that send or read as slowly as they can hold up nobody else."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from threading import Event, Thread

import httpx
import pytest

import mainsequence.client as msc
from mainsequence.server.bodies import PATIENCE_SECONDS
from tests.faults.programs import Program
from tests.faults.writers import Crew, judge

SENDERS, READERS = 200, 50


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    running = Program(tmp_path_factory.mktemp("served")).start()
    yield running
    running.stop()


def slow_sender(program: Program) -> socket.socket:
    """A write that announces a body and sends its first byte."""
    wire = socket.create_connection(("127.0.0.1", program.port), 10)
    head = f"POST /api/v1/assets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {program.token}\r\n"
    wire.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode())
    return wire


def slow_header(program: Program) -> socket.socket:
    """A request whose head never ends."""
    wire = socket.create_connection(("127.0.0.1", program.port), 10)
    wire.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
    return wire


def slow_reader(program: Program, path: str) -> socket.socket:
    """A read whose long answer is not taken."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.connect(("127.0.0.1", program.port))
    wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {program.token}\r\n\r\n".encode())
    return wire


@pytest.mark.slow
def test_slow_senders_and_slow_readers_hold_up_nobody(program: Program) -> None:
    with msc.session(program.address, program.token):
        registered = [{"unique_identifier": f"member {number}"} for number in range(20_000)]
        members = msc.Asset.batch_get_or_register_custom_assets(registered)
        universe = msc.AssetCategory.create(unique_identifier="long", assets=members)
    halted = Event()
    with ExitStack() as stack:
        dripping = [stack.enter_context(slow_sender(program)) for _ in range(SENDERS)]
        dripping += [stack.enter_context(slow_header(program)) for _ in range(SENDERS)]
        for _ in range(READERS):
            stack.enter_context(slow_reader(program, f"/api/v1/asset-categories/{universe.id}/assets"))

        def drip() -> None:
            while not halted.wait(0.2):
                for wire in dripping:
                    with suppress(OSError):  # given up by now, on a slow machine
                        wire.send(b" ")

        dripper = Thread(target=drip)
        dripper.start()
        try:
            with Crew(program.address, program.token, size=10, rows=2) as crew:
                crew.wait(100)
                began = time.perf_counter()
                assert httpx.get(f"{program.address}/readyz").status_code == 200
                assert time.perf_counter() - began < 2
        finally:
            halted.set()
            dripper.join()
        judge(crew)
        assert not crew.revisions.failed, crew.revisions.kinds()
        assert sorted(crew.revisions.seconds)[len(crew.revisions.seconds) // 2] < 2


@pytest.mark.slow
def test_a_body_that_stops_coming_is_given_up(program: Program) -> None:
    with slow_sender(program) as wire:
        wire.settimeout(PATIENCE_SECONDS + 20)
        answer = b""
        while part := wire.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in answer
    assert b"http.request_timeout" in answer
