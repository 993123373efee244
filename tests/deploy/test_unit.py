"""The systemd unit: understood by systemd, hardened, and starts what the package installs."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mainsequence.server.run import GRACE_SECONDS
from mainsequence.settings import ENVIRONMENT
from tests.cli.runner import run
from tests.shared_data import ROOT

FILE = ROOT / "deploy" / "mainsequence.service"


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(FILE.read_text(encoding="utf-8"))
    return parser


def here(folder: Path) -> Path:
    """The unit with a program that exists on this machine."""
    placed = folder / FILE.name
    placed.write_text(FILE.read_text().replace("/opt/mainsequence/bin/mainsequence", "/bin/true"))
    return placed


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    ran = subprocess.run(["systemd-analyze", "verify", here(tmp_path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_systemd_finds_little_exposure(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=25", here(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-300:]


def test_it_starts_a_command_that_exists() -> None:
    program, *words = unit()["Service"]["ExecStart"].split()
    assert program == "/opt/mainsequence/bin/mainsequence"
    commands = words[: words.index("--host")]
    described = re.sub(r"\x1b\[[0-9;]*m", "", run(*commands, "--help").stdout)
    for option in (word for word in words if word.startswith("--")):
        assert option in described


def test_it_stops_later_than_the_server_needs_and_comes_back_by_itself() -> None:
    service = unit()["Service"]
    assert int(service["TimeoutStopSec"]) > GRACE_SECONDS
    assert service["Restart"] == "always"
    assert service["User"] != "root"


def test_it_is_started_when_it_answers_and_not_before() -> None:
    """That the server says so, and when, is tested in tests/server/test_process.py."""
    service = unit()["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert "AF_UNIX" in service["RestrictAddressFamilies"].split(), "else it could not say so"
    assert service["TimeoutStartSec"] == "infinity", "a registry that is brought up to date is not interrupted"


def test_it_is_never_given_up_however_long_the_database_is_away() -> None:
    assert unit()["Unit"]["StartLimitIntervalSec"] == "0"


@pytest.mark.parametrize(
    "option", ["NoNewPrivileges", "PrivateTmp", "ProtectHome", "PrivateDevices", "LockPersonality"]
)
def test_it_is_hardened(option: str) -> None:
    assert unit()["Service"][option] == "yes"
    assert unit()["Service"]["ProtectSystem"] == "strict"


def test_the_settings_of_its_example_exist() -> None:
    example = (ROOT / "deploy" / "server.env.example").read_text()
    named = set(re.findall(r"^#?(MAINSEQUENCE_\w+)=", example, re.MULTILINE))
    assert named
    assert named <= ENVIRONMENT.keys()
