"""The server as a process: it can be stopped while it only starts, and tells its service manager how far it is."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mainsequence.server.process import READY, ending_when_told, tell

SECONDS = 60


IGNORING = ("sh", "-c", 'trap \'\' TERM; exec "$0" "$@"')
"""Starts a program to which SIGTERM does nothing by itself, as to the first process of a container."""


@contextmanager
def started(
    *before: str, environment: dict[str, str], options: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Start the server on any free port, behind another program where one is named."""
    command = [*before, str(Path(sys.executable).with_name("mainsequence")), "server", "start", "--port", "0", *options]
    process = subprocess.Popen(
        command, env=os.environ | environment, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stderr is not None
    try:
        yield process
    finally:
        process.kill()
        process.wait(SECONDS)
        process.stderr.close()


@contextmanager
def a_database_that_never_answers(home: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """What a server waits for while it starts; gives where it calls, and its environment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        url = f"postgresql+psycopg://nobody@127.0.0.1:{listener.getsockname()[1]}/none"
        yield listener, {"MAINSEQUENCE_HOME": str(home), "MAINSEQUENCE_DATABASE_URL": url}


@pytest.mark.parametrize("before", [(), IGNORING], ids=["usual", "ignored"])
def test_a_server_that_only_starts_is_stopped_at_once(tmp_path: Path, before: tuple[str, ...]) -> None:
    with (
        a_database_that_never_answers(tmp_path) as (listener, environment),
        started(*before, environment=environment) as process,
        listener.accept()[0],
    ):
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == -signal.SIGTERM


def child_of(process: subprocess.Popen[str]) -> int:
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())


NAMESPACE = ("unshare", "--map-root-user", "--pid", "--fork", "--kill-child")


@pytest.fixture
def namespace() -> tuple[str, ...]:
    try:
        subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no process can be the first of its namespace here: {error}")
    return NAMESPACE


def test_as_the_first_process_of_a_container_it_is_stopped_while_it_starts(
    tmp_path: Path, namespace: tuple[str, ...]
) -> None:
    with (
        a_database_that_never_answers(tmp_path) as (listener, environment),
        started(*namespace, environment=environment) as process,
        listener.accept()[0],
    ):
        os.kill(child_of(process), signal.SIGTERM)
        assert process.wait(SECONDS) == 128 + signal.SIGTERM


def test_other_commands_are_not_concerned() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ending_when_told():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


# -- what a service manager hears


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.settimeout(SECONDS)
        hearing.bind(str(tmp_path / "notify"))
        yield hearing


def hears(manager: socket.socket) -> dict[str, str]:
    """Give what one message says, a variable a line."""
    return dict(line.split("=", 1) for line in manager.recv(200).decode().splitlines())


def test_a_service_manager_hears_when_it_answers_and_when_it_stops(tmp_path: Path, manager: socket.socket) -> None:
    environment = {"MAINSEQUENCE_HOME": str(tmp_path / "home"), "NOTIFY_SOCKET": manager.getsockname()}
    with started(environment=environment, options=("--drain", "30")) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = re.findall(r"http://\S+:\d+", said)[0]
        assert "older release is brought up to date" in hears(manager)["STATUS"]
        assert hears(manager) == {"READY": "1", "STATUS": "Answering."}
        assert httpx.get(f"{address}/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert hears(manager) == {"STOPPING": "1", "STATUS": "Letting requests in flight finish."}
        assert httpx.get(f"{address}/readyz").status_code == 503, "it drains"


def test_as_the_first_process_of_a_container_it_is_stopped_while_it_serves(
    tmp_path: Path, manager: socket.socket, namespace: tuple[str, ...]
) -> None:
    environment = {"MAINSEQUENCE_HOME": str(tmp_path / "home"), "NOTIFY_SOCKET": manager.getsockname()}
    with started(*namespace, environment=environment) as process:
        while "READY" not in hears(manager):
            pass
        os.kill(child_of(process), signal.SIGTERM)
        assert process.wait(SECONDS) == 128 + signal.SIGTERM
        assert process.stderr is not None
        assert "Finished server process" in process.stderr.read()


def test_a_server_that_does_not_come_up_is_not_said_to_be_ready(tmp_path: Path, manager: socket.socket) -> None:
    environment = {"MAINSEQUENCE_HOME": str(tmp_path / "home"), "NOTIFY_SOCKET": manager.getsockname()}
    with started(environment=environment, options=("--no-auth", "--host", "0.0.0.0")) as process:
        assert process.wait(SECONDS) == 1
    manager.settimeout(0.1)
    assert hears(manager).keys() == {"STATUS"}, "it began"
    with pytest.raises(TimeoutError):
        manager.recv(200)


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_the_socket_of_a_service_manager_may_be_abstract() -> None:
    name = f"mainsequence-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(f"\0{name}")
        tell(f"@{name}", READY)
        assert hears(hearing)["READY"] == "1"


@pytest.mark.parametrize("address", [None, "/there/is/none"])
def test_without_a_service_manager_nobody_is_told(address: str | None) -> None:
    tell(address, READY)
