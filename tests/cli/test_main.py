"""The command line as a program: light to start, honest exit codes, whole output in pipes."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

import mainsequence.client as msc
from mainsequence.cli.main import app
from mainsequence.cli.output import cell, plain
from tests.cli.runner import answer, refusal, run
from tests.shared_data import ROOT

# Typer itself reads options with pydantic.
HEAVY = (
    "mainsequence.domain.values",
    "mainsequence.client.base",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "sqlalchemy",
    "deltalake",
    "numba",
    "matplotlib",
)


def _commands(command: Any, path: str) -> Iterator[str]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, f"{path} {name}")


COMMANDS = list(_commands(typer.main.get_command(app), "mainsequence"))


def program(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("mainsequence")
    environment = os.environ | {"MAINSEQUENCE_HOME": str(home), "COLUMNS": "80"}
    return subprocess.run(
        [command, *words], env=environment, capture_output=True, text=True, check=False, timeout=120, encoding="utf-8"
    )


def test_the_installed_program_answers_and_fails_as_promised(tmp_path: Path):
    made = program("asset", "register", "NESN", "--name", "Nestlé " + "x" * 100, "--json", home=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    assert json.loads(made.stdout)[0]["unique_identifier"] == "NESN"
    listed = program("asset", "list", home=tmp_path)
    assert "Nestlé " + "x" * 100 in listed.stdout
    refused = program("asset", "show", "NOPE", home=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: 1 of 1 assets do not exist: NOPE.")
    misused = program("asset", "list", "--where", "colour=red", home=tmp_path)
    assert (misused.returncode, misused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr + misused.stderr


def test_help_loads_nothing_heavy():
    code = f"""
import sys
from typer.testing import CliRunner
from mainsequence.cli.main import app
for words in [[], ["asset"], ["category", "append"], ["routing", "check"], ["series", "read"], ["demo"]]:
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout == "[]\n", ran.stderr


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_its_heading_in_the_reference(path: str):
    lines = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8").splitlines()
    headings = [line.lstrip("# ") for line in lines if line.startswith("#")]
    assert headings.count(path) == 1, f"docs/reference/cli.md needs one heading {path!r}"


def test_the_reference_has_no_heading_of_a_command_that_is_gone():
    lines = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8").splitlines()
    headings = [line.lstrip("# ") for line in lines if line.startswith("#")]
    assert [each for each in headings if each.startswith("mainsequence") and each not in COMMANDS] == []


def test_home_chooses_the_platform(tmp_path: Path):
    run("--home", tmp_path / "other", "asset", "register", "KO")
    msc.disconnect()
    assert answer("asset", "list") == []
    assert len(answer("--home", tmp_path / "other", "asset", "list")) == 1


def test_a_home_that_cannot_be_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert "Error:" in refusal("--home", tmp_path / "file", "asset", "list")


def test_the_version_is_that_of_the_distribution():
    assert run("--version").stdout.strip().count(".") >= 2


@pytest.mark.parametrize("words", [["category"], ["nope"], ["category", "nope"], ["category", "show"]])
def test_misuse_exits_with_2(words: list[str]):
    run(*words, code=2)


@pytest.mark.parametrize(
    ("value", "json_value", "text"),
    [
        (None, None, ""),
        (True, True, "yes"),
        (False, False, "no"),
        (0.1 + 0.2, 0.1 + 0.2, "0.3"),
        (math.nan, None, ""),
        (math.inf, None, ""),
        (pd.NaT, None, ""),
        (pd.NA, None, ""),
        (np.float64(0.5), 0.5, "0.5"),
        (np.int64(3), 3, "3"),
        (np.bool_(True), True, "yes"),
        (datetime(2024, 1, 2, 21, tzinfo=UTC), "2024-01-02T21:00:00Z", "2024-01-02T21:00:00Z"),
        (pd.Timestamp("2024-01-02", tz="UTC"), "2024-01-02T00:00:00Z", "2024-01-02T00:00:00Z"),
        (date(2024, 1, 2), "2024-01-02", "2024-01-02"),
        (["a", 1], ["a", 1], "a, 1"),
        ((), [], ""),
        ({"a": 1}, {"a": 1}, '{"a": 1}'),
        ("naïve", "naïve", "naïve"),
    ],
)
def test_values_are_printed_for_programs_and_for_people(value: Any, json_value: Any, text: str):
    assert plain(value) == json_value
    assert type(plain(value)) is type(json_value)
    assert cell(value) == text
