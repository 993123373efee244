"""The server as a program: it starts, says who may use it, serves, and stops without losing what is in flight."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import mainsequence.client as msc
from mainsequence.errors import ConfigurationError
from mainsequence.server.app import is_loopback
from mainsequence.server.run import Binding, listen
from tests.cli.runner import refusal


@contextmanager
def a_program(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start the server on any free port; gives the process, and what it said until it served."""
    command = [Path(sys.executable).with_name("mainsequence"), "server", "start", "--port", "0", *options]
    process = subprocess.Popen(
        command, env=os.environ | {"MAINSEQUENCE_HOME": str(home)}, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stderr is not None
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if "Started server process" in line:
                break
        yield process, said
    finally:
        process.kill()
        process.wait(30)
        process.stderr.close()


def address_of(said: list[str]) -> str:
    return re.findall(r"http://\S+:\d+", said[0])[0]


def test_three_commands_and_a_second_terminal(tmp_path: Path) -> None:
    with a_program(tmp_path) as (process, said):
        token = re.findall(r"MAINSEQUENCE_TOKEN=(msp_\S+)", "".join(said))[0]
        with msc.session(address_of(said), token):
            msc.AssetCategory.create(unique_identifier="kept")
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=60)[1]
    lines = [json.loads(line) for line in rest.splitlines()]
    (request,) = [line for line in lines if line.get("operation") == "categories.create"]
    assert (request["status"], request["actor"], request["method"]) == (200, "admin", "POST")
    assert token not in rest
    with a_program(tmp_path) as (_, again), msc.session(address_of(again), token):
        assert "MAINSEQUENCE_TOKEN" not in "".join(again), "shown once"
        assert [each.unique_identifier for each in msc.AssetCategory.filter()] == ["kept"]


def test_without_authentication_this_machine_is_the_owner(tmp_path: Path) -> None:
    with a_program(tmp_path, "--no-auth") as (_, said), msc.session(address_of(said)):
        assert msc.AssetCategory.create(unique_identifier="u").revision == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_everybody_is_not_let_in_without_authentication(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ConfigurationError, match="this machine only"):
        listen(Binding(host, 0, authentication=False))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_loopback_addresses_are_known(host: str) -> None:
    assert is_loopback(host)


def test_a_port_that_is_taken_is_said() -> None:
    with listen(Binding(port=0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}" in refusal("server", "start", "--port", port)


def test_a_server_does_not_serve_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_ENDPOINT", "http://127.0.0.1:9")
    assert "MAINSEQUENCE_ENDPOINT" in refusal("server", "start", "--port", "0")


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="go together"):
        listen(Binding(port=0, certificate=tmp_path / "cert.pem"))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_said(tmp_path: Path, content: str | None) -> None:
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    for file in files if content else ():
        file.write_text(str(content))
    with pytest.raises(ConfigurationError, match=r"cert\.pem.*cannot be used"):
        listen(Binding(port=0, certificate=files[0], key=files[1]))
