"""Running commands as a user does, inside this process."""

import json
from typing import Any

from typer.testing import CliRunner

from mainsequence.cli.main import app


def run(*words: str | int, code: int = 0, given: str | None = None) -> Any:
    """Run a command and check its exit code."""
    ran = CliRunner().invoke(app, [str(word) for word in words], input=given)
    assert ran.exit_code == code, f"{ran.exit_code}: {ran.output}\n{ran.exception!r}"
    return ran


def answer(*words: str | int, code: int = 0) -> Any:
    """Run a command with ``--json`` and read what it prints."""
    return json.loads(run(*words, "--json", code=code).stdout)


def refusal(*words: str | int, code: int = 1) -> str:
    """Run a command that is refused: it says why on standard error, answers nothing, and shows no traceback."""
    ran = run(*words, code=code)
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    return ran.stderr
