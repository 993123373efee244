"""What the reference is read from says something: every error, command and option."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from mainsequence.cli.main import app
from mainsequence.errors import MainSequenceError


def _errors(error: type[MainSequenceError]) -> Iterator[type[MainSequenceError]]:
    yield error
    for child in error.__subclasses__():
        yield from _errors(child)


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, f"{path} {name}")


ERRORS = list(_errors(MainSequenceError))
COMMANDS = dict(_commands(typer.main.get_command(app), "mainsequence"))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_a_paragraph_and_a_code_of_its_own(error: type[MainSequenceError]):
    assert error.__dict__.get("__doc__")
    assert [each for each in ERRORS if each.code == error.code] == [error]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(path: str):
    command = COMMANDS[path]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{path} {parameter.name}"
