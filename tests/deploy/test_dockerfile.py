"""The Dockerfile, carried out without Docker: what it copies is installed and started as it says, and answers."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.fresh_machine import FreshMachine
from tests.faults.programs import free_port
from tests.shared_data import ROOT

FILE = ROOT / "deploy" / "Dockerfile"
INSTALLED = "/opt/mainsequence"


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", FILE.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


INSTRUCTIONS = instructions()


def of(kind: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == kind]


def test_only_known_instructions_are_used() -> None:
    known = {"FROM", "LABEL", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL"}
    assert {name for name, _ in INSTRUCTIONS} <= known | {"HEALTHCHECK", "ENTRYPOINT", "CMD"}


def test_it_builds_on_a_slim_python_of_one_release() -> None:
    assert {base.split(" ")[0] for base in of("FROM")} == {"python:3.13-slim-bookworm"}


def test_the_engine_builds_it_with_what_it_has() -> None:
    """A ``syntax`` line would have it fetch one more image, which reads the rest of the file."""
    assert not re.search(r"^#\s*syntax\s*=", FILE.read_text(), re.MULTILINE)


def test_it_runs_as_a_user_without_rights() -> None:
    (user,) = of("USER")
    assert int(user) > 0
    assert [name for name, _ in INSTRUCTIONS].index("USER") > max(
        number for number, (name, _) in enumerate(INSTRUCTIONS) if name in ("RUN", "COPY")
    )


def test_its_data_folder_is_that_users_alone_and_empty() -> None:
    (user,), (volume,) = of("USER"), of("VOLUME")
    (made,) = [run for run in of("RUN") if "useradd" in run]
    assert "--no-create-home" in made, "a home made by useradd holds a shell's files"
    assert f"install --directory --owner {user} --group {user} --mode 0700 {volume}" in made


def test_it_holds_no_secret_and_watches_itself() -> None:
    assert not re.search(r"TOKEN|PASSWORD|SECRET|DATABASE_URL", FILE.read_text())
    assert "/healthz" in of("HEALTHCHECK")[0]


def carry_out(machine: FreshMachine, folder: Path, *, pip_options: str) -> None:
    """Copy what the build stage copies, and run its pip."""
    source = folder / "source"
    source.mkdir()
    for line in of("COPY"):
        *paths, _ = shlex.split(line)
        for path in paths:
            if path.startswith(("--from", INSTALLED)):
                continue
            copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copy2
            copy(ROOT / path, source / Path(path).name)
    (install,) = [run for run in of("RUN") if "pip install" in run]
    command = install.replace(f"{INSTALLED}/bin/pip", str(machine.bin / "pip")).replace(
        " install ", f" install {pip_options} ", 1
    )
    machine.run(f"cd {source}\n{command}")


def starts_and_answers(machine: FreshMachine, folder: Path) -> None:
    port = free_port()
    (entry,), (options,) = of("ENTRYPOINT"), of("CMD")
    command = [*json.loads(entry), *json.loads(options)]
    command = [str(port) if word == "8000" else word for word in command]
    check = of("HEALTHCHECK")[0].split("CMD ", 1)[1].replace(":8000/", f":{port}/")
    environment = machine.environment(MAINSEQUENCE_HOME=str(machine.home), NUMBA_CACHE_DIR=str(folder / "numba"))
    with (folder / "log").open("w") as log:
        command[0] = str(machine.bin / command[0])
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while subprocess.run(json.loads(check), env=environment, capture_output=True, check=False).returncode:
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.2)
    finally:
        process.terminate()
        assert process.wait(60) in (0, -signal.SIGTERM)
    assert "MAINSEQUENCE_TOKEN=msp_" in (folder / "log").read_text(), "the first start prints the token to the log"


@pytest.mark.slow
def test_its_steps_install_a_server_that_answers(tmp_path: Path) -> None:
    machine = FreshMachine(tmp_path)
    carry_out(machine, tmp_path, pip_options="--no-build-isolation")
    starts_and_answers(machine, tmp_path)


@pytest.mark.network
def test_its_steps_install_everything_from_the_registry(tmp_path: Path) -> None:
    machine = FreshMachine(tmp_path)
    shutil.rmtree(tmp_path / "libraries")
    (tmp_path / "libraries").mkdir()
    machine.online = True
    carry_out(machine, tmp_path, pip_options="")
    starts_and_answers(machine, tmp_path)
